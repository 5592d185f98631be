/* The manager's core: a value and one function. It does no I/O, reads no clock, draws no randomness and never logs;
 * the shell (manager/daemon.c) feeds it events and carries out what it says, in this order:
 *
 *     commit changes -> release replies and reads -> send downs -> print notes -> arm the deadline
 *
 * The world is changed before the commit returns. That is safe only because nothing has been said yet; when a commit
 * fails the shell throws the manager away and replays the store. */
#ifndef MANAGER_MANAGER_H
#define MANAGER_MANAGER_H

#include "base/notes.h"
#include "cluster/cluster.h"
#include "scheduler/scheduler.h"

struct manager_options {
	const struct scheduler_ops *scheduler; /* the cluster's policy */
	int64_t node_silent_ms;		       /* LIMIT_NODE_SILENT_MS */
	int64_t runtime_grace_ms; /* LIMIT_RUNTIME_GRACE_MS: so long without Docker, and tasks are replaced */
	int64_t start_grace_ms; /* no node is judged earlier than this after the start; later where many are */
	int64_t history_per_slot; /* final tasks kept per slot: LIMIT_HISTORY_PER_SLOT */
	int64_t ends_kept; /* of a job whose tasks take turns, ended tasks: LIMIT_ENDS_KEPT */
	int64_t remember_from_nodes; /* keep what the scheduler found between picks where there are as many; 0: 64 */
	int64_t nodes_max;	  /* those that have left aside; 0: LIMIT_NODES */
	int64_t tell_per_node_us; /* LIMIT_TELL_PER_NODE_US; 0: workers are told news as it comes */
	int64_t tell_per_second;  /* LIMIT_TELL_PER_SECOND; 0: it is always as if more were said */
	/* At the start secrets that another key sealed are forgotten; NULL: none are. Borrowed. */
	const char *forget_unless;
};

/* What each request means:
 *
 * apply    New jobs are created. A job whose change needs new containers gets a new revision, and its tasks are
 *          replaced as its update policy says (update.c; a job that runs to completion: all slots anew at once); any
 *          other change is made in the current revision and touches no task. So is one of where a service's tasks may
 *          be or what they wait for, when the update before is done and all are where the change wants them. An
 *          unchanged job is not touched, except that a stopped one runs again. Jobs of the project that are not listed
 *          are named as orphans, and removed only with remove_orphans.
 *          What is new came over TLS where the request did: its tasks are held against the policy of every machine. The
 *          owner of the socket who asks for the same makes it his own; the other way round nothing changes.
 * submit   Adds one job; a job or a differing declaration of that name is a conflict.
 * scale    Fewer replicas end the highest slots and forget them, their results included.
 * stop     A job: all its tasks end and stay ended. One task: its slot stays empty until that task or the job is
 *          restarted, or the job gets a new revision.
 * restart  A job: its tasks are replaced as by an update, what was given up or had succeeded starts again, and so
 *          does a stopped job. One task: it is replaced at once.
 * rollback An earlier revision becomes the current one again, whole, and tasks are replaced as its rollback policy
 *          says; those that are still of it stay. Refused when it is not kept any more. How many tasks scale has said
 *          since holds. Asked for over TLS, the revision comes back as one that came over TLS. A project: each
 *          service that its newest deployment changed and that has a revision to go back to, in one group; refused
 *          when there is none.
 * run again  A job that runs to completion and has come to its end, or was stopped: all its slots are run anew, with
 *          the same revision. Refused while one of them has not ended, and of a service.
 * remove   Tasks are stopped and removed, then the job goes, and with its last job the project. Volumes stay,
 *          unless with_volumes: then those of the project that no other job uses go.
 * token    A token is kept under its id until it expires; one that is used up gives way when there are too many.
 * join     Whoever shows a token's secret gets an identity for its public key. The same key with the same token again
 *          is the same join, and costs no use: an answer may be lost. The same key with another token of the same role
 *          stays who it is.
 * identity Removed, its certificate is worth nothing. A worker's goes with its node; one that never had a node is
 *          remembered as removed.
 *
 * node drain    The node takes no new tasks, and its tasks leave: a ready one when its successor is ready elsewhere,
 *               but one that cannot run twice or finds no other node is stopped first (move.c).
 * node resume   It takes tasks again, and moves that are not done yet are called off.
 * node remove   It leaves the cluster: refused while it holds tasks or volumes. With `fenced`, which is the
 *               operator's word that the machine is off, a node that cannot be reached leaves although it holds
 *               some: the tasks are lost and gone, the volumes are lost, and the answer names them. Its worker is
 *               told so whenever it comes back (removed.c), and ends what it runs (worker/removal.c).
 * node label    Sets and removes the manager's labels of the node; those its worker was started with stay.
 *
 * rebalance     Tasks move to the nodes that are named, as many of a job at a time as its update policy says: each when
 *               its successor is ready there. Where that does not come about, the task stays. Refused as a whole when
 *               one may not be moved, or not there.
 *
 * Each is written in one group, or refused with nothing written. A request that needs more records or bytes than a
 * group holds is refused with ERR_LIMIT; but stop, remove, rebalance and node remove take as many groups as they need,
 * for any part of them is right without the rest, and the same request again does what is missing. */
