#include "compose/testing.h"

static const struct job_spec *spec_of(const struct project_request *request)
{
	return &request->jobs.items[0].spec;
}

static void variables_that_change_more_than_they_seem_to_are_warned_of(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	struct project_request request = test_good(&world, "services:\n"
							   "  a:\n"
							   "    image: x\n"
							   "    environment:\n"
							   "      LD_PRELOAD: /x.so\n"
							   "      DOCKER_HOST: tcp://a:1\n"
							   "      LDAP_HOST: b\n");
	assert_int_equal(world.warnings.items.n, 2);
	assert_string_equal(world.warnings.items.items[0],
			    "compose.yaml:5:7: services.a.environment.LD_PRELOAD: LD_PRELOAD "
			    "changes how every program of the container is loaded");
	assert_non_null(strstr(world.warnings.items.items[1], "DOCKER_HOST may lead"));
	assert_int_equal(request.jobs.items[0].spec.environment.n, 3);
	test_request_release(&request);
	test_world_release(&world);
}

static void expect_strings(const struct strings *strings, const char *first, const char *second)
{
	assert_int_equal(strings->n, !first ? 0 : second ? 2 : 1);
	if (first)
		assert_string_equal(strings->items[0], first);
	if (second)
		assert_string_equal(strings->items[1], second);
}

static void nothing_written_is_what_the_documentation_says(void **state)
{
	(void)state;
	struct project_request request = test_spec("");
	const struct job_spec *spec = spec_of(&request);
	assert_false(spec->has_command);
	assert_false(spec->has_entrypoint);
	assert_int_equal(spec->init, UNSET);
	assert_int_equal(spec->pull_policy, PULL_MISSING);
	assert_int_equal(spec->stop_grace_ms, 10000);
	assert_int_equal(spec->restart.condition, RESTART_ON_FAILURE);
	assert_int_equal(spec->restart.max_attempts, 0);
	assert_int_equal(spec->mode, JOB_REPLICATED);
	assert_int_equal(spec->replicas, 1);
	assert_int_equal(spec->priority, 50);
	assert_int_equal(spec->networks.n, 1);
	assert_string_equal(spec->networks.items[0].network, "default");
	assert_int_equal(request.networks.n, 1);
	assert_string_equal(request.networks.items[0].key, "default");
	assert_null(request.networks.items[0].name);
	assert_string_equal(request.name, "shop");
	test_request_release(&request);
}

