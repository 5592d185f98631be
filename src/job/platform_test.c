#include "base/testing.h"

#include <string.h>

#include "base/alloc.h"
#include "job/platform.h"

static void platforms_are_read_in_dockers_spelling(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		struct platform expected;
	} cases[] = {
		{ "linux", { "linux", "", "" } },
		{ "linux/amd64", { "linux", "amd64", "" } },
		{ "Linux/X86_64", { "linux", "amd64", "" } },
		{ "linux/aarch64", { "linux", "arm64", "" } },
		{ "linux/arm64/v8", { "linux", "arm64", "" } },
		{ "linux/arm/v7", { "linux", "arm", "v7" } },
		{ "linux/armhf", { "linux", "arm", "v7" } },
		{ "linux/i386", { "linux", "386", "" } },
		{ "linux/riscv64", { "linux", "riscv64", "" } },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct platform read;
		struct err err = { 0 };
		if (platform_parse(cases[i].text, &read, &err))
			fail_msg("%s: %s", cases[i].text, err.message);
		assert_string_equal(read.os, cases[i].expected.os);
		assert_string_equal(read.architecture, cases[i].expected.architecture);
		assert_string_equal(read.variant, cases[i].expected.variant);
	}
}

static void other_texts_are_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"/",
		"linux/",
		"/amd64",
		"linux//v7",
		"linux/a/b/c",
		"li nux",
		"linux/amd64 ",
		"amd64",
		"aarch64",
		"linux/architecture-with-far-too-many-letters",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct platform platform;
		struct err err = { 0 };
		if (!platform_parse(texts[i], &platform, &err))
			fail_msg("\"%s\" was read", texts[i]);
		assert_int_equal(err.code, ERR_INVALID);
	}
	struct platform platform;
	struct err err;
	assert_int_equal(platform_parse("amd64", &platform, &err), ERR_INVALID);
	assert_string_equal(err.message, "\"amd64\" is an architecture: write linux/amd64");
}

static bool runs(const char *os, const char *machine, const char *asked)
{
	struct platform there = platform_of_machine(os, machine);
	struct platform platform;
	assert_int_equal(platform_parse(asked, &platform, NULL), ERR_NONE);
	return platform_runs(&there, &platform);
}

static void a_machine_runs_its_own_platform_in_either_spelling(void **state)
{
	(void)state;
	assert_true(runs("linux", "x86_64", "linux/amd64"));
	assert_true(runs("linux", "amd64", "linux/x86_64"));
	assert_true(runs("linux", "aarch64", "linux/arm64/v8"));
	assert_true(runs("linux", "x86_64", "linux"));
	assert_false(runs("linux", "x86_64", "linux/arm64"));
	assert_false(runs("linux", "x86_64", "windows/amd64"));
	assert_true(runs("linux", "armv7l", "linux/arm/v6"));
	assert_true(runs("linux", "armv7l", "linux/arm"));
	assert_false(runs("linux", "armv6l", "linux/arm/v7"));
	/* What is not known is not refused. */
	assert_true(runs(NULL, NULL, "linux/arm64"));
	assert_true(runs("linux", "", "linux/arm64"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(platforms_are_read_in_dockers_spelling),
		TEST(other_texts_are_refused),
		TEST(a_machine_runs_its_own_platform_in_either_spelling),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
