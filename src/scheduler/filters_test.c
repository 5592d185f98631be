/* Each filter on its own, and the sentence it ends in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cluster/test_world.h"
#include "scheduler/scheduler.h"

static int set_up(void **state)
{
	struct world *world = base_calloc(1, sizeof(*world));
	world_init(world);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	world_release(*state);
	base_free(*state);
	return 0;
}

static const struct node_id nowhere;

static struct task *task_of(struct world *world, struct job_spec spec)
{
	return world_task(world, world_job(world, "shop", "web", spec), 1);
}

static void pick(struct world *world, const struct task *task, struct scheduler_pick *ret_pick)
{
	scheduler_pick(&world->cluster, NULL, scheduler_registry[SCHEDULER_EPVM], task, nowhere, 0,
		       ret_pick);
}

static void assert_waits(struct world *world, const struct task *task, int reason,
			 const char *sentence)
{
	struct scheduler_pick result;
	pick(world, task, &result);
	assert_null(result.node);
	assert_int_equal(result.reason, reason);
	assert_string_equal(result.message, sentence);
	scheduler_pick_release(&result);
}

static void assert_fits_nowhere(struct world *world, const struct task *task, const char *sentence)
{
	assert_waits(world, task, REASON_NO_NODE_FITS, sentence);
}

static void assert_picks(struct world *world, const struct task *task,
			 const struct node_entry *node)
{
	struct scheduler_pick result;
	pick(world, task, &result);
	if (!result.node)
		fail_msg("%s", result.message);
	assert_ptr_equal(result.node, node);
	assert_null(result.message);
	scheduler_pick_release(&result);
}

static void without_nodes_the_sentence_says_so(void **state)
{
	struct world *world = *state;
	assert_fits_nowhere(world, task_of(world, world_spec(0, 0)), "no node has joined yet");
}

static void nodes_that_are_not_ready_are_told_apart(void **state)
{
	struct world *world = *state;
	struct task *task = task_of(world, world_spec(0, 0));
	struct node_entry *a = world_node(world, "a", 1000, GB, NULL, NULL);
	cluster_set_node_state(&world->cluster, a, NODE_DOWN);
	assert_fits_nowhere(world, task, "no node is ready: 1 of 1 is down");

	struct node_entry *b = world_node(world, "b", 1000, GB, NULL, NULL);
	cluster_set_node_state(&world->cluster, b, NODE_DRAINING);
	struct node_entry *c = world_node(world, "c", 1000, GB, NULL, NULL);
	cluster_set_node_runtime(&world->cluster, c, false);
	struct node_entry *d = world_node(world, "d", 1000, GB, NULL, NULL);
	cluster_set_node_runtime(&world->cluster, d, false);
	d->heard_ms = 0;
	struct node_entry *e = world_node(world, "e", 1000, GB, NULL, NULL);
	cluster_set_node_state(&world->cluster, e, NODE_DOWN);
	assert_fits_nowhere(
		world, task,
		"no node is ready: 2 of 5 are down, 1 has not been heard of yet, 1 has a "
		"Docker that does not answer, 1 is draining");
}

static void one_machine_without_the_memory_says_how_much_it_has(void **state)
{
	struct world *world = *state;
	world_node(world, "a", 8000, 24 * GB, NULL, NULL);
	assert_fits_nowhere(world, task_of(world, world_spec(0, 64 * GB)),
			    "no node has 64 GB of memory free: 1 of 1 lacks memory (largest has 24 "
			    "GB free of 24 GB)");
}

static void amounts_that_differ_by_little_are_told_in_bytes(void **state)
{
	struct world *world = *state;
	world_node(world, "small", 4000, 512 * MB, NULL, NULL);
	struct job_entry *job = world_job(world, "shop", "web", world_spec(0, 512 * MB + 1));
	assert_fits_nowhere(world, world_task(world, job, 1),
			    "no node has 536870913 B of memory free: 1 of 1 lacks memory (largest "
			    "has 536870912 B free of 512 MB)");
}

static void memory_is_what_is_reserved_not_what_is_measured(void **state)
{
	struct world *world = *state;
	struct node_entry *a = world_node(world, "a", 8000, 4 * GB, NULL, NULL);
	struct job_entry *db = world_job(world, "shop", "db", world_spec(0, 3 * GB));
	world_placed(world, db, 1, a);
	struct task *task = task_of(world, world_spec(0, 2 * GB));
	assert_fits_nowhere(
		world, task,
		"no node has 2 GB of memory free: 1 of 1 lacks memory (largest has 1 GB "
		"free of 4 GB)");

	/* Used by whatever else runs there, and yet not reserved: the task fits. */
	struct node_entry *b = world_node(world, "b", 8000, 4 * GB, NULL, NULL);
	struct node_stats busy = { .memory_used_bytes = 4 * GB };
	cluster_set_node_stats(&world->cluster, b, &busy, 1);
	assert_picks(world, task, b);
}

