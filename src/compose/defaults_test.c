/* A walk over every default of the table: one that is a value stands in the printed form of a file that does not write
 * it, and written there it changes nothing. */
#include "compose/places_testing.h"

#include <ctype.h>

#include "compose/yaml_tree.h"

static const struct test_file files[] = {
	{ "/srv/shop/a.env", "A=1\n" },
	{ "/srv/shop/other.yaml", "services: {base: {user: a}}\n" },
	{ "/srv/shop/sub/in.yaml", "services: {in: {image: in}}\n" },
	{ NULL, NULL },
};

/* What is not printed although the table tells a value. */
static const struct {
	enum section_id section;
	const char *key;
	const char *why;
} left_out[] = {
	{ SECTION_INCLUDE, "env_file", "read" },
	{ SECTION_ENV_FILE, "required", "read" },
	{ SECTION_SERVICE, "tmpfs", "an example" },
	{ SECTION_SERVICE, "restart", "printed as restart_policy" },
	{ SECTION_SERVICE, "gpus", "printed as devices of the reservations" },
	{ SECTION_GPU, "count", "printed as devices of the reservations" },
	{ SECTION_SERVICE_NETWORK, "priority", "told by the order of the networks" },
	{ SECTION_HEALTHCHECK, "interval", "the image's first" },
	{ SECTION_HEALTHCHECK, "timeout", "the image's first" },
	{ SECTION_HEALTHCHECK, "retries", "the image's first" },
	{ SECTION_HEALTHCHECK, "start_period", "the image's first" },
	{ SECTION_HEALTHCHECK, "start_interval", "the image's first" },
	{ SECTION_RESTART_POLICY, "condition", "a list of values" },
	{ SECTION_PLACEMENT, "constraints", "an example" },
	{ SECTION_DROVER, "concurrency", "all has no word" },
	{ SECTION_DROVER, "update_deadline", "not of a job that completes" },
	{ SECTION_DROVER, "lease", "only with on_disconnect: stop" },
	{ SECTION_PROBE, "tcp", "an example" },
};

/* Words that are values. */
static const char *const values[] = { "true",	 "false", "all", "rwm",
				      "enabled", "keep",  "UTC", "json-file" };

/* The value that the text of a row begins with, in `ret_value`; false: none does. */
static bool default_of(const struct key_row *row, char ret_value[64])
{
	const char *text = row->text + (*row->text == '`');
	size_t len = strcspn(text, *row->text == '`' ? "`" : ";,:");
	text_print(ret_value, 64, "%.*s", (int)len, text);
	bool is_value = *row->text == '`' || isdigit((unsigned char)*text);
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		is_value = is_value || strcmp(ret_value, values[i]) == 0;
	return row->status == KEY_HONOURED && is_value;
}

static bool is_left_out(enum section_id section, const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(left_out); i++)
		if (left_out[i].section == section && strcmp(left_out[i].key, key) == 0)
			return true;
	return false;
}

/* The mapping at "services.web.volumes[0]"; NULL: there is none. */
static const struct tree_node *walk(const struct tree_node *node, const char *path)
{
	while (node && *path) {
		char key[64];
		size_t len = strcspn(path, ".[");
		text_print(key, sizeof(key), "%.*s", (int)len, path);
		node = node->kind == TREE_MAP ? tree_get(node, key) : NULL;
		path += len;
		if (*path == '[') {
			node = node && node->n ? node->items[0] : NULL;
			path += strlen("[0]");
		}
		path += *path == '.';
	}
	return node;
}

static const char *inside_of(enum section_id section)
{
	return section == SECTION_HEALTHCHECK ? "test: a" : places[section].inside;
}