static void commands_tell_null_from_empty(void **state)
{
	static const struct {
		const char *value;
		bool written;
		const char *first;
		const char *second;
	} rows[] = {
		{ "", false, NULL, NULL },	{ "null", false, NULL, NULL },
		{ "[]", true, NULL, NULL },	{ "''", true, NULL, NULL },
		{ "[a, a]", true, "a", "a" },	{ "a 'b c'", true, "a", "b c" },
		{ "['', '1']", true, "", "1" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char lines[128];
		text_print(lines, sizeof(lines), "    command: %s\n    entrypoint: %s\n",
			   rows[i].value, rows[i].value);
		struct project_request request = test_spec(lines);
		const struct job_spec *spec = spec_of(&request);
		assert_int_equal(spec->has_command, rows[i].written);
		assert_int_equal(spec->has_entrypoint, rows[i].written);
		expect_strings(&spec->command, rows[i].first, rows[i].second);
		expect_strings(&spec->entrypoint, rows[i].first, rows[i].second);
		test_request_release(&request);
	}
}

static void environment_wins_over_files_and_later_files_over_earlier_ones(void **state)
{
	static const struct test_file files[] = {
		{ "/srv/shop/one.env", "A=1\nB=1\nC=1\nQUOTED='q'\n" },
		{ "/etc/two.env", "B=2\nC=2\nHOST\nRAW='q'\n" },
		{ NULL, NULL },
	};
	(void)state;
	struct test_world world = { .files = files };
	pairs_add(&world.environment, "HOST", "outer");
	pairs_add(&world.environment, "GIVEN", "given");
	struct project_request request = test_good(
		&world, "services:\n"
			"  web:\n"
			"    image: nginx\n"
			"    environment: {C: 3, GIVEN: , ABSENT: , A: , X: 1.50, Y: true}\n"
			"    env_file: [one.env, {path: /etc/two.env, format: raw}]\n");
	const struct pairs *environment = &spec_of(&request)->environment;
	assert_string_equal(pairs_get(environment, "B"), "2");
	assert_string_equal(pairs_get(environment, "C"), "3");
	assert_string_equal(pairs_get(environment, "GIVEN"), "given");
	assert_string_equal(pairs_get(environment, "HOST"), "outer");
	assert_string_equal(pairs_get(environment, "QUOTED"), "q");
	assert_string_equal(pairs_get(environment, "RAW"), "'q'");
	assert_string_equal(pairs_get(environment, "X"), "1.50");
	assert_string_equal(pairs_get(environment, "Y"), "true");
	assert_null(pairs_get(environment, "ABSENT"));
	assert_null(pairs_get(environment, "A"));
	assert_int_equal(environment->n, 10);
	test_request_release(&request);
	test_world_release(&world);
	test_bad("    env_file: none.env\n", ERR_NOT_FOUND,
		 "compose.yaml:4:15: services.web.env_file",
		 "the env_file /srv/shop/none.env does not exist");
	test_bad("    env_file: [{format: raw}]\n", ERR_INVALID,
		 "compose.yaml:4:16: services.web.env_file[0]", "an env_file needs a path");
	test_bad("    env_file: {path: x}\n", ERR_INVALID,
		 "compose.yaml:4:5: services.web.env_file", "expected a list, found a mapping");
}

static void an_environment_list_splits_at_the_first_equals_sign(void **state)
{
	(void)state;
	struct project_request request = test_spec("    environment: ['A=b=c', 'E=', N]\n");
	const struct pairs *environment = &spec_of(&request)->environment;
	assert_string_equal(pairs_get(environment, "A"), "b=c");
	assert_string_equal(pairs_get(environment, "E"), "");
	assert_int_equal(environment->n, 3);
	assert_null(environment->items[2].value);
	test_request_release(&request);
}

static void restarts_in_every_spelling(void **state)
{
	static const struct {
		const char *lines;
		int condition;
		int64_t max_attempts;
	} rows[] = {
		{ "    restart: no\n", RESTART_NONE, 0 },
		{ "    restart: 'no'\n", RESTART_NONE, 0 },
		{ "    restart: false\n", RESTART_NONE, 0 },
		{ "    restart: always\n", RESTART_ANY, 0 },
		{ "    restart: unless-stopped\n", RESTART_ANY, 0 },
		{ "    restart: on-failure\n", RESTART_ON_FAILURE, 0 },
		{ "    restart: on-failure:3\n", RESTART_ON_FAILURE, 3 },
		{ "    deploy:\n", RESTART_ON_FAILURE, 0 },
		{ "    deploy: {restart_policy: {}}\n", RESTART_ANY, 0 },
		{ "    deploy: {restart_policy: {condition: none}}\n", RESTART_NONE, 0 },
		{ "    restart: on-failure:3\n    deploy: {restart_policy: {condition: "
		  "on-failure}}\n",
		  RESTART_ON_FAILURE, 0 },
		{ "    restart: always\n    deploy: {mode: replicated-job}\n", RESTART_ON_FAILURE,
		  0 },
		{ "    restart: no\n    deploy: {mode: replicated-job}\n", RESTART_NONE, 0 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct project_request request = test_spec(rows[i].lines);
		assert_int_equal(spec_of(&request)->restart.condition, rows[i].condition);
		assert_int_equal(spec_of(&request)->restart.max_attempts, rows[i].max_attempts);
		test_request_release(&request);
	}
	test_bad("    restart: sometimes\n", ERR_INVALID, "compose.yaml:4:14: services.web.restart",
		 "expected \"no\", always, unless-stopped or on-failure[:n], found \"sometimes\"");
	test_bad("    restart: on-failure:x\n", ERR_INVALID,
		 "compose.yaml:4:14: services.web.restart", "\"x\" is not a whole number");
	test_bad("    restart:\n", ERR_INVALID, "compose.yaml:4:5: services.web.restart",
		 "found nothing");
}

static void replicas_and_scale_must_agree(void **state)
{
	(void)state;
	struct project_request request = test_spec("    scale: 3\n    deploy: {replicas: '3'}\n");
	assert_int_equal(spec_of(&request)->replicas, 3);
	test_request_release(&request);
	request = test_spec("    scale: 0\n");
	assert_int_equal(spec_of(&request)->replicas, 0);
	test_request_release(&request);
	test_bad("    scale: 3\n    deploy: {replicas: 2}\n", ERR_INVALID,
		 "compose.yaml:5:24: services.web.deploy.replicas",
		 "deploy.replicas is 2 and scale is 3");
	test_bad("    deploy: {mode: global, replicas: 1}\n", ERR_INVALID,
		 "compose.yaml:4:28: services.web.deploy.replicas",
		 "replicas has no place in a service of mode global");
	test_bad("    scale: 1\n    deploy: {mode: global-job}\n", ERR_INVALID,
		 "compose.yaml:4:5: services.web.scale",
		 "scale has no place in a service of mode global-job");
	test_bad("    deploy: {mode: global}\n    x-drover: {volume: one-node}\n", ERR_INVALID,
		 "compose.yaml:5:24: services.web.x-drover.volume",
		 "a service of mode global runs on each machine, so what it uses cannot be on one");
	test_bad("    x-drover: {network: everywhere}\n", ERR_INVALID,
		 "compose.yaml:4:25: services.web.x-drover.network",
		 "expected one-node or per-node, found \"everywhere\"");
	request = test_spec("    deploy: {mode: global}\n");
	assert_int_equal(spec_of(&request)->network_reach, REACH_PER_NODE);
	assert_int_equal(spec_of(&request)->volume_reach, REACH_PER_NODE);
	test_request_release(&request);
	test_bad("    deploy: {mode: globl}\n", ERR_INVALID,
		 "compose.yaml:4:20: services.web.deploy.mode",
		 "expected replicated, replicated-job, global or global-job, found \"globl\"");
}

static void updates_mean_what_swarm_means(void **state)
{
	(void)state;
	struct project_request request = test_spec("    deploy: {update_config: {}}\n");
	const struct job_spec *spec = spec_of(&request);
	assert_int_equal(spec->update.parallelism, 0);
	assert_int_equal(update_policy_monitor_ms(&spec->update), 5000);
	assert_int_equal(spec->update.failure_action, UPDATE_PAUSE);
	assert_int_equal(spec->update.order, UPDATE_STOP_FIRST);
	test_request_release(&request);
	/* What is written as it would be without a word is the same. */
	request = test_spec(
		"    deploy: {update_config: {parallelism: 1, monitor: 5s, max_failure_ratio: 0}}\n"
		"    x-drover: {update_deadline: 10m}\n");
	spec = spec_of(&request);
	assert_int_equal(spec->update.parallelism, 0);
	assert_int_equal(spec->update.monitor_ms, 0);
	assert_int_equal(spec->update_deadline_ms, 0);
	test_request_release(&request);
	request = test_spec(
		"    deploy:\n"
		"      update_config: {parallelism: 0, delay: 10s, failure_action: rollback,\n"
		"        monitor: 0s, max_failure_ratio: 0.25, order: start-first}\n"
		"      rollback_config: {parallelism: 3, failure_action: continue}\n"
		"    x-drover: {update_deadline: 90s}\n");
	spec = spec_of(&request);
	assert_int_equal(spec->update.parallelism, UPDATE_ALL);
	assert_int_equal(spec->update.delay_ms, 10000);
	assert_int_equal(spec->update.failure_action, UPDATE_ROLLBACK);
	assert_int_equal(update_policy_monitor_ms(&spec->update), 5000);
	assert_int_equal(spec->update.max_failure_ppm, 250000);
	assert_int_equal(spec->update.order, UPDATE_START_FIRST);
	assert_int_equal(spec->rollback.parallelism, 3);
	assert_int_equal(spec->rollback.failure_action, UPDATE_CONTINUE);
	assert_int_equal(spec->update_deadline_ms, 90000);
	test_request_release(&request);
	test_bad("    deploy: {rollback_config: {failure_action: rollback}}\n", ERR_INVALID,
		 "compose.yaml:4:48: services.web.deploy.rollback_config.failure_action",
		 "is not rolled back again");
	test_bad("    deploy: {update_config: {max_failure_ratio: 1.5}}\n", ERR_INVALID,
		 "compose.yaml:4:49: services.web.deploy.update_config.max_failure_ratio",
		 "\"1.5\" is not a part of the whole from 0 to 1");
	test_bad("    deploy: {update_config: {order: parallel}}\n", ERR_INVALID,
		 "compose.yaml:4:37: services.web.deploy.update_config.order",
		 "expected stop-first or start-first, found \"parallel\"");
	test_bad("    deploy: {mode: replicated-job, update_config: {delay: 1s}}\n", ERR_INVALID,
		 "compose.yaml:4:36: services.web.deploy.update_config",
		 "a replicated-job runs to completion and is not updated task by task");
	test_bad("    x-drover: {on_disconnect: stop}\n    deploy: {update_config: {order: "
		 "start-first}}\n",
		 ERR_INVALID, "compose.yaml:5:37: services.web.deploy.update_config.order",
		 "which on_disconnect: stop forbids");
}

static void resources_in_numbers_and_strings(void **state)
{
	(void)state;
	struct project_request request =
		test_spec("    deploy:\n"
			  "      resources:\n"
			  "        limits: {cpus: '1.5', memory: 1.5g, pids: -1}\n"
			  "        reservations: {cpus: 0.001, memory: 67108864}\n"
			  "    x-drover: {disk: 2g}\n");
	const struct job_spec *spec = spec_of(&request);
	assert_int_equal(spec->limits.cpu_milli, 1500);
	assert_int_equal(spec->limits.memory_bytes, 1536LL << 20);
	assert_int_equal(spec->limits.pids, 0);
	assert_int_equal(spec->reservations.cpu_milli, 1);
	assert_int_equal(spec->reservations.memory_bytes, 64LL << 20);
	assert_int_equal(spec->reservations.disk_bytes, 2LL << 30);
	test_request_release(&request);
	test_bad("    deploy: {resources: {limits: {memory: 1m}}}\n", ERR_INVALID,
		 "compose.yaml:4:43: services.web.deploy.resources.limits.memory",
		 "less than 6 MB");
	test_bad("    deploy: {resources: {limits: {memory: lots}}}\n", ERR_INVALID,
		 "compose.yaml:4:43: services.web.deploy.resources.limits.memory", "\"lots\"");
	test_bad("    deploy: {resources: {limits: {cpus: [1]}}}\n", ERR_INVALID,
		 "compose.yaml:4:35: services.web.deploy.resources.limits.cpus",
		 "expected a number of CPUs like \"0.5\", found a list");
	test_bad("    deploy: {resources: {limits: {memory: 64m}, reservations: {memory: 65m}}}\n",
		 ERR_INVALID,
		 "compose.yaml:4:72: services.web.deploy.resources.reservations.memory",
		 "65 MB reserved is more than the limit of 64 MB");
}

static void ulimits_sysctls_hosts_and_servers(void **state)
{
	(void)state;
	struct project_request request =
		test_spec("    ulimits: {nproc: 5, nofile: {hard: -1, soft: 7}}\n"
			  "    sysctls: [net.core.somaxconn=9]\n"
			  "    extra_hosts: {a: 10.0.0.1, b: [10.0.0.2, '[::1]']}\n"
			  "    dns: 1.1.1.1\n");
	const struct job_spec *spec = spec_of(&request);
	assert_int_equal(spec->ulimits.n, 2);
	assert_int_equal(spec->ulimits.items[0].soft, 5);
	assert_int_equal(spec->ulimits.items[0].hard, 5);
	assert_int_equal(spec->ulimits.items[1].soft, 7);
	assert_int_equal(spec->ulimits.items[1].hard, -1);
	assert_string_equal(pairs_get(&spec->sysctls, "net.core.somaxconn"), "9");
	assert_int_equal(spec->extra_hosts.n, 3);
	assert_string_equal(spec->extra_hosts.items[0], "a:10.0.0.1");
	assert_string_equal(spec->extra_hosts.items[2], "b:::1");
	expect_strings(&spec->dns, "1.1.1.1", NULL);
	test_request_release(&request);
	test_bad("    ulimits: {nofile: {soft: 1}}\n", ERR_INVALID,
		 "compose.yaml:4:15: services.web.ulimits.nofile", "expected both soft and hard");
	test_bad("    ulimits: {files: 1}\n", ERR_INVALID,
		 "compose.yaml:4:22: services.web.ulimits.files",
		 "\"files\" is not a resource limit");
	test_bad("    sysctls: [a]\n", ERR_INVALID, "compose.yaml:4:15: services.web.sysctls[0]",
		 "the sysctl a has no value");
	test_bad("    extra_hosts: [db]\n", ERR_INVALID,
		 "compose.yaml:4:19: services.web.extra_hosts[0]", "expected HOST=ADDRESS");
	test_bad("    extra_hosts:\n      - a=1.2.3.4\n      - b=1.2.3.999\n", ERR_INVALID,
		 "compose.yaml:6:9: services.web.extra_hosts[1]", "is not NAME:ADDRESS");
	test_bad("    dns: [one.one]\n", ERR_INVALID, "compose.yaml:4:11: services.web.dns[0]",
		 "\"one.one\" is not an IP address");
}

static void health_checks_in_every_form(void **state)
{
	(void)state;
	struct project_request request =
		test_spec("    healthcheck: {test: curl -f x || exit 1, interval: 1m30s, "
			  "retries: 2, timeout: 500ms}\n");
	const struct health_check *check = &spec_of(&request)->health_check;
	expect_strings(&check->test, "CMD-SHELL", "curl -f x || exit 1");
	assert_int_equal(check->interval_ms, 90000);
	assert_int_equal(check->timeout_ms, 500);
	assert_int_equal(check->retries, 2);
	assert_int_equal(check->start_period_ms, 0);
	assert_false(check->disabled);
	test_request_release(&request);
	static const char *const off[] = { "    healthcheck: {test: [NONE]}\n",
					   "    healthcheck: {test: [NONE], disable: false}\n",
					   "    healthcheck: {disable: true}\n" };
	for (size_t i = 0; i < ARRAY_LEN(off); i++) {
		request = test_spec(off[i]);
		assert_true(spec_of(&request)->health_check.disabled);
		assert_int_equal(spec_of(&request)->health_check.test.n, 0);
		test_request_release(&request);
	}
	request = test_spec("    healthcheck: {interval: 1s}\n");
	assert_int_equal(spec_of(&request)->health_check.test.n, 0);
	test_request_release(&request);
	test_bad("    healthcheck: {test: x, disable: true}\n", ERR_INVALID,
		 "compose.yaml:4:5: services.web.healthcheck",
		 "a check that is disabled has no test");
	test_bad("    healthcheck: {test: [curl, x]}\n", ERR_INVALID,
		 "compose.yaml:4:19: services.web.healthcheck.test",
		 "a list of 2 that begins with \"curl\"");
	test_bad("    healthcheck: {test: []}\n", ERR_INVALID,
		 "compose.yaml:4:19: services.web.healthcheck.test", "a list of 0");
	test_bad("    healthcheck: {interval: 100us}\n", ERR_INVALID,
		 "compose.yaml:4:29: services.web.healthcheck.interval", "100us");
	test_bad("    healthcheck: {interval: 5}\n", ERR_INVALID,
		 "compose.yaml:4:29: services.web.healthcheck.interval", "\"5\" is not a duration");
}

static void networks_and_their_aliases(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	struct project_request request = test_good(
		&world, "services:\n"
			"  a: {image: x, networks: [back]}\n"
			"  b: {image: x, networks: {back: {aliases: [one, two]}, default: }}\n"
			"networks: {back: }\n");
	assert_int_equal(request.networks.n, 2);
	assert_string_equal(request.networks.items[0].key, "back");
	assert_string_equal(request.networks.items[1].key, "default");
	const struct job_spec *spec = &request.jobs.items[1].spec;
	assert_int_equal(spec->networks.n, 2);
	expect_strings(&spec->networks.items[0].aliases, "one", "two");
	test_request_release(&request);
	test_world_release(&world);
	test_bad("    networks: [gone]\n", ERR_INVALID,
		 "compose.yaml:4:16: services.web.networks[0]",
		 "the project has no network \"gone\"");
	test_bad("    networks: default\n", ERR_INVALID, "compose.yaml:4:15: services.web.networks",
		 "expected a list or a mapping of networks, found \"default\"");
}

static void dependencies_in_both_forms(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	struct project_request request =
		test_good(&world, "services:\n"
				  "  a: {image: x}\n"
				  "  b: {image: x, depends_on: [a]}\n"
				  "  c: {image: x, depends_on: {a: {condition: "
				  "service_completed_successfully, restart: "
				  "true}, z: {condition: service_healthy, required: false}}}\n");
	const struct job_spec *spec = &request.jobs.items[2].spec;
	assert_int_equal(request.jobs.items[1].spec.depends_on.items[0].condition, DEPEND_STARTED);
	assert_int_equal(spec->depends_on.items[0].condition, DEPEND_COMPLETED);
	assert_true(spec->depends_on.items[0].restart);
	assert_false(spec->depends_on.items[0].optional);
	assert_int_equal(spec->depends_on.items[1].condition, DEPEND_HEALTHY);
	assert_true(spec->depends_on.items[1].optional);
	assert_int_equal(world.warnings.items.n, 1);
	assert_string_equal(
		world.warnings.items.items[0],
		"compose.yaml:4:93: services.c.depends_on.z: there is no service z; it is not "
		"waited for");
	test_request_release(&request);
	test_world_release(&world);
	test_bad("    depends_on: [db]\n", ERR_INVALID,
		 "compose.yaml:4:18: services.web.depends_on[0]", "the project has no job \"db\"");
	test_bad("    depends_on: {db: {restart: true}}\n", ERR_INVALID,
		 "compose.yaml:4:18: services.web.depends_on.db", "a condition is missing");
	test_bad("    depends_on: {db: }\n", ERR_INVALID,
		 "compose.yaml:4:18: services.web.depends_on.db",
		 "expected a mapping, found nothing");
	test_bad("    depends_on: [web]\n", ERR_INVALID,
		 "compose.yaml:4:18: services.web.depends_on[0]", "a job cannot depend on itself");
	test_bad_file("services:\n"
		      "  a: {image: x, depends_on: [b]}\n"
		      "  b: {image: x, depends_on: [c]}\n"
		      "  c: {image: x, depends_on: [a]}\n",
		      ERR_INVALID, "compose.yaml:2:17: services.a.depends_on",
		      "the jobs wait for each other: a -> b -> c -> a");
}

static void dependencies_on_other_projects_in_both_forms(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	struct project_request request = test_good(
		&world, "name: shop\n"
			"services:\n"
			"  db: {image: x}\n"
			"  b: {image: x, depends_on: [db], x-drover: {depends_on: [infra/db]}}\n"
			"  c:\n"
			"    image: x\n"
			"    x-drover:\n"
			"      depends_on:\n"
			"        infra/db: {condition: service_healthy, restart: true}\n"
			"        infra/mq: {condition: service_started, required: false}\n");
	const struct job_spec *b = &request.jobs.items[1].spec;
	const struct job_spec *c = &request.jobs.items[2].spec;
	assert_int_equal(b->depends_on.n, 2);
	assert_null(b->depends_on.items[0].project);
	assert_string_equal(b->depends_on.items[1].project, "infra");
	assert_string_equal(b->depends_on.items[1].job, "db");
	assert_int_equal(b->depends_on.items[1].condition, DEPEND_STARTED);
	assert_int_equal(c->depends_on.n, 2);
	assert_int_equal(c->depends_on.items[0].condition, DEPEND_HEALTHY);
	assert_true(c->depends_on.items[0].restart);
	assert_true(c->depends_on.items[1].optional);
	assert_int_equal(world.warnings.items.n, 0);
	test_request_release(&request);
	test_world_release(&world);
	test_bad("    x-drover: {depends_on: [db]}\n", ERR_INVALID,
		 "compose.yaml:4:29: services.web.x-drover.depends_on[0]",
		 "\"db\" is not PROJECT/SERVICE; services of this project are written under "
		 "depends_on of the service");
	test_bad("    x-drover: {depends_on: {a/b/c: {condition: service_started}}}\n", ERR_INVALID,
		 "compose.yaml:4:29: services.web.x-drover.depends_on.a/b/c",
		 "\"a/b/c\" is not PROJECT/SERVICE");
	test_bad("    x-drover: {depends_on: [shop/db]}\n", ERR_INVALID,
		 "compose.yaml:4:29: services.web.x-drover.depends_on[0]",
		 "shop is this project: db is written under depends_on of the service");
	test_bad("    x-drover: {depends_on: [In/db]}\n", ERR_INVALID,
		 "compose.yaml:4:29: services.web.x-drover.depends_on[0]", "\"In\"");
	test_bad("    x-drover: {depends_on: [infra/db, infra/db]}\n", ERR_INVALID,
		 "compose.yaml:4:39: services.web.x-drover.depends_on[1]",
		 "\"infra/db\" is written twice");
	test_bad("    x-drover: {depends_on: {infra/db: {restart: true}}}\n", ERR_INVALID,
		 "compose.yaml:4:29: services.web.x-drover.depends_on.infra/db",
		 "a condition is missing");
}

static void types_are_strict_where_yaml_could_surprise(void **state)
{
	static const struct {
		const char *lines;
		const char *field;
		const char *words;
	} rows[] = {
		{ "    user: 1000\n", "compose.yaml:4:11: services.web.user",
		  "expected a string, found the number 1000; put it in quotes: \"1000\"" },
		{ "    hostname: true\n", "compose.yaml:4:15: services.web.hostname",
		  "expected a string, found the boolean true; put it in quotes: \"true\"" },
		{ "    user: [a]\n", "compose.yaml:4:5: services.web.user",
		  "expected a string, found a list" },
		{ "    user: {a: b}\n", "compose.yaml:4:5: services.web.user", "found a mapping" },
		{ "    user:\n", "compose.yaml:4:5: services.web.user",
		  "expected a string, found nothing" },
		{ "    command: [sleep, 10]\n", "compose.yaml:4:22: services.web.command[1]",
		  "expected a string, found the number 10; put it in quotes: \"10\"" },
		{ "    command: {a: b}\n", "compose.yaml:4:5: services.web.command",
		  "expected a string or a list of strings, found a mapping" },
		{ "    init: maybe\n", "compose.yaml:4:11: services.web.init",
		  "expected true or false, found \"maybe\"" },
		{ "    init: 1\n", "compose.yaml:4:11: services.web.init",
		  "expected true or false, found the number 1" },
		{ "    cap_add: ALL\n", "compose.yaml:4:14: services.web.cap_add",
		  "expected a list, found \"ALL\"" },
		{ "    cap_add: [ALL, ALL]\n", "compose.yaml:4:20: services.web.cap_add[1]",
		  "\"ALL\" stands twice in this list" },
		{ "    labels: x\n", "compose.yaml:4:13: services.web.labels",
		  "expected a mapping or a list of KEY=VALUE, found \"x\"" },
		{ "    labels: ['=x']\n", "compose.yaml:4:14: services.web.labels[0]",
		  "expected KEY=VALUE, found \"=x\"" },
		{ "    environment: {A: [1]}\n", "compose.yaml:4:19: services.web.environment.A",
		  "expected a string or number, found a list" },
		{ "    scale: 1.5\n", "compose.yaml:4:12: services.web.scale",
		  "\"1.5\" is not a whole number" },
		{ "    scale: -1\n", "compose.yaml:4:12: services.web.scale", "-1 is less than 0" },
		{ "    shm_size: much\n", "compose.yaml:4:15: services.web.shm_size", "\"much\"" },
		{ "    pull_policy: sometimes\n", "compose.yaml:4:18: services.web.pull_policy",
		  "expected always, missing, if_not_present or never, found \"sometimes\"" },
		{ "    logging: {options: [a]}\n",
		  "compose.yaml:4:15: services.web.logging.options",
		  "expected a mapping, found a list" },
		{ "    deploy: {placement: {constraints: [a ~ b]}}\n",
		  "compose.yaml:4:40: services.web.deploy.placement.constraints[0]", "a ~ b" },
		{ "    deploy: {placement: {preferences: [{spread: rack}]}}\n",
		  "compose.yaml:4:40: services.web.deploy.placement.preferences[0]", "rack" },
		{ "    deploy: {placement: {preferences: [{}]}}\n",
		  "compose.yaml:4:40: services.web.deploy.placement.preferences[0]",
		  "a preference is spread: LABEL" },
		{ "    x-drover: {priority: 101}\n",
		  "compose.yaml:4:26: services.web.x-drover.priority", "101 is more than 100" },
		{ "    x-drover: {on_disconnect: kill}\n",
		  "compose.yaml:4:31: services.web.x-drover.on_disconnect", "keep or stop" },
		{ "    x-drover: {lease: 2m}\n", "compose.yaml:4:23: services.web.x-drover.lease",
		  "a lease belongs to on_disconnect: stop" },
		{ "    x-drover: {on_disconnect: stop, lease: 59s}\n",
		  "compose.yaml:4:44: services.web.x-drover.lease",
		  "59s is shorter than the shortest lease, 1m" },
		{ "    stop_signal: SIGNOPE\n", "compose.yaml:4:18: services.web.stop_signal",
		  "SIGNOPE" },
		{ "    working_dir: here\n", "compose.yaml:4:18: services.web.working_dir",
		  "\"here\" is not an absolute path" },
		{ "    environment: {'A B': x}\n",
		  "compose.yaml:4:26: services.web.environment.A B",
		  "\"A B\" is not a variable's name" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		test_bad(rows[i].lines, ERR_INVALID, rows[i].field, rows[i].words);
	test_bad("    command: \"a 'b\"\n", ERR_SYNTAX, "compose.yaml:4:14: services.web.command",
		 "a quote (') is not closed");
	test_bad("    pull_policy: daily\n", ERR_UNSUPPORTED,
		 "compose.yaml:4:18: services.web.pull_policy", "pull_policy daily is refused");
	test_bad("    pull_policy: build\n", ERR_UNSUPPORTED,
		 "compose.yaml:4:18: services.web.pull_policy",
		 "drover runs images and builds none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_written_is_what_the_documentation_says),
		cmocka_unit_test(commands_tell_null_from_empty),
		cmocka_unit_test(environment_wins_over_files_and_later_files_over_earlier_ones),
		cmocka_unit_test(an_environment_list_splits_at_the_first_equals_sign),
		cmocka_unit_test(restarts_in_every_spelling),
		cmocka_unit_test(replicas_and_scale_must_agree),
		cmocka_unit_test(updates_mean_what_swarm_means),
		cmocka_unit_test(resources_in_numbers_and_strings),
		cmocka_unit_test(ulimits_sysctls_hosts_and_servers),
		cmocka_unit_test(health_checks_in_every_form),
		cmocka_unit_test(networks_and_their_aliases),
		cmocka_unit_test(dependencies_in_both_forms),
		cmocka_unit_test(dependencies_on_other_projects_in_both_forms),
		cmocka_unit_test(types_are_strict_where_yaml_could_surprise),
		cmocka_unit_test(variables_that_change_more_than_they_seem_to_are_warned_of),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
