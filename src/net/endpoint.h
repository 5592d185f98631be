/* Where a server is: a unix socket's path, or a host and port that are spoken to over TLS. */
#ifndef NET_ENDPOINT_H
#define NET_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct tls_context;

#define ENDPOINT_PORT_DEFAULT 7700

struct endpoint {
	char *socket_path;	 /* NULL: TCP */
	char *host;		 /* a name or an address without brackets */
	int port;		 /* 1..65535; 0 only where one listens: any */
	struct tls_context *tls; /* of TCP; borrowed: it outlives every user of the endpoint */
};

/* Read "/path", "unix:///path", "HOST", "HOST:PORT", "ADDRESS", "[ADDRESS6]:PORT". The port is ENDPOINT_PORT_DEFAULT
 * where none is written. ERR_INVALID. The caller releases. */
enum err_code endpoint_parse(const char *text, struct endpoint *ret_endpoint,
			     struct err *err) WARN_UNUSED;

/* An endpoint of this path. The caller releases. */
struct endpoint endpoint_unix(const char *path);

/* A pointer to one that borrows the path, for as long as the block it stands in. */
#define ENDPOINT_OF_PATH(path)                                                                     \
	(&(const struct endpoint){ .socket_path = (char *)(uintptr_t)(path) })

void endpoint_copy(struct endpoint *to, const struct endpoint *from);
void endpoint_release(struct endpoint *endpoint);

/* "/path" or "HOST:PORT", for people and for endpoint_parse(). */
#define ENDPOINT_TEXT_SIZE 300
const char *endpoint_text(const struct endpoint *endpoint, char out[ENDPOINT_TEXT_SIZE]);

/* Is the host an address, not a name? */
bool endpoint_is_numeric(const struct endpoint *endpoint);

/* What a request says in Host: the address, and "localhost" instead of a name, for a server cannot know all names it
 * goes by, and refuses requests for others. */
const char *endpoint_host_header(const struct endpoint *endpoint, char out[ENDPOINT_TEXT_SIZE]);

#endif
