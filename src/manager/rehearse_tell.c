/* What a rehearsal has shown, as a plan: the world as it was beside the one that has come of it. */
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/record_diff.h"
#include "manager/core.h"
#include "manager/declared.h"
#include "manager/rehearsal.h"

/* ---- as it was ---- */

static void take_job(struct job_before *job, const struct manager *manager,
		     const struct job_entry *entry)
{
	struct slots slots;
	struct job_facts facts;
	job->name = base_strdup(entry->job.name);
	job->id = entry->job.id;
	job->roll = entry->job.roll;
	job->restarts_asked = entry->job.restarts_asked;
	record_copy(&job_revision_type, &job->revision, job_entry_current(entry));
	slots_build(&manager->cluster, entry, &slots);
	job->slots = base_calloc(slots.n + 1, sizeof(struct slot_before));
	for (size_t i = 0; i < slots.n; i++) {
		const struct slot *slot = &slots.items[i];
		const struct task *task = slot->newest ? slot_server(slot) : NULL;
		if (task)
			job->slots[job->n_slots++] = (struct slot_before){
				slot->number,
				task->desired.id,
				task->desired.node,
				task_is_final(task->state),
			};
	}
	slots_facts(entry, &slots, &facts);
	job->later = facts.later;
	slots_release(&slots);
}

void before_take(struct world_before *before, const struct manager *manager,
		 const char *project_name)
{
	const struct project_entry *project = cluster_project(&manager->cluster, project_name);
	size_t at = 0;
	for (const struct volume_record *volume;
	     (volume = map_next(&manager->cluster.volumes, &at));)
		if (strcmp(volume->project, project_name) == 0)
			strings_add(&before->volumes, volume->name);
	if (!project)
		return;
	record_copy(&project_type, &before->project, &project->project);
	before->jobs = base_calloc(project->n_jobs + 1, sizeof(struct job_before));
	for (size_t i = 0; i < project->n_jobs; i++)
		take_job(&before->jobs[before->n_jobs++], manager, project->jobs[i]);
}

void before_release(struct world_before *before)
{
	for (size_t i = 0; i < before->n_jobs; i++) {
		base_free(before->jobs[i].name);
		record_release(&job_revision_type, &before->jobs[i].revision);
		base_free(before->jobs[i].slots);
	}
	base_free(before->jobs);
	record_release(&project_type, &before->project);
	strings_release(&before->volumes);
	*before = (struct world_before){ 0 };
}

struct job_before *before_find(const struct world_before *before, const char *name)
{
	for (size_t i = 0; i < before->n_jobs; i++)
		if (strcmp(before->jobs[i].name, name) == 0)
			return &before->jobs[i];
	return NULL;
}

