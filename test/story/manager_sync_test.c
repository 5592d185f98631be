/* Messages between manager and workers that are lost, repeated, late, wrong; sessions that come and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "manager_planned.h"
#include "manager_worker.h"

static void begin(struct story *story, int64_t replicas)
{
	story_begin(story);
	story_join(story, "alpha");
	story_project(story, "shop");
	story_job(story, "web", replicas);
	assert_int_equal(story_apply(story), ERR_NONE);
	story_forget(story);
}

static void a_session_starts_with_the_whole_set_and_goes_on_with_changes(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 3);
	assert_int_equal(story_fulls(&story, "alpha"), 1);
	story_scale(&story, "shop", "web", 6);
	story_act(&story, REQUEST_RESTART, "shop", "web");
	story_scale(&story, "shop", "web", 1);
	story_pass(&story, 20000);
	assert_int_equal(story_fulls(&story, "alpha"), 1);
	story_end(&story);
}

static void a_lost_message_is_made_good_by_a_whole_set(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 1);
	story_lose_downs(&story, "alpha", 1);
	story_scale(&story, "shop", "web", 2);
	assert_int_equal(story_task(&story, "shop/web.2")->state, TASK_SCHEDULED);
	/* The next beat is answered on a base the worker does not have. */
	story_pass(&story, 2000);
	assert_int_equal(story_task(&story, "shop/web.2")->state, TASK_RUNNING);
	assert_int_equal(story_fulls(&story, "alpha"), 2);
	story_end(&story);
}

static void many_lost_messages_are_made_good_too(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 4);
	for (int i = 0; i < 30; i++) {
		story_lose_downs(&story, "alpha", i % 4);
		story_scale(&story, "shop", "web", 1 + (i * 7) % 9);
		story_pass(&story, 500);
	}
	story_lose_downs(&story, "alpha", 0);
	story_scale(&story, "shop", "web", 5);
	story_pass(&story, 10000);
	story_stands(&story, "shop/web", STANDING_RUNNING, "5 of 5 ready");
	/* And what was ended on the way is confirmed gone. */
	const struct job_entry *entry =
		cluster_job_named(manager_cluster(story.manager), "shop", "web");
	for (size_t i = 0; i < entry->tasks.n; i++)
		if (task_is_final(entry->tasks.items[i]->state))
			assert_true(entry->tasks.items[i]->observed.gone);
	story_end(&story);
}

static void repeated_reports_change_nothing(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 2);
	story_repeat_ups(&story, true);
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 3");
	story_act(&story, REQUEST_RESTART, "shop", "web");
	story_pass(&story, 10000);
	story_stands(&story, "shop/web", STANDING_RUNNING, "2 of 2 ready");
	story_end(&story);
}

static void reports_that_arrive_late_change_nothing(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 2);
	story_reorder_ups(&story, true);
	story_report(&story, "shop/web.1", TASK_SCHEDULED, REASON_RESTARTING,
		     "exited with status 3");
	story_report(&story, "shop/web.1", TASK_RUNNING, REASON_RUNNING, NULL);
	story_scale(&story, "shop", "web", 3);
	story_pass(&story, 10000);
	story_reorder_ups(&story, false);
	story_pass(&story, 10000);
	story_stands(&story, "shop/web", STANDING_RUNNING, "3 of 3 ready");
	story_end(&story);
}

static void a_worker_that_holds_another_set_is_sent_the_whole(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 2);
	size_t n_fulls = story_fulls(&story, "alpha");
	story_corrupt(&story, "alpha");
	story_pass(&story, 4000);
	assert_int_equal(story_fulls(&story, "alpha"), n_fulls + 1);
	story_stands(&story, "shop/web", STANDING_RUNNING, "2 of 2 ready");
	story_end(&story);
}

/* ---- messages by hand ---- */

