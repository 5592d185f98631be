/* What a misspelt name was probably meant to be. */
#ifndef COMPOSE_NEAREST_H
#define COMPOSE_NEAREST_H

#include <stddef.h>

/* Edits that turn `a` into `b`: insert, delete, replace, swap neighbours. At least `limit` when it is that much or
 * more. */
size_t edit_distance(const char *a, const char *b, size_t limit);

#endif
