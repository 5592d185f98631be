#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "cluster/test_world.h"
#include "task/test_records.h"

/* What a store would hold after all changes: the last value of every key. `order` of the kinds is
 * the reader's. */
static enum err_code replay_records(const struct changes *changes, struct cluster *cluster,
				    bool backwards, struct err *err)
{
	for (size_t n = 0; n < changes->n; n++) {
		size_t at = backwards ? changes->n - 1 - n : n;
		const struct change *change = &changes->items[at];
		bool last = true;
		for (size_t later = at + 1; later < changes->n; later++) {
			const struct change *other = &changes->items[later];
			if (other->kind == change->kind && other->key_len == change->key_len &&
			    memcmp(other->key, change->key, change->key_len) == 0)
				last = false;
		}
		if (last && change->value && cluster_replay(cluster, change, err) != ERR_NONE)
			return err->code;
	}
	return ERR_NONE;
}

static void replay_all(const struct changes *changes, struct cluster *cluster, bool backwards)
{
	struct err err = { 0 };
	if (replay_records(changes, cluster, backwards, &err) != ERR_NONE)
		fail_msg("%s", err.message);
}

static const char hash[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static const struct node_id removed_id = { { { 0x7e } } };

/* A world with something of everything. */
static void fill(struct world *world)
{
	struct node_entry *a = world_node(world, "a", 4000, 8 * GB, "disk", "ssd");
	struct node_entry *b = world_node(world, "b", 2000, 4 * GB, NULL, NULL);
	struct job_spec spec = world_spec(250, 256 * MB);
	spec_add_port(&spec, NULL, 8080, 8089, PORT_TCP);
	struct job_entry *web = world_job(world, "shop", "web", spec);
	struct job_entry *batch = world_job(world, "shop", "batch", world_spec(0, 0));
	struct task *first = world_task(world, web, 1);
	world_place_on_port(world, first, a, 8080);
	struct task *second = world_task(world, web, 2);
	world_place_on_port(world, second, a, 8081);
	world_report(world, first, report_of(first, 3, TASK_RUNNING, 1), NULL);
	struct task *done = world_placed(world, batch, 1, b);
	struct task_observed end = report_of(done, 2, TASK_COMPLETED, 1);
	end.reason = REASON_EXIT_ZERO;
	end.gone = true;
	string_set(&end.message, "ended with exit code 0");
	world_report(world, done, end, NULL);
	world_task(world, batch, 2);
	struct task *deleted = world_task(world, batch, 3);
	cluster_delete_task(&world->cluster, &world->changes, deleted);
	struct volume_record volume = { .project = base_strdup("shop"),
					.key = base_strdup("data"),
					.name = base_strdup("shop_data"),
					.node = a->record.id };
	cluster_put_volume(&world->cluster, &world->changes, &volume);
	struct meta_record meta = world->cluster.meta;
	meta.cluster = world_id(world);
	meta.epoch = 4;
	cluster_put_meta(&world->cluster, &world->changes, &meta);
	struct idempotency_record answer = { .caller = base_strdup("uid:0"),
					     .key = base_strdup("k1"),
					     .answer = base_strdup("00ff") };
	cluster_put_idempotency(&world->cluster, &world->changes, &answer);
	struct token_record token = { .id = base_strdup("aaaa"), .uses = 2, .uses_left = 1 };
	token.secret_sha256 = base_strndup(hash, ACCESS_HASH_TEXT_SIZE - 1);
	cluster_put_token(&world->cluster, &world->changes, &token);
	struct identity_record identity = { .id = world_id(world), .token = base_strdup("aaaa") };
	identity.key_sha256 = base_strndup(hash, ACCESS_HASH_TEXT_SIZE - 1);
	cluster_put_identity(&world->cluster, &world->changes, &identity);
	struct removed_node removed = { .id = removed_id, .name = base_strdup("c") };
	cluster_put_removed_node(&world->cluster, &world->changes, &removed);
}

static void assert_same_tasks(const struct cluster *a, const struct cluster *b)
{
	assert_int_equal(a->tasks.n, b->tasks.n);
	size_t position = 0;
	for (const struct task *task; (task = id_index_next(&a->tasks, &position));) {
		const struct task *other = cluster_task(b, task->desired.id);
		assert_non_null(other);
		assert_same_records(task, other);
		assert_int_equal(task->state, other->state);
		assert_int_equal(task->reason, other->reason);
		assert_int_equal(task_message(task) == NULL, task_message(other) == NULL);
		if (task_message(task))
			assert_string_equal(task_message(task), task_message(other));
	}
}

static void check_replay(bool backwards)
{
	struct world world;
	world_init(&world);
	fill(&world);
	struct cluster copy;
	cluster_init(&copy, 99);
	replay_all(&world.changes, &copy, backwards);
	assert_int_equal(cluster_replayed(&copy, NULL), ERR_NONE);
	cluster_check(&copy);

	assert_same_tasks(&world.cluster, &copy);
	assert_int_equal(copy.meta.epoch, 4);
	assert_int_equal(copy.nodes.n, 2);
	assert_string_equal(copy.columns.entry[0]->record.facts.hostname, "a");
	assert_string_equal(copy.columns.entry[1]->record.facts.hostname, "b");
	const struct job_entry *web = cluster_job_named(&copy, "shop", "web");
	assert_int_equal(web->tasks.n, 2);
	assert_true(web->dirty);
	assert_int_equal(web->tasks.items[0]->desired.slot, 1);
	const struct node_entry *a = cluster_node(&copy, web->tasks.items[0]->desired.node);
	assert_ptr_equal(cluster_port_owner(a, NULL, PORT_TCP, 8081), web->tasks.items[1]);
	assert_int_equal(copy.columns.cpu_reserved_milli[a->index], 500);
	assert_non_null(cluster_volume(&copy, "shop_data"));
	assert_string_equal(cluster_idempotency(&copy, "uid:0", "k1")->answer, "00ff");
	assert_int_equal(cluster_token(&copy, "aaaa")->uses_left, 1);
	assert_string_equal(cluster_identity_of_key(&copy, hash)->token, "aaaa");
	const char *name = NULL;
	assert_true(cluster_was_removed(&copy, removed_id, &name));
	assert_string_equal(name, "c");
	assert_false(cluster_was_removed(&copy, a->record.id, &name));
	for (size_t i = 0; i < ARRAY_LEN(copy.n_tasks_by_state); i++)
		assert_int_equal(copy.n_tasks_by_state[i], world.cluster.n_tasks_by_state[i]);
	/* Nothing was heard since the start: no node takes tasks. */
	assert_int_equal(copy.columns.ready[a->index], 0);
	cluster_release(&copy);
	world_release(&world);
}

static void a_replayed_world_equals_the_live_one(void **state)
{
	(void)state;
	check_replay(false);
}

static void records_may_come_in_any_order(void **state)
{
	(void)state;
	check_replay(true);
}

/* Replay all but the records of one kind; the error of the end. */
static enum err_code replay_without(const struct changes *changes, int kind, struct err *err)
{
	struct cluster copy;
	cluster_init(&copy, 99);
	struct changes kept = { 0 };
	for (size_t i = 0; i < changes->n; i++) {
		struct change change = changes->items[i];
		if (change.kind == kind)
			continue;
		change.value = change.value ? base_memdup(change.value, change.value_len) : NULL;
		changes_add(&kept, &change);
	}
	replay_all(&kept, &copy, false);
	enum err_code code = cluster_replayed(&copy, err);
	cluster_release(&copy);
	changes_release(&kept);
	return code;
}

/* All that was observed lies under (node, task), as release 1 had it. */
static void file_by_node(const struct cluster *cluster, struct changes *changes)
{
	for (size_t i = 0; i < changes->n; i++) {
		struct change *change = &changes->items[i];
		struct task_id id;
		if (change->kind != RECORD_OBSERVED || !change->value)
			continue;
		memcpy(id.uuid.bytes, change->key, UUID_BYTES);
		change_key_ids(change, cluster_task(cluster, id)->desired.node.uuid, id.uuid);
	}
}

static void check_refiling(bool backwards)
{
	struct world world;
	struct cluster copy, again;
	world_init(&world);
	fill(&world);
	file_by_node(&world.cluster, &world.changes);
	cluster_init(&copy, 1);
	replay_all(&world.changes, &copy, backwards);
	assert_int_equal(cluster_replayed(&copy, NULL), ERR_NONE);
	assert_same_tasks(&world.cluster, &copy);
	assert_true(copy.filed_by_node.n > 0);
	while (copy.filed_by_node.n)
		cluster_refile_observed(&copy, &world.changes);
	/* From now on it is where it belongs, and nowhere else. */
	cluster_init(&again, 1);
	replay_all(&world.changes, &again, backwards);
	assert_int_equal(cluster_replayed(&again, NULL), ERR_NONE);
	assert_same_tasks(&world.cluster, &again);
	assert_int_equal(again.filed_by_node.n, 0);
	cluster_release(&again);
	cluster_release(&copy);
	world_release(&world);
}

static void what_release_1_filed_by_node_is_taken_over(void **state)
{
	(void)state;
	check_refiling(false);
	check_refiling(true);
}

/* The last one of the kind whose key ends in the id. */
static const struct change *last_of(const struct changes *changes, int kind, struct uuid id)
{
	const struct change *found = NULL;
	for (size_t i = 0; i < changes->n; i++) {
		const struct change *change = &changes->items[i];
		if (change->kind == kind && change->value &&
		    memcmp(change->key + change->key_len - UUID_BYTES, id.bytes, UUID_BYTES) == 0)
			found = change;
	}
	assert_non_null(found);
	return found;
}

static void a_report_under_another_node_is_damage(void **state)
{
	(void)state;
	struct world world;
	world_init(&world);
	fill(&world);
	file_by_node(&world.cluster, &world.changes);
	size_t at = 0;
	const struct task *task = id_index_next(&world.cluster.tasks, &at);
	while (!task->observed.version)
		task = id_index_next(&world.cluster.tasks, &at);
	struct uuid id = task->desired.id.uuid;
	struct change report = *last_of(&world.changes, RECORD_OBSERVED, id);
	const struct change *desired = last_of(&world.changes, RECORD_TASK, id);
	report.key[0] ^= 1;
	for (int i = 0; i < 2; i++) {
		struct cluster copy;
		struct err err;
		cluster_init(&copy, 1);
		assert_int_equal(cluster_replay(&copy, i ? desired : &report, &err), ERR_NONE);
		assert_int_equal(cluster_replay(&copy, i ? &report : desired, &err), ERR_DAMAGED);
		cluster_release(&copy);
	}
	world_release(&world);
}

static void a_missing_record_is_damage_and_named(void **state)
{
	(void)state;
	static const struct {
		int kind;
		const char *says;
	} cases[] = {
		{ RECORD_PROJECT, "is of a project that is not there" },
		{ RECORD_JOB, "has revisions but no record of its own" },
		{ RECORD_REVISION, "lacks its current revision" },
		{ RECORD_TASK, "was observed but has no record of its own" },
		{ RECORD_NODE, "is placed on a node that is not there" },
	};
	struct world world;
	world_init(&world);
	fill(&world);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = { 0 };
		assert_int_equal(replay_without(&world.changes, cases[i].kind, &err), ERR_DAMAGED);
		if (!strstr(err.message, cases[i].says))
			fail_msg("%s", err.message);
		/* "job 0190...-...": the record is named. */
		assert_true(strlen(err.message) > strlen(cases[i].says) + UUID_TEXT_LEN);
	}
	world_release(&world);
}

