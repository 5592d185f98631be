#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/limits.h"
#include "cluster/test_world.h"

struct scene {
	struct world world;
	struct node_entry *node;
	struct job_entry *job;
	struct task *task; /* placed on `node` */
};

static int set_up(void **state)
{
	struct scene *scene = base_calloc(1, sizeof(*scene));
	world_init(&scene->world);
	scene->node = world_node(&scene->world, "a", 4000, 8 * GB, NULL, NULL);
	scene->job = world_job(&scene->world, "shop", "web", world_spec(100, GB));
	scene->task = world_placed(&scene->world, scene->job, 1, scene->node);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;
	world_release(&scene->world);
	base_free(scene);
	return 0;
}

static bool report(struct scene *scene, int64_t version, int state, int64_t attempt)
{
	return world_report(&scene->world, scene->task,
			    report_of(scene->task, version, state, attempt), NULL);
}

static bool report_end(struct scene *scene, int64_t version, int state, int64_t started_wall_ms,
		       int reason)
{
	struct task_observed end = report_of(scene->task, version, state, 1);
	end.started_wall_ms = started_wall_ms;
	end.reason = reason;
	return world_report(&scene->world, scene->task, end, NULL);
}

static void a_report_moves_the_task_and_is_recorded(void **state)
{
	struct scene *scene = *state;
	size_t n_changes = scene->world.changes.n;
	scene->job->dirty = false;
	assert_true(report(scene, 1, TASK_RUNNING, 1));
	assert_int_equal(scene->task->state, TASK_RUNNING);
	assert_true(scene->job->dirty);
	assert_int_equal(scene->world.changes.n, n_changes + 1);
	const struct change *change = &scene->world.changes.items[n_changes];
	assert_int_equal(change->kind, RECORD_OBSERVED);
	assert_int_equal(change->key_len, UUID_BYTES);
	assert_memory_equal(change->key, scene->task->desired.id.uuid.bytes, UUID_BYTES);
}

static void what_is_reported_again_is_not_recorded_again(void **state)
{
	struct scene *scene = *state;
	struct task_observed again = report_of(scene->task, 1, TASK_RUNNING, 1);
	assert_false(cluster_observe_again(scene->task, &again));
	assert_true(report(scene, 1, TASK_RUNNING, 1));
	size_t n_changes = scene->world.changes.n;
	struct task_observed known;
	char container_id[TASK_CONTAINER_ID_SIZE];
	task_get_observed(scene->task, container_id, &known);
	record_copy(&task_observed_type, &again, &known);
	again.version = 7;
	assert_true(cluster_observe_again(scene->task, &again));
	assert_int_equal(scene->task->observed.version, 7);
	assert_int_equal(scene->world.changes.n, n_changes);
	again.version = 6;
	assert_false(cluster_observe_again(scene->task, &again));
	again.version = 8;
	again.health = HEALTH_HEALTHY;
	assert_false(cluster_observe_again(scene->task, &again));
	assert_int_equal(scene->task->observed.version, 7);
	record_release(&task_observed_type, &again);
}

static void a_job_that_ran_between_two_reports_may_end_at_once(void **state)
{
	struct scene *scene = *state;
	assert_true(report_end(scene, 5, TASK_COMPLETED, 1000, REASON_EXIT_ZERO));
	assert_int_equal(scene->task->state, TASK_COMPLETED);
	assert_true(task_succeeded(scene->task));
}

static void a_restart_between_two_reports_is_taken(void **state)
{
	struct scene *scene = *state;
	assert_true(report(scene, 1, TASK_SCHEDULED, 1));
	assert_true(report(scene, 2, TASK_SCHEDULED, 3));
	assert_int_equal(scene->task->observed.attempt, 3);
	assert_true(report(scene, 3, TASK_RUNNING, 3));
	assert_true(report(scene, 4, TASK_RUNNING, 4));
	assert_true(report(scene, 5, TASK_SCHEDULED, 5));
	assert_int_equal(scene->task->state, TASK_SCHEDULED);
}

