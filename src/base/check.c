#include "base/check.h"

#include <stdlib.h>

struct check_failure check_last;

_Noreturn void check_failed(const char *kind, const char *what, const char *file, int line)
{
	check_last = (struct check_failure){ kind, what, file, line };
	abort();
}
