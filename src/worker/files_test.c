/* On a real tmpfs, /dev/shm. */
#include "worker/files.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/seccomp_testing.h"
#include "base/testing.h"

struct bench {
	char dir[64];
	struct files *files;
	struct job_spec spec;
	struct container_action action;
	const char *contents[2];
	struct container_result result;
};

static struct task_id task_of(uint8_t number)
{
	struct task_id id = { { { 1, 2, 3, 4, 5, 6, 0x70, 8, 0x80, number } } };
	return id;
}

static void set_up(struct bench *bench)
{
	*bench = (struct bench){ .dir = "/dev/shm/drover-files-XXXXXX" };
	assert_non_null(mkdtemp(bench->dir));
	bench->files = files_new(bench->dir);
	files_set_node(bench->files, (struct node_id){ { { 9 } } });
	record_init(&job_spec_type, &bench->spec);
	struct content_use *config = list_add(&bench->spec.configs, sizeof(*config));
	string_set(&config->source, "app");
	config->mode = 0640;
	struct content_use *secret = list_add(&bench->spec.secrets, sizeof(*secret));
	string_set(&secret->source, "pw");
	bench->contents[0] = "YQBi"; /* a, NUL, b */
	bench->contents[1] = "c2VjcmV0";
	bench->action = (struct container_action){ .op = 7,
						   .verb = CONTAINER_FILES,
						   .task = task_of(1),
						   .spec = &bench->spec,
						   .contents = bench->contents };
}

static bool needs_none(const void *owner, struct task_id id)
{
	(void)owner, (void)id;
	return false;
}

static void tear_down(struct bench *bench)
{
	char folder[LIMIT_PATH_BYTES];
	files_sweep(bench->files, needs_none, NULL);
	files_of(bench->files, task_of(1), folder);
	*strrchr(folder, '/') = '\0';
	rmdir(folder);
	assert_int_equal(rmdir(bench->dir), 0);
	files_free(bench->files);
	record_release(&job_spec_type, &bench->spec);
	container_result_release(&bench->result);
}

static int put(struct bench *bench)
{
	container_result_release(&bench->result);
	files_put(bench->files, &bench->action, &bench->result);
	assert_int_equal(bench->result.op, 7);
	return bench->result.fault;
}