static void a_repeated_report_changes_nothing(void **state)
{
	struct scene *scene = *state;
	assert_true(report(scene, 2, TASK_RUNNING, 1));
	size_t n_changes = scene->world.changes.n;
	assert_true(report(scene, 2, TASK_RUNNING, 1));
	assert_int_equal(scene->world.changes.n, n_changes);
}

static void an_older_report_is_refused_with_the_reason(void **state)
{
	struct scene *scene = *state;
	struct err err = { 0 };
	assert_true(report(scene, 4, TASK_RUNNING, 1));
	assert_false(world_report(&scene->world, scene->task,
				  report_of(scene->task, 3, TASK_SCHEDULED, 1), &err));
	assert_string_equal(err.message, "report 3 is older than 4, which is known");
	assert_int_equal(scene->task->state, TASK_RUNNING);
}

static void a_final_task_does_not_come_back(void **state)
{
	struct scene *scene = *state;
	struct err err = { 0 };
	assert_true(report_end(scene, 1, TASK_COMPLETED, 1000, REASON_EXIT_ZERO));
	assert_false(world_report(&scene->world, scene->task,
				  report_of(scene->task, 2, TASK_RUNNING, 2), &err));
	assert_string_equal(err.message, "a task that is completed does not become running");
	assert_int_equal(scene->task->state, TASK_COMPLETED);
	assert_false(report(scene, 3, TASK_FAILED, 2));
}

static void a_final_task_keeps_its_exit_and_learns_only_that_it_is_gone(void **state)
{
	struct scene *scene = *state;
	assert_true(report_end(scene, 1, TASK_FAILED, 1000, REASON_EXIT_NONZERO));
	struct task_observed later = report_of(scene->task, 2, TASK_FAILED, 1);
	later.reason = REASON_OOM_KILLED;
	later.health = HEALTH_UNHEALTHY;
	later.exit_code = 99;
	later.gone = true;
	assert_true(world_report(&scene->world, scene->task, later, NULL));
	assert_int_equal(scene->task->reason, REASON_EXIT_NONZERO);
	assert_int_equal(scene->task->observed.exit_code, -1);
	assert_int_equal(scene->task->observed.health, HEALTH_NONE);
	assert_true(scene->task->observed.gone);
	/* Gone does not come back. */
	assert_true(report_end(scene, 3, TASK_FAILED, 1000, REASON_EXIT_NONZERO));
	assert_true(scene->task->observed.gone);
}

static void give_up(struct scene *scene)
{
	cluster_task_edit(&scene->world.cluster, scene->task);
	scene->task->desired.verdict = TASK_FAILED;
	scene->task->desired.verdict_reason = REASON_NODE_LOST;
	cluster_task_save(&scene->world.cluster, &scene->world.changes, scene->task);
}

static void a_lost_task_stays_lost_and_frees_its_node_when_it_is_gone(void **state)
{
	struct scene *scene = *state;
	const int64_t *n_tasks = scene->world.cluster.columns.tasks;
	give_up(scene);
	assert_int_equal(n_tasks[0], 1);
	assert_true(report(scene, 7, TASK_RUNNING, 1));
	assert_int_equal(scene->task->state, TASK_FAILED);
	assert_int_equal(n_tasks[0], 1);

	struct task_observed end = report_of(scene->task, 8, TASK_COMPLETED, 1);
	end.reason = REASON_EXIT_ZERO;
	end.gone = true;
	assert_true(world_report(&scene->world, scene->task, end, NULL));
	assert_int_equal(scene->task->state, TASK_FAILED);
	assert_int_equal(scene->task->reason, REASON_NODE_LOST);
	assert_int_equal(n_tasks[0], 0);
	end = report_of(scene->task, 9, TASK_COMPLETED, 1);
	end.removed = true;
	assert_true(world_report(&scene->world, scene->task, end, NULL));
	assert_int_equal(scene->node->tasks.n, 0);
}

