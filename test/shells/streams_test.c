/* What goes on until one side ends it: logs and events. */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"

#define RECEIVED_BYTES_MAX (64 * 1024 * 1024)

/* An answer that comes piece by piece. */
struct reader {
	struct http_call *call; /* NULL: over */
	int status;
	bool broke; /* it ended without being complete */
	struct text bytes;
};

static void on_head(void *owner, struct http_call *call, const struct http_head *head)
{
	struct reader *reader = owner;
	(void)call;
	reader->status = head->status;
}

static void on_bytes(void *owner, struct http_call *call, const void *bytes, size_t len)
{
	struct reader *reader = owner;
	(void)call;
	text_add_bytes(&reader->bytes, bytes, len);
}

static void on_done(void *owner, struct http_call *call, const struct err *err, enum http_sent sent,
		    int status, struct http_view body)
{
	struct reader *reader = owner;
	(void)call;
	(void)sent;
	(void)status;
	(void)body;
	reader->call = NULL;
	reader->broke = err != NULL;
}

static void read_begin(struct rig *rig, struct reader *reader, const char *target,
		       const char *headers)
{
	static const struct http_call_events events = { on_head, on_bytes, on_done };
	struct http_call_options options = {
		.method = "GET", .target = target, .headers = headers, .stream = true
	};
	*reader = (struct reader){ 0 };
	text_init(&reader->bytes, RECEIVED_BYTES_MAX);
	reader->call = http_client_call(rig->http, &options, &events, reader);
}

static void read_end(struct reader *reader)
{
	if (reader->call)
		http_call_cancel(reader->call);
	text_release(&reader->bytes);
}

static bool is_over(struct rig *rig, const void *reader)
{
	(void)rig;
	return !((const struct reader *)reader)->call;
}

/* ---- logs ---------------------------------------------------------------------------------------------- */

#define TALKER                                                                                     \
	"{\"jobs\":[{\"name\":\"web\",\"spec\":{\"image\":\"busybox\",\"has_command\":true,"       \
	"\"command\":[\"sh\",\"-c\",\"trap 'exit 0' TERM; echo out; echo err >&2; "                \
	"while :; do sleep 1; done\"]}}]}"

static void start_talking(struct rig *rig, char target[192], const char *query)
{
	char task[128];
	rig_start_manager(rig);
	rig_start_worker(rig);
	rig_wait_ready(rig);
	assert_int_equal(rig_status(rig, "POST", "/v1/projects/shop/apply", NULL, TALKER), 200);
	rig_wait_running(rig, 1);
	rig_first(rig, "tasks", "id", task);
	text_print(target, 192, "/v1/tasks/%s/logs%s", task, query);
}

/* The bytes of one stream of a multiplexed answer. */
static void demux(const struct text *bytes, int wanted, struct text *out)
{
	size_t at = 0;
	text_clear(out);
	while (at + 8 <= bytes->len) {
		const unsigned char *header = (const unsigned char *)bytes->bytes + at;
		size_t len = (size_t)header[4] << 24 | (size_t)header[5] << 16 |
			     (size_t)header[6] << 8 | header[7];
		at += 8;
		assert_in_range(header[0], 1, 3);
		assert_in_range(at + len, 8, bytes->len);
		if (header[0] == wanted)
			text_add_bytes(out, bytes->bytes + at, len);
		at += len;
	}
	assert_int_equal(at, bytes->len);
}

static void assert_stream(const struct reader *reader, int stream, const char *wanted)
{
	struct text text;
	text_init(&text, RECEIVED_BYTES_MAX);
	demux(&reader->bytes, stream, &text);
	assert_string_equal(text_string(&text), wanted);
	text_release(&text);
}

static void logs_come_through_both_daemons(void **state)
{
	struct rig *rig = *state;
	struct reader reader;
	char target[192];
	start_talking(rig, target, "");
	read_begin(rig, &reader, target, NULL);
	rig_until(rig, "the end of the log", is_over, &reader);
	assert_int_equal(reader.status, 200);
	assert_false(reader.broke);
	assert_stream(&reader, 1, "out\n");
	assert_stream(&reader, 2, "err\n");
	assert_stream(&reader, 3, "");
	read_end(&reader);
}

static void say(struct fake_container *container, char *text)
{
	container->log = base_grow(container->log, container->n_log, &container->log_capacity,
				   sizeof(*container->log));
	container->log[container->n_log++] = (struct fake_log_entry){ 1, 1, text };
}

static void a_reader_that_pauses_loses_nothing(void **state)
{
	enum { LINES = 12000, LINE_BYTES = 1000 };
	struct rig *rig = *state;
	struct reader reader;
	char target[192], line[LINE_BYTES + 1];
	start_talking(rig, target, "");
	memset(line, 'x', LINE_BYTES);
	memcpy(line + LINE_BYTES - 1, "\n", 2);
	for (int i = 0; i < LINES; i++)
		say(rig_world()->containers, base_strdup(line));
	read_begin(rig, &reader, target, NULL);
	http_call_pause(reader.call, true);
	rig_turn(rig, 500);
	/* Were all of it sent without looking, it would be more than a reader may be behind. */
	assert_true(LINES * LINE_BYTES > 2 * LIMIT_HTTP_OUTPUT_BYTES);
	assert_non_null(reader.call);
	http_call_pause(reader.call, false);
	rig_until(rig, "the end of the log", is_over, &reader);
	assert_false(reader.broke);
	assert_int_equal(reader.bytes.len, LINES * (LINE_BYTES + 8) + 2 * 8 + 8);
	read_end(&reader);
}

