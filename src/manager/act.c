/* Scale, stop, restart, rollback, run again, remove: requests about jobs, tasks and volumes that are there.
 *
 * Invariant: nothing is written here, only planned. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "manager/core.h"
#include "manager/depend.h"
#include "manager/runs.h"

static bool is_given(const char *name)
{
	return name && *name;
}

static enum err_code no_project(const char *project, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "there is no project %.*s", 100,
		       is_given(project) ? project : "\"\"");
}

/* NULL: there is none, and `err` says so. */
static struct job_entry *find_job(const struct manager *manager,
				  const struct manager_request *request, struct err *err)
{
	struct job_entry *entry = NULL;
	if (!is_given(request->project) || !cluster_project(&manager->cluster, request->project))
		no_project(request->project, err);
	else if (!is_given(request->job))
		err_set_field(err, ERR_INVALID, "job", "the request names no job");
	else if (!(entry = cluster_job_named(&manager->cluster, request->project, request->job)))
		err_set(err, ERR_NOT_FOUND, "project %s has no job %.*s", request->project, 100,
			request->job);
	return entry;
}

static enum err_code being_removed(const struct job_entry *entry, struct err *err)
{
	return err_set(err, ERR_CONFLICT, "job %s/%s is being removed", entry->job.project,
		       entry->job.name);
}

static enum err_code plan_scale(struct manager *manager, const struct manager_request *request,
				struct plan *plan, struct err *err)
{
	const struct job_entry *entry = find_job(manager, request, err);
	if (!entry)
		return err->code;
	if (request->replicas < 0 || request->replicas > LIMIT_REPLICAS)
		return err_set_field(err, ERR_INVALID, "replicas",
				     "a job has 0 to %d replicas, not %lld", LIMIT_REPLICAS,
				     (long long)request->replicas);
	if (entry->job.wanted == JOB_REMOVE)
		return being_removed(entry, err);
	if (job_is_global(entry))
		return err_set(err, ERR_CONFLICT,
			       "job %s/%s is %s: it runs one task on each machine that matches and "
			       "has no replicas to scale",
			       entry->job.project, entry->job.name,
			       enum_name(job_mode_names, job_entry_current(entry)->spec.mode));
	if (job_entry_current(entry)->spec.array)
		return err_set(err, ERR_CONFLICT,
			       "job %s/%s is an array: its indices say how many tasks it has",
			       entry->job.project, entry->job.name);
	/* Only read, so what it holds stays the job's. */
	struct job_spec scaled = job_entry_current(entry)->spec;
	scaled.replicas = request->replicas;
	int64_t more = tasks_at_most(&manager->cluster, &scaled) -
		       tasks_at_most(&manager->cluster, &job_entry_current(entry)->spec);
	if (more > 0 && (int64_t)manager->cluster.tasks.n + more > LIMIT_TASKS)
		return err_set(err, ERR_LIMIT, "there would be %lld tasks, and there may be %d",
			       (long long)manager->cluster.tasks.n + (long long)more, LIMIT_TASKS);
	struct plan_job *job = plan_job_add(plan, entry, EFFECT_UNCHANGED);
	if (request->replicas == job_replicas(entry))
		return ERR_NONE;
	job->effect = EFFECT_SCALED;
	plan_job_revise(job, entry);
	job->revision.spec.replicas = request->replicas;
	job->revision.scaled = true;
	plan_job_cut(job);
	return ERR_NONE;
}

static void plan_stop_job(const struct manager *manager, struct plan *plan,
			  const struct job_entry *entry)
{
	struct plan_job *job = plan_job_add(plan, entry, EFFECT_UNCHANGED);
	if (entry->job.wanted != JOB_RUN)
		return;
	job->job.wanted = JOB_STOP;
	runs_stop(manager, entry, &job->job);
	job->put = true;
	job->effect = EFFECT_STOPPED;
}

static void plan_restart_job(const struct manager *manager, struct plan *plan,
			     const struct job_entry *entry)
{
	struct plan_job *job = plan_job_add(plan, entry, EFFECT_UNCHANGED);
	(void)manager;
	if (entry->job.wanted != JOB_REMOVE)
		plan_job_restart(job);
}

