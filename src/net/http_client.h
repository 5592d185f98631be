/* An HTTP client on the event loop, over unix sockets and TLS: a pool of kept-alive connections per
 * endpoint, an absolute deadline per call, streaming answers with back-pressure, WebSockets. Making
 * one sets SIGPIPE to be ignored. */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include <event2/event.h>

#include "net/endpoint.h"
#include "net/http.h"
#include "net/websocket.h"

struct http_client;
struct http_call;

/* How far a failed call got: the caller must know whether it may have happened. */
enum http_sent {
	HTTP_NOT_SENT = 0, /* no connection: the peer never saw it */
	HTTP_SENT,	   /* some of it may have been read */
};

struct http_call_events {
	/* The head of the answer. May be NULL. */
	void (*head)(void *owner, struct http_call *call, const struct http_head *head);
	/* A run of body bytes. NULL: the client collects the body (bounded) for `done`. */
	void (*body)(void *owner, struct http_call *call, const void *bytes, size_t len);
	/* The end. err NULL: the answer is complete; status and the collected body are valid for
	 * the call. Otherwise err says why (ERR_TIMEOUT, ERR_CLOSED, ERR_PROTOCOL, ERR_UNAVAILABLE,
	 * ERR_TOO_LARGE; ERR_INVALID when method, target or headers hold characters that HTTP does
	 * not allow there) and `sent` how far it got; the message begins with method and target.
	 * The call is freed after. A callback may cancel its own and any other call, and begin new
	 * ones; it may not free the client. */
	void (*done)(void *owner, struct http_call *call, const struct err *err,
		     enum http_sent sent, int status, struct http_view body);
};

struct http_call_options {
	const char *method;
	const char *target;
	const char *headers;	  /* extra lines "Name: value\r\n", or NULL */
	const char *content_type; /* of the body */
	const void *body;
	size_t body_len;
	int64_t timeout_ms;	/* for the whole call; 0: none (streams) */
	int64_t body_bytes_max; /* of a collected body; 0: LIMIT_DOCKER_BODY_BYTES */
	bool fresh_connection;	/* dial anew for this call, close after it */
	bool stream;		/* a connection of its own, outside the pool's bound */
};

/* The endpoint is copied. Nothing is dialled yet. */
struct http_client *http_client_new(struct event_base *base, const struct endpoint *endpoint,
				    int connections_max);
/* Ends every call without calling back. */
void http_client_free(struct http_client *client);

/* Begin a call; options are copied. Never calls back from inside. On a reused connection that dies
 * before the first byte of the answer, GET and HEAD are tried once more, as is any call of which no
 * byte was sent. */
struct http_call *http_client_call(struct http_client *client,
				   const struct http_call_options *options,
				   const struct http_call_events *events, void *owner);
/* Stop reading the answer (back-pressure), and go on. No callback comes while paused but a
 * timeout's. */
void http_call_pause(struct http_call *call, bool pause);
/* Drop a call without calling back (its connection is closed when the request is under way). */
void http_call_cancel(struct http_call *call);

/* Dial and upgrade to a WebSocket. Events come as in websocket.h; `opened` tells when it stands. A
 * refusal is `closed` with the answer's status and message. */
struct websocket *http_client_websocket(struct event_base *base, const struct endpoint *endpoint,
					const char *target, const struct websocket_events *events,
					void *owner);

#endif
