/* Nodes that fall silent, return, lose Docker; the manager killed and started again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/limits.h"
#include "manager_worker.h"

/* "shop/web" of `replicas` over alpha and beta, running for a while. */
static void begin(struct story *story, int64_t replicas)
{
	story_begin(story);
	story_join(story, "alpha");
	story_join(story, "beta");
	story_project(story, "shop");
	story_job(story, "web", replicas);
	assert_int_equal(story_apply(story), ERR_NONE);
	story_pass(story, 30000);
	story_forget(story);
}

static void a_silent_node_is_down_after_ten_seconds_and_its_tasks_run_elsewhere(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 4);
	story_silence(&story, "alpha");
	story_pass(&story, 9999);
	story_tells(&story, "");
	story_pass(&story, 1);
	story_tells(&story,
		    "node alpha is down: it is silent with 2 tasks\n"
		    "shop/web.1 failed: node_lost: node alpha is silent; the task was started "
		    "again on beta\n"
		    "shop/web.1 scheduled on beta\n"
		    "shop/web.3 failed: node_lost: node alpha is silent; the task was started "
		    "again on beta\n"
		    "shop/web.3 scheduled on beta\n"
		    "job shop/web is pending: 2 of 4 ready; web.1 scheduled: placed on beta\n"
		    "shop/web.1 running\n"
		    "shop/web.3 running\n"
		    "job shop/web is running: 4 of 4 ready\n");
	/* The node returns with containers nobody wants any more: they are stopped. */
	story_return(&story, "alpha");
	story_tells(&story, "session of node alpha closed: the worker has opened a newer session\n"
			    "node alpha is ready\n");
	for (size_t i = 0; i < 4; i++) {
		const struct job_entry *entry =
			cluster_job_named(manager_cluster(story.manager), "shop", "web");
		const struct task *task = entry->tasks.items[i];
		if (task->state == TASK_FAILED)
			assert_true(task->observed.gone);
	}
	story_end(&story);
}

static void lost_is_written_with_the_replacement_or_not_at_all(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_join_with(&story, "beta", 1LL << 30);
	story_project(&story, "shop");
	story_job(&story, "web", 1)->reservations.memory_bytes = 4LL << 30;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 30000);
	story_forget(&story);
	story_silence(&story, "alpha");
	story_pass(&story, 600000);
	/* Nothing can replace it, so nobody says it failed. */
	story_tells(&story, "node alpha is down: it is silent with 1 task\n"
			    "shop/web.1 waits: no node fits: 1 of 2 is down, 1 lacks memory (4 GB "
			    "asked, largest has 1 GB free of 1 GB)\n");
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_RUNNING);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready, 1 unreachable");
	/* It returns with its container: it was never lost. */
	story_return(&story, "alpha");
	story_tells(&story, "session of node alpha closed: the worker has opened a newer session\n"
			    "node alpha is ready\n");
	assert_false(story_task(&story, "shop/web.1")->unreachable);
	/* Room appears while it is silent: then it moves. */
	story_silence(&story, "alpha");
	story_pass(&story, 20000);
	story_forget(&story);
	story_join(&story, "gamma");
	story_tells(&story,
		    "node gamma joined\n"
		    "node gamma is ready\n"
		    "shop/web.1 failed: node_lost: node alpha is silent; the task was started "
		    "again on gamma\n"
		    "shop/web.1 scheduled on gamma\n"
		    "job shop/web is pending: 0 of 1 ready; web.1 scheduled: placed on gamma\n"
		    "shop/web.1 running\n"
		    "job shop/web is running: 1 of 1 ready\n");
	story_end(&story);
}

static void the_success_of_a_silent_node_counts_when_it_returns(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	story_job(&story, "once", 1)->mode = JOB_REPLICATED_JOB;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_silence(&story, "alpha");
	story_report(&story, "shop/once.1", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	story_pass(&story, 60000);
	assert_int_equal(story_task(&story, "shop/once.1")->state, TASK_RUNNING);
	story_return(&story, "alpha");
	story_stands(&story, "shop/once", STANDING_COMPLETED, "1 of 1 succeeded");
	story_end(&story);
}

static void a_stop_on_a_silent_node_is_not_confirmed_until_it_returns(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 1);
	story_silence(&story, "alpha");
	story_pass(&story, 5000);
	story_act(&story, REQUEST_STOP, "shop", "web");
	story_pass(&story, 600000);
	story_stands(&story, "shop/web", STANDING_STOPPED, "1 task is not confirmed gone");
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_RUNNING);
	story_return(&story, "alpha");
	story_stands(&story, "shop/web", STANDING_STOPPED, "no container is left");
	story_end(&story);
}

