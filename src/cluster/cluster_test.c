#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/check.h"
#include "cluster/test_world.h"

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

static void what_was_put_is_found_by_name_and_by_id(void **state)
{
	struct world *world = *state;
	struct job_entry *web = world_job(world, "shop", "web", world_spec(0, 0));
	struct job_entry *db = world_job(world, "shop", "db", world_spec(0, 0));
	struct project_entry *shop = cluster_project(&world->cluster, "shop");

	assert_ptr_equal(cluster_job_named(&world->cluster, "shop", "web"), web);
	assert_ptr_equal(cluster_job(&world->cluster, db->job.id), db);
	assert_null(cluster_job_named(&world->cluster, "shop", "cache"));
	assert_null(cluster_project(&world->cluster, "other"));
	assert_int_equal(shop->n_jobs, 2);
	assert_ptr_equal(shop->jobs[0], db);
	assert_ptr_equal(shop->jobs[1], web);
	assert_true(web->dirty);
}

static void every_put_is_recorded_under_its_own_key(void **state)
{
	struct world *world = *state;
	struct job_entry *web = world_job(world, "shop", "web", world_spec(0, 0));
	struct task *task = world_task(world, web, 1);
	const struct changes *changes = &world->changes;
	const uint8_t kinds[] = { RECORD_PROJECT, RECORD_JOB, RECORD_REVISION, RECORD_TASK };

	assert_int_equal(changes->n, ARRAY_LEN(kinds));
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		assert_int_equal(changes->items[i].kind, kinds[i]);
		assert_non_null(changes->items[i].value);
	}
	assert_memory_equal(changes->items[0].key, "shop", 4);
	assert_memory_equal(changes->items[3].key, task->desired.id.uuid.bytes, UUID_BYTES);
	/* All of one group: the caller opened none. */
	assert_true(changes->items[0].starts_group);
	assert_false(changes->items[3].starts_group);
}

static void without_a_list_of_changes_puts_only_apply(void **state)
{
	struct world *world = *state;
	struct project project;
	record_init(&project_type, &project);
	string_set(&project.name, "quiet");
	cluster_put_project(&world->cluster, NULL, &project);

	assert_non_null(cluster_project(&world->cluster, "quiet"));
	assert_int_equal(world->changes.n, 0);
	assert_null(project.name);
}

static void a_placed_task_weighs_on_its_node_until_it_is_gone(void **state)
{
	struct world *world = *state;
	struct node_entry *node = world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	struct job_entry *web = world_job(world, "shop", "web", world_spec(500, GB));
	struct task *task = world_placed(world, web, 1, node);
	const struct node_columns *columns = &world->cluster.columns;

	assert_int_equal(task->state, TASK_SCHEDULED);
	assert_int_equal(task->reason, REASON_ASSIGNED);
	assert_int_equal(columns->cpu_reserved_milli[node->index], 500);
	assert_int_equal(columns->memory_reserved_bytes[node->index], GB);
	assert_int_equal(columns->tasks[node->index], 1);
	assert_int_equal(cluster_job_tasks_on(web, node), 1);
	assert_int_equal(node->tasks.n, 1);

	struct task_observed report = report_of(task, 1, TASK_FAILED, 1);
	assert_true(world_report(world, task, report, NULL));
	assert_int_equal(columns->tasks[node->index], 1);

	report = report_of(task, 2, TASK_FAILED, 1);
	report.gone = true;
	assert_true(world_report(world, task, report, NULL));
	assert_int_equal(columns->cpu_reserved_milli[node->index], 0);
	assert_int_equal(columns->tasks[node->index], 0);
	assert_int_equal(cluster_job_tasks_on(web, node), 0);
	/* The worker keeps its dead container until it is told to remove it. */
	assert_int_equal(node->tasks.n, 1);

	report = report_of(task, 3, TASK_FAILED, 1);
	report.removed = true;
	assert_true(world_report(world, task, report, NULL));
	assert_int_equal(node->tasks.n, 0);
}

