/* Invariants:
 * 1. Every node is in tree->nodes exactly once and freed only there; parents borrow.
 * 2. composer.n_nodes and n_bytes count what has been read with aliases written out, so the cost of a node is the
 *    difference between the counts at its end and at its beginning, and no limit can be passed by sharing.
 * 3. An alias only reaches a node that is complete: the tree has no cycles. */
#include "compose/yaml_tree.h"

#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/text.h"

#define ANCHORS_MAX	   1024
#define EXPANDED_BYTES_MAX (4LL * LIMIT_YAML_FILE_BYTES)
#define YAML_TAG	   "tag:yaml.org,2002:"

struct anchor {
	char *name;
	struct tree_node *node;
};

struct composer {
	yaml_parser_t parser;
	const char *file_name;
	const struct source *source; /* NULL: the text is merged with no other */
	const char *text;
	size_t len;
	struct tree tree;
	struct anchor *anchors;
	size_t n_anchors;
	size_t anchors_capacity;
	int64_t n_nodes;
	int64_t n_bytes;
	struct err *err;
};

static enum err_code read_node(struct composer *composer, yaml_event_t *event, int depth,
			       struct tree_node **ret_node) WARN_UNUSED;

static void node_free(struct tree_node *node)
{
	base_free(node->text);
	base_free(node->items);
	base_free(node->entries);
	base_free(node);
}

void tree_release(struct tree *tree)
{
	for (size_t i = 0; i < tree->n_nodes; i++)
		node_free(tree->nodes[i]);
	base_free(tree->nodes);
	*tree = (struct tree){ 0 };
}

static const char *position(const struct composer *composer, const yaml_mark_t *mark,
			    char out[ERR_FIELD_MAX])
{
	return text_print(out, ERR_FIELD_MAX, "%s:%lu:%lu", composer->file_name,
			  (unsigned long)mark->line + 1, (unsigned long)mark->column + 1);
}

static enum err_code fail(struct composer *composer, enum err_code code, const yaml_mark_t *mark,
			  const char *message)
{
	char field[ERR_FIELD_MAX];
	return err_set_field(composer->err, code, position(composer, mark, field), "%s", message);
}

/* What libyaml found wrong, in words that help with the mistakes people make most. */
static enum err_code fail_syntax(struct composer *composer)
{
	const yaml_parser_t *parser = &composer->parser;
	if (parser->error == YAML_READER_ERROR) {
		char field[ERR_FIELD_MAX];
		text_print(field, sizeof(field), "%s: byte %lu", composer->file_name,
			   (unsigned long)parser->problem_offset);
		return err_set_field(composer->err, ERR_SYNTAX, field,
				     "the file is not text in UTF-8: %s", parser->problem);
	}
	const yaml_mark_t *mark = &parser->problem_mark;
	bool tab = mark->index < composer->len && composer->text[mark->index] == '\t';
	char field[ERR_FIELD_MAX];
	position(composer, mark, field);
	if (tab)
		return err_set_field(
			composer->err, ERR_SYNTAX, field,
			"a tab is used for indentation; YAML allows only spaces there");
	if (parser->context)
		return err_set_field(composer->err, ERR_SYNTAX, field,
				     "not valid YAML: %s (%s that began in line %lu)",
				     parser->problem, parser->context,
				     (unsigned long)parser->context_mark.line + 1);
	return err_set_field(composer->err, ERR_SYNTAX, field, "not valid YAML: %s",
			     parser->problem ? parser->problem : "unexpected end");
}

static enum err_code next_event(struct composer *composer, yaml_event_t *ret_event)
{
	if (!yaml_parser_parse(&composer->parser, ret_event))
		return fail_syntax(composer);
	return ERR_NONE;
}

/* Account for `nodes` and `bytes` more (2). */
static enum err_code spend(struct composer *composer, const yaml_mark_t *mark, int64_t nodes,
			   int64_t bytes)
{
	composer->n_nodes += nodes;
	composer->n_bytes += bytes;
	if (composer->n_nodes > LIMIT_YAML_NODES)
		return fail(composer, ERR_TOO_LARGE, mark,
			    "the file holds too many values once its aliases are written out");
	if (composer->n_bytes > EXPANDED_BYTES_MAX)
		return fail(composer, ERR_TOO_LARGE, mark,
			    "the file is too large once its aliases are written out");
	return ERR_NONE;
}

