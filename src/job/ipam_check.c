#include "job/ipam_check.h"

#include <string.h>

#include "base/alloc.h"
#include "job/address.h"
#include "job/refuse.h"

/* Long values are cut in messages. */
#define SHOWN_BYTES 100

static bool is_within(const struct ip_network *network, const char *text)
{
	struct ip_address address;
	return ip_address_parse(text, &address) && ip_network_has(network, &address);
}

static enum err_code check_pool(const struct ipam_pool *pool, struct spot spot, struct err *err)
{
	struct ip_network subnet;
	struct ip_network range;
	if (!pool->subnet || !strchr(pool->subnet, '/') || !ip_network_parse(pool->subnet, &subnet))
		return refuse(err, ERR_INVALID, spot, "\"%.*s\" is not a subnet like 10.9.0.0/24",
			      SHOWN_BYTES, pool->subnet ? pool->subnet : "");
	if (pool->ip_range &&
	    (!ip_network_parse(pool->ip_range, &range) || range.prefix_bits < subnet.prefix_bits ||
	     !ip_network_has(&subnet, &range.address)))
		return refuse(err, ERR_INVALID, spot, "the ip_range \"%.*s\" is none within %s",
			      SHOWN_BYTES, pool->ip_range, pool->subnet);
	if (pool->gateway && !is_within(&subnet, pool->gateway))
		return refuse(err, ERR_INVALID, spot, "the gateway \"%.*s\" is no address in %s",
			      SHOWN_BYTES, pool->gateway, pool->subnet);
	for (size_t i = 0; i < pool->aux_addresses.n; i++) {
		const struct pair *pair = &pool->aux_addresses.items[i];
		if (!pair->value || !is_within(&subnet, pair->value))
			return refuse(err, ERR_INVALID, spot,
				      "the address \"%.*s\" of %.*s is none in %s", SHOWN_BYTES,
				      pair->value ? pair->value : "", SHOWN_BYTES, pair->key,
				      pool->subnet);
	}
	return ERR_NONE;
}

enum err_code ipam_check(const struct ipam *ipam, size_t network, struct err *err)
{
	enum err_code code = ERR_NONE;
	if (!ipam)
		return ERR_NONE;
	if (ipam->driver && !ipam->driver[0])
		return refuse(err, ERR_INVALID, AT_MEMBER("networks", network, "ipam.driver"),
			      "an empty text names no driver");
	for (size_t i = 0; !code && i < ipam->pools.n; i++) {
		char member[32];
		text_print(member, sizeof(member), "ipam.pools[%zu]", i);
		code = check_pool(&ipam->pools.items[i], AT_MEMBER("networks", network, member),
				  err);
	}
	return code;
}

enum err_code ipam_check_address(const struct network_spec *network, const char *address,
				 struct spot spot, struct err *err)
{
	size_t n_pools = network->ipam ? network->ipam->pools.n : 0;
	if (!address || network->external)
		return ERR_NONE;
	for (size_t i = 0; i < n_pools; i++) {
		struct ip_network subnet;
		if (ip_network_parse(network->ipam->pools.items[i].subnet, &subnet) &&
		    is_within(&subnet, address))
			return ERR_NONE;
	}
	return refuse(err, ERR_INVALID, spot, "%s is in no subnet of the network \"%s\"%s", address,
		      network->key,
		      n_pools ? "" : ", which has none of its own: write it under ipam");
}
