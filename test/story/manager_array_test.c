/* Arrays, and jobs whose tasks take turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "manager/core.h"
#include "manager_story.h"

/* An array of so many indices, so many at a time; nothing is sent. */
static struct job_spec *begin(struct story *story, int64_t size, int64_t concurrency)
{
	story_begin(story);
	story_join(story, "alpha");
	story_forget(story);
	story_project(story, "shop");
	struct job_spec *spec = story_job(story, "part", size);
	spec->mode = JOB_REPLICATED_JOB;
	spec->concurrency = concurrency;
	spec->array = base_calloc(1, sizeof(struct array));
	struct index_range *range = list_add(&spec->array->indices, sizeof(*range));
	range->last = size - 1;
	return spec;
}

static struct job_entry *job_of(struct story *story)
{
	return cluster_job_named(manager_cluster(story->manager), "shop", "part");
}

static void end(struct story *story, int64_t slot, bool well)
{
	char name[32];
	text_print(name, sizeof(name), "shop/part.%lld", (long long)slot);
	if (well)
		story_report(story, name, TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	else
		story_report(story, name, TASK_FAILED, REASON_EXIT_NONZERO, "exited with status 1");
}

static void so_many_run_at_a_time_and_the_next_one_follows(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 4, 2);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_tells(&story, "job shop/part revision 1 accepted\n"
			    "shop/part.1 scheduled on alpha\n"
			    "shop/part.2 scheduled on alpha\n"
			    "shop/part.1 running\n"
			    "shop/part.2 running\n"
			    "job shop/part is running: 2 of 4 ready, 2 to come\n");
	end(&story, 2, true);
	story_tells(&story, "shop/part.2 completed: exit_zero\n"
			    "shop/part.3 scheduled on alpha\n"
			    "shop/part.3 running\n");
	end(&story, 3, true);
	end(&story, 4, true);
	story_stands(&story, "shop/part", STANDING_RUNNING, "4 of 4 ready");
	end(&story, 1, true);
	story_stands(&story, "shop/part", STANDING_COMPLETED, "4 of 4 succeeded");
	story_end(&story);
}

static void an_index_that_failed_for_good_makes_room_and_the_job_fails_at_once(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 4, 1);
	assert_int_equal(story_apply(&story), ERR_NONE);
	end(&story, 1, false);
	story_stands(&story, "shop/part", STANDING_FAILED,
		     "1 of 4 given up, 2 to come; part.1 failed: exited with status 1");
	story_why(&story, "shop/part.2", TASK_RUNNING, REASON_RUNNING, "running on alpha");
	assert_int_equal(story_act_task(&story, REQUEST_RESTART, "shop/part.1"), ERR_CONFLICT);
	assert_string_equal(story.reply->err.message,
			    "job shop/part runs 1 task at a time, and so many run: restart it when "
			    "one of them has ended");
	end(&story, 2, true);
	end(&story, 3, true);
	end(&story, 4, true);
	story_stands(&story, "shop/part", STANDING_FAILED,
		     "1 of 4 given up; part.1 failed: exited with status 1");
	assert_int_equal(story_count(&story, "shop/part"), 4);
	/* One index alone may be tried again. */
	assert_int_equal(story_act_task(&story, REQUEST_RESTART, "shop/part.1"), ERR_NONE);
	end(&story, 1, true);
	story_stands(&story, "shop/part", STANDING_COMPLETED, "4 of 4 succeeded");
	story_end(&story);
}

static void one_that_is_tried_again_keeps_its_turn(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 3, 1);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story.hold_start = "part";
	story_report(&story, "shop/part.1", TASK_FAILED, REASON_PULL_FAILED, "cannot pull");
	story_stands(&story, "shop/part", STANDING_PENDING,
		     "0 of 3 ready, 2 to come; part.1 pending: 1 start in a row failed, the last "
		     "one: cannot pull");
	assert_int_equal(story_count(&story, "shop/part"), 2);
	story_pass(&story, 2000);
	end(&story, 1, true);
	story_why(&story, "shop/part.2", TASK_SCHEDULED, REASON_ASSIGNED, "placed on alpha");
	story_end(&story);
}

