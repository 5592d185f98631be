/* How the tasks that an update made are doing. One has passed when it was ready for as long as the policy's monitor
 * says; it has failed when it ended or was restarted by itself before, when it could not start, or when it has come
 * no further for the job's deadline. What happens to it because a machine was lost or drained, Docker restarted or
 * its user stopped it says nothing about the revision, and a success that nothing is to follow is no failure.
 *
 * Invariants: a verdict is on record with the task, so it stands after a restart of the manager, and is inherited by
 * the task that replaces it in the same revision; until there is one, the times begin anew with the manager. */
#include "base/alloc.h"
#include "base/limits.h"
#include "manager/core.h"

static bool failed_at_its_end(const struct job_entry *entry, const struct task *task)
{
	int reason = task_end_reason(entry, task);
	if (reason == REASON_DEPENDENCY_FAILED)
		return false;
	switch (reason_after(reason)) {
	case AFTER_LEAVE:
	case AFTER_REPLACE_ELSEWHERE: return true;
	case AFTER_SUCCESS:
	case AFTER_REPLACE_NOW:
	case AFTER_ASKED:
	case AFTER_NOT_AN_END: break;
	}
	return false;
}

static struct trial *trial_of(struct manager *manager, const struct task *task)
{
	struct trial *trial = map_get(&manager->trials, task->desired.id.uuid);
	if (trial)
		return trial;
	trial = base_calloc(1, sizeof(*trial));
	*trial = (struct trial){ .since_ms = manager->in->now_ms, .ready_ms = INT64_MAX };
	map_put(&manager->trials, task->desired.id.uuid, trial);
	return trial;
}

void trial_forget(struct manager *manager, struct task_id task)
{
	base_free(map_remove(&manager->trials, task.uuid));
}

int64_t trial_ready_ms(const struct manager *manager, const struct task *task)
{
	const struct trial *trial = map_get(&manager->trials, task->desired.id.uuid);
	return trial ? trial->ready_ms : INT64_MAX;
}

/* What is on record of a task may be long ago where its worker is not connected. */
static bool is_heard(const struct manager *manager, const struct task *task)
{
	const struct node_watch *watch = map_get(&manager->nodes, task->desired.node.uuid);
	return watch && watch->session;
}

/* Does it wait for what the revision has nothing to do with? */
static bool waits_for_others(const struct manager *manager, const struct task *task)
{
	if (task->unreachable || task->reason == REASON_RUNTIME_AWAY)
		return true;
	if (task->state != TASK_PENDING && !is_heard(manager, task))
		return true;
	return task->state == TASK_PENDING && task->reason != REASON_NO_NODE_FITS &&
	       task->reason != REASON_WAITS_BACKOFF;
}

static void look(const struct manager *manager, const struct task *task, struct trial *trial)
{
	int64_t now_ms = manager->in->now_ms;
	if (!task_serves(task) || !is_heard(manager, task))
		trial->ready_ms = INT64_MAX;
	else if (trial->ready_ms == INT64_MAX)
		trial->ready_ms = now_ms;
	int stage = task_stage(task);
	if (stage > trial->stage || waits_for_others(manager, task))
		trial->since_ms = now_ms;
	if (stage > trial->stage)
		trial->stage = stage;
}

static int decide(struct manager *manager, struct task *task, int verdict)
{
	task_set_trial(manager, task, verdict);
	if (verdict != TRIAL_FAILED)
		return verdict;
	char name[TASK_NAME_SIZE];
	char sentence[TASK_SENTENCE_SIZE];
	notes_add(&manager->out->notes, "%s fails its update: %s",
		  cluster_task_name(&manager->cluster, task, name),
		  cluster_task_sentence(&manager->cluster, task, sentence));
	return verdict;
}

int trial_judge(struct manager *manager, const struct job_entry *entry, struct task *task,
		int64_t *ret_due_ms)
{
	if (task_is_final(task->state)) {
		bool open = task->desired.trial == TRIAL_OPEN;
		return open && failed_at_its_end(entry, task) ? decide(manager, task, TRIAL_FAILED)
							      : task->desired.trial;
	}
	struct trial *trial = trial_of(manager, task);
	look(manager, task, trial);
	int64_t now_ms = manager->in->now_ms;
	if (task->desired.trial != TRIAL_OPEN) {
		if (!is_heard(manager, task) && now_ms + LIMIT_BEAT_MS < *ret_due_ms)
			*ret_due_ms = now_ms + LIMIT_BEAT_MS;
		return task->desired.trial;
	}
	const struct job_spec *spec = cluster_task_spec(&manager->cluster, task);
	bool ready = trial->ready_ms != INT64_MAX;
	int64_t due_ms =
		ready ? trial->ready_ms + update_policy_monitor_ms(update_policy_of(entry))
		      : trial->since_ms + stage_limit_ms(spec, trial->stage,
							 job_spec_update_deadline_ms(spec));
	/* What it has reported may wait to be read. */
	if (due_ms < manager->unread_until_ms)
		due_ms = manager->unread_until_ms;
	if (task->observed.attempts_used > 0)
		return decide(manager, task, TRIAL_FAILED);
	if (due_ms <= now_ms)
		return decide(manager, task, ready ? TRIAL_PASSED : TRIAL_FAILED);
	/* Nobody says when a worker connects. */
	if (task->state != TASK_PENDING && !is_heard(manager, task))
		due_ms = now_ms + LIMIT_BEAT_MS;
	if (due_ms < *ret_due_ms)
		*ret_due_ms = due_ms;
	return TRIAL_OPEN;
}
