/* What lies between a worker and its manager: one connection that may be lost at any time, whose messages may be lost,
 * repeated and overtaken. A session's number is never used twice.
 *
 * Invariant: at most one session of a worker is open; what belongs to an older one reaches nobody. */
#include <string.h>

#include "api/json.h"
#include "base/check.h"
#include "base/limits.h"
#include "sim.h"

/* An end that hears nothing gives the connection up after this. */
#define SILENCE_MS 20000

/* Of a connection attempt that nobody answers. */
#define DIAL_TIMEOUT_MS 5000

static bool is_cut(const struct sim *sim, const struct sim_worker *worker, enum link link)
{
	return (link & LINK_UP && sim->now_ms < worker->up_cut_until_ms) ||
	       (link & LINK_DOWN && sim->now_ms < worker->down_cut_until_ms);
}

struct carried {
	int64_t arrives_ms;
	struct sync_up up;
	struct sync_down down;
};

static void carried_free(void *memory)
{
	struct carried *carried = memory;
	record_release(&sync_up_type, &carried->up);
	record_release(&sync_down_type, &carried->down);
	base_free(carried);
}

/* A deep copy; in some seeds by way of the text that really travels. */
static void carry(struct sim *sim, const struct record_type *type, void *to, const void *from)
{
	if (!sim->json) {
		record_copy(type, to, from);
		return;
	}
	struct err err;
	_cleanup_free_ char *text = json_write_record(type, from, JSON_INTERNAL);
	if (json_read_record(type, text, strlen(text), LIMIT_JSON_APPLY_VALUES, JSON_INTERNAL, to,
			     &err))
		violated(sim, INVARIANT_CORE, "a message cannot be read: %s: %s", err.field,
			 err.message);
	else if (!record_equal(type, to, from))
		violated(sim, INVARIANT_CORE, "a message changes on its way as JSON");
}

/* When a message arrives: behind the one before it, unless it is overtaken. */
static int64_t arrival_ms(struct sim *sim, int64_t *last_ms)
{
	int64_t at_ms = sim->now_ms + sim_draw(sim, 1, 20);
	if (sim_strikes(sim, FAULT_MESSAGE_LATE))
		return at_ms + sim_draw(sim, 1, 4000) - sim->now_ms;
	if (at_ms < *last_ms)
		at_ms = *last_ms;
	*last_ms = at_ms;
	return at_ms - sim->now_ms;
}

/* ---- sessions ---- */

static struct event *plan_at_manager(struct sim *sim, int64_t in_ms, event_fn *run,
				     struct sim_worker *worker)
{
	struct event *event = sim_plan(sim, in_ms, run, worker);
	event->lives = &sim->manager.lives;
	event->life = sim->manager.lives;
	event->held_until_ms = &sim->manager.paused_until_ms;
	event->number = worker->session;
	return event;
}

/* What was said on it and comes later is not heard any more. */
static void on_closed_at_manager(struct sim *sim, struct event *event)
{
	struct sim_worker *worker = event->subject;
	if (worker->dismissed < event->number)
		worker->dismissed = event->number;
	if (sim->manager.up && !sim->manager.broken)
		sim_manager_queue(sim, MANAGER_SESSION_CLOSED)->session = event->number;
}

static void on_reconnect(struct sim *sim, struct event *event)
{
	struct sim_worker *worker = event->subject;
	if (event->number == worker->dials)
		network_connect(sim, worker);
}

static struct event *plan_of(struct sim *sim, int64_t in_ms, event_fn *run,
			     struct sim_worker *worker)
{
	struct event *event = sim_plan(sim, in_ms, run, worker);
	event->lives = &worker->lives;
	event->life = worker->lives;
	event->held_until_ms = &worker->paused_until_ms;
	return event;
}

static void try_again(struct sim *sim, struct sim_worker *worker, int64_t after_ms)
{
	int64_t wait_ms = after_ms + sim_draw(sim, worker->reconnect_ms / 2, worker->reconnect_ms);
	worker->reconnect_ms *= 2;
	if (worker->reconnect_ms > LIMIT_RECONNECT_MAX_MS)
		worker->reconnect_ms = LIMIT_RECONNECT_MAX_MS;
	plan_of(sim, wait_ms, on_reconnect, worker)->number = ++worker->dials;
}

