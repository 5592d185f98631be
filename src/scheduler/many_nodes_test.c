/* Many nodes: trees of preferences, replicas per node, ports, networks and volumes, and the sentences that count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cluster/test_world.h"
#include "scheduler/scheduler.h"

#define N_ZONES	       3
#define RACKS_PER_ZONE 4
#define NODES_PER_RACK 5
#define N_NODES	       (N_ZONES * RACKS_PER_ZONE * NODES_PER_RACK)

static int set_up(void **state)
{
	struct world *world = base_calloc(1, sizeof(*world));
	world_init(world);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	world_release(*state);
	base_free(*state);
	return 0;
}

static const struct node_id nowhere;

/* Racks have the same names in each zone. */
static void many_nodes(struct world *world)
{
	for (int i = 0; i < N_NODES; i++) {
		char name[32];
		char zone[8];
		char rack[8];
		text_print(name, sizeof(name), "n%d", i);
		text_print(zone, sizeof(zone), "z%d", i % N_ZONES);
		text_print(rack, sizeof(rack), "r%d", i / N_ZONES % RACKS_PER_ZONE);
		struct node_entry *node = world_node(world, name, 4000, 8 * GB, "zone", zone);
		pairs_add(&node->record.facts.engine_labels, "rack", rack);
	}
}

static void pick_for(struct world *world, const struct task *task, struct scheduler_pick *ret_pick)
{
	/* The one that keeps no machine for others. */
	scheduler_pick(&world->cluster, NULL, scheduler_registry[SCHEDULER_SPREAD], task, nowhere,
		       0, ret_pick);
}

static struct node_entry *try_place(struct world *world, struct task *task)
{
	struct scheduler_pick pick;
	pick_for(world, task, &pick);
	struct node_entry *node = pick.node;
	if (node) {
		cluster_task_edit(&world->cluster, task);
		task->desired.node = node->record.id;
		task_take_ports(task, pick.ports.items, pick.ports.n);
		pick.ports.items = NULL;
		cluster_task_save(&world->cluster, &world->changes, task);
	}
	scheduler_pick_release(&pick);
	return node;
}

static struct node_entry *place(struct world *world, struct task *task)
{
	struct node_entry *node = try_place(world, task);
	assert_non_null(node);
	return node;
}

static void assert_waits(struct world *world, const struct task *task, const char *sentence)
{
	struct scheduler_pick pick;
	pick_for(world, task, &pick);
	assert_null(pick.node);
	assert_string_equal(pick.message, sentence);
	scheduler_pick_release(&pick);
}

static size_t tasks_on(const struct world *world, size_t column)
{
	return (size_t)world->cluster.columns.tasks[column];
}

/* Of all zones, of all racks of a zone and of all nodes, none has more than one task above the emptiest. */
static void assert_even(const struct world *world)
{
	size_t zones[N_ZONES] = { 0 };
	size_t racks[N_ZONES][RACKS_PER_ZONE] = { { 0 } };
	for (size_t i = 0; i < N_NODES; i++) {
		zones[i % N_ZONES] += tasks_on(world, i);
		racks[i % N_ZONES][i / N_ZONES % RACKS_PER_ZONE] += tasks_on(world, i);
	}
	for (size_t a = 0; a < N_ZONES; a++)
		for (size_t b = 0; b < N_ZONES; b++)
			assert_true(zones[a] <= zones[b] + 1);
	for (size_t zone = 0; zone < N_ZONES; zone++)
		for (size_t a = 0; a < RACKS_PER_ZONE; a++)
			for (size_t b = 0; b < RACKS_PER_ZONE; b++)
				assert_true(racks[zone][a] <= racks[zone][b] + 1);
}

static struct job_spec spread_spec(void)
{
	struct job_spec spec = world_spec(100, 64 * MB);
	strings_add(&spec.placement.preferences, "node.labels.zone");
	strings_add(&spec.placement.preferences, "engine.labels.rack");
	return spec;
}

static void each_level_is_even_within_its_branch(void **state)
{
	struct world *world = *state;
	many_nodes(world);
	struct job_entry *web = world_job(world, "shop", "web", spread_spec());
	for (int64_t slot = 1; slot <= 100; slot++) {
		place(world, world_task(world, web, slot));
		assert_even(world);
	}
}

