/* Jobs with a schedule: which ones are drawn, and what must hold of their runs: each time that comes is dealt with
 * once, whatever becomes of the manager and its clock; no run begins beside another; tasks are those of the run that is
 * under way; runs that have ended are forgotten beyond the history. When a time comes is worked out here a second time,
 * from a table. */
#include <string.h>

#include "base/limits.h"
#include "requests.h"

#define MINUTE_MS	   60000
#define DAY_MS		   (24LL * 3600 * 1000)
#define LOOKED_BACK_MS	   (300LL * MINUTE_MS)
#define CLOCK_IS_LOOKED_AT (MINUTE_MS + 2000)
#define CALM_MS		   (4LL * MINUTE_MS)
#define POLL_MS		   2000

/* The same said twice: as cron has it, and as minutes of the hour, hours and a day of the week in a zone without
 * summer. */
static const struct form {
	const char *cron;
	const char *time_zone, *zone_rule;
	int64_t offset_ms;
	int64_t every, from; /* minutes */
	int64_t first_hour, last_hour;
	int64_t weekday; /* 0 is Sunday; -1: any */
} forms[] = {
	{ "* * * * *", NULL, NULL, 0, 1, 0, 0, 23, -1 },
	{ "*/2 * * * *", NULL, NULL, 0, 2, 0, 0, 23, -1 },
	{ "1-59/3 * * * *", NULL, NULL, 0, 3, 1, 0, 23, -1 },
	{ "* 22 * * tue", NULL, NULL, 0, 1, 0, 22, 22, 2 },
	{ "*/2 3,4 * * wed", "Asia/Kolkata", "IST-5:30", 330LL * MINUTE_MS, 2, 0, 3, 4, 3 },
	{ "@hourly", NULL, NULL, 0, 60, 0, 0, 23, -1 },
};

/* ---- what is asked for ---- */

struct schedule *sim_draw_schedule(struct sim *sim)
{
	static const int64_t catch_up[] = { 0, CATCH_UP_NONE, 1, 3 };
	static const int64_t history[] = { 0, 0, 1, 3 };
	const struct form *form = &forms[sim_draw(sim, 0, ARRAY_LEN(forms) - 1)];
	struct schedule *schedule = base_calloc(1, sizeof(*schedule));
	record_init(&schedule_type, schedule);
	string_set(&schedule->cron, form->cron);
	if (form->time_zone) {
		string_set(&schedule->time_zone, form->time_zone);
		string_set(&schedule->zone_rule, form->zone_rule);
	}
	schedule->overlap = (int)sim_draw(sim, OVERLAP_SKIP, OVERLAP_REPLACE);
	schedule->catch_up = catch_up[sim_draw(sim, 0, 3)];
	schedule->history = history[sim_draw(sim, 0, 3)];
	return schedule;
}

/* ---- when ---- */

static const struct form *form_of(const struct schedule *schedule)
{
	const struct form *form = forms;
	while (strcmp(form->cron, schedule->cron) != 0)
		form++;
	return form;
}

static bool is_time(const struct form *form, int64_t wall_ms)
{
	int64_t local_ms = wall_ms + form->offset_ms;
	int64_t minute = local_ms / MINUTE_MS;
	int64_t hour = minute / 60 % 24;
	/* The first of 1970 was a Thursday. */
	int64_t weekday = (local_ms / DAY_MS + 4) % 7;
	return local_ms % MINUTE_MS == 0 && minute % 60 % form->every == form->from &&
	       hour >= form->first_hour && hour <= form->last_hour &&
	       (form->weekday < 0 || weekday == form->weekday);
}

/* ---- what is on record ---- */

/* As the last commit had it. */
struct known_runs {
	int64_t until_ms;
	int wanted;
	uint64_t schedule_hash;
	size_t n_ended, n_replaced;
	bool open; /* one is under way, or waits */
	struct job_run runs[3 * LIMIT_RUNS_PER_JOB];
	size_t n;
};

static bool has_ended(const struct job_run *run)
{
	return run->outcome != RUN_UNDER_WAY && run->outcome != RUN_WAITS;
}

static struct known_runs look(const struct job_entry *entry, const struct schedule *schedule)
{
	const struct job_runs *runs = &entry->job.scheduled;
	struct known_runs now = { .until_ms = runs->until_wall_ms,
				  .wanted = entry->job.wanted,
				  .schedule_hash = record_hash(&schedule_type, schedule) };
	for (size_t i = 0; i < runs->runs.n; i++) {
		int outcome = runs->runs.items[i].outcome;
		now.n_ended += has_ended(&runs->runs.items[i]);
		now.n_replaced += outcome == RUN_REPLACED;
		now.open |= outcome == RUN_UNDER_WAY || outcome == RUN_WAITS;
		now.runs[now.n++] = runs->runs.items[i];
	}
	return now;
}

