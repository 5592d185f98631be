#include "trust/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"

static enum err_code file_error(const char *doing, const char *dir, const char *name,
				struct err *err)
{
	int error = errno;
	return err_set(err, error == ENOSPC || error == EDQUOT ? ERR_STORE_FULL : ERR_STORE,
		       "cannot %s %s/%s: %s", doing, dir, name, strerror(error));
}

/* A new folder's name is durable once the folder that holds it is synced. One that may not be read cannot be. */
static bool sync_parent(const char *path)
{
	char parent[LIMIT_PATH_BYTES];
	const char *slash = strrchr(path, '/');
	text_print(parent, sizeof(parent), "%.*s", slash > path ? (int)(slash - path) : 1,
		   slash ? path : ".");
	int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool durable = fd < 0 || fsync(fd) == 0 || errno == EINVAL;
	if (fd >= 0)
		close(fd);
	return durable;
}

/* mkdir -p, every new folder private. */
static enum err_code make_dirs(const char *path, struct err *err)
{
	char part[LIMIT_PATH_BYTES];
	size_t len = strlen(path);
	if (len == 0 || len >= sizeof(part))
		return err_set(err, ERR_STORE, "the name of a folder has 1 to %zu bytes",
			       sizeof(part) - 1);
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		bool created = mkdir(part, 0700) == 0;
		if ((!created && errno != EEXIST && errno != EISDIR) ||
		    (created && !sync_parent(part)))
			return file_error("create the folder", part, "", err);
	}
	return ERR_NONE;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* The temporary file, whole and synced; closed in every case. */
static bool fill(int fd, const void *bytes, size_t len)
{
	bool done = write_all(fd, bytes, len) && fsync(fd) == 0;
	int error = errno;
	if (close(fd) != 0 && done)
		return false;
	errno = error;
	return done;
}

enum err_code trust_file_write(const char *dir, const char *name, const void *bytes, size_t len,
			       struct err *err)
{
	char temporary[LIMIT_NAME_BYTES + 8];
	text_print(temporary, sizeof(temporary), "%s.new", name);
	enum err_code code = make_dirs(dir, err);
	if (code)
		return code;
	int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return file_error("open", dir, "", err);
	/* What a crash left of an earlier try may be somebody else's to read. */
	unlinkat(dir_fd, temporary, 0);
	int fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			0600);
	if (fd < 0) {
		code = file_error("write", dir, temporary, err);
	} else if (!fill(fd, bytes, len)) {
		code = file_error("write", dir, temporary, err);
		unlinkat(dir_fd, temporary, 0);
	} else if (renameat(dir_fd, temporary, dir_fd, name) != 0 || fsync(dir_fd) != 0) {
		code = file_error("write", dir, name, err);
	}
	close(dir_fd);
	return code;
}

enum err_code trust_file_read(const char *dir, const char *name, char **ret_bytes, size_t *ret_len,
			      struct err *err)
{
	char path[LIMIT_PATH_BYTES];
	text_print(path, sizeof(path), "%s/%s", dir, name);
	FILE *file = fopen(path, "re");
	if (!file && errno == ENOENT)
		return err_set(err, ERR_NOT_FOUND, "there is no file %s", path);
	if (!file)
		return file_error("read", dir, name, err);
	char *bytes = base_calloc(LIMIT_PEM_FILE_BYTES + 2, 1);
	size_t len = fread(bytes, 1, LIMIT_PEM_FILE_BYTES + 1, file);
	enum err_code code = ERR_NONE;
	if (ferror(file))
		code = file_error("read", dir, name, err);
	else if (len > LIMIT_PEM_FILE_BYTES)
		code = err_set(err, ERR_TOO_LARGE, "%s has more than %d bytes", path,
			       LIMIT_PEM_FILE_BYTES);
	fclose(file);
	if (code) {
		base_free(bytes);
		return code;
	}
	bytes[len] = '\0';
	*ret_bytes = bytes;
	if (ret_len)
		*ret_len = len;
	return ERR_NONE;
}

bool trust_file_exists(const char *dir, const char *name)
{
	char path[LIMIT_PATH_BYTES];
	return access(text_print(path, sizeof(path), "%s/%s", dir, name), F_OK) == 0;
}
