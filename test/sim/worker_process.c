/* A worker's shell, in the order worker/daemon.c has it: step, commit, act, speak. It may die before, during and after
 * the commit, and stand still while it lasts.
 *
 * Invariant: between a step and its actions (committing) no other step is made. */
#include <string.h>

#include "base/check.h"
#include "sim.h"

#define PROBE_MS 1000
#define STATS_MS 5000

static int64_t clock_ms(const struct sim *sim, const struct sim_worker *worker)
{
	return sim->now_ms - worker->boot_at_ms + 1000;
}

static struct event *plan(struct sim *sim, int64_t in_ms, event_fn *run, struct sim_worker *worker)
{
	struct event *event = sim_plan(sim, in_ms, run, worker);
	event->lives = &worker->lives;
	event->life = worker->lives;
	event->held_until_ms = &worker->paused_until_ms;
	return event;
}

static void queue_clear(struct sim_worker *worker)
{
	for (size_t i = 0; i < worker->n_queue; i++) {
		struct worker_queued *queued = &worker->queue[i];
		record_release(&sync_down_type, &queued->down);
		container_result_release(&queued->result);
		base_free(queued->name);
		record_release(&node_facts_type, &queued->facts);
	}
	worker->n_queue = 0;
}

/* ---- a turn ---- */

static void on_turn(struct sim *sim, struct event *event);

static void arm(struct sim *sim, struct sim_worker *worker, int64_t deadline_ms)
{
	worker->timers++;
	if (deadline_ms == NEVER_MS)
		return;
	int64_t in_ms = deadline_ms - clock_ms(sim, worker);
	struct event *event = sim_plan(sim, in_ms > 0 ? in_ms : 0, on_turn, worker);
	event->lives = &worker->timers;
	event->life = worker->timers;
	event->held_until_ms = &worker->paused_until_ms;
}

static void tell_notes(struct sim *sim, struct sim_worker *worker)
{
	for (size_t i = 0; i < worker->out.notes.n; i++)
		sim_tell(sim, worker->name, "%s", worker->out.notes.items[i]);
}

static struct worker_in input(struct sim *sim, struct sim_worker *worker)
{
	return (struct worker_in){ .now_ms = clock_ms(sim, worker),
				   .wall_ms = clock_wall_ms(sim, &worker->clock),
				   .seed = random_next(&sim->random) };
}

static void act(struct sim *sim, struct sim_worker *worker)
{
	struct worker_out *out = &worker->out;
	worker->cluster = worker_cluster_id(worker->core);
	for (size_t i = 0; i < out->n_actions; i++) {
		out->actions[i].cluster = worker->cluster;
		sim_files_check(sim, worker, &out->actions[i]);
		if (out->actions[i].verb == CONTAINER_FILES)
			sim_files_put(sim, worker, &out->actions[i]);
		else
			sim_docker_submit(sim, worker, &out->actions[i]);
	}
	if (out->sweep_files)
		sim_files_sweep(worker);
	if (out->has_up && worker->session_open) {
		checker_up(sim, worker, &out->up);
		network_send_up(sim, worker, &out->up);
	}
	arm(sim, worker, out->deadline_ms);
}

static void on_probe(struct sim *sim, struct event *event);

static void store_failed(struct sim *sim, struct sim_worker *worker, const struct err *err)
{
	sim_tell(sim, worker->name, "the store refused a commit: %s", err->message);
	worker->store_broken = true;
	worker->timers++;
	queue_clear(worker);
	plan(sim, PROBE_MS, on_probe, worker);
}

/* True: it died, around the commit. */
static bool dies(struct sim *sim, struct sim_worker *worker)
{
	if (sim_strikes(sim, FAULT_WORKER_BEFORE_COMMIT)) {
		size_t n = sim_store_cut(sim, &worker->out.changes);
		sim_store_apply(&worker->store, &worker->out.changes, n);
	} else if (sim_strikes(sim, FAULT_WORKER_BEFORE_ACT)) {
		sim_store_apply(&worker->store, &worker->out.changes, worker->out.changes.n);
	} else {
		return false;
	}
	sim_worker_crash(sim, worker, sim_draw(sim, 50, 15000));
	return true;
}

/* What its machine ran has ended, and so does the program. Somebody may let the machine join again, as a new node. */
static void leave(struct sim *sim, struct sim_worker *worker)
{
	bool again = !sim->calm && sim_chance(sim, 500);
	sim_tell(sim, worker->name, "%s", again ? "is to join again" : "has left the cluster");
	if (again) {
		worker->options.node.uuid =
			uuid_make(&sim->random, clock_wall_ms(sim, &worker->clock));
		worker->epoch_said = 0;
		worker->rev_said = 0;
		worker->report_said = 0;
		worker->given_up = false;
		sim->n_joined_again++;
	}
	sim_worker_crash(sim, worker, again ? sim_draw(sim, 100, 10000) : -1);
}