/* What counts for a rack is what runs in that rack of that zone, not in the racks of its name. */
static void racks_of_one_name_in_two_zones_are_two_racks(void **state)
{
	struct world *world = *state;
	static const char *const places[][2] = {
		{ "z1", "r1" }, { "z1", "r1" }, { "z1", "r2" }, { "z2", "r1" }, { "z2", "r2" }
	};
	struct node_entry *nodes[5];
	for (size_t i = 0; i < 5; i++) {
		char name[8];
		text_print(name, sizeof(name), "n%zu", i);
		nodes[i] = world_node(world, name, 4000, 8 * GB, "zone", places[i][0]);
		pairs_add(&nodes[i]->record.facts.engine_labels, "rack", places[i][1]);
	}
	struct job_entry *web = world_job(world, "shop", "web", spread_spec());
	world_placed(world, web, 1, nodes[0]);
	world_placed(world, web, 2, nodes[1]);
	world_placed(world, web, 3, nodes[2]);
	/* Zone 2 is emptier, and there both racks are empty: the first node of them. */
	assert_ptr_equal(place(world, world_task(world, web, 4)), nodes[3]);
	assert_ptr_equal(place(world, world_task(world, web, 5)), nodes[4]);
	assert_ptr_equal(place(world, world_task(world, web, 6)), nodes[3]);
	/* Three and three: in zone 1 rack 2 has fewer, in zone 2 rack 2 too. */
	struct node_entry *next = place(world, world_task(world, web, 7));
	assert_true(next == nodes[2] || next == nodes[4]);
}

static void nodes_without_the_label_are_one_branch(void **state)
{
	struct world *world = *state;
	struct node_entry *a = world_node(world, "a", 4000, 8 * GB, "zone", "z1");
	world_node(world, "b", 4000, 8 * GB, NULL, NULL);
	world_node(world, "c", 4000, 8 * GB, NULL, NULL);
	struct job_entry *web = world_job(world, "shop", "web", spread_spec());
	for (int64_t slot = 1; slot <= 8; slot++)
		place(world, world_task(world, web, slot));
	assert_int_equal(tasks_on(world, a->index), 4);
}

static void a_full_branch_gives_its_share_to_the_others(void **state)
{
	struct world *world = *state;
	struct job_spec spec = spread_spec();
	spec.placement.max_replicas_per_node = 2;
	many_nodes(world);
	/* Zone 0 is away but for one node. */
	for (size_t i = N_ZONES; i < N_NODES; i += N_ZONES)
		cluster_set_node_state(&world->cluster, world->cluster.columns.entry[i], NODE_DOWN);
	struct job_entry *web = world_job(world, "shop", "web", spec);
	int64_t slot = 1;
	for (; slot <= 2 + 2 * 40; slot++)
		place(world, world_task(world, web, slot));
	assert_int_equal(tasks_on(world, 0), 2);
	for (size_t i = 0; i < N_NODES; i++)
		assert_int_equal(tasks_on(world, i), i % N_ZONES || !i ? 2 : 0);
	assert_waits(world, world_task(world, web, slot),
		     "no node fits: 41 of 60 already run 2 of web, 19 are down");
}

static void a_fixed_port_is_one_task_per_node_and_the_sentence_counts(void **state)
{
	struct world *world = *state;
	many_nodes(world);
	struct job_spec spec = world_spec(0, 0);
	spec_add_port(&spec, NULL, 8080, 8080, PORT_TCP);
	struct job_entry *web = world_job(world, "shop", "web", spec);
	for (int64_t slot = 1; slot <= N_NODES; slot++)
		place(world, world_task(world, web, slot));
	for (size_t i = 0; i < N_NODES; i++)
		assert_int_equal(tasks_on(world, i), 1);
	struct task *more = world_task(world, web, N_NODES + 1);
	assert_waits(world, more,
		     "no node has port 8080/tcp free: 60 of 60 have port 8080/tcp taken by web "
		     "itself (a fixed port takes one task per machine)");
	cluster_set_node_state(&world->cluster, world->cluster.columns.entry[7], NODE_DOWN);
	assert_waits(world, more,
		     "no node has port 8080/tcp free: 59 of 60 have port 8080/tcp taken by web "
		     "itself (a fixed port takes one task per machine), 1 is down");
	/* Another job has it on one: there it may come free. */
	struct job_spec other = world_spec(0, 0);
	spec_add_port(&other, NULL, 9090, 9090, PORT_TCP);
	struct job_entry *proxy = world_job(world, "shop", "proxy", other);
	place(world, world_task(world, proxy, 1));
	struct job_spec both = world_spec(0, 0);
	spec_add_port(&both, NULL, 8080, 8080, PORT_TCP);
	spec_add_port(&both, NULL, 9090, 9090, PORT_TCP);
	struct job_entry *late = world_job(world, "shop", "late", both);
	assert_waits(world, world_task(world, late, 1),
		     "no node has port 8080/tcp free: 59 of 60 have port 8080/tcp taken, 1 is "
		     "down");
}

