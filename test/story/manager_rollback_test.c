/* The way back from an update, taken by itself or asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "manager_rollout.h"

static void four_run_revision_1(struct story *story)
{
	for (int i = 1; i <= 4; i++) {
		char task[] = "shop/web.0";
		task[sizeof(task) - 2] = (char)('0' + i);
		assert_int_equal(rollout_revision(story, task), 1);
		assert_int_equal(story_task(story, task)->state, TASK_RUNNING);
	}
}

/* Slots 1 and 2 are of revision 2, and 2 fails. */
static void fail_half_way(struct story *story, int order)
{
	rollout_begin(story, 4);
	rollout_spec(story)->update.failure_action = UPDATE_ROLLBACK;
	rollout_spec(story)->update.max_failure_ppm = 200000;
	rollout_spec(story)->update.delay_ms = 10000;
	rollout_spec(story)->update.order = order;
	rollout_update(story, "busybox:2");
	story->hold_start = "web";
	story_pass(story, 11000);
	assert_int_equal(rollout_revision(story, "shop/web.2"), 2);
	story_forget(story);
	story_report(story, "shop/web.2", TASK_FAILED, REASON_EXIT_NONZERO, "exited with status 1");
	story->hold_start = NULL;
}

static void a_failed_update_goes_back_to_the_whole_revision_before(void **state)
{
	(void)state;
	struct story story;
	fail_half_way(&story, UPDATE_STOP_FIRST);
	story_tells(&story, "shop/web.2 failed: exit_nonzero: exited with status 1\n"
			    "shop/web.2 fails its update: exited with status 1\n"
			    "job shop/web goes back to revision 1: 1 of 4 failed: web.2 exited "
			    "with status 1\n"
			    "shop/web.2 scheduled on alpha\n");
	uint64_t untouched = story_task(&story, "shop/web.4")->desired.id.uuid.bytes[15];
	story_pass(&story, 60000);
	four_run_revision_1(&story);
	assert_int_equal(story_task(&story, "shop/web.4")->desired.id.uuid.bytes[15], untouched);
	assert_string_equal(job_entry_current(rollout_job(&story, "web"))->spec.image, "busybox:1");
	assert_int_equal(rollout_outcome(&story, 1), OUTCOME_DONE);
	assert_int_equal(rollout_outcome(&story, 2), OUTCOME_ROLLED_BACK);
	assert_string_equal(rollout_message(&story, 2),
			    "1 of 4 failed: web.2 exited with status 1");
	assert_int_equal(rollout_job(&story, "web")->job.rolled_back_from, 2);
	/* The same file again is another attempt, under a number of its own. */
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(rollout_job(&story, "web")->job.revision, 3);
	assert_int_equal(rollout_job(&story, "web")->job.rolled_back_from, 0);
	story_pass(&story, 120000);
	assert_int_equal(rollout_outcome(&story, 3), OUTCOME_DONE);
	story_end(&story);
}

static void the_way_back_survives_the_manager(void **state)
{
	(void)state;
	struct story story;
	fail_half_way(&story, UPDATE_START_FIRST);
	story_restart(&story);
	story_pass(&story, 120000);
	four_run_revision_1(&story);
	assert_int_equal(rollout_outcome(&story, 1), OUTCOME_DONE);
	story_end(&story);
}

