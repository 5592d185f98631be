/* Tasks that have ended and are not confirmed gone, on a machine that is lost before it can say so: who follows them,
 * where and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/limits.h"
#include "manager_story.h"

#define HOUR_MS (3600 * 1000)

/* "shop/web" over alpha and beta; its one task on alpha. What ends is not confirmed gone. */
static void begin(struct story *story, int mode)
{
	story_begin(story);
	story_join(story, "alpha");
	story_project(story, "shop");
	story_job(story, "web", 1)->mode = mode;
	assert_int_equal(story_apply(story), ERR_NONE);
	story_join(story, "beta");
	story_pass(story, 30000);
	story->linger = "web";
	story_forget(story);
}

static void end_task(struct story *story)
{
	story_report(story, "shop/web.1", TASK_FAILED, REASON_START_FAILED, "no answer");
}

static void lose(struct story *story)
{
	story_silence(story, "alpha");
	story_pass(story, HOUR_MS);
}

/* How many tasks hold room there. */
static int64_t count_on(struct story *story, const char *name)
{
	return manager_cluster(story->manager)->columns.tasks[story_node(story, name)->index];
}

static bool is_newest(struct story *story, struct task_id id)
{
	return uuid_equal(story_task(story, "shop/web.1")->desired.id.uuid, id.uuid);
}

static struct task_id newest(struct story *story)
{
	return story_task(story, "shop/web.1")->desired.id;
}

static void it_is_followed_elsewhere(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED);
	struct task_id old = newest(&story);
	end_task(&story);
	/* As long as its machine can be reached it is waited for. */
	story_pass(&story, HOUR_MS);
	assert_true(is_newest(&story, old));
	lose(&story);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	assert_int_equal(count_on(&story, "beta"), 1);
	/* How it ended stays known; so does that it may be there. */
	const struct task *ended = cluster_task(manager_cluster(story.manager), old);
	assert_int_equal(ended->reason, REASON_START_FAILED);
	assert_int_equal(count_on(&story, "alpha"), 1);
	/* Neither a restart of the manager nor the node's return changes who has the slot. */
	struct task_id new = newest(&story);
	story_restart(&story);
	story_pass(&story, HOUR_MS);
	story_return(&story, "alpha");
	story_pass(&story, 60000);
	assert_true(is_newest(&story, new));
	story.linger = NULL;
	story_pass(&story, 60000);
	assert_int_equal(count_on(&story, "alpha"), 0);
	assert_int_equal(count_on(&story, "beta"), 1);
	assert_int_equal(story_count(&story, "shop/web"), 2);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_end(&story);
}

static void it_is_followed_by_a_manager_that_was_restarted_meanwhile(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED);
	end_task(&story);
	story_silence(&story, "alpha");
	story_restart(&story);
	story_pass(&story, HOUR_MS);
	assert_int_equal(count_on(&story, "beta"), 1);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_end(&story);
}

static void one_whose_docker_is_lost_is_followed_elsewhere(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED);
	end_task(&story);
	story_set_runtime(&story, "alpha", false);
	story_pass(&story, LIMIT_RUNTIME_GRACE_MS - 1);
	assert_int_equal(count_on(&story, "beta"), 0);
	story_pass(&story, 1);
	assert_int_equal(count_on(&story, "beta"), 1);
	story_set_runtime(&story, "alpha", true);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_end(&story);
}

static void where_nothing_else_fits_it_waits_for_its_node(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED);
	struct task_id old = newest(&story);
	story_silence(&story, "beta");
	end_task(&story);
	lose(&story);
	assert_true(is_newest(&story, old));
	struct text told;
	text_init(&told, 1000);
	assert_true(manager_task_waits(story.manager, story_task(&story, "shop/web.1"), &told));
	assert_string_equal(text_string(&told),
			    "it is not started elsewhere: no node is ready: 2 of 2 are down");
	text_release(&told);
	story_return(&story, "alpha");
	assert_true(is_newest(&story, old));
	story.linger = NULL;
	story_pass(&story, 60000);
	assert_int_equal(story_count(&story, "shop/web"), 2);
	assert_int_equal(count_on(&story, "alpha"), 1);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_end(&story);
}

static void another_end_elsewhere_is_followed_too(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED);
	end_task(&story);
	lose(&story);
	story.linger = NULL;
	end_task(&story);
	story_pass(&story, 600 * 1000);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_return(&story, "alpha");
	story_pass(&story, 60000);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	assert_int_equal(story_count(&story, "shop/web"), 3);
	story_end(&story);
}

static void what_nothing_is_to_follow_is_not_followed(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED);
	struct task_id old = newest(&story);
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_SPEC_REFUSED, "no answer");
	lose(&story);
	assert_true(is_newest(&story, old));
	/* But it does not hold up a restart. */
	assert_int_equal(story_act(&story, REQUEST_RESTART, "shop", "web"), ERR_NONE);
	story_pass(&story, 60000);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_end(&story);
}

