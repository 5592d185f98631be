/* The Docker runtime against a Docker that fails and lies: what it may say then, and what it must never. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

static struct fakedocker *serve(struct bench *bench, const char *script, int api_minor)
{
	const struct fakedocker_options options = { .socket_path = socket_path,
						    .script = script,
						    .api_minor = api_minor };
	struct fakedocker *fakedocker = NULL;
	struct err err = { 0 };
	if (!bench->base)
		bench->base = event_base_new();
	if (fakedocker_open(bench->base, &options, &fakedocker, &err))
		fail_msg("%s", err.message);
	return fakedocker;
}

static void open_runtime(struct bench *bench, const char *docker_config)
{
	const struct runtime_options options = { .socket_path = socket_path,
						 .docker_config = docker_config };
	bench_open(bench, runtime_find("docker"), &options, "image:1");
}

/* A bench on a fake Docker with a script, its image pulled. */
static struct fakedocker *open_both(struct bench *bench, const char *script)
{
	struct fakedocker *fakedocker = serve(bench, script, 41);
	struct fake_answer answer;
	fake_world_pull(fakedocker_world(fakedocker), "image:1", NULL, &answer);
	open_runtime(bench, NULL);
	bench_until_up(bench, 1);
	return fakedocker;
}

/* The loop belongs to both: the server goes first. */
static void close_both(struct bench *bench, struct fakedocker *fakedocker)
{
	fakedocker_close(fakedocker);
	bench_close(bench);
}

static void check_create(const char *script, int fault, int state_after)
{
	struct bench bench = { 0 };
	struct fakedocker *fakedocker = open_both(&bench, script);
	struct task_id task = bench_task();
	struct job_spec spec;
	bench_spec(&bench, &spec, NULL);
	struct container_action create = bench_action(&bench, CONTAINER_CREATE, task, 1);
	create.spec = &spec;
	create.timeout_ms = 300;
	const struct container_result *result = bench_do(&bench, &create);
	if (result->fault != fault)
		fail_msg("%s: %s (%s)", script, enum_name(container_fault_names, result->fault),
			 result->message);
	const struct fake_container *made =
		fake_world_find(fakedocker_world(fakedocker), create.name);
	assert_int_equal(made ? made->state : CONTAINER_ABSENT, state_after);
	record_release(&job_spec_type, &spec);
	close_both(&bench, fakedocker);
}

static void an_answer_that_does_not_come_whole_is_ambiguous(void **state)
{
	(void)state;
	check_create("", FAULT_NONE, CONTAINER_CREATED);
	check_create("create 1 unreachable", FAULT_AMBIGUOUS, CONTAINER_ABSENT);
	check_create("create 1 lost", FAULT_AMBIGUOUS, CONTAINER_CREATED);
	check_create("create 1 half", FAULT_AMBIGUOUS, CONTAINER_CREATED);
	check_create("create 1 hang", FAULT_AMBIGUOUS, CONTAINER_ABSENT);
	check_create("create 1 hang_after", FAULT_AMBIGUOUS, CONTAINER_CREATED);
	check_create("create 1 late 100", FAULT_NONE, CONTAINER_CREATED);
	check_create("create 1 late 5000", FAULT_AMBIGUOUS, CONTAINER_CREATED);
	check_create("create 1 restart", FAULT_AMBIGUOUS, CONTAINER_CREATED);
}

static void an_error_answer_is_a_no_only_when_it_says_so(void **state)
{
	(void)state;
	check_create("create 1 error", FAULT_AMBIGUOUS, CONTAINER_ABSENT);
	check_create("create 1 error_after", FAULT_AMBIGUOUS, CONTAINER_CREATED);
	check_create("create 1 refuse", FAULT_REFUSED, CONTAINER_ABSENT);
}

