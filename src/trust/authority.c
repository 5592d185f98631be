#include "trust/authority.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "trust/certificate.h"
#include "trust/files.h"
#include "trust/keys.h"
#include "trust/openssl.h"

#define CA_LIFE_S   (10 * 365 * 24 * 3600LL)
#define BACKDATED_S 3600
#define SERIAL_BITS 127

struct authority {
	X509 *x509;
	EVP_PKEY *key;
	char *pem; /* of the certificate */
	struct certificate facts;
};

static bool add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	bool added = extension && X509_add_ext(x509, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return added;
}

static bool set_serial(X509 *x509)
{
	BIGNUM *number = BN_new();
	bool done = number && BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
		    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509));
	BN_free(number);
	return done;
}

static bool set_subject(X509 *x509, const char *common_name)
{
	X509_NAME *subject = X509_get_subject_name(x509);
	return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
					  (const unsigned char *)common_name, -1, -1, 0) == 1;
}

static bool set_times(X509 *x509, int64_t from_s, int64_t to_s)
{
	return ASN1_TIME_set(X509_getm_notBefore(x509), from_s) &&
	       ASN1_TIME_set(X509_getm_notAfter(x509), to_s);
}

/* A certificate without names and signature. NULL: OpenSSL is out of order. */
static X509 *certificate_begin(EVP_PKEY *key, const char *common_name, int64_t now_s,
			       int64_t life_s)
{
	X509 *x509 = X509_new();
	if (x509 && X509_set_version(x509, X509_VERSION_3) == 1 && set_serial(x509) &&
	    set_subject(x509, common_name) &&
	    set_times(x509, now_s - BACKDATED_S, now_s + life_s) && X509_set_pubkey(x509, key) == 1)
		return x509;
	X509_free(x509);
	return NULL;
}

static X509 *make_root(EVP_PKEY *key, int64_t now_s)
{
	X509 *x509 = certificate_begin(key, "drover cluster CA", now_s, CA_LIFE_S);
	if (x509 && X509_set_issuer_name(x509, X509_get_subject_name(x509)) == 1 &&
	    add_extension(x509, x509, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
	    add_extension(x509, x509, NID_key_usage, "critical,keyCertSign,cRLSign") &&
	    add_extension(x509, x509, NID_subject_key_identifier, "hash") &&
	    X509_sign(x509, key, EVP_sha256()) > 0)
		return x509;
	X509_free(x509);
	return NULL;
}

/* ---- the file ------------------------------------------------------------------------------------------ */

/* One file, so that there is never a key without its certificate. */
static enum err_code make(const char *dir, int64_t now_s, struct err *err)
{
	EVP_PKEY *key _cleanup_(EVP_PKEY_free) = EVP_EC_gen("P-256");
	X509 *x509 _cleanup_(X509_free) = key ? make_root(key, now_s) : NULL;
	BIO *bio _cleanup_(BIO_free_all) = BIO_new(BIO_s_secmem());
	if (!x509 || !bio || PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1 ||
	    PEM_write_bio_X509(bio, x509) != 1)
		return err_set(err, ERR_INTERNAL, "cannot make the cluster's CA: %s",
			       openssl_reason());
	char *text = bio_text(bio);
	size_t len = strlen(text);
	enum err_code code = trust_file_write(dir, AUTHORITY_FILE, text, len, err);
	trust_wipe(text, len);
	base_free(text);
	return code;
}

/* Whole, and not only in form: damage that still reads as a certificate makes another one, which nobody who joined
 * knows, and a damaged key signs what nobody believes. */
static bool is_whole(X509 *x509, EVP_PKEY *key)
{
	return key_is_whole(key) && X509_check_private_key(x509, key) == 1 &&
	       certificate_is_root(x509);
}

static bool take(struct authority *authority, const char *text, size_t len)
{
	BIO *bio _cleanup_(BIO_free_all) = BIO_new(BIO_s_mem());
	authority->key = key_from_pem(text);
	authority->x509 = certificate_from_pem(text, len);
	if (!bio || !key_is_p256(authority->key) || !authority->x509 ||
	    !is_whole(authority->x509, authority->key) ||
	    PEM_write_bio_X509(bio, authority->x509) != 1)
		return false;
	authority->pem = bio_text(bio);
	return certificate_read(authority->pem, strlen(authority->pem), &authority->facts, NULL) ==
	       ERR_NONE;
}

static enum err_code load(const char *dir, struct authority **ret_authority, struct err *err)
{
	char *text = NULL;
	size_t len = 0;
	enum err_code code = trust_file_read(dir, AUTHORITY_FILE, &text, &len, err);
	if (code)
		return code;
	struct authority *authority = base_calloc(1, sizeof(*authority));
	if (!take(authority, text, len)) {
		ERR_clear_error();
		authority_free(authority);
		authority = NULL;
		code = err_set(err, ERR_DAMAGED,
			       "%s/%s does not hold the key and certificate of the cluster's CA; "
			       "without them nobody who joined is known any more: put back a copy",
			       dir, AUTHORITY_FILE);
	}
	trust_wipe(text, len);
	base_free(text);
	if (!code)
		*ret_authority = authority;
	return code;
}

bool authority_exists(const char *dir)
{
	return trust_file_exists(dir, AUTHORITY_FILE);
}

enum err_code authority_open(const char *dir, int64_t now_s, struct authority **ret_authority,
			     struct err *err)
{
	enum err_code code = ERR_NONE;
	if (!authority_exists(dir))
		code = make(dir, now_s, err);
	return code ? code : load(dir, ret_authority, err);
}

void authority_free(struct authority *authority)
{
	if (!authority)
		return;
	X509_free(authority->x509);
	EVP_PKEY_free(authority->key);
	base_free(authority->pem);
	base_free(authority);
}

const char *authority_certificate_pem(const struct authority *authority)
{
	return authority->pem;
}

const uint8_t *authority_sha256(const struct authority *authority)
{
	return authority->facts.sha256;
}

/* ---- issuing ------------------------------------------------------------------------------------------- */

enum err_code authority_issue(const struct authority *authority, const struct csr *csr,
			      const struct access_name *name, int64_t now_s, char **ret_pem,
			      struct err *err)
{
	char uri[ACCESS_URI_SIZE];
	char alternative[ACCESS_URI_SIZE + 4];
	text_print(alternative, sizeof(alternative), "URI:%s", access_uri_format(name, uri));
	X509 *x509 _cleanup_(X509_free) =
		certificate_begin(csr->key, enum_name(access_role_names, name->role), now_s,
				  LIMIT_CERTIFICATE_LIFE_S);
	BIO *bio _cleanup_(BIO_free_all) = BIO_new(BIO_s_mem());
	if (!x509 || !bio ||
	    X509_set_issuer_name(x509, X509_get_subject_name(authority->x509)) != 1 ||
	    !add_extension(x509, authority->x509, NID_basic_constraints, "critical,CA:FALSE") ||
	    !add_extension(x509, authority->x509, NID_key_usage, "critical,digitalSignature") ||
	    !add_extension(x509, authority->x509, NID_ext_key_usage, "clientAuth,serverAuth") ||
	    !add_extension(x509, authority->x509, NID_authority_key_identifier, "keyid:always") ||
	    !add_extension(x509, authority->x509, NID_subject_alt_name, alternative) ||
	    X509_sign(x509, authority->key, EVP_sha256()) <= 0 ||
	    PEM_write_bio_X509(bio, x509) != 1)
		return err_set(err, ERR_INTERNAL, "cannot issue a certificate: %s",
			       openssl_reason());
	*ret_pem = bio_text(bio);
	return ERR_NONE;
}
