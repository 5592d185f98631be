/* A job that runs at times, and what became of its runs. */
#ifndef JOB_SCHEDULE_H
#define JOB_SCHEDULE_H

#include "base/record.h"

/* What happens when its time comes while the run before has not ended: this one is left out, comes after it, or takes
 * its place. */
enum overlap { OVERLAP_SKIP = 0, OVERLAP_QUEUE = 1, OVERLAP_REPLACE = 2 };
extern const struct enum_name overlap_names[]; /* skip, queue, replace */

struct schedule {
	char *cron;
	char *time_zone; /* its name, for people; NULL: UTC */
	char *zone_rule; /* what it means (job/zone.h); NULL: UTC */
	int overlap;
	int64_t catch_up; /* times that passed unseen, the newest so many are made up; 0: 1; CATCH_UP_NONE */
	int64_t history; /* runs kept on record; 0: 10 */
};
extern const struct record_type schedule_type;
#define CATCH_UP_NONE (-1)

/* ERR_INVALID; `field` of the error is the member. */
enum err_code schedule_check(const struct schedule *schedule, struct err *err) WARN_UNUSED;
/* Of one that passes the check: the first time after `after_ms`; INT64_MAX: there is none. Wall clock, milliseconds. */
int64_t schedule_next_ms(const struct schedule *schedule, int64_t after_ms);
int64_t schedule_catch_up(const struct schedule *schedule);
int64_t schedule_history(const struct schedule *schedule);

enum run_outcome {
	RUN_UNDER_WAY = 0,
	RUN_WAITS = 1, /* for the one before to end */
	RUN_SUCCEEDED = 2,
	RUN_FAILED = 3,
	RUN_SKIPPED = 4,  /* the one before had not ended */
	RUN_REPLACED = 5, /* by the next one */
	RUN_STOPPED = 6,
	RUN_MISSED =
		7, /* this time, and those before it that are not listed, passed while nobody could start it */
};
extern const struct enum_name
	run_outcome_names[]; /* running, waiting, succeeded, failed, skipped, ... */

struct job_run {
	int64_t scheduled_wall_ms; /* 0: asked for by hand */
	int64_t started_wall_ms;   /* 0: it was not */
	int64_t ended_wall_ms;
	int outcome;
	bool made_up; /* its time had passed while nobody could start it */
};
extern const struct record_type job_run_type;

/* Of a job that has a schedule. At most one run is under way; those that wait begin after it. */
struct job_runs {
	int64_t until_wall_ms;	      /* the times up to this one are dealt with */
	LIST_OF(struct job_run) runs; /* oldest first */
};
extern const struct record_type job_runs_type;

/* The one under way; NULL: there is none. */
struct job_run *job_runs_open(const struct job_runs *runs);
/* The first that waits; NULL: none does. */
struct job_run *job_runs_waiting(const struct job_runs *runs);
size_t job_runs_count_waiting(const struct job_runs *runs);
/* Of those that have ended the oldest go where there are more than `history`. */
void job_runs_forget(struct job_runs *runs, int64_t history);
/* Add one at the end, after job_runs_forget(). */
struct job_run *job_runs_add(struct job_runs *runs, int64_t history);

#endif
