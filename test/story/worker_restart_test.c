/* Restarts of the worker, of Docker and of the machine: nothing is lost, doubled or misjudged. */
#include <string.h>

#include "worker_world.h"

/* ---- the worker ---- */

static void running_containers_are_adopted(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 3000);
	int64_t version = world_observed(world, id)->version;
	world_crash(world);
	world_run(world, 3000);
	world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
	assert_int_equal(world->n_containers, 1);
	assert_int_equal(world_observed(world, id)->attempt, 1);
	assert_true(world_observed(world, id)->version > version);
	assert_int_equal(world->n_done[CONTAINER_CREATE], 1);
	world_free(world);
}

static void a_worker_alone_goes_on_supervising(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = world_begin(world, "late3:1");
	world_run(world, 3000);
	world_session(world, false);
	world_crash(world);
	world_run(world, 65000);
	assert_int_equal(world_running(world, id), 1);
	assert_non_null(world_container(world, id, 2));
	assert_int_equal(world_observed(world, id)->attempt, 1);
	world_session(world, true);
	world_run(world, 100);
	assert_int_equal(world_observed(world, id)->attempt, 2);
	assert_int_equal(world_observed(world, id)->attempts_used, 1);
	world_free(world);
}

static void an_end_while_the_worker_was_away_is_judged_as_it_was(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_job(world, "web", "done:1");
	struct task_id id = world_begin(world, "done:1");
	world_run(world, 100);
	worker_free(world->worker);
	world->worker = worker_new(&world->options);
	world->out.deadline_ms = INT64_MAX;
	world->hints = false;
	docker_drop_actions(world, false);
	/* Its time passes in Docker alone. */
	world->now_ms += 1000;
	world->session = false;
	while (docker_turn(world))
		;
	world->session = true;
	world_crash(world);
	world_run(world, 1000);
	world_expect(world, id, TASK_COMPLETED, REASON_EXIT_ZERO, "exited with status 0");
	world_free(world);
}

/* One whole life: two tasks that start, one that ends and starts again, a stop, a removal. The
 * worker crashes at the n-th action, before or after it was carried out; every end must be the
 * same. */
static void live(struct world *world, struct task_id ids[3])
{
	world_job(world, "web", "app:1");
	world_job(world, "batch", "done:1")->mode = JOB_REPLICATED_JOB;
	world_job(world, "flaky", "exit3:1")->restart.max_attempts = 2;
	ids[0] = world_task(world, "web");
	ids[1] = world_task(world, "batch");
	ids[2] = world_task(world, "flaky");
	world_session(world, true);
	world_send_full(world);
	world_run(world, 20000);
	world_want(world, ids[0], TASK_WANT_STOP, REASON_STOPPED);
	world_run(world, 20000);
	world_want(world, ids[2], TASK_WANT_REMOVE, REASON_REMOVED);
	world_run(world, 20000);
}

static void a_crash_at_any_action_changes_nothing_in_the_end(void **state)
{
	(void)state;
	bool crashed = true;
	int n = 0;
	for (; crashed; n++) {
		struct world *world = world_new();
		struct task_id ids[3];
		world->crash_at = n / 2 + 1;
		world->crash_after = n & 1;
		live(world, ids);
		crashed = world->crashed;
		world_expect(world, ids[0], TASK_COMPLETED, REASON_STOPPED, "stopped by SIGTERM");
		world_expect(world, ids[1], TASK_COMPLETED, REASON_EXIT_ZERO,
			     "exited with status 0");
		world_expect(world, ids[2], TASK_FAILED, REASON_EXIT_NONZERO,
			     "exited with status 3; 2 of 2 restarts used");
		assert_true(world_observed(world, ids[0])->gone);
		assert_true(world_observed(world, ids[2])->removed);
		assert_int_equal(world_observed(world, ids[1])->attempt, 1);
		assert_int_equal(world_observed(world, ids[2])->attempt, 3);
		assert_int_equal(world->n_containers, 2);
		world_free(world);
	}
	assert_true(n > 60);
}

static void the_pause_before_a_restart_outlives_the_worker(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_job(world, "web", "exit3:1")->restart.delay_ms = 60000;
	struct task_id id = world_begin(world, "exit3:1");
	world_run(world, 1000);
	world_crash(world);
	world_run(world, 50000);
	assert_null(world_container(world, id, 2));
	world_run(world, 10000);
	assert_non_null(world_container(world, id, 2));
	world_free(world);
}

static void a_stop_goes_on_after_the_worker_came_back(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = world_begin(world, "stubborn:1");
	world_run(world, 3000);
	world_want(world, id, TASK_WANT_STOP, REASON_STOPPED);
	world_run(world, 5000);
	world_crash(world);
	world_run(world, 11000);
	world_expect(world, id, TASK_COMPLETED, REASON_STOPPED,
		     "killed: still running 10s after SIGTERM");
	world_free(world);
}

/* ---- Docker ---- */

static void an_exit_while_docker_went_down_is_interrupted_never_success(void **state)
{
	(void)state;
	static const char *const images[] = { "app:1", "late3:1" };
	for (int n = 0; n < 4; n++) {
		struct world *world = world_new();
		struct job_spec *spec = world_job(world, "web", images[n & 1]);
		spec->mode = n & 2 ? JOB_REPLICATED_JOB : JOB_REPLICATED;
		spec->restart.condition = RESTART_NONE;
		struct task_id id = world_begin(world, images[n & 1]);
		world_run(world, 3000);
		world_docker_stop(world);
		world_run(world, 30000);
		/* Unknown is never failed. */
		world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
		assert_false(world->last_up.runtime_ok);
		world_docker_start(world);
		world_run(world, 3000);
		world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
		assert_true(world->last_up.runtime_ok);
		assert_int_equal(world_observed(world, id)->attempt, 2);
		assert_int_equal(world_observed(world, id)->attempts_used, 0);
		world_free(world);
	}
}

