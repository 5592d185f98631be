/* The table that stands for Docker in the worker's stories. */
#include <string.h>

#include "worker_world.h"

// clang-format off
static const struct program programs[] = {
	/* Runs until it is stopped, and exits 0 then. */
	{ .image = "app:1" },
	{ .image = "stubborn:1", .ignores_stop = true },
	{ .image = "done:1", .runs_ms = 200 },
	{ .image = "exit3:1", .runs_ms = 100, .exit_code = 3 },
	{ .image = "late3:1", .runs_ms = 60000, .exit_code = 3 },
	{ .image = "segv:1", .runs_ms = 100, .exit_code = 139 },
	{ .image = "oom:1", .runs_ms = 100, .exit_code = 137, .oom = true },
	{ .image = "oomlate:1", .runs_ms = 100, .exit_code = 137, .oom = true, .oom_told_late = true },
	{ .image = "instant:1", .runs_ms = 1 },
	{ .image = "well:1", .health_at_ms = 500, .health = HEALTH_HEALTHY },
	{ .image = "sick:1", .health_at_ms = 500, .health = HEALTH_UNHEALTHY },
	{ .image = "frob:1", .start_fault = FAULT_COMMAND_NOT_FOUND,
	  .start_words = "exec: \"frob\": executable file not found in $PATH" },
};
// clang-format on

#define STOP_TAKES_MS 50
#define NEVER	      INT64_MAX

const struct program *program_find(const char *image)
{
	for (size_t i = 0; i < ARRAY_LEN(programs); i++)
		if (!strcmp(programs[i].image, image))
			return &programs[i];
	return NULL;
}

static struct world_container *find(struct world *world, const char *name)
{
	for (size_t i = 0; i < world->n_containers; i++)
		if (!strcmp(world->containers[i].seen.name, name))
			return &world->containers[i];
	return NULL;
}

struct world_container *world_container(struct world *world, struct task_id id, int64_t attempt)
{
	char name[CONTAINER_NAME_SIZE];
	container_name(id, attempt, name);
	return find(world, name);
}

static bool runs(const struct world_container *container)
{
	return container->seen.state == CONTAINER_RUNNING ||
	       container->seen.state == CONTAINER_PAUSED;
}

int world_running(const struct world *world, struct task_id id)
{
	int n = 0;
	for (size_t i = 0; i < world->n_containers; i++)
		n += runs(&world->containers[i]) &&
		     uuid_equal(world->containers[i].seen.task.uuid, id.uuid);
	return n;
}

struct world_container *world_put_container(struct world *world, const char *name,
					    struct uuid cluster, struct task_id id, int64_t attempt)
{
	assert_true(world->n_containers < WORLD_CONTAINERS);
	struct world_container *container = &world->containers[world->n_containers++];
	*container = (struct world_container){ .ends_at_ms = NEVER,
					       .health_at_ms = NEVER,
					       .stops_at_ms = NEVER };
	text_print(container->seen.name, CONTAINER_NAME_SIZE, "%s", name);
	text_print(container->seen.id, sizeof(container->seen.id), "id-%s", name);
	container->seen.cluster = cluster;
	container->seen.task = id;
	container->seen.attempt = attempt;
	container->seen.state = CONTAINER_CREATED;
	container->program = program_find("app:1");
	return container;
}

void world_remove_container(struct world *world, struct world_container *container)
{
	container_seen_release(&container->seen);
	size_t at = (size_t)(container - world->containers);
	memmove(container, container + 1, (world->n_containers - at - 1) * sizeof(*container));
	world->n_containers--;
}

static void end_container(struct world *world, struct world_container *container, int64_t exit_code)
{
	container->seen.state = CONTAINER_EXITED;
	container->seen.exit_code = exit_code;
	container->seen.health = HEALTH_NONE;
	container->seen.finished_wall_ms = world_wall_ms(world);
	container->ends_at_ms = NEVER;
	container->health_at_ms = NEVER;
	container->stops_at_ms = NEVER;
}

static void start_container(struct world *world, struct world_container *container)
{
	const struct program *program = container->program;
	if (runs(container))
		return;
	container->seen.state = CONTAINER_RUNNING;
	container->seen.started_wall_ms = world_wall_ms(world);
	container->seen.exit_code = 0;
	text_print(container->address, sizeof(container->address), "10.0.0.%d", ++world->n_starts);
	container->ends_at_ms = program->runs_ms ? world->now_ms + program->runs_ms : NEVER;
	container->stops_at_ms = NEVER;
	if (program->health_at_ms) {
		container->seen.health = HEALTH_STARTING;
		container->health_at_ms = world->now_ms + program->health_at_ms;
	}
}

