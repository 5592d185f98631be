/* What each verb does to the containers of a machine, and what containers do by themselves. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "sim.h"

/* ---- containers ---- */

struct sim_container *sim_docker_find(struct sim_docker *docker, const char *name)
{
	for (size_t i = 0; i < docker->n_containers; i++)
		if (strcmp(docker->containers[i]->seen.name, name) == 0)
			return docker->containers[i];
	return NULL;
}

static struct sim_container *find_number(struct sim_docker *docker, uint64_t number)
{
	for (size_t i = 0; i < docker->n_containers; i++)
		if (docker->containers[i]->number == number)
			return docker->containers[i];
	return NULL;
}

struct sim_container *sim_docker_add(struct sim_docker *docker, const char *name)
{
	struct sim_container *container = base_calloc(1, sizeof(*container));
	container->number = ++docker->containers_made;
	text_print(container->seen.name, sizeof(container->seen.name), "%s", name);
	text_print(container->seen.id, sizeof(container->seen.id), "id%llu",
		   (unsigned long long)container->number);
	container->seen.state = CONTAINER_CREATED;
	docker->containers = base_grow(docker->containers, docker->n_containers,
				       &docker->containers_capacity, sizeof(container));
	docker->containers[docker->n_containers++] = container;
	return container;
}

void sim_docker_remove(struct sim_docker *docker, struct sim_container *container)
{
	size_t at = 0;
	while (docker->containers[at] != container)
		at++;
	docker->n_containers--;
	memmove(docker->containers + at, docker->containers + at + 1,
		(docker->n_containers - at) * sizeof(container));
	container_seen_release(&container->seen);
	base_free(container->ports.items);
	strings_release(&container->volumes);
	strings_release(&container->networks);
	base_free(container);
}

bool sim_container_runs(const struct sim_container *container)
{
	return container->seen.state == CONTAINER_RUNNING;
}

static void on_hint(struct sim *sim, struct event *event)
{
	struct sim_worker *worker = event->subject;
	(void)sim;
	if (worker->up && worker->runtime_open)
		sim_worker_queue(worker, WORKER_HINT)->name = base_strdup(event->payload);
}

void sim_docker_hint(struct sim *sim, struct sim_worker *worker, const char *name)
{
	const struct sim_docker *docker = &worker->docker;
	bool speaks = docker->up && sim->now_ms >= docker->frozen_until_ms;
	if (!speaks || sim_strikes(sim, FAULT_HINT_LOST))
		return;
	struct event *event = sim_plan(sim, sim_draw(sim, 0, 30), on_hint, worker);
	event->payload = base_strdup(name);
	event->free_payload = base_free;
	event->lives = &worker->lives;
	event->life = worker->lives;
	event->held_until_ms = &worker->asleep_until_ms;
}

void sim_container_end(struct sim *sim, struct sim_worker *worker, struct sim_container *container,
		       int ended_by, int64_t exit_code)
{
	PRE(sim_container_runs(container));
	container->seen.state = CONTAINER_EXITED;
	container->seen.exit_code = exit_code;
	container->seen.health = HEALTH_NONE;
	container->seen.finished_wall_ms = clock_wall_ms(sim, &worker->clock);
	container->ended_by = ended_by;
	container->run++;
	sim->checker.truth_changed = true;
	sim_tell(sim, worker->name, "%s ends with %lld", container->seen.name,
		 (long long)exit_code);
	if (container->foreign)
		return;
	struct known_task *known = checker_task(sim, container->seen.task);
	if (ended_by == ENDED_ITSELF && exit_code == 0)
		known->exited_zero = true;
	sim_docker_hint(sim, worker, container->seen.name);
}

/* ---- what containers do by themselves ---- */

struct own_act {
	uint64_t container;
	uint64_t run;
	int64_t exit_code;
	int ended_by;
	int health; /* not 0: only the health changes */
	bool oom;
};