static void on_closed_at_worker(struct sim *sim, struct event *event)
{
	struct sim_worker *worker = event->subject;
	if (worker->session != event->number || !worker->session)
		return;
	worker->session = 0;
	if (worker->session_open && !worker->store_broken)
		sim_worker_queue(worker, WORKER_SESSION_CLOSED);
	worker->session_open = false;
	try_again(sim, worker, 0);
}

static void on_removed(struct sim *sim, struct event *event)
{
	struct sim_worker *worker = event->subject;
	(void)sim;
	if (worker->session == event->number && !worker->store_broken)
		sim_worker_queue(worker, WORKER_REMOVED);
}

static void close_both(struct sim *sim, struct sim_worker *worker, int64_t in_ms)
{
	if (!worker->session)
		return;
	plan_of(sim, in_ms, on_closed_at_worker, worker)->number = worker->session;
	plan_at_manager(sim, in_ms, on_closed_at_manager, worker);
}

static void on_opened(struct sim *sim, struct event *event)
{
	struct sim_worker *worker = event->subject;
	if (worker->session != event->number || worker->store_broken)
		return;
	(void)sim;
	worker->session_open = true;
	worker->reconnect_ms = LIMIT_RECONNECT_FIRST_MS;
	sim_worker_queue(worker, WORKER_SESSION_OPENED);
}

static void on_connect(struct sim *sim, struct event *event)
{
	struct sim_worker *worker = event->subject;
	if (event->number != worker->dials)
		return;
	bool stands_still = sim->now_ms < sim->manager.paused_until_ms;
	if (is_cut(sim, worker, LINK_BOTH) || stands_still || !sim->manager.up ||
	    sim->manager.broken) {
		try_again(sim, worker, stands_still ? DIAL_TIMEOUT_MS : 0);
		return;
	}
	worker->session = ++sim->manager.sessions_made;
	worker->last_up_ms = 0;
	worker->last_down_ms = 0;
	struct manager_queued *queued = sim_manager_queue(sim, MANAGER_SESSION_OPENED);
	queued->session = worker->session;
	queued->worker = worker;
	plan_of(sim, sim_draw(sim, 1, 10), on_opened, worker)->number = worker->session;
}

void network_connect(struct sim *sim, struct sim_worker *worker)
{
	if (worker_removal(worker->core) == WORKER_REMOVAL_NONE)
		plan_of(sim, sim_draw(sim, 1, 20), on_connect, worker)->number = ++worker->dials;
}

void network_worker_gone(struct sim *sim, struct sim_worker *worker)
{
	if (worker->session)
		plan_at_manager(sim, sim_chance(sim, 800) ? sim_draw(sim, 1, 50) : SILENCE_MS,
				on_closed_at_manager, worker);
	worker->session = 0;
	worker->session_open = false;
	worker->dials++;
}

void network_manager_gone(struct sim *sim)
{
	for (int i = 0; i < sim->n_workers; i++)
		if (sim->workers[i].session)
			plan_of(sim, sim_draw(sim, 1, 50), on_closed_at_worker, &sim->workers[i])
				->number = sim->workers[i].session;
}

void network_cut(struct sim *sim, struct sim_worker *worker, enum link link, int64_t for_ms)
{
	if (worker->local)
		return;
	static const char *const words[] = { "", "its messages do not come through",
					     "messages do not reach it", "cut off" };
	int64_t until_ms = for_ms == NEVER_MS ? NEVER_MS : sim->now_ms + for_ms;
	if (for_ms == NEVER_MS)
		sim_tell(sim, worker->name, "%s for ever", words[link]);
	else
		sim_tell(sim, worker->name, "%s for %lld ms", words[link], (long long)for_ms);
	if (link & LINK_UP && worker->up_cut_until_ms < until_ms)
		worker->up_cut_until_ms = until_ms;
	if (link & LINK_DOWN && worker->down_cut_until_ms < until_ms)
		worker->down_cut_until_ms = until_ms;
	if (for_ms > SILENCE_MS)
		close_both(sim, worker, SILENCE_MS);
}

void network_join(struct sim_worker *worker)
{
	worker->up_cut_until_ms = 0;
	worker->down_cut_until_ms = 0;
}

