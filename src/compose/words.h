/* Splitting a command line into words as a POSIX shell quotes them. Nothing is expanded and no shell is started: `|`,
 * `>` and `;` are ordinary characters. */
#ifndef COMPOSE_WORDS_H
#define COMPOSE_WORDS_H

#include "base/record.h"

/* Append the words of `line`. ERR_SYNTAX: an open quote, a backslash at the end; err->field is empty. */
enum err_code words_split(const char *line, struct strings *words, struct err *err) WARN_UNUSED;

#endif
