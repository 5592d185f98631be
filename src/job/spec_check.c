#include "job/spec_check.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "job/constraint.h"
#include "job/depend.h"
#include "job/refuse.h"
#include "job/syntax.h"

/* What Docker itself demands of a memory limit since 20.10. */
#define MEMORY_LIMIT_BYTES_MIN (6LL * 1024 * 1024)
/* The kernel's smallest CPU quota, 1 ms of every 100 ms. */
#define CPU_LIMIT_MILLI_MIN 10

/* Append an amount that is compared with the one beside it. */
typedef void add_amount_fn(struct text *text, int64_t amount, int64_t beside);

static void add_cpus(struct text *text, int64_t cpu_milli, int64_t beside_milli)
{
	(void)beside_milli;
	text_add_cpus(text, cpu_milli);
}

static enum err_code check_pair_of_amounts(const char *reservation, int64_t reserved, int64_t limit,
					   add_amount_fn *add, struct err *err)
{
	if (!limit || reserved <= limit)
		return ERR_NONE;
	struct text text;
	text_init(&text, LIMIT_MESSAGE_BYTES);
	add(&text, reserved, limit);
	text_add(&text, " reserved is more than the limit of ");
	add(&text, limit, reserved);
	refuse(err, ERR_INVALID, AT(reservation), "%s", text_string(&text));
	text_release(&text);
	return ERR_INVALID;
}

static enum err_code check_resources(const struct job_spec *spec, struct err *err)
{
	const struct resources *limits = &spec->limits;
	const struct resources *reservations = &spec->reservations;
	if (limits->memory_bytes && limits->memory_bytes < MEMORY_LIMIT_BYTES_MIN)
		return refuse(err, ERR_INVALID, AT("limits.memory_bytes"),
			      "%lld bytes are less than 6 MB, the least Docker accepts",
			      (long long)limits->memory_bytes);
	if (limits->cpu_milli && limits->cpu_milli < CPU_LIMIT_MILLI_MIN)
		return refuse(err, ERR_INVALID, AT("limits.cpu_milli"),
			      "%lld thousandths of a CPU are less than 10, the least Linux can "
			      "enforce",
			      (long long)limits->cpu_milli);
	if (limits->disk_bytes)
		return refuse(err, ERR_UNSUPPORTED, AT("limits.disk_bytes"),
			      "disk can be reserved but not limited");
	if (reservations->pids)
		return refuse(err, ERR_UNSUPPORTED, AT("reservations.pids"),
			      "processes can be limited but not reserved");
	enum err_code code =
		check_pair_of_amounts("reservations.memory_bytes", reservations->memory_bytes,
				      limits->memory_bytes, text_add_size_beside, err);
	if (code)
		return code;
	return check_pair_of_amounts("reservations.cpu_milli", reservations->cpu_milli,
				     limits->cpu_milli, add_cpus, err);
}

static enum err_code check_placement(const struct placement *placement, struct err *err)
{
	struct constraint constraint;
	for (size_t i = 0; i < placement->constraints.n; i++) {
		enum err_code code =
			constraint_parse(placement->constraints.items[i], &constraint, err);
		if (code)
			return refuse_at(err, code, AT_ITEM("placement.constraints", i));
	}
	for (size_t i = 0; i < placement->preferences.n; i++) {
		enum err_code code =
			preference_parse(placement->preferences.items[i], &constraint, err);
		if (code)
			return refuse_at(err, code, AT_ITEM("placement.preferences", i));
	}
	return ERR_NONE;
}

static enum err_code check_depends_on(const struct job_spec *spec, struct err *err)
{
	for (size_t i = 0; i < spec->depends_on.n; i++) {
		const struct depend *depend = &spec->depends_on.items[i];
		struct spot spot = AT_MEMBER("depends_on", i, "job");
		char name[DEPEND_NAME_SIZE];
		if (!depend->job)
			return refuse(err, ERR_INVALID, spot, "names no job");
		enum err_code code =
			depend->project ? name_check(depend->project, "project", err) : ERR_NONE;
		if (code)
			return refuse_at(err, code, AT_MEMBER("depends_on", i, "project"));
		for (size_t j = 0; j < i; j++)
			if (depend_is_on(&spec->depends_on.items[j], "", depend_project(depend, ""),
					 depend->job))
				return refuse(err, ERR_INVALID, spot, "\"%s\" is written twice",
					      depend_name(depend, name));
	}
	return ERR_NONE;
}

static enum err_code check_lease(const struct job_spec *spec, struct err *err)
{
	if (!spec->lease_ms)
		return ERR_NONE;
	if (spec->on_disconnect != ON_DISCONNECT_STOP)
		return refuse(err, ERR_INVALID, AT("lease_ms"),
			      "a lease belongs to on_disconnect: stop");
	if (spec->lease_ms >= LIMIT_LEASE_MIN_MS)
		return ERR_NONE;
	struct text text;
	text_init(&text, LIMIT_NAME_BYTES);
	text_add_duration(&text, spec->lease_ms);
	text_add(&text, " is shorter than the shortest lease, ");
	text_add_duration(&text, LIMIT_LEASE_MIN_MS);
	refuse(err, ERR_INVALID, AT("lease_ms"), "%s", text_string(&text));
	text_release(&text);
	return ERR_INVALID;
}

