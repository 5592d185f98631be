/* depends_on: conditions gate the first start of a job's revision, and of each run of a schedule, and nothing after it.
 * A job that is to be restarted with one it depends on is when that has been replaced, and not while it is: that it is
 * due is on record.
 *
 * Invariant: a gate is decided from the facts of the jobs it depends on as they were last reconciled; when these
 * change, jobs with gated tasks are reconciled again. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "manager/core.h"
#include "manager/depend.h"

/* What is settled as given up may have waited in vain; where it did not, the last such are among the tasks. */
bool depend_has_begun(const struct job_entry *entry)
{
	const struct settled *settled = &entry->job.settled;
	int64_t since = job_entry_current(entry)->spec.schedule ? entry->job.restarts_asked : 0;
	if (settled->roll == entry->job.roll && settled->restarts_asked >= since &&
	    settled->succeeded.ranges.n)
		return true;
	for (size_t i = entry->tasks.n; i > 0; i--) {
		const struct task *task = entry->tasks.items[i - 1];
		if (task->desired.revision == entry->job.revision &&
		    task->desired.restarts_asked >= since && !uuid_is_zero(task->desired.node.uuid))
			return true;
	}
	return false;
}

static const char *const wished[] = { "started", "healthy", "completed" };
static const char *const counted[] = { "started", "healthy", "succeeded" };

static int64_t count_met(const struct job_facts *facts, int condition)
{
	switch (condition) {
	case DEPEND_STARTED: return facts->started;
	case DEPEND_HEALTHY: return facts->ready;
	case DEPEND_COMPLETED: return facts->succeeded;
	default: UNREACHABLE("no such condition");
	}
}

/* The job that one waits for; NULL: there is none. */
static const struct job_entry *find(const struct manager *manager, const struct job_entry *entry,
				    const struct depend *depend)
{
	return cluster_job_named(&manager->cluster, depend_project(depend, entry->job.project),
				 depend->job);
}

/* As last reconciled; counted afresh when something changed since. */
static struct job_facts facts_of(const struct manager *manager, const struct job_entry *entry)
{
	const struct job_watch *watch = map_get(&manager->jobs, entry->job.id.uuid);
	if (watch && !watch->dirty)
		return watch->facts;
	struct slots slots;
	struct job_facts facts;
	slots_build(&manager->cluster, entry, &slots);
	slots_facts(entry, &slots, &facts);
	slots_release(&slots);
	return facts;
}

/* What can never be met unless somebody changes something; false: it may be. */
static bool tell_never(const struct depend *depend, const struct job_entry *on,
		       const struct job_facts *facts, struct text *message)
{
	const struct job_spec *spec = &job_entry_current(on)->spec;
	char name[DEPEND_NAME_SIZE];
	depend_name(depend, name);
	/* It was another when that was asked for. */
	if (!depend_may_be_met(depend, spec, message))
		return true;
	bool has_ended = job_spec_completes(spec) && facts->wanted &&
			 facts->succeeded + facts->left == facts->wanted;
	if (depend->condition == DEPEND_COMPLETED && facts->left)
		text_addf(message, "needs %s to be completed, but it failed: %lld of %lld given up",
			  name, (long long)facts->left, (long long)facts->wanted);
	else if (depend->condition == DEPEND_HEALTHY && facts->unchecked &&
		 !job_spec_has_check(spec))
		text_addf(message, "needs %s to be healthy, but it has no health check", name);
	else if (depend->condition == DEPEND_HEALTHY && has_ended)
		text_addf(message, "needs %s to be healthy, but it has ended", name);
	else
		return false;
	return true;
}

static int check_one(const struct manager *manager, const struct job_entry *entry,
		     const struct depend *depend, struct text *message)
{
	const struct job_entry *on = find(manager, entry, depend);
	char name[DEPEND_NAME_SIZE];
	depend_name(depend, name);
	if (!on || on->job.wanted == JOB_REMOVE) {
		if (depend->optional)
			return GATE_OPEN;
		text_addf(message, "waits for %s to be %s: %s", name, wished[depend->condition],
			  depend->project ? "there is no such job" : "the project has no such job");
		return GATE_CLOSED;
	}
	struct job_facts facts = facts_of(manager, on);
	if (on->job.wanted == JOB_RUN && tell_never(depend, on, &facts, message)) {
		if (!depend->optional)
			return GATE_FAILED;
		text_clear(message);
		return GATE_OPEN;
	}
	int64_t n = count_met(&facts, depend->condition);
	bool is_known = job_is_global(on) ? facts.wanted > 0 : facts.wanted == job_replicas(on);
	if (n >= facts.wanted && is_known)
		return GATE_OPEN;
	text_addf(message, "waits for %s to be %s: %lld of %lld %s", name,
		  wished[depend->condition], (long long)n,
		  (long long)(job_is_global(on) ? facts.wanted : job_replicas(on)),
		  counted[depend->condition]);
	if (on->job.wanted == JOB_STOP)
		text_add(message, "; it is stopped");
	else if (facts.paused)
		text_add(message, "; its update is paused");
	else if (facts.left)
		text_addf(message, ", %lld given up", (long long)facts.left);
	return GATE_CLOSED;
}

