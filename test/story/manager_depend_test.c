/* depends_on: three conditions, what they wait for, and what can never come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "manager_story.h"

static void add_check(struct job_spec *spec)
{
	strings_add(&spec->health_check.test, "CMD-SHELL");
	strings_add(&spec->health_check.test, "true");
}

/* "web" that depends on "db" under the condition; both are in the request, nothing is sent. */
static struct depend *begin(struct story *story, int condition)
{
	story_begin(story);
	story_join(story, "alpha");
	story_forget(story);
	story_project(story, "shop");
	struct job_spec *db = story_job(story, "db", 1);
	if (condition == DEPEND_HEALTHY)
		add_check(db);
	return story_depends(story_job(story, "web", 1), "db", condition);
}

static struct job_spec *spec_of(struct story *story, size_t i)
{
	return &story->request.jobs.items[i].spec;
}

static void service_started_waits_until_every_task_has_started(void **state)
{
	(void)state;
	struct story story;
	begin(&story, DEPEND_STARTED);
	spec_of(&story, 0)->replicas = 2;
	story.hold_start = "db";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_tells(&story, "job shop/db revision 1 accepted\n"
			    "job shop/web revision 1 accepted\n"
			    "shop/web.1 waits for db to be started: 0 of 2 started\n"
			    "shop/db.1 scheduled on alpha\n"
			    "shop/db.2 scheduled on alpha\n");
	story_why(&story, "shop/web.1", TASK_PENDING, REASON_WAITS_DEPENDENCY,
		  "waits for db to be started: 0 of 2 started");
	story_report(&story, "shop/db.1", TASK_RUNNING, REASON_RUNNING, NULL);
	story_why(&story, "shop/web.1", TASK_PENDING, REASON_WAITS_DEPENDENCY,
		  "waits for db to be started: 1 of 2 started");
	story_forget(&story);
	story_report(&story, "shop/db.2", TASK_RUNNING, REASON_RUNNING, NULL);
	story_tells(&story, "shop/db.2 running\n"
			    "shop/web.1 scheduled on alpha\n"
			    "job shop/db is running: 2 of 2 ready\n"
			    "shop/web.1 running\n"
			    "job shop/web is running: 1 of 1 ready\n");
	story_end(&story);
}

static void service_healthy_waits_until_every_task_is_ready(void **state)
{
	(void)state;
	struct story story;
	begin(&story, DEPEND_HEALTHY);
	story.starting = "db";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_why(&story, "shop/web.1", TASK_PENDING, REASON_WAITS_DEPENDENCY,
		  "waits for db to be healthy: 0 of 1 healthy");
	story_health(&story, "shop/db.1", HEALTH_HEALTHY);
	story_why(&story, "shop/web.1", TASK_RUNNING, REASON_RUNNING, "running on alpha");
	/* It gates the first start alone: neither bad health later nor a restart waits again. */
	story_health(&story, "shop/db.1", HEALTH_UNHEALTHY);
	story_act(&story, REQUEST_RESTART, "shop", "web");
	story_why(&story, "shop/web.1", TASK_RUNNING, REASON_RUNNING, "running on alpha");
	story_end(&story);
}