const struct slot_before *before_slot(const struct job_before *job, int64_t number)
{
	size_t low = 0;
	size_t high = job ? job->n_slots : 0;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (job->slots[middle].number == number)
			return &job->slots[middle];
		if (job->slots[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* ---- changes, field by field ---- */

struct change_list {
	struct list *changes; /* of struct planned_change */
	int64_t left_out;
};

static void add_change(void *context, const char *path, const char *before, const char *after)
{
	struct change_list *list = context;
	if (list->changes->n >= LIMIT_PLAN_CHANGES) {
		list->left_out++;
		return;
	}
	struct planned_change *change = list_add(list->changes, sizeof(*change));
	change->field = base_strdup(path);
	change->before = base_strdup(before);
	change->after = base_strdup(after);
}

static void tell_changes(struct planned_job *job, const struct job_spec *before,
			 const struct job_spec *after)
{
	struct change_list list = { .changes = (struct list *)&job->changes };
	record_diff(&job_spec_type, before, after, add_change, &list);
	job->changes_left_out = list.left_out;
}

/* ---- tasks ---- */

static const char *name_of_node(const struct manager *manager, struct node_id id)
{
	const struct node_entry *node = cluster_node(&manager->cluster, id);
	return node ? node_name(node) : NULL;
}

static void tell_ports(const struct manager *manager, const struct task *task,
		       struct planned_task *planned)
{
	const struct job_spec *spec = cluster_task_spec(&manager->cluster, task);
	for (size_t i = 0; i < task_rare(task)->ports.n; i++) {
		const struct port_grant *grant = &task_rare(task)->ports.items[i];
		const struct port *port = &spec->ports.items[grant->index];
		if (!grant->host_port)
			continue;
		struct planned_port *item = list_add(&planned->ports, sizeof(*item));
		*item = (struct planned_port){ base_strdup(port->host_ip), grant->host_port,
					       port->container_port, port->protocol };
	}
}

static void count_act(struct planned_job *job, int act)
{
	job->starts += act == PLANNED_START;
	job->replaces += act == PLANNED_REPLACE;
	job->moves += act == PLANNED_MOVE;
	job->stops += act == PLANNED_STOP;
}

/* It was placed nowhere, or has come to its end without having run. Where tasks take turns, one that finds no room has
 * its turn when another has had it. */
static bool is_unplaced(const struct job_entry *entry, const struct task *task)
{
	if (task->state == TASK_PENDING && job_takes_turns(entry))
		for (size_t i = 0; i < entry->tasks.n; i++)
			if (entry->tasks.items[i]->state == TASK_RUNNING)
				return false;
	return task->state == TASK_PENDING || slot_look(entry, task) == SLOT_LEFT;
}

static void add_task(struct teller *teller, struct planned_job *job, int act,
		     const struct slot_before *was, const struct task *task, const char *name)
{
	const struct manager *manager = teller->manager;
	count_act(job, act);
	if (teller->n_tasks >= LIMIT_PLAN_TASKS) {
		job->tasks_left_out++;
		return;
	}
	teller->n_tasks++;
	struct planned_task *planned = list_add(&job->tasks, sizeof(*planned));
	planned->name = base_strdup(name);
	planned->act = act;
	if (was) {
		planned->task = was->task.uuid;
		planned->from = base_strdup(name_of_node(manager, was->node));
	}
	if (!task)
		return;
	char sentence[TASK_SENTENCE_SIZE];
	const struct job_entry *entry = cluster_job_of(&manager->cluster, task);
	planned->unplaced = is_unplaced(entry, task);
	if (planned->unplaced)
		planned->message =
			base_strdup(cluster_task_sentence(&manager->cluster, task, sentence));
	planned->node = base_strdup(name_of_node(manager, task->desired.node));
	tell_ports(manager, task, planned);
}

static void tell_slot(struct teller *teller, struct planned_job *job, const struct slot *slot,
		      const struct slot_before *was)
{
	const struct task *task = slot->newest;
	char name[TASK_NAME_SIZE];
	if (!task || slot->want != SLOT_WANTED)
		return;
	const struct job_entry *entry = cluster_job_of(&teller->manager->cluster, task);
	if (was && uuid_equal(was->task.uuid, task->desired.id.uuid)) {
		bool stopped = !was->ended && slot_look(entry, task) == SLOT_NEXT &&
			       job_takes_turns(entry);
		job->stays += !was->ended && !stopped;
		job->unplaced += task->state == TASK_PENDING && is_unplaced(entry, task);
		cluster_task_name(&teller->manager->cluster, task, name);
		if (stopped)
			add_task(teller, job, PLANNED_STOP, was, NULL, name);
		return;
	}
	if (was && was->ended)
		was = NULL;
	bool elsewhere = was && !uuid_is_zero(task->desired.node.uuid) &&
			 !uuid_is_zero(was->node.uuid) &&
			 !uuid_equal(was->node.uuid, task->desired.node.uuid);
	job->unplaced += is_unplaced(entry, task);
	cluster_task_name(&teller->manager->cluster, task, name);
	add_task(teller, job,
		 !was	     ? PLANNED_START
		 : elsewhere ? PLANNED_MOVE
			     : PLANNED_REPLACE,
		 was, task, name);
}

/* Those of a job that takes turns which the request asks for, and whose turn has not come. */
static void tell_later(struct planned_job *job, const struct job_before *before,
		       const struct job_entry *entry, const struct slots *slots)
{
	struct job_facts facts;
	if (!job_takes_turns(entry))
		return;
	job->at_once = job_at_once(entry);
	if (job->goes_on)
		return;
	bool same_run = before && before->roll == entry->job.roll &&
			before->restarts_asked == entry->job.restarts_asked;
	slots_facts(entry, slots, &facts);
	int64_t n_asked = facts.later - (same_run ? before->later : 0);
	job->later = n_asked > 0 ? n_asked : 0;
	job->starts += job->later;
}

/* Where no task is wanted any more. */
static void tell_stopped(struct teller *teller, struct planned_job *job,
			 const struct job_before *before, const struct slots *slots)
{
	char name[TASK_NAME_SIZE];
	for (size_t i = 0; before && i < before->n_slots; i++) {
		const struct slot_before *was = &before->slots[i];
		const struct slot *slot = slots_find(slots, was->number);
		if (was->ended || (slot && slot->want == SLOT_WANTED))
			continue;
		text_print(name, sizeof(name), "%s/%s.%lld", teller->plan->project, before->name,
			   (long long)was->number);
		add_task(teller, job, PLANNED_STOP, was, NULL, name);
	}
}

/* ---- what stands in the way ---- */

static void add_problem(struct teller *teller, const struct text *problem)
{
	strings_add(&teller->plan->problems, text_string(problem));
}

/* The first of those that would not run. */
static const struct task *first_unplaced(const struct job_entry *entry, const struct slots *slots)
{
	for (size_t i = 0; i < slots->n; i++) {
		const struct task *task = slots->items[i].newest;
		if (task && slots->items[i].want == SLOT_WANTED && is_unplaced(entry, task))
			return task;
	}
	return NULL;
}

static void tell_unplaced(struct teller *teller, const struct planned_job *job,
			  const struct job_entry *entry, const struct slots *slots,
			  const struct job_status *status)
{
	char sentence[TASK_SENTENCE_SIZE];
	struct text problem;
	const struct task *task = job->unplaced ? first_unplaced(entry, slots) : NULL;
	if (!task)
		return;
	text_init(&problem, LIMIT_MESSAGE_BYTES);
	text_addf(&problem, "%lld of %lld tasks of %s would not run: %s", (long long)job->unplaced,
		  (long long)status->wanted, job->name,
		  cluster_task_sentence(&teller->manager->cluster, task, sentence));
	add_problem(teller, &problem);
	text_release(&problem);
}

static void tell_update(struct teller *teller, const struct planned_job *job,
			const struct job_entry *entry, const struct job_status *status)
{
	struct text problem;
	const struct revision_outcome *outcome = job_outcome_of(&entry->job, job->revision);
	text_init(&problem, LIMIT_MESSAGE_BYTES);
	if (entry->job.revision != job->revision)
		text_addf(&problem, "the update of %s would be rolled back: %s", job->name,
			  outcome && outcome->message ? outcome->message : status->message);
	else if (status->update == UPDATE_STATE_PAUSED)
		text_addf(&problem, "the update of %s would be paused: %s", job->name,
			  status->message);
	else if (status->update != UPDATE_STATE_NONE && status->update != UPDATE_STATE_ROLLED_BACK)
		text_addf(&problem, "the update of %s would not come to its end: %s", job->name,
			  status->message);
	if (problem.len)
		add_problem(teller, &problem);
	text_release(&problem);
}

/* ---- jobs ---- */

static void tell_end(struct teller *teller, struct planned_job *job,
		     const struct job_before *before, const struct job_entry *entry)
{
	struct slots slots = { 0 };
	struct job_status status;
	if (!entry) {
		tell_stopped(teller, job, before, &slots);
		job->standing = STANDING_REMOVING;
		return;
	}
	slots_build(&teller->manager->cluster, entry, &slots);
	for (size_t i = 0; i < slots.n && entry->job.wanted == JOB_RUN; i++)
		tell_slot(teller, job, &slots.items[i], before_slot(before, slots.items[i].number));
	manager_job_status(teller->manager, entry, &status);
	job->standing = status.standing;
	if (entry->job.wanted == JOB_RUN) {
		tell_later(job, before, entry, &slots);
		tell_stopped(teller, job, before, &slots);
		tell_unplaced(teller, job, entry, &slots, &status);
		tell_update(teller, job, entry, &status);
	} else {
		/* What it has left is where nobody can confirm that it is gone. */
		static const struct slots none;
		tell_stopped(teller, job, before, &none);
	}
	job->message = status.message;
	slots_release(&slots);
}

static void tell_job(struct teller *teller, const struct job_answer *answer,
		     struct planned_job *job)
{
	const struct manager *manager = teller->manager;
	const struct job_before *before = before_find(teller->before, answer->name);
	const struct job_entry *entry = cluster_job(&manager->cluster, answer->id);
	job->name = base_strdup(answer->name);
	job->effect = answer->effect;
	job->goes_on = answer->effect == EFFECT_UNCHANGED;
	job->revision = answer->revision;
	job->revision_before = before ? before->revision.number : 0;
	const struct job_revision *after =
		entry ? job_entry_revision(entry, answer->revision) : NULL;
	if (before && after)
		tell_changes(job, &before->revision.spec, &after->spec);
	job->new_tasks = !before || before->revision.number != answer->revision;
	if (answer->effect != EFFECT_ORPHAN)
		tell_end(teller, job, before, entry);
	teller->plan->changes |=
		answer->effect != EFFECT_UNCHANGED && answer->effect != EFFECT_ORPHAN;
}

/* ---- networks and volumes ---- */

static struct planned_resource *add_resource(void *list, const char *name, int effect)
{
	struct planned_resource *resource = list_add(list, sizeof(*resource));
	resource->name = base_strdup(name);
	resource->effect = effect;
	return resource;
}

static void diff_declared(struct planned_resource *resource, const struct record_type *type,
			  const void *before, const void *after)
{
	struct change_list list = { .changes = (struct list *)&resource->changes };
	record_diff(type, before, after, add_change, &list);
}

static void tell_networks(struct teller *teller, const struct project *before,
			  const struct project *after)
{
	void *list = &teller->plan->networks;
	for (size_t i = 0; i < after->networks.n; i++) {
		const struct network_spec *network = &after->networks.items[i];
		const struct network_spec *was =
			declared_find(DECLARED_NETWORK, before, network->key);
		if (!was)
			add_resource(list, network->key, PLANNED_CREATED);
		else if (!record_equal(&network_spec_type, was, network))
			diff_declared(add_resource(list, network->key, PLANNED_CHANGED),
				      &network_spec_type, was, network);
	}
	for (size_t i = 0; i < before->networks.n; i++)
		if (!declared_find(DECLARED_NETWORK, after, before->networks.items[i].key))
			add_resource(list, before->networks.items[i].key, PLANNED_FORGOTTEN);
	teller->plan->changes |= teller->plan->networks.n != 0;
}

static bool is_touched(const struct teller *teller, const struct project_entry *project,
		       const char *volume)
{
	for (size_t i = 0; i < teller->plan->jobs.n; i++) {
		const struct planned_job *job = &teller->plan->jobs.items[i];
		const struct job_entry *entry = cluster_job_named(&teller->manager->cluster,
								  project->project.name, job->name);
		if (entry && job->starts + job->replaces + job->moves > 0 &&
		    job_uses_volume(teller->manager, entry, volume))
			return true;
	}
	return false;
}

static void tell_volume(struct teller *teller, const struct project_entry *project,
			const struct volume_record *volume)
{
	const struct world_before *before = teller->before;
	const struct volume_spec *was =
		declared_find(DECLARED_VOLUME, &before->project, volume->key);
	const struct volume_spec *is =
		declared_find(DECLARED_VOLUME, &project->project, volume->key);
	int effect = PLANNED_KEPT;
	if (!strings_has(&before->volumes, volume->name))
		effect = PLANNED_CREATED;
	else if (was && is && !record_equal(&volume_spec_type, was, is))
		effect = PLANNED_CHANGED;
	else if (was && !is)
		effect = PLANNED_FORGOTTEN;
	if ((effect == PLANNED_KEPT && !is_touched(teller, project, volume->name)) ||
	    teller->plan->volumes.n >= LIMIT_PLAN_TASKS)
		return;
	struct planned_resource *resource =
		add_resource(&teller->plan->volumes, volume->name, effect);
	resource->node = base_strdup(name_of_node(teller->manager, volume->node));
	if (effect == PLANNED_CHANGED)
		diff_declared(resource, &volume_spec_type, was, is);
	teller->plan->changes |= effect != PLANNED_KEPT;
}

static void tell_volumes(struct teller *teller, const struct project_entry *project)
{
	size_t n = 0;
	struct volume_record **volumes = cluster_sorted_volumes(&teller->manager->cluster, &n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(volumes[i]->project, project->project.name) == 0)
			tell_volume(teller, project, volumes[i]);
	base_free(volumes);
}

void rehearsal_tell_begin(struct teller *teller)
{
	struct project_plan *plan = teller->plan;
	plan->project = base_strdup(teller->answer->project);
	for (size_t i = 0; i < teller->answer->jobs.n; i++)
		list_add(&plan->jobs, sizeof(struct planned_job));
	plan->n_dependents = teller->answer->n_dependents;
	for (size_t i = 0; i < teller->answer->dependents.n; i++)
		strings_add(&plan->dependents, teller->answer->dependents.items[i]);
}

void rehearsal_tell_now(struct teller *teller, struct job_id job)
{
	for (size_t i = 0; i < teller->answer->jobs.n; i++) {
		const struct job_answer *answer = &teller->answer->jobs.items[i];
		struct planned_job *planned = &teller->plan->jobs.items[i];
		if (uuid_equal(answer->id.uuid, job.uuid) && !planned->name)
			tell_job(teller, answer, planned);
	}
}

void rehearsal_tell(struct teller *teller)
{
	static const struct project nothing;
	const struct project *before = &teller->before->project;
	const struct project_entry *project =
		cluster_project(&teller->manager->cluster, teller->plan->project);
	for (size_t i = 0; i < teller->answer->jobs.n; i++)
		if (!teller->plan->jobs.items[i].name)
			tell_job(teller, &teller->answer->jobs.items[i],
				 &teller->plan->jobs.items[i]);
	tell_networks(teller, before, project ? &project->project : &nothing);
	if (project)
		tell_volumes(teller, project);
}
