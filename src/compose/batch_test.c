/* What x-drover says of what runs to completion. */
#include <string.h>

#include "base/alloc.h"
#include "compose/testing.h"

static void an_array_runs_to_completion_with_a_task_for_each_index(void **state)
{
	(void)state;
	struct project_request request =
		test_spec("    x-drover: {array: '0-9,20-29:2', concurrency: 4}\n");
	const struct job_spec *spec = &request.jobs.items[0].spec;
	assert_int_equal(spec->mode, JOB_REPLICATED_JOB);
	assert_int_equal(spec->replicas, 15);
	assert_int_equal(spec->concurrency, 4);
	assert_int_equal(array_index(spec->array, 15), 28);
	test_request_release(&request);
}

static void what_contradicts_is_refused(void **state)
{
	static const struct {
		const char *lines;
		const char *field;
		const char *words;
	} rows[] = {
		{ "    deploy: {mode: replicated}\n    x-drover: {array: 3}\n",
		  "compose.yaml:5:23: services.web.x-drover.array",
		  "array is for a replicated-job, and deploy.mode is replicated" },
		{ "    deploy: {mode: global-job}\n    x-drover: {array: 3}\n",
		  "compose.yaml:5:23: services.web.x-drover.array", "deploy.mode is global-job" },
		{ "    scale: 2\n    x-drover: {array: 3}\n",
		  "compose.yaml:5:23: services.web.x-drover.array",
		  "the array has 3 indices, and 2 replicas are written" },
		{ "    x-drover: {array: 9-3}\n", "compose.yaml:4:23: services.web.x-drover.array",
		  "3 is less than 9" },
		{ "    x-drover: {array: 3, concurrency: 0}\n",
		  "compose.yaml:4:39: services.web.x-drover.concurrency", "0 is less than 1" },
		{ "    x-drover: {concurrency: 2}\n",
		  "compose.yaml:4:29: services.web.x-drover.concurrency",
		  "concurrency is for a replicated-job, and deploy.mode is replicated" },
		{ "    x-drover: {array: 3}\n    environment: {DROVER_ARRAY_INDEX: 1}\n",
		  "compose.yaml:5:39: services.web.environment.DROVER_ARRAY_INDEX",
		  "each task of an array has its own" },
		{ "    x-drover: {array: 3}\n    deploy: {update_config: {parallelism: 2}}\n",
		  "compose.yaml:5:14: services.web.deploy.update_config",
		  "a replicated-job runs to completion" },
		{ "    x-drover: {max_run_time: 2m}\n",
		  "compose.yaml:4:30: services.web.x-drover.max_run_time",
		  "a service of mode replicated never completes" },
		{ "    deploy: {mode: global}\n    x-drover: {schedule: '@daily'}\n",
		  "compose.yaml:5:26: services.web.x-drover.schedule",
		  "a service of mode global never completes" },
		{ "    x-drover: {schedule: '61 * * * *'}\n",
		  "compose.yaml:4:26: services.web.x-drover.schedule",
		  "the minute \"61\" is not one of 0 to 59" },
		{ "    x-drover: {schedule: ['@daily']}\n",
		  "compose.yaml:4:16: services.web.x-drover.schedule",
		  "expected times as in crontab, or a mapping, found a list" },
		{ "    x-drover: {schedule: {overlap: skip}}\n",
		  "compose.yaml:4:16: services.web.x-drover.schedule", "says when: cron" },
		{ "    x-drover: {schedule: {cron: '@daily', overlap: allow}}\n",
		  "compose.yaml:4:52: services.web.x-drover.schedule.overlap",
		  "skip, queue or replace" },
		{ "    x-drover: {schedule: {cron: '@daily', time_zone: ../x}}\n",
		  "compose.yaml:4:54: services.web.x-drover.schedule.time_zone",
		  "a time zone like Europe/Berlin" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		test_bad(rows[i].lines, ERR_INVALID, rows[i].field, rows[i].words);
}

static void a_schedule_in_short_and_long_form(void **state)
{
	(void)state;
	struct project_request request = test_spec("    x-drover: {schedule: '@daily'}\n");
	const struct job_spec *spec = &request.jobs.items[0].spec;
	assert_int_equal(spec->mode, JOB_REPLICATED_JOB);
	assert_string_equal(spec->schedule->cron, "@daily");
	assert_int_equal(schedule_catch_up(spec->schedule), 1);
	assert_int_equal(schedule_history(spec->schedule), 10);
	test_request_release(&request);
	request = test_spec("    deploy: {mode: global-job}\n"
			    "    x-drover: {schedule: {cron: '0 3 * * *', overlap: replace, "
			    "catch_up: 0}}\n");
	spec = &request.jobs.items[0].spec;
	assert_int_equal(spec->mode, JOB_GLOBAL_JOB);
	assert_int_equal(spec->schedule->overlap, OVERLAP_REPLACE);
	assert_int_equal(schedule_catch_up(spec->schedule), 0);
	test_request_release(&request);
	test_bad("    x-drover: {schedule: {cron: '@daily', time_zone: Nowhere/Land}}\n",
		 ERR_NOT_FOUND, "compose.yaml:4:54: services.web.x-drover.schedule.time_zone",
		 "the time zone's file /usr/share/zoneinfo/Nowhere/Land does not exist");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_array_runs_to_completion_with_a_task_for_each_index),
		cmocka_unit_test(what_contradicts_is_refused),
		cmocka_unit_test(a_schedule_in_short_and_long_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