static size_t read_file(struct bench *bench, const char *name, char out[16], mode_t *ret_mode)
{
	char folder[LIMIT_PATH_BYTES], path[LIMIT_PATH_BYTES];
	struct stat found;
	files_of(bench->files, bench->action.task, folder);
	text_print(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(stat(path, &found), 0);
	*ret_mode = found.st_mode & 07777;
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	size_t len = fread(out, 1, 16, file);
	fclose(file);
	return len;
}

static bool is_there(struct bench *bench, struct task_id id)
{
	char folder[LIMIT_PATH_BYTES];
	return access(files_of(bench->files, id, folder), F_OK) == 0;
}

static void files_have_bytes_and_modes_and_nobody_else_gets_at_them(void **state)
{
	(void)state;
	struct bench bench;
	char bytes[16], folder[LIMIT_PATH_BYTES];
	mode_t mode;
	struct stat found;
	set_up(&bench);
	assert_int_equal(put(&bench), FAULT_NONE);
	assert_int_equal(read_file(&bench, "0", bytes, &mode), 3);
	assert_memory_equal(bytes, "a\0b", 3);
	assert_int_equal(mode, 0440);
	assert_int_equal(read_file(&bench, "1", bytes, &mode), 6);
	assert_int_equal(mode, 0444);
	assert_int_equal(stat(files_of(bench.files, bench.action.task, folder), &found), 0);
	assert_int_equal(found.st_mode & 07777, 0700);
	tear_down(&bench);
}

static void what_is_there_is_taken_up_and_what_is_missing_is_said(void **state)
{
	(void)state;
	struct bench bench;
	set_up(&bench);
	bench.contents[1] = NULL;
	assert_int_equal(put(&bench), FAULT_NOT_FOUND);
	assert_false(is_there(&bench, bench.action.task));
	bench.contents[1] = "c2VjcmV0";
	assert_int_equal(put(&bench), FAULT_NONE);
	bench.contents[0] = bench.contents[1] = NULL;
	assert_int_equal(put(&bench), FAULT_NONE);
	tear_down(&bench);
}

static bool needs_two(const void *owner, struct task_id id)
{
	(void)owner;
	return uuid_equal(id.uuid, task_of(2).uuid);
}

static void what_no_task_needs_is_swept_away(void **state)
{
	(void)state;
	struct bench bench;
	char half[LIMIT_PATH_BYTES], whole[LIMIT_PATH_BYTES];
	set_up(&bench);
	assert_int_equal(put(&bench), FAULT_NONE);
	bench.action.task = task_of(2);
	assert_int_equal(put(&bench), FAULT_NONE);
	/* As a crash leaves it. */
	text_print(half, sizeof(half), "%s.new", files_of(bench.files, task_of(2), whole));
	assert_int_equal(mkdir(half, 0700), 0);
	files_sweep(bench.files, needs_two, NULL);
	assert_false(is_there(&bench, task_of(1)));
	assert_true(is_there(&bench, task_of(2)));
	assert_int_not_equal(access(half, F_OK), 0);
	tear_down(&bench);
}

static void what_cannot_be_made_leaves_nothing(void **state)
{
	(void)state;
	struct bench bench;
	set_up(&bench);
	bench.contents[1] = "no base64!";
	assert_int_equal(put(&bench), FAULT_MOUNT_FAILED);
	assert_string_equal(bench.result.message, "what the manager sent for pw is no base64");
	assert_false(is_there(&bench, bench.action.task));
	tear_down(&bench);
}

static void a_folder_that_others_can_change_is_refused(void **state)
{
	(void)state;
	struct bench bench;
	char folder[LIMIT_PATH_BYTES];
	set_up(&bench);
	assert_int_equal(chmod(bench.dir, 0777), 0);
	assert_int_equal(put(&bench), FAULT_MOUNT_FAILED);
	assert_non_null(strstr(bench.result.message, "the mode 0777"));
	assert_int_equal(chmod(bench.dir, 0700), 0);
	/* Nor is a link followed, wherever it leads. */
	files_of(bench.files, task_of(1), folder);
	*strrchr(folder, '/') = '\0';
	assert_int_equal(symlink("/tmp", folder), 0);
	assert_int_equal(put(&bench), FAULT_MOUNT_FAILED);
	assert_int_equal(unlink(folder), 0);
	assert_int_equal(put(&bench), FAULT_NONE);
	tear_down(&bench);
	if (geteuid() != 0)
		return;
	set_up(&bench);
	assert_int_equal(chown(bench.dir, 65534, 65534), 0);
	assert_int_equal(put(&bench), FAULT_MOUNT_FAILED);
	assert_non_null(strstr(bench.result.message, "the owner 65534"));
	assert_int_equal(chown(bench.dir, 0, 0), 0);
	tear_down(&bench);
}

static void a_folder_that_is_named_is_looked_at_before_it_is_needed(void **state)
{
	(void)state;
	struct bench bench;
	struct err err;
	set_up(&bench);
	assert_int_equal(files_check(bench.files, &err), ERR_NONE);
	assert_int_equal(chmod(bench.dir, 0777), 0);
	assert_int_equal(files_check(bench.files, &err), ERR_IO);
	assert_non_null(strstr(err.message, "the mode 0777"));
	assert_int_equal(chmod(bench.dir, 0700), 0);
	tear_down(&bench);
	struct files *relative = files_new("here");
	assert_int_equal(files_check(relative, &err), ERR_INVALID);
	assert_string_equal(err.message, "here is not an absolute path");
	files_free(relative);
}

/* For root there is no other way than a mount, in a namespace of this process. */
static bool make_read_only(const char *dir)
{
	if (geteuid() != 0)
		return chmod(dir, 0500) == 0;
	return unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("drover", dir, "tmpfs", MS_RDONLY, "mode=0700") == 0;
}

static void a_folder_that_is_named_can_be_written_to(void **state)
{
	(void)state;
	struct bench bench;
	struct err err;
	set_up(&bench);
	bool made = make_read_only(bench.dir);
	enum err_code code = files_check(bench.files, &err);
	umount(bench.dir);
	assert_int_equal(chmod(bench.dir, 0700), 0);
	tear_down(&bench);
	if (!made)
		skip();
	assert_int_equal(code, ERR_IO);
	assert_non_null(strstr(err.message, "cannot write to the folder /dev/shm/drover-files-"));
}

static int use_folder_without_newer_calls(struct bench *bench)
{
	if (!testing_refuse_newer_calls())
		return -1;
	if (files_check(bench->files, NULL) || put(bench) != FAULT_NONE)
		return 1;
	/* What is there needs to be sent no more. */
	bench->contents[0] = bench->contents[1] = NULL;
	return put(bench) == FAULT_NONE ? 0 : 2;
}

static void folders_are_used_under_an_older_seccomp_profile_too(void **state)
{
	(void)state;
	struct bench bench;
	int status;
	set_up(&bench);
	/* What is refused once stays refused. */
	pid_t child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0)
		_exit(use_folder_without_newer_calls(&bench) & 0xff);
	assert_int_equal(waitpid(child, &status, 0), child);
	bool was_put = is_there(&bench, bench.action.task);
	tear_down(&bench);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 0xff)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(was_put);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(files_have_bytes_and_modes_and_nobody_else_gets_at_them),
		TEST(what_is_there_is_taken_up_and_what_is_missing_is_said),
		TEST(what_no_task_needs_is_swept_away),
		TEST(what_cannot_be_made_leaves_nothing),
		TEST(a_folder_that_others_can_change_is_refused),
		TEST(a_folder_that_is_named_is_looked_at_before_it_is_needed),
		TEST(a_folder_that_is_named_can_be_written_to),
		TEST(folders_are_used_under_an_older_seccomp_profile_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
