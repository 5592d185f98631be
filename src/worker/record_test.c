#include "base/testing.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/record_fill.h"
#include "worker/worker_int.h"

#define TRIES 2000

static const char docker_id[] = "0123456789abcdef00ff8899aabbccddeeff0011223344556677fedcba987654";

/* What the table allows and a task can hold. */
static void fill(struct worker_record *record, struct random *random)
{
	record_fill(&worker_record_type, record, 3, random);
	if (random_below(random, 2))
		string_set(&record->observed.container_id, docker_id);
	if (random_below(random, 2))
		string_set(&record->observed.message, "running");
	record->observed.task = record->desired.task;
	record->desired.slot &= LIMIT_TASK_COUNT;
	record->observed.attempt &= LIMIT_TASK_COUNT - 1;
	record->observed.attempts_used &= LIMIT_TASK_COUNT;
	record->attempt_first &= LIMIT_TASK_COUNT;
	record->attempt_ran &= LIMIT_TASK_COUNT;
	record->attempt_signalled &= LIMIT_TASK_COUNT;
}

static void take(struct worker_task *task, const struct worker_record *record)
{
	static const struct worker_record zero;
	struct worker_record copy;
	record_copy(&worker_record_type, &copy, record);
	worker_task_take_record(task, &copy);
	assert_true(record_equal(&worker_record_type, &copy, &zero));
}

static void assert_holds(const struct worker_task *task, const struct worker_record *record)
{
	struct worker_record got;
	char container_id[TASK_CONTAINER_ID_SIZE];
	worker_task_get_record(task, container_id, &got);
	assert_true(record_equal(&worker_record_type, record, &got));
}

/* A member that one of the functions forgets differs sooner or later. */
static void what_is_taken_is_what_is_got(void **state)
{
	(void)state;
	struct random random = { 7 };
	struct worker_task task = { 0 };
	for (int i = 0; i < TRIES; i++) {
		struct worker_record record;
		fill(&record, &random);
		/* Over what was there before. */
		take(&task, &record);
		assert_holds(&task, &record);
		record_release(&worker_record_type, &record);
	}
	worker_task_release_record(&task);
}

/* Job and revision are then those of the template. */
static void a_template_changes_nothing_of_the_record(void **state)
{
	(void)state;
	struct worker_options options;
	struct random random = { 8 };
	struct sync_template sync;
	struct worker_record record;
	worker_options_default(&options);
	struct worker *worker = worker_new(&options);
	record_init(&sync_template_type, &sync);
	sync.job.uuid = uuid_make(&random, 1);
	sync.revision = 5;
	worker_template_put(worker, &sync);
	fill(&record, &random);
	record.desired.job = sync.job;
	record.desired.revision = 5;
	struct worker_task *task = worker_task_new(worker, record.desired.task);
	take(task, &record);
	worker_task_bind_template(worker, task);
	assert_non_null(task->template);
	assert_holds(task, &record);
	worker_task_unbind_template(worker, task);
	worker_task_set_job(task, sync.job, sync.revision);
	assert_holds(task, &record);
	record_release(&worker_record_type, &record);
	record_release(&sync_template_type, &sync);
	worker_free(worker);
}

static void a_running_task_needs_nothing_that_is_rare(void **state)
{
	(void)state;
	struct worker_task task = { 0 };
	struct worker_record record;
	record_init(&worker_record_type, &record);
	record.desired.slot = 7;
	record.attempt_first = record.attempt_ran = record.observed.attempt = 1;
	record.observed.state = TASK_RUNNING;
	record.observed.message = base_strdup("running");
	record.observed.container_id = base_strdup(docker_id);
	worker_task_take_record(&task, &record);
	assert_null(task.rare);
	assert_string_equal(worker_task_message(&task), "running");
	worker_task_set_restart_at(&task, 0);
	worker_task_set_start_tries(&task, 0);
	worker_task_set_finished(&task, 0);
	worker_task_set_message(&task, NULL);
	worker_task_set_container_id(&task, NULL);
	worker_task_set_ending(&task, REASON_NONE, NULL);
	assert_null(task.rare);
}

static void what_is_zero_again_is_not_held(void **state)
{
	(void)state;
	struct worker_task task = { 0 };
	worker_task_set_restart_at(&task, 5);
	worker_task_set_start_tries(&task, 1);
	worker_task_set_message(&task, base_strdup("pulling app:1"));
	worker_task_set_ending(&task, REASON_UNHEALTHY, base_strdup("unhealthy"));
	worker_task_tidy_rare(&task);
	assert_int_equal(worker_rare(&task)->restart_at_ms, 5);
	assert_string_equal(worker_task_message(&task), "pulling app:1");
	worker_task_set_restart_at(&task, 0);
	worker_task_set_start_tries(&task, 0);
	worker_task_set_message(&task, base_strdup("starting"));
	worker_task_set_ending(&task, REASON_NONE, NULL);
	worker_task_tidy_rare(&task);
	assert_null(task.rare);
	assert_string_equal(worker_task_message(&task), "starting");
}

static void what_counts_too_far_cannot_be_held(void **state)
{
	(void)state;
	struct worker_record record = { .desired.slot = LIMIT_TASK_COUNT,
					.observed.attempt = LIMIT_TASK_COUNT - 1,
					.attempt_first = LIMIT_TASK_COUNT };
	assert_true(worker_can_hold_record(&record));
	record.observed.attempt++;
	assert_false(worker_can_hold_record(&record));
	record.observed.attempt = 1;
	record.desired.slot++;
	assert_false(worker_can_hold_record(&record));
	assert_false(worker_can_hold_desired(&record.desired));
}

static void assert_refused(struct worker *worker, const struct worker_record *record,
			   const char *words)
{
	struct text text;
	struct err err;
	text_init(&text, 65536);
	record_encode(&worker_record_type, record, &text);
	struct change change = { .kind = RECORD_ASSIGNMENT };
	change_key_id(&change, record->desired.task.uuid);
	change.value_len = text.len;
	change.value = text_take(&text);
	assert_int_equal(worker_replay(worker, &change, &err), ERR_DAMAGED);
	assert_string_equal(err.message, words);
	base_free(change.value);
}

static void what_is_refused_says_why(void **state)
{
	(void)state;
	struct worker_options options;
	struct worker_record record;
	worker_options_default(&options);
	struct worker *worker = worker_new(&options);
	record_init(&worker_record_type, &record);
	record.desired.task.uuid.bytes[0] = 3;
	record.observed.task = record.desired.task;
	record.observed.state = TASK_SCHEDULED;
	record.attempt_first = 1;
	record.attempt_ran = LIMIT_TASK_COUNT + (int64_t)1;
	assert_refused(worker, &record, "a task's record counts too far");
	record.attempt_ran = 1;
	assert_refused(worker, &record, "a task's record contradicts itself");
	record_release(&worker_record_type, &record);
	worker_free(worker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_taken_is_what_is_got),
		TEST(a_template_changes_nothing_of_the_record),
		TEST(a_running_task_needs_nothing_that_is_rare),
		TEST(what_is_zero_again_is_not_held),
		TEST(what_counts_too_far_cannot_be_held),
		TEST(what_is_refused_says_why),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
