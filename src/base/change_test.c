#include "base/testing.h"

#include <string.h>

#include "base/alloc.h"
#include "base/change.h"

static struct change put(uint8_t name)
{
	struct change change = { .kind = RECORD_TASK, .key_len = 1, .key = { name } };
	change.value = base_strdup("v");
	change.value_len = 1;
	return change;
}

static void groups_begin_where_they_are_asked_to(void **state)
{
	(void)state;
	struct changes changes = { 0 };
	struct change change;
	for (uint8_t i = 0; i < 6; i++) {
		if (i == 2 || i == 5) {
			changes_begin_group(&changes);
			changes_begin_group(&changes);
		}
		change = put(i);
		changes_add(&changes, &change);
	}
	static const bool starts[] = { true, false, true, false, false, true };
	for (size_t i = 0; i < changes.n; i++) {
		assert_int_equal(changes.items[i].starts_group, starts[i]);
		assert_int_equal(changes.items[i].key[0], i);
	}
	changes_clear(&changes);
	assert_int_equal(changes.n, 0);
	change = put(9);
	changes_add(&changes, &change);
	assert_true(changes.items[0].starts_group);
	changes_release(&changes);
	assert_null(changes.items);
}

static void keys_sort_as_their_parts_do(void **state)
{
	(void)state;
	struct uuid a = { { 1 } };
	struct uuid b = { { 2 } };
	struct change low = { 0 };
	struct change high = { 0 };
	change_key_id_number(&low, a, 255);
	change_key_id_number(&high, a, 256);
	assert_int_equal(low.key_len, UUID_BYTES + 8);
	assert_true(memcmp(low.key, high.key, low.key_len) < 0);
	change_key_ids(&low, a, b);
	change_key_ids(&high, b, a);
	assert_int_equal(low.key_len, 2 * UUID_BYTES);
	assert_true(memcmp(low.key, high.key, low.key_len) < 0);
	change_key_id(&low, a);
	assert_int_equal(low.key_len, UUID_BYTES);
}

static void long_names_get_keys_of_their_own(void **state)
{
	(void)state;
	struct change name = { 0 };
	struct change other = { 0 };
	change_key_text(&name, "shop");
	assert_int_equal(name.key_len, 4);
	assert_memory_equal(name.key, "shop", 4);
	char text[100];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	change_key_text(&name, text);
	assert_int_equal(name.key_len, CHANGE_KEY_BYTES_MAX);
	text[98] = 'y';
	change_key_text(&other, text);
	assert_memory_not_equal(name.key, other.key, CHANGE_KEY_BYTES_MAX);
	text[CHANGE_KEY_BYTES_MAX - 1] = '\0';
	change_key_text(&other, text);
	assert_int_equal(other.key_len, CHANGE_KEY_BYTES_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(groups_begin_where_they_are_asked_to),
		TEST(keys_sort_as_their_parts_do),
		TEST(long_names_get_keys_of_their_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
