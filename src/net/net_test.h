/* What the tests of this folder share: a loop, a folder of their own, a raw peer. Waiting is for a
 * condition; the cap on it only turns a hang into a failure. */
#ifndef NET_NET_TEST_H
#define NET_NET_TEST_H

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/text.h"
#include "net/socket.h"

#define TEST_WAIT_MS 20000

struct loop {
	struct event_base *base;
	char folder[64];
	char path[96];
};

static inline void loop_init(struct loop *loop)
{
	*loop = (struct loop){ .folder = "/tmp/net-test-XXXXXX" };
	loop->base = event_base_new();
	assert_non_null(loop->base);
	assert_non_null(mkdtemp(loop->folder));
	text_print(loop->path, sizeof(loop->path), "%s/s", loop->folder);
}

static inline void loop_release(struct loop *loop)
{
	/* Deferred frees of libevent need a turn. */
	event_base_loop(loop->base, EVLOOP_NONBLOCK);
	event_base_free(loop->base);
	unlink(loop->path);
	assert_int_equal(rmdir(loop->folder), 0);
}

/* Run the loop for so long. */
static inline void loop_run(struct loop *loop, int duration_us)
{
	struct timeval duration = { .tv_usec = duration_us };
	event_base_loopexit(loop->base, &duration);
	event_base_dispatch(loop->base);
}

/* Turn the loop until the condition holds. */
#define wait_for(loop, condition)                                                                  \
	do {                                                                                       \
		int64_t end_ms_ = socket_clock_ms() + TEST_WAIT_MS;                                \
		while (!(condition)) {                                                             \
			if (socket_clock_ms() > end_ms_)                                           \
				fail_msg("never came true: %s", #condition);                       \
			loop_run(loop, 100);                                                       \
		}                                                                                  \
	} while (0)

/* A few turns, in which what must not happen would. */
static inline void turn(struct loop *loop)
{
	for (int i = 0; i < 20; i++)
		event_base_loop(loop->base, EVLOOP_NONBLOCK);
}

/* The other side, as bytes. */
struct raw {
	int fd;
	struct text got;
	bool ended;
};

static inline void raw_init(struct raw *raw, int fd)
{
	*raw = (struct raw){ .fd = fd };
	text_init(&raw->got, 64 << 20);
}

static inline void raw_dial(struct raw *raw, struct loop *loop)
{
	int fd = -1;
	struct err err = { 0 };
	if (socket_dial(loop->path, &fd, &err))
		fail_msg("%s", err.message);
	raw_init(raw, fd);
}

static inline void raw_release(struct raw *raw)
{
	if (raw->fd >= 0)
		close(raw->fd);
	text_release(&raw->got);
}

/* Read what there is. Returns true so that it can stand in a condition. */
static inline bool raw_read(struct raw *raw)
{
	char bytes[65536];
	ssize_t n = -1;
	while (raw->fd >= 0 && (n = recv(raw->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		text_add_bytes(&raw->got, bytes, (size_t)n);
	if (raw->fd >= 0 && (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)))
		raw->ended = true;
	return true;
}

static inline void raw_send_bytes(struct raw *raw, struct loop *loop, const void *bytes, size_t len)
{
	const char *at = bytes;
	int64_t end_ms = socket_clock_ms() + TEST_WAIT_MS;
	while (len) {
		ssize_t n = send(raw->fd, at, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		} else if (errno != EAGAIN) {
			return; /* hung up: what it said is asserted */
		}
		event_base_loop(loop->base, EVLOOP_NONBLOCK);
		raw_read(raw);
		assert_true(socket_clock_ms() < end_ms);
	}
}

static inline void raw_send(struct raw *raw, struct loop *loop, const char *string)
{
	raw_send_bytes(raw, loop, string, strlen(string));
}

static inline bool raw_has(struct raw *raw, const char *string)
{
	raw_read(raw);
	return strstr(text_string(&raw->got), string) != NULL;
}

static inline bool raw_has_ended(struct raw *raw)
{
	raw_read(raw);
	return raw->ended;
}

/* How often `string` occurs. */
static inline size_t raw_count(struct raw *raw, const char *string)
{
	size_t n = 0;
	raw_read(raw);
	for (const char *at = text_string(&raw->got); (at = strstr(at, string)); at++)
		n++;
	return n;
}

#endif
