/* What connections that say nothing cost a server in a process of its own: bytes of its heap, as
 * malloc itself counts them. */
#include "net/http_server.h"

#include "net/tls_raw_testing.h"

#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define WORKER_URI                                                                                 \
	"drover://01980000-0000-7000-8000-000000000001/worker/"                                    \
	"01980000-0000-7000-8000-000000000002"
#define GET_ANY	    "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define CONNECTIONS 60
/* With OpenSSL 3.0, whose own part is most of it, and a tenth for what other versions need; docs/ARCHITECTURE.md says
 * where the bytes are. */
#define BYTES_MAX	    20500
#define WEBSOCKET_BYTES_MAX 29000

static struct test_authority authority;
static struct test_identity manager, worker;

/* ---- the server ---------------------------------------------------------------------------- */

static int64_t begin(void *owner, struct http_exchange *exchange)
{
	(void)owner;
	(void)exchange;
	return 0;
}

static void on_message(void *owner, struct websocket *websocket, bool text, const void *bytes,
		       size_t len)
{
	(void)owner;
	(void)websocket;
	(void)text;
	(void)bytes;
	(void)len;
}

static void on_closed(void *owner, struct websocket *websocket, const struct err *err)
{
	(void)owner;
	(void)websocket;
	(void)err;
}

static void request(void *owner, struct http_exchange *exchange)
{
	static const struct websocket_events events = { .message = on_message,
							.closed = on_closed };
	struct http_view upgrade;
	(void)owner;
	upgrade = http_header_get(http_exchange_head(exchange), "upgrade");
	if (upgrade.len)
		http_upgrade(exchange, &events, NULL);
	else
		http_answer(exchange, 200, "text/plain", NULL, "hello", 5);
}

static void closed(void *owner, struct http_exchange *exchange)
{
	(void)owner;
	(void)exchange;
}

static enum http_standing standing(void *owner, const struct http_peer *peer)
{
	(void)owner;
	return strcmp(peer->uri, WORKER_URI) == 0 ? HTTP_EXEMPT : HTTP_KNOWN;
}

struct server {
	struct event_base *base;
	int told_fd;
};

/* A byte asks for the heap's size; the end ends it. */
static void on_asked(evutil_socket_t fd, short what, void *argument)
{
	struct server *server = argument;
	char byte;
	(void)what;
	size_t used_bytes = mallinfo2().uordblks;
	if (read(fd, &byte, 1) != 1 ||
	    write(server->told_fd, &used_bytes, sizeof(used_bytes)) != sizeof(used_bytes))
		event_base_loopbreak(server->base);
}

static int serve(int asked_fd, int told_fd)
{
	static const struct http_handler handler = { begin, request, closed, standing };
	struct http_server_options options;
	struct tls_context *tls = NULL;
	struct err err = { 0 };
	int port = 0;
	struct server own = { event_base_new(), told_fd };
	struct event *asked = event_new(own.base, asked_fd, EV_READ | EV_PERSIST, on_asked, &own);
	event_add(asked, NULL);
	http_server_options_default(&options);
	struct http_server *server = http_server_new(own.base, &options, &handler, NULL);
	if (tls_context_new(&(struct tls_options){ .server = true,
						   .ca_pem = authority.pem,
						   .certificate_pem = manager.certificate_pem,
						   .key_pem = manager.key_pem },
			    &tls, &err))
		return 2;
	struct endpoint endpoint = { .host = (char *)(uintptr_t) "127.0.0.1", .tls = tls };
	if (http_server_listen_tcp(server, &endpoint, &port, &err) ||
	    write(told_fd, &port, sizeof(port)) != sizeof(port))
		return 3;
	event_base_dispatch(own.base);
	return 0;
}

/* ---- its clients --------------------------------------------------------------------------- */

struct world {
	struct loop loop;
	SSL_CTX *context;
	pid_t server;
	int port, ask_fd, told_fd;
	struct tls_raw clients[CONNECTIONS + 1];
};

