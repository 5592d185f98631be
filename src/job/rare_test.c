/* What few jobs ask for: the checks of it. */
#include "base/testing.h"

#include <string.h>

#include "base/alloc.h"
#include "job/job.h"
#include "job/syntax.h"

static void init_good(struct job_spec *spec)
{
	record_init(&job_spec_type, spec);
	string_set(&spec->image, "nginx:1.27");
	spec->tuning = base_calloc(1, sizeof(*spec->tuning));
	spec->isolation = base_calloc(1, sizeof(*spec->isolation));
	spec->extras = base_calloc(1, sizeof(*spec->extras));
}

struct refusal {
	void (*breaks)(struct job_spec *spec);
	const char *field;
	const char *message; /* a part of it */
};

#define BREAK(name, statement)                                                                     \
	static void name(struct job_spec *spec)                                                    \
	{                                                                                          \
		statement;                                                                         \
	}

static void add_rate(struct job_spec *spec, const char *path, int64_t rate)
{
	struct device_rate *device = list_add(&spec->tuning->blkio_write_bps, sizeof(*device));
	string_set(&device->path, path);
	device->rate = rate;
}

static struct device *add_device(struct job_spec *spec, const char *source)
{
	struct device *device = list_add(&spec->isolation->devices, sizeof(*device));
	string_set(&device->source, source);
	return device;
}

static struct device_request *add_request(struct job_spec *spec, int64_t count)
{
	struct device_request *request =
		list_add(&spec->isolation->device_requests, sizeof(*request));
	request->count = count;
	strings_add(&request->capabilities, "gpu");
	return request;
}

static struct mount *add_mount(struct job_spec *spec, int kind, const char *source)
{
	struct mount *mount = list_add(&spec->mounts, sizeof(*mount));
	mount->kind = kind;
	mount->create_host_path = true;
	string_set(&mount->source, source);
	string_set(&mount->target, "/t");
	return mount;
}

static struct endpoint_settings *add_endpoint(struct job_spec *spec)
{
	struct network_use *use = list_add(&spec->networks, sizeof(*use));
	string_set(&use->network, "front");
	use->endpoint = base_calloc(1, sizeof(*use->endpoint));
	return use->endpoint;
}

// clang-format off
BREAK(few_shares, spec->tuning->cpu_shares = 1)
BREAK(short_period, spec->tuning->cpu_period_us = 999)
BREAK(long_period, spec->tuning->cpu_period_us = 1000001)
BREAK(short_quota, spec->tuning->cpu_quota_us = 1)
BREAK(cpus_and_period, spec->limits.cpu_milli = 100; spec->tuning->cpu_period_us = 10000)
BREAK(long_runtime, spec->tuning->cpu_realtime_runtime_us = 2; spec->tuning->cpu_realtime_period_us = 1)
BREAK(no_cpuset, string_set(&spec->tuning->cpuset, ""))
BREAK(swap_alone, spec->tuning->memory_swap_bytes = 1 << 30)
BREAK(little_swap, spec->limits.memory_bytes = 1 << 30; spec->tuning->memory_swap_bytes = 1 << 29)
BREAK(unsaid_swappiness, spec->tuning->memory_swappiness = 1)
BREAK(high_score, spec->tuning->oom_score_adj = 1001)
BREAK(light_weight, spec->tuning->blkio_weight = 9)
BREAK(no_rate, add_rate(spec, "/dev/sda", 0))
BREAK(climbing_device, add_rate(spec, "/dev/../etc/passwd", 1))
BREAK(climbing_cgroup, string_set(&spec->tuning->cgroup_parent, "/a/../b"))
BREAK(empty_cgroup, string_set(&spec->tuning->cgroup_parent, ""))
BREAK(empty_storage, pairs_add(&spec->tuning->storage_opt, "size", ""))
BREAK(colon_option, strings_add(&spec->isolation->security_opt, "seccomp:unconfined"))
BREAK(bare_option, strings_add(&spec->isolation->security_opt, "disable"))
BREAK(half_option, strings_add(&spec->isolation->security_opt, "apparmor="))
BREAK(other_paths, strings_add(&spec->isolation->security_opt, "systempaths=all"))
BREAK(no_group, strings_add(&spec->isolation->group_add, ""))
BREAK(no_runtime, string_set(&spec->isolation->runtime, ""))
BREAK(hosts_name, spec->isolation->host_names = true; string_set(&spec->hostname, "a"))
BREAK(hosts_networks, spec->isolation->network_mode = NETWORK_MODE_HOST;
      string_set(&((struct network_use *)list_add(&spec->networks, sizeof(struct network_use)))->network, "front"))
