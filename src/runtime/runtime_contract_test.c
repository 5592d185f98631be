/* What every runtime must do, run against each of them:
 *
 *     runtime_contract_test fake | fault | docker | SOCKET
 *
 * `docker` is the daemon behind /var/run/docker.sock; without one the suite is skipped, or fails when
 * DROVER_TEST_DOCKER=1. SOCKET is any other socket that speaks Docker's API (the fake server). The image must hold a
 * shell: DROVER_TEST_IMAGE, "drover-demo/busybox:1" where nothing is said (tools/make-images makes it). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "net/shell.h"
#include "runtime/contract.h"

#define SKIPPED 77

static const char *target; /* the program's argument */
static struct bench shared;

static const char *test_image(void)
{
	const char *image = getenv("DROVER_TEST_IMAGE");
	return image && *image ? image : "drover-demo/busybox:1";
}

static bool is_real_docker(void)
{
	return strcmp(target, "docker") == 0;
}

static void open_target(struct bench *bench)
{
	struct runtime_options options = { .socket_path = "/var/run/docker.sock" };
	const char *name = "docker";
	if (strcmp(target, "fake") == 0 || strcmp(target, "fault") == 0)
		name = target;
	else if (target[0] == '/')
		options.socket_path = target;
	bench_open(bench, runtime_find(name), &options, test_image());
	bench_until_up(bench, 1);
}

static int pull_of(struct bench *bench, const char *image, int policy, const char **ret_message)
{
	struct job_spec spec;
	bench_spec(bench, &spec, NULL);
	string_set(&spec.image, image);
	spec.pull_policy = policy;
	struct container_action action = bench_action(bench, CONTAINER_PULL, bench_task(), 1);
	action.spec = &spec;
	const struct container_result *result = bench_do(bench, &action);
	record_release(&job_spec_type, &spec);
	if (ret_message)
		*ret_message = result->message;
	return result->fault;
}

static int group_setup(void **state)
{
	open_target(&shared);
	/* Real Docker has it already; the others can pull whatever they are asked for. */
	if (!is_real_docker())
		assert_int_equal(pull_of(&shared, shared.image, PULL_MISSING, NULL), FAULT_NONE);
	*state = &shared;
	return 0;
}

static const struct container_result *list_all(struct bench *bench)
{
	struct container_action action = { .op = ++bench->next_op,
					   .verb = CONTAINER_LIST,
					   .cluster = bench->cluster,
					   .timeout_ms = 30000 };
	return bench_do(bench, &action);
}

/* Nothing of a run stays behind, whatever failed. */
static int group_teardown(void **state)
{
	struct bench *bench = *state;
	const struct container_result *listed = list_all(bench);
	size_t n = listed->n_list;
	struct task_id *tasks = base_calloc(n + 1, sizeof(*tasks));
	int64_t *attempts = base_calloc(n + 1, sizeof(*attempts));
	for (size_t i = 0; i < n; i++) {
		tasks[i] = listed->list[i].task;
		attempts[i] = listed->list[i].attempt;
	}
	for (size_t i = 0; i < n; i++) {
		struct container_action kill =
			bench_action(bench, CONTAINER_KILL, tasks[i], attempts[i]);
		kill.signal = "SIGKILL";
		bench_do(bench, &kill);
		struct container_action remove =
			bench_action(bench, CONTAINER_REMOVE, tasks[i], attempts[i]);
		remove.with_volumes = true;
		while (bench_do(bench, &remove)->fault == FAULT_CONFLICT) {
			bench_rest(bench, 50);
			remove.op = ++bench->next_op;
		}
	}
	base_free(tasks);
	base_free(attempts);
	struct strings networks = { 0 };
	listed = list_all(bench);
	for (size_t i = 0; i < listed->networks.n; i++)
		strings_add(&networks, listed->networks.items[i]);
	for (size_t i = 0; i < networks.n; i++) {
		struct container_action remove =
			bench_action(bench, CONTAINER_NETWORK_REMOVE, (struct task_id){ 0 }, 1);
		remove.resource_name = networks.items[i];
		bench_do(bench, &remove);
	}
	strings_release(&networks);
	bench_close(bench);
	return 0;
}

