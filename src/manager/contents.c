/* Configs and secrets: what a request brings is kept for as long as a revision that is kept uses it.
 *
 * Invariants: content is written in groups before the one of the revisions that use it, and deleted after them; so
 * what a stored revision uses is always stored. What a crash leaves over in between goes at the next start. A worker is
 * sent only what a task needs that it is to run. That the manager takes a worker to hold more than it does is possible,
 * where a task has ended and its report is on the way; such a worker asks for the whole set (worker/contents.c). */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
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
		const struct content_record *stored =
			cluster_content(&manager->cluster, request->name, use->hash);
		if ((stored && !content_is_forgotten(stored->seal)) || is_planned(plan, use->hash))
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
	for (size_t i = 0; !code && i < request->jobs.n; i++)
		code = plan_spec(manager, plan, request, &request->jobs.items[i].spec, err);
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

static struct uuid key_of(const struct manager *manager, const char *hash)
{
	return map_name_key(manager->cluster.salt, hash, "");
}

/* The keys of all that revisions of the project use; two hashes with one key would keep what could go. */
static void collect_used(const struct manager *manager, const struct project_entry *project,
			 struct map *used)
{
	for (size_t i = 0; project && i < project->n_jobs; i++)
		for (size_t j = 0; j < project->jobs[i]->n_revisions; j++) {
			const struct job_spec *spec = &project->jobs[i]->revisions[j]->spec;
			for (size_t k = 0; k < job_spec_n_contents(spec); k++) {
				const char *hash = job_spec_content(spec, k, NULL)->hash;
				if (hash)
					map_put(used, key_of(manager, hash), used);
			}
		}
}

static void prune(struct manager *manager, const char *project)
{
	struct cluster *cluster = &manager->cluster;
	const struct content_shelf *shelf = cluster_contents(cluster, project);
	struct map used = { 0 };
	size_t n_gone = 0;
	if (!shelf)
		return;
	collect_used(manager, cluster_project(cluster, project), &used);
	for (size_t i = shelf->n; i-- > 0;) {
		struct content_record *content = shelf->items[i];
		if (map_get(&used, key_of(manager, content->hash)))
			continue;
		group_reserve(manager, 1);
		/* With the last one its shelf goes, and the loop ends. */
		cluster_delete_content(cluster, &manager->out->changes, content);
		n_gone++;
	}
	map_release(&used);
	if (n_gone)
		notes_add(&manager->out->notes,
			  "%zu of the configs and secrets of project %s %s used no more", n_gone,
			  project, n_gone == 1 ? "is" : "are");
}

void contents_look(struct manager *manager, const char *project)
{
	if (cluster_contents(&manager->cluster, project) &&
	    !strings_has(&manager->shelves_changed, project))
		strings_add(&manager->shelves_changed, project);
}

void contents_prune(struct manager *manager)
{
	for (size_t i = 0; i < manager->shelves_changed.n; i++)
		prune(manager, manager->shelves_changed.items[i]);
	strings_release(&manager->shelves_changed);
}

/* Who asked for it has lost their key. What uses them waits for bytes that another revision brings. */
static void forget_sealed(struct manager *manager, const char *unless)
{
	size_t at = 0, n = 0;
	for (const struct content_shelf *shelf;
	     (shelf = map_next(&manager->cluster.contents, &at));)
		for (size_t i = 0; i < shelf->n; i++) {
			const char *seal = shelf->items[i]->seal;
			if (!seal || strcmp(seal, unless) == 0 || content_is_forgotten(seal))
				continue;
			group_begin(manager);
			cluster_forget_content(&manager->out->changes, shelf->items[i]);
			group_end(manager);
			n++;
		}
	notes_add(&manager->out->notes, "%zu secrets that another key sealed are forgotten", n);
}

void contents_start(struct manager *manager)
{
	if (manager->options.forget_unless)
		forget_sealed(manager, manager->options.forget_unless);
	size_t at = 0;
	for (const struct content_shelf *shelf;
	     (shelf = map_next(&manager->cluster.contents, &at));)
		contents_look(manager, shelf->project);
	contents_prune(manager);
}

/* ---- to workers ---- */

