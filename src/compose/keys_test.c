/* A walk over every key of the table: refused ones say so with their place and reason, honoured ones change the
 * request. A new row needs a sample here. */
#include "compose/testing.h"

#include <stdio.h>

#include "compose/keys.h"
#include "compose/places_testing.h"

/* A whole inside of the section with the key in it. `same`: it is accepted and changes nothing. */
struct sample {
	enum section_id section;
	const char *key;
	const char *inside;
	bool same;
};

#define IMAGE "image: nginx, "
#define FILE_ "services: {web: {image: nginx}}, "

static const struct sample samples[] = {
	{ SECTION_FILE, "version", FILE_ "version: '3'", true },
	{ SECTION_FILE, "include", FILE_ "include: [sub/in.yaml]", false },
	{ SECTION_INCLUDE, "path", "path: [sub/in.yaml, over.yaml]", false },
	{ SECTION_INCLUDE, "project_directory", "path: sub/in.yaml, project_directory: .", false },
	{ SECTION_INCLUDE, "env_file", "path: sub/in.yaml, env_file: a.env", false },
	{ SECTION_FILE, "name", FILE_ "name: other", false },
	{ SECTION_FILE, "services", "services: {web: {image: nginx}, two: {image: nginx}}", false },
	{ SECTION_FILE, "networks", FILE_ "networks: {net: }", false },
	{ SECTION_FILE, "volumes", FILE_ "volumes: {vol: }", false },
	{ SECTION_SERVICE, "image", "image: other", false },
	{ SECTION_SERVICE, "build", IMAGE "build: .", true },
	{ SECTION_SERVICE, "command", IMAGE "command: sleep 1", false },
	{ SECTION_SERVICE, "entrypoint", IMAGE "entrypoint: [a]", false },
	{ SECTION_SERVICE, "env_file", IMAGE "env_file: a.env", false },
	{ SECTION_SERVICE, "environment", IMAGE "environment: [A=1]", false },
	{ SECTION_SERVICE, "working_dir", IMAGE "working_dir: /w", false },
	{ SECTION_SERVICE, "user", IMAGE "user: me", false },
	{ SECTION_SERVICE, "hostname", IMAGE "hostname: h", false },
	{ SECTION_SERVICE, "init", IMAGE "init: false", false },
	{ SECTION_SERVICE, "read_only", IMAGE "read_only: true", false },
	{ SECTION_SERVICE, "cap_add", IMAGE "cap_add: [ALL]", false },
	{ SECTION_SERVICE, "cap_drop", IMAGE "cap_drop: [ALL]", false },
	{ SECTION_SERVICE, "sysctls", IMAGE "sysctls: [a=1]", false },
	{ SECTION_SERVICE, "ulimits", IMAGE "ulimits: {nofile: 9}", false },
	{ SECTION_SERVICE, "shm_size", IMAGE "shm_size: 1m", false },
	{ SECTION_SERVICE, "extra_hosts", IMAGE "extra_hosts: [\"a=1.2.3.4\"]", false },
	{ SECTION_SERVICE, "dns", IMAGE "dns: \"1.2.3.4\"", false },
	{ SECTION_SERVICE, "logging", IMAGE "logging: {driver: syslog}", false },
	{ SECTION_SERVICE, "labels", IMAGE "labels: [a]", false },
	{ SECTION_SERVICE, "pull_policy", IMAGE "pull_policy: never", false },
	{ SECTION_SERVICE, "platform", IMAGE "platform: linux/amd64", false },
	{ SECTION_SERVICE, "ports", IMAGE "ports: [80]", false },
	{ SECTION_SERVICE, "volumes", IMAGE "volumes: [/v]", false },
	{ SECTION_SERVICE, "tmpfs", IMAGE "tmpfs: /t", false },
	{ SECTION_SERVICE, "networks", IMAGE "networks: {default: {aliases: [w]}}", false },
	{ SECTION_SERVICE, "stop_signal", IMAGE "stop_signal: SIGINT", false },
	{ SECTION_SERVICE, "stop_grace_period", IMAGE "stop_grace_period: 1s", false },
	{ SECTION_SERVICE, "healthcheck", IMAGE "healthcheck: {test: x}", false },
	{ SECTION_SERVICE, "restart", IMAGE "restart: always", false },
	{ SECTION_SERVICE, "scale", IMAGE "scale: 2", false },
	{ SECTION_SERVICE, "deploy", IMAGE "deploy: {replicas: 2}", false },
	{ SECTION_SERVICE, "cpu_shares", IMAGE "cpu_shares: 512", false },
	{ SECTION_SERVICE, "cpu_period", IMAGE "cpu_period: 10ms", false },
	{ SECTION_SERVICE, "cpu_quota", IMAGE "cpu_quota: 5000", false },
	{ SECTION_SERVICE, "cpu_rt_period", IMAGE "cpu_rt_period: 1s", false },
	{ SECTION_SERVICE, "cpu_rt_runtime", IMAGE "cpu_rt_runtime: '950'", false },
	{ SECTION_SERVICE, "cpuset", IMAGE "cpuset: '0'", false },
	{ SECTION_SERVICE, "cpus", IMAGE "cpus: 1", false },
	{ SECTION_SERVICE, "mem_limit", IMAGE "mem_limit: 64m", false },
	{ SECTION_SERVICE, "mem_reservation", IMAGE "mem_reservation: 64m", false },
	{ SECTION_SERVICE, "memswap_limit", IMAGE "memswap_limit: -1", false },
	{ SECTION_SERVICE, "mem_swappiness", IMAGE "mem_swappiness: 0", false },
	{ SECTION_SERVICE, "oom_kill_disable", IMAGE "oom_kill_disable: true", false },
	{ SECTION_SERVICE, "oom_score_adj", IMAGE "oom_score_adj: 5", false },
	{ SECTION_SERVICE, "pids_limit", IMAGE "pids_limit: 5", false },
	{ SECTION_SERVICE, "blkio_config", IMAGE "blkio_config: {weight: 10}", false },
	{ SECTION_SERVICE, "cgroup", IMAGE "cgroup: private", false },
	{ SECTION_SERVICE, "cgroup_parent", IMAGE "cgroup_parent: a", false },
	{ SECTION_SERVICE, "storage_opt", IMAGE "storage_opt: {size: 1G}", false },
	{ SECTION_SERVICE, "privileged", IMAGE "privileged: true", false },
	{ SECTION_SERVICE, "security_opt", IMAGE "security_opt: [writable-cgroups=true]", false },
	{ SECTION_SERVICE, "userns_mode", IMAGE "userns_mode: host", false },
	{ SECTION_SERVICE, "pid", IMAGE "pid: host", false },
	{ SECTION_SERVICE, "ipc", IMAGE "ipc: private", false },
	{ SECTION_SERVICE, "uts", IMAGE "uts: host", false },
	{ SECTION_SERVICE, "network_mode", IMAGE "network_mode: host", false },
	{ SECTION_SERVICE, "group_add", IMAGE "group_add: [5, mail]", false },
	{ SECTION_SERVICE, "runtime", IMAGE "runtime: runsc", false },
	{ SECTION_SERVICE, "devices", IMAGE "devices: [vendor.com/class=name]", false },
	{ SECTION_SERVICE, "device_cgroup_rules", IMAGE "device_cgroup_rules: ['c 1:3 mr']",
	  false },
	{ SECTION_SERVICE, "gpus", IMAGE "gpus: all", false },
	{ SECTION_SERVICE, "tty", IMAGE "tty: true", false },
	{ SECTION_SERVICE, "stdin_open", IMAGE "stdin_open: true", false },
	{ SECTION_SERVICE, "domainname", IMAGE "domainname: a.b", false },
	{ SECTION_SERVICE, "dns_opt", IMAGE "dns_opt: [use-vc]", false },
	{ SECTION_SERVICE, "dns_search", IMAGE "dns_search: a.b", false },
	{ SECTION_SERVICE, "annotations", IMAGE "annotations: [a=b]", false },
	{ SECTION_SERVICE, "expose", IMAGE "expose: [80]", false },
	{ SECTION_SERVICE, "attach", IMAGE "attach: false", true },
	{ SECTION_SERVICE, "container_name", IMAGE "container_name: me", false },
	{ SECTION_SERVICE, "label_file", IMAGE "label_file: a.env", false },
	{ SECTION_SERVICE, "links", IMAGE "links: [two]}, two: {image: nginx", false },
	{ SECTION_SERVICE, "volumes_from", IMAGE "volumes_from: [two]}, two: {image: nginx",
	  false },
	{ SECTION_SERVICE, "mac_address", IMAGE "mac_address: '02:42:ac:11:00:02'", false },
	{ SECTION_SERVICE, "depends_on",
	  IMAGE "depends_on: {x: {condition: service_started, required: false}}", false },
	{ SECTION_SERVICE, "x-drover", IMAGE "x-drover: {priority: 1}", false },
	{ SECTION_SERVICE, "profiles", IMAGE "profiles: [a]}, other: {image: x", false },
	{ SECTION_SERVICE, "extends", IMAGE "extends: {service: base, file: other.yaml}", false },
	{ SECTION_EXTENDS, "service", "service: more, file: other.yaml", false },
	{ SECTION_EXTENDS, "file", "service: base, file: third.yaml", false },
	{ SECTION_ENV_FILE, "path", "path: b.env", false },
	{ SECTION_ENV_FILE, "required", "path: none.env, required: false", false },
	{ SECTION_ENV_FILE, "format", "path: a.env, format: raw", false },
	{ SECTION_ULIMIT, "soft", "soft: 2, hard: 2", false },
	{ SECTION_ULIMIT, "hard", "soft: 1, hard: 3", false },
	{ SECTION_BLKIO, "weight", "weight: 10", false },
	{ SECTION_BLKIO, "weight_device", "weight_device: [{path: /dev/a, weight: 10}]", false },
	{ SECTION_BLKIO, "device_read_bps", "device_read_bps: [{path: /dev/a, rate: 1}]", false },
	{ SECTION_BLKIO, "device_write_bps", "device_write_bps: [{path: /dev/a, rate: 1}]", false },
	{ SECTION_BLKIO, "device_read_iops", "device_read_iops: [{path: /dev/a, rate: 1}]", false },
	{ SECTION_BLKIO, "device_write_iops", "device_write_iops: [{path: /dev/a, rate: 1}]",
	  false },
	{ SECTION_BLKIO_WEIGHT, "path", "path: /dev/b, weight: 10", false },
	{ SECTION_BLKIO_WEIGHT, "weight", "path: /dev/a, weight: 11", false },
	{ SECTION_BLKIO_RATE, "path", "path: /dev/b, rate: 10", false },
	{ SECTION_BLKIO_RATE, "rate", "path: /dev/a, rate: 1k", false },
	{ SECTION_DEVICE, "source", "source: /dev/b", false },
	{ SECTION_DEVICE, "target", "source: /dev/a, target: /dev/b", false },
	{ SECTION_DEVICE, "permissions", "source: /dev/a, permissions: r", false },
	{ SECTION_GPU, "driver", "driver: cdi, device_ids: [a/b=c]", false },
	{ SECTION_GPU, "count", "count: 2", false },
	{ SECTION_GPU, "device_ids", "device_ids: ['0']", false },
	{ SECTION_GPU, "capabilities", "capabilities: [utility]", false },
	{ SECTION_GPU, "options", "options: {a: b}", false },
	{ SECTION_LOGGING, "driver", "driver: none", false },
	{ SECTION_LOGGING, "options", "options: {a: 1}", false },
	{ SECTION_PORT, "target", "target: 81", false },
	{ SECTION_PORT, "published", "target: 80, published: 80", false },
	{ SECTION_PORT, "host_ip", "target: 80, host_ip: \"127.0.0.1\"", false },
	{ SECTION_PORT, "protocol", "target: 80, protocol: udp", false },
	{ SECTION_PORT, "mode", "target: 80, mode: host", true },
	{ SECTION_PORT, "name", "target: 80, name: web", true },
	{ SECTION_PORT, "app_protocol", "target: 80, app_protocol: http", true },
	{ SECTION_MOUNT, "type", "type: tmpfs, target: /a", false },
	{ SECTION_MOUNT, "source", "type: bind, source: /s, target: /a", false },
	{ SECTION_MOUNT, "target", "type: volume, target: /b", false },
	{ SECTION_MOUNT, "read_only", "type: volume, target: /a, read_only: true", false },
	{ SECTION_MOUNT, "bind", "type: bind, source: /s, target: /a, bind: {}", false },
	{ SECTION_MOUNT, "volume", "type: volume, target: /a, volume: {nocopy: true}", false },
	{ SECTION_MOUNT, "tmpfs", "type: tmpfs, target: /a, tmpfs: {size: 1m}", false },
	{ SECTION_MOUNT_BIND, "propagation", "propagation: shared", false },
	{ SECTION_MOUNT_BIND, "create_host_path", "recursive: disabled, create_host_path: true",
	  false },
	{ SECTION_MOUNT_VOLUME, "nocopy", "nocopy: true", false },
	{ SECTION_MOUNT_TMPFS, "size", "size: 1m", false },
	{ SECTION_MOUNT_TMPFS, "mode", "mode: 0755", false },
	{ SECTION_SERVICE_NETWORK, "aliases", "aliases: [a]", false },
	{ SECTION_MOUNT, "consistency", "type: volume, target: /a, consistency: cached", true },
	{ SECTION_MOUNT_BIND, "recursive",
	  "create_host_path: false, recursive: writable}, read_only: true}]}} #", false },
	{ SECTION_MOUNT_BIND, "selinux", "selinux: z", false },
	{ SECTION_MOUNT_VOLUME, "subpath", "subpath: a}, source: vol}]}}\nvolumes: {vol: } #",
	  false },
	{ SECTION_MOUNT_VOLUME, "labels", "labels: {a: b}", false },
	{ SECTION_SERVICE_NETWORK, "driver_opts", "driver_opts: {a: b}", false },
	{ SECTION_SERVICE_NETWORK, "gw_priority", "gw_priority: 1", false },
	{ SECTION_SERVICE_NETWORK, "interface_name", "interface_name: eth7", false },
	{ SECTION_SERVICE_NETWORK, "ipv4_address",
	  "ipv4_address: 10.0.0.2}}}}\nnetworks: {default: {ipam: {config: [{subnet: "
	  "10.0.0.0/24}]}}} #",
	  false },
	{ SECTION_SERVICE_NETWORK, "ipv6_address",
	  "ipv6_address: '2001:db8::2'}}}}\nnetworks: {default: {ipam: {config: [{subnet: "
	  "'2001:db8::/64'}]}}} #",
	  false },
	{ SECTION_SERVICE_NETWORK, "link_local_ips", "link_local_ips: [169.254.1.1]", false },
	{ SECTION_SERVICE_NETWORK, "mac_address",
	  "priority: -1, mac_address: '02:42:ac:11:00:02'}, two: {}}}}\nnetworks: {two: } #",
	  false },
	{ SECTION_SERVICE_NETWORK, "priority", "priority: 1", true },
	{ SECTION_HEALTHCHECK, "test", "test: x", false },
	{ SECTION_HEALTHCHECK, "interval", "interval: 1s", false },
	{ SECTION_HEALTHCHECK, "timeout", "timeout: 1s", false },
	{ SECTION_HEALTHCHECK, "retries", "retries: 1", false },
	{ SECTION_HEALTHCHECK, "start_period", "start_period: 1s", false },
	{ SECTION_HEALTHCHECK, "start_interval", "start_interval: 1s", false },
	{ SECTION_HEALTHCHECK, "disable", "disable: true", false },
	{ SECTION_DEPENDS_ON, "condition", "condition: service_healthy", false },
	{ SECTION_DEPENDS_ON, "restart", "condition: service_started, restart: true", false },
	{ SECTION_DEPENDS_ON, "required", "condition: service_started, required: false", false },
	{ SECTION_DEPLOY, "mode", "mode: replicated-job", false },
	{ SECTION_DEPLOY, "replicas", "replicas: 2", false },
	{ SECTION_DEPLOY, "labels", "labels: {a: b}", false },
	{ SECTION_DEPLOY, "resources", "resources: {limits: {pids: 9}}", false },
	{ SECTION_DEPLOY, "restart_policy", "restart_policy: {condition: none}", false },
	{ SECTION_DEPLOY, "update_config", "update_config: {delay: 1s}", false },
	{ SECTION_DEPLOY, "rollback_config", "rollback_config: {delay: 1s}", false },
	{ SECTION_DEPLOY, "placement", "placement: {max_replicas_per_node: 1}", false },
	{ SECTION_RESOURCES, "limits", "limits: {pids: 9}", false },
	{ SECTION_RESOURCES, "reservations", "reservations: {cpus: 1}", false },
	{ SECTION_LIMITS, "cpus", "cpus: 1.5", false },
	{ SECTION_LIMITS, "memory", "memory: 64m", false },
	{ SECTION_LIMITS, "pids", "pids: 9", false },
	{ SECTION_RESERVATIONS, "cpus", "cpus: '0.1'", false },
	{ SECTION_RESERVATIONS, "memory", "memory: 64m", false },
	{ SECTION_RESERVATIONS, "devices", "devices: [{capabilities: [gpu]}]", false },
	{ SECTION_DEVICE_REQUEST, "driver", "capabilities: [gpu], driver: cdi, device_ids: [a/b=c]",
	  false },
	{ SECTION_DEVICE_REQUEST, "count", "capabilities: [gpu], count: 2", false },
	{ SECTION_DEVICE_REQUEST, "device_ids", "capabilities: [gpu], device_ids: ['0']", false },
	{ SECTION_DEVICE_REQUEST, "capabilities", "capabilities: [tpu]", false },
	{ SECTION_DEVICE_REQUEST, "options", "capabilities: [gpu], options: [a=b]", false },
	{ SECTION_DEPLOY, "endpoint_mode", "endpoint_mode: dnsrr", true },
	{ SECTION_RESTART_POLICY, "condition", "condition: none", false },
	{ SECTION_RESTART_POLICY, "delay", "delay: 1s", false },
	{ SECTION_RESTART_POLICY, "max_attempts", "max_attempts: 1", false },
	{ SECTION_RESTART_POLICY, "window", "window: 1s", false },
	{ SECTION_UPDATE_CONFIG, "parallelism", "parallelism: 2", false },
	{ SECTION_UPDATE_CONFIG, "delay", "delay: 1s", false },
	{ SECTION_UPDATE_CONFIG, "failure_action", "failure_action: continue", false },
	{ SECTION_UPDATE_CONFIG, "monitor", "monitor: 1m", false },
	{ SECTION_UPDATE_CONFIG, "max_failure_ratio", "max_failure_ratio: 0.5", false },
	{ SECTION_UPDATE_CONFIG, "order", "order: start-first", false },
	{ SECTION_ROLLBACK_CONFIG, "parallelism", "parallelism: 2", false },
	{ SECTION_ROLLBACK_CONFIG, "delay", "delay: 1s", false },
	{ SECTION_ROLLBACK_CONFIG, "failure_action", "failure_action: continue", false },
	{ SECTION_ROLLBACK_CONFIG, "monitor", "monitor: 1m", false },
	{ SECTION_ROLLBACK_CONFIG, "max_failure_ratio", "max_failure_ratio: 0.5", false },
	{ SECTION_ROLLBACK_CONFIG, "order", "order: start-first", false },
	{ SECTION_PLACEMENT, "constraints", "constraints: [node.labels.a == b]", false },
	{ SECTION_PLACEMENT, "preferences", "preferences: [{spread: node.labels.a}]", false },
	{ SECTION_PLACEMENT, "max_replicas_per_node", "max_replicas_per_node: 1", false },
	{ SECTION_PREFERENCE, "spread", "spread: node.labels.b", false },
	{ SECTION_DROVER, "priority", "priority: 1", false },
	{ SECTION_DROVER, "scheduler", "scheduler: spread", false },
	{ SECTION_DROVER, "placement_deadline", "placement_deadline: 1s", false },
	{ SECTION_DROVER, "update_deadline", "update_deadline: 1m", false },
	{ SECTION_DROVER, "array", "array: 3", false },
	{ SECTION_DROVER, "concurrency", "concurrency: 1", false },
	{ SECTION_DROVER, "schedule", "schedule: '@daily'", false },
	{ SECTION_SCHEDULE, "cron", "cron: '1 * * * *'", false },
	{ SECTION_SCHEDULE, "time_zone", "cron: '@daily', time_zone: UTC", true },
	{ SECTION_SCHEDULE, "overlap", "cron: '@daily', overlap: queue", false },
	{ SECTION_SCHEDULE, "catch_up", "cron: '@daily', catch_up: 0", false },
	{ SECTION_SCHEDULE, "history", "cron: '@daily', history: 3", false },
	{ SECTION_DROVER, "max_run_time", "max_run_time: 1h", false },
	{ SECTION_DROVER, "disk", "disk: 1g", false },
	{ SECTION_DROVER, "on_disconnect", "on_disconnect: stop", false },
	{ SECTION_DROVER, "lease", "on_disconnect: stop, lease: 2m", false },
	{ SECTION_DROVER, "network", "network: per-node", false },
	{ SECTION_DROVER, "volume", "volume: per-node", false },
	{ SECTION_SERVICE, "post_start", IMAGE "post_start: [{command: a}]", false },
	{ SECTION_SERVICE, "pre_stop", IMAGE "pre_stop: [{command: a}]", false },
	{ SECTION_HOOK, "command", "command: [b, c]", false },
	{ SECTION_HOOK, "user", "command: a, user: root", false },
	{ SECTION_HOOK, "privileged", "command: a, privileged: true", false },
	{ SECTION_HOOK, "working_dir", "command: a, working_dir: /srv", false },
	{ SECTION_HOOK, "environment", "command: a, environment: {A: b}", false },
	{ SECTION_DROVER, "depends_on", "depends_on: [infra/db]", false },
	{ SECTION_DROVER, "health", "health: {tcp: {port: 80}}", false },
	{ SECTION_PROBE, "http", "http: {port: 80}", false },
	{ SECTION_PROBE, "tcp", "tcp: {port: 80}", false },
	{ SECTION_PROBE, "interval", "tcp: {port: 80}, interval: 1s", false },
	{ SECTION_PROBE, "timeout", "tcp: {port: 80}, timeout: 1s", false },
	{ SECTION_PROBE, "retries", "tcp: {port: 80}, retries: 9", false },
	{ SECTION_PROBE, "start_period", "tcp: {port: 80}, start_period: 1s", false },
	{ SECTION_PROBE, "start_interval", "tcp: {port: 80}, start_interval: 1s", false },
	{ SECTION_PROBE_HTTP, "port", "port: 81", false },
	{ SECTION_PROBE_HTTP, "path", "port: 80, path: /ready", false },
	{ SECTION_PROBE_HTTP, "scheme", "port: 80, scheme: https", false },
	{ SECTION_PROBE_HTTP, "status", "port: 80, status: 204", false },
	{ SECTION_PROBE_HTTP, "headers", "port: 80, headers: {a: b}", false },
	{ SECTION_PROBE_TCP, "port", "port: 80", false },
	{ SECTION_NETWORK, "name", "name: nn", false },
	{ SECTION_NETWORK, "driver", "driver: bridge", true },
	{ SECTION_NETWORK, "driver_opts", "driver_opts: {a: b}", false },
	{ SECTION_NETWORK, "attachable", "attachable: true", false },
	{ SECTION_NETWORK, "internal", "internal: true", false },
	{ SECTION_NETWORK, "labels", "labels: {a: b}", false },
	{ SECTION_NETWORK, "external", "external: true", false },
	{ SECTION_NETWORK, "ipam", "ipam: {options: {a: b}}", false },
	{ SECTION_NETWORK, "enable_ipv4", "enable_ipv4: true", true },
	{ SECTION_NETWORK, "enable_ipv6", "enable_ipv6: true", false },
	{ SECTION_IPAM, "driver", "driver: other", false },
	{ SECTION_IPAM, "config", "config: [{subnet: 10.9.0.0/24}]", false },
	{ SECTION_IPAM, "options", "options: {a: b}", false },
	{ SECTION_IPAM_POOL, "subnet", "subnet: 10.8.0.0/24", false },
	{ SECTION_IPAM_POOL, "ip_range", "subnet: 10.9.0.0/24, ip_range: 10.9.0.128/25", false },
	{ SECTION_IPAM_POOL, "gateway", "subnet: 10.9.0.0/24, gateway: 10.9.0.9", false },
	{ SECTION_IPAM_POOL, "aux_addresses", "subnet: 10.9.0.0/24, aux_addresses: {a: 10.9.0.9}",
	  false },
	{ SECTION_VOLUME, "name", "name: vv", false },
	{ SECTION_VOLUME, "driver", "driver: nfs", false },
	{ SECTION_VOLUME, "driver_opts", "driver_opts: {a: b}", false },
	{ SECTION_VOLUME, "labels", "labels: {a: b}", false },
	{ SECTION_VOLUME, "external", "external: true", false },
	{ SECTION_FILE, "configs",
	  "services: {web: {image: nginx, configs: [c]}}, configs: {c: {content: x}}", false },
	{ SECTION_FILE, "secrets",
	  "services: {web: {image: nginx, secrets: [s]}}, secrets: {s: {file: a.env}}", false },
	{ SECTION_SERVICE, "configs", IMAGE "configs: [c]}}\nconfigs: {c: {content: x", false },
	{ SECTION_SERVICE, "secrets", IMAGE "secrets: [s]}}\nsecrets: {s: {file: a.env", false },
	{ SECTION_CONTENT_USE, "source", "source: d", false },
	{ SECTION_CONTENT_USE, "target", "source: c, target: /t", false },
	{ SECTION_CONTENT_USE, "uid", "source: c, uid: \"5\"", false },
	{ SECTION_CONTENT_USE, "gid", "source: c, gid: 5", false },
	{ SECTION_CONTENT_USE, "mode", "source: c, mode: 0400", false },
	{ SECTION_CONFIG, "content", "content: y", false },
	{ SECTION_CONFIG, "file", "file: a.env", false },
	{ SECTION_CONFIG, "environment", "environment: COMPOSE_PROJECT_NAME", false },
	{ SECTION_CONFIG, "name", "content: x, name: nn", false },
	{ SECTION_CONFIG, "labels", "content: x, labels: {a: b}", false },
	{ SECTION_CONFIG, "external", "content: x, external: false", true },
	{ SECTION_SECRET, "file", "file: b.env", false },
	{ SECTION_SECRET, "environment", "environment: COMPOSE_PROJECT_NAME", false },
	{ SECTION_SECRET, "name", "file: a.env, name: nn", false },
	{ SECTION_SECRET, "labels", "file: a.env, labels: {a: b}", false },
	{ SECTION_SECRET, "external", "file: a.env, external: false", true },
};

