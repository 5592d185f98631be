/* The rows of the state table, as the manager walks them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "manager_story.h"

/* A job "shop/web" of one task; on alpha, which has 8 GB. */
static struct job_spec *begin(struct story *story)
{
	story_begin(story);
	story_join(story, "alpha");
	story_forget(story);
	story_project(story, "shop");
	return story_job(story, "web", 1);
}

static void a_project_goes_in_and_its_tasks_run(void **state)
{
	(void)state;
	struct story story;
	begin(&story)->replicas = 2;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_tells(&story, "job shop/web revision 1 accepted\n"
			    "shop/web.1 scheduled on alpha\n"
			    "shop/web.2 scheduled on alpha\n"
			    "shop/web.1 running\n"
			    "shop/web.2 running\n"
			    "job shop/web is running: 2 of 2 ready\n");
	story_stands(&story, "shop/web", STANDING_RUNNING, "2 of 2 ready");
	story_end(&story);
}

static void pending_becomes_failed_when_the_placement_deadline_passes(void **state)
{
	(void)state;
	struct story story;
	struct job_spec *web = begin(&story);
	web->reservations.memory_bytes = 64LL << 30;
	web->placement_deadline_ms = 30000;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_tells(&story,
		    "job shop/web revision 1 accepted\n"
		    "shop/web.1 waits: no node has 64 GB of memory free: 1 of 1 lacks memory "
		    "(largest has 8 GB free of 8 GB)\n");
	story_pass(&story, 29999);
	story_tells(&story, "");
	story_pass(&story, 1);
	story_tells(&story, "shop/web.1 failed: placement_deadline: not placed within 30s: no node "
			    "has 64 GB of "
			    "memory free: 1 of 1 lacks memory (largest has 8 GB free of 8 GB)\n"
			    "job shop/web is degraded: 1 of 1 given up; web.1 failed: not placed "
			    "within 30s: no "
			    "node has 64 GB of memory free: 1 of 1 lacks memory (largest has 8 GB "
			    "free of 8 GB)\n");
	/* It stays given up, until somebody restarts it. */
	story_pass(&story, 60000);
	story_tells(&story, "");
	story_end(&story);
}

static void pending_becomes_completed_when_it_is_stopped_before_it_started(void **state)
{
	(void)state;
	struct story story;
	begin(&story)->reservations.memory_bytes = 64LL << 30;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_forget(&story);
	assert_int_equal(story_act(&story, REQUEST_STOP, "shop", "web"), ERR_NONE);
	story_effect(&story, "web", EFFECT_STOPPED);
	story_tells(&story, "job shop/web is to stop\n"
			    "shop/web.1 completed: stopped\n"
			    "job shop/web is stopped: no container is left\n");
	story_end(&story);
}

static void scheduled_becomes_failed_when_the_worker_may_not_try_again(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story.hold_start = "web";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_COMMAND_NOT_FOUND,
		     "command \"frob\" not found in image busybox:1");
	story_tells(&story,
		    "job shop/web revision 1 accepted\n"
		    "shop/web.1 scheduled on alpha\n"
		    "shop/web.1 failed: command_not_found: command \"frob\" not found in image "
		    "busybox:1\n"
		    "job shop/web is degraded: 1 of 1 given up; web.1 failed: command \"frob\" "
		    "not found in image busybox:1\n");
	story_end(&story);
}

static void scheduled_becomes_completed_when_it_is_stopped_before_it_started(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story.hold_start = "web";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_forget(&story);
	assert_int_equal(story_act(&story, REQUEST_STOP, "shop", NULL), ERR_NONE);
	story_tells(&story, "job shop/web is to stop\n"
			    "shop/web.1 stopping: stopped\n"
			    "job shop/web is stopped: 1 task is not confirmed gone\n"
			    "shop/web.1 completed: stopped\n");
	story_stands(&story, "shop/web", STANDING_STOPPED, "no container is left");
	story_end(&story);
}

