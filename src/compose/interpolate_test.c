#include "compose/testing.h"

#include "base/limits.h"
#include "compose/interpolate.h"

struct row {
	const char *text;
	const char *expected;
};

/* SET=value, EMPTY="", LATER=later; nothing else. */
static struct interpolation lookup(struct pairs *environment)
{
	pairs_add(environment, "SET", "value");
	pairs_add(environment, "EMPTY", "");
	pairs_add(environment, "LATER", "later");
	return (struct interpolation){ environment, NULL, NULL, NULL };
}

static void every_form_gives_what_the_specification_says(void **state)
{
	static const struct row rows[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "$SET", "value" },
		{ "${SET}", "value" },
		{ "a$SET.b", "avalue.b" },
		{ "a${SET}b", "avalueb" },
		{ "$SETTLE", "" },
		{ "$EMPTY|", "|" },
		{ "$NONE|", "|" },
		{ "${SET:-d}", "value" },
		{ "${EMPTY:-d}", "d" },
		{ "${NONE:-d}", "d" },
		{ "${SET-d}", "value" },
		{ "${EMPTY-d}|", "|" },
		{ "${NONE-d}", "d" },
		{ "${SET:?e}", "value" },
		{ "${SET?e}", "value" },
		{ "${EMPTY?e}|", "|" },
		{ "${SET:+x}", "x" },
		{ "${EMPTY:+x}|", "|" },
		{ "${NONE:+x}|", "|" },
		{ "${SET+x}", "x" },
		{ "${EMPTY+x}", "x" },
		{ "${NONE+x}|", "|" },
		{ "$$", "$" },
		{ "$$SET", "$SET" },
		{ "$${SET}", "${SET}" },
		{ "$$$SET", "$value" },
		{ "${NONE:-${SET}}", "value" },
		{ "${NONE:-${EMPTY:-${LATER}}}", "later" },
		{ "${NONE-a${EMPTY:-b}c}", "abc" },
		{ "${SET:+[${LATER}]}", "[later]" },
		{ "${NONE:-$$}", "$" },
		{ "${NONE:-}|", "|" },
		{ "${NONE:-a:b?c+d-e}", "a:b?c+d-e" },
		{ "${NONE:-{}", "{" },
		{ "${NONE:-{}}", "{}" },
		{ "}{", "}{" },
		{ "${SET:-${NONE:?not needed}}", "value" },
		{ "${_x1:-under}", "under" },
	};
	(void)state;
	struct pairs environment = { 0 };
	struct interpolation interpolation = lookup(&environment);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { 0 };
		char *text = NULL;
		if (interpolate(&interpolation, rows[i].text, &text, &err) != ERR_NONE)
			print_error("%s: %s\n", rows[i].text, err.message);
		assert_non_null(text);
		assert_string_equal(text, rows[i].expected);
		base_free(text);
	}
	pairs_release(&environment);
}

static void bad_forms_say_where_and_what_to_write(void **state)
{
	static const struct row rows[] = {
		{ "$",
		  "\"$\" (character 1) is not a variable: write ${NAME}, or $$ for a dollar sign" },
		{ "a$ b", "\"$ b\" (character 2) is not a variable: write ${NAME}, or $$ for a "
			  "dollar sign" },
		{ "$1", "\"$1\" (character 1) is not a variable: write ${NAME}, or $$ for a dollar "
			"sign" },
		{ "$(date)", "\"$(date)\" (character 1) is not a variable: write ${NAME}, or $$ "
			     "for a dollar sign" },
		{ "${}", "\"${}\" (character 1) is not a variable: write ${NAME}, or $$ for a "
			 "dollar sign" },
		{ "${SET", "\"${SET\" (character 1) has no closing }" },
		{ "${SET:-a", "\"${SET:-a\" (character 1) has no closing }" },
		{ "x ${NONE:-${SET}", "\"${NONE:-${SET}\" (character 3) has no closing }" },
		{ "${SET:}",
		  "\"${SET:}\" (character 1): after the name come }, :-, -, :?, ?, :+ or +" },
		{ "${SET!x}",
		  "\"${SET!x}\" (character 1): after the name come }, :-, -, :?, ?, :+ or +" },
		{ "${SET:-${}}", "\"${}}\" (character 8) is not a variable: write ${NAME}, or $$ "
				 "for a dollar sign" },
		{ "${NONE:?}", "the variable NONE is required and is not set" },
		{ "${NONE?}", "the variable NONE is required and is not set" },
		{ "${EMPTY:?say so}", "the variable EMPTY is required: say so" },
		{ "${NONE:?see $LATER}", "the variable NONE is required: see later" },
	};
	(void)state;
	struct pairs environment = { 0 };
	struct interpolation interpolation = lookup(&environment);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { 0 };
		char *text = NULL;
		assert_int_not_equal(interpolate(&interpolation, rows[i].text, &text, &err),
				     ERR_NONE);
		assert_null(text);
		assert_string_equal(err.message, rows[i].expected);
	}
	pairs_release(&environment);
}

