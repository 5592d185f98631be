#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/routes.h"
#include "base/alloc.h"
#include "base/limits.h"

static struct http_view view(const char *text)
{
	return (struct http_view){ text, strlen(text) };
}

/* The pattern with every {parameter} filled in as p0, p1, ... */
static void fill(const char *pattern, char out[256])
{
	struct text text;
	int n = 0;
	text_init(&text, 255);
	while (*pattern) {
		if (*pattern == '{') {
			text_addf(&text, "p%d", n++);
			pattern += strcspn(pattern, "}") + 1;
		} else {
			text_add_char(&text, *pattern++);
		}
	}
	text_print(out, 256, "%s", text_string(&text));
	text_release(&text);
}

static const struct route *find(const char *method, const char *path,
				char params[ROUTE_PARAMS_MAX][ROUTE_PARAM_SIZE],
				enum err_code *ret_code)
{
	struct err err;
	*ret_code = ERR_NONE;
	return route_find(method, view(path), params, ret_code, &err);
}

static void every_row_is_found_by_its_own_pattern(void **state)
{
	char params[ROUTE_PARAMS_MAX][ROUTE_PARAM_SIZE];
	enum err_code code;
	(void)state;
	for (size_t i = 0; i < n_api_routes; i++) {
		char path[256];
		fill(api_routes[i].pattern, path);
		assert_ptr_equal(find(api_routes[i].method, path, params, &code), &api_routes[i]);
		if (strchr(api_routes[i].pattern, '{'))
			assert_string_equal(params[0], "p0");
	}
}

static void a_path_of_another_length_is_not_found(void **state)
{
	char params[ROUTE_PARAMS_MAX][ROUTE_PARAM_SIZE];
	enum err_code code;
	(void)state;
	static const char *const paths[] = {
		"/",	   "/v1",	"/v2/jobs",  "/v1/jobs/", "/v1/jobs//stop",  "/v1/jobs/a/b",
		"/v1/job", "/v1/jobss", "/healthz/", "//v1/jobs", "/v1/jobs/a/stop/"
	};
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		assert_null(find("GET", paths[i], params, &code));
		assert_int_equal(code, ERR_NOT_FOUND);
	}
}

static void another_method_on_a_known_path_is_told_from_an_unknown_path(void **state)
{
	char params[ROUTE_PARAMS_MAX][ROUTE_PARAM_SIZE];
	enum err_code code;
	(void)state;
	assert_null(find("PUT", "/v1/jobs", params, &code));
	assert_int_equal(code, ERR_METHOD);
	assert_null(find("GET", "/v1/jobs/p/stop", params, &code));
	assert_int_equal(code, ERR_METHOD);
	assert_null(find("POST", "/healthz", params, &code));
	assert_int_equal(code, ERR_METHOD);
}

static void head_finds_the_row_of_get(void **state)
{
	char params[ROUTE_PARAMS_MAX][ROUTE_PARAM_SIZE];
	enum err_code code;
	(void)state;
	assert_ptr_equal(find("HEAD", "/v1/jobs", params, &code),
			 find("GET", "/v1/jobs", params, &code));
}

static void parameters_are_decoded_and_bad_escapes_refused(void **state)
{
	char params[ROUTE_PARAMS_MAX][ROUTE_PARAM_SIZE];
	enum err_code code;
	(void)state;
	assert_non_null(find("GET", "/v1/projects/a%2Fb", params, &code));
	assert_string_equal(params[0], "a/b");
	static const char *const bad[] = { "/v1/projects/%", "/v1/projects/%zz",
					   "/v1/projects/a%00b" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_null(find("GET", bad[i], params, &code));
		assert_int_equal(code, ERR_INVALID);
	}
	char longer[2 * ROUTE_PARAM_SIZE] = "/v1/projects/";
	memset(longer + strlen(longer), 'a', ROUTE_PARAM_SIZE);
	assert_null(find("GET", longer, params, &code));
	assert_int_equal(code, ERR_INVALID);
}

static enum err_code check(const char *path, const char *query, struct err *err)
{
	char params[ROUTE_PARAMS_MAX][ROUTE_PARAM_SIZE];
	enum err_code code;
	const struct route *route = find("GET", path, params, &code);
	assert_non_null(route);
	memset(err, 0, sizeof(*err));
	return route_check_query(route, view(query), err);
}

static void every_parameter_a_row_names_is_taken(void **state)
{
	struct err err;
	(void)state;
	assert_int_equal(check("/v1/tasks", "", &err), ERR_NONE);
	assert_int_equal(check("/v1/tasks", "project=a&job=b&node=c&state=d&after=e&limit=1", &err),
			 ERR_NONE);
	assert_int_equal(check("/v1/tasks", "&project=a%20b&&after=", &err), ERR_NONE);
	assert_int_equal(check("/v1/nodes", "after=", &err), ERR_NONE);
}

static void a_mistyped_parameter_is_no_filter_that_lists_everything(void **state)
{
	struct err err;
	(void)state;
	assert_int_equal(check("/v1/tasks", "limit=1&projct=a", &err), ERR_INVALID);
	assert_string_equal(err.field, "projct");
	assert_non_null(strstr(err.message, "project job node"));
	assert_int_equal(check("/v1/tasks", "proj", &err), ERR_INVALID);
	assert_int_equal(check("/healthz", "a=1", &err), ERR_INVALID);
	assert_int_equal(check("/v1/tasks", "project=%zz", &err), ERR_INVALID);
	assert_string_equal(err.field, "project");
	assert_int_equal(check("/v1/tasks", "job=a&job=b", &err), ERR_INVALID);
	assert_string_equal(err.message, "given twice");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_found_by_its_own_pattern),
		cmocka_unit_test(a_path_of_another_length_is_not_found),
		cmocka_unit_test(another_method_on_a_known_path_is_told_from_an_unknown_path),
		cmocka_unit_test(head_finds_the_row_of_get),
		cmocka_unit_test(parameters_are_decoded_and_bad_escapes_refused),
		cmocka_unit_test(every_parameter_a_row_names_is_taken),
		cmocka_unit_test(a_mistyped_parameter_is_no_filter_that_lists_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
