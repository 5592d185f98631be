#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/find.h"
#include "net/shell.h"
#include "task/reason.h"

#define POLL_MS 150
/* How long a whole project may stand still for lack of room before waiting is called pointless. */
#define NO_ROOM_MS 10000

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
	struct shown *shown; /* lines already printed */
	size_t n_shown;
	size_t shown_capacity;
	bool on_terminal;
	size_t drawn_lines;
	int64_t no_room_since_ms;
};

static bool concerns(const struct progress *progress, const char *job)
{
	return !progress->options->jobs || strings_has(progress->options->jobs, job);
}

/* ---- what is shown ------------------------------------------------------------------------------------- */

static const char *state_text(const struct task_view *task)
{
	if (task->state == TASK_RUNNING && task->health == HEALTH_STARTING)
		return "starting";
	if (task->state == TASK_RUNNING && task->health == HEALTH_UNHEALTHY)
		return "unhealthy";
	return enum_name(task_state_names, task->state);
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
		if (!concerns(progress, task->job) || !line_is_new(progress, task))
			continue;
		printf("%s %s%s%s\n", task->name, state_text(task), task->message ? ": " : "",
		       task->message ? task->message : "");
	}
	fflush(stdout);
}

static void redraw(struct progress *progress)
{
	static const char *const headings[] = { "TASK", "STATE", "NODE", "DETAIL", NULL };
	struct winsize size = { 0 };
	struct table table;
	struct text out;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		size.ws_col = 80;
	table_init(&table, headings);
	for (size_t i = 0; i < progress->tasks.tasks.n; i++) {
		const struct task_view *task = &progress->tasks.tasks.items[i];
		if (!concerns(progress, task->job) || is_history(progress, task))
			continue;
		table_add(&table, task->name);
		table_add(&table, state_text(task));
		table_add(&table, task->node_name);
		table_add(&table, task->message);
	}
	text_init(&out, (size_t)LIMIT_WS_MESSAGE_BYTES);
	/* Up over what was drawn before, and clear to the end of the screen. */
	if (progress->drawn_lines)
		text_addf(&out, "\033[%zuA\033[J", progress->drawn_lines);
	table_render(&table, size.ws_col, &out);
	progress->drawn_lines = table.cells.n / table.n_columns;
	fputs(text_string(&out), stdout);
	fflush(stdout);
	text_release(&out);
	table_release(&table);
}

/* ---- what it means ------------------------------------------------------------------------------------- */

static bool could_not_start(const struct progress *progress, const struct job_view *job,
			    const struct task_view *task)
{
	(void)progress;
	return uuid_equal(task->job_id, job->id) && task->revision == job->revision &&
	       task->state == TASK_FAILED && reason_after(task->reason) == AFTER_REPLACE_ELSEWHERE;
}

static enum err_code judge_up(const struct progress *progress, bool *ret_done, struct err *err)
{
	*ret_done = true;
	for (size_t i = 0; i < progress->jobs.jobs.n; i++) {
		const struct job_view *job = &progress->jobs.jobs.items[i];
		if (!concerns(progress, job->name))
			continue;
		if (job->standing == STANDING_DEGRADED || job->standing == STANDING_FAILED)
			return err_set(err, ERR_FAILED, "%s/%s is %s: %s", job->project, job->name,
				       enum_name(job_standing_names, job->standing),
				       job->message ? job->message : reason_name(job->reason));
		for (size_t k = 0; k < progress->tasks.tasks.n; k++) {
			const struct task_view *task = &progress->tasks.tasks.items[k];
			if (job->standing != STANDING_RUNNING &&
			    could_not_start(progress, job, task))
				return err_set(err, ERR_FAILED, "%s could not start: %s",
					       task->name, task->message);
		}
		if (job->standing == STANDING_PENDING || job->standing == STANDING_UPDATING ||
		    job->standing == STANDING_REMOVING)
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

static bool judge_gone(const struct progress *progress)
{
	for (size_t i = 0; i < progress->jobs.jobs.n; i++)
		if (concerns(progress, progress->jobs.jobs.items[i].name))
			return false;
	return true;
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

static enum err_code judge(struct progress *progress, bool *ret_done, struct err *err)
{
	switch (progress->options->goal) {
	case PROGRESS_GONE: *ret_done = judge_gone(progress); return ERR_NONE;
	case PROGRESS_STOPPED: *ret_done = judge_stopped(progress); return ERR_NONE;
	case PROGRESS_UP: break;
	}
	enum err_code code = judge_up(progress, ret_done, err);
	if (!code && !*ret_done)
		code = judge_room(progress, err);
	return code;
}

static enum err_code timed_out(const struct progress *progress, struct err *err)
{
	const struct task_view *task = missing(progress);
	if (!task)
		return err_set(err, ERR_TIMEOUT, "not done in time");
	return err_set(err, ERR_TIMEOUT, "not done in time: %s is %s: %s", task->name,
		       state_text(task), task->message ? task->message : "");
}

/* ---- the loop ------------------------------------------------------------------------------------------ */

static enum err_code refresh(struct progress *progress, struct err *err)
{
	_cleanup_free_ char *query = find_query(progress->options->project, NULL);
	record_release(&job_page_type, &progress->jobs);
	record_release(&task_page_type, &progress->tasks);
	enum err_code code = fetch_jobs(progress->invocation, query, &progress->jobs, err);
	if (!code)
		code = fetch_tasks(progress->invocation, query, &progress->tasks, err);
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

enum err_code progress_wait(struct invocation *invocation, const struct progress_options *options,
			    struct err *err)
{
	struct progress progress = { .invocation = invocation,
				     .options = options,
				     .on_terminal = isatty(STDOUT_FILENO) };
	int64_t start_ms = shell_now_ms();
	bool done = false;
	enum err_code code;
	for (;;) {
		code = refresh(&progress, err);
		if (code)
			break;
		show(&progress);
		code = judge(&progress, &done, err);
		if (code || done)
			break;
		if (options->timeout_ms && shell_now_ms() - start_ms > options->timeout_ms) {
			code = timed_out(&progress, err);
			break;
		}
		api_client_run(cli_client(invocation), POLL_MS);
	}
	record_release(&job_page_type, &progress.jobs);
	record_release(&task_page_type, &progress.tasks);
	base_free(progress.shown);
	return code;
}
