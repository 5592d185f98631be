/* Invariant: 60 bytes are 96 letters exactly, so that every text has one reading and every token one text. */
#include "access/token.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

#define PREFIX	      "drover"
#define VERSION	      "1-"
#define PREFIX_LEN    8
#define PACKED_BYTES  60
#define LETTERS	      96
#define CHECKED_BYTES (TOKEN_ID_BYTES + TOKEN_SECRET_BYTES + TOKEN_HASH_BYTES)

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

/* CRC-16 (CCITT, from 0xffff): notices every single wrong letter and every swap of two neighbours. */
static unsigned checksum(const uint8_t *bytes, size_t len)
{
	unsigned crc = 0xffff;
	for (size_t i = 0; i < len; i++) {
		crc ^= (unsigned)bytes[i] << 8;
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 0x8000 ? (crc << 1 ^ 0x1021) & 0xffff : crc << 1;
	}
	return crc;
}

/* A multiple of 5 bytes as 8 letters each. */
static void encode(const uint8_t *bytes, size_t len, char *out)
{
	for (size_t i = 0; i < len; i += 5, out += 8) {
		uint64_t group = 0;
		for (size_t k = 0; k < 5; k++)
			group = group << 8 | bytes[i + k];
		for (size_t k = 0; k < 8; k++)
			out[k] = alphabet[group >> (35 - 5 * k) & 31];
	}
}

static enum err_code decode(const char *letters, uint8_t bytes[PACKED_BYTES], struct err *err)
{
	for (size_t i = 0; i < LETTERS / 8; i++) {
		uint64_t group = 0;
		for (size_t k = 0; k < 8; k++) {
			const char *at = strchr(alphabet, letters[8 * i + k]);
			if (!at)
				return err_set(err, ERR_INVALID,
					       "character %zu of the token is none of a-z and 2-7",
					       PREFIX_LEN + 8 * i + k + 1);
			group = group << 5 | (uint64_t)(at - alphabet);
		}
		for (size_t k = 0; k < 5; k++)
			bytes[5 * i + k] = (uint8_t)(group >> (32 - 8 * k));
	}
	return ERR_NONE;
}

const char *token_format(const struct token *token, char out[TOKEN_TEXT_SIZE])
{
	uint8_t bytes[PACKED_BYTES];
	memcpy(bytes, token->id, TOKEN_ID_BYTES);
	memcpy(bytes + TOKEN_ID_BYTES, token->secret, TOKEN_SECRET_BYTES);
	memcpy(bytes + TOKEN_ID_BYTES + TOKEN_SECRET_BYTES, token->ca_sha256, TOKEN_HASH_BYTES);
	unsigned crc = checksum(bytes, CHECKED_BYTES);
	bytes[CHECKED_BYTES] = (uint8_t)(crc >> 8);
	bytes[CHECKED_BYTES + 1] = (uint8_t)crc;
	memcpy(out, PREFIX VERSION, PREFIX_LEN);
	encode(bytes, PACKED_BYTES, out + PREFIX_LEN);
	out[PREFIX_LEN + LETTERS] = '\0';
	return out;
}

enum err_code token_parse(const char *text, struct token *ret_token, struct err *err)
{
	uint8_t bytes[PACKED_BYTES];
	struct token token;
	size_t len = strlen(text);
	if (strncmp(text, PREFIX, strlen(PREFIX)) != 0)
		return err_set(err, ERR_INVALID, "a token begins with " PREFIX VERSION);
	if (strncmp(text + strlen(PREFIX), VERSION, strlen(VERSION)) != 0)
		return err_set(err, ERR_INVALID,
			       "a token begins with " PREFIX VERSION
			       "; this one is of another release, or mistyped");
	if (len != PREFIX_LEN + LETTERS)
		return err_set(err, ERR_INVALID,
			       "a token has %d characters and this has %zu: part of it is missing, "
			       "or something was joined to it",
			       PREFIX_LEN + LETTERS, len);
	enum err_code code = decode(text + PREFIX_LEN, bytes, err);
	if (code)
		return code;
	unsigned crc = (unsigned)bytes[CHECKED_BYTES] << 8 | bytes[CHECKED_BYTES + 1];
	if (crc != checksum(bytes, CHECKED_BYTES))
		return err_set(err, ERR_INVALID,
			       "the token has a typing mistake: its checksum does not fit");
	memcpy(token.id, bytes, TOKEN_ID_BYTES);
	memcpy(token.secret, bytes + TOKEN_ID_BYTES, TOKEN_SECRET_BYTES);
	memcpy(token.ca_sha256, bytes + TOKEN_ID_BYTES + TOKEN_SECRET_BYTES, TOKEN_HASH_BYTES);
	*ret_token = token;
	return ERR_NONE;
}

const char *token_id_format(const struct token *token, char out[TOKEN_ID_TEXT_SIZE])
{
	encode(token->id, TOKEN_ID_BYTES, out);
	out[TOKEN_ID_TEXT_LEN] = '\0';
	return out;
}
