/* Drain: tasks leave a node, their successor first where the job allows it; resume calls off what is not done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "job/spec.h"
#include "manager_worker.h"

/* "shop/web" of one task on alpha, and a free beta. */
static struct job_spec *begin(struct story *story)
{
	story_begin(story);
	story_join(story, "alpha");
	story_project(story, "shop");
	return story_job(story, "web", 1);
}

static void run_on_alpha(struct story *story)
{
	assert_int_equal(story_apply(story), ERR_NONE);
	story_join(story, "beta");
	story_pass(story, 30000);
	story_forget(story);
}

/* How many tasks of the slot still count on their nodes. */
static size_t count_present(struct story *story, const char *name)
{
	const struct node_columns *columns = &manager_cluster(story->manager)->columns;
	return (size_t)columns->tasks[story_node(story, name)->index];
}

static void a_drained_node_keeps_its_tasks_until_others_are_ready(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	run_on_alpha(&story);
	story.starting = "web";
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false), ERR_NONE);
	assert_string_equal(story.reply->answer.node_name, "alpha");
	story_tells(&story, "node alpha is to be drained\n"
			    "shop/web.1 scheduled on beta\n"
			    "shop/web.1 running\n");
	/* The new one is not healthy yet: the old one serves, and the job runs. */
	assert_int_equal(story_node(&story, "alpha")->state, NODE_DRAINING);
	assert_int_equal(count_present(&story, "alpha"), 1);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	/* A restart of the manager forgets nothing of it. */
	story_restart(&story);
	story_forget(&story);
	story_health(&story, "shop/web.1", HEALTH_HEALTHY);
	story_tells(&story, "shop/web.1 healthy\n"
			    "shop/web.1 stopping: drained\n"
			    "shop/web.1 completed: drained\n");
	assert_int_equal(count_present(&story, "alpha"), 0);
	assert_int_equal(count_present(&story, "beta"), 1);
	/* It takes nothing new. */
	assert_int_equal(story_scale(&story, "shop", "web", 3), ERR_NONE);
	assert_int_equal(count_present(&story, "alpha"), 0);
	story_forget(&story);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_RESUME, "alpha", false), ERR_NONE);
	story_tells(&story, "node alpha is to take tasks again\n");
	assert_int_equal(story_node(&story, "alpha")->state, NODE_READY);
	story_end(&story);
}

/* Beside what may be left of the one before, which has ended, there is room for no third. */
static void a_task_moves_once_the_one_before_it_is_gone(void **state)
{
	(void)state;
	for (int lost = 0; lost <= 1; lost++) {
		struct story story;
		begin(&story);
		run_on_alpha(&story);
		story.linger = "web";
		assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false),
				 ERR_NONE);
		story_join(&story, "gamma");
		assert_int_equal(count_present(&story, "beta"), 1);
		assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "beta", false),
				 ERR_NONE);
		story_pass(&story, 5000);
		assert_int_equal(count_present(&story, "alpha"), 1);
		assert_int_equal(count_present(&story, "beta"), 1);
		assert_int_equal(count_present(&story, "gamma"), 0);
		if (lost)
			story_silence(&story, "alpha");
		story.linger = NULL;
		story_pass(&story, 10 * 60000);
		assert_int_equal(count_present(&story, "beta"), 0);
		assert_int_equal(count_present(&story, "gamma"), 1);
		assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_RUNNING);
		story_end(&story);
	}
}

/* What it took over from was asked to stop, and its machine does not say that it has. */
static void what_has_taken_over_from_a_lost_machine_is_drained_too(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	run_on_alpha(&story);
	story.hold_stop = "web";
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false), ERR_NONE);
	assert_int_equal(count_present(&story, "beta"), 1);
	story_silence(&story, "alpha");
	story_join(&story, "gamma");
	story_pass(&story, 10 * 60000);
	story.hold_stop = NULL;
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "beta", false), ERR_NONE);
	story_pass(&story, 10 * 60000);
	assert_int_equal(count_present(&story, "beta"), 0);
	assert_int_equal(count_present(&story, "gamma"), 1);
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_RUNNING);
	story_return(&story, "alpha");
	story_pass(&story, 60000);
	assert_int_equal(count_present(&story, "alpha"), 0);
	story_end(&story);
}

