/* Invariants: a record owns every pointer its table reaches; a list of n items has items != NULL when n > 0; keys
 * and list items are never NULL. Lists are read and written with memcpy because struct list and LIST_OF(x) are
 * different types to the compiler. */
#include "base/record.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/record_walk.h"
#include "base/sort.h"

void record_init(const struct record_type *type, void *record)
{
	memset(record, 0, type->size);
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct field *field = &type->fields[i];
		void *at = field_at(field, record);
		switch (field->kind) {
		case FIELD_BOOL: *(bool *)at = field->initial != 0; break;
		case FIELD_INT: *(int64_t *)at = field->initial; break;
		case FIELD_ENUM: *(int *)at = (int)field->initial; break;
		case FIELD_STRUCT: record_init(field->type, at); break;
		case FIELD_STRING:
		case FIELD_UUID:
		case FIELD_STRINGS:
		case FIELD_PAIRS:
		case FIELD_STRUCTS:
		case FIELD_OPTIONAL: break;
		}
	}
}

static void release_structs(const struct record_type *type, void *at)
{
	struct list list = list_load(at);
	for (size_t i = 0; i < list.n; i++)
		record_release(type, list_item(type, &list, i));
	base_free(list.items);
}

static void release_optional(const struct record_type *type, void *at)
{
	void *record = optional_load(at);
	if (record)
		record_release(type, record);
	base_free(record);
}

static void release_string(const struct field *field, char *string)
{
	if (string && (field->flags & FIELD_SECRET))
		explicit_bzero(string, strlen(string));
	base_free(string);
}

void record_release(const struct record_type *type, void *record)
{
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct field *field = &type->fields[i];
		void *at = field_at(field, record);
		switch (field->kind) {
		case FIELD_STRING: release_string(field, *(char **)at); break;
		case FIELD_STRINGS: strings_release(at); break;
		case FIELD_PAIRS: pairs_release(at); break;
		case FIELD_STRUCT: record_release(field->type, at); break;
		case FIELD_STRUCTS: release_structs(field->type, at); break;
		case FIELD_OPTIONAL: release_optional(field->type, at); break;
		case FIELD_BOOL:
		case FIELD_INT:
		case FIELD_ENUM:
		case FIELD_UUID: break;
		}
	}
	memset(record, 0, type->size);
}

static void copy_strings(struct strings *to, const struct strings *from)
{
	*to = (struct strings){ 0 };
	if (!from->n)
		return;
	to->items = base_calloc(from->n, sizeof(char *));
	to->n = from->n;
	for (size_t i = 0; i < from->n; i++)
		to->items[i] = base_strdup(from->items[i]);
}

static void copy_pairs(struct pairs *to, const struct pairs *from)
{
	*to = (struct pairs){ 0 };
	if (!from->n)
		return;
	to->items = base_calloc(from->n, sizeof(struct pair));
	to->n = from->n;
	for (size_t i = 0; i < from->n; i++) {
		to->items[i].key = base_strdup(from->items[i].key);
		to->items[i].value = base_strdup(from->items[i].value);
	}
}

static void copy_structs(const struct record_type *type, void *to, const void *from)
{
	struct list list = list_load(from);
	struct list copy = { 0 };
	if (list.n) {
		copy.items = base_calloc(list.n, type->size);
		copy.n = list.n;
	}
	for (size_t i = 0; i < list.n; i++)
		record_copy(type, list_item(type, &copy, i), list_item(type, &list, i));
	list_store(to, &copy);
}

static void copy_optional(const struct record_type *type, void *to, const void *from)
{
	const void *record = optional_load(from);
	if (record)
		record_copy(type, optional_make(type, to), record);
}

void record_copy(const struct record_type *type, void *to, const void *from)
{
	PRE(to != from);
	memset(to, 0, type->size);
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct field *field = &type->fields[i];
		void *into = field_at(field, to);
		const void *at = field_at_const(field, from);
		switch (field->kind) {
		case FIELD_BOOL: *(bool *)into = *(const bool *)at; break;
		case FIELD_INT: *(int64_t *)into = *(const int64_t *)at; break;
		case FIELD_ENUM: *(int *)into = *(const int *)at; break;
		case FIELD_UUID: memcpy(into, at, sizeof(struct uuid)); break;
		case FIELD_STRING: *(char **)into = base_strdup(*(char *const *)at); break;
		case FIELD_STRINGS: copy_strings(into, at); break;
		case FIELD_PAIRS: copy_pairs(into, at); break;
		case FIELD_STRUCT: record_copy(field->type, into, at); break;
		case FIELD_STRUCTS: copy_structs(field->type, into, at); break;
		case FIELD_OPTIONAL: copy_optional(field->type, into, at); break;
		}
	}
}

