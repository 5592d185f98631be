/* What befalls machines, processes, stores and links by itself: one row per class, looked at for each machine every few
 * seconds, and one table for what concerns all of them. */
#include <string.h>

#include "sim.h"

/* How long somebody stands still or is cut off: often shorter than the time after which a node counts as silent, often
 * about as long, sometimes longer than the grace after a start. */
static int64_t draw_absence_ms(struct sim *sim)
{
	int64_t silent_ms = sim->manager.options.node_silent_ms;
	switch (sim_draw(sim, 0, 3)) {
	case 0: return sim_draw_wide(sim, 10, silent_ms);
	case 1: return sim_draw(sim, silent_ms - 1000, silent_ms + 1000);
	case 2: return sim_draw(sim, silent_ms, 5 * silent_ms);
	default: return sim_draw(sim, 500, 9 * silent_ms);
	}
}

/* ---- of one machine ---- */

static void strike_partition(struct sim *sim, struct sim_worker *worker)
{
	network_cut(sim, worker, LINK_BOTH, draw_absence_ms(sim));
}

static void strike_one_way(struct sim *sim, struct sim_worker *worker)
{
	enum link link = sim_chance(sim, 500) ? LINK_UP : LINK_DOWN;
	network_cut(sim, worker, link, draw_absence_ms(sim));
}

static void strike_crash(struct sim *sim, struct sim_worker *worker)
{
	sim_worker_crash(sim, worker, sim_draw(sim, 50, 25000));
}

static void strike_pause(struct sim *sim, struct sim_worker *worker)
{
	sim_worker_pause(sim, worker, draw_absence_ms(sim));
}

/* The machine sleeps: its boot clock goes on, all else stands still. */
static void strike_sleep(struct sim *sim, struct sim_worker *worker)
{
	int64_t for_ms = draw_absence_ms(sim);
	sim_tell(sim, worker->name, "the machine sleeps for %lld ms", (long long)for_ms);
	worker->asleep_until_ms = sim->now_ms + for_ms;
	sim_worker_pause(sim, worker, for_ms);
	if (worker->local)
		sim_manager_pause(sim, for_ms);
}

/* Another release of the program takes over where this one ends. */
static void strike_upgrade(struct sim *sim, struct sim_worker *worker)
{
	worker->release = (int)sim_draw(sim, 1, 3);
	sim_worker_crash(sim, worker, sim_draw(sim, 200, 2000));
}

static void strike_store(struct sim *sim, struct sim_worker *worker)
{
	(void)sim;
	worker->store.full = !worker->store.full;
}

static void on_power(struct sim *sim, struct event *event)
{
	sim_machine_on(sim, event->subject);
}

static void strike_reboot(struct sim *sim, struct sim_worker *worker)
{
	sim_tell(sim, worker->name, "machine reboots");
	int64_t for_ms = sim_draw(sim, 1000, 40000);
	sim_machine_off(sim, worker);
	sim_plan(sim, for_ms, on_power, worker);
	if (worker->local)
		sim_manager_crash(sim, for_ms + sim_draw(sim, 1, 1000));
}

/* Two of three machines at least are left, and the manager's. */
static void strike_scrapped(struct sim *sim, struct sim_worker *worker)
{
	int n = 0;
	if (worker->local)
		return;
	for (int i = 0; i < sim->n_workers; i++)
		n += sim->workers[i].broken != BROKEN_NOT;
	if (3 * (n + 1) > sim->n_workers)
		return;
	sim_tell(sim, worker->name, "the machine is lost for good");
	sim_machine_off(sim, worker);
	worker->broken = BROKEN_OFF;
}

static void on_docker_back(struct sim *sim, struct event *event)
{
	sim_docker_start(sim, event->subject);
}

static void restart_docker(struct sim *sim, struct sim_worker *worker, bool live_restore)
{
	if (!worker->docker.up)
		return;
	sim_docker_stop(sim, worker, live_restore);
	sim_plan(sim, sim_draw(sim, 100, 20000), on_docker_back, worker);
}

static void strike_docker(struct sim *sim, struct sim_worker *worker)
{
	restart_docker(sim, worker, false);
}

