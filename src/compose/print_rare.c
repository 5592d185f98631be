/* What few services have written. Of what is not, only defaults that are a value are printed. */
#include "compose/print.h"

void print_string(struct yaml_out *out, const char *key, const char *value)
{
	if (value)
		yaml_string(out, key, value);
}

void print_written(struct yaml_out *out, const char *key, int64_t number)
{
	if (number)
		yaml_number(out, key, number);
}

static void print_rates(struct yaml_out *out, const char *key, const struct device_rate *rates,
			size_t n)
{
	if (n)
		yaml_open(out, key);
	for (size_t i = 0; i < n; i++) {
		yaml_open_item(out);
		yaml_string(out, "path", rates[i].path);
		yaml_number(out, "rate", rates[i].rate);
		yaml_close_item(out);
	}
	if (n)
		yaml_close(out);
}

static bool has_blkio(const struct tuning *tuning)
{
	return tuning->blkio_weight || tuning->blkio_weight_device.n || tuning->blkio_read_bps.n ||
	       tuning->blkio_write_bps.n || tuning->blkio_read_iops.n || tuning->blkio_write_iops.n;
}

static void print_blkio(struct yaml_out *out, const struct tuning *tuning)
{
	if (!has_blkio(tuning))
		return;
	yaml_open(out, "blkio_config");
	print_written(out, "weight", tuning->blkio_weight);
	if (tuning->blkio_weight_device.n)
		yaml_open(out, "weight_device");
	for (size_t i = 0; i < tuning->blkio_weight_device.n; i++) {
		yaml_open_item(out);
		yaml_string(out, "path", tuning->blkio_weight_device.items[i].path);
		yaml_number(out, "weight", tuning->blkio_weight_device.items[i].weight);
		yaml_close_item(out);
	}
	if (tuning->blkio_weight_device.n)
		yaml_close(out);
	print_rates(out, "device_read_bps", tuning->blkio_read_bps.items, tuning->blkio_read_bps.n);
	print_rates(out, "device_write_bps", tuning->blkio_write_bps.items,
		    tuning->blkio_write_bps.n);
	print_rates(out, "device_read_iops", tuning->blkio_read_iops.items,
		    tuning->blkio_read_iops.n);
	print_rates(out, "device_write_iops", tuning->blkio_write_iops.items,
		    tuning->blkio_write_iops.n);
	yaml_close(out);
}

void print_tuning(struct yaml_out *out, const struct tuning *written)
{
	static const struct tuning usual;
	const struct tuning *tuning = written ? written : &usual;
	print_written(out, "cpu_shares", tuning->cpu_shares);
	print_written(out, "cpu_period", tuning->cpu_period_us);
	print_written(out, "cpu_quota", tuning->cpu_quota_us);
	print_written(out, "cpu_rt_period", tuning->cpu_realtime_period_us);
	print_written(out, "cpu_rt_runtime", tuning->cpu_realtime_runtime_us);
	print_string(out, "cpuset", tuning->cpuset);
	print_written(out, "memswap_limit", tuning->memory_swap_bytes);
	if (tuning->has_memory_swappiness)
		yaml_number(out, "mem_swappiness", tuning->memory_swappiness);
	yaml_bool(out, "oom_kill_disable", tuning->oom_kill_disable);
	yaml_number(out, "oom_score_adj", tuning->oom_score_adj);
	print_blkio(out, tuning);
	if (tuning->cgroup_namespace != CGROUP_DEFAULT)
		yaml_string(out, "cgroup",
			    enum_name(cgroup_namespace_names, tuning->cgroup_namespace));
	print_string(out, "cgroup_parent", tuning->cgroup_parent);
	yaml_pairs(out, "storage_opt", &tuning->storage_opt);
}

static void print_devices(struct yaml_out *out, const struct isolation *isolation)
{
	if (isolation->devices.n)
		yaml_open(out, "devices");
	for (size_t i = 0; i < isolation->devices.n; i++) {
		const struct device *device = &isolation->devices.items[i];
		yaml_open_item(out);
		yaml_string(out, "source", device->source);
		yaml_string(out, "target", device->target ? device->target : device->source);
		yaml_string(out, "permissions", device->permissions ? device->permissions : "rwm");
		yaml_close_item(out);
	}
	if (isolation->devices.n)
		yaml_close(out);
}

static void print_host(struct yaml_out *out, const char *key, bool host)
{
	if (host)
		yaml_string(out, key, "host");
}

void print_isolation(struct yaml_out *out, const struct isolation *isolation)
{
	yaml_bool(out, "privileged", isolation->privileged);
	print_host(out, "userns_mode", isolation->host_users);
	print_host(out, "pid", isolation->host_processes);
	print_host(out, "uts", isolation->host_names);
	if (isolation->ipc_mode != IPC_DEFAULT)
		yaml_string(out, "ipc", enum_name(ipc_mode_names, isolation->ipc_mode));
	yaml_strings(out, "security_opt", &isolation->security_opt);
	yaml_strings(out, "group_add", &isolation->group_add);
	print_string(out, "runtime", isolation->runtime);
	print_devices(out, isolation);
	yaml_strings(out, "device_cgroup_rules", &isolation->device_cgroup_rules);
}