static void the_last_free_byte_can_be_reserved(void **state)
{
	struct world *world = *state;
	struct node_entry *a = world_node(world, "a", 1000, 4 * GB, NULL, NULL);
	assert_picks(world, task_of(world, world_spec(1000, 4 * GB)), a);
}

static void lack_of_cpu_and_disk_is_told_in_their_units(void **state)
{
	struct world *world = *state;
	world_node(world, "a", 2000, 4 * GB, NULL, NULL);
	world_node(world, "b", 1500, 4 * GB, NULL, NULL);
	assert_fits_nowhere(world, task_of(world, world_spec(2500, 0)),
			    "no node has 2.5 CPUs free: 2 of 2 lack CPU (largest has 2 free of 2)");
	struct job_spec spec = world_spec(0, 0);
	spec.reservations.disk_bytes = 200 * GB;
	struct job_entry *big = world_job(world, "shop", "big", spec);
	assert_fits_nowhere(world, world_task(world, big, 1),
			    "no node has 200 GB of disk free: 2 of 2 lack disk (largest has 100 GB "
			    "free of 100 GB)");
}

static void the_most_common_refusal_makes_the_head(void **state)
{
	struct world *world = *state;
	for (int i = 0; i < 3; i++)
		world_node(world, "small", 4000, 256 * MB, "disk", "ssd");
	for (int i = 0; i < 2; i++)
		world_node(world, "slow", 4000, 8 * GB, "disk", "hdd");
	struct job_spec spec = world_spec(0, 512 * MB);
	strings_add(&spec.placement.constraints, "node.labels.disk==ssd");
	assert_fits_nowhere(
		world, task_of(world, spec),
		"no node has 512 MB of memory free: 3 of 5 lack memory (largest has 256 "
		"MB free of 256 MB), 2 do not match node.labels.disk==ssd");
}

static void the_head_claims_no_more_than_is_true(void **state)
{
	struct world *world = *state;
	world_node(world, "small", 4000, 256 * MB, "disk", "ssd");
	for (int i = 0; i < 2; i++)
		world_node(world, "slow", 4000, 8 * GB, "disk", "hdd");
	struct job_spec spec = world_spec(0, 512 * MB);
	strings_add(&spec.placement.constraints, "node.labels.disk==ssd");
	assert_fits_nowhere(
		world, task_of(world, spec),
		"no node fits: 2 of 3 do not match node.labels.disk==ssd, 1 lacks memory "
		"(512 MB asked, largest has 256 MB free of 256 MB)");
}

static void every_constraint_must_match(void **state)
{
	struct world *world = *state;
	world_node(world, "a", 4000, 8 * GB, "disk", "ssd");
	struct node_entry *b = world_node(world, "b", 4000, 8 * GB, "disk", "ssd");
	struct job_spec spec = world_spec(0, 0);
	strings_add(&spec.placement.constraints, "node.labels.disk==ssd");
	strings_add(&spec.placement.constraints, "node.hostname!=a");
	strings_add(&spec.placement.constraints, "node.platform.os==linux");
	struct task *task = task_of(world, spec);
	assert_picks(world, task, b);
	cluster_set_node_state(&world->cluster, b, NODE_DOWN);
	assert_fits_nowhere(world, task,
			    "no node fits: 1 of 2 is down, 1 does not match node.hostname!=a");
}

