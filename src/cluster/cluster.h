/* The cluster: everything the manager knows, in memory, with its indexes. One state, one writer:
 * every change to what is stored goes through the cluster_put_* and cluster_delete_* functions
 * below, which apply it and record it for the store in one act. Replay feeds the same records back
 * through cluster_replay().
 *
 * Pointers to entries stay valid until the entry is deleted. */
#ifndef CLUSTER_CLUSTER_H
#define CLUSTER_CLUSTER_H

#include "access/access.h"
#include "base/change.h"
#include "base/id_index.h"
#include "base/map.h"
#include "node/sync.h"

/* Tasks in a list without holes; order is by creation (task id). */
struct task_list {
	struct task **items;
	size_t n;
	size_t capacity; /* of the allocation, which begins `gap` items before `items` */
	size_t gap;
};

/* How many tasks of one job occupy one node; only nodes with at least one are listed. */
struct job_placement {
	uint32_t node_index; /* the node's column */
	uint32_t n_tasks;
};

struct job_entry {
	struct job job;
	struct job_revision **revisions; /* ascending; the current one is job.revision */
	size_t n_revisions;
	struct task_list tasks;		  /* all tasks of the job that are not deleted */
	struct job_placement *placements; /* ascending by node_index */
	size_t n_placements;
	size_t placements_capacity;
	bool dirty; /* to be reconciled: set by every change of it, cleared by the manager */
};

struct project_entry {
	struct project project;
	struct job_entry **jobs; /* by name, ascending */
	size_t n_jobs;
	size_t jobs_capacity;
};

/* A named volume on its node: committed with the first placement that uses it there; ended only by
 * its removal. It pins the tasks that use it, unless it is `per_node`: then each node has its own,
 * with a record each. */
struct volume_record {
	char *project;
	char *key;
	char *name; /* Docker's */
	char *driver;
	struct node_id node;
	bool removing;	    /* asked to be removed; the worker has not confirmed yet */
	char *remove_error; /* why it could not be removed, from the worker */
	int64_t created_wall_ms;
	bool per_node;
};
extern const struct record_type volume_record_type;

/* The bytes of a config or a secret of a project. Never changed: others have another hash. */
struct content_record {
	int kind; /* enum content_kind */
	char *project;
	char *hash;
	char *data; /* base64; of a secret: sealed, which only the manager's shell can open */
	char *seal; /* of a secret: which key seals it */
	int64_t created_wall_ms;
};
extern const struct record_type content_record_type;

/* Those of one project, whether it is there yet or not. */
struct content_shelf {
	char *project;
	struct content_record **items;
	size_t n;
	size_t capacity;
};

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
	int64_t epoch;		  /* raised in the first commit after every start */
	int64_t next_node_number; /* what the next node to join gets, from 1; 0: nobody is numbered yet */
};
extern const struct record_type meta_record_type;

/* A host port of a node in the hands of a task that occupies it (I7). */
struct port_hold {
	const char *host_ip; /* NULL: all addresses; borrowed from the task's revision */
	struct task *task;
	uint16_t port;
	uint8_t protocol; /* enum port_protocol */
};

/* Host ports of a node that a program other than a task was seen to hold. Volatile, and no more than a preference
 * between the ports of a pool, so that a port that has become free again is not lost. */
struct foreign_ports;

struct node_entry {
	struct node_record record;
	uint32_t index; /* of its column in struct node_columns */
	int state; /* enum node_state; derived, volatile; LEFT exactly when the record says so */
	int64_t heard_ms; /* monotonic; 0: not heard since the start; the manager's to write */
	bool runtime_ok;  /* volatile; false until the worker says that Docker answers */
	struct node_stats stats; /* volatile */
	int64_t stats_ms;	 /* when they came; 0: never */
	bool dirty; /* set by every change of its record or state, cleared by the manager */
	struct task_list tasks;	 /* placed here and not yet `removed`: the node's desired set */
	struct port_hold *holds; /* ascending by port, then protocol */
	size_t n_holds;
	size_t holds_capacity;
	struct foreign_ports *foreign_ports; /* NULL: none was seen */
};

/* What a task that reserves nothing counts for when the load of its node is estimated. It never
 * refuses a node. */
#define NOMINAL_CPU_MILLI    100
#define NOMINAL_MEMORY_BYTES (64LL << 20)
/* The reservations, with the nominal request where nothing is reserved. */
struct resources cluster_expected(const struct resources *reservations);

/* What the scheduler scans: one array per fact, one column per node, in the order in which nodes
 * joined (by number, after a replay too); there are no holes. `reserved` and `expected` count what is
 * placed and not confirmed gone (I6); `expected` puts the nominal request where a task reserves
 * nothing. cluster_check() recomputes them. */
