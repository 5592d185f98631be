/* `bad` names the first key that failed and never changes after. */
#include "runtime/json_build.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"

void json_build_init(struct json_build *build)
{
	*build = (struct json_build){ .root = json_object() };
	INVARIANT(build->root);
}

/* Takes `value`. NULL: it could not be made. */
static void put(struct json_build *build, json_t *object, const char *key, json_t *value)
{
	if ((!value || json_object_set_new(object, key, value) != 0) && !build->bad)
		build->bad = key;
}

void json_put_text(struct json_build *build, json_t *object, const char *key, const char *text)
{
	if (text)
		put(build, object, key, json_string(text));
}

void json_put_int(json_t *object, const char *key, int64_t value)
{
	json_object_set_new(object, key, json_integer(value));
}

void json_put_bool(json_t *object, const char *key, bool value)
{
	json_object_set_new(object, key, json_boolean(value));
}

void json_add_text(struct json_build *build, json_t *list, const char *key, const char *text)
{
	json_t *value = json_string(text);
	if ((!value || json_array_append_new(list, value) != 0) && !build->bad)
		build->bad = key;
}

void json_put_strings(struct json_build *build, json_t *object, const char *key,
		      const struct strings *strings)
{
	json_t *list = json_put_list(object, key);
	for (size_t i = 0; i < strings->n; i++)
		json_add_text(build, list, key, strings->items[i]);
}

void json_put_pairs(struct json_build *build, json_t *object, const char *key,
		    const struct pairs *pairs)
{
	json_t *member = json_put_object(object, key);
	for (size_t i = 0; i < pairs->n; i++) {
		const struct pair *pair = &pairs->items[i];
		json_t *value = json_string(pair->value ? pair->value : "");
		/* The pair's key lives as long as the build: both belong to the action. */
		if ((!value || json_object_set_new(member, pair->key, value) != 0) && !build->bad)
			build->bad = key;
	}
}

json_t *json_put_object(json_t *object, const char *key)
{
	json_t *member = json_object_get(object, key);
	if (!member) {
		json_object_set_new(object, key, json_object());
		member = json_object_get(object, key);
	}
	return member;
}

json_t *json_put_list(json_t *object, const char *key)
{
	json_t *member = json_object_get(object, key);
	if (!member) {
		json_object_set_new(object, key, json_array());
		member = json_object_get(object, key);
	}
	return member;
}

json_t *json_add_object(json_t *list)
{
	json_array_append_new(list, json_object());
	return json_array_get(list, json_array_size(list) - 1);
}

char *json_build_take(struct json_build *build, struct err *err)
{
	char *copy = NULL;
	if (build->bad) {
		err_set(err, ERR_INVALID, "%s: a text in it is not UTF-8", build->bad);
	} else {
		char *text = json_dumps(build->root, JSON_COMPACT);
		INVARIANT(text);
		copy = base_strdup(text);
		free(text);
	}
	json_decref(build->root);
	*build = (struct json_build){ 0 };
	return copy;
}
