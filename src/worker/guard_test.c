/* The guard against a real file system. The folders lie below one that only root can write to; where the tests do not
 * run as root, everything is refused for that reason, and the tests are skipped. */
#include "worker/guard.h"

#include "base/testing.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

static char top[64];

static const char *in_top(const char *name)
{
	static char paths[4][256];
	static size_t next;
	char *path = paths[next++ % ARRAY_LEN(paths)];
	return text_print(path, sizeof(paths[0]), "%s/%s", top, name);
}

static int setup(void **state)
{
	(void)state;
	text_print(top, sizeof(top), "/srv/drover-guard-XXXXXX");
	if (geteuid() != 0)
		return 0;
	mkdir("/srv", 0755);
	return mkdtemp(top) && chmod(top, 0755) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *where)
{
	(void)found, (void)kind, (void)where;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	return geteuid() == 0 ? nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS) : 0;
}

static void write_policy(const char *text)
{
	FILE *file = fopen(in_top("worker.yaml"), "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	/* The inode may be the same, and the clock's tick too. */
	chmod(in_top("worker.yaml"), strlen(text) % 2 ? 0644 : 0640);
}

static void allow(const char *path)
{
	char text[512];
	write_policy(text_print(text, sizeof(text), "bind_mounts: [%s]\n", path));
}

/* The path and all below it. */
static void allow_to_read(const char *path)
{
	char text[512];
	write_policy(text_print(text, sizeof(text), "bind_mounts: [{path: %s, read_only: true}]\n",
				path));
}

/* The refusal's words, or "" when it is allowed. */
static const char *asks_with(struct guard *guard, const char *path, const struct mount *like)
{
	static char told[1024];
	struct job_spec spec;
	struct container_result result;
	record_init(&job_spec_type, &spec);
	struct mount *mount = list_add(&spec.mounts, sizeof(*mount));
	*mount = *like;
	mount->kind = MOUNT_BIND;
	string_set(&mount->source, path);
	struct container_action action = { .op = 7, .verb = CONTAINER_CREATE, .spec = &spec };
	told[0] = '\0';
	if (guard_refuses(guard, &action, &result)) {
		assert_int_equal(result.op, 7);
		assert_int_equal(result.verb, CONTAINER_CREATE);
		assert_int_equal(result.fault, FAULT_POLICY);
		text_print(told, sizeof(told), "%s", result.message);
		container_result_release(&result);
	}
	record_release(&job_spec_type, &spec);
	return told;
}

static const char *asks_for(struct guard *guard, const char *path, bool read_only)
{
	const struct mount like = { .read_only = read_only };
	return asks_with(guard, path, &like);
}

static void compare(const char *path, const char *told, const char *words)
{
	if (*words ? !strstr(told, words) : *told != '\0')
		fail_msg("%s: \"%s\"", path, told);
}

static void expect(struct guard *guard, const char *path, const char *words)
{
	compare(path, asks_for(guard, path, false), words);
}

static void expect_to_read(struct guard *guard, const char *path, const char *words)
{
	compare(path, asks_for(guard, path, true), words);
}

static struct guard *guard_of_test(void)
{
	if (geteuid() != 0)
		skip();
	unlink(in_top("worker.yaml"));
	return guard_new(in_top("worker.yaml"));
}

static void without_a_file_nothing_is_mounted_until_a_line_is_added(void **state)
{
	(void)state;
	struct guard *guard = guard_of_test();
	mkdir(in_top("data"), 0755);
	expect(guard, in_top("data"), "its owner can add the line \"bind_mounts: [");
	allow(in_top("data"));
	expect(guard, in_top("data"), "");
	allow_to_read(in_top("data"));
	expect_to_read(guard, in_top("data/not-there-yet/deep"), "");
	expect(guard, in_top("data/not-there-yet/deep"), "to read only");
	unlink(in_top("worker.yaml"));
	expect(guard, in_top("data"), "its owner can add the line");
	guard_free(guard);
}

/* New labels are written to what is mounted; what is mounted below it stays writable when a job says so. */
static void what_is_not_quite_read_only_is_written_to(void **state)
{
	(void)state;
	struct guard *guard = guard_of_test();
	const struct mount relabelled = { .read_only = true, .selinux = SELINUX_PRIVATE };
	const struct mount half = { .read_only = true, .recursive = RECURSIVE_WRITABLE };
	const struct mount whole = { .read_only = true, .recursive = RECURSIVE_READONLY };
	mkdir(in_top("data"), 0755);
	allow_to_read(in_top("data"));
	compare("relabelled", asks_with(guard, in_top("data"), &relabelled), "to read only");
	compare("half", asks_with(guard, in_top("data"), &half), "to read only");
	compare("whole", asks_with(guard, in_top("data"), &whole), "");
	guard_free(guard);
}

static void a_link_is_never_followed(void **state)
{
	(void)state;
	struct guard *guard = guard_of_test();
	mkdir(in_top("data"), 0755);
	assert_int_equal(symlink("/etc", in_top("data/link")), 0);
	allow_to_read(in_top("data"));
	expect_to_read(guard, in_top("data/link"), "link in it is a symbolic link");
	expect_to_read(guard, in_top("data/link/ssh"), "link in it is a symbolic link");
	expect_to_read(guard, in_top("data/../data"), "not an absolute path without");
	unlink(in_top("data/link"));
	guard_free(guard);
}

/* At the check it may be a folder, and a link when Docker starts the container: the owner of the folder above it is
 * root, as a job is that has it mounted. */
static void what_a_job_can_replace_is_not_mounted(void **state)
{
	(void)state;
	struct guard *guard = guard_of_test();
	mkdir(in_top("shared"), 0755);
	mkdir(in_top("shared/inner"), 0755);
	allow(in_top("shared"));
	expect(guard, in_top("shared"), "");
	expect(guard, in_top("shared/inner"), "so put another thing in its place; mount /srv/");
	expect_to_read(guard, in_top("shared/inner"), "instead of it in bind_mounts, line 1 of");
	allow(in_top("shared/inner"));
	expect(guard, in_top("shared/inner"), "");
	expect(guard, in_top("shared"), "its owner can add it to bind_mounts");
	guard_free(guard);
}

static void what_others_can_replace_is_not_mounted(void **state)
{
	(void)state;
	struct guard *guard = guard_of_test();
	mkdir(in_top("open"), 0755);
	chmod(in_top("open"), 0777);
	mkdir(in_top("open/data"), 0755);
	mkdir(in_top("theirs"), 0755);
	assert_int_equal(chown(in_top("theirs"), 4711, 4711), 0);
	mkdir(in_top("theirs/data"), 0755);
	allow_to_read(top);
	expect_to_read(guard, in_top("open"), "");
	expect_to_read(guard, in_top("open/data"), "others than root can write to a folder above");
	expect_to_read(guard, in_top("theirs"), "");
	expect_to_read(guard, in_top("theirs/data"),
		       "others than root can write to a folder above");
	guard_free(guard);
}

static void some_paths_are_never_mounted(void **state)
{
	(void)state;
	struct guard *guard = guard_of_test();
	mkdir(in_top("state"), 0755);
	guard_deny(guard, in_top("state"));
	write_policy("bind_mounts: [/]\n");
	static const char *const denied[] = {
		"/etc/ssh", "/proc",	  "/sys/fs/cgroup",	    "/dev/sda",
		"/run/x",   "/var/run/x", "/var/lib/docker/volumes"
	};
	for (size_t i = 0; i < ARRAY_LEN(denied); i++)
		expect(guard, denied[i], "is never allowed");
	expect(guard, "/", "is never allowed: it holds /etc");
	expect(guard, "/var", "is never allowed: it holds /var/run");
	expect(guard, "/srv/docker.sock", "Docker's socket is root");
	expect(guard, in_top("state/manager"), "is never allowed");
	expect(guard, top, "is never allowed: it holds");
	guard_free(guard);
}

static void a_file_that_cannot_be_trusted_refuses_everything(void **state)
{
	(void)state;
	struct guard *guard = guard_of_test();
	allow(top);
	chmod(in_top("worker.yaml"), 0666);
	expect(guard, in_top("data"), "only root or the worker's user can write");
	write_policy("bind_mounts: [\n");
	expect(guard, in_top("data"), "worker.yaml:");
	write_policy("cap_ad: []\n");
	expect(guard, in_top("data"), "worker.yaml:1:1: cap_ad: a policy has bind_mounts");
	allow(in_top("x"));
	expect(guard, in_top("x"), "");
	guard_free(guard);
}

static void what_runs_may_always_be_stopped(void **state)
{
	(void)state;
	struct guard *guard = guard_of_test();
	struct container_result result;
	write_policy("nonsense\n");
	for (int verb = CONTAINER_PULL; verb <= CONTAINER_VOLUME_REMOVE; verb++) {
		struct job_spec spec = { 0 };
		struct container_action action = { .verb = verb, .spec = &spec };
		bool guarded = verb == CONTAINER_PULL || verb == CONTAINER_CREATE ||
			       verb == CONTAINER_NETWORK_ENSURE || verb == CONTAINER_VOLUME_ENSURE;
		assert_int_equal(guard_refuses(guard, &action, &result), guarded);
		if (guarded)
			container_result_release(&result);
	}
	guard_free(guard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_a_file_nothing_is_mounted_until_a_line_is_added),
		TEST(what_is_not_quite_read_only_is_written_to),
		TEST(a_link_is_never_followed),
		TEST(what_a_job_can_replace_is_not_mounted),
		TEST(what_others_can_replace_is_not_mounted),
		TEST(some_paths_are_never_mounted),
		TEST(a_file_that_cannot_be_trusted_refuses_everything),
		TEST(what_runs_may_always_be_stopped),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
