/* Jobs that depend on jobs of other projects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "job/schedule.h"
#include "manager/core.h"
#include "manager_planned.h"

/* The request is project infra with its one job. */
static struct job_spec *infra(struct story *story)
{
	story_project(story, "infra");
	return story_job(story, "db", 1);
}

/* The request is project shop with "web", which depends on infra/db. */
static struct depend *shop(struct story *story, int condition)
{
	story_project(story, "shop");
	struct depend *depend = story_depends(story_job(story, "web", 1), "db", condition);
	string_set(&depend->project, "infra");
	return depend;
}

static void begin(struct story *story)
{
	story_begin(story);
	story_join(story, "alpha");
	infra(story);
	story->starting = "db";
	assert_int_equal(story_apply(story), ERR_NONE);
}

static void refused(struct story *story, enum err_code code, const char *field, const char *message)
{
	assert_int_equal(story_apply(story), code);
	assert_string_equal(story->reply->err.field, field);
	assert_string_equal(story->reply->err.message, message);
}

static void conditions_hold_across_projects(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	shop(&story, DEPEND_HEALTHY);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_why(&story, "shop/web.1", TASK_PENDING, REASON_WAITS_DEPENDENCY,
		  "waits for infra/db to be healthy: 0 of 1 healthy");
	story_restart(&story);
	story_why(&story, "shop/web.1", TASK_PENDING, REASON_WAITS_DEPENDENCY,
		  "waits for infra/db to be healthy: 0 of 1 healthy");
	story_health(&story, "infra/db.1", HEALTH_HEALTHY);
	story_why(&story, "shop/web.1", TASK_RUNNING, REASON_RUNNING, "running on alpha");
	/* They hold back the first start alone. */
	story_health(&story, "infra/db.1", HEALTH_UNHEALTHY);
	assert_int_equal(story_act(&story, REQUEST_RESTART, "shop", "web"), ERR_NONE);
	story_why(&story, "shop/web.1", TASK_RUNNING, REASON_RUNNING, "running on alpha");
	story_end(&story);
}

static void a_job_of_the_same_name_in_the_own_project_is_another(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	shop(&story, DEPEND_HEALTHY);
	story_depends(&story.request.jobs.items[0].spec, "db", DEPEND_COMPLETED);
	story_job(&story, "db", 1)->mode = JOB_REPLICATED_JOB;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_why(&story, "shop/web.1", TASK_PENDING, REASON_WAITS_DEPENDENCY,
		  "waits for infra/db to be healthy: 0 of 1 healthy; waits for db to be completed: "
		  "0 of 1 succeeded");
	story_report(&story, "shop/db.1", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	story_health(&story, "infra/db.1", HEALTH_HEALTHY);
	story_why(&story, "shop/web.1", TASK_RUNNING, REASON_RUNNING, "running on alpha");
	story_end(&story);
}

static void what_is_not_there_is_refused_unless_it_is_optional(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	string_set(&shop(&story, DEPEND_STARTED)->job, "bd");
	refused(&story, ERR_INVALID, "jobs[0].spec.depends_on[0].job",
		"there is no job infra/bd; with required: false it is not waited for while it is "
		"not there");
	story.request.jobs.items[0].spec.depends_on.items[0].optional = true;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_why(&story, "shop/web.1", TASK_RUNNING, REASON_RUNNING, "running on alpha");
	story_end(&story);
}

static void who_waits_for_what_has_been_removed_says_so_and_goes_on_when_it_is_back(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	shop(&story, DEPEND_HEALTHY);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_act(&story, REQUEST_REMOVE, "infra", "db");
	story_why(&story, "shop/web.1", TASK_PENDING, REASON_WAITS_DEPENDENCY,
		  "waits for infra/db to be healthy: there is no such job");
	/* The very same request is refused now, as anybody's would be. */
	refused(&story, ERR_INVALID, "jobs[0].spec.depends_on[0].job",
		"there is no job infra/db; with required: false it is not waited for while it is "
		"not there");
	infra(&story);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_health(&story, "infra/db.1", HEALTH_HEALTHY);
	story_why(&story, "shop/web.1", TASK_RUNNING, REASON_RUNNING, "running on alpha");
	story_end(&story);
}

static void make_scheduled(struct job_spec *spec)
{
	spec->mode = JOB_REPLICATED_JOB;
	spec->schedule = base_calloc(1, sizeof(*spec->schedule));
	record_init(&schedule_type, spec->schedule);
	string_set(&spec->schedule->cron, "@daily");
}

static void what_can_never_be_met_is_refused_or_fails(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	shop(&story, DEPEND_HEALTHY);
	assert_int_equal(story_apply(&story), ERR_NONE);
	make_scheduled(infra(&story));
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_why(&story, "shop/web.1", TASK_FAILED, REASON_DEPENDENCY_FAILED,
		  "infra/db runs at times, again and again: nothing can wait for it");
	shop(&story, DEPEND_STARTED);
	refused(&story, ERR_INVALID, "jobs[0].spec.depends_on[0].job",
		"infra/db runs at times, again and again: nothing can wait for it");
	story_end(&story);
}

static void a_cycle_across_projects_is_refused_and_drawn(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	shop(&story, DEPEND_STARTED);
	/* shop/page -> shop/web -> infra/db */
	story_depends(story_job(&story, "page", 1), "web", DEPEND_STARTED);
	assert_int_equal(story_apply(&story), ERR_NONE);
	struct depend *depend = story_depends(infra(&story), "page", DEPEND_STARTED);
	string_set(&depend->project, "shop");
	depend->optional = true;
	refused(&story, ERR_INVALID, "jobs[0].spec.depends_on",
		"the jobs wait for each other: db -> shop/page -> shop/web -> db");
	/* One that goes is waited for by nobody. */
	assert_int_equal(story_act(&story, REQUEST_REMOVE, "shop", "page"), ERR_NONE);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_end(&story);
}

static void no_roll_back_makes_a_cycle(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_health(&story, "infra/db.1", HEALTH_HEALTHY);
	story.starting = NULL;
	shop(&story, DEPEND_STARTED);
	assert_int_equal(story_apply(&story), ERR_NONE);
	/* web waits no more, ... */
	story_project(&story, "shop");
	string_set(&story_job(&story, "web", 1)->image, "busybox:2");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 60000);
	/* ... so db may wait for it. */
	string_set(&story_depends(infra(&story), "web", DEPEND_STARTED)->project, "shop");
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(story_act(&story, REQUEST_ROLLBACK, "shop", "web"), ERR_CONFLICT);
	assert_string_equal(story.reply->err.message,
			    "the jobs wait for each other: web -> infra/db -> web");
	story_end(&story);
}