static void running_becomes_scheduled_when_the_worker_starts_it_again(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_forget(&story);
	story_report(&story, "shop/web.1", TASK_SCHEDULED, REASON_RESTARTING,
		     "exited with status 3");
	story_report(&story, "shop/web.1", TASK_RUNNING, REASON_RUNNING, NULL);
	story_tells(&story,
		    "shop/web.1 restarts: restarting: exited with status 3\n"
		    "job shop/web is pending: 0 of 1 ready; web.1 scheduled: exited with status 3\n"
		    "shop/web.1 running\n"
		    "job shop/web is running: 1 of 1 ready\n");
	assert_int_equal(story_task(&story, "shop/web.1")->observed.attempt, 2);
	story_end(&story);
}

static void running_becomes_completed_or_failed_by_its_end(void **state)
{
	(void)state;
	struct story story;
	begin(&story)->replicas = 2;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_forget(&story);
	story_report(&story, "shop/web.1", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	story_tells(&story, "shop/web.1 completed: exit_zero\n");
	story_stands(&story, "shop/web", STANDING_RUNNING, "2 of 2 ready");
	story_report(&story, "shop/web.2", TASK_FAILED, REASON_OOM_KILLED,
		     "killed: used more than its memory limit of 64 MB");
	story_tells(&story,
		    "shop/web.2 failed: out_of_memory: killed: used more than its memory limit of "
		    "64 MB\n"
		    "job shop/web is degraded: 1 of 2 given up; web.2 failed: killed: used more "
		    "than its memory limit of 64 MB\n");
	story_end(&story);
}

static void a_final_state_is_final_whatever_is_reported_later(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_report(&story, "shop/web.1", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	story_forget(&story);
	story_report(&story, "shop/web.1", TASK_RUNNING, REASON_RUNNING, NULL);
	story_tells(&story,
		    "shop/web.1: a report of alpha was refused: a task that is completed does not "
		    "become running\n");
	story_why(&story, "shop/web.1", TASK_COMPLETED, REASON_EXIT_ZERO, "ended with exit code 0");
	story_end(&story);
}

static void a_short_life_is_told_by_its_end_alone(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story.succeed = "web";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_tells(&story, "job shop/web revision 1 accepted\n"
			    "shop/web.1 scheduled on alpha\n"
			    "shop/web.1 completed: exit_zero\n"
			    "job shop/web is completed: 1 of 1 succeeded\n");
	story_end(&story);
}

static void health_makes_a_task_ready(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story.starting = "web";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_stands(&story, "shop/web", STANDING_PENDING,
		     "0 of 1 ready; web.1 running: running on alpha");
	story_forget(&story);
	story_health(&story, "shop/web.1", HEALTH_HEALTHY);
	story_tells(&story, "shop/web.1 healthy\n"
			    "job shop/web is running: 1 of 1 ready\n");
	story_health(&story, "shop/web.1", HEALTH_UNHEALTHY);
	story_tells(&story,
		    "shop/web.1 unhealthy\n"
		    "job shop/web is pending: 0 of 1 ready; web.1 running: running on alpha\n");
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_project_goes_in_and_its_tasks_run),
		cmocka_unit_test(pending_becomes_failed_when_the_placement_deadline_passes),
		cmocka_unit_test(pending_becomes_completed_when_it_is_stopped_before_it_started),
		cmocka_unit_test(scheduled_becomes_failed_when_the_worker_may_not_try_again),
		cmocka_unit_test(scheduled_becomes_completed_when_it_is_stopped_before_it_started),
		cmocka_unit_test(running_becomes_scheduled_when_the_worker_starts_it_again),
		cmocka_unit_test(running_becomes_completed_or_failed_by_its_end),
		cmocka_unit_test(a_final_state_is_final_whatever_is_reported_later),
		cmocka_unit_test(a_short_life_is_told_by_its_end_alone),
		cmocka_unit_test(health_makes_a_task_ready),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
