/* Round robin: the next node that fits, counted from where the last pick was, whatever it
 * carries. */
#include "scheduler/internal.h"

static double score(const struct scheduler_view *view, size_t column)
{
	size_t n_nodes = view->cluster->columns.n;
	size_t begin = (size_t)(view->round % n_nodes);
	return (double)(column >= begin ? column - begin : column + n_nodes - begin);
}

const struct scheduler_ops scheduler_roundrobin = { "roundrobin", RANK_IN_TURN, score, NULL };
