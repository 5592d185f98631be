/* Reaching an endpoint: a bufferevent that is connected, or on its way. */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include <stdbool.h>

#include "net/endpoint.h"

struct bufferevent;
struct event_base;
struct evdns_base;

/* All-zero: nothing. */
struct dial {
	struct bufferevent *bev;
	struct evdns_base *dns; /* NULL: no name is looked up */
};

/* Begin. A unix socket connects at once or not at all (errors of socket_dial()); over TCP, BEV_EVENT_CONNECTED or
 * BEV_EVENT_ERROR follows from the loop, and what is written meanwhile waits. ERR_UNAVAILABLE. */
enum err_code dial_begin(struct event_base *base, const struct endpoint *endpoint,
			 struct dial *ret_dial, struct err *err) WARN_UNUSED;
void dial_release(struct dial *dial);

/* Inside the event callback with BEV_EVENT_ERROR or BEV_EVENT_EOF, when BEV_EVENT_CONNECTED has not come: why the TLS
 * endpoint could not be reached. */
void dial_problem(const struct dial *dial, struct err *err);

#endif
