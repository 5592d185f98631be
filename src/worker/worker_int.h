/* What the files of the worker's core share. Nobody else includes this.
 *
 * One turn (worker_step): events are taken in (desired.c, result.c), every task that something
 * happened to is converged (converge.c), then what changed is persisted and published
 * (persist.c, report.c). A task is driven by what is *known* of its container, never by a
 * remembered plan: after a crash nothing is known, so it is inspected, and the same code goes on
 * from there. */
#ifndef WORKER_WORKER_INT_H
#define WORKER_WORKER_INT_H

#include "base/map.h"
#include "worker/worker.h"

#define NEVER_MS INT64_MAX

/* Numbers for versions and reports are reserved on disk this many at a time. */
#define NUMBERS_RESERVED 1000
/* Actions in flight at once; what is above waits its turn. */
#define ACTIONS_MAX 32
/* An answer later than the action's own timeout plus this is not waited for any more. */
#define ANSWER_MARGIN_MS 10000
/* In-place tries of a start that fails for no reason of its own. */
#define START_TRIES_MAX 3
/* Tries of a hook whose answers leave open whether it was run. */
#define HOOK_TRIES_MAX 3
/* Pause after an answer that leads nowhere (Docker away, a network still being removed). */
#define RETRY_MS 1000
/* While a container is being stopped it is looked at this often, should the hint be lost. */
#define STOP_POLL_MS	   1000
#define KILL_POLL_FIRST_MS 100
#define KILL_POLL_MAX_MS   5000
/* An orphan gets this long between its stop signal and SIGKILL. */
#define ORPHAN_STOP_MS 3000
/* Templates no task uses that are kept for the next task of their job. */
#define TEMPLATES_UNUSED_MAX 64
/* Restarts that are remembered for a restart window; a larger max_attempts counts as this. */
#define RESTARTS_REMEMBERED 1000
/* What is written where no template tells. */
#define STOP_GRACE_DEFAULT_MS 10000
/* Messages whose answer tells how long leases run. */
#define SENT_KEPT 64

/* ---- persisted ---- */

/* RECORD_META. */
struct worker_meta {
	struct node_id node;
	struct uuid cluster; /* zero: none yet */
	char *boot_id;
	int64_t epoch, rev;	 /* newest taken */
	int64_t numbers_ceiling; /* versions and reports below this may have been used */
	int64_t answered_ms; /* a message sent then was answered, in this boot; 0: none; see lease.c */
	int removal;	     /* enum worker_removal */
};
extern const struct record_type worker_meta_type;

struct worker_restart {
	int64_t at_ms;
};
extern const struct record_type worker_restart_type;

/* RECORD_ASSIGNMENT, as it is stored; what is held of it is struct worker_task. Times in `_ms` are CLOCK_BOOTTIME and start anew with each boot.
 * `observed.attempt` is the number of the current attempt. */
struct worker_record {
	struct sync_assignment desired; /* as the manager wrote it */
	int wanted;			/* the most that was ever wanted: only rises */
	bool forgotten;			/* not listed any more: remove it, then this record */
	struct task_observed observed;
	int64_t attempt_first;	   /* containers of attempts below this are gone for certain */
	int64_t attempt_ran;	   /* newest known to have run; has the anonymous volumes */
	int64_t attempt_signalled; /* newest attempt we sent a signal to, or were about to */
	bool killed;		   /* that signal was, or may have been, SIGKILL after the grace */
	int ending_reason;	   /* enum reason: why we stop this attempt ourselves, or 0 */
	char *ending_message;
	bool machine_restarted;	 /* since the current attempt was made */
	int64_t daemon_instance; /* run of Docker it was started under; 0: not started */
	int64_t started_ms;	 /* when the newest attempt was seen running */
	int64_t restart_at_ms;	 /* the current attempt is not made before this */
	int64_t restarts_in_row; /* without a stable time between; drives the back-off */
	int64_t start_tries;	 /* failed ones since it last ran */
	int64_t assigned_ms;
	int64_t hooks_done; /* of the current attempt: post_start hooks that have succeeded */
	LIST_OF(struct worker_restart)
	restarts; /* that the window may count */
};
extern const struct record_type worker_record_type;

