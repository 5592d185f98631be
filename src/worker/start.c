/* Starting: pull -> networks -> volumes -> files -> create -> start -> inspect.
 *
 * 1. At most `starts_parallel` tasks stand between pull and start; the others wait, first in
 *    first out. Who waits for anything else stands in nobody's way: it gives its place back.
 * 2. The number of the attempt is saved in the turn of the first action for it, so before its
 *    container can exist.
 * 3. What must not run on without the manager is not started without it: lease.c.
 * 4. After an answer that leaves the outcome open the container is inspected by name before
 *    anything else. */
#include "worker/worker_int.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/planted.h"

#define STRAY_WAIT_MS	200
#define NETWORK_WAIT_MS 100
#define NETWORK_MAKE_MS 10

static void wake_first(struct worker *worker)
{
	if (worker->queue_first && worker->n_starting < worker->options.starts_parallel)
		worker_task_mark_dirty(worker, worker->queue_first);
}

static void leave_queue(struct worker *worker, struct worker_task *task)
{
	struct worker_doing *doing = task->doing;
	*(doing->queue_prev ? &doing->queue_prev->doing->queue_next : &worker->queue_first) =
		doing->queue_next;
	*(doing->queue_next ? &doing->queue_next->doing->queue_prev : &worker->queue_last) =
		doing->queue_prev;
	doing->queue_prev = NULL;
	doing->queue_next = NULL;
	task->in_queue = false;
}

static void enter_queue(struct worker *worker, struct worker_task *task)
{
	struct worker_task *last = worker->queue_last;
	worker_make_doing(task)->queue_prev = last;
	*(last ? &last->doing->queue_next : &worker->queue_first) = task;
	worker->queue_last = task;
	task->in_queue = true;
}

static bool take_slot(struct worker *worker, struct worker_task *task)
{
	if (task->has_slot)
		return true;
	if (!task->in_queue)
		enter_queue(worker, task);
	if (worker->queue_first != task || worker->n_starting >= worker->options.starts_parallel) {
		if (task->observed.reason == REASON_ASSIGNED && !task->told_to_wait)
			worker_task_show(worker, task, REASON_ASSIGNED,
					 worker_sentence("waits for its turn: %lld starts are "
							 "under way",
							 (long long)worker->n_starting));
		task->told_to_wait = true;
		return false;
	}
	leave_queue(worker, task);
	task->has_slot = true;
	worker->n_starting++;
	wake_first(worker);
	return true;
}

void worker_start_release(struct worker *worker, struct worker_task *task)
{
	if (task->in_queue)
		leave_queue(worker, task);
	else if (task->has_slot)
		worker->n_starting--;
	else
		return;
	task->has_slot = false;
	INVARIANT(worker->n_starting >= 0);
	wake_first(worker);
}

/* ---- asking ---- */

/* It stands in nobody's way meanwhile. */
static void stand_aside_until(struct worker *worker, struct worker_task *task, int64_t at_ms)
{
	worker_start_release(worker, task);
	worker_due_set(worker, task, at_ms);
}

static void show_pulling(struct worker *worker, struct worker_task *task)
{
	const char *image = task->template->sync.spec.image;
	char label[TASK_LABEL_SIZE];
	notes_add(&worker->out->notes, "%s pulling %s", worker_task_label(task, label), image);
	worker_task_show(worker, task, REASON_PULLING, worker_sentence("pulling %s", image));
}

/* Whether the image has to be pulled, the runtime finds out and says. */
static void ask_pull(struct worker *worker, struct worker_task *task)
{
	if (task->template->sync.spec.pull_policy == PULL_ALWAYS)
		show_pulling(worker, task);
	worker_op_begin_task(worker, task, CONTAINER_PULL, task->observed.attempt);
}

void worker_start_pulling(struct worker *worker, uint64_t op)
{
	const struct op *found = worker_op_get(worker, op);
	if (!found || found->verb != CONTAINER_PULL)
		return;
	struct worker_task *task = found->task;
	bool wanted = worker_task_is_live(task) && task->wanted == TASK_WANT_RUN;
	if (wanted && task->template && task->observed.reason != REASON_PULLING)
		show_pulling(worker, task);
}

/* Docker makes two networks of one name when it is asked twice at once. */
static bool network_is_being_made(const struct worker *worker, const struct worker_task *task)
{
	for (size_t i = 0; i < worker->n_ops; i++) {
		const struct op *op = &worker->ops[i];
		if (op->verb == CONTAINER_NETWORK_ENSURE && op->task && op->task != task &&
		    !strcmp(worker_doing(op->task)->resource_name,
			    worker_doing(task)->resource_name))
			return true;
	}
	return false;
}

