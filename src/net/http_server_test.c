/* The server, asked by raw bytes. */
#include "net/http_server.h"

#include "net/net_test.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/check.h"

struct world {
	struct loop loop;
	struct http_server *server;
	struct http_exchange *pending; /* of /wait and /stream */
	int begun;
	int asked;
	int closed;
	int drained;
	bool closed_pending;
	char body[256];
	size_t body_len;
};

static bool is_path(struct http_exchange *exchange, const char *path)
{
	return http_view_is(http_exchange_path(exchange), path);
}

static int64_t begin(void *owner, struct http_exchange *exchange)
{
	struct world *world = owner;
	world->begun++;
	if (is_path(exchange, "/refuse")) {
		http_answer(exchange, 403, "text/plain", NULL, "no", 2);
		return -1;
	}
	return is_path(exchange, "/large") ? 1 << 20 : 100;
}

static void on_drained(void *data)
{
	struct world *world = data;
	world->drained++;
}

static void request(void *owner, struct http_exchange *exchange)
{
	struct world *world = owner;
	struct http_view body = http_exchange_body(exchange);
	world->asked++;
	world->body_len = body.len;
	memcpy(world->body, body.bytes,
	       body.len < sizeof(world->body) ? body.len : sizeof(world->body));
	http_exchange_set_owner_data(exchange, world);
	if (is_path(exchange, "/wait")) {
		world->pending = exchange;
	} else if (is_path(exchange, "/stream")) {
		world->pending = exchange;
		http_stream_begin(exchange, 200, "text/plain", NULL, on_drained, world);
	} else if (is_path(exchange, "/none")) {
		http_answer(exchange, 204, NULL, "X-Mark: 1\r\n", NULL, 0);
	} else {
		struct text text;
		text_init(&text, 4 << 20);
		text_addf(&text, "<%.*s>", (int)body.len, body.bytes);
		http_answer(exchange, 200, "text/plain", NULL, text.bytes, text.len);
		text_release(&text);
	}
}

static void closed(void *owner, struct http_exchange *exchange)
{
	struct world *world = owner;
	world->closed++;
	if (exchange == world->pending) {
		world->pending = NULL;
		world->closed_pending = true;
	}
}

static const struct http_handler handler = { begin, request, closed };

static void start(struct world *world, const struct http_server_options *options)
{
	*world = (struct world){ 0 };
	loop_init(&world->loop);
	world->server = http_server_new(world->loop.base, options, &handler, world);
	struct err err = { 0 };
	if (http_server_listen_unix(world->server, world->loop.path, &err))
		fail_msg("%s", err.message);
}

static void start_default(struct world *world)
{
	struct http_server_options options;
	http_server_options_default(&options);
	start(world, &options);
}

static void stop(struct world *world)
{
	http_server_free(world->server);
	assert_int_equal(world->begun, world->closed);
	loop_release(&world->loop);
}

/* Send `bytes` on a connection of its own and expect `answer` somewhere in what comes back before
 * the end. */
static void expect_and_end(struct world *world, const char *bytes, const char *answer)
{
	struct raw raw;
	raw_dial(&raw, &world->loop);
	raw_send(&raw, &world->loop, bytes);
	wait_for(&world->loop, raw_has_ended(&raw));
	if (!raw_has(&raw, answer))
		fail_msg("%s\n-> %s\ninstead of %s", bytes, text_string(&raw.got), answer);
	raw_release(&raw);
}

