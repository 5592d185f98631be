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

/* `n` times `piece` between the two. */
static enum err_code read_long(const char *before, const char *piece, size_t n, const char *after)
{
	struct container_seen *items = NULL;
	size_t n_items;
	struct text text;
	text_init(&text, SIZE_MAX / 2);
	text_add(&text, before);
	for (size_t i = 0; i < n; i++)
		text_add(&text, piece);
	text_add(&text, after);
	enum err_code code = read_list(text.bytes, text.len, 4096, &items, &n_items);
	base_free(items);
	text_release(&text);
	return code;
}

static void what_grows_without_bound_is_refused(void **state)
{
	(void)state;
	assert_int_equal(read_long("[{\"a\":\"", "x", LIMIT_DOCKER_BODY_BYTES, "\"}]"),
			 ERR_TOO_LARGE);
	assert_int_equal(read_long("[{\"a\":", "[", LIMIT_JSON_DEPTH * 2, ""), ERR_PROTOCOL);
}

/* Labels and command are in the list, each control character as six: one job must not make a machine's list one that
 * cannot be read. */
static void a_container_of_the_largest_job_is_read(void **state)
{
	(void)state;
	assert_int_equal(
		read_long("[{\"Labels\":{\"a\":\"", "\\u0001", LIMIT_JOB_RECORD_BYTES, "\"}}]"), 0);
}

static void a_list_without_end_is_refused(void **state)
{
	(void)state;
	static char name[512 * 1024];
	struct docker_list list;
	struct container_seen *items = NULL;
	size_t n = 0;
	memset(name, 'x', sizeof(name));
	docker_list_init(&list);
	docker_list_feed(&list, "[", 1);
	for (size_t bytes = 0; bytes < LIMIT_DOCKER_LIST_BYTES; bytes += sizeof(name)) {
		docker_list_feed(&list, bytes ? ",{\"a\":\"" : "{\"a\":\"", bytes ? 7 : 6);
		docker_list_feed(&list, name, sizeof(name));
		docker_list_feed(&list, "\"}", 2);
	}
	assert_int_equal(docker_list_end(&list, &items, &n, NULL), ERR_TOO_LARGE);
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
		TEST(a_list_without_end_is_refused),
		TEST(of_what_is_no_list_the_beginning_is_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