/* ---- images ---- */

static void an_image_that_is_here_needs_no_pull(void **state)
{
	struct bench *bench = *state;
	assert_int_equal(pull_of(bench, bench->image, PULL_MISSING, NULL), FAULT_NONE);
	assert_int_equal(pull_of(bench, bench->image, PULL_NEVER, NULL), FAULT_NONE);
}

static void an_image_that_is_not_here_and_may_not_be_pulled_is_not_found(void **state)
{
	const char *message;
	assert_int_equal(pull_of(*state, "never-pulled:1", PULL_NEVER, &message),
			 FAULT_IMAGE_NOT_FOUND);
	assert_non_null(strstr(message, "never-pulled:1"));
	assert_non_null(strstr(message, "pull_policy"));
}

static void a_registry_that_does_not_answer_fails_the_pull(void **state)
{
	const char *message;
	assert_int_equal(pull_of(*state, "127.0.0.1:1/nothing:1", PULL_MISSING, &message),
			 FAULT_PULL_FAILED);
	assert_non_null(strstr(message, "connection refused"));
}

static void creating_without_the_image_says_so(void **state)
{
	struct bench *bench = *state;
	struct job_spec spec;
	bench_spec(bench, &spec, NULL);
	string_set(&spec.image, "never-pulled:1");
	assert_int_equal(bench_create(bench, bench_task(), &spec), FAULT_IMAGE_NOT_FOUND);
	record_release(&job_spec_type, &spec);
}

/* ---- a container's life ---- */

static void a_container_is_created_started_killed_and_removed(void **state)
{
	struct bench *bench = *state;
	struct task_id task = bench_task();
	struct job_spec spec;
	bench_spec(bench, &spec, NULL);
	struct container_action create = bench_action(bench, CONTAINER_CREATE, task, 1);
	create.spec = &spec;
	const struct container_result *result = bench_do(bench, &create);
	assert_int_equal(result->fault, FAULT_NONE);
	assert_int_equal(strlen(result->seen.id), 64);
	assert_string_equal(result->seen.name, create.name);
	const struct container_seen *seen = bench_inspect(bench, task);
	assert_int_equal(seen->state, CONTAINER_CREATED);
	assert_true(uuid_equal(seen->cluster, bench->cluster));
	assert_true(uuid_equal(seen->task.uuid, task.uuid));
	assert_int_equal(seen->attempt, 1);
	assert_int_equal(bench_start(bench, task), FAULT_NONE);
	seen = bench_inspect(bench, task);
	assert_int_equal(seen->state, CONTAINER_RUNNING);
	assert_true(seen->started_wall_ms > shell_wall_ms() - 60000);
	assert_int_equal(bench_kill(bench, task, "SIGKILL"), FAULT_NONE);
	seen = bench_until_state(bench, task, CONTAINER_EXITED);
	assert_int_equal(seen->exit_code, 137);
	assert_false(seen->oom_killed);
	assert_true(seen->finished_wall_ms >= seen->started_wall_ms);
	assert_int_equal(bench_remove(bench, task), FAULT_NONE);
	assert_int_equal(bench_inspect(bench, task)->state, CONTAINER_ABSENT);
	record_release(&job_spec_type, &spec);
}

static void every_verb_may_be_said_twice(void **state)
{
	struct bench *bench = *state;
	struct task_id task = bench_task();
	struct job_spec spec;
	bench_spec(bench, &spec, NULL);
	assert_int_equal(bench_create(bench, task, &spec), FAULT_NONE);
	assert_int_equal(bench_create(bench, task, &spec), FAULT_CONFLICT);
	assert_int_equal(bench_start(bench, task), FAULT_NONE);
	assert_int_equal(bench_start(bench, task), FAULT_NONE);
	assert_int_equal(bench_kill(bench, task, "SIGKILL"), FAULT_NONE);
	bench_until_state(bench, task, CONTAINER_EXITED);
	assert_int_equal(bench_kill(bench, task, "SIGKILL"), FAULT_NONE);
	assert_int_equal(bench_remove(bench, task), FAULT_NONE);
	assert_int_equal(bench_remove(bench, task), FAULT_NONE);
	record_release(&job_spec_type, &spec);
}

