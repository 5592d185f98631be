#include "task/container.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

// clang-format off
const struct enum_name container_verb_names[] = {
	{ CONTAINER_PULL, "pull" }, { CONTAINER_CREATE, "create" }, { CONTAINER_START, "start" },
	{ CONTAINER_KILL, "kill" }, { CONTAINER_REMOVE, "remove" },
	{ CONTAINER_INSPECT, "inspect" }, { CONTAINER_LIST, "list" },
	{ CONTAINER_NETWORK_ENSURE, "network_ensure" },
	{ CONTAINER_NETWORK_REMOVE, "network_remove" },
	{ CONTAINER_VOLUME_ENSURE, "volume_ensure" },
	{ CONTAINER_VOLUME_REMOVE, "volume_remove" }, { CONTAINER_EXEC, "exec" },
	{ CONTAINER_PROBE, "probe" },
	{ CONTAINER_FILES, "files" }, { 0 }
};
const struct enum_name container_fault_names[] = {
	{ FAULT_NONE, "none" }, { FAULT_NOT_FOUND, "not_found" }, { FAULT_CONFLICT, "conflict" },
	{ FAULT_IMAGE_NOT_FOUND, "image_not_found" }, { FAULT_PULL_FAILED, "pull_failed" },
	{ FAULT_PORT_TAKEN, "port_taken" }, { FAULT_COMMAND_NOT_FOUND, "command_not_found" },
	{ FAULT_MOUNT_FAILED, "mount_failed" }, { FAULT_REFUSED, "refused" },
	{ FAULT_POLICY, "policy" },
	{ FAULT_UNREACHABLE, "unreachable" }, { FAULT_AMBIGUOUS, "ambiguous" },
	{ FAULT_FAILED, "failed" }, { FAULT_HOOK_FAILED, "hook_failed" },
	{ FAULT_CHECK_FAILED, "check_failed" }, { 0 }
};
const struct enum_name container_state_names[] = {
	{ CONTAINER_ABSENT, "absent" }, { CONTAINER_CREATED, "created" },
	{ CONTAINER_RUNNING, "running" }, { CONTAINER_PAUSED, "paused" },
	{ CONTAINER_EXITED, "exited" }, { CONTAINER_REMOVING, "removing" }, { 0 }
};
// clang-format on

void container_seen_release(struct container_seen *seen)
{
	base_free(seen->error);
	base_free(seen->stop_signal);
	base_free(seen->health_output);
	base_free(seen->address);
	*seen = (struct container_seen){ 0 };
}

void container_seen_copy(struct container_seen *to, const struct container_seen *from)
{
	*to = *from;
	to->error = base_strdup(from->error);
	to->stop_signal = base_strdup(from->stop_signal);
	to->health_output = base_strdup(from->health_output);
	to->address = base_strdup(from->address);
}

void container_result_release(struct container_result *result)
{
	base_free(result->message);
	container_seen_release(&result->seen);
	for (size_t i = 0; i < result->n_list; i++)
		container_seen_release(&result->list[i]);
	base_free(result->list);
	strings_release(&result->networks);
	*result = (struct container_result){ 0 };
}

void container_result_take(struct container_result *to, struct container_result *from)
{
	*to = *from;
	*from = (struct container_result){ 0 };
}

void container_name(struct task_id task, int64_t attempt, char out[CONTAINER_NAME_SIZE])
{
	char id[UUID_TEXT_SIZE];
	uuid_format(task.uuid, id);
	text_print(out, CONTAINER_NAME_SIZE, "drover-%s-%lld", id, (long long)attempt);
}

static char *resource_name(const char *project, const char *key, const char *name)
{
	if (name)
		return base_strdup(name);
	struct text text;
	text_init(&text, 2 * LIMIT_NAME_BYTES + 1);
	text_addf(&text, "%s_%s", project, key);
	return text_take(&text);
}

char *container_network_name(const char *project, const struct network_spec *network)
{
	return resource_name(project, network->key, network->name);
}

char *container_volume_name(const char *project, const struct volume_spec *volume)
{
	return resource_name(project, volume->key, volume->name);
}
