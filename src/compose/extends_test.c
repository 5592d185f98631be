#include "compose/testing.h"

#include "base/limits.h"

static const struct test_file files[] = {
	{ "/srv/shop/common.yaml", "services:\n"
				   "  base:\n"
				   "    image: nginx:${TAG}\n"
				   "    env_file: base.env\n"
				   "    environment: [A=1, B=1]\n"
				   "    volumes: ['./data:/data']\n"
				   "    healthcheck: {test: [CMD, x]}\n"
				   "  deep: {extends: {service: base, file: sub/deep.yaml}}\n"
				   "  needy: {image: x, depends_on: [db]}\n"
				   "  wrong: {image: 5}\n"
				   "  one: {extends: two}\n"
				   "  two: {extends: {service: web, file: compose.yaml}}\n" },
	{ "/srv/shop/sub/deep.yaml", "services: {base: {image: deep, volumes: ['./data:/deep'], "
				     "extends: {file: ../common.yaml, service: base}}}\n" },
	{ "/srv/shop/compose.yaml",
	  "services: {web: {extends: {service: one, file: common.yaml}}}\n" },
	{ "/srv/shop/base.env", "FROM=base\n" },
	{ "/srv/shop/same.env", "A=own\n" },
	{ "/srv/shop/sub/same.env", "A=sub\nB=sub\n" },
	{ "/srv/shop/sub/same.yaml", "services: {base: {image: x, env_file: same.env, label_file: "
				     "[./same.env]}}\n" },
	{ "/srv/shop/list.yaml", "services: [web]\n" },
	{ "/srv/shop/broken.yaml", "services:\n\tweb:\n" },
	{ "/srv/shop/far.yaml",
	  "services: {base: {extends: {service: base, file: far/far.yaml}}}\n" },
	{ NULL, NULL },
};

static struct project_request load(struct test_world *world, const char *text)
{
	*world = (struct test_world){ .files = files };
	pairs_add(&world->environment, "TAG", "9");
	return test_good(world, text);
}

static void expect_same(const char *text, const char *whole)
{
	struct test_world world, other;
	struct project_request found = load(&world, text);
	struct project_request expected = load(&other, whole);
	if (!record_equal(&project_request_type, &found, &expected)) {
		_cleanup_free_ char *printed = compose_print(&found);
		print_error("found\n%s\n", printed);
		fail();
	}
	test_request_release(&found);
	test_request_release(&expected);
	test_world_release(&world);
	test_world_release(&other);
}

static void a_service_is_merged_over_the_one_it_extends(void **state)
{
	(void)state;
	expect_same("services:\n"
		    "  a: {image: x, environment: [A=1, B=1], command: [run], cap_add: [C]}\n"
		    "  b: {extends: a, environment: {B: 2}, command: , cap_add: [C, D]}\n"
		    "  c: {extends: {service: b}, image: y, cap_add: !reset null}\n"
		    "  d: {extends: b, environment: !override [Z=1]}\n",
		    "services:\n"
		    "  a: {image: x, environment: [A=1, B=1], command: [run], cap_add: [C]}\n"
		    "  b: {image: x, environment: [A=1, B=2], cap_add: [C, D]}\n"
		    "  c: {image: y, environment: [A=1, B=2]}\n"
		    "  d: {image: x, environment: [Z=1], cap_add: [C, D]}\n");
}

static void another_file_brings_its_own_folder_and_sees_our_variables(void **state)
{
	(void)state;
	expect_same("services: {web: {extends: {service: base, file: ./common.yaml}, environment: "
		    "{B: 2}}}\n",
		    "services: {web: {image: nginx:9, environment: {FROM: base, A: 1, B: 2}, "
		    "volumes: ['/srv/shop/data:/data'], healthcheck: {test: [CMD, x]}}}\n");
	expect_same("services: {web: {extends: {service: deep, file: common.yaml}, volumes: "
		    "['./data:/web']}}\n",
		    "services: {web: {image: deep, environment: {FROM: base, A: 1, B: 1}, "
		    "volumes: ['/srv/shop/data:/data', '/srv/shop/sub/data:/deep', "
		    "'/srv/shop/data:/web'], healthcheck: {test: [CMD, x]}}}\n");
	expect_same("services: {web: {extends: {service: base, file: sub/same.yaml}, env_file: "
		    "same.env, label_file: same.env}}\n",
		    "services: {web: {image: x, environment: {A: own, B: sub}, labels: {A: own, "
		    "B: sub}}}\n");
}

static void dependencies_come_along(void **state)
{
	(void)state;
	expect_same("services: {web: {extends: {service: needy, file: common.yaml}}, db: {image: "
		    "x}}\n",
		    "services: {web: {image: x, depends_on: [db]}, db: {image: x}}\n");
}

static void each_file_extends_before_it_is_merged(void **state)
{
	(void)state;
	struct test_world world = { .files = files };
	struct project_request request;
	const char *first = "services: {a: {image: x, user: a}, w: {extends: a, cap_add: [C]}}\n";
	const char *second = "services: {b: {image: y, user: !reset b}, w: {extends: b, cap_add: "
			     "!override [D]}}\n";
	struct compose_file two[] = { { "a.yaml", first, strlen(first) },
				      { "b.yaml", second, strlen(second) } };
	assert_int_equal(test_load_files(&world, two, 2, &request), ERR_NONE);
	assert_int_equal(request.jobs.n, 3);
	const struct job_spec *spec = &request.jobs.items[1].spec;
	assert_string_equal(request.jobs.items[1].name, "w");
	assert_string_equal(spec->image, "y");
	assert_string_equal(spec->user, "a");
	assert_int_equal(spec->cap_add.n, 1);
	assert_string_equal(spec->cap_add.items[0], "D");
	test_request_release(&request);
	test_world_release(&world);
}

