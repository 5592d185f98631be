/* What a pick brings besides the node: ports, preferences, the node to avoid, classes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cluster/test_world.h"
#include "scheduler/scheduler.h"

static const struct node_id nowhere;

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

static struct scheduler_pick pick(struct world *world, const struct task *task,
				  struct node_id avoid)
{
	struct scheduler_pick result;
	scheduler_pick(&world->cluster, NULL, scheduler_registry[SCHEDULER_SPREAD], task, avoid, 0,
		       &result);
	return result;
}

/* Place the task where the scheduler says, with the ports it drew. */
static struct node_entry *place(struct world *world, struct task *task)
{
	struct scheduler_pick result = pick(world, task, nowhere);
	assert_non_null(result.node);
	cluster_task_edit(&world->cluster, task);
	task->desired.node = result.node->record.id;
	for (size_t i = 0; i < result.ports.n; i++) {
		struct port_grant *grant = list_add(&task_make_rare(task)->ports, sizeof(*grant));
		*grant = result.ports.items[i];
	}
	cluster_task_save(&world->cluster, &world->changes, task);
	struct node_entry *node = result.node;
	scheduler_pick_release(&result);
	return node;
}

static void each_task_draws_the_lowest_free_port_of_its_pool(void **state)
{
	struct world *world = *state;
	world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	struct job_spec spec = world_spec(0, 0);
	spec_add_port(&spec, NULL, 8080, 8089, PORT_TCP);
	struct job_entry *web = world_job(world, "shop", "web", spec);
	struct task *tasks[3];
	for (size_t i = 0; i < ARRAY_LEN(tasks); i++) {
		tasks[i] = world_task(world, web, (int64_t)i + 1);
		place(world, tasks[i]);
		assert_int_equal(task_rare(tasks[i])->ports.items[0].host_port, 8080 + (int64_t)i);
	}
	/* A port is free again only when its task is confirmed gone. */
	struct task_observed end = report_of(tasks[0], 1, TASK_FAILED, 1);
	assert_true(world_report(world, tasks[0], end, NULL));
	struct scheduler_pick result = pick(world, world_task(world, web, 4), nowhere);
	assert_int_equal(result.ports.items[0].host_port, 8083);
	scheduler_pick_release(&result);
	end = report_of(tasks[0], 2, TASK_FAILED, 1);
	end.gone = true;
	assert_true(world_report(world, tasks[0], end, NULL));
	result = pick(world, world_task(world, web, 5), nowhere);
	assert_int_equal(result.ports.items[0].host_port, 8080);
	scheduler_pick_release(&result);
}

static void the_ports_of_one_task_differ(void **state)
{
	struct world *world = *state;
	world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	struct job_spec spec = world_spec(0, 0);
	spec_add_port(&spec, NULL, 8080, 8083, PORT_TCP);
	spec_add_port(&spec, NULL, 8080, 8080, PORT_TCP);
	spec_add_port(&spec, NULL, 0, 0, PORT_TCP);
	spec_add_port(&spec, NULL, 8080, 8081, PORT_TCP);
	spec_add_port(&spec, NULL, 8080, 8081, PORT_UDP);
	struct job_entry *web = world_job(world, "shop", "web", spec);
	struct scheduler_pick result = pick(world, world_task(world, web, 1), nowhere);
	static const struct port_grant expected[] = {
		{ 0, 8082 }, { 1, 8080 }, { 3, 8081 }, { 4, 8080 }
	};
	assert_int_equal(result.ports.n, ARRAY_LEN(expected));
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		assert_int_equal(result.ports.items[i].index, expected[i].index);
		assert_int_equal(result.ports.items[i].host_port, expected[i].host_port);
	}
	scheduler_pick_release(&result);
}

