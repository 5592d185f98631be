/* How an update goes: its pace, its order, what counts as a failure of it and what is done then, and the way back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "manager_story.h"

#define MONITOR_MS LIMIT_UPDATE_MONITOR_MS

/* "shop/web" of `replicas` on alpha, running; the update policy can be changed before update(). */
static void begin(struct story *story, int64_t replicas)
{
	story_begin(story);
	story_join(story, "alpha");
	story_project(story, "shop");
	story_job(story, "web", replicas);
	assert_int_equal(story_apply(story), ERR_NONE);
	story_forget(story);
}

static struct job_spec *spec_of(struct story *story)
{
	return &story->request.jobs.items[0].spec;
}

static void update(struct story *story, const char *image)
{
	string_set(&spec_of(story)->image, image);
	assert_int_equal(story_apply(story), ERR_NONE);
}

static const struct job_entry *job_of(struct story *story, const char *name)
{
	return cluster_job_named(manager_cluster(story->manager), "shop", name);
}

static int64_t revision_of(struct story *story, const char *task)
{
	return story_task(story, task)->desired.revision;
}

static int outcome(struct story *story, int64_t revision)
{
	return job_outcome(&job_of(story, "web")->job, revision);
}

static const char *outcome_message(struct story *story, int64_t revision)
{
	return job_outcome_of(&job_of(story, "web")->job, revision)->message;
}

/* How many tasks of the job run. */
static size_t n_running(struct story *story)
{
	const struct job_entry *entry = job_of(story, "web");
	size_t n = 0;
	for (size_t i = 0; i < entry->tasks.n; i++)
		n += entry->tasks.items[i]->state == TASK_RUNNING;
	return n;
}

static void four_run_revision_1(struct story *story)
{
	for (int i = 1; i <= 4; i++) {
		char task[] = "shop/web.0";
		task[sizeof(task) - 2] = (char)('0' + i);
		assert_int_equal(revision_of(story, task), 1);
		assert_int_equal(story_task(story, task)->state, TASK_RUNNING);
	}
}

static enum err_code roll_back(struct story *story, int64_t revision)
{
	struct manager_request request = {
		.kind = REQUEST_ROLLBACK, .project = "shop", .job = "web", .revision = revision
	};
	return story_ask(story, &request);
}

static void an_update_is_done_once_the_last_task_has_stood_its_trial(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 2);
	update(&story, "busybox:2");
	assert_int_equal(revision_of(&story, "shop/web.2"), 2);
	story_pass(&story, MONITOR_MS - 1000);
	assert_int_equal(outcome(&story, 2), OUTCOME_ROLLING);
	story_pass(&story, 2000);
	assert_int_equal(outcome(&story, 2), OUTCOME_DONE);
	assert_null(outcome_message(&story, 2));
	assert_int_equal(story_task(&story, "shop/web.1")->desired.trial, TRIAL_PASSED);
	story_restart(&story);
	assert_int_equal(outcome(&story, 2), OUTCOME_DONE);
	/* What fails from now on is no failure of the update. */
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 1");
	assert_int_equal(outcome(&story, 2), OUTCOME_DONE);
	story_end(&story);
}

static void as_many_slots_are_replaced_at_a_time_as_the_policy_says(void **state)
{
	(void)state;
	static const int64_t parallelism[] = { 0, 2, UPDATE_ALL };
	static const size_t at_once[] = { 1, 2, 5 };
	for (size_t i = 0; i < ARRAY_LEN(parallelism); i++) {
		struct story story;
		begin(&story, 5);
		spec_of(&story)->update.parallelism = parallelism[i];
		story.hold_start = "web";
		update(&story, "busybox:2");
		story_pass(&story, 60000);
		assert_int_equal(n_running(&story), 5 - at_once[i]);
		story_restart(&story);
		story_pass(&story, 60000);
		assert_int_equal(n_running(&story), 5 - at_once[i]);
		story.hold_start = NULL;
		story_pass(&story, 60000);
		assert_int_equal(n_running(&story), 5);
		assert_int_equal(outcome(&story, 2), OUTCOME_DONE);
		story_end(&story);
	}
}

