#include "base/testing.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "runtime/docker_list.h"

static const char five[] =
	"[{\"Id\":\"1\",\"Names\":[\"/other/alias\",\"/one\"],\"State\":\"exited\","
	"\"Status\":\"Exited (137) 3 seconds ago\",\"Labels\":{\"a\":\"x\\\"}]\","
	"\"drover.cluster\":\"01890a5d-ac96-774b-bcce-b302099a8058\","
	"\"drover.task\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"drover.attempt\":\"2\"}},\n"
	" {\"Id\":\"2\",\"Names\":[\"/two\"],\"State\":\"running\",\"Ports\":[{\"PublicPort\":80}, "
	"{}],"
	"\"Status\":\"Up 2 minutes (health: starting)\",\"SizeRw\":-1.5e3,\"New\":[true,null,[]]},"
	"{\"Id\":\"3\",\"Names\":[\"/three\"],\"State\":\"running\","
	"\"Status\":\"Up 2 minutes (unhealthy)\",\"Labels\":null},"
	"{\"Id\":\"4\",\"Names\":null,\"State\":\"running\"},"
	"{\"Names\":[\"/nameless\"],\"Id\":7}, {},"
	"{\"Id\":\"5\",\"Names\":[\"/five\"],\"State\":\"created\"}]\n";

/* Read in pieces of so many bytes. */
static enum err_code read_list(const char *json, size_t len, size_t piece,
			       struct container_seen **ret_items, size_t *ret_n)
{
	struct docker_list list;
	docker_list_init(&list);
	for (size_t at = 0; at < len; at += piece)
		docker_list_feed(&list, json + at, len - at < piece ? len - at : piece);
	enum err_code code = docker_list_end(&list, ret_items, ret_n, NULL);
	docker_list_release(&list);
	return code;
}

static void a_list_is_read_however_it_is_cut(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < sizeof(five); piece++) {
		struct container_seen *items;
		char id[UUID_TEXT_SIZE];
		size_t n;
		assert_int_equal(read_list(five, sizeof(five) - 1, piece, &items, &n), 0);
		assert_int_equal(n, 4);
		assert_string_equal(items[0].name, "one");
		assert_string_equal(items[0].id, "1");
		assert_int_equal(items[0].state, CONTAINER_EXITED);
		assert_int_equal(items[0].exit_code, 137);
		assert_int_equal(items[0].attempt, 2);
		assert_string_equal(uuid_format(items[0].cluster, id),
				    "01890a5d-ac96-774b-bcce-b302099a8058");
		assert_string_equal(uuid_format(items[0].task.uuid, id),
				    "01890a5d-ac96-774b-bcce-b302099a8057");
		assert_int_equal(items[1].health, HEALTH_STARTING);
		assert_int_equal(items[1].state, CONTAINER_RUNNING);
		assert_int_equal(items[2].health, HEALTH_UNHEALTHY);
		assert_int_equal(items[2].exit_code, -1);
		assert_true(uuid_is_zero(items[2].cluster));
		assert_int_equal(items[3].state, CONTAINER_CREATED);
		base_free(items);
	}
}

static void what_is_not_whole_or_no_list_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"",
		"{}",
		"[",
		"[{}",
		"[{},",
		"[{}] x",
		"[{},]",
		"[{}{}]",
		"[1]",
		"[{\"Id\"}]",
		"[{\"a\"",
		"[{\"a\":}]",
		"[{\"a\":tru\"}]",
		"[{\"a\":[1}]",
		"[{\"a\":{1}}]",
		"]",
		"[{\"a\":\"x\\\"}]",
		"<html></html>",
	};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		for (size_t piece = 1; piece <= strlen(wrong[i]) + 1; piece++) {
			struct container_seen *items = NULL;
			size_t n = 42;
			assert_int_equal(read_list(wrong[i], strlen(wrong[i]), piece, &items, &n),
					 ERR_PROTOCOL);
			assert_null(items);
			assert_int_equal(n, 42);
		}
	}
}

static void an_empty_list_has_nothing(void **state)
{
	(void)state;
	struct container_seen *items;
	size_t n;
	assert_int_equal(read_list(" [ ] ", 5, 2, &items, &n), 0);
	assert_int_equal(n, 0);
	base_free(items);
}

/* `n` times `piece` between the two; a container may have `max` bytes. */
static enum err_code read_long(size_t max, const char *before, const char *piece, size_t n,
			       const char *after)
{
	struct container_seen *items = NULL;
	size_t n_items;
	struct docker_list list;
	docker_list_init(&list);
	list.rest.max = max;
	docker_list_feed(&list, before, strlen(before));
	for (size_t i = 0; i < n; i++)
		docker_list_feed(&list, piece, strlen(piece));
	docker_list_feed(&list, after, strlen(after));
	enum err_code code = docker_list_end(&list, &items, &n_items, NULL);
	base_free(items);
	docker_list_release(&list);
	return code;
}