static void check_printed(enum section_id section, const struct key_row *row, const char *value)
{
	struct test_world world = { .files = files };
	struct tree tree = { 0 };
	struct err err = { 0 };
	_cleanup_free_ char *file = file_with(section, inside_of(section));
	struct project_request bare = test_good(&world, file);
	_cleanup_free_ char *printed = compose_print(&bare);
	assert_int_equal(tree_parse(printed, strlen(printed), "printed", &tree, &err), ERR_NONE);
	const struct tree_node *map = walk(tree.root, places[section].path);
	const struct tree_node *found =
		map && map->kind == TREE_MAP ? tree_get(map, row->name) : NULL;
	if (!found || found->kind != TREE_SCALAR || strcmp(found->text, value) != 0)
		fail_msg("%s.%s: %s is not in\n%s", key_sections[section].place, row->name, value,
			 printed);
	struct project_request again = test_good(&world, printed);
	assert_true(record_equal(&project_request_type, &bare, &again));
	_cleanup_free_ char *twice = compose_print(&again);
	assert_string_equal(twice, printed);
	tree_release(&tree);
	test_request_release(&again);
	test_request_release(&bare);
	test_world_release(&world);
}

static void every_default_that_is_a_value_is_printed(void **state)
{
	(void)state;
	size_t n_printed = 0;
	size_t n_left_out = 0;
	char value[64];
	for (size_t i = 0; i < SECTION_COUNT; i++) {
		for (size_t j = 0; j < key_sections[i].n_rows; j++) {
			const struct key_row *row = &key_sections[i].rows[j];
			if (!default_of(row, value))
				continue;
			bool out = is_left_out((enum section_id)i, row->name);
			n_left_out += out;
			n_printed += !out;
			if (!out)
				check_printed((enum section_id)i, row, value);
		}
	}
	assert_int_equal(n_left_out, ARRAY_LEN(left_out));
	assert_true(n_printed > 60);
}

/* The request with the lines is the one without them. */
static void expect_nothing(const char *lines, const char *without)
{
	struct project_request written = test_spec(lines);
	struct project_request bare = test_spec(without);
	assert_true(record_equal(&project_request_type, &written, &bare));
	test_request_release(&written);
	test_request_release(&bare);
}

static void what_is_written_as_its_default_is_not_written(void **state)
{
	(void)state;
	expect_nothing("    logging: {driver: json-file, options: {max-size: 10m, max-file: 3}}\n",
		       "");
	expect_nothing("    logging: {options: {max-file: 3, max-size: 1m}}\n",
		       "    logging: {options: {max-size: 1m}}\n");
	expect_nothing("    logging: {driver: local, options: {max-size: 10m}}\n",
		       "    logging: {driver: local}\n");
	expect_nothing("    devices: ['/dev/a:/dev/a:rwm']\n", "    devices: [/dev/a]\n");
	expect_nothing("    privileged: false\n    tty: false\n    stdin_open: false\n"
		       "    oom_score_adj: 0\n    x-drover: {placement_deadline: 0s, disk: 0}\n",
		       "");
}

static void another_driver_keeps_its_own_defaults(void **state)
{
	(void)state;
	struct project_request request =
		test_spec("    logging: {driver: journald, options: {max-size: 10m}}\n");
	_cleanup_free_ char *printed = compose_print(&request);
	assert_int_equal(request.jobs.items[0].spec.logging.options.n, 1);
	assert_null(strstr(printed, "max-file"));
	test_request_release(&request);
}

static void an_update_and_a_lease_tell_their_times(void **state)
{
	(void)state;
	struct project_request request = test_spec("    x-drover: {on_disconnect: stop}\n");
	_cleanup_free_ char *printed = compose_print(&request);
	assert_non_null(strstr(printed, "      update_deadline: 10m\n"));
	assert_non_null(strstr(printed, "      lease: 1m\n"));
	test_request_release(&request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_default_that_is_a_value_is_printed),
		cmocka_unit_test(what_is_written_as_its_default_is_not_written),
		cmocka_unit_test(another_driver_keeps_its_own_defaults),
		cmocka_unit_test(an_update_and_a_lease_tell_their_times),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
