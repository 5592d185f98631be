#include "compose/assemble.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "compose/dotenv.h"
#include "compose/extends.h"
#include "compose/keys.h"
#include "compose/merge.h"
#include "compose/paths.h"
#include "compose/service.h"

#define ENVIRONMENT_FILE ".env"

/* A file that includes, on the way down. */
struct inclusion {
	const struct inclusion *up; /* NULL: included by a file of the load's own */
	const char *path;
	const char *name;
	int depth;
};

static enum err_code merge_roots(struct load *load, struct tree_node *const *roots, size_t n_roots,
				 const struct inclusion *inclusion, struct tree_node **ret_root,
				 struct err *err) WARN_UNUSED;

/* ---- who includes whom ---- */

static enum err_code fail_cycle(const struct at *at, const struct inclusion *inclusion,
				const struct inclusion *back_to, struct err *err)
{
	const struct inclusion *chain[LIMIT_COMPOSE_DEPTH + 1];
	size_t n = 0;
	struct text text;
	text_init(&text, ERR_MESSAGE_MAX - 1);
	for (; inclusion != back_to; inclusion = inclusion->up)
		chain[n++] = inclusion;
	chain[n++] = back_to;
	while (n-- > 0)
		text_addf(&text, "%s -> ", chain[n]->name);
	text_add(&text, back_to->name);
	at_fail(at, err, ERR_INVALID, "files include each other: %s", text_string(&text));
	text_release(&text);
	return ERR_INVALID;
}

static enum err_code check_inclusion(const struct at *at, const struct inclusion *inclusion,
				     const char *path, struct err *err)
{
	for (const struct inclusion *up = inclusion; up; up = up->up)
		if (strcmp(up->path, path) == 0)
			return fail_cycle(at, inclusion, up, err);
	if (inclusion && inclusion->depth == LIMIT_COMPOSE_DEPTH)
		return at_fail(at, err, ERR_TOO_LARGE, "files include each other over %d steps",
			       LIMIT_COMPOSE_DEPTH);
	return ERR_NONE;
}

/* ---- what an included file sees ---- */

static enum err_code read_variables(const struct at *at, const char *path, struct pairs *variables,
				    struct err *err)
{
	size_t len = 0;
	_cleanup_free_ char *text = NULL;
	enum err_code code = load_read(at, "env_file", path, &text, &len, err);
	struct interpolation interpolation = load_interpolation(at);
	return code ? code : dotenv_parse(text, len, path, false, &interpolation, variables, err);
}

/* Those of env_file, else of .env in the folder where it is there. */
static enum err_code read_own_variables(const struct at *at, const struct strings *env_files,
					const char *folder, struct pairs *variables,
					struct err *err)
{
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < env_files->n; i++) {
		_cleanup_free_ char *path = NULL;
		code = path_resolve(at, env_files->items[i], &path, err);
		if (!code)
			code = read_variables(at, path, variables, err);
	}
	if (env_files->n)
		return code;
	struct text path;
	text_init(&path, LIMIT_PATH_BYTES);
	text_addf(&path, "%s/" ENVIRONMENT_FILE, folder);
	code = read_variables(at, text_string(&path), variables, err);
	text_release(&path);
	return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

/* The variables of who includes win over those of the included. */
static enum err_code make_environment(const struct at *at, const struct strings *env_files,
				      const char *folder, const struct pairs **ret_environment,
				      struct err *err)
{
	const struct pairs *outer = at->node->source->environment;
	struct pairs own = { 0 };
	*ret_environment = outer;
	enum err_code code = read_own_variables(at, env_files, folder, &own, err);
	if (!code && own.n) {
		struct pairs *environment = load_add_environment(at->load);
		for (size_t i = 0; i < own.n; i++)
			pairs_put(environment, own.items[i].key, own.items[i].value);
		for (size_t i = 0; i < outer->n; i++)
			pairs_put(environment, outer->items[i].key, outer->items[i].value);
		*ret_environment = environment;
	}
	pairs_release(&own);
	return code;
}

/* ---- joining ---- */

