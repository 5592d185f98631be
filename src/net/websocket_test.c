/* Frames and messages, against raw bytes. */
#include "net/websocket_test.h"

#include <event2/bufferevent.h>

/* A websocket on one end of a pair of sockets, raw bytes on the other. */
static void pair_up(struct loop *loop, const struct websocket_options *options, struct end *end,
		    struct raw *raw)
{
	int fds[2];
	loop_init(loop);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	end_init(end);
	raw_init(raw, fds[1]);
	struct bufferevent *bev = bufferevent_socket_new(loop->base, fds[0], BEV_OPT_CLOSE_ON_FREE);
	end->websocket = websocket_new(loop->base, bev, options, &events, end);
}

static void part(struct loop *loop, struct end *end, struct raw *raw)
{
	end_release(end);
	raw_release(raw);
	loop_release(loop);
}

static struct websocket_options small(bool server)
{
	return (struct websocket_options){
		.server = server,
		.message_bytes_max = 1000,
		.send_high_bytes = 100000,
	};
}

/* Send one masked frame, as a client must. */
static void send_frame(struct raw *raw, struct loop *loop, int first, const char *payload,
		       size_t len)
{
	unsigned char head[8] = { (unsigned char)first };
	size_t head_len = 2;
	if (len < 126) {
		head[1] = (unsigned char)(0x80 | len);
	} else {
		head[1] = 0x80 | 126;
		head[2] = (unsigned char)(len >> 8);
		head[3] = (unsigned char)len;
		head_len = 4;
	}
	static const unsigned char mask[4] = { 1, 2, 3, 4 };
	raw_send_bytes(raw, loop, head, head_len);
	raw_send_bytes(raw, loop, mask, 4);
	for (size_t i = 0; i < len; i++) {
		char c = (char)(payload[i] ^ mask[i % 4]);
		raw_send_bytes(raw, loop, &c, 1);
	}
}

#define FIN    0x80
#define TEXT   1
#define BINARY 2
#define CLOSE  8
#define PING   9
#define PONG   10

/* Has the raw side got exactly these bytes? */
static bool raw_is(struct raw *raw, const char *bytes, size_t len)
{
	raw_read(raw);
	return raw->got.len == len && memcmp(raw->got.bytes, bytes, len) == 0;
}

static void messages_come_whole_from_frames_and_fragments(void **state)
{
	(void)state;
	struct loop loop;
	struct end end;
	struct raw raw;
	struct websocket_options options = small(true);
	pair_up(&loop, &options, &end, &raw);
	send_frame(&raw, &loop, FIN | TEXT, "hello", 5);
	wait_for(&loop, end.messages == 1);
	assert_true(end.text);
	send_frame(&raw, &loop, BINARY, "ab", 2);
	send_frame(&raw, &loop, 0, "cd", 2);
	send_frame(&raw, &loop, FIN | PING, "p", 1);
	send_frame(&raw, &loop, FIN | 0, "ef", 2);
	wait_for(&loop, end.messages == 2);
	assert_false(end.text);
	send_frame(&raw, &loop, FIN | BINARY, "", 0);
	wait_for(&loop, end.messages == 3);
	assert_string_equal(end.got.bytes, "hello|abcdef||");
	wait_for(&loop, raw_is(&raw, "\x8a\x01p", 3));
	text_clear(&raw.got);
	assert_true(websocket_send(end.websocket, true, "hi", 2));
	assert_int_equal(websocket_pending(end.websocket), 4);
	wait_for(&loop, raw_is(&raw, "\x81\x02hi", 4));
	assert_int_equal(websocket_pending(end.websocket), 0);
	part(&loop, &end, &raw);
}

struct offence {
	const char *why;
	const char *bytes;
	size_t len;
	enum err_code code;
	unsigned close_code;
};

#define BYTES(string) string, sizeof(string) - 1

