/* What `drover plan` shows, that it comes true, and that a plan is refused once what it was made from has changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "manager_planned.h"

static struct job_spec *spec_at(struct story *story, size_t i)
{
	return &story->request.jobs.items[i].spec;
}

static void publish(struct job_spec *spec, int64_t first, int64_t last)
{
	struct port *port = list_add(&spec->ports, sizeof(*port));
	*port = (struct port){ .host_first = first, .host_last = last, .container_port = 80 };
}

/* "shop/web" of two, one on each of two machines. */
static void begin(struct story *story)
{
	story_begin(story);
	story_join(story, "alpha");
	story_join(story, "beta");
	story_project(story, "shop");
	story_job(story, "web", 2);
}

static void up(struct story *story)
{
	assert_int_equal(story_apply(story), ERR_NONE);
	story_pass(story, 60000);
	story_forget(story);
}

static void a_new_project(void **state)
{
	struct story story;
	begin(&story);
	publish(spec_at(&story, 0), 8000, 8009);
	story_mount(&story, story_job(&story, "db", 1), "data");
	size_t n_changes = story.n_changes;
	story_plans(&story, "web created 0>1\n"
			    "  start shop/web.1 to alpha port 8000\n"
			    "  start shop/web.2 to beta port 8000\n"
			    "db created 0>1\n"
			    "  start shop/db.1 to alpha\n"
			    "volume shop_data created on alpha\n");
	assert_int_equal(story.n_changes, n_changes);
	story_comes_true(&story);
	story_end(&story);
	(void)state;
}

static void nothing_to_change(void **state)
{
	struct story story;
	begin(&story);
	up(&story);
	story_plans(&story, "web unchanged 1>1\n"
			    "  2 stay\n"
			    "nothing changes\n");
	story_end(&story);
	(void)state;
}

static void a_change_field_by_field(void **state)
{
	struct story story;
	begin(&story);
	up(&story);
	string_set(&spec_at(&story, 0)->image, "busybox:2");
	pairs_put(&spec_at(&story, 0)->environment, "LEVEL", "2");
	spec_at(&story, 0)->replicas = 3;
	story_plans(&story, "web updated 1>2\n"
			    "  image: \"busybox:1\" -> \"busybox:2\"\n"
			    "  environment.LEVEL: - -> \"2\"\n"
			    "  replicas: 2 -> 3\n"
			    "  replace shop/web.1 from alpha to alpha\n"
			    "  replace shop/web.2 from beta to beta\n"
			    "  start shop/web.3 to alpha\n");
	story_comes_true(&story);
	story_end(&story);
	(void)state;
}

static void a_change_in_place_touches_no_task(void **state)
{
	struct story story;
	begin(&story);
	up(&story);
	spec_at(&story, 0)->priority = 70;
	story_plans(&story, "web updated 1>1\n"
			    "  priority: 50 -> 70\n"
			    "  2 stay\n");
	story_end(&story);
	(void)state;
}

static void fewer_tasks_and_an_orphan(void **state)
{
	struct story story;
	begin(&story);
	story_job(&story, "old", 1);
	up(&story);
	story_project(&story, "shop");
	story_job(&story, "web", 1);
	story_plans(&story, "web scaled 1>1\n"
			    "  replicas: 2 -> 1\n"
			    "  stop shop/web.2 from beta\n"
			    "  1 stay\n"
			    "old orphan 1>1\n");
	story.request.remove_orphans = true;
	story_plans(&story, "web scaled 1>1\n"
			    "  replicas: 2 -> 1\n"
			    "  stop shop/web.2 from beta\n"
			    "  1 stay\n"
			    "old removed 1>1\n"
			    "  stop shop/old.1 from alpha\n");
	story_end(&story);
	(void)state;
}

static void more_tasks_than_machines_on_a_fixed_port(void **state)
{
	struct story story;
	begin(&story);
	publish(spec_at(&story, 0), 8080, 8080);
	spec_at(&story, 0)->replicas = 3;
	story_plans(&story,
		    "web created 0>1\n"
		    "  start shop/web.1 to alpha port 8080\n"
		    "  start shop/web.2 to beta port 8080\n"
		    "  start shop/web.3: no node has port 8080/tcp free: 2 of 2 have port 8080/tcp "
		    "taken by web itself (a fixed port takes one task per machine)\n"
		    "! 1 of 3 tasks of web would not run: no node has port 8080/tcp free: 2 of 2 "
		    "have port 8080/tcp taken by web itself (a fixed port takes one task per "
		    "machine)\n");
	story_comes_true(&story);
	story_end(&story);
	(void)state;
}

