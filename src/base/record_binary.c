/* The binary form. Wire kinds are Protocol Buffers': 0 = varint, 2 = length and bytes.
 *
 *   bool, enum   varint; enum values are never negative
 *   int          varint of the zigzag form, so small negatives are short
 *   string       bytes; NULL is left out, "" has length 0
 *   uuid         16 bytes
 *   strings      for each item: varint length, bytes
 *   pairs        for each pair: varint length, key; varint 0 for no value, else length + 1, value
 *   struct       its own fields; left out when it has none
 *   structs      for each item: varint length, its own fields
 *   optional     its own fields, also when it has none; left out when it is NULL
 *
 * Invariants of reading: no byte outside [at, end) is read; what has been allocated hangs in the record, so releasing
 * the record frees it; a list allocates only after its items were counted and found to be within the field's bound.
 * Varints have one form only, the shortest; a field that equals zero is never written. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/record.h"
#include "base/record_walk.h"

#define WIRE_VARINT	 0u
#define WIRE_BYTES	 2u
#define VARINT_BYTES_MAX 10

static size_t format_varint(uint8_t out[VARINT_BYTES_MAX], uint64_t value)
{
	size_t n = 0;
	while (value >= 0x80) {
		out[n++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	out[n++] = (uint8_t)value;
	return n;
}

static void add_varint(struct text *out, uint64_t value)
{
	uint8_t bytes[VARINT_BYTES_MAX];
	text_add_bytes(out, bytes, format_varint(bytes, value));
}

static void add_tag(struct text *out, const struct field *field, unsigned wire)
{
	add_varint(out, (uint64_t)field->tag << 3 | wire);
}

static uint64_t zigzag(int64_t value)
{
	return (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
}

static int64_t unzigzag(uint64_t value)
{
	uint64_t bits = value >> 1 ^ (value & 1 ? UINT64_MAX : 0);
	return (int64_t)bits;
}

static void add_sized(struct text *out, const char *bytes, size_t len)
{
	add_varint(out, len);
	text_add_bytes(out, bytes, len);
}

/* Put the length of what was appended since `start` before it. */
static void insert_len(struct text *out, size_t start)
{
	uint8_t prefix[VARINT_BYTES_MAX];
	size_t len = out->len - start;
	size_t prefix_len = format_varint(prefix, len);
	text_add_bytes(out, prefix, prefix_len);
	if (out->cut)
		return;
	memmove(out->bytes + start + prefix_len, out->bytes + start, len);
	memcpy(out->bytes + start, prefix, prefix_len);
}

static void encode_number(const struct field *field, uint64_t value, struct text *out)
{
	if (!value)
		return;
	add_tag(out, field, WIRE_VARINT);
	add_varint(out, value);
}

static void encode_strings(const struct field *field, const struct strings *strings,
			   struct text *out)
{
	if (!strings->n)
		return;
	add_tag(out, field, WIRE_BYTES);
	size_t start = out->len;
	for (size_t i = 0; i < strings->n; i++)
		add_sized(out, strings->items[i], strlen(strings->items[i]));
	insert_len(out, start);
}

static void encode_pairs(const struct field *field, const struct pairs *pairs, struct text *out)
{
	if (!pairs->n)
		return;
	add_tag(out, field, WIRE_BYTES);
	size_t start = out->len;
	for (size_t i = 0; i < pairs->n; i++) {
		const struct pair *pair = &pairs->items[i];
		add_sized(out, pair->key, strlen(pair->key));
		size_t len = pair->value ? strlen(pair->value) : 0;
		add_varint(out, pair->value ? len + 1 : 0);
		text_add_bytes(out, pair->value, len);
	}
	insert_len(out, start);
}

static void encode_struct(const struct field *field, const void *at, struct text *out)
{
	size_t before = out->len;
	add_tag(out, field, WIRE_BYTES);
	size_t start = out->len;
	record_encode(field->type, at, out);
	if (out->len == start)
		out->len = before;
	else
		insert_len(out, start);
}

static void encode_structs(const struct field *field, const void *at, struct text *out)
{
	struct list list = list_load(at);
	if (!list.n)
		return;
	add_tag(out, field, WIRE_BYTES);
	size_t start = out->len;
	for (size_t i = 0; i < list.n; i++) {
		size_t item_start = out->len;
		record_encode(field->type, list_item(field->type, &list, i), out);
		insert_len(out, item_start);
	}
	insert_len(out, start);
}