static bool string_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool strings_equal(const struct strings *a, const struct strings *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!string_equal(a->items[i], b->items[i]))
			return false;
	return true;
}

static bool has_pair(const struct pairs *pairs, const struct pair *pair)
{
	size_t i = 0;
	while (i < pairs->n && !string_equal(pairs->items[i].key, pair->key))
		i++;
	return i < pairs->n && string_equal(pairs->items[i].value, pair->value);
}

/* In whatever order: it means nothing. */
static bool pairs_equal(const struct pairs *a, const struct pairs *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!(string_equal(a->items[i].key, b->items[i].key) &&
		      string_equal(a->items[i].value, b->items[i].value)) &&
		    !has_pair(b, &a->items[i]))
			return false;
	return true;
}

static bool structs_equal(const struct record_type *type, const void *a, const void *b)
{
	struct list left = list_load(a);
	struct list right = list_load(b);
	if (left.n != right.n)
		return false;
	for (size_t i = 0; i < left.n; i++)
		if (!record_equal(type, list_item(type, &left, i), list_item(type, &right, i)))
			return false;
	return true;
}

static bool optional_equal(const struct record_type *type, const void *a, const void *b)
{
	const void *left = optional_load(a);
	const void *right = optional_load(b);
	return left && right ? record_equal(type, left, right) : left == right;
}

bool field_equal(const struct field *field, const void *a, const void *b)
{
	switch (field->kind) {
	case FIELD_BOOL: return *(const bool *)a == *(const bool *)b;
	case FIELD_INT: return *(const int64_t *)a == *(const int64_t *)b;
	case FIELD_ENUM: return *(const int *)a == *(const int *)b;
	case FIELD_UUID: return memcmp(a, b, sizeof(struct uuid)) == 0;
	case FIELD_STRING: return string_equal(*(char *const *)a, *(char *const *)b);
	case FIELD_STRINGS: return strings_equal(a, b);
	case FIELD_PAIRS: return pairs_equal(a, b);
	case FIELD_STRUCT: return record_equal(field->type, a, b);
	case FIELD_STRUCTS: return structs_equal(field->type, a, b);
	case FIELD_OPTIONAL: return optional_equal(field->type, a, b);
	}
	UNREACHABLE("field of no kind");
}

bool record_equal(const struct record_type *type, const void *a, const void *b)
{
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct field *field = &type->fields[i];
		if (!field_equal(field, field_at_const(field, a), field_at_const(field, b)))
			return false;
	}
	return true;
}

static int compare_keys(const void *a, const void *b, void *context)
{
	(void)context;
	return strcmp(((const struct pair *)a)->key, ((const struct pair *)b)->key);
}

/* Pairs by their keys, in all that the record holds. */
static void sort_pairs(const struct record_type *type, void *record)
{
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct field *field = &type->fields[i];
		void *at = field_at(field, record);
		if (field->kind == FIELD_PAIRS) {
			struct pairs *pairs = at;
			sort_stable(pairs->items, pairs->n, sizeof(struct pair), compare_keys,
				    NULL);
		} else if (field->kind == FIELD_STRUCT) {
			sort_pairs(field->type, at);
		} else if (field->kind == FIELD_STRUCTS) {
			struct list list = list_load(at);
			for (size_t j = 0; j < list.n; j++)
				sort_pairs(field->type, list_item(field->type, &list, j));
		} else if (field->kind == FIELD_OPTIONAL && optional_load(at)) {
			sort_pairs(field->type, optional_load(at));
		}
	}
}

uint64_t record_hash(const struct record_type *type, const void *record)
{
	struct text text;
	_cleanup_free_ void *sorted = base_calloc(1, type->size);
	record_copy(type, sorted, record);
	sort_pairs(type, sorted);
	text_init(&text, SIZE_MAX / 2);
	record_encode(type, sorted, &text);
	uint64_t hash = hash_bytes(HASH_START, text_string(&text), text.len);
	text_release(&text);
	record_release(type, sorted);
	return hash;
}
