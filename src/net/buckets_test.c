/* How often somebody may do something. */
#include "net/buckets.h"

#include "net/net_test.h"

#include "base/limits.h"

static struct uuid key_of(unsigned number)
{
	char name[16];
	return map_name_key(7, text_print(name, sizeof(name), "%u", number), "");
}

static int tries(struct buckets *buckets, struct uuid key, int64_t now_ms, int n)
{
	int taken = 0;
	for (int i = 0; i < n; i++)
		taken += buckets_take(buckets, key, now_ms);
	return taken;
}

static void a_burst_and_then_the_rate(void **state)
{
	(void)state;
	struct buckets buckets;
	buckets_init(&buckets, 5, 5);
	assert_int_equal(tries(&buckets, key_of(1), 1000, 20), 5);
	assert_int_equal(tries(&buckets, key_of(2), 1000, 20), 5);
	assert_int_equal(tries(&buckets, key_of(1), 1000 + 11999, 1), 0);
	assert_int_equal(tries(&buckets, key_of(1), 1000 + 12000, 2), 1);
	/* However often it is tried in between. */
	int taken = 0;
	for (int64_t ms = 13000; ms < 13000 + 61000; ms += 7)
		taken += buckets_take(&buckets, key_of(1), ms);
	assert_int_equal(taken, 5);
	assert_int_equal(tries(&buckets, key_of(1), 100000000, 20), 5);
	buckets_release(&buckets);
}

static void what_is_given_back_does_not_count(void **state)
{
	(void)state;
	struct buckets buckets;
	buckets_init(&buckets, 5, 5);
	for (int i = 0; i < 100; i++) {
		assert_true(buckets_take(&buckets, key_of(1), 1000));
		buckets_give_back(&buckets, key_of(1));
	}
	assert_int_equal(tries(&buckets, key_of(1), 1000, 20), 5);
	buckets_give_back(&buckets, key_of(9));
	buckets_release(&buckets);
}

static void who_is_excused_may_as_often_as_it_likes(void **state)
{
	(void)state;
	struct buckets buckets;
	buckets_init(&buckets, 5, 5);
	assert_int_equal(tries(&buckets, key_of(1), 1000, 5), 5);
	buckets_excuse(&buckets, key_of(1), 2000);
	buckets_excuse(&buckets, key_of(2), 2000);
	assert_int_equal(tries(&buckets, key_of(1), 1999, 20), 20);
	assert_int_equal(tries(&buckets, key_of(2), 1999, 20), 20);
	assert_int_equal(tries(&buckets, key_of(1), 2000, 20), 0);
	assert_int_equal(tries(&buckets, key_of(2), 2000, 20), 5);
	buckets_release(&buckets);
}

static void no_more_are_remembered_than_a_limit_says(void **state)
{
	(void)state;
	struct buckets buckets;
	buckets_init(&buckets, 5, 5);
	assert_int_equal(tries(&buckets, key_of(0), 1000, 5), 5);
	/* Who goes on trying is remembered, whoever else comes. */
	for (unsigned i = 1; i < 2 * LIMIT_BUCKETS; i++) {
		buckets_take(&buckets, key_of(i), 1000);
		if (i % 1000 == 0)
			assert_false(buckets_take(&buckets, key_of(0), 1000));
	}
	assert_int_equal(buckets.by_key.n, LIMIT_BUCKETS);
	assert_int_equal(tries(&buckets, key_of(1), 1000, 20), 5);
	buckets_release(&buckets);
}

static bool same(const char *a, const char *b)
{
	return uuid_equal(bucket_of_address(a), bucket_of_address(b));
}

static void of_ipv6_the_network_counts(void **state)
{
	(void)state;
	assert_true(same("10.0.0.1", "10.0.0.1"));
	assert_false(same("10.0.0.1", "10.0.0.2"));
	assert_true(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
	assert_false(same("2001:db8:1:2::1", "2001:db8:1:3::1"));
	assert_false(same("::ffff:10.0.0.1", "::ffff:10.0.0.2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_and_then_the_rate),
		cmocka_unit_test(what_is_given_back_does_not_count),
		cmocka_unit_test(who_is_excused_may_as_often_as_it_likes),
		cmocka_unit_test(no_more_are_remembered_than_a_limit_says),
		cmocka_unit_test(of_ipv6_the_network_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
