#include "compose/testing.h"

/* The mounts of a service that lists these; volume `data` is declared. */
static struct project_request load(const char *lines)
{
	struct test_world world = { 0 };
	struct text text;
	pairs_add(&world.environment, "HOME", "/home/me");
	text_init(&text, 1 << 16);
	text_addf(&text, "services:\n  web:\n    image: nginx\n%svolumes:\n  data:\n", lines);
	struct project_request request = test_good(&world, text_string(&text));
	text_release(&text);
	test_world_release(&world);
	return request;
}

static void expect_mount(const struct mount *mount, int kind, const char *source,
			 const char *target, bool read_only)
{
	assert_int_equal(mount->kind, kind);
	if (source)
		assert_string_equal(mount->source, source);
	else
		assert_null(mount->source);
	assert_string_equal(mount->target, target);
	assert_int_equal(mount->read_only, read_only);
}

static void expect_one(const char *item, int kind, const char *source, const char *target,
		       bool read_only)
{
	char lines[512];
	text_print(lines, sizeof(lines), "    volumes: [%s]\n", item);
	struct project_request request = load(lines);
	assert_int_equal(request.jobs.items[0].spec.mounts.n, 1);
	expect_mount(&request.jobs.items[0].spec.mounts.items[0], kind, source, target, read_only);
	test_request_release(&request);
}

static void short_forms_say_volume_or_path_by_their_first_letter(void **state)
{
	(void)state;
	expect_one("data:/d", MOUNT_VOLUME, "data", "/d", false);
	expect_one("data:/d:ro", MOUNT_VOLUME, "data", "/d", true);
	expect_one("data:/d:rw", MOUNT_VOLUME, "data", "/d", false);
	expect_one("/d", MOUNT_VOLUME, NULL, "/d", false);
	expect_one("/abs/x:/d", MOUNT_BIND, "/abs/x", "/d", false);
	expect_one("./rel:/d", MOUNT_BIND, "/srv/shop/rel", "/d", false);
	expect_one(".:/d", MOUNT_BIND, "/srv/shop", "/d", false);
	expect_one("../up/./x/../y:/d", MOUNT_BIND, "/srv/up/y", "/d", false);
	expect_one("../../../..:/d", MOUNT_BIND, "/", "/d", false);
	expect_one("~/x:/d", MOUNT_BIND, "/home/me/x", "/d", false);
	expect_one("'~:/d'", MOUNT_BIND, "/home/me", "/d", false);
	expect_one("/a//b/:/d", MOUNT_BIND, "/a/b", "/d", false);
}

static void long_forms_say_the_same_in_keys(void **state)
{
	(void)state;
	expect_one("{type: volume, source: data, target: /d}", MOUNT_VOLUME, "data", "/d", false);
	expect_one("{type: volume, target: /d, read_only: true}", MOUNT_VOLUME, NULL, "/d", true);
	expect_one("{type: bind, source: rel, target: /d}", MOUNT_BIND, "/srv/shop/rel", "/d",
		   false);
	expect_one("{type: tmpfs, target: /d}", MOUNT_TMPFS, NULL, "/d", false);
}

static void options_reach_the_mount(void **state)
{
	(void)state;
	struct project_request request = load(
		"    volumes:\n"
		"      - ./a:/a:ro,rshared\n"
		"      - data:/b:nocopy\n"
		"      - {type: tmpfs, target: /c, tmpfs: {size: 2k, mode: '0o1777'}}\n"
		"      - {type: bind, source: /s, target: /d, bind: {create_host_path: no}}\n");
	const struct mount *mounts = request.jobs.items[0].spec.mounts.items;
	assert_string_equal(mounts[0].propagation, "rshared");
	assert_true(mounts[0].create_host_path);
	assert_true(mounts[1].nocopy);
	assert_int_equal(mounts[2].tmpfs_size_bytes, 2048);
	assert_int_equal(mounts[2].tmpfs_mode, 01777);
	assert_false(mounts[3].create_host_path);
	test_request_release(&request);
}

