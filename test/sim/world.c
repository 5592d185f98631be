/* Time, chance and the story. The heap is ordered by (time, sequence): no two events compare equal. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "sim.h"

const struct fault_row fault_rows[FAULT_COUNT] = {
#define FAULT_ROW(class, name, per_mille) { name, per_mille },
	FAULT_TABLE(FAULT_ROW)
#undef FAULT_ROW
};

#define WALL_START_MS 1700000000000LL

int64_t sim_wall_ms(const struct sim *sim)
{
	return WALL_START_MS + sim->now_ms + sim->wall_jump_ms;
}

void sim_hash(struct sim *sim, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	for (size_t i = 0; i < len; i++)
		sim->hash = (sim->hash ^ at[i]) * 1099511628211ULL;
}

int64_t sim_draw(struct sim *sim, int64_t from, int64_t to)
{
	PRE(from <= to);
	return from + (int64_t)random_below(&sim->random, (uint64_t)(to - from) + 1);
}

bool sim_chance(struct sim *sim, int per_mille)
{
	return random_below(&sim->random, 1000) < (uint64_t)per_mille;
}

bool sim_strikes(struct sim *sim, enum fault_class class)
{
	if (sim->calm || !sim->enabled[class] || !sim_chance(sim, sim->rate[class]))
		return false;
	sim->struck[class]++;
	return true;
}

void sim_tell(struct sim *sim, const char *who, const char *format, ...)
{
	char line[700];
	int used = snprintf(line, sizeof(line), "%9lld.%03lld %-8s ", (long long)sim->now_ms / 1000,
			    (long long)sim->now_ms % 1000, who);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(line + used, sizeof(line) - (size_t)used, format, arguments);
	va_end(arguments);
	sim_hash(sim, line, strlen(line));
	size_t at = sim->n_lines++ % SIM_LINES_KEPT;
	base_free(sim->lines[at]);
	sim->lines[at] = base_strdup(line);
	if (sim->options.verbose)
		puts(line);
}

/* ---- events ---- */

static bool before(const struct event *a, const struct event *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->sequence < b->sequence;
}

static void swap(struct event *a, struct event *b)
{
	struct event kept = *a;
	*a = *b;
	*b = kept;
}

struct event *sim_plan(struct sim *sim, int64_t in_ms, event_fn *run, void *subject)
{
	PRE(in_ms >= 0);
	sim->heap = base_grow(sim->heap, sim->n_heap, &sim->heap_capacity, sizeof(struct event));
	size_t at = sim->n_heap++;
	sim->heap[at] = (struct event){ .at_ms = sim->now_ms + in_ms,
					.sequence = sim->sequence++,
					.run = run,
					.subject = subject };
	for (size_t parent; at && before(&sim->heap[at], &sim->heap[parent = (at - 1) / 2]);
	     at = parent)
		swap(&sim->heap[at], &sim->heap[parent]);
	return &sim->heap[at];
}

static struct event take_first(struct sim *sim)
{
	struct event first = sim->heap[0];
	sim->heap[0] = sim->heap[--sim->n_heap];
	for (size_t at = 0;;) {
		size_t least = at;
		for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < sim->n_heap; child++)
			if (before(&sim->heap[child], &sim->heap[least]))
				least = child;
		if (least == at)
			return first;
		swap(&sim->heap[at], &sim->heap[least]);
		at = least;
	}
}

static void drop_payload(struct event *event)
{
	if (event->payload && event->free_payload)
		event->free_payload(event->payload);
}

static void run_first(struct sim *sim)
{
	struct event event = take_first(sim);
	INVARIANT(event.at_ms >= sim->now_ms);
	sim->now_ms = event.at_ms;
	sim->n_events++;
	if (!event.lives || *event.lives == event.life) {
		sim_hash(sim, &event.at_ms, sizeof(event.at_ms));
		sim_hash(sim, &event.sequence, sizeof(event.sequence));
		event.run(sim, &event);
	}
	drop_payload(&event);
	check_truth(sim);
}

/* Until a time; false when something was violated or it does not come to an end. */
static bool run_until(struct sim *sim, int64_t until_ms)
{
	while (sim->n_heap && sim->heap[0].at_ms <= until_ms) {
		run_first(sim);
		if (sim->checker.failed)
			return false;
		if (sim->n_events > (uint64_t)sim->options.events_max) {
			violated(sim, INVARIANT_END, "%llu events, and no end",
				 (unsigned long long)sim->n_events);
			return false;
		}
	}
	sim->now_ms = until_ms;
	return true;
}

/* ---- a seed ---- */

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
}

