/* Runs of a schedule, and what comes between: the next one, a stop, another revision. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "manager_runs.h"

static void one_run_takes_the_place_of_the_other(void **state)
{
	(void)state;
	struct story story;
	runs_begin(&story, "0 * * * *")->overlap = OVERLAP_REPLACE;
	story.hold_stop = "backup";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 2 * HOUR_MS + MINUTE_MS);
	runs_expect(&story, "01:00 replaced, 02:00 waiting");
	/* The new one starts when the old one is gone. */
	assert_int_equal(story_count(&story, "shop/backup"), 1);
	runs_end(&story, false);
	assert_int_equal(story_count(&story, "shop/backup"), 2);
	runs_end(&story, true);
	runs_expect(&story, "01:00 replaced, 02:00 succeeded");
	story_end(&story);
}

/* All of the old one, not slot by slot; and the newest takes the place of all before it. */
static void all_of_the_old_run_is_gone_before_any_of_the_new_one_starts(void **state)
{
	(void)state;
	struct story story;
	runs_begin(&story, "0 * * * *")->overlap = OVERLAP_REPLACE;
	story.request.jobs.items[0].spec.replicas = 3;
	story.hold_stop = "backup";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 2 * HOUR_MS + MINUTE_MS);
	story_report(&story, "shop/backup.1", TASK_FAILED, REASON_EXIT_NONZERO, NULL);
	story_report(&story, "shop/backup.2", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	assert_int_equal(story_count(&story, "shop/backup"), 3);
	story_stands(&story, "shop/backup", STANDING_SCHEDULED,
		     "the next run is at 2026-05-01 03:00 (UTC); one waits until what is left of "
		     "the one before is gone");
	assert_int_equal(story_act(&story, REQUEST_RUN_AGAIN, "shop", "backup"), ERR_CONFLICT);
	story_pass(&story, HOUR_MS);
	runs_expect(&story, "01:00 replaced, 02:00 replaced, 03:00 waiting");
	story_restart(&story);
	story_report(&story, "shop/backup.3", TASK_FAILED, REASON_EXIT_NONZERO, NULL);
	runs_expect(&story, "01:00 replaced, 02:00 replaced, 03:00 running");
	assert_int_equal(story_count(&story, "shop/backup"), 6);
	/* What is on a machine that is lost is not waited for. */
	story_silence(&story, "alpha");
	story_pass(&story, HOUR_MS);
	runs_expect(&story, "01:00 replaced, 02:00 replaced, 03:00 replaced, 04:00 running");
	story_join(&story, "beta");
	story_pass(&story, 10 * MINUTE_MS);
	story_stands(&story, "shop/backup", STANDING_RUNNING, "3 of 3 ready");
	story_end(&story);
}

/* A stop, another rule, or none at all meets the one that waits. */
static void what_becomes_of_a_run_that_waits_to_take_the_place(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct story story;
		struct schedule *schedule = runs_begin(&story, "0 * * * *");
		schedule->overlap = OVERLAP_REPLACE;
		story.hold_stop = "backup";
		assert_int_equal(story_apply(&story), ERR_NONE);
		story_pass(&story, 2 * HOUR_MS + MINUTE_MS);
		runs_expect(&story, "01:00 replaced, 02:00 waiting");
		if (i == 0)
			assert_int_equal(story_act(&story, REQUEST_STOP, "shop", "backup"),
					 ERR_NONE);
		else if (i == 1)
			schedule->overlap = OVERLAP_SKIP;
		else if (i == 2)
			schedule->overlap = OVERLAP_QUEUE;
		else
			story.request.jobs.items[0].spec.schedule = NULL;
		if (i)
			assert_int_equal(story_apply(&story), ERR_NONE);
		if (i == 1 || i == 2)
			story_pass(&story, HOUR_MS);
		runs_end(&story, false);
		static const char *const expected[] = {
			"01:00 replaced, 02:00 stopped",
			"01:00 replaced, 02:00 running, 03:00 skipped",
			"01:00 replaced, 02:00 running, 03:00 waiting",
			"",
		};
		runs_expect(&story, expected[i]);
		assert_int_equal(story_count(&story, "shop/backup"), i ? 2 : 1);
		if (i == 3) {
			record_release(&schedule_type, schedule);
			base_free(schedule);
		}
		story_end(&story);
	}
}

