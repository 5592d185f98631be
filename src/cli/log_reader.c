#include "cli/log_reader.h"

#include <stdio.h>
#include <string.h>

#include "api/envelope.h"
#include "base/alloc.h"

#define HEADER_BYTES   8
#define LINE_BYTES_MAX (1024 * 1024)

/* One attempt of one task. The stream's framing is api/streams.c's: 8 bytes of header, then bytes. */
struct source {
	struct log_reader *reader;
	struct api_client_stream *stream; /* NULL: ended */
	struct uuid task;
	int64_t attempt;
	char *container_id;
	char *prefix;
	char *name;
	unsigned char header[HEADER_BYTES];
	size_t header_len;
	size_t left; /* bytes of the present frame still to come */
	struct text lines[2];
	struct text broken; /* the reason a stream broke off with */
};

struct log_reader {
	struct invocation *invocation;
	struct log_reader_options options;
	struct source **sources;
	size_t n_sources;
	size_t capacity;
	size_t n_open;
	const struct source
		*open_line[2]; /* whose line on standard output and error has no end yet */
	bool failed;
};

static void print_line(struct source *source, size_t which)
{
	FILE *out = which == 0 ? stdout : stderr;
	const struct source *open_line = source->reader->open_line[which];
	if (open_line && open_line != source)
		fputc('\n', out);
	if (source->prefix)
		fputs(source->prefix, out);
	fwrite(text_string(&source->lines[which]), 1, source->lines[which].len, out);
	bool whole = source->lines[which].len &&
		     text_string(&source->lines[which])[source->lines[which].len - 1] == '\n';
	/* The last line of a program that wrote no newline gets none, unless another one's follows. */
	source->reader->open_line[which] = !whole && !source->prefix ? source : NULL;
	if (!whole && source->prefix)
		fputc('\n', out);
	text_clear(&source->lines[which]);
}

static void take_output(struct source *source, size_t which, const char *bytes, size_t len)
{
	while (len) {
		const char *newline = memchr(bytes, '\n', len);
		size_t n = newline ? (size_t)(newline - bytes) + 1 : len;
		text_add_bytes(&source->lines[which], bytes, n);
		if (newline || source->lines[which].cut)
			print_line(source, which);
		bytes += n;
		len -= n;
	}
}

static void on_bytes(void *owner, const void *data, size_t len)
{
	struct source *source = owner;
	const char *bytes = data;
	while (len) {
		size_t n;
		if (source->left == 0 && source->header_len < HEADER_BYTES) {
			n = HEADER_BYTES - source->header_len < len
				    ? HEADER_BYTES - source->header_len
				    : len;
			memcpy(source->header + source->header_len, bytes, n);
			source->header_len += n;
			if (source->header_len == HEADER_BYTES)
				source->left = (size_t)source->header[4] << 24 |
					       (size_t)source->header[5] << 16 |
					       (size_t)source->header[6] << 8 | source->header[7];
		} else {
			n = source->left < len ? source->left : len;
			if (source->header[0] == STREAM_BROKEN)
				text_add_bytes(&source->broken, bytes, n);
			else
				take_output(source, source->header[0] == 2, bytes, n);
			source->left -= n;
		}
		if (source->left == 0 && source->header_len == HEADER_BYTES)
			source->header_len = 0;
		bytes += n;
		len -= n;
	}
	cli_flush();
}

static void on_end(void *owner, const struct err *err)
{
	struct source *source = owner;
	struct log_reader *reader = source->reader;
	source->stream = NULL;
	for (size_t which = 0; which < 2; which++)
		if (source->lines[which].len)
			print_line(source, which);
	cli_flush();
	if (err || source->broken.len) {
		reader->failed = true;
		fprintf(stderr, "drover %s: %s: %s\n", reader->invocation->command->name,
			source->name, err ? err->message : text_string(&source->broken));
	}
	if (--reader->n_open == 0)
		api_client_stop(cli_client(reader->invocation));
}

