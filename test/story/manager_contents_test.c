/* Configs and secrets: other bytes are another revision of who uses them; bytes are kept while a revision uses them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "manager_story.h"

/* "web" and "api" use the secret pw, "api" a config too, "cron" nothing. */
static void begin(struct story *story)
{
	static const char *const names[] = { "web", "api", "cron" };
	story_begin(story);
	story_join(story, "alpha");
	story_project(story, "shop");
	for (size_t i = 0; i < 3; i++)
		story_job(story, names[i], 1)->update.monitor_ms = 1000;
	story_content(story, &story->request.jobs.items[0].spec, CONTENT_SECRET, "pw", 1);
	story_content(story, &story->request.jobs.items[1].spec, CONTENT_SECRET, "pw", 1);
	story_content(story, &story->request.jobs.items[1].spec, CONTENT_CONFIG, "app", 1);
	assert_int_equal(story_apply(story), ERR_NONE);
	story_pass(story, 60000);
	story_forget(story);
}

/* The config "app" has other bytes. */
static void change_app(struct story *story, int version)
{
	story_content(story, &story->request.jobs.items[1].spec, CONTENT_CONFIG, "app", version);
	assert_int_equal(story_apply(story), ERR_NONE);
	story_pass(story, 60000);
}

static size_t n_words(const char *text)
{
	size_t n = 0;
	for (; *text; text++)
		n += *text == ' ';
	return n;
}

static size_t n_tasks_in(struct story *story, int state)
{
	size_t n = 0;
	size_t at = 0;
	for (const struct task *task;
	     (task = id_index_next(&manager_cluster(story->manager)->tasks, &at));)
		n += task->state == state;
	return n;
}

static enum err_code go_back(struct story *story, int64_t revision)
{
	enum err_code code = story_ask(story, &(struct manager_request){ .kind = REQUEST_ROLLBACK,
									 .project = "shop",
									 .job = "api",
									 .revision = revision });
	story_pass(story, 60000);
	return code;
}

static void bytes_go_to_the_worker_once_with_their_template(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_sends(&story, "pw-1 app-1 ");
	assert_int_equal(story_keeps(&story, "shop"), 2);
	/* More tasks of the same revision need nothing more. */
	story_scale(&story, "shop", "web", 3);
	story_sends(&story, "");
	story_end(&story);
}

static void the_same_bytes_change_nothing(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	size_t n_changes = story.n_changes;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_effect(&story, "api", EFFECT_UNCHANGED);
	story_tells(&story, "");
	assert_int_equal(story.n_changes, n_changes);
	story_end(&story);
}

static void other_bytes_roll_their_users_and_nobody_else(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_sends(&story, "pw-1 app-1 ");
	struct task_id web = story_task(&story, "shop/web.1")->desired.id;
	struct task_id api = story_task(&story, "shop/api.1")->desired.id;
	change_app(&story, 2);
	story_effect(&story, "web", EFFECT_UNCHANGED);
	story_effect(&story, "api", EFFECT_UPDATED);
	assert_true(uuid_equal(story_task(&story, "shop/web.1")->desired.id.uuid, web.uuid));
	assert_false(uuid_equal(story_task(&story, "shop/api.1")->desired.id.uuid, api.uuid));
	assert_int_equal(story_task(&story, "shop/api.1")->state, TASK_RUNNING);
	/* With another revision all it uses comes along. */
	story_sends(&story, "app-2 pw-1 ");
	assert_int_equal(story_keeps(&story, "shop"), 3);
	story_end(&story);
}

static void the_way_back_brings_the_bytes_of_then(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	change_app(&story, 2);
	text_clear(&story.sent);
	story_restart(&story);
	story_pass(&story, 60000);
	/* A new session brings all again, but for the task of then, which is history. */
	assert_null(strstr(text_string(&story.sent), "app-1 "));
	story_forget(&story);
	text_clear(&story.sent);
	assert_int_equal(go_back(&story, 1), ERR_NONE);
	const struct job_spec *spec =
		cluster_task_spec(manager_cluster(story.manager), story_task(&story, "shop/api.1"));
	assert_string_equal(spec->configs.items[0].hash, "app-1");
	assert_non_null(strstr(text_string(&story.sent), "app-1 "));
	assert_int_equal(story_task(&story, "shop/api.1")->state, TASK_RUNNING);
	story_end(&story);
}

static void bytes_go_with_the_last_revision_that_uses_them(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	for (int version = 2; version <= LIMIT_REVISIONS_PER_JOB; version++)
		change_app(&story, version);
	assert_int_equal(story_keeps(&story, "shop"), LIMIT_REVISIONS_PER_JOB + 1);
	story_forget(&story);
	change_app(&story, 100);
	assert_int_equal(story_keeps(&story, "shop"), LIMIT_REVISIONS_PER_JOB + 1);
	assert_null(cluster_content(manager_cluster(story.manager), "shop", "app-1"));
	assert_int_equal(go_back(&story, 1), ERR_NOT_FOUND);
	/* And all of them with the project. */
	story_forget(&story);
	story_act(&story, REQUEST_REMOVE, "shop", "");
	story_pass(&story, 60000);
	assert_int_equal(story_keeps(&story, "shop"), 0);
	/* With one look, and one word. */
	assert_non_null(strstr(text_string(&story.told),
			       "11 of the configs and secrets of project shop are used no more"));
	story_end(&story);
}