/* All in one turn of the manager. */
static void ask_at_once(struct story *story, const struct manager_request *requests, size_t n)
{
	struct manager_request copies[4];
	struct manager_event events[4];
	for (size_t i = 0; i < n; i++) {
		copies[i] = requests[i];
		copies[i].handle = i + 1;
		events[i] =
			(struct manager_event){ .kind = MANAGER_REQUEST, .request = &copies[i] };
	}
	struct manager_in in = { .now_ms = story->now_ms,
				 .wall_ms = story->wall_ms,
				 .rev = story->rev,
				 .seed = ++story->seed,
				 .events = events,
				 .n_events = n };
	story_step(story, &in);
	assert_int_equal(story->out.n_replies, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(story->out.replies[i].err.code, ERR_NONE);
	story_run(story);
}

/* ... also when the next request comes in the same turn. */
static void a_stop_ends_the_run_whatever_follows_at_once(void **state)
{
	(void)state;
	static const int kinds[] = { REQUEST_APPLY, REQUEST_RESTART };
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct story story;
		runs_begin(&story, "0 * * * *");
		assert_int_equal(story_apply(&story), ERR_NONE);
		story_pass(&story, HOUR_MS + MINUTE_MS);
		const struct manager_request requests[] = {
			{ .kind = REQUEST_STOP, .project = "shop", .job = "backup" },
			{ .kind = kinds[i],
			  .project = "shop",
			  .job = "backup",
			  .project_request = kinds[i] == REQUEST_APPLY ? &story.request : NULL },
		};
		ask_at_once(&story, requests, ARRAY_LEN(requests));
		runs_expect(&story, "01:00 stopped");
		assert_int_equal(story_count(&story, "shop/backup"), 1);
		story_end(&story);
	}
}

/* A stop ends the run on record, and its tasks a while later: the next time may come before they have. */
static void a_run_waits_until_what_was_stopped_is_gone(void **state)
{
	(void)state;
	for (int overlap = OVERLAP_SKIP; overlap <= OVERLAP_REPLACE; overlap++) {
		struct story story;
		runs_begin(&story, "0 * * * *")->overlap = overlap;
		story.request.jobs.items[0].spec.replicas = 3;
		story.hold_stop = "backup";
		assert_int_equal(story_apply(&story), ERR_NONE);
		story_pass(&story, HOUR_MS + MINUTE_MS);
		assert_int_equal(story_act(&story, REQUEST_STOP, "shop", "backup"), ERR_NONE);
		story_report(&story, "shop/backup.1", TASK_FAILED, REASON_EXIT_NONZERO, NULL);
		assert_int_equal(story_apply(&story), ERR_NONE);
		story_pass(&story, HOUR_MS);
		runs_expect(&story, "01:00 stopped, 02:00 waiting");
		assert_int_equal(story_count(&story, "shop/backup"), 3);
		story_restart(&story);
		story_report(&story, "shop/backup.2", TASK_FAILED, REASON_EXIT_NONZERO, NULL);
		assert_int_equal(story_count(&story, "shop/backup"), 3);
		story_report(&story, "shop/backup.3", TASK_FAILED, REASON_EXIT_NONZERO, NULL);
		runs_expect(&story, "01:00 stopped, 02:00 running");
		assert_int_equal(story_count(&story, "shop/backup"), 6);
		story_end(&story);
	}
}

/* ... or somebody asks for another one. */
static void no_run_is_begun_by_hand_beside_what_was_stopped(void **state)
{
	(void)state;
	struct story story;
	runs_begin(&story, "0 * * * *");
	story.request.jobs.items[0].spec.replicas = 3;
	story.hold_stop = "backup";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, HOUR_MS + MINUTE_MS);
	assert_int_equal(story_act(&story, REQUEST_STOP, "shop", "backup"), ERR_NONE);
	static const char *const left[] = {
		"shop/backup.1 and 2 others of the run before still end",
		"shop/backup.2 and 1 other of the run before still end",
		"shop/backup.3 of the run before still ends"
	};
	static const char *const ends[] = { "shop/backup.1", "shop/backup.2", "shop/backup.3" };
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		char why[256];
		text_print(why, sizeof(why),
			   "job shop/backup has not ended yet: %s; try again when that is over",
			   left[i]);
		assert_int_equal(story_act(&story, REQUEST_RUN_AGAIN, "shop", "backup"),
				 ERR_CONFLICT);
		assert_string_equal(story.reply->err.message, why);
		story_pass(&story, MINUTE_MS);
		assert_int_equal(story_count(&story, "shop/backup"), 3);
		story_report(&story, ends[i], TASK_FAILED, REASON_EXIT_NONZERO, NULL);
	}
	assert_int_equal(story_act(&story, REQUEST_RUN_AGAIN, "shop", "backup"), ERR_NONE);
	runs_expect(&story, "01:00 stopped, - running");
	assert_int_equal(story_count(&story, "shop/backup"), 6);
	story_end(&story);
}

