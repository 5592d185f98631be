/* Who is let in, who must go: many clients of many loopback addresses, over TLS and on the socket. */
#include "net/http_server.h"

#include "net/tls_raw_testing.h"

#include <sys/resource.h>

#define OWN_URI	    "drover://0a/worker/1"
#define OTHER_URI   "drover://0a/client/2"
#define REMOVED_URI "drover://0a/client/3"
/* More than sockets hold. */
#define LARGE_BYTES ((size_t)32 << 20)
#define GET(path)   "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"

static struct test_authority authority;
static struct test_identity manager;
static SSL_CTX *as_nobody, *as_removed, *as_other, *as_own;

struct world {
	struct loop loop;
	struct http_server *server;
	struct tls_context *tls;
	int port;
	int n_waiting;		    /* requests for /wait, which nobody answers */
	int n_large;		    /* of those for /large, how many have ended */
	struct http_exchange *held; /* of /hold */
};

static int64_t begin(void *owner, struct http_exchange *exchange)
{
	(void)owner;
	(void)exchange;
	return 1 << 20;
}

static void answer_large(struct http_exchange *exchange)
{
	char *bytes = base_calloc(1, LARGE_BYTES);
	http_answer(exchange, 200, "application/octet-stream", NULL, bytes, LARGE_BYTES);
	base_free(bytes);
}

static void request(void *owner, struct http_exchange *exchange)
{
	struct world *world = owner;
	if (http_view_is(http_exchange_path(exchange), "/wait"))
		world->n_waiting++;
	else if (http_view_is(http_exchange_path(exchange), "/hold"))
		world->held = exchange;
	else if (http_view_is(http_exchange_path(exchange), "/large"))
		answer_large(exchange);
	else
		http_answer(exchange, 200, "text/plain", NULL, "hello", 5);
}

static void closed(void *owner, struct http_exchange *exchange)
{
	struct world *world = owner;
	if (http_view_is(http_exchange_path(exchange), "/wait"))
		world->n_waiting--;
	if (http_view_is(http_exchange_path(exchange), "/large"))
		world->n_large++;
}

static enum http_standing standing(void *owner, const struct http_peer *peer)
{
	(void)owner;
	assert_true(peer->certified);
	if (strcmp(peer->uri, REMOVED_URI) == 0)
		return HTTP_STRANGER;
	return strcmp(peer->uri, OWN_URI) == 0 ? HTTP_EXEMPT : HTTP_KNOWN;
}

static struct http_server_options defaults(void)
{
	struct http_server_options options;
	http_server_options_default(&options);
	return options;
}

static void start(struct world *world, const struct http_server_options *options)
{
	static const struct http_handler handler = { begin, request, closed, standing };
	struct err err = { 0 };
	*world = (struct world){ 0 };
	loop_init(&world->loop);
	world->server = http_server_new(world->loop.base, options, &handler, world);
	struct tls_options tls = { .server = true,
				   .ca_pem = authority.pem,
				   .certificate_pem = manager.certificate_pem,
				   .key_pem = manager.key_pem };
	if (tls_context_new(&tls, &world->tls, &err))
		fail_msg("%s", err.message);
	struct endpoint endpoint = { .host = (char *)(uintptr_t) "127.0.0.1", .tls = world->tls };
	if (http_server_listen_tcp(world->server, &endpoint, &world->port, &err) ||
	    http_server_listen_unix(world->server, world->loop.path, &err))
		fail_msg("%s", err.message);
}

static void stop(struct world *world)
{
	http_server_free(world->server);
	assert_int_equal(world->n_waiting, 0);
	tls_context_free(world->tls);
	loop_release(&world->loop);
}

/* From 127.0.0.`from`, without a word. */
static void dial(struct world *world, struct tls_raw *client, SSL_CTX *context, int from)
{
	tls_raw_dial(client, context, from, world->port);
	turn(&world->loop);
}

/* Say something on it, and expect that somewhere in what comes back. */
static void expect(struct world *world, struct tls_raw *client, const char *bytes,
		   const char *answer)
{
	tls_raw_send(client, &world->loop, bytes);
	wait_for(&world->loop, tls_raw_has(client, answer) || client->raw.ended);
	if (!tls_raw_has(client, answer))
		fail_msg("\"%s\" instead of %s", text_string(&client->raw.got), answer);
	text_clear(&client->raw.got);
}

static void dial_and_expect(struct world *world, struct tls_raw *client, SSL_CTX *context, int from,
			    const char *answer)
{
	dial(world, client, context, from);
	expect(world, client, GET("/"), answer);
}

