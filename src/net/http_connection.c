/* Receiving requests on one connection, and its life from accept to close.
 *
 *   IDLE -> HEAD -> [BODY ->] WHOLE -> (answer drained) -> IDLE ...
 *      any of the first three -> REST (refused: answer, hang up, throw away what comes) -> closed
 *
 * Invariants:
 * 1. While a request is WHOLE nothing of the next one is looked at: answers leave in the order of
 *    requests. Unread input is bounded; until the bound reading stays on, so that a peer that
 *    leaves is noticed.
 * 2. IDLE, HEAD, BODY and REST have an absolute deadline; WHOLE has none, but output that makes no
 *    progress ends the connection.
 * 3. An exchange exists from its head on; `closed` is called exactly once for each that `begin` was
 *    called for. */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/check.h"
#include "net/http_server_private.h"
#include "net/http_syntax.h"
#include "net/socket.h"

/* How long and how much a refused peer may go on talking while it reads the refusal. */
#define REST_MS	       2000
#define REST_BYTES_MAX (16 * 1024 * 1024)
/* How often a slow body is looked at. */
#define BODY_CHECK_MS 1000

enum step {
	STEP_ON,   /* go on */
	STEP_WAIT, /* for more bytes, or for the handler */
	STEP_GONE, /* the connection is no more */
};

static void set_deadline(struct server_connection *connection, int64_t delay_ms)
{
	socket_deadline_set(connection->deadline, delay_ms);
}

void server_exchange_finish(struct server_connection *connection)
{
	struct http_server *server = connection->server;
	struct http_exchange *exchange = connection->exchange;
	server->depth++;
	server->handler.closed(server->owner, exchange);
	server->depth--;
	connection->exchange = NULL;
	base_free(exchange->head_bytes);
	base_free(exchange->body);
	base_free(exchange);
}

void server_connection_free(struct server_connection *connection)
{
	PRE(!connection->in_handler);
	if (connection->exchange)
		server_exchange_finish(connection);
	server_delist(connection);
	event_free(connection->deadline);
	if (connection->bev)
		bufferevent_free(connection->bev);
	base_free(connection);
}

static enum step refuse(struct server_connection *connection, int status, const char *code,
			const char *message)
{
	server_answer_error(connection, status, code, message);
	connection->receive = RECEIVE_REST;
	set_deadline(connection, REST_MS);
	return STEP_ON;
}

static enum step cut(struct server_connection *connection)
{
	server_connection_free(connection);
	return STEP_GONE;
}

static enum step hand_over(struct server_connection *connection)
{
	struct http_server *server = connection->server;
	set_deadline(connection, -1);
	connection->receive = RECEIVE_WHOLE;
	connection->in_handler = true;
	server->depth++;
	server->handler.request(server->owner, connection->exchange);
	connection->in_handler = false;
	server->depth--;
	return connection->handed_over ? cut(connection) : STEP_ON;
}

/* Look at the body's progress after so long, and not later than the request must be whole. */
static void watch_body(struct server_connection *connection, int64_t delay_ms)
{
	int64_t left_ms = connection->server->options.body_timeout_ms -
			  (socket_clock_ms() - connection->started_ms);
	if (left_ms < 0)
		left_ms = 0;
	set_deadline(connection, left_ms < delay_ms ? left_ms : delay_ms);
}

/* Is there time left for the body, and does it come fast enough? */
static bool body_is_in_time(const struct server_connection *connection)
{
	const struct http_server_options *options = &connection->server->options;
	int64_t now_ms = socket_clock_ms();
	int64_t since_ms = now_ms - connection->body_ms;
	int64_t bytes = (int64_t)connection->exchange->body_len;
	return now_ms - connection->started_ms < options->body_timeout_ms &&
	       (since_ms < options->body_grace_ms ||
		bytes >= since_ms * options->body_bytes_per_second / 1000);
}

