/* A request becomes a plan; the plan is counted and then written in one group, or not at all.
 *
 * Stopping and removing may take several groups, so that a project can always be taken down, however large it has
 * become: each record of such a plan is right without the others, the remembered answer comes last, and the same
 * request sent again does what is missing.
 *
 * Invariant: between the first and the last record of plan_commit() nothing can fail. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "manager/core.h"
#include "manager/depend.h"

void plan_release(struct plan *plan)
{
	record_release(&project_type, &plan->project);
	for (size_t i = 0; i < plan->jobs.n; i++) {
		record_release(&job_type, &plan->jobs.items[i].job);
		record_release(&job_revision_type, &plan->jobs.items[i].revision);
	}
	base_free(plan->jobs.items);
	for (size_t i = 0; i < plan->others.n; i++)
		record_release(&job_type, &plan->others.items[i].job);
	base_free(plan->others.items);
	for (size_t i = 0; i < plan->volumes.n; i++)
		record_release(&volume_record_type, &plan->volumes.items[i]);
	base_free(plan->volumes.items);
	for (size_t i = 0; i < plan->contents.n; i++)
		record_release(&content_record_type, &plan->contents.items[i]);
	base_free(plan->contents.items);
	*plan = (struct plan){ 0 };
}

struct plan_job *plan_job_add(struct plan *plan, const struct job_entry *entry, int effect)
{
	struct plan_job *job = list_add(&plan->jobs, sizeof(*job));
	job->effect = effect;
	if (entry)
		record_copy(&job_type, &job->job, &entry->job);
	return job;
}

struct plan_job *plan_job_find(const struct plan *plan, struct job_id id)
{
	for (size_t i = 0; i < plan->jobs.n; i++)
		if (uuid_equal(plan->jobs.items[i].job.id.uuid, id.uuid))
			return &plan->jobs.items[i];
	return NULL;
}

void plan_job_restart(struct plan_job *job)
{
	/* What has come while it was stopped is not made up. */
	if (job->job.wanted == JOB_STOP)
		job->job.scheduled.until_wall_ms = 0;
	/* Nothing of it runs that would have to be restarted once more. */
	if (job->job.wanted == JOB_STOP)
		job->job.restart_due = false;
	job->job.wanted = JOB_RUN;
	job->job.restarts_asked++;
	job->put = true;
	if (job->effect == EFFECT_UNCHANGED)
		job->effect = EFFECT_RESTARTED;
}

void plan_job_revise(struct plan_job *job, const struct job_entry *entry)
{
	record_copy(&job_revision_type, &job->revision, job_entry_current(entry));
	job->put_revision = true;
}

void plan_job_cut(struct plan_job *job)
{
	int64_t replicas = job->revision.spec.replicas;
	bool succeeded = slot_ranges_cut(&job->job.settled.succeeded, replicas);
	bool left = slot_ranges_cut(&job->job.settled.left, replicas);
	job->put |= succeeded || left;
}

/* Does the plan make new tasks for this job? */
static bool is_renewed(const struct plan_job *job)
{
	return job->effect == EFFECT_RESTARTED || job->effect == EFFECT_ROLLED_BACK ||
	       (job->effect == EFFECT_UPDATED && job->put);
}

/* The first of those that the plan renews with which a job of `project` is to be restarted; NULL: none. */
static const struct plan_job *restarts_with(const char *project, const struct job_spec *spec,
					    const struct plan *plan, size_t n_asked)
{
	for (size_t i = 0; i < n_asked; i++) {
		const struct plan_job *job = &plan->jobs.items[i];
		for (size_t j = 0; is_renewed(job) && j < spec->depends_on.n; j++)
			if (spec->depends_on.items[j].restart &&
			    depend_is_on(&spec->depends_on.items[j], project, job->job.project,
					 job->job.name))
				return job;
	}
	return NULL;
}

