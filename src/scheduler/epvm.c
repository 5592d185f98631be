/* E-PVM (Amir, Awerbuch, Barak, Borgstrom, Keren: An Opportunity Cost Approach for Job Assignment
 * in a Scalable Computing Cluster, IEEE TPDS 11(7), 2000): a resource that is used to the share u
 * costs base^u, and a task goes where the sum of the costs it adds is smallest. Full nodes are
 * avoided in every resource at once, and a large machine counts for what it is.
 *
 * The base is the number of machines, as the paper's bound of O(log n) asks; never less than 10,
 * because with a base near 1 the cost hardly rises with use and a small machine would get nothing
 * before the large ones are full. The number of tasks is one more resource, so that tasks that
 * reserve nothing spread out.
 *
 * Published, this leaves a little room everywhere and nowhere enough for a large task. So it holds
 * only as long as it leaves a quarter of the machine free, and one machine in sixteen is kept out
 * of it. What finds no such machine is packed: where the resource that is used less is used
 * most, so that little is left over, and evenly. So the kept machines, being empty, come last and
 * are filled one by one; behind them there are only machines that the task would overload. A fleet
 * of fewer than sixteen keeps none, for that would be too much of it. */
#include <math.h>

#include "base/check.h"
#include "scheduler/internal.h"
#include "scheduler/scan.h"

#define BASE_MIN 10.0
#define ROUNDING 1.00001F /* what is exactly full may come out a little above */
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

#define SPREAD_SHARE 0.75 /* of a machine; above it tasks are packed */
#define KEPT_ONE_IN  16 /* by the number of the node, which never changes: what is kept stays so */

/* Costs stay finite floats, however overloaded a machine is or seems; marginal costs below 1. */
#define COST_MAX     1e15
#define SPREAD_SCALE 1e-20

static double cost(double scale, double share)
{
	double cost = exp2(share * scale);
	return cost < COST_MAX ? cost : COST_MAX;
}

static double scale_of(size_t n_nodes)
{
	return log2(epvm_base(n_nodes));
}

bool epvm_keeps(const struct node_columns *columns, size_t column)
{
	return columns->n >= KEPT_ONE_IN && columns->number[column] % KEPT_ONE_IN == 0;
}

/* base^(used - SPREAD_SHARE) of each resource, so that 1 is as far as tasks spread; that of the tasks is negative where
 * the machine is kept. */
static void terms(const struct node_columns *columns, size_t column,
		  const struct capacity *capacity, double scale, float *ret_terms)
{
	double cpu = (double)load_cpu_milli(columns, column) * capacity->per_cpu_milli;
	double memory = (double)load_memory_bytes(columns, column) * capacity->per_memory_byte;
	double tasks = (double)columns->tasks[column] / TASKS_FULL;
	ret_terms[0] = (float)cost(scale, cpu - SPREAD_SHARE);
	ret_terms[1] = (float)cost(scale, memory - SPREAD_SHARE);
	ret_terms[2] = (float)cost(scale, tasks - SPREAD_SHARE);
	if (epvm_keeps(columns, column))
		ret_terms[2] = -ret_terms[2];
}

/* What a cost is multiplied by when the task comes, less one (0 to 2) and as it is (5, 6); what it may be before, if
 * the task is to spread (3, 4); and that of a full machine (7). */
static void factors(const struct capacity *capacity, double scale, const struct resources *request,
		    float *ret_factors)
{
	double cpu = cost(scale, (double)request->cpu_milli * capacity->per_cpu_milli);
	double memory = cost(scale, (double)request->memory_bytes * capacity->per_memory_byte);
	ret_factors[0] = (float)((cpu - 1.0) * SPREAD_SCALE);
	ret_factors[1] = (float)((memory - 1.0) * SPREAD_SCALE);
	ret_factors[2] = (float)((cost(scale, 1.0 / TASKS_FULL) - 1.0) * SPREAD_SCALE);
	ret_factors[3] = (float)(ROUNDING / cpu);
	ret_factors[4] = (float)(ROUNDING / memory);
	ret_factors[5] = (float)cpu;
	ret_factors[6] = (float)memory;
	ret_factors[7] = (float)(ROUNDING * cost(scale, 1.0 - SPREAD_SHARE));
}

#define SPREADS	 ((t[0] <= f[3]) & (t[1] <= f[4]) & (t[2] > 0.0F))
#define MARGINAL (t[0] * f[0] + t[1] * f[1] + t[2] * f[2])

/* With the task there, of the resource that is used more and of the other. */
#define MORE WIDE_MAX(t[0] * f[5], t[1] * f[6])
#define LESS WIDE_MIN(t[0] * f[5], t[1] * f[6])
/* More than any marginal cost as it is scaled; and more where the machine would have too much. */
#define PACKED (2.0F * f[7] + WIDE_SELECT(MORE > f[7], MORE, -LESS))

SCAN_WHERE(scan_to_spread, SPREADS, MARGINAL)
SCAN_WHERE(scan_to_pack, EVERYWHERE, PACKED)
SCORE_ONE(WIDE_SELECT(SPREADS, MARGINAL, PACKED))

static void scan(SCAN_PARAMETERS)
{
	scan_to_spread(lanes, span, f, needs, best);
	/* All of the span are packed where none of those before spreads either. */
	if (best->score >= 1.0F)
		scan_to_pack(lanes, span, f, needs, best);
}

static const struct score_terms by_terms = { scale_of, terms, factors, score_one, scan };

static double score(const struct scheduler_view *view, size_t column)
{
	return (double)score_by_terms(&by_terms, &view->cluster->columns, column, &view->request);
}

const struct scheduler_ops scheduler_epvm = { "epvm", RANK_BY_TERMS, score, &by_terms };
