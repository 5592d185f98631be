/* Invariant: tags are on disk, so a number is never given to another field. */
#include "job/job.h"

#include "base/limits.h"

// clang-format off
const struct enum_name job_wanted_names[] = {
	{ JOB_RUN, "run" }, { JOB_STOP, "stop" }, { JOB_REMOVE, "remove" }, { 0 }
};

static const struct field job_revision_fields[] = {
	ROW_UUID(1, struct job_revision, job),
	ROW_INT(2, struct job_revision, number, LIMIT_COUNT),
	ROW_INT(3, struct job_revision, created_wall_ms, LIMIT_WALL_MS, .flags = FIELD_OUTPUT),
	ROW_INT(4, struct job_revision, spec_hash, INT64_MAX, .min = INT64_MIN,
		.flags = FIELD_HIDDEN),
	ROW_STRUCT(5, struct job_revision, spec, job_spec),
	ROW_BOOL(6, struct job_revision, over_tls, .flags = FIELD_OUTPUT),
	ROW_BOOL(7, struct job_revision, scaled, .flags = FIELD_OUTPUT),
	ROW_INT(8, struct job_revision, deployment, LIMIT_COUNT, .flags = FIELD_OUTPUT),
};
RECORD_TYPE(job_revision, struct job_revision, job_revision_fields);

const struct enum_name outcome_names[] = { { OUTCOME_ROLLING, "rolling" },
					   { OUTCOME_DONE, "done" },
					   { OUTCOME_SUPERSEDED, "superseded" },
					   { OUTCOME_ROLLED_BACK, "rolled_back" },
{ OUTCOME_PAUSED, "paused" },
					   { 0 } };

static const struct field revision_outcome_fields[] = {
	ROW_INT(1, struct revision_outcome, revision, LIMIT_COUNT),
	ROW_ENUM(2, struct revision_outcome, outcome, outcome_names),
	ROW_INT(3, struct revision_outcome, wall_ms, LIMIT_WALL_MS),
	ROW_STRING(4, struct revision_outcome, message, LIMIT_MESSAGE_BYTES),
};
RECORD_TYPE(revision_outcome, struct revision_outcome, revision_outcome_fields);

static const struct field job_fields[] = {
	ROW_UUID(1, struct job, id),
	ROW_STRING(2, struct job, project, LIMIT_NAME_BYTES),
	ROW_STRING(3, struct job, name, LIMIT_NAME_BYTES),
	ROW_ENUM(4, struct job, wanted, job_wanted_names),
	ROW_INT(5, struct job, revision, LIMIT_COUNT),
	ROW_INT(6, struct job, restarts_asked, LIMIT_COUNT),
	ROW_INT(7, struct job, created_wall_ms, LIMIT_WALL_MS, .flags = FIELD_OUTPUT),
	ROW_INT(8, struct job, rolled_back_from, LIMIT_COUNT),
	ROW_STRUCTS(9, struct job, outcomes, revision_outcome, LIMIT_OUTCOMES_PER_JOB),
	ROW_INT(10, struct job, roll, LIMIT_COUNT),
	ROW_STRUCT(11, struct job, settled, settled),
	ROW_STRUCT(12, struct job, scheduled, job_runs),
	ROW_BOOL(13, struct job, restart_due),
	ROW_BOOL(14, struct job, back_to_unproven),
};
RECORD_TYPE(job, struct job, job_fields);

static const struct field ipam_pool_fields[] = {
	ROW_STRING(1, struct ipam_pool, subnet, LIMIT_ADDRESS_BYTES, .flags = FIELD_REQUIRED),
	ROW_STRING(2, struct ipam_pool, ip_range, LIMIT_ADDRESS_BYTES),
	ROW_STRING(3, struct ipam_pool, gateway, LIMIT_ADDRESS_BYTES),
	ROW_PAIRS(4, struct ipam_pool, aux_addresses, LIMIT_LIST_ITEMS),
};
RECORD_TYPE(ipam_pool, struct ipam_pool, ipam_pool_fields);

static const struct field ipam_fields[] = {
	ROW_STRING(1, struct ipam, driver, LIMIT_NAME_BYTES),
	ROW_STRUCTS(2, struct ipam, pools, ipam_pool, LIMIT_DEVICES),
	ROW_PAIRS(3, struct ipam, options, LIMIT_LIST_ITEMS),
};
RECORD_TYPE(ipam, struct ipam, ipam_fields);

