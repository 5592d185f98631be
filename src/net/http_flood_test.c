/* A server in a process of its own, with the limits it really has, under a flood from hundreds of
 * loopback addresses: handshakes that never go on, heads that come byte by byte, connections kept
 * for nothing, and one that dials as fast as it can from the worker's own address. Meanwhile a
 * worker, on its old connection and on new ones, and the owner of the socket are answered. */
#include "net/http_server.h"

#include "net/tls_raw_testing.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define WORKER_URI "drover://0a/worker/1"
#define GET_ANY	   "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define ROUNDS	   12
/* Each round adds so many of each kind, from addresses of their own. */
#define SILENT_PER_ROUND 60
#define SLOW_PER_ROUND	 20
#define IDLE_PER_ROUND	 20
#define HASTY_PER_ROUND	 100
#define STRANGERS	 (ROUNDS * (SILENT_PER_ROUND + SLOW_PER_ROUND + IDLE_PER_ROUND))
/* Less than the flood takes, were it let. */
#define SERVER_DESCRIPTORS 512
#define FIRST_STRANGER	   0x1000 /* 127.0.16.0 */

static struct test_authority authority;
static struct test_identity manager, worker;

/* ---- the server ---------------------------------------------------------------------------- */

static int64_t begin(void *owner, struct http_exchange *exchange)
{
	(void)owner;
	(void)exchange;
	return 0;
}

static void request(void *owner, struct http_exchange *exchange)
{
	(void)owner;
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

static void on_stop(evutil_socket_t fd, short what, void *base)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(base);
}

/* Until `stop_fd` is closed at its other end. 0: all went well. */
static int serve(const char *path, int port_fd, int stop_fd)
{
	static const struct http_handler handler = { begin, request, closed, standing };
	struct http_server_options options;
	struct rlimit few = { SERVER_DESCRIPTORS, SERVER_DESCRIPTORS };
	struct tls_context *tls = NULL;
	struct err err = { 0 };
	int port = 0;
	struct event_base *base = event_base_new();
	struct event *stop = event_new(base, stop_fd, EV_READ, on_stop, base);
	event_add(stop, NULL);
	http_server_options_default(&options);
	struct http_server *server = http_server_new(base, &options, &handler, NULL);
	if (setrlimit(RLIMIT_NOFILE, &few) < 0 ||
	    tls_context_new(&(struct tls_options){ .server = true,
						   .ca_pem = authority.pem,
						   .certificate_pem = manager.certificate_pem,
						   .key_pem = manager.key_pem },
			    &tls, &err))
		return 2;
	struct endpoint endpoint = { .host = (char *)(uintptr_t) "127.0.0.1", .tls = tls };
	if (http_server_listen_tcp(server, &endpoint, &port, &err) ||
	    http_server_listen_unix(server, path, &err) ||
	    write(port_fd, &port, sizeof(port)) != sizeof(port))
		return 3;
	event_base_dispatch(base);
	http_server_free(server);
	tls_context_free(tls);
	event_free(stop);
	event_base_loop(base, EVLOOP_NONBLOCK);
	event_base_free(base);
	return 0;
}

/* ---- the flood ----------------------------------------------------------------------------- */

struct world {
	struct loop loop;
	SSL_CTX *as_nobody, *as_worker;
	int port;
	int stop_fd;
	pid_t server;
	struct tls_raw strangers[STRANGERS];
	int n_strangers;
	struct tls_raw kept; /* the worker's old connection */
	int64_t longest_ms;
};

static void start(struct world *world)
{
	int port_fd[2], stop_fd[2];
	struct rlimit limit;
	loop_init(&world->loop);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_cur < STRANGERS + 100)
		skip();
	assert_int_equal(pipe(port_fd), 0);
	assert_int_equal(pipe(stop_fd), 0);
	world->server = fork();
	assert_true(world->server >= 0);
	if (world->server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(port_fd[0]);
		close(stop_fd[1]);
		_exit(serve(world->loop.path, port_fd[1], stop_fd[0]));
	}
	close(port_fd[1]);
	close(stop_fd[0]);
	assert_int_equal(read(port_fd[0], &world->port, sizeof(world->port)), sizeof(world->port));
	close(port_fd[0]);
	world->stop_fd = stop_fd[1];
	world->as_nobody = tls_raw_context(NULL);
	world->as_worker = tls_raw_context(&worker);
}

