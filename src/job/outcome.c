/* How the roll-outs of a job's revisions went. */
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "job/job.h"

const struct revision_outcome *job_outcome_of(const struct job *job, int64_t revision)
{
	for (size_t i = 0; i < job->outcomes.n; i++)
		if (job->outcomes.items[i].revision == revision)
			return &job->outcomes.items[i];
	return NULL;
}

int job_outcome(const struct job *job, int64_t revision)
{
	const struct revision_outcome *outcome = job_outcome_of(job, revision);
	return outcome ? outcome->outcome : OUTCOME_DONE;
}

bool job_is_under_way(const struct job *job)
{
	int outcome = job_outcome(job, job->revision);
	return outcome == OUTCOME_ROLLING || outcome == OUTCOME_PAUSED;
}

int job_spec_first_outcome(const struct job_spec *spec)
{
	return job_spec_completes(spec) ? OUTCOME_DONE : OUTCOME_ROLLING;
}

static void remove_first(struct job *job)
{
	record_release(&revision_outcome_type, &job->outcomes.items[0]);
	job->outcomes.n--;
	memmove(&job->outcomes.items[0], &job->outcomes.items[1],
		job->outcomes.n * sizeof(struct revision_outcome));
}

/* Room for a new one where its number belongs. */
static struct revision_outcome *insert(struct job *job, int64_t revision)
{
	while (job->outcomes.n >= LIMIT_OUTCOMES_PER_JOB)
		remove_first(job);
	list_add(&job->outcomes, sizeof(struct revision_outcome));
	size_t at = job->outcomes.n - 1;
	while (at > 0 && job->outcomes.items[at - 1].revision > revision)
		at--;
	struct revision_outcome *outcome = &job->outcomes.items[at];
	memmove(outcome + 1, outcome, (job->outcomes.n - 1 - at) * sizeof(*outcome));
	*outcome = (struct revision_outcome){ .revision = revision };
	return outcome;
}

void job_set_outcome(struct job *job, int64_t revision, int outcome, int64_t wall_ms,
		     const char *message)
{
	struct revision_outcome *kept = (struct revision_outcome *)job_outcome_of(job, revision);
	if (!kept)
		kept = insert(job, revision);
	kept->outcome = outcome;
	kept->wall_ms = wall_ms;
	string_set(&kept->message, message);
}