/* ---- in memory ---- */

enum { CONTAINER_UNKNOWN = -1 }; /* beside enum container_state */

/* Why something ended or cannot be. */
struct verdict {
	int reason;    /* enum reason */
	char *message; /* owned by whoever holds the verdict */
};

/* RECORD_TEMPLATE. */
struct worker_template {
	struct sync_template sync;
	size_t users;		/* tasks that point here */
	size_t releasing;	/* of them, those that have nothing left but perhaps networks */
	uint64_t contents_mark; /* when its configs and secrets were seen to be used last */
	struct worker_template *prev, *next;
	struct worker_template *of_job; /* another revision's */
};

/* Steps of a start, in order; `path_index` counts networks and volumes. */
enum path { PATH_PULL = 0, PATH_NETWORKS, PATH_VOLUMES, PATH_CREATE };

/* The bytes of a config or secret: in memory only. */
struct worker_content {
	char *hash;
	char *data; /* base64 */
	uint64_t mark;
	struct worker_content *next;
};

enum stop_stage { STOP_NOT = 0, STOP_LOOKED, STOP_HOOKS, STOP_ASKED, STOP_KILLED };

/* A health check that the worker makes, of a task's current attempt. */
struct worker_health {
	struct worker_task *task;
	int status;	  /* enum task_health */
	bool adopted;	  /* it ran before this life of the worker */
	int64_t failures; /* in a row, those that count */
	int64_t failures_in_row;
	char *words; /* of the newest failure: "answered 503" */
	int64_t asked_ms;
	int64_t next_ms; /* 0: not known yet */
	uint64_t op;	 /* the question under way; 0: none */
	bool in_queue;
	bool unasked_told; /* that this machine could not ask */
	struct worker_health *queue_prev, *queue_next;
};

/* What is kept of the newest inspection that found a task's container. */
struct worker_seen {
	char *id;	     /* NULL: the one that is reported */
	char *error;	     /* Docker's words; NULL: none */
	char *stop_signal;   /* NULL: SIGTERM */
	char *health_output; /* NULL: none */
	char *address;	     /* NULL: not asked for, or none */
	int64_t exit_code;
	int64_t started_wall_ms;
	int64_t finished_wall_ms;
	int health; /* enum task_health */
	bool oom_killed;
};

/* What few tasks have of their records. */
struct worker_rare {
	struct job_id job; /* both only where no template is known */
	int64_t revision;
	int64_t attempts_before;
	LIST_OF(struct port_grant) ports;
	LIST_OF(struct worker_restart) restarts;
	struct observed_rest observed;
	char *ending_message;
	int64_t restart_at_ms;
	int64_t restarts_in_row;
	int64_t start_tries;
};

/* There may be ten thousand: of its record each member is as narrow as its bounds and called as there (`asked` is
 * desired.wanted), nothing is held twice, and what few tasks have lies apart. record.c makes the one from the other. */
struct worker_task {
	struct task_id id; /* a task begins with it */
	struct observed_half observed;
	struct worker_template
		*template; /* of its job and revision; NULL: not known, then `rare` has these */
	struct worker_rare *rare; /* NULL: all of it is zero; use worker_rare() */
	int64_t daemon_instance;
	int64_t started_ms;
	int64_t assigned_ms;
	int32_t slot;
	int32_t attempt_first;
	int32_t attempt_ran;
	int32_t attempt_signalled;
	uint8_t wanted;
	uint8_t asked;
	uint8_t stop_reason;
	uint8_t ending_reason;
	uint8_t hooks_done;
	bool forgotten;
	bool killed;
	bool machine_restarted;

	struct worker_task *prev, *next; /* all tasks, in order of arrival */
	uint64_t set_mark;		 /* the last full set that listed it */
	int64_t not_before_ms;		 /* nothing is tried before this */
	size_t due_position;		 /* due again: position in the heap, from 1; 0: not in it */
	int64_t due_ms;
	struct worker_task *dirty_next;
	struct worker_task *unsaved_next;