static const struct test_file files[] = {
	{ "/srv/shop/a.env", "A=\"1\"\n" },
	{ "/srv/shop/b.env", "A=2\n" },
	{ "/srv/shop/other.yaml", "services: {base: {user: a}, more: {user: b}}\n" },
	{ "/srv/shop/sub/in.yaml",
	  "services: {in: {image: in, user: 'u${A-}', volumes: ['./a:/a']}}\n" },
	{ "/srv/shop/over.yaml", "services: {in: {image: over}}\n" },
	{ "/srv/shop/third.yaml", "services: {base: {user: c}}\n" },
	{ NULL, NULL },
};

static const struct sample *sample_of(enum section_id section, const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		if (samples[i].section == section && strcmp(samples[i].key, key) == 0)
			return &samples[i];
	return NULL;
}

/* What the jobs of the request need, and what the row says. */
static void check_engine(const struct project_request *request, const struct key_row *row,
			 const char *file)
{
	struct project project = { .networks.items = request->networks.items,
				   .networks.n = request->networks.n };
	int64_t minor = 0;
	for (size_t i = 0; i < request->jobs.n; i++) {
		const struct job_spec *spec = &request->jobs.items[i].spec;
		int64_t needed = engine_needs[job_engine(spec, &project)].minor;
		minor = needed > minor ? needed : minor;
	}
	if (minor != engine_needs[row->engine].minor)
		print_error("%s", file);
	assert_int_equal(minor, engine_needs[row->engine].minor);
}

