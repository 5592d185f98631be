/* Preloaded into a program: records what it does to the files below FAULTS_ROOT, and what it says over sockets, into
 * FAULTS_LOG (oplog.h); makes calls fail as FAULTS_FAIL says; makes syncs lie where FAULTS_LIE is set.
 *
 *     FAULTS_FAIL=CLASS:NTH:HOW[:ever]   CLASS write, sync, resize; HOW EIO, ENOSPC, short (a write of half the bytes)
 *
 * NTH counts the calls of the class from 1; only calls on files below the root are counted. A write through O_DSYNC
 * that fails has reached the cache, as with a real disk. A lie claims success and does nothing for durability. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "oplog.h"

#define FDS	       4096
#define SPEECH_BYTES   (64 * 1024)
#define HEARD_BYTES    64
#define NEXT(function) ((__typeof__(&(function)))next_of(#function))

enum call_class { CLASS_WRITE, CLASS_SYNC, CLASS_RESIZE, N_CLASSES };

static const char *const class_names[] = { "write", "sync", "resize" };

/* A descriptor of a file below the root. */
struct tracked {
	uint32_t file; /* 0: none */
	bool durable;
};

static struct tracked fds[FDS];
static char root[PATH_MAX];
static int log_fd = -1;
static bool lie;
static uint32_t files;
static int fail_class = -1;
static long fail_at;
static bool fail_ever;
static int fail_errno; /* 0: short */
static long calls[N_CLASSES];

static void *next_of(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);
	if (!found)
		abort();
	return found;
}

static void read_fail(const char *text)
{
	char how[16] = "", name[16] = "", ever[8] = "";
	if (sscanf(text, "%15[a-z]:%ld:%15[A-Za-z]:%7s", name, &fail_at, how, ever) < 3)
		abort();
	for (int i = 0; i < N_CLASSES; i++)
		if (strcmp(name, class_names[i]) == 0)
			fail_class = i;
	fail_ever = strcmp(ever, "ever") == 0;
	fail_errno = strcmp(how, "EIO") == 0 ? EIO : strcmp(how, "ENOSPC") == 0 ? ENOSPC : 0;
}

__attribute__((constructor)) static void shim_start(void)
{
	const char *folder = getenv("FAULTS_ROOT");
	const char *log = getenv("FAULTS_LOG");
	const char *fail = getenv("FAULTS_FAIL");
	if (!folder || !log || !realpath(folder, root))
		return;
	log_fd = NEXT(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	lie = getenv("FAULTS_LIE") != NULL;
	/* Numbers of several processes in one log must not meet. */
	files = (uint32_t)getpid() << 10;
	if (fail)
		read_fail(fail);
}

static void record(int kind, uint32_t flags, uint32_t file, uint64_t offset, const void *bytes,
		   size_t n)
{
	struct op_head head = { (uint32_t)kind, flags, file, (uint32_t)n, offset };
	struct iovec parts[] = { { &head, sizeof(head) }, { (void *)(uintptr_t)bytes, n } };
	int before = errno;
	if (log_fd >= 0 && NEXT(writev)(log_fd, parts, 2) != (ssize_t)(sizeof(head) + n))
		abort();
	errno = before;
}

/* The path below the root, or NULL. */
static const char *below_root(const char *path)
{
	size_t len = strlen(root);
	if (log_fd < 0 || strncmp(path, root, len) != 0)
		return NULL;
	/* The root itself is "". */
	return path[len] == '/' ? path + len + 1 : path[len] == '\0' ? path + len : NULL;
}

static const char *path_of(int fd, char path[PATH_MAX])
{
	char link[64];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, PATH_MAX - 1);
	path[n > 0 ? n : 0] = '\0';
	return below_root(path);
}

static void track(int fd, int flags, bool created)
{
	char path[PATH_MAX];
	if (fd < 0 || fd >= FDS)
		return;
	fds[fd] = (struct tracked){ 0 };
	const char *name = path_of(fd, path);
	if (!name)
		return;
	if (created)
		record(OP_CREATE, 0, 0, 0, name, strlen(name));
	fds[fd] = (struct tracked){ ++files, (flags & O_DSYNC) != 0 };
	record(OP_NAME, 0, files, 0, name, strlen(name));
}

static struct tracked tracked_of(int fd)
{
	return fd >= 0 && fd < FDS && log_fd >= 0 ? fds[fd] : (struct tracked){ 0 };
}

static bool must_fail(int call_class)
{
	long call = ++calls[call_class];
	return call_class == fail_class && (call == fail_at || (fail_ever && call > fail_at));
}

/* ---- files come and go ---- */

static void record_entry(int kind, uint32_t flags, int dir, const char *path)
{
	char full[PATH_MAX], name[2 * PATH_MAX];
	const char *folder = path_of(dir, full);
	if (!folder)
		return;
	int n = snprintf(name, sizeof(name), "%s/%s", folder, path);
	record(kind, flags, 0, 0, name, (size_t)n);
}

