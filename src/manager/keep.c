/* What never fits because smaller tasks always come first: the oldest task of the highest priority that has waited for
 * a minute has a node kept for it, one where it will fit when what ends by itself has ended. No new task of its
 * priority or a lower one takes of the room it needs there. What only takes over a slot goes on: it fills the room
 * it has just left. Decided anew with every sweep.
 *
 * Invariant: between steps a node is kept only for a task that is in the queue. */
#include "base/alloc.h"
#include "base/check.h"
#include "manager/core.h"

/* Classes that are asked about in one sweep. */
#define KEEP_TRIES_MAX 8

static struct task_class *class_at(const struct manager *manager, const struct queue *classes)
{
	return map_get(&manager->classes, key_of_number(classes->items[0].stamp));
}

/* Those whose first task has waited for long, in the order of these. */
static void collect_patient(struct manager *manager, struct queue *ret_classes)
{
	size_t at = 0;
	for (struct task_class *class; (class = map_next(&manager->classes, &at));) {
		const struct queue_item *first =
			class->parked && !class->paced ? class_first(manager, class) : NULL;
		if (!first ||
		    manager->in->now_ms - pending_of(manager, first)->since_ms < KEEP_AFTER_MS)
			continue;
		queue_push(ret_classes, (struct queue_item){ first->key, first->id, class->hash });
	}
}

static void note_keep(struct manager *manager, const struct node_entry *node,
		      const struct task *task)
{
	char name[TASK_NAME_SIZE];
	notes_add(&manager->out->notes, "room on %s is kept for %s", node_name(node),
		  cluster_task_name(&manager->cluster, task, name));
}

static bool try_keep(struct manager *manager, struct task_class *class, const struct keep *before)
{
	const struct pending *pending = pending_of(manager, class_first(manager, class));
	const struct task *task = cluster_task(&manager->cluster, pending->task);
	struct task model;
	pending_model(manager, task, pending->lost, &model);
	const struct node_entry *node = scheduler_keep(&manager->cluster, &model);
	if (!node)
		return false;
	manager->keep = (struct keep){ true, pending->task, node->record.id };
	if (!before->on || !uuid_equal(before->task.uuid, pending->task.uuid) ||
	    !uuid_equal(before->node.uuid, node->record.id.uuid))
		note_keep(manager, node, task);
	return true;
}

void keep_refresh(struct manager *manager)
{
	struct keep before = manager->keep;
	manager->keep = (struct keep){ 0 };
	struct queue classes = { 0 };
	collect_patient(manager, &classes);
	for (int tries = 0; classes.n && tries < KEEP_TRIES_MAX; tries++) {
		if (try_keep(manager, class_at(manager, &classes), &before))
			break;
		queue_pop(&classes);
	}
	queue_release(&classes);
}

void keep_check(struct manager *manager)
{
	const struct keep *keep = &manager->keep;
	if (!keep->on)
		return;
	const struct pending *pending = pending_get(manager, keep->task);
	const struct node_entry *node = cluster_node(&manager->cluster, keep->node);
	if (pending && pending->class && node && manager->cluster.columns.ready[node->index])
		return;
	manager->keep = (struct keep){ 0 };
	manager->wake = true;
}

const struct node_entry *keep_forbids(const struct manager *manager, const struct task *task,
				      const struct pending *pending)
{
	const struct keep *keep = &manager->keep;
	if (!keep->on || pending->lost || !uuid_is_zero(task_rare(task)->replaces.uuid))
		return NULL;
	const struct pending *first = pending_get(manager, keep->task);
	/* It may have been placed earlier in this pass. */
	if (!first || first->class == pending->class || pending->priority > first->priority)
		return NULL;
	const struct task *waiting = cluster_task(&manager->cluster, keep->task);
	struct task model;
	pending_model(manager, waiting, first->lost, &model);
	const struct node_entry *node = cluster_node(&manager->cluster, keep->node);
	const struct resources *kept = &cluster_task_spec(&manager->cluster, &model)->reservations;
	const struct resources *request = &cluster_task_spec(&manager->cluster, task)->reservations;
	return scheduler_takes_room(node, &manager->cluster.columns, request, kept) ? node : NULL;
}
