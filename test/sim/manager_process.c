/* The manager's shell, in the order manager/daemon.c has it: step, commit, speak. It may die before, during and after
 * the commit, and stand still while it lasts; a commit that fails throws the world away and leaves it read-only until a
 * probe succeeds.
 *
 * Invariant: between a step and its speech (committing) no other step is made. */
#include <string.h>

#include "base/check.h"
#include "requests.h"

#define PROBE_MS 1000
#define WHO	 "manager"

static struct event *plan(struct sim *sim, int64_t in_ms, event_fn *run)
{
	struct event *event = sim_plan(sim, in_ms, run, NULL);
	event->lives = &sim->manager.lives;
	event->life = sim->manager.lives;
	event->held_until_ms = &sim->manager.paused_until_ms;
	return event;
}

static void queue_clear(struct manager_queue *queue)
{
	for (size_t i = 0; i < queue->n; i++) {
		request_free(queue->items[i].request);
		record_release(&sync_up_type, &queue->items[i].up);
	}
	queue->n = 0;
}

static void queue_refuse(struct sim *sim, struct manager_queue *queue, const struct err *err)
{
	for (size_t i = 0; i < queue->n; i++) {
		struct manager_reply reply = { .err = *err };
		if (queue->items[i].request)
			client_take_reply(sim, queue->items[i].request, &reply);
	}
	queue_clear(queue);
}

static void queue_release(struct manager_queue *queue)
{
	queue_clear(queue);
	base_free(queue->items);
}

/* ---- store ---- */

static enum err_code replay(struct sim *sim, struct manager *core, struct err *err)
{
	const struct changes *records = &sim->manager.store.records;
	for (size_t i = 0; i < records->n; i++) {
		enum err_code code = manager_replay(core, &records->items[i], err);
		if (code) {
			violated(sim, INVARIANT_CORE, "the store cannot be replayed: %s",
				 err->message);
			return code;
		}
	}
	return ERR_NONE;
}

static enum err_code reload(struct sim *sim, struct err *err)
{
	struct sim_manager *manager = &sim->manager;
	manager_free(manager->core);
	manager->started = false;
	manager->core = manager_new(&manager->options, random_next(&sim->random));
	return replay(sim, manager->core, err);
}

static struct manager_in input(struct sim *sim)
{
	sim->manager.stepped_wall_ms = clock_wall_ms(sim, &sim->manager.clock);
	return (struct manager_in){ .now_ms = sim->now_ms,
				    .wall_ms = sim->manager.stepped_wall_ms,
				    .seed = random_next(&sim->random),
				    .rev = sim->manager.rev + 1 };
}

static void tell_notes(struct sim *sim)
{
	for (size_t i = 0; i < sim->manager.out.notes.n; i++)
		sim_tell(sim, WHO, "%s", sim->manager.out.notes.items[i]);
}

static enum err_code commit(struct sim *sim, struct err *err)
{
	struct sim_manager *manager = &sim->manager;
	int64_t takes_ms;
	if (manager->out.changes.n == 0)
		return ERR_NONE;
	enum err_code code =
		sim_store_commit(sim, &manager->store, &manager->out.changes, &takes_ms, err);
	if (!code)
		manager->rev++;
	if (takes_ms)
		sim_manager_pause(sim, takes_ms);
	return code;
}

/* What the store holds, read by a fresh core: nothing may be only in memory. */
static void check_stored(struct sim *sim)
{
	struct err err;
	struct manager_out out = { 0 };
	struct manager *core = manager_new(&sim->manager.options, 1);
	struct manager_in in = { .now_ms = sim->now_ms,
				 .wall_ms = clock_wall_ms(sim, &sim->manager.clock),
				 .rev = 1 };
	if (!replay(sim, core, &err)) {
		if (manager_start(core, &in, &out, &err))
			violated(sim, INVARIANT_CORE, "the store cannot be started from: %s",
				 err.message);
		else
			checker_stored(sim, manager_cluster(core));
	}
	manager_out_release(&out);
	manager_free(core);
}

/* The requests of the turn; the caller frees the array. */
static struct sim_request **requests_of_turn(const struct sim_manager *manager, size_t *ret_n)
{
	struct sim_request **requests = base_calloc(manager->turn.n + 1, sizeof(*requests));
	*ret_n = 0;
	for (size_t i = 0; i < manager->turn.n; i++)
		if (manager->turn.items[i].request)
			requests[(*ret_n)++] = manager->turn.items[i].request;
	return requests;
}

static void note_uncertain(struct sim *sim)
{
	size_t n;
	struct sim_request **requests = requests_of_turn(&sim->manager, &n);
	checker_uncertain(sim, requests, n);
	checker_uncertain_tasks(sim, manager_cluster(sim->manager.core));
	base_free(requests);
}

/* ---- a turn ---- */

static void on_turn(struct sim *sim, struct event *event);

