#include <stdio.h>
#include <string.h>
#include <time.h>

#include "api/json.h"
#include "base/alloc.h"
#include "cli/output.h"

#define EVENT_BYTES_MAX (1024 * 1024)

struct events_reader {
	struct invocation *invocation;
	enum output_form form;
	struct text line;
	struct text id; /* of the event being read */
	struct text data;
	enum err_code code;
	struct err err;
};

/* Is there anything in it that the state does not say already? */
static bool says(const char *text, const struct event_view *event)
{
	return text && *text && strcmp(text, "none") != 0 &&
	       (!event->state || strcmp(text, event->state) != 0);
}

/* `id` is what --after takes; NULL: not shown. */
static void print_event(const struct event_view *event, const char *id)
{
	if (strcmp(event->kind, "resync") == 0) {
		printf("%s%ssome events before this are no longer kept\n", id ? id : "",
		       id ? " " : "");
		return;
	}
	time_t seconds = (time_t)(event->wall_ms / 1000);
	struct tm utc;
	char stamp[32];
	gmtime_r(&seconds, &utc);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
	if (id)
		printf("%s ", id);
	printf("%s.%03dZ %s %s %s%s%s\n", stamp, (int)(event->wall_ms % 1000), event->kind,
	       event->subject ? event->subject : "", event->state ? event->state : "",
	       says(event->reason, event) ? " " : "",
	       says(event->reason, event) ? event->reason : "");
	if (says(event->message, event))
		printf("    %s\n", event->message);
}

static void end_event(struct events_reader *reader)
{
	struct event_view event;
	struct err err;
	if (reader->data.len == 0)
		return;
	if (reader->form == OUTPUT_JSON)
		puts(text_string(&reader->data));
	else if (json_read_record(&event_view_type, reader->data.bytes, reader->data.len,
				  LIMIT_JSON_VALUES, JSON_INTERNAL, &event, &err) == ERR_NONE) {
		print_event(&event, reader->form == OUTPUT_WIDE ? text_string(&reader->id) : NULL);
		record_release(&event_view_type, &event);
	}
	cli_flush();
	text_clear(&reader->data);
}

/* One line of an event stream (WHATWG HTML, "server-sent events"): fields, or an empty line that ends an event. */
static void take_line(struct events_reader *reader)
{
	const char *line = text_string(&reader->line);
	if (!*line)
		end_event(reader);
	else if (strncmp(line, "id: ", 4) == 0) {
		text_clear(&reader->id);
		text_add(&reader->id, line + 4);
	} else if (strncmp(line, "data: ", 6) == 0)
		text_add(&reader->data, line + 6);
	text_clear(&reader->line);
}

static void on_bytes(void *owner, const void *data, size_t len)
{
	struct events_reader *reader = owner;
	const char *bytes = data;
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n')
			take_line(reader);
		else
			text_add_char(&reader->line, bytes[i]);
	}
}

static void on_end(void *owner, const struct err *err)
{
	struct events_reader *reader = owner;
	reader->code = err ? err->code : ERR_CLOSED;
	if (err)
		reader->err = *err;
	else
		err_set(&reader->err, ERR_CLOSED, "the manager ended the stream");
	api_client_stop(cli_client(reader->invocation));
}

static int run(struct invocation *invocation)
{
	static const struct api_client_stream_events events = { on_bytes, on_end };
	struct events_reader reader = { .invocation = invocation };
	struct err err;
	struct text target;
	if (output_form(invocation, &reader.form, &err))
		return cli_fail(invocation, &err);
	text_init(&reader.line, EVENT_BYTES_MAX);
	text_init(&reader.id, EVENT_BYTES_MAX);
	text_init(&reader.data, EVENT_BYTES_MAX);
	text_init(&target, LIMIT_PATH_BYTES);
	text_add(&target, "/v1/events");
	if (cli_has(invocation, "after")) {
		text_add(&target, "?after=");
		http_percent_encode(&target, cli_string(invocation, "after", ""));
	}
	struct api_client_stream *stream =
		api_client_stream(cli_client(invocation), text_string(&target), &events, &reader);
	api_client_run(cli_client(invocation),
		       cli_has(invocation, "for") ? cli_duration_ms(invocation, "for", 0) : -1);
	if (!reader.code)
		api_client_stream_close(stream);
	text_release(&target);
	text_release(&reader.line);
	text_release(&reader.id);
	text_release(&reader.data);
	return reader.code ? cli_fail(invocation, &reader.err) : 0;
}

static const struct option options[] = {
	{ "after", 0, OPTION_STRING, "EPOCH-NUMBER",
	  "first what came after this event, as far as it is kept" },
	{ "for", 0, OPTION_DURATION, "TIME", "end after this long (default: never)" },
	OPTION_OUTPUT,
};

const struct command command_events = {
	.name = "events",
	.operands = "",
	.summary = "Follow what happens to projects, jobs, tasks, nodes and volumes",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.run = run,
};
