#include "cli/followed_run.h"

static void take_next(struct followed_run *run, const struct job_run *next)
{
	if (next->started_wall_ms &&
	    (!run->next_wall_ms || next->started_wall_ms < run->next_wall_ms))
		run->next_wall_ms = next->started_wall_ms;
}

void followed_run_look(struct followed_run *run, const struct job_history *history)
{
	run->ended = true;
	run->well = false;
	run->on_record = false;
	run->next_wall_ms = 0;
	/* Newest first; one that waited may have begun after one that was asked for later. */
	for (size_t i = 0; i < history->runs.n; i++) {
		const struct job_run *other = &history->runs.items[i];
		bool is_it = !run->on_record && !other->scheduled_wall_ms &&
			     other->started_wall_ms == run->started_wall_ms;
		if (is_it) {
			run->on_record = true;
			run->ended = other->outcome != RUN_UNDER_WAY;
			run->well = other->outcome == RUN_SUCCEEDED;
		} else if (!run->on_record || other->started_wall_ms > run->started_wall_ms) {
			take_next(run, other);
		}
	}
}

void followed_run_know(struct followed_run *run, const struct task_page *tasks)
{
	for (size_t i = 0; i < tasks->tasks.n; i++)
		if (uuid_compare(tasks->tasks.items[i].id, run->known) > 0)
			run->known = tasks->tasks.items[i].id;
}

bool followed_run_has(const struct followed_run *run, const struct task_view *task)
{
	if (uuid_compare(task->id, run->after) <= 0)
		return false;
	return uuid_compare(task->id, run->known) <= 0 || !run->next_wall_ms ||
	       task->created_wall_ms < run->next_wall_ms;
}
