/* Which tasks would be better off on another node. */
#ifndef MANAGER_REBALANCE_H
#define MANAGER_REBALANCE_H

#include "manager/manager.h"

struct planned_move {
	struct uuid task;
	char *name; /* "shop/web.2" */
	char *from; /* nodes by name, ... */
	char *to;
	struct uuid node; /* ... and the one it goes to */
};
extern const struct record_type planned_move_type;

struct rebalance_plan {
	LIST_OF(struct planned_move) moves; /* at most LIMIT_REBALANCE_MOVES */
	int64_t well;			    /* tasks that are where they should be */
	/* Tasks that are not moved, whatever is better: they may not run twice (a volume, a shared network, a fixed
	 * port, a lease), run to completion or are one per node; or their job is not settled (an update is under way,
	 * a task is not ready). */
	int64_t tied;
	int64_t unsettled;
	bool more; /* there would be more moves */
};
extern const struct record_type rebalance_plan_type;

/* What of it is to be done. */
struct rebalance_request {
	LIST_OF(struct planned_move) moves;
};
extern const struct record_type rebalance_request_type;

/* Until no task is clearly better off elsewhere, with all moves done (scheduler_better()). `manager` is used up: it may
 * only be freed after. The caller releases the plan. */
void manager_plan_rebalance(struct manager *manager, const struct manager_in *in,
			    struct rebalance_plan *ret_plan);

#endif
