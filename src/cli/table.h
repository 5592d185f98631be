/* Tables for people: columns as wide as their widest cell, two blanks between, no trailing blanks. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/record.h"

#define TABLE_COLUMNS_MAX 16

struct table {
	size_t n_columns;
	size_t widths[TABLE_COLUMNS_MAX]; /* columns are at least so wide */
	struct strings cells;		  /* row by row, the heading first */
};

/* Headings end with NULL; at most TABLE_COLUMNS_MAX. */
void table_init(struct table *table, const char *const *headings);
/* The next cell. NULL and "" print as "-". */
void table_add(struct table *table, const char *cell);
void table_addf(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Raise `widths` to what the cells need. */
void table_measure(const struct table *table, size_t widths[TABLE_COLUMNS_MAX]);
/* Append the table's lines to `out`; lines are cut to `width` columns (0: not cut). */
void table_render(const struct table *table, size_t width, struct text *out);
/* Print it, cut to the terminal's width when standard output is one, unless `whole`. */
void table_print(const struct table *table, bool whole);
void table_release(struct table *table);

/* "5 seconds", "3 minutes", "2 hours", "4 days": how long ago `wall_ms` was. Borrowed until the next call. */
const char *table_age(int64_t wall_ms);

#endif
