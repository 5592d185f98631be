/* Binpack: fill nodes before opening new ones. The score is what would be left over, plus four
 * times the imbalance of what is left, because a node with much memory and no CPU left over is of
 * use to nobody (docs/PERFORMANCE.md has what it packs to).
 *
 * Left over is reckoned from expectations alone: measured use would make a busy node look well
 * filled and draw more to it. Only a node that the task would overload, by either reckoning, is put
 * behind all that can take it. */
#include "scheduler/internal.h"
#include "scheduler/scan.h"

#define IMBALANCE_WEIGHT 4.0F
#define OVERLOADED	 1000.0F  /* above any leftover, which is at most 6 */
#define FULL		 1.00001F /* what is exactly full may come out a little above 1 */

static void terms(const struct node_columns *columns, size_t column,
		  const struct capacity *capacity, double scale, float *ret_terms)
{
	(void)scale;
	ret_terms[0] = (float)(1.0 - (double)columns->cpu_expected_milli[column] *
					     capacity->per_cpu_milli);
	ret_terms[1] = (float)(1.0 - (double)columns->memory_expected_bytes[column] *
					     capacity->per_memory_byte);
	ret_terms[2] = (float)((double)load_cpu_milli(columns, column) * capacity->per_cpu_milli);
	ret_terms[3] =
		(float)((double)load_memory_bytes(columns, column) * capacity->per_memory_byte);
}

static void factors(const struct capacity *capacity, double scale, const struct resources *request,
		    float *ret_factors)
{
	(void)scale;
	ret_factors[0] = (float)((double)request->cpu_milli * capacity->per_cpu_milli);
	ret_factors[1] = (float)((double)request->memory_bytes * capacity->per_memory_byte);
}

#define CPU_LEFT    (t[0] - f[0])
#define MEMORY_LEFT (t[1] - f[1])
#define CPU_LOAD    (t[2] + f[0])
#define MEMORY_LOAD (t[3] + f[1])
#define SCORE                                                                                      \
	WIDE_SELECT((CPU_LOAD > FULL) | (MEMORY_LOAD > FULL), OVERLOADED + CPU_LOAD + MEMORY_LOAD, \
		    CPU_LEFT + MEMORY_LEFT + IMBALANCE_WEIGHT * WIDE_ABS(CPU_LEFT - MEMORY_LEFT))
SCHEDULER_SCAN(SCORE)

static const struct score_terms by_terms = { NULL, terms, factors, score_one, scan };

static double score(const struct scheduler_view *view, size_t column)
{
	return (double)score_by_terms(&by_terms, &view->cluster->columns, column, &view->request);
}

const struct scheduler_ops scheduler_binpack = { "binpack", RANK_BY_TERMS, score, &by_terms };
