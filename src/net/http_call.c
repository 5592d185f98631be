/* One request and its answer.
 *
 * Invariants:
 * 1. `done` is called exactly once, unless the owner cancels; after it, or after a cancel, no
 *    callback comes.
 * 2. An owner's callback may cancel the call it is about: the call is then only marked, and dropped
 *    when the callback returns (call_back_begin, call_back_end).
 * 3. A connection returns to the pool only after an answer whose end was certain and with nothing
 *    left in either direction. */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "net/http_client_private.h"
#include "net/http_syntax.h"
#include "net/socket.h"

void http_call_free(struct http_call *call)
{
	if (call->deadline)
		event_free(call->deadline);
	base_free(call->request);
	base_free(call->body);
	base_free(call);
}

static void call_back_begin(struct http_call *call)
{
	call->in_callback = true;
	call->client->depth++;
}

/* False: the owner cancelled the call inside the callback; it is gone (invariant 2). */
static bool call_back_end(struct http_call *call)
{
	call->in_callback = false;
	call->client->depth--;
	if (!call->cancelled)
		return true;
	http_call_cancel(call);
	return false;
}

static bool some_is_sent(const struct http_call *call)
{
	return call->connection &&
	       evbuffer_get_length(bufferevent_get_output(call->connection->bev)) <
		       call->request_len;
}

/* Tell the owner and free the call, which has left its connection. */
static void end(struct http_call *call, const struct err *err)
{
	PRE(!call->connection);
	struct http_view body = { call->body_len ? call->body : "", call->body_len };
	if (call->deadline)
		event_del(call->deadline);
	call_back_begin(call);
	call->events.done(call->owner, call, err, call->sent ? HTTP_SENT : HTTP_NOT_SENT,
			  call->status, body);
	call->client->depth--;
	http_call_free(call);
}

void http_call_fail(struct http_call *call, const struct err *err)
{
	struct err named = *err;
	err_prefix(&named, "%s", call->name);
	end(call, &named);
}

static void leave_connection(struct http_call *call, bool reuse)
{
	call->sent = call->sent || some_is_sent(call);
	client_connection_release(call->connection, reuse);
}

static void fail_on_connection(struct http_call *call, enum err_code code, const char *message)
{
	struct err err = { 0 };
	err_set(&err, code, "%s", message);
	leave_connection(call, false);
	http_call_fail(call, &err);
}

/* The answer is whole. */
static void complete(struct client_connection *connection)
{
	struct http_call *call = connection->call;
	bool reuse = connection->keep_alive && !connection->ended &&
		     !evbuffer_get_length(bufferevent_get_input(connection->bev)) &&
		     !evbuffer_get_length(bufferevent_get_output(connection->bev));
	leave_connection(call, reuse);
	end(call, NULL);
}

/* The connection ended before the answer did. */
static void lost(struct client_connection *connection)
{
	struct http_call *call = connection->call;
	bool sent = some_is_sent(call);
	/* Kept-alive connections die of old age: what surely did nothing may be said again. */
	if (connection->reused && !connection->begun && !call->retried &&
	    (call->repeatable || !sent)) {
		call->retried = true;
		leave_connection(call, false);
		http_client_requeue(call);
		return;
	}
	fail_on_connection(call, ERR_CLOSED,
			   connection->begun ? "the connection ended in the middle of the answer"
					     : "the connection ended without an answer");
}

/* What one step of reading led to. */
enum step {
	STEP_ON,   /* go on */
	STEP_WAIT, /* for more bytes */
	STEP_GONE, /* call and connection are no more ours */
};

static enum step give_body(struct http_call *call, struct http_view run)
{
	if (run.len == 0)
		return STEP_ON;
	if (call->events.body) {
		call_back_begin(call);
		call->events.body(call->owner, call, run.bytes, run.len);
		return call_back_end(call) ? STEP_ON : STEP_GONE;
	}
	if (run.len > (uint64_t)call->body_bytes_max - call->body_len) {
		fail_on_connection(call, ERR_TOO_LARGE, "the answer is larger than allowed");
		return STEP_GONE;
	}
	while (call->body_capacity < call->body_len + run.len) {
		call->body_capacity = call->body_capacity ? call->body_capacity * 2 : 4096;
		call->body = base_realloc(call->body, call->body_capacity, 1);
	}
	memcpy(call->body + call->body_len, run.bytes, run.len);
	call->body_len += run.len;
	return STEP_ON;
}

