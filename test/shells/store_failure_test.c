/* Commits that fail: nothing is said that is not durable, reads go on, and afterwards all is as if nothing had been. */
#include "rig.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

static const bool yes = true, no = false;

static json_t *list(struct rig *rig, const char *target, const char *member)
{
	struct rig_answer answer = rig_call(rig, "GET", target, NULL, NULL);
	assert_int_equal(answer.status, 200);
	json_t *items = json_incref(json_object_get(answer.body, member));
	json_decref(answer.body);
	return items;
}

/* One line of what the API shows of every job and task, to compare. */
static void look(struct rig *rig, char out[1024])
{
	struct text text;
	text_init(&text, 1023);
	static const char *const lists[][2] = { { "/v1/jobs", "jobs" },
						{ "/v1/tasks", "tasks" },
						{ "/v1/projects", "projects" } };
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		json_t *items = list(rig, lists[i][0], lists[i][1]);
		size_t index;
		json_t *item;
		json_array_foreach(items, index, item)
		{
			static const char *const members[] = { "name", "state", "standing", "id" };
			for (size_t k = 0; k < ARRAY_LEN(members); k++) {
				const char *value =
					json_string_value(json_object_get(item, members[k]));
				text_addf(&text, "%s ", value ? value : "-");
			}
		}
		json_decref(items);
	}
	memcpy(out, text_string(&text), text.len + 1);
	text_release(&text);
}

static void fail_next(struct rig *rig, int n, enum err_code code, bool applied)
{
	store_memory_fail_next(rig->manager_store.store, n, code, applied);
}

/* A request whose commit fails `times` times in all (the commit and probes), then again under the same key. */
static void fail_and_try_again(struct rig *rig, enum err_code code, bool applied, int status)
{
	char before[1024], during[1024], containers[4096], after[4096];
	rig_bring_up(rig);
	look(rig, before);
	rig_list_containers(containers);
	fail_next(rig, 2, code, applied);
	assert_int_equal(rig_status(rig, "POST", "/v1/projects/shop/apply", "more", RIG_WEB("3")),
			 status);
	assert_true(rig_is_read_only(rig, &yes));
	look(rig, during);
	if (!applied)
		assert_string_equal(during, before);
	/* Refused at once, without a commit. */
	assert_int_equal(rig_status(rig, "POST", "/v1/projects/shop/stop", "stop", NULL), status);
	rig_until(rig, "commits again", rig_is_read_only, &no);
	rig_wait_ready(rig);
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			rig_status(rig, "POST", "/v1/projects/shop/apply", "more", RIG_WEB("3")),
			200);
	rig_wait_running(rig, 3);
	json_t *tasks = list(rig, "/v1/tasks", "tasks");
	assert_int_equal(json_array_size(tasks), 3);
	json_decref(tasks);
	rig_list_containers(after);
	assert_non_null(strstr(after, containers));
	assert_int_equal(rig_containers_running(), 3);
}

static void a_commit_that_failed_had_no_effect(void **state)
{
	fail_and_try_again(*state, ERR_STORE, false, 503);
}

static void a_commit_that_failed_and_took_effect_is_not_doubled(void **state)
{
	fail_and_try_again(*state, ERR_STORE, true, 503);
}

static void a_full_store_answers_507(void **state)
{
	fail_and_try_again(*state, ERR_STORE_FULL, false, 507);
}

static void a_store_that_is_full_at_the_start_serves_reads(void **state)
{
	struct rig *rig = *state;
	char before[1024], after[1024];
	rig_bring_up(rig);
	look(rig, before);
	rig_stop_worker(rig);
	rig_stop_manager(rig);
	fail_next(rig, 3, ERR_STORE_FULL, false);
	rig_start_manager(rig);
	assert_true(rig_is_read_only(rig, &yes));
	look(rig, after);
	assert_string_equal(after, before);
	assert_int_equal(rig_status(rig, "DELETE", "/v1/projects/shop", NULL, NULL), 507);
	rig_until(rig, "commits again", rig_is_read_only, &no);
	look(rig, after);
	assert_string_equal(after, before);
	rig_start_worker(rig);
	rig_wait_ready(rig);
	rig_wait_running(rig, 2);
}

