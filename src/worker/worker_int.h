/* What the files of the worker's core share, and their tests; bench/memory looks in to tell what the parts take. Nobody
 * else includes this.
 *
 * One turn (worker_step): events are taken in (desired.c, result.c), every task that something
 * happened to is converged (converge.c), then what changed is persisted and published
 * (persist.c, report.c). A task is driven by what is *known* of its container, never by a
 * remembered plan: after a crash nothing is known, so it is inspected, and the same code goes on
 * from there. */
#ifndef WORKER_WORKER_INT_H
#define WORKER_WORKER_INT_H

#include "base/id_index.h"
#include "base/map.h"
#include "worker/worker_task.h"

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
/* Of an array that was long once so many items are kept, however few there are. */
#define CAPACITY_KEPT 16

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

/* ---- in memory ---- */

/* The bytes of a config or secret: in memory only. */
struct worker_content {
	char *hash;
	char *data; /* base64 */
	uint64_t mark;
	struct worker_content *next;
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

/* Tasks, first in first out; of them also those that were deleted meanwhile. */
struct task_queue {
	struct worker_task **items;
	size_t first, n, capacity;
};

struct due {
	int64_t at_ms;
	struct worker_task *task;
};

/* What is not acknowledged yet, in the order it was said in, and then what was not said. */
struct news {
	struct news_item {
		struct worker_task *task; /* NULL: taken out; the one at `first` is not */
		int64_t reported_in;	  /* first report with this version; 0: none yet */
	} * items;
	size_t first, n, capacity;
	size_t n_tasks;
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

	struct id_index tasks;
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
	struct task_queue dirty;
	struct task_queue unsaved;
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

	struct due *due; /* heap, earliest first; position 1 is due[0] */
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
	struct news news;
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
/* The next that is marked so, and is then not any more. NULL: there is none. */
struct worker_task *worker_take_dirty(struct worker *worker);
struct worker_task *worker_take_unsaved(struct worker *worker);
struct worker_task *worker_task_new(struct worker *worker, struct task_id id);
/* Drop from memory; no action of it may be in flight. Of who is still to be converged or saved the bare struct stays
 * until its turn comes. */
void worker_task_delete(struct worker *worker, struct worker_task *task);
struct worker_task *worker_task_get(const struct worker *worker, struct task_id id);
/* Its final state is written, or it may not run any more for another reason. */
bool worker_task_is_live(const struct worker_task *task);

/* ---- queue.c ---- */
void worker_queue_add(struct task_queue *queue, struct worker_task *task);
bool worker_queue_is_empty(const struct task_queue *queue);
/* Takes out the first. PRE: there is one. */
struct worker_task *worker_queue_take(struct task_queue *queue);
void worker_queue_release(struct task_queue *queue);

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
/* PRE: no task uses it. */
void worker_template_delete(struct worker *worker, struct worker_template *template);
/* Point the task at its template if that is known. */
void worker_task_bind_template(struct worker *worker, struct worker_task *task);
/* Then nothing tells its job and revision: it goes, or is told them anew. */
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
/* Nothing is tried before this, and then it is. */
void worker_task_retry_at(struct worker *worker, struct worker_task *task, int64_t at_ms);
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
/* The worker's own record, before all else that this turn saves from now on. */
void worker_persist_meta(struct worker *worker);
/* Save what is marked unsaved. */
void worker_persist_turn(struct worker *worker);

/* ---- report.c ---- */
enum urgency { AT_NEXT_BEAT, AT_ONCE };
/* The observed half changed: give it a version, tell the manager. */
void worker_report_task(struct worker *worker, struct worker_task *task, enum urgency urgency);
void worker_report_unlink(struct worker *worker, struct worker_task *task);
void worker_news_release(struct news *news);
void worker_report_all_again(struct worker *worker);
void worker_report_acked(struct worker *worker, int64_t report);
void worker_report_publish(struct worker *worker);
int64_t worker_report_due_ms(const struct worker *worker);

#endif
