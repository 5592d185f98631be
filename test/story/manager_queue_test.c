/* The queue: order, priorities, what is parked and what wakes it; volumes tied to nodes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "manager_story.h"

#define GB (1LL << 30)

static void begin(struct story *story)
{
	story_begin(story);
	story_join(story, "alpha");
	story_forget(story);
	story_project(story, "shop");
}

static struct job_spec *job_of_size(struct story *story, const char *name, int64_t memory_bytes)
{
	struct job_spec *spec = story_job(story, name, 1);
	spec->reservations.memory_bytes = memory_bytes;
	return spec;
}

static void tasks_are_placed_first_in_first_out(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	job_of_size(&story, "b", 6 * GB);
	job_of_size(&story, "a", 6 * GB);
	job_of_size(&story, "c", 1 * GB);
	assert_int_equal(story_apply(&story), ERR_NONE);
	/* b was asked for first; a does not fit any more, and does not stop c. */
	story_tells(&story, "job shop/b revision 1 accepted\n"
			    "job shop/a revision 1 accepted\n"
			    "job shop/c revision 1 accepted\n"
			    "shop/b.1 scheduled on alpha\n"
			    "shop/a.1 waits: no node has 6 GB of memory free: 1 of 1 lacks memory "
			    "(largest has 2 GB free of 8 GB)\n"
			    "shop/c.1 scheduled on alpha\n"
			    "shop/b.1 running\n"
			    "shop/c.1 running\n"
			    "job shop/b is running: 1 of 1 ready\n"
			    "job shop/c is running: 1 of 1 ready\n");
	story_end(&story);
}

static void a_higher_priority_is_placed_first(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	job_of_size(&story, "low", 6 * GB);
	job_of_size(&story, "high", 6 * GB)->priority = 80;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_why(&story, "shop/high.1", TASK_RUNNING, REASON_RUNNING, "running on alpha");
	story_why(&story, "shop/low.1", TASK_PENDING, REASON_NO_NODE_FITS,
		  "no node has 6 GB of memory free: 1 of 1 lacks memory (largest has 2 GB free of "
		  "8 GB)");
	story_end(&story);
}

static void a_priority_changed_in_place_changes_the_order_of_what_waits(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_project(&story, "shop");
	job_of_size(&story, "one", 6 * GB);
	struct job_spec *two = job_of_size(&story, "two", 6 * GB);
	assert_int_equal(story_apply(&story), ERR_NONE);
	two->priority = 51;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_effect(&story, "two", EFFECT_UPDATED);
	story_join(&story, "alpha");
	story_why(&story, "shop/two.1", TASK_RUNNING, REASON_RUNNING, "running on alpha");
	story_end(&story);
}

static void without_a_node_everything_waits_for_one(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_project(&story, "shop");
	story_job(&story, "web", 1);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_why(&story, "shop/web.1", TASK_PENDING, REASON_NO_NODE_FITS,
		  "no node has joined yet");
	story_forget(&story);
	story_join(&story, "alpha");
	story_tells(&story, "node alpha joined\n"
			    "node alpha is ready\n"
			    "shop/web.1 scheduled on alpha\n"
			    "shop/web.1 running\n"
			    "job shop/web is running: 1 of 1 ready\n");
	story_end(&story);
}

static void freed_room_wakes_what_is_parked_in_order(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	job_of_size(&story, "first", 6 * GB);
	job_of_size(&story, "second", 6 * GB);
	job_of_size(&story, "third", 6 * GB);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_forget(&story);
	assert_int_equal(story_act(&story, REQUEST_STOP, "shop", "first"), ERR_NONE);
	story_tells(&story, "job shop/first is to stop\n"
			    "shop/first.1 stopping: stopped\n"
			    "job shop/first is stopped: 1 task is not confirmed gone\n"
			    "shop/first.1 completed: stopped\n"
			    "shop/second.1 scheduled on alpha\n"
			    "shop/second.1 running\n"
			    "job shop/second is running: 1 of 1 ready\n");
	story_end(&story);
}