static int open_tracked(int dir, const char *path, int flags, mode_t mode)
{
	struct stat status;
	bool created = log_fd >= 0 && (flags & O_CREAT) && fstatat(dir, path, &status, 0) != 0;
	int fd = NEXT(openat)(dir, path, flags, mode);
	track(fd, flags, created);
	return fd;
}

#define OPEN_BODY(dir)                                                                             \
	va_list arguments;                                                                         \
	va_start(arguments, flags);                                                                \
	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;               \
	va_end(arguments);                                                                         \
	return open_tracked(dir, path, flags, mode)

int open(const char *path, int flags, ...)
{
	OPEN_BODY(AT_FDCWD);
}

int open64(const char *path, int flags, ...)
{
	OPEN_BODY(AT_FDCWD);
}

int openat(int dir, const char *path, int flags, ...)
{
	OPEN_BODY(dir);
}

int openat64(int dir, const char *path, int flags, ...)
{
	OPEN_BODY(dir);
}

int close(int fd)
{
	if (fd == log_fd && fd >= 0)
		return 0;
	if (fd >= 0 && fd < FDS)
		fds[fd] = (struct tracked){ 0 };
	return NEXT(close)(fd);
}

int fcntl64(int fd, int command, ...)
{
	va_list arguments;
	va_start(arguments, command);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	int result = NEXT(fcntl64)(fd, command, argument);
	if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) && result >= 0 && result < FDS)
		fds[result] = tracked_of(fd);
	return result;
}

int fcntl(int fd, int command, ...)
{
	va_list arguments;
	va_start(arguments, command);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	return fcntl64(fd, command, argument);
}

int mkdir(const char *path, mode_t mode)
{
	const char *name = below_root(path);
	int result = NEXT(mkdir)(path, mode);
	if (name && result == 0)
		record(OP_CREATE, OP_FOLDER, 0, 0, name, strlen(name));
	return result;
}

int mkdirat(int dir, const char *path, mode_t mode)
{
	int result = NEXT(mkdirat)(dir, path, mode);
	if (result == 0)
		record_entry(OP_CREATE, OP_FOLDER, dir, path);
	return result;
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	char folder[PATH_MAX], to_folder[PATH_MAX], names[2 * PATH_MAX];
	const char *name = path_of(from_dir, folder);
	const char *to_name = path_of(to_dir, to_folder);
	int result = NEXT(renameat)(from_dir, from, to_dir, to);
	if (name && to_name && result == 0) {
		int n = snprintf(names, sizeof(names), "%s/%s%c%s/%s", name, from, '\0', to_name,
				 to);
		record(OP_RENAME, 0, 0, 0, names, (size_t)n);
	}
	return result;
}

int unlinkat(int dir, const char *path, int flags)
{
	int result = NEXT(unlinkat)(dir, path, flags);
	if (result == 0)
		record_entry(OP_REMOVE, 0, dir, path);
	return result;
}

/* ---- contents ---- */

/* Write `n` bytes at `offset`, or fail as the script says. `at_offset` false: where the descriptor stands. */
static ssize_t write_tracked(int fd, struct tracked file, const uint8_t *bytes, size_t n,
			     off_t offset, bool at_offset)
{
	bool fails = must_fail(CLASS_WRITE);
	bool durable = file.durable && !lie;
	size_t told = fails && fail_errno == 0 ? n / 2 : n;
	/* Nothing was taken, but into the cache by a write that was to be durable at once. */
	bool done = !fails || fail_errno == 0 || file.durable;
	if (!at_offset)
		offset = lseek(fd, 0, SEEK_CUR);
	ssize_t result = !done	     ? 0
			 : at_offset ? NEXT(pwrite)(fd, bytes, told, offset)
				     : NEXT(write)(fd, bytes, told);
	if (result > 0)
		record(OP_WRITE,
		       fails && file.durable ? OP_FAILED
		       : durable	     ? OP_DURABLE
					     : 0,
		       file.file, (uint64_t)offset, bytes, (size_t)result);
	if (!fails || fail_errno == 0)
		return result;
	errno = fail_errno;
	return -1;
}

static ssize_t writev_tracked(int fd, struct tracked file, const struct iovec *parts, int n,
			      off_t offset, bool at_offset)
{
	size_t len = 0;
	for (int i = 0; i < n; i++)
		len += parts[i].iov_len;
	uint8_t *joined = malloc(len + 1);
	if (!joined)
		abort();
	len = 0;
	for (int i = 0; i < n; i++) {
		memcpy(joined + len, parts[i].iov_base, parts[i].iov_len);
		len += parts[i].iov_len;
	}
	ssize_t result = write_tracked(fd, file, joined, len, offset, at_offset);
	free(joined);
	return result;
}

