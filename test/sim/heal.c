/* The second phase: the faults end, and what is to work again is healed. In some seeds that is everything; in the
 * others a part, the manager and some of the workers, and the rest stays broken for ever. What has to settle, and stay
 * so, is the part that works. */
#include "requests.h"

#define BACKOFF_MAX_MS (6 * 60 * 1000)

static const char *const broken_words[BROKEN_COUNT] = {
	[BROKEN_OFF] = "has no power, for ever",
	[BROKEN_CUT] = "is cut off, for ever",
	[BROKEN_DEAF] = "hears nothing, for ever",
	[BROKEN_MUTE] = "is not heard, for ever",
	[BROKEN_STOPPED] = "runs no worker any more",
	[BROKEN_STORE] = "has a full store, for ever",
	[BROKEN_DOCKER] = "has a Docker that hangs, for ever",
};

/* The manager's own machine keeps its power, and no network lies before it. */
static void break_worker(struct sim *sim, struct sim_worker *worker)
{
	int first = worker->local ? BROKEN_STOPPED : BROKEN_OFF;
	worker->broken = (int)sim_draw(sim, first, BROKEN_COUNT - 1);
	sim_tell(sim, worker->name, "%s", broken_words[worker->broken]);
	switch (worker->broken) {
	case BROKEN_OFF: sim_machine_off(sim, worker); break;
	case BROKEN_CUT: network_cut(sim, worker, LINK_BOTH, NEVER_MS); break;
	case BROKEN_DEAF: network_cut(sim, worker, LINK_DOWN, NEVER_MS); break;
	case BROKEN_MUTE: network_cut(sim, worker, LINK_UP, NEVER_MS); break;
	case BROKEN_STOPPED: sim_worker_crash(sim, worker, -1); break;
	case BROKEN_STORE: worker->store.full = true; break;
	case BROKEN_DOCKER: sim_docker_freeze(sim, worker, NEVER_MS); break;
	default: break;
	}
}

static void heal_worker(struct sim *sim, struct sim_worker *worker)
{
	if (worker->broken)
		return;
	worker->store.full = false;
	worker->docker.foreign_port = 0;
	network_join(worker);
	sim_machine_on(sim, worker);
	sim_docker_start(sim, worker);
	if (!worker->up)
		sim_worker_start(sim, worker);
}

/* Who stands still goes on by itself, also on a machine that is broken otherwise; until then something is wrong. */
static int64_t last_fault_ms(const struct sim *sim)
{
	int64_t last_ms = sim->now_ms;
	if (last_ms < sim->manager.paused_until_ms)
		last_ms = sim->manager.paused_until_ms;
	for (int i = 0; i < sim->n_workers; i++) {
		const struct sim_worker *worker = &sim->workers[i];
		const int64_t until_ms[] = { worker->paused_until_ms, worker->asleep_until_ms,
					     worker->broken ? 0 : worker->docker.frozen_until_ms };
		for (size_t j = 0; j < ARRAY_LEN(until_ms); j++)
			if (last_ms < until_ms[j])
				last_ms = until_ms[j];
	}
	return last_ms;
}

/* At least one worker is left. */
static void break_some(struct sim *sim)
{
	int per_mille = (int)sim_draw(sim, 100, 600);
	int survivor = (int)sim_draw(sim, 0, sim->n_workers - 1);
	while (sim->workers[survivor].broken)
		survivor = (survivor + 1) % sim->n_workers;
	for (int i = 0; i < sim->n_workers; i++)
		if (i != survivor && !sim->workers[i].broken && sim_chance(sim, per_mille))
			break_worker(sim, &sim->workers[i]);
}

int64_t heal(struct sim *sim)
{
	sim->calm = true;
	sim->manager.store.full = false;
	if (!sim->manager.up)
		sim_manager_start(sim);
	for (int i = 0; i < sim->n_workers; i++)
		heal_worker(sim, &sim->workers[i]);
	if (sim_chance(sim, 500)) {
		sim_tell(sim, "world", "a part is healed");
		break_some(sim);
	} else {
		sim_tell(sim, "world", "healed");
	}
	return last_fault_ms(sim);
}

/* ---- how long it may take ---- */

/* A heartbeat's leader lease, twice the time after which a node counts as silent, five seconds. */
#define BASE_MS 30000
/* One task of an update: it is stopped, by force in the end, and the next one becomes ready, waits for its policy's
 * delay, and stands its trial; and all that may be for nothing, and is gone back on. */
#define UPDATE_STEP_MS (2 * 35000)
/* A lease, what a job may take to stop, and the margin. */
#define LEASE_WHOLE_MS 120000

/* An action that hangs is answered when it is given up, and tried again. */
static int64_t longest_call_ms(const struct sim *sim)
{
	int64_t longest_ms = 0;
	for (int i = 0; i < sim->n_workers; i++) {
		const struct sim_docker *docker = &sim->workers[i].docker;
		for (size_t j = 0; !sim->workers[i].broken && j < docker->n_actions; j++)
			if (longest_ms < docker->actions[j]->action.timeout_ms)
				longest_ms = docker->actions[j]->action.timeout_ms;
	}
	return longest_ms;
}

/* What earlier failures have earned: waits of the manager's, and those of a worker between restarts. */
static int64_t longest_backoff_ms(const struct sim *sim, const struct task *task)
{
	int64_t wait_ms = task_rare(task)->not_before_ms - clock_wall_ms(sim, &sim->manager.clock);
	if (task->state != TASK_PENDING || !task_rare(task)->not_before_ms || wait_ms < 0)
		return 0;
	return wait_ms < BACKOFF_MAX_MS ? wait_ms : BACKOFF_MAX_MS;
}

static void look_at_jobs(const struct sim *sim, int64_t *ret_backoff_ms, int64_t *ret_slots)
{
	const struct cluster *cluster = manager_cluster(sim->manager.core);
	size_t n = 0;
	struct project_entry **projects = cluster_sorted_projects(cluster, &n);
	*ret_backoff_ms = 0;
	*ret_slots = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < projects[i]->n_jobs; j++) {
			const struct job_entry *entry = projects[i]->jobs[j];
			const struct job_spec *spec = &job_entry_current(entry)->spec;
			int64_t n_slots = job_spec_is_global(spec) ? (int64_t)cluster->nodes.n
								   : spec->replicas;
			if (*ret_slots < n_slots)
				*ret_slots = n_slots;
			for (size_t k = 0; k < entry->tasks.n; k++) {
				int64_t wait_ms = longest_backoff_ms(sim, entry->tasks.items[k]);
				if (*ret_backoff_ms < wait_ms)
					*ret_backoff_ms = wait_ms;
			}
		}
	base_free(projects);
}

int64_t heal_allowance_ms(const struct sim *sim)
{
	int64_t backoff_ms, slots;
	look_at_jobs(sim, &backoff_ms, &slots);
	return BASE_MS + LEASE_WHOLE_MS + 2 * UPDATE_DEADLINE_MAX_MS +
	       sim->manager.options.start_grace_ms + sim->manager.options.runtime_grace_ms +
	       longest_call_ms(sim) + backoff_ms + sim->workers[0].options.backoff_max_ms +
	       slots * UPDATE_STEP_MS;
}
