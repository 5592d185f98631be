/* The inside of the manager's core, shared by its files and by nobody else. One section per file.
 *
 * What is stored lives in struct cluster; everything in struct manager besides it is volatile and can be rebuilt from
 * the records (manager_start() does). Tasks are changed only by the functions of tasks.c, which keep the desired
 * sets, the queue, the notes and the list of dirty jobs in step. */
#ifndef MANAGER_CORE_H
#define MANAGER_CORE_H

#include "manager/manager.h"
#include "manager/queue.h"
#include "manager/session.h"

#define BACKOFF_FIRST_MS 1000
#define BACKOFF_MAX_MS	 (5 * 60 * 1000)
#define SWEEP_MS	 5000
/* Who has waited in the queue for as long as this has a node kept for it. */
#define KEEP_AFTER_MS (60 * 1000)
/* A task is placed, and its volumes are pinned, in one group. */
#define VOLUMES_PER_JOB_MAX 64

/* Where a task that waits for a node is. */
enum pending_place {
	PENDING_NEW = 0, /* reconcile has not looked at it yet */
	PENDING_GATED,	 /* waits for a dependency */
	PENDING_TIMED,	 /* waits for its back-off, or until the lease of the lost one is over */
	PENDING_QUEUED,	 /* in the queue of its class */
};

/* Tasks that fit the same nodes. When one fits nowhere all are parked until something changes. */
struct task_class {
	uint64_t hash;
	struct queue queue; /* key: minus priority */
	size_t n;	    /* live items of the queue */
	bool parked;
	bool paced; /* parked by the brake alone */
	int reason; /* of parked: why, and the sentence */
	char *message;
};

struct pending {
	struct task_id task;
	bool lost;	  /* its node is lost, and a replacement is wanted; else it is Pending */
	bool fenced;	  /* it follows one that was written off with its node */
	bool moves;	  /* it is to take over from a task that is still there */
	int64_t revision; /* of the task, or of its replacement */
	int where;
	uint64_t stamp;	     /* of its live queue item */
	int64_t since_ms;    /* monotonic: in the queue since */
	int64_t due_ms;	     /* monotonic: not placed earlier */
	int64_t deadline_ms; /* monotonic: not placed later; INT64_MAX: no deadline */
	int64_t priority;
	struct task_class *class;
};

/* A task that another is to take over from, and how far that one has come. */
struct move {
	struct task_id task;
	struct task_id successor;
	int64_t revision; /* of the successor, ... */
	int64_t restarts_asked;
	int stage;	  /* ... the furthest any of them has come */
	int64_t since_ms; /* monotonic: has come so far since */
	int64_t due_ms;	  /* of its live item in manager.moving */
};

/* A task that an update made, and how far it has come. */
struct trial {
	int stage;	  /* the furthest it has come, ... */
	int64_t since_ms; /* ... monotonic: since; its deadline runs from there */
	int64_t ready_ms; /* monotonic: ready since; INT64_MAX: is not */
};

/* The node that is kept for a task which has waited for long. */
struct keep {
	bool on;
	struct task_id task;
	struct node_id node;
};

/* How the slots of a job stand. */
struct job_facts {
	int64_t wanted;	 /* slots */
	int64_t started; /* of the current revision: runs, or ran */
	int64_t running;
	int64_t ready;
	int64_t unchecked; /* running, and no health check says how they are */
	int64_t succeeded;
	int64_t left;	    /* given up, or stopped one by one */
	int64_t old;	    /* filled by a task of an older revision or restart, ... */
	int64_t old_ready;  /* ... that is ready and not stopping */
	int64_t old_failed; /* ... or left to it, for the new one failed its trial */
	int64_t new_failed; /* the new one did, and is not ready yet */
	int64_t unreachable;
	int64_t later;	  /* their turn has not come */
	int64_t replaced; /* slots whose task an update replaces or has replaced, ... */
	int64_t failed;	  /* ... and those where the new one failed its trial */
	bool paused;	  /* so many that the update goes no further */
	bool rolling;	  /* its roll-out is not over */
	int standing;
};