static void say(struct story *story, uint64_t session, const struct sync_up *up)
{
	struct manager_event events[] = {
		{ .kind = MANAGER_SESSION_OPENED, .session = session },
		{ .kind = MANAGER_SYNC_UP, .session = session, .up = up },
	};
	struct manager_in in = { .now_ms = story->now_ms,
				 .wall_ms = story->wall_ms,
				 .seed = 5,
				 .rev = story->rev,
				 .events = events,
				 .n_events = 2 };
	story_step(story, &in);
}

static void is_dismissed(struct story *story, const struct sync_up *up, const char *why)
{
	size_t n_changes = story->n_changes;
	say(story, 900, up);
	assert_int_equal(story->out.n_downs, 1);
	assert_true(story->out.downs[0].close);
	assert_string_equal(story->out.downs[0].why, why);
	assert_int_equal(story->n_changes, n_changes);
}

static void who_does_not_belong_is_sent_away_with_the_reason(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 1);
	struct sync_up up = {
		.node = { { { 1 } } }, .has_facts = true, .runtime_ok = true, .report = 1
	};
	up.cluster.bytes[0] = 9;
	is_dismissed(&story, &up, "this worker belongs to another cluster");
	up.cluster.bytes[0] = 0;
	up.epoch = 99;
	is_dismissed(&story, &up,
		     "this worker has heard a newer state of the cluster than this manager has");
	up.epoch = 0;
	up.has_facts = false;
	is_dismissed(&story, &up, "the first message must carry the facts of the node");
	up.node.uuid.bytes[0] = 0;
	is_dismissed(&story, &up, "the message names no node");
	up.node.uuid.bytes[0] = 1;
	up.has_facts = true;
	up.facts.capacity.memory_bytes = -1;
	say(&story, 901, &up);
	assert_true(story.out.downs[0].close);
	assert_int_equal(manager_cluster(story.manager)->nodes.n, 1);
	story_end(&story);
}

static void a_newer_session_of_a_node_replaces_the_older(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 1);
	struct sync_up up = { .node = story_task(&story, "shop/web.1")->desired.node,
			      .has_facts = true,
			      .runtime_ok = true,
			      .report = 50 };
	char hostname[] = "alpha";
	up.facts.hostname = hostname;
	say(&story, 900, &up);
	assert_int_equal(story.out.n_downs, 2);
	assert_true(story.out.downs[0].close);
	assert_string_equal(story.out.downs[0].why, "the worker has opened a newer session");
	assert_int_equal(story.out.downs[1].session, 900);
	assert_true(story.out.downs[1].message.full);
	assert_int_equal(story.out.downs[1].message.tasks.n, 1);
	assert_int_equal(story.out.downs[1].message.templates.n, 1);
	assert_int_equal(story.out.downs[1].message.report_acked, 50);
	/* Another node's id in the same session is not believed. */
	up.node.uuid.bytes[5] ^= 1;
	struct manager_event event = { .kind = MANAGER_SYNC_UP, .session = 900, .up = &up };
	struct manager_in in = { .now_ms = story.now_ms,
				 .wall_ms = story.wall_ms,
				 .seed = 6,
				 .rev = story.rev,
				 .events = &event,
				 .n_events = 1 };
	story_step(&story, &in);
	assert_true(story.out.downs[0].close);
	story_end(&story);
}

/* The first message of a worker's life on a session of its own. */
static void come(struct story *story, uint64_t session, uint8_t life)
{
	char hostname[] = "alpha";
	struct sync_up up = { .node = story_task(story, "shop/web.1")->desired.node,
			      .has_facts = true,
			      .runtime_ok = true,
			      .instance = { { life } },
			      .report = (int64_t)session };
	up.facts.hostname = hostname;
	say(story, session, &up);
}