static void what_does_not_exist_is_not_found(void **state)
{
	struct bench *bench = *state;
	struct task_id task = bench_task();
	struct container_action action = bench_action(bench, CONTAINER_INSPECT, task, 1);
	const struct container_result *result = bench_do(bench, &action);
	assert_int_equal(result->fault, FAULT_NOT_FOUND);
	assert_int_equal(result->seen.state, CONTAINER_ABSENT);
	assert_int_equal(bench_start(bench, task), FAULT_NOT_FOUND);
	assert_int_equal(bench_kill(bench, task, "SIGTERM"), FAULT_NOT_FOUND);
}

static void a_running_container_is_not_removed(void **state)
{
	struct bench *bench = *state;
	struct task_id task = bench_task();
	struct job_spec spec;
	bench_spec(bench, &spec, NULL);
	assert_int_equal(bench_create(bench, task, &spec), FAULT_NONE);
	assert_int_equal(bench_start(bench, task), FAULT_NONE);
	assert_int_equal(bench_remove(bench, task), FAULT_CONFLICT);
	assert_int_equal(bench_inspect(bench, task)->state, CONTAINER_RUNNING);
	record_release(&job_spec_type, &spec);
}

static void the_exit_code_is_told(void **state)
{
	struct bench *bench = *state;
	struct job_spec spec;
	bench_spec(bench, &spec, "exit 3");
	assert_int_equal(bench_run(bench, bench_task(), &spec)->exit_code, 3);
	record_release(&job_spec_type, &spec);
	bench_spec(bench, &spec, "true");
	assert_int_equal(bench_run(bench, bench_task(), &spec)->exit_code, 0);
	record_release(&job_spec_type, &spec);
}

static void a_handled_signal_ends_it_and_an_unhandled_one_does_not(void **state)
{
	struct bench *bench = *state;
	struct task_id handles = bench_task(), ignores = bench_task(), init = bench_task();
	struct job_spec spec;
	bench_spec(bench, &spec, "trap 'exit 7' TERM; while :; do sleep 0.1; done");
	assert_int_equal(bench_create(bench, handles, &spec), FAULT_NONE);
	assert_int_equal(bench_start(bench, handles), FAULT_NONE);
	record_release(&job_spec_type, &spec);
	bench_spec(bench, &spec, NULL);
	assert_int_equal(bench_create(bench, ignores, &spec), FAULT_NONE);
	assert_int_equal(bench_start(bench, ignores), FAULT_NONE);
	spec.init = YES;
	assert_int_equal(bench_create(bench, init, &spec), FAULT_NONE);
	assert_int_equal(bench_start(bench, init), FAULT_NONE);
	record_release(&job_spec_type, &spec);
	bench_rest(bench, 300); /* the shell sets its trap */
	assert_int_equal(bench_kill(bench, handles, "SIGTERM"), FAULT_NONE);
	assert_int_equal(bench_kill(bench, ignores, "SIGTERM"), FAULT_NONE);
	assert_int_equal(bench_kill(bench, init, "SIGTERM"), FAULT_NONE);
	assert_int_equal(bench_until_state(bench, handles, CONTAINER_EXITED)->exit_code, 7);
	assert_int_equal(bench_until_state(bench, init, CONTAINER_EXITED)->exit_code, 143);
	assert_int_equal(bench_inspect(bench, ignores)->state, CONTAINER_RUNNING);
}

static void a_signal_that_does_not_exist_is_refused(void **state)
{
	struct bench *bench = *state;
	struct task_id task = bench_task();
	struct job_spec spec;
	bench_spec(bench, &spec, NULL);
	assert_int_equal(bench_create(bench, task, &spec), FAULT_NONE);
	assert_int_equal(bench_start(bench, task), FAULT_NONE);
	assert_int_equal(bench_kill(bench, task, "SIGNONSENSE"), FAULT_REFUSED);
	record_release(&job_spec_type, &spec);
}

