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
#include "scheduler/scan.h"

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

/* Costs stay finite floats, however overloaded a machine is or seems. */
#define COST_MAX 1e18

static double cost(double scale, double share)
{
	double cost = exp2(share * scale);
	return cost < COST_MAX ? cost : COST_MAX;
}

static double scale_of(size_t n_nodes)
{
	return log2(epvm_base(n_nodes));
}

/* base^used of each resource; the factors are what a request multiplies them by, less one. */
static void terms(const struct node_columns *columns, size_t column,
		  const struct capacity *capacity, double scale, float *ret_terms)
{
	double cpu = (double)load_cpu_milli(columns, column) * capacity->per_cpu_milli;
	double memory = (double)load_memory_bytes(columns, column) * capacity->per_memory_byte;
	ret_terms[0] = (float)cost(scale, cpu);
	ret_terms[1] = (float)cost(scale, memory);
	ret_terms[2] = (float)cost(scale, (double)columns->tasks[column] / TASKS_FULL);
}

static void factors(const struct capacity *capacity, double scale, const struct resources *request,
		    float *ret_factors)
{
	double cpu = (double)request->cpu_milli * capacity->per_cpu_milli;
	double memory = (double)request->memory_bytes * capacity->per_memory_byte;
	ret_factors[0] = (float)(cost(scale, cpu) - 1.0);
	ret_factors[1] = (float)(cost(scale, memory) - 1.0);
	ret_factors[2] = (float)(cost(scale, 1.0 / TASKS_FULL) - 1.0);
}

SCHEDULER_SCAN(t[0] * f[0] + t[1] * f[1] + t[2] * f[2])

static const struct score_terms by_terms = { scale_of, terms, factors, score_one, scan };

static double score(const struct scheduler_view *view, size_t column)
{
	return (double)score_by_terms(&by_terms, &view->cluster->columns, column, &view->request);
}

const struct scheduler_ops scheduler_epvm = { "epvm", RANK_BY_TERMS, score, &by_terms };
