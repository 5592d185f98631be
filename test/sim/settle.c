/* After the last fault: a request is answered (L3), all is as it should be within the time that what is under way may
 * take (L1, L2, L4), it stays so, and then there is silence: nothing is stored, nothing starts (L7). */
#include "sim.h"

#define ANSWER_LIMIT_MS 10000
#define POLL_MS		2000
/* A worker takes 45 s to be sure that its Docker hangs; then its tasks are replaced. */
#define STAYS_MS	    70000
#define MOVES_MAX	    10
#define SILENCE_MS	    60000
#define SILENCE_WHOLE_MS    600000
#define SILENCE_WORKERS_MAX 30

/* Until everything is as it should be; false when it never is. */
static bool reach(struct sim *sim, int64_t limit_ms)
{
	while (!check_liveness(sim, false)) {
		if (sim->now_ms >= limit_ms) {
			check_liveness(sim, true);
			return false;
		}
		if (!sim_run_until(sim, sim->now_ms + POLL_MS))
			return false;
	}
	sim_tell(sim, "world", "everything is as it should be");
	return true;
}

/* It stays so, but that what waits for room may get it: a few times, as there are not many tasks. */
static bool live_on(struct sim *sim, int64_t allowance_ms)
{
	for (int n = 0; n < MOVES_MAX; n++) {
		if (!reach(sim, sim->now_ms + allowance_ms))
			return false;
		if (n == 0)
			sim->settled_ms += sim->now_ms;
		if (!sim_run_until(sim, sim->now_ms + STAYS_MS))
			return false;
		if (check_liveness(sim, false))
			return true;
	}
	check_liveness(sim, true);
	return false;
}

/* ---- silence ---- */

/* Sums over what works. */
struct deeds {
	uint64_t manager_records, worker_records;
	uint64_t containers;
	uint64_t nodes_left; /* that are not forgotten yet */
};

/* A node that has left is forgotten a day later, and stays on record as removed. */
#define RECORDS_TO_FORGET_NODE 2

static struct deeds count_deeds(const struct sim *sim)
{
	struct deeds deeds = { .manager_records = sim->manager.store.n_written };
	for (int i = 0; i < sim->n_workers; i++) {
		if (sim->workers[i].broken)
			continue;
		deeds.worker_records += sim->workers[i].store.n_written;
		deeds.containers += sim->workers[i].docker.containers_started;
	}
	const struct node_columns *columns = &manager_cluster(sim->manager.core)->columns;
	for (size_t i = 0; i < columns->n; i++)
		deeds.nodes_left += columns->entry[i]->record.left;
	return deeds;
}

/* Does it run on a machine that is to be drained, beside one that comes no further? It is stopped after a while. */
static bool is_moving(const struct cluster *cluster, const struct task *task)
{
	const struct node_entry *node = cluster_node(cluster, task->desired.node);
	return !task_is_final(task->state) && task->desired.wanted == TASK_WANT_RUN && node &&
	       node->record.draining;
}

/* Is it told to end, and has not yet? A stop takes its grace, and tells its end. */
static bool is_ending(const struct task *task)
{
	return task->desired.wanted != TASK_WANT_RUN && task_occupies_node(task) &&
	       !task->unreachable;
}

/* Does its update go on, or is a restart under way? An update is done also where all that is old was on machines that
 * were away; those that come back are replaced, and their successors tried, all the same. */
static bool is_rolled(const struct job_entry *entry)
{
	if (job_is_under_way(&entry->job))
		return true;
	for (size_t i = 0; i < entry->tasks.n; i++) {
		const struct task *task = entry->tasks.items[i];
		/* A machine that stays away is told of by nothing. */
		if (!task_is_final(task->state) && !task->unreachable &&
		    (task->desired.revision != entry->job.revision ||
		     task->desired.restarts_asked < entry->job.restarts_asked))
			return true;
	}
	return false;
}

