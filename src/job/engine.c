/* What a Docker must be able to do for a job. */
#include <string.h>

#include "job/spec.h"

static struct engine_need greater(struct engine_need a, struct engine_need b)
{
	return b.minor > a.minor ? b : a;
}

static struct engine_need of_isolation(const struct isolation *isolation)
{
	for (size_t i = 0; i < isolation->device_requests.n; i++) {
		const char *driver = isolation->device_requests.items[i].driver;
		if (driver && strcmp(driver, DEVICE_DRIVER_CDI) == 0)
			return (struct engine_need){ 44, "a CDI device" };
	}
	return (struct engine_need){ 0 };
}

struct engine_need job_spec_engine_need(const struct job_spec *spec)
{
	struct engine_need need = { 0 };
	if (spec->health_check.start_interval_ms)
		need = (struct engine_need){ 44, "start_interval" };
	if (job_spec_extras(spec)->annotations.n)
		need = greater(need, (struct engine_need){ 43, "annotations" });
	return greater(need, of_isolation(job_spec_isolation(spec)));
}
