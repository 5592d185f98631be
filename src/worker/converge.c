/* One task: from what is known of its container to the next thing to do.
 *
 * 1. At most one action of a task is in flight; its answer makes the task dirty, and the next
 *    thing follows from what is then known. No plan is remembered.
 * 2. A number of an attempt is used for one container only. The next one is taken when the
 *    container of the present one was seen EXITED, or ABSENT, or is somebody else's: so no two
 *    containers of a task ever run (I1).
 * 3. What is not known is looked at first. A final task whose container turns out to run is
 *    stopped (I11).
 *
 *      known        wanted: run                     stop, remove            already final
 *      UNKNOWN      inspect                         inspect                 inspect
 *      ABSENT       start.c; if it ran: ended       stopped                 gone
 *      CREATED      start.c                         remove it               remove it
 *      RUNNING      hooks.c; runs; ill: stop.c      stop.c                  stop.c
 *      EXITED       ended                           ended                   gone; remove.c */
#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/planted.h"
#include "worker/worker_int.h"

/* More turns of the wheel than any row above can need. */
#define ADVANCE_MAX 16

#define EXIT_SIGKILL   137
#define MEMORY_LOOK_MS 200

void worker_task_forget_container(struct worker_task *task)
{
	task->container = CONTAINER_UNKNOWN;
	task->old_container = CONTAINER_UNKNOWN;
}

void worker_task_next_attempt(struct worker *worker, struct worker_task *task)
{
	struct worker_doing *doing = worker_make_doing(task);
	PRE(!doing->op);
	PRE(task->container == CONTAINER_ABSENT || task->container == CONTAINER_EXITED);
	task->observed.attempt++;
	task->machine_restarted = false;
	task->daemon_instance = 0;
	task->hooks_done = 0;
	worker_task_set_ending(task, REASON_NONE, NULL);
	task->container = CONTAINER_ABSENT;
	task->look = false;
	task->memory_looked = false;
	task->foreign = false;
	doing->path = PATH_PULL;
	doing->path_index = 0;
	doing->pulled = false;
	task->told_lease = false;
	doing->create_asked = false;
	worker_health_end(worker, task);
	worker_stop_reset(task);
	worker_task_mark_unsaved(worker, task);
}

void worker_task_inspect(struct worker *worker, struct worker_task *task)
{
	/* Cleared now and not with the answer: a hint that comes meanwhile may be newer than the
	 * answer. */
	task->look = false;
	struct container_action *action =
		worker_op_begin_task(worker, task, CONTAINER_INSPECT, task->observed.attempt);
	worker_health_want_address(task, action);
}

void worker_task_retry_at(struct worker *worker, struct worker_task *task, int64_t at_ms)
{
	worker_task_not_before(task, at_ms);
	worker_due_set(worker, task, at_ms);
}

static void wait_for_removal(struct worker *worker, struct worker_task *task)
{
	worker_task_forget_container(task);
	worker_task_retry_at(worker, task, worker->now_ms + RETRY_MS);
}

/* A container that was made and never started: only its removal proves that no late answer can
 * start it. */
static void remove_created(struct worker *worker, struct worker_task *task)
{
	struct container_action *action =
		worker_op_begin_task(worker, task, CONTAINER_REMOVE, task->observed.attempt);
	action->with_volumes = true;
}

void worker_task_start_ending(struct worker *worker, struct worker_task *task, int reason,
			      char *message)
{
	worker_task_set_ending(task, reason, message);
	worker_task_mark_unsaved(worker, task);
}

/* By the clock that stands still for nobody: also while the manager is away, and through a restart of the worker. */
static int64_t has_run_too_long_at_ms(const struct worker_task *task)
{
	int64_t max_ms = task->template ? task->template->sync.spec.max_run_time_ms : 0;
	return max_ms ? task->started_ms + max_ms : NEVER_MS;
}

static char *tell_ran_too_long(const struct worker_task *task)
{
	struct text text;
	text_init(&text, LIMIT_NAME_BYTES);
	text_add_duration(&text, task->template->sync.spec.max_run_time_ms);
	char *told =
		worker_sentence("ran for longer than its max_run_time of %s", text_string(&text));
	text_release(&text);
	return told;
}

