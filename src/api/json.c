#include "api/json.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"

static enum err_code object_to_record(const struct record_type *type, json_t *value,
				      enum json_direction direction, const char *path, void *record,
				      struct err *err);

static void *at(void *record, const struct field *field)
{
	return (char *)record + field->offset;
}

/* ---- text ---------------------------------------------------------------------------------------------- */

/* Bound depth and number of values before the parser allocates anything for them. Counting is generous: commas and
 * opening brackets outside strings are an upper bound of the values. */
static enum err_code check_shape(const char *bytes, size_t len, int64_t values_max, struct err *err)
{
	int64_t depth = 0;
	int64_t values = 1;
	bool in_string = false;
	for (size_t i = 0; i < len; i++) {
		char c = bytes[i];
		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
			continue;
		}
		if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			values++;
			if (++depth > LIMIT_JSON_DEPTH)
				return err_set(err, ERR_TOO_LARGE,
					       "JSON nests deeper than %d levels",
					       LIMIT_JSON_DEPTH);
		} else if (c == '}' || c == ']') {
			depth--;
		} else if (c == ',') {
			values++;
		}
		if (values > values_max)
			return err_set(err, ERR_TOO_LARGE, "JSON holds more than %lld values",
				       (long long)values_max);
	}
	return ERR_NONE;
}

