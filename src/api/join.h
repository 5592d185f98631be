/* Joining a cluster and renewing a certificate, from the joiner's side; the counterpart of api/trust.c. */
#ifndef API_JOIN_H
#define API_JOIN_H

#include "net/endpoint.h"
#include "net/tls.h"
#include "trust/membership.h"

struct join_options {
	const char *dir;     /* where the membership is kept */
	const char *manager; /* HOST:PORT */
	const char *token;   /* its text */
	const char *name;    /* how the joiner calls itself; NULL: not at all */
	int as; /* enum access_joiner: a token that makes something else of it is not used */
};

/* Join: the key is made in DIR and never leaves it, the manager is known by the token's hash of its CA before anything
 * is said to it. Blocks until it is done or has failed. ERR_FORBIDDEN, ERR_INVALID, ERR_CONFLICT, ERR_PROTOCOL: trying
 * again is no use; see join_may_retry(). */
enum err_code join(const struct join_options *options, struct err *err) WARN_UNUSED;
bool join_may_retry(enum err_code code);

/* A member's endpoint: the manager, and TLS that shows the certificate and trusts the cluster's CA only. The caller
 * releases the endpoint and then frees its tls. */
enum err_code member_endpoint(const struct membership *membership, struct endpoint *ret_endpoint,
			      struct err *err) WARN_UNUSED;
void member_endpoint_release(struct endpoint *endpoint);

/* The body of POST /v1/renew; the caller frees. */
enum err_code renew_body(const struct membership *membership, char **ret_body,
			 struct err *err) WARN_UNUSED;
/* Keep what it was answered with, and show it from the next connection on. */
enum err_code renew_take(struct membership *membership, const struct endpoint *endpoint,
			 const char *body, size_t len, struct err *err) WARN_UNUSED;

/* All of that, blocking. */
enum err_code renew(struct membership *membership, const struct endpoint *endpoint,
		    struct err *err) WARN_UNUSED;

#endif