static void strike_live_restore(struct sim *sim, struct sim_worker *worker)
{
	restart_docker(sim, worker, true);
}

static void strike_docker_freeze(struct sim *sim, struct sim_worker *worker)
{
	sim_docker_freeze(sim, worker, draw_absence_ms(sim));
}

static void strike_removal(struct sim *sim, struct sim_worker *worker)
{
	struct sim_docker *docker = &worker->docker;
	if (!docker->n_containers)
		return;
	struct sim_container *container =
		docker->containers[sim_draw(sim, 0, (int64_t)docker->n_containers - 1)];
	if (container->foreign)
		return;
	sim_tell(sim, worker->name, "somebody removes %s", container->seen.name);
	struct known_task *known = checker_task(sim, container->seen.task);
	/* Whether it had run is not known any more. */
	known->interruptions++;
	if (container->seen.attempt > known->freed_attempt)
		known->freed_attempt = container->seen.attempt;
	if (sim_container_runs(container))
		sim_container_end(sim, worker, container, ENDED_OTHERS, 137);
	char name[CONTAINER_NAME_SIZE];
	memcpy(name, container->seen.name, sizeof(name));
	sim_docker_remove(docker, container);
	sim_docker_hint(sim, worker, name);
}

/* One that was made for a task which everybody has forgotten: it never ran. */
static void strike_orphan(struct sim *sim, struct sim_worker *worker)
{
	struct task_id task = { uuid_make(&sim->random, clock_wall_ms(sim, &worker->clock)) };
	char name[CONTAINER_NAME_SIZE];
	container_name(task, 1, name);
	if (uuid_is_zero(worker->cluster))
		return;
	struct sim_container *container = sim_docker_add(&worker->docker, name);
	container->seen.cluster = worker->cluster;
	container->seen.task = task;
	container->seen.attempt = 1;
}

static void strike_port(struct sim *sim, struct sim_worker *worker)
{
	worker->docker.foreign_port = sim_draw(sim, 8000, 8009);
}

static int64_t draw_jump_ms(struct sim *sim)
{
	static const int64_t years_10_ms = 3652LL * 24 * 3600 * 1000;
	int64_t jump_ms = sim_draw_wide(sim, 1, years_10_ms);
	return sim_chance(sim, 500) ? jump_ms : -jump_ms;
}

/* The draw is made also where the clocks are to stay as they are: nothing else may differ. */
static void jump(struct sim *sim, struct sim_clock *clock)
{
	int64_t jump_ms = draw_jump_ms(sim);
	if (sim->options.clocks != CLOCKS_STAY)
		clock->jump_ms = jump_ms;
}

static void strike_clock(struct sim *sim, struct sim_worker *worker)
{
	jump(sim, &worker->clock);
}

static const struct machine_fault {
	enum fault_class class;
	void (*strike)(struct sim *sim, struct sim_worker *worker);
} machine_faults[] = {
	{ FAULT_PARTITION, strike_partition },
	{ FAULT_PARTITION_ONE_WAY, strike_one_way },
	{ FAULT_WORKER_CRASH, strike_crash },
	{ FAULT_WORKER_PAUSED, strike_pause },
	{ FAULT_WORKER_UPGRADED, strike_upgrade },
	{ FAULT_STORE_FULL, strike_store },
	{ FAULT_REBOOT, strike_reboot },
	{ FAULT_SCRAPPED, strike_scrapped },
	{ FAULT_SLEEP, strike_sleep },
	{ FAULT_LIVE_RESTORE, strike_live_restore },
	{ FAULT_DOCKER_RESTART, strike_docker },
	{ FAULT_DOCKER_FROZEN, strike_docker_freeze },
	{ FAULT_REMOVED_BY_OTHERS, strike_removal },
	{ FAULT_ORPHAN, strike_orphan },
	{ FAULT_PORT_HELD, strike_port },
	{ FAULT_CLOCK_JUMP, strike_clock },
};

