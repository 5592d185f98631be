#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "cli/find.h"
#include "cli/progress.h"
#include "cli/project.h"
#include "cli/steady.h"

static enum err_code ask_of_job(struct invocation *invocation, const struct job_view *job,
				int64_t revision, struct manager_answer *ret_answer,
				struct err *err)
{
	struct rollback_request body = { revision };
	char target[128], id[UUID_TEXT_SIZE], key[UUID_TEXT_SIZE];
	text_print(target, sizeof(target), "/v1/jobs/%s/rollback", uuid_format(job->id, id));
	api_client_make_key(key);
	struct api_call call = { .method = "POST",
				 .target = target,
				 .body_type = &rollback_request_type,
				 .body = &body,
				 .answer_type = &manager_answer_type,
				 .answer = ret_answer,
				 .idempotency_key = key };
	return api_client_call(cli_client(invocation), &call, err);
}

static enum err_code ask_of_project(struct invocation *invocation, const char *project,
				    struct manager_answer *ret_answer, struct err *err)
{
	struct text target;
	text_init(&target, LIMIT_PATH_BYTES);
	text_add(&target, "/v1/projects/");
	http_percent_encode(&target, project);
	text_add(&target, "/rollback");
	enum err_code code = mutate(invocation, "POST", text_string(&target), ret_answer, err);
	text_release(&target);
	return code;
}

static void print_answer(const struct manager_answer *answer, const struct job_answer *job)
{
	if (job->effect == EFFECT_UNCHANGED)
		printf("job %s/%s is at revision %lld already\n", answer->project, job->name,
		       (long long)job->revision);
	else
		printf("job %s/%s goes back to revision %lld\n", answer->project, job->name,
		       (long long)job->revision);
	cli_flush();
}

static enum err_code wait_for(struct invocation *invocation, const struct manager_answer *answer,
			      struct err *err)
{
	struct strings jobs = { 0 };
	for (size_t i = 0; i < answer->jobs.n; i++) {
		print_answer(answer, &answer->jobs.items[i]);
		strings_add(&jobs, answer->jobs.items[i].name);
	}
	output_dependents(&answer->dependents, answer->n_dependents, "job ", " restarted");
	cli_flush();
	struct progress_options options = { .project = answer->project,
					    .jobs = &jobs,
					    .goal = PROGRESS_UP,
					    .timeout_ms =
						    cli_duration_ms(invocation, "wait-timeout", 0),
					    .settle_ms = STEADY_SETTLE_MS };
	enum err_code code = ERR_NONE;
	if (!cli_has(invocation, "detach"))
		code = progress_wait(invocation, &options, err);
	strings_release(&jobs);
	return code;
}

static enum err_code roll_back_job(struct invocation *invocation, const char *name,
				   int64_t revision, struct manager_answer *ret_answer,
				   struct err *err)
{
	struct found found = { 0 };
	enum err_code code = find_job(invocation, name, &found, err);
	if (code)
		return code;
	code = ask_of_job(invocation, &found.job, revision, ret_answer, err);
	found_release(&found);
	return code;
}

static enum err_code roll_back_project(struct invocation *invocation,
				       struct manager_answer *ret_answer, struct err *err)
{
	struct project_request project;
	enum err_code code = project_identify(invocation, &project, err);
	if (code)
		return code;
	code = ask_of_project(invocation, project.name, ret_answer, err);
	record_release(&project_request_type, &project);
	return code;
}

static int run(struct invocation *invocation)
{
	struct err err;
	struct manager_answer answer;
	int64_t revision = 0;
	const char *to = cli_string(invocation, "to", NULL);
	const char *job = invocation->operands.n ? invocation->operands.items[0] : NULL;
	if (to && parse_int(to, 1, LIMIT_COUNT, &revision, &err)) {
		err_set(&err, ERR_INVALID, "--to takes the number of a revision, not \"%s\"", to);
		return cli_fail(invocation, &err);
	}
	const char *of_a_project = project_option(invocation);
	if (job && of_a_project) {
		err_set(&err, ERR_INVALID,
			"--%s is for taking back a project, and %s is a job: say PROJECT/JOB for "
			"a job of that project",
			of_a_project, job);
		return cli_fail(invocation, &err);
	}
	if (to && !job)
		return cli_usage(invocation,
				 "--to is the number of one job's revision: name the job");
	enum err_code code = job ? roll_back_job(invocation, job, revision, &answer, &err)
				 : roll_back_project(invocation, &answer, &err);
	if (!code) {
		cli_on_interrupt("drover rollback: no longer waiting; it goes on going back");
		code = wait_for(invocation, &answer, &err);
		record_release(&manager_answer_type, &answer);
	}
	return code ? cli_fail(invocation, &err) : 0;
}

static const struct option options[] = {
	OPTIONS_PROJECT,
	{ "to", 0, OPTION_STRING, "REVISION",
	  "which one (default: the last before the current that was rolled out to its end)" },
	{ "detach", 'd', OPTION_FLAG, NULL, "do not wait until it is done" },
	{ "wait-timeout", 0, OPTION_DURATION, "TIME", "give up waiting after this" },
};

const struct command command_rollback = {
	.name = "rollback",
	.operands = "[JOB]",
	.summary = "Take a job, or a project's newest deployment, back to an earlier revision",
	.details = "Without JOB, every service that the newest deployment of the project changed "
		   "goes back to its last revision before that was rolled out to its end, all of "
		   "them or none. Jobs that run to completion stay, for they would run again.\n"
		   "That revision becomes the current one again, whole: image, command, "
		   "environment, resources and number of tasks, unless `drover scale` has set that "
		   "since. Tasks are replaced as the "
		   "rollback_config of that revision says; those that are still of it stay. "
		   "`drover history` lists what there is.",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.operands_max = 1,
	.run = run,
};
