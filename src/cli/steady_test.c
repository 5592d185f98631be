#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "cli/steady.h"

#define SETTLE_MS 1000

static struct task_view task_in(int state, int64_t attempt, bool ready)
{
	return (struct task_view){ .id = { { 1 } },
				   .revision = 1,
				   .state = state,
				   .attempt = attempt,
				   .ready = ready,
				   .health = HEALTH_NONE };
}

static const struct job_view job = { .revision = 1, .update = UPDATE_STATE_NONE };

static bool is_up(struct steady *steady, struct task_view task, int64_t now_ms)
{
	steady_look(steady, &task, now_ms);
	return steady_is(steady, &task, SETTLE_MS, now_ms);
}

static void it_is_up_when_it_has_run_for_long_enough(void **state)
{
	(void)state;
	struct steady steady = { 0 };
	assert_false(is_up(&steady, task_in(TASK_PENDING, 0, false), 0));
	assert_false(is_up(&steady, task_in(TASK_RUNNING, 1, true), 100));
	assert_false(is_up(&steady, task_in(TASK_RUNNING, 1, true), 1099));
	assert_true(is_up(&steady, task_in(TASK_RUNNING, 1, true), 1100));
	steady_release(&steady);
}

static void a_health_check_says_so_at_once(void **state)
{
	(void)state;
	struct steady steady = { 0 };
	struct task_view task = task_in(TASK_RUNNING, 1, true);
	task.health = HEALTH_HEALTHY;
	assert_true(is_up(&steady, task, 0));
	steady_release(&steady);
}

static void nobody_waits_who_does_not_want_to(void **state)
{
	(void)state;
	struct steady steady = { 0 };
	struct task_view task = task_in(TASK_RUNNING, 1, true);
	steady_look(&steady, &task, 0);
	assert_true(steady_is(&steady, &task, 0, 0));
	steady_release(&steady);
}

/* Each container is ready for a moment, and often nobody looks while none is. */
static void one_that_ended_has_to_run_for_longer(void **state)
{
	(void)state;
	struct steady steady = { 0 };
	assert_false(is_up(&steady, task_in(TASK_RUNNING, 1, true), 0));
	assert_false(is_up(&steady, task_in(TASK_RUNNING, 2, true), 900));
	assert_false(is_up(&steady, task_in(TASK_RUNNING, 2, true), 900 + STEADY_AGAIN_MS - 1));
	assert_true(is_up(&steady, task_in(TASK_RUNNING, 2, true), 900 + STEADY_AGAIN_MS));
	steady_release(&steady);
}

static void what_ended_before_does_not_count(void **state)
{
	(void)state;
	struct steady steady = { 0 };
	assert_false(is_up(&steady, task_in(TASK_RUNNING, 40, true), 0));
	assert_true(is_up(&steady, task_in(TASK_RUNNING, 40, true), SETTLE_MS));
	struct task_view waiting = task_in(TASK_SCHEDULED, 41, false);
	assert_false(is_up(&steady, waiting, 2000));
	assert_false(steady_keeps_ending(&steady, &job, &waiting));
	steady_release(&steady);
}

static void one_that_ends_again_and_again_does_not_come_up_by_waiting(void **state)
{
	(void)state;
	struct steady steady = { 0 };
	for (int64_t attempt = 1; attempt <= 1 + STEADY_ENDS_MAX; attempt++) {
		struct task_view waiting = task_in(TASK_SCHEDULED, attempt, false);
		assert_false(is_up(&steady, waiting, attempt * 1000));
		assert_int_equal(steady_keeps_ending(&steady, &job, &waiting),
				 attempt == 1 + STEADY_ENDS_MAX);
	}
	struct task_view running = task_in(TASK_RUNNING, 1 + STEADY_ENDS_MAX, true);
	assert_false(is_up(&steady, running, 20000));
	assert_false(steady_keeps_ending(&steady, &job, &running));
	assert_true(is_up(&steady, running, 20000 + STEADY_AGAIN_MS));
	steady_release(&steady);
}

/* What ends again and again may be just what an update is to replace, when its turn comes. */
static void one_that_is_about_to_be_replaced_may_end(void **state)
{
	(void)state;
	static const int rolling[] = { UPDATE_STATE_ROLLING, UPDATE_STATE_ROLLING_BACK };
	struct steady steady = { 0 };
	struct task_view waiting = task_in(TASK_SCHEDULED, 1, false);
	steady_look(&steady, &waiting, 0);
	waiting.attempt += STEADY_ENDS_MAX;
	steady_look(&steady, &waiting, 20000);
	for (size_t i = 0; i < ARRAY_LEN(rolling); i++) {
		struct job_view updated = { .revision = 2, .update = rolling[i] };
		assert_false(steady_keeps_ending(&steady, &updated, &waiting));
		updated.revision = 1;
		assert_true(steady_keeps_ending(&steady, &updated, &waiting));
	}
	steady_release(&steady);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_up_when_it_has_run_for_long_enough),
		cmocka_unit_test(a_health_check_says_so_at_once),
		cmocka_unit_test(nobody_waits_who_does_not_want_to),
		cmocka_unit_test(one_that_ended_has_to_run_for_longer),
		cmocka_unit_test(what_ended_before_does_not_count),
		cmocka_unit_test(one_that_ends_again_and_again_does_not_come_up_by_waiting),
		cmocka_unit_test(one_that_is_about_to_be_replaced_may_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
