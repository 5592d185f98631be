/* The node id: whose it is, and where it comes from. */
#include "base/testing.h"

#include <string.h>

#include "base/alloc.h"
#include "worker/worker.h"

static const struct node_id given = { { { 0x0a } } };
static const struct node_id other = { { { 0x0b } } };

/* Start a worker that is to be `node` from what `store` holds, and keep what it commits there. */
static enum err_code start(struct node_id node, struct changes *store, struct node_id *ret_node,
			   struct err *err)
{
	struct worker_options options;
	struct worker_out out = { 0 };
	struct worker_in in = { .now_ms = 1000, .wall_ms = 1700000000000, .seed = 1 };
	worker_options_default(&options);
	options.node = node;
	struct worker *worker = worker_new(&options);
	for (size_t i = 0; i < store->n; i++)
		assert_int_equal(worker_replay(worker, &store->items[i], err), ERR_NONE);
	enum err_code code = worker_start(worker, &in, "boot", &out, err);
	for (size_t i = 0; !code && i < out.changes.n; i++) {
		const struct change *from = &out.changes.items[i];
		struct change change = *from;
		change.value = base_strndup(from->value, from->value_len);
		changes_begin_group(store);
		changes_add(store, &change);
	}
	if (!code)
		*ret_node = worker_node_id(worker);
	worker_out_release(&out);
	worker_free(worker);
	return code;
}

static void the_first_start_takes_the_id_it_is_given(void **state)
{
	(void)state;
	struct changes store = { 0 };
	struct node_id node;
	struct err err;
	assert_int_equal(start(given, &store, &node, &err), ERR_NONE);
	assert_true(uuid_equal(node.uuid, given.uuid));
	assert_int_equal(start((struct node_id){ 0 }, &store, &node, &err), ERR_NONE);
	assert_true(uuid_equal(node.uuid, given.uuid));
	changes_release(&store);
}

static void without_one_it_makes_its_own_and_keeps_it(void **state)
{
	(void)state;
	struct changes store = { 0 };
	struct node_id first, again;
	struct err err;
	assert_int_equal(start((struct node_id){ 0 }, &store, &first, &err), ERR_NONE);
	assert_false(uuid_is_zero(first.uuid));
	assert_int_equal(start(first, &store, &again, &err), ERR_NONE);
	assert_true(uuid_equal(first.uuid, again.uuid));
	changes_release(&store);
}

static void the_data_of_another_node_is_an_error_that_names_both(void **state)
{
	(void)state;
	struct changes store = { 0 };
	struct node_id node;
	struct err err;
	assert_int_equal(start(given, &store, &node, &err), ERR_NONE);
	assert_int_equal(start(other, &store, &node, &err), ERR_CONFLICT);
	assert_string_equal(err.message,
			    "the data here is that of node 0a000000-0000-0000-0000-000000000000, "
			    "but this worker is to be node 0b000000-0000-0000-0000-000000000000");
	changes_release(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_start_takes_the_id_it_is_given),
		TEST(without_one_it_makes_its_own_and_keeps_it),
		TEST(the_data_of_another_node_is_an_error_that_names_both),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
