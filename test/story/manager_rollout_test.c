/* How an update goes: its pace, its order, and what counts as a failure of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "manager_rollout.h"

static void an_update_is_done_once_the_last_task_has_stood_its_trial(void **state)
{
	(void)state;
	struct story story;
	rollout_begin(&story, 2);
	rollout_update(&story, "busybox:2");
	assert_int_equal(rollout_revision(&story, "shop/web.2"), 2);
	story_pass(&story, MONITOR_MS - 1000);
	assert_int_equal(rollout_outcome(&story, 2), OUTCOME_ROLLING);
	story_pass(&story, 2000);
	assert_int_equal(rollout_outcome(&story, 2), OUTCOME_DONE);
	assert_null(rollout_message(&story, 2));
	assert_int_equal(story_task(&story, "shop/web.1")->desired.trial, TRIAL_PASSED);
	story_restart(&story);
	assert_int_equal(rollout_outcome(&story, 2), OUTCOME_DONE);
	/* What fails from now on is no failure of the update. */
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 1");
	assert_int_equal(rollout_outcome(&story, 2), OUTCOME_DONE);
	story_end(&story);
}

static void as_many_slots_are_replaced_at_a_time_as_the_policy_says(void **state)
{
	(void)state;
	static const int64_t parallelism[] = { 0, 2, UPDATE_ALL };
	static const size_t at_once[] = { 1, 2, 5 };
	for (size_t i = 0; i < ARRAY_LEN(parallelism); i++) {
		struct story story;
		rollout_begin(&story, 5);
		rollout_spec(&story)->update.parallelism = parallelism[i];
		story.hold_start = "web";
		rollout_update(&story, "busybox:2");
		story_pass(&story, 60000);
		assert_int_equal(rollout_running(&story), 5 - at_once[i]);
		story_restart(&story);
		story_pass(&story, 60000);
		assert_int_equal(rollout_running(&story), 5 - at_once[i]);
		story.hold_start = NULL;
		story_pass(&story, 60000);
		assert_int_equal(rollout_running(&story), 5);
		assert_int_equal(rollout_outcome(&story, 2), OUTCOME_DONE);
		story_end(&story);
	}
}

static void the_next_slot_waits_for_the_delay(void **state)
{
	(void)state;
	struct story story;
	rollout_begin(&story, 3);
	rollout_spec(&story)->update.delay_ms = 30000;
	rollout_update(&story, "busybox:2");
	assert_int_equal(rollout_revision(&story, "shop/web.1"), 2);
	story_pass(&story, 29000);
	assert_int_equal(rollout_revision(&story, "shop/web.2"), 1);
	story_pass(&story, 2000);
	assert_int_equal(rollout_revision(&story, "shop/web.2"), 2);
	/* After a restart of the manager the delay begins anew: it is never cut short. */
	story_pass(&story, 20000);
	story_restart(&story);
	story_pass(&story, 29000);
	assert_int_equal(rollout_revision(&story, "shop/web.3"), 1);
	story_pass(&story, 2000 + LIMIT_BEAT_MS);
	assert_int_equal(rollout_revision(&story, "shop/web.3"), 2);
	story_end(&story);
}

static void start_first_stops_the_old_task_when_the_new_one_is_ready(void **state)
{
	(void)state;
	struct story story;
	rollout_begin(&story, 2);
	rollout_spec(&story)->update.order = UPDATE_START_FIRST;
	story.starting = "web";
	rollout_update(&story, "busybox:2");
	story_tells(&story, "job shop/web revision 2 accepted\n"
			    "shop/web.1 scheduled on alpha\n"
			    "job shop/web is updating: 2 of 2 tasks still to be replaced; web.1 "
			    "scheduled: placed on alpha\n"
			    "shop/web.1 running\n");
	story_restart(&story);
	story_pass(&story, 60000);
	assert_int_equal(rollout_running(&story), 3);
	story_forget(&story);
	story_health(&story, "shop/web.1", HEALTH_HEALTHY);
	story_tells(&story, "shop/web.1 healthy\n"
			    "shop/web.1 stopping: updated\n"
			    "shop/web.2 scheduled on alpha\n"
			    "shop/web.1 completed: updated\n"
			    "shop/web.2 running\n");
	story_health(&story, "shop/web.2", HEALTH_HEALTHY);
	story_pass(&story, 60000);
	assert_int_equal(rollout_running(&story), 2);
	assert_int_equal(rollout_outcome(&story, 2), OUTCOME_DONE);
	story_end(&story);
}

