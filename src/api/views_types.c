#include "api/views.h"

#include "base/limits.h"

/* Views are never stored, so their tags only have to be distinct: __COUNTER__ would do, the line number is
 * stable within a table. */
// clang-format off
#define ROW(struct_, kind_, member, ...)                                                           \
	{ .name = #member, .tag = (uint16_t)__LINE__, .kind = kind_,                               \
	  .offset = offsetof(struct struct_, member), __VA_ARGS__ }
#define ANY_INT .min = INT64_MIN, .max = INT64_MAX
#define ANY_STRING .max = LIMIT_STRING_BYTES
#define ANY_ITEMS .max = INT64_MAX

static const struct field port_view_fields[] = {
	ROW(port_view, FIELD_STRING, host_ip, ANY_STRING),
	ROW(port_view, FIELD_INT, host_port, ANY_INT),
	ROW(port_view, FIELD_INT, container_port, ANY_INT),
	ROW(port_view, FIELD_ENUM, protocol, .names = port_protocol_names),
};
RECORD_TYPE(port_view, struct port_view, port_view_fields);

static const struct field task_view_fields[] = {
	ROW(task_view, FIELD_UUID, id, .max = 0),
	ROW(task_view, FIELD_STRING, name, ANY_STRING),
	ROW(task_view, FIELD_STRING, project, ANY_STRING),
	ROW(task_view, FIELD_STRING, job, ANY_STRING),
	ROW(task_view, FIELD_UUID, job_id, .max = 0),
	ROW(task_view, FIELD_INT, slot, ANY_INT),
	ROW(task_view, FIELD_INT, revision, ANY_INT),
	ROW(task_view, FIELD_ENUM, state, .names = task_state_names),
	ROW(task_view, FIELD_ENUM, health, .names = task_health_names),
	ROW(task_view, FIELD_BOOL, ready, .max = 1),
	ROW(task_view, FIELD_BOOL, unreachable, .max = 1),
	ROW(task_view, FIELD_UUID, moves_to, .max = 0),
	ROW(task_view, FIELD_STRING, waits, ANY_STRING),
	ROW(task_view, FIELD_ENUM, wanted, .names = task_wanted_names),
	ROW(task_view, FIELD_BOOL, withdrawn, .max = 1),
	ROW(task_view, FIELD_ENUM, reason, .names = reason_names),
	ROW(task_view, FIELD_STRING, message, ANY_STRING),
	ROW(task_view, FIELD_STRING, image, ANY_STRING),
	ROW(task_view, FIELD_UUID, node, .max = 0),
	ROW(task_view, FIELD_STRING, node_name, ANY_STRING),
	ROW(task_view, FIELD_STRING, container, ANY_STRING),
	ROW(task_view, FIELD_STRING, container_id, ANY_STRING),
	ROW(task_view, FIELD_INT, attempt, ANY_INT),
	ROW(task_view, FIELD_INT, exit_code, ANY_INT),
	ROW(task_view, FIELD_BOOL, gone, .max = 1),
	ROW(task_view, FIELD_STRUCTS, ports, .type = &port_view_type, ANY_ITEMS),
	ROW(task_view, FIELD_UUID, replaces, .max = 0),
	ROW(task_view, FIELD_INT, created_wall_ms, ANY_INT),
	ROW(task_view, FIELD_INT, scheduled_wall_ms, ANY_INT),
	ROW(task_view, FIELD_INT, started_wall_ms, ANY_INT),
	ROW(task_view, FIELD_INT, finished_wall_ms, ANY_INT),
};
RECORD_TYPE(task_view, struct task_view, task_view_fields);