static void after_an_ambiguous_answer_inspecting_by_name_tells_what_is(void **state)
{
	(void)state;
	static const char *const scripts[] = { "start 1 lost", "start 1 error_after",
					       "start 1 half", "start 1 ghost" };
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		struct bench bench = { 0 };
		struct fakedocker *fakedocker = open_both(&bench, scripts[i]);
		struct task_id task = bench_task();
		struct job_spec spec;
		bool ghost = strstr(scripts[i], "ghost") != NULL;
		bench_spec(&bench, &spec, NULL);
		assert_int_equal(bench_create(&bench, task, &spec), FAULT_NONE);
		assert_int_equal(bench_start(&bench, task), ghost ? FAULT_NONE : FAULT_AMBIGUOUS);
		assert_int_equal(bench_inspect(&bench, task)->state,
				 ghost ? CONTAINER_CREATED : CONTAINER_RUNNING);
		assert_int_equal(bench_start(&bench, task), FAULT_NONE);
		assert_int_equal(bench_inspect(&bench, task)->state, CONTAINER_RUNNING);
		record_release(&job_spec_type, &spec);
		close_both(&bench, fakedocker);
	}
}

static void an_inspection_that_fails_never_says_absent(void **state)
{
	(void)state;
	static const char *const scripts[] = { "inspect 1 error", "inspect 1 lost",
					       "inspect 1 half", "inspect 1 unreachable",
					       "inspect 1 hang" };
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		struct bench bench = { 0 };
		struct fakedocker *fakedocker = open_both(&bench, scripts[i]);
		struct container_action inspect =
			bench_action(&bench, CONTAINER_INSPECT, bench_task(), 1);
		inspect.timeout_ms = 300;
		int fault = bench_do(&bench, &inspect)->fault;
		assert_true(fault == FAULT_AMBIGUOUS || fault == FAULT_UNREACHABLE);
		close_both(&bench, fakedocker);
	}
}

static void when_docker_goes_away_what_waits_is_answered_before_down_is_told(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	struct fakedocker *fakedocker = open_both(&bench, "create 1 hang");
	struct job_spec spec;
	bench_spec(&bench, &spec, NULL);
	struct container_action create = bench_action(&bench, CONTAINER_CREATE, bench_task(), 1);
	create.spec = &spec;
	uint64_t op = bench_submit(&bench, &create);
	bench_rest(&bench, 100);
	fakedocker_stop(fakedocker);
	bench_until_down(&bench, 1);
	assert_true(bench.answered[op % BENCH_RESULTS_MAX]);
	assert_int_equal(bench_wait(&bench, op)->fault, FAULT_AMBIGUOUS);
	assert_non_null(strstr(bench.why_down, socket_path));
	/* While it is away nothing is tried, and the silence is told once. */
	create.op = ++bench.next_op;
	assert_int_equal(bench_do(&bench, &create)->fault, FAULT_UNREACHABLE);
	bench_rest(&bench, 500);
	assert_int_equal(bench.downs, 1);
	record_release(&job_spec_type, &spec);
	close_both(&bench, fakedocker);
}

static void docker_coming_back_is_another_run_of_it(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	struct fakedocker *fakedocker = open_both(&bench, "");
	struct task_id task = bench_task();
	struct job_spec spec;
	uint64_t before = bench.instance;
	assert_true(before != 0);
	bench_spec(&bench, &spec, NULL);
	assert_int_equal(bench_create(&bench, task, &spec), FAULT_NONE);
	assert_int_equal(bench_start(&bench, task), FAULT_NONE);
	fakedocker_stop(fakedocker);
	bench_until_down(&bench, 1);
	assert_int_equal(fakedocker_start(fakedocker, NULL), ERR_NONE);
	bench_until_up(&bench, 2);
	assert_true(bench.instance != 0 && bench.instance != before);
	struct container_action inspect = bench_action(&bench, CONTAINER_INSPECT, task, 1);
	const struct container_result *result = bench_do(&bench, &inspect);
	assert_int_equal(result->seen.state, CONTAINER_EXITED);
	assert_true(result->daemon_instance == bench.instance);
	/* The events are heard again. */
	char name[CONTAINER_NAME_SIZE];
	container_name(task, 1, name);
	strings_release(&bench.hints);
	assert_int_equal(bench_start(&bench, task), FAULT_NONE);
	bench_until_hint(&bench, name);
	record_release(&job_spec_type, &spec);
	close_both(&bench, fakedocker);
}

