#include "base/testing.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "job/spec.h"

/* Each case breaks one thing of a good specification and says what is heard. */
struct refusal {
	void (*breaks)(struct job_spec *spec);
	const char *field;
	const char *message; /* a part of it */
};

static void init_good(struct job_spec *spec)
{
	record_init(&job_spec_type, spec);
	string_set(&spec->image, "nginx:1.27");
}

static struct port *add_port(struct job_spec *spec, int64_t first, int64_t last)
{
	struct port *port = list_add(&spec->ports, sizeof(struct port));
	*port = (struct port){ .host_first = first, .host_last = last, .container_port = 80 };
	return port;
}

static struct mount *add_mount(struct job_spec *spec, int kind, const char *source,
			       const char *target)
{
	struct mount *mount = list_add(&spec->mounts, sizeof(struct mount));
	mount->kind = kind;
	string_set(&mount->source, source);
	string_set(&mount->target, target);
	return mount;
}

static void add_ulimit(struct job_spec *spec, const char *name, int64_t soft, int64_t hard)
{
	struct ulimit *ulimit = list_add(&spec->ulimits, sizeof(struct ulimit));
	*ulimit = (struct ulimit){ base_strdup(name), soft, hard };
}

#define BREAK(name, statement)                                                                     \
	static void name(struct job_spec *spec)                                                    \
	{                                                                                          \
		statement;                                                                         \
	}

// clang-format off
BREAK(no_image, string_set(&spec->image, NULL))
BREAK(empty_image, string_set(&spec->image, ""))
BREAK(bad_platform, string_set(&spec->platform, "amd64"))
BREAK(bad_image, string_set(&spec->image, "NGINX"))
BREAK(unsaid_command, strings_add(&spec->command, "x"))
BREAK(unsaid_entrypoint, strings_add(&spec->entrypoint, "x"))
BREAK(bad_environment, pairs_add(&spec->environment, "A=B", "c"))
BREAK(twice_environment, pairs_add(&spec->environment, "A", "b"); pairs_add(&spec->environment, "A", "c"))
BREAK(relative_directory, string_set(&spec->working_dir, "app"))
BREAK(empty_user, string_set(&spec->user, ""))
BREAK(bad_hostname, string_set(&spec->hostname, "a_b"))
BREAK(bad_signal, string_set(&spec->stop_signal, "SIGFOO"))
BREAK(bad_capability, strings_add(&spec->cap_add, "NET_ADMIN"); strings_add(&spec->cap_add, "x y"))
BREAK(bad_dropped_capability, strings_add(&spec->cap_drop, ""))
BREAK(unknown_ulimit, add_ulimit(spec, "files", 1, 2))
BREAK(twice_ulimit, add_ulimit(spec, "nofile", 1, 2); add_ulimit(spec, "nofile", 1, 2))
BREAK(soft_above_hard, add_ulimit(spec, "nofile", 3, 2))
BREAK(soft_unlimited, add_ulimit(spec, "nofile", -1, 2))
BREAK(sysctl_without_value, pairs_add(&spec->sysctls, "net.core.somaxconn", NULL))
BREAK(own_label, pairs_add(&spec->labels, "drover.task", "x"))
BREAK(label_of_compose, pairs_add(&spec->labels, "com.docker.compose.project", "x"))
BREAK(own_job_label, pairs_add(&spec->job_labels, "drover.task", "x"))
BREAK(empty_label, pairs_add(&spec->labels, "", "x"))
BREAK(empty_log_driver, string_set(&spec->logging.driver, ""))
BREAK(log_option_without_value, pairs_add(&spec->logging.options, "max-size", NULL))
BREAK(health_without_form, strings_add(&spec->health_check.test, "curl"))
BREAK(health_cmd_alone, strings_add(&spec->health_check.test, "CMD"))
BREAK(health_none_and_more, strings_add(&spec->health_check.test, "NONE"); strings_add(&spec->health_check.test, "x"))
BREAK(health_shell_of_two, strings_add(&spec->health_check.test, "CMD-SHELL");
      strings_add(&spec->health_check.test, "x"); strings_add(&spec->health_check.test, "y"))