BREAK(no_networks_port, spec->isolation->network_mode = NETWORK_MODE_NONE;
      ((struct port *)list_add(&spec->ports, sizeof(struct port)))->container_port = 80)
BREAK(device_elsewhere, add_device(spec, "/etc/passwd"))
BREAK(device_climbs, add_device(spec, "/dev/../etc/passwd"))
BREAK(device_relative_target, string_set(&add_device(spec, "/dev/a")->target, "b"))
BREAK(device_permissions, string_set(&add_device(spec, "/dev/a")->permissions, "rx"))
BREAK(device_rule, strings_add(&spec->isolation->device_cgroup_rules, "c 1:3"))
BREAK(request_both, strings_add(&add_request(spec, 1)->device_ids, "0"))
BREAK(request_neither, add_request(spec, 0))
BREAK(request_nothing, strings_release(&add_request(spec, 1)->capabilities))
BREAK(request_cdi_count, string_set(&add_request(spec, 1)->driver, DEVICE_DRIVER_CDI))
BREAK(bad_domain, string_set(&spec->extras->domainname, "a_b"))
BREAK(hosts_domain, spec->isolation->host_names = true; string_set(&spec->extras->domainname, "a"))
BREAK(bad_search, strings_add(&spec->extras->dns_search, "."); strings_add(&spec->extras->dns_search, "a b"))
BREAK(empty_option, strings_add(&spec->extras->dns_options, ""))
BREAK(bare_port, strings_add(&spec->extras->expose, "80"))
BREAK(high_port, strings_add(&spec->extras->expose, "65536/tcp"))
BREAK(empty_annotation, pairs_add(&spec->extras->annotations, "", "x"))
BREAK(foreign_subpath, string_set(&add_mount(spec, MOUNT_BIND, "/a")->subpath, "x"))
BREAK(foreign_selinux, add_mount(spec, MOUNT_VOLUME, "a")->selinux = SELINUX_SHARED)
BREAK(foreign_recursive, add_mount(spec, MOUNT_VOLUME, "a")->recursive = RECURSIVE_DISABLED)
BREAK(foreign_labels, pairs_add(&add_mount(spec, MOUNT_BIND, "/a")->labels, "a", "b"))
BREAK(named_labels, pairs_add(&add_mount(spec, MOUNT_VOLUME, "a")->labels, "a", "b"))
BREAK(own_labels, pairs_add(&add_mount(spec, MOUNT_VOLUME, NULL)->labels, "drover.task", "b"))
BREAK(nameless_subpath, string_set(&add_mount(spec, MOUNT_VOLUME, NULL)->subpath, "x"))
BREAK(climbing_subpath, string_set(&add_mount(spec, MOUNT_VOLUME, "a")->subpath, "x/../.."))
BREAK(absolute_subpath, string_set(&add_mount(spec, MOUNT_VOLUME, "a")->subpath, "/x"))
BREAK(writable_both, add_mount(spec, MOUNT_BIND, "/a")->recursive = RECURSIVE_WRITABLE)
BREAK(selinux_unmade, struct mount *mount = add_mount(spec, MOUNT_BIND, "/a");
      mount->selinux = SELINUX_PRIVATE; mount->create_host_path = false)
BREAK(address_of_many, string_set(&add_endpoint(spec)->ipv4_address, "10.0.0.1"); spec->replicas = 2)
BREAK(address_of_all, string_set(&add_endpoint(spec)->mac_address, "02:00:00:00:00:01"); spec->mode = JOB_GLOBAL)
BREAK(address_of_both, string_set(&add_endpoint(spec)->ipv4_address, "10.0.0.1"); spec->update.order = UPDATE_START_FIRST)
BREAK(address_rolled_back, string_set(&add_endpoint(spec)->mac_address, "02:00:00:00:00:01"); spec->rollback.order = UPDATE_START_FIRST)
BREAK(address_of_six, string_set(&add_endpoint(spec)->ipv4_address, "fd00::1"))
BREAK(address_of_four, string_set(&add_endpoint(spec)->ipv6_address, "10.0.0.1"))
BREAK(bad_mac, string_set(&add_endpoint(spec)->mac_address, "02:00:00:00:00"))
BREAK(long_interface, string_set(&add_endpoint(spec)->interface_name, "sixteen-letters-"))
BREAK(bad_link_local, strings_add(&add_endpoint(spec)->link_local_ips, "x"))