static void start(struct world *world, const struct test_identity *identity)
{
	int asked[2], told[2];
	loop_init(&world->loop);
	assert_int_equal(pipe(asked), 0);
	assert_int_equal(pipe(told), 0);
	world->server = fork();
	assert_true(world->server >= 0);
	if (world->server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(asked[1]);
		close(told[0]);
		_exit(serve(asked[0], told[1]));
	}
	close(asked[0]);
	close(told[1]);
	world->ask_fd = asked[1];
	world->told_fd = told[0];
	world->context = tls_raw_context(identity);
	/* As our own clients, which offer nothing older. */
	SSL_CTX_set_min_proto_version(world->context, TLS1_3_VERSION);
	assert_int_equal(read(world->told_fd, &world->port, sizeof(world->port)),
			 sizeof(world->port));
}

static void stop(struct world *world)
{
	int status = 0;
	close(world->ask_fd);
	close(world->told_fd);
	assert_int_equal(waitpid(world->server, &status, 0), world->server);
	assert_int_equal(status, 0);
	for (size_t i = 0; i < ARRAY_LEN(world->clients); i++)
		tls_raw_release(&world->clients[i]);
	SSL_CTX_free(world->context);
	loop_release(&world->loop);
}

static size_t heap_of(struct world *world)
{
	size_t used_bytes = 0;
	assert_int_equal(write(world->ask_fd, "?", 1), 1);
	assert_int_equal(read(world->told_fd, &used_bytes, sizeof(used_bytes)), sizeof(used_bytes));
	return used_bytes;
}

static void connect_one(struct world *world, int i, const char *request, const char *answer)
{
	struct tls_raw *client = &world->clients[i];
	tls_raw_dial(client, world->context, 1 + i, world->port);
	tls_raw_send(client, &world->loop, request);
	wait_for(&world->loop, tls_raw_has(client, answer) || client->raw.ended);
	if (!tls_raw_has(client, answer))
		fail_msg("it is answered \"%s\"", text_string(&client->raw.got));
}

/* Each has asked once and got its answer. */
static void expect(const char *who, const struct test_identity *identity, const char *request,
		   const char *answer, size_t bytes_max)
{
	static struct world world;
	start(&world, identity);
	/* The first fills what all share. */
	connect_one(&world, CONNECTIONS, request, answer);
	size_t before_bytes = heap_of(&world);
	for (int i = 0; i < CONNECTIONS; i++)
		connect_one(&world, i, request, answer);
	size_t each_bytes = (heap_of(&world) - before_bytes) / CONNECTIONS;
	stop(&world);
	print_message("memory: an idle connection of %s: %zu bytes\n", who, each_bytes);
	assert_in_range(each_bytes, 1000, bytes_max);
}

static void an_idle_connection_of_a_member_is_small(void **state)
{
	(void)state;
	expect("a worker", &worker, GET_ANY, "hello", BYTES_MAX);
}

static void an_idle_connection_of_a_stranger_is_smaller(void **state)
{
	(void)state;
	expect("nobody", NULL, GET_ANY, "hello", BYTES_MAX - 2000);
}

static void an_idle_session_is_small(void **state)
{
	(void)state;
	expect("a worker, as a WebSocket", &worker,
	       "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	       "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
	       " 101 ", WEBSOCKET_BYTES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_idle_connection_of_a_member_is_small),
		cmocka_unit_test(an_idle_connection_of_a_stranger_is_smaller),
		cmocka_unit_test(an_idle_session_is_small),
	};
	test_authority_init(&authority);
	test_identity_init(&manager, &authority, "drover://0a/manager/0", -60, 3600);
	test_identity_init(&worker, &authority, WORKER_URI, -60, 3600);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_identity_release(&worker);
	test_identity_release(&manager);
	test_authority_release(&authority);
	return failed;
}
