/* Jobs that run at times: when their time comes a run begins, all slots anew; when every slot has come to its end the
 * run is over, and nothing of it is filled again until the next one.
 *
 * Wall clocks decide here, and nowhere else. What is dealt with is on record with the job, up to a time, in the group
 * that deals with it: so a manager that restarts, or a clock that is set back, begins no run twice. A clock is looked
 * at once a minute at least, so one that was set is seen.
 *
 * Invariants: at most one run of a job is under way; a slot is filled only while one is, and what is left of it then
 * is stopped; one begins, at its time, in the place of another or as somebody asks for it, only when nothing of one
 * before is left; no more runs that have ended are on record than the history says; each time that has come is on
 * record as a run, as skipped or as missed, or lies before one that is missed. */
#include "manager/runs.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/planted.h"
#include "job/cron.h"
#include "manager/roster.h"

#define LOOK_MS 60000
/* What waits for a machine to come back is looked at so often. */
#define UNHEARD_MS 1000
/* What is further ahead than this was written by a clock that was wrong. */
#define AHEAD_MAX_MS (25LL * 3600 * 1000)
/* So many times are looked at one by one, and then those are leapt over that are too old to matter. */
#define TIMES_MAX 500

static const struct schedule *schedule_of(const struct job_entry *entry)
{
	return job_entry_current(entry)->spec.schedule;
}

bool job_is_between_runs(const struct job_entry *entry)
{
	return schedule_of(entry) && !job_runs_open(&entry->job.scheduled);
}

int64_t manager_next_run_ms(const struct job_entry *entry)
{
	const struct schedule *schedule = schedule_of(entry);
	int64_t until_ms = entry->job.scheduled.until_wall_ms;
	bool waits = schedule && until_ms && entry->job.wanted == JOB_RUN;
	return waits ? schedule_next_ms(schedule, until_ms) : INT64_MAX;
}

static void put(struct manager *manager, struct job *job)
{
	group_reserve(manager, 1);
	job_write(manager, job, NULL);
}

static void tell(struct manager *manager, const struct job *job, const char *state,
		 const char *what)
{
	char name[JOB_NAME_SIZE];
	text_print(name, sizeof(name), "%s/%s", job->project, job->name);
	notes_add(&manager->out->notes, "job %s: %s", name, what);
	happen(manager, "job", name, job->id.uuid, state, "", what);
}

/* ---- a run ---- */

void run_begin(const struct manager *manager, struct job *job, struct job_run *run)
{
	run->outcome = RUN_UNDER_WAY;
	run->started_wall_ms = wall_now(manager);
	job->restarts_asked++;
}

static void run_end(const struct manager *manager, struct job_run *run, int outcome)
{
	run->outcome = outcome;
	run->ended_wall_ms = wall_now(manager);
}

/* All that have not ended. Some may be forgotten on return. */
static void end_all(const struct manager *manager, const struct schedule *schedule,
		    struct job_runs *runs, int outcome)
{
	for (size_t i = 0; i < runs->runs.n; i++)
		if (runs->runs.items[i].outcome == RUN_UNDER_WAY ||
		    runs->runs.items[i].outcome == RUN_WAITS)
			run_end(manager, &runs->runs.items[i], outcome);
	job_runs_forget(runs, schedule_history(schedule));
}

/* It may be forgotten on return. */
static void run_end_at_once(const struct manager *manager, const struct schedule *schedule,
			    struct job *job, struct job_run *run, int outcome)
{
	run_end(manager, run, outcome);
	job_runs_forget(&job->scheduled, schedule_history(schedule));
}

/* What is on a machine that is lost is not waited for. Of a success at most a container that has exited is left. */
size_t runs_left(const struct job_entry *entry, const struct task **ret_first)
{
	size_t n = 0;
	*ret_first = NULL;
	for (size_t i = 0; i < entry->tasks.n; i++) {
		const struct task *task = entry->tasks.items[i];
		if (task_is_off(task) || task->unreachable || task_succeeded(task))
			continue;
		if (!n++)
			*ret_first = task;
	}
	return n;
}

static bool is_anything_left(const struct job_entry *entry)
{
	const struct task *first;
	return runs_left(entry, &first) > 0;
}