static enum err_code check_update(const struct job_spec *spec, struct err *err)
{
	if (spec->update_deadline_ms && spec->update_deadline_ms < LIMIT_UPDATE_DEADLINE_MIN_MS)
		return refuse(
			err, ERR_INVALID, AT("update_deadline_ms"),
			"%lld ms is less than %d s: it takes as long to know that a machine is "
			"lost",
			(long long)spec->update_deadline_ms, LIMIT_UPDATE_DEADLINE_MIN_MS / 1000);
	if (spec->rollback.failure_action == UPDATE_ROLLBACK)
		return refuse(err, ERR_INVALID, AT("rollback.failure_action"),
			      "what fails while it is rolled back is not rolled back again: pause "
			      "or continue");
	if (spec->on_disconnect != ON_DISCONNECT_STOP)
		return ERR_NONE;
	const char *field = spec->update.order == UPDATE_START_FIRST	 ? "update.order"
			    : spec->rollback.order == UPDATE_START_FIRST ? "rollback.order"
									 : NULL;
	return field ? refuse(err, ERR_INVALID, AT(field),
			      "start-first runs two tasks in one slot, which on_disconnect: stop "
			      "forbids")
		     : ERR_NONE;
}

static enum err_code check_array(const struct job_spec *spec, struct err *err)
{
	const char *mode = enum_name(job_mode_names, spec->mode);
	if (spec->concurrency && spec->mode != JOB_REPLICATED_JOB)
		return refuse(err, ERR_INVALID, AT("concurrency"),
			      "it is how many tasks of a replicated-job run at a time, and this is "
			      "a %s one",
			      mode);
	if (!spec->array)
		return ERR_NONE;
	if (spec->mode != JOB_REPLICATED_JOB)
		return refuse(err, ERR_INVALID, AT("array"),
			      "an array runs to completion, as a replicated-job, and this is a %s "
			      "one",
			      mode);
	enum err_code code = array_check(spec->array, err);
	if (code)
		return refuse_at(err, code, AT("array"));
	if (array_size(spec->array) != spec->replicas)
		return refuse(err, ERR_INVALID, AT("replicas"),
			      "the array has %lld indices, and so many tasks: not %lld",
			      (long long)array_size(spec->array), (long long)spec->replicas);
	static const char *const names[] = { ARRAY_INDEX_NAME, ARRAY_SIZE_NAME };
	for (size_t i = 0; i < spec->environment.n; i++)
		for (size_t j = 0; j < ARRAY_LEN(names); j++)
			if (strcmp(spec->environment.items[i].key, names[j]) == 0)
				return refuse(err, ERR_INVALID,
					      spot_of_key(AT("environment"), names[j]),
					      "each task of an array has its own");
	return ERR_NONE;
}

static enum err_code check_schedule(const struct job_spec *spec, struct err *err)
{
	if (!job_spec_completes(spec))
		return refuse(err, ERR_INVALID, AT("schedule"),
			      "what runs at times runs to completion, and a %s service never does",
			      enum_name(job_mode_names, spec->mode));
	enum err_code code = schedule_check(spec->schedule, err);
	if (code)
		err_prefix_field(err, "schedule");
	return code;
}

enum err_code spec_check_place(const struct job_spec *spec, struct err *err)
{
	if (spec->scheduler && !spec->scheduler[0])
		return refuse(err, ERR_INVALID, AT("scheduler"), "an empty text names no policy");
	if (job_spec_is_global(spec) && spec->replicas != 1)
		return refuse(err, ERR_INVALID, AT("replicas"),
			      "a %s job runs one task on each machine, so it has no replicas",
			      enum_name(job_mode_names, spec->mode));
	if (spec->max_run_time_ms && !job_spec_completes(spec))
		return refuse(err, ERR_INVALID, AT("max_run_time_ms"),
			      "it ends what runs to completion, and a %s service never does",
			      enum_name(job_mode_names, spec->mode));
	enum err_code code = check_array(spec, err);
	if (!code && spec->schedule)
		code = check_schedule(spec, err);
	if (!code)
		code = check_resources(spec, err);
	if (!code)
		code = check_placement(&spec->placement, err);
	if (!code)
		code = check_lease(spec, err);
	if (!code)
		code = check_update(spec, err);
	return code ? code : check_depends_on(spec, err);
}

static enum err_code check_size(const struct job_spec *spec, struct err *err)
{
	struct text text;
	text_init(&text, LIMIT_JOB_RECORD_BYTES);
	record_encode(&job_spec_type, spec, &text);
	bool too_large = text.cut;
	text_release(&text);
	if (too_large)
		return refuse(err, ERR_LIMIT, AT(""), "the whole job is larger than %d KB",
			      LIMIT_JOB_RECORD_BYTES / 1024);
	return ERR_NONE;
}

enum err_code job_spec_check(const struct job_spec *spec, struct err *err)
{
	enum err_code code = record_check(&job_spec_type, spec, err);
	if (!code)
		code = spec_check_process(spec, err);
	if (!code)
		code = spec_check_reach(spec, err);
	if (!code)
		code = spec_check_contents(spec, err);
	if (!code)
		code = spec_check_place(spec, err);
	if (!code)
		code = spec_check_tuning(spec, err);
	if (!code)
		code = spec_check_isolation(spec, err);
	if (!code)
		code = spec_check_extras(spec, err);
	if (!code)
		code = spec_check_probe(spec, err);
	if (!code)
		code = spec_check_hooks(spec, err);
	return code ? code : check_size(spec, err);
}
