/* How a job stands, in a word, numbers and a sentence. */
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "manager/core.h"
#include "manager/depend.h"
#include "manager/runs.h"

/* The task that explains best why the job stands as it does: the first given up, else the first that is not ready.
 * NULL: nothing to explain. */
static const struct task *explaining(const struct job_entry *entry, const struct slots *slots)
{
	const struct task *first = NULL;
	for (size_t i = 0; i < slots->n; i++) {
		const struct task *task = slots->items[i].newest;
		if (slots->items[i].want != SLOT_WANTED)
			continue;
		int look = slot_look(entry, task);
		if (look == SLOT_LEFT)
			return task;
		/* Its turn has not come again. */
		if (look == SLOT_NEXT && job_takes_turns(entry))
			continue;
		if (!first && task && look != SLOT_DONE &&
		    (look == SLOT_ENDING || !task_is_ready(task)))
			first = task;
	}
	return first;
}

static size_t count_live(const struct job_entry *entry)
{
	size_t n = 0;
	for (size_t i = 0; i < entry->tasks.n; i++)
		n += task_occupies_node(entry->tasks.items[i]);
	return n;
}

static void say_not_gone(const struct job_entry *entry, struct text *out)
{
	size_t n_live = count_live(entry);
	if (n_live)
		text_addf(out, "%zu %s not confirmed gone", n_live,
			  n_live == 1 ? "task is" : "tasks are");
	else
		text_add(out, "no container is left");
}

/* "1 of 4 failed", and where no task tells it any more what had failed when the update was paused. */
static void say_failed(const struct job_entry *entry, const struct job_facts *facts, bool is_told,
		       struct text *out)
{
	const struct revision_outcome *outcome = job_outcome_of(&entry->job, entry->job.revision);
	if (!is_told && outcome && outcome->outcome == OUTCOME_PAUSED && outcome->message)
		text_add(out, outcome->message);
	else
		text_addf(out, "%lld of %lld failed", (long long)facts->failed,
			  (long long)facts->replaced);
}

static void say_counts(const struct job_entry *entry, const struct job_facts *facts, bool is_told,
		       struct text *out)
{
	long long wanted = (long long)facts->wanted;
	switch (facts->standing) {
	case STANDING_STOPPED:
	case STANDING_REMOVING: say_not_gone(entry, out); return;
	case STANDING_SCHEDULED: runs_tell(entry, out); return;
	case STANDING_UPDATING:
		text_addf(out, "%lld of %lld tasks still to be replaced", (long long)facts->old,
			  wanted);
		break;
	case STANDING_COMPLETED:
		text_addf(out, "%lld of %lld succeeded", (long long)facts->succeeded, wanted);
		return;
	case STANDING_DEGRADED:
	case STANDING_FAILED:
		if (facts->old && !facts->paused)
			text_addf(out, "%lld of %lld tasks still to be replaced; ",
				  (long long)facts->old, wanted);
		else if (facts->old)
			text_addf(out,
				  "the %s is paused with %lld of %lld tasks still to be "
				  "replaced; ",
				  entry->job.rolled_back_from && job_is_rolling(entry) ? "way back"
										       : "update",
				  (long long)facts->old, wanted);
		else if (facts->paused)
			text_add(out, "the update has failed; ");
		if (facts->left)
			text_addf(out, "%lld of %lld given up", (long long)facts->left, wanted);
		else
			say_failed(entry, facts, is_told, out);
		break;
	default:
		text_addf(out, "%lld of %lld ready", (long long)(facts->ready + facts->succeeded),
			  wanted);
	}
	if (facts->later)
		text_addf(out, ", %lld to come", (long long)facts->later);
	if (facts->unreachable)
		text_addf(out, ", %lld unreachable", (long long)facts->unreachable);
}

