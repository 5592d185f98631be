#include "compose/keys.h"

#include "base/alloc.h"
#include "compose/service.h"

#define HONOURED(name, read, offset, record, text)                                                 \
	{                                                                                          \
		name, KEY_HONOURED, read, offset, record, text                                     \
	}
/* The same of a key that not every Docker knows. */
#define NEWER(feature, name, read, offset, record, text)                                           \
	{                                                                                          \
		name, KEY_HONOURED, read, offset, record, text, ENGINE_##feature                   \
	}
#define REFUSED(name, text)                                                                        \
	{                                                                                          \
		name, KEY_REFUSED, NULL, 0, NULL, text                                             \
	}
#define IN_LOAD		     0
#define IN_SERVICE	     0
#define IN_SPEC(member)	     offsetof(struct service, spec.member)
#define IN_TUNING(member)    offsetof(struct service, tuning.member)
#define IN_ISOLATION(member) offsetof(struct service, isolation.member)
#define IN_EXTRAS(member)    offsetof(struct service, extras.member)
#define IN_SHORT(member)     offsetof(struct service, short_##member)

#define USE_LIMITS "write it under deploy.resources.limits"

// clang-format off
static const struct key_row file_rows[] = {
	{ "version", KEY_OBSOLETE, read_remark, 0, NULL, "it means nothing any more; remove it" },
	HONOURED("include", NULL, IN_LOAD, NULL, "list of paths or `{path, project_directory, env_file}`; see Include"),
	HONOURED("name", NULL, IN_LOAD, NULL, "the project's name, unless `-p` or `COMPOSE_PROJECT_NAME` is given"),
	HONOURED("networks", read_networks, IN_LOAD, "networks", "see below; a service that lists none joins `default`"),
	HONOURED("volumes", read_project_volumes, IN_LOAD, "volumes", "see below"),
	HONOURED("services", read_services, IN_LOAD, "jobs", "each becomes a job"),
	HONOURED("configs", read_configs, IN_LOAD, "configs", "see below; what no service uses is not read"),
	HONOURED("secrets", read_secrets, IN_LOAD, "secrets", "see below; what no service uses is not read"),
	REFUSED("models", "drover runs containers only"),
};

static const struct key_row include_rows[] = {
	HONOURED("path", read_string_or_strings, offsetof(struct include_read, paths), NULL, "required: a path, or several that are merged"),
	HONOURED("project_directory", read_string, offsetof(struct include_read, project_directory), NULL,
	     "the folder of the first path: where relative paths of the included start"),
	HONOURED("env_file", read_string_or_strings, offsetof(struct include_read, env_files), NULL,
	     "`.env` of its project directory; a path or several: variables for the included, which ours win over"),
};