static void the_next_slot_waits_for_the_delay(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 3);
	spec_of(&story)->update.delay_ms = 30000;
	update(&story, "busybox:2");
	assert_int_equal(revision_of(&story, "shop/web.1"), 2);
	story_pass(&story, 29000);
	assert_int_equal(revision_of(&story, "shop/web.2"), 1);
	story_pass(&story, 2000);
	assert_int_equal(revision_of(&story, "shop/web.2"), 2);
	/* After a restart of the manager the delay begins anew: it is never cut short. */
	story_pass(&story, 20000);
	story_restart(&story);
	story_pass(&story, 29000);
	assert_int_equal(revision_of(&story, "shop/web.3"), 1);
	story_pass(&story, 2000 + LIMIT_BEAT_MS);
	assert_int_equal(revision_of(&story, "shop/web.3"), 2);
	story_end(&story);
}

static void start_first_stops_the_old_task_when_the_new_one_is_ready(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 2);
	spec_of(&story)->update.order = UPDATE_START_FIRST;
	story.starting = "web";
	update(&story, "busybox:2");
	story_tells(&story, "job shop/web revision 2 accepted\n"
			    "shop/web.1 scheduled on alpha\n"
			    "job shop/web is updating: 2 of 2 tasks still to be replaced; web.1 "
			    "scheduled: placed on alpha\n"
			    "shop/web.1 running\n");
	story_restart(&story);
	story_pass(&story, 60000);
	assert_int_equal(n_running(&story), 3);
	story_forget(&story);
	story_health(&story, "shop/web.1", HEALTH_HEALTHY);
	story_tells(&story, "shop/web.1 healthy\n"
			    "shop/web.1 stopping: updated\n"
			    "shop/web.2 scheduled on alpha\n"
			    "shop/web.1 completed: updated\n"
			    "shop/web.2 running\n");
	story_health(&story, "shop/web.2", HEALTH_HEALTHY);
	story_pass(&story, 60000);
	assert_int_equal(n_running(&story), 2);
	assert_int_equal(outcome(&story, 2), OUTCOME_DONE);
	story_end(&story);
}

static void start_first_keeps_the_old_task_for_as_long_as_the_new_one_fails(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 2);
	spec_of(&story)->update.order = UPDATE_START_FIRST;
	story.hold_start = "web";
	update(&story, "busybox:broken");
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 1");
	story_pass(&story, 3600000);
	assert_int_equal(n_running(&story), 2);
	story_stands(&story, "shop/web", STANDING_DEGRADED,
		     "the update is paused with 2 of 2 tasks still to be replaced; 1 of 2 failed; "
		     "web.1 failed: exited with status 1");
	/* The next revision takes over, beside the same old task. */
	story.hold_start = NULL;
	update(&story, "busybox:3");
	story_pass(&story, 60000);
	assert_int_equal(n_running(&story), 2);
	assert_int_equal(outcome(&story, 2), OUTCOME_SUPERSEDED);
	assert_int_equal(outcome(&story, 3), OUTCOME_DONE);
	story_end(&story);
}

static void what_comes_no_further_has_failed_after_the_deadline(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 2);
	spec_of(&story)->update.order = UPDATE_START_FIRST;
	spec_of(&story)->update_deadline_ms = 90000;
	spec_of(&story)->reservations.memory_bytes = 64LL << 30;
	update(&story, "busybox:2");
	story_pass(&story, 80000);
	assert_int_equal(story_task(&story, "shop/web.1")->desired.trial, TRIAL_OPEN);
	story_pass(&story, 20000);
	assert_int_equal(story_task(&story, "shop/web.1")->desired.trial, TRIAL_FAILED);
	assert_int_equal(n_running(&story), 2);
	story_stands(&story, "shop/web", STANDING_DEGRADED,
		     "the update is paused with 2 of 2 tasks still to be replaced; 1 of 2 failed; "
		     "web.1 pending: no node has 64 GB of memory free: 1 of 1 lacks memory "
		     "(largest has 8 GB free of 8 GB)");
	story_end(&story);
}

