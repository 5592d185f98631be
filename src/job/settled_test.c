#include "job/settled.h"

#include "base/limits.h"
#include "base/testing.h"

#define N 200

static uint32_t draw(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* Against a plain table: whatever the order, the ranges say the same, ascend and do not touch. */
static void ranges_are_the_set_that_was_added(void **state)
{
	(void)state;
	uint32_t random = 7;
	for (int round = 0; round < 200; round++) {
		struct slot_ranges ranges = { 0 };
		bool in[N + 2] = { false };
		for (int i = 0; i < round; i++) {
			int64_t slot = 1 + draw(&random) % N;
			if (!in[slot])
				assert_true(slot_ranges_add(&ranges, slot));
			in[slot] = true;
		}
		int64_t cut = 1 + draw(&random) % N;
		int64_t n = 0;
		for (int64_t slot = 1; slot <= N; slot++) {
			n += in[slot];
			assert_int_equal(slot_ranges_have(&ranges, slot), in[slot]);
			assert_int_equal(slot_ranges_count(&ranges, slot), n);
			int64_t after = slot_ranges_after(&ranges, slot);
			assert_true(after >= slot && !in[after]);
			assert_true(after == slot || in[after - 1]);
		}
		for (size_t i = 1; i < ranges.ranges.n; i++)
			assert_true(ranges.ranges.items[i - 1].last + 1 <
				    ranges.ranges.items[i].first);
		int64_t n_below = slot_ranges_count(&ranges, cut);
		assert_int_equal(slot_ranges_cut(&ranges, cut), n_below != n);
		assert_int_equal(slot_ranges_count(&ranges, N), n_below);
		record_release(&slot_ranges_type, &ranges);
	}
}

/* Many at once, in gaps of every kind. */
static void a_whole_gap_is_added_at_once(void **state)
{
	(void)state;
	uint32_t random = 11;
	for (int round = 0; round < 200; round++) {
		struct slot_ranges one = { 0 };
		struct slot_ranges all = { 0 };
		for (int i = 0; i < 20; i++) {
			int64_t first = 1 + draw(&random) % N;
			int64_t last = slot_ranges_next(&one, first) - 1;
			if (last < first) {
				assert_true(slot_ranges_have(&one, first));
				continue;
			}
			int64_t limit = first + draw(&random) % 9;
			last = last < limit ? last : limit;
			for (int64_t slot = first; slot <= last; slot++)
				assert_true(slot_ranges_add(&one, slot));
			assert_true(slot_ranges_add_all(&all, first, last));
			assert_true(record_equal(&slot_ranges_type, &one, &all));
		}
		assert_int_equal(slot_ranges_next(&all, 2 * N), INT64_MAX);
		record_release(&slot_ranges_type, &one);
		record_release(&slot_ranges_type, &all);
	}
}

static void there_are_not_too_many(void **state)
{
	(void)state;
	struct slot_ranges ranges = { 0 };
	for (int64_t i = 1; i <= LIMIT_SLOT_RANGES; i++)
		assert_true(slot_ranges_add(&ranges, 2 * i));
	assert_false(slot_ranges_add(&ranges, 2 * LIMIT_SLOT_RANGES + 2));
	assert_true(slot_ranges_add(&ranges, 3));
	assert_true(slot_ranges_add(&ranges, 2 * LIMIT_SLOT_RANGES + 2));
	record_release(&slot_ranges_type, &ranges);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_the_set_that_was_added),
		cmocka_unit_test(a_whole_gap_is_added_at_once),
		cmocka_unit_test(there_are_not_too_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
