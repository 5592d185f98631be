/* Sets and reports: lost, repeated and reordered messages; orphans, networks and volumes nobody
 * wants. */
#include <string.h>

#include "worker_world.h"

static const struct uuid other_cluster = { { 0xee } };

/* ---- sets ---- */

static void an_older_set_is_refused(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 1000);
	world_send_full(world);
	world->rev = 0;
	world->answers_full = false;
	size_t n_tasks = world->tasks.n;
	world->tasks.n = 0;
	world_send_full(world);
	world->tasks.n = n_tasks;
	world->rev = 2;
	world_run(world, 5000);
	assert_int_equal(world_running(world, id), 1);
	assert_non_null(strstr(text_string(&world->story), "older than the newest is ignored"));
	world_free(world);
}

/* Beyond what a task here can hold, and any that a manager has. */
static void a_set_that_counts_too_far_is_refused(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 1000);
	world->answers_full = false;
	world_assignment(world, id)->slot = LIMIT_TASK_COUNT + 1LL;
	world->rev++;
	world_send_full(world);
	assert_non_null(strstr(text_string(&world->story), "counts too far is ignored"));
	assert_int_equal(world->last_up.rev, 1);
	world_run(world, 5000);
	assert_int_equal(world_running(world, id), 1);
	world_free(world);
}

static void an_older_epoch_is_refused_whatever_its_number(void **state)
{
	(void)state;
	struct world *world = world_new();
	world->epoch = 5;
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 1000);
	world->epoch = 4;
	world->rev = 100;
	world->answers_full = false;
	world_want(world, id, TASK_WANT_STOP, REASON_STOPPED);
	world_run(world, 5000);
	assert_int_equal(world_running(world, id), 1);
	assert_int_equal(world->last_up.epoch, 5);
	world_free(world);
}

static void what_was_taken_is_known_after_a_crash(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_begin(world, "app:1");
	world_run(world, 1000);
	world->answers_full = false;
	world_crash(world);
	assert_int_equal(world->last_up.epoch, 1);
	assert_int_equal(world->last_up.rev, 1);
	assert_true(world->last_up.want_full);
	world_free(world);
}

static void a_change_on_another_base_is_not_taken_and_a_full_set_asked_for(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 1000);
	world->answers_full = false;
	world_assignment(world, id)->wanted = TASK_WANT_STOP;
	world_assignment(world, id)->stop_reason = REASON_STOPPED;
	world->rev = 3;
	world_send_change(world, 3, id);
	assert_true(world->last_up.want_full);
	assert_int_equal(world->last_up.rev, 1);
	world_run(world, 1000);
	assert_int_equal(world_running(world, id), 1);
	world_send_full(world);
	world_run(world, 1000);
	assert_int_equal(world_running(world, id), 0);
	assert_false(world->last_up.want_full);
	world_free(world);
}

static void the_same_message_twice_changes_nothing(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 3000);
	int n_puts = world->n_puts;
	world->rev--;
	world_send_full(world);
	world_run(world, 1000);
	assert_int_equal(world->n_puts, n_puts);
	assert_int_equal(world_observed(world, id)->attempt, 1);
	world_free(world);
}

static void the_digest_is_that_of_the_managers_set(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id first = world_begin(world, "app:1");
	struct task_id second = world_task(world, "web");
	world_send_change(world, world->rev, second);
	world_want(world, first, TASK_WANT_STOP, REASON_STOPPED);
	world_run(world, 3000);
	uint64_t digest = 0;
	for (size_t i = 0; i < world->tasks.n; i++)
		digest += (uint64_t)sync_assignment_digest(&world->tasks.items[i]);
	assert_int_equal((uint64_t)world->last_up.digest, digest);
	world_crash(world);
	assert_int_equal((uint64_t)world->last_up.digest, digest);
	world_free(world);
}

