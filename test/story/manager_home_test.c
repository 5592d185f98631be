/* Projects whose jobs share a network: they run on one machine, stay together when it is lost or drained, and come
 * together again when they are apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "job/spec.h"
#include "manager_worker.h"

static const char *const machines[] = { "alpha", "beta", "gamma" };

static void attach(struct job_spec *spec)
{
	struct network_use *use = list_add(&spec->networks, sizeof(*use));
	record_init(&network_use_type, use);
	string_set(&use->network, "front");
}

static void add_network(struct story *story)
{
	struct network_spec *network = list_add(&story->request.networks, sizeof(*network));
	record_init(&network_spec_type, network);
	string_set(&network->key, "front");
}

/* "shop" of two jobs that share a network: web of two tasks, and another. */
static struct job_spec *begin(struct story *story, const char *other)
{
	story_begin(story);
	story_join(story, "alpha");
	story_project(story, "shop");
	add_network(story);
	attach(story_job(story, "web", 2));
	struct job_spec *spec = story_job(story, other, 1);
	attach(spec);
	return spec;
}

static void run_on_alpha(struct story *story)
{
	assert_int_equal(story_apply(story), ERR_NONE);
	story_join(story, "beta");
	story_pass(story, 2 * LIMIT_START_GRACE_MS);
	story_forget(story);
}

static int64_t count_on(struct story *story, const char *name)
{
	return manager_cluster(story->manager)->columns.tasks[story_node(story, name)->index];
}

static void all_wait_where_the_data_of_one_is(void **state)
{
	(void)state;
	for (int drained = 0; drained < 2; drained++) {
		struct story story;
		story_mount(&story, begin(&story, "db"), "data");
		run_on_alpha(&story);
		if (drained)
			assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false),
					 ERR_NONE);
		else
			story_silence(&story, "alpha");
		story_pass(&story, 600 * 1000);
		assert_int_equal(count_on(&story, "beta"), 0);
		if (drained)
			story_why(&story, "shop/web.1", TASK_PENDING, REASON_NO_NODE_FITS,
				  "project shop shares a network, so its tasks run on alpha only: "
				  "1 of 2 is draining, 1 is not alpha");
		if (drained)
			assert_int_equal(
				story_act_node(&story, REQUEST_NODE_RESUME, "alpha", false),
				ERR_NONE);
		else
			story_return(&story, "alpha");
		story_pass(&story, 60 * 1000);
		assert_int_equal(count_on(&story, "alpha"), 3);
		story_stands(&story, "shop/web", STANDING_RUNNING, "2 of 2 ready");
		story_stands(&story, "shop/db", STANDING_RUNNING, "1 of 1 ready");
		story_end(&story);
	}
}

/* What had to wait for its lease is still there when its machine returns; the others are not. */
static void who_came_apart_comes_together_again(void **state)
{
	(void)state;
	struct story story;
	begin(&story, "api")->on_disconnect = ON_DISCONNECT_STOP;
	run_on_alpha(&story);
	story_silence(&story, "alpha");
	story_pass(&story, 30 * 1000);
	assert_int_equal(count_on(&story, "beta"), 2);
	story_forget(&story);
	story_return(&story, "alpha");
	story_pass(&story, 60 * 1000);
	assert_int_equal(count_on(&story, "alpha"), 0);
	assert_int_equal(count_on(&story, "beta"), 3);
	assert_non_null(strstr(text_string(&story.told), "shop/api.1 stopping: no_longer_fits"));
	story_end(&story);
}

static void without_docker_for_long_a_machine_is_no_home(void **state)
{
	(void)state;
	struct story story;
	begin(&story, "api");
	run_on_alpha(&story);
	story_set_runtime(&story, "alpha", false);
	story_pass(&story, LIMIT_RUNTIME_GRACE_MS - 1);
	assert_int_equal(count_on(&story, "beta"), 0);
	story_pass(&story, 1000);
	assert_int_equal(count_on(&story, "beta"), 3);
	story_end(&story);
}