/* The one before it has ended, and what is left of it may run: a third would be one too many. */
static void start_first_waits_until_the_one_before_is_gone(void **state)
{
	(void)state;
	for (int lost = 0; lost <= 1; lost++) {
		struct story story;
		rollout_begin(&story, 1);
		rollout_spec(&story)->update.order = UPDATE_START_FIRST;
		story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false);
		story_join(&story, "beta");
		story.linger = "web";
		rollout_update(&story, "busybox:2");
		assert_int_equal(rollout_revision(&story, "shop/web.1"), 2);
		assert_int_equal(rollout_running(&story), 1);
		rollout_update(&story, "busybox:3");
		story_pass(&story, 5000);
		assert_int_equal(rollout_revision(&story, "shop/web.1"), 2);
		assert_int_equal(rollout_running(&story), 1);
		/* It is waited for, but not for a machine that is lost. */
		if (lost)
			story_silence(&story, "alpha");
		story.linger = NULL;
		story_pass(&story, 10 * 60000);
		assert_int_equal(rollout_revision(&story, "shop/web.1"), 3);
		assert_int_equal(rollout_running(&story), 1);
		assert_int_equal(rollout_outcome(&story, 3), OUTCOME_DONE);
		story_end(&story);
	}
}

static void start_first_keeps_the_old_task_for_as_long_as_the_new_one_fails(void **state)
{
	(void)state;
	struct story story;
	rollout_begin(&story, 2);
	rollout_spec(&story)->update.order = UPDATE_START_FIRST;
	story.hold_start = "web";
	rollout_update(&story, "busybox:broken");
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 1");
	story_pass(&story, 3600000);
	assert_int_equal(rollout_running(&story), 2);
	story_stands(&story, "shop/web", STANDING_DEGRADED,
		     "the update is paused with 2 of 2 tasks still to be replaced; 1 of 2 failed: "
		     "web.1 exited with status 1");
	/* The next revision takes over, beside the same old task. */
	story.hold_start = NULL;
	rollout_update(&story, "busybox:3");
	story_pass(&story, 60000);
	assert_int_equal(rollout_running(&story), 2);
	assert_int_equal(rollout_outcome(&story, 2), OUTCOME_SUPERSEDED);
	assert_int_equal(rollout_outcome(&story, 3), OUTCOME_DONE);
	story_end(&story);
}

static void start_first_tells_the_start_that_failed_and_not_the_old_task(void **state)
{
	(void)state;
	struct story story;
	rollout_begin(&story, 2);
	rollout_spec(&story)->update.order = UPDATE_START_FIRST;
	story.hold_start = "web";
	rollout_update(&story, "busybox:nowhere");
	for (int i = 1; i <= 2; i++) {
		char sentence[128];
		story_report(&story, "shop/web.1", TASK_FAILED, REASON_PULL_FAILED,
			     "cannot pull image busybox:nowhere");
		story_why(&story, "shop/web.1", TASK_PENDING, REASON_WAITS_BACKOFF,
			  text_print(sentence, sizeof(sentence),
				     "%d start%s in a row failed, the last one: cannot pull "
				     "image busybox:nowhere",
				     i, i == 1 ? "" : "s"));
		story_pass(&story, 3000);
	}
	assert_int_equal(rollout_running(&story), 2);
	story_end(&story);
}

static void what_comes_no_further_has_failed_after_the_deadline(void **state)
{
	(void)state;
	struct story story;
	rollout_begin(&story, 2);
	rollout_spec(&story)->update.order = UPDATE_START_FIRST;
	rollout_spec(&story)->update_deadline_ms = 90000;
	rollout_spec(&story)->reservations.memory_bytes = 64LL << 30;
	rollout_update(&story, "busybox:2");
	story_pass(&story, 80000);
	assert_int_equal(story_task(&story, "shop/web.1")->desired.trial, TRIAL_OPEN);
	story_pass(&story, 20000);
	assert_int_equal(story_task(&story, "shop/web.1")->desired.trial, TRIAL_FAILED);
	assert_int_equal(rollout_running(&story), 2);
	story_stands(&story, "shop/web", STANDING_DEGRADED,
		     "the update is paused with 2 of 2 tasks still to be replaced; 1 of 2 failed; "
		     "web.1 pending: no node has 64 GB of memory free: 1 of 1 lacks memory "
		     "(largest has 8 GB free of 8 GB)");
	story_end(&story);
}

