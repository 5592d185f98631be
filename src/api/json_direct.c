/* What our own writer makes of a record (json_write.c), read without a value in between. Anything else that JSON allows
 * is left to the general reader, and so is every mistake: then this one has changed nothing, and costs little.
 *
 * Invariant: what is read here is what the general reader reads from the same text. */
#include <string.h>

#include "api/json.h"
#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/utf8.h"

#define FIELDS_MAX 256
#define PAIRS_MAX  32
/* Of an integer: as many fit an unsigned one. */
#define DIGITS_MAX 19

struct reader {
	const char *at;
	const char *end;
	struct text scratch; /* a string that holds escapes */
};

static bool read_record(struct reader *reader, const struct record_type *type, void *record);

static bool take(struct reader *reader, char c)
{
	if (reader->at == reader->end || *reader->at != c)
		return false;
	reader->at++;
	return true;
}

static bool take_word(struct reader *reader, const char *word)
{
	size_t len = strlen(word);
	if ((size_t)(reader->end - reader->at) < len || memcmp(reader->at, word, len) != 0)
		return false;
	reader->at += len;
	return true;
}

/* ---- strings ------------------------------------------------------------------------------------------- */

/* Behind "\u00": what has no letter of its own. */
static bool take_control(struct reader *reader)
{
	static const char digits[] = "0123456789ABCDEF";
	if (reader->end - reader->at < 2)
		return false;
	char high = reader->at[0];
	const char *low = memchr(digits, reader->at[1], sizeof(digits) - 1);
	if ((high != '0' && high != '1') || !low || (high == '0' && *low == '0'))
		return false;
	text_add_char(&reader->scratch, (char)((high - '0') << 4 | (int)(low - digits)));
	reader->at += 2;
	return true;
}

static bool take_escape(struct reader *reader)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char meant[] = "\"\\/\b\f\n\r\t";
	if (take_word(reader, "u00"))
		return take_control(reader);
	if (reader->at == reader->end)
		return false;
	const char *found = memchr(letters, *reader->at++, sizeof(letters) - 1);
	if (found)
		text_add_char(&reader->scratch, meant[found - letters]);
	return found;
}

/* The contents of a string, borrowed until the next one. */
static bool take_string(struct reader *reader, const char **ret_bytes, size_t *ret_len)
{
	bool plain = true;
	if (!take(reader, '"'))
		return false;
	const char *from = reader->at;
	text_clear(&reader->scratch);
	for (const char *run = from; reader->at < reader->end;) {
		char c = *reader->at++;
		if (c == '"') {
			size_t len = (size_t)(reader->at - 1 - run);
			if (run == from) {
				*ret_bytes = from;
				*ret_len = len;
			} else {
				text_add_bytes(&reader->scratch, run, len);
				*ret_bytes = reader->scratch.bytes;
				*ret_len = reader->scratch.len;
			}
			return plain || utf8_is_valid(*ret_bytes, *ret_len);
		}
		if ((unsigned char)c < 0x20)
			return false;
		plain = plain && (unsigned char)c < 0x80;
		if (c != '\\')
			continue;
		text_add_bytes(&reader->scratch, run, (size_t)(reader->at - 1 - run));
		if (!take_escape(reader))
			return false;
		run = reader->at;
	}
	return false;
}

static bool read_string(struct reader *reader, int64_t max, char **ret_string)
{
	const char *bytes;
	size_t len;
	if (!take_string(reader, &bytes, &len) || (int64_t)len > max)
		return false;
	*ret_string = base_strndup(bytes, len);
	return true;
}

/* ---- fields -------------------------------------------------------------------------------------------- */

static bool read_int(struct reader *reader, const struct field *field, int64_t *ret)
{
	bool negative = take(reader, '-');
	const char *from = reader->at;
	uint64_t number = 0;
	while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9' &&
	       reader->at - from <= DIGITS_MAX)
		number = number * 10 + (uint64_t)(*reader->at++ - '0');
	int64_t n_digits = reader->at - from;
	bool odd = n_digits == 0 || n_digits > DIGITS_MAX ||
		   (*from == '0' && (n_digits > 1 || negative));
	if (odd || number > (uint64_t)INT64_MAX + negative || reader->at == reader->end ||
	    strchr(".eE", *reader->at))
		return false;
	*ret = negative ? (int64_t)(0 - number) : (int64_t)number;
	return *ret >= field->min && *ret <= field->max;
}

static bool read_enum(struct reader *reader, const struct field *field, int *ret)
{
	const char *bytes;
	size_t len;
	if (!take_string(reader, &bytes, &len))
		return false;
	for (const struct enum_name *name = field->names; name->name; name++) {
		if (strlen(name->name) == len && memcmp(name->name, bytes, len) == 0) {
			*ret = name->value;
			return true;
		}
	}
	return false;
}

