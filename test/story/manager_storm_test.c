/* Many nodes are lost at once: what is replaced when, and how fast. Docker away for long is a loss too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/limits.h"
#include "manager_worker.h"

/* `n` nodes n1, n2, ... and "shop/web" of `replicas`, running for a while. */
static void join(struct story *story, int n)
{
	story_begin(story);
	for (int i = 1; i <= n; i++) {
		char name[16];
		snprintf(name, sizeof(name), "n%d", i);
		story_join(story, name);
	}
	story_project(story, "shop");
}

static void begin(struct story *story, int n, int64_t replicas)
{
	join(story, n);
	story_job(story, "web", replicas);
	assert_int_equal(story_apply(story), ERR_NONE);
	story_pass(story, 30000);
	story_forget(story);
}

static int64_t unreachable(struct story *story)
{
	const struct job_entry *entry =
		cluster_job_named(manager_cluster(story->manager), "shop", "web");
	int64_t n = 0;
	for (size_t i = 0; i < entry->tasks.n; i++)
		n += entry->tasks.items[i]->unreachable &&
		     !task_is_final(entry->tasks.items[i]->state);
	return n;
}

static void three_of_ten_nodes_are_a_storm_and_replaced_later(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 10, 10);
	story_silence(&story, "n1");
	story_silence(&story, "n2");
	story_silence(&story, "n3");
	story_pass(&story, LIMIT_NODE_SILENT_MS);
	story_tells(
		&story,
		"node n1 is down: it is silent with 1 task\n"
		"3 of 10 nodes were lost or fell silent within 10s: their tasks are not started "
		"elsewhere before another 10s have passed\n"
		"node n2 is down: it is silent with 1 task\n"
		"node n3 is down: it is silent with 1 task\n");
	assert_int_equal(unreachable(&story), 3);
	/* Others are not held up. */
	assert_int_equal(story_scale(&story, "shop", "web", 11), ERR_NONE);
	assert_int_equal(story_task(&story, "shop/web.11")->state, TASK_RUNNING);
	/* One returns in time and keeps its task; the others get as much time again. */
	story_pass(&story, 5000);
	story_return(&story, "n2");
	story_pass(&story, LIMIT_NODE_SILENT_MS - 1);
	assert_int_equal(unreachable(&story), 2);
	story_pass(&story, 1);
	assert_int_equal(unreachable(&story), 0);
	assert_int_equal(story_count(&story, "shop/web"), 13);
	story_end(&story);
}

/* The manager's own network fails: its nodes are lost by when each was heard last, and the first must not be replaced
 * on the next. */
static void a_manager_that_hears_nobody_starts_nothing_anew(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 3, 6);
	story_silence(&story, "n1");
	story_pass(&story, LIMIT_BEAT_MS);
	story_silence(&story, "n2");
	story_silence(&story, "n3");
	story_pass(&story, LIMIT_NODE_SILENT_MS);
	assert_int_equal(unreachable(&story), 6);
	story_pass(&story, 2 * LIMIT_NODE_SILENT_MS);
	story_return(&story, "n1");
	story_return(&story, "n2");
	story_return(&story, "n3");
	story_pass(&story, LIMIT_BEAT_MS);
	assert_int_equal(unreachable(&story), 0);
	assert_int_equal(story_count(&story, "shop/web"), 6);
	story_end(&story);
}

/* The nodes that return after a storm give the others their time; a second storm meanwhile has its own. */
static void a_storm_during_a_hold_is_held_from_its_own_first_node(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 8, 8);
	story_silence(&story, "n1");
	story_silence(&story, "n2");
	story_silence(&story, "n3");
	story_pass(&story, LIMIT_NODE_SILENT_MS + 2000);
	story_silence(&story, "n4");
	story_silence(&story, "n5");
	story_silence(&story, "n6");
	story_pass(&story, 7000);
	story_return(&story, "n1");
	/* The others of the first storm would have until now. */
	story_pass(&story, LIMIT_NODE_SILENT_MS);
	assert_int_equal(unreachable(&story), 5);
	story_pass(&story, 2999);
	assert_int_equal(unreachable(&story), 5);
	story_pass(&story, 1);
	assert_int_equal(unreachable(&story), 0);
	story_end(&story);
}

/* A node that returns when all is done does not hold up what is lost then. */
static void a_storm_is_over_when_its_tasks_run_elsewhere(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 5, 5);
	story_silence(&story, "n1");
	story_silence(&story, "n2");
	story_silence(&story, "n3");
	story_pass(&story, 3 * LIMIT_NODE_SILENT_MS);
	assert_int_equal(unreachable(&story), 0);
	story_silence(&story, "n4");
	story_pass(&story, LIMIT_NODE_SILENT_MS - 1);
	story_return(&story, "n1");
	story_pass(&story, 1);
	assert_int_equal(story_node(&story, "n4")->state, NODE_DOWN);
	assert_int_equal(unreachable(&story), 0);
	story_end(&story);
}

