/* Two ends over TCP on the loopback address: who is let in, and what either end is told. */
#include "net/tls.h"

#include <openssl/ssl.h>
#include <sys/ioctl.h>

#include "net/http_client.h"
#include "net/http_server.h"
#include "net/net_test.h"
#include "net/tls_testing.h"

#define MANAGER "drover://0a/manager/1"
#define WORKER	"drover://0a/worker/2"

static struct test_authority authority, stranger;

struct world {
	struct loop loop;
	struct http_server *server;
	struct tls_context *server_tls;
	struct tls_context *client_tls;
	struct http_client *client;
	struct endpoint endpoint;
	unsigned char ticket_key[TLS_TICKET_KEY_BYTES];
	/* What the server saw. */
	struct http_peer peer;
	int n_requests;
	/* What the client was told. */
	bool done;
	int status;
	struct err err;
	char body[64];
	/* A websocket. */
	struct websocket *at_server;
	char heard[64];
	bool closed;
};

static int64_t begin(void *owner, struct http_exchange *exchange)
{
	(void)owner, (void)exchange;
	return 100;
}

static void heard(void *owner, struct websocket *websocket, bool text, const void *bytes,
		  size_t len)
{
	struct world *world = owner;
	assert_true(text);
	text_print(world->heard, sizeof(world->heard), "%.*s", (int)len, (const char *)bytes);
	if (websocket == world->at_server)
		websocket_send(websocket, true, "pong", 4);
}

static void websocket_gone(void *owner, struct websocket *websocket, const struct err *err)
{
	struct world *world = owner;
	if (websocket == world->at_server)
		world->at_server = NULL;
	else
		world->err = *err;
	world->closed = true;
}

static const struct websocket_events websocket_events = { .message = heard,
							  .closed = websocket_gone };

static void request(void *owner, struct http_exchange *exchange)
{
	struct world *world = owner;
	world->peer = *http_exchange_peer(exchange);
	world->n_requests++;
	if (http_view_is(http_exchange_path(exchange), "/ws"))
		world->at_server = http_upgrade(exchange, &websocket_events, world);
	else
		http_answer(exchange, 200, "text/plain", NULL, "hello", 5);
}

static void closed(void *owner, struct http_exchange *exchange)
{
	(void)owner, (void)exchange;
}

static struct tls_context *context_of(const struct tls_options *options)
{
	struct tls_context *context = NULL;
	struct err err;
	if (tls_context_new(options, &context, &err))
		fail_msg("%s", err.message);
	return context;
}

static void listen_again(struct world *world, const struct test_identity *identity, int port)
{
	static const struct http_handler handler = { begin, request, closed };
	struct http_server_options options;
	struct err err;
	http_server_options_default(&options);
	world->server_tls =
		context_of(&(struct tls_options){ .server = true,
						  .ca_pem = authority.pem,
						  .certificate_pem = identity->certificate_pem,
						  .key_pem = identity->key_pem,
						  .ticket_key = world->ticket_key });
	world->server = http_server_new(world->loop.base, &options, &handler, world);
	struct endpoint endpoint = { .host = base_strdup("127.0.0.1"),
				     .port = port,
				     .tls = world->server_tls };
	if (http_server_listen_tcp(world->server, &endpoint, &port, &err))
		fail_msg("%s", err.message);
	endpoint.port = port;
	endpoint.tls = world->client_tls;
	endpoint_release(&world->endpoint);
	world->endpoint = endpoint;
}

static void start_with(struct world *world, const char *uri, long from_s, long until_s)
{
	struct test_identity identity;
	*world = (struct world){ 0 };
	loop_init(&world->loop);
	memset(world->ticket_key, 7, sizeof(world->ticket_key));
	test_identity_init(&identity, &authority, uri, from_s, until_s);
	listen_again(world, &identity, 0);
	test_identity_release(&identity);
}

static void start(struct world *world)
{
	start_with(world, MANAGER, -60, 60);
}

static void stop_server(struct world *world)
{
	http_server_free(world->server);
	tls_context_free(world->server_tls);
}

static void stop(struct world *world)
{
	http_client_free(world->client);
	if (world->at_server)
		websocket_free(world->at_server);
	stop_server(world);
	tls_context_free(world->client_tls);
	endpoint_release(&world->endpoint);
	loop_release(&world->loop);
}

/* Be a client with these options; a new one each time. */
static void use(struct world *world, const struct tls_options *options)
{
	http_client_free(world->client);
	tls_context_free(world->client_tls);
	world->client_tls = context_of(options);
	world->endpoint.tls = world->client_tls;
	world->client = http_client_new(world->loop.base, &world->endpoint, 2);
}