static void arm(struct sim *sim, int64_t deadline_ms)
{
	struct sim_manager *manager = &sim->manager;
	manager->timers++;
	manager->deadline_ms = deadline_ms;
	if (deadline_ms == NEVER_MS)
		return;
	int64_t in_ms = deadline_ms - sim->now_ms;
	struct event *event = sim_plan(sim, in_ms > 0 ? in_ms : 0, on_turn, NULL);
	event->lives = &manager->timers;
	event->life = manager->timers;
	event->held_until_ms = &manager->paused_until_ms;
}

static void reply(struct sim *sim)
{
	struct sim_manager *manager = &sim->manager;
	size_t at = 0;
	for (size_t i = 0; i < manager->turn.n; i++)
		if (manager->turn.items[i].request)
			client_take_reply(sim, manager->turn.items[i].request,
					  &manager->out.replies[at++]);
	INVARIANT(at == manager->out.n_replies);
}

static void speak(struct sim *sim)
{
	struct sim_manager *manager = &sim->manager;
	struct manager_out *out = &manager->out;
	for (size_t i = 0; i < out->n_downs; i++) {
		checker_down(sim, &out->downs[i]);
		network_send_down(sim, &out->downs[i]);
	}
	arm(sim, out->deadline_ms);
}

static void on_probe(struct sim *sim, struct event *event);

static void commit_failed(struct sim *sim, const struct err *err)
{
	struct sim_manager *manager = &sim->manager;
	struct err reload_err;
	sim_tell(sim, WHO, "the store refused a commit: %s", err->message);
	note_uncertain(sim);
	queue_refuse(sim, &manager->turn, err);
	queue_refuse(sim, &manager->queue, err);
	manager_out_clear(&manager->out);
	network_manager_gone(sim);
	manager->timers++;
	reload(sim, &reload_err);
	manager->broken = true;
	plan(sim, PROBE_MS, on_probe);
}

static enum err_code start_core(struct sim *sim, struct err *err)
{
	struct sim_manager *manager = &sim->manager;
	struct manager_in in = input(sim);
	manager_out_clear(&manager->out);
	enum err_code code = manager_start(manager->core, &in, &manager->out, err);
	if (code) {
		violated(sim, INVARIANT_CORE, "the manager cannot start: %s", err->message);
		return code;
	}
	manager->started = true;
	tell_notes(sim);
	code = commit(sim, err);
	if (code)
		return code;
	manager->started_ms = in.now_ms;
	for (int i = 0; i < sim->n_workers; i++) {
		sim->workers[i].is_down = false;
		sim->workers[i].down_ms = 0;
	}
	sim->checker.hold_until_ms = 0;
	checker_replayed(sim, manager_cluster(manager->core));
	checker_committed(sim, manager_cluster(manager->core), NULL);
	speak(sim);
	return ERR_NONE;
}

static void on_probe(struct sim *sim, struct event *event)
{
	struct sim_manager *manager = &sim->manager;
	struct err err;
	(void)event;
	if (manager->store.full || reload(sim, &err) || start_core(sim, &err)) {
		plan(sim, PROBE_MS, on_probe);
		return;
	}
	manager->broken = false;
	sim_tell(sim, WHO, "the store takes commits again");
}

/* True: it died, around the commit. */
static bool dies(struct sim *sim)
{
	struct sim_manager *manager = &sim->manager;
	const struct changes *changes = &manager->out.changes;
	if (sim_strikes(sim, FAULT_MANAGER_BEFORE_COMMIT))
		sim_store_apply(&manager->store, changes, sim_store_cut(sim, changes));
	else if (sim_strikes(sim, FAULT_MANAGER_BEFORE_SPEAK))
		sim_store_apply(&manager->store, changes, changes->n);
	else
		return false;
	note_uncertain(sim);
	sim_manager_crash(sim, sim_draw(sim, 50, 15000));
	return true;
}

/* It reads everything: after every answer while that is little, else after some. */
static bool is_due_for_storage(const struct sim *sim)
{
	return sim->manager.store.records.n < 200 || sim->checker.commits % 8 == 0;
}

static void check_turn(struct sim *sim)
{
	struct sim_manager *manager = &sim->manager;
	const struct cluster *cluster = manager_cluster(manager->core);
	size_t n;
	struct sim_request **requests = requests_of_turn(manager, &n);
	if (n)
		checker_answered(sim, cluster, requests, manager->out.replies, n);
	base_free(requests);
	if (manager->out.changes.n)
		checker_follow(sim, cluster);
	checker_turned(sim, cluster);
	if (manager->out.changes.n)
		checker_committed(sim, cluster, &manager->out);
	if ((n && is_due_for_storage(sim)) || sim->checker.commits % 64 == 0)
		check_stored(sim);
	/* It looks at everything: in large worlds less often. */
	uint64_t every = 16 + (uint64_t)sim->n_workers * 2;
	if (!sim->checker.failed && (n || sim->n_events % every == 0))
		manager_check(manager->core);
}

