/* What jobs that come over the network may ask of this machine: the worker's policy file, read and compared. Docker's
 * socket is root, so what is not named here is refused. Pure: paths are resolved by worker/guard.h.
 *
 *     bind_mounts:                 # none where nothing is written
 *       - /srv/data                            # this path, and nothing below it
 *       - {path: /srv/site, read_only: true}   # and all below it
 *     cap_add: [NET_ADMIN]
 *     sysctls: [net.core.somaxconn]
 *     images: [busybox, 'team-*']              # any where nothing is written; '*' only at the end
 *     volume_drivers: [nfs-driver]            # beside local
 *     volume_types: [nfs, tmpfs]              # the local driver's option `type`
 *     network_drivers: [macvlan]              # beside bridge
 *     network_options: [com.docker.network.bridge.name]   # of bridges and of those who join them
 *     subnets: [10.9.0.0/16]                  # that networks may choose addresses from
 *     networks: [host]                        # Docker's own that may be joined: host, none, bridge
 *     log_drivers: [syslog]                   # beside json-file, local, none, journald
 *     privileges: [privileged, pid=host]      # what reaches beyond the container, by its Compose key
 *     cgroup_parents: [batch.slice]
 *     security_opt: [apparmor=unconfined, seccomp=profile]    # beside what confines no less than Docker's own;
 *                                             # seccomp=profile: any profile that is not one of Docker's
 *     runtimes: [runsc]                       # beside runc
 *     devices: [/dev/fuse, vendor.com/class=name]
 *     annotations: [run.oci.handler]          # by name
 *     device_cgroup_rules: ['c 1:3 mr']
 *     device_drivers: [nvidia, any]           # who chooses devices; any: for a request that names none
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "task/container.h"

enum policy_key {
	POLICY_BIND_MOUNTS = 0,
	POLICY_CAP_ADD,
	POLICY_SYSCTLS,
	POLICY_IMAGES,
	POLICY_VOLUME_DRIVERS,
	POLICY_VOLUME_TYPES,
	POLICY_NETWORK_DRIVERS,
	POLICY_NETWORKS,
	POLICY_LOG_DRIVERS,
	POLICY_PRIVILEGES,
	POLICY_CGROUP_PARENTS,
	POLICY_SECURITY_OPT,
	POLICY_RUNTIMES,
	POLICY_DEVICES,
	POLICY_DEVICE_CGROUP_RULES,
	POLICY_DEVICE_DRIVERS,
	POLICY_ANNOTATIONS,
	POLICY_NETWORK_OPTIONS,
	POLICY_SUBNETS,
	POLICY_KEY_COUNT,
};

struct policy_list {
	int line; /* of the key in the file; 0: it is not written */
	struct strings items;
};

struct policy {
	char *file; /* its name, for messages */
	struct policy_list lists[POLICY_KEY_COUNT];
	bool *bind_read_only; /* one for each of the bind mounts */
};

/* Read a policy. An empty text is the default: what needs no line. ERR_SYNTAX, ERR_INVALID, ERR_TOO_LARGE with
 * "FILE:LINE:COLUMN: KEY" in err->field; *ret_policy is written on success only, and the caller releases it. */
enum err_code policy_parse(const char *text, size_t len, const char *file,
			   struct policy *ret_policy, struct err *err) WARN_UNUSED;
void policy_release(struct policy *policy);

/* May this action be carried out, paths on the machine aside? ERR_FORBIDDEN: what it asks for, and the line that would
 * allow it. Looks at PULL, CREATE, NETWORK_ENSURE and VOLUME_ENSURE; everything else is allowed. */
enum err_code policy_check(const struct policy *policy, const struct container_action *action,
			   struct err *err) WARN_UNUSED;

/* May a path, already resolved, be mounted, as far as the lines of the file tell? What lies below a path that jobs may
 * write to may not, also when it is listed itself. ERR_FORBIDDEN as above. */
enum err_code policy_check_path(const struct policy *policy, const char *path, bool read_only,
				struct err *err) WARN_UNUSED;

/* Is `path` the folder itself or something below it? Both absolute and normal. */
bool policy_path_is_below(const char *path, const char *folder);

/* Is the path absolute, of at most LIMIT_PATH_BYTES, without "..", ".", doubled and trailing slashes? */
bool policy_path_is_normal(const char *path);

/* The path on the machine that a volume of the local driver is bound to; NULL: it is not. Borrowed. */
const char *policy_volume_path(const struct volume_spec *volume);

#endif