static bool is_socket(int fd)
{
	struct stat status;
	return log_fd >= 0 && fd > 2 && fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

/* Before it is said: what follows from it must be durable by now. */
static void record_speech(int fd, const void *bytes, size_t n)
{
	if (is_socket(fd))
		record(OP_SPEECH, 0, (uint32_t)fd, 0, bytes, n < SPEECH_BYTES ? n : SPEECH_BYTES);
}

static void record_heard(int fd, const void *bytes, ssize_t n)
{
	if (n > 0 && is_socket(fd))
		record(OP_HEARD, 0, (uint32_t)fd, 0, bytes,
		       (size_t)n < HEARD_BYTES ? (size_t)n : HEARD_BYTES);
}

ssize_t write(int fd, const void *bytes, size_t n)
{
	struct tracked file = tracked_of(fd);
	if (file.file)
		return write_tracked(fd, file, bytes, n, 0, false);
	record_speech(fd, bytes, n);
	return NEXT(write)(fd, bytes, n);
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
	struct tracked file = tracked_of(fd);
	if (file.file)
		return writev_tracked(fd, file, parts, n, 0, false);
	if (log_fd >= 0 && is_socket(fd)) {
		uint8_t joined[SPEECH_BYTES];
		size_t len = 0;
		for (int i = 0; i < n; i++) {
			size_t room = sizeof(joined) - len;
			size_t part = parts[i].iov_len < room ? parts[i].iov_len : room;
			memcpy(joined + len, parts[i].iov_base, part);
			len += part;
		}
		record(OP_SPEECH, 0, (uint32_t)fd, 0, joined, len);
	}
	return NEXT(writev)(fd, parts, n);
}

ssize_t send(int fd, const void *bytes, size_t n, int flags)
{
	record_speech(fd, bytes, n);
	return NEXT(send)(fd, bytes, n, flags);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t offset)
{
	struct tracked file = tracked_of(fd);
	return file.file ? write_tracked(fd, file, bytes, n, offset, true)
			 : NEXT(pwrite)(fd, bytes, n, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t offset)
{
	return pwrite(fd, bytes, n, offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t offset)
{
	struct tracked file = tracked_of(fd);
	return file.file ? writev_tracked(fd, file, parts, n, offset, true)
			 : NEXT(pwritev)(fd, parts, n, offset);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int n, off64_t offset)
{
	return pwritev(fd, parts, n, offset);
}

ssize_t read(int fd, void *bytes, size_t n)
{
	ssize_t result = NEXT(read)(fd, bytes, n);
	record_heard(fd, bytes, result);
	return result;
}

ssize_t readv(int fd, const struct iovec *parts, int n)
{
	ssize_t result = NEXT(readv)(fd, parts, n);
	size_t first = n > 0 ? parts[0].iov_len : 0;
	if (result > 0 && n > 0)
		record_heard(fd, parts[0].iov_base,
			     result < (ssize_t)first ? result : (ssize_t)first);
	return result;
}

ssize_t recv(int fd, void *bytes, size_t n, int flags)
{
	ssize_t result = NEXT(recv)(fd, bytes, n, flags);
	record_heard(fd, bytes, result);
	return result;
}

static int resize_tracked(struct tracked file, off_t length, int result)
{
	if (result == 0)
		record(OP_RESIZE, 0, file.file, (uint64_t)length, NULL, 0);
	return result;
}

int ftruncate(int fd, off_t length)
{
	struct tracked file = tracked_of(fd);
	if (!file.file)
		return NEXT(ftruncate)(fd, length);
	if (must_fail(CLASS_RESIZE)) {
		errno = fail_errno ? fail_errno : EIO;
		return -1;
	}
	return resize_tracked(file, length, NEXT(ftruncate)(fd, length));
}

int ftruncate64(int fd, off64_t length)
{
	return ftruncate(fd, length);
}

int posix_fallocate(int fd, off_t offset, off_t length)
{
	struct tracked file = tracked_of(fd);
	if (file.file && must_fail(CLASS_RESIZE))
		return fail_errno ? fail_errno : EIO;
	int result = NEXT(posix_fallocate)(fd, offset, length);
	return file.file ? resize_tracked(file, offset + length, result) : result;
}

int posix_fallocate64(int fd, off64_t offset, off64_t length)
{
	return posix_fallocate(fd, offset, length);
}

/* ---- durability ---- */

static int sync_tracked(int fd, int (*sync_file)(int fd))
{
	struct tracked file = tracked_of(fd);
	if (!file.file)
		return sync_file(fd);
	if (lie)
		return 0;
	if (must_fail(CLASS_SYNC)) {
		record(OP_SYNC, OP_FAILED, file.file, 0, NULL, 0);
		errno = fail_errno ? fail_errno : EIO;
		return -1;
	}
	int result = sync_file(fd);
	record(OP_SYNC, result == 0 ? 0 : OP_FAILED, file.file, 0, NULL, 0);
	return result;
}

int fsync(int fd)
{
	return sync_tracked(fd, NEXT(fsync));
}

int fdatasync(int fd)
{
	return sync_tracked(fd, NEXT(fdatasync));
}
