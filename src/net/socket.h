/* Small helpers of the files in this folder: sockets, clock, timers. */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include <event2/event.h>
#include <stdint.h>
#include <sys/un.h>

#include "base/err.h"

/* Milliseconds of the clock that never jumps. */
int64_t socket_clock_ms(void);

/* Fire `timer` once, `delay_ms` from now whatever happens until then; negative: never. */
void socket_deadline_set(struct event *timer, int64_t delay_ms);

/* A peer that leaves must be an error, not a signal that ends the process. */
void socket_ignore_sigpipe(void);

/* ERR_INVALID: longer than the kernel takes. */
enum err_code socket_address(const char *path, struct sockaddr_un *ret_address,
			     struct err *err) WARN_UNUSED;

/* A connected, non-blocking socket. ERR_UNAVAILABLE: nobody listens there. ERR_LIMIT: its queue is full at the
 * moment, try again soon. ERR_INVALID, ERR_IO. */
enum err_code socket_dial(const char *path, int *ret_fd, struct err *err) WARN_UNUSED;

#endif