/* What the manager remembers of a job between steps. */
struct job_watch {
	struct job_id id;
	uint32_t number; /* never given twice */
	bool dirty;	 /* in manager.dirty */
	bool touched;	 /* in manager.touched */
	bool gated;	 /* waits for a job it depends on */
	bool recheck;	 /* a node of its tasks changed: do they still match it? */
	bool off_home;	 /* a task is not where its network lives: no room there; or that is open */
	struct node_id home; /* where its network lived when home_settle() looked last, ... */
	bool home_seen;	     /* ... which it has */
	struct job_facts facts;
	struct roster *roster; /* NULL: none of its tasks is to be replaced or to become ready */
	bool to_move;	       /* a task of it may have a node on record that it is to move to */
	int standing_said;
	int64_t roll_due_ms; /* of its live item in manager.rolling */
	int64_t run_due_ms;  /* of its live item in manager.scheduled, ... */
	int64_t run_next_ms; /* ... which is for this run; wall clock */
};

/* What the manager remembers of a node between steps. */
struct node_watch {
	struct node_id id;
	struct session *session;
	uint64_t digest;     /* of its desired set */
	bool lost;	     /* Down, or without Docker for long: its tasks are unreachable */
	int64_t degraded_ms; /* monotonic: without Docker since */
	bool docker_silent;  /* so said its newest message, before our start too where leases ask */
	struct uuid displaced; /* the life whose session another one's has ended; zero: none */
	bool timed;	       /* in manager.judged, ... */
	int64_t due_ms;	       /* ... with this key */
};

/* The brake on replacing what was lost. */
struct pace {
	struct queue lost;	      /* nodes by the time they were lost */
	int64_t hold_until_ms;	      /* a storm: nothing is replaced before */
	bool storm;		      /* none of its nodes has returned yet */
	int64_t window_ms;	      /* when the present window began */
	int64_t window_n, window_max; /* what was replaced in it, and may be */
	int64_t wake_ms;	      /* when what is held is tried again; INT64_MAX: nothing is */
};

struct manager {
	struct manager_options options;
	struct cluster cluster;
	struct scheduler_memory *memory;
	bool started;
	int64_t started_ms;
	/* This step's. */
	const struct manager_in *in;
	struct manager_out *out;
	struct random random;
	bool group_held; /* a request's group is open: nothing may split it */
	size_t group_from;
	size_t group_counted;
	size_t group_bytes;

	int64_t id_ms;			 /* of the newest id; never falls */
	uint32_t id_count, watch_number; /* within its millisecond; of the newest job_watch */

	struct map jobs;	 /* job id -> job_watch */
	struct map nodes;	 /* node id -> node_watch */
	struct map sessions;	 /* number -> session */
	struct map pending;	 /* task id -> pending */
	struct map classes;	 /* hash -> task_class */
	struct map moves;	 /* id of the old task -> move */
	struct map trials;	 /* task id -> trial */
	struct map claims;	 /* hash of a Docker and its machine's boot -> node_id */
	struct map dependents;	 /* a job by name -> those of other projects that name it */
	size_t dependents_swept; /* how many there were when it was last swept */

	struct job_id *dirty; /* reconcile these, in this order */
	size_t n_dirty, dirty_capacity;
	struct job_id *touched; /* changed in this step: tell how they stand */
	size_t n_touched, touched_capacity;
	uint64_t *speakers; /* sessions that owe a message */
	size_t n_speakers, speakers_capacity;
	struct telling telling;

	uint64_t stamp;
	struct queue timed;	 /* tasks by due_ms */
	struct queue deadlines;	 /* tasks by deadline_ms */
	size_t n_deadlines;	 /* live ones */
	struct queue moving;	 /* old tasks by the time they are not waited for any longer */
	struct queue rolling;	 /* jobs by the time their update is looked at again */
	struct queue scheduled;	 /* jobs by the time that clocks are looked at for their next run */
	struct queue judged;	 /* nodes by the time they are judged if nothing changes */
	bool judging;		 /* there is one */
	int64_t judged_ms;	 /* the last time that was looked at */
	int64_t unread_until_ms; /* we stood still: no node is judged before */
	struct queue leaving;	 /* nodes that have left by the time they are forgotten */
	struct queue removed;	 /* those that are remembered as removed, by the time that ends */
	struct pace pace;
	uint64_t round; /* the column after the last pick: where roundrobin goes on */
	bool wake;	/* room was freed, or a node changed: try what is parked */
	int64_t sweep_ms;
	size_t n_parked;   /* tasks in parked classes */
	size_t n_off_home; /* jobs with a task that is */
	struct keep keep;

