/* History: of each slot the last few final tasks are kept, of each job the last few revisions.
 *
 * Invariants: the newest task of a wanted slot is never forgotten, for it says how the slot stands; nor is the revision
 * that the job would go back to, however many have failed since. */
#include "base/alloc.h"
#include "base/limits.h"
#include "base/planted.h"
#include "manager/core.h"
#include "manager/roster.h"

static bool is_excess(const struct manager *manager, const struct slot *slot,
		      const struct task *task)
{
	if (!task_is_final(task->state) || task->desired.wanted == TASK_WANT_REMOVE)
		return false;
	/* While its container may be left the task still has to be stopped. */
	if (!task_is_off(task))
		return false;
	if (slot->want == SLOT_UNWANTED)
		return true;
	return task != slot->newest && slot->n_final > manager->options.history_per_slot &&
	       !PLANTED(PLANTED_HISTORY_KEPT);
}

struct excess {
	struct task **items;
	size_t n, capacity;
};

static void find_excess(const struct manager *manager, const struct job_entry *entry,
			struct slot *slot, struct task *task, struct excess *excess)
{
	bool settled = slot_is_settled(entry, task->desired.slot);
	if (!settled && (!slot || !is_excess(manager, slot, task)))
		return;
	if (slot)
		slot->n_final--;
	excess->items =
		base_grow(excess->items, excess->n, &excess->capacity, sizeof(struct task *));
	excess->items[excess->n++] = task;
}

static void remove_excess(struct manager *manager, struct excess *excess)
{
	for (size_t i = 0; i < excess->n; i++)
		task_remove(manager, excess->items[i]);
	base_free(excess->items);
}

void prune_tasks(struct manager *manager, struct job_entry *entry, const struct pass *pass)
{
	struct excess excess = { 0 };
	/* Oldest first. */
	for (size_t i = 0; !pass->roster && i < entry->tasks.n; i++) {
		struct task *task = entry->tasks.items[i];
		find_excess(manager, entry, slots_find(&pass->slots, task->desired.slot), task,
			    &excess);
	}
	for (size_t i = 0; pass->roster && i < pass_count(pass); i++) {
		struct slot *slot = pass_slot(pass, i);
		size_t n = 0;
		struct task *const *tasks = roster_tasks(pass->roster, slot, &n);
		for (size_t j = 0; j < n; j++)
			find_excess(manager, entry, slot, tasks[j], &excess);
	}
	remove_excess(manager, &excess);
}

void prune_all(struct manager *manager, struct job_entry *entry)
{
	struct pass pass = { 0 };
	slots_build(&manager->cluster, entry, &pass.slots);
	prune_tasks(manager, entry, &pass);
	slots_release(&pass.slots);
}

static bool is_used(const struct job_entry *entry, int64_t number)
{
	const struct job_revision *target = rollback_target(entry);
	if (number == entry->job.revision || (target && number == target->number))
		return true;
	for (size_t i = 0; i < entry->tasks.n; i++)
		if (entry->tasks.items[i]->desired.revision == number)
			return true;
	return false;
}

void prune_revisions(struct manager *manager, struct job_entry *entry)
{
	size_t at = 0;
	size_t n_before = entry->n_revisions;
	while (entry->n_revisions > LIMIT_REVISIONS_PER_JOB && at < entry->n_revisions) {
		int64_t number = entry->revisions[at]->number;
		if (is_used(entry, number)) {
			at++;
			continue;
		}
		group_reserve(manager, 1);
		cluster_delete_revision(&manager->cluster, &manager->out->changes, entry, number);
	}
	if (entry->n_revisions < n_before)
		contents_look(manager, entry->job.project);
}
