/* The golden values of the cost model, and each policy's character on a world of 100 nodes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cluster/test_world.h"
#include "scheduler/internal.h"

#define N_NODES 100
#define LIEB	1.53960071783900203869

static const struct node_id nowhere;

static void assert_near(double value, double golden)
{
	if (!(fabs(value - golden) < 1e-9))
		fail_msg("%.12f is not %.12f", value, golden);
}

static void marginal_costs_equal_the_golden_values(void **state)
{
	(void)state;
	static const struct {
		double base;
		double cpu_used, cpu_request, memory_used, memory_request;
		double golden;
	} cases[] = {
		{ LIEB, 0, .1, 0, .1, 0.088193820094 },
		{ LIEB, .25, .1, .5, .05, 0.076182945124 },
		{ LIEB, .9, .1, .2, .05, 0.088800840998 },
		{ 10, 0, .1, 0, .1, 0.517850823588 },
		{ 10, .25, .1, .5, .05, 0.846297960697 },
		{ 10, .9, .1, .2, .05, 2.250103870335 },
		{ 1000, 0, .1, 0, .1, 1.990524629938 },
		{ 1000, .25, .1, .5, .05, 18.642353904529 },
		{ 1000, .9, .1, .2, .05, 500.455107919096 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_near(scheduler_marginal_cost(cases[i].base, cases[i].cpu_used,
						    cases[i].cpu_request) +
				    scheduler_marginal_cost(cases[i].base, cases[i].memory_used,
							    cases[i].memory_request),
			    cases[i].golden);
}

static void the_jobs_term_equals_the_golden_values(void **state)
{
	(void)state;
	assert_near(epvm_tasks_cost(LIEB, 0, 4), 0.113914933378);
	assert_near(epvm_tasks_cost(LIEB, 10, 110), 0.004087903230);
}

static void the_base_is_the_number_of_machines_but_at_least_ten(void **state)
{
	(void)state;
	assert_true(epvm_base(1) == 10.0);
	assert_true(epvm_base(1000) == 1000.0);
}

static void policies_are_found_by_name(void **state)
{
	(void)state;
	struct text names;
	text_init(&names, 256);
	for (size_t i = 0; i < SCHEDULER_POLICY_COUNT; i++) {
		assert_ptr_equal(scheduler_find(scheduler_registry[i]->name),
				 scheduler_registry[i]);
		text_addf(&names, "%s%s", i ? ", " : "", scheduler_registry[i]->name);
	}
	assert_string_equal(scheduler_names(), text_string(&names));
	text_release(&names);
	assert_null(scheduler_find("fastest"));
}

/* 100 equal nodes of 10 CPUs and 10 GB. */
static void init_hundred(struct world *world)
{
	world_init(world);
	for (int i = 0; i < N_NODES; i++)
		world_node(world, "node", 10000, 10 * GB, NULL, NULL);
}

/* Place `n` tasks of the job, one after the other; the caller's `round` goes on. */
static void place_many(struct world *world, enum scheduler_policy policy, struct job_entry *job,
		       int64_t n, uint64_t *round)
{
	for (int64_t slot = 1; slot <= n; slot++) {
		struct task *task = world_task(world, job, slot);
		struct scheduler_pick pick;
		scheduler_pick(&world->cluster, NULL, scheduler_registry[policy], task, nowhere,
			       *round, &pick);
		assert_non_null(pick.node);
		*round = pick.next_round;
		world_place(world, task, pick.node);
		scheduler_pick_release(&pick);
	}
}

static int64_t most_tasks(const struct world *world)
{
	int64_t most = 0;
	for (size_t i = 0; i < N_NODES; i++)
		if (world->cluster.columns.tasks[i] > most)
			most = world->cluster.columns.tasks[i];
	return most;
}

static size_t nodes_in_use(const struct world *world)
{
	size_t n = 0;
	for (size_t i = 0; i < N_NODES; i++)
		n += world->cluster.columns.tasks[i] > 0;
	return n;
}

