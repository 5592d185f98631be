/* Jobs that run at times: each time once, whatever is away and whatever clocks do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "manager_runs.h"

static void nothing_runs_before_its_time_and_a_run_ends_with_its_tasks(void **state)
{
	(void)state;
	struct story story;
	runs_begin(&story, "0 3 * * *");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_tells(&story,
		    "job shop/backup revision 1 accepted\n"
		    "job shop/backup is scheduled: the next run is at 2026-05-01 03:00 (UTC)\n");
	story_pass(&story, 2 * HOUR_MS);
	assert_int_equal(story_count(&story, "shop/backup"), 0);
	story_pass(&story, HOUR_MS);
	story_tells(
		&story,
		"job shop/backup: its time has come: a run begins\n"
		"shop/backup.1 scheduled on alpha\n"
		"job shop/backup is pending: 0 of 1 ready; backup.1 scheduled: placed on alpha\n"
		"shop/backup.1 running\n"
		"job shop/backup is running: 1 of 1 ready\n");
	runs_end(&story, true);
	story_tells(&story,
		    "shop/backup.1 completed: exit_zero\n"
		    "job shop/backup: the run has succeeded\n"
		    "job shop/backup is scheduled: the next run is at 2026-05-02 03:00 (UTC); "
		    "the last one has succeeded\n");
	story_pass(&story, DAY_MS);
	runs_end(&story, false);
	runs_expect(&story, "03:00 succeeded, 27:00 failed");
	story_stands(&story, "shop/backup", STANDING_SCHEDULED,
		     "the next run is at 2026-05-03 03:00 (UTC); the last one has failed");
	/* The same again changes nothing. */
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_effect(&story, "backup", EFFECT_UNCHANGED);
	story_end(&story);
}

static void while_a_run_goes_on_the_next_one_is_skipped(void **state)
{
	(void)state;
	struct story story;
	runs_begin(&story, "0 * * * *");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 2 * HOUR_MS + MINUTE_MS);
	runs_expect(&story, "01:00 running, 02:00 skipped");
	assert_int_equal(story_count(&story, "shop/backup"), 1);
	runs_end(&story, true);
	story_pass(&story, HOUR_MS);
	runs_expect(&story, "01:00 succeeded, 02:00 skipped, 03:00 running");
	story_end(&story);
}

static void or_it_waits(void **state)
{
	(void)state;
	struct story story;
	runs_begin(&story, "0 * * * *")->overlap = OVERLAP_QUEUE;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 3 * HOUR_MS + MINUTE_MS);
	runs_expect(&story, "01:00 running, 02:00 waiting, 03:00 waiting");
	runs_end(&story, true);
	runs_expect(&story, "01:00 succeeded, 02:00 running, 03:00 waiting");
	story_restart(&story);
	story_pass(&story, 30 * MINUTE_MS);
	runs_end(&story, false);
	runs_end(&story, true);
	runs_expect(&story, "01:00 succeeded, 02:00 failed, 03:00 succeeded");
	story_end(&story);
}

/* The clock jumps as it does for a manager that was away. */
static void be_away(struct story *story, int64_t ms)
{
	story->wall_ms += ms;
	story_restart(story);
	story_pass(story, 2 * MINUTE_MS);
}

static void what_was_missed_is_made_up_once(void **state)
{
	(void)state;
	struct story story;
	runs_begin(&story, "0 * * * *");
	story.succeed = "backup";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, HOUR_MS + MINUTE_MS);
	be_away(&story, 5 * HOUR_MS + 30 * MINUTE_MS);
	runs_expect(&story, "01:00 succeeded, 05:00 missed, 06:00 succeeded!");
	/* And not again. */
	be_away(&story, MINUTE_MS);
	story_pass(&story, HOUR_MS);
	runs_expect(&story, "01:00 succeeded, 05:00 missed, 06:00 succeeded!, 07:00 succeeded");
	story_end(&story);
}