static void call_done(void *owner, struct http_call *call, const struct err *err,
		      enum http_sent sent, int status, struct http_view body)
{
	struct world *world = owner;
	(void)call, (void)sent;
	world->done = true;
	world->status = status;
	world->err = err ? *err : (struct err){ 0 };
	text_print(world->body, sizeof(world->body), "%.*s", (int)body.len, body.bytes);
}

static void get(struct world *world, bool fresh)
{
	static const struct http_call_events events = { .done = call_done };
	world->done = false;
	http_client_call(world->client,
			 &(struct http_call_options){ .method = "GET",
						      .target = "/",
						      .timeout_ms = TEST_WAIT_MS,
						      .fresh_connection = fresh },
			 &events, world);
	wait_for(&world->loop, world->done);
}

static void expect_hello(struct world *world)
{
	get(world, false);
	if (world->err.code)
		fail_msg("%s", world->err.message);
	assert_int_equal(world->status, 200);
	assert_string_equal(world->body, "hello");
}

static void expect_failure(struct world *world, enum err_code code, const char *words)
{
	get(world, false);
	assert_int_equal(world->err.code, code);
	if (!strstr(world->err.message, words))
		fail_msg("%s", world->err.message);
	assert_int_equal(world->n_requests, 0);
}

static void a_certified_client_is_known(void **state)
{
	(void)state;
	struct world world;
	struct test_identity worker;
	start(&world);
	test_identity_init(&worker, &authority, WORKER, -60, 60);
	use(&world, &(struct tls_options){ .ca_pem = authority.pem,
					   .certificate_pem = worker.certificate_pem,
					   .key_pem = worker.key_pem,
					   .expect_uri_prefix = "drover://0a/manager/" });
	expect_hello(&world);
	assert_true(world.peer.tls);
	assert_false(world.peer.unix_socket);
	assert_string_equal(world.peer.address, "127.0.0.1");
	assert_true(world.peer.certified);
	assert_string_equal(world.peer.uri, WORKER);
	test_identity_release(&worker);
	stop(&world);
}

static void a_client_without_a_certificate_is_nobody(void **state)
{
	(void)state;
	struct world world;
	start(&world);
	use(&world, &(struct tls_options){ .ca_pem = authority.pem });
	expect_hello(&world);
	assert_true(world.peer.tls);
	assert_false(world.peer.certified);
	assert_string_equal(world.peer.uri, "");
	stop(&world);
}

static void a_certificate_of_another_ca_is_not_let_in(void **state)
{
	(void)state;
	struct world world;
	struct test_identity worker;
	start(&world);
	test_identity_init(&worker, &stranger, WORKER, -60, 60);
	use(&world, &(struct tls_options){ .ca_pem = authority.pem,
					   .certificate_pem = worker.certificate_pem,
					   .key_pem = worker.key_pem });
	get(&world, false);
	assert_int_not_equal(world.err.code, ERR_NONE);
	assert_int_equal(world.n_requests, 0);
	test_identity_release(&worker);
	stop(&world);
}

static void an_expired_client_is_let_in_and_told_apart(void **state)
{
	(void)state;
	struct world world;
	struct test_identity worker;
	start(&world);
	test_identity_init(&worker, &authority, WORKER, -3600, -60);
	use(&world, &(struct tls_options){ .ca_pem = authority.pem,
					   .certificate_pem = worker.certificate_pem,
					   .key_pem = worker.key_pem });
	expect_hello(&world);
	assert_true(world.peer.certified);
	assert_true(world.peer.not_after_s < (int64_t)time(NULL));
	test_identity_release(&worker);
	stop(&world);
}

/* The manager's clock was ahead when it was made, and is right now. */
static void a_client_that_is_not_in_its_time_yet_is_let_in(void **state)
{
	(void)state;
	struct world world;
	struct test_identity worker;
	start(&world);
	test_identity_init(&worker, &authority, WORKER, 8L * 3600, 30L * 24 * 3600);
	use(&world, &(struct tls_options){ .ca_pem = authority.pem,
					   .certificate_pem = worker.certificate_pem,
					   .key_pem = worker.key_pem });
	expect_hello(&world);
	assert_true(world.peer.certified);
	test_identity_release(&worker);
	stop(&world);
}