static void a_task_that_reserves_nothing_is_expected_to_use_something(void **state)
{
	struct world *world = *state;
	struct node_entry *node = world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	struct job_entry *web = world_job(world, "shop", "web", world_spec(0, 0));
	world_placed(world, web, 1, node);
	const struct node_columns *columns = &world->cluster.columns;

	assert_int_equal(columns->cpu_reserved_milli[0], 0);
	assert_int_equal(columns->memory_reserved_bytes[0], 0);
	assert_int_equal(columns->cpu_expected_milli[0], NOMINAL_CPU_MILLI);
	assert_int_equal(columns->memory_expected_bytes[0], NOMINAL_MEMORY_BYTES);
}

static void ports_exclude_each_other_by_address_and_protocol(void **state)
{
	struct world *world = *state;
	struct node_entry *node = world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	struct job_spec spec = world_spec(0, 0);
	spec_add_port(&spec, "127.0.0.1", 8080, 8080, PORT_TCP);
	struct task *task = world_task(world, world_job(world, "shop", "web", spec), 1);
	world_place_on_port(world, task, node, 8080);

	assert_ptr_equal(cluster_port_owner(node, "127.0.0.1", PORT_TCP, 8080), task);
	assert_ptr_equal(cluster_port_owner(node, NULL, PORT_TCP, 8080), task);
	assert_ptr_equal(cluster_port_owner(node, "0.0.0.0", PORT_TCP, 8080), task);
	assert_null(cluster_port_owner(node, "127.0.0.2", PORT_TCP, 8080));
	assert_null(cluster_port_owner(node, "127.0.0.1", PORT_UDP, 8080));
	assert_null(cluster_port_owner(node, "127.0.0.1", PORT_TCP, 8081));
}

static size_t n_foreign(const struct node_entry *node, int64_t first, int64_t last)
{
	size_t n = 0;
	for (int64_t port = first; port <= last; port++)
		n += cluster_port_is_foreign(node, PORT_TCP, port);
	return n;
}

static void of_many_foreign_ports_the_latest_are_known(void **state)
{
	struct world *world = *state;
	struct node_entry *node = world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	for (int64_t port = 1; port <= 100; port++)
		cluster_port_seen_foreign(node, PORT_TCP, port);
	size_t n = n_foreign(node, 1, 100);
	assert_in_range(n, 1, 99);
	assert_int_equal(n_foreign(node, 101 - (int64_t)n, 100), n);
	assert_false(cluster_port_is_foreign(node, PORT_UDP, 100));
	/* What is seen again is not known twice. */
	for (int64_t port = 101 - (int64_t)n; port <= 100; port++)
		cluster_port_seen_foreign(node, PORT_TCP, port);
	assert_int_equal(n_foreign(node, 1, 100), n);
	/* One that is ours now makes room for one, and then the oldest goes first as before. */
	cluster_port_seen_ours(node, PORT_TCP, 90);
	cluster_port_seen_ours(node, PORT_TCP, 90);
	assert_int_equal(n_foreign(node, 1, 100), n - 1);
	for (int64_t port = 101; port <= 110; port++)
		cluster_port_seen_foreign(node, PORT_TCP, port);
	assert_int_equal(n_foreign(node, 1, 110), n);
	assert_int_equal(n_foreign(node, 110 - (int64_t)n, 110), n);
}

static void a_replaced_revision_weighs_its_tasks_anew(void **state)
{
	struct world *world = *state;
	struct node_entry *node = world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	struct job_entry *web = world_job(world, "shop", "web", world_spec(500, GB));
	world_placed(world, web, 1, node);
	struct job_revision revision;
	memset(&revision, 0, sizeof(revision));
	revision.job = web->job.id;
	revision.number = 1;
	revision.spec = world_spec(700, GB);
	cluster_put_revision(&world->cluster, &world->changes, &revision);

	assert_int_equal(world->cluster.columns.cpu_reserved_milli[0], 700);
	assert_int_equal(web->n_revisions, 1);
}

