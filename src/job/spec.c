/* Invariants: tags are on disk, so a number is never given to another field; record_copy() and the rest see a field
 * only through its row here. */
#include "job/spec.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"

// clang-format off
const struct enum_name job_mode_names[] = {
	{ JOB_REPLICATED, "replicated" }, { JOB_REPLICATED_JOB, "replicated-job" },
	{ JOB_GLOBAL, "global" }, { JOB_GLOBAL_JOB, "global-job" }, { 0 }
};
const struct enum_name restart_condition_names[] = {
	{ RESTART_ON_FAILURE, "on-failure" }, { RESTART_NONE, "none" }, { RESTART_ANY, "any" }, { 0 }
};
const struct enum_name pull_policy_names[] = {
	{ PULL_MISSING, "missing" }, { PULL_ALWAYS, "always" }, { PULL_NEVER, "never" }, { 0 }
};
const struct enum_name port_protocol_names[] = {
	{ PORT_TCP, "tcp" }, { PORT_UDP, "udp" }, { 0 }
};
const struct enum_name mount_kind_names[] = {
	{ MOUNT_VOLUME, "volume" }, { MOUNT_BIND, "bind" }, { MOUNT_TMPFS, "tmpfs" }, { 0 }
};
const struct enum_name depend_condition_names[] = {
	{ DEPEND_STARTED, "service_started" }, { DEPEND_HEALTHY, "service_healthy" },
	{ DEPEND_COMPLETED, "service_completed_successfully" }, { 0 }
};
const struct enum_name reach_names[] = {
	{ REACH_ONE_NODE, "one-node" }, { REACH_PER_NODE, "per-node" }, { 0 }
};
const struct enum_name on_disconnect_names[] = {
	{ ON_DISCONNECT_KEEP, "keep" }, { ON_DISCONNECT_STOP, "stop" }, { 0 }
};
const struct enum_name update_order_names[] = {
	{ UPDATE_STOP_FIRST, "stop-first" }, { UPDATE_START_FIRST, "start-first" }, { 0 }
};
const struct enum_name update_failure_names[] = {
	{ UPDATE_PAUSE, "pause" }, { UPDATE_CONTINUE, "continue" }, { UPDATE_ROLLBACK, "rollback" }, { 0 }
};
const struct enum_name tristate_names[] = {
	{ UNSET, "unset" }, { YES, "yes" }, { NO, "no" }, { 0 }
};

const struct enum_name mount_recursive_names[] = {
	{ RECURSIVE_ENABLED, "enabled" }, { RECURSIVE_DISABLED, "disabled" },
	{ RECURSIVE_WRITABLE, "writable" }, { RECURSIVE_READONLY, "readonly" }, { 0 }
};
const struct enum_name mount_selinux_names[] = {
	{ SELINUX_NONE, "none" }, { SELINUX_SHARED, "z" }, { SELINUX_PRIVATE, "Z" }, { 0 }
};

static const struct field port_fields[] = {
	ROW_STRING(1, struct port, host_ip, LIMIT_NAME_BYTES),
	ROW_INT(2, struct port, host_first, 65535),
	ROW_INT(3, struct port, host_last, 65535),
	ROW_INT(4, struct port, container_port, 65535, .min = 1, .flags = FIELD_REQUIRED),
	ROW_ENUM(5, struct port, protocol, port_protocol_names),
};
RECORD_TYPE(port, struct port, port_fields);

static const struct field mount_fields[] = {
	ROW_ENUM(1, struct mount, kind, mount_kind_names),
	ROW_STRING(2, struct mount, source, LIMIT_PATH_BYTES),
	ROW_STRING(3, struct mount, target, LIMIT_PATH_BYTES, .flags = FIELD_REQUIRED),
	ROW_BOOL(4, struct mount, read_only),
	ROW_BOOL(5, struct mount, nocopy),
	ROW_BOOL(6, struct mount, create_host_path, .initial = 1),
	ROW_STRING(7, struct mount, propagation, LIMIT_NAME_BYTES),
	ROW_INT(8, struct mount, tmpfs_size_bytes, LIMIT_SIZE_BYTES),
	ROW_INT(9, struct mount, tmpfs_mode, 07777),
	ROW_STRING(10, struct mount, tmpfs_options, LIMIT_MESSAGE_BYTES),
	ROW_STRING(11, struct mount, subpath, LIMIT_PATH_BYTES),
	ROW_PAIRS(12, struct mount, labels, LIMIT_LIST_ITEMS),
	ROW_ENUM(13, struct mount, recursive, mount_recursive_names),
	ROW_ENUM(14, struct mount, selinux, mount_selinux_names),
};
RECORD_TYPE(mount, struct mount, mount_fields);

