/* Tasks that are better off elsewhere: which they are, how they move, and that nothing goes to and fro. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "manager/rebalance.h"
#include "manager_story.h"

#define ANSWER_BYTES_MAX (1024 * 1024)

static _Noreturn void make_plan(struct story *story, int fd)
{
	struct rebalance_plan plan;
	struct text bytes;
	struct manager_in in = { .now_ms = story->now_ms,
				 .wall_ms = story->wall_ms,
				 .seed = story->seed + 77,
				 .rev = story->rev + 1 };
	text_init(&bytes, ANSWER_BYTES_MAX);
	alarm(60);
	manager_plan_rebalance(story->manager, &in, &plan);
	cluster_check(manager_cluster(story->manager));
	record_encode(&rebalance_plan_type, &plan, &bytes);
	for (size_t at = 0; at < bytes.len;) {
		ssize_t n = write(fd, bytes.bytes + at, bytes.len - at);
		if (n <= 0)
			_exit(2);
		at += (size_t)n;
	}
	_exit(0);
}

static void plan_moves(struct story *story, struct rebalance_plan *ret_plan)
{
	int fds[2];
	char chunk[4096];
	struct text answer;
	struct err damage;
	ssize_t n;
	int status = 0;
	assert_int_equal(pipe(fds), 0);
	pid_t child = fork();
	if (child == 0)
		make_plan(story, fds[1]);
	assert_true(child > 0);
	close(fds[1]);
	text_init(&answer, ANSWER_BYTES_MAX);
	while ((n = read(fds[0], chunk, sizeof(chunk))) > 0)
		text_add_bytes(&answer, chunk, (size_t)n);
	close(fds[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(record_decode(&rebalance_plan_type, answer.len ? answer.bytes : "",
				       answer.len, ret_plan, &damage),
			 ERR_NONE);
	text_release(&answer);
}

/* "shop/web.1 alpha>beta\n... well 3 tied 0 unsettled 0". */
static void moves(struct story *story, const char *expected)
{
	struct rebalance_plan plan;
	struct text out;
	text_init(&out, ANSWER_BYTES_MAX);
	plan_moves(story, &plan);
	for (size_t i = 0; i < plan.moves.n; i++)
		text_addf(&out, "%s %s>%s\n", plan.moves.items[i].name, plan.moves.items[i].from,
			  plan.moves.items[i].to);
	text_addf(&out, "well %lld tied %lld unsettled %lld", (long long)plan.well,
		  (long long)plan.tied, (long long)plan.unsettled);
	record_release(&rebalance_plan_type, &plan);
	assert_string_equal(text_string(&out), expected);
	text_release(&out);
}

/* Plan, and ask for what was planned. Returns how many moves that were. */
static size_t rebalance(struct story *story)
{
	struct rebalance_plan plan;
	plan_moves(story, &plan);
	struct rebalance_request asked = { .moves = { plan.moves.items, plan.moves.n } };
	struct manager_request request = { .kind = REQUEST_REBALANCE, .rebalance = &asked };
	size_t n = plan.moves.n;
	if (n)
		assert_int_equal(story_ask(story, &request), ERR_NONE);
	record_release(&rebalance_plan_type, &plan);
	return n;
}

static size_t tasks_on(struct story *story, const char *name)
{
	const struct node_entry *node = story_node(story, name);
	return (size_t)manager_cluster(story->manager)->columns.tasks[node->index];
}

/* "shop/web" of `replicas` on alpha; then beta joins. */
static void begin(struct story *story, int64_t replicas)
{
	story_begin(story);
	story_join(story, "alpha");
	story_project(story, "shop");
	story_job(story, "web", replicas);
}

static void up_and_join(struct story *story)
{
	assert_int_equal(story_apply(story), ERR_NONE);
	story_pass(story, 30000);
	story_join(story, "beta");
	story_pass(story, 1000);
	story_forget(story);
}

static struct job_spec *spec(struct story *story)
{
	return &story->request.jobs.items[0].spec;
}

