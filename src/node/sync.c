/* Invariant: tags are on disk (the worker stores templates and assignments), so a number is never given to another
 * field. */
#include "node/sync.h"

#include "base/alloc.h"
#include "base/limits.h"

// clang-format off
static const struct field sync_template_fields[] = {
	ROW_UUID(1, struct sync_template, job),
	ROW_INT(2, struct sync_template, revision, LIMIT_COUNT),
	ROW_STRING(3, struct sync_template, project, LIMIT_NAME_BYTES),
	ROW_STRING(4, struct sync_template, name, LIMIT_NAME_BYTES),
	ROW_STRUCT(5, struct sync_template, spec, job_spec),
	ROW_STRUCTS(6, struct sync_template, networks, network_spec, LIMIT_NETWORKS_PER_PROJECT),
	ROW_STRUCTS(7, struct sync_template, volumes, volume_spec, LIMIT_VOLUMES_PER_PROJECT),
	ROW_BOOL(8, struct sync_template, over_tls),
};
RECORD_TYPE(sync_template, struct sync_template, sync_template_fields);

static const struct field sync_content_fields[] = {
	ROW_ENUM(1, struct sync_content, kind, content_kind_names),
	ROW_STRING(2, struct sync_content, hash, CONTENT_HASH_BYTES),
	ROW_STRING(3, struct sync_content, data, LIMIT_CONTENT_DATA_BYTES, .flags = FIELD_SECRET),
	ROW_STRING(4, struct sync_content, seal, LIMIT_NAME_BYTES),
};
RECORD_TYPE(sync_content, struct sync_content, sync_content_fields);

static const struct field sync_assignment_fields[] = {
	ROW_UUID(1, struct sync_assignment, task),
	ROW_UUID(2, struct sync_assignment, job),
	ROW_INT(3, struct sync_assignment, revision, LIMIT_COUNT),
	ROW_INT(4, struct sync_assignment, slot, LIMIT_COUNT),
	ROW_ENUM(5, struct sync_assignment, wanted, task_wanted_names),
	ROW_ENUM(6, struct sync_assignment, stop_reason, reason_names),
	ROW_INT(7, struct sync_assignment, attempts_before, LIMIT_COUNT),
	ROW_STRUCTS(8, struct sync_assignment, ports, port_grant, LIMIT_PORTS_PER_JOB),
};
RECORD_TYPE(sync_assignment, struct sync_assignment, sync_assignment_fields);

static const struct field sync_volume_fields[] = {
	ROW_STRING(1, struct sync_volume, name, LIMIT_RESOURCE_NAME_BYTES),
	ROW_STRING(2, struct sync_volume, message, LIMIT_MESSAGE_BYTES),
};
RECORD_TYPE(sync_volume, struct sync_volume, sync_volume_fields);

static const struct field sync_task_ref_fields[] = {
	ROW_UUID(1, struct sync_task_ref, task),
};
RECORD_TYPE(sync_task_ref, struct sync_task_ref, sync_task_ref_fields);

static const struct field sync_down_fields[] = {
	ROW_UUID(1, struct sync_down, cluster),
	ROW_INT(2, struct sync_down, epoch, LIMIT_COUNT),
	ROW_INT(3, struct sync_down, rev, LIMIT_COUNT),
	ROW_BOOL(4, struct sync_down, full),
	ROW_INT(5, struct sync_down, base_rev, LIMIT_COUNT),
	ROW_STRUCTS(6, struct sync_down, templates, sync_template, LIMIT_TASKS),
	ROW_STRUCTS(7, struct sync_down, tasks, sync_assignment, LIMIT_TASKS),
	ROW_STRUCTS(8, struct sync_down, forgotten, sync_task_ref, LIMIT_TASKS),
	ROW_STRUCTS(9, struct sync_down, volumes_remove, sync_volume, LIMIT_TASKS),
	ROW_INT(10, struct sync_down, report_acked, LIMIT_COUNT),
	ROW_INT(11, struct sync_down, protocol, LIMIT_COUNT),
	ROW_INT(12, struct sync_down, reconnect_ms, LIMIT_DURATION_MS),
	ROW_STRUCTS(13, struct sync_down, contents, sync_content, LIMIT_TASKS),
};
RECORD_TYPE(sync_down, struct sync_down, sync_down_fields);