/* ---- verbs ---- */

static int answer(struct container_result *result, int fault, const char *words)
{
	result->message = base_strdup(words);
	return fault;
}

static int do_create(struct world *world, struct world_action *todo,
		     struct container_result *result)
{
	const struct container_action *action = &todo->action;
	if (find(world, action->name))
		return answer(result, FAULT_CONFLICT, "the name is in use");
	const struct program *program = program_find(todo->image);
	if (!program)
		return answer(result, FAULT_IMAGE_NOT_FOUND, "No such image");
	struct world_container *container = world_put_container(
		world, action->name, action->cluster, action->task, action->attempt);
	container->program = program;
	container->anonymous_volume_kept = todo->previous && find(world, todo->previous);
	container_seen_copy(&result->seen, &container->seen);
	return FAULT_NONE;
}

static int do_start(struct world *world, struct world_container *container,
		    struct container_result *result)
{
	if (!container)
		return answer(result, FAULT_NOT_FOUND, "No such container");
	if (container->program->start_fault)
		return answer(result, (int)container->program->start_fault,
			      container->program->start_words);
	start_container(world, container);
	return FAULT_NONE;
}

static int do_kill(struct world *world, struct world_container *container, const char *signal,
		   struct container_result *result)
{
	if (!container)
		return answer(result, FAULT_NOT_FOUND, "No such container");
	if (!runs(container))
		return FAULT_NONE;
	if (!strcmp(signal, "SIGKILL"))
		container->stops_at_ms = world->now_ms;
	else if (!container->program->ignores_stop && container->seen.state == CONTAINER_RUNNING)
		container->stops_at_ms = world->now_ms + STOP_TAKES_MS;
	if (!strcmp(signal, "SIGKILL"))
		container->seen.exit_code = 137;
	return FAULT_NONE;
}

static int do_list(struct world *world, bool ended, struct container_result *result)
{
	for (size_t i = 0; i < world->n_containers; i++) {
		const struct world_container *container = &world->containers[i];
		if (!uuid_equal(container->seen.cluster, world->cluster) ||
		    (ended && runs(container)))
			continue;
		result->list = base_realloc(result->list, result->n_list + 1,
					    sizeof(struct container_seen));
		container_seen_copy(&result->list[result->n_list++], &container->seen);
	}
	for (size_t i = 0; i < world->networks.n; i++)
		strings_add(&result->networks, world->networks.items[i]);
	return FAULT_NONE;
}

static int do_inspect(struct world *world, struct world_container *container, const char *network,
		      struct container_result *result)
{
	result->daemon_instance = world->instance;
	if (!container)
		return answer(result, FAULT_NOT_FOUND, "No such container");
	container_seen_copy(&result->seen, &container->seen);
	if (container->seen.state == CONTAINER_EXITED && container->program->oom_told_late &&
	    container->looked++ == 0)
		result->seen.oom_killed = false;
	if (network && runs(container) && !world->no_addresses)
		result->seen.address = base_strdup(container->address);
	return FAULT_NONE;
}

/* Whose address it was may have ended meanwhile; it is nobody else's. */
static int do_probe(struct world *world, const struct world_container *container,
		    const struct world_action *todo, struct container_result *result)
{
	const char *address = todo->address;
	for (size_t i = 0; i < world->n_containers; i++)
		if (&world->containers[i] != container && runs(&world->containers[i]))
			assert_string_not_equal(world->containers[i].address, address);
	if (!container || container->seen.state != CONTAINER_RUNNING)
		return answer(result, FAULT_CHECK_FAILED, "found the port closed");
	if (world->probe_ms > todo->action.timeout_ms)
		return answer(result, FAULT_CHECK_FAILED, "gave no answer in time");
	return world->ill ? answer(result, FAULT_CHECK_FAILED, world->ill) : FAULT_NONE;
}

