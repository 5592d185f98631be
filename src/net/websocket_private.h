/* Shared by websocket.c (frames) and websocket_handshake.c (how one comes to be). */
#ifndef NET_WEBSOCKET_PRIVATE_H
#define NET_WEBSOCKET_PRIVATE_H

#include <event2/event.h>
#include <sys/queue.h>

#include "base/text.h"
#include "net/dial.h"
#include "net/websocket.h"

struct wslay_event_context;

enum websocket_state {
	WEBSOCKET_HANDSHAKE = 0, /* the client waits for 101 */
	WEBSOCKET_OPEN,
	WEBSOCKET_CLOSING, /* the owner has closed it and hears no more */
};

struct held_message {
	STAILQ_ENTRY(held_message) link;
	bool text;
	size_t len;
	char bytes[];
};

struct websocket {
	struct event_base *base;
	struct bufferevent *bev; /* NULL until dialled */
	struct dial dial;	 /* the client's: it holds `bev` */
	bool dialling;		 /* over TLS, and not there yet */
	struct wslay_event_context *frames;
	struct event *timer; /* handshake, ping or close, whichever the state has */
	struct websocket_options options;
	struct websocket_events events;
	void *owner;
	enum websocket_state state;
	int depth; /* entries from the loop */
	bool dead;
	bool paused;
	bool blocked;	/* websocket_send() said stop */
	bool overflown; /* nobody stopped */
	bool broken;	/* wslay gave up */
	bool faulty;	/* the peer sent bytes that are no frames; it has been told */
	bool ended;	/* the peer will send no more */
	bool in_close_frame;
	int64_t heard_ms;
	int64_t pinged_ms; /* 0: no ping is unanswered */
	STAILQ_HEAD(, held_message) held;
	size_t close_len;
	char close_payload[128];
	/* The client's handshake. */
	char key[25];
	struct err *dial_error; /* NULL: none */
};

/* websocket.c */
struct websocket *websocket_make(struct event_base *base, const struct websocket_options *options,
				 const struct websocket_events *events, void *owner);
void websocket_attach(struct websocket *websocket, struct bufferevent *bev);
void websocket_open(struct websocket *websocket);
/* Tell the owner; the websocket is freed on the way out to the loop. */
void websocket_end(struct websocket *websocket, enum err_code code, const char *message);

/* websocket_handshake.c */
/* More of the answer to the client's handshake came. */
void websocket_read_answer(struct websocket *websocket);

#endif
