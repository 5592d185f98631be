/* The life of one seed: a world is drawn, faults strike while requests flow, then what is to work again is healed and
 * must settle. */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "sim.h"

#define SCHEDULES_ONE_OF 4
#define TOLD_LATE_ONE_OF 5
#define TOLD_LATE_US	 50000
#define LIST_EACH_MS	 2000

/* ---- the world is drawn ---- */

/* Swarm testing: whole classes are off in a seed, others rare or frequent. */
static void draw_faults(struct sim *sim)
{
	static const int off_per_mille[] = { 1000, 300, 500, 700, 300 };
	int off = off_per_mille[sim_draw(sim, 0, 49) == 0 ? 0 : sim_draw(sim, 1, 4)];
	for (int i = 0; i < FAULT_COUNT; i++) {
		sim->enabled[i] = !sim_chance(sim, off);
		int max = fault_rows[i].per_mille_max;
		sim->rate[i] = (int)sim_draw(sim, 1 + max / 10, max);
	}
	if (sim->options.clocks == CLOCKS_ANY)
		return;
	static const enum fault_class reread[] = {
		FAULT_MANAGER_CRASH, FAULT_MANAGER_BEFORE_COMMIT, FAULT_MANAGER_BEFORE_SPEAK,
		FAULT_COMMIT_FAILED, FAULT_COMMIT_UNKNOWN,	  FAULT_STORE_FULL
	};
	for (size_t i = 0; i < ARRAY_LEN(reread); i++)
		sim->enabled[reread[i]] = false;
	sim->enabled[FAULT_CLOCK_JUMP] = true;
	sim->rate[FAULT_CLOCK_JUMP] = fault_rows[FAULT_CLOCK_JUMP].per_mille_max;
}

/* Mostly small, for a fault tells most where there is little else; some large, with fewer faults for each machine. */
static int draw_workers(struct sim *sim)
{
	int64_t size = sim_draw(sim, 1, 1000);
	if (size <= 800)
		return (int)sim_draw(sim, 3, 8);
	if (size <= 970)
		return (int)sim_draw(sim, 9, 30);
	if (size <= 995)
		return (int)sim_draw(sim, 31, 80);
	return (int)sim_draw(sim, 81, 200);
}

static void draw_labels(struct sim *sim, struct sim_worker *worker)
{
	char rack[16];
	text_print(rack, sizeof(rack), "r%d", (int)sim_draw(sim, 1, 3));
	pairs_add(&worker->labels, "rack", rack);
	if (sim_chance(sim, 700))
		pairs_add(&worker->labels, "disk", sim_chance(sim, 500) ? "ssd" : "hdd");
}

static void begin_worker(struct sim *sim, int index)
{
	struct sim_worker *worker = &sim->workers[index];
	worker->sim = sim;
	worker->index = index;
	worker->release = 1;
	text_print(worker->name, sizeof(worker->name), "worker%d", index + 1);
	worker->docker.up = true;
	worker->docker.instance = 1000 * (uint64_t)(index + 1);
	worker->memory_bytes = sim_draw(sim, 2, 8) << 30;
	worker->cpu_milli = sim_draw(sim, 2, 8) * 1000;
	worker->local = sim_chance(sim, 800) && index == 0 && sim->options.clocks == CLOCKS_ANY;
	draw_labels(sim, worker);
	worker_options_default(&worker->options);
	worker->options.backoff_max_ms = 30000;
	/* Few containers as on a machine with thousands, in half of all runs. */
	if (sim->seed / SCHEDULES_ONE_OF % 2)
		worker->options.list_each_ms = LIST_EACH_MS;
	sim_worker_start(sim, worker);
}

