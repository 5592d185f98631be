#include "compose/testing.h"

#include "base/limits.h"

static enum err_code load_two(struct test_world *world, const char *first, const char *second,
			      struct project_request *ret_request)
{
	struct compose_file files[] = { { "a.yaml", first, strlen(first) },
					{ "b.yaml", second, strlen(second) } };
	return test_load_files(world, files, 2, ret_request);
}

/* The services `web` of two files, of which the first has an image, mean the same as the one of a third. */
static void expect_same(const char *first, const char *second, const char *both)
{
	static const struct test_file files[] = { { "/srv/shop/a.env", "A=1\nB=2\n" },
						  { "/srv/shop/b.env", "A=2\n" },
						  { NULL, NULL } };
	struct test_world world = { .files = files };
	struct project_request merged, whole;
	pairs_add(&world.environment, "SET", "from the deployer");
	pairs_add(&world.environment, "HOME", "/root");
	if (load_two(&world, first, second, &merged)) {
		print_error("%s: %s\n%s", world.err.field, world.err.message, second);
		fail();
	}
	whole = test_good(&world, both);
	if (!record_equal(&project_request_type, &merged, &whole)) {
		_cleanup_free_ char *found = compose_print(&merged);
		_cleanup_free_ char *expected = compose_print(&whole);
		print_error("expected\n%s\nfound\n%s\n", expected, found);
		fail();
	}
	test_request_release(&merged);
	test_request_release(&whole);
	test_world_release(&world);
}

static void expect_same_service(const char *first, const char *second, const char *both)
{
	struct text text;
	_cleanup_free_ char *first_file = test_service(first);
	_cleanup_free_ char *whole = test_service(both);
	text_init(&text, 1 << 20);
	text_addf(&text, "services:\n  web:\n%s", second);
	expect_same(first_file, text_string(&text), whole);
	text_release(&text);
}

