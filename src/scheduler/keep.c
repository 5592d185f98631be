/* Which node to keep for a task that fits nowhere for want of resources.
 *
 * Invariant: a node is named only when the task would fit there once everything that ends by itself
 * is gone. What stays for good is never waited for, so a task that can never fit keeps nothing. */
#include "base/alloc.h"
#include "base/check.h"
#include "scheduler/internal.h"

/* A run to completion, or one that is asked to stop: its room comes back without anybody's doing. */
static bool ends_by_itself(const struct cluster *cluster, const struct task *task)
{
	const struct job_spec *spec = &job_entry_current(cluster_job_of(cluster, task))->spec;
	return task->desired.wanted != TASK_WANT_RUN || job_spec_completes(spec);
}

/* What of the node's reservations stays. */
static struct resources staying_on(const struct cluster *cluster, const struct node_entry *node)
{
	struct resources staying = { 0 };
	for (size_t i = 0; i < node->tasks.n; i++) {
		const struct task *task = node->tasks.items[i];
		if (!task_occupies_node(task) || ends_by_itself(cluster, task))
			continue;
		const struct resources *reserved = &cluster_task_spec(cluster, task)->reservations;
		staying.cpu_milli += reserved->cpu_milli;
		staying.memory_bytes += reserved->memory_bytes;
		staying.disk_bytes += reserved->disk_bytes;
	}
	return staying;
}

static bool has_room(int64_t request, int64_t capacity, int64_t taken)
{
	return request <= 0 || capacity - taken >= request;
}

/* Would the task fit when only what stays is left? */
static bool will_fit(const struct question *question, size_t column)
{
	const struct node_columns *columns = &question->cluster->columns;
	const struct resources *request = &question->spec->reservations;
	struct resources staying = staying_on(question->cluster, columns->entry[column]);
	return has_room(request->cpu_milli, columns->cpu_capacity_milli[column],
			staying.cpu_milli) &&
	       has_room(request->memory_bytes, columns->memory_capacity_bytes[column],
			staying.memory_bytes) &&
	       has_room(request->disk_bytes, columns->disk_capacity_bytes[column],
			staying.disk_bytes);
}

static double lack_of(int64_t request, int64_t capacity, int64_t reserved)
{
	int64_t lack = request > 0 ? request - (capacity - reserved) : 0;
	return lack > 0 ? load_share(lack, capacity) : 0;
}

/* The share of the node that has to come free first. */
static double lack_on(const struct question *question, size_t column)
{
	const struct node_columns *columns = &question->cluster->columns;
	const struct resources *request = &question->spec->reservations;
	double cpu = lack_of(request->cpu_milli, columns->cpu_capacity_milli[column],
			     columns->cpu_reserved_milli[column]);
	double memory = lack_of(request->memory_bytes, columns->memory_capacity_bytes[column],
				columns->memory_reserved_bytes[column]);
	double disk = lack_of(request->disk_bytes, columns->disk_capacity_bytes[column],
			      columns->disk_reserved_bytes[column]);
	double lack = cpu > memory ? cpu : memory;
	return lack > disk ? lack : disk;
}

struct node_entry *scheduler_keep(const struct cluster *cluster, const struct task *task)
{
	struct question question;
	question_init(&question, cluster, task);
	struct node_entry *best = NULL;
	double best_lack = 0;
	for (size_t column = 0; column < cluster->columns.n; column++) {
		if (filters_refuse_beside_resources(&question, column) ||
		    !will_fit(&question, column))
			continue;
		double lack = lack_on(&question, column);
		if (best && lack >= best_lack)
			continue;
		best = cluster->columns.entry[column];
		best_lack = lack;
	}
	question_release(&question);
	return best;
}

bool scheduler_takes_room(const struct node_entry *node, const struct node_columns *columns,
			  const struct resources *request, const struct resources *kept_for)
{
	size_t column = node->index;
	const int64_t rows[][4] = {
		{ request->cpu_milli, kept_for->cpu_milli, columns->cpu_capacity_milli[column],
		  columns->cpu_reserved_milli[column] },
		{ request->memory_bytes, kept_for->memory_bytes,
		  columns->memory_capacity_bytes[column], columns->memory_reserved_bytes[column] },
		{ request->disk_bytes, kept_for->disk_bytes, columns->disk_capacity_bytes[column],
		  columns->disk_reserved_bytes[column] },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i][0] > 0 && !has_room(rows[i][1], rows[i][2], rows[i][3] + rows[i][0]))
			return true;
	return false;
}