static void a_lost_machine_lets_no_more_run_than_may(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 6, 2);
	story_join(&story, "beta");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_silence(&story, "alpha");
	story_silence(&story, "beta");
	story_pass(&story, 120000);
	assert_int_equal(story_count(&story, "shop/part"), 2);
	story_return(&story, "alpha");
	story_pass(&story, 60000);
	story_return(&story, "beta");
	story_pass(&story, 60000);
	story_stands(&story, "shop/part", STANDING_RUNNING, "2 of 6 ready, 4 to come");
	story_end(&story);
}

static void run_again_takes_turns_too(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 3, 1);
	story.succeed = "part";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_stands(&story, "shop/part", STANDING_COMPLETED, "3 of 3 succeeded");
	story.succeed = NULL;
	assert_int_equal(story_act(&story, REQUEST_RUN_AGAIN, "shop", "part"), ERR_NONE);
	story_stands(&story, "shop/part", STANDING_RUNNING, "1 of 3 ready, 2 to come");
	assert_int_equal(story_act(&story, REQUEST_RUN_AGAIN, "shop", "part"), ERR_CONFLICT);
	story_restart(&story);
	end(&story, 1, true);
	end(&story, 2, true);
	end(&story, 3, true);
	story_stands(&story, "shop/part", STANDING_COMPLETED, "3 of 3 succeeded");
	story_end(&story);
}

static void how_many_at_a_time_may_change_and_what_is_done_stays_done(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 8, 1);
	story.options.ends_kept = 1;
	story_restart(&story);
	story_pass(&story, 60000);
	assert_int_equal(story_apply(&story), ERR_NONE);
	for (int64_t slot = 1; slot <= 4; slot++)
		end(&story, slot, true);
	story.request.jobs.items[0].spec.concurrency = 3;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_effect(&story, "part", EFFECT_UPDATED);
	story_stands(&story, "shop/part", STANDING_RUNNING, "7 of 8 ready, 1 to come");
	story.request.jobs.items[0].spec.concurrency = 0;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_stands(&story, "shop/part", STANDING_RUNNING, "8 of 8 ready");
	for (int64_t slot = 5; slot <= 8; slot++)
		end(&story, slot, true);
	story_stands(&story, "shop/part", STANDING_COMPLETED, "8 of 8 succeeded");
	assert_int_equal(job_of(&story)->job.revision, 1);
	story_end(&story);
}

static void an_array_is_not_scaled(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 3, 1);
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(story_scale(&story, "shop", "part", 5), ERR_CONFLICT);
	assert_string_equal(story.reply->err.message,
			    "job shop/part is an array: its indices say how many tasks it has");
	story_end(&story);
}

/* Of what ended long ago only what became of it is kept; that holds through restarts, and for what waits for it. */
static void ends_are_kept_as_ranges(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 100, 3);
	struct job_spec *after = story_job(&story, "report", 1);
	story_depends(after, "part", DEPEND_COMPLETED);
	story.options.ends_kept = 5;
	story_restart(&story);
	story_pass(&story, 60000);
	assert_int_equal(story_apply(&story), ERR_NONE);
	for (int64_t slot = 1; slot <= 100; slot++) {
		end(&story, slot, slot != 10);
		assert_true(story_count(&story, "shop/part") <= 13);
		if (slot % 30 == 0) {
			story_restart(&story);
			story_pass(&story, 60000);
		}
	}
	struct job *job = &job_of(&story)->job;
	assert_int_equal(job->settled.succeeded.ranges.n, 2);
	assert_int_equal(job->settled.left.ranges.items[0].first, 10);
	struct job_status status;
	manager_job_status(story.manager, job_of(&story), &status);
	assert_int_equal(status.standing, STANDING_FAILED);
	assert_int_equal(status.succeeded, 99);
	assert_int_equal(status.left, 1);
	base_free(status.message);
	story_why(&story, "shop/report.1", TASK_FAILED, REASON_DEPENDENCY_FAILED,
		  "needs part to be completed, but it failed: 1 of 100 given up");
	/* All anew. */
	story.succeed = "part";
	assert_int_equal(story_act(&story, REQUEST_RUN_AGAIN, "shop", "part"), ERR_NONE);
	story_stands(&story, "shop/part", STANDING_COMPLETED, "100 of 100 succeeded");
	/* Of slots that are not settled yet, those of the run before too. */
	assert_true(story_count(&story, "shop/part") <= 23);
	story_end(&story);
}