static void the_stop_signal_of_the_specification_is_shown(void **state)
{
	struct bench *bench = *state;
	struct task_id task = bench_task();
	struct job_spec spec;
	bench_spec(bench, &spec, NULL);
	string_set(&spec.stop_signal, "SIGQUIT");
	assert_int_equal(bench_create(bench, task, &spec), FAULT_NONE);
	assert_string_equal(bench_inspect(bench, task)->stop_signal, "SIGQUIT");
	record_release(&job_spec_type, &spec);
}

/* ---- what keeps a container from starting ---- */

static void a_command_that_does_not_exist_is_told(void **state)
{
	struct bench *bench = *state;
	static const char *const commands[] = { "no-such-command", "/no/such/command" };
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		struct task_id task = bench_task();
		struct job_spec spec;
		record_init(&job_spec_type, &spec);
		string_set(&spec.image, bench->image);
		spec.has_command = spec.has_entrypoint = true;
		strings_add(&spec.command, commands[i]);
		assert_int_equal(bench_create(bench, task, &spec), FAULT_NONE);
		struct container_action start = bench_action(bench, CONTAINER_START, task, 1);
		const struct container_result *result = bench_do(bench, &start);
		assert_int_equal(result->fault, FAULT_COMMAND_NOT_FOUND);
		assert_non_null(strstr(result->message, commands[i]));
		const struct container_seen *seen = bench_inspect(bench, task);
		assert_int_not_equal(seen->state, CONTAINER_RUNNING);
		record_release(&job_spec_type, &spec);
	}
}

static void add_port(struct job_spec *spec, int64_t host_port)
{
	struct port *port = list_add(&spec->ports, sizeof(*port));
	record_init(&port_type, port);
	port->host_first = port->host_last = host_port;
	port->container_port = 80;
}

static int create_with_port(struct bench *bench, struct task_id task, struct job_spec *spec,
			    int64_t host_port)
{
	const struct port_grant grant = { .index = 0, .host_port = host_port };
	struct container_action create = bench_action(bench, CONTAINER_CREATE, task, 1);
	create.spec = spec;
	create.ports = &grant;
	create.n_ports = 1;
	return bench_do(bench, &create)->fault;
}

static void a_port_that_is_taken_is_told(void **state)
{
	struct bench *bench = *state;
	struct task_id first = bench_task(), second = bench_task();
	int64_t host_port = 20000 + (int64_t)(shell_seed() % 8000);
	struct job_spec spec;
	bench_spec(bench, &spec, NULL);
	add_port(&spec, host_port);
	assert_int_equal(create_with_port(bench, first, &spec, host_port), FAULT_NONE);
	assert_int_equal(create_with_port(bench, second, &spec, host_port), FAULT_NONE);
	assert_int_equal(bench_start(bench, first), FAULT_NONE);
	assert_int_equal(bench_start(bench, second), FAULT_PORT_TAKEN);
	assert_int_not_equal(bench_inspect(bench, second)->state, CONTAINER_RUNNING);
	assert_int_equal(bench_kill(bench, first, "SIGKILL"), FAULT_NONE);
	bench_until_state(bench, first, CONTAINER_EXITED);
	assert_int_equal(bench_start(bench, second), FAULT_NONE);
	record_release(&job_spec_type, &spec);
}

static void add_bind(struct job_spec *spec, const char *source, bool create_host_path)
{
	struct mount *mount = list_add(&spec->mounts, sizeof(*mount));
	record_init(&mount_type, mount);
	mount->kind = MOUNT_BIND;
	mount->create_host_path = create_host_path;
	string_set(&mount->source, source);
	string_set(&mount->target, "/here");
}

