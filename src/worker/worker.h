/* The worker's core: converges what should run on this machine (desired, from the manager) with what does (containers,
 * from the runtime). Pure, like the manager's. The shell's order:
 *
 *     commit changes -> start actions -> send the message up -> print notes -> arm the deadline
 *
 * so no container is touched for a reason that a crash could forget. It goes on supervising while the manager is away,
 * and after its own restart adopts its containers by label. */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include "base/change.h"
#include "base/notes.h"
#include "node/sync.h"
#include "task/container.h"

struct worker_options {
	int64_t starts_parallel; /* pulls, creates and starts that run side by side: 4 */
	int64_t beat_ms;	 /* LIMIT_BEAT_MS */
	int64_t list_ms;	 /* how often it is looked which containers have ended: 10 s */
	int64_t list_each_ms; /* all are listed as often, but so rarely for each of them: 10 ms */
	int64_t pull_timeout_ms;      /* 10 min */
	int64_t call_timeout_ms;      /* other calls: 30 s */
	int64_t backoff_first_ms;     /* second restart in a row waits this: 1 s */
	int64_t backoff_max_ms;	      /* 5 min */
	int64_t stable_ms;	      /* running this long resets the back-off: 10 s */
	int64_t dead_containers_kept; /* per task, for logs: 2 */
	int64_t probes_parallel;      /* health checks under way at once: LIMIT_PROBES */
	int64_t orphan_grace_ms; /* a labelled container no task owns is removed after this: 5 s */
	struct node_id
		node; /* whom the manager takes this machine for; zero: the worker makes its own id */
};
void worker_options_default(struct worker_options *options);

enum worker_event_kind {
	WORKER_SESSION_OPENED = 1, /* connected to the manager */
	WORKER_SESSION_CLOSED,
	WORKER_SYNC_DOWN,
	WORKER_RUNTIME_UP,   /* Docker answers; `daemon_instance` tells which run of it */
	WORKER_RUNTIME_DOWN, /* it does not */
	WORKER_ACTION_DONE,
	WORKER_HINT,  /* something happened to container `name`: look */
	WORKER_FACTS, /* the machine's facts, at start and when they change */
	WORKER_STATS,
	WORKER_REMOVED, /* the manager says that the node was removed from the cluster */
	WORKER_PULLING, /* action `op` did not find its image here, and asks the registry */
};

/* What became of a node that was removed from the cluster. Numbers are on disk. */
enum worker_removal {
	WORKER_REMOVAL_NONE = 0, /* it was not */
	WORKER_REMOVAL_TOLD,	 /* it was: what runs here is being ended */
	WORKER_REMOVAL_OVER,	 /* and that is done: only named volumes are left */
};

struct worker_event {
	int kind;
	const struct sync_down *down;
	uint64_t daemon_instance;
	const struct container_result *result;
	uint64_t op;
	const char *name;
	const struct node_facts *facts;
	const struct node_stats *stats;
};

struct worker_in {
	int64_t now_ms; /* CLOCK_BOOTTIME */
	int64_t wall_ms;
	uint64_t seed; /* jitter, ids */
	const struct worker_event *events;
	size_t n_events;
};

struct worker_out {
	struct changes changes;
	struct container_action *actions; /* pointers into the worker: valid until the next step */
	size_t n_actions, actions_capacity;
	uint64_t *dropped; /* actions whose answers are waited for no more: runtime's cancel */
	size_t n_dropped, dropped_capacity;
	bool sweep_files; /* a task needs its files no more: remove those of whom worker_needs_files() does not know */
	bool has_up;
	struct sync_up up;
	struct notes notes;
	int64_t deadline_ms;
};
void worker_out_clear(struct worker_out *out);
void worker_out_release(struct worker_out *out);

struct worker;

struct worker *worker_new(const struct worker_options *options);
void worker_free(struct worker *worker);

/* Replay, then start once. `boot_id` is the machine's; another one than last time means every container of before was
 * interrupted. The first start takes options.node, or makes an id where that is zero; it must be committed before
 * anything is said. ERR_CONFLICT when the store is that of another node, unless that one was removed and has ended:
 * then the store begins anew. */
enum err_code worker_replay(struct worker *worker, const struct change *change,
			    struct err *err) WARN_UNUSED;
enum err_code worker_start(struct worker *worker, const struct worker_in *in, const char *boot_id,
			   struct worker_out *out, struct err *err) WARN_UNUSED;

void worker_step(struct worker *worker, const struct worker_in *in, struct worker_out *out);

/* enum worker_removal. Also after a replay without a start. */
int worker_removal(const struct worker *worker);
struct node_id worker_node_id(const struct worker *worker);
struct uuid worker_cluster_id(const struct worker *worker);

/* May a container of the task still find its configs and secrets as files? */
bool worker_needs_files(const struct worker *worker, struct task_id task);

/* Do the task's containers have a terminal? */
bool worker_has_terminal(const struct worker *worker, struct task_id task);

/* For log streams: the container of a task's attempt (0: the newest). False when it never had one. */
bool worker_container_of(const struct worker *worker, struct task_id task, int64_t attempt,
			 char out[CONTAINER_NAME_SIZE]);

void worker_check(const struct worker *worker);

#endif