BREAK(port_zero, add_port(spec, 80, 80)->container_port = 0)
BREAK(port_high, add_port(spec, 80, 80)->container_port = 70000)
BREAK(port_backwards, add_port(spec, 90, 80))
BREAK(port_half, add_port(spec, 0, 80))
BREAK(port_pool_too_large, add_port(spec, 10000, 20000))
BREAK(port_bad_ip, string_set(&add_port(spec, 80, 80)->host_ip, "localhost"))
BREAK(port_twice, add_port(spec, 80, 80); add_port(spec, 80, 80)->container_port = 81)
BREAK(port_twice_by_address, string_set(&add_port(spec, 80, 80)->host_ip, "127.0.0.1"); add_port(spec, 80, 80))
BREAK(relative_target, add_mount(spec, MOUNT_VOLUME, NULL, "data"))
BREAK(no_target, add_mount(spec, MOUNT_VOLUME, NULL, NULL))
BREAK(root_target, add_mount(spec, MOUNT_TMPFS, NULL, "//"))
BREAK(climbing_target, add_mount(spec, MOUNT_TMPFS, NULL, "/a/../b"))
BREAK(twice_target, add_mount(spec, MOUNT_VOLUME, "a", "/data"); add_mount(spec, MOUNT_TMPFS, NULL, "/data/"))
BREAK(bad_volume, add_mount(spec, MOUNT_VOLUME, "a/b", "/data"))
BREAK(relative_bind, add_mount(spec, MOUNT_BIND, "./a", "/data"))
BREAK(no_bind_source, add_mount(spec, MOUNT_BIND, NULL, "/data"))
BREAK(climbing_bind, add_mount(spec, MOUNT_BIND, "/a/..", "/data"))
BREAK(tmpfs_with_source, add_mount(spec, MOUNT_TMPFS, "a", "/data"))
BREAK(bind_with_size, add_mount(spec, MOUNT_BIND, "/a", "/data")->tmpfs_size_bytes = 1)
BREAK(bind_with_mode, add_mount(spec, MOUNT_BIND, "/a", "/data")->tmpfs_mode = 1)
BREAK(bind_with_options, string_set(&add_mount(spec, MOUNT_BIND, "/a", "/d")->tmpfs_options, "x"))
BREAK(bind_with_nocopy, add_mount(spec, MOUNT_BIND, "/a", "/data")->nocopy = true)
BREAK(volume_with_propagation, string_set(&add_mount(spec, MOUNT_VOLUME, "a", "/d")->propagation, "shared"))
BREAK(bad_propagation, string_set(&add_mount(spec, MOUNT_BIND, "/a", "/d")->propagation, "open"))
BREAK(no_network, list_add(&spec->networks, sizeof(struct network_use)))
BREAK(twice_network, for (int i = 0; i < 2; i++) string_set(&((struct network_use *)list_add(&spec->networks, sizeof(struct network_use)))->network, "front"))
BREAK(bad_alias, struct network_use *use = list_add(&spec->networks, sizeof(struct network_use));
      string_set(&use->network, "front"); strings_add(&use->aliases, "a b"))
BREAK(bad_host, strings_add(&spec->extra_hosts, "db"))
BREAK(bad_host_address, strings_add(&spec->extra_hosts, "db:nowhere"))
BREAK(bad_dns, strings_add(&spec->dns, "8.8.8.8"); strings_add(&spec->dns, "dns.example.com"))
BREAK(small_memory, spec->limits.memory_bytes = 4 << 20)
BREAK(small_cpu, spec->limits.cpu_milli = 9)
BREAK(limited_disk, spec->limits.disk_bytes = 1)
BREAK(reserved_pids, spec->reservations.pids = 1)
BREAK(memory_over_limit, spec->limits.memory_bytes = 64 << 20; spec->reservations.memory_bytes = 128 << 20)
BREAK(cpu_over_limit, spec->limits.cpu_milli = 500; spec->reservations.cpu_milli = 1500)
BREAK(bad_constraint, strings_add(&spec->placement.constraints, "node.role==manager");
      strings_add(&spec->placement.constraints, "disk==ssd"))