	/* The container of the current attempt. */
	struct worker_seen seen;
	int64_t seen_at_ms;	/* when that was */
	uint64_t seen_instance; /* which run of Docker said so */
	uint64_t list_mark;	/* the last list that showed it, and how */
	int list_state;
	int list_health;
	int container;	   /* enum container_state or CONTAINER_UNKNOWN */
	int old_container; /* the same of attempt_first, while that is an older one */

	/* The action in flight; 0: none. Never two of one task. */
	uint64_t op;
	int64_t op_attempt;
	uint64_t op_last; /* newest action ever begun: a list begun before it says nothing new */
	int op_verb;

	/* A start. */
	int path;
	uint32_t path_index;
	struct worker_task *queue_prev, *queue_next;
	struct verdict start_failure; /* of the newest try */
	char *resource_name;	      /* the newest that an action of it borrowed */

	struct worker_health *health; /* NULL: none, or not begun */

	/* Hooks. */
	uint32_t pre_stop_done; /* in this stop */
	int hook_tries;		/* of the present one, without a clear answer */
	char *hook_failure;	/* of pre_stop: how it failed; NULL: it did not */

	/* A stop. */
	int64_t kill_at_ms;
	int64_t poll_at_ms;
	int64_t poll_gap_ms;
	int stop_stage;

	bool look;	    /* something happened to its container */
	bool memory_looked; /* looked twice whether memory ran out */
	bool foreign;	    /* its name is taken by a container that is not ours */

	bool has_slot;
	bool in_queue;
	bool told_to_wait;   /* the manager knows that it waits for a slot */
	bool told_lease;     /* and that it waits for an answer */
	bool pulled;	     /* for the current attempt */
	bool image_gone;     /* it was there when an earlier attempt ran */
	bool files_there;    /* so said the shell in this life */
	bool lacks_contents; /* waits for the manager to hand them over */
	bool create_asked;   /* and not answered clearly: an inspection that finds it is progress */
	bool signal_asked;   /* in this stop */
	bool releasing;	     /* its containers are removed for good: it holds no network any more */
	bool dirty;	     /* to be converged in this turn */
	bool unsaved;	     /* record differs from disk */

	/* Not acknowledged yet. */
	bool unacked;
	int64_t reported_in; /* first report with this version; 0: none yet */
	struct worker_task *unacked_prev, *unacked_next;
};

/* A labelled container that no task accounts for. */
struct stray {
	struct container_seen seen;
	bool orphan; /* its task is not ours; else an attempt that should not be there */
	bool looked; /* inspected in this life: label and state are certain */
	int stop_stage;
	int64_t due_ms; /* do the next thing then */
	int64_t kill_at_ms;
	uint64_t op;
	uint64_t list_mark; /* the last list that showed it */
	char signal_name[32];
	struct stray *prev, *next;
};

/* A network with our label that no task uses, or a volume to remove. */
struct leftover {
	char *name;
	int64_t due_ms;
	uint64_t mark; /* the last list or message that named it */
	bool done;     /* volume: gone */
	bool tried;    /* network: a removal failed */
	char *message; /* volume: why not */
};

struct leftovers {
	struct leftover *items;
	size_t n;
	size_t capacity;
	uint64_t op;   /* one at a time; 0: none */
	char *op_name; /* what it removes */
};

struct sent_report {
	int64_t report; /* 0: none */
	int64_t at_ms;
};

enum op_owner { OP_TASK = 1, OP_LIST, OP_STRAY, OP_NETWORK, OP_VOLUME, OP_PROBE };

struct op {
	uint64_t op;
	int owner;
	int verb;
	struct worker_task *task;
	struct stray *stray;
	int64_t expires_ms;
};

struct worker {
	struct worker_options options;
	struct random random;
	bool started;
	struct worker_meta meta;
	bool meta_unsaved;