static void a_new_session_gets_the_bytes_again(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	text_clear(&story.sent);
	story_silence(&story, "alpha");
	story_pass(&story, 3000);
	story_return(&story, "alpha");
	story_run(&story);
	story_sends(&story, "pw-1 app-1 ");
	/* So it does after a message that was lost. */
	story_lose_downs(&story, "alpha", 1);
	change_app(&story, 2);
	assert_int_equal(story_task(&story, "shop/api.1")->state, TASK_RUNNING);
	story_end(&story);
}

/* Many services, each with so many contents of its own, of so many bytes. */
static void begin_large(struct story *story, int n_jobs, int n_contents, size_t n_bytes)
{
	story_begin(story);
	story_join(story, "alpha");
	story->content_bytes = n_bytes;
	story_project(story, "shop");
	for (int i = 0; i < n_jobs; i++) {
		char key[32];
		struct job_spec *spec =
			story_job(story, text_print(key, sizeof(key), "job%d", i), 1);
		for (int j = 0; j < n_contents; j++)
			story_content(story, spec, CONTENT_SECRET,
				      text_print(key, sizeof(key), "pw%d-%d", i, j), 1);
	}
	assert_int_equal(story_apply(story), ERR_NONE);
	story_pass(story, 60000);
	assert_int_equal(n_tasks_in(story, TASK_RUNNING), n_jobs);
	text_clear(&story->sent);
	story_restart(story);
}

/* The scripted worker looks that no message is larger than it may be. */
static void any_amount_comes_in_bounded_messages(void **state)
{
	(void)state;
	struct story story;
	begin_large(&story, 10, 30, 20);
	story_pass(&story, 10000);
	assert_int_equal(n_words(text_string(&story.sent)), 300);
	story_end(&story);
	begin_large(&story, 3, 5, 500000);
	story_pass(&story, 10000);
	assert_int_equal(n_words(text_string(&story.sent)), 15);
	story_end(&story);
}

static void a_stop_is_told_ahead_of_what_is_owed(void **state)
{
	(void)state;
	struct story story;
	begin_large(&story, 3, 5, 500000);
	/* Nothing but the first message reaches the worker. */
	story.slow_link = true;
	text_clear(&story.sent);
	story_restart(&story);
	story_run(&story);
	size_t n_sent = n_words(text_string(&story.sent));
	assert_true(n_sent < 15);
	story_act(&story, REQUEST_STOP, "shop", "");
	story_pass(&story, 1000);
	assert_int_equal(n_tasks_in(&story, TASK_RUNNING), 0);
	/* And what nobody is to run any more is not sent. */
	assert_true(n_words(text_string(&story.sent)) <= n_sent + 2);
	story_end(&story);
}

static void what_is_over_gets_nothing(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_act(&story, REQUEST_STOP, "shop", "api");
	story_pass(&story, 10000);
	text_clear(&story.sent);
	story_restart(&story);
	story_pass(&story, 10000);
	story_sends(&story, "pw-1 ");
	story_act(&story, REQUEST_STOP, "shop", "web");
	story_pass(&story, 10000);
	story_restart(&story);
	story_pass(&story, 10000);
	story_sends(&story, "");
	/* Whoever runs again gets all anew. */
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 10000);
	assert_int_equal(story_task(&story, "shop/api.1")->state, TASK_RUNNING);
	assert_non_null(strstr(text_string(&story.sent), "app-1 "));
	story_end(&story);
}

static void what_does_not_fit_together_is_refused_whole(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	string_set(&story.request.jobs.items[0].spec.secrets.items[0].hash, "other");
	assert_int_equal(story_apply(&story), ERR_INVALID);
	assert_string_equal(story.reply->err.field, "jobs[0].spec.secrets[0].source");
	string_set(&story.request.jobs.items[0].spec.secrets.items[0].hash, NULL);
	string_set(&story.request.jobs.items[1].spec.secrets.items[0].hash, NULL);
	string_set(&story.request.secrets.items[0].hash, NULL);
	string_set(&story.request.jobs.items[0].spec.image, "busybox:2");
	assert_int_equal(story_apply(&story), ERR_INVALID);
	assert_int_equal(story_keeps(&story, "shop"), 2);
	story_end(&story);
}