static void a_platform_is_matched_in_dockers_spelling(void **state)
{
	struct world *world = *state;
	world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	world_node(world, "b", 4000, 8 * GB, NULL, NULL);
	struct job_spec spec = world_spec(0, 0);
	string_set(&spec.platform, "linux/arm64");
	struct task *task = task_of(world, spec);
	assert_fits_nowhere(world, task,
			    "no node is of platform linux/arm64: 2 of 2 are not of platform "
			    "linux/arm64 (a is linux/amd64)");
	struct node_entry *c = world_node(world, "c", 4000, 8 * GB, NULL, NULL);
	string_set(&c->record.facts.platform_arch, "aarch64");
	assert_picks(world, task, c);
}

static void an_address_and_a_role_are_matched(void **state)
{
	struct world *world = *state;
	struct node_entry *a = world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	struct node_entry *b = world_node(world, "b", 4000, 8 * GB, NULL, NULL);
	string_set(&b->record.address, "10.0.7.2");
	a->record.role = NODE_BOTH;
	struct job_spec spec = world_spec(0, 0);
	strings_add(&spec.placement.constraints, "node.ip==10.0.0.0/16");
	assert_picks(world, task_of(world, spec), b);
	/* The manager's machine is no worker, though it runs tasks: it has one role, as in Swarm. */
	struct job_spec on_manager = world_spec(0, 0);
	strings_add(&on_manager.placement.constraints, "node.role==manager");
	struct job_entry *job = world_job(world, "shop", "db", on_manager);
	assert_picks(world, world_task(world, job, 1), a);
	struct job_spec on_worker = world_spec(0, 0);
	strings_add(&on_worker.placement.constraints, "node.role==worker");
	job = world_job(world, "shop", "cache", on_worker);
	assert_picks(world, world_task(world, job, 1), b);
}

static void labels_set_by_the_operator_win_over_the_workers_own(void **state)
{
	struct world *world = *state;
	struct node_entry *a = world_node(world, "a", 4000, 8 * GB, "disk", "hdd");
	struct job_spec spec = world_spec(0, 0);
	strings_add(&spec.placement.constraints, "node.labels.disk==ssd");
	struct task *task = task_of(world, spec);
	assert_fits_nowhere(world, task,
			    "no node matches node.labels.disk==ssd: 1 of 1 does not match "
			    "node.labels.disk==ssd");
	struct node_record record;
	record_copy(&node_record_type, &record, &a->record);
	pairs_put(&record.labels, "disk", "ssd");
	cluster_put_node(&world->cluster, &world->changes, &record);
	assert_picks(world, task, a);
}

static void an_old_engine_is_refused_where_a_key_needs_a_newer_one(void **state)
{
	struct world *world = *state;
	struct node_entry *a = world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	a->record.facts.api_minor = 41;
	struct job_spec spec = world_spec(0, 0);
	spec.health_check.start_interval_ms = 1000;
	assert_fits_nowhere(world, task_of(world, spec),
			    "no node speaks Engine API 1.44, which start_interval needs: 1 of 1 "
			    "speaks an older Engine API than 1.44 (newest is 1.41)");
	spec = world_spec(0, 0);
	spec.extras = base_calloc(1, sizeof(*spec.extras));
	pairs_add(&spec.extras->annotations, "a", "b");
	assert_fits_nowhere(world, world_task(world, world_job(world, "shop", "noted", spec), 1),
			    "no node speaks Engine API 1.43, which an annotation needs: 1 of 1 "
			    "speaks an older Engine API than 1.43 (newest is 1.41)");
	assert_picks(world, world_task(world, world_job(world, "shop", "db", world_spec(0, 0)), 1),
		     a);
}

