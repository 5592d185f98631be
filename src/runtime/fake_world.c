/* Invariants
 * 1. A container has a program and its timers exactly while it is RUNNING.
 * 2. Names of containers, networks and volumes are unique among their kind; ids always.
 * 3. Every change that Docker would report is told through world->event once, after it happened. */
#include "runtime/fake_world.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "net/shell.h"
#include "runtime/fake_parts.h"

void fake_config_release(struct fake_config *config)
{
	for (size_t i = 0; i < config->ports.n; i++)
		base_free(config->ports.items[i].host_ip);
	for (size_t i = 0; i < config->mounts.n; i++) {
		base_free(config->mounts.items[i].volume);
		base_free(config->mounts.items[i].bind_source);
		base_free(config->mounts.items[i].target);
	}
	for (size_t i = 0; i < config->endpoints.n; i++) {
		base_free(config->endpoints.items[i].network);
		strings_release(&config->endpoints.items[i].aliases);
	}
	base_free(config->ports.items);
	base_free(config->mounts.items);
	base_free(config->endpoints.items);
	base_free(config->image);
	base_free(config->platform);
	base_free(config->stop_signal);
	base_free(config->log_driver);
	strings_release(&config->argv);
	strings_release(&config->check);
	pairs_release(&config->labels);
	*config = (struct fake_config){ 0 };
}

/* 64 hexadecimal digits, never twice. */
static void make_id(struct fake_world *world, char out[65])
{
	struct random random = { .state = ++world->ids };
	for (size_t i = 0; i < 4; i++) {
		uint64_t bits = random_next(&random);
		text_print(out + i * 16, 17, "%08x%08x", (unsigned)(bits >> 32), (unsigned)bits);
	}
}

struct fake_world *fake_world_new(struct event_base *base, fake_event_fn *event, void *owner)
{
	struct fake_world *world = base_calloc(1, sizeof(*world));
	world->base = base;
	world->event = event;
	world->owner = owner;
	world->ids = shell_seed();
	world->instance = world->ids | 1;
	return world;
}

static void container_free(struct fake_container *container)
{
	fake_container_halt(container);
	fake_config_release(&container->config);
	for (size_t i = 0; i < container->n_log; i++)
		base_free(container->log[i].text);
	base_free(container->log);
	base_free(container->error);
	base_free(container->health_output);
	base_free(container->exec_output);
	base_free(container);
}

static void network_free(struct fake_network *network)
{
	base_free(network->name);
	pairs_release(&network->labels);
	base_free(network);
}

static void volume_free(struct fake_volume *volume)
{
	base_free(volume->name);
	pairs_release(&volume->labels);
	pairs_release(&volume->files);
	base_free(volume);
}

void fake_world_free(struct fake_world *world)
{
	while (world->containers) {
		struct fake_container *container = world->containers;
		world->containers = container->next;
		container_free(container);
	}
	while (world->networks) {
		struct fake_network *network = world->networks;
		world->networks = network->next;
		network_free(network);
	}
	while (world->volumes) {
		struct fake_volume *volume = world->volumes;
		world->volumes = volume->next;
		volume_free(volume);
	}
	pairs_release(&world->images);
	base_free(world);
}

void fake_world_answer(struct fake_answer *answer, int status, const char *format, ...)
{
	va_list arguments;
	struct text text;
	text_init(&text, sizeof(answer->message) - 1);
	va_start(arguments, format);
	text_addv(&text, format, arguments);
	va_end(arguments);
	answer->status = status;
	text_print(answer->message, sizeof(answer->message), "%s", text_string(&text));
	text_release(&text);
}

void fake_world_settle(struct fake_answer *answer, int status)
{
	*answer = (struct fake_answer){ .status = status };
}

void fake_world_pull(struct fake_world *world, const char *image, const char *platform,
		     struct fake_answer *answer)
{
	if (strstr(image, "absent"))
		fake_world_answer(answer, 404, "manifest for %s not found: manifest unknown",
				  image);
	else if (strstr(image, "denied"))
		fake_world_answer(answer, 500,
				  "Head \"https://registry/v2/%s\": unauthorized: "
				  "authentication required",
				  image);
	else if (strncmp(image, "127.0.0.1:1/", 12) == 0)
		fake_world_answer(answer, 500,
				  "Get \"http://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: "
				  "connect: connection refused");
	else
		fake_world_settle(answer, 200);
	if (answer->status == 200)
		pairs_put(&world->images, image, platform ? platform : FAKE_PLATFORM);
}

const char *fake_world_image(const struct fake_world *world, const char *image)
{
	return pairs_get(&world->images, image);
}

bool fake_world_has_image(const struct fake_world *world, const char *image, const char *platform)
{
	const char *there = fake_world_image(world, image);
	return there && (!platform || strcmp(platform, there) == 0);
}