	struct strings shelves_changed; /* projects of which a revision went in this step */
	struct strings removable;	/* volumes to be removed that nobody uses, by name */
	bool volumes_changed;
	struct queue answers_kept;  /* idempotency records by monotonic expiry */
	int64_t tokens_due_wall_ms; /* when the first token expires; INT64_MAX: there is none */
};

/* step.c: groups, ids, lists of out */
void group_begin(struct manager *manager);
void group_end(struct manager *manager);
/* The next `n_records` records share one group. */
void group_reserve(struct manager *manager, size_t n_records);
struct uuid id_next(struct manager *manager);
void id_seen(struct manager *manager, struct uuid id);
struct uuid key_of_number(uint64_t number);
/* Wall time as records hold it: never before 1970, never beyond what a record takes. */
int64_t wall_now(const struct manager *manager);
/* Wall time left until `wall_ms`, at most `max_ms`: a clock that was set back must not make anything wait for years. */
int64_t wall_left_ms(const struct manager *manager, int64_t wall_ms, int64_t max_ms);
struct manager_reply *out_reply(struct manager *manager, uint64_t handle);
struct manager_down *out_down(struct manager *manager, uint64_t session);

/* happening.c. Strings but `subject` and `message` are static. */
void happen(struct manager *manager, const char *kind, const char *subject, struct uuid id,
	    const char *state, const char *reason, const char *message);
void happen_task(struct manager *manager, const struct task *task, const char *state);

/* watch.c: jobs between steps */
struct job_watch *job_watch(struct manager *manager, struct job_id id);
void job_watch_delete(struct manager *manager, struct job_id id);
/* Reconcile it, and look at all its slots. */
void job_dirty(struct manager *manager, struct job_id id);
/* ... at those of which the time has come. */
void job_due(struct manager *manager, struct job_id id);
/* ... at the slot of the task, which has changed. */
void task_dirty(struct manager *manager, const struct task *task);
#define JOB_NAME_SIZE 136
/* "shop/web". */
const char *job_name(const struct job_entry *entry, char out[JOB_NAME_SIZE]);

/* tasks.c: every change of a task */
struct task *task_create(struct manager *manager, struct job_entry *entry, int64_t slot,
			 const struct task *old);
/* Place a Pending task where `pick` says; takes the ports of `pick`. */
void task_place(struct manager *manager, struct task *task, struct scheduler_pick *pick);
/* Place a new task where `pick` says, in the slot of one whose node is lost, and declare that one lost. */
void task_replace_lost(struct manager *manager, struct task *lost, struct scheduler_pick *pick);
/* On a lost node, and its successor on `node` is ready: declare it lost. */
void task_lose(struct manager *manager, struct task *lost, const struct node_entry *node);
/* Its node is being removed: whatever was of it is gone. It may be deleted on return. */
void task_write_off(struct manager *manager, struct task *task);
/* Take back a task that was to take over its slot: it is history. It may be gone on return. */
void task_withdraw(struct manager *manager, struct task *task);
/* Not final: end it. One that was never placed is Completed at once. */
void task_stop(struct manager *manager, struct task *task, int reason);
/* On a node, and wanted: end it, and keep on record why. */
void task_stop_because(struct manager *manager, struct task *task, int reason, const char *message);
void task_verdict(struct manager *manager, struct task *task, int state, int reason,
		  const char *message);
/* Let a final task be forgotten; or, when its job goes, stop and forget any. It may be gone on return. */
void task_remove(struct manager *manager, struct task *task);
/* Pending: end its back-off. */
void task_hurry(struct manager *manager, struct task *task);
void task_delete(struct manager *manager, struct task *task);
void task_report(struct manager *manager, struct node_entry *node,
		 const struct task_observed *observed);
void task_set_waiting(struct manager *manager, struct task *task, int reason, const char *message);
/* Put on record how its slot did in the present update. */
void task_set_trial(struct manager *manager, struct task *task, int trial);
void task_set_unreachable(struct manager *manager, struct task *task, bool unreachable);
/* Part of its node's desired set? */
bool task_in_set(const struct task *task);
/* On a node: as its worker is to see it; ports are borrowed from the task. */
struct sync_assignment task_assignment(const struct manager *manager, const struct task *task);