static void an_old_engine_is_refused_where_a_network_needs_a_newer_one(void **state)
{
	struct world *world = *state;
	struct node_entry *a = world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	a->record.facts.api_minor = 45;
	struct job_spec spec = world_spec(0, 0);
	spec_add_network(&spec, "net");
	struct job_entry *job = world_job(world, "shop", "web", spec);
	struct project project;
	record_copy(&project_type, &project,
		    &cluster_project(&world->cluster, job->job.project)->project);
	struct network_spec *network = list_add(&project.networks, sizeof(*network));
	string_set(&network->key, "net");
	network->enable_ipv6 = YES;
	cluster_put_project(&world->cluster, &world->changes, &project);
	struct task *task = world_task(world, job, 1);
	assert_fits_nowhere(world, task,
			    "no node speaks Engine API 1.46, which enable_ipv6 without a subnet of "
			    "IPv6 needs: 1 of 1 speaks an older Engine API than 1.46 (newest is "
			    "1.45)");
	a->record.facts.api_minor = 46;
	assert_picks(world, task, a);
}

static void an_old_worker_is_refused_where_a_key_needs_a_newer_one(void **state)
{
	struct world *world = *state;
	struct node_entry *a = world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	a->record.facts.protocol = 0;
	string_set(&a->record.facts.drover_version, "0.1.0");
	struct job_spec spec = world_spec(0, 0);
	spec.on_disconnect = ON_DISCONNECT_STOP;
	assert_fits_nowhere(world, task_of(world, spec),
			    "no node has a worker that knows all this job asks for: 1 of 1 runs an "
			    "older drover (0.1.0)");
	assert_picks(world, world_task(world, world_job(world, "shop", "db", world_spec(0, 0)), 1),
		     a);
}

static void a_fixed_port_is_one_task_per_node_and_says_who_has_it(void **state)
{
	struct world *world = *state;
	struct node_entry *a = world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	struct job_spec spec = world_spec(0, 0);
	spec_add_port(&spec, NULL, 8080, 8080, PORT_TCP);
	struct job_entry *web = world_job(world, "shop", "web", spec);
	world_place_on_port(world, world_task(world, web, 1), a, 8080);
	struct task *second = world_task(world, web, 2);
	assert_fits_nowhere(world, second,
			    "no node has port 8080/tcp free: 1 of 1 has port 8080/tcp taken by "
			    "shop/web.1 (a fixed port takes one task per machine)");
	struct node_entry *b = world_node(world, "b", 4000, 8 * GB, NULL, NULL);
	assert_picks(world, second, b);
}

static void an_exhausted_pool_is_refused(void **state)
{
	struct world *world = *state;
	struct node_entry *a = world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	struct job_spec spec = world_spec(0, 0);
	spec_add_port(&spec, "127.0.0.1", 8080, 8081, PORT_UDP);
	struct job_entry *web = world_job(world, "shop", "web", spec);
	world_place_on_port(world, world_task(world, web, 1), a, 8080);
	world_place_on_port(world, world_task(world, web, 2), a, 8081);
	assert_fits_nowhere(
		world, world_task(world, web, 3),
		"no node has a port of 127.0.0.1:8080-8081/udp free: 1 of 1 has no port of "
		"127.0.0.1:8080-8081/udp free");
}

static void replicas_per_node_are_limited(void **state)
{
	struct world *world = *state;
	struct node_entry *a = world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	struct job_spec spec = world_spec(0, 0);
	spec.placement.max_replicas_per_node = 2;
	struct job_entry *web = world_job(world, "shop", "web", spec);
	world_placed(world, web, 1, a);
	struct task *task = world_task(world, web, 3);
	assert_picks(world, task, a);
	world_placed(world, web, 2, a);
	assert_fits_nowhere(
		world, task,
		"no node may run another task of web (at most 2 per node): 1 of 1 already "
		"runs 2 of web");
}

static struct job_spec networked_spec(int64_t memory_bytes, const char *network)
{
	struct job_spec spec = world_spec(0, memory_bytes);
	spec_add_network(&spec, network);
	return spec;
}