int depend_gate(const struct manager *manager, const struct job_entry *entry, struct text *message)
{
	const struct job_spec *spec = &job_entry_current(entry)->spec;
	if (!spec->depends_on.n || depend_has_begun(entry))
		return GATE_OPEN;
	int gate = GATE_OPEN;
	struct text one;
	text_init(&one, message->max);
	for (size_t i = 0; i < spec->depends_on.n && gate != GATE_FAILED; i++) {
		text_clear(&one);
		int one_gate = check_one(manager, entry, &spec->depends_on.items[i], &one);
		if (one_gate == GATE_FAILED)
			text_clear(message);
		else if (message->len && one.len)
			text_add(message, "; ");
		text_add(message, text_string(&one));
		if (one_gate > gate)
			gate = one_gate;
	}
	text_release(&one);
	return gate;
}

bool depend_was_in_vain(const struct job_entry *entry)
{
	const struct job_spec *spec = &job_entry_current(entry)->spec;
	/* A schedule goes on by itself. */
	if (!spec->depends_on.n || spec->schedule || depend_has_begun(entry))
		return false;
	for (size_t i = 0; i < entry->tasks.n; i++)
		if (!task_is_stale(entry, entry->tasks.items[i]) &&
		    entry->tasks.items[i]->state == TASK_FAILED &&
		    entry->tasks.items[i]->reason == REASON_DEPENDENCY_FAILED)
			return true;
	return false;
}

/* ---- who waits for jobs of other projects ---- */

/* So many names are kept at least before those are looked for that nobody gives any more. */
#define SWEEP_FROM 64

/* Jobs that name a job of another project, whether that is there or not; ascending by id, so in the order they were
 * made. Some may have gone since, or name it no more. */
struct dependents {
	struct uuid key;
	struct job_id *ids;
	size_t n, capacity;
};

static struct uuid key_of(const struct manager *manager, const char *project, const char *job)
{
	return map_name_key(manager->cluster.salt, project, job);
}

static void add_dependent(struct dependents *dependents, struct job_id id)
{
	size_t at = dependents->n;
	while (at && uuid_compare(dependents->ids[at - 1].uuid, id.uuid) > 0)
		at--;
	if (at && uuid_equal(dependents->ids[at - 1].uuid, id.uuid))
		return;
	dependents->ids = base_grow(dependents->ids, dependents->n, &dependents->capacity,
				    sizeof(struct job_id));
	memmove(&dependents->ids[at + 1], &dependents->ids[at],
		(dependents->n - at) * sizeof(struct job_id));
	dependents->ids[at] = id;
	dependents->n++;
}

static bool names(const struct manager *manager, const struct job_entry *entry, struct uuid key)
{
	const struct job_spec *spec = &job_entry_current(entry)->spec;
	for (size_t i = 0; i < spec->depends_on.n; i++) {
		const struct depend *depend = &spec->depends_on.items[i];
		if (depend->project &&
		    uuid_equal(key_of(manager, depend->project, depend->job), key))
			return true;
	}
	return false;
}

/* Those that have gone, or name it no more, are forgotten. */
static void forget_former(const struct manager *manager, struct dependents *dependents)
{
	size_t n = 0;
	for (size_t i = 0; i < dependents->n; i++) {
		const struct job_entry *entry = cluster_job(&manager->cluster, dependents->ids[i]);
		if (entry && names(manager, entry, dependents->key))
			dependents->ids[n++] = dependents->ids[i];
	}
	dependents->n = n;
}

static void free_dependents(struct dependents *dependents)
{
	base_free(dependents->ids);
	base_free(dependents);
}

/* Names that nobody gives any more would be kept for ever, for their jobs may never be there to ask who waits. */
static void sweep(struct manager *manager)
{
	struct map kept = { 0 };
	size_t at = 0;
	for (struct dependents *dependents; (dependents = map_next(&manager->dependents, &at));) {
		forget_former(manager, dependents);
		if (dependents->n)
			map_put(&kept, dependents->key, dependents);
		else
			free_dependents(dependents);
	}
	map_release(&manager->dependents);
	manager->dependents = kept;
	manager->dependents_swept = kept.n;
}

