#include "base/testing.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"

#define SEEN_AS_EXPECTED 7

static const char *expected_kind;
static const char *expected_what;

/* In the child, where the shell's crash handler would be. */
static void on_abort(int signal)
{
	(void)signal;
	bool same = strcmp(check_last.kind, expected_kind) == 0 &&
		    strcmp(check_last.what, expected_what) == 0 && check_last.line > 0 &&
		    strstr(check_last.file, "check_test.c");
	_exit(same ? SEEN_AS_EXPECTED : 1);
}

/* Run `breaks` in a child; its exit status, or minus the signal that killed it. */
static int outcome_of(void (*breaks)(void), bool with_handler)
{
	pid_t child = fork();
	if (child == 0) {
		signal(SIGABRT, with_handler ? on_abort : SIG_DFL);
		breaks();
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void break_precondition(void)
{
	PRE(1 + 1 == 3);
}

static void break_unreachable(void)
{
	UNREACHABLE("the road ends here");
}

static void keep_all(void)
{
	PRE(1 + 1 == 2);
	POST(IMPLIES(false, false));
	INVARIANT(IMPLIES(true, true));
}

static void ask_for_too_much(void)
{
	base_free(base_realloc(NULL, SIZE_MAX / 2, 16));
}

static void a_broken_assertion_names_its_place_and_aborts(void **state)
{
	(void)state;
	expected_kind = "precondition";
	expected_what = "1 + 1 == 3";
	assert_int_equal(outcome_of(break_precondition, true), SEEN_AS_EXPECTED);
	assert_int_equal(outcome_of(break_precondition, false), -SIGABRT);
	expected_kind = "unreachable";
	expected_what = "the road ends here";
	assert_int_equal(outcome_of(break_unreachable, true), SEEN_AS_EXPECTED);
}

static void assertions_that_hold_cost_nothing(void **state)
{
	(void)state;
	assert_int_equal(outcome_of(keep_all, true), 0);
}

static void a_size_that_overflows_is_never_allocated(void **state)
{
	(void)state;
	assert_int_equal(outcome_of(ask_for_too_much, false), -SIGABRT);
}

static void memory_comes_zeroed_and_copies_are_whole(void **state)
{
	(void)state;
	_cleanup_free_ char *zeroed = base_calloc(4, 2);
	assert_memory_equal(zeroed, "\0\0\0\0\0\0\0\0", 8);
	_cleanup_free_ char *copy = base_strndup("abcdef", 3);
	assert_string_equal(copy, "abc");
	assert_null(base_strdup(NULL));
	_cleanup_free_ char *bytes = base_memdup("a\0b", 3);
	assert_memory_equal(bytes, "a\0b", 3);
	size_t capacity = 0;
	int *items = NULL;
	for (size_t n = 0; n < 100; n++) {
		items = base_grow(items, n, &capacity, sizeof(int));
		assert_true(capacity > n);
		items[n] = (int)n;
	}
	assert_int_equal(items[99], 99);
	base_free(items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_broken_assertion_names_its_place_and_aborts),
		TEST(assertions_that_hold_cost_nothing),
		TEST(a_size_that_overflows_is_never_allocated),
		TEST(memory_comes_zeroed_and_copies_are_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
