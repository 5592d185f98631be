/* The tables of what the manager says. Tags are in stored answers: a number is never given to another field. */
#include "base/limits.h"
#include "manager/core.h"

// clang-format off
const struct enum_name manager_request_names[] = {
	{ REQUEST_APPLY, "apply" }, { REQUEST_SUBMIT, "submit" }, { REQUEST_SCALE, "scale" },
	{ REQUEST_STOP, "stop" }, { REQUEST_RESTART, "restart" }, { REQUEST_REMOVE, "remove" },
	{ REQUEST_VOLUME_REMOVE, "volume_remove" }, { REQUEST_TOKEN_CREATE, "token_create" },
	{ REQUEST_TOKEN_REMOVE, "token_remove" }, { REQUEST_JOIN, "join" },
	{ REQUEST_IDENTITY_REMOVE, "identity_remove" }, { REQUEST_NODE_DRAIN, "node_drain" },
	{ REQUEST_NODE_RESUME, "node_resume" }, { REQUEST_NODE_REMOVE, "node_remove" },
	{ REQUEST_NODE_LABEL, "node_label" }, { REQUEST_ROLLBACK, "rollback" },
	{ REQUEST_RUN_AGAIN, "run_again" }, { REQUEST_REBALANCE, "rebalance" }, { 0 }
};
const struct enum_name job_effect_names[] = {
	{ EFFECT_UNCHANGED, "unchanged" }, { EFFECT_CREATED, "created" }, { EFFECT_UPDATED, "updated" },
	{ EFFECT_SCALED, "scaled" }, { EFFECT_STOPPED, "stopped" }, { EFFECT_RESTARTED, "restarted" },
	{ EFFECT_REMOVED, "removed" }, { EFFECT_ORPHAN, "orphan" }, { EFFECT_ROLLED_BACK, "rolled_back" },
	{ EFFECT_RUNS_AGAIN, "runs_again" }, { EFFECT_REBALANCED, "rebalanced" }, { 0 }
};
const struct enum_name job_standing_names[] = {
	{ STANDING_PENDING, "pending" }, { STANDING_RUNNING, "running" },
	{ STANDING_UPDATING, "updating" }, { STANDING_DEGRADED, "degraded" },
	{ STANDING_COMPLETED, "completed" }, { STANDING_FAILED, "failed" },
	{ STANDING_STOPPED, "stopped" }, { STANDING_REMOVING, "removing" },
	{ STANDING_SCHEDULED, "scheduled" }, { 0 }
};

const struct enum_name update_state_names[] = {
	{ UPDATE_STATE_NONE, "none" }, { UPDATE_STATE_ROLLING, "rolling" },
	{ UPDATE_STATE_PAUSED, "paused" }, { UPDATE_STATE_ROLLING_BACK, "rolling_back" },
	{ UPDATE_STATE_ROLLED_BACK, "rolled_back" }, { 0 }
};

static const struct field job_answer_fields[] = {
	ROW_UUID(1, struct job_answer, id),
	ROW_STRING(2, struct job_answer, name, LIMIT_NAME_BYTES),
	ROW_INT(3, struct job_answer, revision, LIMIT_COUNT),
	ROW_ENUM(4, struct job_answer, effect, job_effect_names),
	ROW_INT(5, struct job_answer, not_confirmed, LIMIT_TASKS),
};
RECORD_TYPE(job_answer, struct job_answer, job_answer_fields);

static const struct field manager_answer_fields[] = {
	ROW_STRING(1, struct manager_answer, project, LIMIT_NAME_BYTES),
	ROW_STRUCTS(2, struct manager_answer, jobs, job_answer, LIMIT_JOBS_PER_PROJECT),
	ROW_UUID(3, struct manager_answer, node),
	ROW_STRING(4, struct manager_answer, node_name, LIMIT_HOSTNAME_BYTES),
	ROW_INT(5, struct manager_answer, n_tasks_lost, LIMIT_TASKS),
	ROW_STRINGS(6, struct manager_answer, tasks_lost, MANAGER_ANSWER_NAMES_MAX),
	ROW_INT(7, struct manager_answer, n_volumes_lost, LIMIT_COUNT),
	ROW_STRINGS(8, struct manager_answer, volumes_lost, MANAGER_ANSWER_NAMES_MAX),
	ROW_INT(9, struct manager_answer, n_dependents, LIMIT_JOBS),
	ROW_STRINGS(10, struct manager_answer, dependents, MANAGER_ANSWER_NAMES_MAX),
};
RECORD_TYPE(manager_answer, struct manager_answer, manager_answer_fields);
// clang-format on
