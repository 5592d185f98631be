#include "compose/testing.h"

#include "base/limits.h"

static const struct test_file files[] = {
	{ "/srv/shop/.env", "TAG=ours\n" },
	{ "/srv/shop/db/compose.yaml", "name: other\n"
				       "services:\n"
				       "  db:\n"
				       "    image: db:${TAG}-${PORT:-none}\n"
				       "    volumes: ['./data:/data', 'v:/v']\n"
				       "    networks: [back]\n"
				       "volumes: {v: }\n"
				       "networks: {back: {external: true}}\n" },
	{ "/srv/shop/db/.env", "TAG=theirs\nPORT=5432\n" },
	{ "/srv/shop/db/other.env", "PORT=1\n" },
	{ "/srv/shop/db/over.yaml", "services: {db: {user: over, networks: !reset null}}\n" },
	{ "/srv/shop/two.yaml", "include: [three.yaml, db/compose.yaml]\n" },
	{ "/srv/shop/three.yaml",
	  "include: [db/compose.yaml]\nservices: {three: {image: x, depends_on: [db]}}\n" },
	{ "/srv/shop/ring.yaml", "include: [ring2.yaml]\n" },
	{ "/srv/shop/ring2.yaml", "include: [ring.yaml]\n" },
	{ "/srv/shop/wrong.yaml", "services:\n  w:\n    imag: x\n" },
	{ "/srv/shop/top.yaml", "servics: {}\n" },
	{ "/srv/shop/list.yaml", "services: [a]\n" },
	{ "/srv/shop/models.yaml", "models: {}\n" },
	{ "/srv/shop/extends.yaml",
	  "services: {e: {extends: {service: db, file: db/compose.yaml}, volumes: !reset [], "
	  "networks: !reset []}}\n" },
	{ NULL, NULL },
};

static void expect_same(const char *text, const char *whole)
{
	struct test_world world = { .files = files };
	struct project_request found = test_good(&world, text);
	struct project_request expected = test_good(&world, whole);
	if (!record_equal(&project_request_type, &found, &expected)) {
		_cleanup_free_ char *printed = compose_print(&found);
		print_error("found\n%s\n", printed);
		fail();
	}
	test_request_release(&found);
	test_request_release(&expected);
	test_world_release(&world);
}

#define WEB "services: {web: {image: x}"
#define DB(image, folder)                                                                          \
	", db: {image: 'db:" image "', networks: [back], volumes: ['" folder "/data:/data', "      \
	"'v:/v']}"
#define PARTS "}\nvolumes: {v: }\nnetworks: {back: {external: true}}\n"

static void an_included_file_joins_with_its_own_folder_and_variables(void **state)
{
	(void)state;
	expect_same(WEB "}\ninclude: [db/compose.yaml]\n",
		    WEB DB("ours-5432", "/srv/shop/db") PARTS);
	expect_same(WEB "}\ninclude: [{path: ./db/compose.yaml}]\n",
		    WEB DB("ours-5432", "/srv/shop/db") PARTS);
	expect_same(WEB "}\ninclude: [{path: db/compose.yaml, project_directory: .}]\n",
		    WEB DB("ours-none", "/srv/shop") PARTS);
	expect_same(WEB "}\ninclude: [{path: db/compose.yaml, env_file: db/other.env}]\n",
		    WEB DB("ours-1", "/srv/shop/db") PARTS);
	expect_same(WEB "}\ninclude: [{path: db/compose.yaml, env_file: [db/other.env, "
			"db/.env]}]\n",
		    WEB DB("ours-5432", "/srv/shop/db") PARTS);
}

static void several_paths_are_merged_before_they_join(void **state)
{
	(void)state;
	expect_same(WEB "}\ninclude: [{path: [db/compose.yaml, db/over.yaml]}]\n",
		    WEB ", db: {image: 'db:ours-5432', user: over, volumes: "
			"['/srv/shop/db/data:/data', 'v:/v']}" PARTS);
}

static void what_is_included_twice_is_there_once(void **state)
{
	(void)state;
	expect_same("include: [two.yaml]\n", "services: {three: {image: x, depends_on: [db]}" DB(
						     "ours-5432", "/srv/shop/db") PARTS);
	/* Declared again in the same words. */
	expect_same(WEB "}\ninclude: [db/compose.yaml]\nnetworks: {back: {external: true}}\n",
		    WEB DB("ours-5432", "/srv/shop/db") PARTS);
}

