#include "compose/profiles.h"

#include <string.h>

#include "base/alloc.h"
#include "compose/read.h"

#define ALL_PROFILES	  "*"
#define PROFILES_VARIABLE "COMPOSE_PROFILES"

struct selection {
	const struct at *services;
	bool *takes_part;
	struct strings active; /* profiles */
};

/* ---- profiles ---- */

static bool is_profile(const char *name)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	return *name && !strchr("_.-", *name) && strspn(name, allowed) == strlen(name);
}

static enum err_code read_profile(const struct at *item, void *profiles, struct err *err)
{
	const char *name;
	enum err_code code = get_string(item, &name, err);
	if (!code && !is_profile(name))
		code = at_fail(item, err, ERR_INVALID,
			       "\"%s\" is not the name of a profile: letters, digits, _, . and -, "
			       "with a letter or digit first",
			       name);
	if (!code)
		strings_add(profiles, name);
	return code;
}

/* Those of one service; none: it is always active. */
static enum err_code read_profiles(const struct at *service, struct strings *profiles,
				   struct err *err)
{
	const struct tree_entry *entry =
		service->node->kind == TREE_MAP ? tree_entry_of(service->node, "profiles") : NULL;
	struct at at;
	if (!entry)
		return ERR_NONE;
	enum err_code code = at_entry(service, entry, &at, err);
	return code ? code : read_each_item(&at, read_profile, profiles, err);
}

/* --profile, COMPOSE_PROFILES. */
static void add_active(const struct load *load, struct strings *active)
{
	const struct strings *given = load->options->profiles;
	const char *variable = pairs_get(&load->environment, PROFILES_VARIABLE);
	for (size_t i = 0; given && i < given->n; i++)
		strings_add(active, given->items[i]);
	while (variable && *variable) {
		size_t len = strcspn(variable, ", ");
		_cleanup_free_ char *name = base_strndup(variable, len);
		if (*name)
			strings_add(active, name);
		variable += len;
		variable += *variable != '\0';
	}
}

static bool is_active(const struct selection *selection, const struct strings *profiles)
{
	bool active = profiles->n == 0 || strings_has(&selection->active, ALL_PROFILES);
	for (size_t i = 0; i < profiles->n; i++)
		active = active || strings_has(&selection->active, profiles->items[i]);
	return active;
}

/* Each service's profiles, in turn. */
static enum err_code mark_active(struct selection *selection, struct err *err)
{
	const struct at *services = selection->services;
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < services->node->n; i++) {
		struct at service;
		struct strings profiles = { 0 };
		code = at_entry(services, &services->node->entries[i], &service, err);
		if (!code)
			code = read_profiles(&service, &profiles, err);
		selection->takes_part[i] = !code && is_active(selection, &profiles);
		strings_release(&profiles);
	}
	return code;
}

/* ---- services that were asked for ---- */

static size_t index_of(const struct tree_node *services, const char *name)
{
	size_t i = 0;
	while (i < services->n && strcmp(services->entries[i].key->text, name) != 0)
		i++;
	return i;
}

/* Who asks for a service has its profiles active. */
static enum err_code add_profiles_of_wanted(struct selection *selection, struct err *err)
{
	const struct at *services = selection->services;
	const struct strings *wanted = services->load->options->services;
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && wanted && i < wanted->n; i++) {
		size_t index = index_of(services->node, wanted->items[i]);
		struct at service;
		if (index == services->node->n)
			return err_set(err, ERR_NOT_FOUND, "the project has no service \"%s\"",
				       wanted->items[i]);
		code = at_entry(services, &services->node->entries[index], &service, err);
		if (!code)
			code = read_profiles(&service, &selection->active, err);
	}
	return code;
}

/* Services that were asked for, and those whose dependencies are still to be looked at. */
struct kept {
	const struct tree_node *services;
	bool *is_kept;
	size_t *open;
	size_t n_open;
};

static void keep(struct kept *kept, const char *name)
{
	size_t index = index_of(kept->services, name);
	if (index == kept->services->n || kept->is_kept[index])
		return;
	kept->is_kept[index] = true;
	kept->open[kept->n_open++] = index;
}

/* What `depends_on`, `links` or `volumes_from` of a service names: keys, items, items before a colon. */
static void keep_named(struct kept *kept, const struct tree_node *service, const char *key)
{
	const struct tree_node *names = service->kind == TREE_MAP ? tree_get(service, key) : NULL;
	for (size_t i = 0; names && names->kind == TREE_MAP && i < names->n; i++)
		keep(kept, names->entries[i].key->text);
	for (size_t i = 0; names && names->kind == TREE_LIST && i < names->n; i++) {
		const struct tree_node *item = names->items[i];
		if (item->kind != TREE_SCALAR)
			continue;
		_cleanup_free_ char *name = base_strndup(item->text, strcspn(item->text, ":"));
		keep(kept, name);
	}
}

/* Keep what was asked for and, step by step, what it depends on. */
static void keep_wanted(struct selection *selection)
{
	const struct tree_node *services = selection->services->node;
	const struct strings *wanted = selection->services->load->options->services;
	if (!wanted || wanted->n == 0)
		return;
	_cleanup_free_ bool *is_kept = base_calloc(services->n, sizeof(bool));
	_cleanup_free_ size_t *open = base_calloc(services->n, sizeof(size_t));
	struct kept kept = { .services = services, .is_kept = is_kept, .open = open };
	for (size_t i = 0; i < wanted->n; i++)
		keep(&kept, wanted->items[i]);
	while (kept.n_open) {
		const struct tree_node *service = services->entries[open[--kept.n_open]].value;
		keep_named(&kept, service, "depends_on");
		keep_named(&kept, service, "links");
		keep_named(&kept, service, "volumes_from");
	}
	for (size_t i = 0; i < services->n; i++)
		selection->takes_part[i] = selection->takes_part[i] && is_kept[i];
}

enum err_code profiles_select(const struct at *services, bool *takes_part, struct err *err)
{
	struct selection selection = { .services = services, .takes_part = takes_part };
	struct load *load = services->load;
	add_active(load, &selection.active);
	enum err_code code = add_profiles_of_wanted(&selection, err);
	if (!code)
		code = mark_active(&selection, err);
	if (!code)
		keep_wanted(&selection);
	for (size_t i = 0; !code && i < services->node->n; i++)
		if (!takes_part[i])
			strings_add(&load->request->inactive, services->node->entries[i].key->text);
	strings_release(&selection.active);
	return code;
}

static bool has_job(const struct project_request *request, const char *name)
{
	for (size_t i = 0; i < request->jobs.n; i++)
		if (strcmp(request->jobs.items[i].name, name) == 0)
			return true;
	return false;
}

enum err_code profiles_check_dependencies(struct load *load, struct err *err)
{
	const struct project_request *request = load->request;
	for (size_t i = 0; i < request->jobs.n; i++) {
		const struct job_spec *spec = &request->jobs.items[i].spec;
		for (size_t j = 0; j < spec->depends_on.n; j++) {
			const struct depend *depend = &spec->depends_on.items[j];
			char path[64];
			if (depend->optional || depend->project || has_job(request, depend->job) ||
			    !strings_has(&request->inactive, depend->job))
				continue;
			text_print(path, sizeof(path), "jobs[%zu].spec.depends_on[%zu]", i, j);
			err_set_field(err, ERR_INVALID, path,
				      "%s belongs to profiles of which none is active; name one "
				      "with --profile, or write required: false",
				      depend->job);
			load_blame_origin(load, err);
			return ERR_INVALID;
		}
	}
	return ERR_NONE;
}
