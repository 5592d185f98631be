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
		.handshake_timeout_ms = LIMIT_TLS_HANDSHAKE_MS,
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

static void let_in_unix(struct http_server *server, int fd)
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
	server_connection_new(server, fd, &peer, NULL);
}

static void let_in_tcp(struct server_listener *listener, int fd)
{
	struct http_server *server = listener->server;
	struct http_peer peer = { .tls = true };
	/* Nothing can be said before a handshake. */
	if (server->n_connections >= server->options.connections_max ||
	    socket_peer_address(fd, peer.address, sizeof(peer.address))) {
		close(fd);
		return;
	}
	socket_no_delay(fd);
	server_connection_new(server, fd, &peer, listener->tls);
}

static int open_spare(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Out of descriptors: shed one caller, then leave the others in the kernel's queue for a while. */
static void pause_accepting(struct server_listener *listener)
{
	struct http_server *server = listener->server;
	if (server->spare_fd >= 0) {
		close(server->spare_fd);
		int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0 && listener->tls)
			close(fd);
		else if (fd >= 0)
			turn_away(server, fd, "out of file descriptors");
		server->spare_fd = open_spare();
	}
	event_del(listener->accept_event);
	socket_deadline_set(listener->accept_again, ACCEPT_PAUSE_MS);
}

static void on_accept_again(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	struct server_listener *listener = argument;
	if (listener->server->spare_fd < 0)
		listener->server->spare_fd = open_spare();
	event_add(listener->accept_event, NULL);
}

static void on_accept(evutil_socket_t listen_fd, short what, void *argument)
{
	(void)what;
	struct server_listener *listener = argument;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0 && listener->tls) {
			let_in_tcp(listener, fd);
		} else if (fd >= 0) {
			let_in_unix(listener->server, fd);
		} else if (errno == EAGAIN) {
			return;
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			   errno == ENOMEM) {
			pause_accepting(listener);
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
	server->spare_fd = open_spare();
	text_init(&server->head, LIMIT_GROUP_BYTES);
	TAILQ_INIT(&server->listeners);
	TAILQ_INIT(&server->connections);
	return server;
}

static struct server_listener *listener_new(struct http_server *server, int fd)
{
	struct server_listener *listener = base_calloc(1, sizeof(*listener));
	listener->server = server;
	listener->fd = fd;
	listener->accept_event =
		event_new(server->base, fd, EV_READ | EV_PERSIST, on_accept, listener);
	listener->accept_again = evtimer_new(server->base, on_accept_again, listener);
	INVARIANT(listener->accept_event);
	INVARIANT(listener->accept_again);
	event_add(listener->accept_event, NULL);
	TAILQ_INSERT_TAIL(&server->listeners, listener, link);
	return listener;
}

static void listener_free(struct server_listener *listener)
{
	TAILQ_REMOVE(&listener->server->listeners, listener, link);
	event_free(listener->accept_event);
	event_free(listener->accept_again);
	if (listener->path)
		http_unlisten_unix(listener->path, &listener->bound);
	close(listener->fd);
	base_free(listener->path);
	base_free(listener);
}

enum err_code http_server_listen_unix(struct http_server *server, const char *path, struct err *err)
{
	int fd = -1;
	struct stat bound;
	enum err_code code = http_listen_unix(path, &fd, &bound, err);
	if (code)
		return code;
	struct server_listener *listener = listener_new(server, fd);
	listener->path = base_strdup(path);
	listener->bound = bound;
	return ERR_NONE;
}

enum err_code http_server_listen_tcp(struct http_server *server, const struct endpoint *endpoint,
				     int *ret_port, struct err *err)
{
	int fd = -1;
	PRE(endpoint->tls);
	enum err_code code = http_listen_tcp(endpoint, &fd, ret_port, err);
	if (!code)
		listener_new(server, fd)->tls = endpoint->tls;
	return code;
}

void http_server_free(struct http_server *server)
{
	if (!server)
		return;
	PRE(server->depth == 0);
	struct server_listener *listener;
	while ((listener = TAILQ_FIRST(&server->listeners)))
		listener_free(listener);
	struct server_connection *connection;
	while ((connection = TAILQ_FIRST(&server->connections)))
		server_connection_free(connection);
	if (server->spare_fd >= 0)
		close(server->spare_fd);
	text_release(&server->head);
	base_free(server);
}