/* Ask what the body may hold, and compare with what the head announces. */
static enum step begin(struct server_connection *connection)
{
	struct http_server *server = connection->server;
	struct http_exchange *exchange = connection->exchange;
	connection->in_handler = true;
	server->depth++;
	int64_t max = server->handler.begin(server->owner, exchange);
	connection->in_handler = false;
	server->depth--;
	const struct http_head *head = &exchange->head;
	bool has_body = head->chunked || (head->has_length && head->length_bytes);
	if (max < 0) {
		PRE(exchange->answer != ANSWER_NONE);
		connection->receive = has_body ? RECEIVE_REST : RECEIVE_WHOLE;
		set_deadline(connection, has_body ? REST_MS : -1);
		return STEP_ON;
	}
	PRE(exchange->answer == ANSWER_NONE);
	if (head->has_length && head->length_bytes > max)
		return refuse(connection, 413, "too_large", "the body is larger than allowed here");
	exchange->body_bytes_max = max;
	if (!has_body)
		return hand_over(connection);
	connection->receive = RECEIVE_BODY;
	connection->body_ms = socket_clock_ms();
	watch_body(connection, server->options.body_grace_ms);
	if (head->expect_continue && !evbuffer_get_length(bufferevent_get_input(connection->bev)))
		bufferevent_write(connection->bev, "HTTP/1.1 100 Continue\r\n\r\n", 25);
	return STEP_ON;
}

static const char *error_code_of(int status)
{
	switch (status) {
	case 400: return "protocol";
	case 403: return "forbidden";
	case 429:
	case 503: return "limit";
	case 413: return "too_large";
	case 414:
	case 431: return "header_too_large";
	default: return "unsupported";
	}
}

/* The whole head lies in `bytes`. */
static enum step take_head(struct server_connection *connection, const char *bytes, size_t len)
{
	struct http_exchange *exchange = base_calloc(1, sizeof(*exchange));
	exchange->connection = connection;
	exchange->head_bytes = base_memdup(bytes, len);
	evbuffer_drain(bufferevent_get_input(connection->bev), len);
	int status = 0;
	struct err err = { 0 };
	if (http_parse_request(exchange->head_bytes, len, &exchange->head, &status, &err) ||
	    !server_may_ask(connection, &exchange->head, &status, &err)) {
		base_free(exchange->head_bytes);
		base_free(exchange);
		return refuse(connection, status, error_code_of(status), err.message);
	}
	http_split_target(exchange->head.target, &exchange->path, &exchange->query);
	connection->exchange = exchange;
	return begin(connection);
}

/* The peer may have ended; then nothing can complete what is missing. */
static enum step wait_for_more(struct server_connection *connection)
{
	return connection->ended ? cut(connection) : STEP_WAIT;
}

static enum step read_head(struct server_connection *connection)
{
	struct evbuffer *input = bufferevent_get_input(connection->bev);
	size_t len = evbuffer_get_length(input);
	if (!len)
		return wait_for_more(connection);
	if (connection->receive == RECEIVE_IDLE) {
		connection->receive = RECEIVE_HEAD;
		connection->started_ms = socket_clock_ms();
		connection->scanned = 0;
		set_deadline(connection, connection->server->options.head_timeout_ms);
	}
	if (len > LIMIT_HTTP_HEAD_BYTES + 1)
		len = LIMIT_HTTP_HEAD_BYTES + 1;
	const char *bytes = (const char *)evbuffer_pullup(input, (ev_ssize_t)len);
	if (!http_is_token((unsigned char)bytes[0]))
		return refuse(connection, 400, "protocol", "this is not an HTTP request");
	/* The end may straddle what was searched before. */
	size_t from = connection->scanned > 3 ? connection->scanned - 3 : 0;
	size_t found = http_head_end(bytes + from, len - from);
	if (found && from + found <= LIMIT_HTTP_HEAD_BYTES)
		return take_head(connection, bytes, from + found);
	connection->scanned = len;
	if (len > LIMIT_HTTP_HEAD_BYTES) {
		bool in_line = !memchr(bytes, '\n', len);
		return refuse(connection, in_line ? 414 : 431, "header_too_large",
			      in_line ? "the request line is longer than 8 KiB"
				      : "the head is longer than 16 KiB");
	}
	return wait_for_more(connection);
}

