/* Invariant: `chain` is the hash of the last whole line of the file, and `file_bytes` where it ends. */
#include "manager/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"

#define HASH_TEXT_SIZE (2 * SHA256_DIGEST_LENGTH + 1)
#define LINE_BYTES_MAX 2048
#define NAME	       "audit.log"
#define NAME_NEXT      "audit.next.log"
/* Begins a file that goes on from another: "chain HASH". */
#define CHAIN_WORD "chain "

struct audit {
	int dir_fd;
	int fd;
	int64_t file_bytes;
	char chain[HASH_TEXT_SIZE];
};

static enum err_code fail(const char *what, int error, struct err *err)
{
	enum err_code code = error == ENOSPC || error == EDQUOT ? ERR_STORE_FULL : ERR_STORE;
	return err_set(err, code, "%s the audit log: %s", what, strerror(error));
}

/* The hash that ends a line of these words. */
static void link_chain(const char *chain, const char *words, size_t len, char out[HASH_TEXT_SIZE])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	struct text text;
	text_init(&text, HASH_TEXT_SIZE + LINE_BYTES_MAX);
	text_add(&text, chain);
	text_add_bytes(&text, words, len);
	SHA256((const unsigned char *)text_string(&text), text.len, digest);
	text_release(&text);
	for (size_t i = 0; i < sizeof(digest); i++)
		text_print(out + 2 * i, 3, "%02x", digest[i]);
}

/* ---- reading ---- */

/* Go on over one line, without its newline. False: it does not follow from what came before; the chain goes on from
 * the hash it carries. */
static bool follow(struct audit *audit, const char *line, size_t len)
{
	char expected[HASH_TEXT_SIZE];
	if (len >= HASH_TEXT_SIZE && !audit->chain[0] &&
	    strncmp(line, CHAIN_WORD, strlen(CHAIN_WORD)) == 0) {
		text_print(audit->chain, sizeof(audit->chain), "%.*s", HASH_TEXT_SIZE - 1,
			   line + strlen(CHAIN_WORD));
		return true;
	}
	if (len < HASH_TEXT_SIZE)
		return false;
	size_t words = len - HASH_TEXT_SIZE; /* the hash and the blank before it */
	link_chain(audit->chain, line, words, expected);
	text_print(audit->chain, sizeof(audit->chain), "%.*s", HASH_TEXT_SIZE - 1,
		   line + words + 1);
	return strcmp(expected, audit->chain) == 0;
}

static enum err_code read_through(struct audit *audit, int64_t *ret_bad_line, struct err *err)
{
	int fd = dup(audit->fd);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	char *line = NULL;
	size_t capacity = 0;
	int64_t number = 0;
	if (!file)
		return fail("read", errno, err);
	rewind(file);
	for (ssize_t len; (len = getline(&line, &capacity, file)) > 0;) {
		if (line[len - 1] != '\n')
			break;
		number++;
		if (!follow(audit, line, (size_t)len - 1) && !*ret_bad_line)
			*ret_bad_line = number;
		audit->file_bytes += len;
	}
	bool failed = ferror(file) != 0;
	free(line);
	fclose(file);
	if (failed)
		return fail("read", EIO, err);
	struct stat now;
	if (fstat(audit->fd, &now) < 0)
		return fail("read", errno, err);
	if (now.st_size > audit->file_bytes && ftruncate(audit->fd, audit->file_bytes) < 0)
		return fail("cut", errno, err);
	return ERR_NONE;
}

/* Between the two renames of a rotation there is no audit.log, but the one that is to follow. */
static enum err_code finish_rotation(const struct audit *audit, struct err *err)
{
	struct stat status;
	if (fstatat(audit->dir_fd, NAME, &status, 0) == 0)
		return ERR_NONE;
	if (renameat(audit->dir_fd, NAME_NEXT, audit->dir_fd, NAME) < 0 && errno != ENOENT)
		return fail("rotate", errno, err);
	return ERR_NONE;
}

