/* Listening sockets: at a path, or at an address and port. */
#ifndef NET_HTTP_LISTEN_H
#define NET_HTTP_LISTEN_H

#include <sys/stat.h>

#include "base/err.h"
#include "net/endpoint.h"

/* The folder is made (0750), a dead socket replaced, a live one ERR_CONFLICT; the socket is 0600.
 * *ret_stat is the file's identity. ERR_INVALID, ERR_CONFLICT, ERR_IO. */
enum err_code http_listen_unix(const char *path, int *ret_fd, struct stat *ret_stat,
			       struct err *err) WARN_UNUSED;

/* The endpoint's host must be an address. *ret_port (may be NULL): the port. ERR_INVALID, ERR_CONFLICT, ERR_IO. */
enum err_code http_listen_tcp(const struct endpoint *endpoint, int *ret_fd, int *ret_port,
			      struct err *err) WARN_UNUSED;

/* Remove the file if it is still the one that was bound. */
void http_unlisten_unix(const char *path, const struct stat *bound);

#endif
