#include "cli/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/json.h"
#include "base/alloc.h"
#include "base/map.h"
#include "cli/screen.h"
#include "net/shell.h"

/* What happens in a burst is looked at once. */
#define PAUSE_MS 100
/* What is measured, or waits, changes without anything happening. */
#define REFRESH_MS 5000
#define AGES_MS	   1000
#define REDIAL_MS  500
/* How long a manager may be away (a restart) before watching is given up. */
#define MANAGER_AWAY_MS 15000

/* A row that was printed. */
struct shown {
	char *text;
	char *name;
	uint64_t look; /* the last one that had it */
};

struct watch {
	struct invocation *invocation;
	const struct watch_source *source;
	enum output_form form;
	bool on_terminal;
	struct screen screen;
	struct map shown; /* by the row's id */
	struct watch_keys keys;
	size_t widths
		[TABLE_COLUMNS_MAX]; /* columns stay as wide as they were, so that lines agree */
	uint64_t looks;
	struct api_client_stream *stream;
	bool happened;
	struct err stream_err; /* why the stream ended */
	bool has_page;
	int64_t looked_ms, drawn_ms;
	int64_t away_since_ms; /* 0: the manager answers */
};

/* ---- rows as lines ------------------------------------------------------------------------------------- */

static void shown_free(struct shown *shown)
{
	base_free(shown->text);
	base_free(shown->name);
	base_free(shown);
}

/* Is it news? Takes `text` over. */
static bool is_news(struct watch *watch, struct uuid id, const char *name, char *text)
{
	struct shown *shown = map_get(&watch->shown, id);
	bool known = shown != NULL;
	if (!known) {
		shown = base_calloc(1, sizeof(*shown));
		map_put(&watch->shown, id, shown);
	}
	shown->look = watch->looks;
	if (known && strcmp(shown->text, text) == 0) {
		base_free(text);
		return false;
	}
	base_free(shown->text);
	base_free(shown->name);
	shown->text = text;
	shown->name = base_strdup(name);
	return true;
}

/* An object as it was, and that it is no more. */
static void print_removed_object(const char *text)
{
	json_t *object = json_loads(text, 0, NULL);
	if (!object)
		return;
	json_object_set_new(object, "removed", json_true());
	char *line = json_dumps(object, JSON_COMPACT);
	puts(line);
	free(line);
	json_decref(object);
}

static void forget_removed(struct watch *watch)
{
	for (size_t i = 0; i < watch->keys.ids.n; i++) {
		struct shown *shown = map_get(&watch->shown, watch->keys.ids.items[i]);
		if (!shown || shown->look == watch->looks)
			continue;
		if (watch->form == OUTPUT_JSON)
			print_removed_object(shown->text);
		else
			printf("%s  removed\n", shown->name);
		map_remove(&watch->shown, watch->keys.ids.items[i]);
		shown_free(shown);
	}
}

/* What the row says, without what changes by itself. */
static char *row_text(const struct watch *watch, const struct table *table, size_t row)
{
	struct text text;
	text_init(&text, (size_t)LIMIT_WS_MESSAGE_BYTES);
	for (size_t i = 0; i < table->n_columns; i++)
		if (!(watch->source->volatile_columns >> i & 1))
			text_addf(&text, "%s\t", table->cells.items[row * table->n_columns + i]);
	return text_take(&text);
}

