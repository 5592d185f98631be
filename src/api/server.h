/* The manager's API server: HTTP in, typed mutations and reads out; the WebSockets of workers and their log streams.
 * It decides nothing: mutations go to the backend (manager/daemon.c), reads look at the world of the last commit. */
#ifndef API_SERVER_H
#define API_SERVER_H

#include <event2/event.h>

#include "access/token.h"
#include "api/views.h"
#include "manager/manager.h"
#include "net/endpoint.h"

struct api_server;
struct authority;

/* A mutation with everything its request points to. */
struct api_mutation {
	struct manager_request request;
	bool plan; /* tell what it would do, and do not do it */
	struct project_request project_request;
	struct labels_request labels;
	struct rebalance_request rebalance;
	char *caller;
	char *idempotency_key;
	char *project;
	char *job;
	char *volume;
	struct trust_request trust; /* points to what follows */
	char token[TOKEN_ID_TEXT_SIZE];
	char secret_sha256[ACCESS_HASH_TEXT_SIZE];
	char key_sha256[ACCESS_HASH_TEXT_SIZE];
	char *joiner;
};
void api_mutation_free(struct api_mutation *mutation);

/* How the store stands, for reads of /v1/cluster and for refusing mutations. */
struct api_health {
	int64_t revision; /* of what is stored: how many commits this run has made */
	bool read_only;
	enum err_code code; /* what a mutation is answered with while read_only */
	const char *message;
	const char *store_name;
	const char *scheduler_name;
	int64_t store_used_bytes;
	int64_t store_max_bytes;
};

/* What joining takes. */
struct api_trust {
	const struct authority *authority;
	const char *address; /* where joiners find this manager, HOST:PORT; "": nowhere */
};

struct api_backend {
	/* The world as of the last durable commit; NULL: it cannot be read, health says why. */
	const struct manager *(*manager)(void *owner);
	void (*health)(void *owner, struct api_health *ret_health);
	/* Takes the mutation; answered later through api_server_reply() with its handle. */
	void (*submit)(void *owner, struct api_mutation *mutation);
	/* Takes a mutation that is not to be carried out, and answers in the same way what it would do. */
	void (*plan)(void *owner, struct api_mutation *mutation);
	/* Whoever asked for this mutation or plan has gone away before it was answered. A mutation is carried out all
	 * the same. */
	void (*client_left)(void *owner, uint64_t handle);
	/* A worker's connection: opened (local: over the unix socket, and else from this IP address), said something
	 * (takes the contents of `up`), went away. */
	void (*session_opened)(void *owner, uint64_t session, bool local, const char *address);
	void (*session_up)(void *owner, uint64_t session, struct sync_up *up);
	void (*session_closed)(void *owner, uint64_t session);
	void (*trust)(void *owner, struct api_trust *ret_trust);
};

struct api_server *api_server_new(struct event_base *base, const struct api_backend *backend,
				  void *owner);
enum err_code api_server_listen_unix(struct api_server *server, const char *path,
				     struct err *err) WARN_UNUSED;
/* For other machines, over TLS; see http_server_listen_tcp(). */
enum err_code api_server_listen_tcp(struct api_server *server, const struct endpoint *endpoint,
				    int *ret_port, struct err *err) WARN_UNUSED;
/* See http_server_set_name(). */
void api_server_set_name(struct api_server *server, const char *name);
/* How often it is looked whether who holds a stream or session still may; LIMIT_STREAM_AUTHORISED_MS when never
 * said. */
void api_server_set_authorised_ms(struct api_server *server, int authorised_ms);
/* How long a worker may take to open a log stream it was asked for; 10 s when never said. */
void api_server_set_stream_call_ms(struct api_server *server, int call_ms);
void api_server_free(struct api_server *server);

/* Release an answer; nothing happens when its client has left. */
void api_server_reply(struct api_server *server, const struct manager_reply *reply);
/* The same with an answer that is JSON already; of a plan. */
void api_server_reply_text(struct api_server *server, uint64_t handle, const char *json,
			   size_t len);
/* Send to workers what a step said; nothing happens where a connection is gone. */
void api_server_downs(struct api_server *server, const struct manager_down *downs, size_t n);
/* End every worker's connection without telling the backend: its world is about to be replaced, and workers that come
 * back tell everything anew. */
void api_server_drop_sessions(struct api_server *server, const char *why);
/* Publish to followers of /v1/events, keeping the last LIMIT_EVENTS_KEPT for resumption. */
void api_server_publish(struct api_server *server, const struct manager_happening *happenings,
			size_t n, int64_t wall_ms);
/* Something happened that was not published: every follower is told to look anew. */
void api_server_events_lost(struct api_server *server);

#endif