/* Is its trial not over? It is told on record when it is. */
static bool is_on_trial(const struct cluster *cluster, const struct task *task)
{
	const struct job_entry *entry = cluster_job_of(cluster, task);
	return entry->job.wanted == JOB_RUN && !task_is_final(task->state) &&
	       task->desired.trial == TRIAL_OPEN && !uuid_is_zero(task_rare(task)->replaces.uuid) &&
	       task->desired.revision == entry->job.revision &&
	       task->desired.roll == entry->job.roll && is_rolled(entry);
}

/* A Docker that hangs is noticed when it is asked for something, and that is kept on record where there are leases. */
static bool is_unnoticed(const struct cluster *cluster, const struct sim_worker *worker)
{
	const struct node_entry *node =
		worker->broken == BROKEN_DOCKER && worker->core
			? cluster_node(cluster, worker_node_id(worker->core))
			: NULL;
	return node && node->runtime_ok;
}

/* A worker whose store is full is lost when it has something to store: some day. What waits for a lease to end is
 * started elsewhere then. */
static bool is_restless(const struct sim *sim)
{
	const struct cluster *cluster = manager_cluster(sim->manager.core);
	for (int i = 0; i < sim->n_workers; i++)
		if (sim->workers[i].broken == BROKEN_STORE ||
		    is_unnoticed(cluster, &sim->workers[i]))
			return true;
	size_t at = 0;
	for (const struct task *task; (task = id_index_next(&cluster->tasks, &at));)
		if (is_moving(cluster, task) || is_ending(task) || is_on_trial(cluster, task) ||
		    (task->unreachable && task_occupies_node(task) &&
		     job_spec_lease_ms(cluster_task_spec(cluster, task))))
			return true;
	return false;
}

static void be_silent(struct sim *sim)
{
	if (is_restless(sim))
		return;
	bool whole = sim->n_workers <= SILENCE_WORKERS_MAX && sim_chance(sim, 100);
	struct deeds before = count_deeds(sim);
	if (!sim_run_until(sim, sim->now_ms + (whole ? SILENCE_WHOLE_MS : SILENCE_MS)))
		return;
	struct deeds after = count_deeds(sim);
	sim->checker.evaluated[INVARIANT_L7]++;
	uint64_t n_forgotten = before.nodes_left - after.nodes_left;
	uint64_t n_manager = after.manager_records - before.manager_records -
			     n_forgotten * RECORDS_TO_FORGET_NODE;
	uint64_t n_workers = after.worker_records - before.worker_records;
	uint64_t n_containers = after.containers - before.containers;
	if (n_manager || n_workers || n_containers)
		violated(sim, INVARIANT_L7,
			 "nothing was to be done, and the manager stored %llu records, workers "
			 "%llu, and %llu containers started",
			 (unsigned long long)n_manager, (unsigned long long)n_workers,
			 (unsigned long long)n_containers);
	else if (!check_liveness(sim, false))
		check_liveness(sim, true);
}

void settle(struct sim *sim)
{
	int64_t last_fault_ms = heal(sim);
	if (!sim_run_until(sim, last_fault_ms))
		return;
	client_ask_last(sim);
	if (!sim_run_until(sim, last_fault_ms + ANSWER_LIMIT_MS))
		return;
	sim->checker.evaluated[INVARIANT_L3]++;
	if (!sim->answered_ms) {
		violated(sim, INVARIANT_L3, "a request is not answered within %d ms",
			 ANSWER_LIMIT_MS);
		return;
	}
	int64_t answered_ms = sim->now_ms;
	if (!settle_schedules(sim))
		return;
	sim->settled_ms = answered_ms - sim->now_ms - last_fault_ms;
	/* Only now it is sure that the manager has taken up what it had stored. */
	if (!live_on(sim, heal_allowance_ms(sim)))
		return;
	be_silent(sim);
	check_stores(sim);
}