struct log_reader *log_reader_new(struct invocation *invocation,
				  const struct log_reader_options *options)
{
	struct log_reader *reader = base_calloc(1, sizeof(*reader));
	reader->invocation = invocation;
	reader->options = *options;
	return reader;
}

void log_reader_free(struct log_reader *reader)
{
	for (size_t i = 0; i < reader->n_sources; i++) {
		struct source *source = reader->sources[i];
		if (source->stream)
			api_client_stream_close(source->stream);
		text_release(&source->lines[0]);
		text_release(&source->lines[1]);
		text_release(&source->broken);
		base_free(source->container_id);
		base_free(source->prefix);
		base_free(source->name);
		base_free(source);
	}
	base_free(reader->sources);
	base_free(reader);
}

static char *target_of(const struct log_reader *reader, const struct task_view *task,
		       int64_t attempt)
{
	char id[UUID_TEXT_SIZE];
	struct text target;
	text_init(&target, LIMIT_PATH_BYTES);
	text_addf(&target,
		  "/v1/tasks/%s/logs?attempt=%lld&tail=%lld&since_ms=%lld&follow=%s&timestamps=%s",
		  uuid_format(task->id, id), (long long)attempt, (long long)reader->options.tail,
		  (long long)reader->options.since_wall_ms,
		  reader->options.follow ? "true" : "false",
		  reader->options.timestamps ? "true" : "false");
	return text_take(&target);
}

/* It has ended, and its last attempt may have had no container: then what there was has been read. */
static bool was_the_last(const struct source *source, const struct task_view *task)
{
	return task_is_final(task->state) && source->container_id && task->container_id &&
	       strcmp(source->container_id, task->container_id) == 0;
}

void log_reader_add(struct log_reader *reader, const struct task_view *task)
{
	static const struct api_client_stream_events events = { on_bytes, on_end };
	int64_t attempt = task->attempt;
	/* The attempt counts before its container stands; until then the one before is the last to read. */
	if (task->state == TASK_SCHEDULED)
		attempt--;
	/* No container, nothing to read: it waits, or it could not start. */
	if (attempt < 1 || task->started_wall_ms == 0)
		return;
	for (size_t i = 0; i < reader->n_sources; i++)
		if (uuid_equal(reader->sources[i]->task, task->id) &&
		    (reader->sources[i]->attempt == attempt ||
		     was_the_last(reader->sources[i], task)))
			return;
	struct source *source = base_calloc(1, sizeof(*source));
	source->reader = reader;
	source->task = task->id;
	source->name = base_strdup(task->name);
	source->attempt = attempt;
	source->container_id = base_strdup(task->container_id);
	text_init(&source->lines[0], LINE_BYTES_MAX);
	text_init(&source->lines[1], LINE_BYTES_MAX);
	text_init(&source->broken, ERR_MESSAGE_MAX);
	if (reader->options.prefix) {
		struct text prefix;
		text_init(&prefix, TASK_NAME_SIZE + 4);
		text_addf(&prefix, "%s | ", task->name);
		source->prefix = text_take(&prefix);
	}
	reader->sources =
		base_grow(reader->sources, reader->n_sources, &reader->capacity, sizeof(source));
	reader->sources[reader->n_sources++] = source;
	reader->n_open++;
	/* 0: the last that had a container. */
	_cleanup_free_ char *target =
		target_of(reader, task, task_is_final(task->state) ? 0 : attempt);
	source->stream = api_client_stream(cli_client(reader->invocation), target, &events, source);
}

bool log_reader_run(struct log_reader *reader, int64_t timeout_ms)
{
	if (reader->n_open == 0 && timeout_ms < 0)
		return true;
	api_client_run(cli_client(reader->invocation), timeout_ms);
	return reader->n_open == 0;
}

void log_reader_read_whole(struct log_reader *reader)
{
	reader->options.tail = -1;
	reader->options.since_wall_ms = 0;
}

bool log_reader_is_empty(const struct log_reader *reader)
{
	return reader->n_sources == 0;
}

bool log_reader_failed(const struct log_reader *reader)
{
	return reader->failed;
}
