#include <stdio.h>

#include "base/alloc.h"
#include "cli/progress.h"
#include "cli/project.h"

static enum err_code down(struct invocation *invocation, const char *project, struct err *err)
{
	struct manager_answer answer;
	struct text target;
	text_init(&target, LIMIT_PATH_BYTES);
	text_add(&target, "/v1/projects/");
	http_percent_encode(&target, project);
	if (cli_has(invocation, "volumes"))
		text_add(&target, "?volumes=true");
	enum err_code code = mutate(invocation, "DELETE", text_string(&target), &answer, err);
	text_release(&target);
	if (code)
		return code;
	for (size_t i = 0; i < answer.jobs.n; i++)
		printf("job %s/%s is being removed\n", project, answer.jobs.items[i].name);
	cli_flush();
	record_release(&manager_answer_type, &answer);
	struct progress_options options = { .project = project,
					    .goal = PROGRESS_GONE,
					    .timeout_ms = cli_duration_ms(invocation,
									  "wait-timeout", 0) };
	if (cli_has(invocation, "detach"))
		return ERR_NONE;
	cli_on_interrupt("drover down: no longer waiting; the project goes on going down");
	code = progress_wait(invocation, &options, err);
	if (!code)
		printf("project %s is gone\n", project);
	return code;
}

static int run(struct invocation *invocation)
{
	struct err err;
	_cleanup_free_ char *project = NULL;
	enum err_code code = project_name(invocation, &project, &err);
	if (!code)
		code = down(invocation, project, &err);
	return code ? cli_fail(invocation, &err) : 0;
}

static const struct option options[] = {
	OPTIONS_PROJECT,
	{ "volumes", 'v', OPTION_FLAG, NULL,
	  "also remove the project's named volumes and their data" },
	{ "remove-orphans", 0, OPTION_FLAG, NULL,
	  "also jobs the file does not list (always done: all of the project goes)" },
	{ "detach", 'd', OPTION_FLAG, NULL, "do not wait until everything is gone" },
	{ "wait-timeout", 0, OPTION_DURATION, "TIME", "give up waiting after this" },
};

const struct command command_down = {
	.name = "down",
	.operands = "",
	.summary = "Stop and remove a project: its tasks, jobs and networks",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.run = run,
};