static void a_worker_that_reconnects_or_restarts_takes_over_from_itself(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 1);
	come(&story, 900, 1);
	come(&story, 901, 1);
	assert_int_equal(story.out.downs[0].session, 900);
	assert_int_equal(story.out.downs[0].close, SYNC_CLOSE_REFUSED);
	assert_true(story.out.downs[1].message.full);
	assert_int_equal(story.out.downs[1].message.protocol, SYNC_PROTOCOL);
	/* Another life while the last one's session is not known to be over. */
	come(&story, 902, 2);
	assert_int_equal(story.out.downs[0].session, 901);
	assert_true(story.out.downs[1].message.full);
	story_end(&story);
}

static void say_docker(struct story *story, const char *name, const char *docker, const char *boot)
{
	struct story_worker *worker = story_worker(story, name);
	string_set(&worker->facts.runtime_id, docker);
	string_set(&worker->facts.boot_id, boot);
	worker->owes_up = true;
}

/* Both would take the other's containers for left over. */
static void two_workers_have_not_one_docker(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 1);
	say_docker(&story, "alpha", "ABCD", "boot-1");
	story_silence(&story, "alpha");
	story_return(&story, "alpha");
	story_join(&story, "beta");
	assert_int_equal(story_node(&story, "beta")->state, NODE_READY);
	/* Beta's Docker answers at last: it is alpha's. */
	story_forget(&story);
	say_docker(&story, "beta", "ABCD", "boot-1");
	story_silence(&story, "beta");
	story_return(&story, "beta");
	assert_int_equal(story.close_code, SYNC_CLOSE_SHARED);
	assert_non_null(
		strstr(text_string(&story.told), "closed: its Docker is that of node alpha ("));
	/* Also after a restart of the manager, whoever comes first. */
	story_silence(&story, "alpha");
	story_silence(&story, "beta");
	story_restart(&story);
	story.close_code = 0;
	story_return(&story, "beta");
	assert_int_equal(story.close_code, SYNC_CLOSE_SHARED);
	story_return(&story, "alpha");
	story.close_code = 0;
	story_pass(&story, 1000);
	assert_int_not_equal(story.close_code, SYNC_CLOSE_SHARED);
	assert_int_equal(story_node(&story, "alpha")->state, NODE_READY);
	/* Once alpha is down beta has it, and alpha has it no more. */
	story_silence(&story, "alpha");
	story_pass(&story, 2 * LIMIT_START_GRACE_MS);
	story_silence(&story, "beta");
	story_return(&story, "beta");
	assert_int_not_equal(story.close_code, SYNC_CLOSE_SHARED);
	story_return(&story, "alpha");
	assert_int_equal(story.close_code, SYNC_CLOSE_SHARED);
	story_end(&story);
}

/* Copies of a machine have one Docker's id, and a Docker of its own is another one on the same machine. */
static void copies_of_a_machine_are_two(void **state)
{
	(void)state;
	static const char *const others[][2] = { { "ABCD", "boot-2" }, { "EFGH", "boot-1" } };
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct story story;
		begin(&story, 1);
		story_join(&story, "beta");
		say_docker(&story, "alpha", "ABCD", "boot-1");
		say_docker(&story, "beta", others[i][0], others[i][1]);
		story_silence(&story, "alpha");
		story_return(&story, "alpha");
		story_silence(&story, "beta");
		story_return(&story, "beta");
		story_pass(&story, 1000);
		assert_int_not_equal(story.close_code, SYNC_CLOSE_SHARED);
		assert_int_equal(story_node(&story, "beta")->state, NODE_READY);
		story_end(&story);
	}
}