static void finish(struct sim *sim, struct sim_worker *worker)
{
	worker->committing = false;
	act(sim, worker);
	if (sim->n_events % 16 == 0)
		worker_check(worker->core);
	if (worker_removal(worker->core) == WORKER_REMOVAL_OVER)
		leave(sim, worker);
}

static void on_committed(struct sim *sim, struct event *event)
{
	finish(sim, event->subject);
}

static void turn(struct sim *sim, struct sim_worker *worker)
{
	struct worker_in in = input(sim, worker);
	struct worker_event *events = base_calloc(worker->n_queue, sizeof(*events));
	for (size_t i = 0; i < worker->n_queue; i++) {
		struct worker_queued *queued = &worker->queue[i];
		events[i] = queued->event;
		events[i].down = &queued->down;
		events[i].result = &queued->result;
		events[i].name = queued->name;
		events[i].facts = &queued->facts;
		events[i].stats = &queued->stats;
	}
	in.events = events;
	in.n_events = worker->n_queue;
	worker_out_clear(&worker->out);
	worker_step(worker->core, &in, &worker->out);
	base_free(events);
	queue_clear(worker);
	tell_notes(sim, worker);
	struct err err;
	int64_t takes_ms;
	if (dies(sim, worker))
		return;
	if (sim_store_commit(sim, &worker->store, &worker->out.changes, &takes_ms, &err)) {
		store_failed(sim, worker, &err);
		return;
	}
	worker->committing = true;
	if (takes_ms)
		sim_worker_pause(sim, worker, takes_ms);
	if (worker->paused_until_ms > sim->now_ms)
		plan(sim, worker->paused_until_ms - sim->now_ms, on_committed, worker);
	else
		finish(sim, worker);
}

static void on_turn(struct sim *sim, struct event *event)
{
	struct sim_worker *worker = event->subject;
	if (worker->committing) {
		plan(sim, 0, on_turn, worker);
		return;
	}
	worker->turn_planned = false;
	if (worker->up && !worker->store_broken)
		turn(sim, worker);
	else
		queue_clear(worker);
}

struct worker_queued *sim_worker_queue(struct sim_worker *worker, int kind)
{
	worker->queue = base_grow(worker->queue, worker->n_queue, &worker->queue_capacity,
				  sizeof(struct worker_queued));
	struct worker_queued *queued = &worker->queue[worker->n_queue++];
	*queued = (struct worker_queued){ .event.kind = kind };
	if (!worker->turn_planned)
		plan(worker->sim, 0, on_turn, worker);
	worker->turn_planned = true;
	return queued;
}

/* ---- Docker ---- */

static void queue_facts(struct sim_worker *worker, bool docker_answers)
{
	struct node_facts *facts = &sim_worker_queue(worker, WORKER_FACTS)->facts;
	char version[16];
	text_print(version, sizeof(version), "0.%d.0", worker->release);
	string_set(&facts->drover_version, version);
	string_set(&facts->hostname, worker->name);
	string_set(&facts->platform_os, "linux");
	string_set(&facts->platform_arch, "x86_64");
	for (size_t i = 0; i < worker->labels.n; i++)
		pairs_add(&facts->labels, worker->labels.items[i].key,
			  worker->labels.items[i].value);
	facts->capacity.cpu_milli = worker->cpu_milli;
	facts->capacity.memory_bytes = worker->memory_bytes;
	facts->capacity.disk_bytes = 100LL << 30;
	if (!docker_answers)
		return;
	string_set(&facts->runtime_version, "20.10.24");
	facts->api_minor = 41;
}

void sim_worker_docker_up(struct sim_worker *worker)
{
	queue_facts(worker, true);
	sim_worker_queue(worker, WORKER_RUNTIME_UP)->event.daemon_instance =
		worker->docker.instance;
}

static void on_runtime(struct sim *sim, struct event *event)
{
	struct sim_worker *worker = event->subject;
	struct sim_docker *docker = &worker->docker;
	worker->runtime_open = true;
	docker->given_up = docker->up && sim->now_ms < docker->frozen_until_ms;
	if (docker->up && !docker->given_up)
		sim_worker_docker_up(worker);
	else
		sim_worker_queue(worker, WORKER_RUNTIME_DOWN);
}

static void on_stats(struct sim *sim, struct event *event)
{
	struct sim_worker *worker = event->subject;
	plan(sim, STATS_MS, on_stats, worker);
	if (worker->store_broken)
		return;
	struct node_stats *stats = &sim_worker_queue(worker, WORKER_STATS)->stats;
	stats->cpu_used_milli = sim_draw(sim, 0, worker->cpu_milli);
	stats->memory_used_bytes = sim_draw(sim, 0, worker->memory_bytes);
}

