/* Corners where two things happen at once: what is removed while others wait for it, scaled while its node is silent,
 * or larger than one commit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/limits.h"
#include "manager_story.h"

static void what_waits_for_an_optional_job_starts_when_that_is_removed_before_it_ran(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	story_job(&story, "db", 1)->reservations.memory_bytes = 1LL << 40;
	story_depends(story_job(&story, "web", 1), "db", DEPEND_STARTED)->optional = true;
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_PENDING);
	/* It has no container anywhere, so it is gone in one step. */
	assert_int_equal(story_act(&story, REQUEST_REMOVE, "shop", "db"), ERR_NONE);
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_RUNNING);
	story_end(&story);
}

static void a_slot_scaled_away_on_a_silent_node_is_filled_elsewhere_when_wanted_again(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	story_job(&story, "web", 2);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_join(&story, "beta");
	story_pass(&story, 30000);
	story_silence(&story, "alpha");
	assert_int_equal(story_scale(&story, "shop", "web", 1), ERR_NONE);
	assert_int_equal(story_scale(&story, "shop", "web", 2), ERR_NONE);
	story_pass(&story, 20000);
	story_stands(&story, "shop/web", STANDING_RUNNING, "2 of 2 ready");
	story_return(&story, "alpha");
	story_stands(&story, "shop/web", STANDING_RUNNING, "2 of 2 ready");
	assert_int_equal(story_holds(&story, "beta"), 2);
	story_end(&story);
}

static void a_job_stopped_on_a_silent_node_runs_elsewhere_when_it_is_restarted(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	story_job(&story, "web", 1);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_join(&story, "beta");
	story_pass(&story, 30000);
	story_silence(&story, "alpha");
	assert_int_equal(story_act(&story, REQUEST_STOP, "shop", "web"), ERR_NONE);
	story_pass(&story, 20000);
	story_stands(&story, "shop/web", STANDING_STOPPED, "1 task is not confirmed gone");
	assert_int_equal(story_act(&story, REQUEST_RESTART, "shop", "web"), ERR_NONE);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_return(&story, "alpha");
	story_end(&story);
}

/* One task that its user stopped stays stopped, wherever it was. */
static void a_task_stopped_on_a_silent_node_is_not_started_elsewhere(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	story_job(&story, "web", 1);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_join(&story, "beta");
	story_pass(&story, 30000);
	story_silence(&story, "alpha");
	assert_int_equal(story_act_task(&story, REQUEST_STOP, "shop/web.1"), ERR_NONE);
	story_pass(&story, 60000);
	assert_int_equal(story_count(&story, "shop/web"), 1);
	story_return(&story, "alpha");
	story_pass(&story, 60000);
	assert_int_equal(story_count(&story, "shop/web"), 1);
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_COMPLETED);
	story_end(&story);
}

static void a_job_of_more_revisions_than_a_commit_holds_can_be_removed(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	struct job_spec *spec = story_job(&story, "web", LIMIT_GROUP_RECORDS + 10);
	/* Revision after revision, none of which gets beyond its first slots: each slot keeps
	 * another one in use. */
	story.hold_start = "web";
	for (int64_t i = 1; i <= LIMIT_GROUP_RECORDS + 10; i++) {
		char number[24];
		text_print(number, sizeof(number), "busybox:%lld", (long long)i);
		string_set(&spec->image, number);
		assert_int_equal(story_apply(&story), ERR_NONE);
		text_print(number, sizeof(number), "shop/web.%lld", (long long)i);
		assert_int_equal(story_act_task(&story, REQUEST_RESTART, number), ERR_NONE);
	}
	const struct job_entry *entry =
		cluster_job_named(manager_cluster(story.manager), "shop", "web");
	assert_true(entry->n_revisions > LIMIT_GROUP_RECORDS);
	assert_int_equal(story_act(&story, REQUEST_REMOVE, "shop", "web"), ERR_NONE);
	assert_int_equal(manager_cluster(story.manager)->jobs.n, 0);
	story_end(&story);
}

static struct job_spec *job_with_volumes(struct story *story, int n)
{
	struct job_spec *spec = story_job(story, "web", 1);
	for (int i = 0; i < n; i++) {
		char name[24];
		text_print(name, sizeof(name), "v%d", i);
		story_mount(story, spec, name);
		text_print(name, sizeof(name), "/v%d", i);
		string_set(&spec->mounts.items[i].target, name);
	}
	return spec;
}

static void a_task_of_more_volumes_than_a_commit_holds_is_refused(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	job_with_volumes(&story, LIMIT_GROUP_RECORDS);
	assert_int_equal(story_apply(&story), ERR_LIMIT);
	assert_string_equal(story.reply->err.message,
			    "job web mounts 100 named volumes, and a job may mount 64");
	assert_string_equal(story.reply->err.field, "jobs[0].spec.mounts");
	story_project(&story, "shop");
	job_with_volumes(&story, 64);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_end(&story);
}

/* Three requests of 40 jobs; each adds its own and leaves the others. */
static void fill_project(struct story *story, const char *project)
{
	for (int i = 0; i < 120; i++) {
		char name[24];
		if (i % 40 == 0)
			story_project(story, project);
		struct job_spec *spec =
			story_job(story, text_print(name, sizeof(name), "job%d", i), 1);
		story_mount(story, spec, text_print(name, sizeof(name), "data%d", i));
		if (i % 40 == 39)
			assert_int_equal(story_apply(story), ERR_NONE);
	}
}

static void a_project_of_more_jobs_than_a_commit_holds_is_taken_down(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	fill_project(&story, "shop");
	const struct cluster *cluster = manager_cluster(story.manager);
	assert_int_equal(cluster->jobs.n, 120);
	assert_int_equal(cluster->volumes.n, 120);
	assert_int_equal(story_act(&story, REQUEST_STOP, "shop", ""), ERR_NONE);
	assert_int_equal(cluster->n_tasks_by_state[TASK_COMPLETED], 120);
	const struct manager_request down = { .kind = REQUEST_REMOVE,
					      .project = "shop",
					      .caller = "me",
					      .idempotency_key = "k",
					      .with_volumes = true };
	assert_int_equal(story_ask(&story, &down), ERR_NONE);
	assert_int_equal(story.reply->answer.jobs.n, 120);
	assert_int_equal(cluster->projects.n, 0);
	assert_int_equal(cluster->volumes.n, 0);
	/* The answer is remembered, whole. */
	story_restart(&story);
	assert_int_equal(story_ask(&story, &down), ERR_NONE);
	assert_int_equal(story.reply->answer.jobs.n, 120);
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_waits_for_an_optional_job_starts_when_that_is_removed_before_it_ran),
		cmocka_unit_test(
			a_slot_scaled_away_on_a_silent_node_is_filled_elsewhere_when_wanted_again),
		cmocka_unit_test(
			a_job_stopped_on_a_silent_node_runs_elsewhere_when_it_is_restarted),
		cmocka_unit_test(a_task_stopped_on_a_silent_node_is_not_started_elsewhere),
		cmocka_unit_test(a_job_of_more_revisions_than_a_commit_holds_can_be_removed),
		cmocka_unit_test(a_task_of_more_volumes_than_a_commit_holds_is_refused),
		cmocka_unit_test(a_project_of_more_jobs_than_a_commit_holds_is_taken_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