static void a_restart_within_the_monitor_is_a_failure_and_a_later_one_is_none(void **state)
{
	(void)state;
	for (int late = 0; late < 2; late++) {
		struct story story;
		rollout_begin(&story, 2);
		rollout_spec(&story)->update.delay_ms = 60000;
		rollout_update(&story, "busybox:2");
		story_pass(&story, late ? MONITOR_MS + 1000 : MONITOR_MS - 1000);
		story.resume = true;
		story_report(&story, "shop/web.1", TASK_SCHEDULED, REASON_RESTARTING,
			     "exited with status 1");
		story_pass(&story, 120000);
		assert_int_equal(story_task(&story, "shop/web.1")->desired.trial,
				 late ? TRIAL_PASSED : TRIAL_FAILED);
		assert_int_equal(rollout_revision(&story, "shop/web.2"), late ? 2 : 1);
		/* What was found stays found. */
		story_restart(&story);
		story_pass(&story, 120000);
		assert_int_equal(rollout_revision(&story, "shop/web.2"), late ? 2 : 1);
		story_end(&story);
	}
}

static void machines_and_users_are_no_failures(void **state)
{
	(void)state;
	struct story story;
	rollout_begin(&story, 2);
	story_join(&story, "beta");
	rollout_spec(&story)->update.failure_action = UPDATE_ROLLBACK;
	rollout_spec(&story)->update.delay_ms = 60000;
	rollout_update(&story, "busybox:2");
	/* Its Docker restarts, its node is drained, the next one is lost. */
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_INTERRUPTED, "Docker restarted");
	story_pass(&story, 1000);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false), ERR_NONE);
	story_pass(&story, 1000);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_RESUME, "alpha", false), ERR_NONE);
	story_silence(&story, "beta");
	story_pass(&story, 60000);
	story_return(&story, "beta");
	story_pass(&story, 600000);
	assert_int_equal(rollout_revision(&story, "shop/web.1"), 2);
	assert_int_equal(rollout_revision(&story, "shop/web.2"), 2);
	assert_int_equal(rollout_outcome(&story, 2), OUTCOME_DONE);
	story_end(&story);
}

static void some_may_fail(void **state)
{
	(void)state;
	struct story story;
	rollout_begin(&story, 4);
	rollout_spec(&story)->update.max_failure_ppm = 250000;
	rollout_spec(&story)->restart.condition = RESTART_NONE;
	story.hold_start = "web";
	rollout_update(&story, "busybox:2");
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 1");
	story.hold_start = NULL;
	story_pass(&story, 60000);
	/* One of four is as many as may; it was given up, so the update cannot end well. */
	assert_int_equal(rollout_running(&story), 3);
	assert_int_equal(rollout_revision(&story, "shop/web.4"), 2);
	assert_int_equal(rollout_outcome(&story, 2), OUTCOME_DONE);
	assert_string_equal(rollout_message(&story, 2),
			    "1 of 4 failed: web.1 exited with status 1");
	story_end(&story);
}

