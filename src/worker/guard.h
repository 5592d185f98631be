/* The guard before the runtime: holds an action against the machine's policy (policy/policy.h) and what it would
 * mount against the machine's file system, and answers what is refused itself. */
#ifndef WORKER_GUARD_H
#define WORKER_GUARD_H

#include "task/container.h"

struct guard;

#define GUARD_FILE_DEFAULT "/etc/drover/worker.yaml"

/* `file` is copied, and read again whenever it has changed: its owner adds a line, and the next try passes. Without a
 * file the policy is the default; one that cannot be read or trusted refuses everything, saying why. */
struct guard *guard_new(const char *file);
void guard_free(struct guard *guard);

/* Nothing that holds this path, is it or lies below it is mounted, whatever the policy says. Copied. /, /etc, /proc,
 * /sys, /dev, /boot, /run, /var/run and /var/lib/docker are denied from the start. */
void guard_deny(struct guard *guard, const char *path);

/* True: the action must not reach the runtime; its answer is in *ret_result (FAULT_POLICY), the caller's to release. */
bool guard_refuses(struct guard *guard, const struct container_action *action,
		   struct container_result *ret_result);

#endif
