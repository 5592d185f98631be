/* x-drover.health: what is read, and what is refused where. */
#include "base/limits.h"
#include "compose/testing.h"

#include "job/engine.h"

static struct project_request request;

static const struct probe *probe_of(const char *lines)
{
	test_request_release(&request);
	request = test_spec(lines);
	return request.jobs.items[0].spec.probe;
}

static void a_check_over_http_is_read(void **state)
{
	(void)state;
	const struct probe *probe = probe_of(
		"    x-drover:\n"
		"      health:\n"
		"        http: {port: 8080, path: /ready, scheme: https, status: 200-299,\n"
		"               headers: {Host: shop, X-Key: a b}}\n"
		"        interval: 5s\n"
		"        timeout: 500ms\n"
		"        retries: 2\n"
		"        start_period: 1m\n"
		"        start_interval: 1s\n");
	assert_int_equal(probe->kind, PROBE_HTTPS);
	assert_int_equal(probe->port, 8080);
	assert_string_equal(probe->path, "/ready");
	assert_int_equal(probe->status_first, 200);
	assert_int_equal(probe->status_last, 299);
	assert_string_equal(pairs_get(&probe->headers, "X-Key"), "a b");
	assert_int_equal(probe->interval_ms, 5000);
	assert_int_equal(probe->timeout_ms, 500);
	assert_int_equal(probe->retries, 2);
	assert_int_equal(probe->start_period_ms, 60000);
	assert_int_equal(probe->start_interval_ms, 1000);
	const struct job_spec *spec = &request.jobs.items[0].spec;
	assert_int_equal(job_spec_start_period_ms(spec), 60000);
	assert_int_equal(job_spec_protocol(spec), 2);
	/* The worker makes it, whatever Docker can. */
	assert_int_equal(job_spec_engine(spec), ENGINE_ANY);
}

/* A file that says what is so anyway changes nothing, and so restarts nothing. */
static void what_is_usual_is_as_if_it_were_not_written(void **state)
{
	(void)state;
	struct project_request brief = test_spec("    x-drover: {health: {http: {port: 80}}}\n");
	probe_of("    x-drover: {health: {http: {port: 80, path: /, scheme: http, status: "
		 "200-399},\n"
		 "      interval: 30s, timeout: 30s, retries: 3, start_period: 0s, start_interval: "
		 "5s}}\n");
	assert_true(record_equal(&project_request_type, &brief, &request));
	test_request_release(&brief);
	const struct probe *probe = probe_of("    x-drover: {health: {tcp: {port: 5432}}}\n");
	assert_int_equal(probe->kind, PROBE_TCP);
	assert_int_equal(probe_interval_ms(probe), 30000);
	assert_int_equal(probe_timeout_ms(probe), 30000);
	assert_int_equal(probe_retries(probe), 3);
	assert_int_equal(probe_start_interval_ms(probe), 5000);
	assert_null(probe_of("    init: true\n"));
}

static void one_status_is_a_range_of_one(void **state)
{
	(void)state;
	const struct probe *probe =
		probe_of("    x-drover: {health: {http: {port: 80, status: 204}}}\n");
	assert_int_equal(probe->status_first, 204);
	assert_int_equal(probe->status_last, 204);
}

static void a_task_has_one_check(void **state)
{
	(void)state;
	const char *other = "a task has one health check";
	test_bad("    x-drover: {health: {tcp: {port: 80}}}\n"
		 "    healthcheck: {test: [CMD, \"true\"]}\n",
		 ERR_INVALID, "compose.yaml:4:16: services.web.x-drover.health", other);
	/* Of the image's own, with another interval. */
	test_bad("    healthcheck: {interval: 5s}\n"
		 "    x-drover: {health: {tcp: {port: 80}}}\n",
		 ERR_INVALID, "compose.yaml:5:16: services.web.x-drover.health", other);
	assert_non_null(probe_of("    x-drover: {health: {tcp: {port: 80}}}\n"
				 "    healthcheck: {disable: true}\n"));
	assert_non_null(probe_of("    x-drover: {health: {tcp: {port: 80}}}\n"
				 "    healthcheck: {test: [NONE]}\n"));
}

