#include "compose/testing.h"

#define SERVICES "services: {web: {image: nginx}}\n"

static void expect_name(struct test_world *world, const char *text, const char *name)
{
	struct project_request request = test_good(world, text);
	assert_string_equal(request.name, name);
	test_request_release(&request);
}

static void the_name_comes_from_the_flag_the_variable_the_file_then_the_directory(void **state)
{
	(void)state;
	struct test_world world = { .directory = "/home/me/My Shop_2.0-/" };
	expect_name(&world, SERVICES, "myshop_20");
	expect_name(&world, "name: inside\n" SERVICES, "inside");
	pairs_add(&world.environment, "COMPOSE_PROJECT_NAME", "variable");
	expect_name(&world, "name: inside\n" SERVICES, "variable");
	world.project_name = "flag";
	expect_name(&world, "name: inside\n" SERVICES, "flag");
	test_world_release(&world);
}

static void the_name_may_hold_variables_and_be_one(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	pairs_add(&world.environment, "STAGE", "test");
	struct project_request request = test_good(
		&world,
		"name: shop-${STAGE}\n"
		"services: {web: {image: nginx, hostname: \"h-${COMPOSE_PROJECT_NAME}\"}}\n");
	assert_string_equal(request.name, "shop-test");
	assert_string_equal(request.jobs.items[0].spec.hostname, "h-shop-test");
	test_request_release(&request);
	test_world_release(&world);
}

static void bad_names_say_where_they_came_from(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	struct project_request request;
	test_bad_file("name: Shop\n" SERVICES, ERR_INVALID, "compose.yaml:1:7: name",
		      "\"Shop\" is not a project name");
	test_bad_file("name: 5\n" SERVICES, ERR_INVALID, "compose.yaml:1:7: name",
		      "expected a string");
	world.project_name = "-x";
	assert_int_equal(test_load(&world, SERVICES, &request), ERR_INVALID);
	assert_string_equal(world.err.field, "project name");
	world.project_name = NULL;
	world.directory = "/";
	assert_int_equal(test_load(&world, SERVICES, &request), ERR_INVALID);
	assert_non_null(strstr(world.err.message, "the directory / gives no project name"));
	pairs_add(&world.environment, "COMPOSE_PROJECT_NAME", "a.b");
	assert_int_equal(test_load(&world, SERVICES, &request), ERR_INVALID);
	assert_string_equal(world.err.field, "COMPOSE_PROJECT_NAME");
	test_world_release(&world);
}

static void defaults_that_are_written_out_are_the_same_as_none(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	struct project_request plain =
		test_good(&world, SERVICES "networks: {back: }\nvolumes: {data: }\n");
	struct project_request written =
		test_good(&world, SERVICES
			  "networks: {back: {name: shop_back, driver: bridge, internal: false}}\n"
			  "volumes: {data: {driver: local, name: shop_data, external: false}}\n");
	assert_true(record_equal(&project_request_type, &plain, &written));
	test_request_release(&plain);
	test_request_release(&written);
	test_world_release(&world);
}

static void external_parts_keep_their_own_name(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	struct project_request request =
		test_good(&world, SERVICES "networks: {back: {external: true}}\n"
					   "volumes: {data: {external: true, name: old}}\n");
	assert_string_equal(request.networks.items[0].name, "back");
	assert_true(request.networks.items[0].external);
	assert_string_equal(request.volumes.items[0].name, "old");
	test_request_release(&request);
	test_world_release(&world);
}

