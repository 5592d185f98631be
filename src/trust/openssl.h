/* Inside trust/: OpenSSL's objects from texts and back. Nobody else includes it. */
#ifndef TRUST_OPENSSL_H
#define TRUST_OPENSSL_H

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "access/access.h"

// NOLINTBEGIN(bugprone-macro-parentheses): a type in a declaration takes none
#define CLEANUP_OF(type, release)                                                                  \
	static inline void release##_at(type **at)                                                 \
	{                                                                                          \
		release(*at);                                                                      \
	}
// NOLINTEND(bugprone-macro-parentheses)
CLEANUP_OF(BIO, BIO_free_all)
CLEANUP_OF(EVP_PKEY, EVP_PKEY_free)
CLEANUP_OF(X509, X509_free)
CLEANUP_OF(X509_REQ, X509_REQ_free)
#define _cleanup_(release) __attribute__((cleanup(release##_at)))

struct csr {
	X509_REQ *request;
	EVP_PKEY *key; /* owned by `request` */
	char key_sha256[ACCESS_HASH_TEXT_SIZE];
};

/* Reading PEM must never ask a terminal for a password. */
int no_password(char *out, int size, int writing, void *owner);

/* What lies in a memory BIO, as a string of its own. */
char *bio_text(BIO *bio);

/* NULL: the text holds none. */
EVP_PKEY *key_from_pem(const char *pem);
X509 *certificate_from_pem(const char *pem, size_t len);

bool key_is_p256(const EVP_PKEY *key);
/* Do the private and the public half belong together? Damage that still reads as a key is seen here. */
bool key_is_whole(EVP_PKEY *key);
/* Did a CA sign its own certificate as it stands here? */
bool certificate_is_root(X509 *x509);
void key_hash(EVP_PKEY *key, char ret_hash[ACCESS_HASH_TEXT_SIZE]);

/* OpenSSL's own word for what went wrong last; forgets it. Borrowed until the next call. */
const char *openssl_reason(void);

#endif
