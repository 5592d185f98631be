/* Listening and letting in. */
#include "net/http_server.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "net/http_listen.h"
#include "net/http_server_private.h"
#include "net/socket.h"

/* Others on the loop want their turn, too. */
#define ACCEPTS_PER_TURN 64
#define ACCEPT_PAUSE_MS	 100

void http_server_options_default(struct http_server_options *options)
{
	*options = (struct http_server_options){
		.connections_max = LIMIT_HTTP_CONNECTIONS,
		.head_timeout_ms = LIMIT_HTTP_HEAD_TIMEOUT_MS,
		.body_timeout_ms = LIMIT_HTTP_REQUEST_TIMEOUT_MS,
		.idle_timeout_ms = LIMIT_HTTP_IDLE_TIMEOUT_MS,
		.write_stall_ms = LIMIT_HTTP_WRITE_STALL_MS,
	};
}

/* Say why in one go and hang up: a full server has no room for more. */
static void turn_away(struct http_server *server, int fd, const char *message)
{
	text_clear(&server->head);
	server_print_error(server, &server->head, 503, "limit", message, false);
	send(fd, server->head.bytes, server->head.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

static void let_in(struct http_server *server, int fd)
{
	struct ucred credentials;
	socklen_t len = sizeof(credentials);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) < 0 ||
	    (credentials.uid != 0 && credentials.uid != geteuid())) {
		close(fd);
		return;
	}
	if (server->n_connections >= server->options.connections_max) {
		turn_away(server, fd, "too many connections");
		return;
	}
	struct http_peer peer = { .unix_socket = true,
				  .uid = credentials.uid,
				  .pid = credentials.pid };
	server_connection_new(server, fd, &peer);
}

static int open_spare(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Out of descriptors: shed one caller, then leave the others in the kernel's queue for a while. */
static void pause_accepting(struct http_server *server)
{
	if (server->spare_fd >= 0) {
		close(server->spare_fd);
		int fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
			turn_away(server, fd, "out of file descriptors");
		server->spare_fd = open_spare();
	}
	event_del(server->accept_event);
	socket_deadline_set(server->accept_again, ACCEPT_PAUSE_MS);
}

static void on_accept_again(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	struct http_server *server = argument;
	if (server->spare_fd < 0)
		server->spare_fd = open_spare();
	event_add(server->accept_event, NULL);
}

static void on_accept(evutil_socket_t listen_fd, short what, void *argument)
{
	(void)what;
	struct http_server *server = argument;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			let_in(server, fd);
		} else if (errno == EAGAIN) {
			return;
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			   errno == ENOMEM) {
			pause_accepting(server);
			return;
		}
		/* Anything else is about that one caller. */
	}
}

struct http_server *http_server_new(struct event_base *base,
				    const struct http_server_options *options,
				    const struct http_handler *handler, void *owner)
{
	PRE(handler->begin && handler->request && handler->closed);
	PRE(options->connections_max > 0);
	socket_ignore_sigpipe();
	struct http_server *server = base_calloc(1, sizeof(*server));
	server->base = base;
	server->options = *options;
	server->handler = *handler;
	server->owner = owner;
	server->listen_fd = -1;
	server->spare_fd = open_spare();
	text_init(&server->head, LIMIT_GROUP_BYTES);
	TAILQ_INIT(&server->connections);
	return server;
}

enum err_code http_server_listen_unix(struct http_server *server, const char *path, struct err *err)
{
	PRE(server->listen_fd < 0);
	enum err_code code = http_listen_unix(path, &server->listen_fd, &server->bound, err);
	if (code)
		return code;
	server->path = base_strdup(path);
	server->accept_event =
		event_new(server->base, server->listen_fd, EV_READ | EV_PERSIST, on_accept, server);
	server->accept_again = evtimer_new(server->base, on_accept_again, server);
	INVARIANT(server->accept_event);
	INVARIANT(server->accept_again);
	event_add(server->accept_event, NULL);
	return ERR_NONE;
}

void http_server_free(struct http_server *server)
{
	if (!server)
		return;
	PRE(server->depth == 0);
	if (server->listen_fd >= 0) {
		event_free(server->accept_event);
		event_free(server->accept_again);
		http_unlisten_unix(server->path, &server->bound);
		close(server->listen_fd);
	}
	struct server_connection *connection;
	while ((connection = TAILQ_FIRST(&server->connections)))
		server_connection_free(connection);
	if (server->spare_fd >= 0)
		close(server->spare_fd);
	text_release(&server->head);
	base_free(server->path);
	base_free(server);
}