static void a_message_of_another_cluster_is_ignored(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 1000);
	struct uuid ours = world->cluster;
	world->answers_full = false;
	world->cluster = other_cluster;
	world_want(world, id, TASK_WANT_REMOVE, REASON_REMOVED);
	world->cluster = ours;
	world_run(world, 3000);
	assert_int_equal(world_running(world, id), 1);
	assert_non_null(strstr(text_string(&world->story), "another cluster is ignored"));
	assert_true(uuid_equal(worker_cluster_id(world->worker), ours));
	world_free(world);
}

static void a_task_whose_template_is_missing_waits_and_asks(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_job(world, "web", "app:1");
	struct task_id id = world_task(world, "web");
	world_session(world, true);
	world->answers_full = false;
	size_t n_templates = world->templates.n;
	world->templates.n = 0;
	world_send_full(world);
	world_run(world, 3000);
	assert_int_equal(world_observed(world, id)->state, TASK_SCHEDULED);
	assert_true(world->last_up.want_full);
	world->templates.n = n_templates;
	world->answers_full = true;
	world_run(world, 5000);
	world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
	world_free(world);
}

/* ---- reports ---- */

static void run_until_all_is_said_again(struct world *world)
{
	int64_t report = world->last_up.report;
	for (int i = 0; world->last_up.report == report || world->last_up.since; i++) {
		assert_true(i < 200);
		world_run(world, 500);
	}
}

static void what_is_not_acknowledged_is_said_again(void **state)
{
	(void)state;
	struct world *world = world_new();
	world->acks = false;
	struct task_id id = world_begin(world, "done:1");
	world_run(world, 10000);
	run_until_all_is_said_again(world);
	assert_int_equal(world->last_up.observed.n, 1);
	assert_int_equal(world->last_up.observed.items[0].reason, REASON_EXIT_ZERO);
	world->ack_due = world->last_up.report;
	world_run(world, 5000);
	assert_int_equal(world->last_up.observed.n, 0);
	world_expect(world, id, TASK_COMPLETED, REASON_EXIT_ZERO, "exited with status 0");
	world_free(world);
}

static void an_old_acknowledgement_does_not_cover_a_newer_change(void **state)
{
	(void)state;
	struct world *world = world_new();
	world->acks = false;
	world_begin(world, "late3:1");
	world_run(world, 3000);
	int64_t report = world->last_up.report;
	world_run(world, 60000);
	run_until_all_is_said_again(world);
	assert_true(world->last_up.observed.items[0].attempts_used > 0);
	world->ack_due = report;
	run_until_all_is_said_again(world);
	assert_int_equal(world->last_up.observed.n, 1);
	world_free(world);
}

static void a_new_session_is_told_everything_unacknowledged(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = world_begin(world, "late3:1");
	world_run(world, 3000);
	world_session(world, false);
	world_run(world, 60000);
	int n_ups = world->n_ups;
	assert_int_equal(world_observed(world, id)->attempt, 1);
	world_session(world, true);
	assert_int_equal(world->n_ups, n_ups + 1);
	assert_int_equal(world_observed(world, id)->attempt, 2);
	world_free(world);
}

static void facts_are_told_until_acknowledged_and_again_when_they_change(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct node_facts facts = { .api_minor = 41 };
	string_set(&facts.hostname, "one");
	world_event(world, &(struct worker_event){ .kind = WORKER_FACTS, .facts = &facts });
	world->acks = false;
	world_begin(world, "app:1");
	assert_true(world->last_up.has_facts);
	assert_string_equal(world->last_up.facts.hostname, "one");
	run_until_all_is_said_again(world);
	assert_true(world->last_up.has_facts);
	world->ack_due = world->last_up.report;
	world_run(world, 3000);
	assert_false(world->last_up.has_facts);
	facts.api_minor = 43;
	world_event(world, &(struct worker_event){ .kind = WORKER_FACTS, .facts = &facts });
	assert_true(world->last_up.has_facts);
	assert_int_equal(world->last_up.facts.api_minor, 43);
	record_release(&node_facts_type, &facts);
	world_free(world);
}