/* Alone they went where they liked. */
static void who_is_joined_by_others_comes_to_them(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_join(&story, "beta");
	story_project(&story, "shop");
	add_network(&story);
	attach(story_job(&story, "web", 4));
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 60 * 1000);
	assert_int_equal(count_on(&story, "alpha"), 2);
	assert_int_equal(count_on(&story, "beta"), 2);
	attach(story_job(&story, "api", 1));
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 60 * 1000);
	assert_true(count_on(&story, "alpha") == 5 || count_on(&story, "beta") == 5);
	story_end(&story);
}

/* Stopped is only who fits at home; the others follow when there is room. */
static void nobody_is_stopped_for_a_home_without_room(void **state)
{
	(void)state;
	struct story story;
	const int64_t gb = 1LL << 30;
	story_begin(&story);
	story_join_with(&story, "alpha", 4 * gb);
	story_join_with(&story, "beta", 4 * gb);
	story_project(&story, "shop");
	add_network(&story);
	struct job_spec *web = story_job(&story, "web", 2);
	attach(web);
	web->reservations.memory_bytes = 3 * gb;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 60 * 1000);
	attach(story_job(&story, "api", 1));
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 60 * 1000);
	assert_int_equal(count_on(&story, "alpha") + count_on(&story, "beta"), 3);
	story_stands(&story, "shop/web", STANDING_RUNNING, "2 of 2 ready");
	story_end(&story);
}

/* ---- one of them may not be where they are any more ---- */

static const char zone_b[] = "node.labels.zone==b";

/* "shop" of web (2) and another that may be in zone b only, together on alpha, which is; nobody else is. */
static struct job_spec *begin_in_zone(struct story *story, const char *other)
{
	struct job_spec *spec = begin(story, other);
	strings_add(&spec->placement.constraints, zone_b);
	story_set_label(story, "alpha", "zone", "b");
	return spec;
}

static void label(struct story *story, const char *name, const char *zone)
{
	story_set_label(story, name, "zone", zone);
	story_pass(story, 1000);
}

static void all_move_to_where_all_may_be(void **state)
{
	(void)state;
	struct story story;
	begin_in_zone(&story, "db");
	run_on_alpha(&story);
	story_join(&story, "gamma");
	label(&story, "gamma", "b");
	assert_int_equal(count_on(&story, "alpha"), 3);
	story_forget(&story);
	story_set_label(&story, "alpha", "zone", "a");
	story_pass(&story, 60 * 1000);
	story_tells(&story,
		    "shop/db.1 stopping: no_longer_fits\n"
		    "job shop/db is pending: 0 of 1 ready; db.1 is stopping: no_longer_fits\n"
		    "shop/db.1 completed: no_longer_fits\n"
		    "shop/db.1 scheduled on gamma\n"
		    "shop/web.1 stopping: no_longer_fits\n"
		    "job shop/web is pending: 1 of 2 ready; web.1 is stopping: no_longer_fits\n"
		    "shop/db.1 running\n"
		    "job shop/db is running: 1 of 1 ready\n"
		    "shop/web.1 completed: no_longer_fits\n"
		    "shop/web.1 scheduled on gamma\n"
		    "shop/web.1 running\n"
		    "shop/web.2 stopping: no_longer_fits\n"
		    "shop/web.2 completed: no_longer_fits\n"
		    "shop/web.2 scheduled on gamma\n"
		    "shop/web.2 running\n"
		    "job shop/web is running: 2 of 2 ready\n");
	assert_int_equal(count_on(&story, "gamma"), 3);
	story_end(&story);
}

