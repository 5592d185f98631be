/* What is remembered changes no pick: random worlds in which nodes come, go, fill and change, and tasks of many kinds
 * are placed and end, each pick made twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cluster/test_world.h"
#include "scheduler/contest.h"
#include "scheduler/scheduler.h"

#define N_JOBS	    16
#define N_NODES	    70
#define N_TASKS_MAX 4000

struct history {
	struct world world;
	struct scheduler_memory *memory;
	struct job_entry *jobs[N_JOBS];
	struct task *tasks[N_TASKS_MAX];
	size_t n_tasks;
	size_t n_found;
	size_t n_nowhere;
	int64_t slot;
	uint64_t round;
	uint64_t state;
};

static uint64_t draw(struct history *history, uint64_t n)
{
	history->state = history->state * 6364136223846793005u + 1442695040888963407u;
	return (history->state >> 33) % n;
}

static void add_node(struct history *history)
{
	static const int64_t cpus[] = { 4000, 8000, 16000 };
	static const int64_t memory_bytes[] = { 8 * GB, 16 * GB, 16 * GB + 12345678 };
	char name[32];
	text_print(name, sizeof(name), "n%zu", history->world.cluster.columns.n);
	struct node_entry *node = world_node(&history->world, name, cpus[draw(history, 3)],
					     memory_bytes[draw(history, 3)], "disk",
					     draw(history, 2) ? "ssd" : "hdd");
	char rack[8];
	text_print(rack, sizeof(rack), "r%d", (int)draw(history, 5));
	if (draw(history, 6))
		pairs_put(&node->record.facts.engine_labels, "rack", rack);
}

static struct job_spec any_spec(struct history *history, size_t i)
{
	static const char *const constraints[] = { "node.labels.disk==ssd",
						   "node.labels.disk!=ssd" };
	struct job_spec spec =
		world_spec((int64_t)draw(history, 12) * 100, (int64_t)draw(history, 12) * 100 * MB);
	if (draw(history, 3) == 0)
		strings_add(&spec.placement.constraints, constraints[draw(history, 2)]);
	if (draw(history, 4) == 0)
		spec_add_port(&spec, NULL, 8000 + (int64_t)i, 8000 + (int64_t)i, PORT_TCP);
	if (draw(history, 4) == 0)
		spec_add_port(&spec, NULL, 9000, 9003, PORT_TCP);
	if (draw(history, 5) == 0)
		spec.placement.max_replicas_per_node = 1 + (int64_t)draw(history, 3);
	/* One of those that come often, and others. */
	if (i == 3 || draw(history, 6) == 0)
		strings_add(&spec.placement.preferences, "engine.labels.rack");
	if (i == 3 || draw(history, 6) == 0)
		strings_add(&spec.placement.preferences, "node.labels.disk");
	if (draw(history, 6) == 0)
		spec_add_network(&spec, "shared");
	return spec;
}

static struct scheduler_pick pick_twice(struct history *history, const struct task *task,
					const struct scheduler_ops *policy, struct node_id avoid)
{
	struct scheduler_pick asked;
	struct scheduler_pick recalled;
	const struct cluster *cluster = &history->world.cluster;
	scheduler_pick(cluster, NULL, policy, task, avoid, history->round, &asked);
	scheduler_pick(cluster, history->memory, policy, task, avoid, history->round, &recalled);
	assert_ptr_equal(asked.node, recalled.node);
	assert_true(asked.score == recalled.score);
	assert_int_equal(asked.next_round, recalled.next_round);
	assert_int_equal(asked.moves_home, recalled.moves_home);
	assert_int_equal(asked.ports.n, recalled.ports.n);
	for (size_t i = 0; i < asked.ports.n; i++)
		assert_int_equal(asked.ports.items[i].host_port, recalled.ports.items[i].host_port);
	if (!asked.node)
		assert_string_equal(asked.message, recalled.message);
	scheduler_pick_release(&asked);
	return recalled;
}

