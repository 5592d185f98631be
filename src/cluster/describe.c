/* How the cluster's things are named to people, and lists of them in an order to rely on. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/sort.h"
#include "cluster/internal.h"

const char *cluster_task_name(const struct cluster *cluster, const struct task *task,
			      char out[TASK_NAME_SIZE])
{
	const struct job_entry *job = cluster_job_of(cluster, task);
	PRE(job);
	return text_print(out, TASK_NAME_SIZE, "%s/%s.%lld", job->job.project, job->job.name,
			  (long long)task->desired.slot);
}

const char *cluster_node_name(const struct node_entry *node)
{
	const char *hostname = node->record.facts.hostname;
	return hostname && *hostname ? hostname : "a node without a name";
}

const char *cluster_task_sentence(const struct cluster *cluster, const struct task *task,
				  char out[TASK_SENTENCE_SIZE])
{
	const char *message = task_message(task);
	if (message && *message)
		return message;
	const struct node_entry *node = cluster_node(cluster, task->desired.node);
	const char *host = node ? cluster_node_name(node) : "a node";
	switch (task->reason) {
	case REASON_QUEUED: return "in the queue for a node";
	case REASON_ASSIGNED: return text_print(out, TASK_SENTENCE_SIZE, "placed on %s", host);
	case REASON_RUNNING: return text_print(out, TASK_SENTENCE_SIZE, "running on %s", host);
	case REASON_UNFIT:
		return text_print(out, TASK_SENTENCE_SIZE,
				  "%s no longer matches what the job asks of a machine", host);
	case REASON_EXIT_ZERO: return "ended with exit code 0";
	case REASON_EXIT_NONZERO:
		return text_print(out, TASK_SENTENCE_SIZE, "ended with exit code %lld",
				  (long long)task->observed.exit_code);
	default: return reason_name(task->reason);
	}
}

const char *cluster_volume_name(const struct project_entry *entry, const char *key,
				char out[VOLUME_NAME_SIZE])
{
	for (size_t i = 0; i < entry->project.volumes.n; i++) {
		const struct volume_spec *volume = &entry->project.volumes.items[i];
		if (volume->name && strcmp(volume->key, key) == 0)
			return volume->name;
	}
	return text_print(out, VOLUME_NAME_SIZE, "%s_%s", entry->project.name, key);
}

void *map_values(const struct map *map, size_t *ret_n)
{
	void **values = base_calloc(map->n ? map->n : 1, sizeof(void *));
	size_t position = 0;
	size_t n = 0;
	for (void *value; (value = map_next(map, &position));)
		values[n++] = value;
	POST(n == map->n);
	*ret_n = n;
	return values;
}

static int compare_projects(const void *a, const void *b, void *context)
{
	(void)context;
	const struct project_entry *const *left = a;
	const struct project_entry *const *right = b;
	return strcmp((*left)->project.name, (*right)->project.name);
}

struct project_entry **cluster_sorted_projects(const struct cluster *cluster, size_t *ret_n)
{
	struct project_entry **items = map_values(&cluster->projects, ret_n);
	sort_stable(items, *ret_n, sizeof(*items), compare_projects, NULL);
	return items;
}

static int compare_volumes(const void *a, const void *b, void *context)
{
	(void)context;
	const struct volume_record *const *left = a;
	const struct volume_record *const *right = b;
	int by_name = strcmp((*left)->name, (*right)->name);
	if (by_name || (*left)->per_node != (*right)->per_node)
		return by_name ? by_name : (int)(*left)->per_node - (int)(*right)->per_node;
	return uuid_compare((*left)->node.uuid, (*right)->node.uuid);
}

struct volume_record **cluster_sorted_volumes(const struct cluster *cluster, size_t *ret_n)
{
	struct volume_record **items = map_values(&cluster->volumes, ret_n);
	sort_stable(items, *ret_n, sizeof(*items), compare_volumes, NULL);
	return items;
}

static int compare_idempotency(const void *a, const void *b, void *context)
{
	(void)context;
	const struct idempotency_record *left = *(const struct idempotency_record *const *)a;
	const struct idempotency_record *right = *(const struct idempotency_record *const *)b;
	if (left->created_wall_ms != right->created_wall_ms)
		return left->created_wall_ms < right->created_wall_ms ? -1 : 1;
	int by_caller = strcmp(left->caller, right->caller);
	return by_caller ? by_caller : strcmp(left->key, right->key);
}

struct idempotency_record **cluster_sorted_idempotency(const struct cluster *cluster, size_t *ret_n)
{
	struct idempotency_record **items = map_values(&cluster->idempotency, ret_n);
	sort_stable(items, *ret_n, sizeof(*items), compare_idempotency, NULL);
	return items;
}
