/* A piece of text that stays at its place on the terminal while it changes. */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include <stddef.h>

/* All-zero: nothing is drawn yet. */
struct screen {
	char *drawn;
	size_t n_lines;
};

/* Of the terminal that standard output is; 24 x 80 where it does not say. */
void screen_size(size_t *ret_rows, size_t *ret_columns);

/* Draw `text`, which is taken over, in the place of what was drawn before. Every line ends with a line feed; there are
 * fewer than the screen has rows, or what was drawn cannot be taken back. Nothing is written when nothing changed. */
void screen_draw(struct screen *screen, char *text);

void screen_release(struct screen *screen);

#endif
