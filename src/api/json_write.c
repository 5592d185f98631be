/* Records straight to compact JSON text, with no value in between: what manager and workers tell each other is most of
 * what a manager does. */
#include <string.h>

#include "api/json.h"
#include "base/alloc.h"
#include "base/check.h"
#include "base/utf8.h"

static const void *at(const void *record, const struct field *field)
{
	return (const char *)record + field->offset;
}

/* ---- strings ------------------------------------------------------------------------------------------- */

static bool is_plain(char c)
{
	return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

static void add_escaped(struct text *out, char c)
{
	static const char named[] = "\"\\\b\f\n\r\t";
	static const char letters[] = "\"\\bfnrt";
	static const char digits[] = "0123456789ABCDEF";
	const char *found = memchr(named, c, sizeof(named) - 1);
	if (found)
		text_addf(out, "\\%c", letters[found - named]);
	else
		text_addf(out, "\\u00%c%c", digits[(unsigned char)c >> 4], digits[c & 0xf]);
}

/* Bytes that are not UTF-8 can come from containers and old files: each becomes a question mark. */
static void add_quoted(struct text *out, const char *string, size_t len)
{
	uint32_t character;
	text_add_char(out, '"');
	for (size_t from = 0; from < len;) {
		size_t to = from;
		while (to < len && is_plain(string[to]))
			to++;
		text_add_bytes(out, string + from, to - from);
		from = to;
		if (from == len)
			break;
		size_t n = utf8_read(string + from, len - from, &character);
		if (n > 1)
			text_add_bytes(out, string + from, n);
		else if (n == 1)
			add_escaped(out, string[from]);
		else
			text_add_char(out, '?');
		from += n ? n : 1;
	}
	text_add_char(out, '"');
}

static void add_string(struct text *out, const char *string, bool masked)
{
	if (!string)
		text_add_bytes(out, "null", 4);
	else if (masked)
		text_add_bytes(out, "\"***\"", 5);
	else
		add_quoted(out, string, strlen(string));
}

static void add_strings(struct text *out, const struct strings *strings, bool masked)
{
	text_add_char(out, '[');
	for (size_t i = 0; i < strings->n; i++) {
		if (i)
			text_add_char(out, ',');
		add_string(out, strings->items[i], masked);
	}
	text_add_char(out, ']');
}

static void add_pairs(struct text *out, const struct pairs *pairs, bool masked)
{
	text_add_char(out, '{');
	for (size_t i = 0; i < pairs->n; i++) {
		if (i)
			text_add_char(out, ',');
		add_string(out, pairs->items[i].key, false);
		text_add_char(out, ':');
		add_string(out, pairs->items[i].value, masked);
	}
	text_add_char(out, '}');
}

static void add_uuid(struct text *out, struct uuid id)
{
	char text[UUID_TEXT_SIZE] = "";
	if (!uuid_is_zero(id))
		uuid_format(id, text);
	text_add_char(out, '"');
	text_add_bytes(out, text, strlen(text));
	text_add_char(out, '"');
}

/* ---- fields -------------------------------------------------------------------------------------------- */

static void add_structs(struct text *out, const struct record_type *type, const struct list *list,
			enum json_direction direction)
{
	text_add_char(out, '[');
	for (size_t i = 0; i < list->n; i++) {
		if (i)
			text_add_char(out, ',');
		json_add_record(out, type, (const char *)list->items + i * type->size, direction);
	}
	text_add_char(out, ']');
}

static void add_field(struct text *out, const struct field *field, const void *member,
		      enum json_direction direction)
{
	bool masked = direction == JSON_ANSWER && (field->flags & FIELD_SECRET);
	const void *record;
	switch (field->kind) {
	case FIELD_BOOL: text_add(out, *(const bool *)member ? "true" : "false"); return;
	case FIELD_INT: text_addf(out, "%lld", (long long)*(const int64_t *)member); return;
	case FIELD_ENUM:
		add_string(out, enum_name(field->names, *(const int *)member), false);
		return;
	case FIELD_STRING: add_string(out, *(char *const *)member, masked); return;
	case FIELD_UUID: add_uuid(out, *(const struct uuid *)member); return;
	case FIELD_STRINGS: add_strings(out, member, masked); return;
	case FIELD_PAIRS: add_pairs(out, member, masked); return;
	case FIELD_STRUCT: json_add_record(out, field->type, member, direction); return;
	case FIELD_STRUCTS: add_structs(out, field->type, member, direction); return;
	case FIELD_OPTIONAL:
		record = *(const void *const *)member;
		if (record)
			json_add_record(out, field->type, record, direction);
		else
			text_add_bytes(out, "null", 4);
		return;
	}
	UNREACHABLE("field kind");
}

/* What a reader fills in where nothing is written (record_init()): only that may be left out. */
static bool field_is_initial(const struct field *field, const void *member)
{
	switch (field->kind) {
	case FIELD_BOOL: return *(const bool *)member == (field->initial != 0);
	case FIELD_INT: return *(const int64_t *)member == field->initial;
	case FIELD_ENUM: return *(const int *)member == field->initial;
	case FIELD_STRING: return !*(char *const *)member;
	case FIELD_UUID: return uuid_is_zero(*(const struct uuid *)member);
	case FIELD_STRINGS: return ((const struct strings *)member)->n == 0;
	case FIELD_PAIRS: return ((const struct pairs *)member)->n == 0;
	case FIELD_STRUCTS: return ((const struct list *)member)->n == 0;
	case FIELD_OPTIONAL: return !*(const void *const *)member;
	case FIELD_STRUCT: {
		const struct record_type *type = field->type;
		for (size_t i = 0; i < type->n_fields; i++)
			if (!field_is_initial(&type->fields[i], at(member, &type->fields[i])))
				return false;
		return true;
	}
	}
	UNREACHABLE("field kind");
}

static bool is_shown(const struct field *field, const void *member, enum json_direction direction)
{
	if (direction != JSON_INTERNAL && (field->flags & FIELD_HIDDEN))
		return false;
	bool demanded = direction == JSON_REQUEST && (field->flags & FIELD_REQUIRED);
	return direction == JSON_ANSWER || demanded || !field_is_initial(field, member);
}

void json_add_record(struct text *out, const struct record_type *type, const void *record,
		     enum json_direction direction)
{
	char before = '{';
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct field *field = &type->fields[i];
		if (!is_shown(field, at(record, field), direction))
			continue;
		text_add_char(out, before);
		text_add_char(out, '"');
		text_add(out, field->name);
		text_add_bytes(out, "\":", 2);
		add_field(out, field, at(record, field), direction);
		before = ',';
	}
	text_add(out, before == '{' ? "{}" : "}");
}

char *json_write_record(const struct record_type *type, const void *record,
			enum json_direction direction)
{
	struct text text;
	text_init(&text, SIZE_MAX / 4);
	json_add_record(&text, type, record, direction);
	return text_take(&text);
}

json_t *json_from_record(const struct record_type *type, const void *record,
			 enum json_direction direction)
{
	_cleanup_free_ char *text = json_write_record(type, record, direction);
	json_t *value = json_loads(text, 0, NULL);
	INVARIANT(value);
	return value;
}