static void removing_a_job_on_a_silent_node_keeps_it_until_it_returns(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 1);
	story_silence(&story, "alpha");
	story_act(&story, REQUEST_REMOVE, "shop", NULL);
	story_pass(&story, 600000);
	story_stands(&story, "shop/web", STANDING_REMOVING, "1 task is not confirmed gone");
	story_restart(&story);
	story_return(&story, "alpha");
	assert_null(cluster_project(manager_cluster(story.manager), "shop"));
	story_end(&story);
}

static void a_task_that_was_being_updated_on_a_silent_node_is_updated_elsewhere(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 1);
	story.hold_stop = "web";
	string_set(&story.request.jobs.items[0].spec.image, "busybox:2");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_silence(&story, "alpha");
	story_pass(&story, 15000);
	const struct task *task = story_task(&story, "shop/web.1");
	assert_int_equal(task->desired.revision, 2);
	assert_int_equal(task->state, TASK_RUNNING);
	story.hold_stop = NULL;
	story_return(&story, "alpha");
	story_end(&story);
}

static void a_node_whose_docker_is_away_takes_nothing_and_loses_nothing(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 2);
	story_set_runtime(&story, "alpha", false);
	story_pass(&story, 50000);
	assert_int_equal(story_scale(&story, "shop", "web", 4), ERR_NONE);
	story_tells(&story,
		    "node alpha is degraded: Docker does not answer there\n"
		    "job shop/web scaled to 4\n"
		    "shop/web.3 scheduled on beta\n"
		    "shop/web.4 scheduled on beta\n"
		    "job shop/web is pending: 2 of 4 ready; web.3 scheduled: placed on beta\n"
		    "shop/web.3 running\n"
		    "shop/web.4 running\n"
		    "job shop/web is running: 4 of 4 ready\n");
	story_set_runtime(&story, "alpha", true);
	story_tells(&story, "node alpha is ready\n");
	story_end(&story);
}

static void after_a_start_no_node_is_judged_before_the_grace_is_over(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 2);
	story_silence(&story, "alpha");
	story_restart(&story);
	story_forget(&story);
	story_pass(&story, 14999);
	story_tells(&story, "");
	story_pass(&story, 1);
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_RUNNING);
	assert_true(story_count(&story, "shop/web") == 3);
	story_end(&story);
}

static void a_manager_that_is_killed_knows_everything_when_it_returns(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 4);
	story_restart(&story);
	story_tells(&story, "state is read: epoch 2, 1 jobs, 4 tasks, 2 nodes\n"
			    "node alpha is ready\n"
			    "node beta is ready\n");
	story_stands(&story, "shop/web", STANDING_RUNNING, "4 of 4 ready");
	size_t n_changes = story.n_changes;
	story_pass(&story, 60000);
	assert_int_equal(story.n_changes, n_changes);
	story_tells(&story, "");
	story_end(&story);
}

static void a_back_off_survives_the_manager_and_a_clock_that_jumps(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 1);
	story.hold_start = "web";
	story_act(&story, REQUEST_RESTART, "shop", "web");
	for (int i = 0; i < 5; i++) {
		story_report(&story, "shop/web.1", TASK_FAILED, REASON_PULL_FAILED, "no answer");
		if (i < 4)
			story_pass(&story,
				   task_rare(story_task(&story, "shop/web.1"))->not_before_ms -
					   story.wall_ms);
	}
	/* The fifth failure waits 16 s and a little. */
	story_restart(&story);
	story_pass(&story, 15000);
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_PENDING);
	story.wall_ms -= 86400000LL * 3650;
	story_pass(&story, 5000);
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_SCHEDULED);
	/* Set back while the manager is away, the clock makes it wait for minutes, not for years. */
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_PULL_FAILED, "no answer");
	story.wall_ms -= 86400000LL * 3650;
	story_restart(&story);
	story_pass(&story, 360000);
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_SCHEDULED);
	story_end(&story);
}

