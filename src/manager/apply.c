/* Applying a project, and submitting one job to it: what was asked against what is there.
 *
 * Invariants: nothing is written here, only planned; a job whose specification did not change is not touched, unless it
 * is stopped, or was given up for what it waits for: that may be what changes. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "manager/core.h"
#include "manager/declared.h"
#include "manager/depend.h"
#include "manager/runs.h"

/* All volumes of a task are tied to its node in the group that places it. */
static enum err_code check_mounts(const struct job_request *job, size_t i, struct err *err)
{
	size_t n = volume_pins_max(&job->spec);
	if (n <= VOLUMES_PER_JOB_MAX)
		return ERR_NONE;
	char field[ERR_FIELD_MAX];
	text_print(field, sizeof(field), "jobs[%zu].spec.mounts", i);
	return err_set_field(err, ERR_LIMIT, field,
			     "job %s mounts %zu named volumes, and a job may mount %d", job->name,
			     n, VOLUMES_PER_JOB_MAX);
}

static enum err_code check_request(const struct project_request *request, struct err *err)
{
	if (!request)
		return err_set(err, ERR_INVALID, "the request holds no project");
	enum err_code code = project_request_check(request, err);
	for (size_t i = 0; i < request->jobs.n && !code; i++) {
		const char *scheduler = request->jobs.items[i].spec.scheduler;
		char field[ERR_FIELD_MAX];
		text_print(field, sizeof(field), "jobs[%zu].spec.scheduler", i);
		if (scheduler && !scheduler_find(scheduler))
			code = err_set_field(err, ERR_INVALID, field,
					     "there is no scheduler \"%.*s\"; there are %s", 100,
					     scheduler, scheduler_names());
		if (!code)
			code = check_mounts(&request->jobs.items[i], i, err);
	}
	return code;
}

static enum err_code check_counts(const struct manager *manager,
				  const struct project_request *request, struct err *err)
{
	const struct cluster *cluster = &manager->cluster;
	const struct project_entry *project = cluster_project(cluster, request->name);
	size_t n_new = 0;
	int64_t n_tasks = (int64_t)cluster->tasks.n;
	for (size_t i = 0; i < request->jobs.n; i++) {
		const struct job_request *job = &request->jobs.items[i];
		const struct job_entry *entry =
			cluster_job_named(cluster, request->name, job->name);
		n_new += !entry;
		int64_t n_before =
			entry ? tasks_at_most(cluster, &job_entry_current(entry)->spec) : 0;
		if (tasks_at_most(cluster, &job->spec) > n_before)
			n_tasks += tasks_at_most(cluster, &job->spec) - n_before;
	}
	if (!project && cluster->projects.n >= LIMIT_PROJECTS)
		return err_set(err, ERR_LIMIT,
			       "there are %d projects already, the most there may be",
			       LIMIT_PROJECTS);
	if ((project ? project->n_jobs : 0) + n_new > LIMIT_JOBS_PER_PROJECT)
		return err_set(err, ERR_LIMIT, "project %s would have %zu jobs, and may have %d",
			       request->name, (project ? project->n_jobs : 0) + n_new,
			       LIMIT_JOBS_PER_PROJECT);
	if (cluster->jobs.n + n_new > LIMIT_JOBS)
		return err_set(err, ERR_LIMIT, "there would be %zu jobs, and there may be %d",
			       cluster->jobs.n + n_new, LIMIT_JOBS);
	if (n_tasks > LIMIT_TASKS)
		return err_set(err, ERR_LIMIT, "there would be %lld tasks, and there may be %d",
			       (long long)n_tasks, LIMIT_TASKS);
	return ERR_NONE;
}

/* The project as it will be. */
static void merge_project(const struct project_entry *existing, const struct manager_request *asked,
			  int64_t wall_ms, struct project *ret_project)
{
	struct project project = { .name = base_strdup(asked->project_request->name) };
	project.created_wall_ms = existing ? existing->project.created_wall_ms : wall_ms;
	declared_merge(existing, asked, &project);
	*ret_project = project;
}

/* A submitted job joins what the project has; it does not change it. */
static enum err_code check_submit(const struct project_entry *existing,
				  const struct project_request *request, struct err *err)
{
	if (request->jobs.n != 1)
		return err_set_field(err, ERR_INVALID, "jobs",
				     "one job is submitted at a time, not %zu", request->jobs.n);
	return existing ? declared_check_same(&existing->project, request, err) : ERR_NONE;
}

static enum err_code check_volumes(const struct manager *manager, const struct project *project,
				   const struct job_spec *spec, struct err *err)
{
	for (size_t i = 0; i < spec->mounts.n; i++) {
		const struct mount *mount = &spec->mounts.items[i];
		if (mount->kind != MOUNT_VOLUME || !mount->source)
			continue;
		/* The name as the request will have it, which the world does not know yet. */
		struct project_entry entry = { .project = *project };
		char buffer[VOLUME_NAME_SIZE];
		const char *name = cluster_volume_name(&entry, mount->source, buffer);
		if (volume_is_removing(manager, name))
			return err_set(err, ERR_CONFLICT, "volume %s is still being removed", name);
	}
	return ERR_NONE;
}

