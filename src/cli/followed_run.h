/* One run of a job with a schedule, as it is followed: which tasks are its own, and how it ended. The job goes on to
 * its next run when this one is over. No I/O.
 *
 * Tasks do not say of which run they are. All that were there while the run was under way are; of those that are seen
 * only once it is over, those made before the next run began. A clock that is set back meanwhile thus matters to the
 * few tasks made between the last look and the end, and only where the next run has begun. */
#ifndef CLI_FOLLOWED_RUN_H
#define CLI_FOLLOWED_RUN_H

#include "api/views.h"

struct followed_run {
	int64_t started_wall_ms; /* which run it is; 0: the job has no schedule, all tasks after `after` are meant */
	struct uuid after;    /* tasks up to this one are those of earlier runs */
	struct uuid known;    /* tasks up to this one were seen while it was under way */
	int64_t next_wall_ms; /* when another one began after it; 0: none has */
	bool on_record;
	bool ended;
	bool well;
};

/* What the history says of it. One that is not on record any more has ended, and nobody knows how. */
void followed_run_look(struct followed_run *run, const struct job_history *history);
/* The job's tasks as they were before a look that found it under way. */
void followed_run_know(struct followed_run *run, const struct task_page *tasks);
bool followed_run_has(const struct followed_run *run, const struct task_view *task);

#endif
