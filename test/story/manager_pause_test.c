/* While an update is paused: what it has not come to stays at its revision, whatever happens to its tasks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "manager_rollout.h"

/* "shop/web" of three on alpha and beta; its update has failed in slot 1, and goes no further. */
static void pause_in(struct story *story, int order)
{
	rollout_begin(story, 3);
	story_join(story, "beta");
	rollout_spec(story)->update.order = order;
	story->hold_start = "web";
	rollout_update(story, "busybox:broken");
	story_report(story, "shop/web.1", TASK_FAILED, REASON_EXIT_NONZERO, "exited with status 1");
	story->hold_start = NULL;
	story_pass(story, 60000);
	assert_int_equal(rollout_outcome(story, 2), OUTCOME_PAUSED);
	assert_string_equal(rollout_message(story, 2), "1 of 3 failed: web.1 exited with status 1");
	story_forget(story);
}

static void revisions_are(struct story *story, int64_t one, int64_t two, int64_t three)
{
	assert_int_equal(rollout_revision(story, "shop/web.1"), one);
	assert_int_equal(rollout_revision(story, "shop/web.2"), two);
	assert_int_equal(rollout_revision(story, "shop/web.3"), three);
}

static void a_drain_keeps_the_revision(void **state)
{
	(void)state;
	for (int order = UPDATE_STOP_FIRST; order <= UPDATE_START_FIRST; order++) {
		struct story story;
		pause_in(&story, order);
		assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false),
				 ERR_NONE);
		story_pass(&story, 600000);
		revisions_are(&story, order == UPDATE_STOP_FIRST ? 2 : 1, 1, 1);
		assert_int_equal(rollout_running(&story), order == UPDATE_STOP_FIRST ? 2 : 3);
		assert_int_equal(rollout_outcome(&story, 2), OUTCOME_PAUSED);
		story_restart(&story);
		story_pass(&story, 600000);
		assert_int_equal(rollout_running(&story), order == UPDATE_STOP_FIRST ? 2 : 3);
		/* The next revision takes over all of them. */
		rollout_update(&story, "busybox:3");
		story_pass(&story, 120000);
		revisions_are(&story, 3, 3, 3);
		assert_int_equal(rollout_outcome(&story, 2), OUTCOME_SUPERSEDED);
		assert_int_equal(rollout_outcome(&story, 3), OUTCOME_DONE);
		story_end(&story);
	}
}

static void a_lost_machine_keeps_the_revision(void **state)
{
	(void)state;
	for (int order = UPDATE_STOP_FIRST; order <= UPDATE_START_FIRST; order++) {
		struct story story;
		pause_in(&story, order);
		story_silence(&story, "alpha");
		story_pass(&story, 120000);
		revisions_are(&story, order == UPDATE_STOP_FIRST ? 2 : 1, 1, 1);
		assert_int_equal(rollout_outcome(&story, 2), OUTCOME_PAUSED);
		story_return(&story, "alpha");
		story_pass(&story, 120000);
		assert_int_equal(rollout_running(&story), order == UPDATE_STOP_FIRST ? 2 : 3);
		assert_int_equal(rollout_back(&story, 0), ERR_NONE);
		story_pass(&story, 120000);
		revisions_are(&story, 1, 1, 1);
		assert_int_equal(rollout_running(&story), 3);
		assert_int_equal(rollout_outcome(&story, 1), OUTCOME_DONE);
		story_end(&story);
	}
}

static void a_restart_of_docker_keeps_the_revision(void **state)
{
	(void)state;
	for (int order = UPDATE_STOP_FIRST; order <= UPDATE_START_FIRST; order++) {
		struct story story;
		pause_in(&story, order);
		story_report(&story, "shop/web.3", TASK_FAILED, REASON_INTERRUPTED, "restarted");
		if (order == UPDATE_START_FIRST)
			story_report(&story, "shop/web.1", TASK_FAILED, REASON_INTERRUPTED,
				     "restarted");
		story_pass(&story, 1000);
		revisions_are(&story, order == UPDATE_STOP_FIRST ? 2 : 1, 1, 1);
		assert_int_equal(rollout_running(&story), order == UPDATE_STOP_FIRST ? 2 : 3);
		story_end(&story);
	}
}