static void round_robin_takes_every_node_in_turn(void **state)
{
	(void)state;
	struct world world;
	init_hundred(&world);
	struct job_entry *job = world_job(&world, "shop", "web", world_spec(100, 100 * MB));
	uint64_t round = 0;
	place_many(&world, SCHEDULER_ROUNDROBIN, job, 50, &round);
	for (size_t i = 0; i < N_NODES; i++)
		assert_int_equal(world.cluster.columns.tasks[i], i < 50);
	/* However loaded a node is, its turn comes. */
	struct node_stats busy = { .cpu_used_milli = 10000 };
	cluster_set_node_stats(&world.cluster, world.cluster.columns.entry[50], &busy, 1);
	place_many(&world, SCHEDULER_ROUNDROBIN, job, 250, &round);
	for (size_t i = 0; i < N_NODES; i++)
		assert_int_equal(world.cluster.columns.tasks[i], 3);
	world_release(&world);
}

static void greedy_levels_the_load(void **state)
{
	(void)state;
	struct world world;
	init_hundred(&world);
	/* Half of the nodes carry 4 CPUs already; they get nothing until the others are level. */
	struct job_entry *old = world_job(&world, "shop", "old", world_spec(4000, GB));
	for (size_t i = 0; i < N_NODES / 2; i++)
		world_placed(&world, old, (int64_t)i + 1, world.cluster.columns.entry[i]);
	struct job_entry *job = world_job(&world, "shop", "web", world_spec(1000, 100 * MB));
	uint64_t round = 0;
	place_many(&world, SCHEDULER_GREEDY, job, 4 * N_NODES / 2, &round);
	for (size_t i = 0; i < N_NODES; i++)
		assert_int_equal(world.cluster.columns.cpu_reserved_milli[i], 4000);
	place_many(&world, SCHEDULER_GREEDY, job, N_NODES, &round);
	for (size_t i = 0; i < N_NODES; i++)
		assert_int_equal(world.cluster.columns.cpu_reserved_milli[i], 5000);
	world_release(&world);
}

/* Of the hundred, those with the numbers 16, 32, ... are kept. */
#define N_KEPT 6

static size_t kept_in_use(const struct world *world)
{
	size_t n = 0;
	for (size_t i = 0; i < N_NODES; i++)
		n += epvm_keeps(&world->cluster.columns, i) && world->cluster.columns.tasks[i];
	return n;
}

static void epvm_spreads_over_equal_nodes(void **state)
{
	(void)state;
	struct world world;
	init_hundred(&world);
	struct job_entry *job = world_job(&world, "shop", "web", world_spec(500, 200 * MB));
	uint64_t round = 0;
	/* The first few go to as many machines, all go evenly. */
	place_many(&world, SCHEDULER_EPVM, job, 8, &round);
	assert_int_equal(most_tasks(&world), 1);
	place_many(&world, SCHEDULER_EPVM, job, 5 * (N_NODES - N_KEPT) - 8, &round);
	for (size_t i = 0; i < N_NODES; i++)
		assert_int_equal(world.cluster.columns.tasks[i],
				 epvm_keeps(&world.cluster.columns, i) ? 0 : 5);
	world_release(&world);
}

static void epvm_keeps_room_for_tasks_as_large_as_a_machine(void **state)
{
	(void)state;
	struct world world;
	init_hundred(&world);
	struct job_entry *small = world_job(&world, "shop", "small", world_spec(500, 500 * MB));
	struct job_entry *large = world_job(&world, "shop", "large", world_spec(10000, 10 * GB));
	uint64_t round = 0;
	/* Nine tenths of the fleet, one small task after the other: all but what is kept is nearly full. */
	place_many(&world, SCHEDULER_EPVM, small, 18 * N_NODES, &round);
	assert_int_equal(kept_in_use(&world), 0);
	place_many(&world, SCHEDULER_EPVM, large, N_KEPT, &round);
	assert_int_equal(kept_in_use(&world), N_KEPT);
	world_release(&world);
}

