/* What happens after an end, row by row, for services and for jobs that run to completion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "manager_story.h"

/* "shop/web" of `replicas` on alpha and beta, running; what was told so far is forgotten. */
static void begin(struct story *story, int mode, int64_t replicas)
{
	story_begin(story);
	story_join(story, "alpha");
	story_join(story, "beta");
	story_project(story, "shop");
	story_job(story, "web", replicas)->mode = mode;
	assert_int_equal(story_apply(story), ERR_NONE);
	story_forget(story);
}

static void a_service_whose_policy_is_used_up_is_left_and_shown_degraded(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 1);
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 3; 3 of 3 restarts used");
	story_pass(&story, 600000);
	story_tells(&story,
		    "shop/web.1 failed: exit_nonzero: exited with status 3; 3 of 3 restarts used\n"
		    "job shop/web is degraded: 1 of 1 given up; web.1 failed: exited with "
		    "status 3; 3 of 3 restarts used\n");
	/* A restart clears it. */
	assert_int_equal(story_act(&story, REQUEST_RESTART, "shop", "web"), ERR_NONE);
	story_tells(&story,
		    "job shop/web is to restart\n"
		    "shop/web.1 scheduled on alpha\n"
		    "job shop/web is pending: 0 of 1 ready; web.1 scheduled: placed on alpha\n"
		    "shop/web.1 running\n"
		    "job shop/web is running: 1 of 1 ready\n");
	story_end(&story);
}

static void a_new_revision_clears_what_was_given_up(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 1);
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_SIGNALLED,
		     "killed by SIGKILL (exit 137)");
	story_forget(&story);
	string_set(&story.request.jobs.items[0].spec.image, "busybox:2");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_tells(&story,
		    "job shop/web revision 2 accepted\n"
		    "shop/web.1 scheduled on alpha\n"
		    "job shop/web is pending: 0 of 1 ready; web.1 scheduled: placed on alpha\n"
		    "shop/web.1 running\n"
		    "job shop/web is running: 1 of 1 ready\n");
	story_end(&story);
}

static void a_service_that_exits_0_is_done(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 1);
	story_report(&story, "shop/web.1", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	story_pass(&story, 600000);
	story_tells(&story, "shop/web.1 completed: exit_zero\n"
			    "job shop/web is completed: 1 of 1 succeeded\n");
	story_end(&story);
}

static void a_job_is_done_when_every_slot_has_succeeded(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED_JOB, 2);
	story_report(&story, "shop/web.2", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	story_report(&story, "shop/web.1", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	story_tells(&story, "shop/web.2 completed: exit_zero\n"
			    "shop/web.1 completed: exit_zero\n"
			    "job shop/web is completed: 2 of 2 succeeded\n");
	story_end(&story);
}

static void a_job_has_failed_when_a_slot_is_left_without_success(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED_JOB, 2);
	story_report(&story, "shop/web.1", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	story_report(&story, "shop/web.2", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 1");
	story_pass(&story, 600000);
	story_tells(
		&story,
		"shop/web.1 completed: exit_zero\n"
		"shop/web.2 failed: exit_nonzero: exited with status 1\n"
		"job shop/web is failed: 1 of 2 given up; web.2 failed: exited with status 1\n");
	story_end(&story);
}

static void a_start_that_is_impossible_here_is_tried_elsewhere_after_a_pause(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 1);
	story.hold_start = "web";
	story_act(&story, REQUEST_RESTART, "shop", "web");
	story_forget(&story);
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_PORT_TAKEN,
		     "host port 80 is taken on this machine");
	story_tells(&story,
		    "shop/web.1 failed: port_taken: host port 80 is taken on this machine\n");
	story_why(&story, "shop/web.1", TASK_PENDING, REASON_WAITS_BACKOFF,
		  "1 start in a row failed, the last one: host port 80 is taken on this machine");
	story_pass(&story, 999);
	story_tells(&story, "");
	story_pass(&story, 201);
	story_tells(&story, "shop/web.1 scheduled on beta\n");
	/* The second failure in a row waits twice as long; both nodes failed, so the first is as good as any. */
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_PULL_FAILED,
		     "registry does not answer");
	assert_int_equal(task_rare(story_task(&story, "shop/web.1"))->start_failures, 2);
	story_forget(&story);
	story_pass(&story, 1999);
	story_tells(&story, "");
	story_pass(&story, 401);
	story_tells(&story, "shop/web.1 scheduled on alpha\n");
	/* A start that works ends the row. */
	story.hold_start = NULL;
	story_run(&story);
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_START_FAILED, "start failed");
	assert_int_equal(task_rare(story_task(&story, "shop/web.1"))->start_failures, 1);
	story_end(&story);
}