static void nonsense_from_outside_is_refused_and_changes_nothing(void **state)
{
	struct scene *scene = *state;
	struct world *world = &scene->world;
	struct task *pending = world_task(world, scene->job, 2);
	struct node_entry *other = world_node(world, "b", 4000, 8 * GB, NULL, NULL);
	size_t n_changes = world->changes.n;

	assert_false(report(scene, 1, TASK_PENDING, 1));
	assert_false(report(scene, 1, 17, 1));
	assert_false(report(scene, 0, TASK_RUNNING, 1));
	struct task_observed bad = report_of(scene->task, 1, TASK_RUNNING, 1);
	bad.gone = true;
	assert_false(world_report(world, scene->task, bad, NULL));
	bad = report_of(scene->task, 1, TASK_RUNNING, 1);
	assert_false(
		cluster_observe(&world->cluster, &world->changes, other->record.id, &bad, NULL));
	/* Nobody can speak for a task that is placed nowhere, not even a node without an id. */
	bad = report_of(pending, 1, TASK_SCHEDULED, 1);
	assert_false(world_report(world, pending, bad, NULL));
	bad = report_of(scene->task, 1, TASK_RUNNING, 1);
	bad.task.uuid = world_id(world);
	assert_false(world_report(world, scene->task, bad, NULL));

	assert_int_equal(scene->task->state, TASK_SCHEDULED);
	assert_int_equal(pending->state, TASK_PENDING);
	assert_int_equal(world->changes.n, n_changes);
}

static void only_a_completed_task_can_have_succeeded(void **state)
{
	struct scene *scene = *state;
	struct err err = { 0 };
	struct task_observed failed = report_of(scene->task, 1, TASK_FAILED, 1);
	failed.reason = REASON_EXIT_ZERO;
	assert_false(world_report(&scene->world, scene->task, failed, &err));
	assert_int_equal(err.code, ERR_PROTOCOL);
	assert_string_equal(err.message, "a task that is failed has not ended with exit code 0");
	assert_int_equal(scene->task->state, TASK_SCHEDULED);
	assert_true(report_end(scene, 1, TASK_COMPLETED, 1000, REASON_EXIT_ZERO));
	assert_true(task_succeeded(scene->task));
}

static void no_task_counts_further_than_it_can_hold(void **state)
{
	struct scene *scene = *state;
	struct err err = { 0 };
	struct task_observed far = report_of(scene->task, 1, TASK_RUNNING, LIMIT_TASK_COUNT + 1LL);
	assert_false(world_report(&scene->world, scene->task, far, &err));
	assert_int_equal(err.code, ERR_PROTOCOL);
	assert_true(report(scene, 1, TASK_RUNNING, LIMIT_TASK_COUNT));
}

static void attempts_do_not_go_back(void **state)
{
	struct scene *scene = *state;
	assert_true(report(scene, 1, TASK_RUNNING, 3));
	assert_false(report(scene, 2, TASK_RUNNING, 2));
	assert_int_equal(scene->task->observed.attempt, 3);
}

static void the_contents_are_taken_whatever_the_answer(void **state)
{
	struct scene *scene = *state;
	struct task_observed refused = report_of(scene->task, 0, TASK_RUNNING, 1);
	string_set(&refused.message, "text that would leak");
	assert_false(cluster_observe(&scene->world.cluster, NULL, scene->node->record.id, &refused,
				     NULL));
	assert_null(refused.message);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_report_moves_the_task_and_is_recorded),
		CASE(what_is_reported_again_is_not_recorded_again),
		CASE(a_job_that_ran_between_two_reports_may_end_at_once),
		CASE(a_restart_between_two_reports_is_taken),
		CASE(a_repeated_report_changes_nothing),
		CASE(an_older_report_is_refused_with_the_reason),
		CASE(a_final_task_does_not_come_back),
		CASE(a_final_task_keeps_its_exit_and_learns_only_that_it_is_gone),
		CASE(a_lost_task_stays_lost_and_frees_its_node_when_it_is_gone),
		CASE(nonsense_from_outside_is_refused_and_changes_nothing),
		CASE(only_a_completed_task_can_have_succeeded),
		CASE(attempts_do_not_go_back),
		CASE(no_task_counts_further_than_it_can_hold),
		CASE(the_contents_are_taken_whatever_the_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
