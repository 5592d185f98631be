#include "job/depend.h"

#include <string.h>

const char *depend_name(const struct depend *depend, char out[DEPEND_NAME_SIZE])
{
	text_print(out, DEPEND_NAME_SIZE, "%s%s%s", depend->project ? depend->project : "",
		   depend->project ? "/" : "", depend->job);
	return out;
}

const char *depend_project(const struct depend *depend, const char *own)
{
	return depend->project ? depend->project : own;
}

bool depend_is_on(const struct depend *depend, const char *own, const char *project,
		  const char *job)
{
	return strcmp(depend->job, job) == 0 && strcmp(depend_project(depend, own), project) == 0;
}

bool depend_may_be_met(const struct depend *depend, const struct job_spec *target, struct text *why)
{
	char name[DEPEND_NAME_SIZE];
	depend_name(depend, name);
	if (target->schedule)
		text_addf(why, "%s runs at times, again and again: nothing can wait for it", name);
	else if (depend->condition == DEPEND_COMPLETED && !job_spec_completes(target) &&
		 target->restart.condition == RESTART_ANY)
		text_addf(why,
			  "%s never completes: it is a service that is restarted whatever it exits "
			  "with; make it a replicated-job, or write another restart policy",
			  name);
	else if (depend->condition == DEPEND_HEALTHY && target->health_check.disabled &&
		 !target->probe)
		text_addf(why, "%s is never healthy: its health check is disabled", name);
	else
		return true;
	return false;
}