static void an_interruption_is_told_as_one(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_begin(world, "app:1");
	world_run(world, 3000);
	world->told = world->story.len;
	world_docker_stop(world);
	world_run(world, 1000);
	world_docker_start(world);
	world_run(world, 3000);
	world_expect_story(world,
			   "Docker does not answer\n"
			   "Docker answers\n"
			   "shop/web.1 interrupted: Docker was restarted: restarting at once\n"
			   "shop/web.1 started attempt 2\n");
	world_free(world);
}

static void a_container_that_outlives_the_daemon_is_kept(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = world_begin(world, "late3:1");
	world_run(world, 3000);
	world->told = world->story.len;
	world_docker_blink(world);
	world_run(world, 3000);
	world_expect_story(world, "Docker does not answer\n"
				  "Docker answers\n"
				  "shop/web.1 still runs after the restart of Docker\n");
	assert_int_equal(world->n_containers, 1);
	/* It belongs to the new run now: its own end is judged as such. */
	world_run(world, 60000);
	assert_int_equal(world_observed(world, id)->attempt, 2);
	assert_int_equal(world_observed(world, id)->attempts_used, 1);
	world_free(world);
}

static void an_end_nobody_can_vouch_for_is_not_judged(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = world_begin(world, "done:1");
	world_run(world, 100);
	/* The answer says exited, but not which run of Docker says so. */
	uint64_t instance = world->instance;
	world->instance = 0;
	world_run(world, 5000);
	assert_int_equal(world_observed(world, id)->state, TASK_RUNNING);
	world->instance = instance;
	world_run(world, 3000);
	world_expect(world, id, TASK_COMPLETED, REASON_EXIT_ZERO, "exited with status 0");
	world_free(world);
}

static void tasks_that_came_while_docker_was_away_wait_for_it(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_run(world, 100);
	world_docker_stop(world);
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 60000);
	world_expect(world, id, TASK_SCHEDULED, REASON_RUNTIME_AWAY, "Docker does not answer");
	world_docker_start(world);
	world_run(world, 3000);
	world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
	world_free(world);
}

static void docker_may_go_at_any_moment_of_a_start(void **state)
{
	(void)state;
	for (int64_t at_ms = 0; at_ms < 80; at_ms += 5) {
		struct world *world = world_new();
		struct task_id id = world_begin(world, "app:1");
		world_run(world, at_ms);
		world_docker_stop(world);
		world_run(world, 1000);
		world_docker_start(world);
		world_run(world, 5000);
		world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
		assert_int_equal(world_observed(world, id)->attempts_used, 0);
		world_free(world);
	}
}

/* ---- the machine ---- */

static void a_new_boot_interrupts_everything_and_counts_nothing(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct job_spec *spec = world_job(world, "web", "app:1");
	spec->mode = JOB_REPLICATED_JOB;
	spec->restart.condition = RESTART_NONE;
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 100000);
	world->told = world->story.len;
	world_reboot(world);
	world_run(world, 3000);
	world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
	assert_int_equal(world_observed(world, id)->attempt, 2);
	assert_int_equal(world_observed(world, id)->attempts_used, 0);
	world_expect_story(world,
			   "worker starts with 1 tasks; the machine was restarted\n"
			   "Docker answers\n"
			   "shop/web.1 interrupted: the machine was restarted: restarting at once\n"
			   "shop/web.1 started attempt 2\n");
	world_free(world);
}

/* The number of the attempt is older than the boot; its container is not. */
static void what_started_after_a_boot_was_not_interrupted_by_it(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_job(world, "web", "instant:1")->mode = JOB_REPLICATED_JOB;
	world->latency_ms = 500;
	struct task_id id = world_begin(world, "instant:1");
	world_run(world, 1200);
	assert_int_equal(world->n_done[CONTAINER_CREATE], 0);
	world_reboot(world);
	world_run(world, 10000);
	world_expect(world, id, TASK_COMPLETED, REASON_EXIT_ZERO, "exited with status 0");
	assert_int_equal(world_observed(world, id)->attempt, 1);
	world_free(world);
}

static void a_pause_of_an_earlier_boot_is_not_waited_for(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_job(world, "web", "exit3:1")->restart.delay_ms = 600000;
	struct task_id id = world_begin(world, "exit3:1");
	world_run(world, 500000);
	world_reboot(world);
	world_run(world, 1000);
	assert_non_null(world_container(world, id, 2));
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(running_containers_are_adopted),
		TEST(a_worker_alone_goes_on_supervising),
		TEST(an_end_while_the_worker_was_away_is_judged_as_it_was),
		TEST(a_crash_at_any_action_changes_nothing_in_the_end),
		TEST(the_pause_before_a_restart_outlives_the_worker),
		TEST(a_stop_goes_on_after_the_worker_came_back),
		TEST(an_exit_while_docker_went_down_is_interrupted_never_success),
		TEST(an_interruption_is_told_as_one),
		TEST(a_container_that_outlives_the_daemon_is_kept),
		TEST(an_end_nobody_can_vouch_for_is_not_judged),
		TEST(tasks_that_came_while_docker_was_away_wait_for_it),
		TEST(docker_may_go_at_any_moment_of_a_start),
		TEST(a_new_boot_interrupts_everything_and_counts_nothing),
		TEST(what_started_after_a_boot_was_not_interrupted_by_it),
		TEST(a_pause_of_an_earlier_boot_is_not_waited_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