static const struct key_row service_rows[] = {
	HONOURED("extends", NULL, IN_LOAD, NULL, "a service of this file, or `{service, file}`; see Extends"),
	HONOURED("profiles", NULL, IN_LOAD, NULL, "none: always active; else the service takes part where one of them is; see Profiles"),
	HONOURED("image", read_image, IN_SERVICE, "image", "required"),
	HONOURED("command", read_command, IN_SERVICE, "command",
	     "string (split as a shell splits words; no shell is started) or list; null: the image's; `[]` or `\"\"`: none"),
	HONOURED("entrypoint", read_entrypoint, IN_SERVICE, "entrypoint", "as `command`; it also drops the image's command"),
	HONOURED("env_file", read_env_file, IN_SERVICE, NULL, "string, list, or `{path, required, format}`; later files win"),
	HONOURED("environment", read_environment, IN_SERVICE, "environment",
	     "wins over `env_file`; a key without value takes the deployer's, else it is unset; `LD_*` and `DOCKER_*` are "
	     "warned of"),
	HONOURED("working_dir", read_string, IN_SPEC(working_dir), "working_dir", "the image's"),
	HONOURED("user", read_string, IN_SPEC(user), "user", "the image's; a number needs quotes"),
	HONOURED("hostname", read_string, IN_SPEC(hostname), "hostname", "the container's id"),
	HONOURED("init", read_tristate, IN_SPEC(init), "init", "as Docker's daemon is set"),
	HONOURED("read_only", read_bool, IN_SPEC(read_only), "read_only", "false"),
	HONOURED("cap_add", read_strings, IN_SPEC(cap_add), "cap_add", ""),
	HONOURED("cap_drop", read_strings, IN_SPEC(cap_drop), "cap_drop", ""),
	HONOURED("sysctls", read_sysctls, IN_SPEC(sysctls), "sysctls", "mapping or list"),
	HONOURED("ulimits", read_ulimits, IN_SERVICE, "ulimits", "a number, or `{soft, hard}`; -1: no limit"),
	HONOURED("shm_size", read_size, IN_SPEC(shm_size_bytes), "shm_size_bytes", "Docker's: 64m"),
	HONOURED("extra_hosts", read_extra_hosts, IN_SERVICE, "extra_hosts", "list of `host=ip` or `host:ip`, or mapping; `host-gateway` is an ip"),
	HONOURED("dns", read_string_or_strings, IN_SPEC(dns), "dns", "string or list"),
	HONOURED("logging", read_logging, IN_SPEC(logging), "logging", "see below: json-file with a limit of size"),
	HONOURED("label_file", read_label_file, IN_SPEC(labels), "labels", "string or list of files as env_file reads them; labels wins"),
	HONOURED("labels", read_pairs, IN_SPEC(labels), "labels",
	     "of the container; mapping or list; none of `com.docker.compose`, which Compose keeps for itself"),
	HONOURED("pull_policy", read_pull_policy, IN_SERVICE, "pull_policy", "`missing` (also `if_not_present`), `always`, `never`"),
	HONOURED("platform", read_string, IN_SPEC(platform), "platform",
	     "any machine; `linux/arm64`: only machines of that platform, and the image for it"),
	HONOURED("ports", read_ports, IN_SERVICE, "ports", "see Ports"),
	HONOURED("volumes", read_volumes, IN_SERVICE, "mounts", "see Volumes"),
	HONOURED("tmpfs", read_tmpfs, IN_SERVICE, "mounts", "`path` or `path:options`, string or list"),
	HONOURED("networks", read_service_networks, IN_SERVICE, "networks", "list or mapping; none: `default`"),
	HONOURED("stop_signal", read_string, IN_SPEC(stop_signal), "stop_signal", "the image's, else SIGTERM"),
	HONOURED("stop_grace_period", read_duration, IN_SPEC(stop_grace_ms), "stop_grace_ms", "10s"),
	HONOURED("healthcheck", read_health_check, IN_SERVICE, "health_check", "the image's"),
	HONOURED("post_start", read_post_start, IN_SERVICE, "hooks.post_start", "list of commands to run in the container after each start; see Hooks"),
	HONOURED("pre_stop", read_pre_stop, IN_SERVICE, "hooks.pre_stop", "list of commands to run in the container before it is stopped; see Hooks"),
	HONOURED("restart", read_restart, IN_SERVICE, "restart",
	     "`no`, `always`, `unless-stopped`, `on-failure[:n]`; not written: on-failure; `deploy.restart_policy` wins"),
	HONOURED("scale", read_scale, IN_SERVICE, "replicas", "the same as deploy.replicas, and must agree with it"),
	HONOURED("deploy", read_deploy, IN_SERVICE, NULL, "see below"),
	HONOURED("cpu_shares", read_count, IN_TUNING(cpu_shares), "tuning.cpu_shares", "the kernel's: 1024; the share of the CPU when others want it too"),
	HONOURED("cpu_period", read_microseconds, IN_TUNING(cpu_period_us), "tuning.cpu_period_us",
	     "the kernel's: 100ms; microseconds or a duration; not beside cpus"),
	HONOURED("cpu_quota", read_microseconds, IN_TUNING(cpu_quota_us), "tuning.cpu_quota_us", "no limit; microseconds or a duration; not beside cpus"),
	HONOURED("cpu_rt_period", read_microseconds, IN_TUNING(cpu_realtime_period_us), "tuning.cpu_realtime_period_us",
	     "microseconds or a duration; Docker takes it with cgroup v1 only"),
	HONOURED("cpu_rt_runtime", read_microseconds, IN_TUNING(cpu_realtime_runtime_us), "tuning.cpu_realtime_runtime_us", "as cpu_rt_period"),
	HONOURED("cpuset", read_string, IN_TUNING(cpuset), "tuning.cpuset", "any CPU; `0-3,6`"),
	HONOURED("cpus", read_cpus, IN_SHORT(limits.cpu_milli), "limits.cpu_milli", "the same as deploy.resources.limits.cpus, and must agree with it"),
	HONOURED("mem_limit", read_size, IN_SHORT(limits.memory_bytes), "limits.memory_bytes",
	     "the same as deploy.resources.limits.memory, and must agree with it"),
	HONOURED("mem_reservation", read_size, IN_SHORT(reservations.memory_bytes), "reservations.memory_bytes",
	     "the same as deploy.resources.reservations.memory, and must agree with it"),
	HONOURED("memswap_limit", read_swap, IN_TUNING(memory_swap_bytes), "tuning.memory_swap_bytes",
	     "Docker's: twice the limit of memory; both together; -1: no limit of swap"),
	HONOURED("mem_swappiness", read_swappiness, IN_SERVICE, "tuning.memory_swappiness", "the machine's; 0 to 100; has an effect with cgroup v1 only"),
	HONOURED("oom_kill_disable", read_bool, IN_TUNING(oom_kill_disable), "tuning.oom_kill_disable", "false; has an effect with cgroup v1 only"),
	HONOURED("oom_score_adj", read_oom_score, IN_TUNING(oom_score_adj), "tuning.oom_score_adj", "0; -1000 to 1000"),
	HONOURED("pids_limit", read_pids, IN_SHORT(limits.pids), "limits.pids", "the same as deploy.resources.limits.pids, and must agree with it"),
	HONOURED("blkio_config", read_blkio, IN_SERVICE, NULL, "see below"),
	HONOURED("cgroup", read_cgroup, IN_TUNING(cgroup_namespace), "tuning.cgroup_namespace", "as Docker's daemon is set; `host`, `private`"),
	HONOURED("cgroup_parent", read_string, IN_TUNING(cgroup_parent), "tuning.cgroup_parent", "Docker's"),
	HONOURED("storage_opt", read_options, IN_TUNING(storage_opt), "tuning.storage_opt", "given to Docker's storage driver: `size`"),
	HONOURED("privileged", read_bool, IN_ISOLATION(privileged), "isolation.privileged", "false"),
	NEWER(WRITABLE_CGROUPS, "security_opt", read_security_opt, IN_ISOLATION(security_opt), "isolation.security_opt",
	     "list of `KEY=VALUE` or `KEY:VALUE`: no-new-privileges, seccomp (`unconfined`, `builtin`, or a file, which is read here), apparmor, "
	     "label, systempaths, writable-cgroups"),
	HONOURED("userns_mode", read_host_namespace, IN_ISOLATION(host_users), "isolation.host_users", "as Docker's daemon is set; `host`"),
	HONOURED("pid", read_host_namespace, IN_ISOLATION(host_processes), "isolation.host_processes", "the container's own; `host`; another's is refused"),
	HONOURED("ipc", read_ipc, IN_ISOLATION(ipc_mode), "isolation.ipc_mode",
	     "as Docker's daemon is set; `none`, `private`, `shareable`, `host`; another's is refused"),
	HONOURED("uts", read_host_namespace, IN_ISOLATION(host_names), "isolation.host_names", "the container's own; `host`"),
	HONOURED("network_mode", read_network_mode, IN_SERVICE, "isolation.network_mode",
	     "by `networks`, and not beside it; `none`, `host`, `bridge` (Docker's own); another container's is refused; nothing is published "
	     "with none and host"),
	HONOURED("group_add", read_groups, IN_ISOLATION(group_add), "isolation.group_add", "names and numbers"),
	HONOURED("runtime", read_string, IN_ISOLATION(runtime), "isolation.runtime", "as Docker's daemon is set"),
	NEWER(CDI, "devices", read_devices, IN_SERVICE, "isolation.devices",
	     "list of `SOURCE[:TARGET[:PERMISSIONS]]`, `{source, target, permissions}`, or names of CDI"),
	HONOURED("device_cgroup_rules", read_strings, IN_ISOLATION(device_cgroup_rules), "isolation.device_cgroup_rules",
	     "list of rules like `c 1:3 mr`"),
	HONOURED("gpus", read_gpus, IN_SERVICE, "isolation.device_requests",
	     "`all`, or a list as deploy.resources.reservations.devices; their capability is gpu"),
	HONOURED("tty", read_bool, IN_EXTRAS(terminal), "extras.terminal", "false; true: its output is one stream"),
	HONOURED("stdin_open", read_bool, IN_EXTRAS(stdin_open), "extras.stdin_open", "false"),
	HONOURED("domainname", read_string, IN_EXTRAS(domainname), "extras.domainname", "none"),
	HONOURED("dns_opt", read_strings, IN_EXTRAS(dns_options), "extras.dns_options", ""),
	HONOURED("dns_search", read_string_or_strings, IN_EXTRAS(dns_search), "extras.dns_search", "string or list"),
	NEWER(ANNOTATIONS, "annotations", read_pairs, IN_EXTRAS(annotations), "extras.annotations", "for the OCI runtime; mapping or list"),
	HONOURED("expose", read_expose, IN_EXTRAS(expose), "extras.expose",
	     "a remark on the container, with ranges: containers of a network reach all ports of each other"),
	{ "attach", KEY_WARNED, read_ignored_bool, 0, NULL, "changes nothing: it steers the output of `docker compose up`; use `drover logs`" },
	{ "container_name", KEY_WARNED, read_container_name, IN_SERVICE, NULL,
	     "becomes a name in the service's networks: containers are named by drover, anew for every task and attempt; not with several tasks" },
	HONOURED("mac_address", read_mac_address, IN_SERVICE, NULL, "that of networks.*.mac_address, in the first of the networks"),
	HONOURED("depends_on", read_depends_on, IN_SERVICE, "depends_on", "list, or mapping with conditions"),
	HONOURED("links", read_links, IN_SERVICE, "depends_on",
	     "as depends_on: services of a network reach each other by name; `service:alias` is refused, networks.*.aliases adds names"),
	HONOURED("volumes_from", read_volumes_from, IN_SERVICE, "depends_on",
	     "list of `SERVICE[:ro]`: what that one mounts by name or path, where this one mounts nothing, the later over the earlier; "
	     "waits for it as depends_on does; `container:` is refused"),
	HONOURED("configs", read_service_configs, IN_SERVICE, "configs",
	     "list of names, or of `{source, target, uid, gid, mode}`; changed bytes replace the tasks"),
	HONOURED("secrets", read_service_secrets, IN_SERVICE, "secrets", "as `configs`, at /run/secrets; never on a disk of the machine"),
	HONOURED("x-drover", read_drover, IN_SERVICE, NULL, "what Compose has no word for; see below"),
	{ "build", KEY_WARNED, read_build, IN_SERVICE, NULL,
	  "is left aside where `image` stands beside it, and refused without: drover builds no images, and runs the one that is there under that name" },
	REFUSED("cpu_count", "it is for Windows containers"),
	REFUSED("cpu_percent", "it is for Windows containers"),
	REFUSED("credential_spec", "it is for Windows containers"),
	REFUSED("develop", "it is for `docker compose watch`"),
	REFUSED("external_links", "links are obsolete; join an external network instead"),
	REFUSED("isolation", "it is for Windows containers"),
	REFUSED("models", "drover runs containers only"),
	REFUSED("pre_start", "a task is one container: use a service with mode replicated-job and depends_on service_completed_successfully"),
	REFUSED("provider", "drover runs containers only"),
	REFUSED("pull_refresh_after", "drover keeps no record of when an image was pulled: use pull_policy"),
	REFUSED("use_api_socket", "it would hand Docker's socket and your registry passwords to the container"),
	REFUSED("volume_driver", "write the driver under the top level's volumes"),
};

