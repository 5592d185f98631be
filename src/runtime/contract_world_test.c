/* What every runtime must do with what is around a container: health, lists, hints, networks, volumes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "net/shell.h"
#include "runtime/contract_tests.h"

/* ---- health ---- */

static void set_check(struct job_spec *spec, const char *command)
{
	strings_add(&spec->health_check.test, "CMD-SHELL");
	strings_add(&spec->health_check.test, command);
	spec->health_check.interval_ms = 100;
	spec->health_check.retries = 2;
}

static void wait_health(struct bench *bench, struct task_id task, int health)
{
	for (int i = 0; i < 300 && bench_inspect(bench, task)->health != health; i++)
		bench_rest(bench, 50);
	assert_int_equal(bench_inspect(bench, task)->health, health);
}

static void health_starts_and_becomes_what_the_check_says(void **state)
{
	struct bench *bench = *state;
	struct task_id well = bench_task(), ill = bench_task(), none = bench_task();
	struct job_spec spec;
	bench_spec(bench, &spec, NULL);
	assert_int_equal(bench_create(bench, none, &spec), FAULT_NONE);
	assert_int_equal(bench_start(bench, none), FAULT_NONE);
	set_check(&spec, "exit 0");
	assert_int_equal(bench_create(bench, well, &spec), FAULT_NONE);
	assert_int_equal(bench_start(bench, well), FAULT_NONE);
	record_release(&job_spec_type, &spec);
	bench_spec(bench, &spec, NULL);
	set_check(&spec, "echo no way; exit 1");
	assert_int_equal(bench_create(bench, ill, &spec), FAULT_NONE);
	assert_int_equal(bench_start(bench, ill), FAULT_NONE);
	record_release(&job_spec_type, &spec);
	wait_health(bench, well, HEALTH_HEALTHY);
	wait_health(bench, ill, HEALTH_UNHEALTHY);
	assert_non_null(strstr(bench_inspect(bench, ill)->health_output, "no way"));
	assert_int_equal(bench_inspect(bench, none)->health, HEALTH_NONE);
	assert_int_equal(bench_inspect(bench, ill)->state, CONTAINER_RUNNING);
}

/* ---- what is ours ---- */

static const struct container_seen *listed(const struct container_result *result,
					   struct task_id task)
{
	for (size_t i = 0; i < result->n_list; i++)
		if (uuid_equal(result->list[i].task.uuid, task.uuid))
			return &result->list[i];
	return NULL;
}

static void the_list_shows_ours_and_only_ours(void **state)
{
	struct bench *bench = *state;
	struct task_id runs = bench_task(), ended = bench_task(), other = bench_task();
	struct job_spec spec;
	bench_spec(bench, &spec, NULL);
	assert_int_equal(bench_create(bench, runs, &spec), FAULT_NONE);
	assert_int_equal(bench_start(bench, runs), FAULT_NONE);
	struct container_action create = bench_action(bench, CONTAINER_CREATE, other, 1);
	create.spec = &spec;
	create.cluster.bytes[15] ^= 1;
	assert_int_equal(bench_do(bench, &create)->fault, FAULT_NONE);
	record_release(&job_spec_type, &spec);
	bench_spec(bench, &spec, "exit 4");
	bench_run(bench, ended, &spec);
	record_release(&job_spec_type, &spec);
	const struct container_result *result = contract_list(bench, false);
	assert_int_equal(result->fault, FAULT_NONE);
	assert_non_null(listed(result, runs));
	assert_int_equal(listed(result, runs)->state, CONTAINER_RUNNING);
	assert_int_equal(listed(result, runs)->attempt, 1);
	assert_int_equal(listed(result, ended)->state, CONTAINER_EXITED);
	assert_int_equal(listed(result, ended)->exit_code, 4);
	assert_null(listed(result, other));
	result = contract_list(bench, true);
	assert_int_equal(result->fault, FAULT_NONE);
	assert_null(listed(result, runs));
	assert_int_equal(listed(result, ended)->state, CONTAINER_EXITED);
	assert_null(listed(result, other));
	assert_int_equal(bench_remove(bench, other), FAULT_NONE);
}

