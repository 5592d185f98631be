#include "job/array.h"

#include <string.h>

#include "base/alloc.h"
#include "base/testing.h"

static void a_number_and_ranges_name_the_indices(void **state)
{
	static const struct {
		const char *text, *printed;
		int64_t size, first, third, last;
	} rows[] = {
		{ "100", "0-99", 100, 0, 2, 99 },
		{ "1-100", "1-100", 100, 1, 3, 100 },
		{ "0-9,20-29:2,64-64", "0-9,20-29:2,64-64", 16, 0, 2, 64 },
		{ "5,7,9", "5-5,7-7,9-9", 3, 5, 9, 9 },
		{ "0-10:5", "0-10:5", 3, 0, 10, 10 },
		{ "0-11:5", "0-11:5", 3, 0, 10, 10 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct array array = { 0 };
		struct err err;
		struct text printed;
		text_init(&printed, 256);
		assert_int_equal(array_parse(rows[i].text, &array, &err), ERR_NONE);
		assert_int_equal(array_size(&array), rows[i].size);
		assert_int_equal(array_index(&array, 1), rows[i].first);
		assert_int_equal(array_index(&array, 3), rows[i].third);
		assert_int_equal(array_index(&array, rows[i].size), rows[i].last);
		array_print(&array, &printed);
		assert_string_equal(text_string(&printed), rows[i].printed);
		text_release(&printed);
		record_release(&array_type, &array);
	}
}

static void what_is_no_set_of_indices_is_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{ "", "" },
		{ "0", "0 is less than 1" },
		{ "x", "x" },
		{ "1-", "" },
		{ "-3", "" },
		{ "3-1", "1 is less than 3" },
		{ "1-3,3-4", "3 comes after 3" },
		{ "5,4", "4 comes after 5" },
		{ "1-9:0", "0 is less than 1" },
		{ "0,4:2", "has a step and no range" },
		{ "1,,2", "" },
		{ "0-1000000", "1000001 indices" },
		{ "1000001", "1000001 is more than 1000000" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct array array = { 0 };
		struct err err = { 0 };
		assert_int_not_equal(array_parse(rows[i].text, &array, &err), ERR_NONE);
		assert_non_null(strstr(err.message, rows[i].words));
		record_release(&array_type, &array);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_and_ranges_name_the_indices),
		cmocka_unit_test(what_is_no_set_of_indices_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
