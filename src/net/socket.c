#include "net/socket.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/text.h"

int64_t socket_clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void socket_deadline_set(struct event *timer, int64_t delay_ms)
{
	if (delay_ms < 0) {
		event_del(timer);
		return;
	}
	struct timeval delay = { .tv_sec = delay_ms / 1000, .tv_usec = delay_ms % 1000 * 1000 };
	event_add(timer, &delay);
}

void socket_ignore_sigpipe(void)
{
	signal(SIGPIPE, SIG_IGN);
}

void socket_bound_input(struct bufferevent *bev, size_t bytes_max)
{
	if (evbuffer_get_length(bufferevent_get_input(bev)) >= bytes_max)
		bufferevent_disable(bev, EV_READ);
}

void socket_read_on(struct bufferevent *bev)
{
	bufferevent_enable(bev, EV_READ);
	bufferevent_trigger(bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

enum err_code socket_address(const char *path, struct sockaddr_un *ret_address, struct err *err)
{
	size_t len = strlen(path);
	if (len == 0 || len >= sizeof(ret_address->sun_path))
		return err_set(err, ERR_INVALID,
			       "the socket's path has %zu bytes; 1 to %zu are possible: %s", len,
			       sizeof(ret_address->sun_path) - 1, path);
	memset(ret_address, 0, sizeof(*ret_address));
	ret_address->sun_family = AF_UNIX;
	memcpy(ret_address->sun_path, path, len + 1);
	return ERR_NONE;
}

static enum err_code dial_failed(const char *path, int error, struct err *err)
{
	switch (error) {
	case ENOENT: return err_set(err, ERR_UNAVAILABLE, "%s does not exist", path);
	case ECONNREFUSED: return err_set(err, ERR_UNAVAILABLE, "nobody listens on %s", path);
	case EACCES:
	case EPERM: return err_set(err, ERR_UNAVAILABLE, "no permission to connect to %s", path);
	case EAGAIN: return err_set(err, ERR_LIMIT, "the queue of %s is full", path);
	default: return err_set(err, ERR_UNAVAILABLE, "connect to %s: %s", path, strerror(error));
	}
}

enum err_code socket_dial(const char *path, int *ret_fd, struct err *err)
{
	struct sockaddr_un address;
	enum err_code code = socket_address(path, &address, err);
	if (code)
		return code;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, ERR_IO, "socket: %s", strerror(errno));
	/* A unix socket connects at once or not at all, also when it does not block. */
	int result;
	do
		result = connect(fd, (const struct sockaddr *)&address, sizeof(address));
	while (result < 0 && errno == EINTR);
	if (result < 0) {
		int error = errno;
		close(fd);
		return dial_failed(path, error, err);
	}
	*ret_fd = fd;
	return ERR_NONE;
}

enum err_code socket_tcp_address(const struct endpoint *endpoint,
				 struct sockaddr_storage *ret_address, socklen_t *ret_len,
				 struct err *err)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				  .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char port[8];
	text_print(port, sizeof(port), "%d", endpoint->port);
	if (getaddrinfo(endpoint->host, port, &hints, &found))
		return err_set(err, ERR_INVALID, "\"%.*s\" is not an address of this machine", 200,
			       endpoint->host);
	memcpy(ret_address, found->ai_addr, found->ai_addrlen);
	*ret_len = found->ai_addrlen;
	freeaddrinfo(found);
	return ERR_NONE;
}

int socket_peer_address(int fd, char *out, size_t size)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	if (getpeername(fd, (struct sockaddr *)&address, &len) < 0)
		return -1;
	return getnameinfo((const struct sockaddr *)&address, len, out, (socklen_t)size, NULL, 0,
			   NI_NUMERICHOST)
		       ? -1
		       : 0;
}

int socket_port(int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	char port[16];
	int64_t number = 0;
	if (getsockname(fd, (struct sockaddr *)&address, &len) < 0 ||
	    getnameinfo((const struct sockaddr *)&address, len, NULL, 0, port, sizeof(port),
			NI_NUMERICSERV) ||
	    parse_int(port, 0, 65535, &number, NULL))
		return 0;
	return (int)number;
}

void socket_no_delay(int fd)
{
	int yes = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}
