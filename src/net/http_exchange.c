/* Answering.
 *
 * Invariants:
 * 1. Every exchange is answered at most once: ANSWER_NONE -> [ANSWER_STREAM ->] ANSWER_DONE.
 * 2. An answer given whole lies in one contiguous piece of the output buffer, so it leaves in one
 *    write.
 * 3. No owner is called from in here: the end is told when the output has drained
 *    (http_connection.c). */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "net/http_server_private.h"

#define STREAM_HIGH_BYTES ((size_t)LIMIT_HTTP_PIPELINE_BYTES * 2)

/* What the head says of the body. */
enum framing {
	FRAMING_NONE,
	FRAMING_LENGTH,
	FRAMING_CHUNKED,
};

struct answer {
	int status;
	const char *content_type;
	const char *headers;
	enum framing framing;
	size_t len;
	bool close;
};

/* RFC 9110 wants a date on what has a clock; the text is made once a second. */
static const char *date(struct http_server *server)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t now = time(NULL);
	struct tm tm;
	if (now != server->date_s && gmtime_r(&now, &tm)) {
		server->date_s = now;
		struct text text;
		text_init(&text, sizeof(server->date) - 1);
		text_addf(&text, "%s, %c%c %s %d ", days[tm.tm_wday], '0' + tm.tm_mday / 10,
			  '0' + tm.tm_mday % 10, months[tm.tm_mon], tm.tm_year + 1900);
		text_addf(&text, "%c%c:%c%c:%c%c GMT", '0' + tm.tm_hour / 10, '0' + tm.tm_hour % 10,
			  '0' + tm.tm_min / 10, '0' + tm.tm_min % 10, '0' + tm.tm_sec / 10,
			  '0' + tm.tm_sec % 10);
		memcpy(server->date, text_string(&text), text.len + 1);
		text_release(&text);
	}
	return server->date;
}

/* What was asked for may not be, or is no request; what is not there, or is otherwise now, is an answer like others. */
static bool is_refusal(int status)
{
	return status >= 400 && status < 500 && status != 404 && status != 409 && status != 410;
}

static void print_head(struct http_server *server, struct text *out, const struct answer *answer)
{
	server->counts.refused_requests += is_refusal(answer->status);
	text_addf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", answer->status,
		  http_status_text(answer->status), date(server));
	if (answer->framing != FRAMING_NONE && answer->content_type)
		text_addf(out, "Content-Type: %s\r\n", answer->content_type);
	if (answer->framing == FRAMING_LENGTH)
		text_addf(out, "Content-Length: %zu\r\n", answer->len);
	if (answer->framing == FRAMING_CHUNKED)
		text_add(out, "Transfer-Encoding: chunked\r\n");
	if (answer->close)
		text_add(out, "Connection: close\r\n");
	if (answer->headers)
		text_add(out, answer->headers);
	text_add(out, "\r\n");
}

static struct evbuffer *output_of(const struct server_connection *connection)
{
	return bufferevent_get_output(connection->bev);
}

static bool is_to_head(const struct http_exchange *exchange)
{
	return strcmp(exchange->head.method, "HEAD") == 0;
}

/* Head and body as one piece (invariant 2). */
static void write_answer(struct server_connection *connection, const struct answer *answer,
			 const void *body, size_t len)
{
	struct text *head = &connection->server->head;
	struct evbuffer *output = output_of(connection);
	text_clear(head);
	print_head(connection->server, head, answer);
	evbuffer_expand(output, head->len + len);
	evbuffer_add(output, head->bytes, head->len);
	if (len)
		evbuffer_add(output, body, len);
}

/* After this answer, is the connection of any more use? */
static bool closes(struct http_exchange *exchange)
{
	struct server_connection *connection = exchange->connection;
	if (!exchange->head.keep_alive || exchange->refused_early)
		connection->close_after = true;
	return connection->close_after;
}

/* An answer before the request is whole leaves bytes that belong to nothing. */
static void note_early(struct http_exchange *exchange)
{
	const struct http_head *head = &exchange->head;
	exchange->refused_early = exchange->connection->receive != RECEIVE_WHOLE &&
				  (head->chunked || (head->has_length && head->length_bytes));
}

void http_answer(struct http_exchange *exchange, int status, const char *content_type,
		 const char *headers, const void *body, size_t len)
{
	PRE(exchange->answer == ANSWER_NONE);
	PRE(status >= 200 && status <= 599);
	bool empty = status == 204 || status == 304;
	PRE(IMPLIES(empty, len == 0));
	note_early(exchange);
	struct answer answer = {
		.status = status,
		.content_type = content_type,
		.headers = headers,
		.framing = empty ? FRAMING_NONE : FRAMING_LENGTH,
		.len = len,
		.close = closes(exchange),
	};
	exchange->answer = ANSWER_DONE;
	write_answer(exchange->connection, &answer, body, is_to_head(exchange) ? 0 : len);
}