static const struct {
	const char *first;
	const char *second;
	const char *both;
} merges[] = {
	/* what a process is started with is one thing */
	{ "    command: [a, b]\n    entrypoint: /run me\n", "    command: c\n",
	  "    command: c\n    entrypoint: /run me\n" },
	{ "    command: [a, b]\n", "    command:\n", "" },
	{ "    healthcheck: {test: [CMD, a, b], interval: 5s}\n",
	  "    healthcheck: {test: [CMD, c], retries: 2}\n",
	  "    healthcheck: {test: [CMD, c], interval: 5s, retries: 2}\n" },
	{ "    healthcheck: {test: [CMD, a, b], interval: 5s}\n",
	  "    healthcheck: {disable: true}\n", "    healthcheck: {disable: true}\n" },
	/* pairs, in either form */
	{ "    environment: {A: 1, B: 2}\n", "    environment: [B=3, C=, SET]\n",
	  "    environment: {A: 1, B: 3, C: '', SET: }\n" },
	{ "    environment: [A=1, B]\n", "    environment: {B: x=y, A: }\n",
	  "    environment: {A: , B: x=y}\n" },
	{ "    labels: [a=1]\n    sysctls: {k.a: 1}\n    deploy: {labels: {l: 1}}\n",
	  "    labels: {a: 2}\n    sysctls: [k.b=2]\n    deploy: {labels: [m=2]}\n",
	  "    labels: {a: 2}\n    sysctls: {k.a: 1, k.b: 2}\n"
	  "    deploy: {labels: {l: 1, m: 2}}\n" },
	/* lists */
	{ "    cap_add: [A, B]\n    dns: 1.1.1.1\n", "    cap_add: [B, C]\n    dns: [2.2.2.2]\n",
	  "    cap_add: [A, B, C]\n    dns: [1.1.1.1, 2.2.2.2]\n" },
	{ "    deploy: {placement: {constraints: [node.id==a, node.role==worker]}}\n",
	  "    deploy: {placement: {constraints: [node.role==worker, node.id!=b]}}\n",
	  "    deploy: {placement: {constraints: [node.id==a, node.role==worker, "
	  "node.id!=b]}}\n" },
	{ "    extra_hosts: {a: 1.1.1.1, b: [2.2.2.2, '::1']}\n",
	  "    extra_hosts: ['a:1.1.1.1', a=3.3.3.3]\n",
	  "    extra_hosts: [a=1.1.1.1, b=2.2.2.2, 'b=::1', a=3.3.3.3]\n" },
	{ "    deploy: {placement: {preferences: [{spread: node.labels.a}]}}\n",
	  "    deploy: {placement: {preferences: [{spread: node.labels.a}, {spread: "
	  "node.labels.b}]}}\n",
	  "    deploy: {placement: {preferences: [{spread: node.labels.a}, {spread: "
	  "node.labels.b}]}}\n" },
	{ "    blkio_config: {weight: 10, device_read_bps: [{path: /dev/a, rate: 1}]}\n",
	  "    blkio_config: {device_read_bps: [{path: /dev/a, rate: 2}, {path: /dev/b, rate: "
	  "3}]}\n",
	  "    blkio_config: {weight: 10, device_read_bps: [{path: /dev/a, rate: 2}, {path: "
	  "/dev/b, rate: "
	  "3}]}\n" },
	/* what is known by its place */
	{ "    ports: ['8080:80', '127.0.0.1:53:53/udp', '443']\n",
	  "    ports: [{target: 80, published: 8080, name: again}, '54:53/udp', 443]\n",
	  "    ports: ['8080:80', '127.0.0.1:53:53/udp', '443', '54:53/udp']\n" },
	{ "    volumes: ['/a:/data:ro', '/logs/']\n",
	  "    volumes: [{type: tmpfs, target: /data}, '/b:/logs', '/new']\n",
	  "    volumes: [{type: tmpfs, target: /data}, '/b:/logs', '/new']\n" },
	{ "    tmpfs: /run:size=1m\n", "    tmpfs: [/run:size=2m, /tmp]\n",
	  "    tmpfs: [/run:size=2m, /tmp]\n" },
	{ "    ulimits: {nofile: 5, nproc: {soft: 1, hard: 2}}\n",
	  "    ulimits: {nofile: {soft: 1, hard: 2}, nproc: {hard: 3}, core: 0}\n",
	  "    ulimits: {nofile: {soft: 1, hard: 2}, nproc: {soft: 1, hard: 3}, core: "
	  "0}\n" },
	{ "    gpus: all\n", "    gpus: [{driver: nvidia, count: 1}]\n",
	  "    gpus: [{driver: nvidia, count: 1}]\n" },
	{ "    gpus: [{driver: nvidia, count: 1}]\n", "    gpus: all\n", "    gpus: all\n" },
	{ "    devices: ['/dev/a:/dev/x', /dev/b]\n", "    devices: ['/dev/c:/dev/x:r']\n",
	  "    devices: ['/dev/c:/dev/x:r', /dev/b]\n" },
	{ "    label_file: a.env\n", "    label_file: [b.env]\n    labels: {C: 3}\n",
	  "    labels: {A: 2, B: 2, C: 3}\n" },
	/* options belong to their driver */
	{ "    logging: {driver: local, options: {a: 1, b: 2}}\n",
	  "    logging: {options: {b: 3}}\n",
	  "    logging: {driver: local, options: {a: 1, b: 3}}\n" },
	{ "    logging: {driver: local, options: {a: 1}}\n", "    logging: {driver: journald}\n",
	  "    logging: {driver: journald}\n" },
	/* tags */
	{ "    ports: ['1:1']\n    user: a\n    labels: {a: 1, b: 2}\n",
	  "    ports: !reset []\n    user: !reset null\n    labels: {a: !reset '', c: 3}\n",
	  "    labels: {b: 2, c: 3}\n" },
	{ "    ports: ['1:1']\n    environment: {A: 1}\n    logging: {driver: local}\n",
	  "    ports: !override ['2:2']\n    environment: !override [B=2]\n"
	  "    logging: !override {options: {a: b}}\n",
	  "    ports: ['2:2']\n    environment: {B: 2}\n    logging: {options: {a: b}}\n" },
	/* what is not read */
	{ "    x-any: [a]\n", "    x-any: {a: b}\n", "" },
	{ "    x-drover: {priority: 10, disk: 1g}\n", "    x-drover: {priority: 20}\n",
	  "    x-drover: {priority: 20, disk: 1g}\n" },
};

static void values_of_a_service_are_merged_by_their_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(merges); i++)
		expect_same_service(merges[i].first, merges[i].second, merges[i].both);
	expect_same("services: {web: {image: nginx}}\n", "# {web: {image: httpd}}\n",
		    "services: {web: {image: nginx}}\n");
	expect_same("services: {web: {image: nginx, user: a, hostname: h}}\n",
		    "services: {web: {image: httpd, user: b, hostname: }}\n",
		    "services: {web: {image: httpd, user: b, hostname: h}}\n");
}

