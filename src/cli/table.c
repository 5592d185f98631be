#include "cli/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/text.h"

void table_init(struct table *table, const char *const *headings)
{
	*table = (struct table){ 0 };
	for (; *headings; headings++, table->n_columns++)
		strings_add(&table->cells, *headings);
	PRE(table->n_columns <= TABLE_COLUMNS_MAX);
}

void table_add(struct table *table, const char *cell)
{
	strings_add(&table->cells, cell && *cell ? cell : "-");
}

void table_addf(struct table *table, const char *format, ...)
{
	struct text text;
	va_list arguments;
	text_init(&text, LIMIT_STRING_BYTES);
	va_start(arguments, format);
	text_addv(&text, format, arguments);
	va_end(arguments);
	table_add(table, text_string(&text));
	text_release(&text);
}

/* Columns a UTF-8 string takes: its bytes that do not continue a character. */
static size_t columns_of(const char *string)
{
	size_t n = 0;
	for (; *string; string++)
		n += ((unsigned char)*string & 0xc0) != 0x80;
	return n;
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static void add_cut(struct text *out, const char *line, size_t width)
{
	size_t n = 0;
	for (; *line; line++) {
		n += ((unsigned char)*line & 0xc0) != 0x80;
		if (width && n > width)
			break;
		/* Newlines and escapes in messages must not break the table or the terminal. */
		text_add_char(out, is_control(*line) ? ' ' : *line);
	}
	text_add_char(out, '\n');
}

void table_measure(const struct table *table, size_t widths[TABLE_COLUMNS_MAX])
{
	for (size_t i = 0; i < table->cells.n; i++) {
		size_t n = columns_of(table->cells.items[i]);
		if (n > widths[i % table->n_columns])
			widths[i % table->n_columns] = n;
	}
}

void table_render(const struct table *table, size_t width, struct text *out)
{
	size_t widths[TABLE_COLUMNS_MAX];
	memcpy(widths, table->widths, sizeof(widths));
	table_measure(table, widths);
	struct text line;
	text_init(&line, LIMIT_STRING_BYTES);
	for (size_t i = 0; i < table->cells.n; i++) {
		bool last = i % table->n_columns == table->n_columns - 1;
		const char *cell = table->cells.items[i];
		text_add(&line, cell);
		for (size_t k = columns_of(cell); !last && k < widths[i % table->n_columns] + 2;
		     k++)
			text_add_char(&line, ' ');
		if (last) {
			add_cut(out, text_string(&line), width);
			text_clear(&line);
		}
	}
	text_release(&line);
}

void table_print(const struct table *table, bool whole)
{
	struct winsize size = { 0 };
	struct text out;
	text_init(&out, (size_t)LIMIT_WS_MESSAGE_BYTES);
	if (whole || !isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		size.ws_col = 0;
	table_render(table, size.ws_col, &out);
	fputs(text_string(&out), stdout);
	text_release(&out);
}

void table_release(struct table *table)
{
	strings_release(&table->cells);
	table->n_columns = 0;
}

const char *table_age(int64_t wall_ms)
{
	static char out[32];
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t seconds = (int64_t)now.tv_sec - wall_ms / 1000;
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };
	if (wall_ms <= 0)
		return "-";
	if (seconds < 0)
		seconds = 0;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		int64_t n = seconds / units[i].seconds;
		if (n > 0 || i == ARRAY_LEN(units) - 1)
			return text_print(out, sizeof(out), "%lld %s%s", (long long)n,
					  units[i].name, n == 1 ? "" : "s");
	}
	return "-";
}
