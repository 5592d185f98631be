/* The invariants of the core's memory, for tests and the simulator: aborts at the first that
 * does not hold. */
#include <string.h>

#include "base/check.h"
#include "worker/worker_int.h"

static void check_container(const struct worker_task *task)
{
	const struct observed_half *observed = &task->observed;
	INVARIANT(task->attempt_first >= 1);
	INVARIANT(task->attempt_first <= observed->attempt + 1);
	INVARIANT(task->attempt_ran <= observed->attempt);
	INVARIANT(task->attempt_signalled <= observed->attempt);
	INVARIANT(observed->state != TASK_PENDING);
	INVARIANT(IMPLIES(observed->state == TASK_RUNNING, task->attempt_ran == observed->attempt));
	INVARIANT(IMPLIES(observed->gone, task_is_final(observed->state)));
	INVARIANT(IMPLIES(observed->removed, observed->gone));
	INVARIANT(IMPLIES(observed->removed, task->attempt_first == observed->attempt + 1));
	INVARIANT(IMPLIES(observed->reason == REASON_EXIT_ZERO, observed->exit_code == 0));
	INVARIANT(IMPLIES(task->forgotten, task->wanted == TASK_WANT_REMOVE));
	INVARIANT(task->wanted >= task->asked);
	INVARIANT(IMPLIES(task->template, uuid_is_zero(worker_rare(task)->job.uuid)));
	INVARIANT(IMPLIES(task->template, worker_rare(task)->revision == 0));
	INVARIANT(IMPLIES(task->rare && !task->dirty,
			  memcmp(task->rare, &worker_no_rare, sizeof(worker_no_rare)) != 0));
}

static void check_place(const struct worker *worker, const struct worker_task *task)
{
	INVARIANT(worker_task_get(worker, task->id) == task);
	INVARIANT(!(task->has_slot && task->in_queue));
	INVARIANT(IMPLIES(task->news_position, !task->forgotten));
	INVARIANT(!task->deleted);
	INVARIANT(IMPLIES(worker_task_is_at_rest(task), !task->doing));
	INVARIANT(IMPLIES(task->in_queue, task->doing));
	INVARIANT(!task->listed);
	INVARIANT(IMPLIES(task->acted, worker->list_op));
	const struct op *op =
		worker_doing(task)->op ? worker_op_get(worker, worker_doing(task)->op) : NULL;
	INVARIANT(IMPLIES(worker_doing(task)->op, op));
	INVARIANT(IMPLIES(worker_doing(task)->op, op->task == task));
}

/* Each item knows its task and is known by it: with as many of one as of the other nobody is in twice, or missing. */
static void check_due(const struct worker *worker)
{
	size_t n = 0;
	for (const struct worker_task *task = worker->task_first; task; task = task->next)
		n += task->due_position != 0;
	INVARIANT(n == worker->n_due);
	for (size_t i = 0; i < worker->n_due; i++) {
		INVARIANT(worker->due[i].task->due_position == i + 1);
		INVARIANT(IMPLIES(i, worker->due[(i - 1) / 2].at_ms <= worker->due[i].at_ms));
	}
}

/* Who was deleted may still stand in it. */
static void check_dirty(const struct worker *worker)
{
	const struct task_queue *queue = &worker->dirty;
	size_t n = 0, n_dirty = 0;
	for (const struct worker_task *task = worker->task_first; task; task = task->next)
		n_dirty += task->dirty;
	for (size_t i = queue->first; i < queue->n; i++) {
		INVARIANT(queue->items[i]->dirty);
		n += !queue->items[i]->deleted;
	}
	INVARIANT(n == n_dirty);
	INVARIANT(IMPLIES(queue->first == queue->n, queue->n == 0));
}

/* In the order it was said, and then what was not: an acknowledgement takes the first ones. */
static void check_news(const struct worker *worker)
{
	const struct news *news = &worker->news;
	const struct news_item *before = NULL;
	size_t n = 0, n_unacked = 0;
	for (const struct worker_task *task = worker->task_first; task; task = task->next)
		n_unacked += task->news_position != 0;
	for (size_t i = news->first; i < news->n; i++) {
		const struct news_item *item = &news->items[i];
		if (!item->task)
			continue;
		n++;
		INVARIANT(item->task->news_position == i + 1);
		INVARIANT(IMPLIES(before && item->reported_in,
				  before->reported_in && before->reported_in <= item->reported_in));
		before = item;
	}
	INVARIANT(n == news->n_tasks && n_unacked == news->n_tasks);
	INVARIANT(IMPLIES(n, news->items[news->first].task));
	INVARIANT(IMPLIES(!n, news->n == 0));
}

