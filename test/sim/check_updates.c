/* Updates and moves: how many slots an update takes down at a time, and that a move takes down none (I13), from the
 * records of tasks alone. */
#include "base/limits.h"
#include "sim.h"

static bool serves(const struct task *task)
{
	return task_is_ready(task) && !task->unreachable && task->desired.wanted == TASK_WANT_RUN;
}

/* Without a task that serves it, and for no other reason than the update. */
static bool is_down(const struct job_entry *entry, int64_t slot)
{
	const struct task *newest = NULL;
	for (size_t i = 0; i < entry->tasks.n; i++) {
		const struct task *task = entry->tasks.items[i];
		if (task->desired.slot != slot || task->desired.stop_reason == REASON_WITHDRAWN)
			continue;
		if (serves(task))
			return false;
		newest = task;
	}
	if (!newest)
		return false;
	/* New to the job, and has not run yet: nor does a restart that was asked for since take it down. */
	if (newest->desired.revision == entry->job.revision &&
	    uuid_is_zero(task_rare(newest)->replaces.uuid) && !newest->observed.started_wall_ms)
		return false;
	bool current = newest->desired.revision == entry->job.revision &&
		       newest->desired.restarts_asked == entry->job.restarts_asked;
	/* New to the job, has failed, has succeeded, or was ended by somebody's hand. */
	return !current ||
	       (!uuid_is_zero(task_rare(newest)->replaces.uuid) &&
		newest->desired.roll == entry->job.roll && !task_succeeded(newest) &&
		newest->desired.trial != TRIAL_FAILED &&
		newest->desired.stop_reason != REASON_STOPPED && newest->reason != REASON_STOPPED);
}

void checker_uncertain_tasks(struct sim *sim, const struct cluster *cluster)
{
	const struct checker *checker = &sim->checker;
	for (size_t i = 0; i < checker->n_tasks; i++) {
		struct known_task *known = checker->task_order[i];
		const struct task *task = cluster_task(cluster, known->id);
		known->unreachable = task && task->unreachable;
	}
}

/* What is lost serves nobody. That is stored nowhere, so a manager that reads its store back knows nothing of it; when
 * the commit that it reads is one whose outcome was unknown, what counts is what was known when it was decided. */
static bool is_lost(const struct known_task *known, const struct task *task)
{
	return task->unreachable || known->unreachable;
}

/* Does the update take it down, and not the drain of its node? What is restarted may be by its user's word. */
static bool is_taken_down(const struct cluster *cluster, const struct known_task *known,
			  const struct job_entry *entry, const struct task *task)
{
	const struct node_entry *node = cluster_node(cluster, task->desired.node);
	return task->desired.revision != entry->job.revision && known->committed &&
	       !known->stop_reason && task->desired.stop_reason == REASON_UPDATED &&
	       task_is_ready(task) && !is_lost(known, task) && node && !node->record.draining;
}

void checker_update(struct sim *sim, const struct cluster *cluster, const struct known_task *known,
		    const struct job_entry *entry, const struct task *task, const char *name)
{
	const struct job_spec *spec = &job_entry_current(entry)->spec;
	if (job_spec_is_global(spec) || job_spec_completes(spec) || entry->job.wanted != JOB_RUN ||
	    !is_taken_down(cluster, known, entry, task))
		return;
	const struct update_policy *policy =
		entry->job.rolled_back_from && job_is_under_way(&entry->job) ? &spec->rollback
									     : &spec->update;
	int64_t most = policy->parallelism ? policy->parallelism : 1;
	/* One that another has taken over from takes nothing down. */
	if (most == UPDATE_ALL || !is_down(entry, task->desired.slot))
		return;
	sim->checker.evaluated[INVARIANT_I13]++;
	int64_t n = 0;
	struct text slots;
	text_init(&slots, LIMIT_MESSAGE_BYTES);
	for (int64_t slot = 1; slot <= spec->replicas; slot++)
		if (is_down(entry, slot)) {
			n++;
			text_addf(&slots, " %lld", (long long)slot);
		}
	if (n > most)
		violated(sim, INVARIANT_I13,
			 "%s is stopped for an update, and of its job the slots%s are down", name,
			 text_string(&slots));
	text_release(&slots);
}

void checker_rebalance(struct sim *sim, const struct known_task *known,
		       const struct job_entry *entry, const struct task *task, const char *name)
{
	if (!known->committed || known->stop_reason ||
	    task->desired.stop_reason != REASON_REBALANCED || !task_is_ready(task))
		return;
	sim->checker.evaluated[INVARIANT_I13]++;
	for (size_t i = 0; i < entry->tasks.n; i++)
		if (entry->tasks.items[i]->desired.slot == task->desired.slot &&
		    serves(entry->tasks.items[i]))
			return;
	violated(sim, INVARIANT_I13, "%s is stopped for a better node, and nobody serves its slot",
		 name);
}
