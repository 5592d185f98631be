/* What every commit of the manager must keep: how tasks move, what final means, room and ports of nodes. */
#include <string.h>

#include "sim.h"

static const char *state_name(int state)
{
	return enum_name(task_state_names, state);
}

/* ---- how a task moves ---- */

static bool may_be_new(const struct task *task)
{
	if (task->desired.verdict)
		return true;
	return task->state == TASK_PENDING ||
	       (task->state == TASK_SCHEDULED && !uuid_is_zero(task->desired.node.uuid));
}

/* A step of the manager's own: placed, or given up. */
static bool manager_may_move(const struct known_task *known, const struct task *task)
{
	if (!task->desired.verdict)
		return known->state == TASK_PENDING && task->state == TASK_SCHEDULED &&
		       !uuid_is_zero(task->desired.node.uuid);
	/* By the operator's word its machine is off: then it also has stopped as asked. */
	if (known->state == TASK_PENDING || task->desired.written_off)
		return true;
	return task->state == TASK_FAILED && task->reason == REASON_NODE_LOST;
}

/* What a worker's report may say, several rows at once. */
static bool worker_may_move(const struct known_task *known, const struct task *task)
{
	if (task->observed.version <= known->version || task->desired.verdict)
		return false;
	switch (known->state) {
	case TASK_SCHEDULED: return task->state > TASK_SCHEDULED;
	case TASK_RUNNING:
		return task->state == TASK_SCHEDULED ? task->observed.attempt > known->attempt
						     : task->state > TASK_RUNNING;
	default: return false;
	}
}