static void bytes_that_no_encoder_wrote_are_damage(void **state)
{
	(void)state;
	struct world world;
	world_init(&world);
	fill(&world);
	for (size_t i = 0; i < world.changes.n; i++) {
		const struct change *change = &world.changes.items[i];
		if (!change->value)
			continue;
		struct cluster copy;
		struct err err = { 0 };
		cluster_init(&copy, 1);
		/* Under another key, cut short, of another kind. */
		struct change moved = *change;
		moved.key[moved.key_len - 1] ^= 1;
		assert_int_equal(cluster_replay(&copy, &moved, &err), ERR_DAMAGED);
		struct change cut = *change;
		cut.value_len--;
		assert_int_equal(cluster_replay(&copy, &cut, &err), ERR_DAMAGED);
		struct change odd = *change;
		odd.kind = 200;
		assert_int_equal(cluster_replay(&copy, &odd, &err), ERR_DAMAGED);
		/* And twice; the meta record alone is one that replaces itself. */
		assert_int_equal(cluster_replay(&copy, change, &err), ERR_NONE);
		if (change->kind != RECORD_META)
			assert_int_equal(cluster_replay(&copy, change, &err), ERR_DAMAGED);
		cluster_release(&copy);
	}
	world_release(&world);
}

/* Another record with all that the task's own says but id and slot. */
static void add_twin(struct world *world, const struct task *task, int64_t slot)
{
	struct task_desired twin;
	task_get_desired(task, &twin);
	twin.id.uuid = world_id(world);
	twin.slot = slot;
	struct text bytes;
	text_init(&bytes, 4096);
	record_encode(&task_desired_type, &twin, &bytes);
	struct change change = { .kind = RECORD_TASK, .value_len = bytes.len };
	change_key_id(&change, twin.id.uuid);
	change.value = text_take(&bytes);
	changes_add(&world->changes, &change);
}

