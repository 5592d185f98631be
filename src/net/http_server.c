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
		.body_grace_ms = LIMIT_HTTP_BODY_GRACE_MS,
		.body_bytes_per_second = LIMIT_HTTP_BODY_BYTES_PER_SECOND,
		.idle_timeout_ms = LIMIT_HTTP_IDLE_TIMEOUT_MS,
		.write_stall_ms = LIMIT_HTTP_WRITE_STALL_MS,
		.handshake_timeout_ms = LIMIT_TLS_HANDSHAKE_MS,
		.handshakes_max = LIMIT_TLS_HANDSHAKES,
		.reserved = LIMIT_HTTP_RESERVED,
		.address_connections_max = LIMIT_ADDRESS_CONNECTIONS,
		.address_arrivals_per_minute = LIMIT_ADDRESS_ARRIVALS_PER_MINUTE,
		.address_arrivals_burst = LIMIT_ADDRESS_ARRIVALS_BURST,
	};
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
		if (fd >= 0)
			server_turn_away(listener, fd, "out of file descriptors");
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
	if (!server_has_descriptor(listener))
		return;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			if (!server_let_in(listener, fd))
				return;
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
	server_admission_init(server);
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
	server_admission_release(server);
	if (server->spare_fd >= 0)
		close(server->spare_fd);
	text_release(&server->head);
	base_free(server);
}