static void the_bytes_of_another_project_are_its_own(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	story_project(&story, "blog");
	story_content(&story, story_job(&story, "web", 1), CONTENT_CONFIG, "app", 1);
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(story_keeps(&story, "blog"), 1);
	story_act(&story, REQUEST_REMOVE, "shop", "");
	story_pass(&story, 60000);
	assert_int_equal(story_keeps(&story, "shop"), 0);
	assert_int_equal(story_keeps(&story, "blog"), 1);
	story_end(&story);
}

static const struct content_record *kept(struct story *story, const char *hash)
{
	return cluster_content(manager_cluster(story->manager), "shop", hash);
}

/* Their key is lost: what runs goes on, and who asks again brings them anew. */
static void secrets_are_forgotten_where_that_is_asked_for(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	for (size_t i = 0; i < 2; i++)
		story_content(&story, &story.request.jobs.items[i].spec, CONTENT_SECRET, "pw", 2);
	for (size_t i = 0; i < story.request.secrets.n; i++)
		string_set(&story.request.secrets.items[i].seal, "lost-key");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 60000);
	assert_string_equal(kept(&story, "pw-2")->seal, "lost-key");
	struct task_id api = story_task(&story, "shop/api.1")->desired.id;

	story.options.forget_unless = "new-key";
	story_restart(&story);
	story_pass(&story, 60000);
	story.options.forget_unless = NULL;
	assert_string_equal(kept(&story, "pw-2")->seal, CONTENT_SEAL_FORGOTTEN);
	assert_string_equal(kept(&story, "pw-2")->data, CONTENT_SEAL_FORGOTTEN);
	assert_null(kept(&story, "app-1")->seal);
	assert_string_not_equal(kept(&story, "app-1")->data, CONTENT_SEAL_FORGOTTEN);
	assert_true(uuid_equal(story_task(&story, "shop/api.1")->desired.id.uuid, api.uuid));
	assert_int_equal(story_task(&story, "shop/api.1")->state, TASK_RUNNING);

	/* It is on record, and another key gives other hashes. */
	for (size_t i = 0; i < 2; i++)
		story_content(&story, &story.request.jobs.items[i].spec, CONTENT_SECRET, "pw", 3);
	for (size_t i = 0; i < story.request.secrets.n; i++)
		string_set(&story.request.secrets.items[i].seal, "new-key");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_restart(&story);
	story_pass(&story, 60000);
	assert_string_equal(kept(&story, "pw-2")->seal, CONTENT_SEAL_FORGOTTEN);
	assert_string_equal(kept(&story, "pw-3")->seal, "new-key");
	assert_int_equal(story_task(&story, "shop/api.1")->state, TASK_RUNNING);
	assert_false(uuid_equal(story_task(&story, "shop/api.1")->desired.id.uuid, api.uuid));
	story_end(&story);
}

/* ... and the same key was found: the bytes are brought for the hashes that there are. */
static void what_was_forgotten_is_brought_again_under_the_same_key(void **state)
{
	(void)state;
	struct story story;
	begin(&story);
	for (size_t i = 0; i < story.request.secrets.n; i++)
		string_set(&story.request.secrets.items[i].seal, "its-key");
	story_content(&story, &story.request.jobs.items[0].spec, CONTENT_SECRET, "pw", 2);
	story_content(&story, &story.request.jobs.items[1].spec, CONTENT_SECRET, "pw", 2);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story.options.forget_unless = "";
	story_restart(&story);
	story.options.forget_unless = NULL;
	story_pass(&story, 60000);
	assert_string_equal(kept(&story, "pw-2")->seal, CONTENT_SEAL_FORGOTTEN);
	struct task_id api = story_task(&story, "shop/api.1")->desired.id;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_effect(&story, "api", EFFECT_UNCHANGED);
	story_restart(&story);
	assert_string_equal(kept(&story, "pw-2")->seal, "its-key");
	assert_string_not_equal(kept(&story, "pw-2")->data, CONTENT_SEAL_FORGOTTEN);
	assert_true(uuid_equal(story_task(&story, "shop/api.1")->desired.id.uuid, api.uuid));
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_are_forgotten_where_that_is_asked_for),
		cmocka_unit_test(what_was_forgotten_is_brought_again_under_the_same_key),
		cmocka_unit_test(bytes_go_to_the_worker_once_with_their_template),
		cmocka_unit_test(the_same_bytes_change_nothing),
		cmocka_unit_test(other_bytes_roll_their_users_and_nobody_else),
		cmocka_unit_test(the_way_back_brings_the_bytes_of_then),
		cmocka_unit_test(bytes_go_with_the_last_revision_that_uses_them),
		cmocka_unit_test(a_new_session_gets_the_bytes_again),
		cmocka_unit_test(any_amount_comes_in_bounded_messages),
		cmocka_unit_test(a_stop_is_told_ahead_of_what_is_owed),
		cmocka_unit_test(what_is_over_gets_nothing),
		cmocka_unit_test(what_does_not_fit_together_is_refused_whole),
		cmocka_unit_test(the_bytes_of_another_project_are_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