static void bad_parts_say_what_is_wrong(void **state)
{
	static const struct {
		const char *text;
		enum err_code code;
		const char *field;
		const char *words;
	} rows[] = {
		{ SERVICES "networks: {n1: {driver: overlay}}\n", ERR_UNSUPPORTED,
		  "compose.yaml:2:25: networks.n1.driver",
		  "driver overlay is refused: there are no networks across machines yet" },
		{ SERVICES "networks: {n1: {driver: host}}\n", ERR_UNSUPPORTED,
		  "compose.yaml:2:25: networks.n1.driver", "write network_mode in the services" },
		{ SERVICES "networks: {n1: {enable_ipv4: false}}\n", ERR_UNSUPPORTED,
		  "compose.yaml:2:30: networks.n1.enable_ipv4", "gives every network IPv4" },
		{ SERVICES "networks: {n1: {ipam: {config: [{gateway: 10.9.0.1}]}}}\n", ERR_INVALID,
		  "compose.yaml:2:33: networks.n1.ipam.config[0]", "expected a subnet" },
		{ SERVICES "networks: {n1: {ipam: {config: [{subnet: 10.9.0.0}]}}}\n", ERR_INVALID,
		  "compose.yaml:2:33: networks.n1.ipam.config[0]",
		  "is not a subnet like 10.9.0.0/24" },
		{ SERVICES "networks: {n1: {ipam: {config: [{subnet: 10.9.0.0/24, gateway: "
			   "10.8.0.1}]}}}\n",
		  ERR_INVALID, "compose.yaml:2:33: networks.n1.ipam.config[0]",
		  "is no address in 10.9.0.0/24" },
		{ SERVICES "networks: {n1: {ipam: {config: [{subnet: 10.9.0.0/24, ip_range: "
			   "10.9.0.0/16}]}}}\n",
		  ERR_INVALID, "compose.yaml:2:33: networks.n1.ipam.config[0]",
		  "is none within 10.9.0.0/24" },
		{ SERVICES "networks: {n1: {ipam: {config: [{subnet: 10.9.0.0/24, aux_addresses: "
			   "{a: 10.8.0.1}}]}}}\n",
		  ERR_INVALID, "compose.yaml:2:33: networks.n1.ipam.config[0]",
		  "of a is none in 10.9.0.0/24" },
		{ SERVICES "networks: {n1: {external: true, internal: true}}\n", ERR_INVALID,
		  "compose.yaml:2:33: networks.n1.internal", "internal has no place beside it" },
		{ SERVICES "networks: [n1]\n", ERR_INVALID, "compose.yaml:2:1: networks",
		  "expected a mapping, found a list" },
		{ SERVICES "volumes: {v1: {name: 'a b'}}\n", ERR_INVALID,
		  "compose.yaml:2:22: volumes.v1.name", "\"a b\" is not a name Docker takes" },
		{ SERVICES "volumes: {'v 1': }\n", ERR_INVALID, "compose.yaml:2:11: volumes.v 1",
		  "\"v 1\" is not a name" },
		{ "services: {a: {image: x, networks: [nowhere]}}\n", ERR_INVALID,
		  "compose.yaml:1:37: services.a.networks[0]",
		  "the project has no network \"nowhere\"" },
		{ "services: {}\n", ERR_INVALID, "compose.yaml:1:1: services",
		  "the file has no services" },
		{ "name: x\n", ERR_INVALID, "compose.yaml:1:1", "the file has no services" },
		{ "services:\n", ERR_INVALID, "compose.yaml:1:1: services",
		  "expected a mapping, found nothing" },
		{ "services: {web: }\n", ERR_INVALID, "compose.yaml:1:12: services.web",
		  "expected a mapping, found nothing" },
		{ "services: {a: {image: x}}\nnetworks: {n: {external: {name: a, driver: b}}}\n",
		  ERR_INVALID, "compose.yaml:2:36: networks.n.external.driver",
		  "expected true, false, or a mapping with name" },
		{ "services: {a: {image: x}}\nvolumes: {v: {name: b, external: {name: a}}}\n",
		  ERR_INVALID, "compose.yaml:2:35: volumes.v.external.name",
		  "the name is written twice" },
		{ "services: {web: {}}\n", ERR_INVALID, "compose.yaml:1:12: services.web",
		  "the service has no image" },
		{ "services: {'a b': {image: x}}\n", ERR_INVALID, "compose.yaml:1:12: services.a b",
		  "\"a b\" is not a name" },
		{ "services: {web: {image: 'A B'}}\n", ERR_INVALID,
		  "compose.yaml:1:25: services.web.image", "\"A B\" is not an image reference" },
		{ "", ERR_INVALID, "compose.yaml", "the file is empty" },
		{ "# nothing\n", ERR_INVALID, "compose.yaml", "the file is empty" },
		{ "just text\n", ERR_INVALID, "compose.yaml:1:1",
		  "expected a mapping, found \"just text\"" },
		{ "[1]\n", ERR_INVALID, "compose.yaml:1:1", "expected a mapping, found a list" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		test_bad_file(rows[i].text, rows[i].code, rows[i].field, rows[i].words);
}

static void an_obsolete_version_is_a_warning(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	struct project_request request = test_good(&world, "version: 3.8\n" SERVICES);
	assert_int_equal(world.warnings.items.n, 1);
	assert_string_equal(world.warnings.items.items[0],
			    "compose.yaml:1:1: version: version is obsolete: it means nothing any "
			    "more; remove it");
	test_request_release(&request);
	test_world_release(&world);
}

static void values_that_are_not_text_are_refused_before_they_travel(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	struct project_request request;
	pairs_add(&world.environment, "BYTES", "\xff\xfe");
	assert_int_equal(test_load(&world, "services: {web: {image: x, user: $BYTES}}\n", &request),
			 ERR_INVALID);
	assert_non_null(strstr(world.err.message, "not UTF-8"));
	assert_int_equal(
		test_load(&world, "services: {web: {image: x, environment: [BYTES]}}\n", &request),
		ERR_INVALID);
	assert_string_equal(world.err.message, "the value of BYTES is not UTF-8");
	test_world_release(&world);
}

/* The sentences people see most, whole. */
static void messages_are_whole_sentences_with_place_and_reason(void **state)
{
	static const struct {
		const char *text;
		const char *message;
	} rows[] = {
		{ "services:\n  web:\n    build: .\n",
		  "compose.yaml:3:5: services.web.build: build without image is refused: drover "
		  "runs images and builds none: build "
		  "it with `docker build` and name the result under image" },
		{ "web:\n  image: a\n  test: 1\n",
		  "compose.yaml:1:1: web: the top level has no key \"web\"; in a file of Compose "
		  "version 1 it is a service: write services: above and indent what is there" },
		{ "service:\n  web:\n    image: a\n",
		  "compose.yaml:1:1: service: the top level has no key \"service\"; did you mean "
		  "\"services\"?" },
		{ "services:\n  web:\n    image: a\n    mem_limit: 5m\n",
		  "compose.yaml:4:16: services.web.mem_limit: 5242880 bytes are less than 6 MB, "
		  "the "
		  "least Docker accepts" },
		{ "services:\n  web:\n    image: a\n    use_api_socket: true\n",
		  "compose.yaml:4:5: services.web.use_api_socket: use_api_socket is refused: it "
		  "would hand Docker's socket and your registry passwords to the container" },
		{ "services:\n  web:\n    image: a\n    prots: [80]\n",
		  "compose.yaml:4:5: services.web.prots: services.* has no key \"prots\"; did you "
		  "mean \"ports\"?" },
		{ "services:\n  web:\n    image: a\n    ports:\n      - 80:http\n",
		  "compose.yaml:5:9: services.web.ports[0]: \"http\" is not a whole number" },
		{ "services:\n  web:\n    image: a:${TAG:?set TAG}\n",
		  "compose.yaml:3:12: services.web.image: the variable TAG is required: set TAG" },
		{ "services:\n  web:\n\timage: a\n", "compose.yaml:3:1: a tab is used for "
						     "indentation; YAML allows only spaces there" },
		{ "services:\n  web:\n    image: a\n    image: b\n",
		  "compose.yaml:4:5: the key \"image\" stands twice in this mapping (first in line "
		  "3)" },
		{ "models: {}\nservices:\n  web:\n    image: a\n",
		  "compose.yaml:1:1: models: models is refused: drover runs containers only" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct test_world world = { 0 };
		struct project_request request;
		char whole[1024];
		assert_int_not_equal(test_load(&world, rows[i].text, &request), ERR_NONE);
		text_print(whole, sizeof(whole), "%s: %s", world.err.field, world.err.message);
		assert_string_equal(whole, rows[i].message);
		test_world_release(&world);
	}
}

/* As many files on the web write it. */
static void what_older_files_say_is_understood(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	struct project_request request =
		test_good(&world, "services:\n"
				  "  web:\n"
				  "    image: a\n"
				  "    build: {context: .}\n"
				  "    restart: ''\n"
				  "    environment: ['NODE_ID={{.Node.ID}}']\n"
				  "    hostname: ${UNSET-}\n"
				  "    platform: ${UNSET:-}\n"
				  "    mem_limit: ${UNSET:-}\n"
				  "    networks: [n]\n"
				  "    ports: ['${UNSET-}:8080:80']\n"
				  "networks: {n: {external: {name: old-net}}}\n"
				  "volumes: {v: {external: {name: old-volume}}}\n");
	const struct job_spec *spec = &request.jobs.items[0].spec;
	assert_string_equal(spec->image, "a");
	assert_int_equal(spec->restart.condition, RESTART_ON_FAILURE);
	assert_null(spec->hostname);
	assert_null(spec->platform);
	assert_null(spec->ports.items[0].host_ip);
	assert_int_equal(spec->ports.items[0].host_first, 8080);
	assert_true(request.networks.items[0].external);
	assert_string_equal(request.networks.items[0].name, "old-net");
	assert_true(request.volumes.items[0].external);
	assert_string_equal(request.volumes.items[0].name, "old-volume");
	assert_string_equal(spec->environment.items[0].value, "{{.Node.ID}}");
	assert_int_equal(world.warnings.items.n, 2);
	assert_string_equal(world.warnings.items.items[1],
			    "compose.yaml:6:19: services.web.environment[0]: the {{...}} in "
			    "NODE_ID stays as it is; Swarm would fill it in");
	assert_string_equal(
		world.warnings.items.items[0],
		"compose.yaml:4:5: services.web.build: build is left aside where "
		"`image` stands beside it, and refused without: drover builds no images, "
		"and runs the one that is there under that name");
	test_request_release(&request);
	test_world_release(&world);
}

static void named_files_of_variables_stand_for_the_usual_one_and_later_ones_win(void **state)
{
	(void)state;
	static const struct test_file files[] = { { "/srv/shop/.env", "A=usual\n" },
						  { "/a.env", "A=first\nB=${A}-${C}\n" },
						  { "/b.env", "A=second\nD=${B}\nC=lost\n" },
						  { NULL, NULL } };
	struct strings names = { 0 };
	struct test_world world = { .files = files, .environment_files = &names };
	pairs_add(&world.environment, "C", "ours");
	const char *text = "services: {web: {image: x, user: '${A} ${B-} ${C} ${D-}'}}\n";
	struct project_request request = test_good(&world, text);
	assert_string_equal(request.jobs.items[0].spec.user, "usual  ours ");
	test_request_release(&request);
	strings_add(&names, "/a.env");
	strings_add(&names, "/b.env");
	request = test_good(&world, text);
	assert_string_equal(request.jobs.items[0].spec.user, "second first-ours ours first-ours");
	test_request_release(&request);
	strings_add(&names, "/gone.env");
	assert_int_equal(test_load(&world, text, &request), ERR_NOT_FOUND);
	assert_string_equal(world.err.field, "/gone.env");
	strings_release(&names);
	test_world_release(&world);
}

/* What is wrong with one key does not hide what is wrong with the next. */
static void several_mistakes_are_told_in_the_order_of_lines(void **state)
{
	(void)state;
	static const char text[] = "services:\n"
				   "  web:\n"
				   "    imge: nginx\n"
				   "    ports: ['x:1']\n"
				   "    deploy:\n"
				   "      replicas: many\n"
				   "      mode: 5\n"
				   "    user: [a]\n"
				   "  db:\n"
				   "    image: db\n"
				   "    develop: {}\n"
				   "networks:\n"
				   "  n: {driver: [a]}\n"
				   "  m: {internal: maybe}\n";
	static const char *const others[] = {
		"compose.yaml:4:13: services.web.ports[0]: ",
		"compose.yaml:6:17: services.web.deploy.replicas: ",
		"compose.yaml:7:13: services.web.deploy.mode: ",
		"compose.yaml:8:5: services.web.user: ",
		"compose.yaml:11:5: services.db.develop: ",
		"compose.yaml:13:7: networks.n.driver: ",
		"compose.yaml:14:17: networks.m.internal: ",
	};
	struct test_world world = { 0 };
	struct project_request request;
	assert_int_equal(test_load(&world, text, &request), ERR_INVALID);
	assert_string_equal(world.err.field, "compose.yaml:3:5: services.web.imge");
	assert_int_equal(world.warnings.mistakes.n, ARRAY_LEN(others));
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		const char *told = world.warnings.mistakes.items[i];
		if (strncmp(told, others[i], strlen(others[i])) != 0)
			assert_string_equal(told, others[i]);
	}
	assert_int_equal(world.warnings.n_untold, 0);
	test_world_release(&world);
}

static void of_many_mistakes_the_first_are_told_and_the_others_counted(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	struct project_request request;
	struct text text;
	text_init(&text, 1 << 16);
	text_add(&text, "services:\n  web:\n    image: x\n");
	for (int i = 300; i > 0; i--)
		text_addf(&text, "    key%d: x\n", i);
	assert_int_equal(test_load(&world, text_string(&text), &request), ERR_INVALID);
	assert_string_equal(world.err.field, "compose.yaml:4:5: services.web.key300");
	assert_int_equal(world.warnings.mistakes.n, 9);
	assert_int_equal(world.warnings.n_untold, 290);
	/* Each once, however deep it stands. */
	text_clear(&text);
	text_add(&text, "services:\n");
	for (int i = 0; i < 300; i++)
		text_addf(&text, "  web%d: {image: x, deploy: {resources: {limits: {cpus: -1}}}}\n",
			  i);
	assert_int_equal(test_load(&world, text_string(&text), &request), ERR_INVALID);
	assert_int_equal(world.warnings.mistakes.n + world.warnings.n_untold, 299);
	text_release(&text);
	test_world_release(&world);
}

static void two_keys_of_one_thing_say_the_same(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	struct project_request request = test_good(
		&world,
		"services: {a: {image: x}}\n"
		"networks: {n: {name: same, internal: true}, m: {name: same, internal: true}}\n"
		"volumes: {v: {name: same}, w: {name: same}}\n");
	test_request_release(&request);
	test_world_release(&world);
	test_bad_file("services: {a: {image: x}}\n"
		      "networks: {n: {name: same}, m: {name: same, internal: true}}\n",
		      ERR_INVALID, "compose.yaml:2:29: networks.m",
		      "n has the name same too, and says something else of it");
	test_bad_file("name: shop\nservices: {a: {image: x}}\n"
		      "volumes: {v: {driver: acme}, w: {name: shop_v}}\n",
		      ERR_INVALID, "compose.yaml:3:30: volumes.w", "v has the name shop_v too");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_keys_of_one_thing_say_the_same),
		cmocka_unit_test(several_mistakes_are_told_in_the_order_of_lines),
		cmocka_unit_test(of_many_mistakes_the_first_are_told_and_the_others_counted),
		cmocka_unit_test(
			named_files_of_variables_stand_for_the_usual_one_and_later_ones_win),
		cmocka_unit_test(
			the_name_comes_from_the_flag_the_variable_the_file_then_the_directory),
		cmocka_unit_test(the_name_may_hold_variables_and_be_one),
		cmocka_unit_test(bad_names_say_where_they_came_from),
		cmocka_unit_test(defaults_that_are_written_out_are_the_same_as_none),
		cmocka_unit_test(external_parts_keep_their_own_name),
		cmocka_unit_test(bad_parts_say_what_is_wrong),
		cmocka_unit_test(an_obsolete_version_is_a_warning),
		cmocka_unit_test(values_that_are_not_text_are_refused_before_they_travel),
		cmocka_unit_test(messages_are_whole_sentences_with_place_and_reason),
		cmocka_unit_test(what_older_files_say_is_understood),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
