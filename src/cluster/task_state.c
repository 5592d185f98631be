/* Invariant: a task's state, reason and message follow from its two halves; only why a Pending task
 * waits is said from outside (cluster_set_waiting), because it is recomputed rather than stored. */
#include "base/alloc.h"
#include "base/check.h"
#include "cluster/internal.h"

int task_derive_state(const struct task *task)
{
	if (task->desired.verdict)
		return task->desired.verdict;
	if (uuid_is_zero(task->desired.node.uuid))
		return TASK_PENDING;
	if (task->observed.version > 0)
		return task->observed.state;
	return TASK_SCHEDULED;
}

void task_derive_reason(struct task *task)
{
	if (task->desired.verdict) {
		task->reason = task->desired.verdict_reason;
		string_set(&task->message, task->desired.verdict_message);
	} else if (task->state == TASK_PENDING) {
		task->reason = REASON_QUEUED;
		string_set(&task->message, NULL);
	} else if (task->observed.version > 0) {
		task->reason = task->observed.reason;
		string_set(&task->message, task->observed.message);
	} else {
		task->reason = REASON_ASSIGNED;
		string_set(&task->message, NULL);
	}
}

void task_must_move(struct task *task, int to)
{
	enum err_code code = task_move(task, to, NULL);
	POST(code == ERR_NONE);
}

bool task_is_on_list_of_node(const struct task *task)
{
	return !uuid_is_zero(task->desired.node.uuid) && !task->observed.removed &&
	       !task->desired.written_off;
}

void cluster_set_waiting(struct cluster *cluster, struct task *task, int reason, char *message)
{
	PRE(!cluster->edit.task);
	PRE(task->state == TASK_PENDING);
	PRE(reason > REASON_NONE && reason < REASON_ASSIGNED);
	base_free(task->message);
	task->reason = reason;
	task->message = message;
}

void cluster_set_unreachable(struct cluster *cluster, struct task *task, bool unreachable)
{
	if (task->unreachable == unreachable)
		return;
	task->unreachable = unreachable;
	cluster_job_of(cluster, task)->dirty = true;
}
