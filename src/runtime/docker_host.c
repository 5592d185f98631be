#include "runtime/docker_host.h"

#include <string.h>

static void put_number(json_t *object, const char *key, int64_t number)
{
	if (number)
		json_put_int(object, key, number);
}

void put_list(struct json_build *build, json_t *object, const char *key,
	      const struct strings *strings)
{
	if (strings->n > 0)
		json_put_strings(build, object, key, strings);
}

static void put_rates(struct json_build *build, json_t *host, const char *key,
		      const struct device_rate *rates, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		json_t *item = json_add_object(json_put_list(host, key));
		json_put_text(build, item, "Path", rates[i].path);
		json_put_int(item, "Rate", rates[i].rate);
	}
}

static void put_blkio(struct json_build *build, json_t *host, const struct tuning *tuning)
{
	put_number(host, "BlkioWeight", tuning->blkio_weight);
	for (size_t i = 0; i < tuning->blkio_weight_device.n; i++) {
		json_t *item = json_add_object(json_put_list(host, "BlkioWeightDevice"));
		json_put_text(build, item, "Path", tuning->blkio_weight_device.items[i].path);
		json_put_int(item, "Weight", tuning->blkio_weight_device.items[i].weight);
	}
	put_rates(build, host, "BlkioDeviceReadBps", tuning->blkio_read_bps.items,
		  tuning->blkio_read_bps.n);
	put_rates(build, host, "BlkioDeviceWriteBps", tuning->blkio_write_bps.items,
		  tuning->blkio_write_bps.n);
	put_rates(build, host, "BlkioDeviceReadIOps", tuning->blkio_read_iops.items,
		  tuning->blkio_read_iops.n);
	put_rates(build, host, "BlkioDeviceWriteIOps", tuning->blkio_write_iops.items,
		  tuning->blkio_write_iops.n);
}

void put_tuning(struct json_build *build, json_t *host, const struct tuning *tuning)
{
	if (!tuning)
		return;
	put_number(host, "CpuShares", tuning->cpu_shares);
	put_number(host, "CpuPeriod", tuning->cpu_period_us);
	put_number(host, "CpuQuota", tuning->cpu_quota_us);
	put_number(host, "CpuRealtimePeriod", tuning->cpu_realtime_period_us);
	put_number(host, "CpuRealtimeRuntime", tuning->cpu_realtime_runtime_us);
	json_put_text(build, host, "CpusetCpus", tuning->cpuset);
	put_number(host, "MemorySwap", tuning->memory_swap_bytes);
	if (tuning->has_memory_swappiness)
		json_put_int(host, "MemorySwappiness", tuning->memory_swappiness);
	if (tuning->oom_kill_disable)
		json_put_bool(host, "OomKillDisable", true);
	put_number(host, "OomScoreAdj", tuning->oom_score_adj);
	put_blkio(build, host, tuning);
	if (tuning->cgroup_namespace != CGROUP_DEFAULT)
		json_put_text(build, host, "CgroupnsMode",
			      enum_name(cgroup_namespace_names, tuning->cgroup_namespace));
	json_put_text(build, host, "CgroupParent", tuning->cgroup_parent);
	if (tuning->storage_opt.n)
		json_put_pairs(build, host, "StorageOpt", &tuning->storage_opt);
}

/* What hides and protects the system's paths is not an option of Docker's API but two lists, here of nothing. */
static void put_security(struct json_build *build, json_t *host, const struct strings *options)
{
	for (size_t i = 0; i < options->n; i++) {
		if (strcmp(options->items[i], "systempaths=unconfined") == 0) {
			json_put_list(host, "MaskedPaths");
			json_put_list(host, "ReadonlyPaths");
			continue;
		}
		json_add_text(build, json_put_list(host, "SecurityOpt"), "SecurityOpt",
			      options->items[i]);
	}
}

static void put_device(struct json_build *build, json_t *host, const struct device *device)
{
	json_t *item = json_add_object(json_put_list(host, "Devices"));
	json_put_text(build, item, "PathOnHost", device->source);
	json_put_text(build, item, "PathInContainer",
		      device->target ? device->target : device->source);
	json_put_text(build, item, "CgroupPermissions",
		      device->permissions ? device->permissions : "rwm");
}

static void put_device_request(struct json_build *build, json_t *host,
			       const struct device_request *request)
{
	json_t *item = json_add_object(json_put_list(host, "DeviceRequests"));
	json_put_text(build, item, "Driver", request->driver);
	put_number(item, "Count", request->count);
	put_list(build, item, "DeviceIDs", &request->device_ids);
	/* A list of alternatives, each a list of what it takes together. */
	if (request->capabilities.n) {
		json_t *all = json_array();
		json_array_append_new(json_put_list(item, "Capabilities"), all);
		for (size_t i = 0; i < request->capabilities.n; i++)
			json_add_text(build, all, "Capabilities", request->capabilities.items[i]);
	}
	if (request->options.n)
		json_put_pairs(build, item, "Options", &request->options);
}

void put_isolation(struct json_build *build, json_t *host, const struct isolation *isolation)
{
	if (!isolation)
		return;
	if (isolation->privileged)
		json_put_bool(host, "Privileged", true);
	json_put_text(build, host, "UsernsMode", isolation->host_users ? "host" : NULL);
	json_put_text(build, host, "PidMode", isolation->host_processes ? "host" : NULL);
	json_put_text(build, host, "UTSMode", isolation->host_names ? "host" : NULL);
	if (isolation->ipc_mode != IPC_DEFAULT)
		json_put_text(build, host, "IpcMode",
			      enum_name(ipc_mode_names, isolation->ipc_mode));
	if (isolation->network_mode != NETWORK_MODE_PROJECT)
		json_put_text(build, host, "NetworkMode",
			      enum_name(network_mode_names, isolation->network_mode));
	put_security(build, host, &isolation->security_opt);
	put_list(build, host, "GroupAdd", &isolation->group_add);
	json_put_text(build, host, "Runtime", isolation->runtime);
	for (size_t i = 0; i < isolation->devices.n; i++)
		put_device(build, host, &isolation->devices.items[i]);
	put_list(build, host, "DeviceCgroupRules", &isolation->device_cgroup_rules);
	for (size_t i = 0; i < isolation->device_requests.n; i++)
		put_device_request(build, host, &isolation->device_requests.items[i]);
}

void put_extras(struct json_build *build, json_t *host, const struct extras *extras)
{
	if (!extras)
		return;
	if (extras->terminal)
		json_put_bool(build->root, "Tty", true);
	if (extras->stdin_open)
		json_put_bool(build->root, "OpenStdin", true);
	json_put_text(build, build->root, "Domainname", extras->domainname);
	for (size_t i = 0; i < extras->expose.n; i++)
		json_put_object(json_put_object(build->root, "ExposedPorts"),
				extras->expose.items[i]);
	put_list(build, host, "DnsOptions", &extras->dns_options);
	put_list(build, host, "DnsSearch", &extras->dns_search);
	if (extras->annotations.n)
		json_put_pairs(build, host, "Annotations", &extras->annotations);
}
