/* One request and its answer, whatever the peer makes of it. */
#include "net/http_client_test.h"

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
		loop_run(&world.loop, 1000);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_written_as_the_caller_says),
		cmocka_unit_test(every_way_to_end_an_answer_is_understood),
		cmocka_unit_test(an_answer_cut_short_is_a_failure_and_not_repeated),
		cmocka_unit_test(answers_that_break_the_protocol_are_refused),
		cmocka_unit_test(a_call_is_cut_at_its_deadline_wherever_it_is),
		cmocka_unit_test(a_collected_body_is_bounded),
		cmocka_unit_test(a_paused_answer_holds_its_sender_back),
		cmocka_unit_test(an_end_that_comes_while_paused_is_told_after),
		cmocka_unit_test(a_call_may_be_cancelled_at_any_time),
		cmocka_unit_test(a_call_may_begin_another_when_it_is_done),
		cmocka_unit_test(characters_that_would_break_the_request_are_never_sent),
		cmocka_unit_test(an_early_answer_is_read_though_the_request_cannot_be_sent_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
