/* What the LMDB store owes beyond the contract: it outlives the process, and there is one of it. */
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/seccomp_testing.h"
#include "base/uuid.h"
#include "store/data_dir.h"
#include "store/store_testing.h"

struct fixture {
	struct store *store;
	struct changes changes;
	struct err err;
	char dir[64];
	struct store_options options;
};

static struct fixture *fixture_new(void)
{
	struct fixture *f = base_calloc(1, sizeof(*f));
	f->options.dir = testing_make_dir(f->dir);
	f->options.reserve_bytes = 256 * 1024;
	return f;
}

static enum err_code try_open(struct fixture *f)
{
	return store_lmdb.open(&f->options, &f->store, &f->err);
}

static void open_store(struct fixture *f)
{
	enum err_code code = try_open(f);
	if (code != ERR_NONE)
		fail_msg("%s", f->err.message);
}

static void fixture_free(struct fixture *f)
{
	testing_remove_dir(f->dir);
	changes_release(&f->changes);
	base_free(f);
}

static enum err_code commit(struct fixture *f)
{
	return testing_commit(&store_lmdb, f->store, &f->changes, &f->err);
}

static void what_was_committed_is_there_after_opening_again(void **state)
{
	(void)state;
	struct fixture *f = fixture_new();
	open_store(f);
	testing_put(&f->changes, RECORD_JOB, "web", "1");
	testing_put(&f->changes, RECORD_TASK, "t", "2");
	assert_int_equal(commit(f), ERR_NONE);
	store_lmdb.close(f->store);
	open_store(f);
	testing_assert_contents(&store_lmdb, f->store, "3:web=1 5:t=2");
	testing_put(&f->changes, RECORD_JOB, "web", NULL);
	testing_put(&f->changes, RECORD_TASK, "t", NULL);
	assert_int_equal(commit(f), ERR_NONE);
	store_lmdb.close(f->store);
	open_store(f);
	testing_assert_contents(&store_lmdb, f->store, "");
	store_lmdb.close(f->store);
	fixture_free(f);
}