static void expect_body(struct client_connection *connection, const struct http_head *head)
{
	connection->keep_alive = head->keep_alive;
	connection->left_bytes = head->length_bytes;
	memset(&connection->chunked, 0, sizeof(connection->chunked));
	if (head->chunked)
		connection->state = ANSWER_CHUNKED;
	else if (!head->has_length)
		connection->state = ANSWER_UNTIL_END;
	else
		connection->state = head->length_bytes ? ANSWER_LENGTH : ANSWER_COMPLETE;
}

static enum step refuse(struct http_call *call, const char *message)
{
	fail_on_connection(call, ERR_PROTOCOL, message);
	return STEP_GONE;
}

static enum step take_head(struct client_connection *connection, const struct http_head *head)
{
	struct http_call *call = connection->call;
	if (head->status == 101)
		return refuse(call, "the answer is an upgrade nobody asked for");
	if (head->status < 200)
		return STEP_ON;
	call->status = head->status;
	expect_body(connection, head);
	if (!call->events.head)
		return STEP_ON;
	call_back_begin(call);
	call->events.head(call->owner, call, head);
	return call_back_end(call) ? STEP_ON : STEP_GONE;
}

static enum step read_head(struct client_connection *connection, struct evbuffer *input)
{
	struct http_call *call = connection->call;
	size_t len = evbuffer_get_length(input);
	if (len > LIMIT_HTTP_HEAD_BYTES)
		len = LIMIT_HTTP_HEAD_BYTES;
	const char *bytes = (const char *)evbuffer_pullup(input, (ev_ssize_t)len);
	size_t head_len = http_head_end(bytes, len);
	if (!head_len)
		return len < LIMIT_HTTP_HEAD_BYTES ? STEP_WAIT
						   : refuse(call, "the answer's head does not end");
	struct http_head head;
	struct err err = { 0 };
	if (http_parse_response(bytes, head_len, call->to_head, &head, &err))
		return refuse(call, err.message);
	if (take_head(connection, &head) == STEP_GONE)
		return STEP_GONE;
	evbuffer_drain(input, head_len);
	return STEP_ON;
}

/* The first run of contiguous bytes. */
static struct http_view first_run(struct evbuffer *input)
{
	struct evbuffer_iovec vector = { NULL, 0 };
	evbuffer_peek(input, -1, NULL, &vector, 1);
	return (struct http_view){ vector.iov_base, vector.iov_len };
}

static enum step read_body(struct client_connection *connection, struct evbuffer *input)
{
	struct http_call *call = connection->call;
	struct http_view run = first_run(input);
	size_t consumed = run.len;
	struct err err = { 0 };
	if (connection->state == ANSWER_CHUNKED) {
		if (http_chunked_read(&connection->chunked, run.bytes, run.len, &consumed, &run,
				      &err))
			return refuse(call, err.message);
	} else if (connection->state == ANSWER_LENGTH) {
		if ((int64_t)run.len > connection->left_bytes)
			run.len = (size_t)connection->left_bytes;
		consumed = run.len;
		connection->left_bytes -= (int64_t)run.len;
	}
	if (give_body(call, run) == STEP_GONE)
		return STEP_GONE;
	evbuffer_drain(input, consumed);
	if ((connection->state == ANSWER_CHUNKED && connection->chunked.done) ||
	    (connection->state == ANSWER_LENGTH && !connection->left_bytes))
		connection->state = ANSWER_COMPLETE;
	return STEP_ON;
}

void http_call_read(struct client_connection *connection)
{
	struct http_call *call = connection->call;
	struct evbuffer *input = bufferevent_get_input(connection->bev);
	enum step step = STEP_ON;
	while (step == STEP_ON && !call->paused && connection->state != ANSWER_COMPLETE &&
	       evbuffer_get_length(input)) {
		connection->begun = true;
		step = connection->state == ANSWER_HEAD ? read_head(connection, input)
							: read_body(connection, input);
	}
	if (step == STEP_GONE)
		return;
	if (call->paused) {
		socket_bound_input(connection->bev, HTTP_PAUSED_BYTES_MAX);
		return;
	}
	if (connection->state == ANSWER_COMPLETE)
		complete(connection);
	else if (connection->ended && connection->state == ANSWER_UNTIL_END)
		complete(connection);
	else if (connection->ended)
		lost(connection);
}

