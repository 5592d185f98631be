/* What jobs wait for before they start, and who is restarted with whom: depend.c, and depend_check.c for what a plan
 * would make of it. */
#ifndef MANAGER_DEPEND_H
#define MANAGER_DEPEND_H

#include "job/depend.h"
#include "manager/core.h"

enum gate { GATE_OPEN = 0, GATE_CLOSED, GATE_FAILED };
/* May tasks of the job's current revision start? `message` says what for it waits, or which dependency failed. */
int depend_gate(const struct manager *manager, const struct job_entry *entry, struct text *message);
/* A task of the current revision was placed once, of a schedule one of the run that goes on: the gate is behind us. */
bool depend_has_begun(const struct job_entry *entry);
/* Has it been given up for what it waits for, before anything of it began? */
bool depend_was_in_vain(const struct job_entry *entry);
/* Who waits for the job, in its project and in others, is looked at again. */
void depend_wake(struct manager *manager, const struct job_entry *entry);
/* Restart the job if that is due, and all it depends on with `restart` has been replaced and is ready. */
void depend_restart(struct manager *manager, const struct job_entry *entry);
/* "; restarts when db has been replaced" where a restart is due. */
void depend_tell_restart(const struct manager *manager, const struct job_entry *entry,
			 struct text *out);

/* Remember which jobs of other projects it depends on: after every change of its current revision. */
void depend_learn(struct manager *manager, const struct job_entry *entry);
/* The jobs of other projects that depend on one, oldest first; the ids are borrowed until the next depend_learn(). */
size_t depend_others(struct manager *manager, const char *project, const char *job,
		     const struct job_id **ret_ids);
void depend_release(struct manager *manager);

/* May the jobs of a plan wait for what it makes them wait for? `request`: of an apply or submit, whose fields are named
 * (ERR_INVALID); NULL: of another request (ERR_CONFLICT). */
enum err_code depend_check(const struct manager *manager, const struct plan *plan,
			   const struct project_request *request, struct err *err) WARN_UNUSED;

#endif
