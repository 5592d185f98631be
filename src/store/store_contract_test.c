/* What every store owes its caller; each test runs against each store. */
#include "store/store_testing.h"

#include "base/limits.h"

struct fixture {
	const struct store_ops *ops;
	struct store *store;
	struct changes changes;
	struct err err;
	char dir[64];
	int64_t map_bytes_max;
};

static void open_store(struct fixture *f)
{
	struct store_options options = {
		.dir = f->dir,
		.map_bytes_max = f->map_bytes_max,
		.reserve_bytes = 256 * 1024,
	};
	assert_int_equal(f->ops->open(&options, &f->store, &f->err), ERR_NONE);
}

static struct fixture *fixture_new(const struct store_ops *ops, int64_t map_bytes_max)
{
	struct fixture *f = base_calloc(1, sizeof(*f));
	f->ops = ops;
	f->map_bytes_max = map_bytes_max;
	testing_make_dir(f->dir);
	open_store(f);
	return f;
}

static void fixture_free(struct fixture *f)
{
	f->ops->close(f->store);
	testing_remove_dir(f->dir);
	changes_release(&f->changes);
	base_free(f);
}

static void commit(struct fixture *f)
{
	assert_int_equal(testing_commit(f->ops, f->store, &f->changes, &f->err), ERR_NONE);
}

static void a_new_store_is_empty(void **state)
{
	struct fixture *f = fixture_new(*state, 0);
	testing_assert_contents(f->ops, f->store, "");
	fixture_free(f);
}

static void what_was_put_is_replayed(void **state)
{
	struct fixture *f = fixture_new(*state, 0);
	testing_put(&f->changes, RECORD_JOB, "web", "three replicas");
	testing_put(&f->changes, RECORD_TASK, "web", "");
	testing_put(&f->changes, RECORD_TASK, "w", "shorter key");
	commit(f);
	testing_assert_contents(f->ops, f->store, "3:web=three replicas 5:w=shorter key 5:web=");
	fixture_free(f);
}

static void a_later_value_replaces_the_earlier_one(void **state)
{
	struct fixture *f = fixture_new(*state, 0);
	testing_put(&f->changes, RECORD_TASK, "a", "first");
	commit(f);
	testing_put(&f->changes, RECORD_TASK, "a", "second, which is longer");
	testing_put(&f->changes, RECORD_TASK, "a", "third");
	commit(f);
	testing_assert_contents(f->ops, f->store, "5:a=third");
	fixture_free(f);
}

static void a_deleted_record_is_gone_and_deleting_it_again_is_fine(void **state)
{
	struct fixture *f = fixture_new(*state, 0);
	testing_put(&f->changes, RECORD_TASK, "a", "1");
	testing_put(&f->changes, RECORD_TASK, "b", "2");
	commit(f);
	testing_put(&f->changes, RECORD_TASK, "a", NULL);
	commit(f);
	testing_put(&f->changes, RECORD_TASK, "a", NULL);
	testing_put(&f->changes, RECORD_JOB, "b", NULL);
	commit(f);
	testing_assert_contents(f->ops, f->store, "5:b=2");
	fixture_free(f);
}

static void changes_of_one_commit_apply_in_their_order(void **state)
{
	struct fixture *f = fixture_new(*state, 0);
	testing_put(&f->changes, RECORD_TASK, "a", "1");
	testing_put(&f->changes, RECORD_TASK, "a", NULL);
	changes_begin_group(&f->changes);
	testing_put(&f->changes, RECORD_TASK, "b", NULL);
	testing_put(&f->changes, RECORD_TASK, "b", "2");
	commit(f);
	testing_assert_contents(f->ops, f->store, "5:b=2");
	fixture_free(f);
}

static void an_empty_commit_changes_nothing(void **state)
{
	struct fixture *f = fixture_new(*state, 0);
	commit(f);
	testing_assert_contents(f->ops, f->store, "");
	fixture_free(f);
}

static void values_of_any_bytes_and_keys_of_full_length_come_back(void **state)
{
	struct fixture *f = fixture_new(*state, 0);
	struct change change = { .kind = 255, .key_len = CHANGE_KEY_BYTES_MAX };
	memset(change.key, 0xff, sizeof(change.key));
	change.value_len = 300000;
	change.value = base_calloc(1, change.value_len);
	changes_add(&f->changes, &change);
	commit(f);
	char *contents = testing_contents(f->ops, f->store);
	assert_memory_equal(contents, "255:\xff\xff", 6);
	base_free(contents);
	fixture_free(f);
}

static void a_group_over_the_limits_is_refused_and_nothing_is_written(void **state)
{
	struct fixture *f = fixture_new(*state, 0);
	testing_put(&f->changes, RECORD_TASK, "small", "1");
	changes_begin_group(&f->changes);
	for (int i = 0; i <= LIMIT_GROUP_RECORDS; i++)
		testing_put_bytes(&f->changes, i, 1, 'x');
	assert_int_equal(testing_commit(f->ops, f->store, &f->changes, &f->err), ERR_LIMIT);
	assert_string_equal(f->err.message, "a change of 101 records is over the limit of 100");
	testing_put_bytes(&f->changes, 1, LIMIT_GROUP_BYTES, 'x');
	assert_int_equal(testing_commit(f->ops, f->store, &f->changes, &f->err), ERR_LIMIT);
	testing_assert_contents(f->ops, f->store, "");
	fixture_free(f);
}

static void a_group_at_the_limit_is_taken(void **state)
{
	struct fixture *f = fixture_new(*state, 0);
	for (int i = 0; i < LIMIT_GROUP_RECORDS; i++)
		testing_put_bytes(&f->changes, i, 10000, 'x');
	commit(f);
	testing_put_bytes(&f->changes, 1, LIMIT_GROUP_BYTES - 5, 'x');
	commit(f);
	fixture_free(f);
}

