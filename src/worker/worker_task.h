/* A task as the worker holds it. There may be ten thousand on a machine, nearly all of them at rest: running,
 * acknowledged, saved, and nothing going on. So each member is as narrow as its bounds, and called as in the record;
 * nothing is held twice; what few tasks have lies apart (struct worker_rare), and so does what is needed only while
 * something goes on (struct worker_doing). record.c makes the record from it and it from the record. */
#ifndef WORKER_WORKER_TASK_H
#define WORKER_WORKER_TASK_H

#include "worker/worker.h"

/* ---- persisted ---- */

struct worker_restart {
	int64_t at_ms;
};
extern const struct record_type worker_restart_type;

/* RECORD_ASSIGNMENT, as it is stored. Times in `_ms` are CLOCK_BOOTTIME and start anew with each boot.
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
	int64_t exit_code;
	int64_t started_wall_ms;
	int64_t finished_wall_ms;
	bool oom_killed;
};

/* What few tasks have. */
struct worker_rare {
	struct job_id job; /* both only where no template is known */
	int64_t revision;
	int64_t attempts_before;
	LIST_OF(struct port_grant) ports;
	LIST_OF(struct worker_restart) restarts;
	struct observed_apart observed;
	char *ending_message;
	int64_t restart_at_ms;
	int64_t restarts_in_row;
	int64_t start_tries;
	struct worker_health *health; /* NULL: none, or not begun */
	char *address; /* of the container, for the health check; NULL: not asked for, or none */
};

/* What something that goes on needs: from its first action, or the first wait for it, until the task is at rest. */
struct worker_doing {
	/* The action in flight; 0: none. Never two of one task. */
	uint64_t op;
	int64_t op_attempt;
	int op_verb;
	int64_t not_before_ms; /* nothing is tried before this */

	/* The container of the current attempt. */
	struct worker_seen seen;
	int64_t seen_at_ms;	/* when that was; 0: not since it was at rest */
	uint64_t seen_instance; /* which run of Docker said so; 0: that of its start */

	/* A start. */
	int path;
	uint32_t path_index;
	struct worker_task *queue_prev, *queue_next;
	struct verdict start_failure; /* of the newest try */
	char *resource_name;	      /* the newest that an action of it borrowed */

	/* Hooks. */
	uint32_t pre_stop_done; /* in this stop */
	int hook_tries;		/* of the present one, without a clear answer */
	char *hook_failure;	/* of pre_stop: how it failed; NULL: it did not */

	/* A stop. */
	int64_t kill_at_ms;
	int64_t poll_at_ms;
	int64_t poll_gap_ms;
	int stop_stage;
	bool signal_asked; /* in this stop */

	bool pulled;	   /* for the current attempt */
	bool create_asked; /* and not answered clearly: an inspection that finds it is progress */
};

struct worker_task {
	struct task_id id; /* a task begins with it */
	struct observed_half observed;
	struct worker_template *template; /* NULL: not known, then `rare` has job and revision */
	struct worker_rare *rare;	  /* NULL: all of it is zero; use worker_rare() */
	struct worker_doing *doing;	  /* NULL: all of it is zero; use worker_doing() */
	struct worker_task *prev, *next;  /* all tasks, in order of arrival */

	/* Of the record; `asked` is desired.wanted. */
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
	bool forgotten : 1;
	bool killed : 1;
	bool machine_restarted : 1;

	bool look : 1;		/* something happened to its container */
	bool memory_looked : 1; /* looked twice whether memory ran out */
	bool foreign : 1;	/* its name is taken by a container that is not ours */
	bool has_slot : 1;
	bool in_queue : 1;
	bool told_to_wait : 1;	 /* the manager knows that it waits for a slot */
	bool told_lease : 1;	 /* and that it waits for an answer */
	bool image_gone : 1;	 /* it was there when an earlier attempt ran */
	bool files_there : 1;	 /* so said the shell in this life */
	bool lacks_contents : 1; /* waits for the manager to hand them over */
	bool releasing : 1; /* its containers are removed for good: it holds no network any more */
	bool dirty : 1;	    /* to be converged in this turn */
	bool unsaved : 1;   /* record differs from disk */
	bool deleted : 1;   /* nothing but a place in a queue is left of it */
	bool in_set : 1;    /* the full set that is being taken lists it */
	bool listed : 1;    /* the list that is being taken shows it, and how: */
	bool acted : 1; /* since the list in flight was asked for: that says nothing new of it */
	uint8_t list_state;
	uint8_t list_health;

	/* The container of the current attempt: enum container_state or CONTAINER_UNKNOWN. */
	int8_t container;
	int8_t old_container; /* the same of attempt_first, while that is an older one */
	uint8_t seen_health;  /* enum task_health: so says the newest inspection */

	uint32_t due_position;	/* due again: position in the heap, from 1; 0: not in it */
	uint32_t news_position; /* not acknowledged: position among the news, from 1; 0: it is */
};

/* ---- rest.c ---- */
extern const struct worker_rare worker_no_rare;
extern const struct worker_doing worker_no_doing;

/* To read: never NULL. */
static inline const struct worker_rare *worker_rare(const struct worker_task *task)
{
	return task->rare ? task->rare : &worker_no_rare;
}

static inline const struct worker_doing *worker_doing(const struct worker_task *task)
{
	return task->doing ? task->doing : &worker_no_doing;
}

/* NULL: none. */
static inline struct worker_health *worker_health(const struct worker_task *task)
{
	return task->rare ? task->rare->health : NULL;
}

/* To write. Whoever may have made all of it zero marks the task dirty: converging frees it then. */
struct worker_rare *worker_make_rare(struct worker_task *task);
struct worker_doing *worker_make_doing(struct worker_task *task);
/* It runs as it should, or has ended for good, and nothing goes on: it needs no `doing`. */
bool worker_task_is_at_rest(const struct worker_task *task);
/* Free what says nothing, or is not needed any more. */
void worker_task_tidy(struct worker_task *task, int64_t now_ms);
void worker_task_tidy_rare(struct worker_task *task);
void worker_doing_free(struct worker_task *task);
/* Which run of Docker the newest inspection was answered by. */
uint64_t worker_task_seen_instance(const struct worker_task *task);
/* Nothing is tried before this. Enough where an answer is taken: that makes the task dirty. */
void worker_task_not_before(struct worker_task *task, int64_t at_ms);
void worker_seen_release(struct worker_seen *seen);

/* ---- record.c: a task and its record ---- */
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
/* Copies all but job and revision, which are for the template to tell or to be set. PRE: it can be held, and no
 * template is bound. */
void worker_task_set_desired(struct worker_task *task, const struct sync_assignment *desired);
void worker_task_set_job(struct worker_task *task, struct job_id job, int64_t revision);
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
/* PRE: its health check has ended. */
void worker_task_release_record(struct worker_task *task);

#endif