void http_stream_begin(struct http_exchange *exchange, int status, const char *content_type,
		       const char *headers, void (*drained)(void *data), void *data)
{
	PRE(exchange->answer == ANSWER_NONE);
	PRE(status >= 200 && status != 204 && status != 304);
	note_early(exchange);
	struct answer answer = {
		.status = status,
		.content_type = content_type,
		.headers = headers,
		.framing = FRAMING_CHUNKED,
		.close = closes(exchange),
	};
	exchange->answer = ANSWER_STREAM;
	exchange->drained = drained;
	exchange->drained_data = data;
	write_answer(exchange->connection, &answer, NULL, 0);
}

static void cut_soon(struct server_connection *connection)
{
	connection->doomed = true;
	event_active(connection->deadline, EV_TIMEOUT, 0);
}

bool http_stream_write(struct http_exchange *exchange, const void *bytes, size_t len)
{
	PRE(exchange->answer == ANSWER_STREAM);
	struct server_connection *connection = exchange->connection;
	struct evbuffer *output = output_of(connection);
	if (connection->doomed)
		return false;
	if (len && !is_to_head(exchange)) {
		char size[20];
		text_print(size, sizeof(size), "%zx\r\n", len);
		evbuffer_expand(output, strlen(size) + len + 2);
		evbuffer_add(output, size, strlen(size));
		evbuffer_add(output, bytes, len);
		evbuffer_add(output, "\r\n", 2);
	}
	size_t pending = evbuffer_get_length(output);
	if (pending <= STREAM_HIGH_BYTES)
		return true;
	exchange->blocked = true;
	if (pending > LIMIT_HTTP_OUTPUT_BYTES)
		cut_soon(connection);
	return false;
}

size_t http_stream_pending(const struct http_exchange *exchange)
{
	return evbuffer_get_length(output_of(exchange->connection));
}

void http_stream_end(struct http_exchange *exchange)
{
	PRE(exchange->answer == ANSWER_STREAM);
	exchange->answer = ANSWER_DONE;
	struct evbuffer *output = output_of(exchange->connection);
	if (!is_to_head(exchange))
		evbuffer_add(output, "0\r\n\r\n", 5);
	/* All may have left before: the end is told from the loop nevertheless. */
	if (!evbuffer_get_length(output))
		bufferevent_trigger(exchange->connection->bev, EV_WRITE,
				    BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

/* Messages are ours, and yet nothing in them may break the JSON. */
static void print_json_string(struct text *out, const char *string)
{
	text_add_char(out, '"');
	for (; *string; string++) {
		unsigned char c = (unsigned char)*string;
		if (c == '"' || c == '\\')
			text_add_char(out, '\\');
		text_add_char(out, c >= 0x20 && c < 0x7f ? (char)c : '?');
	}
	text_add_char(out, '"');
}

static void print_error_body(struct text *out, const char *code, const char *message)
{
	text_add(out, "{\"error\":{\"code\":");
	print_json_string(out, code);
	text_add(out, ",\"message\":");
	print_json_string(out, message);
	text_add(out, "}}\n");
}

void server_print_error(struct http_server *server, struct text *out, int status, const char *code,
			const char *message, bool to_head)
{
	struct text body;
	text_init(&body, ERR_MESSAGE_MAX * 3);
	print_error_body(&body, code, message);
	struct answer answer = {
		.status = status,
		.content_type = "application/json",
		.headers = status == 429 || status == 503 ? "Retry-After: 1\r\n" : NULL,
		.framing = FRAMING_LENGTH,
		.len = body.len,
		.close = true,
	};
	print_head(server, out, &answer);
	if (!to_head)
		text_add(out, text_string(&body));
	text_release(&body);
}

void server_answer_error(struct server_connection *connection, int status, const char *code,
			 const char *message)
{
	struct http_exchange *exchange = connection->exchange;
	PRE(!exchange || exchange->answer == ANSWER_NONE);
	struct text *out = &connection->server->head;
	text_clear(out);
	server_print_error(connection->server, out, status, code, message,
			   exchange && is_to_head(exchange));
	evbuffer_add(output_of(connection), out->bytes, out->len);
	connection->close_after = true;
	if (exchange)
		exchange->answer = ANSWER_DONE;
}

const struct http_head *http_exchange_head(const struct http_exchange *exchange)
{
	return &exchange->head;
}

struct http_view http_exchange_path(const struct http_exchange *exchange)
{
	return exchange->path;
}

struct http_view http_exchange_query(const struct http_exchange *exchange)
{
	return exchange->query;
}

struct http_view http_exchange_body(const struct http_exchange *exchange)
{
	return (struct http_view){ exchange->body_len ? exchange->body : "", exchange->body_len };
}

const struct http_peer *http_exchange_peer(const struct http_exchange *exchange)
{
	return &exchange->connection->peer;
}

void http_exchange_set_owner_data(struct http_exchange *exchange, void *data)
{
	exchange->owner_data = data;
}

void *http_exchange_owner_data(const struct http_exchange *exchange)
{
	return exchange->owner_data;
}