/* Of other projects: who is to be restarted with the job, and with none before it in the plan. */
static void restart_others(struct manager *manager, struct plan *plan, size_t n_asked,
			   const struct plan_job *renewed)
{
	const struct job_id *ids = NULL;
	size_t n = depend_others(manager, renewed->job.project, renewed->job.name, &ids);
	for (size_t i = 0; i < n; i++) {
		const struct job_entry *entry = cluster_job(&manager->cluster, ids[i]);
		if (entry->job.wanted != JOB_RUN || job_runs_to_completion(entry) ||
		    restarts_with(entry->job.project, &job_entry_current(entry)->spec, plan,
				  n_asked) != renewed)
			continue;
		struct plan_job *other = list_add(&plan->others, sizeof(*other));
		record_copy(&job_type, &other->job, &entry->job);
		other->effect = EFFECT_RESTARTED;
		other->job.restart_due = true;
		other->put = true;
	}
}

void plan_restart_dependents(struct manager *manager, struct plan *plan, const char *project_name)
{
	const struct project_entry *project = cluster_project(&manager->cluster, project_name);
	/* Only what the user asked for spreads: a dependent of a dependent stays as it is. */
	size_t n_asked = plan->jobs.n;
	for (size_t i = 0; project && i < project->n_jobs; i++) {
		const struct job_entry *entry = project->jobs[i];
		struct plan_job *planned = plan_job_find(plan, entry->job.id);
		const struct job_spec *spec = planned && planned->put_revision
						      ? &planned->revision.spec
						      : &job_entry_current(entry)->spec;
		/* What runs to completion has run, and runs again only when somebody says so. */
		if (entry->job.wanted != JOB_RUN || job_runs_to_completion(entry) ||
		    (planned && planned->job.wanted != JOB_RUN) ||
		    (planned && is_renewed(planned)) ||
		    !restarts_with(project_name, spec, plan, n_asked))
			continue;
		if (!planned)
			planned = plan_job_add(plan, entry, EFFECT_UNCHANGED);
		planned->effect = EFFECT_RESTARTED;
		planned->job.restart_due = true;
		planned->put = true;
	}
	for (size_t i = 0; i < n_asked; i++)
		if (is_renewed(&plan->jobs.items[i]))
			restart_others(manager, plan, n_asked, &plan->jobs.items[i]);
}

struct size {
	size_t n_records;
	size_t n_bytes;
};

static void weigh(struct size *size, const struct record_type *type, const void *record)
{
	struct text bytes;
	text_init(&bytes, 2 * (size_t)LIMIT_GROUP_BYTES);
	record_encode(type, record, &bytes);
	size->n_records++;
	size->n_bytes += bytes.len + CHANGE_KEY_BYTES_MAX;
	text_release(&bytes);
}

static enum err_code weigh_jobs(const struct plan *plan, struct size *size, struct err *err)
{
	for (size_t i = 0; i < plan->jobs.n; i++) {
		const struct plan_job *job = &plan->jobs.items[i];
		if (job->put)
			weigh(size, &job_type, &job->job);
		if (!job->put_revision)
			continue;
		size_t before = size->n_bytes;
		weigh(size, &job_revision_type, &job->revision);
		if (size->n_bytes - before > LIMIT_JOB_RECORD_BYTES)
			return err_set_field(
				err, ERR_LIMIT, job->job.name,
				"job %s takes %zu bytes, more than the %d a job may take",
				job->job.name, size->n_bytes - before, LIMIT_JOB_RECORD_BYTES);
	}
	return ERR_NONE;
}

/* Room for the remembered answer and the one or two records of a task. */
#define RECORDS_BESIDE 4

static size_t count_changed(const struct plan *plan)
{
	size_t n = 0;
	for (size_t i = 0; i < plan->jobs.n; i++)
		n += plan->jobs.items[i].put || plan->jobs.items[i].put_revision;
	return n;
}

static bool may_split(const struct manager_request *request)
{
	return request->kind == REQUEST_STOP || request->kind == REQUEST_REMOVE ||
	       request->kind == REQUEST_VOLUME_REMOVE;
}

/* Where the next piece begins, begin another group. */
static void split(struct manager *manager, const struct manager_request *request)
{
	if (!may_split(request) ||
	    manager->out->changes.n - manager->group_from < LIMIT_GROUP_RECORDS / 2)
		return;
	group_end(manager);
	group_begin(manager);
}

