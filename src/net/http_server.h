/* An HTTP server on the event loop: connections, deadlines, limits, back-pressure; routes are its
 * owner's business. Strict head first, then the body whole (bounded per route), then one call. A
 * client that leaves is noticed.
 *
 * What is malformed is answered here, as {"error":{"code","message"}}, with 400, 408 (too slow),
 * 413, 414, 417, 431, 501 or 505, and the connection ends; 503 beyond the greatest number of
 * connections. A request with an Origin header comes from a web page and is answered 403, as is one
 * over TCP whose Host is a name that is not ours: a page whose name was made to mean our address.
 * Making a server sets SIGPIPE to be ignored.
 *
 * Over TCP, who shows no certificate that is worth something is bound by limits of its address: 429
 * beyond them, or, before the handshake, a closed connection. When there is no room, those are cut
 * that have shown none for the longest time; the rest of it (options.reserved) is for the own socket
 * and for whom handler.standing() exempts. */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

#include <event2/event.h>

#include "base/limits.h"
#include "net/endpoint.h"
#include "net/http.h"
#include "net/tls.h"
#include "net/websocket.h"

struct http_server;
struct http_exchange; /* one request and its answer */

/* Who is on the other side. */
struct http_peer {
	bool unix_socket;
	char address[LIMIT_ADDRESS_BYTES]; /* numeric, without port; "" over a unix socket */
	unsigned uid;			   /* SO_PEERCRED */
	int pid;
	/* Over TLS; see net/tls.h. */
	bool tls;
	bool certified;
	int64_t not_after_s;
	char uri[TLS_URI_SIZE];
	unsigned char key_sha256[TLS_HASH_BYTES];
};

/* What a certificate is worth. */
enum http_standing {
	HTTP_STRANGER, /* nothing: as without one */
	HTTP_KNOWN,    /* limits by address do not bind it */
	HTTP_EXEMPT,   /* nor its address, and it has a share of what is reserved */
};

struct http_handler {
	/* The head is in: which class is it? Return the greatest body size allowed, or -1 to refuse
	 * at once after answering with http_answer*(). The exchange is not complete yet. */
	int64_t (*begin)(void *owner, struct http_exchange *exchange);
	/* The request is whole. The handler must answer now or later: http_answer(),
	 * http_stream_begin(), http_upgrade(). */
	void (*request)(void *owner, struct http_exchange *exchange);
	/* The client went away before the answer was complete, or the answer has left; the exchange
	 * is freed after this. Drop every pointer to it. Called for every exchange that `begin` was
	 * called for, also when its body was refused; never from inside http_answer() or the stream
	 * functions. */
	void (*closed)(void *owner, struct http_exchange *exchange);
	/* What is this peer, which has shown a certificate? NULL: known. */
	enum http_standing (*standing)(void *owner, const struct http_peer *peer);
};

struct http_server_options {
	int connections_max;	 /* LIMIT_HTTP_CONNECTIONS */
	int64_t head_timeout_ms; /* absolute, from the first byte */
	int64_t body_timeout_ms; /* absolute, for the whole request */
	int64_t body_grace_ms;	 /* after it, the body must come fast enough */
	int64_t body_bytes_per_second;
	int64_t idle_timeout_ms;      /* between requests */
	int64_t write_stall_ms;	      /* no progress for this long closes the connection */
	int64_t handshake_timeout_ms; /* of TLS */
	int handshakes_max;	      /* at once; beyond it the oldest is cut */
	int reserved; /* connections, and descriptors; half of connections_max at most */
	/* Of one address, without a certificate. */
	int address_connections_max; /* also of its handshakes */
	int64_t address_arrivals_per_minute;
	int64_t address_arrivals_burst;
};
void http_server_options_default(struct http_server_options *options);

/* `owner` is handed to every callback. */
struct http_server *http_server_new(struct event_base *base,
				    const struct http_server_options *options,
				    const struct http_handler *handler, void *owner);
/* Listen on a unix socket: path at most 107 bytes, folder made 0750, socket 0600; a dead socket
 * file is replaced, a live one is ERR_CONFLICT. Only uid 0 and the server's own uid are let in. */
enum err_code http_server_listen_unix(struct http_server *server, const char *path,
				      struct err *err) WARN_UNUSED;
/* Listen on an address with TLS, beside other listeners: the endpoint's host is one of this machine's
 * addresses (numeric; "0.0.0.0" and "::" are all), its tls a server's context. *ret_port (may be
 * NULL) is the port, where 0 asked for any. ERR_INVALID, ERR_CONFLICT: taken, ERR_IO. */
enum err_code http_server_listen_tcp(struct http_server *server, const struct endpoint *endpoint,
				     int *ret_port, struct err *err) WARN_UNUSED;
/* A name that requests over TCP may be for, beside addresses, "localhost" and this machine's own. */
void http_server_set_name(struct http_server *server, const char *name);
/* Since it was made. */
struct http_server_counts {
	int64_t refused_requests;    /* answered with 4xx, but for 404, 409 and 410 */
	int64_t refused_connections; /* hung up on before they could ask, or to make room */
};
struct http_server_counts http_server_counts(const struct http_server *server);
/* Close listeners and every connection, from outside of all callbacks; `closed` is called for open
 * exchanges. */
void http_server_free(struct http_server *server);

/* The request; all borrowed until `closed`. */
const struct http_head *http_exchange_head(const struct http_exchange *exchange);
struct http_view http_exchange_path(const struct http_exchange *exchange);
struct http_view http_exchange_query(const struct http_exchange *exchange);
struct http_view http_exchange_body(const struct http_exchange *exchange);
const struct http_peer *http_exchange_peer(const struct http_exchange *exchange);
/* A pointer of the owner's. */
void http_exchange_set_owner_data(struct http_exchange *exchange, void *data);
void *http_exchange_owner_data(const struct http_exchange *exchange);

/* Answer whole. `headers` is extra lines "Name: value\r\n..." or NULL. */
void http_answer(struct http_exchange *exchange, int status, const char *content_type,
		 const char *headers, const void *body, size_t len);

/* Answer piece by piece (chunked). write returns false once the client's buffer holds more than
 * LIMIT_HTTP_PIPELINE_BYTES * 2: stop until `drained` is called. Beyond LIMIT_HTTP_OUTPUT_BYTES the
 * client is cut off (`closed` follows from the loop). `drained` may write, end or do nothing. */
void http_stream_begin(struct http_exchange *exchange, int status, const char *content_type,
		       const char *headers, void (*drained)(void *data), void *data);
bool http_stream_write(struct http_exchange *exchange, const void *bytes, size_t len);
size_t http_stream_pending(const struct http_exchange *exchange);
void http_stream_end(struct http_exchange *exchange);

/* Become a WebSocket (RFC 6455): checks the handshake, answers 101 and hands the connection over;
 * on a bad handshake answers 400 (426: another version) and returns NULL, and the exchange ends as
 * any other. Else the exchange is freed before this returns (`closed` is called inside). Only when
 * the request is whole. The websocket is the caller's: it outlives the server and does not count
 * against its connections. */
struct websocket *http_upgrade(struct http_exchange *exchange,
			       const struct websocket_events *events, void *owner);

#endif