static void offences_are_answered_with_a_close_code(void **state)
{
	(void)state;
	static const struct offence offences[] = {
		{ "a frame without a mask", BYTES("\x81\x02hi"), ERR_PROTOCOL, 1002 },
		{ "a reserved bit", BYTES("\xc1\x80\0\0\0\0"), ERR_PROTOCOL, 1002 },
		{ "an unknown opcode", BYTES("\x83\x80\0\0\0\0"), ERR_PROTOCOL, 1002 },
		{ "a fragmented ping", BYTES("\x09\x80\0\0\0\0"), ERR_PROTOCOL, 1002 },
		{ "a ping of 126 bytes", BYTES("\x89\xfe\x00\x7e\0\0\0\0"), ERR_PROTOCOL, 1002 },
		{ "a continuation of nothing", BYTES("\x80\x80\0\0\0\0"), ERR_PROTOCOL, 1002 },
		{ "text that is not UTF-8", BYTES("\x81\x81\0\0\0\0\xff"), ERR_PROTOCOL, 1007 },
		{ "a close code that none may send", BYTES("\x88\x82\0\0\0\0\x03\xed"),
		  ERR_PROTOCOL, 1002 },
		{ "a message beyond the limit", BYTES("\x82\xfe\x03\xe9\0\0\0\0x"), ERR_TOO_LARGE,
		  1009 },
		{ "a length of 2^62", BYTES("\x82\xff\x40\0\0\0\0\0\0\0\0\0\0\0x"), ERR_TOO_LARGE,
		  1009 },
	};
	for (size_t i = 0; i < ARRAY_LEN(offences); i++) {
		struct loop loop;
		struct end end;
		struct raw raw;
		struct websocket_options options = small(true);
		pair_up(&loop, &options, &end, &raw);
		raw_send_bytes(&raw, &loop, offences[i].bytes, offences[i].len);
		wait_for(&loop, end.closed);
		wait_for(&loop, raw_has_ended(&raw));
		if (end.code != offences[i].code)
			fail_msg("%s: %s", offences[i].why, end.message);
		const unsigned char *got = (const unsigned char *)text_string(&raw.got);
		if (raw.got.len < 4 || got[0] != 0x88 ||
		    (unsigned)(got[2] << 8 | got[3]) != offences[i].close_code)
			fail_msg("%s: no close frame with %u", offences[i].why,
				 offences[i].close_code);
		assert_int_equal(end.messages, 0);
		part(&loop, &end, &raw);
	}
}

static void fragments_may_not_add_up_beyond_the_limit(void **state)
{
	(void)state;
	struct loop loop;
	struct end end;
	struct raw raw;
	struct websocket_options options = small(true);
	pair_up(&loop, &options, &end, &raw);
	char piece[600];
	memset(piece, 'x', sizeof(piece));
	send_frame(&raw, &loop, BINARY, piece, 600);
	send_frame(&raw, &loop, FIN | 0, piece, 401);
	wait_for(&loop, end.closed);
	assert_int_equal(end.code, ERR_TOO_LARGE);
	assert_int_equal(end.messages, 0);
	part(&loop, &end, &raw);
}

static void the_peers_close_is_answered_and_its_reason_told(void **state)
{
	(void)state;
	struct loop loop;
	struct end end;
	struct raw raw;
	struct websocket_options options = small(true);
	pair_up(&loop, &options, &end, &raw);
	send_frame(&raw, &loop, FIN | CLOSE,
		   "\x03\xe9"
		   "going\naway",
		   12);
	wait_for(&loop, end.closed);
	assert_int_equal(end.code, ERR_CLOSED);
	assert_string_equal(end.message, "closed by the peer: 1001 going?away");
	wait_for(&loop, raw_has_ended(&raw));
	assert_int_equal((unsigned char)raw.got.bytes[0], 0x88);
	part(&loop, &end, &raw);
}

static void a_peer_that_closes_and_runs_is_told_as_closed(void **state)
{
	(void)state;
	struct loop loop;
	struct end end;
	struct raw raw;
	struct websocket_options options = small(true);
	pair_up(&loop, &options, &end, &raw);
	send(raw.fd, "\x88\x82\0\0\0\0\x03\xe8", 8, 0);
	close(raw.fd);
	raw.fd = -1;
	wait_for(&loop, end.closed);
	assert_int_equal(end.code, ERR_CLOSED);
	part(&loop, &end, &raw);
}

static void a_peer_that_vanishes_is_an_error(void **state)
{
	(void)state;
	struct loop loop;
	struct end end;
	struct raw raw;
	struct websocket_options options = small(true);
	pair_up(&loop, &options, &end, &raw);
	send_frame(&raw, &loop, FIN | TEXT, "last words", 10);
	close(raw.fd);
	raw.fd = -1;
	wait_for(&loop, end.closed);
	assert_int_equal(end.code, ERR_IO);
	assert_string_equal(end.got.bytes, "last words|");
	part(&loop, &end, &raw);
}