static void on_own_act(struct sim *sim, struct event *event)
{
	struct sim_worker *worker = event->subject;
	const struct own_act *act = event->payload;
	struct sim_container *container = find_number(&worker->docker, act->container);
	if (!container || container->run != act->run || !sim_container_runs(container))
		return;
	if (act->health && container->probed) {
		container->answers = sim->calm || act->health == HEALTH_HEALTHY;
		return;
	}
	if (act->health) {
		/* What has fallen ill by chance is well once the world is. */
		container->seen.health = sim->calm ? HEALTH_HEALTHY : act->health;
		sim_docker_hint(sim, worker, container->seen.name);
		return;
	}
	container->seen.oom_killed = act->oom;
	sim_container_end(sim, worker, container, act->ended_by, act->exit_code);
}

static void plan_act(struct sim *sim, struct sim_worker *worker,
		     const struct sim_container *container, int64_t in_ms, struct own_act act)
{
	act.container = container->number;
	act.run = container->run;
	struct event *event = sim_plan(sim, in_ms, on_own_act, worker);
	event->held_until_ms = &worker->asleep_until_ms;
	event->payload = base_memdup(&act, sizeof(act));
	event->free_payload = base_free;
}

static void live(struct sim *sim, struct sim_worker *worker, struct sim_container *container)
{
	static const int64_t exit_codes[] = { 1, 3, 139, 0 };
	struct own_act end = { .ended_by = ENDED_ITSELF };
	if (container->probed || strcmp(container->image, "well:1") == 0) {
		container->seen.health = container->probed ? HEALTH_NONE : HEALTH_STARTING;
		container->answers = false;
		bool ill = sim_strikes(sim, FAULT_UNHEALTHY);
		plan_act(sim, worker, container, sim_draw(sim, 500, 4000),
			 (struct own_act){ .health = HEALTH_HEALTHY });
		if (ill)
			plan_act(sim, worker, container, sim_draw(sim, 500, 20000),
				 (struct own_act){ .health = HEALTH_UNHEALTHY });
	}
	if (sim_strikes(sim, FAULT_OOM)) {
		end.exit_code = 137;
		end.oom = true;
		plan_act(sim, worker, container, sim_draw(sim, 10, 30000), end);
	} else if (sim_strikes(sim, FAULT_EXIT)) {
		end.exit_code = exit_codes[sim_draw(sim, 0, 3)];
		plan_act(sim, worker, container, sim_draw(sim, 1, 40000), end);
	} else if (strcmp(container->image, "slow:1") == 0) {
		plan_act(sim, worker, container, sim_draw_wide(sim, 1000, 150000), end);
	} else if (container->batch) {
		plan_act(sim, worker, container, sim_draw(sim, 1, 15000), end);
	}
}

/* ---- verbs ---- */

static int fail(struct container_result *result, int fault, const char *words)
{
	base_free(result->message);
	result->message = base_strdup(words);
	return fault;
}

static int do_pull(struct sim *sim, struct sim_worker *worker, const struct sim_action *action,
		   struct container_result *result)
{
	const char *image = action->spec.image;
	if (strings_has(&worker->docker.images, image))
		return FAULT_NONE;
	if (worker->up && worker->runtime_open)
		sim_worker_queue(worker, WORKER_PULLING)->event.op = action->action.op;
	if (sim_strikes(sim, FAULT_PULL_BROKEN))
		return fail(result, FAULT_PULL_FAILED, "no route to host");
	if (sim_strikes(sim, FAULT_IMAGE_MISSING))
		return fail(result, FAULT_IMAGE_NOT_FOUND, "manifest unknown");
	strings_add(&worker->docker.images, image);
	return FAULT_NONE;
}

/* Somebody else's container under the very name: it has no label of ours. */
static void squat(struct sim *sim, struct sim_worker *worker, const char *name)
{
	struct sim_container *container = sim_docker_add(&worker->docker, name);
	container->foreign = true;
	container->seen.state = sim_chance(sim, 500) ? CONTAINER_RUNNING : CONTAINER_CREATED;
	if (sim_chance(sim, 500))
		container->seen.cluster.bytes[0] = 0xee;
}