static void a_run_that_ended_meanwhile_is_heard_of_first(void **state)
{
	(void)state;
	for (int lost = 0; lost < 2; lost++) {
		struct story story;
		runs_begin(&story, "0 * * * *");
		assert_int_equal(story_apply(&story), ERR_NONE);
		story_pass(&story, HOUR_MS + MINUTE_MS);
		story_silence(&story, "alpha");
		runs_end(&story, true);
		story.wall_ms += HOUR_MS;
		story_restart(&story);
		story_pass(&story, 5000);
		runs_expect(&story, "01:00 running");
		if (!lost)
			story_return(&story, "alpha");
		story_pass(&story, 2 * MINUTE_MS);
		runs_expect(&story, lost ? "01:00 running, 02:00 skipped!"
					 : "01:00 succeeded, 02:00 running!");
		story_end(&story);
	}
}

static void or_not_at_all_or_as_often_as_it_says(void **state)
{
	(void)state;
	struct story story;
	runs_begin(&story, "0 * * * *")->catch_up = CATCH_UP_NONE;
	story.succeed = "backup";
	assert_int_equal(story_apply(&story), ERR_NONE);
	be_away(&story, 3 * HOUR_MS + 30 * MINUTE_MS);
	runs_expect(&story, "03:00 missed");
	struct schedule *schedule = story.request.jobs.items[0].spec.schedule;
	schedule->catch_up = 2;
	schedule->overlap = OVERLAP_QUEUE;
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(
		cluster_job_named(manager_cluster(story.manager), "shop", "backup")->job.revision,
		1);
	story_pass(&story, MINUTE_MS);
	be_away(&story, 4 * HOUR_MS);
	runs_expect(&story, "03:00 missed, 05:00 missed, 06:00 succeeded!, 07:00 succeeded!");
	story_end(&story);
}

static void ten_years_away_take_no_longer_than_a_day(void **state)
{
	(void)state;
	struct story story;
	runs_begin(&story, "* * * * *");
	story.succeed = "backup";
	assert_int_equal(story_apply(&story), ERR_NONE);
	be_away(&story, 3650 * DAY_MS);
	runs_expect(&story, "87599:58 missed, 87599:59 succeeded, 87600:00 skipped, "
			    "87600:01 succeeded, 87600:02 succeeded");
	story_end(&story);
}

/* Not all that have passed are looked at one by one, but all that count. */
static void the_newest_are_made_up_however_many_there_were(void **state)
{
	(void)state;
	for (int64_t ms = 500 * MINUTE_MS; ms < 508 * MINUTE_MS; ms += 10 * 1000) {
		struct story story;
		struct schedule *schedule = runs_begin(&story, "* * * * *");
		schedule->catch_up = 3;
		schedule->overlap = OVERLAP_QUEUE;
		story.succeed = "backup";
		assert_int_equal(story_apply(&story), ERR_NONE);
		be_away(&story, ms);
		const struct job_runs *runs = runs_of(&story);
		assert_true(runs->runs.n > 4);
		for (size_t i = 0; i < runs->runs.n; i++) {
			const struct job_run *run = &runs->runs.items[i];
			assert_int_equal(run->outcome, i ? RUN_SUCCEEDED : RUN_MISSED);
			assert_int_equal(run->scheduled_wall_ms,
					 runs->runs.items[0].scheduled_wall_ms +
						 (int64_t)i * MINUTE_MS);
		}
		story_end(&story);
	}
}

static size_t count_ended(const struct job_runs *runs)
{
	size_t n = 0;
	for (size_t i = 0; i < runs->runs.n; i++)
		n += runs->runs.items[i].outcome > RUN_WAITS;
	return n;
}

static void no_more_is_kept_than_the_history_says(void **state)
{
	(void)state;
	struct story story;
	struct schedule *schedule = runs_begin(&story, "0 * * * *");
	schedule->overlap = OVERLAP_QUEUE;
	schedule->history = 1;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 4 * HOUR_MS + MINUTE_MS);
	for (int i = 0; i < 3; i++) {
		runs_end(&story, i != 1);
		assert_int_equal(count_ended(runs_of(&story)), 1);
	}
	runs_expect(&story, "03:00 succeeded, 04:00 running");
	assert_int_equal(story_act(&story, REQUEST_STOP, "shop", "backup"), ERR_NONE);
	runs_expect(&story, "04:00 stopped");
	story_end(&story);
}

