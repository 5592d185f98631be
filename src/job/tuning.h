/* How the kernel shares the machine out to a task's container, beyond the limits and reservations that every job may
 * have: what few jobs ask for, so a specification has it behind a pointer. */
#ifndef JOB_TUNING_H
#define JOB_TUNING_H

#include "base/record.h"

enum cgroup_namespace { CGROUP_DEFAULT = 0, CGROUP_HOST = 1, CGROUP_PRIVATE = 2 };
extern const struct enum_name cgroup_namespace_names[]; /* default, host, private */

struct device_weight {
	char *path;
	int64_t weight;
};
extern const struct record_type device_weight_type;

struct device_rate {
	char *path;
	int64_t rate; /* bytes or operations a second */
};
extern const struct record_type device_rate_type;

struct tuning {
	int64_t cpu_shares;
	int64_t cpu_period_us;
	int64_t cpu_quota_us;
	int64_t cpu_realtime_period_us;
	int64_t cpu_realtime_runtime_us;
	char *cpuset;		    /* "0-3,6" */
	int64_t memory_swap_bytes;  /* memory and swap together; -1: no limit */
	bool has_memory_swappiness; /* false: the machine's own */
	int64_t memory_swappiness;
	bool oom_kill_disable;
	int64_t oom_score_adj;
	int64_t blkio_weight;
	LIST_OF(struct device_weight) blkio_weight_device;
	LIST_OF(struct device_rate) blkio_read_bps;
	LIST_OF(struct device_rate) blkio_write_bps;
	LIST_OF(struct device_rate) blkio_read_iops;
	LIST_OF(struct device_rate) blkio_write_iops;
	int cgroup_namespace;
	char *cgroup_parent;
	struct pairs storage_opt;
};
extern const struct record_type tuning_type;

struct job_spec;

/* What is written, or a tuning of nothing. Borrowed. */
const struct tuning *job_spec_tuning(const struct job_spec *spec);

#endif
