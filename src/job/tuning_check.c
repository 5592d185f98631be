#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "job/refuse.h"
#include "job/spec_check.h"
#include "job/syntax.h"

/* Long values are cut in messages. */
#define SHOWN_BYTES 100
/* What Docker demands. */
#define CPU_SHARES_MIN	 2
#define CPU_TIME_US_MIN	 1000
#define BLKIO_WEIGHT_MIN 10

static enum err_code check_cpu(const struct job_spec *spec, struct err *err)
{
	const struct tuning *tuning = spec->tuning;
	if (tuning->cpu_shares && tuning->cpu_shares < CPU_SHARES_MIN)
		return refuse(err, ERR_INVALID, AT("tuning.cpu_shares"),
			      "%lld is less than 2, the least Linux takes",
			      (long long)tuning->cpu_shares);
	if (tuning->cpu_period_us && tuning->cpu_period_us < CPU_TIME_US_MIN)
		return refuse(err, ERR_INVALID, AT("tuning.cpu_period_us"),
			      "%lld us are less than a millisecond",
			      (long long)tuning->cpu_period_us);
	if (tuning->cpu_quota_us && tuning->cpu_quota_us < CPU_TIME_US_MIN)
		return refuse(err, ERR_INVALID, AT("tuning.cpu_quota_us"),
			      "%lld us are less than a millisecond",
			      (long long)tuning->cpu_quota_us);
	if (spec->limits.cpu_milli && (tuning->cpu_period_us || tuning->cpu_quota_us))
		return refuse(err, ERR_INVALID,
			      tuning->cpu_quota_us ? AT("tuning.cpu_quota_us")
						   : AT("tuning.cpu_period_us"),
			      "a limit of CPUs is a period and a quota already; write one of them");
	if (tuning->cpu_realtime_runtime_us > tuning->cpu_realtime_period_us &&
	    tuning->cpu_realtime_period_us)
		return refuse(err, ERR_INVALID, AT("tuning.cpu_realtime_runtime_us"),
			      "%lld us are more than their period of %lld us",
			      (long long)tuning->cpu_realtime_runtime_us,
			      (long long)tuning->cpu_realtime_period_us);
	if (tuning->cpuset && !is_number_set(tuning->cpuset))
		return refuse(err, ERR_INVALID, AT("tuning.cpuset"),
			      "\"%.*s\" is not a list of CPUs like \"0-3,6\"", SHOWN_BYTES,
			      tuning->cpuset);
	return ERR_NONE;
}

static enum err_code check_memory(const struct job_spec *spec, struct err *err)
{
	const struct tuning *tuning = spec->tuning;
	int64_t memory_bytes = spec->limits.memory_bytes;
	if (tuning->memory_swap_bytes > 0 && !memory_bytes)
		return refuse(err, ERR_INVALID, AT("tuning.memory_swap_bytes"),
			      "it counts memory and swap together, so it needs a limit of memory");
	if (tuning->memory_swap_bytes > 0 && tuning->memory_swap_bytes < memory_bytes)
		return refuse(err, ERR_INVALID, AT("tuning.memory_swap_bytes"),
			      "%lld bytes of memory and swap are less than the limit of memory, "
			      "%lld bytes",
			      (long long)tuning->memory_swap_bytes, (long long)memory_bytes);
	if (tuning->memory_swappiness && !tuning->has_memory_swappiness)
		return refuse(err, ERR_INVALID, AT("tuning.has_memory_swappiness"),
			      "must be true when memory_swappiness is written");
	return ERR_NONE;
}

static enum err_code check_device(const char *list, size_t i, const char *path, struct err *err)
{
	if (path && is_device_path(path))
		return ERR_NONE;
	return refuse(err, ERR_INVALID, AT_MEMBER(list, i, "path"),
		      "\"%.*s\" is not a device like /dev/sda", SHOWN_BYTES, path ? path : "");
}

static enum err_code check_weights(const struct tuning *tuning, struct err *err)
{
	static const char list[] = "tuning.blkio_weight_device";
	if (tuning->blkio_weight && tuning->blkio_weight < BLKIO_WEIGHT_MIN)
		return refuse(err, ERR_INVALID, AT("tuning.blkio_weight"),
			      "%lld is less than 10, the least weight",
			      (long long)tuning->blkio_weight);
	for (size_t i = 0; i < tuning->blkio_weight_device.n; i++) {
		const struct device_weight *device = &tuning->blkio_weight_device.items[i];
		enum err_code code = check_device(list, i, device->path, err);
		if (code)
			return code;
		if (device->weight < BLKIO_WEIGHT_MIN)
			return refuse(err, ERR_INVALID, AT_MEMBER(list, i, "weight"),
				      "%lld is less than 10, the least weight",
				      (long long)device->weight);
	}
	return ERR_NONE;
}

static enum err_code check_rates(const char *list, const struct device_rate *rates, size_t n,
				 struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		enum err_code code = check_device(list, i, rates[i].path, err);
		if (code)
			return code;
		if (!rates[i].rate)
			return refuse(err, ERR_INVALID, AT_MEMBER(list, i, "rate"),
				      "a rate of 0 would stand still");
	}
	return ERR_NONE;
}

#define CHECK_RATES(member)                                                                        \
	check_rates("tuning." #member, tuning->member.items, tuning->member.n, err)

static enum err_code check_blkio(const struct tuning *tuning, struct err *err)
{
	enum err_code code = check_weights(tuning, err);
	if (!code)
		code = CHECK_RATES(blkio_read_bps);
	if (!code)
		code = CHECK_RATES(blkio_write_bps);
	if (!code)
		code = CHECK_RATES(blkio_read_iops);
	return code ? code : CHECK_RATES(blkio_write_iops);
}

static enum err_code check_storage(const struct tuning *tuning, struct err *err)
{
	for (size_t i = 0; i < tuning->storage_opt.n; i++) {
		const struct pair *pair = &tuning->storage_opt.items[i];
		if (!pair->key[0] || !pair->value || !pair->value[0])
			return refuse(err, ERR_INVALID, AT("tuning.storage_opt"),
				      "\"%.*s\" needs a name and a value", SHOWN_BYTES, pair->key);
	}
	return ERR_NONE;
}

enum err_code spec_check_tuning(const struct job_spec *spec, struct err *err)
{
	const struct tuning *tuning = spec->tuning;
	if (!tuning)
		return ERR_NONE;
	enum err_code code = check_cpu(spec, err);
	if (!code)
		code = check_memory(spec, err);
	if (!code)
		code = check_blkio(tuning, err);
	if (!code && tuning->cgroup_parent &&
	    (!tuning->cgroup_parent[0] || path_climbs(tuning->cgroup_parent)))
		code = refuse(err, ERR_INVALID, AT("tuning.cgroup_parent"),
			      "\"%.*s\" names no cgroup", SHOWN_BYTES, tuning->cgroup_parent);
	return code ? code : check_storage(tuning, err);
}