/* ... also where it says so from now on. */
static void a_shorter_history_holds_at_once(void **state)
{
	(void)state;
	struct story story;
	struct schedule *schedule = runs_begin(&story, "0 * * * *");
	story.succeed = "backup";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 3 * HOUR_MS + MINUTE_MS);
	runs_expect(&story, "01:00 succeeded, 02:00 succeeded, 03:00 succeeded");
	schedule->history = 2;
	assert_int_equal(story_apply(&story), ERR_NONE);
	runs_expect(&story, "02:00 succeeded, 03:00 succeeded");
	story_end(&story);
}

/* ... and no less, while one is under way. */
static void that_one_was_missed_is_on_record_while_the_next_one_runs(void **state)
{
	(void)state;
	struct story story;
	runs_begin(&story, "0 * * * *")->history = 1;
	assert_int_equal(story_apply(&story), ERR_NONE);
	be_away(&story, 3 * HOUR_MS + 30 * MINUTE_MS);
	runs_expect(&story, "02:00 missed, 03:00 running!");
	story_end(&story);
}

/* Its run does not wait for a machine that is lost, and nothing of it is begun or goes on there afterwards. */
static void what_is_on_a_lost_machine_is_over_with_its_run(void **state)
{
	(void)state;
	for (int pending = 0; pending < 2; pending++) {
		struct story story;
		runs_begin(&story, "0 * * * *");
		story.request.jobs.items[0].spec.mode = JOB_GLOBAL_JOB;
		story_join(&story, "beta");
		assert_int_equal(story_apply(&story), ERR_NONE);
		story_pass(&story, 2 * MINUTE_MS);
		if (pending)
			story_silence(&story, "beta");
		story_pass(&story, HOUR_MS - MINUTE_MS);
		if (!pending)
			story_silence(&story, "beta");
		story_pass(&story, 10 * MINUTE_MS);
		runs_end(&story, true);
		runs_expect(&story, "01:00 succeeded");
		story_return(&story, "beta");
		story_pass(&story, 10 * MINUTE_MS);
		if (story_count(&story, "shop/backup") > 1)
			assert_int_equal(story_task(&story, "shop/backup.2")->reason,
					 REASON_STOPPED);
		story_pass(&story, HOUR_MS);
		runs_end(&story, true);
		story_report(&story, "shop/backup.2", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
		runs_expect(&story, "01:00 succeeded, 02:00 succeeded");
		story_end(&story);
	}
}

static void a_clock_that_is_set_back_begins_nothing_twice(void **state)
{
	(void)state;
	struct story story;
	runs_begin(&story, "0 * * * *");
	story.succeed = "backup";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 2 * HOUR_MS + MINUTE_MS);
	runs_expect(&story, "01:00 succeeded, 02:00 succeeded");
	story.wall_ms -= 2 * HOUR_MS;
	story_pass(&story, 2 * HOUR_MS);
	runs_expect(&story, "01:00 succeeded, 02:00 succeeded");
	story_restart(&story);
	story_pass(&story, HOUR_MS);
	runs_expect(&story, "01:00 succeeded, 02:00 succeeded, 03:00 succeeded");
	/* One that was years ahead does not hold it up for years. */
	be_away(&story, 3650 * DAY_MS);
	story.wall_ms -= 3650 * DAY_MS;
	story_forget(&story);
	story_pass(&story, 2 * HOUR_MS);
	assert_int_equal(runs_of(&story)->until_wall_ms, MAY_MS + 5 * HOUR_MS);
	story_end(&story);
}

static void a_stopped_job_runs_at_no_time_and_makes_up_nothing(void **state)
{
	(void)state;
	struct story story;
	runs_begin(&story, "0 * * * *");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, HOUR_MS + MINUTE_MS);
	assert_int_equal(story_act(&story, REQUEST_STOP, "shop", "backup"), ERR_NONE);
	runs_expect(&story, "01:00 stopped");
	story_pass(&story, 5 * HOUR_MS);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_stands(&story, "shop/backup", STANDING_SCHEDULED,
		     "the next run is at 2026-05-01 07:00 (UTC); the last one was stopped");
	story_pass(&story, HOUR_MS);
	runs_expect(&story, "01:00 stopped, 07:00 running");
	story_end(&story);
}

