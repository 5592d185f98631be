/* The cluster: everything the manager knows, in memory, with its indexes. One state, one writer: every change to what
 * is stored goes through the cluster_put_* and cluster_delete_* functions below, which apply it and record it for the
 * store in one act. Replay feeds the same records back through cluster_replay().
 *
 * Pointers to entries stay valid until the entry is deleted. */
#ifndef CLUSTER_CLUSTER_H
#define CLUSTER_CLUSTER_H

#include "base/change.h"
#include "base/map.h"
#include "node/sync.h"

/* Tasks in a list without holes; order is by creation (task id). */
struct task_list {
	struct task **items;
	size_t n;
	size_t capacity;
};

struct job_entry {
	struct job job;
	struct job_revision **revisions; /* ascending; the last one is current */
	size_t n_revisions;
	struct task_list tasks;          /* all tasks of the job that are not deleted */
	bool dirty;                      /* the manager must reconcile it */
};

struct project_entry {
	struct project project;
	struct job_entry **jobs; /* by name, ascending */
	size_t n_jobs;
	size_t jobs_capacity;
};

/* A named volume's pin: committed with the first placement that uses it; ended only by its removal. */
struct volume_record {
	char *project;
	char *key;
	char *name; /* Docker's */
	char *driver;
	struct node_id node;
	bool removing;      /* asked to be removed; the worker has not confirmed yet */
	char *remove_error; /* why it could not be removed, from the worker */
	int64_t created_wall_ms;
};
extern const struct record_type volume_record_type;

/* Remembered answer of a mutation. */
struct idempotency_record {
	char *caller;
	char *key;
	int64_t body_hash;
	int64_t created_wall_ms;
	char *answer; /* the manager's encoded reply; hexadecimal */
};
extern const struct record_type idempotency_record_type;

struct meta_record {
	struct uuid cluster;
	int64_t epoch; /* raised in the first commit after every start */
};
extern const struct record_type meta_record_type;

struct node_entry {
	struct node_record record;
	uint32_t index;         /* of its column in struct node_columns */
	int state;              /* enum node_state; derived, volatile */
	int64_t heard_ms;       /* monotonic; when last heard; volatile */
	bool runtime_ok;        /* volatile */
	struct node_stats stats;/* volatile */
	int64_t stats_ms;       /* when they came; 0: never */
	struct task_list tasks; /* placed here and not yet `removed`: the node's desired set */
};

/* What the scheduler scans: one array per fact, one column per node. Removed nodes leave a hole (entry NULL) that the
 * next node reuses. `reserved` counts placed and not confirmed gone (I6), recomputed by cluster_check(). */
struct node_columns {
	struct node_entry **entry;
	int64_t *cpu_capacity_milli;
	int64_t *cpu_reserved_milli;
	int64_t *cpu_used_milli;    /* measured; 0 when stale */
	int64_t *memory_capacity_bytes;
	int64_t *memory_reserved_bytes;
	int64_t *memory_used_bytes; /* measured; 0 when stale */
	int64_t *disk_capacity_bytes;
	int64_t *disk_reserved_bytes;
	int64_t *disk_used_bytes;   /* measured; 0 when stale */
	int64_t *tasks;             /* number of tasks that occupy it */
	uint8_t *ready;             /* may take new tasks */
	size_t n;
	size_t capacity;
};

struct cluster {
	struct meta_record meta;
	uint64_t salt; /* for names in maps */
	struct map projects;  /* map_name_key(name) -> project_entry */
	struct map jobs;      /* job id -> job_entry */
	struct map jobs_by_name;
	struct map tasks;     /* task id -> task */
	struct map nodes;     /* node id -> node_entry */
	struct map volumes;   /* map_name_key(Docker's name) -> volume_record */
	struct map idempotency;
	struct node_columns columns;
	size_t n_tasks_by_state[5];
};

void cluster_init(struct cluster *cluster, uint64_t salt);
void cluster_release(struct cluster *cluster);

/* Apply one stored record. Records may come in any order of kinds; call cluster_replayed() after the last. ERR_DAMAGED
 * names the record. */
enum err_code cluster_replay(struct cluster *cluster, const struct change *change, struct err *err) WARN_UNUSED;
enum err_code cluster_replayed(struct cluster *cluster, struct err *err) WARN_UNUSED;