static void strike_machine(struct sim *sim, struct sim_worker *worker)
{
	worker->docker.foreign_port = 0;
	if (sim_chance(sim, 500))
		worker->store.full = false;
	for (size_t i = 0; i < ARRAY_LEN(machine_faults); i++) {
		/* Nothing can be done to who has no power or sleeps. */
		if (worker->off || sim->now_ms < worker->asleep_until_ms)
			return;
		if (sim_strikes(sim, machine_faults[i].class))
			machine_faults[i].strike(sim, worker);
	}
}

/* ---- of all ---- */

/* In which order they come, each once; the caller frees. */
static int *shuffle(struct sim *sim)
{
	int *order = base_calloc((size_t)sim->n_workers, sizeof(*order));
	for (int i = 0; i < sim->n_workers; i++) {
		int j = (int)sim_draw(sim, 0, i);
		order[i] = order[j];
		order[j] = i;
	}
	return order;
}

static void strike_halves(struct sim *sim)
{
	int *order = shuffle(sim);
	int64_t for_ms = draw_absence_ms(sim);
	sim_tell(sim, "world", "the network falls into halves");
	for (int i = 0; i < (sim->n_workers + 1) / 2; i++)
		network_cut(sim, &sim->workers[order[i]], LINK_BOTH, for_ms);
	base_free(order);
}

static void on_clog(struct sim *sim, struct event *event)
{
	if (!sim->calm)
		network_cut(sim, event->subject, LINK_BOTH, (int64_t)event->number);
}

/* Some links are stopped one by one, and come back one by one in another order. */
static void strike_swizzle(struct sim *sim)
{
	int *leave = shuffle(sim);
	int n = (int)sim_draw(sim, 1, sim->n_workers);
	int64_t apart_ms = sim_draw_wide(sim, 10, 5000);
	int64_t back_ms = n * apart_ms + draw_absence_ms(sim);
	sim_tell(sim, "world", "%d links are clogged one by one", n);
	for (int i = 0; i < n; i++) {
		int64_t from_ms = i * apart_ms;
		int64_t until_ms = back_ms + sim_draw(sim, 0, n) * apart_ms;
		struct event *event = sim_plan(sim, from_ms, on_clog, &sim->workers[leave[i]]);
		event->number = (uint64_t)(until_ms - from_ms);
	}
	base_free(leave);
}

static void strike_manager_crash(struct sim *sim)
{
	sim_manager_crash(sim, sim_draw(sim, 50, 25000));
}

static void strike_manager_pause(struct sim *sim)
{
	sim_manager_pause(sim, draw_absence_ms(sim));
}

static void strike_manager_store(struct sim *sim)
{
	sim->manager.store.full = !sim->manager.store.full;
}

static void strike_manager_clock(struct sim *sim)
{
	jump(sim, &sim->manager.clock);
}

static const struct {
	enum fault_class class;
	void (*strike)(struct sim *sim);
} world_faults[] = {
	{ FAULT_HALVES, strike_halves },
	{ FAULT_SWIZZLE, strike_swizzle },
	{ FAULT_MANAGER_CRASH, strike_manager_crash },
	{ FAULT_MANAGER_PAUSED, strike_manager_pause },
	{ FAULT_STORE_FULL, strike_manager_store },
	{ FAULT_CLOCK_JUMP, strike_manager_clock },
};

static void on_faults(struct sim *sim, struct event *event)
{
	(void)event;
	if (sim->calm)
		return;
	/* In a large world as many machines are struck as in a small one: else nothing would ever run there. */
	int per_mille = sim->n_workers <= 8 ? 500 : 4000 / sim->n_workers;
	for (int i = 0; i < sim->n_workers; i++)
		if (sim_chance(sim, per_mille))
			strike_machine(sim, &sim->workers[i]);
	if (sim_chance(sim, 500))
		sim->manager.store.full = false;
	for (size_t i = 0; i < ARRAY_LEN(world_faults); i++)
		if (sim_strikes(sim, world_faults[i].class))
			world_faults[i].strike(sim);
	machine_faults_plan(sim);
}

void machine_faults_plan(struct sim *sim)
{
	sim_plan(sim, sim_draw(sim, 1000, 12000), on_faults, NULL);
}
