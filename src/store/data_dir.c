/* Invariants: while a data_dir is open, lock_fd holds an exclusive flock on `lock`, so nobody else who follows the
 * rules touches the folder; has_reserve says whether `reserve` exists in full length. */
#include "store/data_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"

#define LOCK_NAME	 "lock"
#define MARK_NAME	 "drover-store"
#define RESERVE_NAME	 "reserve"
#define MARK_TEXT	 "This folder holds a drover store, version 1.\n"
#define FULL_BELOW_BYTES (64 * 1024)

static enum err_code dir_error(const char *path, const char *doing, struct err *err)
{
	if (errno == ENOSPC || errno == EDQUOT)
		return err_set(err, ERR_STORE_FULL, "cannot %s %s: the disk is full", doing, path);
	return err_set(err, ERR_STORE, "cannot %s %s: %s", doing, path, strerror(errno));
}

/* A new folder's name is durable once the folder that holds it is synced. One that may not be read cannot be. */
static enum err_code sync_parent(char *path, struct err *err)
{
	char *slash = strrchr(path, '/');
	char kept = slash != NULL ? slash[slash == path] : '\0';
	if (slash != NULL)
		slash[slash == path] = '\0';
	int fd = open(slash != NULL ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool durable = fd < 0 || fsync(fd) == 0 || errno == EINVAL;
	enum err_code code = durable ? ERR_NONE : dir_error(path, "write to", err);
	if (slash != NULL)
		slash[slash == path] = kept;
	if (fd >= 0)
		close(fd);
	return code;
}

/* mkdir -p, every new folder private. */
static enum err_code make_dirs(const char *path, struct err *err)
{
	if (strlen(path) >= LIMIT_PATH_BYTES)
		return err_set(err, ERR_STORE, "the name of the data folder is too long");
	char part[LIMIT_PATH_BYTES];
	for (size_t len = 1; len <= strlen(path); len++) {
		if (path[len] != '/' && path[len] != '\0')
			continue;
		memcpy(part, path, len);
		part[len] = '\0';
		bool created = mkdir(part, 0700) == 0;
		if (!created && errno != EEXIST && errno != EISDIR)
			return dir_error(part, "create the folder", err);
		enum err_code code = created ? sync_parent(part, err) : ERR_NONE;
		if (code != ERR_NONE)
			return code;
	}
	return ERR_NONE;
}

static enum err_code open_dir(struct data_dir *dir, struct err *err)
{
	enum err_code code = make_dirs(dir->path, err);
	if (code != ERR_NONE)
		return code;
	dir->dir_fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->dir_fd < 0)
		return dir_error(dir->path, "open the data folder", err);
	struct statfs file_system;
	if (fstatfs(dir->dir_fd, &file_system) == 0 && file_system.f_type == NFS_SUPER_MAGIC)
		return err_set(
			err, ERR_STORE,
			"the data folder %s is on NFS, where locks and syncs cannot be trusted; "
			"use a local disk",
			dir->path);
	return ERR_NONE;
}

/* The process id in the lock file, 0 where it cannot be read. For the message only. */
static long long holder_of(int lock_fd)
{
	char digits[24];
	ssize_t n = pread(lock_fd, digits, sizeof(digits), 0);
	long long pid = 0;
	for (ssize_t i = 0; i < n && i < 18 && digits[i] >= '0' && digits[i] <= '9'; i++)
		pid = pid * 10 + (digits[i] - '0');
	return pid;
}

static enum err_code held_by_other(const struct data_dir *dir, struct err *err)
{
	long long pid = holder_of(dir->lock_fd);
	if (pid > 0)
		return err_set(err, ERR_CONFLICT, "the data folder %s is in use by process %lld",
			       dir->path, pid);
	return err_set(err, ERR_CONFLICT, "the data folder %s is in use by another process",
		       dir->path);
}

