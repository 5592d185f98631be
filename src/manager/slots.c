/* What the slots of a job need, read from its tasks alone: pure functions, shared by reconcile, update, prune and
 * status.
 *
 * Invariant of what they read: in a slot every task but the newest is final. */
#include "base/alloc.h"
#include "base/check.h"
#include "manager/core.h"

int64_t job_replicas(const struct job_entry *entry)
{
	return job_entry_current(entry)->spec.replicas;
}

bool job_runs_to_completion(const struct job_entry *entry)
{
	return job_entry_current(entry)->spec.mode == JOB_REPLICATED_JOB;
}

void slots_build(const struct job_entry *entry, struct slots *ret_slots)
{
	int64_t n = job_replicas(entry);
	for (size_t i = 0; i < entry->tasks.n; i++)
		if (entry->tasks.items[i]->desired.slot > n)
			n = entry->tasks.items[i]->desired.slot;
	ret_slots->n = (size_t)n;
	ret_slots->items = base_calloc(ret_slots->n + 1, sizeof(struct slot));
	/* Tasks come in the order they were made: the last one seen is the newest. */
	for (size_t i = 0; i < entry->tasks.n; i++) {
		struct task *task = entry->tasks.items[i];
		INVARIANT(task->desired.slot >= 1);
		struct slot *slot = &ret_slots->items[task->desired.slot - 1];
		slot->newest = task;
		if (task_is_final(task->state) && task->desired.wanted != TASK_WANT_REMOVE)
			slot->n_final++;
	}
}

void slots_release(struct slots *slots)
{
	base_free(slots->items);
	*slots = (struct slots){ 0 };
}

bool task_is_stale(const struct job_entry *entry, const struct task *task)
{
	return task->desired.revision != entry->job.revision ||
	       task->desired.restarts_asked < entry->job.restarts_asked;
}

bool task_is_off(const struct task *task)
{
	return !task_occupies_node(task) || task->desired.verdict_reason == REASON_NODE_LOST;
}

int task_end_reason(const struct job_entry *entry, const struct task *task)
{
	if (task->desired.wanted != TASK_WANT_STOP || task->desired.verdict)
		return task->reason;
	if (task_succeeded(task) && job_runs_to_completion(entry))
		return task->reason;
	return task->desired.stop_reason;
}

static int look_at_end(const struct job_entry *entry, const struct task *task)
{
	if (!task_is_off(task))
		return SLOT_ENDING;
	/* To be forgotten: the slot was scaled away, and is wanted again. */
	if (task_is_stale(entry, task) || task->desired.wanted == TASK_WANT_REMOVE)
		return SLOT_NEXT;
	int reason = task_end_reason(entry, task);
	switch (reason_after(reason)) {
	case AFTER_SUCCESS: return SLOT_DONE;
	case AFTER_REPLACE_ELSEWHERE:
	case AFTER_REPLACE_NOW: return SLOT_NEXT;
	case AFTER_ASKED: return reason == REASON_SCALED_DOWN ? SLOT_NEXT : SLOT_LEFT;
	case AFTER_LEAVE:
	case AFTER_NOT_AN_END: break;
	}
	return SLOT_LEFT;
}

/* Is a task wanted in this one's slot, once this one is gone? */
static bool slot_is_wanted(const struct job_entry *entry, const struct task *task)
{
	if (task->desired.slot > job_replicas(entry))
		return false;
	if (task->desired.wanted == TASK_WANT_RUN)
		return true;
	if (task->desired.wanted != TASK_WANT_STOP)
		return false;
	/* A slot that was scaled away is there again, and a restart clears a stop. */
	return task_is_stale(entry, task) || task->desired.stop_reason == REASON_SCALED_DOWN ||
	       reason_after(task->desired.stop_reason) == AFTER_REPLACE_NOW;
}

bool may_replace_lost(const struct job_entry *entry, const struct task *task)
{
	return task->unreachable && slot_is_wanted(entry, task);
}

int slot_look(const struct job_entry *entry, const struct task *newest)
{
	if (!newest)
		return SLOT_EMPTY;
	if (task_is_final(newest->state))
		return look_at_end(entry, newest);
	if (newest->desired.wanted != TASK_WANT_RUN)
		return SLOT_ENDING;
	return task_is_stale(entry, newest) ? SLOT_OLD : SLOT_LIVE;
}

static bool has_started(const struct task *task)
{
	return task->state == TASK_RUNNING || task->observed.started_wall_ms > 0 ||
	       task_succeeded(task);
}

static void count_slot(const struct job_entry *entry, const struct task *task,
		       struct job_facts *facts)
{
	int look = slot_look(entry, task);
	if (!task)
		return;
	facts->unreachable += task->unreachable && !task_is_final(task->state);
	if (task_is_stale(entry, task)) {
		facts->old++;
		return;
	}
	facts->started += has_started(task);
	facts->running += task->state == TASK_RUNNING;
	facts->ready += look == SLOT_LIVE && task_is_ready(task);
	facts->succeeded += look == SLOT_DONE;
	facts->left += look == SLOT_LEFT;
}

static int standing_of(const struct job_entry *entry, const struct job_facts *facts)
{
	if (entry->job.wanted != JOB_RUN)
		return entry->job.wanted == JOB_STOP ? STANDING_STOPPED : STANDING_REMOVING;
	if (facts->left)
		return job_runs_to_completion(entry) ? STANDING_FAILED : STANDING_DEGRADED;
	if (facts->old)
		return STANDING_UPDATING;
	if (facts->wanted && facts->succeeded == facts->wanted)
		return STANDING_COMPLETED;
	if (facts->ready + facts->succeeded == facts->wanted)
		return STANDING_RUNNING;
	return STANDING_PENDING;
}

void slots_facts(const struct job_entry *entry, const struct slots *slots,
		 struct job_facts *ret_facts)
{
	struct job_facts facts = { .wanted = job_replicas(entry) };
	for (int64_t i = 0; i < facts.wanted; i++)
		count_slot(entry, slots->items[i].newest, &facts);
	facts.standing = standing_of(entry, &facts);
	*ret_facts = facts;
}