/* slots.c: what a slot needs */
enum slot_look {
	SLOT_EMPTY = 0,
	SLOT_LIVE,   /* the current revision, wanted, not final */
	SLOT_OLD,    /* not final, of an older revision or restart, not yet asked to stop */
	SLOT_ENDING, /* asked to stop, or ended and not confirmed gone */
	SLOT_NEXT,   /* ended: a new task is due */
	SLOT_DONE,   /* succeeded */
	SLOT_LEFT,   /* given up until a new revision or a restart */
};
/* Is a task wanted in the slot? */
enum slot_want {
	SLOT_UNWANTED =
		0, /* beyond the replicas, or its node has gone: what is there ends and is forgotten */
	SLOT_WANTED,
	/* Of global jobs: not counted, and nothing new is made there. */
	SLOT_KEPT,    /* its node is lost: what is there waits for the node */
	SLOT_DRAINED, /* its node is draining: what is there ends */
	SLOT_UNFIT,   /* its node does not match: what is there ends */
};
struct slot {
	int64_t number;
	int want;
	const struct node_entry *node; /* of a global job; NULL: it has gone */
	struct task *newest;	       /* withdrawn ones aside */
	struct task *moving; /* not final, and the newest is to take over from it; NULL: none */
	int64_t n_final;     /* not yet asked to be forgotten; withdrawn ones, too */
	bool lost;	     /* of a global job: kept because its task is unreachable */
};
struct slots {
	struct slot *items; /* ascending by number */
	size_t n;
	/* Of a job whose tasks take turns, those wanted that are not among the items: ... */
	int64_t n_succeeded; /* settled, ... */
	int64_t n_left;	     /* ... and given up; ... */
	int64_t n_later;     /* ... their turn has not come */
};
/* All slots the job wants or has a task in. The caller frees with slots_release(). */
void slots_build(const struct cluster *cluster, const struct job_entry *entry,
		 struct slots *ret_slots);
void slots_release(struct slots *slots);
struct slot *slots_find(const struct slots *slots, int64_t number);
int64_t job_replicas(const struct job_entry *entry);
bool job_runs_to_completion(const struct job_entry *entry);
/* As many tasks as a job of this specification has side by side at most, with the nodes there are. */
int64_t tasks_at_most(const struct cluster *cluster, const struct job_spec *spec);
/* Made for another revision or an older restart than the job's current one. */
bool task_is_stale(const struct job_entry *entry, const struct task *task);
/* Of another revision, and kept at it, its successors included: the update was paused before it came to its slot. */
bool task_is_kept(const struct job_entry *entry, const struct task *task);
/* Stale, and not kept: nothing of it goes on. */
bool task_is_behind(const struct job_entry *entry, const struct task *task);
/* Of what revision the next task is in the slot of this one (NULL: of none yet). */
const struct job_revision *successor_revision(const struct job_entry *entry,
					      const struct task *task);
/* Made in the place of another one, by the update to the current revision or by the present restart. */
bool task_is_of_update(const struct job_entry *entry, const struct task *task);
/* It was to take over a slot and is no longer: none of the slot's tasks any more. */
bool task_is_withdrawn(const struct task *task);
/* Ready, within reach, and to stay. */
bool task_serves(const struct task *task);
/* Who serves the slot: while a move goes on, the one that is ready. NULL: empty. */
const struct task *slot_server(const struct slot *slot);
/* Its node was lost or removed, and its slot goes on without it: a container of it may be left there. */
bool task_is_given_up(const struct task *task);
/* No container of it can be left, or it was given up. */
bool task_is_off(const struct task *task);
/* Why it ended, seen from the slot: what we asked for wins over what came of it, and success of a run over both. */
int task_end_reason(const struct job_entry *entry, const struct task *task);
int slot_look(const struct job_entry *entry, const struct task *newest);
/* On a lost node, where a container of it may be left, and another is wanted elsewhere: not between two runs. */
bool may_replace_lost(const struct job_entry *entry, const struct task *task);
void slots_facts(const struct job_entry *entry, const struct slots *slots,
		 struct job_facts *ret_facts);
/* Wanted, and filled by a task of an older revision or restart? */
bool slot_is_old(const struct job_entry *entry, const struct slot *slot);