static void plan_back_to(struct manager *manager, const struct manager_request *request,
			 struct plan *plan, const struct job_entry *entry,
			 const struct job_revision *target)
{
	struct plan_job *job = plan_job_add(plan, entry, EFFECT_UNCHANGED);
	if (target->number == entry->job.revision)
		return;
	rollback_plan(manager, &job->job, target, JOB_ROLLBACK_ASKED);
	runs_change(&job->job, &job_entry_current(entry)->spec, &target->spec);
	job->put = true;
	job->put_revision = rollback_keeps_scale(entry, target, &job->revision);
	/* What its owner took away, others bring back as theirs only. */
	if (request->over_tls && !target->over_tls) {
		if (!job->put_revision)
			record_copy(&job_revision_type, &job->revision, target);
		job->revision.over_tls = true;
		job->put_revision = true;
	}
	job->effect = EFFECT_ROLLED_BACK;
}

static enum err_code plan_rollback_job(struct manager *manager,
				       const struct manager_request *request, struct plan *plan,
				       struct err *err)
{
	const struct job_entry *entry = find_job(manager, request, err);
	if (!entry)
		return err->code;
	if (entry->job.wanted == JOB_REMOVE)
		return being_removed(entry, err);
	const struct job_revision *target = rollback_find(entry, request->revision, err);
	if (!target)
		return err->code;
	plan_back_to(manager, request, plan, entry, target);
	return ERR_NONE;
}

/* The request that made the newest of the current revisions of the project's services. */
static int64_t newest_deployment(const struct project_entry *project)
{
	int64_t newest = 0;
	for (size_t i = 0; i < project->n_jobs; i++) {
		const struct job_entry *entry = project->jobs[i];
		int64_t deployment = job_entry_current(entry)->deployment;
		if (entry->job.wanted != JOB_REMOVE && !job_runs_to_completion(entry) &&
		    deployment > newest)
			newest = deployment;
	}
	return newest;
}

/* Every service that the newest deployment changed, for the others were good before it came. What runs to completion
 * would run again, so it has to be named. */
static enum err_code plan_rollback_project(struct manager *manager,
					   const struct manager_request *request, struct plan *plan,
					   struct err *err)
{
	const struct project_entry *project =
		is_given(request->project) ? cluster_project(&manager->cluster, request->project)
					   : NULL;
	if (!project)
		return no_project(request->project, err);
	if (request->revision)
		return err_set_field(err, ERR_INVALID, "revision",
				     "the number of a revision is that of one job: name the job");
	int64_t newest = newest_deployment(project);
	for (size_t i = 0; i < project->n_jobs; i++) {
		const struct job_entry *entry = project->jobs[i];
		const struct job_revision *target = rollback_target(entry);
		if (target && job_entry_current(entry)->deployment == newest &&
		    entry->job.wanted != JOB_REMOVE && !job_runs_to_completion(entry))
			plan_back_to(manager, request, plan, entry, target);
	}
	if (!plan->jobs.n)
		return err_set(err, ERR_NOT_FOUND,
			       "no service that the newest deployment of project %s changed has a "
			       "revision before that was rolled out to its end: name the job",
			       request->project);
	return ERR_NONE;
}

static enum err_code plan_rollback(struct manager *manager, const struct manager_request *request,
				   struct plan *plan, struct err *err)
{
	enum err_code code = is_given(request->job)
				     ? plan_rollback_job(manager, request, plan, err)
				     : plan_rollback_project(manager, request, plan, err);
	if (!code)
		code = depend_check(manager, plan, NULL, err);
	if (!code)
		plan_restart_dependents(manager, plan, request->project);
	return code;
}

/* Between two runs: of one that was stopped some may be left, and another does not begin beside it. */
static enum err_code check_nothing_left(const struct manager *manager,
					const struct job_entry *entry, struct err *err)
{
	const struct task *first;
	size_t n = runs_left(entry, &first);
	char name[TASK_NAME_SIZE], others[48] = "";
	if (!n)
		return ERR_NONE;
	if (n > 1)
		text_print(others, sizeof(others), " and %zu other%s", n - 1, n > 2 ? "s" : "");
	return err_set(err, ERR_CONFLICT,
		       "job %s/%s has not ended yet: %s%s of the run before still end%s; "
		       "try again when that is over",
		       entry->job.project, entry->job.name,
		       cluster_task_name(&manager->cluster, first, name), others, n > 1 ? "" : "s");
}

