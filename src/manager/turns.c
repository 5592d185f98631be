/* Jobs whose tasks take turns: so many of them at a time, of as many slots as the job has.
 *
 * A job of a million indices is to cost what its concurrency costs. So a slot whose turn has not come has no task, and
 * one that has come to its end keeps none for long: of the tasks that have ended the newest are kept, of the others the
 * job's record holds what became of their slots, in ranges (job/settled.h), and the tasks are forgotten, with their
 * containers. What lies between is all that is looked at.
 *
 * Where the job waits in vain for what it depends on, those whose turn has not come are given up with those that were
 * to be first, and are settled without ever having had a task.
 *
 * Invariants: a slot is settled only once its newest task has ended for good and no container of it can be left, and is
 * settled with the job's record in the group before its tasks go, or an earlier one. A task of a settled slot is final,
 * and asked to be forgotten once its job was reconciled. */
#include "base/alloc.h"
#include "base/limits.h"
#include "base/planted.h"
#include "base/sort.h"
#include "manager/core.h"
#include "manager/runs.h"

int64_t job_at_once(const struct job_entry *entry)
{
	return job_spec_at_once(&job_entry_current(entry)->spec);
}

bool job_takes_turns(const struct job_entry *entry)
{
	return job_at_once(entry) < job_replicas(entry);
}

bool slot_is_settled(const struct job_entry *entry, int64_t slot)
{
	const struct settled *settled = job_settled(&entry->job);
	return slot_ranges_have(&settled->succeeded, slot) ||
	       slot_ranges_have(&settled->left, slot);
}

static int compare_numbers(const void *a, const void *b, void *context)
{
	int64_t left = *(const int64_t *)a;
	int64_t right = *(const int64_t *)b;
	(void)context;
	return (left > right) - (left < right);
}

/* The slots that have tasks and are not settled, ascending. The caller frees. */
static int64_t *filled_slots(const struct job_entry *entry, size_t *ret_n)
{
	int64_t *numbers = base_calloc(entry->tasks.n + 1, sizeof(int64_t));
	size_t n = 0;
	for (size_t i = 0; i < entry->tasks.n; i++) {
		int64_t number = entry->tasks.items[i]->desired.slot;
		if ((!n || numbers[n - 1] != number) && !slot_is_settled(entry, number))
			numbers[n++] = number;
	}
	sort_stable(numbers, n, sizeof(int64_t), compare_numbers, NULL);
	size_t n_kept = 0;
	for (size_t i = 0; i < n; i++)
		if (!n_kept || numbers[n_kept - 1] != numbers[i])
			numbers[n_kept++] = numbers[i];
	*ret_n = n_kept;
	return numbers;
}

/* Behind a settled slot, the first one that is not. */
static int64_t after_settled(const struct settled *settled, int64_t number)
{
	const struct slot_ranges *both[] = { &settled->succeeded, &settled->left };
	for (int64_t before = 0; before != number;) {
		before = number;
		for (size_t i = 0; i < ARRAY_LEN(both); i++)
			number = slot_ranges_after(both[i], number);
	}
	return number;
}