static void the_tmpfs_key_adds_mounts_behind_those_of_volumes(void **state)
{
	(void)state;
	struct project_request request =
		load("    tmpfs: ['/run:size=1m', /tmp]\n    volumes: [data:/d]\n");
	const struct job_spec *spec = &request.jobs.items[0].spec;
	assert_int_equal(spec->mounts.n, 3);
	expect_mount(&spec->mounts.items[0], MOUNT_VOLUME, "data", "/d", false);
	expect_mount(&spec->mounts.items[1], MOUNT_TMPFS, NULL, "/tmp", false);
	expect_mount(&spec->mounts.items[2], MOUNT_TMPFS, NULL, "/run", false);
	assert_null(spec->mounts.items[1].tmpfs_options);
	assert_string_equal(spec->mounts.items[2].tmpfs_options, "size=1m");
	test_request_release(&request);
}

static void bad_mounts_say_what_is_wrong(void **state)
{
	static const struct {
		const char *item;
		enum err_code code;
		const char *words;
	} rows[] = {
		{ "data", ERR_INVALID,
		  "the path in the container must begin with /, found \"data\"" },
		{ "/data:ro", ERR_INVALID, "must begin with /, found \"ro\"" },
		{ "data/x:/d", ERR_INVALID, "\"data/x\" is neither a volume's name nor a path" },
		{ "':/d'", ERR_INVALID, "the source before the colon is empty" },
		{ "a:/b:ro:x", ERR_INVALID, "expected [SOURCE:]TARGET[:OPTIONS]" },
		{ "/a:/b:rx", ERR_INVALID, "the option \"rx\" is none of ro, rw" },
		{ "~/x:/d", ERR_INVALID, "~ needs the variable HOME" },
		{ "~other/x:/d", ERR_UNSUPPORTED, "~ of another user" },
		{ "gone:/d", ERR_INVALID, "the project has no volume \"gone\"" },
		{ "/a:/", ERR_INVALID, "nothing can be mounted at \"/\"" },
		{ "{target: /d}", ERR_INVALID, "a mount needs a type" },
		{ "{type: volume}", ERR_INVALID, "a mount needs a target" },
		{ "{type: bind, target: /d}", ERR_INVALID, "a bind mount needs a source" },
		{ "{type: tmpfs, source: x, target: /d}", ERR_INVALID, "a tmpfs has no source" },
		{ "5", ERR_INVALID, "expected a string, found the number 5" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char lines[256];
		text_print(lines, sizeof(lines), "    volumes:\n      - %s\n", rows[i].item);
		test_bad(lines, rows[i].code, "compose.yaml:5:9: services.web.volumes[0]",
			 rows[i].words);
	}
	test_bad("    volumes: [{type: npipe, target: /d}]\n", ERR_UNSUPPORTED,
		 "compose.yaml:4:22: services.web.volumes[0].type", "type npipe is refused");
	test_bad("    volumes: [{type: volume, target: /d, bind: {}}]\n", ERR_INVALID,
		 "compose.yaml:4:42: services.web.volumes[0].bind",
		 "bind is for a mount of type bind");
	test_bad("    volumes: [{type: tmpfs, target: /d, tmpfs: {mode: 755}}]\n", ERR_INVALID,
		 "compose.yaml:4:55: services.web.volumes[0].tmpfs.mode",
		 "expected an octal mode with a leading zero like 01777, found the number 755");
	test_bad("    volumes: [/a:/d]\n    tmpfs: /d/\n", ERR_INVALID,
		 "compose.yaml:5:12: services.web.tmpfs", "two mounts have the target");
	test_bad("    tmpfs: run\n", ERR_INVALID, "compose.yaml:4:12: services.web.tmpfs",
		 "expected PATH[:OPTIONS] with a path that begins with /");
}

static void volumes_come_from_other_services(void **state)
{
	(void)state;
	struct test_world world = { 0 };
	struct project_request read = test_good(
		&world,
		"services:\n"
		"  app: {image: a, volumes_from: ['web:ro', db], volumes: ['own:/own', "
		"'/srv:/data']}\n"
		"  web: {image: a, volumes_from: [db], volumes: ['./site:/site'], tmpfs: /tmp}\n"
		"  db: {image: a, volumes: ['data:/data', 'logs:/logs:ro']}\n"
		"volumes: {own: , data: , logs: }\n");
	const struct job_spec *app = &read.jobs.items[0].spec;
	assert_int_equal(app->mounts.n, 4);
	assert_string_equal(app->mounts.items[1].source, "/srv");
	assert_string_equal(app->mounts.items[2].target, "/site");
	assert_true(app->mounts.items[2].read_only);
	assert_string_equal(app->mounts.items[3].source, "logs");
	assert_int_equal(app->depends_on.n, 2);
	const struct job_spec *web = &read.jobs.items[1].spec;
	assert_int_equal(web->mounts.n, 4);
	assert_string_equal(web->mounts.items[2].source, "data");
	assert_false(web->mounts.items[2].read_only);
	assert_true(web->mounts.items[3].read_only);
	test_request_release(&read);
	test_world_release(&world);
	/* Of two that mount something at one place the later one has its way, but nobody over the service itself. */
	read = test_good(&world, "services:\n"
				 "  app: {image: a, volumes_from: [one, 'two:ro'], volumes: "
				 "['own:/own']}\n"
				 "  one: {image: a, volumes: ['data:/data', 'data:/own']}\n"
				 "  two: {image: a, volumes: ['logs:/data', 'logs:/own']}\n"
				 "volumes: {own: , data: , logs: }\n");
	app = &read.jobs.items[0].spec;
	assert_int_equal(app->mounts.n, 2);
	assert_string_equal(app->mounts.items[0].source, "own");
	assert_string_equal(app->mounts.items[1].source, "logs");
	assert_true(app->mounts.items[1].read_only);
	test_request_release(&read);
	test_world_release(&world);
	test_bad("    volumes_from: ['container:x']\n", ERR_UNSUPPORTED,
		 "compose.yaml:4:20: services.web.volumes_from[0]",
		 "name the volume under volumes");
	test_bad("    volumes_from: [db]\n", ERR_INVALID,
		 "compose.yaml:4:20: services.web.volumes_from[0]", "has no service \"db\"");
	test_bad("    volumes_from: [db]\n    volumes: [/a:/d]\n    tmpfs: '/d:size=1m'\n"
		 "  db: {image: a, volumes: [/a:/one, /b:/two]}\n",
		 ERR_INVALID, "compose.yaml:6:12: services.web.tmpfs",
		 "two mounts have the target");
	test_bad("    volumes_from: ['web:rx']\n", ERR_INVALID,
		 "compose.yaml:4:20: services.web.volumes_from[0]", "found \"web:rx\"");
	test_bad("    volumes_from: [web]\n", ERR_INVALID,
		 "compose.yaml:4:20: services.web.volumes_from[0]",
		 "web takes its volumes from web");
	test_bad("    volumes_from: [db]\n  db: {image: a, volumes_from: [web]}\n", ERR_INVALID,
		 "compose.yaml:5:33: services.db.volumes_from[0]",
		 "web takes its volumes from db in turn");
	test_bad("    volumes_from: [db]\n  db: {image: a, volumes: [/data]}\n", ERR_UNSUPPORTED,
		 "compose.yaml:4:20: services.web.volumes_from[0]", "give it a name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_forms_say_volume_or_path_by_their_first_letter),
		cmocka_unit_test(long_forms_say_the_same_in_keys),
		cmocka_unit_test(options_reach_the_mount),
		cmocka_unit_test(the_tmpfs_key_adds_mounts_behind_those_of_volumes),
		cmocka_unit_test(bad_mounts_say_what_is_wrong),
		cmocka_unit_test(volumes_come_from_other_services),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