static int do_create(struct sim *sim, struct sim_worker *worker, struct sim_action *action,
		     struct container_result *result)
{
	struct sim_docker *docker = &worker->docker;
	const struct container_action *from = &action->action;
	if (!sim_docker_find(docker, from->name) && sim_strikes(sim, FAULT_NAME_TAKEN))
		squat(sim, worker, from->name);
	if (sim_docker_find(docker, from->name))
		return fail(result, FAULT_CONFLICT, "the name is already in use");
	if (!strings_has(&docker->images, action->spec.image))
		return fail(result, FAULT_IMAGE_NOT_FOUND, "No such image");
	struct sim_container *container = sim_docker_add(docker, from->name);
	container->seen.cluster = from->cluster;
	container->seen.task = from->task;
	container->seen.attempt = from->attempt;
	container->memory_bytes = action->spec.reservations.memory_bytes;
	container->cpu_milli = action->spec.reservations.cpu_milli;
	container->exclusive = job_spec_lease_ms(&action->spec) > 0;
	container->probed = action->spec.probe != NULL;
	container->batch = strcmp(action->spec.image, "batch:1") == 0;
	container->ignores_stop = strcmp(action->spec.image, "stubborn:1") == 0 ||
				  sim_strikes(sim, FAULT_STOP_IGNORED);
	text_print(container->image, sizeof(container->image), "%s", action->spec.image);
	for (size_t i = 0; i < action->ports.n; i++)
		*(struct port_grant *)list_add(&container->ports, sizeof(struct port_grant)) =
			action->ports.items[i];
	for (size_t i = 0; i < action->volumes.n; i++)
		strings_add(&container->volumes, action->volumes.items[i]);
	for (size_t i = 0; i < action->networks.n; i++)
		strings_add(&container->networks, action->networks.items[i]);
	const struct restart_policy *policy = &action->spec.restart;
	struct known_task *known = checker_task(sim, from->task);
	known->restarts_max = policy->condition == RESTART_NONE		   ? 0
			      : policy->max_attempts && !policy->window_ms ? policy->max_attempts
									   : -1;
	sim->checker.truth_changed = true;
	checker_container_made(sim, worker, container);
	container_seen_copy(&result->seen, &container->seen);
	return FAULT_NONE;
}

static bool holds_port(const struct sim_container *container, int64_t host_port)
{
	for (size_t i = 0; i < container->ports.n; i++)
		if (container->ports.items[i].host_port == host_port)
			return true;
	return false;
}

static bool port_is_taken(struct sim *sim, struct sim_worker *worker,
			  const struct sim_container *container)
{
	struct sim_docker *docker = &worker->docker;
	for (size_t i = 0; i < container->ports.n; i++) {
		int64_t host_port = container->ports.items[i].host_port;
		if (host_port && host_port == docker->foreign_port)
			return true;
		for (size_t j = 0; j < docker->n_containers; j++) {
			const struct sim_container *other = docker->containers[j];
			if (other == container || !sim_container_runs(other) ||
			    !holds_port(other, host_port))
				continue;
			checker_port_refused(sim, worker, container, other);
			return true;
		}
	}
	return false;
}

static int do_start(struct sim *sim, struct sim_worker *worker, struct sim_container *container,
		    struct container_result *result)
{
	if (!container)
		return fail(result, FAULT_NOT_FOUND, "No such container");
	if (sim_container_runs(container))
		return FAULT_NONE;
	if (strcmp(container->image, "frob:1") == 0)
		return fail(result, FAULT_COMMAND_NOT_FOUND, "executable file not found in $PATH");
	if (port_is_taken(sim, worker, container))
		return fail(result, FAULT_PORT_TAKEN, "port is already allocated");
	container->seen.state = CONTAINER_RUNNING;
	container->seen.exit_code = 0;
	container->seen.oom_killed = false;
	container->seen.started_wall_ms = clock_wall_ms(sim, &worker->clock);
	container->seen.finished_wall_ms = 0;
	container->ended_by = ENDED_NOT;
	container->run++;
	worker->docker.containers_started++;
	sim->checker.truth_changed = true;
	sim_tell(sim, worker->name, "%s runs", container->seen.name);
	checker_container_started(sim, worker, container);
	live(sim, worker, container);
	sim_docker_hint(sim, worker, container->seen.name);
	return FAULT_NONE;
}

