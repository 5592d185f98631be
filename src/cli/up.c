#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/find.h"
#include "cli/plan_file.h"
#include "cli/progress.h"
#include "cli/project.h"
#include "cli/steady.h"

static enum err_code apply(struct invocation *invocation, const struct project_request *request,
			   struct manager_answer *ret_answer, struct err *err)
{
	struct text target;
	char key[UUID_TEXT_SIZE];
	api_client_make_key(key);
	text_init(&target, LIMIT_PATH_BYTES);
	text_add(&target, "/v1/projects/");
	http_percent_encode(&target, request->name);
	text_add(&target, "/apply");
	struct api_call call = { .method = "POST",
				 .target = text_string(&target),
				 .body_type = &project_request_type,
				 .body = request,
				 .answer_type = &manager_answer_type,
				 .answer = ret_answer,
				 .idempotency_key = key };
	enum err_code code = api_client_call(cli_client(invocation), &call, err);
	text_release(&target);
	return code;
}

static void print_answer(const struct manager_answer *answer)
{
	for (size_t i = 0; i < answer->jobs.n; i++) {
		const struct job_answer *job = &answer->jobs.items[i];
		if (job->effect == EFFECT_ORPHAN)
			fprintf(stderr,
				"warning: %s/%s is not in the file; --remove-orphans would remove "
				"it\n",
				answer->project, job->name);
		else
			printf("job %s/%s %s (revision %lld)\n", answer->project, job->name,
			       enum_name(job_effect_names, job->effect), (long long)job->revision);
	}
	output_dependents(&answer->dependents, answer->n_dependents, "job ", " restarted");
	cli_flush();
}

static enum err_code wait_until_up(struct invocation *invocation,
				   const struct project_request *request,
				   const struct manager_answer *answer, struct err *err)
{
	cli_on_interrupt("drover up: no longer waiting; the project goes on coming up (drover ps)");
	struct strings jobs = { 0 };
	for (size_t i = 0; i < request->jobs.n; i++)
		strings_add(&jobs, request->jobs.items[i].name);
	struct progress_options options = {
		.project = request->name,
		.jobs = &jobs,
		.goal = PROGRESS_UP,
		.asked = answer,
		.timeout_ms = cli_duration_ms(invocation, "wait-timeout", 0),
		.settle_ms = cli_duration_ms(invocation, "settle", STEADY_SETTLE_MS)
	};
	enum err_code code = progress_wait(invocation, &options, err);
	strings_release(&jobs);
	return code;
}

static enum err_code up(struct invocation *invocation, const struct project_request *request,
			const struct compose_origins *origins, struct err *err)
{
	struct manager_answer answer;
	enum err_code code = apply(invocation, request, &answer, err);
	if (code) {
		compose_blame(origins, err);
		return code;
	}
	print_answer(&answer);
	if (!cli_has(invocation, "detach") || cli_has(invocation, "wait"))
		code = wait_until_up(invocation, request, &answer, err);
	record_release(&manager_answer_type, &answer);
	return code;
}

/* What the file says is what was shown, so nothing else may be said. */
static enum err_code read_plan(const struct invocation *invocation, const char *path,
			       struct project_request *ret_request, struct err *err)
{
	static const char *const others[] = { "file",	  "project-name", "project-directory",
					      "env-file", "profile",	  "remove-orphans" };
	struct plan_file file;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (cli_has(invocation, others[i]))
			return err_set(err, ERR_INVALID,
				       "--plan and --%s: the plan was made with what it holds",
				       others[i]);
	if (invocation->operands.n)
		return err_set(err, ERR_INVALID,
			       "--plan and %s: the plan was made with what it holds",
			       invocation->operands.items[0]);
	enum err_code code = plan_file_read(path, &file, err);
	if (code)
		return code;
	*ret_request = file.request;
	file.request = (struct project_request){ 0 };
	record_release(&plan_file_type, &file);
	return ERR_NONE;
}

static enum err_code read_request(const struct invocation *invocation,
				  struct project_request *ret_request,
				  struct compose_origins *ret_origins, struct err *err)
{
	const char *plan = cli_string(invocation, "plan", NULL);
	if (plan)
		return read_plan(invocation, plan, ret_request, err);
	enum err_code code =
		project_load(invocation, &invocation->operands, ret_request, ret_origins, err);
	if (!code)
		ret_request->remove_orphans = cli_has(invocation, "remove-orphans");
	return code;
}

static int run(struct invocation *invocation)
{
	struct project_request request;
	struct compose_origins origins = { 0 };
	struct err err;
	enum err_code code = read_request(invocation, &request, &origins, &err);
	if (code)
		return cli_fail(invocation, &err);
	code = up(invocation, &request, &origins, &err);
	record_release(&project_request_type, &request);
	compose_origins_release(&origins);
	return code ? cli_fail(invocation, &err) : 0;
}

static const struct option options[] = {
	OPTIONS_PROJECT,
	{ "detach", 'd', OPTION_FLAG, NULL, "do not wait for the tasks to run" },
	{ "wait", 0, OPTION_FLAG, NULL, "wait (the default; goes before --detach)" },
	{ "remove-orphans", 0, OPTION_FLAG, NULL,
	  "remove jobs of the project that the file does not list" },
	{ "plan", 0, OPTION_STRING, "PATH",
	  "do what this file of `drover plan --out` shows, or nothing if jobs or nodes have "
	  "changed" },
	{ "wait-timeout", 0, OPTION_DURATION, "TIME",
	  "give up waiting after this (the jobs stay)" },
	{ "settle", 0, OPTION_DURATION, "TIME",
	  "a task without a health check is up when it has run for this long (default 1s)" },
};

const struct command command_up = {
	.name = "up",
	.operands = "[SERVICE...]",
	.summary = "Run the project of a compose.yaml, or bring it up to date",
	.details =
		"Waits until every task runs (and is healthy, where it has a check) or has "
		"completed, and fails with the reason when one cannot, when it ends again and "
		"again, when an update is paused or was rolled back. Running it again with nothing "
		"changed restarts nothing. With SERVICE: only these and what they depend on.",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.operands_max = -1,
	.run = run,
};
