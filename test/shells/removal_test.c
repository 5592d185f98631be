/* A node that was removed from the cluster comes back: over real sockets its worker is told so, ends what it ran, and
 * joins anew when it is asked to. A manager that does not know it changes nothing. */
#include "members.h"

#include <string.h>

#include "base/alloc.h"
#include "base/change.h"
#include "worker/worker.h"

/* The worker of the rig was told, and what it ran has ended. */
static bool over;

static void on_removed(void *owner)
{
	(void)owner;
	over = true;
}

static bool is_over(struct rig *rig, const void *argument)
{
	(void)rig;
	(void)argument;
	return over;
}

static void start_worker(struct rig *rig, struct member *member)
{
	struct err err = { 0 };
	struct worker_daemon_options options = rig_worker_options(rig);
	if (member) {
		options.manager = &member->endpoint;
		options.membership = &member->membership;
	}
	options.removed = on_removed;
	over = false;
	if (worker_daemon_new(rig->base, &options, &rig->worker, &err))
		fail_msg("the worker does not start: %s", err.message);
}

static void bring_up(struct rig *rig, struct member *member)
{
	members_start_manager(rig);
	if (member)
		members_make(rig, "alpha", "worker", member);
	start_worker(rig, member);
	rig_wait_ready(rig);
	assert_int_equal(rig_status(rig, "POST", "/v1/projects/shop/apply", "up", RIG_WEB("2")),
			 200);
	rig_wait_running(rig, 2);
}

/* While the manager is off: an operator removed the node long ago, or its store is one that never held it. */
static void forget_identity(struct rig *rig, struct uuid id, bool was_removed)
{
	struct changes changes = { 0 };
	struct change gone = { .kind = RECORD_IDENTITY };
	struct err err;
	change_key_id(&gone, id);
	changes_add(&changes, &gone);
	if (was_removed) {
		struct removed_node removed = { .id = { id }, .removed_wall_ms = 4000000000000 };
		struct change put = { .kind = RECORD_REMOVED_NODE };
		struct text bytes;
		text_init(&bytes, 1024);
		record_encode(&removed_node_type, &removed, &bytes);
		change_key_id(&put, id);
		put.value_len = bytes.len;
		put.value = text_take(&bytes);
		changes_add(&changes, &put);
	}
	if (rig->manager_store.ops.commit(rig->manager_store.store, &changes, &err))
		fail_msg("%s", err.message);
	changes_release(&changes);
}

static bool is_node(struct rig *rig, const void *id)
{
	char target[96], text[UUID_TEXT_SIZE];
	text_print(target, sizeof(target), "/v1/nodes/%s",
		   uuid_format(*(const struct uuid *)id, text));
	return rig_status(rig, "GET", target, NULL, NULL) == 200;
}

static void a_worker_that_was_removed_while_it_was_away_ends_what_it_runs(void **state)
{
	struct rig *rig = *state;
	struct member member;
	bring_up(rig, &member);
	rig_stop_manager(rig);
	forget_identity(rig, member.membership.certificate.name.id, true);
	assert_int_equal(rig_containers_running(), 2);
	members_start_manager(rig);
	rig_until(rig, "the end of what it ran", is_over, NULL);
	assert_int_equal(rig_containers_running(), 0);
	/* It knows also when it is started again, and asks nobody. */
	rig_stop_worker(rig);
	rig_stop_manager(rig);
	start_worker(rig, &member);
	rig_until(rig, "that it knows", is_over, NULL);
	rig_stop_worker(rig);
	members_release(&member);
	/* Under a new identity the same store serves a new node. */
	members_start_manager(rig);
	members_make(rig, "beta", "worker", &member);
	start_worker(rig, &member);
	rig_until(rig, "the new node", is_node, &member.membership.certificate.name.id);
	assert_false(over);
	rig_stop_worker(rig);
	members_release(&member);
}

static void a_worker_that_nobody_knows_runs_on(void **state)
{
	struct rig *rig = *state;
	struct member member;
	char before[4096], after[4096];
	bring_up(rig, &member);
	rig_list_containers(before);
	rig_stop_manager(rig);
	forget_identity(rig, member.membership.certificate.name.id, false);
	members_start_manager(rig);
	rig_turn(rig, 2000);
	assert_false(over);
	rig_stop_worker(rig);
	start_worker(rig, &member);
	rig_turn(rig, 2000);
	assert_false(over);
	rig_list_containers(after);
	assert_string_equal(before, after);
	assert_int_equal(rig_containers_running(), 2);
	rig_stop_worker(rig);
	members_release(&member);
}

static void remove_first_node(struct rig *rig)
{
	char target[160], id[128];
	rig_first(rig, "nodes", "id", id);
	text_print(target, sizeof(target), "/v1/nodes/%s", id);
	assert_int_equal(rig_status(rig, "DELETE", target, NULL, NULL), 200);
}

/* One that is connected hears it as the end of its session. */
static void a_worker_that_is_there_when_its_node_is_removed_ends(void **state)
{
	struct rig *rig = *state;
	struct member member;
	members_start_manager(rig);
	members_make(rig, "alpha", "worker", &member);
	start_worker(rig, &member);
	rig_wait_ready(rig);
	remove_first_node(rig);
	rig_until(rig, "its end", is_over, NULL);
	rig_stop_worker(rig);
	members_release(&member);
}

static void so_does_the_worker_of_the_managers_own_machine(void **state)
{
	struct rig *rig = *state;
	rig_start_manager(rig);
	start_worker(rig, NULL);
	rig_wait_ready(rig);
	rig_stop_worker(rig);
	remove_first_node(rig);
	rig_turn(rig, 100);
	rig_stop_manager(rig);
	rig_start_manager(rig);
	start_worker(rig, NULL);
	rig_until(rig, "its end", is_over, NULL);
	rig_stop_worker(rig);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_worker_that_was_removed_while_it_was_away_ends_what_it_runs),
		CASE(a_worker_that_nobody_knows_runs_on),
		CASE(a_worker_that_is_there_when_its_node_is_removed_ends),
		CASE(so_does_the_worker_of_the_managers_own_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