enum manager_request_kind {
	REQUEST_APPLY = 1,     /* project_request */
	REQUEST_SUBMIT,	       /* project_request with one job */
	REQUEST_SCALE,	       /* project, job, replicas */
	REQUEST_STOP,	       /* project, job ("" = all of the project), or task */
	REQUEST_RESTART,       /* the same targets */
	REQUEST_REMOVE,	       /* project, job ("" = the project itself); with_volumes */
	REQUEST_VOLUME_REMOVE, /* volume: Docker's name */
	REQUEST_TOKEN_CREATE,  /* trust: token, secret, role, ttl, uses; takes no idempotency key */
	REQUEST_TOKEN_REMOVE,  /* trust: token */
	REQUEST_JOIN,	       /* trust: token, secret, key, name; idempotent without a key */
	REQUEST_IDENTITY_REMOVE, /* trust: identity */
	REQUEST_NODE_DRAIN,	 /* node */
	REQUEST_NODE_RESUME,	 /* node */
	REQUEST_NODE_REMOVE,	 /* node; fenced */
	REQUEST_NODE_LABEL,	 /* node; labels_set, labels_remove */
	REQUEST_ROLLBACK,	 /* project, job ("" = all of the project); revision */
	REQUEST_RUN_AGAIN,	 /* project, job */
	REQUEST_REBALANCE,	 /* rebalance: the moves */
};
extern const struct enum_name manager_request_names[]; /* apply, submit, ... */

struct rebalance_request; /* rebalance.h */

/* What the requests about tokens and identities say. The shell draws secrets and computes hashes; the core sees hashes
 * only. */
struct trust_request {
	const char *token; /* its id */
	const char *secret_sha256;
	int role;
	int64_t ttl_ms;
	int64_t uses;
	const char *key_sha256;
	const char *name; /* how the joiner calls itself; NULL: not at all */
	int as;		  /* enum access_joiner */
	struct uuid identity;
};

/* A mutation. Pointers are borrowed for the step. */
struct manager_request {
	uint64_t handle; /* the shell's; comes back in the reply */
	int kind;
	const char *caller;	     /* who asks, for the idempotency scope */
	bool over_tls;		     /* who asks is not the owner of the manager's socket */
	const char *idempotency_key; /* NULL: none */
	int64_t body_hash;
	const struct project_request *project_request;
	const char *project;
	const char *job;
	struct task_id task; /* zero: none */
	const char *volume;
	const struct trust_request *trust;
	const struct rebalance_request *rebalance;
	int64_t replicas;
	int64_t revision; /* 0: the last one before the current that was done */
	bool with_volumes;
	struct node_id node; /* zero: none */
	bool fenced;
	const struct pairs *labels_set;
	const struct strings *labels_remove;
};

enum manager_event_kind {
	MANAGER_REQUEST = 1,
	MANAGER_SESSION_OPENED, /* a worker connected; nothing known of it yet */
	MANAGER_SYNC_UP,
	MANAGER_SESSION_CLOSED,
};

struct manager_event {
	int kind;
	const struct manager_request *request;
	uint64_t
		session; /* SESSION_*, SYNC_UP: the shell's number of the connection, never reused */
	bool local;	 /* SESSION_OPENED: from this machine, over the unix socket */
	const char *address; /* SESSION_OPENED: the IP address it came from; NULL or "": none */
	const struct sync_up *up;
};

struct manager_in {
	int64_t now_ms;	 /* CLOCK_BOOTTIME */
	int64_t wall_ms; /* decoration, except for back-off that must survive a restart */
	uint64_t seed;	 /* fresh random bits for ids of this step */
	int64_t rev; /* number this step's commit will get; rises by one per step that changes something */
	const struct manager_event *events;
	size_t n_events;
};

/* What happened to one job of a request. */
enum job_effect {
	EFFECT_UNCHANGED = 0,
	EFFECT_CREATED,
	EFFECT_UPDATED,
	EFFECT_SCALED,
	EFFECT_STOPPED,
	EFFECT_RESTARTED,
	EFFECT_REMOVED,
	EFFECT_ORPHAN,
	EFFECT_ROLLED_BACK,
	EFFECT_RUNS_AGAIN,
	EFFECT_REBALANCED,
};
extern const struct enum_name job_effect_names[];

struct job_answer {
	struct job_id id;
	char *name;
	int64_t revision;
	int effect;
	int64_t not_confirmed; /* tasks it was asked to stop on nodes that cannot be reached: when these return */
};
extern const struct record_type job_answer_type;

