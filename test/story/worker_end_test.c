/* Ends: why, and whether it starts again; the restart policy row by row. */
#include <string.h>

#include "worker_world.h"

/* ---- reasons ---- */

struct end_row {
	const char *image;
	int64_t memory_bytes;
	int state;
	int reason;
	const char *message;
};

static const struct end_row end_rows[] = {
	{ "done:1", 0, TASK_COMPLETED, REASON_EXIT_ZERO, "exited with status 0" },
	{ "instant:1", 0, TASK_COMPLETED, REASON_EXIT_ZERO, "exited with status 0" },
	{ "exit3:1", 0, TASK_FAILED, REASON_EXIT_NONZERO,
	  "exited with status 3; its restart policy is none" },
	{ "segv:1", 0, TASK_FAILED, REASON_SIGNALLED,
	  "killed by SIGSEGV (exit 139); its restart policy is none" },
	{ "oom:1", 64 << 20, TASK_FAILED, REASON_OOM_KILLED,
	  "killed: used more than its memory limit of 64 MB; its restart policy is none" },
	{ "oomlate:1", 64 << 20, TASK_FAILED, REASON_OOM_KILLED,
	  "killed: used more than its memory limit of 64 MB; its restart policy is none" },
	{ "oom:1", 0, TASK_FAILED, REASON_OOM_KILLED,
	  "killed: the machine ran out of memory; its restart policy is none" },
	{ "sick:1", 0, TASK_FAILED, REASON_UNHEALTHY,
	  "unhealthy: port 80 is closed; its restart policy is none" },
};

static void each_end_has_its_reason_and_its_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(end_rows); i++) {
		const struct end_row *row = &end_rows[i];
		struct world *world = world_new();
		struct job_spec *spec = world_job(world, "web", row->image);
		spec->restart.condition = RESTART_NONE;
		spec->limits.memory_bytes = row->memory_bytes;
		struct task_id id = world_begin(world, row->image);
		world_run(world, 5000);
		world_expect(world, id, row->state, row->reason, row->message);
		const struct task_observed *observed = world_observed(world, id);
		assert_true(observed->gone);
		assert_int_equal(observed->attempt, 1);
		assert_int_equal(observed->exit_code,
				 world_container(world, id, 1)->seen.exit_code);
		assert_true(observed->started_wall_ms > 0);
		assert_true(observed->finished_wall_ms >= observed->started_wall_ms);
		world_free(world);
	}
}

static void an_end_is_found_by_the_list_when_no_hint_comes(void **state)
{
	(void)state;
	struct world *world = world_new();
	world->hints = false;
	struct task_id id = world_begin(world, "done:1");
	world_run(world, 11000);
	world_expect(world, id, TASK_COMPLETED, REASON_EXIT_ZERO, "exited with status 0");
	world_free(world);
}

static void a_container_somebody_removed_has_vanished_and_follows_the_policy(void **state)
{
	(void)state;
	for (int condition = RESTART_ON_FAILURE; condition <= RESTART_NONE; condition++) {
		struct world *world = world_new();
		world_job(world, "web", "app:1")->restart.condition = condition;
		struct task_id id = world_begin(world, "app:1");
		world_run(world, 2000);
		world_remove_container(world, world_container(world, id, 1));
		world_run(world, 12000);
		if (condition == RESTART_NONE) {
			world_expect(world, id, TASK_FAILED, REASON_VANISHED,
				     "its container was removed by somebody else; its restart "
				     "policy is none");
		} else {
			world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
			assert_int_equal(world_observed(world, id)->attempt, 2);
			assert_int_equal(world_observed(world, id)->attempts_used, 1);
		}
		world_free(world);
	}
}

/* ---- the policy ---- */

struct policy_row {
	const char *image;
	int mode;
	int condition;
	bool again;
};

static const struct policy_row policy_rows[] = {
	{ "done:1", JOB_REPLICATED, RESTART_ON_FAILURE, false },
	{ "done:1", JOB_REPLICATED, RESTART_NONE, false },
	{ "done:1", JOB_REPLICATED, RESTART_ANY, true },
	{ "done:1", JOB_REPLICATED_JOB, RESTART_ON_FAILURE, false },
	{ "done:1", JOB_REPLICATED_JOB, RESTART_NONE, false },
	{ "done:1", JOB_REPLICATED_JOB, RESTART_ANY, false },
	{ "exit3:1", JOB_REPLICATED, RESTART_ON_FAILURE, true },
	{ "exit3:1", JOB_REPLICATED, RESTART_NONE, false },
	{ "exit3:1", JOB_REPLICATED, RESTART_ANY, true },
	{ "exit3:1", JOB_REPLICATED_JOB, RESTART_ON_FAILURE, true },
	{ "exit3:1", JOB_REPLICATED_JOB, RESTART_NONE, false },
	{ "exit3:1", JOB_REPLICATED_JOB, RESTART_ANY, true },
};

