/* Actions in flight.
 *
 * 1. A number is never used twice, also not after a restart: the first one of a life is drawn.
 * 2. A task has at most one action in flight, and beside it one question about its health; a stray
 *    has at most one, and there is at most one list, one network removal and one volume removal.
 * 3. An answer to a number that is not in the table is of nobody and is dropped. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "worker/worker_int.h"

bool worker_ops_have_room(const struct worker *worker)
{
	return (int64_t)worker->n_ops - worker->n_probes < ACTIONS_MAX;
}

void *worker_lend(struct worker *worker, void *memory)
{
	worker->lent = base_grow(worker->lent, worker->n_lent, &worker->lent_capacity,
				 sizeof(*worker->lent));
	worker->lent[worker->n_lent++] = memory;
	return memory;
}

struct op *worker_op_get(const struct worker *worker, uint64_t op)
{
	for (size_t i = 0; i < worker->n_ops; i++)
		if (worker->ops[i].op == op)
			return &worker->ops[i];
	return NULL;
}

struct container_action *worker_op_begin(struct worker *worker, int owner, int verb,
					 const char *name)
{
	struct worker_out *out = worker->out;
	PRE(out);
	PRE(worker->runtime_up);
	if (!worker->op_newest)
		worker->op_newest = random_next(&worker->random) >> 16 << 8;
	worker->op_newest++;
	int64_t timeout_ms = verb == CONTAINER_PULL ? worker->options.pull_timeout_ms
						    : worker->options.call_timeout_ms;
	worker->ops =
		base_grow(worker->ops, worker->n_ops, &worker->ops_capacity, sizeof(struct op));
	worker->ops[worker->n_ops++] = (struct op){
		.op = worker->op_newest,
		.owner = owner,
		.verb = verb,
		.expires_ms = worker->now_ms + timeout_ms + ANSWER_MARGIN_MS,
	};
	out->actions = base_grow(out->actions, out->n_actions, &out->actions_capacity,
				 sizeof(struct container_action));
	struct container_action *action = &out->actions[out->n_actions++];
	*action = (struct container_action){
		.op = worker->op_newest,
		.verb = verb,
		.timeout_ms = timeout_ms,
		.cluster = worker->meta.cluster,
	};
	if (name)
		memcpy(action->name, name, strnlen(name, CONTAINER_NAME_SIZE - 1));
	return action;
}

struct container_action *worker_op_begin_task(struct worker *worker, struct worker_task *task,
					      int verb, int64_t attempt)
{
	PRE(!worker_doing(task)->op);
	PRE(attempt >= 1);
	PRE(attempt <= task->observed.attempt);
	char name[CONTAINER_NAME_SIZE];
	container_name(task->id, attempt, name);
	struct container_action *action = worker_op_begin(worker, OP_TASK, verb, name);
	worker->ops[worker->n_ops - 1].task = task;
	struct worker_doing *doing = worker_make_doing(task);
	doing->op = action->op;
	doing->op_verb = verb;
	doing->op_attempt = attempt;
	task->acted = worker->list_op != 0;
	action->task = task->id;
	action->revision = worker_rare(task)->revision;
	action->slot = task->slot;
	action->attempt = attempt;
	action->ports = worker_rare(task)->ports.items;
	action->n_ports = worker_rare(task)->ports.n;
	if (task->template) {
		const struct sync_template *sync = &task->template->sync;
		action->revision = sync->revision;
		action->spec = &sync->spec;
		action->over_tls = sync->over_tls;
		action->project = sync->project;
		action->job = sync->name;
		action->networks = sync->networks.items;
		action->n_networks = sync->networks.n;
		action->volumes = sync->volumes.items;
		action->n_volumes = sync->volumes.n;
	}
	return action;
}

struct container_action *worker_op_begin_stray(struct worker *worker, struct stray *stray, int verb)
{
	PRE(!stray->op);
	struct container_action *action = worker_op_begin(worker, OP_STRAY, verb, stray->seen.name);
	worker->ops[worker->n_ops - 1].stray = stray;
	stray->op = action->op;
	action->task = stray->seen.task;
	action->attempt = stray->seen.attempt;
	return action;
}

struct container_action *worker_op_begin_probe(struct worker *worker, struct worker_task *task,
					       int64_t timeout_ms)
{
	PRE(!worker_health(task)->op);
	const struct observed_half *observed = &task->observed;
	char name[CONTAINER_NAME_SIZE];
	container_name(task->id, observed->attempt, name);
	struct container_action *action = worker_op_begin(worker, OP_PROBE, CONTAINER_PROBE, name);
	struct op *op = &worker->ops[worker->n_ops - 1];
	op->task = task;
	op->expires_ms = worker->now_ms + timeout_ms + ANSWER_MARGIN_MS;
	worker_health(task)->op = action->op;
	worker->n_probes++;
	action->timeout_ms = timeout_ms;
	action->task = task->id;
	action->attempt = observed->attempt;
	action->spec = &task->template->sync.spec;
	return action;
}

void worker_op_end(struct worker *worker, uint64_t op)
{
	struct op *found = worker_op_get(worker, op);
	PRE(found);
	if (found->owner == OP_PROBE) {
		worker_health(found->task)->op = 0;
		worker->n_probes--;
	} else if (found->task) {
		found->task->doing->op = 0;
	}
	if (found->stray)
		found->stray->op = 0;
	size_t at = (size_t)(found - worker->ops);
	memmove(found, found + 1, (worker->n_ops - at - 1) * sizeof(*found));
	worker->n_ops--;
}

void worker_op_drop(struct worker *worker, uint64_t op)
{
	struct worker_out *out = worker->out;
	PRE(out);
	out->dropped = base_grow(out->dropped, out->n_dropped, &out->dropped_capacity,
				 sizeof(*out->dropped));
	out->dropped[out->n_dropped++] = op;
	worker_op_end(worker, op);
}
