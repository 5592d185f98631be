#include "net/endpoint.h"

#include "base/testing.h"

#include "base/alloc.h"

static void addresses_are_read_and_printed(void **state)
{
	(void)state;
	static const struct {
		const char *text, *path, *host;
		int port;
		const char *printed;
	} rows[] = {
		{ "/run/s", "/run/s", NULL, 0, "/run/s" },
		{ "./s", "./s", NULL, 0, "./s" },
		{ "unix:///run/s", "/run/s", NULL, 0, "/run/s" },
		{ "10.0.0.1:77", NULL, "10.0.0.1", 77, "10.0.0.1:77" },
		{ "10.0.0.1", NULL, "10.0.0.1", 7700, "10.0.0.1:7700" },
		{ "m1.example.com:1", NULL, "m1.example.com", 1, "m1.example.com:1" },
		{ "[::1]:8", NULL, "::1", 8, "[::1]:8" },
		{ "[fe80::1]", NULL, "fe80::1", 7700, "[fe80::1]:7700" },
		{ "fe80::1", NULL, "fe80::1", 7700, "[fe80::1]:7700" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct endpoint endpoint;
		struct err err;
		char text[ENDPOINT_TEXT_SIZE];
		if (endpoint_parse(rows[i].text, &endpoint, &err))
			fail_msg("%s", err.message);
		if (rows[i].path)
			assert_string_equal(endpoint.socket_path, rows[i].path);
		else
			assert_string_equal(endpoint.host, rows[i].host);
		assert_int_equal(endpoint.port, rows[i].port);
		assert_string_equal(endpoint_text(&endpoint, text), rows[i].printed);
		endpoint_release(&endpoint);
	}
}

static void what_is_no_address_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"",    ":1",   "a:",   "a:x",	  "a:65536", "a:-1",
		"a b", "[::1", "[]:1", "[::1]x1", "a/b",     "http://a"
	};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct endpoint endpoint;
		struct err err;
		if (endpoint_parse(wrong[i], &endpoint, &err) != ERR_INVALID)
			fail_msg("%s", wrong[i]);
	}
}

static void a_wrong_port_is_named(void **state)
{
	(void)state;
	struct endpoint endpoint;
	struct err err;
	assert_int_equal(endpoint_parse("10.0.0.1:77000", &endpoint, &err), ERR_INVALID);
	assert_string_equal(err.message,
			    "\"10.0.0.1:77000\" is no HOST:PORT: 77000 is more than 65535");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(addresses_are_read_and_printed),
		TEST(what_is_no_address_is_refused),
		TEST(a_wrong_port_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