/* turns.c */
/* How many tasks of the job there are side by side at most. */
int64_t job_at_once(const struct job_entry *entry);
/* Fewer than it has slots? */
bool job_takes_turns(const struct job_entry *entry);
/* Has it come to its end, and are its tasks forgotten or to be? */
bool slot_is_settled(const struct job_entry *entry, int64_t slot);
/* The slots of such a job without its tasks: those that have tasks, and as many empty ones as may be filled at once. */
void turns_slots(const struct job_entry *entry, struct slots *ret_slots);
/* How many more tasks there may be; INT64_MAX: any. */
int64_t turns_free(const struct job_entry *entry, const struct slots *slots);
/* Put on record what became of slots that ended long ago; `in_vain`: and of those that never will have a turn. */
void turns_settle(struct manager *manager, struct job_entry *entry, const struct slots *slots,
		  bool in_vain);

/* global.c */
bool job_is_global(const struct job_entry *entry);
/* The slots of a global job without its tasks. */
void global_slots(const struct cluster *cluster, const struct job_entry *entry,
		  struct slots *ret_slots);
/* Nodes that changed since: who may have to come or go there is reconciled. */
void nodes_see_changes(struct manager *manager);
/* Tasks whose node no longer matches leave it. */
void tasks_leave_unfit(struct manager *manager, const struct job_entry *entry);

/* home.c: a task that is not where the networks it shares live goes there, if it fits. */
void tasks_come_home(struct manager *manager, const struct job_entry *entry);
/* The job has changed: where that has moved its home, all who share it are reconciled. */
void home_settle(struct manager *manager, const struct job_entry *entry);
/* A job has changed, a node has become ready, room was freed: who may come home now is reconciled. */
void home_joined(struct manager *manager, const struct job_entry *entry);
void home_node_ready(struct manager *manager, const struct node_entry *node);
void home_room_freed(struct manager *manager);

/* intake.c */
void intake(struct manager *manager);

/* plan.c: the records of one request, checked and counted before the first is written */
struct plan_job {
	struct job job;
	bool put;
	struct job_revision revision;
	bool put_revision;
	int effect;
};
struct plan {
	struct project project;
	bool put_project;
	LIST_OF(struct plan_job) jobs;
	LIST_OF(struct plan_job)
	others; /* of other projects, to be restarted with those; ahead of the rest */
	LIST_OF(struct volume_record) volumes;
	LIST_OF(struct content_record) contents; /* not stored yet, in groups ahead of the rest */
	int64_t deployment;			 /* of the revisions that it makes */
	bool delete_project;			 /* it has no jobs */
	struct task *task;			 /* the request is about this one */
	int task_act;				 /* REQUEST_STOP or REQUEST_RESTART; 0: none */
	int64_t slot; /* of task_act RESTART on an ended task: fill it anew */
};
void plan_release(struct plan *plan);
/* Put a job's record, a revision's, or both (NULL: not that one; takes what they hold). Room in a group is reserved. */
void job_write(struct manager *manager, struct job *job, struct job_revision *revision);
/* The plan for one job: a copy of its record to change, or an empty one. The pointer lives until the next add. */
struct plan_job *plan_job_add(struct plan *plan, const struct job_entry *entry, int effect);
struct plan_job *plan_job_find(const struct plan *plan, struct job_id id);
/* The job runs (again): every task is made anew. */
void plan_job_restart(struct plan_job *job);
/* What had become of slots that are scaled away is forgotten. */
void plan_job_cut(struct plan_job *job);
/* The jobs that ask to be restarted with one the plan updates or restarts are to be, once that has been replaced. */
void plan_restart_dependents(struct manager *manager, struct plan *plan, const char *project);
/* Write what that has added to a plan for one job, outside of a request. */
void plan_write_dependents(struct manager *manager, struct plan *plan);
/* A copy of the job's current revision, to be changed. */
void plan_job_revise(struct plan_job *job, const struct job_entry *entry);
/* Write it all in one group, the remembered answer included; fills `answer`. */
enum err_code plan_commit(struct manager *manager, struct plan *plan,
			  const struct manager_request *request, const char *project,
			  struct manager_answer *answer, struct err *err) WARN_UNUSED;

