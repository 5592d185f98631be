/* Who asked: what came over TLS is held against the policy of every machine, and so nothing that did may pass for the
 * owner's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "manager_story.h"

static enum err_code apply_as(struct story *story, bool over_tls)
{
	story->over_tls = over_tls;
	return story_apply(story);
}

/* A job "web" that uses the volume "data" and the network "front". */
static struct job_spec *build_web(struct story *story)
{
	story_project(story, "shop");
	struct job_spec *spec = story_job(story, "web", 1);
	story_mount(story, spec, "data");
	string_set(&((struct network_spec *)list_add(&story->request.networks,
						     sizeof(struct network_spec)))
			    ->key,
		   "front");
	struct network_use *use = list_add(&spec->networks, sizeof(*use));
	record_init(&network_use_type, use);
	string_set(&use->network, "front");
	return spec;
}

static void begin(struct story *story, bool over_tls)
{
	story_begin(story);
	story_join_local(story, "alpha");
	build_web(story);
	assert_int_equal(apply_as(story, over_tls), ERR_NONE);
	assert_int_equal(story_is_over_tls(story, "shop/web.1"), over_tls);
	story_forget(story);
}

/* A new task, made from what is on record now. */
static bool new_task_is_over_tls(struct story *story)
{
	assert_int_equal(story_act(story, REQUEST_RESTART, "shop", "web"), ERR_NONE);
	story_pass(story, 1000);
	assert_int_equal(story_task(story, "shop/web.1")->state, TASK_RUNNING);
	return story_is_over_tls(story, "shop/web.1");
}

static void what_came_over_tls_stays_so_through_restarts(void **state)
{
	(void)state;
	struct story story;
	begin(&story, true);
	story.over_tls = false;
	story_restart(&story);
	assert_true(story_is_over_tls(&story, "shop/web.1"));
	/* The owner says how many and how often, and not what. */
	assert_true(new_task_is_over_tls(&story));
	assert_int_equal(story_scale(&story, "shop", "web", 2), ERR_NONE);
	assert_true(story_is_over_tls(&story, "shop/web.2"));
	story_project(&story, "once");
	story_job(&story, "run", 1);
	story.over_tls = true;
	assert_int_equal(story_submit(&story), ERR_NONE);
	assert_true(story_is_over_tls(&story, "once/run.1"));
	story_end(&story);
}

static void who_restarts_scales_or_repeats_a_job_of_the_owner_changes_nothing(void **state)
{
	(void)state;
	struct story story;
	begin(&story, false);
	story.over_tls = true;
	assert_false(new_task_is_over_tls(&story));
	assert_int_equal(story_scale(&story, "shop", "web", 2), ERR_NONE);
	assert_false(story_is_over_tls(&story, "shop/web.2"));
	build_web(&story)->replicas = 2;
	assert_int_equal(apply_as(&story, true), ERR_NONE);
	story_effect(&story, "web", EFFECT_UNCHANGED);
	build_web(&story)->priority = 70;
	assert_int_equal(apply_as(&story, true), ERR_NONE);
	assert_false(new_task_is_over_tls(&story));
	story_end(&story);
}

static void who_changes_a_job_of_the_owner_is_held_against_the_policy(void **state)
{
	(void)state;
	struct story story;
	begin(&story, false);
	string_set(&build_web(&story)->image, "busybox:2");
	assert_int_equal(apply_as(&story, true), ERR_NONE);
	story_pass(&story, 1000);
	assert_true(story_is_over_tls(&story, "shop/web.1"));
	/* And the owner's next word is the owner's. */
	build_web(&story);
	assert_int_equal(apply_as(&story, false), ERR_NONE);
	story_pass(&story, 1000);
	assert_false(story_is_over_tls(&story, "shop/web.1"));
	story_end(&story);
}

