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

/* Takes the message. */
static void set_waiting_message(struct task *task, char *message)
{
	if (!message && !task_rare(task)->waiting_message)
		return;
	struct task_rare *rare = task_make_rare(task);
	base_free(rare->waiting_message);
	rare->waiting_message = message;
	task_tidy(task);
}

void task_derive_reason(struct task *task)
{
	if (task->desired.verdict) {
		task->reason = task->desired.verdict_reason;
	} else if (task->state == TASK_PENDING) {
		task->reason = REASON_QUEUED;
	} else if (task->observed.version > 0) {
		task->reason = task->observed.reason;
	} else {
		task->reason = REASON_ASSIGNED;
	}
	set_waiting_message(task, NULL);
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
	task->reason = (uint8_t)reason;
	set_waiting_message(task, message);
}

void cluster_set_unreachable(struct cluster *cluster, struct task *task, bool unreachable)
{
	if (task->unreachable == unreachable)
		return;
	task->unreachable = unreachable;
	cluster_job_of(cluster, task)->dirty = true;
}