/* Its own machine is to be drained, too, by the time it is ready and the one before is given up. */
static void what_takes_over_on_a_machine_that_drains_by_then_moves_on(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	run_on_alpha(&story);
	story.hold_start = "web";
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false), ERR_NONE);
	assert_int_equal(count_present(&story, "beta"), 1);
	story_silence(&story, "alpha");
	story_pass(&story, 15000);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "beta", false), ERR_NONE);
	story_join(&story, "gamma");
	story.hold_start = NULL;
	story_report(&story, "shop/web.1", TASK_RUNNING, REASON_RUNNING, NULL);
	story_pass(&story, 60000);
	assert_int_equal(count_present(&story, "beta"), 0);
	assert_int_equal(count_present(&story, "gamma"), 1);
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_RUNNING);
	story_end(&story);
}

static void a_task_with_a_fixed_port_is_stopped_before_it_starts_elsewhere(void **state)
{
	(void)state;
	struct story story;
	struct job_spec *spec = begin(&story);
	struct port *port = list_add(&spec->ports, sizeof(*port));
	record_init(&port_type, port);
	port->host_first = port->host_last = 8080;
	port->container_port = 80;
	run_on_alpha(&story);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false), ERR_NONE);
	story_tells(&story, "node alpha is to be drained\n"
			    "shop/web.1 stopping: drained\n"
			    "job shop/web is pending: 0 of 1 ready; web.1 is stopping: drained\n"
			    "shop/web.1 completed: drained\n"
			    "shop/web.1 scheduled on beta\n"
			    "shop/web.1 running\n"
			    "job shop/web is running: 1 of 1 ready\n");
	story_end(&story);
}

static void a_run_to_completion_is_stopped_and_runs_again_elsewhere(void **state)
{
	(void)state;
	struct story story;
	begin(&story)->mode = JOB_REPLICATED_JOB;
	run_on_alpha(&story);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false), ERR_NONE);
	story_tells(&story, "node alpha is to be drained\n"
			    "shop/web.1 stopping: drained\n"
			    "job shop/web is pending: 0 of 1 ready; web.1 is stopping: drained\n"
			    "shop/web.1 completed: drained\n"
			    "shop/web.1 scheduled on beta\n"
			    "shop/web.1 running\n"
			    "job shop/web is running: 1 of 1 ready\n");
	story_end(&story);
}

static void a_pinned_task_is_stopped_and_waits_for_its_node(void **state)
{
	(void)state;
	struct story story;
	struct job_spec *spec = begin(&story);
	story_mount(&story, spec, "db");
	run_on_alpha(&story);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false), ERR_NONE);
	assert_int_equal(count_present(&story, "alpha"), 0);
	story_why(
		&story, "shop/web.1", TASK_PENDING, REASON_WAITS_VOLUME,
		"volume shop_db lives on alpha, which is draining: `drover node resume alpha` lets "
		"it run there");
	assert_int_equal(story_act_node(&story, REQUEST_NODE_RESUME, "alpha", false), ERR_NONE);
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_RUNNING);
	assert_int_equal(count_present(&story, "alpha"), 1);
	story_end(&story);
}

static void a_project_with_a_shared_network_moves_as_a_whole(void **state)
{
	(void)state;
	struct story story;
	struct job_spec *web = begin(&story);
	struct job_spec *api = NULL;
	struct network_use *attached = list_add(&web->networks, sizeof(*attached));
	record_init(&network_use_type, attached);
	string_set(&attached->network, "front");
	api = story_job(&story, "api", 1);
	attached = list_add(&api->networks, sizeof(*attached));
	record_init(&network_use_type, attached);
	string_set(&attached->network, "front");
	struct network_spec *network = list_add(&story.request.networks, sizeof(*network));
	record_init(&network_spec_type, network);
	string_set(&network->key, "front");
	run_on_alpha(&story);
	assert_int_equal(count_present(&story, "alpha"), 2);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false), ERR_NONE);
	assert_int_equal(count_present(&story, "alpha"), 0);
	assert_int_equal(count_present(&story, "beta"), 2);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_end(&story);
}

