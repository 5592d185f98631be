/* Manager and worker together, as `drover dev` runs them. */
#include "rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

static bool no_tasks(struct rig *rig, const void *unused)
{
	(void)unused;
	struct rig_answer answer = rig_call(rig, "GET", "/v1/tasks", NULL, NULL);
	bool none = json_array_size(json_object_get(answer.body, "tasks")) == 0;
	json_decref(answer.body);
	return none && !rig_world()->containers;
}

static void a_project_goes_up_stops_and_goes_down(void **state)
{
	struct rig *rig = *state;
	rig_bring_up(rig);
	assert_int_equal(rig_containers_running(), 2);
	assert_int_equal(rig_status(rig, "POST", "/v1/projects/shop/stop", NULL, NULL), 200);
	rig_wait_running(rig, 0);
	assert_int_equal(rig_count_tasks(rig, "completed"), 2);
	assert_int_equal(rig_status(rig, "POST", "/v1/projects/shop/restart", NULL, NULL), 200);
	rig_wait_running(rig, 2);
	assert_int_equal(rig_status(rig, "DELETE", "/v1/projects/shop", NULL, NULL), 200);
	rig_until(rig, "no task and no container", no_tasks, NULL);
}

static bool has_facts_and_stats(struct rig *rig, const void *unused)
{
	(void)unused;
	struct rig_answer answer = rig_call(rig, "GET", "/v1/nodes", NULL, NULL);
	json_t *node = json_array_get(json_object_get(answer.body, "nodes"), 0);
	json_t *capacity = json_object_get(node, "capacity");
	json_t *used = json_object_get(node, "used");
	bool has = json_integer_value(json_object_get(capacity, "cpu_milli")) > 0 &&
		   json_integer_value(json_object_get(capacity, "memory_bytes")) > 0 &&
		   json_string_length(json_object_get(node, "hostname")) > 0 &&
		   json_integer_value(json_object_get(used, "memory_used_bytes")) > 0 &&
		   json_integer_value(json_object_get(used, "disk_used_bytes")) > 0;
	json_decref(answer.body);
	return has;
}

static void facts_and_statistics_arrive(void **state)
{
	struct rig *rig = *state;
	rig_start_manager(rig);
	rig_start_worker(rig);
	rig_until(rig, "facts and statistics", has_facts_and_stats, NULL);
}

static void a_manager_that_comes_back_changes_nothing(void **state)
{
	struct rig *rig = *state;
	char before[4096], after[4096];
	rig_bring_up(rig);
	rig_list_containers(before);
	rig_stop_manager(rig);
	rig_turn(rig, 50);
	rig_start_manager(rig);
	rig_wait_ready(rig);
	rig_wait_running(rig, 2);
	rig_list_containers(after);
	assert_string_equal(after, before);
	/* And it rules as before. */
	assert_int_equal(rig_status(rig, "POST", "/v1/projects/shop/apply", NULL, RIG_WEB("3")),
			 200);
	rig_wait_running(rig, 3);
	assert_int_equal(rig_containers_running(), 3);
}

static void a_worker_that_comes_back_adopts_its_containers(void **state)
{
	struct rig *rig = *state;
	char before[4096], after[4096];
	rig_bring_up(rig);
	rig_list_containers(before);
	rig_stop_worker(rig);
	rig_turn(rig, 50);
	rig_start_worker(rig);
	assert_int_equal(rig_status(rig, "POST", "/v1/projects/shop/apply", NULL, RIG_WEB("3")),
			 200);
	rig_wait_running(rig, 3);
	rig_list_containers(after);
	/* Newest first: those of before stand behind the third. */
	assert_non_null(strstr(after, before));
	assert_int_equal(rig_containers_running(), 3);
}

static void work_goes_on_without_a_manager(void **state)
{
	struct rig *rig = *state;
	rig_bring_up(rig);
	rig_stop_manager(rig);
	struct fake_answer answer;
	struct fake_container *victim = rig_world()->containers;
	fake_world_kill(rig_world(), victim->name, "SIGKILL", &answer);
	assert_int_equal(rig_containers_running(), 1);
	rig_turn(rig, 500);
	assert_int_equal(rig_containers_running(), 2);
	rig_start_manager(rig);
	rig_wait_ready(rig);
	rig_wait_running(rig, 2);
}

static bool node_is_degraded(struct rig *rig, const void *unused)
{
	(void)unused;
	char nodes[128];
	rig_first(rig, "nodes", "state", nodes);
	return strcmp(nodes, "degraded") == 0;
}