static void a_slot_that_is_not_wanted_is_not_filled_before_it_is(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED);
	assert_int_equal(story_scale(&story, "shop", "web", 0), ERR_NONE);
	lose(&story);
	assert_int_equal(story_count(&story, "shop/web"), 1);
	assert_int_equal(story_scale(&story, "shop", "web", 1), ERR_NONE);
	story_pass(&story, 60000);
	assert_int_equal(count_on(&story, "beta"), 1);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_end(&story);
}

static void a_success_counts_at_once_and_is_not_run_again(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED_JOB);
	struct task_id old = newest(&story);
	story_report(&story, "shop/web.1", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	story_stands(&story, "shop/web", STANDING_COMPLETED, "1 of 1 succeeded");
	lose(&story);
	assert_true(is_newest(&story, old));
	story_stands(&story, "shop/web", STANDING_COMPLETED, "1 of 1 succeeded");
	/* Another run is another matter. */
	assert_int_equal(story_act(&story, REQUEST_RESTART, "shop", "web"), ERR_NONE);
	story_pass(&story, 60000);
	assert_int_equal(count_on(&story, "beta"), 1);
	story_return(&story, "alpha");
	story.linger = NULL;
	story_report(&story, "shop/web.1", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	story_stands(&story, "shop/web", STANDING_COMPLETED, "1 of 1 succeeded");
	assert_int_equal(story_count(&story, "shop/web"), 2);
	story_end(&story);
}

static void one_that_was_drained_goes_on_elsewhere(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED_JOB);
	struct task_id old = newest(&story);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false), ERR_NONE);
	assert_int_equal(story_task(&story, "shop/web.1")->reason, REASON_DRAINED);
	assert_true(is_newest(&story, old));
	lose(&story);
	assert_int_equal(count_on(&story, "beta"), 1);
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_RUNNING);
	story_end(&story);
}

/* The successor of a move ends on beta; alpha, where the old one still serves, may be lost as well. */
static void a_move_goes_on_with_another_successor(void **state)
{
	(void)state;
	for (int both = 0; both < 2; both++) {
		struct story story;
		begin(&story, JOB_REPLICATED);
		struct task_id old = newest(&story);
		story.hold_start = "web";
		assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false),
				 ERR_NONE);
		assert_int_equal(count_on(&story, "beta"), 1);
		end_task(&story);
		story_silence(&story, "beta");
		if (both)
			story_silence(&story, "alpha");
		story.hold_start = NULL;
		story.linger = NULL;
		story_join(&story, "gamma");
		story_pass(&story, 60000);
		assert_int_equal(count_on(&story, "gamma"), 1);
		assert_int_equal(count_on(&story, "alpha"), both);
		story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
		assert_int_equal(cluster_task(manager_cluster(story.manager), old)->reason,
				 both ? REASON_NODE_LOST : REASON_DRAINED);
		story_return(&story, "beta");
		story_return(&story, "alpha");
		story_pass(&story, 60000);
		assert_int_equal(count_on(&story, "alpha") + count_on(&story, "beta"), 0);
		story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
		story_end(&story);
	}
}

static void with_a_lease_it_waits_until_that_is_over(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	story_job(&story, "web", 1)->on_disconnect = ON_DISCONNECT_STOP;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_join(&story, "beta");
	story_pass(&story, 30000);
	story.linger = "web";
	end_task(&story);
	story_silence(&story, "alpha");
	/* Lease 60 s, stop grace 10 s, margin 30 s and a quarter of both; a beat more or less. */
	story_pass(&story, 117500 - LIMIT_BEAT_MS - 1);
	assert_int_equal(count_on(&story, "beta"), 0);
	story_pass(&story, LIMIT_BEAT_MS + 1);
	assert_int_equal(count_on(&story, "beta"), 1);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_end(&story);
}

static void the_operators_word_ends_the_wait(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	story_job(&story, "web", 1)->on_disconnect = ON_DISCONNECT_STOP;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_join(&story, "beta");
	story_pass(&story, 30000);
	story.linger = "web";
	end_task(&story);
	/* Then no time proves that it has ended. */
	story_set_runtime(&story, "alpha", false);
	lose(&story);
	assert_int_equal(count_on(&story, "beta"), 0);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_REMOVE, "alpha", true), ERR_NONE);
	assert_int_equal(story.reply->answer.n_tasks_lost, 1);
	story_pass(&story, 60000);
	assert_int_equal(count_on(&story, "beta"), 1);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_end(&story);
}

static void one_that_was_followed_is_written_off_like_others(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED);
	end_task(&story);
	lose(&story);
	struct task_id new = newest(&story);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_REMOVE, "alpha", true), ERR_NONE);
	assert_int_equal(story.reply->answer.n_tasks_lost, 1);
	story_pass(&story, 60000);
	assert_true(is_newest(&story, new));
	assert_int_equal(count_on(&story, "alpha"), 0);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_end(&story);
}