static void room_is_free_only_when_the_container_is_confirmed_gone(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	job_of_size(&story, "first", 6 * GB);
	job_of_size(&story, "second", 6 * GB);
	story.hold_stop = "first";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_act(&story, REQUEST_STOP, "shop", "first");
	story_pass(&story, 60000);
	assert_int_equal(story_task(&story, "shop/second.1")->state, TASK_PENDING);
	story.hold_stop = NULL;
	story_pass(&story, 2000);
	assert_int_equal(story_task(&story, "shop/second.1")->state, TASK_RUNNING);
	story_end(&story);
}

static void a_changed_node_wakes_what_is_parked(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	strings_add(&story_job(&story, "web", 1)->placement.constraints, "node.labels.disk==ssd");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_why(&story, "shop/web.1", TASK_PENDING, REASON_NO_NODE_FITS,
		  "no node matches node.labels.disk==ssd: 1 of 1 does not match "
		  "node.labels.disk==ssd");
	story_forget(&story);
	story_set_label(&story, "alpha", "disk", "ssd");
	story_tells(&story, "shop/web.1 scheduled on alpha\n"
			    "shop/web.1 running\n"
			    "job shop/web is running: 1 of 1 ready\n");
	story_end(&story);
}

static void a_class_that_fits_nowhere_is_asked_for_once_per_wake(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	job_of_size(&story, "many", 3 * GB)->replicas = 500;
	assert_int_equal(story_apply(&story), ERR_NONE);
	/* Two fit; the other 498 are parked with one sentence and one note. */
	story_why(&story, "shop/many.500", TASK_PENDING, REASON_NO_NODE_FITS,
		  "no node has 3 GB of memory free: 1 of 1 lacks memory (largest has 2 GB free of "
		  "8 GB)");
	story_tells(&story,
		    "job shop/many revision 1 accepted\n"
		    "shop/many.1 scheduled on alpha\n"
		    "shop/many.2 scheduled on alpha\n"
		    "shop/many.3 waits: no node has 3 GB of memory free: 1 of 1 lacks memory "
		    "(largest has 2 GB free of 8 GB)\n"
		    "shop/many.1 running\n"
		    "shop/many.2 running\n");
	story_end(&story);
}

static void nothing_wakes_a_manager_that_has_nothing_to_do(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	assert_true(story.out.deadline_ms == INT64_MAX);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	story_job(&story, "web", 3);
	assert_int_equal(story_apply(&story), ERR_NONE);
	/* It looks at its node's silence, and at whether it stood still itself; nothing comes of it. */
	size_t n_changes = story.n_changes;
	for (int i = 0; i < 20; i++) {
		story_pass(&story, 2000);
		assert_true(story.out.deadline_ms >=
			    story.now_ms + story.options.node_silent_ms / 4);
	}
	assert_int_equal(story.n_changes, n_changes);
	story_end(&story);
}

static void what_is_parked_is_swept_every_five_seconds(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	/* The node is not what it wakes up for. */
	story.options.node_silent_ms = 3600 * 1000;
	story_restart(&story);
	story_return(&story, "alpha");
	job_of_size(&story, "big", 64 * GB);
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(story.out.deadline_ms, story.now_ms + 5000);
	story_act(&story, REQUEST_STOP, "shop", "big");
	assert_true(story.out.deadline_ms > story.now_ms + 5000);
	story_end(&story);
}

