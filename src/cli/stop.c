#include "base/alloc.h"
#include "cli/act.h"
#include "cli/progress.h"

static int run(struct invocation *invocation)
{
	static const struct act act = { "POST", "/stop", true, PROGRESS_STOPPED };
	return act_on_operands(invocation, &act);
}

static const struct option options[] = {
	{ "detach", 'd', OPTION_FLAG, NULL, "do not wait until it is done" },
};

const struct command command_stop = {
	.name = "stop",
	.operands = "JOB|TASK...",
	.summary = "Stop jobs; their tasks get the stop signal, then time, then SIGKILL",
	.details = "A stopped job stays, with its history, until restart, up or rm.",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.operands_min = 1,
	.operands_max = -1,
	.run = run,
};