static void resume_calls_off_moves_that_are_not_done(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	run_on_alpha(&story);
	struct task_id old = story_task(&story, "shop/web.1")->desired.id;
	story.starting = "web";
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false), ERR_NONE);
	assert_int_equal(count_present(&story, "beta"), 1);
	story_forget(&story);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_RESUME, "alpha", false), ERR_NONE);
	story_tells(&story, "node alpha is to take tasks again\n"
			    "shop/web.1 stays on alpha: the move is called off\n"
			    "shop/web.1 completed: withdrawn\n");
	assert_int_equal(count_present(&story, "alpha"), 1);
	assert_int_equal(count_present(&story, "beta"), 0);
	assert_true(uuid_equal(story_task(&story, "shop/web.1")->desired.id.uuid, old.uuid));
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_end(&story);
}

static void what_finds_no_other_node_is_stopped_after_a_while_and_waits(void **state)
{
	(void)state;
	struct story story;
	begin(&story)->reservations.memory_bytes = 6LL << 30;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_join_with(&story, "beta", 1LL << 30);
	story_pass(&story, 30000);
	story_forget(&story);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false), ERR_NONE);
	story_pass(&story, LIMIT_MOVE_PATIENCE_MS - 1);
	assert_int_equal(count_present(&story, "alpha"), 1);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_pass(&story, 5001);
	story_tells(
		&story,
		"node alpha is to be drained\n"
		"shop/web.1 waits: no node fits: 1 of 2 is draining, 1 lacks memory (6 GB asked, "
		"largest has 1 GB free of 1 GB)\n"
		"shop/web.1 stopping: drained\n"
		"job shop/web is pending: 0 of 1 ready; web.1 pending: no node fits: 1 of 2 is "
		"draining, 1 lacks memory (6 GB asked, largest has 1 GB free of 1 GB)\n"
		"shop/web.1 completed: drained\n");
	assert_int_equal(count_present(&story, "alpha"), 0);
	/* Room appears, and the task that waits takes it. */
	story_join(&story, "gamma");
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_end(&story);
}

static void a_successor_that_cannot_start_is_followed_by_another(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	run_on_alpha(&story);
	story_join(&story, "gamma");
	story.hold_start = "web";
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false), ERR_NONE);
	struct node_id first = story_task(&story, "shop/web.1")->desired.node;
	story_forget(&story);
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_PULL_FAILED, "no answer");
	story.hold_start = NULL;
	/* The old one serves on, and the other node is tried. */
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	assert_int_equal(count_present(&story, "alpha"), 1);
	story_pass(&story, 2000);
	struct node_id second = story_task(&story, "shop/web.1")->desired.node;
	assert_false(uuid_equal(first.uuid, second.uuid));
	assert_int_equal(count_present(&story, "alpha"), 0);
	story_end(&story);
}

static void a_node_that_dies_while_it_drains_loses_what_has_moved(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	run_on_alpha(&story);
	story.hold_start = "web";
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false), ERR_NONE);
	story_silence(&story, "alpha");
	story_pass(&story, 15000);
	/* Unknown is not failed. */
	story_forget(&story);
	story.hold_start = NULL;
	story_report(&story, "shop/web.1", TASK_RUNNING, REASON_RUNNING, NULL);
	story_tells(&story, "shop/web.1 running\n"
			    "shop/web.1 failed: node_lost: node alpha is silent; the task has "
			    "moved to beta\n");
	/* When it returns, its container is stopped. */
	story_return(&story, "alpha");
	assert_int_equal(count_present(&story, "alpha"), 0);
	story_end(&story);
}

