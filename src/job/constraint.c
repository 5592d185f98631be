#include "job/constraint.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "job/platform.h"

struct key_row {
	const char *name;
	enum constraint_key key;
	bool has_label;
};

static const struct key_row keys[] = {
	{ "node.id", CONSTRAINT_NODE_ID, false },
	{ "node.hostname", CONSTRAINT_HOSTNAME, false },
	{ "node.ip", CONSTRAINT_IP, false },
	{ "node.role", CONSTRAINT_ROLE, false },
	{ "node.platform.os", CONSTRAINT_OS, false },
	{ "node.platform.arch", CONSTRAINT_ARCH, false },
	{ "node.labels.", CONSTRAINT_NODE_LABEL, true },
	{ "engine.labels.", CONSTRAINT_ENGINE_LABEL, true },
};

#define KNOWN_KEYS                                                                                 \
	"node.id, node.hostname, node.ip, node.role, node.platform.os, node.platform.arch, "       \
	"node.labels.NAME, engine.labels.NAME"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Blanks around a part do not count. */
static void trim(const char **text, size_t *len)
{
	while (*len && is_blank(**text)) {
		(*text)++;
		(*len)--;
	}
	while (*len && is_blank((*text)[*len - 1]))
		(*len)--;
}

static bool is_label_name(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = lower(text[i]);
		bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			    (c && strchr("_.-/", c));
		if (!fits)
			return false;
	}
	return len > 0;
}

static const struct key_row *find_key(const char *text, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		size_t name_len = strlen(keys[i].name);
		if (keys[i].has_label ? len < name_len : len != name_len)
			continue;
		size_t same = 0;
		while (same < name_len && lower(text[same]) == keys[i].name[same])
			same++;
		if (same == name_len)
			return &keys[i];
	}
	return NULL;
}

/* Read the key into `constraint`. */
static enum err_code read_key(const char *text, size_t len, struct constraint *constraint,
			      struct err *err)
{
	const struct key_row *row = find_key(text, len);
	if (!row)
		return err_set(err, ERR_INVALID, "\"%.*s\" is none of " KNOWN_KEYS,
			       len < 64 ? (int)len : 64, text);
	constraint->key = row->key;
	if (!row->has_label)
		return ERR_NONE;
	size_t start = strlen(row->name);
	size_t label_len = len - start;
	if (!is_label_name(text + start, label_len) || label_len >= sizeof(constraint->label))
		return err_set(err, ERR_INVALID,
			       "\"%.*s\" does not name a label: 1 to %zu letters, digits, '_', "
			       "'.', '-' and '/'",
			       len < 64 ? (int)len : 64, text, sizeof(constraint->label) - 1);
	memcpy(constraint->label, text + start, label_len);
	return ERR_NONE;
}

enum err_code constraint_parse(const char *text, struct constraint *ret_constraint, struct err *err)
{
	struct constraint constraint = { 0 };
	const char *equals = strchr(text, '=');
	if (!equals)
		return err_set(err, ERR_INVALID,
			       "\"%.*s\" is not a constraint: write KEY==VALUE or KEY!=VALUE", 64,
			       text);
	constraint.negated = equals > text && equals[-1] == '!';
	const char *value = equals + (!constraint.negated && equals[1] == '=' ? 2 : 1);
	const char *key = text;
	size_t key_len = (size_t)(equals - text) - constraint.negated;
	size_t value_len = strlen(value);
	trim(&key, &key_len);
	trim(&value, &value_len);
	if (!value_len || value_len >= sizeof(constraint.value) || value[0] == '=')
		return err_set(err, ERR_INVALID,
			       "\"%.*s\" needs a value of 1 to %zu bytes after the operator", 64,
			       text, sizeof(constraint.value) - 1);
	memcpy(constraint.value, value, value_len);
	enum err_code code = read_key(key, key_len, &constraint, err);
	if (code)
		return code;
	if (constraint.key == CONSTRAINT_IP &&
	    !ip_network_parse(constraint.value, &constraint.network))
		return err_set(err, ERR_INVALID,
			       "\"%.*s\" is neither an IP address nor a network like 10.0.0.0/8",
			       64, constraint.value);
	*ret_constraint = constraint;
	return ERR_NONE;
}

static bool is_same(const char *wanted, const char *found)
{
	while (*wanted && lower(*wanted) == lower(*found)) {
		wanted++;
		found++;
	}
	return !*wanted && !*found;
}

static bool is_equal(const struct constraint *constraint, const char *found)
{
	struct ip_address address;
	switch (constraint->key) {
	case CONSTRAINT_IP:
		return ip_address_parse(found, &address) &&
		       ip_network_has(&constraint->network, &address);
	case CONSTRAINT_ARCH:
		return is_same(platform_architecture(constraint->value),
			       platform_architecture(found));
	default: return is_same(constraint->value, found);
	}
}

bool constraint_matches(const struct constraint *constraint, const char *value)
{
	return is_equal(constraint, value ? value : "") != constraint->negated;
}

enum err_code preference_parse(const char *text, struct constraint *ret_constraint, struct err *err)
{
	struct constraint constraint = { 0 };
	const char *key = text;
	size_t len = strlen(text);
	trim(&key, &len);
	enum err_code code = read_key(key, len, &constraint, err);
	if (code)
		return code;
	if (constraint.key != CONSTRAINT_NODE_LABEL && constraint.key != CONSTRAINT_ENGINE_LABEL)
		return err_set(err, ERR_INVALID,
			       "\"%.*s\" cannot be spread over: only node.labels.NAME and "
			       "engine.labels.NAME can",
			       64, text);
	*ret_constraint = constraint;
	return ERR_NONE;
}
