/* Where there are many containers, most lists are of those that have ended. One container stands for many here: all are
 * listed once in 60 s for each. */
#include "worker_world.h"

static struct world *world_of_many(void)
{
	struct world *world = world_new();
	world->options.list_each_ms = 60000;
	world_crash(world);
	return world;
}

static void who_died_unseen_is_found_in_ten_seconds_however_many_there_are(void **state)
{
	(void)state;
	struct world *world = world_of_many();
	world->hints = false;
	struct task_id id = world_begin(world, "late3:1");
	world_run(world, 60000 + 10500);
	assert_int_equal(world_observed(world, id)->attempt, 2);
	world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
	world_free(world);
}

static void who_was_removed_unseen_is_found_by_the_list_of_all(void **state)
{
	(void)state;
	struct world *world = world_of_many();
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 21000);
	world_remove_container(world, world_container(world, id, 1));
	world_run(world, 30000);
	assert_int_equal(world_observed(world, id)->attempt, 1);
	world_run(world, 32000);
	assert_int_equal(world_observed(world, id)->attempt, 2);
	assert_int_equal(world_running(world, id), 1);
	world_free(world);
}

/* Whatever list is under way then. */
static void a_new_session_lists_all_at_once(void **state)
{
	(void)state;
	for (int64_t after_ms = 0; after_ms <= 66000; after_ms += 500) {
		struct world *world = world_of_many();
		struct task_id id = world_begin(world, "app:1");
		world_run(world, 10000);
		world->latency_ms = 1000;
		world_run(world, after_ms);
		world_remove_container(world, world_container(world, id, 1));
		world_session(world, false);
		world_session(world, true);
		world_run(world, 8000);
		assert_int_equal(world_observed(world, id)->attempt, 2);
		world_free(world);
	}
}

static void what_runs_is_no_news_to_a_list_of_the_ended(void **state)
{
	(void)state;
	struct world *world = world_of_many();
	world_begin(world, "app:1");
	world_run(world, 5000);
	int n_lists = world->n_done[CONTAINER_LIST];
	int n_inspections = world->n_done[CONTAINER_INSPECT];
	world_run(world, 50000);
	assert_int_equal(world->n_done[CONTAINER_LIST] - n_lists, 5);
	assert_int_equal(world->n_done[CONTAINER_INSPECT], n_inspections);
	world_free(world);
}

/* It is not shown, and ends all the same. */
static void a_stray_that_runs_is_not_forgotten_by_a_list_of_the_ended(void **state)
{
	(void)state;
	struct world *world = world_of_many();
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 3000);
	char name[CONTAINER_NAME_SIZE];
	struct task_id nobody = { { { 0x01, 0x90, 0xcc, 0, 0, 0, 0x70, 0, 0x80 } } };
	container_name(nobody, 1, name);
	world_put_container(world, name, world->cluster, nobody, 1)->seen.state = CONTAINER_RUNNING;
	world->options.orphan_grace_ms = 25000;
	world_crash(world);
	world_session(world, true);
	world_run(world, 24000);
	assert_int_equal(world_running(world, nobody), 1);
	assert_true(world->n_done[CONTAINER_LIST] > 3);
	world_run(world, 6000);
	assert_int_equal(world_running(world, nobody), 0);
	assert_int_equal(world_running(world, id), 1);
	world_free(world);
}

static void one_that_has_ended_and_is_shown_no_more_is_looked_at_once(void **state)
{
	(void)state;
	struct world *world = world_of_many();
	struct task_id id = world_begin(world, "done:1");
	world_run(world, 5000);
	world_expect(world, id, TASK_COMPLETED, REASON_EXIT_ZERO, "exited with status 0");
	int n_inspections = world->n_done[CONTAINER_INSPECT];
	world_run(world, 12000);
	assert_int_equal(world->n_done[CONTAINER_INSPECT], n_inspections);
	world_remove_container(world, world_container(world, id, 1));
	world_run(world, 30000);
	assert_int_equal(world->n_done[CONTAINER_INSPECT], n_inspections + 1);
	world_free(world);
}

static void who_died_unseen_is_found_also_while_lists_of_all_fail(void **state)
{
	(void)state;
	struct world *world = world_of_many();
	world->hints = false;
	struct task_id id = world_begin(world, "late3:1");
	world_run(world, 50000);
	struct world_fault *fault = world_fault(world, CONTAINER_LIST, FAULT_AMBIGUOUS, "too slow");
	fault->whole = true;
	fault->times = 1000;
	world_session(world, false);
	world_session(world, true);
	world_run(world, 20500);
	assert_int_equal(world_observed(world, id)->attempt, 2);
	assert_true(fault->times < 990);
	world_free(world);
}

/* Nothing starts then, so somebody has to be told why. */
static void lists_that_fail_again_and_again_are_told_once(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct world_fault *fault =
		world_fault(world, CONTAINER_LIST, FAULT_AMBIGUOUS, "it is too large.\n");
	fault->times = 3;
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 8000);
	assert_int_equal(world_running(world, id), 1);
	world_expect_story(world, "Docker answers\n"
				  "worker joins its cluster\n"
				  "shop/web.1 pulling app:1\n"
				  "shop/web.1 started\n");
	fault->times = 20;
	world_crash(world);
	world_session(world, true);
	world_run(world, 15000);
	world_expect_story(world,
			   "worker starts with 1 tasks\n"
			   "Docker answers\n"
			   "Docker does not list its containers, and nothing starts before it "
			   "does: it is too large\n");
	fault->times = 0;
	world_run(world, 5000);
	world_expect_story(world, "Docker lists its containers again\n");
	fault->times = 16;
	world_run(world, 40000);
	world_expect_story(world, "Docker does not list its containers: it is too large\n"
				  "Docker lists its containers again\n");
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_died_unseen_is_found_in_ten_seconds_however_many_there_are),
		TEST(who_was_removed_unseen_is_found_by_the_list_of_all),
		TEST(a_new_session_lists_all_at_once),
		TEST(what_runs_is_no_news_to_a_list_of_the_ended),
		TEST(a_stray_that_runs_is_not_forgotten_by_a_list_of_the_ended),
		TEST(one_that_has_ended_and_is_shown_no_more_is_looked_at_once),
		TEST(who_died_unseen_is_found_also_while_lists_of_all_fail),
		TEST(lists_that_fail_again_and_again_are_told_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