static const struct refusal refusals[] = {
	{ few_shares, "tuning.cpu_shares", "1 is less than 2" },
	{ short_period, "tuning.cpu_period_us", "999 us are less than a millisecond" },
	{ long_period, "tuning.cpu_period_us", "1000001 is more than 1000000" },
	{ short_quota, "tuning.cpu_quota_us", "1 us are less" },
	{ cpus_and_period, "tuning.cpu_period_us", "write one of them" },
	{ long_runtime, "tuning.cpu_realtime_runtime_us", "more than their period" },
	{ no_cpuset, "tuning.cpuset", "\"\" is not a list of CPUs" },
	{ swap_alone, "tuning.memory_swap_bytes", "needs a limit of memory" },
	{ little_swap, "tuning.memory_swap_bytes", "less than the limit of memory" },
	{ unsaid_swappiness, "tuning.has_memory_swappiness", "must be true" },
	{ high_score, "tuning.oom_score_adj", "1001 is more than 1000" },
	{ light_weight, "tuning.blkio_weight", "9 is less than 10" },
	{ no_rate, "tuning.blkio_write_bps[0].rate", "would stand still" },
	{ climbing_device, "tuning.blkio_write_bps[0].path", "is not a device" },
	{ climbing_cgroup, "tuning.cgroup_parent", "names no cgroup" },
	{ empty_cgroup, "tuning.cgroup_parent", "names no cgroup" },
	{ colon_option, "isolation.security_opt[0]", "is none of apparmor=" },
	{ bare_option, "isolation.security_opt[0]", "\"disable\" is none of" },
	{ half_option, "isolation.security_opt[0]", "with a value" },
	{ other_paths, "isolation.security_opt[0]", "unconfined only" },
	{ no_group, "isolation.group_add[0]", "names no group" },
	{ no_runtime, "isolation.runtime", "names no runtime" },
	{ hosts_name, "hostname", "no host name of its own" },
	{ hosts_networks, "networks", "network mode host joins no network" },
	{ no_networks_port, "ports[0]", "nothing is published in network mode none" },
	{ device_elsewhere, "isolation.devices[0].source", "\"/etc/passwd\" is not a device" },
	{ device_climbs, "isolation.devices[0].source", "is not a device" },
	{ device_relative_target, "isolation.devices[0].target", "not an absolute path" },
	{ device_permissions, "isolation.devices[0].permissions", "\"rx\" is none of" },
	{ device_rule, "isolation.device_cgroup_rules[0]", "is not a rule like" },
	{ request_both, "isolation.device_requests[0].count", "either a count" },
	{ request_neither, "isolation.device_requests[0].count", "neither a count" },
	{ request_nothing, "isolation.device_requests[0].capabilities", "names no capability" },
	{ request_cdi_count, "isolation.device_requests[0].device_ids", "devices by name" },
	{ bad_domain, "extras.domainname", "is not a domain's name" },
	{ hosts_domain, "extras.domainname", "no domain of its own" },
	{ bad_search, "extras.dns_search[1]", "\"a b\" is not" },
	{ empty_option, "extras.dns_options[0]", "is no option" },
	{ bare_port, "extras.expose[0]", "\"80\" is not a port like" },
	{ high_port, "extras.expose[0]", "\"65536/tcp\" is not" },
	{ empty_annotation, "extras.annotations", "has no name" },
	{ foreign_subpath, "mounts[0].subpath", "has no such setting" },
	{ foreign_selinux, "mounts[0].selinux", "has no such setting" },
	{ foreign_recursive, "mounts[0].recursive", "has no such setting" },
	{ foreign_labels, "mounts[0].labels", "has no such setting" },
	{ named_labels, "mounts[0].labels", "where it is declared" },
	{ own_labels, "mounts[0].labels.drover.task", "are drover's own" },
	{ nameless_subpath, "mounts[0].subpath", "has no subpath" },
	{ climbing_subpath, "mounts[0].subpath", "is not a path within" },
	{ absolute_subpath, "mounts[0].subpath", "is not a path within" },
	{ writable_both, "mounts[0].recursive", "writable is for a mount that is read_only" },
	{ address_of_many, "networks[0].endpoint", "belongs to one task" },
	{ address_of_all, "networks[0].endpoint", "belongs to one task" },
	{ address_of_both, "networks[0].endpoint", "two would have it at once" },
	{ address_rolled_back, "networks[0].endpoint", "two would have it at once" },
	{ address_of_six, "networks[0].endpoint.ipv4_address", "is not an IPv4 address" },
	{ address_of_four, "networks[0].endpoint.ipv6_address", "is not an IPv6 address" },
	{ bad_mac, "networks[0].endpoint.mac_address", "is not an address like" },
	{ long_interface, "networks[0].endpoint.interface_name", "is not an interface's name" },
	{ bad_link_local, "networks[0].endpoint.link_local_ips", "is not an IP address" },
	{ empty_storage, "tuning.storage_opt", "\"size\" needs a name and a value" },
};
// clang-format on

