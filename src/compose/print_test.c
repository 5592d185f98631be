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

static void round_trip(const char *text)
{
	struct test_world world = { .files = files };
	pairs_add(&world.environment, "HOME", "/home/me");
	struct project_request first = test_good(&world, text);
	char *printed = compose_print(&first);
	struct test_world other = { .directory = "/somewhere/else" };
	struct project_request second = test_good(&other, printed);
	if (!record_equal(&project_request_type, &first, &second)) {
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
	test_request_release(&first);
	test_request_release(&second);
	test_world_release(&world);
	test_world_release(&other);
}

static void every_fixture_reads_back_equal_from_its_printed_form(void **state)
{
	(void)state;
	char folder[] = SOURCE_ROOT "/src/compose/testdata";
	DIR *dir = opendir(folder);
	assert_non_null(dir);
	int n = 0;
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		size_t len = strlen(entry->d_name);
		if (len < 5 || strcmp(entry->d_name + len - 5, ".yaml") != 0)
			continue;
		char path[4096];
		text_print(path, sizeof(path), "%s/%s", folder, entry->d_name);
		char *text = read_whole(path);
		round_trip(text);
		base_free(text);
		n++;
	}
	closedir(dir);
	assert_true(n >= 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fixture_reads_back_equal_from_its_printed_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
