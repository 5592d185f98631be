/* Stories of runs: "shop/backup", a run to completion of one task with a schedule, from 2026-05-01 00:00 UTC on. */
#ifndef STORY_MANAGER_RUNS_H
#define STORY_MANAGER_RUNS_H

#include "manager_story.h"

#define MINUTE_MS 60000LL
#define HOUR_MS	  (60 * MINUTE_MS)
#define DAY_MS	  (24 * HOUR_MS)

/* When they begin. */
#define MAY_MS 1777593600000LL

/* The job is in the request that is being built, and there is a machine. Returns its schedule, to be changed. */
struct schedule *runs_begin(struct story *story, const char *cron);
const struct job_runs *runs_of(struct story *story);
/* "03:00 succeeded, 04:00 skipped" by hours since the story began, "-" for one by hand, "!" behind one made up. */
void runs_expect(struct story *story, const char *expected);
/* The first task exits. */
void runs_end(struct story *story, bool well);

#endif