static int64_t restarts_of_web(struct story *story)
{
	return story_task(story, "shop/web.1")->desired.restarts_asked;
}

static void told_of_web(struct story *story)
{
	const struct manager_answer *answer = &story->reply->answer;
	assert_string_equal(answer->project, "infra");
	assert_int_equal(answer->jobs.n, 1);
	assert_int_equal(answer->n_dependents, 1);
	assert_int_equal(answer->dependents.n, 1);
	assert_string_equal(answer->dependents.items[0], "shop/web");
}

static void who_asks_for_it_is_restarted_after_a_job_of_another_project(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_health(&story, "infra/db.1", HEALTH_HEALTHY);
	shop(&story, DEPEND_HEALTHY)->restart = true;
	/* One that does not ask for it, and one that has run. */
	string_set(&story_depends(story_job(&story, "page", 1), "db", DEPEND_HEALTHY)->project,
		   "infra");
	struct job_spec *fill = story_job(&story, "fill", 1);
	fill->mode = JOB_REPLICATED_JOB;
	struct depend *depend = story_depends(fill, "db", DEPEND_HEALTHY);
	string_set(&depend->project, "infra");
	depend->restart = true;
	story.succeed = "fill";
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(story_act(&story, REQUEST_RESTART, "infra", "db"), ERR_NONE);
	told_of_web(&story);
	story_stands(&story, "shop/web", STANDING_RUNNING,
		     "1 of 1 ready; restarts when infra/db has been replaced");
	assert_int_equal(restarts_of_web(&story), 0);
	story_restart(&story);
	story_health(&story, "infra/db.1", HEALTH_HEALTHY);
	assert_int_equal(restarts_of_web(&story), 1);
	assert_int_equal(story_task(&story, "shop/page.1")->desired.restarts_asked, 0);

	string_set(&infra(&story)->image, "busybox:2");
	struct project_plan plan;
	struct err err;
	assert_int_equal(story_plan(&story, &plan, &err), ERR_NONE);
	assert_int_equal(plan.jobs.n, 1);
	assert_int_equal(plan.n_dependents, 1);
	assert_string_equal(plan.dependents.items[0], "shop/web");
	record_release(&project_plan_type, &plan);
	assert_int_equal(story_apply(&story), ERR_NONE);
	told_of_web(&story);
	story_health(&story, "infra/db.1", HEALTH_HEALTHY);
	story_pass(&story, 60000);
	assert_int_equal(restarts_of_web(&story), 2);
	/* Nothing changes, so nobody is restarted. */
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(story.reply->answer.n_dependents, 0);
	story_end(&story);
}

