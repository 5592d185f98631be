/* Every record type there is, through everything a table drives. */
#include "base/testing.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/record_fill.h"
#include "node/sync.h"

static const struct record_type *const types[] = {
	&port_type,	     &mount_type,	    &network_use_type,	  &ulimit_type,
	&health_check_type,  &resources_type,	    &restart_policy_type, &placement_type,
	&depend_type,	     &logging_type,	    &job_spec_type,	  &job_revision_type,
	&job_type,	     &network_spec_type,    &volume_spec_type,	  &project_type,
	&job_request_type,   &project_request_type, &port_grant_type,	  &task_desired_type,
	&task_observed_type, &node_facts_type,	    &node_stats_type,	  &node_record_type,
	&sync_template_type, &sync_assignment_type, &sync_volume_type,	  &sync_task_ref_type,
	&sync_down_type,     &sync_up_type,	    &stream_request_type,
};

static void every_table_is_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		char *problem = record_type_problem(types[i]);
		if (problem)
			fail_msg("%s", problem);
	}
}

/* Fields are appended, so tags count up; a row in the middle may only be a mistake. */
static void tags_rise_in_table_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		for (size_t field = 1; field < types[i]->n_fields; field++)
			assert_true(types[i]->fields[field - 1].tag < types[i]->fields[field].tag);
}

static void initial_values_are_within_bounds_where_zero_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct err err;
		_cleanup_free_ void *record = base_calloc(1, types[i]->size);
		bool zero_is_fine = record_check(types[i], record, NULL) == ERR_NONE;
		record_init(types[i], record);
		if (zero_is_fine && record_check(types[i], record, &err))
			fail_msg("%s: %s: %s", types[i]->name, err.field, err.message);
		record_release(types[i], record);
	}
}

static void check_round_trip(const struct record_type *type, struct random *random)
{
	_cleanup_free_ void *record = base_calloc(1, type->size);
	_cleanup_free_ void *back = base_calloc(1, type->size);
	struct text text;
	struct text again;
	struct err err;
	text_init(&text, SIZE_MAX / 2);
	text_init(&again, SIZE_MAX / 2);
	record_fill(type, record, 2, random);
	if (record_check(type, record, &err))
		fail_msg("%s: %s: %s", type->name, err.field, err.message);
	record_encode(type, record, &text);
	if (record_decode(type, text_string(&text), text.len, back, &err))
		fail_msg("%s: %s", type->name, err.message);
	assert_true(record_equal(type, record, back));
	record_encode(type, back, &again);
	assert_int_equal(again.len, text.len);
	assert_memory_equal(text_string(&again), text_string(&text), text.len);
	record_release(type, record);
	record_release(type, back);
	text_release(&text);
	text_release(&again);
}

static void random_contents_survive_the_round_trip(void **state)
{
	(void)state;
	struct random random = { 11 };
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		for (int round = 0; round < 30; round++)
			check_round_trip(types[i], &random);
}

static void every_truncation_is_noticed_or_a_smaller_record(void **state)
{
	(void)state;
	struct random random = { 12 };
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		const struct record_type *type = types[i];
		_cleanup_free_ void *record = base_calloc(1, type->size);
		_cleanup_free_ void *back = base_calloc(1, type->size);
		struct text text;
		text_init(&text, SIZE_MAX / 2);
		record_fill(type, record, 1, &random);
		record_encode(type, record, &text);
		for (size_t len = 0; len < text.len; len++) {
			_cleanup_free_ void *part = base_memdup(text_string(&text), len);
			enum err_code code = record_decode(type, part, len, back, NULL);
			assert_true(code == ERR_NONE || code == ERR_DAMAGED);
			if (code == ERR_NONE)
				assert_false(record_equal(type, record, back));
			record_release(type, back);
		}
		text_release(&text);
		record_release(type, record);
	}
}

/* One past each number's bound, through the path that leads to it. */
static void each_number_is_held_to_its_bounds(void **state)
{
	(void)state;
	size_t checked = 0;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct random random = { 13 };
		_cleanup_free_ void *record = base_calloc(1, types[i]->size);
		record_fill(types[i], record, 1, &random);
		for (size_t f = 0; f < types[i]->n_fields; f++) {
			const struct field *field = &types[i]->fields[f];
			struct err err = { 0 };
			if (field->kind != FIELD_INT || field->max == INT64_MAX)
				continue;
			int64_t *value = (int64_t *)(void *)((char *)record + field->offset);
			int64_t kept = *value;
			*value = field->max + 1;
			assert_int_equal(record_check(types[i], record, &err), ERR_INVALID);
			assert_string_equal(err.field, field->name);
			*value = field->min - 1;
			assert_int_equal(record_check(types[i], record, &err), ERR_INVALID);
			*value = kept;
			checked++;
		}
		record_release(types[i], record);
	}
	assert_true(checked > 60);
}

