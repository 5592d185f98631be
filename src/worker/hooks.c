/* Commands that a job runs in its containers beside their own (job/hooks.h).
 *
 * 1. A hook is an action of its task: one at a time, in order. That one has succeeded is saved in the turn of its
 *    answer; after a crash before that it is run again.
 * 2. A task is said to run when its post_start hooks have succeeded. One that fails ends the attempt, under the restart
 *    policy.
 * 3. pre_stop hooks and the stop signal share one stop grace, so that a stop takes no longer than without them. One
 *    that fails is told, and the signal follows.
 * 4. No stop waits for a post_start hook. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "worker/worker_int.h"

/* Long commands are cut in sentences. */
#define COMMAND_BYTES 120

static const struct hooks *hooks_of(const struct worker_task *task)
{
	static const struct hooks none;
	return task->template ? job_spec_hooks(&task->template->sync.spec) : &none;
}

/* "post_start hook 1 of 2 (chown -R 1001 /data)" */
static char *name_of(const char *kind, size_t index, size_t n, const struct hook *hook)
{
	struct text command;
	text_init(&command, COMMAND_BYTES);
	for (size_t i = 0; i < hook->command.n; i++)
		text_addf(&command, "%s%s", i ? " " : "", hook->command.items[i]);
	if (command.cut)
		worker_drop_half_character(&command);
	char *name = n > 1 ? worker_sentence("%s hook %zu of %zu (%s%s)", kind, index + 1, n,
					     text_string(&command), command.cut ? "..." : "")
			   : worker_sentence("%s hook (%s%s)", kind, text_string(&command),
					     command.cut ? "..." : "");
	text_release(&command);
	return name;
}

static void run(struct worker *worker, struct worker_task *task, const struct hook *hook,
		int64_t timeout_ms)
{
	struct container_action *action =
		worker_op_begin_task(worker, task, CONTAINER_EXEC, task->observed.attempt);
	action->hook = hook;
	action->timeout_ms = timeout_ms;
	worker->ops[worker->n_ops - 1].expires_ms = worker->now_ms + timeout_ms + ANSWER_MARGIN_MS;
}

/* ---- after the start ---- */

static bool is_known_to_run(const struct worker_task *task)
{
	const struct observed_half *observed = &task->observed;
	return observed->state == TASK_RUNNING && task->attempt_ran == observed->attempt;
}

bool worker_hooks_are_left(const struct worker_task *task)
{
	return task->hooks_done < (int64_t)hooks_of(task)->post_start.n && !is_known_to_run(task);
}

void worker_hooks_advance(struct worker *worker, struct worker_task *task)
{
	const struct hooks *hooks = hooks_of(task);
	size_t index = (size_t)task->hooks_done;
	if (task->container == CONTAINER_PAUSED) {
		task->look = true;
		worker_task_retry_at(worker, task, worker->now_ms + RETRY_MS);
		return;
	}
	const struct hook *hook = &hooks->post_start.items[index];
	char *name = name_of("post_start", index, hooks->post_start.n, hook);
	worker_task_show(worker, task, REASON_STARTING, worker_sentence("running its %s", name));
	base_free(name);
	run(worker, task, hook, LIMIT_HOOK_MS);
}

bool worker_hooks_may_be_left(const struct worker *worker, const struct worker_task *task)
{
	const struct worker_doing *doing = worker_doing(task);
	return doing->op_verb == CONTAINER_EXEC && doing->stop_stage == STOP_NOT &&
	       (task->wanted != TASK_WANT_RUN || !worker_task_is_live(task) ||
		worker_lease_is_over(worker, task));
}