static const char *const sections[] = { "services", "networks", "volumes", "configs", "secrets" };

static bool is_section(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(sections); i++)
		if (strcmp(key, sections[i]) == 0)
			return true;
	return false;
}

/* Do two declarations say the same? `in_place`: also where their paths start. */
static bool same(const struct tree_node *a, const struct tree_node *b, bool in_place)
{
	if (a->kind != b->kind || a->n != b->n || a->n > LIMIT_LIST_ITEMS)
		return false;
	if (a->kind == TREE_SCALAR)
		return strcmp(a->text, b->text) == 0 &&
		       tree_scalar_type(a) == tree_scalar_type(b) &&
		       (!in_place || strcmp(a->source->directory, b->source->directory) == 0);
	for (size_t i = 0; i < a->n; i++) {
		const struct tree_node *other =
			a->kind == TREE_LIST ? b->items[i] : tree_get(b, a->entries[i].key->text);
		const struct tree_node *item =
			a->kind == TREE_LIST ? a->items[i] : a->entries[i].value;
		if (!other || !same(item, other, in_place))
			return false;
	}
	return true;
}

/* Of one section leave what the including file does not declare; what both declare must be the same. */
static enum err_code drop_known(const struct at *section, const struct tree_node *own,
				struct tree_node **ret_section, struct err *err)
{
	bool in_place =
		strcmp(section->name, "networks") != 0 && strcmp(section->name, "volumes") != 0;
	struct at left = *section;
	enum err_code code = merge_copy(section, &left.node, err);
	for (size_t i = 0; !code && i < section->node->n; i++) {
		const struct tree_entry *entry = &section->node->entries[i];
		const char *key = entry->key->text;
		const struct tree_entry *known =
			own && own->kind == TREE_MAP ? tree_entry_of(own, key) : NULL;
		struct at at;
		if (!known)
			continue;
		code = at_entry(section, entry, &at, err);
		if (!code && !same(entry->value, known->value, in_place))
			code = at_fail_key(&at, err, ERR_INVALID,
					   "%s:%d declares %s.%s too, and the one includes the "
					   "other; rename one, or write the change into a file of "
					   "the include's path list",
					   known->key->source->name, known->key->line,
					   section->name, key);
		if (!code)
			code = merge_without(&left, key, &left.node, err);
	}
	if (!code)
		left.node->merge = TREE_MERGE;
	*ret_section = left.node;
	return code;
}

/* Put what an included root declares into the including one. */
static enum err_code join(const struct at *included, const struct tree_node *own,
			  struct tree_node **ret_root, struct err *err)
{
	const struct tree_node *root = included->node;
	struct at left = *included;
	PRE(root);
	enum err_code code = merge_copy(included, &left.node, err);
	for (size_t i = 0; !code && i < root->n; i++) {
		struct at section;
		const struct tree_entry *entry = &root->entries[i];
		const char *key = entry->key->text;
		code = at_entry(included, entry, &section, err);
		if (!code && (!is_section(key) || section.node->merge == TREE_RESET ||
			      at_is_null(&section))) {
			code = merge_without(&left, key, &left.node, err);
			continue;
		}
		if (!code)
			code = expect_map(&section, err);
		struct tree_node *rest = NULL;
		if (!code)
			code = drop_known(&section, tree_get(own, key), &rest, err);
		if (!code)
			merge_put(left.node, entry->key, rest);
	}
	*ret_root = left.node;
	return code;
}

/* ---- include ---- */

static enum err_code read_include(const struct at *item, struct include_read *read, struct err *err)
{
	enum err_code code;
	if (item->node->kind == TREE_MAP) {
		code = keys_read(item, SECTION_INCLUDE, read, err);
	} else {
		const char *path;
		code = get_string(item, &path, err);
		if (!code)
			strings_add(&read->paths, path);
	}
	if (!code && !read->paths.n)
		code = at_fail(item, err, ERR_INVALID, "an include needs a path");
	return code;
}

