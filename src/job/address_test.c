#include "base/testing.h"

#include <string.h>

#include "base/alloc.h"
#include "job/address.h"

static void addresses_are_read_byte_by_byte(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint8_t bytes[16];
	} cases[] = {
		{ "10.0.200.255", { [10] = 0xff, [11] = 0xff, 10, 0, 200, 255 } },
		{ "::", { 0 } },
		{ "::1", { [15] = 1 } },
		{ "1::", { 0, 1 } },
		{ "2001:DB8::ff00:42:8329",
		  { 0x20, 0x01, 0x0d, 0xb8, [10] = 0xff, 0, 0, 0x42, 0x83, 0x29 } },
		{ "1:2:3:4:5:6:7:8", { 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8 } },
		{ "::ffff:10.0.200.255", { [10] = 0xff, [11] = 0xff, 10, 0, 200, 255 } },
		{ "64:ff9b::1.2.3.4", { 0, 0x64, 0xff, 0x9b, [12] = 1, 2, 3, 4 } },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ip_address address;
		assert_true(ip_address_parse(cases[i].text, &address));
		assert_memory_equal(address.bytes, cases[i].bytes, 16);
	}
}

static void other_texts_are_no_addresses(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"1.2.3",
		"1.2.3.256",
		"1.2.3.4.5",
		"a.b.c.d",
		":",
		":::",
		"1:2",
		"1::2::3",
		"12345::",
		"::g",
		":1::",
		"1:2:3:4:5:6:7:8:9",
		"1:2:3:4:5:6:7::8",
		"::1%eth0",
		"1:",
		"1:2:3:4:5:6:7:1.2.3.4",
		"10.0.0.0/8",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct ip_address address;
		if (ip_address_parse(texts[i], &address))
			fail_msg("\"%s\" was read", texts[i]);
	}
}

static bool has(const char *network_text, const char *address_text)
{
	struct ip_network network;
	struct ip_address address;
	assert_true(ip_network_parse(network_text, &network));
	assert_true(ip_address_parse(address_text, &address));
	return ip_network_has(&network, &address);
}

static void a_network_has_the_addresses_of_its_prefix(void **state)
{
	(void)state;
	assert_true(has("10.0.0.0/8", "10.255.1.2"));
	assert_false(has("10.0.0.0/8", "11.0.0.1"));
	assert_true(has("10.1.2.3", "10.1.2.3"));
	assert_false(has("10.1.2.3", "10.1.2.4"));
	assert_true(has("10.1.2.200/25", "10.1.2.129"));
	assert_false(has("10.1.2.200/25", "10.1.2.127"));
	assert_true(has("0.0.0.0/0", "255.1.1.1"));
	assert_false(has("0.0.0.0/0", "::1"));
	assert_true(has("::/0", "10.0.0.1"));
	assert_true(has("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(has("2001:db8::/33", "2001:db8:8000::1"));
	assert_true(has("10.0.0.1", "::ffff:10.0.0.1"));
}

static void other_texts_are_no_networks(void **state)
{
	(void)state;
	static const char *const texts[] = { "",	  "10.0.0.0/33", "::/129",
					     "10.0.0.0/", "10.0.0.0/-1", "/8",
					     "10/8",	  "10.0.0.0/8/8" };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct ip_network network;
		if (ip_network_parse(texts[i], &network))
			fail_msg("\"%s\" was read", texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(addresses_are_read_byte_by_byte),
		TEST(other_texts_are_no_addresses),
		TEST(a_network_has_the_addresses_of_its_prefix),
		TEST(other_texts_are_no_networks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
