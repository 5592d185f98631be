/* Starting: the path, its faults, and answers that leave the outcome open. */
#include <string.h>

#include "worker_world.h"

static void a_task_is_pulled_created_started_and_reported(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 3000);
	world_expect_story(world, "Docker answers\n"
				  "worker joins its cluster\n"
				  "shop/web.1 pulling app:1\n"
				  "shop/web.1 started\n");
	world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
	const struct task_observed *observed = world_observed(world, id);
	assert_int_equal(observed->attempt, 1);
	assert_int_equal(observed->exit_code, -1);
	assert_int_equal(observed->started_wall_ms,
			 world_container(world, id, 1)->seen.started_wall_ms);
	assert_string_equal(observed->container_id, world_container(world, id, 1)->seen.id);
	assert_int_equal(world->n_done[CONTAINER_CREATE], 1);
	assert_int_equal(world->n_done[CONTAINER_START], 1);
	world_free(world);
}

static void an_image_that_is_there_is_not_said_to_be_pulled(void **state)
{
	(void)state;
	struct world *world = world_new();
	world->images_there = true;
	world->latency_ms = 3000;
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 5900);
	world_expect(world, id, TASK_SCHEDULED, REASON_ASSIGNED, "waits to be started");
	world_run(world, 30000);
	world_expect_story(world, "Docker answers\n"
				  "worker joins its cluster\n"
				  "shop/web.1 started\n");
	world_free(world);
}

static void an_idle_worker_writes_nothing_and_wakes_only_to_beat_and_list(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_begin(world, "app:1");
	world_run(world, 5000);
	int n_puts = world->n_puts;
	int n_ups = world->n_ups;
	int n_lists = world->n_done[CONTAINER_LIST];
	int n_inspections = world->n_done[CONTAINER_INSPECT];
	world_run(world, 100000);
	assert_int_equal(world->n_puts, n_puts);
	assert_int_equal(world->n_ups - n_ups, 50);
	assert_in_range(world->n_done[CONTAINER_LIST] - n_lists, 9, 11);
	assert_int_equal(world->n_done[CONTAINER_INSPECT], n_inspections);
	world_free(world);
}

static void networks_and_volumes_are_there_before_the_container(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_job(world, "web", "app:1");
	struct sync_template *template = &world->templates.items[0];
	string_set(
		&((struct network_spec *)list_add(&template->networks, sizeof(struct network_spec)))
			 ->key,
		"front");
	string_set(&((struct volume_spec *)list_add(&template->volumes, sizeof(struct volume_spec)))
			    ->key,
		   "data");
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 3000);
	assert_true(strings_has(&world->networks, "shop_front"));
	assert_true(strings_has(&world->volumes, "shop_data"));
	world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
	world_free(world);
}

static void an_image_is_not_pulled_where_the_policy_says_never(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_job(world, "web", "app:1")->pull_policy = PULL_NEVER;
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 3000);
	assert_int_equal(world->n_done[CONTAINER_PULL], 0);
	world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
	world_free(world);
}

/* ---- faults, one row each ---- */

struct fault_row {
	int verb;
	int fault;
	const char *words;
	int times;
	int reason;
	const char *message;
};

