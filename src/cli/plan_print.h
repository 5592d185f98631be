/* A plan for people. */
#ifndef CLI_PLAN_PRINT_H
#define CLI_PLAN_PRINT_H

#include "cli/output.h"

/* To standard output; every task when `whole`, else the first of each job. */
void plan_print(const struct project_plan *plan, bool whole);

#endif
