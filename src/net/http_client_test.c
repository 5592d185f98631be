/* The client, against a peer that says exactly what the test tells it to. */
#include "net/http_client.h"

#include "net/net_test.h"

#include <sys/stat.h>
#include <sys/un.h>

#include "base/check.h"

#define PEERS_MAX 16

/* A listener whose connections are raw bytes in the test's hands. */
struct world {
	struct loop loop;
	int listen_fd;
	struct raw peers[PEERS_MAX];
	int n_peers;
	struct http_client *client;
};

/* What came of a call. */
struct outcome {
	struct http_call *call;
	int heads;
	int done;
	enum err_code code;
	char message[ERR_MESSAGE_MAX];
	enum http_sent sent;
	int status;
	struct text body;
	bool pause_at_first;
	bool cancel_in_head;
	bool cancel_in_body;
	struct world *again; /* begin another call from inside `done` */
	struct outcome *again_outcome;
};

static void listen_at(struct world *world, int backlog)
{
	struct sockaddr_un address;
	assert_int_equal(socket_address(world->loop.path, &address, NULL), ERR_NONE);
	world->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(world->listen_fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(world->listen_fd, backlog), 0);
}

static void start(struct world *world, int connections_max)
{
	*world = (struct world){ .listen_fd = -1 };
	loop_init(&world->loop);
	listen_at(world, 20);
	world->client = http_client_new(world->loop.base, world->loop.path, connections_max);
}

static void stop(struct world *world)
{
	http_client_free(world->client);
	for (int i = 0; i < world->n_peers; i++)
		raw_release(&world->peers[i]);
	if (world->listen_fd >= 0)
		close(world->listen_fd);
	loop_release(&world->loop);
}