static void a_restart_within_the_monitor_is_a_failure_and_a_later_one_is_none(void **state)
{
	(void)state;
	for (int late = 0; late < 2; late++) {
		struct story story;
		begin(&story, 2);
		spec_of(&story)->update.delay_ms = 60000;
		update(&story, "busybox:2");
		story_pass(&story, late ? MONITOR_MS + 1000 : MONITOR_MS - 1000);
		story.resume = true;
		story_report(&story, "shop/web.1", TASK_SCHEDULED, REASON_RESTARTING,
			     "exited with status 1");
		story_pass(&story, 120000);
		assert_int_equal(story_task(&story, "shop/web.1")->desired.trial,
				 late ? TRIAL_PASSED : TRIAL_FAILED);
		assert_int_equal(revision_of(&story, "shop/web.2"), late ? 2 : 1);
		/* What was found stays found. */
		story_restart(&story);
		story_pass(&story, 120000);
		assert_int_equal(revision_of(&story, "shop/web.2"), late ? 2 : 1);
		story_end(&story);
	}
}

static void machines_and_users_are_no_failures(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 2);
	story_join(&story, "beta");
	spec_of(&story)->update.failure_action = UPDATE_ROLLBACK;
	spec_of(&story)->update.delay_ms = 60000;
	update(&story, "busybox:2");
	/* Its Docker restarts, its node is drained, the next one is lost. */
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_INTERRUPTED, "Docker restarted");
	story_pass(&story, 1000);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false), ERR_NONE);
	story_pass(&story, 1000);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_RESUME, "alpha", false), ERR_NONE);
	story_silence(&story, "beta");
	story_pass(&story, 60000);
	story_return(&story, "beta");
	story_pass(&story, 600000);
	assert_int_equal(revision_of(&story, "shop/web.1"), 2);
	assert_int_equal(revision_of(&story, "shop/web.2"), 2);
	assert_int_equal(outcome(&story, 2), OUTCOME_DONE);
	story_end(&story);
}

static void some_may_fail(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 4);
	spec_of(&story)->update.max_failure_ppm = 250000;
	spec_of(&story)->restart.condition = RESTART_NONE;
	story.hold_start = "web";
	update(&story, "busybox:2");
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 1");
	story.hold_start = NULL;
	story_pass(&story, 60000);
	/* One of four is as many as may; it was given up, so the update cannot end well. */
	assert_int_equal(n_running(&story), 3);
	assert_int_equal(revision_of(&story, "shop/web.4"), 2);
	assert_int_equal(outcome(&story, 2), OUTCOME_DONE);
	assert_string_equal(outcome_message(&story, 2),
			    "1 of 4 failed: web.1 exited with status 1");
	story_end(&story);
}

static void continue_goes_on_whatever_fails(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 2);
	spec_of(&story)->update.failure_action = UPDATE_CONTINUE;
	story.hold_start = "web";
	update(&story, "busybox:2");
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 1");
	story_report(&story, "shop/web.2", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 1");
	assert_int_equal(outcome(&story, 2), OUTCOME_DONE);
	assert_string_equal(outcome_message(&story, 2),
			    "2 of 2 failed: web.1 exited with status 1");
	story_end(&story);
}

/* Slots 1 and 2 are of revision 2, and 2 fails. */
static void fail_half_way(struct story *story, int order)
{
	begin(story, 4);
	spec_of(story)->update.failure_action = UPDATE_ROLLBACK;
	spec_of(story)->update.max_failure_ppm = 200000;
	spec_of(story)->update.delay_ms = 10000;
	spec_of(story)->update.order = order;
	update(story, "busybox:2");
	story->hold_start = "web";
	story_pass(story, 11000);
	assert_int_equal(revision_of(story, "shop/web.2"), 2);
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
	assert_string_equal(job_entry_current(job_of(&story, "web"))->spec.image, "busybox:1");
	assert_int_equal(outcome(&story, 1), OUTCOME_DONE);
	assert_int_equal(outcome(&story, 2), OUTCOME_ROLLED_BACK);
	assert_string_equal(outcome_message(&story, 2),
			    "1 of 4 failed: web.2 exited with status 1");
	assert_int_equal(job_of(&story, "web")->job.rolled_back_from, 2);
	/* The same file again is another attempt, under a number of its own. */
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(job_of(&story, "web")->job.revision, 3);
	assert_int_equal(job_of(&story, "web")->job.rolled_back_from, 0);
	story_pass(&story, 120000);
	assert_int_equal(outcome(&story, 3), OUTCOME_DONE);
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
	assert_int_equal(outcome(&story, 1), OUTCOME_DONE);
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
	assert_int_equal(job_of(&story, "web")->job.revision, 1);
	story_end(&story);
}