/* It is known by its hash, or lies with us: no clock makes it another one. */
static void the_dates_of_the_ca_say_nothing(void **state)
{
	(void)state;
	static const long times[][2] = { { 600, 3600 }, { -3600, -600 } };
	struct test_authority usual = authority;
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		struct world world;
		struct test_identity worker;
		test_authority_init_at(&authority, times[i][0], times[i][1]);
		test_identity_init(&worker, &authority, WORKER, -60, 60);
		start(&world);
		use(&world, &(struct tls_options){ .ca_pem = authority.pem,
						   .certificate_pem = worker.certificate_pem,
						   .key_pem = worker.key_pem });
		expect_hello(&world);
		assert_true(world.peer.certified);
		use(&world, &(struct tls_options){ .ca_sha256 = authority.sha256 });
		expect_hello(&world);
		stop(&world);
		test_identity_release(&worker);
		test_authority_release(&authority);
	}
	authority = usual;
}

static void a_server_out_of_its_time_is_told_with_both_clocks(void **state)
{
	(void)state;
	static const long times[][2] = { { 600, 3600 }, { -3600, -600 } };
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		struct world world;
		start_with(&world, MANAGER, times[i][0], times[i][1]);
		use(&world, &(struct tls_options){ .ca_pem = authority.pem });
		expect_failure(&world, ERR_FORBIDDEN, "the certificate is valid from ");
		assert_non_null(strstr(world.err.message, "and this machine's clock says "));
		stop(&world);
	}
}

static void a_server_of_another_ca_is_not_trusted(void **state)
{
	(void)state;
	struct world world;
	start(&world);
	use(&world, &(struct tls_options){ .ca_pem = stranger.pem });
	expect_failure(&world, ERR_FORBIDDEN, "the certificate is not accepted");
	stop(&world);
}

static void a_worker_cannot_pose_as_a_manager(void **state)
{
	(void)state;
	static const char *const uris[] = { WORKER, "drover://manager/", "http://0a/manager/1",
					    "drover://0a/b/manager/1" };
	for (size_t i = 0; i < ARRAY_LEN(uris); i++) {
		struct world world;
		start_with(&world, uris[i], -60, 60);
		use(&world, &(struct tls_options){ .ca_pem = authority.pem });
		expect_failure(&world, ERR_FORBIDDEN, "the other side is not a manager");
		stop(&world);
	}
	struct world world;
	start(&world);
	use(&world, &(struct tls_options){ .ca_pem = authority.pem,
					   .expect_uri_prefix = "drover://0b/manager/" });
	expect_failure(&world, ERR_FORBIDDEN, "the other side is not a manager");
	stop(&world);
}

static void a_pin_stands_for_the_ca(void **state)
{
	(void)state;
	struct world world;
	start(&world);
	use(&world, &(struct tls_options){ .ca_sha256 = authority.sha256 });
	expect_hello(&world);
	world.n_requests = 0;
	use(&world, &(struct tls_options){ .ca_sha256 = stranger.sha256 });
	expect_failure(&world, ERR_FORBIDDEN, "not of the cluster that the token is for");
	stop(&world);
}

static void older_tls_is_not_spoken(void **state)
{
	(void)state;
	struct world world;
	start(&world);
	/* A plain client of OpenSSL's that speaks 1.2 at most. */
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
	SSL *ssl = SSL_new(context);
	struct sockaddr_storage address;
	socklen_t len;
	struct err err;
	assert_int_equal(socket_tcp_address(&world.endpoint, &address, &len, &err), 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, len), 0);
	int flags = 1;
	assert_int_equal(ioctl(fd, FIONBIO, &flags), 0);
	SSL_set_fd(ssl, fd);
	int result = -1;
	wait_for(&world.loop, (result = SSL_connect(ssl)) == 1 ||
				      (SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ &&
				       SSL_get_error(ssl, result) != SSL_ERROR_WANT_WRITE));
	assert_int_not_equal(result, 1);
	SSL_free(ssl);
	SSL_CTX_free(context);
	close(fd);
	stop(&world);
}

static void nobody_there_is_said_so(void **state)
{
	(void)state;
	struct world world;
	start(&world);
	stop_server(&world);
	world.server = NULL;
	world.server_tls = NULL;
	use(&world, &(struct tls_options){ .ca_pem = authority.pem });
	expect_failure(&world, ERR_UNAVAILABLE, "nobody listens there");
	stop(&world);
}

static void websockets_pass_over_tls(void **state)
{
	(void)state;
	struct world world;
	start(&world);
	use(&world, &(struct tls_options){ .ca_pem = authority.pem });
	struct websocket *websocket = http_client_websocket(world.loop.base, &world.endpoint, "/ws",
							    &websocket_events, &world);
	websocket_send(websocket, true, "ping", 4);
	wait_for(&world.loop, strcmp(world.heard, "pong") == 0);
	websocket_free(websocket);
	wait_for(&world.loop, world.closed);
	stop(&world);
}

