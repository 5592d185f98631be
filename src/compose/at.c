#include "compose/at.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/utf8.h"

#define INTERPOLATED_BYTES_MAX (4LL * LIMIT_YAML_FILE_BYTES)
#define PATH_DEPTH_MAX	       24

static void add_path(struct text *text, const struct at *at)
{
	const struct at *chain[PATH_DEPTH_MAX];
	size_t n = 0;
	for (; at && at->up && n < PATH_DEPTH_MAX; at = at->up)
		chain[n++] = at;
	for (size_t i = n; i-- > 0;) {
		if (!chain[i]->name)
			text_addf(text, "[%zu]", chain[i]->index);
		else
			text_addf(text, "%s%s", i + 1 < n ? "." : "", chain[i]->name);
	}
}

/* "FILE:LINE:COLUMN: PATH", or without the path at the root. */
static void print_field(const struct at *at, const struct tree_node *where, char out[ERR_FIELD_MAX])
{
	struct text text;
	text_init(&text, ERR_FIELD_MAX - 1);
	text_addf(&text, "%s:%d:%d", where->source->name, where->line, where->column);
	if (at->up) {
		text_add(&text, ": ");
		add_path(&text, at);
	}
	memcpy(out, text_string(&text), text.len + 1);
	text_release(&text);
}

/* A list or mapping begins a line below its key, an empty value nowhere: point at the key instead. */
static const struct tree_node *visible(const struct at *at)
{
	bool text = at->node->kind == TREE_SCALAR && (at->node->is_string || *at->node->text);
	return text || !at->key ? at->node : at->key;
}

static enum err_code fail_at(const struct at *at, const struct tree_node *where, struct err *err,
			     enum err_code code, const char *format, va_list arguments)
{
	char field[ERR_FIELD_MAX];
	struct text message;
	print_field(at, where, field);
	at->load->failed_at = where;
	text_init(&message, ERR_MESSAGE_MAX - 1);
	text_addv(&message, format, arguments);
	err_set_field(err, code, field, "%s", text_string(&message));
	text_release(&message);
	return code;
}

/* What the analyzer is told instead of these, compose/at.h. */
#undef at_fail
#undef at_fail_key
#undef at_blame

enum err_code at_fail(const struct at *at, struct err *err, enum err_code code, const char *format,
		      ...)
{
	va_list arguments;
	va_start(arguments, format);
	fail_at(at, visible(at), err, code, format, arguments);
	va_end(arguments);
	return code;
}

enum err_code at_fail_key(const struct at *at, struct err *err, enum err_code code,
			  const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fail_at(at, at->key ? at->key : at->node, err, code, format, arguments);
	va_end(arguments);
	return code;
}

enum err_code at_blame(const struct at *at, struct err *err)
{
	print_field(at, visible(at), err->field);
	at->load->failed_at = visible(at);
	return err->code;
}

void at_origin(const struct at *at, const char *format, ...)
{
	char field[ERR_FIELD_MAX];
	struct text path;
	va_list arguments;
	print_field(at, visible(at), field);
	text_init(&path, ERR_FIELD_MAX);
	text_add(&path, at->load->record_prefix);
	va_start(arguments, format);
	text_addv(&path, format, arguments);
	va_end(arguments);
	struct origin *origin = list_add(&at->load->origins.items, sizeof(*origin));
	origin->field = base_strdup(field);
	origin->record_path = text_take(&path);
}

void at_origin_item(const struct at *item, size_t n)
{
	if (item->up->record)
		at_origin(item, "%s[%zu]", item->up->record, n);
}

void load_origins_rotate(struct load *load, const char *list, size_t begin, size_t middle,
			 size_t end)
{
	struct text path;
	text_init(&path, ERR_FIELD_MAX);
	text_addf(&path, "%s%s[", load->record_prefix, list);
	size_t len = strlen(text_string(&path));
	for (size_t i = 0; i < load->origins.items.n; i++) {
		char **known = &load->origins.items.items[i].record_path;
		char *rest;
		if (strncmp(*known, text_string(&path), len) != 0)
			continue;
		size_t index = strtoul(*known + len, &rest, 10);
		if (index < begin || index >= end)
			continue;
		index = index < middle ? index + (end - middle) : index - (middle - begin);
		struct text moved;
		text_init(&moved, ERR_FIELD_MAX);
		text_addf(&moved, "%s%zu%s", text_string(&path), index, rest);
		base_free(*known);
		*known = text_take(&moved);
	}
	text_release(&path);
}

/* The longest known part of a record path, or NULL. */
static const struct origin *origin_of(const struct compose_origins *origins, const char *path)
{
	const struct origin *best = NULL;
	size_t best_len = 0;
	for (size_t i = 0; i < origins->items.n; i++) {
		const struct origin *origin = &origins->items.items[i];
		size_t len = strlen(origin->record_path);
		char next = strncmp(origin->record_path, path, len) == 0 ? path[len] : 'x';
		if (len >= best_len && (next == '\0' || next == '.' || next == '[')) {
			best = origin;
			best_len = len;
		}
	}
	return best;
}

bool compose_blame(const struct compose_origins *origins, struct err *err)
{
	const struct origin *origin = origin_of(origins, err->field);
	if (origin)
		text_print(err->field, sizeof(err->field), "%s", origin->field);
	return origin != NULL;
}