static char *tell_unhealthy(const struct worker_task *task)
{
	char *words = worker_health(task) ? worker_health_told(task)
					  : base_strdup(worker_doing(task)->seen.health_output);
	char *tail = worker_words_tail(words);
	char *message = worker_sentence("unhealthy%s", tail);
	base_free(tail);
	base_free(words);
	return message;
}

static bool end_by_lease(struct worker *worker, struct worker_task *task)
{
	char label[TASK_LABEL_SIZE];
	if (!worker_lease_is_over(worker, task))
		return false;
	char *message = worker_lease_told(task);
	notes_add(&worker->out->notes, "%s must end: %s", worker_task_label(task, label), message);
	worker_task_start_ending(worker, task, REASON_LEASE_LAPSED, message);
	return true;
}

static void see_whether_it_may_go_on(struct worker *worker, struct worker_task *task)
{
	char label[TASK_LABEL_SIZE];
	int64_t too_long_ms = has_run_too_long_at_ms(task);
	if (task->ending_reason)
		return;
	if (too_long_ms <= worker->now_ms) {
		char *message = tell_ran_too_long(task);
		notes_add(&worker->out->notes, "%s must end: it %s", worker_task_label(task, label),
			  message);
		worker_task_start_ending(worker, task, REASON_RAN_TOO_LONG, message);
		return;
	}
	worker_due_set(worker, task, too_long_ms);
	if (end_by_lease(worker, task))
		return;
	if (worker_health_of(task) == HEALTH_UNHEALTHY) {
		char *message = tell_unhealthy(task);
		notes_add(&worker->out->notes, "%s is %s", worker_task_label(task, label), message);
		worker_task_start_ending(worker, task, REASON_UNHEALTHY, message);
	}
}

/* Docker says that memory ran out in an event of its own, which may come after the end. */
static bool memory_may_have_run_out(const struct worker_task *task)
{
	const struct worker_doing *doing = worker_doing(task);
	return task->template && task->template->sync.spec.limits.memory_bytes &&
	       doing->seen.exit_code == EXIT_SIGKILL && !doing->seen.oom_killed &&
	       task->attempt_signalled != task->observed.attempt && !task->memory_looked;
}

static void look_again(struct worker *worker, struct worker_task *task)
{
	task->memory_looked = true;
	task->look = true;
	worker_task_retry_at(worker, task, worker->now_ms + MEMORY_LOOK_MS);
}

/* It runs, but not all that belongs to its start has been done. */
static void advance_hooks(struct worker *worker, struct worker_task *task)
{
	if (task->ending_reason || end_by_lease(worker, task))
		worker_stop_advance(worker, task);
	else
		worker_hooks_advance(worker, task);
}

static bool advance_run(struct worker *worker, struct worker_task *task)
{
	switch (task->container) {
	case CONTAINER_RUNNING:
	case CONTAINER_PAUSED:
		worker_start_release(worker, task);
		if (worker_hooks_are_left(task)) {
			advance_hooks(worker, task);
			return false;
		}
		worker_task_runs(worker, task);
		see_whether_it_may_go_on(worker, task);
		if (task->ending_reason)
			worker_stop_advance(worker, task);
		else
			worker_remove_advance(worker, task);
		return false;
	case CONTAINER_EXITED:
		if (memory_may_have_run_out(task)) {
			look_again(worker, task);
			return false;
		}
		worker_task_ended(worker, task);
		return true;
	case CONTAINER_ABSENT:
		if (task->observed.attempt && task->attempt_ran == task->observed.attempt) {
			worker_task_ended(worker, task);
			return true;
		}
		return worker_start_advance(worker, task);
	case CONTAINER_CREATED: return worker_start_advance(worker, task);
	default: wait_for_removal(worker, task); return false;
	}
}

