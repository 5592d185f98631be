/* Stopping and removing: the ladder, its proof, and what keeps its own exit. */
#include <string.h>

#include "worker_world.h"

static struct task_id begin_running(struct world *world, const char *image)
{
	struct task_id id = world_begin(world, image);
	world_run(world, 3000);
	assert_int_equal(world_running(world, id), 1);
	world->told = world->story.len;
	return id;
}

static void a_stop_sends_the_signal_and_is_believed_only_when_seen(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = begin_running(world, "app:1");
	world_want(world, id, TASK_WANT_STOP, REASON_SCALED_DOWN);
	world_run(world, 30);
	assert_int_equal(world_observed(world, id)->state, TASK_RUNNING);
	world_run(world, 200);
	world_expect(world, id, TASK_COMPLETED, REASON_SCALED_DOWN, "stopped by SIGTERM");
	assert_true(world_observed(world, id)->gone);
	assert_false(world_observed(world, id)->removed);
	assert_int_equal(world->n_done[CONTAINER_KILL], 1);
	world_expect_story(world, "shop/web.1 stopping: sent SIGTERM\n"
				  "shop/web.1 completed: stopped by SIGTERM\n");
	/* The dead container is kept for its logs. */
	assert_int_equal(world_container(world, id, 1)->seen.state, CONTAINER_EXITED);
	world_free(world);
}

/* More tasks than a worker has actions under way: each of them waits for its turn at every step. */
static void many_are_stopped_at_once(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id ids[100];
	world_job(world, "web", "app:1");
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		ids[i] = world_task(world, "web");
	world_session(world, true);
	world_send_full(world);
	world_run(world, 30000);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		assert_int_equal(world_running(world, ids[i]), 1);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		world_want(world, ids[i], TASK_WANT_STOP, REASON_SCALED_DOWN);
	world_run(world, 2000);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		world_expect(world, ids[i], TASK_COMPLETED, REASON_SCALED_DOWN,
			     "stopped by SIGTERM");
	assert_int_equal(world->n_done[CONTAINER_KILL], ARRAY_LEN(ids));
	world_free(world);
}

static void who_ignores_the_signal_is_killed_after_the_grace(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = begin_running(world, "stubborn:1");
	world_want(world, id, TASK_WANT_STOP, REASON_STOPPED);
	world_run(world, 9900);
	assert_int_equal(world_running(world, id), 1);
	world_expect(world, id, TASK_RUNNING, REASON_STOPPING,
		     "stopping: sent SIGTERM, SIGKILL follows after 10s");
	world_run(world, 500);
	world_expect(world, id, TASK_COMPLETED, REASON_STOPPED,
		     "killed: still running 10s after SIGTERM");
	world_expect_story(world,
			   "shop/web.1 stopping: sent SIGTERM\n"
			   "shop/web.1 did not stop in time: sent SIGKILL\n"
			   "shop/web.1 completed: killed: still running 10s after SIGTERM\n");
	world_free(world);
}

static void a_paused_container_is_killed_after_the_grace(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = begin_running(world, "app:1");
	world_container(world, id, 1)->seen.state = CONTAINER_PAUSED;
	world_want(world, id, TASK_WANT_STOP, REASON_STOPPED);
	world_run(world, 11000);
	world_expect(world, id, TASK_COMPLETED, REASON_STOPPED,
		     "killed: still running 10s after SIGTERM");
	world_free(world);
}

static void signal_and_grace_are_the_jobs_own(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct job_spec *spec = world_job(world, "web", "stubborn:1");
	string_set(&spec->stop_signal, "SIGINT");
	spec->stop_grace_ms = 2500;
	struct task_id id = begin_running(world, "stubborn:1");
	world_want(world, id, TASK_WANT_STOP, REASON_STOPPED);
	world_run(world, 3000);
	world_expect(world, id, TASK_COMPLETED, REASON_STOPPED,
		     "killed: still running 2.5s after SIGINT");
	world_free(world);
}

static void the_images_signal_is_used_where_the_job_names_none(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = begin_running(world, "app:1");
	world_container(world, id, 1)->seen.stop_signal = base_strdup("SIGQUIT");
	world_want(world, id, TASK_WANT_STOP, REASON_STOPPED);
	world_run(world, 500);
	world_expect(world, id, TASK_COMPLETED, REASON_STOPPED, "stopped by SIGQUIT");
	world_free(world);
}