static void old_revisions_can_be_deleted(void **state)
{
	struct world *world = *state;
	struct job_entry *web = world_job(world, "shop", "web", world_spec(0, 0));
	struct job_revision revision;
	memset(&revision, 0, sizeof(revision));
	revision.job = web->job.id;
	revision.number = 2;
	revision.spec = world_spec(100, 0);
	cluster_put_revision(&world->cluster, &world->changes, &revision);
	struct job job;
	record_copy(&job_type, &job, &web->job);
	job.revision = 2;
	cluster_put_job(&world->cluster, &world->changes, &job);
	cluster_delete_revision(&world->cluster, &world->changes, web, 1);

	assert_int_equal(web->n_revisions, 1);
	assert_int_equal(job_entry_current(web)->number, 2);
	assert_null(job_entry_revision(web, 1));
	const struct change *last = &world->changes.items[world->changes.n - 1];
	assert_int_equal(last->kind, RECORD_REVISION);
	assert_null(last->value);
}

static void deleting_takes_everything_out_again(void **state)
{
	struct world *world = *state;
	struct job_entry *web = world_job(world, "shop", "web", world_spec(0, 0));
	struct task *task = world_task(world, web, 1);
	cluster_delete_task(&world->cluster, &world->changes, task);
	cluster_delete_job(&world->cluster, &world->changes, web);
	cluster_delete_project(&world->cluster, &world->changes,
			       cluster_project(&world->cluster, "shop"));

	assert_null(cluster_project(&world->cluster, "shop"));
	assert_null(cluster_job_named(&world->cluster, "shop", "web"));
	assert_int_equal(world->cluster.tasks.n, 0);
	assert_int_equal(world->cluster.n_tasks_by_state[TASK_PENDING], 0);
}

/* From the first on, from the last, and from the middle, with new ones in between. */
static void lists_stay_whole_whichever_task_goes(void **state)
{
	struct world *world = *state;
	struct job_entry *web = world_job(world, "shop", "web", world_spec(0, 0));
	int64_t slot = 0;
	for (int i = 0; i < 40; i++)
		world_task(world, web, ++slot);
	size_t capacity = web->tasks.capacity;
	for (int i = 0; i < 300; i++) {
		size_t n = web->tasks.n;
		size_t at = i % 3 == 0 ? n - 1 : i % 3 == 1 ? n / 3 : 0;
		struct task *gone = web->tasks.items[at];
		cluster_delete_task(&world->cluster, &world->changes, gone);
		assert_int_equal(web->tasks.n, n - 1);
		world_task(world, web, ++slot);
		cluster_check(&world->cluster);
	}
	/* What went left room for what came. */
	assert_true(web->tasks.capacity <= 2 * capacity);
	while (web->tasks.n)
		cluster_delete_task(&world->cluster, &world->changes, web->tasks.items[0]);
	cluster_check(&world->cluster);
	const struct task *alone = world_task(world, web, 1);
	assert_ptr_equal(web->tasks.items[0], alone);
}

static void a_verdict_moves_a_task_to_its_end(void **state)
{
	struct world *world = *state;
	struct job_entry *web = world_job(world, "shop", "web", world_spec(0, 0));
	struct task *task = world_task(world, web, 1);
	cluster_task_edit(&world->cluster, task);
	task->desired.verdict = TASK_FAILED;
	task->desired.verdict_reason = REASON_PLACEMENT_DEADLINE;
	string_set(&task_make_rare(task)->verdict_message, "not placed within 10s");
	cluster_task_save(&world->cluster, &world->changes, task);

	assert_int_equal(task->state, TASK_FAILED);
	assert_int_equal(task->reason, REASON_PLACEMENT_DEADLINE);
	assert_string_equal(task_message(task), "not placed within 10s");
	assert_int_equal(world->cluster.n_tasks_by_state[TASK_PENDING], 0);
	assert_int_equal(world->cluster.n_tasks_by_state[TASK_FAILED], 1);
}

struct illegal {
	struct world *world;
	struct task *task;
	struct node_entry *other;
};

static void unplace(void *argument)
{
	struct illegal *illegal = argument;
	cluster_task_edit(&illegal->world->cluster, illegal->task);
	illegal->task->desired.node = (struct node_id){ 0 };
	cluster_task_save(&illegal->world->cluster, NULL, illegal->task);
}

static void move_to_other_node(void *argument)
{
	struct illegal *illegal = argument;
	cluster_task_edit(&illegal->world->cluster, illegal->task);
	illegal->task->desired.node = illegal->other->record.id;
	cluster_task_save(&illegal->world->cluster, NULL, illegal->task);
}