static const struct key_row extends_rows[] = {
	HONOURED("service", read_string, offsetof(struct extends_read, service), NULL, "required: its name"),
	HONOURED("file", read_string, offsetof(struct extends_read, file), NULL, "the same file; a path from the folder of this one"),
};

static const struct key_row env_file_rows[] = {
	HONOURED("path", read_string, offsetof(struct env_file_read, path), NULL, "required"),
	HONOURED("required", read_bool, offsetof(struct env_file_read, required), NULL, "true; false: the file may be missing"),
	HONOURED("format", read_env_format, offsetof(struct env_file_read, raw), NULL,
	     "not written: quotes and variables as in .env; `raw`: everything after = is the value"),
};

static const struct key_row ulimit_rows[] = {
	HONOURED("soft", read_ulimit_value, offsetof(struct ulimit, soft), NULL, "required"),
	HONOURED("hard", read_ulimit_value, offsetof(struct ulimit, hard), NULL, "required"),
};

#define IN_BLKIO(member) offsetof(struct service, tuning.blkio_##member)

static const struct key_row blkio_rows[] = {
	HONOURED("weight", read_count, IN_BLKIO(weight), "tuning.blkio_weight", "the kernel's: 500; 10 to 1000"),
	HONOURED("weight_device", read_weights, IN_BLKIO(weight_device), "tuning.blkio_weight_device", "list of `{path, weight}`"),
	HONOURED("device_read_bps", read_rates, IN_BLKIO(read_bps), "tuning.blkio_read_bps", "list of `{path, rate}`; bytes a second: `12mb`"),
	HONOURED("device_write_bps", read_rates, IN_BLKIO(write_bps), "tuning.blkio_write_bps", "as device_read_bps"),
	HONOURED("device_read_iops", read_rates, IN_BLKIO(read_iops), "tuning.blkio_read_iops", "list of `{path, rate}`; operations a second"),
	HONOURED("device_write_iops", read_rates, IN_BLKIO(write_iops), "tuning.blkio_write_iops", "as device_read_iops"),
};

