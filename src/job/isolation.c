/* Invariant: tags are on disk, so a number is never given to another field. */
#include "job/isolation.h"

#include <string.h>

#include "base/limits.h"
#include "job/spec.h"

// clang-format off
const struct enum_name ipc_mode_names[] = {
	{ IPC_DEFAULT, "default" }, { IPC_NONE, "none" }, { IPC_PRIVATE, "private" },
	{ IPC_SHAREABLE, "shareable" }, { IPC_HOST, "host" }, { 0 }
};
const struct enum_name network_mode_names[] = {
	{ NETWORK_MODE_PROJECT, "project" }, { NETWORK_MODE_NONE, "none" }, { NETWORK_MODE_HOST, "host" }, { 0 }
};

static const struct field device_fields[] = {
	ROW_STRING(1, struct device, source, LIMIT_PATH_BYTES, .flags = FIELD_REQUIRED),
	ROW_STRING(2, struct device, target, LIMIT_PATH_BYTES),
	ROW_STRING(3, struct device, permissions, LIMIT_NAME_BYTES),
};
RECORD_TYPE(device, struct device, device_fields);

static const struct field device_request_fields[] = {
	ROW_STRING(1, struct device_request, driver, LIMIT_NAME_BYTES),
	ROW_INT(2, struct device_request, count, LIMIT_DEVICES, .min = -1),
	ROW_STRINGS(3, struct device_request, device_ids, LIMIT_DEVICES),
	ROW_STRINGS(4, struct device_request, capabilities, LIMIT_DEVICES),
	ROW_PAIRS(5, struct device_request, options, LIMIT_LIST_ITEMS),
};
RECORD_TYPE(device_request, struct device_request, device_request_fields);

static const struct field isolation_fields[] = {
	ROW_BOOL(1, struct isolation, privileged),
	ROW_BOOL(2, struct isolation, host_users),
	ROW_BOOL(3, struct isolation, host_processes),
	ROW_BOOL(4, struct isolation, host_names),
	ROW_ENUM(5, struct isolation, ipc_mode, ipc_mode_names),
	ROW_ENUM(6, struct isolation, network_mode, network_mode_names),
	ROW_STRINGS(7, struct isolation, security_opt, LIMIT_DEVICES),
	ROW_STRINGS(8, struct isolation, group_add, LIMIT_LIST_ITEMS),
	ROW_STRING(9, struct isolation, runtime, LIMIT_NAME_BYTES),
	ROW_STRUCTS(10, struct isolation, devices, device, LIMIT_LIST_ITEMS),
	ROW_STRINGS(11, struct isolation, device_cgroup_rules, LIMIT_LIST_ITEMS),
	ROW_STRUCTS(12, struct isolation, device_requests, device_request, LIMIT_DEVICES),
};
RECORD_TYPE(isolation, struct isolation, isolation_fields);
// clang-format on

const struct isolation *job_spec_isolation(const struct job_spec *spec)
{
	static const struct isolation usual;
	return spec->isolation ? spec->isolation : &usual;
}

bool security_opt_is_profile(const char *option)
{
	static const char seccomp[] = "seccomp=";
	if (strncmp(option, seccomp, strlen(seccomp)) != 0)
		return false;
	const char *profile = option + strlen(seccomp);
	return strcmp(profile, "unconfined") != 0 && strcmp(profile, "builtin") != 0;
}
