/* A command of our own in the table's place: what the parser makes of an argument vector. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "cli/command.h"

static struct {
	int calls;
	bool all;
	char name[64];
	char last_label[64];
	size_t n_labels;
	int64_t count, wait_ms;
	char operands[128];
	char host[128];
} seen;

static int see(struct invocation *invocation)
{
	const struct strings *labels = cli_strings(invocation, "label");
	seen.calls++;
	seen.all = cli_has(invocation, "all");
	text_print(seen.name, sizeof(seen.name), "%s", cli_string(invocation, "name", "none"));
	seen.n_labels = labels->n;
	text_print(seen.last_label, sizeof(seen.last_label), "%s",
		   labels->n ? labels->items[labels->n - 1] : "");
	seen.count = cli_int(invocation, "count", -1);
	seen.wait_ms = cli_duration_ms(invocation, "wait", -1);
	struct text operands;
	text_init(&operands, sizeof(seen.operands) - 1);
	for (size_t i = 0; i < invocation->operands.n; i++)
		text_addf(&operands, "%s%s", i ? "|" : "", invocation->operands.items[i]);
	text_print(seen.operands, sizeof(seen.operands), "%s", text_string(&operands));
	text_release(&operands);
	text_print(seen.host, sizeof(seen.host), "%s", invocation->host);
	return 42;
}

static const struct option options[] = {
	{ "all", 'a', OPTION_FLAG, NULL, "" },	    { "quiet", 'q', OPTION_FLAG, NULL, "" },
	{ "name", 'n', OPTION_STRING, "NAME", "" }, { "label", 'l', OPTION_STRINGS, "LABEL", "" },
	{ "count", 'c', OPTION_INT, "N", "" },	    { "wait", 'w', OPTION_DURATION, "TIME", "" },
};

static const struct command command_see = {
	.name = "see",
	.operands = "[WORD...]",
	.summary = "",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.operands_max = 2,
	.run = see,
};
static const struct command command_see_run = {
	.name = "see run",
	.operands = "IMAGE [COMMAND...]",
	.summary = "",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.operands_min = 1,
	.operands_max = -1,
	.stops_at_operand = true,
	.run = see,
};
/* In the place of commands.c's. The two-word name stands first, as "see" would take its first word. */
const struct command *const commands[] = { &command_see_run, &command_see };
const size_t n_commands = ARRAY_LEN(commands);

/* The exit status of `drover WORDS`, split at blanks. */
static int drover(const char *words)
{
	char copy[256], program[] = "drover", *argv[32] = { program };
	int argc = 1;
	text_print(copy, sizeof(copy), "%s", words);
	for (char *word = copy, *blank; word; word = blank ? blank + 1 : NULL) {
		blank = strchr(word, ' ');
		if (blank)
			*blank = '\0';
		argv[argc++] = word;
	}
	memset(&seen, 0, sizeof(seen));
	return cli_main(argc, argv);
}

static void options_come_long_short_attached_and_grouped(void **state)
{
	(void)state;
	assert_int_equal(drover("see --all --name web --count=7 --wait 1m30s x"), 42);
	assert_true(seen.all);
	assert_string_equal(seen.name, "web");
	assert_int_equal(seen.count, 7);
	assert_int_equal(seen.wait_ms, 90000);
	assert_string_equal(seen.operands, "x");
	assert_int_equal(drover("see -aq -nweb -c 3 -w=2s"), 42);
	assert_true(seen.all);
	assert_string_equal(seen.name, "web");
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.wait_ms, 2000);
	assert_int_equal(drover("see -aqn web"), 42);
	assert_string_equal(seen.name, "web");
}

static void nothing_given_is_the_fallback(void **state)
{
	(void)state;
	assert_int_equal(drover("see"), 42);
	assert_false(seen.all);
	assert_string_equal(seen.name, "none");
	assert_int_equal(seen.count, -1);
	assert_int_equal(seen.wait_ms, -1);
	assert_int_equal(seen.n_labels, 0);
}

static void the_last_string_wins_and_lists_collect(void **state)
{
	(void)state;
	assert_int_equal(drover("see --name a -l x=1 --name b --label y=2"), 42);
	assert_string_equal(seen.name, "b");
	assert_int_equal(seen.n_labels, 2);
	assert_string_equal(seen.last_label, "y=2");
}

static void flags_take_true_and_false_only(void **state)
{
	(void)state;
	assert_int_equal(drover("see --all=true"), 42);
	assert_true(seen.all);
	assert_int_equal(drover("see --all=false"), 42);
	assert_false(seen.all);
	assert_int_equal(drover("see --all=yes"), 2);
	assert_int_equal(seen.calls, 0);
}