BREAK(bad_preference, strings_add(&spec->placement.preferences, "node.hostname"))
BREAK(empty_scheduler, string_set(&spec->scheduler, ""))
BREAK(nameless_dependency, list_add(&spec->depends_on, sizeof(struct depend)))
BREAK(misnamed_project, struct depend *on = list_add(&spec->depends_on, sizeof(*on)); string_set(&on->job, "db"); string_set(&on->project, "In"))
BREAK(twice_dependency, for (int i = 0; i < 2; i++) string_set(&((struct depend *)list_add(&spec->depends_on, sizeof(struct depend)))->job, "db"))
BREAK(negative_grace, spec->stop_grace_ms = -1)
BREAK(high_priority, spec->priority = 101)
BREAK(rollback_of_rollback, spec->rollback.failure_action = UPDATE_ROLLBACK)
BREAK(two_with_a_lease, spec->on_disconnect = ON_DISCONNECT_STOP; spec->update.order = UPDATE_START_FIRST)
BREAK(array_of_a_service, spec->array = base_calloc(1, sizeof(struct array)))
BREAK(array_of_nothing, array_of_a_service(spec); spec->mode = JOB_REPLICATED_JOB)
BREAK(array_of_one_with_two_tasks, array_of_nothing(spec);
      list_add(&spec->array->indices, sizeof(struct index_range)); spec->replicas = 2)
BREAK(service_that_takes_turns, spec->concurrency = 2)
BREAK(endless_with_a_limit, spec->max_run_time_ms = 1000)
BREAK(short_deadline, spec->update_deadline_ms = 29999)
BREAK(high_ratio, spec->update.max_failure_ppm = 1000001)
BREAK(many_replicas, spec->replicas = 1000001)