static void what_has_no_health_check_is_never_healthy(void **state)
{
	(void)state;
	struct story story;
	begin(&story, DEPEND_HEALTHY);
	strings_release(&spec_of(&story, 0)->health_check.test);
	story.hold_start = "db";
	assert_int_equal(story_apply(&story), ERR_NONE);
	/* The image may bring one: only its first container tells. */
	story_why(&story, "shop/web.1", TASK_PENDING, REASON_WAITS_DEPENDENCY,
		  "waits for db to be healthy: 0 of 1 healthy");
	story_report(&story, "shop/db.1", TASK_RUNNING, REASON_RUNNING, NULL);
	story_why(&story, "shop/web.1", TASK_FAILED, REASON_DEPENDENCY_FAILED,
		  "needs db to be healthy, but it has no health check");
	story_stands(&story, "shop/web", STANDING_DEGRADED,
		     "1 of 1 given up; web.1 failed: needs db to be healthy, but it has no health "
		     "check");
	story_end(&story);

	/* The image of this one does. */
	begin(&story, DEPEND_HEALTHY);
	strings_release(&spec_of(&story, 0)->health_check.test);
	story.starting = "db";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_why(&story, "shop/web.1", TASK_PENDING, REASON_WAITS_DEPENDENCY,
		  "waits for db to be healthy: 0 of 1 healthy");
	story_health(&story, "shop/db.1", HEALTH_HEALTHY);
	story_why(&story, "shop/web.1", TASK_RUNNING, REASON_RUNNING, "running on alpha");
	story_end(&story);

	begin(&story, DEPEND_HEALTHY)->optional = true;
	strings_release(&spec_of(&story, 0)->health_check.test);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_why(&story, "shop/web.1", TASK_RUNNING, REASON_RUNNING, "running on alpha");
	story_end(&story);
}