static void hints_tell_of_a_start_and_an_end(void **state)
{
	struct bench *bench = *state;
	struct task_id task = bench_task();
	char name[CONTAINER_NAME_SIZE];
	struct job_spec spec;
	container_name(task, 1, name);
	bench_spec(bench, &spec, NULL);
	strings_release(&bench->hints);
	assert_int_equal(bench_create(bench, task, &spec), FAULT_NONE);
	assert_int_equal(bench_start(bench, task), FAULT_NONE);
	bench_until_hint(bench, name);
	assert_int_equal(bench_kill(bench, task, "SIGKILL"), FAULT_NONE);
	bench_until_hint(bench, name);
	record_release(&job_spec_type, &spec);
}

static void every_answer_names_the_same_run_of_the_daemon(void **state)
{
	struct bench *bench = *state;
	assert_true(bench->instance != 0);
	assert_true(contract_list(bench, false)->daemon_instance == bench->instance);
	struct container_action inspect = bench_action(bench, CONTAINER_INSPECT, bench_task(), 1);
	assert_true(bench_do(bench, &inspect)->daemon_instance == bench->instance);
}

static void answers_come_for_many_actions_at_once(void **state)
{
	struct bench *bench = *state;
	uint64_t ops[40];
	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		struct container_action inspect =
			bench_action(bench, CONTAINER_INSPECT, bench_task(), 1);
		ops[i] = bench_submit(bench, &inspect);
	}
	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		assert_int_equal(bench_wait(bench, ops[i])->fault, FAULT_NOT_FOUND);
}

/* ---- networks ---- */

static int ensure_network(struct bench *bench, struct network_spec *network, const char *name)
{
	struct container_action action =
		bench_action(bench, CONTAINER_NETWORK_ENSURE, (struct task_id){ 0 }, 1);
	action.network = network;
	action.resource_name = name;
	return bench_do(bench, &action)->fault;
}

static int remove_network(struct bench *bench, const char *name)
{
	struct container_action action =
		bench_action(bench, CONTAINER_NETWORK_REMOVE, (struct task_id){ 0 }, 1);
	action.resource_name = name;
	return bench_do(bench, &action)->fault;
}

/* A name no other run uses. */
static char *unique_name(const char *what)
{
	struct text name;
	text_init(&name, 64);
	text_addf(&name, "drover-test-%s-%x", what, (unsigned)shell_seed());
	return text_take(&name);
}

static int create_on_networks(struct bench *bench, struct task_id task, struct job_spec *spec,
			      const struct network_spec *networks, size_t n, const char *job)
{
	struct container_action create = bench_action(bench, CONTAINER_CREATE, task, 1);
	create.spec = spec;
	create.networks = networks;
	create.n_networks = n;
	create.job = job;
	return bench_do(bench, &create)->fault;
}

static void use_network(struct job_spec *spec, const char *key, const char *alias)
{
	struct network_use *use = list_add(&spec->networks, sizeof(*use));
	use->network = base_strdup(key);
	if (alias)
		strings_add(&use->aliases, alias);
}

static void services_find_each_other_by_name_and_alias_on_every_network(void **state)
{
	struct bench *bench = *state;
	char key_front[] = "front", key_back[] = "back";
	_cleanup_free_ char *front = unique_name("front");
	_cleanup_free_ char *back = unique_name("back");
	struct network_spec networks[] = { { .key = key_front, .name = front },
					   { .key = key_back, .name = back } };
	struct task_id server = bench_task(), client = bench_task();
	struct job_spec spec;
	assert_int_equal(ensure_network(bench, &networks[0], front), FAULT_NONE);
	assert_int_equal(ensure_network(bench, &networks[1], back), FAULT_NONE);
	assert_true(strings_has(&contract_list(bench, false)->networks, front));
	bench_spec(bench, &spec, NULL);
	use_network(&spec, "front", NULL);
	use_network(&spec, "back", "storage");
	assert_int_equal(create_on_networks(bench, server, &spec, networks, 2, "database"),
			 FAULT_NONE);
	assert_int_equal(bench_start(bench, server), FAULT_NONE);
	record_release(&job_spec_type, &spec);
	/* The client is only on the network that was connected second. */
	bench_spec(bench, &spec,
		   "ping -c 1 -w 5 database && ping -c 1 -w 5 storage && echo found both");
	use_network(&spec, "back", NULL);
	assert_int_equal(create_on_networks(bench, client, &spec, &networks[1], 1, "client"),
			 FAULT_NONE);
	assert_int_equal(bench_start(bench, client), FAULT_NONE);
	assert_int_equal(bench_until_state(bench, client, CONTAINER_EXITED)->exit_code, 0);
	record_release(&job_spec_type, &spec);
	assert_int_equal(remove_network(bench, back), FAULT_CONFLICT);
	assert_int_equal(bench_kill(bench, server, "SIGKILL"), FAULT_NONE);
	bench_until_state(bench, server, CONTAINER_EXITED);
	assert_int_equal(bench_remove(bench, server), FAULT_NONE);
	assert_int_equal(bench_remove(bench, client), FAULT_NONE);
	assert_int_equal(remove_network(bench, back), FAULT_NONE);
	assert_int_equal(remove_network(bench, front), FAULT_NONE);
}

