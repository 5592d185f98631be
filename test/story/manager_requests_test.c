/* Requests: checked before anything is written, all or nothing, answered once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "manager_story.h"

static void begin(struct story *story)
{
	story_begin(story);
	story_join(story, "alpha");
	story_forget(story);
	story_project(story, "shop");
}

/* The request is refused with this code, and the world and the store are as before. */
static void is_refused(struct story *story, enum err_code code)
{
	size_t n_changes = story->n_changes;
	assert_int_equal(story_apply(story), code);
	assert_true(strlen(story->reply->err.message) > 0);
	assert_int_equal(story->n_changes, n_changes);
	story_tells(story, "");
}

static void a_request_with_one_wrong_job_changes_nothing(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_job(&story, "web", 1);
	string_set(&story_job(&story, "db", 1)->image, "not an image");
	is_refused(&story, ERR_INVALID);
	assert_null(cluster_project(manager_cluster(story.manager), "shop"));
	story_end(&story);
}

static void an_unknown_scheduler_is_refused_with_those_there_are(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	string_set(&story_job(&story, "web", 1)->scheduler, "magic");
	is_refused(&story, ERR_INVALID);
	assert_non_null(strstr(story.reply->err.message,
			       "there is no scheduler \"magic\"; there are epvm"));
	assert_string_equal(story.reply->err.field, "jobs[0].spec.scheduler");
	story_end(&story);
}

static void a_request_too_big_for_one_commit_is_refused(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	for (int i = 0; i < 60; i++) {
		char name[16];
		story_job(&story, text_print(name, sizeof(name), "job%d", i), 1);
	}
	is_refused(&story, ERR_LIMIT);
	assert_non_null(strstr(story.reply->err.message, "one commit holds 100"));
	story_end(&story);
}

static void more_tasks_than_there_may_be_are_refused(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	for (int i = 0; i < 3; i++) {
		char name[16];
		story_job(&story, text_print(name, sizeof(name), "job%d", i), LIMIT_REPLICAS);
	}
	is_refused(&story, ERR_LIMIT);
	story_end(&story);
}

static void a_submitted_job_joins_its_project(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_job(&story, "web", 1);
	assert_int_equal(story_submit(&story), ERR_NONE);
	story_effect(&story, "web", EFFECT_CREATED);
	assert_int_equal(story_submit(&story), ERR_CONFLICT);
	assert_string_equal(story.reply->err.message, "project shop has a job web already");
	story_project(&story, "shop");
	story_job(&story, "once", 1);
	assert_int_equal(story_submit(&story), ERR_NONE);
	assert_int_equal(story.reply->answer.jobs.n, 1);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_job(&story, "twice", 1);
	assert_int_equal(story_submit(&story), ERR_INVALID);
	story_end(&story);
}

static void a_changed_declaration_makes_new_tasks_of_those_who_use_it(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	struct network_spec *network = list_add(&story.request.networks, sizeof(*network));
	record_init(&network_spec_type, network);
	string_set(&network->key, "back");
	struct network_use *use = list_add(&story_job(&story, "web", 1)->networks, sizeof(*use));
	string_set(&use->network, "back");
	story_job(&story, "cron", 1);
	assert_int_equal(story_apply(&story), ERR_NONE);
	pairs_put(&network->labels, "tier", "back");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_effect(&story, "web", EFFECT_UPDATED);
	story_effect(&story, "cron", EFFECT_UNCHANGED);
	/* A declaration that an orphan still needs outlives the request that dropped it. */
	story_project(&story, "shop");
	story_job(&story, "cron", 1);
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(
		cluster_project(manager_cluster(story.manager), "shop")->project.networks.n, 1);
	story_end(&story);
}

static enum err_code ask_with_key(struct story *story, const char *caller, const char *key,
				  int64_t hash)
{
	struct manager_request request = { .kind = REQUEST_APPLY,
					   .project_request = &story->request,
					   .caller = caller,
					   .idempotency_key = key,
					   .body_hash = hash };
	return story_ask(story, &request);
}

