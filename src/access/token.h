/* Join tokens as people carry them: "drover1-" and 96 letters and digits (base 32, RFC 4648, lower case), one word that
 * a double click selects. In them: the token's id, its secret, the SHA-256 of the cluster's CA certificate, by which a
 * joiner knows the manager before it trusts anything else, and a checksum, so that a typing mistake is called one. */
#ifndef ACCESS_TOKEN_H
#define ACCESS_TOKEN_H

#include <stdint.h>

#include "base/err.h"

#define TOKEN_ID_BYTES	   10
#define TOKEN_SECRET_BYTES 16
#define TOKEN_HASH_BYTES   32
#define TOKEN_TEXT_SIZE	   105
#define TOKEN_ID_TEXT_LEN  16
#define TOKEN_ID_TEXT_SIZE (TOKEN_ID_TEXT_LEN + 1)

struct token {
	uint8_t id[TOKEN_ID_BYTES];
	uint8_t secret[TOKEN_SECRET_BYTES];
	uint8_t ca_sha256[TOKEN_HASH_BYTES];
};

const char *token_format(const struct token *token, char out[TOKEN_TEXT_SIZE]);

/* ERR_INVALID says what is wrong with the text and never repeats it: it is a secret. */
enum err_code token_parse(const char *text, struct token *ret_token, struct err *err) WARN_UNUSED;

/* The id as records, listings and `token rm` name it: 16 letters and digits, the first that follow "drover1-". */
const char *token_id_format(const struct token *token, char out[TOKEN_ID_TEXT_SIZE]);

#endif
