#include "base/testing.h"

#include <string.h>

#include "base/alloc.h"
#include "base/map.h"

#define KEYS 500

static struct uuid key_number(uint64_t number)
{
	struct uuid key = { 0 };
	memcpy(key.bytes, &number, sizeof(number));
	return key;
}

static void an_empty_map_has_nothing(void **state)
{
	(void)state;
	struct map map = { 0 };
	size_t position = 0;
	assert_null(map_get(&map, key_number(1)));
	assert_null(map_remove(&map, key_number(1)));
	assert_null(map_next(&map, &position));
	map_release(&map);
}

static void putting_again_replaces_and_hands_back(void **state)
{
	(void)state;
	struct map map = { 0 };
	int a = 1;
	int b = 2;
	assert_null(map_put(&map, key_number(1), &a));
	assert_ptr_equal(map_put(&map, key_number(1), &b), &a);
	assert_int_equal(map.n, 1);
	assert_ptr_equal(map_get(&map, key_number(1)), &b);
	map_release(&map);
}

/* Against the plainest model: an array of present or not. */
static void random_puts_and_removes_agree_with_an_array(void **state)
{
	(void)state;
	struct map map = { 0 };
	struct random random = { 1 };
	static int values[KEYS];
	bool present[KEYS] = { 0 };
	size_t n = 0;
	for (int i = 0; i < 20000; i++) {
		size_t key = (size_t)random_below(&random, KEYS);
		void *expected = present[key] ? &values[key] : NULL;
		/* Long runs of each, so that the map fills and empties. */
		bool put = random_below(&random, 100) < (i / 2000 % 2 ? 20 : 80);
		void *was = put ? map_put(&map, key_number(key), &values[key])
				: map_remove(&map, key_number(key));
		assert_ptr_equal(was, expected);
		n = n + put - (expected != NULL);
		present[key] = put;
		assert_int_equal(map.n, n);
	}
	for (size_t key = 0; key < KEYS; key++)
		assert_ptr_equal(map_get(&map, key_number(key)),
				 present[key] ? &values[key] : NULL);
	map_release(&map);
}

static void walking_meets_everything_once(void **state)
{
	(void)state;
	struct map map = { 0 };
	int met[KEYS] = { 0 };
	for (uint64_t key = 0; key < KEYS; key++)
		map_put(&map, key_number(key), &met[key]);
	size_t position = 0;
	for (int *at; (at = map_next(&map, &position));)
		(*at)++;
	for (size_t key = 0; key < KEYS; key++)
		assert_int_equal(met[key], 1);
	map_release(&map);
}

static void name_keys_tell_the_parts_apart(void **state)
{
	(void)state;
	assert_true(uuid_equal(map_name_key(1, "a", "b"), map_name_key(1, "a", "b")));
	assert_false(uuid_equal(map_name_key(1, "a", "b"), map_name_key(2, "a", "b")));
	assert_false(uuid_equal(map_name_key(1, "ab", ""), map_name_key(1, "a", "b")));
	assert_false(uuid_equal(map_name_key(1, "", "ab"), map_name_key(1, "a", "b")));
}

static void an_empty_map_keeps_no_more_than_a_small_one(void **state)
{
	(void)state;
	struct map map = { 0 };
	int value = 1;
	for (uint64_t i = 0; i < 1000; i++)
		map_put(&map, key_number(i), &value);
	for (uint64_t i = 0; i < 1000; i++)
		assert_ptr_equal(map_remove(&map, key_number(i)), &value);
	assert_int_equal(map.n_slots, 0);
	map_put(&map, key_number(1), &value);
	assert_ptr_equal(map_remove(&map, key_number(1)), &value);
	assert_int_not_equal(map.n_slots, 0);
	map_release(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_map_has_nothing),
		TEST(putting_again_replaces_and_hands_back),
		TEST(random_puts_and_removes_agree_with_an_array),
		TEST(walking_meets_everything_once),
		TEST(name_keys_tell_the_parts_apart),
		TEST(an_empty_map_keeps_no_more_than_a_small_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