static const struct refusal refusals[] = {
	{ no_image, "image", "missing" },
	{ empty_image, "image", "missing" },
	{ bad_image, "image", "\"NGINX\" is not an image reference" },
	{ bad_platform, "platform", "\"amd64\" is an architecture: write linux/amd64" },
	{ unsaid_command, "has_command", "must be true" },
	{ unsaid_entrypoint, "has_entrypoint", "must be true" },
	{ bad_environment, "environment.A=B", "\"A=B\" is not a variable's name" },
	{ twice_environment, "environment", "\"A\" is written twice" },
	{ relative_directory, "working_dir", "\"app\" is not an absolute path" },
	{ empty_user, "user", "names no user" },
	{ bad_hostname, "hostname", "\"a_b\" is not a host name" },
	{ bad_signal, "stop_signal", "\"SIGFOO\" is not a signal" },
	{ bad_capability, "cap_add[1]", "\"x y\" is not a capability" },
	{ bad_dropped_capability, "cap_drop[0]", "\"\" is not a capability" },
	{ unknown_ulimit, "ulimits[0].name", "\"files\" is not a resource limit" },
	{ twice_ulimit, "ulimits[1].name", "\"nofile\" is written twice" },
	{ soft_above_hard, "ulimits[0].soft", "3 is above the hard limit of 2" },
	{ soft_unlimited, "ulimits[0].soft", "-1 is above the hard limit of 2" },
	{ sysctl_without_value, "sysctls.net.core.somaxconn", "\"net.core.somaxconn\" needs a name and a value" },
	{ own_label, "labels.drover.task", "\"drover.task\": labels that start with \"drover.\"" },
	{ label_of_compose, "labels.com.docker.compose.project", "are Docker Compose's own" },
	{ own_job_label, "job_labels.drover.task", "\"drover.task\"" },
	{ empty_label, "labels", "has no name" },
	{ empty_log_driver, "logging.driver", "names no driver" },
	{ log_option_without_value, "logging.options", "\"max-size\"" },
	{ health_without_form, "health_check.test", "starts with \"curl\"" },
	{ health_cmd_alone, "health_check.test", "must follow CMD" },
	{ health_none_and_more, "health_check.test", "nothing may follow NONE" },
	{ health_shell_of_two, "health_check.test", "here are 2" },
	{ port_zero, "ports[0].container_port", "0 is less than 1" },
	{ port_high, "ports[0].container_port", "70000 is more than 65535" },
	{ port_backwards, "ports[0].host_last", "90-80 is not a range" },
	{ port_half, "ports[0].host_last", "0-80 is not a range" },
	{ port_pool_too_large, "ports[0].host_last", "10000-20000 has more than 10000 ports" },
	{ port_bad_ip, "ports[0].host_ip", "\"localhost\" is not an IP address" },
	{ port_twice, "ports[1].host_first", "host port 80/tcp is published twice" },
	{ port_twice_by_address, "ports[1].host_first", "published twice" },
	{ relative_target, "mounts[0].target", "\"data\" is not an absolute path" },
	{ no_target, "mounts[0].target", "not an absolute path" },
	{ root_target, "mounts[0].target", "nothing can be mounted" },
	{ climbing_target, "mounts[0].target", "nothing can be mounted" },
	{ twice_target, "mounts[1].target", "two mounts have the target \"/data/\"" },
	{ bad_volume, "mounts[0].source", "\"a/b\" is not a name" },
	{ relative_bind, "mounts[0].source", "\"./a\" is not an absolute path" },
	{ no_bind_source, "mounts[0].source", "not an absolute path" },
	{ climbing_bind, "mounts[0].source", "holds \"..\"" },
	{ tmpfs_with_source, "mounts[0].source", "has no source" },
	{ bind_with_size, "mounts[0].tmpfs_size_bytes", "a mount of kind bind" },
	{ bind_with_mode, "mounts[0].tmpfs_mode", "a mount of kind bind" },
	{ bind_with_options, "mounts[0].tmpfs_options", "a mount of kind bind" },
	{ bind_with_nocopy, "mounts[0].nocopy", "a mount of kind bind" },
	{ volume_with_propagation, "mounts[0].propagation", "a mount of kind volume" },
	{ bad_propagation, "mounts[0].propagation", "\"open\" is none of" },
	{ no_network, "networks[0].network", "\"\" is not a name" },
	{ twice_network, "networks[1].network", "\"front\" is written twice" },
	{ bad_alias, "networks[0].aliases", "\"a b\"" },
	{ bad_host, "extra_hosts[0]", "\"db\" is not NAME:ADDRESS" },
	{ bad_host_address, "extra_hosts[0]", "\"db:nowhere\"" },
	{ bad_dns, "dns[1]", "\"dns.example.com\" is not an IP address" },
	{ small_memory, "limits.memory_bytes", "4194304 bytes are less than 6 MB" },
	{ small_cpu, "limits.cpu_milli", "9 thousandths" },
	{ limited_disk, "limits.disk_bytes", "not limited" },
	{ reserved_pids, "reservations.pids", "not reserved" },
	{ memory_over_limit, "reservations.memory_bytes", "128 MB reserved is more than the limit of 64 MB" },
	{ cpu_over_limit, "reservations.cpu_milli", "1.5 reserved is more than the limit of 0.5" },
	{ bad_constraint, "placement.constraints[1]", "\"disk\" is none of node.id" },
	{ bad_preference, "placement.preferences[0]", "cannot be spread over" },
	{ empty_scheduler, "scheduler", "names no policy" },
	{ nameless_dependency, "depends_on[0].job", "names no job" },
	{ twice_dependency, "depends_on[1].job", "\"db\" is written twice" },
	{ misnamed_project, "depends_on[0].project", "\"In\"" },
	{ negative_grace, "stop_grace_ms", "-1 is less than 0" },
	{ high_priority, "priority", "101 is more than 100" },
	{ rollback_of_rollback, "rollback.failure_action", "is not rolled back again" },
	{ two_with_a_lease, "update.order", "which on_disconnect: stop forbids" },
	{ array_of_a_service, "array", "this is a replicated one" },
	{ array_of_nothing, "array", "at least one index" },
	{ array_of_one_with_two_tasks, "replicas", "the array has 1 indices" },
	{ service_that_takes_turns, "concurrency", "this is a replicated one" },
	{ endless_with_a_limit, "max_run_time_ms", "a replicated service never does" },
	{ short_deadline, "update_deadline_ms", "29999 ms is less than 30 s" },
	{ high_ratio, "update.max_failure_ppm", "1000001 is more than 1000000" },
	{ many_replicas, "replicas", "1000001 is more than 1000000" },
};
// clang-format on

static void each_mistake_is_refused_with_its_field_and_value(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct job_spec spec;
		struct err err = { 0 };
		init_good(&spec);
		refusals[i].breaks(&spec);
		enum err_code code = job_spec_check(&spec, &err);
		if (!code || strcmp(err.field, refusals[i].field) != 0 ||
		    !strstr(err.message, refusals[i].message))
			fail_msg("expected %s: %s\nheard %s: %s", refusals[i].field,
				 refusals[i].message, err.field, err.message);
		assert_int_equal(job_spec_check(&spec, NULL), code);
		record_release(&job_spec_type, &spec);
	}
}

