#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "cli/find.h"
#include "cli/progress.h"

static enum err_code ask(struct invocation *invocation, const struct job_view *job,
			 int64_t revision, struct manager_answer *ret_answer, struct err *err)
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

static void print_answer(const struct job_view *job, const struct job_answer *answer)
{
	if (answer->effect == EFFECT_UNCHANGED)
		printf("job %s/%s is at revision %lld already\n", job->project, answer->name,
		       (long long)answer->revision);
	else
		printf("job %s/%s %s (revision %lld)\n", job->project, answer->name,
		       enum_name(job_effect_names, answer->effect), (long long)answer->revision);
	cli_flush();
}

static enum err_code roll_back(struct invocation *invocation, const struct job_view *job,
			       int64_t revision, struct err *err)
{
	struct manager_answer answer;
	enum err_code code = ask(invocation, job, revision, &answer, err);
	if (code)
		return code;
	struct strings jobs = { 0 };
	for (size_t i = 0; i < answer.jobs.n; i++) {
		print_answer(job, &answer.jobs.items[i]);
		strings_add(&jobs, answer.jobs.items[i].name);
	}
	record_release(&manager_answer_type, &answer);
	struct progress_options options = { .project = job->project,
					    .jobs = &jobs,
					    .goal = PROGRESS_UP,
					    .timeout_ms = cli_duration_ms(invocation,
									  "wait-timeout", 0) };
	if (!cli_has(invocation, "detach"))
		code = progress_wait(invocation, &options, err);
	strings_release(&jobs);
	return code;
}

static int run(struct invocation *invocation)
{
	struct err err;
	struct found found = { 0 };
	int64_t revision = 0;
	const char *to = cli_string(invocation, "to", NULL);
	if (to && parse_int(to, 1, LIMIT_COUNT, &revision, &err)) {
		err_set(&err, ERR_INVALID, "--to takes the number of a revision, not \"%s\"", to);
		return cli_fail(invocation, &err);
	}
	enum err_code code = find_job(invocation, invocation->operands.items[0], &found, &err);
	if (!code) {
		cli_on_interrupt("drover rollback: no longer waiting; the job goes on going back");
		code = roll_back(invocation, &found.job, revision, &err);
		found_release(&found);
	}
	return code ? cli_fail(invocation, &err) : 0;
}

static const struct option options[] = {
	{ "to", 0, OPTION_STRING, "REVISION",
	  "which one (default: the last before the current that was rolled out to its end)" },
	{ "detach", 'd', OPTION_FLAG, NULL, "do not wait until it is done" },
	{ "wait-timeout", 0, OPTION_DURATION, "TIME", "give up waiting after this" },
};

const struct command command_rollback = {
	.name = "rollback",
	.operands = "JOB",
	.summary = "Take a job back to an earlier revision",
	.details = "That revision becomes the current one again, whole: image, command, "
		   "environment, resources and number of tasks, unless `drover scale` has set that "
		   "since. Tasks are replaced as the "
		   "rollback_config of that revision says; those that are still of it stay. "
		   "`drover history` lists what there is.",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.operands_min = 1,
	.operands_max = 1,
	.run = run,
};