static void a_run_by_hand_is_one_like_the_others(void **state)
{
	(void)state;
	struct story story;
	runs_begin(&story, "0 * * * *");
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(story_act(&story, REQUEST_RUN_AGAIN, "shop", "backup"), ERR_NONE);
	assert_int_equal(story_act(&story, REQUEST_RUN_AGAIN, "shop", "backup"), ERR_CONFLICT);
	story_pass(&story, HOUR_MS + MINUTE_MS);
	runs_expect(&story, "- running, 01:00 skipped");
	runs_end(&story, true);
	runs_expect(&story, "- succeeded, 01:00 skipped");
	assert_int_equal(story_act(&story, REQUEST_RESTART, "shop", "backup"), ERR_NONE);
	story_stands(&story, "shop/backup", STANDING_SCHEDULED,
		     "the next run is at 2026-05-01 02:00 (UTC); the last one was skipped");
	story_end(&story);
}

static void the_night_without_a_half_past_two_has_its_run(void **state)
{
	(void)state;
	struct story story;
	struct schedule *schedule = runs_begin(&story, "30 2 * * *");
	/* 2026-03-28 12:00 UTC */
	story.wall_ms = 1774699200000LL;
	string_set(&schedule->time_zone, "Europe/Berlin");
	string_set(&schedule->zone_rule, "CET-1CEST,M3.5.0,M10.5.0/3");
	story.succeed = "backup";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_stands(&story, "shop/backup", STANDING_SCHEDULED,
		     "the next run is at 2026-03-29 03:00 (Europe/Berlin)");
	story_pass(&story, 13 * HOUR_MS);
	story_stands(
		&story, "shop/backup", STANDING_SCHEDULED,
		"the next run is at 2026-03-30 02:30 (Europe/Berlin); the last one has succeeded");
	story_end(&story);
}

static void another_schedule_touches_no_run_and_makes_up_nothing(void **state)
{
	(void)state;
	struct story story;
	struct schedule *schedule = runs_begin(&story, "0 * * * *");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, HOUR_MS + 30 * MINUTE_MS);
	string_set(&schedule->cron, "15 * * * *");
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(story_count(&story, "shop/backup"), 1);
	runs_end(&story, true);
	runs_expect(&story, "01:00 succeeded");
	story_pass(&story, 45 * MINUTE_MS);
	runs_expect(&story, "01:00 succeeded, 02:15 running");
	/* Another specification is what the run goes on with. */
	pairs_put(&story.request.jobs.items[0].spec.environment, "A", "1");
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(story_task(&story, "shop/backup.1")->desired.revision, 2);
	runs_end(&story, true);
	runs_expect(&story, "01:00 succeeded, 02:15 succeeded");
	/* Between two runs it is what the next one begins with. */
	pairs_put(&story.request.jobs.items[0].spec.environment, "A", "2");
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(story_task(&story, "shop/backup.1")->desired.revision, 2);
	story_stands(&story, "shop/backup", STANDING_SCHEDULED,
		     "the next run is at 2026-05-01 03:15 (UTC); the last one has succeeded");
	story_end(&story);
}

static void a_run_may_be_an_array_and_wait_for_others(void **state)
{
	(void)state;
	struct story story;
	runs_begin(&story, "0 * * * *");
	struct job_spec *spec = &story.request.jobs.items[0].spec;
	spec->replicas = 3;
	spec->concurrency = 1;
	story_job(&story, "db", 1);
	story_depends(&story.request.jobs.items[0].spec, "db", DEPEND_HEALTHY);
	story.starting = "db";
	story.succeed = "backup";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, HOUR_MS);
	story_why(&story, "shop/backup.1", TASK_PENDING, REASON_WAITS_DEPENDENCY,
		  "waits for db to be healthy: 0 of 1 healthy");
	story_health(&story, "shop/db.1", HEALTH_HEALTHY);
	runs_expect(&story, "01:00 succeeded");
	assert_int_equal(story_count(&story, "shop/backup"), 3);
	story_end(&story);
}