static void a_fixed_port_is_one_task_per_node_and_a_range_is_a_pool(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	struct job_spec *web = story_job(&story, "web", 2);
	struct port *port = list_add(&web->ports, sizeof(*port));
	*port = (struct port){ .host_first = 8080, .host_last = 8080, .container_port = 80 };
	struct job_spec *pool = story_job(&story, "pool", 3);
	port = list_add(&pool->ports, sizeof(*port));
	*port = (struct port){ .host_first = 9000, .host_last = 9001, .container_port = 80 };
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(task_rare(story_task(&story, "shop/web.1"))->ports.items[0].host_port,
			 8080);
	assert_int_equal(story_task(&story, "shop/web.2")->state, TASK_PENDING);
	assert_int_equal(task_rare(story_task(&story, "shop/pool.1"))->ports.items[0].host_port,
			 9000);
	assert_int_equal(task_rare(story_task(&story, "shop/pool.2"))->ports.items[0].host_port,
			 9001);
	assert_int_equal(story_task(&story, "shop/pool.3")->state, TASK_PENDING);
	/* An update goes through, though one of the two never fits: the port goes to who waited longest. */
	string_set(&story.request.jobs.items[0].spec.image, "busybox:2");
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_PENDING);
	assert_int_equal(story_task(&story, "shop/web.2")->state, TASK_RUNNING);
	assert_int_equal(story_task(&story, "shop/web.2")->desired.revision, 2);
	story_end(&story);
}

static void the_first_placement_ties_a_volume_to_its_node(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_mount(&story, story_job(&story, "db", 1), "data");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_tells(&story, "job shop/db revision 1 accepted\n"
			    "volume shop_data lives on alpha\n"
			    "shop/db.1 scheduled on alpha\n"
			    "shop/db.1 running\n"
			    "job shop/db is running: 1 of 1 ready\n");
	/* While its node is down the task waits, however much room there is elsewhere. */
	story_join(&story, "beta");
	story_silence(&story, "alpha");
	story_forget(&story);
	story_pass(&story, 20000);
	assert_true(story_task(&story, "shop/db.1")->unreachable);
	assert_int_equal(story_task(&story, "shop/db.1")->state, TASK_RUNNING);
	story_act(&story, REQUEST_RESTART, "shop", "db");
	story_pass(&story, 60000);
	assert_int_equal(story_task(&story, "shop/db.1")->desired.restarts_asked, 0);
	story_return(&story, "alpha");
	assert_int_equal(story_task(&story, "shop/db.1")->desired.restarts_asked, 1);
	story_end(&story);
}

static void a_volume_in_use_is_not_removed_and_one_that_is_free_is(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_mount(&story, story_job(&story, "db", 1), "data");
	assert_int_equal(story_apply(&story), ERR_NONE);
	struct manager_request request = { .kind = REQUEST_VOLUME_REMOVE, .volume = "shop_data" };
	assert_int_equal(story_ask(&story, &request), ERR_CONFLICT);
	assert_string_equal(story.reply->err.message, "volume shop_data is used by job shop/db");
	story_act(&story, REQUEST_REMOVE, "shop", NULL);
	story_refuse_volumes(&story, "alpha",
			     "volume shop_data cannot be removed: in use by container 12ab");
	story_forget(&story);
	assert_int_equal(story_ask(&story, &request), ERR_NONE);
	story_pass(&story, 2000);
	story_tells(&story, "volume shop_data is to be removed\n"
			    "volume shop_data cannot be removed: in use by container 12ab\n");
	story_refuse_volumes(&story, "alpha", NULL);
	/* Nobody may use it meanwhile. */
	assert_int_equal(story_apply(&story), ERR_CONFLICT);
	assert_string_equal(story.reply->err.message, "volume shop_data is still being removed");
	story_pass(&story, 2000);
	story_tells(&story, "volume shop_data removed\n");
	assert_int_equal(story_apply(&story), ERR_NONE);
	request.volume = "nosuch";
	assert_int_equal(story_ask(&story, &request), ERR_NOT_FOUND);
	story_end(&story);
}

static void down_with_volumes_removes_what_nobody_else_uses(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_mount(&story, story_job(&story, "db", 1), "data");
	story_mount(&story, story_job(&story, "web", 1), "files");
	string_set(&story.request.volumes.items[1].name, "files");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_project(&story, "other");
	story_mount(&story, story_job(&story, "web", 1), "mine");
	string_set(&story.request.volumes.items[0].name, "files");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_forget(&story);
	struct manager_request request = { .kind = REQUEST_REMOVE,
					   .project = "shop",
					   .with_volumes = true };
	assert_int_equal(story_ask(&story, &request), ERR_NONE);
	assert_null(cluster_volume(manager_cluster(story.manager), "shop_data"));
	assert_non_null(cluster_volume(manager_cluster(story.manager), "files"));
	story_end(&story);
}

