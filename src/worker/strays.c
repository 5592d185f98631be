/* Containers with our cluster's label that no task accounts for: orphans, and attempts of ours
 * that should be gone.
 *
 * 1. An orphan is touched only after the manager's full set was taken in this life, and after
 *    the grace.
 * 2. Every one is inspected before it is touched: the label, and who owns it, are looked at
 *    again (I12).
 * 3. A task of ours starts nothing while a stray of it is left (I1). */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/planted.h"
#include "worker/worker_int.h"

#define STRAY_POLL_MS 500

static void drop(struct worker *worker, struct stray *stray)
{
	PRE(!stray->op);
	struct worker_task *task = worker_task_get(worker, stray->seen.task);
	*(stray->prev ? &stray->prev->next : &worker->stray_first) = stray->next;
	*(stray->next ? &stray->next->prev : &worker->stray_last) = stray->prev;
	container_seen_release(&stray->seen);
	base_free(stray);
	if (task)
		worker_task_mark_dirty(worker, task);
}

void worker_strays_free(struct worker *worker)
{
	while (worker->stray_first) {
		struct stray *stray = worker->stray_first;
		worker->stray_first = stray->next;
		container_seen_release(&stray->seen);
		base_free(stray);
	}
	worker->stray_last = NULL;
}

void worker_strays_put(struct worker *worker, const struct container_seen *seen, bool orphan)
{
	PRE(uuid_equal(seen->cluster, worker->meta.cluster));
	if (PLANTED(PLANTED_ORPHAN_KEPT) && orphan)
		return;
	for (struct stray *at = worker->stray_first; at; at = at->next) {
		if (strncmp(at->seen.name, seen->name, CONTAINER_NAME_SIZE) != 0)
			continue;
		at->list_mark = worker->list_mark;
		return;
	}
	struct stray *stray = base_calloc(1, sizeof(*stray));
	container_seen_copy(&stray->seen, seen);
	stray->orphan = orphan;
	stray->list_mark = worker->list_mark;
	stray->due_ms = worker->now_ms + (orphan ? worker->options.orphan_grace_ms : 0);
	stray->prev = worker->stray_last;
	*(worker->stray_last ? &worker->stray_last->next : &worker->stray_first) = stray;
	worker->stray_last = stray;
}

void worker_strays_sweep(struct worker *worker)
{
	for (struct stray *at = worker->stray_first, *next; at; at = next) {
		next = at->next;
		if (at->list_mark != worker->list_mark && !at->op)
			drop(worker, at);
	}
}

bool worker_strays_has_task(const struct worker *worker, struct task_id task)
{
	for (const struct stray *at = worker->stray_first; at; at = at->next)
		if (uuid_equal(at->seen.task.uuid, task.uuid))
			return true;
	return false;
}

/* Did a task turn up that accounts for it? */
static bool is_accounted_for(const struct worker *worker, const struct stray *stray)
{
	struct task_id id;
	int64_t attempt;
	const struct worker_task *task = worker_task_get(worker, stray->seen.task);
	if (!task || !worker_container_name_parse(stray->seen.name, &id, &attempt) ||
	    !worker_seen_is_ours(worker, &stray->seen, id, attempt) ||
	    !uuid_equal(id.uuid, stray->seen.task.uuid))
		return false;
	return stray->orphan || attempt == task->observed.attempt;
}

static void kill_stray(struct worker *worker, struct stray *stray, const char *signal)
{
	text_print(stray->signal_name, sizeof(stray->signal_name), "%s", signal);
	worker_op_begin_stray(worker, stray, CONTAINER_KILL)->signal = stray->signal_name;
	stray->due_ms = worker->now_ms + STRAY_POLL_MS;
}