static void print_changed_rows(struct watch *watch, const struct table *table,
			       const struct watch_keys *keys)
{
	struct text out;
	text_init(&out, (size_t)LIMIT_WS_MESSAGE_BYTES);
	table_render(table, 0, &out);
	const char *line = text_string(&out);
	for (size_t row = 0; *line; row++) {
		size_t len = strcspn(line, "\n");
		/* The heading stands once. */
		if (row ? is_news(watch, keys->ids.items[row - 1],
				  table->cells.items[row * table->n_columns],
				  row_text(watch, table, row))
			: watch->looks == 1)
			printf("%.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
	text_release(&out);
}

static struct uuid id_of(const json_t *object)
{
	struct uuid id;
	const char *text = json_string_value(json_object_get(object, "id"));
	return text && uuid_parse(text, &id, NULL) == ERR_NONE ? id : (struct uuid){ 0 };
}

static void print_changed_objects(struct watch *watch, struct watch_keys *keys)
{
	json_t *page = json_from_record(watch->source->page_type, watch->source->page, JSON_ANSWER);
	json_t *items = json_object_get(page, watch->source->items);
	json_t *object;
	size_t i;
	json_array_foreach(items, i, object)
	{
		char *dumped = json_dumps(object, JSON_COMPACT);
		struct uuid *id = list_add(&keys->ids, sizeof(*id));
		*id = id_of(object);
		if (is_news(watch, *id, "", base_strdup(dumped)))
			puts(dumped);
		free(dumped);
	}
	json_decref(page);
}

/* ---- what is shown ------------------------------------------------------------------------------------- */

/* As many lines as fit; the others are counted. */
static char *fit(const struct table *table)
{
	struct text out;
	size_t rows, columns, n_lines = 0;
	char more[64];
	text_init(&out, (size_t)LIMIT_WS_MESSAGE_BYTES);
	screen_size(&rows, &columns);
	table_render(table, columns, &out);
	size_t n_rows = table->cells.n / table->n_columns;
	if (n_rows < rows)
		return text_take(&out);
	char *at = out.bytes;
	for (; n_lines + 2 < rows; n_lines++)
		at = strchr(at, '\n') + 1;
	*at = '\0';
	char *fitting = base_strdup(out.bytes);
	text_clear(&out);
	text_addf(&out, "%s%.*s\n", fitting, (int)columns,
		  text_print(more, sizeof(more), "... and %zu more", n_rows - n_lines));
	base_free(fitting);
	return text_take(&out);
}

static void show(struct watch *watch)
{
	const struct watch_source *source = watch->source;
	struct watch_keys keys = { 0 };
	if (watch->form == OUTPUT_JSON) {
		print_changed_objects(watch, &keys);
	} else {
		struct table table;
		source->fill(source->owner, &table, &keys);
		table_measure(&table, watch->widths);
		memcpy(table.widths, watch->widths, sizeof(table.widths));
		if (watch->on_terminal)
			screen_draw(&watch->screen, fit(&table));
		else
			print_changed_rows(watch, &table, &keys);
		table_release(&table);
	}
	if (!watch->on_terminal)
		forget_removed(watch);
	cli_flush();
	watch->drawn_ms = shell_now_ms();
	base_free(watch->keys.ids.items);
	watch->keys = keys;
}

/* ---- the loop ------------------------------------------------------------------------------------------ */

static void on_bytes(void *owner, const void *bytes, size_t len)
{
	struct watch *watch = owner;
	(void)bytes;
	(void)len;
	/* What has happened is in the list, whole; which event it was says less. */
	watch->happened = true;
	watch->away_since_ms = 0;
	api_client_stop(cli_client(watch->invocation));
}

static void on_end(void *owner, const struct err *err)
{
	struct watch *watch = owner;
	watch->stream = NULL;
	if (err)
		watch->stream_err = *err;
	else
		err_set(&watch->stream_err, ERR_CLOSED, "the manager ended the stream of events");
	api_client_stop(cli_client(watch->invocation));
}

/* A manager that answered before may be restarting. */
static bool is_away_for_now(struct watch *watch, enum err_code code)
{
	bool away = code == ERR_UNAVAILABLE || code == ERR_CLOSED || code == ERR_IO;
	if (!away || !watch->looks)
		return false;
	if (!watch->away_since_ms)
		watch->away_since_ms = shell_now_ms();
	return shell_now_ms() - watch->away_since_ms < MANAGER_AWAY_MS;
}

static enum err_code look(struct watch *watch, bool *ret_done, struct err *err)
{
	const struct watch_source *source = watch->source;
	record_release(source->page_type, source->page);
	watch->happened = false;
	watch->looked_ms = shell_now_ms();
	enum err_code code = source->fetch(watch->invocation, source->owner, err);
	watch->has_page = !code;
	if (code)
		return is_away_for_now(watch, code) ? ERR_NONE : code;
	watch->looks++;
	show(watch);
	return source->judge ? source->judge(source->owner, ret_done, err) : ERR_NONE;
}

/* Follow the events; the first bytes of the stream are answered with a look, so that nothing is missed. */
static enum err_code follow(struct watch *watch, struct err *err)
{
	static const struct api_client_stream_events events = { on_bytes, on_end };
	if (watch->stream)
		return ERR_NONE;
	if (watch->stream_err.code) {
		*err = watch->stream_err;
		if (!is_away_for_now(watch, err->code))
			return err->code;
		watch->stream_err.code = ERR_NONE;
		api_client_run(cli_client(watch->invocation), REDIAL_MS);
	}
	watch->stream =
		api_client_stream(cli_client(watch->invocation), "/v1/events", &events, watch);
	return ERR_NONE;
}

static int64_t due_ms(const struct watch *watch)
{
	int64_t look_ms = watch->looked_ms + (watch->happened ? PAUSE_MS : REFRESH_MS);
	int64_t draw_ms = watch->on_terminal ? watch->drawn_ms + AGES_MS : look_ms;
	return look_ms < draw_ms ? look_ms : draw_ms;
}

static enum err_code step(struct watch *watch, bool *ret_done, struct err *err)
{
	enum err_code code = follow(watch, err);
	if (code)
		return code;
	int64_t wait_ms = due_ms(watch) - shell_now_ms();
	api_client_run(cli_client(watch->invocation), wait_ms > 0 ? wait_ms : 0);
	int64_t now_ms = shell_now_ms();
	if (now_ms >= watch->looked_ms + (watch->happened ? PAUSE_MS : REFRESH_MS))
		return look(watch, ret_done, err);
	if (watch->has_page && now_ms >= watch->drawn_ms + AGES_MS && watch->on_terminal)
		show(watch);
	return ERR_NONE;
}

enum err_code watch(struct invocation *invocation, const struct watch_source *source,
		    enum output_form form, struct err *err)
{
	struct watch watch = { .invocation = invocation,
			       .source = source,
			       .form = form,
			       .on_terminal = form != OUTPUT_JSON && isatty(STDOUT_FILENO) };
	bool done = false;
	enum err_code code = look(&watch, &done, err);
	while (!code && !done)
		code = step(&watch, &done, err);
	if (watch.stream)
		api_client_stream_close(watch.stream);
	size_t position = 0;
	for (struct shown *at; (at = map_next(&watch.shown, &position));)
		shown_free(at);
	map_release(&watch.shown);
	base_free(watch.keys.ids.items);
	record_release(source->page_type, source->page);
	screen_release(&watch.screen);
	return code;
}
