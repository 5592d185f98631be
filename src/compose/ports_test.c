#include "compose/testing.h"

struct expected {
	const char *ip;
	int64_t host_first;
	int64_t host_last;
	int64_t container;
	int protocol;
};

static void expect(const char *item, const struct expected *ports, size_t n)
{
	char line[256];
	text_print(line, sizeof(line), "    ports:\n      - %s\n", item);
	struct project_request request = test_spec(line);
	const struct job_spec *spec = &request.jobs.items[0].spec;
	assert_int_equal(spec->ports.n, n);
	for (size_t i = 0; i < n; i++) {
		const struct port *port = &spec->ports.items[i];
		if (ports[i].ip)
			assert_string_equal(port->host_ip, ports[i].ip);
		else
			assert_null(port->host_ip);
		assert_int_equal(port->host_first, ports[i].host_first);
		assert_int_equal(port->host_last, ports[i].host_last);
		assert_int_equal(port->container_port, ports[i].container);
		assert_int_equal(port->protocol, ports[i].protocol);
	}
	test_request_release(&request);
}

static void expect_one(const char *item, struct expected port)
{
	expect(item, &port, 1);
}

static void one_port_in_every_form(void **state)
{
	(void)state;
	expect_one("\"8080:80\"", (struct expected){ NULL, 8080, 8080, 80, PORT_TCP });
	expect_one("22:22", (struct expected){ NULL, 22, 22, 22, PORT_TCP });
	expect_one("8080:80/udp", (struct expected){ NULL, 8080, 8080, 80, PORT_UDP });
	expect_one("8080:80/UDP", (struct expected){ NULL, 8080, 8080, 80, PORT_UDP });
	expect_one("127.0.0.1:8080:80", (struct expected){ "127.0.0.1", 8080, 8080, 80, PORT_TCP });
	expect_one("\"[::1]:8080:80/tcp\"", (struct expected){ "::1", 8080, 8080, 80, PORT_TCP });
	expect_one("\"::1:8080:80\"", (struct expected){ "::1", 8080, 8080, 80, PORT_TCP });
	expect_one("\"2001:db8::5:8080-8089:80/udp\"",
		   (struct expected){ "2001:db8::5", 8080, 8089, 80, PORT_UDP });
	expect_one("{target: 80, published: 8080}",
		   (struct expected){ NULL, 8080, 8080, 80, PORT_TCP });
	expect_one("{target: '80', published: '8080', host_ip: '127.0.0.1', protocol: udp}",
		   (struct expected){ "127.0.0.1", 8080, 8080, 80, PORT_UDP });
}

static void a_range_over_one_container_port_is_a_pool(void **state)
{
	(void)state;
	expect_one("8080-8089:80", (struct expected){ NULL, 8080, 8089, 80, PORT_TCP });
	expect_one("127.0.0.1:8080-8089:80",
		   (struct expected){ "127.0.0.1", 8080, 8089, 80, PORT_TCP });
	expect_one("{target: 80, published: 8080-8089}",
		   (struct expected){ NULL, 8080, 8089, 80, PORT_TCP });
}

static void a_port_without_host_port_takes_any_free_one(void **state)
{
	(void)state;
	struct expected any = { NULL, 30000, 32767, 80, PORT_TCP };
	expect_one("80", any);
	expect_one("\"80\"", any);
	expect_one("{target: 80}", any);
	any.ip = "127.0.0.1";
	expect_one("127.0.0.1::80", any);
	any = (struct expected){ NULL, 30000, 32767, 53, PORT_UDP };
	expect_one("53/udp", any);
}

static void ranges_of_one_length_are_fixed_ports_one_by_one(void **state)
{
	(void)state;
	const struct expected pairs[] = { { NULL, 3000, 3000, 4000, PORT_UDP },
					  { NULL, 3001, 3001, 4001, PORT_UDP },
					  { NULL, 3002, 3002, 4002, PORT_UDP } };
	expect("3000-3002:4000-4002/udp", pairs, 3);
	const struct expected open[] = { { NULL, 30000, 32767, 90, PORT_TCP },
					 { NULL, 30000, 32767, 91, PORT_TCP } };
	expect("90-91", open, 2);
}

