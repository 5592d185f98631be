#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "runtime/docker_pull_progress.h"

static void feed(struct docker_pull_progress *progress, const char *text)
{
	docker_pull_progress_feed(progress, text, strlen(text));
}

static void check_text(const struct docker_pull_progress *progress, const char *expected)
{
	struct text text;
	text_init(&text, 200);
	docker_pull_progress_text(progress, &text);
	assert_string_equal(text_string(&text), expected);
	text_release(&text);
}

static void layers_and_bytes_are_counted(void **state)
{
	(void)state;
	struct docker_pull_progress progress;
	docker_pull_progress_init(&progress);
	check_text(&progress, "");
	feed(&progress, "{\"status\":\"Pulling from library/nginx\",\"id\":\"1.25\"}\r\n");
	check_text(&progress, "");
	feed(&progress, "{\"status\":\"Pulling fs layer\",\"progressDetail\":{},\"id\":\"aaa\"}\r\n"
			"{\"status\":\"Already exists\",\"progressDetail\":{},\"id\":\"bbb\"}\r\n");
	check_text(&progress, "1 of 2 layers");
	/* A line may come in pieces. */
	feed(&progress, "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":12900000,");
	feed(&progress, "\"total\":41943040},\"id\":\"aaa\"}\r");
	feed(&progress, "\n");
	check_text(&progress, "1 of 2 layers, 12 MB of 40 MB");
	feed(&progress, "{\"status\":\"Download complete\",\"id\":\"aaa\"}\r\n");
	check_text(&progress, "1 of 2 layers, 40 MB of 40 MB");
	feed(&progress, "{\"status\":\"Pull complete\",\"id\":\"aaa\"}\r\n");
	check_text(&progress, "2 of 2 layers, 40 MB of 40 MB");
	assert_null(progress.error);
	docker_pull_progress_release(&progress);
}

static void the_first_error_is_kept(void **state)
{
	(void)state;
	struct docker_pull_progress progress;
	docker_pull_progress_init(&progress);
	feed(&progress, "{\"errorDetail\":{\"message\":\"long\"},\"error\":\"toomanyrequests\"}\n"
			"{\"error\":\"another\"}\n");
	assert_string_equal(progress.error, "toomanyrequests");
	docker_pull_progress_release(&progress);
	docker_pull_progress_init(&progress);
	feed(&progress, "{\"errorDetail\":{\"message\":\"long\"}}\n");
	assert_string_equal(progress.error, "long");
	docker_pull_progress_release(&progress);
	docker_pull_progress_init(&progress);
	feed(&progress, "{\"message\":\"manifest unknown\"}\n");
	assert_string_equal(progress.error, "manifest unknown");
	docker_pull_progress_release(&progress);
}

static void nonsense_and_endless_lines_are_passed_over(void **state)
{
	(void)state;
	struct docker_pull_progress progress;
	char block[1024];
	memset(block, 'x', sizeof(block));
	docker_pull_progress_init(&progress);
	feed(&progress, "\n\n[]\n7\n{\"status\":7,\"id\":[]}\nnot json\n");
	for (int i = 0; i < 200; i++)
		docker_pull_progress_feed(&progress, block, sizeof(block));
	feed(&progress, "\n{\"status\":\"Pull complete\",\"id\":\"a\"}\n");
	check_text(&progress, "1 of 1 layers");
	docker_pull_progress_release(&progress);
}

static void numbers_of_a_lying_peer_overflow_nothing(void **state)
{
	(void)state;
	struct docker_pull_progress progress;
	docker_pull_progress_init(&progress);
	for (int i = 0; i < DOCKER_LAYERS_MAX + 10; i++) {
		char line[200];
		text_print(line, sizeof(line),
			   "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":-5,"
			   "\"total\":9223372036854775807},\"id\":\"%d\"}\n",
			   i);
		feed(&progress, line);
	}
	check_text(&progress, "0 of 256 layers");
	docker_pull_progress_release(&progress);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layers_and_bytes_are_counted),
		cmocka_unit_test(the_first_error_is_kept),
		cmocka_unit_test(nonsense_and_endless_lines_are_passed_over),
		cmocka_unit_test(numbers_of_a_lying_peer_overflow_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