/* They are passed over where one can do without, and keep no task from a machine. */
static void foreign_ports_are_drawn_where_the_pools_are_not_enough_without(void **state)
{
	struct world *world = *state;
	struct node_entry *node = world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	struct job_spec spec = world_spec(0, 0);
	spec_add_port(&spec, NULL, 8080, 8083, PORT_TCP);
	spec_add_port(&spec, NULL, 8081, 8083, PORT_TCP);
	spec_add_port(&spec, NULL, 8081, 8083, PORT_TCP);
	struct job_entry *web = world_job(world, "shop", "web", spec);
	cluster_port_seen_foreign(node, PORT_TCP, 8080);
	struct scheduler_pick result = pick(world, world_task(world, web, 1), nowhere);
	assert_int_equal(result.ports.n, 3);
	for (size_t i = 0; i < result.ports.n; i++)
		assert_int_equal(result.ports.items[i].host_port, 8081 + (int64_t)i);
	scheduler_pick_release(&result);
	spec = world_spec(0, 0);
	spec_add_port(&spec, NULL, 8083, 8083, PORT_TCP);
	place(world, world_task(world, world_job(world, "shop", "db", spec), 1));
	result = pick(world, world_task(world, web, 2), nowhere);
	assert_int_equal(result.ports.n, 3);
	for (size_t i = 0; i < result.ports.n; i++)
		assert_int_equal(result.ports.items[i].host_port, 8080 + (int64_t)i);
	scheduler_pick_release(&result);
}

static void equal_pools_serve_each_other_and_what_is_held_is_passed_over(void **state)
{
	struct world *world = *state;
	world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	struct job_spec spec = world_spec(0, 0);
	spec_add_port(&spec, NULL, 8082, 8082, PORT_TCP);
	place(world, world_task(world, world_job(world, "shop", "db", spec), 1));
	spec = world_spec(0, 0);
	for (int i = 0; i < 4; i++)
		spec_add_port(&spec, NULL, 8080, 8084, PORT_TCP);
	struct job_entry *web = world_job(world, "shop", "web", spec);
	struct scheduler_pick result = pick(world, world_task(world, web, 1), nowhere);
	static const int64_t expected[] = { 8080, 8081, 8083, 8084 };
	assert_int_equal(result.ports.n, ARRAY_LEN(expected));
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		assert_int_equal(result.ports.items[i].index, i);
		assert_int_equal(result.ports.items[i].host_port, expected[i]);
	}
	scheduler_pick_release(&result);
	place(world, world_task(world, web, 1));
	result = pick(world, world_task(world, web, 2), nowhere);
	assert_null(result.node);
	scheduler_pick_release(&result);
}