struct fake_container *fake_world_find(struct fake_world *world, const char *name)
{
	for (struct fake_container *at = world->containers; at; at = at->next)
		if (strcmp(at->name, name) == 0 || strcmp(at->id, name) == 0)
			return at;
	return NULL;
}

/* The container, or NULL and the answer that there is none. */
static struct fake_container *find_or_answer(struct fake_world *world, const char *name,
					     struct fake_answer *answer)
{
	struct fake_container *container = fake_world_find(world, name);
	if (!container)
		fake_world_answer(answer, 404, "No such container: %s", name);
	return container;
}

static bool check_create(struct fake_world *world, const char *name,
			 const struct fake_config *config, struct fake_answer *answer)
{
	struct fake_container *other = fake_world_find(world, name);
	if (other) {
		fake_world_answer(answer, 409,
				  "Conflict. The container name \"/%s\" is already in use by "
				  "container \"%s\".",
				  name, other->id);
		return false;
	}
	if (!fake_world_image(world, config->image)) {
		fake_world_answer(answer, 404, "No such image: %s", config->image);
		return false;
	}
	if (!fake_world_has_image(world, config->image, config->platform)) {
		fake_world_answer(
			answer, 404,
			"image with reference %s was found but its platform (%s) does not "
			"match the specified platform (%s)",
			config->image, fake_world_image(world, config->image), config->platform);
		return false;
	}
	if (config->memory_bytes && config->memory_bytes < 6 * 1024 * 1024) {
		fake_world_answer(answer, 400, "Minimum memory limit allowed is 6MB");
		return false;
	}
	for (size_t i = 0; i < config->mounts.n; i++) {
		const struct fake_mount *mount = &config->mounts.items[i];
		if (!mount->bind_source || mount->create_source ||
		    access(mount->bind_source, F_OK) == 0)
			continue;
		fake_world_answer(answer, 400,
				  "invalid mount config for type \"bind\": bind source path does "
				  "not exist: %s",
				  mount->bind_source);
		return false;
	}
	return true;
}

/* Volumes a container asks for come into being with it. */
static void make_volumes(struct fake_world *world, struct fake_config *config)
{
	const struct pairs none = { 0 };
	for (size_t i = 0; i < config->mounts.n; i++) {
		struct fake_mount *mount = &config->mounts.items[i];
		struct fake_answer ignored;
		char id[65];
		if (mount->bind_source)
			continue;
		if (!mount->volume) {
			make_id(world, id);
			mount->volume = base_strdup(id);
			mount->anonymous = true;
		}
		fake_world_volume_create(world, mount->volume, &none, &ignored);
	}
}

void fake_world_create(struct fake_world *world, const char *name, struct fake_config *config,
		       struct fake_container **ret_container, struct fake_answer *answer)
{
	if (!check_create(world, name, config, answer)) {
		fake_config_release(config);
		return;
	}
	struct fake_container *container = base_calloc(1, sizeof(*container));
	text_print(container->name, sizeof(container->name), "%s", name);
	make_id(world, container->id);
	container->world = world;
	container->config = *config;
	*config = (struct fake_config){ 0 };
	container->state = CONTAINER_CREATED;
	container->next = world->containers;
	world->containers = container;
	make_volumes(world, &container->config);
	fake_world_settle(answer, 201);
	*ret_container = container;
}

static bool ports_clash(const struct fake_port *a, const struct fake_port *b)
{
	bool any = !a->host_ip || !*a->host_ip || !b->host_ip || !*b->host_ip ||
		   strcmp(a->host_ip, "0.0.0.0") == 0 || strcmp(b->host_ip, "0.0.0.0") == 0;
	return a->host_port == b->host_port && a->protocol == b->protocol &&
	       (any || strcmp(a->host_ip, b->host_ip) == 0);
}

static const struct fake_port *taken_port(const struct fake_world *world,
					  const struct fake_container *container)
{
	for (const struct fake_container *at = world->containers; at; at = at->next) {
		if (at == container || at->state != CONTAINER_RUNNING)
			continue;
		for (size_t i = 0; i < container->config.ports.n; i++)
			for (size_t j = 0; j < at->config.ports.n; j++)
				if (ports_clash(&container->config.ports.items[i],
						&at->config.ports.items[j]))
					return &container->config.ports.items[i];
	}
	return NULL;
}

static bool check_start(struct fake_world *world, struct fake_container *container,
			struct fake_answer *answer)
{
	for (size_t i = 0; i < container->config.endpoints.n; i++) {
		const char *network = container->config.endpoints.items[i].network;
		if (fake_world_network(world, network))
			continue;
		fake_world_answer(answer, 404, "network %s not found", network);
		return false;
	}
	const struct fake_port *port = taken_port(world, container);
	if (port)
		fake_world_answer(answer, 500,
				  "driver failed programming external connectivity on endpoint "
				  "%s: Bind for 0.0.0.0:%lld failed: port is already allocated",
				  container->name, (long long)port->host_port);
	return !port;
}

