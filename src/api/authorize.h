/* Who asks, and may they: the one place that decides it. The scope comes from the table of routes, what a role may do
 * from access/access.h, who somebody is from the socket or the certificate, and whether they still are from the
 * identities of the cluster. */
#ifndef API_AUTHORIZE_H
#define API_AUTHORIZE_H

#include "access/access.h"
#include "cluster/cluster.h"
#include "net/http_server.h"

struct caller {
	int role;	/* enum access_role */
	bool local;	/* on the manager's own socket: an admin, and a worker of this machine */
	struct uuid id; /* of the identity; a worker's node */
	char name
		[ACCESS_URI_SIZE]; /* "uid:0", the URI of the certificate, or "" for nobody we know */
};

/* ERR_FORBIDDEN with a sentence that says why; ERR_UNAVAILABLE when `cluster` is NULL, for the world cannot be read,
 * and it takes the world to know them. `ret_caller` is filled in every case. `now_s` is Unix time. */
enum err_code authorize(const struct cluster *cluster, const struct http_peer *peer, int scope,
			int64_t now_s, struct caller *ret_caller, struct err *err) WARN_UNUSED;

/* May this caller be the worker of the node? */
bool caller_is_worker_of(const struct caller *caller, struct node_id node);

#endif
