#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/json.h"
#include "api/views.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "job/job.h"
#include "node/sync.h"

static enum err_code read_request(const char *text, struct project_request *request,
				  struct err *err)
{
	memset(err, 0, sizeof(*err));
	return json_read_record(&project_request_type, text, strlen(text), LIMIT_JSON_VALUES,
				JSON_REQUEST, request, err);
}

static void expect_refusal(const char *text, enum err_code code, const char *field,
			   const char *part)
{
	struct project_request request;
	struct err err;
	assert_int_equal(read_request(text, &request, &err), code);
	assert_string_equal(err.field, field);
	if (!strstr(err.message, part))
		fail_msg("\"%s\" does not say \"%s\"", err.message, part);
	struct project_request zero = { 0 };
	assert_memory_equal(&request, &zero, sizeof(zero));
}

static void a_request_is_read_with_defaults_where_nothing_is_written(void **state)
{
	struct project_request request;
	struct err err;
	(void)state;
	assert_int_equal(read_request("{\"name\":\"shop\",\"jobs\":[{\"name\":\"web\",\"spec\":{"
				      "\"image\":\"a:1\","
				      "\"environment\":{\"A\":\"1\",\"B\":null}}}]}",
				      &request, &err),
			 ERR_NONE);
	assert_string_equal(request.name, "shop");
	assert_int_equal(request.jobs.n, 1);
	const struct job_spec *spec = &request.jobs.items[0].spec;
	assert_string_equal(spec->image, "a:1");
	assert_int_equal(spec->replicas, 1);
	assert_int_equal(spec->stop_grace_ms, 10000);
	assert_int_equal(spec->environment.n, 2);
	assert_null(spec->environment.items[1].value);
	record_release(&project_request_type, &request);
}

static void every_mistake_names_its_field(void **state)
{
	(void)state;
	expect_refusal("{\"name\":\"a\",\"jbos\":[]}", ERR_INVALID, "jbos", "unknown");
	expect_refusal("{\"name\":7}", ERR_INVALID, "name", "expected a string, found an integer");
	expect_refusal("{\"jobs\":[{\"spec\":{\"replicas\":\"2\"}}]}", ERR_INVALID,
		       "jobs[0].spec.replicas", "expected an integer");
	expect_refusal("{\"jobs\":[{\"spec\":{\"replicas\":-1}}]}", ERR_INVALID,
		       "jobs[0].spec.replicas", "-1 is less than");
	expect_refusal("{\"jobs\":[{\"spec\":{\"ports\":[{\"protocol\":\"sctp\"}]}}]}", ERR_INVALID,
		       "jobs[0].spec.ports[0].protocol", "tcp, udp");
	expect_refusal("{\"jobs\":{}}", ERR_INVALID, "jobs", "expected an array, found an object");
	expect_refusal("{\"name\":\"a\\u0000b\"}", ERR_SYNTAX, "", "\\u0000");
}

static void text_that_is_not_json_is_refused_with_its_place(void **state)
{
	(void)state;
	expect_refusal("{\"name\": \"a\",}", ERR_SYNTAX, "", "line 1");
	expect_refusal("{\"name\":\"a\",\"name\":\"b\"}", ERR_SYNTAX, "", "duplicate");
	expect_refusal("{} x", ERR_SYNTAX, "", "line 1");
	expect_refusal("", ERR_SYNTAX, "", "line 1");
	expect_refusal("{\"name\":\"\xff\"}", ERR_SYNTAX, "", "line 1");
	expect_refusal("[1]", ERR_INVALID, "", "expected an object, found an array");
}

static void depth_and_number_of_values_are_bounded_before_parsing(void **state)
{
	struct text text;
	struct project_request request;
	struct err err;
	(void)state;
	text_init(&text, 1 << 20);
	for (int i = 0; i < 100000; i++)
		text_add_char(&text, '[');
	assert_int_equal(read_request(text_string(&text), &request, &err), ERR_TOO_LARGE);
	text_clear(&text);
	text_add(&text, "{\"jobs\":[0");
	for (int i = 0; i < LIMIT_JSON_VALUES; i++)
		text_add(&text, ",0");
	text_add(&text, "]}");
	assert_int_equal(read_request(text_string(&text), &request, &err), ERR_TOO_LARGE);
	/* Brackets and commas inside strings are no structure. */
	text_clear(&text);
	text_add(&text, "{\"name\":\"");
	for (int i = 0; i < LIMIT_NAME_BYTES / 4; i++)
		text_add(&text, "[\\\",");
	text_add(&text, "\",\"jobs\":[{\"name\":\"web\",\"spec\":{\"image\":\"");
	for (int i = 0; i < LIMIT_JSON_DEPTH * 2; i++)
		text_add(&text, "[");
	text_add(&text, "\"}}]");
	text_add(&text, "}");
	if (read_request(text_string(&text), &request, &err))
		fail_msg("%s: %s", err.field, err.message);
	record_release(&project_request_type, &request);
	text_release(&text);
}

static void what_is_written_between_our_parts_is_read_back_equal(void **state)
{
	struct sync_up up = { 0 };
	struct sync_up back;
	struct err err;
	(void)state;
	up.node.uuid.bytes[3] = 7;
	up.rev = 12;
	up.runtime_ok = true;
	struct task_observed *observed = list_add(&up.observed, sizeof(*observed));
	observed->task.uuid.bytes[0] = 1;
	observed->version = (int64_t)1 << 40;
	observed->exit_code = 0;
	observed->message = base_strdup("exited with status 0 \xe2\x9c\x93");
	_cleanup_free_ char *text = json_write_record(&sync_up_type, &up, JSON_INTERNAL);
	assert_int_equal(json_read_record(&sync_up_type, text, strlen(text), LIMIT_JSON_VALUES,
					  JSON_INTERNAL, &back, &err),
			 ERR_NONE);
	assert_true(record_equal(&sync_up_type, &up, &back));
	record_release(&sync_up_type, &up);
	record_release(&sync_up_type, &back);
}

static void a_demanded_field_is_written_also_when_it_is_zero(void **state)
{
	struct scale_request request = { 0 };
	struct scale_request back;
	struct err err;
	(void)state;
	_cleanup_free_ char *text = json_write_record(&scale_request_type, &request, JSON_REQUEST);
	assert_string_equal(text, "{\"replicas\":0}");
	assert_int_equal(json_read_record(&scale_request_type, text, strlen(text),
					  LIMIT_JSON_VALUES, JSON_REQUEST, &back, &err),
			 ERR_NONE);
}

static void a_newer_neighbour_may_say_more(void **state)
{
	struct sync_up up;
	struct err err;
	const char *text = "{\"rev\":3,\"said_by_a_later_release\":{\"x\":[1,2]}}";
	(void)state;
	assert_int_equal(json_read_record(&sync_up_type, text, strlen(text), LIMIT_JSON_VALUES,
					  JSON_INTERNAL, &up, &err),
			 ERR_NONE);
	assert_int_equal(up.rev, 3);
	record_release(&sync_up_type, &up);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_read_with_defaults_where_nothing_is_written),
		cmocka_unit_test(every_mistake_names_its_field),
		cmocka_unit_test(text_that_is_not_json_is_refused_with_its_place),
		cmocka_unit_test(depth_and_number_of_values_are_bounded_before_parsing),
		cmocka_unit_test(what_is_written_between_our_parts_is_read_back_equal),
		cmocka_unit_test(a_demanded_field_is_written_also_when_it_is_zero),
		cmocka_unit_test(a_newer_neighbour_may_say_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
