/* When a task is at rest, and what it holds then. */
#include "base/testing.h"

#include <string.h>

#include "base/alloc.h"
#include "worker/worker_int.h"

/* Running as it should, with all that a start and an inspection leave behind. */
static struct worker_task *started(void)
{
	struct worker_task *task = base_calloc(1, sizeof(*task));
	task->observed.state = TASK_RUNNING;
	task->observed.attempt = task->attempt_ran = task->attempt_first = 1;
	task->container = CONTAINER_RUNNING;
	task->daemon_instance = 7;
	struct worker_doing *doing = worker_make_doing(task);
	doing->path = PATH_CREATE;
	doing->pulled = true;
	doing->op_verb = CONTAINER_INSPECT;
	doing->not_before_ms = 100;
	doing->seen_at_ms = 90;
	doing->seen_instance = 7;
	doing->seen.id = base_strdup("c1");
	doing->seen.stop_signal = base_strdup("SIGQUIT");
	doing->seen.health_output = base_strdup("fine");
	doing->seen.error = base_strdup("none");
	doing->resource_name = base_strdup("shop_default");
	doing->hook_failure = base_strdup("failed");
	doing->start_failure.message = base_strdup("could not start");
	return task;
}

static void release(struct worker_task *task)
{
	worker_doing_free(task);
	worker_task_release_record(task);
	base_free(task);
}

static void a_task_at_rest_holds_nothing_of_what_went_on(void **state)
{
	(void)state;
	struct worker_task *task = started();
	worker_task_tidy(task, 99);
	assert_non_null(task->doing);
	worker_task_tidy(task, 100);
	assert_null(task->doing);
	assert_int_equal(worker_doing(task)->op, 0);
	assert_int_equal(worker_task_seen_instance(task), 7);
	release(task);
}

static void assert_stays(struct worker_task *task)
{
	worker_task_tidy(task, 1000);
	assert_non_null(task->doing);
	assert_false(worker_task_is_at_rest(task));
	release(task);
}

static void what_something_waits_for_is_held(void **state)
{
	(void)state;
	struct worker_task *task = started();
	task->doing->op = 5;
	assert_stays(task);
	task = started();
	task->has_slot = true;
	assert_stays(task);
	task = started();
	task->in_queue = true;
	assert_stays(task);
	task = started();
	task->look = true;
	assert_stays(task);
	task = started();
	task->dirty = true;
	assert_stays(task);
	task = started();
	task->wanted = TASK_WANT_STOP;
	assert_stays(task);
	task = started();
	task->ending_reason = REASON_UNHEALTHY;
	assert_stays(task);
	task = started();
	task->doing->stop_stage = STOP_LOOKED;
	assert_stays(task);
	task = started();
	task->doing->seen_instance = 8;
	assert_stays(task);
	task = started();
	task->container = CONTAINER_EXITED;
	assert_stays(task);
	task = started();
	task->observed.state = TASK_SCHEDULED;
	assert_stays(task);
}

static void an_end_is_a_rest_when_no_container_runs(void **state)
{
	(void)state;
	struct worker_task *task = started();
	task->observed.state = TASK_FAILED;
	task->doing->stop_stage = STOP_KILLED;
	worker_task_tidy(task, 1000);
	assert_non_null(task->doing);
	task->container = CONTAINER_EXITED;
	worker_task_tidy(task, 1000);
	assert_null(task->doing);
	release(task);
}

static void no_wait_makes_nothing(void **state)
{
	(void)state;
	struct worker_task *task = started();
	worker_task_tidy(task, 1000);
	worker_task_not_before(task, 0);
	assert_null(task->doing);
	worker_task_not_before(task, 2000);
	assert_int_equal(worker_doing(task)->not_before_ms, 2000);
	release(task);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_task_at_rest_holds_nothing_of_what_went_on),
		TEST(what_something_waits_for_is_held),
		TEST(an_end_is_a_rest_when_no_container_runs),
		TEST(no_wait_makes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
