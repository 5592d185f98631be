#include "base/testing.h"

#include <string.h>

#include "base/alloc.h"
#include "base/record.h"

static void strings_keep_order_and_are_found(void **state)
{
	(void)state;
	struct strings strings = { 0 };
	char word[] = "w0";
	for (int digit = 0; digit < 10; digit++) {
		word[1] = (char)('0' + digit);
		strings_add(&strings, word);
	}
	assert_int_equal(strings.n, 10);
	assert_string_equal(strings.items[0], "w0");
	assert_string_equal(strings.items[9], "w9");
	assert_true(strings_has(&strings, "w7"));
	assert_false(strings_has(&strings, "w"));
	strings_release(&strings);
	assert_int_equal(strings.n, 0);
	assert_null(strings.items);
}

static void appending_to_an_array_of_any_size_makes_room(void **state)
{
	(void)state;
	/* As a copy or a decoder leaves it: no room to spare. */
	struct {
		int64_t *items;
		size_t n;
	} list = { base_calloc(3, sizeof(int64_t)), 3 };
	for (int64_t i = 3; i < 40; i++) {
		int64_t *item = list_add(&list, sizeof(int64_t));
		assert_int_equal(*item, 0);
		*item = i;
	}
	assert_int_equal(list.n, 40);
	for (int64_t i = 3; i < 40; i++)
		assert_int_equal(list.items[i], i);
	base_free(list.items);
}

static void a_pair_without_value_differs_from_an_empty_one(void **state)
{
	(void)state;
	struct pairs pairs = { 0 };
	pairs_add(&pairs, "none", NULL);
	pairs_add(&pairs, "empty", "");
	assert_null(pairs_get(&pairs, "none"));
	assert_string_equal(pairs_get(&pairs, "empty"), "");
	assert_null(pairs_get(&pairs, "absent"));
	pairs_release(&pairs);
}

static void putting_a_pair_replaces_in_place(void **state)
{
	(void)state;
	struct pairs pairs = { 0 };
	pairs_put(&pairs, "a", "1");
	pairs_put(&pairs, "b", "2");
	pairs_put(&pairs, "a", "3");
	assert_int_equal(pairs.n, 2);
	assert_string_equal(pairs.items[0].value, "3");
	pairs_put(&pairs, "a", NULL);
	assert_null(pairs.items[0].value);
	pairs_release(&pairs);
}

static void a_string_can_be_set_to_a_part_of_itself(void **state)
{
	(void)state;
	char *string = NULL;
	string_set(&string, "hello world");
	string_set(&string, string + 6);
	assert_string_equal(string, "world");
	string_set(&string, NULL);
	assert_null(string);
}

static void enums_go_both_ways(void **state)
{
	(void)state;
	static const struct enum_name names[] = { { 0, "zero" }, { 5, "five" }, { 0 } };
	int value = -1;
	assert_string_equal(enum_name(names, 5), "five");
	assert_string_equal(enum_name(names, 4), "?");
	assert_true(enum_value(names, "five", &value));
	assert_int_equal(value, 5);
	assert_false(enum_value(names, "Five", &value));
	assert_int_equal(value, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(strings_keep_order_and_are_found),
		TEST(appending_to_an_array_of_any_size_makes_room),
		TEST(a_pair_without_value_differs_from_an_empty_one),
		TEST(putting_a_pair_replaces_in_place),
		TEST(a_string_can_be_set_to_a_part_of_itself),
		TEST(enums_go_both_ways),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