static void the_same_key_gets_the_same_answer_and_one_effect(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_job(&story, "web", 1);
	assert_int_equal(ask_with_key(&story, "uid 0", "k1", 7), ERR_NONE);
	story_effect(&story, "web", EFFECT_CREATED);
	struct job_id id = story.reply->answer.jobs.items[0].id;
	story_act(&story, REQUEST_REMOVE, "shop", NULL);
	size_t n_changes = story.n_changes;
	story_forget(&story);
	/* Again, and after the manager was killed: nothing is created anew. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ask_with_key(&story, "uid 0", "k1", 7), ERR_NONE);
		story_effect(&story, "web", EFFECT_CREATED);
		assert_true(uuid_equal(story.reply->answer.jobs.items[0].id.uuid, id.uuid));
		assert_string_equal(story.reply->answer.project, "shop");
		assert_int_equal(story.n_changes, n_changes);
		assert_null(cluster_project(manager_cluster(story.manager), "shop"));
		story_restart(&story);
		n_changes = story.n_changes;
	}
	story_end(&story);
}

static void a_key_is_one_caller_s_and_for_one_body(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_job(&story, "web", 1);
	assert_int_equal(ask_with_key(&story, "uid 0", "k1", 7), ERR_NONE);
	assert_int_equal(ask_with_key(&story, "uid 0", "k1", 8), ERR_CONFLICT);
	assert_string_equal(story.reply->err.message,
			    "the idempotency key \"k1\" was used for another request");
	assert_int_equal(ask_with_key(&story, "uid 1", "k1", 8), ERR_NONE);
	assert_int_equal(ask_with_key(&story, "uid 0", "", 8), ERR_INVALID);
	story_end(&story);
}

static void a_refused_request_is_not_remembered(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	string_set(&story_job(&story, "web", 1)->image, "not an image");
	assert_int_equal(ask_with_key(&story, "uid 0", "k1", 7), ERR_INVALID);
	string_set(&story.request.jobs.items[0].spec.image, "busybox:1");
	assert_int_equal(ask_with_key(&story, "uid 0", "k1", 7), ERR_NONE);
	story_effect(&story, "web", EFFECT_CREATED);
	story_end(&story);
}

static void an_answer_is_forgotten_after_a_day(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_job(&story, "web", 1);
	assert_int_equal(ask_with_key(&story, "uid 0", "k1", 7), ERR_NONE);
	story_silence(&story, "alpha");
	/* A clock that jumps makes it no older. */
	story.wall_ms += 86400000LL * 3650;
	story_pass(&story, LIMIT_IDEMPOTENCY_AGE_MS - 1);
	assert_int_equal(ask_with_key(&story, "uid 0", "k2", 7), ERR_NONE);
	assert_int_equal(manager_cluster(story.manager)->idempotency.n, 2);
	story_pass(&story, 1);
	assert_int_equal(ask_with_key(&story, "uid 0", "k3", 7), ERR_NONE);
	assert_int_equal(manager_cluster(story.manager)->idempotency.n, 2);
	story_end(&story);
}

static void an_answer_survives_a_clock_that_jumps_before_a_restart(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_job(&story, "web", 1);
	assert_int_equal(ask_with_key(&story, "uid 0", "k1", 7), ERR_NONE);
	story_silence(&story, "alpha");
	story_pass(&story, LIMIT_IDEMPOTENCY_AGE_MS - 1);
	story.wall_ms += 86400000LL * 3650;
	story_restart(&story);
	size_t n_changes = story.n_changes;
	assert_int_equal(ask_with_key(&story, "uid 0", "k1", 7), ERR_NONE);
	assert_int_equal(story.n_changes, n_changes);
	/* From there it is kept for a day. */
	story_pass(&story, LIMIT_IDEMPOTENCY_AGE_MS);
	assert_int_equal(ask_with_key(&story, "uid 0", "k2", 7), ERR_NONE);
	assert_int_equal(manager_cluster(story.manager)->idempotency.n, 1);
	story_end(&story);
}

static void the_oldest_answer_gives_way_when_too_many_are_remembered(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_job(&story, "web", 1);
	assert_int_equal(ask_with_key(&story, "uid 0", "first", 7), ERR_NONE);
	struct manager_request *requests = base_calloc(LIMIT_IDEMPOTENCY_KEYS, sizeof(*requests));
	struct manager_event *events = base_calloc(LIMIT_IDEMPOTENCY_KEYS, sizeof(*events));
	char(*keys)[16] = base_calloc(LIMIT_IDEMPOTENCY_KEYS, sizeof(*keys));
	for (size_t i = 0; i < LIMIT_IDEMPOTENCY_KEYS; i++) {
		requests[i] = (struct manager_request){
			.kind = REQUEST_SCALE,
			.project = "shop",
			.job = "web",
			.replicas = 1,
			.caller = "uid 0",
			.handle = 1000 + i,
			.idempotency_key = text_print(keys[i], sizeof(keys[i]), "key-%zu", i),
		};
		events[i] =
			(struct manager_event){ .kind = MANAGER_REQUEST, .request = &requests[i] };
	}
	story.now_ms += 1;
	struct manager_in in = { .now_ms = story.now_ms,
				 .wall_ms = story.wall_ms,
				 .seed = 99,
				 .rev = story.rev,
				 .events = events,
				 .n_events = LIMIT_IDEMPOTENCY_KEYS };
	story_step(&story, &in);
	assert_int_equal(story.out.n_replies, LIMIT_IDEMPOTENCY_KEYS);
	for (size_t i = 0; i < story.out.n_replies; i++)
		assert_int_equal(story.out.replies[i].err.code, ERR_NONE);
	const struct cluster *cluster = manager_cluster(story.manager);
	assert_int_equal(cluster->idempotency.n, LIMIT_IDEMPOTENCY_KEYS);
	assert_null(cluster_idempotency(cluster, "uid 0", "first"));
	assert_non_null(cluster_idempotency(cluster, "uid 0", "key-0"));
	base_free(requests);
	base_free(events);
	base_free(keys);
	story_end(&story);
}