/* Else the manager's certificate would be of a cluster that never was. */
static void a_store_that_takes_nothing_at_the_very_first_start_is_an_error(void **state)
{
	struct rig *rig = *state;
	static const enum err_code codes[] = { ERR_STORE_FULL, ERR_STORE };
	struct err err = { 0 };
	struct store *store = NULL;
	struct manager_daemon *manager = NULL;
	struct store_options where = { .dir = rig->folder };
	struct manager_daemon_options options = { .data_dir = rig->folder,
						  .socket_path = rig->socket_path,
						  .listen = "127.0.0.1:0",
						  .store_ops = &rig->manager_store.ops };
	assert_int_equal(rig->manager_store.ops.open(&where, &store, &err), ERR_NONE);
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		fail_next(rig, 1, codes[i], false);
		assert_int_equal(manager_daemon_new(rig->base, &options, &manager, &err), codes[i]);
	}
	rig_start_manager(rig);
	assert_true(rig_is_read_only(rig, &no));
}

static void an_almost_full_store_takes_only_what_makes_room(void **state)
{
	struct rig *rig = *state;
	char job[128], target[192];
	rig_bring_up(rig);
	rig->manager_store.max_bytes = 1000000;
	rig->manager_store.used_bytes = 900000;
	struct rig_answer answer =
		rig_call(rig, "POST", "/v1/projects/shop/apply", NULL, RIG_WEB("3"));
	assert_int_equal(answer.status, 507);
	json_decref(answer.body);
	rig_first(rig, "jobs", "id", job);
	text_print(target, sizeof(target), "/v1/jobs/%s/scale", job);
	assert_int_equal(rig_status(rig, "POST", target, NULL, "{\"replicas\":3}"), 507);
	assert_true(rig_is_read_only(rig, &no));
	assert_int_equal(rig_status(rig, "DELETE", "/v1/projects/shop", NULL, NULL), 200);
	rig_wait_running(rig, 0);
}

static bool is_unreadable(struct rig *rig, const void *unused)
{
	(void)unused;
	return rig_status(rig, "GET", "/v1/jobs", NULL, NULL) == 503;
}

static bool is_readable(struct rig *rig, const void *unused)
{
	return !is_unreadable(rig, unused);
}

static void a_store_that_cannot_be_read_back_serves_nothing_until_it_can(void **state)
{
	struct rig *rig = *state;
	rig_bring_up(rig);
	rig->replays = ERR_STORE;
	fail_next(rig, 1, ERR_STORE, false);
	assert_int_equal(rig_status(rig, "POST", "/v1/projects/shop/apply", NULL, RIG_WEB("3")),
			 503);
	rig_until(rig, "nothing to read", is_unreadable, NULL);
	static const char *const targets[] = { "/v1/cluster", "/v1/tasks", "/v1/events",
					       "/v1/nodes" };
	for (size_t i = 0; i < ARRAY_LEN(targets); i++)
		assert_int_equal(rig_status(rig, "GET", targets[i], NULL, NULL), 503);
	assert_int_equal(rig_status(rig, "GET", "/healthz", NULL, NULL), 200);
	assert_int_equal(rig_status(rig, "POST", "/v1/projects/shop/stop", NULL, NULL), 503);
	/* Still so after the next probe. */
	rig_turn(rig, 1200);
	assert_true(is_unreadable(rig, NULL));
	rig->replays = ERR_NONE;
	rig_until(rig, "something to read", is_readable, NULL);
	rig_wait_ready(rig);
	rig_wait_running(rig, 2);
	assert_int_equal(rig_containers_running(), 2);
}