static void judge_a_task_that_ended(void *argument)
{
	struct illegal *illegal = argument;
	struct task_observed report = report_of(illegal->task, 1, TASK_COMPLETED, 1);
	world_report(illegal->world, illegal->task, report, NULL);
	cluster_task_edit(&illegal->world->cluster, illegal->task);
	illegal->task->desired.verdict = TASK_FAILED;
	cluster_task_save(&illegal->world->cluster, NULL, illegal->task);
}

static void delete_a_task_that_occupies_its_node(void *argument)
{
	struct illegal *illegal = argument;
	cluster_delete_task(&illegal->world->cluster, NULL, illegal->task);
}

static void edit_legally(void *argument)
{
	struct illegal *illegal = argument;
	cluster_task_edit(&illegal->world->cluster, illegal->task);
	illegal->task->desired.wanted = TASK_WANT_STOP;
	cluster_task_save(&illegal->world->cluster, NULL, illegal->task);
}

static void edits_that_break_a_rule_stop_the_program(void **state)
{
	struct world *world = *state;
	struct node_entry *a = world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	struct node_entry *b = world_node(world, "b", 4000, 8 * GB, NULL, NULL);
	struct job_entry *web = world_job(world, "shop", "web", world_spec(0, 0));
	struct illegal illegal = { world, world_placed(world, web, 1, a), b };

	assert_false(dies(edit_legally, &illegal));
	assert_true(dies(unplace, &illegal));
	assert_true(dies(move_to_other_node, &illegal));
	assert_true(dies(judge_a_task_that_ended, &illegal));
	assert_true(dies(delete_a_task_that_occupies_its_node, &illegal));
}

static void a_waiting_task_says_why_and_forgets_it_when_placed(void **state)
{
	struct world *world = *state;
	struct node_entry *node = world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	struct job_entry *web = world_job(world, "shop", "web", world_spec(0, 0));
	struct task *task = world_task(world, web, 1);
	char out[TASK_SENTENCE_SIZE];
	assert_string_equal(cluster_task_sentence(&world->cluster, task, out),
			    "in the queue for a node");
	size_t n_changes = world->changes.n;
	cluster_set_waiting(&world->cluster, task, REASON_NO_NODE_FITS,
			    base_strdup("no node has joined yet"));
	assert_int_equal(task->reason, REASON_NO_NODE_FITS);
	assert_int_equal(world->changes.n, n_changes);
	world_place(world, task, node);
	assert_int_equal(task->reason, REASON_ASSIGNED);
	assert_null(task_message(task));
	assert_string_equal(cluster_task_sentence(&world->cluster, task, out), "placed on a");
}

static void a_node_takes_tasks_only_when_all_is_well(void **state)
{
	struct world *world = *state;
	struct node_entry *node = world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	const uint8_t *ready = world->cluster.columns.ready;
	assert_int_equal(ready[0], 1);
	cluster_set_node_state(&world->cluster, node, NODE_DOWN);
	assert_int_equal(ready[0], 0);
	cluster_set_node_state(&world->cluster, node, NODE_READY);
	cluster_set_node_runtime(&world->cluster, node, false);
	assert_int_equal(ready[0], 0);
	cluster_set_node_runtime(&world->cluster, node, true);
	struct node_record record;
	record_copy(&node_record_type, &record, &node->record);
	record.draining = true;
	cluster_put_node(&world->cluster, &world->changes, &record);
	assert_int_equal(ready[0], 0);
}

static void stale_statistics_do_not_count(void **state)
{
	struct world *world = *state;
	struct node_entry *node = world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	struct node_stats stats = { .cpu_used_milli = 1500, .memory_used_bytes = GB };
	cluster_set_node_stats(&world->cluster, node, &stats, 99);
	assert_int_equal(world->cluster.columns.cpu_used_milli[0], 1500);
	cluster_set_node_stats(&world->cluster, node, NULL, 200);
	assert_int_equal(world->cluster.columns.cpu_used_milli[0], 0);
	assert_int_equal(world->cluster.columns.memory_used_bytes[0], 0);
	/* What was last heard is still there to be shown. */
	assert_int_equal(node->stats.cpu_used_milli, 1500);
	assert_int_equal(node->stats_ms, 99);
}