static void a_new_node_takes_its_share_one_after_the_other(void **state)
{
	struct story story;
	begin(&story, 4);
	up_and_join(&story);
	moves(&story, "shop/web.1 alpha>beta\nshop/web.2 alpha>beta\n"
		      "well 2 tied 0 unsettled 0");
	assert_int_equal(rebalance(&story), 2);
	story_tells(&story, "2 tasks are to move to better nodes\n"
			    "shop/web.1 scheduled on beta\n"
			    "shop/web.1 running\n"
			    "shop/web.1 stopping: rebalanced\n"
			    "shop/web.1 completed: rebalanced\n"
			    "shop/web.2 scheduled on beta\n"
			    "shop/web.2 running\n"
			    "shop/web.2 stopping: rebalanced\n"
			    "shop/web.2 completed: rebalanced\n");
	assert_int_equal(tasks_on(&story, "alpha"), 2);
	assert_int_equal(tasks_on(&story, "beta"), 2);
	moves(&story, "well 4 tied 0 unsettled 0");
	story_end(&story);
	(void)state;
}

/* Who is lost meanwhile is followed wherever there is room: the better node is no condition then. */
static void whoever_is_lost_on_its_way_is_not_bound_to_the_better_node(void **state)
{
	struct story story;
	(void)state;
	begin(&story, 4);
	strings_add(&spec(&story)->placement.constraints, "node.labels.rack==r1");
	story_set_label(&story, "alpha", "rack", "r1");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 30000);
	story_join(&story, "beta");
	story_set_label(&story, "beta", "rack", "r1");
	story_pass(&story, 1000);
	story.starting = "web";
	assert_int_equal(rebalance(&story), 2);
	story_set_label(&story, "beta", "rack", "r2");
	story_health(&story, "shop/web.1", HEALTH_HEALTHY);
	assert_int_equal(story_task(&story, "shop/web.2")->state, TASK_PENDING);
	story_silence(&story, "alpha");
	story_join(&story, "gamma");
	story_set_label(&story, "gamma", "rack", "r1");
	story.starting = NULL;
	story_pass(&story, 10 * 60000);
	assert_int_equal(story_task(&story, "shop/web.2")->state, TASK_RUNNING);
	assert_int_equal(story_task(&story, "shop/web.4")->state, TASK_RUNNING);
	story_end(&story);
}

/* What begins when another is over goes on, also while the job is not as it is to be. */
static void one_after_the_other_beside_one_that_is_not_ready(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 4);
	up_and_join(&story);
	story_health(&story, "shop/web.4", HEALTH_UNHEALTHY);
	assert_int_equal(rebalance(&story), 2);
	story_pass(&story, 1000);
	assert_int_equal(tasks_on(&story, "alpha"), 2);
	assert_int_equal(tasks_on(&story, "beta"), 2);
	story_end(&story);
}

static void as_many_side_by_side_as_the_update_policy_says(void **state)
{
	struct story story;
	begin(&story, 8);
	spec(&story)->update.parallelism = 2;
	up_and_join(&story);
	story.hold_start = "web";
	assert_true(rebalance(&story) >= 3);
	assert_int_equal(tasks_on(&story, "beta"), 2);
	assert_int_equal(tasks_on(&story, "alpha"), 8);
	story_end(&story);
	(void)state;
}

static void what_may_not_run_twice_stays(void **state)
{
	struct story story;
	begin(&story, 2);
	*(struct port *)list_add(&spec(&story)->ports, sizeof(struct port)) =
		(struct port){ .host_first = 8080, .host_last = 8080, .container_port = 80 };
	spec(&story)->replicas = 1;
	story_mount(&story, story_job(&story, "db", 1), "data");
	story_job(&story, "each", 1)->mode = JOB_GLOBAL;
	story_job(&story, "once", 3)->mode = JOB_REPLICATED_JOB;
	up_and_join(&story);
	moves(&story, "well 0 tied 7 unsettled 0");
	story_end(&story);
	(void)state;
}

