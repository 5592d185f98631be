/* Removing dead containers: all of a task that is to be removed, else those older than the kept
 * ones.
 *
 * 1. Containers of attempts below `attempt_first` are gone for certain; it rises one at a time,
 *    each after proof.
 * 2. A container of an earlier attempt is inspected before it is touched: only ours, and none
 *    that runs.
 * 3. Anonymous volumes go with the last container only: the earlier ones handed them on. */
#include "base/check.h"
#include "worker/worker_int.h"

#define REMOVE_RETRY_MS 5000

/* Containers of attempts below this are to go. */
static int64_t attempt_limit(const struct worker *worker, const struct worker_task *task)
{
	int64_t dead_end = task->observed.attempt + !worker_task_is_live(task);
	if (task->wanted == TASK_WANT_REMOVE && !worker_task_is_live(task))
		return dead_end;
	return dead_end - worker->options.dead_containers_kept;
}

static void remove_container(struct worker *worker, struct worker_task *task, int64_t attempt)
{
	struct container_action *action =
		worker_op_begin_task(worker, task, CONTAINER_REMOVE, attempt);
	action->with_volumes =
		attempt == task->observed.attempt || task->wanted == TASK_WANT_REMOVE;
}

/* What was thought dead runs: it must not, and no grace is owed. */
static void kill_old(struct worker *worker, struct worker_task *task, int64_t attempt)
{
	worker_op_begin_task(worker, task, CONTAINER_KILL, attempt)->signal = "SIGKILL";
	task->old_container = CONTAINER_UNKNOWN;
}

bool worker_remove_advance(struct worker *worker, struct worker_task *task)
{
	int64_t limit = attempt_limit(worker, task);
	while (task->attempt_first < limit) {
		int64_t attempt = task->attempt_first;
		bool current = attempt == task->observed.attempt;
		int known = current ? task->container : task->old_container;
		switch (known) {
		case CONTAINER_ABSENT:
			task->attempt_first++;
			task->old_container = CONTAINER_UNKNOWN;
			worker_task_mark_unsaved(worker, task);
			continue;
		case CONTAINER_CREATED:
		case CONTAINER_EXITED: remove_container(worker, task, attempt); return true;
		case CONTAINER_RUNNING:
		case CONTAINER_PAUSED:
			INVARIANT(!current);
			kill_old(worker, task, attempt);
			return true;
		case CONTAINER_UNKNOWN:
			worker_op_begin_task(worker, task, CONTAINER_INSPECT, attempt);
			return true;
		default:
			worker_task_forget_container(task);
			worker_task_retry_at(worker, task, worker->now_ms + RETRY_MS);
			return true;
		}
	}
	return false;
}

static void take_old_seen(struct worker *worker, struct worker_task *task,
			  const struct container_result *result)
{
	if (result->fault == FAULT_NOT_FOUND) {
		task->old_container = CONTAINER_ABSENT;
		return;
	}
	if (result->fault != FAULT_NONE) {
		worker_task_not_before(task, worker->now_ms + RETRY_MS);
		return;
	}
	/* Somebody else's container under our name is none of ours: ours is gone. */
	bool ours = worker_seen_is_ours(worker, &result->seen, task->id,
					worker_doing(task)->op_attempt);
	task->old_container = (int8_t)(ours ? result->seen.state : CONTAINER_ABSENT);
}

void worker_remove_result(struct worker *worker, struct worker_task *task,
			  const struct container_result *result)
{
	bool current = worker_doing(task)->op_attempt == task->observed.attempt;
	if (result->verb == CONTAINER_INSPECT) {
		take_old_seen(worker, task, result);
		return;
	}
	if (result->verb == CONTAINER_KILL) {
		if (result->fault != FAULT_NONE)
			worker_task_not_before(task, worker->now_ms + RETRY_MS);
		return;
	}
	int8_t known = CONTAINER_UNKNOWN;
	if (result->fault == FAULT_NONE || result->fault == FAULT_NOT_FOUND)
		known = CONTAINER_ABSENT;
	else
		worker_task_not_before(task, worker->now_ms + (result->fault == FAULT_UNREACHABLE
								       ? RETRY_MS
								       : REMOVE_RETRY_MS));
	if (current)
		task->container = known;
	else
		task->old_container = known;
}
