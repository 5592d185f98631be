/* A task as the worker holds it, and the record that is stored of it.
 *
 * 1. A record that is taken and got again is the same (record_test.c tries it with all that the table allows).
 * 2. Job and revision are those of the template where one is bound. */

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "worker/worker_task.h"

_Static_assert(LIMIT_HOOKS <= UINT8_MAX, "hooks_done counts them in one byte");
_Static_assert(REASON_COUNT <= UINT8_MAX, "a task holds a reason in one byte");

/* ---- one by one ---------------------------------------------------------------------------------------- */

void worker_task_set_restart_at(struct worker_task *task, int64_t at_ms)
{
	if (at_ms || task->rare)
		worker_make_rare(task)->restart_at_ms = at_ms;
}

void worker_task_set_start_tries(struct worker_task *task, int64_t n)
{
	if (n || task->rare)
		worker_make_rare(task)->start_tries = n;
}

void worker_task_set_finished(struct worker_task *task, int64_t wall_ms)
{
	if (wall_ms || task->rare)
		worker_make_rare(task)->observed.finished_wall_ms = wall_ms;
}

/* Takes `text`, which may be NULL. */
static void set_text(struct worker_task *task, size_t offset, char *text)
{
	if (!text && !task->rare)
		return;
	void *at = (char *)worker_make_rare(task) + offset;
	char **held = at;
	base_free(*held);
	*held = text;
}

void worker_task_set_message(struct worker_task *task, char *message)
{
	set_text(task, offsetof(struct worker_rare, observed.message),
		 observed_half_take_message(&task->observed, message));
}

void worker_task_set_container_id(struct worker_task *task, char *container_id)
{
	set_text(task, offsetof(struct worker_rare, observed.container_id),
		 observed_half_take_container_id(&task->observed, container_id));
}

void worker_task_set_ending(struct worker_task *task, int reason, char *message)
{
	task->ending_reason = (uint8_t)reason;
	set_text(task, offsetof(struct worker_rare, ending_message), message);
}

const char *worker_task_message(const struct worker_task *task)
{
	return observed_half_message(&task->observed, worker_rare(task)->observed.message);
}

/* ---- the assignment ------------------------------------------------------------------------------------ */

void worker_task_get_desired(const struct worker_task *task, struct sync_assignment *ret_desired)
{
	const struct worker_rare *rare = worker_rare(task);
	const struct worker_template *template = task->template;
	*ret_desired = (struct sync_assignment){
		.task = task->id,
		.job = template ? template->sync.job : rare->job,
		.revision = template ? template->sync.revision : rare->revision,
		.slot = task->slot,
		.wanted = task->asked,
		.stop_reason = task->stop_reason,
		.attempts_before = rare->attempts_before,
	};
	ret_desired->ports.items = rare->ports.items;
	ret_desired->ports.n = rare->ports.n;
}

bool worker_can_hold_desired(const struct sync_assignment *desired)
{
	return desired->slot <= LIMIT_TASK_COUNT;
}

/* Takes the ports. */
static void take_desired(struct worker_task *task, const struct sync_assignment *desired,
			 struct port_grant *ports)
{
	PRE(!task->template);
	PRE(worker_can_hold_desired(desired));
	task->id = desired->task;
	task->slot = (int32_t)desired->slot;
	task->asked = (uint8_t)desired->wanted;
	task->stop_reason = (uint8_t)desired->stop_reason;
	if (!task->rare && !ports && !desired->attempts_before)
		return;
	struct worker_rare *rare = worker_make_rare(task);
	base_free(rare->ports.items);
	rare->job = (struct job_id){ 0 };
	rare->revision = 0;
	rare->attempts_before = desired->attempts_before;
	rare->ports.items = ports;
	rare->ports.n = desired->ports.n;
}

void worker_task_set_desired(struct worker_task *task, const struct sync_assignment *desired)
{
	size_t size = desired->ports.n * sizeof(struct port_grant);
	take_desired(task, desired, size ? base_memdup(desired->ports.items, size) : NULL);
}

void worker_task_set_job(struct worker_task *task, struct job_id job, int64_t revision)
{
	if (!task->rare && uuid_is_zero(job.uuid) && !revision)
		return;
	struct worker_rare *rare = worker_make_rare(task);
	rare->job = job;
	rare->revision = revision;
}