static void start_first_on_a_fixed_port_with_nowhere_to_go(void **state)
{
	struct story story;
	begin(&story);
	publish(spec_at(&story, 0), 8080, 8080);
	spec_at(&story, 0)->update.order = UPDATE_START_FIRST;
	up(&story);
	string_set(&spec_at(&story, 0)->image, "busybox:2");
	struct project_plan plan;
	struct err err;
	assert_int_equal(story_plan(&story, &plan, &err), ERR_NONE);
	assert_int_equal(plan.problems.n, 2);
	assert_non_null(strstr(plan.problems.items[0],
			       "1 of 2 tasks of web would not run: no node has port 8080/tcp"));
	assert_non_null(strstr(plan.problems.items[1], "the update of web would be paused"));
	record_release(&project_plan_type, &plan);
	story_end(&story);
	(void)state;
}

/* What runs to completion succeeds in a plan. */
static void who_waits_for_another(void **state)
{
	struct story story;
	begin(&story);
	struct job_spec *migrate = story_job(&story, "migrate", 1);
	migrate->mode = JOB_REPLICATED_JOB;
	story_depends(spec_at(&story, 0), "migrate", DEPEND_COMPLETED);
	story_plans(&story, "web created 0>1\n"
			    "  start shop/web.1 to alpha\n"
			    "  start shop/web.2 to beta\n"
			    "migrate created 0>1\n"
			    "  start shop/migrate.1 to alpha\n");
	story.succeed = "migrate";
	story_comes_true(&story);
	story_end(&story);
	(void)state;
}

/* ---- those who take turns ---- */

/* "shop/part", an array of so many indices, so many at a time. */
static void begin_array(struct story *story, int64_t size, int64_t concurrency)
{
	story_begin(story);
	story_join(story, "alpha");
	story_project(story, "shop");
	struct job_spec *spec = story_job(story, "part", size);
	spec->mode = JOB_REPLICATED_JOB;
	spec->concurrency = concurrency;
	spec->array = base_calloc(1, sizeof(struct array));
	struct index_range *range = list_add(&spec->array->indices, sizeof(*range));
	range->last = size - 1;
}

static void counts(struct story *story, int64_t starts, int64_t stops, int64_t listed)
{
	struct project_plan plan;
	struct err err;
	assert_int_equal(story_plan(story, &plan, &err), ERR_NONE);
	assert_int_equal(plan.problems.n, 0);
	assert_int_equal(plan.jobs.items[0].starts, starts);
	assert_int_equal(plan.jobs.items[0].stops, stops);
	assert_int_equal(plan.jobs.items[0].tasks.n, listed);
	record_release(&project_plan_type, &plan);
}

