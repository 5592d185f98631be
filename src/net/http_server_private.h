/* Shared by http_server.c (accepting), http_listen.c (the socket file), http_admission.c (who may
 * stay), http_connection.c (receiving) and http_exchange.c (answering). */
#ifndef NET_HTTP_SERVER_PRIVATE_H
#define NET_HTTP_SERVER_PRIVATE_H

#include <sys/queue.h>
#include <sys/stat.h>
#include <time.h>

#include "net/buckets.h"
#include "net/http_server.h"

struct bufferevent;

enum connection_class {
	CLASS_NEW = 0, /* TLS: who it is will be known after the handshake */
	CLASS_NOBODY,  /* no certificate, or one that is worth nothing */
	CLASS_KNOWN,   /* a certificate */
	CLASS_OWN,     /* the unix socket, or exempt: may use what is reserved */
	CLASS_COUNT,
};

/* What is open from one address (of IPv6: one network). Lives as long as something is. */
struct server_address {
	struct uuid key;
	int n;
	int of_class[CLASS_COUNT];
};

enum receive_state {
	RECEIVE_IDLE = 0, /* nothing of a request has come */
	RECEIVE_HEAD,
	RECEIVE_BODY,
	RECEIVE_WHOLE, /* the request is with its handler or being answered; the next one waits */
	RECEIVE_REST,  /* refused: what still comes is thrown away until the peer has read why */
};

struct server_connection {
	TAILQ_ENTRY(server_connection) link; /* in the list of its class */
	struct http_server *server;
	enum connection_class class;
	struct server_address *address; /* NULL: a unix socket */
	struct bufferevent *bev;
	struct event *deadline;
	struct http_exchange *exchange; /* NULL between requests */
	struct http_peer peer;
	enum receive_state receive;
	int64_t started_ms;  /* first byte of the request */
	int64_t body_ms;     /* its body began */
	size_t scanned;	     /* bytes of the head searched for its end */
	size_t thrown_bytes; /* in RECEIVE_REST */
	bool ended;	     /* the peer will send no more */
	bool close_after;    /* the answer under way is the last */
	bool silent;	     /* we have said all we will say */
	bool doomed;	     /* cut it as soon as the loop turns */
	bool in_handler;
	bool handed_over;     /* became a WebSocket inside a handler */
	bool counted_arrival; /* its next request was counted when it came */
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
	bool made_room;		 /* for the next that is accepted */
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
	struct server_connections {
		TAILQ_HEAD(, server_connection) by_age; /* in its class; the oldest first */
		int n;
	} of_class[CLASS_COUNT];
	struct map addresses;	 /* key of bucket_of_address() -> server_address */
	struct buckets arrivals; /* by address */
	/* What this machine calls itself, and what others were told. */
	char host_name[LIMIT_HOSTNAME_BYTES + 1];
	char told_name[LIMIT_HOSTNAME_BYTES + 1];
	struct http_server_counts counts;
	int depth;	  /* handlers running */
	struct text head; /* of the answer being written */
	time_t date_s;
	char date[32];
};

/* http_admission.c */
void server_admission_init(struct http_server *server);
void server_admission_release(struct http_server *server);
/* Is there a descriptor for the caller that waits to be accepted? False: another has been cut for it,
 * whose descriptor is free in the next turn of the loop: accept nobody before. */
bool server_has_descriptor(struct server_listener *listener);
/* A caller on an accepted socket: a connection, or hung up on. False: descriptors are scarce, do not
 * take in more of them in this turn of the loop. */
bool server_let_in(struct server_listener *listener, int fd);
/* Hang up on a caller, on the unix socket with a reason. */
void server_turn_away(struct server_listener *listener, int fd, const char *message);
/* Put a new connection into the list of a class, move it to another, take it out. */
void server_enlist(struct server_connection *connection, enum connection_class class);
void server_reclass(struct server_connection *connection, enum connection_class class);
void server_delist(struct server_connection *connection);
/* The handshake is done and the peer filled in. False: it may not stay, for the reason. */
bool server_may_stay(struct server_connection *connection, int *ret_status, struct err *err);
/* May it have this request answered? False: *ret_status and err say why not. */
bool server_may_ask(struct server_connection *connection, const struct http_head *head,
		    int *ret_status, struct err *err);

/* http_connection.c */
/* `tls` NULL: in the clear. `address` NULL: none. */
struct server_connection *server_connection_new(struct http_server *server, int fd,
						const struct http_peer *peer,
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
