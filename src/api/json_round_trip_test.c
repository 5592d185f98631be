/* Every record that crosses a wire as JSON: random contents, written and read back, are the same record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/json.h"
#include "api/views.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "base/record_fill.h"
#include "node/sync.h"

#define ROUNDS	   40
#define ITEMS_MAX  3
#define VALUES_MAX 1000000
/* Larger than any record here. */
#define RECORD_BYTES_MAX 8192

static const struct record_type *const types[] = {
	&task_view_type,       &job_view_type,	     &node_view_type,	     &volume_view_type,
	&project_view_type,    &cluster_view_type,   &event_view_type,	     &task_page_type,
	&job_page_type,	       &node_page_type,	     &volume_page_type,	     &project_page_type,
	&scale_request_type,   &submit_request_type, &error_view_type,	     &error_answer_type,
	&project_request_type, &manager_answer_type, &sync_down_type,	     &sync_up_type,
	&stream_request_type,  &job_history_type,    &rollback_request_type,
};

/* Aligned for any record. */
union record {
	int64_t align;
	unsigned char bytes[RECORD_BYTES_MAX];
};

static void round_trip(const struct record_type *type, struct random *random)
{
	union record out = { 0 }, back = { 0 };
	struct err err;
	record_fill(type, &out, ITEMS_MAX, random);
	_cleanup_free_ char *text = json_write_record(type, &out, JSON_INTERNAL);
	if (json_read_record(type, text, strlen(text), VALUES_MAX, JSON_INTERNAL, &back, &err))
		fail_msg("%s: %s: %s\n%s", type->name, err.field, err.message, text);
	if (!record_equal(type, &out, &back))
		fail_msg("%s comes back changed: %s", type->name, text);
	record_release(type, &out);
	record_release(type, &back);
}

static void what_is_written_is_read_back_equal(void **state)
{
	struct random random = { .state = 2026 };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		assert_true(types[i]->size <= RECORD_BYTES_MAX);
		for (int round = 0; round < ROUNDS; round++)
			round_trip(types[i], &random);
	}
}

/* What the direct reader takes, with one byte changed or cut off too, the general one reads as the same. */
static void compare_readers(const struct record_type *type, const char *text, size_t len,
			    bool whole)
{
	union record direct = { 0 }, general = { 0 }, zero = { 0 };
	struct err err;
	if (!json_read_direct(type, text, len, &direct)) {
		assert_memory_equal(&direct, &zero, type->size);
		if (whole)
			fail_msg("%s: the direct reader does not take %s", type->name, text);
		return;
	}
	if (json_read_record(type, text, len, VALUES_MAX, JSON_INTERNAL, &general, &err))
		fail_msg("%s: only the direct reader takes %.*s", type->name, (int)len, text);
	assert_true(record_equal(type, &direct, &general));
	record_release(type, &direct);
	record_release(type, &general);
}

static void both_readers_read_the_same(void **state)
{
	struct random random = { .state = 77 };
	static const char bytes[] = "{}[]:,\"\\0123456789-.eEtfn ";
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		union record out = { 0 };
		record_fill(types[i], &out, 1, &random);
		_cleanup_free_ char *text = json_write_record(types[i], &out, JSON_INTERNAL);
		size_t len = strlen(text);
		compare_readers(types[i], text, len, true);
		for (int round = 0; round < 10 * ROUNDS; round++) {
			size_t at = (size_t)random_below(&random, (uint64_t)len);
			size_t other = (size_t)random_below(&random, sizeof(bytes) - 1);
			char kept = text[at];
			text[at] = round % 3 ? bytes[other] : (char)random_below(&random, 256);
			compare_readers(types[i], text, round % 5 ? len : at, false);
			text[at] = kept;
		}
		record_release(types[i], &out);
	}
}

/* Byte for byte, what has no letter of its own as well: a client reads one form from us. */
static void characters_are_escaped_alike_by_both_writers(void **state)
{
	char message[128];
	struct error_view view;
	(void)state;
	for (size_t i = 0; i < sizeof(message) - 1; i++)
		message[i] = (char)(i + 1);
	message[sizeof(message) - 1] = '\0';
	record_init(&error_view_type, &view);
	string_set(&view.message, message);
	json_t *value = json_from_record(&error_view_type, &view, JSON_INTERNAL);
	char *general = json_dumps(value, JSON_COMPACT);
	_cleanup_free_ char *text = json_write_record(&error_view_type, &view, JSON_INTERNAL);
	assert_string_equal(text, general);
	compare_readers(&error_view_type, text, strlen(text), true);
	free(general);
	json_decref(value);
	record_release(&error_view_type, &view);
}

/* What comes from outside is bounded; what only goes out need not be. */
static void every_table_that_is_read_is_in_order(void **state)
{
	static const struct record_type *const read[] = {
		&scale_request_type, &submit_request_type, &project_request_type,
		&sync_up_type,	     &sync_down_type,	   &stream_request_type
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(read); i++) {
		_cleanup_free_ char *problem = record_type_problem(read[i]);
		if (problem)
			fail_msg("%s: %s", read[i]->name, problem);
	}
}

/* A text cut at any place, or with one byte changed, is read or refused, and a refusal leaves nothing behind. */
static void damaged_text_is_refused_or_read_but_never_half(void **state)
{
	struct random random = { .state = 7 };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		union record out = { 0 };
		record_fill(types[i], &out, 1, &random);
		_cleanup_free_ char *text = json_write_record(types[i], &out, JSON_INTERNAL);
		size_t len = strlen(text);
		for (int round = 0; round < ROUNDS; round++) {
			union record back = { 0 }, zero = { 0 };
			struct err err;
			size_t at = (size_t)random_below(&random, (uint64_t)len);
			char kept = text[at];
			text[at] = (char)random_below(&random, 256);
			if (json_read_record(types[i], text, round % 2 ? at : len, VALUES_MAX,
					     JSON_INTERNAL, &back, &err))
				assert_memory_equal(&back, &zero, types[i]->size);
			else
				record_release(types[i], &back);
			text[at] = kept;
		}
		record_release(types[i], &out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_back_equal),
		cmocka_unit_test(both_readers_read_the_same),
		cmocka_unit_test(characters_are_escaped_alike_by_both_writers),
		cmocka_unit_test(every_table_that_is_read_is_in_order),
		cmocka_unit_test(damaged_text_is_refused_or_read_but_never_half),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