static enum err_code lock_dir(struct data_dir *dir, struct err *err)
{
	dir->lock_fd = openat(dir->dir_fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (dir->lock_fd < 0)
		return dir_error(dir->path, "lock the data folder", err);
	if (flock(dir->lock_fd, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK ? held_by_other(dir, err)
					    : dir_error(dir->path, "lock the data folder", err);
	char digits[24];
	text_print(digits, sizeof(digits), "%lld\n", (long long)getpid());
	/* Without the number the lock still holds; a full disk must not keep us from starting. */
	if (ftruncate(dir->lock_fd, 0) == 0 && pwrite(dir->lock_fd, digits, strlen(digits), 0) < 0)
		return ERR_NONE;
	return ERR_NONE;
}

enum err_code data_dir_open(struct data_dir *dir, const char *path, int64_t reserve_bytes,
			    struct err *err)
{
	*dir = (struct data_dir){
		.path = base_strdup(path),
		.dir_fd = -1,
		.lock_fd = -1,
		.reserve_bytes = reserve_bytes,
	};
	enum err_code code =
		path[0] == '\0' ? err_set(err, ERR_STORE, "the name of the data folder is empty")
				: open_dir(dir, err);
	if (code == ERR_NONE)
		code = lock_dir(dir, err);
	if (code == ERR_NONE)
		data_dir_restore_reserve(dir);
	else
		data_dir_release(dir);
	return code;
}

void data_dir_release(struct data_dir *dir)
{
	if (dir->lock_fd >= 0)
		close(dir->lock_fd);
	if (dir->dir_fd >= 0)
		close(dir->dir_fd);
	base_free(dir->path);
	*dir = (struct data_dir){ .dir_fd = -1, .lock_fd = -1 };
}

bool data_dir_is_marked(const struct data_dir *dir)
{
	/* Not by faccessat(): glibc's is a newer call of the kernel, which older seccomp profiles forbid, and a store
	 * must not be taken for none. */
	return data_dir_file_bytes(dir, MARK_NAME) >= 0;
}

enum err_code data_dir_mark(const struct data_dir *dir, struct err *err)
{
	if (data_dir_is_marked(dir))
		return ERR_NONE;
	int fd = openat(dir->dir_fd, MARK_NAME, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return dir_error(dir->path, "write to", err);
	ssize_t n = write(fd, MARK_TEXT, strlen(MARK_TEXT));
	bool durable = n == (ssize_t)strlen(MARK_TEXT) && fsync(fd) == 0 && fsync(dir->dir_fd) == 0;
	int write_errno = n >= 0 && n < (ssize_t)strlen(MARK_TEXT) ? ENOSPC : errno;
	close(fd);
	if (durable)
		return ERR_NONE;
	unlinkat(dir->dir_fd, MARK_NAME, 0);
	errno = write_errno;
	return dir_error(dir->path, "write to", err);
}

int64_t data_dir_file_bytes(const struct data_dir *dir, const char *name)
{
	struct stat status;
	return fstatat(dir->dir_fd, name, &status, 0) == 0 ? (int64_t)status.st_size : -1;
}

enum err_code data_dir_make_folder(const struct data_dir *dir, const char *name, struct err *err)
{
	if (mkdirat(dir->dir_fd, name, 0700) != 0 && errno != EEXIST)
		return dir_error(dir->path, "write to", err);
	return ERR_NONE;
}

enum err_code data_dir_remove(const struct data_dir *dir, const char *name, struct err *err)
{
	if (unlinkat(dir->dir_fd, name, 0) != 0 && errno != ENOENT &&
	    (errno != EISDIR || unlinkat(dir->dir_fd, name, AT_REMOVEDIR) != 0))
		return dir_error(dir->path, "write to", err);
	return ERR_NONE;
}

enum err_code data_dir_rename(const struct data_dir *dir, const char *name, const char *to,
			      struct err *err)
{
	if (renameat(dir->dir_fd, name, dir->dir_fd, to) != 0 || fsync(dir->dir_fd) != 0)
		return dir_error(dir->path, "write to", err);
	return ERR_NONE;
}

int data_dir_read(const struct data_dir *dir, const char *name, int64_t offset, void *bytes,
		  size_t len)
{
	int fd = openat(dir->dir_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	ssize_t n = pread(fd, bytes, len, offset);
	int error = n < 0 ? errno : n < (ssize_t)len ? EIO : 0;
	close(fd);
	return error;
}

int data_dir_write(const struct data_dir *dir, const char *name, int64_t offset, const void *bytes,
		   size_t len)
{
	int fd = openat(dir->dir_fd, name, O_WRONLY | O_DSYNC | O_CLOEXEC);
	if (fd < 0)
		return errno;
	ssize_t n = pwrite(fd, bytes, len, offset);
	int error = n < 0 ? errno : n < (ssize_t)len ? EIO : 0;
	close(fd);
	return error;
}

enum err_code data_dir_allocate(const struct data_dir *dir, const char *name, int64_t bytes,
				struct err *err)
{
	int fd = openat(dir->dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return dir_error(dir->path, "write to", err);
	errno = posix_fallocate(fd, 0, bytes);
	enum err_code code = errno == 0 ? ERR_NONE : dir_error(dir->path, "write to", err);
	close(fd);
	return code;
}

bool data_dir_drop_reserve(struct data_dir *dir)
{
	if (!dir->has_reserve)
		return false;
	dir->has_reserve = false;
	return unlinkat(dir->dir_fd, RESERVE_NAME, 0) == 0;
}

bool data_dir_restore_reserve(struct data_dir *dir)
{
	if (dir->has_reserve || dir->reserve_bytes <= 0)
		return true;
	int fd = openat(dir->dir_fd, RESERVE_NAME, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	dir->has_reserve = posix_fallocate(fd, 0, dir->reserve_bytes) == 0;
	close(fd);
	if (!dir->has_reserve)
		unlinkat(dir->dir_fd, RESERVE_NAME, 0);
	return dir->has_reserve;
}

int64_t data_dir_free_bytes(const struct data_dir *dir)
{
	struct statvfs file_system;
	if (fstatvfs(dir->dir_fd, &file_system) != 0)
		return 0;
	return (int64_t)(file_system.f_bavail * file_system.f_frsize);
}

bool data_dir_is_full(const struct data_dir *dir, int error)
{
	if (error == ENOSPC || error == EDQUOT)
		return true;
	return error == EIO && data_dir_free_bytes(dir) < FULL_BELOW_BYTES;
}