enum err_code json_parse(const char *bytes, size_t len, int64_t values_max, json_t **ret_value,
			 struct err *err)
{
	enum err_code code = check_shape(bytes, len, values_max, err);
	if (code)
		return code;
	json_error_t problem;
	json_t *value = json_loadb(bytes, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
	if (!value)
		return err_set(err, ERR_SYNTAX, "JSON line %d, column %d: %s", problem.line,
			       problem.column, problem.text);
	*ret_value = value;
	return ERR_NONE;
}

/* ---- from JSON ----------------------------------------------------------------------------------------- */

static enum err_code wrong_type(struct err *err, const char *path, const char *wanted,
				json_t *value)
{
	static const char *const names[] = { "an object",     "an array", "a string",
					     "an integer",    "a real",	  "true or false",
					     "true or false", "null" };
	return err_set_field(err, ERR_INVALID, path, "expected %s, found %s", wanted,
			     names[json_typeof(value)]);
}

static enum err_code read_string(json_t *value, int64_t max, const char *path, char **ret_string,
				 struct err *err)
{
	if (json_is_null(value)) {
		*ret_string = NULL;
		return ERR_NONE;
	}
	if (!json_is_string(value))
		return wrong_type(err, path, "a string", value);
	size_t len = json_string_length(value);
	if (strlen(json_string_value(value)) != len)
		return err_set_field(err, ERR_INVALID, path, "a string must not hold a NUL");
	if ((int64_t)len > max)
		return err_set_field(err, ERR_INVALID, path, "%zu bytes, at most %lld are allowed",
				     len, (long long)max);
	*ret_string = base_strndup(json_string_value(value), len);
	return ERR_NONE;
}

static enum err_code read_strings(json_t *value, const struct field *field, const char *path,
				  struct strings *strings, struct err *err)
{
	if (!json_is_array(value))
		return wrong_type(err, path, "an array of strings", value);
	for (size_t i = 0; i < json_array_size(value); i++) {
		json_t *item = json_array_get(value, i);
		char item_path[ERR_FIELD_MAX];
		text_print(item_path, sizeof(item_path), "%s[%zu]", path, i);
		if (!json_is_string(item))
			return wrong_type(err, item_path, "a string", item);
		_cleanup_free_ char *string = NULL;
		enum err_code code = read_string(item, LIMIT_STRING_BYTES, item_path, &string, err);
		if (code)
			return code;
		strings_add(strings, string);
	}
	if ((int64_t)strings->n > field->max)
		return err_set_field(err, ERR_INVALID, path, "%zu items, at most %lld are allowed",
				     strings->n, (long long)field->max);
	return ERR_NONE;
}

static enum err_code read_pairs(json_t *value, const struct field *field, const char *path,
				struct pairs *pairs, struct err *err)
{
	if (!json_is_object(value))
		return wrong_type(err, path, "an object of strings", value);
	if ((int64_t)json_object_size(value) > field->max)
		return err_set_field(err, ERR_INVALID, path,
				     "%zu entries, at most %lld are allowed",
				     json_object_size(value), (long long)field->max);
	const char *key;
	json_t *item;
	json_object_foreach(value, key, item)
	{
		char item_path[ERR_FIELD_MAX];
		text_print(item_path, sizeof(item_path), "%s.%s", path, key);
		_cleanup_free_ char *string = NULL;
		enum err_code code = read_string(item, LIMIT_STRING_BYTES, item_path, &string, err);
		if (code)
			return code;
		pairs_add(pairs, key, string);
	}
	return ERR_NONE;
}

static enum err_code read_structs(json_t *value, const struct field *field,
				  enum json_direction direction, const char *path, void *list,
				  struct err *err)
{
	if (!json_is_array(value))
		return wrong_type(err, path, "an array", value);
	if ((int64_t)json_array_size(value) > field->max)
		return err_set_field(err, ERR_INVALID, path, "%zu items, at most %lld are allowed",
				     json_array_size(value), (long long)field->max);
	for (size_t i = 0; i < json_array_size(value); i++) {
		char item_path[ERR_FIELD_MAX];
		text_print(item_path, sizeof(item_path), "%s[%zu]", path, i);
		void *item = list_add(list, field->type->size);
		enum err_code code = object_to_record(field->type, json_array_get(value, i),
						      direction, item_path, item, err);
		if (code)
			return code;
	}
	return ERR_NONE;
}

static enum err_code read_int(json_t *value, const struct field *field, const char *path,
			      int64_t *ret, struct err *err)
{
	if (!json_is_integer(value))
		return wrong_type(err, path, "an integer", value);
	int64_t number = json_integer_value(value);
	if (number < field->min)
		return err_set_field(err, ERR_INVALID, path, "%lld is less than %lld",
				     (long long)number, (long long)field->min);
	if (number > field->max)
		return err_set_field(err, ERR_INVALID, path, "%lld is more than %lld",
				     (long long)number, (long long)field->max);
	*ret = number;
	return ERR_NONE;
}

static enum err_code read_enum(json_t *value, const struct field *field, const char *path, int *ret,
			       struct err *err)
{
	if (!json_is_string(value))
		return wrong_type(err, path, "a string", value);
	if (enum_value(field->names, json_string_value(value), ret))
		return ERR_NONE;
	struct text known;
	text_init(&known, ERR_MESSAGE_MAX / 2);
	for (const struct enum_name *name = field->names; name->name; name++)
		text_addf(&known, "%s%s", name == field->names ? "" : ", ", name->name);
	err_set_field(err, ERR_INVALID, path, "\"%s\" is none of %s", json_string_value(value),
		      text_string(&known));
	text_release(&known);
	return ERR_INVALID;
}

static enum err_code read_uuid(json_t *value, const char *path, struct uuid *ret, struct err *err)
{
	if (!json_is_string(value))
		return wrong_type(err, path, "a string", value);
	if (json_string_length(value) == 0) {
		*ret = (struct uuid){ 0 };
		return ERR_NONE;
	}
	struct err inner = { 0 };
	if (uuid_parse(json_string_value(value), ret, &inner))
		return err_set_field(err, ERR_INVALID, path, "%s", inner.message);
	return ERR_NONE;
}

static enum err_code read_optional(json_t *value, const struct record_type *type,
				   enum json_direction direction, const char *path, void **member,
				   struct err *err)
{
	if (json_is_null(value))
		return ERR_NONE;
	*member = base_calloc(1, type->size);
	return object_to_record(type, value, direction, path, *member, err);
}

static enum err_code read_field(json_t *value, const struct field *field,
				enum json_direction direction, const char *path, void *member,
				struct err *err)
{
	switch (field->kind) {
	case FIELD_BOOL:
		if (!json_is_boolean(value))
			return wrong_type(err, path, "true or false", value);
		*(bool *)member = json_is_true(value);
		return ERR_NONE;
	case FIELD_INT: return read_int(value, field, path, member, err);
	case FIELD_ENUM: return read_enum(value, field, path, member, err);
	case FIELD_STRING:
		base_free(*(char **)member);
		*(char **)member = NULL;
		return read_string(value, field->max, path, member, err);
	case FIELD_UUID: return read_uuid(value, path, member, err);
	case FIELD_STRINGS: return read_strings(value, field, path, member, err);
	case FIELD_PAIRS: return read_pairs(value, field, path, member, err);
	case FIELD_STRUCT:
		record_release(field->type, member);
		return object_to_record(field->type, value, direction, path, member, err);
	case FIELD_STRUCTS: return read_structs(value, field, direction, path, member, err);
	case FIELD_OPTIONAL: return read_optional(value, field->type, direction, path, member, err);
	}
	UNREACHABLE("field kind");
}

static const struct field *find_field(const struct record_type *type, const char *name)
{
	for (size_t i = 0; i < type->n_fields; i++)
		if (strcmp(type->fields[i].name, name) == 0)
			return &type->fields[i];
	return NULL;
}

static const char *join_path(char out[ERR_FIELD_MAX], const char *path, const char *name)
{
	return text_print(out, ERR_FIELD_MAX, "%s%s%s", path, *path ? "." : "", name);
}

static enum err_code read_members(const struct record_type *type, json_t *value,
				  enum json_direction direction, const char *path, void *record,
				  struct err *err)
{
	const char *key;
	json_t *item;
	char field_path[ERR_FIELD_MAX];
	json_object_foreach(value, key, item)
	{
		const struct field *field = find_field(type, key);
		join_path(field_path, path, key);
		if (!field) {
			/* A neighbouring release may say more than we know; a user may not. */
			if (direction != JSON_REQUEST)
				continue;
			return err_set_field(err, ERR_INVALID, field_path, "unknown field");
		}
		if (direction == JSON_REQUEST && (field->flags & (FIELD_HIDDEN | FIELD_OUTPUT)))
			return err_set_field(err, ERR_INVALID, field_path, "cannot be set");
		enum err_code code =
			read_field(item, field, direction, field_path, at(record, field), err);
		if (code)
			return code;
	}
	for (size_t i = 0; i < type->n_fields && direction == JSON_REQUEST; i++) {
		const struct field *field = &type->fields[i];
		const json_t *given = json_object_get(value, field->name);
		if ((field->flags & FIELD_REQUIRED) && (!given || json_is_null(given)))
			return err_set_field(err, ERR_INVALID,
					     join_path(field_path, path, field->name),
					     "is missing");
	}
	return ERR_NONE;
}

static enum err_code object_to_record(const struct record_type *type, json_t *value,
				      enum json_direction direction, const char *path, void *record,
				      struct err *err)
{
	if (!json_is_object(value))
		return wrong_type(err, path, "an object", value);
	record_init(type, record);
	enum err_code code = read_members(type, value, direction, path, record, err);
	if (code)
		record_release(type, record);
	return code;
}

enum err_code json_to_record(const struct record_type *type, json_t *value,
			     enum json_direction direction, const char *path, void *record,
			     struct err *err)
{
	return object_to_record(type, value, direction, path, record, err);
}

enum err_code json_read_record(const struct record_type *type, const char *bytes, size_t len,
			       int64_t values_max, enum json_direction direction, void *record,
			       struct err *err)
{
	json_t *value;
	memset(record, 0, type->size);
	enum err_code code = json_parse(bytes, len, values_max, &value, err);
	if (code)
		return code;
	code = json_to_record(type, value, direction, "", record, err);
	json_decref(value);
	return code;
}
