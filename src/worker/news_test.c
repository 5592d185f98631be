/* What is not acknowledged. */
#include "base/testing.h"

#include "base/alloc.h"
#include "worker/tasks_testing.h"

#define TASKS 40
#define TURNS 20000

/* The same in a plain array. */
struct model {
	struct worker_task *tasks[TASKS];
	size_t n;
};

static void model_drop(struct model *model, const struct worker_task *task)
{
	size_t kept = 0;
	for (size_t i = 0; i < model->n; i++)
		if (model->tasks[i] != task)
			model->tasks[kept++] = model->tasks[i];
	model->n = kept;
}

static size_t n_said(const struct model *model, const struct worker *worker)
{
	size_t n = 0;
	for (size_t i = 0; i < model->n; i++)
		n += worker->news.items[model->tasks[i]->news_position - 1].reported_in != 0;
	return n;
}

static void assert_news(const struct worker *worker, const struct model *model)
{
	size_t at = 0;
	for (size_t i = worker->news.first; i < worker->news.n; i++) {
		const struct worker_task *task = worker->news.items[i].task;
		if (!task)
			continue;
		assert_ptr_equal(task, model->tasks[at++]);
		assert_int_equal(task->news_position, i + 1);
	}
	assert_int_equal(at, model->n);
	assert_int_equal(worker->news.n_tasks, model->n);
	assert_int_equal(worker->report_awaits_ack, model->n && n_said(model, worker));
	assert_true(worker->news.capacity <= 4 * TASKS);
}

/* Reports are said in `report`, and acknowledged up to one of them. */
static void say(struct worker *worker, const struct model *model, int64_t report)
{
	for (size_t i = 0; i < model->n; i++) {
		size_t at = model->tasks[i]->news_position - 1;
		if (!worker->news.items[at].reported_in)
			worker->news.items[at].reported_in = report;
	}
	worker->report_awaits_ack = model->n > 0;
}

static void acknowledge(struct worker *worker, struct model *model, int64_t report)
{
	size_t kept = 0;
	for (size_t i = 0; i < model->n; i++) {
		struct worker_task *task = model->tasks[i];
		int64_t in = worker->news.items[task->news_position - 1].reported_in;
		if (!in || in > report)
			model->tasks[kept++] = task;
	}
	model->n = kept;
	worker_report_acked(worker, report);
}

static void what_is_not_acknowledged_stays_in_the_order_it_came(void **state)
{
	(void)state;
	struct worker_task *tasks[TASKS];
	struct worker *worker = worker_with_tasks(tasks, TASKS);
	struct random random = { 43 };
	struct model model = { .n = 0 };
	int64_t report = 0;
	for (int i = 0; i < TURNS; i++) {
		struct worker_task *task = tasks[random_below(&random, TASKS)];
		switch (random_below(&random, 8)) {
		case 0: say(worker, &model, ++report); break;
		case 1:
			acknowledge(worker, &model, report - (int64_t)random_below(&random, 3));
			break;
		case 2:
			worker_report_unlink(worker, task);
			model_drop(&model, task);
			worker->report_awaits_ack = n_said(&model, worker) > 0;
			break;
		default:
			worker_report_task(worker, task, AT_NEXT_BEAT);
			model_drop(&model, task);
			model.tasks[model.n++] = task;
			worker->report_awaits_ack = n_said(&model, worker) > 0;
			break;
		}
		assert_news(worker, &model);
	}
	acknowledge(worker, &model, report);
	worker_free(worker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_not_acknowledged_stays_in_the_order_it_came),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