static void a_bind_source_that_is_missing_is_told(void **state)
{
	struct bench *bench = *state;
	struct job_spec spec;
	bench_spec(bench, &spec, NULL);
	add_bind(&spec, "/no/such/folder/on/this/machine", false);
	assert_int_equal(bench_create(bench, bench_task(), &spec), FAULT_MOUNT_FAILED);
	record_release(&job_spec_type, &spec);
}

static void a_specification_docker_never_takes_is_refused(void **state)
{
	struct bench *bench = *state;
	struct job_spec spec;
	bench_spec(bench, &spec, NULL);
	spec.limits.memory_bytes = 1024;
	struct container_action create = bench_action(bench, CONTAINER_CREATE, bench_task(), 1);
	create.spec = &spec;
	const struct container_result *result = bench_do(bench, &create);
	assert_int_equal(result->fault, FAULT_REFUSED);
	assert_non_null(strstr(result->message, "6MB"));
	record_release(&job_spec_type, &spec);
}

static void too_little_memory_ends_it_and_is_told(void **state)
{
	struct bench *bench = *state;
	struct job_spec spec;
	bench_spec(bench, &spec, "tail /dev/zero");
	spec.limits.memory_bytes = 6 * 1024 * 1024;
	const struct container_seen *seen = bench_run(bench, bench_task(), &spec);
	assert_true(seen->oom_killed);
	assert_int_equal(seen->exit_code, 137);
	record_release(&job_spec_type, &spec);
}

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
	const struct container_result *result = list_all(bench);
	assert_int_equal(result->fault, FAULT_NONE);
	assert_non_null(listed(result, runs));
	assert_int_equal(listed(result, runs)->state, CONTAINER_RUNNING);
	assert_int_equal(listed(result, runs)->attempt, 1);
	assert_int_equal(listed(result, ended)->state, CONTAINER_EXITED);
	assert_int_equal(listed(result, ended)->exit_code, 4);
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
	assert_true(list_all(bench)->daemon_instance == bench->instance);
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
	assert_true(strings_has(&list_all(bench)->networks, front));
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
		assert_null(listed(list_all(bench), task));
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

/* ---- logs ---- */

static void logs_come_apart_by_stream_and_end(void **state)
{
	struct bench *bench = *state;
	struct task_id task = bench_task();
	const struct runtime_logs_options options = { .tail = -1 };
	struct bench_log log;
	struct job_spec spec;
	bench_spec(bench, &spec, "echo one; echo two >&2; echo three");
	bench_run(bench, task, &spec);
	record_release(&job_spec_type, &spec);
	bench_log_open(bench, &log, task, &options);
	bench_log_wait(bench, &log);
	assert_int_equal(log.err.code, ERR_NONE);
	assert_string_equal(text_string(&log.streams[1]), "one\nthree\n");
	assert_string_equal(text_string(&log.streams[2]), "two\n");
	bench_log_release(&log);
}

static void the_tail_of_a_log_is_its_last_lines(void **state)
{
	struct bench *bench = *state;
	struct task_id task = bench_task();
	struct runtime_logs_options options = { .tail = 1 };
	struct bench_log log;
	struct job_spec spec;
	bench_spec(bench, &spec, "echo one; echo two; echo three");
	bench_run(bench, task, &spec);
	record_release(&job_spec_type, &spec);
	bench_log_open(bench, &log, task, &options);
	bench_log_wait(bench, &log);
	assert_string_equal(text_string(&log.streams[1]), "three\n");
	bench_log_release(&log);
	options = (struct runtime_logs_options){ .tail = -1, .timestamps = true };
	bench_log_open(bench, &log, task, &options);
	bench_log_wait(bench, &log);
	assert_non_null(strstr(text_string(&log.streams[1]), "Z one\n"));
	bench_log_release(&log);
	options = (struct runtime_logs_options){ .tail = -1,
						 .since_wall_ms = shell_wall_ms() + 60000 };
	bench_log_open(bench, &log, task, &options);
	bench_log_wait(bench, &log);
	assert_string_equal(text_string(&log.streams[1]), "");
	bench_log_release(&log);
}

