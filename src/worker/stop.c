/* The stop ladder: look -> stop signal -> grace -> SIGKILL -> until an inspection shows that it
 * ended.
 *
 * 1. A stop is believed only when the container was seen EXITED or ABSENT.
 * 2. That we signal an attempt is saved in the turn of the signal: an exit after it is never
 *    taken for success.
 * 3. The first rung is an inspection: who had ended by itself before the signal keeps its own
 *    exit. It is made once for each stop, however long the task then waits for its turn: where
 *    more are stopped than there may be actions, each would else look for ever. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "worker/worker_int.h"

static const char *stop_signal_of(const struct worker_task *task)
{
	const struct worker_doing *doing = worker_doing(task);
	if (task->template && task->template->sync.spec.stop_signal)
		return task->template->sync.spec.stop_signal;
	return doing->seen.stop_signal ? doing->seen.stop_signal : "SIGTERM";
}

static int64_t stop_grace_ms_of(const struct worker_task *task)
{
	return task->template ? task->template->sync.spec.stop_grace_ms : STOP_GRACE_DEFAULT_MS;
}

void worker_stop_reset(struct worker_task *task)
{
	struct worker_doing *doing = task->doing;
	task->killed = false;
	if (!doing)
		return;
	doing->stop_stage = STOP_NOT;
	doing->pre_stop_done = 0;
	doing->signal_asked = false;
	doing->hook_tries = 0;
	base_free(doing->hook_failure);
	doing->hook_failure = NULL;
}

static void send_signal(struct worker *worker, struct worker_task *task, const char *signal)
{
	struct container_action *action =
		worker_op_begin_task(worker, task, CONTAINER_KILL, task->observed.attempt);
	action->signal = worker_lend(worker, base_strdup(signal));
}

/* From here on an end is one of ours: also what the hooks bring about. */
static void begin(struct worker *worker, struct worker_task *task)
{
	struct worker_doing *doing = worker_make_doing(task);
	task->attempt_signalled = task->observed.attempt;
	worker_task_mark_unsaved(worker, task);
	worker_health_end(worker, task);
	doing->stop_stage = STOP_HOOKS;
	doing->kill_at_ms = worker->now_ms + stop_grace_ms_of(task);
	doing->poll_gap_ms = KILL_POLL_FIRST_MS;
}

static void ask(struct worker *worker, struct worker_task *task)
{
	struct worker_doing *doing = worker_make_doing(task);
	const char *signal = stop_signal_of(task);
	doing->stop_stage = STOP_ASKED;
	doing->signal_asked = true;
	doing->poll_at_ms = worker->now_ms + STOP_POLL_MS;
	struct text text;
	text_init(&text, LIMIT_NAME_BYTES);
	text_add_duration(&text, doing->kill_at_ms - worker->now_ms);
	char label[TASK_LABEL_SIZE];
	notes_add(&worker->out->notes, "%s stopping: sent %s", worker_task_label(task, label),
		  signal);
	if (worker_task_is_live(task))
		worker_task_show(worker, task, REASON_STOPPING,
				 worker_sentence("stopping: %s%ssent %s, SIGKILL follows after %s",
						 doing->hook_failure ? doing->hook_failure : "",
						 doing->hook_failure ? "; " : "", signal,
						 text_string(&text)));
	text_release(&text);
	send_signal(worker, task, signal);
}

static void kill_now(struct worker *worker, struct worker_task *task)
{
	struct worker_doing *doing = worker_make_doing(task);
	if (doing->stop_stage != STOP_KILLED) {
		char label[TASK_LABEL_SIZE];
		notes_add(&worker->out->notes, "%s did not stop in time: sent SIGKILL",
			  worker_task_label(task, label));
	}
	if (!task->killed) {
		task->killed = true;
		worker_task_mark_unsaved(worker, task);
	}
	doing->stop_stage = STOP_KILLED;
	doing->kill_at_ms = worker->now_ms + KILL_POLL_MAX_MS;
	doing->poll_at_ms = worker->now_ms + doing->poll_gap_ms;
	send_signal(worker, task, "SIGKILL");
}

static void poll(struct worker *worker, struct worker_task *task)
{
	struct worker_doing *doing = worker_make_doing(task);
	if (doing->stop_stage == STOP_KILLED && doing->poll_gap_ms < KILL_POLL_MAX_MS)
		doing->poll_gap_ms *= 2;
	int64_t gap_ms = doing->stop_stage == STOP_KILLED ? doing->poll_gap_ms : STOP_POLL_MS;
	doing->poll_at_ms = worker->now_ms + gap_ms;
	worker_task_inspect(worker, task);
}

void worker_stop_advance(struct worker *worker, struct worker_task *task)
{
	struct worker_doing *doing = worker_make_doing(task);
	PRE(task->container == CONTAINER_RUNNING || task->container == CONTAINER_PAUSED);
	if (doing->stop_stage == STOP_NOT && doing->seen_at_ms != worker->now_ms) {
		doing->stop_stage = STOP_LOOKED;
		worker_task_inspect(worker, task);
		return;
	}
	if (doing->stop_stage < STOP_HOOKS)
		begin(worker, task);
	if (doing->stop_stage == STOP_HOOKS) {
		if (worker_hooks_before_stop(worker, task))
			return;
		/* Hooks may have used the grace up. */
		if (worker->now_ms < doing->kill_at_ms || !doing->pre_stop_done) {
			ask(worker, task);
			return;
		}
	}
	if (worker->now_ms >= doing->kill_at_ms) {
		kill_now(worker, task);
		return;
	}
	if (worker->now_ms >= doing->poll_at_ms) {
		poll(worker, task);
		return;
	}
	worker_due_set(worker, task,
		       doing->kill_at_ms < doing->poll_at_ms ? doing->kill_at_ms
							     : doing->poll_at_ms);
}

void worker_stop_result(struct worker *worker, struct worker_task *task,
			const struct container_result *result)
{
	struct worker_doing *doing = worker_make_doing(task);
	switch (result->fault) {
	case FAULT_NONE: return;
	case FAULT_UNREACHABLE:
		worker_task_not_before(task, worker->now_ms + RETRY_MS);
		/* Nothing was sent: the grace has not begun. */
		if (doing->stop_stage == STOP_ASKED)
			doing->stop_stage = STOP_NOT;
		return;
	case FAULT_NOT_FOUND: task->container = CONTAINER_UNKNOWN; return;
	case FAULT_REFUSED:
		/* No such signal: only SIGKILL is left. */
		if (doing->stop_stage == STOP_ASKED)
			doing->kill_at_ms = worker->now_ms;
		return;
	default: doing->poll_at_ms = worker->now_ms; return;
	}
}

char *worker_stop_told(const struct worker_task *task)
{
	const struct worker_doing *doing = worker_doing(task);
	if (task->attempt_signalled != task->observed.attempt)
		return worker_sentence("stopped while it was not running");
	if (!task->killed && doing->stop_stage == STOP_HOOKS)
		return worker_sentence("ended while its pre_stop hooks ran");
	if (!task->killed)
		return worker_sentence("stopped by %s", stop_signal_of(task));
	struct text text;
	text_init(&text, LIMIT_NAME_BYTES);
	text_add_duration(&text, stop_grace_ms_of(task));
	if (doing->hook_failure && !doing->signal_asked) {
		text_release(&text);
		return worker_sentence("killed: %s", doing->hook_failure);
	}
	char *told = worker_sentence("killed: still running %s after %s", text_string(&text),
				     stop_signal_of(task));
	text_release(&text);
	return told;
}
