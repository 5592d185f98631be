/* The states of a task on this machine: every change of `observed.state` is here.
 *
 *      SCHEDULED --task_runs--> RUNNING --task_ended--> SCHEDULED, attempt + 1
 *          |                       +------task_ended--> COMPLETED | FAILED
 *          +--task_finish (could not start), task_stopped--> FAILED | COMPLETED
 *
 * An attempt that ended before it was seen running goes the same ways: the times in the report
 * say that it ran. COMPLETED and FAILED have no way out (I5). */
#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "worker/worker_int.h"

void worker_task_show(struct worker *worker, struct worker_task *task, int reason, char *message)
{
	struct observed_half *observed = &task->observed;
	PRE(!task_is_final(observed->state));
	observed->reason = (uint8_t)reason;
	worker_task_set_message(task, message);
	worker_report_task(worker, task, AT_NEXT_BEAT);
}

static void set_state(struct worker *worker, struct worker_task *task, int state, int reason,
		      char *message)
{
	worker_task_show(worker, task, reason, message);
	task->observed.state = (uint8_t)state;
	worker->running_counted = false;
	worker_report_task(worker, task, AT_ONCE);
}

void worker_task_finish(struct worker *worker, struct worker_task *task, int state, int reason,
			char *message)
{
	PRE(task_is_final(state));
	PRE(reason != REASON_NONE);
	char label[TASK_LABEL_SIZE];
	notes_add(&worker->out->notes, "%s %s: %s", worker_task_label(task, label),
		  enum_name(task_state_names, state), message);
	worker_start_release(worker, task);
	worker_health_end(worker, task);
	set_state(worker, task, state, reason, message);
	task->observed.health = HEALTH_NONE;
	/* `gone` follows when no container of it can run any more: converge.c. */
	task->observed.gone = false;
	worker_task_mark_dirty(worker, task);
}

void worker_task_stopped(struct worker *worker, struct worker_task *task, char *message)
{
	int reason = task->stop_reason;
	if (task->asked == TASK_WANT_RUN || reason == REASON_NONE)
		reason = REASON_REMOVED;
	worker_task_finish(worker, task, TASK_COMPLETED, reason, message);
}

/* A time as a record holds it, `otherwise` when it is not known; a machine whose clock stands before 1970 has run its
 * containers all the same. */
static int64_t recorded_wall_ms(int64_t wall_ms, int64_t otherwise)
{
	if (!wall_ms)
		wall_ms = otherwise;
	if (wall_ms < 1)
		return 1;
	return wall_ms < LIMIT_WALL_MS ? wall_ms : LIMIT_WALL_MS;
}

/* What Docker says beyond what an exit code can be is none that is known. */
static int32_t recorded_exit_code(int64_t exit_code)
{
	return exit_code < INT32_MIN || exit_code > INT32_MAX ? -1 : (int32_t)exit_code;
}

static void report_id(struct worker_task *task)
{
	if (!worker_doing(task)->seen.id)
		return;
	worker_task_set_container_id(task, task->doing->seen.id);
	task->doing->seen.id = NULL;
}

/* ---- running ---- */

static void take_health(struct worker *worker, struct worker_task *task)
{
	struct observed_half *observed = &task->observed;
	int health = worker_health_of(task);
	if (observed->health == health)
		return;
	if (health == HEALTH_HEALTHY) {
		char label[TASK_LABEL_SIZE];
		notes_add(&worker->out->notes, "%s is healthy", worker_task_label(task, label));
	}
	observed->health = (uint8_t)health;
	worker_report_task(worker, task, AT_ONCE);
}

void worker_task_runs(struct worker *worker, struct worker_task *task)
{
	PRE(worker_task_is_live(task));
	struct observed_half *observed = &task->observed;
	int64_t instance = (int64_t)worker_task_seen_instance(task);
	bool known = observed->state == TASK_RUNNING && task->attempt_ran == observed->attempt;
	take_health(worker, task);
	if (known && task->daemon_instance == instance && !task->machine_restarted)
		return;
	char label[TASK_LABEL_SIZE];
	if (known)
		notes_add(&worker->out->notes, "%s still runs after the restart of Docker",
			  worker_task_label(task, label));
	/* It lives, so it was not interrupted: from here on it belongs to this run of Docker. */
	task->daemon_instance = instance;
	task->machine_restarted = false;
	worker_task_mark_unsaved(worker, task);
	if (known)
		return;
	if (observed->attempt > 1)
		notes_add(&worker->out->notes, "%s started attempt %lld",
			  worker_task_label(task, label), (long long)observed->attempt);
	else
		notes_add(&worker->out->notes, "%s started", worker_task_label(task, label));
	task->attempt_ran = observed->attempt;
	task->started_ms = worker->now_ms;
	worker_task_set_restart_at(task, 0);
	worker_task_set_start_tries(task, 0);
	observed->started_wall_ms =
		recorded_wall_ms(worker_doing(task)->seen.started_wall_ms, worker->wall_ms);
	observed->exit_code = -1;
	report_id(task);
	set_state(worker, task, TASK_RUNNING, REASON_RUNNING, worker_sentence("running"));
}

