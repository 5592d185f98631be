/* The Docker runtime beside a container's own command, as no Docker shows it on demand: hooks that outlast their
 * output, and questions that are dropped. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "fakedocker.h"
#include "runtime/contract.h"
#include "runtime/fake_world.h"

static char folder[64];
static char socket_path[128];

static int setup(void **state)
{
	(void)state;
	bench_folder_make(folder);
	text_print(socket_path, sizeof(socket_path), "%s/docker.sock", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bench_folder_remove(folder);
	return 0;
}

static struct fakedocker *open_both(struct bench *bench)
{
	const struct fakedocker_options options = { .socket_path = socket_path, .api_minor = 41 };
	const struct runtime_options docker = { .socket_path = socket_path };
	struct fakedocker *fakedocker = NULL;
	struct fake_answer answer;
	struct err err = { 0 };
	bench->base = event_base_new();
	if (fakedocker_open(bench->base, &options, &fakedocker, &err))
		fail_msg("%s", err.message);
	fake_world_pull(fakedocker_world(fakedocker), "image:1", NULL, &answer);
	bench_open(bench, runtime_find("docker"), &docker, "image:1");
	bench_until_up(bench, 1);
	return fakedocker;
}

static void close_both(struct bench *bench, struct fakedocker *fakedocker)
{
	fakedocker_close(fakedocker);
	bench_close(bench);
}

static struct task_id start_one(struct bench *bench, struct job_spec *spec)
{
	struct task_id task = bench_task();
	bench_spec(bench, spec, NULL);
	assert_int_equal(bench_create(bench, task, spec), FAULT_NONE);
	assert_int_equal(bench_start(bench, task), FAULT_NONE);
	return task;
}

static const struct container_result *run_hook(struct bench *bench, struct task_id task,
					       const char *command, int64_t timeout_ms)
{
	struct hook hook = { 0 };
	strings_add(&hook.command, command);
	struct container_action action = bench_action(bench, CONTAINER_EXEC, task, 1);
	action.hook = &hook;
	action.timeout_ms = timeout_ms;
	const struct container_result *result = bench_do(bench, &action);
	record_release(&hook_type, &hook);
	return result;
}

static void a_hook_that_closes_its_output_and_runs_on_has_outlasted_its_time(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	struct job_spec spec;
	struct fakedocker *fakedocker = open_both(&bench);
	struct task_id task = start_one(&bench, &spec);
	const struct container_result *result = run_hook(&bench, task, "linger", 1500);
	assert_int_equal(result->fault, FAULT_HOOK_FAILED);
	assert_string_equal(result->message, "did not end within 1.5s");
	/* At once, after 50, 100, 200, 400, and at the end. */
	assert_in_range(fakedocker_world(fakedocker)->exec_looks, 2, 8);
	record_release(&job_spec_type, &spec);
	close_both(&bench, fakedocker);
}

static void what_a_hook_wrote_is_told_as_text(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	struct job_spec spec;
	struct fakedocker *fakedocker = open_both(&bench);
	struct task_id task = start_one(&bench, &spec);
	const struct container_result *result = run_hook(&bench, task, "garble", 5000);
	assert_int_equal(result->fault, FAULT_HOOK_FAILED);
	assert_string_equal(result->message, "exited with status 1: a?? b?");
	record_release(&job_spec_type, &spec);
	close_both(&bench, fakedocker);
}

/* The container is gone from the network, and nothing tells so: the connection would stay until its time is over. */
static void a_question_that_is_dropped_ends_at_once(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	struct job_spec spec;
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	struct fakedocker *fakedocker = open_both(&bench);
	struct task_id task = start_one(&bench, &spec);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	spec.probe = base_calloc(1, sizeof(*spec.probe));
	spec.probe->kind = PROBE_HTTP;
	spec.probe->port = ntohs(address.sin_port);
	struct container_action ask = bench_action(&bench, CONTAINER_PROBE, task, 1);
	ask.spec = &spec;
	ask.address = "127.0.0.1";
	ask.timeout_ms = 24 * 3600 * 1000;
	uint64_t op = bench_submit(&bench, &ask);
	int fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	bench_rest(&bench, 20);
	bench.ops->cancel(bench.runtime, op + 1);
	bench.ops->cancel(bench.runtime, op);
	assert_int_equal(bench_wait(&bench, op)->fault, FAULT_AMBIGUOUS);
	char request[1024];
	while (recv(fd, request, sizeof(request), 0) > 0)
		continue;
	bench.ops->cancel(bench.runtime, op);
	close(fd);
	close(listener);
	record_release(&job_spec_type, &spec);
	close_both(&bench, fakedocker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hook_that_closes_its_output_and_runs_on_has_outlasted_its_time),
		cmocka_unit_test(what_a_hook_wrote_is_told_as_text),
		cmocka_unit_test(a_question_that_is_dropped_ends_at_once),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