static void requests_on_one_connection_are_answered_in_order(void **state)
{
	(void)state;
	struct world world;
	start_default(&world);
	struct raw raw;
	raw_dial(&raw, &world.loop);
	for (int i = 1; i <= 3; i++) {
		raw_send(&raw, &world.loop,
			 "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
		wait_for(&world.loop, raw_count(&raw, "<hello>") == (size_t)i);
	}
	/* Four at once, the first of them answered late. */
	raw_send(&raw, &world.loop,
		 "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n"
		 "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "2\r\nwo\r\n3;e\r\nrld\r\n0\r\nTrailer: 1\r\n\r\n"
		 "GET /none HTTP/1.1\r\nHost: x\r\n\r\n"
		 "HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	wait_for(&world.loop, world.pending != NULL);
	turn(&world.loop);
	assert_int_equal(world.asked, 4);
	assert_false(raw_has(&raw, "world"));
	http_answer(world.pending, 200, "text/plain", NULL, "late", 4);
	wait_for(&world.loop, raw_has_ended(&raw));
	const char *late = strstr(raw.got.bytes, "late");
	const char *second = strstr(raw.got.bytes, "<world>");
	const char *third = strstr(raw.got.bytes, "X-Mark: 1");
	assert_true(late && second && third && late < second && second < third);
	const char *head = strstr(third, "HTTP/1.1 200");
	assert_non_null(strstr(head, "Content-Length: 2\r\nConnection: close\r\n\r\n"));
	assert_string_equal(strstr(head, "\r\n\r\n"), "\r\n\r\n");
	assert_null(strstr(third, "204\r\nContent-Length"));
	assert_int_equal(world.closed, 7);
	raw_release(&raw);
	stop(&world);
}

static void a_request_may_come_one_byte_at_a_time(void **state)
{
	(void)state;
	struct world world;
	start_default(&world);
	struct raw raw;
	raw_dial(&raw, &world.loop);
	const char *bytes = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
			    "5\r\nhello\r\n0\r\n\r\n"
			    "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
	for (; *bytes; bytes++) {
		raw_send_bytes(&raw, &world.loop, bytes, 1);
		turn(&world.loop);
	}
	wait_for(&world.loop, raw_has(&raw, "<abc>"));
	assert_true(raw_has(&raw, "<hello>"));
	raw_release(&raw);
	stop(&world);
}

static void what_is_malformed_gets_its_status_as_json_and_the_connection_ends(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "GET / HTTP/1.1\r\nHost: x\r\nX : 1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n" },
		{ "GET / HTTP/1.1\nHost: x\n\n", "{\"error\":{\"code\":\"protocol\"," },
		{ "GET / HTTP/1.1\r\n\r\n", "\"message\":\"Host is missing\"}}" },
		{ "GET / HTTP/1.0\r\nHost: x\r\n\r\n", "HTTP/1.1 505 " },
		{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 505 " },
		{ "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
		  "HTTP/1.1 501 " },
		{ "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
		  "Content-Length: 5\r\n\r\n0\r\n\r\nGET /wait HTTP/1.1\r\nHost: x\r\n\r\n",
		  "HTTP/1.1 400 " },
		{ "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\nhello",
		  "HTTP/1.1 400 " },
		{ "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n", "HTTP/1.1 413 " },
		{ "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n"
		  "01234567890123456789012345678901234567890123456789"
		  "01234567890123456789012345678901234567890123456789!",
		  "\"code\":\"too_large\"" },
		{ "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
		  "HTTP/1.1 413 " },
		{ "GET / HTTP/1.1\r\nHost: x\r\nOrigin: http://evil\r\n\r\n", "HTTP/1.1 403 " },
		{ "GET / HTTP/1.1\r\nHost: x\r\nExpect: 200-ok\r\n\r\n", "HTTP/1.1 417 " },
		{ "\x16\x03\x01\x02\x01", "this is not an HTTP request" },
		{ "POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nsome",
		  "HTTP/1.1 403 " },
	};
	struct world world;
	start_default(&world);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct raw raw;
		raw_dial(&raw, &world.loop);
		raw_send(&raw, &world.loop, cases[i][0]);
		wait_for(&world.loop, raw_has_ended(&raw));
		if (!raw_has(&raw, cases[i][1]) || !raw_has(&raw, "Connection: close\r\n") ||
		    raw_count(&raw, "Date: ") != 1)
			fail_msg("%s\n-> %s", cases[i][0], text_string(&raw.got));
		raw_release(&raw);
	}
	assert_int_equal(world.asked, 0);
	stop(&world);
}

