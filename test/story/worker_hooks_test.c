/* Commands that run beside a container's own: after its start, and before it is stopped. */
#include <string.h>

#include "worker_world.h"

static void add(void *list, const char *command)
{
	struct hook *hook = list_add(list, sizeof(*hook));
	strings_add(&hook->command, command);
	strings_add(&hook->command, "-x");
}

static struct hooks *hooked_job(struct world *world, const char *image)
{
	struct job_spec *spec = world_job(world, "web", image);
	spec->hooks = base_calloc(1, sizeof(*spec->hooks));
	return spec->hooks;
}

static void expect_hooks(const struct world *world, const char *expected)
{
	assert_string_equal(text_string(&world->hooks), expected);
}

/* ---- post_start ---- */

static void a_task_runs_once_its_hooks_have_succeeded(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct hooks *hooks = hooked_job(world, "app:1");
	add(&hooks->post_start, "one");
	add(&hooks->post_start, "two");
	world->hook_ms = 5000;
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 4000);
	world_expect(world, id, TASK_SCHEDULED, REASON_STARTING,
		     "running its post_start hook 1 of 2 (one -x)");
	assert_int_equal(world_running(world, id), 1);
	world_run(world, 4000);
	world_expect(world, id, TASK_SCHEDULED, REASON_STARTING,
		     "running its post_start hook 2 of 2 (two -x)");
	world_run(world, 4000);
	world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
	expect_hooks(world, "1:one 1:two ");
	/* Neither a restart of the worker nor one of Docker runs them again. */
	world_crash(world);
	world_docker_blink(world);
	world_run(world, 12000);
	expect_hooks(world, "1:one 1:two ");
	world_free(world);
}

static void every_attempt_has_its_own(void **state)
{
	(void)state;
	struct world *world = world_new();
	add(&hooked_job(world, "late3:1")->post_start, "one");
	world_begin(world, "late3:1");
	world_run(world, 70000);
	expect_hooks(world, "1:one 2:one ");
	world_free(world);
}

static void one_that_fails_ends_the_attempt_under_the_policy(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct hooks *hooks = hooked_job(world, "app:1");
	add(&hooks->post_start, "bad");
	add(&hooks->post_start, "never");
	add(&hooks->pre_stop, "neither");
	world->templates.items[0].spec.restart.max_attempts = 1;
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 10000);
	world_expect_story(
		world,
		"Docker answers\n"
		"worker joins its cluster\n"
		"shop/web.1 pulling app:1\n"
		"shop/web.1 must end: its post_start hook 1 of 2 (bad -x) exited with status "
		"3: no luck\n"
		"shop/web.1 stopping: sent SIGTERM\n"
		"shop/web.1 post_start hook 1 of 2 (bad -x) exited with status 3: no luck: "
		"restarting at once\n"
		"shop/web.1 must end: its post_start hook 1 of 2 (bad -x) exited with status "
		"3: no luck\n"
		"shop/web.1 stopping: sent SIGTERM\n"
		"shop/web.1 failed: post_start hook 1 of 2 (bad -x) exited with status 3: no "
		"luck; 1 of 1 restarts used\n");
	world_expect(world, id, TASK_FAILED, REASON_HOOK_FAILED,
		     "post_start hook 1 of 2 (bad -x) exited with status 3: no luck; 1 of 1 "
		     "restarts used");
	expect_hooks(world, "1:bad 2:bad ");
	world_free(world);
}

static void who_ends_meanwhile_has_its_own_reason(void **state)
{
	(void)state;
	struct world *world = world_new();
	add(&hooked_job(world, "exit3:1")->post_start, "one");
	world->templates.items[0].spec.restart.condition = RESTART_NONE;
	world->hook_ms = 5000;
	struct task_id id = world_begin(world, "exit3:1");
	world_run(world, 10000);
	world_expect(world, id, TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 3; its restart policy is none");
	world_free(world);
}

/* Three bytes each, and the limit falls inside of one. */
static void a_long_command_is_cut_between_characters(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct hook *hook = list_add(&hooked_job(world, "app:1")->post_start, sizeof(*hook));
	struct text command, told;
	text_init(&command, 1000);
	text_init(&told, 1000);
	text_add(&command, "x");
	for (int i = 0; i < 60; i++)
		text_add(&command, "\xe2\x82\xac");
	strings_add(&hook->command, text_string(&command));
	world->hook_ms = 300000;
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 5000);
	text_addf(&told, "running its post_start hook (%.*s...)", 1 + 39 * 3, command.bytes);
	world_expect(world, id, TASK_SCHEDULED, REASON_STARTING, text_string(&told));
	text_release(&command);
	text_release(&told);
	world_free(world);
}

