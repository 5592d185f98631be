/* Nodes leave the cluster: when they are empty, or by the operator's word that they are off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "manager_worker.h"

/* Two tasks of "shop/web" on alpha, the second with a volume, and a free beta. */
static void begin(struct story *story)
{
	story_begin(story);
	story_join(story, "alpha");
	story_project(story, "shop");
	story_job(story, "web", 1);
	story_mount(story, story_job(story, "db", 1), "data");
	assert_int_equal(story_apply(story), ERR_NONE);
	story_join(story, "beta");
	story_pass(story, 30000);
	story_forget(story);
}

static void refused(struct story *story, const char *name, bool fenced, const char *message)
{
	assert_int_equal(story_act_node(story, REQUEST_NODE_REMOVE, name, fenced), ERR_CONFLICT);
	assert_string_equal(story->reply->err.message, message);
}

static void a_node_that_holds_something_is_not_removed(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	refused(&story, "alpha", false,
		"node alpha holds 2 tasks (shop/web.1, shop/db.1): `drover node drain alpha` moves "
		"them first");
	refused(&story, "alpha", true,
		"node alpha is ready: --fenced says that a machine is off and stays off, and this "
		"one is not known to be; `drover node drain alpha` moves its tasks first");
	story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false);
	story_pass(&story, 30000);
	refused(&story, "alpha", false,
		"1 volume lives on node alpha (shop_data): `drover volume rm` removes what is not "
		"needed; when the machine is off and stays off, `drover node rm --fenced alpha` "
		"gives them up");
	story_silence(&story, "beta");
	story_pass(&story, 30000);
	refused(&story, "beta", false,
		"node beta is down, and 1 of its tasks is not confirmed gone (shop/web.1): when "
		"the "
		"machine is off and stays off, `drover node rm --fenced beta` gives them up");
	story_end(&story);
}

static void an_empty_node_leaves_and_does_not_come_back(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_join(&story, "beta");
	story_project(&story, "shop");
	story_job(&story, "web", 2);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false);
	story_pass(&story, 30000);
	story_forget(&story);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_REMOVE, "alpha", false), ERR_NONE);
	assert_string_equal(story.reply->answer.node_name, "alpha");
	assert_int_equal(story.reply->answer.n_tasks_lost, 0);
	story_pass(&story, LIMIT_BEAT_MS);
	story_tells(&story,
		    "node alpha has left\n"
		    "session of node alpha closed: the node was removed from the cluster\n"
		    "session of a worker closed: node alpha was removed from the cluster\n");
	assert_int_equal(story_node(&story, "alpha")->state, NODE_LEFT);
	assert_int_equal(story.close_code, SYNC_CLOSE_REMOVED);
	/* The worker was told to keep nothing. */
	assert_int_equal(story_holds(&story, "alpha"), 0);
	/* The answer may have been lost: the same again is fine, anything else is not. */
	assert_int_equal(story_act_node(&story, REQUEST_NODE_REMOVE, "alpha", false), ERR_NONE);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false), ERR_CONFLICT);
	assert_string_equal(story.reply->err.message, "node alpha was removed from the cluster");
	/* It no longer counts where people ask why nothing fits. */
	story_job(&story, "large", 1)->reservations.memory_bytes = 64LL << 30;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_why(
		&story, "shop/large.1", TASK_PENDING, REASON_NO_NODE_FITS,
		"no node has 64 GB of memory free: 1 of 1 lacks memory (largest has 8 GB free of 8 "
		"GB)");
	story_end(&story);
}

static void a_fenced_node_loses_its_tasks_and_volumes(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_silence(&story, "alpha");
	story_pass(&story, 30000);
	story_why(&story, "shop/db.1", TASK_RUNNING, REASON_RUNNING, "running on alpha");
	story_forget(&story);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_REMOVE, "alpha", true), ERR_NONE);
	const struct manager_answer *answer = &story.reply->answer;
	/* The web's task was lost before, with its replacement; until now nobody knew it to be gone. */
	assert_int_equal(answer->n_tasks_lost, 2);
	assert_int_equal(answer->tasks_lost.n, 2);
	assert_int_equal(answer->n_volumes_lost, 1);
	assert_string_equal(answer->volumes_lost.items[0], "shop_data");
	story_tells(&story, "shop/db.1 failed: node_lost: node alpha was removed from the cluster\n"
			    "volume shop_data is lost with node alpha\n"
			    "node alpha has left\n"
			    "volume shop_data lives on beta\n"
			    "shop/db.1 scheduled on beta\n"
			    "job shop/db is pending: 0 of 1 ready; db.1 scheduled: placed on beta\n"
			    "session of node alpha closed: the node was removed from the cluster\n"
			    "shop/db.1 running\n"
			    "job shop/db is running: 1 of 1 ready\n");
	/* The machine was not off after all. */
	story_return(&story, "alpha");
	story_tells(&story,
		    "session of a worker closed: node alpha was removed from the cluster\n");
	assert_int_equal(story.close_code, SYNC_CLOSE_REMOVED);
	story_restart(&story);
	story_end(&story);
}

