/* Invariants:
 * 1. Nodes of a file are never changed: aliases share them, and a file may be read for several services.
 * 2. What merging makes is counted (spend()), so that no chain of files grows beyond LIMIT_COMPOSE_MERGED.
 * 3. An earlier node's tag says nothing any more; a later one's is kept, for the files before both. */
#include "compose/merge.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "compose/merge_keys.h"
#include "compose/read.h"

#define SERVICE_STARTED "service_started"

typedef enum err_code merge_fn(const struct at *later, struct tree_node *earlier,
			       struct tree_node **ret_node, struct err *err);

static bool is_null(const struct tree_node *node)
{
	return node->kind == TREE_SCALAR && tree_scalar_type(node) == SCALAR_NULL;
}

static enum err_code spend(const struct at *at, size_t n, struct err *err)
{
	at->load->merged_nodes += (int64_t)n + 1;
	if (n > LIMIT_LIST_ITEMS || at->load->merged_nodes > LIMIT_COMPOSE_MERGED)
		return at_fail(at, err, ERR_TOO_LARGE, "merging the files makes too many values");
	return ERR_NONE;
}

/* The place of the earlier value: its own file, the path of the later one. */
static struct at earlier_at(const struct at *later, struct tree_node *earlier)
{
	struct at at = *later;
	at.node = earlier;
	return at;
}

static const char *kind_word(const struct tree_node *node)
{
	return node->kind == TREE_LIST ? "list" : node->kind == TREE_MAP ? "mapping" : "value";
}

static enum err_code fail_kind(const struct at *later, const struct tree_node *earlier,
			       struct err *err)
{
	return at_fail(later, err, ERR_INVALID,
		       "a %s cannot be merged over the %s in %s:%d; !override before it replaces "
		       "that one",
		       kind_word(later->node), kind_word(earlier), earlier->source->name,
		       earlier->line);
}

/* ---- making nodes ---- */

static struct tree_node *add_scalar(struct load *load, const struct tree_node *like,
				    const char *text, size_t len)
{
	struct tree_node *node = tree_add(&load->merged, TREE_SCALAR, like);
	base_free(node->text);
	node->text = base_strndup(text, len);
	node->is_string = true;
	node->interpolated = true;
	return node;
}

static struct tree_node *add_null(struct load *load, const struct tree_node *like)
{
	struct tree_node *node = tree_add(&load->merged, TREE_SCALAR, like);
	node->interpolated = true;
	return node;
}

static struct tree_node *add_map(struct load *load, const struct tree_node *like, size_t n_max)
{
	struct tree_node *map = tree_add(&load->merged, TREE_MAP, like);
	map->entries = base_calloc(n_max ? n_max : 1, sizeof(*map->entries));
	return map;
}

static struct tree_node *add_list(struct load *load, const struct tree_node *like, size_t n_max)
{
	struct tree_node *list = tree_add(&load->merged, TREE_LIST, like);
	list->items = base_calloc(n_max ? n_max : 1, sizeof(struct tree_node *));
	return list;
}

static struct tree_entry *entry_named(const struct tree_node *map, const char *key)
{
	for (size_t i = 0; i < map->n; i++)
		if (strcmp(map->entries[i].key->text, key) == 0)
			return &map->entries[i];
	return NULL;
}

/* Put an entry in, over one of the same key. */
static void put_entry(struct tree_node *map, struct tree_node *key, struct tree_node *value)
{
	struct tree_entry *same = entry_named(map, key->text);
	if (!same)
		same = &map->entries[map->n++];
	*same = (struct tree_entry){ key, value };
}

/* ---- mappings ---- */

enum err_code merge_without(const struct at *at, const char *key, struct tree_node **ret_node,
			    struct err *err)
{
	const struct tree_node *node = at->node;
	enum err_code code = spend(at, node->n, err);
	if (code)
		return code;
	struct tree_node *map = add_map(at->load, node, node->n);
	map->merge = node->merge;
	for (size_t i = 0; i < node->n; i++)
		if (!key || strcmp(node->entries[i].key->text, key) != 0)
			map->entries[map->n++] = node->entries[i];
	*ret_node = map;
	return ERR_NONE;
}