static bool read_uuid(struct reader *reader, struct uuid *ret)
{
	const char *bytes;
	size_t len;
	char text[UUID_TEXT_SIZE];
	if (!take_string(reader, &bytes, &len) || (len && len != UUID_TEXT_LEN))
		return false;
	*ret = (struct uuid){ 0 };
	memcpy(text, bytes, len);
	text[len] = '\0';
	return len == 0 || uuid_parse(text, ret, NULL) == ERR_NONE;
}

static bool read_strings(struct reader *reader, const struct field *field, struct strings *strings)
{
	if (!take(reader, '['))
		return false;
	if (take(reader, ']'))
		return true;
	do {
		_cleanup_free_ char *string = NULL;
		if ((int64_t)strings->n >= field->max ||
		    !read_string(reader, LIMIT_STRING_BYTES, &string))
			return false;
		strings_add(strings, string);
	} while (take(reader, ','));
	return take(reader, ']');
}

static bool has_key(const struct pairs *pairs, const char *key)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (strcmp(pairs->items[i].key, key) == 0)
			return true;
	return false;
}

/* Of few: each key is compared with all before it. */
static bool read_pairs(struct reader *reader, const struct field *field, struct pairs *pairs)
{
	if (!take(reader, '{'))
		return false;
	if (take(reader, '}'))
		return true;
	do {
		_cleanup_free_ char *key = NULL;
		_cleanup_free_ char *value = NULL;
		if (pairs->n == PAIRS_MAX || !read_string(reader, INT64_MAX, &key) ||
		    has_key(pairs, key) || !take(reader, ':'))
			return false;
		if (!take_word(reader, "null") && !read_string(reader, LIMIT_STRING_BYTES, &value))
			return false;
		pairs_add(pairs, key, value);
	} while (take(reader, ','));
	return take(reader, '}') && (int64_t)pairs->n <= field->max;
}

static bool read_structs(struct reader *reader, const struct field *field, struct list *list)
{
	if (!take(reader, '['))
		return false;
	if (take(reader, ']'))
		return true;
	do {
		if ((int64_t)list->n >= field->max ||
		    !read_record(reader, field->type, list_add(list, field->type->size)))
			return false;
	} while (take(reader, ','));
	return take(reader, ']');
}

static bool read_optional(struct reader *reader, const struct record_type *type, void **member)
{
	if (take_word(reader, "null"))
		return true;
	*member = base_calloc(1, type->size);
	return read_record(reader, type, *member);
}

static bool read_bool(struct reader *reader, bool *ret)
{
	*ret = take_word(reader, "true");
	return *ret || take_word(reader, "false");
}

static bool read_field(struct reader *reader, const struct field *field, void *member)
{
	switch (field->kind) {
	case FIELD_BOOL: return read_bool(reader, member);
	case FIELD_INT: return read_int(reader, field, member);
	case FIELD_ENUM: return read_enum(reader, field, member);
	case FIELD_STRING:
		return take_word(reader, "null") || read_string(reader, field->max, member);
	case FIELD_UUID: return read_uuid(reader, member);
	case FIELD_STRINGS: return read_strings(reader, field, member);
	case FIELD_PAIRS: return read_pairs(reader, field, member);
	case FIELD_STRUCT: return read_record(reader, field->type, member);
	case FIELD_STRUCTS: return read_structs(reader, field, member);
	case FIELD_OPTIONAL: return read_optional(reader, field->type, member);
	}
	UNREACHABLE("field kind");
}

/* The writer keeps the order of the table, so the next field is mostly the one that follows. SIZE_MAX: none. */
static size_t find_field(const struct record_type *type, size_t from, const char *name, size_t len)
{
	for (size_t i = 0; i < type->n_fields; i++) {
		size_t at = (from + i) % type->n_fields;
		const char *known = type->fields[at].name;
		if (strncmp(known, name, len) == 0 && !known[len])
			return at;
	}
	return SIZE_MAX;
}

static bool read_member(struct reader *reader, const struct record_type *type, void *record,
			bool *seen, size_t *next)
{
	const char *name;
	size_t len;
	if (!take_string(reader, &name, &len) || !take(reader, ':'))
		return false;
	size_t at = find_field(type, *next, name, len);
	if (at == SIZE_MAX || seen[at])
		return false;
	seen[at] = true;
	*next = at + 1;
	return read_field(reader, &type->fields[at], (char *)record + type->fields[at].offset);
}

static bool read_record(struct reader *reader, const struct record_type *type, void *record)
{
	bool seen[FIELDS_MAX] = { 0 };
	size_t next = 0;
	record_init(type, record);
	if (!take(reader, '{') || type->n_fields > FIELDS_MAX)
		return false;
	if (take(reader, '}'))
		return true;
	do {
		if (!read_member(reader, type, record, seen, &next))
			return false;
	} while (take(reader, ','));
	return take(reader, '}');
}

bool json_read_direct(const struct record_type *type, const char *bytes, size_t len, void *record)
{
	struct reader reader = { .at = bytes, .end = bytes + len };
	text_init(&reader.scratch, len);
	bool read = read_record(&reader, type, record) && reader.at == reader.end;
	text_release(&reader.scratch);
	if (!read)
		record_release(type, record);
	return read;
}