static void closing_says_goodbye_and_calls_back_no_more(void **state)
{
	(void)state;
	struct loop loop;
	struct end end;
	struct raw raw;
	struct websocket_options options = small(true);
	pair_up(&loop, &options, &end, &raw);
	websocket_send(end.websocket, true, "x", 1);
	websocket_close(end.websocket, 1000, "bye");
	end.websocket = NULL;
	wait_for(&loop, raw_is(&raw,
			       "\x81\x01x\x88\x05\x03\xe8"
			       "bye",
			       10));
	send_frame(&raw, &loop, FIN | TEXT, "late", 4);
	send_frame(&raw, &loop, FIN | CLOSE, "\x03\xe8", 2);
	wait_for(&loop, raw_has_ended(&raw));
	assert_int_equal(end.messages, 0);
	assert_int_equal(end.closed, 0);
	part(&loop, &end, &raw);
}

static void what_was_queued_leaves_before_the_close(void **state)
{
	(void)state;
	struct loop loop;
	struct end end;
	struct raw raw;
	struct websocket_options options = small(true);
	options.send_high_bytes = 10 << 20;
	pair_up(&loop, &options, &end, &raw);
	static char piece[10000];
	for (int i = 0; i < 200; i++)
		assert_true(websocket_send(end.websocket, false, piece, sizeof(piece)));
	websocket_close(end.websocket, 1000, "all");
	end.websocket = NULL;
	turn(&loop);
	wait_for(&loop, raw_read(&raw) && raw.got.len == 200 * (sizeof(piece) + 4) + 7);
	assert_memory_equal(raw.got.bytes + raw.got.len - 7,
			    "\x88\x05\x03\xe8"
			    "all",
			    7);
	/* A peer that hangs up instead of answering ends it as well. */
	raw_release(&raw);
	raw_init(&raw, -1);
	turn(&loop);
	part(&loop, &end, &raw);
}

static void a_message_may_end_its_websocket(void **state)
{
	(void)state;
	for (int how = 0; how < 2; how++) {
		struct loop loop;
		struct end end;
		struct raw raw;
		struct websocket_options options = small(true);
		pair_up(&loop, &options, &end, &raw);
		end.free_in_message = how == 0;
		end.close_in_message = how == 1;
		/* Two messages in one read: the second has no reader. */
		raw_send_bytes(&raw, &loop, "\x81\x81\0\0\0\0a\x81\x81\0\0\0\0b", 14);
		if (how == 1) {
			wait_for(&loop, raw_count(&raw, "enough") == 1);
			send_frame(&raw, &loop, FIN | CLOSE, "\x0f\xa1", 2);
		}
		wait_for(&loop, raw_has_ended(&raw));
		assert_string_equal(end.got.bytes, "a|");
		assert_int_equal(end.closed, 0);
		part(&loop, &end, &raw);
	}
}

static void a_silent_peer_is_pinged_and_then_given_up(void **state)
{
	(void)state;
	struct loop loop;
	struct end end;
	struct raw raw;
	struct websocket_options options = small(true);
	options.ping_interval_ms = 10;
	options.ping_timeout_ms = 200;
	pair_up(&loop, &options, &end, &raw);
	/* Each ping is answered: it lives on. */
	for (int i = 0; i < 3; i++) {
		wait_for(&loop, raw_is(&raw, "\x89\x00", 2));
		text_clear(&raw.got);
		send_frame(&raw, &loop, FIN | PONG, "", 0);
		turn(&loop);
	}
	assert_int_equal(end.closed, 0);
	wait_for(&loop, end.closed);
	assert_int_equal(end.code, ERR_TIMEOUT);
	assert_int_equal(end.messages, 0);
	part(&loop, &end, &raw);
}

