/* What a plan was made from, and whether that is still so. */
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "manager/core.h"

static void take_job(struct basis_job *ret_job, const struct job_entry *entry)
{
	const struct job *job = &entry->job;
	/* Runs come and go by themselves, as restarts of tasks do. */
	bool has_runs = job_entry_current(entry)->spec.schedule != NULL;
	*ret_job = (struct basis_job){
		.name = base_strdup(job->name),
		.id = job->id.uuid,
		.revision = job->revision,
		.roll = job->roll,
		.restarts_asked = has_runs ? 0 : job->restarts_asked,
		.wanted = job->wanted,
		.state = BASIS_HASH(record_hash(&job_revision_type, job_entry_current(entry))),
	};
}

static struct basis_node node_now(const struct node_entry *node)
{
	static const int states[] = { [NODE_READY] = BASIS_NODE_READY,
				      [NODE_DRAINING] = BASIS_NODE_READY,
				      [NODE_DEGRADED] = BASIS_NODE_DEGRADED,
				      [NODE_DOWN] = BASIS_NODE_DOWN,
				      [NODE_LEFT] = BASIS_NODE_DOWN };
	const struct node_record *record = &node->record;
	const struct node_facts *facts = &record->facts;
	/* Only read, so what they hold stays the node's. The size of its disk may follow what is written to it. */
	struct node_record labels = { .labels = record->labels,
				      .facts = { .labels = facts->labels,
						 .engine_labels = facts->engine_labels } };
	struct node_record machine = {
		.role = record->role,
		.facts = { .hostname = facts->hostname,
			   .platform_os = facts->platform_os,
			   .platform_arch = facts->platform_arch,
			   .protocol = facts->protocol,
			   .capacity = { .cpu_milli = facts->capacity.cpu_milli,
					 .memory_bytes = facts->capacity.memory_bytes } },
	};
	return (struct basis_node){
		.number = record->number,
		.draining = record->draining,
		.state = states[node->state],
		.labels = BASIS_HASH(record_hash(&node_record_type, &labels)),
		.machine = BASIS_HASH(record_hash(&node_record_type, &machine)),
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
		const struct node_entry *node = cluster->columns.entry[i];
		if (!node->record.left)
			*(struct basis_node *)list_add(&basis.nodes, sizeof(struct basis_node)) =
				node_now(node);
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
	/* As many as there were, and all of those are there: none is new. */
	bool same = project && project->n_jobs == basis->jobs.n;
	for (size_t i = 0; project && !same && i < project->n_jobs && !code; i++)
		if (!basis_job(basis, project->jobs[i]->job.name))
			code = err_set(err, ERR_CONFLICT, "%s/%s is new since the plan",
				       project_name, project->jobs[i]->job.name);
	if (!code && declared(project) != basis->declared)
		code = err_set(err, ERR_CONFLICT,
			       "networks or volumes of project %s were changed since the plan",
			       project_name);
	return code;
}

static enum err_code check_node(const struct node_entry *node, const struct basis_node *was,
				struct err *err)
{
	const char *name = node_name(node);
	struct basis_node now = node_now(node);
	if (was->draining != now.draining)
		return err_set(err, ERR_CONFLICT, "node %s is %s since the plan", name,
			       was->draining ? "drained no more" : "drained");
	if (was->state != now.state)
		return err_set(err, ERR_CONFLICT,
			       "node %s was %s when the plan was made, and is %s", name,
			       enum_name(basis_node_state_names, was->state),
			       enum_name(basis_node_state_names, now.state));
	if (was->labels != now.labels)
		return err_set(err, ERR_CONFLICT, "labels of node %s were changed since the plan",
			       name);
	if (was->machine != now.machine)
		return err_set(err, ERR_CONFLICT,
			       "node %s has another size, name, platform or release since the plan",
			       name);
	return ERR_NONE;
}

static enum err_code say_left(const struct manager *manager, int64_t number, struct err *err)
{
	const struct node_entry *node = cluster_node_numbered(&manager->cluster, number);
	return node ? err_set(err, ERR_CONFLICT, "node %s has left since the plan", node_name(node))
		    : err_set(err, ERR_CONFLICT, "node number %lld has left since the plan",
			      (long long)number);
}

static enum err_code check_order(const struct plan_basis *basis, struct err *err)
{
	for (size_t i = 1; i < basis->nodes.n; i++)
		if (basis->nodes.items[i - 1].number >= basis->nodes.items[i].number)
			return err_set_field(err, ERR_INVALID, "basis.nodes",
					     "are not in the order of their numbers");
	return ERR_NONE;
}

/* Both are ascending by number. */
static enum err_code check_nodes(const struct manager *manager, const struct plan_basis *basis,
				 struct err *err)
{
	const struct node_columns *columns = &manager->cluster.columns;
	enum err_code code = check_order(basis, err);
	size_t at = 0;
	for (size_t i = 0; i < columns->n && !code; i++) {
		const struct node_entry *node = columns->entry[i];
		if (node->record.left)
			continue;
		const struct basis_node *was = at < basis->nodes.n ? &basis->nodes.items[at] : NULL;
		if (was && was->number < node->record.number)
			return say_left(manager, was->number, err);
		if (!was || was->number > node->record.number)
			return err_set(err, ERR_CONFLICT, "node %s has joined since the plan",
				       node_name(node));
		code = check_node(node, was, err);
		at++;
	}
	if (!code && at < basis->nodes.n)
		code = say_left(manager, basis->nodes.items[at].number, err);
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
	return code == ERR_CONFLICT ? err_prefix(err, "the plan is out of date") : code;
}
