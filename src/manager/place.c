/* Placing: of all classes that are not parked, the one with the oldest task of the highest priority is asked for next.
 * The first task of a class that fits nowhere parks its class, so a pass asks the scheduler at most once in vain per
 * class, and what does not fit never blocks what does; only one that has waited for long has a node kept for it.
 *
 * Invariant: after a pass every class that has tasks is parked. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/planted.h"
#include "manager/core.h"

const struct queue_item *class_first(struct manager *manager, struct task_class *class)
{
	while (class->queue.n) {
		const struct queue_item *item = &class->queue.items[0];
		const struct pending *pending = pending_of(manager, item);
		if (pending && pending->class == class)
			return item;
		queue_pop(&class->queue);
	}
	return NULL;
}

static void unpark_all(struct manager *manager)
{
	size_t at = 0;
	for (struct task_class *class; (class = map_next(&manager->classes, &at));)
		class_unpark(manager, class);
}

/* Classes in order of their first task. The stamp of an item is the class's hash. */
static void collect_classes(struct manager *manager, struct queue *ret_classes)
{
	struct task_class **empty = NULL;
	size_t n_empty = 0;
	size_t capacity = 0;
	size_t at = 0;
	for (struct task_class *class; (class = map_next(&manager->classes, &at));) {
		if (!class->n) {
			empty = base_grow(empty, n_empty, &capacity, sizeof(class));
			empty[n_empty++] = class;
		} else if (!class->parked) {
			struct queue_item first = *class_first(manager, class);
			first.stamp = class->hash;
			queue_push(ret_classes, first);
		}
	}
	for (size_t i = 0; i < n_empty; i++)
		class_delete(manager, empty[i]);
	base_free(empty);
}

static void park(struct manager *manager, struct task_class *class, const struct task *first,
		 const struct scheduler_pick *pick)
{
	bool news = !class->message || class->reason != pick->reason ||
		    strcmp(class->message, pick->message) != 0;
	class->parked = true;
	class->reason = pick->reason;
	string_set(&class->message, pick->message);
	manager->n_parked += class->n;
	for (size_t i = 0; i < class->queue.n; i++) {
		const struct pending *pending = pending_of(manager, &class->queue.items[i]);
		if (!pending || pending->class != class || pending->lost)
			continue;
		struct task *task = cluster_task(&manager->cluster, pending->task);
		task_set_waiting(manager, task, class->reason, class->message);
		if (pending->moves && move_has_waited(manager, pending))
			task_dirty(manager, task);
	}
	if (!news)
		return;
	char name[TASK_NAME_SIZE];
	cluster_task_name(&manager->cluster, first, name);
	notes_add(&manager->out->notes, "%s waits: %s", name, pick->message);
	happen(manager, "task", name, first->desired.id.uuid,
	       enum_name(task_state_names, first->state), reason_name(pick->reason), pick->message);
}

/* The node the task before it in its slot could not start on. While a move goes on that is not the one it replaces. */
static struct node_id node_to_avoid(const struct manager *manager, const struct task *task)
{
	struct node_id none = { { { 0 } } };
	if (!task_rare(task)->start_failures)
		return none;
	const struct job_entry *entry = cluster_job_of(&manager->cluster, task);
	for (size_t i = entry->tasks.n; i > 0; i--) {
		const struct task *old = entry->tasks.items[i - 1];
		if (old != task && old->desired.slot == task->desired.slot &&
		    task_is_final(old->state) && !uuid_is_zero(old->desired.node.uuid))
			return old->desired.node;
	}
	return none;
}

