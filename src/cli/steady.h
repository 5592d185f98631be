/* Which tasks have come up to stay. A container that ends a moment after its start, and is started again, is ready
 * again and again in between: what is seen once says little where no health check does. */
#ifndef CLI_STEADY_H
#define CLI_STEADY_H

#include "api/views.h"
#include "base/map.h"

/* How long a task without a health check runs before it is up, where nobody says otherwise. */
#define STEADY_SETTLE_MS 1000
/* The same of one that ended while it was watched: as long as an update's monitor where nothing is written. */
#define STEADY_AGAIN_MS 5000
/* As many containers of one task have ended while it was watched: it does not come up by waiting. */
#define STEADY_ENDS_MAX 5

/* All-zero is a valid beginning. */
struct steady {
	struct map tasks; /* task id -> struct steady_task */
};
void steady_release(struct steady *steady);

/* Look at a task as it is at `now_ms` (any monotonic clock, the same for all calls). */
void steady_look(struct steady *steady, const struct task_view *task, int64_t now_ms);

/* Ready, and by its health check, or for `settle_ms` in one go (STEADY_AGAIN_MS, where that is more, once it ended
 * while it was watched; 0: at once, whatever was before). Of a task that was looked at. */
bool steady_is(const struct steady *steady, const struct task_view *task, int64_t settle_ms,
	       int64_t now_ms);

/* Ended STEADY_ENDS_MAX times while it was watched, and waits to be started once more. One that is about to be replaced
 * in an update of its job does not count: it may well be what the update is to mend. */
bool steady_keeps_ending(const struct steady *steady, const struct job_view *job,
			 const struct task_view *task);

#endif
