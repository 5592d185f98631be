#include "compose/read.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/parse.h"

#define FOUND_BYTES 96

static bool is_plain(const struct at *at, enum scalar_type type)
{
	return at->node->kind == TREE_SCALAR && tree_scalar_type(at->node) == type;
}

bool at_is_null(const struct at *at)
{
	return is_plain(at, SCALAR_NULL);
}

/* What stands there, for messages: `the number 10`, `"abc"`, `a list`. */
static const char *found(const struct at *at, char out[FOUND_BYTES])
{
	const struct tree_node *node = at->node;
	if (node->kind != TREE_SCALAR)
		return node->kind == TREE_LIST ? "a list" : "a mapping";
	int len = (int)strnlen(node->text, 60);
	switch (tree_scalar_type(node)) {
	case SCALAR_NULL: return "nothing";
	case SCALAR_BOOL: return text_print(out, FOUND_BYTES, "the boolean %.*s", len, node->text);
	case SCALAR_INTEGER:
	case SCALAR_FLOAT: return text_print(out, FOUND_BYTES, "the number %.*s", len, node->text);
	case SCALAR_STRING: break;
	}
	return text_print(out, FOUND_BYTES, "\"%.*s\"", len, node->text);
}

#undef fail_type
enum err_code fail_type(const struct at *at, const char *expected, struct err *err)
{
	char what[FOUND_BYTES];
	return at_fail(at, err, ERR_INVALID, "expected %s, found %s", expected, found(at, what));
}

enum err_code expect_map(const struct at *at, struct err *err)
{
	return at->node->kind == TREE_MAP ? ERR_NONE : fail_type(at, "a mapping", err);
}

enum err_code expect_list(const struct at *at, struct err *err)
{
	if (at->node->kind != TREE_LIST)
		return fail_type(at, "a list", err);
	if (at->node->n > LIMIT_LIST_ITEMS)
		return at_fail(at, err, ERR_TOO_LARGE,
			       "the list has %zu items, at most %d are allowed", at->node->n,
			       LIMIT_LIST_ITEMS);
	return ERR_NONE;
}

enum err_code get_string(const struct at *at, const char **ret_string, struct err *err)
{
	if (is_plain(at, SCALAR_INTEGER) || is_plain(at, SCALAR_FLOAT) ||
	    is_plain(at, SCALAR_BOOL)) {
		char what[FOUND_BYTES];
		return at_fail(at, err, ERR_INVALID,
			       "expected a string, found %s; put it in quotes: \"%.*s\"",
			       found(at, what), 60, at->node->text);
	}
	if (at->node->kind != TREE_SCALAR || at_is_null(at))
		return fail_type(at, "a string", err);
	*ret_string = at->node->text;
	return ERR_NONE;
}

enum err_code get_scalar(const struct at *at, const char **ret_text, struct err *err)
{
	if (at->node->kind != TREE_SCALAR || at_is_null(at))
		return fail_type(at, "a string or number", err);
	*ret_text = at->node->text;
	return ERR_NONE;
}

/* Compose reads the words of YAML 1.1 where a boolean is meant, and only there. */
enum err_code get_bool(const struct at *at, bool *ret_value, struct err *err)
{
	static const char *const yes[] = { "true", "yes", "on", "y" };
	static const char *const no[] = { "false", "no", "off", "n" };
	if (at->node->kind == TREE_SCALAR) {
		for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
			bool is_yes = strcasecmp(at->node->text, yes[i]) == 0;
			if (is_yes || strcasecmp(at->node->text, no[i]) == 0) {
				*ret_value = is_yes;
				return ERR_NONE;
			}
		}
	}
	return fail_type(at, "true or false", err);
}

enum err_code get_integer(const struct at *at, int64_t min, int64_t max, int64_t *ret_value,
			  struct err *err)
{
	if (at->node->kind != TREE_SCALAR || at_is_null(at))
		return fail_type(at, "a whole number", err);
	if (parse_int(at->node->text, min, max, ret_value, err))
		return at_blame(at, err);
	return ERR_NONE;
}

enum err_code read_string(const struct at *at, void *char_pointer, struct err *err)
{
	const char *string;
	enum err_code code = get_string(at, &string, err);
	if (!code)
		string_set(char_pointer, string);
	return code;
}

enum err_code read_bool(const struct at *at, void *bool_pointer, struct err *err)
{
	return get_bool(at, bool_pointer, err);
}

enum err_code read_tristate(const struct at *at, void *int_pointer, struct err *err)
{
	bool value;
	enum err_code code = get_bool(at, &value, err);
	if (!code)
		*(int *)int_pointer = value ? YES : NO;
	return code;
}

enum err_code read_count(const struct at *at, void *int64, struct err *err)
{
	return get_integer(at, 0, INT32_MAX, int64, err);
}

/* A scalar through one of the parsers of base/parse.h. */
static enum err_code read_parsed(const struct at *at, const char *expected,
				 enum err_code (*parse)(const char *, int64_t *, struct err *),
				 int64_t *target, struct err *err)
{
	if (at->node->kind != TREE_SCALAR || at_is_null(at))
		return fail_type(at, expected, err);
	return parse(at->node->text, target, err) ? at_blame(at, err) : ERR_NONE;
}