static const struct field endpoint_settings_fields[] = {
	ROW_PAIRS(1, struct endpoint_settings, driver_opts, LIMIT_LIST_ITEMS),
	ROW_INT(2, struct endpoint_settings, gateway_priority, INT32_MAX, .min = INT32_MIN),
	ROW_STRING(3, struct endpoint_settings, interface_name, LIMIT_NAME_BYTES),
	ROW_STRINGS(4, struct endpoint_settings, link_local_ips, LIMIT_DEVICES),
	ROW_STRING(5, struct endpoint_settings, mac_address, LIMIT_NAME_BYTES),
	ROW_STRING(6, struct endpoint_settings, ipv4_address, LIMIT_ADDRESS_BYTES),
	ROW_STRING(7, struct endpoint_settings, ipv6_address, LIMIT_ADDRESS_BYTES),
};
RECORD_TYPE(endpoint_settings, struct endpoint_settings, endpoint_settings_fields);

static const struct field network_use_fields[] = {
	ROW_STRING(1, struct network_use, network, LIMIT_NAME_BYTES, .flags = FIELD_REQUIRED),
	ROW_STRINGS(2, struct network_use, aliases, LIMIT_LIST_ITEMS),
	ROW_OPTIONAL(3, struct network_use, endpoint, endpoint_settings),
};
RECORD_TYPE(network_use, struct network_use, network_use_fields);

static const struct field ulimit_fields[] = {
	ROW_STRING(1, struct ulimit, name, LIMIT_NAME_BYTES, .flags = FIELD_REQUIRED),
	ROW_INT(2, struct ulimit, soft, INT64_MAX, .min = -1),
	ROW_INT(3, struct ulimit, hard, INT64_MAX, .min = -1),
};
RECORD_TYPE(ulimit, struct ulimit, ulimit_fields);

static const struct field health_check_fields[] = {
	ROW_STRINGS(1, struct health_check, test, LIMIT_LIST_ITEMS),
	ROW_BOOL(2, struct health_check, disabled),
	ROW_INT(3, struct health_check, interval_ms, LIMIT_DURATION_MS),
	ROW_INT(4, struct health_check, timeout_ms, LIMIT_DURATION_MS),
	ROW_INT(5, struct health_check, retries, LIMIT_RETRIES),
	ROW_INT(6, struct health_check, start_period_ms, LIMIT_DURATION_MS),
	ROW_INT(7, struct health_check, start_interval_ms, LIMIT_DURATION_MS),
};
RECORD_TYPE(health_check, struct health_check, health_check_fields);

static const struct field resources_fields[] = {
	ROW_INT(1, struct resources, cpu_milli, LIMIT_CPU_MILLI),
	ROW_INT(2, struct resources, memory_bytes, LIMIT_SIZE_BYTES),
	ROW_INT(3, struct resources, disk_bytes, LIMIT_SIZE_BYTES),
	ROW_INT(4, struct resources, pids, LIMIT_PIDS),
};
RECORD_TYPE(resources, struct resources, resources_fields);

static const struct field restart_policy_fields[] = {
	ROW_ENUM(1, struct restart_policy, condition, restart_condition_names),
	ROW_INT(2, struct restart_policy, delay_ms, LIMIT_DURATION_MS),
	ROW_INT(3, struct restart_policy, max_attempts, LIMIT_RETRIES),
	ROW_INT(4, struct restart_policy, window_ms, LIMIT_DURATION_MS),
};
RECORD_TYPE(restart_policy, struct restart_policy, restart_policy_fields);