/* The worker's word that the run has ended comes in one turn with a request, and with an apply of what is written now
 * if `applied`; only then the other acts. */
static enum err_code ask_with_the_end(struct story *story, int reason, bool applied)
{
	struct sync_up up;
	struct manager_request apply = { .kind = REQUEST_APPLY,
					 .handle = 2,
					 .project_request = &story->request };
	struct manager_request request = {
		.kind = REQUEST_RUN_AGAIN, .handle = 1, .project = "shop", .job = "backup"
	};
	uint64_t session =
		story_say(story, "shop/backup.1",
			  reason == REASON_EXIT_ZERO ? TASK_COMPLETED : TASK_FAILED, reason, &up);
	struct manager_event events[] = {
		{ .kind = MANAGER_SYNC_UP, .session = session, .up = &up },
		{ .kind = MANAGER_REQUEST, .request = applied ? &apply : &request },
		{ .kind = MANAGER_REQUEST, .request = &request },
	};
	struct manager_in in = { .now_ms = story->now_ms,
				 .wall_ms = story->wall_ms,
				 .rev = story->rev,
				 .seed = ++story->seed,
				 .events = events,
				 .n_events = applied ? 3 : 2 };
	story_step(story, &in);
	record_release(&sync_up_type, &up);
	assert_int_equal(story->out.n_replies, in.n_events - 1);
	enum err_code code = story->out.replies[in.n_events - 2].err.code;
	story_run(story);
	return code;
}

/* ... or while the news of its end lies in the same turn, and is not settled. */
static void a_run_that_ends_in_the_turn_of_the_request_is_over_before_it(void **state)
{
	(void)state;
	struct story story;
	runs_begin(&story, "0 * * * *");
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(story_act(&story, REQUEST_RUN_AGAIN, "shop", "backup"), ERR_NONE);
	assert_int_equal(ask_with_the_end(&story, REASON_EXIT_ZERO, false), ERR_NONE);
	runs_expect(&story, "- succeeded, - running");
	assert_int_equal(ask_with_the_end(&story, REASON_EXIT_NONZERO, false), ERR_NONE);
	runs_expect(&story, "- succeeded, - failed, - running");
	/* Of what has failed a container may be left, and until it is not the run goes on. */
	story.linger = "backup";
	assert_int_equal(ask_with_the_end(&story, REASON_EXIT_NONZERO, false), ERR_CONFLICT);
	runs_expect(&story, "- succeeded, - failed, - running");
	story_end(&story);
}

/* The schedule is another one by then. */
static void a_run_is_over_also_where_its_schedule_changes_in_the_turn_of_its_end(void **state)
{
	(void)state;
	struct story story;
	struct schedule *schedule = runs_begin(&story, "0 * * * *");
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(story_act(&story, REQUEST_RUN_AGAIN, "shop", "backup"), ERR_NONE);
	string_set(&schedule->cron, "30 * * * *");
	assert_int_equal(ask_with_the_end(&story, REASON_EXIT_ZERO, true), ERR_NONE);
	runs_expect(&story, "- succeeded, - running");
	story_end(&story);
}

/* What waits in its place is the next one, whoever asks. */
static void the_run_that_waits_comes_before_the_one_that_is_asked_for(void **state)
{
	(void)state;
	struct story story;
	runs_begin(&story, "0 * * * *")->overlap = OVERLAP_QUEUE;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 2 * HOUR_MS + MINUTE_MS);
	runs_expect(&story, "01:00 running, 02:00 waiting");
	assert_int_equal(ask_with_the_end(&story, REASON_EXIT_ZERO, false), ERR_CONFLICT);
	runs_expect(&story, "01:00 succeeded, 02:00 running");
	story_end(&story);
}

/* On no machine there is nothing to do, and it has not ended. */
static void no_run_is_begun_by_hand_beside_one_that_has_no_machine(void **state)
{
	(void)state;
	struct story story;
	runs_begin(&story, "0 * * * *");
	struct job_spec *spec = &story.request.jobs.items[0].spec;
	spec->mode = JOB_GLOBAL_JOB;
	strings_add(&spec->placement.constraints, "node.hostname == elsewhere");
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(story_act(&story, REQUEST_RUN_AGAIN, "shop", "backup"), ERR_NONE);
	runs_expect(&story, "- running");
	assert_int_equal(story_act(&story, REQUEST_RUN_AGAIN, "shop", "backup"), ERR_CONFLICT);
	runs_expect(&story, "- running");
	story_end(&story);
}

