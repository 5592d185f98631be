/* The node was removed from the cluster while its machine was away: what runs here ends, and nothing but named volumes
 * is left. Nothing but the manager's word does that. */
#include <string.h>

#include "worker_world.h"

/* Three tasks of two jobs, one with a network and a volume; the second does not heed its stop signal. */
static void begin(struct world *world)
{
	struct job_spec *web = world_job(world, "web", "app:1");
	strings_add(&world->volumes, "shop_data");
	((struct network_use *)list_add(&web->networks, sizeof(struct network_use)))->network =
		base_strdup("front");
	struct network_spec *network =
		list_add(&world->templates.items[0].networks, sizeof(*network));
	network->key = base_strdup("front");
	world_job(world, "stubborn", "stubborn:1");
	world_task(world, "web");
	world_task(world, "web");
	world_task(world, "stubborn");
	world_session(world, true);
	world_send_full(world);
	world_run(world, 3000);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(world_running(world, world->tasks.items[i].task), 1);
	assert_true(strings_has(&world->networks, "shop_front"));
	world->told = world->story.len;
}

static size_t count_running(const struct world *world)
{
	size_t n = 0;
	for (size_t i = 0; i < world->n_containers; i++)
		n += world->containers[i].seen.state == CONTAINER_RUNNING;
	return n;
}

static void tell(struct world *world)
{
	if (world->session)
		world_session(world, false);
	world_event(world, &(struct worker_event){ .kind = WORKER_REMOVED });
}

static void expect_over(struct world *world)
{
	assert_int_equal(worker_removal(world->worker), WORKER_REMOVAL_OVER);
	assert_int_equal(world->n_containers, 0);
	assert_int_equal(world->networks.n, 0);
	assert_true(strings_has(&world->volumes, "shop_data"));
}

static void everything_ends_but_named_volumes(void **state)
{
	(void)state;
	struct world *world = world_new();
	begin(world);
	tell(world);
	assert_int_equal(worker_removal(world->worker), WORKER_REMOVAL_TOLD);
	world_run(world, 9000);
	/* Its grace is its own, also now. */
	assert_int_equal(count_running(world), 1);
	world_run(world, 4000);
	expect_over(world);
	world_expect_story(world,
			   "this node was removed from the cluster: 3 tasks are stopped and "
			   "removed, named volumes stay\n"
			   "shop/web.1 stopping: sent SIGTERM\n"
			   "shop/web.2 stopping: sent SIGTERM\n"
			   "shop/stubborn.1 stopping: sent SIGTERM\n"
			   "shop/web.1 completed: stopped by SIGTERM\n"
			   "shop/web.2 completed: stopped by SIGTERM\n"
			   "shop/web.1 is removed\n"
			   "removed network shop_front, which nothing uses\n"
			   "shop/web.2 is removed\n"
			   "shop/stubborn.1 did not stop in time: sent SIGKILL\n"
			   "shop/stubborn.1 completed: killed: still running 10s after SIGTERM\n"
			   "shop/stubborn.1 is removed\n"
			   "nothing of the cluster is left here but named volumes\n");
	/* Told again, it has nothing to do. */
	tell(world);
	world_run(world, 60000);
	world_expect_story(world, "");
	world_free(world);
}

static void nothing_else_ends_anything(void **state)
{
	(void)state;
	struct world *world = world_new();
	begin(world);
	world_session(world, false);
	world_run(world, 3600000);
	world_crash(world);
	world_run(world, 3600000);
	/* Another cluster's manager, and an empty set of it. */
	world->cluster.bytes[0] ^= 1;
	world->tasks.n = 0;
	world_session(world, true);
	world_send_full(world);
	world_run(world, 60000);
	world->cluster.bytes[0] ^= 1;
	assert_int_equal(worker_removal(world->worker), WORKER_REMOVAL_NONE);
	assert_int_equal(count_running(world), 3);
	world->tasks.n = 3;
	world_free(world);
}

/* At every action on the way, before it was carried out and after. */
static void a_crash_in_the_middle_is_gone_on_from(void **state)
{
	(void)state;
	int n_crashed = 0;
	for (int at = 1; at <= 40; at++) {
		for (int after = 0; after < 2; after++) {
			struct world *world = world_new();
			begin(world);
			tell(world);
			world->crash_at = at;
			world->crash_after = after;
			world_run(world, 60000);
			expect_over(world);
			n_crashed += world->crashed;
			world_free(world);
		}
	}
	assert_true(n_crashed > 30);
}

static void the_machine_may_restart_in_between(void **state)
{
	(void)state;
	struct world *world = world_new();
	begin(world);
	tell(world);
	world_run(world, 1000);
	world_reboot(world);
	/* What Docker itself restarts is ended too. */
	world->containers[0].seen.state = CONTAINER_RUNNING;
	world_run(world, 60000);
	expect_over(world);
	/* Each start looks again. */
	struct task_id late = { { { 0x01, 0x90, 0xcc } } };
	world_reboot(world);
	world_put_container(world, "drover-01900000-0000-0000-0000-0000000000cc-1", world->cluster,
			    late, 1)
		->seen.state = CONTAINER_RUNNING;
	assert_int_equal(worker_removal(world->worker), WORKER_REMOVAL_TOLD);
	world_run(world, 60000);
	expect_over(world);
	world_free(world);
}

