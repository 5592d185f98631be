#include "worker/log_streams.h"

#include <string.h>

#include "api/envelope.h"
#include "base/alloc.h"
#include "net/http_client.h"

struct log_stream {
	struct log_streams *streams;
	struct websocket *websocket;
	struct runtime_logs *logs; /* NULL before the websocket stands */
	struct runtime_logs_options options;
	char container[CONTAINER_NAME_SIZE];
	struct log_stream *next;
};

struct log_streams {
	struct event_base *base;
	const struct runtime_ops *ops;
	struct runtime *runtime;
	const struct endpoint *manager;
	struct log_stream *first;
};

static void stream_free(struct log_stream *stream)
{
	struct log_stream **at = &stream->streams->first;
	while (*at != stream)
		at = &(*at)->next;
	*at = stream->next;
	if (stream->logs)
		stream->streams->ops->logs_close(stream->logs);
	base_free(stream);
}

static void finish(struct log_stream *stream, int code, const char *reason)
{
	websocket_close(stream->websocket, code, reason);
	stream_free(stream);
}

static void on_bytes(void *reader, int number, const void *bytes, size_t len)
{
	struct log_stream *stream = reader;
	_cleanup_free_ char *message = base_calloc(len + 1, 1);
	message[0] = (char)number;
	memcpy(message + 1, bytes, len);
	if (!websocket_send(stream->websocket, false, message, len + 1))
		stream->streams->ops->logs_pause(stream->logs, true);
}

static void on_end(void *reader, const struct err *err)
{
	struct log_stream *stream = reader;
	stream->logs = NULL;
	finish(stream, err ? STREAM_CLOSE_FAILED : STREAM_CLOSE_DONE, err ? err->message : "");
}

static void on_opened(void *owner, struct websocket *websocket)
{
	static const struct runtime_logs_events events = { on_bytes, on_end };
	struct log_stream *stream = owner;
	(void)websocket;
	if (!stream->container[0]) {
		finish(stream, STREAM_CLOSE_FAILED, "the task has no container on its worker");
		return;
	}
	stream->logs = stream->streams->ops->logs_open(stream->streams->runtime, stream->container,
						       &stream->options, &events, stream);
}

/* The manager has nothing to say on a log stream. */
static void on_message(void *owner, struct websocket *websocket, bool text, const void *bytes,
		       size_t len)
{
	(void)owner;
	(void)websocket;
	(void)text;
	(void)bytes;
	(void)len;
}

static void on_drained(void *owner, struct websocket *websocket)
{
	struct log_stream *stream = owner;
	(void)websocket;
	if (stream->logs)
		stream->streams->ops->logs_pause(stream->logs, false);
}

static void on_closed(void *owner, struct websocket *websocket, const struct err *err)
{
	(void)websocket;
	(void)err;
	stream_free(owner);
}

struct log_streams *log_streams_new(struct event_base *base, const struct runtime_ops *ops,
				    struct runtime *runtime, const struct endpoint *manager)
{
	struct log_streams *streams = base_calloc(1, sizeof(*streams));
	*streams = (struct log_streams){ base, ops, runtime, manager, NULL };
	return streams;
}

void log_streams_free(struct log_streams *streams)
{
	if (!streams)
		return;
	while (streams->first) {
		websocket_free(streams->first->websocket);
		stream_free(streams->first);
	}
	base_free(streams);
}

void log_streams_open(struct log_streams *streams, const struct stream_request *request,
		      const char *container, bool terminal)
{
	static const struct websocket_events events = { .opened = on_opened,
							.message = on_message,
							.drained = on_drained,
							.closed = on_closed };
	struct log_stream *stream = base_calloc(1, sizeof(*stream));
	char id[UUID_TEXT_SIZE];
	char target[96];
	stream->streams = streams;
	stream->options = (struct runtime_logs_options){ request->follow, request->tail,
							 request->since_wall_ms,
							 request->timestamps, terminal };
	text_print(stream->container, sizeof(stream->container), "%s", container);
	stream->next = streams->first;
	streams->first = stream;
	text_print(target, sizeof(target), "/v1/streams/%s", uuid_format(request->id, id));
	stream->websocket =
		http_client_websocket(streams->base, streams->manager, target, &events, stream);
}