static void the_owner_makes_a_job_his_own_by_asking_for_the_same(void **state)
{
	(void)state;
	struct story story;
	begin(&story, true);
	size_t n_tasks = story_count(&story, "shop/web");
	build_web(&story);
	assert_int_equal(apply_as(&story, false), ERR_NONE);
	story_effect(&story, "web", EFFECT_UPDATED);
	story_tells(&story, "job shop/web updated in place\n");
	assert_int_equal(story_count(&story, "shop/web"), n_tasks);
	assert_int_equal(apply_as(&story, false), ERR_NONE);
	story_effect(&story, "web", EFFECT_UNCHANGED);
	/* In the session there was, ... */
	assert_false(new_task_is_over_tls(&story));
	/* ... and when the client says it again. */
	assert_int_equal(apply_as(&story, true), ERR_NONE);
	story_effect(&story, "web", EFFECT_UNCHANGED);
	assert_false(new_task_is_over_tls(&story));
	story_end(&story);
}

static void what_a_machine_refused_runs_once_the_owner_asks_for_it(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join_local(&story, "alpha");
	story.hold_start = "web";
	build_web(&story);
	assert_int_equal(apply_as(&story, true), ERR_NONE);
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_POLICY, "refused");
	assert_int_equal(apply_as(&story, false), ERR_NONE);
	story.hold_start = NULL;
	story_pass(&story, 60000);
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_RUNNING);
	assert_false(story_is_over_tls(&story, "shop/web.1"));
	story_end(&story);
}

/* The owner's job is not listed, so it stays as it is: but its volume would be another one. */
static void a_volume_or_network_declared_anew_is_held_against_the_policy(void **state)
{
	(void)state;
	for (int network = 0; network < 2; network++) {
		struct story story;
		begin(&story, false);
		build_web(&story);
		string_set(&story.request.jobs.items[0].name, "other");
		assert_int_equal(apply_as(&story, true), ERR_NONE);
		assert_true(story_is_over_tls(&story, "shop/other.1"));
		assert_false(new_task_is_over_tls(&story));
		struct pairs *options = network ? &story.request.networks.items[0].driver_opts
						: &story.request.volumes.items[0].driver_opts;
		pairs_put(options, "device", "/");
		assert_int_equal(apply_as(&story, true), ERR_NONE);
		story_restart(&story);
		assert_true(story_is_over_tls(&story, "shop/web.1"));
		story_project(&story, "shop");
		story_job(&story, "third", 1);
		assert_int_equal(apply_as(&story, false), ERR_NONE);
		assert_true(new_task_is_over_tls(&story));
		build_web(&story);
		assert_int_equal(apply_as(&story, false), ERR_NONE);
		assert_false(new_task_is_over_tls(&story));
		story_end(&story);
	}
}

static void a_worker_that_knows_no_policy_gets_nothing_that_came_over_tls(void **state)
{
	(void)state;
	struct story story;
	begin(&story, false);
	story_set_protocol(&story, "alpha", 1);
	story_project(&story, "theirs");
	story_job(&story, "web", 1);
	assert_int_equal(apply_as(&story, true), ERR_NONE);
	assert_int_equal(story_task(&story, "theirs/web.1")->state, TASK_PENDING);
	assert_int_equal(story_task(&story, "theirs/web.1")->reason, REASON_NO_NODE_FITS);
	assert_false(new_task_is_over_tls(&story));
	assert_int_equal(apply_as(&story, false), ERR_NONE);
	assert_int_equal(story_task(&story, "theirs/web.1")->state, TASK_RUNNING);
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_came_over_tls_stays_so_through_restarts),
		cmocka_unit_test(who_restarts_scales_or_repeats_a_job_of_the_owner_changes_nothing),
		cmocka_unit_test(who_changes_a_job_of_the_owner_is_held_against_the_policy),
		cmocka_unit_test(the_owner_makes_a_job_his_own_by_asking_for_the_same),
		cmocka_unit_test(what_a_machine_refused_runs_once_the_owner_asks_for_it),
		cmocka_unit_test(a_volume_or_network_declared_anew_is_held_against_the_policy),
		cmocka_unit_test(a_worker_that_knows_no_policy_gets_nothing_that_came_over_tls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