/* Has every slot come to its end? */
static enum err_code check_ended(const struct manager *manager, const struct job_entry *entry,
				 struct err *err)
{
	struct slots slots;
	struct job_facts facts;
	slots_build(&manager->cluster, entry, &slots);
	slots_facts(entry, &slots, &facts);
	slots_release(&slots);
	int64_t n = facts.wanted - facts.succeeded - facts.left;
	if (job_runs_waiting(&entry->job.scheduled))
		return err_set(err, ERR_CONFLICT,
			       "job %s/%s has a run that waits for the one before, and begins by "
			       "itself; drover stop ends both",
			       entry->job.project, entry->job.name);
	if (job_is_between_runs(entry))
		return check_nothing_left(manager, entry, err);
	/* Of no slots: one of them may still come, with a machine. */
	if (!n && job_runs_open(&entry->job.scheduled))
		return err_set(
			err, ERR_CONFLICT,
			"job %s/%s has a run that goes on, though there is no machine for it "
			"now; drover stop ends it",
			entry->job.project, entry->job.name);
	if (!n || entry->job.wanted == JOB_STOP)
		return ERR_NONE;
	return err_set(err, ERR_CONFLICT,
		       "job %s/%s has not come to its end: %lld of %lld tasks are still to do; "
		       "drover stop ends them",
		       entry->job.project, entry->job.name, (long long)n, (long long)facts.wanted);
}

static enum err_code plan_run_again(struct manager *manager, const struct manager_request *request,
				    struct plan *plan, struct err *err)
{
	const struct job_entry *entry = find_job(manager, request, err);
	if (!entry)
		return err->code;
	if (entry->job.wanted == JOB_REMOVE)
		return being_removed(entry, err);
	if (!job_runs_to_completion(entry))
		return err_set(err, ERR_CONFLICT,
			       "job %s/%s is a service and never completes; drover restart makes "
			       "its tasks anew",
			       entry->job.project, entry->job.name);
	enum err_code code = check_ended(manager, entry, err);
	if (code)
		return code;
	struct plan_job *job = plan_job_add(plan, entry, EFFECT_RUNS_AGAIN);
	const struct schedule *schedule = job_entry_current(entry)->spec.schedule;
	plan_job_restart(job);
	if (schedule)
		run_begin(manager, &job->job,
			  job_runs_add(&job->job.scheduled, schedule_history(schedule)));
	return ERR_NONE;
}

static void plan_remove_job(const struct manager *manager, struct plan *plan,
			    const struct job_entry *entry)
{
	struct plan_job *job = plan_job_add(plan, entry, EFFECT_UNCHANGED);
	(void)manager;
	if (entry->job.wanted == JOB_REMOVE)
		return;
	job->job.wanted = JOB_REMOVE;
	job->put = true;
	job->effect = EFFECT_REMOVED;
}

/* Jobs the request is about: one, or all of the project. */
static enum err_code plan_jobs(struct manager *manager, const struct manager_request *request,
			       struct plan *plan,
			       void (*plan_job)(const struct manager *manager, struct plan *plan,
						const struct job_entry *entry),
			       struct err *err)
{
	if (is_given(request->job)) {
		const struct job_entry *entry = find_job(manager, request, err);
		if (!entry)
			return err->code;
		if (entry->job.wanted == JOB_REMOVE && plan_job != plan_remove_job)
			return being_removed(entry, err);
		plan_job(manager, plan, entry);
		return ERR_NONE;
	}
	const struct project_entry *project =
		is_given(request->project) ? cluster_project(&manager->cluster, request->project)
					   : NULL;
	if (!project)
		return no_project(request->project, err);
	for (size_t i = 0; i < project->n_jobs; i++)
		plan_job(manager, plan, project->jobs[i]);
	return ERR_NONE;
}

/* ---- one task ---- */

static enum err_code find_task(const struct manager *manager, const struct manager_request *request,
			       struct task **ret_task, struct err *err)
{
	struct task *task = cluster_task(&manager->cluster, request->task);
	if (!task) {
		char id[UUID_TEXT_SIZE];
		return err_set(err, ERR_NOT_FOUND, "there is no task %s",
			       uuid_format(request->task.uuid, id));
	}
	*ret_task = task;
	return ERR_NONE;
}

static bool is_wanted(const struct manager *manager, const struct job_entry *entry, int64_t slot)
{
	struct slots slots;
	slots_build(&manager->cluster, entry, &slots);
	const struct slot *found = slots_find(&slots, slot);
	bool wanted = found && found->want == SLOT_WANTED;
	slots_release(&slots);
	return wanted;
}

