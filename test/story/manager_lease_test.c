/* Leases: a task of a job with on_disconnect: stop is started elsewhere only when its container must have ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "manager_story.h"

/* Lease 60 s, stop grace 10 s, margin 30 s and a quarter of both. */
#define WAIT_MS (60000 + 10000 + 30000 + 17500)

/* "shop/web" over alpha and beta; its one task on alpha. */
static void begin(struct story *story)
{
	story_begin(story);
	story_join(story, "alpha");
	story_join(story, "beta");
	story_project(story, "shop");
	story_job(story, "web", 1)->on_disconnect = ON_DISCONNECT_STOP;
	assert_int_equal(story_apply(story), ERR_NONE);
	story_pass(story, 30000);
	story_forget(story);
}

static void it_is_started_elsewhere_when_its_container_must_have_ended(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_silence(&story, "alpha");
	story_pass(&story, 10000);
	story_tells(&story,
		    "node alpha is down: it is silent with 1 task\n"
		    "shop/web.1 waits: on_disconnect is stop: it is started elsewhere when nothing "
		    "was heard of alpha for 1m57.5s (its lease 1m, stop grace 10s, margin "
		    "47.5s)\n");
	story_pass(&story, WAIT_MS - 10000 - 2001);
	story_tells(&story, "");
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_RUNNING);
	story_pass(&story, 2001);
	story_tells(&story,
		    "shop/web.1 failed: node_lost: node alpha is silent; the task was started "
		    "again on beta\n"
		    "shop/web.1 scheduled on beta\n"
		    "job shop/web is pending: 0 of 1 ready; web.1 scheduled: placed on beta\n"
		    "shop/web.1 running\n"
		    "job shop/web is running: 1 of 1 ready\n");
	story_end(&story);
}

static void a_node_that_returns_in_time_keeps_it(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_silence(&story, "alpha");
	story_pass(&story, WAIT_MS - 3000);
	story_return(&story, "alpha");
	story_pass(&story, 10 * WAIT_MS);
	assert_int_equal(story_count(&story, "shop/web"), 1);
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_RUNNING);
	/* Silent again: the wait begins anew. */
	story_silence(&story, "alpha");
	story_pass(&story, WAIT_MS - 3000);
	assert_int_equal(story_count(&story, "shop/web"), 1);
	story_pass(&story, 3000);
	assert_int_equal(story_count(&story, "shop/web"), 2);
	story_end(&story);
}

static void after_a_start_a_whole_wait_begins(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_silence(&story, "alpha");
	story_pass(&story, WAIT_MS - 5000);
	story_restart(&story);
	story_pass(&story, WAIT_MS - 1);
	assert_int_equal(story_count(&story, "shop/web"), 1);
	story_pass(&story, 1);
	assert_int_equal(story_count(&story, "shop/web"), 2);
	story_end(&story);
}

static void a_worker_that_stopped_it_reports_so_and_it_starts_elsewhere_at_once(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_LEASE_LAPSED,
		     "the manager has not answered for 1m, and its lease is over");
	story_run(&story);
	const struct task *task = story_task(&story, "shop/web.1");
	assert_int_equal(task->state, TASK_RUNNING);
	assert_int_equal(task_rare(task)->attempts_before, 0);
	assert_int_equal(task_rare(task)->start_failures, 0);
	assert_int_equal(story_count(&story, "shop/web"), 2);
	story_end(&story);
}

static void while_docker_was_silent_at_last_no_time_is_enough(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_set_runtime(&story, "alpha", false);
	story_silence(&story, "alpha");
	story_pass(&story, 100 * WAIT_MS);
	assert_int_equal(story_count(&story, "shop/web"), 1);
	story_tells(&story,
		    "node alpha is degraded: Docker does not answer there\n"
		    "node alpha is down: it is silent with 1 task\n"
		    "shop/web.1 waits: on_disconnect is stop, and Docker on alpha did not answer "
		    "when alpha was last heard, so the container may run on: it waits for alpha, "
		    "or for drover node rm --fenced alpha\n");
	story_return(&story, "alpha");
	story_set_runtime(&story, "alpha", true);
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_RUNNING);
	assert_int_equal(story_count(&story, "shop/web"), 1);
	story_end(&story);
}

