/* Health checks that the worker makes: when it asks, and what follows from the answers. */
#include <string.h>

#include "worker_world.h"

#define INTERVAL_MS 10000

/* A job whose tasks are asked every ten seconds, for one second. */
static struct probe *probed_job(struct world *world, const char *name, const char *image)
{
	struct job_spec *spec = world_job(world, name, image);
	spec->probe = base_calloc(1, sizeof(*spec->probe));
	record_init(&probe_type, spec->probe);
	spec->probe->kind = PROBE_HTTP;
	spec->probe->port = 8080;
	string_set(&spec->probe->path, "/ready");
	spec->probe->interval_ms = INTERVAL_MS;
	spec->probe->timeout_ms = 1000;
	return spec->probe;
}

static int health_of(const struct world *world, struct task_id id)
{
	return world_observed(world, id)->health;
}

/* Until it was asked so often, and what followed has been told. */
static void let_ask(struct world *world, int times)
{
	int until = world->n_done[CONTAINER_PROBE] + times;
	for (int i = 0; world->n_done[CONTAINER_PROBE] < until; i++) {
		assert_true(i < 1000 * times);
		world_run(world, 100);
	}
	world_run(world, 2500);
}

static void a_task_is_ready_once_it_answers(void **state)
{
	(void)state;
	struct world *world = world_new();
	probed_job(world, "web", "app:1");
	struct task_id id = world_begin(world, "app:1");
	int64_t begun_ms = world->now_ms;
	world_run(world, INTERVAL_MS / 2);
	assert_int_equal(world_observed(world, id)->state, TASK_RUNNING);
	assert_int_equal(health_of(world, id), HEALTH_STARTING);
	assert_int_equal(world->n_done[CONTAINER_PROBE], 0);
	world_run(world, INTERVAL_MS / 2 + 1000);
	assert_int_equal(health_of(world, id), HEALTH_HEALTHY);
	assert_int_equal(world->n_done[CONTAINER_PROBE], 1);
	assert_true(world->probed_ms > begun_ms + INTERVAL_MS / 2);
	world_expect_story(world, "Docker answers\n"
				  "worker joins its cluster\n"
				  "shop/web.1 pulling app:1\n"
				  "shop/web.1 started\n"
				  "shop/web.1 is healthy\n");
	world_run(world, 10 * INTERVAL_MS);
	assert_in_range(world->n_done[CONTAINER_PROBE], 10, 11);
	world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
	world_free(world);
}

static void so_many_failures_in_a_row_are_a_restart_under_the_policy(void **state)
{
	(void)state;
	struct world *world = world_new();
	probed_job(world, "web", "app:1");
	struct task_id id = world_begin(world, "app:1");
	let_ask(world, 1);
	assert_int_equal(health_of(world, id), HEALTH_HEALTHY);
	world_expect_story(world, "Docker answers\n"
				  "worker joins its cluster\n"
				  "shop/web.1 pulling app:1\n"
				  "shop/web.1 started\n"
				  "shop/web.1 is healthy\n");
	world->ill = "answered 503";
	let_ask(world, 1);
	world_expect(world, id, TASK_RUNNING, REASON_RUNNING,
		     "running; health check GET :8080/ready answered 503");
	assert_int_equal(health_of(world, id), HEALTH_HEALTHY);
	let_ask(world, 1);
	world_expect(world, id, TASK_RUNNING, REASON_RUNNING,
		     "running; health check GET :8080/ready answered 503, 2 times in a row");
	assert_int_equal(health_of(world, id), HEALTH_HEALTHY);
	let_ask(world, 1);
	world_expect_story(
		world,
		"shop/web.1 is unhealthy: health check GET :8080/ready answered 503, 3 times in a "
		"row\n"
		"shop/web.1 stopping: sent SIGTERM\n"
		"shop/web.1 unhealthy: health check GET :8080/ready answered 503, 3 times in a "
		"row: restarting at once\n"
		"shop/web.1 started attempt 2\n");
	assert_int_equal(world_observed(world, id)->attempts_used, 1);
	assert_int_equal(health_of(world, id), HEALTH_STARTING);
	/* At its new address. */
	world->ill = NULL;
	let_ask(world, 1);
	assert_int_equal(health_of(world, id), HEALTH_HEALTHY);
	assert_int_equal(world_observed(world, id)->attempt, 2);
	world_free(world);
}

static void a_used_up_policy_says_what_the_check_said(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct probe *probe = probed_job(world, "web", "app:1");
	world->templates.items[0].spec.restart.condition = RESTART_NONE;
	probe->kind = PROBE_TCP;
	probe->port = 5432;
	probe->retries = 1;
	world->ill = "found the port closed";
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 2 * INTERVAL_MS);
	world_expect(world, id, TASK_FAILED, REASON_UNHEALTHY,
		     "unhealthy: health check TCP :5432 found the port closed; its restart policy "
		     "is none");
	world_free(world);
}

