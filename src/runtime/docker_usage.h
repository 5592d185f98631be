/* What a container uses, from the kernel's control group files: version 1 and 2, with the cgroupfs and the systemd
 * driver. CPU is a rate: it needs two readings. */
#ifndef RUNTIME_DOCKER_USAGE_H
#define RUNTIME_DOCKER_USAGE_H

#include "runtime/runtime.h"

struct docker_usage_sample;

struct docker_usage {
	char *root; /* "/sys/fs/cgroup" */
	struct docker_usage_sample *samples;
	size_t n, capacity;
};

void docker_usage_init(struct docker_usage *usage, const char *root);
void docker_usage_release(struct docker_usage *usage);

/* False when the files are not there, and for the first reading of a container. `container_id` is 64 hexadecimal
 * digits: anything else is refused, never made part of a path. */
bool docker_usage_read(struct docker_usage *usage, const char *container_id, int64_t now_ms,
		       struct runtime_usage *ret_usage);

#endif
