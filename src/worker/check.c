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
	if (task->dirty || !task->rare)
		return;
	INVARIANT(memcmp(task->rare, &worker_no_rare, sizeof(worker_no_rare)) != 0);
	INVARIANT(IMPLIES(task->template, uuid_is_zero(task->rare->job.uuid)));
}

static void check_place(const struct worker *worker, const struct worker_task *task)
{
	INVARIANT(worker_task_get(worker, task->id) == task);
	INVARIANT(!(task->has_slot && task->in_queue));
	INVARIANT(IMPLIES(task->due_position, worker->due[task->due_position - 1].task == task));
	INVARIANT(IMPLIES(task->news_position, !task->forgotten));
	INVARIANT(IMPLIES(task->news_position,
			  worker->news.items[task->news_position - 1].task == task));
	INVARIANT(IMPLIES(worker_task_is_at_rest(task), !task->doing));
	INVARIANT(IMPLIES(task->in_queue, task->doing));
	INVARIANT(!task->listed);
	INVARIANT(IMPLIES(task->acted, worker->list_op));
	const struct op *op =
		worker_doing(task)->op ? worker_op_get(worker, worker_doing(task)->op) : NULL;
	INVARIANT(IMPLIES(worker_doing(task)->op, op));
	INVARIANT(IMPLIES(worker_doing(task)->op, op->task == task));
	INVARIANT(!task->unsaved);
}

static void check_due(const struct worker *worker)
{
	for (size_t i = 1; i < worker->n_due; i++)
		INVARIANT(worker->due[(i - 1) / 2].at_ms <= worker->due[i].at_ms);
}

static void check_templates(const struct worker *worker)
{
	size_t users = 0;
	size_t unused = 0;
	for (const struct worker_template *at = worker->template_first; at; at = at->next) {
		users += at->users;
		unused += at->users == 0;
		INVARIANT(worker_template_get(worker, at->sync.job, at->sync.revision) == at);
		INVARIANT(at->releasing <= at->users);
	}
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
	check_templates(worker);
}