/* Let in who calls, read what they say. */
static bool serve(struct world *world)
{
	int fd = -1;
	while (world->listen_fd >= 0 &&
	       (fd = accept4(world->listen_fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		assert_true(world->n_peers < PEERS_MAX);
		raw_init(&world->peers[world->n_peers++], fd);
	}
	for (int i = 0; i < world->n_peers; i++)
		raw_read(&world->peers[i]);
	return true;
}

/* Wait until the peer has been asked for `what`, and forget it. */
static struct raw *asked(struct world *world, int peer, const char *what)
{
	wait_for(&world->loop,
		 serve(world) && world->n_peers > peer && raw_has(&world->peers[peer], what));
	text_clear(&world->peers[peer].got);
	return &world->peers[peer];
}

static void hang_up(struct raw *peer)
{
	close(peer->fd);
	peer->fd = -1;
}

static void answer(struct world *world, int peer, const char *bytes)
{
	raw_send(&world->peers[peer], &world->loop, bytes);
}

static void on_head(void *owner, struct http_call *call, const struct http_head *head)
{
	struct outcome *outcome = owner;
	outcome->heads++;
	outcome->status = head->status;
	if (outcome->cancel_in_head)
		http_call_cancel(call);
}

static void on_body(void *owner, struct http_call *call, const void *bytes, size_t len)
{
	struct outcome *outcome = owner;
	bool first = outcome->body.len == 0;
	text_add_bytes(&outcome->body, bytes, len);
	if (first && outcome->pause_at_first)
		http_call_pause(call, true);
	if (outcome->cancel_in_body)
		http_call_cancel(call);
}

static void begin(struct world *world, struct outcome *outcome,
		  const struct http_call_options *options, bool streamed);

static void on_done(void *owner, struct http_call *call, const struct err *err, enum http_sent sent,
		    int status, struct http_view body)
{
	struct outcome *outcome = owner;
	assert_ptr_equal(call, outcome->call);
	outcome->done++;
	outcome->sent = sent;
	outcome->status = status;
	if (err) {
		assert_int_not_equal(err->code, ERR_NONE);
		outcome->code = err->code;
		memcpy(outcome->message, err->message, sizeof(outcome->message));
	}
	text_add_bytes(&outcome->body, body.bytes, body.len);
	http_call_cancel(call); /* too late, and harmless */
	if (outcome->again) {
		struct http_call_options options = { .method = "GET", .target = "/again" };
		begin(outcome->again, outcome->again_outcome, &options, false);
	}
}

static void begin(struct world *world, struct outcome *outcome,
		  const struct http_call_options *options, bool streamed)
{
	static const struct http_call_events whole = { .done = on_done };
	static const struct http_call_events runs = { on_head, on_body, on_done };
	text_init(&outcome->body, 64 << 20);
	outcome->call =
		http_client_call(world->client, options, streamed ? &runs : &whole, outcome);
	assert_int_equal(outcome->done, 0);
}

static void get(struct world *world, struct outcome *outcome, const char *target)
{
	struct http_call_options options = { .method = "GET", .target = target };
	*outcome = (struct outcome){ 0 };
	begin(world, outcome, &options, false);
}

static void expect(struct world *world, struct outcome *outcome, int status, const char *body)
{
	wait_for(&world->loop, serve(world) && outcome->done);
	if (outcome->code)
		fail_msg("%s", outcome->message);
	assert_int_equal(outcome->done, 1);
	assert_int_equal(outcome->status, status);
	assert_string_equal(text_string(&outcome->body), body);
	text_release(&outcome->body);
}

static void expect_failure(struct world *world, struct outcome *outcome, enum err_code code,
			   enum http_sent sent)
{
	wait_for(&world->loop, serve(world) && outcome->done);
	if (outcome->code != code)
		fail_msg("%s: %s", err_name(outcome->code), outcome->message);
	assert_int_equal(outcome->done, 1);
	assert_int_equal(outcome->sent, sent);
	text_release(&outcome->body);
}

#define OK(body_len) "HTTP/1.1 200 OK\r\nContent-Length: " #body_len "\r\n\r\n"

static void a_request_is_written_as_the_caller_says(void **state)
{
	(void)state;
	struct world world;
	start(&world, 2);
	struct outcome outcome = { 0 };
	struct http_call_options options = {
		.method = "POST",
		.target = "/v1.41/containers/create?name=a",
		.headers = "X-One: 1\r\nX-Two: 2\r\n",
		.content_type = "application/json",
		.body = "{}",
		.body_len = 2,
	};
	begin(&world, &outcome, &options, false);
	wait_for(&world.loop, serve(&world) && world.n_peers && raw_has(&world.peers[0], "{}"));
	assert_string_equal(world.peers[0].got.bytes,
			    "POST /v1.41/containers/create?name=a HTTP/1.1\r\nHost: localhost\r\n"
			    "User-Agent: drover\r\nContent-Type: application/json\r\n"
			    "Content-Length: 2\r\nX-One: 1\r\nX-Two: 2\r\n\r\n{}");
	answer(&world, 0, "HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\nyes");
	expect(&world, &outcome, 201, "yes");
	stop(&world);
}

static void every_way_to_end_an_answer_is_understood(void **state)
{
	(void)state;
	struct world world;
	start(&world, 2);
	struct outcome outcome;
	get(&world, &outcome, "/length");
	asked(&world, 0, "/length");
	answer(&world, 0, OK(5) "hello");
	expect(&world, &outcome, 200, "hello");

	get(&world, &outcome, "/chunked");
	asked(&world, 0, "/chunked");
	const char *chunked = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
			      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			      "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: t\r\n\r\n";
	for (; *chunked; chunked++) {
		raw_send_bytes(&world.peers[0], &world.loop, chunked, 1);
		turn(&world.loop);
	}
	expect(&world, &outcome, 200, "abcde");

	get(&world, &outcome, "/none");
	asked(&world, 0, "/none");
	answer(&world, 0, "HTTP/1.1 204 No Content\r\n\r\n");
	expect(&world, &outcome, 204, "");

	struct http_call_options head = { .method = "HEAD", .target = "/head" };
	outcome = (struct outcome){ 0 };
	begin(&world, &outcome, &head, false);
	asked(&world, 0, "HEAD /head");
	answer(&world, 0, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
	expect(&world, &outcome, 200, "");

	get(&world, &outcome, "/end");
	struct raw *peer = asked(&world, 0, "/end");
	answer(&world, 0, "HTTP/1.1 200 OK\r\n\r\nuntil the end");
	turn(&world.loop);
	assert_int_equal(outcome.done, 0);
	hang_up(peer);
	expect(&world, &outcome, 200, "until the end");

	assert_int_equal(world.n_peers, 1);
	get(&world, &outcome, "/new");
	asked(&world, 1, "/new");
	answer(&world, 1, OK(1) "n");
	expect(&world, &outcome, 200, "n");
	stop(&world);
}

static void connections_are_bounded_and_calls_wait_their_turn(void **state)
{
	(void)state;
	struct world world;
	start(&world, 2);
	struct outcome outcomes[5];
	static const char *const targets[] = { "/0", "/1", "/2", "/3", "/4" };
	for (int i = 0; i < 5; i++)
		get(&world, &outcomes[i], targets[i]);
	asked(&world, 0, "/0 ");
	asked(&world, 1, "/1 ");
	turn(&world.loop);
	serve(&world);
	assert_int_equal(world.n_peers, 2);
	answer(&world, 1, OK(1) "b");
	expect(&world, &outcomes[1], 200, "b");
	asked(&world, 1, "/2 ");
	answer(&world, 0, OK(1) "a");
	asked(&world, 0, "/3 ");
	answer(&world, 0, OK(1) "d");
	asked(&world, 0, "/4 ");
	answer(&world, 0, OK(1) "e");
	answer(&world, 1, OK(1) "c");
	expect(&world, &outcomes[0], 200, "a");
	expect(&world, &outcomes[2], 200, "c");
	expect(&world, &outcomes[3], 200, "d");
	expect(&world, &outcomes[4], 200, "e");
	assert_int_equal(world.n_peers, 2);
	stop(&world);
}

static void streams_and_fresh_calls_get_connections_of_their_own(void **state)
{
	(void)state;
	struct world world;
	start(&world, 1);
	struct outcome stream = { 0 };
	struct outcome plain;
	struct outcome fresh = { 0 };
	get(&world, &plain, "/plain");
	asked(&world, 0, "/plain");
	struct http_call_options options = { .method = "GET", .target = "/events", .stream = true };
	begin(&world, &stream, &options, true);
	asked(&world, 1, "/events");
	answer(&world, 1, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
	wait_for(&world.loop, stream.body.len == 1);
	assert_int_equal(stream.heads, 1);

	struct http_call_options once = { .method = "POST",
					  .target = "/once",
					  .fresh_connection = true };
	begin(&world, &fresh, &once, false);
	turn(&world.loop);
	serve(&world);
	assert_int_equal(world.n_peers, 2);
	answer(&world, 0, OK(0));
	expect(&world, &plain, 200, "");
	wait_for(&world.loop, serve(&world) && world.n_peers == 3 &&
				      raw_has(&world.peers[2], "Connection: close\r\n"));
	assert_true(raw_has(&world.peers[2], "Content-Length: 0\r\n"));
	assert_true(raw_has_ended(&world.peers[0]));
	answer(&world, 2, OK(0));
	expect(&world, &fresh, 200, "");
	wait_for(&world.loop, raw_has_ended(&world.peers[2]));

	answer(&world, 1, "0\r\n\r\n");
	expect(&world, &stream, 200, "x");
	wait_for(&world.loop, raw_has_ended(&world.peers[1]));
	stop(&world);
}

/* Open a connection and leave it idle in the pool. */
static void warm_up(struct world *world)
{
	struct outcome outcome;
	get(world, &outcome, "/warm");
	asked(world, world->n_peers, "/warm");
	answer(world, world->n_peers - 1, OK(0));
	expect(world, &outcome, 200, "");
}

static void a_reused_connection_that_dies_is_tried_once_more_for_get(void **state)
{
	(void)state;
	struct world world;
	start(&world, 2);
	struct outcome outcome;
	warm_up(&world);
	get(&world, &outcome, "/a");
	hang_up(asked(&world, 0, "GET /a"));
	hang_up(asked(&world, 1, "GET /a"));
	expect_failure(&world, &outcome, ERR_CLOSED, HTTP_SENT);
	assert_int_equal(world.n_peers, 2);
	assert_non_null(strstr(outcome.message, "GET /a: "));

	warm_up(&world);
	get(&world, &outcome, "/b");
	hang_up(asked(&world, 2, "GET /b"));
	asked(&world, 3, "GET /b");
	answer(&world, 3, OK(2) "ok");
	expect(&world, &outcome, 200, "ok");
	stop(&world);
}

static void a_post_whose_connection_dies_is_not_repeated(void **state)
{
	(void)state;
	struct world world;
	start(&world, 2);
	warm_up(&world);
	struct outcome outcome = { 0 };
	struct http_call_options options = { .method = "POST", .target = "/start" };
	begin(&world, &outcome, &options, false);
	hang_up(asked(&world, 0, "POST /start"));
	expect_failure(&world, &outcome, ERR_CLOSED, HTTP_SENT);
	assert_int_equal(world.n_peers, 1);
	stop(&world);
}

static void a_post_does_not_step_on_a_connection_that_is_dead_already(void **state)
{
	(void)state;
	struct world world;
	start(&world, 2);
	warm_up(&world);
	hang_up(&world.peers[0]);
	struct outcome outcome = { 0 };
	struct http_call_options options = { .method = "POST", .target = "/start" };
	begin(&world, &outcome, &options, false);
	asked(&world, 1, "POST /start");
	answer(&world, 1, OK(0));
	expect(&world, &outcome, 200, "");
	stop(&world);
}

static void an_answer_cut_short_is_a_failure_and_not_repeated(void **state)
{
	(void)state;
	static const char *const starts[] = {
		"HTTP/1.1 200 OK\r\nContent-Le",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
	};
	struct world world;
	start(&world, 2);
	for (int i = 0; i < (int)ARRAY_LEN(starts); i++) {
		struct outcome outcome;
		warm_up(&world);
		get(&world, &outcome, "/cut");
		struct raw *peer = asked(&world, i, "/cut");
		answer(&world, i, starts[i]);
		hang_up(peer);
		expect_failure(&world, &outcome, ERR_CLOSED, HTTP_SENT);
	}
	stop(&world);
}

static void answers_that_break_the_protocol_are_refused(void **state)
{
	(void)state;
	static const char *const answers[] = {
		"SSH-2.0-x\r\n\r\n",
		"HTTP/1.1 200 K\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: tcp\r\n\r\n",
	};
	struct world world;
	start(&world, 2);
	for (int i = 0; i < (int)ARRAY_LEN(answers); i++) {
		struct outcome outcome;
		get(&world, &outcome, "/x");
		asked(&world, i, "/x");
		answer(&world, i, answers[i]);
		expect_failure(&world, &outcome, ERR_PROTOCOL, HTTP_SENT);
		wait_for(&world.loop, raw_has_ended(&world.peers[i]));
	}
	struct outcome outcome;
	get(&world, &outcome, "/x");
	asked(&world, 4, "/x");
	struct text text;
	text_init(&text, 1 << 20);
	text_add(&text, "HTTP/1.1 200 OK\r\n");
	while (text.len < 20000)
		text_add(&text, "X: yyyyyyyyyyyyyyyyyyyyyyyyy\r\n");
	answer(&world, 4, text.bytes);
	expect_failure(&world, &outcome, ERR_PROTOCOL, HTTP_SENT);
	text_release(&text);
	stop(&world);
}

static void bytes_nobody_asked_for_spoil_a_connection(void **state)
{
	(void)state;
	struct world world;
	start(&world, 2);
	struct outcome outcome;
	get(&world, &outcome, "/a");
	asked(&world, 0, "/a");
	answer(&world, 0, OK(1) "aHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
	expect(&world, &outcome, 200, "a");
	warm_up(&world);
	assert_int_equal(world.n_peers, 2);
	answer(&world, 1, OK(4) "evil");
	get(&world, &outcome, "/b");
	asked(&world, 2, "/b");
	answer(&world, 2, OK(4) "good");
	expect(&world, &outcome, 200, "good");
	stop(&world);
}

static void nobody_at_the_path_means_unavailable_and_not_sent(void **state)
{
	(void)state;
	struct world world;
	start(&world, 2);
	struct outcome outcome;
	close(world.listen_fd);
	world.listen_fd = -1;
	get(&world, &outcome, "/a");
	expect_failure(&world, &outcome, ERR_UNAVAILABLE, HTTP_NOT_SENT);
	assert_non_null(strstr(outcome.message, "nobody listens"));
	unlink(world.loop.path);
	get(&world, &outcome, "/a");
	expect_failure(&world, &outcome, ERR_UNAVAILABLE, HTTP_NOT_SENT);
	assert_non_null(strstr(outcome.message, "does not exist"));
	stop(&world);
}

static void a_full_queue_of_the_listener_is_waited_for(void **state)
{
	(void)state;
	struct world world;
	start(&world, 4);
	struct outcome outcome;
	close(world.listen_fd);
	unlink(world.loop.path);
	listen_at(&world, 0);
	struct raw first;
	raw_dial(&first, &world.loop);
	get(&world, &outcome, "/a");
	turn(&world.loop);
	assert_int_equal(outcome.done, 0);
	asked(&world, 1, "/a");
	answer(&world, 1, OK(0));
	expect(&world, &outcome, 200, "");
	raw_release(&first);
	stop(&world);
}

static void a_call_is_cut_at_its_deadline_wherever_it_is(void **state)
{
	(void)state;
	struct world world;
	start(&world, 1);
	struct outcome running = { 0 };
	struct outcome waiting = { 0 };
	struct http_call_options options = { .method = "GET", .target = "/slow", .timeout_ms = 30 };
	begin(&world, &running, &options, false);
	options.timeout_ms = 20;
	begin(&world, &waiting, &options, false);
	asked(&world, 0, "/slow");
	expect_failure(&world, &waiting, ERR_TIMEOUT, HTTP_NOT_SENT);
	assert_non_null(strstr(waiting.message, "within 20ms"));
	/* Bytes that trickle in do not help. */
	const char *at = "HTTP/1.1 200 OK\r\nX: "
			 "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy";
	for (; *at && !running.done; at++) {
		raw_send_bytes(&world.peers[0], &world.loop, at, 1);
		usleep(1000);
	}
	expect_failure(&world, &running, ERR_TIMEOUT, HTTP_SENT);
	wait_for(&world.loop, raw_has_ended(&world.peers[0]));
	stop(&world);
}

static void a_collected_body_is_bounded(void **state)
{
	(void)state;
	struct world world;
	start(&world, 1);
	for (int over = 0; over < 2; over++) {
		struct outcome outcome = { 0 };
		struct http_call_options options = {
			.method = "GET",
			.target = "/large",
			.body_bytes_max = 5 - over,
		};
		begin(&world, &outcome, &options, false);
		asked(&world, 0, "/large");
		answer(&world, 0, OK(5) "hello");
		if (over)
			expect_failure(&world, &outcome, ERR_TOO_LARGE, HTTP_SENT);
		else
			expect(&world, &outcome, 200, "hello");
	}
	stop(&world);
}

static void a_paused_answer_holds_its_sender_back(void **state)
{
	(void)state;
	struct world world;
	start(&world, 1);
	struct outcome outcome = { .pause_at_first = true };
	struct http_call_options options = { .method = "GET", .target = "/logs", .stream = true };
	begin(&world, &outcome, &options, true);
	struct raw *peer = asked(&world, 0, "/logs");
	answer(&world, 0, "HTTP/1.1 200 OK\r\n\r\nx");
	wait_for(&world.loop, outcome.body.len);
	static char piece[65536];
	memset(piece, 'y', sizeof(piece));
	size_t taken = 0;
	for (int idle = 0; idle < 50;) {
		ssize_t n = send(peer->fd, piece, sizeof(piece), MSG_DONTWAIT | MSG_NOSIGNAL);
		idle = n > 0 ? 0 : idle + 1;
		taken += n > 0 ? (size_t)n : 0;
		turn(&world.loop);
		assert_true(taken < 16 << 20);
	}
	hang_up(peer);
	turn(&world.loop);
	assert_int_equal(outcome.body.len, 1);
	assert_int_equal(outcome.done, 0);
	http_call_pause(outcome.call, false);
	wait_for(&world.loop, outcome.done);
	assert_int_equal(outcome.code, ERR_NONE);
	assert_int_equal(outcome.body.len, taken + 1);
	text_release(&outcome.body);
	stop(&world);
}

static void an_end_that_comes_while_paused_is_told_after(void **state)
{
	(void)state;
	struct world world;
	start(&world, 1);
	struct outcome outcome = { .pause_at_first = true };
	struct http_call_options options = { .method = "GET", .target = "/logs", .stream = true };
	begin(&world, &outcome, &options, true);
	struct raw *peer = asked(&world, 0, "/logs");
	answer(&world, 0, OK(2) "a");
	wait_for(&world.loop, outcome.body.len == 1);
	answer(&world, 0, "b");
	hang_up(peer);
	turn(&world.loop);
	assert_int_equal(outcome.done, 0);
	http_call_pause(outcome.call, false);
	assert_int_equal(outcome.done, 0);
	expect(&world, &outcome, 200, "ab");
	stop(&world);
}

static void a_call_may_be_cancelled_at_any_time(void **state)
{
	(void)state;
	struct world world;
	start(&world, 1);
	struct outcome outcomes[4] = {
		{ 0 }, { 0 }, { .cancel_in_head = true }, { .cancel_in_body = true }
	};
	struct http_call_options options = { .method = "GET", .target = "/x" };
	/* before anything, while waiting, in both callbacks */
	begin(&world, &outcomes[0], &options, false);
	http_call_cancel(outcomes[0].call);
	struct outcome holds = { 0 };
	begin(&world, &holds, &options, false);
	begin(&world, &outcomes[1], &options, false);
	asked(&world, 0, "/x");
	http_call_cancel(outcomes[1].call);
	http_call_cancel(holds.call);
	wait_for(&world.loop, raw_has_ended(&world.peers[0]));
	for (int i = 2; i < 4; i++) {
		begin(&world, &outcomes[i], &options, true);
		asked(&world, i - 1, "/x");
		answer(&world, i - 1, OK(5) "hello");
		wait_for(&world.loop, raw_has_ended(&world.peers[i - 1]));
		assert_int_equal(outcomes[i].heads, 1);
	}
	for (int i = 0; i < 4; i++) {
		assert_int_equal(outcomes[i].done, 0);
		text_release(&outcomes[i].body);
	}
	assert_int_equal(outcomes[2].body.len, 0);
	assert_int_equal(holds.done, 0);
	stop(&world);
}

static void a_call_may_begin_another_when_it_is_done(void **state)
{
	(void)state;
	struct world world;
	start(&world, 1);
	struct outcome second = { 0 };
	struct outcome first;
	get(&world, &first, "/first");
	first.again = &world;
	first.again_outcome = &second;
	asked(&world, 0, "/first");
	answer(&world, 0, OK(1) "1");
	asked(&world, 0, "/again");
	answer(&world, 0, OK(1) "2");
	expect(&world, &first, 200, "1");
	expect(&world, &second, 200, "2");
	assert_int_equal(world.n_peers, 1);
	stop(&world);
}

static void characters_that_would_break_the_request_are_never_sent(void **state)
{
	(void)state;
	struct http_call_options bad[] = {
		{ .method = "GET", .target = "/a b" },
		{ .method = "GET", .target = "/a\r\nX: y" },
		{ .method = "GET", .target = "a" },
		{ .method = "GE T", .target = "/" },
		{ .method = "", .target = "/" },
		{ .method = "GET", .target = "/", .headers = "X: y" },
		{ .method = "GET", .target = "/", .headers = "X: y\r\n\r\nGET / HTTP/1.1\r\n" },
		{ .method = "GET", .target = "/", .content_type = "a\r\nb" },
	};
	struct world world;
	start(&world, 1);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct outcome outcome = { 0 };
		begin(&world, &outcome, &bad[i], false);
		expect_failure(&world, &outcome, ERR_INVALID, HTTP_NOT_SENT);
	}
	serve(&world);
	assert_int_equal(world.n_peers, 0);
	stop(&world);
}

static void an_early_answer_is_read_though_the_request_cannot_be_sent_whole(void **state)
{
	(void)state;
	struct world world;
	start(&world, 1);
	_cleanup_free_ char *large = base_calloc(1, 4 << 20);
	struct outcome outcome = { 0 };
	struct http_call_options options = {
		.method = "POST",
		.target = "/large",
		.body = large,
		.body_len = 4 << 20,
	};
	begin(&world, &outcome, &options, false);
	wait_for(&world.loop, serve(&world) && world.n_peers && world.peers[0].got.len > 1000);
	send(world.peers[0].fd, "HTTP/1.1 413 Large\r\nContent-Length: 2\r\n\r\nno", 43, 0);
	hang_up(&world.peers[0]);
	expect(&world, &outcome, 413, "no");
	stop(&world);
}

static void freeing_the_client_ends_everything_without_calling_back(void **state)
{
	(void)state;
	struct world world;
	start(&world, 1);
	struct outcome outcomes[3] = { 0 };
	struct http_call_options options = { .method = "GET", .target = "/x", .timeout_ms = 5 };
	begin(&world, &outcomes[0], &options, false);
	begin(&world, &outcomes[1], &options, false);
	options.stream = true;
	asked(&world, 0, "/x");
	begin(&world, &outcomes[2], &options, false);
	stop(&world);
	for (int i = 0; i < 3; i++)
		assert_int_equal(outcomes[i].done, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_written_as_the_caller_says),
		cmocka_unit_test(every_way_to_end_an_answer_is_understood),
		cmocka_unit_test(connections_are_bounded_and_calls_wait_their_turn),
		cmocka_unit_test(streams_and_fresh_calls_get_connections_of_their_own),
		cmocka_unit_test(a_reused_connection_that_dies_is_tried_once_more_for_get),
		cmocka_unit_test(a_post_whose_connection_dies_is_not_repeated),
		cmocka_unit_test(a_post_does_not_step_on_a_connection_that_is_dead_already),
		cmocka_unit_test(an_answer_cut_short_is_a_failure_and_not_repeated),
		cmocka_unit_test(answers_that_break_the_protocol_are_refused),
		cmocka_unit_test(bytes_nobody_asked_for_spoil_a_connection),
		cmocka_unit_test(nobody_at_the_path_means_unavailable_and_not_sent),
		cmocka_unit_test(a_full_queue_of_the_listener_is_waited_for),
		cmocka_unit_test(a_call_is_cut_at_its_deadline_wherever_it_is),
		cmocka_unit_test(a_collected_body_is_bounded),
		cmocka_unit_test(a_paused_answer_holds_its_sender_back),
		cmocka_unit_test(an_end_that_comes_while_paused_is_told_after),
		cmocka_unit_test(a_call_may_be_cancelled_at_any_time),
		cmocka_unit_test(a_call_may_begin_another_when_it_is_done),
		cmocka_unit_test(characters_that_would_break_the_request_are_never_sent),
		cmocka_unit_test(an_early_answer_is_read_though_the_request_cannot_be_sent_whole),
		cmocka_unit_test(freeing_the_client_ends_everything_without_calling_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
