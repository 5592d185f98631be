/* The socket file, and the address.
 *
 * Two processes that start at once must not both believe that the path is theirs: look, remove and
 * bind happen under a lock on the folder. Whoever comes later finds a socket that answers. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "net/http_listen.h"
#include "net/socket.h"

/* Another starting process holds the lock for a few system calls. */
#define LOCK_TRIES    100
#define LOCK_PAUSE_NS (10 * 1000 * 1000)

static enum err_code lock_folder(const char *path, int *ret_fd, struct err *err)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *folder = !slash	      ? base_strdup(".")
				      : slash == path ? base_strdup("/")
						      : base_strndup(path, (size_t)(slash - path));
	if (mkdir(folder, 0750) < 0 && errno != EEXIST)
		return err_set(err, ERR_IO, "make the folder %s: %s", folder, strerror(errno));
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_IO, "open the folder %s: %s", folder, strerror(errno));
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			*ret_fd = fd;
			return ERR_NONE;
		}
		struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };
		nanosleep(&pause, NULL);
	}
	close(fd);
	return err_set(err, ERR_CONFLICT, "the folder %s is locked by another process", folder);
}

/* Remove what a dead process left; refuse what lives or is not a socket. */
static enum err_code clear_path(const char *path, struct err *err)
{
	struct stat found;
	if (lstat(path, &found) < 0) {
		if (errno == ENOENT)
			return ERR_NONE;
		return err_set(err, ERR_IO, "look at %s: %s", path, strerror(errno));
	}
	if (!S_ISSOCK(found.st_mode))
		return err_set(err, ERR_CONFLICT, "%s exists and is not a socket", path);
	struct sockaddr_un address;
	enum err_code code = socket_address(path, &address, err);
	if (code)
		return code;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, ERR_IO, "socket: %s", strerror(errno));
	int result = connect(fd, (const struct sockaddr *)&address, sizeof(address));
	int error = errno;
	close(fd);
	if (result == 0 || error != ECONNREFUSED)
		return err_set(err, ERR_CONFLICT, "another process listens on %s", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return err_set(err, ERR_IO, "remove the dead socket %s: %s", path, strerror(errno));
	return ERR_NONE;
}

static enum err_code bind_path(int fd, const char *path, struct stat *ret_stat, struct err *err)
{
	PRE(path);
	struct sockaddr_un address;
	enum err_code code = socket_address(path, &address, err);
	if (!code)
		code = clear_path(path, err);
	if (code)
		return code;
	/* Nobody can connect between bind and listen, so the mode is right before it matters. */
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return err_set(err, errno == EADDRINUSE ? ERR_CONFLICT : ERR_IO, "bind %s: %s",
			       path, strerror(errno));
	if (chmod(path, 0600) < 0 || lstat(path, ret_stat) < 0 || listen(fd, SOMAXCONN) < 0) {
		err_set(err, ERR_IO, "listen on %s: %s", path, strerror(errno));
		unlink(path);
		return ERR_IO;
	}
	return ERR_NONE;
}

enum err_code http_listen_unix(const char *path, int *ret_fd, struct stat *ret_stat,
			       struct err *err)
{
	struct sockaddr_un address;
	enum err_code code = socket_address(path, &address, err);
	if (code)
		return code;
	int folder = -1;
	code = lock_folder(path, &folder, err);
	if (code)
		return code;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		code = err_set(err, ERR_IO, "socket: %s", strerror(errno));
	else
		code = bind_path(fd, path, ret_stat, err);
	close(folder);
	if (code) {
		if (fd >= 0)
			close(fd);
		return code;
	}
	*ret_fd = fd;
	return ERR_NONE;
}

static enum err_code bind_address(int fd, const struct endpoint *endpoint, struct err *err)
{
	char text[ENDPOINT_TEXT_SIZE];
	struct sockaddr_storage address;
	socklen_t len = 0;
	int yes = 1;
	enum err_code code = socket_tcp_address(endpoint, &address, &len, err);
	if (code)
		return code;
	/* What a former process left in TIME_WAIT is no reason to wait. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(fd, (const struct sockaddr *)&address, len) < 0 || listen(fd, SOMAXCONN) < 0)
		return err_set(err,
			       errno == EADDRINUSE	? ERR_CONFLICT
			       : errno == EADDRNOTAVAIL ? ERR_INVALID
							: ERR_IO,
			       "listen on %s: %s", endpoint_text(endpoint, text), strerror(errno));
	return ERR_NONE;
}

enum err_code http_listen_tcp(const struct endpoint *endpoint, int *ret_fd, int *ret_port,
			      struct err *err)
{
	int family = strchr(endpoint->host, ':') ? AF_INET6 : AF_INET;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, ERR_IO, "socket: %s", strerror(errno));
	enum err_code code = bind_address(fd, endpoint, err);
	if (code) {
		close(fd);
		return code;
	}
	if (ret_port)
		*ret_port = socket_port(fd);
	*ret_fd = fd;
	return ERR_NONE;
}

void http_unlisten_unix(const char *path, const struct stat *bound)
{
	struct stat found;
	if (lstat(path, &found) == 0 && found.st_dev == bound->st_dev &&
	    found.st_ino == bound->st_ino)
		unlink(path);
}