/* Of a task that is over, or is to end, nothing starts any more that would look into its files. */
static bool needs_contents(const struct task *task)
{
	return task_in_set(task) && task->desired.wanted == TASK_WANT_RUN && !task->observed.gone &&
	       !task_is_final(task->state);
}

static bool is_of(const struct task *task, struct job_id job, int64_t revision)
{
	return task->desired.revision == revision && uuid_equal(task->desired.job->uuid, job.uuid);
}

/* Does the worker keep for another task what this one needs? */
static bool is_fed_already(const struct manager *manager, const struct session *session,
			   const struct task *task)
{
	const struct node_entry *node = cluster_node(&manager->cluster, session->node);
	for (size_t i = 0; i < node->tasks.n; i++) {
		const struct task *other = node->tasks.items[i];
		if (other != task && is_of(other, *task->desired.job, task->desired.revision) &&
		    needs_contents(other) && map_get(&session->fed, other->desired.id.uuid))
			return true;
	}
	return false;
}

void contents_owe(const struct manager *manager, struct session *session, const struct task *task)
{
	struct uuid id = task->desired.id.uuid;
	const struct job_spec *spec = cluster_task_spec(&manager->cluster, task);
	if (!job_spec_n_contents(spec) || !needs_contents(task) || map_get(&session->fed, id))
		return;
	bool fed = is_fed_already(manager, session, task);
	map_put(&session->fed, id, session);
	if (fed)
		return;
	session->owed = base_grow(session->owed, session->n_owed, &session->owed_capacity,
				  sizeof(*session->owed));
	session->owed[session->n_owed++] =
		(struct content_debt){ *task->desired.job, task->desired.revision };
}

void contents_forget(struct session *session, struct task_id task)
{
	map_remove(&session->fed, task.uuid);
}

void contents_forget_all(struct session *session)
{
	map_release(&session->fed);
	session->n_owed = 0;
	session->owed_at = 0;
	session->owed_content = 0;
}

static bool has_content(const struct sync_down *down, const char *hash)
{
	for (size_t i = 0; i < down->contents.n; i++)
		if (strcmp(down->contents.items[i].hash, hash) == 0)
			return true;
	return false;
}

/* The task whose debt it is; NULL: nobody's any more. */
static const struct task *debtor(const struct manager *manager, const struct session *session,
				 const struct content_debt *debt)
{
	const struct node_entry *node = cluster_node(&manager->cluster, session->node);
	for (size_t i = 0; i < node->tasks.n; i++)
		if (is_of(node->tasks.items[i], debt->job, debt->revision) &&
		    needs_contents(node->tasks.items[i]))
			return node->tasks.items[i];
	return NULL;
}

/* False: the message is full. */
static bool pay(const struct manager *manager, struct session *session, struct sync_down *down,
		const struct task *task, size_t *bytes)
{
	const struct job_spec *spec = cluster_task_spec(&manager->cluster, task);
	const char *project = cluster_job_of(&manager->cluster, task)->job.project;
	for (; session->owed_content < job_spec_n_contents(spec); session->owed_content++) {
		const char *hash = job_spec_content(spec, session->owed_content, NULL)->hash;
		const struct content_record *content =
			cluster_content(&manager->cluster, project, hash);
		PRE(content);
		if (has_content(down, hash))
			continue;
		size_t len = strlen(content->data);
		if (down->contents.n && (down->contents.n >= LIMIT_SYNC_CONTENTS ||
					 *bytes + len > LIMIT_SYNC_CONTENTS_BYTES))
			return false;
		*bytes += len;
		struct sync_content *item = list_add(&down->contents, sizeof(*item));
		item->kind = content->kind;
		item->hash = base_strdup(hash);
		item->data = base_strdup(content->data);
		string_set(&item->seal, content->seal);
	}
	return true;
}

void contents_send(const struct manager *manager, struct session *session, struct sync_down *down)
{
	size_t bytes = 0;
	for (; session->owed_at < session->n_owed; session->owed_at++) {
		const struct task *task =
			debtor(manager, session, &session->owed[session->owed_at]);
		if (task && !pay(manager, session, down, task, &bytes))
			return;
		session->owed_content = 0;
	}
	session->n_owed = 0;
	session->owed_at = 0;
}
