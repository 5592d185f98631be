/* Keys, requests, certificates, the CA and the folders they lie in, against OpenSSL's own judgement. */
#include "base/testing.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/rsa.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "trust/authority.h"
#include "trust/files.h"
#include "trust/keys.h"
#include "trust/membership.h"
#include "trust/openssl.h"

#define NOW_S 1800000000LL
#define DAY_S 86400LL

static char folder[64];

static int set_up(void **state)
{
	(void)state;
	text_print(folder, sizeof(folder), "/tmp/drover-trust-XXXXXX");
	return mkdtemp(folder) ? 0 : 1;
}

static int tear_down(void **state)
{
	(void)state;
	static const char *const names[] = { AUTHORITY_FILE, "ca.pem",	 "certificate.pem",
					     "key.pem",	     "manager",	 "file",
					     "key.pem.new",  "file.new", "a/b/file" };
	char path[128];
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unlink(text_print(path, sizeof(path), "%s/%s", folder, names[i]));
	rmdir(text_print(path, sizeof(path), "%s/a/b", folder));
	rmdir(text_print(path, sizeof(path), "%s/a", folder));
	return rmdir(folder);
}

static struct authority *authority(void)
{
	struct authority *made = NULL;
	struct err err;
	if (authority_open(folder, NOW_S, &made, &err))
		fail_msg("%s", err.message);
	return made;
}

static struct csr *request_of(const char *key_pem)
{
	struct csr *csr = NULL;
	_cleanup_free_ char *pem = NULL;
	struct err err;
	assert_int_equal(csr_make(key_pem, &pem, &err), ERR_NONE);
	if (csr_read(pem, strlen(pem), &csr, &err))
		fail_msg("%s", err.message);
	return csr;
}

static struct access_name name_of(int role)
{
	struct access_name name = { .role = role };
	name.cluster.bytes[0] = 1;
	name.id.bytes[0] = 2;
	return name;
}

static char *issue(const struct authority *from, const char *key_pem, int role, int64_t now_s)
{
	struct access_name name = name_of(role);
	struct csr *csr = request_of(key_pem);
	char *pem = NULL;
	struct err err;
	if (authority_issue(from, csr, &name, now_s, &pem, &err))
		fail_msg("%s", err.message);
	csr_free(csr);
	return pem;
}

/* What OpenSSL says of a certificate at a time; X509_V_OK: good. */
static int judged(const struct authority *by, const char *pem, int64_t at_s, int purpose)
{
	const char *ca_pem = authority_certificate_pem(by);
	X509 *ca = certificate_from_pem(ca_pem, strlen(ca_pem));
	X509 *own = certificate_from_pem(pem, strlen(pem));
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	X509_STORE_add_cert(store, ca);
	X509_STORE_CTX_init(context, store, own, NULL);
	X509_STORE_CTX_set_purpose(context, purpose);
	X509_STORE_CTX_set_time(context, X509_V_FLAG_X509_STRICT, at_s);
	X509_STORE_CTX_set_flags(context, X509_V_FLAG_X509_STRICT);
	X509_verify_cert(context);
	int error = X509_STORE_CTX_get_error(context);
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	X509_free(own);
	X509_free(ca);
	return error;
}

static void a_file_is_written_whole_and_for_its_owner_only(void **state)
{
	(void)state;
	struct stat status;
	struct err err;
	char path[128];
	char *text = NULL;
	size_t len = 0;
	text_print(path, sizeof(path), "%s/a/b", folder);
	assert_int_equal(trust_file_read(path, "file", &text, &len, &err), ERR_NOT_FOUND);
	assert_int_equal(trust_file_write(path, "file", "one", 3, &err), ERR_NONE);
	assert_int_equal(trust_file_write(path, "file", "other", 5, &err), ERR_NONE);
	assert_int_equal(trust_file_read(path, "file", &text, &len, &err), ERR_NONE);
	assert_string_equal(text, "other");
	assert_int_equal(len, 5);
	base_free(text);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0700);
	text_print(path, sizeof(path), "%s/a/b/file", folder);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_int_equal(trust_file_write("/dev/null/x", "file", "one", 3, &err), ERR_STORE);
	/* A temporary file that somebody laid there is not written into. */
	text_print(path, sizeof(path), "%s/file.new", folder);
	assert_int_equal(symlink("/tmp/drover-trust-elsewhere", path), 0);
	assert_int_equal(trust_file_write(folder, "file", "one", 3, &err), ERR_NONE);
	assert_int_equal(access("/tmp/drover-trust-elsewhere", F_OK), -1);
}

