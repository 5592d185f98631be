/* Keys that few services have: what they read as, alone and together. */
#include "compose/testing.h"

#include "job/engine.h"

static struct project_request request;

static const struct job_spec *spec_of(const char *lines)
{
	test_request_release(&request);
	request = test_spec(lines);
	return &request.jobs.items[0].spec;
}

static void what_the_kernel_gives_is_read(void **state)
{
	(void)state;
	const struct job_spec *spec = spec_of("    cpu_shares: 512\n"
					      "    cpu_period: 50ms\n"
					      "    cpu_quota: \"25000\"\n"
					      "    cpu_rt_period: 1s\n"
					      "    cpu_rt_runtime: 950000\n"
					      "    cpuset: 0-1,3\n"
					      "    mem_limit: 64m\n"
					      "    memswap_limit: 128m\n"
					      "    mem_swappiness: 0\n"
					      "    oom_kill_disable: true\n"
					      "    oom_score_adj: -100\n"
					      "    cgroup: private\n"
					      "    cgroup_parent: batch.slice\n"
					      "    storage_opt: {size: 1G}\n");
	const struct tuning *tuning = spec->tuning;
	assert_int_equal(tuning->cpu_shares, 512);
	assert_int_equal(tuning->cpu_period_us, 50000);
	assert_int_equal(tuning->cpu_quota_us, 25000);
	assert_int_equal(tuning->cpu_realtime_period_us, 1000000);
	assert_int_equal(tuning->cpu_realtime_runtime_us, 950000);
	assert_string_equal(tuning->cpuset, "0-1,3");
	assert_int_equal(spec->limits.memory_bytes, 64 << 20);
	assert_int_equal(tuning->memory_swap_bytes, 128 << 20);
	assert_true(tuning->has_memory_swappiness);
	assert_true(tuning->oom_kill_disable);
	assert_int_equal(tuning->oom_score_adj, -100);
	assert_int_equal(tuning->cgroup_namespace, CGROUP_PRIVATE);
	assert_string_equal(tuning->cgroup_parent, "batch.slice");
	assert_string_equal(pairs_get(&tuning->storage_opt, "size"), "1G");
	assert_int_equal(job_spec_protocol(spec), 2);
	tuning = spec_of("    cpu_rt_period: 1400us\n    cpu_rt_runtime: 1.3ms\n")->tuning;
	assert_int_equal(tuning->cpu_realtime_period_us, 1400);
	assert_int_equal(tuning->cpu_realtime_runtime_us, 1300);
}

static void shares_of_disks_are_read(void **state)
{
	(void)state;
	const struct tuning *tuning =
		spec_of("    blkio_config:\n"
			"      weight: 300\n"
			"      weight_device: [{path: /dev/sda, weight: 400}]\n"
			"      device_read_bps: [{path: /dev/sdb, rate: 12mb}]\n"
			"      device_write_iops: [{path: /dev/sdb, rate: 30}]\n")
			->tuning;
	assert_int_equal(tuning->blkio_weight, 300);
	assert_int_equal(tuning->blkio_weight_device.items[0].weight, 400);
	assert_int_equal(tuning->blkio_read_bps.items[0].rate, 12 << 20);
	assert_string_equal(tuning->blkio_write_iops.items[0].path, "/dev/sdb");
	test_bad("    blkio_config: {device_read_bps: [{path: /dev/a}]}\n", ERR_INVALID,
		 "compose.yaml:4:38: services.web.blkio_config.device_read_bps[0]",
		 "expected both path and rate");
	test_bad("    blkio_config: {weight_device: [{path: /srv/a, weight: 10}]}\n", ERR_INVALID,
		 "compose.yaml:4:36: services.web.blkio_config.weight_device[0]",
		 "\"/srv/a\" is not a device like /dev/sda");
}

static void nothing_unusual_is_nothing(void **state)
{
	(void)state;
	const struct job_spec *spec = spec_of("    oom_score_adj: 0\n"
					      "    oom_kill_disable: false\n"
					      "    cpu_shares: 0\n"
					      "    memswap_limit: 0\n"
					      "    blkio_config: {}\n");
	assert_null(spec->tuning);
	assert_int_equal(job_spec_protocol(spec), 1);
}