static void nobody_moves_where_no_machine_takes_all(void **state)
{
	(void)state;
	struct story story;
	const int64_t gb = 1LL << 30;
	struct job_spec *db = begin_in_zone(&story, "db");
	db->reservations.memory_bytes = 2 * gb;
	story.request.jobs.items[0].spec.reservations.memory_bytes = gb;
	run_on_alpha(&story);
	story_join_with(&story, "gamma", 3 * gb);
	label(&story, "gamma", "b");
	story_forget(&story);
	label(&story, "alpha", "a");
	story_pass(&story, 600 * 1000);
	assert_int_equal(count_on(&story, "alpha"), 2);
	story_why(&story, "shop/db.1", TASK_PENDING, REASON_NO_NODE_FITS,
		  "project shop shares a network, and no node takes all of it: 2 of 3 do not match "
		  "node.labels.zone==b (db), 1 lacks memory (4 GB asked, largest has 3 GB free of "
		  "3 GB)");
	story_stands(&story, "shop/web", STANDING_RUNNING, "2 of 2 ready");
	/* The first machine that takes all is the one. */
	story_join(&story, "delta");
	label(&story, "delta", "b");
	story_pass(&story, 60 * 1000);
	assert_int_equal(count_on(&story, "delta"), 3);
	story_end(&story);
}

static void a_constraint_of_a_new_revision_moves_all(void **state)
{
	(void)state;
	struct story story;
	begin(&story, "db");
	run_on_alpha(&story);
	label(&story, "beta", "b");
	strings_add(&story.request.jobs.items[1].spec.placement.constraints, zone_b);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 60 * 1000);
	assert_int_equal(count_on(&story, "beta"), 3);
	story_stands(&story, "shop/web", STANDING_RUNNING, "2 of 2 ready");
	story_stands(&story, "shop/db", STANDING_RUNNING, "1 of 1 ready");
	story_end(&story);
}

/* Data does not move, so nobody does. */
static void a_volume_keeps_all_and_says_so(void **state)
{
	(void)state;
	struct story story;
	begin_in_zone(&story, "db");
	story_mount(&story, &story.request.jobs.items[0].spec, "data");
	run_on_alpha(&story);
	label(&story, "beta", "b");
	label(&story, "alpha", "a");
	story_pass(&story, 600 * 1000);
	assert_int_equal(count_on(&story, "alpha"), 2);
	assert_int_equal(count_on(&story, "beta"), 0);
	story_why(&story, "shop/db.1", TASK_PENDING, REASON_NO_NODE_FITS,
		  "project shop shares a network, and no node takes all of it: 1 of 2 does not "
		  "match node.labels.zone==b (db), 1 has not volume shop_data (web)");
	label(&story, "alpha", "b");
	story_pass(&story, 60 * 1000);
	assert_int_equal(count_on(&story, "alpha"), 3);
	story_end(&story);
}

/* Each word of the operator moves them once at most; without one nothing moves. */
static void labels_that_change_back_and_forth_move_nobody_back(void **state)
{
	(void)state;
	struct story story;
	begin_in_zone(&story, "db");
	run_on_alpha(&story);
	label(&story, "beta", "b");
	for (int i = 0; i < 6; i++) {
		label(&story, "alpha", "a");
		story_pass(&story, 300 * 1000);
		assert_int_equal(count_on(&story, "beta"), 3);
		label(&story, "alpha", "b");
		story_pass(&story, 300 * 1000);
		assert_int_equal(count_on(&story, "beta"), 3);
	}
	assert_int_equal(story_count(&story, "shop/web"), 4);
	assert_int_equal(story_count(&story, "shop/db"), 2);
	/* Flipped faster than they move they come to rest together. */
	for (int i = 0; i < 31; i++) {
		story_set_label(&story, i % 2 ? "alpha" : "beta", "zone", "b");
		story_set_label(&story, i % 2 ? "beta" : "alpha", "zone", "a");
		story_run(&story);
	}
	story_pass(&story, 60 * 1000);
	assert_int_equal(count_on(&story, "beta"), 3);
	story_forget(&story);
	story_pass(&story, 3600 * 1000);
	story_tells(&story, "");
	story_end(&story);
}