/* The roots of its files. `ret_folder` is where their relative paths start. */
static enum err_code read_roots(const struct at *item, const struct include_read *read,
				const struct inclusion *inclusion, struct strings *paths,
				struct tree_node **roots, struct err *err)
{
	_cleanup_free_ char *folder = NULL;
	struct source like = { .name = NULL };
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < read->paths.n; i++) {
		_cleanup_free_ char *path = NULL;
		code = path_resolve(item, read->paths.items[i], &path, err);
		if (!code)
			code = check_inclusion(item, inclusion, path, err);
		if (!code)
			strings_add(paths, path);
	}
	if (code)
		return code;
	if (!read->project_directory)
		folder = path_folder(paths->items[0]);
	else
		code = path_resolve(item, read->project_directory, &folder, err);
	if (!code)
		code = make_environment(item, &read->env_files, folder, &like.environment, err);
	like.directory = folder;
	for (size_t i = 0; !code && i < paths->n; i++)
		code = load_read_root(item, paths->items[i], &like, &roots[i], err);
	return code;
}

static enum err_code include_one(const struct at *item, const struct inclusion *inclusion,
				 const struct tree_node *own, struct tree_node **ret_root,
				 struct err *err)
{
	struct include_read read = { .project_directory = NULL };
	struct strings paths = { 0 };
	struct at included = { .load = item->load };
	enum err_code code = read_include(item, &read, err);
	_cleanup_free_ struct tree_node **roots =
		base_calloc(read.paths.n + 1, sizeof(struct tree_node *));
	if (!code)
		code = read_roots(item, &read, inclusion, &paths, roots, err);
	if (!code) {
		struct inclusion next = { .up = inclusion,
					  .path = paths.items[0],
					  .name = roots[0]->source->name,
					  .depth = inclusion ? inclusion->depth + 1 : 1 };
		code = merge_roots(item->load, roots, paths.n, &next, &included.node, err);
	}
	if (!code)
		code = keys_check(&included, SECTION_FILE, err);
	if (!code)
		code = join(&included, own, ret_root, err);
	strings_release(&paths);
	strings_release(&read.paths);
	strings_release(&read.env_files);
	base_free(read.project_directory);
	return code;
}

/* The root with all that it includes. */
static enum err_code include_all(const struct at *root, const struct inclusion *inclusion,
				 struct tree_node **ret_root, struct err *err)
{
	const struct tree_entry *entry = tree_entry_of(root->node, "include");
	struct at include;
	*ret_root = root->node;
	if (!entry || entry->value->merge == TREE_RESET)
		return ERR_NONE;
	enum err_code code = at_entry(root, entry, &include, err);
	if (!code && at_is_null(&include))
		return ERR_NONE;
	if (!code)
		code = expect_list(&include, err);
	for (size_t i = 0; !code && i < include.node->n; i++) {
		struct at item;
		struct at included = { .load = root->load };
		code = at_item(&include, i, &item, err);
		if (!code)
			code = include_one(&item, inclusion, *ret_root, &included.node, err);
		if (!code)
			code = merge_over(&included, *ret_root, ret_root, err);
	}
	return code;
}

static enum err_code merge_roots(struct load *load, struct tree_node *const *roots, size_t n_roots,
				 const struct inclusion *inclusion, struct tree_node **ret_root,
				 struct err *err)
{
	struct tree_node *merged = NULL;
	enum err_code code = ERR_NONE;
	PRE(n_roots > 0);
	for (size_t i = 0; !code && i < n_roots; i++) {
		struct at root = { .load = load, .node = roots[i] };
		code = at_replace_all(&root, err);
		if (!code)
			code = extends_apply(&root, &root.node, err);
		if (!code)
			code = include_all(&root, inclusion, &root.node, err);
		if (!code && merged)
			code = merge_over(&root, merged, &merged, err);
		else
			merged = root.node;
	}
	*ret_root = merged;
	return code;
}

enum err_code assemble(struct load *load, struct tree_node *const *roots, size_t n_roots,
		       struct tree_node **ret_root, struct err *err)
{
	struct tree_node *merged = NULL;
	enum err_code code = merge_roots(load, roots, n_roots, NULL, &merged, err);
	return code ? code : merge_finish(load, merged, ret_root, err);
}