static void check_honoured(enum section_id section, const struct key_row *row)
{
	const struct sample *sample = sample_of(section, row->name);
	if (!sample) {
		fail_msg("%s.%s has no sample", key_sections[section].place, row->name);
		return;
	}
	struct test_world world = { .files = files };
	_cleanup_free_ char *plain = file_with(section, places[section].inside);
	_cleanup_free_ char *with = file_with(section, sample->inside);
	struct project_request before = test_good(&world, plain);
	struct project_request after = test_good(&world, with);
	if (record_equal(&project_request_type, &before, &after) != sample->same)
		print_error("%s", with);
	assert_int_equal(record_equal(&project_request_type, &before, &after), sample->same);
	check_engine(&after, row, with);
	bool optional = strstr(sample->inside, "required: false") && strstr(sample->inside, "x: {");
	assert_int_equal(world.warnings.items.n,
			 optional || row->status == KEY_OBSOLETE || row->status == KEY_WARNED);
	test_request_release(&before);
	test_request_release(&after);
	test_world_release(&world);
}

static void check_refused(enum section_id section, const struct key_row *row)
{
	struct text inside;
	char field[ERR_FIELD_MAX];
	const struct place *place = &places[section];
	text_init(&inside, 4096);
	text_addf(&inside, "%s%s%s: {}", place->inside, *place->inside ? ", " : "", row->name);
	_cleanup_free_ char *text = file_with(section, text_string(&inside));
	/* On the last line, behind what stands before it. */
	const char *line = strrchr(place->before, '\n');
	const char *line_start = line ? line + 1 : place->before;
	size_t column = strlen(line_start) + inside.len - strlen(row->name) - strlen(": {}") + 1;
	text_print(field, sizeof(field), "compose.yaml:%d:%zu: %s%s%s", line ? 2 : 1, column,
		   place->path, *place->path ? "." : "", row->name);
	struct test_world world = { .files = files };
	struct project_request request;
	assert_int_equal(test_load(&world, text, &request), ERR_UNSUPPORTED);
	assert_string_equal(world.err.field, field);
	assert_non_null(strstr(world.err.message, row->text));
	test_world_release(&world);
	text_release(&inside);
}

