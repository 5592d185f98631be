/* Shared by http_server.c (accepting), http_listen.c (the socket file), http_connection.c
 * (receiving) and http_exchange.c (answering). */
#ifndef NET_HTTP_SERVER_PRIVATE_H
#define NET_HTTP_SERVER_PRIVATE_H

#include <sys/queue.h>
#include <sys/stat.h>
#include <time.h>

#include "net/http_server.h"

struct bufferevent;

enum receive_state {
	RECEIVE_IDLE = 0, /* nothing of a request has come */
	RECEIVE_HEAD,
	RECEIVE_BODY,
	RECEIVE_WHOLE, /* the request is with its handler or being answered; the next one waits */
	RECEIVE_REST,  /* refused: what still comes is thrown away until the peer has read why */
};

struct server_connection {
	TAILQ_ENTRY(server_connection) link;
	struct http_server *server;
	struct bufferevent *bev;
	struct event *deadline;
	struct http_exchange *exchange; /* NULL between requests */
	struct http_peer peer;
	enum receive_state receive;
	int64_t started_ms;  /* first byte of the request */
	size_t scanned;	     /* bytes of the head searched for its end */
	size_t thrown_bytes; /* in RECEIVE_REST */
	bool ended;	     /* the peer will send no more */
	bool close_after;    /* the answer under way is the last */
	bool silent;	     /* we have said all we will say */
	bool doomed;	     /* cut it as soon as the loop turns */
	bool in_handler;
	bool handed_over; /* became a WebSocket inside a handler */
};

enum answer_state {
	ANSWER_NONE = 0,
	ANSWER_STREAM,
	ANSWER_DONE, /* all of it is in the output buffer */
};

struct http_exchange {
	struct server_connection *connection;
	struct http_head head;
	char *head_bytes;
	struct http_view path;
	struct http_view query;
	struct http_chunked chunked;
	int64_t body_bytes_max;
	char *body;
	size_t body_len;
	size_t body_capacity;
	enum answer_state answer;
	bool refused_early; /* answered before its body was read */
	bool blocked;	    /* http_stream_write() said stop */
	void (*drained)(void *data);
	void *drained_data;
	void *owner_data;
};

struct server_listener {
	TAILQ_ENTRY(server_listener) link;
	struct http_server *server;
	int fd;
	struct event *accept_event;
	struct event *accept_again;
	struct tls_context *tls; /* NULL: a unix socket */
	char *path;		 /* of the unix socket */
	struct stat bound;	 /* the file that was made */
};

struct http_server {
	struct event_base *base;
	struct http_server_options options;
	struct http_handler handler;
	void *owner;
	TAILQ_HEAD(, server_listener) listeners;
	int spare_fd; /* given up to shed a caller when there are no others */
	TAILQ_HEAD(, server_connection) connections;
	int n_connections;
	int depth;	  /* handlers running */
	struct text head; /* of the answer being written */
	time_t date_s;
	char date[32];
};

/* http_connection.c */
/* `tls` NULL: in the clear. */
void server_connection_new(struct http_server *server, int fd, const struct http_peer *peer,
			   struct tls_context *tls);
/* The exchange, if any, is closed first. */
void server_connection_free(struct server_connection *connection);
/* Tell the owner that the exchange is over and free it. */
void server_exchange_finish(struct server_connection *connection);

/* http_exchange.c */
/* Write an error as JSON; the connection ends after it. With an exchange this is its answer. */
void server_answer_error(struct server_connection *connection, int status, const char *code,
			 const char *message);
/* The same as bytes, for callers that get no connection. Appends to `out`. */
void server_print_error(struct http_server *server, struct text *out, int status, const char *code,
			const char *message, bool to_head);

#endif
