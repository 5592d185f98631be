/* What a job waits for: another job of its project, or one of another project. */
#ifndef JOB_DEPEND_H
#define JOB_DEPEND_H

#include "base/limits.h"
#include "base/text.h"
#include "job/spec.h"

#define DEPEND_NAME_SIZE (2 * LIMIT_NAME_BYTES + 2)
/* "db"; of another project "infra/db". */
const char *depend_name(const struct depend *depend, char out[DEPEND_NAME_SIZE]);

/* The project of what is waited for by a job of project `own`. */
const char *depend_project(const struct depend *depend, const char *own);

/* Does a job of project `own` with this wait for that job? */
bool depend_is_on(const struct depend *depend, const char *own, const char *project,
		  const char *job);

/* Can a job of this specification ever meet it? Else a sentence that says why not is added to `why`. */
bool depend_may_be_met(const struct depend *depend, const struct job_spec *target,
		       struct text *why);

#endif
