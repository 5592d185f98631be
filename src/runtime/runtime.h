/* Container runtimes: what carries out the worker core's actions. Asynchronous on the event loop; every action is
 * answered exactly once, within its timeout. Implementations: docker (Engine API over its unix socket), fake (in
 * memory), and a decorator that injects faults; one contract suite runs against all of them. */
#ifndef RUNTIME_RUNTIME_H
#define RUNTIME_RUNTIME_H

#include <event2/event.h>

#include "task/container.h"

/* What the runtime says of itself. */
struct runtime_facts {
	char version[64];
	int64_t api_minor;
	struct pairs labels;  /* of the daemon; borrowed */
	char data_root[1024]; /* for the disk's size */
	char cgroup_version;  /* '1' or '2' */
	char id[128];	      /* of this runtime, its containers and volumes; "": it has none */
};

/* Calls back into the shell, always from the loop, never from inside a call to the runtime. */
struct runtime_events {
	/* An action ended. The result is borrowed for the call; the shell may take it (container_result_take). */
	void (*done)(void *shell, struct container_result *result);
	/* The runtime answers (again): version, facts. Called first of all after open succeeds in reaching it, and
	 * whenever hints may have been missed: what was known of its containers is to be read anew. */
	void (*up)(void *shell, uint64_t daemon_instance, const struct runtime_facts *facts);
	/* It does not answer any more; pending actions have been answered FAULT_UNREACHABLE or FAULT_AMBIGUOUS. */
	void (*down)(void *shell, const char *why);
	/* Something happened to this container. */
	void (*hint)(void *shell, const char *container_name);
	/* A pull did not find its image here and asks the registry. Not said where the policy is to ask anyway. */
	void (*pulling)(void *shell, uint64_t op);
	/* A pull moved on: "3 of 5 layers, 12 MB of 40 MB". */
	void (*progress)(void *shell, uint64_t op, const char *text);
};

struct runtime_ops;

struct runtime_options {
	const char *socket_path; /* /var/run/docker.sock */
	/* Path of the user's config.json with registry credentials; NULL: none. */
	const char *docker_config;
	struct uuid cluster; /* set later with ops->set_cluster when not known yet */
	/* Of the runtime "fault" (runtime/fault.h): */
	const struct runtime_ops *inner; /* what it stands before; NULL: the fake one */
	const char *faults;		 /* its script */
};

/* Logs of one container, already demultiplexed. */
struct runtime_logs_options {
	bool follow;
	int64_t tail; /* lines; -1: all */
	int64_t since_wall_ms;
	bool timestamps;
	bool terminal; /* the container has one: both its outputs are one stream */
};
struct runtime_logs_events {
	/* `stream` 1: standard output, 2: standard error. */
	void (*bytes)(void *reader, int stream, const void *bytes, size_t len);
	/* The end; err NULL: complete. The stream is freed after the call. */
	void (*end)(void *reader, const struct err *err);
};
struct runtime_logs;

/* One container's resource use, from cgroup files where they can be read. */
struct runtime_usage {
	int64_t cpu_milli;
	int64_t memory_bytes;
};

struct runtime;

struct runtime_ops {
	const char *name;
	/* Start talking to the runtime; never blocks, never fails because the runtime is away (that is `down`). */
	enum err_code (*open)(struct event_base *base, const struct runtime_options *options,
			      const struct runtime_events *events, void *shell,
			      struct runtime **ret_runtime, struct err *err);
	void (*set_cluster)(struct runtime *runtime, struct uuid cluster);
	/* Begin an action. Copies what it needs. */
	void (*submit)(struct runtime *runtime, const struct container_action *action);
	/* The answer of a PROBE is waited for no more: end it now, connection and all. It is answered nevertheless.
	 * Nothing happens where it has ended, or is no PROBE. */
	void (*cancel)(struct runtime *runtime, uint64_t op);
	/* Read logs. pause stops reading the source (back-pressure). close may be called at any time, without `end`. */
	struct runtime_logs *(*logs_open)(struct runtime *runtime, const char *container_name,
					  const struct runtime_logs_options *options,
					  const struct runtime_logs_events *events, void *reader);
	void (*logs_pause)(struct runtime_logs *logs, bool pause);
	void (*logs_close)(struct runtime_logs *logs);
	/* What a running container uses; false when it cannot be told. */
	bool (*usage)(struct runtime *runtime, const char *container_id,
		      struct runtime_usage *ret_usage);
	/* Pending actions are dropped without an answer, open log streams without an end. Not from inside a
	 * callback. */
	void (*close)(struct runtime *runtime);
};

/* By name: "docker", "fake", "fault". NULL when there is none. */
const struct runtime_ops *runtime_find(const char *name);

#endif