static void a_container_with_two_networks_is_not_listed_before_it_has_both(void **state)
{
	struct bench *bench = *state;
	char key_here[] = "here", key_gone[] = "gone";
	_cleanup_free_ char *here = unique_name("here");
	_cleanup_free_ char *gone = unique_name("gone");
	struct network_spec networks[] = { { .key = key_here, .name = here },
					   { .key = key_gone, .name = gone } };
	struct task_id task = bench_task();
	struct job_spec spec;
	assert_int_equal(ensure_network(bench, &networks[0], here), FAULT_NONE);
	bench_spec(bench, &spec, NULL);
	use_network(&spec, "here", NULL);
	use_network(&spec, "gone", NULL);
	int fault = create_on_networks(bench, task, &spec, networks, 2, "service");
	/* The second network does not exist: no container at once, or one that cannot start. */
	if (fault == FAULT_NONE)
		fault = bench_start(bench, task);
	else
		assert_null(listed(contract_list(bench, false), task));
	assert_int_equal(fault, FAULT_FAILED);
	assert_int_equal(bench_remove(bench, task), FAULT_NONE);
	assert_int_equal(remove_network(bench, here), FAULT_NONE);
	record_release(&job_spec_type, &spec);
}

static void networks_are_ensured_and_removed_any_number_of_times(void **state)
{
	struct bench *bench = *state;
	char key[] = "net";
	_cleanup_free_ char *name = unique_name("net");
	struct network_spec network = { .key = key };
	assert_int_equal(ensure_network(bench, &network, name), FAULT_NONE);
	assert_int_equal(ensure_network(bench, &network, name), FAULT_NONE);
	assert_int_equal(remove_network(bench, name), FAULT_NONE);
	assert_int_equal(remove_network(bench, name), FAULT_NONE);
	network.external = true;
	assert_int_equal(ensure_network(bench, &network, name), FAULT_NOT_FOUND);
}

/* ---- volumes ---- */

static const struct container_result *volume_verb(struct bench *bench, int verb,
						  const struct volume_spec *volume,
						  const char *name, bool other_cluster)
{
	struct container_action action = bench_action(bench, verb, (struct task_id){ 0 }, 1);
	action.volume = volume;
	action.resource_name = name;
	action.cluster.bytes[15] ^= other_cluster;
	return bench_do(bench, &action);
}

static void add_volume(struct job_spec *spec, const char *key)
{
	struct mount *mount = list_add(&spec->mounts, sizeof(*mount));
	record_init(&mount_type, mount);
	mount->kind = MOUNT_VOLUME;
	if (key)
		string_set(&mount->source, key);
	string_set(&mount->target, "/data");
}

static void what_is_written_to_a_volume_stays(void **state)
{
	struct bench *bench = *state;
	char key[] = "data";
	_cleanup_free_ char *name = unique_name("volume");
	struct volume_spec volume = { .key = key, .name = name };
	assert_int_equal(volume_verb(bench, CONTAINER_VOLUME_ENSURE, &volume, name, false)->fault,
			 FAULT_NONE);
	assert_int_equal(volume_verb(bench, CONTAINER_VOLUME_ENSURE, &volume, name, false)->fault,
			 FAULT_NONE);
	static const char *const scripts[] = { "echo kept > /data/file", "cat /data/file" };
	struct task_id tasks[2];
	for (size_t i = 0; i < 2; i++) {
		struct job_spec spec;
		tasks[i] = bench_task();
		bench_spec(bench, &spec, scripts[i]);
		add_volume(&spec, "data");
		struct container_action create = bench_action(bench, CONTAINER_CREATE, tasks[i], 1);
		create.spec = &spec;
		create.volumes = &volume;
		create.n_volumes = 1;
		assert_int_equal(bench_do(bench, &create)->fault, FAULT_NONE);
		assert_int_equal(bench_start(bench, tasks[i]), FAULT_NONE);
		assert_int_equal(bench_until_state(bench, tasks[i], CONTAINER_EXITED)->exit_code,
				 0);
		record_release(&job_spec_type, &spec);
	}
	assert_int_equal(volume_verb(bench, CONTAINER_VOLUME_REMOVE, &volume, name, false)->fault,
			 FAULT_CONFLICT);
	assert_int_equal(bench_remove(bench, tasks[0]), FAULT_NONE);
	assert_int_equal(bench_remove(bench, tasks[1]), FAULT_NONE);
	assert_int_equal(volume_verb(bench, CONTAINER_VOLUME_REMOVE, &volume, name, true)->fault,
			 FAULT_REFUSED);
	assert_int_equal(volume_verb(bench, CONTAINER_VOLUME_REMOVE, &volume, name, false)->fault,
			 FAULT_NONE);
	assert_int_equal(volume_verb(bench, CONTAINER_VOLUME_REMOVE, &volume, name, false)->fault,
			 FAULT_NONE);
}