/* Is it the task its slot is filled with, of a job that wants to run? */
static enum err_code check_newest(const struct manager *manager, const struct task *task,
				  struct err *err)
{
	const struct job_entry *entry = cluster_job_of(&manager->cluster, task);
	char name[TASK_NAME_SIZE];
	cluster_task_name(&manager->cluster, task, name);
	if (entry->job.wanted != JOB_RUN)
		return err_set(err, ERR_CONFLICT, "job %s/%s is %s: restart the job",
			       entry->job.project, entry->job.name,
			       entry->job.wanted == JOB_STOP ? "stopped" : "being removed");
	if (!job_is_global(entry) && task->desired.slot > job_replicas(entry))
		return err_set(err, ERR_CONFLICT, "%s is beyond the %lld replicas of the job", name,
			       (long long)job_replicas(entry));
	if (job_is_global(entry) && !is_wanted(manager, entry, task->desired.slot))
		return err_set(err, ERR_CONFLICT,
			       "no task of the job is wanted on the machine of %s", name);
	if (slot_is_settled(entry, task->desired.slot))
		return err_set(err, ERR_CONFLICT,
			       "%s ended long ago, and only what became of it is kept: drover run "
			       "--again runs all of the job",
			       name);
	bool history = task_is_withdrawn(task);
	for (size_t i = 0; i < entry->tasks.n; i++) {
		const struct task *other = entry->tasks.items[i];
		history |= other->desired.slot == task->desired.slot && !task_is_withdrawn(other) &&
			   uuid_compare(other->desired.id.uuid, task->desired.id.uuid) > 0;
	}
	if (history)
		return err_set(err, ERR_CONFLICT,
			       "this task of %s is history: a newer one has taken over", name);
	return ERR_NONE;
}

static enum err_code plan_stop_task(struct manager *manager, const struct manager_request *request,
				    struct plan *plan, struct err *err)
{
	struct task *task = NULL;
	enum err_code code = find_task(manager, request, &task, err);
	if (code)
		return code;
	const struct job_entry *entry = cluster_job_of(&manager->cluster, task);
	struct plan_job *job = plan_job_add(plan, entry, EFFECT_UNCHANGED);
	if (task_is_final(task->state) || task->desired.wanted == TASK_WANT_REMOVE ||
	    (task->desired.wanted == TASK_WANT_STOP && task->desired.stop_reason == REASON_STOPPED))
		return ERR_NONE;
	job->effect = EFFECT_STOPPED;
	plan->task = task;
	plan->task_act = REQUEST_STOP;
	return ERR_NONE;
}

static bool has_turn(const struct manager *manager, const struct job_entry *entry)
{
	struct slots slots;
	slots_build(&manager->cluster, entry, &slots);
	bool free = turns_free(entry, &slots) > 0;
	slots_release(&slots);
	return free;
}

static enum err_code plan_restart_task(struct manager *manager,
				       const struct manager_request *request, struct plan *plan,
				       struct err *err)
{
	struct task *task = NULL;
	enum err_code code = find_task(manager, request, &task, err);
	if (!code)
		code = check_newest(manager, task, err);
	if (code)
		return code;
	const struct job_entry *entry = cluster_job_of(&manager->cluster, task);
	plan->task = task;
	plan->task_act = REQUEST_RESTART;
	plan_job_add(plan, entry, EFFECT_RESTARTED);
	if (!task_is_final(task->state))
		return ERR_NONE;
	if (!task_is_off(task))
		return err_set(err, ERR_CONFLICT,
			       "it is not confirmed yet that the container is gone; try again");
	if (job_is_between_runs(entry))
		return err_set(err, ERR_CONFLICT,
			       "job %s/%s is between two runs: drover run --again begins one",
			       entry->job.project, entry->job.name);
	if (!has_turn(manager, entry))
		return err_set(err, ERR_CONFLICT,
			       "job %s/%s runs %lld %s at a time, and so many run: restart it "
			       "when one of them has ended",
			       entry->job.project, entry->job.name,
			       (long long)job_entry_current(entry)->spec.concurrency,
			       job_entry_current(entry)->spec.concurrency == 1 ? "task" : "tasks");
	plan->slot = task->desired.slot;
	return ERR_NONE;
}

/* ---- volumes ---- */

static void plan_volume(struct plan *plan, const struct volume_record *volume)
{
	struct volume_record *removed = list_add(&plan->volumes, sizeof(*removed));
	record_copy(&volume_record_type, removed, volume);
	removed->removing = true;
	string_set(&removed->remove_error, NULL);
}