static void every_key_of_the_table_is_honoured_or_refused_as_it_says(void **state)
{
	(void)state;
	size_t n_honoured = 0;
	size_t n_refused = 0;
	for (size_t i = 0; i < SECTION_COUNT; i++) {
		for (size_t j = 0; j < key_sections[i].n_rows; j++) {
			const struct key_row *row = &key_sections[i].rows[j];
			if (row->status == KEY_REFUSED)
				check_refused((enum section_id)i, row);
			else
				check_honoured((enum section_id)i, row);
			n_refused += row->status == KEY_REFUSED;
			n_honoured += row->status != KEY_REFUSED;
		}
	}
	assert_int_equal(n_honoured, ARRAY_LEN(samples));
	assert_true(n_refused > 0);
}

/* What only newer Dockers do is said of a key. */
static void every_need_of_a_newer_docker_stands_in_the_table(void **state)
{
	(void)state;
	bool named[ENGINE_FEATURE_COUNT] = { [ENGINE_ANY] = true };
	for (size_t i = 0; i < SECTION_COUNT; i++)
		for (size_t j = 0; j < key_sections[i].n_rows; j++)
			named[key_sections[i].rows[j].engine] = true;
	for (size_t i = 0; i < ENGINE_FEATURE_COUNT; i++)
		assert_true(named[i]);
}