static void docker_may_be_away_for_a_while(void **state)
{
	struct rig *rig = *state;
	rig_bring_up(rig);
	runtime_fake_set_away(rig_docker(), true);
	rig_until(rig, "a degraded node", node_is_degraded, NULL);
	assert_int_equal(rig_count_tasks(rig, "running"), 2);
	runtime_fake_set_away(rig_docker(), false);
	rig_wait_ready(rig);
	assert_int_equal(rig_count_tasks(rig, "running"), 2);
}

/* Two workers of one identity: a copied data folder. The newer session wins each time, and they do not fight for it as
 * fast as they can. */
static void two_workers_of_one_identity_do_not_storm_the_manager(void **state)
{
	struct rig *rig = *state;
	struct err err;
	struct worker_daemon *twin;
	rig_bring_up(rig);
	struct worker_daemon_options options = rig_worker_options(rig);
	/* A runtime of its own; what it starts is not seen by the other. */
	options.runtime_ops = &runtime_fake_ops;
	assert_int_equal(worker_daemon_new(rig->base, &options, &twin, &err), ERR_NONE);
	rig->size_asks = 0;
	rig_turn(rig, 3000);
	assert_in_range(rig->size_asks, 1, 14);
	worker_daemon_free(twin);
	rig_wait_ready(rig);
}

/* ---- starting ------------------------------------------------------------------------------------------ */

static enum err_code start_at(struct rig *rig, const char *socket_path, const char *data_dir,
			      const struct store_ops *ops, struct err *err)
{
	struct manager_daemon *manager = NULL;
	struct manager_daemon_options options = { .data_dir = data_dir,
						  .socket_path = socket_path,
						  .store_ops = ops };
	enum err_code code = manager_daemon_new(rig->base, &options, &manager, err);
	manager_daemon_free(manager);
	return code;
}

static void a_socket_path_that_is_too_long_is_refused(void **state)
{
	struct rig *rig = *state;
	struct err err = { 0 };
	char path[200];
	memset(path, 'x', sizeof(path));
	memcpy(path, "/tmp/", 5);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(start_at(rig, path, rig->folder, &rig->manager_store.ops, &err),
			 ERR_INVALID);
	assert_non_null(strstr(err.message, "107"));
}

static void a_socket_that_another_manager_answers_on_is_refused(void **state)
{
	struct rig *rig = *state;
	struct err err = { 0 };
	rig_start_manager(rig);
	assert_int_equal(start_at(rig, rig->socket_path, rig->folder, &store_memory, &err),
			 ERR_CONFLICT);
	/* And the first one keeps its socket. */
	assert_int_equal(rig_status(rig, "GET", "/healthz", NULL, NULL), 200);
}