static struct job_spec networked_spec(int reach)
{
	struct job_spec spec = world_spec(100, 0);
	spec_add_network(&spec, "default");
	spec.network_reach = reach;
	return spec;
}

static void a_job_with_a_network_on_each_node_goes_anywhere_and_ties_nobody(void **state)
{
	struct world *world = *state;
	many_nodes(world);
	struct job_entry *db = world_job(world, "shop", "db", networked_spec(REACH_ONE_NODE));
	struct job_entry *web = world_job(world, "shop", "web", networked_spec(REACH_PER_NODE));
	struct job_entry *agent = world_job(world, "shop", "agent", networked_spec(REACH_ONE_NODE));
	for (int64_t slot = 1; slot <= N_NODES; slot++)
		place(world, world_task(world, web, slot));
	for (size_t i = 0; i < N_NODES; i++)
		assert_int_equal(tasks_on(world, i), 1);
	/* The others are together, wherever most of web may be. */
	struct node_entry *home = place(world, world_task(world, db, 1));
	for (int64_t slot = 1; slot <= 5; slot++)
		assert_ptr_equal(place(world, world_task(world, agent, slot)), home);
	struct job_spec big = networked_spec(REACH_ONE_NODE);
	big.reservations.cpu_milli = 3500;
	struct job_entry *late = world_job(world, "shop", "late", big);
	char sentence[200];
	text_print(
		sentence, sizeof(sentence),
		"project shop shares a network, so its tasks run on %s only: 59 of 60 are not %s, "
		"1 lacks CPU (3.5 asked, largest has 3.3 free of 4)",
		cluster_node_name(home), cluster_node_name(home));
	assert_waits(world, world_task(world, late, 1), sentence);
}

static void a_volume_on_each_node_pins_nobody(void **state)
{
	struct world *world = *state;
	many_nodes(world);
	struct job_spec pinned = world_spec(0, 0);
	spec_add_volume(&pinned, "data");
	struct job_entry *db = world_job(world, "shop", "db", pinned);
	struct volume_record volume = { .project = base_strdup("shop"),
					.key = base_strdup("data"),
					.name = base_strdup("shop_data"),
					.node = world->cluster.columns.entry[9]->record.id };
	cluster_put_volume(&world->cluster, &world->changes, &volume);
	assert_ptr_equal(place(world, world_task(world, db, 1)), world->cluster.columns.entry[9]);
	struct job_spec free_spec = world_spec(0, 0);
	spec_add_volume(&free_spec, "data");
	free_spec.volume_reach = REACH_PER_NODE;
	struct job_entry *cache = world_job(world, "shop", "cache", free_spec);
	for (int64_t slot = 1; slot <= N_NODES; slot++)
		place(world, world_task(world, cache, slot));
	for (size_t i = 0; i < N_NODES; i++)
		assert_true(tasks_on(world, i) == 1 || tasks_on(world, i) == 2);
}