static void epvm_fills_what_is_kept_when_nothing_else_is_left(void **state)
{
	(void)state;
	struct world world;
	init_hundred(&world);
	struct job_entry *job = world_job(&world, "shop", "web", world_spec(1000, GB));
	uint64_t round = 0;
	place_many(&world, SCHEDULER_EPVM, job, 10 * (N_NODES - N_KEPT), &round);
	assert_int_equal(kept_in_use(&world), 0);
	/* One by one, so that the others stay whole. */
	place_many(&world, SCHEDULER_EPVM, job, 10, &round);
	assert_int_equal(kept_in_use(&world), 1);
	place_many(&world, SCHEDULER_EPVM, job, 10 * (N_KEPT - 1), &round);
	assert_int_equal(kept_in_use(&world), N_KEPT);
	world_release(&world);
}

static void epvm_packs_the_last_quarter_of_each_machine(void **state)
{
	(void)state;
	struct world world;
	init_hundred(&world);
	struct job_entry *job = world_job(&world, "shop", "web", world_spec(1000, GB));
	uint64_t round = 0;
	place_many(&world, SCHEDULER_EPVM, job, 7 * (N_NODES - N_KEPT), &round);
	assert_int_equal(most_tasks(&world), 7);
	/* Eight would be more than three quarters: from here on one machine is filled after the other. */
	place_many(&world, SCHEDULER_EPVM, job, 30, &round);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(world.cluster.columns.tasks[i], 10);
	assert_int_equal(world.cluster.columns.tasks[10], 7);
	world_release(&world);
}

static void epvm_puts_nothing_on_an_overloaded_machine_while_others_have_room(void **state)
{
	(void)state;
	struct world world;
	init_hundred(&world);
	struct node_stats busy = { .cpu_used_milli = 10000, .memory_used_bytes = 10 * GB };
	cluster_set_node_stats(&world.cluster, world.cluster.columns.entry[3], &busy, 1);
	struct job_entry *job = world_job(&world, "shop", "web", world_spec(1000, GB));
	uint64_t round = 0;
	place_many(&world, SCHEDULER_EPVM, job, 10 * (N_NODES - 1), &round);
	assert_int_equal(world.cluster.columns.tasks[3], 0);
	place_many(&world, SCHEDULER_EPVM, job, 1, &round);
	assert_int_equal(world.cluster.columns.tasks[3], 1);
	world_release(&world);
}

static void epvm_keeps_nothing_of_a_fleet_of_fifteen(void **state)
{
	(void)state;
	struct world world;
	init_hundred(&world);
	while (world.cluster.columns.n > 15)
		cluster_delete_node(&world.cluster, &world.changes, world.cluster.columns.entry[0]);
	for (size_t i = 0; i < 15; i++)
		assert_false(epvm_keeps(&world.cluster.columns, i));
	struct job_entry *job = world_job(&world, "shop", "web", world_spec(500, 200 * MB));
	uint64_t round = 0;
	place_many(&world, SCHEDULER_EPVM, job, 15, &round);
	for (size_t i = 0; i < 15; i++)
		assert_int_equal(world.cluster.columns.tasks[i], 1);
	world_release(&world);
}

static void epvm_gives_a_large_machine_more_and_a_small_one_its_share(void **state)
{
	(void)state;
	struct world world;
	world_init(&world);
	for (int i = 0; i < N_NODES; i++)
		world_node(&world, "node", i < 50 ? 20000 : 10000, i < 50 ? 20 * GB : 10 * GB, NULL,
			   NULL);
	struct job_entry *job = world_job(&world, "shop", "web", world_spec(1000, GB));
	uint64_t round = 0;
	place_many(&world, SCHEDULER_EPVM, job, 900, &round);
	int64_t n_large = 0;
	int64_t n_small = 0;
	for (size_t i = 0; i < N_NODES; i++)
		*(i < 50 ? &n_large : &n_small) += world.cluster.columns.tasks[i];
	assert_true(n_large > n_small);
	assert_true(n_small > 100);
	world_release(&world);
}

static void epvm_weighs_every_resource_at_once(void **state)
{
	(void)state;
	struct world world;
	init_hundred(&world);
	/* Equal sums, but one node is nearly full of memory: the exponential cost avoids that. */
	struct job_entry *uneven = world_job(&world, "a", "uneven", world_spec(100, 9 * GB));
	struct job_entry *even = world_job(&world, "b", "even", world_spec(4550, 4659 * MB));
	for (size_t i = 0; i < N_NODES; i++)
		world_placed(&world, i == 70 ? even : uneven, (int64_t)i + 1,
			     world.cluster.columns.entry[i]);
	struct job_entry *job = world_job(&world, "shop", "web", world_spec(500, 500 * MB));
	uint64_t round = 0;
	place_many(&world, SCHEDULER_EPVM, job, 1, &round);
	assert_int_equal(world.cluster.columns.tasks[70], 2);
	world_release(&world);
}

