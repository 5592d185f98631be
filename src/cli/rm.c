#include "base/alloc.h"
#include "cli/act.h"
#include "cli/progress.h"

static int run(struct invocation *invocation)
{
	static const struct act act = { "DELETE", "", false, PROGRESS_GONE };
	return act_on_operands(invocation, &act);
}

static const struct option options[] = {
	{ "force", 'f', OPTION_FLAG, NULL,
	  "also what runs (always done: tasks are stopped first)" },
	{ "stop", 's', OPTION_FLAG, NULL, "the same" },
	{ "detach", 'd', OPTION_FLAG, NULL, "do not wait until it is done" },
};

const struct command command_rm = {
	.name = "rm",
	.operands = "JOB...",
	.summary = "Remove jobs with their tasks and history",
	.details = "Named volumes stay; see volume rm.",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.operands_min = 1,
	.operands_max = -1,
	.run = run,
};
