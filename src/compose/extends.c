#include "compose/extends.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "compose/keys.h"
#include "compose/merge.h"
#include "compose/paths.h"
#include "compose/service.h"

/* A service on the way from one that extends to the one at the end of its chain. */
struct link {
	const struct link *up; /* NULL: the first */
	const struct tree_node *services;
	const char *name;
	const char *file;
	int depth;
};

/* ---- what stands under the key ---- */

struct base_place {
	struct at service; /* the name of the base */
	struct at file;	   /* node NULL: the same file */
};

static enum err_code read_place(const struct at *extends, struct base_place *ret_place,
				struct err *err)
{
	struct extends_read read = { .file = NULL };
	*ret_place = (struct base_place){ .service = *extends };
	if (extends->node->kind == TREE_SCALAR)
		return at_is_null(extends) ? fail_type(extends, "a service", err) : ERR_NONE;
	enum err_code code = keys_read(extends, SECTION_EXTENDS, &read, err);
	const struct tree_entry *service = code ? NULL : tree_entry_of(extends->node, "service");
	const struct tree_entry *file = code ? NULL : tree_entry_of(extends->node, "file");
	if (!code && !service)
		code = at_fail(extends, err, ERR_INVALID, "extends needs a service");
	if (!code)
		code = at_entry(extends, service, &ret_place->service, err);
	if (!code && file)
		code = at_entry(extends, file, &ret_place->file, err);
	base_free(read.service);
	base_free(read.file);
	return code;
}

/* The root of another file, its variables replaced. */
static enum err_code read_root(const struct at *file, struct tree_node **ret_root, struct err *err)
{
	const char *written;
	_cleanup_free_ char *path = NULL;
	enum err_code code = get_string(file, &written, err);
	if (!code)
		code = path_resolve(file, written, &path, err);
	if (code)
		return code;
	_cleanup_free_ char *folder = path_folder(path);
	struct source like = { .directory = folder,
			       .environment = file->node->source->environment };
	struct at root = { .load = file->load };
	code = load_read_root(file, path, &like, &root.node, err);
	*ret_root = root.node;
	return code ? code : at_replace_all(&root, err);
}

/* ---- chains ---- */

static enum err_code fail_cycle(const struct at *at, const struct link *link,
				const struct link *back_to, struct err *err)
{
	const struct link *chain[LIMIT_COMPOSE_DEPTH + 1];
	size_t n = 0;
	struct text text;
	text_init(&text, ERR_MESSAGE_MAX - 1);
	for (; link != back_to; link = link->up)
		chain[n++] = link;
	chain[n++] = back_to;
	while (n-- > 0)
		text_addf(&text, "%s (%s) -> ", chain[n]->name, chain[n]->file);
	text_add(&text, back_to->name);
	at_fail(at, err, ERR_INVALID, "services extend each other: %s", text_string(&text));
	text_release(&text);
	return ERR_INVALID;
}

static enum err_code check_link(const struct at *at, const struct link *link, struct err *err)
{
	for (const struct link *up = link->up; up; up = up->up)
		if (up->services == link->services && strcmp(up->name, link->name) == 0)
			return fail_cycle(at, link->up, up, err);
	if (link->depth == LIMIT_COMPOSE_DEPTH)
		return at_fail(at, err, ERR_TOO_LARGE, "services extend each other over %d steps",
			       LIMIT_COMPOSE_DEPTH);
	return ERR_NONE;
}

/* The specification's exception: who extends a check does not switch it off. */
static enum err_code check_health(const struct at *service, const struct tree_node *base,
				  struct err *err)
{
	const struct tree_entry *entry = tree_entry_of(service->node, "healthcheck");
	const struct tree_node *check = tree_get(base, "healthcheck");
	struct at health, disable;
	if (!entry || entry->value->kind != TREE_MAP || !check || check->kind != TREE_MAP ||
	    !tree_entry_of(entry->value, "disable") || tree_entry_of(check, "disable"))
		return ERR_NONE;
	bool disabled = false;
	enum err_code code = at_entry(service, entry, &health, err);
	if (!code)
		code = at_entry(&health, tree_entry_of(health.node, "disable"), &disable, err);
	if (!code)
		code = get_bool(&disable, &disabled, err);
	if (!code && disabled && entry->value->merge == TREE_MERGE)
		code = at_fail(&disable, err, ERR_INVALID,
			       "a check that comes from another service by extends cannot be "
			       "switched off; write healthcheck: !override {disable: true}");
	return code;
}

