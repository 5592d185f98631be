/* JSON from and to records, by their field tables: one codec for the API, the sync messages and `-o json`. Reading is
 * strict: depth and value counts are checked before parsing, duplicate and unknown keys, wrong types and values out of
 * bounds are errors that name the field's path ("jobs[0].spec.ports[2].protocol"). */
#ifndef API_JSON_H
#define API_JSON_H

#include <jansson.h>

#include "base/record.h"

enum json_direction {
	JSON_REQUEST,  /* from a user: OUTPUT and HIDDEN fields refused, REQUIRED fields demanded */
	JSON_ANSWER,   /* to a user: HIDDEN left out, SECRET masked */
	JSON_INTERNAL, /* between manager and worker: everything */
};

/* Parse text. ERR_SYNTAX with line and column; ERR_TOO_LARGE past LIMIT_JSON_DEPTH or `values_max`. */
enum err_code json_parse(const char *bytes, size_t len, int64_t values_max, json_t **ret_value,
			 struct err *err) WARN_UNUSED;

/* A record's object; never NULL. Fields that hold their initial value are left out of INTERNAL and REQUEST, kept in
 * ANSWER. Enumerations are names, ids text, pairs objects (value NULL is null). */
json_t *json_from_record(const struct record_type *type, const void *record,
			 enum json_direction direction);

/* Fill `record` (holding no pointers before); record_init() values where a field is absent. On failure it is zero.
 * `path` is where this object stands, for messages; "" at the top. */
enum err_code json_to_record(const struct record_type *type, json_t *value,
			     enum json_direction direction, const char *path, void *record,
			     struct err *err) WARN_UNUSED;

/* Both steps in one. */
enum err_code json_read_record(const struct record_type *type, const char *bytes, size_t len,
			       int64_t values_max, enum json_direction direction, void *record,
			       struct err *err) WARN_UNUSED;
/* What json_add_record() makes of a record, INTERNAL, read at once. False, with nothing in `record`: the text is
 * something else, or wrong; json_read_record() reads it or tells. */
bool json_read_direct(const struct record_type *type, const char *bytes, size_t len,
		      void *record) WARN_UNUSED;
/* Append compact text. */
void json_add_record(struct text *out, const struct record_type *type, const void *record,
		     enum json_direction direction);
/* The same as a text of its own; the caller frees with base_free(). */
char *json_write_record(const struct record_type *type, const void *record,
			enum json_direction direction);

#endif
