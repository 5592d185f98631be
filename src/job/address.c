#include "job/address.h"

#include <string.h>

#include "base/parse.h"

#define IPV4_BITS     32
#define IPV4_AT	      12 /* bytes before the IPv4 address in the form ::ffff:a.b.c.d */
#define GROUPS	      8
#define ADDRESS_BYTES 64

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The value of a hexadecimal digit; -1: it is none. */
static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool parse_ipv4(const char *text, uint8_t out[4])
{
	for (int part = 0; part < 4; part++) {
		const char *end = text;
		while (is_digit(*end))
			end++;
		int64_t value;
		if (parse_int_n(text, (size_t)(end - text), 0, 255, &value, NULL))
			return false;
		if (*end != (part < 3 ? '.' : '\0'))
			return false;
		out[part] = (uint8_t)value;
		text = end + 1;
	}
	return true;
}

/* The groups read so far; `gap_at`: before which of them "::" stands, -1: nowhere yet. */
struct ipv6_read {
	uint8_t bytes[2 * GROUPS];
	int groups;
	int gap_at;
};

/* Groups of 1 to 4 hexadecimal digits; "::" once stands for one or more of zero; the last two may be an IPv4
 * address. */
static bool read_groups(const char *text, struct ipv6_read *read)
{
	while (*text) {
		if (text[0] == ':' && text[1] == ':') {
			if (read->gap_at >= 0 || text[2] == ':')
				return false;
			read->gap_at = read->groups;
			text += 2;
			continue;
		}
		/* One colon stands between two groups. */
		if (*text == ':' && (!read->groups || hex_value(text[1]) < 0))
			return false;
		if (*text == ':')
			text++;
		int value = 0;
		size_t digits = 0;
		for (; digits < 5 && hex_value(text[digits]) >= 0; digits++)
			value = value * 16 + hex_value(text[digits]);
		if (text[digits] == '.') {
			if (read->groups > GROUPS - 2 ||
			    !parse_ipv4(text, &read->bytes[2 * (size_t)read->groups]))
				return false;
			read->groups += 2;
			return true;
		}
		if (digits < 1 || digits > 4 || (text[digits] && text[digits] != ':') ||
		    read->groups == GROUPS)
			return false;
		read->bytes[2 * read->groups] = (uint8_t)(value >> 8);
		read->bytes[2 * read->groups + 1] = (uint8_t)(value & 0xff);
		read->groups++;
		text += digits;
	}
	return true;
}

static bool parse_ipv6(const char *text, struct ip_address *ret_address)
{
	struct ipv6_read read = { .gap_at = -1 };
	if (!read_groups(text, &read) ||
	    (read.gap_at < 0 ? read.groups != GROUPS : read.groups >= GROUPS))
		return false;
	struct ip_address address = { { 0 } };
	size_t before = 2 * (size_t)(read.gap_at < 0 ? GROUPS : read.gap_at);
	size_t len = 2 * (size_t)read.groups;
	size_t after = len - before;
	memcpy(address.bytes, read.bytes, before);
	memcpy(address.bytes + sizeof(address.bytes) - after, read.bytes + before, after);
	*ret_address = address;
	return true;
}

bool ip_address_parse(const char *text, struct ip_address *ret_address)
{
	if (strchr(text, ':'))
		return parse_ipv6(text, ret_address);
	struct ip_address address = { .bytes = { [10] = 0xff, [11] = 0xff } };
	if (!parse_ipv4(text, &address.bytes[IPV4_AT]))
		return false;
	*ret_address = address;
	return true;
}

bool ip_network_parse(const char *text, struct ip_network *ret_network)
{
	char address[ADDRESS_BYTES];
	struct ip_network network = { .prefix_bits = 8 * (int)sizeof(network.address.bytes) };
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	if (!ip_address_parse(address, &network.address))
		return false;
	int bits_before = strchr(address, ':') ? 0 : network.prefix_bits - IPV4_BITS;
	int64_t bits = network.prefix_bits - bits_before;
	if (slash && parse_int_n(slash + 1, strlen(slash + 1), 0, bits, &bits, NULL))
		return false;
	network.prefix_bits = bits_before + (int)bits;
	*ret_network = network;
	return true;
}

bool ip_network_has(const struct ip_network *network, const struct ip_address *address)
{
	for (int i = 0; i < network->prefix_bits; i++) {
		int bit = 0x80 >> i % 8;
		if ((network->address.bytes[i / 8] & bit) != (address->bytes[i / 8] & bit))
			return false;
	}
	return true;
}