// clang-format off
static const struct fault_row fault_rows[] = {
	{ CONTAINER_PULL, FAULT_IMAGE_NOT_FOUND, "manifest unknown", 1, REASON_IMAGE_NOT_FOUND,
	  "image app:1 not found: manifest unknown" },
	{ CONTAINER_PULL, FAULT_PULL_FAILED, "dial tcp: no such host", 1, REASON_PULL_FAILED,
	  "cannot pull image app:1: dial tcp: no such host" },
	{ CONTAINER_PULL, FAULT_REFUSED, "invalid reference format.", 1, REASON_SPEC_REFUSED,
	  "Docker refuses this container: invalid reference format" },
	{ CONTAINER_PULL, FAULT_AMBIGUOUS, "half an answer", 3, REASON_PULL_FAILED,
	  "cannot pull image app:1: half an answer" },
	{ CONTAINER_NETWORK_ENSURE, FAULT_NOT_FOUND, NULL, 1, REASON_START_FAILED,
	  "network shop_front does not exist on this machine" },
	{ CONTAINER_NETWORK_ENSURE, FAULT_FAILED, "no free subnet", 3, REASON_START_FAILED,
	  "could not start in 3 tries: no free subnet" },
	{ CONTAINER_VOLUME_ENSURE, FAULT_NOT_FOUND, NULL, 1, REASON_MOUNT_FAILED,
	  "volume shop_data does not exist on this machine" },
	{ CONTAINER_VOLUME_ENSURE, FAULT_MOUNT_FAILED, "no such driver", 1, REASON_MOUNT_FAILED,
	  "volume shop_data cannot be used on this machine: no such driver" },
	{ CONTAINER_VOLUME_ENSURE, FAULT_FAILED, "disk is full", 3, REASON_MOUNT_FAILED,
	  "volume shop_data cannot be used on this machine: disk is full" },
	{ CONTAINER_CREATE, FAULT_REFUSED, "invalid CPU set", 1, REASON_SPEC_REFUSED,
	  "Docker refuses this container: invalid CPU set" },
	{ CONTAINER_CREATE, FAULT_MOUNT_FAILED, "bind source path does not exist: /srv/x", 1,
	  REASON_MOUNT_FAILED,
	  "cannot mount /srv/x at /x: bind source path does not exist: /srv/x" },
	{ CONTAINER_CREATE, FAULT_FAILED, "devicemapper", 3, REASON_START_FAILED,
	  "could not start in 3 tries: devicemapper" },
	{ CONTAINER_START, FAULT_PORT_TAKEN, "Bind for 0.0.0.0:8080 failed", 1, REASON_PORT_TAKEN,
	  "host port 8080 is taken on this machine" },
	{ CONTAINER_START, FAULT_PORT_TAKEN, NULL, 1, REASON_PORT_TAKEN,
	  "one of its host ports (80, 8080) is taken on this machine" },
	{ CONTAINER_START, FAULT_COMMAND_NOT_FOUND, "exec: \"frob\"", 1, REASON_COMMAND_NOT_FOUND,
	  "command \"frob\" not found in image app:1: exec: \"frob\"" },
	{ CONTAINER_START, FAULT_MOUNT_FAILED, "no space", 1, REASON_MOUNT_FAILED,
	  "a mount failed: no space" },
	{ CONTAINER_START, FAULT_FAILED, "runc create failed", 3, REASON_START_FAILED,
	  "could not start in 3 tries: runc create failed" },
	{ CONTAINER_START, FAULT_AMBIGUOUS, "EOF", 3, REASON_START_FAILED,
	  "could not start in 3 tries: EOF" },
};
// clang-format on

static struct task_id begin_with_everything(struct world *world)
{
	struct job_spec *spec = world_job(world, "web", "app:1");
	struct sync_template *template = &world->templates.items[0];
	struct network_spec *network = list_add(&template->networks, sizeof(*network));
	string_set(&network->key, "front");
	struct volume_spec *volume = list_add(&template->volumes, sizeof(*volume));
	string_set(&volume->key, "data");
	spec->has_command = true;
	strings_add(&spec->command, "frob");
	struct mount *bind = list_add(&spec->mounts, sizeof(*bind));
	bind->kind = MOUNT_BIND;
	string_set(&bind->source, "/srv/x");
	string_set(&bind->target, "/x");
	struct mount *named = list_add(&spec->mounts, sizeof(*named));
	string_set(&named->source, "data");
	string_set(&named->target, "/data");
	struct task_id id = world_task(world, "web");
	struct sync_assignment *task = world_assignment(world, id);
	*(struct port_grant *)list_add(&task->ports, sizeof(struct port_grant)) =
		(struct port_grant){ .index = 0, .host_port = 80 };
	*(struct port_grant *)list_add(&task->ports, sizeof(struct port_grant)) =
		(struct port_grant){ .index = 1, .host_port = 8080 };
	world_session(world, true);
	world_send_full(world);
	return id;
}

static void each_fault_of_a_start_ends_the_task_with_its_reason_and_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fault_rows); i++) {
		const struct fault_row *row = &fault_rows[i];
		struct world *world = world_new();
		world_fault(world, row->verb, row->fault, row->words)->times = row->times;
		struct task_id id = begin_with_everything(world);
		world_run(world, 10000);
		world_expect(world, id, TASK_FAILED, row->reason, row->message);
		assert_true(world_observed(world, id)->gone);
		assert_int_equal(world_running(world, id), 0);
		/* What was made and never ran is not left behind. */
		assert_null(world_container(world, id, 1));
		world_free(world);
	}
}

