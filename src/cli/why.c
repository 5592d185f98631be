#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/find.h"
#include "task/reason.h"

/* Nothing but that it runs: its reason and its sentence say that again. */
static bool only_runs(const struct task_view *task)
{
	return task->reason == REASON_RUNNING && task->message &&
	       strcmp(task->message, enum_name(task_state_names, TASK_RUNNING)) == 0;
}

static void print_task(const struct task_view *task)
{
	const char *health =
		task->health == HEALTH_NONE ? NULL : enum_name(task_health_names, task->health);
	const char *why = only_runs(task) ? health : reason_name(task->reason);
	printf("%s is %s%s", task->name, enum_name(task_state_names, task->state),
	       task->unreachable ? ", its node unreachable" : "");
	printf(why ? " (%s)\n" : "\n", why);
	if (task->message && *task->message && !only_runs(task))
		printf("  %s\n", task->message);
	if (task->waits && *task->waits)
		printf("  %s\n", task->waits);
}

static int by_slot(const void *a, const void *b)
{
	const struct task_view *x = a;
	const struct task_view *y = b;
	if (x->slot != y->slot)
		return x->slot < y->slot ? -1 : 1;
	return uuid_compare(x->id, y->id);
}

static bool is_of_completing(const struct job_view *job)
{
	return job->mode == JOB_REPLICATED_JOB || job->mode == JOB_GLOBAL_JOB;
}

/* Of tasks by_slot(): the one that fills its slot, or was the last to. */
static bool is_newest(const struct task_page *page, size_t at)
{
	const struct task_view *task = &page->tasks.items[at];
	for (size_t i = at + 1; i < page->tasks.n && page->tasks.items[i].slot == task->slot; i++)
		if (!page->tasks.items[i].withdrawn)
			return false;
	return !task->withdrawn;
}

/* Worth saying of a job: tasks, newest of their slot, that neither simply run nor ended as they were meant to. */
static bool says_something(const struct job_view *job, const struct task_page *page, size_t at)
{
	const struct task_view *task = &page->tasks.items[at];
	if (!is_newest(page, at))
		return false;
	if (task_is_final(task->state) && task->wanted != TASK_WANT_RUN)
		return job->standing == STANDING_STOPPED;
	if (task->reason == REASON_EXIT_ZERO && is_of_completing(job))
		return false;
	return !task->ready || task->unreachable;
}

/* The job's own sentence is about one of its tasks, but in an update it says how that stands. */
static void print_job(const struct job_view *job, bool tasks_tell)
{
	printf("%s/%s is %s", job->project, job->name,
	       enum_name(job_standing_names, job->standing));
	if ((!tasks_tell || job->update == UPDATE_STATE_ROLLING ||
	     job->update == UPDATE_STATE_PAUSED) &&
	    job->message && *job->message)
		printf(": %s\n", job->message);
	else if (is_of_completing(job))
		printf(", %lld of %lld succeeded\n", (long long)job->succeeded,
		       (long long)job->replicas);
	else
		printf(", %lld of %lld ready\n", (long long)job->ready, (long long)job->replicas);
	if (job->rolled_back_from)
		printf("  revision %lld was gone back on, to %lld: %s\n",
		       (long long)job->rolled_back_from, (long long)job->revision,
		       job->rolled_back_because ? job->rolled_back_because : "");
}

static enum err_code why_job(struct invocation *invocation, const struct job_view *job,
			     struct err *err)
{
	struct task_page page;
	_cleanup_free_ char *query = find_query(job->project, job->name);
	enum err_code code = fetch_tasks(invocation, query, &page, err);
	if (code)
		return code;
	bool tasks_tell = false;
	if (page.tasks.n)
		qsort(page.tasks.items, page.tasks.n, sizeof(struct task_view), by_slot);
	for (size_t i = 0; i < page.tasks.n && !tasks_tell; i++)
		tasks_tell = says_something(job, &page, i);
	print_job(job, tasks_tell);
	for (size_t i = 0; i < page.tasks.n; i++)
		if (says_something(job, &page, i))
			print_task(&page.tasks.items[i]);
	record_release(&task_page_type, &page);
	return ERR_NONE;
}

static int run(struct invocation *invocation)
{
	struct found found = { 0 };
	struct err err;
	enum err_code code =
		find_job_or_task(invocation, invocation->operands.items[0], &found, &err);
	if (!code && found.has_task)
		print_task(&found.task);
	else if (!code)
		code = why_job(invocation, &found.job, &err);
	found_release(&found);
	return code ? cli_fail(invocation, &err) : 0;
}

const struct command command_why = {
	.name = "why",
	.operands = "JOB|TASK",
	.summary = "Say why a job or task is in the state it is in",
	.operands_min = 1,
	.operands_max = 1,
	.run = run,
};