static const struct field update_policy_fields[] = {
	ROW_INT(1, struct update_policy, parallelism, LIMIT_REPLICAS, .min = UPDATE_ALL),
	ROW_INT(2, struct update_policy, delay_ms, LIMIT_DURATION_MS),
	ROW_INT(3, struct update_policy, monitor_ms, LIMIT_DURATION_MS),
	ROW_ENUM(4, struct update_policy, failure_action, update_failure_names),
	ROW_INT(5, struct update_policy, max_failure_ppm, 1000000),
	ROW_ENUM(6, struct update_policy, order, update_order_names),
};
RECORD_TYPE(update_policy, struct update_policy, update_policy_fields);

static const struct field placement_fields[] = {
	ROW_STRINGS(1, struct placement, constraints, LIMIT_CONSTRAINTS),
	ROW_STRINGS(2, struct placement, preferences, LIMIT_CONSTRAINTS),
	ROW_INT(3, struct placement, max_replicas_per_node, LIMIT_REPLICAS),
};
RECORD_TYPE(placement, struct placement, placement_fields);

static const struct field depend_fields[] = {
	ROW_STRING(1, struct depend, job, LIMIT_NAME_BYTES, .flags = FIELD_REQUIRED),
	ROW_ENUM(2, struct depend, condition, depend_condition_names),
	ROW_BOOL(3, struct depend, optional),
	ROW_BOOL(4, struct depend, restart),
	ROW_STRING(5, struct depend, project, LIMIT_NAME_BYTES),
};
RECORD_TYPE(depend, struct depend, depend_fields);

static const struct field logging_fields[] = {
	ROW_STRING(1, struct logging, driver, LIMIT_NAME_BYTES),
	ROW_PAIRS(2, struct logging, options, LIMIT_LIST_ITEMS),
};
RECORD_TYPE(logging, struct logging, logging_fields);

const char *logging_driver(const struct logging *logging)
{
	return logging->driver ? logging->driver : "json-file";
}

bool log_driver_has_sizes(const char *driver)
{
	return strcmp(driver, "json-file") == 0 || strcmp(driver, "local") == 0;
}

