#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "runtime/contract.h"
#include "runtime/docker_usage.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char root[64];

/* Write a file below the root, with the folders it needs. */
static void put(const char *path, const char *contents)
{
	char whole[512];
	text_print(whole, sizeof(whole), "%s/%s", root, path);
	for (char *at = whole + strlen(root) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(whole, 0700);
		*at = '/';
	}
	FILE *file = fopen(whole, "w");
	assert_non_null(file);
	fputs(contents, file);
	fclose(file);
}

static int setup(void **state)
{
	(void)state;
	bench_folder_make(root);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bench_folder_remove(root);
	return 0;
}

static void the_second_reading_of_version_1_files_is_a_rate(void **state)
{
	(void)state;
	struct docker_usage usage;
	struct runtime_usage seen;
	docker_usage_init(&usage, root);
	put("cpuacct/docker/" ID "/cpuacct.usage", "1000000000\n");
	put("memory/docker/" ID "/memory.usage_in_bytes", "10000000\n");
	put("memory/docker/" ID "/memory.stat",
	    "cache 1\ninactive_file 7\ntotal_inactive_file 4000000\n");
	assert_false(docker_usage_read(&usage, ID, 1000, &seen));
	put("cpuacct/docker/" ID "/cpuacct.usage", "1500000000\n");
	assert_true(docker_usage_read(&usage, ID, 2000, &seen));
	assert_int_equal(seen.cpu_milli, 500);
	assert_int_equal(seen.memory_bytes, 6000000);
	/* Too soon for a new rate: the last one is told again. */
	put("cpuacct/docker/" ID "/cpuacct.usage", "1600000000\n");
	assert_true(docker_usage_read(&usage, ID, 2001, &seen));
	assert_int_equal(seen.cpu_milli, 500);
	docker_usage_release(&usage);
}

static void version_2_files_of_the_systemd_driver_are_read(void **state)
{
	(void)state;
	struct docker_usage usage;
	struct runtime_usage seen;
	docker_usage_init(&usage, root);
	put("system.slice/docker-" ID ".scope/cpu.stat", "usage_usec 1000000\nuser_usec 1\n");
	put("system.slice/docker-" ID ".scope/memory.current", "5000\n");
	put("system.slice/docker-" ID ".scope/memory.stat", "anon 1\ninactive_file 1000\n");
	assert_false(docker_usage_read(&usage, ID, 0, &seen));
	put("system.slice/docker-" ID ".scope/cpu.stat", "usage_usec 3000000\nuser_usec 1\n");
	assert_true(docker_usage_read(&usage, ID, 1000, &seen));
	assert_int_equal(seen.cpu_milli, 2000);
	assert_int_equal(seen.memory_bytes, 4000);
	docker_usage_release(&usage);
}

static void a_counter_that_went_back_begins_anew(void **state)
{
	(void)state;
	struct docker_usage usage;
	struct runtime_usage seen;
	docker_usage_init(&usage, root);
	put("docker/" ID "/cpu.stat", "usage_usec 1000000\n");
	put("docker/" ID "/memory.current", "5000\n");
	assert_false(docker_usage_read(&usage, ID, 0, &seen));
	put("docker/" ID "/cpu.stat", "usage_usec 10\n");
	assert_false(docker_usage_read(&usage, ID, 1000, &seen));
	put("docker/" ID "/cpu.stat", "usage_usec 500010\n");
	assert_true(docker_usage_read(&usage, ID, 2000, &seen));
	assert_int_equal(seen.cpu_milli, 500);
	docker_usage_release(&usage);
}

static void what_is_no_id_never_becomes_a_path(void **state)
{
	(void)state;
	struct docker_usage usage;
	struct runtime_usage seen;
	docker_usage_init(&usage, root);
	assert_false(docker_usage_read(&usage, "../../etc", 0, &seen));
	assert_false(docker_usage_read(&usage, "", 0, &seen));
	assert_false(docker_usage_read(&usage, NULL, 0, &seen));
	assert_false(docker_usage_read(&usage, ID, 0, &seen));
	assert_int_equal(usage.n, 0);
	docker_usage_release(&usage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_second_reading_of_version_1_files_is_a_rate,
						setup, teardown),
		cmocka_unit_test_setup_teardown(version_2_files_of_the_systemd_driver_are_read,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_counter_that_went_back_begins_anew, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_no_id_never_becomes_a_path, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