static void each_condition_restarts_what_it_names_and_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(policy_rows); i++) {
		const struct policy_row *row = &policy_rows[i];
		struct world *world = world_new();
		struct job_spec *spec = world_job(world, "web", row->image);
		spec->mode = row->mode;
		spec->restart.condition = row->condition;
		struct task_id id = world_begin(world, row->image);
		world_run(world, 600);
		assert_int_equal(world_observed(world, id)->attempt > 1, row->again);
		assert_int_equal(task_is_final(world_observed(world, id)->state), !row->again);
		world_free(world);
	}
}

static void a_used_up_policy_fails_with_the_last_end_and_the_count(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_job(world, "web", "exit3:1")->restart.max_attempts = 3;
	struct task_id id = world_begin(world, "exit3:1");
	world_run(world, 30000);
	world_expect(world, id, TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 3; 3 of 3 restarts used");
	assert_int_equal(world_observed(world, id)->attempt, 4);
	assert_int_equal(world_observed(world, id)->attempts_used, 3);
	assert_int_equal(world_observed(world, id)->exit_code, 3);
	world_free(world);
}

static void attempts_of_earlier_tasks_of_the_slot_count(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_job(world, "web", "exit3:1")->restart.max_attempts = 3;
	struct task_id id = world_task(world, "web");
	world_assignment(world, id)->attempts_before = 2;
	world_session(world, true);
	world_send_full(world);
	world_run(world, 30000);
	world_expect(world, id, TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 3; 3 of 3 restarts used");
	assert_int_equal(world_observed(world, id)->attempts_used, 1);
	world_free(world);
}

static void with_a_window_only_restarts_inside_it_count(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct job_spec *spec = world_job(world, "web", "late3:1");
	spec->restart.max_attempts = 2;
	spec->restart.window_ms = 100000;
	struct task_id id = world_begin(world, "late3:1");
	/* One end a minute: never three restarts within 100 s. */
	world_run(world, 600000);
	assert_int_equal(world_observed(world, id)->state, TASK_RUNNING);
	assert_true(world_observed(world, id)->attempts_used >= 8);
	world_free(world);
}

static void the_window_fills_when_ends_come_faster(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct job_spec *spec = world_job(world, "web", "late3:1");
	spec->restart.max_attempts = 2;
	spec->restart.window_ms = 200000;
	struct task_id id = world_begin(world, "late3:1");
	world_run(world, 600000);
	world_expect(world, id, TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 3; 2 of 2 restarts used");
	world_free(world);
}

/* ---- pauses ---- */

/* When each attempt was started, from the table of containers. */
static int64_t started_ms(struct world *world, struct task_id id, int64_t attempt)
{
	const struct world_container *container = world_container(world, id, attempt);
	assert_non_null(container);
	return container->seen.started_wall_ms - world->wall_offset_ms;
}

static void the_first_restart_is_at_once_and_then_pauses_double(void **state)
{
	(void)state;
	struct world *world = world_new();
	world->options.dead_containers_kept = 10;
	world_crash(world);
	struct task_id id = world_begin(world, "exit3:1");
	world_run(world, 20000);
	int64_t run_ms = 100;
	int64_t second = started_ms(world, id, 2) - started_ms(world, id, 1) - run_ms;
	int64_t third = started_ms(world, id, 3) - started_ms(world, id, 2) - run_ms;
	int64_t fourth = started_ms(world, id, 4) - started_ms(world, id, 3) - run_ms;
	int64_t fifth = started_ms(world, id, 5) - started_ms(world, id, 4) - run_ms;
	assert_in_range(second, 0, 100);
	assert_in_range(third, 900, 1200);
	assert_in_range(fourth, 1800, 2300);
	assert_in_range(fifth, 3600, 4500);
	world_free(world);
}

static void pauses_are_capped_and_start_anew_after_a_stable_time(void **state)
{
	(void)state;
	struct world *world = world_new();
	world->options.backoff_max_ms = 4000;
	world_crash(world);
	struct task_id id = world_begin(world, "exit3:1");
	world_run(world, 100000);
	assert_in_range(world_observed(world, id)->attempt, 24, 32);
	/* The same ends, a minute apart, never wait. */
	struct world *stable = world_new();
	struct task_id late = world_begin(stable, "late3:1");
	world_run(stable, 305000);
	assert_int_equal(world_observed(stable, late)->attempt, 6);
	world_free(stable);
	world_free(world);
}

static void a_written_delay_is_the_minimum_of_every_pause(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_job(world, "web", "exit3:1")->restart.delay_ms = 5000;
	struct task_id id = world_begin(world, "exit3:1");
	world_run(world, 300);
	world_expect(world, id, TASK_SCHEDULED, REASON_RESTARTING,
		     "exited with status 3; restarting in 5s");
	assert_int_equal(world_observed(world, id)->attempt, 2);
	world_run(world, 4500);
	assert_null(world_container(world, id, 2));
	world_run(world, 600);
	assert_non_null(world_container(world, id, 2));
	world_free(world);
}

static void a_restart_is_told_with_its_reason(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_job(world, "web", "exit3:1")->restart.max_attempts = 1;
	world_begin(world, "exit3:1");
	world_run(world, 2000);
	world_expect_story(world,
			   "Docker answers\n"
			   "worker joins its cluster\n"
			   "shop/web.1 pulling exit3:1\n"
			   "shop/web.1 started\n"
			   "shop/web.1 exited with status 3: restarting at once\n"
			   "shop/web.1 started attempt 2\n"
			   "shop/web.1 failed: exited with status 3; 1 of 1 restarts used\n");
	world_free(world);
}

/* ---- dead containers ---- */

static void the_last_two_dead_containers_are_kept_and_volumes_handed_on(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_job(world, "web", "exit3:1")->restart.max_attempts = 5;
	struct task_id id = world_begin(world, "exit3:1");
	world_run(world, 60000);
	assert_int_equal(world_observed(world, id)->attempt, 6);
	assert_int_equal(world->n_containers, 2);
	assert_non_null(world_container(world, id, 5));
	assert_non_null(world_container(world, id, 6));
	assert_true(world_container(world, id, 6)->anonymous_volume_kept);
	char name[CONTAINER_NAME_SIZE];
	char expected[CONTAINER_NAME_SIZE];
	assert_true(worker_container_of(world->worker, id, 0, name));
	container_name(id, 6, expected);
	assert_string_equal(name, expected);
	assert_true(worker_container_of(world->worker, id, 5, name));
	assert_false(worker_container_of(world->worker, id, 4, name));
	assert_false(worker_container_of(world->worker, id, 7, name));
	world_free(world);
}

static void what_ends_between_two_attempts_can_be_read(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_job(world, "web", "exit3:1")->restart.delay_ms = 5000;
	struct task_id id = world_begin(world, "exit3:1");
	world_run(world, 300);
	assert_int_equal(world_observed(world, id)->attempt, 2);
	world_want(world, id, TASK_WANT_STOP, REASON_STOPPED);
	world_run(world, 1000);
	world_expect(world, id, TASK_COMPLETED, REASON_STOPPED, "stopped while it was not running");
	char name[CONTAINER_NAME_SIZE];
	char expected[CONTAINER_NAME_SIZE];
	assert_true(worker_container_of(world->worker, id, 0, name));
	container_name(id, 1, expected);
	assert_string_equal(name, expected);
	assert_non_null(world_container(world, id, 1));
	world_free(world);
}

/* ---- health ---- */

static void health_is_reported_and_a_sick_container_is_replaced(void **state)
{
	(void)state;
	struct world *well = world_new();
	struct task_id id = world_begin(well, "well:1");
	world_run(well, 300);
	assert_int_equal(world_observed(well, id)->health, HEALTH_STARTING);
	world_run(well, 1000);
	assert_int_equal(world_observed(well, id)->health, HEALTH_HEALTHY);
	assert_int_equal(world_observed(well, id)->state, TASK_RUNNING);
	world_free(well);

	struct world *sick = world_new();
	id = world_begin(sick, "sick:1");
	world_run(sick, 700);
	world_expect_story(sick, "Docker answers\n"
				 "worker joins its cluster\n"
				 "shop/web.1 pulling sick:1\n"
				 "shop/web.1 started\n"
				 "shop/web.1 is unhealthy: port 80 is closed\n"
				 "shop/web.1 stopping: sent SIGTERM\n"
				 "shop/web.1 unhealthy: port 80 is closed: restarting at once\n"
				 "shop/web.1 started attempt 2\n");
	assert_int_equal(world_observed(sick, id)->attempts_used, 1);
	assert_int_equal(world_observed(sick, id)->health, HEALTH_STARTING);
	world_free(sick);
}

static void health_is_found_by_the_list_when_no_hint_comes(void **state)
{
	(void)state;
	struct world *world = world_new();
	world->hints = false;
	struct task_id id = world_begin(world, "well:1");
	world_run(world, 11000);
	assert_int_equal(world_observed(world, id)->health, HEALTH_HEALTHY);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_end_has_its_reason_and_its_sentence),
		TEST(an_end_is_found_by_the_list_when_no_hint_comes),
		TEST(a_container_somebody_removed_has_vanished_and_follows_the_policy),
		TEST(each_condition_restarts_what_it_names_and_nothing_else),
		TEST(a_used_up_policy_fails_with_the_last_end_and_the_count),
		TEST(attempts_of_earlier_tasks_of_the_slot_count),
		TEST(with_a_window_only_restarts_inside_it_count),
		TEST(the_window_fills_when_ends_come_faster),
		TEST(the_first_restart_is_at_once_and_then_pauses_double),
		TEST(pauses_are_capped_and_start_anew_after_a_stable_time),
		TEST(a_written_delay_is_the_minimum_of_every_pause),
		TEST(a_restart_is_told_with_its_reason),
		TEST(the_last_two_dead_containers_are_kept_and_volumes_handed_on),
		TEST(what_ends_between_two_attempts_can_be_read),
		TEST(health_is_reported_and_a_sick_container_is_replaced),
		TEST(health_is_found_by_the_list_when_no_hint_comes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