/* The worker of a node that is not there any more comes back: is it told that it was removed? */
static bool is_told(struct story *story, const char *name)
{
	story->close_code = 0;
	story_silence(story, name);
	story_return(story, name);
	story_pass(story, 1000);
	return story->close_code == SYNC_CLOSE_REMOVED;
}

static void a_removed_node_is_told_so_for_as_long_as_its_certificate_could_be_renewed(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_silence(&story, "alpha");
	story_pass(&story, 30000);
	struct node_id id = story_worker(&story, "alpha")->node;
	const char *name = NULL;
	assert_false(cluster_was_removed(manager_cluster(story.manager), id, &name));
	assert_int_equal(story_act_node(&story, REQUEST_NODE_REMOVE, "alpha", true), ERR_NONE);
	assert_true(is_told(&story, "alpha"));
	story_silence(&story, "alpha");
	story_restart(&story);
	assert_true(is_told(&story, "alpha"));
	story_silence(&story, "alpha");
	story.wall_ms += LIMIT_LEFT_NODE_AGE_MS;
	story_restart(&story);
	story_pass(&story, 1000);
	assert_null(cluster_node(manager_cluster(story.manager), id));
	assert_true(is_told(&story, "alpha"));
	story_silence(&story, "alpha");
	story.wall_ms += (LIMIT_CERTIFICATE_LIFE_S + LIMIT_CERTIFICATE_LAPSE_S) * 1000 - 60000;
	story_restart(&story);
	assert_true(cluster_was_removed(manager_cluster(story.manager), id, &name));
	assert_string_equal(name, "alpha");
	assert_true(is_told(&story, "alpha"));
	story_silence(&story, "alpha");
	story_pass(&story, 120000);
	assert_false(cluster_was_removed(manager_cluster(story.manager), id, &name));
	story_restart(&story);
	assert_int_equal(manager_cluster(story.manager)->removed_nodes.n, 0);
	story_end(&story);
}

static void a_node_that_is_not_known_is_not_told_that_it_was_removed(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	/* Its worker heard a newer state than a store that was restored holds; another is of another cluster. */
	struct story_worker *alpha = story_worker(&story, "alpha");
	alpha->epoch += 5;
	story.close_code = 0;
	story_silence(&story, "alpha");
	story_return(&story, "alpha");
	assert_int_equal(story.close_code, SYNC_CLOSE_REFUSED);
	story_worker(&story, "beta")->cluster.bytes[0] ^= 1;
	story.close_code = 0;
	story_silence(&story, "beta");
	story_return(&story, "beta");
	assert_int_equal(story.close_code, SYNC_CLOSE_REFUSED);
	story_end(&story);
}

static void tombstones_end_with_their_node(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_silence(&story, "alpha");
	story_pass(&story, 30000);
	/* Both tasks of alpha: the one that waits there, and the one that runs elsewhere by now. */
	assert_int_equal(story_act(&story, REQUEST_REMOVE, "shop", NULL), ERR_NONE);
	assert_int_equal(story.reply->answer.jobs.items[0].not_confirmed, 1);
	assert_int_equal(story.reply->answer.jobs.items[1].not_confirmed, 1);
	story_pass(&story, 600000);
	story_stands(&story, "shop/db", STANDING_REMOVING, "1 task is not confirmed gone");
	assert_int_equal(story_act_node(&story, REQUEST_NODE_REMOVE, "alpha", true), ERR_NONE);
	assert_null(cluster_project(manager_cluster(story.manager), "shop"));
	story_end(&story);
}

static void what_was_stopped_on_a_fenced_node_stays_stopped(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_silence(&story, "alpha");
	story_pass(&story, 5000);
	assert_int_equal(story_act_task(&story, REQUEST_STOP, "shop/db.1"), ERR_NONE);
	story_pass(&story, 30000);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_REMOVE, "alpha", true), ERR_NONE);
	story_why(&story, "shop/db.1", TASK_COMPLETED, REASON_STOPPED,
		  "node alpha was removed from the cluster");
	story_end(&story);
}

static void a_fenced_node_of_many_tasks_takes_several_groups(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	story_job(&story, "web", 300);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_silence(&story, "alpha");
	story_pass(&story, 30000);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_REMOVE, "alpha", true), ERR_NONE);
	assert_int_equal(story.reply->answer.n_tasks_lost, 300);
	assert_int_equal(story.reply->answer.tasks_lost.n, MANAGER_ANSWER_NAMES_MAX);
	story_why(&story, "shop/web.300", TASK_PENDING, REASON_NO_NODE_FITS,
		  "no node has joined yet");
	story_end(&story);
}