static void a_slow_reader_holds_its_sender_back(void **state)
{
	(void)state;
	struct loop loop;
	struct end end;
	struct raw raw;
	struct websocket_options options = small(true);
	pair_up(&loop, &options, &end, &raw);
	static char piece[10000];
	size_t n = 1;
	int64_t end_ms = socket_clock_ms() + TEST_WAIT_MS;
	while (websocket_send(end.websocket, false, piece, sizeof(piece))) {
		event_base_loop(loop.base, EVLOOP_NONBLOCK);
		n++;
		assert_true(socket_clock_ms() < end_ms);
	}
	assert_true(websocket_pending(end.websocket) > options.send_high_bytes);
	turn(&loop);
	assert_int_equal(end.drained, 0);
	wait_for(&loop, raw_read(&raw) && end.drained);
	wait_for(&loop, raw_read(&raw) && raw.got.len == n * (sizeof(piece) + 4));
	assert_int_equal(end.drained, 1);
	part(&loop, &end, &raw);
}

static void a_paused_websocket_gives_nothing_and_loses_nothing(void **state)
{
	(void)state;
	struct loop loop;
	struct end end;
	struct raw raw;
	struct websocket_options options = small(true);
	pair_up(&loop, &options, &end, &raw);
	end.pause_in_message = true;
	/* All in one read, the close too. */
	raw_send_bytes(&raw, &loop,
		       "\x81\x81\0\0\0\0a\x81\x81\0\0\0\0b\x81\x81\0\0\0\0c"
		       "\x88\x82\0\0\0\0\x03\xe8",
		       29);
	for (int i = 1; i <= 3; i++) {
		wait_for(&loop, end.messages == i);
		turn(&loop);
		assert_int_equal(end.messages, i);
		assert_int_equal(end.closed, 0);
		websocket_pause(end.websocket, false);
	}
	assert_string_equal(end.got.bytes, "a|b|c|");
	wait_for(&loop, end.closed);
	assert_int_equal(end.code, ERR_CLOSED);
	part(&loop, &end, &raw);
}

static void a_paused_websocket_holds_its_peer_back(void **state)
{
	(void)state;
	struct loop loop;
	struct end end;
	struct raw raw;
	struct websocket_options options = small(true);
	pair_up(&loop, &options, &end, &raw);
	websocket_pause(end.websocket, true);
	char frame[1006] = "\x82\xfe\x03\xe6\0\0\0\0";
	size_t taken = 0;
	for (int idle = 0; idle < 50;) {
		ssize_t n =
			send(raw.fd, frame + taken % sizeof(frame),
			     sizeof(frame) - taken % sizeof(frame), MSG_DONTWAIT | MSG_NOSIGNAL);
		idle = n > 0 ? 0 : idle + 1;
		taken += n > 0 ? (size_t)n : 0;
		turn(&loop);
		assert_true(taken < 16 << 20);
	}
	assert_int_equal(end.messages, 0);
	websocket_pause(end.websocket, false);
	wait_for(&loop, end.messages == (int)(taken / sizeof(frame)));
	part(&loop, &end, &raw);
}

static void what_is_left_of_a_free_websocket_is_nothing(void **state)
{
	(void)state;
	struct loop loop;
	struct end end;
	struct raw raw;
	struct websocket_options options = small(true);
	pair_up(&loop, &options, &end, &raw);
	websocket_free(end.websocket);
	end.websocket = NULL;
	wait_for(&loop, raw_has_ended(&raw));
	assert_int_equal(end.closed, 0);
	part(&loop, &end, &raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_whole_from_frames_and_fragments),
		cmocka_unit_test(offences_are_answered_with_a_close_code),
		cmocka_unit_test(fragments_may_not_add_up_beyond_the_limit),
		cmocka_unit_test(the_peers_close_is_answered_and_its_reason_told),
		cmocka_unit_test(a_peer_that_closes_and_runs_is_told_as_closed),
		cmocka_unit_test(a_peer_that_vanishes_is_an_error),
		cmocka_unit_test(closing_says_goodbye_and_calls_back_no_more),
		cmocka_unit_test(what_was_queued_leaves_before_the_close),
		cmocka_unit_test(a_message_may_end_its_websocket),
		cmocka_unit_test(a_silent_peer_is_pinged_and_then_given_up),
		cmocka_unit_test(a_slow_reader_holds_its_sender_back),
		cmocka_unit_test(a_paused_websocket_gives_nothing_and_loses_nothing),
		cmocka_unit_test(a_paused_websocket_holds_its_peer_back),
		cmocka_unit_test(what_is_left_of_a_free_websocket_is_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
