/* When to look at a task again: a binary heap, so that an idle worker knows its next deadline
 * without a scan.
 *
 * 1. due[i].task->due_position == i + 1; a task with due_position 0 is not in it.
 * 2. No task is due before its parent. Ties keep no order: tasks that are due together are only
 *    marked dirty. */
#include "base/alloc.h"
#include "base/check.h"
#include "worker/worker_int.h"

static void place(struct worker *worker, size_t at, struct due due)
{
	worker->due[at] = due;
	due.task->due_position = (uint32_t)at + 1;
}

static size_t sift_up(struct worker *worker, size_t at)
{
	struct due due = worker->due[at];
	while (at > 0) {
		size_t parent = (at - 1) / 2;
		if (worker->due[parent].at_ms <= due.at_ms)
			break;
		place(worker, at, worker->due[parent]);
		at = parent;
	}
	place(worker, at, due);
	return at;
}

static void sift_down(struct worker *worker, size_t at)
{
	struct due due = worker->due[at];
	for (;;) {
		size_t child = 2 * at + 1;
		if (child >= worker->n_due)
			break;
		if (child + 1 < worker->n_due &&
		    worker->due[child + 1].at_ms < worker->due[child].at_ms)
			child++;
		if (worker->due[child].at_ms >= due.at_ms)
			break;
		place(worker, at, worker->due[child]);
		at = child;
	}
	place(worker, at, due);
}

/* After a time in which many were due. */
static void shrink(struct worker *worker)
{
	if (worker->due_capacity <= CAPACITY_KEPT || worker->n_due > worker->due_capacity / 4)
		return;
	worker->due_capacity /= 2;
	worker->due = base_realloc(worker->due, worker->due_capacity, sizeof(*worker->due));
}

static void take_out(struct worker *worker, struct worker_task *task)
{
	size_t at = task->due_position - 1;
	INVARIANT(worker->due[at].task == task);
	task->due_position = 0;
	worker->n_due--;
	if (at < worker->n_due) {
		place(worker, at, worker->due[worker->n_due]);
		sift_down(worker, sift_up(worker, at));
	}
	shrink(worker);
}

void worker_due_set(struct worker *worker, struct worker_task *task, int64_t due_ms)
{
	if (task->due_position)
		take_out(worker, task);
	if (due_ms == NEVER_MS)
		return;
	worker->due =
		base_grow(worker->due, worker->n_due, &worker->due_capacity, sizeof(*worker->due));
	worker->due[worker->n_due] = (struct due){ due_ms, task };
	sift_up(worker, worker->n_due++);
	POST(task->due_position > 0);
}

void worker_due_sooner(struct worker *worker, struct worker_task *task, int64_t due_ms)
{
	if (!task->due_position || due_ms < worker->due[task->due_position - 1].at_ms)
		worker_due_set(worker, task, due_ms);
}

int64_t worker_due_first_ms(const struct worker *worker)
{
	return worker->n_due ? worker->due[0].at_ms : NEVER_MS;
}

void worker_due_take(struct worker *worker)
{
	while (worker->n_due && worker->due[0].at_ms <= worker->now_ms) {
		struct worker_task *task = worker->due[0].task;
		take_out(worker, task);
		worker_task_mark_dirty(worker, task);
	}
}
