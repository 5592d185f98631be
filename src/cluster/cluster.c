/* Invariants (cluster_check() verifies them): every map finds an entry under the key its contents
 * say; every task has a job with its revision and, when placed, a node; every derived fact equals
 * what the records say. Entries are freed only by cluster_delete_* and cluster_release(). */
#include "cluster/cluster.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "cluster/internal.h"

void cluster_init(struct cluster *cluster, uint64_t salt)
{
	*cluster = (struct cluster){ .salt = salt };
}

void cluster_map_add(struct map *map, struct uuid key, void *value)
{
	void *replaced = map_put(map, key, value);
	POST(!replaced);
}

void cluster_map_drop(struct map *map, struct uuid key, const void *value)
{
	void *removed = map_remove(map, key);
	POST(removed == value);
}

void job_entry_free(struct job_entry *entry)
{
	for (size_t i = 0; i < entry->n_revisions; i++) {
		record_release(&job_revision_type, entry->revisions[i]);
		base_free(entry->revisions[i]);
	}
	base_free(entry->revisions);
	base_free(entry->placements);
	task_list_release(&entry->tasks);
	record_release(&job_type, &entry->job);
	base_free(entry);
}

void project_entry_free(struct project_entry *entry)
{
	base_free(entry->jobs);
	record_release(&project_type, &entry->project);
	base_free(entry);
}

void node_entry_free(struct node_entry *entry)
{
	task_list_release(&entry->tasks);
	base_free(entry->holds);
	base_free(entry->foreign_ports);
	record_release(&node_record_type, &entry->record);
	base_free(entry);
}

void cluster_task_free(struct task *task)
{
	task_release(task);
	base_free(task);
}

/* Free every record a map points to, and the map. */
static void release_records(struct map *map, const struct record_type *type)
{
	size_t position = 0;
	for (void *record; (record = map_next(map, &position));) {
		record_release(type, record);
		base_free(record);
	}
	map_release(map);
}

void cluster_release(struct cluster *cluster)
{
	size_t position = 0;
	for (struct task *task; (task = id_index_next(&cluster->tasks, &position));)
		cluster_task_free(task);
	position = 0;
	for (struct job_entry *job; (job = map_next(&cluster->jobs, &position));)
		job_entry_free(job);
	position = 0;
	for (struct project_entry *project; (project = map_next(&cluster->projects, &position));)
		project_entry_free(project);
	position = 0;
	for (struct node_entry *node; (node = map_next(&cluster->nodes, &position));)
		node_entry_free(node);
	id_index_release(&cluster->tasks);
	map_release(&cluster->jobs);
	map_release(&cluster->jobs_by_name);
	map_release(&cluster->projects);
	map_release(&cluster->nodes);
	release_records(&cluster->volumes, &volume_record_type);
	release_records(&cluster->idempotency, &idempotency_record_type);
	release_records(&cluster->tokens, &token_record_type);
	release_records(&cluster->identities, &identity_record_type);
	map_release(&cluster->identities_by_key);
	release_records(&cluster->removed_nodes, &removed_node_type);
	position = 0;
	for (struct content_shelf *shelf; (shelf = map_next(&cluster->contents, &position));)
		content_shelf_free(shelf);
	map_release(&cluster->contents);
	columns_release(&cluster->columns);
	task_list_release(&cluster->replaying);
	task_list_release(&cluster->filed_by_node);
	record_release(&meta_record_type, &cluster->meta);
	*cluster = (struct cluster){ 0 };
}

struct project_entry *cluster_project(const struct cluster *cluster, const char *name)
{
	struct project_entry *entry =
		map_get(&cluster->projects, map_name_key(cluster->salt, name, ""));
	return entry && strcmp(entry->project.name, name) == 0 ? entry : NULL;
}

struct job_entry *cluster_job(const struct cluster *cluster, struct job_id id)
{
	return map_get(&cluster->jobs, id.uuid);
}

struct job_entry *cluster_job_named(const struct cluster *cluster, const char *project,
				    const char *name)
{
	struct job_entry *entry =
		map_get(&cluster->jobs_by_name, map_name_key(cluster->salt, project, name));
	if (!entry || strcmp(entry->job.project, project) != 0 ||
	    strcmp(entry->job.name, name) != 0)
		return NULL;
	return entry;
}

struct task *cluster_task(const struct cluster *cluster, struct task_id id)
{
	return id_index_get(&cluster->tasks, id.uuid);
}

struct node_entry *cluster_node(const struct cluster *cluster, struct node_id id)
{
	return map_get(&cluster->nodes, id.uuid);
}

struct node_entry *cluster_node_numbered(const struct cluster *cluster, int64_t number)
{
	const struct node_columns *columns = &cluster->columns;
	size_t low = 0;
	size_t high = columns->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int64_t at = columns->entry[middle]->record.number;
		if (at == number)
			return columns->entry[middle];
		if (at < number)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

struct uuid cluster_volume_place(const struct cluster *cluster, const struct volume_record *volume)
{
	char id[UUID_TEXT_SIZE] = "";
	if (volume->per_node)
		uuid_format(volume->node.uuid, id);
	return map_name_key(cluster->salt, volume->name, id);
}

static struct volume_record *find_volume(const struct cluster *cluster, const char *name,
					 bool per_node, struct node_id node)
{
	struct volume_record key = { .name = (char *)(uintptr_t)name,
				     .per_node = per_node,
				     .node = node };
	struct volume_record *volume =
		map_get(&cluster->volumes, cluster_volume_place(cluster, &key));
	return volume && strcmp(volume->name, name) == 0 ? volume : NULL;
}

struct volume_record *cluster_volume(const struct cluster *cluster, const char *name)
{
	return find_volume(cluster, name, false, (struct node_id){ { { 0 } } });
}

struct volume_record *cluster_volume_on(const struct cluster *cluster, const char *name,
					struct node_id node)
{
	struct volume_record *pinning = cluster_volume(cluster, name);
	if (pinning && uuid_equal(pinning->node.uuid, node.uuid))
		return pinning;
	return find_volume(cluster, name, true, node);
}

struct idempotency_record *cluster_idempotency(const struct cluster *cluster, const char *caller,
					       const char *key)
{
	struct idempotency_record *record =
		map_get(&cluster->idempotency, map_name_key(cluster->salt, caller, key));
	if (!record || strcmp(record->caller, caller) != 0 || strcmp(record->key, key) != 0)
		return NULL;
	return record;
}

const struct job_revision *job_entry_revision(const struct job_entry *entry, int64_t number)
{
	/* Few are kept, and the wanted one is nearly always the last. */
	for (size_t i = entry->n_revisions; i-- > 0;)
		if (entry->revisions[i]->number == number)
			return entry->revisions[i];
	return NULL;
}

const struct job_revision *job_entry_current(const struct job_entry *entry)
{
	return job_entry_revision(entry, entry->job.revision);
}

struct job_entry *cluster_job_of(const struct cluster *cluster, const struct task *task)
{
	return cluster_job(cluster, *task->desired.job);
}

const struct job_revision *cluster_task_revision(const struct cluster *cluster,
						 const struct task *task)
{
	const struct job_entry *job = cluster_job_of(cluster, task);
	PRE(job);
	const struct job_revision *revision = job_entry_revision(job, task->desired.revision);
	POST(revision);
	return revision;
}

const struct job_spec *cluster_task_spec(const struct cluster *cluster, const struct task *task)
{
	return &cluster_task_revision(cluster, task)->spec;
}
