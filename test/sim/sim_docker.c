/* Docker as a process: actions in flight, faults on their way, its going and coming. What the verbs do is in
 * docker_verbs.c.
 *
 * Invariant: an action takes effect at most once, and is answered at most once. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "sim.h"

#define ORPHAN_RUNS_PER_MILLE 500
#define LATE_MS		      60000
/* How long the worker waits for Docker to say that it is there. */
#define PROBE_TIMEOUT_MS 5000

void sim_action_free(void *memory)
{
	struct sim_action *action = memory;
	record_release(&job_spec_type, &action->spec);
	base_free(action->signal);
	base_free(action->resource);
	base_free(action->address);
	strings_release(&action->networks);
	strings_release(&action->volumes);
	base_free(action->ports.items);
	base_free(action);
}

/* The pointers of an action are borrowed from the core: keep what the verbs look at. */
static struct sim_action *action_copy(const struct container_action *from)
{
	struct sim_action *action = base_calloc(1, sizeof(*action));
	action->action = *from;
	if (from->spec)
		record_copy(&job_spec_type, &action->spec, from->spec);
	action->signal = base_strdup(from->signal);
	action->resource = base_strdup(from->resource_name);
	action->address = base_strdup(from->address);
	for (size_t i = 0; from->project && i < from->n_networks; i++) {
		_cleanup_free_ char *name =
			container_network_name(from->project, &from->networks[i]);
		strings_add(&action->networks, name);
	}
	for (size_t i = 0; from->project && i < from->n_volumes; i++) {
		_cleanup_free_ char *name = container_volume_name(from->project, &from->volumes[i]);
		strings_add(&action->volumes, name);
	}
	for (size_t i = 0; i < from->n_ports; i++)
		*(struct port_grant *)list_add(&action->ports, sizeof(struct port_grant)) =
			from->ports[i];
	return action;
}

static struct sim_action *take_action(struct sim_docker *docker, uint64_t number)
{
	for (size_t i = 0; i < docker->n_actions; i++) {
		struct sim_action *action = docker->actions[i];
		if (action->number != number)
			continue;
		docker->actions[i] = docker->actions[--docker->n_actions];
		return action;
	}
	return NULL;
}

static void answer(struct sim_worker *worker, struct container_result *result)
{
	if (worker->up && worker->runtime_open)
		sim_worker_queue(worker, WORKER_ACTION_DONE)->result = *result;
	else
		container_result_release(result);
}

static void answer_fault(struct sim_worker *worker, const struct sim_action *action, int fault,
			 const char *words)
{
	if (worker->impaired_ms < worker->sim->now_ms)
		worker->impaired_ms = worker->sim->now_ms;
	struct container_result result = { .op = action->action.op,
					   .verb = action->action.verb,
					   .fault = fault,
					   .message = base_strdup(words) };
	answer(worker, &result);
}

static void carry_out_unheard(struct sim *sim, struct sim_worker *worker, struct sim_action *action)
{
	struct container_result unheard = { 0 };
	if (action->done)
		return;
	action->done = true;
	sim_docker_carry_out(sim, worker, action, &unheard);
	container_result_release(&unheard);
}

static struct event *plan(struct sim *sim, struct sim_worker *worker, int64_t in_ms, event_fn *run,
			  uint64_t number)
{
	struct event *event = sim_plan(sim, in_ms, run, worker);
	event->number = number;
	event->lives = &worker->docker.lives;
	event->life = worker->docker.lives;
	event->held_until_ms = &worker->asleep_until_ms;
	return event;
}

/* The effect of an action that hangs, at some time before it is given up. */
static void on_hung_effect(struct sim *sim, struct event *event)
{
	struct sim_worker *worker = event->subject;
	const struct sim_docker *docker = &worker->docker;
	for (size_t i = 0; i < docker->n_actions; i++)
		if (docker->actions[i]->number == event->number)
			docker->actions[i]->done = true;
	carry_out_unheard(sim, worker, event->payload);
}