/* The time of a run has come. */
static void come(struct manager *manager, const struct job_entry *entry, struct job *job,
		 int64_t time_ms, bool made_up)
{
	const struct schedule *schedule = schedule_of(entry);
	struct job_runs *runs = &job->scheduled;
	bool beside = PLANTED(PLANTED_RUN_BESIDE);
	bool busy = (job_runs_open(runs) || job_runs_waiting(runs)) && !beside;
	/* Of one that was stopped: on record it has ended. */
	bool left = !busy && !beside && is_anything_left(entry);
	bool replaces = busy && schedule->overlap == OVERLAP_REPLACE;
	bool skipped = busy && schedule->overlap == OVERLAP_SKIP;
	if (busy && !replaces && job_runs_count_waiting(runs) >= LIMIT_RUNS_PER_JOB)
		skipped = true;
	if (replaces)
		end_all(manager, schedule, runs, RUN_REPLACED);
	struct job_run *run = job_runs_add(runs, schedule_history(schedule));
	run->scheduled_wall_ms = time_ms;
	run->made_up = made_up;
	if (skipped) {
		run_end_at_once(manager, schedule, job, run, RUN_SKIPPED);
		tell(manager, job, "run_skipped", "the run before has not ended: skipped");
	} else if (busy) {
		run->outcome = RUN_WAITS;
		tell(manager, job, "run_waits",
		     replaces
			     ? "the run before has not ended: it is stopped, and the next one waits"
			     : "the run before has not ended: the next one waits");
	} else if (left) {
		run->outcome = RUN_WAITS;
		tell(manager, job, "run_waits",
		     "what is left of the run before has not ended: the next one waits");
	} else {
		run_begin(manager, job, run);
		tell(manager, job, "run_began",
		     made_up ? "a run begins whose time was missed"
			     : "its time has come: a run begins");
	}
}

/* ---- times ---- */

struct times {
	int64_t newest[LIMIT_RUNS_PER_JOB + 1]; /* ascending */
	size_t n;
	int64_t dropped_ms; /* the newest that is not among them; 0: there is none */
};

static void add_time(struct times *times, size_t keep, int64_t time_ms)
{
	if (times->n == keep) {
		times->dropped_ms = times->newest[0];
		for (size_t i = 1; i < times->n; i++)
			times->newest[i - 1] = times->newest[i];
		times->n--;
	}
	times->newest[times->n++] = time_ms;
}

static bool has_more_than(const struct schedule *schedule, int64_t from_ms, int64_t now_ms,
			  size_t n)
{
	for (size_t i = 0; i <= n; i++) {
		from_ms = schedule_next_ms(schedule, from_ms);
		if (from_ms > now_ms)
			return false;
	}
	return true;
}

/* As far as there are so many times behind that all before are forgotten, and the newest of those as well. */
static int64_t leap(const struct schedule *schedule, int64_t from_ms, int64_t now_ms, size_t keep)
{
	for (int64_t far_ms = (now_ms - from_ms) / 2; far_ms >= 60000; far_ms /= 2)
		if (has_more_than(schedule, from_ms + far_ms, now_ms, keep))
			return from_ms + far_ms;
	return from_ms;
}

/* The newest `keep` times after `from_ms` up to now. */
static void find_times(const struct schedule *schedule, int64_t from_ms, int64_t now_ms,
		       size_t keep, struct times *times)
{
	*times = (struct times){ .n = 0 };
	for (int n = 1;; n++) {
		int64_t next_ms = schedule_next_ms(schedule, from_ms);
		if (next_ms > now_ms)
			return;
		add_time(times, keep, next_ms);
		from_ms = next_ms;
		if (n % TIMES_MAX == 0)
			from_ms = leap(schedule, from_ms, now_ms, keep);
	}
}

static void miss(struct manager *manager, const struct schedule *schedule, struct job *job,
		 int64_t time_ms)
{
	struct job_run *run = job_runs_add(&job->scheduled, schedule_history(schedule));
	run->scheduled_wall_ms = time_ms;
	run_end_at_once(manager, schedule, job, run, RUN_MISSED);
	tell(manager, job, "run_missed", "times passed while nobody could start it: missed");
}

/* What has come since it was last looked at: the times that are late are made up as far as the schedule says. */
static void catch_up(struct manager *manager, const struct job_entry *entry, struct job *job)
{
	const struct schedule *schedule = schedule_of(entry);
	int64_t now_ms = wall_now(manager);
	size_t n_made_up = (size_t)schedule_catch_up(schedule);
	struct times times;
	find_times(schedule, job->scheduled.until_wall_ms, now_ms, n_made_up + 1, &times);
	size_t n_late = 0;
	while (n_late < times.n && now_ms - times.newest[n_late] > LIMIT_SCHEDULE_LATE_MS)
		n_late++;
	size_t first = n_late > n_made_up ? n_late - n_made_up : 0;
	if (first)
		times.dropped_ms = times.newest[first - 1];
	if (times.dropped_ms)
		miss(manager, schedule, job, times.dropped_ms);
	for (size_t i = first; i < times.n; i++)
		come(manager, entry, job, times.newest[i], i < n_late);
	if (times.n)
		job->scheduled.until_wall_ms = times.newest[times.n - 1];
}