static int do_exec(struct world *world, struct world_container *container,
		   const struct world_action *todo, struct container_result *result)
{
	if (!container)
		return answer(result, FAULT_NOT_FOUND, "No such container");
	if (container->seen.state != CONTAINER_RUNNING)
		return answer(result, FAULT_CONFLICT, "Container is not running");
	text_addf(&world->hooks, "%lld:%s ", (long long)container->seen.attempt, todo->hook);
	if (world->hook_ms > todo->action.timeout_ms)
		return answer(result, FAULT_HOOK_FAILED, "did not end in time");
	if (!strcmp(todo->hook, "quit"))
		end_container(world, container, 0);
	if (!strcmp(todo->hook, "bad"))
		return answer(result, FAULT_HOOK_FAILED, "exited with status 3: no luck");
	return FAULT_NONE;
}

static void drop_string(struct strings *strings, const char *string)
{
	struct strings kept = { 0 };
	for (size_t i = 0; i < strings->n; i++)
		if (strcmp(strings->items[i], string) != 0)
			strings_add(&kept, strings->items[i]);
	strings_release(strings);
	*strings = kept;
}

static int do_resource(struct strings *strings, const char *name, bool ensure)
{
	assert_non_null(name);
	if (!ensure)
		drop_string(strings, name);
	else if (!strings_has(strings, name))
		strings_add(strings, name);
	return FAULT_NONE;
}

/* I12: what has not our label is never acted on. */
static void check_ours(const struct world *world, const struct world_container *container)
{
	if (container)
		assert_true(uuid_equal(container->seen.cluster, world->cluster));
}

/* The worker's shell does this, but it takes its time here as all actions do. */
static int do_files(struct world *world, const struct world_action *todo,
		    struct container_result *result)
{
	if (world_has_files(world, todo->action.task))
		return FAULT_NONE;
	if (!todo->has_contents)
		return answer(result, FAULT_NOT_FOUND, NULL);
	char id[UUID_TEXT_SIZE];
	strings_add(&world->files, uuid_format(todo->action.task.uuid, id));
	return FAULT_NONE;
}

bool world_has_files(const struct world *world, struct task_id id)
{
	char text[UUID_TEXT_SIZE];
	return strings_has(&world->files, uuid_format(id.uuid, text));
}

void docker_sweep_files(struct world *world)
{
	for (size_t i = world->files.n; i-- > 0;) {
		struct task_id id;
		assert_int_equal(uuid_parse(world->files.items[i], &id.uuid, NULL), ERR_NONE);
		if (!worker_needs_files(world->worker, id))
			drop_string(&world->files, world->files.items[i]);
	}
}

static int carry_out(struct world *world, struct world_action *todo,
		     struct container_result *result)
{
	const struct container_action *action = &todo->action;
	struct world_container *container = find(world, action->name);
	world->n_done[action->verb]++;
	switch (action->verb) {
	case CONTAINER_PULL:
		if (program_find(todo->image))
			return FAULT_NONE;
		return answer(result, FAULT_IMAGE_NOT_FOUND, "manifest unknown");
	case CONTAINER_FILES: return do_files(world, todo, result);
	case CONTAINER_CREATE: return do_create(world, todo, result);
	case CONTAINER_START:
		check_ours(world, container);
		/* What is mounted must be there. */
		assert_true(!todo->n_files || world_has_files(world, action->task));
		return do_start(world, container, result);
	case CONTAINER_KILL:
		check_ours(world, container);
		return do_kill(world, container, todo->signal, result);
	case CONTAINER_REMOVE:
		check_ours(world, container);
		if (container && runs(container))
			return answer(result, FAULT_CONFLICT, "it is running");
		if (container)
			world_remove_container(world, container);
		return FAULT_NONE;
	case CONTAINER_INSPECT: return do_inspect(world, container, todo->resource, result);
	case CONTAINER_EXEC:
		check_ours(world, container);
		return do_exec(world, container, todo, result);
	case CONTAINER_PROBE: return do_probe(world, container, todo, result);
	case CONTAINER_LIST: return do_list(world, action->ended, result);
	case CONTAINER_NETWORK_ENSURE: return do_resource(&world->networks, todo->resource, true);
	case CONTAINER_NETWORK_REMOVE: return do_resource(&world->networks, todo->resource, false);
	case CONTAINER_VOLUME_ENSURE: return do_resource(&world->volumes, todo->resource, true);
	case CONTAINER_VOLUME_REMOVE: return do_resource(&world->volumes, todo->resource, false);
	default: fail_msg("no such verb: %d", action->verb); return FAULT_FAILED;
	}
}

