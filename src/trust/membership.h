/* What a joiner keeps of its membership in a cluster, in one folder: the CA's certificate, its own key (made here,
 * never sent) and certificate, and where the manager is. The folder of a worker, and each context of a user, is one. */
#ifndef TRUST_MEMBERSHIP_H
#define TRUST_MEMBERSHIP_H

#include "access/token.h"
#include "trust/certificate.h"

struct membership {
	char *dir;
	char *manager; /* HOST:PORT */
	char *ca_pem;
	char *certificate_pem;
	char *key_pem;
	struct certificate ca;
	struct certificate certificate;
};
void membership_release(struct membership *membership);

/* Has somebody joined here? */
bool membership_exists(const char *dir);

/* ERR_NOT_FOUND: nobody has joined; ERR_DAMAGED names the file that is missing or wrong. */
enum err_code membership_load(const char *dir, struct membership *ret_membership,
			      struct err *err) WARN_UNUSED;

/* The key to join with: the one that is kept, so that a join whose answer was lost is the same join again, or a new one
 * that is kept from now on. The caller wipes and frees it. */
enum err_code membership_key(const char *dir, char **ret_key_pem, struct err *err) WARN_UNUSED;

/* Keep what a join was answered with: it must fit the key that is kept, and the CA the token it was made with. The
 * certificate is written last: with it the membership stands. ERR_PROTOCOL when the answer does not fit. */
enum err_code membership_store(const char *dir, const char *manager, const struct token *token,
			       const char *ca_pem, const char *certificate_pem,
			       struct err *err) WARN_UNUSED;

/* Replace the certificate by a renewed one of the same owner, on disk and in `membership`. ERR_PROTOCOL when it does
 * not fit. */
enum err_code membership_renew(struct membership *membership, const char *certificate_pem,
			       struct err *err) WARN_UNUSED;

/* The manager is found elsewhere now: on disk and in `membership`. */
enum err_code membership_set_manager(struct membership *membership, const char *manager,
				     struct err *err) WARN_UNUSED;

/* Delete it, the key first. ERR_STORE. */
enum err_code membership_remove(const char *dir, struct err *err) WARN_UNUSED;

#endif
