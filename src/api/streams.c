/* Log streams: a client asks, the manager tells the task's worker over its session, the worker calls back with a
 * WebSocket at /v1/streams/{id}, and the two are spliced with back-pressure both ways. The answer is Docker's own
 * multiplexed form: 8 bytes of header (stream, 0, 0, 0, length big-endian), then the bytes; stream 3 carries the reason
 * when a stream breaks off after it has begun. */
#include <string.h>

#include "api/envelope.h"
#include "api/server_int.h"
#include "base/alloc.h"
#include "base/parse.h"
#include "net/shell.h"

#define LOGS_CONTENT_TYPE "application/vnd.docker.multiplexed-stream"

static void stream_free(struct api_stream *stream)
{
	struct api_stream **at = &stream->server->streams;
	while (*at != stream)
		at = &(*at)->next;
	*at = stream->next;
	stream->server->n_streams--;
	if (stream->request)
		stream->request->stream = NULL;
	if (stream->websocket)
		websocket_free(stream->websocket);
	event_free(stream->deadline);
	base_free(stream);
}

void streams_free(struct api_server *server)
{
	while (server->streams)
		stream_free(server->streams);
}

void stream_client_left(struct api_request *request)
{
	struct api_stream *stream = request->stream;
	stream->request = NULL;
	request->stream = NULL;
	stream_free(stream);
}

static void frame_header(unsigned char header[8], unsigned char stream, size_t len)
{
	memset(header, 0, 8);
	header[0] = stream;
	for (int i = 0; i < 4; i++)
		header[4 + i] = (unsigned char)(len >> (24 - 8 * i));
}

static void break_off(struct http_exchange *exchange, const char *message)
{
	unsigned char header[8];
	frame_header(header, STREAM_BROKEN, strlen(message));
	http_stream_write(exchange, header, sizeof(header));
	http_stream_write(exchange, message, strlen(message));
}

/* End the client's side: an error while nothing is sent yet is an ordinary answer. */
static void stream_end(struct api_stream *stream, enum err_code code, const char *message)
{
	struct api_request *request = stream->request;
	bool begun = stream->begun;
	request->stream = NULL;
	stream->request = NULL;
	if (stream->websocket)
		websocket_free(stream->websocket);
	stream->websocket = NULL;
	stream_free(stream);
	if (code && !begun)
		answer_code(request, code, message);
	else if (!begun)
		http_answer(request->exchange, 200, LOGS_CONTENT_TYPE, NULL, "", 0);
	else {
		if (code)
			break_off(request->exchange, message);
		http_stream_end(request->exchange);
	}
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	stream_end(arg, ERR_TIMEOUT, "the worker did not open the log stream in time");
}

static void on_drained(void *arg)
{
	struct api_stream *stream = arg;
	if (stream->websocket)
		websocket_pause(stream->websocket, false);
}

static void on_bytes(void *owner, struct websocket *websocket, bool text, const void *bytes,
		     size_t len)
{
	struct api_stream *stream = owner;
	if (text || len < 1)
		return;
	if (!stream->begun) {
		stream->begun = true;
		http_stream_begin(stream->request->exchange, 200, LOGS_CONTENT_TYPE, NULL,
				  on_drained, stream);
	}
	size_t n = len - 1;
	unsigned char header[8];
	frame_header(header, *(const unsigned char *)bytes, n);
	http_stream_write(stream->request->exchange, header, sizeof(header));
	if (!http_stream_write(stream->request->exchange, (const char *)bytes + 1, n))
		websocket_pause(websocket, true);
}

static void on_worker_closed(void *owner, struct websocket *websocket, const struct err *err)
{
	struct api_stream *stream = owner;
	const char *reason = err->message;
	unsigned code = 0;
	if (err->code == ERR_CLOSED)
		code = websocket_close_code(websocket, &reason);
	stream->websocket = NULL;
	stream_end(stream, code == STREAM_CLOSE_DONE ? ERR_NONE : ERR_UNAVAILABLE, reason);
}

void streams_recheck(struct api_server *server)
{
	int64_t now_s = shell_wall_ms() / 1000;
	struct err err;
	for (struct api_stream *stream = server->streams, *next; stream; stream = next) {
		next = stream->next;
		const struct http_peer *peer = http_exchange_peer(stream->request->exchange);
		if (!server_still_allows(server, peer, SCOPE_LOGS, now_s, &err))
			stream_end(stream, err.code, err.message);
	}
}