static void what_fails_on_the_way_back_pauses_it(void **state)
{
	(void)state;
	struct story story;
	fail_half_way(&story, UPDATE_STOP_FIRST);
	story.hold_start = "web";
	story_pass(&story, 1000);
	story_restart(&story);
	story_report(&story, "shop/web.2", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 9");
	story_pass(&story, 600000);
	story_stands(&story, "shop/web", STANDING_DEGRADED,
		     "the way back is paused with 1 of 4 tasks still to be replaced; 1 of 4 given "
		     "up; web.2 failed: exited with status 9");
	assert_int_equal(rollout_job(&story, "web")->job.revision, 1);
	story_end(&story);
}

static void the_first_revision_has_nothing_to_go_back_to(void **state)
{
	(void)state;
	struct story story;
	rollout_begin(&story, 1);
	assert_int_equal(rollout_back(&story, 0), ERR_NOT_FOUND);
	assert_string_equal(story.reply->err.message,
			    "job shop/web has no revision before 1 that was rolled out to its end");
	assert_int_equal(rollout_back(&story, 7), ERR_NOT_FOUND);
	assert_string_equal(story.reply->err.field, "revision");
	/* Asked for the one there is, nothing happens. */
	assert_int_equal(rollout_back(&story, 1), ERR_NONE);
	story_effect(&story, "web", EFFECT_UNCHANGED);
	story_end(&story);
}

static void users_go_back_to_what_they_name_or_to_what_was_good_last(void **state)
{
	(void)state;
	struct story story;
	rollout_begin(&story, 2);
	rollout_update(&story, "busybox:2");
	story_pass(&story, 60000);
	story.hold_start = "web";
	rollout_update(&story, "busybox:3");
	story_pass(&story, 1000);
	story.hold_start = NULL;
	rollout_update(&story, "busybox:4");
	story_pass(&story, 60000);
	assert_int_equal(rollout_outcome(&story, 3), OUTCOME_SUPERSEDED);
	story_forget(&story);
	/* 3 was never rolled out to its end. */
	assert_int_equal(rollout_back(&story, 0), ERR_NONE);
	story_effect(&story, "web", EFFECT_ROLLED_BACK);
	story_pass(&story, 60000);
	assert_int_equal(rollout_job(&story, "web")->job.revision, 2);
	assert_int_equal(rollout_revision(&story, "shop/web.2"), 2);
	assert_string_equal(rollout_message(&story, 4), "asked for");
	assert_int_equal(rollout_back(&story, 4), ERR_NONE);
	story_pass(&story, 60000);
	assert_string_equal(job_entry_current(rollout_job(&story, "web"))->spec.image, "busybox:4");
	assert_int_equal(rollout_outcome(&story, 4), OUTCOME_DONE);
	story_end(&story);
}

static void what_the_earlier_revision_names_is_still_declared(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	struct job_spec *spec = story_job(&story, "web", 1);
	struct network_spec *network = list_add(&story.request.networks, sizeof(*network));
	string_set(&network->key, "front");
	struct network_use *use = list_add(&spec->networks, sizeof(*use));
	string_set(&use->network, "front");
	assert_int_equal(story_apply(&story), ERR_NONE);
	for (int i = 2; i < 5; i++) {
		story_project(&story, "shop");
		story_job(&story, "web", 1);
		rollout_update(&story, i % 2 ? "busybox:2" : "busybox:3");
		story_pass(&story, 60000);
	}
	assert_int_equal(rollout_back(&story, 1), ERR_NONE);
	story_pass(&story, 60000);
	assert_int_equal(rollout_revision(&story, "shop/web.1"), 1);
	assert_int_equal(rollout_outcome(&story, 1), OUTCOME_DONE);
	story_end(&story);
}

/* Three of four slots stay at revision 1; what they did before the update says nothing of the way back. */
static void the_way_back_does_not_judge_what_it_did_not_make(void **state)
{
	(void)state;
	struct story story;
	rollout_begin(&story, 4);
	/* web.4 was once replaced, and has restarted since. */
	story_report(&story, "shop/web.4", TASK_FAILED, REASON_INTERRUPTED, "Docker restarted");
	story.resume = true;
	story_report(&story, "shop/web.4", TASK_SCHEDULED, REASON_RESTARTING,
		     "exited with status 1");
	rollout_spec(&story)->update.failure_action = UPDATE_ROLLBACK;
	story.hold_start = "web";
	rollout_update(&story, "busybox:2");
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 1");
	story.hold_start = NULL;
	story_pass(&story, 60000);
	assert_int_equal(rollout_running(&story), 4);
	assert_int_equal(rollout_revision(&story, "shop/web.1"), 1);
	assert_int_equal(rollout_outcome(&story, 1), OUTCOME_DONE);
	story_end(&story);
}

static void there_is_a_way_back_after_a_superseded_way_back(void **state)
{
	(void)state;
	struct story story;
	fail_half_way(&story, UPDATE_STOP_FIRST);
	story.hold_start = "web";
	story_pass(&story, 1000);
	rollout_update(&story, "busybox:3");
	story_report(&story, "shop/web.2", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 1");
	assert_int_equal(rollout_outcome(&story, 3), OUTCOME_ROLLED_BACK);
	assert_int_equal(rollout_job(&story, "web")->job.revision, 1);
	story.hold_start = NULL;
	story_pass(&story, 120000);
	assert_int_equal(rollout_running(&story), 4);
	story_end(&story);
}

static void a_superseded_way_back_to_what_never_was_good_makes_it_no_better(void **state)
{
	(void)state;
	struct story story;
	rollout_begin(&story, 2);
	rollout_update(&story, "busybox:2");
	rollout_update(&story, "busybox:3");
	assert_int_equal(rollout_outcome(&story, 2), OUTCOME_SUPERSEDED);
	story_pass(&story, 60000);
	assert_int_equal(rollout_outcome(&story, 3), OUTCOME_DONE);
	assert_int_equal(rollout_back(&story, 2), ERR_NONE);
	story_restart(&story);
	rollout_update(&story, "busybox:4");
	assert_int_equal(rollout_outcome(&story, 2), OUTCOME_SUPERSEDED);
	story_pass(&story, 60000);
	assert_int_equal(rollout_outcome(&story, 4), OUTCOME_DONE);
	assert_int_equal(rollout_back(&story, 0), ERR_NONE);
	assert_int_equal(rollout_job(&story, "web")->job.revision, 1);
	story_end(&story);
}

static void how_many_was_said_since_holds_on_the_way_back(void **state)
{
	(void)state;
	for (int by_hand = 0; by_hand < 2; by_hand++) {
		struct story story;
		rollout_begin(&story, 2);
		rollout_spec(&story)->update.failure_action =
			by_hand ? UPDATE_PAUSE : UPDATE_ROLLBACK;
		story.hold_start = "web";
		rollout_update(&story, "busybox:2");
		assert_int_equal(story_scale(&story, "shop", "web", 6), ERR_NONE);
		story_report(&story, "shop/web.1", TASK_FAILED, REASON_EXIT_NONZERO,
			     "exited with status 1");
		story.hold_start = NULL;
		if (by_hand)
			assert_int_equal(rollout_back(&story, 0), ERR_NONE);
		story_restart(&story);
		story_pass(&story, 60000);
		assert_int_equal(rollout_job(&story, "web")->job.revision, 1);
		assert_int_equal(rollout_running(&story), 6);
		story_end(&story);
	}
}

static void what_a_client_goes_back_to_is_the_clients(void **state)
{
	(void)state;
	struct story story;
	rollout_begin(&story, 1);
	assert_false(story_is_over_tls(&story, "shop/web.1"));
	rollout_update(&story, "busybox:2");
	story_pass(&story, 60000);
	story.over_tls = true;
	assert_int_equal(rollout_back(&story, 1), ERR_NONE);
	story_pass(&story, 60000);
	assert_int_equal(rollout_revision(&story, "shop/web.1"), 1);
	assert_true(story_is_over_tls(&story, "shop/web.1"));
	story_end(&story);
}

static void a_restart_after_a_way_back_goes_by_the_update_policy(void **state)
{
	(void)state;
	struct story story;
	rollout_begin(&story, 4);
	rollout_spec(&story)->rollback.parallelism = UPDATE_ALL;
	assert_int_equal(story_apply(&story), ERR_NONE);
	rollout_update(&story, "busybox:2");
	story_pass(&story, 60000);
	assert_int_equal(rollout_back(&story, 1), ERR_NONE);
	story_pass(&story, 60000);
	assert_int_equal(rollout_outcome(&story, 1), OUTCOME_DONE);
	story.hold_start = "web";
	assert_int_equal(story_act(&story, REQUEST_RESTART, "shop", "web"), ERR_NONE);
	story_pass(&story, 1000);
	assert_int_equal(rollout_running(&story), 3);
	story_end(&story);
}

static void why_a_task_was_restarted_is_told(void **state)
{
	(void)state;
	struct story story;
	rollout_begin(&story, 1);
	rollout_spec(&story)->update.failure_action = UPDATE_ROLLBACK;
	rollout_update(&story, "busybox:2");
	story_report(&story, "shop/web.1", TASK_SCHEDULED, REASON_RESTARTING,
		     "unhealthy: no answer; restarting at once");
	assert_string_equal(rollout_message(&story, 2),
			    "1 of 1 failed: web.1 was restarted 1 time: unhealthy: no answer; "
			    "restarting at once");
	story_end(&story);
}

/* Whoever asks to be restarted with it is, whether it goes back by itself or is taken back. */
static void those_that_restart_with_it_restart_on_the_way_back(void **state)
{
	(void)state;
	for (int by_hand = 0; by_hand < 2; by_hand++) {
		struct story story;
		story_begin(&story);
		story_join(&story, "alpha");
		story_project(&story, "shop");
		story_job(&story, "web", 1)->update.failure_action =
			by_hand ? UPDATE_PAUSE : UPDATE_ROLLBACK;
		story_depends(story_job(&story, "api", 1), "web", DEPEND_STARTED)->restart = true;
		story_depends(story_job(&story, "far", 1), "web", DEPEND_STARTED);
		assert_int_equal(story_apply(&story), ERR_NONE);
		story.hold_start = "web";
		rollout_update(&story, "busybox:2");
		assert_int_equal(rollout_job(&story, "api")->job.restarts_asked, 0);
		story_report(&story, "shop/web.1", TASK_FAILED, REASON_EXIT_NONZERO,
			     "exited with status 1");
		story.hold_start = NULL;
		if (by_hand)
			assert_int_equal(rollout_back(&story, 0), ERR_NONE);
		story_pass(&story, 60000);
		assert_int_equal(rollout_job(&story, "web")->job.revision, 1);
		/* Once, when it has come back. */
		assert_int_equal(rollout_job(&story, "api")->job.restarts_asked, 1);
		assert_int_equal(rollout_job(&story, "far")->job.restarts_asked, 0);
		assert_int_equal(story_task(&story, "shop/api.1")->desired.restarts_asked, 1);
		assert_int_equal(story_task(&story, "shop/api.1")->state, TASK_RUNNING);
		story_end(&story);
	}
}

/* All at once, so that no task keeps the revision that was good. */
static void what_was_good_last_is_kept_however_many_have_failed_since(void **state)
{
	(void)state;
	struct story story;
	rollout_begin(&story, 1);
	rollout_spec(&story)->update.parallelism = UPDATE_ALL;
	story.hold_start = "web";
	for (int i = 2; i <= LIMIT_REVISIONS_PER_JOB + 5; i++) {
		char image[32];
		rollout_update(&story, text_print(image, sizeof(image), "busybox:%d", i));
		story_report(&story, "shop/web.1", TASK_FAILED, REASON_EXIT_NONZERO,
			     "exited with status 1");
		story_pass(&story, 1000);
	}
	story.hold_start = NULL;
	assert_int_equal(rollout_back(&story, 0), ERR_NONE);
	assert_int_equal(rollout_job(&story, "web")->job.revision, 1);
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_RUNNING);
	story_end(&story);
}

/* "shop/web" and "shop/db" of two, and "shop/once", which runs to completion: all at revision 2, "shop/new" at 1. */
static void begin_project(struct story *story)
{
	static const char *const names[] = { "web", "db", "once" };
	story_begin(story);
	story_join(story, "alpha");
	story->succeed = "once";
	for (int round = 1; round <= 2; round++) {
		story_project(story, "shop");
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			string_set(&story_job(story, names[i], 2)->image,
				   round == 1 ? "busybox:1" : "busybox:2");
		story->request.jobs.items[2].spec.mode = JOB_REPLICATED_JOB;
		if (round == 2)
			story_job(story, "new", 1);
		assert_int_equal(story_apply(story), ERR_NONE);
		story_pass(story, 60000);
	}
	assert_int_equal(rollout_job(story, "db")->job.revision, 2);
	assert_int_equal(rollout_job(story, "once")->job.revision, 2);
	story_forget(story);
}

static void every_service_of_a_project_goes_back_at_once(void **state)
{
	(void)state;
	struct story story;
	begin_project(&story);
	story.quiet = true;
	assert_int_equal(story_act(&story, REQUEST_ROLLBACK, "shop", ""), ERR_NONE);
	/* All in the commit that answers. */
	assert_int_equal(rollout_job(&story, "web")->job.revision, 1);
	assert_int_equal(rollout_job(&story, "db")->job.revision, 1);
	assert_int_equal(rollout_job(&story, "once")->job.revision, 2);
	assert_int_equal(rollout_job(&story, "new")->job.revision, 1);
	assert_int_equal(story.reply->answer.jobs.n, 2);
	story_effect(&story, "web", EFFECT_ROLLED_BACK);
	story_effect(&story, "db", EFFECT_ROLLED_BACK);
	story.quiet = false;
	story_pass(&story, 60000);
	assert_int_equal(rollout_revision(&story, "shop/web.2"), 1);
	assert_int_equal(rollout_revision(&story, "shop/db.2"), 1);
	assert_int_equal(rollout_revision(&story, "shop/once.2"), 2);
	/* There is nothing before that. */
	assert_int_equal(story_act(&story, REQUEST_ROLLBACK, "shop", ""), ERR_NOT_FOUND);
	assert_string_equal(story.reply->err.message,
			    "no service that the newest deployment of project shop changed has a "
			    "revision before that was rolled out to its end: name the job");
	story_end(&story);
}

/* (web 1, db 1), (web 1, db 2), (web 2, db 2): the way is back the same, one deployment at a time. */
static void a_project_goes_back_one_deployment_at_a_time(void **state)
{
	(void)state;
	struct story story;
	rollout_begin(&story, 2);
	story_job(&story, "db", 2);
	struct project_request *request = &story.request;
	assert_int_equal(story_apply(&story), ERR_NONE);
	for (size_t i = 2; i-- > 0;) {
		story_pass(&story, 60000);
		string_set(&request->jobs.items[i].spec.image, "busybox:2");
		assert_int_equal(story_apply(&story), ERR_NONE);
	}
	story_pass(&story, 60000);
	assert_int_equal(story_act(&story, REQUEST_ROLLBACK, "shop", ""), ERR_NONE);
	assert_int_equal(rollout_job(&story, "web")->job.revision, 1);
	assert_int_equal(rollout_job(&story, "db")->job.revision, 2);
	story_restart(&story);
	story_pass(&story, 60000);
	assert_int_equal(story_act(&story, REQUEST_ROLLBACK, "shop", ""), ERR_NONE);
	assert_int_equal(rollout_job(&story, "web")->job.revision, 1);
	assert_int_equal(rollout_job(&story, "db")->job.revision, 1);
	story_end(&story);
}

static void what_has_completed_does_not_run_again_with_what_it_depends_on(void **state)
{
	(void)state;
	struct story story;
	rollout_begin(&story, 1);
	struct job_spec *migrate = story_job(&story, "migrate", 1);
	migrate->mode = JOB_REPLICATED_JOB;
	story_depends(migrate, "web", DEPEND_STARTED)->restart = true;
	story.succeed = "migrate";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 60000);
	assert_int_equal(story_task(&story, "shop/migrate.1")->reason, REASON_EXIT_ZERO);
	size_t n = story_count(&story, "shop/migrate");
	rollout_spec(&story)->update.failure_action = UPDATE_ROLLBACK;
	rollout_update(&story, "busybox:2");
	story_pass(&story, 60000);
	assert_int_equal(story_act(&story, REQUEST_ROLLBACK, "shop", "web"), ERR_NONE);
	story_pass(&story, 60000);
	assert_int_equal(story_act(&story, REQUEST_RESTART, "shop", "web"), ERR_NONE);
	story_pass(&story, 60000);
	assert_int_equal(story_count(&story, "shop/migrate"), n);
	assert_int_equal(rollout_job(&story, "migrate")->job.restarts_asked, 0);
	story_end(&story);
}

