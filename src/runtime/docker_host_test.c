/* What few jobs ask for, as it reaches Docker: the body's parts compared by meaning. */
#include "base/testing.h"

#include <stdio.h>

#include "base/alloc.h"
#include "runtime/docker_body.h"
#include "runtime/json_build.h"

static struct job_spec spec;

static int init_spec(void **state)
{
	(void)state;
	record_init(&job_spec_type, &spec);
	string_set(&spec.image, "nginx");
	return 0;
}

static int release_spec(void **state)
{
	(void)state;
	record_release(&job_spec_type, &spec);
	return 0;
}

/* What the body's object `part` ("": all of it) holds beyond a bare job's. */
static void check_added(const char *part, const char *expected)
{
	const struct docker_body_context context = { .api_minor = 50 };
	struct job_spec bare;
	struct container_action action = { .verb = CONTAINER_CREATE, .spec = &spec };
	struct err err = { 0 };
	record_init(&job_spec_type, &bare);
	string_set(&bare.image, "nginx");
	_cleanup_free_ char *full_text = docker_body_create(&action, &context, &err);
	if (!full_text)
		fail_msg("%s", err.message);
	action.spec = &bare;
	_cleanup_free_ char *bare_text = docker_body_create(&action, &context, NULL);
	json_t *full = json_loads(full_text, 0, NULL), *less = json_loads(bare_text, 0, NULL);
	json_t *want = json_loads(expected, 0, NULL);
	json_t *at = *part ? json_object_get(full, part) : full;
	json_t *without = *part ? json_object_get(less, part) : less;
	const char *key;
	json_t *value;
	void *next;
	json_object_foreach_safe(at, next, key, value)
	{
		if (json_equal(value, json_object_get(without, key)))
			json_object_del(at, key);
	}
	assert_non_null(want);
	if (!json_equal(at, want))
		fail_msg("%s\ninstead of\n%s", full_text, expected);
	json_decref(full);
	json_decref(less);
	json_decref(want);
	record_release(&job_spec_type, &bare);
}

static void add_rate(void *list, const char *path, int64_t rate)
{
	struct device_rate *device = list_add(list, sizeof(*device));
	string_set(&device->path, path);
	device->rate = rate;
}

static void the_kernels_share_reaches_docker(void **state)
{
	(void)state;
	struct tuning *tuning = base_calloc(1, sizeof(*tuning));
	spec.tuning = tuning;
	check_added("HostConfig", "{}");
	tuning->cpu_shares = 512;
	tuning->cpu_period_us = 50000;
	tuning->cpu_quota_us = 25000;
	tuning->cpu_realtime_period_us = 1000000;
	tuning->cpu_realtime_runtime_us = 950000;
	string_set(&tuning->cpuset, "0-1");
	tuning->memory_swap_bytes = -1;
	tuning->has_memory_swappiness = true;
	tuning->oom_kill_disable = true;
	tuning->oom_score_adj = -100;
	tuning->blkio_weight = 300;
	struct device_weight *device = list_add(&tuning->blkio_weight_device, sizeof(*device));
	string_set(&device->path, "/dev/sda");
	device->weight = 400;
	add_rate(&tuning->blkio_read_bps, "/dev/sdb", 1);
	add_rate(&tuning->blkio_write_bps, "/dev/sdb", 2);
	add_rate(&tuning->blkio_read_iops, "/dev/sdb", 3);
	add_rate(&tuning->blkio_write_iops, "/dev/sdb", 4);
	tuning->cgroup_namespace = CGROUP_HOST;
	string_set(&tuning->cgroup_parent, "batch.slice");
	pairs_add(&tuning->storage_opt, "size", "1G");
	check_added("HostConfig",
		    "{\"CpuShares\":512,\"CpuPeriod\":50000,\"CpuQuota\":25000,"
		    "\"CpuRealtimePeriod\":1000000,\"CpuRealtimeRuntime\":950000,"
		    "\"CpusetCpus\":\"0-1\",\"MemorySwap\":-1,\"MemorySwappiness\":0,"
		    "\"OomKillDisable\":true,\"OomScoreAdj\":-100,\"BlkioWeight\":300,"
		    "\"BlkioWeightDevice\":[{\"Path\":\"/dev/sda\",\"Weight\":400}],"
		    "\"BlkioDeviceReadBps\":[{\"Path\":\"/dev/sdb\",\"Rate\":1}],"
		    "\"BlkioDeviceWriteBps\":[{\"Path\":\"/dev/sdb\",\"Rate\":2}],"
		    "\"BlkioDeviceReadIOps\":[{\"Path\":\"/dev/sdb\",\"Rate\":3}],"
		    "\"BlkioDeviceWriteIOps\":[{\"Path\":\"/dev/sdb\",\"Rate\":4}],"
		    "\"CgroupnsMode\":\"host\",\"CgroupParent\":\"batch.slice\","
		    "\"StorageOpt\":{\"size\":\"1G\"}}");
}

