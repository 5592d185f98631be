/* Invariants: the child never returns into the caller's code and never writes to the store; its loops end at numbers
 * that were checked, so that no damage makes it endless. */
#include "store/lmdb_verify.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "store/lmdb_format.h"
#include "store/lmdb_pages.h"

#define FREE_PAGES_DBI	0
#define FIRST_DATA_PAGE 2

struct check {
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	struct summary expected;
	struct summary found;
	struct err *err;
};

enum err_code lmdb_err_code(int rc, bool full)
{
	if (rc == MDB_MAP_FULL || full)
		return ERR_STORE_FULL;
	switch (rc) {
	case MDB_PAGE_NOTFOUND:
	case MDB_CORRUPTED:
	case MDB_VERSION_MISMATCH:
	case MDB_INVALID:
	case MDB_CURSOR_FULL:
	case MDB_INCOMPATIBLE:
	case MDB_BAD_VALSIZE:
	case MDB_BAD_DBI: return ERR_DAMAGED;
	default: return ERR_STORE;
	}
}

static enum err_code failed(struct check *check, const char *doing, int rc)
{
	return err_set(check->err, lmdb_err_code(rc, false), "%s: %s", doing, mdb_strerror(rc));
}

static enum err_code damaged(struct check *check, const char *what)
{
	return err_set(check->err, ERR_DAMAGED, "%s", what);
}

static enum err_code read_summary(struct check *check)
{
	MDB_val key = format_key_val(&format_summary_key);
	MDB_val sealed;
	MDB_val payload;
	int rc = mdb_get(check->txn, check->dbi, &key, &sealed);
	if (rc == MDB_NOTFOUND)
		return damaged(check, "the summary of the records is missing");
	if (rc != 0)
		return failed(check, "cannot read the summary of the records", rc);
	if (!format_unseal(key, sealed, &payload) || !summary_decode(payload, &check->expected))
		return damaged(check, "the summary of the records does not match its checksum");
	return ERR_NONE;
}

static enum err_code check_record(struct check *check, MDB_val key, MDB_val sealed)
{
	const uint8_t *bytes = key.mv_data;
	MDB_val payload;
	if (key.mv_size < 2 || key.mv_size > 1 + CHANGE_KEY_BYTES_MAX)
		return damaged(check, "a record has a key of a length that is never written");
	if (!format_unseal(key, sealed, &payload))
		return damaged(check, "a record does not match its checksum");
	if (bytes[0] != 0)
		summary_add(&check->found, key, sealed);
	return ERR_NONE;
}

static enum err_code check_all_records(struct check *check, MDB_cursor *cursor)
{
	uint64_t most = summary_records(&check->expected) + 2;
	for (uint64_t n = 0; n <= most; n++) {
		MDB_val key;
		MDB_val sealed;
		int rc = mdb_cursor_get(cursor, &key, &sealed, MDB_NEXT);
		if (rc == MDB_NOTFOUND)
			return ERR_NONE;
		if (rc != 0)
			return failed(check, "cannot read the records", rc);
		enum err_code code = check_record(check, key, sealed);
		if (code != ERR_NONE)
			return code;
	}
	return damaged(check, "there are more records than the summary counts");
}

static enum err_code check_records(struct check *check)
{
	MDB_cursor *cursor;
	int rc = mdb_cursor_open(check->txn, check->dbi, &cursor);
	if (rc != 0)
		return failed(check, "cannot read the records", rc);
	enum err_code code = check_all_records(check, cursor);
	mdb_cursor_close(cursor);
	if (code != ERR_NONE)
		return code;
	for (int kind = 1; kind < 256; kind++) {
		const struct kind_summary *expected = &check->expected.kinds[kind];
		const struct kind_summary *found = &check->found.kinds[kind];
		if (expected->n != found->n)
			return err_set(check->err, ERR_DAMAGED,
				       "%llu records of kind %d are there, %llu were written",
				       (unsigned long long)found->n, kind,
				       (unsigned long long)expected->n);
		if (expected->digest != found->digest || expected->bytes != found->bytes)
			return err_set(check->err, ERR_DAMAGED,
				       "the records of kind %d are not those that were written",
				       kind);
	}
	return ERR_NONE;
}

static enum err_code check_transaction(struct check *check, bool held_records)
{
	MDB_stat stat;
	int rc = mdb_stat(check->txn, check->dbi, &stat);
	if (rc != 0)
		return failed(check, "cannot read the file", rc);
	if (stat.ms_entries == 0 && !held_records)
		return ERR_NONE;
	enum err_code code = read_summary(check);
	return code == ERR_NONE ? check_records(check) : code;
}

