#include "compose/testing.h"

#include "base/utf8.h"
#include "compose/nearest.h"
#include "compose/words.h"

static void a_command_line_is_split_as_a_shell_quotes(void **state)
{
	static const struct {
		const char *line;
		const char *words[6];
	} rows[] = {
		{ "", { NULL } },
		{ "  \t\n ", { NULL } },
		{ "a b  c", { "a", "b", "c" } },
		{ "a 'b c' d", { "a", "b c", "d" } },
		{ "a \"b 'c'\" d", { "a", "b 'c'", "d" } },
		{ "a''b \"\" ''", { "ab", "", "" } },
		{ "x\\ y \\'z", { "x y", "'z" } },
		{ "'a\\nb'", { "a\\nb" } },
		{ "\"a\\nb \\\" \\\\ \\$\"", { "a\\nb \" \\ $" } },
		{ "\"a\\\nb\" c\\\nd", { "ab", "cd" } },
		{ "sh -c \"echo hi | cat > f; true\"", { "sh", "-c", "echo hi | cat > f; true" } },
		{ "a | b ; c", { "a", "|", "b", ";", "c" } },
		{ "$HOME `x` *", { "$HOME", "`x`", "*" } },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strings words = { 0 };
		struct err err;
		assert_int_equal(words_split(rows[i].line, &words, &err), ERR_NONE);
		size_t n = 0;
		for (; n < ARRAY_LEN(rows[i].words) && rows[i].words[n]; n++) {
			assert_true(n < words.n);
			assert_string_equal(words.items[n], rows[i].words[n]);
		}
		assert_int_equal(words.n, n);
		strings_release(&words);
	}
}

static void open_quotes_are_refused(void **state)
{
	static const char *const lines[] = { "a 'b", "a \"b", "a \"b\\\"", "a\\", "'" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct strings words = { 0 };
		struct err err;
		assert_int_equal(words_split(lines[i], &words, &err), ERR_SYNTAX);
		strings_release(&words);
	}
}

static void edit_distance_counts_slips(void **state)
{
	(void)state;
	assert_int_equal(edit_distance("image", "image", 9), 0);
	assert_int_equal(edit_distance("iamge", "image", 9), 1);
	assert_int_equal(edit_distance("imge", "image", 9), 1);
	assert_int_equal(edit_distance("images", "image", 9), 1);
	assert_int_equal(edit_distance("omage", "image", 9), 1);
	assert_int_equal(edit_distance("", "image", 9), 5);
	assert_int_equal(edit_distance("kitten", "sitting", 9), 3);
	char longest[200];
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(edit_distance(longest, "image", 9), 9);
}

static void utf8_is_read_strictly(void **state)
{
	static const struct {
		const char *bytes;
		bool valid;
	} rows[] = {
		{ "", true },
		{ "abc", true },
		{ "\xc3\xbc", true },
		{ "\xe2\x82\xac", true },
		{ "\xf0\x9f\x98\x80", true },
		{ "\xf4\x8f\xbf\xbf", true },
		{ "\xff", false },
		{ "\x80", false },
		{ "\xc3", false },
		{ "\xc0\xaf", false },
		{ "\xe0\x80\xaf", false },
		{ "\xed\xa0\x80", false },
		{ "\xf4\x90\x80\x80", false },
		{ "\xf8\x88\x80\x80\x80", false },
		{ "\xe2\x82z", false },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(utf8_is_valid(rows[i].bytes, strlen(rows[i].bytes)),
				 rows[i].valid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_line_is_split_as_a_shell_quotes),
		cmocka_unit_test(open_quotes_are_refused),
		cmocka_unit_test(edit_distance_counts_slips),
		cmocka_unit_test(utf8_is_read_strictly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