/* Reading. All borrow; NULL: none. */
struct project_entry *cluster_project(const struct cluster *cluster, const char *name);
struct job_entry *cluster_job(const struct cluster *cluster, struct job_id id);
struct job_entry *cluster_job_named(const struct cluster *cluster, const char *project, const char *name);
struct task *cluster_task(const struct cluster *cluster, struct task_id id);
struct node_entry *cluster_node(const struct cluster *cluster, struct node_id id);
struct volume_record *cluster_volume(const struct cluster *cluster, const char *name);
const struct job_revision *job_entry_revision(const struct job_entry *entry, int64_t number);
const struct job_revision *job_entry_current(const struct job_entry *entry);
struct job_entry *cluster_job_of(const struct cluster *cluster, const struct task *task);
/* The specification of a task's own revision. Never NULL for a task of the cluster. */
const struct job_spec *cluster_task_spec(const struct cluster *cluster, const struct task *task);
/* "shop/web.2": how notes and messages name a task; the caller's array. */
#define TASK_NAME_SIZE 160
const char *cluster_task_name(const struct cluster *cluster, const struct task *task, char out[TASK_NAME_SIZE]);

/* Writing: apply and record. *_put take the contents of what they are given (it is zeroed) and replace the record of
 * the same key. */
void cluster_put_meta(struct cluster *cluster, struct changes *changes, const struct meta_record *meta);
struct project_entry *cluster_put_project(struct cluster *cluster, struct changes *changes, struct project *project);
struct job_entry *cluster_put_job(struct cluster *cluster, struct changes *changes, struct job *job);
void cluster_put_revision(struct cluster *cluster, struct changes *changes, struct job_revision *revision);
struct node_entry *cluster_put_node(struct cluster *cluster, struct changes *changes, struct node_record *node);
struct volume_record *cluster_put_volume(struct cluster *cluster, struct changes *changes, struct volume_record *volume);
void cluster_put_idempotency(struct cluster *cluster, struct changes *changes, struct idempotency_record *record);

/* A new task, Pending. */
struct task *cluster_add_task(struct cluster *cluster, struct changes *changes, struct task_desired *desired);
/* Record what was changed in task->desired by the caller between cluster_task_edit() and cluster_task_save(): edit
 * takes the task's weight off every index, save puts it back, derives state and reason, and records. The state may
 * only move as the table says (INVARIANT). */
void cluster_task_edit(struct cluster *cluster, struct task *task);
void cluster_task_save(struct cluster *cluster, struct changes *changes, struct task *task);
/* Take a worker's record for a task of that node (contents taken). Older versions, and records that no path of the
 * state table leads to, change nothing and return false with the reason in `err`. A report may imply several rows
 * (Scheduled -> Running -> Completed); they are replayed one by one. */
bool cluster_observe(struct cluster *cluster, struct changes *changes, struct node_id node,
		     struct task_observed *observed, struct err *err);
void cluster_delete_task(struct cluster *cluster, struct changes *changes, struct task *task);
void cluster_delete_revision(struct cluster *cluster, struct changes *changes, struct job_entry *entry, int64_t number);
void cluster_delete_job(struct cluster *cluster, struct changes *changes, struct job_entry *entry);
void cluster_delete_project(struct cluster *cluster, struct changes *changes, struct project_entry *entry);
void cluster_delete_volume(struct cluster *cluster, struct changes *changes, struct volume_record *volume);
void cluster_delete_idempotency(struct cluster *cluster, struct changes *changes, struct idempotency_record *record);

/* Volatile facts: not stored. */
void cluster_set_node_state(struct cluster *cluster, struct node_entry *node, int state);
void cluster_set_node_stats(struct cluster *cluster, struct node_entry *node, const struct node_stats *stats, int64_t now_ms);
/* Pending tasks only: why it waits. Takes `message`. Not stored: recomputed after a start. */
void cluster_set_waiting(struct cluster *cluster, struct task *task, int reason, char *message);
void cluster_set_unreachable(struct cluster *cluster, struct task *task, bool unreachable);

/* Recompute every index and sum from the records and compare: aborts on a difference (I6, I7, I8, I14 and that each
 * fact has one home). O(everything): tests and simulation call it after every step. */
void cluster_check(const struct cluster *cluster);

#endif
