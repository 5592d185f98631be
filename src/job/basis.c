#include "job/basis.h"

#include "base/limits.h"
#include "job/job.h"

// clang-format off
static const struct field basis_job_fields[] = {
	ROW_STRING(1, struct basis_job, name, LIMIT_NAME_BYTES, .flags = FIELD_REQUIRED),
	ROW_UUID(2, struct basis_job, id, .flags = FIELD_REQUIRED),
	ROW_INT(3, struct basis_job, revision, LIMIT_COUNT),
	ROW_INT(4, struct basis_job, roll, LIMIT_COUNT),
	ROW_INT(5, struct basis_job, restarts_asked, LIMIT_COUNT),
	ROW_ENUM(6, struct basis_job, wanted, job_wanted_names),
	ROW_INT(7, struct basis_job, state, LIMIT_COUNT),
};
RECORD_TYPE(basis_job, struct basis_job, basis_job_fields);

const struct enum_name basis_node_state_names[] = {
	{ BASIS_NODE_READY, "ready" },
	{ BASIS_NODE_DEGRADED, "degraded" },
	{ BASIS_NODE_DOWN, "down" },
	{ 0, NULL },
};

static const struct field basis_node_fields[] = {
	ROW_INT(1, struct basis_node, number, LIMIT_COUNT, .flags = FIELD_REQUIRED),
	ROW_BOOL(2, struct basis_node, draining),
	ROW_ENUM(3, struct basis_node, state, basis_node_state_names),
	ROW_INT(4, struct basis_node, labels, LIMIT_COUNT),
	ROW_INT(5, struct basis_node, machine, LIMIT_COUNT),
};
RECORD_TYPE(basis_node, struct basis_node, basis_node_fields);

static const struct field plan_basis_fields[] = {
	ROW_UUID(1, struct plan_basis, cluster, .flags = FIELD_REQUIRED),
	ROW_INT(2, struct plan_basis, declared, LIMIT_COUNT),
	ROW_STRUCTS(3, struct plan_basis, jobs, basis_job, LIMIT_JOBS_PER_PROJECT),
	ROW_STRUCTS(4, struct plan_basis, nodes, basis_node, LIMIT_NODES),
};
RECORD_TYPE(plan_basis, struct plan_basis, plan_basis_fields);
// clang-format on