/* LMDB believes what its pages say, so this comes first. */
static enum err_code check_pages(struct check *check, const char *path)
{
	char file[LIMIT_PATH_BYTES];
	text_print(file, sizeof(file), "%s/%s", path, FORMAT_DATA_NAME);
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct stat status = { 0 };
	void *bytes = MAP_FAILED;
	if (fd >= 0 && fstat(fd, &status) == 0)
		bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED)
		return err_set(check->err, ERR_STORE, "cannot read the file: %s", strerror(errno));
	enum err_code code = lmdb_pages_check(bytes, (size_t)status.st_size, check->err);
	munmap(bytes, (size_t)status.st_size);
	close(fd);
	return code;
}

static enum err_code check_file(struct check *check, const char *path, bool held_records)
{
	enum err_code code = check_pages(check, path);
	if (code != ERR_NONE)
		return code;
	int rc = mdb_env_create(&check->env);
	if (rc == 0)
		rc = mdb_env_open(check->env, path, MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS, 0600);
	if (rc == 0)
		rc = mdb_txn_begin(check->env, NULL, MDB_RDONLY, &check->txn);
	if (rc == 0)
		rc = mdb_dbi_open(check->txn, NULL, 0, &check->dbi);
	if (rc != 0)
		return failed(check, "cannot read the file", rc);
	return check_transaction(check, held_records);
}

/* What the child sends to its parent; one write, so that it is whole or absent. */
struct verdict {
	enum err_code code;
	char message[400];
};

static void restore_signals(void)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE };
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(fatal); i++) {
		signal(fatal[i], SIG_DFL);
		sigaddset(&set, fatal[i]);
	}
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static _Noreturn void run_child(const char *path, bool held_records, int verdict_fd, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(2);
	restore_signals();
	struct rlimit no_core = { 0, 0 };
	setrlimit(RLIMIT_CORE, &no_core);
	/* LMDB prints its assertions; the parent has a better message. */
	int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null_fd >= 0)
		dup2(null_fd, STDERR_FILENO);
	struct err err = { 0 };
	struct check *check = base_calloc(1, sizeof(*check));
	check->err = &err;
	struct verdict verdict = { .code = check_file(check, path, held_records) };
	text_print(verdict.message, sizeof(verdict.message), "%s", err.message);
	ssize_t n = write(verdict_fd, &verdict, sizeof(verdict));
	_exit(n == (ssize_t)sizeof(verdict) ? 0 : 2);
}

static enum err_code read_death(const char *path, int status, struct err *err)
{
	int signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	switch (signal_number) {
	case SIGBUS:
		return err_set(
			err, ERR_DAMAGED,
			"the store in %s is damaged: its file is shorter than it was, or the disk "
			"cannot read it",
			path);
	case SIGSEGV:
	case SIGABRT:
	case SIGILL:
	case SIGFPE:
		return err_set(err, ERR_DAMAGED,
			       "the store in %s is damaged: reading it ended with signal %d", path,
			       signal_number);
	default:
		return err_set(err, ERR_STORE, "the check of the store in %s was ended (status %d)",
			       path, status);
	}
}

static enum err_code read_verdict(const char *path, int verdict_fd, pid_t child, struct err *err)
{
	struct verdict verdict;
	ssize_t n;
	do
		n = read(verdict_fd, &verdict, sizeof(verdict));
	while (n < 0 && errno == EINTR);
	int status = 0;
	pid_t reaped;
	do
		reaped = waitpid(child, &status, 0);
	while (reaped < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(verdict))
		return read_death(path, status, err);
	if (verdict.code == ERR_NONE)
		return ERR_NONE;
	verdict.message[sizeof(verdict.message) - 1] = '\0';
	const char *how = verdict.code == ERR_DAMAGED ? "is damaged" : "cannot be checked";
	return err_set(err, verdict.code, "the store in %s %s: %s", path, how, verdict.message);
}

enum err_code lmdb_verify(const char *path, bool held_records, struct err *err)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_set(err, ERR_STORE, "cannot check the store in %s: %s", path,
			       strerror(errno));
	pid_t parent = getpid();
	pid_t child = fork();
	if (child == 0)
		run_child(path, held_records, fds[1], parent);
	close(fds[1]);
	enum err_code code = child < 0 ? err_set(err, ERR_STORE, "cannot check the store in %s: %s",
						 path, strerror(errno))
				       : read_verdict(path, fds[0], child, err);
	close(fds[0]);
	return code;
}
