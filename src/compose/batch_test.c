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
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		test_bad(rows[i].lines, ERR_INVALID, rows[i].field, rows[i].words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_array_runs_to_completion_with_a_task_for_each_index),
		cmocka_unit_test(what_contradicts_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
