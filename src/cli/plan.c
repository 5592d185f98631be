#include <stdio.h>

#include "base/alloc.h"
#include "cli/plan_file.h"
#include "cli/plan_print.h"
#include "cli/project.h"

#define STATUS_CHANGES 2

static enum err_code ask(struct invocation *invocation, const struct project_request *request,
			 struct project_plan *ret_plan, struct err *err)
{
	struct text target;
	text_init(&target, LIMIT_PATH_BYTES);
	text_add(&target, "/v1/projects/");
	http_percent_encode(&target, request->name);
	text_add(&target, "/plan");
	struct api_call call = { .method = "POST",
				 .target = text_string(&target),
				 .body_type = &project_request_type,
				 .body = request,
				 .answer_type = &project_plan_type,
				 .answer = ret_plan };
	enum err_code code = api_client_call(cli_client(invocation), &call, err);
	text_release(&target);
	return code;
}

static enum err_code tell(const struct invocation *invocation,
			  const struct project_request *request, const struct project_plan *plan,
			  enum output_form form, struct err *err)
{
	const char *path = cli_string(invocation, "out", NULL);
	enum err_code code = path ? plan_file_write(path, request, plan, err) : ERR_NONE;
	if (code)
		return code;
	if (form == OUTPUT_JSON)
		output_json(&project_plan_type, plan);
	else
		plan_print(plan, form == OUTPUT_WIDE);
	if (path && form != OUTPUT_JSON && plan->changes)
		printf("Kept in %s: `drover up --plan %s` asks for exactly this.\n", path, path);
	cli_flush();
	for (size_t i = 0; i < plan->problems.n; i++)
		fprintf(stderr, "drover plan: %s\n", plan->problems.items[i]);
	return ERR_NONE;
}

static int run(struct invocation *invocation)
{
	struct project_request request;
	struct project_plan plan = { 0 };
	struct compose_origins origins = { 0 };
	struct err err;
	enum output_form form;
	if (output_form(invocation, &form, &err) ||
	    project_load(invocation, &invocation->operands, &request, &origins, &err))
		return cli_fail(invocation, &err);
	request.remove_orphans = cli_has(invocation, "remove-orphans");
	enum err_code code = ask(invocation, &request, &plan, &err);
	int status = 0;
	if (!code) {
		code = tell(invocation, &request, &plan, form, &err);
		if (plan.problems.n)
			status = err_exit_status(ERR_FAILED);
		else if (plan.changes && cli_has(invocation, "detailed-exitcode"))
			status = STATUS_CHANGES;
		record_release(&project_plan_type, &plan);
	} else {
		compose_blame(&origins, &err);
	}
	compose_origins_release(&origins);
	record_release(&project_request_type, &request);
	return code ? cli_fail(invocation, &err) : status;
}

static const struct option options[] = {
	OPTIONS_PROJECT,
	{ "out", 0, OPTION_STRING, "PATH", "keep the plan in a file, for `drover up --plan`" },
	{ "remove-orphans", 0, OPTION_FLAG, NULL,
	  "as if jobs of the project that the file does not list were to be removed" },
	{ "detailed-exitcode", 0, OPTION_FLAG, NULL, "end with 2 when something would change" },
	OPTION_OUTPUT,
};

const struct command command_plan = {
	.name = "plan",
	.operands = "[SERVICE...]",
	.summary = "Show what `drover up` would do, and do nothing",
	.details = "Which jobs would be created, changed (field by field) or removed; which tasks "
		   "started, replaced, moved or stopped, and where; which ports, networks and "
		   "volumes they use. Ends with status 1 when a task would find no place or an "
		   "update would not come to its end, with the reason.\n"
		   "The plan comes from a copy of the manager that carries the request out, with "
		   "machines that do at once what they are told. So it does not know what only a "
		   "machine can tell: that an image is missing, or that a container fails.",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.operands_max = -1,
	.run = run,
};