static const struct key_row blkio_weight_rows[] = {
	HONOURED("path", read_string, offsetof(struct device_weight, path), NULL, "required: a device below /dev"),
	HONOURED("weight", read_count, offsetof(struct device_weight, weight), NULL, "required: 10 to 1000"),
};

static const struct key_row blkio_rate_rows[] = {
	HONOURED("path", read_string, offsetof(struct device_rate, path), NULL, "required: a device below /dev"),
	HONOURED("rate", read_size, offsetof(struct device_rate, rate), NULL, "required"),
};

static const struct key_row device_rows[] = {
	HONOURED("source", read_string, offsetof(struct device, source), NULL, "required: a device below /dev"),
	HONOURED("target", read_string, offsetof(struct device, target), NULL, "as source"),
	HONOURED("permissions", read_string, offsetof(struct device, permissions), NULL, "rwm"),
};

static const struct key_row logging_rows[] = {
	HONOURED("driver", read_string, offsetof(struct logging, driver), "logging.driver", "json-file"),
	HONOURED("options", read_options, offsetof(struct logging, options), "logging.options",
	     "given to the driver; json-file and local: max-size 10m, max-file 3"),
};

static const struct key_row port_rows[] = {
	HONOURED("target", read_port_target, 0, NULL, "required: the port in the container"),
	HONOURED("published", read_port_published, 0, NULL, "a port, or a range from which each task draws one; not written: 30000-32767"),
	HONOURED("host_ip", read_port_host_ip, 0, NULL, "all addresses"),
	HONOURED("protocol", read_port_protocol, 0, NULL, "`tcp`, `udp`"),
	HONOURED("mode", read_port_mode, 0, NULL, "`host` only: a port is open on the machine its task runs on"),
	HONOURED("name", read_remark, 0, NULL, "a remark; changes nothing"),
	HONOURED("app_protocol", read_remark, 0, NULL, "a remark; changes nothing"),
};

static const struct key_row mount_rows[] = {
	HONOURED("type", read_mount_type, 0, NULL, "required: `volume`, `bind`, `tmpfs`"),
	HONOURED("source", read_string, offsetof(struct mount_read, mount.source), NULL, "volume: its name, none: anonymous; bind: a path"),
	HONOURED("target", read_string, offsetof(struct mount_read, mount.target), NULL, "required: absolute path in the container"),
	HONOURED("read_only", read_bool, offsetof(struct mount_read, mount.read_only), NULL, "false"),
	HONOURED("bind", read_mount_bind, 0, NULL, "see below"),
	HONOURED("volume", read_mount_volume, 0, NULL, "see below"),
	HONOURED("tmpfs", read_mount_tmpfs, 0, NULL, "see below"),
	{ "consistency", KEY_WARNED, read_ignored_string, 0, NULL, "changes nothing: it is for Docker Desktop for Mac" },
	REFUSED("image", "a machine pulls the image of the service only, so this one would be missing; copy from it to a volume"),
};

static const struct key_row mount_bind_rows[] = {
	HONOURED("propagation", read_string, offsetof(struct mount, propagation), NULL, "Docker's: rprivate"),
	NEWER(NON_RECURSIVE, "create_host_path", read_bool, offsetof(struct mount, create_host_path), NULL, "true"),
	NEWER(RECURSIVE_READ_ONLY, "recursive", read_recursive, offsetof(struct mount, recursive), NULL,
	     "enabled; `disabled`; of a mount that is read_only also `writable` and `readonly`"),
	HONOURED("selinux", read_selinux, offsetof(struct mount, selinux), NULL, "none; `z`, `Z`"),
};

static const struct key_row mount_volume_rows[] = {
	HONOURED("nocopy", read_bool, offsetof(struct mount, nocopy), NULL, "false"),
	NEWER(SUBPATH, "subpath", read_string, offsetof(struct mount, subpath), NULL, "all of it"),
	HONOURED("labels", read_pairs, offsetof(struct mount, labels), NULL, "of a volume without a name; others have theirs at the top level"),
};

static const struct key_row mount_tmpfs_rows[] = {
	HONOURED("size", read_size, offsetof(struct mount, tmpfs_size_bytes), NULL, "no limit"),
	HONOURED("mode", read_tmpfs_mode, 0, NULL, "octal, with a leading zero: 01777"),
};

#define IN_ENDPOINT(member) offsetof(struct network_read, endpoint.member)
#define OF_ONE_TASK	    "; of a service with one task, not updated start-first"

static const struct key_row service_network_rows[] = {
	HONOURED("aliases", read_strings, offsetof(struct network_read, aliases), NULL, "besides the service's name"),
	HONOURED("driver_opts", read_options, IN_ENDPOINT(driver_opts), NULL, "given to the network's driver"),
	NEWER(GATEWAY_PRIORITY, "gw_priority", read_network_priority, IN_ENDPOINT(gateway_priority), NULL, "0; the default route is by the highest"),
	NEWER(INTERFACE_NAME, "interface_name", read_string, IN_ENDPOINT(interface_name), NULL, "Docker's: eth0, eth1"),
	HONOURED("ipv4_address", read_string, IN_ENDPOINT(ipv4_address), NULL, "Docker's choice; in a subnet that the network has under ipam" OF_ONE_TASK),
	HONOURED("ipv6_address", read_string, IN_ENDPOINT(ipv6_address), NULL, "as ipv4_address"),
	HONOURED("link_local_ips", read_strings, IN_ENDPOINT(link_local_ips), NULL, ""),
	NEWER(MAC_ADDRESSES, "mac_address", read_string, IN_ENDPOINT(mac_address), NULL, "Docker's choice" OF_ONE_TASK),
	HONOURED("priority", read_network_priority, offsetof(struct network_read, priority), NULL, "0; the highest is joined first"),
};