static void a_success_between_failures_begins_the_count_anew(void **state)
{
	(void)state;
	struct world *world = world_new();
	probed_job(world, "web", "app:1");
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 2 * INTERVAL_MS);
	for (int round = 0; round < 3; round++) {
		world->ill = "answered 500";
		let_ask(world, 2);
		world->ill = NULL;
		let_ask(world, 1);
		world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
	}
	assert_int_equal(world_observed(world, id)->attempt, 1);
	world_free(world);
}

static void failures_within_the_start_period_do_not_count(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct probe *probe = probed_job(world, "web", "app:1");
	probe->start_period_ms = 60000;
	probe->start_interval_ms = 2000;
	probe->retries = 2;
	world->ill = "found the port closed";
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 58000);
	assert_in_range(world->n_done[CONTAINER_PROBE], 27, 30);
	assert_int_equal(health_of(world, id), HEALTH_STARTING);
	/* Then they do, at the usual interval. */
	world_run(world, 2 * INTERVAL_MS + 5000);
	assert_int_equal(world_observed(world, id)->attempts_used, 1);
	world_free(world);

	world = world_new();
	probe = probed_job(world, "web", "app:1");
	probe->start_period_ms = 600000;
	probe->start_interval_ms = 2000;
	probe->retries = 2;
	world->ill = "found the port closed";
	id = world_begin(world, "app:1");
	world_run(world, 20000);
	world->ill = NULL;
	world_run(world, 3000);
	assert_int_equal(health_of(world, id), HEALTH_HEALTHY);
	/* One success ends it, however much of it is left. */
	world->ill = "answered 500";
	world_run(world, 2 * INTERVAL_MS + 2000);
	assert_int_equal(world_observed(world, id)->attempts_used, 1);
	world_free(world);
}

static void no_answer_is_a_failure_when_its_time_is_over(void **state)
{
	(void)state;
	struct world *world = world_new();
	probed_job(world, "web", "app:1")->retries = 1;
	world->probe_ms = 60000;
	struct task_id id = world_begin(world, "app:1");
	world_run(world, INTERVAL_MS + 1500);
	assert_int_equal(world_observed(world, id)->attempts_used, 1);
	world_free(world);
}

/* ---- around it ---- */

static void a_stop_waits_for_no_answer_and_ends_the_questions(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct probe *probe = probed_job(world, "web", "app:1");
	probe->interval_ms = 1000;
	probe->timeout_ms = 600000;
	world->probe_ms = 300000;
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 5000);
	assert_int_equal(world->n_actions, 1);
	world_want(world, id, TASK_WANT_STOP, REASON_STOPPED);
	world_run(world, 1000);
	world_expect(world, id, TASK_COMPLETED, REASON_STOPPED, "stopped by SIGTERM");
	assert_int_equal(health_of(world, id), HEALTH_NONE);
	/* Nor does its connection stay open until the question's time is over. */
	assert_int_equal(world->n_actions, 0);
	int64_t probed_ms = world->probed_ms;
	world_run(world, 600000);
	assert_int_equal(world->probed_ms, probed_ms);
	world_free(world);
}