void print_device_requests(struct yaml_out *out, const struct isolation *isolation)
{
	if (isolation->device_requests.n)
		yaml_open(out, "devices");
	for (size_t i = 0; i < isolation->device_requests.n; i++) {
		const struct device_request *request = &isolation->device_requests.items[i];
		yaml_open_item(out);
		print_string(out, "driver", request->driver);
		if (request->count < 0)
			yaml_string(out, "count", "all");
		else
			print_written(out, "count", request->count);
		yaml_strings(out, "device_ids", &request->device_ids);
		if (request->capabilities.n)
			yaml_strings(out, "capabilities", &request->capabilities);
		else
			yaml_word(out, "capabilities", "[]");
		yaml_pairs(out, "options", &request->options);
		yaml_close_item(out);
	}
	if (isolation->device_requests.n)
		yaml_close(out);
}

void print_extras(struct yaml_out *out, const struct extras *written)
{
	static const struct extras usual;
	const struct extras *extras = written ? written : &usual;
	yaml_bool(out, "tty", extras->terminal);
	yaml_bool(out, "stdin_open", extras->stdin_open);
	print_string(out, "domainname", extras->domainname);
	yaml_strings(out, "dns_opt", &extras->dns_options);
	yaml_strings(out, "dns_search", &extras->dns_search);
	yaml_pairs(out, "annotations", &extras->annotations);
	yaml_strings(out, "expose", &extras->expose);
}

static void print_hook_list(struct yaml_out *out, const char *key, const struct hook *hooks,
			    size_t n)
{
	if (n)
		yaml_open(out, key);
	for (size_t i = 0; i < n; i++) {
		yaml_open_item(out);
		yaml_strings(out, "command", &hooks[i].command);
		print_string(out, "user", hooks[i].user);
		yaml_bool(out, "privileged", hooks[i].privileged);
		print_string(out, "working_dir", hooks[i].working_dir);
		yaml_pairs(out, "environment", &hooks[i].environment);
		yaml_close_item(out);
	}
	if (n)
		yaml_close(out);
}

void print_hooks(struct yaml_out *out, const struct hooks *hooks)
{
	if (!hooks)
		return;
	print_hook_list(out, "post_start", hooks->post_start.items, hooks->post_start.n);
	print_hook_list(out, "pre_stop", hooks->pre_stop.items, hooks->pre_stop.n);
}

static void print_question(struct yaml_out *out, const struct probe *probe)
{
	bool http = probe->kind != PROBE_TCP;
	char status[24];
	yaml_open(out, http ? "http" : "tcp");
	yaml_number(out, "port", probe->port);
	if (http) {
		yaml_string(out, "path", probe->path ? probe->path : "/");
		yaml_string(out, "scheme", enum_name(probe_kind_names, probe->kind));
		int64_t first = probe->status_first ? probe->status_first : PROBE_STATUS_FIRST;
		int64_t last = probe->status_last ? probe->status_last : PROBE_STATUS_LAST;
		yaml_string(out, "status",
			    text_print(status, sizeof(status), "%lld-%lld", (long long)first,
				       (long long)last));
		yaml_pairs(out, "headers", &probe->headers);
	}
	yaml_close(out);
}

void print_probe(struct yaml_out *out, const struct probe *probe)
{
	if (!probe)
		return;
	yaml_open(out, "health");
	print_question(out, probe);
	yaml_duration(out, "interval", probe_interval_ms(probe));
	yaml_duration(out, "timeout", probe_timeout_ms(probe));
	yaml_number(out, "retries", probe_retries(probe));
	yaml_duration(out, "start_period", probe->start_period_ms);
	yaml_duration(out, "start_interval", probe_start_interval_ms(probe));
	yaml_close(out);
}

void print_endpoint(struct yaml_out *out, const struct endpoint_settings *written)
{
	static const struct endpoint_settings usual;
	const struct endpoint_settings *endpoint = written ? written : &usual;
	yaml_pairs(out, "driver_opts", &endpoint->driver_opts);
	yaml_number(out, "gw_priority", endpoint->gateway_priority);
	print_string(out, "interface_name", endpoint->interface_name);
	print_string(out, "mac_address", endpoint->mac_address);
	print_string(out, "ipv4_address", endpoint->ipv4_address);
	print_string(out, "ipv6_address", endpoint->ipv6_address);
	yaml_strings(out, "link_local_ips", &endpoint->link_local_ips);
}

void print_ipam(struct yaml_out *out, const struct ipam *written)
{
	static const struct ipam usual;
	const struct ipam *ipam = written ? written : &usual;
	yaml_open(out, "ipam");
	yaml_string(out, "driver", ipam->driver ? ipam->driver : "default");
	if (ipam->pools.n)
		yaml_open(out, "config");
	for (size_t i = 0; i < ipam->pools.n; i++) {
		const struct ipam_pool *pool = &ipam->pools.items[i];
		yaml_open_item(out);
		yaml_string(out, "subnet", pool->subnet);
		print_string(out, "ip_range", pool->ip_range);
		print_string(out, "gateway", pool->gateway);
		yaml_pairs(out, "aux_addresses", &pool->aux_addresses);
		yaml_close_item(out);
	}
	if (ipam->pools.n)
		yaml_close(out);
	yaml_pairs(out, "options", &ipam->options);
	yaml_close(out);
}