static const struct key_row healthcheck_rows[] = {
	HONOURED("disable", read_bool, offsetof(struct health_check, disabled), NULL, "false; true: also the image's check is off"),
	HONOURED("test", read_health_test, 0, "health_check.test", "string (run by the shell), or list beginning with `CMD`, `CMD-SHELL` or `NONE`"),
	HONOURED("interval", read_duration, offsetof(struct health_check, interval_ms), "health_check.interval_ms", "30s"),
	HONOURED("timeout", read_duration, offsetof(struct health_check, timeout_ms), "health_check.timeout_ms", "30s"),
	HONOURED("retries", read_count, offsetof(struct health_check, retries), "health_check.retries", "3"),
	HONOURED("start_period", read_duration, offsetof(struct health_check, start_period_ms), "health_check.start_period_ms", "0s"),
	NEWER(START_INTERVAL, "start_interval", read_duration, offsetof(struct health_check, start_interval_ms), "health_check.start_interval_ms", "5s"),
};

static const struct key_row hook_rows[] = {
	HONOURED("command", read_arguments, offsetof(struct hook, command), NULL, "required: string (split as a shell splits words) or list"),
	HONOURED("user", read_string, offsetof(struct hook, user), NULL, "the container's"),
	HONOURED("privileged", read_bool, offsetof(struct hook, privileged), NULL, "false"),
	HONOURED("working_dir", read_string, offsetof(struct hook, working_dir), NULL, "the container's"),
	HONOURED("environment", read_environment_pairs, offsetof(struct hook, environment), NULL, "the container's, and these; mapping or list"),
};

static const struct key_row depends_on_rows[] = {
	HONOURED("condition", read_depend_condition, offsetof(struct depend, condition), NULL,
	     "required: `service_started`, `service_healthy`, `service_completed_successfully`"),
	HONOURED("restart", read_bool, offsetof(struct depend, restart), NULL, "false; true: restarted when an update or restart of the other is done"),
	HONOURED("required", read_depend_required, offsetof(struct depend, optional), NULL, "true; false: do not wait for a service that is not there"),
};

static const struct key_row deploy_rows[] = {
	HONOURED("mode", read_mode, IN_SERVICE, "mode", "`replicated`, `replicated-job`, `global`, `global-job`; see Global services"),
	HONOURED("replicas", read_replicas, IN_SERVICE, "replicas", "1; of a replicated-job: how many runs must succeed; none of a global service"),
	HONOURED("labels", read_pairs, IN_SPEC(job_labels), "job_labels", "of the job, not of its containers"),
	HONOURED("resources", read_resources, IN_SERVICE, NULL, "see below"),
	HONOURED("restart_policy", read_restart_policy, IN_SERVICE, "restart", "wins over `restart`"),
	HONOURED("placement", read_placement, IN_SPEC(placement), "placement", "see below"),
	HONOURED("endpoint_mode", read_endpoint_mode, IN_SERVICE, NULL, "`dnsrr`: a service's name has the addresses of all its tasks"),
	HONOURED("update_config", read_update_config, IN_SERVICE, "update", "how tasks are replaced when the service changes; see Updates"),
	HONOURED("rollback_config", read_rollback_config, IN_SERVICE, "rollback", "how they are when it goes back to an earlier revision"),
};

static const struct key_row resources_rows[] = {
	HONOURED("limits", read_limits, IN_SPEC(limits), "limits", "what a task may use"),
	HONOURED("reservations", read_reservations, IN_SERVICE, "reservations", "what the scheduler keeps free for a task"),
};

static const struct key_row limits_rows[] = {
	HONOURED("cpus", read_cpus, offsetof(struct resources, cpu_milli), "limits.cpu_milli", "no limit; quoted or not"),
	HONOURED("memory", read_size, offsetof(struct resources, memory_bytes), "limits.memory_bytes", "no limit"),
	HONOURED("pids", read_pids, offsetof(struct resources, pids), "limits.pids", "no limit, also written -1"),
};

static const struct key_row reservations_rows[] = {
	HONOURED("cpus", read_cpus, IN_SPEC(reservations.cpu_milli), "reservations.cpu_milli", "0"),
	HONOURED("memory", read_size, IN_SPEC(reservations.memory_bytes), "reservations.memory_bytes", "0; from 6m on also protected by the kernel"),
	HONOURED("devices", read_device_requests, IN_SERVICE, "isolation.device_requests", "list; Docker chooses, the scheduler does not count them"),
	REFUSED("generic_resources", "the scheduler counts CPUs, memory and disk only: label the machines that have it and write a constraint"),
};

#define IN_REQUEST(member) offsetof(struct device_request, member)
#define REQUEST_ROWS(capabilities_text)                                                                                \
	NEWER(CDI, "driver", read_string, IN_REQUEST(driver), NULL, "any with the capabilities; `cdi`"),               \
	HONOURED("count", read_device_count, IN_REQUEST(count), NULL, "all; not beside device_ids"),                   \
	HONOURED("device_ids", read_strings, IN_REQUEST(device_ids), NULL, "list"),                                    \
	HONOURED("capabilities", read_strings, IN_REQUEST(capabilities), NULL, capabilities_text),                     \
	HONOURED("options", read_pairs, IN_REQUEST(options), NULL, "given to the driver")


static const struct key_row gpu_rows[] = { REQUEST_ROWS("gpu, and those that are written") };

static const struct key_row device_request_rows[] = { REQUEST_ROWS("required: list") };

static const struct key_row restart_policy_rows[] = {
	HONOURED("condition", read_restart_condition, 0, "restart.condition",
	     "`none`, `on-failure`, `any`; a policy without it: any; in a job any acts as on-failure"),
	HONOURED("delay", read_duration, offsetof(struct restart_policy, delay_ms), "restart.delay_ms", "0s: the first restart is at once, then back-off"),
	HONOURED("max_attempts", read_count, offsetof(struct restart_policy, max_attempts), "restart.max_attempts", "0: no limit"),
	HONOURED("window", read_duration, offsetof(struct restart_policy, window_ms), "restart.window_ms", "0s: all restarts count"),
};