/* ---- actions in flight ---- */

void docker_submit(struct world *world, const struct container_action *action)
{
	assert_true(world->n_actions < WORLD_ACTIONS);
	assert_true(action->timeout_ms > 0);
	bool probe = action->verb == CONTAINER_PROBE;
	if (probe)
		world->probed_ms = world->now_ms;
	struct world_action *todo = &world->actions[world->n_actions++];
	*todo = (struct world_action){
		.action = *action,
		.resource = base_strdup(action->resource_name),
		.signal = base_strdup(action->signal),
		.previous = base_strdup(action->previous),
		.image = base_strdup(action->spec ? action->spec->image : NULL),
		.address = base_strdup(action->address),
		.hook = base_strdup(action->hook ? action->hook->command.items[0] : NULL),
		.due_ms = world->now_ms + world->latency_ms,
	};
	todo->n_files = action->spec ? job_spec_n_contents(action->spec) : 0;
	todo->has_contents = action->verb == CONTAINER_FILES;
	for (size_t i = 0; todo->has_contents && i < todo->n_files; i++)
		todo->has_contents = action->contents[i] != NULL;
	if (probe)
		todo->due_ms =
			world->now_ms + (world->probe_ms < action->timeout_ms ? world->probe_ms
									      : action->timeout_ms);
	if (action->verb == CONTAINER_EXEC)
		todo->due_ms =
			world->now_ms +
			(world->hook_ms < action->timeout_ms ? world->hook_ms : action->timeout_ms);
	/* Never two actions of one task, but for its health check, of which there is one, and a hook that is left. */
	for (size_t i = 0; i + 1 < world->n_actions && action->task.uuid.bytes[0]; i++)
		assert_false(uuid_equal(world->actions[i].action.task.uuid, action->task.uuid) &&
			     (world->actions[i].action.verb == CONTAINER_PROBE) == probe &&
			     world->actions[i].action.verb != CONTAINER_EXEC &&
			     action->verb != CONTAINER_LIST);
}

static void release_action(struct world *world, size_t at)
{
	struct world_action *todo = &world->actions[at];
	base_free(todo->resource);
	base_free(todo->signal);
	base_free(todo->previous);
	base_free(todo->image);
	base_free(todo->address);
	base_free(todo->hook);
	memmove(todo, todo + 1, (world->n_actions - at - 1) * sizeof(*todo));
	world->n_actions--;
}

void docker_cancel(struct world *world, uint64_t op)
{
	for (size_t i = 0; i < world->n_actions; i++) {
		if (world->actions[i].action.op != op)
			continue;
		assert_int_equal(world->actions[i].action.verb, CONTAINER_PROBE);
		release_action(world, i);
		return;
	}
}

void docker_drop_actions(struct world *world, bool happens)
{
	while (world->n_actions) {
		struct container_result result = { 0 };
		if (happens && world->docker_up)
			carry_out(world, &world->actions[0], &result);
		container_result_release(&result);
		release_action(world, 0);
	}
}

static int strike(struct world *world, struct world_action *todo, struct container_result *result)
{
	for (size_t i = 0; i < world->n_faults; i++) {
		struct world_fault *fault = &world->faults[i];
		if (fault->verb != todo->action.verb || fault->times == 0 ||
		    (fault->whole && todo->action.ended))
			continue;
		fault->times--;
		if (fault->happens) {
			struct container_result unheard = { 0 };
			carry_out(world, todo, &unheard);
			container_result_release(&unheard);
		}
		return answer(result, fault->fault, fault->words);
	}
	return carry_out(world, todo, result);
}

static void answer_action(struct world *world, size_t at)
{
	struct world_action *todo = &world->actions[at];
	struct container_result result = { .op = todo->action.op, .verb = todo->action.verb };
	if (!world->docker_up)
		result.fault = answer(&result, FAULT_UNREACHABLE, "connection refused");
	else
		result.fault = strike(world, todo, &result);
	release_action(world, at);
	world_event(world, &(struct worker_event){ .kind = WORKER_ACTION_DONE, .result = &result });
	container_result_release(&result);
}

static bool crash_here(struct world *world)
{
	if (world->crash_at == 0 || --world->crash_at > 0)
		return false;
	docker_drop_actions(world, world->crash_after);
	world->crashed = true;
	world_crash(world);
	return true;
}

