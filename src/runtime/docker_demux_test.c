#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "runtime/docker_demux.h"

struct heard {
	struct text streams[4];
};

static void sink(void *owner, int stream, const void *bytes, size_t len)
{
	struct heard *heard = owner;
	assert_in_range(stream, 1, 3);
	text_add_bytes(&heard->streams[stream], bytes, len);
}

static void heard_init(struct heard *heard)
{
	for (int i = 0; i < 4; i++)
		text_init(&heard->streams[i], 1024);
}

static void heard_release(struct heard *heard)
{
	for (int i = 0; i < 4; i++)
		text_release(&heard->streams[i]);
}

static const char frames[] = "\1\0\0\0\0\0\0\4one\n"
			     "\2\0\0\0\0\0\0\4two\n"
			     "\0\0\0\0\0\0\0\1x"
			     "\1\0\0\0\0\0\0\0"
			     "\3\0\0\0\0\0\0\3bad"
			     "\1\0\0\0\0\0\0\6three\n";
#define FRAMES_LEN (sizeof(frames) - 1)

static void check_heard(struct heard *heard)
{
	assert_string_equal(text_string(&heard->streams[1]), "one\nxthree\n");
	assert_string_equal(text_string(&heard->streams[2]), "two\n");
	assert_string_equal(text_string(&heard->streams[3]), "bad");
}

static void frames_come_apart_wherever_they_are_split(void **state)
{
	(void)state;
	for (size_t split = 0; split <= FRAMES_LEN; split++) {
		struct docker_demux demux = { 0 };
		struct heard heard;
		heard_init(&heard);
		assert_int_equal(docker_demux_feed(&demux, frames, split, sink, &heard, NULL), 0);
		assert_int_equal(docker_demux_feed(&demux, frames + split, FRAMES_LEN - split, sink,
						   &heard, NULL),
				 0);
		assert_int_equal(docker_demux_end(&demux, NULL), 0);
		check_heard(&heard);
		heard_release(&heard);
	}
}

static void frames_come_apart_byte_by_byte(void **state)
{
	(void)state;
	struct docker_demux demux = { 0 };
	struct heard heard;
	heard_init(&heard);
	for (size_t i = 0; i < FRAMES_LEN; i++)
		assert_int_equal(docker_demux_feed(&demux, frames + i, 1, sink, &heard, NULL), 0);
	check_heard(&heard);
	heard_release(&heard);
}

static void an_end_inside_a_frame_is_an_error(void **state)
{
	(void)state;
	static const size_t cuts[] = { 1, 7, 8, 11 };
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		struct docker_demux demux = { 0 };
		struct heard heard;
		heard_init(&heard);
		assert_int_equal(docker_demux_feed(&demux, frames, cuts[i], sink, &heard, NULL), 0);
		assert_int_equal(docker_demux_end(&demux, NULL), ERR_PROTOCOL);
		heard_release(&heard);
	}
}

static void what_is_no_frame_is_refused(void **state)
{
	(void)state;
	static const char *const heads[] = { "\4\0\0\0\0\0\0\1", "\1\1\0\0\0\0\0\1",
					     "\1\0\0\1\0\0\0\1", "\1\0\0\0\xff\xff\xff\xff",
					     "plain te" };
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct docker_demux demux = { 0 };
		struct heard heard;
		struct err err;
		heard_init(&heard);
		assert_int_equal(docker_demux_feed(&demux, heads[i], 8, sink, &heard, &err),
				 ERR_PROTOCOL);
		assert_int_equal(heard.streams[1].len, 0);
		heard_release(&heard);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_come_apart_wherever_they_are_split),
		cmocka_unit_test(frames_come_apart_byte_by_byte),
		cmocka_unit_test(an_end_inside_a_frame_is_an_error),
		cmocka_unit_test(what_is_no_frame_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
