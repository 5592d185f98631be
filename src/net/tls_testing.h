/* Certificates for tests, made on the spot. Never linked into the program. */
#ifndef NET_TLS_TESTING_H
#define NET_TLS_TESTING_H

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/check.h"
#include "net/tls.h"

struct test_authority {
	EVP_PKEY *key;
	X509 *certificate;
	char *pem;
	unsigned char sha256[TLS_HASH_BYTES];
};

/* A certificate with its chain, and its key. */
struct test_identity {
	char *certificate_pem;
	char *key_pem;
};

static inline char *testing_take_bio(BIO *bio)
{
	char *bytes = NULL;
	long len = BIO_get_mem_data(bio, &bytes);
	char *copy = base_strndup(bytes, (size_t)len);
	BIO_free(bio);
	return copy;
}

static inline char *testing_pem_of(X509 *certificate, X509 *next)
{
	BIO *bio = BIO_new(BIO_s_mem());
	PEM_write_bio_X509(bio, certificate);
	if (next)
		PEM_write_bio_X509(bio, next);
	return testing_take_bio(bio);
}

/* Signed by `issuer`, or by itself; times are seconds from now. */
static inline X509 *testing_certificate(EVP_PKEY *key, const struct test_authority *issuer,
					const char *uri, long from_s, long until_s)
{
	static long serial;
	X509 *certificate = X509_new();
	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(certificate), from_s);
	X509_gmtime_adj(X509_getm_notAfter(certificate), until_s);
	X509_set_pubkey(certificate, key);
	X509_NAME *name = X509_get_subject_name(certificate);
	X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
				   (const unsigned char *)(issuer ? "leaf" : "ca"), -1, -1, 0);
	X509_set_issuer_name(certificate,
			     issuer ? X509_get_subject_name(issuer->certificate) : name);
	char names[300];
	text_print(names, sizeof(names), "URI:%s", uri ? uri : "");
	X509_EXTENSION *extension =
		uri ? X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names)
		    : X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
	X509_sign(certificate, issuer ? issuer->key : key, EVP_sha256());
	return certificate;
}

static inline void test_authority_init_at(struct test_authority *authority, long from_s,
					  long until_s)
{
	unsigned n = 0;
	authority->key = EVP_EC_gen("P-256");
	authority->certificate = testing_certificate(authority->key, NULL, NULL, from_s, until_s);
	authority->pem = testing_pem_of(authority->certificate, NULL);
	X509_digest(authority->certificate, EVP_sha256(), authority->sha256, &n);
}

static inline void test_authority_init(struct test_authority *authority)
{
	test_authority_init_at(authority, -3600, 3600);
}

static inline void test_authority_release(struct test_authority *authority)
{
	EVP_PKEY_free(authority->key);
	X509_free(authority->certificate);
	base_free(authority->pem);
}

static inline void test_identity_init(struct test_identity *identity,
				      const struct test_authority *authority, const char *uri,
				      long from_s, long until_s)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = testing_certificate(key, authority, uri, from_s, until_s);
	identity->certificate_pem = testing_pem_of(certificate, authority->certificate);
	BIO *bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	identity->key_pem = testing_take_bio(bio);
	EVP_PKEY_free(key);
	X509_free(certificate);
}

static inline void test_identity_release(struct test_identity *identity)
{
	base_free(identity->certificate_pem);
	base_free(identity->key_pem);
}

#endif