/* Is a run under way as far as is known, on a machine that is not connected? It may have ended, which that says when it
 * is back; when it is lost, it is waited for no longer. */
static bool may_have_ended(const struct manager *manager, const struct job_entry *entry)
{
	bool unheard = false;
	for (size_t i = 0; i < entry->tasks.n && !unheard; i++) {
		const struct task *task = entry->tasks.items[i];
		const struct node_watch *watch = map_get(&manager->nodes, task->desired.node.uuid);
		unheard = !task_is_final(task->state) && !task->unreachable && watch &&
			  !watch->session;
	}
	return unheard && job_runs_open(&entry->job.scheduled);
}

static void look(struct manager *manager, struct job_entry *entry)
{
	int64_t now_ms = wall_now(manager);
	int64_t ahead_max_ms = PLANTED(PLANTED_RUN_AGAIN) ? 0 : AHEAD_MAX_MS;
	bool ahead = entry->job.scheduled.until_wall_ms > now_ms + ahead_max_ms;
	if (!ahead && manager_next_run_ms(entry) > now_ms)
		return;
	struct job job;
	record_copy(&job_type, &job, &entry->job);
	if (ahead)
		job.scheduled.until_wall_ms = now_ms;
	catch_up(manager, entry, &job);
	put(manager, &job);
}

/* ---- between steps ---- */

static void watch_until(struct manager *manager, struct job_watch *watch, int64_t due_ms)
{
	watch->run_due_ms = due_ms;
	queue_push(&manager->scheduled, (struct queue_item){ due_ms, watch->id.uuid, 0 });
}

void runs_watch(struct manager *manager, const struct job_entry *entry)
{
	struct job_watch *watch = job_watch(manager, entry->job.id);
	int64_t next_ms = manager_next_run_ms(entry);
	if (next_ms == watch->run_next_ms)
		return;
	watch->run_next_ms = next_ms;
	watch->run_due_ms = INT64_MAX;
	if (next_ms == INT64_MAX)
		return;
	watch_until(manager, watch, manager->in->now_ms + wall_left_ms(manager, next_ms, LOOK_MS));
}

void runs_due(struct manager *manager)
{
	struct queue *scheduled = &manager->scheduled;
	while (scheduled->n && scheduled->items[0].key <= manager->in->now_ms) {
		struct queue_item item = scheduled->items[0];
		struct job_watch *watch = map_get(&manager->jobs, item.id);
		queue_pop(scheduled);
		if (!watch || watch->run_due_ms != item.key)
			continue;
		watch->run_due_ms = INT64_MAX;
		watch->run_next_ms = 0;
		struct job_entry *entry = cluster_job(&manager->cluster, watch->id);
		if (!entry || !schedule_of(entry) || entry->job.wanted != JOB_RUN)
			continue;
		if (may_have_ended(manager, entry)) {
			watch->run_next_ms = manager_next_run_ms(entry);
			watch_until(manager, watch, manager->in->now_ms + UNHEARD_MS);
			continue;
		}
		look(manager, entry);
		/* At its time, and not before: what is due in this step is dealt with. */
		entry = cluster_job(&manager->cluster, watch->id);
		if (!watch->dirty)
			runs_watch(manager, entry);
	}
}

int64_t runs_deadline(const struct manager *manager)
{
	return manager->scheduled.n ? manager->scheduled.items[0].key : INT64_MAX;
}

/* ---- how a run ends ---- */

static bool has_ended(const struct job_entry *entry, const struct job_facts *facts)
{
	return !facts->old && facts->succeeded + facts->left == facts->wanted &&
	       (facts->wanted || !job_is_global(entry));
}

static void begin_waiting(struct manager *manager, struct job *job)
{
	struct job_run *next = job_runs_waiting(&job->scheduled);
	if (!next)
		return;
	run_begin(manager, job, next);
	tell(manager, job, "run_began", "the run that has waited begins");
}

static void settle_end(struct manager *manager, const struct schedule *schedule, struct job *job,
		       const struct job_facts *facts)
{
	bool well = !facts->left;
	run_end_at_once(manager, schedule, job, job_runs_open(&job->scheduled),
			well ? RUN_SUCCEEDED : RUN_FAILED);
	tell(manager, job, well ? "run_succeeded" : "run_failed",
	     well ? "the run has succeeded" : "the run has failed");
	begin_waiting(manager, job);
}