static int do_kill(struct sim *sim, struct sim_worker *worker, struct sim_container *container,
		   const char *signal, struct container_result *result)
{
	if (!container)
		return fail(result, FAULT_NOT_FOUND, "No such container");
	if (!sim_container_runs(container))
		return FAULT_NONE;
	container->signalled = true;
	struct own_act end = { .ended_by = ENDED_SIGNAL };
	if (strcmp(signal, "SIGKILL") == 0) {
		end.exit_code = 137;
		plan_act(sim, worker, container, sim_draw(sim, 0, 60), end);
	} else if (!container->ignores_stop) {
		end.exit_code = sim_chance(sim, 500) ? 0 : 143;
		plan_act(sim, worker, container, sim_draw(sim, 5, 1500), end);
	}
	return FAULT_NONE;
}

static int do_remove(struct sim *sim, struct sim_worker *worker, struct sim_container *container,
		     struct container_result *result)
{
	if (!container)
		return FAULT_NONE;
	if (sim_container_runs(container))
		return fail(result, FAULT_CONFLICT, "it is running");
	sim_docker_remove(&worker->docker, container);
	sim->checker.truth_changed = true;
	return FAULT_NONE;
}

/* The old list goes out, the present one is kept as the next old one. */
static void swap_ghosts(struct sim_docker *docker, struct container_result *result)
{
	struct container_seen *ghosts = docker->ghosts;
	size_t n_ghosts = docker->n_ghosts;
	docker->ghosts = result->list;
	docker->n_ghosts = result->n_list;
	result->list = ghosts;
	result->n_list = n_ghosts;
}

static void keep_ghosts(struct sim_docker *docker, const struct container_result *result)
{
	for (size_t i = 0; i < docker->n_ghosts; i++)
		container_seen_release(&docker->ghosts[i]);
	docker->ghosts = base_realloc(docker->ghosts, result->n_list + 1, sizeof(*docker->ghosts));
	docker->n_ghosts = result->n_list;
	for (size_t i = 0; i < result->n_list; i++)
		container_seen_copy(&docker->ghosts[i], &result->list[i]);
}

static void drop_running(struct container_result *result)
{
	size_t kept = 0;
	for (size_t i = 0; i < result->n_list; i++) {
		struct container_seen *seen = &result->list[i];
		if (seen->state == CONTAINER_RUNNING || seen->state == CONTAINER_PAUSED)
			container_seen_release(seen);
		else
			result->list[kept++] = *seen;
	}
	result->n_list = kept;
}

static int do_list(struct sim *sim, struct sim_worker *worker, bool ended,
		   struct container_result *result)
{
	struct sim_docker *docker = &worker->docker;
	struct uuid cluster = worker->cluster;
	result->list = base_calloc(docker->n_containers + 1, sizeof(struct container_seen));
	for (size_t i = 0; i < docker->n_containers; i++) {
		const struct container_seen *seen = &docker->containers[i]->seen;
		if (!uuid_is_zero(cluster) && uuid_equal(seen->cluster, cluster))
			container_seen_copy(&result->list[result->n_list++], seen);
	}
	for (size_t i = 0; i < docker->networks.n; i++)
		strings_add(&result->networks, docker->networks.items[i]);
	if (docker->ghosts && sim_strikes(sim, FAULT_LIST_STALE))
		swap_ghosts(docker, result);
	else
		keep_ghosts(docker, result);
	if (ended)
		drop_running(result);
	return FAULT_NONE;
}

/* One that no other container and no other run of it has. */
static char *address_of(const struct sim_container *container)
{
	char address[64];
	return base_strdup(text_print(address, sizeof(address), "%llu.%llu",
				      (unsigned long long)container->number,
				      (unsigned long long)container->run));
}