static void what_has_ended_is_never_healthy(void **state)
{
	(void)state;
	struct story story;
	begin(&story, DEPEND_HEALTHY);
	spec_of(&story, 0)->mode = JOB_REPLICATED_JOB;
	story.starting = "db";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_why(&story, "shop/web.1", TASK_PENDING, REASON_WAITS_DEPENDENCY,
		  "waits for db to be healthy: 0 of 1 healthy");
	story_report(&story, "shop/db.1", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	story_why(&story, "shop/web.1", TASK_FAILED, REASON_DEPENDENCY_FAILED,
		  "needs db to be healthy, but it has ended");
	story_end(&story);
}

static void an_update_that_waits_for_what_has_no_health_check_says_so(void **state)
{
	(void)state;
	struct story story;
	begin(&story, DEPEND_STARTED);
	assert_int_equal(story_apply(&story), ERR_NONE);
	spec_of(&story, 1)->depends_on.items[0].condition = DEPEND_HEALTHY;
	string_set(&spec_of(&story, 1)->image, "web:2");
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(story_task(&story, "shop/web.1")->desired.revision, 1);
	story_stands(&story, "shop/web", STANDING_UPDATING,
		     "1 of 1 tasks still to be replaced; needs db to be healthy, but it has no "
		     "health check");
	struct job_status status;
	manager_job_status(story.manager,
			   cluster_job_named(manager_cluster(story.manager), "shop", "web"),
			   &status);
	assert_int_equal(status.reason, REASON_DEPENDENCY_FAILED);
	base_free(status.message);
	story.starting = "db";
	add_check(spec_of(&story, 0));
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_stands(
		&story, "shop/web", STANDING_UPDATING,
		"1 of 1 tasks still to be replaced; waits for db to be healthy: 0 of 1 healthy");
	story_health(&story, "shop/db.1", HEALTH_HEALTHY);
	assert_int_equal(story_task(&story, "shop/web.1")->desired.revision, 2);
	story_end(&story);
}

static void service_completed_waits_until_every_slot_has_succeeded(void **state)
{
	(void)state;
	struct story story;
	begin(&story, DEPEND_COMPLETED);
	spec_of(&story, 0)->mode = JOB_REPLICATED_JOB;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_why(&story, "shop/web.1", TASK_PENDING, REASON_WAITS_DEPENDENCY,
		  "waits for db to be completed: 0 of 1 succeeded");
	story_report(&story, "shop/db.1", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	story_why(&story, "shop/web.1", TASK_RUNNING, REASON_RUNNING, "running on alpha");
	story_end(&story);
}

static void a_stop_is_no_success(void **state)
{
	(void)state;
	struct story story;
	begin(&story, DEPEND_COMPLETED);
	spec_of(&story, 0)->mode = JOB_REPLICATED_JOB;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_act(&story, REQUEST_STOP, "shop", "db");
	story_why(&story, "shop/web.1", TASK_PENDING, REASON_WAITS_DEPENDENCY,
		  "waits for db to be completed: 0 of 1 succeeded; it is stopped");
	story_end(&story);
}

static void a_failed_dependency_fails_what_waits_for_its_success(void **state)
{
	(void)state;
	struct story story;
	begin(&story, DEPEND_COMPLETED);
	spec_of(&story, 0)->mode = JOB_REPLICATED_JOB;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_forget(&story);
	story_report(&story, "shop/db.1", TASK_FAILED, REASON_EXIT_NONZERO, "exited with status 1");
	story_tells(&story,
		    "shop/db.1 failed: exit_nonzero: exited with status 1\n"
		    "shop/web.1 failed: dependency_failed: needs db to be completed, but it "
		    "failed: 1 of 1 given up\n"
		    "job shop/db is failed: 1 of 1 given up; db.1 failed: exited with status 1\n"
		    "job shop/web is degraded: 1 of 1 given up; web.1 failed: needs db to be "
		    "completed, but it failed: 1 of 1 given up\n");
	/* Both are restarted: the order holds again. */
	story.succeed = "db";
	assert_int_equal(story_act(&story, REQUEST_RESTART, "shop", NULL), ERR_NONE);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_end(&story);
}

static void an_optional_dependency_that_is_missing_or_failed_is_not_waited_for(void **state)
{
	(void)state;
	struct story story;
	begin(&story, DEPEND_COMPLETED)->optional = true;
	struct depend *missing = story_depends(spec_of(&story, 1), "cache", DEPEND_HEALTHY);
	missing->optional = true;
	spec_of(&story, 0)->mode = JOB_REPLICATED_JOB;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_why(&story, "shop/web.1", TASK_PENDING, REASON_WAITS_DEPENDENCY,
		  "waits for db to be completed: 0 of 1 succeeded");
	story_report(&story, "shop/db.1", TASK_FAILED, REASON_EXIT_NONZERO, "exited with status 1");
	story_why(&story, "shop/web.1", TASK_RUNNING, REASON_RUNNING, "running on alpha");
	story_end(&story);
}

static void several_dependencies_are_all_waited_for(void **state)
{
	(void)state;
	struct story story;
	begin(&story, DEPEND_STARTED);
	story_job(&story, "mq", 1);
	story_depends(spec_of(&story, 1), "mq", DEPEND_HEALTHY);
	story.hold_start = "db mq";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_why(&story, "shop/web.1", TASK_PENDING, REASON_WAITS_DEPENDENCY,
		  "waits for db to be started: 0 of 1 started; waits for mq to be healthy: 0 of 1 "
		  "healthy");
	story_report(&story, "shop/db.1", TASK_RUNNING, REASON_RUNNING, NULL);
	story_why(&story, "shop/web.1", TASK_PENDING, REASON_WAITS_DEPENDENCY,
		  "waits for mq to be healthy: 0 of 1 healthy");
	story_end(&story);
}

static void a_chain_starts_link_by_link(void **state)
{
	(void)state;
	struct story story;
	begin(&story, DEPEND_HEALTHY);
	add_check(spec_of(&story, 1));
	story_depends(story_job(&story, "edge", 1), "web", DEPEND_HEALTHY);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_tells(&story, "job shop/db revision 1 accepted\n"
			    "job shop/web revision 1 accepted\n"
			    "job shop/edge revision 1 accepted\n"
			    "shop/web.1 waits for db to be healthy: 0 of 1 healthy\n"
			    "shop/edge.1 waits for web to be healthy: 0 of 1 healthy\n"
			    "shop/db.1 scheduled on alpha\n"
			    "shop/db.1 running\n"
			    "shop/web.1 scheduled on alpha\n"
			    "job shop/db is running: 1 of 1 ready\n"
			    "shop/web.1 running\n"
			    "shop/edge.1 scheduled on alpha\n"
			    "job shop/web is running: 1 of 1 ready\n"
			    "shop/edge.1 running\n"
			    "job shop/edge is running: 1 of 1 ready\n");
	story_end(&story);
}

static void an_update_of_both_goes_in_the_order_of_the_dependency(void **state)
{
	(void)state;
	struct story story;
	begin(&story, DEPEND_HEALTHY);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story.starting = "db";
	string_set(&spec_of(&story, 0)->image, "db:2");
	string_set(&spec_of(&story, 1)->image, "web:2");
	assert_int_equal(story_apply(&story), ERR_NONE);
	/* The old web goes on serving while the new db is not healthy. */
	assert_int_equal(story_task(&story, "shop/db.1")->desired.revision, 2);
	assert_int_equal(story_task(&story, "shop/web.1")->desired.revision, 1);
	story_stands(
		&story, "shop/web", STANDING_UPDATING,
		"1 of 1 tasks still to be replaced; waits for db to be healthy: 0 of 1 healthy");
	story_health(&story, "shop/db.1", HEALTH_HEALTHY);
	assert_int_equal(story_task(&story, "shop/web.1")->desired.revision, 2);
	story_end(&story);
}

static int64_t restarts_of_web(struct story *story)
{
	return story_task(story, "shop/web.1")->desired.restarts_asked;
}

static void a_dependent_that_asks_for_it_is_restarted_after_its_dependency(void **state)
{
	(void)state;
	struct story story;
	begin(&story, DEPEND_STARTED)->restart = true;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story.starting = "db";
	assert_int_equal(story_act(&story, REQUEST_RESTART, "shop", "db"), ERR_NONE);
	story_effect(&story, "db", EFFECT_RESTARTED);
	story_effect(&story, "web", EFFECT_RESTARTED);
	story_stands(&story, "shop/web", STANDING_RUNNING,
		     "1 of 1 ready; restarts when db has been replaced");
	assert_int_equal(restarts_of_web(&story), 0);
	story_restart(&story);
	story_health(&story, "shop/db.1", HEALTH_HEALTHY);
	assert_int_equal(restarts_of_web(&story), 1);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");

	string_set(&spec_of(&story, 0)->image, "db:2");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_effect(&story, "db", EFFECT_UPDATED);
	story_effect(&story, "web", EFFECT_RESTARTED);
	story_health(&story, "shop/db.1", HEALTH_HEALTHY);
	/* What is on trial is not rolled out yet. */
	assert_int_equal(restarts_of_web(&story), 1);
	story_forget(&story);
	story_pass(&story, LIMIT_UPDATE_MONITOR_MS);
	story_tells(&story, "job shop/web restarts: what it depends on has been replaced\n"
			    "shop/web.1 stopping: restarted\n"
			    "job shop/web is updating: 1 of 1 tasks still to be replaced; web.1 is "
			    "stopping: restarted\n"
			    "shop/web.1 completed: restarted\n"
			    "shop/web.1 scheduled on alpha\n"
			    "job shop/web is pending: 0 of 1 ready; web.1 scheduled: placed on "
			    "alpha\n"
			    "shop/web.1 running\n"
			    "job shop/web is running: 1 of 1 ready\n");
	assert_int_equal(restarts_of_web(&story), 2);
	story_end(&story);
}

/* Nothing of it runs that has seen the dependency as it was. */
static void a_restart_that_is_due_is_forgotten_when_the_dependent_is_stopped(void **state)
{
	(void)state;
	struct story story;
	begin(&story, DEPEND_STARTED)->restart = true;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story.starting = "db";
	assert_int_equal(story_act(&story, REQUEST_RESTART, "shop", "db"), ERR_NONE);
	assert_int_equal(story_act(&story, REQUEST_STOP, "shop", "web"), ERR_NONE);
	assert_int_equal(story_act(&story, REQUEST_RESTART, "shop", "web"), ERR_NONE);
	assert_int_equal(restarts_of_web(&story), 1);
	story_health(&story, "shop/db.1", HEALTH_HEALTHY);
	assert_int_equal(restarts_of_web(&story), 1);
	story_end(&story);
}

static void what_waits_goes_on_waiting_after_the_manager_was_killed(void **state)
{
	(void)state;
	struct story story;
	begin(&story, DEPEND_HEALTHY);
	story.starting = "db";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_restart(&story);
	story_why(&story, "shop/web.1", TASK_PENDING, REASON_WAITS_DEPENDENCY,
		  "waits for db to be healthy: 0 of 1 healthy");
	story_health(&story, "shop/db.1", HEALTH_HEALTHY);
	story_why(&story, "shop/web.1", TASK_RUNNING, REASON_RUNNING, "running on alpha");
	story_end(&story);
}

/* Another apply is another try: nothing of it has begun, and what it waits for is what was mended. */
static void what_waited_in_vain_is_tried_again_with_the_next_apply(void **state)
{
	(void)state;
	struct story story;
	begin(&story, DEPEND_HEALTHY);
	strings_release(&spec_of(&story, 0)->health_check.test);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_why(&story, "shop/web.1", TASK_FAILED, REASON_DEPENDENCY_FAILED,
		  "needs db to be healthy, but it has no health check");
	/* With nothing mended it says so again. */
	story_forget(&story);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_why(&story, "shop/web.1", TASK_FAILED, REASON_DEPENDENCY_FAILED,
		  "needs db to be healthy, but it has no health check");
	add_check(spec_of(&story, 0));
	story.starting = "db";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_why(&story, "shop/web.1", TASK_PENDING, REASON_WAITS_DEPENDENCY,
		  "waits for db to be healthy: 0 of 1 healthy");
	story_health(&story, "shop/db.1", HEALTH_HEALTHY);
	story_why(&story, "shop/web.1", TASK_RUNNING, REASON_RUNNING, "running on alpha");
	/* Once it runs nothing of it is touched. */
	story_forget(&story);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_tells(&story, "");
	story_end(&story);
}

static void what_an_update_made_in_vain_is_tried_again_too(void **state)
{
	(void)state;
	struct story story;
	begin(&story, DEPEND_STARTED);
	spec_of(&story, 1)->replicas = 2;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 1");
	string_set(&spec_of(&story, 1)->image, "other:2");
	spec_of(&story, 1)->depends_on.items[0].condition = DEPEND_HEALTHY;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 60000);
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_FAILED);
	add_check(spec_of(&story, 0));
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 60000);
	story_health(&story, "shop/db.1", HEALTH_HEALTHY);
	story_pass(&story, 60000);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 600000);
	story_stands(&story, "shop/web", STANDING_RUNNING, "2 of 2 ready");
	story_end(&story);
}

