/* Assertions that stay on in every build: a wrong decision costs more than a restart (the program is
 * crash-only and replays its store). Never use them on input from outside; that is an `enum err_code`. */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

/* Abort, naming the place, unless the condition holds. PRE: what a caller owes; POST: what this function
 * owes; INVARIANT: what always holds. */
#define PRE(condition)	     CHECK_(condition, "precondition")
#define POST(condition)	     CHECK_(condition, "postcondition")
#define INVARIANT(condition) CHECK_(condition, "invariant")
#define IMPLIES(a, b)	     (!(a) || (b))
#define UNREACHABLE(why)     check_failed("unreachable", why, __FILE__, __LINE__)

#define CHECK_(condition, kind)                                                                    \
	do {                                                                                       \
		if (__builtin_expect(!(condition), 0))                                             \
			check_failed(kind, #condition, __FILE__, __LINE__);                        \
	} while (0)

/* Remember the place in check_last (for the shell's crash handler and the debugger) and abort. */
_Noreturn void check_failed(const char *kind, const char *what, const char *file, int line);

struct check_failure {
	const char *kind;
	const char *what;
	const char *file;
	int line;
};

/* The failed assertion, for a SIGABRT handler to print: the core itself writes nothing. */
extern struct check_failure check_last;

#endif
