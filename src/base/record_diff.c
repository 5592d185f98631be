#include "base/record_diff.h"

#include <string.h>

#include "base/alloc.h"

struct walk {
	record_diff_visit *visit;
	void *context;
	char path[RECORD_DIFF_PATH_BYTES];
	size_t path_len;
};

static const void *member_of(const struct field *field, const void *record)
{
	return (const char *)record + field->offset;
}

/* ---- values as text ---- */

static void add_quoted(struct text *out, const char *string)
{
	text_add_char(out, '"');
	for (const char *at = string; *at; at++) {
		if (*at == '"' || *at == '\\')
			text_add_char(out, '\\');
		if (*at == '\n')
			text_add(out, "\\n");
		else if ((unsigned char)*at < ' ')
			text_addf(out, "\\x%02x", (unsigned)(unsigned char)*at);
		else
			text_add_char(out, *at);
	}
	text_add_char(out, '"');
}

static void add_record(struct text *out, const struct record_type *type, const void *record);

static void add_strings(struct text *out, const struct strings *strings, bool secret)
{
	text_add_char(out, '[');
	for (size_t i = 0; i < strings->n; i++) {
		text_add(out, i ? ", " : "");
		add_quoted(out, secret ? "***" : strings->items[i]);
	}
	text_add_char(out, ']');
}

static void add_pairs(struct text *out, const struct pairs *pairs, bool secret)
{
	text_add_char(out, '{');
	for (size_t i = 0; i < pairs->n; i++) {
		text_addf(out, "%s%s: ", i ? ", " : "", pairs->items[i].key);
		if (pairs->items[i].value)
			add_quoted(out, secret ? "***" : pairs->items[i].value);
		else
			text_add(out, "null");
	}
	text_add_char(out, '}');
}

static void add_records(struct text *out, const struct record_type *type, const struct list *list)
{
	text_add_char(out, '[');
	for (size_t i = 0; i < list->n; i++) {
		text_add(out, i ? ", " : "");
		add_record(out, type, (const char *)list->items + i * type->size);
	}
	text_add_char(out, ']');
}

static void add_value(struct text *out, const struct field *field, const void *member)
{
	bool secret = field->flags & FIELD_SECRET;
	char id[UUID_TEXT_SIZE];
	switch (field->kind) {
	case FIELD_BOOL: text_add(out, *(const bool *)member ? "true" : "false"); return;
	case FIELD_INT: text_addf(out, "%lld", (long long)*(const int64_t *)member); return;
	case FIELD_ENUM: text_add(out, enum_name(field->names, *(const int *)member)); return;
	case FIELD_STRING: add_quoted(out, secret ? "***" : *(char *const *)member); return;
	case FIELD_UUID: text_add(out, uuid_format(*(const struct uuid *)member, id)); return;
	case FIELD_STRINGS: add_strings(out, member, secret); return;
	case FIELD_PAIRS: add_pairs(out, member, secret); return;
	case FIELD_STRUCT: add_record(out, field->type, member); return;
	case FIELD_STRUCTS: add_records(out, field->type, member); return;
	case FIELD_OPTIONAL: add_record(out, field->type, *(void *const *)member); return;
	}
}

/* Nothing is to be said of a field that holds nothing. */
static bool is_set(const struct field *field, const void *member)
{
	switch (field->kind) {
	case FIELD_BOOL: return *(const bool *)member;
	case FIELD_INT: return *(const int64_t *)member != 0;
	case FIELD_ENUM: return *(const int *)member != 0;
	case FIELD_STRING:
	case FIELD_OPTIONAL: return *(void *const *)member != NULL;
	case FIELD_UUID: return !uuid_is_zero(*(const struct uuid *)member);
	case FIELD_STRINGS:
	case FIELD_PAIRS:
	case FIELD_STRUCTS: return ((const struct list *)member)->n != 0;
	case FIELD_STRUCT: return true;
	}
	return true;
}

static void add_record(struct text *out, const struct record_type *type, const void *record)
{
	bool first = true;
	text_add_char(out, '{');
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct field *field = &type->fields[i];
		const void *member = member_of(field, record);
		if ((field->flags & FIELD_HIDDEN) || !is_set(field, member))
			continue;
		text_addf(out, "%s%s: ", first ? "" : ", ", field->name);
		add_value(out, field, member);
		first = false;
	}
	text_add_char(out, '}');
}

static char *value_text(const struct field *field, const void *member)
{
	struct text text;
	if (!member)
		return NULL;
	text_init(&text, RECORD_DIFF_VALUE_BYTES);
	add_value(&text, field, member);
	bool cut = text.cut;
	char *value = text_take(&text);
	size_t end = strlen(value);
	if (!cut || end < 3)
		return value;
	/* Not within a character. */
	for (end -= 3; end > 0 && ((unsigned char)value[end] & 0xc0) == 0x80;)
		end--;
	for (size_t i = 0; i < 3; i++)
		value[end + i] = '.';
	value[end + 3] = '\0';
	return value;
}

/* ---- where ---- */

static size_t enter(struct walk *walk, const char *format, const char *name, size_t index)
{
	size_t before = walk->path_len;
	char *at = walk->path + before;
	size_t left = sizeof(walk->path) - before;
	if (name)
		text_print(at, left, format, name);
	else
		text_print(at, left, format, index);
	walk->path_len += strlen(at);
	return before;
}

static size_t enter_field(struct walk *walk, const char *name)
{
	return enter(walk, walk->path_len ? ".%s" : "%s", name, 0);
}