static void a_websocket_that_cannot_be_opened_says_why(void **state)
{
	(void)state;
	struct world world;
	start(&world);
	use(&world, &(struct tls_options){ .ca_pem = stranger.pem });
	http_client_websocket(world.loop.base, &world.endpoint, "/ws", &websocket_events, &world);
	wait_for(&world.loop, world.closed);
	assert_int_equal(world.err.code, ERR_FORBIDDEN);
	assert_non_null(strstr(world.err.message, "the certificate is not accepted"));
	stop(&world);
}

/* Does the newest connection of the client go on from an earlier one? The server's certificate tells: a full handshake
 * would refuse it. */
static void sessions_resume_after_a_restart_of_the_server(void **state)
{
	(void)state;
	struct world world;
	struct test_identity other;
	start(&world);
	use(&world, &(struct tls_options){ .ca_pem = authority.pem });
	expect_hello(&world);
	turn(&world.loop);
	int port = world.endpoint.port;
	stop_server(&world);
	test_identity_init(&other, &stranger, MANAGER, -60, 60);
	listen_again(&world, &other, port);
	expect_hello(&world);
	memset(world.ticket_key, 8, sizeof(world.ticket_key));
	stop_server(&world);
	listen_again(&world, &other, port);
	get(&world, false);
	assert_int_equal(world.err.code, ERR_FORBIDDEN);
	test_identity_release(&other);
	stop(&world);
}

static void a_renewed_certificate_is_shown_and_old_connections_stay(void **state)
{
	(void)state;
	struct world world;
	struct test_identity renewed;
	struct err err;
	start_with(&world, "drover://0a/manager/1", -60, 60);
	use(&world, &(struct tls_options){ .ca_pem = authority.pem });
	expect_hello(&world);
	test_identity_init(&renewed, &authority, "drover://0b/manager/1", -60, 60);
	assert_int_equal(tls_context_set_certificate(world.server_tls, renewed.certificate_pem,
						     renewed.key_pem, &err),
			 0);
	expect_hello(&world);
	use(&world, &(struct tls_options){ .ca_pem = authority.pem,
					   .expect_uri_prefix = "drover://0b/manager/" });
	expect_hello(&world);
	test_identity_release(&renewed);
	stop(&world);
}

/* Starts the server again with a certificate that a full handshake would not accept, and asks on a new connection. */
static void ask_a_stranger(struct world *world)
{
	struct test_identity other;
	int port = world->endpoint.port;
	test_identity_init(&other, &stranger, MANAGER, -60, 60);
	stop_server(world);
	listen_again(world, &other, port);
	test_identity_release(&other);
	get(world, true);
}

static void who_resumes_is_known_by_its_certificate(void **state)
{
	(void)state;
	struct world world;
	struct test_identity worker, renewed;
	struct err err;
	start(&world);
	test_identity_init(&worker, &authority, WORKER, -60, 60);
	test_identity_init(&renewed, &authority, "drover://0a/worker/3", -60, 60);
	use(&world, &(struct tls_options){ .ca_pem = authority.pem,
					   .certificate_pem = worker.certificate_pem,
					   .key_pem = worker.key_pem });
	expect_hello(&world);
	memset(&world.peer, 0, sizeof(world.peer));
	ask_a_stranger(&world);
	assert_int_equal(world.err.code, ERR_NONE);
	assert_true(world.peer.certified);
	assert_string_equal(world.peer.uri, WORKER);
	/* Another certificate begins another session. */
	assert_int_equal(tls_context_set_certificate(world.client_tls, renewed.certificate_pem,
						     renewed.key_pem, &err),
			 0);
	ask_a_stranger(&world);
	assert_int_equal(world.err.code, ERR_FORBIDDEN);
	test_identity_release(&worker);
	test_identity_release(&renewed);
	stop(&world);
}

/* A connection while both certificates are in their time, and they are so no more. False: it took too long. */
static bool connect_then_expire(struct world *world, long life_s)
{
	struct test_identity worker;
	start_with(world, MANAGER, -60, life_s + 1);
	test_identity_init(&worker, &authority, WORKER, -60, life_s);
	use(world, &(struct tls_options){ .ca_pem = authority.pem,
					  .certificate_pem = worker.certificate_pem,
					  .key_pem = worker.key_pem });
	test_identity_release(&worker);
	get(world, true);
	int64_t end_s = world->peer.not_after_s;
	bool in_time = !world->err.code && (int64_t)time(NULL) <= end_s;
	wait_for(&world->loop, !in_time || (int64_t)time(NULL) > end_s);
	return in_time;
}

