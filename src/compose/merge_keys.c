#include "compose/merge_keys.h"

#include <string.h>

#include "compose/service.h"

/* The text of a scalar in a long form; NULL when there is none. */
static const char *member(const struct at *item, const char *name)
{
	const struct tree_node *value =
		item->node->kind == TREE_MAP ? tree_get(item->node, name) : NULL;
	return value && value->kind == TREE_SCALAR && *value->text ? value->text : NULL;
}

static void add_member(const struct at *item, const char *name, const char *usual, struct text *key)
{
	const char *text = member(item, name);
	text_add(key, text ? text : usual);
}

/* The second of the parts that colons part, or the only one. */
static void add_target(const char *text, struct text *key)
{
	const char *colon = strchr(text, ':');
	const char *target = colon ? colon + 1 : text;
	size_t len = strcspn(target, ":");
	while (len > 1 && target[len - 1] == '/')
		len--;
	text_add_bytes(key, target, len);
}

void merge_key_text(const struct at *item, struct text *key)
{
	if (item->node->kind == TREE_SCALAR)
		text_add(key, item->node->text);
}

void merge_key_port(const struct at *item, struct text *key)
{
	if (item->node->kind == TREE_SCALAR) {
		short_port_key(item, key);
	} else if (member(item, "target")) {
		add_member(item, "host_ip", PORT_ALL_ADDRESSES, key);
		text_add_char(key, '|');
		add_member(item, "published", "", key);
		text_addf(key, "|%s|", member(item, "target"));
		add_member(item, "protocol", "tcp", key);
	}
}

void merge_key_mount(const struct at *item, struct text *key)
{
	if (item->node->kind == TREE_SCALAR)
		add_target(item->node->text, key);
	else if (member(item, "target"))
		add_target(member(item, "target"), key);
}

void merge_key_device(const struct at *item, struct text *key)
{
	if (item->node->kind == TREE_SCALAR)
		add_target(item->node->text, key);
	else if (member(item, "target"))
		add_target(member(item, "target"), key);
	else if (member(item, "source"))
		add_target(member(item, "source"), key);
}

void merge_key_path(const struct at *item, struct text *key)
{
	if (item->node->kind == TREE_SCALAR)
		text_add_bytes(key, item->node->text, strcspn(item->node->text, ":"));
	else
		add_member(item, "path", "", key);
}

void merge_key_config(const struct at *item, struct text *key)
{
	if (item->node->kind == TREE_SCALAR)
		text_add(key, item->node->text);
	else
		add_member(item, member(item, "target") ? "target" : "source", "", key);
}

void merge_key_host(const struct at *item, struct text *key)
{
	if (item->node->kind != TREE_SCALAR)
		return;
	size_t len = strcspn(item->node->text, "=:");
	text_add_bytes(key, item->node->text, len);
	text_addf(key, "=%s", item->node->text[len] ? item->node->text + len + 1 : "");
}
