#include "base/testing.h"

#include <string.h>

#include "base/alloc.h"
#include "base/uuid.h"

static void ids_have_version_seven_and_their_time(void **state)
{
	(void)state;
	struct random random = { 1 };
	struct uuid id = uuid_make(&random, 0x0123456789abLL);
	static const uint8_t time[] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab };
	assert_memory_equal(id.bytes, time, sizeof(time));
	assert_int_equal(id.bytes[6] >> 4, 7);
	assert_int_equal(id.bytes[8] >> 6, 2);
}

static void later_ids_sort_later(void **state)
{
	(void)state;
	struct random random = { 2 };
	struct uuid last = uuid_make(&random, 0);
	for (int64_t wall_ms = 1; wall_ms < 1000; wall_ms++) {
		struct uuid id = uuid_make(&random, wall_ms);
		assert_true(uuid_compare(last, id) < 0);
		assert_false(uuid_equal(last, id));
		last = id;
	}
}

static void the_same_seed_draws_the_same_ids(void **state)
{
	(void)state;
	struct random a = { 7 };
	struct random b = { 7 };
	for (int i = 0; i < 100; i++)
		assert_true(uuid_equal(uuid_make(&a, i), uuid_make(&b, i)));
	/* splitmix64's published first output for the seed 1234567. */
	struct random known = { 1234567 };
	assert_true(random_next(&known) == 6457827717110365317ull);
}

static void text_goes_both_ways(void **state)
{
	(void)state;
	struct random random = { 3 };
	for (int i = 0; i < 100; i++) {
		char out[UUID_TEXT_SIZE];
		struct uuid back;
		struct uuid id = uuid_make(&random, (int64_t)random_below(&random, 1ull << 48));
		assert_int_equal(uuid_parse(uuid_format(id, out), &back, NULL), ERR_NONE);
		assert_true(uuid_equal(id, back));
		assert_int_equal(strlen(out), UUID_TEXT_LEN);
	}
	struct uuid upper;
	struct uuid lower;
	assert_int_equal(uuid_parse("0190A000-0000-7ABC-8DEF-00000000000F", &upper, NULL),
			 ERR_NONE);
	assert_int_equal(uuid_parse("0190a000-0000-7abc-8def-00000000000f", &lower, NULL),
			 ERR_NONE);
	assert_true(uuid_equal(upper, lower));
}

static void other_texts_are_no_ids(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"x",
		"0190a000-0000-7abc-8def-00000000000",
		"0190a000-0000-7abc-8def-00000000000f0",
		"0190a000x0000-7abc-8def-00000000000f",
		"0190a000-0000-7abc-8def-00000000000g",
		"{190a000-0000-7abc-8def-00000000000}",
		"0190a00000007abc8def00000000000f0000",
		" 190a000-0000-7abc-8def-00000000000f",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct uuid id = { { 1 } };
		assert_int_equal(uuid_parse(texts[i], &id, NULL), ERR_INVALID);
		assert_int_equal(id.bytes[0], 1);
	}
}

static void zero_is_recognised(void **state)
{
	(void)state;
	struct uuid id = { 0 };
	assert_true(uuid_is_zero(id));
	id.bytes[15] = 1;
	assert_false(uuid_is_zero(id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ids_have_version_seven_and_their_time),
		TEST(later_ids_sort_later),
		TEST(the_same_seed_draws_the_same_ids),
		TEST(text_goes_both_ways),
		TEST(other_texts_are_no_ids),
		TEST(zero_is_recognised),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