static void two_workers_with_one_identity_do_not_take_turns(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 1);
	come(&story, 900, 1);
	story_forget(&story);
	come(&story, 901, 2);
	assert_int_equal(story.out.downs[0].session, 900);
	assert_int_equal(story.out.downs[0].close, SYNC_CLOSE_TWICE);
	/* The first one comes back: it is turned away, and the other one stays. */
	come(&story, 902, 1);
	assert_int_equal(story.out.n_downs, 1);
	assert_int_equal(story.out.downs[0].session, 902);
	assert_int_equal(story.out.downs[0].close, SYNC_CLOSE_TWICE);
	story_tells(
		&story,
		"session of node alpha closed: another worker with this identity has connected: "
		"two "
		"have one data folder, or copies of one\n"
		"session of node alpha closed: another worker with this identity is connected: two "
		"have one data folder, or copies of one\n");
	/* The other one has gone: there is one again. */
	struct manager_event event = { .kind = MANAGER_SESSION_CLOSED, .session = 901 };
	struct manager_in in = { .now_ms = story.now_ms,
				 .wall_ms = story.wall_ms,
				 .seed = 6,
				 .rev = story.rev,
				 .events = &event,
				 .n_events = 1 };
	story_step(&story, &in);
	come(&story, 903, 1);
	assert_int_equal(story.out.n_downs, 1);
	assert_int_equal(story.out.downs[0].close, 0);
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_RUNNING);
	story_end(&story);
}

static void a_release_too_far_apart_is_told_which_to_update(void **state)
{
	(void)state;
	struct err err;
	assert_int_equal(sync_protocol_check(0, &err), ERR_NONE);
	assert_int_equal(sync_protocol_check(SYNC_PROTOCOL - 1, &err), ERR_NONE);
	assert_int_equal(sync_protocol_check(SYNC_PROTOCOL + 1, &err), ERR_NONE);
	struct story story;
	begin(&story, 1);
	struct sync_up up = {
		.node = { { { 1 } } }, .has_facts = true, .runtime_ok = true, .report = 1
	};
	up.facts.protocol = SYNC_PROTOCOL + 2;
	is_dismissed(&story, &up,
		     "this worker speaks protocol 4, the manager 1 to 3: update the manager");
	assert_int_equal(story.out.downs[0].close, SYNC_CLOSE_VERSION);
	story_end(&story);
}

static void a_worker_of_the_release_before_is_told_in_words_it_knows(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_set_label(&story, "alpha", "disk", "ssd");
	story_set_protocol(&story, "alpha", 1);
	story_project(&story, "shop");
	struct job_spec *spec = story_job(&story, "web", 1);
	strings_add(&spec->placement.constraints, "node.labels.disk==ssd");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_forget(&story);
	story.linger = "web";
	size_t fulls = story_fulls(&story, "alpha");
	story_set_label(&story, "alpha", "disk", "hdd");
	story_tells(&story,
		    "shop/web.1 stopping: no_longer_fits\n"
		    "job shop/web is pending: 0 of 1 ready; web.1 is stopping: no_longer_fits\n"
		    "shop/web.1 completed: drained\n");
	/* Both sides agree on what was said; so they do when the worker is replaced, and told it anew. */
	story_pass(&story, 10000);
	assert_int_equal(story_fulls(&story, "alpha"), fulls);
	story_set_protocol(&story, "alpha", SYNC_PROTOCOL);
	story_pass(&story, 10000);
	assert_int_equal(story_fulls(&story, "alpha"), fulls + 1);
	story_end(&story);
}

static void workers_are_told_how_far_to_spread_out(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 1);
	come(&story, 900, 1);
	int64_t nodes = (int64_t)manager_cluster(story.manager)->nodes.n;
	assert_int_equal(story.out.downs[1].message.reconnect_ms,
			 nodes * LIMIT_RECONNECT_PER_NODE_MS);
	story_end(&story);
}

static void reports_about_strangers_are_acknowledged_and_forgotten(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 1);
	story_join(&story, "beta");
	const struct task *task = story_task(&story, "shop/web.1");
	struct sync_up up = {
		.node = { { { 7 } } }, .has_facts = true, .runtime_ok = true, .report = 3
	};
	char hostname[] = "gamma";
	up.facts.hostname = hostname;
	/* A task of another node, and one that never was. */
	struct task_observed observed[2] = {
		{ .task = task->desired.id,
		  .version = 1000,
		  .state = TASK_FAILED,
		  .reason = REASON_EXIT_NONZERO,
		  .gone = true },
		{ .task = { { { 8 } } }, .version = 1, .state = TASK_RUNNING },
	};
	up.observed.items = observed;
	up.observed.n = 2;
	say(&story, 900, &up);
	assert_int_equal(story.out.downs[0].message.report_acked, 3);
	assert_int_equal(task->state, TASK_RUNNING);
	story_end(&story);
}