static void no_key_stands_twice_in_a_section(void **state)
{
	(void)state;
	for (size_t i = 0; i < SECTION_COUNT; i++)
		for (size_t j = 0; j < key_sections[i].n_rows; j++)
			for (size_t k = 0; k < j; k++)
				assert_string_not_equal(key_sections[i].rows[j].name,
							key_sections[i].rows[k].name);
}

/* The keys of the specification's schema for a service, June 2026. */
static void every_service_key_of_the_specification_is_known(void **state)
{
	static const char keys[] =
		"annotations attach blkio_config build cap_add cap_drop cgroup cgroup_parent "
		"command configs "
		"container_name cpu_count cpu_percent cpu_period cpu_quota cpu_rt_period "
		"cpu_rt_runtime "
		"cpu_shares cpus cpuset credential_spec depends_on deploy develop "
		"device_cgroup_rules devices "
		"dns dns_opt dns_search domainname entrypoint env_file environment expose extends "
		"external_links extra_hosts gpus group_add healthcheck hostname image init ipc "
		"isolation "
		"label_file labels links logging mac_address mem_limit mem_reservation "
		"mem_swappiness "
		"memswap_limit models network_mode networks oom_kill_disable oom_score_adj pid "
		"pids_limit "
		"platform ports post_start pre_start pre_stop privileged profiles provider "
		"pull_policy "
		"pull_refresh_after read_only restart runtime scale secrets security_opt shm_size "
		"stdin_open "
		"stop_grace_period stop_signal storage_opt sysctls tmpfs tty ulimits "
		"use_api_socket user "
		"userns_mode uts volumes volumes_from working_dir ";
	(void)state;
	const struct key_section *section = &key_sections[SECTION_SERVICE];
	size_t n = 0;
	for (const char *key = keys; *key; key = strchr(key, ' ') + 1, n++) {
		size_t len = strcspn(key, " ");
		bool known = false;
		for (size_t i = 0; i < section->n_rows && !known; i++)
			known = strlen(section->rows[i].name) == len &&
				memcmp(section->rows[i].name, key, len) == 0;
		if (!known)
			print_error("%.*s\n", (int)len, key);
		assert_true(known);
	}
	assert_int_equal(n, 93);
}

