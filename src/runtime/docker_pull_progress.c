/* A line that is too long or no JSON is skipped: only an error decides anything, and it is the last line: under
 * `error` in a stream, under `message` in an error answer. */
#include "runtime/docker_pull_progress.h"

#include <string.h>

#include "base/alloc.h"
#include "runtime/docker_reply.h"

#define LINE_BYTES_MAX (64 * 1024)
#define MEGABYTE       (1024 * 1024)

void docker_pull_progress_init(struct docker_pull_progress *progress)
{
	*progress = (struct docker_pull_progress){ 0 };
	text_init(&progress->line, LINE_BYTES_MAX);
}

void docker_pull_progress_release(struct docker_pull_progress *progress)
{
	text_release(&progress->line);
	base_free(progress->error);
	*progress = (struct docker_pull_progress){ 0 };
}

static struct docker_layer *layer_of(struct docker_pull_progress *progress, const char *id)
{
	for (size_t i = 0; i < progress->n_layers; i++)
		if (strncmp(progress->layers[i].id, id, sizeof(progress->layers[i].id) - 1) == 0)
			return &progress->layers[i];
	if (progress->n_layers == DOCKER_LAYERS_MAX)
		return NULL;
	struct docker_layer *layer = &progress->layers[progress->n_layers++];
	text_print(layer->id, sizeof(layer->id), "%s", id);
	return layer;
}

static void read_layer(struct docker_pull_progress *progress, const json_t *json,
		       const char *status, const char *id)
{
	static const char *const layer_words[] = { "Pulling fs layer",	"Waiting",
						   "Downloading",	"Verifying Checksum",
						   "Download complete", "Extracting",
						   "Pull complete",	"Already exists" };
	bool known = false;
	for (size_t i = 0; i < ARRAY_LEN(layer_words); i++)
		known = known || strcmp(status, layer_words[i]) == 0;
	struct docker_layer *layer = known ? layer_of(progress, id) : NULL;
	if (!layer)
		return;
	const json_t *detail = json_object_get(json, "progressDetail");
	if (strcmp(status, "Downloading") == 0) {
		layer->current_bytes = docker_json_int(detail, "current", 0);
		layer->total_bytes = docker_json_int(detail, "total", 0);
	} else if (strcmp(status, "Download complete") == 0) {
		layer->current_bytes = layer->total_bytes;
	} else if (strcmp(status, "Pull complete") == 0 || strcmp(status, "Already exists") == 0) {
		layer->current_bytes = layer->total_bytes;
		layer->done = true;
	}
}

static void read_line(struct docker_pull_progress *progress)
{
	json_t *json = docker_json_parse(progress->line.bytes, progress->line.len, NULL);
	const char *error = docker_json_text(json, "error");
	/* Deprecated since API 1.48, it will be left out one day. */
	if (!error)
		error = docker_json_text(json_object_get(json, "errorDetail"), "message");
	if (!error)
		error = docker_json_text(json, "message");
	const char *status = docker_json_text(json, "status");
	const char *id = docker_json_text(json, "id");
	if (error && !progress->error)
		progress->error = base_strdup(error);
	if (status && id)
		read_layer(progress, json, status, id);
	json_decref(json);
}

void docker_pull_progress_feed(struct docker_pull_progress *progress, const void *bytes, size_t len)
{
	const char *at = bytes;
	while (len > 0) {
		const char *newline = memchr(at, '\n', len);
		size_t take = newline ? (size_t)(newline - at) : len;
		text_add_bytes(&progress->line, at, take);
		if (newline) {
			if (!progress->line.cut && progress->line.len > 0)
				read_line(progress);
			text_clear(&progress->line);
			progress->line.cut = false;
			take++;
		}
		at += take;
		len -= take;
	}
}

static int64_t whole_megabytes(int64_t bytes)
{
	return bytes >= MEGABYTE ? bytes / MEGABYTE * MEGABYTE : bytes;
}

void docker_pull_progress_text(const struct docker_pull_progress *progress, struct text *out)
{
	size_t done = 0;
	int64_t current_bytes = 0, total_bytes = 0;
	for (size_t i = 0; i < progress->n_layers; i++) {
		const struct docker_layer *layer = &progress->layers[i];
		done += layer->done;
		/* A peer's numbers: no sum of them may overflow. */
		if (layer->total_bytes < 0 || layer->total_bytes > INT64_MAX / DOCKER_LAYERS_MAX ||
		    layer->current_bytes < 0 || layer->current_bytes > layer->total_bytes)
			continue;
		current_bytes += layer->current_bytes;
		total_bytes += layer->total_bytes;
	}
	if (progress->n_layers == 0)
		return;
	text_addf(out, "%zu of %zu layers", done, progress->n_layers);
	if (total_bytes == 0)
		return;
	text_add(out, ", ");
	text_add_size(out, whole_megabytes(current_bytes));
	text_add(out, " of ");
	text_add_size(out, whole_megabytes(total_bytes));
}