static void a_signal_docker_does_not_know_leads_to_sigkill(void **state)
{
	(void)state;
	struct world *world = world_new();
	string_set(&world_job(world, "web", "app:1")->stop_signal, "SIGNONSENSE");
	struct task_id id = begin_running(world, "app:1");
	world_fault(world, CONTAINER_KILL, FAULT_REFUSED, "Invalid signal");
	world_want(world, id, TASK_WANT_STOP, REASON_STOPPED);
	world_run(world, 500);
	assert_int_equal(world_observed(world, id)->state, TASK_COMPLETED);
	assert_int_equal(world_running(world, id), 0);
	world_free(world);
}

static void faults_on_the_way_down_do_not_leave_it_running(void **state)
{
	(void)state;
	static const int verbs[] = { CONTAINER_KILL, CONTAINER_INSPECT };
	static const int faults[] = { FAULT_AMBIGUOUS, FAULT_FAILED, FAULT_UNREACHABLE };
	for (int n = 0; n < 6; n++) {
		struct world *world = world_new();
		struct task_id id = begin_running(world, n & 1 ? "app:1" : "stubborn:1");
		world_fault(world, verbs[n & 1], faults[n / 2], "EOF")->times = 5;
		world_want(world, id, TASK_WANT_STOP, REASON_STOPPED);
		world_run(world, 40000);
		assert_int_equal(world_observed(world, id)->state, TASK_COMPLETED);
		assert_int_equal(world_observed(world, id)->reason, REASON_STOPPED);
		assert_int_equal(world_running(world, id), 0);
		world_free(world);
	}
}

static void a_stop_is_seen_through_without_hints(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = begin_running(world, "app:1");
	world->hints = false;
	world_want(world, id, TASK_WANT_STOP, REASON_STOPPED);
	world_run(world, 1500);
	world_expect(world, id, TASK_COMPLETED, REASON_STOPPED, "stopped by SIGTERM");
	world_free(world);
}

static void a_task_stopped_before_it_started_completes_at_once(void **state)
{
	(void)state;
	struct world *world = world_new();
	world->options.starts_parallel = 1;
	world_crash(world);
	world->latency_ms = 1000;
	world_job(world, "web", "app:1");
	struct task_id first = world_task(world, "web");
	struct task_id second = world_task(world, "web");
	world_session(world, true);
	world_send_full(world);
	world_run(world, 1500);
	/* One waits for its pull, which may take minutes; the other waits for its turn. */
	assert_int_equal(world->n_done[CONTAINER_PULL], 0);
	world_want(world, first, TASK_WANT_STOP, REASON_STOPPED);
	world_want(world, second, TASK_WANT_STOP, REASON_STOPPED);
	/* What the worker says next comes once this is acknowledged. */
	world_run(world, 10);
	world_expect(world, second, TASK_COMPLETED, REASON_STOPPED, "stopped before it started");
	world_expect(world, first, TASK_COMPLETED, REASON_STOPPED, "stopped before it started");
	assert_true(world_observed(world, first)->gone);
	world_run(world, 10000);
	assert_int_equal(world->n_containers, 0);
	world_free(world);
}

static void a_stop_during_each_step_of_a_start_leaves_nothing_running(void **state)
{
	(void)state;
	for (int64_t at_ms = 0; at_ms < 80; at_ms += 5) {
		struct world *world = world_new();
		struct task_id id = world_begin(world, "app:1");
		world_run(world, at_ms);
		world_want(world, id, TASK_WANT_STOP, REASON_STOPPED);
		world_run(world, 3000);
		assert_int_equal(world_observed(world, id)->state, TASK_COMPLETED);
		assert_int_equal(world_observed(world, id)->reason, REASON_STOPPED);
		assert_true(world_observed(world, id)->gone);
		assert_int_equal(world_running(world, id), 0);
		world_free(world);
	}
}

static void what_ended_by_itself_before_the_signal_keeps_its_exit(void **state)
{
	(void)state;
	struct world *world = world_new();
	world->hints = false;
	struct task_id id = world_begin(world, "done:1");
	world_run(world, 1000);
	/* It is over, and the worker does not know yet. */
	assert_int_equal(world_observed(world, id)->state, TASK_RUNNING);
	assert_int_equal(world_running(world, id), 0);
	world_want(world, id, TASK_WANT_STOP, REASON_STOPPED);
	world_run(world, 500);
	world_expect(world, id, TASK_COMPLETED, REASON_EXIT_ZERO, "exited with status 0");
	assert_int_equal(world->n_done[CONTAINER_KILL], 0);
	world_free(world);
}