static enum err_code check_size(const struct plan *plan, const struct manager_request *request,
				struct err *err)
{
	if (may_split(request))
		return ERR_NONE;
	struct size size = { .n_records = RECORDS_BESIDE,
			     .n_bytes = 2 * LIMIT_STRING_BYTES + RECORDS_BESIDE * 1024 };
	size_t before = size.n_bytes;
	if (plan->put_project)
		weigh(&size, &project_type, &plan->project);
	/* Also with networks kept from earlier requests. */
	if (size.n_bytes > before + LIMIT_PROJECT_RECORD_BYTES + CHANGE_KEY_BYTES_MAX)
		return err_set(err, ERR_LIMIT,
			       "the project's networks and volumes take %zu bytes, and a project "
			       "may have %d: remove those that no job needs",
			       size.n_bytes - before, LIMIT_PROJECT_RECORD_BYTES);
	for (size_t i = 0; i < plan->volumes.n; i++)
		weigh(&size, &volume_record_type, &plan->volumes.items[i]);
	enum err_code code = weigh_jobs(plan, &size, err);
	if (code)
		return code;
	if (size.n_records > LIMIT_GROUP_RECORDS)
		return err_set(
			err, ERR_LIMIT,
			"this makes or changes %zu jobs at once, which takes %zu records, and "
			"one commit holds %d (a new job takes 2): ask for fewer jobs in one "
			"request",
			count_changed(plan), size.n_records, LIMIT_GROUP_RECORDS);
	if (size.n_bytes > LIMIT_GROUP_BYTES)
		return err_set(err, ERR_LIMIT,
			       "this changes %zu bytes at once, and one commit holds %d: change "
			       "fewer jobs in one request",
			       size.n_bytes, LIMIT_GROUP_BYTES);
	return ERR_NONE;
}

static void note_job(struct manager *manager, const struct job_entry *entry, int effect,
		     bool new_revision)
{
	struct notes *notes = &manager->out->notes;
	char name[JOB_NAME_SIZE];
	job_name(entry, name);
	switch (effect) {
	case EFFECT_CREATED:
	case EFFECT_UPDATED:
		if (new_revision)
			notes_add(notes, "job %s revision %lld accepted", name,
				  (long long)entry->job.revision);
		else
			notes_add(notes, "job %s updated in place", name);
		break;
	case EFFECT_SCALED:
		notes_add(notes, "job %s scaled to %lld", name, (long long)job_replicas(entry));
		break;
	case EFFECT_STOPPED: notes_add(notes, "job %s is to stop", name); break;
	case EFFECT_RESTARTED: notes_add(notes, "job %s is to restart", name); break;
	case EFFECT_RUNS_AGAIN: notes_add(notes, "job %s is to run again", name); break;
	case EFFECT_ROLLED_BACK:
		notes_add(notes, "job %s goes back to revision %lld", name,
			  (long long)entry->job.revision);
		break;
	case EFFECT_REMOVED: notes_add(notes, "job %s is to be removed", name); break;
	default: return;
	}
	happen(manager, "job", name, entry->job.id.uuid, enum_name(job_effect_names, effect), "",
	       NULL);
}

void job_write(struct manager *manager, struct job *job, struct job_revision *revision)
{
	struct cluster *cluster = &manager->cluster;
	struct job_id id = job ? job->id : revision->job;
	if (job)
		cluster_put_job(cluster, &manager->out->changes, job);
	if (revision)
		cluster_put_revision(cluster, &manager->out->changes, revision);
	if (revision)
		pending_class_anew(manager, cluster_job(cluster, id));
	depend_learn(manager, cluster_job(cluster, id));
	job_dirty(manager, id);
	home_joined(manager, cluster_job(cluster, id));
	manager->volumes_changed = true;
	manager->wake = true;
}

static void write_job(struct manager *manager, struct plan_job *job)
{
	struct job_id id = job->job.id;
	if (!job->put && !job->put_revision)
		return;
	const struct job_entry *before = cluster_job(&manager->cluster, id);
	bool new_revision = job->put && job->put_revision &&
			    !(before && before->job.revision == job->job.revision);
	job_write(manager, job->put ? &job->job : NULL, job->put_revision ? &job->revision : NULL);
	note_job(manager, cluster_job(&manager->cluster, id), job->effect, new_revision);
}

/* However many they are: each is right by itself, and before what they are restarted with, which is not lost without
 * that it is asked for again. */
static void write_others(struct manager *manager, struct plan *plan)
{
	for (size_t i = 0; i < plan->others.n; i++) {
		group_reserve(manager, 1);
		write_job(manager, &plan->others.items[i]);
	}
}