static void two_of_ten_are_no_storm_nor_are_three_one_after_another(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 10, 10);
	story_silence(&story, "n1");
	story_silence(&story, "n2");
	story_pass(&story, LIMIT_NODE_SILENT_MS);
	assert_int_equal(unreachable(&story), 0);
	story_silence(&story, "n3");
	story_pass(&story, LIMIT_NODE_SILENT_MS + 1);
	assert_int_equal(unreachable(&story), 0);
	story_end(&story);
}

static void three_of_fifteen_are_no_storm(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 15, 15);
	story_silence(&story, "n1");
	story_silence(&story, "n2");
	story_silence(&story, "n3");
	story_pass(&story, LIMIT_NODE_SILENT_MS);
	assert_int_equal(unreachable(&story), 0);
	story_end(&story);
}

static void the_operators_word_ends_the_wait_for_a_node(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 4, 4);
	story_silence(&story, "n1");
	story_silence(&story, "n2");
	story_silence(&story, "n3");
	story_pass(&story, LIMIT_NODE_SILENT_MS);
	assert_int_equal(unreachable(&story), 3);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_REMOVE, "n1", true), ERR_NONE);
	assert_int_equal(unreachable(&story), 2);
	/* But not what the return of another means for the third: it may be near. */
	story_pass(&story, 5000);
	story_return(&story, "n2");
	story_pass(&story, LIMIT_NODE_SILENT_MS - 1);
	assert_int_equal(unreachable(&story), 1);
	story_pass(&story, 1);
	assert_int_equal(unreachable(&story), 0);
	story_end(&story);
}

static void lost_tasks_are_replaced_at_a_bounded_rate(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 2, 2 * LIMIT_REPLACE_PER_SECOND + 400);
	story_silence(&story, "n1");
	int64_t all = LIMIT_REPLACE_PER_SECOND + 200;
	story_pass(&story, LIMIT_NODE_SILENT_MS - 1);
	assert_int_equal(unreachable(&story), 0);
	story_pass(&story, 1);
	/* In each tenth of a second a tenth of them. */
	assert_int_equal(unreachable(&story), all - LIMIT_REPLACE_PER_SECOND / 10);
	story_pass(&story, 999);
	assert_int_equal(unreachable(&story), all - LIMIT_REPLACE_PER_SECOND);
	story_pass(&story, 1000);
	assert_int_equal(unreachable(&story), 0);
	story_end(&story);
}

/* What is left can start more at once where there is more of it. */
static void the_rate_grows_with_the_machines_that_are_left(void **state)
{
	(void)state;
	struct story story;
	const int n_nodes = 640, n_lost = 120;
	join(&story, n_nodes);
	story_job(&story, "web", n_nodes);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 30000);
	for (int i = 1; i <= n_lost; i++) {
		char name[16];
		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(story_node(&story, name)->tasks.n, 1);
		story_silence(&story, name);
	}
	story_pass(&story, LIMIT_NODE_SILENT_MS);
	int64_t n_tenth = (n_nodes - n_lost) / 10;
	assert_true(n_tenth > LIMIT_REPLACE_PER_SECOND / 10);
	assert_int_equal(unreachable(&story), n_lost - n_tenth);
	story_pass(&story, 100);
	assert_int_equal(unreachable(&story), n_lost - 2 * n_tenth);
	story_end(&story);
}

static size_t count_placed(struct story *story)
{
	const struct job_entry *entry =
		cluster_job_named(manager_cluster(story->manager), "shop", "web");
	size_t n = 0;
	for (size_t i = 0; i < entry->tasks.n; i++)
		n += entry->tasks.items[i]->state == TASK_RUNNING;
	return n;
}

/* The operator's word ends the wait for them, but not the bound on what starts at once. */
static void what_ran_on_fenced_machines_is_started_at_that_rate_too(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 4, 4 * 400);
	story_silence(&story, "n1");
	story_silence(&story, "n2");
	story_silence(&story, "n3");
	story_pass(&story, LIMIT_NODE_SILENT_MS);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_REMOVE, "n1", true), ERR_NONE);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_REMOVE, "n2", true), ERR_NONE);
	/* In each tenth of a second a tenth of them. */
	size_t n_left = 2 * 400;
	size_t n_tenth = LIMIT_REPLACE_PER_SECOND / 10;
	assert_int_equal(count_placed(&story), 1600 - n_left + n_tenth);
	story_pass(&story, 99);
	assert_int_equal(count_placed(&story), 1600 - n_left + n_tenth);
	story_pass(&story, 1);
	assert_int_equal(count_placed(&story), 1600 - n_left + 2 * n_tenth);
	/* Others are not held up. */
	assert_int_equal(story_scale(&story, "shop", "web", 1601), ERR_NONE);
	assert_int_equal(story_task(&story, "shop/web.1601")->state, TASK_RUNNING);
	story_pass(&story, 799);
	assert_int_equal(count_placed(&story), 1601 - n_left + LIMIT_REPLACE_PER_SECOND - n_tenth);
	/* Nor does a restart of the manager let them all go. */
	story_restart(&story);
	story_run(&story);
	assert_in_range(count_placed(&story), 0, 1601 - n_left + LIMIT_REPLACE_PER_SECOND);
	story_pass(&story, 1000);
	assert_int_equal(count_placed(&story), 1601);
	/* Nobody has said so of the third. */
	assert_int_equal(unreachable(&story), 0);
	story_end(&story);
}