static void statistics_ride_on_one_beat(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_begin(world, "app:1");
	world_run(world, 3000);
	struct node_stats stats = { .cpu_used_milli = 250 };
	world_event(world, &(struct worker_event){ .kind = WORKER_STATS, .stats = &stats });
	world_run(world, 2000);
	assert_true(world->last_up.has_stats);
	assert_int_equal(world->last_up.stats.cpu_used_milli, 250);
	assert_int_equal(world->last_up.stats.tasks_running, 1);
	world_run(world, 2000);
	assert_false(world->last_up.has_stats);
	world_free(world);
}

/* ---- what no task accounts for ---- */

static struct world_container *put_orphan(struct world *world, struct uuid cluster, int state)
{
	struct task_id nobody = { { { 0x01, 0x90, 0xcc } } };
	char name[CONTAINER_NAME_SIZE];
	nobody.uuid.bytes[15] = (uint8_t)world->n_containers;
	nobody.uuid.bytes[6] = 0x70;
	nobody.uuid.bytes[8] = 0x80;
	container_name(nobody, 1, name);
	struct world_container *container = world_put_container(world, name, cluster, nobody, 1);
	container->seen.state = state;
	return container;
}

static void orphans_are_stopped_and_removed_and_strangers_left_alone(void **state)
{
	(void)state;
	struct world *world = world_new();
	char told[CONTAINER_NAME_SIZE + 128];
	text_print(told, sizeof(told),
		   "stopping container %s: no task of this worker accounts for it",
		   put_orphan(world, world->cluster, CONTAINER_RUNNING)->seen.name);
	put_orphan(world, world->cluster, CONTAINER_EXITED);
	put_orphan(world, world->cluster, CONTAINER_RUNNING)->program = program_find("stubborn:1");
	put_orphan(world, other_cluster, CONTAINER_RUNNING);
	put_orphan(world, (struct uuid){ { 0 } }, CONTAINER_EXITED);
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 4900);
	assert_int_equal(world->n_containers, 6);
	world_run(world, 5000);
	assert_int_equal(world->n_containers, 3);
	assert_non_null(strstr(text_string(&world->story), told));
	assert_int_equal(world_running(world, id), 1);
	world_free(world);
}

/* It may be another worker's: then the manager objects, and what is there is not ours. */
static void orphans_wait_until_the_manager_has_heard_which_docker_it_is(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 3000);
	world->acks = false;
	struct node_facts facts;
	record_init(&node_facts_type, &facts);
	string_set(&facts.runtime_id, "ABCD");
	struct worker_event event = { .kind = WORKER_FACTS, .facts = &facts };
	world_event(world, &event);
	record_release(&node_facts_type, &facts);
	put_orphan(world, world->cluster, CONTAINER_RUNNING);
	strings_add(&world->networks, "shop_old");
	world_run(world, 60000);
	assert_int_equal(world->n_containers, 2);
	assert_true(strings_has(&world->networks, "shop_old"));
	world->acks = true;
	world_run(world, 30000);
	assert_int_equal(world->n_containers, 1);
	assert_false(strings_has(&world->networks, "shop_old"));
	assert_int_equal(world_running(world, id), 1);
	world_free(world);
}

static void orphans_wait_for_the_managers_set_of_this_life(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 3000);
	world_session(world, false);
	world_crash(world);
	put_orphan(world, world->cluster, CONTAINER_RUNNING);
	world_run(world, 60000);
	assert_int_equal(world->n_containers, 2);
	world_session(world, true);
	world_run(world, 20000);
	assert_int_equal(world->n_containers, 1);
	assert_int_equal(world_running(world, id), 1);
	world_free(world);
}

static void a_label_that_changed_hands_meanwhile_is_seen_before_the_act(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct world_container *orphan = put_orphan(world, world->cluster, CONTAINER_RUNNING);
	world_begin(world, "app:1");
	world_run(world, 3000);
	orphan->seen.cluster = other_cluster;
	world_run(world, 30000);
	assert_int_equal(orphan->seen.state, CONTAINER_RUNNING);
	assert_int_equal(world->n_done[CONTAINER_KILL], 0);
	world_free(world);
}

