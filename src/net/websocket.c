/* Frames in, messages out.
 *
 *   (client: HANDSHAKE ->) OPEN -> CLOSING -> gone
 *
 * Invariants:
 * 1. `closed` is called exactly once, unless the owner closes or frees; after either, no callback
 *    comes.
 * 2. Inside an owner's callback the websocket is only marked for freeing; it goes when the callback
 *    has returned.
 * 3. Everything queued in wslay goes to the output buffer at once, so websocket_pending() sees all
 *    of it.
 * 4. While paused no message is given: those already cut out of the input wait in `held`. */
#include "net/websocket.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <string.h>
#include <sys/random.h>
#include <wslay/wslay.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "net/socket.h"
#include "net/websocket_private.h"

#define INPUT_BYTES_MAX (256 * 1024)
/* How long the peer may take to answer our close. */
#define CLOSING_MS 2000

void websocket_options_default(struct websocket_options *options, bool server)
{
	*options = (struct websocket_options){
		.server = server,
		.message_bytes_max = LIMIT_WS_MESSAGE_BYTES,
		.send_high_bytes = LIMIT_WS_SEND_HIGH_BYTES,
		.ping_interval_ms = LIMIT_WS_PING_MS,
		.ping_timeout_ms = LIMIT_WS_PONG_MS,
	};
}

static void really_free(struct websocket *websocket)
{
	if (websocket->frames)
		wslay_event_context_free(websocket->frames);
	if (websocket->timer)
		event_free(websocket->timer);
	if (websocket->dial.bev)
		dial_release(&websocket->dial);
	else if (websocket->bev)
		bufferevent_free(websocket->bev);
	struct held_message *held;
	while ((held = STAILQ_FIRST(&websocket->held))) {
		STAILQ_REMOVE_HEAD(&websocket->held, link);
		base_free(held);
	}
	base_free(websocket->dial_error);
	base_free(websocket);
}

void websocket_free(struct websocket *websocket)
{
	if (!websocket)
		return;
	websocket->dead = true;
	if (!websocket->depth)
		really_free(websocket);
}

/* Every entry from the loop is between enter() and leave() (invariant 2). */
static void enter(struct websocket *websocket)
{
	websocket->depth++;
}

static void leave(struct websocket *websocket)
{
	websocket->depth--;
	if (websocket->dead && !websocket->depth)
		really_free(websocket);
}

void websocket_end(struct websocket *websocket, enum err_code code, const char *message)
{
	if (websocket->dead)
		return;
	websocket->dead = true;
	if (websocket->state == WEBSOCKET_CLOSING)
		return;
	struct err err = { 0 };
	err_set(&err, code, "%s", message);
	websocket->events.closed(websocket->owner, websocket, &err);
}