/* A worker whose call was given up asks whether Docker is there at all. */
static void on_probe_failed(struct sim *sim, struct event *event)
{
	struct sim_worker *worker = event->subject;
	struct sim_docker *docker = &worker->docker;
	if (sim->now_ms >= docker->frozen_until_ms || docker->given_up)
		return;
	docker->given_up = true;
	for (size_t i = docker->n_actions; i-- > 0;) {
		struct sim_action *action = docker->actions[i];
		docker->actions[i] = docker->actions[--docker->n_actions];
		answer_fault(worker, action, FAULT_AMBIGUOUS, "deadline exceeded");
		sim_action_free(action);
	}
	if (worker->up && worker->runtime_open)
		sim_worker_queue(worker, WORKER_RUNTIME_DOWN);
}

static void on_hung_answer(struct sim *sim, struct event *event)
{
	struct sim_worker *worker = event->subject;
	struct sim_action *action = take_action(&worker->docker, event->number);
	if (!action)
		return;
	answer_fault(worker, action, FAULT_AMBIGUOUS, "deadline exceeded");
	sim_action_free(action);
	if (sim->now_ms < worker->docker.frozen_until_ms)
		plan(sim, worker, PROBE_TIMEOUT_MS, on_probe_failed, 0);
}

/* The action itself, while only what is needed to answer it stays in flight. */
static struct sim_action *split_action(struct sim_docker *docker, size_t at)
{
	struct sim_action *action = docker->actions[at];
	struct sim_action *stub = base_calloc(1, sizeof(*stub));
	stub->action = action->action;
	stub->number = action->number;
	stub->done = true;
	docker->actions[at] = stub;
	return action;
}

static void on_due(struct sim *sim, struct event *event);

/* The daemon stands still: the call is answered when it goes on, or given up before; carried out it may be all the
 * same. */
static void wait_for_thaw(struct sim *sim, struct sim_worker *worker, uint64_t number)
{
	struct sim_docker *docker = &worker->docker;
	size_t at = 0;
	while (at < docker->n_actions && docker->actions[at]->number != number)
		at++;
	if (at == docker->n_actions)
		return;
	bool for_ever = docker->frozen_until_ms == NEVER_MS;
	int64_t in_ms = for_ever ? NEVER_MS : docker->frozen_until_ms - sim->now_ms;
	int64_t timeout_ms = docker->actions[at]->action.timeout_ms;
	if (in_ms < timeout_ms) {
		plan(sim, worker, in_ms, on_due, number);
		return;
	}
	plan(sim, worker, timeout_ms, on_hung_answer, number);
	struct sim_action *action = split_action(docker, at);
	if (for_ever || sim_chance(sim, 300)) {
		sim_action_free(action);
		return;
	}
	struct event *event = plan(sim, worker, in_ms, on_hung_effect, number);
	event->payload = action;
	event->free_payload = sim_action_free;
}

/* Docker has no part in a health check that the worker makes. */
static bool is_probe(const struct sim_docker *docker, uint64_t number)
{
	for (size_t i = 0; i < docker->n_actions; i++)
		if (docker->actions[i]->number == number)
			return docker->actions[i]->action.verb == CONTAINER_PROBE;
	return false;
}

static void on_due(struct sim *sim, struct event *event)
{
	struct sim_worker *worker = event->subject;
	if (sim->now_ms < worker->docker.frozen_until_ms &&
	    !is_probe(&worker->docker, event->number)) {
		wait_for_thaw(sim, worker, event->number);
		return;
	}
	struct sim_action *action = take_action(&worker->docker, event->number);
	if (!action)
		return;
	if (sim_strikes(sim, FAULT_DOCKER_UNREACHED)) {
		answer_fault(worker, action, FAULT_UNREACHABLE, "connection refused");
	} else if (sim_strikes(sim, FAULT_DOCKER_ERROR)) {
		int fault = sim_chance(sim, 500) ? FAULT_FAILED : FAULT_AMBIGUOUS;
		answer_fault(worker, action, fault, "Internal Server Error");
	} else if (sim_strikes(sim, FAULT_DOCKER_AMBIGUOUS)) {
		carry_out_unheard(sim, worker, action);
		answer_fault(worker, action, FAULT_AMBIGUOUS, "unexpected EOF");
	} else {
		struct container_result result = { .op = action->action.op,
						   .verb = action->action.verb };
		result.fault = sim_docker_carry_out(sim, worker, action, &result);
		answer(worker, &result);
	}
	sim_action_free(action);
}

