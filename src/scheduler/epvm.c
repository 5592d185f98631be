/* E-PVM (Amir, Awerbuch, Barak, Borgstrom, Keren: An Opportunity Cost Approach for Job Assignment
 * in a Scalable Computing Cluster, IEEE TPDS 11(7), 2000): a resource that is used to the share u
 * costs base^u, and a task goes where the sum of the costs it adds is smallest. Full nodes are
 * avoided in every resource at once, and a large machine counts for what it is.
 *
 * The base is the number of machines, as the paper's bound of O(log n) asks; never less than 10,
 * because with a base near 1 the cost hardly rises with use and a small machine would get nothing
 * before the large ones are full. The number of tasks is one more resource, so that tasks that
 * reserve nothing spread out. */
#include <math.h>

#include "base/check.h"
#include "scheduler/internal.h"

#define BASE_MIN 10.0
#define TASKS_FULL                                                                                 \
	110 /* what a machine is commonly expected to run; Kubernetes' limit of pods per node */

double epvm_base(size_t n_nodes)
{
	return (double)n_nodes > BASE_MIN ? (double)n_nodes : BASE_MIN;
}

double scheduler_marginal_cost(double base, double used_share, double request_share)
{
	PRE(base > 1.0);
	return pow(base, used_share) * (pow(base, request_share) - 1.0);
}

double epvm_tasks_cost(double base, int64_t n_tasks, int64_t n_tasks_full)
{
	return scheduler_marginal_cost(base, load_share(n_tasks, n_tasks_full),
				       load_share(1, n_tasks_full));
}

static double score(const struct scheduler_view *view, size_t column)
{
	const struct node_columns *columns = &view->cluster->columns;
	double base = epvm_base(columns->n);
	int64_t cpu_milli = columns->cpu_capacity_milli[column];
	int64_t memory_bytes = columns->memory_capacity_bytes[column];
	double cpu_cost = scheduler_marginal_cost(
		base, load_share(load_cpu_milli(columns, column), cpu_milli),
		load_share(view->request.cpu_milli, cpu_milli));
	double memory_cost = scheduler_marginal_cost(
		base, load_share(load_memory_bytes(columns, column), memory_bytes),
		load_share(view->request.memory_bytes, memory_bytes));
	return cpu_cost + memory_cost + epvm_tasks_cost(base, columns->tasks[column], TASKS_FULL);
}

const struct scheduler_ops scheduler_epvm = { "epvm", score };