static void tasks_that_reserve_nothing_spread_too(void **state)
{
	(void)state;
	const enum scheduler_policy policies[] = { SCHEDULER_EPVM, SCHEDULER_GREEDY,
						   SCHEDULER_SPREAD };
	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		struct world world;
		init_hundred(&world);
		struct job_entry *job = world_job(&world, "shop", "web", world_spec(0, 0));
		uint64_t round = 0;
		size_t n_kept = policies[i] == SCHEDULER_EPVM ? N_KEPT : 0;
		place_many(&world, policies[i], job, 2 * (int64_t)(N_NODES - n_kept), &round);
		assert_int_equal(most_tasks(&world), 2);
		world_release(&world);
	}
}

static void binpack_fills_a_node_before_it_opens_another(void **state)
{
	(void)state;
	struct world world;
	init_hundred(&world);
	struct job_entry *job = world_job(&world, "shop", "web", world_spec(1000, GB));
	uint64_t round = 0;
	place_many(&world, SCHEDULER_BINPACK, job, 295, &round);
	assert_int_equal(nodes_in_use(&world), 30);
	assert_int_equal(most_tasks(&world), 10);
	world_release(&world);
}

static void binpack_pairs_what_is_left_over(void **state)
{
	(void)state;
	struct world world;
	init_hundred(&world);
	struct job_entry *cpu = world_job(&world, "a", "cpu", world_spec(8000, GB));
	struct job_entry *memory = world_job(&world, "b", "memory", world_spec(1000, 8 * GB));
	world_placed(&world, memory, 1, world.cluster.columns.entry[10]);
	world_placed(&world, cpu, 1, world.cluster.columns.entry[20]);
	uint64_t round = 0;
	place_many(&world, SCHEDULER_BINPACK, memory, 1, &round);
	assert_int_equal(world.cluster.columns.tasks[20], 2);
	world_release(&world);
}

static void binpack_does_not_pile_on_an_overloaded_node(void **state)
{
	(void)state;
	struct world world;
	init_hundred(&world);
	struct job_entry *job = world_job(&world, "shop", "web", world_spec(0, 0));
	struct node_stats busy = { .cpu_used_milli = 10000 };
	cluster_set_node_stats(&world.cluster, world.cluster.columns.entry[0], &busy, 1);
	uint64_t round = 0;
	place_many(&world, SCHEDULER_BINPACK, job, 150, &round);
	assert_int_equal(world.cluster.columns.tasks[0], 0);
	/* By CPU, 100 tasks of the nominal request fill a node. */
	assert_int_equal(world.cluster.columns.tasks[1], 100);
	assert_int_equal(world.cluster.columns.tasks[2], 50);
	world_release(&world);
}

static void spread_counts_the_jobs_own_tasks_first(void **state)
{
	(void)state;
	struct world world;
	init_hundred(&world);
	/* Node 5 is crowded by another job; every other node has one task of ours. */
	struct job_entry *other = world_job(&world, "a", "other", world_spec(10, MB));
	struct job_entry *job = world_job(&world, "b", "web", world_spec(10, MB));
	for (size_t i = 0; i < N_NODES; i++)
		world_placed(&world, i == 5 ? other : job, (int64_t)i + 1,
			     world.cluster.columns.entry[i]);
	world_placed(&world, other, 200, world.cluster.columns.entry[5]);
	world_placed(&world, other, 201, world.cluster.columns.entry[5]);
	uint64_t round = 0;
	place_many(&world, SCHEDULER_SPREAD, job, 1, &round);
	assert_int_equal(world.cluster.columns.tasks[5], 4);
	/* Now all have one of ours, and the crowded node comes last. */
	place_many(&world, SCHEDULER_SPREAD, job, N_NODES - 1, &round);
	assert_int_equal(world.cluster.columns.tasks[5], 4);
	world_release(&world);
}

