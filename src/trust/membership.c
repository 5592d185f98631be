/* Invariant: certificate.pem is there only when all else is. */
#include "trust/membership.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "trust/files.h"
#include "trust/keys.h"
#include "trust/openssl.h"

#define MANAGER_FILE	 "manager"
#define CA_FILE		 "ca.pem"
#define CERTIFICATE_FILE "certificate.pem"
#define KEY_FILE	 "key.pem"

static void secret_free(char *secret)
{
	if (secret)
		trust_wipe(secret, strlen(secret));
	base_free(secret);
}

void membership_release(struct membership *membership)
{
	base_free(membership->dir);
	base_free(membership->manager);
	base_free(membership->ca_pem);
	base_free(membership->certificate_pem);
	secret_free(membership->key_pem);
	*membership = (struct membership){ 0 };
}

bool membership_exists(const char *dir)
{
	return trust_file_exists(dir, CERTIFICATE_FILE);
}

/* The hash of the public half. */
static bool hash_of_key(const char *key_pem, char ret_hash[ACCESS_HASH_TEXT_SIZE])
{
	EVP_PKEY *key _cleanup_(EVP_PKEY_free) = key_from_pem(key_pem);
	if (!key_is_p256(key) || !key_is_whole(key)) {
		openssl_reason();
		return false;
	}
	key_hash(key, ret_hash);
	return true;
}

/* Does the certificate belong to the key, and did this CA sign it? Times are not looked at: an expired one renews. */
static bool fits(const char *ca_pem, const char *certificate_pem, const char *key_pem,
		 struct certificate *ret_ca, struct certificate *ret_certificate)
{
	char key_sha256[ACCESS_HASH_TEXT_SIZE];
	X509 *ca _cleanup_(X509_free) = certificate_from_pem(ca_pem, strlen(ca_pem));
	X509 *own _cleanup_(X509_free) =
		certificate_from_pem(certificate_pem, strlen(certificate_pem));
	bool good = ca && own && certificate_is_root(ca) &&
		    X509_verify(own, X509_get0_pubkey(ca)) == 1 &&
		    certificate_read(ca_pem, strlen(ca_pem), ret_ca, NULL) == ERR_NONE &&
		    certificate_read(certificate_pem, strlen(certificate_pem), ret_certificate,
				     NULL) == ERR_NONE &&
		    ret_certificate->uri[0] && hash_of_key(key_pem, key_sha256) &&
		    access_hash_equal(key_sha256, ret_certificate->key_sha256);
	openssl_reason();
	return good;
}

enum err_code membership_load(const char *dir, struct membership *ret_membership, struct err *err)
{
	struct membership membership = { .dir = base_strdup(dir) };
	struct {
		const char *name;
		char **text;
	} files[] = { { CERTIFICATE_FILE, &membership.certificate_pem },
		      { MANAGER_FILE, &membership.manager },
		      { CA_FILE, &membership.ca_pem },
		      { KEY_FILE, &membership.key_pem } };
	enum err_code code = ERR_NONE;
	for (size_t i = 0; i < ARRAY_LEN(files) && !code; i++) {
		code = trust_file_read(dir, files[i].name, files[i].text, NULL, err);
		/* What the certificate's presence promises is there. */
		if (code == ERR_NOT_FOUND && i > 0)
			code = err_set(err, ERR_DAMAGED, "%s/%s is missing", dir, files[i].name);
	}
	if (!code)
		membership.manager[strcspn(membership.manager, "\n")] = '\0';
	if (!code && !fits(membership.ca_pem, membership.certificate_pem, membership.key_pem,
			   &membership.ca, &membership.certificate))
		code = err_set(err, ERR_DAMAGED,
			       "the files in %s do not belong together: certificate, key and CA "
			       "of one cluster are expected; put back a copy, or empty the folder "
			       "and join again with a token",
			       dir);
	if (code)
		membership_release(&membership);
	else
		*ret_membership = membership;
	return code;
}

enum err_code membership_key(const char *dir, char **ret_key_pem, struct err *err)
{
	char ignored[ACCESS_HASH_TEXT_SIZE];
	char *key_pem = NULL;
	enum err_code code = trust_file_read(dir, KEY_FILE, &key_pem, NULL, err);
	if (!code && !hash_of_key(key_pem, ignored))
		code = err_set(err, ERR_DAMAGED, "%s/%s holds no key", dir, KEY_FILE);
	if (code == ERR_NOT_FOUND) {
		key_pem = key_make();
		code = trust_file_write(dir, KEY_FILE, key_pem, strlen(key_pem), err);
	}
	if (code)
		secret_free(key_pem);
	else
		*ret_key_pem = key_pem;
	return code;
}

static enum err_code write_text(const char *dir, const char *name, const char *text,
				struct err *err)
{
	return trust_file_write(dir, name, text, strlen(text), err);
}

enum err_code membership_store(const char *dir, const char *manager, const struct token *token,
			       const char *ca_pem, const char *certificate_pem, struct err *err)
{
	struct certificate ca, certificate;
	char *key_pem = NULL;
	enum err_code code = membership_key(dir, &key_pem, err);
	if (code)
		return code;
	bool good = fits(ca_pem, certificate_pem, key_pem, &ca, &certificate) &&
		    memcmp(ca.sha256, token->ca_sha256, sizeof(ca.sha256)) == 0;
	secret_free(key_pem);
	if (!good)
		return err_set(err, ERR_PROTOCOL,
			       "the manager answered with a certificate that does not fit the key "
			       "or the token");
	code = write_text(dir, CA_FILE, ca_pem, err);
	if (!code)
		code = write_text(dir, MANAGER_FILE, manager, err);
	if (!code)
		code = write_text(dir, CERTIFICATE_FILE, certificate_pem, err);
	return code;
}

enum err_code membership_renew(struct membership *membership, const char *certificate_pem,
			       struct err *err)
{
	struct certificate ca, certificate;
	if (!fits(membership->ca_pem, certificate_pem, membership->key_pem, &ca, &certificate) ||
	    strcmp(certificate.uri, membership->certificate.uri) != 0)
		return err_set(err, ERR_PROTOCOL,
			       "the manager answered with a certificate of somebody else");
	enum err_code code = write_text(membership->dir, CERTIFICATE_FILE, certificate_pem, err);
	if (code)
		return code;
	string_set(&membership->certificate_pem, certificate_pem);
	membership->certificate = certificate;
	return ERR_NONE;
}

enum err_code membership_set_manager(struct membership *membership, const char *manager,
				     struct err *err)
{
	enum err_code code = write_text(membership->dir, MANAGER_FILE, manager, err);
	if (!code)
		string_set(&membership->manager, manager);
	return code;
}

enum err_code membership_remove(const char *dir, struct err *err)
{
	static const char *const names[] = { CERTIFICATE_FILE, KEY_FILE, CA_FILE, MANAGER_FILE };
	char path[LIMIT_PATH_BYTES];
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		text_print(path, sizeof(path), "%s/%s", dir, names[i]);
		if (unlink(path) != 0 && errno != ENOENT)
			return err_set(err, ERR_STORE, "cannot remove %s: %s", path,
				       strerror(errno));
	}
	/* What else somebody laid there stays, and the folder with it. */
	if (rmdir(dir) != 0 && errno != ENOTEMPTY && errno != ENOENT)
		return err_set(err, ERR_STORE, "cannot remove %s: %s", dir, strerror(errno));
	return ERR_NONE;
}
