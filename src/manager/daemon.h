/* The manager's shell: store, API server and the core, on one event loop. */
#ifndef MANAGER_DAEMON_H
#define MANAGER_DAEMON_H

#include <event2/event.h>
#include <stdbool.h>

#include "base/err.h"

struct manager_daemon;
struct store_ops;

struct manager_daemon_options {
	const char *data_dir;	    /* the store's folder */
	const char *socket_path;    /* where the API listens */
	const char *listen;	    /* and for other machines: ADDRESS:PORT; NULL: nowhere */
	const char *advertise;	    /* where those find it, HOST:PORT; NULL: found out */
	const char *scheduler_name; /* NULL: epvm */
	const char *secrets_key;    /* file with the key of the secrets; NULL: beside the store */
	bool forget_secrets;	/* those of the store that another key sealed, once and for all */
	int64_t nodes_max;	/* 0: LIMIT_NODES */
	bool new_authority;	/* make the cluster's CA anew, where it is missing */
	const char *store_name; /* NULL: lmdb; "memory" forgets everything at the end */
	const struct store_ops *store_ops; /* NULL: by name */
	int authorised_ms; /* how often open streams and sessions are looked at again; 0: the default */
};

/* Open the store, replay it and listen. ERR_INVALID for an unknown scheduler or store; else what the store or the
 * socket said. Borrows `base`. */
enum err_code manager_daemon_new(struct event_base *base,
				 const struct manager_daemon_options *options,
				 struct manager_daemon **ret_daemon, struct err *err) WARN_UNUSED;

/* Stop listening, close the store. Containers run on. */
void manager_daemon_free(struct manager_daemon *daemon);

#endif