static void mistakes_are_told_where_they_are(void **state)
{
	(void)state;
	static const struct {
		const char *health;
		const char *field;
		const char *message;
	} cases[] = {
		{ "{interval: 1s}", "4:16: services.web.x-drover.health",
		  "what is asked is missing" },
		{ "{http: {path: /}}", "4:25: services.web.x-drover.health.http",
		  "the port is missing" },
		{ "{http: {port: 80}, tcp: {port: 80}}", "4:43: services.web.x-drover.health.tcp",
		  "by http or by tcp" },
		{ "{http: {port: 70000}}", "4:38: services.web.x-drover.health.http.port",
		  "70000 is more than 65535" },
		{ "{tcp: {port: 80, path: /}}", "4:41: services.web.x-drover.health.tcp.path",
		  "has no key \"path\"" },
		{ "{http: {port: 80, scheme: ftp}}",
		  "4:50: services.web.x-drover.health.http.scheme", "http or https" },
		{ "{http: {port: 80, path: ready}}", "4:48: services.web.x-drover.health.http.path",
		  "is not a path like" },
		{ "{http: {port: 80, path: \"/a b\"}}",
		  "4:48: services.web.x-drover.health.http.path", "is not a path like" },
		{ "{http: {port: 80, status: 99}}",
		  "4:50: services.web.x-drover.health.http.status", "a status of HTTP" },
		{ "{http: {port: 80, status: 300-200}}",
		  "4:50: services.web.x-drover.health.http.status", "a status of HTTP" },
		{ "{http: {port: 80, headers: {Content-Length: \"3\"}}}",
		  "4:68: services.web.x-drover.health.http.headers.Content-Length",
		  "\"Content-Length\" is no header" },
		{ "{http: {port: 80, headers: {\"a b\": c}}}",
		  "4:59: services.web.x-drover.health.http.headers.a b", "is no header" },
		{ "{http: {port: 80, headers: {a: \"b\\r\\nc: d\"}}}",
		  "4:55: services.web.x-drover.health.http.headers.a", "visible characters" },
		{ "{tcp: {port: 80}, interval: 99ms}",
		  "4:52: services.web.x-drover.health.interval", "at least 100 ms" },
		{ "{tcp: {port: 80}, start_interval: 1ms}",
		  "4:58: services.web.x-drover.health.start_interval", "at least 100 ms" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char lines[300], field[300];
		text_print(lines, sizeof(lines), "    x-drover: {health: %s}\n", cases[i].health);
		text_print(field, sizeof(field), "compose.yaml:%s", cases[i].field);
		test_bad(lines, ERR_INVALID, field, cases[i].message);
	}
	test_bad("    network_mode: none\n    x-drover: {health: {tcp: {port: 80}}}\n", ERR_INVALID,
		 "compose.yaml:5:16: services.web.x-drover.health", "without a network");
}

static void the_name_of_a_header_is_bounded(void **state)
{
	(void)state;
	char name[LIMIT_PROBE_HEADER_NAME_BYTES + 2] = { 0 };
	char lines[400], field[ERR_FIELD_MAX];
	memset(name, 'a', LIMIT_PROBE_HEADER_NAME_BYTES);
	text_print(lines, sizeof(lines),
		   "    x-drover: {health: {http: {port: 80, headers: {%s: b}}}}\n", name);
	assert_string_equal(pairs_get(&probe_of(lines)->headers, name), "b");
	name[LIMIT_PROBE_HEADER_NAME_BYTES] = 'a';
	text_print(lines, sizeof(lines),
		   "    x-drover: {health: {http: {port: 80, headers: {%s: b}}}}\n", name);
	text_print(field, sizeof(field),
		   "compose.yaml:4:183: services.web.x-drover.health.http.headers.%s", name);
	test_bad(lines, ERR_INVALID, field, "at most 128 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_check_over_http_is_read),
		cmocka_unit_test(what_is_usual_is_as_if_it_were_not_written),
		cmocka_unit_test(one_status_is_a_range_of_one),
		cmocka_unit_test(a_task_has_one_check),
		cmocka_unit_test(mistakes_are_told_where_they_are),
		cmocka_unit_test(the_name_of_a_header_is_bounded),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_request_release(&request);
	return failed;
}
