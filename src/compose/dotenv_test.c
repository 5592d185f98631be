#include "compose/testing.h"

#include "compose/dotenv.h"

/* HOST is the deployer's. */
static struct pairs parse(const char *text, bool raw)
{
	struct pairs environment = { 0 };
	struct pairs variables = { 0 };
	struct err err;
	pairs_add(&environment, "HOST", "outer");
	struct interpolation interpolation = { &environment, NULL, NULL, NULL };
	if (dotenv_parse(text, strlen(text), ".env", raw, &interpolation, &variables, &err) !=
	    ERR_NONE) {
		print_error("%s: %s\n", err.field, err.message);
		fail();
	}
	pairs_release(&environment);
	return variables;
}

static void expect(const char *text, bool raw, const char *key, const char *value)
{
	struct pairs variables = parse(text, raw);
	const char *got = pairs_get(&variables, key);
	if (!value) {
		assert_null(got);
	} else {
		assert_non_null(got);
		assert_string_equal(got, value);
	}
	pairs_release(&variables);
}

static void every_form_of_a_line_is_read(void **state)
{
	static const struct {
		const char *text;
		const char *value;
	} rows[] = {
		{ "A=b", "b" },
		{ "A=", "" },
		{ "A=b\r\n", "b" },
		{ "  A = b  ", "b" },
		{ "export A=b", "b" },
		{ "A: b", "b" },
		{ "A=b # comment", "b" },
		{ "A=b#no comment", "b#no comment" },
		{ "A=#no comment", "#no comment" },
		{ "A= #comment", "" },
		{ "A='b # $HOST \\n'", "b # $HOST \\n" },
		{ "A='it\\'s $HOST'", "it's $HOST" },
		{ "A='a\\b\\\\'", "a\\b\\\\" },
		{ "A=\"b # c\"", "b # c" },
		{ "A=\"b\" # c", "b" },
		{ "A=\"b\\n\\t\\\"\\\\\\$HOST\\x\"", "b\n\t\"\\$HOST\\x" },
		{ "A=\"first\nsecond\"\nB=1", "first\nsecond" },
		{ "A='first\nsecond'\nB=1", "first\nsecond" },
		{ "A=$HOST", "outer" },
		{ "A=\"${HOST}/x\"", "outer/x" },
		{ "B=1\nA=${B}2", "12" },
		{ "HOST=inner\nA=$HOST", "outer" },
		{ "A=${NONE:-d}", "d" },
		{ "A=a$", "a$" },
		{ "A=a$$b", "a$b" },
		{ "A=1\nA=2", "2" },
		{ "# c\n\n   # d\nA=1", "1" },
		{ "\xef\xbb\xbf"
		  "A=1",
		  "1" },
		{ "A=b=c", "b=c" },
		{ "B=1", NULL },
		{ "A", NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect(rows[i].text, false, "A", rows[i].value);
	expect("HOST", false, "HOST", "outer");
}

static void names_are_those_that_other_readers_take(void **state)
{
	static const char *const names[] = { "2FA_KEY", "a.b-c", "a[1]", "\xc3\xa1rv\xc3\xadz" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char line[64];
		text_print(line, sizeof(line), "%s=b", names[i]);
		expect(line, false, names[i], "b");
		expect(line, true, names[i], "b");
	}
	expect("Logging:Level=b", true, "Logging:Level", "b");
}

static void raw_lines_are_taken_as_they_are(void **state)
{
	(void)state;
	expect("A=\"b\" # $HOST \r\nB=1", true, "A", "\"b\" # $HOST ");
	expect("# A=1\nB=2", true, "A", NULL);
	expect("A= b", true, "A", " b");
}

static void bad_lines_name_the_file_and_line(void **state)
{
	static const struct {
		const char *text;
		const char *field;
		const char *words;
	} rows[] = {
		{ "A=1\n=2", ".env:2", "a line must be NAME=VALUE" },
		{ "A%=1", ".env:1", "after the name comes =" },
		{ "A B=1", ".env:1", "after the name comes =" },
		{ "\nA='x", ".env:2", "a single quote is not closed" },
		{ "A=\"x\ny\n", ".env:1", "a double quote is not closed" },
		{ "A='x' y", ".env:1", "text follows the closing quote" },
		{ "A='x\n'\nB=${", ".env:3", "is not a variable" },
		{ "A=${HOST", ".env:1", "has no closing }" },
		{ "A=${NONE:?set it}", ".env:1", "NONE is required: set it" },
		{ "A=\xff", ".env:1", "not text in UTF-8" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pairs environment = { 0 };
		struct pairs variables = { 0 };
		struct err err;
		struct interpolation interpolation = { &environment, NULL, NULL, NULL };
		assert_int_not_equal(dotenv_parse(rows[i].text, strlen(rows[i].text), ".env", false,
						  &interpolation, &variables, &err),
				     ERR_NONE);
		assert_string_equal(err.field, rows[i].field);
		assert_non_null(strstr(err.message, rows[i].words));
		pairs_release(&variables);
	}
}

static void the_env_file_beside_the_compose_file_yields_to_the_deployers_environment(void **state)
{
	(void)state;
	static const struct test_file files[] = {
		{ "/srv/shop/.env",
		  "TAG=from-file\nUSER_NAME=u-$WHO\nCOMPOSE_PROJECT_NAME=named\n" },
		{ NULL, NULL },
	};
	struct test_world world = { .files = files };
	pairs_add(&world.environment, "TAG", "outer");
	struct project_request request = test_good(
		&world,
		"services: {web: {image: \"nginx:$TAG\", user: $USER_NAME, environment: [TAG]}}\n");
	assert_string_equal(request.name, "named");
	assert_string_equal(request.jobs.items[0].spec.image, "nginx:outer");
	assert_string_equal(request.jobs.items[0].spec.user, "u-");
	assert_string_equal(pairs_get(&request.jobs.items[0].spec.environment, "TAG"), "outer");
	assert_int_equal(world.warnings.items.n, 1);
	assert_string_equal(world.warnings.items.items[0],
			    ".env:2: the variable WHO is not set, using an empty text");
	test_request_release(&request);
	test_world_release(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_of_a_line_is_read),
		cmocka_unit_test(names_are_those_that_other_readers_take),
		cmocka_unit_test(raw_lines_are_taken_as_they_are),
		cmocka_unit_test(bad_lines_name_the_file_and_line),
		cmocka_unit_test(
			the_env_file_beside_the_compose_file_yields_to_the_deployers_environment),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
