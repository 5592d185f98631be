/* Invariant: tags are on disk, so a number is never given to another field. */
#include "job/tuning.h"

#include "base/limits.h"
#include "job/spec.h"

// clang-format off
const struct enum_name cgroup_namespace_names[] = {
	{ CGROUP_DEFAULT, "default" }, { CGROUP_HOST, "host" }, { CGROUP_PRIVATE, "private" }, { 0 }
};

static const struct field device_weight_fields[] = {
	ROW_STRING(1, struct device_weight, path, LIMIT_PATH_BYTES, .flags = FIELD_REQUIRED),
	ROW_INT(2, struct device_weight, weight, LIMIT_BLKIO_WEIGHT, .flags = FIELD_REQUIRED),
};
RECORD_TYPE(device_weight, struct device_weight, device_weight_fields);

static const struct field device_rate_fields[] = {
	ROW_STRING(1, struct device_rate, path, LIMIT_PATH_BYTES, .flags = FIELD_REQUIRED),
	ROW_INT(2, struct device_rate, rate, LIMIT_SIZE_BYTES, .flags = FIELD_REQUIRED),
};
RECORD_TYPE(device_rate, struct device_rate, device_rate_fields);

static const struct field tuning_fields[] = {
	ROW_INT(1, struct tuning, cpu_shares, LIMIT_CPU_SHARES),
	ROW_INT(2, struct tuning, cpu_period_us, LIMIT_CPU_PERIOD_US),
	ROW_INT(3, struct tuning, cpu_quota_us, LIMIT_DURATION_MS),
	ROW_INT(4, struct tuning, cpu_realtime_period_us, LIMIT_DURATION_MS),
	ROW_INT(5, struct tuning, cpu_realtime_runtime_us, LIMIT_DURATION_MS),
	ROW_STRING(6, struct tuning, cpuset, LIMIT_MESSAGE_BYTES),
	ROW_INT(7, struct tuning, memory_swap_bytes, LIMIT_SIZE_BYTES, .min = -1),
	ROW_BOOL(8, struct tuning, has_memory_swappiness),
	ROW_INT(9, struct tuning, memory_swappiness, 100),
	ROW_BOOL(10, struct tuning, oom_kill_disable),
	ROW_INT(11, struct tuning, oom_score_adj, 1000, .min = -1000),
	ROW_INT(12, struct tuning, blkio_weight, LIMIT_BLKIO_WEIGHT),
	ROW_STRUCTS(13, struct tuning, blkio_weight_device, device_weight, LIMIT_DEVICES),
	ROW_STRUCTS(14, struct tuning, blkio_read_bps, device_rate, LIMIT_DEVICES),
	ROW_STRUCTS(15, struct tuning, blkio_write_bps, device_rate, LIMIT_DEVICES),
	ROW_STRUCTS(16, struct tuning, blkio_read_iops, device_rate, LIMIT_DEVICES),
	ROW_STRUCTS(17, struct tuning, blkio_write_iops, device_rate, LIMIT_DEVICES),
	ROW_ENUM(18, struct tuning, cgroup_namespace, cgroup_namespace_names),
	ROW_STRING(19, struct tuning, cgroup_parent, LIMIT_PATH_BYTES),
	ROW_PAIRS(20, struct tuning, storage_opt, LIMIT_LIST_ITEMS),
};
RECORD_TYPE(tuning, struct tuning, tuning_fields);
// clang-format on

const struct tuning *job_spec_tuning(const struct job_spec *spec)
{
	static const struct tuning none;
	return spec->tuning ? spec->tuning : &none;
}