static void an_array(void **state)
{
	struct story story;
	begin_array(&story, 1000, 3);
	story_plans(&story, "part created 0>1\n"
			    "  start shop/part.1 to alpha\n"
			    "  start shop/part.2 to alpha\n"
			    "  start shop/part.3 to alpha\n"
			    "  997 more to start, 3 at a time\n");
	counts(&story, 1000, 0, 3);
	story_comes_true(&story);
	/* Nothing of what has its turn meanwhile is the request's. */
	for (int slot = 1; slot <= 300; slot++) {
		char name[32];
		text_print(name, sizeof(name), "shop/part.%d", slot);
		story_report(&story, name, TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	}
	story_plans(&story, "part unchanged 1>1\n"
			    "  3 stay\n"
			    "nothing changes\n");
	story_comes_true(&story);
	story_end(&story);
	(void)state;
}

static void an_array_that_changes_under_way(void **state)
{
	struct story story;
	begin_array(&story, 1000, 2);
	up(&story);
	for (int slot = 1; slot <= 300; slot++) {
		char name[32];
		text_print(name, sizeof(name), "shop/part.%d", slot);
		story_report(&story, name, TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	}
	spec_at(&story, 0)->concurrency = 4;
	story_plans(&story, "part updated 1>1\n"
			    "  concurrency: 2 -> 4\n"
			    "  start shop/part.303 to alpha\n"
			    "  start shop/part.304 to alpha\n"
			    "  2 stay\n");
	spec_at(&story, 0)->concurrency = 2;
	string_set(&spec_at(&story, 0)->image, "busybox:2");
	story_plans(&story, "part updated 1>2\n"
			    "  image: \"busybox:1\" -> \"busybox:2\"\n"
			    "  start shop/part.1 to alpha\n"
			    "  start shop/part.2 to alpha\n"
			    "  stop shop/part.301 from alpha\n"
			    "  stop shop/part.302 from alpha\n"
			    "  998 more to start, 2 at a time\n");
	counts(&story, 1000, 2, 4);
	story_comes_true(&story);
	story_end(&story);
	(void)state;
}

static void a_long_array_and_who_waits_for_it(void **state)
{
	struct story story;
	begin_array(&story, 200000, 1);
	story_depends(story_job(&story, "report", 1), "part", DEPEND_COMPLETED);
	story_plans(&story, "part created 0>1\n"
			    "  start shop/part.1 to alpha\n"
			    "  199999 more to start, 1 at a time\n"
			    "report created 0>1\n"
			    "  start shop/report.1 to alpha\n");
	story_end(&story);
	(void)state;
}

static void indices_without_room_wait_for_their_turn(void **state)
{
	struct story story;
	begin_array(&story, 100, 10);
	spec_at(&story, 0)->reservations.cpu_milli = 1000;
	counts(&story, 100, 0, 10);
	spec_at(&story, 0)->reservations.cpu_milli = 9000;
	struct project_plan plan;
	struct err err;
	assert_int_equal(story_plan(&story, &plan, &err), ERR_NONE);
	assert_int_equal(plan.problems.n, 1);
	record_release(&project_plan_type, &plan);
	story_end(&story);
	(void)state;
}

/* ---- what is under way ---- */

static void an_update_under_way_is_no_change(void **state)
{
	struct story story;
	begin(&story);
	spec_at(&story, 0)->replicas = 3;
	spec_at(&story, 0)->update.delay_ms = 3600000;
	up(&story);
	string_set(&spec_at(&story, 0)->image, "busybox:2");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 60000);
	story_plans(&story, "web unchanged 2>2\n"
			    "  replace shop/web.2 from beta to beta\n"
			    "  replace shop/web.3 from alpha to alpha\n"
			    "  1 stay\n"
			    "  all the same\n"
			    "nothing changes\n");
	story_comes_true(&story);
	story_end(&story);
	(void)state;
}

static void what_would_be_refused_is_refused(void **state)
{
	struct story story;
	begin(&story);
	string_set(&spec_at(&story, 0)->scheduler, "dice");
	struct project_plan plan;
	struct err err;
	assert_int_equal(story_plan(&story, &plan, &err), ERR_INVALID);
	assert_string_equal(err.field, "jobs[0].spec.scheduler");
	story_end(&story);
	(void)state;
}

/* Nodes are not judged in a time that only the copy sees. */
static void a_long_update_loses_no_machine(void **state)
{
	struct story story;
	begin(&story);
	spec_at(&story, 0)->update.delay_ms = 3600000;
	up(&story);
	string_set(&spec_at(&story, 0)->image, "busybox:2");
	struct project_plan plan;
	struct err err;
	assert_int_equal(story_plan(&story, &plan, &err), ERR_NONE);
	assert_int_equal(plan.problems.n, 0);
	assert_int_equal(plan.jobs.items[0].replaces, 2);
	assert_true(plan.lasts_ms >= 3600000 && plan.lasts_ms < 3700000);
	record_release(&project_plan_type, &plan);
	story_end(&story);
	(void)state;
}

static void a_machine_that_is_away(void **state)
{
	struct story story;
	begin(&story);
	up(&story);
	story_silence(&story, "beta");
	story_pass(&story, 3000);
	string_set(&spec_at(&story, 0)->image, "busybox:2");
	struct project_plan plan;
	struct err err;
	assert_int_equal(story_plan(&story, &plan, &err), ERR_NONE);
	assert_true(plan.jobs.items[0].tasks.n > 0);
	record_release(&project_plan_type, &plan);
	story_end(&story);
	(void)state;
}

static void an_apply_with_the_same_key_answers_no_plan(void **state)
{
	struct story story;
	begin(&story);
	struct manager_request request = { .kind = REQUEST_APPLY,
					   .caller = STORY_PLANNER,
					   .idempotency_key = STORY_PLANNER_KEY,
					   .project_request = &story.request };
	assert_int_equal(story_ask(&story, &request), ERR_NONE);
	story_plans(&story, "web unchanged 1>1\n"
			    "  2 stay\n"
			    "nothing changes\n");
	story_end(&story);
	(void)state;
}

/* ---- the basis ---- */

static void plan_basis(struct story *story)
{
	struct project_plan plan;
	struct err err;
	assert_int_equal(story_plan(story, &plan, &err), ERR_NONE);
	story->request.basis = base_calloc(1, sizeof(struct plan_basis));
	*story->request.basis = plan.basis;
	plan.basis = (struct plan_basis){ 0 };
	record_release(&project_plan_type, &plan);
}

static void refused(struct story *story, const char *why)
{
	char expected[200];
	text_print(expected, sizeof(expected), "the plan is out of date: %s", why);
	size_t n_changes = story->n_changes;
	assert_int_equal(story_apply(story), ERR_CONFLICT);
	assert_string_equal(story->reply->err.message, expected);
	assert_int_equal(story->n_changes, n_changes);
	story_end(story);
}

/* "shop/web", running, and a plan to give it another image. */
static void begin_planned(struct story *story)
{
	begin(story);
	up(story);
	string_set(&spec_at(story, 0)->image, "busybox:2");
	plan_basis(story);
}

static void a_plan_of_what_is_still_so_is_applied(void **state)
{
	struct story story;
	begin_planned(&story);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_effect(&story, "web", EFFECT_UPDATED);
	story_end(&story);
	(void)state;
}

static void another_revision(void **state)
{
	struct story story;
	begin_planned(&story);
	struct plan_basis *basis = story.request.basis;
	story.request.basis = NULL;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story.request.basis = basis;
	refused(&story, "shop/web is at revision 2, and the plan was made at 1");
	(void)state;
}

static void another_scale(void **state)
{
	struct story story;
	begin_planned(&story);
	story_scale(&story, "shop", "web", 4);
	refused(&story, "shop/web was scaled or changed in place since the plan");
	(void)state;
}

static void a_restart(void **state)
{
	struct story story;
	begin_planned(&story);
	story_act(&story, REQUEST_RESTART, "shop", "web");
	refused(&story, "shop/web was restarted since the plan");
	(void)state;
}

/* Its runs come and go by themselves; the plan of its specification holds all the same. */
static void but_not_a_run_of_a_schedule(void **state)
{
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	struct job_spec *spec = story_job(&story, "backup", 1);
	spec->mode = JOB_REPLICATED_JOB;
	spec->schedule = base_calloc(1, sizeof(struct schedule));
	string_set(&spec->schedule->cron, "* * * * *");
	story.succeed = "backup";
	assert_int_equal(story_apply(&story), ERR_NONE);
	string_set(&spec->image, "backup:2");
	plan_basis(&story);
	story_pass(&story, 120000);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_end(&story);
	(void)state;
}

static void a_stop(void **state)
{
	struct story story;
	begin_planned(&story);
	story_act(&story, REQUEST_STOP, "shop", "web");
	refused(&story, "shop/web was to run when the plan was made, and is to stop");
	(void)state;
}

static void a_job_gone(void **state)
{
	struct story story;
	begin_planned(&story);
	story_act(&story, REQUEST_REMOVE, "shop", "web");
	refused(&story, "shop/web is gone since the plan");
	(void)state;
}

static void a_new_node(void **state)
{
	struct story story;
	begin_planned(&story);
	story_join(&story, "gamma");
	story_run(&story);
	refused(&story, "node gamma has joined since the plan");
	(void)state;
}

static void a_drained_node(void **state)
{
	struct story story;
	begin_planned(&story);
	story_act_node(&story, REQUEST_NODE_DRAIN, "beta", false);
	refused(&story, "node beta is drained since the plan");
	(void)state;
}

static void another_label_of_a_node(void **state)
{
	struct story story;
	struct pairs set = { 0 };
	struct strings none = { 0 };
	begin_planned(&story);
	pairs_put(&set, "zone", "north");
	struct manager_request label = { .kind = REQUEST_NODE_LABEL,
					 .node = story_node(&story, "beta")->record.id,
					 .labels_set = &set,
					 .labels_remove = &none };
	assert_int_equal(story_ask(&story, &label), ERR_NONE);
	pairs_release(&set);
	refused(&story, "labels of node beta were changed since the plan");
	(void)state;
}

static void another_label_of_a_worker(void **state)
{
	struct story story;
	begin_planned(&story);
	story_set_label(&story, "alpha", "disk", "ssd");
	refused(&story, "labels of node alpha were changed since the plan");
	(void)state;
}

static void a_node_that_went_down(void **state)
{
	struct story story;
	begin_planned(&story);
	story_silence(&story, "beta");
	story_pass(&story, 60000);
	refused(&story, "node beta was ready when the plan was made, and is down");
	(void)state;
}

static void another_release_of_a_worker(void **state)
{
	struct story story;
	begin_planned(&story);
	story_set_protocol(&story, "beta", 1);
	refused(&story, "node beta has another size, name, platform or release since the plan");
	(void)state;
}

static void nodes_in_another_order(void **state)
{
	struct story story;
	begin_planned(&story);
	struct basis_node *nodes = story.request.basis->nodes.items;
	struct basis_node first = nodes[0];
	nodes[0] = nodes[1];
	nodes[1] = first;
	assert_int_equal(story_apply(&story), ERR_INVALID);
	assert_string_equal(story.reply->err.field, "basis.nodes");
	story_end(&story);
	(void)state;
}

static void a_node_less(void **state)
{
	struct story story;
	begin(&story);
	spec_at(&story, 0)->replicas = 1;
	up(&story);
	plan_basis(&story);
	story_act_node(&story, REQUEST_NODE_REMOVE, "beta", false);
	assert_int_equal(story.reply->err.code, ERR_NONE);
	refused(&story, "node beta has left since the plan");
	(void)state;
}

static void another_cluster(void **state)
{
	struct story story;
	begin_planned(&story);
	story.request.basis->cluster.bytes[3] ^= 1;
	assert_int_equal(story_apply(&story), ERR_CONFLICT);
	assert_string_equal(story.reply->err.message, "the plan was made for another cluster");
	story_end(&story);
	(void)state;
}

/* What waits for a machine is under way for as long as nobody knows; a schedule beside it changes something each
 * minute, and a plan still comes to its end. */
static void a_schedule_makes_no_plan_endless(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	story_job(&story, "web", 1);
	struct job_spec *spec = story_job(&story, "backup", 1);
	spec->mode = JOB_REPLICATED_JOB;
	spec->schedule = base_calloc(1, sizeof(struct schedule));
	string_set(&spec->schedule->cron, "* * * * *");
	up(&story);
	story_silence(&story, "alpha");
	story_pass(&story, 120 * 1000);
	string_set(&spec_at(&story, 0)->image, "busybox:2");
	struct project_plan plan;
	struct err err;
	assert_int_equal(story_plan(&story, &plan, &err), ERR_NONE);
	record_release(&project_plan_type, &plan);
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_project),
		cmocka_unit_test(nothing_to_change),
		cmocka_unit_test(a_change_field_by_field),
		cmocka_unit_test(a_change_in_place_touches_no_task),
		cmocka_unit_test(fewer_tasks_and_an_orphan),
		cmocka_unit_test(more_tasks_than_machines_on_a_fixed_port),
		cmocka_unit_test(start_first_on_a_fixed_port_with_nowhere_to_go),
		cmocka_unit_test(who_waits_for_another),
		cmocka_unit_test(an_array),
		cmocka_unit_test(an_array_that_changes_under_way),
		cmocka_unit_test(a_long_array_and_who_waits_for_it),
		cmocka_unit_test(indices_without_room_wait_for_their_turn),
		cmocka_unit_test(an_update_under_way_is_no_change),
		cmocka_unit_test(what_would_be_refused_is_refused),
		cmocka_unit_test(an_apply_with_the_same_key_answers_no_plan),
		cmocka_unit_test(a_long_update_loses_no_machine),
		cmocka_unit_test(a_machine_that_is_away),
		cmocka_unit_test(a_plan_of_what_is_still_so_is_applied),
		cmocka_unit_test(another_revision),
		cmocka_unit_test(another_scale),
		cmocka_unit_test(a_restart),
		cmocka_unit_test(but_not_a_run_of_a_schedule),
		cmocka_unit_test(a_stop),
		cmocka_unit_test(a_job_gone),
		cmocka_unit_test(a_new_node),
		cmocka_unit_test(a_drained_node),
		cmocka_unit_test(another_label_of_a_node),
		cmocka_unit_test(another_label_of_a_worker),
		cmocka_unit_test(a_node_that_went_down),
		cmocka_unit_test(another_release_of_a_worker),
		cmocka_unit_test(nodes_in_another_order),
		cmocka_unit_test(a_node_less),
		cmocka_unit_test(another_cluster),
		cmocka_unit_test(a_schedule_makes_no_plan_endless),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