static void a_head_beyond_the_limits_is_refused_before_it_ends(void **state)
{
	(void)state;
	struct world world;
	start_default(&world);
	struct text text;
	text_init(&text, 1 << 20);
	text_add(&text, "GET /");
	while (text.len < 100000)
		text_add(&text, "xxxxxxxxxx");
	expect_and_end(&world, text.bytes, "HTTP/1.1 414 ");
	text_clear(&text);
	text_add(&text, "GET / HTTP/1.1\r\n");
	while (text.len < 100000)
		text_add(&text, "X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n");
	expect_and_end(&world, text.bytes, "HTTP/1.1 431 ");
	text_release(&text);
	stop(&world);
}

static void a_refusal_without_a_body_keeps_the_connection(void **state)
{
	(void)state;
	struct world world;
	start_default(&world);
	struct raw raw;
	raw_dial(&raw, &world.loop);
	raw_send(&raw, &world.loop,
		 "GET /refuse HTTP/1.1\r\nHost: x\r\n\r\nGET /none HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for(&world.loop, raw_has(&raw, "X-Mark"));
	assert_true(raw_has(&raw, "HTTP/1.1 403 "));
	raw_release(&raw);
	stop(&world);
}

static void a_client_that_asks_first_is_told_to_continue(void **state)
{
	(void)state;
	struct world world;
	start_default(&world);
	struct raw raw;
	raw_dial(&raw, &world.loop);
	raw_send(
		&raw, &world.loop,
		"POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	wait_for(&world.loop, raw_has(&raw, "HTTP/1.1 100 Continue\r\n\r\n"));
	assert_int_equal(world.asked, 0);
	raw_send(&raw, &world.loop, "abc");
	wait_for(&world.loop, raw_has(&raw, "<abc>"));
	raw_release(&raw);
	expect_and_end(&world,
		       "POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
		       "Content-Length: 300\r\n\r\n",
		       "HTTP/1.1 413 ");
	stop(&world);
}

static void slow_and_idle_clients_are_cut_at_their_deadlines(void **state)
{
	(void)state;
	struct http_server_options options;
	http_server_options_default(&options);
	options.head_timeout_ms = 40;
	options.body_timeout_ms = 60;
	options.idle_timeout_ms = 50;
	struct world world;
	start(&world, &options);

	/* Each byte comes before any inactivity timer would notice. */
	struct raw raw;
	raw_dial(&raw, &world.loop);
	for (int i = 0; i < 100000 && !raw_has_ended(&raw); i++) {
		raw_send(&raw, &world.loop, i ? "X" : "G");
		loop_run(&world.loop, 1000);
	}
	assert_true(raw_has(&raw, "HTTP/1.1 408 "));
	raw_release(&raw);

	raw_dial(&raw, &world.loop);
	raw_send(&raw, &world.loop, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 90\r\n\r\n");
	for (int i = 0; i < 80 && !raw_has_ended(&raw); i++) {
		raw_send(&raw, &world.loop, "x");
		loop_run(&world.loop, 1000);
	}
	wait_for(&world.loop, raw_has_ended(&raw));
	assert_true(raw_has(&raw, "HTTP/1.1 408 "));
	raw_release(&raw);

	raw_dial(&raw, &world.loop);
	wait_for(&world.loop, raw_has_ended(&raw));
	assert_int_equal(raw.got.len, 0);
	raw_release(&raw);

	raw_dial(&raw, &world.loop);
	raw_send(&raw, &world.loop, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for(&world.loop, raw_has_ended(&raw));
	assert_int_equal(raw_count(&raw, "Date: "), 1);
	raw_release(&raw);
	stop(&world);
}

static void a_pending_request_outlives_the_deadlines_of_receiving(void **state)
{
	(void)state;
	struct http_server_options options;
	http_server_options_default(&options);
	options.head_timeout_ms = 20;
	options.body_timeout_ms = 20;
	options.idle_timeout_ms = 1000000;
	struct world world;
	start(&world, &options);
	struct raw raw;
	raw_dial(&raw, &world.loop);
	raw_send(&raw, &world.loop, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for(&world.loop, world.pending != NULL);
	int64_t until_ms = socket_clock_ms() + 60;
	wait_for(&world.loop, socket_clock_ms() > until_ms);
	http_answer(world.pending, 200, "text/plain", NULL, "yes", 3);
	wait_for(&world.loop, raw_has(&raw, "yes"));
	raw_release(&raw);
	stop(&world);
}

static void a_client_that_leaves_a_pending_request_is_noticed(void **state)
{
	(void)state;
	static const char *const paths[] = { "/wait", "/stream" };
	struct world world;
	start_default(&world);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct raw raw;
		char bytes[100];
		raw_dial(&raw, &world.loop);
		text_print(bytes, sizeof(bytes), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", paths[i]);
		raw_send(&raw, &world.loop, bytes);
		wait_for(&world.loop, world.pending != NULL);
		world.closed_pending = false;
		raw_release(&raw);
		wait_for(&world.loop, world.closed_pending);
	}
	stop(&world);
}

static void a_client_that_leaves_in_its_body_is_cut_and_holds_nobody_up(void **state)
{
	(void)state;
	static const char *const bodies[] = { "Content-Length: 10\r\n\r\n{",
					      "Transfer-Encoding: chunked\r\n\r\n5\r\n{" };
	struct world world;
	start_default(&world);
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct raw raw;
		char bytes[100];
		raw_dial(&raw, &world.loop);
		text_print(bytes, sizeof(bytes), "POST /a HTTP/1.1\r\nHost: x\r\n%s", bodies[i]);
		raw_send(&raw, &world.loop, bytes);
		raw_release(&raw);
		loop_run(&world.loop, 10000);
		expect_and_end(&world, "GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
			       "HTTP/1.1 ");
	}
	stop(&world);
}

static void a_client_that_only_stopped_talking_gets_its_answers(void **state)
{
	(void)state;
	struct world world;
	start_default(&world);
	struct raw raw;
	raw_dial(&raw, &world.loop);
	raw_send(&raw, &world.loop,
		 "GET /wait HTTP/1.1\r\nHost: x\r\n\r\nGET /none HTTP/1.1\r\nHost: x\r\n\r\n");
	shutdown(raw.fd, SHUT_WR);
	wait_for(&world.loop, world.pending != NULL);
	turn(&world.loop);
	assert_non_null(world.pending);
	http_answer(world.pending, 200, "text/plain", NULL, "late", 4);
	wait_for(&world.loop, raw_has_ended(&raw));
	assert_true(raw_has(&raw, "late"));
	assert_true(raw_has(&raw, "X-Mark"));
	raw_release(&raw);
	stop(&world);
}

static void a_client_that_floods_a_pending_request_is_held_back(void **state)
{
	(void)state;
	struct world world;
	start_default(&world);
	struct raw raw;
	raw_dial(&raw, &world.loop);
	raw_send(&raw, &world.loop, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for(&world.loop, world.pending != NULL);
	static char flood[65536];
	memset(flood, 'x', sizeof(flood));
	size_t taken = 0;
	for (int idle = 0; idle < 50;) {
		ssize_t n = send(raw.fd, flood, sizeof(flood), MSG_DONTWAIT | MSG_NOSIGNAL);
		idle = n > 0 ? 0 : idle + 1;
		taken += n > 0 ? (size_t)n : 0;
		turn(&world.loop);
		assert_true(taken < 16 << 20);
	}
	assert_int_equal(world.asked, 1);
	http_answer(world.pending, 200, "text/plain", NULL, "yes", 3);
	wait_for(&world.loop, raw_has(&raw, "yes") && raw_has(&raw, "HTTP/1.1 4"));
	raw_release(&raw);
	stop(&world);
}

static void a_stream_holds_its_writer_back_until_the_client_reads(void **state)
{
	(void)state;
	struct world world;
	start_default(&world);
	struct raw raw;
	raw_dial(&raw, &world.loop);
	raw_send(&raw, &world.loop, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for(&world.loop, world.pending != NULL);
	char piece[1000];
	memset(piece, 'y', sizeof(piece));
	size_t pieces = 1;
	/* The client does not read: at last the kernel's buffer is full, and ours fills. */
	int64_t end_ms = socket_clock_ms() + TEST_WAIT_MS;
	while (http_stream_write(world.pending, piece, sizeof(piece))) {
		event_base_loop(world.loop.base, EVLOOP_NONBLOCK);
		pieces++;
		assert_true(socket_clock_ms() < end_ms);
	}
	assert_true(http_stream_pending(world.pending) > (size_t)LIMIT_HTTP_PIPELINE_BYTES * 2);
	turn(&world.loop);
	assert_int_equal(world.drained, 0);
	wait_for(&world.loop, raw_read(&raw) && world.drained);
	assert_int_equal(http_stream_pending(world.pending), 0);
	http_stream_end(world.pending);
	wait_for(&world.loop, raw_has(&raw, "\r\n0\r\n\r\n"));
	assert_int_equal(raw_count(&raw, "3e8\r\n"), pieces);
	/* The connection is as good as new. */
	raw_send(&raw, &world.loop, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for(&world.loop, raw_has(&raw, "X-Mark"));
	raw_release(&raw);
	stop(&world);
}

static void a_stream_whose_writer_ignores_the_signal_is_cut(void **state)
{
	(void)state;
	struct world world;
	start_default(&world);
	struct raw raw;
	raw_dial(&raw, &world.loop);
	raw_send(&raw, &world.loop, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for(&world.loop, world.pending != NULL);
	static char piece[65536];
	for (int i = 0; i < 1000; i++)
		http_stream_write(world.pending, piece, sizeof(piece));
	assert_true(http_stream_pending(world.pending) < LIMIT_HTTP_OUTPUT_BYTES + 100000);
	wait_for(&world.loop, world.closed_pending);
	raw_release(&raw);
	stop(&world);
}

static void a_client_that_does_not_read_is_cut(void **state)
{
	(void)state;
	struct http_server_options options;
	http_server_options_default(&options);
	options.write_stall_ms = 30;
	struct world world;
	start(&world, &options);
	struct raw raw;
	raw_dial(&raw, &world.loop);
	raw_send(&raw, &world.loop, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for(&world.loop, world.pending != NULL);
	_cleanup_free_ char *large = base_calloc(1, 8 << 20);
	http_answer(world.pending, 200, "text/plain", NULL, large, 8 << 20);
	wait_for(&world.loop, world.closed_pending);
	raw_release(&raw);
	stop(&world);
}

static void streams_to_head_requests_have_no_body(void **state)
{
	(void)state;
	struct world world;
	start_default(&world);
	struct raw raw;
	raw_dial(&raw, &world.loop);
	raw_send(&raw, &world.loop, "HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for(&world.loop, world.pending != NULL);
	wait_for(&world.loop, raw_has(&raw, "Transfer-Encoding: chunked"));
	assert_true(http_stream_write(world.pending, "abc", 3));
	http_stream_end(world.pending);
	wait_for(&world.loop, world.closed_pending);
	raw_send(&raw, &world.loop, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for(&world.loop, raw_has(&raw, "X-Mark"));
	assert_true(raw_has(&raw, "\r\n\r\nHTTP/1.1 204"));
	raw_release(&raw);
	stop(&world);
}

static void beyond_the_greatest_number_of_connections_the_answer_is_503(void **state)
{
	(void)state;
	struct http_server_options options;
	http_server_options_default(&options);
	options.connections_max = 2;
	struct world world;
	start(&world, &options);
	struct raw raw[2];
	for (int i = 0; i < 2; i++) {
		raw_dial(&raw[i], &world.loop);
		raw_send(&raw[i], &world.loop, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
		wait_for(&world.loop, raw_has(&raw[i], "X-Mark"));
	}
	expect_and_end(&world, "", "HTTP/1.1 503 ");
	raw_release(&raw[0]);
	raw_release(&raw[1]);
	turn(&world.loop);
	raw_dial(&raw[0], &world.loop);
	raw_send(&raw[0], &world.loop, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for(&world.loop, raw_has(&raw[0], "X-Mark"));
	raw_release(&raw[0]);
	stop(&world);
}

static void without_descriptors_it_sheds_callers_and_recovers(void **state)
{
	(void)state;
	struct world world;
	start_default(&world);
	struct raw raw;
	raw_dial(&raw, &world.loop);
	struct rlimit before;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	/* No number is free below the limit. */
	int lowest = dup(raw.fd);
	close(lowest);
	struct rlimit none = { (rlim_t)lowest, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	wait_for(&world.loop, raw_has(&raw, "out of file descriptors"));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	raw_release(&raw);
	raw_dial(&raw, &world.loop);
	raw_send(&raw, &world.loop, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for(&world.loop, raw_has(&raw, "X-Mark"));
	raw_release(&raw);
	stop(&world);
}

static void other_users_are_hung_up_on(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	struct world world;
	start_default(&world);
	assert_int_equal(chmod(world.loop.folder, 0755), 0);
	assert_int_equal(chmod(world.loop.path, 0666), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		char byte;
		int fd = -1;
		if (setuid(65534) < 0 || socket_dial(world.loop.path, &fd, NULL))
			_exit(2);
		fcntl(fd, F_SETFL, 0);
		_exit(read(fd, &byte, 1) == 0 ? 0 : 1);
	}
	int status = 0;
	wait_for(&world.loop, waitpid(child, &status, WNOHANG) == child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	stop(&world);
}

static void stopping_the_server_ends_open_exchanges(void **state)
{
	(void)state;
	struct world world;
	start_default(&world);
	struct raw raw;
	raw_dial(&raw, &world.loop);
	raw_send(&raw, &world.loop, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for(&world.loop, world.pending != NULL);
	stop(&world);
	assert_true(world.closed_pending);
	raw_release(&raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_on_one_connection_are_answered_in_order),
		cmocka_unit_test(a_request_may_come_one_byte_at_a_time),
		cmocka_unit_test(what_is_malformed_gets_its_status_as_json_and_the_connection_ends),
		cmocka_unit_test(a_head_beyond_the_limits_is_refused_before_it_ends),
		cmocka_unit_test(a_refusal_without_a_body_keeps_the_connection),
		cmocka_unit_test(a_client_that_asks_first_is_told_to_continue),
		cmocka_unit_test(slow_and_idle_clients_are_cut_at_their_deadlines),
		cmocka_unit_test(a_pending_request_outlives_the_deadlines_of_receiving),
		cmocka_unit_test(a_client_that_leaves_a_pending_request_is_noticed),
		cmocka_unit_test(a_client_that_leaves_in_its_body_is_cut_and_holds_nobody_up),
		cmocka_unit_test(a_client_that_only_stopped_talking_gets_its_answers),
		cmocka_unit_test(a_client_that_floods_a_pending_request_is_held_back),
		cmocka_unit_test(a_stream_holds_its_writer_back_until_the_client_reads),
		cmocka_unit_test(a_stream_whose_writer_ignores_the_signal_is_cut),
		cmocka_unit_test(a_client_that_does_not_read_is_cut),
		cmocka_unit_test(streams_to_head_requests_have_no_body),
		cmocka_unit_test(beyond_the_greatest_number_of_connections_the_answer_is_503),
		cmocka_unit_test(without_descriptors_it_sheds_callers_and_recovers),
		cmocka_unit_test(other_users_are_hung_up_on),
		cmocka_unit_test(stopping_the_server_ends_open_exchanges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