/* The number of the first slot behind `number`. */
static int64_t next_number(const struct slots *slots, int64_t number)
{
	size_t low = 0;
	size_t high = slots->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (slots->items[middle].number <= number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < slots->n ? slots->items[low].number : INT64_MAX;
}

/* The last before the next one that is settled or looked at. */
static int64_t before_next(const struct settled *settled, const struct slots *slots, int64_t number,
			   int64_t replicas)
{
	int64_t nexts[] = { next_number(slots, number),
			    slot_ranges_next(&settled->succeeded, number),
			    slot_ranges_next(&settled->left, number) };
	int64_t next = replicas + 1;
	for (size_t i = 0; i < ARRAY_LEN(nexts); i++)
		next = nexts[i] < next ? nexts[i] : next;
	return next - 1;
}

static void add_slot(struct slots *slots, int64_t number, int64_t replicas)
{
	slots->items[slots->n++] =
		(struct slot){ .number = number,
			       .want = number <= replicas ? SLOT_WANTED : SLOT_UNWANTED };
}

void turns_slots(const struct job_entry *entry, struct slots *ret_slots)
{
	const struct settled *settled = job_settled(&entry->job);
	int64_t replicas = job_replicas(entry);
	int64_t n_empty = job_at_once(entry);
	size_t n_filled;
	int64_t *filled = filled_slots(entry, &n_filled);
	*ret_slots = (struct slots){
		.items = base_calloc(n_filled + (size_t)n_empty + 1, sizeof(struct slot)),
		.n_succeeded = slot_ranges_count(&settled->succeeded, replicas),
		.n_left = slot_ranges_count(&settled->left, replicas),
	};
	size_t at = 0;
	for (int64_t number = 1; (number = after_settled(settled, number)) <= replicas; number++) {
		if (at < n_filled && filled[at] == number)
			add_slot(ret_slots, filled[at++], replicas);
		else if (n_empty-- > 0)
			add_slot(ret_slots, number, replicas);
		else
			break;
	}
	while (at < n_filled)
		add_slot(ret_slots, filled[at++], replicas);
	base_free(filled);
	int64_t n_wanted = 0;
	for (size_t i = 0; i < ret_slots->n; i++)
		n_wanted += ret_slots->items[i].want == SLOT_WANTED;
	ret_slots->n_later = replicas - n_wanted - ret_slots->n_succeeded - ret_slots->n_left;
}

int64_t turns_free(const struct job_entry *entry, const struct slots *slots)
{
	int64_t n = job_entry_current(entry)->spec.concurrency;
	if (job_is_between_runs(entry))
		return 0;
	if (!n || PLANTED(PLANTED_TURNS_FORGOTTEN))
		return INT64_MAX;
	for (size_t i = 0; i < slots->n; i++) {
		int look = slot_look(entry, slots->items[i].newest);
		n -= look == SLOT_LIVE || look == SLOT_OLD || look == SLOT_ENDING;
	}
	return n;
}

/* Has the slot come to its end, with nothing left of any of its tasks? */
static bool may_be_settled(const struct job_entry *entry, const struct slot *slot)
{
	int look = slot_look(entry, slot->newest);
	return slot->want == SLOT_WANTED && !slot->moving &&
	       (look == SLOT_DONE || look == SLOT_LEFT) && task_is_off(slot->newest);
}

static size_t count_ends(const struct job_entry *entry, const struct slots *slots)
{
	size_t n = 0;
	for (size_t i = 0; i < slots->n; i++)
		n += may_be_settled(entry, &slots->items[i]);
	return n;
}

/* Oldest first, of `n` that may be settled, until `n_kept` are left. True: any was. */
static bool settle_ends(const struct job_entry *entry, const struct slots *slots, size_t n,
			size_t n_kept, struct settled *settled)
{
	size_t n_before = n;
	for (size_t i = 0; i < entry->tasks.n && n > n_kept; i++) {
		const struct task *task = entry->tasks.items[i];
		const struct slot *slot = slots_find(slots, task->desired.slot);
		if (!slot || task != slot->newest || !may_be_settled(entry, slot))
			continue;
		bool done = slot_look(entry, task) == SLOT_DONE;
		n -= slot_ranges_add(done ? &settled->succeeded : &settled->left, slot->number);
	}
	return n < n_before;
}

/* Its turn has not come. */
static bool is_to_come(const struct job_entry *entry, const struct slot *slot)
{
	int look = slot_look(entry, slot->newest);
	return slot->want == SLOT_WANTED && !slot->moving &&
	       (look == SLOT_EMPTY || look == SLOT_NEXT);
}

static bool any_is_to_come(const struct job_entry *entry, const struct slots *slots)
{
	for (size_t i = 0; i < slots->n; i++)
		if (is_to_come(entry, &slots->items[i]))
			return true;
	return slots->n_later > 0;
}

/* What has no slot here is many at once. True: any was. */
static bool give_up_to_come(const struct job_entry *entry, const struct slots *slots,
			    struct settled *settled)
{
	int64_t replicas = job_replicas(entry);
	bool any = false;
	for (int64_t number = 1; (number = after_settled(settled, number)) <= replicas; number++) {
		const struct slot *slot = slots_find(slots, number);
		int64_t first = number;
		if (!slot)
			number = before_next(settled, slots, number, replicas);
		if (!slot || is_to_come(entry, slot))
			any |= slot_ranges_add_all(&settled->left, first, number);
	}
	return any;
}

void turns_settle(struct manager *manager, struct job_entry *entry, const struct slots *slots,
		  bool in_vain)
{
	if (!job_takes_turns(entry))
		return;
	/* Many at once: the job's record is written for all of them. */
	size_t n_kept = (size_t)manager->options.ends_kept;
	size_t n = count_ends(entry, slots);
	in_vain = in_vain && !job_is_between_runs(entry) && any_is_to_come(entry, slots);
	if (n <= 2 * n_kept && !in_vain)
		return;
	struct job job;
	record_copy(&job_type, &job, &entry->job);
	struct settled *settled = job_settle(&job);
	bool any = false;
	if (n > 2 * n_kept)
		any = settle_ends(entry, slots, n, n_kept, settled);
	if (in_vain)
		any |= give_up_to_come(entry, slots, settled);
	/* There may be too many ranges already. */
	if (!any) {
		record_release(&job_type, &job);
		return;
	}
	group_reserve(manager, 1);
	cluster_put_job(&manager->cluster, &manager->out->changes, &job);
}
