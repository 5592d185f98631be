/* Containers that start at once and run until they are killed. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "herd.h"
#include "net/shell.h"

#define DAEMON_INSTANCE 1

/* A container's name is made of the two. */
static struct uuid key_of(struct task_id task, int64_t attempt)
{
	uint64_t halves[2];
	memcpy(halves, &task, sizeof(halves));
	halves[1] ^= (uint64_t)attempt;
	struct uuid key;
	memcpy(&key, halves, sizeof(key));
	return key;
}

/* Hexadecimal, and as long as one of Docker's. */
static void show_id(const struct fake_container *container, char out[65])
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = container->task.uuid.bytes;
	for (size_t i = 0; i < 64; i++) {
		uint8_t byte = bytes[i / 2 % UUID_BYTES];
		out[i] = digits[i % 2 ? byte & 15 : byte >> 4];
	}
	out[63] = digits[container->attempt & 15];
	out[64] = '\0';
}

static void show(const struct fake_container *container, struct uuid cluster,
		 struct container_seen *ret_seen)
{
	*ret_seen = (struct container_seen){
		.cluster = cluster,
		.task = container->task,
		.attempt = container->attempt,
		.state = container->state,
		.exit_code = container->exit_code,
		.started_wall_ms = container->started_wall_ms,
		.finished_wall_ms = container->finished_wall_ms,
	};
	container_name(container->task, container->attempt, ret_seen->name);
	show_id(container, ret_seen->id);
}

/* `*container` is the one of that name, or NULL. */
static int create(struct fake *fake, const struct container_action *action, struct uuid key,
		  struct fake_container **container_of_name)
{
	if (*container_of_name)
		return FAULT_CONFLICT;
	struct fake_container *container = base_calloc(1, sizeof(*container));
	*container_of_name = container;
	container->task = action->task;
	container->attempt = action->attempt;
	container->state = CONTAINER_CREATED;
	map_put(&fake->containers, key, container);
	return FAULT_NONE;
}

static int start(struct fake *fake, struct fake_container *container)
{
	if (!container)
		return FAULT_NOT_FOUND;
	fake->n_running += container->state != CONTAINER_RUNNING;
	container->state = CONTAINER_RUNNING;
	container->started_wall_ms = shell_wall_ms();
	return FAULT_NONE;
}

static int end(struct fake *fake, struct fake_container *container)
{
	if (!container)
		return FAULT_NOT_FOUND;
	if (container->state != CONTAINER_RUNNING)
		return FAULT_NONE;
	fake->n_running--;
	container->state = CONTAINER_EXITED;
	container->exit_code = 143;
	container->finished_wall_ms = shell_wall_ms();
	return FAULT_NONE;
}

static int list(const struct fake *fake, struct uuid cluster, bool ended,
		struct container_result *result)
{
	size_t at = 0;
	result->list = base_calloc(fake->containers.n + 1, sizeof(*result->list));
	for (const struct fake_container *each; (each = map_next(&fake->containers, &at));)
		if (!ended || each->state != CONTAINER_RUNNING)
			show(each, cluster, &result->list[result->n_list++]);
	for (size_t i = 0; i < fake->networks.n; i++)
		strings_add(&result->networks, fake->networks.items[i]);
	return FAULT_NONE;
}

static int carry_out(struct fake *fake, const struct container_action *action, struct uuid cluster,
		     struct uuid key, struct fake_container **container_of_name,
		     struct container_result *result)
{
	struct fake_container *container = *container_of_name;
	switch (action->verb) {
	case CONTAINER_PULL:
	case CONTAINER_VOLUME_ENSURE:
	case CONTAINER_VOLUME_REMOVE: return FAULT_NONE;
	case CONTAINER_CREATE: return create(fake, action, key, container_of_name);
	case CONTAINER_START: return start(fake, container);
	case CONTAINER_KILL: return end(fake, container);
	case CONTAINER_REMOVE:
		base_free(map_remove(&fake->containers, key));
		*container_of_name = NULL;
		return FAULT_NONE;
	case CONTAINER_INSPECT: return container ? FAULT_NONE : FAULT_NOT_FOUND;
	case CONTAINER_LIST: return list(fake, cluster, action->ended, result);
	case CONTAINER_NETWORK_ENSURE:
		if (!strings_has(&fake->networks, action->resource_name))
			strings_add(&fake->networks, action->resource_name);
		return FAULT_NONE;
	case CONTAINER_NETWORK_REMOVE: return FAULT_NONE;
	default: UNREACHABLE("the herd's jobs ask for nothing else");
	}
}

void fake_carry_out(struct fake *fake, const struct container_action *action, struct uuid cluster,
		    struct container_result *ret_result)
{
	*ret_result = (struct container_result){ .op = action->op,
						 .verb = action->verb,
						 .daemon_instance = DAEMON_INSTANCE };
	struct uuid key = key_of(action->task, action->attempt);
	struct fake_container *container = map_get(&fake->containers, key);
	ret_result->fault = carry_out(fake, action, cluster, key, &container, ret_result);
	bool is_shown = action->verb == CONTAINER_CREATE || action->verb == CONTAINER_INSPECT;
	if (is_shown && container)
		show(container, cluster, &ret_result->seen);
}

void fake_release(struct fake *fake)
{
	size_t at = 0;
	for (struct fake_container *each; (each = map_next(&fake->containers, &at));)
		base_free(each);
	map_release(&fake->containers);
	strings_release(&fake->networks);
	*fake = (struct fake){ 0 };
}
