#include <stdio.h>

#include "base/alloc.h"
#include "cli/output.h"
#include "cli/project.h"
#include "compose/compose.h"

static int run(struct invocation *invocation)
{
	struct project_request request;
	struct err err;
	enum output_form form;
	if (output_form(invocation, &form, &err))
		return cli_fail(invocation, &err);
	if (form == OUTPUT_WIDE)
		return cli_usage(invocation,
				 "--output: the forms are yaml (nothing written) and json");
	if (project_load(invocation, &invocation->operands, &request, NULL, &err))
		return cli_fail(invocation, &err);
	if (cli_has(invocation, "quiet")) {
		/* Checked, and nothing else was asked for. */
	} else if (cli_has(invocation, "services")) {
		for (size_t i = 0; i < request.jobs.n; i++)
			puts(request.jobs.items[i].name);
	} else if (form == OUTPUT_JSON) {
		output_json(&project_request_type, &request);
	} else {
		_cleanup_free_ char *text = compose_print(&request);
		fputs(text, stdout);
	}
	record_release(&project_request_type, &request);
	return 0;
}

static const struct option options[] = {
	OPTIONS_PROJECT,
	{ "quiet", 'q', OPTION_FLAG, NULL, "only check the file" },
	{ "services", 0, OPTION_FLAG, NULL, "print the names of the services" },
	{ "output", 'o', OPTION_STRING, "FORM", "json: the request as the API takes it" },
};

const struct command command_config = {
	.name = "config",
	.operands = "[SERVICE...]",
	.summary = "Check a compose.yaml and print it with every default filled in",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.operands_max = -1,
	.run = run,
};
