/* Keys (P-256), hashes, random bytes, and requests for a certificate (CSR): what a joiner makes and a manager reads.
 * Texts are PEM. */
#ifndef TRUST_KEYS_H
#define TRUST_KEYS_H

#include "access/access.h"

/* Bytes nobody can guess. */
void trust_random(void *bytes, size_t len);
void trust_sha256(const void *bytes, size_t len, uint8_t ret_hash[ACCESS_HASH_BYTES]);
/* Forget a secret before its memory is given back; NULL is fine. */
void trust_wipe(void *bytes, size_t len);

/* A new private key; the caller wipes and frees it. */
char *key_make(void);

/* A request signed by the key, with nothing in it but the public key: who the owner is, its manager knows better.
 * ERR_INVALID for a text that is no such key. The caller frees. */
enum err_code csr_make(const char *key_pem, char **ret_csr_pem, struct err *err) WARN_UNUSED;

struct csr;
/* Read and verify a request from outside: at most LIMIT_CSR_BYTES, a P-256 key, signed by it. Whatever else it asks for
 * is ignored. ERR_INVALID, ERR_TOO_LARGE. */
enum err_code csr_read(const char *pem, size_t len, struct csr **ret_csr,
		       struct err *err) WARN_UNUSED;
/* SHA-256 of the public key in hexadecimal; borrowed. */
const char *csr_key_sha256(const struct csr *csr);
void csr_free(struct csr *csr);

#endif
