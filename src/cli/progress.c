#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/find.h"
#include "cli/rollout.h"
#include "cli/screen.h"
#include "cli/starts.h"
#include "cli/steady.h"
#include "net/shell.h"
#include "task/reason.h"

#define POLL_MS 150
/* How long a whole project may stand still for lack of room before waiting is called pointless. */
#define NO_ROOM_MS 10000
/* How long a manager may be away (a restart) before waiting on is given up. */
#define MANAGER_AWAY_MS 15000

struct shown {
	struct uuid task;
	int state;
	int health;
	int reason;
};

struct progress {
	struct invocation *invocation;
	const struct progress_options *options;
	struct job_page jobs;
	struct task_page tasks;
	struct volume_page volumes; /* of a project that goes away */
	struct shown *shown;	    /* lines already printed */
	size_t n_shown;
	size_t shown_capacity;
	bool on_terminal;
	bool looked; /* the first look was taken */
	int64_t start_wall_ms;
	struct screen screen;
	struct starts starts;
	struct steady steady;
	int64_t no_room_since_ms;
	int64_t away_since_ms; /* 0: the manager answers */
};

static bool concerns(const struct progress *progress, const char *job)
{
	return !progress->options->jobs || strings_has(progress->options->jobs, job);
}

/* ---- what is shown ------------------------------------------------------------------------------------- */

static const char *state_text(const struct task_view *task)
{
	if (task->state == TASK_RUNNING && task->health == HEALTH_STARTING)
		return "running (starting)";
	if (task->state == TASK_RUNNING && task->health == HEALTH_UNHEALTHY)
		return "running (unhealthy)";
	return enum_name(task_state_names, task->state);
}

/* What the state does not say already. */
static const char *detail_text(const struct task_view *task)
{
	return task->reason == REASON_RUNNING ? NULL : task->message;
}

/* Nothing of it is left to be done for the goal. */
static bool is_settled(const struct progress *progress, const struct task_view *task)
{
	return task_is_final(task->state) ||
	       (progress->options->goal == PROGRESS_UP && task->ready);
}

/* Was it like this when the waiting began? Then it is no news. */
static bool is_old(const struct progress *progress, const struct task_view *task)
{
	if (progress->looked)
		return false;
	return progress->options->goal != PROGRESS_UP ||
	       (is_settled(progress, task) && task->created_wall_ms < progress->start_wall_ms);
}

/* A final task that a newer one has replaced is history. */
static bool is_history(const struct progress *progress, const struct task_view *task)
{
	if (!task_is_final(task->state))
		return false;
	for (size_t i = 0; i < progress->tasks.tasks.n; i++) {
		const struct task_view *other = &progress->tasks.tasks.items[i];
		if (uuid_equal(other->job_id, task->job_id) && other->slot == task->slot &&
		    uuid_compare(other->id, task->id) > 0)
			return true;
	}
	return false;
}

static bool line_is_new(struct progress *progress, const struct task_view *task)
{
	struct shown now = { task->id, task->state, task->health, task->reason };
	struct shown *shown = NULL;
	for (size_t i = 0; i < progress->n_shown && !shown; i++)
		if (uuid_equal(progress->shown[i].task, task->id))
			shown = &progress->shown[i];
	if (!shown) {
		progress->shown = base_grow(progress->shown, progress->n_shown,
					    &progress->shown_capacity, sizeof(*shown));
		shown = &progress->shown[progress->n_shown++];
		*shown = now;
		return true;
	}
	bool changed = shown->state != now.state || shown->health != now.health ||
		       shown->reason != now.reason;
	*shown = now;
	return changed;
}

static void print_lines(struct progress *progress)
{
	for (size_t i = 0; i < progress->tasks.tasks.n; i++) {
		const struct task_view *task = &progress->tasks.tasks.items[i];
		if (!concerns(progress, task->job) || !line_is_new(progress, task) ||
		    is_old(progress, task))
			continue;
		const char *detail = detail_text(task);
		printf("%s %s%s%s\n", task->name, state_text(task), detail ? ": " : "",
		       detail ? detail : "");
	}
	cli_flush();
}

/* Rows of tasks that are settled or are not, at most `*left` of them. */
static void add_rows(const struct progress *progress, struct table *table, bool settled,
		     size_t *left, size_t *hidden)
{
	for (size_t i = 0; i < progress->tasks.tasks.n; i++) {
		const struct task_view *task = &progress->tasks.tasks.items[i];
		if (!concerns(progress, task->job) || is_history(progress, task) ||
		    is_settled(progress, task) != settled)
			continue;
		if (*left == 0) {
			++*hidden;
			continue;
		}
		--*left;
		table_add(table, task->name);
		table_add(table, state_text(task));
		table_add(table, task->node_name);
		table_add(table, detail_text(task));
	}
}

