/* The handshake from both sides, over real sockets. */
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/websocket_test.h"

#include <sys/un.h>

static void the_accept_key_is_that_of_the_standard(void **state)
{
	(void)state;
	char out[29];
	websocket_accept_key("dGhlIHNhbXBsZSBub25jZQ==", 24, out);
	assert_string_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

/* A server whose requests to /ws become websockets. */
struct world {
	struct loop loop;
	struct http_server *server;
	struct end server_end;
	int exchanges_closed;
	bool later;
	struct http_exchange *pending;
};

static int64_t begin(void *owner, struct http_exchange *exchange)
{
	(void)owner;
	(void)exchange;
	return 100;
}

static void request(void *owner, struct http_exchange *exchange)
{
	struct world *world = owner;
	if (!http_view_is(http_exchange_path(exchange), "/ws")) {
		static const char body[] =
			"{\"error\":{\"code\":\"not_found\",\"message\":\"no such thing\"}}";
		http_answer(exchange, 404, "application/json", NULL, body, sizeof(body) - 1);
	} else if (world->later) {
		world->pending = exchange;
	} else {
		world->server_end.websocket = http_upgrade(exchange, &events, &world->server_end);
	}
}

static void closed(void *owner, struct http_exchange *exchange)
{
	struct world *world = owner;
	(void)exchange;
	world->exchanges_closed++;
}

static void start(struct world *world)
{
	static const struct http_handler handler = { begin, request, closed };
	*world = (struct world){ 0 };
	loop_init(&world->loop);
	end_init(&world->server_end);
	struct http_server_options options;
	http_server_options_default(&options);
	world->server = http_server_new(world->loop.base, &options, &handler, world);
	assert_int_equal(http_server_listen_unix(world->server, world->loop.path, NULL), ERR_NONE);
}

static void stop(struct world *world)
{
	http_server_free(world->server);
	end_release(&world->server_end);
	loop_release(&world->loop);
}

static void client_and_server_talk_to_each_other(void **state)
{
	(void)state;
	for (int later = 0; later < 2; later++) {
		struct world world;
		struct end client;
		start(&world);
		end_init(&client);
		world.later = later;
		world.server_end.echo = true;
		client.websocket =
			http_client_websocket(world.loop.base, ENDPOINT_OF_PATH(world.loop.path),
					      "/ws", &events, &client);
		/* Said before the handshake: it waits. */
		assert_true(websocket_send(client.websocket, true, "early", 5));
		if (later) {
			wait_for(&world.loop, world.pending != NULL);
			world.server_end.websocket =
				http_upgrade(world.pending, &events, &world.server_end);
		}
		wait_for(&world.loop, client.messages == 1);
		assert_int_equal(client.opened, 1);
		assert_int_equal(world.exchanges_closed, 1);
		assert_string_equal(client.got.bytes, "early|");
		assert_string_equal(world.server_end.got.bytes, "early|");

		/* Larger than every buffer on the way. */
		size_t len = 3 << 20;
		_cleanup_free_ char *large = base_calloc(1, len);
		for (size_t i = 0; i < len; i++)
			large[i] = (char)('a' + i % 23);
		text_clear(&client.got);
		websocket_send(client.websocket, false, large, len);
		wait_for(&world.loop, client.messages == 2);
		assert_int_equal(client.got.len, len + 1);
		assert_memory_equal(client.got.bytes, large, len);
		assert_false(client.text);

		websocket_close(client.websocket, 1000, "done");
		client.websocket = NULL;
		wait_for(&world.loop, world.server_end.closed);
		assert_int_equal(world.server_end.code, ERR_CLOSED);
		assert_non_null(strstr(world.server_end.message, "1000 done"));
		turn(&world.loop);
		assert_int_equal(client.closed, 0);
		end_release(&client);
		stop(&world);
	}
}

static void a_refusal_tells_the_client_why(void **state)
{
	(void)state;
	struct world world;
	struct end client;
	start(&world);
	end_init(&client);
	client.websocket = http_client_websocket(world.loop.base, ENDPOINT_OF_PATH(world.loop.path),
						 "/nowhere", &events, &client);
	wait_for(&world.loop, client.closed);
	assert_int_equal(client.code, ERR_NOT_FOUND);
	assert_string_equal(client.message,
			    "the WebSocket is refused with 404 Not Found: no such thing");
	assert_int_equal(client.opened, 0);
	end_release(&client);

	end_init(&client);
	client.websocket = http_client_websocket(
		world.loop.base, ENDPOINT_OF_PATH("/nonexistent/s"), "/ws", &events, &client);
	assert_int_equal(client.closed, 0);
	wait_for(&world.loop, client.closed);
	assert_int_equal(client.code, ERR_UNAVAILABLE);
	end_release(&client);

	end_init(&client);
	client.websocket = http_client_websocket(world.loop.base, ENDPOINT_OF_PATH(world.loop.path),
						 "/a b", &events, &client);
	wait_for(&world.loop, client.closed);
	assert_int_equal(client.code, ERR_INVALID);
	end_release(&client);

	/* Freed before the answer. */
	end_init(&client);
	client.websocket = http_client_websocket(world.loop.base, ENDPOINT_OF_PATH(world.loop.path),
						 "/ws", &events, &client);
	websocket_close(client.websocket, 1000, "never mind");
	client.websocket = NULL;
	turn(&world.loop);
	assert_int_equal(client.closed, 0);
	end_release(&client);
	stop(&world);
}

static void a_bad_handshake_is_answered_and_the_connection_lives_on(void **state)
{
	(void)state;
#define GET_WS	"GET /ws HTTP/1.1\r\nHost: x\r\n"
#define UPGRADE "Connection: Upgrade\r\nUpgrade: websocket\r\n"
#define KEY	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
	static const char *const cases[][2] = {
		{ GET_WS KEY VERSION "\r\n", "HTTP/1.1 400 " },
		{ GET_WS "Upgrade: websocket\r\n" KEY VERSION "\r\n", "HTTP/1.1 400 " },
		{ GET_WS "Connection: Upgrade\r\nUpgrade: h2c\r\n" KEY VERSION "\r\n",
		  "HTTP/1.1 400 " },
		{ GET_WS UPGRADE VERSION "\r\n", "HTTP/1.1 400 " },
		{ GET_WS UPGRADE KEY KEY VERSION "\r\n", "HTTP/1.1 400 " },
		{ GET_WS UPGRADE "Sec-WebSocket-Key: short==\r\n" VERSION "\r\n", "HTTP/1.1 400 " },
		{ GET_WS UPGRADE "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ*=\r\n" VERSION "\r\n",
		  "HTTP/1.1 400 " },
		{ "POST /ws HTTP/1.1\r\nHost: x\r\n" UPGRADE KEY VERSION "\r\n", "HTTP/1.1 400 " },
		{ GET_WS UPGRADE KEY "Sec-WebSocket-Version: 8\r\n\r\n", "HTTP/1.1 426 " },
		{ GET_WS UPGRADE KEY "\r\n", "Sec-WebSocket-Version: 13\r\n" },
		{ GET_WS UPGRADE KEY VERSION "Content-Length: 1\r\n\r\nx", "HTTP/1.1 400 " },
	};
	struct world world;
	start(&world);
	struct raw raw;
	raw_dial(&raw, &world.loop);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		text_clear(&raw.got);
		raw_send(&raw, &world.loop, cases[i][0]);
		wait_for(&world.loop, raw_has(&raw, "}}"));
		if (!raw_has(&raw, cases[i][1]))
			fail_msg("%s -> %s", cases[i][0], raw.got.bytes);
		assert_null(world.server_end.websocket);
	}
	text_clear(&raw.got);
	/* A good one, with a first frame right behind it. */
	raw_send(&raw, &world.loop, GET_WS UPGRADE KEY VERSION "\r\n");
	raw_send_bytes(&raw, &world.loop, "\x81\x81\0\0\0\0a", 7);
	wait_for(&world.loop, world.server_end.messages == 1);
	wait_for(&world.loop,
		 raw_has(&raw, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"));
	raw_release(&raw);
	wait_for(&world.loop, world.server_end.closed);
	stop(&world);
}

static void the_client_checks_the_servers_answer(void **state)
{
	(void)state;
	static const char *const answers[] = {
		("HTTP/1.1 101 Ok\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
		 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"),
		"HTTP/1.1 101 Ok\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
		"HTTP/1.1 101 Ok\r\nUpgrade: websocket\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"SSH-2.0\r\n\r\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct loop loop;
		loop_init(&loop);
		struct sockaddr_un address;
		assert_int_equal(socket_address(loop.path, &address, NULL), ERR_NONE);
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
		assert_int_equal(listen(fd, 1), 0);
		struct end client;
		end_init(&client);
		client.websocket = http_client_websocket(loop.base, ENDPOINT_OF_PATH(loop.path),
							 "/ws", &events, &client);
		struct raw raw;
		raw_init(&raw, accept4(fd, NULL, NULL, SOCK_NONBLOCK));
		wait_for(&loop, raw_has(&raw, "\r\n\r\n"));
		raw_send(&raw, &loop, answers[i]);
		wait_for(&loop, client.closed);
		assert_int_equal(client.code, ERR_PROTOCOL);
		assert_int_equal(client.opened, 0);
		end_release(&client);
		raw_release(&raw);
		close(fd);
		loop_release(&loop);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_accept_key_is_that_of_the_standard),
		cmocka_unit_test(client_and_server_talk_to_each_other),
		cmocka_unit_test(a_refusal_tells_the_client_why),
		cmocka_unit_test(a_bad_handshake_is_answered_and_the_connection_lives_on),
		cmocka_unit_test(the_client_checks_the_servers_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