static void a_specification_that_uses_everything_is_accepted(void **state)
{
	(void)state;
	struct job_spec spec;
	struct err err = { 0 };
	init_good(&spec);
	spec.has_command = true;
	strings_add(&spec.command, "");
	pairs_add(&spec.environment, "A", NULL);
	pairs_add(&spec.environment, "discovery.type", "single-node");
	string_set(&spec.working_dir, "/app");
	string_set(&spec.user, "1000:1000");
	string_set(&spec.hostname, "web.example.com");
	string_set(&spec.stop_signal, "SIGINT");
	strings_add(&spec.cap_add, "NET_ADMIN");
	strings_add(&spec.cap_drop, "ALL");
	add_ulimit(&spec, "nofile", 1024, -1);
	add_ulimit(&spec, "core", -1, -1);
	pairs_add(&spec.sysctls, "net.core.somaxconn", "1024");
	strings_add(&spec.health_check.test, "CMD-SHELL");
	strings_add(&spec.health_check.test, "curl -f localhost");
	add_port(&spec, 80, 80);
	add_port(&spec, 80, 80)->protocol = PORT_UDP;
	add_port(&spec, 8080, 8089);
	add_port(&spec, 0, 0);
	string_set(&add_port(&spec, 443, 443)->host_ip, "127.0.0.1");
	string_set(&add_port(&spec, 443, 443)->host_ip, "::1");
	add_mount(&spec, MOUNT_VOLUME, "pgData", "/data");
	add_mount(&spec, MOUNT_VOLUME, NULL, "/anonymous");
	string_set(&add_mount(&spec, MOUNT_BIND, "/etc/app", "/etc/app")->propagation, "rslave");
	add_mount(&spec, MOUNT_TMPFS, NULL, "/tmp")->tmpfs_size_bytes = 1 << 20;
	strings_add(&spec.extra_hosts, "db:10.0.0.1");
	strings_add(&spec.extra_hosts, "six:2001:db8::1");
	strings_add(&spec.extra_hosts, "host.docker.internal:host-gateway");
	strings_add(&spec.dns, "8.8.8.8");
	spec.limits = (struct resources){ .cpu_milli = 500, .memory_bytes = 64 << 20, .pids = 10 };
	spec.reservations = (struct resources){ 500, 64 << 20, 1 << 30, 0 };
	strings_add(&spec.placement.constraints, "node.labels.disk==ssd");
	strings_add(&spec.placement.preferences, "node.labels.rack");
	if (job_spec_check(&spec, &err))
		fail_msg("%s: %s", err.field, err.message);
	record_release(&job_spec_type, &spec);
}

static void an_environment_has_a_size_in_all(void **state)
{
	(void)state;
	struct job_spec spec;
	struct err err;
	init_good(&spec);
	_cleanup_free_ char *value = base_calloc(LIMIT_STRING_BYTES + 1, 1);
	memset(value, 'v', LIMIT_STRING_BYTES);
	pairs_add(&spec.environment, "A", value);
	assert_int_equal(job_spec_check(&spec, &err), ERR_NONE);
	pairs_add(&spec.environment, "B", value);
	assert_int_equal(job_spec_check(&spec, &err), ERR_INVALID);
	assert_string_equal(err.message, "131078 bytes in all, at most 131072 are allowed");
	record_release(&job_spec_type, &spec);
}

static void a_job_has_a_size_in_all(void **state)
{
	(void)state;
	struct job_spec spec;
	struct err err;
	init_good(&spec);
	spec.has_command = true;
	_cleanup_free_ char *value = base_calloc(LIMIT_STRING_BYTES + 1, 1);
	memset(value, 'v', LIMIT_STRING_BYTES);
	for (int i = 0; i < 8; i++)
		strings_add(&spec.command, value);
	assert_int_equal(job_spec_check(&spec, &err), ERR_LIMIT);
	assert_string_equal(err.message, "the whole job is larger than 512 KB");
	record_release(&job_spec_type, &spec);
}

static int change_of(void (*change)(struct job_spec *spec))
{
	struct job_spec a;
	struct job_spec b;
	init_good(&a);
	record_copy(&job_spec_type, &b, &a);
	change(&b);
	assert_false(record_equal(&job_spec_type, &a, &b));
	int most = job_spec_change(&a, &b);
	assert_int_equal(most, job_spec_change(&b, &a));
	record_release(&job_spec_type, &a);
	record_release(&job_spec_type, &b);
	return most;
}

