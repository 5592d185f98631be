#include "base/testing.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "worker/worker_int.h"

static void a_sentence_is_one_line(void **state)
{
	(void)state;
	_cleanup_free_ char *text = worker_sentence("a\nb\tc %d", 3);
	assert_string_equal(text, "a b c 3");
}

static void words_lose_their_full_stop_and_newline_and_none_add_nothing(void **state)
{
	(void)state;
	_cleanup_free_ char *tail = worker_words_tail("No such image: x:1.\n");
	_cleanup_free_ char *empty = worker_words_tail("");
	_cleanup_free_ char *none = worker_words_tail(NULL);
	assert_string_equal(tail, ": No such image: x:1");
	assert_string_equal(empty, "");
	assert_string_equal(none, "");
}

/* Four-byte characters, moved so that the cut falls on each of their bytes. */
static void a_long_text_is_cut_between_characters(void **state)
{
	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		struct text text;
		text_init(&text, 8 * LIMIT_MESSAGE_BYTES);
		for (size_t i = 0; i < shift; i++)
			text_add_char(&text, '-');
		for (int i = 0; i < LIMIT_MESSAGE_BYTES; i++)
			text_add(&text, "\xf0\x9f\x90\xb3");
		_cleanup_free_ char *cut = worker_sentence("%s", text_string(&text));
		size_t len = strlen(cut);
		assert_true(len <= LIMIT_MESSAGE_BYTES);
		assert_true(len > LIMIT_MESSAGE_BYTES - 4);
		assert_int_equal((len - shift) % 4, 0);
		text_release(&text);
	}
}

static void a_containers_name_gives_back_task_and_attempt_and_nothing_else_does(void **state)
{
	(void)state;
	struct task_id id;
	struct task_id parsed;
	int64_t attempt;
	char name[CONTAINER_NAME_SIZE];
	assert_int_equal(uuid_parse("0190a000-0000-7abc-8def-00000000000f", &id.uuid, NULL),
			 ERR_NONE);
	container_name(id, 17, name);
	assert_true(worker_container_name_parse(name, &parsed, &attempt));
	assert_true(uuid_equal(id.uuid, parsed.uuid));
	assert_int_equal(attempt, 17);
	static const char *const others[] = {
		"",
		"drover-",
		"web-1",
		"drover-0190a000-0000-7abc-8def-00000000000f",
		"drover-0190a000-0000-7abc-8def-00000000000f-",
		"drover-0190a000-0000-7abc-8def-00000000000f-0",
		"drover-0190a000-0000-7abc-8def-00000000000f--1",
		"drover-0190a000-0000-7abc-8def-00000000000f-1x",
		"drover-0190a000-0000-7abc-8def-00000000000f.1",
		"Drover-0190a000-0000-7abc-8def-00000000000f-1",
		"drover-0190g000-0000-7abc-8def-00000000000f-1",
		"drover-0190a000-0000-7abc-8def-00000000000f-9223372036854775808",
	};
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_false(worker_container_name_parse(others[i], &parsed, &attempt));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_sentence_is_one_line),
		TEST(words_lose_their_full_stop_and_newline_and_none_add_nothing),
		TEST(a_long_text_is_cut_between_characters),
		TEST(a_containers_name_gives_back_task_and_attempt_and_nothing_else_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
