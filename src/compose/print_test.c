#include "compose/testing.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static const struct test_file files[] = {
	{ "/srv/shop/.env", "TAG=1.27\n" },
	{ "/srv/shop/web.env", "FROM_FILE=yes\nMODE=overridden\n" },
	{ NULL, NULL },
};

static char *read_whole(const char *path)
{
	struct text text;
	char buffer[4096];
	size_t n;
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	text_init(&text, 1 << 24);
	while ((n = fread(buffer, 1, sizeof(buffer), file)) > 0)
		text_add_bytes(&text, buffer, n);
	fclose(file);
	return text_take(&text);
}

/* Printed, a request reads back as an equal one, and prints the same again. */
static void expect_round_trip(const struct project_request *request)
{
	char *printed = compose_print(request);
	struct test_world other = { .directory = "/somewhere/else" };
	struct project_request second = test_good(&other, printed);
	if (!record_equal(&project_request_type, request, &second)) {
		print_error("%s\n", printed);
		fail();
	}
	/* Nothing is unset or obsolete any more; what the request itself lacks is said again. */
	for (size_t i = 0; i < other.warnings.items.n; i++)
		assert_non_null(strstr(other.warnings.items.items[i], "it is not waited for"));
	char *again = compose_print(&second);
	assert_string_equal(again, printed);
	base_free(again);
	base_free(printed);
	test_request_release(&second);
	test_world_release(&other);
}

/* Load a file, or one merged over another; false: the two do not fit. */
static bool round_trip(const char *text, const char *over)
{
	struct test_world world = { .files = files };
	struct project_request request;
	struct compose_file both[] = { { "a.yaml", text, strlen(text) },
				       { "b.yaml", over, over ? strlen(over) : 0 } };
	pairs_add(&world.environment, "HOME", "/home/me");
	bool loads = test_load_files(&world, both, over ? 2 : 1, &request) == ERR_NONE;
	if (loads) {
		expect_round_trip(&request);
		test_request_release(&request);
	}
	test_world_release(&world);
	return loads;
}

/* The texts of all fixtures. */
static void read_fixtures(struct strings *texts)
{
	char folder[] = SOURCE_ROOT "/src/compose/testdata";
	DIR *dir = opendir(folder);
	assert_non_null(dir);
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		size_t len = strlen(entry->d_name);
		if (len < 5 || strcmp(entry->d_name + len - 5, ".yaml") != 0)
			continue;
		char path[4096];
		text_print(path, sizeof(path), "%s/%s", folder, entry->d_name);
		char *text = read_whole(path);
		strings_add(texts, text);
		base_free(text);
	}
	closedir(dir);
	assert_true(texts->n >= 6);
}

static void every_fixture_reads_back_equal_from_its_printed_form(void **state)
{
	(void)state;
	struct strings texts = { 0 };
	read_fixtures(&texts);
	for (size_t i = 0; i < texts.n; i++)
		assert_true(round_trip(texts.items[i], NULL));
	strings_release(&texts);
	_cleanup_free_ char *example = read_whole(SOURCE_ROOT "/examples/shop/compose.yaml");
	assert_true(round_trip(example, NULL));
}

static void so_does_what_is_mounted_as_another_service_mounts_it(void **state)
{
	(void)state;
	assert_true(
		round_trip("name: shop\n"
			   "services:\n"
			   "  app: {image: a, volumes_from: [db, web], volumes: ['/srv:/srv'],\n"
			   "    tmpfs: ['/run:size=1m', /tmp, '/var:mode=755']}\n"
			   "  web: {image: a, volumes_from: [db], tmpfs: '/run:size=1m'}\n"
			   "  db: {image: a, volumes: ['data:/data', 'logs:/logs:ro']}\n"
			   "volumes: {data: , logs: }\n",
			   NULL));
}

static void so_does_every_fixture_merged_over_another(void **state)
{
	(void)state;
	struct strings texts = { 0 };
	size_t n_merged = 0;
	read_fixtures(&texts);
	for (size_t i = 0; i < texts.n; i++)
		for (size_t j = 0; j < texts.n; j++)
			n_merged += round_trip(texts.items[i], texts.items[j]);
	if (n_merged < texts.n * texts.n * 2 / 3) {
		print_error("only %zu of %zu pairs merge\n", n_merged, texts.n * texts.n);
		fail();
	}
	strings_release(&texts);
}

static void a_file_merged_over_itself_changes_nothing(void **state)
{
	(void)state;
	struct strings texts = { 0 };
	read_fixtures(&texts);
	for (size_t i = 0; i < texts.n; i++) {
		struct test_world world = { .files = files };
		struct project_request once, twice;
		struct compose_file file = { "a.yaml", texts.items[i], strlen(texts.items[i]) };
		struct compose_file both[] = { file, file };
		pairs_add(&world.environment, "HOME", "/home/me");
		assert_int_equal(test_load_files(&world, both, 1, &once), ERR_NONE);
		if (test_load_files(&world, both, 2, &twice)) {
			print_error("%s: %s\n", world.err.field, world.err.message);
			fail();
		}
		_cleanup_free_ char *printed = compose_print(&once);
		_cleanup_free_ char *again = compose_print(&twice);
		assert_string_equal(again, printed);
		assert_true(record_equal(&project_request_type, &once, &twice));
		test_request_release(&once);
		test_request_release(&twice);
		test_world_release(&world);
	}
	strings_release(&texts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fixture_reads_back_equal_from_its_printed_form),
		cmocka_unit_test(so_does_what_is_mounted_as_another_service_mounts_it),
		cmocka_unit_test(so_does_every_fixture_merged_over_another),
		cmocka_unit_test(a_file_merged_over_itself_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
