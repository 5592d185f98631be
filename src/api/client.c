#include "api/client.h"

#include <string.h>
#include <time.h>

#include <event2/event.h>
#include <sys/random.h>

#include "api/json.h"
#include "base/alloc.h"
#include "base/check.h"

#define CALL_TIMEOUT_MS	  60000
#define ANSWER_BYTES_MAX  (256 * 1024 * 1024)
#define ANSWER_VALUES_MAX (64 * 1024 * 1024)
#define CONNECTIONS_MAX	  4

struct api_client {
	char where[ENDPOINT_TEXT_SIZE];
	bool local; /* `where` is the path of a socket */
	struct event_base *base;
	struct http_client *http;
};

struct api_client *api_client_new(const struct endpoint *endpoint)
{
	struct api_client *client = base_calloc(1, sizeof(*client));
	endpoint_text(endpoint, client->where);
	client->local = endpoint->socket_path != NULL;
	client->base = event_base_new();
	if (!client->base)
		UNREACHABLE("an event base can be made");
	client->http = http_client_new(client->base, endpoint, CONNECTIONS_MAX);
	return client;
}

void api_client_free(struct api_client *client)
{
	if (!client)
		return;
	http_client_free(client->http);
	event_base_free(client->base);
	base_free(client);
}

struct event_base *api_client_base(struct api_client *client)
{
	return client->base;
}

enum err_code api_client_refusal(int status, struct http_view body, struct err *err)
{
	struct error_answer answer;
	struct err ignored;
	if (status >= 200 && status <= 299)
		return ERR_NONE;
	if (json_read_record(&error_answer_type, body.bytes ? body.bytes : "", body.len,
			     ANSWER_VALUES_MAX, JSON_INTERNAL, &answer, &ignored) ||
	    !answer.error.code) {
		return err_set(err, ERR_PROTOCOL,
			       "the manager answered with status %d and no reason", status);
	}
	enum err_code code = err_from_name(answer.error.code);
	if (code == ERR_NONE)
		code = ERR_PROTOCOL;
	err_set_field(err, code, answer.error.field ? answer.error.field : "", "%s",
		      answer.error.message ? answer.error.message : err_text(code));
	record_release(&error_answer_type, &answer);
	return code;
}

/* Without "METHOD TARGET: " before it, which says nothing to a user. */
static const char *reason_of(const char *message)
{
	const char *target = strchr(message, ' ');
	const char *end = target && target[1] == '/' ? strstr(target, ": ") : NULL;
	return end ? end + 2 : message;
}

/* The reason, in which what was dialled is "it": the sentence around it has said what that is. */
static char *reason_of_it(const char *reason, const char *where)
{
	struct text text;
	const char *at = strstr(reason, where);
	text_init(&text, ERR_MESSAGE_MAX);
	if (at)
		text_addf(&text, "%.*sit%s", (int)(at - reason), reason, at + strlen(where));
	else
		text_add(&text, reason);
	return text_take(&text);
}

static enum err_code explain(const struct api_client *client, const struct err *problem,
			     struct err *err)
{
	if (problem->code != ERR_UNAVAILABLE)
		return err_set(err, problem->code, "%s", problem->message);
	_cleanup_free_ char *reason = reason_of_it(reason_of(problem->message), client->where);
	if (client->local && strstr(reason, "no permission"))
		return err_set(err, ERR_UNAVAILABLE,
			       "%s belongs to the user who runs the manager (%s): run drover as "
			       "that user, with sudo for root, or `drover context join` with a "
			       "token of theirs",
			       client->where, reason);
	return err_set(err, ERR_UNAVAILABLE, "no manager answers on %s (%s); %s?", client->where,
		       reason,
		       !client->local ? "is it the address that `drover manager --listen` was told"
		       : client->where[0] == '/'
			       ? "is `drover dev` or `drover manager` running"
			       : "is one running, and is that the path of its socket (a manager on "
				 "another machine is reached by `drover context join`)");
}

struct pending_call {
	struct api_client *client;
	const struct api_call *call;
	bool done;
	enum err_code code;
	struct err *err;
};

static void call_done(void *owner, struct http_call *http_call, const struct err *problem,
		      enum http_sent sent, int status, struct http_view body)
{
	struct pending_call *pending = owner;
	const struct api_call *call = pending->call;
	(void)http_call;
	(void)sent;
	if (problem)
		pending->code = explain(pending->client, problem, pending->err);
	else
		pending->code = api_client_refusal(status, body, pending->err);
	if (!pending->code && call->answer_type)
		pending->code = json_read_record(call->answer_type, body.bytes ? body.bytes : "",
						 body.len, ANSWER_VALUES_MAX, JSON_INTERNAL,
						 call->answer, pending->err);
	pending->done = true;
	event_base_loopbreak(pending->client->base);
}