void handle_worker_stream(struct api_request *request)
{
	static const struct websocket_events events = { .message = on_bytes,
							.closed = on_worker_closed };
	struct api_server *server = request->server;
	struct uuid id;
	struct err err;
	if (uuid_parse(request->params[0], &id, &err)) {
		answer_error(request, &err);
		return;
	}
	struct api_stream *stream = server->streams;
	while (stream && !(uuid_equal(stream->id, id) && !stream->websocket))
		stream = stream->next;
	if (!stream) {
		answer_code(request, ERR_NOT_FOUND, "no such stream is waited for");
		return;
	}
	/* A stranger does not learn which streams there are. */
	if (!caller_is_worker_of(&request->caller, stream->node)) {
		answer_code(request, ERR_NOT_FOUND, "no such stream is waited for");
		return;
	}
	stream->websocket = http_upgrade(request->exchange, &events, stream);
	if (stream->websocket)
		event_del(stream->deadline);
}

/* ---- the client's side --------------------------------------------------------------------------------- */

static enum err_code read_flag(struct api_request *request, const char *name, bool *ret_flag,
			       struct err *err)
{
	char text[16];
	if (!query_get(request, name, text, sizeof(text)))
		return ERR_NONE;
	*ret_flag = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
	if (!*ret_flag && strcmp(text, "false") != 0 && strcmp(text, "0") != 0)
		return err_set_field(err, ERR_INVALID, name, "true or false, not \"%s\"", text);
	return ERR_NONE;
}

static enum err_code read_number(struct api_request *request, const char *name, int64_t min,
				 int64_t max, int64_t *ret_number, struct err *err)
{
	char text[32];
	if (!query_get(request, name, text, sizeof(text)))
		return ERR_NONE;
	struct err inner;
	if (parse_int(text, min, max, ret_number, &inner))
		return err_set_field(err, ERR_INVALID, name, "%s", inner.message);
	return ERR_NONE;
}

static enum err_code read_options(struct api_request *request, struct stream_request *options,
				  struct err *err)
{
	options->tail = -1;
	enum err_code code = read_flag(request, "follow", &options->follow, err);
	if (!code)
		code = read_flag(request, "timestamps", &options->timestamps, err);
	if (!code)
		code = read_number(request, "tail", -1, 1000000, &options->tail, err);
	if (!code)
		code = read_number(request, "since_ms", 0, INT64_MAX, &options->since_wall_ms, err);
	if (!code)
		code = read_number(request, "attempt", 0, INT64_MAX, &options->attempt, err);
	return code;
}

void handle_logs(struct api_request *request)
{
	struct api_server *server = request->server;
	struct stream_request wanted = { 0 };
	struct err err;
	if (uuid_parse(request->params[0], &wanted.task.uuid, &err) ||
	    read_options(request, &wanted, &err)) {
		answer_error(request, &err);
		return;
	}
	const struct task *task = cluster_task(server_cluster(server), wanted.task);
	if (!task) {
		answer_code(request, ERR_NOT_FOUND, "no task has this id");
		return;
	}
	if (task->observed.attempt == 0) {
		answer_code(request, ERR_CONFLICT, "the task has not started a container yet");
		return;
	}
	struct api_session *session = session_of_node(server, task->desired.node);
	if (!session) {
		answer_code(request, ERR_UNAVAILABLE, "the task's worker is not connected");
		return;
	}
	if (server->n_streams >= LIMIT_STREAMS) {
		answer_code(request, ERR_LIMIT, "too many log streams are open");
		return;
	}
	wanted.id = uuid_make(&server->ids, 0);
	struct api_stream *stream = base_calloc(1, sizeof(*stream));
	*stream = (struct api_stream){
		.server = server, .id = wanted.id, .node = task->desired.node, .request = request
	};
	stream->deadline = event_new(server->base, -1, 0, on_deadline, stream);
	event_add(stream->deadline,
		  &(struct timeval){ .tv_sec = server->stream_call_ms / 1000,
				     .tv_usec = server->stream_call_ms % 1000 * 1000 });
	stream->next = server->streams;
	server->streams = stream;
	server->n_streams++;
	request->stream = stream;
	envelope_send(session->websocket, "stream", &stream_request_type, &wanted);
}