static size_t rows_of(const struct progress *progress)
{
	size_t n = 0;
	for (size_t i = 0; i < progress->tasks.tasks.n; i++)
		n += concerns(progress, progress->tasks.tasks.items[i].job) &&
		     !is_history(progress, &progress->tasks.tasks.items[i]);
	return n;
}

/* The table as it fits into the window: where there are more tasks than rows, those that still need something are
 * shown first and the rest is counted. Else the order stays, so that lines do not jump. */
static char *render(const struct progress *progress, size_t screen_rows, size_t columns)
{
	static const char *const headings[] = { "TASK", "STATE", "NODE", "DETAIL", NULL };
	struct table table;
	struct text out;
	size_t rows = screen_rows > 4 ? screen_rows - 3 : 1;
	size_t hidden = 0;
	table_init(&table, headings);
	text_init(&out, (size_t)LIMIT_WS_MESSAGE_BYTES);
	if (rows_of(progress) > rows) {
		add_rows(progress, &table, false, &rows, &hidden);
		add_rows(progress, &table, true, &rows, &hidden);
	} else {
		for (size_t i = 0; i < progress->tasks.tasks.n; i++) {
			const struct task_view *task = &progress->tasks.tasks.items[i];
			if (!concerns(progress, task->job) || is_history(progress, task))
				continue;
			table_add(&table, task->name);
			table_add(&table, state_text(task));
			table_add(&table, task->node_name);
			table_add(&table, detail_text(task));
		}
	}
	table_render(&table, columns, &out);
	table_release(&table);
	if (hidden) {
		char line[64];
		text_addf(&out, "%.*s\n", (int)columns,
			  text_print(line, sizeof(line), "... and %zu more", hidden));
	}
	return text_take(&out);
}

static void redraw(struct progress *progress)
{
	size_t rows, columns;
	screen_size(&rows, &columns);
	screen_draw(&progress->screen, render(progress, rows, columns));
}

/* ---- what it means ------------------------------------------------------------------------------------- */

/* Is a task of the job still on its way out (scaled down, replaced)? */
static bool any_leaving(const struct progress *progress, const struct job_view *job)
{
	for (size_t i = 0; i < progress->tasks.tasks.n; i++) {
		const struct task_view *task = &progress->tasks.tasks.items[i];
		if (uuid_equal(task->job_id, job->id) && task->wanted != TASK_WANT_RUN &&
		    !task_is_final(task->state))
			return true;
	}
	return false;
}

/* The revision of it that was asked for; 0: whichever there is. */
static int64_t asked_of(const struct progress *progress, const struct job_view *job)
{
	const struct manager_answer *asked = progress->options->asked;
	for (size_t i = 0; asked && i < asked->jobs.n; i++)
		if (uuid_equal(asked->jobs.items[i].id.uuid, job->id))
			return asked->jobs.items[i].revision;
	return 0;
}

static bool is_service(const struct job_view *job)
{
	return job->mode == JOB_REPLICATED || job->mode == JOB_GLOBAL;
}

static const char *why(const struct task_view *task)
{
	bool is_told = task->message && *task->message;
	return is_told ? task->message : enum_name(reason_names, task->reason);
}

/* Has each task of a service come up to stay? */
static enum err_code judge_steady(const struct progress *progress, const struct job_view *job,
				  bool *ret_over, struct err *err)
{
	for (size_t i = 0; i < progress->tasks.tasks.n; i++) {
		const struct task_view *task = &progress->tasks.tasks.items[i];
		if (!uuid_equal(task->job_id, job->id) || task->wanted != TASK_WANT_RUN ||
		    task_is_final(task->state))
			continue;
		if (progress->options->settle_ms &&
		    steady_keeps_ending(&progress->steady, job, task))
			return err_set(
				err, ERR_FAILED,
				"%s ends again and again: %s; `drover logs %s` shows what it said",
				task->name, why(task), task->name);
		if (!steady_is(&progress->steady, task, progress->options->settle_ms,
			       shell_now_ms()))
			*ret_over = false;
	}
	return ERR_NONE;
}