static void wrong(struct sim *sim, const struct job_entry *entry, int64_t wall_ms, const char *what)
{
	violated(sim, INVARIANT_RUNS, "%s/%s: the run due at %lld %s", entry->job.project,
		 entry->job.name, (long long)wall_ms / 1000, what);
}

/* Is a container of a run before left, on a machine that can say when it is gone? */
static bool is_anything_left(const struct job_entry *entry)
{
	for (size_t i = 0; i < entry->tasks.n; i++) {
		const struct task *task = entry->tasks.items[i];
		if (task_occupies_node(task) && !task->unreachable)
			return true;
	}
	return false;
}

/* ... of which somebody has to wait? Not for what has exited well, or was given up with its machine. */
static bool is_older_left(const struct job_entry *entry)
{
	for (size_t i = 0; i < entry->tasks.n; i++) {
		const struct task *task = entry->tasks.items[i];
		bool given_up = task->desired.verdict_reason == REASON_NODE_LOST ||
				task->desired.stop_reason == REASON_NODE_LOST;
		if (task->desired.restarts_asked < entry->job.restarts_asked &&
		    task_occupies_node(task) && !task->unreachable && !given_up &&
		    !task_succeeded(task))
			return true;
	}
	return false;
}

/* Runs that there are beside one another. What waits may begin in the manager's first turn only. */
static void check_side_by_side(struct sim *sim, const struct job_entry *entry, bool replayed)
{
	const struct job_runs *runs = &entry->job.scheduled;
	bool open = false;
	bool waits = false;
	for (size_t i = 0; i < runs->runs.n; i++) {
		const struct job_run *run = &runs->runs.items[i];
		if (run->outcome == RUN_UNDER_WAY && (open || waits))
			wrong(sim, entry, run->scheduled_wall_ms, "is under way beside another");
		open |= run->outcome == RUN_UNDER_WAY;
		waits |= run->outcome == RUN_WAITS;
	}
	if (!replayed && waits && !open && entry->job.wanted == JOB_RUN && !is_anything_left(entry))
		wrong(sim, entry, 0, "waits for nothing");
	if ((waits || open) && entry->job.wanted == JOB_STOP)
		wrong(sim, entry, 0, "goes on, and the job is stopped");
}

/* ---- what a commit has added ---- */

/* Was it asked to begin anew with its times? What the manager did before it died is not known. */
static bool may_begin_anew(const struct sim *sim, const struct job_entry *entry,
			   const struct known_runs *was, const struct known_runs *now)
{
	const struct sim_manager *manager = &sim->manager;
	for (size_t i = 0; i < manager->turn.n; i++)
		if (manager->turn.items[i].request &&
		    strcmp(manager->turn.items[i].request->project, entry->job.project) == 0)
			return true;
	/* A clock that was so far ahead is not believed. */
	return sim->checker.unsure || was->wanted != JOB_RUN || !was->until_ms ||
	       was->schedule_hash != now->schedule_hash ||
	       was->until_ms - manager->stepped_wall_ms > DAY_MS;
}

static void check_new(struct sim *sim, const struct job_entry *entry,
		      const struct schedule *schedule, const struct job_run *run, bool open)
{
	int64_t time_ms = run->scheduled_wall_ms;
	int64_t late_ms = sim->manager.stepped_wall_ms - time_ms;
	if (!is_time(form_of(schedule), time_ms))
		wrong(sim, entry, time_ms, "is at no time of its schedule");
	if (sim->checker.unsure)
		return;
	if (late_ms < 0)
		wrong(sim, entry, time_ms, "was begun before its time");
	if (!run->made_up && run->outcome != RUN_MISSED && late_ms > MINUTE_MS)
		wrong(sim, entry, time_ms, "was missed, and is not on record as that");
	if (run->outcome == RUN_SKIPPED && (schedule->overlap != OVERLAP_SKIP || !open))
		wrong(sim, entry, time_ms, "was skipped for nothing");
	if (run->outcome == RUN_WAITS &&
	    (open ? schedule->overlap == OVERLAP_SKIP : !is_anything_left(entry)))
		wrong(sim, entry, time_ms, "waits, and should not");
	if (run->outcome == RUN_UNDER_WAY && is_older_left(entry))
		wrong(sim, entry, time_ms, "was begun beside what is left of one before");
}

/* A time may come again, where the clock was ahead and another schedule counts from now on. */
static bool may_be_same(const struct job_run *was, const struct job_run *now)
{
	return was->scheduled_wall_ms == now->scheduled_wall_ms &&
	       (!has_ended(was) ||
		(was->outcome == now->outcome && was->ended_wall_ms == now->ended_wall_ms));
}

