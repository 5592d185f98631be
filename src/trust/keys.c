#include "trust/keys.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "trust/openssl.h"

void trust_random(void *bytes, size_t len)
{
	char *at = bytes;
	while (len) {
		ssize_t n = getrandom(at, len, 0);
		if (n < 0)
			continue; /* a signal */
		at += n;
		len -= (size_t)n;
	}
}

void trust_sha256(const void *bytes, size_t len, uint8_t ret_hash[ACCESS_HASH_BYTES])
{
	SHA256(bytes, len, ret_hash);
}

void trust_wipe(void *bytes, size_t len)
{
	if (bytes)
		explicit_bzero(bytes, len);
}

const char *openssl_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	ERR_clear_error();
	return reason ? reason : "no further reason";
}

int no_password(char *out, int size, int writing, void *owner)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)owner;
	return -1;
}

char *bio_text(BIO *bio)
{
	char *bytes = NULL;
	long len = BIO_get_mem_data(bio, &bytes);
	return base_strndup(bytes, (size_t)len);
}

EVP_PKEY *key_from_pem(const char *pem)
{
	BIO *bio _cleanup_(BIO_free_all) = BIO_new_mem_buf(pem, -1);
	return PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
}

bool key_is_p256(const EVP_PKEY *key)
{
	char group[64];
	size_t len = 0;
	return key && EVP_PKEY_is_a(key, "EC") &&
	       EVP_PKEY_get_group_name(key, group, sizeof(group), &len) == 1 &&
	       strcmp(group, "prime256v1") == 0;
}

bool key_is_whole(EVP_PKEY *key)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	bool whole = context && EVP_PKEY_pairwise_check(context) == 1;
	EVP_PKEY_CTX_free(context);
	return whole;
}

/* Of the key itself, not of the bytes it came in: a point has more than one form. */
void key_hash(EVP_PKEY *key, char ret_hash[ACCESS_HASH_TEXT_SIZE])
{
	unsigned char *der = NULL;
	uint8_t hash[ACCESS_HASH_BYTES];
	int len = i2d_PUBKEY(key, &der);
	POST(len > 0);
	trust_sha256(der, (size_t)len, hash);
	OPENSSL_free(der);
	access_hash_format(hash, ret_hash);
}

char *key_make(void)
{
	EVP_PKEY *key _cleanup_(EVP_PKEY_free) = EVP_EC_gen("P-256");
	BIO *bio _cleanup_(BIO_free_all) = BIO_new(BIO_s_secmem());
	POST(key && bio);
	int written = PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	POST(written == 1);
	return bio_text(bio);
}

enum err_code csr_make(const char *key_pem, char **ret_csr_pem, struct err *err)
{
	EVP_PKEY *key _cleanup_(EVP_PKEY_free) = key_from_pem(key_pem);
	if (!key_is_p256(key))
		return err_set(err, ERR_INVALID, "this is no P-256 key: %s", openssl_reason());
	X509_REQ *request _cleanup_(X509_REQ_free) = X509_REQ_new();
	BIO *bio _cleanup_(BIO_free_all) = BIO_new(BIO_s_mem());
	if (!request || !bio || X509_REQ_set_pubkey(request, key) != 1 ||
	    X509_REQ_sign(request, key, EVP_sha256()) <= 0 ||
	    PEM_write_bio_X509_REQ(bio, request) != 1)
		return err_set(err, ERR_INTERNAL, "cannot sign a request: %s", openssl_reason());
	*ret_csr_pem = bio_text(bio);
	return ERR_NONE;
}

enum err_code csr_read(const char *pem, size_t len, struct csr **ret_csr, struct err *err)
{
	if (len > LIMIT_CSR_BYTES)
		return err_set_field(err, ERR_TOO_LARGE, "csr",
				     "a certificate signing request has at most %d bytes",
				     LIMIT_CSR_BYTES);
	BIO *bio _cleanup_(BIO_free_all) = BIO_new_mem_buf(pem, (int)len);
	X509_REQ *request _cleanup_(X509_REQ_free) =
		PEM_read_bio_X509_REQ(bio, NULL, no_password, NULL);
	if (!request)
		return err_set_field(err, ERR_INVALID, "csr",
				     "this is no certificate signing request in PEM: %s",
				     openssl_reason());
	EVP_PKEY *key = X509_REQ_get0_pubkey(request);
	if (!key_is_p256(key)) {
		ERR_clear_error();
		return err_set_field(err, ERR_INVALID, "csr", "its key is not of the kind P-256");
	}
	if (X509_REQ_verify(request, key) != 1) {
		ERR_clear_error();
		return err_set_field(err, ERR_INVALID, "csr", "it is not signed by its own key");
	}
	struct csr *csr = base_calloc(1, sizeof(*csr));
	*csr = (struct csr){ .request = request, .key = key };
	request = NULL;
	key_hash(key, csr->key_sha256);
	*ret_csr = csr;
	return ERR_NONE;
}

const char *csr_key_sha256(const struct csr *csr)
{
	return csr->key_sha256;
}

void csr_free(struct csr *csr)
{
	if (!csr)
		return;
	X509_REQ_free(csr->request);
	base_free(csr);
}
