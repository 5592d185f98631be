/* The restart policy: does an attempt that ended follow by another one here, and when.
 *
 * 1. The first restart is at once; after it the pause doubles, with jitter, up to the maximum;
 *    an attempt that ran stably starts the row anew. A written delay is the minimum of every
 *    pause.
 * 2. Restarts count per slot: those of earlier tasks of the slot are in `attempts_before`.
 * 3. An interrupted attempt is started again whatever the policy says, and counts nothing. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/planted.h"
#include "worker/worker_int.h"

static const struct restart_policy *policy_of(const struct worker_task *task)
{
	static const struct restart_policy unwritten = { .condition = RESTART_ON_FAILURE };
	return task->template ? &task->template->sync.spec.restart : &unwritten;
}

static bool policy_wants(const struct worker_task *task, int reason)
{
	int condition = policy_of(task)->condition;
	if (condition == RESTART_NONE)
		return false;
	if (reason != REASON_EXIT_ZERO)
		return true;
	/* What runs to completion has completed; a service is meant to stay. */
	return condition == RESTART_ANY && task->template &&
	       task->template->sync.spec.mode == JOB_REPLICATED;
}

static int64_t count_used(const struct worker *worker, const struct worker_task *task)
{
	const struct worker_rare *rare = worker_rare(task);
	int64_t window_ms = policy_of(task)->window_ms;
	if (!window_ms)
		return rare->attempts_before + task->observed.attempts_used;
	int64_t from_ms = worker->now_ms - window_ms;
	/* When earlier tasks used theirs is not known; the assignment came after all of them. */
	int64_t used = task->assigned_ms > from_ms ? rare->attempts_before : 0;
	for (size_t i = 0; i < rare->restarts.n; i++)
		used += rare->restarts.items[i].at_ms > from_ms;
	return used;
}

/* Doubled `in_row` - 1 times, within a tenth up or down, in steps a person can read. */
static int64_t backoff_ms(struct worker *worker, int64_t in_row)
{
	if (PLANTED(PLANTED_WALL_CLOCK))
		return worker->wall_ms % 5000;
	if (!in_row)
		return 0;
	int64_t max_ms = worker->options.backoff_max_ms;
	int64_t pause_ms = worker->options.backoff_first_ms;
	for (int64_t i = 1; i < in_row && pause_ms < max_ms; i++)
		pause_ms *= 2;
	if (pause_ms > max_ms)
		pause_ms = max_ms;
	if (PLANTED(PLANTED_HIDDEN_STATE)) {
		static int64_t n_pauses;
		pause_ms += n_pauses++ % 7;
	}
	uint64_t fifth = (uint64_t)pause_ms / 5;
	pause_ms += (int64_t)random_below(&worker->random, fifth + 1) - (int64_t)(fifth / 2);
	if (pause_ms > max_ms)
		pause_ms = max_ms;
	return pause_ms >= 100 ? pause_ms - pause_ms % 10 : pause_ms;
}

struct restart_choice worker_restart_choose(struct worker *worker, struct worker_task *task,
					    int reason)
{
	if (reason == REASON_INTERRUPTED)
		return (struct restart_choice){ .again = true };
	const struct restart_policy *policy = policy_of(task);
	struct restart_choice choice = { .max = policy->max_attempts };
	if (!policy_wants(task, reason))
		return choice;
	/* What lies further back than is remembered cannot be counted. */
	int64_t max = choice.max;
	if (policy->window_ms && max > RESTARTS_REMEMBERED)
		max = RESTARTS_REMEMBERED;
	choice.used = count_used(worker, task);
	if (max && choice.used >= max) {
		choice.used_up = true;
		return choice;
	}
	if (task->rare && task->started_ms &&
	    worker->now_ms - task->started_ms >= worker->options.stable_ms)
		task->rare->restarts_in_row = 0;
	choice.again = true;
	choice.delay_ms = backoff_ms(worker, worker_rare(task)->restarts_in_row);
	if (choice.delay_ms < policy->delay_ms)
		choice.delay_ms = policy->delay_ms;
	POST(choice.delay_ms >= 0);
	return choice;
}

void worker_restart_count(struct worker *worker, struct worker_task *task)
{
	if (!PLANTED(PLANTED_RESTART_UNCOUNTED))
		task->observed.attempts_used++;
	struct worker_rare *rare = worker_make_rare(task);
	rare->restarts_in_row++;
	int64_t window_ms = policy_of(task)->window_ms;
	if (!window_ms)
		return;
	size_t old = 0;
	while (old < rare->restarts.n &&
	       (rare->restarts.items[old].at_ms <= worker->now_ms - window_ms ||
		rare->restarts.n - old >= RESTARTS_REMEMBERED))
		old++;
	if (old) {
		rare->restarts.n -= old;
		memmove(rare->restarts.items, rare->restarts.items + old,
			rare->restarts.n * sizeof(struct worker_restart));
	}
	struct worker_restart *added = list_add(&rare->restarts, sizeof(*added));
	added->at_ms = worker->now_ms;
}
