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

void sim_action_free(void *memory)
{
	struct sim_action *action = memory;
	record_release(&job_spec_type, &action->spec);
	base_free(action->signal);
	base_free(action->resource);
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

static void on_due(struct sim *sim, struct event *event)
{
	struct sim_worker *worker = event->subject;
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

static void on_hung_answer(struct sim *sim, struct event *event)
{
	struct sim_worker *worker = event->subject;
	struct sim_action *action = take_action(&worker->docker, event->number);
	(void)sim;
	if (!action)
		return;
	answer_fault(worker, action, FAULT_AMBIGUOUS, "deadline exceeded");
	sim_action_free(action);
}

static struct event *plan(struct sim *sim, struct sim_worker *worker, int64_t in_ms, event_fn *run,
			  uint64_t number)
{
	struct event *event = sim_plan(sim, in_ms, run, worker);
	event->number = number;
	event->lives = &worker->docker.lives;
	event->life = worker->docker.lives;
	return event;
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
	if (!docker->up) {
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
		if (docker->up && sim_chance(sim, ORPHAN_RUNS_PER_MILLE))
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
	excuse(sim, docker);
	if (!live_restore)
		end_all(sim, worker, false);
	if (worker->up && worker->runtime_open)
		sim_worker_queue(worker, WORKER_RUNTIME_DOWN);
}

void sim_docker_start(struct sim *sim, struct sim_worker *worker)
{
	struct sim_docker *docker = &worker->docker;
	if (docker->up)
		return;
	sim_tell(sim, worker->name, "docker starts");
	docker->up = true;
	docker->instance++;
	if (worker->up && worker->runtime_open)
		sim_worker_docker_up(worker);
}

/* ---- faults that come by themselves ---- */

static void on_docker_back(struct sim *sim, struct event *event)
{
	sim_docker_start(sim, event->subject);
}

static void on_worker_back(struct sim *sim, struct event *event)
{
	struct sim_worker *worker = event->subject;
	sim_docker_start(sim, worker);
	if (!worker->up)
		sim_worker_start(sim, worker);
}

static void reboot(struct sim *sim, struct sim_worker *worker)
{
	sim_tell(sim, worker->name, "machine reboots");
	sim_worker_crash(sim, worker, -1);
	worker->docker.lives++;
	while (worker->docker.n_actions)
		sim_action_free(worker->docker.actions[--worker->docker.n_actions]);
	worker->docker.up = false;
	excuse(sim, &worker->docker);
	end_all(sim, worker, true);
	worker->boot++;
	worker->boot_at_ms = sim->now_ms;
	sim_plan(sim, sim_draw(sim, 1000, 40000), on_worker_back, worker);
}

static void remove_one(struct sim *sim, struct sim_worker *worker)
{
	struct sim_docker *docker = &worker->docker;
	if (!docker->n_containers)
		return;
	struct sim_container *container =
		docker->containers[sim_draw(sim, 0, (int64_t)docker->n_containers - 1)];
	if (container->foreign)
		return;
	sim_tell(sim, worker->name, "somebody removes %s", container->seen.name);
	/* Whether it had run is not known any more. */
	checker_task(sim, container->seen.task)->interruptions++;
	if (sim_container_runs(container))
		sim_container_end(sim, worker, container, ENDED_OTHERS, 137);
	char name[CONTAINER_NAME_SIZE];
	memcpy(name, container->seen.name, sizeof(name));
	sim_docker_remove(docker, container);
	sim_docker_hint(sim, worker, name);
}

static void strike_machine(struct sim *sim, struct sim_worker *worker)
{
	if (sim_strikes(sim, FAULT_PARTITION))
		network_cut(sim, worker, sim_draw(sim, 500, 45000));
	if (sim_strikes(sim, FAULT_WORKER_CRASH))
		sim_worker_crash(sim, worker, sim_draw(sim, 50, 25000));
	if (sim_strikes(sim, FAULT_STORE_FULL))
		worker->store.full = !worker->store.full;
	else if (worker->store.full && sim_chance(sim, 500))
		worker->store.full = false;
	if (worker->docker.up && sim_strikes(sim, FAULT_REBOOT)) {
		reboot(sim, worker);
		return;
	}
	bool live_restore = sim_strikes(sim, FAULT_LIVE_RESTORE);
	if (worker->docker.up && (live_restore || sim_strikes(sim, FAULT_DOCKER_RESTART))) {
		sim_docker_stop(sim, worker, live_restore);
		sim_plan(sim, sim_draw(sim, 100, 20000), on_docker_back, worker);
	}
	if (sim_strikes(sim, FAULT_REMOVED_BY_OTHERS))
		remove_one(sim, worker);
	worker->docker.foreign_port =
		sim_strikes(sim, FAULT_PORT_HELD) ? sim_draw(sim, 8000, 8009) : 0;
}

static void on_faults(struct sim *sim, struct event *event)
{
	(void)event;
	if (sim->calm)
		return;
	for (int i = 0; i < sim->n_workers; i++)
		if (sim_chance(sim, 500))
			strike_machine(sim, &sim->workers[i]);
	if (sim_strikes(sim, FAULT_MANAGER_CRASH))
		sim_manager_crash(sim, sim_draw(sim, 50, 25000));
	if (sim_strikes(sim, FAULT_STORE_FULL))
		sim->manager.store.full = !sim->manager.store.full;
	else if (sim->manager.store.full && sim_chance(sim, 500))
		sim->manager.store.full = false;
	if (sim_strikes(sim, FAULT_CLOCK_JUMP))
		sim->wall_jump_ms = sim_draw(sim, -3600 * 1000, 3600 * 1000);
	sim_docker_plan_faults(sim);
}

void sim_docker_plan_faults(struct sim *sim)
{
	sim_plan(sim, sim_draw(sim, 1000, 12000), on_faults, NULL);
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