static void fail_start(struct worker *worker, struct worker_task *task, const char *words)
{
	const struct hooks *hooks = hooks_of(task);
	size_t index = (size_t)task->hooks_done;
	char label[TASK_LABEL_SIZE];
	char *name =
		name_of("post_start", index, hooks->post_start.n, &hooks->post_start.items[index]);
	char *message = worker_sentence("%s %s", name, words);
	notes_add(&worker->out->notes, "%s must end: its %s", worker_task_label(task, label),
		  message);
	worker_task_start_ending(worker, task, REASON_HOOK_FAILED, message);
	base_free(name);
}

static void take_post_start(struct worker *worker, struct worker_task *task,
			    const struct container_result *result)
{
	struct worker_doing *doing = worker_make_doing(task);
	if (!worker_hooks_are_left(task) || task->ending_reason)
		return;
	if (result->fault == FAULT_NONE) {
		task->hooks_done++;
		doing->hook_tries = 0;
		worker_task_mark_unsaved(worker, task);
		return;
	}
	if (result->fault == FAULT_HOOK_FAILED) {
		/* Who ended while it ran has a reason of its own: looked at first. */
		task->container = CONTAINER_UNKNOWN;
		fail_start(worker, task, result->message ? result->message : "failed");
		return;
	}
	task->container = CONTAINER_UNKNOWN;
	worker_task_not_before(task, worker->now_ms + RETRY_MS);
	if (result->fault == FAULT_UNREACHABLE || ++doing->hook_tries < HOOK_TRIES_MAX)
		return;
	doing->hook_tries = 0;
	char *tail = worker_words_tail(result->message);
	char *words = worker_sentence("could not be run in %d tries%s", HOOK_TRIES_MAX, tail);
	fail_start(worker, task, words);
	base_free(words);
	base_free(tail);
}

/* ---- before the stop ---- */

bool worker_hooks_before_stop(struct worker *worker, struct worker_task *task)
{
	const struct worker_doing *doing = worker_doing(task);
	const struct hooks *hooks = hooks_of(task);
	int64_t left_ms = doing->kill_at_ms - worker->now_ms;
	if (!worker_task_is_live(task) || doing->hook_failure || left_ms <= 0 ||
	    task->ending_reason == REASON_HOOK_FAILED ||
	    doing->pre_stop_done >= hooks->pre_stop.n || task->container != CONTAINER_RUNNING)
		return false;
	const struct hook *hook = &hooks->pre_stop.items[doing->pre_stop_done];
	char *name = name_of("pre_stop", doing->pre_stop_done, hooks->pre_stop.n, hook);
	worker_task_show(worker, task, REASON_STOPPING,
			 worker_sentence("stopping: running its %s", name));
	base_free(name);
	run(worker, task, hook, left_ms);
	return true;
}

static void take_pre_stop(struct worker *worker, struct worker_task *task,
			  const struct container_result *result)
{
	struct worker_doing *doing = worker_make_doing(task);
	const struct hooks *hooks = hooks_of(task);
	if (result->fault == FAULT_UNREACHABLE) {
		worker_task_not_before(task, worker->now_ms + RETRY_MS);
		return;
	}
	size_t index = doing->pre_stop_done++;
	/* It may have ended the container, or been ended with it. */
	task->container = CONTAINER_UNKNOWN;
	if (result->fault == FAULT_NONE || index >= hooks->pre_stop.n)
		return;
	const char *words = result->message ? result->message : "could not be run";
	char label[TASK_LABEL_SIZE];
	char *name = name_of("pre_stop", index, hooks->pre_stop.n, &hooks->pre_stop.items[index]);
	base_free(doing->hook_failure);
	doing->hook_failure = worker_sentence("%s %s", name, words);
	notes_add(&worker->out->notes, "%s %s", worker_task_label(task, label),
		  doing->hook_failure);
	base_free(name);
}

void worker_hooks_result(struct worker *worker, struct worker_task *task,
			 const struct container_result *result)
{
	if (!worker_task_is_live(task))
		return;
	if (worker_doing(task)->stop_stage == STOP_NOT)
		take_post_start(worker, task, result);
	else
		take_pre_stop(worker, task, result);
}
