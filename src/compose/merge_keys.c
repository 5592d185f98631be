#include "compose/merge_keys.h"

#include <string.h>

#include "base/alloc.h"
#include "compose/paths.h"
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

/* All that a node says, such that two say the same only when they are the same. */
static void add_whole(const struct tree_node *node, struct text *key)
{
	if (key->cut)
		return;
	if (node->kind == TREE_SCALAR)
		text_addf(key, "%zu:%s", strlen(node->text), node->text);
	else
		text_add_char(key, node->kind == TREE_MAP ? '{' : '[');
	for (size_t i = 0; node->kind == TREE_LIST && i < node->n; i++)
		add_whole(node->items[i], key);
	for (size_t i = 0; node->kind == TREE_MAP && i < node->n; i++) {
		add_whole(node->entries[i].key, key);
		add_whole(node->entries[i].value, key);
	}
	if (node->kind != TREE_SCALAR)
		text_add_char(key, '}');
}

void merge_key_whole(const struct at *item, struct text *key)
{
	add_whole(item->node, key);
	if (key->cut)
		text_clear(key);
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

void merge_key_file(const struct at *item, struct text *key)
{
	const char *path =
		item->node->kind == TREE_SCALAR ? item->node->text : member(item, "path");
	_cleanup_free_ char *whole = NULL;
	struct err unread;
	if (path && !path_resolve(item, path, &whole, &unread))
		text_add(key, whole);
}

static void add_content(const struct at *item, const char *folder, struct text *key)
{
	const char *file = item->node->kind == TREE_SCALAR ? item->node->text
			   : member(item, "target")	   ? member(item, "target")
							   : member(item, "source");
	if (!file)
		return;
	if (*file != '/')
		text_add(key, folder);
	text_add(key, file);
}

void merge_key_config(const struct at *item, struct text *key)
{
	add_content(item, CONFIG_FOLDER, key);
}

void merge_key_secret(const struct at *item, struct text *key)
{
	add_content(item, SECRET_FOLDER, key);
}

void merge_key_pool(const struct at *item, struct text *key)
{
	add_member(item, "subnet", "", key);
}

void merge_key_host(const struct at *item, struct text *key)
{
	if (item->node->kind != TREE_SCALAR)
		return;
	size_t len = strcspn(item->node->text, "=:");
	text_add_bytes(key, item->node->text, len);
	text_addf(key, "=%s", item->node->text[len] ? item->node->text + len + 1 : "");
}