static void a_restart_in_the_midst_changes_nothing(void **state)
{
	(void)state;
	struct story story;
	begin_in_zone(&story, "db");
	run_on_alpha(&story);
	story_join(&story, "gamma");
	label(&story, "gamma", "b");
	story.hold_start = "web";
	label(&story, "alpha", "a");
	story_pass(&story, 60 * 1000);
	/* The first of web is on its way, and the next waits for it. */
	assert_int_equal(count_on(&story, "gamma"), 2);
	assert_int_equal(count_on(&story, "alpha"), 1);
	story_restart(&story);
	story_pass(&story, 2 * LIMIT_START_GRACE_MS);
	assert_int_equal(count_on(&story, "gamma"), 2);
	assert_int_equal(count_on(&story, "alpha"), 1);
	story.hold_start = NULL;
	story_report(&story, "shop/web.1", TASK_RUNNING, REASON_NONE, NULL);
	story_pass(&story, 60 * 1000);
	assert_int_equal(count_on(&story, "gamma"), 3);
	story_end(&story);
}

/* A machine that is being drained takes nobody; and once they are there, they go on to the next. */
static void a_machine_that_is_drained_is_not_gone_to(void **state)
{
	(void)state;
	struct story story;
	begin_in_zone(&story, "db");
	run_on_alpha(&story);
	label(&story, "beta", "b");
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "beta", false), ERR_NONE);
	label(&story, "alpha", "a");
	story_pass(&story, 600 * 1000);
	assert_int_equal(count_on(&story, "alpha"), 2);
	story_why(
		&story, "shop/db.1", TASK_PENDING, REASON_NO_NODE_FITS,
		"project shop shares a network, and no node takes all of it: 1 of 2 does not match "
		"node.labels.zone==b (db), 1 is draining");
	assert_int_equal(story_act_node(&story, REQUEST_NODE_RESUME, "beta", false), ERR_NONE);
	story_pass(&story, 60 * 1000);
	assert_int_equal(count_on(&story, "beta"), 3);
	story_join(&story, "gamma");
	label(&story, "gamma", "b");
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "beta", false), ERR_NONE);
	story_pass(&story, 60 * 1000);
	assert_int_equal(count_on(&story, "gamma"), 3);
	story_end(&story);
}

/* The first to be placed goes to where all may be, also where it alone could be elsewhere. */
static void all_begin_where_all_may_be(void **state)
{
	(void)state;
	struct story story;
	begin_in_zone(&story, "db");
	story_set_label(&story, "alpha", "zone", "a");
	story_join(&story, "beta");
	story_set_label(&story, "beta", "zone", "b");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 60 * 1000);
	assert_int_equal(count_on(&story, "beta"), 3);
	story_end(&story);
}

/* Each is where the others may not be: then all go to a third machine. */
static void who_are_joined_meet_where_all_may_be(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_join(&story, "beta");
	story_set_label(&story, "beta", "zone", "b");
	story_project(&story, "shop");
	add_network(&story);
	struct job_spec *web = story_job(&story, "web", 2);
	attach(web);
	strings_add(&web->placement.constraints, "node.hostname!=beta");
	strings_add(&story_job(&story, "db", 1)->placement.constraints, zone_b);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 60 * 1000);
	assert_int_equal(count_on(&story, "alpha"), 2);
	assert_int_equal(count_on(&story, "beta"), 1);
	attach(&story.request.jobs.items[1].spec);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 60 * 1000);
	assert_int_equal(count_on(&story, "alpha"), 2);
	story_join(&story, "gamma");
	story_set_label(&story, "gamma", "zone", "b");
	story_pass(&story, 60 * 1000);
	assert_int_equal(count_on(&story, "gamma"), 3);
	story_end(&story);
}

