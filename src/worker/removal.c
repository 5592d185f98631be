/* The node was removed from the cluster: everything of it on this machine ends.
 *
 * 1. That the manager said so is on disk before anything is touched for it, and is never taken back: what the manager
 *    may still say after it is not listened to.
 * 2. From then on nothing is wanted: tasks, orphans and networks end as after a full set that is empty. Named volumes
 *    stay, also those whose removal had been asked for.
 * 3. It is over when no task is left and a list that was begun after the last one went has shown nothing more. Only
 *    then the store may serve another node.
 * 4. Nothing but the manager's word begins it: silence, another cluster, or a manager that does not know this node
 *    end nothing. */
#include "base/check.h"
#include "base/planted.h"
#include "worker/worker_int.h"

/* Networks that somebody else uses may stay: no longer than this is waited for them. */
#define NETWORKS_WAIT_MS 30000

/* Nothing is wanted any more. */
static void want_nothing(struct worker *worker)
{
	worker->session = false;
	if (PLANTED(PLANTED_REMOVAL_UNHEARD))
		return;
	worker_desired_forget_all(worker);
	worker_volumes_take(worker, &(struct sync_down){ 0 });
}

/* Whoever starts it again wants to hear that nothing is left, so that is looked at again. */
void worker_removal_start(struct worker *worker)
{
	if (worker->meta.removal == WORKER_REMOVAL_NONE)
		return;
	worker->meta.removal = WORKER_REMOVAL_TOLD;
	worker->meta_unsaved = true;
	want_nothing(worker);
}

void worker_removal_told(struct worker *worker)
{
	if (worker->meta.removal != WORKER_REMOVAL_NONE)
		return;
	size_t n = worker->tasks.n;
	notes_add(&worker->out->notes,
		  "this node was removed from the cluster: %zu %s stopped and removed, named "
		  "volumes stay",
		  n, n == 1 ? "task is" : "tasks are");
	worker->meta.removal = WORKER_REMOVAL_TOLD;
	worker->meta_unsaved = true;
	want_nothing(worker);
}

/* Has a list that was begun after everything known had gone been taken? */
static bool has_looked(struct worker *worker)
{
	if (uuid_is_zero(worker->meta.cluster))
		return true;
	if (!worker->removal_from_op) {
		if (worker->list_op)
			return false;
		worker->removal_from_op = worker->op_newest + 1;
		worker->removal_from_ms = worker->now_ms;
		worker_list_now(worker);
	}
	return worker->list_done_op >= worker->removal_from_op;
}

void worker_removal_advance(struct worker *worker)
{
	if (worker->meta.removal != WORKER_REMOVAL_TOLD || worker->task_first ||
	    worker->stray_first || worker->networks.op || worker->volumes.op || !has_looked(worker))
		return;
	if (worker->networks.n && worker->now_ms < worker->removal_from_ms + NETWORKS_WAIT_MS)
		return;
	notes_add(&worker->out->notes, "nothing of the cluster is left here but named volumes");
	worker->meta.removal = WORKER_REMOVAL_OVER;
	worker->meta_unsaved = true;
}

bool worker_removal_renew(struct worker *worker, struct node_id node)
{
	if (worker->meta.removal != WORKER_REMOVAL_OVER || worker->task_first)
		return false;
	while (worker->template_first) {
		worker_persist_template_gone(worker, worker->template_first);
		worker_template_delete(worker, worker->template_first);
	}
	record_release(&worker_meta_type, &worker->meta);
	worker->meta = (struct worker_meta){ .node = node };
	worker->meta_unsaved = true;
	return true;
}

int worker_removal(const struct worker *worker)
{
	return worker->meta.removal;
}