static void reserved_memory_is_protected_where_docker_can(void **state)
{
	(void)state;
	spec.reservations.memory_bytes = 6 << 20;
	check_added("HostConfig", "{\"MemoryReservation\":6291456}");
	spec.reservations.memory_bytes = 1 << 20;
	check_added("HostConfig", "{}");
}

static void isolation_reaches_docker(void **state)
{
	(void)state;
	struct isolation *isolation = base_calloc(1, sizeof(*isolation));
	spec.isolation = isolation;
	check_added("HostConfig", "{}");
	isolation->privileged = true;
	isolation->host_users = true;
	isolation->host_processes = true;
	isolation->host_names = true;
	isolation->ipc_mode = IPC_SHAREABLE;
	isolation->network_mode = NETWORK_MODE_HOST;
	strings_add(&isolation->security_opt, "seccomp=unconfined");
	strings_add(&isolation->security_opt, "systempaths=unconfined");
	strings_add(&isolation->group_add, "20");
	string_set(&isolation->runtime, "runsc");
	strings_add(&isolation->device_cgroup_rules, "c 1:3 mr");
	check_added("HostConfig",
		    "{\"Privileged\":true,\"UsernsMode\":\"host\",\"PidMode\":\"host\","
		    "\"UTSMode\":\"host\",\"IpcMode\":\"shareable\",\"NetworkMode\":\"host\","
		    "\"SecurityOpt\":[\"seccomp=unconfined\"],\"MaskedPaths\":[],"
		    "\"ReadonlyPaths\":[],\"GroupAdd\":[\"20\"],\"Runtime\":\"runsc\","
		    "\"DeviceCgroupRules\":[\"c 1:3 mr\"]}");
}

static void devices_reach_docker(void **state)
{
	(void)state;
	struct isolation *isolation = base_calloc(1, sizeof(*isolation));
	spec.isolation = isolation;
	string_set(&((struct device *)list_add(&isolation->devices, sizeof(struct device)))->source,
		   "/dev/a");
	struct device *device = list_add(&isolation->devices, sizeof(*device));
	string_set(&device->source, "/dev/a");
	string_set(&device->target, "/dev/b");
	string_set(&device->permissions, "r");
	struct device_request *gpus = list_add(&isolation->device_requests, sizeof(*gpus));
	gpus->count = -1;
	strings_add(&gpus->capabilities, "gpu");
	strings_add(&gpus->capabilities, "utility");
	struct device_request *named = list_add(&isolation->device_requests, sizeof(*named));
	string_set(&named->driver, DEVICE_DRIVER_CDI);
	strings_add(&named->device_ids, "a.com/b=c");
	pairs_add(&named->options, "x", "y");
	check_added("HostConfig",
		    "{\"Devices\":[{\"PathOnHost\":\"/dev/a\",\"PathInContainer\":\"/dev/a\","
		    "\"CgroupPermissions\":\"rwm\"},{\"PathOnHost\":\"/dev/a\","
		    "\"PathInContainer\":\"/dev/b\",\"CgroupPermissions\":\"r\"}],"
		    "\"DeviceRequests\":[{\"Count\":-1,\"Capabilities\":[[\"gpu\",\"utility\"]]},"
		    "{\"Driver\":\"cdi\",\"DeviceIDs\":[\"a.com/b=c\"],"
		    "\"Options\":{\"x\":\"y\"}}]}");
}

static void extras_reach_docker(void **state)
{
	(void)state;
	struct extras *extras = base_calloc(1, sizeof(*extras));
	spec.extras = extras;
	check_added("", "{}");
	extras->terminal = true;
	extras->stdin_open = true;
	string_set(&extras->domainname, "a.b");
	strings_add(&extras->expose, "80/tcp");
	check_added("", "{\"Tty\":true,\"OpenStdin\":true,\"Domainname\":\"a.b\","
			"\"ExposedPorts\":{\"80/tcp\":{}}}");
	strings_add(&extras->dns_options, "use-vc");
	strings_add(&extras->dns_search, ".");
	pairs_add(&extras->annotations, "a", "b");
	check_added("HostConfig", "{\"DnsOptions\":[\"use-vc\"],\"DnsSearch\":[\".\"],"
				  "\"Annotations\":{\"a\":\"b\"}}");
}

static struct mount *add_mount(int kind, const char *source, const char *target)
{
	struct mount *mount = list_add(&spec.mounts, sizeof(*mount));
	record_init(&mount_type, mount);
	mount->kind = kind;
	string_set(&mount->source, source);
	string_set(&mount->target, target);
	return mount;
}