static void what_is_wrong_is_said_with_its_place(void **state)
{
	static const struct {
		const char *text;
		enum err_code code;
		const char *field;
		const char *words;
	} rows[] = {
		{ "services: {a: {extends: b}}\n", ERR_INVALID,
		  "compose.yaml:1:25: services.a.extends", "compose.yaml has no service \"b\"" },
		{ "services: {a: {extends: {service: b, file: common.yaml}}}\n", ERR_INVALID,
		  "compose.yaml:1:35: services.a.extends.service",
		  "common.yaml has no service \"b\"" },
		{ "services: {a: {extends: {service: b, file: list.yaml}}}\n", ERR_INVALID,
		  "compose.yaml:1:35: services.a.extends.service", "list.yaml has no service" },
		{ "services: {a: {extends: {service: b, file: gone.yaml}}}\n", ERR_NOT_FOUND,
		  "compose.yaml:1:44: services.a.extends.file",
		  "the file /srv/shop/gone.yaml does not exist" },
		{ "services: {a: {extends: {service: b, file: broken.yaml}}}\n", ERR_SYNTAX,
		  "broken.yaml:2:1", "a tab" },
		{ "services: {a: {extends: {file: common.yaml}}}\n", ERR_INVALID,
		  "compose.yaml:1:16: services.a.extends", "extends needs a service" },
		{ "services: {a: {extends: {servise: b}}}\n", ERR_INVALID,
		  "compose.yaml:1:26: services.a.extends.servise", "did you mean \"service\"?" },
		{ "services: {a: {extends: [b]}}\n", ERR_INVALID,
		  "compose.yaml:1:16: services.a.extends", "expected a mapping, found a list" },
		{ "services: {a: {extends: }}\n", ERR_INVALID,
		  "compose.yaml:1:16: services.a.extends", "expected a service" },
		{ "services: {a: {extends: b}, b: {extends: c}, c: {extends: a}}\n", ERR_INVALID,
		  "compose.yaml:1:59: services.c.extends",
		  "services extend each other: a (compose.yaml) -> b (compose.yaml) -> c "
		  "(compose.yaml) -> a" },
		{ "services: {a: {extends: a}}\n", ERR_INVALID,
		  "compose.yaml:1:25: services.a.extends",
		  "services extend each other: a (compose.yaml) -> a" },
		{ "services: {web: {extends: {service: one, file: common.yaml}}}\n", ERR_INVALID,
		  "compose.yaml:1:37: services.web.extends.service",
		  "services extend each other: one (common.yaml) -> two (common.yaml) -> web "
		  "(compose.yaml) -> one" },
		{ "services: {web: {extends: {service: base, file: far.yaml}}}\n", ERR_NOT_FOUND,
		  "far.yaml:1:50: services.base.extends.file", "/srv/shop/far/far.yaml" },
		{ "services: {web: {extends: {service: wrong, file: common.yaml}}}\n", ERR_INVALID,
		  "common.yaml:10:18: services.web.image", "expected a string" },
		{ "services: {web: {extends: {service: needy, file: common.yaml}}}\n", ERR_INVALID,
		  "common.yaml:9:34: services.web.depends_on[0]", "\"db\"" },
		{ "services: {web: {extends: {service: base, file: common.yaml}, healthcheck: "
		  "{disable: true}}}\n",
		  ERR_INVALID, "compose.yaml:1:86: services.web.healthcheck.disable",
		  "cannot be switched off" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct test_world world = { .files = files };
		struct project_request request;
		enum err_code code = test_load(&world, rows[i].text, &request);
		if (code != rows[i].code || strcmp(world.err.field, rows[i].field) != 0 ||
		    !strstr(world.err.message, rows[i].words)) {
			print_error("%zu: %s: %s\n", i, world.err.field, world.err.message);
			fail();
		}
		test_world_release(&world);
	}
}

static char *deeper(void *reader, const char *path, size_t *ret_len, struct err *err)
{
	static const char text[] = "services: {a: {extends: {service: a, file: x/f.yaml}}}\n";
	(void)reader;
	if (!strstr(path, "f.yaml")) {
		err_set(err, ERR_NOT_FOUND, "no such file");
		return NULL;
	}
	*ret_len = strlen(text);
	return base_strdup(text);
}

static void chains_are_bounded(void **state)
{
	(void)state;
	static const char text[] = "services: {a: {extends: {service: a, file: f.yaml}}}\n";
	struct compose_file file = { "compose.yaml", text, strlen(text) };
	struct compose_options options = {
		.files = &file, .n_files = 1, .directory = "/srv/shop", .read_file = deeper
	};
	struct project_request request;
	struct err err;
	assert_int_equal(compose_load(&options, &request, NULL, &err), ERR_TOO_LARGE);
	assert_string_equal(err.message, "services extend each other over 16 steps");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_service_is_merged_over_the_one_it_extends),
		cmocka_unit_test(another_file_brings_its_own_folder_and_sees_our_variables),
		cmocka_unit_test(dependencies_come_along),
		cmocka_unit_test(each_file_extends_before_it_is_merged),
		cmocka_unit_test(what_is_wrong_is_said_with_its_place),
		cmocka_unit_test(chains_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
