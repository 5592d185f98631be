#include "trust/seal.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/check.h"
#include "trust/keys.h"

#define NONCE_BYTES 12
#define TAG_BYTES   16

static const char hex[] = "0123456789abcdef";

static void hmac(const uint8_t key[SEAL_KEY_BYTES], const void *bytes, size_t len,
		 uint8_t out[SEAL_KEY_BYTES])
{
	unsigned n = SEAL_KEY_BYTES;
	if (!HMAC(EVP_sha256(), key, SEAL_KEY_BYTES, bytes, len, out, &n) || n != SEAL_KEY_BYTES)
		UNREACHABLE("HMAC needs memory only");
}

static void print_hex(const uint8_t *bytes, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++) {
		*out++ = hex[bytes[i] >> 4];
		*out++ = hex[bytes[i] & 15];
	}
	*out = '\0';
}

void seal_key_derive(const uint8_t master[SEAL_KEY_BYTES], struct seal_key *ret_key)
{
	static const char encrypts[] = "drover secrets: encrypt";
	static const char hashes[] = "drover secrets: hash";
	static const char names[] = "drover secrets: name";
	uint8_t name[SEAL_KEY_BYTES];
	hmac(master, encrypts, sizeof(encrypts) - 1, ret_key->encrypts);
	hmac(master, hashes, sizeof(hashes) - 1, ret_key->hashes);
	hmac(master, names, sizeof(names) - 1, name);
	print_hex(name, (SEAL_ID_TEXT_SIZE - 1) / 2, ret_key->id);
}

/* Each part with its length before it: no two lists of parts read alike. */
void seal_hash(const struct seal_key *key, const struct seal_part *parts, size_t n,
	       char ret_hash[ACCESS_HASH_TEXT_SIZE])
{
	uint8_t state[SEAL_KEY_BYTES] = { 0 };
	for (size_t i = 0; i < n; i++) {
		uint8_t block[2 * SEAL_KEY_BYTES + 8];
		memcpy(block, state, SEAL_KEY_BYTES);
		for (size_t k = 0; k < 8; k++)
			block[SEAL_KEY_BYTES + k] = (uint8_t)((uint64_t)parts[i].len >> (8 * k));
		hmac(key->hashes, parts[i].bytes, parts[i].len, block + SEAL_KEY_BYTES + 8);
		hmac(key->hashes, block, sizeof(block), state);
	}
	print_hex(state, sizeof(state), ret_hash);
}

static int to_int(size_t len)
{
	PRE(len <= INT32_MAX);
	return (int)len;
}

char *seal_close(const struct seal_key *key, const char *bound, const void *bytes, size_t len)
{
	uint8_t *out = base_calloc(len + SEAL_ADDED_BYTES, 1);
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int n = 0, last = 0;
	trust_random(out, NONCE_BYTES);
	bool done = context &&
		    EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, key->encrypts, out) == 1 &&
		    EVP_EncryptUpdate(context, NULL, &n, (const uint8_t *)bound,
				      to_int(strlen(bound))) == 1 &&
		    EVP_EncryptUpdate(context, out + NONCE_BYTES, &n, bytes, to_int(len)) == 1 &&
		    EVP_EncryptFinal_ex(context, out + NONCE_BYTES + n, &last) == 1 &&
		    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_BYTES,
					out + NONCE_BYTES + len) == 1;
	EVP_CIPHER_CTX_free(context);
	if (!done)
		UNREACHABLE("AES-256-GCM needs memory only");
	char *text = base64_encode(out, len + SEAL_ADDED_BYTES);
	base_free(out);
	return text;
}

static bool decrypt(const struct seal_key *key, const char *bound, const uint8_t *in, size_t len,
		    uint8_t *out)
{
	uint8_t tag[TAG_BYTES];
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int n = 0, last = 0;
	memcpy(tag, in + NONCE_BYTES + len, TAG_BYTES);
	bool done = context &&
		    EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, key->encrypts, in) == 1 &&
		    EVP_DecryptUpdate(context, NULL, &n, (const uint8_t *)bound,
				      to_int(strlen(bound))) == 1 &&
		    EVP_DecryptUpdate(context, out, &n, in + NONCE_BYTES, to_int(len)) == 1 &&
		    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1 &&
		    EVP_DecryptFinal_ex(context, out + n, &last) == 1;
	EVP_CIPHER_CTX_free(context);
	return done;
}

enum err_code seal_open(const struct seal_key *key, const char *bound, const char *sealed,
			char **ret_bytes, size_t *ret_len, struct err *err)
{
	char *in = NULL;
	size_t len = 0;
	if (!base64_decode(sealed, &in, &len) || len < SEAL_ADDED_BYTES) {
		base_free(in);
		return err_set(err, ERR_DAMAGED, "what was sealed is not whole");
	}
	size_t n = len - SEAL_ADDED_BYTES;
	char *bytes = base_calloc(n + 1, 1);
	bool done = decrypt(key, bound, (const uint8_t *)in, n, (uint8_t *)bytes);
	base_free(in);
	if (!done) {
		trust_wipe(bytes, n);
		base_free(bytes);
		return err_set(err, ERR_DAMAGED,
			       "what was sealed was changed, or sealed with another key");
	}
	*ret_bytes = bytes;
	*ret_len = n;
	return ERR_NONE;
}
