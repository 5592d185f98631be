/* What an update costs per replica: a plan of it, which carries the whole roll-out out on a copy of the manager, one
 * replica after the other. Processor time of the copy, and how many times as much a replica costs where there are
 * more of them: 1 is what it should be.
 *
 * usage: update [REPLICAS...] */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <sys/resource.h>

#include "../test/story/manager_planned.h"
#include "../test/story/manager_rollout.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "base/parse.h"
#include "manager/rehearse.h"

#define FIELDS_OF(seconds) ((double)(seconds).tv_sec * 1000 + (double)(seconds).tv_usec / 1000)

static double children_ms(void)
{
	struct rusage usage;
	getrusage(RUSAGE_CHILDREN, &usage);
	return FIELDS_OF(usage.ru_utime) + FIELDS_OF(usage.ru_stime);
}

static double measure(int64_t replicas, int order)
{
	struct story story;
	struct project_plan plan = { 0 };
	struct err err;
	rollout_begin(&story, replicas);
	string_set(&rollout_spec(&story)->image, "shop/web:2");
	rollout_spec(&story)->update.order = order;
	double before_ms = children_ms();
	enum err_code code = story_plan(&story, &plan, &err);
	double spent_ms = children_ms() - before_ms;
	if (code)
		fprintf(stderr, "update: %s\n", err.message);
	else if (plan.problems.n)
		fprintf(stderr, "update: %s\n", plan.problems.items[0]);
	record_release(&project_plan_type, &plan);
	story_end(&story);
	return spent_ms;
}

int main(int argc, char **argv)
{
	static const char *const usual[] = { "250", "1000", "4000" };
	static const char *const orders[] = { "stop-first", "start-first" };
	size_t n = argc > 1 ? (size_t)argc - 1 : ARRAY_LEN(usual);
	for (int order = UPDATE_STOP_FIRST; order <= UPDATE_START_FIRST; order++) {
		double first = 0;
		for (size_t i = 0; i < n; i++) {
			int64_t replicas = 0;
			if (parse_int(argc > 1 ? argv[i + 1] : usual[i], 1, LIMIT_REPLICAS,
				      &replicas, NULL) != ERR_NONE) {
				fprintf(stderr, "usage: update [REPLICAS...]\n");
				return 2;
			}
			double spent_ms = measure(replicas, order);
			double each_us = 1000 * spent_ms / (double)replicas;
			first = i ? first : each_us;
			printf("%s: %lld replicas: %.0f ms, %.0f us each, %.1f times the first\n",
			       orders[order], (long long)replicas, spent_ms, each_us,
			       each_us / first);
			fflush(stdout);
		}
	}
	return 0;
}
