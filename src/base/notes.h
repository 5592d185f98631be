/* Notes: short deterministic sentences a core emits about what it decided. The shell prints them as the log; story
 * tests compare them. */
#ifndef BASE_NOTES_H
#define BASE_NOTES_H

#include <stddef.h>

struct notes {
	char **items;
	size_t n;
	size_t capacity;
};

/* Formats as text_addf(). */
void notes_add(struct notes *notes, const char *format, ...) __attribute__((format(printf, 2, 3)));
void notes_clear(struct notes *notes);
void notes_release(struct notes *notes);

#endif