static void ids_rise_even_when_the_clock_goes_back(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 1);
	struct task_id first = story_task(&story, "shop/web.1")->desired.id;
	story.wall_ms -= 86400000LL * 365;
	story_restart(&story);
	assert_int_equal(story_scale(&story, "shop", "web", 5000), ERR_NONE);
	struct task_id last = first;
	for (int slot = 2; slot <= 5000; slot++) {
		char name[32];
		struct task_id id =
			story_task(&story, text_print(name, sizeof(name), "shop/web.%d", slot))
				->desired.id;
		assert_true(uuid_compare(last.uuid, id.uuid) < 0);
		last = id;
		if (slot == 50)
			slot = 4900;
	}
	story_end(&story);
}

static void nodes_are_numbered_as_they_join_and_know_whose_machine_they_are_on(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_join_local(&story, "beta");
	story_restart(&story);
	story_join(&story, "gamma");
	assert_int_equal(story_node(&story, "alpha")->record.number, 1);
	assert_int_equal(story_node(&story, "beta")->record.number, 2);
	assert_int_equal(story_node(&story, "gamma")->record.number, 3);
	assert_int_equal(story_node(&story, "alpha")->record.role, NODE_WORKER);
	assert_int_equal(story_node(&story, "beta")->record.role, NODE_BOTH);
	/* The manager moves to gamma's machine: each says anew where it is. */
	story_worker(&story, "beta")->local = false;
	story_worker(&story, "gamma")->local = true;
	story_restart(&story);
	assert_int_equal(story_node(&story, "beta")->record.role, NODE_WORKER);
	assert_int_equal(story_node(&story, "gamma")->record.role, NODE_BOTH);
	assert_int_equal(story_node(&story, "gamma")->record.number, 3);
	story_end(&story);
}

static void no_more_nodes_join_than_may(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story.options.nodes_max = 1;
	story_restart(&story);
	story_join(&story, "alpha");
	story_forget(&story);
	story_join(&story, "beta");
	story_tells(&story,
		    "session of a worker closed: the cluster has 1 nodes, and may have no more\n");
	assert_int_equal(manager_cluster(story.manager)->nodes.n, 1);
	story_end(&story);
}

/* It looks at the clock before it reads what has come meanwhile. */
static void a_manager_that_stood_still_reads_before_it_judges(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_join(&story, "beta");
	story_join(&story, "gamma");
	story_pass(&story, LIMIT_START_GRACE_MS);
	story_silence(&story, "gamma");
	story_forget(&story);
	story.now_ms += 3 * LIMIT_NODE_SILENT_MS;
	story_pass(&story, LIMIT_NODE_SILENT_MS - 1);
	story_tells(&story, "");
	story_pass(&story, 1);
	story_tells(&story, "node gamma is down: it is silent with 0 tasks\n");
	story_pass(&story, 10 * LIMIT_NODE_SILENT_MS);
	story_tells(&story, "");
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_silent_node_is_down_after_ten_seconds_and_its_tasks_run_elsewhere),
		cmocka_unit_test(lost_is_written_with_the_replacement_or_not_at_all),
		cmocka_unit_test(the_success_of_a_silent_node_counts_when_it_returns),
		cmocka_unit_test(a_stop_on_a_silent_node_is_not_confirmed_until_it_returns),
		cmocka_unit_test(removing_a_job_on_a_silent_node_keeps_it_until_it_returns),
		cmocka_unit_test(
			a_task_that_was_being_updated_on_a_silent_node_is_updated_elsewhere),
		cmocka_unit_test(a_node_whose_docker_is_away_takes_nothing_and_loses_nothing),
		cmocka_unit_test(after_a_start_no_node_is_judged_before_the_grace_is_over),
		cmocka_unit_test(a_manager_that_is_killed_knows_everything_when_it_returns),
		cmocka_unit_test(a_back_off_survives_the_manager_and_a_clock_that_jumps),
		cmocka_unit_test(ids_rise_even_when_the_clock_goes_back),
		cmocka_unit_test(
			nodes_are_numbered_as_they_join_and_know_whose_machine_they_are_on),
		cmocka_unit_test(no_more_nodes_join_than_may),
		cmocka_unit_test(a_manager_that_stood_still_reads_before_it_judges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