enum err_code read_duration(const struct at *at, void *int64_ms, struct err *err)
{
	return read_parsed(at, "a duration like \"1m30s\"", parse_duration_ms, int64_ms, err);
}

enum err_code read_size(const struct at *at, void *int64_bytes, struct err *err)
{
	return read_parsed(at, "a size like \"512m\"", parse_size_bytes, int64_bytes, err);
}

enum err_code read_cpus(const struct at *at, void *int64_milli, struct err *err)
{
	return read_parsed(at, "a number of CPUs like \"0.5\"", parse_cpu_milli, int64_milli, err);
}

enum err_code read_ratio(const struct at *at, void *int64_ppm, struct err *err)
{
	return read_parsed(at, "a number from 0 to 1", parse_ratio_ppm, int64_ppm, err);
}

enum err_code read_each_item(const struct at *at, item_fn *each, void *target, struct err *err)
{
	enum err_code code = expect_list(at, err);
	for (size_t i = 0; !code && i < at->node->n; i++) {
		struct at item;
		code = at_item(at, i, &item, err);
		if (!code)
			code = each(&item, target, err);
	}
	return code;
}

enum err_code read_word(const struct at *item, void *strings, struct err *err)
{
	const char *string;
	enum err_code code = get_string(item, &string, err);
	if (!code)
		strings_add(strings, string);
	return code;
}

static enum err_code read_unique(const struct at *item, void *target, struct err *err)
{
	struct strings *strings = target;
	const char *string;
	enum err_code code = get_string(item, &string, err);
	if (!code && strings_has(strings, string))
		code = at_fail(item, err, ERR_INVALID, "\"%s\" stands twice in this list", string);
	if (code)
		return code;
	if (item->up->record)
		at_origin(item, "%s[%zu]", item->up->record, strings->n);
	strings_add(strings, string);
	return ERR_NONE;
}

enum err_code read_strings(const struct at *at, void *strings, struct err *err)
{
	return read_each_item(at, read_unique, strings, err);
}

enum err_code read_string_or_strings(const struct at *at, void *strings, struct err *err)
{
	if (at->node->kind == TREE_LIST)
		return read_strings(at, strings, err);
	if (at->node->kind == TREE_MAP || at_is_null(at))
		return fail_type(at, "a string or a list of strings", err);
	const char *string;
	enum err_code code = get_string(at, &string, err);
	if (!code)
		strings_add(strings, string);
	return code;
}

/* One "key=value" of a list. */
static enum err_code split_pair(const struct at *item, pair_fn *each, void *target, struct err *err)
{
	const char *text;
	enum err_code code = get_string(item, &text, err);
	if (code)
		return code;
	const char *equals = strchr(text, '=');
	size_t key_len = equals ? (size_t)(equals - text) : strlen(text);
	if (key_len == 0)
		return at_fail(item, err, ERR_INVALID, "expected KEY=VALUE, found \"%s\"", text);
	_cleanup_free_ char *key = base_strndup(text, key_len);
	if (item->up->record)
		at_origin(item, "%s.%s", item->up->record, key);
	return each(item, key, equals ? equals + 1 : NULL, target, err);
}

static enum err_code pair_of_entry(const struct at *item, pair_fn *each, void *target,
				   struct err *err)
{
	const char *value = NULL;
	if (!*item->name)
		return at_fail_key(item, err, ERR_INVALID, "the key is empty");
	if (!at_is_null(item)) {
		enum err_code code = get_scalar(item, &value, err);
		if (code)
			return code;
	}
	if (item->up->record)
		at_origin(item, "%s.%s", item->up->record, item->name);
	return each(item, item->name, value, target, err);
}

enum err_code read_each_pair(const struct at *at, pair_fn *each, void *target, struct err *err)
{
	if (at->node->kind == TREE_SCALAR)
		return fail_type(at, "a mapping or a list of KEY=VALUE", err);
	if (at->node->n > LIMIT_LIST_ITEMS)
		return at_fail(at, err, ERR_TOO_LARGE,
			       "there are %zu entries, at most %d are allowed", at->node->n,
			       LIMIT_LIST_ITEMS);
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < at->node->n; i++) {
		struct at item;
		if (at->node->kind == TREE_LIST)
			code = at_item(at, i, &item, err);
		else
			code = at_entry(at, &at->node->entries[i], &item, err);
		if (!code)
			code = at->node->kind == TREE_LIST
				       ? split_pair(&item, each, target, err)
				       : pair_of_entry(&item, each, target, err);
	}
	return code;
}

static enum err_code put_pair(const struct at *at, const char *key, const char *value, void *target,
			      struct err *err)
{
	(void)at;
	(void)err;
	pairs_put(target, key, value ? value : "");
	return ERR_NONE;
}

enum err_code read_pairs(const struct at *at, void *pairs, struct err *err)
{
	return read_each_pair(at, put_pair, pairs, err);
}

enum err_code read_options(const struct at *at, void *pairs, struct err *err)
{
	enum err_code code = expect_map(at, err);
	return code ? code : read_each_pair(at, put_pair, pairs, err);
}
