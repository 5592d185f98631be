#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/text.h"
#include "cli/table.h"

static const char *const headings[] = { "NAME", "STATE", "DETAIL", NULL };

static void expect(const char *const *cells, size_t width, const char *wanted)
{
	struct table table;
	struct text out;
	table_init(&table, headings);
	for (; *cells; cells++)
		table_add(&table, *cells);
	text_init(&out, 4096);
	table_render(&table, width, &out);
	assert_string_equal(text_string(&out), wanted);
	text_release(&out);
	table_release(&table);
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
	(void)state;
	expect((const char *const[]){ "web.1", "running", "x", "a", "ok", "y", NULL }, 0,
	       "NAME   STATE    DETAIL\n"
	       "web.1  running  x\n"
	       "a      ok       y\n");
}

static void an_empty_cell_is_a_dash_and_no_line_ends_in_blanks(void **state)
{
	(void)state;
	expect((const char *const[]){ "a", "", "", NULL }, 0,
	       "NAME  STATE  DETAIL\na     -      -\n");
}

static void columns_stay_as_wide_as_they_were(void **state)
{
	(void)state;
	struct table table;
	struct text out;
	size_t widths[TABLE_COLUMNS_MAX] = { 6, 0, 9 };
	table_init(&table, headings);
	table_add(&table, "a");
	table_add(&table, "pending");
	table_add(&table, "x");
	table_measure(&table, widths);
	assert_int_equal(widths[0], 6);
	assert_int_equal(widths[1], 7);
	assert_int_equal(widths[2], 9);
	memcpy(table.widths, widths, sizeof(table.widths));
	text_init(&out, 4096);
	table_render(&table, 0, &out);
	assert_string_equal(text_string(&out), "NAME    STATE    DETAIL\n"
					       "a       pending  x\n");
	text_release(&out);
	table_release(&table);
}

static void lines_are_cut_to_the_window(void **state)
{
	(void)state;
	expect((const char *const[]){ "a", "ok", "a long sentence", NULL }, 17,
	       "NAME  STATE  DETA\na     ok     a lo\n");
	expect((const char *const[]){ "a", "ok", "x", NULL }, 1, "N\na\n");
}

static void characters_are_counted_not_bytes(void **state)
{
	(void)state;
	expect((const char *const[]){ "\xc3\xa4\xc3\xb6", "ok", "\xe2\x9c\x93 done", NULL }, 14,
	       "NAME  STATE  D\n\xc3\xa4\xc3\xb6    ok     \xe2\x9c\x93\n");
}

static void control_characters_do_not_reach_the_terminal(void **state)
{
	(void)state;
	expect((const char *const[]){ "a", "ok", "x\033[2J\ny\x7fz", NULL }, 0,
	       "NAME  STATE  DETAIL\na     ok     x [2J y z\n");
}

static int64_t ago_ms(int64_t seconds)
{
	return ((int64_t)time(NULL) - seconds) * 1000;
}

static void ages_are_told_in_their_largest_unit(void **state)
{
	(void)state;
	assert_string_equal(table_age(0), "-");
	assert_string_equal(table_age(ago_ms(-100)), "0 seconds");
	assert_string_equal(table_age(ago_ms(90)), "1 minute");
	assert_string_equal(table_age(ago_ms(2 * 3600 + 60)), "2 hours");
	assert_string_equal(table_age(ago_ms(3 * 86400 + 60)), "3 days");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
		cmocka_unit_test(an_empty_cell_is_a_dash_and_no_line_ends_in_blanks),
		cmocka_unit_test(columns_stay_as_wide_as_they_were),
		cmocka_unit_test(lines_are_cut_to_the_window),
		cmocka_unit_test(characters_are_counted_not_bytes),
		cmocka_unit_test(control_characters_do_not_reach_the_terminal),
		cmocka_unit_test(ages_are_told_in_their_largest_unit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