static void one_with_data_waits_for_its_machine(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	story_mount(&story, story_job(&story, "web", 1), "data");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_join(&story, "beta");
	story_pass(&story, 30000);
	story.linger = "web";
	end_task(&story);
	lose(&story);
	assert_int_equal(story_count(&story, "shop/web"), 1);
	assert_int_equal(count_on(&story, "beta"), 0);
	story_return(&story, "alpha");
	story.linger = NULL;
	story_pass(&story, 60000);
	assert_int_equal(count_on(&story, "alpha"), 1);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_end(&story);
}

static void one_of_a_global_job_waits_for_its_machine(void **state)
{
	(void)state;
	for (int docker = 0; docker < 2; docker++) {
		struct story story;
		begin(&story, JOB_GLOBAL);
		end_task(&story);
		if (docker)
			story_set_runtime(&story, "alpha", false);
		else
			story_silence(&story, "alpha");
		story_forget(&story);
		story_pass(&story, HOUR_MS);
		/* The machine that is lost is not counted, and nothing waits to be placed. */
		story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
		assert_int_equal(count_on(&story, "beta"), 1);
		assert_int_equal(story_count(&story, "shop/web"), 2);
		if (docker)
			story_set_runtime(&story, "alpha", true);
		else
			story_return(&story, "alpha");
		story.linger = NULL;
		story_pass(&story, 60000);
		story_stands(&story, "shop/web", STANDING_RUNNING, "2 of 2 ready");
		assert_int_equal(count_on(&story, "alpha"), 1);
		story_end(&story);
	}
}

/* Slot 1 was on beta, and is alpha's from now on. */
static void a_slot_of_a_job_that_became_global_is_filled(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_join(&story, "beta");
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false), ERR_NONE);
	story_project(&story, "shop");
	struct job_spec *web = story_job(&story, "web", 1);
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(count_on(&story, "beta"), 1);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_RESUME, "alpha", false), ERR_NONE);
	story_pass(&story, 30000);
	story.linger = "web";
	end_task(&story);
	story_silence(&story, "beta");
	web->mode = JOB_GLOBAL;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, HOUR_MS);
	assert_int_equal(count_on(&story, "alpha"), 1);
	/* Beta's own slot waits for beta. */
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready, 1 unreachable");
	story_end(&story);
}

/* Three of four machines at once are a storm. */
static void they_are_held_in_a_storm_like_others(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	static const char *const names[] = { "n1", "n2", "n3", "n4" };
	for (size_t i = 0; i < 4; i++)
		story_join(&story, names[i]);
	story_project(&story, "shop");
	story_job(&story, "web", 4);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 30000);
	story.linger = "web";
	static const char *const tasks[] = { "shop/web.1", "shop/web.2", "shop/web.3" };
	for (size_t i = 0; i < 3; i++) {
		story_report(&story, tasks[i], TASK_FAILED, REASON_START_FAILED, "no answer");
		story_silence(&story, names[i]);
	}
	story_pass(&story, 2 * LIMIT_NODE_SILENT_MS - 1);
	assert_int_equal(count_on(&story, "n4"), 1);
	story_pass(&story, 1);
	assert_int_equal(count_on(&story, "n4"), 4);
	story_stands(&story, "shop/web", STANDING_RUNNING, "4 of 4 ready");
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_followed_elsewhere),
		cmocka_unit_test(it_is_followed_by_a_manager_that_was_restarted_meanwhile),
		cmocka_unit_test(one_whose_docker_is_lost_is_followed_elsewhere),
		cmocka_unit_test(where_nothing_else_fits_it_waits_for_its_node),
		cmocka_unit_test(another_end_elsewhere_is_followed_too),
		cmocka_unit_test(what_nothing_is_to_follow_is_not_followed),
		cmocka_unit_test(a_slot_that_is_not_wanted_is_not_filled_before_it_is),
		cmocka_unit_test(a_success_counts_at_once_and_is_not_run_again),
		cmocka_unit_test(one_that_was_drained_goes_on_elsewhere),
		cmocka_unit_test(a_move_goes_on_with_another_successor),
		cmocka_unit_test(with_a_lease_it_waits_until_that_is_over),
		cmocka_unit_test(the_operators_word_ends_the_wait),
		cmocka_unit_test(one_that_was_followed_is_written_off_like_others),
		cmocka_unit_test(one_with_data_waits_for_its_machine),
		cmocka_unit_test(one_of_a_global_job_waits_for_its_machine),
		cmocka_unit_test(a_slot_of_a_job_that_became_global_is_filled),
		cmocka_unit_test(they_are_held_in_a_storm_like_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