static void a_second_container_of_a_task_is_killed_and_the_newest_kept(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = world_begin(world, "exit3:1");
	world_run(world, 50);
	world_session(world, false);
	/* The store went back in time: the machine knows an attempt the worker does not. */
	world_run(world, 60);
	char name[CONTAINER_NAME_SIZE];
	container_name(id, 9, name);
	world_put_container(world, name, world->cluster, id, 9)->seen.state = CONTAINER_RUNNING;
	world->containers[0].seen.state = CONTAINER_EXITED;
	world->containers[0].ends_at_ms = INT64_MAX;
	world_crash(world);
	world_run(world, 20000);
	assert_int_equal(world_running(world, id), 1);
	assert_int_equal(world_container(world, id, 9)->seen.state, CONTAINER_RUNNING);
	world_session(world, true);
	world_run(world, 3000);
	assert_int_equal(world_observed(world, id)->attempt, 9);
	world_free(world);
}

static void a_network_no_task_uses_is_removed_after_the_grace(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_job(world, "web", "app:1");
	struct network_spec *network =
		list_add(&world->templates.items[0].networks, sizeof(*network));
	string_set(&network->key, "front");
	struct task_id id = world_begin(world, "app:1");
	strings_add(&world->networks, "shop_old");
	world_run(world, 20000);
	assert_false(strings_has(&world->networks, "shop_old"));
	assert_true(strings_has(&world->networks, "shop_front"));
	/* A removal that fails holds nobody up; it is tried again. */
	world_fault(world, CONTAINER_NETWORK_REMOVE, FAULT_CONFLICT, "has active endpoints");
	world_want(world, id, TASK_WANT_REMOVE, REASON_REMOVED);
	world_run(world, 1000);
	assert_true(world_observed(world, id)->removed);
	world_forget(world, id);
	world_run(world, 5000);
	assert_true(strings_has(&world->networks, "shop_front"));
	world_run(world, 20000);
	assert_int_equal(world->networks.n, 0);
	world_free(world);
}

static void a_network_goes_with_its_last_task_before_that_is_said_to_be_removed(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_job(world, "web", "app:1");
	struct network_spec *network =
		list_add(&world->templates.items[0].networks, sizeof(*network));
	string_set(&network->key, "front");
	struct task_id first = world_task(world, "web");
	struct task_id second = world_begin(world, "app:1");
	world_run(world, 1000);
	world_want(world, first, TASK_WANT_REMOVE, REASON_REMOVED);
	world_run(world, 1000);
	assert_true(world_observed(world, first)->removed);
	assert_true(strings_has(&world->networks, "shop_front"));
	world_want(world, second, TASK_WANT_REMOVE, REASON_REMOVED);
	while (!world_observed(world, second)->removed)
		world_run(world, 1);
	assert_int_equal(world->networks.n, 0);
	world_free(world);
}

static void volumes_are_removed_when_asked_and_the_answer_says_so(void **state)
{
	(void)state;
	struct world *world = world_new();
	strings_add(&world->volumes, "shop_data");
	world_begin(world, "app:1");
	world_run(world, 1000);
	struct sync_volume *volume = list_add(&world->volumes_remove, sizeof(*volume));
	string_set(&volume->name, "shop_data");
	world_fault(world, CONTAINER_VOLUME_REMOVE, FAULT_CONFLICT, "volume is in use - [1f2e]");
	world_send_full(world);
	world_run(world, 100);
	assert_int_equal(world->last_up.volumes_removed.n, 1);
	assert_string_equal(world->last_up.volumes_removed.items[0].message,
			    "volume shop_data cannot be removed: volume is in use - [1f2e]");
	world_run(world, 6000);
	assert_int_equal(world->volumes.n, 0);
	assert_int_equal(world->last_up.volumes_removed.n, 1);
	assert_null(world->last_up.volumes_removed.items[0].message);
	world->volumes_remove.n = 0;
	world_send_full(world);
	world_run(world, 3000);
	world->volumes_remove.n = 1;
	assert_int_equal(world->last_up.volumes_removed.n, 0);
	assert_int_equal(world->n_done[CONTAINER_VOLUME_REMOVE], 1);
	world_free(world);
}