enum err_code merge_copy(const struct at *at, struct tree_node **ret_node, struct err *err)
{
	return merge_without(at, NULL, ret_node, err);
}

void merge_put(struct tree_node *map, struct tree_node *key, struct tree_node *value)
{
	PRE(tree_entry_of(map, key->text));
	put_entry(map, key, value);
}

/* `replace`: an entry replaces the earlier one whole. */
static enum err_code merge_entries(const struct at *later, struct tree_node *earlier, bool replace,
				   struct tree_node **ret_node, struct err *err)
{
	const struct tree_node *node = later->node;
	enum err_code code = spend(later, node->n + earlier->n, err);
	if (code)
		return code;
	struct tree_node *map = add_map(later->load, earlier, node->n + earlier->n);
	for (size_t i = 0; i < earlier->n; i++)
		if (earlier->entries[i].value->merge != TREE_RESET)
			map->entries[map->n++] = earlier->entries[i];
	for (size_t i = 0; !code && i < node->n; i++) {
		struct tree_entry entry = node->entries[i];
		const struct tree_entry *same = entry_named(map, entry.key->text);
		struct at at = {
			.load = later->load, .up = later, .name = entry.key->text, .key = entry.key
		};
		at.node = entry.value;
		if (same && !replace)
			code = merge_over(&at, same->value, &entry.value, err);
		/* Where the key stands is where its value is said to come from. */
		if (same && entry.value != node->entries[i].value)
			entry.key = same->key;
		put_entry(map, entry.key, entry.value);
	}
	*ret_node = map;
	return code;
}

static enum err_code merge_maps(const struct at *later, struct tree_node *earlier,
				struct tree_node **ret_node, struct err *err)
{
	return merge_entries(later, earlier, false, ret_node, err);
}

/* The value that stands for an item of a list that means a mapping; `rest` is what follows its key. */
typedef struct tree_node *item_value_fn(struct load *load, const struct tree_node *item,
					const char *rest);

static struct tree_node *pair_value(struct load *load, const struct tree_node *item,
				    const char *rest)
{
	return *rest ? add_scalar(load, item, rest + 1, strlen(rest + 1)) : add_null(load, item);
}

static struct tree_node *network_value(struct load *load, const struct tree_node *item,
				       const char *rest)
{
	(void)rest;
	return add_null(load, item);
}

static struct tree_node *depend_value(struct load *load, const struct tree_node *item,
				      const char *rest)
{
	(void)rest;
	struct tree_node *map = add_map(load, item, 1);
	put_entry(map, add_scalar(load, item, "condition", strlen("condition")),
		  add_scalar(load, item, SERVICE_STARTED, strlen(SERVICE_STARTED)));
	return map;
}

/* A list that means a mapping, as one. `ends` are the characters at which an item's key ends. */
static enum err_code as_map(const struct at *at, const char *ends, item_value_fn *value_of,
			    struct tree_node **ret_map, struct err *err)
{
	*ret_map = at->node;
	if (at->node->kind == TREE_MAP)
		return ERR_NONE;
	if (at->node->kind == TREE_SCALAR)
		return fail_type(at, "a list or a mapping", err);
	enum err_code code = spend(at, at->node->n, err);
	if (code)
		return code;
	struct tree_node *map = add_map(at->load, at->node, at->node->n);
	for (size_t i = 0; !code && i < at->node->n; i++) {
		struct at item;
		const char *text = "";
		code = at_item(at, i, &item, err);
		if (!code)
			code = get_string(&item, &text, err);
		size_t len = strcspn(text, ends);
		if (!code && len == 0)
			code = at_fail(&item, err, ERR_INVALID, "the key is empty");
		if (!code)
			put_entry(map, add_scalar(at->load, item.node, text, len),
				  value_of(at->load, item.node, text + len));
	}
	*ret_map = map;
	return code;
}