static void assert_replay_fails(const struct changes *changes, const char *says)
{
	struct cluster copy;
	struct err err = { 0 };
	cluster_init(&copy, 1);
	enum err_code code = replay_records(changes, &copy, false, &err);
	if (code == ERR_NONE)
		code = cluster_replayed(&copy, &err);
	assert_int_equal(code, ERR_DAMAGED);
	assert_non_null(strstr(err.message, says));
	cluster_release(&copy);
}

static void two_tasks_on_one_port_are_damage(void **state)
{
	(void)state;
	struct world world;
	world_init(&world);
	struct node_entry *a = world_node(&world, "a", 4000, 8 * GB, NULL, NULL);
	struct job_spec spec = world_spec(0, 0);
	spec_add_port(&spec, NULL, 8080, 8080, PORT_TCP);
	struct job_entry *web = world_job(&world, "shop", "web", spec);
	struct task *first = world_task(&world, web, 1);
	world_place_on_port(&world, first, a, 8080);
	add_twin(&world, first, first->desired.slot);
	assert_replay_fails(&world.changes, "holds a port that another task holds");
	world_release(&world);
}

static void a_task_without_a_slot_is_damage(void **state)
{
	(void)state;
	struct world world;
	world_init(&world);
	struct job_entry *web = world_job(&world, "shop", "web", world_spec(0, 0));
	add_twin(&world, world_task(&world, web, 1), 0);
	assert_replay_fails(&world.changes, "fills no slot");
	world_release(&world);
}