static void a_job_that_is_updated_stays(void **state)
{
	struct story story;
	begin(&story, 4);
	up_and_join(&story);
	string_set(&spec(&story)->image, "busybox:2");
	story.hold_stop = "web";
	assert_int_equal(story_apply(&story), ERR_NONE);
	struct rebalance_plan plan;
	plan_moves(&story, &plan);
	assert_int_equal(plan.moves.n, 0);
	assert_int_equal(plan.unsettled, 4);
	record_release(&rebalance_plan_type, &plan);
	story_end(&story);
	(void)state;
}

static void a_move_that_fails_is_called_off(void **state)
{
	struct story story;
	begin(&story, 4);
	up_and_join(&story);
	story.hold_start = "web";
	assert_int_equal(rebalance(&story), 2);
	story_forget(&story);
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_IMAGE_NOT_FOUND, "no such image");
	story_tells(&story, "shop/web.1 failed: image_not_found: no such image\n"
			    "shop/web.1 stays on alpha: the move is called off\n"
			    "shop/web.2 scheduled on beta\n");
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_RUNNING);
	/* The other comes no further. */
	story_pass(&story, 11 * 60000);
	assert_int_equal(story_task(&story, "shop/web.2")->state, TASK_RUNNING);
	story.hold_start = NULL;
	story_pass(&story, 60000);
	assert_int_equal(tasks_on(&story, "alpha"), 4);
	story_end(&story);
	(void)state;
}

/* It exits with 0, as a service that is told to go does. */
static void what_ends_well_on_the_better_node_takes_over_nothing(void **state)
{
	(void)state;
	struct story story;
	begin(&story, 4);
	up_and_join(&story);
	story.hold_start = "web";
	assert_int_equal(rebalance(&story), 2);
	story_forget(&story);
	story_report(&story, "shop/web.1", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	story_tells(&story, "shop/web.1 completed: exit_zero\n"
			    "shop/web.1 stays on alpha: the move is called off\n"
			    "shop/web.2 scheduled on beta\n");
	assert_int_equal(story_task(&story, "shop/web.1")->state, TASK_RUNNING);
	story_end(&story);
}

static void moves_go_on_after_a_restart_of_the_manager(void **state)
{
	struct story story;
	begin(&story, 4);
	up_and_join(&story);
	story.hold_start = "web";
	assert_int_equal(rebalance(&story), 2);
	story_restart(&story);
	story.hold_start = NULL;
	story_pass(&story, 120000);
	assert_int_equal(tasks_on(&story, "alpha"), 2);
	assert_int_equal(tasks_on(&story, "beta"), 2);
	story_end(&story);
	(void)state;
}

static void the_better_node_goes_away(void **state)
{
	struct story story;
	begin(&story, 4);
	up_and_join(&story);
	story.hold_start = "web";
	assert_int_equal(rebalance(&story), 2);
	story_silence(&story, "beta");
	story.hold_start = NULL;
	story_pass(&story, 20 * 60000);
	for (int i = 1; i <= 4; i++) {
		char name[] = "shop/web.0";
		name[sizeof(name) - 2] = (char)('0' + i);
		const struct task *task = story_task(&story, name);
		assert_int_equal(task->state, TASK_RUNNING);
		assert_memory_equal(&task->desired.node, &story_node(&story, "alpha")->record.id,
				    sizeof(struct node_id));
	}
	story_end(&story);
	(void)state;
}

static void a_drain_and_an_update_take_over(void **state)
{
	struct story story;
	begin(&story, 4);
	up_and_join(&story);
	story.hold_start = "web";
	assert_int_equal(rebalance(&story), 2);
	story.hold_start = NULL;
	story.quiet = true;
	string_set(&spec(&story)->image, "busybox:2");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story.quiet = false;
	story_pass(&story, 120000);
	story_stands(&story, "shop/web", STANDING_RUNNING, "4 of 4 ready");
	story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false);
	story_pass(&story, 120000);
	assert_int_equal(tasks_on(&story, "alpha"), 0);
	assert_int_equal(tasks_on(&story, "beta"), 4);
	story_end(&story);
	(void)state;
}