	struct map tasks;
	struct worker_task *task_first, *task_last;
	struct worker_template *template_first, *template_last;
	struct map templates; /* of each job the newest that came */
	size_t templates_unused;
	bool lacks_template; /* a task may have none */
	struct worker_content *content_first;
	bool contents_changed;	   /* one came, or a task uses its own no more */
	uint64_t contents_mark;	   /* counts the looks for those that nobody uses */
	int64_t contents_asked_ms; /* when the last whole set came, or was asked for because of them */
	uint64_t digest;	   /* sum over the assignments that are not forgotten */

	/* Of this turn. */
	int64_t now_ms;
	int64_t wall_ms;
	struct worker_out *out;
	struct worker_task *dirty_first, *dirty_last;
	struct worker_task *unsaved_first, *unsaved_last;
	void **lent; /* what this turn's actions borrow and nobody else holds */
	size_t n_lent, lent_capacity;

	/* The runtime. */
	bool runtime_up;
	bool runtime_heard; /* that it is up or not, at least once */
	uint64_t daemon_instance;
	bool listed; /* at least once in this life: nothing starts before */
	uint64_t list_op;
	uint64_t list_done_op; /* the newest list of all that was answered */
	int64_t list_at_ms;
	int64_t list_whole_at_ms; /* from then on the next one is of all; NEVER_MS: that is in flight */
	bool list_ended;	  /* the one in flight is only of those that have ended */
	int list_failures;	  /* of lists of all, in a row, as far as they are counted */
	uint64_t list_mark;

	struct op *ops;
	size_t n_ops, ops_capacity;
	uint64_t op_newest;

	struct worker_task **due; /* heap, earliest first; position 1 is due[0] */
	size_t n_due, due_capacity;

	/* Starts: those that have a slot, and those that wait, first in first out. */
	int64_t n_starting;
	struct worker_task *queue_first, *queue_last;

	/* Health checks: those under way, and those that wait for their turn. */
	int64_t n_probes;
	struct worker_health *probe_first, *probe_last;

	struct stray *stray_first, *stray_last;
	struct leftovers networks;
	struct leftovers volumes;

	/* The manager. */
	bool session;
	struct uuid instance; /* of this life */
	bool full_taken;      /* in this life */
	bool want_full;
	int64_t ask_full_at_ms; /* not asked again before */
	int64_t epoch_heard;	/* newest manager that all records were reported to */
	bool send;		/* say it in this turn, not only at the next beat */
	uint64_t set_mark;
	int64_t beat_at_ms;
	int64_t report_sent;	/* number of the last one in this session; 0: none */
	int64_t report_acked;	/* the highest of this session; 0: none */
	bool report_awaits_ack; /* records were said: what happens meanwhile is said after the ack */
	int64_t repeat_wait_ms; /* for how long nothing more is acknowledged before all is said again */
	int64_t repeat_at_ms;
	int64_t number_next; /* for versions and reports */
	bool has_facts;
	struct node_facts facts;
	bool facts_unacked;
	int64_t facts_reported_in;
	bool has_stats;
	struct node_stats stats;
	struct worker_task *unacked_first, *unacked_last;
	int64_t n_running;    /* tasks in that state */
	bool running_counted; /* and none of them has changed since */

	/* The end of a removed node: since when, and before which action, nothing of it is known to be left. */
	uint64_t removal_from_op;
	int64_t removal_from_ms;

	/* Leases. */
	struct sent_report sent[SENT_KEPT]; /* a ring */
	size_t sent_next;
	int64_t answered_ms; /* when the newest answered message was sent; 0: none yet */
	int64_t lease_at_ms; /* look at the leases then */
	bool lease_waited;   /* look at them with the next answer too */
	bool leased;	     /* there was one at the last look */
};