static void a_volume_removal_survives_the_manager(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_mount(&story, story_job(&story, "db", 1), "data");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_silence(&story, "alpha");
	struct manager_request request = { .kind = REQUEST_REMOVE,
					   .project = "shop",
					   .with_volumes = true };
	assert_int_equal(story_ask(&story, &request), ERR_NONE);
	story_restart(&story);
	story_pass(&story, 60000);
	assert_true(cluster_volume(manager_cluster(story.manager), "shop_data")->removing);
	story_forget(&story);
	story_return(&story, "alpha");
	story_tells(&story, "node alpha is ready\n"
			    "shop/db.1 completed: removed\n"
			    "shop/db.1 removed\n"
			    "job shop/db removed\n"
			    "project shop removed\n"
			    "volume shop_data removed\n");
	story_end(&story);
}

static struct network_use *join_network(struct job_spec *spec)
{
	struct network_use *use = list_add(&spec->networks, sizeof(*use));
	string_set(&use->network, "net");
	return use;
}

/* Both need the same Docker, each for what it asks for itself. */
static void what_needs_a_newer_docker_is_told_of_its_own_key(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	struct job_spec *spec = story_job(&story, "a", 1);
	spec->isolation = base_calloc(1, sizeof(*spec->isolation));
	strings_add(&spec->isolation->security_opt, "writable-cgroups=true");
	join_network(spec);
	spec = story_job(&story, "b", 1);
	struct network_use *use = join_network(spec);
	use->endpoint = base_calloc(1, sizeof(*use->endpoint));
	use->endpoint->gateway_priority = 1;
	struct network_spec *network = list_add(&story.request.networks, sizeof(*network));
	record_init(&network_spec_type, network);
	string_set(&network->key, "net");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_why(&story, "shop/a.1", TASK_PENDING, REASON_NO_NODE_FITS,
		  "no node speaks Engine API 1.48, which writable-cgroups needs: 1 of 1 speaks an "
		  "older Engine API than 1.48 (newest is 1.45)");
	story_why(&story, "shop/b.1", TASK_PENDING, REASON_NO_NODE_FITS,
		  "no node speaks Engine API 1.48, which gw_priority needs: 1 of 1 speaks an older "
		  "Engine API than 1.48 (newest is 1.45)");
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_needs_a_newer_docker_is_told_of_its_own_key),
		cmocka_unit_test(tasks_are_placed_first_in_first_out),
		cmocka_unit_test(a_higher_priority_is_placed_first),
		cmocka_unit_test(a_priority_changed_in_place_changes_the_order_of_what_waits),
		cmocka_unit_test(without_a_node_everything_waits_for_one),
		cmocka_unit_test(freed_room_wakes_what_is_parked_in_order),
		cmocka_unit_test(room_is_free_only_when_the_container_is_confirmed_gone),
		cmocka_unit_test(a_changed_node_wakes_what_is_parked),
		cmocka_unit_test(a_class_that_fits_nowhere_is_asked_for_once_per_wake),
		cmocka_unit_test(nothing_wakes_a_manager_that_has_nothing_to_do),
		cmocka_unit_test(what_is_parked_is_swept_every_five_seconds),
		cmocka_unit_test(a_fixed_port_is_one_task_per_node_and_a_range_is_a_pool),
		cmocka_unit_test(the_first_placement_ties_a_volume_to_its_node),
		cmocka_unit_test(a_volume_in_use_is_not_removed_and_one_that_is_free_is),
		cmocka_unit_test(down_with_volumes_removes_what_nobody_else_uses),
		cmocka_unit_test(a_volume_removal_survives_the_manager),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
