#include "base/testing.h"

#include <string.h>

#include "base/err.h"

static void every_code_has_its_row_and_its_name_is_its_own(void **state)
{
	(void)state;
	for (int code = 0; code < ERR_CODE_COUNT; code++) {
		assert_true(err_name((enum err_code)code)[0]);
		assert_true(err_text((enum err_code)code)[0]);
		assert_int_equal(err_from_name(err_name((enum err_code)code)), code);
		assert_true(code == ERR_NONE || err_http_status((enum err_code)code) >= 400);
		assert_true(code == ERR_NONE || err_exit_status((enum err_code)code) > 0);
	}
	assert_int_equal(err_from_name("from_the_future"), ERR_INTERNAL);
}

static void an_error_says_code_field_and_sentence(void **state)
{
	(void)state;
	struct err err;
	assert_int_equal(err_set_field(&err, ERR_LIMIT, "jobs[1]", "%d is too many", 7), ERR_LIMIT);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_string_equal(err.field, "jobs[1]");
	assert_string_equal(err.message, "7 is too many");
	assert_int_equal(err_set(&err, ERR_INVALID, "other"), ERR_INVALID);
	assert_string_equal(err.field, "");
}

static void prefixes_grow_on_the_way_up(void **state)
{
	(void)state;
	struct err err;
	err_set_field(&err, ERR_INVALID, "port", "wrong");
	assert_int_equal(err_prefix(&err, "web%d", 1), ERR_INVALID);
	assert_string_equal(err.message, "web1: wrong");
	assert_int_equal(err_prefix_field(&err, "ports[2]"), ERR_INVALID);
	assert_string_equal(err.field, "ports[2].port");
	err_set_field(&err, ERR_INVALID, "[3]", "wrong");
	err_prefix_field(&err, "ports");
	assert_string_equal(err.field, "ports[3]");
	err_set(&err, ERR_INVALID, "wrong");
	err_prefix_field(&err, "ports");
	assert_string_equal(err.field, "ports");
}

static void nobody_need_ask_for_the_words(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_IO, "x"), ERR_IO);
	assert_int_equal(err_set_field(NULL, ERR_IO, "f", "x"), ERR_IO);
}

static void long_words_are_cut(void **state)
{
	(void)state;
	struct err err;
	char words[2 * ERR_MESSAGE_MAX];
	memset(words, 'w', sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	err_set_field(&err, ERR_IO, words, "%s", words);
	assert_int_equal(strlen(err.message), ERR_MESSAGE_MAX - 1);
	assert_int_equal(strlen(err.field), ERR_FIELD_MAX - 1);
	err_prefix(&err, "%s", words);
	err_prefix_field(&err, words);
	assert_int_equal(strlen(err.message), ERR_MESSAGE_MAX - 1);
	assert_int_equal(strlen(err.field), ERR_FIELD_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_code_has_its_row_and_its_name_is_its_own),
		TEST(an_error_says_code_field_and_sentence),
		TEST(prefixes_grow_on_the_way_up),
		TEST(nobody_need_ask_for_the_words),
		TEST(long_words_are_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
