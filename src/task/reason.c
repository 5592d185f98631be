#include "task/reason.h"

#include "base/check.h"

const struct enum_name reason_names[] = {
#define REASON_NAME(code, name, after) { code, name },
	REASON_TABLE(REASON_NAME)
#undef REASON_NAME
		{ 0 }
};

static const enum reason_after afters[] = {
#define REASON_AFTER(code, name, after) [code] = (after),
	REASON_TABLE(REASON_AFTER)
#undef REASON_AFTER
};

const char *reason_name(int reason)
{
	return enum_name(reason_names, reason);
}

enum reason_after reason_after(int reason)
{
	PRE(reason >= 0 && reason < REASON_COUNT);
	return afters[reason];
}
