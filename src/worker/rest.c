/* What a task has only sometimes: rare, which few have, and doing, while something goes on.
 *
 * 1. rare is NULL or holds something that is not zero, but while its task is dirty.
 * 2. A task at rest has no doing. What doing would say of it then follows from the rest of it, or is asked again
 *    before it matters: a stop begins with an inspection.
 * 3. One doing serves a whole start, or a whole stop. */
#include <string.h>

#include "base/alloc.h"
#include "worker/worker_task.h"

_Static_assert(sizeof(struct worker_task) <= 192, "there may be ten thousand on a machine");
_Static_assert(offsetof(struct worker_task, id) == 0, "an index by id finds it there");

const struct worker_rare worker_no_rare;
const struct worker_doing worker_no_doing;

struct worker_rare *worker_make_rare(struct worker_task *task)
{
	if (!task->rare)
		task->rare = base_calloc(1, sizeof(*task->rare));
	return task->rare;
}

struct worker_doing *worker_make_doing(struct worker_task *task)
{
	if (!task->doing)
		task->doing = base_calloc(1, sizeof(*task->doing));
	return task->doing;
}

void worker_task_not_before(struct worker_task *task, int64_t at_ms)
{
	if (at_ms || task->doing)
		worker_make_doing(task)->not_before_ms = at_ms;
}

void worker_seen_release(struct worker_seen *seen)
{
	base_free(seen->id);
	base_free(seen->error);
	base_free(seen->stop_signal);
	base_free(seen->health_output);
	*seen = (struct worker_seen){ 0 };
}

void worker_doing_free(struct worker_task *task)
{
	struct worker_doing *doing = task->doing;
	if (!doing)
		return;
	worker_seen_release(&doing->seen);
	base_free(doing->start_failure.message);
	base_free(doing->resource_name);
	base_free(doing->hook_failure);
	base_free(doing);
	task->doing = NULL;
}

uint64_t worker_task_seen_instance(const struct worker_task *task)
{
	uint64_t instance = worker_doing(task)->seen_instance;
	return instance ? instance : (uint64_t)task->daemon_instance;
}

static bool runs_as_it_should(const struct worker_task *task)
{
	const struct worker_doing *doing = worker_doing(task);
	return task->observed.state == TASK_RUNNING &&
	       task->attempt_ran == task->observed.attempt && task->wanted == TASK_WANT_RUN &&
	       !task->ending_reason && doing->stop_stage == STOP_NOT &&
	       worker_task_seen_instance(task) == (uint64_t)task->daemon_instance &&
	       (task->container == CONTAINER_RUNNING || task->container == CONTAINER_PAUSED);
}

static bool has_ended(const struct worker_task *task)
{
	return task_is_final(task->observed.state) &&
	       (task->container == CONTAINER_EXITED || task->container == CONTAINER_ABSENT);
}

bool worker_task_is_at_rest(const struct worker_task *task)
{
	const struct worker_doing *doing = worker_doing(task);
	if (doing->op || doing->not_before_ms || task->has_slot || task->in_queue || task->look ||
	    task->dirty)
		return false;
	return runs_as_it_should(task) || has_ended(task);
}

void worker_task_tidy_rare(struct worker_task *task)
{
	if (!task->rare || memcmp(task->rare, &worker_no_rare, sizeof(worker_no_rare)) != 0)
		return;
	base_free(task->rare);
	task->rare = NULL;
}

void worker_task_tidy(struct worker_task *task, int64_t now_ms)
{
	worker_task_tidy_rare(task);
	if (!task->doing)
		return;
	if (task->doing->not_before_ms <= now_ms)
		task->doing->not_before_ms = 0;
	if (worker_task_is_at_rest(task))
		worker_doing_free(task);
}