static void who_ends_by_itself_has_its_own_reason(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct probe *probe = probed_job(world, "web", "exit3:1");
	world->templates.items[0].spec.restart.condition = RESTART_NONE;
	probe->interval_ms = 150;
	probe->retries = 1;
	/* Nobody tells that it ended, but the check that fails. */
	world->hints = false;
	struct task_id id = world_begin(world, "exit3:1");
	world_run(world, 1000);
	world_expect(world, id, TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 3; its restart policy is none");
	world_free(world);
}

static void an_adopted_task_is_as_well_as_it_was(void **state)
{
	(void)state;
	struct world *world = world_new();
	probed_job(world, "web", "app:1");
	struct task_id id = world_begin(world, "app:1");
	let_ask(world, 1);
	world->ill = "answered 503";
	let_ask(world, 2);
	assert_int_equal(health_of(world, id), HEALTH_HEALTHY);
	world_crash(world);
	world_run(world, 100);
	assert_int_equal(health_of(world, id), HEALTH_HEALTHY);
	/* Three failures of this life. */
	let_ask(world, 2);
	assert_int_equal(health_of(world, id), HEALTH_HEALTHY);
	assert_int_equal(world_observed(world, id)->attempt, 1);
	let_ask(world, 1);
	assert_int_equal(world_observed(world, id)->attempts_used, 1);
	world_free(world);
}

static void a_start_period_goes_on_in_the_next_life(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct probe *probe = probed_job(world, "web", "app:1");
	probe->start_period_ms = 60000;
	probe->start_interval_ms = 2000;
	probe->retries = 2;
	world->ill = "found the port closed";
	struct task_id id = world_begin(world, "app:1");
	for (int i = 0; i < 5; i++) {
		world_run(world, 11000);
		world_crash(world);
	}
	assert_int_equal(health_of(world, id), HEALTH_STARTING);
	assert_int_equal(world_observed(world, id)->attempt, 1);
	world_run(world, 3 * INTERVAL_MS);
	assert_int_equal(world_observed(world, id)->attempts_used, 1);
	world_free(world);
}

static void checks_go_on_while_the_manager_is_away(void **state)
{
	(void)state;
	struct world *world = world_new();
	probed_job(world, "web", "app:1");
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 2 * INTERVAL_MS);
	world_session(world, false);
	world->ill = "answered 503";
	world_run(world, 4 * INTERVAL_MS);
	world->ill = NULL;
	assert_non_null(world_container(world, id, 2));
	world_run(world, 2 * INTERVAL_MS);
	world_session(world, true);
	world_run(world, 100);
	assert_int_equal(world_observed(world, id)->attempt, 2);
	assert_int_equal(health_of(world, id), HEALTH_HEALTHY);
	world_free(world);
}

static void docker_that_comes_and_goes_makes_nobody_ill(void **state)
{
	(void)state;
	struct world *world = world_new();
	probed_job(world, "web", "app:1")->retries = 1;
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 2 * INTERVAL_MS);
	world->probe_ms = 900;
	for (int i = 0; i < 20; i++) {
		world_docker_blink(world);
		world_run(world, 1700);
	}
	assert_int_equal(health_of(world, id), HEALTH_HEALTHY);
	assert_int_equal(world_observed(world, id)->attempt, 1);
	/* Nor does a machine that has no socket left to ask with. */
	struct world_fault *fault = world_fault(world, CONTAINER_PROBE, FAULT_FAILED,
						"could not be made: Too many open files");
	fault->times = 5;
	world->told = world->story.len;
	world_run(world, 5 * INTERVAL_MS);
	assert_int_equal(health_of(world, id), HEALTH_HEALTHY);
	world_expect_story(world, "shop/web.1 health check GET :8080/ready could not be made: Too "
				  "many open files\n");
	world_free(world);
}

static void who_is_paused_is_not_ill(void **state)
{
	(void)state;
	struct world *world = world_new();
	probed_job(world, "web", "app:1");
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 2 * INTERVAL_MS);
	world_container(world, id, 1)->seen.state = CONTAINER_PAUSED;
	world_run(world, 10 * INTERVAL_MS);
	assert_int_equal(world_observed(world, id)->attempt, 1);
	assert_int_equal(health_of(world, id), HEALTH_HEALTHY);
	int asked = world->n_done[CONTAINER_PROBE];
	/* It goes on, and nobody says so. */
	world_container(world, id, 1)->seen.state = CONTAINER_RUNNING;
	world_run(world, 3 * INTERVAL_MS);
	assert_true(world->n_done[CONTAINER_PROBE] > asked);
	world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
	world_free(world);
}

static void without_an_address_it_cannot_answer(void **state)
{
	(void)state;
	struct world *world = world_new();
	probed_job(world, "web", "app:1")->retries = 2;
	world->no_addresses = true;
	struct task_id id = world_begin(world, "app:1");
	world_run(world, INTERVAL_MS + 2500);
	world_expect(world, id, TASK_RUNNING, REASON_RUNNING,
		     "running; health check GET :8080/ready found no address of the container");
	world_run(world, INTERVAL_MS);
	assert_int_equal(world_observed(world, id)->attempts_used, 1);
	assert_int_equal(world->n_done[CONTAINER_PROBE], 0);
	world_free(world);
}

static void a_task_of_the_machines_network_is_asked_there(void **state)
{
	(void)state;
	struct world *world = world_new();
	probed_job(world, "web", "app:1");
	struct job_spec *spec = &world->templates.items[0].spec;
	spec->isolation = base_calloc(1, sizeof(*spec->isolation));
	spec->isolation->network_mode = NETWORK_MODE_HOST;
	world->no_addresses = true;
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 2 * INTERVAL_MS);
	assert_int_equal(health_of(world, id), HEALTH_HEALTHY);
	world_free(world);
}

/* ---- many ---- */