static void encode_optional(const struct field *field, const void *at, struct text *out)
{
	const void *record = optional_load(at);
	if (!record)
		return;
	add_tag(out, field, WIRE_BYTES);
	size_t start = out->len;
	record_encode(field->type, record, out);
	insert_len(out, start);
}

static void encode_bytes(const struct field *field, const char *bytes, size_t len, struct text *out)
{
	add_tag(out, field, WIRE_BYTES);
	add_sized(out, bytes, len);
}

static void encode_field(const struct field *field, const void *at, struct text *out)
{
	switch (field->kind) {
	case FIELD_BOOL: encode_number(field, *(const bool *)at, out); break;
	case FIELD_INT: encode_number(field, zigzag(*(const int64_t *)at), out); break;
	case FIELD_ENUM:
		PRE(*(const int *)at >= 0);
		encode_number(field, (uint64_t) * (const int *)at, out);
		break;
	case FIELD_STRING: {
		const char *string = *(char *const *)at;
		if (string)
			encode_bytes(field, string, strlen(string), out);
		break;
	}
	case FIELD_UUID: {
		struct uuid id;
		memcpy(&id, at, sizeof(id));
		if (!uuid_is_zero(id))
			encode_bytes(field, at, UUID_BYTES, out);
		break;
	}
	case FIELD_STRINGS: encode_strings(field, at, out); break;
	case FIELD_PAIRS: encode_pairs(field, at, out); break;
	case FIELD_STRUCT: encode_struct(field, at, out); break;
	case FIELD_STRUCTS: encode_structs(field, at, out); break;
	case FIELD_OPTIONAL: encode_optional(field, at, out); break;
	}
}

void record_encode(const struct record_type *type, const void *record, struct text *out)
{
	for (size_t i = 0; i < type->n_fields && !out->cut; i++)
		encode_field(&type->fields[i], field_at_const(&type->fields[i], record), out);
}

/* What is left to read. Every read_* answers false, having allocated nothing, when the bytes are not well formed. */
struct reader {
	const uint8_t *at;
	const uint8_t *end;
};

static bool read_varint(struct reader *reader, uint64_t *ret_value)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (reader->at == reader->end)
			return false;
		uint8_t byte = *reader->at++;
		/* The tenth byte has room for one bit; a zero last byte means a shorter form exists. */
		if ((shift == 63 && byte > 1) || (shift && byte == 0))
			return false;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret_value = value;
			return true;
		}
	}
	return false;
}

static bool take_bytes(struct reader *reader, uint64_t len, struct reader *ret_part)
{
	if (len > (uint64_t)(reader->end - reader->at))
		return false;
	*ret_part = (struct reader){ reader->at, reader->at + len };
	reader->at += len;
	return true;
}

static bool read_part(struct reader *reader, struct reader *ret_part)
{
	uint64_t len;
	return read_varint(reader, &len) && take_bytes(reader, len, ret_part);
}

static bool read_string(struct reader part, char **ret_string)
{
	size_t len = (size_t)(part.end - part.at);
	if (len && memchr(part.at, 0, len))
		return false;
	*ret_string = base_strndup((const char *)part.at, len);
	return true;
}

/* Count the sized items of `part`; 0 (no list is written empty) when they are not well formed or more than `max`. */
static size_t count_items(struct reader part, int64_t max)
{
	size_t n = 0;
	struct reader item;
	while (part.at < part.end) {
		if (n == (size_t)max || !read_part(&part, &item))
			return 0;
		n++;
	}
	return n;
}

static bool read_strings(const struct field *field, struct reader part, struct strings *strings)
{
	size_t n = count_items(part, field->max);
	if (!n)
		return false;
	strings->items = base_calloc(n, sizeof(char *));
	while (part.at < part.end) {
		struct reader item;
		if (!read_part(&part, &item) || !read_string(item, &strings->items[strings->n]))
			return false;
		strings->n++;
	}
	return true;
}

/* The value of a pair: NULL when it has none. */
static bool read_value(struct reader *reader, bool *ret_present, struct reader *ret_value)
{
	uint64_t len;
	if (!read_varint(reader, &len))
		return false;
	*ret_present = len > 0;
	return len == 0 || take_bytes(reader, len - 1, ret_value);
}

static size_t count_pairs(struct reader part, int64_t max)
{
	size_t n = 0;
	bool present;
	struct reader bytes;
	while (part.at < part.end) {
		if (n == (size_t)max || !read_part(&part, &bytes) ||
		    !read_value(&part, &present, &bytes))
			return 0;
		n++;
	}
	return n;
}