/* ---- jobs ---- */

/* The one that comes now. */
static int64_t next_deployment(const struct project_entry *project)
{
	int64_t highest = 0;
	for (size_t i = 0; project && i < project->n_jobs; i++) {
		const struct job_entry *entry = project->jobs[i];
		for (size_t j = 0; j < entry->n_revisions; j++)
			if (entry->revisions[j]->deployment > highest)
				highest = entry->revisions[j]->deployment;
	}
	return highest + 1;
}

static void plan_new(struct manager *manager, struct plan *plan,
		     const struct manager_request *asked, const struct job_request *request)
{
	struct plan_job *job = plan_job_add(plan, NULL, EFFECT_CREATED);
	job->job = (struct job){
		.id = { id_next(manager) },
		.project = base_strdup(asked->project_request->name),
		.name = base_strdup(request->name),
		.revision = 1,
		.created_wall_ms = wall_now(manager),
	};
	job->put = true;
	job->put_revision = true;
	job->revision.job = job->job.id;
	job->revision.number = 1;
	job->revision.created_wall_ms = wall_now(manager);
	job->revision.over_tls = asked->over_tls;
	job->revision.deployment = plan->deployment;
	record_copy(&job_spec_type, &job->revision.spec, &request->spec);
}

/* After a roll-back there are higher ones than the current one. */
static int64_t next_revision(const struct job_entry *entry)
{
	int64_t highest = entry->revisions[entry->n_revisions - 1]->number;
	for (size_t i = 0; i < entry->job.outcomes.n; i++)
		if (entry->job.outcomes.items[i].revision > highest)
			highest = entry->job.outcomes.items[i].revision;
	return highest + 1;
}

/* A way back is mostly to what had been rolled out before, and that stays good. */
static void job_superseded(const struct manager *manager, const struct job_entry *entry,
			   struct job *job)
{
	bool was_good = entry->job.rolled_back_from && !entry->job.back_to_unproven;
	if (job_is_rolling(entry))
		job_set_outcome(job, job->revision, was_good ? OUTCOME_DONE : OUTCOME_SUPERSEDED,
				wall_now(manager), NULL);
}

/* Of the current revision, on machines that these constraints allow, and not too many on one? */
static bool all_match(const struct manager *manager, const struct job_entry *entry,
		      const struct job_spec *spec)
{
	struct scheduler_match *match = scheduler_match_new(spec);
	size_t max = (size_t)spec->placement.max_replicas_per_node;
	bool all = true;
	for (size_t i = 0; i < entry->tasks.n && all; i++) {
		const struct task *task = entry->tasks.items[i];
		const struct node_entry *node = cluster_node(&manager->cluster, task->desired.node);
		if (!task_is_final(task->state) && node && max &&
		    cluster_job_tasks_on(entry, node) > max)
			all = false;
		else if (!task_is_final(task->state))
			all = task->desired.revision == entry->job.revision &&
			      (!node || scheduler_matches(match, node));
	}
	scheduler_match_free(match);
	return all;
}

/* May a service's tasks stay as they are, where only where they are to be and what they wait for changes? What has
 * failed under the specification before is to be tried again instead. */
static bool is_in_place(const struct manager *manager, const struct job_entry *entry,
			const struct job_spec *spec)
{
	if (job_spec_completes(spec) || job_is_rolling(entry) || entry->job.rolled_back_from)
		return false;
	struct slots slots;
	struct job_facts facts;
	slots_build(&manager->cluster, entry, &slots);
	slots_facts(entry, &slots, &facts);
	slots_release(&slots);
	return !facts.left && all_match(manager, entry, spec);
}

static bool needs_new_tasks(const struct manager *manager, const struct job_entry *entry,
			    const struct job_spec *spec)
{
	int change = job_spec_change(&job_entry_current(entry)->spec, spec);
	return change == SPEC_CHANGE_TASKS ||
	       (change == SPEC_CHANGE_PLACES && !is_in_place(manager, entry, spec));
}