static void step(struct sim *sim)
{
	struct sim_manager *manager = &sim->manager;
	struct manager_queue *turn = &manager->turn;
	struct manager_in in = input(sim);
	struct manager_event *events = base_calloc(turn->n, sizeof(*events));
	for (size_t i = 0; i < turn->n; i++) {
		struct manager_queued *queued = &turn->items[i];
		events[i].kind = queued->kind;
		events[i].request = queued->request ? &queued->request->request : NULL;
		events[i].session = queued->session;
		events[i].local = queued->worker && queued->worker->local;
		events[i].up = &queued->up;
	}
	in.events = events;
	in.n_events = turn->n;
	manager_out_clear(&manager->out);
	manager->stepped_ms = in.now_ms;
	manager_step(manager->core, &in, &manager->out);
	base_free(events);
	tell_notes(sim);
}

static void finish(struct sim *sim)
{
	struct sim_manager *manager = &sim->manager;
	manager->committing = false;
	check_turn(sim);
	reply(sim);
	speak(sim);
	queue_clear(&manager->turn);
}

static void on_committed(struct sim *sim, struct event *event)
{
	(void)event;
	finish(sim);
}

static void turn(struct sim *sim)
{
	struct sim_manager *manager = &sim->manager;
	struct manager_queue empty = manager->turn;
	manager->turn = manager->queue;
	manager->queue = empty;
	step(sim);
	if (dies(sim))
		return;
	struct err err;
	if (commit(sim, &err)) {
		commit_failed(sim, &err);
		return;
	}
	manager->committing = true;
	if (manager->paused_until_ms > sim->now_ms)
		plan(sim, manager->paused_until_ms - sim->now_ms, on_committed);
	else
		finish(sim);
}

static void on_turn(struct sim *sim, struct event *event)
{
	struct sim_manager *manager = &sim->manager;
	(void)event;
	if (manager->committing) {
		plan(sim, 0, on_turn);
		return;
	}
	manager->turn_planned = false;
	if (manager->up && !manager->broken) {
		turn(sim);
		return;
	}
	struct err err;
	err_set(&err, ERR_STORE, "read-only");
	queue_refuse(sim, &manager->queue, &err);
}

struct manager_queued *sim_manager_queue(struct sim *sim, int kind)
{
	struct sim_manager *manager = &sim->manager;
	struct manager_queue *queue = &manager->queue;
	queue->items =
		base_grow(queue->items, queue->n, &queue->capacity, sizeof(struct manager_queued));
	struct manager_queued *queued = &queue->items[queue->n++];
	*queued = (struct manager_queued){ .kind = kind };
	if (!manager->turn_planned)
		plan(sim, 0, on_turn);
	manager->turn_planned = true;
	return queued;
}

/* ---- life ---- */

static void on_start(struct sim *sim, struct event *event)
{
	(void)event;
	if (!sim->manager.up)
		sim_manager_start(sim);
}

void sim_manager_start(struct sim *sim)
{
	struct sim_manager *manager = &sim->manager;
	struct err err;
	PRE(!manager->up);
	sim_tell(sim, WHO, "starts");
	manager->lives++;
	manager->up = true;
	manager->broken = false;
	manager->paused_until_ms = 0;
	manager->rev = 0;
	if (reload(sim, &err))
		return;
	if (manager->store.full)
		err_set(&err, ERR_STORE_FULL, "no space left on device");
	else if (!start_core(sim, &err))
		return;
	commit_failed(sim, &err);
}

void sim_manager_crash(struct sim *sim, int64_t back_in_ms)
{
	struct sim_manager *manager = &sim->manager;
	if (!manager->up)
		return;
	sim_tell(sim, WHO, "crashes");
	if (manager->committing)
		note_uncertain(sim);
	manager->committing = false;
	manager->up = false;
	manager->lives++;
	manager->timers++;
	manager->turn_planned = false;
	queue_clear(&manager->turn);
	queue_clear(&manager->queue);
	network_manager_gone(sim);
	sim_plan(sim, back_in_ms, on_start, NULL);
}

/* Who goes on after standing still may look at the clock before it reads what has come. */
static void on_awake(struct sim *sim, struct event *event)
{
	const struct sim_manager *manager = &sim->manager;
	bool idle = manager->started && !manager->broken && !manager->committing;
	if (idle && manager->deadline_ms <= sim->now_ms)
		on_turn(sim, event);
}

void sim_manager_pause(struct sim *sim, int64_t for_ms)
{
	struct sim_manager *manager = &sim->manager;
	int64_t until_ms = sim->now_ms + for_ms;
	if (!manager->up || until_ms <= manager->paused_until_ms)
		return;
	sim_tell(sim, WHO, "stands still for %lld ms", (long long)for_ms);
	manager->paused_until_ms = until_ms;
	if (sim_chance(sim, 500))
		plan(sim, for_ms, on_awake);
	network_manager_stalls(sim, for_ms);
}

void sim_manager_release(struct sim_manager *manager)
{
	queue_release(&manager->turn);
	queue_release(&manager->queue);
	manager_out_release(&manager->out);
	manager_free(manager->core);
	sim_store_release(&manager->store);
}