static const struct field network_spec_fields[] = {
	ROW_STRING(1, struct network_spec, key, LIMIT_NAME_BYTES, .flags = FIELD_REQUIRED),
	ROW_STRING(2, struct network_spec, name, LIMIT_RESOURCE_NAME_BYTES),
	ROW_STRING(3, struct network_spec, driver, LIMIT_NAME_BYTES),
	ROW_PAIRS(4, struct network_spec, driver_opts, LIMIT_LIST_ITEMS),
	ROW_PAIRS(5, struct network_spec, labels, LIMIT_LIST_ITEMS),
	ROW_BOOL(6, struct network_spec, internal),
	ROW_BOOL(7, struct network_spec, attachable),
	ROW_BOOL(8, struct network_spec, external),
	ROW_ENUM(9, struct network_spec, enable_ipv6, tristate_names),
	ROW_OPTIONAL(10, struct network_spec, ipam, ipam),
};
RECORD_TYPE(network_spec, struct network_spec, network_spec_fields);

static const struct field volume_spec_fields[] = {
	ROW_STRING(1, struct volume_spec, key, LIMIT_NAME_BYTES, .flags = FIELD_REQUIRED),
	ROW_STRING(2, struct volume_spec, name, LIMIT_RESOURCE_NAME_BYTES),
	ROW_STRING(3, struct volume_spec, driver, LIMIT_NAME_BYTES),
	ROW_PAIRS(4, struct volume_spec, driver_opts, LIMIT_LIST_ITEMS),
	ROW_PAIRS(5, struct volume_spec, labels, LIMIT_LIST_ITEMS),
	ROW_BOOL(6, struct volume_spec, external),
};
RECORD_TYPE(volume_spec, struct volume_spec, volume_spec_fields);

static const struct field project_fields[] = {
	ROW_STRING(1, struct project, name, LIMIT_NAME_BYTES),
	ROW_STRUCTS(2, struct project, networks, network_spec, LIMIT_NETWORKS_PER_PROJECT),
	ROW_STRUCTS(3, struct project, volumes, volume_spec, LIMIT_VOLUMES_PER_PROJECT),
	ROW_INT(4, struct project, created_wall_ms, LIMIT_WALL_MS, .flags = FIELD_OUTPUT),
	ROW_STRINGS(5, struct project, networks_over_tls, LIMIT_NETWORKS_PER_PROJECT, .flags = FIELD_OUTPUT),
	ROW_STRINGS(6, struct project, volumes_over_tls, LIMIT_VOLUMES_PER_PROJECT, .flags = FIELD_OUTPUT),
};
RECORD_TYPE(project, struct project, project_fields);

static const struct field job_request_fields[] = {
	ROW_STRING(1, struct job_request, name, LIMIT_NAME_BYTES, .flags = FIELD_REQUIRED),
	ROW_STRUCT(2, struct job_request, spec, job_spec, .flags = FIELD_REQUIRED),
};
RECORD_TYPE(job_request, struct job_request, job_request_fields);

static const struct field project_request_fields[] = {
	ROW_STRING(1, struct project_request, name, LIMIT_NAME_BYTES),
	ROW_STRUCTS(2, struct project_request, jobs, job_request, LIMIT_JOBS_PER_PROJECT),
	ROW_STRUCTS(3, struct project_request, networks, network_spec, LIMIT_NETWORKS_PER_PROJECT),
	ROW_STRUCTS(4, struct project_request, volumes, volume_spec, LIMIT_VOLUMES_PER_PROJECT),
	ROW_BOOL(5, struct project_request, remove_orphans),
	ROW_STRINGS(6, struct project_request, inactive, LIMIT_JOBS_PER_PROJECT),
	ROW_OPTIONAL(7, struct project_request, basis, plan_basis),
	ROW_STRUCTS(8, struct project_request, configs, content_request, LIMIT_CONTENTS_PER_PROJECT),
	ROW_STRUCTS(9, struct project_request, secrets, content_request, LIMIT_CONTENTS_PER_PROJECT),
};
RECORD_TYPE(project_request, struct project_request, project_request_fields);
// clang-format on

static bool is_settled_now(const struct job *job)
{
	return job->settled.roll == job->roll && job->settled.restarts_asked == job->restarts_asked;
}

const struct settled *job_settled(const struct job *job)
{
	static const struct settled nothing;
	return is_settled_now(job) ? &job->settled : &nothing;
}

struct settled *job_settle(struct job *job)
{
	if (!is_settled_now(job))
		record_release(&settled_type, &job->settled);
	job->settled.roll = job->roll;
	job->settled.restarts_asked = job->restarts_asked;
	return &job->settled;
}
