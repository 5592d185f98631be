/* Invariant: every function here applies and records in one act, so the store and the world cannot
 * differ. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/planted.h"
#include "cluster/internal.h"

void cluster_put_meta(struct cluster *cluster, struct changes *changes,
		      const struct meta_record *meta)
{
	PRE(meta->epoch >= cluster->meta.epoch);
	PRE(meta->next_node_number >= cluster->meta.next_node_number);
	cluster->meta = *meta;
	cluster_record_put(changes, cluster_key_of_meta(), &meta_record_type, &cluster->meta);
}

/* ---- projects ---- */

struct project_entry *cluster_put_project(struct cluster *cluster, struct changes *changes,
					  struct project *project)
{
	PRE(project->name);
	struct uuid key = map_name_key(cluster->salt, project->name, "");
	struct project_entry *entry = cluster_project(cluster, project->name);
	if (!entry) {
		entry = base_calloc(1, sizeof(*entry));
		cluster_map_add(&cluster->projects, key, entry);
	}
	record_release(&project_type, &entry->project);
	entry->project = *project;
	*project = (struct project){ 0 };
	cluster_record_put(changes, cluster_key_of_project(entry->project.name), &project_type,
			   &entry->project);
	return entry;
}

void cluster_delete_project(struct cluster *cluster, struct changes *changes,
			    struct project_entry *entry)
{
	PRE(entry->n_jobs == 0);
	const char *name = entry->project.name;
	cluster_record_delete(changes, cluster_key_of_project(name));
	cluster_map_drop(&cluster->projects, map_name_key(cluster->salt, name, ""), entry);
	project_entry_free(entry);
}

/* Jobs stay ascending by name. */
void project_entry_add_job(struct project_entry *project, struct job_entry *entry)
{
	project->jobs = base_grow(project->jobs, project->n_jobs, &project->jobs_capacity,
				  sizeof(struct job_entry *));
	size_t at = project->n_jobs++;
	for (; at && strcmp(project->jobs[at - 1]->job.name, entry->job.name) > 0; at--)
		project->jobs[at] = project->jobs[at - 1];
	project->jobs[at] = entry;
}

static void project_entry_remove_job(struct project_entry *project, const struct job_entry *entry)
{
	size_t at = 0;
	while (at < project->n_jobs && project->jobs[at] != entry)
		at++;
	INVARIANT(at < project->n_jobs);
	memmove(&project->jobs[at], &project->jobs[at + 1],
		(project->n_jobs - at - 1) * sizeof(struct job_entry *));
	project->n_jobs--;
}

/* ---- jobs and revisions ---- */

static struct job_entry *add_job_entry(struct cluster *cluster, const struct job *job)
{
	struct project_entry *project = cluster_project(cluster, job->project);
	PRE(project);
	PRE(!cluster_job_named(cluster, job->project, job->name));
	struct job_entry *entry = base_calloc(1, sizeof(*entry));
	entry->job = *job;
	struct uuid name_key = map_name_key(cluster->salt, job->project, job->name);
	cluster_map_add(&cluster->jobs, job->id.uuid, entry);
	cluster_map_add(&cluster->jobs_by_name, name_key, entry);
	project_entry_add_job(project, entry);
	return entry;
}

struct job_entry *cluster_put_job(struct cluster *cluster, struct changes *changes, struct job *job)
{
	PRE(!uuid_is_zero(job->id.uuid));
	PRE(job->project && job->name);
	struct job_entry *entry = cluster_job(cluster, job->id);
	if (entry) {
		PRE(strcmp(entry->job.project, job->project) == 0);
		PRE(strcmp(entry->job.name, job->name) == 0);
		if (PLANTED(PLANTED_UNWRITTEN_JOB) && entry->job.revision == job->revision)
			changes = NULL;
		if (PLANTED(PLANTED_MEMORY_BEHIND) && job->wanted == JOB_STOP) {
			cluster_record_put(changes, cluster_key_of_job(job->id), &job_type, job);
			record_release(&job_type, job);
			return entry;
		}
		record_release(&job_type, &entry->job);
		entry->job = *job;
	} else {
		entry = add_job_entry(cluster, job);
	}
	*job = (struct job){ 0 };
	entry->dirty = true;
	cluster_record_put(changes, cluster_key_of_job(entry->job.id), &job_type, &entry->job);
	return entry;
}