static const struct field job_spec_fields[] = {
	ROW_STRING(1, struct job_spec, image, LIMIT_IMAGE_BYTES, .flags = FIELD_REQUIRED),
	ROW_BOOL(2, struct job_spec, has_command),
	ROW_STRINGS(3, struct job_spec, command, LIMIT_LIST_ITEMS),
	ROW_BOOL(4, struct job_spec, has_entrypoint),
	ROW_STRINGS(5, struct job_spec, entrypoint, LIMIT_LIST_ITEMS),
	ROW_PAIRS(6, struct job_spec, environment, LIMIT_LIST_ITEMS),
	ROW_STRING(7, struct job_spec, working_dir, LIMIT_PATH_BYTES),
	ROW_STRING(8, struct job_spec, user, LIMIT_USER_BYTES),
	ROW_STRING(9, struct job_spec, hostname, LIMIT_HOSTNAME_BYTES),
	ROW_ENUM(10, struct job_spec, init, tristate_names),
	ROW_BOOL(11, struct job_spec, read_only),
	ROW_STRINGS(12, struct job_spec, cap_add, LIMIT_CAPABILITIES),
	ROW_STRINGS(13, struct job_spec, cap_drop, LIMIT_CAPABILITIES),
	ROW_PAIRS(14, struct job_spec, sysctls, LIMIT_LIST_ITEMS),
	ROW_STRUCTS(15, struct job_spec, ulimits, ulimit, LIMIT_ULIMITS),
	ROW_INT(16, struct job_spec, shm_size_bytes, LIMIT_SIZE_BYTES),
	ROW_STRINGS(17, struct job_spec, extra_hosts, LIMIT_LIST_ITEMS),
	ROW_STRINGS(18, struct job_spec, dns, LIMIT_LIST_ITEMS),
	ROW_STRUCT(19, struct job_spec, logging, logging),
	ROW_PAIRS(20, struct job_spec, labels, LIMIT_LIST_ITEMS),
	ROW_ENUM(21, struct job_spec, pull_policy, pull_policy_names),
	ROW_STRUCTS(22, struct job_spec, ports, port, LIMIT_PORTS_PER_JOB),
	ROW_STRUCTS(23, struct job_spec, mounts, mount, LIMIT_MOUNTS_PER_JOB),
	ROW_STRUCTS(24, struct job_spec, networks, network_use, LIMIT_NETWORKS_PER_JOB),
	ROW_STRING(25, struct job_spec, stop_signal, LIMIT_SIGNAL_BYTES),
	ROW_INT(26, struct job_spec, stop_grace_ms, LIMIT_DURATION_MS, .initial = 10000),
	ROW_STRUCT(27, struct job_spec, health_check, health_check),
	ROW_STRUCT(28, struct job_spec, restart, restart_policy),
	ROW_STRUCT(29, struct job_spec, reservations, resources),
	ROW_STRUCT(30, struct job_spec, limits, resources),
	ROW_STRUCT(31, struct job_spec, placement, placement),
	ROW_STRUCTS(32, struct job_spec, depends_on, depend, LIMIT_JOBS_PER_PROJECT),
	ROW_INT(33, struct job_spec, priority, LIMIT_PRIORITY, .initial = 50),
	ROW_STRING(34, struct job_spec, scheduler, LIMIT_NAME_BYTES),
	ROW_INT(35, struct job_spec, placement_deadline_ms, LIMIT_DURATION_MS),
	ROW_ENUM(36, struct job_spec, mode, job_mode_names),
	ROW_INT(37, struct job_spec, replicas, LIMIT_REPLICAS, .initial = 1),
	ROW_PAIRS(38, struct job_spec, job_labels, LIMIT_LIST_ITEMS),
	ROW_STRING(39, struct job_spec, platform, LIMIT_NAME_BYTES),
	ROW_ENUM(40, struct job_spec, network_reach, reach_names),
	ROW_ENUM(41, struct job_spec, volume_reach, reach_names),
	ROW_ENUM(45, struct job_spec, on_disconnect, on_disconnect_names),
	ROW_INT(46, struct job_spec, lease_ms, LIMIT_DURATION_MS),
	ROW_STRUCT(47, struct job_spec, update, update_policy),
	ROW_STRUCT(48, struct job_spec, rollback, update_policy),
	ROW_INT(49, struct job_spec, update_deadline_ms, LIMIT_DURATION_MS),
	ROW_OPTIONAL(60, struct job_spec, tuning, tuning),
	ROW_OPTIONAL(61, struct job_spec, isolation, isolation),
	ROW_OPTIONAL(62, struct job_spec, extras, extras),
	ROW_STRUCTS(63, struct job_spec, configs, content_use, LIMIT_CONTENTS_PER_JOB),
	ROW_STRUCTS(64, struct job_spec, secrets, content_use, LIMIT_CONTENTS_PER_JOB),
	ROW_INT(65, struct job_spec, max_run_time_ms, LIMIT_DURATION_MS),
	ROW_OPTIONAL(66, struct job_spec, array, array),
	ROW_INT(67, struct job_spec, concurrency, LIMIT_REPLICAS),
	ROW_OPTIONAL(68, struct job_spec, schedule, schedule),
	ROW_OPTIONAL(70, struct job_spec, probe, probe),
	ROW_OPTIONAL(72, struct job_spec, hooks, hooks),
};
RECORD_TYPE(job_spec, struct job_spec, job_spec_fields);
// clang-format on

bool job_spec_has_check(const struct job_spec *spec)
{
	return spec->probe || (spec->health_check.test.n && !spec->health_check.disabled);
}

bool job_spec_is_global(const struct job_spec *spec)
{
	return spec->mode == JOB_GLOBAL || spec->mode == JOB_GLOBAL_JOB;
}

bool job_spec_completes(const struct job_spec *spec)
{
	return spec->mode == JOB_REPLICATED_JOB || spec->mode == JOB_GLOBAL_JOB;
}

bool job_spec_networks_per_node(const struct job_spec *spec)
{
	return spec->network_reach == REACH_PER_NODE || job_spec_is_global(spec);
}

bool job_spec_volumes_per_node(const struct job_spec *spec)
{
	return spec->volume_reach == REACH_PER_NODE || job_spec_is_global(spec);
}