static void a_cycle_is_refused(void **state)
{
	(void)state;
	struct story story;
	begin(&story, DEPEND_STARTED);
	story_depends(spec_of(&story, 0), "web", DEPEND_STARTED);
	assert_int_equal(story_apply(&story), ERR_INVALID);
	story_tells(&story, "");
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(service_started_waits_until_every_task_has_started),
		cmocka_unit_test(service_healthy_waits_until_every_task_is_ready),
		cmocka_unit_test(what_has_no_health_check_is_never_healthy),
		cmocka_unit_test(what_has_ended_is_never_healthy),
		cmocka_unit_test(an_update_that_waits_for_what_has_no_health_check_says_so),
		cmocka_unit_test(service_completed_waits_until_every_slot_has_succeeded),
		cmocka_unit_test(a_stop_is_no_success),
		cmocka_unit_test(a_failed_dependency_fails_what_waits_for_its_success),
		cmocka_unit_test(
			an_optional_dependency_that_is_missing_or_failed_is_not_waited_for),
		cmocka_unit_test(several_dependencies_are_all_waited_for),
		cmocka_unit_test(a_chain_starts_link_by_link),
		cmocka_unit_test(an_update_of_both_goes_in_the_order_of_the_dependency),
		cmocka_unit_test(a_dependent_that_asks_for_it_is_restarted_after_its_dependency),
		cmocka_unit_test(a_restart_that_is_due_is_forgotten_when_the_dependent_is_stopped),
		cmocka_unit_test(what_waits_goes_on_waiting_after_the_manager_was_killed),
		cmocka_unit_test(what_waited_in_vain_is_tried_again_with_the_next_apply),
		cmocka_unit_test(what_an_update_made_in_vain_is_tried_again_too),
		cmocka_unit_test(a_cycle_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