static bool has_bytes(struct rig *rig, const void *reader)
{
	(void)rig;
	return ((const struct reader *)reader)->bytes.len > 0;
}

static void a_worker_that_vanishes_is_named_as_the_reason(void **state)
{
	struct rig *rig = *state;
	struct reader reader;
	char target[192];
	start_talking(rig, target, "?follow=true");
	read_begin(rig, &reader, target, NULL);
	rig_until(rig, "the first bytes", has_bytes, &reader);
	rig_stop_worker(rig);
	rig_until(rig, "the end of the log", is_over, &reader);
	assert_false(reader.broke);
	assert_stream(&reader, 1, "out\n");
	struct text why;
	text_init(&why, 4096);
	demux(&reader.bytes, 3, &why);
	assert_true(why.len > 0);
	text_release(&why);
	read_end(&reader);
	/* And who comes too late is told at once. */
	assert_int_equal(rig_status(rig, "GET", target, NULL, NULL), 503);
}

static void a_reader_that_leaves_ends_the_stream(void **state)
{
	struct rig *rig = *state;
	struct reader reader;
	char target[192];
	start_talking(rig, target, "?follow=true");
	for (int i = 0; i < 3; i++) {
		read_begin(rig, &reader, target, NULL);
		/* Before the worker has called back, while it does, and in the middle. */
		if (i == 1)
			rig_turn(rig, 1);
		if (i == 2)
			rig_until(rig, "the first bytes", has_bytes, &reader);
		read_end(&reader);
		rig_turn(rig, 50);
	}
	/* All goes on. */
	read_begin(rig, &reader, target, NULL);
	rig_until(rig, "the first bytes", has_bytes, &reader);
	rig_stop_manager(rig);
	rig_until(rig, "the end of the log", is_over, &reader);
	assert_true(reader.broke);
	read_end(&reader);
}

static void logs_of_nothing_are_refused(void **state)
{
	struct rig *rig = *state;
	char target[192];
	start_talking(rig, target, "");
	assert_int_equal(rig_status(rig, "GET",
				    "/v1/tasks/01890000-0000-7000-8000-000000000000/logs", NULL,
				    NULL),
			 404);
	assert_int_equal(rig_status(rig, "GET", "/v1/tasks/x/logs", NULL, NULL), 400);
	memcpy(target + strlen(target), "?tail=x", 8);
	assert_int_equal(rig_status(rig, "GET", target, NULL, NULL), 400);
	assert_int_equal(rig_status(rig, "GET", "/v1/streams/x", NULL, NULL), 400);
	assert_int_equal(rig_status(rig, "GET", "/v1/streams/01890000-0000-7000-8000-000000000000",
				    NULL, NULL),
			 404);
}

/* ---- events -------------------------------------------------------------------------------------------- */

/* The id of the last event that has begun; "" before the first. Asked often: so from the end. */
static void last_id(const struct reader *reader, char out[64])
{
	const char *bytes = text_string(&reader->bytes);
	out[0] = '\0';
	for (size_t at = reader->bytes.len; at >= 4; at--)
		if (memcmp(bytes + at - 4, "id: ", 4) == 0) {
			text_print(out, 64, "%.*s", (int)strcspn(bytes + at, "\n"), bytes + at);
			return;
		}
}

static size_t count(const struct reader *reader, const char *needle)
{
	size_t n = 0;
	for (const char *at = text_string(&reader->bytes); (at = strstr(at, needle)); at++)
		n++;
	return n;
}

static bool tells_of_two_running(struct rig *rig, const void *reader)
{
	(void)rig;
	return count(reader, "\"state\":\"running\"") >= 2;
}

static void events_resume_where_they_were_left(void **state)
{
	struct rig *rig = *state;
	struct reader whole, first, second;
	char id[64], header[96];
	rig_start_manager(rig);
	read_begin(rig, &whole, "/v1/events", NULL);
	read_begin(rig, &first, "/v1/events", NULL);
	rig_until(rig, "a comment", has_bytes, &first);
	rig_start_worker(rig);
	rig_wait_ready(rig);
	rig_turn(rig, 50);
	last_id(&first, id);
	read_end(&first);
	assert_string_not_equal(id, "");
	assert_int_equal(rig_status(rig, "POST", "/v1/projects/shop/apply", NULL, RIG_WEB("2")),
			 200);
	rig_until(rig, "events of two running tasks", tells_of_two_running, &whole);
	text_print(header, sizeof(header), "Last-Event-ID: %s\r\n", id);
	read_begin(rig, &second, "/v1/events", header);
	rig_until(rig, "the events in between", tells_of_two_running, &second);
	assert_null(strstr(text_string(&second.bytes), "event: resync"));
	assert_non_null(strstr(text_string(&whole.bytes), text_string(&second.bytes) + 3));
	read_end(&second);
	read_end(&whole);
}

