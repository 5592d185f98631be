#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/find.h"

static void print_task(const struct task_view *task)
{
	printf("%s is %s%s (%s)\n", task->name, enum_name(task_state_names, task->state),
	       task->unreachable ? ", its node unreachable" : "", reason_name(task->reason));
	if (task->message && *task->message)
		printf("  %s\n", task->message);
	if (task->waits && *task->waits)
		printf("  %s\n", task->waits);
}

/* Worth saying of a job: tasks that are not simply running, newest of their slot. */
static bool says_something(const struct task_page *page, size_t at)
{
	const struct task_view *task = &page->tasks.items[at];
	return find_in_slot(page, task->job_id, task->slot) == task &&
	       (!task->ready || task->unreachable);
}

static enum err_code why_job(struct invocation *invocation, const struct job_view *job,
			     struct err *err)
{
	struct task_page page;
	_cleanup_free_ char *query = find_query(job->project, job->name);
	enum err_code code = fetch_tasks(invocation, query, &page, err);
	if (code)
		return code;
	printf("%s/%s is %s, %lld of %lld ready\n", job->project, job->name,
	       enum_name(job_standing_names, job->standing), (long long)job->ready,
	       (long long)job->replicas);
	if (job->rolled_back_from)
		printf("  revision %lld was gone back on, to %lld: %s\n",
		       (long long)job->rolled_back_from, (long long)job->revision,
		       job->rolled_back_because ? job->rolled_back_because : "");
	bool told = job->standing == STANDING_RUNNING;
	for (size_t i = 0; i < page.tasks.n; i++)
		if (says_something(&page, i)) {
			print_task(&page.tasks.items[i]);
			told = true;
		}
	/* The job's own sentence is about one of its tasks. */
	if (!told && job->message && *job->message)
		printf("  %s\n", job->message);
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
