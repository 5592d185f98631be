#include "trust/certificate.h"

#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/check.h"
#include "base/limits.h"
#include "trust/keys.h"
#include "trust/openssl.h"

X509 *certificate_from_pem(const char *pem, size_t len)
{
	if (len > LIMIT_PEM_FILE_BYTES)
		return NULL;
	BIO *bio _cleanup_(BIO_free_all) = BIO_new_mem_buf(pem, (int)len);
	return PEM_read_bio_X509(bio, NULL, no_password, NULL);
}

bool certificate_is_root(X509 *x509)
{
	return X509_check_ca(x509) == 1 && X509_verify(x509, X509_get0_pubkey(x509)) == 1;
}

static bool read_time(const ASN1_TIME *time, int64_t *ret_unix_s)
{
	struct tm tm;
	if (ASN1_TIME_to_tm(time, &tm) != 1)
		return false;
	*ret_unix_s = timegm(&tm);
	return true;
}

/* The only URI among the names, or "" where there are no names at all. */
static bool read_uri(X509 *x509, char uri[ACCESS_URI_SIZE])
{
	uri[0] = '\0';
	GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
	if (!names)
		return true;
	bool good = sk_GENERAL_NAME_num(names) == 1;
	const GENERAL_NAME *name = good ? sk_GENERAL_NAME_value(names, 0) : NULL;
	good = good && name->type == GEN_URI;
	if (good) {
		const ASN1_IA5STRING *text = name->d.uniformResourceIdentifier;
		size_t len = (size_t)ASN1_STRING_length(text);
		good = len < ACCESS_URI_SIZE && !memchr(ASN1_STRING_get0_data(text), '\0', len);
		if (good)
			text_print(uri, ACCESS_URI_SIZE, "%.*s", (int)len,
				   (const char *)ASN1_STRING_get0_data(text));
	}
	GENERAL_NAMES_free(names);
	return good;
}

enum err_code certificate_read(const char *pem, size_t len, struct certificate *ret_certificate,
			       struct err *err)
{
	struct certificate certificate = { 0 };
	unsigned hash_len = 0;
	X509 *x509 _cleanup_(X509_free) = certificate_from_pem(pem, len);
	if (!x509)
		return err_set(err, ERR_INVALID, "this is no certificate in PEM: %s",
			       openssl_reason());
	EVP_PKEY *key = X509_get0_pubkey(x509);
	if (!key || !read_time(X509_get0_notBefore(x509), &certificate.not_before_s) ||
	    !read_time(X509_get0_notAfter(x509), &certificate.not_after_s) ||
	    X509_digest(x509, EVP_sha256(), certificate.sha256, &hash_len) != 1)
		return err_set(err, ERR_INVALID, "the certificate cannot be understood: %s",
			       openssl_reason());
	if (!read_uri(x509, certificate.uri) ||
	    (certificate.uri[0] && access_uri_parse(certificate.uri, &certificate.name, NULL)))
		return err_set(err, ERR_INVALID,
			       "the names in the certificate are none of drover's");
	key_hash(key, certificate.key_sha256);
	*ret_certificate = certificate;
	return ERR_NONE;
}

int64_t certificate_renew_at_s(const struct certificate *certificate)
{
	int64_t life_s = certificate->not_after_s - certificate->not_before_s;
	int64_t of_1024 = (int64_t)(certificate->sha256[0] & 3) << 8 | certificate->sha256[1];
	return certificate->not_before_s + life_s / 2 + life_s * 3 / 10 * of_1024 / 1024;
}

const char *certificate_time(int64_t unix_s, char out[CERTIFICATE_TIME_SIZE])
{
	time_t time = unix_s;
	struct tm tm;
	if (!gmtime_r(&time, &tm) || strftime(out, CERTIFICATE_TIME_SIZE, "%FT%TZ", &tm) == 0)
		text_print(out, CERTIFICATE_TIME_SIZE, "%lld", (long long)unix_s);
	return out;
}