static bool is_resynced(struct rig *rig, const void *reader)
{
	(void)rig;
	return count(reader, "event: resync\n") == 1;
}

static void who_comes_from_another_run_is_told_to_look_anew(void **state)
{
	struct rig *rig = *state;
	struct reader reader;
	rig_start_manager(rig);
	read_begin(rig, &reader, "/v1/events?after=7-3", NULL);
	rig_until(rig, "a resync", is_resynced, &reader);
	read_end(&reader);
	assert_int_equal(rig_status(rig, "GET", "/v1/events?after=x", NULL, NULL), 400);
	assert_int_equal(rig_status(rig, "GET", "/v1/events?after=-", NULL, NULL), 400);
}

static void after_a_failed_commit_followers_are_told_to_look_anew(void **state)
{
	struct rig *rig = *state;
	struct reader reader;
	rig_bring_up(rig);
	read_begin(rig, &reader, "/v1/events", NULL);
	rig_until(rig, "a comment", has_bytes, &reader);
	/* It takes effect, and nobody is told. */
	store_memory_fail_next(rig->manager_store.store, 1, ERR_STORE, true);
	assert_int_equal(rig_status(rig, "POST", "/v1/projects/shop/apply", NULL, RIG_WEB("3")),
			 503);
	rig_until(rig, "a resync", is_resynced, &reader);
	size_t at = reader.bytes.len;
	rig_wait_ready(rig);
	rig_wait_running(rig, 3);
	assert_true(reader.bytes.len > at);
	read_end(&reader);
}

/* A job whose tasks come and go: some events each. */
#define CROWD                                                                                      \
	"{\"jobs\":[{\"name\":\"crowdrowdrowdrowdrowdrowdrowdrowdrowdrowdrowdrowdrowdrowd\","      \
	"\"spec\":{\"image\":\"busybox\",\"has_command\":true,"                                    \
	"\"command\":[\"true\"],\"mode\":\"replicated-job\",\"replicas\":1000}}]}"

static bool crowd_is_done(struct rig *rig, const void *unused)
{
	(void)unused;
	struct rig_answer answer = rig_call(rig, "GET", "/v1/jobs", NULL, NULL);
	json_t *job = json_array_get(json_object_get(answer.body, "jobs"), 0);
	bool done = json_integer_value(json_object_get(job, "succeeded")) == 1000;
	json_decref(answer.body);
	return done;
}

static bool has_same_end(struct rig *rig, const void *readers)
{
	const struct reader *both = readers;
	char a[64], b[64];
	(void)rig;
	last_id(&both[0], a);
	last_id(&both[1], b);
	return strcmp(a, b) == 0;
}

static void a_slow_follower_misses_nothing_that_is_kept(void **state)
{
	struct rig *rig = *state;
	struct reader readers[2];
	rig_start_manager(rig);
	rig_start_worker(rig);
	rig_wait_ready(rig);
	for (int i = 0; i < 2; i++) {
		read_begin(rig, &readers[i], "/v1/events", NULL);
		rig_until(rig, "a comment", has_bytes, &readers[i]);
	}
	http_call_pause(readers[1].call, true);
	assert_int_equal(
		rig_status(rig, "POST",
			   "/v1/projects/crowdrowdrowdrowdrowdrowdrowdrowdrowdrowdrowdrowdrowdrowd/"
			   "apply",
			   NULL, CROWD),
		200);
	rig_until(rig, "the end of the crowd", crowd_is_done, NULL);
	/* More than a socket and the server's buffer hold together. */
	assert_in_range(readers[0].bytes.len, 300 * 1024, RECEIVED_BYTES_MAX);
	http_call_pause(readers[1].call, false);
	rig_until(rig, "the same for both", has_same_end, readers);
	assert_int_equal(count(&readers[1], "id: "), count(&readers[0], "id: "));
	assert_int_equal(count(&readers[1], "event: resync"), 0);
	read_end(&readers[0]);
	read_end(&readers[1]);
}

#define SHELL_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHELL_TEST(logs_come_through_both_daemons),
		SHELL_TEST(a_reader_that_pauses_loses_nothing),
		SHELL_TEST(a_worker_that_vanishes_is_named_as_the_reason),
		SHELL_TEST(a_reader_that_leaves_ends_the_stream),
		SHELL_TEST(logs_of_nothing_are_refused),
		SHELL_TEST(events_resume_where_they_were_left),
		SHELL_TEST(who_comes_from_another_run_is_told_to_look_anew),
		SHELL_TEST(after_a_failed_commit_followers_are_told_to_look_anew),
		SHELL_TEST(a_slow_follower_misses_nothing_that_is_kept),
	};
	return cmocka_run_group_tests_name("streams", tests, NULL, NULL);
}
