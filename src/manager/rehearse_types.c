#include "base/limits.h"
#include "manager/rehearse.h"

const struct enum_name planned_act_names[] = {
	{ PLANNED_START, "start" },
	{ PLANNED_REPLACE, "replace" },
	{ PLANNED_MOVE, "move" },
	{ PLANNED_STOP, "stop" },
	{ 0, NULL },
};

const struct enum_name planned_effect_names[] = {
	{ PLANNED_KEPT, "used" },
	{ PLANNED_CREATED, "created" },
	{ PLANNED_CHANGED, "changed" },
	{ PLANNED_FORGOTTEN, "forgotten" },
	{ 0, NULL },
};

// clang-format off
static const struct field planned_change_fields[] = {
	ROW_STRING(1, struct planned_change, field, LIMIT_STRING_BYTES),
	ROW_STRING(2, struct planned_change, before, LIMIT_STRING_BYTES),
	ROW_STRING(3, struct planned_change, after, LIMIT_STRING_BYTES),
};
RECORD_TYPE(planned_change, struct planned_change, planned_change_fields);

static const struct field planned_port_fields[] = {
	ROW_STRING(1, struct planned_port, host_ip, LIMIT_STRING_BYTES),
	ROW_INT(2, struct planned_port, host_port, 65535),
	ROW_INT(3, struct planned_port, container_port, 65535),
	ROW_ENUM(4, struct planned_port, protocol, port_protocol_names),
};
RECORD_TYPE(planned_port, struct planned_port, planned_port_fields);

static const struct field planned_task_fields[] = {
	ROW_STRING(1, struct planned_task, name, LIMIT_STRING_BYTES),
	ROW_ENUM(2, struct planned_task, act, planned_act_names),
	ROW_UUID(3, struct planned_task, task),
	ROW_STRING(4, struct planned_task, from, LIMIT_STRING_BYTES),
	ROW_STRING(5, struct planned_task, node, LIMIT_STRING_BYTES),
	ROW_BOOL(6, struct planned_task, unplaced),
	ROW_STRING(7, struct planned_task, message, LIMIT_STRING_BYTES),
	ROW_STRUCTS(8, struct planned_task, ports, planned_port, LIMIT_STRING_BYTES),
};
RECORD_TYPE(planned_task, struct planned_task, planned_task_fields);

static const struct field planned_job_fields[] = {
	ROW_STRING(1, struct planned_job, name, LIMIT_STRING_BYTES),
	ROW_ENUM(2, struct planned_job, effect, job_effect_names),
	ROW_INT(3, struct planned_job, revision_before, LIMIT_COUNT),
	ROW_INT(4, struct planned_job, revision, LIMIT_COUNT),
	ROW_BOOL(5, struct planned_job, new_tasks),
	ROW_STRUCTS(6, struct planned_job, changes, planned_change, LIMIT_PLAN_CHANGES),
	ROW_INT(7, struct planned_job, changes_left_out, LIMIT_COUNT),
	ROW_INT(8, struct planned_job, starts, LIMIT_COUNT),
	ROW_INT(9, struct planned_job, replaces, LIMIT_COUNT),
	ROW_INT(10, struct planned_job, moves, LIMIT_COUNT),
	ROW_INT(11, struct planned_job, stops, LIMIT_COUNT),
	ROW_INT(12, struct planned_job, stays, LIMIT_COUNT),
	ROW_INT(13, struct planned_job, unplaced, LIMIT_COUNT),
	ROW_STRUCTS(14, struct planned_job, tasks, planned_task, LIMIT_PLAN_TASKS),
	ROW_INT(15, struct planned_job, tasks_left_out, LIMIT_COUNT),
	ROW_ENUM(16, struct planned_job, standing, job_standing_names),
	ROW_STRING(17, struct planned_job, message, LIMIT_STRING_BYTES),
	ROW_BOOL(18, struct planned_job, goes_on),
	ROW_INT(19, struct planned_job, later, LIMIT_COUNT),
	ROW_INT(20, struct planned_job, at_once, LIMIT_COUNT),
};
RECORD_TYPE(planned_job, struct planned_job, planned_job_fields);

static const struct field planned_resource_fields[] = {
	ROW_STRING(1, struct planned_resource, name, LIMIT_STRING_BYTES),
	ROW_ENUM(2, struct planned_resource, effect, planned_effect_names),
	ROW_STRING(3, struct planned_resource, node, LIMIT_STRING_BYTES),
	ROW_STRUCTS(4, struct planned_resource, changes, planned_change, LIMIT_PLAN_CHANGES),
};
RECORD_TYPE(planned_resource, struct planned_resource, planned_resource_fields);

static const struct field project_plan_fields[] = {
	ROW_STRING(1, struct project_plan, project, LIMIT_NAME_BYTES),
	ROW_BOOL(2, struct project_plan, changes),
	ROW_STRUCTS(3, struct project_plan, jobs, planned_job, LIMIT_JOBS_PER_PROJECT * 2),
	ROW_STRUCTS(4, struct project_plan, networks, planned_resource, LIMIT_NETWORKS_PER_PROJECT * 2),
	ROW_STRUCTS(5, struct project_plan, volumes, planned_resource, LIMIT_PLAN_TASKS),
	ROW_STRINGS(6, struct project_plan, problems, LIMIT_JOBS_PER_PROJECT * 4),
	ROW_INT(7, struct project_plan, lasts_ms, INT64_MAX),
	ROW_STRUCT(8, struct project_plan, basis, plan_basis),
	ROW_INT(9, struct project_plan, n_dependents, LIMIT_JOBS),
	ROW_STRINGS(10, struct project_plan, dependents, MANAGER_ANSWER_NAMES_MAX),
};
RECORD_TYPE(project_plan, struct project_plan, project_plan_fields);
// clang-format on
