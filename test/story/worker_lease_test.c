/* Leases: a container of a job with on_disconnect: stop does not outlive its worker's word from the manager. */
#include <string.h>

#include "base/limits.h"
#include "worker_world.h"

#define LEASE_MS 60000
#define BEAT_MS	 2000

static struct task_id begin_leased(struct world *world, const char *image)
{
	world_job(world, "web", image)->on_disconnect = ON_DISCONNECT_STOP;
	struct task_id id = world_task(world, "web");
	world_session(world, true);
	world_send_full(world);
	world_run(world, 5000);
	assert_int_equal(world_running(world, id), 1);
	world->told = world->story.len;
	return id;
}

/* No message of the worker is answered any more; its newest answered one is at most a beat old. */
static void cut(struct world *world)
{
	world_session(world, false);
}

static void it_runs_on_while_beats_are_answered(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = begin_leased(world, "app:1");
	world_run(world, 10 * LEASE_MS);
	assert_int_equal(world_running(world, id), 1);
	assert_int_equal(world_observed(world, id)->attempt, 1);
	world_free(world);
}

static void it_is_stopped_when_the_lease_is_over_and_the_task_may_be_replaced(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = begin_leased(world, "app:1");
	cut(world);
	world_run(world, LEASE_MS - BEAT_MS - 1);
	assert_int_equal(world_running(world, id), 1);
	world_run(world, BEAT_MS + 200);
	assert_int_equal(world_running(world, id), 0);
	world_session(world, true);
	world_run(world, 1000);
	world_expect(world, id, TASK_FAILED, REASON_LEASE_LAPSED,
		     "the manager has not answered for 1m, and its lease is over");
	assert_true(world_observed(world, id)->gone);
	assert_int_equal(world_observed(world, id)->attempts_used, 0);
	world_expect_story(
		world,
		"shop/web.1 must end: the manager has not answered for 1m, and its lease is over\n"
		"shop/web.1 stopping: sent SIGTERM\n"
		"shop/web.1 failed: the manager has not answered for 1m, and its lease is over\n");
	world_free(world);
}

static void who_ignores_the_signal_is_killed_after_the_grace_as_ever(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = begin_leased(world, "stubborn:1");
	cut(world);
	world_run(world, LEASE_MS + 9000 - BEAT_MS);
	assert_int_equal(world_running(world, id), 1);
	world_run(world, BEAT_MS + 1500);
	assert_int_equal(world_running(world, id), 0);
	world_free(world);
}

static void a_job_that_keeps_runs_on_for_ever(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 5000);
	cut(world);
	world_run(world, 100 * LEASE_MS);
	assert_int_equal(world_running(world, id), 1);
	world_free(world);
}

static void a_longer_lease_lasts_longer(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_job(world, "web", "app:1")->lease_ms = 10 * LEASE_MS;
	struct job_spec *spec = &world->templates.items[0].spec;
	spec->on_disconnect = ON_DISCONNECT_STOP;
	struct task_id id = world_task(world, "web");
	world_session(world, true);
	world_send_full(world);
	world_run(world, 5000);
	cut(world);
	world_run(world, 9 * LEASE_MS);
	assert_int_equal(world_running(world, id), 1);
	world_run(world, LEASE_MS + 200);
	assert_int_equal(world_running(world, id), 0);
	world_free(world);
}

static void a_session_whose_beats_nobody_answers_is_no_word(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = begin_leased(world, "app:1");
	world->acks = false;
	world->ack_due = 0;
	world_run(world, LEASE_MS + 200);
	assert_true(world->session);
	assert_int_equal(world_running(world, id), 0);
	world_expect(world, id, TASK_FAILED, REASON_LEASE_LAPSED,
		     "the manager has not answered for 1m, and its lease is over");
	world_free(world);
}

static void an_answer_without_its_set_is_no_word(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = begin_leased(world, "app:1");
	world->answers_full = false;
	/* The set that takes the task away is lost; only what came after it arrives. */
	world->rev++;
	world_run(world, LEASE_MS + 200);
	assert_int_equal(world_running(world, id), 0);
	world_free(world);
}

static void the_lease_goes_on_through_a_restart_of_the_worker(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = begin_leased(world, "app:1");
	world_run(world, 100000);
	cut(world);
	world_run(world, 10000);
	world_crash(world);
	world_run(world, 20000);
	world_crash(world);
	world_run(world, 5000);
	assert_int_equal(world_running(world, id), 1);
	assert_int_equal(world_container(world, id, 1)->seen.state, CONTAINER_RUNNING);
	/* It ends at most a quarter early, and never late. */
	world_run(world, LEASE_MS - 35000 + 200);
	assert_int_equal(world_running(world, id), 0);
	world_free(world);
}