static bool read_pairs(const struct field *field, struct reader part, struct pairs *pairs)
{
	size_t n = count_pairs(part, field->max);
	if (!n)
		return false;
	pairs->items = base_calloc(n, sizeof(struct pair));
	while (part.at < part.end) {
		struct pair *pair = &pairs->items[pairs->n];
		struct reader bytes;
		bool present;
		if (!read_part(&part, &bytes) || !read_string(bytes, &pair->key))
			return false;
		pairs->n++;
		if (!read_value(&part, &present, &bytes))
			return false;
		if (present && !read_string(bytes, &pair->value))
			return false;
	}
	return true;
}

static bool read_record(const struct record_type *type, struct reader part, void *record);

static bool read_structs(const struct field *field, struct reader part, void *at)
{
	struct list list = { .n = count_items(part, field->max) };
	if (!list.n)
		return false;
	list.items = base_calloc(list.n, field->type->size);
	list_store(at, &list);
	for (size_t i = 0; i < list.n; i++) {
		struct reader item;
		if (!read_part(&part, &item) ||
		    !read_record(field->type, item, list_item(field->type, &list, i)))
			return false;
	}
	return true;
}

static bool read_number(const struct field *field, uint64_t value, void *at)
{
	if (!value)
		return false;
	switch (field->kind) {
	case FIELD_BOOL: *(bool *)at = true; return value == 1;
	case FIELD_INT: *(int64_t *)at = unzigzag(value); return true;
	case FIELD_ENUM:
		if (value > INT32_MAX)
			return false;
		*(int *)at = (int)value;
		return true;
	default: return false;
	}
}

static bool read_bytes(const struct field *field, struct reader part, void *at)
{
	switch (field->kind) {
	case FIELD_STRING: return part.end - part.at <= field->max && read_string(part, at);
	case FIELD_UUID: {
		if (part.end - part.at != UUID_BYTES)
			return false;
		struct uuid id;
		memcpy(&id, part.at, sizeof(id));
		memcpy(at, &id, sizeof(id));
		return !uuid_is_zero(id);
	}
	case FIELD_STRINGS: return read_strings(field, part, at);
	case FIELD_PAIRS: return read_pairs(field, part, at);
	case FIELD_STRUCT: return part.at < part.end && read_record(field->type, part, at);
	case FIELD_STRUCTS: return read_structs(field, part, at);
	case FIELD_OPTIONAL: return read_record(field->type, part, optional_make(field->type, at));
	default: return false;
	}
}

/* The field with this tag. Fields come in table order, so the search starts where the last one was found. */
static const struct field *find_field(const struct record_type *type, uint64_t tag,
				      size_t *position)
{
	for (size_t tried = 0; tried < type->n_fields; tried++) {
		size_t i = (*position + tried) % type->n_fields;
		if (type->fields[i].tag == tag) {
			*position = i + 1;
			return &type->fields[i];
		}
	}
	return NULL;
}

/* Any order is read, since a later release may have moved rows of its table; no field may come twice. */
static bool read_record(const struct record_type *type, struct reader part, void *record)
{
	PRE(type->n_fields <= 64);
	uint64_t seen = 0;
	size_t position = 0;
	while (part.at < part.end) {
		uint64_t head;
		uint64_t value = 0;
		struct reader bytes = { 0 };
		if (!read_varint(&part, &head) || head >> 3 == 0)
			return false;
		bool is_number = (head & 7) == WIRE_VARINT;
		if (is_number ? !read_varint(&part, &value)
			      : (head & 7) != WIRE_BYTES || !read_part(&part, &bytes))
			return false;
		const struct field *field = find_field(type, head >> 3, &position);
		if (!field)
			continue;
		uint64_t bit = 1ull << (field - type->fields);
		void *at = field_at(field, record);
		if (seen & bit ||
		    !(is_number ? read_number(field, value, at) : read_bytes(field, bytes, at)))
			return false;
		seen |= bit;
	}
	return true;
}

enum err_code record_decode(const struct record_type *type, const void *bytes, size_t len,
			    void *record, struct err *err)
{
	memset(record, 0, type->size);
	struct reader reader = { bytes, len ? (const uint8_t *)bytes + len : bytes };
	if (!read_record(type, reader, record)) {
		record_release(type, record);
		return err_set(err, ERR_DAMAGED, "a stored %s is damaged", type->name);
	}
	struct err why;
	if (record_check(type, record, &why)) {
		record_release(type, record);
		return err_set(err, ERR_DAMAGED, "a stored %s is damaged: %s: %s", type->name,
			       why.field, why.message);
	}
	return ERR_NONE;
}
