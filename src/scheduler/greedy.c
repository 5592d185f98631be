/* Greedy: the least loaded node, where a node is as loaded as its scarcest resource would be with
 * the task on it. */
#include "scheduler/internal.h"

static double score(const struct scheduler_view *view, size_t column)
{
	const struct node_columns *columns = &view->cluster->columns;
	double cpu = load_share(load_cpu_milli(columns, column) + view->request.cpu_milli,
				columns->cpu_capacity_milli[column]);
	double memory = load_share(load_memory_bytes(columns, column) + view->request.memory_bytes,
				   columns->memory_capacity_bytes[column]);
	return cpu > memory ? cpu : memory;
}

const struct scheduler_ops scheduler_greedy = { "greedy", score };