/* Of 64 MB it would take too long where everything is watched. */
#define SMALL 65536

static void what_grows_without_bound_is_refused(void **state)
{
	(void)state;
	assert_int_equal(read_long(SMALL, "[{\"a\":\"", "x", SMALL / 2, "\"}]"), 0);
	assert_int_equal(read_long(SMALL, "[{\"a\":\"", "x", SMALL, "\"}]"), ERR_TOO_LARGE);
	assert_int_equal(read_long(SMALL, "[{\"a\":", "[", LIMIT_JSON_DEPTH * 2, ""), ERR_PROTOCOL);
}

/* Labels and command are in the list, each control character as six: one job must not make a machine's list one that
 * cannot be read. */
static void a_container_of_the_largest_job_is_read(void **state)
{
	(void)state;
	assert_true(LIMIT_DOCKER_BODY_BYTES >= 12 * LIMIT_JOB_RECORD_BYTES);
	assert_int_equal(read_long(12 * SMALL, "[{\"Labels\":{\"a\":\"", "\\u0001", SMALL, "\"}}]"),
			 0);
}

/* Nor may many of them: what is read is not kept. */
static void how_long_a_list_is_in_all_does_not_matter(void **state)
{
	(void)state;
	struct docker_list list;
	struct container_seen *items;
	size_t n, most = 0;
	static char label[SMALL / 2];
	memset(label, 'x', sizeof(label));
	docker_list_init(&list);
	list.rest.max = SMALL;
	for (int i = 0; i < 100; i++) {
		const char *before = "{\"Id\":\"1\",\"Names\":[\"/a\"],\"Labels\":{\"a\":\"";
		docker_list_feed(&list, i ? "," : "[", 1);
		docker_list_feed(&list, before, strlen(before));
		docker_list_feed(&list, label, sizeof(label));
		docker_list_feed(&list, "\"}}", 3);
		if (list.rest.capacity > most)
			most = list.rest.capacity;
	}
	docker_list_feed(&list, "]", 1);
	assert_int_equal(docker_list_end(&list, &items, &n, NULL), 0);
	assert_int_equal(n, 100);
	assert_true(most <= 4 * SMALL);
	base_free(items);
	docker_list_release(&list);
}

/* Also of those that are left out. */
static void a_list_without_end_is_refused(void **state)
{
	(void)state;
	struct docker_list list;
	struct container_seen *items = NULL;
	size_t n = 42;
	for (size_t more = 0; more < 2; more++) {
		docker_list_init(&list);
		assert_int_equal(list.n_max, LIMIT_DOCKER_LISTED);
		list.n_max = 100;
		for (size_t i = 0; i < list.n_max + more; i++)
			docker_list_feed(&list, i ? ",{}" : "[{}", 3);
		docker_list_feed(&list, "]", 1);
		assert_int_equal(docker_list_end(&list, &items, &n, NULL),
				 more ? ERR_TOO_LARGE : ERR_NONE);
		assert_int_equal(n, 0);
		docker_list_release(&list);
	}
	base_free(items);
}

static void of_what_is_no_list_no_more_is_kept_than_a_message_needs(void **state)
{
	(void)state;
	static char words[LIMIT_DOCKER_MESSAGE_BYTES];
	struct docker_list list;
	memset(words, 'x', sizeof(words));
	docker_list_init(&list);
	docker_list_feed(&list, "{\"message\":\"", 12);
	docker_list_feed(&list, words, sizeof(words));
	docker_list_feed(&list, words, sizeof(words));
	assert_int_equal(list.rest.len, LIMIT_DOCKER_MESSAGE_BYTES);
	docker_list_release(&list);
}

/* The words of an error answer are there for who tells them. */
static void of_what_is_no_list_the_beginning_is_kept(void **state)
{
	(void)state;
	struct docker_list list;
	docker_list_init(&list);
	docker_list_feed(&list, "{\"mess", 6);
	docker_list_feed(&list, "age\":\"no\"}", 10);
	assert_string_equal(text_string(&list.rest), "{\"message\":\"no\"}");
	docker_list_release(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_list_is_read_however_it_is_cut),
		TEST(what_is_not_whole_or_no_list_is_refused),
		TEST(an_empty_list_has_nothing),
		TEST(what_grows_without_bound_is_refused),
		TEST(a_container_of_the_largest_job_is_read),
		TEST(how_long_a_list_is_in_all_does_not_matter),
		TEST(a_list_without_end_is_refused),
		TEST(of_what_is_no_list_no_more_is_kept_than_a_message_needs),
		TEST(of_what_is_no_list_the_beginning_is_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