static void a_restart_nobody_noticed_is_noticed_by_the_stream_of_events(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	struct fakedocker *fakedocker = open_both(&bench, "");
	uint64_t before = bench.instance;
	fakedocker_stop(fakedocker);
	assert_int_equal(fakedocker_start(fakedocker, NULL), ERR_NONE);
	bench_until_up(&bench, 2);
	assert_true(bench.instance != before);
	assert_int_equal(bench.downs, 1);
	close_both(&bench, fakedocker);
}

static void a_frozen_docker_is_found_out_by_a_call_in_vain(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	struct fakedocker *fakedocker = open_both(&bench, "");
	struct container_action inspect = bench_action(&bench, CONTAINER_INSPECT, bench_task(), 1);
	fakedocker_freeze(fakedocker, true);
	inspect.timeout_ms = 200;
	assert_int_equal(bench_do(&bench, &inspect)->fault, FAULT_AMBIGUOUS);
	bench_until_down(&bench, 1);
	fakedocker_freeze(fakedocker, false);
	bench_until_up(&bench, 2);
	close_both(&bench, fakedocker);
}

static void docker_may_be_away_when_the_runtime_opens(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	open_runtime(&bench, NULL);
	bench_until_down(&bench, 1);
	assert_int_equal(bench.ups, 0);
	struct fakedocker *fakedocker = serve(&bench, "", 41);
	bench_until_up(&bench, 1);
	assert_string_equal(bench.version, "fakedocker");
	close_both(&bench, fakedocker);
}

static void a_docker_that_is_too_old_is_down_and_says_why(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	struct fakedocker *fakedocker = serve(&bench, "", 40);
	open_runtime(&bench, NULL);
	bench_until_down(&bench, 1);
	assert_int_equal(bench.ups, 0);
	assert_non_null(strstr(bench.why_down, "1.40"));
	assert_non_null(strstr(bench.why_down, "1.41"));
	close_both(&bench, fakedocker);
}

static void a_dropped_event_is_only_a_hint_lost(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	struct fakedocker *fakedocker = open_both(&bench, "hint * drop");
	struct task_id task = bench_task();
	struct job_spec spec;
	bench_spec(&bench, &spec, "exit 1");
	bench_run(&bench, task, &spec);
	bench_rest(&bench, 100);
	assert_int_equal(bench.hints.n, 0);
	record_release(&job_spec_type, &spec);
	close_both(&bench, fakedocker);
}

/* ---- two networks ---- */

static void an_interrupted_create_with_two_networks_leaves_no_half_container(void **state)
{
	(void)state;
	static const char *const scripts[] = { "create 1 lost", "create 1 half",
					       "create 1 hang_after" };
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		struct bench bench = { 0 };
		struct fakedocker *fakedocker = open_both(&bench, scripts[i]);
		struct fake_world *world = fakedocker_world(fakedocker);
		char key_a[] = "a", key_b[] = "b";
		const struct network_spec networks[] = { { .key = key_a }, { .key = key_b } };
		const struct pairs none = { 0 };
		struct fake_answer answer;
		struct task_id task = bench_task();
		struct job_spec spec;
		fake_world_network_create(world, "contract_a", &none, &answer);
		fake_world_network_create(world, "contract_b", &none, &answer);
		bench_spec(&bench, &spec, NULL);
		struct container_action create = bench_action(&bench, CONTAINER_CREATE, task, 1);
		create.spec = &spec;
		create.networks = networks;
		create.n_networks = 2;
		create.timeout_ms = 300;
		assert_int_equal(bench_do(&bench, &create)->fault, FAULT_AMBIGUOUS);
		assert_int_equal(bench_inspect(&bench, task)->state, CONTAINER_ABSENT);
		/* A list removes what was left over; a second try makes it whole. */
		struct container_action list =
			bench_action(&bench, CONTAINER_LIST, (struct task_id){ 0 }, 1);
		assert_int_equal(bench_do(&bench, &list)->n_list, 0);
		assert_null(world->containers);
		create.op = ++bench.next_op;
		create.timeout_ms = 30000;
		assert_int_equal(bench_do(&bench, &create)->fault, FAULT_NONE);
		const struct fake_container *made = fake_world_find(world, create.name);
		assert_non_null(made);
		assert_int_equal(made->config.endpoints.n, 2);
		record_release(&job_spec_type, &spec);
		close_both(&bench, fakedocker);
	}
}