static const struct key_row update_config_rows[] = {
	HONOURED("parallelism", read_parallelism, offsetof(struct update_policy, parallelism), "update.parallelism",
	     "1; tasks replaced at a time; 0: all"),
	HONOURED("delay", read_duration, offsetof(struct update_policy, delay_ms), "update.delay_ms", "0s; between a task that is ready and the next"),
	HONOURED("failure_action", read_update_failure, offsetof(struct update_policy, failure_action), "update.failure_action",
	     "`pause`, `continue`, `rollback`"),
	HONOURED("monitor", read_monitor, offsetof(struct update_policy, monitor_ms), "update.monitor_ms",
	     "5s, also when it is 0; what fails so soon after its start counts as a failure of the update"),
	HONOURED("max_failure_ratio", read_ratio, offsetof(struct update_policy, max_failure_ppm), "update.max_failure_ppm",
	     "0; from 0 to 1; when a larger part of the tasks has failed, failure_action is taken"),
	HONOURED("order", read_update_order, offsetof(struct update_policy, order), "update.order", "`stop-first`, `start-first`"),
};

static const struct key_row rollback_config_rows[] = {
	HONOURED("parallelism", read_parallelism, offsetof(struct update_policy, parallelism), "rollback.parallelism",
	     "1; tasks replaced at a time; 0: all"),
	HONOURED("delay", read_duration, offsetof(struct update_policy, delay_ms), "rollback.delay_ms", "0s; between a task that is ready and the next"),
	HONOURED("failure_action", read_update_failure, offsetof(struct update_policy, failure_action), "rollback.failure_action",
	     "`pause`, `continue`"),
	HONOURED("monitor", read_monitor, offsetof(struct update_policy, monitor_ms), "rollback.monitor_ms",
	     "5s, also when it is 0; what fails so soon after its start counts as a failure of the update"),
	HONOURED("max_failure_ratio", read_ratio, offsetof(struct update_policy, max_failure_ppm), "rollback.max_failure_ppm",
	     "0; from 0 to 1; when a larger part of the tasks has failed, failure_action is taken"),
	HONOURED("order", read_update_order, offsetof(struct update_policy, order), "rollback.order", "`stop-first`, `start-first`"),
};

static const struct key_row placement_rows[] = {
	HONOURED("constraints", read_strings, offsetof(struct placement, constraints), "placement.constraints", "`node.labels.disk==ssd`; all must hold"),
	HONOURED("preferences", read_preferences, offsetof(struct placement, preferences), "placement.preferences", "list of `spread: node.labels.rack`"),
	HONOURED("max_replicas_per_node", read_count, offsetof(struct placement, max_replicas_per_node), "placement.max_replicas_per_node", "0: no limit"),
};

static const struct key_row preference_rows[] = {
	HONOURED("spread", read_string, 0, NULL, "required: the label"),
};

static const struct key_row drover_rows[] = {
	HONOURED("priority", read_priority, IN_SPEC(priority), "priority", "50; 0 to 100, higher is placed first"),
	HONOURED("scheduler", read_string, IN_SPEC(scheduler), "scheduler", "the cluster's"),
	HONOURED("placement_deadline", read_duration, IN_SPEC(placement_deadline_ms), "placement_deadline_ms", "0s: wait for a place for ever"),
	HONOURED("update_deadline", read_update_deadline, IN_SPEC(update_deadline_ms), "update_deadline_ms",
	     "10m; a task that comes no further for so long while its service is updated has failed"),
	HONOURED("array", read_array, IN_SERVICE, "array",
	     "a task for each index, which it finds in `DROVER_ARRAY_INDEX`: `100` (0 to 99), `1-100`, `0-9,20-29:2`; the mode is replicated-job; see jobs.md"),
	HONOURED("concurrency", read_concurrency, IN_SERVICE, "concurrency", "all; so many tasks of a replicated-job at a time"),
	HONOURED("schedule", read_schedule, IN_SERVICE, "schedule",
	     "when it runs, as crontab(5) writes it: `0 3 * * *`, `@daily`; or a mapping, see below; the mode is replicated-job where none is written"),
	HONOURED("max_run_time", read_max_run_time, IN_SERVICE, "max_run_time_ms",
	     "no limit; a task of a replicated-job or global-job that runs for longer is stopped and has failed; see jobs.md"),
	HONOURED("depends_on", read_depends_elsewhere, IN_SERVICE, "depends_on",
	     "list or mapping as `depends_on` of the service, with `PROJECT/SERVICE` for each: what it waits for in other projects; see jobs.md"),
	HONOURED("health", read_probe, IN_SERVICE, "probe", "none; a check from outside of the container, made by the worker; not beside `healthcheck`"),
	HONOURED("disk", read_size, IN_SPEC(reservations.disk_bytes), "reservations.disk_bytes", "0; disk space to reserve"),
	HONOURED("on_disconnect", read_on_disconnect, IN_SPEC(on_disconnect), "on_disconnect", "keep; stop: see machines that cannot be reached"),
	HONOURED("lease", read_duration, IN_SPEC(lease_ms), "lease_ms", "60s, the least; with `on_disconnect: stop`"),
	HONOURED("network", read_network_reach, IN_SERVICE, "network_reach",
	     "`one-node`: on the machine of the services it shares a network with; "
	     "`per-node`: anywhere, and it meets only those on its machine; a global service: per-node"),
	HONOURED("volume", read_volume_reach, IN_SERVICE, "volume_reach",
	     "`one-node`: a named volume lives on one machine, and so do its tasks; "
	     "`per-node`: each machine has its own; a global service: per-node"),
};

#define OF_PROBE(member) offsetof(struct probe, member)

