/* depends_on: conditions gate the first start of a job's revision, and nothing after it. A job that is to be restarted
 * with one it depends on is when that has been replaced, and not while it is: that it is due is on record.
 *
 * Invariant: a gate is decided from the facts of the jobs it depends on as they were last reconciled; when these
 * change, jobs with gated tasks are reconciled again. */
#include <string.h>

#include "base/check.h"
#include "manager/core.h"

/* A task of the current revision was placed once: the gate is behind us. */
static bool has_begun(const struct job_entry *entry)
{
	const struct settled *settled = &entry->job.settled;
	if (settled->roll == entry->job.roll &&
	    (settled->succeeded.ranges.n || settled->left.ranges.n))
		return true;
	for (size_t i = entry->tasks.n; i > 0; i--) {
		const struct task *task = entry->tasks.items[i - 1];
		if (task->desired.revision == entry->job.revision &&
		    !uuid_is_zero(task->desired.node.uuid))
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
	bool has_ended = job_spec_completes(spec) && facts->wanted &&
			 facts->succeeded + facts->left == facts->wanted;
	if (depend->condition == DEPEND_COMPLETED && facts->left)
		text_addf(message, "needs %s to be completed, but it failed: %lld of %lld given up",
			  depend->job, (long long)facts->left, (long long)facts->wanted);
	else if (depend->condition == DEPEND_HEALTHY && facts->unchecked &&
		 !job_spec_has_check(spec))
		text_addf(message, "needs %s to be healthy, but it has no health check",
			  depend->job);
	else if (depend->condition == DEPEND_HEALTHY && has_ended)
		text_addf(message, "needs %s to be healthy, but it has ended", depend->job);
	else
		return false;
	return true;
}

static int check_one(const struct manager *manager, const struct job_entry *entry,
		     const struct depend *depend, struct text *message)
{
	const struct job_entry *on =
		cluster_job_named(&manager->cluster, entry->job.project, depend->job);
	if (!on || on->job.wanted == JOB_REMOVE) {
		if (depend->optional)
			return GATE_OPEN;
		text_addf(message, "waits for %s to be %s: the project has no such job",
			  depend->job, wished[depend->condition]);
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
	text_addf(message, "waits for %s to be %s: %lld of %lld %s", depend->job,
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
	if (!spec->depends_on.n || has_begun(entry))
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

void depend_wake(struct manager *manager, const struct job_entry *entry)
{
	const struct project_entry *project =
		cluster_project(&manager->cluster, entry->job.project);
	for (size_t i = 0; i < project->n_jobs; i++) {
		const struct job_entry *other = project->jobs[i];
		const struct job_spec *spec = &job_entry_current(other)->spec;
		/* Of hundreds of jobs each may tell all others, so that first which takes no search. */
		if (!spec->depends_on.n)
			continue;
		const struct job_watch *watch = map_get(&manager->jobs, other->job.id.uuid);
		if (!watch || (!watch->gated && !other->job.restart_due))
			continue;
		for (size_t j = 0; j < spec->depends_on.n; j++)
			if (strcmp(spec->depends_on.items[j].job, entry->job.name) == 0)
				job_dirty(manager, other->job.id);
	}
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

/* The name of the first job that the restart waits for; NULL: it waits for none. */
static const char *restart_waits_for(const struct manager *manager, const struct job_entry *entry)
{
	const struct job_spec *spec = &job_entry_current(entry)->spec;
	for (size_t i = 0; i < spec->depends_on.n; i++) {
		const struct depend *depend = &spec->depends_on.items[i];
		const struct job_entry *on =
			cluster_job_named(&manager->cluster, entry->job.project, depend->job);
		if (depend->restart && on && !is_replaced(manager, on))
			return depend->job;
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
	const char *on = entry->job.restart_due ? restart_waits_for(manager, entry) : NULL;
	if (on)
		text_addf(out, "; restarts when %s has been replaced", on);
}
