/* The beginnings that stories of updates share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "manager_rollout.h"

void rollout_begin(struct story *story, int64_t replicas)
{
	story_begin(story);
	story_join(story, "alpha");
	story_project(story, "shop");
	story_job(story, "web", replicas);
	assert_int_equal(story_apply(story), ERR_NONE);
	story_forget(story);
}

struct job_spec *rollout_spec(struct story *story)
{
	return &story->request.jobs.items[0].spec;
}

void rollout_update(struct story *story, const char *image)
{
	string_set(&rollout_spec(story)->image, image);
	assert_int_equal(story_apply(story), ERR_NONE);
}

const struct job_entry *rollout_job(struct story *story, const char *name)
{
	return cluster_job_named(manager_cluster(story->manager), "shop", name);
}

int64_t rollout_revision(struct story *story, const char *task)
{
	return story_task(story, task)->desired.revision;
}

int rollout_outcome(struct story *story, int64_t revision)
{
	return job_outcome(&rollout_job(story, "web")->job, revision);
}

const char *rollout_message(struct story *story, int64_t revision)
{
	return job_outcome_of(&rollout_job(story, "web")->job, revision)->message;
}

size_t rollout_running(struct story *story)
{
	const struct job_entry *entry = rollout_job(story, "web");
	size_t n = 0;
	for (size_t i = 0; i < entry->tasks.n; i++)
		n += entry->tasks.items[i]->state == TASK_RUNNING;
	return n;
}

enum err_code rollout_back(struct story *story, int64_t revision)
{
	struct manager_request request = {
		.kind = REQUEST_ROLLBACK, .project = "shop", .job = "web", .revision = revision
	};
	return story_ask(story, &request);
}
