#include "base/alloc.h"
#include "cli/act.h"
#include "cli/progress.h"

static int run(struct invocation *invocation)
{
	static const struct act act = { "POST", "/restart", true, PROGRESS_UP };
	return act_on_operands(invocation, &act);
}

static const struct option options[] = {
	{ "detach", 'd', OPTION_FLAG, NULL, "do not wait until it is done" },
};

const struct command command_restart = {
	.name = "restart",
	.operands = "JOB|TASK...",
	.summary = "Restart jobs one task after the other; also starts what was stopped",
	.details = "Also clears a degraded job: slots that were given up are tried again.",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.operands_min = 1,
	.operands_max = -1,
	.run = run,
};
