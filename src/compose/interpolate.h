/* Variables in values: $V ${V} ${V:-d} ${V-d} ${V:?e} ${V?e} ${V:+x} ${V+x}, nested in d, e and x; $$ is a dollar
 * sign. */
#ifndef COMPOSE_INTERPOLATE_H
#define COMPOSE_INTERPOLATE_H

#include "base/record.h"

/* Called once for every variable that is read, is not set and has no default. `place` is the interpolation's. */
typedef void interpolate_unset_fn(void *context, const char *place, const char *variable);

struct interpolation {
	const struct pairs *first;   /* looked up before `second`; may be NULL */
	const struct pairs *second;  /* may be NULL */
	interpolate_unset_fn *unset; /* may be NULL */
	void *context;
	const char *place; /* "FILE:LINE" of the text; NULL: `context` knows */
};

/* The value of a variable, borrowed; NULL when it is not set. */
const char *interpolation_get(const struct interpolation *interpolation, const char *variable);

/* Replace the variables of `text`; base_free() the result. ERR_SYNTAX: a dollar sign that begins nothing, or an
 * unclosed brace. ERR_INVALID: a required variable is missing. ERR_TOO_LARGE: the result passes LIMIT_STRING_BYTES.
 * err->message says at which character; err->field is empty. */
enum err_code interpolate(const struct interpolation *interpolation, const char *text,
			  char **ret_text, struct err *err) WARN_UNUSED;

/* As interpolate(), with a dollar sign that begins nothing kept as it is: the rule of .env files. */
enum err_code interpolate_lenient(const struct interpolation *interpolation, const char *text,
				  char **ret_text, struct err *err) WARN_UNUSED;

#endif
