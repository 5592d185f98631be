/* Going to a new revision, or through a restart, one slot at a time: stop the old task, wait until it is gone, start
 * the new one, wait until it is ready, then the next. There is no state of its own: what is due next follows from the
 * slots, so it goes on after a restart of the manager where it was, and a newer revision simply takes over.
 *
 * Invariant: at most one slot that had a live task is without a ready one because of us. */
#include "manager/core.h"

/* Does this slot, as it is now, hold the update back? */
static bool holds_back(const struct job_entry *entry, const struct task *task)
{
	switch (slot_look(entry, task)) {
	/* An old task is on its way out. */
	case SLOT_ENDING: return task_is_stale(entry, task);
	/* The new revision has failed here: pause. A task its user stopped says nothing about the revision. */
	case SLOT_LEFT: return task_end_reason(entry, task) != REASON_STOPPED;
	/* A slot that is new to the job takes nobody's place; one that took over must be ready first. */
	case SLOT_LIVE: return !task_is_ready(task) && !uuid_is_zero(task->desired.replaces.uuid);
	default: return false;
	}
}

void update_roll(struct manager *manager, struct job_entry *entry, const struct slots *slots,
		 bool gate_open)
{
	struct task *next = NULL;
	for (size_t i = 0; i < slots->n; i++) {
		struct task *task = slots->items[i].newest;
		if (slots->items[i].want != SLOT_WANTED)
			continue;
		if (holds_back(entry, task))
			return;
		/* Tasks that serve nobody go first. */
		if (slot_look(entry, task) == SLOT_OLD && !slots->items[i].moving &&
		    (!next || (task_is_ready(next) && !task_is_ready(task))))
			next = task;
	}
	if (next && gate_open)
		task_stop(manager, next,
			  next->desired.revision != entry->job.revision ? REASON_UPDATED
									: REASON_RESTARTED);
}
