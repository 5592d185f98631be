/* The client's connections: which call gets which. */
#include "net/http_client_test.h"

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

static void freeing_the_client_ends_everything_without_calling_back(void **state)
{
	(void)state;
	struct world world;
	start(&world, 1);
	struct outcome outcomes[3] = { 0 };
	struct http_call_options options = { .method = "GET",
					     .target = "/x",
					     .timeout_ms = 3600LL * 1000 };
	begin(&world, &outcomes[0], &options, false);
	begin(&world, &outcomes[1], &options, false);
	options.stream = true;
	asked(&world, 0, "/x");
	begin(&world, &outcomes[2], &options, false);
	assert_true(event_base_get_num_events(world.loop.base, EVENT_BASE_COUNT_ADDED) > 0);
	http_client_free(world.client);
	world.client = NULL;
	event_base_loop(world.loop.base, EVLOOP_NONBLOCK);
	/* Nothing is left that could call back later, be it at its deadline. */
	assert_int_equal(event_base_get_num_events(world.loop.base, EVENT_BASE_COUNT_ADDED), 0);
	stop(&world);
	for (int i = 0; i < 3; i++)
		assert_int_equal(outcomes[i].done, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_are_bounded_and_calls_wait_their_turn),
		cmocka_unit_test(streams_and_fresh_calls_get_connections_of_their_own),
		cmocka_unit_test(a_reused_connection_that_dies_is_tried_once_more_for_get),
		cmocka_unit_test(a_post_whose_connection_dies_is_not_repeated),
		cmocka_unit_test(a_post_does_not_step_on_a_connection_that_is_dead_already),
		cmocka_unit_test(bytes_nobody_asked_for_spoil_a_connection),
		cmocka_unit_test(nobody_at_the_path_means_unavailable_and_not_sent),
		cmocka_unit_test(a_full_queue_of_the_listener_is_waited_for),
		cmocka_unit_test(freeing_the_client_ends_everything_without_calling_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