/* basis.c: what a plan is made from */
void basis_take(const struct manager *manager, const char *project, struct plan_basis *ret_basis);
/* ERR_CONFLICT names what is not as the request's plan was made from. */
enum err_code basis_check(const struct manager *manager, const struct project_request *request,
			  struct err *err) WARN_UNUSED;

/* contents.c: configs and secrets */
/* What the jobs of the request use and is not stored, or was forgotten. */
enum err_code contents_plan(const struct manager *manager, struct plan *plan,
			    const struct project_request *request, struct err *err) WARN_UNUSED;
void contents_write(struct manager *manager, struct plan *plan);
/* A revision of the project went, or the project itself: at the end of the step what no revision uses any more goes,
 * with one look at the project however many went. */
void contents_look(struct manager *manager, const char *project);
void contents_prune(struct manager *manager);
void contents_start(struct manager *manager);
/* The task is in a message of the session's: what it needs and no other task has brought is owed from now on. */
void contents_owe(const struct manager *manager, struct session *session, const struct task *task);
/* The task is in the session's set no more; whole: none is, and nothing is owed. */
void contents_forget(struct session *session, struct task_id task);
void contents_forget_all(struct session *session);
/* Add to the message a part of what is owed; the rest goes with the next ones, each an answer to the worker, who
 * answers at once what carries contents. */
void contents_send(const struct manager *manager, struct session *session, struct sync_down *down);

/* apply.c */
enum err_code apply(struct manager *manager, const struct manager_request *request,
		    struct manager_answer *answer, struct err *err) WARN_UNUSED;
/* act.c */
enum err_code act(struct manager *manager, const struct manager_request *request,
		  struct manager_answer *answer, struct err *err) WARN_UNUSED;

/* idempotency.c */
/* The answer of an earlier request with the same key: true, and `reply` is filled. */
bool idempotency_recall(struct manager *manager, const struct manager_request *request,
			struct manager_reply *reply);
/* May the answer be kept under the request's key? Makes room: at LIMIT_IDEMPOTENCY_KEYS the oldest answer is forgotten.
 * ERR_INVALID for a key or caller that cannot be kept. */
enum err_code idempotency_check(struct manager *manager, const struct manager_request *request,
				struct err *err) WARN_UNUSED;
void idempotency_encode(const struct manager_answer *answer, struct text *out);
void idempotency_keep(struct manager *manager, const struct manager_request *request,
		      const struct manager_answer *answer);
void idempotency_start(struct manager *manager);
void idempotency_expire(struct manager *manager);

/* trust.c */
bool trust_is_meant(int request_kind);
enum err_code trust(struct manager *manager, const struct manager_request *request,
		    struct manager_reply *reply, struct err *err) WARN_UNUSED;
void tokens_start(struct manager *manager);
void tokens_expire(struct manager *manager);
int64_t tokens_deadline(const struct manager *manager);

/* sessions.c and publish.c */
void session_opened(struct manager *manager, const struct manager_event *event);
void session_up(struct manager *manager, uint64_t number, const struct sync_up *up);
void session_closed(struct manager *manager, uint64_t number);
/* What it holds, not itself. */
void session_release(struct session *session);
void session_delete(struct manager *manager, struct session *session);
void session_speak(struct manager *manager, struct session *session);
/* End it; `code` (enum sync_close) and `why` are told to the worker. */
void session_dismiss(struct manager *manager, struct session *session, int code, const char *why);
/* The task's part of its node's desired set changed. */
void session_task_changed(struct manager *manager, const struct task *task);
uint64_t template_number(struct manager *manager, const struct task *task);
void publish(struct manager *manager);
/* When the next session that waits for it may be sent its message. */
int64_t publish_deadline(const struct manager *manager);