static void that_docker_was_silent_at_last_survives_a_restart(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_set_runtime(&story, "alpha", false);
	story_silence(&story, "alpha");
	story_pass(&story, WAIT_MS);
	story_restart(&story);
	story_pass(&story, 100 * WAIT_MS);
	assert_int_equal(story_count(&story, "shop/web"), 1);
	struct text told;
	text_init(&told, 1000);
	assert_true(manager_task_waits(story.manager, story_task(&story, "shop/web.1"), &told));
	assert_string_equal(text_string(&told),
			    "on_disconnect is stop, and Docker on alpha did not answer when alpha "
			    "was last heard, so the container may run on: it waits for alpha, or "
			    "for drover node rm --fenced alpha");
	text_release(&told);
	/* Once Docker has answered, time counts again, over a restart too. */
	story_return(&story, "alpha");
	story_set_runtime(&story, "alpha", true);
	assert_false(story_node(&story, "alpha")->record.docker_silent);
	story_silence(&story, "alpha");
	story_restart(&story);
	story_pass(&story, WAIT_MS);
	assert_int_equal(story_count(&story, "shop/web"), 2);
	story_end(&story);
}

static void a_silent_docker_is_recorded_only_for_leases_and_once(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	story_job(&story, "web", 1);
	assert_int_equal(story_apply(&story), ERR_NONE);
	size_t changes = story.n_changes;
	story_set_runtime(&story, "alpha", false);
	story_pass(&story, 100000);
	story_set_runtime(&story, "alpha", true);
	assert_int_equal(story.n_changes, changes);
	story.request.jobs.items[0].spec.on_disconnect = ON_DISCONNECT_STOP;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 10000); /* the update ends */
	changes = story.n_changes;
	story_set_runtime(&story, "alpha", false);
	story_pass(&story, 100000);
	assert_int_equal(story.n_changes, changes + 1);
	story_set_runtime(&story, "alpha", true);
	story_pass(&story, 100000);
	assert_int_equal(story.n_changes, changes + 2);
	story_end(&story);
}

static void the_lease_is_that_of_the_tasks_own_revision(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story.hold_stop = "web";
	/* The new revision keeps; the container that runs was promised to be the only one. */
	story.request.jobs.items[0].spec.on_disconnect = ON_DISCONNECT_KEEP;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_silence(&story, "alpha");
	story_pass(&story, WAIT_MS - 2001);
	assert_int_equal(story_count(&story, "shop/web"), 1);
	story_pass(&story, 2001);
	assert_int_equal(story_count(&story, "shop/web"), 2);
	story.hold_stop = NULL;
	story_return(&story, "alpha");
	story_end(&story);
}

static void it_says_what_it_waits_for(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	struct text told;
	text_init(&told, 1000);
	assert_false(manager_task_waits(story.manager, story_task(&story, "shop/web.1"), &told));
	story_silence(&story, "alpha");
	story_pass(&story, 20000);
	assert_true(manager_task_waits(story.manager, story_task(&story, "shop/web.1"), &told));
	assert_string_equal(text_string(&told),
			    "on_disconnect is stop: it is started elsewhere when nothing was heard "
			    "of alpha for 1m57.5s (its lease 1m, stop grace 10s, margin "
			    "47.5s)");
	/* The lease is over, and there is no room. */
	story_silence(&story, "beta");
	story_pass(&story, WAIT_MS);
	text_clear(&told);
	assert_true(manager_task_waits(story.manager, story_task(&story, "shop/web.1"), &told));
	assert_string_equal(text_string(&told),
			    "it is not started elsewhere: no node is ready: 2 of 2 are down");
	text_release(&told);
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_started_elsewhere_when_its_container_must_have_ended),
		cmocka_unit_test(a_node_that_returns_in_time_keeps_it),
		cmocka_unit_test(after_a_start_a_whole_wait_begins),
		cmocka_unit_test(
			a_worker_that_stopped_it_reports_so_and_it_starts_elsewhere_at_once),
		cmocka_unit_test(while_docker_was_silent_at_last_no_time_is_enough),
		cmocka_unit_test(that_docker_was_silent_at_last_survives_a_restart),
		cmocka_unit_test(a_silent_docker_is_recorded_only_for_leases_and_once),
		cmocka_unit_test(the_lease_is_that_of_the_tasks_own_revision),
		cmocka_unit_test(it_says_what_it_waits_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