static void volumes_of_one_name_on_many_nodes_are_told_apart(void **state)
{
	struct world *world = *state;
	many_nodes(world);
	struct node_columns *columns = &world->cluster.columns;
	for (size_t i = 0; i < 3; i++) {
		struct volume_record volume = { .project = base_strdup("shop"),
						.key = base_strdup("data"),
						.name = base_strdup("shop_data"),
						.node = columns->entry[i]->record.id,
						.per_node = i > 0 };
		cluster_put_volume(&world->cluster, &world->changes, &volume);
	}
	const struct cluster *cluster = &world->cluster;
	assert_int_equal(cluster->volumes.n, 3);
	assert_false(cluster_volume(cluster, "shop_data")->per_node);
	assert_ptr_equal(cluster_volume_on(cluster, "shop_data", columns->entry[0]->record.id),
			 cluster_volume(cluster, "shop_data"));
	struct node_id third = columns->entry[2]->record.id;
	assert_true(cluster_volume_on(cluster, "shop_data", third)->per_node);
	assert_null(cluster_volume_on(cluster, "shop_data", columns->entry[3]->record.id));
	struct cluster copy;
	struct err err;
	cluster_init(&copy, 99);
	for (size_t i = 0; i < world->changes.n; i++)
		if (world->changes.items[i].kind == RECORD_VOLUME &&
		    cluster_replay(&copy, &world->changes.items[i], &err))
			fail_msg("%s", err.message);
	assert_int_equal(copy.volumes.n, 3);
	cluster_release(&copy);
	cluster_delete_volume(
		&world->cluster, &world->changes,
		cluster_volume_on(cluster, "shop_data", columns->entry[1]->record.id));
	assert_null(cluster_volume_on(cluster, "shop_data", columns->entry[1]->record.id));
	assert_int_equal(cluster->volumes.n, 2);
}

static void many_reasons_are_counted_each(void **state)
{
	struct world *world = *state;
	many_nodes(world);
	struct job_spec spec = world_spec(0, 4 * GB);
	strings_add(&spec.placement.constraints, "node.labels.zone!=z2");
	string_set(&spec.platform, "linux/amd64");
	struct node_entry **nodes = world->cluster.columns.entry;
	struct job_entry *big = world_job(world, "shop", "big", world_spec(0, 6 * GB));
	for (size_t i = 0; i < N_NODES; i++) {
		if (i < 12)
			cluster_set_node_state(&world->cluster, nodes[i], NODE_DOWN);
		else if (i < 20)
			string_set(&nodes[i]->record.facts.platform_arch, "aarch64");
		else
			world_placed(world, big, (int64_t)i, nodes[i]);
	}
	assert_waits(
		world, world_task(world, world_job(world, "shop", "web", spec), 1),
		"no node has 4 GB of memory free: 40 of 60 lack memory (largest has 2 GB free of "
		"8 GB), 12 are down, 6 are not of platform linux/amd64 (n12 is linux/arm64), 2 do "
		"not match node.labels.zone!=z2");
}

static void a_global_task_has_one_node(void **state)
{
	struct world *world = *state;
	many_nodes(world);
	struct job_spec spec = world_spec(0, GB);
	spec.mode = JOB_GLOBAL;
	struct job_entry *agent = world_job(world, "shop", "agent", spec);
	for (int64_t slot = N_NODES; slot >= 1; slot--) {
		struct node_entry *node = place(world, world_task(world, agent, slot));
		assert_int_equal(node->record.number, slot);
	}
	struct job_entry *big = world_job(world, "shop", "big", world_spec(0, 7 * GB));
	world_placed(world, big, 1, world->cluster.columns.entry[4]);
	assert_waits(world, world_task(world, agent, 5),
		     "n4 lacks memory (1 GB asked, it has 0 B free of 8 GB)");
	struct task *nowhere_to_go = world_task(world, agent, N_NODES + 1);
	assert_waits(world, nowhere_to_go, "its node is not there any more");
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(each_level_is_even_within_its_branch),
		CASE(racks_of_one_name_in_two_zones_are_two_racks),
		CASE(nodes_without_the_label_are_one_branch),
		CASE(a_full_branch_gives_its_share_to_the_others),
		CASE(a_fixed_port_is_one_task_per_node_and_the_sentence_counts),
		CASE(a_job_with_a_network_on_each_node_goes_anywhere_and_ties_nobody),
		CASE(a_volume_on_each_node_pins_nobody),
		CASE(volumes_of_one_name_on_many_nodes_are_told_apart),
		CASE(many_reasons_are_counted_each),
		CASE(a_global_task_has_one_node),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
