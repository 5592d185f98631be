/* Moving a task whose work goes on: where the job allows it a new task takes its slot first, and the old one is stopped
 * once the new one is ready. What may not run twice is stopped at once, and so is what has waited for another node for
 * LIMIT_MOVE_PATIENCE_MS and found none; the slot then waits with the reason that the scheduler gives.
 *
 * There is no state of its own: a slot moves while the task its newest one replaces is not final. So a move goes on
 * after a restart of the manager where it was.
 *
 * Invariant: at most two tasks of a slot are not final and not withdrawn: the newest, and the one it replaces. */
#include "base/check.h"
#include "base/limits.h"
#include "manager/core.h"

static bool node_drains(const struct manager *manager, const struct task *task)
{
	return cluster_node(&manager->cluster, task->desired.node)->record.draining;
}

/* Why the task is to leave its slot to another; REASON_NONE: it may stay. */
static int cause_of(const struct manager *manager, const struct job_entry *entry,
		    const struct task *task)
{
	if (task->desired.revision != entry->job.revision)
		return REASON_UPDATED;
	if (task_is_stale(entry, task))
		return REASON_RESTARTED;
	return node_drains(manager, task) ? REASON_DRAINED : REASON_NONE;
}

static bool is_fixed(const struct port *port)
{
	return port->host_first && port->host_first == port->host_last;
}

/* May its successor run beside it? */
static bool may_run_twice(const struct manager *manager, const struct job_entry *entry,
			  const struct task *task)
{
	const struct job_spec *spec = &job_entry_current(entry)->spec;
	if (job_runs_to_completion(entry) || !task_is_ready(task) || job_spec_lease_ms(spec) ||
	    job_spec_lease_ms(cluster_task_spec(&manager->cluster, task)))
		return false;
	for (size_t i = 0; i < spec->ports.n; i++)
		if (is_fixed(&spec->ports.items[i]))
			return false;
	struct task model;
	pending_model(manager, task, true, &model);
	return !scheduler_ties(&manager->cluster, &model);
}

bool move_has_waited(const struct manager *manager, const struct pending *pending)
{
	return !nodes_in_grace(manager) &&
	       manager->in->now_ms - pending->since_ms >= LIMIT_MOVE_PATIENCE_MS;
}

/* Has it found no node, and looked for long enough? */
static bool waits_in_vain(const struct manager *manager, const struct task *task)
{
	const struct pending *pending =
		task->state == TASK_PENDING ? pending_get(manager, task->desired.id) : NULL;
	return pending && pending->class && pending->class->parked &&
	       move_has_waited(manager, pending);
}

/* The user's word about one of the two is meant for the slot: but not one that is over. The old task may not have ended
 * yet when its slot is scaled back, or its job restarted. */
static bool is_asked_to_end(const struct job_entry *entry, const struct task *task)
{
	return task->desired.wanted == TASK_WANT_STOP &&
	       task->desired.stop_reason == REASON_STOPPED && !task_is_stale(entry, task);
}

static void end_both(struct manager *manager, const struct job_entry *entry,
		     const struct slot *slot)
{
	const struct task *asked =
		is_asked_to_end(entry, slot->newest) ? slot->newest : slot->moving;
	struct task *other = asked == slot->newest ? slot->moving : slot->newest;
	if (is_asked_to_end(entry, asked) && !task_is_final(other->state))
		task_stop(manager, other, asked->desired.stop_reason);
}

static void call_off(struct manager *manager, struct slot *slot)
{
	char name[TASK_NAME_SIZE];
	const struct node_entry *node = cluster_node(&manager->cluster, slot->moving->desired.node);
	notes_add(&manager->out->notes, "%s stays on %s: the move is called off",
		  cluster_task_name(&manager->cluster, slot->moving, name), node_name(node));
	task_withdraw(manager, slot->newest);
	slot->newest = slot->moving;
	slot->moving = NULL;
}

void move_settle(struct manager *manager, struct job_entry *entry, struct slot *slot)
{
	struct task *old = slot->moving;
	end_both(manager, entry, slot);
	if (old->desired.wanted != TASK_WANT_RUN)
		return;
	const struct task *new = slot->newest;
	int cause = cause_of(manager, entry, old);
	bool taken_over = (task_is_ready(new) && new->desired.wanted == TASK_WANT_RUN) ||
			  slot_look(entry, new) == SLOT_DONE;
	if (taken_over && old->unreachable)
		task_lose(manager, old, cluster_node(&manager->cluster, new->desired.node));
	else if (taken_over)
		task_stop(manager, old, cause ? cause : REASON_DRAINED);
	else if (old->unreachable)
		return; /* it may never come back */
	else if (!cause)
		call_off(manager, slot);
	else if (waits_in_vain(manager, new))
		task_stop(manager, old, cause);
}

void move_begin(struct manager *manager, struct job_entry *entry, struct slot *slot)
{
	struct task *task = slot->newest;
	bool placed = task && (task->state == TASK_SCHEDULED || task->state == TASK_RUNNING);
	if (!placed || task->desired.wanted != TASK_WANT_RUN || task->unreachable ||
	    !node_drains(manager, task))
		return;
	if (!may_run_twice(manager, entry, task)) {
		task_stop(manager, task, REASON_DRAINED);
		return;
	}
	slot->moving = task;
	slot->newest = task_create(manager, entry, task->desired.slot, task);
}