/* ---- time ---- */

static int64_t container_next_ms(const struct world_container *container)
{
	int64_t at_ms = container->ends_at_ms;
	if (container->stops_at_ms < at_ms)
		at_ms = container->stops_at_ms;
	if (container->health_at_ms < at_ms)
		at_ms = container->health_at_ms;
	return at_ms;
}

int64_t docker_next_ms(const struct world *world)
{
	int64_t at_ms = NEVER;
	for (size_t i = 0; i < world->n_containers; i++)
		if (container_next_ms(&world->containers[i]) < at_ms)
			at_ms = container_next_ms(&world->containers[i]);
	for (size_t i = 0; i < world->n_actions; i++)
		if (world->actions[i].due_ms < at_ms)
			at_ms = world->actions[i].due_ms;
	return at_ms;
}

static void turn_container(struct world *world, struct world_container *container)
{
	char name[CONTAINER_NAME_SIZE];
	memcpy(name, container->seen.name, sizeof(name));
	if (container->stops_at_ms <= world->now_ms) {
		bool killed = container->seen.exit_code == 137;
		end_container(world, container, killed ? 137 : container->program->stop_exit_code);
	} else if (container->ends_at_ms <= world->now_ms) {
		container->seen.oom_killed = container->program->oom;
		end_container(world, container, container->program->exit_code);
	} else {
		container->health_at_ms = NEVER;
		container->seen.health = container->program->health;
		base_free(container->seen.health_output);
		container->seen.health_output = base_strdup(
			container->seen.health == HEALTH_UNHEALTHY ? "port 80 is closed\n"
								   : "ok\n");
	}
	if (world->hints && world->docker_up)
		world_event(world, &(struct worker_event){ .kind = WORKER_HINT, .name = name });
}

/* Docker says at once that an image is not there; its pull takes as long as any action. */
static bool tell_pulling(struct world *world, struct world_action *todo)
{
	if (todo->action.verb != CONTAINER_PULL || todo->told || world->images_there)
		return false;
	todo->told = true;
	if (world->docker_up)
		world_event(world, &(struct worker_event){ .kind = WORKER_PULLING,
							   .op = todo->action.op });
	return true;
}

bool docker_turn(struct world *world)
{
	for (size_t i = 0; i < world->n_containers; i++) {
		if (container_next_ms(&world->containers[i]) > world->now_ms)
			continue;
		turn_container(world, &world->containers[i]);
		return true;
	}
	for (size_t i = 0; i < world->n_actions; i++)
		if (tell_pulling(world, &world->actions[i]))
			return true;
	for (size_t i = 0; i < world->n_actions; i++) {
		if (world->actions[i].due_ms > world->now_ms)
			continue;
		if (!crash_here(world))
			answer_action(world, i);
		return true;
	}
	return false;
}

static void runtime_event(struct world *world, int kind)
{
	world_event(world,
		    &(struct worker_event){ .kind = kind, .daemon_instance = world->instance });
}

/* What was in flight is answered before the runtime is said to be away. */
static void lose_actions(struct world *world)
{
	while (world->n_actions)
		answer_action(world, 0);
	runtime_event(world, WORKER_RUNTIME_DOWN);
}

void world_docker_stop(struct world *world)
{
	world->docker_up = false;
	lose_actions(world);
	for (size_t i = 0; i < world->n_containers; i++)
		if (runs(&world->containers[i]))
			end_container(world, &world->containers[i], 0);
}

void world_docker_start(struct world *world)
{
	world->docker_up = true;
	world->instance++;
	runtime_event(world, WORKER_RUNTIME_UP);
}

void world_docker_blink(struct world *world)
{
	world->docker_up = false;
	lose_actions(world);
	world_docker_start(world);
}

struct world_fault *world_fault(struct world *world, int verb, int fault, const char *words)
{
	assert_true(world->n_faults < WORLD_FAULTS);
	struct world_fault *added = &world->faults[world->n_faults++];
	*added = (struct world_fault){ .verb = verb, .fault = fault, .words = words, .times = 1 };
	return added;
}

void docker_release(struct world *world)
{
	docker_drop_actions(world, false);
	while (world->n_containers)
		world_remove_container(world, &world->containers[world->n_containers - 1]);
	strings_release(&world->networks);
	strings_release(&world->volumes);
}