static void on_deadline(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	struct http_call *call = argument;
	struct text message;
	text_init(&message, 128);
	text_add(&message, "no complete answer within ");
	text_add_duration(&message, call->timeout_ms);
	if (call->connection) {
		fail_on_connection(call, ERR_TIMEOUT, text_string(&message));
	} else {
		struct err err = { 0 };
		err_set(&err, ERR_TIMEOUT, "%s", text_string(&message));
		TAILQ_REMOVE(call->stream ? &call->client->urgent : &call->client->queued, call,
			     link);
		http_call_fail(call, &err);
	}
	text_release(&message);
}

static bool is_all(const char *string, bool (*is)(unsigned char c))
{
	for (; *string; string++)
		if (!is((unsigned char)*string))
			return false;
	return true;
}

static bool is_token(unsigned char c)
{
	return http_is_token(c);
}

static bool is_value(unsigned char c)
{
	return http_is_value(c);
}

static bool is_target(unsigned char c)
{
	return c > 0x20 && c < 0x7f && c != '#';
}

/* Extra header lines: "Name: value\r\n" and nothing that would end the head early. */
static bool are_lines(const char *lines)
{
	while (*lines) {
		const char *name = lines;
		while (http_is_token((unsigned char)*lines))
			lines++;
		if (lines == name || *lines != ':')
			return false;
		while (http_is_value((unsigned char)*lines))
			lines++;
		if (lines[0] != '\r' || lines[1] != '\n')
			return false;
		lines += 2;
	}
	return true;
}

static bool is_well_formed(const struct http_call_options *options)
{
	return *options->method && is_all(options->method, is_token) && options->target[0] == '/' &&
	       is_all(options->target, is_target) &&
	       (!options->content_type || is_all(options->content_type, is_value)) &&
	       (!options->headers || are_lines(options->headers));
}

static void write_request(struct http_call *call, const struct http_call_options *options)
{
	struct text request;
	text_init(&request, SIZE_MAX / 2);
	text_addf(&request, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: drover\r\n", options->method,
		  options->target, call->client->host);
	if (options->content_type)
		text_addf(&request, "Content-Type: %s\r\n", options->content_type);
	bool bare = call->repeatable || strcmp(options->method, "DELETE") == 0;
	if (options->body_len || !bare)
		text_addf(&request, "Content-Length: %zu\r\n", options->body_len);
	if (options->fresh_connection)
		text_add(&request, "Connection: close\r\n");
	if (options->headers)
		text_add(&request, options->headers);
	text_add(&request, "\r\n");
	text_add_bytes(&request, options->body, options->body_len);
	call->request_len = request.len;
	call->request = text_take(&request);
}

struct http_call *http_client_call(struct http_client *client,
				   const struct http_call_options *options,
				   const struct http_call_events *events, void *owner)
{
	PRE(options->method && options->target);
	PRE(options->body || !options->body_len);
	PRE(events->done);
	struct http_call *call = base_calloc(1, sizeof(*call));
	call->client = client;
	call->events = *events;
	call->owner = owner;
	call->timeout_ms = options->timeout_ms;
	call->body_bytes_max =
		options->body_bytes_max ? options->body_bytes_max : LIMIT_DOCKER_BODY_BYTES;
	call->stream = options->stream;
	call->fresh = options->fresh_connection;
	call->to_head = strcmp(options->method, "HEAD") == 0;
	call->repeatable = call->to_head || strcmp(options->method, "GET") == 0;
	call->malformed = !is_well_formed(options);
	text_print(call->name, sizeof(call->name), "%s %s", options->method, options->target);
	if (!call->malformed)
		write_request(call, options);
	if (options->timeout_ms > 0) {
		call->deadline = evtimer_new(client->base, on_deadline, call);
		INVARIANT(call->deadline);
		socket_deadline_set(call->deadline, options->timeout_ms);
	}
	TAILQ_INSERT_TAIL(call->stream ? &client->urgent : &client->queued, call, link);
	http_client_pump_soon(client);
	return call;
}

void http_call_pause(struct http_call *call, bool pause)
{
	if (call->paused == pause)
		return;
	call->paused = pause;
	if (!pause && call->connection)
		socket_read_on(call->connection->bev);
}

void http_call_cancel(struct http_call *call)
{
	if (call->in_callback) {
		call->cancelled = true;
		return;
	}
	if (call->connection)
		client_connection_release(call->connection, false);
	else
		TAILQ_REMOVE(call->stream ? &call->client->urgent : &call->client->queued, call,
			     link);
	http_call_free(call);
}