static const struct field sync_up_fields[] = {
	ROW_UUID(1, struct sync_up, node),
	ROW_UUID(2, struct sync_up, cluster),
	ROW_INT(3, struct sync_up, epoch, LIMIT_COUNT),
	ROW_INT(4, struct sync_up, rev, LIMIT_COUNT),
	ROW_INT(5, struct sync_up, digest, INT64_MAX, .min = INT64_MIN),
	ROW_BOOL(6, struct sync_up, want_full),
	ROW_BOOL(7, struct sync_up, runtime_ok),
	ROW_BOOL(8, struct sync_up, has_facts),
	ROW_STRUCT(9, struct sync_up, facts, node_facts),
	ROW_BOOL(10, struct sync_up, has_stats),
	ROW_STRUCT(11, struct sync_up, stats, node_stats),
	ROW_INT(12, struct sync_up, report, LIMIT_COUNT),
	ROW_STRUCTS(13, struct sync_up, observed, task_observed, LIMIT_TASKS),
	ROW_STRUCTS(14, struct sync_up, volumes_removed, sync_volume, LIMIT_TASKS),
	ROW_UUID(15, struct sync_up, instance),
	ROW_INT(16, struct sync_up, since, LIMIT_COUNT),
};
RECORD_TYPE(sync_up, struct sync_up, sync_up_fields);

static const struct field stream_request_fields[] = {
	ROW_UUID(1, struct stream_request, id),
	ROW_UUID(2, struct stream_request, task),
	ROW_INT(3, struct stream_request, attempt, LIMIT_COUNT),
	ROW_BOOL(4, struct stream_request, follow),
	ROW_INT(5, struct stream_request, tail, LIMIT_COUNT, .min = -1),
	ROW_INT(6, struct stream_request, since_wall_ms, LIMIT_WALL_MS),
	ROW_BOOL(7, struct stream_request, timestamps),
};
RECORD_TYPE(stream_request, struct stream_request, stream_request_fields);
// clang-format on

enum err_code sync_protocol_check(int64_t theirs, struct err *err)
{
	if (!theirs)
		theirs = 1;
	if (theirs >= SYNC_PROTOCOL - 1 && theirs <= SYNC_PROTOCOL + 1)
		return ERR_NONE;
	return err_set(err, ERR_UNSUPPORTED,
		       "this worker speaks protocol %lld, the manager %d to %d: update the %s",
		       (long long)theirs, SYNC_PROTOCOL - 1, SYNC_PROTOCOL + 1,
		       theirs < SYNC_PROTOCOL ? "worker" : "manager");
}

/* Reasons that came after the first protocol. */
static const struct {
	int reason;
	int64_t since;
	int before;
} younger_reasons[] = {
	{ REASON_POLICY, 2, REASON_START_FAILED },	{ REASON_UNFIT, 2, REASON_DRAINED },
	{ REASON_LEASE_LAPSED, 2, REASON_INTERRUPTED }, { REASON_WITHDRAWN, 2, REASON_REMOVED },
	{ REASON_RAN_TOO_LONG, 2, REASON_SIGNALLED },	{ REASON_WAITS_SECRET, 2, REASON_ASSIGNED },
	{ REASON_HOOK_FAILED, 2, REASON_EXIT_NONZERO }, { REASON_REBALANCED, 2, REASON_DRAINED },
};

int sync_reason(int reason, int64_t theirs)
{
	if (!theirs)
		theirs = 1;
	for (size_t i = 0; i < ARRAY_LEN(younger_reasons); i++)
		if (younger_reasons[i].reason == reason && theirs < younger_reasons[i].since)
			return younger_reasons[i].before;
	return reason;
}

/* Absorb one value; the multiplications spread every bit over the whole word (splitmix64's finisher). */
static uint64_t mix(uint64_t state, uint64_t value)
{
	uint64_t z = (state ^ value) + 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

int64_t sync_assignment_digest(const struct sync_assignment *assignment)
{
	uint64_t digest = 0;
	/* Byte by byte: both sides must agree whatever their byte order. */
	for (int i = 0; i < UUID_BYTES; i++)
		digest = mix(digest, assignment->task.uuid.bytes[i]);
	digest = mix(digest, (uint64_t)assignment->wanted);
	digest = mix(digest, (uint64_t)assignment->stop_reason);
	digest = mix(digest, (uint64_t)assignment->attempts_before);
	digest = mix(digest, assignment->ports.n);
	for (size_t i = 0; i < assignment->ports.n; i++) {
		digest = mix(digest, (uint64_t)assignment->ports.items[i].index);
		digest = mix(digest, (uint64_t)assignment->ports.items[i].host_port);
	}
	return (int64_t)digest;
}
