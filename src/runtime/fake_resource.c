/* Networks and volumes of the fake world. */
#include <string.h>

#include "base/alloc.h"
#include "runtime/fake_parts.h"

static void pairs_copy(struct pairs *to, const struct pairs *from)
{
	for (size_t i = 0; i < from->n; i++)
		pairs_add(to, from->items[i].key, from->items[i].value);
}

struct fake_network *fake_world_network(struct fake_world *world, const char *name)
{
	for (struct fake_network *at = world->networks; at; at = at->next)
		if (strcmp(at->name, name) == 0)
			return at;
	return NULL;
}

void fake_world_network_create(struct fake_world *world, const char *name,
			       const struct pairs *labels, struct fake_answer *answer)
{
	if (fake_world_network(world, name)) {
		fake_world_answer(answer, 409, "network with name %s already exists", name);
		return;
	}
	struct fake_network *network = base_calloc(1, sizeof(*network));
	network->name = base_strdup(name);
	pairs_copy(&network->labels, labels);
	network->next = world->networks;
	world->networks = network;
	fake_world_settle(answer, 201);
}

static bool network_in_use(const struct fake_world *world, const char *name)
{
	for (const struct fake_container *at = world->containers; at; at = at->next)
		for (size_t i = 0; i < at->config.endpoints.n; i++)
			if (at->state == CONTAINER_RUNNING &&
			    strcmp(at->config.endpoints.items[i].network, name) == 0)
				return true;
	return false;
}

void fake_world_network_remove(struct fake_world *world, const char *name,
			       struct fake_answer *answer)
{
	struct fake_network *network = fake_world_network(world, name);
	if (!network) {
		fake_world_answer(answer, 404, "network %s not found", name);
		return;
	}
	if (network_in_use(world, name)) {
		fake_world_answer(answer, 403,
				  "error while removing network: network %s has active endpoints",
				  name);
		return;
	}
	struct fake_network **at = &world->networks;
	while (*at != network)
		at = &(*at)->next;
	*at = network->next;
	base_free(network->name);
	pairs_release(&network->labels);
	base_free(network);
	fake_world_settle(answer, 204);
}

void fake_world_connect(struct fake_world *world, const char *network, const char *container,
			const struct strings *aliases, struct fake_answer *answer)
{
	struct fake_container *found = fake_world_find(world, container);
	if (!found) {
		fake_world_answer(answer, 404, "No such container: %s", container);
		return;
	}
	if (!fake_world_network(world, network)) {
		fake_world_answer(answer, 404, "network %s not found", network);
		return;
	}
	struct fake_endpoint *endpoint = list_add(&found->config.endpoints, sizeof(*endpoint));
	endpoint->network = base_strdup(network);
	for (size_t i = 0; i < aliases->n; i++)
		strings_add(&endpoint->aliases, aliases->items[i]);
	fake_world_settle(answer, 200);
}

struct fake_volume *fake_world_volume(struct fake_world *world, const char *name)
{
	for (struct fake_volume *at = world->volumes; at; at = at->next)
		if (strcmp(at->name, name) == 0)
			return at;
	return NULL;
}

void fake_world_volume_create(struct fake_world *world, const char *name,
			      const struct pairs *labels, struct fake_answer *answer)
{
	fake_world_settle(answer, 201);
	if (fake_world_volume(world, name))
		return;
	struct fake_volume *volume = base_calloc(1, sizeof(*volume));
	volume->name = base_strdup(name);
	pairs_copy(&volume->labels, labels);
	volume->next = world->volumes;
	world->volumes = volume;
}

/* A container that exists keeps its volumes, running or not. */
static bool volume_in_use(const struct fake_world *world, const char *name)
{
	for (const struct fake_container *at = world->containers; at; at = at->next)
		for (size_t i = 0; i < at->config.mounts.n; i++)
			if (at->config.mounts.items[i].volume &&
			    strcmp(at->config.mounts.items[i].volume, name) == 0)
				return true;
	return false;
}

void fake_world_volume_remove(struct fake_world *world, const char *name,
			      struct fake_answer *answer)
{
	struct fake_volume *volume = fake_world_volume(world, name);
	if (!volume) {
		fake_world_answer(answer, 404, "get %s: no such volume", name);
		return;
	}
	if (volume_in_use(world, name)) {
		fake_world_answer(answer, 409, "remove %s: volume is in use", name);
		return;
	}
	struct fake_volume **at = &world->volumes;
	while (*at != volume)
		at = &(*at)->next;
	*at = volume->next;
	base_free(volume->name);
	pairs_release(&volume->labels);
	pairs_release(&volume->files);
	base_free(volume);
	fake_world_settle(answer, 204);
}
