/* What stories of runs share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "manager_runs.h"

struct schedule *runs_begin(struct story *story, const char *cron)
{
	story_begin(story);
	story->wall_ms = MAY_MS;
	story_join(story, "alpha");
	story_forget(story);
	story_project(story, "shop");
	struct job_spec *spec = story_job(story, "backup", 1);
	spec->mode = JOB_REPLICATED_JOB;
	spec->schedule = base_calloc(1, sizeof(struct schedule));
	string_set(&spec->schedule->cron, cron);
	return spec->schedule;
}

const struct job_runs *runs_of(struct story *story)
{
	return &cluster_job_named(manager_cluster(story->manager), "shop", "backup")->job.scheduled;
}

void runs_expect(struct story *story, const char *expected)
{
	const struct job_runs *runs = runs_of(story);
	struct text told;
	text_init(&told, 4096);
	for (size_t i = 0; i < runs->runs.n; i++) {
		const struct job_run *run = &runs->runs.items[i];
		int64_t minutes = (run->scheduled_wall_ms - MAY_MS) / MINUTE_MS;
		text_add(&told, i ? ", " : "");
		if (run->scheduled_wall_ms)
			text_addf(&told, "%s%lld:%s%lld", minutes < 600 ? "0" : "",
				  (long long)(minutes / 60), minutes % 60 < 10 ? "0" : "",
				  (long long)(minutes % 60));
		else
			text_add(&told, "-");
		text_addf(&told, " %s%s", enum_name(run_outcome_names, run->outcome),
			  run->made_up ? "!" : "");
	}
	assert_string_equal(text_string(&told), expected);
	text_release(&told);
}

void runs_end(struct story *story, bool well)
{
	if (well)
		story_report(story, "shop/backup.1", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	else
		story_report(story, "shop/backup.1", TASK_FAILED, REASON_EXIT_NONZERO,
			     "exited with status 1");
}