static void add_body(struct http_exchange *exchange, struct http_view run)
{
	if (exchange->body_len + run.len > exchange->body_capacity) {
		size_t capacity = exchange->body_capacity ? exchange->body_capacity * 2 : 4096;
		while (capacity < exchange->body_len + run.len)
			capacity *= 2;
		exchange->body = base_realloc(exchange->body, capacity, 1);
		exchange->body_capacity = capacity;
	}
	memcpy(exchange->body + exchange->body_len, run.bytes, run.len);
	exchange->body_len += run.len;
}

static enum step read_body(struct server_connection *connection)
{
	struct http_exchange *exchange = connection->exchange;
	struct evbuffer *input = bufferevent_get_input(connection->bev);
	struct evbuffer_iovec vector = { NULL, 0 };
	/* Peeking may find an empty piece, which libevent reserved for a read that met the end. */
	if (!evbuffer_get_length(input))
		return wait_for_more(connection);
	evbuffer_peek(input, -1, NULL, &vector, 1);
	struct http_view run = { vector.iov_base, vector.iov_len };
	size_t consumed = run.len;
	struct err err = { 0 };
	bool whole = false;
	if (exchange->head.chunked) {
		if (http_chunked_read(&exchange->chunked, run.bytes, run.len, &consumed, &run,
				      &err))
			return refuse(connection, 400, "protocol", err.message);
		if (run.len > (uint64_t)exchange->body_bytes_max - exchange->body_len)
			return refuse(connection, 413, "too_large",
				      "the body is larger than allowed here");
		whole = exchange->chunked.done;
	} else {
		size_t left = (size_t)exchange->head.length_bytes - exchange->body_len;
		if (run.len > left)
			run.len = left;
		consumed = run.len;
		whole = consumed == left;
	}
	if (run.len)
		add_body(exchange, run);
	evbuffer_drain(input, consumed);
	return whole ? hand_over(connection) : STEP_ON;
}

static enum step throw_away(struct server_connection *connection)
{
	struct evbuffer *input = bufferevent_get_input(connection->bev);
	size_t len = evbuffer_get_length(input);
	connection->thrown_bytes += len;
	evbuffer_drain(input, len);
	bool over = connection->thrown_bytes > REST_BYTES_MAX ||
		    (connection->ended && connection->silent);
	return over ? cut(connection) : STEP_WAIT;
}

static enum step receive(struct server_connection *connection)
{
	enum step step = STEP_ON;
	while (step == STEP_ON) {
		switch (connection->receive) {
		case RECEIVE_IDLE:
		case RECEIVE_HEAD: step = read_head(connection); break;
		case RECEIVE_BODY: step = read_body(connection); break;
		case RECEIVE_WHOLE: step = STEP_WAIT; break;
		case RECEIVE_REST: step = throw_away(connection); break;
		}
	}
	return step;
}

static void on_read(struct bufferevent *bev, void *argument)
{
	struct server_connection *connection = argument;
	if (receive(connection) != STEP_GONE && connection->receive == RECEIVE_WHOLE)
		socket_bound_input(bev, LIMIT_HTTP_PIPELINE_BYTES);
}

/* The last answer has left. */
static void hang_up(struct server_connection *connection)
{
	if (connection->receive != RECEIVE_REST || connection->ended) {
		server_connection_free(connection);
		return;
	}
	/* Closing with unread input would reset the connection and could take the answer with
	 * it. */
	connection->silent = true;
	shutdown(bufferevent_getfd(connection->bev), SHUT_WR);
}

