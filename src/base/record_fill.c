#include "base/record_fill.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/record_walk.h"

static int64_t any_int(const struct field *field, struct random *random)
{
	uint64_t range = (uint64_t)field->max - (uint64_t)field->min;
	switch (random_below(random, 4)) {
	case 0: return field->min;
	case 1: return field->max;
	case 2: return field->min <= 0 && field->max >= 0 ? 0 : field->min;
	default:
		if (range == UINT64_MAX)
			return (int64_t)random_next(random);
		return (int64_t)((uint64_t)field->min + random_below(random, range + 1));
	}
}

static char *any_string(int64_t bytes_max, struct random *random)
{
	static const char *const pieces[] = { "a",  "Z",  "0", "-", "_", " ",  "\"", "\\",
					      "\n", "\t", "/", ":", "é", "漢", "$",  "=" };
	struct text text;
	text_init(&text, (size_t)bytes_max);
	size_t n = (size_t)random_below(random, 12);
	for (size_t i = 0; i < n; i++) {
		const char *piece = pieces[random_below(random, ARRAY_LEN(pieces))];
		if (text.len + strlen(piece) <= text.max)
			text_add(&text, piece);
	}
	return text_take(&text);
}

static int any_enum(const struct enum_name *names, struct random *random)
{
	size_t n = 0;
	while (names[n].name)
		n++;
	return names[random_below(random, n)].value;
}

static size_t any_n(const struct field *field, size_t items_max, struct random *random)
{
	size_t most = items_max < (size_t)field->max ? items_max : (size_t)field->max;
	return (size_t)random_below(random, most + 1);
}

static void fill_pairs(struct pairs *pairs, size_t n, struct random *random)
{
	for (size_t i = 0; i < n; i++) {
		char key[32];
		text_print(key, sizeof(key), "key%zu.%llu", i,
			   (unsigned long long)random_below(random, 10));
		_cleanup_free_ char *value =
			random_below(random, 4) ? any_string(LIMIT_STRING_BYTES, random) : NULL;
		pairs_add(pairs, key, value);
	}
}

static void fill_field(const struct field *field, void *at, size_t items_max, struct random *random)
{
	switch (field->kind) {
	case FIELD_BOOL: *(bool *)at = random_below(random, 2); break;
	case FIELD_INT: *(int64_t *)at = any_int(field, random); break;
	case FIELD_ENUM: *(int *)at = any_enum(field->names, random); break;
	case FIELD_STRING:
		*(char **)at = random_below(random, 4) ? any_string(field->max, random) : NULL;
		break;
	case FIELD_UUID: {
		struct uuid id = { 0 };
		if (random_below(random, 4))
			id = uuid_make(random, (int64_t)random_below(random, 1ull << 48));
		memcpy(at, &id, sizeof(id));
		break;
	}
	case FIELD_STRINGS: {
		size_t n = any_n(field, items_max, random);
		for (size_t i = 0; i < n; i++) {
			_cleanup_free_ char *string = any_string(LIMIT_STRING_BYTES, random);
			strings_add(at, string);
		}
		break;
	}
	case FIELD_PAIRS: fill_pairs(at, any_n(field, items_max, random), random); break;
	case FIELD_STRUCT: record_fill(field->type, at, items_max, random); break;
	case FIELD_STRUCTS: {
		size_t n = any_n(field, items_max, random);
		for (size_t i = 0; i < n; i++)
			record_fill(field->type, list_add(at, field->type->size), items_max,
				    random);
		break;
	}
	case FIELD_OPTIONAL:
		if (random_below(random, 2))
			record_fill(field->type, optional_make(field->type, at), items_max, random);
		break;
	}
}

void record_fill(const struct record_type *type, void *record, size_t items_max,
		 struct random *random)
{
	memset(record, 0, type->size);
	for (size_t i = 0; i < type->n_fields; i++)
		fill_field(&type->fields[i], field_at(&type->fields[i], record), items_max, random);
}

static size_t size_of_member(const struct field *field)
{
	switch (field->kind) {
	case FIELD_BOOL: return sizeof(bool);
	case FIELD_INT: return sizeof(int64_t);
	case FIELD_ENUM: return sizeof(int);
	case FIELD_STRING: return sizeof(char *);
	case FIELD_UUID: return sizeof(struct uuid);
	case FIELD_STRINGS:
	case FIELD_PAIRS:
	case FIELD_STRUCTS: return sizeof(struct list);
	case FIELD_STRUCT: return field->type->size;
	case FIELD_OPTIONAL: return sizeof(void *);
	}
	UNREACHABLE("field of no kind");
}

static char *problem(const struct record_type *type, const char *field, const char *what)
{
	struct text text;
	text_init(&text, 512);
	text_addf(&text, "%s.%s: %s", type->name, field, what);
	return text_take(&text);
}

static char *field_problem(const struct record_type *type, const struct field *field)
{
	if (!field->tag || !field->name || !field->name[0])
		return problem(type, field->name, "no tag or no name");
	if (field->kind != FIELD_ENUM && !field->type && field->max < 1)
		return problem(type, field->name, "no upper bound");
	if (field->kind == FIELD_INT && field->min > field->max)
		return problem(type, field->name, "bounds the wrong way round");
	if (field->kind == FIELD_INT && field->initial > field->max)
		return problem(type, field->name, "initial value above its bound");
	if (field->kind == FIELD_ENUM && enum_name(field->names, (int)field->initial)[0] == '?')
		return problem(type, field->name, "initial value has no name");
	if (field->kind == FIELD_ENUM && enum_name(field->names, 0)[0] == '?')
		return problem(type, field->name, "zero has no name");
	if (field->kind == FIELD_STRUCTS && field->max < 1)
		return problem(type, field->name, "no upper bound");
	if (field->type)
		return record_type_problem(field->type);
	return NULL;
}

/* The bytes of the struct that no row covers can only be padding, so they are fewer than the widest alignment. */
static char *coverage_problem(const struct record_type *type)
{
	_cleanup_free_ uint8_t *covered = base_calloc(type->size, 1);
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct field *field = &type->fields[i];
		for (size_t at = 0; at < size_of_member(field); at++)
			if (field->offset + at >= type->size || covered[field->offset + at]++)
				return problem(type, field->name, "overlaps another row's member");
	}
	size_t gap = 0;
	for (size_t at = 0; at < type->size; at++) {
		gap = covered[at] ? 0 : gap + 1;
		if (gap >= sizeof(int64_t))
			return problem(type, "?", "a member of the struct has no row");
	}
	return NULL;
}

char *record_type_problem(const struct record_type *type)
{
	if (type->n_fields > 64)
		return problem(type, "?", "more than 64 fields");
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct field *field = &type->fields[i];
		char *found = field_problem(type, field);
		if (found)
			return found;
		for (size_t j = 0; j < i; j++)
			if (type->fields[j].tag == field->tag ||
			    strcmp(type->fields[j].name, field->name) == 0)
				return problem(type, field->name, "tag or name used twice");
	}
	return coverage_problem(type);
}
