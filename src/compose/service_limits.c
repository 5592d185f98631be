#include <string.h>

#include "base/limits.h"
#include "compose/keys.h"
#include "compose/service.h"

enum err_code read_ulimit_value(const struct at *at, void *int64, struct err *err)
{
	return get_integer(at, -1, INT64_MAX, int64, err);
}

static enum err_code read_ulimit(const struct at *at, struct ulimit *ulimit, struct err *err)
{
	if (at->node->kind != TREE_MAP) {
		enum err_code code = read_ulimit_value(at, &ulimit->soft, err);
		ulimit->hard = ulimit->soft;
		return code;
	}
	enum err_code code = keys_read(at, SECTION_ULIMIT, ulimit, err);
	if (!code && (!tree_get(at->node, "soft") || !tree_get(at->node, "hard")))
		code = at_fail(at, err, ERR_INVALID, "expected both soft and hard");
	return code;
}

enum err_code read_ulimits(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	enum err_code code = expect_map(at, err);
	for (size_t i = 0; !code && i < at->node->n; i++) {
		struct at entry;
		code = at_entry(at, &at->node->entries[i], &entry, err);
		if (code)
			break;
		at_origin(&entry, "ulimits[%zu]", service->spec.ulimits.n);
		struct ulimit *ulimit = list_add(&service->spec.ulimits, sizeof(*ulimit));
		string_set(&ulimit->name, entry.name);
		code = read_ulimit(&entry, ulimit, err);
	}
	return code;
}

static enum err_code put_sysctl(const struct at *at, const char *key, const char *value,
				void *target, struct err *err)
{
	if (!value)
		return at_fail(at, err, ERR_INVALID, "the sysctl %s has no value", key);
	pairs_put(target, key, value);
	return ERR_NONE;
}

enum err_code read_sysctls(const struct at *at, void *pairs, struct err *err)
{
	return read_each_pair(at, put_sysctl, pairs, err);
}

enum err_code read_pids(const struct at *at, void *int64, struct err *err)
{
	int64_t pids;
	enum err_code code = get_integer(at, -1, INT32_MAX, &pids, err);
	if (!code)
		*(int64_t *)int64 = pids < 0 ? 0 : pids;
	return code;
}

enum err_code read_resources(const struct at *at, void *service, struct err *err)
{
	return keys_read(at, SECTION_RESOURCES, service, err);
}

enum err_code read_limits(const struct at *at, void *resources, struct err *err)
{
	return keys_read(at, SECTION_LIMITS, resources, err);
}

enum err_code read_reservations(const struct at *at, void *service, struct err *err)
{
	return keys_read(at, SECTION_RESERVATIONS, service, err);
}