#define MANAGER_ANSWER_NAMES_MAX 100
struct manager_answer {
	char *project;
	LIST_OF(struct job_answer) jobs;
	/* Of a request about a node. */
	struct node_id node;
	char *node_name;
	int64_t n_tasks_lost;
	struct strings tasks_lost; /* the first MANAGER_ANSWER_NAMES_MAX of them */
	int64_t n_volumes_lost;
	struct strings volumes_lost; /* Docker's names; the first MANAGER_ANSWER_NAMES_MAX */
	/* Jobs of other projects that are restarted with those of this one, once these have been replaced. */
	int64_t n_dependents;
	struct strings dependents; /* "shop/web"; the first MANAGER_ANSWER_NAMES_MAX */
};
extern const struct record_type manager_answer_type;

struct manager_reply {
	uint64_t handle;
	struct err err; /* code ERR_NONE: done */
	struct manager_answer answer;
	struct uuid identity; /* JOIN: who the joiner is */
	int role;
};

struct manager_down {
	uint64_t session;
	int close; /* enum sync_close: end this session; the reason is in `why`. 0: it goes on */
	char why[160];
	struct sync_down message;
};

/* Something users may want to follow; the shell numbers and streams it (GET /v1/events). */
struct manager_happening {
	const char
		*kind; /* static: "task", "job", "node", "volume", "project", "token", "identity" */
	char *subject; /* "shop/web.2" */
	struct uuid id;
	const char *state;  /* static: "running"; job: "updated" ... */
	const char *reason; /* static name of the reason, or "" */
	char *message;
};

struct manager_out {
	struct changes changes;
	/* What the templates of all messages hold: those of one revision share it, and so their `name`. */
	struct sync_template **templates;
	size_t n_templates, templates_capacity;
	struct manager_reply *replies;
	size_t n_replies, replies_capacity;
	struct manager_down *downs;
	size_t n_downs, downs_capacity;
	struct manager_happening *happenings;
	size_t n_happenings, happenings_capacity;
	struct notes notes;
	int64_t deadline_ms; /* call again at this time at the latest; INT64_MAX: no need */
};
void manager_out_clear(
	struct manager_out *out); /* empty it; no more memory is kept than most steps need */
void manager_out_release(struct manager_out *out);

struct manager;

/* A manager with an empty world. */
struct manager *manager_new(const struct manager_options *options, uint64_t salt);
void manager_free(struct manager *manager);

/* Replay: every stored record, then manager_start() once, whose changes (cluster id at the very first start, raised
 * epoch) must be committed before anything else is said. */
enum err_code manager_replay(struct manager *manager, const struct change *change,
			     struct err *err) WARN_UNUSED;
enum err_code manager_start(struct manager *manager, const struct manager_in *in,
			    struct manager_out *out, struct err *err) WARN_UNUSED;

/* One step. `out` is empty before. Replies to reads are not its business: the shell reads manager_cluster() after the
 * commit. */
void manager_step(struct manager *manager, const struct manager_in *in, struct manager_out *out);

/* The world, for reads. Borrowed until the next step. */
const struct cluster *manager_cluster(const struct manager *manager);

/* Has a rebalance found a better node for it, where it is not yet? */
bool manager_task_is_to_move(const struct task *task);

/* What an unreachable task waits for before it is started elsewhere, a sentence; false: for nothing. */
bool manager_task_waits(const struct manager *manager, const struct task *task, struct text *out);

/* How a job stands, for `jobs`, `up` and `why`. */
enum job_standing {
	STANDING_PENDING = 0, /* not everything runs yet */
	STANDING_RUNNING,     /* all slots ready */
	STANDING_UPDATING,    /* tasks of an older revision are being replaced */
	STANDING_DEGRADED,    /* a slot was left: policy used up, or it cannot start */
	STANDING_COMPLETED,   /* run to completion: all slots succeeded */
	STANDING_FAILED,      /* run to completion: a slot was left without success */
	STANDING_STOPPED,
	STANDING_REMOVING,
	STANDING_SCHEDULED, /* between two runs */
};
extern const struct enum_name job_standing_names[];
/* How the roll-out of a job's current revision stands. */
enum update_state {
	UPDATE_STATE_NONE = 0, /* it is done, or there was nothing to replace task by task */
	UPDATE_STATE_ROLLING,
	UPDATE_STATE_PAUSED,	   /* more has failed than may */
	UPDATE_STATE_ROLLING_BACK, /* the current revision is an earlier one that is gone back to */
	UPDATE_STATE_ROLLED_BACK,
};
extern const struct enum_name update_state_names[];
struct job_status {
	int standing;
	int64_t wanted;	 /* slots */
	int64_t running; /* of the current revision */
	int64_t ready;	 /* of any revision: an update leaves the old ones in their place */
	int64_t succeeded;
	int64_t left;  /* slots given up */
	int reason;    /* of the slot that explains the standing best */
	char *message; /* its sentence; owned by the caller */
	int update;    /* enum update_state */
};
void manager_job_status(const struct manager *manager, const struct job_entry *entry,
			struct job_status *ret_status);

/* When the next run of a job with a schedule is; wall clock. INT64_MAX: none is to come. */
int64_t manager_next_run_ms(const struct job_entry *entry);

/* Check every invariant of the core (cluster_check() and the manager's own). Aborts. */
void manager_check(const struct manager *manager);

#endif
