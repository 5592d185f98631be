/* A task that never fits because smaller ones always come first has a node kept for it, in time; and nobody else pays
 * more for that than has to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "manager_story.h"

#define GB (1LL << 30)

static struct job_spec *add_job(struct story *story, const char *name, int64_t memory_bytes,
				int mode)
{
	struct job_spec *spec = story_job(story, name, 1);
	spec->reservations.memory_bytes = memory_bytes;
	spec->mode = mode;
	return spec;
}

/* Submits one job, which joins the others. */
static void submit(struct story *story, const char *name, int64_t memory_bytes, int64_t priority)
{
	story_project(story, "shop");
	add_job(story, name, memory_bytes, JOB_REPLICATED_JOB)->priority = priority;
	assert_int_equal(story_submit(story), ERR_NONE);
}

static void ends(struct story *story, const char *task)
{
	story_report(story, task, TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
}

static int state_of(struct story *story, const char *task)
{
	return story_task(story, task)->state;
}

/* alpha has 8 GB: "one" and "two" fill 7 of them for a while, "big" wants 6. */
static void begin(struct story *story, int mode_of_one)
{
	story_begin(story);
	story_join(story, "alpha");
	story_project(story, "shop");
	add_job(story, "one", 4 * GB, mode_of_one);
	add_job(story, "two", 3 * GB, JOB_REPLICATED_JOB);
	add_job(story, "big", 6 * GB, JOB_REPLICATED_JOB);
	assert_int_equal(story_apply(story), ERR_NONE);
	assert_int_equal(state_of(story, "shop/big.1"), TASK_PENDING);
	story_forget(story);
}

static void what_has_waited_for_a_minute_has_a_node_kept_for_it(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED_JOB);
	story_pass(&story, 59999);
	story_tells(&story, "");
	story_pass(&story, 5000);
	story_tells(&story, "room on alpha is kept for shop/big.1\n");
	ends(&story, "shop/one.1");
	/* There are 5 GB free, and yet nothing that would make it wait longer. */
	submit(&story, "small", 2 * GB, 50);
	story_why(&story, "shop/small.1", TASK_PENDING, REASON_NO_NODE_FITS,
		  "the room on alpha is kept for shop/big.1, which waits for longer");
	ends(&story, "shop/two.1");
	assert_int_equal(state_of(&story, "shop/big.1"), TASK_RUNNING);
	/* Nothing is kept any more, and 2 GB are left. */
	assert_int_equal(state_of(&story, "shop/small.1"), TASK_RUNNING);
	story_end(&story);
}

static void before_that_smaller_ones_overtake_it(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED_JOB);
	story_pass(&story, 50000);
	ends(&story, "shop/one.1");
	submit(&story, "small", 2 * GB, 50);
	assert_int_equal(state_of(&story, "shop/small.1"), TASK_RUNNING);
	story_end(&story);
}

static void what_takes_no_room_from_it_or_matters_more_is_placed(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED_JOB);
	story_pass(&story, 70000);
	ends(&story, "shop/one.1");
	submit(&story, "free", 0, 50);
	assert_int_equal(state_of(&story, "shop/free.1"), TASK_RUNNING);
	submit(&story, "urgent", 3 * GB, 60);
	assert_int_equal(state_of(&story, "shop/urgent.1"), TASK_RUNNING);
	/* A slot is filled again with the room it had. */
	assert_int_equal(story_act_task(&story, REQUEST_RESTART, "shop/two.1"), ERR_NONE);
	assert_int_equal(state_of(&story, "shop/two.1"), TASK_RUNNING);
	story_end(&story);
}

static void no_node_is_kept_where_services_stay(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED);
	story_pass(&story, 120000);
	ends(&story, "shop/two.1");
	submit(&story, "small", 2 * GB, 50);
	assert_int_equal(state_of(&story, "shop/small.1"), TASK_RUNNING);
	assert_int_equal(state_of(&story, "shop/big.1"), TASK_PENDING);
	/* Asked to stop, the service makes room in time. */
	story.hold_stop = "one";
	assert_int_equal(story_act(&story, REQUEST_STOP, "shop", "one"), ERR_NONE);
	story_forget(&story);
	story_pass(&story, 5000);
	story_tells(&story, "room on alpha is kept for shop/big.1\n");
	story_end(&story);
}

static void others_go_elsewhere_and_come_back_when_nobody_waits(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED_JOB);
	story_join_with(&story, "beta", 2 * GB);
	story_pass(&story, 70000);
	ends(&story, "shop/one.1");
	submit(&story, "small", 2 * GB, 50);
	assert_int_equal(state_of(&story, "shop/small.1"), TASK_RUNNING);
	assert_int_equal(story_holds(&story, "beta"), 1);
	submit(&story, "next", 2 * GB, 50);
	assert_int_equal(state_of(&story, "shop/next.1"), TASK_PENDING);
	assert_int_equal(story_act(&story, REQUEST_REMOVE, "shop", "big"), ERR_NONE);
	assert_int_equal(state_of(&story, "shop/next.1"), TASK_RUNNING);
	story_end(&story);
}

static void a_node_that_loses_docker_is_kept_for_nobody(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED_JOB);
	story_pass(&story, 70000);
	story_forget(&story);
	story_set_runtime(&story, "alpha", false);
	story_run(&story);
	story_pass(&story, 10000);
	story_set_runtime(&story, "alpha", true);
	story_run(&story);
	story_pass(&story, 10000);
	ends(&story, "shop/one.1");
	ends(&story, "shop/two.1");
	assert_int_equal(state_of(&story, "shop/big.1"), TASK_RUNNING);
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_waited_for_a_minute_has_a_node_kept_for_it),
		cmocka_unit_test(before_that_smaller_ones_overtake_it),
		cmocka_unit_test(what_takes_no_room_from_it_or_matters_more_is_placed),
		cmocka_unit_test(no_node_is_kept_where_services_stay),
		cmocka_unit_test(others_go_elsewhere_and_come_back_when_nobody_waits),
		cmocka_unit_test(a_node_that_loses_docker_is_kept_for_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