static int do_inspect(struct sim_worker *worker, const struct sim_container *container,
		      const char *network, struct container_result *result)
{
	result->daemon_instance = worker->docker.instance;
	if (!container)
		return fail(result, FAULT_NOT_FOUND, "No such container");
	container_seen_copy(&result->seen, &container->seen);
	if (network && sim_container_runs(container))
		result->seen.address = address_of(container);
	return FAULT_NONE;
}

/* Nobody but the container itself is ever asked; who has ended does not answer. Once the world is calm all others do,
 * for a check may be stricter than a container is quick. */
static int do_probe(const struct sim *sim, const struct sim_container *container, const char *asked,
		    struct container_result *result)
{
	if (!container || !sim_container_runs(container))
		return fail(result, FAULT_CHECK_FAILED, "found the port closed");
	_cleanup_free_ char *address = address_of(container);
	INVARIANT(strcmp(asked, address) == 0);
	return container->answers || sim->calm ? FAULT_NONE
					       : fail(result, FAULT_CHECK_FAILED, "answered 503");
}

static int do_exec(struct sim *sim, const struct sim_container *container,
		   struct container_result *result)
{
	if (!container)
		return fail(result, FAULT_NOT_FOUND, "No such container");
	if (!sim_container_runs(container))
		return fail(result, FAULT_CONFLICT, "Container is not running");
	if (sim_strikes(sim, FAULT_HOOK))
		return fail(result, FAULT_HOOK_FAILED, "exited with status 3");
	return FAULT_NONE;
}

static int do_resource(struct sim_docker *docker, struct strings *strings, const char *name,
		       bool ensure, struct container_result *result)
{
	PRE(name);
	if (ensure) {
		if (!strings_has(strings, name))
			strings_add(strings, name);
		return FAULT_NONE;
	}
	for (size_t i = 0; i < docker->n_containers; i++) {
		const struct sim_container *container = docker->containers[i];
		bool used = strings == &docker->volumes
				    ? strings_has(&container->volumes, name)
				    : sim_container_runs(container) &&
					      strings_has(&container->networks, name);
		if (used)
			return fail(result, FAULT_CONFLICT, "it is in use");
	}
	struct strings kept = { 0 };
	for (size_t i = 0; i < strings->n; i++)
		if (strcmp(strings->items[i], name) != 0)
			strings_add(&kept, strings->items[i]);
	strings_release(strings);
	*strings = kept;
	return FAULT_NONE;
}

int sim_docker_carry_out(struct sim *sim, struct sim_worker *worker, struct sim_action *action,
			 struct container_result *result)
{
	struct sim_docker *docker = &worker->docker;
	const struct container_action *from = &action->action;
	struct sim_container *container = sim_docker_find(docker, from->name);
	if (container)
		checker_container_touched(sim, worker, container, from->verb);
	switch (from->verb) {
	case CONTAINER_PULL: return do_pull(sim, worker, action, result);
	case CONTAINER_CREATE: return do_create(sim, worker, action, result);
	case CONTAINER_START: return do_start(sim, worker, container, result);
	case CONTAINER_KILL: return do_kill(sim, worker, container, action->signal, result);
	case CONTAINER_REMOVE: return do_remove(sim, worker, container, result);
	case CONTAINER_INSPECT: return do_inspect(worker, container, action->resource, result);
	case CONTAINER_EXEC: return do_exec(sim, container, result);
	case CONTAINER_PROBE: return do_probe(sim, container, action->address, result);
	case CONTAINER_LIST: return do_list(sim, worker, from->ended, result);
	case CONTAINER_NETWORK_ENSURE:
		return do_resource(docker, &docker->networks, action->resource, true, result);
	case CONTAINER_NETWORK_REMOVE:
		return do_resource(docker, &docker->networks, action->resource, false, result);
	case CONTAINER_VOLUME_ENSURE:
		return do_resource(docker, &docker->volumes, action->resource, true, result);
	case CONTAINER_VOLUME_REMOVE:
		return do_resource(docker, &docker->volumes, action->resource, false, result);
	default: UNREACHABLE("no such verb");
	}
}