static void stop(struct world *world)
{
	int status = 0;
	for (int i = 0; i < world->n_strangers; i++)
		tls_raw_release(&world->strangers[i]);
	tls_raw_release(&world->kept);
	close(world->stop_fd);
	wait_for(&world->loop, waitpid(world->server, &status, WNOHANG) == world->server);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	SSL_CTX_free(world->as_nobody);
	SSL_CTX_free(world->as_worker);
	loop_release(&world->loop);
}

/* Ask on a connection of the worker's and wait for the answer. */
static void ask(struct world *world, struct tls_raw *client)
{
	int64_t from_ms = socket_clock_ms();
	tls_raw_send(client, &world->loop, GET_ANY);
	wait_for(&world->loop, tls_raw_has(client, "hello") || client->raw.ended);
	if (!tls_raw_has(client, "HTTP/1.1 200 "))
		fail_msg("the worker is answered \"%s\"", text_string(&client->raw.got));
	text_clear(&client->raw.got);
	if (socket_clock_ms() - from_ms > world->longest_ms)
		world->longest_ms = socket_clock_ms() - from_ms;
}

static void ask_on_a_new_connection(struct world *world)
{
	struct tls_raw client;
	tls_raw_dial(&client, world->as_worker, 1, world->port);
	ask(world, &client);
	tls_raw_release(&client);
}

static void ask_on_the_socket(struct world *world)
{
	struct raw raw;
	int64_t from_ms = socket_clock_ms();
	raw_dial(&raw, &world->loop);
	raw_send(&raw, &world->loop, GET_ANY);
	wait_for(&world->loop, raw_has(&raw, "hello") || raw.ended);
	if (!raw_has(&raw, "HTTP/1.1 200 "))
		fail_msg("the owner is answered \"%s\"", text_string(&raw.got));
	if (socket_clock_ms() - from_ms > world->longest_ms)
		world->longest_ms = socket_clock_ms() - from_ms;
	raw_release(&raw);
}

static void check_the_own(struct world *world)
{
	ask(world, &world->kept);
	ask_on_a_new_connection(world);
	ask_on_the_socket(world);
}

static struct tls_raw *add_stranger(struct world *world)
{
	struct tls_raw *stranger = &world->strangers[world->n_strangers];
	tls_raw_dial(stranger, world->as_nobody, FIRST_STRANGER + world->n_strangers, world->port);
	world->n_strangers++;
	return stranger;
}

/* With what it has got, whatever that is. */
static void say(struct world *world, struct tls_raw *stranger, const char *bytes)
{
	tls_raw_send(stranger, &world->loop, bytes);
	tls_raw_go_on(stranger);
}

static void flood(struct world *world)
{
	for (int i = 0; i < SILENT_PER_ROUND; i++)
		add_stranger(world);
	for (int i = 0; i < SLOW_PER_ROUND; i++)
		say(world, add_stranger(world), "G");
	for (int i = 0; i < IDLE_PER_ROUND; i++)
		say(world, add_stranger(world), GET_ANY);
	/* Those who said a part of it say one byte more. */
	for (int i = 0; i < world->n_strangers; i++)
		if (world->strangers[i].open)
			say(world, &world->strangers[i], "e");
	for (int i = 0; i < HASTY_PER_ROUND; i++) {
		struct tls_raw hasty;
		tls_raw_dial(&hasty, world->as_nobody, 1, world->port);
		tls_raw_release(&hasty);
	}
}

static void a_flood_of_strangers_holds_up_neither_workers_nor_the_owner(void **state)
{
	(void)state;
	static struct world world;
	start(&world);
	tls_raw_dial(&world.kept, world.as_worker, 1, world.port);
	ask(&world, &world.kept);
	for (int i = 0; i < ROUNDS; i++) {
		flood(&world);
		check_the_own(&world);
	}
	int cut = 0;
	for (int i = 0; i < world.n_strangers; i++)
		cut += raw_has_ended(&world.strangers[i].raw);
	print_message("flood: %d strangers, %d of them cut, and %d hasty ones; the longest answer "
		      "took %d ms\n",
		      world.n_strangers, cut, ROUNDS * HASTY_PER_ROUND, (int)world.longest_ms);
	/* The last are not theirs: were they, some of those who come next would be hung up on unseen. */
	assert_true(world.n_strangers - cut < SERVER_DESCRIPTORS - LIMIT_HTTP_RESERVED);
	stop(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flood_of_strangers_holds_up_neither_workers_nor_the_owner),
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