static enum err_code merge_as_maps(const struct at *later, struct tree_node *earlier,
				   const char *ends, item_value_fn *value_of, bool replace,
				   struct tree_node **ret_node, struct err *err)
{
	struct at from = earlier_at(later, earlier);
	struct at over = *later;
	enum err_code code = as_map(&from, ends, value_of, &from.node, err);
	if (!code)
		code = as_map(later, ends, value_of, &over.node, err);
	return code ? code : merge_entries(&over, from.node, replace, ret_node, err);
}

static enum err_code merge_pairs(const struct at *later, struct tree_node *earlier,
				 struct tree_node **ret_node, struct err *err)
{
	return merge_as_maps(later, earlier, "=", pair_value, true, ret_node, err);
}

static enum err_code merge_networks(const struct at *later, struct tree_node *earlier,
				    struct tree_node **ret_node, struct err *err)
{
	return merge_as_maps(later, earlier, "", network_value, false, ret_node, err);
}

static enum err_code merge_depends_on(const struct at *later, struct tree_node *earlier,
				      struct tree_node **ret_node, struct err *err)
{
	return merge_as_maps(later, earlier, "", depend_value, false, ret_node, err);
}

/* Options are those of a driver: another driver knows others. */
static enum err_code merge_logging(const struct at *later, struct tree_node *earlier,
				   struct tree_node **ret_node, struct err *err)
{
	if (later->node->kind != TREE_MAP || earlier->kind != TREE_MAP)
		return fail_kind(later, earlier, err);
	const struct tree_node *driver = tree_get(later->node, "driver");
	const struct tree_node *other = tree_get(earlier, "driver");
	bool differ = driver && other && driver->kind == TREE_SCALAR &&
		      other->kind == TREE_SCALAR && strcmp(driver->text, other->text) != 0;
	*ret_node = later->node;
	return differ ? ERR_NONE : merge_maps(later, earlier, ret_node, err);
}

/* A later file that switches the check off need not know which test it was. */
static enum err_code merge_health_check(const struct at *later, struct tree_node *earlier,
					struct tree_node **ret_node, struct err *err)
{
	const struct tree_entry *entry =
		later->node->kind == TREE_MAP ? tree_entry_of(later->node, "disable") : NULL;
	struct at disable;
	bool disabled = false;
	if (earlier->kind != TREE_MAP || later->node->kind != TREE_MAP)
		return fail_kind(later, earlier, err);
	enum err_code code = entry ? at_entry(later, entry, &disable, err) : ERR_NONE;
	if (!code && entry && entry->value->merge != TREE_RESET)
		code = get_bool(&disable, &disabled, err);
	*ret_node = later->node;
	return code || disabled ? code : merge_maps(later, earlier, ret_node, err);
}

/* ---- lists ---- */

static char *key_of(const struct at *list, size_t index, struct tree_node *node,
		    merge_key_fn *add_key)
{
	struct at item = { .load = list->load, .up = list, .index = index, .node = node };
	struct text key;
	text_init(&key, LIMIT_STRING_BYTES);
	add_key(&item, &key);
	return text_take(&key);
}

/* Where the item with that key is among the first `n`; n: nowhere. */
static size_t find_key(char *const *keys, size_t n, const char *key)
{
	size_t i = 0;
	while (i < n && (!*key || strcmp(keys[i], key) != 0))
		i++;
	return i;
}

static enum err_code merge_keyed(const struct at *later, struct tree_node *earlier,
				 merge_key_fn *add_key, struct tree_node **ret_node,
				 struct err *err)
{
	const struct tree_node *node = later->node;
	struct at from = earlier_at(later, earlier);
	enum err_code code = spend(later, node->n + earlier->n, err);
	if (code)
		return code;
	struct tree_node *list = add_list(later->load, earlier, node->n + earlier->n);
	_cleanup_free_ char **keys = base_calloc(earlier->n + 1, sizeof(char *));
	for (; list->n < earlier->n; list->n++) {
		list->items[list->n] = earlier->items[list->n];
		keys[list->n] = key_of(&from, list->n, list->items[list->n], add_key);
	}
	for (size_t i = 0; i < node->n; i++) {
		_cleanup_free_ char *key = key_of(later, i, node->items[i], add_key);
		size_t at = find_key(keys, earlier->n, key);
		list->items[at < earlier->n ? at : list->n++] = node->items[i];
	}
	for (size_t i = 0; i < earlier->n; i++)
		base_free(keys[i]);
	*ret_node = list;
	return ERR_NONE;
}