static void the_first_revision_has_nothing_to_go_back_to(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 1);
	assert_int_equal(roll_back(&story, 0), ERR_NOT_FOUND);
	assert_string_equal(story.reply->err.message,
			    "job shop/web has no revision before 1 that was rolled out to its end");
	assert_int_equal(roll_back(&story, 7), ERR_NOT_FOUND);
	assert_string_equal(story.reply->err.field, "revision");
	/* Asked for the one there is, nothing happens. */
	assert_int_equal(roll_back(&story, 1), ERR_NONE);
	story_effect(&story, "web", EFFECT_UNCHANGED);
	story_end(&story);
}

static void users_go_back_to_what_they_name_or_to_what_was_good_last(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 2);
	update(&story, "busybox:2");
	story_pass(&story, 60000);
	story.hold_start = "web";
	update(&story, "busybox:3");
	story_pass(&story, 1000);
	story.hold_start = NULL;
	update(&story, "busybox:4");
	story_pass(&story, 60000);
	assert_int_equal(outcome(&story, 3), OUTCOME_SUPERSEDED);
	story_forget(&story);
	/* 3 was never rolled out to its end. */
	assert_int_equal(roll_back(&story, 0), ERR_NONE);
	story_effect(&story, "web", EFFECT_ROLLED_BACK);
	story_pass(&story, 60000);
	assert_int_equal(job_of(&story, "web")->job.revision, 2);
	assert_int_equal(revision_of(&story, "shop/web.2"), 2);
	assert_string_equal(outcome_message(&story, 4), "asked for");
	assert_int_equal(roll_back(&story, 4), ERR_NONE);
	story_pass(&story, 60000);
	assert_string_equal(job_entry_current(job_of(&story, "web"))->spec.image, "busybox:4");
	assert_int_equal(outcome(&story, 4), OUTCOME_DONE);
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
		update(&story, i % 2 ? "busybox:2" : "busybox:3");
		story_pass(&story, 60000);
	}
	assert_int_equal(roll_back(&story, 1), ERR_NONE);
	story_pass(&story, 60000);
	assert_int_equal(revision_of(&story, "shop/web.1"), 1);
	assert_int_equal(outcome(&story, 1), OUTCOME_DONE);
	story_end(&story);
}

static void an_update_that_failed_and_came_round_ends(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 1);
	update(&story, "busybox:2");
	story.resume = true;
	story_report(&story, "shop/web.1", TASK_SCHEDULED, REASON_RESTARTING,
		     "exited with status 1");
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_RUNNING);
	story_stands(&story, "shop/web", STANDING_DEGRADED, "the update has failed; 1 of 1 failed");
	story_pass(&story, MONITOR_MS + 1000);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	assert_int_equal(outcome(&story, 2), OUTCOME_DONE);
	story_end(&story);
}

static void global_jobs_are_rolled_out_machine_by_machine(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_join(&story, "beta");
	story_join(&story, "gamma");
	story_project(&story, "shop");
	story_job(&story, "web", 1)->mode = JOB_GLOBAL;
	spec_of(&story)->update.order = UPDATE_START_FIRST;
	spec_of(&story)->update.failure_action = UPDATE_ROLLBACK;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story.starting = "web";
	update(&story, "busybox:2");
	story_pass(&story, 60000);
	assert_int_equal(n_running(&story), 4);
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_UNHEALTHY, "unhealthy");
	story.starting = NULL;
	story_pass(&story, 60000);
	assert_int_equal(n_running(&story), 3);
	assert_int_equal(job_of(&story, "web")->job.revision, 1);
	assert_int_equal(outcome(&story, 1), OUTCOME_DONE);
	story_end(&story);
}