static void check_start_queue(const struct worker *worker)
{
	size_t n = 0, n_waiting = 0;
	const struct worker_task *last = NULL;
	for (const struct worker_task *task = worker->task_first; task; task = task->next)
		n_waiting += task->in_queue;
	for (const struct worker_task *at = worker->queue_first; at; at = at->doing->queue_next) {
		INVARIANT(at->in_queue && at->doing);
		INVARIANT(at->doing->queue_prev == last);
		INVARIANT(++n <= n_waiting);
		last = at;
	}
	INVARIANT(n == n_waiting);
	INVARIANT(last == worker->queue_last);
}

static size_t count_indexed(const struct worker *worker)
{
	size_t n = 0, position = 0;
	const struct worker_template *at;
	while ((at = map_next(&worker->templates, &position)))
		for (; at; at = at->of_job)
			n++;
	return n;
}

static void check_templates(const struct worker *worker)
{
	size_t users = 0;
	size_t unused = 0, n = 0;
	for (const struct worker_template *at = worker->template_first; at; at = at->next) {
		n++;
		users += at->users;
		unused += at->users == 0;
		INVARIANT(worker_template_get(worker, at->sync.job, at->sync.revision) == at);
		INVARIANT(at->releasing <= at->users);
	}
	INVARIANT(n == count_indexed(worker));
	size_t bound = 0;
	for (const struct worker_task *task = worker->task_first; task; task = task->next)
		bound += task->template != NULL;
	INVARIANT(users == bound);
	INVARIANT(worker->lacks_template || bound == worker->tasks.n || !worker->started);
	INVARIANT(unused == worker->templates_unused);
	INVARIANT(unused <= TEMPLATES_UNUSED_MAX || !worker->started);
}

static void check_probes(const struct worker *worker)
{
	int64_t asked = 0, asked_here = 0;
	for (size_t i = 0; i < worker->n_ops; i++)
		asked += worker->ops[i].owner == OP_PROBE;
	for (const struct worker_task *task = worker->task_first; task; task = task->next) {
		const struct worker_health *health = worker_health(task);
		if (!health)
			continue;
		INVARIANT(health->task == task);
		INVARIANT(!(health->op && health->in_queue));
		INVARIANT(worker_task_is_live(task));
		asked_here += health->op != 0;
	}
	INVARIANT(asked == worker->n_probes && asked_here == asked);
	INVARIANT(asked <= worker->options.probes_parallel);
	for (const struct worker_health *at = worker->probe_first; at; at = at->queue_next)
		INVARIANT(at->in_queue && worker_health(at->task) == at);
}

void worker_check(const struct worker *worker)
{
	size_t n = 0;
	int64_t n_starting = 0, n_running = 0;
	uint64_t digest = 0;
	for (const struct worker_task *task = worker->task_first; task; task = task->next) {
		n++;
		n_starting += task->has_slot;
		n_running += task->observed.state == TASK_RUNNING;
		if (!task->forgotten)
			digest += worker_task_digest(task);
		check_container(task);
		check_place(worker, task);
	}
	INVARIANT(n == worker->tasks.n);
	INVARIANT(IMPLIES(n, !uuid_is_zero(worker->meta.cluster)));
	INVARIANT(n_starting == worker->n_starting);
	INVARIANT(IMPLIES(worker->running_counted, n_running == worker->n_running));
	INVARIANT(n_starting <= worker->options.starts_parallel);
	INVARIANT(digest == worker->digest);
	INVARIANT((int64_t)worker->n_ops - worker->n_probes <= ACTIONS_MAX + 3);
	check_probes(worker);
	INVARIANT(worker->number_next <= worker->meta.numbers_ceiling);
	INVARIANT(IMPLIES(worker->meta.removal != WORKER_REMOVAL_NONE, !worker->session));
	INVARIANT(IMPLIES(worker->meta.removal == WORKER_REMOVAL_OVER, !worker->task_first));
	check_due(worker);
	check_dirty(worker);
	INVARIANT(worker_queue_is_empty(&worker->unsaved));
	check_news(worker);
	check_start_queue(worker);
	check_templates(worker);
}
