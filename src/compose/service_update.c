/* How a service goes from one revision to the next. */
#include "base/limits.h"
#include "compose/keys.h"
#include "compose/service.h"

static enum err_code read_policy(const struct at *at, const struct job_spec *spec,
				 enum section_id section, struct update_policy *policy,
				 struct err *err)
{
	if (job_spec_completes(spec))
		return at_fail(at, err, ERR_INVALID,
			       "a %s runs to completion and is not updated task by task",
			       enum_name(job_mode_names, spec->mode));
	return keys_read(at, section, policy, err);
}

enum err_code read_update_config(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	return read_policy(at, &service->spec, SECTION_UPDATE_CONFIG, &service->spec.update, err);
}

enum err_code read_rollback_config(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	return read_policy(at, &service->spec, SECTION_ROLLBACK_CONFIG, &service->spec.rollback,
			   err);
}

static enum err_code read_word_of(const struct at *at, const struct enum_name *names,
				  const char *expected, int *target, struct err *err)
{
	const char *word;
	enum err_code code = get_string(at, &word, err);
	if (!code && !enum_value(names, word, target))
		code = fail_type(at, expected, err);
	return code;
}

enum err_code read_update_order(const struct at *at, void *int_pointer, struct err *err)
{
	return read_word_of(at, update_order_names, "stop-first or start-first", int_pointer, err);
}

enum err_code read_update_failure(const struct at *at, void *int_pointer, struct err *err)
{
	return read_word_of(at, update_failure_names, "pause, continue or rollback", int_pointer,
			    err);
}

/* What is written as it would be without a word is as if it were not written. */

enum err_code read_parallelism(const struct at *at, void *int64, struct err *err)
{
	int64_t *parallelism = int64;
	enum err_code code = read_count(at, parallelism, err);
	if (!code)
		*parallelism = *parallelism == 0   ? UPDATE_ALL
			       : *parallelism == 1 ? 0
						   : *parallelism;
	return code;
}

static enum err_code read_duration_beside(const struct at *at, int64_t initial_ms,
					  int64_t *duration_ms, struct err *err)
{
	enum err_code code = read_duration(at, duration_ms, err);
	if (!code && *duration_ms == initial_ms)
		*duration_ms = 0;
	return code;
}

enum err_code read_monitor(const struct at *at, void *int64_ms, struct err *err)
{
	return read_duration_beside(at, LIMIT_UPDATE_MONITOR_MS, int64_ms, err);
}

enum err_code read_update_deadline(const struct at *at, void *int64_ms, struct err *err)
{
	return read_duration_beside(at, LIMIT_MOVE_STEP_MS, int64_ms, err);
}
