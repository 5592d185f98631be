/* What exists once (I8): a named volume is on one machine, the one that the manager has pinned it to. And a task
 * is only placed where its job allows. */
#include <string.h>

#include "sim.h"

static const struct sim_container *user_elsewhere(struct sim *sim, const struct sim_worker *worker,
						  const char *volume)
{
	for (int i = 0; i < sim->n_workers; i++) {
		const struct sim_docker *docker = &sim->workers[i].docker;
		for (size_t j = 0; &sim->workers[i] != worker && j < docker->n_containers; j++) {
			const struct sim_container *container = docker->containers[j];
			if (!container->foreign && sim_container_runs(container) &&
			    strings_has(&container->volumes, volume) &&
			    !checker_task(sim, container->seen.task)->written_off)
				return container;
		}
	}
	return NULL;
}

void checker_volumes(struct sim *sim, const struct sim_worker *worker,
		     const struct sim_container *container)
{
	if (checker_task(sim, container->seen.task)->written_off)
		return;
	for (size_t i = 0; i < container->volumes.n; i++) {
		const char *volume = container->volumes.items[i];
		const struct sim_container *other = user_elsewhere(sim, worker, volume);
		sim->checker.evaluated[INVARIANT_I8]++;
		if (other)
			violated(sim, INVARIANT_I8,
				 "%s on %s runs with volume %s, and so does %s on another machine",
				 container->seen.name, worker->name, volume, other->seen.name);
	}
}

/* ---- leases ---- */

/* Since the manager has last heard of it: what was before does not matter any more. */
static bool could_obey(const struct sim *sim, const struct sim_worker *worker)
{
	return worker->up && !worker->store_broken && worker->docker.up &&
	       sim->now_ms >= worker->docker.frozen_until_ms &&
	       sim->now_ms >= worker->paused_until_ms && worker->impaired_ms < worker->heard_ms;
}

/* No container there is known to have ended: its worker obeyed, or the manager knew that Docker might not have. */
static bool must_be_waited_for(const struct sim *sim, const struct sim_worker *worker)
{
	return could_obey(sim, worker) || (worker->silence_heard && !worker->off);
}

/* Its slot has no other container, unless one on a machine that could not do as its lease says. */
void checker_exclusive(struct sim *sim, const struct sim_worker *worker,
		       const struct sim_container *container)
{
	const struct known_task *known = checker_task(sim, container->seen.task);
	if (!container->exclusive || !known->committed || known->written_off)
		return;
	sim->checker.evaluated[INVARIANT_I2]++;
	for (int i = 0; i < sim->n_workers; i++) {
		const struct sim_docker *docker = &sim->workers[i].docker;
		for (size_t j = 0; j < docker->n_containers; j++) {
			const struct sim_container *other = docker->containers[j];
			if (other == container || other->foreign || !other->exclusive ||
			    !sim_container_runs(other) ||
			    !must_be_waited_for(sim, &sim->workers[i]))
				continue;
			const struct known_task *rival = checker_task(sim, other->seen.task);
			if (uuid_equal(rival->job.uuid, known->job.uuid) &&
			    rival->slot == known->slot && !rival->written_off)
				violated(sim, INVARIANT_I2,
					 "%s on %s was started while %s of its slot runs on %s",
					 container->seen.name, worker->name, other->seen.name,
					 sim->workers[i].name);
		}
	}
}

void checker_numbers(struct sim *sim, const struct cluster *cluster)
{
	const struct node_columns *columns = &cluster->columns;
	sim->checker.evaluated[INVARIANT_I8]++;
	for (size_t i = 0; i < columns->n; i++)
		for (size_t j = 0; j < i; j++)
			if (columns->entry[i]->record.number == columns->entry[j]->record.number)
				violated(sim, INVARIANT_I8, "%s and %s have the number %lld",
					 columns->entry[i]->record.facts.hostname,
					 columns->entry[j]->record.facts.hostname,
					 (long long)columns->entry[i]->record.number);
}

void checker_placed(struct sim *sim, const struct cluster *cluster, const struct task *task,
		    const char *name)
{
	const struct node_entry *node = cluster_node(cluster, task->desired.node);
	sim->checker.evaluated[INVARIANT_PLACED]++;
	if (node && !check_placement_allows(node, cluster_task_spec(cluster, task)))
		violated(sim, INVARIANT_PLACED, "%s was placed on %s", name,
			 node->record.facts.hostname);
}