static void stop_stray(struct worker *worker, struct stray *stray)
{
	if (stray->stop_stage == STOP_NOT && stray->orphan) {
		notes_add(&worker->out->notes,
			  "stopping container %s: no task of this worker accounts for it",
			  stray->seen.name);
		stray->stop_stage = STOP_ASKED;
		stray->kill_at_ms = worker->now_ms + ORPHAN_STOP_MS;
		kill_stray(worker, stray,
			   stray->seen.stop_signal ? stray->seen.stop_signal : "SIGTERM");
		return;
	}
	if (stray->stop_stage == STOP_ASKED && worker->now_ms < stray->kill_at_ms) {
		stray->looked = false;
		stray->due_ms = worker->now_ms + STRAY_POLL_MS;
		return;
	}
	if (stray->stop_stage == STOP_NOT)
		notes_add(&worker->out->notes, "killing a second container of a task");
	stray->stop_stage = STOP_KILLED;
	stray->looked = false;
	kill_stray(worker, stray, "SIGKILL");
}

static void advance(struct worker *worker, struct stray *stray)
{
	if (!stray->looked) {
		if (is_accounted_for(worker, stray))
			drop(worker, stray);
		else
			worker_op_begin_stray(worker, stray, CONTAINER_INSPECT);
		return;
	}
	switch (stray->seen.state) {
	case CONTAINER_RUNNING:
	case CONTAINER_PAUSED: stop_stray(worker, stray); return;
	case CONTAINER_CREATED:
	case CONTAINER_EXITED:
		worker_op_begin_stray(worker, stray, CONTAINER_REMOVE)->with_volumes =
			stray->orphan;
		return;
	default:
		stray->looked = false;
		stray->due_ms = worker->now_ms + RETRY_MS;
		return;
	}
}

bool worker_is_admitted(const struct worker *worker)
{
	return worker->full_taken &&
	       (!worker->facts_unacked || worker->meta.removal != WORKER_REMOVAL_NONE);
}

static bool may_touch(const struct worker *worker, const struct stray *stray)
{
	return !stray->op && (worker_is_admitted(worker) || !stray->orphan);
}

void worker_strays_advance(struct worker *worker)
{
	for (struct stray *at = worker->stray_first, *next; at; at = next) {
		next = at->next;
		if (may_touch(worker, at) && worker->now_ms >= at->due_ms &&
		    worker_ops_have_room(worker))
			advance(worker, at);
	}
}

static void take_seen(struct worker *worker, struct stray *stray,
		      const struct container_result *result)
{
	if (result->fault == FAULT_NOT_FOUND ||
	    (result->fault == FAULT_NONE &&
	     !uuid_equal(result->seen.cluster, worker->meta.cluster))) {
		drop(worker, stray);
		return;
	}
	if (result->fault != FAULT_NONE) {
		stray->due_ms = worker->now_ms + RETRY_MS;
		return;
	}
	char name[CONTAINER_NAME_SIZE];
	memcpy(name, stray->seen.name, sizeof(name));
	container_seen_release(&stray->seen);
	container_seen_copy(&stray->seen, &result->seen);
	memcpy(stray->seen.name, name, sizeof(name));
	stray->looked = true;
	stray->due_ms = worker->now_ms;
}

void worker_stray_result(struct worker *worker, struct stray *stray,
			 const struct container_result *result)
{
	bool done = result->fault == FAULT_NONE || result->fault == FAULT_NOT_FOUND;
	switch (result->verb) {
	case CONTAINER_INSPECT: take_seen(worker, stray, result); return;
	case CONTAINER_REMOVE:
		if (done) {
			notes_add(&worker->out->notes,
				  "removed container %s: no task of this worker accounts for it",
				  stray->seen.name);
			drop(worker, stray);
			return;
		}
		stray->due_ms = worker->now_ms + RETRY_MS;
		break;
	default:
		if (!done)
			stray->due_ms = worker->now_ms + RETRY_MS;
		break;
	}
	stray->looked = false;
}

int64_t worker_strays_due_ms(const struct worker *worker)
{
	int64_t at_ms = NEVER_MS;
	for (const struct stray *at = worker->stray_first; at; at = at->next)
		if (may_touch(worker, at) && at->due_ms < at_ms)
			at_ms = at->due_ms;
	return at_ms;
}