static void plan_change(struct manager *manager, struct plan *plan, const struct job_entry *entry,
			const struct manager_request *asked, const struct job_request *request,
			bool declarations_changed)
{
	const struct job_revision *current = job_entry_current(entry);
	const struct job_spec *spec = &current->spec;
	struct plan_job *job = plan_job_add(plan, entry, EFFECT_UNCHANGED);
	bool new_tasks = declarations_changed || needs_new_tasks(manager, entry, &request->spec);
	bool adopted = current->over_tls && !asked->over_tls;
	if (new_tasks || adopted || !record_equal(&job_spec_type, spec, &request->spec)) {
		plan_job_revise(job, entry);
		record_release(&job_spec_type, &job->revision.spec);
		record_copy(&job_spec_type, &job->revision.spec, &request->spec);
		job->revision.scaled = false;
		job->revision.over_tls = asked->over_tls && (new_tasks || current->over_tls);
		job->effect = spec->replicas != request->spec.replicas && !new_tasks
				      ? EFFECT_SCALED
				      : EFFECT_UPDATED;
		plan_job_cut(job);
		job->put |= spec->schedule || request->spec.schedule;
		runs_change(&job->job, spec, &request->spec);
	}
	if (new_tasks) {
		job->put = true;
		job_superseded(manager, entry, &job->job);
		job->job.revision = next_revision(entry);
		job->job.rolled_back_from = 0;
		job->job.back_to_unproven = false;
		job->job.roll++;
		job_set_outcome(&job->job, job->job.revision,
				job_spec_first_outcome(&request->spec), wall_now(manager), NULL);
		job->revision.number = job->job.revision;
		job->revision.created_wall_ms = wall_now(manager);
		job->revision.deployment = plan->deployment;
	}
	if (entry->job.wanted == JOB_STOP || (!new_tasks && depend_was_in_vain(entry)))
		plan_job_restart(job);
}

static enum err_code plan_one(struct manager *manager, struct plan *plan,
			      const struct manager_request *request, const struct job_request *job,
			      const struct project_entry *existing, struct err *err)
{
	const char *project = request->project_request->name;
	enum err_code code = check_volumes(manager, &plan->project, &job->spec, err);
	if (code)
		return code;
	const struct job_entry *entry = cluster_job_named(&manager->cluster, project, job->name);
	if (!entry) {
		plan_new(manager, plan, request, job);
		return ERR_NONE;
	}
	if (entry->job.wanted == JOB_REMOVE)
		return err_set(err, ERR_CONFLICT,
			       "job %s/%s is still being removed; try again when it is gone",
			       project, job->name);
	if (request->kind == REQUEST_SUBMIT)
		return err_set(err, ERR_CONFLICT, "project %s has a job %s already", project,
			       job->name);
	plan_change(manager, plan, entry, request, job,
		    declared_change(&existing->project, &plan->project, &job->spec));
	return ERR_NONE;
}

/* By a job, or among those that stay as they are. */
static bool is_listed(const struct project_request *request, const char *name)
{
	for (size_t i = 0; i < request->jobs.n; i++)
		if (strcmp(request->jobs.items[i].name, name) == 0)
			return true;
	return strings_has(&request->inactive, name);
}

static void plan_orphans(struct plan *plan, const struct project_entry *existing,
			 const struct project_request *request)
{
	for (size_t i = 0; existing && i < existing->n_jobs; i++) {
		const struct job_entry *entry = existing->jobs[i];
		if (is_listed(request, entry->job.name) || entry->job.wanted == JOB_REMOVE)
			continue;
		struct plan_job *job = plan_job_add(plan, entry, EFFECT_ORPHAN);
		if (!request->remove_orphans)
			continue;
		job->effect = EFFECT_REMOVED;
		job->job.wanted = JOB_REMOVE;
		job->put = true;
	}
}

static enum err_code plan_project(struct manager *manager, struct plan *plan,
				  const struct manager_request *request, struct err *err)
{
	const struct project_request *wished = request->project_request;
	const struct project_entry *existing = cluster_project(&manager->cluster, wished->name);
	merge_project(existing, request, wall_now(manager), &plan->project);
	plan->deployment = next_deployment(existing);
	plan->put_project =
		!existing || !record_equal(&project_type, &existing->project, &plan->project);
	enum err_code code = ERR_NONE;
	if (request->kind == REQUEST_SUBMIT)
		code = check_submit(existing, wished, err);
	for (size_t i = 0; i < wished->jobs.n && !code; i++)
		code = plan_one(manager, plan, request, &wished->jobs.items[i], existing, err);
	if (code || request->kind == REQUEST_SUBMIT)
		return code;
	plan_orphans(plan, existing, wished);
	plan_restart_dependents(manager, plan, wished->name);
	return ERR_NONE;
}

enum err_code apply(struct manager *manager, const struct manager_request *request,
		    struct manager_answer *answer, struct err *err)
{
	enum err_code code = check_request(request->project_request, err);
	if (!code)
		code = basis_check(manager, request->project_request, err);
	if (!code)
		code = check_counts(manager, request->project_request, err);
	if (code)
		return code;
	struct plan plan = { 0 };
	code = plan_project(manager, &plan, request, err);
	if (!code)
		code = depend_check(manager, &plan, request->project_request, err);
	if (!code)
		code = contents_plan(manager, &plan, request->project_request, err);
	if (!code)
		code = plan_commit(manager, &plan, request, request->project_request->name, answer,
				   err);
	plan_release(&plan);
	return code;
}
