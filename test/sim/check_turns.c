/* Jobs whose tasks take turns: never more of them side by side than the job says. */
#include "sim.h"

static bool is_open(const struct job_entry *entry, size_t i)
{
	const struct task *task = entry->tasks.items[i];
	if (task_is_final(task->state) || task->desired.stop_reason == REASON_WITHDRAWN)
		return false;
	for (size_t j = 0; j < i; j++) {
		const struct task *other = entry->tasks.items[j];
		if (other->desired.slot == task->desired.slot && !task_is_final(other->state) &&
		    other->desired.stop_reason != REASON_WITHDRAWN)
			return false;
	}
	return true;
}

static int64_t count_open(const struct job_entry *entry)
{
	int64_t n = 0;
	for (size_t i = 0; i < entry->tasks.n; i++)
		n += is_open(entry, i);
	return n;
}

void checker_turns(struct sim *sim, const struct job_entry *entry)
{
	int64_t most = job_entry_current(entry)->spec.concurrency;
	if (!most)
		return;
	sim->checker.evaluated[INVARIANT_TURNS]++;
	int64_t n = count_open(entry);
	if (n > most)
		violated(sim, INVARIANT_TURNS, "%lld tasks of %s/%s at a time, and it says %lld",
			 (long long)n, entry->job.project, entry->job.name, (long long)most);
}

bool checker_is_settled(const struct job_entry *entry, int64_t slot)
{
	const struct settled *settled = job_settled(&entry->job);
	return slot_ranges_have(&settled->succeeded, slot) ||
	       slot_ranges_have(&settled->left, slot);
}

bool checker_turn_may_come(const struct job_entry *entry)
{
	int64_t most = job_entry_current(entry)->spec.concurrency;
	return most && count_open(entry) >= most;
}