static void a_successor_whose_node_dies_has_another(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	run_on_alpha(&story);
	story.hold_start = "web";
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false), ERR_NONE);
	story_join(&story, "gamma");
	story_silence(&story, "beta");
	story.hold_start = NULL;
	story_pass(&story, 15000);
	assert_int_equal(count_present(&story, "alpha"), 0);
	assert_int_equal(count_present(&story, "gamma"), 1);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_return(&story, "beta");
	assert_int_equal(count_present(&story, "beta"), 0);
	story_end(&story);
}

static void an_update_during_a_move_brings_the_new_revision_first(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	run_on_alpha(&story);
	story.starting = "web";
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false), ERR_NONE);
	string_set(&story.request.jobs.items[0].spec.image, "busybox:2");
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(story_task(&story, "shop/web.1")->desired.revision, 2);
	assert_int_equal(count_present(&story, "alpha"), 1);
	story.starting = NULL;
	story_health(&story, "shop/web.1", HEALTH_HEALTHY);
	assert_int_equal(count_present(&story, "alpha"), 0);
	assert_int_equal(count_present(&story, "beta"), 1);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_end(&story);
}

static void what_users_end_during_a_move_ends_on_both_nodes(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct story story;
		begin(&story);
		run_on_alpha(&story);
		story.starting = "web";
		story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false);
		assert_int_equal(count_present(&story, "alpha"), 1);
		assert_int_equal(count_present(&story, "beta"), 1);
		const struct job_entry *entry =
			cluster_job_named(manager_cluster(story.manager), "shop", "web");
		struct manager_request request = { .kind = REQUEST_STOP,
						   .task = entry->tasks.items[0]->desired.id };
		if (i == 0)
			assert_int_equal(story_act_task(&story, REQUEST_STOP, "shop/web.1"), 0);
		else if (i == 1)
			assert_int_equal(story_ask(&story, &request), 0);
		else if (i == 2)
			assert_int_equal(story_scale(&story, "shop", "web", 0), 0);
		else
			assert_int_equal(story_act(&story, REQUEST_REMOVE, "shop", NULL), 0);
		story_pass(&story, 60000);
		assert_int_equal(count_present(&story, "alpha"), 0);
		assert_int_equal(count_present(&story, "beta"), 0);
		story_end(&story);
	}
}

static void a_slot_that_is_scaled_back_runs_though_the_old_task_has_not_ended(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	run_on_alpha(&story);
	story.starting = "web";
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false), ERR_NONE);
	story_silence(&story, "alpha");
	story.hold_remove = "web";
	assert_int_equal(story_scale(&story, "shop", "web", 0), ERR_NONE);
	story.starting = NULL;
	assert_int_equal(story_scale(&story, "shop", "web", 1), ERR_NONE);
	const struct task *task = story_task(&story, "shop/web.1");
	assert_int_equal(task->state, TASK_RUNNING);
	assert_int_equal(task->desired.wanted, TASK_WANT_RUN);
	/* The old one is still known as the one it replaces, and ends when its machine is back. */
	assert_int_equal(count_present(&story, "alpha"), 1);
	story_return(&story, "alpha");
	assert_int_equal(count_present(&story, "alpha"), 0);
	assert_int_equal(count_present(&story, "beta"), 1);
	story_end(&story);
}

static void drain_and_resume_over_and_over_leave_one_task(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	run_on_alpha(&story);
	story.hold_start = "web";
	story.hold_remove = "web";
	for (int i = 0; i < 5; i++) {
		story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false);
		story_restart(&story);
		story_act_node(&story, REQUEST_NODE_RESUME, "alpha", false);
	}
	story.hold_start = NULL;
	story.hold_remove = NULL;
	story_pass(&story, 5000);
	assert_int_equal(count_present(&story, "alpha"), 1);
	assert_int_equal(count_present(&story, "beta"), 0);
	story_end(&story);
}

static void a_drain_is_told_from_a_silence(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	run_on_alpha(&story);
	story_silence(&story, "beta");
	story_pass(&story, 15000);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "beta", false), ERR_NONE);
	assert_int_equal(story_node(&story, "beta")->state, NODE_DOWN);
	story_forget(&story);
	story_return(&story, "beta");
	story_tells(&story, "session of node beta closed: the worker has opened a newer session\n"
			    "node beta is draining\n");
	/* Asked again, nothing happens. */
	size_t n_changes = story.n_changes;
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "beta", false), ERR_NONE);
	assert_int_equal(story.n_changes, n_changes);
	story_end(&story);
}