/* Items that say the same are one. */
static enum err_code merge_lists(const struct at *later, struct tree_node *earlier,
				 struct tree_node **ret_node, struct err *err)
{
	return merge_keyed(later, earlier, merge_key_whole, ret_node, err);
}

/* A list, or a value alone that is as good as a list of it. */
static struct tree_node *as_list(struct load *load, struct tree_node *node)
{
	if (node->kind == TREE_LIST)
		return node;
	struct tree_node *list = add_list(load, node, 1);
	list->n = is_null(node) ? 0 : 1;
	list->items[0] = node;
	return list;
}

static enum err_code merge_as_lists(const struct at *later, struct tree_node *earlier,
				    merge_key_fn *add_key, struct tree_node **ret_node,
				    struct err *err)
{
	struct at over = *later;
	enum err_code code = spend(later, 2, err);
	over.node = as_list(later->load, later->node);
	return code ? code
		    : merge_keyed(&over, as_list(later->load, earlier), add_key, ret_node, err);
}

static enum err_code merge_words(const struct at *later, struct tree_node *earlier,
				 struct tree_node **ret_node, struct err *err)
{
	return merge_as_lists(later, earlier, merge_key_whole, ret_node, err);
}

static enum err_code merge_paths(const struct at *later, struct tree_node *earlier,
				 struct tree_node **ret_node, struct err *err)
{
	return merge_as_lists(later, earlier, merge_key_path, ret_node, err);
}

/* Files of one name in two folders are two. */
static enum err_code merge_files(const struct at *later, struct tree_node *earlier,
				 struct tree_node **ret_node, struct err *err)
{
	return merge_as_lists(later, earlier, merge_key_file, ret_node, err);
}

static enum err_code merge_items(const struct at *later, struct tree_node *earlier,
				 merge_key_fn *add_key, struct tree_node **ret_node,
				 struct err *err)
{
	if (later->node->kind != TREE_LIST || earlier->kind != TREE_LIST)
		return fail_kind(later, earlier, err);
	return merge_keyed(later, earlier, add_key, ret_node, err);
}

static enum err_code merge_ports(const struct at *later, struct tree_node *earlier,
				 struct tree_node **ret_node, struct err *err)
{
	return merge_items(later, earlier, merge_key_port, ret_node, err);
}

static enum err_code merge_mounts(const struct at *later, struct tree_node *earlier,
				  struct tree_node **ret_node, struct err *err)
{
	return merge_items(later, earlier, merge_key_mount, ret_node, err);
}

static enum err_code merge_devices(const struct at *later, struct tree_node *earlier,
				   struct tree_node **ret_node, struct err *err)
{
	return merge_items(later, earlier, merge_key_device, ret_node, err);
}

static enum err_code merge_configs(const struct at *later, struct tree_node *earlier,
				   struct tree_node **ret_node, struct err *err)
{
	return merge_items(later, earlier, merge_key_config, ret_node, err);
}

static enum err_code merge_secrets(const struct at *later, struct tree_node *earlier,
				   struct tree_node **ret_node, struct err *err)
{
	return merge_items(later, earlier, merge_key_secret, ret_node, err);
}

static enum err_code merge_pools(const struct at *later, struct tree_node *earlier,
				 struct tree_node **ret_node, struct err *err)
{
	return merge_items(later, earlier, merge_key_pool, ret_node, err);
}

/* HOST=ADDRESS for each address of a host in a mapping. */
static void add_hosts(struct load *load, const struct tree_entry *entry, struct tree_node *list)
{
	size_t n = entry->value->kind == TREE_LIST ? entry->value->n : 1;
	for (size_t i = 0; i < n; i++) {
		struct tree_node *address =
			entry->value->kind == TREE_LIST ? entry->value->items[i] : entry->value;
		struct text text;
		text_init(&text, LIMIT_STRING_BYTES);
		text_addf(&text, "%s=%s", entry->key->text,
			  address->kind == TREE_SCALAR ? address->text : "");
		list->items[list->n++] = add_scalar(load, address, text_string(&text), text.len);
		text_release(&text);
	}
}

