/* Lists of what is on the machine: the truth that hints may have missed.
 *
 * Every list_ms one is taken. Where there are many containers, most are of those that have ended: who died is found as
 * soon as anywhere, and reading costs no more the more there are. A list of all finds what else no hint has told:
 * containers that were removed, strays that run, health. It is taken at each beginning (of a life, of a session, of a
 * run of Docker) and then at most once in list_each_ms for each container of the one before: up to a thousand
 * containers every list is one.
 *
 * 1. A list says nothing of a task that had an action begun after it, or has one in flight: it
 *    may be older.
 * 2. What differs from what is known is inspected; the list itself decides nothing.
 * 3. The newest attempt of a task is its current one (I1); others that run are strays.
 * 4. A list of those that have ended says nothing of one that it does not show and that is thought to run. */
#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/planted.h"
#include "worker/worker_int.h"

/* Above it nobody has counted, and there is room to go on. */
#define ATTEMPT_ADOPTED_MAX (LIMIT_TASK_COUNT / 2)
/* One that fails is nothing: Docker may be on its way down. */
#define FAILURES_TOLD 5

void worker_list_now(struct worker *worker)
{
	worker->list_at_ms = worker->now_ms;
	worker->list_whole_at_ms = worker->now_ms;
}

void worker_list_advance(struct worker *worker)
{
	if (!worker->runtime_up || worker->list_op || uuid_is_zero(worker->meta.cluster) ||
	    worker->now_ms < worker->list_at_ms)
		return;
	struct container_action *action = worker_op_begin(worker, OP_LIST, CONTAINER_LIST, NULL);
	worker->list_op = action->op;
	worker->list_ended = worker->listed && worker->now_ms < worker->list_whole_at_ms;
	action->ended = worker->list_ended;
	/* Whoever asks for all while it is under way is answered by another. */
	if (!worker->list_ended)
		worker->list_whole_at_ms = NEVER_MS;
}

static bool runs(int state)
{
	return state == CONTAINER_RUNNING || state == CONTAINER_PAUSED;
}

static struct worker_task *owner_of(const struct worker *worker, const struct container_seen *seen)
{
	struct task_id id;
	int64_t attempt;
	if (!worker_container_name_parse(seen->name, &id, &attempt) ||
	    !worker_seen_is_ours(worker, seen, id, attempt))
		return NULL;
	return worker_task_get(worker, id);
}

/* The store knows less than the machine: it was restored from an older copy. */
static void adopt_newer(struct worker *worker, struct worker_task *task, int64_t attempt)
{
	if (worker_doing(task)->op || attempt <= task->observed.attempt ||
	    attempt > ATTEMPT_ADOPTED_MAX || !worker_task_is_live(task))
		return;
	worker_task_adopt(worker, task, attempt);
}

static void take_one(struct worker *worker, struct worker_task *task,
		     const struct container_seen *seen)
{
	if (!uuid_equal(seen->cluster, worker->meta.cluster))
		return;
	if (!task) {
		worker_strays_put(worker, seen, true);
		return;
	}
	if (seen->attempt == task->observed.attempt) {
		task->listed = true;
		task->list_state = (uint8_t)seen->state;
		task->list_health = (uint8_t)seen->health;
		return;
	}
	/* An answer in flight may be about this very container. */
	if (worker_doing(task)->op)
		return;
	if (runs(seen->state) || seen->attempt < task->attempt_first ||
	    seen->attempt > task->observed.attempt)
		worker_strays_put(worker, seen, false);
}

static void compare(struct worker *worker, struct worker_task *task)
{
	bool listed = task->listed;
	bool acted = task->acted;
	task->listed = false;
	task->acted = false;
	if (worker_doing(task)->op || acted || task->container == CONTAINER_UNKNOWN ||
	    !task->observed.attempt)
		return;
	if (PLANTED(PLANTED_EXIT_MISSED))
		return;
	bool is_silent = worker->list_ended && !listed;
	if (is_silent && (runs(task->container) || task->container == CONTAINER_ABSENT))
		return;
	int state = listed ? task->list_state : CONTAINER_ABSENT;
	bool differs = state != task->container && !(runs(state) && runs(task->container));
	if (runs(state) && task->list_health != HEALTH_NONE &&
	    task->list_health != task->observed.health)
		differs = true;
	if (!differs)
		return;
	task->look = true;
	worker_task_mark_dirty(worker, task);
}

/* After a list of so many. */
static void plan_next(struct worker *worker, size_t n_listed)
{
	worker->list_at_ms = worker->now_ms + worker->options.list_ms;
	int64_t gap_ms = (int64_t)n_listed * worker->options.list_each_ms;
	if (gap_ms < worker->options.list_ms)
		gap_ms = worker->options.list_ms;
	if (worker->list_whole_at_ms == NEVER_MS)
		worker->list_whole_at_ms = worker->now_ms + gap_ms;
	if (worker->list_whole_at_ms < worker->list_at_ms)
		worker->list_at_ms = worker->list_whole_at_ms;
}

static void take_failure(struct worker *worker, const struct container_result *result)
{
	for (struct worker_task *task = worker->task_first; task; task = task->next)
		task->acted = false;
	worker->list_at_ms = worker->now_ms + RETRY_MS;
	if (worker->list_ended)
		return;
	/* Where all are too many to be told in time, those that have ended may still be few. */
	worker->list_whole_at_ms = worker->list_at_ms + RETRY_MS;
	if (worker->list_failures == FAILURES_TOLD)
		return;
	if (++worker->list_failures < FAILURES_TOLD)
		return;
	char *tail = worker_words_tail(result->message);
	notes_add(&worker->out->notes, "Docker does not list its containers%s%s",
		  worker->listed ? "" : ", and nothing starts before it does", tail);
	base_free(tail);
}

void worker_list_result(struct worker *worker, uint64_t op, const struct container_result *result)
{
	if (result->fault != FAULT_NONE) {
		take_failure(worker, result);
		return;
	}
	plan_next(worker, result->n_list);
	worker->list_mark++;
	struct worker_task **owners = base_calloc(result->n_list, sizeof(*owners));
	for (size_t i = 0; i < result->n_list; i++) {
		owners[i] = owner_of(worker, &result->list[i]);
		if (owners[i])
			adopt_newer(worker, owners[i], result->list[i].attempt);
	}
	for (size_t i = 0; i < result->n_list; i++)
		take_one(worker, owners[i], &result->list[i]);
	base_free(owners);
	if (!worker->list_ended) {
		if (worker->list_failures == FAILURES_TOLD)
			notes_add(&worker->out->notes, "Docker lists its containers again");
		worker->list_failures = 0;
		worker->list_done_op = op;
		worker_strays_sweep(worker);
	}
	worker_networks_take_list(worker, &result->networks);
	for (struct worker_task *task = worker->task_first; task; task = task->next) {
		compare(worker, task);
		if (!worker->listed)
			worker_task_mark_dirty(worker, task);
	}
	worker->listed = true;
}