static void a_stop_waits_for_no_hook_of_the_start(void **state)
{
	(void)state;
	struct world *world = world_new();
	add(&hooked_job(world, "app:1")->post_start, "one");
	world->hook_ms = 300000;
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 5000);
	world_want(world, id, TASK_WANT_STOP, REASON_STOPPED);
	world_run(world, 1000);
	world_expect(world, id, TASK_COMPLETED, REASON_STOPPED, "stopped by SIGTERM");
	world_free(world);
}

static void a_lease_waits_for_no_hook(void **state)
{
	(void)state;
	struct world *world = world_new();
	add(&hooked_job(world, "app:1")->post_start, "one");
	world->templates.items[0].spec.on_disconnect = ON_DISCONNECT_STOP;
	world->hook_ms = 500000;
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 5000);
	assert_int_equal(world_running(world, id), 1);
	world_session(world, false);
	world_run(world, 70000);
	assert_int_equal(world_running(world, id), 0);
	world_free(world);
}

static void an_unclear_answer_is_asked_again_and_not_for_ever(void **state)
{
	(void)state;
	struct world *world = world_new();
	add(&hooked_job(world, "app:1")->post_start, "one");
	world_fault(world, CONTAINER_EXEC, FAULT_AMBIGUOUS, "EOF")->happens = true;
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 10000);
	world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
	expect_hooks(world, "1:one 1:one ");
	world_free(world);

	world = world_new();
	add(&hooked_job(world, "app:1")->post_start, "one");
	world->templates.items[0].spec.restart.condition = RESTART_NONE;
	world_fault(world, CONTAINER_EXEC, FAULT_AMBIGUOUS, "status 500")->times = 1000;
	id = world_begin(world, "app:1");
	world_run(world, 10000);
	world_expect(
		world, id, TASK_FAILED, REASON_HOOK_FAILED,
		"post_start hook (one -x) could not be run in 3 tries: status 500; its restart "
		"policy is none");
	world_free(world);
}

/* ---- pre_stop ---- */

static void the_signal_follows_the_hooks(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct hooks *hooks = hooked_job(world, "app:1");
	add(&hooks->pre_stop, "one");
	add(&hooks->pre_stop, "two");
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 3000);
	world->hook_ms = 3000;
	world_want(world, id, TASK_WANT_STOP, REASON_STOPPED);
	world_run(world, 2500);
	world_expect(world, id, TASK_RUNNING, REASON_STOPPING,
		     "stopping: running its pre_stop hook 1 of 2 (one -x)");
	world_run(world, 4000);
	world_expect(world, id, TASK_COMPLETED, REASON_STOPPED, "stopped by SIGTERM");
	expect_hooks(world, "1:one 1:two ");
	world_free(world);
}

static void hooks_and_signal_share_the_grace(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct hooks *hooks = hooked_job(world, "app:1");
	add(&hooks->pre_stop, "one");
	add(&hooks->pre_stop, "two");
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 3000);
	world->hook_ms = 60000;
	world_want(world, id, TASK_WANT_STOP, REASON_STOPPED);
	world_run(world, 11000);
	world_expect(world, id, TASK_COMPLETED, REASON_STOPPED,
		     "killed: pre_stop hook 1 of 2 (one -x) did not end in time");
	expect_hooks(world, "1:one ");
	world_free(world);

	/* What is left of it after the hooks is the signal's. */
	world = world_new();
	add(&hooked_job(world, "stubborn:1")->pre_stop, "one");
	id = world_begin(world, "stubborn:1");
	world_run(world, 3000);
	world->hook_ms = 6000;
	world_want(world, id, TASK_WANT_STOP, REASON_STOPPED);
	world_run(world, 9000);
	assert_int_equal(world_running(world, id), 1);
	world_run(world, 2000);
	world_expect(world, id, TASK_COMPLETED, REASON_STOPPED,
		     "killed: still running 10s after SIGTERM");
	world_free(world);
}