/* The restart policy rules it as before the update, and so does its user's word. */
static void what_is_kept_is_not_begun_again_and_again(void **state)
{
	(void)state;
	for (int stopped = 0; stopped < 2; stopped++) {
		struct story story;
		pause_in(&story, UPDATE_STOP_FIRST);
		size_t n = story_count(&story, "shop/web");
		if (stopped)
			assert_int_equal(story_act_task(&story, REQUEST_STOP, "shop/web.3"),
					 ERR_NONE);
		else
			story_report(&story, "shop/web.3", TASK_FAILED, REASON_EXIT_NONZERO,
				     "exited with status 2");
		story_pass(&story, 600000);
		assert_int_equal(story_count(&story, "shop/web"), n);
		assert_int_equal(rollout_running(&story), 1);
		/* Restarted, all are of the present revision. */
		assert_int_equal(story_act(&story, REQUEST_RESTART, "shop", "web"), ERR_NONE);
		story_pass(&story, 120000);
		revisions_are(&story, 2, 2, 2);
		assert_int_equal(rollout_running(&story), 3);
		assert_int_equal(rollout_outcome(&story, 2), OUTCOME_DONE);
		story_end(&story);
	}
}

static void a_drain_that_is_called_off_changes_nothing(void **state)
{
	(void)state;
	struct story story;
	pause_in(&story, UPDATE_START_FIRST);
	struct task_id old = story_task(&story, "shop/web.3")->desired.id;
	story.starting = "web";
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false), ERR_NONE);
	story_pass(&story, 1000);
	revisions_are(&story, 1, 1, 1);
	assert_int_equal(rollout_running(&story), 6);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_RESUME, "alpha", false), ERR_NONE);
	story_pass(&story, 1000);
	assert_int_equal(rollout_running(&story), 3);
	assert_true(uuid_equal(story_task(&story, "shop/web.3")->desired.id.uuid, old.uuid));
	assert_int_equal(rollout_outcome(&story, 2), OUTCOME_PAUSED);
	story_end(&story);
}

/* The one that failed is history, like any other that has ended, and can be read for as long. */
static void what_failed_beside_the_old_task_is_kept_as_history(void **state)
{
	(void)state;
	struct story story;
	pause_in(&story, UPDATE_START_FIRST);
	const struct task *failed = NULL;
	const struct job_entry *entry = rollout_job(&story, "web");
	for (size_t i = 0; i < entry->tasks.n; i++)
		if (entry->tasks.items[i]->desired.revision == 2)
			failed = entry->tasks.items[i];
	assert_non_null(failed);
	struct task_id id = failed->desired.id;
	assert_int_equal(failed->state, TASK_FAILED);
	assert_int_equal(failed->desired.stop_reason, REASON_WITHDRAWN);
	assert_false(failed->observed.removed);
	assert_int_equal(rollout_back(&story, 0), ERR_NONE);
	story_pass(&story, 60000);
	revisions_are(&story, 1, 1, 1);
	assert_false(cluster_task(manager_cluster(story.manager), id)->observed.removed);
	/* Nobody can restart history. */
	struct manager_request again = { .kind = REQUEST_RESTART, .task = id };
	assert_int_equal(story_ask(&story, &again), ERR_CONFLICT);
	for (int i = 0; i <= LIMIT_HISTORY_PER_SLOT; i++) {
		assert_non_null(cluster_task(manager_cluster(story.manager), id));
		assert_int_equal(story_act_task(&story, REQUEST_RESTART, "shop/web.1"), ERR_NONE);
		story_pass(&story, 1000);
	}
	assert_null(cluster_task(manager_cluster(story.manager), id));
	story_end(&story);
}

