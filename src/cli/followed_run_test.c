#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "cli/followed_run.h"

static const struct followed_run asked = { .started_wall_ms = 5000, .after = { { 3 } } };

static struct task_view task_made(uint8_t number, int64_t wall_ms)
{
	return (struct task_view){ .id = { { number } }, .created_wall_ms = wall_ms };
}

static bool has(const struct followed_run *run, uint8_t number, int64_t wall_ms)
{
	struct task_view task = task_made(number, wall_ms);
	return followed_run_has(run, &task);
}

/* Newest first. */
static void look(struct followed_run *run, const struct job_run *runs, size_t n)
{
	struct job_history history = { 0 };
	for (size_t i = 0; i < n; i++)
		*(struct job_run *)list_add(&history.runs, sizeof(*runs)) = runs[i];
	followed_run_look(run, &history);
	record_release(&job_history_type, &history);
}

static void its_tasks_are_those_between_two_runs(void **state)
{
	(void)state;
	static const struct job_run runs[] = {
		{ .scheduled_wall_ms = 6000, .outcome = RUN_WAITS },
		{ .scheduled_wall_ms = 6000, .started_wall_ms = 9000, .outcome = RUN_UNDER_WAY },
		{ .started_wall_ms = 5000, .ended_wall_ms = 8000, .outcome = RUN_SUCCEEDED },
		{ .started_wall_ms = 1000, .ended_wall_ms = 2000, .outcome = RUN_FAILED },
	};
	struct followed_run run = asked;
	look(&run, runs, ARRAY_LEN(runs));
	assert_true(run.ended && run.well && run.on_record);
	assert_false(has(&run, 3, 1000));
	assert_true(has(&run, 4, 5000));
	assert_true(has(&run, 5, 8000));
	assert_false(has(&run, 6, 9000));
}

static void one_that_waited_may_begin_after_it(void **state)
{
	(void)state;
	static const struct job_run runs[] = {
		{ .started_wall_ms = 5000, .ended_wall_ms = 8000, .outcome = RUN_FAILED },
		{ .scheduled_wall_ms = 4000, .started_wall_ms = 8000, .outcome = RUN_UNDER_WAY },
	};
	struct followed_run run = asked;
	look(&run, runs, ARRAY_LEN(runs));
	assert_true(run.ended && !run.well && run.on_record);
	assert_true(has(&run, 4, 5000));
	assert_false(has(&run, 5, 8000));
}

/* It may end before it began, as clocks go. */
static void a_clock_that_is_set_back_takes_no_task_away(void **state)
{
	(void)state;
	static const struct job_run alone[] = {
		{ .started_wall_ms = 5000, .ended_wall_ms = 2000, .outcome = RUN_SUCCEEDED },
	};
	static const struct job_run followed[] = {
		{ .scheduled_wall_ms = 2500, .started_wall_ms = 3000, .outcome = RUN_UNDER_WAY },
		{ .started_wall_ms = 5000, .ended_wall_ms = 2000, .outcome = RUN_SUCCEEDED },
	};
	struct followed_run run = asked;
	look(&run, alone, 1);
	assert_true(run.ended && has(&run, 4, 5000));
	struct task_page page = { 0 };
	*(struct task_view *)list_add(&page.tasks, sizeof(struct task_view)) = task_made(4, 5000);
	followed_run_know(&run, &page);
	record_release(&task_page_type, &page);
	look(&run, followed, 2);
	assert_true(run.ended && has(&run, 4, 5000));
	assert_false(has(&run, 5, 3000));
}

static void one_that_is_forgotten_has_ended_and_nobody_knows_how(void **state)
{
	(void)state;
	static const struct job_run runs[] = {
		{ .scheduled_wall_ms = 12000, .started_wall_ms = 12000, .outcome = RUN_UNDER_WAY },
		{ .scheduled_wall_ms = 9000, .started_wall_ms = 9000, .outcome = RUN_SUCCEEDED },
	};
	struct followed_run run = asked;
	look(&run, runs, ARRAY_LEN(runs));
	assert_true(run.ended);
	assert_false(run.well);
	assert_false(run.on_record);
	assert_true(has(&run, 4, 5000));
	assert_false(has(&run, 5, 9000));
}

static void without_a_schedule_all_that_came_after_are_its_tasks(void **state)
{
	(void)state;
	struct followed_run run = { .after = { { 3 } } };
	assert_false(has(&run, 3, 1000));
	assert_true(has(&run, 4, 500));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_tasks_are_those_between_two_runs),
		cmocka_unit_test(one_that_waited_may_begin_after_it),
		cmocka_unit_test(a_clock_that_is_set_back_takes_no_task_away),
		cmocka_unit_test(one_that_is_forgotten_has_ended_and_nobody_knows_how),
		cmocka_unit_test(without_a_schedule_all_that_came_after_are_its_tasks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
