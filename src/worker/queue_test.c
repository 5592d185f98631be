/* Tasks that wait for their turn, and to be saved. */
#include "base/testing.h"

#include "base/alloc.h"
#include "worker/tasks_testing.h"

#define TASKS 20000
#define TURNS 20000

static void first_in_is_first_out(void **state)
{
	(void)state;
	struct worker_task some[40];
	struct random random = { 42 };
	struct task_queue queue = { 0 };
	size_t n_in = 0, n_out = 0;
	for (int i = 0; i < TURNS; i++) {
		/* Now growing, now shrinking. */
		bool adds = random_below(&random, 8) < (i / 200 % 2 ? 5 : 2);
		if (adds && n_in - n_out < ARRAY_LEN(some))
			worker_queue_add(&queue, &some[n_in++ % ARRAY_LEN(some)]);
		else if (!adds && n_in > n_out)
			assert_ptr_equal(worker_queue_take(&queue),
					 &some[n_out++ % ARRAY_LEN(some)]);
		assert_int_equal(worker_queue_is_empty(&queue), n_in == n_out);
		assert_true(queue.capacity <= 4 * ARRAY_LEN(some));
	}
	worker_queue_release(&queue);
}

/* Nobody is searched for: not one item is looked at before its turn, in whatever order tasks go. */
static void a_deletion_looks_at_no_queue(void **state)
{
	(void)state;
	static struct worker_task *tasks[TASKS];
	struct worker *worker = worker_with_tasks(tasks, TASKS);
	for (size_t i = 0; i < TASKS; i++) {
		worker_task_mark_unsaved(worker, tasks[i]);
		worker_task_mark_dirty(worker, tasks[i]);
	}
	struct task_queue dirty = worker->dirty, unsaved = worker->unsaved;
	worker->dirty = worker->unsaved = (struct task_queue){ 0 };
	/* Others first, then all that are left but one. */
	for (size_t i = 1; i < TASKS; i += 2)
		worker_task_delete(worker, tasks[i]);
	for (size_t i = TASKS - 2; i > 0; i -= 2)
		worker_task_delete(worker, tasks[i]);
	worker->dirty = dirty;
	worker->unsaved = unsaved;
	assert_ptr_equal(worker_take_unsaved(worker), tasks[0]);
	assert_null(worker_take_unsaved(worker));
	assert_ptr_equal(worker_take_dirty(worker), tasks[0]);
	assert_null(worker_take_dirty(worker));
	assert_ptr_equal(worker->task_first, tasks[0]);
	assert_null(tasks[0]->next);
	worker_free(worker);
}

static void who_is_deleted_in_a_queue_goes_with_the_worker(void **state)
{
	(void)state;
	static struct worker_task *tasks[TASKS];
	struct worker *worker = worker_with_tasks(tasks, TASKS);
	worker_task_mark_dirty(worker, tasks[1]);
	worker_task_mark_unsaved(worker, tasks[2]);
	worker_task_mark_unsaved(worker, tasks[1]);
	worker_task_delete(worker, tasks[1]);
	worker_task_delete(worker, tasks[2]);
	worker_free(worker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(first_in_is_first_out),
		TEST(a_deletion_looks_at_no_queue),
		TEST(who_is_deleted_in_a_queue_goes_with_the_worker),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
