/* Keys that few services have: what they read as, alone and together. */
#include "compose/testing.h"

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
		 "compose.yaml:4:20: services.web.blkio_config.weight_device",
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
	};
	return cmocka_run_group_tests(tests, NULL, release_request);
}