static void preferences_spread_over_label_values_before_the_policy_speaks(void **state)
{
	struct world *world = *state;
	/* Three nodes in one rack, one in the other: the lone node gets half of the tasks. */
	for (int i = 0; i < 3; i++)
		world_node(world, "east", 4000, 8 * GB, "rack", "east");
	struct node_entry *west = world_node(world, "west", 4000, 8 * GB, "rack", "west");
	struct job_spec spec = world_spec(0, 0);
	strings_add(&spec.placement.preferences, "node.labels.rack");
	struct job_entry *web = world_job(world, "shop", "web", spec);
	for (int64_t slot = 1; slot <= 6; slot++)
		place(world, world_task(world, web, slot));
	assert_int_equal(cluster_job_tasks_on(web, west), 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(world->cluster.columns.tasks[i], 1);
}

static void a_full_branch_is_passed_over(void **state)
{
	struct world *world = *state;
	struct node_entry *east = world_node(world, "east", 4000, 8 * GB, "rack", "east");
	world_node(world, "west", 4000, 100 * MB, "rack", "west");
	struct job_spec spec = world_spec(0, GB);
	strings_add(&spec.placement.preferences, "node.labels.rack");
	struct job_entry *web = world_job(world, "shop", "web", spec);
	for (int64_t slot = 1; slot <= 3; slot++)
		assert_ptr_equal(place(world, world_task(world, web, slot)), east);
}

static void the_node_to_avoid_is_used_only_when_nothing_else_fits(void **state)
{
	struct world *world = *state;
	struct node_entry *a = world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	struct node_entry *b = world_node(world, "b", 4000, 8 * GB, NULL, NULL);
	struct job_entry *web = world_job(world, "shop", "web", world_spec(0, 0));
	struct task *task = world_task(world, web, 1);
	struct scheduler_pick result = pick(world, task, a->record.id);
	assert_ptr_equal(result.node, b);
	scheduler_pick_release(&result);
	cluster_set_node_state(&world->cluster, b, NODE_DOWN);
	result = pick(world, task, a->record.id);
	assert_ptr_equal(result.node, a);
	scheduler_pick_release(&result);
}

static void a_pick_changes_nothing(void **state)
{
	struct world *world = *state;
	world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	struct task *task =
		world_task(world, world_job(world, "shop", "web", world_spec(9000, 0)), 1);
	size_t n_changes = world->changes.n;
	struct scheduler_pick result = pick(world, task, nowhere);
	assert_null(result.node);
	scheduler_pick_release(&result);
	assert_int_equal(world->changes.n, n_changes);
	assert_int_equal(task->state, TASK_PENDING);
	assert_int_equal(task->reason, REASON_QUEUED);
}

static uint64_t class_of(struct world *world, const char *project, const char *name,
			 struct job_spec spec)
{
	struct task *task = world_task(world, world_job(world, project, name, spec), 1);
	return scheduler_class(&world->cluster, task);
}

static void tasks_with_the_same_needs_are_of_one_class(void **state)
{
	struct world *world = *state;
	uint64_t plain = class_of(world, "shop", "a", world_spec(100, GB));
	struct job_spec other_image = world_spec(100, GB);
	string_set(&other_image.image, "nginx");
	other_image.priority = 90;
	assert_true(class_of(world, "blog", "b", other_image) == plain);
	assert_true(class_of(world, "shop", "c", world_spec(101, GB)) != plain);
	assert_true(class_of(world, "shop", "d", world_spec(100, GB + 1)) != plain);

	struct job_spec constrained = world_spec(100, GB);
	strings_add(&constrained.placement.constraints, "node.hostname==a");
	assert_true(class_of(world, "shop", "e", constrained) != plain);
	struct job_spec published = world_spec(100, GB);
	spec_add_port(&published, NULL, 80, 80, PORT_TCP);
	assert_true(class_of(world, "shop", "f", published) != plain);
	struct job_spec with_volume = world_spec(100, GB);
	spec_add_volume(&with_volume, "data");
	assert_true(class_of(world, "shop", "g", with_volume) != plain);
}

static void what_only_one_job_or_project_can_answer_is_a_class_of_its_own(void **state)
{
	struct world *world = *state;
	struct job_spec limited = world_spec(0, 0);
	limited.placement.max_replicas_per_node = 1;
	uint64_t first = class_of(world, "shop", "a", limited);
	limited = world_spec(0, 0);
	limited.placement.max_replicas_per_node = 1;
	assert_true(class_of(world, "shop", "b", limited) != first);

	struct job_spec networked = world_spec(0, 0);
	spec_add_network(&networked, "default");
	uint64_t shop = class_of(world, "shop", "c", networked);
	networked = world_spec(0, 0);
	spec_add_network(&networked, "default");
	assert_true(class_of(world, "blog", "d", networked) != shop);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(each_task_draws_the_lowest_free_port_of_its_pool),
		CASE(the_ports_of_one_task_differ),
		CASE(foreign_ports_are_drawn_where_the_pools_are_not_enough_without),
		CASE(equal_pools_serve_each_other_and_what_is_held_is_passed_over),
		CASE(preferences_spread_over_label_values_before_the_policy_speaks),
		CASE(a_full_branch_is_passed_over),
		CASE(the_node_to_avoid_is_used_only_when_nothing_else_fits),
		CASE(a_pick_changes_nothing),
		CASE(tasks_with_the_same_needs_are_of_one_class),
		CASE(what_only_one_job_or_project_can_answer_is_a_class_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
