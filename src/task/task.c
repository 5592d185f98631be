/* Invariants: a task's state changes only in task_move(), only along a row of `moves`; COMPLETED and FAILED have no row
 * out of them. Tags are on disk, so a number is never given to another field. */
#include "task/task.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"

// clang-format off
const struct enum_name task_state_names[] = {
	{ TASK_PENDING, "pending" }, { TASK_SCHEDULED, "scheduled" }, { TASK_RUNNING, "running" },
	{ TASK_COMPLETED, "completed" }, { TASK_FAILED, "failed" }, { 0 }
};
const struct enum_name task_health_names[] = {
	{ HEALTH_NONE, "none" }, { HEALTH_STARTING, "starting" }, { HEALTH_HEALTHY, "healthy" },
	{ HEALTH_UNHEALTHY, "unhealthy" }, { 0 }
};
const struct enum_name task_trial_names[] = {
	{ TRIAL_OPEN, "open" }, { TRIAL_PASSED, "passed" }, { TRIAL_FAILED, "failed" }, { 0 }
};
const struct enum_name task_wanted_names[] = {
	{ TASK_WANT_RUN, "run" }, { TASK_WANT_STOP, "stop" }, { TASK_WANT_REMOVE, "remove" }, { 0 }
};

static const struct field port_grant_fields[] = {
	ROW_INT(1, struct port_grant, index, LIMIT_PORTS_PER_JOB - 1),
	ROW_INT(2, struct port_grant, host_port, 65535, .min = 1),
};
RECORD_TYPE(port_grant, struct port_grant, port_grant_fields);

static const struct field task_desired_fields[] = {
	ROW_UUID(1, struct task_desired, id),
	ROW_UUID(2, struct task_desired, job),
	ROW_INT(3, struct task_desired, revision, LIMIT_COUNT),
	ROW_INT(4, struct task_desired, restarts_asked, LIMIT_COUNT),
	ROW_INT(5, struct task_desired, slot, LIMIT_COUNT),
	ROW_UUID(6, struct task_desired, node),
	ROW_ENUM(7, struct task_desired, wanted, task_wanted_names),
	ROW_ENUM(8, struct task_desired, stop_reason, reason_names),
	ROW_STRUCTS(9, struct task_desired, ports, port_grant, LIMIT_PORTS_PER_JOB),
	ROW_UUID(10, struct task_desired, replaces),
	ROW_INT(11, struct task_desired, start_failures, LIMIT_COUNT),
	ROW_INT(12, struct task_desired, attempts_before, LIMIT_COUNT),
	ROW_INT(13, struct task_desired, not_before_ms, LIMIT_WALL_MS),
	ROW_INT(14, struct task_desired, created_wall_ms, LIMIT_WALL_MS),
	ROW_INT(15, struct task_desired, scheduled_wall_ms, LIMIT_WALL_MS),
	ROW_ENUM(16, struct task_desired, verdict, task_state_names),
	ROW_ENUM(17, struct task_desired, verdict_reason, reason_names),
	ROW_STRING(18, struct task_desired, verdict_message, LIMIT_MESSAGE_BYTES),
	ROW_INT(19, struct task_desired, verdict_wall_ms, LIMIT_WALL_MS),
	ROW_BOOL(20, struct task_desired, written_off),
	ROW_STRING(21, struct task_desired, stop_message, LIMIT_MESSAGE_BYTES),
	ROW_ENUM(22, struct task_desired, trial, task_trial_names),
	ROW_INT(23, struct task_desired, roll, LIMIT_COUNT),
	ROW_UUID(24, struct task_desired, move_to),
};
RECORD_TYPE(task_desired, struct task_desired, task_desired_fields);

static const struct field task_observed_fields[] = {
	ROW_UUID(1, struct task_observed, task),
	ROW_INT(2, struct task_observed, version, LIMIT_COUNT),
	ROW_ENUM(3, struct task_observed, state, task_state_names),
	ROW_ENUM(4, struct task_observed, health, task_health_names),
	ROW_INT(5, struct task_observed, attempt, LIMIT_COUNT),
	ROW_INT(6, struct task_observed, attempts_used, LIMIT_COUNT),
	ROW_STRING(7, struct task_observed, container_id, LIMIT_CONTAINER_ID_BYTES),
	ROW_INT(8, struct task_observed, exit_code, INT32_MAX, .min = INT32_MIN, .initial = -1),
	ROW_ENUM(9, struct task_observed, reason, reason_names),
	ROW_STRING(10, struct task_observed, message, LIMIT_MESSAGE_BYTES),
	ROW_INT(11, struct task_observed, started_wall_ms, LIMIT_WALL_MS),
	ROW_INT(12, struct task_observed, finished_wall_ms, LIMIT_WALL_MS),
	ROW_BOOL(13, struct task_observed, gone),
	ROW_BOOL(14, struct task_observed, removed),
};
RECORD_TYPE(task_observed, struct task_observed, task_observed_fields);

static const struct {
	enum task_state from;
	enum task_state to;
} moves[] = {
	{ TASK_PENDING,   TASK_SCHEDULED }, /* the scheduler found a node */
	{ TASK_PENDING,   TASK_FAILED },    /* the placement deadline passed */
	{ TASK_PENDING,   TASK_COMPLETED }, /* stopped by the user before it started */
	{ TASK_SCHEDULED, TASK_RUNNING },   /* container started */
	{ TASK_SCHEDULED, TASK_FAILED },    /* could not start and may not try again here; lost */
	{ TASK_SCHEDULED, TASK_COMPLETED }, /* stopped before it started */
	{ TASK_RUNNING,   TASK_SCHEDULED }, /* ended or unhealthy, will be started again here */
	{ TASK_RUNNING,   TASK_COMPLETED }, /* exited 0 and not to be restarted; stopped as asked */
	{ TASK_RUNNING,   TASK_FAILED },    /* ended or unhealthy, the policy is used up; lost */
};
// clang-format on

bool task_may_move(int from, int to)
{
	for (size_t i = 0; i < ARRAY_LEN(moves); i++)
		if ((int)moves[i].from == from && (int)moves[i].to == to)
			return true;
	return false;
}

enum err_code task_move(struct task *task, int to, struct err *err)
{
	INVARIANT(task->state >= TASK_PENDING && task->state <= TASK_FAILED);
	if (!task_may_move(task->state, to))
		return err_set(err, ERR_CONFLICT, "a task that is %s does not become %s",
			       enum_name(task_state_names, task->state),
			       enum_name(task_state_names, to));
	task->state = (uint8_t)to;
	return ERR_NONE;
}

bool task_is_final(int state)
{
	return state == TASK_COMPLETED || state == TASK_FAILED;
}

bool task_is_ready(const struct task *task)
{
	return task->state == TASK_RUNNING &&
	       (task->observed.health == HEALTH_NONE || task->observed.health == HEALTH_HEALTHY);
}

bool task_succeeded(const struct task *task)
{
	return task->state == TASK_COMPLETED && task->reason == REASON_EXIT_ZERO;
}

bool task_occupies_node(const struct task *task)
{
	return !uuid_is_zero(task->desired.node.uuid) && !task->observed.gone &&
	       !task->observed.removed && !task->desired.written_off;
}
