/* Runs of jobs that have a schedule: how they begin and end (runs.c). */
#ifndef MANAGER_RUNS_H
#define MANAGER_RUNS_H

#include "manager/core.h"

/* Has it a schedule, and no run is under way? */
bool job_is_between_runs(const struct job_entry *entry);
/* The job's record as it is when this run begins. */
void run_begin(const struct manager *manager, struct job *job, struct job_run *run);
/* ... when it is stopped: with that its runs are over. */
void runs_stop(const struct manager *manager, const struct job_entry *entry, struct job *job);
/* ... and when its specification changes; `before` NULL: it is new. */
void runs_change(struct job *job, const struct job_spec *before, const struct job_spec *after);
/* Has its run come to its end, and does another begin? True: the job is to be looked at again. */
bool runs_settle(struct manager *manager, const struct job_entry *entry,
		 const struct job_facts *facts);
void runs_watch(struct manager *manager, const struct job_entry *entry);
/* Begin the runs whose time has come. */
void runs_due(struct manager *manager);
int64_t runs_deadline(const struct manager *manager);
/* How many tasks of the runs before have not ended, on machines that can say so, and the first of them. */
size_t runs_left(const struct job_entry *entry, const struct task **ret_first);
/* When the next run is, and how the last one was. */
void runs_tell(const struct job_entry *entry, struct text *out);
/* REQUEST_RUN_AGAIN. ERR_CONFLICT: one is under way, or waits and has begun with this. Else as act(). */
enum err_code run_again(struct manager *manager, const struct manager_request *request,
			struct manager_answer *answer, struct err *err) WARN_UNUSED;

#endif