/* Runs are added at the end; of the others some may have been forgotten. */
static size_t first_new(const struct known_runs *was, const struct known_runs *now)
{
	size_t at = 0;
	for (size_t i = 0; i < now->n; i++) {
		while (at < was->n && !may_be_same(&was->runs[at], &now->runs[i]))
			at++;
		if (at++ >= was->n)
			return i;
	}
	return now->n;
}

/* Was a run of this job asked for with the last that the step was about, and nothing else of its project? */
static bool is_asked_for(const struct sim *sim, const struct job_entry *entry)
{
	const struct manager_queue *turn = &sim->manager.turn;
	size_t n = 0;
	for (size_t i = 0; i < turn->n; i++)
		n += turn->items[i].request &&
		     strcmp(turn->items[i].request->project, entry->job.project) == 0;
	const struct sim_request *last = turn->n ? turn->items[turn->n - 1].request : NULL;
	return n == 1 && last && last->request.kind == REQUEST_RUN_AGAIN &&
	       strcmp(last->project, entry->job.project) == 0 &&
	       strcmp(last->job, entry->job.name) == 0;
}

static void check_asked(struct sim *sim, const struct job_entry *entry,
			const struct known_runs *was, const struct known_runs *now)
{
	if (sim->checker.unsure || !is_asked_for(sim, entry))
		return;
	sim->checker.evaluated[INVARIANT_RUNS]++;
	for (size_t i = first_new(was, now); i < now->n; i++)
		if (!now->runs[i].scheduled_wall_ms && now->runs[i].outcome == RUN_UNDER_WAY &&
		    is_older_left(entry))
			violated(sim, INVARIANT_RUNS,
				 "%s/%s: the run that was asked for was begun beside what is left "
				 "of one before",
				 entry->job.project, entry->job.name);
}

/* Is it on record what became of this time, or is there a later one that says it for it? */
static bool is_dealt_with(const struct job_entry *entry, size_t first, int64_t time_ms,
			  bool forgotten)
{
	const struct job_runs *runs = &entry->job.scheduled;
	for (size_t i = first; i < runs->runs.n; i++) {
		const struct job_run *run = &runs->runs.items[i];
		if (run->scheduled_wall_ms == time_ms ||
		    (run->scheduled_wall_ms > time_ms && (forgotten || run->outcome == RUN_MISSED)))
			return true;
	}
	return false;
}

/* From what was dealt with before to what is now: each time once. */
static void check_times(struct sim *sim, const struct job_entry *entry,
			const struct schedule *schedule, const struct known_runs *was,
			const struct known_runs *now)
{
	const struct job_runs *runs = &entry->job.scheduled;
	const struct form *form = form_of(schedule);
	int64_t last_ms = was->until_ms;
	int64_t n_made_up = 0;
	bool open = was->open;
	size_t first = first_new(was, now);
	sim->checker.evaluated[INVARIANT_RUNS]++;
	if (now->until_ms < was->until_ms)
		wrong(sim, entry, was->until_ms, "is no longer dealt with");
	for (size_t i = first; i < runs->runs.n; i++) {
		const struct job_run *run = &runs->runs.items[i];
		if (run->scheduled_wall_ms <= last_ms || run->scheduled_wall_ms > now->until_ms)
			wrong(sim, entry, run->scheduled_wall_ms, "is out of order");
		check_new(sim, entry, schedule, run, open);
		last_ms = run->scheduled_wall_ms;
		n_made_up += run->made_up;
		/* The next one of the same look may have taken its place already. */
		open |= run->outcome == RUN_UNDER_WAY || run->outcome == RUN_WAITS ||
			run->outcome == RUN_REPLACED;
	}
	if (n_made_up > schedule_catch_up(schedule))
		wrong(sim, entry, last_ms, "is one too many to be made up");
	bool forgotten = (int64_t)now->n_ended >= schedule_history(schedule);
	int64_t first_ms = now->until_ms - LOOKED_BACK_MS;
	if (first_ms < was->until_ms)
		first_ms = was->until_ms;
	for (int64_t time_ms = (first_ms / MINUTE_MS + 1) * MINUTE_MS; time_ms <= now->until_ms;
	     time_ms += MINUTE_MS)
		if (is_time(form, time_ms) && !is_dealt_with(entry, first, time_ms, forgotten))
			wrong(sim, entry, time_ms, "is neither begun nor skipped nor missed");
}

