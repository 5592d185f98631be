/* Docker's error answers have a status and a sentence for people; what they mean for the verb is one table, read top
 * to bottom: the first row whose parts all match decides. */
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "runtime/docker_reply.h"

enum { ANY = 0 };

/* verb ANY: of every verb; status ANY: every status, or 5 for all 5xx; words NULL: whatever was said. */
struct fault_row {
	int verb;
	int status;
	const char *words;
	int fault;
};

// clang-format off
static const struct fault_row fault_rows[] = {
	/* The aim is reached already. */
	{ CONTAINER_START, 304, NULL, FAULT_NONE },
	{ CONTAINER_KILL, 409, "is not running", FAULT_NONE },
	{ CONTAINER_KILL, 5, "is not running", FAULT_NONE },
	{ CONTAINER_REMOVE, 404, NULL, FAULT_NONE },
	{ CONTAINER_NETWORK_REMOVE, 404, NULL, FAULT_NONE },
	{ CONTAINER_VOLUME_REMOVE, 404, NULL, FAULT_NONE },
	{ CONTAINER_NETWORK_ENSURE, 409, "already exists", FAULT_NONE },
	{ CONTAINER_REMOVE, 409, "already in progress", FAULT_AMBIGUOUS },

	/* Images. */
	{ CONTAINER_PULL, ANY, "manifest unknown", FAULT_IMAGE_NOT_FOUND },
	{ CONTAINER_PULL, ANY, "repository does not exist", FAULT_IMAGE_NOT_FOUND },
	{ CONTAINER_PULL, ANY, "no such image", FAULT_IMAGE_NOT_FOUND },
	{ CONTAINER_PULL, 404, NULL, FAULT_IMAGE_NOT_FOUND },
	{ CONTAINER_PULL, 400, NULL, FAULT_REFUSED },
	{ CONTAINER_PULL, ANY, "unauthorized", FAULT_PULL_FAILED },
	{ CONTAINER_PULL, ANY, "denied", FAULT_PULL_FAILED },
	{ CONTAINER_PULL, ANY, "no such host", FAULT_PULL_FAILED },
	{ CONTAINER_PULL, ANY, "not found", FAULT_IMAGE_NOT_FOUND },
	{ CONTAINER_PULL, ANY, NULL, FAULT_PULL_FAILED },
	{ CONTAINER_CREATE, 404, "no such image", FAULT_IMAGE_NOT_FOUND },
	{ CONTAINER_CREATE, 404, "the specified platform", FAULT_IMAGE_NOT_FOUND },

	/* Ports. */
	{ CONTAINER_START, ANY, "port is already allocated", FAULT_PORT_TAKEN },
	{ CONTAINER_START, ANY, "address already in use", FAULT_PORT_TAKEN },
	{ CONTAINER_START, ANY, "ports are not available", FAULT_PORT_TAKEN },

	/* Mounts, before commands: a missing bind source also says "no such file or directory". */
	{ ANY, ANY, "bind source path does not exist", FAULT_MOUNT_FAILED },
	{ ANY, ANY, "error while mounting volume", FAULT_MOUNT_FAILED },
	{ ANY, ANY, "invalid mount config", FAULT_MOUNT_FAILED },
	{ ANY, ANY, "error while creating mount source path", FAULT_MOUNT_FAILED },
	{ ANY, ANY, "failed to mount local volume", FAULT_MOUNT_FAILED },
	{ CONTAINER_START, ANY, "error mounting", FAULT_MOUNT_FAILED },
	{ CONTAINER_CREATE, ANY, "looking up volume plugin", FAULT_MOUNT_FAILED },
	{ CONTAINER_VOLUME_ENSURE, 404, NULL, FAULT_MOUNT_FAILED },
	{ CONTAINER_VOLUME_ENSURE, 409, NULL, FAULT_MOUNT_FAILED },
	{ CONTAINER_VOLUME_ENSURE, ANY, "looking up volume plugin", FAULT_MOUNT_FAILED },

	/* Commands. */
	{ CONTAINER_START, ANY, "executable file not found", FAULT_COMMAND_NOT_FOUND },
	{ CONTAINER_START, ANY, "exec format error", FAULT_COMMAND_NOT_FOUND },
	{ CONTAINER_START, ANY, "exec: \"*no such file or directory", FAULT_COMMAND_NOT_FOUND },
	{ CONTAINER_START, ANY, "exec: \"*permission denied", FAULT_COMMAND_NOT_FOUND },
	{ CONTAINER_START, ANY, "exec: \"*is a directory", FAULT_COMMAND_NOT_FOUND },
	{ CONTAINER_START, ANY, "exec *: no such file or directory", FAULT_COMMAND_NOT_FOUND },
	{ CONTAINER_START, ANY, "exec *: permission denied", FAULT_COMMAND_NOT_FOUND },

	/* What no machine with this image will take. */
	{ CONTAINER_START, ANY, "unable to find user", FAULT_REFUSED },
	{ CONTAINER_START, ANY, "unable to find group", FAULT_REFUSED },
	{ CONTAINER_START, ANY, "open /proc/sys/*: no such file", FAULT_REFUSED },
	{ ANY, ANY, "cannot mkdir: *is not a directory", FAULT_REFUSED },

	/* What is left of 4xx is a clear no. */
	{ CONTAINER_CREATE, 409, NULL, FAULT_CONFLICT },
	{ CONTAINER_REMOVE, 409, NULL, FAULT_CONFLICT },
	{ CONTAINER_VOLUME_REMOVE, 409, NULL, FAULT_CONFLICT },
	{ CONTAINER_NETWORK_REMOVE, ANY, "active endpoints", FAULT_CONFLICT },
	{ CONTAINER_NETWORK_REMOVE, 409, NULL, FAULT_CONFLICT },
	{ CONTAINER_START, 404, "no such container", FAULT_NOT_FOUND },
	{ CONTAINER_KILL, 404, NULL, FAULT_NOT_FOUND },
	{ CONTAINER_INSPECT, 404, NULL, FAULT_NOT_FOUND },
	{ CONTAINER_EXEC, 404, NULL, FAULT_NOT_FOUND },
	{ CONTAINER_EXEC, 409, NULL, FAULT_CONFLICT },
	{ CONTAINER_EXEC, 400, NULL, FAULT_HOOK_FAILED },
	{ CONTAINER_EXEC, 5, "exec failed", FAULT_HOOK_FAILED },
	{ CONTAINER_NETWORK_ENSURE, 400, NULL, FAULT_REFUSED },
	{ CONTAINER_CREATE, 400, NULL, FAULT_REFUSED },
	{ CONTAINER_VOLUME_ENSURE, 400, NULL, FAULT_REFUSED },
	{ CONTAINER_KILL, 400, NULL, FAULT_REFUSED },

	/* 5xx that are a clear no: the container did not start, the network was not made. */
	{ CONTAINER_START, 5, "runtime create failed", FAULT_FAILED },
	{ CONTAINER_START, 5, "failed to create shim", FAULT_FAILED },
	{ CONTAINER_START, 5, "failed to create task", FAULT_FAILED },
	{ CONTAINER_START, 5, "driver failed programming", FAULT_FAILED },
	{ CONTAINER_START, 5, "failed to set up container networking", FAULT_FAILED },
	{ CONTAINER_NETWORK_ENSURE, 5, "non-overlapping", FAULT_FAILED },
	{ CONTAINER_NETWORK_ENSURE, 5, "overlaps with", FAULT_FAILED },

	{ ANY, 5, NULL, FAULT_AMBIGUOUS },
	{ ANY, ANY, NULL, FAULT_FAILED },
};
// clang-format on

/* Does `text` hold `words`, ignoring case? A '*' in words stands for anything. */
static bool holds(const char *text, const char *words)
{
	const char *star = strchr(words, '*');
	if (!star)
		return strcasestr(text, words) != NULL;
	char *first = base_strndup(words, (size_t)(star - words));
	const char *found = strcasestr(text, first);
	bool yes = found && holds(found + strlen(first), star + 1);
	base_free(first);
	return yes;
}

int docker_reply_fault(int verb, int status, const char *message)
{
	for (size_t i = 0; i < ARRAY_LEN(fault_rows); i++) {
		const struct fault_row *row = &fault_rows[i];
		if (row->verb != ANY && row->verb != verb)
			continue;
		if (row->status == 5 ? status / 100 != 5
				     : row->status != ANY && row->status != status)
			continue;
		if (row->words && !holds(message ? message : "", row->words))
			continue;
		return row->fault;
	}
	return FAULT_FAILED;
}