static void take_port(struct job_spec *spec, int64_t number)
{
	struct port *port = list_add(&spec->ports, sizeof(*port));
	record_init(&port_type, port);
	port->container_port = 80;
	port->host_first = number;
	port->host_last = number;
}

/* What is of them there counts as free, but has to end first. */
static void who_waits_for_one_of_them_to_end_goes_nowhere_else(void **state)
{
	(void)state;
	struct story story;
	take_port(begin_in_zone(&story, "db"), 80);
	story.request.jobs.items[0].spec.replicas = 1;
	run_on_alpha(&story);
	story.hold_stop = "db";
	story.request.jobs.items[1].spec.ports.items[0].host_first = 81;
	story.request.jobs.items[1].spec.ports.items[0].host_last = 81;
	take_port(&story.request.jobs.items[0].spec, 80);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 60 * 1000);
	story_why(&story, "shop/web.1", TASK_PENDING, REASON_NO_NODE_FITS,
		  "project shop shares a network, so its tasks run on a node that takes them all: "
		  "1 of "
		  "2 has port 80/tcp taken by shop/db.1, 1 does not");
	story.hold_stop = NULL;
	story_pass(&story, 60 * 1000);
	assert_int_equal(count_on(&story, "alpha"), 2);
	story_end(&story);
}

/* One that was scaled away on a machine that is lost may never confirm that it has ended. */
static void who_is_lost_keeps_nobody_apart(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_join(&story, "beta");
	story_join(&story, "gamma");
	story_project(&story, "shop");
	add_network(&story);
	attach(story_job(&story, "web", 3));
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 60 * 1000);
	const struct task *last = story_task(&story, "shop/web.3");
	char lost[32];
	text_print(lost, sizeof(lost), "%s",
		   cluster_node(manager_cluster(story.manager), last->desired.node)
			   ->record.facts.hostname);
	assert_int_equal(count_on(&story, lost), 1);
	story_silence(&story, lost);
	assert_int_equal(story_scale(&story, "shop", "web", 2), ERR_NONE);
	story_pass(&story, 60 * 1000);
	assert_true(last->unreachable);
	story.request.jobs.items[0].spec.replicas = 2;
	attach(story_job(&story, "api", 1));
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 60 * 1000);
	assert_int_equal(story_count(&story, "shop/web"), 4);
	for (size_t i = 0; i < ARRAY_LEN(machines); i++)
		assert_true(strcmp(machines[i], lost) == 0 || count_on(&story, machines[i]) == 0 ||
			    count_on(&story, machines[i]) == 3);
	story_end(&story);
}

/* The revision that is gone back to is in a network that others have joined meanwhile. */
static void a_way_back_brings_them_together(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_join(&story, "beta");
	story_project(&story, "shop");
	add_network(&story);
	attach(story_job(&story, "web", 4));
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 60 * 1000);
	story_project(&story, "shop");
	add_network(&story);
	story_job(&story, "web", 4)->update.failure_action = UPDATE_ROLLBACK;
	attach(story_job(&story, "api", 4));
	story.hold_start = "web";
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(count_on(&story, "alpha"), 4);
	assert_int_equal(count_on(&story, "beta"), 4);
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 1");
	story.hold_start = NULL;
	story_pass(&story, 120 * 1000);
	assert_int_equal(story_task(&story, "shop/web.4")->desired.revision, 1);
	assert_true(count_on(&story, "alpha") == 8 || count_on(&story, "beta") == 8);
	story_end(&story);
}

