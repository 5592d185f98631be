/* Configs and secrets of a worker's tasks: bytes in memory, files on a tmpfs, and nothing on disk. */
#include <string.h>

#include "worker_world.h"

#define SECRET "very-secret"
#define WAITS                                                                                      \
	"waits for the manager to hand over secret pw, which this machine keeps in memory only"

static bool store_holds(const struct world *world, const char *bytes)
{
	for (size_t i = 0; i < world->store.n; i++) {
		const struct change *change = &world->store.items[i];
		const char *at = change->value;
		for (size_t k = 0; k + strlen(bytes) <= change->value_len; k++)
			if (memcmp(at + k, bytes, strlen(bytes)) == 0)
				return true;
	}
	return false;
}

/* One task that uses a secret. */
static struct world *begin(bool there, struct task_id *ret_id)
{
	struct world *world = world_new();
	world->images_there = true;
	struct job_spec *spec = world_job(world, "web", "app:1");
	spec->restart.condition = RESTART_ANY;
	world_secret(world, spec, "pw", SECRET, there);
	*ret_id = world_begin(world, "app:1");
	world_run(world, 3000);
	return world;
}

/* From now on the manager has it. */
static void hand_over(struct world *world)
{
	struct sync_content *content = list_add(&world->contents, sizeof(*content));
	content->kind = CONTENT_SECRET;
	string_set(&content->hash, "hash of pw");
	string_set(&content->data, SECRET);
}

static void a_task_finds_its_files_and_the_store_holds_none_of_it(void **state)
{
	(void)state;
	struct task_id id;
	struct world *world = begin(true, &id);
	world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
	assert_int_equal(world->n_done[CONTAINER_FILES], 1);
	assert_true(world_has_files(world, id));
	assert_true(store_holds(world, "hash of"));
	world_run(world, 60000);
	assert_false(store_holds(world, SECRET));
	assert_null(strstr(text_string(&world->story), SECRET));
	world_free(world);
}

static void without_the_bytes_it_waits_and_stands_in_nobodys_way(void **state)
{
	(void)state;
	struct task_id id;
	struct world *world = begin(false, &id);
	world->options.starts_parallel = 1;
	world_expect(world, id, TASK_SCHEDULED, REASON_WAITS_SECRET, WAITS);
	world_expect_story(world, "Docker answers\n"
				  "worker joins its cluster\n"
				  "shop/web.1 waits for secret pw\n");
	world_job(world, "plain", "app:1");
	struct task_id plain = world_task(world, "plain");
	world_send_full(world);
	world_run(world, 3000);
	world_expect(world, plain, TASK_RUNNING, REASON_RUNNING, "running");
	world_expect(world, id, TASK_SCHEDULED, REASON_WAITS_SECRET, WAITS);
	hand_over(world);
	world_send_full(world);
	world_run(world, 3000);
	world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
	world_free(world);
}

static void it_asks_again_now_and_then(void **state)
{
	(void)state;
	struct task_id id;
	struct world *world = begin(false, &id);
	hand_over(world);
	world_run(world, 100000);
	world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
	world_free(world);
}

static void after_a_reboot_it_waits_for_the_manager(void **state)
{
	(void)state;
	struct task_id id;
	struct world *world = begin(true, &id);
	world_job(world, "plain", "app:1");
	struct task_id plain = world_task(world, "plain");
	world_send_full(world);
	world_run(world, 3000);
	world_session(world, false);
	world_reboot(world);
	world_run(world, 60000);
	assert_int_equal(world_running(world, plain), 1);
	assert_int_equal(world_running(world, id), 0);
	world_session(world, true);
	world_run(world, 10000);
	world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
	assert_true(world_has_files(world, id));
	world_free(world);
}

static void files_of_an_earlier_life_do_while_the_manager_is_away(void **state)
{
	(void)state;
	struct task_id id;
	struct world *world = begin(true, &id);
	world_session(world, false);
	world_crash(world);
	world_run(world, 3000);
	assert_int_equal(world_running(world, id), 1);
	/* The container ends, and another attempt finds the files that are there. */
	struct world_container *container = world_container(world, id, 1);
	container->ends_at_ms = world->now_ms;
	world_run(world, 60000);
	assert_int_equal(world_running(world, id), 1);
	assert_non_null(world_container(world, id, 2));
	world_free(world);
}

static void files_go_when_no_container_can_start_any_more(void **state)
{
	(void)state;
	struct task_id id;
	struct world *world = begin(true, &id);
	world_want(world, id, TASK_WANT_STOP, REASON_STOPPED);
	assert_true(world_has_files(world, id));
	world_run(world, 30000);
	assert_true(world_observed(world, id)->gone);
	assert_false(world_has_files(world, id));
	world_free(world);
}

static void bytes_are_forgotten_with_the_last_task_that_uses_them(void **state)
{
	(void)state;
	struct task_id id;
	struct world *world = begin(true, &id);
	world_forget(world, id);
	world_run(world, 60000);
	/* Were they kept, this task would find them: its message brings none. */
	struct task_id next = world_task(world, "web");
	world->answers_full = false;
	world_send_change(world, world->rev, next);
	world_run(world, 5000);
	world_expect(world, next, TASK_SCHEDULED, REASON_WAITS_SECRET, WAITS);
	world_free(world);
}

static void bytes_are_forgotten_once_the_task_is_over(void **state)
{
	(void)state;
	struct task_id id;
	struct world *world = begin(true, &id);
	world_want(world, id, TASK_WANT_STOP, REASON_STOPPED);
	world_run(world, 60000);
	assert_true(world_observed(world, id)->gone);
	/* It is kept as history, and its template with it; were the bytes kept, too, this task would find them. */
	struct task_id next = world_task(world, "web");
	world->answers_full = false;
	world_send_change(world, world->rev, next);
	world_run(world, 5000);
	world_expect(world, next, TASK_SCHEDULED, REASON_WAITS_SECRET, WAITS);
	world_free(world);
}

static void a_machine_without_a_tmpfs_says_so(void **state)
{
	(void)state;
	struct world *world = world_new();
	world->images_there = true;
	world_secret(world, world_job(world, "web", "app:1"), "pw", SECRET, true);
	world_fault(world, CONTAINER_FILES, FAULT_MOUNT_FAILED, "/x is not on a tmpfs");
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 3000);
	world_expect(world, id, TASK_FAILED, REASON_MOUNT_FAILED,
		     "its configs and secrets cannot be put on this machine: /x is not on a tmpfs");
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_task_finds_its_files_and_the_store_holds_none_of_it),
		TEST(without_the_bytes_it_waits_and_stands_in_nobodys_way),
		TEST(it_asks_again_now_and_then),
		TEST(after_a_reboot_it_waits_for_the_manager),
		TEST(files_of_an_earlier_life_do_while_the_manager_is_away),
		TEST(files_go_when_no_container_can_start_any_more),
		TEST(bytes_are_forgotten_with_the_last_task_that_uses_them),
		TEST(bytes_are_forgotten_once_the_task_is_over),
		TEST(a_machine_without_a_tmpfs_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