static void say_task(const struct manager *manager, const struct job_entry *entry,
		     const struct task *task, struct text *out)
{
	char sentence[TASK_SENTENCE_SIZE];
	text_addf(out, "; %s.%lld ", entry->job.name, (long long)task->desired.slot);
	if (task->desired.wanted == TASK_WANT_STOP && !task_is_final(task->state))
		text_addf(out, "is stopping: %s", reason_name(task->desired.stop_reason));
	else
		text_addf(out, "%s: %s", enum_name(task_state_names, task->state),
			  cluster_task_sentence(&manager->cluster, task, sentence));
}

/* An update may wait for another job's, or for what never comes: an enum gate. */
static int say_gate(const struct manager *manager, const struct job_entry *entry, struct text *out)
{
	struct text why;
	text_init(&why, LIMIT_MESSAGE_BYTES);
	int gate = depend_gate(manager, entry, &why);
	if (gate != GATE_OPEN)
		text_addf(out, "; %s", text_string(&why));
	text_release(&why);
	return gate;
}

static int update_state(const struct job_entry *entry, const struct job_facts *facts)
{
	if (facts->paused)
		return UPDATE_STATE_PAUSED;
	if (!job_is_rolling(entry))
		return entry->job.rolled_back_from ? UPDATE_STATE_ROLLED_BACK : UPDATE_STATE_NONE;
	return entry->job.rolled_back_from ? UPDATE_STATE_ROLLING_BACK : UPDATE_STATE_ROLLING;
}

void manager_job_status(const struct manager *manager, const struct job_entry *entry,
			struct job_status *ret_status)
{
	struct slots slots;
	struct job_facts facts;
	slots_build(&manager->cluster, entry, &slots);
	slots_facts(entry, &slots, &facts);
	struct job_status status = {
		.standing = facts.standing,
		.wanted = facts.wanted,
		.running = facts.running,
		.ready = facts.ready + facts.old_ready,
		.succeeded = facts.succeeded,
		.left = facts.left,
		.update = update_state(entry, &facts),
	};
	const struct task *task = NULL;
	if (facts.standing != STANDING_RUNNING && facts.standing != STANDING_COMPLETED &&
	    facts.standing != STANDING_SCHEDULED && entry->job.wanted == JOB_RUN)
		task = explaining(entry, &slots);
	struct text message;
	text_init(&message, LIMIT_MESSAGE_BYTES);
	say_counts(entry, &facts, task != NULL, &message);
	if (facts.standing != STANDING_STOPPED && facts.standing != STANDING_REMOVING)
		depend_tell_restart(manager, entry, &message);
	if (task) {
		status.reason = task->reason;
		say_task(manager, entry, task, &message);
	}
	if (entry->job.wanted == JOB_RUN && job_is_global(entry) && !facts.wanted &&
	    facts.standing != STANDING_SCHEDULED) {
		_cleanup_free_ char *why = scheduler_why_nowhere(&manager->cluster, entry);
		text_addf(&message, "; %s", why);
		status.reason = REASON_NO_NODE_FITS;
	}
	if (facts.standing == STANDING_UPDATING) {
		int gate = say_gate(manager, entry, &message);
		if (gate != GATE_OPEN)
			status.reason = gate == GATE_FAILED ? REASON_DEPENDENCY_FAILED
							    : REASON_WAITS_DEPENDENCY;
	}
	status.message = text_take(&message);
	slots_release(&slots);
	*ret_status = status;
}

bool manager_task_waits(const struct manager *manager, const struct task *task, struct text *out)
{
	if (task_rare(task)->stop_message) {
		text_add(out, task_rare(task)->stop_message);
		return true;
	}
	const struct pending *pending = pending_get(manager, task->desired.id);
	if (!pending || !pending->lost)
		return !task->unreachable && move_tell(manager, task, out);
	if (pending->where == PENDING_TIMED)
		return lease_tell(manager, task, out);
	if (!pending->class || !pending->class->parked)
		return false;
	text_addf(out, "it is not started elsewhere: %s", pending->class->message);
	return true;
}