static void what_cannot_be_is_refused_as_a_whole(void **state)
{
	struct story story;
	begin(&story, 4);
	up_and_join(&story);
	struct planned_move wished[2] = {
		{ .task = story_task(&story, "shop/web.1")->desired.id.uuid,
		  .node = story_node(&story, "beta")->record.id.uuid },
		{ .task = story_task(&story, "shop/web.2")->desired.id.uuid,
		  .node = story_node(&story, "alpha")->record.id.uuid },
	};
	struct rebalance_request asked = { .moves = { wished, 2 } };
	struct manager_request request = { .kind = REQUEST_REBALANCE, .rebalance = &asked };
	size_t n_changes = story.n_changes;
	assert_int_equal(story_ask(&story, &request), ERR_CONFLICT);
	assert_string_equal(story.reply->err.message, "shop/web.2 is on node alpha already");
	wished[1].task.bytes[0] ^= 1;
	wished[1].name = NULL;
	assert_int_equal(story_ask(&story, &request), ERR_CONFLICT);
	asked.moves.n = 0;
	assert_int_equal(story_ask(&story, &request), ERR_INVALID);
	assert_int_equal(story.n_changes, n_changes);
	story_end(&story);
	(void)state;
}

/* Whatever the policy: once it is done, nothing is better any more, and every task serves. */
static void done_again_it_moves_nothing(void **state)
{
	static const char *const policies[] = { "epvm", "greedy", "binpack", "spread",
						"roundrobin" };
	static const int64_t memories[] = { 64, 256, 1024 };
	size_t n_moves = 0;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct random random = { seed };
		struct story story;
		story_begin(&story);
		story.options.scheduler = scheduler_find(policies[seed % ARRAY_LEN(policies)]);
		story_restart(&story);
		story_join(&story, "alpha");
		story_join_with(&story, "beta", 4LL << 30);
		story_project(&story, "shop");
		for (int i = 0; i < 4; i++) {
			char name[] = "job0";
			name[3] = (char)('0' + i);
			struct job_spec *job =
				story_job(&story, name, (int64_t)random_below(&random, 9));
			job->reservations.memory_bytes =
				memories[random_below(&random, ARRAY_LEN(memories))] << 20;
			job->update.parallelism = (int64_t)random_below(&random, 3);
			if (random_below(&random, 3) == 0)
				strings_add(&job->placement.preferences, "node.labels.rack");
		}
		assert_int_equal(story_apply(&story), ERR_NONE);
		story_pass(&story, 60000);
		story_join(&story, "gamma");
		story_join_with(&story, "delta", 16LL << 30);
		story_set_label(&story, "delta", "rack", "b");
		story_pass(&story, 60000);
		n_moves += rebalance(&story);
		story_pass(&story, 300000);
		struct rebalance_plan again;
		plan_moves(&story, &again);
		if (again.moves.n)
			fail_msg("seed %d: %s again", (int)seed, again.moves.items[0].name);
		assert_int_equal(again.unsettled, 0);
		record_release(&rebalance_plan_type, &again);
		story_end(&story);
	}
	assert_true(n_moves > 100);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_node_takes_its_share_one_after_the_other),
		cmocka_unit_test(whoever_is_lost_on_its_way_is_not_bound_to_the_better_node),
		cmocka_unit_test(one_after_the_other_beside_one_that_is_not_ready),
		cmocka_unit_test(as_many_side_by_side_as_the_update_policy_says),
		cmocka_unit_test(what_may_not_run_twice_stays),
		cmocka_unit_test(a_job_that_is_updated_stays),
		cmocka_unit_test(a_move_that_fails_is_called_off),
		cmocka_unit_test(what_ends_well_on_the_better_node_takes_over_nothing),
		cmocka_unit_test(moves_go_on_after_a_restart_of_the_manager),
		cmocka_unit_test(the_better_node_goes_away),
		cmocka_unit_test(a_drain_and_an_update_take_over),
		cmocka_unit_test(what_cannot_be_is_refused_as_a_whole),
		cmocka_unit_test(done_again_it_moves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