/* Do, and be gone. */
static void visit(struct world *world, SSL_CTX *context, int from, const char *answer)
{
	struct tls_raw client;
	dial_and_expect(world, &client, context, from, answer);
	tls_raw_release(&client);
	turn(&world->loop);
}

static void visit_socket(struct world *world, const char *answer)
{
	struct raw raw;
	raw_dial(&raw, &world->loop);
	raw_send(&raw, &world->loop, GET("/"));
	wait_for(&world->loop, raw_has(&raw, answer));
	raw_release(&raw);
}

/* Hung up on before the handshake. */
static void expect_hung_up(struct world *world, SSL_CTX *context, int from)
{
	struct tls_raw client;
	dial(world, &client, context, from);
	wait_for(&world->loop, tls_raw_has_ended(&client));
	assert_false(client.open);
	tls_raw_release(&client);
}

static void handshakes_have_a_deadline(void **state)
{
	(void)state;
	struct world world;
	struct tls_raw silent;
	struct http_server_options options = defaults();
	options.handshake_timeout_ms = 30;
	start(&world, &options);
	dial(&world, &silent, as_nobody, 1);
	wait_for(&world.loop, raw_has_ended(&silent.raw));
	tls_raw_release(&silent);
	stop(&world);
}

static void of_too_many_handshakes_the_oldest_goes(void **state)
{
	(void)state;
	struct world world;
	struct tls_raw silent[6];
	struct http_server_options options = defaults();
	options.handshakes_max = 4;
	start(&world, &options);
	for (int i = 0; i < 6; i++)
		dial(&world, &silent[i], as_nobody, 2 + i);
	for (int i = 0; i < 6; i++)
		assert_int_equal(raw_has_ended(&silent[i].raw), i < 2);
	visit(&world, as_nobody, 1, "hello");
	/* They go on as if nothing had been. */
	expect(&world, &silent[5], GET("/"), "hello");
	for (int i = 0; i < 6; i++)
		tls_raw_release(&silent[i]);
	stop(&world);
}

static void one_address_pushes_out_its_own_handshakes_only(void **state)
{
	(void)state;
	struct world world;
	struct tls_raw other, silent[5];
	struct http_server_options options = defaults();
	options.address_connections_max = 3;
	start(&world, &options);
	dial(&world, &other, as_nobody, 1);
	for (int i = 0; i < 5; i++)
		dial(&world, &silent[i], as_nobody, 2);
	for (int i = 0; i < 5; i++)
		assert_int_equal(raw_has_ended(&silent[i].raw), i < 2);
	expect(&world, &other, GET("/"), "hello");
	visit(&world, as_other, 2, "hello");
	for (int i = 0; i < 5; i++)
		tls_raw_release(&silent[i]);
	tls_raw_release(&other);
	stop(&world);
}

static void without_a_certificate_an_address_has_so_many_connections(void **state)
{
	(void)state;
	struct world world;
	struct tls_raw kept[3], more[2];
	struct http_server_options options = defaults();
	options.address_connections_max = 3;
	start(&world, &options);
	for (int i = 0; i < 3; i++)
		dial_and_expect(&world, &kept[i], as_nobody, 1, "hello");
	visit(&world, as_nobody, 1, "HTTP/1.1 429 ");
	visit(&world, as_nobody, 1, "\r\nRetry-After: 1\r\n");
	visit(&world, as_nobody, 1, "\"code\":\"limit\",\"message\":\"too many connections from");
	visit(&world, as_nobody, 2, "hello");
	dial_and_expect(&world, &more[0], as_other, 1, "hello");
	dial_and_expect(&world, &more[1], as_own, 1, "hello");
	tls_raw_release(&kept[0]);
	turn(&world.loop);
	dial_and_expect(&world, &kept[0], as_nobody, 1, "hello");
	for (int i = 0; i < 3; i++)
		tls_raw_release(&kept[i]);
	tls_raw_release(&more[0]);
	tls_raw_release(&more[1]);
	stop(&world);
}

static void a_certificate_that_is_worth_nothing_is_as_none(void **state)
{
	(void)state;
	struct world world;
	struct tls_raw kept[2];
	struct http_server_options options = defaults();
	options.address_connections_max = 2;
	start(&world, &options);
	dial_and_expect(&world, &kept[0], as_removed, 1, "hello");
	dial_and_expect(&world, &kept[1], as_nobody, 1, "hello");
	visit(&world, as_removed, 1, "HTTP/1.1 429 ");
	visit(&world, as_other, 1, "hello");
	assert_int_equal(http_server_counts(world.server).refused_requests, 1);
	assert_int_equal(http_server_counts(world.server).refused_connections, 0);
	for (int i = 0; i < 2; i++)
		tls_raw_release(&kept[i]);
	stop(&world);
}