static void the_words_of_mounts_reach_docker(void **state)
{
	(void)state;
	pairs_add(&add_mount(MOUNT_VOLUME, NULL, "/a")->labels, "team", "blue");
	add_mount(MOUNT_BIND, "/s", "/b")->recursive = RECURSIVE_DISABLED;
	struct mount *forced = add_mount(MOUNT_BIND, "/s", "/c");
	forced->recursive = RECURSIVE_READONLY;
	forced->read_only = true;
	forced->create_host_path = false;
	struct mount *shared = add_mount(MOUNT_BIND, "/s", "/d");
	shared->selinux = SELINUX_SHARED;
	shared->read_only = true;
	string_set(&shared->propagation, "rslave");
	add_mount(MOUNT_BIND, "/s", "/e")->selinux = SELINUX_PRIVATE;
	check_added("HostConfig",
		    "{\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/a\",\"VolumeOptions\":"
		    "{\"Labels\":{\"team\":\"blue\"}}},"
		    "{\"Type\":\"bind\",\"Target\":\"/b\",\"Source\":\"/s\",\"BindOptions\":"
		    "{\"NonRecursive\":true,\"CreateMountpoint\":true}},"
		    "{\"Type\":\"bind\",\"Target\":\"/c\",\"ReadOnly\":true,\"Source\":\"/s\","
		    "\"BindOptions\":{\"ReadOnlyForceRecursive\":true}}],"
		    "\"Binds\":[\"/s:/d:ro,z,rslave\",\"/s:/e:Z\"]}");
}

static void how_networks_are_joined_reaches_docker(void **state)
{
	(void)state;
	char front[] = "front";
	const struct network_spec network = { .key = front };
	struct docker_body_context context = { .api_minor = 50 };
	struct network_use *use = list_add(&spec.networks, sizeof(*use));
	string_set(&use->network, "front");
	use->endpoint = base_calloc(1, sizeof(*use->endpoint));
	pairs_add(&use->endpoint->driver_opts, "o", "p");
	string_set(&use->endpoint->interface_name, "eth7");
	use->endpoint->gateway_priority = -1;
	string_set(&use->endpoint->mac_address, "02:00:00:00:00:01");
	string_set(&use->endpoint->ipv4_address, "10.0.0.5");
	string_set(&use->endpoint->ipv6_address, "fd00::5");
	strings_add(&use->endpoint->link_local_ips, "169.254.1.1");
	static const char expected[] =
		"{\"Aliases\":[],\"DriverOpts\":{\"o\":\"p\","
		"\"com.docker.network.endpoint.ifname\":\"eth7\"},\"GwPriority\":-1,"
		"\"MacAddress\":\"02:00:00:00:00:01\",\"IPAMConfig\":{\"IPv4Address\":"
		"\"10.0.0.5\",\"IPv6Address\":\"fd00::5\",\"LinkLocalIPs\":[\"169.254.1.1\"]}}";
	const struct container_action action = { .verb = CONTAINER_CREATE,
						 .spec = &spec,
						 .project = "shop",
						 .networks = &network,
						 .n_networks = 1 };
	_cleanup_free_ char *body = docker_body_create(&action, &context, NULL);
	json_t *json = json_loads(body, 0, NULL), *want = json_loads(expected, 0, NULL);
	json_t *endpoints =
		json_object_get(json_object_get(json, "NetworkingConfig"), "EndpointsConfig");
	if (!json_equal(json_object_get(endpoints, "shop_front"), want))
		fail_msg("%s", body);
	assert_null(json_object_get(json, "MacAddress"));
	json_decref(json);
	json_decref(want);
	context.api_minor = 43;
	assert_null(docker_body_create(&action, &context, NULL));
	string_set(&use->endpoint->interface_name, NULL);
	use->endpoint->gateway_priority = 0;
	_cleanup_free_ char *older = docker_body_create(&action, &context, NULL);
	json = json_loads(older, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(json, "MacAddress")),
			    "02:00:00:00:00:01");
	json_decref(json);
}

#define TEST_OF_SPEC(test) cmocka_unit_test_setup_teardown(test, init_spec, release_spec)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_OF_SPEC(the_kernels_share_reaches_docker),
		TEST_OF_SPEC(isolation_reaches_docker),
		TEST_OF_SPEC(devices_reach_docker),
		TEST_OF_SPEC(extras_reach_docker),
		TEST_OF_SPEC(the_words_of_mounts_reach_docker),
		TEST_OF_SPEC(how_networks_are_joined_reaches_docker),
		TEST_OF_SPEC(reserved_memory_is_protected_where_docker_can),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