enum err_code api_client_call(struct api_client *client, const struct api_call *call,
			      struct err *err)
{
	static const struct http_call_events events = { .done = call_done };
	struct pending_call pending = { client, call, false, ERR_NONE, err };
	_cleanup_free_ char *body = NULL;
	char headers[256] = "";
	if (call->body_type)
		body = json_write_record(call->body_type, call->body, JSON_REQUEST);
	if (call->idempotency_key)
		text_print(headers, sizeof(headers), "Idempotency-Key: %s\r\n",
			   call->idempotency_key);
	struct http_call_options options = {
		.method = call->method,
		.target = call->target,
		.headers = headers[0] ? headers : NULL,
		.content_type = body ? "application/json" : NULL,
		.body = body,
		.body_len = body ? strlen(body) : 0,
		.timeout_ms = CALL_TIMEOUT_MS,
		.body_bytes_max = ANSWER_BYTES_MAX,
	};
	http_client_call(client->http, &options, &events, &pending);
	while (!pending.done)
		event_base_loop(client->base, EVLOOP_ONCE);
	return pending.code;
}

/* ---- streams ------------------------------------------------------------------------------------------- */

struct api_client_stream {
	struct api_client *client;
	const struct api_client_stream_events *events;
	void *owner;
	struct http_call *call;
	int status;
	struct text error_body; /* of an answer that is not 2xx */
};

static void stream_head(void *owner, struct http_call *call, const struct http_head *head)
{
	struct api_client_stream *stream = owner;
	(void)call;
	stream->status = head->status;
}

static void stream_bytes(void *owner, struct http_call *call, const void *bytes, size_t len)
{
	struct api_client_stream *stream = owner;
	(void)call;
	if (stream->status >= 200 && stream->status <= 299)
		stream->events->bytes(stream->owner, bytes, len);
	else
		text_add_bytes(&stream->error_body, bytes, len);
}

static void stream_done(void *owner, struct http_call *call, const struct err *problem,
			enum http_sent sent, int status, struct http_view body)
{
	struct api_client_stream *stream = owner;
	struct err err = { 0 };
	struct http_view error_body = { stream->error_body.bytes, stream->error_body.len };
	(void)call;
	(void)sent;
	(void)body;
	enum err_code code = problem ? explain(stream->client, problem, &err)
				     : api_client_refusal(status, error_body, &err);
	stream->events->end(stream->owner, code ? &err : NULL);
	text_release(&stream->error_body);
	base_free(stream);
}

struct api_client_stream *api_client_stream(struct api_client *client, const char *target,
					    const struct api_client_stream_events *events,
					    void *owner)
{
	static const struct http_call_events call_events = { stream_head, stream_bytes,
							     stream_done };
	struct api_client_stream *stream = base_calloc(1, sizeof(*stream));
	*stream = (struct api_client_stream){ .client = client, .events = events, .owner = owner };
	text_init(&stream->error_body, LIMIT_HTTP_BODY_BYTES);
	struct http_call_options options = { .method = "GET", .target = target, .stream = true };
	stream->call = http_client_call(client->http, &options, &call_events, stream);
	return stream;
}

void api_client_stream_close(struct api_client_stream *stream)
{
	http_call_cancel(stream->call);
	text_release(&stream->error_body);
	base_free(stream);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	api_client_stop(arg);
}

void api_client_run(struct api_client *client, int64_t timeout_ms)
{
	struct event *timer = evtimer_new(client->base, on_timeout, client);
	struct timeval timeout = { .tv_sec = timeout_ms / 1000,
				   .tv_usec = timeout_ms % 1000 * 1000 };
	if (timeout_ms >= 0)
		evtimer_add(timer, &timeout);
	event_base_loop(client->base, EVLOOP_NO_EXIT_ON_EMPTY);
	event_free(timer);
}

void api_client_stop(struct api_client *client)
{
	event_base_loopbreak(client->base);
}

void api_client_make_key(char out[UUID_TEXT_SIZE])
{
	struct random random;
	struct timespec now;
	if (getrandom(&random.state, sizeof(random.state), 0) != (ssize_t)sizeof(random.state))
		UNREACHABLE("getrandom() of eight bytes cannot fail");
	clock_gettime(CLOCK_REALTIME, &now);
	uuid_format(uuid_make(&random, now.tv_sec * 1000 + now.tv_nsec / 1000000), out);
}