void network_worker_stalls(struct sim *sim, struct sim_worker *worker, int64_t for_ms)
{
	if (for_ms > SILENCE_MS)
		close_both(sim, worker, SILENCE_MS);
}

void network_manager_stalls(struct sim *sim, int64_t for_ms)
{
	for (int i = 0; i < sim->n_workers && for_ms > SILENCE_MS; i++)
		close_both(sim, &sim->workers[i], SILENCE_MS);
}

/* ---- messages ---- */

static bool is_lost(struct sim *sim, struct sim_worker *worker, enum link link)
{
	if (worker->local)
		return false;
	if (sim_strikes(sim, FAULT_SESSION_DROPPED)) {
		sim_tell(sim, worker->name, "session drops");
		close_both(sim, worker, sim_draw(sim, 0, 20));
		return true;
	}
	return is_cut(sim, worker, link) || sim_strikes(sim, FAULT_MESSAGE_LOST);
}

static void on_up(struct sim *sim, struct event *event)
{
	struct carried *carried = event->payload;
	if (!sim->manager.up || sim->manager.broken)
		return;
	struct manager_queued *queued = sim_manager_queue(sim, MANAGER_SYNC_UP);
	queued->session = event->number;
	queued->worker = event->subject;
	queued->up = carried->up;
	carried->up = (struct sync_up){ 0 };
}

void network_send_up(struct sim *sim, struct sim_worker *worker, const struct sync_up *up)
{
	if (!worker->session || is_lost(sim, worker, LINK_UP))
		return;
	int n = 1 + sim_strikes(sim, FAULT_MESSAGE_TWICE);
	for (int i = 0; i < n; i++) {
		struct carried *carried = base_calloc(1, sizeof(*carried));
		carry(sim, &sync_up_type, &carried->up, up);
		struct event *event =
			plan_at_manager(sim, arrival_ms(sim, &worker->last_up_ms), on_up, worker);
		carried->arrives_ms = event->at_ms;
		event->payload = carried;
		event->free_payload = carried_free;
	}
}

static void on_down(struct sim *sim, struct event *event)
{
	struct sim_worker *worker = event->subject;
	struct carried *carried = event->payload;
	(void)sim;
	if (worker->session != event->number || !worker->session_open || worker->store_broken)
		return;
	sim_worker_queue(worker, WORKER_SYNC_DOWN)->down = carried->down;
	carried->down = (struct sync_down){ 0 };
}

void network_send_down(struct sim *sim, const struct manager_down *down)
{
	struct sim_worker *worker = NULL;
	for (int i = 0; i < sim->n_workers; i++)
		if (sim->workers[i].session == down->session)
			worker = &sim->workers[i];
	if (!worker)
		return;
	if (down->close) {
		int64_t in_ms = sim_draw(sim, 1, 20);
		if (down->close == SYNC_CLOSE_REMOVED && !is_lost(sim, worker, LINK_DOWN))
			plan_of(sim, in_ms, on_removed, worker)->number = worker->session;
		close_both(sim, worker, in_ms);
		return;
	}
	if (is_lost(sim, worker, LINK_DOWN))
		return;
	int n = 1 + sim_strikes(sim, FAULT_MESSAGE_TWICE);
	for (int i = 0; i < n; i++) {
		struct carried *carried = base_calloc(1, sizeof(*carried));
		carry(sim, &sync_down_type, &carried->down, &down->message);
		struct event *event =
			plan_of(sim, arrival_ms(sim, &worker->last_down_ms), on_down, worker);
		event->payload = carried;
		event->free_payload = carried_free;
		event->number = down->session;
	}
}

int64_t network_unread_ms(const struct sim *sim, const struct sim_worker *worker, int64_t at_ms)
{
	int64_t longest_ms = 0;
	for (size_t i = 0; i < sim->n_heap; i++) {
		const struct event *event = &sim->heap[i];
		if (event->run != on_up || event->subject != worker ||
		    event->number != worker->session || *event->lives != event->life)
			continue;
		const struct carried *carried = event->payload;
		int64_t waits_ms = at_ms - carried->arrives_ms;
		if (longest_ms < waits_ms)
			longest_ms = waits_ms;
	}
	return longest_ms;
}
