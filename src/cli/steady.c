#include "cli/steady.h"

#include "base/alloc.h"

struct steady_task {
	int64_t first_attempt; /* when it was first looked at */
	int64_t attempt;
	int64_t ready_since_ms; /* INT64_MAX: it is not */
};

void steady_release(struct steady *steady)
{
	size_t position = 0;
	for (void *task; (task = map_next(&steady->tasks, &position));)
		base_free(task);
	map_release(&steady->tasks);
}

void steady_look(struct steady *steady, const struct task_view *task, int64_t now_ms)
{
	struct steady_task *known = map_get(&steady->tasks, task->id);
	if (!known) {
		known = base_calloc(1, sizeof(*known));
		*known = (struct steady_task){ .first_attempt =
						       task->attempt > 0 ? task->attempt : 1,
					       .attempt = task->attempt,
					       .ready_since_ms = INT64_MAX };
		map_put(&steady->tasks, task->id, known);
	}
	if (!task->ready)
		known->ready_since_ms = INT64_MAX;
	else if (known->ready_since_ms == INT64_MAX || known->attempt != task->attempt)
		known->ready_since_ms = now_ms;
	known->attempt = task->attempt;
}

bool steady_is(const struct steady *steady, const struct task_view *task, int64_t settle_ms,
	       int64_t now_ms)
{
	const struct steady_task *known = map_get(&steady->tasks, task->id);
	if (!known || known->ready_since_ms == INT64_MAX)
		return false;
	if (task->health != HEALTH_NONE || settle_ms == 0)
		return true;
	if (known->attempt > known->first_attempt && settle_ms < STEADY_AGAIN_MS)
		settle_ms = STEADY_AGAIN_MS;
	return now_ms - known->ready_since_ms >= settle_ms;
}

static bool is_rolling(const struct job_view *job)
{
	return job->update == UPDATE_STATE_ROLLING || job->update == UPDATE_STATE_ROLLING_BACK;
}

bool steady_keeps_ending(const struct steady *steady, const struct job_view *job,
			 const struct task_view *task)
{
	const struct steady_task *known = map_get(&steady->tasks, task->id);
	if (is_rolling(job) && task->revision != job->revision)
		return false;
	return known && !task->ready && task->state == TASK_SCHEDULED &&
	       known->attempt - known->first_attempt >= STEADY_ENDS_MAX;
}