static struct tree_node *add_node(struct tree *tree, enum tree_kind kind)
{
	tree->nodes = base_grow(tree->nodes, tree->n_nodes, &tree->capacity, sizeof(*tree->nodes));
	struct tree_node *node = base_calloc(1, sizeof(*node));
	tree->nodes[tree->n_nodes++] = node;
	node->kind = kind;
	return node;
}

struct tree_node *tree_add(struct tree *tree, enum tree_kind kind, const struct tree_node *like)
{
	struct tree_node *node = add_node(tree, kind);
	node->line = like->line;
	node->column = like->column;
	node->source = like->source;
	node->text = base_strdup("");
	return node;
}

static struct tree_node *node_new(struct composer *composer, enum tree_kind kind,
				  const yaml_mark_t *mark)
{
	struct tree_node *node = add_node(&composer->tree, kind);
	node->source = composer->source;
	node->line = (int)mark->line + 1;
	node->column = (int)mark->column + 1;
	node->open = true;
	return node;
}

static enum err_code add_anchor(struct composer *composer, const yaml_mark_t *mark,
				const yaml_char_t *name, struct tree_node *node)
{
	if (!name)
		return ERR_NONE;
	char field[ERR_FIELD_MAX];
	if (composer->n_anchors == ANCHORS_MAX)
		return err_set_field(composer->err, ERR_TOO_LARGE, position(composer, mark, field),
				     "the file has more than %d anchors", ANCHORS_MAX);
	composer->anchors = base_grow(composer->anchors, composer->n_anchors,
				      &composer->anchors_capacity, sizeof(*composer->anchors));
	composer->anchors[composer->n_anchors++] =
		(struct anchor){ base_strdup((const char *)name), node };
	return ERR_NONE;
}

static enum err_code read_alias(struct composer *composer, const yaml_event_t *event,
				struct tree_node **ret_node)
{
	const char *name = (const char *)event->data.alias.anchor;
	const yaml_mark_t *mark = &event->start_mark;
	char field[ERR_FIELD_MAX];
	for (size_t i = composer->n_anchors; i-- > 0;) {
		struct tree_node *node = composer->anchors[i].node;
		if (strcmp(composer->anchors[i].name, name) != 0)
			continue;
		if (node->open)
			return err_set_field(
				composer->err, ERR_INVALID, position(composer, mark, field),
				"the alias *%s stands inside its own anchor &%s", name, name);
		*ret_node = node;
		return spend(composer, mark, node->expanded_nodes, node->expanded_bytes);
	}
	return err_set_field(composer->err, ERR_INVALID, position(composer, mark, field),
			     "the alias *%s has no anchor &%s before it", name, name);
}

/* What a tag says. */
struct tag {
	bool string; /* the value is a string, whatever it looks like */
	enum tree_merge merge;
};

static enum err_code read_merge_tag(struct composer *composer, const yaml_mark_t *mark,
				    const char *text, struct tag *ret_tag)
{
	char field[ERR_FIELD_MAX];
	position(composer, mark, field);
	if (!composer->source)
		return err_set_field(composer->err, ERR_UNSUPPORTED, field,
				     "the tag %s steers the merging of several Compose files",
				     text);
	ret_tag->merge = strcmp(text, "!reset") == 0 ? TREE_RESET : TREE_OVERRIDE;
	composer->tree.has_reset |= ret_tag->merge == TREE_RESET;
	return ERR_NONE;
}

/* Only the tags of YAML's own types and of merging mean anything here; whatever else stands there would be ignored in
 * silence. */
static enum err_code read_tag(struct composer *composer, const yaml_mark_t *mark,
			      const yaml_char_t *tag, struct tag *ret_tag)
{
	static const char *const known[] = { "str", "int", "float", "bool", "null", "map", "seq" };
	const char *text = (const char *)tag;
	*ret_tag = (struct tag){ .string = text && strcmp(text, "!") == 0 };
	if (!text || strcmp(text, "?") == 0 || ret_tag->string)
		return ERR_NONE;
	size_t prefix = strlen(YAML_TAG);
	if (strncmp(text, YAML_TAG, prefix) == 0)
		for (size_t i = 0; i < ARRAY_LEN(known); i++)
			if (strcmp(text + prefix, known[i]) == 0) {
				ret_tag->string = i == 0;
				return ERR_NONE;
			}
	if (strcmp(text, "!reset") == 0 || strcmp(text, "!override") == 0)
		return read_merge_tag(composer, mark, text, ret_tag);
	char field[ERR_FIELD_MAX];
	position(composer, mark, field);
	return err_set_field(composer->err, ERR_UNSUPPORTED, field,
			     "the tag %s has no meaning in a Compose file", text);
}