static const struct key_row probe_rows[] = {
	HONOURED("http", read_probe_http, 0, NULL, "see below; this or `tcp`"),
	HONOURED("tcp", read_probe_tcp, 0, NULL, "`{port: 5432}`: healthy is what takes a connection"),
	HONOURED("interval", read_duration, OF_PROBE(interval_ms), "probe.interval_ms", "30s; from the end of one check to the next"),
	HONOURED("timeout", read_duration, OF_PROBE(timeout_ms), "probe.timeout_ms", "30s"),
	HONOURED("retries", read_count, OF_PROBE(retries), "probe.retries", "3; so many failures in a row are unhealthy"),
	HONOURED("start_period", read_duration, OF_PROBE(start_period_ms), "probe.start_period_ms",
	     "0s; failures within it do not count until the first success"),
	HONOURED("start_interval", read_duration, OF_PROBE(start_interval_ms), "probe.start_interval_ms", "5s; the interval within start_period"),
};

static const struct key_row probe_http_rows[] = {
	HONOURED("port", read_count, OF_PROBE(port), "probe.port", "required; of the container, published or not"),
	HONOURED("path", read_string, OF_PROBE(path), "probe.path", "`/`"),
	HONOURED("scheme", read_probe_scheme, OF_PROBE(kind), NULL, "`http`, `https`; its certificate is not looked at"),
	HONOURED("status", read_probe_status, 0, "probe.status_first", "`200-399`; a range or one status; redirects are not followed"),
	HONOURED("headers", read_pairs, OF_PROBE(headers), "probe.headers", "mapping or list of `NAME=VALUE`; `Host` is the address and port"),
};

static const struct key_row probe_tcp_rows[] = {
	HONOURED("port", read_count, OF_PROBE(port), "probe.port", "required; of the container, published or not"),
};

static const struct key_row schedule_rows[] = {
	HONOURED("cron", read_cron, offsetof(struct schedule, cron), "schedule.cron",
	     "required: minute, hour, day of the month, month, day of the week; or @hourly, @daily, @weekly, @monthly, @yearly"),
	HONOURED("time_zone", read_time_zone, 0, "schedule.time_zone", "UTC; `Europe/Berlin`"),
	HONOURED("overlap", read_overlap, offsetof(struct schedule, overlap), "schedule.overlap",
	     "`skip`; `queue`, `replace`: when the run before has not ended"),
	HONOURED("catch_up", read_catch_up, offsetof(struct schedule, catch_up), "schedule.catch_up",
	     "1; so many of the times that passed while the manager was away are made up, the newest"),
	HONOURED("history", read_run_history, offsetof(struct schedule, history), "schedule.history", "10; runs kept on record"),
};

static const struct key_row network_rows[] = {
	HONOURED("name", read_string, offsetof(struct network_spec, name), "name", "PROJECT_KEY; of an external one KEY; two of one name must say the same"),
	HONOURED("driver", read_network_driver, 0, "driver", "`bridge`; another, but `overlay`, `host` and `none`, is used as it lies on each machine"),
	HONOURED("driver_opts", read_options, offsetof(struct network_spec, driver_opts), "driver_opts", ""),
	HONOURED("attachable", read_bool, offsetof(struct network_spec, attachable), NULL, "false"),
	HONOURED("internal", read_bool, offsetof(struct network_spec, internal), NULL, "false"),
	HONOURED("labels", read_pairs, offsetof(struct network_spec, labels), "labels", ""),
	HONOURED("external", read_network_external, 0, NULL, "false; true: it must exist, and is never removed; `{name}` is true with that name"),
	HONOURED("ipam", read_ipam, 0, "ipam", "Docker chooses the addresses; see below"),
	HONOURED("enable_ipv4", read_enable_ipv4, 0, NULL, "`true` only"),
	NEWER(IPV6_POOLS, "enable_ipv6", read_tristate, offsetof(struct network_spec, enable_ipv6), "enable_ipv6",
	     "as Docker's daemon is set"),
};

static const struct key_row ipam_rows[] = {
	HONOURED("driver", read_ipam_driver, offsetof(struct ipam, driver), NULL, "`default`"),
	HONOURED("config", read_pools, offsetof(struct ipam, pools), "ipam.pools", "list, see below"),
	HONOURED("options", read_options, offsetof(struct ipam, options), NULL, "given to the driver"),
};

static const struct key_row ipam_pool_rows[] = {
	HONOURED("subnet", read_string, offsetof(struct ipam_pool, subnet), NULL, "required: `10.9.0.0/24`"),
	HONOURED("ip_range", read_string, offsetof(struct ipam_pool, ip_range), NULL, "the subnet: from where containers have their addresses"),
	HONOURED("gateway", read_string, offsetof(struct ipam_pool, gateway), NULL, "the first of the subnet"),
	HONOURED("aux_addresses", read_options, offsetof(struct ipam_pool, aux_addresses), NULL, "mapping of names to addresses that no container has"),
};

static const struct key_row volume_rows[] = {
	HONOURED("name", read_string, offsetof(struct volume_spec, name), "name", "PROJECT_KEY; of an external one KEY; two of one name must say the same"),
	HONOURED("driver", read_volume_driver, 0, "driver", "`local`"),
	HONOURED("driver_opts", read_options, offsetof(struct volume_spec, driver_opts), "driver_opts", ""),
	HONOURED("labels", read_pairs, offsetof(struct volume_spec, labels), "labels", ""),
	HONOURED("external", read_volume_external, 0, NULL, "false; true: it must exist, and is never removed; `{name}` is true with that name"),
};

#define IN_USE(member) offsetof(struct content_use, member)
static const struct key_row content_use_rows[] = {
	HONOURED("source", read_string, IN_USE(source), "source", "required: its name at the top level"),
	HONOURED("target", read_string, IN_USE(target), "target", "of a config `/SOURCE`, of a secret `/run/secrets/SOURCE`; a relative path begins there"),
	HONOURED("uid", read_owner, IN_USE(uid), "uid", "0; a number"),
	HONOURED("gid", read_owner, IN_USE(gid), "gid", "0; a number"),
	HONOURED("mode", read_content_mode, IN_USE(mode), "mode", "0444; octal, write bits mean nothing"),
};

