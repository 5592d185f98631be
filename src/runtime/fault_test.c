#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "runtime/contract.h"
#include "runtime/fault.h"

static void a_script_is_read_and_its_calls_counted(void **state)
{
	(void)state;
	struct fault_script script;
	assert_int_equal(fault_script_parse("create 2 lost; inspect * late 250\n hint 1 drop ;",
					    &script, NULL),
			 ERR_NONE);
	assert_int_equal(script.rules.n, 3);
	assert_null(fault_script_next(&script, CONTAINER_CREATE));
	assert_int_equal(fault_script_next(&script, CONTAINER_CREATE)->kind, FAULT_KIND_LOST);
	assert_null(fault_script_next(&script, CONTAINER_CREATE));
	for (int i = 0; i < 3; i++)
		assert_int_equal(fault_script_next(&script, CONTAINER_INSPECT)->delay_ms, 250);
	assert_int_equal(fault_script_next(&script, FAULT_VERB_HINT)->kind, FAULT_KIND_DROP);
	assert_null(fault_script_next(&script, FAULT_VERB_HINT));
	fault_script_release(&script);
}

static void a_rule_that_is_none_is_named(void **state)
{
	(void)state;
	static const char *const rules[] = { "create",		 "create 0 lost",
					     "create one lost",	 "creat 1 lost",
					     "create 1 explode", "create 1 late soon" };
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		struct fault_script script;
		struct err err = { 0 };
		assert_int_equal(fault_script_parse(rules[i], &script, &err), ERR_SYNTAX);
		assert_non_null(strstr(err.message, rules[i]));
	}
}

static void open_with(struct bench *bench, const char *faults)
{
	const struct runtime_options options = { .faults = faults };
	bench_open(bench, &runtime_fault_ops, &options, "image:1");
	bench_until_up(bench, 1);
	struct job_spec spec;
	bench_spec(bench, &spec, NULL);
	spec.pull_policy = PULL_MISSING;
	struct container_action pull = bench_action(bench, CONTAINER_PULL, bench_task(), 1);
	pull.spec = &spec;
	bench_do(bench, &pull);
	record_release(&job_spec_type, &spec);
}

/* What a create answers under a fault, and whether it happened. */
static void check_create(const char *faults, int fault, int state)
{
	struct bench bench = { 0 };
	struct task_id task = bench_task();
	struct job_spec spec;
	open_with(&bench, faults);
	bench_spec(&bench, &spec, NULL);
	struct container_action create = bench_action(&bench, CONTAINER_CREATE, task, 1);
	create.spec = &spec;
	create.timeout_ms = 100;
	assert_int_equal(bench_do(&bench, &create)->fault, fault);
	assert_int_equal(bench_inspect(&bench, task)->state, state);
	record_release(&job_spec_type, &spec);
	bench_close(&bench);
}

static void every_fault_answers_and_acts_as_its_name_says(void **state)
{
	(void)state;
	check_create("", FAULT_NONE, CONTAINER_CREATED);
	check_create("create 1 unreachable", FAULT_UNREACHABLE, CONTAINER_ABSENT);
	check_create("create 1 refuse", FAULT_FAILED, CONTAINER_ABSENT);
	check_create("create 1 error", FAULT_AMBIGUOUS, CONTAINER_ABSENT);
	check_create("create 1 error_after", FAULT_AMBIGUOUS, CONTAINER_CREATED);
	check_create("create 1 lost", FAULT_AMBIGUOUS, CONTAINER_CREATED);
	check_create("create 1 half", FAULT_AMBIGUOUS, CONTAINER_CREATED);
	check_create("create 1 hang", FAULT_AMBIGUOUS, CONTAINER_ABSENT);
	check_create("create 1 hang_after", FAULT_AMBIGUOUS, CONTAINER_CREATED);
	check_create("create 1 late 50", FAULT_NONE, CONTAINER_CREATED);
	check_create("create 1 ghost", FAULT_NONE, CONTAINER_ABSENT);
	check_create("create 1 restart", FAULT_AMBIGUOUS, CONTAINER_CREATED);
}

static void a_restart_kills_what_ran_and_is_another_daemon(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	struct task_id task = bench_task();
	struct job_spec spec;
	open_with(&bench, "start 1 restart");
	uint64_t before = bench.instance;
	bench_spec(&bench, &spec, NULL);
	assert_int_equal(bench_create(&bench, task, &spec), FAULT_NONE);
	assert_int_equal(bench_start(&bench, task), FAULT_AMBIGUOUS);
	bench_until_up(&bench, 2);
	assert_int_equal(bench.downs, 1);
	assert_true(bench.instance != before);
	assert_int_equal(bench_inspect(&bench, task)->state, CONTAINER_EXITED);
	record_release(&job_spec_type, &spec);
	bench_close(&bench);
}

static void dropped_hints_are_not_told(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	struct task_id task = bench_task();
	struct job_spec spec;
	open_with(&bench, "hint 1 drop");
	bench_spec(&bench, &spec, NULL);
	assert_int_equal(bench_create(&bench, task, &spec), FAULT_NONE);
	assert_int_equal(bench_start(&bench, task), FAULT_NONE);
	assert_int_equal(bench.hints.n, 0);
	assert_int_equal(bench_kill(&bench, task, "SIGKILL"), FAULT_NONE);
	assert_int_equal(bench.hints.n, 1);
	record_release(&job_spec_type, &spec);
	bench_close(&bench);
}

static void closing_drops_what_waits(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	struct job_spec spec;
	const struct runtime_logs_options options = { .follow = true, .tail = -1 };
	struct bench_log log;
	open_with(&bench, "create * hang; inspect * late 50000");
	bench_spec(&bench, &spec, NULL);
	struct container_action create = bench_action(&bench, CONTAINER_CREATE, bench_task(), 1);
	create.spec = &spec;
	uint64_t first = bench_submit(&bench, &create);
	struct container_action inspect = bench_action(&bench, CONTAINER_INSPECT, bench_task(), 1);
	uint64_t second = bench_submit(&bench, &inspect);
	bench_log_open(&bench, &log, bench_task(), &options);
	assert_false(bench.answered[first % BENCH_RESULTS_MAX]);
	assert_false(bench.answered[second % BENCH_RESULTS_MAX]);
	record_release(&job_spec_type, &spec);
	bench_close(&bench);
	assert_false(log.ended);
	bench_log_release(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_script_is_read_and_its_calls_counted),
		cmocka_unit_test(a_rule_that_is_none_is_named),
		cmocka_unit_test(every_fault_answers_and_acts_as_its_name_says),
		cmocka_unit_test(a_restart_kills_what_ran_and_is_another_daemon),
		cmocka_unit_test(dropped_hints_are_not_told),
		cmocka_unit_test(closing_drops_what_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
