#include "base/testing.h"

#include "base/alloc.h"
#include "worker/tasks_testing.h"

#define TASKS 40

static int64_t earliest(const struct worker *worker, struct worker_task *const tasks[TASKS])
{
	int64_t at_ms = NEVER_MS;
	for (size_t i = 0; i < TASKS; i++) {
		size_t at = tasks[i]->due_position;
		if (at && worker->due[at - 1].at_ms < at_ms)
			at_ms = worker->due[at - 1].at_ms;
	}
	return at_ms;
}

static void the_first_is_always_the_earliest_whatever_is_set_moved_and_taken_out(void **state)
{
	(void)state;
	struct worker_task *tasks[TASKS];
	struct worker *worker = worker_with_tasks(tasks, TASKS);
	struct random random = { .state = 42 };
	assert_int_equal(worker_due_first_ms(worker), NEVER_MS);
	for (int i = 0; i < 5000; i++) {
		struct worker_task *task = tasks[random_below(&random, TASKS)];
		int64_t due_ms = (int64_t)random_below(&random, 100);
		worker_due_set(worker, task, due_ms < 20 ? NEVER_MS : due_ms);
		assert_int_equal(task->due_position != 0, due_ms >= 20);
		assert_int_equal(worker_due_first_ms(worker), earliest(worker, tasks));
	}
	worker_free(worker);
}

static void what_is_due_is_taken_out_and_made_dirty(void **state)
{
	(void)state;
	struct worker_task *tasks[TASKS];
	struct worker *worker = worker_with_tasks(tasks, TASKS);
	for (size_t i = 0; i < TASKS; i++)
		worker_due_set(worker, tasks[i], (int64_t)i * 10);
	worker->now_ms = 100;
	worker_due_take(worker);
	for (size_t i = 0; i < TASKS; i++) {
		assert_int_equal(tasks[i]->dirty, i <= 10);
		assert_int_equal(tasks[i]->due_position == 0, i <= 10);
	}
	assert_int_equal(worker_due_first_ms(worker), 110);
	worker_free(worker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_is_always_the_earliest_whatever_is_set_moved_and_taken_out),
		TEST(what_is_due_is_taken_out_and_made_dirty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