static void a_node_that_left_is_forgotten_after_a_day(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	story_job(&story, "once", 1)->mode = JOB_REPLICATED_JOB;
	story.succeed = "once";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_join(&story, "beta");
	story_join(&story, "gamma");
	story_job(&story, "web", 2);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_silence(&story, "alpha");
	story_pass(&story, 30000);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_REMOVE, "alpha", true), ERR_NONE);
	struct node_id id = story_worker(&story, "alpha")->node;
	story_pass(&story, LIMIT_LEFT_NODE_AGE_MS / 2);
	/* A clock that was set back does not make it wait for longer than a day. */
	story.wall_ms -= 86400000LL * 365;
	story_restart(&story);
	story_pass(&story, LIMIT_LEFT_NODE_AGE_MS - 60000);
	assert_non_null(cluster_node(manager_cluster(story.manager), id));
	story_forget(&story);
	story_pass(&story, 120000);
	story_tells(&story, "node alpha, which has left, is forgotten\n");
	assert_null(cluster_node(manager_cluster(story.manager), id));
	/* What it did counts for ever. */
	story_stands(&story, "shop/once", STANDING_COMPLETED, "1 of 1 succeeded");
	story_stands(&story, "shop/web", STANDING_RUNNING, "2 of 2 ready");
	story_restart(&story);
	assert_int_equal(story_node(&story, "beta")->index, 0);
	story_join(&story, "delta");
	assert_int_equal(story_node(&story, "delta")->record.number, 4);
	story_end(&story);
}

static void labels_are_set_and_removed(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	strings_add(&story_job(&story, "web", 1)->placement.constraints, "node.labels.disk==ssd");
	assert_int_equal(story_apply(&story), ERR_NONE);
	struct pairs set = { 0 };
	struct strings removed = { 0 };
	pairs_add(&set, "disk", "ssd");
	struct manager_request request = { .kind = REQUEST_NODE_LABEL,
					   .node = story_worker(&story, "alpha")->node,
					   .labels_set = &set,
					   .labels_remove = &removed };
	assert_int_equal(story_ask(&story, &request), ERR_NONE);
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_RUNNING);
	strings_add(&removed, "disk");
	request.labels_set = NULL;
	assert_int_equal(story_ask(&story, &request), ERR_NONE);
	assert_int_equal(story_node(&story, "alpha")->record.labels.n, 0);
	pairs_put(&set, "no=label", "x");
	request.labels_set = &set;
	assert_int_equal(story_ask(&story, &request), ERR_INVALID);
	assert_string_equal(story.reply->err.message, "\"no=label\" is no label: 1 to 128 bytes "
						      "without '=' and blanks");
	pairs_release(&set);
	strings_release(&removed);
	story_end(&story);
}

static void a_request_about_a_node_is_carried_out_once(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_silence(&story, "alpha");
	story_pass(&story, 30000);
	struct manager_request request = { .kind = REQUEST_NODE_REMOVE,
					   .node = story_worker(&story, "alpha")->node,
					   .fenced = true,
					   .caller = "uid:0",
					   .idempotency_key = "k1" };
	assert_int_equal(story_ask(&story, &request), ERR_NONE);
	story_restart(&story);
	assert_int_equal(story_ask(&story, &request), ERR_NONE);
	assert_int_equal(story.reply->answer.n_tasks_lost, 2);
	assert_string_equal(story.reply->answer.volumes_lost.items[0], "shop_data");
	request.node.uuid.bytes[0] ^= 1;
	request.idempotency_key = NULL;
	assert_int_equal(story_ask(&story, &request), ERR_NOT_FOUND);
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_that_holds_something_is_not_removed),
		cmocka_unit_test(an_empty_node_leaves_and_does_not_come_back),
		cmocka_unit_test(a_fenced_node_loses_its_tasks_and_volumes),
		cmocka_unit_test(
			a_removed_node_is_told_so_for_as_long_as_its_certificate_could_be_renewed),
		cmocka_unit_test(a_node_that_is_not_known_is_not_told_that_it_was_removed),
		cmocka_unit_test(tombstones_end_with_their_node),
		cmocka_unit_test(what_was_stopped_on_a_fenced_node_stays_stopped),
		cmocka_unit_test(a_fenced_node_of_many_tasks_takes_several_groups),
		cmocka_unit_test(a_node_that_left_is_forgotten_after_a_day),
		cmocka_unit_test(labels_are_set_and_removed),
		cmocka_unit_test(a_request_about_a_node_is_carried_out_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