static void an_exit_of_zero_after_our_signal_is_no_success(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_job(world, "web", "app:1")->mode = JOB_REPLICATED_JOB;
	struct task_id id = begin_running(world, "app:1");
	world_want(world, id, TASK_WANT_STOP, REASON_STOPPED);
	world_run(world, 500);
	assert_int_equal(world_observed(world, id)->exit_code, 0);
	assert_int_equal(world_observed(world, id)->reason, REASON_STOPPED);
	world_free(world);
}

static void a_removal_takes_all_its_containers_and_then_the_record(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = world_begin(world, "exit3:1");
	world_run(world, 2000);
	assert_true(world->n_containers > 1);
	world_want(world, id, TASK_WANT_REMOVE, REASON_REMOVED);
	world_run(world, 1000);
	assert_true(world_observed(world, id)->gone);
	assert_true(world_observed(world, id)->removed);
	assert_int_equal(world->n_containers, 0);
	size_t n_records = world->store.n;
	world_forget(world, id);
	world_run(world, 1000);
	assert_int_equal(world->store.n, n_records - 1);
	world_free(world);
}

static void a_task_that_is_not_listed_any_more_is_removed_without_a_word(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = begin_running(world, "app:1");
	size_t n_records = world->store.n;
	record_release(&sync_assignment_type, &world->tasks.items[0]);
	world->tasks.n = 0;
	int64_t version = world_observed(world, id)->version;
	world_send_full(world);
	world_run(world, 5000);
	assert_int_equal(world->n_containers, 0);
	assert_int_equal(world->store.n, n_records - 1);
	assert_int_equal(world_observed(world, id)->version, version);
	assert_int_equal(world->last_up.digest, 0);
	world_free(world);
}

static void a_finished_container_that_somebody_starts_again_is_stopped(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = begin_running(world, "app:1");
	world_want(world, id, TASK_WANT_STOP, REASON_STOPPED);
	world_run(world, 500);
	assert_true(world_observed(world, id)->gone);
	world->known[0].observed.gone = false; /* somebody else broke the promise, not the worker */
	world_container(world, id, 1)->seen.state = CONTAINER_RUNNING;
	world_run(world, 15000);
	assert_int_equal(world_running(world, id), 0);
	assert_int_equal(world_observed(world, id)->state, TASK_COMPLETED);
	world_free(world);
}

static void a_container_that_cannot_be_removed_is_tried_again(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = begin_running(world, "app:1");
	world_fault(world, CONTAINER_REMOVE, FAULT_FAILED, "device is busy")->times = 3;
	world_want(world, id, TASK_WANT_REMOVE, REASON_REMOVED);
	world_run(world, 8000);
	assert_false(world_observed(world, id)->removed);
	assert_true(world_observed(world, id)->gone);
	world_run(world, 20000);
	assert_true(world_observed(world, id)->removed);
	assert_int_equal(world->n_containers, 0);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_stop_sends_the_signal_and_is_believed_only_when_seen),
		TEST(many_are_stopped_at_once),
		TEST(who_ignores_the_signal_is_killed_after_the_grace),
		TEST(a_paused_container_is_killed_after_the_grace),
		TEST(signal_and_grace_are_the_jobs_own),
		TEST(the_images_signal_is_used_where_the_job_names_none),
		TEST(a_signal_docker_does_not_know_leads_to_sigkill),
		TEST(faults_on_the_way_down_do_not_leave_it_running),
		TEST(a_stop_is_seen_through_without_hints),
		TEST(a_task_stopped_before_it_started_completes_at_once),
		TEST(a_stop_during_each_step_of_a_start_leaves_nothing_running),
		TEST(what_ended_by_itself_before_the_signal_keeps_its_exit),
		TEST(an_exit_of_zero_after_our_signal_is_no_success),
		TEST(a_removal_takes_all_its_containers_and_then_the_record),
		TEST(a_task_that_is_not_listed_any_more_is_removed_without_a_word),
		TEST(a_finished_container_that_somebody_starts_again_is_stopped),
		TEST(a_container_that_cannot_be_removed_is_tried_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