/* "part" of 100 indices, so many at a time, that waits for "db" to be completed, which has failed. */
static void begin_in_vain(struct story *story, int64_t concurrency)
{
	struct job_spec *part = begin(story, 100, concurrency);
	story_depends(part, "db", DEPEND_COMPLETED);
	struct job_spec *db = story_job(story, "db", 1);
	db->mode = JOB_REPLICATED_JOB;
	story_depends(story_job(story, "report", 1), "part", DEPEND_STARTED);
	story->options.ends_kept = 5;
	story_restart(story);
	story_pass(story, 60000);
	assert_int_equal(story_apply(story), ERR_NONE);
	story_report(story, "shop/db.1", TASK_FAILED, REASON_EXIT_NONZERO, "exited with status 1");
}

/* Those whose turn had not come, too; however many have been given up by then, and are kept as ranges. */
static void all_of_an_array_that_waits_in_vain_is_given_up(void **state)
{
	(void)state;
	for (int64_t concurrency = 3; concurrency <= 20; concurrency += 17) {
		struct story story;
		begin_in_vain(&story, concurrency);
		char why[256];
		text_print(why, sizeof(why),
			   "100 of 100 given up; part.%d failed: needs db to be completed, but it "
			   "failed: 1 of 1 given up",
			   concurrency == 3 ? 1 : 16);
		/* Each start looks at all of it once more. */
		for (int i = 0; i < 3; i++) {
			story_stands(&story, "shop/part", STANDING_FAILED, why);
			story_restart(&story);
			story_pass(&story, 60000);
		}
		/* The gate did not open behind those that are settled. */
		struct job_entry *entry = job_of(&story);
		for (size_t i = 0; i < entry->tasks.n; i++)
			assert_true(uuid_is_zero(entry->tasks.items[i]->desired.node.uuid));
		story_why(&story, "shop/report.1", TASK_PENDING, REASON_WAITS_DEPENDENCY,
			  "waits for part to be started: 0 of 100 started, 100 given up");
		/* All anew, once it waits in vain no more. */
		story.succeed = "db part";
		assert_int_equal(story_act(&story, REQUEST_RUN_AGAIN, "shop", "db"), ERR_NONE);
		story_stands(&story, "shop/part", STANDING_FAILED, why);
		if (concurrency == 3)
			assert_int_equal(story_apply(&story), ERR_NONE);
		else
			assert_int_equal(story_act(&story, REQUEST_RUN_AGAIN, "shop", "part"),
					 ERR_NONE);
		story_stands(&story, "shop/part", STANDING_COMPLETED, "100 of 100 succeeded");
		story_end(&story);
	}
}

/* ... and not what ran before anything had failed. */
static void an_update_of_an_array_in_vain_ends_it(void **state)
{
	(void)state;
	struct story story;
	struct job_spec *part = begin(&story, 10, 3);
	assert_int_equal(story_apply(&story), ERR_NONE);
	end(&story, 1, true);
	story.hold_stop = "part";
	story_depends(part, "db", DEPEND_COMPLETED);
	story_job(&story, "db", 1)->mode = JOB_REPLICATED_JOB;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_report(&story, "shop/db.1", TASK_FAILED, REASON_EXIT_NONZERO, "exited with status 1");
	for (int64_t slot = 2; slot <= 4; slot++)
		end(&story, slot, false);
	struct job_status status;
	manager_job_status(story.manager, job_of(&story), &status);
	assert_int_equal(status.standing, STANDING_FAILED);
	assert_int_equal(status.left, 10);
	base_free(status.message);
	story.succeed = "db part";
	assert_int_equal(story_act(&story, REQUEST_RUN_AGAIN, "shop", "db"), ERR_NONE);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_stands(&story, "shop/part", STANDING_COMPLETED, "10 of 10 succeeded");
	story_end(&story);
}

/* ... and a run with them, so that the next one has its time. */
static void a_run_of_an_array_that_waits_in_vain_fails(void **state)
{
	(void)state;
	struct story story;
	struct job_spec *part = begin(&story, 100, 3);
	story_depends(part, "db", DEPEND_COMPLETED);
	part->schedule = base_calloc(1, sizeof(struct schedule));
	string_set(&part->schedule->cron, "0 * * * *");
	story_job(&story, "db", 1)->mode = JOB_REPLICATED_JOB;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_report(&story, "shop/db.1", TASK_FAILED, REASON_EXIT_NONZERO, "exited with status 1");
	story_pass(&story, 130 * 60 * 1000);
	const struct job *job = &job_of(&story)->job;
	assert_int_equal(job->scheduled.runs.n, 2);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(job->scheduled.runs.items[i].outcome, RUN_FAILED);
	story.succeed = "db part";
	assert_int_equal(story_act(&story, REQUEST_RUN_AGAIN, "shop", "db"), ERR_NONE);
	story_pass(&story, 60 * 60 * 1000);
	assert_int_equal(job->scheduled.runs.items[2].outcome, RUN_SUCCEEDED);
	story_end(&story);
}