static void a_busy_node_loses_against_an_idle_one_with_the_same_reservations(void **state)
{
	(void)state;
	const enum scheduler_policy policies[] = { SCHEDULER_EPVM, SCHEDULER_GREEDY };
	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		struct world world;
		init_hundred(&world);
		struct job_entry *job = world_job(&world, "shop", "web", world_spec(1000, GB));
		for (size_t column = 0; column < N_NODES; column++) {
			struct node_entry *node = world.cluster.columns.entry[column];
			struct node_stats busy = { .cpu_used_milli = 6000,
						   .memory_used_bytes = GB };
			world_placed(&world, job, (int64_t)column + 1, node);
			if (column != 42)
				cluster_set_node_stats(&world.cluster, node, &busy, 1);
		}
		uint64_t round = 0;
		place_many(&world, policies[i], job, 1, &round);
		assert_int_equal(world.cluster.columns.tasks[42], 2);
		/* Once measurements are stale only reservations speak: the first is best. */
		for (size_t column = 0; column < N_NODES; column++)
			cluster_set_node_stats(&world.cluster, world.cluster.columns.entry[column],
					       NULL, 2);
		place_many(&world, policies[i], job, 1, &round);
		assert_int_equal(world.cluster.columns.tasks[0], 2);
		world_release(&world);
	}
}

static void equal_worlds_give_equal_picks(void **state)
{
	(void)state;
	for (int policy = 0; policy < SCHEDULER_POLICY_COUNT; policy++) {
		uint32_t picked[2][200];
		for (int run = 0; run < 2; run++) {
			struct world world;
			init_hundred(&world);
			/* Another salt: the order inside the maps differs, the picks must not. */
			world.cluster.salt = (uint64_t)run;
			struct job_entry *job =
				world_job(&world, "shop", "web", world_spec(700, 300 * MB));
			uint64_t round = 0;
			for (size_t i = 0; i < ARRAY_LEN(picked[run]); i++) {
				struct task *task = world_task(&world, job, (int64_t)i + 1);
				struct scheduler_pick pick;
				scheduler_pick(&world.cluster, NULL, scheduler_registry[policy],
					       task, nowhere, round, &pick);
				picked[run][i] = pick.node->index;
				round = pick.next_round;
				world_place(&world, task, pick.node);
				scheduler_pick_release(&pick);
			}
			world_release(&world);
		}
		assert_memory_equal(picked[0], picked[1], sizeof(picked[0]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marginal_costs_equal_the_golden_values),
		cmocka_unit_test(the_jobs_term_equals_the_golden_values),
		cmocka_unit_test(the_base_is_the_number_of_machines_but_at_least_ten),
		cmocka_unit_test(policies_are_found_by_name),
		cmocka_unit_test(round_robin_takes_every_node_in_turn),
		cmocka_unit_test(greedy_levels_the_load),
		cmocka_unit_test(epvm_spreads_over_equal_nodes),
		cmocka_unit_test(epvm_keeps_room_for_tasks_as_large_as_a_machine),
		cmocka_unit_test(epvm_fills_what_is_kept_when_nothing_else_is_left),
		cmocka_unit_test(epvm_packs_the_last_quarter_of_each_machine),
		cmocka_unit_test(epvm_puts_nothing_on_an_overloaded_machine_while_others_have_room),
		cmocka_unit_test(epvm_keeps_nothing_of_a_fleet_of_fifteen),
		cmocka_unit_test(epvm_gives_a_large_machine_more_and_a_small_one_its_share),
		cmocka_unit_test(epvm_weighs_every_resource_at_once),
		cmocka_unit_test(tasks_that_reserve_nothing_spread_too),
		cmocka_unit_test(binpack_fills_a_node_before_it_opens_another),
		cmocka_unit_test(binpack_pairs_what_is_left_over),
		cmocka_unit_test(binpack_does_not_pile_on_an_overloaded_node),
		cmocka_unit_test(spread_counts_the_jobs_own_tasks_first),
		cmocka_unit_test(a_busy_node_loses_against_an_idle_one_with_the_same_reservations),
		cmocka_unit_test(equal_worlds_give_equal_picks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