static void an_unknown_key_is_named_with_what_was_probably_meant(void **state)
{
	(void)state;
	test_bad("    imge: x\n", ERR_INVALID, "compose.yaml:4:5: services.web.imge",
		 "services.* has no key \"imge\"; did you mean \"image\"?");
	test_bad("    enviroment: {}\n", ERR_INVALID, "compose.yaml:4:5: services.web.enviroment",
		 "did you mean \"environment\"?");
	test_bad("    volume: []\n", ERR_INVALID, "compose.yaml:4:5: services.web.volume",
		 "did you mean \"volumes\"?");
	test_bad("    replicas: 2\n", ERR_INVALID, "compose.yaml:4:5: services.web.replicas",
		 "services.* has no key \"replicas\"; it belongs under services.*.deploy");
	test_bad("    something_else: 2\n", ERR_INVALID,
		 "compose.yaml:4:5: services.web.something_else",
		 "services.* has no key \"something_else\"");
	test_bad_file("web:\n  image: nginx\n", ERR_INVALID, "compose.yaml:1:1: web",
		      "the top level has no key \"web\"");
	test_bad_file("image: nginx\n", ERR_INVALID, "compose.yaml:1:1: image",
		      "the top level has no key \"image\"; it belongs under services.*");
}

static void free_keys_are_free_and_our_own_is_read_in_one_place_only(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	struct project_request request = test_good(
		&world,
		"x-a: [1]\n"
		"services: {web: {image: nginx, x-b: 1, deploy: {x-c: 1}, ports: [{target: 1, "
		"x-d: 1}]}}\n"
		"networks: {default: {x-e: 1}}\n"
		"volumes: {v: {x-f: 1}}\n");
	assert_int_equal(world.warnings.items.n, 0);
	test_request_release(&request);
	test_world_release(&world);
	test_bad_file("x-drover: {priority: 1}\nservices: {web: {image: nginx}}\n", ERR_UNSUPPORTED,
		      "compose.yaml:1:1: x-drover", "x-drover is read under a service only");
	test_bad("    x-drover: {prioriti: 1}\n", ERR_INVALID,
		 "compose.yaml:4:16: services.web.x-drover.prioriti", "did you mean \"priority\"?");
}

