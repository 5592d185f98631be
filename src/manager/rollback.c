/* Going back to an earlier revision of a job: that very one becomes the current one again, whole, and tasks that
 * still are of it stay as they are. What it names of its project is there: declarations are kept for as long as a
 * revision that is kept names them (apply.c). */
#include "base/check.h"
#include "manager/core.h"

const struct job_revision *rollback_target(const struct job_entry *entry)
{
	for (size_t i = entry->n_revisions; i-- > 0;) {
		const struct job_revision *revision = entry->revisions[i];
		if (revision->number < entry->job.revision &&
		    job_outcome(&entry->job, revision->number) == OUTCOME_DONE)
			return revision;
	}
	return NULL;
}

const struct job_revision *rollback_find(const struct job_entry *entry, int64_t number,
					 struct err *err)
{
	const struct job_revision *found =
		number ? job_entry_revision(entry, number) : rollback_target(entry);
	if (found)
		return found;
	if (!number)
		err_set(err, ERR_NOT_FOUND,
			"job %s/%s has no revision before %lld that was rolled out to its end",
			entry->job.project, entry->job.name, (long long)entry->job.revision);
	else
		err_set_field(err, ERR_NOT_FOUND, "revision",
			      "job %s/%s has no revision %lld, or it is not kept any more: %lld to "
			      "%lld are the oldest and the newest",
			      entry->job.project, entry->job.name, (long long)number,
			      (long long)entry->revisions[0]->number,
			      (long long)entry->revisions[entry->n_revisions - 1]->number);
	return NULL;
}

bool rollback_keeps_scale(const struct job_entry *entry, const struct job_revision *target,
			  struct job_revision *ret_revision)
{
	const struct job_revision *current = job_entry_current(entry);
	if (!current->scaled)
		return false;
	record_copy(&job_revision_type, ret_revision, target);
	ret_revision->spec.replicas = current->spec.replicas;
	ret_revision->scaled = true;
	return true;
}

void rollback_plan(const struct manager *manager, struct job *job,
		   const struct job_revision *target, const char *message)
{
	PRE(target->number != job->revision);
	bool unproven = job_outcome(job, target->number) != OUTCOME_DONE;
	job_set_outcome(job, job->revision, OUTCOME_ROLLED_BACK, wall_now(manager), message);
	job_set_outcome(job, target->number, job_spec_first_outcome(&target->spec),
			wall_now(manager), NULL);
	job->rolled_back_from = job->revision;
	job->back_to_unproven = unproven;
	job->revision = target->number;
	job->roll++;
}
