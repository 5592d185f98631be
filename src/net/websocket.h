/* WebSockets (RFC 6455) over a bufferevent; framing by libwslay. Messages are whole, bounded, text
 * or binary; pings keep a quiet connection alive and find a dead one. */
#ifndef NET_WEBSOCKET_H
#define NET_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct bufferevent;
struct event_base;
struct websocket;

struct websocket_events {
	/* The handshake is done (client side; may be NULL on the server's). */
	void (*opened)(void *owner, struct websocket *websocket);
	/* One whole message; bytes are borrowed. */
	void (*message)(void *owner, struct websocket *websocket, bool text, const void *bytes,
			size_t len);
	/* The peer's buffer has room again after websocket_send() returned false. May be NULL. */
	void (*drained)(void *owner, struct websocket *websocket);
	/* It is over, for the reason in err: ERR_CLOSED when the peer sent a close frame (see
	 * websocket_close_code()); ERR_IO when it vanished, ERR_TIMEOUT when it answers no ping or
	 * reads nothing, ERR_TOO_LARGE or ERR_PROTOCOL when it broke the rules, ERR_LIMIT when far
	 * too much waits to be sent; before `opened` also what a refusal means (ERR_FORBIDDEN,
	 * ERR_REMOVED, ERR_NOT_FOUND, ERR_UNAVAILABLE...). The websocket is freed after. Every callback may
	 * close or free it. */
	void (*closed)(void *owner, struct websocket *websocket, const struct err *err);
};

struct websocket_options {
	bool server;
	size_t message_bytes_max;
	size_t send_high_bytes; /* websocket_send() returns false above it */
	int ping_interval_ms;	/* 0: no pings */
	int ping_timeout_ms;
};

/* What http_upgrade() and http_client_websocket() use. */
void websocket_options_default(struct websocket_options *options, bool server);

/* Speak WebSocket on an open connection; takes `bev`. */
struct websocket *websocket_new(struct event_base *base, struct bufferevent *bev,
				const struct websocket_options *options,
				const struct websocket_events *events, void *owner);

/* Queue a message, also before `opened`. False: queued, but more than send_high_bytes wait; hold
 * back until `drained`. */
bool websocket_send(struct websocket *websocket, bool text, const void *bytes, size_t len);
/* Bytes queued and not yet written. */
size_t websocket_pending(const struct websocket *websocket);
/* Stop reading (back-pressure), and go on. */
void websocket_pause(struct websocket *websocket, bool pause);
/* Inside `closed` with ERR_CLOSED: the code of the peer's close frame (1005: it had none), and its
 * reason in `ret_reason`, borrowed for the call. */
unsigned websocket_close_code(const struct websocket *websocket, const char **ret_reason);
/* Send a close frame with the reason (at most 123 bytes of it), then end when the peer has answered
 * or 2 s have passed since all has left; `closed` is not called. The loop must run for that: at exit use
 * websocket_free(). */
void websocket_close(struct websocket *websocket, int code, const char *reason);
/* End at once; `closed` is not called. */
void websocket_free(struct websocket *websocket);

/* The value of Sec-WebSocket-Accept for a key (28 characters and NUL). */
void websocket_accept_key(const char *key, size_t key_len, char out[29]);

#endif
