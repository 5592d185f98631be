#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "job/refuse.h"
#include "job/spec_check.h"
#include "job/syntax.h"

/* Long values are cut in messages. */
#define SHOWN_BYTES 100

/* Keys Docker knows, as KEY=VALUE: other spellings that it takes would have to be told apart wherever one is judged. */
static bool is_security_opt(const char *option)
{
	static const char *const keys[] = { "apparmor=", "label=",	 "no-new-privileges=",
					    "seccomp=",	 "systempaths=", "writable-cgroups=" };
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		size_t len = strlen(keys[i]);
		if (strncmp(option, keys[i], len) == 0)
			return option[len] != '\0';
	}
	return false;
}

static enum err_code check_security(const struct isolation *isolation, struct err *err)
{
	for (size_t i = 0; i < isolation->security_opt.n; i++) {
		const char *option = isolation->security_opt.items[i];
		if (!is_security_opt(option))
			return refuse(err, ERR_INVALID, AT_ITEM("isolation.security_opt", i),
				      "\"%.*s\" is none of apparmor=, label=, no-new-privileges=, "
				      "seccomp=, systempaths=, writable-cgroups= with a value",
				      SHOWN_BYTES, option);
		if (strncmp(option, "systempaths=", 12) == 0 &&
		    strcmp(option + 12, "unconfined") != 0)
			return refuse(err, ERR_INVALID, AT_ITEM("isolation.security_opt", i),
				      "systempaths can be unconfined only");
	}
	for (size_t i = 0; i < isolation->group_add.n; i++)
		if (!isolation->group_add.items[i][0])
			return refuse(err, ERR_INVALID, AT_ITEM("isolation.group_add", i),
				      "an empty text names no group");
	if (isolation->runtime && !isolation->runtime[0])
		return refuse(err, ERR_INVALID, AT("isolation.runtime"),
			      "an empty text names no runtime");
	return ERR_NONE;
}

/* What would be asked of a namespace that is not the container's own. */
static enum err_code check_namespaces(const struct job_spec *spec, struct err *err)
{
	const struct isolation *isolation = spec->isolation;
	const char *mode = enum_name(network_mode_names, isolation->network_mode);
	if (isolation->host_names && spec->hostname)
		return refuse(err, ERR_INVALID, AT("hostname"),
			      "a container with the machine's names has no host name of its own");
	if (isolation->network_mode == NETWORK_MODE_PROJECT)
		return ERR_NONE;
	if (spec->networks.n)
		return refuse(err, ERR_INVALID, AT("networks"),
			      "a container of network mode %s joins no network", mode);
	if (!spec->ports.n)
		return ERR_NONE;
	if (isolation->network_mode == NETWORK_MODE_HOST)
		return refuse(err, ERR_INVALID, AT_ITEM("ports", 0),
			      "nothing is published in network mode host: the container's ports "
			      "are the machine's");
	return refuse(err, ERR_INVALID, AT_ITEM("ports", 0),
		      "nothing is published in network mode none");
}

static bool is_permissions(const char *text)
{
	return text[0] && strlen(text) <= 3 && strspn(text, "rwm") == strlen(text);
}

static enum err_code check_devices(const struct isolation *isolation, struct err *err)
{
	static const char list[] = "isolation.devices";
	for (size_t i = 0; i < isolation->devices.n; i++) {
		const struct device *device = &isolation->devices.items[i];
		if (!device->source || !is_device_path(device->source))
			return refuse(err, ERR_INVALID, AT_MEMBER(list, i, "source"),
				      "\"%.*s\" is not a device like /dev/fuse", SHOWN_BYTES,
				      device->source ? device->source : "");
		if (device->target && (device->target[0] != '/' || path_climbs(device->target)))
			return refuse(err, ERR_INVALID, AT_MEMBER(list, i, "target"),
				      "\"%.*s\" is not an absolute path", SHOWN_BYTES,
				      device->target);
		if (device->permissions && !is_permissions(device->permissions))
			return refuse(err, ERR_INVALID, AT_MEMBER(list, i, "permissions"),
				      "\"%.*s\" is none of r, w and m together", SHOWN_BYTES,
				      device->permissions);
	}
	for (size_t i = 0; i < isolation->device_cgroup_rules.n; i++)
		if (!is_device_rule(isolation->device_cgroup_rules.items[i]))
			return refuse(err, ERR_INVALID, AT_ITEM("isolation.device_cgroup_rules", i),
				      "\"%.*s\" is not a rule like \"c 1:3 mr\"", SHOWN_BYTES,
				      isolation->device_cgroup_rules.items[i]);
	return ERR_NONE;
}

static enum err_code check_request(const struct isolation *isolation, size_t i, struct err *err)
{
	static const char list[] = "isolation.device_requests";
	const struct device_request *request = &isolation->device_requests.items[i];
	bool cdi = request->driver && strcmp(request->driver, DEVICE_DRIVER_CDI) == 0;
	if (request->driver && !request->driver[0])
		return refuse(err, ERR_INVALID, AT_MEMBER(list, i, "driver"),
			      "an empty text names no driver");
	if (request->count && request->device_ids.n)
		return refuse(err, ERR_INVALID, AT_MEMBER(list, i, "count"),
			      "either a count or device_ids");
	if (!request->count && !request->device_ids.n)
		return refuse(err, ERR_INVALID, AT_MEMBER(list, i, "count"),
			      "neither a count nor device_ids");
	if (cdi && !request->device_ids.n)
		return refuse(err, ERR_INVALID, AT_MEMBER(list, i, "device_ids"),
			      "the driver cdi is given devices by name");
	if (!cdi && !request->capabilities.n)
		return refuse(err, ERR_INVALID, AT_MEMBER(list, i, "capabilities"),
			      "names no capability like gpu");
	return ERR_NONE;
}

enum err_code spec_check_isolation(const struct job_spec *spec, struct err *err)
{
	const struct isolation *isolation = spec->isolation;
	if (!isolation)
		return ERR_NONE;
	enum err_code code = check_security(isolation, err);
	if (!code)
		code = check_namespaces(spec, err);
	if (!code)
		code = check_devices(isolation, err);
	for (size_t i = 0; !code && i < isolation->device_requests.n; i++)
		code = check_request(isolation, i, err);
	return code;
}