bool runs_settle(struct manager *manager, const struct job_entry *entry,
		 const struct job_facts *facts)
{
	const struct job_runs *runs = &entry->job.scheduled;
	if (!schedule_of(entry) || entry->job.wanted != JOB_RUN)
		return false;
	bool open = job_runs_open(runs) != NULL;
	bool ends = open && has_ended(entry, facts);
	bool begins = !open && job_runs_waiting(runs) && !is_anything_left(entry);
	if (runs->until_wall_ms && !ends && !begins)
		return false;
	struct job job;
	record_copy(&job_type, &job, &entry->job);
	if (!runs->until_wall_ms)
		job.scheduled.until_wall_ms = wall_now(manager) ? wall_now(manager) : 1;
	else if (ends)
		settle_end(manager, schedule_of(entry), &job, facts);
	else
		begin_waiting(manager, &job);
	put(manager, &job);
	return true;
}

/* ---- requests ---- */

/* The last word of a run may have come in this very step: then it is over before another is asked for. */
static void settle_heard(struct manager *manager, const struct job_entry *entry)
{
	struct job_facts facts;
	do
		roster_facts(manager, entry, &facts);
	while (runs_settle(manager, entry, &facts));
}

enum err_code run_again(struct manager *manager, const struct manager_request *request,
			struct manager_answer *answer, struct err *err)
{
	const struct job_entry *entry =
		request->project && request->job
			? cluster_job_named(&manager->cluster, request->project, request->job)
			: NULL;
	if (entry && job_runs_open(&entry->job.scheduled))
		settle_heard(manager, entry);
	return act(manager, request, answer, err);
}

void runs_stop(const struct manager *manager, const struct job_entry *entry, struct job *job)
{
	if (schedule_of(entry))
		end_all(manager, schedule_of(entry), &job->scheduled, RUN_STOPPED);
}

void runs_change(struct job *job, const struct job_spec *before, const struct job_spec *after)
{
	const struct schedule *schedule = after->schedule;
	const struct schedule *was = before ? before->schedule : NULL;
	if (!schedule) {
		/* What has waited for the one before to be gone is what runs from now on. */
		if (!job_runs_open(&job->scheduled) && job_runs_waiting(&job->scheduled))
			job->restarts_asked++;
		record_release(&job_runs_type, &job->scheduled);
		return;
	}
	/* What runs already is a run, which nobody has asked for at a time. */
	if (before && !was && job->wanted == JOB_RUN)
		job_runs_add(&job->scheduled, schedule_history(schedule))->outcome = RUN_UNDER_WAY;
	if (!was || !record_equal(&schedule_type, was, schedule))
		job->scheduled.until_wall_ms = 0;
	job_runs_forget(&job->scheduled, schedule_history(schedule));
}

/* ---- words ---- */

/* Two digits behind `before`. */
static void add_two(struct text *out, const char *before, int64_t number)
{
	text_addf(out, "%s%s%lld", before, number < 10 ? "0" : "", (long long)number);
}

/* "2026-05-02 03:00 (Europe/Berlin)" */
static void add_wall(const struct schedule *schedule, int64_t wall_ms, struct text *out)
{
	struct zone zone;
	struct err err;
	int64_t year, month, day;
	if (zone_parse(schedule->zone_rule ? schedule->zone_rule : ZONE_UTC, &zone, &err))
		return;
	int64_t local_s = wall_ms / 1000 + zone_offset_s(&zone, wall_ms / 1000);
	date_from_days(local_s / 86400, &year, &month, &day);
	add_two(out, "", year);
	add_two(out, "-", month);
	add_two(out, "-", day);
	add_two(out, " ", local_s % 86400 / 3600);
	add_two(out, ":", local_s % 3600 / 60);
	text_addf(out, " (%s)", schedule->time_zone ? schedule->time_zone : "UTC");
}

void runs_tell(const struct job_entry *entry, struct text *out)
{
	const struct job_runs *runs = &entry->job.scheduled;
	const struct schedule *schedule = schedule_of(entry);
	int64_t next_ms = manager_next_run_ms(entry);
	if (next_ms == INT64_MAX) {
		text_add(out, "no run is to come");
	} else {
		text_add(out, "the next run is at ");
		add_wall(schedule, next_ms, out);
	}
	if (!runs->runs.n)
		return;
	const struct job_run *last = &runs->runs.items[runs->runs.n - 1];
	if (last->outcome == RUN_WAITS) {
		text_add(out, "; one waits until what is left of the one before is gone");
		return;
	}
	text_addf(out, "; the last one %s", last->outcome == RUN_UNDER_WAY ? "goes on" : "");
	if (last->outcome != RUN_UNDER_WAY)
		text_addf(out, "%s%s",
			  last->outcome == RUN_SUCCEEDED || last->outcome == RUN_FAILED ? "has "
											: "was ",
			  enum_name(run_outcome_names, last->outcome));
}