static enum err_code roll_back(struct story *story, int64_t revision)
{
	struct manager_request request = {
		.kind = REQUEST_ROLLBACK, .project = "shop", .job = "backup", .revision = revision
	};
	return story_ask(story, &request);
}

static void an_earlier_schedule_makes_up_nothing_either(void **state)
{
	(void)state;
	struct story story;
	struct schedule *schedule = runs_begin(&story, "* * * * *");
	schedule->catch_up = 3;
	schedule->overlap = OVERLAP_QUEUE;
	story.succeed = "backup";
	assert_int_equal(story_apply(&story), ERR_NONE);
	string_set(&schedule->cron, "0 0 1 1 *");
	pairs_put(&story.request.jobs.items[0].spec.environment, "A", "1");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 30 * MINUTE_MS + 1);
	runs_expect(&story, "");
	assert_int_equal(roll_back(&story, 1), ERR_NONE);
	runs_expect(&story, "");
	story_pass(&story, MINUTE_MS);
	runs_expect(&story, "00:31 succeeded");
	story_end(&story);
}

/* To a revision without a schedule, and to one with a schedule while it runs without. */
static void a_schedule_comes_and_goes_with_its_revision(void **state)
{
	(void)state;
	struct story story;
	struct schedule *schedule = runs_begin(&story, "0 * * * *");
	struct job_spec *spec = &story.request.jobs.items[0].spec;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, HOUR_MS + MINUTE_MS);
	runs_expect(&story, "01:00 running");
	spec->schedule = NULL;
	pairs_put(&spec->environment, "A", "1");
	assert_int_equal(story_apply(&story), ERR_NONE);
	runs_expect(&story, "");
	assert_int_equal(story_count(&story, "shop/backup"), 2);
	/* What is under way begins anew, as when it is applied. */
	assert_int_equal(roll_back(&story, 1), ERR_NONE);
	runs_expect(&story, "- running");
	assert_int_equal(story_count(&story, "shop/backup"), 3);
	assert_int_equal(roll_back(&story, 2), ERR_NONE);
	runs_expect(&story, "");
	assert_int_equal(story_task(&story, "shop/backup.1")->desired.revision, 2);
	assert_int_equal(story_task(&story, "shop/backup.1")->state, TASK_RUNNING);
	spec->schedule = schedule;
	assert_int_equal(story_apply(&story), ERR_NONE);
	runs_expect(&story, "- running");
	runs_end(&story, true);
	runs_expect(&story, "- succeeded");
	story_end(&story);
}

/* What was stopped without one does not run because it has one now. */
static void what_is_stopped_gets_a_schedule_and_waits_for_its_time(void **state)
{
	(void)state;
	for (int back = 0; back < 2; back++) {
		struct story story;
		struct schedule *schedule = runs_begin(&story, "0 * * * *");
		struct job_spec *spec = &story.request.jobs.items[0].spec;
		if (back)
			assert_int_equal(story_apply(&story), ERR_NONE);
		spec->schedule = NULL;
		pairs_put(&spec->environment, "A", "1");
		assert_int_equal(story_apply(&story), ERR_NONE);
		assert_int_equal(story_act(&story, REQUEST_STOP, "shop", "backup"), ERR_NONE);
		spec->schedule = schedule;
		if (back)
			assert_int_equal(roll_back(&story, 1), ERR_NONE);
		else
			assert_int_equal(story_apply(&story), ERR_NONE);
		runs_expect(&story, "");
		assert_int_equal(story_count(&story, "shop/backup"), 1);
		story_end(&story);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_run_takes_the_place_of_the_other),
		cmocka_unit_test(all_of_the_old_run_is_gone_before_any_of_the_new_one_starts),
		cmocka_unit_test(what_becomes_of_a_run_that_waits_to_take_the_place),
		cmocka_unit_test(a_stop_ends_the_run_whatever_follows_at_once),
		cmocka_unit_test(a_run_waits_until_what_was_stopped_is_gone),
		cmocka_unit_test(no_run_is_begun_by_hand_beside_what_was_stopped),
		cmocka_unit_test(a_run_that_ends_in_the_turn_of_the_request_is_over_before_it),
		cmocka_unit_test(
			a_run_is_over_also_where_its_schedule_changes_in_the_turn_of_its_end),
		cmocka_unit_test(the_run_that_waits_comes_before_the_one_that_is_asked_for),
		cmocka_unit_test(no_run_is_begun_by_hand_beside_one_that_has_no_machine),
		cmocka_unit_test(an_earlier_schedule_makes_up_nothing_either),
		cmocka_unit_test(a_schedule_comes_and_goes_with_its_revision),
		cmocka_unit_test(what_is_stopped_gets_a_schedule_and_waits_for_its_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
