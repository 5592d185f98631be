/* Between the files of the Docker runtime. One `struct docker` per socket; each action is a `struct docker_op` that
 * makes one HTTP call after another until it is answered with docker_op_end() or docker_op_fault(). */
#ifndef RUNTIME_DOCKER_H
#define RUNTIME_DOCKER_H

#include "net/http_client.h"
#include "runtime/docker_usage.h"
#include "runtime/runtime.h"

#define DOCKER_API_MINOR_MIN 41
/* The newest of engine_needs (job/engine.h): what a newer Docker can do beyond is asked by nobody, and from 1.52 on
 * answers lack fields. */
#define DOCKER_API_MINOR_MAX	49
#define DOCKER_CONNECTIONS_MAX	8
#define DOCKER_PROBE_TIMEOUT_MS 5000
#define DOCKER_RETRY_FIRST_MS	200
#define DOCKER_RETRY_MAX_MS	5000
#define DOCKER_LINE_BYTES_MAX	(64 * 1024)
/* A container is made under its name with this behind it, and renamed once all its networks are connected, so that what
 * bears the plain name is always whole. */
#define DOCKER_PART_SUFFIX ".part"

struct docker;
struct docker_op;

/* The next step: the call's whole answer is here. */
typedef void docker_step_fn(struct docker_op *op, int status, struct http_view body);
/* The call failed on its way; NULL instead of one: docker_op_transport_fault(). */
typedef void docker_lost_fn(struct docker_op *op, const struct err *err, enum http_sent sent);

struct docker_op {
	struct docker *docker;
	struct docker_op *next, *previous;
	struct container_result result;
	int64_t deadline_ms; /* monotonic */
	char name[CONTAINER_NAME_SIZE];
	struct http_call *call;
	docker_step_fn *step;
	docker_lost_fn *lost;
	/* Takes the present call's body as it comes; NULL: the step gets it whole. */
	void (*body)(void *op, struct http_call *call, const void *bytes, size_t len);
	uint64_t instance; /* of the daemon when the action began */
	/* Whatever the verb needs between its steps; freed by `release`. */
	void *data;
	void (*release)(void *data);
};

enum docker_state { DOCKER_AWAY, DOCKER_UP };

struct docker {
	struct event_base *base;
	struct runtime_events events;
	void *shell;
	char *socket_path;
	char *config_path; /* may be NULL */
	struct uuid cluster;
	struct http_client *client;
	struct docker_op *ops;	 /* those in flight */
	struct docker_op *ended; /* answered, waiting for the loop to tell the shell */
	struct event *ended_event;
	struct runtime_logs *logs; /* open ones */
	struct docker_usage usage;
	struct prober *prober;

	enum docker_state state;
	int64_t minor; /* of the API, agreed on; 0: never spoken to */
	char version[64];
	uint64_t instance;
	struct pairs labels;
	char data_root[1024];
	char id[128]; /* Docker's own */
	char cgroup_version;

	struct http_call *probe; /* GET /version or /info in flight */
	uint64_t probe_instance;
	struct event *retry_event; /* the next probe */
	int64_t retry_ms;	   /* how long to wait for it */
	bool away_told;		   /* `down` was called for the present silence */
	struct http_call *watch;   /* the events stream */
	int64_t watch_since_ms;
	bool watch_lost; /* events may have been missed: `up` is to be told again */
	struct text watch_line;
};

/* docker_op.c */
struct docker_op *docker_op_new(struct docker *docker, const struct container_action *action);
int64_t docker_now_ms(void);
/* Start the op's next call. `target` is without the version's prefix; `body` JSON or NULL. */
void docker_op_call(struct docker_op *op, const char *method, const char *target, const char *body,
		    docker_step_fn *step);
/* As above, with settings of the caller's: take the options, change them, make the call. */
struct http_call_options docker_op_options(struct docker_op *op, const char *method,
					   const char *target);
void docker_op_call_with(struct docker_op *op, const struct http_call_options *options,
			 docker_step_fn *step);
/* Answer. Always told to the shell from the loop, later. `message` is copied; NULL: none. */
void docker_op_end(struct docker_op *op);
void docker_op_fault(struct docker_op *op, int fault, const char *message);
/* Answer with the fault that an error answer means (also FAULT_NONE). */
void docker_op_reply_fault(struct docker_op *op, int status, struct http_view body);
void docker_op_transport_fault(struct docker_op *op, const struct err *err, enum http_sent sent);
/* End every op as FAULT_AMBIGUOUS at once, and tell the shell now (called from the loop). */
void docker_ops_lose(struct docker *docker, const char *why);
void docker_ops_tell(struct docker *docker);
void docker_ops_drop(struct docker *docker);

/* Targets. Each part is percent-encoded. */
void docker_target(struct text *out, const char *before, const char *part, const char *after);
/* {"label":["drover.cluster=ID"]}, encoded, after `before`; `more`: ',"KEY":[...]' for it, or "". */
void docker_query_ours(struct text *out, const char *before, struct uuid cluster, const char *more);

/* docker.c */
extern const struct runtime_ops runtime_docker_ops;
/* A call got no answer: find out whether Docker still gives any. */
void docker_suspect(struct docker *docker);

/* docker_instance.c: which run of the daemon listens on the socket; 0: cannot be told. Never blocks. */
uint64_t docker_instance(const char *socket_path);

/* The verbs: each takes an op fresh from docker_op_new() and starts its first step. */
void docker_pull(struct docker_op *op, const struct container_action *action);
void docker_create(struct docker_op *op, const struct container_action *action);
void docker_start(struct docker_op *op, const struct container_action *action);
void docker_kill(struct docker_op *op, const struct container_action *action);
void docker_remove(struct docker_op *op, const struct container_action *action);
void docker_inspect(struct docker_op *op, const struct container_action *action);
void docker_list(struct docker_op *op, const struct container_action *action);
void docker_network_ensure(struct docker_op *op, const struct container_action *action);
void docker_network_remove(struct docker_op *op, const struct container_action *action);
void docker_volume_ensure(struct docker_op *op, const struct container_action *action);
void docker_volume_remove(struct docker_op *op, const struct container_action *action);
void docker_exec(struct docker_op *op, const struct container_action *action);
void docker_probe(struct docker_op *op, const struct container_action *action);

/* docker_logs.c */
struct runtime_logs *docker_logs_open(struct runtime *runtime, const char *container_name,
				      const struct runtime_logs_options *options,
				      const struct runtime_logs_events *events, void *reader);
void docker_logs_pause(struct runtime_logs *logs, bool pause);
void docker_logs_close(struct runtime_logs *logs);
void docker_logs_close_all(struct docker *docker);

#endif