static void unknown_names_are_answered_with_what_is_not_there(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	assert_int_equal(story_act(&story, REQUEST_STOP, "shop", NULL), ERR_NOT_FOUND);
	assert_string_equal(story.reply->err.message, "there is no project shop");
	story_job(&story, "web", 1);
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(story_act(&story, REQUEST_REMOVE, "shop", "db"), ERR_NOT_FOUND);
	assert_string_equal(story.reply->err.message, "project shop has no job db");
	assert_int_equal(story_act(&story, REQUEST_RESTART, NULL, NULL), ERR_NOT_FOUND);
	struct manager_request request = { .kind = 99, .project = "shop" };
	assert_int_equal(story_ask(&story, &request), ERR_INVALID);
	story_end(&story);
}

static void requests_of_one_step_are_taken_in_their_order(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_job(&story, "web", 1);
	struct manager_request requests[] = {
		{ .handle = 1, .kind = REQUEST_APPLY, .project_request = &story.request },
		{ .handle = 2,
		  .kind = REQUEST_SCALE,
		  .project = "shop",
		  .job = "web",
		  .replicas = 3 },
		{ .handle = 3, .kind = REQUEST_STOP, .project = "shop", .job = "nosuch" },
	};
	struct manager_event events[3] = { 0 };
	for (int i = 0; i < 3; i++)
		events[i] =
			(struct manager_event){ .kind = MANAGER_REQUEST, .request = &requests[i] };
	struct manager_in in = { .now_ms = story.now_ms,
				 .wall_ms = story.wall_ms,
				 .seed = 77,
				 .rev = story.rev,
				 .events = events,
				 .n_events = 3 };
	story_step(&story, &in);
	assert_int_equal(story.out.n_replies, 3);
	assert_int_equal(story.out.replies[0].err.code, ERR_NONE);
	assert_int_equal(story.out.replies[1].err.code, ERR_NONE);
	assert_int_equal(story.out.replies[2].err.code, ERR_NOT_FOUND);
	story_run(&story);
	story_stands(&story, "shop/web", STANDING_RUNNING, "3 of 3 ready");
	story_end(&story);
}

static void what_happens_is_told_to_those_who_follow(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_job(&story, "web", 1);
	story.quiet = true;
	assert_int_equal(story_apply(&story), ERR_NONE);
	static const char *const kinds[] = { "project", "job", "task" };
	static const char *const states[] = { "created", "created", "scheduled" };
	static const char *const subjects[] = { "shop", "shop/web", "shop/web.1" };
	assert_int_equal(story.out.n_happenings, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(story.out.happenings[i].kind, kinds[i]);
		assert_string_equal(story.out.happenings[i].state, states[i]);
		assert_string_equal(story.out.happenings[i].subject, subjects[i]);
	}
	assert_string_equal(story.out.happenings[2].message, "placed on alpha");
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_with_one_wrong_job_changes_nothing),
		cmocka_unit_test(an_unknown_scheduler_is_refused_with_those_there_are),
		cmocka_unit_test(a_request_too_big_for_one_commit_is_refused),
		cmocka_unit_test(more_tasks_than_there_may_be_are_refused),
		cmocka_unit_test(a_submitted_job_joins_its_project),
		cmocka_unit_test(a_changed_declaration_makes_new_tasks_of_those_who_use_it),
		cmocka_unit_test(the_same_key_gets_the_same_answer_and_one_effect),
		cmocka_unit_test(a_key_is_one_caller_s_and_for_one_body),
		cmocka_unit_test(a_refused_request_is_not_remembered),
		cmocka_unit_test(an_answer_is_forgotten_after_a_day),
		cmocka_unit_test(an_answer_survives_a_clock_that_jumps_before_a_restart),
		cmocka_unit_test(the_oldest_answer_gives_way_when_too_many_are_remembered),
		cmocka_unit_test(unknown_names_are_answered_with_what_is_not_there),
		cmocka_unit_test(requests_of_one_step_are_taken_in_their_order),
		cmocka_unit_test(what_happens_is_told_to_those_who_follow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