static void the_pause_before_a_new_start_grows_to_five_minutes_and_no_further(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED_JOB, 1);
	story.hold_start = "web";
	story_act(&story, REQUEST_RESTART, "shop", "web");
	int64_t pause_ms = 0;
	for (int i = 0; i < 12; i++) {
		story_report(&story, "shop/web.1", TASK_FAILED, REASON_IMAGE_NOT_FOUND,
			     "no such image");
		pause_ms =
			task_rare(story_task(&story, "shop/web.1"))->not_before_ms - story.wall_ms;
		story_pass(&story, pause_ms);
	}
	assert_in_range(pause_ms, 300000, 360000);
	story_end(&story);
}

static void on_a_single_node_the_same_node_is_tried_again(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	story_job(&story, "web", 1);
	story.hold_start = "web";
	story_apply(&story);
	story_forget(&story);
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_MOUNT_FAILED, "no such folder");
	story_pass(&story, 1200);
	story_tells(&story, "shop/web.1 failed: mount_failed: no such folder\n"
			    "shop/web.1 scheduled on alpha\n");
	story_end(&story);
}

static int64_t host_port(struct story *story)
{
	return task_rare(story_task(story, "shop/web.1"))->ports.items[0].host_port;
}

static void start_fails(struct story *story)
{
	story_report(story, "shop/web.1", TASK_FAILED, REASON_PORT_TAKEN, "host port is taken");
	story_pass(story, 10000);
}

static void a_port_of_a_pool_that_another_program_holds_is_drawn_last(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	struct job_spec *web = story_job(&story, "web", 1);
	struct port *port = list_add(&web->ports, sizeof(*port));
	*port = (struct port){ .host_first = 9000, .host_last = 9002, .container_port = 80 };
	story.hold_start = "web";
	story_apply(&story);
	assert_int_equal(host_port(&story), 9000);
	start_fails(&story);
	assert_int_equal(host_port(&story), 9001);
	start_fails(&story);
	assert_int_equal(host_port(&story), 9002);
	/* Nothing is left: one of them may have become free. */
	start_fails(&story);
	assert_int_equal(host_port(&story), 9000);
	story.hold_start = NULL;
	story_run(&story);
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_RUNNING);
	/* It has, so it is as good as before. */
	story.hold_start = "web";
	story_act(&story, REQUEST_RESTART, "shop", "web");
	assert_int_equal(host_port(&story), 9000);
	start_fails(&story);
	assert_int_equal(host_port(&story), 9000);
	story_end(&story);
}

static void an_interrupted_task_is_replaced_at_once_and_uses_no_attempt(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 1);
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_INTERRUPTED, "Docker was restarted");
	story_tells(&story,
		    "shop/web.1 failed: interrupted: Docker was restarted\n"
		    "shop/web.1 scheduled on alpha\n"
		    "job shop/web is pending: 0 of 1 ready; web.1 scheduled: placed on alpha\n"
		    "shop/web.1 running\n"
		    "job shop/web is running: 1 of 1 ready\n");
	story_end(&story);
}

static void attempts_are_counted_per_slot_and_survive_replacement(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 1);
	struct task *task = story_task(&story, "shop/web.1");
	/* The worker has counted two restarts when the machine goes down. */
	struct sync_up up = { .node = task->desired.node, .runtime_ok = true, .report = 100 };
	struct task_observed *observed = list_add(&up.observed, sizeof(*observed));
	struct task_observed known;
	char container_id[TASK_CONTAINER_ID_SIZE];
	task_get_observed(task, container_id, &known);
	record_copy(&task_observed_type, observed, &known);
	observed->version += 100;
	observed->attempts_used = 2;
	observed->state = TASK_FAILED;
	observed->reason = REASON_INTERRUPTED;
	observed->gone = true;
	struct manager_event event = { .kind = MANAGER_SYNC_UP, .session = 1, .up = &up };
	struct manager_in in = { .now_ms = story.now_ms,
				 .wall_ms = story.wall_ms,
				 .seed = 99,
				 .rev = story.rev,
				 .events = &event,
				 .n_events = 1 };
	story_step(&story, &in);
	assert_int_equal(task_rare(story_task(&story, "shop/web.1"))->attempts_before, 2);
	/* A restart asked for by the user starts the count anew. */
	assert_int_equal(story_act(&story, REQUEST_RESTART, "shop", "web"), ERR_NONE);
	assert_int_equal(task_rare(story_task(&story, "shop/web.1"))->attempts_before, 0);
	record_release(&sync_up_type, &up);
	story_end(&story);
}

static void a_lost_node_s_tasks_run_elsewhere_in_the_commit_that_declares_them_lost(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED_JOB, 1);
	story_silence(&story, "alpha");
	story_pass(&story, 15000);
	story_tells(&story,
		    "node alpha is down: it is silent with 1 task\n"
		    "shop/web.1 failed: node_lost: node alpha is silent; the task was started "
		    "again on beta\n"
		    "shop/web.1 scheduled on beta\n"
		    "job shop/web is pending: 0 of 1 ready; web.1 scheduled: placed on beta\n"
		    "shop/web.1 running\n"
		    "job shop/web is running: 1 of 1 ready\n");
	story_end(&story);
}

