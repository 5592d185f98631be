#include <string.h>

#include "base/check.h"
#include "scheduler/internal.h"

const struct scheduler_ops *const scheduler_registry[SCHEDULER_POLICY_COUNT] = {
	[SCHEDULER_EPVM] = &scheduler_epvm,	[SCHEDULER_ROUNDROBIN] = &scheduler_roundrobin,
	[SCHEDULER_GREEDY] = &scheduler_greedy, [SCHEDULER_BINPACK] = &scheduler_binpack,
	[SCHEDULER_SPREAD] = &scheduler_spread,
};

const struct scheduler_ops *scheduler_find(const char *name)
{
	for (size_t i = 0; i < SCHEDULER_POLICY_COUNT; i++)
		if (strcmp(scheduler_registry[i]->name, name) == 0)
			return scheduler_registry[i];
	return NULL;
}

const char *scheduler_names(void)
{
	/* Held to the registry by a test. */
	return "epvm, roundrobin, greedy, binpack, spread";
}