static void an_action_in_flight_makes_nothing_that_stays(void **state)
{
	(void)state;
	static const int64_t after_ms[] = { 0, 5, 15, 25, 35, 45, 55, 65, 75, 85, 95 };
	for (size_t i = 0; i < ARRAY_LEN(after_ms); i++) {
		struct world *world = world_new();
		strings_add(&world->volumes, "shop_data");
		world_begin(world, "app:1");
		world_run(world, after_ms[i]);
		tell(world);
		world_run(world, 60000);
		expect_over(world);
		world_free(world);
	}
}

/* What Docker does not answer for is not taken for done. */
static void a_lost_answer_is_looked_after(void **state)
{
	(void)state;
	static const int verbs[] = { CONTAINER_CREATE, CONTAINER_START, CONTAINER_KILL,
				     CONTAINER_REMOVE, CONTAINER_LIST,	CONTAINER_INSPECT };
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		struct world *world = world_new();
		strings_add(&world->volumes, "shop_data");
		struct world_fault *fault = world_fault(world, verbs[i], FAULT_AMBIGUOUS, "EOF");
		fault->happens = true;
		fault->times = 2;
		world_begin(world, "app:1");
		world_run(world, i < 2 ? 25 : 3000);
		tell(world);
		world_run(world, 120000);
		expect_over(world);
		world_free(world);
	}
}

static void nothing_is_started_again(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_job(world, "web", "exit3:1")->restart.condition = RESTART_ANY;
	strings_add(&world->volumes, "shop_data");
	world_begin(world, "exit3:1");
	world_run(world, 5000);
	int starts = world->n_done[CONTAINER_START];
	assert_true(starts > 1);
	tell(world);
	world_run(world, 600000);
	expect_over(world);
	assert_true(world->n_done[CONTAINER_START] <= starts + 1);
	world_free(world);
}

static void a_lease_that_runs_out_meanwhile_changes_nothing(void **state)
{
	(void)state;
	for (int64_t away_ms = 50000; away_ms <= 70000; away_ms += 2000) {
		struct world *world = world_new();
		struct job_spec *spec = world_job(world, "web", "stubborn:1");
		spec->on_disconnect = ON_DISCONNECT_STOP;
		strings_add(&world->volumes, "shop_data");
		world_begin(world, "stubborn:1");
		world_run(world, 5000);
		world_session(world, false);
		world_run(world, away_ms);
		tell(world);
		world_run(world, 15000);
		expect_over(world);
		world_free(world);
	}
}

static void docker_is_waited_for(void **state)
{
	(void)state;
	struct world *world = world_new();
	begin(world);
	world_docker_stop(world);
	tell(world);
	world_run(world, 600000);
	assert_int_equal(worker_removal(world->worker), WORKER_REMOVAL_TOLD);
	world_docker_start(world);
	world_run(world, 60000);
	expect_over(world);
	world_free(world);
}

static void orphans_go_and_what_is_not_ours_stays(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct uuid other = { { 0xc2 } };
	begin(world);
	struct task_id orphan = { { { 0x01, 0x90, 0xcc } } },
		       foreign = { { { 0x01, 0x90, 0xcd } } };
	world_put_container(world, "drover-01900000-0000-0000-0000-0000000000cc-1", world->cluster,
			    orphan, 1)
		->seen.state = CONTAINER_RUNNING;
	world_put_container(world, "theirs", other, foreign, 1)->seen.state = CONTAINER_RUNNING;
	tell(world);
	/* A crash: what the last life had listed is not known any more. */
	world_crash(world);
	world_run(world, 60000);
	assert_int_equal(worker_removal(world->worker), WORKER_REMOVAL_OVER);
	assert_int_equal(world->n_containers, 1);
	assert_string_equal(world->containers[0].seen.name, "theirs");
	assert_int_equal(count_running(world), 1);
	world_free(world);
}

static void a_network_that_somebody_else_uses_does_not_hold_it_up_for_ever(void **state)
{
	(void)state;
	struct world *world = world_new();
	begin(world);
	world_fault(world, CONTAINER_NETWORK_REMOVE, FAULT_REFUSED, "has active endpoints")->times =
		1000;
	tell(world);
	world_run(world, 25000);
	assert_int_equal(worker_removal(world->worker), WORKER_REMOVAL_TOLD);
	world_run(world, 60000);
	assert_int_equal(worker_removal(world->worker), WORKER_REMOVAL_OVER);
	assert_int_equal(world->n_containers, 0);
	world_free(world);
}

static void volumes_stay_also_those_that_were_to_go(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_fault(world, CONTAINER_VOLUME_REMOVE, FAULT_REFUSED, "volume is in use")->times = 1;
	begin(world);
	((struct sync_volume *)list_add(&world->volumes_remove, sizeof(struct sync_volume)))->name =
		base_strdup("shop_data");
	world_send_full(world);
	world_run(world, 1000);
	assert_true(strings_has(&world->volumes, "shop_data"));
	tell(world);
	world_run(world, 60000);
	expect_over(world);
	world_free(world);
}