static void what_drover_assumes_where_nothing_is_written(void **state)
{
	(void)state;
	struct job_spec spec;
	record_init(&job_spec_type, &spec);
	assert_int_equal(spec.stop_grace_ms, 10000);
	assert_int_equal(spec.priority, 50);
	assert_int_equal(spec.replicas, 1);
	assert_int_equal(spec.mode, JOB_REPLICATED);
	assert_int_equal(spec.restart.condition, RESTART_ON_FAILURE);
	assert_int_equal(spec.pull_policy, PULL_MISSING);
	struct mount mount;
	record_init(&mount_type, &mount);
	assert_true(mount.create_host_path);
	struct task_observed observed;
	record_init(&task_observed_type, &observed);
	assert_int_equal(observed.exit_code, -1);
}

static int64_t digest_of(const struct sync_assignment *base,
			 void (*change)(struct sync_assignment *))
{
	struct sync_assignment copy;
	record_copy(&sync_assignment_type, &copy, base);
	if (change)
		change(&copy);
	int64_t digest = sync_assignment_digest(&copy);
	record_release(&sync_assignment_type, &copy);
	return digest;
}

static void change_task(struct sync_assignment *assignment)
{
	assignment->task.uuid.bytes[15]++;
}

static void change_wanted(struct sync_assignment *assignment)
{
	assignment->wanted = TASK_WANT_STOP;
}

static void change_reason(struct sync_assignment *assignment)
{
	assignment->stop_reason = REASON_DRAINED;
}

static void change_attempts(struct sync_assignment *assignment)
{
	assignment->attempts_before++;
}

static void change_port(struct sync_assignment *assignment)
{
	assignment->ports.items[0].host_port++;
}

static void add_port(struct sync_assignment *assignment)
{
	list_add(&assignment->ports, sizeof(struct port_grant));
}

static void the_digest_sees_all_that_a_worker_acts_on(void **state)
{
	(void)state;
	static void (*const changes[])(struct sync_assignment *) = {
		NULL,	     change_task, change_wanted, change_reason, change_attempts,
		change_port, add_port,
	};
	struct sync_assignment base = { .slot = 1, .revision = 2 };
	base.task.uuid.bytes[0] = 1;
	struct port_grant *grant = list_add(&base.ports, sizeof(struct port_grant));
	grant->host_port = 8080;
	int64_t digests[ARRAY_LEN(changes)];
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		digests[i] = digest_of(&base, changes[i]);
		for (size_t j = 0; j < i; j++)
			assert_true(digests[i] != digests[j]);
	}
	assert_true(digest_of(&base, NULL) == digests[0]);
	record_release(&sync_assignment_type, &base);
}

static void facts_that_no_commit_could_hold_are_refused(void **state)
{
	(void)state;
	struct node_facts facts = { 0 };
	struct err err;
	_cleanup_free_ char *value = base_calloc(LIMIT_STRING_BYTES + 1, 1);
	memset(value, 'x', LIMIT_STRING_BYTES);
	pairs_add(&facts.labels, "a", value);
	pairs_add(&facts.engine_labels, "a", value);
	assert_int_equal(node_facts_check(&facts, &err), ERR_NONE);
	pairs_add(&facts.labels, "b", value);
	pairs_add(&facts.engine_labels, "b", value);
	assert_int_equal(node_facts_check(&facts, &err), ERR_LIMIT);
	assert_string_equal(err.message,
			    "the facts of a node, its labels among them, are larger than 256 KB");
	string_set(&facts.labels.items[1].key, "a");
	assert_int_equal(node_facts_check(&facts, &err), ERR_INVALID);
	assert_string_equal(err.field, "labels");
	record_release(&node_facts_type, &facts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_table_is_right),
		TEST(tags_rise_in_table_order),
		TEST(initial_values_are_within_bounds_where_zero_is),
		TEST(random_contents_survive_the_round_trip),
		TEST(every_truncation_is_noticed_or_a_smaller_record),
		TEST(each_number_is_held_to_its_bounds),
		TEST(what_drover_assumes_where_nothing_is_written),
		TEST(the_digest_sees_all_that_a_worker_acts_on),
		TEST(facts_that_no_commit_could_hold_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