int64_t update_policy_monitor_ms(const struct update_policy *policy)
{
	return policy->monitor_ms ? policy->monitor_ms : LIMIT_UPDATE_MONITOR_MS;
}

int64_t job_spec_at_once(const struct job_spec *spec)
{
	bool takes_turns = spec->concurrency && spec->concurrency < spec->replicas;
	return takes_turns ? spec->concurrency : spec->replicas;
}

int64_t job_spec_update_deadline_ms(const struct job_spec *spec)
{
	return spec->update_deadline_ms ? spec->update_deadline_ms : LIMIT_MOVE_STEP_MS;
}

int64_t job_spec_start_period_ms(const struct job_spec *spec)
{
	return spec->probe ? spec->probe->start_period_ms : spec->health_check.start_period_ms;
}

int64_t job_spec_lease_ms(const struct job_spec *spec)
{
	if (spec->on_disconnect != ON_DISCONNECT_STOP)
		return 0;
	return spec->lease_ms ? spec->lease_ms : LIMIT_LEASE_MIN_MS;
}

size_t job_spec_n_contents(const struct job_spec *spec)
{
	return spec->configs.n + spec->secrets.n;
}

const struct content_use *job_spec_content(const struct job_spec *spec, size_t i, int *ret_kind)
{
	bool secret = i >= spec->configs.n;
	PRE(i < job_spec_n_contents(spec));
	if (ret_kind)
		*ret_kind = secret ? CONTENT_SECRET : CONTENT_CONFIG;
	return secret ? &spec->secrets.items[i - spec->configs.n] : &spec->configs.items[i];
}

static bool has_younger_parts(const struct job_spec *spec)
{
	for (size_t i = 0; i < spec->networks.n; i++)
		if (spec->networks.items[i].endpoint)
			return true;
	for (size_t i = 0; i < spec->mounts.n; i++) {
		const struct mount *mount = &spec->mounts.items[i];
		if (mount->subpath || mount->labels.n || mount->recursive || mount->selinux)
			return true;
	}
	return spec->tuning || spec->isolation || spec->extras || spec->probe || spec->hooks ||
	       spec->array || job_spec_n_contents(spec);
}

int64_t job_spec_protocol(const struct job_spec *spec)
{
	bool younger = job_spec_is_global(spec) || spec->platform ||
		       spec->on_disconnect != ON_DISCONNECT_KEEP || spec->max_run_time_ms ||
		       has_younger_parts(spec);
	return younger ? 2 : 1;
}

/* A new field is in neither list, so it replaces tasks until somebody says that it need not. */
static const size_t of_the_job[] = {
	offsetof(struct job_spec, priority),	offsetof(struct job_spec, scheduler),
	offsetof(struct job_spec, replicas),	offsetof(struct job_spec, placement_deadline_ms),
	offsetof(struct job_spec, job_labels),	offsetof(struct job_spec, update),
	offsetof(struct job_spec, rollback),	offsetof(struct job_spec, update_deadline_ms),
	offsetof(struct job_spec, concurrency), offsetof(struct job_spec, schedule),
};
static const size_t of_the_place[] = {
	offsetof(struct job_spec, placement),
	offsetof(struct job_spec, depends_on),
};

static bool is_among(const struct field *field, const size_t *offsets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (field->offset == offsets[i])
			return true;
	return false;
}

static int field_change(const struct field *field)
{
	if (is_among(field, of_the_job, ARRAY_LEN(of_the_job)))
		return SPEC_CHANGE_NONE;
	return is_among(field, of_the_place, ARRAY_LEN(of_the_place)) ? SPEC_CHANGE_PLACES
								      : SPEC_CHANGE_TASKS;
}

int job_spec_change(const struct job_spec *a, const struct job_spec *b)
{
	int most = SPEC_CHANGE_NONE;
	for (size_t i = 0; i < ARRAY_LEN(job_spec_fields); i++) {
		const struct field *field = &job_spec_fields[i];
		int change = field_change(field);
		if (change > most && !field_equal(field, (const char *)a + field->offset,
						  (const char *)b + field->offset))
			most = change;
	}
	return most;
}