static void services_networks_and_volumes_are_merged_by_name(void **state)
{
	(void)state;
	expect_same(
		"name: first\n"
		"services: {web: {image: nginx, networks: [back, front]}, db: {image: x}}\n"
		"networks: {back: , front: {internal: true, labels: [a=1]}}\n",
		"name: second\n"
		"services: {web: {networks: {back: {aliases: [w]}, front: }}, extra: {image: y}}\n"
		"networks: {front: {attachable: true, labels: {b: 2}}}\nvolumes: {v: }\n",
		"name: second\n"
		"services: {web: {image: nginx, networks: {back: {aliases: [w]}, front: }}, "
		"db: {image: x}, extra: {image: y}}\n"
		"networks: {back: , front: {internal: true, attachable: true, labels: {a: 1, "
		"b: 2}}}\nvolumes: {v: }\n");
	expect_same(
		"services: {a: {image: x, depends_on: [b]}, b: {image: x}, c: {image: x}}\n",
		"services: {a: {depends_on: {b: {restart: true}, c: {condition: "
		"service_healthy}}}}\n",
		"services: {a: {image: x, depends_on: {b: {condition: service_started, restart: "
		"true}, c: {condition: service_healthy}}}, b: {image: x}, c: {image: x}}\n");
	expect_same("services: {a: {image: x, x-drover: {depends_on: [p/b]}}}\n",
		    "services: {a: {x-drover: {depends_on: {p/b: {restart: true}, p/c: {condition: "
		    "service_healthy}}}}}\n",
		    "services: {a: {image: x, x-drover: {depends_on: {p/b: {condition: "
		    "service_started, restart: true}, p/c: {condition: service_healthy}}}}}\n");
}

static void pools_of_addresses_are_merged_by_subnet(void **state)
{
	(void)state;
	expect_same(
		"services: {a: {image: x}}\n"
		"networks: {n: {ipam: {config: [{subnet: 10.1.0.0/24}, {subnet: 10.2.0.0/24}]}}}\n",
		"networks: {n: {ipam: {config: [{subnet: 10.2.0.0/24, gateway: 10.2.0.9}]}}}\n",
		"services: {a: {image: x}}\n"
		"networks: {n: {ipam: {config: [{subnet: 10.1.0.0/24}, {subnet: 10.2.0.0/24, "
		"gateway: 10.2.0.9}]}}}\n");
}

static void configs_and_secrets_are_merged_by_where_they_are_found(void **state)
{
#define CONTENTS                                                                                   \
	"configs: {c: {content: c}, e: {content: e}}\n"                                            \
	"secrets: {s: {environment: SET}, t: {environment: SET}}\n"
	(void)state;
	expect_same(
		"services: {a: {image: x, configs: [c, {source: c, target: d}], secrets: [s, "
		"{source: s, target: r}]}}\n" CONTENTS,
		"services: {a: {configs: [{source: e, target: /c}, {source: e, target: /d}], "
		"secrets: [{source: t, target: /run/secrets/s}, {source: t, target: "
		"/run/secrets/r}]}}\n",
		"services: {a: {image: x, configs: [{source: e, target: /c}, {source: e, target: "
		"/d}], secrets: [{source: t, target: s}, {source: t, target: r}]}}\n" CONTENTS);
}

static void a_service_can_be_taken_out(void **state)
{
	(void)state;
	expect_same("services: {a: {image: x}, b: {image: x, user: b}}\n",
		    "services: {a: !reset null, b: !override {image: y}}\n",
		    "services: {b: {image: y}}\n");
}

static void tags_of_a_single_file_mean_what_they_say(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	struct project_request request = test_good(
		&world, "services: {web: {image: !override nginx, user: !reset root, ports: "
			"[{target: 80, published: !reset 80}]}}\n");
	assert_string_equal(request.jobs.items[0].spec.image, "nginx");
	assert_null(request.jobs.items[0].spec.user);
	assert_int_equal(request.jobs.items[0].spec.ports.items[0].host_first, 30000);
	test_request_release(&request);
	test_world_release(&world);
	test_bad_file("services: {web: {image: x, cap_add: [!reset A]}}\n", ERR_INVALID,
		      "compose.yaml:1:38", "!reset stands before the value of a key only");
	test_bad_file("services: {!override web: {image: x}}\n", ERR_INVALID, "compose.yaml:1:12",
		      "!override stands before the value of a key only");
	test_bad_file("!override {services: {web: {image: x}}}\n", ERR_INVALID, "compose.yaml:1:1",
		      "!override stands before");
	test_bad_file("services: {web: {<<: !reset {image: x}}}\n", ERR_INVALID,
		      "compose.yaml:1:22", "!reset stands before");
}

