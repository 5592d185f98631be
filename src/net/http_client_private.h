/* Shared by http_client.c (connections and who may use them) and http_call.c (one request and its
 * answer). */
#ifndef NET_HTTP_CLIENT_PRIVATE_H
#define NET_HTTP_CLIENT_PRIVATE_H

#include <sys/queue.h>

#include "net/dial.h"
#include "net/http_client.h"

struct bufferevent;

/* Unread bytes kept of a paused answer. */
#define HTTP_PAUSED_BYTES_MAX (64 * 1024)

struct http_call {
	TAILQ_ENTRY(http_call) link; /* in client->queued, ->urgent or ->running */
	struct http_client *client;
	struct client_connection *connection; /* NULL: queued */
	struct http_call_events events;
	void *owner;
	struct event *deadline; /* NULL: none */
	char *request;
	size_t request_len;
	char name[128]; /* "GET /path", for messages */
	int64_t timeout_ms;
	int64_t body_bytes_max;
	int64_t queue_full_since_ms; /* 0: the listener's queue was not full */
	char *body;
	size_t body_len;
	size_t body_capacity;
	int status;
	bool stream;
	bool fresh;
	bool to_head;
	bool repeatable; /* GET, HEAD */
	bool malformed;	 /* never sent */
	bool retried;
	bool sent; /* some byte of it left */
	bool paused;
	bool in_callback;
	bool cancelled; /* by its owner, from inside a callback */
};

TAILQ_HEAD(http_calls, http_call);

enum answer_state {
	ANSWER_HEAD = 0,
	ANSWER_LENGTH,
	ANSWER_CHUNKED,
	ANSWER_UNTIL_END,
	ANSWER_COMPLETE,
};

struct client_connection {
	TAILQ_ENTRY(client_connection) link; /* in client->connections */
	struct http_client *client;
	struct dial dial;
	struct bufferevent *bev; /* dial.bev */
	struct http_call *call;	 /* NULL: idle */
	bool pooled;		 /* counts against the bound */
	bool dialling;		 /* not connected yet */
	bool reused;
	bool begun; /* a byte of the answer has come */
	bool ended; /* the peer will send no more */
	bool keep_alive;
	enum answer_state state;
	struct http_chunked chunked;
	int64_t left_bytes;
};

TAILQ_HEAD(client_connections, client_connection);

struct http_client {
	struct event_base *base;
	struct endpoint endpoint;
	char host[ENDPOINT_TEXT_SIZE]; /* what requests say in Host */
	struct event *pump;
	struct http_calls queued; /* wait for a connection of the pool */
	struct http_calls urgent; /* streams: get one of their own */
	struct http_calls running;
	struct client_connections connections; /* idle ones first */
	int pooled;
	int pooled_max;
	int depth; /* callbacks running */
};

/* http_call.c */
/* More bytes came, or the peer ended, or reading goes on: carry on with the connection's call. */
void http_call_read(struct client_connection *connection);
/* End the call with `err`, tell its owner and free it. It has no connection any more. */
void http_call_fail(struct http_call *call, const struct err *err);
void http_call_free(struct http_call *call);

/* http_client.c */
/* Let queued calls start, from the loop. */
void http_client_pump_soon(struct http_client *client);
/* The call leaves its connection, which goes back to the pool or is closed. */
void client_connection_release(struct client_connection *connection, bool reuse);
/* The call is to be sent once more on a new connection. */
void http_client_requeue(struct http_call *call);

#endif