static void one_amount_at_two_places_must_agree(void **state)
{
	(void)state;
	const struct job_spec *spec =
		spec_of("    cpus: 1.5\n"
			"    mem_limit: 1g\n"
			"    mem_reservation: 64m\n"
			"    pids_limit: -1\n"
			"    deploy: {resources: {limits: {cpus: '1.5', pids: -1}}}\n");
	assert_int_equal(spec->limits.cpu_milli, 1500);
	assert_int_equal(spec->limits.memory_bytes, 1 << 30);
	assert_int_equal(spec->reservations.memory_bytes, 64 << 20);
	assert_int_equal(spec->limits.pids, 0);
	test_bad("    mem_limit: 1g\n"
		 "    deploy: {resources: {limits: {memory: 2g}}}\n",
		 ERR_INVALID, "compose.yaml:4:16: services.web.mem_limit",
		 "deploy.resources.limits.memory says something else; write one of them");
	test_bad("    mem_reservation: 1g\n"
		 "    deploy: {resources: {reservations: {memory: 2g}}}\n",
		 ERR_INVALID, "compose.yaml:4:22: services.web.mem_reservation",
		 "deploy.resources.reservations.memory says something else");
	/* As in Docker Compose, 0 is nothing written. */
	spec = spec_of("    cpus: 0\n    mem_limit: 0\n    pids_limit: 0\n"
		       "    deploy: {resources: {limits: {cpus: 2, memory: 64m, pids: 10}}}\n");
	assert_int_equal(spec->limits.cpu_milli, 2000);
	assert_int_equal(spec->limits.memory_bytes, 64 << 20);
	assert_int_equal(spec->limits.pids, 10);
	test_bad("    pids_limit: -1\n    deploy: {resources: {limits: {pids: 10}}}\n", ERR_INVALID,
		 "compose.yaml:4:17: services.web.pids_limit",
		 "deploy.resources.limits.pids says something else");
	test_bad("    mem_limit: 1m\n", ERR_INVALID, "compose.yaml:4:16: services.web.mem_limit",
		 "less than 6 MB");
}

static void mistakes_are_told_where_they_are(void **state)
{
	(void)state;
	test_bad("    cpus: 1\n    cpu_quota: 5000\n", ERR_INVALID,
		 "compose.yaml:5:16: services.web.cpu_quota",
		 "a limit of CPUs is a period and a quota already");
	test_bad("    cpuset: a-b\n", ERR_INVALID, "compose.yaml:4:13: services.web.cpuset",
		 "is not a list of CPUs");
	test_bad("    memswap_limit: 1g\n", ERR_INVALID,
		 "compose.yaml:4:20: services.web.memswap_limit", "needs a limit of memory");
	test_bad("    cpu_period: soon\n", ERR_INVALID,
		 "compose.yaml:4:17: services.web.cpu_period", "is not a duration");
	test_bad("    cgroup: default\n", ERR_INVALID, "compose.yaml:4:13: services.web.cgroup",
		 "expected host or private");
}

static void what_separates_from_the_machine_is_read(void **state)
{
	(void)state;
	const struct job_spec *spec = spec_of("    privileged: true\n"
					      "    userns_mode: host\n"
					      "    pid: host\n"
					      "    uts: host\n"
					      "    ipc: shareable\n"
					      "    network_mode: host\n"
					      "    group_add: [20, mail]\n"
					      "    runtime: runsc\n"
					      "    device_cgroup_rules: ['c 1:3 mr']\n");
	const struct isolation *isolation = spec->isolation;
	assert_true(isolation->privileged && isolation->host_users && isolation->host_processes &&
		    isolation->host_names);
	assert_int_equal(isolation->ipc_mode, IPC_SHAREABLE);
	assert_int_equal(isolation->network_mode, NETWORK_MODE_HOST);
	assert_int_equal(spec->networks.n, 0);
	assert_int_equal(request.networks.n, 0);
	assert_string_equal(isolation->group_add.items[0], "20");
	assert_string_equal(isolation->runtime, "runsc");
	assert_int_equal(job_spec_protocol(spec), 2);
	assert_null(spec_of("    privileged: false\n    devices: []\n")->isolation);
	assert_int_equal(request.networks.n, 1);
	assert_null(spec_of("    network_mode: bridge\n")->isolation);
	assert_int_equal(request.jobs.items[0].spec.networks.n, 0);
}