static void bad_ports_say_what_is_wrong(void **state)
{
	static const struct {
		const char *item;
		enum err_code code;
		const char *words;
	} rows[] = {
		{ "x", ERR_INVALID, "\"x\" is not a whole number" },
		{ "'80:'", ERR_INVALID, "\"\" is not a whole number" },
		{ "':80'", ERR_INVALID,
		  "expected [ADDRESS:][HOST:]CONTAINER[/PROTOCOL], found \":80\"" },
		{ "0:80", ERR_INVALID, "0 is less than 1" },
		{ "70000:80", ERR_INVALID, "70000 is more than 65535" },
		{ "90-80:80", ERR_INVALID, "the range 90-80 runs backwards" },
		{ "8000-8001:80-82", ERR_INVALID,
		  "2 host ports stand for 3 container ports; the ranges must be of the same "
		  "length, or the "
		  "container port a single one" },
		{ "80:80-81", ERR_INVALID, "1 host ports stand for 2 container ports" },
		{ "80:80/sctp", ERR_UNSUPPORTED, "protocol sctp is refused" },
		{ "80:80/xyz", ERR_INVALID, "expected the protocol tcp or udp, found \"xyz\"" },
		{ "'1:2:3:80:80'", ERR_INVALID, "an IPv6 address stands in [brackets]" },
		{ "'[::1]80:80'", ERR_INVALID, "expected [ADDRESS:]" },
		{ "'[::1'", ERR_INVALID, "expected [ADDRESS:]" },
		{ "'a:b:c:d'", ERR_INVALID, "expected [ADDRESS:]" },
		{ "127.0.0.1:80", ERR_INVALID, "\"127.0.0.1\" is not a whole number" },
		{ "'::80'", ERR_INVALID, "expected [ADDRESS:]" },
		{ "nowhere:80:80", ERR_INVALID, "\"nowhere\" is not an IP address" },
		{ "1-300:1-300", ERR_LIMIT, "a service has at most 256 ports" },
		{ "1-20000:80", ERR_INVALID, "1-20000 has more than 10000 ports" },
		{ "{published: 80}", ERR_INVALID, "a port needs a target" },
		{ "[80]", ERR_INVALID, "expected a string or number, found a list" },
		{ "", ERR_INVALID, "expected a string or number, found nothing" },
		{ "80.5", ERR_INVALID, "\"80.5\" is not a whole number" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char line[256];
		text_print(line, sizeof(line), "    ports:\n      - %s\n", rows[i].item);
		char field[] = "compose.yaml:5:9: services.web.ports[0]";
		bool empty = !*rows[i].item;
		test_bad(line, rows[i].code,
			 empty ? "compose.yaml:5:8: services.web.ports[0]" : field, rows[i].words);
	}
	test_bad("    ports: [{target: 80, mode: ingress}]\n", ERR_UNSUPPORTED,
		 "compose.yaml:4:32: services.web.ports[0].mode",
		 "mode ingress is refused: a port is open on the "
		 "machine its task runs on");
	test_bad("    ports: [80:80, {target: 81, published: 80}]\n", ERR_INVALID,
		 "compose.yaml:4:20: services.web.ports[1]", "host port 80/tcp is published twice");
	test_bad("    ports: 80\n", ERR_INVALID, "compose.yaml:4:12: services.web.ports",
		 "expected a list, found the number 80");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_port_in_every_form),
		cmocka_unit_test(a_range_over_one_container_port_is_a_pool),
		cmocka_unit_test(a_port_without_host_port_takes_any_free_one),
		cmocka_unit_test(ranges_of_one_length_are_fixed_ports_one_by_one),
		cmocka_unit_test(bad_ports_say_what_is_wrong),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
