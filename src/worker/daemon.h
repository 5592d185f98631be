/* The worker's shell: its own store, the container runtime, the connection to the manager and the core, on one event
 * loop. It listens on no port. */
#ifndef WORKER_DAEMON_H
#define WORKER_DAEMON_H

#include <event2/event.h>

#include "base/record.h"
#include "net/endpoint.h"
#include "node/node.h"

struct membership;

struct runtime_ops;
struct store_ops;
struct worker_daemon;

struct worker_daemon_options {
	const char *data_dir;
	const struct endpoint *manager; /* copied; its tls is borrowed */
	struct membership *membership;	/* renewed while running; NULL: on the manager's machine */
	const char *runtime_name;	/* NULL: docker */
	const struct runtime_ops *runtime_ops; /* NULL: by name */
	const struct store_ops *store_ops;     /* NULL: lmdb */
	const char *runtime_socket_path;       /* NULL: /var/run/docker.sock */
	const char *docker_config;	       /* the user's config.json; NULL: none */
	const struct pairs *labels;	       /* --label */
	int64_t starts_parallel;	       /* 0: the default */
	/* The node was removed from the cluster, and what it ran here has ended; once, from the loop. NULL: nobody. */
	void (*removed)(void *owner);
	void *owner;
	/* What jobs may ask of this machine (policy/policy.h). NULL: GUARD_FILE_DEFAULT, which on the manager's machine
	 * holds for what came over TLS only: its owner may ask for anything. */
	const char *policy_file;
	const char *files_dir; /* of configs and secrets (files.h); NULL: the usual */
	const char *
		manager_dir; /* a manager of this machine keeps its state there; NULL: nowhere we know of */
};

/* Open the store, replay it, and begin to reach the runtime and the manager; neither has to be there. Borrows
 * `base`. */
enum err_code worker_daemon_new(struct event_base *base,
				const struct worker_daemon_options *options,
				struct worker_daemon **ret_daemon, struct err *err) WARN_UNUSED;

/* What the store in `data_dir` says: which node it is of (zero: none yet), and whether that one was removed (enum
 * worker_removal). Not while a daemon has it open. */
enum err_code worker_daemon_look(const char *data_dir, struct node_id *ret_node, int *ret_removal,
				 struct err *err) WARN_UNUSED;

/* Let go of everything. Containers run on and are adopted at the next start. */
void worker_daemon_free(struct worker_daemon *daemon);

#endif