static void a_later_file_may_change_what_an_earlier_one_includes(void **state)
{
	(void)state;
	struct test_world world = { .files = files };
	struct project_request request;
	const char *first = "include: [db/compose.yaml]\n";
	const char *second = "services: {db: {user: me}}\n";
	struct compose_file two[] = { { "a.yaml", first, strlen(first) },
				      { "b.yaml", second, strlen(second) } };
	assert_int_equal(test_load_files(&world, two, 2, &request), ERR_NONE);
	assert_string_equal(request.jobs.items[0].spec.user, "me");
	assert_string_equal(request.jobs.items[0].spec.image, "db:ours-5432");
	assert_string_equal(request.name, "shop");
	test_request_release(&request);
	test_world_release(&world);
}

static void an_included_file_may_extend(void **state)
{
	(void)state;
	expect_same("include: [extends.yaml]\n", "services: {e: {image: 'db:ours-none'}}\n");
}

static void what_is_wrong_is_said_with_its_place(void **state)
{
	static const struct {
		const char *text;
		enum err_code code;
		const char *field;
		const char *words;
	} rows[] = {
		{ "services: {db: {image: x}}\ninclude: [db/compose.yaml]\n", ERR_INVALID,
		  "db/compose.yaml:3:3: services.db",
		  "compose.yaml:1 declares services.db too, and the one includes the other" },
		{ WEB "}\nnetworks: {back: {internal: true}}\ninclude: [db/compose.yaml]\n",
		  ERR_INVALID, "db/compose.yaml:8:12: networks.back",
		  "compose.yaml:2 declares networks.back too" },
		{ "include: [gone.yaml]\n", ERR_NOT_FOUND, "compose.yaml:1:11: include[0]",
		  "the file /srv/shop/gone.yaml does not exist" },
		{ "include: gone.yaml\n", ERR_INVALID, "compose.yaml:1:10: include",
		  "expected a list" },
		{ "include: [{project_directory: x}]\n", ERR_INVALID,
		  "compose.yaml:1:11: include[0]", "an include needs a path" },
		{ "include: [{path: db/compose.yaml, env: x}]\n", ERR_INVALID,
		  "compose.yaml:1:35: include[0].env", "include[] has no key \"env\"" },
		{ "include: [{path: db/compose.yaml, env_file: gone.env}]\n", ERR_NOT_FOUND,
		  "compose.yaml:1:11: include[0]", "the env_file /srv/shop/gone.env" },
		{ "include: [ring.yaml]\n", ERR_INVALID, "ring2.yaml:1:11: include[0]",
		  "files include each other: ring.yaml -> ring2.yaml -> ring.yaml" },
		{ "include: [wrong.yaml]\n", ERR_INVALID, "wrong.yaml:3:5: services.w.imag",
		  "did you mean \"image\"?" },
		{ "include: [top.yaml]\n", ERR_INVALID, "top.yaml:1:1: servics",
		  "did you mean \"services\"?" },
		{ "include: [list.yaml]\n", ERR_INVALID, "list.yaml:1:1: services",
		  "expected a mapping" },
		{ "include: [models.yaml]\n", ERR_UNSUPPORTED, "models.yaml:1:1: models",
		  "models is refused" },
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
	const char *text = reader;
	if (!strstr(path, "f.yaml")) {
		err_set(err, ERR_NOT_FOUND, "no such file");
		return NULL;
	}
	*ret_len = strlen(text);
	return base_strdup(text);
}

static void depth_and_number_are_bounded(void **state)
{
	static const char *const texts[] = { "include: [x/f.yaml]\n",
					     "include: [x/f.yaml, y/f.yaml]\n" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct compose_file file = { "compose.yaml", texts[i], strlen(texts[i]) };
		struct compose_options options = { .files = &file,
						   .n_files = 1,
						   .directory = "/srv/shop",
						   .read_file = deeper,
						   .reader = (void *)(uintptr_t)texts[i] };
		struct project_request request;
		struct err err;
		assert_int_equal(compose_load(&options, &request, NULL, &err), ERR_TOO_LARGE);
		assert_string_equal(err.message, "files include each other over 16 steps");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_included_file_joins_with_its_own_folder_and_variables),
		cmocka_unit_test(several_paths_are_merged_before_they_join),
		cmocka_unit_test(what_is_included_twice_is_there_once),
		cmocka_unit_test(a_later_file_may_change_what_an_earlier_one_includes),
		cmocka_unit_test(an_included_file_may_extend),
		cmocka_unit_test(what_is_wrong_is_said_with_its_place),
		cmocka_unit_test(depth_and_number_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
