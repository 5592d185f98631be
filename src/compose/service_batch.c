/* What x-drover says of what runs to completion. */
#include "base/alloc.h"
#include "base/limits.h"
#include "compose/service.h"

void imply_mode(const struct at *at, struct service *service)
{
	const struct tree_node *drover =
		at->node->kind == TREE_MAP ? tree_get(at->node, "x-drover") : NULL;
	if (drover && drover->kind == TREE_MAP && tree_get(drover, "array"))
		service->spec.mode = JOB_REPLICATED_JOB;
}

static enum err_code check_completes(const struct at *at, const struct service *service,
				     const char *key, struct err *err)
{
	if (job_spec_completes(&service->spec))
		return ERR_NONE;
	return at_fail(at, err, ERR_INVALID,
		       "a service of mode %s never completes; %s is for replicated-job and "
		       "global-job",
		       enum_name(job_mode_names, service->spec.mode), key);
}

static enum err_code check_replicated(const struct at *at, const struct service *service,
				      const char *key, struct err *err)
{
	if (service->spec.mode == JOB_REPLICATED_JOB)
		return ERR_NONE;
	return at_fail(at, err, ERR_INVALID, "%s is for a replicated-job, and deploy.mode is %s",
		       key, enum_name(job_mode_names, service->spec.mode));
}

enum err_code read_array(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	const char *text;
	enum err_code code = check_replicated(at, service, "array", err);
	if (!code)
		code = get_scalar(at, &text, err);
	if (code)
		return code;
	service->spec.array = base_calloc(1, sizeof(struct array));
	if (array_parse(text, service->spec.array, err))
		return at_blame(at, err);
	int64_t size = array_size(service->spec.array);
	if (service->replicas_written && service->spec.replicas != size)
		return at_fail(at, err, ERR_INVALID,
			       "the array has %lld indices, and %lld replicas are written; leave "
			       "the replicas out",
			       (long long)size, (long long)service->spec.replicas);
	service->spec.replicas = size;
	return ERR_NONE;
}

enum err_code read_concurrency(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	enum err_code code = check_replicated(at, service, "concurrency", err);
	return code ? code : get_integer(at, 1, LIMIT_REPLICAS, &service->spec.concurrency, err);
}

enum err_code read_max_run_time(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	enum err_code code = check_completes(at, service, "max_run_time", err);
	return code ? code : read_duration(at, &service->spec.max_run_time_ms, err);
}
