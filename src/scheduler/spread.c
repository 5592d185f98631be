/* Spread: the node with the fewest tasks of the job, of these the one with the fewest tasks. */
#include "scheduler/internal.h"

/* More than all tasks one node can have, so that one task of the job outweighs any number of
 * others; both counts are far below 2^53, so the sum is exact. */
#define TASK_OF_THE_JOB 16777216.0

static double score(const struct scheduler_view *view, size_t column)
{
	const struct node_columns *columns = &view->cluster->columns;
	size_t of_the_job = cluster_job_tasks_on(view->job, columns->entry[column]);
	return (double)of_the_job * TASK_OF_THE_JOB + (double)columns->tasks[column];
}

const struct scheduler_ops scheduler_spread = { "spread", score };