static enum err_code judge_up(const struct progress *progress, bool *ret_done, struct err *err)
{
	*ret_done = true;
	for (size_t i = 0; i < progress->jobs.jobs.n; i++) {
		const struct job_view *job = &progress->jobs.jobs.items[i];
		if (!concerns(progress, job->name))
			continue;
		bool over = true;
		enum err_code code = rollout_judge(job, asked_of(progress, job), &over, err);
		if (!code && job->wanted == JOB_RUN && is_service(job))
			code = judge_steady(progress, job, &over, err);
		if (code)
			return code;
		/* What fails in an update is judged by its policy. */
		for (size_t k = 0; k < progress->tasks.tasks.n; k++) {
			const struct task_view *task = &progress->tasks.tasks.items[k];
			if (job->standing != STANDING_RUNNING && job->update == UPDATE_STATE_NONE &&
			    uuid_equal(task->job_id, job->id) && task->revision == job->revision &&
			    starts_are_in_vain(&progress->starts, task))
				return err_set(err, ERR_FAILED, "%s could not start: %s",
					       task->name, why(task));
		}
		if (!over || any_leaving(progress, job))
			*ret_done = false;
	}
	return ERR_NONE;
}

static bool judge_stopped(const struct progress *progress)
{
	for (size_t i = 0; i < progress->tasks.tasks.n; i++) {
		const struct task_view *task = &progress->tasks.tasks.items[i];
		if (concerns(progress, task->job) && !task_is_final(task->state))
			return false;
	}
	return true;
}

/* Jobs gone, and those named volumes that were to go with them. */
static enum err_code judge_gone(const struct progress *progress, bool *ret_done, struct err *err)
{
	for (size_t i = 0; i < progress->jobs.jobs.n; i++)
		if (concerns(progress, progress->jobs.jobs.items[i].name))
			return ERR_NONE;
	for (size_t i = 0; i < progress->volumes.volumes.n; i++) {
		const struct volume_view *volume = &progress->volumes.volumes.items[i];
		if (volume->removing && volume->message && *volume->message)
			return err_set(err, ERR_FAILED, "%s", volume->message);
		if (volume->removing)
			return ERR_NONE;
	}
	*ret_done = true;
	return ERR_NONE;
}

/* The first task that keeps the goal away. */
static const struct task_view *missing(const struct progress *progress)
{
	for (size_t i = 0; i < progress->tasks.tasks.n; i++) {
		const struct task_view *task = &progress->tasks.tasks.items[i];
		if (concerns(progress, task->job) && !task_is_final(task->state) &&
		    (!task->ready || progress->options->goal != PROGRESS_UP))
			return task;
	}
	return NULL;
}

/* Does everything that is missing wait for room, and has it for long? */
static enum err_code judge_room(struct progress *progress, struct err *err)
{
	const struct task_view *without_room = NULL;
	bool only_room = true;
	for (size_t i = 0; i < progress->tasks.tasks.n; i++) {
		const struct task_view *task = &progress->tasks.tasks.items[i];
		if (!concerns(progress, task->job) || task_is_final(task->state) || task->ready)
			continue;
		if (task->reason == REASON_NO_NODE_FITS)
			without_room = task;
		else if (task->reason != REASON_WAITS_DEPENDENCY)
			only_room = false;
	}
	if (!without_room || !only_room)
		progress->no_room_since_ms = 0;
	else if (!progress->no_room_since_ms)
		progress->no_room_since_ms = shell_now_ms();
	else if (shell_now_ms() - progress->no_room_since_ms > NO_ROOM_MS)
		return err_set(err, ERR_FAILED, "%s stays queued: %s", without_room->name,
			       without_room->message);
	return ERR_NONE;
}

/* Is everything that is left on nodes that cannot be reached? Nobody can confirm it then, and waiting is pointless. */
static enum err_code judge_reachable(const struct progress *progress, struct err *err)
{
	const struct task_view *task = NULL;
	size_t n = 0;
	for (size_t i = 0; i < progress->tasks.tasks.n; i++) {
		const struct task_view *one = &progress->tasks.tasks.items[i];
		if (!concerns(progress, one->job) || one->gone)
			continue;
		if (!one->unreachable)
			return ERR_NONE;
		task = one;
		n++;
	}
	if (!task)
		return ERR_NONE;
	return err_set(
		err, ERR_FAILED,
		"%s%s on %s, which cannot be reached, %s not confirmed stopped: that happens "
		"when the node returns; when the machine is off and stays off, `drover node rm "
		"--fenced %s` gives up what is there",
		task->name, n > 1 ? " and others" : "", task->node_name, n > 1 ? "are" : "is",
		task->node_name);
}

static enum err_code judge(struct progress *progress, bool *ret_done, struct err *err)
{
	enum err_code over = ERR_NONE;
	switch (progress->options->goal) {
	case PROGRESS_GONE:
		over = judge_gone(progress, ret_done, err);
		return over || *ret_done ? over : judge_reachable(progress, err);
	case PROGRESS_STOPPED:
		*ret_done = judge_stopped(progress);
		return *ret_done ? ERR_NONE : judge_reachable(progress, err);
	case PROGRESS_UP: break;
	}
	enum err_code code = judge_up(progress, ret_done, err);
	if (!code && !*ret_done)
		code = judge_room(progress, err);
	return code;
}