/* ---- worker.c ---- */
/* "project/job.slot", as notes name a task. */
#define TASK_LABEL_SIZE 160
const char *worker_task_label(const struct worker_task *task, char out[TASK_LABEL_SIZE]);
/* Converge it in this turn. */
void worker_task_mark_dirty(struct worker *worker, struct worker_task *task);
/* Its record is to be saved in this turn. */
void worker_task_mark_unsaved(struct worker *worker, struct worker_task *task);
struct worker_task *worker_task_new(struct worker *worker, struct task_id id);
/* Drop from memory; no action of it may be in flight. */
void worker_task_delete(struct worker *worker, struct worker_task *task);
struct worker_task *worker_task_get(const struct worker *worker, struct task_id id);
/* Its final state is written, or it may not run any more for another reason. */
bool worker_task_is_live(const struct worker_task *task);

/* ---- record.c: a task and its record ---- */
/* To read: never NULL. */
const struct worker_rare *worker_rare(const struct worker_task *task);
/* To write. Whoever may have made all of it zero marks the task dirty: converging frees it then. */
struct worker_rare *worker_make_rare(struct worker_task *task);
void worker_task_tidy(struct worker_task *task);
/* 0 is nothing to hold. */
void worker_task_set_restart_at(struct worker_task *task, int64_t at_ms);
void worker_task_set_start_tries(struct worker_task *task, int64_t n);
void worker_task_set_finished(struct worker_task *task, int64_t wall_ms);
/* These take their text. */
void worker_task_set_message(struct worker_task *task, char *message);
void worker_task_set_container_id(struct worker_task *task, char *container_id);
void worker_task_set_ending(struct worker_task *task, int reason, char *message);
const char *worker_task_message(const struct worker_task *task);
/* As the manager wrote it. Borrows from the task. */
void worker_task_get_desired(const struct worker_task *task, struct sync_assignment *ret_desired);
/* Copies. PRE: it can be held, and no template is bound. */
void worker_task_set_desired(struct worker_task *task, const struct sync_assignment *desired);
uint64_t worker_task_digest(const struct worker_task *task);
/* Borrows from the task, and from the caller's `container_id`. */
void worker_task_get_observed(const struct worker_task *task,
			      char container_id[TASK_CONTAINER_ID_SIZE],
			      struct task_observed *ret_observed);
void worker_task_get_record(const struct worker_task *task,
			    char container_id[TASK_CONTAINER_ID_SIZE],
			    struct worker_record *ret_record);
/* Moves: the record is zero afterwards. PRE: it can be held, and no template is bound. */
void worker_task_take_record(struct worker_task *task, struct worker_record *record);
/* What is held counts nothing further than LIMIT_TASK_COUNT. */
bool worker_can_hold_desired(const struct sync_assignment *desired);
bool worker_can_hold_record(const struct worker_record *record);
void worker_task_release_record(struct worker_task *task);

