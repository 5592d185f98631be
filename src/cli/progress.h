/* Waiting for jobs with something to look at: a table redrawn in place on a terminal, a line per change otherwise. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "cli/output.h"

enum progress_goal {
	PROGRESS_UP,	  /* every job runs as wanted, or has completed */
	PROGRESS_GONE,	  /* no task and no job of the project is left */
	PROGRESS_STOPPED, /* no task of the jobs runs or will run */
};

struct progress_options {
	const char *project;
	const struct strings *jobs; /* names; NULL: all of the project */
	enum progress_goal goal;
	const struct manager_answer *asked; /* with which revisions; NULL: whichever there are */
	int64_t timeout_ms;		    /* 0: as long as it takes */
	int64_t settle_ms; /* PROGRESS_UP: how long a task without a health check runs before it is up; 0: at once */
	bool quiet;
};

/* Wait for the goal. ERR_FAILED with the reason when it cannot be reached by waiting (a task that cannot start, a
 * policy used up, a container that ends again and again, an update that was paused or rolled back, no room on any node
 * for 10 s; a stop that no node can confirm because it cannot be reached), ERR_TIMEOUT naming what is missing. */
enum err_code progress_wait(struct invocation *invocation, const struct progress_options *options,
			    struct err *err) WARN_UNUSED;

#endif