static void what_was_asked_to_end_is_not_started_again(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 2);
	assert_int_equal(story_act_task(&story, REQUEST_STOP, "shop/web.2"), ERR_NONE);
	story_effect(&story, "web", EFFECT_STOPPED);
	story_pass(&story, 600000);
	story_tells(&story,
		    "shop/web.2 stopping: stopped\n"
		    "job shop/web is pending: 1 of 2 ready; web.2 is stopping: stopped\n"
		    "shop/web.2 completed: stopped\n"
		    "job shop/web is degraded: 1 of 2 given up; web.2 completed: stopped\n");
	story_end(&story);
}

static void a_job_that_is_stopped_while_it_exits_0_has_succeeded(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED_JOB, 1);
	story.hold_stop = "web";
	story_act_task(&story, REQUEST_STOP, "shop/web.1");
	story_report(&story, "shop/web.1", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	story_stands(&story, "shop/web", STANDING_COMPLETED, "1 of 1 succeeded");
	story_end(&story);
}

static void a_refused_specification_is_left(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 1);
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_SPEC_REFUSED,
		     "Docker refused it: invalid sysctl");
	story_pass(&story, 600000);
	story_stands(&story, "shop/web", STANDING_DEGRADED,
		     "1 of 1 given up; web.1 failed: Docker refused it: invalid sysctl");
	story_end(&story);
}

static void nothing_takes_over_before_the_old_container_is_confirmed_gone(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 1);
	story.linger = "web";
	struct task_id old = story_task(&story, "shop/web.1")->desired.id;
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_INTERRUPTED, "Docker was restarted");
	story_act(&story, REQUEST_RESTART, "shop", "web");
	story_pass(&story, 60000);
	assert_true(uuid_equal(story_task(&story, "shop/web.1")->desired.id.uuid, old.uuid));
	story.linger = NULL;
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_INTERRUPTED, "Docker was restarted");
	assert_false(uuid_equal(story_task(&story, "shop/web.1")->desired.id.uuid, old.uuid));
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_end(&story);
}

/* Every reason of the table, for a service: what the manager does with the slot. */
static void every_reason_has_the_consequence_its_row_names(void **state)
{
	(void)state;
	for (int reason = REASON_EXIT_ZERO; reason < REASON_COUNT; reason++) {
		enum reason_after after = reason_after(reason);
		struct story story;
		begin(&story, JOB_REPLICATED, 1);
		story.hold_start = "web";
		struct task_id old = story_task(&story, "shop/web.1")->desired.id;
		story_report(&story, "shop/web.1",
			     reason == REASON_EXIT_ZERO ? TASK_COMPLETED : TASK_FAILED, reason,
			     "because");
		const struct task *task = story_task(&story, "shop/web.1");
		bool replaced = !uuid_equal(old.uuid, task->desired.id.uuid);
		assert_int_equal(replaced, after == AFTER_REPLACE_NOW ||
						   after == AFTER_REPLACE_ELSEWHERE ||
						   reason == REASON_SCALED_DOWN);
		assert_int_equal(task->state == TASK_PENDING, after == AFTER_REPLACE_ELSEWHERE);
		story_end(&story);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_service_whose_policy_is_used_up_is_left_and_shown_degraded),
		cmocka_unit_test(a_new_revision_clears_what_was_given_up),
		cmocka_unit_test(a_service_that_exits_0_is_done),
		cmocka_unit_test(a_job_is_done_when_every_slot_has_succeeded),
		cmocka_unit_test(a_job_has_failed_when_a_slot_is_left_without_success),
		cmocka_unit_test(a_start_that_is_impossible_here_is_tried_elsewhere_after_a_pause),
		cmocka_unit_test(the_pause_before_a_new_start_grows_to_five_minutes_and_no_further),
		cmocka_unit_test(on_a_single_node_the_same_node_is_tried_again),
		cmocka_unit_test(a_port_of_a_pool_that_another_program_holds_is_drawn_last),
		cmocka_unit_test(an_interrupted_task_is_replaced_at_once_and_uses_no_attempt),
		cmocka_unit_test(attempts_are_counted_per_slot_and_survive_replacement),
		cmocka_unit_test(
			a_lost_node_s_tasks_run_elsewhere_in_the_commit_that_declares_them_lost),
		cmocka_unit_test(what_was_asked_to_end_is_not_started_again),
		cmocka_unit_test(a_job_that_is_stopped_while_it_exits_0_has_succeeded),
		cmocka_unit_test(a_refused_specification_is_left),
		cmocka_unit_test(nothing_takes_over_before_the_old_container_is_confirmed_gone),
		cmocka_unit_test(every_reason_has_the_consequence_its_row_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