static void a_second_try_takes_the_place_of_the_first_ones_part(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	struct fakedocker *fakedocker = open_both(&bench, "create 1 lost");
	struct fake_world *world = fakedocker_world(fakedocker);
	char key_a[] = "a", key_b[] = "b";
	const struct network_spec networks[] = { { .key = key_a }, { .key = key_b } };
	const struct pairs none = { 0 };
	struct fake_answer answer;
	struct job_spec spec;
	fake_world_network_create(world, "contract_a", &none, &answer);
	fake_world_network_create(world, "contract_b", &none, &answer);
	bench_spec(&bench, &spec, NULL);
	struct container_action create = bench_action(&bench, CONTAINER_CREATE, bench_task(), 1);
	create.spec = &spec;
	create.networks = networks;
	create.n_networks = 2;
	assert_int_equal(bench_do(&bench, &create)->fault, FAULT_AMBIGUOUS);
	create.op = ++bench.next_op;
	assert_int_equal(bench_do(&bench, &create)->fault, FAULT_NONE);
	assert_non_null(fake_world_find(world, create.name));
	assert_null(world->containers->next);
	create.op = ++bench.next_op;
	assert_int_equal(bench_do(&bench, &create)->fault, FAULT_CONFLICT);
	assert_null(world->containers->next);
	record_release(&job_spec_type, &spec);
	close_both(&bench, fakedocker);
}

/* ---- pulls ---- */

static const struct container_result *pull(struct bench *bench, const char *image,
					   int64_t timeout_ms)
{
	struct job_spec spec;
	bench_spec(bench, &spec, NULL);
	string_set(&spec.image, image);
	spec.pull_policy = PULL_ALWAYS;
	struct container_action action = bench_action(bench, CONTAINER_PULL, bench_task(), 1);
	action.spec = &spec;
	action.timeout_ms = timeout_ms;
	const struct container_result *result = bench_do(bench, &action);
	record_release(&job_spec_type, &spec);
	return result;
}

static void a_pulls_failure_is_told_in_the_registrys_words(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	struct fakedocker *fakedocker = open_both(&bench, "pull 1 throttled; pull 5 hang");
	const struct container_result *result = pull(&bench, "popular:1", 5000);
	assert_int_equal(result->fault, FAULT_PULL_FAILED);
	/* Whoever tells it names the image. */
	assert_ptr_equal(strstr(result->message, "toomanyrequests"), result->message);
	result = pull(&bench, "absent:1", 5000);
	assert_int_equal(result->fault, FAULT_IMAGE_NOT_FOUND);
	assert_non_null(strstr(result->message, "manifest unknown"));
	/* An error in the middle of an answer of status 200. */
	result = pull(&bench, "denied:1", 5000);
	assert_int_equal(result->fault, FAULT_PULL_FAILED);
	assert_non_null(strstr(result->message, "unauthorized"));
	assert_int_equal(pull(&bench, "fine:1", 5000)->fault, FAULT_NONE);
	assert_true(bench.progress.n > 0);
	assert_string_equal(bench.progress.items[bench.progress.n - 1],
			    "1 of 1 layers, 2 MB of 2 MB");
	result = pull(&bench, "slow:1", 200);
	assert_int_equal(result->fault, FAULT_PULL_FAILED);
	assert_non_null(strstr(result->message, "in time"));
	close_both(&bench, fakedocker);
}

static void the_platform_goes_along_with_pull_and_create(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	struct fakedocker *fakedocker = open_both(&bench, NULL);
	struct job_spec spec;
	bench_spec(&bench, &spec, NULL);
	string_set(&spec.platform, "linux/arm64");
	spec.pull_policy = PULL_MISSING;
	/* Here already, but for this machine's own platform. */
	struct container_action action = bench_action(&bench, CONTAINER_PULL, bench_task(), 1);
	action.spec = &spec;
	assert_int_equal(bench_do(&bench, &action)->fault, FAULT_NONE);
	assert_string_equal(fake_world_image(fakedocker_world(fakedocker), "image:1"),
			    "linux/arm64");
	assert_int_equal(bench_create(&bench, bench_task(), &spec), FAULT_NONE);
	string_set(&spec.platform, "linux/amd64");
	assert_int_equal(bench_create(&bench, bench_task(), &spec), FAULT_IMAGE_NOT_FOUND);
	record_release(&job_spec_type, &spec);
	close_both(&bench, fakedocker);
}