void fake_world_start(struct fake_world *world, const char *name, struct fake_answer *answer)
{
	struct fake_container *container = find_or_answer(world, name, answer);
	if (!container)
		return;
	if (container->state == CONTAINER_RUNNING) {
		fake_world_settle(answer, 304);
		return;
	}
	const char *why = NULL;
	int64_t exit_code = 128;
	if (check_start(world, container, answer)) {
		if (fake_container_run(container, &why))
			return fake_world_settle(answer, 204);
		exit_code = 127;
		fake_world_answer(answer, 400,
				  "failed to create shim task: OCI runtime create failed: runc "
				  "create failed: unable to start container process: exec: "
				  "\"%s\": %s: unknown",
				  container->config.argv.items[0], why);
	}
	string_set(&container->error, answer->message);
	container->exit_code = exit_code;
}

void fake_world_kill(struct fake_world *world, const char *name, const char *signal,
		     struct fake_answer *answer)
{
	struct fake_container *container = find_or_answer(world, name, answer);
	if (!container)
		return;
	int number = fake_signal_number(signal);
	if (number < 0)
		fake_world_answer(answer, 400, "Invalid signal: %s", signal);
	else if (container->state != CONTAINER_RUNNING)
		fake_world_answer(answer, 409,
				  "Cannot kill container: %s: Container %s is not running", name,
				  container->id);
	else
		fake_world_settle(answer, 204);
	if (answer->status == 204)
		fake_container_signal(container, number);
}

void fake_world_rename(struct fake_world *world, const char *name, const char *to,
		       struct fake_answer *answer)
{
	struct fake_container *container = find_or_answer(world, name, answer);
	if (!container)
		return;
	if (fake_world_find(world, to)) {
		fake_world_answer(answer, 409,
				  "Conflict. The container name \"/%s\" is already in use", to);
		return;
	}
	text_print(container->name, sizeof(container->name), "%s", to);
	fake_world_settle(answer, 204);
}

static void remove_anonymous(struct fake_world *world, const struct fake_config *config)
{
	for (size_t i = 0; i < config->mounts.n; i++) {
		struct fake_answer ignored;
		if (config->mounts.items[i].anonymous)
			fake_world_volume_remove(world, config->mounts.items[i].volume, &ignored);
	}
}

void fake_world_remove(struct fake_world *world, const char *name, bool force, bool with_volumes,
		       struct fake_answer *answer)
{
	struct fake_container *container = find_or_answer(world, name, answer);
	if (!container)
		return;
	if (container->state == CONTAINER_RUNNING && !force) {
		fake_world_answer(answer, 409,
				  "You cannot remove a running container %s. Stop the container "
				  "before attempting removal or force remove",
				  container->id);
		return;
	}
	if (container->state == CONTAINER_RUNNING)
		fake_container_end(container, 137, false);
	struct fake_container **at = &world->containers;
	while (*at != container)
		at = &(*at)->next;
	*at = container->next;
	if (with_volumes)
		remove_anonymous(world, &container->config);
	fake_world_settle(answer, 204);
	world->event(world->owner, container, "destroy");
	container_free(container);
}

void fake_world_restart(struct fake_world *world)
{
	world->instance += 2;
	for (struct fake_container *at = world->containers; at; at = at->next)
		if (at->state == CONTAINER_RUNNING)
			fake_container_end(at, 137, false);
}

void fake_container_see(const struct fake_container *container, struct container_seen *ret_seen)
{
	struct container_seen seen = { .state = container->state,
				       .health = container->health,
				       .exit_code = container->exit_code,
				       .oom_killed = container->oom_killed,
				       .started_wall_ms = container->started_wall_ms,
				       .finished_wall_ms = container->finished_wall_ms };
	const struct pairs *labels = &container->config.labels;
	text_print(seen.name, sizeof(seen.name), "%s", container->name);
	text_print(seen.id, sizeof(seen.id), "%s", container->id);
	const char *text = pairs_get(labels, LABEL_CLUSTER);
	if (text && uuid_parse(text, &seen.cluster, NULL) != ERR_NONE)
		seen.cluster = (struct uuid){ 0 };
	text = pairs_get(labels, LABEL_TASK);
	if (text && uuid_parse(text, &seen.task.uuid, NULL) != ERR_NONE)
		seen.task = (struct task_id){ 0 };
	text = pairs_get(labels, LABEL_ATTEMPT);
	for (; text && *text >= '0' && *text <= '9'; text++)
		seen.attempt = seen.attempt * 10 + (*text - '0');
	seen.error = base_strdup(container->error);
	seen.stop_signal = base_strdup(container->config.stop_signal);
	seen.health_output = base_strdup(container->health_output);
	*ret_seen = seen;
}