static void hang(struct sim *sim, struct sim_worker *worker, struct sim_action *action,
		 const struct container_action *from)
{
	int64_t timeout_ms = from->timeout_ms;
	plan(sim, worker, timeout_ms, on_hung_answer, action->number);
	if (sim_chance(sim, 300))
		return;
	/* A creation may be carried out even long after it was given up. */
	bool late = from->verb == CONTAINER_CREATE && sim_chance(sim, 400);
	int64_t in_ms =
		late ? timeout_ms + sim_draw(sim, 1, LATE_MS) : sim_draw(sim, 1, timeout_ms - 1);
	struct event *event = plan(sim, worker, in_ms, on_hung_effect, action->number);
	event->payload = action_copy(from);
	event->free_payload = sim_action_free;
}

static int64_t latency_ms(struct sim *sim, const struct sim_action *action)
{
	switch (action->action.verb) {
	case CONTAINER_PULL:
		return sim_strikes(sim, FAULT_PULL_SLOW) ? sim_draw(sim, 5000, 90000)
							 : sim_draw(sim, 100, 3000);
	case CONTAINER_CREATE:
	case CONTAINER_START: return sim_draw(sim, 20, 600);
	case CONTAINER_EXEC: return sim_draw(sim, 5, 4000);
	default: return sim_draw(sim, 1, 80);
	}
}

void sim_docker_submit(struct sim *sim, struct sim_worker *worker,
		       const struct container_action *from)
{
	struct sim_docker *docker = &worker->docker;
	struct sim_action *action = action_copy(from);
	action->number = ++sim->sequence;
	docker->actions = base_grow(docker->actions, docker->n_actions, &docker->actions_capacity,
				    sizeof(struct sim_action *));
	docker->actions[docker->n_actions++] = action;
	sim_tell(sim, worker->name, "docker: %s %s%s%s",
		 enum_name(container_verb_names, from->verb), from->name,
		 from->resource_name ? from->resource_name : "", from->signal ? from->signal : "");
	if (!uuid_is_zero(from->task.uuid))
		sim_decide(sim, checker_task(sim, from->task)->number, from->verb, from->attempt);
	if (!docker->up || docker->given_up) {
		take_action(docker, action->number);
		answer_fault(worker, action, FAULT_UNREACHABLE, "no such file or directory");
		sim_action_free(action);
	} else if (sim_strikes(sim, FAULT_DOCKER_HANG)) {
		hang(sim, worker, action, from);
	} else {
		plan(sim, worker, latency_ms(sim, action), on_due, action->number);
	}
}

void sim_docker_orphan(struct sim *sim, struct sim_worker *worker)
{
	struct sim_docker *docker = &worker->docker;
	docker->lives++;
	while (docker->n_actions) {
		struct sim_action *action = docker->actions[0];
		docker->actions[0] = docker->actions[--docker->n_actions];
		bool hears = docker->up && sim->now_ms >= docker->frozen_until_ms;
		if (hears && sim_chance(sim, ORPHAN_RUNS_PER_MILLE))
			carry_out_unheard(sim, worker, action);
		sim_action_free(action);
	}
}

/* ---- going and coming ---- */

static void answer_all(struct sim *sim, struct sim_worker *worker)
{
	struct sim_docker *docker = &worker->docker;
	docker->lives++;
	while (docker->n_actions) {
		struct sim_action *action = docker->actions[0];
		docker->actions[0] = docker->actions[--docker->n_actions];
		bool reached = sim_chance(sim, 500);
		if (reached && sim_chance(sim, 500))
			carry_out_unheard(sim, worker, action);
		answer_fault(worker, action, reached ? FAULT_AMBIGUOUS : FAULT_UNREACHABLE,
			     "connection reset by peer");
		sim_action_free(action);
	}
}

static void end_all(struct sim *sim, struct sim_worker *worker, bool reboot)
{
	static const int64_t exit_codes[] = { 0, 143, 137, 0 };
	struct sim_docker *docker = &worker->docker;
	for (size_t i = 0; i < docker->n_containers; i++) {
		struct sim_container *container = docker->containers[i];
		int64_t exit_code = reboot ? 137 : exit_codes[sim_draw(sim, 0, 3)];
		if (sim_container_runs(container))
			sim_container_end(sim, worker, container, ENDED_DOCKER, exit_code);
	}
}

