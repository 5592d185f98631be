#include "cli/screen.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/command.h"

/* A terminal that does not tell its size. */
#define COLUMNS_FALLBACK 80
#define ROWS_FALLBACK	 24

void screen_size(size_t *ret_rows, size_t *ret_columns)
{
	struct winsize size = { 0 };
	bool told = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_row;
	*ret_rows = told ? size.ws_row : ROWS_FALLBACK;
	*ret_columns = told ? size.ws_col : COLUMNS_FALLBACK;
}

void screen_draw(struct screen *screen, char *text)
{
	if (screen->drawn && strcmp(screen->drawn, text) == 0) {
		base_free(text);
		return;
	}
	/* Up over what was drawn before, and clear to the end of the screen. */
	if (screen->n_lines)
		printf("\033[%zuA\033[J", screen->n_lines);
	fputs(text, stdout);
	cli_flush();
	base_free(screen->drawn);
	screen->drawn = text;
	screen->n_lines = 0;
	for (const char *at = text; *at; at++)
		screen->n_lines += *at == '\n';
}

void screen_release(struct screen *screen)
{
	base_free(screen->drawn);
	*screen = (struct screen){ 0 };
}