#define IN_CONTENT(member) offsetof(struct content_read, content.member)
#define CONTENT_ROWS(noun)                                                                                             \
	HONOURED("file", read_content_file, 0, NULL, "a path on the machine of the deployer; 1 to 511999 bytes"),      \
	HONOURED("environment", read_content_environment, 0, NULL, "a variable of the deployer"),                      \
	{ "name", KEY_WARNED, read_string, IN_CONTENT(name), "name",                                                   \
	  "changes nothing: a " noun " is known by its project and its key; other bytes there are taken up at once" }, \
	{ "labels", KEY_WARNED, read_pairs, IN_CONTENT(labels), "labels",                                              \
	  "change nothing: there is no object that could bear them" },                                                 \
	HONOURED("external", read_content_external, 0, NULL, "`false` only: a " noun " belongs to its project"),       \
	REFUSED("template_driver", "what is in it is taken as it is: write variables into the file that makes it")

static const struct key_row config_rows[] = {
	HONOURED("content", read_content_inline, 0, NULL, "the text itself, with variables"),
	CONTENT_ROWS("config"),
};

static const struct key_row secret_rows[] = {
	CONTENT_ROWS("secret"),
	REFUSED("driver", "drover keeps secrets itself, sealed"),
	REFUSED("driver_opts", "drover keeps secrets itself, sealed"),
};

#define SECTION(place, rows) { place, rows, ARRAY_LEN(rows) }

const struct key_section key_sections[SECTION_COUNT] = {
	[SECTION_FILE] = SECTION("the top level", file_rows),
	[SECTION_INCLUDE] = SECTION("include[]", include_rows),
	[SECTION_SERVICE] = SECTION("services.*", service_rows),
	[SECTION_EXTENDS] = SECTION("services.*.extends", extends_rows),
	[SECTION_ENV_FILE] = SECTION("services.*.env_file[]", env_file_rows),
	[SECTION_ULIMIT] = SECTION("services.*.ulimits.*", ulimit_rows),
	[SECTION_BLKIO] = SECTION("services.*.blkio_config", blkio_rows),
	[SECTION_BLKIO_WEIGHT] = SECTION("services.*.blkio_config.weight_device[]", blkio_weight_rows),
	[SECTION_BLKIO_RATE] = SECTION("services.*.blkio_config.device_*[]", blkio_rate_rows),
	[SECTION_DEVICE] = SECTION("services.*.devices[]", device_rows),
	[SECTION_GPU] = SECTION("services.*.gpus[]", gpu_rows),
	[SECTION_LOGGING] = SECTION("services.*.logging", logging_rows),
	[SECTION_PORT] = SECTION("services.*.ports[]", port_rows),
	[SECTION_MOUNT] = SECTION("services.*.volumes[]", mount_rows),
	[SECTION_MOUNT_BIND] = SECTION("services.*.volumes[].bind", mount_bind_rows),
	[SECTION_MOUNT_VOLUME] = SECTION("services.*.volumes[].volume", mount_volume_rows),
	[SECTION_MOUNT_TMPFS] = SECTION("services.*.volumes[].tmpfs", mount_tmpfs_rows),
	[SECTION_SERVICE_NETWORK] = SECTION("services.*.networks.*", service_network_rows),
	[SECTION_HEALTHCHECK] = SECTION("services.*.healthcheck", healthcheck_rows),
	[SECTION_HOOK] = SECTION("services.*.post_start[]", hook_rows),
	[SECTION_DEPENDS_ON] = SECTION("services.*.depends_on.*", depends_on_rows),
	[SECTION_DEPLOY] = SECTION("services.*.deploy", deploy_rows),
	[SECTION_RESOURCES] = SECTION("services.*.deploy.resources", resources_rows),
	[SECTION_LIMITS] = SECTION("services.*.deploy.resources.limits", limits_rows),
	[SECTION_RESERVATIONS] = SECTION("services.*.deploy.resources.reservations", reservations_rows),
	[SECTION_DEVICE_REQUEST] = SECTION("services.*.deploy.resources.reservations.devices[]", device_request_rows),
	[SECTION_RESTART_POLICY] = SECTION("services.*.deploy.restart_policy", restart_policy_rows),
	[SECTION_UPDATE_CONFIG] = SECTION("services.*.deploy.update_config", update_config_rows),
	[SECTION_ROLLBACK_CONFIG] = SECTION("services.*.deploy.rollback_config", rollback_config_rows),
	[SECTION_PLACEMENT] = SECTION("services.*.deploy.placement", placement_rows),
	[SECTION_PREFERENCE] = SECTION("services.*.deploy.placement.preferences[]", preference_rows),
	[SECTION_DROVER] = SECTION("services.*.x-drover", drover_rows),
	[SECTION_SCHEDULE] = SECTION("services.*.x-drover.schedule", schedule_rows),
	[SECTION_PROBE] = SECTION("services.*.x-drover.health", probe_rows),
	[SECTION_PROBE_HTTP] = SECTION("services.*.x-drover.health.http", probe_http_rows),
	[SECTION_PROBE_TCP] = SECTION("services.*.x-drover.health.tcp", probe_tcp_rows),
	[SECTION_NETWORK] = SECTION("networks.*", network_rows),
	[SECTION_IPAM] = SECTION("networks.*.ipam", ipam_rows),
	[SECTION_IPAM_POOL] = SECTION("networks.*.ipam.config[]", ipam_pool_rows),
	[SECTION_VOLUME] = SECTION("volumes.*", volume_rows),
	[SECTION_CONTENT_USE] = SECTION("services.*.configs[], secrets[]", content_use_rows),
	[SECTION_CONFIG] = SECTION("configs.*", config_rows),
	[SECTION_SECRET] = SECTION("secrets.*", secret_rows),
};
// clang-format on
