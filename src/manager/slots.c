/* What the slots of a job need, read from its tasks alone: pure functions, shared by reconcile, update, prune and
 * status.
 *
 * Invariant of what they read: in a slot every task but the newest, the one it is to take over from, and withdrawn ones
 * is final. */
#include "base/alloc.h"
#include "base/check.h"
#include "manager/core.h"
#include "manager/depend.h"
#include "manager/roster.h"
#include "manager/runs.h"

int64_t job_replicas(const struct job_entry *entry)
{
	return job_entry_current(entry)->spec.replicas;
}

bool job_runs_to_completion(const struct job_entry *entry)
{
	return job_spec_completes(&job_entry_current(entry)->spec);
}

int64_t tasks_at_most(const struct cluster *cluster, const struct job_spec *spec)
{
	return job_spec_is_global(spec) ? (int64_t)cluster->nodes.n : job_spec_at_once(spec);
}

struct slot *slots_find(const struct slots *slots, int64_t number)
{
	/* Those of numbered slots have no gaps. */
	if (number >= 1 && number <= (int64_t)slots->n && slots->items[number - 1].number == number)
		return &slots->items[number - 1];
	size_t low = 0;
	size_t high = slots->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct slot *slot = &slots->items[middle];
		if (slot->number == number)
			return slot;
		if (slot->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* One slot after the other, from 1. */
static void numbered_slots(const struct job_entry *entry, struct slots *ret_slots)
{
	int64_t replicas = job_replicas(entry);
	int64_t n = replicas;
	for (size_t i = 0; i < entry->tasks.n; i++)
		if (entry->tasks.items[i]->desired.slot > n)
			n = entry->tasks.items[i]->desired.slot;
	ret_slots->n = (size_t)n;
	ret_slots->items = base_calloc(ret_slots->n + 1, sizeof(struct slot));
	for (int64_t i = 0; i < n; i++)
		ret_slots->items[i] =
			(struct slot){ .number = i + 1,
				       .want = i < replicas ? SLOT_WANTED : SLOT_UNWANTED };
}

/* A node that is lost in another way than by silence shows in its tasks. */
static void keep_unreachable(struct slot *slot)
{
	const struct task *task = slot->newest;
	slot->lost = slot->want == SLOT_WANTED && slot->node && task && task->unreachable &&
		     !task_is_off(task) &&
		     uuid_equal(task->desired.node.uuid, slot->node->record.id.uuid);
	if (slot->lost)
		slot->want = SLOT_KEPT;
}

/* Tasks come in the order they were made: the last one seen is the newest. */
void slot_add(struct slot *slot, struct task *task)
{
	slot->n_final += task_is_final(task->state) && task->desired.wanted != TASK_WANT_REMOVE;
	if (task_is_withdrawn(task))
		return;
	if (slot->newest && !task_is_final(slot->newest->state))
		slot->moving = slot->newest;
	slot->newest = task;
}

void slot_close(struct slot *slot)
{
	keep_unreachable(slot);
}

/* How many at a time may have been changed since. */
static bool any_settled(const struct job_entry *entry)
{
	const struct settled *settled = job_settled(&entry->job);
	return settled->succeeded.ranges.n || settled->left.ranges.n;
}

void slots_build(const struct cluster *cluster, const struct job_entry *entry,
		 struct slots *ret_slots)
{
	*ret_slots = (struct slots){ 0 };
	if (job_is_global(entry))
		global_slots(cluster, entry, ret_slots);
	else if (job_takes_turns(entry) || any_settled(entry))
		turns_slots(entry, ret_slots);
	else
		numbered_slots(entry, ret_slots);
	for (size_t i = 0; i < entry->tasks.n; i++) {
		struct task *task = entry->tasks.items[i];
		struct slot *slot = slots_find(ret_slots, task->desired.slot);
		INVARIANT(slot || slot_is_settled(entry, task->desired.slot));
		if (slot)
			slot_add(slot, task);
	}
	for (size_t i = 0; i < ret_slots->n; i++)
		slot_close(&ret_slots->items[i]);
}

void slots_release(struct slots *slots)
{
	base_free(slots->items);
	*slots = (struct slots){ 0 };
}

bool task_is_of_update(const struct job_entry *entry, const struct task *task)
{
	return !task_is_stale(entry, task) && task->desired.roll == entry->job.roll &&
	       !uuid_is_zero(task_rare(task)->replaces.uuid);
}

bool task_is_withdrawn(const struct task *task)
{
	return task->desired.stop_reason == REASON_WITHDRAWN;
}

bool task_serves(const struct task *task)
{
	return task_is_ready(task) && !task->unreachable && task->desired.wanted == TASK_WANT_RUN;
}

const struct task *slot_server(const struct slot *slot)
{
	const struct task *moving = slot->moving;
	if (moving && moving->desired.wanted == TASK_WANT_RUN && task_is_ready(moving) &&
	    !task_is_ready(slot->newest))
		return moving;
	return slot->newest;
}

bool task_is_stale(const struct job_entry *entry, const struct task *task)
{
	return task->desired.revision != entry->job.revision ||
	       task->desired.restarts_asked < entry->job.restarts_asked;
}

bool task_is_kept(const struct job_entry *entry, const struct task *task)
{
	return task->desired.revision != entry->job.revision && !entry->job.rolled_back_from &&
	       job_outcome(&entry->job, entry->job.revision) == OUTCOME_PAUSED;
}

bool task_is_behind(const struct job_entry *entry, const struct task *task)
{
	return task_is_stale(entry, task) && !task_is_kept(entry, task);
}

const struct job_revision *successor_revision(const struct job_entry *entry,
					      const struct task *task)
{
	if (task && task_is_kept(entry, task))
		return job_entry_revision(entry, task->desired.revision);
	return job_entry_current(entry);
}

bool task_is_given_up(const struct task *task)
{
	return task->desired.verdict_reason == REASON_NODE_LOST ||
	       task->desired.stop_reason == REASON_NODE_LOST;
}

bool task_is_off(const struct task *task)
{
	return !task_occupies_node(task) || task_is_given_up(task);
}

int task_end_reason(const struct job_entry *entry, const struct task *task)
{
	if (task->desired.wanted != TASK_WANT_STOP || task->desired.verdict)
		return task->reason;
	if (task_succeeded(task) && job_runs_to_completion(entry))
		return task->reason;
	return task->desired.stop_reason;
}

/* What its slot needs once no container of it is left. */
static int look_after_end(const struct job_entry *entry, const struct task *task)
{
	/* To be forgotten: the slot was scaled away, and is wanted again. */
	if (task_is_behind(entry, task) || task->desired.wanted == TASK_WANT_REMOVE)
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

/* A success needs no room, so it counts before its container is removed. */
static int look_at_end(const struct job_entry *entry, const struct task *task)
{
	int look = look_after_end(entry, task);
	return look == SLOT_DONE || task_is_off(task) ? look : SLOT_ENDING;
}

/* Is a task wanted in this one's slot, once this one is gone? */
static bool slot_is_wanted(const struct job_entry *entry, const struct task *task)
{
	if (!job_is_global(entry) && task->desired.slot > job_replicas(entry))
		return false;
	if (task_is_final(task->state))
		return !task_is_off(task) && look_after_end(entry, task) == SLOT_NEXT;
	if (task->desired.wanted == TASK_WANT_RUN)
		return true;
	if (task->desired.wanted != TASK_WANT_STOP)
		return false;
	/* A slot that was scaled away is there again, and a restart clears a stop. */
	return task_is_behind(entry, task) || task->desired.stop_reason == REASON_SCALED_DOWN ||
	       reason_after(task->desired.stop_reason) == AFTER_REPLACE_NOW;
}

bool may_replace_lost(const struct job_entry *entry, const struct task *task)
{
	return task->unreachable && slot_is_wanted(entry, task) && !job_is_between_runs(entry);
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
	bool is_later = job_takes_turns(entry) && (look == SLOT_EMPTY || look == SLOT_NEXT);
	facts->later += is_later;
	if (!task || is_later)
		return;
	facts->unreachable += task->unreachable && !task_is_final(task->state);
	if (task_is_stale(entry, task)) {
		facts->old++;
		facts->old_ready += look == SLOT_OLD && task_is_ready(task);
		return;
	}
	facts->started += has_started(task);
	facts->running += task->state == TASK_RUNNING;
	facts->ready += look == SLOT_LIVE && task_is_ready(task);
	facts->unchecked += look == SLOT_LIVE && task->state == TASK_RUNNING &&
			    task->observed.health == HEALTH_NONE;
	facts->succeeded += look == SLOT_DONE;
	facts->left += look == SLOT_LEFT;
}

/* The update has tried this slot, and left it to its old task. */
static bool has_failed_before(const struct job_entry *entry, const struct task *task)
{
	return task->desired.revision != entry->job.revision &&
	       task->desired.roll == entry->job.roll;
}

static void count_trial(const struct job_entry *entry, const struct task *newest,
			const struct task *server, struct job_facts *facts)
{
	if (!newest)
		return;
	bool new = task_is_of_update(entry, newest);
	bool failed =
		(new || has_failed_before(entry, newest)) && newest->desired.trial == TRIAL_FAILED;
	facts->replaced += new || task_is_stale(entry, newest);
	facts->failed += failed;
	facts->old_failed += failed && server && task_is_stale(entry, server);
	facts->new_failed +=
		failed && slot_look(entry, server) == SLOT_LIVE && !task_is_ready(server);
}

static bool is_paused(const struct job_entry *entry, const struct job_facts *facts)
{
	const struct update_policy *policy = update_policy_of(entry);
	return (facts->old || job_is_rolling(entry)) && !job_runs_to_completion(entry) &&
	       policy->failure_action != UPDATE_CONTINUE && update_is_failing(policy, facts);
}

static int standing_of(const struct job_entry *entry, const struct job_facts *facts)
{
	if (entry->job.wanted != JOB_RUN)
		return entry->job.wanted == JOB_STOP ? STANDING_STOPPED : STANDING_REMOVING;
	if (job_is_between_runs(entry))
		return STANDING_SCHEDULED;
	/* All that is left to be replaced was tried, and the update was not to wait for it. */
	bool in_vain = facts->old && facts->old_failed == facts->old && !job_is_rolling(entry);
	if (facts->left || facts->paused || in_vain)
		return job_runs_to_completion(entry) ? STANDING_FAILED : STANDING_DEGRADED;
	if (facts->old)
		return STANDING_UPDATING;
	if (facts->wanted && facts->succeeded == facts->wanted)
		return STANDING_COMPLETED;
	/* A global job that is wanted nowhere waits for a node. */
	int64_t n_good = facts->ready + facts->succeeded;
	if (n_good == facts->wanted && (facts->wanted || !job_is_global(entry)))
		return STANDING_RUNNING;
	/* Between two turns it runs, too. */
	if (n_good && job_takes_turns(entry))
		return STANDING_RUNNING;
	bool is_new_in_vain = facts->new_failed && !job_is_rolling(entry) &&
			      n_good + facts->new_failed == facts->wanted;
	return is_new_in_vain && !job_runs_to_completion(entry) ? STANDING_DEGRADED
								: STANDING_PENDING;
}

static void count(const struct job_entry *entry, const struct slot *slot, struct job_facts *facts)
{
	facts->wanted += slot->want == SLOT_WANTED;
	if (slot->want == SLOT_WANTED) {
		count_slot(entry, slot_server(slot), facts);
		count_trial(entry, slot->newest, slot_server(slot), facts);
	} else if (slot->want == SLOT_KEPT && slot->newest) {
		facts->unreachable +=
			slot->newest->unreachable && !task_is_final(slot->newest->state);
	}
}

/* Those that are sums over slots, of which each counts for one or for nothing. */
#define SUM(member) offsetof(struct job_facts, member)
static const size_t sums[] = { SUM(wanted),    SUM(started),	 SUM(running),	 SUM(ready),
			       SUM(unchecked), SUM(succeeded),	 SUM(left),	 SUM(old),
			       SUM(old_ready), SUM(unreachable), SUM(later),	 SUM(replaced),
			       SUM(failed),    SUM(old_failed),	 SUM(new_failed) };

static int64_t *sum_at(struct job_facts *facts, size_t i)
{
	return (void *)((char *)facts + sums[i]);
}

uint32_t slot_facts(const struct job_entry *entry, const struct slot *slot)
{
	struct job_facts facts = { 0 };
	uint32_t bits = 0;
	count(entry, slot, &facts);
	for (size_t i = 0; i < ARRAY_LEN(sums); i++)
		bits |= (uint32_t)*sum_at(&facts, i) << i;
	return bits;
}

void facts_add(struct job_facts *facts, uint32_t bits, int sign)
{
	for (size_t i = 0; i < ARRAY_LEN(sums); i++)
		*sum_at(facts, i) += sign * (int64_t)(bits >> i & 1);
}

void facts_judge(const struct job_entry *entry, struct job_facts *facts)
{
	facts->paused = is_paused(entry, facts);
	facts->rolling = job_is_rolling(entry);
	facts->standing = standing_of(entry, facts);
}

bool slot_is_old(const struct job_entry *entry, const struct slot *slot)
{
	return slot->want == SLOT_WANTED && slot->newest && task_is_stale(entry, slot->newest);
}

void slots_facts(const struct job_entry *entry, const struct slots *slots,
		 struct job_facts *ret_facts)
{
	struct job_facts facts = {
		.wanted = slots->n_succeeded + slots->n_left + slots->n_later,
		.started = slots->n_succeeded,
		.succeeded = slots->n_succeeded,
		.left = slots->n_left,
		.later = slots->n_later,
	};
	for (size_t i = 0; i < slots->n; i++)
		count(entry, &slots->items[i], &facts);
	/* Those that waited in vain have not. */
	if (slots->n_left && depend_has_begun(entry))
		facts.started += slots->n_left;
	facts_judge(entry, &facts);
	*ret_facts = facts;
}