static void the_authority_is_made_once_and_then_loaded(void **state)
{
	(void)state;
	struct authority *first = authority();
	struct authority *second = authority();
	struct stat status;
	char path[128];
	assert_memory_equal(authority_sha256(first), authority_sha256(second), ACCESS_HASH_BYTES);
	assert_string_equal(authority_certificate_pem(first), authority_certificate_pem(second));
	assert_null(strstr(authority_certificate_pem(first), "PRIVATE"));
	assert_int_equal(
		stat(text_print(path, sizeof(path), "%s/" AUTHORITY_FILE, folder), &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	authority_free(first);
	authority_free(second);
}

static void a_damaged_authority_is_refused_and_not_made_anew(void **state)
{
	(void)state;
	struct authority *made = authority();
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	struct err err;
	authority_free(made);
	assert_int_equal(trust_file_read(folder, AUTHORITY_FILE, &text, &len, &err), ERR_NONE);
	for (size_t keep = 0; keep < len; keep += keep + 100 < len ? 100 : 3) {
		assert_int_equal(trust_file_write(folder, AUTHORITY_FILE, text, keep, &err),
				 ERR_NONE);
		/* The last line break may be missing. */
		enum err_code code = authority_open(folder, NOW_S, &made, &err);
		if (code == ERR_NONE) {
			assert_true(keep + 3 > len);
			authority_free(made);
			continue;
		}
		assert_int_equal(code, ERR_DAMAGED);
		assert_non_null(strstr(err.message, AUTHORITY_FILE));
	}
}

static void a_certificate_is_good_for_a_month_and_an_hour_before(void **state)
{
	(void)state;
	struct authority *ca = authority();
	_cleanup_free_ char *key_pem = key_make();
	_cleanup_free_ char *pem = issue(ca, key_pem, ACCESS_WORKER, NOW_S);
	struct certificate certificate;
	struct err err;
	assert_int_equal(certificate_read(pem, strlen(pem), &certificate, &err), ERR_NONE);
	assert_int_equal(certificate.not_before_s, NOW_S - 3600);
	assert_int_equal(certificate.not_after_s, NOW_S + 30 * DAY_S);
	assert_string_equal(certificate.uri, "drover://01000000-0000-0000-0000-000000000000/worker/"
					     "02000000-0000-0000-0000-000000000000");
	assert_int_equal(certificate.name.role, ACCESS_WORKER);
	static const int purposes[] = { X509_PURPOSE_SSL_CLIENT, X509_PURPOSE_SSL_SERVER };
	for (size_t i = 0; i < ARRAY_LEN(purposes); i++) {
		assert_int_equal(judged(ca, pem, NOW_S - 3601, purposes[i]),
				 X509_V_ERR_CERT_NOT_YET_VALID);
		assert_int_equal(judged(ca, pem, NOW_S - 3600, purposes[i]), X509_V_OK);
		assert_int_equal(judged(ca, pem, NOW_S, purposes[i]), X509_V_OK);
		assert_int_equal(judged(ca, pem, NOW_S + 30 * DAY_S - 1, purposes[i]), X509_V_OK);
		assert_int_equal(judged(ca, pem, NOW_S + 30 * DAY_S + 1, purposes[i]),
				 X509_V_ERR_CERT_HAS_EXPIRED);
	}
	/* After nine years the CA still issues. */
	_cleanup_free_ char *late = issue(ca, key_pem, ACCESS_WORKER, NOW_S + 3285 * DAY_S);
	assert_int_equal(judged(ca, late, NOW_S + 3290 * DAY_S, X509_PURPOSE_SSL_CLIENT),
			 X509_V_OK);
	authority_free(ca);
}

static void renewal_is_due_between_half_and_four_fifths_of_its_life(void **state)
{
	(void)state;
	struct authority *ca = authority();
	_cleanup_free_ char *key_pem = key_make();
	int64_t first = INT64_MAX, last = 0;
	for (int i = 0; i < 40; i++) {
		_cleanup_free_ char *pem = issue(ca, key_pem, ACCESS_WORKER, NOW_S);
		struct certificate certificate;
		assert_int_equal(certificate_read(pem, strlen(pem), &certificate, NULL), ERR_NONE);
		int64_t at_s = certificate_renew_at_s(&certificate);
		int64_t life_s = certificate.not_after_s - certificate.not_before_s;
		assert_true(at_s >= certificate.not_before_s + life_s / 2);
		assert_true(at_s <= certificate.not_before_s + life_s * 8 / 10);
		first = at_s < first ? at_s : first;
		last = at_s > last ? at_s : last;
	}
	assert_true(last - first > 3 * DAY_S);
	authority_free(ca);
}

static void is_refused(const char *pem, enum err_code code, const char *why)
{
	struct csr *csr = NULL;
	struct err err;
	assert_int_equal(csr_read(pem, strlen(pem), &csr, &err), code);
	if (!strstr(err.message, why))
		fail_msg("\"%s\" does not say \"%s\"", err.message, why);
	assert_null(csr);
}

static char *request_with(EVP_PKEY *key, EVP_PKEY *signer)
{
	X509_REQ *request _cleanup_(X509_REQ_free) = X509_REQ_new();
	BIO *bio _cleanup_(BIO_free_all) = BIO_new(BIO_s_mem());
	X509_REQ_set_pubkey(request, key);
	X509_REQ_sign(request, signer, EVP_sha256());
	PEM_write_bio_X509_REQ(bio, request);
	return bio_text(bio);
}

static void a_request_must_be_small_and_signed_by_a_key_of_the_right_kind(void **state)
{
	(void)state;
	EVP_PKEY *one _cleanup_(EVP_PKEY_free) = EVP_EC_gen("P-256");
	EVP_PKEY *two _cleanup_(EVP_PKEY_free) = EVP_EC_gen("P-256");
	EVP_PKEY *large _cleanup_(EVP_PKEY_free) = EVP_EC_gen("P-384");
	EVP_PKEY *rsa _cleanup_(EVP_PKEY_free) = EVP_RSA_gen(2048);
	_cleanup_free_ char *forged = request_with(one, two);
	_cleanup_free_ char *p384 = request_with(large, large);
	_cleanup_free_ char *of_rsa = request_with(rsa, rsa);
	is_refused(forged, ERR_INVALID, "not signed by its own key");
	is_refused(p384, ERR_INVALID, "not of the kind P-256");
	is_refused(of_rsa, ERR_INVALID, "not of the kind P-256");
	is_refused("", ERR_INVALID, "no certificate signing request");
	is_refused("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
		   ERR_INVALID, "no certificate signing request");
	/* Asking for a password would hang the manager on a terminal. */
	is_refused("-----BEGIN CERTIFICATE REQUEST-----\nProc-Type: 4,ENCRYPTED\n"
		   "DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\nAAAA\n"
		   "-----END CERTIFICATE REQUEST-----\n",
		   ERR_INVALID, "no certificate signing request");
	_cleanup_free_ char *huge = base_calloc(LIMIT_CSR_BYTES + 2, 1);
	memset(huge, 'A', LIMIT_CSR_BYTES + 1);
	is_refused(huge, ERR_TOO_LARGE, "at most 16384 bytes");
	_cleanup_free_ char *key_pem = key_make();
	is_refused(key_pem, ERR_INVALID, "no certificate signing request");
	char *csr_pem = NULL;
	struct err err;
	assert_int_equal(csr_make("nothing", &csr_pem, &err), ERR_INVALID);
}

static void nothing_a_request_asks_for_is_granted(void **state)
{
	(void)state;
	struct authority *ca = authority();
	EVP_PKEY *key _cleanup_(EVP_PKEY_free) = EVP_EC_gen("P-256");
	X509_REQ *request _cleanup_(X509_REQ_free) = X509_REQ_new();
	BIO *bio _cleanup_(BIO_free_all) = BIO_new(BIO_s_mem());
	X509_REQ_set_pubkey(request, key);
	X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN", MBSTRING_ASC,
				   (const unsigned char *)"manager", -1, -1, 0);
	STACK_OF(X509_EXTENSION) *wishes = sk_X509_EXTENSION_new_null();
	sk_X509_EXTENSION_push(
		wishes, X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE"));
	X509_REQ_add_extensions(request, wishes);
	sk_X509_EXTENSION_pop_free(wishes, X509_EXTENSION_free);
	X509_REQ_sign(request, key, EVP_sha256());
	PEM_write_bio_X509_REQ(bio, request);
	_cleanup_free_ char *csr_pem = bio_text(bio);
	struct csr *csr = NULL;
	struct access_name name = name_of(ACCESS_VIEWER);
	_cleanup_free_ char *pem = NULL;
	struct err err;
	assert_int_equal(csr_read(csr_pem, strlen(csr_pem), &csr, &err), ERR_NONE);
	assert_int_equal(authority_issue(ca, csr, &name, NOW_S, &pem, &err), ERR_NONE);
	X509 *x509 _cleanup_(X509_free) = certificate_from_pem(pem, strlen(pem));
	char subject[64];
	assert_int_equal(X509_check_ca(x509), 0);
	X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_commonName, subject,
				  sizeof(subject));
	assert_string_equal(subject, "viewer");
	csr_free(csr);
	authority_free(ca);
}

static struct token token_for(const struct authority *ca)
{
	struct token token = { 0 };
	memcpy(token.ca_sha256, authority_sha256(ca), sizeof(token.ca_sha256));
	return token;
}

static void a_membership_is_kept_and_found_again(void **state)
{
	(void)state;
	struct authority *ca = authority();
	struct token token = token_for(ca);
	struct membership membership;
	struct err err;
	char *key_pem = NULL, *again = NULL;
	assert_false(membership_exists(folder));
	assert_int_equal(membership_load(folder, &membership, &err), ERR_NOT_FOUND);
	assert_int_equal(membership_key(folder, &key_pem, &err), ERR_NONE);
	assert_int_equal(membership_key(folder, &again, &err), ERR_NONE);
	assert_string_equal(key_pem, again);
	_cleanup_free_ char *pem = issue(ca, key_pem, ACCESS_WORKER, NOW_S);
	assert_int_equal(membership_store(folder, "10.0.0.1:7700", &token,
					  authority_certificate_pem(ca), pem, &err),
			 ERR_NONE);
	assert_int_equal(membership_load(folder, &membership, &err), ERR_NONE);
	assert_string_equal(membership.manager, "10.0.0.1:7700");
	assert_int_equal(membership.certificate.name.role, ACCESS_WORKER);
	assert_memory_equal(membership.ca.sha256, token.ca_sha256, sizeof(token.ca_sha256));
	/* Renewed: the same owner and key, later. */
	_cleanup_free_ char *renewed = issue(ca, key_pem, ACCESS_WORKER, NOW_S + DAY_S);
	_cleanup_free_ char *other = issue(ca, key_pem, ACCESS_ADMIN, NOW_S + DAY_S);
	assert_int_equal(membership_renew(&membership, other, &err), ERR_PROTOCOL);
	assert_int_equal(membership_renew(&membership, renewed, &err), ERR_NONE);
	assert_int_equal(membership.certificate.not_after_s, NOW_S + 31 * DAY_S);
	membership_release(&membership);
	assert_int_equal(membership_load(folder, &membership, &err), ERR_NONE);
	assert_int_equal(membership.certificate.not_after_s, NOW_S + 31 * DAY_S);
	membership_release(&membership);
	base_free(key_pem);
	base_free(again);
	authority_free(ca);
}

static void an_answer_that_does_not_fit_is_not_kept(void **state)
{
	(void)state;
	struct authority *ca = authority();
	struct token token = token_for(ca);
	struct err err;
	char *key_pem = NULL;
	_cleanup_free_ char *foreign_key = key_make();
	assert_int_equal(membership_key(folder, &key_pem, &err), ERR_NONE);
	_cleanup_free_ char *foreign = issue(ca, foreign_key, ACCESS_WORKER, NOW_S);
	_cleanup_free_ char *good = issue(ca, key_pem, ACCESS_WORKER, NOW_S);
	const char *ca_pem = authority_certificate_pem(ca);
	assert_int_equal(membership_store(folder, "m:1", &token, ca_pem, foreign, &err),
			 ERR_PROTOCOL);
	assert_int_equal(membership_store(folder, "m:1", &token, ca_pem, "junk", &err),
			 ERR_PROTOCOL);
	assert_int_equal(membership_store(folder, "m:1", &token, good, good, &err), ERR_PROTOCOL);
	token.ca_sha256[0] ^= 1;
	assert_int_equal(membership_store(folder, "m:1", &token, ca_pem, good, &err), ERR_PROTOCOL);
	assert_false(membership_exists(folder));
	base_free(key_pem);
	authority_free(ca);
}

/* With the certificate gone nothing is left that claims to be whole. */
static void a_membership_that_is_half_removed_is_none(void **state)
{
	(void)state;
	struct authority *ca = authority();
	struct token token = token_for(ca);
	struct err err;
	char path[128];
	_cleanup_free_ char *key_pem = NULL;
	assert_int_equal(membership_key(folder, &key_pem, &err), ERR_NONE);
	_cleanup_free_ char *pem = issue(ca, key_pem, ACCESS_WORKER, NOW_S);
	assert_int_equal(membership_store(folder, "10.0.0.1:7700", &token,
					  authority_certificate_pem(ca), pem, &err),
			 ERR_NONE);
	text_print(path, sizeof(path), "%s/key.pem", folder);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(membership_remove(folder, &err), ERR_STORE);
	assert_false(membership_exists(folder));
	assert_int_equal(rmdir(path), 0);
	authority_free(ca);
}

static void a_damaged_membership_names_the_folder(void **state)
{
	(void)state;
	struct authority *ca = authority();
	struct token token = token_for(ca);
	struct membership membership;
	struct err err;
	char *key_pem = NULL;
	assert_int_equal(membership_key(folder, &key_pem, &err), ERR_NONE);
	_cleanup_free_ char *pem = issue(ca, key_pem, ACCESS_WORKER, NOW_S);
	assert_int_equal(
		membership_store(folder, "m:1", &token, authority_certificate_pem(ca), pem, &err),
		ERR_NONE);
	_cleanup_free_ char *other_key = key_make();
	assert_int_equal(trust_file_write(folder, "key.pem", other_key, strlen(other_key), &err),
			 ERR_NONE);
	assert_int_equal(membership_load(folder, &membership, &err), ERR_DAMAGED);
	assert_non_null(strstr(err.message, folder));
	char path[128];
	unlink(text_print(path, sizeof(path), "%s/key.pem", folder));
	assert_int_equal(membership_load(folder, &membership, &err), ERR_DAMAGED);
	assert_non_null(strstr(err.message, "key.pem is missing"));
	base_free(key_pem);
	authority_free(ca);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_file_is_written_whole_and_for_its_owner_only),
		CASE(the_authority_is_made_once_and_then_loaded),
		CASE(a_damaged_authority_is_refused_and_not_made_anew),
		CASE(a_certificate_is_good_for_a_month_and_an_hour_before),
		CASE(renewal_is_due_between_half_and_four_fifths_of_its_life),
		CASE(a_request_must_be_small_and_signed_by_a_key_of_the_right_kind),
		CASE(nothing_a_request_asks_for_is_granted),
		CASE(a_membership_is_kept_and_found_again),
		CASE(a_membership_that_is_half_removed_is_none),
		CASE(an_answer_that_does_not_fit_is_not_kept),
		CASE(a_damaged_membership_names_the_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
