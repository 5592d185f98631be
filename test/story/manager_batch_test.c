/* What runs to completion: once, and again only when somebody says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "manager_story.h"

static struct job_spec *begin(struct story *story, int64_t replicas)
{
	story_begin(story);
	story_join(story, "alpha");
	story_forget(story);
	story_project(story, "shop");
	struct job_spec *spec = story_job(story, "import", replicas);
	spec->mode = JOB_REPLICATED_JOB;
	return spec;
}

static void a_completed_job_stays_so_whatever_is_applied_that_says_the_same(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 2);
	story.succeed = "import";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_stands(&story, "shop/import", STANDING_COMPLETED, "2 of 2 succeeded");
	story_forget(&story);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_effect(&story, "import", EFFECT_UNCHANGED);
	story_restart(&story);
	story_pass(&story, 3600000);
	story_forget(&story);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_tells(&story, "");
	assert_int_equal(story_count(&story, "shop/import"), 2);
	/* Another specification is another matter. */
	pairs_put(&story.request.jobs.items[0].spec.environment, "A", "1");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_effect(&story, "import", EFFECT_UPDATED);
	assert_int_equal(story_count(&story, "shop/import"), 4);
	story_end(&story);
}

static void run_again_runs_all_slots_with_the_same_revision(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 2);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_report(&story, "shop/import.1", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	story_report(&story, "shop/import.2", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 1");
	story_forget(&story);
	story.succeed = "import";
	assert_int_equal(story_act(&story, REQUEST_RUN_AGAIN, "shop", "import"), ERR_NONE);
	story_effect(&story, "import", EFFECT_RUNS_AGAIN);
	story_tells(
		&story,
		"job shop/import is to run again\n"
		"shop/import.1 scheduled on alpha\n"
		"shop/import.2 scheduled on alpha\n"
		"job shop/import is pending: 0 of 2 ready; import.1 scheduled: placed on alpha\n"
		"shop/import.1 completed: exit_zero\n"
		"shop/import.2 completed: exit_zero\n"
		"job shop/import is completed: 2 of 2 succeeded\n");
	story_stands(&story, "shop/import", STANDING_COMPLETED, "2 of 2 succeeded");
	assert_int_equal(story_task(&story, "shop/import.1")->desired.revision, 1);
	story_end(&story);
}

static void what_runs_is_not_run_again(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 2);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_report(&story, "shop/import.1", TASK_FAILED, REASON_EXIT_NONZERO, NULL);
	story_forget(&story);
	assert_int_equal(story_act(&story, REQUEST_RUN_AGAIN, "shop", "import"), ERR_CONFLICT);
	assert_string_equal(
		story.reply->err.message,
		"job shop/import has not come to its end: 1 of 2 tasks are still to do; "
		"drover stop ends them");
	story_tells(&story, "");
	/* One that was stopped may. */
	assert_int_equal(story_act(&story, REQUEST_STOP, "shop", "import"), ERR_NONE);
	assert_int_equal(story_act(&story, REQUEST_RUN_AGAIN, "shop", "import"), ERR_NONE);
	story_stands(&story, "shop/import", STANDING_RUNNING, "2 of 2 ready");
	story_end(&story);
}

static void a_service_is_not_run_again(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 1)->mode = JOB_REPLICATED;
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(story_act(&story, REQUEST_RUN_AGAIN, "shop", "import"), ERR_CONFLICT);
	assert_string_equal(
		story.reply->err.message,
		"job shop/import is a service and never completes; drover restart makes "
		"its tasks anew");
	assert_int_equal(story_act(&story, REQUEST_RUN_AGAIN, "shop", "none"), ERR_NOT_FOUND);
	story_end(&story);
}

static void who_ran_too_long_is_left_and_the_job_has_failed(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 1)->max_run_time_ms = 60000;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_report(&story, "shop/import.1", TASK_FAILED, REASON_RAN_TOO_LONG,
		     "ran for longer than its max_run_time of 1m");
	story_pass(&story, 3600000);
	story_stands(
		&story, "shop/import", STANDING_FAILED,
		"1 of 1 given up; import.1 failed: ran for longer than its max_run_time of 1m");
	assert_int_equal(story_count(&story, "shop/import"), 1);
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_completed_job_stays_so_whatever_is_applied_that_says_the_same),
		cmocka_unit_test(run_again_runs_all_slots_with_the_same_revision),
		cmocka_unit_test(what_runs_is_not_run_again),
		cmocka_unit_test(a_service_is_not_run_again),
		cmocka_unit_test(who_ran_too_long_is_left_and_the_job_has_failed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