/* The first that is up, but has not been for long enough. */
static const struct task_view *unsteady(const struct progress *progress)
{
	for (size_t i = 0; i < progress->tasks.tasks.n; i++) {
		const struct task_view *task = &progress->tasks.tasks.items[i];
		if (progress->options->goal == PROGRESS_UP && concerns(progress, task->job) &&
		    task->ready && task->wanted == TASK_WANT_RUN &&
		    !steady_is(&progress->steady, task, progress->options->settle_ms,
			       shell_now_ms()))
			return task;
	}
	return NULL;
}

static enum err_code timed_out(const struct progress *progress, struct err *err)
{
	const struct task_view *task = missing(progress);
	if (task)
		return err_set(err, ERR_TIMEOUT, "not done in time: %s is %s%s%s", task->name,
			       state_text(task), task->message ? ": " : "",
			       task->message ? task->message : "");
	task = unsteady(progress);
	if (task)
		return err_set(
			err, ERR_TIMEOUT,
			"not done in time: %s runs, but has not for long enough to be called "
			"up",
			task->name);
	for (size_t i = 0; i < progress->volumes.volumes.n; i++)
		if (progress->volumes.volumes.items[i].removing)
			return err_set(err, ERR_TIMEOUT,
				       "not done in time: volume %s is not removed yet",
				       progress->volumes.volumes.items[i].name);
	return err_set(err, ERR_TIMEOUT, "not done in time");
}

/* ---- the loop ------------------------------------------------------------------------------------------ */

static void pages_release(struct progress *progress)
{
	record_release(&job_page_type, &progress->jobs);
	record_release(&task_page_type, &progress->tasks);
	record_release(&volume_page_type, &progress->volumes);
}

static enum err_code refresh(struct progress *progress, struct err *err)
{
	const struct progress_options *options = progress->options;
	_cleanup_free_ char *query = find_query(options->project, NULL);
	pages_release(progress);
	enum err_code code = fetch_jobs(progress->invocation, query, &progress->jobs, err);
	if (!code)
		code = fetch_tasks(progress->invocation, query, &progress->tasks, err);
	if (!code && options->goal == PROGRESS_GONE && !options->jobs)
		code = fetch_volumes(progress->invocation, query, &progress->volumes, err);
	return code;
}

static void show(struct progress *progress)
{
	if (progress->options->quiet)
		return;
	if (progress->on_terminal)
		redraw(progress);
	else
		print_lines(progress);
}

/* A manager that answered before may be restarting. */
static bool is_away_for_now(struct progress *progress, enum err_code code)
{
	bool away = code == ERR_UNAVAILABLE || code == ERR_CLOSED || code == ERR_IO;
	if (!away || !progress->looked)
		return false;
	if (!progress->away_since_ms)
		progress->away_since_ms = shell_now_ms();
	return shell_now_ms() - progress->away_since_ms < MANAGER_AWAY_MS;
}

/* One look; *ret_done once there is nothing left to wait for. */
static enum err_code look(struct progress *progress, bool *ret_done, struct err *err)
{
	enum err_code code = refresh(progress, err);
	if (code)
		return is_away_for_now(progress, code) ? ERR_NONE : code;
	progress->away_since_ms = 0;
	for (size_t i = 0; i < progress->tasks.tasks.n; i++) {
		steady_look(&progress->steady, &progress->tasks.tasks.items[i], shell_now_ms());
		starts_look(&progress->starts, &progress->tasks.tasks.items[i], !progress->looked);
	}
	show(progress);
	progress->looked = true;
	return judge(progress, ret_done, err);
}

enum err_code progress_wait(struct invocation *invocation, const struct progress_options *options,
			    struct err *err)
{
	struct progress progress = { .invocation = invocation,
				     .options = options,
				     .on_terminal = isatty(STDOUT_FILENO),
				     .start_wall_ms = shell_wall_ms() };
	int64_t start_ms = shell_now_ms();
	bool done = false;
	enum err_code code;
	for (;;) {
		code = look(&progress, &done, err);
		if (code || done)
			break;
		if (options->timeout_ms && shell_now_ms() - start_ms > options->timeout_ms) {
			code = timed_out(&progress, err);
			break;
		}
		api_client_run(cli_client(invocation), POLL_MS);
	}
	pages_release(&progress);
	base_free(progress.shown);
	starts_release(&progress.starts);
	steady_release(&progress.steady);
	screen_release(&progress.screen);
	return code;
}
