/* What x-drover says of what runs to completion. */
#include "compose/service.h"

enum err_code read_max_run_time(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	if (!job_spec_completes(&service->spec))
		return at_fail(at, err, ERR_INVALID,
			       "a service of mode %s never completes; max_run_time is for "
			       "replicated-job and global-job",
			       enum_name(job_mode_names, service->spec.mode));
	return read_duration(at, &service->spec.max_run_time_ms, err);
}