static void options_may_follow_operands_until_two_dashes(void **state)
{
	(void)state;
	assert_int_equal(drover("see x --all y"), 42);
	assert_true(seen.all);
	assert_string_equal(seen.operands, "x|y");
	assert_int_equal(drover("see -- --all -"), 42);
	assert_false(seen.all);
	assert_string_equal(seen.operands, "--all|-");
}

static void after_the_image_everything_belongs_to_the_command(void **state)
{
	(void)state;
	assert_int_equal(drover("see run -a busybox ls -l --name x"), 42);
	assert_true(seen.all);
	assert_string_equal(seen.name, "none");
	assert_string_equal(seen.operands, "busybox|ls|-l|--name|x");
}

static void mistakes_are_refused_before_anything_runs(void **state)
{
	(void)state;
	static const char *const mistakes[] = {
		"see --frob",	 "see -z",	   "see --name",
		"see --count x", "see --count -1", "see --wait x",
		"see a b c",	 "see run",	   "nothing",
		"--frob see",	 "--version see",  "-v --all",
		"see -an",	 "see --wait 5",   "see --count 9007199254740993",
	};
	for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
		if (drover(mistakes[i]) != 2 || seen.calls)
			fail_msg("%s is not refused", mistakes[i]);
	}
}

static void the_version_of_the_program_alone_asks_nobody(void **state)
{
	(void)state;
	assert_int_equal(drover("--version"), 0);
	assert_int_equal(drover("-v"), 0);
	assert_int_equal(seen.calls, 0);
}

static void the_host_is_a_path_or_a_unix_address(void **state)
{
	(void)state;
	assert_int_equal(drover("-H /x/y.sock see"), 42);
	assert_string_equal(seen.host, "/x/y.sock");
	assert_int_equal(drover("--host=unix:///x/z.sock see"), 42);
	assert_string_equal(seen.host, "/x/z.sock");
	assert_int_equal(drover("see --host /after.sock"), 42);
	assert_string_equal(seen.host, "/after.sock");
	assert_int_equal(drover("-H tcp://h:1 see"), 2);
	assert_int_equal(seen.calls, 0);
}

static void what_docker_has_is_answered_with_a_sentence(void **state)
{
	(void)state;
	assert_non_null(strstr(command_hint("run", "-i"), "interactive"));
	assert_non_null(strstr(command_hint("stop", "-t"), "stop_grace_period"));
	assert_non_null(strstr(command_hint(NULL, "exec"), "docker exec"));
	assert_null(command_hint("run", "--frob"));
	assert_null(command_hint(NULL, "-i"));
	assert_null(command_hint("exec", "exec"));
}

static void a_mistyped_command_suggests_the_nearest(void **state)
{
	(void)state;
	assert_string_equal(command_suggest("sea"), "see");
	assert_null(command_suggest("completely-different"));
}

static void a_mistyped_command_of_a_group_suggests_the_nearest_there(void **state)
{
	(void)state;
	assert_true(command_is_group("see"));
	assert_false(command_is_group("se"));
	assert_false(command_is_group("see run"));
	assert_string_equal(command_suggest_of_group("see", "rum"), "see run");
	assert_null(command_suggest_of_group("see", "create"));
	assert_null(command_suggest_of_group("se", "run"));
	assert_non_null(strstr(command_hint(NULL, "node ls"), "drover nodes"));
	assert_null(command_hint(NULL, "node"));
}

static void a_mistyped_option_suggests_the_nearest(void **state)
{
	(void)state;
	assert_string_equal(option_suggest(&command_see, "cont"), "count");
	assert_string_equal(option_suggest(&command_see, "labels"), "label");
	assert_string_equal(option_suggest(&command_see, "hots"), "host");
	assert_null(option_suggest(&command_see, "frob"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_come_long_short_attached_and_grouped),
		cmocka_unit_test(nothing_given_is_the_fallback),
		cmocka_unit_test(the_last_string_wins_and_lists_collect),
		cmocka_unit_test(flags_take_true_and_false_only),
		cmocka_unit_test(options_may_follow_operands_until_two_dashes),
		cmocka_unit_test(after_the_image_everything_belongs_to_the_command),
		cmocka_unit_test(mistakes_are_refused_before_anything_runs),
		cmocka_unit_test(the_version_of_the_program_alone_asks_nobody),
		cmocka_unit_test(the_host_is_a_path_or_a_unix_address),
		cmocka_unit_test(what_docker_has_is_answered_with_a_sentence),
		cmocka_unit_test(a_mistyped_command_suggests_the_nearest),
		cmocka_unit_test(a_mistyped_command_of_a_group_suggests_the_nearest_there),
		cmocka_unit_test(a_mistyped_option_suggests_the_nearest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