/* ---- text.c: sentences ---- */
/* A heap sentence of at most LIMIT_MESSAGE_BYTES, one line, cut between characters. */
char *worker_sentence(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The runtime's own words as the tail of a sentence: ": no such host" or "". Caller frees. */
char *worker_words_tail(const char *words);
/* Drop the bytes of a character at the end that was cut in two. */
void worker_drop_half_character(struct text *text);

/* ---- desired.c ---- */
void worker_desired_take(struct worker *worker, const struct sync_down *down);
/* As after a full set that is empty. */
void worker_desired_forget_all(struct worker *worker);
struct worker_template *worker_template_get(const struct worker *worker, struct job_id job,
					    int64_t revision);
struct worker_template *worker_template_put(struct worker *worker,
					    const struct sync_template *sync);
void worker_template_delete(struct worker *worker, struct worker_template *template);
/* Point the task at its template if that is known. */
void worker_task_bind_template(struct worker *worker, struct worker_task *task);
void worker_task_unbind_template(struct worker *worker, struct worker_task *task);
/* Drop templates nobody has used for longest, down to the limit. */
void worker_templates_trim(struct worker *worker);

/* ---- contents.c: configs and secrets ---- */
void worker_contents_take(struct worker *worker, const struct sync_down *down);
/* Drop what no task uses, and let go on who waited for what came. */
void worker_contents_settle(struct worker *worker);
void worker_contents_release(struct worker *worker);
/* Are the task's files there, or has it none? */
bool worker_contents_ready(const struct worker_task *task);
/* Ask the shell to see to them. */
void worker_contents_ask(struct worker *worker, struct worker_task *task);
void worker_contents_there(struct worker_task *task);
/* The shell said that they are not there, and bytes are missing. */
void worker_contents_lacking(struct worker_task *task);
/* True: bytes are missing still, and it waits for them. */
bool worker_contents_wait(struct worker *worker, struct worker_task *task);

/* ---- converge.c ---- */
void worker_task_converge(struct worker *worker, struct worker_task *task);
/* Nothing is known of its container any more: inspect it. */
void worker_task_forget_container(struct worker_task *task);
/* Make the next attempt the current one. The present one is certainly not running. */
void worker_task_next_attempt(struct worker *worker, struct worker_task *task);
/* Ask the runtime about the current container. */
void worker_task_inspect(struct worker *worker, struct worker_task *task);

/* ---- start.c ---- */
/* True when it gave up, and more can be done at once. */
bool worker_start_advance(struct worker *worker, struct worker_task *task);
/* Give back the slot, or the place in the queue. */
void worker_start_release(struct worker *worker, struct worker_task *task);
/* The runtime asks a registry for the image of this action: its task is shown so. */
void worker_start_pulling(struct worker *worker, uint64_t op);
void worker_start_result(struct worker *worker, struct worker_task *task,
			 const struct container_result *result);

/* ---- hooks.c ---- */
/* Are there post_start hooks to run before the task is said to run? */
bool worker_hooks_are_left(const struct worker_task *task);
/* Run the next of them. PRE: there is one. */
void worker_hooks_advance(struct worker *worker, struct worker_task *task);
/* An action that must not keep a stop waiting. */
bool worker_hooks_may_be_left(const struct worker *worker, const struct worker_task *task);
/* Run the next pre_stop hook, within the grace; false: there is none. */
bool worker_hooks_before_stop(struct worker *worker, struct worker_task *task);
void worker_hooks_result(struct worker *worker, struct worker_task *task,
			 const struct container_result *result);
/* It runs, and may not go on. Takes `message`. */
void worker_task_start_ending(struct worker *worker, struct worker_task *task, int reason,
			      char *message);

/* ---- health.c ---- */
/* Of a container that runs: what Docker says, or the worker's own check. */
int worker_health_of(struct worker_task *task);
/* Let this inspection tell the address that the check needs. */
void worker_health_want_address(struct worker_task *task, struct container_action *inspect);
/* Ask if it is time to. */
void worker_health_advance(struct worker *worker, struct worker_task *task);
void worker_health_result(struct worker *worker, struct worker_task *task,
			  const struct container_result *result);
/* The attempt is over, or is being stopped. */
void worker_health_end(struct worker *worker, struct worker_task *task);
/* The newest failure, for people. PRE: there is one. Caller frees. */
char *worker_health_told(const struct worker_task *task);

/* ---- lease.c ---- */
void worker_lease_start(struct worker *worker, bool machine_restarted);
/* A task of this specification came, or the specification has changed: if it has a lease, look at all in this turn. */
void worker_lease_watch(struct worker *worker, const struct job_spec *spec);
/* This report goes out now. */
void worker_lease_sent(struct worker *worker, int64_t report);
/* The manager has it, and what it answered with is taken. */
void worker_lease_answered(struct worker *worker, int64_t report);
/* Mark dirty whose lease is over. */
void worker_leases_look(struct worker *worker);
bool worker_lease_is_over(const struct worker *worker, const struct worker_task *task);
/* Is enough of its lease left to start a container? */
bool worker_lease_lets_start(struct worker *worker, struct worker_task *task);
/* Why it is stopped, for people. Caller frees. */
char *worker_lease_told(const struct worker_task *task);

/* ---- stop.c ---- */
/* The container runs and must not: the next rung of the ladder. */
void worker_stop_advance(struct worker *worker, struct worker_task *task);
void worker_stop_reset(struct worker_task *task);
void worker_stop_result(struct worker *worker, struct worker_task *task,
			const struct container_result *result);
/* How it was stopped, for people: "stopped by SIGTERM". Caller frees. */
char *worker_stop_told(const struct worker_task *task);

/* ---- remove.c ---- */
/* Remove dead containers that are not kept. True when an action began or must be waited for. */
bool worker_remove_advance(struct worker *worker, struct worker_task *task);
void worker_remove_result(struct worker *worker, struct worker_task *task,
			  const struct container_result *result);

/* ---- result.c ---- */
void worker_result_take(struct worker *worker, const struct container_result *result);
void worker_result_hint(struct worker *worker, const char *name);
/* Is this container the task's own, of that attempt? Anything else is not to be touched (I12). */
bool worker_seen_is_ours(const struct worker *worker, const struct container_seen *seen,
			 struct task_id task, int64_t attempt);
void worker_seen_release(struct worker_seen *seen);
/* "drover-TASKID-ATTEMPT" back into its parts. */
bool worker_container_name_parse(const char *name, struct task_id *ret_task, int64_t *ret_attempt);
/* Answer in place of the runtime what was never answered. */
void worker_result_expire(struct worker *worker);

/* ---- judge.c ---- */
/* Why the current attempt, seen EXITED or found ABSENT after it had run, ended. */
struct verdict worker_judge_end(const struct worker *worker, const struct worker_task *task);
/* Why a start cannot succeed, from the runtime's answer. REASON_NONE: it may, when tried again. */
struct verdict worker_judge_fault(const struct worker_task *task,
				  const struct container_result *result);
/* The same after the last try. */
struct verdict worker_judge_fault_last(const struct worker_task *task,
				       const struct container_result *result);

/* ---- restart.c ---- */
struct restart_choice {
	bool again;
	int64_t delay_ms;
	bool used_up; /* no: because max_attempts is reached, not because the policy says none */
	int64_t used;
	int64_t max;
};
struct restart_choice worker_restart_choose(struct worker *worker, struct worker_task *task,
					    int reason);
/* Count a restart the policy allowed. */
void worker_restart_count(struct worker *worker, struct worker_task *task);

/* ---- end.c: states ---- */
/* The current attempt runs. */
void worker_task_runs(struct worker *worker, struct worker_task *task);
/* A newer attempt than the store knows was found: it is the current one from now on. */
void worker_task_adopt(struct worker *worker, struct worker_task *task, int64_t attempt);
/* The current attempt ended: EXITED, or ABSENT after it had run. */
void worker_task_ended(struct worker *worker, struct worker_task *task);
/* Final. Takes `message`. */
void worker_task_finish(struct worker *worker, struct worker_task *task, int state, int reason,
			char *message);
/* Stopped as asked, before or after it ran. Takes `message`. */
void worker_task_stopped(struct worker *worker, struct worker_task *task, char *message);
/* Why it is in the state it is in; told with the next beat. Takes `message`. */
void worker_task_show(struct worker *worker, struct worker_task *task, int reason, char *message);

/* ---- list.c ---- */
/* List all containers as soon as one can. */
void worker_list_now(struct worker *worker);
/* List when it is time to; the cluster's label must be known. */
void worker_list_advance(struct worker *worker);
void worker_list_result(struct worker *worker, uint64_t op, const struct container_result *result);

/* ---- strays.c ---- */
/* A list showed this container, and no task accounts for it. */
/* May what no task accounts for be ended? The manager has sent its full set in this life, and has heard which Docker
 * this is: another worker may have that already, and what is there is that one's. */
bool worker_is_admitted(const struct worker *worker);
void worker_strays_put(struct worker *worker, const struct container_seen *seen, bool orphan);
/* Drop those the newest list did not show. */
void worker_strays_sweep(struct worker *worker);
void worker_strays_advance(struct worker *worker);
void worker_stray_result(struct worker *worker, struct stray *stray,
			 const struct container_result *result);
bool worker_strays_has_task(const struct worker *worker, struct task_id task);
int64_t worker_strays_due_ms(const struct worker *worker);
void worker_strays_free(struct worker *worker);

/* ---- leftovers.c ---- */
void worker_networks_take_list(struct worker *worker, const struct strings *names);
void worker_volumes_take(struct worker *worker, const struct sync_down *down);
void worker_leftovers_advance(struct worker *worker);
void worker_network_result(struct worker *worker, const struct container_result *result);
void worker_volume_result(struct worker *worker, const struct container_result *result);
/* The task's containers are removed: see to the networks that only it named. True when nothing
 * is left to wait for. */
bool worker_networks_release(struct worker *worker, struct worker_task *task);
/* Is this network being removed at the moment? */
bool worker_networks_removing(const struct worker *worker, const char *name);
int64_t worker_leftovers_due_ms(const struct worker *worker);
void worker_leftovers_release(struct leftovers *leftovers);

/* ---- ops.c ---- */
bool worker_ops_have_room(const struct worker *worker);
/* Begin an action; the caller fills in what the verb needs. Valid until the next call. */
struct container_action *worker_op_begin(struct worker *worker, int owner, int verb,
					 const char *name);
/* Begin one of a task, on the container of `attempt`. PRE: none of it is in flight. */
struct container_action *worker_op_begin_task(struct worker *worker, struct worker_task *task,
					      int verb, int64_t attempt);
struct container_action *worker_op_begin_stray(struct worker *worker, struct stray *stray,
					       int verb);
/* Ask its container. PRE: it has a health check, and no question is under way. */
struct container_action *worker_op_begin_probe(struct worker *worker, struct worker_task *task,
					       int64_t timeout_ms);
/* Take it out of the table: its answer is not waited for. */
void worker_op_end(struct worker *worker, uint64_t op);
/* The same before its answer: the runtime need not go on with it. */
void worker_op_drop(struct worker *worker, uint64_t op);
struct op *worker_op_get(const struct worker *worker, uint64_t op);
/* Hold `memory` for as long as this turn's actions borrow it. Takes it. */
void *worker_lend(struct worker *worker, void *memory);

/* ---- due.c: when to look at a task again ---- */
/* Replaces the earlier time; NEVER_MS takes it out. */
void worker_due_set(struct worker *worker, struct worker_task *task, int64_t due_ms);
/* The same, but an earlier time stays. */
void worker_due_sooner(struct worker *worker, struct worker_task *task, int64_t due_ms);
/* The earliest, NEVER_MS when there is none. */
int64_t worker_due_first_ms(const struct worker *worker);
/* Mark every task dirty whose time has come, and take it out. */
void worker_due_take(struct worker *worker);

/* ---- removal.c ---- */
/* Go on with what an earlier life was told. */
void worker_removal_start(struct worker *worker);
/* The manager says that the node was removed. */
void worker_removal_told(struct worker *worker);
/* See whether it is over. */
void worker_removal_advance(struct worker *worker);
/* Let the store of a removed node serve `node`; false: it is not one, or has not ended. */
bool worker_removal_renew(struct worker *worker, struct node_id node);

/* ---- persist.c ---- */
enum err_code worker_persist_replay(struct worker *worker, const struct change *change,
				    struct err *err) WARN_UNUSED;
void worker_persist_template(struct worker *worker, const struct worker_template *template);
void worker_persist_template_gone(struct worker *worker, const struct worker_template *template);
void worker_persist_task_gone(struct worker *worker, struct task_id task);
/* Save what is marked unsaved. */
void worker_persist_turn(struct worker *worker);

/* ---- report.c ---- */
enum urgency { AT_NEXT_BEAT, AT_ONCE };
/* The observed half changed: give it a version, tell the manager. */
void worker_report_task(struct worker *worker, struct worker_task *task, enum urgency urgency);
void worker_report_unlink(struct worker *worker, struct worker_task *task);
void worker_report_all_again(struct worker *worker);
void worker_report_acked(struct worker *worker, int64_t report);
void worker_report_publish(struct worker *worker);
int64_t worker_report_due_ms(const struct worker *worker);

#endif
