/* What manager and worker tell each other: one message type each way, carried as JSON over one WebSocket (and as
 * these structs in the simulator). Both are *sets*, so any message may be lost, repeated or reordered.
 *
 * Down (desired): every message carries the manager's (epoch, rev); a worker refuses one that is older than the
 * newest it has taken. `full` replaces the worker's whole set; otherwise it is a change on top of `base_rev`, and a
 * worker whose own rev is not `base_rev` ignores the tasks in it and asks for a full one (want_full).
 *
 * Up (observed): a message carries the records that have changed since the one before it in its session, which it names
 * (`since`), or all that are not acknowledged. The manager answers every message up with one down, also when there is
 * nothing new to say, in a large cluster within LIMIT_TELL_MAX_MS, and acknowledges in it the newest `report` up to
 * which it has all without a gap, after the commit that holds their records. A worker that hears of nothing new for a
 * while says all again. An acknowledged report without records still means something: leases run from when it was sent
 * (worker/lease.c).
 *
 * Configs and secrets come with a set or after it, in as many messages as it takes, so that no message is large and a
 * stop is behind no more than one of them. The worker answers at once a message that brings some: so it asks for the
 * next. What it still lacks after a while it asks for with want_full.
 *
 * Neighbouring releases work together. A field that the other side does not know is passed over, one that it does not
 * send has its initial value; so a new field means what was before where it is not set, and a value of an enumeration
 * that the other side may not know is sent only when its number says that it does. The number is SYNC_PROTOCOL: raised
 * with every release that changes these messages; who is more than one apart is refused. */
#ifndef NODE_SYNC_H
#define NODE_SYNC_H

#include "node/node.h"

#define SYNC_PROTOCOL 2

/* May a manager of SYNC_PROTOCOL talk to a worker of `theirs` (0: 1)? ERR_UNSUPPORTED says which of the two is to be
 * updated. */
enum err_code sync_protocol_check(int64_t theirs, struct err *err) WARN_UNUSED;

/* enum reason, as a worker of `theirs` (0: 1) can be told it: one that it does not know becomes one that it acts upon
 * in the same way. */
int sync_reason(int reason, int64_t theirs);

/* Codes of the WebSocket's close frame: why the manager ends a session. */
enum sync_close {
	SYNC_CLOSE_REFUSED = 1008,
	SYNC_CLOSE_TWICE = 4001,   /* another worker has this identity: come back late */
	SYNC_CLOSE_VERSION = 4002, /* its release does not fit: the same */
	SYNC_CLOSE_REMOVED =
		4003, /* its node was removed: it ends what it runs, and does not come back */
	SYNC_CLOSE_SHARED = 4004, /* another worker of the cluster has its Docker: come back late */
};

/* A job revision as workers need it: sent once per worker and revision, ahead of tasks that use it. */
struct sync_template {
	struct job_id job;
	int64_t revision;
	char *project;
	char *name;
	struct job_spec spec;
	LIST_OF(struct network_spec) networks; /* those of the project that the spec uses */
	LIST_OF(struct volume_spec) volumes;
	bool over_tls; /* job_revision_is_over_tls() */
};
extern const struct record_type sync_template_type;

/* The bytes of a config or a secret that a task uses: never kept on the worker's disk. */
struct sync_content {
	int kind; /* enum content_kind */
	char *hash;
	char *data; /* base64; of a secret between core and shell of the manager: sealed */
	char *seal; /* which key seals it; NULL: it is not sealed */
};
extern const struct record_type sync_content_type;

/* One task this worker is to run, stop or remove. */
struct sync_assignment {
	struct task_id task;
	struct job_id job;
	int64_t revision;
	int64_t slot;
	int wanted;	 /* enum task_wanted */
	int stop_reason; /* enum reason, when wanted is not run */
	int64_t attempts_before;
	LIST_OF(struct port_grant) ports;
};
extern const struct record_type sync_assignment_type;

struct sync_volume {
	char *name;    /* Docker's */
	char *message; /* up: the sentence why it cannot be removed yet; "" or NULL: it is gone */
};
extern const struct record_type sync_volume_type;

struct sync_task_ref {
	struct task_id task;
};
extern const struct record_type sync_task_ref_type;

struct sync_down {
	struct uuid cluster;
	int64_t epoch;
	int64_t rev; /* number of the commit this was computed at */
	bool full;
	int64_t base_rev; /* when not full */
	LIST_OF(struct sync_template) templates;
	LIST_OF(struct sync_assignment) tasks;	    /* full: all; else the changed ones */
	LIST_OF(struct sync_task_ref) forgotten;    /* not full: tasks no longer in the set */
	LIST_OF(struct sync_volume) volumes_remove; /* always the whole list; remove these */
	int64_t report_acked; /* highest `report` whose records are durable here; 0: none */
	int64_t protocol;     /* of the manager; 0: 1, which did not say */
	int64_t reconnect_ms; /* full: spread reconnects over this; 0: not said */
	LIST_OF(struct sync_content) contents; /* a part of what tasks of the set use */
};
extern const struct record_type sync_down_type;

struct sync_up {
	struct node_id node;
	struct uuid cluster; /* zero: never heard of one */
	int64_t epoch;	     /* newest (epoch, rev) taken */
	int64_t rev;
	int64_t digest; /* of the desired set held: sync_digest() */
	bool want_full;
	bool runtime_ok; /* Docker answers; false: the node is Degraded */
	bool has_facts;
	struct node_facts
		facts; /* when has_facts: first message of a session, and when they change */
	bool has_stats;
	struct node_stats stats;
	int64_t report; /* number of this report, rising, across worker restarts too */
	/* Records that this session's reports up to that number told are not told again; 0: all that are not
	 * acknowledged are here. Where that report is missing, this one is not to be acknowledged. */
	int64_t since;
	LIST_OF(struct task_observed) observed;
	LIST_OF(struct sync_volume) volumes_removed; /* answers volumes_remove */
	struct uuid
		instance; /* with facts: this life of the worker's process; zero: it did not say */
};
extern const struct record_type sync_up_type;

/* Order-independent digest of a desired set: the sum of this over its assignments. Manager and worker compute it
 * from the same fields (task, wanted, stop_reason, attempts_before, ports). */
int64_t sync_assignment_digest(const struct sync_assignment *assignment);

/* A log or event stream the manager asks the worker to open as a WebSocket of its own at `/v1/streams/{id}`. It
 * travels beside sync_down in the same connection (message "stream"), outside the cores. */
struct stream_request {
	struct uuid id;
	struct task_id task;
	int64_t attempt; /* 0: the newest */
	bool follow;
	int64_t tail; /* lines; -1: all */
	int64_t since_wall_ms;
	bool timestamps;
};
extern const struct record_type stream_request_type;

#endif
