/* Leases: how long a container of a job with on_disconnect: stop may run on without word from the manager.
 *
 * 1. A lease runs from when the worker sent the newest message that was answered (answered_ms), not from when the
 *    answer came. The manager counts from when it took that message, which is later: so whatever is lost or late, the
 *    lease is over here before it is over there.
 * 2. An answer counts only together with the set it came with: what the manager gave away before it answered is then
 *    known here, and is stopped for that reason.
 * 3. What is on disk is never newer than what was answered. After a restart it alone counts, so that a lease goes on
 *    through the restart and may end early, never late. Times of an earlier boot count nothing: no container has
 *    survived it.
 * 4. No container of such a job is started, or started again, with less of its lease left than one call of Docker may
 *    take.
 * 5. When the lease is over the container is stopped as if it had been asked to be, and the task fails with
 *    lease_lapsed. A worker that is dead or stopped, or a Docker that does not answer, stops nothing: what the manager
 *    does about that is in manager/lease.c. */
#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "worker/worker_int.h"

/* Messages are remembered this far apart: 64 of them go back for longer than the shortest lease. */
#define SENT_GAP_MS 1000
/* What was answered is saved when it is this much newer than what is saved. */
#define SAVE_GAP_MS (LIMIT_LEASE_MIN_MS / 4)

static int64_t lease_ms_of(const struct worker_task *task)
{
	return task->template ? job_spec_lease_ms(&task->template->sync.spec) : 0;
}

static int64_t over_at_ms(const struct worker *worker, const struct worker_task *task)
{
	return worker->answered_ms ? worker->answered_ms + lease_ms_of(task) : 0;
}

static bool is_leased(const struct worker_task *task)
{
	return worker_task_is_live(task) && task->wanted == TASK_WANT_RUN && lease_ms_of(task) > 0;
}

void worker_lease_start(struct worker *worker, bool machine_restarted)
{
	if (machine_restarted || worker->meta.answered_ms > worker->now_ms)
		worker->meta.answered_ms = 0;
	worker->answered_ms = worker->meta.answered_ms;
	worker->lease_at_ms = worker->now_ms;
}

void worker_lease_watch(struct worker *worker, const struct job_spec *spec)
{
	if (job_spec_lease_ms(spec) > 0)
		worker->lease_at_ms = worker->now_ms;
}

void worker_lease_sent(struct worker *worker, int64_t report)
{
	const struct sent_report *newest =
		&worker->sent[(worker->sent_next + SENT_KEPT - 1) % SENT_KEPT];
	if (newest->report && worker->now_ms < newest->at_ms + SENT_GAP_MS)
		return;
	worker->sent[worker->sent_next] = (struct sent_report){ report, worker->now_ms };
	worker->sent_next = (worker->sent_next + 1) % SENT_KEPT;
}

static void save_if_due(struct worker *worker)
{
	if (worker->meta.answered_ms &&
	    worker->answered_ms < worker->meta.answered_ms + SAVE_GAP_MS)
		return;
	bool look_is_due = worker->lease_at_ms <= worker->now_ms;
	if (!worker->leased && !look_is_due)
		return;
	for (const struct worker_task *task = worker->task_first; task; task = task->next) {
		if (!is_leased(task))
			continue;
		worker->meta.answered_ms = worker->answered_ms;
		worker->meta_unsaved = true;
		return;
	}
}

void worker_lease_answered(struct worker *worker, int64_t report)
{
	int64_t answered_ms = worker->answered_ms;
	for (size_t i = 0; i < SENT_KEPT; i++) {
		const struct sent_report *sent = &worker->sent[i];
		if (sent->report && sent->report <= report && sent->at_ms > answered_ms)
			answered_ms = sent->at_ms;
	}
	if (answered_ms != worker->answered_ms && worker->lease_waited) {
		worker->lease_waited = false;
		worker->lease_at_ms = worker->now_ms;
	}
	worker->answered_ms = answered_ms;
	save_if_due(worker);
}

void worker_leases_look(struct worker *worker)
{
	if (worker->now_ms < worker->lease_at_ms)
		return;
	worker->lease_at_ms = NEVER_MS;
	worker->leased = false;
	for (struct worker_task *task = worker->task_first; task; task = task->next) {
		if (!is_leased(task))
			continue;
		worker->leased = true;
		int64_t over_ms = over_at_ms(worker, task);
		bool runs =
			task->container == CONTAINER_RUNNING || task->container == CONTAINER_PAUSED;
		if (over_ms <= worker->now_ms || !runs)
			worker_task_mark_dirty(worker, task);
		if (over_ms <= worker->now_ms)
			worker->lease_waited = true;
		else if (over_ms < worker->lease_at_ms)
			worker->lease_at_ms = over_ms;
	}
}

bool worker_lease_is_over(const struct worker *worker, const struct worker_task *task)
{
	return is_leased(task) && over_at_ms(worker, task) <= worker->now_ms;
}

char *worker_lease_told(const struct worker_task *task)
{
	struct text text;
	text_init(&text, LIMIT_NAME_BYTES);
	text_add_duration(&text, lease_ms_of(task));
	char *told = worker_sentence("the manager has not answered for %s, and its lease is over",
				     text_string(&text));
	text_release(&text);
	return told;
}

bool worker_lease_lets_start(struct worker *worker, struct worker_task *task)
{
	if (!is_leased(task) ||
	    over_at_ms(worker, task) > worker->now_ms + worker->options.call_timeout_ms)
		return true;
	worker->lease_waited = true;
	if (!task->told_lease)
		worker_task_show(worker, task, task->observed.reason,
				 worker_sentence("not started before the manager answers again: "
						 "the job says on_disconnect: stop"));
	task->told_lease = true;
	return false;
}