static void a_revision_is_that_of_one_job(void **state)
{
	(void)state;
	struct story story;
	begin_project(&story);
	struct manager_request request = {
		.kind = REQUEST_ROLLBACK, .project = "shop", .job = "", .revision = 1
	};
	assert_int_equal(story_ask(&story, &request), ERR_INVALID);
	assert_string_equal(story.reply->err.field, "revision");
	assert_int_equal(story_act(&story, REQUEST_ROLLBACK, "none", ""), ERR_NOT_FOUND);
	assert_int_equal(rollout_job(&story, "web")->job.revision, 2);
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_update_goes_back_to_the_whole_revision_before),
		cmocka_unit_test(the_way_back_survives_the_manager),
		cmocka_unit_test(what_fails_on_the_way_back_pauses_it),
		cmocka_unit_test(the_first_revision_has_nothing_to_go_back_to),
		cmocka_unit_test(users_go_back_to_what_they_name_or_to_what_was_good_last),
		cmocka_unit_test(what_the_earlier_revision_names_is_still_declared),
		cmocka_unit_test(the_way_back_does_not_judge_what_it_did_not_make),
		cmocka_unit_test(there_is_a_way_back_after_a_superseded_way_back),
		cmocka_unit_test(a_superseded_way_back_to_what_never_was_good_makes_it_no_better),
		cmocka_unit_test(how_many_was_said_since_holds_on_the_way_back),
		cmocka_unit_test(what_a_client_goes_back_to_is_the_clients),
		cmocka_unit_test(a_restart_after_a_way_back_goes_by_the_update_policy),
		cmocka_unit_test(why_a_task_was_restarted_is_told),
		cmocka_unit_test(those_that_restart_with_it_restart_on_the_way_back),
		cmocka_unit_test(what_was_good_last_is_kept_however_many_have_failed_since),
		cmocka_unit_test(every_service_of_a_project_goes_back_at_once),
		cmocka_unit_test(a_project_goes_back_one_deployment_at_a_time),
		cmocka_unit_test(what_has_completed_does_not_run_again_with_what_it_depends_on),
		cmocka_unit_test(a_revision_is_that_of_one_job),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