static void a_service_that_is_meant_to_end_passes_by_succeeding(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	story_job(&story, "web", 2)->restart.condition = RESTART_NONE;
	spec_of(&story)->update.failure_action = UPDATE_ROLLBACK;
	story.succeed = "web";
	assert_int_equal(story_apply(&story), ERR_NONE);
	update(&story, "busybox:2");
	story_pass(&story, 60000);
	assert_int_equal(job_of(&story, "web")->job.revision, 2);
	assert_int_equal(outcome(&story, 2), OUTCOME_DONE);
	story_stands(&story, "shop/web", STANDING_COMPLETED, "2 of 2 succeeded");
	story_end(&story);
}

/* Three of four slots stay at revision 1; what they did before the update says nothing of the way back. */
static void the_way_back_does_not_judge_what_it_did_not_make(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 4);
	/* web.4 was once replaced, and has restarted since. */
	story_report(&story, "shop/web.4", TASK_FAILED, REASON_INTERRUPTED, "Docker restarted");
	story.resume = true;
	story_report(&story, "shop/web.4", TASK_SCHEDULED, REASON_RESTARTING,
		     "exited with status 1");
	spec_of(&story)->update.failure_action = UPDATE_ROLLBACK;
	story.hold_start = "web";
	update(&story, "busybox:2");
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 1");
	story.hold_start = NULL;
	story_pass(&story, 60000);
	assert_int_equal(n_running(&story), 4);
	assert_int_equal(revision_of(&story, "shop/web.1"), 1);
	assert_int_equal(outcome(&story, 1), OUTCOME_DONE);
	story_end(&story);
}

static void there_is_a_way_back_after_a_superseded_way_back(void **state)
{
	(void)state;
	struct story story;
	fail_half_way(&story, UPDATE_STOP_FIRST);
	story.hold_start = "web";
	story_pass(&story, 1000);
	update(&story, "busybox:3");
	story_report(&story, "shop/web.2", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 1");
	assert_int_equal(outcome(&story, 3), OUTCOME_ROLLED_BACK);
	assert_int_equal(job_of(&story, "web")->job.revision, 1);
	story.hold_start = NULL;
	story_pass(&story, 120000);
	assert_int_equal(n_running(&story), 4);
	story_end(&story);
}

static void a_task_that_its_user_stops_holds_nothing_up(void **state)
{
	(void)state;
	for (int passed = 0; passed < 2; passed++) {
		struct story story;
		begin(&story, 2);
		spec_of(&story)->update.delay_ms = 20000;
		update(&story, "busybox:2");
		story_pass(&story, passed ? MONITOR_MS + 1000 : 1000);
		assert_int_equal(story_act_task(&story, REQUEST_STOP, "shop/web.1"), ERR_NONE);
		story_pass(&story, 120000);
		assert_int_equal(revision_of(&story, "shop/web.2"), 2);
		assert_int_equal(outcome(&story, 2), OUTCOME_DONE);
		story_end(&story);
	}
}

static void how_many_was_said_since_holds_on_the_way_back(void **state)
{
	(void)state;
	for (int by_hand = 0; by_hand < 2; by_hand++) {
		struct story story;
		begin(&story, 2);
		spec_of(&story)->update.failure_action = by_hand ? UPDATE_PAUSE : UPDATE_ROLLBACK;
		story.hold_start = "web";
		update(&story, "busybox:2");
		assert_int_equal(story_scale(&story, "shop", "web", 6), ERR_NONE);
		story_report(&story, "shop/web.1", TASK_FAILED, REASON_EXIT_NONZERO,
			     "exited with status 1");
		story.hold_start = NULL;
		if (by_hand)
			assert_int_equal(roll_back(&story, 0), ERR_NONE);
		story_restart(&story);
		story_pass(&story, 60000);
		assert_int_equal(job_of(&story, "web")->job.revision, 1);
		assert_int_equal(n_running(&story), 6);
		story_end(&story);
	}
}

static void what_a_client_goes_back_to_is_the_clients(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 1);
	assert_false(story_is_over_tls(&story, "shop/web.1"));
	update(&story, "busybox:2");
	story_pass(&story, 60000);
	story.over_tls = true;
	assert_int_equal(roll_back(&story, 1), ERR_NONE);
	story_pass(&story, 60000);
	assert_int_equal(revision_of(&story, "shop/web.1"), 1);
	assert_true(story_is_over_tls(&story, "shop/web.1"));
	story_end(&story);
}