static void namespaces_of_other_containers_are_refused(void **state)
{
	(void)state;
	static const char *const keys[] = { "pid", "ipc", "network_mode", "uts" };
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		char line[64], field[96];
		text_print(line, sizeof(line), "    %s: service:db\n", keys[i]);
		text_print(field, sizeof(field), "compose.yaml:4:%zu: services.web.%s",
			   strlen(keys[i]) + 7, keys[i]);
		test_bad(line, ERR_UNSUPPORTED, field, "need not be on one machine");
	}
	test_bad("    pid: private\n", ERR_INVALID, "compose.yaml:4:10: services.web.pid",
		 "expected host");
	test_bad("    network_mode: none\n    networks: [default]\n", ERR_INVALID,
		 "compose.yaml:4:5: services.web.network_mode", "exclude each other");
	test_bad("    network_mode: host\n    ports: ['80:80']\n", ERR_INVALID,
		 "compose.yaml:5:13: services.web.ports[0]",
		 "nothing is published in network mode host");
	test_bad("    uts: host\n    hostname: me\n", ERR_INVALID,
		 "compose.yaml:5:15: services.web.hostname", "no host name of its own");
}

static void security_options_have_one_form(void **state)
{
	static const struct test_file files[] = { { "/srv/shop/own.json", "{\"a\": 1}" },
						  { NULL, NULL } };
	struct test_world world = { .files = files };
	(void)state;
	_cleanup_free_ char *text =
		test_service("    security_opt: [no-new-privileges, \"label:disable\", "
			     "seccomp=unconfined, \"seccomp:./own.json\"]\n");
	struct project_request read = test_good(&world, text);
	const struct strings *options = &read.jobs.items[0].spec.isolation->security_opt;
	assert_string_equal(options->items[0], "no-new-privileges=true");
	assert_string_equal(options->items[1], "label=disable");
	assert_string_equal(options->items[2], "seccomp=unconfined");
	assert_string_equal(options->items[3], "seccomp={\"a\": 1}");
	char *printed = compose_print(&read);
	struct project_request again = test_good(&world, printed);
	assert_true(record_equal(&project_request_type, &read, &again));
	base_free(printed);
	test_request_release(&read);
	test_request_release(&again);
	test_world_release(&world);
	test_bad("    security_opt: [seccomp=none.json]\n", ERR_NOT_FOUND,
		 "compose.yaml:4:20: services.web.security_opt[0]", "/srv/shop/none.json");
	test_bad("    security_opt: [credentialspec=x]\n", ERR_INVALID,
		 "compose.yaml:4:20: services.web.security_opt[0]", "is none of apparmor=");
}

static void devices_are_read_in_every_form(void **state)
{
	(void)state;
	const struct isolation *isolation =
		spec_of("    devices:\n"
			"      - /dev/a\n"
			"      - /dev/a:/dev/b\n"
			"      - /dev/a:r\n"
			"      - /dev/a:/dev/c:rw\n"
			"      - {source: /dev/a, target: /dev/d, permissions: m}\n"
			"      - acme.com/gpu=all\n")
			->isolation;
	static const char *const expected[][2] = { { NULL, NULL },
						   { "/dev/b", NULL },
						   { NULL, "r" },
						   { "/dev/c", "rw" },
						   { "/dev/d", "m" } };
	assert_int_equal(isolation->devices.n, ARRAY_LEN(expected));
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		const struct device *device = &isolation->devices.items[i];
		assert_string_equal(device->source, "/dev/a");
		assert_string_equal(device->target ? device->target : "",
				    expected[i][0] ? expected[i][0] : "");
		assert_string_equal(device->permissions ? device->permissions : "",
				    expected[i][1] ? expected[i][1] : "");
	}
	assert_string_equal(isolation->device_requests.items[0].driver, "cdi");
	assert_int_equal(job_spec_engine(&request.jobs.items[0].spec), ENGINE_CDI);
	test_bad("    devices: [/etc/passwd]\n", ERR_INVALID,
		 "compose.yaml:4:15: services.web.devices[0]", "is not a device like /dev/fuse");
	test_bad("    devices: [\"/dev/a:x\"]\n", ERR_INVALID,
		 "compose.yaml:4:15: services.web.devices[0]", "is none of r, w and m together");
	test_bad("    devices: [\"a:b:c:d\"]\n", ERR_INVALID,
		 "compose.yaml:4:15: services.web.devices[0]", "expected SOURCE[:TARGET");
}

