#include <string.h>

#include "compose/keys.h"
#include "compose/service.h"

static struct network_use *add_network(const struct at *at, struct service *service,
				       const char *network)
{
	at_origin(at, "networks[%zu]", service->spec.networks.n);
	struct network_use *use = list_add(&service->spec.networks, sizeof(*use));
	string_set(&use->network, network);
	return use;
}

static enum err_code read_item(const struct at *item, void *service, struct err *err)
{
	const char *network;
	enum err_code code = get_string(item, &network, err);
	if (!code)
		add_network(item, service, network);
	return code;
}

enum err_code read_service_networks(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	if (at->node->kind == TREE_LIST)
		return read_each_item(at, read_item, service, err);
	if (at->node->kind != TREE_MAP)
		return fail_type(at, "a list or a mapping of networks", err);
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < at->node->n; i++) {
		struct at entry;
		code = at_entry(at, &at->node->entries[i], &entry, err);
		if (code)
			break;
		struct network_use *use = add_network(&entry, service, entry.name);
		if (!at_is_null(&entry))
			code = keys_read(&entry, SECTION_SERVICE_NETWORK, use, err);
	}
	return code;
}
