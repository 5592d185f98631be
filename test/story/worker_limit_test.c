/* max_run_time: what runs for longer is ended, whoever is away, and has failed for good. */
#include "worker_world.h"

#define LIMIT_MS 60000

static struct task_id begin_limited(struct world *world, const char *image)
{
	struct job_spec *spec = world_job(world, "web", image);
	spec->mode = JOB_REPLICATED_JOB;
	spec->max_run_time_ms = LIMIT_MS;
	struct task_id id = world_task(world, "web");
	world_session(world, true);
	world_send_full(world);
	world_run(world, 5000);
	world->told = world->story.len;
	return id;
}

static const char told[] = "ran for longer than its max_run_time of 1m";

static void it_is_stopped_and_has_failed_whatever_the_restart_policy_says(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = begin_limited(world, "app:1");
	world_run(world, LIMIT_MS - 5500);
	assert_int_equal(world_running(world, id), 1);
	world_run(world, 2000);
	assert_int_equal(world_running(world, id), 0);
	/* That it exited 0 when it was asked to stop is no success. */
	world_expect(world, id, TASK_FAILED, REASON_RAN_TOO_LONG, told);
	assert_true(world_observed(world, id)->gone);
	assert_int_equal(world_observed(world, id)->attempt, 1);
	world_expect_story(world,
			   "shop/web.1 must end: it ran for longer than its max_run_time of 1m\n"
			   "shop/web.1 stopping: sent SIGTERM\n"
			   "shop/web.1 failed: ran for longer than its max_run_time of 1m\n");
	world_free(world);
}

static void who_ignores_the_signal_is_killed_after_the_grace(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = begin_limited(world, "stubborn:1");
	world_run(world, LIMIT_MS + 4000);
	assert_int_equal(world_running(world, id), 1);
	world_run(world, 2500);
	assert_int_equal(world_running(world, id), 0);
	world_expect(world, id, TASK_FAILED, REASON_RAN_TOO_LONG, told);
	world_free(world);
}

static void it_is_ended_while_the_manager_is_away(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = begin_limited(world, "app:1");
	world_session(world, false);
	world_run(world, LIMIT_MS);
	assert_int_equal(world_running(world, id), 0);
	world_session(world, true);
	world_run(world, 1000);
	world_expect(world, id, TASK_FAILED, REASON_RAN_TOO_LONG, told);
	world_free(world);
}

static void the_time_goes_on_through_a_restart_of_the_worker(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = begin_limited(world, "app:1");
	world_run(world, LIMIT_MS / 2);
	world_crash(world);
	world_run(world, LIMIT_MS / 2 - 5500);
	assert_int_equal(world_running(world, id), 1);
	world_run(world, 2000);
	world_expect(world, id, TASK_FAILED, REASON_RAN_TOO_LONG, told);
	world_free(world);
}

static void a_worker_that_dies_while_it_stops_it_says_the_same(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = begin_limited(world, "stubborn:1");
	world_run(world, LIMIT_MS);
	world_crash(world);
	world_run(world, 15000);
	world_expect(world, id, TASK_FAILED, REASON_RAN_TOO_LONG, told);
	world_free(world);
}

static void who_ends_in_time_has_ended_as_it_did(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = begin_limited(world, "done:1");
	world_run(world, 2 * LIMIT_MS);
	world_expect(world, id, TASK_COMPLETED, REASON_EXIT_ZERO, "exited with status 0");
	world_free(world);
}

/* It exits after a minute by itself; each container has its own time. */
static void a_restarted_container_has_the_whole_time_again(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct job_spec *spec = world_job(world, "web", "late3:1");
	spec->mode = JOB_REPLICATED_JOB;
	spec->max_run_time_ms = LIMIT_MS + 5000;
	struct task_id id = world_task(world, "web");
	world_session(world, true);
	world_send_full(world);
	world_run(world, LIMIT_MS + 30000);
	assert_int_equal(world_observed(world, id)->attempt, 2);
	assert_int_equal(world_running(world, id), 1);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_stopped_and_has_failed_whatever_the_restart_policy_says),
		cmocka_unit_test(who_ignores_the_signal_is_killed_after_the_grace),
		cmocka_unit_test(it_is_ended_while_the_manager_is_away),
		cmocka_unit_test(the_time_goes_on_through_a_restart_of_the_worker),
		cmocka_unit_test(a_worker_that_dies_while_it_stops_it_says_the_same),
		cmocka_unit_test(who_ends_in_time_has_ended_as_it_did),
		cmocka_unit_test(a_restarted_container_has_the_whole_time_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