static void jobs_that_share_a_network_live_on_one_node(void **state)
{
	struct world *world = *state;
	struct node_entry *a = world_node(world, "a", 4000, GB, NULL, NULL);
	struct node_entry *b = world_node(world, "b", 4000, 8 * GB, NULL, NULL);
	world_node(world, "c", 4000, 8 * GB, NULL, NULL);
	struct job_entry *db = world_job(world, "shop", "db", networked_spec(512 * MB, "default"));
	struct job_entry *web = world_job(world, "shop", "web", networked_spec(GB, "default"));
	world_placed(world, db, 1, a);
	struct task *task = world_task(world, web, 1);
	assert_fits_nowhere(world, task,
			    "project shop shares a network, so its tasks run on a only: 2 of 3 are "
			    "not a, 1 lacks memory (1 GB asked, largest has 512 MB free of 1 GB)");

	/* When the node is to lose its tasks, the network moves with the first one placed. */
	cluster_set_node_state(&world->cluster, a, NODE_DOWN);
	assert_picks(world, task, b);
}

/* Each node is told with the first job that cannot be there; what is short is short for all of them. */
static void where_no_node_takes_all_each_is_told_why(void **state)
{
	struct world *world = *state;
	struct node_entry *a = world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	struct node_entry *b = world_node(world, "b", 4000, 8 * GB, NULL, NULL);
	world_node(world, "c", 4000, 2 * GB, NULL, NULL);
	struct job_spec spec = networked_spec(GB, "default");
	strings_add(&spec.placement.constraints, "node.hostname!=a");
	struct job_entry *db = world_job(world, "shop", "db", spec);
	struct job_spec other = networked_spec(2 * GB, "default");
	spec_add_port(&other, NULL, 80, 80, PORT_TCP);
	struct job_spec taken = world_spec(0, 0);
	spec_add_port(&taken, NULL, 80, 80, PORT_TCP);
	struct job_entry *web = world_job(world, "shop", "web", other);
	struct job_entry *edge = world_job(world, "edge", "proxy", taken);
	world_placed(world, web, 1, a);
	struct task *task = world_task(world, db, 1);
	assert_picks(world, task, b);
	world_place_on_port(world, world_task(world, edge, 1), b, 80);
	assert_fits_nowhere(
		world, task,
		"project shop shares a network, and no node takes all of it: 1 of 3 does "
		"not match node.hostname!=a (db), 1 has port 80/tcp taken by edge/proxy.1 "
		"(web), 1 lacks memory (3 GB asked, largest has 2 GB free of 2 GB)");
}

static void a_job_alone_on_its_network_goes_anywhere(void **state)
{
	struct world *world = *state;
	struct node_entry *a = world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	struct node_entry *b = world_node(world, "b", 4000, 8 * GB, NULL, NULL);
	struct job_entry *web = world_job(world, "shop", "web", networked_spec(GB, "front"));
	struct job_entry *db = world_job(world, "shop", "db", networked_spec(GB, "back"));
	world_placed(world, web, 1, a);
	world_placed(world, db, 1, a);
	assert_picks(world, world_task(world, web, 2), b);
}

static void networks_joined_by_a_third_job_are_one(void **state)
{
	struct world *world = *state;
	struct node_entry *a = world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	world_node(world, "b", 4000, 8 * GB, NULL, NULL);
	struct job_entry *front = world_job(world, "shop", "front", networked_spec(GB, "x"));
	struct job_spec both = networked_spec(GB, "x");
	spec_add_network(&both, "y");
	world_job(world, "shop", "middle", both);
	struct job_entry *back = world_job(world, "shop", "back", networked_spec(GB, "y"));
	world_placed(world, front, 1, a);
	assert_picks(world, world_task(world, back, 1), a);
}

static void put_volume(struct world *world, const char *name, struct node_id node)
{
	struct volume_record volume = { .project = base_strdup("shop"),
					.key = base_strdup("data"),
					.name = base_strdup(name),
					.node = node };
	cluster_put_volume(&world->cluster, &world->changes, &volume);
}

