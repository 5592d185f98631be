#include "manager/audit.h"

#include "base/testing.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"

#define NOON_MS 1795867200123LL /* 2026-11-28T12:00:00.123Z */

static char top[64];

static const char *file_path(const char *name)
{
	static char path[128];
	return text_print(path, sizeof(path), "%s/%s", top, name);
}

static int setup(void **state)
{
	(void)state;
	text_print(top, sizeof(top), "/tmp/drover-audit-XXXXXX");
	return mkdtemp(top) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *where)
{
	(void)found, (void)kind, (void)where;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	return nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct audit *open_audit(int64_t expected_bad_line)
{
	struct audit *audit = NULL;
	int64_t bad_line = -1;
	struct err err;
	if (audit_open(top, &audit, &bad_line, &err))
		fail_msg("%s", err.message);
	assert_int_equal(bad_line, expected_bad_line);
	return audit;
}

static void write_line(struct audit *audit, const char *caller, const char *act,
		       const char *subject)
{
	struct err err;
	if (audit_write(audit, NOON_MS, caller, act, subject, false, &err))
		fail_msg("%s", err.message);
}

static char *read_log(const char *name)
{
	struct text text;
	char piece[4096];
	text_init(&text, 64 << 20);
	FILE *file = fopen(file_path(name), "r");
	assert_non_null(file);
	for (size_t got; (got = fread(piece, 1, sizeof(piece), file)) > 0;)
		text_add_bytes(&text, piece, got);
	fclose(file);
	return text_take(&text);
}

static void write_log(const char *bytes, size_t len)
{
	FILE *file = fopen(file_path("audit.log"), "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	fclose(file);
}

static void three_lines(void)
{
	struct audit *audit = open_audit(0);
	write_line(audit, "uid:0", "apply", "shop");
	write_line(audit, "uid:0", "node_drain", "n2");
	write_line(audit, "uid:1000", "stop", "shop/web");
	audit_close(audit);
}

static void a_line_tells_when_who_and_what(void **state)
{
	(void)state;
	unlink(file_path("audit.log"));
	three_lines();
	_cleanup_free_ char *text = read_log("audit.log");
	assert_int_equal(strncmp(text, "2026-11-28T12:00:00.123Z uid:0 apply shop ", 42), 0);
	assert_non_null(strstr(text, "\n2026-11-28T12:00:00.123Z uid:1000 stop shop/web "));
}

static void the_chain_goes_on_over_restarts(void **state)
{
	(void)state;
	unlink(file_path("audit.log"));
	three_lines();
	three_lines();
	audit_close(open_audit(0));
}

static void a_changed_line_shows(void **state)
{
	(void)state;
	unlink(file_path("audit.log"));
	three_lines();
	_cleanup_free_ char *text = read_log("audit.log");
	memcpy(strstr(text, "n2"), "n3", 2);
	write_log(text, strlen(text));
	audit_close(open_audit(2));
}

static void a_line_that_was_taken_out_shows(void **state)
{
	(void)state;
	unlink(file_path("audit.log"));
	three_lines();
	_cleanup_free_ char *text = read_log("audit.log");
	const char *second = strchr(text, '\n') + 1;
	const char *third = strchr(second, '\n') + 1;
	struct text left;
	text_init(&left, 4096);
	text_add_bytes(&left, text, (size_t)(second - text));
	text_add(&left, third);
	write_log(text_string(&left), left.len);
	text_release(&left);
	audit_close(open_audit(2));
}

static void a_line_cut_off_by_a_crash_is_dropped(void **state)
{
	(void)state;
	unlink(file_path("audit.log"));
	three_lines();
	_cleanup_free_ char *text = read_log("audit.log");
	write_log(text, strlen(text) - 10);
	three_lines();
	audit_close(open_audit(0));
}

static void nothing_in_the_words_can_make_a_line(void **state)
{
	(void)state;
	unlink(file_path("audit.log"));
	struct audit *audit = open_audit(0);
	write_line(audit, "a\nb", "stop", "x y\t\x7f\xc3\xa4");
	audit_close(audit);
	_cleanup_free_ char *text = read_log("audit.log");
	assert_non_null(strstr(text, " a_b stop x_y____ "));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	audit_close(open_audit(0));
}

static void large_logs_are_rotated_and_the_chain_goes_on(void **state)
{
	(void)state;
	unlink(file_path("audit.log"));
	struct audit *audit = open_audit(0);
	struct err err;
	_cleanup_free_ char *name = base_calloc(1001, 1);
	memset(name, 'n', 1000);
	/* Two files' worth of lines. */
	for (int64_t i = 0; i < 2 * LIMIT_AUDIT_FILE_BYTES / 1000; i++)
		assert_int_equal(audit_write(audit, NOON_MS, "uid:0", "stop", name, false, &err),
				 0);
	audit_close(audit);
	assert_int_equal(access(file_path("audit.1.log"), F_OK), 0);
	_cleanup_free_ char *text = read_log("audit.log");
	assert_int_equal(strncmp(text, "chain ", 6), 0);
	audit_close(open_audit(0));
}

static void move(const char *from, const char *to)
{
	char old_path[128];
	text_print(old_path, sizeof(old_path), "%s/%s", top, from);
	assert_int_equal(rename(old_path, file_path(to)), 0);
}

static void write_until_full(struct audit *audit)
{
	struct err err;
	_cleanup_free_ char *name = base_calloc(1001, 1);
	struct stat log;
	memset(name, 'n', 1000);
	do {
		assert_int_equal(audit_write(audit, NOON_MS, "uid:0", "stop", name, false, &err),
				 0);
		assert_int_equal(stat(file_path("audit.log"), &log), 0);
	} while (log.st_size < LIMIT_AUDIT_FILE_BYTES);
}

/* Nothing of what was written is lost by it, however often it is tried. */
static void a_rotation_that_fails_is_tried_again(void **state)
{
	(void)state;
	struct err err;
	unlink(file_path("audit.log"));
	unlink(file_path("audit.1.log"));
	unlink(file_path("audit.2.log"));
	struct audit *audit = open_audit(0);
	write_until_full(audit);
	assert_int_equal(mkdir(file_path("audit.next.log"), 0700), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(audit_write(audit, NOON_MS, "uid:0", "stop", "", false, &err),
				 ERR_STORE);
		assert_string_equal(err.message, "rotate the audit log: Is a directory");
	}
	assert_int_equal(access(file_path("audit.1.log"), F_OK), -1);
	assert_int_equal(rmdir(file_path("audit.next.log")), 0);
	write_line(audit, "uid:0", "drain", "alpha");
	audit_close(audit);
	assert_int_equal(access(file_path("audit.1.log"), F_OK), 0);
	assert_int_equal(access(file_path("audit.2.log"), F_OK), -1);
	audit_close(open_audit(0));
}

static void a_rotation_cut_off_by_a_crash_is_finished(void **state)
{
	(void)state;
	unlink(file_path("audit.log"));
	struct audit *audit = open_audit(0);
	write_until_full(audit);
	write_line(audit, "uid:0", "drain", "alpha");
	audit_close(audit);
	_cleanup_free_ char *before = read_log("audit.log");
	move("audit.log", "audit.next.log");
	audit_close(open_audit(0));
	_cleanup_free_ char *after = read_log("audit.log");
	assert_string_equal(after, before);
}

/* It is a part of what the manager stores: it says so, and the caller may try again. */
static void a_log_that_cannot_be_written_is_a_failed_store(void **state)
{
	(void)state;
	struct err err;
	struct audit *audit = open_audit(0);
	struct rlimit whole;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &whole), 0);
	struct rlimit none = { .rlim_cur = 0, .rlim_max = whole.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	enum err_code code = audit_write(audit, NOON_MS, "uid:0", "stop", "", false, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &whole), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(code, ERR_STORE);
	write_line(audit, "uid:0", "stop", "");
	audit_close(audit);
	audit_close(open_audit(0));

	int64_t bad_line;
	unlink(file_path("audit.log"));
	assert_int_equal(mkdir(file_path("audit.log"), 0700), 0);
	assert_int_equal(audit_open(top, &audit, &bad_line, &err), ERR_STORE);
	assert_string_equal(err.message, "open the audit log: Is a directory");
	assert_int_equal(rmdir(file_path("audit.log")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_tells_when_who_and_what),
		TEST(the_chain_goes_on_over_restarts),
		TEST(a_changed_line_shows),
		TEST(a_line_that_was_taken_out_shows),
		TEST(a_line_cut_off_by_a_crash_is_dropped),
		TEST(nothing_in_the_words_can_make_a_line),
		TEST(large_logs_are_rotated_and_the_chain_goes_on),
		TEST(a_rotation_that_fails_is_tried_again),
		TEST(a_rotation_cut_off_by_a_crash_is_finished),
		TEST(a_log_that_cannot_be_written_is_a_failed_store),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