static void an_external_volume_must_be_there(void **state)
{
	struct bench *bench = *state;
	char key[] = "data";
	_cleanup_free_ char *name = unique_name("external");
	struct volume_spec volume = { .key = key, .name = name, .external = true };
	const struct container_result *result =
		volume_verb(bench, CONTAINER_VOLUME_ENSURE, &volume, name, false);
	assert_int_equal(result->fault, FAULT_MOUNT_FAILED);
	assert_non_null(strstr(result->message, name));
}

static int run_attempt(struct bench *bench, struct task_id task, int64_t attempt,
		       const struct job_spec *spec, const char *previous)
{
	struct container_action create = bench_action(bench, CONTAINER_CREATE, task, attempt);
	create.spec = spec;
	create.previous = previous;
	assert_int_equal(bench_do(bench, &create)->fault, FAULT_NONE);
	struct container_action start = bench_action(bench, CONTAINER_START, task, attempt);
	assert_int_equal(bench_do(bench, &start)->fault, FAULT_NONE);
	for (int i = 0; i < 500; i++) {
		struct container_action inspect =
			bench_action(bench, CONTAINER_INSPECT, task, attempt);
		const struct container_seen *seen = &bench_do(bench, &inspect)->seen;
		if (seen->state == CONTAINER_EXITED)
			return (int)seen->exit_code;
		bench_rest(bench, 20);
	}
	fail_msg("attempt %d never ended", (int)attempt);
	return -1;
}

static void the_next_attempt_takes_over_anonymous_volumes(void **state)
{
	struct bench *bench = *state;
	struct task_id task = bench_task();
	char first[CONTAINER_NAME_SIZE], second[CONTAINER_NAME_SIZE];
	struct job_spec spec;
	container_name(task, 1, first);
	container_name(task, 2, second);
	bench_spec(bench, &spec, "test -f /data/file && exit 5; echo x > /data/file; exit 6");
	add_volume(&spec, NULL);
	assert_int_equal(run_attempt(bench, task, 1, &spec, NULL), 6);
	assert_int_equal(run_attempt(bench, task, 2, &spec, first), 5);
	/* The first attempt's end does not take the volume from the others. */
	assert_int_equal(bench_remove(bench, task), FAULT_NONE);
	assert_int_equal(run_attempt(bench, task, 3, &spec, second), 5);
	/* An attempt before that is gone is no reason not to start. */
	assert_int_equal(run_attempt(bench, task, 4, &spec, first), 6);
	record_release(&job_spec_type, &spec);
}

/* ---- */

const struct CMUnitTest contract_world_tests[] = {
	cmocka_unit_test(health_starts_and_becomes_what_the_check_says),
	cmocka_unit_test(the_list_shows_ours_and_only_ours),
	cmocka_unit_test(hints_tell_of_a_start_and_an_end),
	cmocka_unit_test(every_answer_names_the_same_run_of_the_daemon),
	cmocka_unit_test(answers_come_for_many_actions_at_once),
	cmocka_unit_test(services_find_each_other_by_name_and_alias_on_every_network),
	cmocka_unit_test(a_container_with_two_networks_is_not_listed_before_it_has_both),
	cmocka_unit_test(networks_are_ensured_and_removed_any_number_of_times),
	cmocka_unit_test(what_is_written_to_a_volume_stays),
	cmocka_unit_test(an_external_volume_must_be_there),
	cmocka_unit_test(the_next_attempt_takes_over_anonymous_volumes),
};
const size_t n_contract_world_tests = ARRAY_LEN(contract_world_tests);
