/* Commands that do one thing to each job they are given: stop, restart, rm. */
#ifndef CLI_ACT_H
#define CLI_ACT_H

#include "cli/find.h"

/* POST or DELETE on each operand (a job, or a task where `tasks_too`), then wait for `goal` unless --detach was given.
 * `suffix` is "/stop", "/restart" or "". Returns the exit status. */
struct act {
	const char *method;
	const char *suffix;
	bool tasks_too;
	int goal; /* enum progress_goal; -1: nothing to wait for */
};
int act_on_operands(struct invocation *invocation, const struct act *act);

#endif