/* What steers merging belongs to the value of a key. */
static enum err_code refuse_merge_tag(struct composer *composer, const struct tree_node *node)
{
	if (!node || node->merge == TREE_MERGE)
		return ERR_NONE;
	char field[ERR_FIELD_MAX];
	text_print(field, sizeof(field), "%s:%d:%d", composer->file_name, node->line, node->column);
	return err_set_field(composer->err, ERR_INVALID, field,
			     "the tag %s stands before the value of a key only",
			     node->merge == TREE_RESET ? "!reset" : "!override");
}

static enum err_code read_scalar(struct composer *composer, const yaml_event_t *event,
				 struct tree_node **ret_node)
{
	const yaml_mark_t *mark = &event->start_mark;
	const char *bytes = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	struct tag tag;
	enum err_code code = read_tag(composer, mark, event->data.scalar.tag, &tag);
	if (!code)
		code = spend(composer, mark, 1, (int64_t)len);
	if (code)
		return code;
	if (memchr(bytes, '\0', len))
		return fail(composer, ERR_SYNTAX, mark,
			    "a NUL character has no place in a Compose file");
	struct tree_node *node = node_new(composer, TREE_SCALAR, mark);
	node->text = base_strndup(bytes, len);
	node->merge = tag.merge;
	node->is_string = tag.string || event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	node->open = false;
	node->expanded_nodes = 1;
	node->expanded_bytes = (int64_t)len;
	*ret_node = node;
	return add_anchor(composer, mark, event->data.scalar.anchor, node);
}

/* Begin a list or map. */
static enum err_code open_node(struct composer *composer, const yaml_event_t *event,
			       enum tree_kind kind, struct tree_node **ret_node)
{
	const yaml_mark_t *mark = &event->start_mark;
	bool list = kind == TREE_LIST;
	struct tag tag;
	enum err_code code = read_tag(
		composer, mark,
		list ? event->data.sequence_start.tag : event->data.mapping_start.tag, &tag);
	if (!code && tag.string)
		code = fail(composer, ERR_INVALID, mark,
			    "the tag !!str stands before a list or mapping");
	struct tree_node *node = node_new(composer, kind, mark);
	node->merge = tag.merge;
	node->expanded_nodes = -composer->n_nodes;
	node->expanded_bytes = -composer->n_bytes;
	if (!code)
		code = spend(composer, mark, 1, 0);
	if (!code)
		code = add_anchor(composer, mark,
				  list ? event->data.sequence_start.anchor
				       : event->data.mapping_start.anchor,
				  node);
	*ret_node = node;
	return code;
}

static void close_node(struct composer *composer, struct tree_node *node)
{
	node->expanded_nodes += composer->n_nodes;
	node->expanded_bytes += composer->n_bytes;
	node->open = false;
}

/* The next node, or NULL at the end of the list or map around it. */
static enum err_code read_child(struct composer *composer, int depth, struct tree_node **ret_node)
{
	yaml_event_t event;
	enum err_code code = next_event(composer, &event);
	if (code)
		return code;
	*ret_node = NULL;
	if (event.type != YAML_SEQUENCE_END_EVENT && event.type != YAML_MAPPING_END_EVENT)
		code = read_node(composer, &event, depth + 1, ret_node);
	yaml_event_delete(&event);
	return code;
}

static enum err_code read_list(struct composer *composer, const yaml_event_t *event, int depth,
			       struct tree_node **ret_node)
{
	struct tree_node *list;
	enum err_code code = open_node(composer, event, TREE_LIST, &list);
	size_t capacity = 0;
	while (!code) {
		struct tree_node *item = NULL;
		code = read_child(composer, depth, &item);
		if (!code)
			code = refuse_merge_tag(composer, item);
		if (code || !item)
			break;
		list->items =
			base_grow(list->items, list->n, &capacity, sizeof(struct tree_node *));
		list->items[list->n++] = item;
	}
	close_node(composer, list);
	*ret_node = list;
	return code;
}

/* An entry and where it came from: rank 0 is the map itself, then the merged maps in order. */
struct ranked {
	struct tree_entry entry;
	size_t rank;
	size_t order;
};

static int compare_ranked(const void *a, const void *b)
{
	const struct ranked *left = a;
	const struct ranked *right = b;
	int by_text = strcmp(left->entry.key->text, right->entry.key->text);
	if (by_text != 0)
		return by_text;
	return left->order < right->order ? -1 : left->order > right->order;
}