static struct http_server_options few_arrivals(void)
{
	struct http_server_options options = defaults();
	options.address_arrivals_burst = 4;
	/* None comes back while the test lasts. */
	options.address_arrivals_per_minute = 1;
	return options;
}

static void without_a_certificate_an_address_may_come_so_often(void **state)
{
	(void)state;
	struct world world;
	struct http_server_options options = few_arrivals();
	start(&world, &options);
	for (int i = 0; i < 4; i++)
		visit(&world, as_nobody, 1, "hello");
	expect_hung_up(&world, as_nobody, 1);
	assert_int_equal(http_server_counts(world.server).refused_connections, 1);
	visit(&world, as_nobody, 2, "hello");
	visit_socket(&world, "hello");
	/* Silent ones count, too. */
	struct tls_raw silent[4];
	for (int i = 0; i < 4; i++)
		dial(&world, &silent[i], as_nobody, 3);
	expect_hung_up(&world, as_nobody, 3);
	for (int i = 0; i < 4; i++)
		tls_raw_release(&silent[i]);
	stop(&world);
}

static void requests_count_as_coming(void **state)
{
	(void)state;
	struct world world;
	struct tls_raw client;
	struct http_server_options options = few_arrivals();
	start(&world, &options);
	dial_and_expect(&world, &client, as_nobody, 1, "hello");
	for (int i = 0; i < 3; i++)
		expect(&world, &client, GET("/"), "hello");
	expect(&world, &client, GET("/"), "HTTP/1.1 429 ");
	wait_for(&world.loop, tls_raw_has_ended(&client));
	tls_raw_release(&client);
	stop(&world);
}

static void with_a_certificate_one_may_come_as_often_as_one_likes(void **state)
{
	(void)state;
	struct world world;
	struct http_server_options options = few_arrivals();
	start(&world, &options);
	struct tls_raw client;
	for (int i = 0; i < 20; i++)
		visit(&world, as_other, 1, "hello");
	dial(&world, &client, as_other, 1);
	for (int i = 0; i < 20; i++)
		expect(&world, &client, GET("/"), "hello");
	tls_raw_release(&client);
	stop(&world);
}

/* Many workers behind one address come at once. */
static void a_worker_vouches_for_its_address(void **state)
{
	(void)state;
	struct world world;
	struct tls_raw clients[20];
	struct http_server_options options = few_arrivals();
	start(&world, &options);
	visit(&world, as_own, 1, "hello");
	for (int i = 0; i < 20; i++)
		dial(&world, &clients[i], as_own, 1);
	for (int i = 0; i < 20; i++) {
		expect(&world, &clients[i], GET("/"), "hello");
		tls_raw_release(&clients[i]);
	}
	stop(&world);
}

static struct http_server_options little_room(void)
{
	struct http_server_options options = defaults();
	options.connections_max = 6;
	options.reserved = 2;
	return options;
}

static void who_has_been_nobody_for_longest_makes_room(void **state)
{
	(void)state;
	struct world world;
	struct tls_raw idle[4], own[3], another;
	struct http_server_options options = little_room();
	start(&world, &options);
	for (int i = 0; i < 4; i++)
		dial_and_expect(&world, &idle[i], as_nobody, 2 + i, "hello");
	dial_and_expect(&world, &another, as_nobody, 9, "hello");
	wait_for(&world.loop, tls_raw_has_ended(&idle[0]));
	for (int i = 0; i < 3; i++) {
		dial_and_expect(&world, &own[i], as_own, 1, "hello");
		wait_for(&world.loop, tls_raw_has_ended(&idle[i + 1]));
	}
	expect(&world, &another, GET("/"), "hello");
	for (int i = 0; i < 3; i++)
		tls_raw_release(&own[i]);
	for (int i = 0; i < 4; i++)
		tls_raw_release(&idle[i]);
	tls_raw_release(&another);
	stop(&world);
}

