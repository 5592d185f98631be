/* One question to a port: does somebody take a connection there, and over HTTP, which status does one GET have. No
 * name is looked up, no redirect followed, no certificate looked at: what is asked is at a known address. */
#ifndef NET_PROBE_H
#define NET_PROBE_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/record.h"

/* What the connections share. */
struct prober;
struct probe_call;

struct prober *prober_new(struct event_base *base);
/* After all its calls. */
void prober_free(struct prober *prober);

enum probe_end {
	PROBE_PASSED = 1,
	PROBE_FAILED,	/* asked, and the answer was no, or none came */
	PROBE_NOT_MADE, /* this machine had no socket for it, or it is too large: nothing is known */
};

struct probe_call_options {
	const char *address; /* numeric */
	int port;
	bool http; /* false: a connection is enough */
	bool tls;  /* of HTTP */
	const char *
		path; /* with its query; made of what stands in a line of HTTP, and so are headers */
	const struct pairs *headers;
	int status_first, status_last; /* a healthy answer lies within */
	int64_t timeout_ms;	       /* for all of it */
};

/* The end; the call is freed after. `words` go on from "the check": "answered 503", "refused the connection"; "" where
 * it passed. */
typedef void probe_done_fn(void *owner, enum probe_end end, const char *words);

/* Begin; options are copied. Calls back from the loop, once. */
struct probe_call *prober_ask(struct prober *prober, const struct probe_call_options *options,
			      probe_done_fn *done, void *owner);
/* Drop it without calling back. Not from inside its own. */
void probe_call_cancel(struct probe_call *call);

#endif