static void what_counts_too_far_is_damage(void **state)
{
	(void)state;
	struct world world;
	world_init(&world);
	struct job_entry *web = world_job(&world, "shop", "web", world_spec(0, 0));
	struct task *task = world_task(&world, web, 1);
	size_t n_changes = world.changes.n;
	add_twin(&world, task, LIMIT_TASK_COUNT + 1LL);
	assert_replay_fails(&world.changes, "counts too far");
	base_free(world.changes.items[n_changes].value);
	world.changes.n = n_changes;
	struct job job;
	record_copy(&job_type, &job, &web->job);
	job.restarts_asked = LIMIT_TASK_COUNT + 1LL;
	cluster_put_job(&world.cluster, &world.changes, &job);
	assert_replay_fails(&world.changes, "counts too far");
	world_release(&world);
}

static void what_is_gone_reserves_nothing_of_a_full_node(void **state)
{
	(void)state;
	struct world world;
	world_init(&world);
	struct node_entry *a = world_node(&world, "a", LIMIT_CPU_MILLI, 8 * GB, NULL, NULL);
	struct job_entry *web = world_job(&world, "shop", "web", world_spec(LIMIT_CPU_MILLI, 0));
	struct task *first = world_placed(&world, web, 1, a);
	struct task_observed end = report_of(first, 1, TASK_FAILED, 1);
	end.gone = true;
	assert_true(world_report(&world, first, end, NULL));
	world_placed(&world, web, 1, a);
	/* Both orders: whichever task comes first, only the second weighs. */
	for (int backwards = 0; backwards < 2; backwards++) {
		struct cluster copy;
		struct err err = { 0 };
		cluster_init(&copy, 1);
		replay_all(&world.changes, &copy, backwards);
		if (cluster_replayed(&copy, &err) != ERR_NONE)
			fail_msg("%s", err.message);
		cluster_check(&copy);
		cluster_release(&copy);
	}
	world_release(&world);
}