/* Every other one fails: more ranges than there may be. */
static void what_finds_no_range_is_kept_and_not_written_again_and_again(void **state)
{
	(void)state;
	struct story story;
	int64_t replicas = 100 + 2 * LIMIT_SLOT_RANGES;
	struct job_spec *spec = begin(&story, replicas, 2);
	record_release(&array_type, spec->array);
	base_free(spec->array);
	spec->array = NULL;
	story.options.ends_kept = 2;
	story_restart(&story);
	story_pass(&story, 60000);
	assert_int_equal(story_apply(&story), ERR_NONE);
	struct settled *settled = job_settle(&job_of(&story)->job);
	for (int64_t slot = 101; slot <= replicas; slot += 2) {
		assert_true(slot_ranges_add(&settled->succeeded, slot));
		assert_true(slot_ranges_add(&settled->left, slot + 1));
	}
	assert_int_equal(story_scale(&story, "shop", "part", replicas + 1), ERR_NONE);
	for (int64_t slot = 1; slot <= 10; slot++)
		end(&story, slot, slot % 2);
	assert_int_equal(story_count(&story, "shop/part"), 12);
	size_t n_changes = story.n_changes;
	size_t n_steps = story.n_steps;
	for (int i = 0; i < 5; i++) {
		job_dirty(story.manager, job_of(&story)->job.id);
		story_pass(&story, 60000);
	}
	assert_true(story.n_steps >= n_steps + 5);
	assert_int_equal(story.n_changes, n_changes);
	story_end(&story);
}

static void fewer_and_more_again_forgets_what_had_become_of_them(void **state)
{
	(void)state;
	struct story story;
	struct job_spec *spec = begin(&story, 40, 2);
	record_release(&array_type, spec->array);
	base_free(spec->array);
	spec->array = NULL;
	story.options.ends_kept = 2;
	story_restart(&story);
	story_pass(&story, 60000);
	story.succeed = "part";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_stands(&story, "shop/part", STANDING_COMPLETED, "40 of 40 succeeded");
	assert_int_equal(story_scale(&story, "shop", "part", 10), ERR_NONE);
	story_stands(&story, "shop/part", STANDING_COMPLETED, "10 of 10 succeeded");
	story.succeed = NULL;
	assert_int_equal(story_scale(&story, "shop", "part", 20), ERR_NONE);
	story_stands(&story, "shop/part", STANDING_RUNNING, "12 of 20 ready, 8 to come");
	story_end(&story);
}

static void a_stop_ends_those_that_run_and_starts_no_more(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 10, 2);
	assert_int_equal(story_apply(&story), ERR_NONE);
	end(&story, 1, true);
	assert_int_equal(story_act(&story, REQUEST_STOP, "shop", "part"), ERR_NONE);
	story_stands(&story, "shop/part", STANDING_STOPPED, "no container is left");
	assert_int_equal(story_count(&story, "shop/part"), 3);
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(so_many_run_at_a_time_and_the_next_one_follows),
		cmocka_unit_test(
			an_index_that_failed_for_good_makes_room_and_the_job_fails_at_once),
		cmocka_unit_test(one_that_is_tried_again_keeps_its_turn),
		cmocka_unit_test(a_lost_machine_lets_no_more_run_than_may),
		cmocka_unit_test(run_again_takes_turns_too),
		cmocka_unit_test(how_many_at_a_time_may_change_and_what_is_done_stays_done),
		cmocka_unit_test(an_array_is_not_scaled),
		cmocka_unit_test(ends_are_kept_as_ranges),
		cmocka_unit_test(all_of_an_array_that_waits_in_vain_is_given_up),
		cmocka_unit_test(what_finds_no_range_is_kept_and_not_written_again_and_again),
		cmocka_unit_test(an_update_of_an_array_in_vain_ends_it),
		cmocka_unit_test(a_run_of_an_array_that_waits_in_vain_fails),
		cmocka_unit_test(fewer_and_more_again_forgets_what_had_become_of_them),
		cmocka_unit_test(a_stop_ends_those_that_run_and_starts_no_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