static void many_groups_are_one_commit(void **state)
{
	struct fixture *f = fixture_new(*state, 0);
	for (int i = 0; i < 12000; i++) {
		changes_begin_group(&f->changes);
		testing_put_bytes(&f->changes, i, 20, 'x');
		testing_put_bytes(&f->changes, i, 2, 'y');
	}
	commit(f);
	char *contents = testing_contents(f->ops, f->store);
	assert_memory_equal(contents, "5:key-0=yy ", 11);
	size_t n = 0;
	for (const char *at = contents; (at = strstr(at, "=yy")) != NULL; at++)
		n++;
	assert_int_equal(n, 12000);
	base_free(contents);
	fixture_free(f);
}

static enum err_code stop_at_second(void *visitor, const struct change *change, struct err *err)
{
	(void)change;
	int *visits = visitor;
	if (++*visits == 2)
		return err_set(err, ERR_DAMAGED, "this record makes no sense");
	return ERR_NONE;
}

static void a_visitor_can_end_the_replay(void **state)
{
	struct fixture *f = fixture_new(*state, 0);
	for (int i = 0; i < 5; i++)
		testing_put_bytes(&f->changes, i, 1, 'x');
	commit(f);
	int visits = 0;
	assert_int_equal(f->ops->replay(f->store, stop_at_second, &visits, &f->err), ERR_DAMAGED);
	assert_string_equal(f->err.message, "this record makes no sense");
	assert_int_equal(visits, 2);
	fixture_free(f);
}

static void a_probe_is_never_replayed(void **state)
{
	struct fixture *f = fixture_new(*state, 0);
	assert_int_equal(f->ops->probe(f->store, &f->err), ERR_NONE);
	assert_int_equal(f->ops->probe(f->store, &f->err), ERR_NONE);
	testing_assert_contents(f->ops, f->store, "");
	fixture_free(f);
}

static void the_size_follows_what_is_stored(void **state)
{
	struct fixture *f = fixture_new(*state, 64 << 20);
	int64_t before;
	int64_t after;
	int64_t max;
	f->ops->size(f->store, &before, &max);
	assert_int_equal(max, 64 << 20);
	for (int i = 0; i < 100; i++)
		testing_put_bytes(&f->changes, i, 3000, 'x');
	commit(f);
	f->ops->size(f->store, &after, &max);
	assert_true(after >= before + 300000);
	fixture_free(f);
}

/* Put until it is refused; returns how many went in. */
static int fill(struct fixture *f, size_t value_len)
{
	for (int i = 0; i < 10000; i++) {
		testing_put_bytes(&f->changes, i, value_len, 'x');
		enum err_code code = testing_commit(f->ops, f->store, &f->changes, &f->err);
		if (code == ERR_STORE_FULL)
			return i;
		assert_int_equal(code, ERR_NONE);
	}
	fail_msg("the store never was full");
	return 0;
}

static void a_full_store_says_so_and_keeps_what_it_has(void **state)
{
	struct fixture *f = fixture_new(*state, 512 * 1024);
	int n = fill(f, 1500);
	assert_true(n > 20);
	assert_non_null(strstr(f->err.message, "limit"));
	char *contents = testing_contents(f->ops, f->store);
	size_t found = 0;
	for (const char *at = contents; (at = strstr(at, "key-")) != NULL; at++)
		found++;
	assert_int_equal(found, n);
	base_free(contents);
	fixture_free(f);
}

static void every_record_of_a_full_store_can_be_deleted_and_then_there_is_room(void **state)
{
	struct fixture *f = fixture_new(*state, 512 * 1024);
	int n = fill(f, 1500);
	for (int i = n - 1; i >= 0; i--) {
		char key[16];
		testing_put(&f->changes, RECORD_TASK, text_print(key, sizeof(key), "key-%d", i),
			    NULL);
		commit(f);
	}
	testing_assert_contents(f->ops, f->store, "");
	assert_int_equal(f->ops->probe(f->store, &f->err), ERR_NONE);
	assert_true(fill(f, 1500) > n / 2);
	fixture_free(f);
}

static void a_full_store_takes_changes_of_the_same_size(void **state)
{
	struct fixture *f = fixture_new(*state, 512 * 1024);
	int n = fill(f, 1500);
	for (int i = 0; i < n; i++) {
		testing_put_bytes(&f->changes, i, 1500, 'y');
		commit(f);
	}
	fixture_free(f);
}

#define BOTH(test)                                                                                 \
	{ "memory: " #test, test, NULL, NULL, (void *)(uintptr_t)&store_memory },                  \
	{                                                                                          \
		"lmdb: " #test, test, NULL, NULL, (void *)(uintptr_t)&store_lmdb                   \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(a_new_store_is_empty),
		BOTH(what_was_put_is_replayed),
		BOTH(a_later_value_replaces_the_earlier_one),
		BOTH(a_deleted_record_is_gone_and_deleting_it_again_is_fine),
		BOTH(changes_of_one_commit_apply_in_their_order),
		BOTH(an_empty_commit_changes_nothing),
		BOTH(values_of_any_bytes_and_keys_of_full_length_come_back),
		BOTH(a_group_over_the_limits_is_refused_and_nothing_is_written),
		BOTH(a_group_at_the_limit_is_taken),
		BOTH(many_groups_are_one_commit),
		BOTH(a_visitor_can_end_the_replay),
		BOTH(a_probe_is_never_replayed),
		BOTH(the_size_follows_what_is_stored),
		BOTH(a_full_store_says_so_and_keeps_what_it_has),
		BOTH(every_record_of_a_full_store_can_be_deleted_and_then_there_is_room),
		BOTH(a_full_store_takes_changes_of_the_same_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