static void the_reserve_is_for_the_own(void **state)
{
	(void)state;
	struct world world;
	struct tls_raw busy[4], own;
	struct http_server_options options = little_room();
	start(&world, &options);
	/* Answers are owed to them, so that they cannot be cut. */
	for (int i = 0; i < 4; i++) {
		dial(&world, &busy[i], i % 2 ? as_other : as_nobody, 2 + i);
		tls_raw_send(&busy[i], &world.loop, GET("/wait"));
		wait_for(&world.loop, tls_raw_go_on(&busy[i]) && world.n_waiting == i + 1);
	}
	visit(&world, as_nobody, 1, "HTTP/1.1 503 ");
	visit(&world, as_other, 1, "\"code\":\"limit\",\"message\":\"too many connections\"");
	visit_socket(&world, "hello");
	dial_and_expect(&world, &own, as_own, 1, "hello");
	visit_socket(&world, "hello");
	tls_raw_release(&own);
	for (int i = 0; i < 4; i++)
		tls_raw_release(&busy[i]);
	wait_for(&world.loop, world.n_waiting == 0);
	stop(&world);
}

static void the_last_descriptors_are_for_the_own(void **state)
{
	(void)state;
	struct world world;
	struct tls_raw idle, other, own;
	struct rlimit before;
	struct http_server_options options = defaults();
	start(&world, &options);
	dial_and_expect(&world, &idle, as_nobody, 1, "hello");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	int lowest = dup(0);
	close(lowest);
	struct rlimit few = { (rlim_t)(lowest + LIMIT_HTTP_RESERVED), before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	dial_and_expect(&world, &other, as_other, 2, "hello");
	wait_for(&world.loop, tls_raw_has_ended(&idle));
	/* Now that there is nobody left to make room: */
	visit(&world, as_nobody, 2, "HTTP/1.1 503 ");
	visit(&world, as_other, 2, "HTTP/1.1 503 ");
	visit_socket(&world, "hello");
	dial_and_expect(&world, &own, as_own, 1, "hello");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	visit(&world, as_other, 2, "hello");
	tls_raw_release(&own);
	tls_raw_release(&other);
	tls_raw_release(&idle);
	stop(&world);
}

static void a_caller_costs_one_also_where_none_but_the_last_come_free(void **state)
{
	(void)state;
	struct world world;
	struct tls_raw idle[3], own;
	struct rlimit before;
	struct http_server_options options = defaults();
	start(&world, &options);
	for (int i = 0; i < 3; i++)
		dial_and_expect(&world, &idle[i], as_nobody, 2 + i, "hello");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	int lowest = dup(0);
	close(lowest);
	/* What they have, at both ends, is reserved. */
	struct rlimit few = { (rlim_t)(lowest - 6 + LIMIT_HTTP_RESERVED), before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	dial_and_expect(&world, &own, as_own, 1, "hello");
	assert_true(tls_raw_has_ended(&idle[0]));
	for (int i = 1; i < 3; i++)
		expect(&world, &idle[i], GET("/"), "hello");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	tls_raw_release(&own);
	for (int i = 0; i < 3; i++)
		tls_raw_release(&idle[i]);
	stop(&world);
}

static void a_body_must_come_fast_enough(void **state)
{
	(void)state;
	struct world world;
	struct tls_raw client;
	struct http_server_options options = defaults();
	options.body_grace_ms = 30;
	options.body_bytes_per_second = 1 << 30;
	start(&world, &options);
	dial(&world, &client, as_own, 1);
	expect(&world, &client,
	       "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nhello",
	       "HTTP/1.1 408 ");
	tls_raw_release(&client);
	stop(&world);
}

static void a_body_may_take_its_time_if_it_goes_on(void **state)
{
	(void)state;
	struct world world;
	struct tls_raw client;
	struct http_server_options options = defaults();
	options.body_grace_ms = 1;
	options.body_bytes_per_second = 1;
	start(&world, &options);
	dial(&world, &client, as_own, 1);
	tls_raw_send(&client, &world.loop,
		     "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n");
	for (int i = 0; i < 1000; i++)
		tls_raw_send(&client, &world.loop, "x");
	/* It is looked at meanwhile, and has come for as many seconds as it has bytes. */
	loop_run(&world.loop, 50000);
	expect(&world, &client, "x", "hello");
	tls_raw_release(&client);
	stop(&world);
}

static void who_reads_nothing_is_cut(void **state)
{
	(void)state;
	struct world world;
	struct tls_raw client;
	struct http_server_options options = defaults();
	options.write_stall_ms = 50;
	start(&world, &options);
	dial(&world, &client, as_own, 1);
	tls_raw_send(&client, &world.loop, GET("/large"));
	/* A connection that is cut before its answer has left. */
	wait_for(&world.loop, world.n_large == 1);
	tls_raw_release(&client);
	stop(&world);
}

/* OpenSSL may hold bytes that the socket no longer tells of. */
static void what_was_held_back_is_read_later(void **state)
{
	(void)state;
	enum { N = 3000 };
	struct world world;
	struct tls_raw client;
	struct http_server_options options = defaults();
	start(&world, &options);
	dial(&world, &client, as_own, 1);
	tls_raw_send(&client, &world.loop, GET("/hold"));
	wait_for(&world.loop, world.held);
	for (int i = 0; i < N; i++)
		tls_raw_send(&client, &world.loop, GET("/"));
	turn(&world.loop);
	http_answer(world.held, 204, NULL, NULL, NULL, 0);
	wait_for(&world.loop, tls_raw_count(&client, "hello") == N);
	tls_raw_release(&client);
	stop(&world);
}

static void foreign_hosts_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *host, *answer;
	} rows[] = {
		{ "127.0.0.1", "hello" },
		{ "10.1.2.3:7700", "hello" },
		{ "localhost", "hello" },
		{ "LocalHost:7700", "hello" },
		{ "[::1]:7700", "hello" },
		{ "[fd00::7]", "hello" },
		{ "m1.example:7700", "hello" },
		{ "m2.example:7700", "HTTP/1.1 403 " },
		{ "", "HTTP/1.1 403 " },
		{ "evil.example", "HTTP/1.1 403 " },
		{ "evil.example:7700", "call this one by its address" },
		{ "localhost.evil.example", "HTTP/1.1 403 " },
		{ "127.0.0.1.evil.example", "HTTP/1.1 403 " },
		{ "[::1", "HTTP/1.1 403 " },
		{ "0x7f000001", "HTTP/1.1 403 " },
	};
	char name[LIMIT_HOSTNAME_BYTES + 1] = "", text[400];
	struct world world;
	struct tls_raw client;
	struct http_server_options options = defaults();
	start(&world, &options);
	http_server_set_name(world.server, "m1.example");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		dial(&world, &client, as_own, 1);
		text_print(text, sizeof(text), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", rows[i].host);
		expect(&world, &client, text, rows[i].answer);
		tls_raw_release(&client);
	}
	assert_int_equal(gethostname(name, sizeof(name) - 1), 0);
	dial(&world, &client, as_own, 1);
	text_print(text, sizeof(text), "GET / HTTP/1.1\r\nHost: %s:1\r\n\r\n", name);
	expect(&world, &client, text, "hello");
	expect(&world, &client, "GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\n\r\n",
	       "made by web pages");
	tls_raw_release(&client);
	stop(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handshakes_have_a_deadline),
		cmocka_unit_test(of_too_many_handshakes_the_oldest_goes),
		cmocka_unit_test(one_address_pushes_out_its_own_handshakes_only),
		cmocka_unit_test(without_a_certificate_an_address_has_so_many_connections),
		cmocka_unit_test(a_certificate_that_is_worth_nothing_is_as_none),
		cmocka_unit_test(without_a_certificate_an_address_may_come_so_often),
		cmocka_unit_test(requests_count_as_coming),
		cmocka_unit_test(with_a_certificate_one_may_come_as_often_as_one_likes),
		cmocka_unit_test(a_worker_vouches_for_its_address),
		cmocka_unit_test(who_has_been_nobody_for_longest_makes_room),
		cmocka_unit_test(the_reserve_is_for_the_own),
		cmocka_unit_test(the_last_descriptors_are_for_the_own),
		cmocka_unit_test(a_caller_costs_one_also_where_none_but_the_last_come_free),
		cmocka_unit_test(a_body_must_come_fast_enough),
		cmocka_unit_test(a_body_may_take_its_time_if_it_goes_on),
		cmocka_unit_test(who_reads_nothing_is_cut),
		cmocka_unit_test(what_was_held_back_is_read_later),
		cmocka_unit_test(foreign_hosts_are_refused),
	};
	struct test_identity removed, other, own;
	test_authority_init(&authority);
	test_identity_init(&manager, &authority, "drover://0a/manager/0", -60, 3600);
	test_identity_init(&removed, &authority, REMOVED_URI, -60, 3600);
	test_identity_init(&other, &authority, OTHER_URI, -60, 3600);
	test_identity_init(&own, &authority, OWN_URI, -60, 3600);
	as_nobody = tls_raw_context(NULL);
	as_removed = tls_raw_context(&removed);
	as_other = tls_raw_context(&other);
	as_own = tls_raw_context(&own);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	SSL_CTX_free(as_nobody);
	SSL_CTX_free(as_removed);
	SSL_CTX_free(as_other);
	SSL_CTX_free(as_own);
	test_identity_release(&removed);
	test_identity_release(&other);
	test_identity_release(&own);
	test_identity_release(&manager);
	test_authority_release(&authority);
	return failed;
}