static void times_are_judged_anew_when_a_session_resumes(void **state)
{
	(void)state;
	struct world world;
	long life_s = 1;
	for (; !connect_then_expire(&world, life_s); life_s *= 2)
		stop(&world);
	/* The client's: a full handshake, in which the stranger is found out. */
	ask_a_stranger(&world);
	assert_int_equal(world.err.code, ERR_FORBIDDEN);
	stop(&world);
	/* The server's: the same. */
	for (life_s = 1; !connect_then_expire(&world, life_s); life_s *= 2)
		stop(&world);
	wait_for(&world.loop, (int64_t)time(NULL) > world.peer.not_after_s + 1);
	get(&world, true);
	assert_int_equal(world.err.code, ERR_FORBIDDEN);
	assert_non_null(strstr(world.err.message, "this machine's clock says"));
	stop(&world);
}

static void a_certificate_that_cannot_be_leaves_the_former(void **state)
{
	(void)state;
	struct world world;
	struct test_identity other, third;
	struct err err;
	start(&world);
	test_identity_init(&other, &authority, "drover://0b/manager/1", -60, 60);
	test_identity_init(&third, &authority, "drover://0b/manager/1", -60, 60);
	use(&world, &(struct tls_options){ .ca_pem = authority.pem,
					   .expect_uri_prefix = "drover://0a/manager/" });
	struct tls_context *context = world.server_tls;
	assert_int_equal(tls_context_set_certificate(context, "x", other.key_pem, &err),
			 ERR_INVALID);
	assert_int_equal(tls_context_set_certificate(context, other.certificate_pem, "x", &err),
			 ERR_INVALID);
	assert_int_equal(
		tls_context_set_certificate(context, other.certificate_pem, third.key_pem, &err),
		ERR_INVALID);
	expect_hello(&world);
	test_identity_release(&other);
	test_identity_release(&third);
	stop(&world);
}

static void texts_that_are_no_certificates_are_refused(void **state)
{
	(void)state;
	struct test_identity one, other;
	struct tls_context *context = NULL;
	struct err err;
	test_identity_init(&one, &authority, WORKER, -60, 60);
	test_identity_init(&other, &authority, WORKER, -60, 60);
	const struct tls_options wrong[] = {
		{ .ca_pem = "nonsense" },
		{ .ca_pem = authority.pem, .certificate_pem = "nonsense", .key_pem = one.key_pem },
		{ .ca_pem = authority.pem, .certificate_pem = one.certificate_pem, .key_pem = "x" },
		{ .ca_pem = authority.pem,
		  .certificate_pem = one.certificate_pem,
		  .key_pem = other.key_pem },
	};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(tls_context_new(&wrong[i], &context, &err), ERR_INVALID);
	test_identity_release(&one);
	test_identity_release(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certified_client_is_known),
		cmocka_unit_test(a_client_without_a_certificate_is_nobody),
		cmocka_unit_test(a_certificate_of_another_ca_is_not_let_in),
		cmocka_unit_test(an_expired_client_is_let_in_and_told_apart),
		cmocka_unit_test(a_client_that_is_not_in_its_time_yet_is_let_in),
		cmocka_unit_test(the_dates_of_the_ca_say_nothing),
		cmocka_unit_test(a_server_out_of_its_time_is_told_with_both_clocks),
		cmocka_unit_test(a_server_of_another_ca_is_not_trusted),
		cmocka_unit_test(a_worker_cannot_pose_as_a_manager),
		cmocka_unit_test(a_pin_stands_for_the_ca),
		cmocka_unit_test(older_tls_is_not_spoken),
		cmocka_unit_test(nobody_there_is_said_so),
		cmocka_unit_test(websockets_pass_over_tls),
		cmocka_unit_test(a_websocket_that_cannot_be_opened_says_why),
		cmocka_unit_test(sessions_resume_after_a_restart_of_the_server),
		cmocka_unit_test(a_renewed_certificate_is_shown_and_old_connections_stay),
		cmocka_unit_test(who_resumes_is_known_by_its_certificate),
		cmocka_unit_test(times_are_judged_anew_when_a_session_resumes),
		cmocka_unit_test(a_certificate_that_cannot_be_leaves_the_former),
		cmocka_unit_test(texts_that_are_no_certificates_are_refused),
	};
	test_authority_init(&authority);
	test_authority_init(&stranger);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_authority_release(&authority);
	test_authority_release(&stranger);
	return failed;
}