static int compare_order(const void *a, const void *b)
{
	const struct ranked *left = a;
	const struct ranked *right = b;
	return left->order < right->order ? -1 : left->order > right->order;
}

static enum err_code fail_duplicate(struct composer *composer, const struct tree_node *first,
				    const struct tree_node *second)
{
	char field[ERR_FIELD_MAX];
	text_print(field, sizeof(field), "%s:%d:%d", composer->file_name, second->line,
		   second->column);
	return err_set_field(composer->err, ERR_INVALID, field,
			     "the key \"%s\" stands twice in this mapping (first in line %d)",
			     second->text, first->line);
}

/* Of entries with the same key keep the first by rank; two of the same rank 0 are an error. */
static enum err_code drop_shadowed(struct composer *composer, struct ranked *all, size_t *n)
{
	if (*n == 0)
		return ERR_NONE;
	qsort(all, *n, sizeof(*all), compare_ranked);
	size_t kept = 1;
	for (size_t i = 1; i < *n; i++) {
		if (strcmp(all[i].entry.key->text, all[kept - 1].entry.key->text) != 0)
			all[kept++] = all[i];
		else if (all[i].rank == 0)
			return fail_duplicate(composer, all[kept - 1].entry.key, all[i].entry.key);
	}
	qsort(all, kept, sizeof(*all), compare_order);
	*n = kept;
	return ERR_NONE;
}

/* The maps of a merge value: itself, or the items of the list it is. */
static enum err_code check_merge(struct composer *composer, const struct tree_node *merge)
{
	const struct tree_node *wrong = NULL;
	if (merge->kind == TREE_SCALAR)
		wrong = merge;
	for (size_t i = 0; merge->kind == TREE_LIST && i < merge->n && !wrong; i++)
		if (merge->items[i]->kind != TREE_MAP)
			wrong = merge->items[i];
	if (!wrong)
		return ERR_NONE;
	char field[ERR_FIELD_MAX];
	text_print(field, sizeof(field), "%s:%d:%d", composer->file_name, wrong->line,
		   wrong->column);
	return err_set_field(composer->err, ERR_INVALID, field,
			     "<< merges a mapping or a list of mappings into this one");
}

/* Apply the merge and check for duplicates. */
static enum err_code finish_map(struct composer *composer, struct tree_node *map,
				const struct tree_node *merge)
{
	enum err_code code = merge ? check_merge(composer, merge) : ERR_NONE;
	if (code)
		return code;
	size_t n_maps = !merge ? 0 : merge->kind == TREE_MAP ? 1 : merge->n;
	size_t n = map->n;
	for (size_t i = 0; i < n_maps; i++)
		n += merge->kind == TREE_MAP ? merge->n : merge->items[i]->n;
	_cleanup_free_ struct ranked *all = base_calloc(n ? n : 1, sizeof(*all));
	n = 0;
	for (; n < map->n; n++)
		all[n] = (struct ranked){ map->entries[n], 0, n };
	for (size_t i = 0; i < n_maps; i++) {
		const struct tree_node *from = merge->kind == TREE_MAP ? merge : merge->items[i];
		for (size_t j = 0; j < from->n; j++, n++)
			all[n] = (struct ranked){ from->entries[j], i + 1, n };
	}
	code = drop_shadowed(composer, all, &n);
	if (code)
		return code;
	base_free(map->entries);
	map->entries = base_calloc(n ? n : 1, sizeof(*map->entries));
	map->n = n;
	for (size_t i = 0; i < n; i++)
		map->entries[i] = all[i].entry;
	return ERR_NONE;
}

static enum err_code check_key(struct composer *composer, const struct tree_node *key)
{
	if (key->kind == TREE_SCALAR)
		return refuse_merge_tag(composer, key);
	char field[ERR_FIELD_MAX];
	text_print(field, sizeof(field), "%s:%d:%d", composer->file_name, key->line, key->column);
	return err_set_field(composer->err, ERR_INVALID, field,
			     "a %s stands where a key is expected; a text that begins with [ or { "
			     "needs quotes",
			     key->kind == TREE_LIST ? "list" : "mapping");
}