static void put_file(const char *name, const char *contents, unsigned mode)
{
	char path[256];
	text_print(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(contents, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

/* What a pull of an image of helper.example says when the helper is this script. */
static int pull_with_helper(const char *script, const char *words)
{
	struct bench bench = { 0 };
	struct fakedocker *fakedocker = serve(&bench, "", 41);
	char config[256], path[512];
	put_file("docker-credential-test", script, 0700);
	put_file("config.json", "{\"credHelpers\":{\"helper.example\":\"test\"}}", 0600);
	text_print(config, sizeof(config), "%s/config.json", folder);
	_cleanup_free_ char *old_path = base_strdup(getenv("PATH"));
	text_print(path, sizeof(path), "%s:%s", folder, old_path);
	setenv("PATH", path, 1);
	open_runtime(&bench, config);
	bench_until_up(&bench, 1);
	const struct container_result *result = pull(&bench, "helper.example/image:1", 2000);
	int fault = result->fault;
	if (words && (!result->message || !strstr(result->message, words)))
		fail_msg("\"%s\" is not in: %s", words, result->message);
	close_both(&bench, fakedocker);
	setenv("PATH", old_path, 1);
	return fault;
}

static void a_credential_helper_is_asked_and_its_failures_are_told(void **state)
{
	(void)state;
	assert_int_equal(pull_with_helper("#!/bin/sh\nread server\n"
					  "test \"$server\" = helper.example || exit 1\n"
					  "echo '{\"Username\":\"u\",\"Secret\":\"p\"}'\n",
					  NULL),
			 FAULT_NONE);
	assert_int_equal(pull_with_helper("#!/bin/sh\n"
					  "echo credentials not found in native keychain\nexit 1\n",
					  NULL),
			 FAULT_NONE);
	assert_int_equal(pull_with_helper("#!/bin/sh\necho the vault is locked\nexit 1\n",
					  "the vault is locked"),
			 FAULT_PULL_FAILED);
	assert_int_equal(pull_with_helper("#!/bin/sh\necho nonsense\n", "no user or secret"),
			 FAULT_PULL_FAILED);
	assert_int_equal(pull_with_helper("#!/bin/sh\nexec sleep 100\n", "in time"),
			 FAULT_PULL_FAILED);
	assert_int_equal(pull_with_helper("#!/bin/sh\nhead -c 100000 /dev/zero\n", "too long"),
			 FAULT_PULL_FAILED);
	assert_int_equal(pull_with_helper("no program", "docker-credential-test"),
			 FAULT_PULL_FAILED);
}

/* ---- logs ---- */

static void a_log_that_cannot_be_read_says_why(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	struct fakedocker *fakedocker = open_both(&bench, "");
	const struct runtime_logs_options options = { .tail = -1 };
	struct task_id task = bench_task();
	struct bench_log log;
	struct job_spec spec;
	bench_spec(&bench, &spec, NULL);
	string_set(&spec.logging.driver, "none");
	assert_int_equal(bench_create(&bench, task, &spec), FAULT_NONE);
	bench_log_open(&bench, &log, task, &options);
	bench_log_wait(&bench, &log);
	assert_int_equal(log.err.code, ERR_UNSUPPORTED);
	assert_non_null(strstr(log.err.message, "does not support reading"));
	bench_log_release(&log);
	record_release(&job_spec_type, &spec);
	close_both(&bench, fakedocker);
}

static void a_log_followed_when_docker_dies_ends_with_an_error(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	struct fakedocker *fakedocker = open_both(&bench, "");
	const struct runtime_logs_options options = { .tail = -1, .follow = true };
	struct task_id task = bench_task();
	struct bench_log log;
	struct job_spec spec;
	bench_spec(&bench, &spec, "echo first; sleep 1000");
	assert_int_equal(bench_create(&bench, task, &spec), FAULT_NONE);
	assert_int_equal(bench_start(&bench, task), FAULT_NONE);
	bench_log_open(&bench, &log, task, &options);
	bench_rest(&bench, 200);
	assert_string_equal(text_string(&log.streams[1]), "first\n");
	fakedocker_close(fakedocker);
	bench_log_wait(&bench, &log);
	assert_int_equal(log.err.code, ERR_CLOSED);
	bench_log_release(&log);
	bench_until_down(&bench, 1);
	bench_log_open(&bench, &log, task, &options);
	bench_log_wait(&bench, &log);
	assert_int_equal(log.err.code, ERR_UNAVAILABLE);
	bench_log_release(&log);
	record_release(&job_spec_type, &spec);
	bench_close(&bench);
}

static bool is_full(struct bench *bench, const void *log)
{
	(void)bench;
	return ((const struct bench_log *)log)->streams[1].len > 0;
}

static void a_paused_log_says_nothing_until_it_goes_on(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	struct fakedocker *fakedocker = open_both(&bench, "");
	const struct runtime_logs_options options = { .tail = -1 };
	struct task_id task = bench_task();
	struct bench_log log;
	struct job_spec spec;
	bench_spec(&bench, &spec, "echo first; echo second");
	bench_run(&bench, task, &spec);
	bench_log_open(&bench, &log, task, &options);
	bench.ops->logs_pause(log.logs, true);
	bench_rest(&bench, 200);
	assert_int_equal(log.streams[1].len, 0);
	assert_false(log.ended);
	bench.ops->logs_pause(log.logs, false);
	bench_until(&bench, is_full, &log, "the log goes on");
	bench_log_wait(&bench, &log);
	assert_string_equal(text_string(&log.streams[1]), "first\nsecond\n");
	bench_log_release(&log);
	record_release(&job_spec_type, &spec);
	close_both(&bench, fakedocker);
}

static void closing_in_the_middle_of_everything_leaves_nothing(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	struct fakedocker *fakedocker =
		open_both(&bench, "create * hang; inspect * hang; pull * hang; list * hang");
	struct job_spec spec;
	bench_spec(&bench, &spec, NULL);
	spec.pull_policy = PULL_ALWAYS;
	static const int verbs[] = { CONTAINER_CREATE, CONTAINER_INSPECT, CONTAINER_PULL,
				     CONTAINER_LIST, CONTAINER_START };
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		struct container_action action = bench_action(&bench, verbs[i], bench_task(), 1);
		action.spec = &spec;
		bench_submit(&bench, &action);
	}
	bench_rest(&bench, 100);
	record_release(&job_spec_type, &spec);
	close_both(&bench, fakedocker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_that_does_not_come_whole_is_ambiguous),
		cmocka_unit_test(an_error_answer_is_a_no_only_when_it_says_so),
		cmocka_unit_test(after_an_ambiguous_answer_inspecting_by_name_tells_what_is),
		cmocka_unit_test(the_platform_goes_along_with_pull_and_create),
		cmocka_unit_test(an_inspection_that_fails_never_says_absent),
		cmocka_unit_test(when_docker_goes_away_what_waits_is_answered_before_down_is_told),
		cmocka_unit_test(docker_coming_back_is_another_run_of_it),
		cmocka_unit_test(a_restart_nobody_noticed_is_noticed_by_the_stream_of_events),
		cmocka_unit_test(a_frozen_docker_is_found_out_by_a_call_in_vain),
		cmocka_unit_test(docker_may_be_away_when_the_runtime_opens),
		cmocka_unit_test(a_docker_that_is_too_old_is_down_and_says_why),
		cmocka_unit_test(a_dropped_event_is_only_a_hint_lost),
		cmocka_unit_test(an_interrupted_create_with_two_networks_leaves_no_half_container),
		cmocka_unit_test(a_second_try_takes_the_place_of_the_first_ones_part),
		cmocka_unit_test(a_pulls_failure_is_told_in_the_registrys_words),
		cmocka_unit_test(a_credential_helper_is_asked_and_its_failures_are_told),
		cmocka_unit_test(a_log_that_cannot_be_read_says_why),
		cmocka_unit_test(a_log_followed_when_docker_dies_ends_with_an_error),
		cmocka_unit_test(a_paused_log_says_nothing_until_it_goes_on),
		cmocka_unit_test(closing_in_the_middle_of_everything_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
