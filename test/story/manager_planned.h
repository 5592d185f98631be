/* Plans in stories: rehearsed in a child, as the program does it, so that the story goes on untouched. */
#ifndef STORY_MANAGER_PLANNED_H
#define STORY_MANAGER_PLANNED_H

#include "manager/rehearse.h"
#include "manager_story.h"

/* Who asks for plans, and with which idempotency key, which is to change nothing. */
#define STORY_PLANNER	  "planner"
#define STORY_PLANNER_KEY "again"

/* Plan the request that was built. The caller releases the plan. */
enum err_code story_plan(struct story *story, struct project_plan *ret_plan, struct err *err);

/* The plan in lines: jobs with their changes and tasks, networks and volumes, what would not run. */
void story_plans(struct story *story, const char *expected);

/* The plan, then the request itself and the time that it takes: every task is where the plan said, and no slot of the
 * project that the plan does not list has changed. */
void story_comes_true(struct story *story);

#endif