/* ---- what others hand in ---- */

static void answers_and_hints_of_nobody_are_ignored(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 3000);
	static const char *const names[] = {
		"",
		"drover-",
		"postgres",
		"drover-01900000-0000-7000-8000-000000000001-1",
		"drover-zzzz0000-0000-7000-8000-000000000001-1",
		"drover-0190bb00-0000-7000-8000-000000000001-99999999999999999999",
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		world_event(world, &(struct worker_event){ .kind = WORKER_HINT, .name = names[i] });
	struct container_result result = { .op = 4711, .verb = CONTAINER_INSPECT };
	world_event(world, &(struct worker_event){ .kind = WORKER_ACTION_DONE, .result = &result });
	world_run(world, 100);
	assert_int_equal(world_running(world, id), 1);
	world_free(world);
}

static void damaged_records_are_refused(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_begin(world, "app:1");
	world_run(world, 3000);
	for (size_t i = 0; i < world->store.n; i++) {
		struct change change = world->store.items[i];
		struct worker *worker = worker_new(&world->options);
		struct err err;
		change.value_len--;
		assert_int_equal(worker_replay(worker, &change, &err), ERR_DAMAGED);
		change.value_len++;
		change.kind = 99;
		assert_int_equal(worker_replay(worker, &change, &err), ERR_DAMAGED);
		worker_free(worker);
	}
	world_free(world);
}

static void a_record_that_contradicts_itself_is_refused(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = world_begin(world, "app:1");
	struct task_id other = world_task(world, "web");
	world_send_full(world);
	world_run(world, 3000);
	for (size_t i = 0; i < world->store.n; i++) {
		struct change change = world->store.items[i];
		if (change.kind != RECORD_ASSIGNMENT || memcmp(change.key, id.uuid.bytes, 16) != 0)
			continue;
		/* Under another task's key. */
		struct worker *worker = worker_new(&world->options);
		struct err err;
		change_key_id(&change, other.uuid);
		assert_int_equal(worker_replay(worker, &change, &err), ERR_DAMAGED);
		assert_string_equal(err.message, "a task's record contradicts itself");
		worker_free(worker);
	}
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_older_set_is_refused),
		TEST(a_set_that_counts_too_far_is_refused),
		TEST(an_older_epoch_is_refused_whatever_its_number),
		TEST(what_was_taken_is_known_after_a_crash),
		TEST(a_change_on_another_base_is_not_taken_and_a_full_set_asked_for),
		TEST(the_same_message_twice_changes_nothing),
		TEST(the_digest_is_that_of_the_managers_set),
		TEST(a_message_of_another_cluster_is_ignored),
		TEST(a_task_whose_template_is_missing_waits_and_asks),
		TEST(what_is_not_acknowledged_is_said_again),
		TEST(an_old_acknowledgement_does_not_cover_a_newer_change),
		TEST(a_new_session_is_told_everything_unacknowledged),
		TEST(facts_are_told_until_acknowledged_and_again_when_they_change),
		TEST(statistics_ride_on_one_beat),
		TEST(orphans_are_stopped_and_removed_and_strangers_left_alone),
		TEST(orphans_wait_for_the_managers_set_of_this_life),
		TEST(orphans_wait_until_the_manager_has_heard_which_docker_it_is),
		TEST(a_label_that_changed_hands_meanwhile_is_seen_before_the_act),
		TEST(a_second_container_of_a_task_is_killed_and_the_newest_kept),
		TEST(a_network_no_task_uses_is_removed_after_the_grace),
		TEST(a_network_goes_with_its_last_task_before_that_is_said_to_be_removed),
		TEST(volumes_are_removed_when_asked_and_the_answer_says_so),
		TEST(answers_and_hints_of_nobody_are_ignored),
		TEST(damaged_records_are_refused),
		TEST(a_record_that_contradicts_itself_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