static const struct field job_view_fields[] = {
	ROW(job_view, FIELD_UUID, id, .max = 0),
	ROW(job_view, FIELD_STRING, project, ANY_STRING),
	ROW(job_view, FIELD_STRING, name, ANY_STRING),
	ROW(job_view, FIELD_ENUM, mode, .names = job_mode_names),
	ROW(job_view, FIELD_ENUM, wanted, .names = job_wanted_names),
	ROW(job_view, FIELD_ENUM, standing, .names = job_standing_names),
	ROW(job_view, FIELD_INT, revision, ANY_INT),
	ROW(job_view, FIELD_INT, replicas, ANY_INT),
	ROW(job_view, FIELD_INT, running, ANY_INT),
	ROW(job_view, FIELD_INT, ready, ANY_INT),
	ROW(job_view, FIELD_INT, succeeded, ANY_INT),
	ROW(job_view, FIELD_INT, left, ANY_INT),
	ROW(job_view, FIELD_ENUM, reason, .names = reason_names),
	ROW(job_view, FIELD_STRING, message, ANY_STRING),
	ROW(job_view, FIELD_STRING, image, ANY_STRING),
	ROW(job_view, FIELD_BOOL, over_tls, .max = 1),
	ROW(job_view, FIELD_INT, created_wall_ms, ANY_INT),
	ROW(job_view, FIELD_ENUM, update, .names = update_state_names),
	ROW(job_view, FIELD_INT, rolled_back_from, ANY_INT),
	ROW(job_view, FIELD_STRING, rolled_back_because, ANY_STRING),
	ROW(job_view, FIELD_BOOL, has_spec, .max = 1),
	ROW(job_view, FIELD_STRUCT, spec, .type = &job_spec_type),
};
RECORD_TYPE(job_view, struct job_view, job_view_fields);

static const struct field revision_view_fields[] = {
	ROW(revision_view, FIELD_INT, number, ANY_INT),
	ROW(revision_view, FIELD_BOOL, current, .max = 1),
	ROW(revision_view, FIELD_INT, created_wall_ms, ANY_INT),
	ROW(revision_view, FIELD_STRING, image, ANY_STRING),
	ROW(revision_view, FIELD_BOOL, over_tls, .max = 1),
	ROW(revision_view, FIELD_ENUM, outcome, .names = outcome_names),
	ROW(revision_view, FIELD_INT, outcome_wall_ms, ANY_INT),
	ROW(revision_view, FIELD_STRING, message, ANY_STRING),
};
RECORD_TYPE(revision_view, struct revision_view, revision_view_fields);

static const struct field job_history_fields[] = {
	ROW(job_history, FIELD_STRING, project, ANY_STRING),
	ROW(job_history, FIELD_STRING, job, ANY_STRING),
	ROW(job_history, FIELD_ENUM, update, .names = update_state_names),
	ROW(job_history, FIELD_STRUCTS, revisions, .type = &revision_view_type, ANY_ITEMS),
	ROW(job_history, FIELD_STRUCTS, runs, .type = &job_run_type, ANY_ITEMS),
	ROW(job_history, FIELD_INT, next_run_wall_ms, ANY_INT),
};
RECORD_TYPE(job_history, struct job_history, job_history_fields);

static const struct field node_view_fields[] = {
	ROW(node_view, FIELD_UUID, id, .max = 0),
	ROW(node_view, FIELD_STRING, hostname, ANY_STRING),
	ROW(node_view, FIELD_ENUM, role, .names = node_role_names),
	ROW(node_view, FIELD_INT, number, ANY_INT),
	ROW(node_view, FIELD_STRING, address, ANY_STRING),
	ROW(node_view, FIELD_ENUM, state, .names = node_state_names),
	ROW(node_view, FIELD_BOOL, draining, .max = 1),
	ROW(node_view, FIELD_BOOL, runtime_ok, .max = 1),
	ROW(node_view, FIELD_STRING, platform_os, ANY_STRING),
	ROW(node_view, FIELD_STRING, platform_arch, ANY_STRING),
	ROW(node_view, FIELD_STRING, runtime_version, ANY_STRING),
	ROW(node_view, FIELD_INT, api_minor, ANY_INT),
	ROW(node_view, FIELD_STRING, drover_version, ANY_STRING),
	ROW(node_view, FIELD_PAIRS, labels, ANY_ITEMS),
	ROW(node_view, FIELD_PAIRS, engine_labels, ANY_ITEMS),
	ROW(node_view, FIELD_STRUCT, capacity, .type = &resources_type),
	ROW(node_view, FIELD_STRUCT, reserved, .type = &resources_type),
	ROW(node_view, FIELD_STRUCT, used, .type = &node_stats_type),
	ROW(node_view, FIELD_INT, tasks, ANY_INT),
	ROW(node_view, FIELD_INT, joined_wall_ms, ANY_INT),
	ROW(node_view, FIELD_INT, left_wall_ms, ANY_INT),
};
RECORD_TYPE(node_view, struct node_view, node_view_fields);