static ssize_t take_input(wslay_event_context_ptr frames, uint8_t *buf, size_t len, int flags,
			  void *argument)
{
	(void)flags;
	struct websocket *websocket = argument;
	struct evbuffer *input = bufferevent_get_input(websocket->bev);
	if (websocket->paused || websocket->dead || !evbuffer_get_length(input)) {
		wslay_event_set_error(frames, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	return evbuffer_remove(input, buf, len);
}

static ssize_t give_output(wslay_event_context_ptr frames, const uint8_t *bytes, size_t len,
			   int flags, void *argument)
{
	(void)frames;
	(void)flags;
	struct websocket *websocket = argument;
	evbuffer_add(bufferevent_get_output(websocket->bev), bytes, len);
	return (ssize_t)len;
}

static int make_mask(wslay_event_context_ptr frames, uint8_t *buf, size_t len, void *argument)
{
	(void)frames;
	(void)argument;
	return getrandom(buf, len, 0) == (ssize_t)len ? 0 : -1;
}

static void give_message(struct websocket *websocket, bool text, const void *bytes, size_t len)
{
	if (websocket->dead || websocket->state != WEBSOCKET_OPEN)
		return;
	websocket->events.message(websocket->owner, websocket, text, bytes, len);
}

static void hold_message(struct websocket *websocket, bool text, const void *bytes, size_t len)
{
	struct held_message *held = base_calloc(1, sizeof(*held) + len);
	held->text = text;
	held->len = len;
	if (len)
		memcpy(held->bytes, bytes, len);
	STAILQ_INSERT_TAIL(&websocket->held, held, link);
}

static void give_held(struct websocket *websocket)
{
	struct held_message *held;
	while (!websocket->paused && !websocket->dead && (held = STAILQ_FIRST(&websocket->held))) {
		STAILQ_REMOVE_HEAD(&websocket->held, link);
		give_message(websocket, held->text, held->bytes, held->len);
		base_free(held);
	}
}

static void on_message(wslay_event_context_ptr frames,
		       const struct wslay_event_on_msg_recv_arg *message, void *argument)
{
	(void)frames;
	struct websocket *websocket = argument;
	if (wslay_is_ctrl_frame(message->opcode))
		return;
	bool text = message->opcode == WSLAY_TEXT_FRAME;
	if (websocket->paused)
		hold_message(websocket, text, message->msg, message->msg_length);
	else
		give_message(websocket, text, message->msg, message->msg_length);
}

/* The peer's reason: bytes of a close frame that wslay has checked to be UTF-8. */
static void on_frame_chunk(wslay_event_context_ptr frames,
			   const struct wslay_event_on_frame_recv_chunk_arg *chunk, void *argument)
{
	(void)frames;
	struct websocket *websocket = argument;
	if (!websocket->in_close_frame)
		return;
	/* The last byte stays zero: the payload ends as a string. */
	size_t room = sizeof(websocket->close_payload) - 1 - websocket->close_len;
	size_t len = chunk->data_length < room ? chunk->data_length : room;
	memcpy(websocket->close_payload + websocket->close_len, chunk->data, len);
	websocket->close_len += len;
}

static void on_frame_start(wslay_event_context_ptr frames,
			   const struct wslay_event_on_frame_recv_start_arg *frame, void *argument)
{
	(void)frames;
	struct websocket *websocket = argument;
	websocket->in_close_frame = frame->opcode == WSLAY_CONNECTION_CLOSE;
}

static const struct wslay_event_callbacks frame_callbacks = {
	.recv_callback = take_input,
	.send_callback = give_output,
	.genmask_callback = make_mask,
	.on_frame_recv_start_callback = on_frame_start,
	.on_frame_recv_chunk_callback = on_frame_chunk,
	.on_msg_recv_callback = on_message,
};

/* Invariant 3. */
static void flush(struct websocket *websocket)
{
	if (!websocket->faulty && wslay_event_send(websocket->frames) != 0)
		websocket->broken = true;
}

unsigned websocket_close_code(const struct websocket *websocket, const char **ret_reason)
{
	*ret_reason = websocket->close_len > 2 ? websocket->close_payload + 2 : "";
	return wslay_event_get_status_code_received(websocket->frames);
}

/* Why it is over, once it is. */
static void end_by_close(struct websocket *websocket)
{
	unsigned sent = wslay_event_get_status_code_sent(websocket->frames);
	if (!wslay_event_get_close_received(websocket->frames)) {
		/* We found fault with what came. */
		if (sent == WSLAY_CODE_MESSAGE_TOO_BIG)
			websocket_end(websocket, ERR_TOO_LARGE, "a message is larger than allowed");
		else
			websocket_end(websocket, ERR_PROTOCOL,
				      "the peer broke the WebSocket protocol");
		return;
	}
	unsigned code = wslay_event_get_status_code_received(websocket->frames);
	char message[200];
	size_t len = websocket->close_len > 2 ? websocket->close_len - 2 : 0;
	for (size_t i = 2; i < websocket->close_len; i++)
		if ((unsigned char)websocket->close_payload[i] < 0x20)
			websocket->close_payload[i] = '?';
	text_print(message, sizeof(message), "closed by the peer: %u%s%.*s", code, len ? " " : "",
		   (int)len, websocket->close_payload + 2);
	websocket_end(websocket, ERR_CLOSED, message);
}

/* After reading or writing: is it over? */
static void check_end(struct websocket *websocket)
{
	if (websocket->dead || websocket->state == WEBSOCKET_HANDSHAKE)
		return;
	size_t pending = evbuffer_get_length(bufferevent_get_output(websocket->bev));
	if (websocket->broken) {
		websocket_end(websocket, ERR_IO, "the frames cannot be read or written");
		return;
	}
	bool sent = wslay_event_get_close_sent(websocket->frames) || websocket->faulty;
	bool received = wslay_event_get_close_received(websocket->frames);
	if (!sent || pending)
		return;
	/* What came before the end is the owner's to see first (invariant 4). */
	if (websocket->state == WEBSOCKET_OPEN &&
	    (websocket->paused || !STAILQ_EMPTY(&websocket->held)))
		return;
	if (received || websocket->faulty || websocket->state != WEBSOCKET_CLOSING)
		end_by_close(websocket);
}

/* Bytes that cannot be a frame make wslay close without a code; the peer shall know better. Nothing
 * of ours is half sent, because all is flushed at once (invariant 3). */
static void tell_fault(struct websocket *websocket)
{
	static const uint8_t from_server[] = { 0x88, 2, WSLAY_CODE_PROTOCOL_ERROR >> 8,
					       WSLAY_CODE_PROTOCOL_ERROR & 0xff };
	static const uint8_t from_client[] = { 0x88,
					       0x82,
					       0,
					       0,
					       0,
					       0,
					       WSLAY_CODE_PROTOCOL_ERROR >> 8,
					       WSLAY_CODE_PROTOCOL_ERROR & 0xff };
	websocket->faulty = true;
	if (websocket->dead || wslay_event_get_close_sent(websocket->frames))
		return;
	struct evbuffer *output = bufferevent_get_output(websocket->bev);
	if (websocket->options.server)
		evbuffer_add(output, from_server, sizeof(from_server));
	else
		evbuffer_add(output, from_client, sizeof(from_client));
}

static void read_frames(struct websocket *websocket)
{
	give_held(websocket);
	if (websocket->dead || websocket->paused)
		return;
	if (wslay_event_get_read_enabled(websocket->frames) && !websocket->faulty) {
		int result = wslay_event_recv(websocket->frames);
		if (result == WSLAY_ERR_CALLBACK_FAILURE)
			tell_fault(websocket);
		else if (result != 0)
			websocket->broken = true;
	} else {
		struct evbuffer *input = bufferevent_get_input(websocket->bev);
		evbuffer_drain(input, evbuffer_get_length(input));
	}
	if (websocket->dead)
		return;
	flush(websocket);
	if (websocket->paused || !websocket->ended)
		return;
	if (websocket->faulty || wslay_event_get_close_received(websocket->frames) ||
	    wslay_event_get_close_sent(websocket->frames))
		end_by_close(websocket);
	else
		websocket_end(websocket, ERR_IO, "the connection ended without a close");
}

static void on_read(struct bufferevent *bev, void *argument)
{
	struct websocket *websocket = argument;
	enter(websocket);
	websocket->heard_ms = socket_clock_ms();
	if (websocket->state == WEBSOCKET_HANDSHAKE)
		websocket_read_answer(websocket);
	if (!websocket->dead && websocket->state != WEBSOCKET_HANDSHAKE)
		read_frames(websocket);
	check_end(websocket);
	if (!websocket->dead && websocket->paused)
		socket_bound_input(bev, INPUT_BYTES_MAX);
	leave(websocket);
}

static void on_drained(struct bufferevent *bev, void *argument)
{
	struct websocket *websocket = argument;
	if (evbuffer_get_length(bufferevent_get_output(bev)))
		return;
	enter(websocket);
	check_end(websocket);
	if (websocket->state == WEBSOCKET_CLOSING)
		socket_deadline_set(websocket->timer, CLOSING_MS);
	if (!websocket->dead && websocket->blocked && websocket->state == WEBSOCKET_OPEN) {
		websocket->blocked = false;
		if (websocket->events.drained)
			websocket->events.drained(websocket->owner, websocket);
	}
	leave(websocket);
}

static void on_event(struct bufferevent *bev, short what, void *argument)
{
	struct websocket *websocket = argument;
	if (what & BEV_EVENT_CONNECTED) {
		websocket->dialling = false;
		return;
	}
	enter(websocket);
	if (websocket->dialling && (what & (BEV_EVENT_ERROR | BEV_EVENT_EOF))) {
		struct err problem = { 0 };
		dial_problem(&websocket->dial, &problem);
		websocket_end(websocket, problem.code, problem.message);
	} else if (what & BEV_EVENT_TIMEOUT) {
		websocket_end(websocket, ERR_TIMEOUT, "the peer does not read what it is sent");
	} else if ((what & BEV_EVENT_ERROR) && (what & BEV_EVENT_WRITING)) {
		/* What the peer said before it went is still to be read; reading finds the end. */
	} else {
		websocket->ended = true;
		on_read(bev, websocket);
		if (websocket->state == WEBSOCKET_HANDSHAKE)
			websocket_end(websocket, ERR_CLOSED,
				      "the connection ended without an answer");
	}
	leave(websocket);
}

static void set_ping_timer(struct websocket *websocket)
{
	int64_t quiet_ms = socket_clock_ms() - websocket->heard_ms;
	int64_t interval_ms = websocket->options.ping_interval_ms;
	socket_deadline_set(websocket->timer, interval_ms ? interval_ms - quiet_ms : -1);
}

static void ping(struct websocket *websocket)
{
	int64_t now_ms = socket_clock_ms();
	/* Unread input is a sign of life that we chose not to look at. */
	bool heard = websocket->paused || websocket->heard_ms >= websocket->pinged_ms;
	if (websocket->pinged_ms && !heard) {
		websocket_end(websocket, ERR_TIMEOUT, "the peer does not answer a ping");
		return;
	}
	if (now_ms - websocket->heard_ms < websocket->options.ping_interval_ms) {
		websocket->pinged_ms = 0;
		set_ping_timer(websocket);
		return;
	}
	struct wslay_event_msg message = { .opcode = WSLAY_PING };
	wslay_event_queue_msg(websocket->frames, &message);
	flush(websocket);
	websocket->pinged_ms = now_ms;
	socket_deadline_set(websocket->timer, websocket->options.ping_timeout_ms);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	struct websocket *websocket = argument;
	enter(websocket);
	if (websocket->overflown)
		websocket_end(websocket, ERR_LIMIT, "too much waits to be sent");
	else if (websocket->dial_error)
		websocket_end(websocket, websocket->dial_error->code,
			      websocket->dial_error->message);
	else if (websocket->state == WEBSOCKET_HANDSHAKE)
		websocket_end(websocket, ERR_TIMEOUT, "no answer to the WebSocket handshake");
	else if (websocket->state == WEBSOCKET_CLOSING)
		websocket->dead = true;
	else
		ping(websocket);
	leave(websocket);
}

struct websocket *websocket_make(struct event_base *base, const struct websocket_options *options,
				 const struct websocket_events *events, void *owner)
{
	PRE(events->message && events->closed);
	PRE(options->message_bytes_max > 0);
	socket_ignore_sigpipe();
	struct websocket *websocket = base_calloc(1, sizeof(*websocket));
	websocket->base = base;
	websocket->options = *options;
	websocket->events = *events;
	websocket->owner = owner;
	STAILQ_INIT(&websocket->held);
	websocket->timer = evtimer_new(base, on_timer, websocket);
	INVARIANT(websocket->timer);
	int result = options->server ? wslay_event_context_server_init(&websocket->frames,
								       &frame_callbacks, websocket)
				     : wslay_event_context_client_init(&websocket->frames,
								       &frame_callbacks, websocket);
	INVARIANT(result == 0);
	wslay_event_config_set_max_recv_msg_length(websocket->frames, options->message_bytes_max);
	return websocket;
}

void websocket_attach(struct websocket *websocket, struct bufferevent *bev)
{
	static const struct timeval stall = { .tv_sec = LIMIT_HTTP_WRITE_STALL_MS / 1000 };
	websocket->bev = bev;
	bufferevent_setcb(bev, on_read, on_drained, on_event, websocket);
	bufferevent_set_timeouts(bev, NULL, &stall);
	bufferevent_enable(bev, EV_WRITE);
	/* Frames may have come along with the handshake. */
	socket_read_on(bev);
}

void websocket_open(struct websocket *websocket)
{
	websocket->state = WEBSOCKET_OPEN;
	websocket->heard_ms = socket_clock_ms();
	set_ping_timer(websocket);
	if (websocket->events.opened)
		websocket->events.opened(websocket->owner, websocket);
	if (!websocket->dead)
		flush(websocket);
}

struct websocket *websocket_new(struct event_base *base, struct bufferevent *bev,
				const struct websocket_options *options,
				const struct websocket_events *events, void *owner)
{
	struct websocket *websocket = websocket_make(base, options, events, owner);
	websocket->state = WEBSOCKET_OPEN;
	websocket->heard_ms = socket_clock_ms();
	websocket_attach(websocket, bev);
	set_ping_timer(websocket);
	return websocket;
}

size_t websocket_pending(const struct websocket *websocket)
{
	size_t pending = wslay_event_get_queued_msg_length(websocket->frames);
	if (websocket->bev)
		pending += evbuffer_get_length(bufferevent_get_output(websocket->bev));
	return pending;
}

bool websocket_send(struct websocket *websocket, bool text, const void *bytes, size_t len)
{
	if (websocket->dead || websocket->overflown || websocket->state == WEBSOCKET_CLOSING)
		return false;
	struct wslay_event_msg message = {
		.opcode = text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME,
		.msg = bytes,
		.msg_length = len,
	};
	/* It fails only after a close frame: then what is said now has no reader. */
	if (websocket->faulty || wslay_event_queue_msg(websocket->frames, &message) != 0)
		return false;
	if (websocket->state == WEBSOCKET_OPEN)
		flush(websocket);
	size_t pending = websocket_pending(websocket);
	if (pending <= websocket->options.send_high_bytes)
		return true;
	websocket->blocked = true;
	if (pending > websocket->options.send_high_bytes + LIMIT_WS_OUTPUT_BYTES) {
		websocket->overflown = true;
		event_active(websocket->timer, EV_TIMEOUT, 0);
	}
	return false;
}

void websocket_pause(struct websocket *websocket, bool pause)
{
	if (websocket->paused == pause)
		return;
	websocket->paused = pause;
	if (!pause && websocket->bev)
		socket_read_on(websocket->bev);
}

void websocket_close(struct websocket *websocket, int code, const char *reason)
{
	if (websocket->dead || websocket->state == WEBSOCKET_CLOSING)
		return;
	if (websocket->state == WEBSOCKET_HANDSHAKE) {
		websocket_free(websocket);
		return;
	}
	/* A close frame has room for 125 bytes, and half a character would break the protocol. */
	size_t len = strnlen(reason, 124);
	if (len > 123)
		for (len = 123; len > 0 && ((unsigned char)reason[len] & 0xc0) == 0x80;)
			len--;
	wslay_event_queue_close(websocket->frames, (uint16_t)code, (const uint8_t *)reason, len);
	flush(websocket);
	websocket->state = WEBSOCKET_CLOSING;
	websocket_pause(websocket, false);
	/* The peer's time runs from when all has left (on_drained()); until then it must only go on
	 * reading. */
	bool all_left = !evbuffer_get_length(bufferevent_get_output(websocket->bev));
	socket_deadline_set(websocket->timer, all_left ? CLOSING_MS : -1);
}