static void ask_network(struct worker *worker, struct worker_task *task)
{
	struct worker_doing *doing = worker_make_doing(task);
	const struct sync_template *sync = &task->template->sync;
	const struct network_spec *network = &sync->networks.items[doing->path_index];
	base_free(doing->resource_name);
	doing->resource_name = container_network_name(sync->project, network);
	if (worker_networks_removing(worker, doing->resource_name)) {
		worker_due_set(worker, task, worker->now_ms + NETWORK_WAIT_MS);
		return;
	}
	if (network_is_being_made(worker, task)) {
		worker_due_set(worker, task, worker->now_ms + NETWORK_MAKE_MS);
		return;
	}
	struct container_action *action = worker_op_begin_task(
		worker, task, CONTAINER_NETWORK_ENSURE, task->observed.attempt);
	action->network = network;
	action->resource_name = doing->resource_name;
}

static void ask_volume(struct worker *worker, struct worker_task *task)
{
	struct worker_doing *doing = worker_make_doing(task);
	const struct sync_template *sync = &task->template->sync;
	const struct volume_spec *volume = &sync->volumes.items[doing->path_index];
	base_free(doing->resource_name);
	doing->resource_name = container_volume_name(sync->project, volume);
	struct container_action *action =
		worker_op_begin_task(worker, task, CONTAINER_VOLUME_ENSURE, task->observed.attempt);
	action->volume = volume;
	action->resource_name = doing->resource_name;
}

static void ask_create(struct worker *worker, struct worker_task *task)
{
	struct worker_doing *doing = worker_make_doing(task);
	struct container_action *action =
		worker_op_begin_task(worker, task, CONTAINER_CREATE, task->observed.attempt);
	doing->create_asked = true;
	if (task->observed.reason != REASON_STARTING)
		worker_task_show(worker, task, REASON_STARTING, worker_sentence("starting"));
	if (task->attempt_ran < task->attempt_first || task->attempt_ran >= task->observed.attempt)
		return;
	char *previous = worker_lend(worker, base_calloc(1, CONTAINER_NAME_SIZE));
	container_name(task->id, task->attempt_ran, previous);
	action->previous = previous;
}

static void ask_start(struct worker *worker, struct worker_task *task)
{
	int64_t instance = (int64_t)worker->daemon_instance;
	/* It has not run yet: no restart of before has interrupted it, however soon it ends now. */
	if (task->daemon_instance != instance || task->machine_restarted) {
		task->daemon_instance = instance;
		task->machine_restarted = false;
		worker_task_mark_unsaved(worker, task);
	}
	worker_op_begin_task(worker, task, CONTAINER_START, task->observed.attempt);
}

/* The next step of the path that has something to do. */
static void ask_next(struct worker *worker, struct worker_task *task)
{
	struct worker_doing *doing = worker_make_doing(task);
	const struct sync_template *sync = &task->template->sync;
	/* What ran here has its image: a registry that is away does not keep it from starting
	 * again. */
	bool has_image = task->attempt_ran && !task->image_gone;
	if (doing->path == PATH_PULL &&
	    (sync->spec.pull_policy == PULL_NEVER || doing->pulled || has_image))
		doing->path = PATH_NETWORKS;
	if (doing->path == PATH_NETWORKS && doing->path_index >= sync->networks.n) {
		doing->path = PATH_VOLUMES;
		doing->path_index = 0;
	}
	if (doing->path == PATH_VOLUMES && doing->path_index >= sync->volumes.n)
		doing->path = PATH_CREATE;
	switch (doing->path) {
	case PATH_PULL: ask_pull(worker, task); return;
	case PATH_NETWORKS: ask_network(worker, task); return;
	case PATH_VOLUMES: ask_volume(worker, task); return;
	default: break;
	}
	if (worker_contents_ready(task))
		ask_create(worker, task);
	else
		worker_contents_ask(worker, task);
}

/* The last try failed, and the container is known not to run. */
static void give_up(struct worker *worker, struct worker_task *task)
{
	struct worker_doing *doing = worker_make_doing(task);
	struct verdict failure = doing->start_failure;
	doing->start_failure = (struct verdict){ 0 };
	/* A crash may have taken the words with it. */
	if (!failure.message)
		failure = (struct verdict){ REASON_START_FAILED,
					    worker_sentence("could not start in %d tries",
							    START_TRIES_MAX) };
	worker_task_finish(worker, task, TASK_FAILED, failure.reason, failure.message);
}