static void begin(struct sim *sim)
{
	static const char *const policies[] = { "epvm", "roundrobin", "greedy", "binpack",
						"spread" };
	draw_faults(sim);
	sim->json = sim_chance(sim, 100);
	sim->n_workers = (int)sim_draw(sim, 1, SIM_WORKERS_MAX);
	sim->manager.options = (struct manager_options){
		.scheduler = scheduler_find(policies[sim_draw(sim, 0, 4)]),
		.node_silent_ms = 10000,
		.start_grace_ms = sim_draw(sim, 0, 3) ? 20000 : 60000,
		.history_per_slot = 2,
	};
	sim_tell(sim, "world", "seed %llu: %d workers, scheduler %s%s",
		 (unsigned long long)sim->seed, sim->n_workers,
		 sim->manager.options.scheduler->name, sim->json ? ", messages as JSON" : "");
	sim_manager_start(sim);
	for (int i = 0; i < sim->n_workers; i++) {
		struct sim_worker *worker = &sim->workers[i];
		worker->sim = sim;
		worker->index = i;
		text_print(worker->name, sizeof(worker->name), "worker%d", i + 1);
		worker->docker.up = true;
		worker->docker.instance = 1000 * (uint64_t)(i + 1);
		worker->memory_bytes = sim_draw(sim, 2, 8) << 30;
		worker->cpu_milli = sim_draw(sim, 2, 8) * 1000;
		worker_options_default(&worker->options);
		worker->options.backoff_max_ms = 30000;
		sim_worker_start(sim, worker);
	}
	sim_docker_plan_faults(sim);
	for (int i = 0; i < SIM_CLIENTS; i++) {
		sim->clients[i].index = i;
		client_start(sim, &sim->clients[i]);
	}
}

/* Everything works again: what is down comes up, what is cut is joined. */
static void heal(struct sim *sim)
{
	sim->calm = true;
	sim_tell(sim, "world", "healed");
	sim->manager.store.full = false;
	for (int i = 0; i < sim->n_workers; i++) {
		struct sim_worker *worker = &sim->workers[i];
		worker->store.full = false;
		worker->cut_until_ms = 0;
		worker->docker.foreign_port = 0;
		if (!worker->docker.up)
			sim_docker_start(sim, worker);
	}
}

#define LIVENESS_LIMIT_MS  (900 * 1000)
#define LIVENESS_POLL_MS   2000
#define LIVENESS_STAYS_MS  40000
#define LIVENESS_MOVES_MAX 10

/* Until everything is as it should be; false when it never is. */
static bool settle(struct sim *sim, int64_t limit_ms)
{
	while (!check_liveness(sim, false)) {
		if (sim->now_ms >= limit_ms) {
			check_liveness(sim, true);
			return false;
		}
		if (!run_until(sim, sim->now_ms + LIVENESS_POLL_MS))
			return false;
	}
	sim_tell(sim, "world", "everything is as it should be");
	return true;
}

/* It stays so, but that what waits for room may get it: a few times, as there are not many tasks. */
static void live_on(struct sim *sim)
{
	int64_t limit_ms = sim->now_ms + LIVENESS_LIMIT_MS;
	for (int n = 0; n < LIVENESS_MOVES_MAX; n++) {
		if (!settle(sim, limit_ms) || !run_until(sim, sim->now_ms + LIVENESS_STAYS_MS) ||
		    check_liveness(sim, false))
			return;
	}
	check_liveness(sim, true);
}

static void end(struct sim *sim)
{
	for (size_t i = 0; i < sim->n_heap; i++)
		drop_payload(&sim->heap[i]);
	base_free(sim->heap);
	for (int i = 0; i < SIM_CLIENTS; i++)
		client_release(&sim->clients[i]);
	for (int i = 0; i < sim->n_workers; i++)
		sim_worker_release(&sim->workers[i]);
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

void sim_run(uint64_t seed, const struct sim_options *options, struct sim_result *ret_result,
	     uint64_t struck[FAULT_COUNT], uint64_t evaluated[INVARIANT_COUNT])
{
	struct sim *sim = base_calloc(1, sizeof(*sim));
	sim->seed = seed;
	sim->options = *options;
	sim->random = (struct random){ seed * 0x9e3779b97f4a7c15ULL + 1 };
	sim->hash = 14695981039346656037ULL;
	sim->now_ms = 1000;
	begin(sim);
	int64_t healed_ms = sim->now_ms + sim_draw(sim, 30, 240) * 1000;
	if (run_until(sim, healed_ms)) {
		heal(sim);
		live_on(sim);
	}
	*ret_result = (struct sim_result){ .failed = sim->checker.failed,
					   .invariant = sim->checker.invariant,
					   .hash = sim->hash,
					   .n_events = sim->n_events,
					   .virtual_ms = sim->now_ms,
					   .settled_ms = sim->now_ms - healed_ms };
	memcpy(ret_result->message, sim->checker.message, sizeof(ret_result->message));
	for (int i = 0; i < FAULT_COUNT; i++)
		struck[i] += sim->struck[i];
	for (int i = 0; i < INVARIANT_COUNT; i++)
		evaluated[i] += sim->checker.evaluated[i];
	if (sim->checker.failed)
		tell_failure(sim);
	end(sim);
	base_free(sim);
}