static void check_move(struct sim *sim, const struct known_task *known, const struct task *task,
		       const char *name)
{
	sim->checker.evaluated[INVARIANT_I4]++;
	if (!known->committed) {
		if (!may_be_new(task))
			violated(sim, INVARIANT_I4, "%s begins %s", name, state_name(task->state));
		return;
	}
	if (task->state == known->state || task_is_final(known->state))
		return;
	if (!manager_may_move(known, task) && !worker_may_move(known, task))
		violated(sim, INVARIANT_I4,
			 "%s went from %s to %s (version %lld to %lld, attempt %lld to %lld)", name,
			 state_name(known->state), state_name(task->state),
			 (long long)known->version, (long long)task->observed.version,
			 (long long)known->attempt, (long long)task->observed.attempt);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void check_final(struct sim *sim, const struct known_task *known, const struct task *task,
			const char *name)
{
	if (!known->committed || !task_is_final(known->state))
		return;
	sim->checker.evaluated[INVARIANT_I5]++;
	if (task->state != known->state || task->reason != known->reason ||
	    !same_text(task_message(task), known->message) ||
	    (known->version && task->observed.exit_code != known->exit_code))
		violated(sim, INVARIANT_I5, "%s was %s (%s) and is %s (%s)", name,
			 state_name(known->state), reason_name(known->reason),
			 state_name(task->state), reason_name(task->reason));
}

/* A newer task of its slot, placed elsewhere. One that was itself to replace another hands that on. */
static const struct task *replacement_of(const struct job_entry *entry, const struct task *lost)
{
	for (size_t i = entry->tasks.n; i-- > 0 && entry->tasks.items[i] != lost;) {
		const struct desired_half *desired = &entry->tasks.items[i]->desired;
		if (desired->slot == lost->desired.slot && !uuid_is_zero(desired->node.uuid) &&
		    !uuid_equal(desired->node.uuid, lost->desired.node.uuid))
			return entry->tasks.items[i];
	}
	return NULL;
}

/* What has ended before its node was lost keeps how it did; its stop is for that reason. */
static bool is_given_up(const struct task *task)
{
	return task->desired.verdict_reason == REASON_NODE_LOST ||
	       task->desired.stop_reason == REASON_NODE_LOST;
}

static void check_lost(struct sim *sim, const struct cluster *cluster,
		       const struct known_task *known, const struct job_entry *entry,
		       const struct task *task, const char *name)
{
	const struct node_entry *node = cluster_node(cluster, task->desired.node);
	if (known->given_up || !is_given_up(task))
		return;
	/* The operator has given their word that it is off. */
	if (!node || node->record.left)
		return;
	sim->checker.evaluated[INVARIANT_I5]++;
	sim->checker.evaluated[INVARIANT_I20]++;
	const struct task *replacement = replacement_of(entry, task);
	/* One that it was moved to runs already. */
	if (replacement && !replacement->observed.version && checker_holds(sim))
		violated(sim, INVARIANT_I20, "%s is replaced while many nodes are lost at once",
			 name);
	if (!replacement)
		violated(sim, INVARIANT_I5, "%s is lost, and nothing was placed instead", name);
}

/* ---- success ---- */

static void check_success(struct sim *sim, const struct known_task *known,
			  const struct job_entry *entry, const struct task *task, const char *name)
{
	struct checker *checker = &sim->checker;
	if (task_is_final(known->state) || !task_succeeded(task))
		return;
	checker->evaluated[INVARIANT_I14]++;
	if (!known->exited_zero)
		violated(sim, INVARIANT_I14, "%s succeeded, and no container of it exited with 0",
			 name);
	const struct job_revision *revision = job_entry_revision(entry, task->desired.revision);
	if (!revision || !job_spec_completes(&revision->spec))
		return;
	for (size_t i = 0; i < checker->n_successes; i++) {
		const struct known_success *success = &checker->successes[i];
		if (uuid_equal(success->job.uuid, task->desired.job->uuid) &&
		    success->slot == task->desired.slot &&
		    success->revision == task->desired.revision &&
		    success->restarts_asked == task->desired.restarts_asked)
			violated(sim, INVARIANT_I14, "%s succeeded, and so had its slot before",
				 name);
	}
	checker->successes = base_grow(checker->successes, checker->n_successes,
				       &checker->successes_capacity, sizeof(struct known_success));
	checker->successes[checker->n_successes++] =
		(struct known_success){ *task->desired.job, task->desired.slot,
					task->desired.revision, task->desired.restarts_asked,
					task->desired.id };
}

/* ---- tasks ---- */

static void remember(struct known_task *known, const struct task *task)
{
	known->committed = true;
	known->gone |= task->observed.gone || task->observed.removed || task->desired.written_off;
	known->written_off |= task->desired.written_off;
	known->unreachable = false;
	known->job = *task->desired.job;
	known->node = task->desired.node;
	known->slot = task->desired.slot;
	known->revision = task->desired.revision;
	known->restarts_asked = task->desired.restarts_asked;
	known->attempts_before = task_rare(task)->attempts_before;
	known->stop_reason = task->desired.stop_reason;
	known->state = task->state;
	known->reason = task->reason;
	known->verdict = task->desired.verdict;
	known->given_up = is_given_up(task);
	known->attempt = task->observed.attempt;
	known->version = task->observed.version;
	known->exit_code = task->observed.exit_code;
	if (!same_text(known->message, task_message(task)))
		string_set(&known->message, task_message(task));
}

static void check_task(struct sim *sim, const struct cluster *cluster,
		       const struct job_entry *entry, const struct task *task)
{
	struct known_task *known = checker_task(sim, task->desired.id);
	char name[TASK_NAME_SIZE];
	cluster_task_name(cluster, task, name);
	check_move(sim, known, task, name);
	check_final(sim, known, task, name);
	check_lost(sim, cluster, known, entry, task, name);
	check_success(sim, known, entry, task, name);
	checker_follows(sim, known, task, name);
	checker_update(sim, cluster, known, entry, task, name);
	checker_rebalance(sim, known, entry, task, name);
	checker_history(sim, entry, task);
	if (!uuid_is_zero(task->desired.node.uuid) && uuid_is_zero(known->node.uuid))
		checker_placed(sim, cluster, task, name);
	remember(known, task);
	checker_compare(sim, known);
	sim_decide(sim, known->number, task->state, task->reason);
}

/* What is forgotten must be gone: no container of it runs. */
static void check_deleted(struct sim *sim, const struct cluster *cluster, struct known_task *known)
{
	if (!known->committed || known->deleted || cluster_task(cluster, known->id))
		return;
	const char *node;
	known->deleted = true;
	known->gone = true;
	known->written_off |= cluster_was_removed(cluster, known->node, &node);
	checker_compare(sim, known);
}

/* ---- nodes ---- */

static void check_room(struct sim *sim, const struct cluster *cluster,
		       const struct node_entry *node)
{
	struct resources sum = { 0 };
	for (size_t i = 0; i < node->tasks.n; i++) {
		const struct task *task = node->tasks.items[i];
		if (!task_occupies_node(task))
			continue;
		const struct resources *request = &cluster_task_spec(cluster, task)->reservations;
		sum.cpu_milli += request->cpu_milli;
		sum.memory_bytes += request->memory_bytes;
	}
	const struct resources *capacity = &node->record.facts.capacity;
	const struct node_columns *columns = &cluster->columns;
	if (sum.cpu_milli > capacity->cpu_milli || sum.memory_bytes > capacity->memory_bytes)
		violated(sim, INVARIANT_I6, "%s holds %lld bytes of %lld and %lld mCPU of %lld",
			 node->record.facts.hostname, (long long)sum.memory_bytes,
			 (long long)capacity->memory_bytes, (long long)sum.cpu_milli,
			 (long long)capacity->cpu_milli);
	if (sum.cpu_milli != columns->cpu_reserved_milli[node->index] ||
	    sum.memory_bytes != columns->memory_reserved_bytes[node->index])
		violated(sim, INVARIANT_I6, "%s: the sums in use are not those of its tasks",
			 node->record.facts.hostname);
}

static bool share_port(const struct task *a, const struct task *b)
{
	for (size_t i = 0; i < task_rare(a)->ports.n; i++)
		for (size_t j = 0; j < task_rare(b)->ports.n; j++)
			if (task_rare(a)->ports.items[i].host_port ==
			    task_rare(b)->ports.items[j].host_port)
				return true;
	return false;
}

static void check_ports(struct sim *sim, const struct cluster *cluster,
			const struct node_entry *node)
{
	for (size_t i = 0; i < node->tasks.n; i++) {
		const struct task *a = node->tasks.items[i];
		if (!task_rare(a)->ports.n || !task_occupies_node(a))
			continue;
		for (size_t j = 0; j < i; j++) {
			const struct task *b = node->tasks.items[j];
			char name_a[TASK_NAME_SIZE], name_b[TASK_NAME_SIZE];
			if (task_occupies_node(b) && share_port(a, b))
				violated(sim, INVARIANT_I7, "%s and %s have one host port on %s",
					 cluster_task_name(cluster, a, name_a),
					 cluster_task_name(cluster, b, name_b),
					 node->record.facts.hostname);
		}
	}
}

static void check_node(struct sim *sim, const struct cluster *cluster,
		       const struct node_entry *node)
{
	sim->checker.evaluated[INVARIANT_I6]++;
	sim->checker.evaluated[INVARIANT_I7]++;
	check_room(sim, cluster, node);
	check_ports(sim, cluster, node);
}

/* ---- a commit ---- */

/* `replayed`: the store may have kept a part of a turn only. What a job was asked for is in it, and what was to come of
 * that for its runs and tasks is decided again in the first turn. */
static void check_all(struct sim *sim, const struct cluster *cluster, bool replayed)
{
	struct checker *checker = &sim->checker;
	for (size_t i = 0; i < cluster->columns.n; i++)
		check_node(sim, cluster, cluster->columns.entry[i]);
	size_t n = 0;
	struct project_entry **projects = cluster_sorted_projects(cluster, &n);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < projects[i]->n_jobs; j++) {
			const struct job_entry *entry = projects[i]->jobs[j];
			for (size_t k = 0; k < entry->tasks.n; k++)
				check_task(sim, cluster, entry, entry->tasks.items[k]);
			checker_runs(sim, entry, replayed);
			if (!replayed)
				checker_run_tasks(sim, entry);
		}
	base_free(projects);
	for (size_t i = 0; i < checker->n_tasks; i++)
		check_deleted(sim, cluster, checker->task_order[i]);
}

