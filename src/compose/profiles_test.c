#include "compose/testing.h"

static const char shop[] = "services:\n"
			   "  web: {image: x, depends_on: [api]}\n"
			   "  api: {image: x}\n"
			   "  other: {image: x}\n"
			   "  debug: {image: x, profiles: [debug, all-tools], depends_on: {web: "
			   "{condition: service_started}, probe: {condition: service_started}}}\n"
			   "  probe: {image: x, profiles: [debug]}\n"
			   "  build: {build: ., profiles: [dev]}\n";

/* The names that take part, each followed by a blank; then the others behind a bar. */
static void expect_parts(struct test_world *world, const char *text, const char *names)
{
	struct project_request request = test_good(world, text);
	struct text found;
	text_init(&found, 4096);
	for (size_t i = 0; i < request.jobs.n; i++)
		text_addf(&found, "%s ", request.jobs.items[i].name);
	text_add(&found, "|");
	for (size_t i = 0; i < request.inactive.n; i++)
		text_addf(&found, " %s", request.inactive.items[i]);
	assert_string_equal(text_string(&found), names);
	text_release(&found);
	test_request_release(&request);
}

static void services_take_part_when_one_of_their_profiles_is_active(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	struct strings profiles = { 0 };
	world.profiles = &profiles;
	expect_parts(&world, shop, "web api other | debug probe build");
	strings_add(&profiles, "debug");
	expect_parts(&world, shop, "web api other debug probe | build");
	strings_add(&profiles, "none-has-it");
	expect_parts(&world, shop, "web api other debug probe | build");
	strings_release(&profiles);
	pairs_add(&world.environment, "COMPOSE_PROFILES", "unknown,debug");
	expect_parts(&world, shop, "web api other debug probe | build");
	strings_add(&profiles, "*");
	expect_parts(&world, "services: {a: {image: x, profiles: [p]}, b: {image: x}}\n", "a b |");
	strings_release(&profiles);
	test_world_release(&world);
}

static void a_file_of_variables_may_choose_profiles(void **state)
{
	(void)state;
	static const struct test_file files[] = { { "/srv/shop/.env", "COMPOSE_PROFILES=p\n" },
						  { NULL, NULL } };
	struct test_world world = { .files = files };
	expect_parts(&world, "services: {a: {image: x, profiles: [p]}, b: {image: x}}\n", "a b |");
	test_world_release(&world);
}

static void who_asks_for_services_gets_what_they_depend_on_and_their_profiles(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	struct strings services = { 0 };
	world.services = &services;
	strings_add(&services, "web");
	expect_parts(&world, shop, "web api | other debug probe build");
	strings_add(&services, "other");
	expect_parts(&world, shop, "web api other | debug probe build");
	strings_release(&services);
	strings_add(&services, "debug");
	expect_parts(&world, shop, "web api debug probe | other build");
	strings_release(&services);
	strings_add(&services, "a");
	expect_parts(&world,
		     "services: {a: {image: x, links: ['b:b', c]}, b: {image: x}, c: {image: x}, "
		     "d: {image: x}}\n",
		     "a b c | d");
	strings_release(&services);
	strings_add(&services, "nobody");
	struct project_request request;
	assert_int_equal(test_load(&world, shop, &request), ERR_NOT_FOUND);
	assert_string_equal(world.err.message, "the project has no service \"nobody\"");
	strings_release(&services);
	test_world_release(&world);
}

static void profiles_of_several_files_are_merged(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	struct strings profiles = { 0 };
	struct project_request request;
	const char *first = "services: {a: {image: x, profiles: [p]}, b: {image: x}}\n";
	const char *second = "services: {a: {profiles: [p, q]}, b: {extends: {service: b, file: "
			     "b.yaml}}}\n";
	static const struct test_file files[] = {
		{ "/srv/shop/b.yaml", "services: {b: {profiles: [r]}}\n" }, { NULL, NULL }
	};
	struct compose_file two[] = { { "a.yaml", first, strlen(first) },
				      { "b.yaml", second, strlen(second) } };
	world.profiles = &profiles;
	world.files = files;
	strings_add(&profiles, "q");
	assert_int_equal(test_load_files(&world, two, 2, &request), ERR_NONE);
	assert_int_equal(request.jobs.n, 1);
	assert_string_equal(request.jobs.items[0].name, "a");
	test_request_release(&request);
	strings_release(&profiles);
	test_world_release(&world);
}

static void a_dependency_outside_the_active_profiles_is_refused_unless_it_is_optional(void **state)
{
	(void)state;
	test_bad_file("services:\n"
		      "  web: {image: x, depends_on: [db]}\n"
		      "  db: {image: x, profiles: [p]}\n",
		      ERR_INVALID, "compose.yaml:2:32: services.web.depends_on[0]",
		      "db belongs to profiles of which none is active");
	struct test_world world = { 0 };
	expect_parts(&world,
		     "services:\n"
		     "  web: {image: x, depends_on: {db: {condition: service_started, required: "
		     "false}}}\n"
		     "  db: {image: x, profiles: [p]}\n",
		     "web | db");
	assert_int_equal(world.warnings.items.n, 0);
	test_world_release(&world);
}

static void a_project_whose_services_all_rest_can_still_be_named(void **state)
{
	(void)state;
	struct test_world world = { .may_be_empty = true };
	expect_parts(&world, "services: {a: {image: x, profiles: [p]}}\n", "| a");
	test_world_release(&world);
}

static void what_is_wrong_is_said_with_its_place(void **state)
{
	(void)state;
	test_bad_file("services: {a: {image: x, profiles: [p]}}\n", ERR_INVALID,
		      "compose.yaml:1:1: services",
		      "every service belongs to a profile that is not active");
	test_bad_file("services: {a: {imag: x, profiles: [p]}, b: {image: x}}\n", ERR_INVALID,
		      "compose.yaml:1:16: services.a.imag", "did you mean \"image\"?");
	test_bad_file("services: {a: {image: x, profiles: p}}\n", ERR_INVALID,
		      "compose.yaml:1:36: services.a.profiles", "expected a list, found \"p\"");
	test_bad_file("services: {a: {image: x, profiles: ['a b']}}\n", ERR_INVALID,
		      "compose.yaml:1:37: services.a.profiles[0]",
		      "\"a b\" is not the name of a profile");
	test_bad_file("services: {a: {image: x, profiles: [5]}}\n", ERR_INVALID,
		      "compose.yaml:1:37: services.a.profiles[0]", "expected a string");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(services_take_part_when_one_of_their_profiles_is_active),
		cmocka_unit_test(a_file_of_variables_may_choose_profiles),
		cmocka_unit_test(who_asks_for_services_gets_what_they_depend_on_and_their_profiles),
		cmocka_unit_test(profiles_of_several_files_are_merged),
		cmocka_unit_test(
			a_dependency_outside_the_active_profiles_is_refused_unless_it_is_optional),
		cmocka_unit_test(a_project_whose_services_all_rest_can_still_be_named),
		cmocka_unit_test(what_is_wrong_is_said_with_its_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