static void devices_that_docker_chooses_are_read(void **state)
{
	(void)state;
	const struct isolation *isolation = spec_of("    gpus: all\n")->isolation;
	assert_int_equal(isolation->device_requests.items[0].count, -1);
	assert_string_equal(isolation->device_requests.items[0].capabilities.items[0], "gpu");
	isolation = spec_of("    gpus: [{device_ids: ['0'], capabilities: [utility]}]\n"
			    "    deploy: {resources: {reservations: {devices: [\n"
			    "      {capabilities: [tpu], count: 2}]}}}\n")
			    ->isolation;
	const struct device_request *gpu = &isolation->device_requests.items[1];
	assert_int_equal(gpu->count, 0);
	assert_string_equal(gpu->capabilities.items[1], "gpu");
	assert_int_equal(isolation->device_requests.items[0].count, 2);
	test_bad("    gpus: some\n", ERR_INVALID, "compose.yaml:4:11: services.web.gpus",
		 "expected all or a list");
	test_bad("    gpus: [{count: 1, device_ids: ['0']}]\n", ERR_INVALID,
		 "compose.yaml:4:12: services.web.gpus[0]", "either a count or device_ids");
	test_bad("    deploy: {resources: {reservations: {devices: [{count: 1}]}}}\n", ERR_INVALID,
		 "compose.yaml:4:51: services.web.deploy.resources.reservations.devices[0]",
		 "needs capabilities: [gpu]");
}

static void a_terminal_names_and_marks_are_read(void **state)
{
	(void)state;
	const struct job_spec *spec = spec_of("    tty: true\n"
					      "    stdin_open: true\n"
					      "    domainname: example.com\n"
					      "    dns_opt: [use-vc, no-tld-query]\n"
					      "    dns_search: dc1.example.com\n"
					      "    annotations: {com.example.a: b}\n"
					      "    expose: [80, \"53/udp\", \"8000-8002\", 80]\n");
	const struct extras *extras = spec->extras;
	assert_true(extras->terminal && extras->stdin_open);
	assert_string_equal(extras->domainname, "example.com");
	assert_string_equal(extras->dns_options.items[1], "no-tld-query");
	assert_string_equal(extras->dns_search.items[0], "dc1.example.com");
	assert_string_equal(pairs_get(&extras->annotations, "com.example.a"), "b");
	static const char *const ports[] = { "80/tcp", "53/udp", "8000/tcp", "8001/tcp",
					     "8002/tcp" };
	assert_int_equal(extras->expose.n, ARRAY_LEN(ports));
	for (size_t i = 0; i < ARRAY_LEN(ports); i++)
		assert_string_equal(extras->expose.items[i], ports[i]);
	assert_int_equal(job_spec_engine(spec), ENGINE_ANNOTATIONS);
	assert_null(spec_of("    tty: false\n    expose: []\n")->extras);
	test_bad("    expose: [\"80/icmp\"]\n", ERR_INVALID,
		 "compose.yaml:4:14: services.web.expose[0]", "none of tcp, udp and sctp");
	test_bad("    expose: [\"90-80\"]\n", ERR_INVALID,
		 "compose.yaml:4:14: services.web.expose[0]", "");
	test_bad("    expose: [0]\n", ERR_INVALID, "compose.yaml:4:14: services.web.expose[0]", "");
	test_bad("    domainname: a_b\n", ERR_INVALID, "compose.yaml:4:17: services.web.domainname",
		 "is not a domain's name");
}

/* A name that one container would have is a name in its networks. */
static void a_containers_name_becomes_an_alias(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	_cleanup_free_ char *text = test_service("    container_name: shop_web\n"
						 "    networks: {default: {aliases: [w]}}\n");
	struct project_request read = test_good(&world, text);
	const struct strings *aliases = &read.jobs.items[0].spec.networks.items[0].aliases;
	assert_int_equal(aliases->n, 2);
	assert_string_equal(aliases->items[1], "shop_web");
	assert_int_equal(world.warnings.items.n, 1);
	assert_non_null(strstr(world.warnings.items.items[0], "container_name becomes a name"));
	test_request_release(&read);
	test_world_release(&world);
	assert_int_equal(spec_of("    container_name: web\n")->networks.items[0].aliases.n, 0);
	test_bad("    container_name: a\n    scale: 2\n", ERR_INVALID,
		 "compose.yaml:4:5: services.web.container_name", "the name of one container");
	test_bad("    container_name: a\n    deploy: {mode: global}\n", ERR_INVALID,
		 "compose.yaml:4:5: services.web.container_name", "the name of one container");
	test_bad("    container_name: a b\n", ERR_INVALID,
		 "compose.yaml:4:21: services.web.container_name", "is not a name");
}