/* One that has no tasks has been replaced at once, in the step that says so to who waits. */
static void what_takes_no_time_is_waited_for_no_longer(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	infra(&story)->replicas = 0;
	assert_int_equal(story_apply(&story), ERR_NONE);
	shop(&story, DEPEND_STARTED)->restart = true;
	assert_int_equal(story_apply(&story), ERR_NONE);
	struct job_spec *db = infra(&story);
	db->replicas = 0;
	string_set(&db->image, "busybox:2");
	assert_int_equal(story_apply(&story), ERR_NONE);
	told_of_web(&story);
	story_pass(&story, 60000);
	assert_int_equal(restarts_of_web(&story), 1);
	assert_int_equal(story_act(&story, REQUEST_ROLLBACK, "infra", "db"), ERR_NONE);
	told_of_web(&story);
	story_pass(&story, 60000);
	assert_int_equal(restarts_of_web(&story), 2);
	story_end(&story);
}

static void a_dependent_that_waits_no_more_is_not_restarted(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_health(&story, "infra/db.1", HEALTH_HEALTHY);
	shop(&story, DEPEND_HEALTHY)->restart = true;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_project(&story, "shop");
	story_job(&story, "web", 1);
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(story_act(&story, REQUEST_RESTART, "infra", "db"), ERR_NONE);
	assert_int_equal(story.reply->answer.n_dependents, 0);
	story_end(&story);
}

static void names_that_nobody_gives_any_more_are_forgotten(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	for (int i = 0; i < 300; i++) {
		char name[16];
		text_print(name, sizeof(name), "db%d", i);
		struct depend *depend = shop(&story, DEPEND_STARTED);
		string_set(&depend->job, name);
		depend->optional = true;
		assert_int_equal(story_apply(&story), ERR_NONE);
	}
	assert_true(story.manager->dependents.n < 100);
	/* The one that is given still is not. */
	shop(&story, DEPEND_HEALTHY)->restart = true;
	story_depends(&story.request.jobs.items[0].spec, "db299", DEPEND_STARTED)->optional = true;
	string_set(&story.request.jobs.items[0].spec.depends_on.items[1].project, "infra");
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(story_act(&story, REQUEST_RESTART, "infra", "db"), ERR_NONE);
	told_of_web(&story);
	story_end(&story);
}

/* What is under way in the other project comes to its end in a plan, also where it takes turns. */
static void a_plan_lets_come_what_is_waited_for_elsewhere(void **state)
{
	(void)state;
	for (int64_t at_once = 0; at_once < 2; at_once++) {
		struct story story;
		story_begin(&story);
		story_join(&story, "alpha");
		struct job_spec *db = infra(&story);
		db->mode = JOB_REPLICATED_JOB;
		db->replicas = 3;
		db->concurrency = at_once;
		assert_int_equal(story_apply(&story), ERR_NONE);
		shop(&story, DEPEND_COMPLETED);
		story_plans(&story, "web created 0>1\n"
				    "  start shop/web.1 to alpha\n");
		story_end(&story);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions_hold_across_projects),
		cmocka_unit_test(a_job_of_the_same_name_in_the_own_project_is_another),
		cmocka_unit_test(what_is_not_there_is_refused_unless_it_is_optional),
		cmocka_unit_test(
			who_waits_for_what_has_been_removed_says_so_and_goes_on_when_it_is_back),
		cmocka_unit_test(what_can_never_be_met_is_refused_or_fails),
		cmocka_unit_test(a_cycle_across_projects_is_refused_and_drawn),
		cmocka_unit_test(no_roll_back_makes_a_cycle),
		cmocka_unit_test(who_asks_for_it_is_restarted_after_a_job_of_another_project),
		cmocka_unit_test(what_takes_no_time_is_waited_for_no_longer),
		cmocka_unit_test(a_dependent_that_waits_no_more_is_not_restarted),
		cmocka_unit_test(names_that_nobody_gives_any_more_are_forgotten),
		cmocka_unit_test(a_plan_lets_come_what_is_waited_for_elsewhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