static const struct field volume_view_fields[] = {
	ROW(volume_view, FIELD_STRING, name, ANY_STRING),
	ROW(volume_view, FIELD_STRING, project, ANY_STRING),
	ROW(volume_view, FIELD_STRING, key, ANY_STRING),
	ROW(volume_view, FIELD_STRING, driver, ANY_STRING),
	ROW(volume_view, FIELD_UUID, node, .max = 0),
	ROW(volume_view, FIELD_STRING, node_name, ANY_STRING),
	ROW(volume_view, FIELD_BOOL, per_node, .max = 1),
	ROW(volume_view, FIELD_BOOL, removing, .max = 1),
	ROW(volume_view, FIELD_STRING, message, ANY_STRING),
	ROW(volume_view, FIELD_INT, created_wall_ms, ANY_INT),
};
RECORD_TYPE(volume_view, struct volume_view, volume_view_fields);

static const struct field project_view_fields[] = {
	ROW(project_view, FIELD_STRING, name, ANY_STRING),
	ROW(project_view, FIELD_INT, jobs, ANY_INT),
	ROW(project_view, FIELD_INT, running, ANY_INT),
	ROW(project_view, FIELD_INT, created_wall_ms, ANY_INT),
	ROW(project_view, FIELD_STRUCTS, networks, .type = &network_spec_type, ANY_ITEMS),
	ROW(project_view, FIELD_STRUCTS, volumes, .type = &volume_spec_type, ANY_ITEMS),
};
RECORD_TYPE(project_view, struct project_view, project_view_fields);

static const struct field cluster_view_fields[] = {
	ROW(cluster_view, FIELD_UUID, id, .max = 0),
	ROW(cluster_view, FIELD_STRING, version, ANY_STRING),
	ROW(cluster_view, FIELD_INT, epoch, ANY_INT),
	ROW(cluster_view, FIELD_STRING, scheduler, ANY_STRING),
	ROW(cluster_view, FIELD_STRING, store, ANY_STRING),
	ROW(cluster_view, FIELD_BOOL, read_only, .max = 1),
	ROW(cluster_view, FIELD_STRING, message, ANY_STRING),
	ROW(cluster_view, FIELD_INT, nodes, ANY_INT),
	ROW(cluster_view, FIELD_INT, jobs, ANY_INT),
	ROW(cluster_view, FIELD_INT, tasks_pending, ANY_INT),
	ROW(cluster_view, FIELD_INT, tasks_scheduled, ANY_INT),
	ROW(cluster_view, FIELD_INT, tasks_running, ANY_INT),
	ROW(cluster_view, FIELD_INT, tasks_completed, ANY_INT),
	ROW(cluster_view, FIELD_INT, tasks_failed, ANY_INT),
	ROW(cluster_view, FIELD_INT, store_used_bytes, ANY_INT),
	ROW(cluster_view, FIELD_INT, store_max_bytes, ANY_INT),
	ROW(cluster_view, FIELD_INT, refused_requests, ANY_INT),
	ROW(cluster_view, FIELD_INT, refused_connections, ANY_INT),
};
RECORD_TYPE(cluster_view, struct cluster_view, cluster_view_fields);