static void begin(struct sim *sim)
{
	static const char *const policies[] = { "epvm", "roundrobin", "greedy", "binpack",
						"spread" };
	draw_faults(sim);
	sim->json = sim_chance(sim, 100);
	sim->concurrency = sim_draw(sim, 0, 2);
	/* Their times are those of wall clocks, which decide nothing else. */
	sim->schedules = sim->options.clocks == CLOCKS_ANY && sim->seed % SCHEDULES_ONE_OF == 0;
	sim->n_workers = draw_workers(sim);
	sim->n_projects = 2 + sim->n_workers / 10;
	sim->workers = base_calloc((size_t)sim->n_workers, sizeof(*sim->workers));
	sim->manager.options = (struct manager_options){
		.scheduler = scheduler_find(policies[sim_draw(sim, 0, 4)]),
		.node_silent_ms = 10000,
		.runtime_grace_ms = 10000,
		.start_grace_ms = sim_draw(sim, 0, 3) ? 20000 : 60000,
		.remember_from_nodes = 1,
		.history_per_slot = 2,
		.ends_kept = 1,
		.tell_per_node_us = sim->seed % TOLD_LATE_ONE_OF == 0 ? TOLD_LATE_US : 0,
	};
	sim_tell(sim, "world", "seed %llu: %d workers, scheduler %s%s",
		 (unsigned long long)sim->seed, sim->n_workers,
		 sim->manager.options.scheduler->name, sim->json ? ", messages as JSON" : "");
	sim_manager_start(sim);
	for (int i = 0; i < sim->n_workers; i++)
		begin_worker(sim, i);
	machine_faults_plan(sim);
	for (int i = 0; i < SIM_CLIENTS; i++) {
		sim->clients[i].index = i;
		client_start(sim, &sim->clients[i]);
	}
}

static void end(struct sim *sim)
{
	sim_drop_events(sim);
	for (int i = 0; i < SIM_CLIENTS; i++)
		client_release(&sim->clients[i]);
	for (int i = 0; i < sim->n_workers; i++)
		sim_worker_release(&sim->workers[i]);
	base_free(sim->workers);
	sim_manager_release(&sim->manager);
	checker_release(&sim->checker);
	for (size_t i = 0; i < SIM_LINES_KEPT; i++)
		base_free(sim->lines[i]);
}

static void tell_failure(const struct sim *sim)
{
	if (sim->options.verbose)
		return;
	size_t n = sim->n_lines < SIM_LINES_KEPT ? sim->n_lines : SIM_LINES_KEPT;
	for (size_t i = sim->n_lines - n; i < sim->n_lines; i++)
		puts(sim->lines[i % SIM_LINES_KEPT]);
}

/* How long faults strike: large worlds cost more for each minute. */
static int64_t draw_trouble_ms(struct sim *sim)
{
	return sim_draw(sim, 30, sim->n_workers <= 30 ? 240 : 120) * 1000;
}

void sim_run(uint64_t seed, const struct sim_options *options, struct sim_result *ret_result,
	     struct sim_counts *counts)
{
	struct sim *sim = base_calloc(1, sizeof(*sim));
	sim->seed = seed;
	sim->options = *options;
	sim->counts = counts;
	sim->random = (struct random){ seed * 0x9e3779b97f4a7c15ULL + 1 };
	sim->hash = HASH_START;
	sim->decisions = HASH_START;
	sim->now_ms = 1000;
	begin(sim);
	if (sim_run_until(sim, sim->now_ms + draw_trouble_ms(sim)))
		settle(sim);
	*ret_result = (struct sim_result){ .failed = sim->checker.failed,
					   .invariant = sim->checker.invariant,
					   .hash = sim->hash,
					   .decisions = sim->decisions,
					   .n_events = sim->n_events,
					   .virtual_ms = sim->now_ms,
					   .settled_ms = sim->settled_ms,
					   .n_workers = sim->n_workers };
	memcpy(ret_result->message, sim->checker.message, sizeof(ret_result->message));
	for (int i = 0; i < INVARIANT_COUNT; i++)
		counts->evaluated[i] += sim->checker.evaluated[i];
	if (sim->checker.failed)
		tell_failure(sim);
	end(sim);
	base_free(sim);
}