static enum err_code hosts_list(const struct at *at, struct tree_node **ret_list, struct err *err)
{
	const struct tree_node *map = at->node;
	size_t n = 0;
	*ret_list = at->node;
	if (map->kind == TREE_LIST)
		return ERR_NONE;
	if (map->kind == TREE_SCALAR)
		return fail_type(at, "a mapping or a list of HOST=ADDRESS", err);
	for (size_t i = 0; i < map->n; i++)
		n += map->entries[i].value->kind == TREE_LIST ? map->entries[i].value->n : 1;
	enum err_code code = spend(at, n, err);
	if (code)
		return code;
	struct tree_node *list = add_list(at->load, map, n);
	for (size_t i = 0; i < map->n; i++)
		add_hosts(at->load, &map->entries[i], list);
	*ret_list = list;
	return ERR_NONE;
}

/* A host may have several addresses, so another one is added. */
static enum err_code merge_hosts(const struct at *later, struct tree_node *earlier,
				 struct tree_node **ret_node, struct err *err)
{
	struct at from = earlier_at(later, earlier);
	struct at over = *later;
	enum err_code code = hosts_list(&from, &from.node, err);
	if (!code)
		code = hosts_list(later, &over.node, err);
	return code ? code : merge_keyed(&over, from.node, merge_key_host, ret_node, err);
}

/* ---- the rules ---- */

static enum err_code replace(const struct at *later, struct tree_node *earlier,
			     struct tree_node **ret_node, struct err *err)
{
	(void)earlier;
	(void)err;
	*ret_node = later->node;
	return ERR_NONE;
}

static enum err_code merge_by_kind(const struct at *later, struct tree_node *earlier,
				   struct tree_node **ret_node, struct err *err)
{
	if (earlier->kind == TREE_SCALAR)
		return replace(later, earlier, ret_node, err);
	if (earlier->kind != later->node->kind)
		return fail_kind(later, earlier, err);
	return earlier->kind == TREE_MAP ? merge_maps(later, earlier, ret_node, err)
					 : merge_lists(later, earlier, ret_node, err);
}

/* What may be a word or a number instead: only two of a kind have something to merge. */
static enum err_code merge_alike(const struct at *later, struct tree_node *earlier,
				 struct tree_node **ret_node, struct err *err)
{
	if (later->node->kind != earlier->kind)
		return replace(later, earlier, ret_node, err);
	return merge_by_kind(later, earlier, ret_node, err);
}

/* Where something else than the kinds of the two values decides. */
static const struct rule {
	const char *path; /* * is any key */
	merge_fn *merge;
} rules[] = {
	{ "services.*.annotations", merge_pairs },
	{ "services.*.blkio_config.device_read_bps", merge_paths },
	{ "services.*.blkio_config.device_read_iops", merge_paths },
	{ "services.*.blkio_config.device_write_bps", merge_paths },
	{ "services.*.blkio_config.device_write_iops", merge_paths },
	{ "services.*.blkio_config.weight_device", merge_paths },
	{ "services.*.build", replace },
	{ "services.*.command", replace },
	{ "services.*.configs", merge_configs },
	{ "services.*.depends_on", merge_depends_on },
	{ "services.*.deploy.labels", merge_pairs },
	{ "services.*.devices", merge_devices },
	{ "services.*.dns", merge_words },
	{ "services.*.dns_opt", merge_words },
	{ "services.*.dns_search", merge_words },
	{ "services.*.entrypoint", replace },
	{ "services.*.env_file", merge_files },
	{ "services.*.environment", merge_pairs },
	{ "services.*.extra_hosts", merge_hosts },
	{ "services.*.gpus", merge_alike },
	{ "services.*.healthcheck", merge_health_check },
	{ "services.*.healthcheck.test", replace },
	{ "services.*.label_file", merge_files },
	{ "services.*.labels", merge_pairs },
	{ "services.*.logging", merge_logging },
	{ "services.*.networks", merge_networks },
	{ "services.*.ports", merge_ports },
	{ "services.*.secrets", merge_secrets },
	{ "services.*.storage_opt", merge_pairs },
	{ "services.*.sysctls", merge_pairs },
	{ "services.*.tmpfs", merge_paths },
	{ "services.*.ulimits.*", merge_alike },
	{ "services.*.volumes", merge_mounts },
	{ "services.*.x-drover.depends_on", merge_depends_on },
	{ "services.*.x-drover.health.http.headers", merge_pairs },
	{ "configs.*.labels", merge_pairs },
	{ "networks.*.ipam.config", merge_pools },
	{ "networks.*.labels", merge_pairs },
	{ "secrets.*.labels", merge_pairs },
	{ "volumes.*.labels", merge_pairs },
};

