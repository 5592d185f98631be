/* Configs and secrets: what a request brings is kept for as long as a revision that is kept uses it.
 *
 * Invariants: content is written in groups before the one of the revisions that use it, and deleted after them; so
 * what a stored revision uses is always stored. What a crash leaves over in between goes at the next start. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "manager/core.h"

static const struct content_request *content_of(const struct project_request *request, int kind,
						const char *key)
{
	bool secret = kind == CONTENT_SECRET;
	const struct content_request *items =
		secret ? request->secrets.items : request->configs.items;
	size_t n = secret ? request->secrets.n : request->configs.n;
	for (size_t i = 0; i < n; i++)
		if (strcmp(items[i].key, key) == 0)
			return &items[i];
	return NULL;
}

static bool is_planned(const struct plan *plan, const char *hash)
{
	for (size_t i = 0; i < plan->contents.n; i++)
		if (strcmp(plan->contents.items[i].hash, hash) == 0)
			return true;
	return false;
}

static enum err_code plan_spec(const struct manager *manager, struct plan *plan,
			       const struct project_request *request, const struct job_spec *spec,
			       struct err *err)
{
	for (size_t i = 0; i < job_spec_n_contents(spec); i++) {
		int kind;
		const struct content_use *use = job_spec_content(spec, i, &kind);
		if (!use->hash || !*use->hash)
			return err_set(err, ERR_INVALID, "%s %s of the request was not resolved",
				       enum_name(content_kind_names, kind), use->source);
		if (cluster_content(&manager->cluster, request->name, use->hash) ||
		    is_planned(plan, use->hash))
			continue;
		const struct content_request *found = content_of(request, kind, use->source);
		PRE(found);
		struct content_record *content = list_add(&plan->contents, sizeof(*content));
		*content = (struct content_record){ .kind = kind,
						    .project = base_strdup(request->name),
						    .hash = base_strdup(use->hash),
						    .data = base_strdup(found->data),
						    .created_wall_ms = wall_now(manager) };
		string_set(&content->seal, found->seal);
	}
	return ERR_NONE;
}

enum err_code contents_plan(const struct manager *manager, struct plan *plan,
			    const struct project_request *request, struct err *err)
{
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < plan->jobs.n; i++)
		if (plan->jobs.items[i].put_revision)
			code = plan_spec(manager, plan, request, &plan->jobs.items[i].revision.spec,
					 err);
	return code;
}

void contents_write(struct manager *manager, struct plan *plan)
{
	for (size_t i = 0; i < plan->contents.n; i++) {
		group_begin(manager);
		cluster_put_content(&manager->cluster, &manager->out->changes,
				    &plan->contents.items[i]);
		group_end(manager);
	}
}

static bool revision_uses(const struct job_revision *revision, const char *hash)
{
	for (size_t i = 0; i < job_spec_n_contents(&revision->spec); i++) {
		const char *used = job_spec_content(&revision->spec, i, NULL)->hash;
		if (used && strcmp(used, hash) == 0)
			return true;
	}
	return false;
}

static bool is_used(const struct project_entry *project, const char *hash)
{
	for (size_t i = 0; project && i < project->n_jobs; i++)
		for (size_t j = 0; j < project->jobs[i]->n_revisions; j++)
			if (revision_uses(project->jobs[i]->revisions[j], hash))
				return true;
	return false;
}

void contents_prune(struct manager *manager, const char *project)
{
	struct cluster *cluster = &manager->cluster;
	const struct content_shelf *shelf = cluster_contents(cluster, project);
	const struct project_entry *entry = cluster_project(cluster, project);
	for (size_t i = shelf ? shelf->n : 0; i-- > 0;) {
		struct content_record *content = shelf->items[i];
		if (is_used(entry, content->hash))
			continue;
		notes_add(&manager->out->notes, "a %s of project %s is used no more",
			  enum_name(content_kind_names, content->kind), project);
		group_reserve(manager, 1);
		/* With the last one its shelf goes, and the loop ends. */
		cluster_delete_content(cluster, &manager->out->changes, content);
	}
}

void contents_start(struct manager *manager)
{
	struct strings projects = { 0 };
	size_t at = 0;
	for (const struct content_shelf *shelf;
	     (shelf = map_next(&manager->cluster.contents, &at));)
		strings_add(&projects, shelf->project);
	for (size_t i = 0; i < projects.n; i++)
		contents_prune(manager, projects.items[i]);
	strings_release(&projects);
}

static bool has_content(const struct sync_down *down, const char *hash)
{
	for (size_t i = 0; i < down->contents.n; i++)
		if (strcmp(down->contents.items[i].hash, hash) == 0)
			return true;
	return false;
}

void contents_send(const struct manager *manager, struct sync_down *down, const char *project,
		   const struct job_spec *spec)
{
	for (size_t i = 0; i < job_spec_n_contents(spec); i++) {
		const char *hash = job_spec_content(spec, i, NULL)->hash;
		const struct content_record *content =
			cluster_content(&manager->cluster, project, hash);
		PRE(content);
		if (has_content(down, hash))
			continue;
		struct sync_content *item = list_add(&down->contents, sizeof(*item));
		item->kind = content->kind;
		item->hash = base_strdup(hash);
		item->data = base_strdup(content->data);
		string_set(&item->seal, content->seal);
	}
}