static void one_that_fails_is_told_and_the_signal_follows(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct hooks *hooks = hooked_job(world, "stubborn:1");
	add(&hooks->pre_stop, "bad");
	add(&hooks->pre_stop, "never");
	struct task_id id = world_begin(world, "stubborn:1");
	world_run(world, 3000);
	world->told = world->story.len;
	world_want(world, id, TASK_WANT_STOP, REASON_STOPPED);
	world_run(world, 3000);
	world_expect_story(world, "shop/web.1 pre_stop hook 1 of 2 (bad -x) exited with status 3: "
				  "no luck\n"
				  "shop/web.1 stopping: sent SIGTERM\n");
	const char *told = world_observed(world, id)->message;
	assert_non_null(strstr(told,
			       "stopping: pre_stop hook 1 of 2 (bad -x) exited with status 3: "
			       "no luck; sent SIGTERM, SIGKILL follows after 9"));
	expect_hooks(world, "1:bad ");
	world_free(world);
}

/* A hook may be how it is stopped: that is no success of a job that runs to completion. */
static void what_a_hook_ends_was_stopped(void **state)
{
	(void)state;
	struct world *world = world_new();
	add(&hooked_job(world, "app:1")->pre_stop, "quit");
	world->templates.items[0].spec.mode = JOB_REPLICATED_JOB;
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 3000);
	world_want(world, id, TASK_WANT_STOP, REASON_STOPPED);
	world_run(world, 3000);
	world_expect(world, id, TASK_COMPLETED, REASON_STOPPED,
		     "ended while its pre_stop hooks ran");
	world_free(world);
}

static void who_ends_by_itself_runs_no_hook(void **state)
{
	(void)state;
	struct world *world = world_new();
	add(&hooked_job(world, "done:1")->pre_stop, "one");
	struct task_id id = world_begin(world, "done:1");
	world_run(world, 3000);
	world_expect(world, id, TASK_COMPLETED, REASON_EXIT_ZERO, "exited with status 0");
	expect_hooks(world, "");
	world_free(world);
}

/* ---- crashes ---- */

static void a_crash_at_any_action_leaves_no_hook_out(void **state)
{
	(void)state;
	bool crashed = true;
	int n = 0;
	for (; crashed; n++) {
		struct world *world = world_new();
		struct hooks *hooks = hooked_job(world, "app:1");
		add(&hooks->post_start, "one");
		add(&hooks->post_start, "two");
		add(&hooks->pre_stop, "three");
		world->crash_at = n / 2 + 1;
		world->crash_after = n & 1;
		struct task_id id = world_begin(world, "app:1");
		world_run(world, 8000);
		world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
		assert_int_equal(world_observed(world, id)->attempt, 1);
		world_want(world, id, TASK_WANT_STOP, REASON_STOPPED);
		world_run(world, 8000);
		crashed = world->crashed;
		assert_int_equal(world_observed(world, id)->state, TASK_COMPLETED);
		assert_int_equal(world_observed(world, id)->reason, REASON_STOPPED);
		/* In order; twice at most, where the crash was. */
		const char *run = text_string(&world->hooks);
		assert_true(strstr(run, "1:one ") && strstr(run, "1:two ") &&
			    strstr(run, "1:three "));
		assert_true(strstr(run, "1:one ") < strstr(run, "1:two "));
		assert_in_range(world->hooks.len, strlen("1:one 1:two 1:three "),
				strlen("1:one 1:two 1:three 1:three "));
		world_free(world);
	}
	assert_true(n > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_task_runs_once_its_hooks_have_succeeded),
		TEST(every_attempt_has_its_own),
		TEST(one_that_fails_ends_the_attempt_under_the_policy),
		TEST(who_ends_meanwhile_has_its_own_reason),
		TEST(a_long_command_is_cut_between_characters),
		TEST(a_stop_waits_for_no_hook_of_the_start),
		TEST(a_lease_waits_for_no_hook),
		TEST(an_unclear_answer_is_asked_again_and_not_for_ever),
		TEST(the_signal_follows_the_hooks),
		TEST(hooks_and_signal_share_the_grace),
		TEST(one_that_fails_is_told_and_the_signal_follows),
		TEST(what_a_hook_ends_was_stopped),
		TEST(who_ends_by_itself_runs_no_hook),
		TEST(a_crash_at_any_action_leaves_no_hook_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