// clang-format off
BREAK(other_replicas, spec->replicas = 7)
BREAK(other_priority, spec->priority = 7)
BREAK(other_deadline, spec->placement_deadline_ms = 7)
BREAK(other_job_labels, pairs_add(&spec->job_labels, "a", "b"))
BREAK(other_update, spec->update.parallelism = 2; spec->rollback.delay_ms = 1; spec->update_deadline_ms = 40000)
BREAK(other_scheduler, string_set(&spec->scheduler, "binpack"))
BREAK(other_image, string_set(&spec->image, "nginx:1.28"))
BREAK(other_labels, pairs_add(&spec->labels, "a", "b"))
BREAK(other_platform, string_set(&spec->platform, "linux/arm64"))
BREAK(other_network_reach, spec->network_reach = REACH_PER_NODE)
BREAK(other_volume_reach, spec->volume_reach = REACH_PER_NODE)
BREAK(other_limit, spec->limits.memory_bytes = 64 << 20)
BREAK(other_port, add_port(spec, 80, 80))
BREAK(other_constraint, strings_add(&spec->placement.constraints, "node.role==manager"))
BREAK(other_dependency, record_init(&depend_type, list_add(&spec->depends_on, sizeof(struct depend))))
BREAK(other_restart, spec->restart.max_attempts = 3)
BREAK(other_lease, spec->on_disconnect = ON_DISCONNECT_STOP)
BREAK(other_mode, spec->mode = JOB_REPLICATED_JOB)
// clang-format on

static void only_what_containers_never_see_leaves_them_alone(void **state)
{
	(void)state;
	assert_int_equal(change_of(other_replicas), SPEC_CHANGE_NONE);
	assert_int_equal(change_of(other_priority), SPEC_CHANGE_NONE);
	assert_int_equal(change_of(other_deadline), SPEC_CHANGE_NONE);
	assert_int_equal(change_of(other_job_labels), SPEC_CHANGE_NONE);
	assert_int_equal(change_of(other_update), SPEC_CHANGE_NONE);
	assert_int_equal(change_of(other_scheduler), SPEC_CHANGE_NONE);
	assert_int_equal(change_of(other_constraint), SPEC_CHANGE_PLACES);
	assert_int_equal(change_of(other_dependency), SPEC_CHANGE_PLACES);
	assert_int_equal(change_of(other_image), SPEC_CHANGE_TASKS);
	assert_int_equal(change_of(other_labels), SPEC_CHANGE_TASKS);
	assert_int_equal(change_of(other_platform), SPEC_CHANGE_TASKS);
	assert_int_equal(change_of(other_network_reach), SPEC_CHANGE_TASKS);
	assert_int_equal(change_of(other_volume_reach), SPEC_CHANGE_TASKS);
	assert_int_equal(change_of(other_limit), SPEC_CHANGE_TASKS);
	assert_int_equal(change_of(other_port), SPEC_CHANGE_TASKS);
	assert_int_equal(change_of(other_restart), SPEC_CHANGE_TASKS);
	assert_int_equal(change_of(other_lease), SPEC_CHANGE_TASKS);
	assert_int_equal(change_of(other_mode), SPEC_CHANGE_TASKS);
}

static void another_order_of_what_has_names_is_no_change(void **state)
{
	(void)state;
	struct job_spec a;
	struct job_spec b;
	init_good(&a);
	record_copy(&job_spec_type, &b, &a);
	pairs_add(&a.environment, "one", "1");
	pairs_add(&a.environment, "none", NULL);
	pairs_add(&b.environment, "none", NULL);
	pairs_add(&b.environment, "one", "1");
	assert_true(record_equal(&job_spec_type, &a, &b));
	assert_int_equal(record_hash(&job_spec_type, &a), record_hash(&job_spec_type, &b));
	assert_int_equal(job_spec_change(&a, &b), SPEC_CHANGE_NONE);
	/* Without a value is not the same as not there. */
	pairs_add(&a.labels, "one", "1");
	pairs_add(&a.labels, "two", NULL);
	pairs_add(&b.labels, "three", NULL);
	pairs_add(&b.labels, "one", "1");
	assert_false(record_equal(&job_spec_type, &a, &b));
	assert_int_equal(job_spec_change(&a, &b), SPEC_CHANGE_TASKS);
	record_release(&job_spec_type, &a);
	record_release(&job_spec_type, &b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_mistake_is_refused_with_its_field_and_value),
		TEST(a_specification_that_uses_everything_is_accepted),
		TEST(an_environment_has_a_size_in_all),
		TEST(a_job_has_a_size_in_all),
		TEST(only_what_containers_never_see_leaves_them_alone),
		TEST(another_order_of_what_has_names_is_no_change),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