/* Three nodes, one job with a task on each; the first goes with its task written off. */
static void lose_first_node(struct world *world)
{
	struct node_entry *nodes[3];
	struct job_entry *web = world_job(world, "shop", "web", world_spec(500, 256 * MB));
	struct task *tasks[3];
	for (int i = 0; i < 3; i++) {
		nodes[i] = world_node(world,
				      i == 0   ? "a"
				      : i == 1 ? "b"
					       : "c",
				      1000 * (i + 1), 8 * GB, NULL, NULL);
		tasks[i] = world_placed(world, web, i + 1, nodes[i]);
	}
	cluster_task_edit(&world->cluster, tasks[0]);
	tasks[0]->desired.verdict = TASK_FAILED;
	tasks[0]->desired.verdict_reason = REASON_NODE_LOST;
	tasks[0]->desired.written_off = true;
	cluster_task_save(&world->cluster, &world->changes, tasks[0]);
	assert_false(task_occupies_node(tasks[0]));
	assert_int_equal(nodes[0]->tasks.n, 0);
	assert_int_equal(cluster_job_tasks_on(web, nodes[0]), 0);
	struct node_record record;
	record_copy(&node_record_type, &record, &nodes[0]->record);
	record.left = true;
	cluster_put_node(&world->cluster, &world->changes, &record);
	assert_int_equal(nodes[0]->state, NODE_LEFT);
	assert_int_equal(world->cluster.columns.ready[0], 0);
	cluster_check(&world->cluster);
	cluster_delete_node(&world->cluster, &world->changes, nodes[0]);
	cluster_check(&world->cluster);
	assert_int_equal(nodes[1]->index, 0);
	assert_int_equal(nodes[2]->index, 1);
	assert_int_equal(world->cluster.columns.cpu_capacity_milli[0], 2000);
	assert_int_equal(world->cluster.columns.cpu_reserved_milli[1], 500);
	assert_int_equal(cluster_job_tasks_on(web, nodes[2]), 1);
}

static void a_node_that_is_deleted_leaves_what_a_replay_gives(void **state)
{
	(void)state;
	struct world world;
	world_init(&world);
	lose_first_node(&world);
	struct cluster copy;
	cluster_init(&copy, 99);
	replay_all(&world.changes, &copy, true);
	assert_int_equal(cluster_replayed(&copy, NULL), ERR_NONE);
	cluster_check(&copy);
	assert_same_tasks(&world.cluster, &copy);
	assert_int_equal(copy.columns.n, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(copy.columns.entry[i]->record.facts.hostname,
				    world.cluster.columns.entry[i]->record.facts.hostname);
		assert_int_equal(copy.columns.cpu_reserved_milli[i],
				 world.cluster.columns.cpu_reserved_milli[i]);
	}
	assert_int_equal(copy.meta.next_node_number, 4);
	cluster_release(&copy);
	world_release(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_replayed_world_equals_the_live_one),
		cmocka_unit_test(records_may_come_in_any_order),
		cmocka_unit_test(what_release_1_filed_by_node_is_taken_over),
		cmocka_unit_test(a_report_under_another_node_is_damage),
		cmocka_unit_test(a_missing_record_is_damage_and_named),
		cmocka_unit_test(bytes_that_no_encoder_wrote_are_damage),
		cmocka_unit_test(two_tasks_on_one_port_are_damage),
		cmocka_unit_test(a_task_without_a_slot_is_damage),
		cmocka_unit_test(what_counts_too_far_is_damage),
		cmocka_unit_test(a_node_that_is_deleted_leaves_what_a_replay_gives),
		cmocka_unit_test(what_is_gone_reserves_nothing_of_a_full_node),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
