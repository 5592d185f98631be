/* History: of each slot the last few final tasks are kept, of each job the last few revisions.
 *
 * Invariant: the newest task of a wanted slot is never forgotten, for it says how the slot stands. */
#include "base/alloc.h"
#include "base/limits.h"
#include "base/planted.h"
#include "manager/core.h"

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

void prune_tasks(struct manager *manager, struct job_entry *entry, struct slots *slots)
{
	struct task **excess = NULL;
	size_t n_excess = 0;
	size_t capacity = 0;
	/* Oldest first. */
	for (size_t i = 0; i < entry->tasks.n; i++) {
		struct task *task = entry->tasks.items[i];
		struct slot *slot = slots_find(slots, task->desired.slot);
		bool settled = slot_is_settled(entry, task->desired.slot);
		if (!settled && (!slot || !is_excess(manager, slot, task)))
			continue;
		if (slot)
			slot->n_final--;
		excess = base_grow(excess, n_excess, &capacity, sizeof(struct task *));
		excess[n_excess++] = task;
	}
	for (size_t i = 0; i < n_excess; i++)
		task_remove(manager, excess[i]);
	base_free(excess);
}

static bool is_used(const struct job_entry *entry, int64_t number)
{
	if (number == entry->job.revision)
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
