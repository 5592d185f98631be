/* Sealing: AES-256-GCM under a key of 32 bytes from which the key that encrypts and the key that hashes are derived
 * (HMAC-SHA-256 of a word each). A seal is text: base64 of nonce (12 random bytes), encrypted bytes and tag (16). */
#ifndef TRUST_SEAL_H
#define TRUST_SEAL_H

#include "access/access.h"

#define SEAL_KEY_BYTES	  32
#define SEAL_ID_TEXT_SIZE 17
#define SEAL_ADDED_BYTES  28 /* to the bytes, before base64 */

/* Wiped by its owner. */
struct seal_key {
	uint8_t encrypts[SEAL_KEY_BYTES];
	uint8_t hashes[SEAL_KEY_BYTES];
	char id[SEAL_ID_TEXT_SIZE]; /* names the key, tells nothing of it */
};
void seal_key_derive(const uint8_t master[SEAL_KEY_BYTES], struct seal_key *ret_key);

/* A keyed hash of the parts, as hexadecimal text: nobody without the key can tell what it was made of. */
struct seal_part {
	const void *bytes;
	size_t len;
};
void seal_hash(const struct seal_key *key, const struct seal_part *parts, size_t n,
	       char ret_hash[ACCESS_HASH_TEXT_SIZE]);

/* `bound`: a text that must be the same when it is opened. The caller frees. */
char *seal_close(const struct seal_key *key, const char *bound, const void *bytes, size_t len);
/* ERR_DAMAGED: it was sealed with another key, bound to something else, or is not whole. The bytes have a NUL behind
 * them; the caller wipes and frees. */
enum err_code seal_open(const struct seal_key *key, const char *bound, const char *sealed,
			char **ret_bytes, size_t *ret_len, struct err *err) WARN_UNUSED;

#endif