/* A drain always ends: the old task is stopped when the one to follow it comes no further. */
static void what_comes_no_further_is_not_waited_for(void **state)
{
	(void)state;
	static const int64_t patience_ms = LIMIT_MOVE_STEP_MS;
	for (int how = 0; how < 3; how++) {
		struct story story;
		struct job_spec *web = begin(&story);
		run_on_alpha(&story);
		if (how == 0) {
			/* Its revision waits for a job that is never healthy. */
			story.starting = "db";
			story_job(&story, "db", 1);
			web = &story.request.jobs.items[0].spec;
			string_set(&web->image, "busybox:2");
			story_depends(web, "db", DEPEND_HEALTHY);
			assert_int_equal(story_apply(&story), ERR_NONE);
		} else if (how == 1) {
			story.starting = "web";
		} else {
			story.hold_start = "web";
		}
		assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false),
				 ERR_NONE);
		if (how == 2)
			story_report(&story, "shop/web.1", TASK_FAILED, REASON_EXIT_NONZERO,
				     "exit 1");
		story.hold_start = NULL;
		story_pass(&story, patience_ms - 1);
		assert_int_equal(count_present(&story, "alpha"), 1);
		story_forget(&story);
		story_pass(&story, 60 * 1000);
		assert_int_equal(count_present(&story, "alpha"), 0);
		assert_non_null(strstr(text_string(&story.told),
				       ": the one to follow it has come no further for 10m"));
		story_end(&story);
	}
}

/* What was well before it was moved is not lost with the machine that is drained. */
static void a_successor_that_was_given_up_does_not_cost_the_service(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	run_on_alpha(&story);
	story.hold_start = "web";
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false), ERR_NONE);
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_EXIT_NONZERO, "exit 1");
	story.hold_start = NULL;
	story_join(&story, "gamma");
	story_silence(&story, "alpha");
	story_pass(&story, 60 * 1000);
	assert_int_equal(count_present(&story, "beta") + count_present(&story, "gamma"), 1);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_drained_node_keeps_its_tasks_until_others_are_ready),
		cmocka_unit_test(a_task_moves_once_the_one_before_it_is_gone),
		cmocka_unit_test(what_has_taken_over_from_a_lost_machine_is_drained_too),
		cmocka_unit_test(what_takes_over_on_a_machine_that_drains_by_then_moves_on),
		cmocka_unit_test(a_task_with_a_fixed_port_is_stopped_before_it_starts_elsewhere),
		cmocka_unit_test(a_run_to_completion_is_stopped_and_runs_again_elsewhere),
		cmocka_unit_test(a_pinned_task_is_stopped_and_waits_for_its_node),
		cmocka_unit_test(a_project_with_a_shared_network_moves_as_a_whole),
		cmocka_unit_test(resume_calls_off_moves_that_are_not_done),
		cmocka_unit_test(what_finds_no_other_node_is_stopped_after_a_while_and_waits),
		cmocka_unit_test(a_successor_that_cannot_start_is_followed_by_another),
		cmocka_unit_test(a_node_that_dies_while_it_drains_loses_what_has_moved),
		cmocka_unit_test(a_successor_whose_node_dies_has_another),
		cmocka_unit_test(an_update_during_a_move_brings_the_new_revision_first),
		cmocka_unit_test(what_users_end_during_a_move_ends_on_both_nodes),
		cmocka_unit_test(a_slot_that_is_scaled_back_runs_though_the_old_task_has_not_ended),
		cmocka_unit_test(drain_and_resume_over_and_over_leave_one_task),
		cmocka_unit_test(a_drain_is_told_from_a_silence),
		cmocka_unit_test(what_comes_no_further_is_not_waited_for),
		cmocka_unit_test(a_successor_that_was_given_up_does_not_cost_the_service),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