static bool has_first_line(struct bench *bench, const void *log)
{
	(void)bench;
	return strcmp(text_string(&((const struct bench_log *)log)->streams[1]), "first\n") == 0;
}

static void a_followed_log_goes_on_until_the_container_ends(void **state)
{
	struct bench *bench = *state;
	struct task_id task = bench_task();
	const struct runtime_logs_options options = { .follow = true, .tail = -1 };
	struct bench_log log, closed;
	struct job_spec spec;
	bench_spec(bench, &spec, "echo first; sleep 1; echo second");
	assert_int_equal(bench_create(bench, task, &spec), FAULT_NONE);
	assert_int_equal(bench_start(bench, task), FAULT_NONE);
	record_release(&job_spec_type, &spec);
	bench_log_open(bench, &log, task, &options);
	bench_log_open(bench, &closed, task, &options);
	bench_until(bench, has_first_line, &log, "the first line");
	assert_false(log.ended);
	bench->ops->logs_close(closed.logs);
	bench_log_wait(bench, &log);
	assert_int_equal(log.err.code, ERR_NONE);
	assert_string_equal(text_string(&log.streams[1]), "first\nsecond\n");
	assert_false(closed.ended);
	bench_log_release(&log);
	bench_log_release(&closed);
}

static void the_log_of_nothing_is_not_found(void **state)
{
	struct bench *bench = *state;
	const struct runtime_logs_options options = { .tail = -1 };
	struct bench_log log;
	bench_log_open(bench, &log, bench_task(), &options);
	assert_false(log.ended);
	bench_log_wait(bench, &log);
	assert_int_equal(log.err.code, ERR_NOT_FOUND);
	bench_log_release(&log);
}

/* ---- */

static bool docker_answers(void)
{
	struct stat ignored;
	return stat("/var/run/docker.sock", &ignored) == 0 &&
	       access("/var/run/docker.sock", R_OK | W_OK) == 0;
}

int main(int argc, char **argv)
{
	const char *must = getenv("DROVER_TEST_DOCKER");
	target = argc > 1 ? argv[1] : "fake";
	if (is_real_docker() && !docker_answers()) {
		if (must && strcmp(must, "1") == 0) {
			print_error("DROVER_TEST_DOCKER=1 and no Docker at /var/run/docker.sock\n");
			return 1;
		}
		print_message("skipped: no Docker at /var/run/docker.sock\n");
		return SKIPPED;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_image_that_is_here_needs_no_pull),
		cmocka_unit_test(an_image_that_is_not_here_and_may_not_be_pulled_is_not_found),
		cmocka_unit_test(a_registry_that_does_not_answer_fails_the_pull),
		cmocka_unit_test(creating_without_the_image_says_so),
		cmocka_unit_test(a_container_is_created_started_killed_and_removed),
		cmocka_unit_test(every_verb_may_be_said_twice),
		cmocka_unit_test(what_does_not_exist_is_not_found),
		cmocka_unit_test(a_running_container_is_not_removed),
		cmocka_unit_test(the_exit_code_is_told),
		cmocka_unit_test(a_handled_signal_ends_it_and_an_unhandled_one_does_not),
		cmocka_unit_test(a_signal_that_does_not_exist_is_refused),
		cmocka_unit_test(the_stop_signal_of_the_specification_is_shown),
		cmocka_unit_test(a_command_that_does_not_exist_is_told),
		cmocka_unit_test(a_port_that_is_taken_is_told),
		cmocka_unit_test(a_bind_source_that_is_missing_is_told),
		cmocka_unit_test(a_specification_docker_never_takes_is_refused),
		cmocka_unit_test(too_little_memory_ends_it_and_is_told),
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
		cmocka_unit_test(logs_come_apart_by_stream_and_end),
		cmocka_unit_test(the_tail_of_a_log_is_its_last_lines),
		cmocka_unit_test(a_followed_log_goes_on_until_the_container_ends),
		cmocka_unit_test(the_log_of_nothing_is_not_found),
	};
	return cmocka_run_group_tests_name("contract", tests, group_setup, group_teardown);
}