static char *read_whole(const char *path)
{
	struct text text;
	char buffer[4096];
	size_t n;
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	text_init(&text, 1 << 24);
	while ((n = fread(buffer, 1, sizeof(buffer), file)) > 0)
		text_add_bytes(&text, buffer, n);
	fclose(file);
	return text_take(&text);
}

static void the_manual_holds_the_tables_of_this_program(void **state)
{
	(void)state;
	_cleanup_free_ char *page = read_whole(SOURCE_ROOT "/docs/compose.md");
	const char *begin = strstr(page, "<!-- keys: begin -->\n");
	const char *end = strstr(page, "<!-- keys: end -->\n");
	struct text tables;
	assert_non_null(begin);
	assert_non_null(end);
	begin += strlen("<!-- keys: begin -->\n");
	text_init(&tables, 1 << 24);
	keys_markdown(&tables);
	if ((size_t)(end - begin) != tables.len ||
	    memcmp(begin, text_string(&tables), tables.len) != 0)
		print_error("docs/compose.md is out of date: run compose-keys-doc\n");
	assert_int_equal(end - begin, tables.len);
	assert_memory_equal(begin, text_string(&tables), tables.len);
	text_release(&tables);
}

/* The table of Swarm's words names no key that there is not, and says something of every key of a service. */
static void the_words_of_swarm_are_of_keys_that_there_are(void **state)
{
	(void)state;
	const struct key_section *section = &key_sections[SECTION_SERVICE];
	size_t n_refused = 0;
	for (size_t i = 0; i < section->n_rows; i++) {
		const char *word = keys_in_swarm(SECTION_SERVICE, section->rows[i].name);
		assert_true(*word);
		n_refused += strcmp(word, "refused") == 0;
	}
	/* 29 honoured, 4 in part, 16 with a warning, 4 in silence. */
	assert_int_equal(section->n_rows - n_refused, 29 + 4 + 16 + 4);
	assert_string_equal(keys_in_swarm(SECTION_PORT, "host_ip"), "refused");
	assert_string_equal(keys_in_swarm(SECTION_MOUNT_BIND, "create_host_path"),
			    "ignored in silence");
	assert_string_equal(keys_in_swarm(SECTION_SERVICE, "restart"), "in part");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_of_the_table_is_honoured_or_refused_as_it_says),
		cmocka_unit_test(every_need_of_a_newer_docker_stands_in_the_table),
		cmocka_unit_test(no_key_stands_twice_in_a_section),
		cmocka_unit_test(every_service_key_of_the_specification_is_known),
		cmocka_unit_test(an_unknown_key_is_named_with_what_was_probably_meant),
		cmocka_unit_test(free_keys_are_free_and_our_own_is_read_in_one_place_only),
		cmocka_unit_test(the_manual_holds_the_tables_of_this_program),
		cmocka_unit_test(the_words_of_swarm_are_of_keys_that_there_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