static void place_one(struct history *history)
{
	struct world *world = &history->world;
	/* A few come again and again. */
	size_t i = draw(history, 3) ? draw(history, 4) : draw(history, N_JOBS);
	const struct scheduler_ops *policy =
		scheduler_registry[draw(history, 4) ? i % SCHEDULER_POLICY_COUNT
						    : draw(history, SCHEDULER_POLICY_COUNT)];
	struct node_id avoid = { { { 0 } } };
	if (draw(history, 5) == 0)
		avoid = world->cluster.columns.entry[draw(history, world->cluster.columns.n)]
				->record.id;
	if (history->n_tasks == N_TASKS_MAX)
		return;
	struct task *task = world_task(world, history->jobs[i], ++history->slot);
	struct scheduler_pick pick = pick_twice(history, task, policy, avoid);
	history->round = pick.next_round;
	if (pick.node) {
		cluster_task_edit(&world->cluster, task);
		task->desired.node = pick.node->record.id;
		task_take_ports(task, pick.ports.items, pick.ports.n);
		pick.ports.items = NULL;
		cluster_task_save(&world->cluster, &world->changes, task);
		history->tasks[history->n_tasks++] = task;
		history->n_found++;
	} else {
		cluster_delete_task(&world->cluster, &world->changes, task);
		history->n_nowhere++;
	}
	scheduler_pick_release(&pick);
}

static void end_one(struct history *history)
{
	if (!history->n_tasks)
		return;
	struct world *world = &history->world;
	size_t i = draw(history, history->n_tasks);
	struct task *task = history->tasks[i];
	struct err err;
	history->tasks[i] = history->tasks[--history->n_tasks];
	struct task_observed report = report_of(task, 1, TASK_FAILED, 1);
	report.reason = REASON_EXIT_NONZERO;
	report.removed = true;
	assert_true(world_report(world, task, report, &err));
	cluster_delete_task(&world->cluster, &world->changes, task);
}

static void change_node(struct history *history)
{
	struct cluster *cluster = &history->world.cluster;
	struct node_entry *node = cluster->columns.entry[draw(history, cluster->columns.n)];
	struct node_record record;
	struct node_stats stats = { .cpu_used_milli = (int64_t)draw(history, 8000),
				    .memory_used_bytes = (int64_t)draw(history, 8000) * MB };
	switch (draw(history, 6)) {
	case 0: cluster_set_node_runtime(cluster, node, draw(history, 3)); return;
	case 1: cluster_set_node_stats(cluster, node, draw(history, 3) ? &stats : NULL, 1); return;
	case 2:
		cluster_set_node_state(cluster, node, draw(history, 4) ? NODE_READY : NODE_DOWN);
		return;
	case 3:
		if (draw(history, 8) == 0)
			add_node(history);
		else if (!node->tasks.n && cluster->columns.n > N_NODES / 2)
			cluster_delete_node(cluster, &history->world.changes, node);
		return;
	default: break;
	}
	record_copy(&node_record_type, &record, &node->record);
	if (draw(history, 3))
		record.draining = draw(history, 4) == 0;
	else if (draw(history, 2))
		pairs_put(&record.facts.labels, "disk", draw(history, 2) ? "ssd" : "hdd");
	else
		record.facts.capacity.memory_bytes = (8 + (int64_t)draw(history, 8)) * GB;
	cluster_put_node(cluster, &history->world.changes, &record);
}

static void run_history(uint64_t seed, size_t n_steps, struct history *ret_sums)
{
	struct history history = { .state = seed };
	world_init(&history.world);
	history.memory = scheduler_memory_new(1);
	for (size_t i = 0; i < N_NODES; i++)
		add_node(&history);
	for (size_t i = 0; i < N_JOBS; i++) {
		char name[32];
		text_print(name, sizeof(name), "job%zu", i);
		history.jobs[i] = world_job(&history.world, "shop", name, any_spec(&history, i));
	}
	for (size_t i = 0; i < n_steps; i++) {
		uint64_t what = draw(&history, 100);
		if (what < 60)
			place_one(&history);
		else if (what < 60 + (history.n_tasks > 600 ? 30 : 10))
			end_one(&history);
		else
			change_node(&history);
	}
	ret_sums->n_found += history.n_found;
	ret_sums->n_nowhere += history.n_nowhere;
	scheduler_memory_free(history.memory);
	world_release(&history.world);
}

static void what_is_remembered_changes_no_pick(void **state)
{
	(void)state;
	struct history sums = { 0 };
	for (uint64_t seed = 1; seed <= 12; seed++)
		run_history(seed, 3000, &sums);
	assert_true(sums.n_found > 5000);
	assert_true(sums.n_nowhere > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_remembered_changes_no_pick),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