static struct dependents *dependents_of(struct manager *manager, struct uuid key)
{
	struct dependents *dependents = map_get(&manager->dependents, key);
	if (dependents)
		return dependents;
	if (manager->dependents.n >= 2 * manager->dependents_swept + SWEEP_FROM)
		sweep(manager);
	dependents = base_calloc(1, sizeof(*dependents));
	dependents->key = key;
	map_put(&manager->dependents, key, dependents);
	return dependents;
}

void depend_learn(struct manager *manager, const struct job_entry *entry)
{
	const struct job_spec *spec = &job_entry_current(entry)->spec;
	for (size_t i = 0; i < spec->depends_on.n; i++) {
		const struct depend *depend = &spec->depends_on.items[i];
		if (depend->project)
			add_dependent(dependents_of(manager,
						    key_of(manager, depend->project, depend->job)),
				      entry->job.id);
	}
}

size_t depend_others(struct manager *manager, const char *project, const char *job,
		     const struct job_id **ret_ids)
{
	struct dependents *dependents =
		map_get(&manager->dependents, key_of(manager, project, job));
	if (!dependents)
		return 0;
	forget_former(manager, dependents);
	*ret_ids = dependents->ids;
	return dependents->n;
}

void depend_release(struct manager *manager)
{
	size_t at = 0;
	for (struct dependents *dependents; (dependents = map_next(&manager->dependents, &at));)
		free_dependents(dependents);
	map_release(&manager->dependents);
}

/* `other` is looked at again where it waits for the job. */
static void wake(struct manager *manager, const struct job_entry *entry,
		 const struct job_entry *other)
{
	const struct job_spec *spec = &job_entry_current(other)->spec;
	/* Of hundreds of jobs each may tell all others, so that first which takes no search. */
	if (!spec->depends_on.n)
		return;
	const struct job_watch *watch = map_get(&manager->jobs, other->job.id.uuid);
	if (!watch || (!watch->gated && !other->job.restart_due))
		return;
	for (size_t j = 0; j < spec->depends_on.n; j++)
		if (depend_is_on(&spec->depends_on.items[j], other->job.project, entry->job.project,
				 entry->job.name))
			job_dirty(manager, other->job.id);
}

void depend_wake(struct manager *manager, const struct job_entry *entry)
{
	const struct project_entry *project =
		cluster_project(&manager->cluster, entry->job.project);
	for (size_t i = 0; i < project->n_jobs; i++)
		wake(manager, entry, project->jobs[i]);
	const struct job_id *ids = NULL;
	size_t n = depend_others(manager, entry->job.project, entry->job.name, &ids);
	for (size_t i = 0; i < n; i++)
		wake(manager, entry, cluster_job(&manager->cluster, ids[i]));
}

/* ---- restarts ---- */

/* Has its roll-out or restart come to its end, with tasks that are ready? One that was given up, or that nobody can
 * reach, is not waited for. */
static bool is_replaced(const struct manager *manager, const struct job_entry *on)
{
	if (on->job.wanted != JOB_RUN)
		return on->job.wanted == JOB_REMOVE;
	struct job_facts facts = facts_of(manager, on);
	return !job_is_rolling(on) && !facts.old &&
	       facts.ready + facts.succeeded + facts.left + facts.unreachable >= facts.wanted;
}

/* The first job that the restart waits for; NULL: it waits for none. */
static const struct depend *restart_waits_for(const struct manager *manager,
					      const struct job_entry *entry)
{
	const struct job_spec *spec = &job_entry_current(entry)->spec;
	for (size_t i = 0; i < spec->depends_on.n; i++) {
		const struct depend *depend = &spec->depends_on.items[i];
		const struct job_entry *on = find(manager, entry, depend);
		if (depend->restart && on && !is_replaced(manager, on))
			return depend;
	}
	return NULL;
}

void depend_restart(struct manager *manager, const struct job_entry *entry)
{
	if (!entry->job.restart_due || restart_waits_for(manager, entry))
		return;
	struct job job;
	char name[JOB_NAME_SIZE];
	record_copy(&job_type, &job, &entry->job);
	job.restart_due = false;
	job.restarts_asked++;
	group_reserve(manager, 1);
	cluster_put_job(&manager->cluster, &manager->out->changes, &job);
	job_dirty(manager, entry->job.id);
	notes_add(&manager->out->notes, "job %s restarts: what it depends on has been replaced",
		  job_name(entry, name));
}

void depend_tell_restart(const struct manager *manager, const struct job_entry *entry,
			 struct text *out)
{
	const struct depend *on = entry->job.restart_due ? restart_waits_for(manager, entry) : NULL;
	char name[DEPEND_NAME_SIZE];
	if (on)
		text_addf(out, "; restarts when %s has been replaced", depend_name(on, name));
}
