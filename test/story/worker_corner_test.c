/* What clocks and Docker may say, and no record can hold: the worker must be able to read its own store again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "worker_world.h"

static void a_clock_before_1970_does_not_damage_the_store(void **state)
{
	(void)state;
	struct world *world = world_new();
	world->wall_offset_ms = -86400000LL * 3650;
	struct task_id id = world_begin(world, "exit3:1");
	world_run(world, 60000);
	world_crash(world);
	world_run(world, 600000);
	world_expect(world, id, TASK_SCHEDULED, REASON_RESTARTING,
		     world_observed(world, id)->message);
	/* Not 0: it has run. */
	assert_int_equal(world_observed(world, id)->started_wall_ms, 1);
	world_free(world);
}

static void an_exit_code_beyond_all_bounds_does_not_damage_the_store(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 1000);
	struct world_container *container = world_container(world, id, 1);
	container->seen.state = CONTAINER_EXITED;
	container->seen.exit_code = 1LL << 40;
	world_run(world, 20000);
	world_crash(world);
	world_run(world, 20000);
	assert_int_equal(world_running(world, id), 1);
	assert_int_equal(world_observed(world, id)->attempt, 2);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clock_before_1970_does_not_damage_the_store),
		cmocka_unit_test(an_exit_code_beyond_all_bounds_does_not_damage_the_store),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