void cluster_delete_job(struct cluster *cluster, struct changes *changes, struct job_entry *entry)
{
	PRE(entry->tasks.n == 0);
	const struct job *job = &entry->job;
	for (size_t i = 0; i < entry->n_revisions; i++)
		cluster_record_delete(
			changes, cluster_key_of_revision(job->id, entry->revisions[i]->number));
	cluster_record_delete(changes, cluster_key_of_job(job->id));
	struct uuid name_key = map_name_key(cluster->salt, job->project, job->name);
	cluster_map_drop(&cluster->jobs, job->id.uuid, entry);
	cluster_map_drop(&cluster->jobs_by_name, name_key, entry);
	project_entry_remove_job(cluster_project(cluster, job->project), entry);
	job_entry_free(entry);
}

static size_t revision_position(const struct job_entry *entry, int64_t number)
{
	size_t at = 0;
	while (at < entry->n_revisions && entry->revisions[at]->number < number)
		at++;
	return at;
}

void job_entry_put_revision(struct job_entry *entry, struct job_revision *revision)
{
	size_t at = revision_position(entry, revision->number);
	if (at < entry->n_revisions && entry->revisions[at]->number == revision->number) {
		record_release(&job_revision_type, entry->revisions[at]);
	} else {
		entry->revisions = base_realloc(entry->revisions, entry->n_revisions + 1,
						sizeof(struct job_revision *));
		memmove(&entry->revisions[at + 1], &entry->revisions[at],
			(entry->n_revisions - at) * sizeof(struct job_revision *));
		entry->revisions[at] = base_calloc(1, sizeof(struct job_revision));
		entry->n_revisions++;
	}
	*entry->revisions[at] = *revision;
	*revision = (struct job_revision){ 0 };
}

void cluster_put_revision(struct cluster *cluster, struct changes *changes,
			  struct job_revision *revision)
{
	struct job_entry *entry = cluster_job(cluster, revision->job);
	PRE(entry);
	PRE(revision->number > 0);
	PRE(!cluster->edit.task);
	int64_t number = revision->number;
	/* Tasks weigh what their revision says: when it is replaced, they are weighed anew. */
	for (size_t i = 0; i < entry->tasks.n; i++)
		if (entry->tasks.items[i]->desired.revision == number)
			weight_off(cluster, entry->tasks.items[i]);
	job_entry_put_revision(entry, revision);
	for (size_t i = 0; i < entry->tasks.n; i++)
		if (entry->tasks.items[i]->desired.revision == number)
			weight_on(cluster, entry->tasks.items[i]);
	entry->dirty = true;
	cluster_record_put(changes, cluster_key_of_revision(entry->job.id, number),
			   &job_revision_type, job_entry_revision(entry, number));
}

void cluster_delete_revision(struct cluster *cluster, struct changes *changes,
			     struct job_entry *entry, int64_t number)
{
	PRE(cluster_job(cluster, entry->job.id) == entry);
	PRE(number != entry->job.revision);
	for (size_t i = 0; i < entry->tasks.n; i++)
		PRE(entry->tasks.items[i]->desired.revision != number);
	size_t at = revision_position(entry, number);
	PRE(at < entry->n_revisions && entry->revisions[at]->number == number);
	cluster_record_delete(changes, cluster_key_of_revision(entry->job.id, number));
	record_release(&job_revision_type, entry->revisions[at]);
	base_free(entry->revisions[at]);
	memmove(&entry->revisions[at], &entry->revisions[at + 1],
		(entry->n_revisions - at - 1) * sizeof(struct job_revision *));
	entry->n_revisions--;
}

/* ---- nodes ---- */