static void a_store_that_cannot_be_read_at_the_start_is_an_error(void **state)
{
	struct rig *rig = *state;
	struct err err = { 0 };
	struct manager_daemon *manager = NULL;
	struct manager_daemon_options options = { .data_dir = rig->folder,
						  .socket_path = rig->socket_path,
						  .store_ops = &rig->manager_store.ops };
	rig->replays = ERR_STORE;
	assert_int_equal(manager_daemon_new(rig->base, &options, &manager, &err), ERR_STORE);
	rig->replays = ERR_DAMAGED;
	assert_int_equal(manager_daemon_new(rig->base, &options, &manager, &err), ERR_DAMAGED);
	assert_non_null(strstr(err.message, "replays"));
}

static void a_commit_without_a_request_may_fail_too(void **state)
{
	struct rig *rig = *state;
	struct fake_answer answer;
	rig_bring_up(rig);
	fail_next(rig, 1, ERR_STORE, false);
	/* The worker's report of this is what cannot be stored. */
	fake_world_kill(rig_world(), rig_world()->containers->name, "SIGKILL", &answer);
	rig_until(rig, "a failed commit", rig_is_read_only, &yes);
	rig_until(rig, "commits again", rig_is_read_only, &no);
	rig_wait_ready(rig);
	rig_wait_running(rig, 2);
	assert_int_equal(rig_containers_running(), 2);
}

/* ---- the worker's store -------------------------------------------------------------------------------- */

static bool two_containers_run(struct rig *rig, const void *unused)
{
	(void)rig;
	(void)unused;
	return rig_containers_running() == 2;
}

static void fail_the_workers_store(struct rig *rig, bool applied)
{
	struct fake_answer answer;
	char before[4096], after[4096];
	rig_bring_up(rig);
	store_memory_fail_next(rig->worker_store.store, 2, ERR_STORE, applied);
	fake_world_kill(rig_world(), rig_world()->containers->name, "SIGKILL", &answer);
	rig_list_containers(before);
	rig_turn(rig, 800);
	/* Nothing is touched while nothing can be remembered. */
	rig_list_containers(after);
	assert_string_equal(after, before);
	assert_int_equal(rig_containers_running(), 1);
	rig_until(rig, "the container's next attempt", two_containers_run, NULL);
	rig_wait_ready(rig);
	rig_wait_running(rig, 2);
	rig_turn(rig, 300);
	assert_int_equal(rig_containers_running(), 2);
	assert_int_equal(rig_status(rig, "DELETE", "/v1/projects/shop", NULL, NULL), 200);
	rig_wait_running(rig, 0);
	assert_int_equal(rig_containers_running(), 0);
}

static void a_worker_that_cannot_store_touches_nothing(void **state)
{
	fail_the_workers_store(*state, false);
}

static void a_worker_whose_failed_commit_took_effect_doubles_nothing(void **state)
{
	fail_the_workers_store(*state, true);
}

#define SHELL_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHELL_TEST(a_commit_that_failed_had_no_effect),
		SHELL_TEST(a_commit_that_failed_and_took_effect_is_not_doubled),
		SHELL_TEST(a_full_store_answers_507),
		SHELL_TEST(a_store_that_is_full_at_the_start_serves_reads),
		SHELL_TEST(a_store_that_takes_nothing_at_the_very_first_start_is_an_error),
		SHELL_TEST(an_almost_full_store_takes_only_what_makes_room),
		SHELL_TEST(a_store_that_cannot_be_read_back_serves_nothing_until_it_can),
		SHELL_TEST(a_store_that_cannot_be_read_at_the_start_is_an_error),
		SHELL_TEST(a_commit_without_a_request_may_fail_too),
		SHELL_TEST(a_worker_that_cannot_store_touches_nothing),
		SHELL_TEST(a_worker_whose_failed_commit_took_effect_doubles_nothing),
	};
	return cmocka_run_group_tests_name("stores that fail", tests, NULL, NULL);
}