/* move.c */
/* Bring the move of a slot on, or call it off. */
void move_settle(struct manager *manager, struct job_entry *entry, struct slot *slot);
/* Must the slot's task leave its node? Then begin. */
void move_begin(struct manager *manager, struct job_entry *entry, struct slot *slot);
/* Is nothing left of the one it took over from? Until then nobody can be started beside it. */
bool move_is_over(const struct manager *manager, const struct task *task);
/* Let a new task take over from the slot's, which is ready. */
void move_start(struct manager *manager, struct job_entry *entry, struct slot *slot);
/* How far a task has come on its way to be ready; rises. */
enum stage { STAGE_NONE = 0, STAGE_PLACED, STAGE_HAS_IMAGE, STAGE_RUNS };
int task_stage(const struct task *task);
/* How long a task that has come so far may take to come further, where each step may take `step_ms`. */
int64_t stage_limit_ms(const struct job_spec *spec, int stage, int64_t step_ms);
/* Has the successor looked for a node for so long that the task it replaces is stopped without it? */
bool move_has_waited(const struct manager *manager, const struct pending *pending);
/* What a task waits for that another is to take over from; false: none is. */
bool move_tell(const struct manager *manager, const struct task *task, struct text *out);
/* The task is final. */
void move_forget(struct manager *manager, struct task_id task);
/* Jobs whose moves have come no further for long are looked at again. */
void moves_due(struct manager *manager);
int64_t moves_deadline(const struct manager *manager);

/* May the successor of the task run beside it? */
bool move_may_run_twice(const struct manager *manager, const struct job_entry *entry,
			const struct task *task);

/* pace.c */
void pace_node_lost(struct manager *manager, const struct node_entry *node);
void pace_node_back(struct manager *manager);
/* The manager stood still for so long until now. */
void pace_stood_still(struct manager *manager, int64_t for_ms);
/* Of one that pending_is_paced(): may it be placed now? Else pace.wake_ms says when to ask again. */
bool pace_allows(struct manager *manager, const struct pending *pending);
void pace_count(struct manager *manager, const struct pending *pending);
void pace_park(struct manager *manager, struct task_class *class);
void pace_wake(struct manager *manager);

/* node_act.c: requests about nodes */
enum err_code node_act(struct manager *manager, const struct manager_request *request,
		       struct manager_answer *answer, struct err *err) WARN_UNUSED;

/* removed.c: nodes that were removed, once their record is forgotten */
/* Remember it; in the group of whatever else is forgotten of it: two records. `name` may be NULL. */
void removed_remember(struct manager *manager, struct node_id id, const char *name,
		      int64_t removed_wall_ms);
void removed_start(struct manager *manager);
void removed_expire(struct manager *manager);
int64_t removed_deadline(const struct manager *manager);

/* nodes.c */
struct node_watch *node_watch(struct manager *manager, struct node_id id);
const char *node_name(const struct node_entry *node);
/* Write what a session says of its node: one that is not known joins. `node` NULL: not known. */
struct node_entry *node_introduce(struct manager *manager, struct node_entry *node,
				  const struct session *session, const struct sync_up *up);
void node_heard(struct manager *manager, struct node_entry *node, bool runtime_ok);
/* Its record's `draining` has changed. */
void node_drain(struct manager *manager, struct node_entry *node);
/* Its record says that it has left. */
void node_left(struct manager *manager, const struct node_entry *node);
/* Is the grace after our start not over yet? */
bool nodes_in_grace(const struct manager *manager);
void nodes_start(struct manager *manager);
void nodes_judge(struct manager *manager);
/* May another node join? False: ERR_LIMIT in `err`. */
bool nodes_have_room(const struct manager *manager, struct err *err);
int64_t nodes_deadline(struct manager *manager);

/* claim.c */
/* The node that has the Docker of these facts, and keeps it; NULL: it is the caller's from now on. */
const struct node_entry *claim_docker(struct manager *manager, struct node_id id,
				      const struct node_facts *facts);
void claims_start(struct manager *manager);

/* lease.c */
/* Monotonic: not started elsewhere earlier; INT64_MIN: at once. INT64_MAX: no time proves that its container ended. */
int64_t lease_over_ms(const struct manager *manager, const struct task *task);
/* What an unreachable task waits for before it is started elsewhere; false: for no lease. */
bool lease_tell(const struct manager *manager, const struct task *task, struct text *out);

/* trial.c */
/* How an update's newest task of a slot does (enum task_trial). `*ret_due_ms` is lowered to when to look again. */
int trial_judge(struct manager *manager, const struct job_entry *entry, struct task *task,
		int64_t *ret_due_ms);
/* Monotonic: the task is ready since; INT64_MAX: it is not. */
int64_t trial_ready_ms(const struct manager *manager, const struct task *task);
/* The task is final. */
void trial_forget(struct manager *manager, struct task_id task);

