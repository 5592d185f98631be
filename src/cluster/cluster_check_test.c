/* cluster_check() is worth something only if it notices: each case plants one difference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cluster/test_world.h"

static struct task *a_task(struct world *world)
{
	return world->cluster.columns.entry[0]->tasks.items[0];
}

static void wrong_reservation(struct world *world)
{
	world->cluster.columns.memory_reserved_bytes[0]++;
}

static void wrong_expectation(struct world *world)
{
	world->cluster.columns.cpu_expected_milli[0]--;
}

static void wrong_number_of_tasks(struct world *world)
{
	world->cluster.columns.tasks[0]++;
}

static void wrong_readiness(struct world *world)
{
	world->cluster.columns.entry[0]->runtime_ok = false;
}

static void wrong_capacity(struct world *world)
{
	world->cluster.columns.entry[0]->record.facts.capacity.cpu_milli++;
}

static void lost_port(struct world *world)
{
	world->cluster.columns.entry[0]->n_holds = 0;
}

static void port_of_another_task(struct world *world)
{
	world->cluster.columns.entry[0]->holds[0].task = NULL;
}

static void wrong_state(struct world *world)
{
	a_task(world)->state = TASK_RUNNING;
}

static void wrong_count_by_state(struct world *world)
{
	world->cluster.n_tasks_by_state[TASK_PENDING]++;
}

static void task_off_the_list_of_its_node(struct world *world)
{
	world->cluster.columns.entry[0]->tasks.n = 0;
}

static void task_off_the_list_of_its_job(struct world *world)
{
	cluster_job_of(&world->cluster, a_task(world))->tasks.n = 0;
}

static void wrong_placement(struct world *world)
{
	cluster_job_of(&world->cluster, a_task(world))->placements[0].n_tasks++;
}

static void revision_that_is_not_there(struct world *world)
{
	cluster_job_of(&world->cluster, a_task(world))->job.revision = 9;
}

static void job_under_a_wrong_name(struct world *world)
{
	cluster_job_of(&world->cluster, a_task(world))->job.name[0] ^= 1;
}

static void open_edit(struct world *world)
{
	cluster_task_edit(&world->cluster, a_task(world));
}

static void identity_that_its_key_does_not_find(struct world *world)
{
	struct identity_record identity = { .id = world_id(world) };
	identity.key_sha256 = base_calloc(ACCESS_HASH_TEXT_SIZE, 1);
	memset(identity.key_sha256, 'a', ACCESS_HASH_TEXT_SIZE - 1);
	cluster_put_identity(&world->cluster, NULL, &identity)->key_sha256[0] = 'b';
}

static void token_with_more_uses_than_it_had(struct world *world)
{
	struct token_record token = { .id = base_strdup("aaaa") };
	token.secret_sha256 = base_calloc(ACCESS_HASH_TEXT_SIZE, 1);
	memset(token.secret_sha256, 'a', ACCESS_HASH_TEXT_SIZE - 1);
	cluster_put_token(&world->cluster, NULL, &token)->uses_left = 1;
}

static void nothing_wrong(struct world *world)
{
	(void)world;
}

struct planted {
	struct world *world;
	void (*plant)(struct world *world);
};

static void plant_and_check(void *argument)
{
	struct planted *planted = argument;
	planted->plant(planted->world);
	cluster_check(&planted->world->cluster);
}

static void every_planted_difference_is_noticed(void **state)
{
	(void)state;
	struct world world;
	world_init(&world);
	struct node_entry *node = world_node(&world, "a", 4000, 8 * GB, NULL, NULL);
	struct job_spec spec = world_spec(250, 256 * MB);
	spec_add_port(&spec, NULL, 8080, 8080, PORT_TCP);
	struct task *task = world_task(&world, world_job(&world, "shop", "web", spec), 1);
	world_place_on_port(&world, task, node, 8080);

	void (*const plants[])(struct world *) = {
		wrong_reservation,
		wrong_expectation,
		wrong_number_of_tasks,
		wrong_readiness,
		wrong_capacity,
		lost_port,
		port_of_another_task,
		wrong_state,
		wrong_count_by_state,
		task_off_the_list_of_its_node,
		task_off_the_list_of_its_job,
		wrong_placement,
		revision_that_is_not_there,
		job_under_a_wrong_name,
		open_edit,
		identity_that_its_key_does_not_find,
		token_with_more_uses_than_it_had,
	};
	struct planted planted = { &world, nothing_wrong };
	assert_false(dies(plant_and_check, &planted));
	for (size_t i = 0; i < ARRAY_LEN(plants); i++) {
		planted.plant = plants[i];
		if (!dies(plant_and_check, &planted))
			fail_msg("difference %zu was not noticed", i);
	}
	world_release(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_planted_difference_is_noticed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