#define WEB "services:\n  web:\n"

static const struct {
	const char *first;
	const char *second;
	enum err_code code;
	const char *field;
	const char *words;
} wrongs[] = {
	{ WEB "    image: 5\n", WEB "    user: a\n", ERR_INVALID, "a.yaml:3:12: services.web.image",
	  "expected a string, found the number 5" },
	{ WEB "    image: x\n", WEB "    imag: y\n", ERR_INVALID, "b.yaml:3:5: services.web.imag",
	  "did you mean \"image\"?" },
	{ WEB "    image: x\n    ports: ['1:1']\n", WEB "    ports: ['2:2', 'x:3']\n", ERR_INVALID,
	  "b.yaml:3:20: services.web.ports[2]", "" },
	{ WEB "    image: x\n    ports: ['a:1']\n", WEB "    ports: ['2:2']\n", ERR_INVALID,
	  "a.yaml:4:13: services.web.ports[0]", "" },
	{ WEB "    image: x\n    environment: [A=1, 5]\n", WEB "    environment: {B: 1}\n",
	  ERR_INVALID, "a.yaml:4:24: services.web.environment[1]", "expected a string" },
	{ WEB "    image: x\n    environment: {A: 1}\n", WEB "    environment: [=1]\n", ERR_INVALID,
	  "b.yaml:3:19: services.web.environment[0]", "the key is empty" },
	{ WEB "    image: x\n    cap_add: [A]\n", WEB "    cap_add: {B: C}\n", ERR_INVALID,
	  "b.yaml:3:5: services.web.cap_add",
	  "a mapping cannot be merged over the list in a.yaml:4; !override before it "
	  "replaces that one" },
	{ WEB "    image: x\n    labels: [a=1]\n", WEB "    labels: no\n", ERR_INVALID,
	  "b.yaml:3:13: services.web.labels", "expected a list or a mapping, found \"no\"" },
	{ WEB "    image: x\n    networks: [a]\n", WEB "    networks: [b]\n", ERR_INVALID,
	  "a.yaml:4:16: services.web.networks.a", "the project has no network \"a\"" },
	{ WEB "    image: x\n    environment: {A: 1}\n", WEB "    environment: {A B: 1}\n",
	  ERR_INVALID, "b.yaml:3:24: services.web.environment.A B",
	  "\"A B\" is not a variable's name" },
	{ WEB "    image: x\n    labels: [a=1]\n", WEB "    labels: {drover.x: 1}\n", ERR_INVALID,
	  "b.yaml:3:24: services.web.labels.drover.x", "drover's own" },
	{ WEB "    image: x\nnetworks: {n: }\n", "networks: {n: {name: 'a b'}}\n", ERR_INVALID,
	  "b.yaml:1:22: networks.n.name", "\"a b\" is not a name" },
	{ WEB "    image: x\nnetworks: {n: {ipam: {config: [{subnet: 10.1.0.0/24}]}}}\n",
	  "networks: {n: {ipam: {config: [{subnet: x}]}}}\n", ERR_INVALID,
	  "b.yaml:1:32: networks.n.ipam.config[1]", "" },
	{ WEB "    image: x\nvolumes: {v: {external: true}}\n", "volumes: {v: {driver: local}}\n",
	  ERR_INVALID, "b.yaml:1:15: volumes.v.driver", "external: true takes what exists" },
	{ WEB "    image: x\n    blkio_config: {weight_device: [{path: /dev/a, weight: 10}]}\n",
	  WEB "    blkio_config: {weight_device: [{path: b, weight: 10}]}\n", ERR_INVALID,
	  "b.yaml:3:36: services.web.blkio_config.weight_device[1]", "\"b\" is not a device" },
	{ WEB "    image: ${X?is needed}\n", WEB "    image: y\n", ERR_INVALID,
	  "a.yaml:3:12: services.web.image", "the variable X is required: is needed" },
	{ "services: [a]\n", "services: {web: {image: x}}\n", ERR_INVALID, "b.yaml:1:1: services",
	  "a mapping cannot be merged over the list in a.yaml:1" },
	{ "# x\n", "", ERR_INVALID, "a.yaml", "the file is empty" },
	{ WEB "    image: x\n", "[a]\n", ERR_INVALID, "b.yaml:1:1",
	  "expected a mapping, found a list" },
	{ WEB "    image: x\n", "a: b: c\n", ERR_SYNTAX, "b.yaml:1:5", "not valid YAML" },
	/* A list or mapping of the later file stands there, though the key was there before. */
	{ WEB "    image: x\n    user: a\n", WEB "    user: [b]\n", ERR_INVALID,
	  "b.yaml:3:5: services.web.user", "expected a string, found a list" },
	{ WEB "    image: x\n    scale:\n", WEB "    scale: {a: b}\n", ERR_INVALID,
	  "b.yaml:3:5: services.web.scale", "found a mapping" },
	{ WEB "    image: x\n    ports: ['1:1']\n", WEB "    ports: !override {a: b}\n",
	  ERR_INVALID, "b.yaml:3:5: services.web.ports", "expected a list" },
	{ WEB "    image: x\n    command: a\n", WEB "    command: {a: b}\n", ERR_INVALID,
	  "b.yaml:3:5: services.web.command", "found a mapping" },
	/* What is of both is the earlier one's, and what the later one leaves as it was. */
	{ WEB "    scale: 1\n", WEB "    user: a\n", ERR_INVALID, "a.yaml:2:3: services.web",
	  "the service has no image" },
	{ WEB "    image: x\n    scale: ''\n", WEB "    scale:\n", ERR_INVALID,
	  "a.yaml:4:12: services.web.scale", "" },
	{ "x-a: b\n", "name: x\n", ERR_INVALID, "a.yaml:1:1", "the file has no services" },
};

