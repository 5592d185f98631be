/* Starting: the path, its faults, and answers that leave the outcome open. */
#include <string.h>

#include "worker_world.h"

static void a_task_is_pulled_created_started_and_reported(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 3000);
	world_expect_story(world, "Docker answers\n"
				  "worker joins its cluster\n"
				  "shop/web.1 pulling app:1\n"
				  "shop/web.1 started\n");
	world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
	assert_int_equal(world_observed(world, id)->attempt, 1);
	assert_int_equal(world_observed(world, id)->exit_code, -1);
	assert_true(world_observed(world, id)->started_wall_ms > 0);
	assert_string_equal(world_observed(world, id)->container_id,
			    world_container(world, id, 1)->seen.id);
	assert_int_equal(world->n_done[CONTAINER_CREATE], 1);
	assert_int_equal(world->n_done[CONTAINER_START], 1);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_task_is_pulled_created_started_and_reported),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
