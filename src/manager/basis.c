/* What a plan was made from, and whether that is still so. */
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "manager/core.h"

static void take_job(struct basis_job *ret_job, const struct job_entry *entry)
{
	const struct job *job = &entry->job;
	*ret_job = (struct basis_job){
		.name = base_strdup(job->name),
		.id = job->id.uuid,
		.revision = job->revision,
		.roll = job->roll,
		.restarts_asked = job->restarts_asked,
		.wanted = job->wanted,
		.state = BASIS_HASH(record_hash(&job_revision_type, job_entry_current(entry))),
	};
}

static int64_t declared(const struct project_entry *project)
{
	return project ? BASIS_HASH(record_hash(&project_type, &project->project)) : 0;
}

void basis_take(const struct manager *manager, const char *project_name,
		struct plan_basis *ret_basis)
{
	const struct cluster *cluster = &manager->cluster;
	const struct project_entry *project = cluster_project(cluster, project_name);
	struct plan_basis basis = { .cluster = cluster->meta.cluster,
				    .declared = declared(project) };
	for (size_t i = 0; project && i < project->n_jobs; i++)
		take_job(list_add(&basis.jobs, sizeof(struct basis_job)), project->jobs[i]);
	for (size_t i = 0; i < cluster->columns.n; i++) {
		const struct node_record *record = &cluster->columns.entry[i]->record;
		if (!record->left)
			*(struct basis_node *)list_add(&basis.nodes, sizeof(struct basis_node)) =
				(struct basis_node){ record->number, record->draining };
	}
	*ret_basis = basis;
}

/* ---- is it still so? ---- */

static enum err_code check_job(const struct job_entry *entry, const struct basis_job *was,
			       struct err *err)
{
	struct basis_job now;
	char name[JOB_NAME_SIZE];
	job_name(entry, name);
	if (!uuid_equal(entry->job.id.uuid, was->id))
		return err_set(err, ERR_CONFLICT, "%s was removed and made again since the plan",
			       name);
	take_job(&now, entry);
	enum err_code code = ERR_NONE;
	if (now.revision != was->revision)
		code = err_set(err, ERR_CONFLICT,
			       "%s is at revision %lld, and the plan was made at %lld", name,
			       (long long)now.revision, (long long)was->revision);
	else if (now.wanted != was->wanted)
		code = err_set(err, ERR_CONFLICT,
			       "%s was to %s when the plan was made, and is to %s", name,
			       enum_name(job_wanted_names, was->wanted),
			       enum_name(job_wanted_names, now.wanted));
	else if (now.roll != was->roll)
		code = err_set(err, ERR_CONFLICT,
			       "%s has gone to another revision and back since the plan", name);
	else if (now.restarts_asked != was->restarts_asked)
		code = err_set(err, ERR_CONFLICT, "%s was restarted since the plan", name);
	else if (now.state != was->state)
		code = err_set(err, ERR_CONFLICT,
			       "%s was scaled or changed in place since the plan", name);
	record_release(&basis_job_type, &now);
	return code;
}

static const struct basis_job *basis_job(const struct plan_basis *basis, const char *name)
{
	for (size_t i = 0; i < basis->jobs.n; i++)
		if (strcmp(basis->jobs.items[i].name, name) == 0)
			return &basis->jobs.items[i];
	return NULL;
}

static enum err_code check_jobs(const struct manager *manager, const char *project_name,
				const struct plan_basis *basis, struct err *err)
{
	const struct project_entry *project = cluster_project(&manager->cluster, project_name);
	enum err_code code = ERR_NONE;
	for (size_t i = 0; i < basis->jobs.n && !code; i++) {
		const struct basis_job *was = &basis->jobs.items[i];
		const struct job_entry *entry =
			cluster_job_named(&manager->cluster, project_name, was->name);
		code = entry ? check_job(entry, was, err)
			     : err_set(err, ERR_CONFLICT, "%s/%s is gone since the plan",
				       project_name, was->name);
	}
	for (size_t i = 0; project && i < project->n_jobs && !code; i++)
		if (!basis_job(basis, project->jobs[i]->job.name))
			code = err_set(err, ERR_CONFLICT, "%s/%s is new since the plan",
				       project_name, project->jobs[i]->job.name);
	if (!code && declared(project) != basis->declared)
		code = err_set(err, ERR_CONFLICT,
			       "networks or volumes of project %s were changed since the plan",
			       project_name);
	return code;
}

static const struct basis_node *basis_node(const struct plan_basis *basis, int64_t number)
{
	for (size_t i = 0; i < basis->nodes.n; i++)
		if (basis->nodes.items[i].number == number)
			return &basis->nodes.items[i];
	return NULL;
}

static enum err_code check_node(const struct node_entry *node, const struct basis_node *was,
				struct err *err)
{
	if (!was)
		return err_set(err, ERR_CONFLICT, "node %s has joined since the plan",
			       node_name(node));
	if (was->draining != node->record.draining)
		return err_set(err, ERR_CONFLICT, "node %s is %s since the plan", node_name(node),
			       was->draining ? "drained no more" : "drained");
	return ERR_NONE;
}

static enum err_code check_nodes(const struct manager *manager, const struct plan_basis *basis,
				 struct err *err)
{
	const struct node_columns *columns = &manager->cluster.columns;
	enum err_code code = ERR_NONE;
	size_t at = 0;
	for (size_t i = 0; i < columns->n && !code; i++) {
		const struct node_entry *node = columns->entry[i];
		if (node->record.left)
			continue;
		/* Both are in the order of their numbers, as a rule. */
		const struct basis_node *was =
			at < basis->nodes.n && basis->nodes.items[at].number == node->record.number
				? &basis->nodes.items[at]
				: basis_node(basis, node->record.number);
		at++;
		code = check_node(node, was, err);
	}
	for (size_t i = 0; i < basis->nodes.n && at != basis->nodes.n && !code; i++) {
		const struct node_entry *node =
			cluster_node_numbered(&manager->cluster, basis->nodes.items[i].number);
		if (!node || node->record.left)
			code = err_set(err, ERR_CONFLICT, "%s%s has left since the plan",
				       node ? "node " : "", node ? node_name(node) : "a node");
	}
	return code;
}

enum err_code basis_check(const struct manager *manager, const struct project_request *request,
			  struct err *err)
{
	const struct plan_basis *basis = request->basis;
	if (!basis)
		return ERR_NONE;
	if (!uuid_equal(basis->cluster, manager->cluster.meta.cluster))
		return err_set(err, ERR_CONFLICT, "the plan was made for another cluster");
	enum err_code code = check_jobs(manager, request->name, basis, err);
	if (!code)
		code = check_nodes(manager, basis, err);
	return code ? err_prefix(err, "the plan is out of date") : ERR_NONE;
}
