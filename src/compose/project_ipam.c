/* The addresses of a network. */
#include <string.h>

#include "base/alloc.h"
#include "compose/keys.h"
#include "compose/service.h"

enum err_code read_ipam(const struct at *at, void *target, struct err *err)
{
	struct network_spec *network = target;
	struct ipam ipam = { 0 };
	enum err_code code = ERR_NONE;
	if (!at_is_null(at))
		code = keys_read(at, SECTION_IPAM, &ipam, err);
	network->ipam = settle(&ipam_type, &ipam);
	return code;
}

enum err_code read_ipam_driver(const struct at *at, void *char_pointer, struct err *err)
{
	const char *driver;
	enum err_code code = get_string(at, &driver, err);
	if (!code && strcmp(driver, "default") != 0)
		string_set(char_pointer, driver);
	return code;
}

static enum err_code read_pool(const struct at *at, void *target, struct err *err)
{
	at_origin_item(at, ((const struct list *)target)->n);
	struct ipam_pool *pool = list_add(target, sizeof(*pool));
	enum err_code code = keys_read(at, SECTION_IPAM_POOL, pool, err);
	if (!code && !pool->subnet)
		code = at_fail(at, err, ERR_INVALID, "expected a subnet like 10.9.0.0/24");
	return code;
}

enum err_code read_pools(const struct at *at, void *list, struct err *err)
{
	return read_each_item(at, read_pool, list, err);
}

enum err_code read_enable_ipv4(const struct at *at, void *target, struct err *err)
{
	bool enabled;
	(void)target;
	enum err_code code = get_bool(at, &enabled, err);
	if (!code && !enabled)
		code = at_fail(at, err, ERR_UNSUPPORTED,
			       "enable_ipv4 false is refused: Docker before 28 gives every network "
			       "IPv4");
	return code;
}