static enum err_code read_map(struct composer *composer, const yaml_event_t *event, int depth,
			      struct tree_node **ret_node)
{
	struct tree_node *map;
	const struct tree_node *merge_key = NULL;
	const struct tree_node *merge = NULL;
	enum err_code code = open_node(composer, event, TREE_MAP, &map);
	size_t capacity = 0;
	while (!code) {
		struct tree_node *key = NULL;
		struct tree_node *value = NULL;
		code = read_child(composer, depth, &key);
		if (code || !key)
			break;
		code = check_key(composer, key);
		if (!code)
			code = read_child(composer, depth, &value);
		if (code)
			break;
		if (strcmp(key->text, "<<") == 0 && !key->is_string) {
			if (merge_key)
				code = fail_duplicate(composer, merge_key, key);
			if (!code)
				code = refuse_merge_tag(composer, value);
			merge_key = key;
			merge = value;
			continue;
		}
		map->entries = base_grow(map->entries, map->n, &capacity, sizeof(*map->entries));
		map->entries[map->n++] = (struct tree_entry){ key, value };
	}
	if (!code)
		code = finish_map(composer, map, merge);
	close_node(composer, map);
	*ret_node = map;
	return code;
}

static enum err_code read_node(struct composer *composer, yaml_event_t *event, int depth,
			       struct tree_node **ret_node)
{
	if (depth > LIMIT_YAML_DEPTH)
		return fail(composer, ERR_TOO_LARGE, &event->start_mark,
			    "lists and mappings are nested too deeply");
	switch (event->type) {
	case YAML_ALIAS_EVENT: return read_alias(composer, event, ret_node);
	case YAML_SCALAR_EVENT: return read_scalar(composer, event, ret_node);
	case YAML_SEQUENCE_START_EVENT: return read_list(composer, event, depth, ret_node);
	case YAML_MAPPING_START_EVENT: return read_map(composer, event, depth, ret_node);
	default: return fail(composer, ERR_SYNTAX, &event->start_mark, "not valid YAML");
	}
}

/* stream-start, document-start, node, document-end, stream-end. */
static enum err_code read_stream(struct composer *composer)
{
	bool seen = false;
	for (;;) {
		yaml_event_t event;
		enum err_code code = next_event(composer, &event);
		if (code)
			return code;
		bool end = event.type == YAML_STREAM_END_EVENT;
		if (event.type == YAML_DOCUMENT_START_EVENT && seen)
			code = fail(composer, ERR_UNSUPPORTED, &event.start_mark,
				    "a second YAML document begins here; a Compose file holds one");
		else if (event.type == YAML_DOCUMENT_START_EVENT)
			seen = true;
		else if (!end && event.type != YAML_STREAM_START_EVENT &&
			 event.type != YAML_DOCUMENT_END_EVENT)
			code = read_node(composer, &event, 1, &composer->tree.root);
		if (!code && end)
			code = refuse_merge_tag(composer, composer->tree.root);
		yaml_event_delete(&event);
		if (code || end)
			return code;
	}
}

static enum err_code parse(const char *text, size_t len, const char *file_name,
			   const struct source *source, struct tree *ret_tree, struct err *err)
{
	if (len > LIMIT_YAML_FILE_BYTES)
		return err_set_field(err, ERR_TOO_LARGE, file_name,
				     "the file has %zu bytes; at most %d are read", len,
				     LIMIT_YAML_FILE_BYTES);
	struct composer composer = {
		.file_name = file_name, .source = source, .text = text, .len = len, .err = err
	};
	if (!yaml_parser_initialize(&composer.parser))
		UNREACHABLE("libyaml has no memory");
	yaml_parser_set_input_string(&composer.parser, (const unsigned char *)text, len);
	enum err_code code = read_stream(&composer);
	yaml_parser_delete(&composer.parser);
	for (size_t i = 0; i < composer.n_anchors; i++)
		base_free(composer.anchors[i].name);
	base_free(composer.anchors);
	if (code)
		tree_release(&composer.tree);
	else
		*ret_tree = composer.tree;
	return code;
}

enum err_code tree_parse(const char *text, size_t len, const char *file_name, struct tree *ret_tree,
			 struct err *err)
{
	return parse(text, len, file_name, NULL, ret_tree, err);
}

enum err_code tree_parse_source(const char *text, size_t len, const struct source *source,
				struct tree *ret_tree, struct err *err)
{
	return parse(text, len, source->name, source, ret_tree, err);
}

const struct tree_entry *tree_entry_of(const struct tree_node *map, const char *key)
{
	PRE(map->kind == TREE_MAP);
	for (size_t i = 0; i < map->n; i++)
		if (strcmp(map->entries[i].key->text, key) == 0)
			return &map->entries[i];
	return NULL;
}

struct tree_node *tree_get(const struct tree_node *map, const char *key)
{
	const struct tree_entry *entry = tree_entry_of(map, key);
	return entry ? entry->value : NULL;
}