/* The task a record is about; false: it is about something else. */
static bool task_of_record(const struct change *change, struct task_id *ret_id)
{
	if (change->kind != RECORD_TASK && change->kind != RECORD_OBSERVED)
		return false;
	memcpy(ret_id->uuid.bytes, change->key, UUID_BYTES);
	return true;
}

static void check_changed(struct sim *sim, const struct cluster *cluster, struct task_id id)
{
	const struct task *task = cluster_task(cluster, id);
	struct known_task *known = checker_task(sim, id);
	struct node_id node = task ? task->desired.node : known->node;
	if (task) {
		check_task(sim, cluster, cluster_job_of(cluster, task), task);
		checker_turns(sim, cluster_job_of(cluster, task));
		checker_run_tasks(sim, cluster_job_of(cluster, task));
	} else {
		check_deleted(sim, cluster, known);
	}
	const struct node_entry *entry = cluster_node(cluster, node);
	if (entry)
		check_node(sim, cluster, entry);
}

static void check_job(struct sim *sim, const struct cluster *cluster, const struct change *change)
{
	struct job_id id;
	if (change->kind != RECORD_JOB)
		return;
	memcpy(id.uuid.bytes, change->key, UUID_BYTES);
	const struct job_entry *entry = cluster_job(cluster, id);
	if (!entry)
		return;
	checker_runs(sim, entry, false);
	checker_run_tasks(sim, entry);
}

/* What changes must be in the records, so only their tasks are looked at; now and then all are. */
#define LOOK_AT_ALL 64

void checker_committed(struct sim *sim, const struct cluster *cluster,
		       const struct manager_out *out)
{
	struct checker *checker = &sim->checker;
	if (out)
		checker_told(sim, out);
	else
		checker_list(sim, cluster);
	if (checker->commits++ % LOOK_AT_ALL == 0 || !out) {
		checker_numbers(sim, cluster);
		check_all(sim, cluster, !out);
		checker->unsure = false;
		return;
	}
	struct task_id last = { { { 0 } } };
	for (size_t i = 0; i < out->changes.n; i++) {
		struct task_id id;
		check_job(sim, cluster, &out->changes.items[i]);
		if (!task_of_record(&out->changes.items[i], &id) || uuid_equal(id.uuid, last.uuid))
			continue;
		check_changed(sim, cluster, id);
		last = id;
	}
}
