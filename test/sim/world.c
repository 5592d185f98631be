/* Time, chance and the story. The heap is ordered by (time, sequence): no two events compare equal. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "sim.h"

const struct fault_row fault_rows[FAULT_COUNT] = {
#define FAULT_ROW(class, name, per_mille) { name, per_mille },
	FAULT_TABLE(FAULT_ROW)
#undef FAULT_ROW
};

#define WALL_START_MS 1700000000000LL

int64_t clock_wall_ms(const struct sim *sim, const struct sim_clock *clock)
{
	return WALL_START_MS + sim->now_ms + clock->jump_ms;
}

void sim_hash(struct sim *sim, const void *bytes, size_t len)
{
	sim->hash = hash_bytes(sim->hash, bytes, len);
}

void sim_decide(struct sim *sim, size_t task, int64_t what, int64_t how)
{
	const int64_t decided[] = { sim->now_ms, (int64_t)task, what, how };
	sim->decisions = hash_bytes(sim->decisions, decided, sizeof(decided));
}

int64_t sim_draw(struct sim *sim, int64_t from, int64_t to)
{
	PRE(from <= to);
	return from + (int64_t)random_below(&sim->random, (uint64_t)(to - from) + 1);
}

int64_t sim_draw_wide(struct sim *sim, int64_t from, int64_t to)
{
	PRE(0 < from && from <= to);
	int doublings = 0;
	while (from < to >> doublings)
		doublings++;
	int64_t n = sim_draw(sim, 0, doublings);
	int64_t top = from << n < to ? from << n : to;
	return sim_draw(sim, from, top);
}

bool sim_chance(struct sim *sim, int per_mille)
{
	return random_below(&sim->random, 1000) < (uint64_t)per_mille;
}

static void count_strike(struct sim *sim, enum fault_class class)
{
	struct sim_counts *counts = sim->counts;
	counts->struck[class]++;
	for (int other = 0; other < FAULT_COUNT; other++)
		if (other != (int)class && sim->struck_ms[other] &&
		    sim->now_ms - sim->struck_ms[other] <= SIM_PAIR_MS)
			counts->pairs[other < (int)class ? other : (int)class]
				     [other < (int)class ? (int)class : other]++;
	sim->struck_ms[class] = sim->now_ms;
}

bool sim_strikes(struct sim *sim, enum fault_class class)
{
	if (sim->calm || !sim->enabled[class] || !sim_chance(sim, sim->rate[class]))
		return false;
	count_strike(sim, class);
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

static struct event *insert(struct sim *sim, struct event event)
{
	event.sequence = sim->sequence++;
	sim->heap = base_grow(sim->heap, sim->n_heap, &sim->heap_capacity, sizeof(struct event));
	size_t at = sim->n_heap++;
	sim->heap[at] = event;
	for (size_t parent; at && before(&sim->heap[at], &sim->heap[parent = (at - 1) / 2]);
	     at = parent)
		swap(&sim->heap[at], &sim->heap[parent]);
	return &sim->heap[at];
}

struct event *sim_plan(struct sim *sim, int64_t in_ms, event_fn *run, void *subject)
{
	PRE(in_ms >= 0);
	return insert(sim, (struct event){
				   .at_ms = sim->now_ms + in_ms, .run = run, .subject = subject });
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
	bool lives = !event.lives || *event.lives == event.life;
	if (lives && event.held_until_ms && *event.held_until_ms > sim->now_ms) {
		event.at_ms = *event.held_until_ms;
		insert(sim, event);
		return;
	}
	if (lives) {
		sim_hash(sim, &event.at_ms, sizeof(event.at_ms));
		sim_hash(sim, &event.sequence, sizeof(event.sequence));
		event.run(sim, &event);
	}
	drop_payload(&event);
	check_truth(sim);
}

bool sim_run_until(struct sim *sim, int64_t until_ms)
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

void sim_drop_events(struct sim *sim)
{
	for (size_t i = 0; i < sim->n_heap; i++)
		drop_payload(&sim->heap[i]);
	base_free(sim->heap);
	sim->heap = NULL;
	sim->n_heap = 0;
	sim->heap_capacity = 0;
}