static void a_worker_that_comes_back_after_the_lease_stops_it_at_once(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = begin_leased(world, "app:1");
	cut(world);
	world_run(world, 1000);
	world->now_ms += LEASE_MS;
	world_crash(world);
	world_run(world, 300);
	assert_int_equal(world_running(world, id), 0);
	world_free(world);
}

static void a_worker_that_was_halted_for_longer_stops_it_at_once(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = begin_leased(world, "app:1");
	cut(world);
	world->now_ms += 3 * LEASE_MS;
	world_run(world, 300);
	assert_int_equal(world_running(world, id), 0);
	world_free(world);
}

static void what_ended_is_not_started_again_without_word(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = begin_leased(world, "late3:1");
	cut(world);
	/* Its 60 seconds are over when less than an action's time of the lease is left. */
	world_run(world, LEASE_MS - 3000);
	assert_int_equal(world_running(world, id), 0);
	world_run(world, 10 * LEASE_MS);
	assert_int_equal(world_running(world, id), 0);
	world_session(world, true);
	world_run(world, 200);
	assert_int_equal(world_running(world, id), 1);
	assert_int_equal(world_observed(world, id)->attempt, 2);
	world_free(world);
}

static void after_a_reboot_it_waits_for_the_first_answer(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = begin_leased(world, "app:1");
	cut(world);
	world_reboot(world);
	world_run(world, 10 * LEASE_MS);
	assert_int_equal(world_running(world, id), 0);
	assert_null(world_container(world, id, 2));
	world_session(world, true);
	world_run(world, 100);
	world_run(world, 1000);
	assert_int_equal(world_running(world, id), 1);
	world_free(world);
}

static void it_tells_what_it_waits_for(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_job(world, "web", "app:1")->on_disconnect = ON_DISCONNECT_STOP;
	struct task_id id = world_task(world, "web");
	world->acks = false;
	world_session(world, true);
	world_send_full(world);
	world_run(world, 5000);
	world_expect(world, id, TASK_SCHEDULED, REASON_ASSIGNED,
		     "not started before the manager answers again: the job says on_disconnect: "
		     "stop");
	world_free(world);
}

static void who_has_no_lease_writes_nothing(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_begin(world, "app:1");
	world_run(world, 5000);
	int n_puts = world->n_puts;
	world_run(world, 10 * LEASE_MS);
	assert_int_equal(world->n_puts, n_puts);
	world_free(world);
}

static void who_has_one_writes_four_times_in_it(void **state)
{
	(void)state;
	struct world *world = world_new();
	begin_leased(world, "app:1");
	int n_puts = world->n_puts;
	world_run(world, 10 * LEASE_MS);
	assert_in_range(world->n_puts - n_puts, 35, 40);
	world_free(world);
}

static void docker_that_was_away_stops_it_when_it_is_back(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = begin_leased(world, "app:1");
	cut(world);
	world->docker_up = false;
	world_event(world, &(struct worker_event){ .kind = WORKER_RUNTIME_DOWN });
	world_run(world, 2 * LEASE_MS);
	assert_int_equal(world_running(world, id), 1);
	world->docker_up = true;
	world_event(world, &(struct worker_event){ .kind = WORKER_RUNTIME_UP,
						   .daemon_instance = world->instance });
	world_run(world, 300);
	assert_int_equal(world_running(world, id), 0);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_runs_on_while_beats_are_answered),
		TEST(it_is_stopped_when_the_lease_is_over_and_the_task_may_be_replaced),
		TEST(who_ignores_the_signal_is_killed_after_the_grace_as_ever),
		TEST(a_job_that_keeps_runs_on_for_ever),
		TEST(a_longer_lease_lasts_longer),
		TEST(a_session_whose_beats_nobody_answers_is_no_word),
		TEST(an_answer_without_its_set_is_no_word),
		TEST(the_lease_goes_on_through_a_restart_of_the_worker),
		TEST(a_worker_that_comes_back_after_the_lease_stops_it_at_once),
		TEST(a_worker_that_was_halted_for_longer_stops_it_at_once),
		TEST(what_ended_is_not_started_again_without_word),
		TEST(after_a_reboot_it_waits_for_the_first_answer),
		TEST(it_tells_what_it_waits_for),
		TEST(who_has_no_lease_writes_nothing),
		TEST(who_has_one_writes_four_times_in_it),
		TEST(docker_that_was_away_stops_it_when_it_is_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