static void note_unset(void *context, const char *place, const char *variable)
{
	assert_null(place);
	strings_add(context, variable);
}

static void only_variables_that_are_used_and_have_no_default_are_reported(void **state)
{
	(void)state;
	struct pairs environment = { 0 };
	struct strings unset = { 0 };
	struct interpolation interpolation = lookup(&environment);
	struct err err;
	char *text;
	interpolation.unset = note_unset;
	interpolation.context = &unset;
	assert_int_equal(interpolate(&interpolation, "$A ${B} ${C:-$D} ${SET:-$E} ${F:+$G} ${H-}",
				     &text, &err),
			 ERR_NONE);
	assert_int_equal(unset.n, 3);
	assert_string_equal(unset.items[0], "A");
	assert_string_equal(unset.items[1], "B");
	assert_string_equal(unset.items[2], "D");
	base_free(text);
	strings_release(&unset);
	pairs_release(&environment);
}

static void deep_nesting_and_growing_text_are_refused(void **state)
{
	(void)state;
	struct pairs environment = { 0 };
	struct interpolation interpolation = { &environment, NULL, NULL, NULL };
	struct err err;
	char *text;
	struct text deep;
	text_init(&deep, 1 << 20);
	for (int i = 0; i < 10000; i++)
		text_add(&deep, "${A:-");
	assert_int_equal(interpolate(&interpolation, text_string(&deep), &text, &err),
			 ERR_TOO_LARGE);
	text_release(&deep);

	_cleanup_free_ char *long_value = base_calloc(1001, 1);
	memset(long_value, 'x', 1000);
	pairs_add(&environment, "LONG", long_value);
	for (int i = 0; i < LIMIT_STRING_BYTES / 1000 + 1; i++)
		text_add(&deep, "$LONG ");
	assert_int_equal(interpolate(&interpolation, text_string(&deep), &text, &err),
			 ERR_TOO_LARGE);
	text_release(&deep);
	pairs_release(&environment);
}

static void a_file_warns_once_for_each_unset_variable_with_its_place(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	struct project_request request = test_good(&world, "services:\n"
							   "  web:\n"
							   "    image: nginx:${TAG}x\n"
							   "    user: u$TAG$OTHER\n");
	assert_int_equal(world.warnings.items.n, 2);
	assert_string_equal(
		world.warnings.items.items[0],
		"compose.yaml:3:5: services.web.image: the variable TAG is not set, using an empty "
		"text");
	assert_string_equal(world.warnings.items.items[1],
			    "compose.yaml:4:5: services.web.user: the variable OTHER is not set, "
			    "using an empty "
			    "text");
	assert_string_equal(request.jobs.items[0].spec.image, "nginx:x");
	test_request_release(&request);
	test_world_release(&world);
}

static void values_are_replaced_and_keys_and_free_keys_are_not(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	pairs_add(&world.environment, "A", "one");
	pairs_add(&world.environment, "N", "4");
	struct project_request request = test_good(&world, "x-free: $(anything at all)\n"
							   "services:\n"
							   "  web:\n"
							   "    image: nginx\n"
							   "    user: $N\n"
							   "    labels: {\"$A\": $A}\n"
							   "    deploy: {replicas: $N}\n"
							   "    x-other: $\n");
	const struct job_spec *spec = &request.jobs.items[0].spec;
	assert_string_equal(pairs_get(&spec->labels, "$A"), "one");
	assert_int_equal(spec->replicas, 4);
	assert_string_equal(spec->user, "4");
	assert_int_equal(world.warnings.items.n, 0);
	test_request_release(&request);
	test_world_release(&world);
}

static void a_shared_node_is_replaced_once(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	struct project_request request =
		test_good(&world, "x-a: &a $$$$x\n"
				  "services:\n"
				  "  web: {image: nginx, user: *a, hostname: h}\n"
				  "  two: {image: nginx, user: *a}\n");
	assert_string_equal(request.jobs.items[0].spec.user, "$$x");
	assert_string_equal(request.jobs.items[1].spec.user, "$$x");
	test_request_release(&request);
	test_world_release(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_gives_what_the_specification_says),
		cmocka_unit_test(bad_forms_say_where_and_what_to_write),
		cmocka_unit_test(only_variables_that_are_used_and_have_no_default_are_reported),
		cmocka_unit_test(deep_nesting_and_growing_text_are_refused),
		cmocka_unit_test(a_file_warns_once_for_each_unset_variable_with_its_place),
		cmocka_unit_test(values_are_replaced_and_keys_and_free_keys_are_not),
		cmocka_unit_test(a_shared_node_is_replaced_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
