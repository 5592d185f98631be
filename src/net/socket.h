/* Small helpers of the files in this folder: sockets, clock, timers. */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/err.h"
#include "net/endpoint.h"

struct bufferevent;

/* Milliseconds of the clock that never jumps. */
int64_t socket_clock_ms(void);

/* Fire `timer` once, `delay_ms` from now whatever happens until then; negative: never. */
void socket_deadline_set(struct event *timer, int64_t delay_ms);

/* A peer that leaves must be an error, not a signal that ends the process. */
void socket_ignore_sigpipe(void);

/* Call at the end of a read callback that left bytes unread on purpose: reading stops when
 * `bytes_max` of them wait, until socket_read_on(). (libevent's high watermark is no help: it calls
 * the callback in a busy loop as long as the bytes stay.) */
void socket_bound_input(struct bufferevent *bev, size_t bytes_max);

/* Read again, and run the read callback from the loop for what already waits. */
void socket_read_on(struct bufferevent *bev);

/* ERR_INVALID: longer than the kernel takes. */
enum err_code socket_address(const char *path, struct sockaddr_un *ret_address,
			     struct err *err) WARN_UNUSED;

/* A connected, non-blocking socket. ERR_UNAVAILABLE: nobody listens there. ERR_LIMIT: its queue is
 * full at the moment, try again soon. ERR_INVALID, ERR_IO. */
enum err_code socket_dial(const char *path, int *ret_fd, struct err *err) WARN_UNUSED;

/* The endpoint's host as a numeric address. ERR_INVALID: it is a name. */
enum err_code socket_tcp_address(const struct endpoint *endpoint,
				 struct sockaddr_storage *ret_address, socklen_t *ret_len,
				 struct err *err) WARN_UNUSED;

/* The peer's address as text, without the port; -1: it has gone. */
int socket_peer_address(int fd, char *out, size_t size);
/* The port a TCP socket is bound to. */
int socket_port(int fd);
/* Small messages leave at once. */
void socket_no_delay(int fd);

#endif