static void every_mistake_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct job_spec spec;
		struct err err = { 0 };
		init_good(&spec);
		assert_int_equal(job_spec_check(&spec, &err), ERR_NONE);
		refusals[i].breaks(&spec);
		assert_int_equal(job_spec_check(&spec, &err), ERR_INVALID);
		assert_string_equal(err.field, refusals[i].field);
		if (!strstr(err.message, refusals[i].message))
			assert_string_equal(err.message, refusals[i].message);
		record_release(&job_spec_type, &spec);
	}
}

static void sets_of_numbers_are_told_from_others(void **state)
{
	(void)state;
	static const char *const good[] = { "0", "0-3", "1,3,5-7" };
	static const char *const bad[] = {
		"", ",", "1,", "-1", "1-", "1-2-3", "a", "1 2", "999999"
	};
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(is_number_set(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(is_number_set(bad[i]));
}

static void device_rules_are_told_from_others(void **state)
{
	(void)state;
	static const char *const good[] = { "c 1:3 mr", "a *:* rwm", "b 8:* r" };
	static const char *const bad[] = { "",	    "c",	"d 1:3 r",    "c 1:3",	"c 1:3 ",
					   "c 1 r", "c 1:3 rx", "c 1:3 rwmr", "c:1:3 r" };
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(is_device_rule(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(is_device_rule(bad[i]));
}

static void a_relabelled_mount_is_one_that_docker_makes(void **state)
{
	struct job_spec spec;
	struct err err = { 0 };
	(void)state;
	init_good(&spec);
	selinux_unmade(&spec);
	assert_int_equal(job_spec_check(&spec, &err), ERR_UNSUPPORTED);
	assert_string_equal(err.field, "mounts[0].selinux");
	spec.mounts.items[0].create_host_path = true;
	assert_int_equal(job_spec_check(&spec, &err), ERR_NONE);
	record_release(&job_spec_type, &spec);
}

static int64_t protocol_with(void (*change)(struct job_spec *spec))
{
	struct job_spec spec;
	record_init(&job_spec_type, &spec);
	change(&spec);
	int64_t protocol = job_spec_protocol(&spec);
	record_release(&job_spec_type, &spec);
	return protocol;
}

static void what_is_new_below_asks_for_new_workers(void **state)
{
	(void)state;
	assert_int_equal(protocol_with(foreign_subpath), 2);
	assert_int_equal(protocol_with(named_labels), 2);
	assert_int_equal(protocol_with(writable_both), 2);
	assert_int_equal(protocol_with(foreign_selinux), 2);
	assert_int_equal(protocol_with(bad_mac), 2);
}

/* Not only what the job itself says counts, but what the network it joins is. */
static void a_network_with_addresses_asks_for_new_workers(void **state)
{
	(void)state;
	struct job_revision revision;
	struct project project = { 0 };
	record_init(&job_revision_type, &revision);
	struct network_use *use = list_add(&revision.spec.networks, sizeof(*use));
	string_set(&use->network, "front");
	struct network_spec *other = list_add(&project.networks, sizeof(*other));
	string_set(&other->key, "other");
	other->enable_ipv6 = YES;
	struct network_spec *front = list_add(&project.networks, sizeof(*front));
	string_set(&front->key, "front");
	assert_int_equal(job_revision_protocol(&revision, &project), 1);
	front->ipam = base_calloc(1, sizeof(*front->ipam));
	assert_int_equal(job_revision_protocol(&revision, &project), 2);
	record_release(&job_revision_type, &revision);
	record_release(&project_type, &project);
}

/* An older worker would pass over it in silence. */
static void what_is_new_asks_for_new_workers_and_new_tasks(void **state)
{
	(void)state;
	struct job_spec plain;
	struct job_spec tuned;
	record_init(&job_spec_type, &plain);
	init_good(&tuned);
	string_set(&plain.image, tuned.image);
	assert_int_equal(job_spec_protocol(&plain), 1);
	assert_int_equal(job_spec_protocol(&tuned), 2);
	assert_int_equal(job_spec_change(&plain, &tuned), SPEC_CHANGE_TASKS);
	assert_int_equal(job_spec_tuning(&plain)->cpu_shares, 0);
	record_release(&job_spec_type, &plain);
	record_release(&job_spec_type, &tuned);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_mistake_is_named),
		TEST(sets_of_numbers_are_told_from_others),
		TEST(device_rules_are_told_from_others),
		TEST(a_relabelled_mount_is_one_that_docker_makes),
		TEST(what_is_new_below_asks_for_new_workers),
		TEST(a_network_with_addresses_asks_for_new_workers),
		TEST(what_is_new_asks_for_new_workers_and_new_tasks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
