#include "base/testing.h"

#include <string.h>

#include "base/alloc.h"
#include "base/record_fill.h"
#include "task/task.h"

#define TRIES 2000

static const char docker_id[] = "0123456789abcdef00ff8899aabbccddeeff0011223344556677fedcba987654";

static struct job_id job;

static void take_desired(struct task *task, const struct task_desired *desired)
{
	struct task_desired copy;
	job = desired->job;
	record_copy(&task_desired_type, &copy, desired);
	task_take_desired(task, &copy, &job);
	static const struct task_desired zero;
	assert_true(record_equal(&task_desired_type, &copy, &zero));
}

static void take_observed(struct task *task, const struct task_observed *observed)
{
	struct task_observed copy;
	record_copy(&task_observed_type, &copy, observed);
	task_take_observed(task, &copy);
	static const struct task_observed zero;
	assert_true(record_equal(&task_observed_type, &copy, &zero));
}

/* A member that one of the functions forgets differs sooner or later. */
static void what_is_taken_is_what_is_got(void **state)
{
	(void)state;
	struct random random = { 7 };
	struct task task = { 0 };
	for (int i = 0; i < TRIES; i++) {
		struct task_desired desired;
		struct task_desired got;
		struct task_observed observed;
		struct task_observed seen;
		char container_id[TASK_CONTAINER_ID_SIZE];
		record_fill(&task_desired_type, &desired, 3, &random);
		record_fill(&task_observed_type, &observed, 3, &random);
		if (random_below(&random, 2))
			string_set(&observed.container_id, docker_id);
		if (random_below(&random, 2))
			string_set(&observed.message, "running");
		desired.revision &= LIMIT_TASK_COUNT;
		desired.restarts_asked &= LIMIT_TASK_COUNT;
		desired.slot &= LIMIT_TASK_COUNT;
		desired.roll &= LIMIT_TASK_COUNT;
		observed.attempt &= LIMIT_TASK_COUNT;
		observed.attempts_used &= LIMIT_TASK_COUNT;
		observed.version |= 1;
		observed.task = desired.id;
		/* In either order, over what was there before. */
		if (i % 2)
			take_desired(&task, &desired);
		take_observed(&task, &observed);
		if (!(i % 2))
			take_desired(&task, &desired);
		task_get_desired(&task, &got);
		task_get_observed(&task, container_id, &seen);
		assert_true(record_equal(&task_desired_type, &desired, &got));
		assert_true(record_equal(&task_observed_type, &observed, &seen));
		record_release(&task_desired_type, &desired);
		record_release(&task_observed_type, &observed);
	}
	task_release(&task);
}

static void hold_id(const char *id, bool is_docker_id)
{
	struct task task = { 0 };
	struct task_observed seen;
	char container_id[TASK_CONTAINER_ID_SIZE];
	struct task_observed observed = { .version = 1, .container_id = base_strdup(id) };
	task_take_observed(&task, &observed);
	assert_int_equal(task.observed.has_docker_id, is_docker_id);
	assert_int_equal(!task.rare, is_docker_id);
	task_get_observed(&task, container_id, &seen);
	assert_string_equal(seen.container_id, id);
	task_release(&task);
}

static void any_id_of_a_container_is_held(void **state)
{
	(void)state;
	char id[TASK_CONTAINER_ID_SIZE];
	hold_id(docker_id, true);
	hold_id("", false);
	hold_id("c1", false);
	text_print(id, sizeof(id), "%s0", docker_id);
	hold_id(id, false);
	text_print(id, sizeof(id), "%s", docker_id);
	id[5] = 'A';
	hold_id(id, false);
	id[5] = 'g';
	hold_id(id, false);
	id[63] = '\0';
	hold_id(id, false);
}

static void what_is_zero_again_is_not_held(void **state)
{
	(void)state;
	struct task task = { 0 };
	assert_int_equal(task_rare(&task)->start_failures, 0);
	task_make_rare(&task)->start_failures = 1;
	task_tidy(&task);
	assert_int_equal(task_rare(&task)->start_failures, 1);
	task_make_rare(&task)->start_failures = 0;
	task_tidy(&task);
	assert_null(task.rare);
	struct port_grant *grant = base_calloc(1, sizeof(*grant));
	task_take_ports(&task, grant, 1);
	assert_ptr_equal(task_rare(&task)->ports.items, grant);
	task_take_ports(&task, NULL, 0);
	assert_null(task.rare);
}

static void a_running_task_needs_nothing_that_is_rare(void **state)
{
	(void)state;
	struct task task = { 0 };
	struct task_desired desired = { .revision = 1, .slot = 7, .created_wall_ms = 5 };
	struct task_observed observed = { .version = 3,
					  .state = TASK_RUNNING,
					  .message = base_strdup("running"),
					  .attempt = 1,
					  .container_id = base_strdup(docker_id),
					  .exit_code = -1,
					  .started_wall_ms = 6 };
	task_take_desired(&task, &desired, &desired.job);
	task_take_observed(&task, &observed);
	assert_null(task.rare);
	task.state = TASK_RUNNING;
	assert_string_equal(task_message(&task), "running");
}

static void what_counts_too_far_cannot_be_held(void **state)
{
	(void)state;
	struct task_desired desired = { .revision = LIMIT_TASK_COUNT, .slot = LIMIT_TASK_COUNT };
	struct task_observed observed = { .attempt = LIMIT_TASK_COUNT };
	assert_true(task_can_hold_desired(&desired));
	assert_true(task_can_hold_observed(&observed));
	desired.roll = LIMIT_TASK_COUNT + 1LL;
	observed.attempts_used = LIMIT_TASK_COUNT + 1LL;
	assert_false(task_can_hold_desired(&desired));
	assert_false(task_can_hold_observed(&observed));
}

static void releasing_a_task_frees_all_of_it(void **state)
{
	(void)state;
	struct task task = { .state = TASK_FAILED };
	struct task_rare *rare = task_make_rare(&task);
	list_add(&rare->ports, sizeof(struct port_grant));
	string_set(&rare->verdict_message, "m");
	string_set(&rare->stop_message, "m");
	string_set(&rare->container_id, "c");
	string_set(&rare->observed_message, "m");
	string_set(&rare->waiting_message, "m");
	task_release(&task);
	static const struct task zero;
	assert_memory_equal(&task, &zero, sizeof(task));
}

static void a_message_goes_with_the_state(void **state)
{
	(void)state;
	struct task task = { 0 };
	assert_null(task_message(&task));
	string_set(&task_make_rare(&task)->waiting_message, "waits");
	assert_string_equal(task_message(&task), "waits");
	string_set(&task_make_rare(&task)->observed_message, "exited");
	task.state = TASK_FAILED;
	assert_string_equal(task_message(&task), "exited");
	string_set(&task_make_rare(&task)->verdict_message, "lost");
	task.desired.verdict = TASK_FAILED;
	assert_string_equal(task_message(&task), "lost");
	task_release(&task);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_taken_is_what_is_got),
		TEST(any_id_of_a_container_is_held),
		TEST(what_is_zero_again_is_not_held),
		TEST(a_running_task_needs_nothing_that_is_rare),
		TEST(what_counts_too_far_cannot_be_held),
		TEST(releasing_a_task_frees_all_of_it),
		TEST(a_message_goes_with_the_state),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