struct node_entry *cluster_put_node(struct cluster *cluster, struct changes *changes,
				    struct node_record *node)
{
	PRE(!uuid_is_zero(node->id.uuid));
	PRE(node->role != NODE_MANAGER);
	struct node_entry *entry = cluster_node(cluster, node->id);
	if (!entry) {
		entry = base_calloc(1, sizeof(*entry));
		cluster_map_add(&cluster->nodes, node->id.uuid, entry);
		entry->index = columns_add(&cluster->columns, entry);
	}
	record_release(&node_record_type, &entry->record);
	entry->record = *node;
	*node = (struct node_record){ 0 };
	if (entry->record.left)
		entry->state = NODE_LEFT;
	entry->dirty = true;
	cluster->nodes_dirty = true;
	columns_set_capacity(&cluster->columns, entry);
	columns_set_ready(&cluster->columns, entry);
	cluster_record_put(changes, cluster_key_of_node(entry->record.id), &node_record_type,
			   &entry->record);
	return entry;
}

void cluster_delete_node(struct cluster *cluster, struct changes *changes, struct node_entry *node)
{
	PRE(cluster_node(cluster, node->record.id) == node);
	PRE(node->tasks.n == 0);
	PRE(cluster->columns.tasks[node->index] == 0);
	size_t position = 0;
	for (const struct volume_record *volume; (volume = map_next(&cluster->volumes, &position));)
		PRE(!uuid_equal(volume->node.uuid, node->record.id.uuid));
	position = 0;
	for (struct job_entry *job; (job = map_next(&cluster->jobs, &position));)
		weight_column_removed(job, node->index);
	columns_remove(&cluster->columns, node->index);
	cluster->nodes_dirty = true;
	cluster_record_delete(changes, cluster_key_of_node(node->record.id));
	cluster_map_drop(&cluster->nodes, node->record.id.uuid, node);
	node_entry_free(node);
}

/* ---- volumes and remembered answers ---- */

struct volume_record *cluster_put_volume(struct cluster *cluster, struct changes *changes,
					 struct volume_record *volume)
{
	PRE(volume->name);
	struct uuid key = cluster_volume_place(cluster, volume);
	struct volume_record *record = map_get(&cluster->volumes, key);
	if (!record) {
		record = base_calloc(1, sizeof(*record));
		cluster_map_add(&cluster->volumes, key, record);
	}
	record_release(&volume_record_type, record);
	*record = *volume;
	*volume = (struct volume_record){ 0 };
	cluster_record_put(changes, cluster_key_of_volume(record), &volume_record_type, record);
	return record;
}

void cluster_delete_volume(struct cluster *cluster, struct changes *changes,
			   struct volume_record *volume)
{
	struct uuid key = cluster_volume_place(cluster, volume);
	cluster_record_delete(changes, cluster_key_of_volume(volume));
	cluster_map_drop(&cluster->volumes, key, volume);
	record_release(&volume_record_type, volume);
	base_free(volume);
}

void cluster_put_idempotency(struct cluster *cluster, struct changes *changes,
			     struct idempotency_record *record)
{
	PRE(record->caller && record->key);
	struct uuid key = map_name_key(cluster->salt, record->caller, record->key);
	struct idempotency_record *kept = cluster_idempotency(cluster, record->caller, record->key);
	if (!kept) {
		kept = base_calloc(1, sizeof(*kept));
		cluster_map_add(&cluster->idempotency, key, kept);
	}
	record_release(&idempotency_record_type, kept);
	*kept = *record;
	*record = (struct idempotency_record){ 0 };
	cluster_record_put(changes, cluster_key_of_idempotency(kept->caller, kept->key),
			   &idempotency_record_type, kept);
}

void cluster_delete_idempotency(struct cluster *cluster, struct changes *changes,
				struct idempotency_record *record)
{
	struct uuid key = map_name_key(cluster->salt, record->caller, record->key);
	cluster_record_delete(changes, cluster_key_of_idempotency(record->caller, record->key));
	cluster_map_drop(&cluster->idempotency, key, record);
	record_release(&idempotency_record_type, record);
	base_free(record);
}