static void what_the_manager_says_after_it_is_not_listened_to(void **state)
{
	(void)state;
	struct world *world = world_new();
	begin(world);
	tell(world);
	int ups = world->n_ups;
	world_session(world, true);
	world_send_full(world);
	world_run(world, 60000);
	assert_int_equal(world->n_ups, ups);
	expect_over(world);
	world_crash(world);
	world_send_full(world);
	world_run(world, 60000);
	assert_int_equal(world->n_ups, ups);
	expect_over(world);
	world_free(world);
}

static void a_worker_that_ran_nothing_is_done_at_once(void **state)
{
	(void)state;
	struct world *world = world_new();
	world_docker_stop(world);
	tell(world);
	world_run(world, 1000);
	assert_int_equal(worker_removal(world->worker), WORKER_REMOVAL_OVER);
	world_free(world);
}

/* Of the first set some tasks are on disk, and of the commit no more: they belong to a cluster all the same. */
static void a_first_set_that_was_cut_short_ends_too(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 6; n++) {
		struct world *world = world_new();
		world_job(world, "web", "app:1");
		world_task(world, "web");
		world_task(world, "web");
		world_session(world, true);
		world->answers_full = false;
		world->cut_at = n;
		world_send_full(world);
		tell(world);
		world_run(world, 60000);
		assert_int_equal(worker_removal(world->worker), WORKER_REMOVAL_OVER);
		world_free(world);
	}
}

static enum err_code start_as(struct world *world, struct node_id node, struct worker_out *out,
			      struct worker **ret_worker)
{
	struct worker_options options = world->options;
	struct worker_in in = { .now_ms = world->now_ms, .wall_ms = 1, .seed = 99 };
	struct err err;
	options.node = node;
	*ret_worker = worker_new(&options);
	for (size_t i = 0; i < world->store.n; i++)
		assert_int_equal(worker_replay(*ret_worker, &world->store.items[i], NULL),
				 ERR_NONE);
	return worker_start(*ret_worker, &in, world->boot_id, out, &err);
}

/* Only once it is over. */
static void the_store_serves_a_new_node_then(void **state)
{
	(void)state;
	struct node_id next = { { { 0x01, 0x90, 0xdd } } };
	struct worker_out out = { 0 };
	struct worker *worker;
	struct world *world = world_new();
	begin(world);
	assert_int_equal(start_as(world, next, &out, &worker), ERR_CONFLICT);
	worker_free(worker);
	tell(world);
	world_run(world, 5000);
	assert_int_equal(start_as(world, next, &out, &worker), ERR_CONFLICT);
	worker_free(worker);
	world_run(world, 60000);
	expect_over(world);
	assert_int_equal(start_as(world, next, &out, &worker), ERR_NONE);
	assert_true(uuid_equal(worker_node_id(worker).uuid, next.uuid));
	assert_true(uuid_is_zero(worker_cluster_id(worker)));
	assert_int_equal(worker_removal(worker), WORKER_REMOVAL_NONE);
	worker_free(worker);
	/* As the node of before it is what it was: removed. */
	struct node_id same = worker_node_id(world->worker);
	assert_int_equal(start_as(world, same, &out, &worker), ERR_NONE);
	assert_int_equal(worker_removal(worker), WORKER_REMOVAL_TOLD);
	worker_free(worker);
	worker_out_release(&out);
	/* What is committed by it is all that a later start finds, and it runs what it is told. */
	world->options.node = next;
	world->epoch = 1;
	world->rev = 0;
	record_release(&sync_up_type, &world->last_up);
	world_crash(world);
	while (world->n_known)
		record_release(&task_observed_type, &world->known[--world->n_known].observed);
	world->cluster.bytes[0] = 0xc3;
	world_session(world, true);
	world_send_full(world);
	world_run(world, 5000);
	assert_int_equal(count_running(world), 3);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(everything_ends_but_named_volumes),
		TEST(nothing_else_ends_anything),
		TEST(a_crash_in_the_middle_is_gone_on_from),
		TEST(the_machine_may_restart_in_between),
		TEST(an_action_in_flight_makes_nothing_that_stays),
		TEST(a_lost_answer_is_looked_after),
		TEST(nothing_is_started_again),
		TEST(a_lease_that_runs_out_meanwhile_changes_nothing),
		TEST(docker_is_waited_for),
		TEST(orphans_go_and_what_is_not_ours_stays),
		TEST(a_network_that_somebody_else_uses_does_not_hold_it_up_for_ever),
		TEST(volumes_stay_also_those_that_were_to_go),
		TEST(what_the_manager_says_after_it_is_not_listened_to),
		TEST(a_worker_that_ran_nothing_is_done_at_once),
		TEST(a_first_set_that_was_cut_short_ends_too),
		TEST(the_store_serves_a_new_node_then),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