static void a_report_that_builds_on_one_that_was_lost_is_not_acknowledged(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 1);
	story_join(&story, "beta");
	struct sync_up up = {
		.node = { { { 7 } } }, .has_facts = true, .runtime_ok = true, .report = 3
	};
	char hostname[] = "gamma";
	up.facts.hostname = hostname;
	say(&story, 900, &up);
	assert_int_equal(story.out.downs[0].message.report_acked, 3);
	up.report = 5;
	up.since = 4;
	say(&story, 900, &up);
	assert_int_equal(story.out.downs[0].message.report_acked, 3);
	up.report = 6;
	up.since = 3;
	say(&story, 900, &up);
	assert_int_equal(story.out.downs[0].message.report_acked, 6);
	up.report = 8;
	up.since = 0;
	say(&story, 900, &up);
	assert_int_equal(story.out.downs[0].message.report_acked, 8);
	story_end(&story);
}

static void every_message_is_answered_with_its_acknowledgement(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 1);
	size_t n_downs = story.n_downs;
	size_t n_changes = story.n_changes;
	story_pass(&story, 10000);
	/* Five beats, five answers, and nothing is written for them. */
	assert_int_equal(story.n_downs, n_downs + 5);
	assert_int_equal(story.n_changes, n_changes);
	story_end(&story);
}

static void news_that_follow_soon_come_in_one_message(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story.options.tell_per_node_us = 100000;
	story_restart(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	story_job(&story, "web", 1);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 1000);
	size_t n_downs = story.n_downs;
	/* The first goes at once; its report and all that comes up meanwhile are answered together. */
	story_scale(&story, "shop", "web", 2);
	assert_int_equal(story.n_downs, n_downs + 1);
	story_scale(&story, "shop", "web", 3);
	story_scale(&story, "shop", "web", 4);
	story_pass(&story, 99);
	assert_int_equal(story.n_downs, n_downs + 1);
	assert_int_equal(story_task(&story, "shop/web.2")->state, TASK_RUNNING);
	assert_int_equal(story_task(&story, "shop/web.4")->state, TASK_SCHEDULED);
	story_pass(&story, 1);
	assert_int_equal(story.n_downs, n_downs + 2);
	assert_int_equal(story.out.deadline_ms, story.now_ms + 100);
	story_pass(&story, 100);
	assert_int_equal(story.n_downs, n_downs + 3);
	assert_int_equal(story_task(&story, "shop/web.3")->state, TASK_RUNNING);
	assert_int_equal(story_task(&story, "shop/web.4")->state, TASK_RUNNING);
	/* One that has gone is not waited for. */
	story_scale(&story, "shop", "web", 5);
	story_scale(&story, "shop", "web", 6);
	story_silence(&story, "alpha");
	story_return(&story, "alpha");
	assert_int_equal(story_holds(&story, "alpha"), 6);
	story_pass(&story, 200);
	assert_int_equal(story_task(&story, "shop/web.6")->state, TASK_RUNNING);
	story_end(&story);
}