static void a_pinned_volume_keeps_the_task_on_its_node(void **state)
{
	struct world *world = *state;
	world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	struct node_entry *b = world_node(world, "b", 4000, GB, NULL, NULL);
	put_volume(world, "shop_data", b->record.id);
	struct job_spec spec = world_spec(0, 512 * MB);
	spec_add_volume(&spec, "data");
	struct job_entry *db = world_job(world, "shop", "db", spec);
	struct task *task = world_task(world, db, 1);
	assert_picks(world, task, b);
	world_placed(world, db, 2, b);
	world_placed(world, db, 3, b);
	assert_fits_nowhere(
		world, task,
		"volume shop_data lives on b: 1 of 2 lacks memory (512 MB asked, largest "
		"has 0 B free of 1 GB), 1 is not b");
	cluster_set_node_state(&world->cluster, b, NODE_DOWN);
	assert_waits(world, task, REASON_WAITS_VOLUME,
		     "volume shop_data lives on b, which is down: if that machine stays off, "
		     "`drover node "
		     "rm --fenced b` gives its volumes up");
}

static void volumes_on_different_nodes_cannot_be_served(void **state)
{
	struct world *world = *state;
	struct node_entry *a = world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	struct node_entry *b = world_node(world, "b", 4000, 8 * GB, NULL, NULL);
	put_volume(world, "shop_data", a->record.id);
	put_volume(world, "shop_logs", b->record.id);
	struct job_spec spec = world_spec(0, 0);
	spec_add_volume(&spec, "data");
	spec_add_volume(&spec, "logs");
	struct task *task = task_of(world, spec);
	assert_waits(world, task, REASON_WAITS_VOLUME,
		     "volume shop_data lives on a, but volume shop_logs on b");
	put_volume(world, "shop_data", (struct node_id){ world_id(world) });
	assert_waits(world, task, REASON_WAITS_VOLUME,
		     "volume shop_data lives on a node that is not known here");
}

static void a_sentence_keeps_within_its_bound(void **state)
{
	struct world *world = *state;
	world_node(world, "a", 4000, 8 * GB, NULL, NULL);
	struct job_spec spec = world_spec(0, 0);
	/* More than a message may hold, in characters of two bytes: none is cut in two. */
	struct text text;
	text_init(&text, 4096);
	text_add(&text, "node.labels.x==");
	while (text.len < 2000)
		text_add(&text, "\xc3\xa9");
	strings_add(&spec.placement.constraints, text_string(&text));
	text_release(&text);
	struct scheduler_pick result;
	pick(world, task_of(world, spec), &result);
	size_t len = strlen(result.message);
	assert_in_range(len, 1022, 1024);
	assert_int_equal((unsigned char)result.message[len - 1], 0xa9);
	scheduler_pick_release(&result);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(without_nodes_the_sentence_says_so),
		CASE(nodes_that_are_not_ready_are_told_apart),
		CASE(one_machine_without_the_memory_says_how_much_it_has),
		CASE(amounts_that_differ_by_little_are_told_in_bytes),
		CASE(memory_is_what_is_reserved_not_what_is_measured),
		CASE(the_last_free_byte_can_be_reserved),
		CASE(lack_of_cpu_and_disk_is_told_in_their_units),
		CASE(the_most_common_refusal_makes_the_head),
		CASE(the_head_claims_no_more_than_is_true),
		CASE(every_constraint_must_match),
		CASE(a_platform_is_matched_in_dockers_spelling),
		CASE(an_address_and_a_role_are_matched),
		CASE(labels_set_by_the_operator_win_over_the_workers_own),
		CASE(an_old_engine_is_refused_where_a_key_needs_a_newer_one),
		CASE(an_old_engine_is_refused_where_a_network_needs_a_newer_one),
		CASE(an_old_worker_is_refused_where_a_key_needs_a_newer_one),
		CASE(a_fixed_port_is_one_task_per_node_and_says_who_has_it),
		CASE(an_exhausted_pool_is_refused),
		CASE(replicas_per_node_are_limited),
		CASE(jobs_that_share_a_network_live_on_one_node),
		CASE(where_no_node_takes_all_each_is_told_why),
		CASE(a_job_alone_on_its_network_goes_anywhere),
		CASE(networks_joined_by_a_third_job_are_one),
		CASE(a_pinned_volume_keeps_the_task_on_its_node),
		CASE(volumes_on_different_nodes_cannot_be_served),
		CASE(a_sentence_keeps_within_its_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
