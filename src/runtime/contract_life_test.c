/* What every runtime must do with images and with one container from its making to its end. */
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

/* ---- images ---- */

static void an_image_that_is_here_needs_no_pull(void **state)
{
	struct bench *bench = *state;
	size_t pullings = bench->pullings;
	assert_int_equal(contract_pull(bench, bench->image, PULL_MISSING, NULL), FAULT_NONE);
	assert_int_equal(contract_pull(bench, bench->image, PULL_NEVER, NULL), FAULT_NONE);
	assert_int_equal(bench->pullings, pullings);
}

static void an_image_that_is_not_here_and_may_not_be_pulled_is_not_found(void **state)
{
	const char *message;
	assert_int_equal(contract_pull(*state, "never-pulled:1", PULL_NEVER, &message),
			 FAULT_IMAGE_NOT_FOUND);
	/* Whoever tells it names the image. */
	assert_null(strstr(message, "never-pulled:1"));
	assert_non_null(strstr(message, "pull_policy"));
}

static void a_registry_that_does_not_answer_fails_the_pull(void **state)
{
	struct bench *bench = *state;
	const char *message;
	size_t pullings = bench->pullings;
	assert_int_equal(contract_pull(bench, "127.0.0.1:1/nothing:1", PULL_MISSING, &message),
			 FAULT_PULL_FAILED);
	assert_non_null(strstr(message, "connection refused"));
	assert_null(strstr(message, "127.0.0.1:1/nothing:1: "));
	assert_int_equal(bench->pullings, pullings + 1);
}

/* DROVER_TEST_PULL names an image of a registry that real Docker can reach; the same name with "-absent" behind it is
 * none. The others know every image but those called absent. */
static void an_image_is_pulled_from_its_registry(void **state)
{
	struct bench *bench = *state;
	const char *image = getenv("DROVER_TEST_PULL");
	const char *message;
	if (!image || !*image) {
		if (contract_is_real_docker())
			skip();
		image = "registry.example/team/app:1";
	}
	assert_int_equal(contract_pull(bench, image, PULL_NEVER, NULL), FAULT_IMAGE_NOT_FOUND);
	assert_int_equal(contract_pull(bench, image, PULL_MISSING, NULL), FAULT_NONE);
	assert_int_equal(contract_pull(bench, image, PULL_NEVER, NULL), FAULT_NONE);
	assert_int_equal(contract_pull(bench, image, PULL_ALWAYS, NULL), FAULT_NONE);
	_cleanup_free_ char *absent = base_calloc(strlen(image) + 16, 1);
	text_print(absent, strlen(image) + 16, "%s-absent", image);
	assert_int_equal(contract_pull(bench, absent, PULL_MISSING, &message),
			 FAULT_IMAGE_NOT_FOUND);
	assert_non_null(strstr(message, "manifest unknown"));
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

/* The image that is here is the machine's own, which no test runs on a mainframe. */
static void an_image_for_another_platform_is_not_the_one(void **state)
{
	struct bench *bench = *state;
	struct job_spec spec;
	bench_spec(bench, &spec, NULL);
	string_set(&spec.platform, "linux/s390x");
	spec.pull_policy = PULL_NEVER;
	struct container_action action = bench_action(bench, CONTAINER_PULL, bench_task(), 1);
	action.spec = &spec;
	const struct container_result *result = bench_do(bench, &action);
	assert_int_equal(result->fault, FAULT_IMAGE_NOT_FOUND);
	assert_non_null(strstr(result->message, "linux/s390x"));
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

static void a_bind_source_that_is_missing_is_told(void **state)
{
	struct bench *bench = *state;
	struct job_spec spec;
	bench_spec(bench, &spec, NULL);
	contract_add_bind(&spec, "/no/such/folder/on/this/machine", false);
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

/* ---- */

const struct CMUnitTest contract_life_tests[] = {
	cmocka_unit_test(an_image_that_is_here_needs_no_pull),
	cmocka_unit_test(an_image_that_is_not_here_and_may_not_be_pulled_is_not_found),
	cmocka_unit_test(a_registry_that_does_not_answer_fails_the_pull),
	cmocka_unit_test(an_image_is_pulled_from_its_registry),
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
	cmocka_unit_test(an_image_for_another_platform_is_not_the_one),
	cmocka_unit_test(a_specification_docker_never_takes_is_refused),
	cmocka_unit_test(too_little_memory_ends_it_and_is_told),
};
const size_t n_contract_life_tests = ARRAY_LEN(contract_life_tests);