/* Is the path down to here of this form? */
static bool at_is(const struct at *at, const char *path)
{
	const char *end = path + strlen(path);
	for (; at->up; at = at->up) {
		const char *start = end;
		if (end == path || !at->name)
			return false;
		while (start > path && start[-1] != '.')
			start--;
		size_t len = (size_t)(end - start);
		bool any = len == 1 && *start == '*';
		if (!any && (strlen(at->name) != len || memcmp(at->name, start, len) != 0))
			return false;
		end = start > path ? start - 1 : path;
	}
	return end == path;
}

static bool is_free(const struct at *at)
{
	return at->name && strncmp(at->name, "x-", 2) == 0 && !at_is(at, "services.*.x-drover");
}

enum err_code merge_over(const struct at *later, struct tree_node *earlier,
			 struct tree_node **ret_node, struct err *err)
{
	merge_fn *merge = merge_by_kind;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (at_is(later, rules[i].path))
			merge = rules[i].merge;
	if (later->node->merge != TREE_MERGE || earlier->merge == TREE_RESET || is_free(later))
		merge = replace;
	if (is_null(later->node) && merge != replace) {
		*ret_node = earlier;
		return ERR_NONE;
	}
	if (is_null(earlier))
		merge = replace;
	return merge(later, earlier, ret_node, err);
}

/* ---- !reset ---- */

static enum err_code strip(const struct at *at, struct tree_node **ret_node,
			   struct err *err) WARN_UNUSED;

static enum err_code strip_map(const struct at *at, struct tree_node **ret_node, struct err *err)
{
	const struct tree_node *node = at->node;
	struct tree_node *map = add_map(at->load, node, node->n);
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < node->n; i++) {
		struct tree_entry entry = node->entries[i];
		struct at value = { .load = at->load, .up = at, .name = entry.key->text };
		if (entry.value->merge == TREE_RESET)
			continue;
		value.key = entry.key;
		value.node = entry.value;
		code = strip(&value, &entry.value, err);
		map->entries[map->n++] = entry;
	}
	*ret_node = map;
	return code;
}

static enum err_code strip_list(const struct at *at, struct tree_node **ret_node, struct err *err)
{
	const struct tree_node *node = at->node;
	struct tree_node *list = add_list(at->load, node, node->n);
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < node->n; i++) {
		struct at item = { .load = at->load, .up = at, .index = i, .node = node->items[i] };
		code = strip(&item, &list->items[i], err);
		list->n++;
	}
	*ret_node = list;
	return code;
}

static enum err_code strip(const struct at *at, struct tree_node **ret_node, struct err *err)
{
	*ret_node = at->node;
	if (at->node->kind == TREE_SCALAR)
		return ERR_NONE;
	enum err_code code = spend(at, at->node->n, err);
	if (code)
		return code;
	return at->node->kind == TREE_MAP ? strip_map(at, ret_node, err)
					  : strip_list(at, ret_node, err);
}

enum err_code merge_finish(struct load *load, struct tree_node *root, struct tree_node **ret_root,
			   struct err *err)
{
	struct at at = { .load = load, .node = root };
	*ret_root = root;
	for (size_t i = 0; i < load->files.n; i++)
		if (load->files.items[i]->tree.has_reset)
			return strip(&at, ret_root, err);
	return ERR_NONE;
}