/* Each anew, though nothing of the specification has changed; but not once it has begun. */
static void each_run_waits_for_others(void **state)
{
	(void)state;
	for (int64_t at_once = 0; at_once < 2; at_once++) {
		struct story story;
		runs_begin(&story, "0 * * * *");
		struct job_spec *spec = &story.request.jobs.items[0].spec;
		spec->replicas = 2;
		spec->concurrency = at_once;
		story_job(&story, "db", 1);
		story_depends(&story.request.jobs.items[0].spec, "db", DEPEND_HEALTHY);
		story.starting = "db";
		story.succeed = "backup";
		assert_int_equal(story_apply(&story), ERR_NONE);
		story_health(&story, "shop/db.1", HEALTH_HEALTHY);
		story_pass(&story, HOUR_MS);
		runs_expect(&story, "01:00 succeeded");
		story.succeed = NULL;
		story_health(&story, "shop/db.1", HEALTH_UNHEALTHY);
		story_pass(&story, HOUR_MS);
		story_why(&story, "shop/backup.1", TASK_PENDING, REASON_WAITS_DEPENDENCY,
			  "waits for db to be healthy: 0 of 1 healthy");
		story_health(&story, "shop/db.1", HEALTH_HEALTHY);
		story_health(&story, "shop/db.1", HEALTH_UNHEALTHY);
		runs_end(&story, true);
		story_why(&story, "shop/backup.2", TASK_RUNNING, REASON_RUNNING,
			  "running on alpha");
		story_report(&story, "shop/backup.2", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
		runs_expect(&story, "01:00 succeeded, 02:00 succeeded");
		story_end(&story);
	}
}

/* Stopped, its machine lost, and applied anew: no other machine runs on what the run was. */
static void a_run_that_was_stopped_is_not_begun_again_elsewhere(void **state)
{
	(void)state;
	struct story story;
	runs_begin(&story, "0 * * * *");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, HOUR_MS + MINUTE_MS);
	story_silence(&story, "alpha");
	assert_int_equal(story_act(&story, REQUEST_STOP, "shop", "backup"), ERR_NONE);
	story_join(&story, "beta");
	string_set(&story.request.jobs.items[0].spec.image, "backup:2");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 30 * MINUTE_MS);
	runs_expect(&story, "01:00 stopped");
	assert_int_equal(story_count(&story, "shop/backup"), 1);
	assert_int_equal(story_task(&story, "shop/backup.1")->desired.wanted, TASK_WANT_STOP);
	/* Its next run waits for no machine that is lost. */
	story_pass(&story, HOUR_MS);
	runs_expect(&story, "01:00 stopped, 02:00 running");
	assert_true(uuid_equal(story_task(&story, "shop/backup.1")->desired.node.uuid,
			       story_node(&story, "beta")->record.id.uuid));
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_runs_before_its_time_and_a_run_ends_with_its_tasks),
		cmocka_unit_test(while_a_run_goes_on_the_next_one_is_skipped),
		cmocka_unit_test(or_it_waits),
		cmocka_unit_test(what_was_missed_is_made_up_once),
		cmocka_unit_test(a_run_that_ended_meanwhile_is_heard_of_first),
		cmocka_unit_test(or_not_at_all_or_as_often_as_it_says),
		cmocka_unit_test(ten_years_away_take_no_longer_than_a_day),
		cmocka_unit_test(the_newest_are_made_up_however_many_there_were),
		cmocka_unit_test(no_more_is_kept_than_the_history_says),
		cmocka_unit_test(a_shorter_history_holds_at_once),
		cmocka_unit_test(that_one_was_missed_is_on_record_while_the_next_one_runs),
		cmocka_unit_test(what_is_on_a_lost_machine_is_over_with_its_run),
		cmocka_unit_test(a_run_that_was_stopped_is_not_begun_again_elsewhere),
		cmocka_unit_test(a_clock_that_is_set_back_begins_nothing_twice),
		cmocka_unit_test(a_stopped_job_runs_at_no_time_and_makes_up_nothing),
		cmocka_unit_test(a_run_by_hand_is_one_like_the_others),
		cmocka_unit_test(the_night_without_a_half_past_two_has_its_run),
		cmocka_unit_test(another_schedule_touches_no_run_and_makes_up_nothing),
		cmocka_unit_test(a_run_may_be_an_array_and_wait_for_others),
		cmocka_unit_test(each_run_waits_for_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