/* The power went while the first start made the file: nothing was ever in it. */
static void what_a_first_start_left_half_made_is_made_anew(void **state)
{
	(void)state;
	struct fixture *f = fixture_new();
	char path[100];
	snprintf(path, sizeof(path), "%s/new", f->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/new/data.mdb", f->dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "half", 4), 4);
	close(fd);
	open_store(f);
	assert_int_equal(access(path, F_OK), -1);
	testing_put(&f->changes, RECORD_JOB, "web", "1");
	assert_int_equal(commit(f), ERR_NONE);
	store_lmdb.close(f->store);
	open_store(f);
	testing_assert_contents(&store_lmdb, f->store, "3:web=1");
	store_lmdb.close(f->store);
	fixture_free(f);
}

static void a_second_opener_is_refused_and_told_the_process(void **state)
{
	(void)state;
	struct fixture *f = fixture_new();
	open_store(f);
	struct store *second;
	assert_int_equal(store_lmdb.open(&f->options, &second, &f->err), ERR_CONFLICT);
	char expected[200];
	snprintf(expected, sizeof(expected), "the data folder %s is in use by process %d", f->dir,
		 (int)getpid());
	assert_string_equal(f->err.message, expected);
	store_lmdb.close(f->store);
	open_store(f);
	store_lmdb.close(f->store);
	fixture_free(f);
}

static void missing_folders_are_made_private(void **state)
{
	(void)state;
	struct fixture *f = fixture_new();
	char deep[100];
	snprintf(deep, sizeof(deep), "%s/a/b", f->dir);
	f->options.dir = deep;
	open_store(f);
	store_lmdb.close(f->store);
	struct stat status;
	assert_int_equal(stat(deep, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0700);
	char file[120];
	snprintf(file, sizeof(file), "%s/data.mdb", deep);
	assert_int_equal(stat(file, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	fixture_free(f);
}

static void a_folder_that_cannot_be_made_is_an_error_with_its_name(void **state)
{
	(void)state;
	struct fixture *f = fixture_new();
	char path[100];
	snprintf(path, sizeof(path), "%s/file", f->dir);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	memcpy(path + strlen(path), "/data", 6);
	f->options.dir = path;
	assert_int_equal(try_open(f), ERR_STORE);
	assert_non_null(strstr(f->err.message, path));
	f->options.dir = "";
	assert_int_equal(try_open(f), ERR_STORE);
	fixture_free(f);
}

static void the_map_grows_as_the_data_does(void **state)
{
	(void)state;
	struct fixture *f = fixture_new();
	f->options.map_bytes_max = 256LL << 20;
	open_store(f);
	for (int i = 0; i < 100; i++) {
		testing_put_bytes(&f->changes, i, 1000000, 'x');
		assert_int_equal(commit(f), ERR_NONE);
	}
	store_lmdb.close(f->store);
	open_store(f);
	int64_t used;
	int64_t max;
	store_lmdb.size(f->store, &used, &max);
	assert_true(used > 100000000);
	store_lmdb.close(f->store);
	fixture_free(f);
}

static void a_limit_below_what_is_stored_still_opens(void **state)
{
	(void)state;
	struct fixture *f = fixture_new();
	f->options.map_bytes_max = 8 << 20;
	open_store(f);
	for (int i = 0; i < 4; i++) {
		testing_put_bytes(&f->changes, i, 500000, 'x');
		assert_int_equal(commit(f), ERR_NONE);
	}
	store_lmdb.close(f->store);
	f->options.map_bytes_max = 1 << 20;
	open_store(f);
	testing_put_bytes(&f->changes, 4, 500000, 'x');
	assert_int_equal(commit(f), ERR_STORE_FULL);
	testing_put(&f->changes, RECORD_TASK, "key-1", NULL);
	assert_int_equal(commit(f), ERR_NONE);
	store_lmdb.close(f->store);
	fixture_free(f);
}

/* Values of every size come, change, shrink and go: pages are split, joined, freed and used again. */
static void churn(struct fixture *f, struct random *random)
{
	for (int i = 0; i < 150; i++) {
		int number = (int)random_below(random, 300);
		char key[16];
		if (random_below(random, 3) == 0) {
			text_print(key, sizeof(key), "key-%d", number);
			testing_put(&f->changes, RECORD_TASK, key, NULL);
		} else {
			size_t len_max = random_below(random, 4) == 0 ? 30000 : 600;
			testing_put_bytes(&f->changes, number, random_below(random, len_max), 'x');
		}
		if (random_below(random, 4) == 0)
			changes_begin_group(&f->changes);
		if (random_below(random, 20) == 0)
			assert_int_equal(commit(f), ERR_NONE);
	}
	assert_int_equal(commit(f), ERR_NONE);
}

static void a_store_that_is_whole_is_never_taken_for_damaged(void **state)
{
	(void)state;
	struct fixture *f = fixture_new();
	struct random random = { .state = 11 };
	open_store(f);
	for (int round = 0; round < 40; round++) {
		churn(f, &random);
		char *before = testing_contents(&store_lmdb, f->store);
		store_lmdb.close(f->store);
		open_store(f);
		testing_assert_contents(&store_lmdb, f->store, before);
		base_free(before);
	}
	store_lmdb.close(f->store);
	fixture_free(f);
}

/* A file system of 2 MB mounted on the fixture's folder, in a mount namespace of its own. */
static bool mount_small_disk(const char *dir)
{
	return mount("drover-test", dir, "tmpfs", 0, "size=2m,mode=0700") == 0;
}

static int fill_disk(struct fixture *f)
{
	for (int i = 0; i < 1000; i++) {
		testing_put_bytes(&f->changes, i, 4000, 'x');
		enum err_code code = commit(f);
		if (code == ERR_STORE_FULL)
			return i;
		assert_int_equal(code, ERR_NONE);
	}
	fail_msg("the disk never was full");
	return 0;
}

static void use_full_disk(struct fixture *f)
{
	open_store(f);
	int n = fill_disk(f);
	assert_true(n > 20);
	assert_non_null(strstr(f->err.message, "disk"));
	testing_put_bytes(&f->changes, n, 4000, 'x');
	assert_int_equal(commit(f), ERR_STORE_FULL);
	assert_int_equal(store_lmdb.probe(f->store, &f->err) == ERR_NONE, false);
	store_lmdb.close(f->store);
	open_store(f);
	for (int i = 0; i < n; i++) {
		char key[16];
		testing_put(&f->changes, RECORD_TASK, text_print(key, sizeof(key), "key-%d", i),
			    NULL);
		assert_int_equal(commit(f), ERR_NONE);
	}
	testing_assert_contents(&store_lmdb, f->store, "");
	assert_true(fill_disk(f) > n / 2);
	store_lmdb.close(f->store);
}

static void on_a_full_disk_deletes_still_commit(void **state)
{
	(void)state;
	struct fixture *f = fixture_new();
	if (!mount_small_disk(f->dir)) {
		fixture_free(f);
		skip();
	}
	use_full_disk(f);
	assert_int_equal(umount2(f->dir, MNT_DETACH), 0);
	fixture_free(f);
}

static int look_for_mark_without_newer_calls(const char *path)
{
	struct data_dir dir;
	struct err err;
	if (!testing_refuse_newer_calls())
		return -1;
	if (data_dir_open(&dir, path, 0, &err) != ERR_NONE)
		return 1;
	return data_dir_is_marked(&dir) ? 0 : 2;
}

static void a_store_is_known_under_an_older_seccomp_profile_too(void **state)
{
	(void)state;
	struct fixture *f = fixture_new();
	int status;
	open_store(f);
	store_lmdb.close(f->store);
	f->store = NULL;
	/* What is refused once stays refused. */
	pid_t child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0)
		_exit(look_for_mark_without_newer_calls(f->dir) & 0xff);
	assert_int_equal(waitpid(child, &status, 0), child);
	fixture_free(f);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 0xff)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_store_is_known_under_an_older_seccomp_profile_too),
		cmocka_unit_test(what_was_committed_is_there_after_opening_again),
		cmocka_unit_test(what_a_first_start_left_half_made_is_made_anew),
		cmocka_unit_test(a_second_opener_is_refused_and_told_the_process),
		cmocka_unit_test(missing_folders_are_made_private),
		cmocka_unit_test(a_folder_that_cannot_be_made_is_an_error_with_its_name),
		cmocka_unit_test(the_map_grows_as_the_data_does),
		cmocka_unit_test(a_limit_below_what_is_stored_still_opens),
		cmocka_unit_test(a_store_that_is_whole_is_never_taken_for_damaged),
		cmocka_unit_test(on_a_full_disk_deletes_still_commit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