static void links_are_dependencies(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	struct project_request read =
		test_good(&world, "services:\n"
				  "  a: {image: a}\n"
				  "  b: {image: a}\n"
				  "  c: {image: a, links: [a, 'b:b'], depends_on: {b: {condition: "
				  "service_healthy}}}\n");
	const struct job_spec *spec = &read.jobs.items[2].spec;
	assert_int_equal(spec->depends_on.n, 2);
	assert_string_equal(spec->depends_on.items[0].job, "b");
	assert_int_equal(spec->depends_on.items[0].condition, DEPEND_HEALTHY);
	assert_string_equal(spec->depends_on.items[1].job, "a");
	test_request_release(&read);
	test_world_release(&world);
	test_bad("    links: ['db:database']\n", ERR_UNSUPPORTED,
		 "compose.yaml:4:13: services.web.links[0]",
		 "write it under networks.*.aliases of db");
}

static void labels_come_from_files_too(void **state)
{
	static const struct test_file files[] = {
		{ "/srv/shop/a.labels", "team=blue\ntier=back\n" }, { NULL, NULL }
	};
	struct test_world world = { .files = files };
	(void)state;
	_cleanup_free_ char *text = test_service("    labels: {team: red}\n"
						 "    label_file: [a.labels]\n");
	struct project_request read = test_good(&world, text);
	const struct pairs *labels = &read.jobs.items[0].spec.labels;
	assert_string_equal(pairs_get(labels, "team"), "red");
	assert_string_equal(pairs_get(labels, "tier"), "back");
	test_request_release(&read);
	test_world_release(&world);
	test_bad("    label_file: none\n", ERR_NOT_FOUND,
		 "compose.yaml:4:17: services.web.label_file", "/srv/shop/none");
}

static void mounts_say_more_in_the_long_form(void **state)
{
	(void)state;
	const struct job_spec *spec =
		spec_of("    volumes:\n"
			"      - /srv/a:/a:ro,Z\n"
			"      - /srv/b:/b:z,cached\n"
			"      - {type: bind, source: /srv/c, target: /c, read_only: true, bind: "
			"{recursive: readonly}}\n"
			"      - {type: bind, source: /srv/d, target: /d, bind: {selinux: z}}\n"
			"      - {type: volume, source: v, target: /e, volume: {subpath: x/y}}\n"
			"      - {type: volume, target: /f, volume: {labels: {team: blue}}}\n"
			"volumes: {v: }\n");
	const struct mount *mounts = spec->mounts.items;
	assert_int_equal(mounts[0].selinux, SELINUX_PRIVATE);
	assert_true(mounts[0].read_only);
	assert_int_equal(mounts[1].selinux, SELINUX_SHARED);
	assert_int_equal(mounts[2].recursive, RECURSIVE_READONLY);
	assert_int_equal(mounts[3].selinux, SELINUX_SHARED);
	assert_string_equal(mounts[4].subpath, "x/y");
	assert_string_equal(pairs_get(&mounts[5].labels, "team"), "blue");
	assert_int_equal(job_spec_protocol(spec), 2);
	assert_int_equal(job_spec_engine(spec), ENGINE_SUBPATH);
	test_bad("    volumes: [{type: image, source: a, target: /b}]\n", ERR_UNSUPPORTED,
		 "compose.yaml:4:22: services.web.volumes[0].type",
		 "pulls the image of the service only");
	test_bad("    volumes: [{type: bind, source: /a, target: /b, bind: {selinux: none}}]\n",
		 ERR_INVALID, "compose.yaml:4:68: services.web.volumes[0].bind.selinux",
		 "expected z or Z");
	test_bad("    volumes: [{type: bind, source: /a, target: /b, bind: {recursive: no}}]\n",
		 ERR_INVALID, "compose.yaml:4:70: services.web.volumes[0].bind.recursive",
		 "expected enabled, disabled, writable or readonly");
}