static void volumes_take_the_name_docker_knows(void **state)
{
	struct world *world = *state;
	struct project project;
	record_init(&project_type, &project);
	string_set(&project.name, "shop");
	struct volume_spec *volume = list_add(&project.volumes, sizeof(*volume));
	string_set(&volume->key, "data");
	string_set(&volume->name, "shared-data");
	struct project_entry *shop =
		cluster_put_project(&world->cluster, &world->changes, &project);
	char out[VOLUME_NAME_SIZE];
	assert_string_equal(cluster_volume_name(shop, "data", out), "shared-data");
	assert_string_equal(cluster_volume_name(shop, "logs", out), "shop_logs");
}

static void lists_come_sorted_whatever_the_order_of_arrival(void **state)
{
	struct world *world = *state;
	world_project(world, "zoo");
	world_project(world, "bar");
	world_project(world, "foo");
	size_t n;
	_cleanup_free_ struct project_entry **projects =
		cluster_sorted_projects(&world->cluster, &n);
	assert_int_equal(n, 3);
	assert_string_equal(projects[0]->project.name, "bar");
	assert_string_equal(projects[1]->project.name, "foo");
	assert_string_equal(projects[2]->project.name, "zoo");

	const char *const keys[] = { "k2", "k1" };
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct idempotency_record record = { .caller = base_strdup("uid:0"),
						     .key = base_strdup(keys[i]),
						     .created_wall_ms = (int64_t)(10 - i) };
		cluster_put_idempotency(&world->cluster, &world->changes, &record);
	}
	_cleanup_free_ struct idempotency_record **answers =
		cluster_sorted_idempotency(&world->cluster, &n);
	assert_int_equal(n, 2);
	assert_string_equal(answers[0]->key, "k1");
	assert_ptr_equal(cluster_idempotency(&world->cluster, "uid:0", "k2"), answers[1]);
	assert_null(cluster_idempotency(&world->cluster, "uid:1", "k2"));
}

static void tasks_are_named_by_project_job_and_slot(void **state)
{
	struct world *world = *state;
	struct job_entry *web = world_job(world, "shop", "web", world_spec(0, 0));
	char out[TASK_NAME_SIZE];
	assert_string_equal(cluster_task_name(&world->cluster, world_task(world, web, 2), out),
			    "shop/web.2");
}

static void a_node_without_a_name_is_told_as_such(void **state)
{
	struct world *world = *state;
	struct job_entry *web = world_job(world, "shop", "web", world_spec(0, 0));
	struct node_entry *node = world_node(world, NULL, 1000, GB, NULL, NULL);
	char out[TASK_SENTENCE_SIZE];
	assert_string_equal(
		cluster_task_sentence(&world->cluster, world_placed(world, web, 1, node), out),
		"placed on a node without a name");
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(what_was_put_is_found_by_name_and_by_id),
		CASE(every_put_is_recorded_under_its_own_key),
		CASE(without_a_list_of_changes_puts_only_apply),
		CASE(a_placed_task_weighs_on_its_node_until_it_is_gone),
		CASE(a_task_that_reserves_nothing_is_expected_to_use_something),
		CASE(ports_exclude_each_other_by_address_and_protocol),
		CASE(of_many_foreign_ports_the_latest_are_known),
		CASE(a_replaced_revision_weighs_its_tasks_anew),
		CASE(old_revisions_can_be_deleted),
		CASE(deleting_takes_everything_out_again),
		CASE(lists_stay_whole_whichever_task_goes),
		CASE(a_verdict_moves_a_task_to_its_end),
		CASE(edits_that_break_a_rule_stop_the_program),
		CASE(a_waiting_task_says_why_and_forgets_it_when_placed),
		CASE(a_node_takes_tasks_only_when_all_is_well),
		CASE(stale_statistics_do_not_count),
		CASE(volumes_take_the_name_docker_knows),
		CASE(lists_come_sorted_whatever_the_order_of_arrival),
		CASE(tasks_are_named_by_project_job_and_slot),
		CASE(a_node_without_a_name_is_told_as_such),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