/* An end that is only seen after a restart is taken for one by the restart: each excuses one attempt. */
static void excuse(struct sim *sim, struct sim_docker *docker)
{
	for (size_t i = 0; i < docker->n_containers; i++) {
		const struct sim_container *container = docker->containers[i];
		if (container->seen.state != CONTAINER_CREATED && !container->foreign)
			checker_task(sim, container->seen.task)->interruptions++;
	}
}

void sim_docker_stop(struct sim *sim, struct sim_worker *worker, bool live_restore)
{
	struct sim_docker *docker = &worker->docker;
	if (!docker->up)
		return;
	sim_tell(sim, worker->name, "docker stops%s", live_restore ? ", containers live on" : "");
	answer_all(sim, worker);
	docker->up = false;
	docker->frozen_until_ms = 0;
	docker->given_up = false;
	excuse(sim, docker);
	if (!live_restore)
		end_all(sim, worker, false);
	if (worker->up && worker->runtime_open)
		sim_worker_queue(worker, WORKER_RUNTIME_DOWN);
}

void sim_docker_start(struct sim *sim, struct sim_worker *worker)
{
	struct sim_docker *docker = &worker->docker;
	if (docker->up || worker->off)
		return;
	sim_tell(sim, worker->name, "docker starts");
	docker->up = true;
	docker->instance++;
	if (worker->up && worker->runtime_open)
		sim_worker_docker_up(worker);
}

/* ---- standing still ---- */

static void on_thawed(struct sim *sim, struct event *event)
{
	struct sim_worker *worker = event->subject;
	struct sim_docker *docker = &worker->docker;
	if (sim->now_ms < docker->frozen_until_ms || !docker->given_up)
		return;
	docker->given_up = false;
	if (docker->up && worker->up && worker->runtime_open)
		sim_worker_docker_up(worker);
}

void sim_docker_freeze(struct sim *sim, struct sim_worker *worker, int64_t for_ms)
{
	struct sim_docker *docker = &worker->docker;
	int64_t until_ms = for_ms == NEVER_MS ? NEVER_MS : sim->now_ms + for_ms;
	if (!docker->up || until_ms <= docker->frozen_until_ms)
		return;
	docker->frozen_until_ms = until_ms;
	if (for_ms == NEVER_MS) {
		sim_tell(sim, worker->name, "docker hangs for ever");
		return;
	}
	sim_tell(sim, worker->name, "docker hangs for %lld ms", (long long)for_ms);
	sim_plan(sim, for_ms, on_thawed, worker)->held_until_ms = &worker->asleep_until_ms;
}

/* ---- the machine ---- */

void sim_machine_off(struct sim *sim, struct sim_worker *worker)
{
	sim_worker_crash(sim, worker, -1);
	worker->docker.lives++;
	while (worker->docker.n_actions)
		sim_action_free(worker->docker.actions[--worker->docker.n_actions]);
	worker->docker.up = false;
	worker->docker.frozen_until_ms = 0;
	worker->docker.given_up = false;
	excuse(sim, &worker->docker);
	end_all(sim, worker, true);
	worker->off = true;
}

void sim_machine_on(struct sim *sim, struct sim_worker *worker)
{
	if (!worker->off || worker->broken)
		return;
	worker->off = false;
	worker->boot++;
	strings_release(&worker->files);
	worker->boot_at_ms = sim->now_ms;
	sim_docker_start(sim, worker);
	if (!worker->up)
		sim_worker_start(sim, worker);
}

void sim_docker_release(struct sim_docker *docker)
{
	while (docker->n_actions)
		sim_action_free(docker->actions[--docker->n_actions]);
	base_free(docker->actions);
	while (docker->n_containers)
		sim_docker_remove(docker, docker->containers[docker->n_containers - 1]);
	base_free(docker->containers);
	strings_release(&docker->images);
	strings_release(&docker->networks);
	strings_release(&docker->volumes);
	for (size_t i = 0; i < docker->n_ghosts; i++)
		container_seen_release(&docker->ghosts[i]);
	base_free(docker->ghosts);
}
