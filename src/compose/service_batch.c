/* What x-drover says of what runs to completion. */
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "compose/keys.h"
#include "compose/service.h"
#include "job/cron.h"

/* Where every Linux has them, as tzdata installs them. */
#define ZONES_FOLDER "/usr/share/zoneinfo/"

void imply_mode(const struct at *at, struct service *service)
{
	const struct tree_node *drover =
		at->node->kind == TREE_MAP ? tree_get(at->node, "x-drover") : NULL;
	if (drover && drover->kind == TREE_MAP &&
	    (tree_get(drover, "array") || tree_get(drover, "schedule")))
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

enum err_code read_cron(const struct at *at, void *target, struct err *err)
{
	char **cron = target;
	struct cron parsed;
	const char *text;
	enum err_code code = get_string(at, &text, err);
	if (code)
		return code;
	if (cron_parse(text, &parsed, err))
		return at_blame(at, err);
	string_set(cron, text);
	return ERR_NONE;
}

/* Its file is read here, where it was written down: the manager is told the rule. */
enum err_code read_time_zone(const struct at *at, void *target, struct err *err)
{
	struct schedule *schedule = target;
	const char *name;
	char path[LIMIT_NAME_BYTES + sizeof(ZONES_FOLDER)];
	char rule[LIMIT_NAME_BYTES + 1];
	size_t len;
	enum err_code code = get_string(at, &name, err);
	if (code)
		return code;
	if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/") !=
		    strlen(name) ||
	    !*name || *name == '/' || strlen(name) > LIMIT_NAME_BYTES)
		return fail_type(at, "a time zone like Europe/Berlin", err);
	if (strcmp(name, "UTC") == 0)
		return ERR_NONE;
	text_print(path, sizeof(path), ZONES_FOLDER "%s", name);
	_cleanup_free_ char *bytes = NULL;
	code = load_read(at, "time zone's file", path, &bytes, &len, err);
	if (code)
		return code;
	if (zone_read_file(bytes, len, rule, sizeof(rule), err))
		return at_blame(at, err);
	string_set(&schedule->time_zone, name);
	string_set(&schedule->zone_rule, rule);
	return ERR_NONE;
}

enum err_code read_overlap(const struct at *at, void *int_pointer, struct err *err)
{
	const char *word;
	enum err_code code = get_string(at, &word, err);
	if (!code && !enum_value(overlap_names, word, int_pointer))
		code = fail_type(at, "skip, queue or replace", err);
	return code;
}

/* What is written as it would be without a word is as if it were not written. */
enum err_code read_catch_up(const struct at *at, void *int64, struct err *err)
{
	int64_t *n = int64;
	enum err_code code = get_integer(at, 0, LIMIT_RUNS_PER_JOB, n, err);
	if (!code)
		*n = *n == 0 ? CATCH_UP_NONE : *n == 1 ? 0 : *n;
	return code;
}

enum err_code read_run_history(const struct at *at, void *int64, struct err *err)
{
	static const struct schedule initial;
	int64_t *n = int64;
	enum err_code code = get_integer(at, 1, LIMIT_RUNS_PER_JOB, n, err);
	if (!code && *n == schedule_history(&initial))
		*n = 0;
	return code;
}

enum err_code read_schedule(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	enum err_code code = check_completes(at, service, "schedule", err);
	if (code)
		return code;
	struct schedule *schedule = base_calloc(1, sizeof(*schedule));
	service->spec.schedule = schedule;
	if (at->node->kind == TREE_LIST || at_is_null(at))
		return fail_type(at, "times as in crontab, or a mapping", err);
	if (at->node->kind != TREE_MAP)
		return read_cron(at, &schedule->cron, err);
	code = keys_read(at, SECTION_SCHEDULE, schedule, err);
	if (!code && !schedule->cron)
		code = at_fail(at, err, ERR_INVALID, "a schedule says when: cron");
	return code;
}

enum err_code read_max_run_time(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	enum err_code code = check_completes(at, service, "max_run_time", err);
	return code ? code : read_duration(at, &service->spec.max_run_time_ms, err);
}