static const struct field event_view_fields[] = {
	ROW(event_view, FIELD_INT, number, ANY_INT),
	ROW(event_view, FIELD_INT, wall_ms, ANY_INT),
	ROW(event_view, FIELD_STRING, kind, ANY_STRING),
	ROW(event_view, FIELD_STRING, subject, ANY_STRING),
	ROW(event_view, FIELD_UUID, id, .max = 0),
	ROW(event_view, FIELD_STRING, state, ANY_STRING),
	ROW(event_view, FIELD_STRING, reason, ANY_STRING),
	ROW(event_view, FIELD_STRING, message, ANY_STRING),
};
RECORD_TYPE(event_view, struct event_view, event_view_fields);

static const struct field task_page_fields[] = {
	ROW(task_page, FIELD_STRUCTS, tasks, .type = &task_view_type, ANY_ITEMS),
	ROW(task_page, FIELD_STRING, next, ANY_STRING),
	ROW(task_page, FIELD_STRING, revision, ANY_STRING),
};
RECORD_TYPE(task_page, struct task_page, task_page_fields);

static const struct field job_page_fields[] = {
	ROW(job_page, FIELD_STRUCTS, jobs, .type = &job_view_type, ANY_ITEMS),
	ROW(job_page, FIELD_STRING, next, ANY_STRING),
	ROW(job_page, FIELD_STRING, revision, ANY_STRING),
};
RECORD_TYPE(job_page, struct job_page, job_page_fields);

static const struct field node_page_fields[] = {
	ROW(node_page, FIELD_STRUCTS, nodes, .type = &node_view_type, ANY_ITEMS),
	ROW(node_page, FIELD_STRING, next, ANY_STRING),
	ROW(node_page, FIELD_STRING, revision, ANY_STRING),
};
RECORD_TYPE(node_page, struct node_page, node_page_fields);

static const struct field volume_page_fields[] = {
	ROW(volume_page, FIELD_STRUCTS, volumes, .type = &volume_view_type, ANY_ITEMS),
	ROW(volume_page, FIELD_STRING, next, ANY_STRING),
	ROW(volume_page, FIELD_STRING, revision, ANY_STRING),
};
RECORD_TYPE(volume_page, struct volume_page, volume_page_fields);

static const struct field token_page_fields[] = {
	ROW(token_page, FIELD_STRUCTS, tokens, .type = &token_record_type, ANY_ITEMS),
	ROW(token_page, FIELD_STRING, next, ANY_STRING),
	ROW(token_page, FIELD_STRING, revision, ANY_STRING),
};
RECORD_TYPE(token_page, struct token_page, token_page_fields);

static const struct field identity_page_fields[] = {
	ROW(identity_page, FIELD_STRUCTS, identities, .type = &identity_record_type, ANY_ITEMS),
	ROW(identity_page, FIELD_STRING, next, ANY_STRING),
	ROW(identity_page, FIELD_STRING, revision, ANY_STRING),
};
RECORD_TYPE(identity_page, struct identity_page, identity_page_fields);

static const struct field project_page_fields[] = {
	ROW(project_page, FIELD_STRUCTS, projects, .type = &project_view_type, ANY_ITEMS),
	ROW(project_page, FIELD_STRING, next, ANY_STRING),
	ROW(project_page, FIELD_STRING, revision, ANY_STRING),
};
RECORD_TYPE(project_page, struct project_page, project_page_fields);

static const struct field scale_request_fields[] = {
	ROW(scale_request, FIELD_INT, replicas, .min = 0, .max = LIMIT_REPLICAS, .flags = FIELD_REQUIRED),
};
RECORD_TYPE(scale_request, struct scale_request, scale_request_fields);

static const struct field rollback_request_fields[] = {
	ROW(rollback_request, FIELD_INT, revision, .min = 0, .max = LIMIT_COUNT),
};
RECORD_TYPE(rollback_request, struct rollback_request, rollback_request_fields);