uint64_t worker_task_digest(const struct worker_task *task)
{
	struct sync_assignment desired;
	worker_task_get_desired(task, &desired);
	return (uint64_t)sync_assignment_digest(&desired);
}

/* ---- the record ---------------------------------------------------------------------------------------- */

void worker_task_get_observed(const struct worker_task *task,
			      char container_id[TASK_CONTAINER_ID_SIZE],
			      struct task_observed *ret_observed)
{
	observed_half_get(&task->observed, &worker_rare(task)->observed, container_id,
			  ret_observed);
	ret_observed->task = task->id;
}

void worker_task_get_record(const struct worker_task *task,
			    char container_id[TASK_CONTAINER_ID_SIZE],
			    struct worker_record *ret_record)
{
	const struct worker_rare *rare = worker_rare(task);
	*ret_record = (struct worker_record){
		.wanted = task->wanted,
		.forgotten = task->forgotten,
		.attempt_first = task->attempt_first,
		.attempt_ran = task->attempt_ran,
		.attempt_signalled = task->attempt_signalled,
		.killed = task->killed,
		.ending_reason = task->ending_reason,
		.ending_message = rare->ending_message,
		.machine_restarted = task->machine_restarted,
		.daemon_instance = task->daemon_instance,
		.started_ms = task->started_ms,
		.restart_at_ms = rare->restart_at_ms,
		.restarts_in_row = rare->restarts_in_row,
		.start_tries = rare->start_tries,
		.assigned_ms = task->assigned_ms,
		.hooks_done = task->hooks_done,
	};
	ret_record->restarts.items = rare->restarts.items;
	ret_record->restarts.n = rare->restarts.n;
	worker_task_get_desired(task, &ret_record->desired);
	worker_task_get_observed(task, container_id, &ret_record->observed);
}

bool worker_can_hold_record(const struct worker_record *record)
{
	return worker_can_hold_desired(&record->desired) &&
	       task_can_hold_observed(&record->observed) &&
	       record->observed.attempt < LIMIT_TASK_COUNT &&
	       record->attempt_first <= LIMIT_TASK_COUNT &&
	       record->attempt_ran <= LIMIT_TASK_COUNT &&
	       record->attempt_signalled <= LIMIT_TASK_COUNT;
}

static void take_rare(struct worker_task *task, const struct worker_record *record)
{
	struct worker_rare *rare = worker_make_rare(task);
	rare->restart_at_ms = record->restart_at_ms;
	rare->restarts_in_row = record->restarts_in_row;
	rare->start_tries = record->start_tries;
	rare->ending_message = record->ending_message;
	rare->restarts.items = record->restarts.items;
	rare->restarts.n = record->restarts.n;
}

void worker_task_take_record(struct worker_task *task, struct worker_record *record)
{
	PRE(worker_can_hold_record(record));
	PRE(uuid_equal(record->desired.task.uuid, record->observed.task.uuid));
	worker_task_release_record(task);
	task->wanted = (uint8_t)record->wanted;
	task->forgotten = record->forgotten;
	task->attempt_first = (int32_t)record->attempt_first;
	task->attempt_ran = (int32_t)record->attempt_ran;
	task->attempt_signalled = (int32_t)record->attempt_signalled;
	task->killed = record->killed;
	task->ending_reason = (uint8_t)record->ending_reason;
	task->machine_restarted = record->machine_restarted;
	task->daemon_instance = record->daemon_instance;
	task->started_ms = record->started_ms;
	task->assigned_ms = record->assigned_ms;
	task->hooks_done = (uint8_t)record->hooks_done;
	take_desired(task, &record->desired, record->desired.ports.items);
	worker_task_set_job(task, record->desired.job, record->desired.revision);
	take_rare(task, record);
	observed_half_take(&task->observed, &record->observed, &task->rare->observed);
	*record = (struct worker_record){ 0 };
	worker_task_tidy_rare(task);
}

void worker_task_release_record(struct worker_task *task)
{
	struct worker_rare *rare = task->rare;
	PRE(!worker_health(task));
	if (!rare)
		return;
	base_free(rare->ports.items);
	base_free(rare->restarts.items);
	base_free(rare->observed.container_id);
	base_free(rare->observed.message);
	base_free(rare->ending_message);
	base_free(rare->address);
	base_free(rare);
	task->rare = NULL;
}
