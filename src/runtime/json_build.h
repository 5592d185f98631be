/* Building JSON without a check after every line: a failure (text that is not UTF-8) is remembered and told once, at
 * the end. */
#ifndef RUNTIME_JSON_BUILD_H
#define RUNTIME_JSON_BUILD_H

#include <jansson.h>

#include "base/record.h"

struct json_build {
	json_t *root;	 /* an object; owned */
	const char *bad; /* the key whose value could not be told; NULL: all well */
};

void json_build_init(struct json_build *build);
/* `object` is build->root or a part of it. Text NULL: nothing is put. */
void json_put_text(struct json_build *build, json_t *object, const char *key, const char *text);
void json_put_int(json_t *object, const char *key, int64_t value);
void json_put_bool(json_t *object, const char *key, bool value);
/* The list even when empty. */
void json_put_strings(struct json_build *build, json_t *object, const char *key,
		      const struct strings *strings);
/* Keys and values as an object; a value NULL is put as "". */
void json_put_pairs(struct json_build *build, json_t *object, const char *key,
		    const struct pairs *pairs);
/* The member object or list `key`, made when it is not there; borrowed. */
json_t *json_put_object(json_t *object, const char *key);
json_t *json_put_list(json_t *object, const char *key);
/* A new object at the end of a list; borrowed. */
json_t *json_add_object(json_t *list);
void json_add_text(struct json_build *build, json_t *list, const char *key, const char *text);

/* The document; the build is empty after. NULL with ERR_INVALID; the caller frees with base_free(). */
char *json_build_take(struct json_build *build, struct err *err);

#endif