static void check_kept(struct sim *sim, const struct job_entry *entry,
		       const struct schedule *schedule, const struct known_runs *was,
		       const struct known_runs *now)
{
	size_t history = (size_t)schedule_history(schedule);
	if (now->n_ended > history)
		violated(sim, INVARIANT_RUNS, "%zu ended runs of %s/%s are kept, and it says %zu",
			 now->n_ended, entry->job.project, entry->job.name, history);
	if (now->n_replaced > was->n_replaced && schedule->overlap != OVERLAP_REPLACE &&
	    was->schedule_hash == now->schedule_hash)
		wrong(sim, entry, now->until_ms, "has taken the place of another");
}

void checker_runs(struct sim *sim, const struct job_entry *entry, bool replayed)
{
	const struct schedule *schedule =
		entry->n_revisions ? job_entry_current(entry)->spec.schedule : NULL;
	if (!schedule)
		return;
	struct known_runs now = look(entry, schedule);
	struct known_runs *was = map_get(&sim->checker.runs, entry->job.id.uuid);
	check_side_by_side(sim, entry, replayed);
	if (!was) {
		was = base_calloc(1, sizeof(*was));
		map_put(&sim->checker.runs, entry->job.id.uuid, was);
	} else {
		check_kept(sim, entry, schedule, was, &now);
		check_asked(sim, entry, was, &now);
		if (entry->job.wanted == JOB_RUN && !may_begin_anew(sim, entry, was, &now))
			check_times(sim, entry, schedule, was, &now);
	}
	*was = now;
}

void checker_runs_release(struct checker *checker)
{
	size_t at = 0;
	for (void *known; (known = map_next(&checker->runs, &at));)
		base_free(known);
	map_release(&checker->runs);
}

/* ---- tasks ---- */

void checker_run_tasks(struct sim *sim, const struct job_entry *entry)
{
	if (!job_entry_current(entry)->spec.schedule || entry->job.wanted != JOB_RUN)
		return;
	bool open = job_runs_open(&entry->job.scheduled) != NULL;
	for (size_t i = 0; i < entry->tasks.n; i++) {
		const struct task *task = entry->tasks.items[i];
		if (task_is_final(task->state) || task->desired.wanted != TASK_WANT_RUN)
			continue;
		sim->checker.evaluated[INVARIANT_RUNS]++;
		if (!open || task->desired.restarts_asked != entry->job.restarts_asked)
			violated(sim, INVARIANT_RUNS, "%s/%s.%lld is to run, and its run is over",
				 entry->job.project, entry->job.name,
				 (long long)task->desired.slot);
	}
}

/* ---- while nothing is wrong ---- */

typedef void job_fn(struct sim *sim, const struct job_entry *entry);

/* Each job whose times come. */
static int for_each(struct sim *sim, job_fn *run)
{
	size_t n = 0;
	int n_found = 0;
	struct project_entry **projects =
		cluster_sorted_projects(manager_cluster(sim->manager.core), &n);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < projects[i]->n_jobs; j++) {
			const struct job_entry *entry = projects[i]->jobs[j];
			if (!job_entry_current(entry)->spec.schedule ||
			    entry->job.wanted != JOB_RUN)
				continue;
			n_found++;
			if (run)
				run(sim, entry);
		}
	base_free(projects);
	return n_found;
}

/* No time has passed that was not dealt with. */
static void check_due(struct sim *sim, const struct job_entry *entry)
{
	const struct form *form = form_of(job_entry_current(entry)->spec.schedule);
	int64_t until_ms = entry->job.scheduled.until_wall_ms;
	int64_t past_ms = clock_wall_ms(sim, &sim->manager.clock) - POLL_MS;
	int64_t first_ms =
		past_ms - LOOKED_BACK_MS > until_ms ? past_ms - LOOKED_BACK_MS : until_ms;
	sim->checker.evaluated[INVARIANT_RUNS]++;
	for (int64_t time_ms = (first_ms / MINUTE_MS + 1) * MINUTE_MS; time_ms <= past_ms;
	     time_ms += MINUTE_MS)
		if (is_time(form, time_ms))
			wrong(sim, entry, time_ms, "is not dealt with, and its time has come");
}

bool settle_schedules(struct sim *sim)
{
	if (!for_each(sim, NULL))
		return true;
	int64_t end_ms = sim->now_ms + CALM_MS;
	/* A clock that was set last is looked at first. */
	if (!sim_run_until(sim, sim->now_ms + CLOCK_IS_LOOKED_AT))
		return false;
	while (sim->now_ms < end_ms) {
		for_each(sim, check_due);
		if (!sim_run_until(sim, sim->now_ms + POLL_MS))
			return false;
	}
	for_each(sim, client_stop);
	if (!sim_run_until(sim, sim->now_ms + POLL_MS))
		return false;
	if (for_each(sim, NULL))
		violated(sim, INVARIANT_L3, "a job with a schedule is not stopped within %d ms",
			 POLL_MS);
	return !sim->checker.failed;
}
