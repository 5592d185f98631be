#include "base/testing.h"

#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

static void formatting_knows_every_conversion_it_names(void **state)
{
	(void)state;
	struct text text;
	char *volatile absent = NULL; /* volatile: compilers refuse a NULL they can see */
	text_init(&text, 1000);
	text_addf(&text, "%s|%s|%.*s|%c|%d|%u|%ld|%lu|%lld|%llu|%zu|%x|%02x|%%", "a", absent, 2,
		  "xyz", 'c', -5, 6u, -7L, 8UL, LLONG_MIN, ULLONG_MAX, (size_t)9, 0xabu, 0xcu);
	assert_string_equal(text_string(&text), "a|(none)|xy|c|-5|6|-7|8|-9223372036854775808|"
						"18446744073709551615|9|ab|0c|%");
	text_release(&text);
}

static void text_past_its_maximum_is_cut_and_says_so(void **state)
{
	(void)state;
	struct text text;
	text_init(&text, 5);
	text_add(&text, "12345");
	assert_false(text.cut);
	text_add(&text, "6");
	assert_true(text.cut);
	assert_string_equal(text_string(&text), "12345");
	text_clear(&text);
	assert_false(text.cut);
	assert_string_equal(text_string(&text), "");
	text_release(&text);
}

static void the_beginning_of_a_text_is_dropped(void **state)
{
	(void)state;
	struct text text;
	text_init(&text, 5);
	text_drop(&text, 0);
	text_add(&text, "12345");
	text_drop(&text, 2);
	assert_string_equal(text_string(&text), "345");
	text_add(&text, "67");
	assert_string_equal(text_string(&text), "34567");
	text_drop(&text, 5);
	assert_string_equal(text_string(&text), "");
	text_release(&text);
}

static void an_empty_text_is_a_string_too(void **state)
{
	(void)state;
	struct text text;
	text_init(&text, 10);
	assert_string_equal(text_string(&text), "");
	_cleanup_free_ char *taken = text_take(&text);
	assert_string_equal(taken, "");
	text_add(&text, "again");
	_cleanup_free_ char *second = text_take(&text);
	assert_string_equal(second, "again");
	assert_int_equal(text.len, 0);
}

static const char *with(void (*add)(struct text *, int64_t), int64_t value)
{
	static char out[64];
	struct text text;
	text_init(&text, sizeof(out) - 1);
	add(&text, value);
	memcpy(out, text_string(&text), text.len + 1);
	text_release(&text);
	return out;
}

static void sizes_read_as_people_say_them(void **state)
{
	(void)state;
	assert_string_equal(with(text_add_size, 0), "0 B");
	assert_string_equal(with(text_add_size, 900), "900 B");
	assert_string_equal(with(text_add_size, 1024), "1 KB");
	assert_string_equal(with(text_add_size, 512LL << 20), "512 MB");
	assert_string_equal(with(text_add_size, 3LL << 29), "1.5 GB");
	assert_string_equal(with(text_add_size, -(1LL << 20)), "-1 MB");
	assert_string_equal(with(text_add_size, 1LL << 60), "1048576 TB");
	assert_string_equal(with(text_add_size, INT64_MIN), "-8388607.9 TB");
}

static void sizes_that_differ_do_not_read_alike_side_by_side(void **state)
{
	(void)state;
	static const struct {
		int64_t size_bytes;
		int64_t beside_bytes;
		const char *reads;
	} rows[] = {
		{ 512LL << 20, 256LL << 20, "512 MB" },
		{ 512LL << 20, 512LL << 20, "512 MB" },
		{ (512LL << 20) + 1, 512LL << 20, "536870913 B" },
		{ 512LL << 20, (512LL << 20) + 1, "536870912 B" },
		{ 0, 1, "0 B" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct text text;
		text_init(&text, 64);
		text_add_size_beside(&text, rows[i].size_bytes, rows[i].beside_bytes);
		assert_string_equal(text_string(&text), rows[i].reads);
		text_release(&text);
	}
}

static void cpus_and_durations_read_as_people_say_them(void **state)
{
	(void)state;
	assert_string_equal(with(text_add_cpus, 2000), "2");
	assert_string_equal(with(text_add_cpus, 500), "0.5");
	assert_string_equal(with(text_add_cpus, 125), "0.125");
	assert_string_equal(with(text_add_cpus, -1500), "-1.5");
	assert_string_equal(with(text_add_ratio, 1000000), "1");
	assert_string_equal(with(text_add_ratio, 333333), "0.333333");
	assert_string_equal(with(text_add_duration, 0), "0ms");
	assert_string_equal(with(text_add_duration, 250), "250ms");
	assert_string_equal(with(text_add_duration, 10000), "10s");
	assert_string_equal(with(text_add_duration, 1500), "1.5s");
	assert_string_equal(with(text_add_duration, 90000), "1m30s");
	assert_string_equal(with(text_add_duration, 3600000), "1h");
	assert_string_equal(with(text_add_duration, 3601000), "1h1s");
}

static void printing_into_an_array_never_passes_its_end(void **state)
{
	(void)state;
	char out[4] = "???";
	assert_ptr_equal(text_print(out, 3, "%d", 12345), out);
	assert_string_equal(out, "12");
	assert_int_equal(out[3], '\0');
	assert_string_equal(text_print(out, 1, "x"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(formatting_knows_every_conversion_it_names),
		TEST(text_past_its_maximum_is_cut_and_says_so),
		TEST(the_beginning_of_a_text_is_dropped),
		TEST(an_empty_text_is_a_string_too),
		TEST(sizes_read_as_people_say_them),
		TEST(sizes_that_differ_do_not_read_alike_side_by_side),
		TEST(cpus_and_durations_read_as_people_say_them),
		TEST(printing_into_an_array_never_passes_its_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