static void news_wait_only_where_much_is_said(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story.options.tell_per_node_us = 1000000;
	story.options.tell_per_second = 3;
	story_restart(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	story_job(&story, "web", 1);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 5000);
	size_t n_downs = story.n_downs;
	/* News, and the answer to the report of it, twice; then there is no credit left. */
	story_scale(&story, "shop", "web", 2);
	story_scale(&story, "shop", "web", 3);
	assert_int_equal(story.n_downs, n_downs + 4);
	assert_int_equal(story_task(&story, "shop/web.3")->state, TASK_RUNNING);
	story_scale(&story, "shop", "web", 4);
	assert_int_equal(story.n_downs, n_downs + 4);
	story_pass(&story, 1000);
	assert_int_equal(story_task(&story, "shop/web.4")->state, TASK_RUNNING);
	story_end(&story);
}

/* Whose turn has not come when a plan is made is told in it at once, so its tasks start there. */
static void in_a_plan_no_news_wait(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story.options.tell_per_node_us = 1000000;
	story_restart(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	story_job(&story, "web", 1);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 5000);
	story_scale(&story, "shop", "web", 2);
	story_scale(&story, "shop", "web", 3);
	assert_int_equal(story_task(&story, "shop/web.3")->state, TASK_SCHEDULED);
	story_project(&story, "blog");
	story_job(&story, "db", 1);
	story_depends(story_job(&story, "web", 1), "db", DEPEND_STARTED);
	story_plans(&story, "db created 0>1\n"
			    "  start blog/db.1 to alpha\n"
			    "web created 0>1\n"
			    "  start blog/web.1 to alpha\n");
	story_end(&story);
}

static void a_message_carries_the_number_of_the_commit_it_was_computed_at(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 1);
	/* A set sent without a commit of its own carries the number of the last one. */
	story_silence(&story, "alpha");
	story_return(&story, "alpha");
	assert_int_equal(story_fulls(&story, "alpha"), 2);
	assert_int_equal(story.out.downs[story.out.n_downs - 1].message.rev, story.rev - 1);
	int64_t rev = story.rev;
	story.quiet = true;
	story_scale(&story, "shop", "web", 2);
	assert_int_equal(story.out.n_downs, 1);
	assert_int_equal(story.out.downs[0].message.rev, rev);
	assert_true(story.out.downs[0].message.base_rev < rev);
	assert_int_equal(story.out.downs[0].message.tasks.n, 1);
	/* The template is known already. */
	assert_int_equal(story.out.downs[0].message.templates.n, 0);
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_starts_with_the_whole_set_and_goes_on_with_changes),
		cmocka_unit_test(a_lost_message_is_made_good_by_a_whole_set),
		cmocka_unit_test(many_lost_messages_are_made_good_too),
		cmocka_unit_test(repeated_reports_change_nothing),
		cmocka_unit_test(reports_that_arrive_late_change_nothing),
		cmocka_unit_test(a_worker_that_holds_another_set_is_sent_the_whole),
		cmocka_unit_test(who_does_not_belong_is_sent_away_with_the_reason),
		cmocka_unit_test(a_newer_session_of_a_node_replaces_the_older),
		cmocka_unit_test(a_worker_that_reconnects_or_restarts_takes_over_from_itself),
		cmocka_unit_test(two_workers_with_one_identity_do_not_take_turns),
		cmocka_unit_test(two_workers_have_not_one_docker),
		cmocka_unit_test(copies_of_a_machine_are_two),
		cmocka_unit_test(a_release_too_far_apart_is_told_which_to_update),
		cmocka_unit_test(a_worker_of_the_release_before_is_told_in_words_it_knows),
		cmocka_unit_test(workers_are_told_how_far_to_spread_out),
		cmocka_unit_test(a_report_that_builds_on_one_that_was_lost_is_not_acknowledged),
		cmocka_unit_test(reports_about_strangers_are_acknowledged_and_forgotten),
		cmocka_unit_test(every_message_is_answered_with_its_acknowledgement),
		cmocka_unit_test(news_that_follow_soon_come_in_one_message),
		cmocka_unit_test(news_wait_only_where_much_is_said),
		cmocka_unit_test(in_a_plan_no_news_wait),
		cmocka_unit_test(a_message_carries_the_number_of_the_commit_it_was_computed_at),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
