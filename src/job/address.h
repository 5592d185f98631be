/* IP addresses and networks as texts: four numbers 0..255, or the IPv6 forms of RFC 4291 without a zone. */
#ifndef JOB_ADDRESS_H
#define JOB_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An IPv4 address is held as the IPv6 address ::ffff:a.b.c.d, which is the same address. */
struct ip_address {
	uint8_t bytes[16];
};

/* `prefix_bits` of the address count: 128 for one address. */
struct ip_network {
	struct ip_address address;
	int prefix_bits;
};

bool ip_address_parse(const char *text, struct ip_address *ret_address);

/* "ADDRESS" or "ADDRESS/BITS". */
bool ip_network_parse(const char *text, struct ip_network *ret_network);

bool ip_network_has(const struct ip_network *network, const struct ip_address *address);

#endif