static bool advance_stop(struct worker *worker, struct worker_task *task)
{
	worker_start_release(worker, task);
	switch (task->container) {
	case CONTAINER_RUNNING:
	case CONTAINER_PAUSED:
		if (PLANTED(PLANTED_STOP_UNSEEN) && worker_doing(task)->stop_stage >= STOP_HOOKS) {
			worker_task_stopped(worker, task, worker_stop_told(task));
			return true;
		}
		worker_stop_advance(worker, task);
		return false;
	case CONTAINER_EXITED: worker_task_ended(worker, task); return true;
	case CONTAINER_ABSENT:
		worker_task_stopped(worker, task,
				    task->attempt_ran
					    ? worker_stop_told(task)
					    : worker_sentence("stopped before it started"));
		return true;
	case CONTAINER_CREATED: remove_created(worker, task); return false;
	default: wait_for_removal(worker, task); return false;
	}
}

/* No container of it runs: say so, then remove what is not kept, and at last the record. */
static bool advance_gone(struct worker *worker, struct worker_task *task)
{
	struct observed_half *observed = &task->observed;
	/* A stray's end makes its task dirty. */
	if (worker_strays_has_task(worker, task->id))
		return false;
	if (!observed->gone) {
		observed->gone = true;
		worker->out->sweep_files = true;
		worker->contents_changed = true;
		worker_report_task(worker, task, AT_ONCE);
	}
	if (worker_remove_advance(worker, task))
		return false;
	if (task->wanted != TASK_WANT_REMOVE)
		return false;
	if (!observed->removed && !worker_networks_release(worker, task))
		return false;
	if (!observed->removed) {
		char label[TASK_LABEL_SIZE];
		notes_add(&worker->out->notes, "%s is removed", worker_task_label(task, label));
		observed->removed = true;
		worker_report_task(worker, task, AT_ONCE);
	}
	if (task->forgotten) {
		worker_persist_task_gone(worker, task->id);
		worker_task_delete(worker, task);
	}
	return false;
}

static bool advance_final(struct worker *worker, struct worker_task *task)
{
	switch (task->container) {
	case CONTAINER_RUNNING:
	case CONTAINER_PAUSED: worker_stop_advance(worker, task); return false;
	case CONTAINER_CREATED: remove_created(worker, task); return false;
	case CONTAINER_EXITED:
	case CONTAINER_ABSENT: return advance_gone(worker, task);
	default: wait_for_removal(worker, task); return false;
	}
}

/* One thing. True when more can be done without an answer. */
static bool advance(struct worker *worker, struct worker_task *task)
{
	if (task->container == CONTAINER_UNKNOWN || task->look) {
		if (task->observed.attempt) {
			worker_task_inspect(worker, task);
			return false;
		}
		task->container = CONTAINER_ABSENT;
		task->look = false;
	}
	if (!worker_task_is_live(task))
		return advance_final(worker, task);
	if (task->wanted != TASK_WANT_RUN)
		return advance_stop(worker, task);
	return advance_run(worker, task);
}

static void converge_container(struct worker *worker, struct worker_task *task)
{
	const struct worker_doing *doing = worker_doing(task);
	if (!worker->runtime_up || !worker->listed)
		return;
	/* A pull may take minutes, and makes no container: a stop does not wait for it. */
	if (doing->op && doing->op_verb == CONTAINER_PULL && task->wanted != TASK_WANT_RUN)
		worker_op_end(worker, doing->op);
	if (doing->op && worker_hooks_may_be_left(worker, task))
		worker_op_end(worker, doing->op);
	if (doing->op)
		return;
	if (worker->now_ms < doing->not_before_ms) {
		worker_due_set(worker, task, doing->not_before_ms);
		return;
	}
	worker_due_set(worker, task, NEVER_MS);
	for (int n = 0; advance(worker, task); n++)
		INVARIANT(n < ADVANCE_MAX);
}

void worker_task_converge(struct worker *worker, struct worker_task *task)
{
	struct task_id id = task->id;
	converge_container(worker, task);
	/* It may be gone, record and all. */
	if (worker_task_get(worker, id) != task)
		return;
	worker_health_advance(worker, task);
	worker_task_tidy(task, worker->now_ms);
}