/* update.c */
bool job_is_rolling(const struct job_entry *entry);
/* The policy that rules: that of an update, or of going back. */
const struct update_policy *update_policy_of(const struct job_entry *entry);
/* Have more failed than may? */
bool update_is_failing(const struct update_policy *policy, const struct job_facts *facts);
/* Jobs whose update has something due are looked at again. */
void updates_due(struct manager *manager);
int64_t updates_deadline(const struct manager *manager);

/* rollback.c */
/* The revision to go back to from the current one where none is named; NULL: there is none. */
const struct job_revision *rollback_target(const struct job_entry *entry);
/* The revision of that number, or with 0 rollback_target(). NULL: ERR_NOT_FOUND. */
const struct job_revision *rollback_find(const struct job_entry *entry, int64_t number,
					 struct err *err);
/* Has the number of tasks been set since the current revision was asked for? Then the target is to have it too:
 * `ret_revision` is the target's record with it, which the caller puts. */
bool rollback_keeps_scale(const struct job_entry *entry, const struct job_revision *target,
			  struct job_revision *ret_revision);
/* The job's record as it is once it has gone back. `message` may be NULL. */
void rollback_plan(const struct manager *manager, struct job *job,
		   const struct job_revision *target, const char *message);

/* reconcile.c, prune.c */
void reconcile(struct manager *manager);
void prune_revisions(struct manager *manager, struct job_entry *entry);

/* pending.c and place.c */
void pending_add(struct manager *manager, struct task *task, bool lost);
void pending_drop(struct manager *manager, struct task_id task);
struct pending *pending_get(const struct manager *manager, struct task_id task);
void pending_gate(struct manager *manager, struct task *task, const char *message);
/* The gate is open: by time or in the queue. */
void pending_settle(struct manager *manager, struct task *task);
struct pending *pending_of(const struct manager *manager, const struct queue_item *item);
void pending_enqueue(struct manager *manager, struct pending *pending);
/* Where its tasks may be placed may have changed. */
void pending_class_anew(struct manager *manager, const struct job_entry *entry);
/* Subject to the brake? */
bool pending_is_paced(const struct pending *pending);
void pending_due(struct manager *manager);
void pending_deadlines(struct manager *manager);
int64_t pending_deadline(struct manager *manager);
/* What the scheduler is asked about: the task itself, or what would replace it. */
void pending_model(const struct manager *manager, const struct task *task, bool lost,
		   struct task *ret_model);
void class_unpark(struct manager *manager, struct task_class *class);
void class_delete(struct manager *manager, struct task_class *class);
/* The first live item of the queue, or NULL; stale ones on the way are dropped. */
const struct queue_item *class_first(struct manager *manager, struct task_class *class);
void place(struct manager *manager);

/* keep.c */
/* Keep a node for the task that has waited for longest, or for nobody. */
void keep_refresh(struct manager *manager);
/* Is the task that a node is kept for placed or gone, or the node not ready? Then the node is kept no more. */
void keep_check(struct manager *manager);
/* The node this task must leave for the one that waits; NULL: it may go where it likes. */
const struct node_entry *keep_forbids(const struct manager *manager, const struct task *task,
				      const struct pending *pending);

/* volumes.c */
#define VOLUME_LABEL_SIZE (2 * VOLUME_NAME_SIZE)
/* How notes name a volume: "shop_data"; with its node where each node has its own: "shop_data on alpha". */
const char *volume_label(const struct manager *manager, const struct volume_record *volume,
			 char out[VOLUME_LABEL_SIZE]);
/* The first job (by name) that uses it; NULL: none. Jobs the plan (may be NULL) removes do not count. */
struct job_entry *volume_user(const struct manager *manager, const char *name,
			      const struct plan *plan);
bool job_uses_volume(const struct manager *manager, const struct job_entry *entry,
		     const char *name);
/* How many pins the first placement of this task would write at most. */
size_t volume_pins_max(const struct job_spec *spec);
/* Tie the volumes the task mounts to the node, where they are not tied yet. */
void volume_pin(struct manager *manager, const struct task *task, const struct node_entry *node);
/* Is the volume, or its copy on some node, asked to be removed? */
bool volume_is_removing(const struct manager *manager, const char *name);
void volume_removed(struct manager *manager, struct node_entry *node,
		    const struct sync_volume *volume);
void volumes_refresh(struct manager *manager);

#endif