static enum err_code resolve(const struct at *service, const struct link *link,
			     struct tree_node **ret_node, struct err *err) WARN_UNUSED;

/* The base in full. */
static enum err_code resolve_base(const struct at *services, const struct link *link,
				  const struct base_place *place, struct tree_node **ret_base,
				  struct err *err)
{
	struct at root = { .load = services->load, .node = services->up->node };
	struct at other, base;
	const char *name;
	enum err_code code = get_string(&place->service, &name, err);
	if (!code && place->file.node)
		code = read_root(&place->file, &root.node, err);
	if (code)
		return code;
	const struct tree_entry *entry = tree_entry_of(root.node, "services");
	const struct tree_entry *found =
		entry && entry->value->kind == TREE_MAP ? tree_entry_of(entry->value, name) : NULL;
	if (!found)
		return at_fail(&place->service, err, ERR_INVALID, "%s has no service \"%s\"",
			       root.node->source->name, name);
	code = at_entry(&root, entry, &other, err);
	if (!code)
		code = at_entry(&other, found, &base, err);
	struct link next = { .up = link,
			     .services = other.node,
			     .name = name,
			     .file = root.node->source->name,
			     .depth = link->depth + 1 };
	if (!code)
		code = check_link(&place->service, &next, err);
	return code ? code : resolve(&base, &next, ret_base, err);
}

static enum err_code resolve(const struct at *service, const struct link *link,
			     struct tree_node **ret_node, struct err *err)
{
	const struct tree_entry *entry =
		service->node->kind == TREE_MAP ? tree_entry_of(service->node, "extends") : NULL;
	struct at extends;
	struct base_place place;
	struct tree_node *base = NULL;
	*ret_node = service->node;
	if (!entry)
		return ERR_NONE;
	enum err_code code = merge_without(service, "extends", ret_node, err);
	if (code || entry->value->merge == TREE_RESET)
		return code;
	code = at_entry(service, entry, &extends, err);
	if (!code)
		code = read_place(&extends, &place, err);
	if (!code)
		code = resolve_base(service->up, link, &place, &base, err);
	if (!code && base->kind == TREE_MAP)
		code = check_health(service, base, err);
	if (code)
		return code;
	/* A tag of the service is for the files before this one, not for its base. */
	struct at over = *service;
	over.node = *ret_node;
	over.node->merge = TREE_MERGE;
	code = merge_over(&over, base, ret_node, err);
	if (!code)
		(*ret_node)->merge = service->node->merge;
	return code;
}

/* ---- a whole file ---- */

static bool any_extends(const struct tree_node *services)
{
	for (size_t i = 0; i < services->n; i++) {
		const struct tree_node *service = services->entries[i].value;
		if (service->kind == TREE_MAP && tree_entry_of(service, "extends"))
			return true;
	}
	return false;
}

enum err_code extends_apply(const struct at *root, struct tree_node **ret_root, struct err *err)
{
	const struct tree_entry *entry = tree_entry_of(root->node, "services");
	struct at services;
	*ret_root = root->node;
	if (!entry || entry->value->kind != TREE_MAP || !any_extends(entry->value))
		return ERR_NONE;
	enum err_code code = at_entry(root, entry, &services, err);
	struct tree_node *full = NULL;
	if (!code)
		code = merge_copy(&services, &full, err);
	for (size_t i = 0; !code && i < full->n; i++) {
		struct at service;
		code = at_entry(&services, &full->entries[i], &service, err);
		struct link link = { .services = services.node,
				     .name = service.name,
				     .file = service.key->source->name };
		if (!code)
			code = resolve(&service, &link, &full->entries[i].value, err);
	}
	if (!code)
		code = merge_copy(root, ret_root, err);
	if (!code)
		merge_put(*ret_root, entry->key, full);
	return code;
}