/* Volumes of the project that nobody will use once the plan's jobs are gone. Returns whether the project has any. */
static bool plan_project_volumes(struct manager *manager, struct plan *plan, const char *project)
{
	size_t n = 0;
	bool any = false;
	struct volume_record **volumes = cluster_sorted_volumes(&manager->cluster, &n);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(volumes[i]->project, project) != 0)
			continue;
		any = true;
		if (!volumes[i]->removing && !volume_user(manager, volumes[i]->name, plan))
			plan_volume(plan, volumes[i]);
	}
	base_free(volumes);
	return any;
}

static enum err_code plan_remove(struct manager *manager, const struct manager_request *request,
				 struct plan *plan, struct err *err)
{
	const struct project_entry *project =
		is_given(request->project) ? cluster_project(&manager->cluster, request->project)
					   : NULL;
	/* Volumes outlive their project; they can be removed by its name afterwards too. */
	if (!project && is_given(request->project) && request->with_volumes &&
	    plan_project_volumes(manager, plan, request->project))
		return ERR_NONE;
	enum err_code code = plan_jobs(manager, request, plan, plan_remove_job, err);
	if (code)
		return code;
	plan->delete_project = project && !project->n_jobs;
	if (request->with_volumes)
		plan_project_volumes(manager, plan, request->project);
	return ERR_NONE;
}

static enum err_code plan_volume_remove(struct manager *manager,
					const struct manager_request *request, struct plan *plan,
					const char **ret_project, struct err *err)
{
	const char *name = is_given(request->volume) ? request->volume : "";
	size_t n = 0;
	_cleanup_free_ struct volume_record **volumes =
		cluster_sorted_volumes(&manager->cluster, &n);
	const struct volume_record *found = NULL;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(volumes[i]->name, name) != 0)
			continue;
		found = volumes[i];
		if (!found->removing || found->remove_error)
			plan_volume(plan, found);
	}
	if (!found)
		return err_set(err, ERR_NOT_FOUND, "there is no volume %.*s", 200,
			       *name ? name : "\"\"");
	const struct job_entry *user = volume_user(manager, name, NULL);
	if (user)
		return err_set(err, ERR_CONFLICT, "volume %s is used by job %s/%s", name,
			       user->job.project, user->job.name);
	*ret_project = found->project;
	return ERR_NONE;
}

static enum err_code plan_act(struct manager *manager, const struct manager_request *request,
			      struct plan *plan, const char **ret_project, struct err *err)
{
	bool one_task = !uuid_is_zero(request->task.uuid);
	*ret_project = request->project;
	if (one_task && request->kind != REQUEST_STOP && request->kind != REQUEST_RESTART)
		return err_set_field(err, ERR_INVALID, "task",
				     "one task can be stopped or restarted, nothing else");
	switch (request->kind) {
	case REQUEST_SCALE: return plan_scale(manager, request, plan, err);
	case REQUEST_STOP:
		if (one_task)
			return plan_stop_task(manager, request, plan, err);
		return plan_jobs(manager, request, plan, plan_stop_job, err);
	case REQUEST_RESTART: {
		if (one_task)
			return plan_restart_task(manager, request, plan, err);
		enum err_code code = plan_jobs(manager, request, plan, plan_restart_job, err);
		if (!code)
			plan_restart_dependents(manager, plan, request->project);
		return code;
	}
	case REQUEST_ROLLBACK: return plan_rollback(manager, request, plan, err);
	case REQUEST_RUN_AGAIN: return plan_run_again(manager, request, plan, err);
	case REQUEST_REMOVE: return plan_remove(manager, request, plan, err);
	case REQUEST_VOLUME_REMOVE:
		return plan_volume_remove(manager, request, plan, ret_project, err);
	default: return err_set(err, ERR_INVALID, "there is no request of kind %d", request->kind);
	}
}

enum err_code act(struct manager *manager, const struct manager_request *request,
		  struct manager_answer *answer, struct err *err)
{
	struct plan plan = { 0 };
	const char *project = NULL;
	enum err_code code = plan_act(manager, request, &plan, &project, err);
	if (!code && plan.task)
		project = cluster_job_of(&manager->cluster, plan.task)->job.project;
	else if (!code && plan.jobs.n)
		project = plan.jobs.items[0].job.project;
	/* The record the name belongs to may go with the plan. */
	_cleanup_free_ char *name = base_strdup(project);
	if (!code)
		code = plan_commit(manager, &plan, request, name, answer, err);
	plan_release(&plan);
	return code;
}
