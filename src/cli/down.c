#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/find.h"
#include "cli/progress.h"
#include "cli/project.h"

/* Wait until these jobs are gone; NULL: the project. */
static enum err_code wait_gone(struct invocation *invocation, const char *project,
			       const struct strings *jobs, struct err *err)
{
	struct progress_options options = { .project = project,
					    .jobs = jobs,
					    .goal = PROGRESS_GONE,
					    .timeout_ms = cli_duration_ms(invocation,
									  "wait-timeout", 0) };
	cli_flush();
	cli_on_interrupt("drover down: no longer waiting; the project goes on going down");
	return progress_wait(invocation, &options, err);
}

static enum err_code down_all(struct invocation *invocation, const char *project, struct err *err)
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
	record_release(&manager_answer_type, &answer);
	if (cli_has(invocation, "detach"))
		return ERR_NONE;
	code = wait_gone(invocation, project, NULL, err);
	if (!code)
		printf("project %s is gone\n", project);
	return code;
}

static enum err_code remove_job(struct invocation *invocation, const struct job_view *job,
				struct err *err)
{
	struct manager_answer answer;
	char target[128], id[UUID_TEXT_SIZE];
	text_print(target, sizeof(target), "/v1/jobs/%s", uuid_format(job->id, id));
	enum err_code code = mutate(invocation, "DELETE", target, &answer, err);
	if (code)
		return code;
	record_release(&manager_answer_type, &answer);
	printf("job %s/%s is being removed\n", job->project, job->name);
	return ERR_NONE;
}

/* Services of other profiles stay, and with them the project. */
static enum err_code down_but(struct invocation *invocation, const char *project,
			      const struct job_page *jobs, const struct strings *inactive,
			      struct err *err)
{
	struct strings removed = { 0 };
	enum err_code code = ERR_NONE;
	if (cli_has(invocation, "volumes"))
		return err_set_field(err, ERR_CONFLICT, "--volumes",
				     "services of profiles that are not active are still there in "
				     "project %s; take them down too: --profile '*'",
				     project);
	for (size_t i = 0; !code && i < jobs->jobs.n; i++) {
		const struct job_view *job = &jobs->jobs.items[i];
		if (strings_has(inactive, job->name))
			continue;
		if (job->wanted != JOB_REMOVE)
			code = remove_job(invocation, job, err);
		strings_add(&removed, job->name);
	}
	if (!code && removed.n && !cli_has(invocation, "detach"))
		code = wait_gone(invocation, project, &removed, err);
	for (size_t i = 0; !code && i < jobs->jobs.n; i++)
		if (strings_has(inactive, jobs->jobs.items[i].name))
			printf("job %s/%s stays: its profile is not active\n", project,
			       jobs->jobs.items[i].name);
	strings_release(&removed);
	return code;
}

/* Does one of the jobs that the file holds for other profiles run? */
static bool any_inactive(const struct job_page *jobs, const struct strings *inactive)
{
	for (size_t i = 0; i < jobs->jobs.n; i++)
		if (jobs->jobs.items[i].wanted != JOB_REMOVE &&
		    strings_has(inactive, jobs->jobs.items[i].name))
			return true;
	return false;
}

static enum err_code down(struct invocation *invocation, const struct project_request *request,
			  struct err *err)
{
	struct job_page jobs;
	if (request->inactive.n == 0)
		return down_all(invocation, request->name, err);
	_cleanup_free_ char *query = find_query(request->name, NULL);
	enum err_code code = fetch_jobs(invocation, query, &jobs, err);
	if (code)
		return code;
	code = any_inactive(&jobs, &request->inactive)
		       ? down_but(invocation, request->name, &jobs, &request->inactive, err)
		       : down_all(invocation, request->name, err);
	record_release(&job_page_type, &jobs);
	return code;
}

static int run(struct invocation *invocation)
{
	struct err err;
	struct project_request request;
	enum err_code code = project_identify(invocation, &request, &err);
	if (!code) {
		code = down(invocation, &request, &err);
		record_release(&project_request_type, &request);
	}
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
	.details = "Services of profiles that are not active stay, and with them the project.",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.run = run,
};