static enum err_code open_file(struct audit *audit, struct err *err)
{
	audit->fd = openat(audit->dir_fd, NAME, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	return audit->fd < 0 ? fail("open", errno, err) : ERR_NONE;
}

enum err_code audit_open(const char *dir, struct audit **ret_audit, int64_t *ret_bad_line,
			 struct err *err)
{
	struct audit *audit = base_calloc(1, sizeof(*audit));
	enum err_code code = ERR_NONE;
	*ret_bad_line = 0;
	audit->fd = -1;
	audit->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (audit->dir_fd < 0)
		code = fail("find the folder of", errno, err);
	if (!code)
		code = finish_rotation(audit, err);
	if (!code)
		code = open_file(audit, err);
	if (!code)
		code = read_through(audit, ret_bad_line, err);
	if (code)
		audit_close(audit);
	else
		*ret_audit = audit;
	return code;
}

void audit_close(struct audit *audit)
{
	if (!audit)
		return;
	if (audit->fd >= 0)
		close(audit->fd);
	if (audit->dir_fd >= 0)
		close(audit->dir_fd);
	base_free(audit);
}

/* ---- writing ---- */

static enum err_code append(struct audit *audit, const struct text *line, struct err *err)
{
	ssize_t written = write(audit->fd, text_string(line), line->len);
	if (written == (ssize_t)line->len) {
		audit->file_bytes += written;
		return ERR_NONE;
	}
	int error = written < 0 ? errno : ENOSPC;
	/* Half a line must not stand before the next one. */
	if (written > 0 && ftruncate(audit->fd, audit->file_bytes) < 0)
		error = errno;
	return fail("write", error, err);
}

/* A file that goes on from the one before. */
static enum err_code open_next(const struct audit *audit, int *ret_fd, int64_t *ret_bytes,
			       struct err *err)
{
	char line[HASH_TEXT_SIZE + sizeof(CHAIN_WORD)];
	int fd = openat(audit->dir_fd, NAME_NEXT, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC,
			0600);
	if (fd < 0)
		return fail("rotate", errno, err);
	size_t len = strlen(text_print(line, sizeof(line), CHAIN_WORD "%s\n", audit->chain));
	ssize_t written = write(fd, line, len);
	if (written != (ssize_t)len) {
		int error = written < 0 ? errno : ENOSPC;
		close(fd);
		return fail("rotate", error, err);
	}
	*ret_fd = fd;
	*ret_bytes = written;
	return ERR_NONE;
}

/* audit.log becomes audit.1.log, and so on. Not twice, where the last try got no further than that. */
static enum err_code shift_files(const struct audit *audit, struct err *err)
{
	char from[32];
	char to[32];
	struct stat status;
	if (fstatat(audit->dir_fd, NAME, &status, 0) < 0 && errno == ENOENT)
		return ERR_NONE;
	for (int i = AUDIT_FILES_KEPT; i > 0; i--) {
		text_print(to, sizeof(to), "audit.%d.log", i);
		text_print(from, sizeof(from), i > 1 ? "audit.%d.log" : NAME, i - 1);
		if (renameat(audit->dir_fd, from, audit->dir_fd, to) < 0 && errno != ENOENT)
			return fail("rotate", errno, err);
	}
	return ERR_NONE;
}

/* What may well fail comes first: until then nothing has changed. */
static enum err_code rotate(struct audit *audit, struct err *err)
{
	int fd = -1;
	int64_t file_bytes = 0;
	enum err_code code = open_next(audit, &fd, &file_bytes, err);
	if (code)
		return code;
	code = shift_files(audit, err);
	if (!code)
		code = finish_rotation(audit, err);
	if (code) {
		close(fd);
		return code;
	}
	close(audit->fd);
	audit->fd = fd;
	audit->file_bytes = file_bytes;
	return ERR_NONE;
}

static void add_word(struct text *line, const char *word)
{
	if (!*word)
		return;
	text_add_char(line, ' ');
	for (; *word && line->len < LINE_BYTES_MAX / 2; word++)
		text_add_char(line, *word > ' ' && *word < 127 ? *word : '_');
}

static void add_time(struct text *line, int64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm utc;
	char stamp[32];
	gmtime_r(&seconds, &utc);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
	text_addf(line, "%s.%lld%lld%lldZ", stamp, (long long)(wall_ms % 1000 / 100),
		  (long long)(wall_ms % 100 / 10), (long long)(wall_ms % 10));
}

enum err_code audit_write(struct audit *audit, int64_t wall_ms, const char *caller, const char *act,
			  const char *subject, bool grave, struct err *err)
{
	struct text line;
	char hash[HASH_TEXT_SIZE];
	enum err_code code = ERR_NONE;
	if (audit->file_bytes >= LIMIT_AUDIT_FILE_BYTES)
		code = rotate(audit, err);
	if (code)
		return code;
	text_init(&line, LINE_BYTES_MAX);
	add_time(&line, wall_ms > 0 ? wall_ms : 0);
	add_word(&line, caller);
	add_word(&line, act);
	add_word(&line, subject);
	link_chain(audit->chain, text_string(&line), line.len, hash);
	text_addf(&line, " %s\n", hash);
	code = append(audit, &line, err);
	text_release(&line);
	if (code)
		return code;
	text_print(audit->chain, sizeof(audit->chain), "%s", hash);
	return grave && fdatasync(audit->fd) < 0 ? fail("write", errno, err) : ERR_NONE;
}