static void questions_wait_for_their_turn(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id ids[6];
	world->options.probes_parallel = 2;
	world_crash(world);
	probed_job(world, "web", "app:1")->interval_ms = 1000;
	world->probe_ms = 900;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		ids[i] = world_task(world, "web");
	world_session(world, true);
	world_send_full(world);
	world_run(world, 10000);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		assert_int_equal(health_of(world, ids[i]), HEALTH_HEALTHY);
	/* One that is stopped while it waits leaves the others their turn. */
	world_want(world, ids[2], TASK_WANT_STOP, REASON_STOPPED);
	int asked = world->n_done[CONTAINER_PROBE];
	world_run(world, 9000);
	assert_in_range(world->n_done[CONTAINER_PROBE], asked + 18, asked + 20);
	world_free(world);
}

/* One that is paused while it waits for its turn does not keep the others from theirs. */
static void who_is_paused_in_the_queue_holds_up_nobody(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id ids[6];
	char name[CONTAINER_NAME_SIZE];
	world->options.probes_parallel = 2;
	world_crash(world);
	probed_job(world, "web", "app:1")->interval_ms = 1000;
	world->probe_ms = 900;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		ids[i] = world_task(world, "web");
	world_session(world, true);
	world_send_full(world);
	world_run(world, 10000);
	/* At many moments, so that some of them find the one in question at the head. */
	for (int round = 0; round < 30; round++) {
		struct task_id id = ids[round % 6];
		world_run(world, 130 * round);
		world_container(world, id, 1)->seen.state = CONTAINER_PAUSED;
		container_name(id, 1, name);
		world_event(world, &(struct worker_event){ .kind = WORKER_HINT, .name = name });
		int asked = world->n_done[CONTAINER_PROBE];
		world_run(world, 20000);
		assert_in_range(world->n_done[CONTAINER_PROBE] - asked, 40, 60);
		world_container(world, id, 1)->seen.state = CONTAINER_RUNNING;
		world_run(world, 5000);
	}
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		assert_int_equal(health_of(world, ids[i]), HEALTH_HEALTHY);
	world_free(world);
}

/* Tasks that begin together are not asked together. */
static void first_questions_are_spread(void **state)
{
	(void)state;
	int64_t earliest_ms = INT64_MAX, latest_ms = 0;
	for (uint8_t n = 1; n <= 16; n++) {
		struct world *world = world_new();
		probed_job(world, "web", "app:1");
		world->n_made = n;
		world_begin(world, "app:1");
		int64_t begun_ms = world->now_ms;
		world_run(world, INTERVAL_MS + 1000);
		int64_t waited_ms = world->probed_ms - begun_ms;
		earliest_ms = waited_ms < earliest_ms ? waited_ms : earliest_ms;
		latest_ms = waited_ms > latest_ms ? waited_ms : latest_ms;
		world_free(world);
	}
	assert_true(earliest_ms < 6500);
	assert_true(latest_ms > 8500);
}

static void a_crash_at_any_action_leaves_the_check_as_it_was(void **state)
{
	(void)state;
	bool crashed = true;
	int n = 0;
	for (; crashed; n++) {
		struct world *world = world_new();
		probed_job(world, "web", "app:1")->interval_ms = 1000;
		world->crash_at = n / 2 + 1;
		world->crash_after = n & 1;
		struct task_id id = world_begin(world, "app:1");
		world_run(world, 6000);
		world->ill = "answered 503";
		world_run(world, 4000);
		world->ill = NULL;
		world_run(world, 6000);
		crashed = world->crashed;
		assert_int_equal(health_of(world, id), HEALTH_HEALTHY);
		assert_in_range(world_observed(world, id)->attempt, 1, 2);
		world_free(world);
	}
	assert_true(n > 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_task_is_ready_once_it_answers),
		TEST(so_many_failures_in_a_row_are_a_restart_under_the_policy),
		TEST(a_used_up_policy_says_what_the_check_said),
		TEST(a_success_between_failures_begins_the_count_anew),
		TEST(failures_within_the_start_period_do_not_count),
		TEST(no_answer_is_a_failure_when_its_time_is_over),
		TEST(a_stop_waits_for_no_answer_and_ends_the_questions),
		TEST(who_ends_by_itself_has_its_own_reason),
		TEST(an_adopted_task_is_as_well_as_it_was),
		TEST(a_start_period_goes_on_in_the_next_life),
		TEST(checks_go_on_while_the_manager_is_away),
		TEST(docker_that_comes_and_goes_makes_nobody_ill),
		TEST(who_is_paused_is_not_ill),
		TEST(without_an_address_it_cannot_answer),
		TEST(a_task_of_the_machines_network_is_asked_there),
		TEST(questions_wait_for_their_turn),
		TEST(who_is_paused_in_the_queue_holds_up_nobody),
		TEST(first_questions_are_spread),
		TEST(a_crash_at_any_action_leaves_the_check_as_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