static void a_fault_that_passes_costs_a_try_and_no_attempt(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_fault(world, CONTAINER_START, FAULT_FAILED, "runc create failed");
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 5000);
	world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
	assert_int_equal(world_observed(world, id)->attempts_used, 0);
	world_expect_story(world, "Docker answers\n"
				  "worker joins its cluster\n"
				  "shop/web.1 pulling app:1\n"
				  "shop/web.1 could not start: runc create failed: trying again\n"
				  "shop/web.1 started\n");
	world_free(world);
}

/* ---- open outcomes ---- */

static void an_open_outcome_is_inspected_whether_it_happened_or_not(void **state)
{
	(void)state;
	static const int verbs[] = { CONTAINER_CREATE, CONTAINER_START };
	static const int faults[] = { FAULT_AMBIGUOUS, FAULT_CONFLICT };
	for (int n = 0; n < 8; n++) {
		struct world *world = world_new();
		int verb = verbs[n & 1];
		int fault = verb == CONTAINER_CREATE ? faults[n >> 1 & 1] : FAULT_AMBIGUOUS;
		world_fault(world, verb, fault, "timeout")->happens = n >> 2 & 1;
		struct task_id id = world_begin(world, "app:1");
		world_run(world, 5000);
		world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
		assert_int_equal(world->n_containers, 1);
		assert_int_equal(world_observed(world, id)->attempt, 1);
		world_free(world);
	}
}

static void a_last_try_that_did_happen_is_a_start(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_fault(world, CONTAINER_START, FAULT_AMBIGUOUS, "EOF")->times = 2;
	world_fault(world, CONTAINER_START, FAULT_AMBIGUOUS, "EOF")->happens = true;
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 10000);
	world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
	assert_int_equal(world->n_done[CONTAINER_START], 1);
	world_free(world);
}

static void an_answer_that_never_comes_counts_as_an_open_one(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 25);
	assert_int_equal(world->n_done[CONTAINER_PULL], 1);
	docker_drop_actions(world, true);
	world_run(world, 60000);
	world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
	assert_int_equal(world->n_containers, 1);
	world_free(world);
}

static void an_unreachable_docker_is_no_failure(void **state)
{
	(void)state;
	for (int verb = CONTAINER_PULL; verb <= CONTAINER_LIST; verb++) {
		struct world *world = world_new();
		world_fault(world, verb, FAULT_UNREACHABLE, "connection refused")->times = 20;
		struct task_id id = world_begin(world, "app:1");
		world_run(world, 40000);
		world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
		assert_int_equal(world_observed(world, id)->attempts_used, 0);
		world_free(world);
	}
}

static void a_name_taken_by_somebody_elses_container_is_left_to_it(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_job(world, "web", "app:1");
	struct task_id id = world_task(world, "web");
	char name[CONTAINER_NAME_SIZE];
	container_name(id, 1, name);
	struct uuid nobody = { { 0 } };
	world_put_container(world, name, nobody, (struct task_id){ { { 0 } } }, 0);
	world_session(world, true);
	world_send_full(world);
	world_run(world, 5000);
	world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
	assert_int_equal(world_observed(world, id)->attempt, 2);
	assert_int_equal(world_container(world, id, 1)->seen.state, CONTAINER_CREATED);
	world_free(world);
}

static void an_image_that_was_pruned_since_is_pulled_again(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = world_begin(world, "exit3:1");
	world_run(world, 60);
	assert_int_equal(world->n_done[CONTAINER_PULL], 1);
	world_fault(world, CONTAINER_CREATE, FAULT_IMAGE_NOT_FOUND, "No such image");
	world_run(world, 300);
	assert_int_equal(world->n_done[CONTAINER_PULL], 2);
	assert_true(world_observed(world, id)->attempt >= 2);
	assert_true(world_container(world, id, 2)->anonymous_volume_kept);
	world_free(world);
}

static void the_id_of_a_container_whose_creation_was_not_answered_is_reported(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 3000);
	world_remove_container(world, world_container(world, id, 1));
	world_fault(world, CONTAINER_CREATE, FAULT_AMBIGUOUS, "no answer")->happens = true;
	world_run(world, 15000);
	world_expect(world, id, TASK_RUNNING, REASON_RUNNING, "running");
	assert_int_equal(world_observed(world, id)->attempt, 2);
	assert_string_equal(world_observed(world, id)->container_id,
			    world_container(world, id, 2)->seen.id);
	world_free(world);
}