static void what_is_wrong_is_said_of_the_file_it_stands_in(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrongs); i++) {
		struct test_world world = { 0 };
		struct project_request request;
		assert_int_equal(load_two(&world, wrongs[i].first, wrongs[i].second, &request),
				 wrongs[i].code);
		assert_string_equal(world.err.field, wrongs[i].field);
		if (!strstr(world.err.message, wrongs[i].words)) {
			print_error("expected \"%s\" in \"%s\"\n", wrongs[i].words,
				    world.err.message);
			fail();
		}
		test_world_release(&world);
	}
}

static void warnings_name_the_file_too(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	struct project_request request;
	assert_int_equal(load_two(&world, WEB "    image: x\n    user: ${GONE}\n",
				  WEB "    user: a\n    environment: {LD_PRELOAD: x}\n", &request),
			 ERR_NONE);
	assert_int_equal(world.warnings.items.n, 2);
	assert_string_equal(world.warnings.items.items[0],
			    "a.yaml:4:5: services.web.user: the variable GONE is not set, using an "
			    "empty text");
	assert_non_null(strstr(world.warnings.items.items[1],
			       "b.yaml:4:19: services.web.environment.LD_PRELOAD: "));
	test_request_release(&request);
	test_world_release(&world);
}

static void what_files_can_grow_to_is_bounded(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	struct project_request request;
	struct compose_file many[LIMIT_COMPOSE_FILES + 1];
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = (struct compose_file){ "a.yaml", "x-a: b\n", 7 };
	assert_int_equal(test_load_files(&world, many, ARRAY_LEN(many), &request), ERR_TOO_LARGE);
	struct text text;
	text_init(&text, LIMIT_YAML_FILE_BYTES);
	text_add(&text, "services: {web: {image: x, cap_add: [");
	for (int i = 0; i < LIMIT_LIST_ITEMS; i++)
		text_addf(&text, "C%d,", i);
	text_add(&text, "]}}\n");
	assert_int_equal(load_two(&world, text_string(&text),
				  "services: {web: {cap_add: [more]}}\n", &request),
			 ERR_TOO_LARGE);
	assert_string_equal(world.err.field, "b.yaml:1:18: services.web.cap_add");
	text_release(&text);
	test_world_release(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_of_a_service_are_merged_by_their_kind),
		cmocka_unit_test(services_networks_and_volumes_are_merged_by_name),
		cmocka_unit_test(pools_of_addresses_are_merged_by_subnet),
		cmocka_unit_test(configs_and_secrets_are_merged_by_where_they_are_found),
		cmocka_unit_test(a_service_can_be_taken_out),
		cmocka_unit_test(tags_of_a_single_file_mean_what_they_say),
		cmocka_unit_test(what_is_wrong_is_said_of_the_file_it_stands_in),
		cmocka_unit_test(warnings_name_the_file_too),
		cmocka_unit_test(what_files_can_grow_to_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