void compose_origins_release(struct compose_origins *origins)
{
	for (size_t i = 0; i < origins->items.n; i++) {
		base_free(origins->items.items[i].record_path);
		base_free(origins->items.items[i].field);
	}
	base_free(origins->items.items);
	*origins = (struct compose_origins){ 0 };
}

void load_blame_origin(const struct load *load, struct err *err)
{
	char path[ERR_FIELD_MAX];
	memcpy(path, err->field, sizeof(path));
	if (!compose_blame(&load->origins, err))
		text_print(err->field, sizeof(err->field), "%s: %s", load->options->files[0].name,
			   path);
}

static void add_warning(struct load *load, const char *field, const char *format, va_list arguments)
{
	struct text text;
	if (!load->warnings || load->warnings->items.n >= LIMIT_LIST_ITEMS)
		return;
	text_init(&text, LIMIT_MESSAGE_BYTES);
	text_addf(&text, "%s: ", field);
	text_addv(&text, format, arguments);
	strings_add(&load->warnings->items, text_string(&text));
	text_release(&text);
}

void load_warn(struct load *load, const char *field, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	add_warning(load, field, format, arguments);
	va_end(arguments);
}

void load_warn_origin(struct load *load, const char *record_path, const char *format, ...)
{
	const struct origin *origin = origin_of(&load->origins, record_path);
	va_list arguments;
	va_start(arguments, format);
	add_warning(load, origin ? origin->field : load->options->files[0].name, format, arguments);
	va_end(arguments);
}

void at_warn(const struct at *at, const char *format, ...)
{
	char field[ERR_FIELD_MAX];
	va_list arguments;
	print_field(at, at->key ? at->key : at->node, field);
	va_start(arguments, format);
	add_warning(at->load, field, format, arguments);
	va_end(arguments);
}

static void warn_unset(void *context, const char *place, const char *variable)
{
	const struct at *at = context;
	if (strings_has(&at->load->warned, variable))
		return;
	if (at->load->warned.n < LIMIT_LIST_ITEMS)
		strings_add(&at->load->warned, variable);
	if (place)
		load_warn(at->load, place, UNSET_WARNING, variable);
	else
		at_warn(at, UNSET_WARNING, variable);
}

struct interpolation load_interpolation(const struct at *at)
{
	return (struct interpolation){ .first = at->node->source->environment,
				       .unset = warn_unset,
				       .context = (void *)(uintptr_t)at };
}

static enum err_code replace_variables(const struct at *at, struct err *err)
{
	struct tree_node *node = at->node;
	if (node->kind != TREE_SCALAR || node->interpolated || !strchr(node->text, '$'))
		return ERR_NONE;
	struct interpolation interpolation = load_interpolation(at);
	char *text;
	if (interpolate(&interpolation, node->text, &text, err))
		return at_blame(at, err);
	if (!utf8_is_valid(text, strlen(text))) {
		base_free(text);
		return at_fail(at, err, ERR_INVALID,
			       "the text is not UTF-8 once its variables are replaced");
	}
	base_free(node->text);
	node->text = text;
	node->interpolated = true;
	node->is_string = true;
	at->load->interpolated_bytes += (int64_t)strlen(text);
	if (at->load->interpolated_bytes > INTERPOLATED_BYTES_MAX)
		return at_fail(at, err, ERR_TOO_LARGE,
			       "there are more than %lld bytes once variables are replaced",
			       INTERPOLATED_BYTES_MAX);
	return ERR_NONE;
}

enum err_code at_entry(const struct at *map, const struct tree_entry *entry, struct at *ret_at,
		       struct err *err)
{
	PRE(map->node->kind == TREE_MAP);
	*ret_at = (struct at){ .load = map->load,
			       .up = map,
			       .name = entry->key->text,
			       .key = entry->key,
			       .node = entry->value };
	return replace_variables(ret_at, err);
}

struct at at_key(const struct at *map, const char *key)
{
	const struct tree_entry *entry =
		map->node->kind == TREE_MAP ? tree_entry_of(map->node, key) : NULL;
	if (!entry)
		return *map;
	return (struct at){ .load = map->load,
			    .up = map,
			    .name = entry->key->text,
			    .key = entry->key,
			    .node = entry->value };
}

enum err_code at_item(const struct at *list, size_t index, struct at *ret_at, struct err *err)
{
	PRE(list->node->kind == TREE_LIST && index < list->node->n);
	*ret_at = (struct at){
		.load = list->load, .up = list, .index = index, .node = list->node->items[index]
	};
	return replace_variables(ret_at, err);
}

static enum err_code replace_in_entries(const struct at *map, struct err *err)
{
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < map->node->n; i++) {
		struct at entry;
		if (strncmp(map->node->entries[i].key->text, "x-", 2) == 0)
			continue;
		code = at_entry(map, &map->node->entries[i], &entry, err);
		if (!code)
			code = at_replace_all(&entry, err);
	}
	return code;
}

enum err_code at_replace_all(const struct at *at, struct err *err)
{
	enum err_code code = ERR_NONE;
	if (at->node->kind == TREE_MAP)
		return replace_in_entries(at, err);
	for (size_t i = 0; !code && at->node->kind == TREE_LIST && i < at->node->n; i++) {
		struct at item;
		code = at_item(at, i, &item, err);
		if (!code)
			code = at_replace_all(&item, err);
	}
	return code;
}
