/* Spread: the node with the fewest tasks of the job, of these the one with the fewest tasks.
 *
 * The terms know the second part only: they rank nodes that have none of the job. */
#include "scheduler/internal.h"
#include "scheduler/scan.h"

/* More than all tasks one node can have, so that one task of the job outweighs any number of
 * others; both counts are far below 2^53, so the sum is exact. */
#define TASK_OF_THE_JOB 16777216.0

static void terms(const struct node_columns *columns, size_t column,
		  const struct capacity *capacity, double scale, float *ret_terms)
{
	(void)capacity;
	(void)scale;
	ret_terms[0] = (float)columns->tasks[column];
}

static void factors(const struct capacity *capacity, double scale, const struct resources *request,
		    float *ret_factors)
{
	(void)capacity;
	(void)scale;
	(void)request;
	ret_factors[0] = 0.0F;
}

SCHEDULER_SCAN(t[0] + f[0])

static const struct score_terms by_terms = { NULL, terms, factors, score_one, scan };

static double score(const struct scheduler_view *view, size_t column)
{
	const struct node_columns *columns = &view->cluster->columns;
	size_t of_the_job = cluster_job_tasks_on(view->job, columns->entry[column]);
	return (double)of_the_job * TASK_OF_THE_JOB + (double)columns->tasks[column];
}

const struct scheduler_ops scheduler_spread = { "spread", RANK_BY_COUNTS, score, &by_terms };