static void a_file_in_the_place_of_the_socket_stays(void **state)
{
	struct rig *rig = *state;
	struct err err = { 0 };
	FILE *file = fopen(rig->socket_path, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_not_equal(
		start_at(rig, rig->socket_path, rig->folder, &rig->manager_store.ops, &err),
		ERR_NONE);
	assert_int_equal(unlink(rig->socket_path), 0);
}

static void a_data_folder_has_one_owner(void **state)
{
	struct rig *rig = *state;
	struct err err = { 0 };
	char folder[96], other[96], command[128];
	text_print(folder, sizeof(folder), "%s/data", rig->folder);
	text_print(other, sizeof(other), "%s/other", rig->folder);
	struct manager_daemon_options options = { .data_dir = folder,
						  .socket_path = rig->socket_path };
	assert_int_equal(manager_daemon_new(rig->base, &options, &rig->manager, &err), ERR_NONE);
	/* fcntl locks do not hold within a process; flock() does. */
	assert_int_equal(start_at(rig, other, folder, NULL, &err), ERR_CONFLICT);
	assert_non_null(strstr(err.message, folder));
	rig_stop_manager(rig);
	text_print(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
}

static void unknown_names_are_refused(void **state)
{
	struct rig *rig = *state;
	struct err err = { 0 };
	struct manager_daemon *manager;
	struct worker_daemon *worker;
	struct manager_daemon_options options = { .data_dir = rig->folder,
						  .socket_path = rig->socket_path,
						  .store_name = "paper" };
	assert_int_equal(manager_daemon_new(rig->base, &options, &manager, &err), ERR_INVALID);
	assert_string_equal(err.field, "--store");
	options.store_name = "memory";
	options.scheduler_name = "dice";
	assert_int_equal(manager_daemon_new(rig->base, &options, &manager, &err), ERR_INVALID);
	assert_string_equal(err.field, "--scheduler");
	struct worker_daemon_options worker_options = { .data_dir = rig->folder,
							.manager =
								ENDPOINT_OF_PATH(rig->socket_path),
							.runtime_name = "steam",
							.store_ops = &rig->worker_store.ops };
	assert_int_equal(worker_daemon_new(rig->base, &worker_options, &worker, &err), ERR_INVALID);
	assert_string_equal(err.field, "--runtime");
}

static void a_worker_starts_before_its_manager(void **state)
{
	struct rig *rig = *state;
	rig_start_worker(rig);
	rig_turn(rig, 300);
	rig_start_manager(rig);
	rig_wait_ready(rig);
}

/* ---- lists --------------------------------------------------------------------------------------------- */

/* Walk all pages of `target`; ids ascend and none comes twice. */
static size_t walk_pages(struct rig *rig, const char *target, size_t page_max)
{
	char next[128] = "", last[128] = "";
	size_t n = 0;
	do {
		char url[256];
		text_print(url, sizeof(url), "%s&after=%s", target, next);
		struct rig_answer answer = rig_call(rig, "GET", url, NULL, NULL);
		assert_int_equal(answer.status, 200);
		json_t *tasks = json_object_get(answer.body, "tasks");
		assert_in_range(json_array_size(tasks), 0, page_max);
		size_t index;
		json_t *task;
		json_array_foreach(tasks, index, task)
		{
			const char *id = json_string_value(json_object_get(task, "id"));
			assert_true(strcmp(id, last) > 0);
			text_print(last, sizeof(last), "%s", id);
			n++;
		}
		const char *after = json_string_value(json_object_get(answer.body, "next"));
		text_print(next, sizeof(next), "%s", after ? after : "");
		json_decref(answer.body);
	} while (next[0]);
	return n;
}

static void lists_come_in_pages(void **state)
{
	struct rig *rig = *state;
	rig_start_manager(rig);
	/* No worker: they wait. */
	assert_int_equal(rig_status(rig, "POST", "/v1/projects/a/apply", NULL, RIG_WEB("25")), 200);
	assert_int_equal(rig_status(rig, "POST", "/v1/projects/b/apply", NULL, RIG_WEB("7")), 200);
	assert_int_equal(walk_pages(rig, "/v1/tasks?limit=10", 10), 32);
	assert_int_equal(walk_pages(rig, "/v1/tasks?limit=1", 1), 32);
	assert_int_equal(walk_pages(rig, "/v1/tasks?limit=8", 8), 32);
	assert_int_equal(walk_pages(rig, "/v1/tasks?limit=500", 500), 32);
	assert_int_equal(walk_pages(rig, "/v1/tasks?project=a&limit=5", 5), 25);
	assert_int_equal(walk_pages(rig, "/v1/tasks?project=b&job=web&state=pending", 500), 7);
	assert_int_equal(walk_pages(rig, "/v1/tasks?project=b&state=running", 500), 0);
	assert_int_equal(rig_status(rig, "GET", "/v1/tasks?project=%zz", NULL, NULL), 400);
	assert_int_equal(rig_status(rig, "GET", "/v1/tasks?limit=0", NULL, NULL), 400);
	assert_int_equal(rig_status(rig, "GET", "/v1/tasks?limit=501", NULL, NULL), 400);
}

#define SHELL_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHELL_TEST(a_project_goes_up_stops_and_goes_down),
		SHELL_TEST(facts_and_statistics_arrive),
		SHELL_TEST(a_manager_that_comes_back_changes_nothing),
		SHELL_TEST(a_worker_that_comes_back_adopts_its_containers),
		SHELL_TEST(work_goes_on_without_a_manager),
		SHELL_TEST(docker_may_be_away_for_a_while),
		SHELL_TEST(two_workers_of_one_identity_do_not_storm_the_manager),
		SHELL_TEST(a_socket_path_that_is_too_long_is_refused),
		SHELL_TEST(a_socket_that_another_manager_answers_on_is_refused),
		SHELL_TEST(a_file_in_the_place_of_the_socket_stays),
		SHELL_TEST(a_data_folder_has_one_owner),
		SHELL_TEST(unknown_names_are_refused),
		SHELL_TEST(a_worker_starts_before_its_manager),
		SHELL_TEST(lists_come_in_pages),
	};
	return cmocka_run_group_tests_name("the shells", tests, NULL, NULL);
}