/* ---- life ---- */

static enum err_code start_core(struct sim *sim, struct sim_worker *worker, struct err *err)
{
	worker_free(worker->core);
	worker->core = worker_new(&worker->options);
	for (size_t i = 0; i < worker->store.records.n; i++) {
		enum err_code code =
			worker_replay(worker->core, &worker->store.records.items[i], err);
		if (code) {
			violated(sim, INVARIANT_CORE, "%s cannot be replayed: %s", worker->name,
				 err->message);
			return code;
		}
	}
	char boot_id[64];
	text_print(boot_id, sizeof(boot_id), "boot-%lld", (long long)worker->boot);
	struct worker_in in = input(sim, worker);
	worker_out_clear(&worker->out);
	enum err_code code = worker_start(worker->core, &in, boot_id, &worker->out, err);
	if (code) {
		violated(sim, INVARIANT_CORE, "%s cannot start: %s", worker->name, err->message);
		return code;
	}
	tell_notes(sim, worker);
	int64_t takes_ms;
	code = sim_store_commit(sim, &worker->store, &worker->out.changes, &takes_ms, err);
	if (takes_ms)
		sim_worker_pause(sim, worker, takes_ms);
	return code;
}

static void begin(struct sim *sim, struct sim_worker *worker)
{
	worker->store_broken = false;
	sim_files_sweep(worker);
	worker->impaired_ms = sim->now_ms > worker->impaired_ms ? sim->now_ms : worker->impaired_ms;
	act(sim, worker);
	queue_facts(worker, false);
	plan(sim, sim_draw(sim, 1, 100), on_runtime, worker);
	network_connect(sim, worker);
}

static void on_probe(struct sim *sim, struct event *event)
{
	struct sim_worker *worker = event->subject;
	struct err err;
	network_worker_gone(sim, worker);
	worker->runtime_open = false;
	sim_docker_orphan(sim, worker);
	queue_clear(worker);
	if (worker->store.full || start_core(sim, worker, &err))
		plan(sim, PROBE_MS, on_probe, worker);
	else
		begin(sim, worker);
}

static void on_start(struct sim *sim, struct event *event)
{
	struct sim_worker *worker = event->subject;
	if (!worker->up && !worker->off && worker->broken != BROKEN_STOPPED)
		sim_worker_start(sim, worker);
}

static void plan_start(struct sim *sim, struct sim_worker *worker, int64_t in_ms)
{
	sim_plan(sim, in_ms, on_start, worker)->held_until_ms = &worker->asleep_until_ms;
}

void sim_worker_start(struct sim *sim, struct sim_worker *worker)
{
	struct err err;
	PRE(!worker->up);
	sim_tell(sim, worker->name, "starts");
	worker->lives++;
	worker->up = true;
	worker->impaired_ms = sim->now_ms;
	worker->paused_until_ms = worker->asleep_until_ms;
	worker->reconnect_ms = 100;
	if (start_core(sim, worker, &err)) {
		/* The program ends with an error, and is started again by systemd. */
		worker->up = false;
		plan_start(sim, worker, PROBE_MS);
		return;
	}
	begin(sim, worker);
	plan(sim, STATS_MS, on_stats, worker);
}

void sim_worker_crash(struct sim *sim, struct sim_worker *worker, int64_t back_in_ms)
{
	if (!worker->up)
		return;
	sim_tell(sim, worker->name, "crashes");
	network_worker_gone(sim, worker);
	sim_docker_orphan(sim, worker);
	worker->up = false;
	worker->committing = false;
	worker->runtime_open = false;
	worker->lives++;
	worker->timers++;
	worker->turn_planned = false;
	queue_clear(worker);
	if (back_in_ms >= 0)
		plan_start(sim, worker, back_in_ms);
}

void sim_worker_pause(struct sim *sim, struct sim_worker *worker, int64_t for_ms)
{
	int64_t until_ms = sim->now_ms + for_ms;
	if (!worker->up || until_ms <= worker->paused_until_ms)
		return;
	sim_tell(sim, worker->name, "stands still for %lld ms", (long long)for_ms);
	worker->paused_until_ms = until_ms;
	worker->impaired_ms = until_ms;
	network_worker_stalls(sim, worker, for_ms);
}

void sim_worker_release(struct sim_worker *worker)
{
	queue_clear(worker);
	base_free(worker->queue);
	worker_out_release(&worker->out);
	worker_free(worker->core);
	pairs_release(&worker->labels);
	strings_release(&worker->files);
	sim_docker_release(&worker->docker);
	sim_store_release(&worker->store);
}