bool worker_start_advance(struct worker *worker, struct worker_task *task)
{
	if (worker_rare(task)->start_tries >= START_TRIES_MAX) {
		give_up(worker, task);
		return true;
	}
	if (!task->template) {
		worker_start_release(worker, task);
		return false;
	}
	if (!worker_lease_lets_start(worker, task)) {
		worker_start_release(worker, task);
		return false;
	}
	if (worker->now_ms < worker_rare(task)->restart_at_ms) {
		stand_aside_until(worker, task, worker_rare(task)->restart_at_ms);
		return false;
	}
	if (worker_strays_has_task(worker, task->id)) {
		stand_aside_until(worker, task, worker->now_ms + STRAY_WAIT_MS);
		return false;
	}
	if (worker_contents_wait(worker, task) || !take_slot(worker, task))
		return false;
	if (task->foreign) {
		char label[TASK_LABEL_SIZE];
		notes_add(&worker->out->notes,
			  "%s: a container that is not ours has the name of attempt %lld",
			  worker_task_label(task, label), (long long)task->observed.attempt);
		worker_task_next_attempt(worker, task);
	}
	if (!task->observed.attempt)
		worker_task_next_attempt(worker, task);
	if (!task->daemon_instance) {
		task->daemon_instance = (int64_t)worker->daemon_instance;
		worker_task_mark_unsaved(worker, task);
	}
	if (task->container == CONTAINER_CREATED && worker_contents_ready(task))
		ask_start(worker, task);
	else if (task->container == CONTAINER_CREATED)
		worker_contents_ask(worker, task);
	else
		ask_next(worker, task);
	return false;
}

/* ---- answers ---- */

static void take_success(struct worker *worker, struct worker_task *task,
			 const struct container_result *result)
{
	struct worker_doing *doing = worker_make_doing(task);
	switch (result->verb) {
	case CONTAINER_PULL:
		doing->pulled = true;
		task->image_gone = false;
		doing->path = PATH_NETWORKS;
		doing->path_index = 0;
		break;
	case CONTAINER_NETWORK_ENSURE:
	case CONTAINER_VOLUME_ENSURE: doing->path_index++; break;
	case CONTAINER_FILES: worker_contents_there(task); break;
	case CONTAINER_CREATE:
		task->container = CONTAINER_CREATED;
		doing->create_asked = false;
		worker_task_set_container_id(task, base_strdup(result->seen.id));
		break;
	case CONTAINER_START:
		worker_start_release(worker, task);
		task->container = CONTAINER_UNKNOWN;
		break;
	default: UNREACHABLE("not a step of a start");
	}
}

/* A fault that may pass: try again here after a while, a few times. Whether that was the last
 * time is decided when the container is known again: what seems to have failed may have
 * happened. */
static void try_again(struct worker *worker, struct worker_task *task,
		      const struct container_result *result)
{
	struct worker_doing *doing = worker_make_doing(task);
	if (result->verb == CONTAINER_CREATE || result->verb == CONTAINER_START)
		task->container = CONTAINER_UNKNOWN;
	base_free(doing->start_failure.message);
	doing->start_failure = worker_judge_fault_last(task, result);
	struct worker_rare *rare = worker_make_rare(task);
	rare->start_tries++;
	rare->restart_at_ms =
		worker->now_ms + (worker->options.backoff_first_ms << (rare->start_tries - 1));
	worker_task_mark_unsaved(worker, task);
	if (rare->start_tries >= START_TRIES_MAX)
		return;
	char label[TASK_LABEL_SIZE];
	char *tail = worker_words_tail(result->message);
	notes_add(&worker->out->notes, "%s could not %s%s: trying again",
		  worker_task_label(task, label), enum_name(container_verb_names, result->verb),
		  tail);
	base_free(tail);
}

void worker_start_result(struct worker *worker, struct worker_task *task,
			 const struct container_result *result)
{
	struct worker_doing *doing = worker_make_doing(task);
	if (!worker_task_is_live(task))
		return;
	if (result->fault == FAULT_NONE) {
		take_success(worker, task, result);
		return;
	}
	if (result->verb == CONTAINER_FILES && result->fault == FAULT_NOT_FOUND) {
		worker_contents_lacking(task);
		return;
	}
	if (result->fault == FAULT_UNREACHABLE) {
		worker_task_not_before(task, worker->now_ms + RETRY_MS);
		return;
	}
	if (PLANTED(PLANTED_SECOND_CONTAINER) && result->verb == CONTAINER_START &&
	    result->fault == FAULT_AMBIGUOUS) {
		task->container = CONTAINER_ABSENT;
		worker_task_next_attempt(worker, task);
		return;
	}
	/* Somebody removed the image since it was seen. */
	if (result->verb == CONTAINER_CREATE && result->fault == FAULT_IMAGE_NOT_FOUND &&
	    !doing->pulled && task->template &&
	    task->template->sync.spec.pull_policy != PULL_NEVER) {
		doing->path = PATH_PULL;
		task->image_gone = true;
		return;
	}
	struct verdict verdict = worker_judge_fault(task, result);
	if (verdict.reason == REASON_NONE) {
		try_again(worker, task, result);
		return;
	}
	/* A container that was made is looked at again, so that its removal is certain. */
	if (result->verb == CONTAINER_START)
		task->container = CONTAINER_UNKNOWN;
	worker_task_finish(worker, task, TASK_FAILED, verdict.reason, verdict.message);
}