struct node_columns {
	struct node_entry **entry;
	int64_t *number; /* that it was given when it joined */
	int64_t *cpu_capacity_milli;
	int64_t *cpu_reserved_milli;
	int64_t *cpu_expected_milli;
	int64_t *cpu_used_milli; /* measured; 0 when stale */
	int64_t *memory_capacity_bytes;
	int64_t *memory_reserved_bytes;
	int64_t *memory_expected_bytes;
	int64_t *memory_used_bytes; /* measured; 0 when stale */
	int64_t *disk_capacity_bytes;
	int64_t *disk_reserved_bytes;
	int64_t *disk_used_bytes; /* measured; 0 when stale */
	int64_t *tasks;		  /* number of tasks that occupy it */
	uint8_t *ready; /* may take new tasks: state READY, Docker answers, not draining */
	size_t n;
	size_t capacity;
	/* For whoever keeps what follows from columns: those that changed, of all `n_touched` the last `capacity`; and
	 * a number that rises when it has to be made anew, because a column stands for another node or capacity. */
	uint32_t *touched;
	uint64_t n_touched;
	uint64_t epoch;
};

/* What must not change, or only rise, while a task is being edited. */
struct cluster_edit {
	struct task *task; /* NULL: no edit is open */
	struct job_id job;
	struct node_id node;
	int wanted;
	int verdict;
	bool on_list; /* of its node */
	bool written_off;
};

struct cluster {
	struct meta_record meta;
	uint64_t salt;	     /* for names in maps */
	struct map projects; /* map_name_key(name) -> project_entry */
	struct map jobs;     /* job id -> job_entry */
	struct map jobs_by_name;
	struct id_index tasks;
	struct map nodes;   /* node id -> node_entry */
	struct map volumes; /* Docker's name, and the node if per_node -> volume_record */
	struct map idempotency;
	struct map tokens;     /* map_name_key(id) -> token_record */
	struct map identities; /* id -> identity_record */
	struct map identities_by_key;
	struct map removed_nodes; /* node id -> removed_node */
	struct map contents;	  /* map_name_key(project) -> content_shelf; none is empty */
	struct node_columns columns;
	bool nodes_dirty; /* a node is dirty or has gone */
	size_t n_tasks_by_state[5];
	struct cluster_edit edit; /* between cluster_task_edit() and cluster_task_save() */
	struct task_list
		replaying; /* between cluster_replay() and cluster_replayed(): tasks as they came */
	size_t replay_next; /* of these, the one that is expected next */
	struct task_list
		filed_by_node; /* after cluster_replay(): whose reports lie where release 1 put them */
};

void cluster_init(struct cluster *cluster, uint64_t salt);
void cluster_release(struct cluster *cluster);

/* Apply one stored record. Records may come in any order of kinds; call cluster_replayed() after
 * the last. ERR_DAMAGED names the record. */
enum err_code cluster_replay(struct cluster *cluster, const struct change *change,
			     struct err *err) WARN_UNUSED;
enum err_code cluster_replayed(struct cluster *cluster, struct err *err) WARN_UNUSED;

/* Reading. All borrow; NULL: none. */
struct project_entry *cluster_project(const struct cluster *cluster, const char *name);
struct job_entry *cluster_job(const struct cluster *cluster, struct job_id id);
struct job_entry *cluster_job_named(const struct cluster *cluster, const char *project,
				    const char *name);
struct task *cluster_task(const struct cluster *cluster, struct task_id id);
struct node_entry *cluster_node(const struct cluster *cluster, struct node_id id);
/* The node that was given this number when it joined. */
struct node_entry *cluster_node_numbered(const struct cluster *cluster, int64_t number);
/* The one that pins. */
struct volume_record *cluster_volume(const struct cluster *cluster, const char *name);
/* The one on this node, pinning or not. */
struct volume_record *cluster_volume_on(const struct cluster *cluster, const char *name,
					struct node_id node);
struct idempotency_record *cluster_idempotency(const struct cluster *cluster, const char *caller,
					       const char *key);
/* Tokens and identities (trust.c). */
struct token_record *cluster_token(const struct cluster *cluster, const char *id);
struct identity_record *cluster_identity(const struct cluster *cluster, struct uuid id);
/* The identity with this public key. */
struct identity_record *cluster_identity_of_key(const struct cluster *cluster,
						const char *key_sha256);
/* Nodes that were removed (removed.c). */
struct removed_node *cluster_removed_node(const struct cluster *cluster, struct node_id id);
/* Was the node removed, a moment ago or long ago? `ret_name` is its name, NULL: it had none. False: it is a node, or it
 * is not known here. */