static void continue_goes_on_whatever_fails(void **state)
{
	(void)state;
	struct story story;
	rollout_begin(&story, 2);
	rollout_spec(&story)->update.failure_action = UPDATE_CONTINUE;
	story.hold_start = "web";
	rollout_update(&story, "busybox:2");
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 1");
	story_report(&story, "shop/web.2", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 1");
	assert_int_equal(rollout_outcome(&story, 2), OUTCOME_DONE);
	assert_string_equal(rollout_message(&story, 2),
			    "2 of 2 failed: web.1 exited with status 1");
	story_end(&story);
}

static void goes_on_in_vain(int failure_action, int64_t max_failure_ppm)
{
	struct story story;
	rollout_begin(&story, 2);
	rollout_spec(&story)->update.failure_action = failure_action;
	rollout_spec(&story)->update.max_failure_ppm = max_failure_ppm;
	rollout_spec(&story)->update.order = UPDATE_START_FIRST;
	story.hold_start = "web";
	rollout_update(&story, "busybox:2");
	story_pass(&story, 601000);
	story_stands(&story, "shop/web", STANDING_UPDATING,
		     "2 of 2 tasks still to be replaced; web.1 scheduled: placed on alpha");
	story_pass(&story, 601000);
	assert_int_equal(rollout_outcome(&story, 2), OUTCOME_DONE);
	story_stands(&story, "shop/web", STANDING_DEGRADED,
		     "2 of 2 tasks still to be replaced; 2 of 2 failed; web.1 scheduled: placed on "
		     "alpha");
	/* One that comes round takes the place of its old task. */
	story.hold_start = NULL;
	story_pass(&story, 60000);
	story_stands(&story, "shop/web", STANDING_RUNNING, "2 of 2 ready");
	story_end(&story);
}

static void an_update_that_went_on_in_vain_has_ended(void **state)
{
	(void)state;
	goes_on_in_vain(UPDATE_CONTINUE, 0);
	/* It was not to stop for so many, and is not paused. */
	goes_on_in_vain(UPDATE_PAUSE, 1000000);
}

/* Nothing serves, and nobody waits for it any more. */
static void so_has_one_that_stopped_the_old_ones_first(void **state)
{
	(void)state;
	struct story story;
	rollout_begin(&story, 2);
	rollout_spec(&story)->update.failure_action = UPDATE_CONTINUE;
	story.hold_start = "web";
	rollout_update(&story, "busybox:2");
	story_pass(&story, 1210000);
	assert_int_equal(rollout_outcome(&story, 2), OUTCOME_DONE);
	story_stands(&story, "shop/web", STANDING_DEGRADED,
		     "2 of 2 failed; web.1 scheduled: placed on alpha");
	story.hold_start = NULL;
	story_pass(&story, 60000);
	story_stands(&story, "shop/web", STANDING_RUNNING, "2 of 2 ready");
	story_end(&story);
}

static void an_update_that_failed_and_came_round_ends(void **state)
{
	(void)state;
	struct story story;
	rollout_begin(&story, 1);
	rollout_update(&story, "busybox:2");
	story.resume = true;
	story_report(&story, "shop/web.1", TASK_SCHEDULED, REASON_RESTARTING,
		     "exited with status 1");
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_RUNNING);
	story_stands(&story, "shop/web", STANDING_DEGRADED,
		     "the update has failed; 1 of 1 failed: web.1 was restarted 1 time");
	story_pass(&story, MONITOR_MS + 1000);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	assert_int_equal(rollout_outcome(&story, 2), OUTCOME_DONE);
	story_end(&story);
}

static void global_jobs_are_rolled_out_machine_by_machine(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_join(&story, "beta");
	story_join(&story, "gamma");
	story_project(&story, "shop");
	story_job(&story, "web", 1)->mode = JOB_GLOBAL;
	rollout_spec(&story)->update.order = UPDATE_START_FIRST;
	rollout_spec(&story)->update.failure_action = UPDATE_ROLLBACK;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story.starting = "web";
	rollout_update(&story, "busybox:2");
	story_pass(&story, 60000);
	assert_int_equal(rollout_running(&story), 4);
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_UNHEALTHY, "unhealthy");
	story.starting = NULL;
	story_pass(&story, 60000);
	assert_int_equal(rollout_running(&story), 3);
	assert_int_equal(rollout_job(&story, "web")->job.revision, 1);
	assert_int_equal(rollout_outcome(&story, 1), OUTCOME_DONE);
	story_end(&story);
}

static void a_service_that_is_meant_to_end_passes_by_succeeding(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	story_job(&story, "web", 2)->restart.condition = RESTART_NONE;
	rollout_spec(&story)->update.failure_action = UPDATE_ROLLBACK;
	story.succeed = "web";
	assert_int_equal(story_apply(&story), ERR_NONE);
	rollout_update(&story, "busybox:2");
	story_pass(&story, 60000);
	assert_int_equal(rollout_job(&story, "web")->job.revision, 2);
	assert_int_equal(rollout_outcome(&story, 2), OUTCOME_DONE);
	story_stands(&story, "shop/web", STANDING_COMPLETED, "2 of 2 succeeded");
	story_end(&story);
}

static void a_task_that_its_user_stops_holds_nothing_up(void **state)
{
	(void)state;
	for (int passed = 0; passed < 2; passed++) {
		struct story story;
		rollout_begin(&story, 2);
		rollout_spec(&story)->update.delay_ms = 20000;
		rollout_update(&story, "busybox:2");
		story_pass(&story, passed ? MONITOR_MS + 1000 : 1000);
		assert_int_equal(story_act_task(&story, REQUEST_STOP, "shop/web.1"), ERR_NONE);
		story_pass(&story, 120000);
		assert_int_equal(rollout_revision(&story, "shop/web.2"), 2);
		assert_int_equal(rollout_outcome(&story, 2), OUTCOME_DONE);
		story_end(&story);
	}
}

