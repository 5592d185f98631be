#include "job/schedule.h"

#include <string.h>

#include "base/limits.h"
#include "job/cron.h"

#define CATCH_UP_INITIAL 1
#define HISTORY_INITIAL	 10

// clang-format off
const struct enum_name overlap_names[] = {
	{ OVERLAP_SKIP, "skip" }, { OVERLAP_QUEUE, "queue" }, { OVERLAP_REPLACE, "replace" }, { 0 }
};
const struct enum_name run_outcome_names[] = {
	{ RUN_UNDER_WAY, "running" }, { RUN_WAITS, "waiting" }, { RUN_SUCCEEDED, "succeeded" },
	{ RUN_FAILED, "failed" }, { RUN_SKIPPED, "skipped" }, { RUN_REPLACED, "replaced" },
	{ RUN_STOPPED, "stopped" }, { RUN_MISSED, "missed" }, { 0 }
};

static const struct field schedule_fields[] = {
	ROW_STRING(1, struct schedule, cron, LIMIT_CRON_BYTES, .flags = FIELD_REQUIRED),
	ROW_STRING(2, struct schedule, time_zone, LIMIT_NAME_BYTES),
	ROW_STRING(3, struct schedule, zone_rule, LIMIT_NAME_BYTES),
	ROW_ENUM(4, struct schedule, overlap, overlap_names),
	ROW_INT(5, struct schedule, catch_up, LIMIT_RUNS_PER_JOB, .min = CATCH_UP_NONE),
	ROW_INT(6, struct schedule, history, LIMIT_RUNS_PER_JOB),
};
RECORD_TYPE(schedule, struct schedule, schedule_fields);

static const struct field job_run_fields[] = {
	ROW_INT(1, struct job_run, scheduled_wall_ms, LIMIT_WALL_MS),
	ROW_INT(2, struct job_run, started_wall_ms, LIMIT_WALL_MS),
	ROW_INT(3, struct job_run, ended_wall_ms, LIMIT_WALL_MS),
	ROW_ENUM(4, struct job_run, outcome, run_outcome_names),
	ROW_BOOL(5, struct job_run, made_up),
};
RECORD_TYPE(job_run, struct job_run, job_run_fields);

static const struct field job_runs_fields[] = {
	ROW_INT(1, struct job_runs, until_wall_ms, LIMIT_WALL_MS),
	ROW_STRUCTS(2, struct job_runs, runs, job_run, 3 * LIMIT_RUNS_PER_JOB),
};
RECORD_TYPE(job_runs, struct job_runs, job_runs_fields);
// clang-format on

static const char *rule_of(const struct schedule *schedule)
{
	return schedule->zone_rule ? schedule->zone_rule : ZONE_UTC;
}

enum err_code schedule_check(const struct schedule *schedule, struct err *err)
{
	struct cron cron;
	struct zone zone;
	if (!schedule->cron)
		return err_set_field(err, ERR_INVALID, "cron", "a schedule says when: cron");
	if (cron_parse(schedule->cron, &cron, err)) {
		err_prefix_field(err, "cron");
		return err->code;
	}
	if (zone_parse(rule_of(schedule), &zone, err)) {
		err_prefix_field(err, "zone_rule");
		return err->code;
	}
	if (schedule->time_zone && !schedule->zone_rule)
		return err_set_field(err, ERR_INVALID, "zone_rule",
				     "it says what the time zone %s means, as in TZ of POSIX",
				     schedule->time_zone);
	return ERR_NONE;
}

int64_t schedule_next_ms(const struct schedule *schedule, int64_t after_ms)
{
	struct cron cron;
	struct zone zone;
	struct err err;
	if (cron_parse(schedule->cron, &cron, &err) || zone_parse(rule_of(schedule), &zone, &err))
		return INT64_MAX;
	int64_t next_s = cron_next(&cron, &zone, after_ms / 1000);
	return next_s == CRON_NEVER || next_s > LIMIT_WALL_MS / 1000 ? INT64_MAX : next_s * 1000;
}

int64_t schedule_catch_up(const struct schedule *schedule)
{
	if (schedule->catch_up == CATCH_UP_NONE)
		return 0;
	return schedule->catch_up ? schedule->catch_up : CATCH_UP_INITIAL;
}

int64_t schedule_history(const struct schedule *schedule)
{
	return schedule->history ? schedule->history : HISTORY_INITIAL;
}

static struct job_run *first_with(const struct job_runs *runs, int outcome)
{
	for (size_t i = 0; i < runs->runs.n; i++)
		if (runs->runs.items[i].outcome == outcome)
			return &runs->runs.items[i];
	return NULL;
}

struct job_run *job_runs_open(const struct job_runs *runs)
{
	return first_with(runs, RUN_UNDER_WAY);
}

struct job_run *job_runs_waiting(const struct job_runs *runs)
{
	return first_with(runs, RUN_WAITS);
}

size_t job_runs_count_waiting(const struct job_runs *runs)
{
	size_t n = 0;
	for (size_t i = 0; i < runs->runs.n; i++)
		n += runs->runs.items[i].outcome == RUN_WAITS;
	return n;
}

static bool has_ended(const struct job_run *run)
{
	return run->outcome != RUN_UNDER_WAY && run->outcome != RUN_WAITS;
}

void job_runs_forget(struct job_runs *runs, int64_t history)
{
	int64_t n_ended = 0;
	for (size_t i = 0; i < runs->runs.n; i++)
		n_ended += has_ended(&runs->runs.items[i]);
	for (size_t i = 0; i < runs->runs.n && n_ended > history;) {
		if (!has_ended(&runs->runs.items[i])) {
			i++;
			continue;
		}
		memmove(runs->runs.items + i, runs->runs.items + i + 1,
			(runs->runs.n - i - 1) * sizeof(struct job_run));
		runs->runs.n--;
		n_ended--;
	}
}

struct job_run *job_runs_add(struct job_runs *runs, int64_t history)
{
	job_runs_forget(runs, history);
	return list_add(&runs->runs, sizeof(struct job_run));
}
