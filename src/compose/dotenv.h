/* Files of variables: `.env` beside the Compose file, and what env_file names. */
#ifndef COMPOSE_DOTENV_H
#define COMPOSE_DOTENV_H

#include <stdbool.h>
#include <stddef.h>

#include "compose/interpolate.h"

/* Put the file's variables into `variables`, later ones replacing earlier ones.
 *
 *   # comment                  NAME=value # comment         export NAME=value      NAME: value
 *   NAME='as it is, but \''    NAME="escapes \n \t \" \\ \$ and ${VARIABLES}, over several lines"
 *   NAME                       (takes the variable of that name from `environment`, if set)
 *
 * Variables in values come from `environment`, then from what `variables` holds so far. `raw`: everything after = is
 * the value. err->field is "FILE:LINE". ERR_SYNTAX, ERR_TOO_LARGE, and what interpolate() says. */
enum err_code dotenv_parse(const char *text, size_t len, const char *file_name, bool raw,
			   const struct interpolation *environment, struct pairs *variables,
			   struct err *err) WARN_UNUSED;

#endif
