#include "base/testing.h"

#include <string.h>

#include "base/alloc.h"
#include "base/notes.h"
#include "base/sort.h"
#include "base/uuid.h"

struct item {
	uint32_t key;
	uint32_t position;
};

static int compare(const void *a, const void *b, void *context)
{
	const struct item *left = a;
	const struct item *right = b;
	(*(size_t *)context)++;
	return left->key < right->key ? -1 : left->key > right->key;
}

static void any_number_of_items_is_sorted_and_equal_ones_keep_their_order(void **state)
{
	(void)state;
	struct random random = { 1 };
	for (size_t n = 0; n < 130; n++) {
		struct item items[130];
		size_t compared = 0;
		for (size_t i = 0; i < n; i++)
			items[i] =
				(struct item){ (uint32_t)random_below(&random, 10), (uint32_t)i };
		sort_stable(items, n, sizeof(struct item), compare, &compared);
		uint64_t positions = 0;
		for (size_t i = 0; i < n; i++) {
			positions += items[i].position;
			if (i == 0)
				continue;
			assert_true(items[i - 1].key <= items[i].key);
			assert_true(items[i - 1].key < items[i].key ||
				    items[i - 1].position < items[i].position);
		}
		assert_int_equal(positions, n ? n * (n - 1) / 2 : 0);
		assert_true(compared <= n * 8);
	}
}

static void notes_are_kept_in_order(void **state)
{
	(void)state;
	struct notes notes = { 0 };
	for (int i = 0; i < 20; i++)
		notes_add(&notes, "task %d is %s", i, "running");
	assert_int_equal(notes.n, 20);
	assert_string_equal(notes.items[19], "task 19 is running");
	notes_clear(&notes);
	assert_int_equal(notes.n, 0);
	notes_add(&notes, "%s", "");
	assert_string_equal(notes.items[0], "");
	notes_release(&notes);
	assert_null(notes.items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(any_number_of_items_is_sorted_and_equal_ones_keep_their_order),
		TEST(notes_are_kept_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
