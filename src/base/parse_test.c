#include "base/testing.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/parse.h"

struct good {
	const char *text;
	int64_t value;
};

typedef enum err_code parse(const char *text, int64_t *ret_value, struct err *err);

static void expect_good(parse *function, const struct good *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int64_t value = -7;
		struct err err = { 0 };
		if (function(cases[i].text, &value, &err) || value != cases[i].value)
			fail_msg("\"%s\": %s, %lld", cases[i].text, err.message, (long long)value);
	}
}

static void expect_bad(parse *function, const char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int64_t value = -7;
		struct err err = { 0 };
		if (function(texts[i], &value, &err) != ERR_INVALID || value != -7)
			fail_msg("\"%s\" was read as %lld", texts[i], (long long)value);
		assert_true(err.message[0]);
	}
}

static enum err_code parse_any_int(const char *text, int64_t *ret_value, struct err *err)
{
	return parse_int(text, INT64_MIN, INT64_MAX, ret_value, err);
}

static void whole_numbers_are_read_to_both_ends(void **state)
{
	(void)state;
	static const struct good good[] = {
		{ "0", 0 },
		{ "42", 42 },
		{ "-1", -1 },
		{ "9223372036854775807", INT64_MAX },
		{ "-9223372036854775808", INT64_MIN },
	};
	static const char *const bad[] = { "",	  "-",	 "+1",	 " 1",
					   "1 ",  "01",	 "-0",	 "0x1",
					   "1e3", "1.0", "--1",	 "9223372036854775808",
					   "one", "1_0", "\xc3", "-9223372036854775809" };
	expect_good(parse_any_int, good, ARRAY_LEN(good));
	expect_bad(parse_any_int, bad, ARRAY_LEN(bad));
}

static void numbers_out_of_bounds_are_named(void **state)
{
	(void)state;
	int64_t value = 0;
	struct err err;
	assert_int_equal(parse_int("70000", 1, 65535, &value, &err), ERR_INVALID);
	assert_string_equal(err.message, "70000 is more than 65535");
	assert_int_equal(parse_int("0", 1, 65535, &value, &err), ERR_INVALID);
	assert_string_equal(err.message, "0 is less than 1");
	assert_int_equal(parse_int("99999999999999999999", 1, 65535, &value, &err), ERR_INVALID);
	assert_string_equal(err.message, "99999999999999999999 is more than 65535");
	assert_int_equal(parse_int("-99999999999999999999", 1, 65535, &value, &err), ERR_INVALID);
	assert_string_equal(err.message, "-99999999999999999999 is less than 1");
	assert_int_equal(parse_int_n("8080:80", 4, 1, 65535, &value, &err), ERR_NONE);
	assert_int_equal(value, 8080);
	assert_int_equal(parse_int("x", 0, 1, &value, NULL), ERR_INVALID);
}

static void durations_are_read_as_go_writes_them(void **state)
{
	(void)state;
	static const struct good good[] = {
		{ "0", 0 },	     { "0s", 0 },
		{ "10s", 10000 },    { "1m30s", 90000 },
		{ "1.5h", 5400000 }, { "250ms", 250 },
		{ "2000us", 2 },     { "1h1m1s1ms", 3661001 },
		{ "0.001s", 1 },     { "1.0000000s", 1000 },
		{ "3.5m", 210000 },  { "8784h", 366LL * 24 * 3600 * 1000 },
		{ ".5s", 500 },
	};
	static const char *const bad[] = {
		"",
		"10",
		"s",
		"10 s",
		"-1s",
		"1d",
		"1.s",
		"1us",
		"1.5ms",
		"1m30",
		"1S",
		"1sec",
		"1h-1m",
		"8785h",
		"1,5s",
		"1e3s",
		"9999999999999999999h",
		"99999999999999h",
		"0.0000001s",
		"0.0001us999.999us",
		"1500us",
	};
	expect_good(parse_duration_ms, good, ARRAY_LEN(good));
	expect_bad(parse_duration_ms, bad, ARRAY_LEN(bad));
}

static void sizes_are_read_as_docker_reads_them(void **state)
{
	(void)state;
	static const struct good good[] = {
		{ "0", 0 },
		{ "100", 100 },
		{ "100b", 100 },
		{ "64m", 64 << 20 },
		{ "64M", 64 << 20 },
		{ "64mb", 64 << 20 },
		{ "64MiB", 64 << 20 },
		{ "1.5g", 3LL << 29 },
		{ "1 kb", 1024 },
		{ "0.1k", 102 },
		{ "1048576t", 1LL << 60 },
	};
	static const char *const bad[] = { "",	       "m",	"-1m",
					   "1x",       "1mm",	"1 m b",
					   "1m ",      "1..5g", "1,5g",
					   "1bk",      "1ki",	"1e3",
					   "1048577t", "1p",	"99999999999999999999" };
	expect_good(parse_size_bytes, good, ARRAY_LEN(good));
	expect_bad(parse_size_bytes, bad, ARRAY_LEN(bad));
}

static void microseconds_are_read_where_they_matter(void **state)
{
	(void)state;
	static const struct good good[] = { { "1400us", 1400 },
					    { "1.5ms", 1500 },
					    { "1s", 1000000 } };
	static const char *const bad[] = { "1.5us", "1400", "9000h" };
	expect_good(parse_duration_us, good, ARRAY_LEN(good));
	expect_bad(parse_duration_us, bad, ARRAY_LEN(bad));
}

static void cpus_are_thousandths(void **state)
{
	(void)state;
	static const struct good good[] = {
		{ "0", 0 },	{ "0.5", 500 },	   { "2", 2000 },	  { "1.25", 1250 },
		{ "0.001", 1 }, { "1.500", 1500 }, { "0.50000000", 500 }, { "100000", 100000000 },
		{ ".5", 500 },
	};
	static const char *const bad[] = { "",	"x",  "-1", "0.0005", "1.2345", "1.",
					   ".", "1m", "1 ", "100001", "1e1",	"..5" };
	expect_good(parse_cpu_milli, good, ARRAY_LEN(good));
	expect_bad(parse_cpu_milli, bad, ARRAY_LEN(bad));
}

static void ratios_are_millionths_of_the_whole(void **state)
{
	(void)state;
	static const struct good good[] = {
		{ "0", 0 },	   { "0.25", 250000 },	{ "1", 1000000 }, { "1.0", 1000000 },
		{ "0.000001", 1 }, { "0.500", 500000 }, { ".5", 500000 },
	};
	static const char *const bad[] = { "", "x", "-0.1", "1.1", "2", "0.0000001", "50%" };
	expect_good(parse_ratio_ppm, good, ARRAY_LEN(good));
	expect_bad(parse_ratio_ppm, bad, ARRAY_LEN(bad));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(whole_numbers_are_read_to_both_ends),
		TEST(numbers_out_of_bounds_are_named),
		TEST(durations_are_read_as_go_writes_them),
		TEST(sizes_are_read_as_docker_reads_them),
		TEST(microseconds_are_read_where_they_matter),
		TEST(cpus_are_thousandths),
		TEST(ratios_are_millionths_of_the_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