static void on_drained(struct bufferevent *bev, void *argument)
{
	struct server_connection *connection = argument;
	struct http_server *server = connection->server;
	struct http_exchange *exchange = connection->exchange;
	if (evbuffer_get_length(bufferevent_get_output(bev)) || connection->silent)
		return;
	if (exchange && exchange->answer == ANSWER_STREAM && exchange->blocked) {
		exchange->blocked = false;
		if (exchange->drained) {
			server->depth++;
			exchange->drained(exchange->drained_data);
			server->depth--;
		}
		return;
	}
	if (exchange && exchange->answer != ANSWER_DONE)
		return;
	if (exchange)
		server_exchange_finish(connection);
	if (connection->close_after) {
		hang_up(connection);
		return;
	}
	if (connection->receive != RECEIVE_WHOLE)
		return;
	connection->receive = RECEIVE_IDLE;
	set_deadline(connection, server->options.idle_timeout_ms);
	bufferevent_enable(bev, EV_READ);
	on_read(bev, connection);
}

/* A peer that only shut down its sending side still waits for the answer. Only unix sockets tell
 * the difference; a TCP peer that half-closes is taken to have left. */
static bool peer_is_gone(struct server_connection *connection)
{
	if (!connection->peer.unix_socket)
		return true;
	struct pollfd pollfd = { .fd = bufferevent_getfd(connection->bev) };
	return poll(&pollfd, 1, 0) != 0 && (pollfd.revents & (POLLHUP | POLLERR));
}

/* The TLS handshake is done: now it is known who is there. */
static void greet(struct server_connection *connection)
{
	struct tls_peer found;
	struct http_peer *peer = &connection->peer;
	tls_peer_take(connection->bev, &found);
	peer->certified = found.certified;
	peer->not_after_s = found.not_after_s;
	memcpy(peer->uri, found.uri, sizeof(peer->uri));
	memcpy(peer->key_sha256, found.key_sha256, sizeof(peer->key_sha256));
	int status = 0;
	struct err err = { 0 };
	if (server_may_stay(connection, &status, &err))
		set_deadline(connection, connection->server->options.idle_timeout_ms);
	else
		refuse(connection, status, error_code_of(status), err.message);
}

static void on_event(struct bufferevent *bev, short what, void *argument)
{
	(void)bev;
	struct server_connection *connection = argument;
	if (what & BEV_EVENT_CONNECTED) {
		greet(connection);
		return;
	}
	if (!(what & BEV_EVENT_EOF)) {
		server_connection_free(connection);
		return;
	}
	connection->ended = true;
	if (connection->receive != RECEIVE_WHOLE)
		receive(connection);
	else if (connection->exchange->answer != ANSWER_DONE && peer_is_gone(connection))
		server_connection_free(connection);
}

static void on_deadline(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	struct server_connection *connection = argument;
	bool in_body = connection->receive == RECEIVE_BODY;
	if (connection->doomed || (connection->receive != RECEIVE_HEAD && !in_body))
		server_connection_free(connection);
	else if (in_body && body_is_in_time(connection))
		watch_body(connection, BODY_CHECK_MS);
	else
		refuse(connection, 408, "timeout", "the request did not arrive in time");
}

struct server_connection *server_connection_new(struct http_server *server, int fd,
						const struct http_peer *peer,
						struct tls_context *tls)
{
	struct server_connection *connection = base_calloc(1, sizeof(*connection));
	connection->server = server;
	connection->peer = *peer;
	connection->bev = tls ? tls_server_new(tls, server->base, fd)
			      : bufferevent_socket_new(server->base, fd, BEV_OPT_CLOSE_ON_FREE);
	INVARIANT(connection->bev);
	connection->deadline = evtimer_new(server->base, on_deadline, connection);
	INVARIANT(connection->deadline);
	server_enlist(connection, tls ? CLASS_NEW : CLASS_OWN);
	bufferevent_setcb(connection->bev, on_read, on_drained, on_event, connection);
	int64_t stall_ms = server->options.write_stall_ms;
	struct timeval stall = { .tv_sec = stall_ms / 1000, .tv_usec = stall_ms % 1000 * 1000 };
	bufferevent_set_timeouts(connection->bev, NULL, &stall);
	bufferevent_enable(connection->bev, EV_READ | EV_WRITE);
	set_deadline(connection,
		     tls ? server->options.handshake_timeout_ms : server->options.idle_timeout_ms);
	return connection;
}