/* ---- side by side ---- */

static void only_so_many_start_side_by_side_first_in_first_out(void **state)
{
	(void)state;
	struct world *world = world_new();
	world->latency_ms = 100;
	world_job(world, "web", "app:1");
	struct task_id ids[6];
	for (int i = 0; i < 6; i++)
		ids[i] = world_task(world, "web");
	world_session(world, true);
	world_send_full(world);
	/* One list, then pull, create and start of the first four. */
	world_run(world, 350);
	assert_int_equal(world->n_done[CONTAINER_PULL], 4);
	world_run(world, 1000);
	for (int i = 0; i < 6; i++)
		assert_int_equal(world_observed(world, ids[i])->state, TASK_RUNNING);
	assert_string_equal(text_string(&world->story) +
				    strlen("Docker answers\nworker joins its cluster\n"),
			    "shop/web.1 pulling app:1\n"
			    "shop/web.2 pulling app:1\n"
			    "shop/web.3 pulling app:1\n"
			    "shop/web.4 pulling app:1\n"
			    "shop/web.5 pulling app:1\n"
			    "shop/web.6 pulling app:1\n"
			    "shop/web.1 started\n"
			    "shop/web.2 started\n"
			    "shop/web.3 started\n"
			    "shop/web.4 started\n"
			    "shop/web.5 started\n"
			    "shop/web.6 started\n");
	world_free(world);
}

static void a_start_that_waits_to_be_tried_again_keeps_nobody_waiting(void **state)
{
	(void)state;
	struct world *world = world_new();
	world->options.starts_parallel = 1;
	world_crash(world);
	world_job(world, "web", "app:1");
	struct task_id first = world_task(world, "web");
	struct task_id second = world_task(world, "web");
	world_fault(world, CONTAINER_CREATE, FAULT_FAILED, "busy");
	world_session(world, true);
	world_send_full(world);
	world_run(world, 500);
	assert_int_equal(world_running(world, second), 1);
	assert_int_equal(world_running(world, first), 0);
	world_run(world, 2000);
	assert_int_equal(world_running(world, first), 1);
	world_free(world);
}

static void a_task_that_waits_for_its_turn_says_so(void **state)
{
	(void)state;
	struct world *world = world_new();
	world->latency_ms = 3000;
	world_job(world, "web", "app:1");
	struct task_id id = { 0 };
	for (int i = 0; i < 5; i++)
		id = world_task(world, "web");
	world_session(world, true);
	world_send_full(world);
	world_run(world, 5900);
	world_expect(world, id, TASK_SCHEDULED, REASON_ASSIGNED,
		     "waits for its turn: 4 starts are under way");
	world_free(world);
}

static void the_manager_hears_of_a_long_pull_with_a_beat(void **state)
{
	(void)state;
	struct world *world = world_new();
	world->latency_ms = 3000;
	struct task_id id = world_begin(world, "app:1");
	world_run(world, 5900);
	world_expect(world, id, TASK_SCHEDULED, REASON_PULLING, "pulling app:1");
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_task_is_pulled_created_started_and_reported),
		TEST(an_image_that_is_there_is_not_said_to_be_pulled),
		TEST(an_idle_worker_writes_nothing_and_wakes_only_to_beat_and_list),
		TEST(networks_and_volumes_are_there_before_the_container),
		TEST(an_image_is_not_pulled_where_the_policy_says_never),
		TEST(each_fault_of_a_start_ends_the_task_with_its_reason_and_sentence),
		TEST(a_fault_that_passes_costs_a_try_and_no_attempt),
		TEST(an_open_outcome_is_inspected_whether_it_happened_or_not),
		TEST(a_last_try_that_did_happen_is_a_start),
		TEST(an_answer_that_never_comes_counts_as_an_open_one),
		TEST(an_unreachable_docker_is_no_failure),
		TEST(a_name_taken_by_somebody_elses_container_is_left_to_it),
		TEST(an_image_that_was_pruned_since_is_pulled_again),
		TEST(the_id_of_a_container_whose_creation_was_not_answered_is_reported),
		TEST(only_so_many_start_side_by_side_first_in_first_out),
		TEST(a_start_that_waits_to_be_tried_again_keeps_nobody_waiting),
		TEST(a_task_that_waits_for_its_turn_says_so),
		TEST(the_manager_hears_of_a_long_pull_with_a_beat),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
