/* Networks and volumes of a project differ in nothing here but where they are, so one table tells them apart. */
#include "manager/declared.h"

#include <string.h>

#include "base/check.h"

static bool joins_network(const struct job_spec *spec, const char *key)
{
	for (size_t i = 0; i < spec->networks.n; i++)
		if (strcmp(spec->networks.items[i].network, key) == 0)
			return true;
	return false;
}

static bool mounts_volume(const struct job_spec *spec, const char *key)
{
	for (size_t i = 0; i < spec->mounts.n; i++)
		if (spec->mounts.items[i].kind == MOUNT_VOLUME && spec->mounts.items[i].source &&
		    strcmp(spec->mounts.items[i].source, key) == 0)
			return true;
	return false;
}

struct kind {
	const char *noun;
	const struct record_type *type;
	size_t size;
	size_t in_project, in_request; /* the lists */
	size_t over_tls;	       /* keys in the project */
	bool (*names)(const struct job_spec *spec, const char *key);
};

static const struct kind kinds[DECLARED_KINDS] = {
	[DECLARED_NETWORK] = { "network", &network_spec_type, sizeof(struct network_spec),
			       offsetof(struct project, networks),
			       offsetof(struct project_request, networks),
			       offsetof(struct project, networks_over_tls), joins_network },
	[DECLARED_VOLUME] = { "volume", &volume_spec_type, sizeof(struct volume_spec),
			      offsetof(struct project, volumes),
			      offsetof(struct project_request, volumes),
			      offsetof(struct project, volumes_over_tls), mounts_volume },
};

_Static_assert(offsetof(struct network_spec, key) == 0, "the key comes first");
_Static_assert(offsetof(struct volume_spec, key) == 0, "the key comes first");

static const char *key_of(const void *declared)
{
	return *(char *const *)declared;
}

static const struct list *list_of(const void *holder, size_t offset)
{
	return (const void *)((const char *)holder + offset);
}

static const void *item(const struct kind *kind, const struct list *list, size_t i)
{
	return (const char *)list->items + i * kind->size;
}

static const struct strings *over_tls_of(const struct kind *kind, const struct project *project)
{
	return (const void *)((const char *)project + kind->over_tls);
}

static const void *find(const struct kind *kind, const struct project *project, const char *key)
{
	const struct list *list = list_of(project, kind->in_project);
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(key_of(item(kind, list, i)), key) == 0)
			return item(kind, list, i);
	return NULL;
}

const void *declared_find(enum declared_kind kind, const struct project *project, const char *key)
{
	return find(&kinds[kind], project, key);
}

static bool same(const struct kind *kind, const void *a, const void *b)
{
	return a == b || (a && b && record_equal(kind->type, a, b));
}

static void add(const struct kind *kind, const void *declared, bool over_tls,
		struct project *project)
{
	void *list = (char *)project + kind->in_project;
	record_copy(kind->type, list_add(list, kind->size), declared);
	if (over_tls)
		strings_add((void *)((char *)project + kind->over_tls), key_of(declared));
}

static void add_asked(const struct kind *kind, const struct project *before,
		      const struct manager_request *asked, struct project *project)
{
	const struct list *list = list_of(asked->project_request, kind->in_request);
	for (size_t i = 0; i < list->n; i++) {
		const void *declared = item(kind, list, i);
		const char *key = key_of(declared);
		const void *was = before ? find(kind, before, key) : NULL;
		/* What is declared as it was is whose it was, and the owner's as soon as he says the same. */
		bool is_owners = was && same(kind, was, declared) &&
				 !strings_has(over_tls_of(kind, before), key);
		add(kind, declared, asked->over_tls && !is_owners, project);
	}
}

/* By a revision that is kept? Then tasks may still need it. */
static bool is_named(const struct kind *kind, const struct project_entry *project, const char *key)
{
	for (size_t i = 0; i < project->n_jobs; i++)
		for (size_t j = 0; j < project->jobs[i]->n_revisions; j++)
			if (kind->names(&project->jobs[i]->revisions[j]->spec, key))
				return true;
	return false;
}

static void keep(const struct kind *kind, const struct project_entry *existing, bool all,
		 struct project *project)
{
	const struct project *before = &existing->project;
	const struct list *list = list_of(before, kind->in_project);
	for (size_t i = 0; i < list->n; i++) {
		const void *declared = item(kind, list, i);
		const char *key = key_of(declared);
		if (!find(kind, project, key) && (all || is_named(kind, existing, key)))
			add(kind, declared, strings_has(over_tls_of(kind, before), key), project);
	}
}

void declared_merge(const struct project_entry *existing, const struct manager_request *asked,
		    struct project *project)
{
	/* A submitted job changes nothing of its project. */
	bool all = asked->kind == REQUEST_SUBMIT;
	for (size_t i = 0; i < DECLARED_KINDS; i++) {
		add_asked(&kinds[i], existing ? &existing->project : NULL, asked, project);
		if (existing)
			keep(&kinds[i], existing, all, project);
	}
}

/* Is one of the list's named by the specification, and not the same in both? */
static bool any_changes(const struct kind *kind, const struct list *list,
			const struct project *before, const struct project *after,
			const struct job_spec *spec)
{
	for (size_t i = 0; i < list->n; i++) {
		const char *key = key_of(item(kind, list, i));
		if (kind->names(spec, key) &&
		    !same(kind, find(kind, before, key), find(kind, after, key)))
			return true;
	}
	return false;
}

bool declared_change(const struct project *before, const struct project *after,
		     const struct job_spec *spec)
{
	for (size_t i = 0; i < DECLARED_KINDS; i++) {
		const struct kind *kind = &kinds[i];
		if (any_changes(kind, list_of(before, kind->in_project), before, after, spec) ||
		    any_changes(kind, list_of(after, kind->in_project), before, after, spec))
			return true;
	}
	return false;
}

enum err_code declared_check_same(const struct project *project,
				  const struct project_request *request, struct err *err)
{
	for (size_t i = 0; i < DECLARED_KINDS; i++) {
		const struct kind *kind = &kinds[i];
		const struct list *list = list_of(request, kind->in_request);
		for (size_t j = 0; j < list->n; j++) {
			const void *declared = item(kind, list, j);
			const void *there = find(kind, project, key_of(declared));
			if (there && !same(kind, there, declared))
				return err_set(err, ERR_CONFLICT,
					       "project %s declares %s %s in another way",
					       request->name, kind->noun, key_of(declared));
		}
	}
	return ERR_NONE;
}
