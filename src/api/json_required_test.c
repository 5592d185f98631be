/* Every field that a request must have, walked from the tables: without it, or with null, the request is refused by
 * the field's name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/json.h"
#include "api/views.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "job/job.h"

struct walk {
	const struct record_type *type; /* of the whole request */
	json_t *root;
	int n_seen;
};

static json_t *with_required(const struct record_type *type);

static json_t *sample(const struct field *field)
{
	switch (field->kind) {
	case FIELD_STRING: return json_string("a");
	case FIELD_INT: return json_integer(field->min);
	case FIELD_UUID: return json_string("00000000-0000-0000-0000-000000000001");
	case FIELD_STRUCT: return with_required(field->type);
	case FIELD_STRUCTS: return json_array();
	default: fail_msg("no sample of %s", field->name);
	}
	return NULL;
}

static json_t *with_required(const struct record_type *type)
{
	json_t *object = json_object();
	for (size_t i = 0; i < type->n_fields; i++)
		if (type->fields[i].flags & FIELD_REQUIRED)
			json_object_set_new(object, type->fields[i].name, sample(&type->fields[i]));
	return object;
}

static void expect_missing(struct walk *walk, const char *path)
{
	struct err err = { 0 };
	void *record = base_calloc(1, walk->type->size);
	char *text = json_dumps(walk->root, JSON_COMPACT);
	assert_int_equal(json_read_record(walk->type, text, strlen(text), LIMIT_JSON_VALUES,
					  JSON_REQUEST, record, &err),
			 ERR_INVALID);
	assert_string_equal(err.field, path);
	free(text);
	base_free(record);
	walk->n_seen++;
}

/* `object` is of `type` and has all it must have; so it has afterwards. */
static void walk_type(struct walk *walk, const struct record_type *type, json_t *object,
		      const char *path)
{
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct field *field = &type->fields[i];
		bool required = field->flags & FIELD_REQUIRED;
		bool list = field->kind == FIELD_STRUCTS;
		char at[ERR_FIELD_MAX];
		text_print(at, sizeof(at), "%s%s%s", path, *path ? "." : "", field->name);
		if (field->flags & (FIELD_HIDDEN | FIELD_OUTPUT))
			continue;
		if (required) {
			json_object_set_new(object, field->name, json_null());
			expect_missing(walk, at);
			json_object_del(object, field->name);
			expect_missing(walk, at);
			json_object_set_new(object, field->name, sample(field));
		}
		if (!field->type)
			continue;
		json_t *inner = with_required(field->type);
		text_print(at, sizeof(at), "%s%s%s%s", path, *path ? "." : "", field->name,
			   list ? "[0]" : "");
		json_object_set_new(object, field->name,
				    list ? json_pack("[O]", inner) : json_incref(inner));
		walk_type(walk, field->type, inner, at);
		json_object_del(object, field->name);
		json_decref(inner);
		if (required)
			json_object_set_new(object, field->name, sample(field));
	}
}

static int walk_all(const struct record_type *type)
{
	struct walk walk = { .type = type, .root = with_required(type) };
	walk_type(&walk, type, walk.root, "");
	json_decref(walk.root);
	return walk.n_seen;
}

static void null_is_no_value_of_what_a_request_must_have(void **state)
{
	(void)state;
	assert_true(walk_all(&project_request_type) >= 40);
	assert_true(walk_all(&submit_request_type) >= 20);
	assert_true(walk_all(&scale_request_type) == 2);
	assert_true(walk_all(&join_request_type) >= 4);
	assert_true(walk_all(&renew_request_type) >= 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(null_is_no_value_of_what_a_request_must_have),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
