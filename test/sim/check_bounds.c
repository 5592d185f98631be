/* What does not grow: histories at any time (I18), stores once there is silence (I23). */
#include "base/limits.h"
#include "sim.h"

/* ---- I18 ---- */

static bool is_kept_history(const struct task *task)
{
	return task_is_final(task->state) && task->desired.wanted != TASK_WANT_REMOVE &&
	       (task->observed.gone || task->observed.removed || task->desired.verdict ||
		task->desired.written_off);
}

void checker_history(struct sim *sim, const struct job_entry *entry, const struct task *task)
{
	int64_t n = 0;
	for (size_t i = 0; i < entry->tasks.n; i++)
		n += entry->tasks.items[i]->desired.slot == task->desired.slot &&
		     is_kept_history(entry->tasks.items[i]);
	sim->checker.evaluated[INVARIANT_I18]++;
	/* The newest is no history yet. */
	if (n > sim->manager.options.history_per_slot + 1)
		violated(sim, INVARIANT_I18, "%lld ended tasks of %s/%s.%lld are kept",
			 (long long)n, entry->job.project, entry->job.name,
			 (long long)task->desired.slot);
	if (entry->n_revisions > LIMIT_REVISIONS_PER_JOB + entry->tasks.n + 1)
		violated(sim, INVARIANT_I18, "%zu revisions of %s/%s are kept", entry->n_revisions,
			 entry->job.project, entry->job.name);
}

/* ---- I23 ---- */

/* A worker keeps some that no task uses: the next one may. */
#define TEMPLATES_SPARE 64

static size_t count_records(const struct sim_store *store, int kind)
{
	size_t n = 0;
	for (size_t i = 0; i < store->records.n; i++)
		n += store->records.items[i].kind == kind;
	return n;
}

static void bound(struct sim *sim, const char *who, const struct sim_store *store, int kind,
		  size_t max, const char *what)
{
	size_t n = count_records(store, kind);
	if (n > max)
		violated(sim, INVARIANT_I23,
			 "the store of %s holds %zu %s, and %zu are accounted for", who, n, what,
			 max);
}

static size_t n_contents(const struct cluster *cluster)
{
	size_t n = 0;
	size_t at = 0;
	for (const struct content_shelf *shelf; (shelf = map_next(&cluster->contents, &at));)
		n += shelf->n;
	return n;
}

static void check_manager_store(struct sim *sim, const struct cluster *cluster)
{
	const struct sim_store *store = &sim->manager.store;
	size_t n_revisions = 0;
	size_t at = 0;
	for (const struct job_entry *entry; (entry = map_next(&cluster->jobs, &at));)
		n_revisions += entry->n_revisions;
	bound(sim, "the manager", store, RECORD_PROJECT, cluster->projects.n, "projects");
	bound(sim, "the manager", store, RECORD_JOB, cluster->jobs.n, "jobs");
	bound(sim, "the manager", store, RECORD_REVISION, n_revisions, "revisions");
	bound(sim, "the manager", store, RECORD_TASK, cluster->tasks.n, "tasks");
	bound(sim, "the manager", store, RECORD_OBSERVED, cluster->tasks.n, "reports");
	size_t n_nodes = (size_t)sim->n_workers + sim->n_joined_again;
	bound(sim, "the manager", store, RECORD_NODE,
	      n_nodes - count_records(store, RECORD_REMOVED_NODE), "nodes");
	bound(sim, "the manager", store, RECORD_VOLUME, cluster->volumes.n, "volumes");
	bound(sim, "the manager", store, RECORD_IDEMPOTENCY, cluster->idempotency.n, "answers");
	bound(sim, "the manager", store, RECORD_CONTENT, n_contents(cluster), "secrets");
}

static size_t count_dead(const struct sim_docker *docker, struct task_id task)
{
	size_t n = 0;
	for (size_t i = 0; i < docker->n_containers; i++) {
		const struct sim_container *container = docker->containers[i];
		n += !container->foreign && !sim_container_runs(container) &&
		     uuid_equal(container->seen.task.uuid, task.uuid);
	}
	return n;
}

static void check_worker_store(struct sim *sim, const struct sim_worker *worker,
			       const struct node_entry *node)
{
	size_t n_templates = 0;
	for (size_t i = 0; i < node->tasks.n; i++) {
		const struct task *task = node->tasks.items[i];
		bool first = true;
		for (size_t j = 0; j < i; j++)
			first &= !uuid_equal(node->tasks.items[j]->desired.job->uuid,
					     task->desired.job->uuid) ||
				 node->tasks.items[j]->desired.revision != task->desired.revision;
		n_templates += first;
		if (count_dead(&worker->docker, task->desired.id) >
		    (size_t)worker->options.dead_containers_kept)
			violated(sim, INVARIANT_I23, "%s keeps too many dead containers of a task",
				 worker->name);
	}
	bound(sim, worker->name, &worker->store, RECORD_ASSIGNMENT, node->tasks.n, "assignments");
	bound(sim, worker->name, &worker->store, RECORD_TEMPLATE, n_templates + TEMPLATES_SPARE,
	      "templates");
}

void check_stores(struct sim *sim)
{
	const struct cluster *cluster = manager_cluster(sim->manager.core);
	sim->checker.evaluated[INVARIANT_I23]++;
	check_manager_store(sim, cluster);
	for (int i = 0; i < sim->n_workers; i++) {
		const struct sim_worker *worker = &sim->workers[i];
		const struct node_entry *node =
			worker->broken ? NULL : cluster_node(cluster, worker_node_id(worker->core));
		if (!worker->broken)
			check_files(sim, worker);
		if (!worker->broken && worker_removal(worker->core) == WORKER_REMOVAL_OVER)
			bound(sim, worker->name, &worker->store, RECORD_ASSIGNMENT, 0,
			      "assignments");
		else if (node && !node->record.left)
			check_worker_store(sim, worker, node);
	}
}