static void a_restart_after_a_way_back_goes_by_the_update_policy(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 4);
	spec_of(&story)->rollback.parallelism = UPDATE_ALL;
	assert_int_equal(story_apply(&story), ERR_NONE);
	update(&story, "busybox:2");
	story_pass(&story, 60000);
	assert_int_equal(roll_back(&story, 1), ERR_NONE);
	story_pass(&story, 60000);
	assert_int_equal(outcome(&story, 1), OUTCOME_DONE);
	story.hold_start = "web";
	assert_int_equal(story_act(&story, REQUEST_RESTART, "shop", "web"), ERR_NONE);
	story_pass(&story, 1000);
	assert_int_equal(n_running(&story), 3);
	story_end(&story);
}

static void nothing_passes_on_what_was_stored(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 2);
	story_join(&story, "beta");
	spec_of(&story)->update.monitor_ms = 10000;
	spec_of(&story)->update.delay_ms = 10000;
	update(&story, "busybox:2");
	story_pass(&story, 1000);
	story_silence(&story, "alpha");
	story_silence(&story, "beta");
	story_restart(&story);
	/* Nobody has been heard since the start. */
	story_pass(&story, 30000);
	assert_int_equal(story_task(&story, "shop/web.1")->desired.trial, TRIAL_OPEN);
	assert_int_equal(revision_of(&story, "shop/web.2"), 1);
	story_return(&story, "alpha");
	story_return(&story, "beta");
	story_pass(&story, 60000);
	assert_int_equal(outcome(&story, 2), OUTCOME_DONE);
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_update_is_done_once_the_last_task_has_stood_its_trial),
		cmocka_unit_test(as_many_slots_are_replaced_at_a_time_as_the_policy_says),
		cmocka_unit_test(the_next_slot_waits_for_the_delay),
		cmocka_unit_test(start_first_stops_the_old_task_when_the_new_one_is_ready),
		cmocka_unit_test(start_first_keeps_the_old_task_for_as_long_as_the_new_one_fails),
		cmocka_unit_test(what_comes_no_further_has_failed_after_the_deadline),
		cmocka_unit_test(a_restart_within_the_monitor_is_a_failure_and_a_later_one_is_none),
		cmocka_unit_test(machines_and_users_are_no_failures),
		cmocka_unit_test(some_may_fail),
		cmocka_unit_test(continue_goes_on_whatever_fails),
		cmocka_unit_test(a_failed_update_goes_back_to_the_whole_revision_before),
		cmocka_unit_test(the_way_back_survives_the_manager),
		cmocka_unit_test(what_fails_on_the_way_back_pauses_it),
		cmocka_unit_test(the_first_revision_has_nothing_to_go_back_to),
		cmocka_unit_test(users_go_back_to_what_they_name_or_to_what_was_good_last),
		cmocka_unit_test(what_the_earlier_revision_names_is_still_declared),
		cmocka_unit_test(an_update_that_failed_and_came_round_ends),
		cmocka_unit_test(global_jobs_are_rolled_out_machine_by_machine),
		cmocka_unit_test(a_service_that_is_meant_to_end_passes_by_succeeding),
		cmocka_unit_test(the_way_back_does_not_judge_what_it_did_not_make),
		cmocka_unit_test(there_is_a_way_back_after_a_superseded_way_back),
		cmocka_unit_test(a_task_that_its_user_stops_holds_nothing_up),
		cmocka_unit_test(how_many_was_said_since_holds_on_the_way_back),
		cmocka_unit_test(a_restart_after_a_way_back_goes_by_the_update_policy),
		cmocka_unit_test(nothing_passes_on_what_was_stored),
		cmocka_unit_test(what_a_client_goes_back_to_is_the_clients),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