bool cluster_was_removed(const struct cluster *cluster, struct node_id id, const char **ret_name);
/* Configs and secrets (contents.c): of a project, and the one behind a hash; NULL: none. */
struct content_shelf *cluster_contents(const struct cluster *cluster, const char *project);
struct content_record *cluster_content(const struct cluster *cluster, const char *project,
				       const char *hash);
const struct job_revision *job_entry_revision(const struct job_entry *entry, int64_t number);
const struct job_revision *job_entry_current(const struct job_entry *entry);
struct job_entry *cluster_job_of(const struct cluster *cluster, const struct task *task);
/* A task's own revision, and its specification. Never NULL for a task of the cluster. */
const struct job_revision *cluster_task_revision(const struct cluster *cluster,
						 const struct task *task);
const struct job_spec *cluster_task_spec(const struct cluster *cluster, const struct task *task);
/* "shop/web.2": how notes and messages name a task; the caller's array. */
#define TASK_NAME_SIZE 160
const char *cluster_task_name(const struct cluster *cluster, const struct task *task,
			      char out[TASK_NAME_SIZE]);
/* How people are told of a node: its host name. Never NULL; borrowed from the node. */
const char *cluster_node_name(const struct node_entry *node);

/* The task's message or, where nothing has been said yet (message NULL), a sentence that fits its
 * reason. Never NULL or empty; borrowed from the task or in `out`. */
#define TASK_SENTENCE_SIZE 256
const char *cluster_task_sentence(const struct cluster *cluster, const struct task *task,
				  char out[TASK_SENTENCE_SIZE]);
/* Docker's name of the volume a project calls `key`: its own name, else PROJECT_KEY. Borrowed from
 * the project or in `out`. */
#define VOLUME_NAME_SIZE 256
const char *cluster_volume_name(const struct project_entry *entry, const char *key,
				char out[VOLUME_NAME_SIZE]);
/* Number of tasks of the job that occupy the node. */
size_t cluster_job_tasks_on(const struct job_entry *job, const struct node_entry *node);
/* The task whose hold on the node's port excludes this one; NULL: the port is free. host_ip NULL,
 * 0.0.0.0 and :: are all addresses and exclude every address. */
struct task *cluster_port_owner(const struct node_entry *node, const char *host_ip, int protocol,
				int64_t port);
/* Was the port seen in the hands of another program? Writing: that it was, or that a task got it. Of very many seen
 * at once only the latest are known. */
bool cluster_port_is_foreign(const struct node_entry *node, int protocol, int64_t port);
void cluster_port_seen_foreign(struct node_entry *node, int protocol, int64_t port);
void cluster_port_seen_ours(struct node_entry *node, int protocol, int64_t port);
/* Everything of a kind in an order that depends on the contents only: projects and volumes by
 * name, idempotency records by age, tokens by expiry. (Jobs of a project, tasks of a job and nodes in `columns` are
 * in order already.) A heap array of borrowed pointers; the caller frees the array with
 * base_free(). */
struct project_entry **cluster_sorted_projects(const struct cluster *cluster, size_t *ret_n);
struct volume_record **cluster_sorted_volumes(const struct cluster *cluster, size_t *ret_n);
struct idempotency_record **cluster_sorted_idempotency(const struct cluster *cluster,
						       size_t *ret_n);
struct token_record **cluster_sorted_tokens(const struct cluster *cluster, size_t *ret_n);

/* Writing: apply and record; with `changes` NULL apply only. *_put take the contents of what they
 * are given (it is zeroed) and replace the record of the same key. A job's project must be there
 * before the job, the job before its revisions and tasks; a job keeps its project and name.
 * Deleting: a task that occupies no node; a node that no task occupies and no volume lives on; a
 * revision that is not current and has no task; a job without tasks (its revisions go with it); a
 * project without jobs. */
void cluster_put_meta(struct cluster *cluster, struct changes *changes,
		      const struct meta_record *meta);
struct project_entry *cluster_put_project(struct cluster *cluster, struct changes *changes,
					  struct project *project);
struct job_entry *cluster_put_job(struct cluster *cluster, struct changes *changes,
				  struct job *job);
void cluster_put_revision(struct cluster *cluster, struct changes *changes,
			  struct job_revision *revision);
struct node_entry *cluster_put_node(struct cluster *cluster, struct changes *changes,
				    struct node_record *node);
/* A node without tasks and pins. The columns behind it move up by one, as after a replay. */
void cluster_delete_node(struct cluster *cluster, struct changes *changes, struct node_entry *node);
struct volume_record *cluster_put_volume(struct cluster *cluster, struct changes *changes,
					 struct volume_record *volume);
void cluster_put_idempotency(struct cluster *cluster, struct changes *changes,
			     struct idempotency_record *record);
