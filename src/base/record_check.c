#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/record.h"
#include "base/record_walk.h"
#include "base/sort.h"

/* Where the walk stands; chained on the stack so that a path is only written when something is wrong. */
struct place {
	const struct place *above;
	const char *name;
	size_t index;
	bool indexed;
};

static enum err_code check_record(const struct record_type *type, const void *record,
				  const struct place *place, struct err *err);

static void add_path(struct text *text, const struct place *place)
{
	if (!place)
		return;
	add_path(text, place->above);
	if (place->indexed) {
		text_addf(text, "[%zu]", place->index);
		return;
	}
	if (text->len)
		text_add_char(text, '.');
	text_add(text, place->name);
}

static enum err_code fail(const struct place *place, struct err *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static enum err_code fail(const struct place *place, struct err *err, const char *format, ...)
{
	if (!err)
		return ERR_INVALID;
	struct text path;
	text_init(&path, ERR_FIELD_MAX - 1);
	add_path(&path, place);
	va_list arguments;
	va_start(arguments, format);
	err_set_fieldv(err, ERR_INVALID, text_string(&path), format, arguments);
	va_end(arguments);
	text_release(&path);
	return ERR_INVALID;
}

static enum err_code check_int(const struct field *field, int64_t value, const struct place *place,
			       struct err *err)
{
	if (value < field->min)
		return fail(place, err, "%lld is less than %lld", (long long)value,
			    (long long)field->min);
	if (value > field->max)
		return fail(place, err, "%lld is more than %lld", (long long)value,
			    (long long)field->max);
	return ERR_NONE;
}

static enum err_code check_enum(const struct field *field, int value, const struct place *place,
				struct err *err)
{
	for (const struct enum_name *name = field->names; name->name; name++)
		if (name->value == value)
			return ERR_NONE;
	return fail(place, err, "no value has the number %d", value);
}

static enum err_code check_string(const char *string, int64_t bytes_max, const struct place *place,
				  struct err *err)
{
	/* A string longer than allowed is not measured to its end. */
	size_t len = string ? strnlen(string, (size_t)bytes_max + 1) : 0;
	if (len > (size_t)bytes_max)
		return fail(place, err, "longer than %lld bytes", (long long)bytes_max);
	return ERR_NONE;
}

static enum err_code check_n(const struct field *field, size_t n, const struct place *place,
			     struct err *err)
{
	if (n > (size_t)field->max)
		return fail(place, err, "%zu items, at most %lld are allowed", n,
			    (long long)field->max);
	return ERR_NONE;
}

static enum err_code check_strings(const struct field *field, const struct strings *strings,
				   const struct place *place, struct err *err)
{
	enum err_code code = check_n(field, strings->n, place, err);
	for (size_t i = 0; !code && i < strings->n; i++) {
		struct place item = { .above = place, .index = i, .indexed = true };
		code = check_string(strings->items[i], LIMIT_STRING_BYTES, &item, err);
	}
	return code;
}

static int compare_keys(const void *a, const void *b, void *context)
{
	(void)context;
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum err_code check_unique(const struct pairs *pairs, const struct place *place,
				  struct err *err)
{
	if (pairs->n < 2)
		return ERR_NONE;
	_cleanup_free_ const char **keys = base_calloc(pairs->n, sizeof(char *));
	for (size_t i = 0; i < pairs->n; i++)
		keys[i] = pairs->items[i].key;
	sort_stable(keys, pairs->n, sizeof(char *), compare_keys, NULL);
	for (size_t i = 1; i < pairs->n; i++)
		if (strcmp(keys[i - 1], keys[i]) == 0)
			return fail(place, err, "\"%s\" is written twice", keys[i]);
	return ERR_NONE;
}

static enum err_code check_pairs(const struct field *field, const struct pairs *pairs,
				 const struct place *place, struct err *err)
{
	enum err_code code = check_n(field, pairs->n, place, err);
	for (size_t i = 0; !code && i < pairs->n; i++) {
		struct place key = { .above = place, .name = "a key" };
		struct place value = { .above = place, .name = pairs->items[i].key };
		code = check_string(pairs->items[i].key, LIMIT_STRING_BYTES, &key, err);
		if (!code)
			code = check_string(pairs->items[i].value, LIMIT_STRING_BYTES, &value, err);
	}
	return code ? code : check_unique(pairs, place, err);
}

static enum err_code check_structs(const struct field *field, const void *at,
				   const struct place *place, struct err *err)
{
	struct list list = list_load(at);
	enum err_code code = check_n(field, list.n, place, err);
	for (size_t i = 0; !code && i < list.n; i++) {
		struct place item = { .above = place, .index = i, .indexed = true };
		code = check_record(field->type, list_item(field->type, &list, i), &item, err);
	}
	return code;
}

static enum err_code check_optional(const struct field *field, const void *at,
				    const struct place *place, struct err *err)
{
	const void *record = optional_load(at);
	return record ? check_record(field->type, record, place, err) : ERR_NONE;
}

static enum err_code check_record(const struct record_type *type, const void *record,
				  const struct place *place, struct err *err)
{
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < type->n_fields; i++) {
		const struct field *field = &type->fields[i];
		const void *at = field_at_const(field, record);
		struct place here = { .above = place, .name = field->name };
		switch (field->kind) {
		case FIELD_INT: code = check_int(field, *(const int64_t *)at, &here, err); break;
		case FIELD_ENUM: code = check_enum(field, *(const int *)at, &here, err); break;
		case FIELD_STRING:
			code = check_string(*(char *const *)at, field->max, &here, err);
			break;
		case FIELD_STRINGS: code = check_strings(field, at, &here, err); break;
		case FIELD_PAIRS: code = check_pairs(field, at, &here, err); break;
		case FIELD_STRUCT: code = check_record(field->type, at, &here, err); break;
		case FIELD_STRUCTS: code = check_structs(field, at, &here, err); break;
		case FIELD_OPTIONAL: code = check_optional(field, at, &here, err); break;
		case FIELD_BOOL:
		case FIELD_UUID: break;
		}
	}
	return code;
}

enum err_code record_check(const struct record_type *type, const void *record, struct err *err)
{
	return check_record(type, record, NULL, err);
}