static void nothing_passes_on_what_was_stored(void **state)
{
	(void)state;
	struct story story;
	rollout_begin(&story, 2);
	story_join(&story, "beta");
	rollout_spec(&story)->update.monitor_ms = 10000;
	rollout_spec(&story)->update.delay_ms = 10000;
	rollout_update(&story, "busybox:2");
	story_pass(&story, 1000);
	story_silence(&story, "alpha");
	story_silence(&story, "beta");
	story_restart(&story);
	/* Nobody has been heard since the start. */
	story_pass(&story, 30000);
	assert_int_equal(story_task(&story, "shop/web.1")->desired.trial, TRIAL_OPEN);
	assert_int_equal(rollout_revision(&story, "shop/web.2"), 1);
	story_return(&story, "alpha");
	story_return(&story, "beta");
	story_pass(&story, 60000);
	assert_int_equal(rollout_outcome(&story, 2), OUTCOME_DONE);
	story_end(&story);
}

/* Whoever follows the events learns when the update is over, though the job has been running before that. */
static void the_end_of_an_update_is_told(void **state)
{
	(void)state;
	struct story story;
	rollout_begin(&story, 1);
	rollout_update(&story, "busybox:2");
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	const struct manager_happening *told = NULL;
	for (int i = 0; i < 2 * MONITOR_MS && !told; i++) {
		story_pass(&story, 1);
		for (size_t k = 0; k < story.out.n_happenings; k++)
			if (strcmp(story.out.happenings[k].state, "rolled_out") == 0)
				told = &story.out.happenings[k];
	}
	assert_non_null(told);
	assert_string_equal(told->kind, "job");
	assert_string_equal(told->subject, "shop/web");
	story_end(&story);
}

/* While an update starts the new task first, the old ones serve, and are counted. */
static void old_tasks_that_serve_are_counted_as_ready(void **state)
{
	(void)state;
	struct story story;
	struct job_status status;
	rollout_begin(&story, 3);
	story.starting = "web";
	rollout_spec(&story)->update.order = UPDATE_START_FIRST;
	rollout_update(&story, "busybox:2");
	manager_job_status(story.manager,
			   cluster_job_named(manager_cluster(story.manager), "shop", "web"),
			   &status);
	assert_int_equal(status.standing, STANDING_UPDATING);
	assert_int_equal(status.running, 0);
	assert_int_equal(status.ready, 3);
	base_free(status.message);
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_update_is_done_once_the_last_task_has_stood_its_trial),
		cmocka_unit_test(as_many_slots_are_replaced_at_a_time_as_the_policy_says),
		cmocka_unit_test(the_next_slot_waits_for_the_delay),
		cmocka_unit_test(start_first_stops_the_old_task_when_the_new_one_is_ready),
		cmocka_unit_test(start_first_waits_until_the_one_before_is_gone),
		cmocka_unit_test(start_first_keeps_the_old_task_for_as_long_as_the_new_one_fails),
		cmocka_unit_test(start_first_tells_the_start_that_failed_and_not_the_old_task),
		cmocka_unit_test(what_comes_no_further_has_failed_after_the_deadline),
		cmocka_unit_test(a_restart_within_the_monitor_is_a_failure_and_a_later_one_is_none),
		cmocka_unit_test(machines_and_users_are_no_failures),
		cmocka_unit_test(some_may_fail),
		cmocka_unit_test(continue_goes_on_whatever_fails),
		cmocka_unit_test(an_update_that_went_on_in_vain_has_ended),
		cmocka_unit_test(so_has_one_that_stopped_the_old_ones_first),
		cmocka_unit_test(an_update_that_failed_and_came_round_ends),
		cmocka_unit_test(global_jobs_are_rolled_out_machine_by_machine),
		cmocka_unit_test(a_service_that_is_meant_to_end_passes_by_succeeding),
		cmocka_unit_test(a_task_that_its_user_stops_holds_nothing_up),
		cmocka_unit_test(nothing_passes_on_what_was_stored),
		cmocka_unit_test(the_end_of_an_update_is_told),
		cmocka_unit_test(old_tasks_that_serve_are_counted_as_ready),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
