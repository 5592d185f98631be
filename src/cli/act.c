#include "cli/act.h"

#include <stdio.h>

#include "base/alloc.h"
#include "cli/progress.h"
#include "cli/steady.h"

static enum err_code wait_for(struct invocation *invocation, const struct found *found, int goal,
			      struct err *err)
{
	struct strings jobs = { 0 };
	strings_add(&jobs, found->job.name);
	struct progress_options options = { .project = found->job.project,
					    .jobs = &jobs,
					    .goal = (enum progress_goal)goal,
					    .settle_ms = STEADY_SETTLE_MS,
					    .quiet = true };
	enum err_code code = progress_wait(invocation, &options, err);
	strings_release(&jobs);
	return code;
}

static enum err_code act_on(struct invocation *invocation, const struct act *act, const char *name,
			    struct err *err)
{
	struct found found = { 0 };
	struct manager_answer answer;
	char target[128], id[UUID_TEXT_SIZE];
	enum err_code code = act->tasks_too ? find_job_or_task(invocation, name, &found, err)
					    : find_job(invocation, name, &found, err);
	if (code)
		return code;
	text_print(target, sizeof(target), "/v1/%s/%s%s", found.has_task ? "tasks" : "jobs",
		   uuid_format(found.has_task ? found.task.id : found.job.id, id), act->suffix);
	code = mutate(invocation, act->method, target, &answer, err);
	if (!code) {
		record_release(&manager_answer_type, &answer);
		if (act->goal >= 0 && !found.has_task && !cli_has(invocation, "detach"))
			code = wait_for(invocation, &found, act->goal, err);
		if (!code && found.has_task)
			puts(found.task.name);
		else if (!code)
			printf("%s/%s\n", found.job.project, found.job.name);
	}
	found_release(&found);
	return code;
}

int act_on_operands(struct invocation *invocation, const struct act *act)
{
	int status = 0;
	for (size_t i = 0; i < invocation->operands.n; i++) {
		struct err err;
		if (act_on(invocation, act, invocation->operands.items[i], &err))
			status = cli_fail(invocation, &err);
	}
	return status;
}
