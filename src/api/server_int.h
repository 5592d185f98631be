/* Private to api/: what the server's files share. */
#ifndef API_SERVER_INT_H
#define API_SERVER_INT_H

#include "api/json.h"
#include "api/routes.h"
#include "api/server.h"
#include "base/map.h"
#include "net/buckets.h"

#define JSON_CONTENT_TYPE "application/json"

struct api_session {
	struct api_server *server;
	uint64_t number;
	struct node_id node; /* from its path */
	struct http_peer peer;
	struct websocket *websocket;
	struct api_session *next, **previous_next;
};

/* A log stream between a waiting client and the worker's WebSocket. */
struct api_stream {
	struct api_server *server;
	struct uuid id;
	struct node_id node;	     /* whose worker was asked */
	struct api_request *request; /* NULL: the client has left */
	struct websocket *websocket; /* NULL: the worker has not called yet */
	struct event *deadline;
	bool begun; /* the answer's head is out */
	struct api_stream *next;
};

struct api_event {
	int64_t number;
	char *text; /* one SSE event, ready to send */
	size_t len;
};

struct api_follower {
	struct api_request *request;
	int64_t next_number; /* of the first event not sent yet */
	bool full;	     /* fed again when its buffer has drained */
	struct api_follower *next;
};

struct api_server {
	struct event_base *base;
	const struct api_backend *backend;
	void *owner;
	struct http_server *http;
	uint64_t last_handle;
	uint64_t last_session;
	struct map waiting; /* mutation handle -> api_request */
	struct api_session *sessions;
	struct map session_by_number;
	struct map silent_sessions; /* node -> the one on which nothing was said yet */
	struct api_stream *streams;
	size_t n_streams;
	int stream_call_ms; /* how long a worker may take to open one */
	struct random ids;
	struct api_event *events; /* ring */
	size_t n_events;
	size_t first_event;
	int64_t last_event_number;
	int64_t epoch; /* as last seen; event ids begin with it */
	struct api_follower *followers;
	struct event *keepalive;
	struct event *authorised;
	struct buckets joins;	 /* refused ones, by address */
	struct buckets requests; /* by identity */
};

const struct manager *server_manager(const struct api_server *server);
const struct cluster *server_cluster(const struct api_server *server);

/* Answers. */
void answer_error(struct api_request *request, const struct err *err);
void answer_code(struct api_request *request, enum err_code code, const char *message);
void answer_record(struct api_request *request, int status, const struct record_type *type,
		   const void *record);
/* May who asks still have this (a stream, a session) at this time (Unix)? The reason in `err`. */
bool server_still_allows(const struct api_server *server, const struct http_peer *peer, int scope,
			 int64_t now_s, struct err *err);
/* A query parameter, decoded; false when absent. One that is malformed or too long is as one that is "?": no name and
 * no number is called so. */
bool query_get(struct api_request *request, const char *name, char *out, size_t size);

/* Handlers, by file. */
void handle_healthz(struct api_request *request);
void handle_cluster(struct api_request *request);
void handle_projects(struct api_request *request);
void handle_project(struct api_request *request);
void handle_jobs(struct api_request *request);
void handle_job(struct api_request *request);
void handle_job_revisions(struct api_request *request);
void handle_tasks(struct api_request *request);
void handle_task(struct api_request *request);
void handle_nodes(struct api_request *request);
void handle_node(struct api_request *request);
void handle_volumes(struct api_request *request);

void handle_apply(struct api_request *request);
void handle_plan(struct api_request *request);
void handle_submit(struct api_request *request);
void handle_scale(struct api_request *request);
void handle_project_stop(struct api_request *request);
void handle_project_restart(struct api_request *request);
void handle_project_rollback(struct api_request *request);
void handle_project_remove(struct api_request *request);
void handle_job_stop(struct api_request *request);
void handle_job_restart(struct api_request *request);
void handle_job_rollback(struct api_request *request);
void handle_job_run_again(struct api_request *request);
void handle_job_remove(struct api_request *request);
void handle_task_stop(struct api_request *request);
void handle_task_restart(struct api_request *request);
void handle_volume_remove(struct api_request *request);
void handle_rebalance(struct api_request *request);
void handle_rebalance_plan(struct api_request *request);
void handle_node_drain(struct api_request *request);
void handle_node_resume(struct api_request *request);
void handle_node_remove(struct api_request *request);
void handle_node_label(struct api_request *request);

/* Mutations (mutations.c): a new one by this caller; hand it over (takes it); a body that must be an object of
 * `type`. */
struct api_mutation *mutation_new(struct api_request *request, int kind);
void submit(struct api_request *request, struct api_mutation *mutation);
enum err_code read_body(struct api_request *request, const struct record_type *type,
			int64_t values_max, void *record, struct err *err) WARN_UNUSED;

void handle_tokens(struct api_request *request);
void handle_token_create(struct api_request *request);
void handle_token_remove(struct api_request *request);
void handle_identities(struct api_request *request);
void handle_identity_remove(struct api_request *request);
void handle_join(struct api_request *request);
void handle_renew(struct api_request *request);
/* The commit of a token or join is durable: answer it. */
void trust_reply(struct api_request *request, const struct manager_reply *reply);
void trust_work_free(struct api_request *request);

void handle_events(struct api_request *request);
void events_free(struct api_server *server);
void follower_drop(struct api_request *request);
void followers_recheck(struct api_server *server);

void handle_logs(struct api_request *request);
void handle_worker_stream(struct api_request *request);
void stream_client_left(struct api_request *request);
void streams_free(struct api_server *server);
void streams_recheck(struct api_server *server);

void handle_sync(struct api_request *request);
void sessions_free(struct api_server *server);
void sessions_recheck(struct api_server *server);
/* A number as a key of a map. */
struct uuid number_key(uint64_t number);
/* The session of a node, newest first; NULL: its worker is not connected. */
struct api_session *session_of_node(struct api_server *server, struct node_id node);

#endif
