/* Projects whose jobs share a network: they run on one machine, stay together when it is lost or drained, and come
 * together again when they are apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "job/spec.h"
#include "manager_worker.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_wait_where_the_data_of_one_is),
		cmocka_unit_test(who_came_apart_comes_together_again),
		cmocka_unit_test(without_docker_for_long_a_machine_is_no_home),
		cmocka_unit_test(who_is_joined_by_others_comes_to_them),
		cmocka_unit_test(nobody_is_stopped_for_a_home_without_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
