/* Greedy: the least loaded node, where a node is as loaded as its scarcest resource would be with
 * the task on it. */
#include "scheduler/internal.h"
#include "scheduler/scan.h"

static void terms(const struct node_columns *columns, size_t column,
		  const struct capacity *capacity, double scale, float *ret_terms)
{
	(void)scale;
	ret_terms[0] = (float)((double)load_cpu_milli(columns, column) * capacity->per_cpu_milli);
	ret_terms[1] =
		(float)((double)load_memory_bytes(columns, column) * capacity->per_memory_byte);
}

static void factors(const struct capacity *capacity, double scale, const struct resources *request,
		    float *ret_factors)
{
	(void)scale;
	ret_factors[0] = (float)((double)request->cpu_milli * capacity->per_cpu_milli);
	ret_factors[1] = (float)((double)request->memory_bytes * capacity->per_memory_byte);
}

SCHEDULER_SCAN(WIDE_MAX(t[0] + f[0], t[1] + f[1]))

static const struct score_terms by_terms = { NULL, terms, factors, score_one, scan };

static double score(const struct scheduler_view *view, size_t column)
{
	return (double)score_by_terms(&by_terms, &view->cluster->columns, column, &view->request);
}

const struct scheduler_ops scheduler_greedy = { "greedy", RANK_BY_TERMS, score, &by_terms };