/* A roll-back while the new task runs beside the old one: that one is stopped, and stays as history. */
static void what_is_taken_back_while_it_runs_is_history_too(void **state)
{
	(void)state;
	struct story story;
	rollout_begin(&story, 1);
	rollout_spec(&story)->update.order = UPDATE_START_FIRST;
	story.starting = "web";
	rollout_update(&story, "busybox:2");
	struct task_id new = story_task(&story, "shop/web.1")->desired.id;
	assert_int_equal(rollout_back(&story, 0), ERR_NONE);
	story_pass(&story, 60000);
	const struct task *task = cluster_task(manager_cluster(story.manager), new);
	assert_non_null(task);
	assert_int_equal(task->state, TASK_COMPLETED);
	assert_int_equal(task->reason, REASON_WITHDRAWN);
	assert_false(task->observed.removed);
	/* It stays that when the job is stopped, and goes with it. */
	assert_int_equal(story_act(&story, REQUEST_STOP, "shop", "web"), ERR_NONE);
	assert_int_equal(task->desired.stop_reason, REASON_WITHDRAWN);
	assert_int_equal(story_act(&story, REQUEST_REMOVE, "shop", "web"), ERR_NONE);
	assert_null(rollout_job(&story, "web"));
	story_end(&story);
}

/* What may fail is said anew, in place, and it goes on. */
static void it_goes_on_when_more_may_fail(void **state)
{
	(void)state;
	struct story story;
	pause_in(&story, UPDATE_STOP_FIRST);
	rollout_spec(&story)->update.max_failure_ppm = 400000;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 120000);
	revisions_are(&story, 2, 2, 2);
	assert_int_equal(rollout_outcome(&story, 2), OUTCOME_DONE);
	story_end(&story);
}

/* What is new to the job has no revision to stay at. */
static void new_slots_are_of_the_present_revision(void **state)
{
	(void)state;
	struct story story;
	pause_in(&story, UPDATE_STOP_FIRST);
	assert_int_equal(story_scale(&story, "shop", "web", 4), ERR_NONE);
	story_pass(&story, 60000);
	revisions_are(&story, 2, 1, 1);
	assert_int_equal(rollout_revision(&story, "shop/web.4"), 2);
	assert_int_equal(rollout_outcome(&story, 2), OUTCOME_PAUSED);
	story_end(&story);
}

/* What is kept serves, but is not what the one that waits was asked to follow. */
static void what_is_kept_opens_no_gate(void **state)
{
	(void)state;
	struct story story;
	pause_in(&story, UPDATE_START_FIRST);
	story_depends(story_job(&story, "api", 1), "web", DEPEND_STARTED);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 60000);
	story_why(&story, "shop/api.1", TASK_PENDING, REASON_WAITS_DEPENDENCY,
		  "waits for web to be started: 0 of 3 started; its update is paused");
	string_set(&rollout_spec(&story)->image, "busybox:3");
	story.hold_start = NULL;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 10 * 60000);
	assert_int_equal(story_task(&story, "shop/api.1")->state, TASK_RUNNING);
	story_end(&story);
}

/* The revision that is gone back to is the good one: a way back that is paused keeps nobody from it. */
static void a_way_back_keeps_nobody(void **state)
{
	(void)state;
	struct story story;
	rollout_begin(&story, 3);
	story_join(&story, "beta");
	rollout_update(&story, "busybox:2");
	story_pass(&story, 60000);
	story.hold_start = "web";
	assert_int_equal(rollout_back(&story, 1), ERR_NONE);
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 1");
	story.hold_start = NULL;
	story_pass(&story, 60000);
	assert_int_equal(rollout_outcome(&story, 1), OUTCOME_PAUSED);
	revisions_are(&story, 1, 2, 2);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false), ERR_NONE);
	story_pass(&story, 600000);
	revisions_are(&story, 1, 1, 1);
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_drain_keeps_the_revision),
		cmocka_unit_test(a_lost_machine_keeps_the_revision),
		cmocka_unit_test(a_restart_of_docker_keeps_the_revision),
		cmocka_unit_test(what_is_kept_is_not_begun_again_and_again),
		cmocka_unit_test(a_drain_that_is_called_off_changes_nothing),
		cmocka_unit_test(what_failed_beside_the_old_task_is_kept_as_history),
		cmocka_unit_test(what_is_taken_back_while_it_runs_is_history_too),
		cmocka_unit_test(it_goes_on_when_more_may_fail),
		cmocka_unit_test(new_slots_are_of_the_present_revision),
		cmocka_unit_test(what_is_kept_opens_no_gate),
		cmocka_unit_test(a_way_back_keeps_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