static void leave(struct walk *walk, size_t before)
{
	walk->path_len = before;
	walk->path[before] = '\0';
}

static void tell(struct walk *walk, const struct field *field, const void *before,
		 const void *after)
{
	char *old = value_text(field, before);
	char *new = value_text(field, after);
	walk->visit(walk->context, walk->path, old, new);
	base_free(old);
	base_free(new);
}

/* ---- differences ---- */

static void diff_records(struct walk *walk, const struct record_type *type, const void *before,
			 const void *after);

static void diff_optional(struct walk *walk, const struct field *field, const void *before,
			  const void *after)
{
	const void *old = *(void *const *)before;
	const void *new = *(void *const *)after;
	if (old && new) {
		diff_records(walk, field->type, old, new);
		return;
	}
	tell(walk, field, old ? before : NULL, new ? after : NULL);
}

static const struct pair *pair_of(const struct pairs *pairs, const char *key)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (strcmp(pairs->items[i].key, key) == 0)
			return &pairs->items[i];
	return NULL;
}

static void tell_pair(struct walk *walk, const struct field *field, const struct pair *old,
		      const struct pair *new)
{
	static const struct field value = { .kind = FIELD_STRING };
	static const struct field secret = { .kind = FIELD_STRING, .flags = FIELD_SECRET };
	static char nothing[] = "";
	char *old_value = old && old->value ? old->value : nothing;
	char *new_value = new &&new->value ? new->value : nothing;
	const struct field *shown = field->flags & FIELD_SECRET ? &secret : &value;
	size_t before = enter_field(walk, old ? old->key : new->key);
	tell(walk, shown, old ? &old_value : NULL, new ? &new_value : NULL);
	leave(walk, before);
}

static bool same_value(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void diff_pairs(struct walk *walk, const struct field *field, const struct pairs *before,
		       const struct pairs *after)
{
	for (size_t i = 0; i < before->n; i++) {
		const struct pair *old = &before->items[i];
		const struct pair *new = pair_of(after, old->key);
		if (new &&same_value(old->value, new->value))
			continue;
		tell_pair(walk, field, old, new);
	}
	for (size_t i = 0; i < after->n; i++)
		if (!pair_of(before, after->items[i].key))
			tell_pair(walk, field, NULL, &after->items[i]);
}

static const void *item_at(const struct list *list, const struct record_type *type, size_t i)
{
	return (const char *)list->items + i * type->size;
}

/* Mark what is in both lists. */
static void match_items(const struct record_type *type, const struct list *before,
			const struct list *after, bool *known_before, bool *known_after)
{
	for (size_t i = 0; i < before->n; i++)
		for (size_t j = 0; j < after->n && !known_before[i]; j++)
			if (!known_after[j] &&
			    record_equal(type, item_at(before, type, i), item_at(after, type, j)))
				known_before[i] = known_after[j] = true;
}

static size_t next_unknown(const bool *known, size_t n, size_t at)
{
	while (at < n && known[at])
		at++;
	return at;
}

static void diff_items(struct walk *walk, const struct field *field, const struct list *before,
		       const struct list *after)
{
	const struct record_type *type = field->type;
	const struct field item = { .kind = FIELD_STRUCT, .type = type };
	bool *known_before = base_calloc(before->n + 1, sizeof(bool));
	bool *known_after = base_calloc(after->n + 1, sizeof(bool));
	match_items(type, before, after, known_before, known_after);
	size_t i = next_unknown(known_before, before->n, 0);
	size_t j = next_unknown(known_after, after->n, 0);
	if (i == before->n && j == after->n)
		tell(walk, field, before, after);
	while (i < before->n || j < after->n) {
		const void *old = i < before->n ? item_at(before, type, i) : NULL;
		const void *new = j < after->n ? item_at(after, type, j) : NULL;
		size_t path_len = enter(walk, "[%zu]", NULL, new ? j : i);
		if (old && new)
			diff_records(walk, type, old, new);
		else
			tell(walk, &item, old, new);
		leave(walk, path_len);
		i = old ? next_unknown(known_before, before->n, i + 1) : i;
		j = new ? next_unknown(known_after, after->n, j + 1) : j;
	}
	base_free(known_before);
	base_free(known_after);
}

static void diff_field(struct walk *walk, const struct field *field, const void *before,
		       const void *after)
{
	switch (field->kind) {
	case FIELD_STRUCT: diff_records(walk, field->type, before, after); return;
	case FIELD_OPTIONAL: diff_optional(walk, field, before, after); return;
	case FIELD_PAIRS: diff_pairs(walk, field, before, after); return;
	case FIELD_STRUCTS: diff_items(walk, field, before, after); return;
	case FIELD_STRING:
		tell(walk, field, *(char *const *)before ? before : NULL,
		     *(char *const *)after ? after : NULL);
		return;
	default: tell(walk, field, before, after); return;
	}
}

static void diff_records(struct walk *walk, const struct record_type *type, const void *before,
			 const void *after)
{
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct field *field = &type->fields[i];
		const void *old = member_of(field, before);
		const void *new = member_of(field, after);
		if ((field->flags & FIELD_HIDDEN) || field_equal(field, old, new))
			continue;
		size_t path_len = enter_field(walk, field->name);
		diff_field(walk, field, old, new);
		leave(walk, path_len);
	}
}

void record_diff(const struct record_type *type, const void *before, const void *after,
		 record_diff_visit *visit, void *context)
{
	struct walk walk = { .visit = visit, .context = context };
	diff_records(&walk, type, before, after);
}