static void networks_are_joined_by_priority(void **state)
{
	(void)state;
	const struct job_spec *spec = spec_of(
		"    mac_address: 02:42:ac:11:00:02\n"
		"    networks:\n"
		"      a:\n"
		"      b: {priority: 10, aliases: [x], ipv4_address: 10.9.0.5, gw_priority: 3}\n"
		"      c: {priority: -1, interface_name: eth9, driver_opts: {o: p}}\n"
		"      d: {ipv6_address: \"fd00::5\", link_local_ips: [169.254.9.9]}\n"
		"networks: {a: , b: {ipam: {config: [{subnet: 10.8.0.0/24}, {subnet: "
		"10.9.0.0/24}]}}, "
		"c: , d: {ipam: {config: [{subnet: 'fd00::/64'}]}}}\n");
	static const char *const order[] = { "b", "a", "d", "c" };
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		assert_string_equal(spec->networks.items[i].network, order[i]);
	const struct endpoint_settings *first = spec->networks.items[0].endpoint;
	assert_string_equal(first->mac_address, "02:42:ac:11:00:02");
	assert_string_equal(first->ipv4_address, "10.9.0.5");
	assert_int_equal(first->gateway_priority, 3);
	assert_null(spec->networks.items[1].endpoint);
	assert_string_equal(spec->networks.items[2].endpoint->link_local_ips.items[0],
			    "169.254.9.9");
	assert_string_equal(spec->networks.items[3].endpoint->interface_name, "eth9");
	assert_int_equal(job_spec_engine(spec), ENGINE_INTERFACE_NAME);
	test_bad("    scale: 2\n    networks: {default: {ipv4_address: 10.0.0.5}}\n", ERR_INVALID,
		 "compose.yaml:5:16: services.web.networks.default",
		 "an address belongs to one task");
	test_bad("    networks: {n: {ipv4_address: 10.0.1.5}}\n"
		 "networks: {n: {ipam: {config: [{subnet: 10.0.0.0/24}]}}}\n",
		 ERR_INVALID, "compose.yaml:4:34: services.web.networks.n.ipv4_address",
		 "10.0.1.5 is in no subnet of the network \"n\"");
	test_bad("    networks: {default: {ipv6_address: '2001:db8::5'}}\n", ERR_INVALID,
		 "compose.yaml:4:40: services.web.networks.default.ipv6_address",
		 "which has none of its own: write it under ipam");
	test_bad("    mac_address: 03:42:ac:11:00:02\n", ERR_INVALID,
		 "compose.yaml:4:18: services.web.mac_address", "is not an address like 02:42");
	test_bad("    network_mode: none\n    mac_address: 02:42:ac:11:00:02\n", ERR_INVALID,
		 "compose.yaml:5:5: services.web.mac_address", "joins a network of the project");
	test_bad("    scale: 2\n    mac_address: 02:42:ac:11:00:02\n", ERR_INVALID,
		 "compose.yaml:5:18: services.web.mac_address", "an address belongs to one task");
	test_bad("    networks: {default: {priority: high}}\n", ERR_INVALID,
		 "compose.yaml:4:36: services.web.networks.default.priority",
		 "is not a whole number");
	test_bad("    deploy: {endpoint_mode: vip}\n", ERR_UNSUPPORTED,
		 "compose.yaml:4:29: services.web.deploy.endpoint_mode", "no virtual address");
}

static int release_request(void **state)
{
	(void)state;
	test_request_release(&request);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_kernel_gives_is_read),
		cmocka_unit_test(shares_of_disks_are_read),
		cmocka_unit_test(nothing_unusual_is_nothing),
		cmocka_unit_test(one_amount_at_two_places_must_agree),
		cmocka_unit_test(mistakes_are_told_where_they_are),
		cmocka_unit_test(what_separates_from_the_machine_is_read),
		cmocka_unit_test(namespaces_of_other_containers_are_refused),
		cmocka_unit_test(security_options_have_one_form),
		cmocka_unit_test(devices_are_read_in_every_form),
		cmocka_unit_test(devices_that_docker_chooses_are_read),
		cmocka_unit_test(a_terminal_names_and_marks_are_read),
		cmocka_unit_test(a_containers_name_becomes_an_alias),
		cmocka_unit_test(links_are_dependencies),
		cmocka_unit_test(labels_come_from_files_too),
		cmocka_unit_test(mounts_say_more_in_the_long_form),
		cmocka_unit_test(networks_are_joined_by_priority),
	};
	return cmocka_run_group_tests(tests, NULL, release_request);
}