void plan_write_dependents(struct manager *manager, struct plan *plan)
{
	write_others(manager, plan);
	for (size_t i = 1; i < plan->jobs.n; i++) {
		group_reserve(manager, 1);
		write_job(manager, &plan->jobs.items[i]);
	}
}

static void write_task(struct manager *manager, const struct plan *plan)
{
	struct task *task = plan->task;
	if (plan->task_act == REQUEST_STOP)
		task_stop(manager, task, REASON_STOPPED);
	else if (plan->slot)
		task_create(manager, cluster_job_of(&manager->cluster, task), plan->slot, task);
	else if (task->state == TASK_PENDING)
		task_hurry(manager, task);
	else
		task_stop(manager, task, REASON_RESTARTED);
}

static void write_project(struct manager *manager, struct plan *plan, const char *name)
{
	struct project_entry *project = cluster_project(&manager->cluster, name);
	if (plan->delete_project) {
		notes_add(&manager->out->notes, "project %s removed", name);
		happen(manager, "project", name, (struct uuid){ 0 }, "removed", "", NULL);
		cluster_delete_project(&manager->cluster, &manager->out->changes, project);
	}
	if (!plan->put_project)
		return;
	if (!project)
		happen(manager, "project", name, (struct uuid){ 0 }, "created", "", NULL);
	cluster_put_project(&manager->cluster, &manager->out->changes, &plan->project);
}

/* Tasks of the job, or the one the request is about, that end on nodes that cannot be reached. */
static int64_t count_not_confirmed(const struct manager *manager, const struct plan *plan,
				   const struct plan_job *job)
{
	const struct job_entry *entry = cluster_job(&manager->cluster, job->job.id);
	bool ends = job->job.wanted != JOB_RUN || plan->task_act == REQUEST_STOP;
	int64_t n = 0;
	for (size_t i = 0; entry && ends && i < entry->tasks.n; i++) {
		const struct task *task = entry->tasks.items[i];
		bool meant = !plan->task || plan->task == task;
		n += meant && task->unreachable && task_occupies_node(task);
	}
	return n;
}

static void fill_answer(const struct manager *manager, const struct plan *plan, const char *project,
			struct manager_answer *answer)
{
	answer->project = base_strdup(project);
	for (size_t i = 0; i < plan->jobs.n; i++) {
		const struct plan_job *job = &plan->jobs.items[i];
		struct job_answer *item = list_add(&answer->jobs, sizeof(*item));
		item->id = job->job.id;
		item->name = base_strdup(job->job.name);
		item->revision = job->job.revision;
		item->effect = job->effect;
		item->not_confirmed = count_not_confirmed(manager, plan, job);
	}
	answer->n_dependents = (int64_t)plan->others.n;
	for (size_t i = 0; i < plan->others.n && i < MANAGER_ANSWER_NAMES_MAX; i++) {
		char name[JOB_NAME_SIZE];
		text_print(name, sizeof(name), "%s/%s", plan->others.items[i].job.project,
			   plan->others.items[i].job.name);
		strings_add(&answer->dependents, name);
	}
}

enum err_code plan_commit(struct manager *manager, struct plan *plan,
			  const struct manager_request *request, const char *project,
			  struct manager_answer *answer, struct err *err)
{
	enum err_code code = check_size(plan, request, err);
	if (!code)
		code = idempotency_check(manager, request, err);
	if (code)
		return code;
	fill_answer(manager, plan, project, answer);
	write_others(manager, plan);
	contents_write(manager, plan);
	group_begin(manager);
	write_project(manager, plan, project);
	for (size_t i = 0; i < plan->jobs.n; i++) {
		write_job(manager, &plan->jobs.items[i]);
		split(manager, request);
	}
	for (size_t i = 0; i < plan->volumes.n; i++) {
		split(manager, request);
		char label[VOLUME_LABEL_SIZE];
		notes_add(&manager->out->notes, "volume %s is to be removed",
			  volume_label(manager, &plan->volumes.items[i], label));
		cluster_put_volume(&manager->cluster, &manager->out->changes,
				   &plan->volumes.items[i]);
		manager->volumes_changed = true;
	}
	if (plan->task_act)
		write_task(manager, plan);
	idempotency_keep(manager, request, answer);
	group_end(manager);
	return ERR_NONE;
}
