#include "base/testing.h"

#include <string.h>

#include "task/task.h"

static const char *const states[] = { "pending", "scheduled", "running", "completed", "failed" };

/* DESIGN's table, row by row and nothing else: a star is a move. */
static const char *const table[] = {
	/* to:        p s r c f */
	/* pending   */ ".*.**",
	/* scheduled */ "..***",
	/* running   */ ".*.**",
	/* completed */ ".....",
	/* failed    */ ".....",
};

static void every_pair_of_states_is_allowed_or_refused_as_designed(void **state)
{
	(void)state;
	for (int from = TASK_PENDING; from <= TASK_FAILED; from++) {
		for (int to = TASK_PENDING; to <= TASK_FAILED; to++) {
			bool allowed = table[from][to] == '*';
			struct task task = { .state = (uint8_t)from };
			struct err err;
			assert_int_equal(task_may_move(from, to), allowed);
			assert_int_equal(task_move(&task, to, &err),
					 allowed ? ERR_NONE : ERR_CONFLICT);
			assert_int_equal(task.state, allowed ? to : from);
			if (!allowed)
				assert_non_null(strstr(err.message, states[to]));
		}
	}
}

static void a_state_that_is_none_is_never_reached(void **state)
{
	(void)state;
	struct task task = { .state = TASK_RUNNING };
	assert_int_equal(task_move(&task, 5, NULL), ERR_CONFLICT);
	assert_int_equal(task_move(&task, -1, NULL), ERR_CONFLICT);
	assert_int_equal(task.state, TASK_RUNNING);
	assert_false(task_may_move(-1, 0));
}

static void only_completed_and_failed_are_final(void **state)
{
	(void)state;
	for (int s = TASK_PENDING; s <= TASK_FAILED; s++) {
		bool leaves = strchr(table[s], '*') != NULL;
		assert_int_equal(task_is_final(s), !leaves);
		assert_string_equal(enum_name(task_state_names, s), states[s]);
	}
}

static void ready_is_running_and_not_unwell(void **state)
{
	(void)state;
	for (int s = TASK_PENDING; s <= TASK_FAILED; s++) {
		for (int health = HEALTH_NONE; health <= HEALTH_UNHEALTHY; health++) {
			struct task task = { .state = (uint8_t)s,
					     .observed.health = (uint8_t)health };
			bool well = health == HEALTH_NONE || health == HEALTH_HEALTHY;
			assert_int_equal(task_is_ready(&task), s == TASK_RUNNING && well);
		}
	}
}

static void success_is_completed_for_exit_zero_only(void **state)
{
	(void)state;
	for (int reason = REASON_NONE; reason < REASON_COUNT; reason++) {
		struct task task = { .state = TASK_COMPLETED, .reason = (uint8_t)reason };
		assert_int_equal(task_succeeded(&task), reason == REASON_EXIT_ZERO);
		task.state = TASK_FAILED;
		assert_false(task_succeeded(&task));
	}
}

static void a_node_is_occupied_until_the_container_is_confirmed_gone(void **state)
{
	(void)state;
	struct task task = { 0 };
	assert_false(task_occupies_node(&task));
	task.desired.node.uuid.bytes[0] = 1;
	assert_true(task_occupies_node(&task));
	task.state = TASK_FAILED;
	assert_true(task_occupies_node(&task));
	task.observed.gone = true;
	assert_false(task_occupies_node(&task));
	task.observed.gone = false;
	task.observed.removed = true;
	assert_false(task_occupies_node(&task));
}

static void reasons_have_distinct_names_and_a_consequence(void **state)
{
	(void)state;
	for (int reason = REASON_NONE; reason < REASON_COUNT; reason++) {
		int value = -1;
		assert_true(enum_value(reason_names, reason_name(reason), &value));
		assert_int_equal(value, reason);
	}
	assert_string_equal(reason_name(REASON_COUNT), "?");
	assert_int_equal(reason_after(REASON_EXIT_ZERO), AFTER_SUCCESS);
	assert_int_equal(reason_after(REASON_INTERRUPTED), AFTER_REPLACE_NOW);
	assert_int_equal(reason_after(REASON_PORT_TAKEN), AFTER_REPLACE_ELSEWHERE);
	assert_int_equal(reason_after(REASON_EXIT_NONZERO), AFTER_LEAVE);
	assert_int_equal(reason_after(REASON_SCALED_DOWN), AFTER_ASKED);
	assert_int_equal(reason_after(REASON_RUNNING), AFTER_NOT_AN_END);
	int successes = 0;
	for (int reason = REASON_NONE; reason < REASON_COUNT; reason++)
		successes += reason_after(reason) == AFTER_SUCCESS;
	assert_int_equal(successes, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_pair_of_states_is_allowed_or_refused_as_designed),
		TEST(a_state_that_is_none_is_never_reached),
		TEST(only_completed_and_failed_are_final),
		TEST(ready_is_running_and_not_unwell),
		TEST(success_is_completed_for_exit_zero_only),
		TEST(a_node_is_occupied_until_the_container_is_confirmed_gone),
		TEST(reasons_have_distinct_names_and_a_consequence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