void worker_task_adopt(struct worker *worker, struct worker_task *task, int64_t attempt)
{
	PRE(worker_task_is_live(task));
	PRE(attempt > task->observed.attempt);
	PRE(attempt <= LIMIT_TASK_COUNT);
	char label[TASK_LABEL_SIZE];
	notes_add(&worker->out->notes, "%s adopts attempt %lld", worker_task_label(task, label),
		  (long long)attempt);
	task->observed.attempt = (int32_t)attempt;
	task->hooks_done = 0;
	worker_health_end(worker, task);
	worker_task_forget_container(task);
	worker_stop_reset(task);
	set_state(worker, task, TASK_SCHEDULED, REASON_RESTARTING,
		  worker_sentence("looking at attempt %lld", (long long)attempt));
}

/* ---- ending ---- */

static void note_end(struct worker *worker, struct worker_task *task)
{
	struct observed_half *observed = &task->observed;
	observed->health = HEALTH_NONE;
	if (task->container != CONTAINER_EXITED) {
		observed->exit_code = -1;
		worker_task_set_finished(task, recorded_wall_ms(worker->wall_ms, 0));
		/* Its anonymous volumes went with it. */
		task->attempt_ran = 0;
		return;
	}
	if (task->attempt_ran != observed->attempt) {
		task->attempt_ran = observed->attempt;
		task->started_ms = worker->now_ms;
		observed->started_wall_ms =
			worker_doing(task)->seen.started_wall_ms
				? recorded_wall_ms(worker_doing(task)->seen.started_wall_ms, 0)
				: 0;
		report_id(task);
	}
	worker_task_set_start_tries(task, 0);
	observed->exit_code = recorded_exit_code(worker_doing(task)->seen.exit_code);
	worker_task_set_finished(
		task, recorded_wall_ms(worker_doing(task)->seen.finished_wall_ms, worker->wall_ms));
}

static void start_again(struct worker *worker, struct worker_task *task,
			const struct verdict *verdict, const struct restart_choice *choice)
{
	bool interrupted = verdict->reason == REASON_INTERRUPTED;
	if (!interrupted)
		worker_restart_count(worker, task);
	struct text when;
	text_init(&when, LIMIT_NAME_BYTES);
	text_add(&when, "at once");
	if (choice->delay_ms) {
		text_clear(&when);
		text_add(&when, "in ");
		text_add_duration(&when, choice->delay_ms);
	}
	char label[TASK_LABEL_SIZE];
	notes_add(&worker->out->notes, "%s %s: restarting %s", worker_task_label(task, label),
		  verdict->message, text_string(&when));
	worker_task_next_attempt(worker, task);
	worker_task_set_restart_at(task, choice->delay_ms ? worker->now_ms + choice->delay_ms : 0);
	set_state(worker, task, TASK_SCHEDULED,
		  interrupted ? REASON_INTERRUPTED : REASON_RESTARTING,
		  worker_sentence("%s; restarting %s", verdict->message, text_string(&when)));
	text_release(&when);
}

static void give_up(struct worker *worker, struct worker_task *task, const struct verdict *verdict,
		    const struct restart_choice *choice)
{
	if (verdict->reason == REASON_EXIT_ZERO) {
		worker_task_finish(worker, task, TASK_COMPLETED, verdict->reason,
				   base_strdup(verdict->message));
		return;
	}
	char *message =
		choice->used_up
			? worker_sentence("%s; %lld of %lld restarts used", verdict->message,
					  (long long)choice->used, (long long)choice->max)
			: worker_sentence("%s; its restart policy is none", verdict->message);
	worker_task_finish(worker, task, TASK_FAILED, verdict->reason, message);
}

void worker_task_ended(struct worker *worker, struct worker_task *task)
{
	PRE(worker_task_is_live(task));
	PRE(task->container == CONTAINER_EXITED || task->container == CONTAINER_ABSENT);
	struct verdict verdict = worker_judge_end(worker, task);
	note_end(worker, task);
	worker_start_release(worker, task);
	if (task->wanted != TASK_WANT_RUN) {
		if (verdict.reason == REASON_EXIT_ZERO)
			worker_task_finish(worker, task, TASK_COMPLETED, verdict.reason,
					   base_strdup(verdict.message));
		else
			worker_task_stopped(worker, task, worker_stop_told(task));
	} else if (verdict.reason == REASON_LEASE_LAPSED || verdict.reason == REASON_RAN_TOO_LONG) {
		worker_task_finish(worker, task, TASK_FAILED, verdict.reason,
				   base_strdup(verdict.message));
	} else {
		struct restart_choice choice = worker_restart_choose(worker, task, verdict.reason);
		if (choice.again)
			start_again(worker, task, &verdict, &choice);
		else
			give_up(worker, task, &verdict, &choice);
	}
	base_free(verdict.message);
}