/* Who is held for the rate alone does not wait for the end of a storm's hold, also when it is asked first. */
static void the_rate_of_fenced_machines_is_not_the_hold_of_others(void **state)
{
	(void)state;
	struct story story;
	int64_t n_tenth = LIMIT_REPLACE_PER_SECOND / 10;
	begin(&story, 1, 0);
	story_project(&story, "shop");
	story_job(&story, "web", 2 * n_tenth)->priority = 60;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_join(&story, "n2");
	story_join(&story, "n3");
	story_join(&story, "n4");
	story_job(&story, "other", 6);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 30000);
	story_silence(&story, "n1");
	story_silence(&story, "n2");
	story_silence(&story, "n3");
	story_pass(&story, LIMIT_NODE_SILENT_MS);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_REMOVE, "n1", true), ERR_NONE);
	assert_int_equal(count_placed(&story), n_tenth);
	story_pass(&story, 100);
	assert_int_equal(count_placed(&story), 2 * n_tenth);
	assert_true(story_task(&story, "shop/other.1")->unreachable);
	story_end(&story);
}

static void docker_away_for_long_is_a_loss_and_no_failure(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 2, 2);
	story_set_runtime(&story, "n1", false);
	story_pass(&story, LIMIT_RUNTIME_GRACE_MS - 1);
	story_tells(&story, "node n1 is degraded: Docker does not answer there\n");
	assert_int_equal(unreachable(&story), 0);
	story_pass(&story, 1);
	story_tells(&story,
		    "node n1 is degraded: Docker has not answered there for 1m, with 1 task\n"
		    "shop/web.1 failed: node_lost: Docker on node n1 does not answer; the task was "
		    "started again on n2\n"
		    "shop/web.1 scheduled on n2\n"
		    "job shop/web is pending: 1 of 2 ready; web.1 scheduled: placed on n2\n"
		    "shop/web.1 running\n"
		    "job shop/web is running: 2 of 2 ready\n");
	/* What runs there all the same is stopped once Docker answers. */
	story_set_runtime(&story, "n1", true);
	story_pass(&story, 1000);
	const struct node_columns *columns = &manager_cluster(story.manager)->columns;
	assert_int_equal(columns->tasks[story_node(&story, "n1")->index], 0);
	story_end(&story);
}

static void a_task_that_nothing_can_replace_waits_for_docker_to_return(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 1, 1);
	story_set_runtime(&story, "n1", false);
	story_pass(&story, 10 * LIMIT_RUNTIME_GRACE_MS);
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_RUNNING);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready, 1 unreachable");
	/* It falls silent and returns without Docker: the wait begins anew. */
	story_silence(&story, "n1");
	story_pass(&story, 30000);
	assert_int_equal(story_node(&story, "n1")->state, NODE_DOWN);
	story_return(&story, "n1");
	assert_int_equal(story_node(&story, "n1")->state, NODE_DEGRADED);
	assert_int_equal(unreachable(&story), 0);
	story_pass(&story, LIMIT_RUNTIME_GRACE_MS);
	assert_int_equal(unreachable(&story), 1);
	story_set_runtime(&story, "n1", true);
	assert_int_equal(unreachable(&story), 0);
	assert_int_equal(story_count(&story, "shop/web"), 1);
	story_end(&story);
}

static void a_node_not_heard_of_since_the_start_is_said_to_be_so(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 1, 1);
	story_silence(&story, "n1");
	story_restart(&story);
	story_scale(&story, "shop", "web", 2);
	story_why(&story, "shop/web.2", TASK_PENDING, REASON_NO_NODE_FITS,
		  "no node is ready: 1 of 1 has not been heard of yet");
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_of_ten_nodes_are_a_storm_and_replaced_later),
		cmocka_unit_test(a_manager_that_hears_nobody_starts_nothing_anew),
		cmocka_unit_test(a_storm_during_a_hold_is_held_from_its_own_first_node),
		cmocka_unit_test(a_storm_is_over_when_its_tasks_run_elsewhere),
		cmocka_unit_test(two_of_ten_are_no_storm_nor_are_three_one_after_another),
		cmocka_unit_test(three_of_fifteen_are_no_storm),
		cmocka_unit_test(the_operators_word_ends_the_wait_for_a_node),
		cmocka_unit_test(the_rate_grows_with_the_machines_that_are_left),
		cmocka_unit_test(lost_tasks_are_replaced_at_a_bounded_rate),
		cmocka_unit_test(what_ran_on_fenced_machines_is_started_at_that_rate_too),
		cmocka_unit_test(the_rate_of_fenced_machines_is_not_the_hold_of_others),
		cmocka_unit_test(docker_away_for_long_is_a_loss_and_no_failure),
		cmocka_unit_test(a_task_that_nothing_can_replace_waits_for_docker_to_return),
		cmocka_unit_test(a_node_not_heard_of_since_the_start_is_said_to_be_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