static const struct field labels_request_fields[] = {
	ROW(labels_request, FIELD_PAIRS, set, .max = LIMIT_LIST_ITEMS),
	ROW(labels_request, FIELD_STRINGS, remove, .max = LIMIT_LIST_ITEMS),
};
RECORD_TYPE(labels_request, struct labels_request, labels_request_fields);

static const struct field submit_request_fields[] = {
	ROW(submit_request, FIELD_STRING, project, ANY_STRING, .flags = FIELD_REQUIRED),
	ROW(submit_request, FIELD_STRUCT, job, .type = &job_request_type, .flags = FIELD_REQUIRED),
};
RECORD_TYPE(submit_request, struct submit_request, submit_request_fields);

static const struct field token_request_fields[] = {
	ROW(token_request, FIELD_ENUM, role, .names = access_token_role_names, .initial = ACCESS_WORKER,
	    .flags = FIELD_REQUIRED),
	ROW(token_request, FIELD_INT, ttl_ms, .min = 1, .max = LIMIT_TOKEN_TTL_MS, .initial = 24LL * 3600 * 1000),
	ROW(token_request, FIELD_INT, uses, .min = 1, .max = LIMIT_TOKEN_USES, .initial = 1),
};
RECORD_TYPE(token_request, struct token_request, token_request_fields);

static const struct field token_answer_fields[] = {
	ROW(token_answer, FIELD_STRING, token, ANY_STRING),
	ROW(token_answer, FIELD_STRING, id, ANY_STRING),
	ROW(token_answer, FIELD_ENUM, role, .names = access_role_names),
	ROW(token_answer, FIELD_INT, expires_wall_ms, ANY_INT),
	ROW(token_answer, FIELD_INT, uses, ANY_INT),
	ROW(token_answer, FIELD_STRING, manager, ANY_STRING),
};
RECORD_TYPE(token_answer, struct token_answer, token_answer_fields);

static const struct field join_request_fields[] = {
	ROW(join_request, FIELD_STRING, token, .max = LIMIT_NAME_BYTES * 4, .flags = FIELD_REQUIRED),
	ROW(join_request, FIELD_STRING, csr, .max = LIMIT_CSR_BYTES, .flags = FIELD_REQUIRED),
	ROW(join_request, FIELD_STRING, name, .max = LIMIT_HOSTNAME_BYTES),
	ROW(join_request, FIELD_ENUM, as, .names = access_joiner_names),
};
RECORD_TYPE(join_request, struct join_request, join_request_fields);

static const struct field renew_request_fields[] = {
	ROW(renew_request, FIELD_STRING, csr, .max = LIMIT_CSR_BYTES, .flags = FIELD_REQUIRED),
};
RECORD_TYPE(renew_request, struct renew_request, renew_request_fields);

static const struct field certificate_answer_fields[] = {
	ROW(certificate_answer, FIELD_STRING, certificate, ANY_STRING),
	ROW(certificate_answer, FIELD_STRING, ca, ANY_STRING),
	ROW(certificate_answer, FIELD_UUID, cluster),
	ROW(certificate_answer, FIELD_UUID, id),
	ROW(certificate_answer, FIELD_ENUM, role, .names = access_role_names),
};
RECORD_TYPE(certificate_answer, struct certificate_answer, certificate_answer_fields);

static const struct field error_view_fields[] = {
	ROW(error_view, FIELD_STRING, code, ANY_STRING),
	ROW(error_view, FIELD_STRING, message, ANY_STRING),
	ROW(error_view, FIELD_STRING, field, ANY_STRING),
};
RECORD_TYPE(error_view, struct error_view, error_view_fields);

static const struct field error_answer_fields[] = {
	ROW(error_answer, FIELD_STRUCT, error, .type = &error_view_type),
};
RECORD_TYPE(error_answer, struct error_answer, error_answer_fields);

// clang-format on