/* What it has not come to is kept at its revision, and belongs together with the others all the same. */
static void a_paused_update_keeps_nobody_apart(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_join(&story, "beta");
	story_project(&story, "shop");
	add_network(&story);
	struct job_spec *web = story_job(&story, "web", 4);
	attach(web);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 60 * 1000);
	assert_int_equal(count_on(&story, "alpha"), 2);
	string_set(&web->image, "busybox:2");
	story.hold_start = "web";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_report(&story, "shop/web.1", TASK_RUNNING, REASON_NONE, NULL);
	story_report(&story, "shop/web.2", TASK_RUNNING, REASON_NONE, NULL);
	story_report(&story, "shop/web.3", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 1");
	story.hold_start = NULL;
	story_pass(&story, 60 * 1000);
	assert_int_equal(story_task(&story, "shop/web.1")->desired.revision, 2);
	assert_int_equal(story_task(&story, "shop/web.2")->desired.revision, 2);
	assert_int_equal(story_task(&story, "shop/web.4")->desired.revision, 1);
	assert_true(count_on(&story, "alpha") && count_on(&story, "beta"));
	attach(story_job(&story, "api", 1));
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 60 * 1000);
	assert_true(count_on(&story, "alpha") == 4 || count_on(&story, "beta") == 4);
	assert_int_equal(story_task(&story, "shop/web.2")->desired.revision, 2);
	assert_int_equal(story_task(&story, "shop/web.4")->desired.revision, 1);
	story_end(&story);
}

/* Home is where most of them are: who stays behind when one of them ends follows the others. */
static void an_end_that_moves_home_moves_who_is_left_there(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_join(&story, "beta");
	story_project(&story, "shop");
	add_network(&story);
	struct job_spec *web = story_job(&story, "web", 1);
	attach(web);
	web->on_disconnect = ON_DISCONNECT_STOP;
	struct job_spec *api = story_job(&story, "api", 2);
	attach(api);
	api->on_disconnect = ON_DISCONNECT_STOP;
	take_port(api, 80);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false), ERR_NONE);
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_RESUME, "alpha", false), ERR_NONE);
	story_pass(&story, 2 * LIMIT_START_GRACE_MS);
	assert_int_equal(count_on(&story, "beta"), 2);
	story_silence(&story, "beta");
	story_pass(&story, 30 * 1000);
	assert_int_equal(count_on(&story, "alpha"), 1);
	story_return(&story, "beta");
	story_pass(&story, 60 * 1000);
	assert_int_equal(count_on(&story, "alpha"), 1);
	assert_int_equal(count_on(&story, "beta"), 2);
	story_forget(&story);
	story_report(&story, "shop/api.1", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 1");
	story_pass(&story, 60 * 1000);
	assert_int_equal(count_on(&story, "alpha"), 2);
	assert_int_equal(count_on(&story, "beta"), 0);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_wait_where_the_data_of_one_is),
		cmocka_unit_test(who_came_apart_comes_together_again),
		cmocka_unit_test(without_docker_for_long_a_machine_is_no_home),
		cmocka_unit_test(who_is_joined_by_others_comes_to_them),
		cmocka_unit_test(nobody_is_stopped_for_a_home_without_room),
		cmocka_unit_test(all_move_to_where_all_may_be),
		cmocka_unit_test(nobody_moves_where_no_machine_takes_all),
		cmocka_unit_test(a_constraint_of_a_new_revision_moves_all),
		cmocka_unit_test(a_volume_keeps_all_and_says_so),
		cmocka_unit_test(labels_that_change_back_and_forth_move_nobody_back),
		cmocka_unit_test(a_restart_in_the_midst_changes_nothing),
		cmocka_unit_test(a_machine_that_is_drained_is_not_gone_to),
		cmocka_unit_test(all_begin_where_all_may_be),
		cmocka_unit_test(who_are_joined_meet_where_all_may_be),
		cmocka_unit_test(who_waits_for_one_of_them_to_end_goes_nowhere_else),
		cmocka_unit_test(who_is_lost_keeps_nobody_apart),
		cmocka_unit_test(a_way_back_brings_them_together),
		cmocka_unit_test(a_paused_update_keeps_nobody_apart),
		cmocka_unit_test(an_end_that_moves_home_moves_who_is_left_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
