/* The networks of a service, in the order in which its container joins them: by priority, then as written. */
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/parse.h"
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

/* Those that are told of by themselves. */
static const char *const endpoint_keys[] = { "interface_name", "ipv4_address", "ipv6_address",
					     "link_local_ips", "mac_address" };

static enum err_code read_entry(const struct at *entry, struct service *service, struct err *err)
{
	size_t index = service->spec.networks.n;
	struct network_use *use = add_network(entry, service, entry->name);
	struct network_read read = { .priority = 0 };
	enum err_code code = ERR_NONE;
	if (!at_is_null(entry))
		code = keys_read(entry, SECTION_SERVICE_NETWORK, &read, err);
	use->aliases = read.aliases;
	for (size_t i = 0; i < ARRAY_LEN(endpoint_keys); i++) {
		struct at key = at_key(entry, endpoint_keys[i]);
		if (key.up == entry)
			at_origin(&key, "networks[%zu].endpoint.%s", index, endpoint_keys[i]);
	}
	use->endpoint = settle(&endpoint_settings_type, &read.endpoint);
	return code;
}

/* What is no number is told by who reads the key. */
static int64_t priority_of(const struct at *entry)
{
	int64_t priority = 0;
	struct err unheard = { 0 };
	struct at value;
	const struct tree_entry *found = NULL;
	if (entry->node->kind == TREE_MAP)
		found = tree_entry_of(entry->node, "priority");
	if (!found || at_entry(entry, found, &value, &unheard) || value.node->kind != TREE_SCALAR ||
	    parse_int(value.node->text, INT32_MIN, INT32_MAX, &priority, &unheard))
		return 0;
	return priority;
}

/* Each in its turn: the highest priority that is left, of those the first. */
static enum err_code read_map(const struct at *at, struct service *service, struct err *err)
{
	struct at entries[LIMIT_NETWORKS_PER_JOB];
	bool read[LIMIT_NETWORKS_PER_JOB] = { false };
	size_t n = at->node->n;
	enum err_code code = ERR_NONE;
	if (n > LIMIT_NETWORKS_PER_JOB)
		return at_fail(at, err, ERR_LIMIT, "%zu networks, at most %d are allowed", n,
			       LIMIT_NETWORKS_PER_JOB);
	for (size_t i = 0; !code && i < n; i++)
		code = at_entry(at, &at->node->entries[i], &entries[i], err);
	for (size_t turn = 0; !code && turn < n; turn++) {
		size_t next = n;
		for (size_t i = 0; i < n; i++)
			if (!read[i] &&
			    (next == n || priority_of(&entries[i]) > priority_of(&entries[next])))
				next = i;
		read[next] = true;
		code = read_entry(&entries[next], service, err);
	}
	return code;
}

enum err_code read_service_networks(const struct at *at, void *service, struct err *err)
{
	if (at->node->kind == TREE_LIST)
		return read_each_item(at, read_item, service, err);
	if (at->node->kind != TREE_MAP)
		return fail_type(at, "a list or a mapping of networks", err);
	return read_map(at, service, err);
}

enum err_code read_network_priority(const struct at *at, void *int64, struct err *err)
{
	return get_integer(at, INT32_MIN, INT32_MAX, int64, err);
}

enum err_code read_mac_address(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	return read_string(at, &service->mac_address, err);
}

enum err_code merge_mac_address(const struct at *at, struct service *service, struct err *err)
{
	struct network_use *first = service->spec.networks.items;
	if (!service->mac_address)
		return ERR_NONE;
	struct at key = at_key(at, "mac_address");
	if (!first)
		return at_fail_key(&key, err, ERR_INVALID,
				   "mac_address is for a service that joins a network of the "
				   "project");
	if (!first->endpoint)
		first->endpoint = base_calloc(1, sizeof(*first->endpoint));
	if (first->endpoint->mac_address &&
	    strcmp(first->endpoint->mac_address, service->mac_address) != 0)
		return at_fail_key(&key, err, ERR_INVALID,
				   "mac_address and that of the network %s differ; write one of "
				   "them",
				   first->network);
	string_set(&first->endpoint->mac_address, service->mac_address);
	at_origin(&key, "networks[0].endpoint");
	return ERR_NONE;
}