/* Tokens and identities are complete: id, role, and the hash of secret or key. An identity keeps
 * its key, and no other has it. */
struct token_record *cluster_put_token(struct cluster *cluster, struct changes *changes,
				       struct token_record *token);
struct identity_record *cluster_put_identity(struct cluster *cluster, struct changes *changes,
					     struct identity_record *identity);
/* PRE: it is not remembered yet. */
const struct removed_node *cluster_put_removed_node(struct cluster *cluster,
						    struct changes *changes,
						    struct removed_node *removed);
/* PRE: the project has none behind this hash, or it was forgotten. */
void cluster_put_content(struct cluster *cluster, struct changes *changes,
			 struct content_record *content);

/* A new task, Pending: without node and verdict. Its job and revision are there. */
struct task *cluster_add_task(struct cluster *cluster, struct changes *changes,
			      struct task_desired *desired);
/* Record what was changed in task->desired by the caller between cluster_task_edit() and
 * cluster_task_save(): edit takes the task's weight off every index, save puts it back, derives
 * state and reason, and records. One edit at a time. The state may only move as the table says; id,
 * job and a node once set stay; `wanted` and `written_off` only rise (INVARIANT). */
void cluster_task_edit(struct cluster *cluster, struct task *task);
void cluster_task_save(struct cluster *cluster, struct changes *changes, struct task *task);
/* Take a worker's record for a task of that node (contents taken, whatever the answer). Older
 * versions, and records that no path of the state table leads to, change nothing and return false
 * with the reason in `err`; true: taken, or known already. A report may imply several rows
 * (Scheduled -> Running -> Completed); they are replayed one by one. Once the task is final only
 * `gone` and `removed` are taken; a task the manager has given up (verdict) takes them from any
 * state its old worker reports. */
bool cluster_observe(struct cluster *cluster, struct changes *changes, struct node_id node,
		     struct task_observed *observed, struct err *err);
/* A report that says what is known, under a newer version: only that is taken, and nothing is recorded. A worker says
 * everything again to a manager that has started, and what it said before went with the one before. False: it says
 * something else. */
bool cluster_observe_again(struct task *task, const struct task_observed *observed);
/* Record one of `filed_by_node`, which is not empty, where it belongs, and take it from the list. */
void cluster_refile_observed(struct cluster *cluster, struct changes *changes);
void cluster_delete_task(struct cluster *cluster, struct changes *changes, struct task *task);
void cluster_delete_revision(struct cluster *cluster, struct changes *changes,
			     struct job_entry *entry, int64_t number);
void cluster_delete_job(struct cluster *cluster, struct changes *changes, struct job_entry *entry);
void cluster_delete_project(struct cluster *cluster, struct changes *changes,
			    struct project_entry *entry);
void cluster_delete_volume(struct cluster *cluster, struct changes *changes,
			   struct volume_record *volume);
void cluster_delete_idempotency(struct cluster *cluster, struct changes *changes,
				struct idempotency_record *record);
void cluster_delete_token(struct cluster *cluster, struct changes *changes,
			  struct token_record *token);
void cluster_delete_identity(struct cluster *cluster, struct changes *changes,
			     struct identity_record *identity);
/* The bytes of a secret go, that it is used stays (CONTENT_SEAL_FORGOTTEN). */
void cluster_forget_content(struct changes *changes, struct content_record *content);
/* No revision that is kept uses it. */
void cluster_delete_content(struct cluster *cluster, struct changes *changes,
			    struct content_record *content);
void cluster_delete_removed_node(struct cluster *cluster, struct changes *changes,
				 struct removed_node *removed);

/* Volatile facts: not stored. A node starts as READY with runtime_ok false, so it takes no task
 * before it was heard. */
void cluster_set_node_state(struct cluster *cluster, struct node_entry *node, int state);
void cluster_set_node_runtime(struct cluster *cluster, struct node_entry *node, bool runtime_ok);
/* stats NULL: what was measured is stale and no longer counts. */
void cluster_set_node_stats(struct cluster *cluster, struct node_entry *node,
			    const struct node_stats *stats, int64_t now_ms);
/* Pending tasks only: why it waits. Takes `message`, which may be NULL. Not stored: recomputed
 * after a start. */
void cluster_set_waiting(struct cluster *cluster, struct task *task, int reason, char *message);
void cluster_set_unreachable(struct cluster *cluster, struct task *task, bool unreachable);

/* Recompute every index and sum from the records and compare: aborts on a difference (I6, I7, I8,
 * I14 and that each fact has one home). O(everything): tests and simulation call it after every
 * step. */
void cluster_check(const struct cluster *cluster);

#endif
