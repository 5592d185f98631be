/* What separates a container from its machine, where that is less, or otherwise, than usual: privileges, namespaces,
 * devices. What few jobs ask for, so a specification has it behind a pointer. Most of it needs a line in the
 * machine's policy (policy/policy.h). */
#ifndef JOB_ISOLATION_H
#define JOB_ISOLATION_H

#include "base/record.h"

enum ipc_mode { IPC_DEFAULT = 0, IPC_NONE = 1, IPC_PRIVATE = 2, IPC_SHAREABLE = 3, IPC_HOST = 4 };
/* Project: the networks of the specification, or Docker's bridge when it has none. */
enum network_mode { NETWORK_MODE_PROJECT = 0, NETWORK_MODE_NONE = 1, NETWORK_MODE_HOST = 2 };

extern const struct enum_name ipc_mode_names[];	    /* default, none, private, shareable, host */
extern const struct enum_name network_mode_names[]; /* project, none, host */

struct device {
	char *source;	   /* below /dev */
	char *target;	   /* NULL: as source */
	char *permissions; /* of r, w, m; NULL: rwm */
};
extern const struct record_type device_type;

/* Devices that Docker's driver for them chooses. */
struct device_request {
	char *driver;  /* NULL: the one that has the capabilities */
	int64_t count; /* -1: all; 0 with device_ids */
	struct strings device_ids;
	struct strings capabilities; /* all of them */
	struct pairs options;
};
extern const struct record_type device_request_type;

#define DEVICE_DRIVER_CDI "cdi"

struct isolation {
	bool privileged;
	bool host_users; /* false: the namespace Docker's daemon is set to */
	bool host_processes;
	bool host_names;
	int ipc_mode;
	int network_mode;
	struct strings security_opt; /* "KEY=VALUE" */
	struct strings group_add;
	char *runtime;
	LIST_OF(struct device) devices;
	struct strings device_cgroup_rules; /* "c 1:3 mr" */
	LIST_OF(struct device_request) device_requests;
};
extern const struct record_type isolation_type;

struct job_spec;

/* What is written, or an isolation of nothing unusual. Borrowed. */
const struct isolation *job_spec_isolation(const struct job_spec *spec);

/* Is it the profile of seccomp itself, and not the name of one of Docker's? */
bool security_opt_is_profile(const char *option);

#endif
