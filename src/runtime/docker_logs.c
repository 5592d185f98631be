/* A log stream lives in docker->logs until its end was told or its reader closed it. */
#include "runtime/docker.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "runtime/docker_demux.h"
#include "runtime/docker_reply.h"

#define ERROR_BODY_BYTES_MAX (16 * 1024)

struct runtime_logs {
	struct docker *docker;
	struct runtime_logs *next, **previous_next;
	struct runtime_logs_events events;
	void *reader;
	struct http_call *call;
	struct event *refusal; /* tells the end when there was no call to make */
	bool terminal;	       /* what comes is output as it is, without frames */
	struct docker_demux demux;
	int status;
	struct text error_body;
	char *system_error; /* Docker's own words in the stream */
	bool *freed;	    /* set when the reader closes the stream inside a callback */
};

static void logs_free(struct runtime_logs *logs)
{
	if (logs->freed)
		*logs->freed = true;
	*logs->previous_next = logs->next;
	if (logs->next)
		logs->next->previous_next = logs->previous_next;
	if (logs->call)
		http_call_cancel(logs->call);
	if (logs->refusal)
		event_free(logs->refusal);
	text_release(&logs->error_body);
	base_free(logs->system_error);
	base_free(logs);
}

static void end(struct runtime_logs *logs, const struct err *err)
{
	bool freed = false;
	logs->freed = &freed;
	logs->events.end(logs->reader, err);
	if (freed)
		return;
	logs->freed = NULL;
	logs_free(logs);
}

/* While frames are taken apart: the reader may close the stream at any of them. */
struct feeding {
	struct runtime_logs *logs;
	bool freed;
};

static void sink(void *owner, int stream, const void *bytes, size_t len)
{
	struct feeding *feeding = owner;
	if (feeding->freed)
		return;
	struct runtime_logs *logs = feeding->logs;
	if (stream != 3)
		logs->events.bytes(logs->reader, stream, bytes, len);
	else if (!logs->system_error)
		logs->system_error = base_strndup(bytes, len < 500 ? len : 500);
}

static void logs_head(void *owner, struct http_call *call, const struct http_head *head)
{
	(void)call;
	struct runtime_logs *logs = owner;
	logs->status = head->status;
}

static void logs_body(void *owner, struct http_call *call, const void *bytes, size_t len)
{
	(void)call;
	struct runtime_logs *logs = owner;
	if (logs->status != 200) {
		text_add_bytes(&logs->error_body, bytes, len);
		return;
	}
	struct feeding feeding = { .logs = logs };
	struct docker_demux demux = logs->demux;
	struct err err = { 0 };
	logs->freed = &feeding.freed;
	enum err_code code = ERR_NONE;
	if (logs->terminal)
		sink(&feeding, 1, bytes, len);
	else
		code = docker_demux_feed(&demux, bytes, len, sink, &feeding, &err);
	if (feeding.freed)
		return;
	logs->freed = NULL;
	logs->demux = demux;
	if (code)
		end(logs, &err);
}

/* What an error answer means to a reader. */
static enum err_code refused(struct runtime_logs *logs, int status, struct err *err)
{
	_cleanup_free_ char *message =
		docker_reply_message(logs->error_body.bytes, logs->error_body.len);
	if (status == 404)
		return err_set(err, ERR_NOT_FOUND, "%s", message);
	if (strstr(message, "does not support reading") || status == 501)
		return err_set(err, ERR_UNSUPPORTED, "%s", message);
	return err_set(err, ERR_FAILED, "Docker refuses the logs: %s", message);
}

static void logs_done(void *owner, struct http_call *call, const struct err *err,
		      enum http_sent sent, int status, struct http_view body)
{
	(void)call, (void)sent, (void)body;
	struct runtime_logs *logs = owner;
	struct err error = { 0 };
	logs->call = NULL;
	if (err)
		error = *err;
	else if (status != 200)
		refused(logs, status, &error);
	else if (logs->system_error)
		err_set(&error, ERR_FAILED, "%s", logs->system_error);
	else if (docker_demux_end(&logs->demux, &error))
		err_prefix(&error, "logs");
	end(logs, error.code ? &error : NULL);
}

static const struct http_call_events logs_events = { .head = logs_head,
						     .body = logs_body,
						     .done = logs_done };

static void on_refusal(evutil_socket_t fd, short what, void *argument)
{
	(void)fd, (void)what;
	struct err err = { 0 };
	err_set(&err, ERR_UNAVAILABLE, "Docker does not answer");
	end(argument, &err);
}

static void logs_target(struct text *out, int64_t minor, const char *container_name,
			const struct runtime_logs_options *options)
{
	text_addf(out, "/v1.%lld", (long long)minor);
	docker_target(out, "/containers/", container_name, "/logs?stdout=true&stderr=true");
	text_addf(out, "&follow=%s&timestamps=%s", options->follow ? "true" : "false",
		  options->timestamps ? "true" : "false");
	if (options->tail < 0)
		text_add(out, "&tail=all");
	else
		text_addf(out, "&tail=%lld", (long long)options->tail);
	if (options->since_wall_ms > 0)
		text_addf(out, "&since=%lld.%lld%lld%lld",
			  (long long)(options->since_wall_ms / 1000),
			  (long long)(options->since_wall_ms / 100 % 10),
			  (long long)(options->since_wall_ms / 10 % 10),
			  (long long)(options->since_wall_ms % 10));
}

struct runtime_logs *docker_logs_open(struct runtime *runtime, const char *container_name,
				      const struct runtime_logs_options *options,
				      const struct runtime_logs_events *events, void *reader)
{
	struct docker *docker = (struct docker *)runtime;
	struct runtime_logs *logs = base_calloc(1, sizeof(*logs));
	logs->docker = docker;
	logs->terminal = options->terminal;
	logs->events = *events;
	logs->reader = reader;
	text_init(&logs->error_body, ERROR_BODY_BYTES_MAX);
	logs->next = docker->logs;
	logs->previous_next = &docker->logs;
	if (docker->logs)
		docker->logs->previous_next = &logs->next;
	docker->logs = logs;
	if (docker->state != DOCKER_UP) {
		logs->refusal = event_new(docker->base, -1, 0, on_refusal, logs);
		INVARIANT(logs->refusal);
		event_active(logs->refusal, EV_TIMEOUT, 0);
		return logs;
	}
	struct text target;
	text_init(&target, 4096);
	logs_target(&target, docker->minor, container_name, options);
	const struct http_call_options call = { .method = "GET",
						.target = text_string(&target),
						.stream = true };
	logs->call = http_client_call(docker->client, &call, &logs_events, logs);
	text_release(&target);
	return logs;
}

void docker_logs_pause(struct runtime_logs *logs, bool pause)
{
	if (logs->call)
		http_call_pause(logs->call, pause);
}

void docker_logs_close(struct runtime_logs *logs)
{
	logs_free(logs);
}

void docker_logs_close_all(struct docker *docker)
{
	while (docker->logs)
		logs_free(docker->logs);
}