/* Where to place a task, from the scheduler; never on a node that is kept from it. */
static void pick_node(struct manager *manager, const struct task *task,
		      const struct pending *pending, struct scheduler_pick *ret_pick)
{
	const struct job_entry *entry = cluster_job_of(&manager->cluster, task);
	const char *wished = job_entry_current(entry)->spec.scheduler;
	const struct scheduler_ops *policy = wished ? scheduler_find(wished) : NULL;
	const struct node_entry *kept = keep_forbids(manager, task, pending);
	struct node_id avoid = pending->lost ? task->desired.node : node_to_avoid(manager, task);
	struct task model;
	pending_model(manager, task, pending->lost, &model);
	scheduler_pick(&manager->cluster, manager->memory,
		       policy ? policy : manager->options.scheduler, &model,
		       kept ? kept->record.id : avoid, manager->round, ret_pick);
	if (!kept || ret_pick->node != kept)
		return;
	scheduler_pick_release(ret_pick);
	char name[TASK_NAME_SIZE];
	char message[LIMIT_MESSAGE_BYTES];
	text_print(message, sizeof(message),
		   "the room on %s is kept for %s, which waits for longer", node_name(kept),
		   cluster_task_name(&manager->cluster,
				     cluster_task(&manager->cluster, manager->keep.task), name));
	ret_pick->reason = REASON_NO_NODE_FITS;
	ret_pick->message = base_strdup(message);
}

/* True: placed. */
static bool try_first(struct manager *manager, struct task_class *class)
{
	const struct pending *pending = pending_of(manager, class_first(manager, class));
	struct task *task = cluster_task(&manager->cluster, pending->task);
	if (pending_is_paced(pending) && !pace_allows(manager, pending)) {
		pace_park(manager, class);
		return false;
	}
	struct scheduler_pick pick = { 0 };
	pick_node(manager, task, pending, &pick);
	bool placed = pick.node != NULL;
	if (!placed) {
		park(manager, class, task, &pick);
	} else {
		manager->round = pick.next_round;
		if (pending_is_paced(pending))
			pace_count(manager, pending);
		if (pending->lost)
			task_replace_lost(manager, task, &pick);
		else
			task_place(manager, task, &pick);
	}
	if (placed && pick.moves_home)
		home_joined(manager, cluster_job_of(&manager->cluster, task));
	scheduler_pick_release(&pick);
	return placed;
}

/* A task may have stopped waiting for a replacement without anybody having taken it out. */
static bool still_wanted(struct manager *manager, const struct queue_item *item)
{
	const struct pending *pending = pending_of(manager, item);
	if (!pending->lost)
		return true;
	const struct task *task = cluster_task(&manager->cluster, pending->task);
	const struct job_entry *entry = cluster_job_of(&manager->cluster, task);
	if (entry->job.wanted != JOB_RUN || !may_replace_lost(entry, task))
		return false;
	/* It was heard meanwhile: then the wait begins anew. */
	bool over = lease_over_ms(manager, task) <= manager->in->now_ms;
	if (!over)
		task_dirty(manager, task);
	return over;
}

static void run_pass(struct manager *manager)
{
	struct queue classes = { 0 };
	collect_classes(manager, &classes);
	while (classes.n) {
		uint64_t hash = classes.items[0].stamp;
		queue_pop(&classes);
		struct task_class *class = map_get(&manager->classes, key_of_number(hash));
		const struct queue_item *first = class_first(manager, class);
		if (!first)
			continue;
		if (!still_wanted(manager, first))
			pending_drop(manager, (struct task_id){ first->id });
		else if (!try_first(manager, class))
			continue;
		first = class_first(manager, class);
		if (!first)
			continue;
		queue_push(&classes, (struct queue_item){ first->key, first->id, hash });
	}
	queue_release(&classes);
}

void place(struct manager *manager)
{
	pace_wake(manager);
	if (manager->in->now_ms >= manager->sweep_ms) {
		manager->wake = true;
		manager->sweep_ms = INT64_MAX;
		keep_refresh(manager);
	}
	keep_check(manager);
	do {
		if (manager->wake && !PLANTED(PLANTED_NEVER_WOKEN))
			unpark_all(manager);
		if (manager->wake)
			home_room_freed(manager);
		manager->wake = false;
		run_pass(manager);
		/* Whom a node was kept for may be placed: then it is there for the others. */
		keep_check(manager);
	} while (manager->wake);
}
