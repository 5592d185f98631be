/* What differs between two records of one type, field by field, from the table of fields alone. */
#ifndef BASE_RECORD_DIFF_H
#define BASE_RECORD_DIFF_H

#include "base/record.h"

/* Longer values are cut, with "..." at their end. */
#define RECORD_DIFF_VALUE_BYTES 512
#define RECORD_DIFF_PATH_BYTES	256

/* One difference: where ("limits.memory_bytes", "environment.LEVEL", "ports[1]"), and both values as text: numbers and
 * names as they are, strings in quotation marks, lists in brackets, records in braces with the fields that are set.
 * NULL: not there, or not set. What is secret is "***". */
typedef void record_diff_visit(void *context, const char *path, const char *before,
			       const char *after);

/* Visit every difference in the order of the table. Items of a list of records that are in both lists count as the
 * same, wherever they stand; a list in another order is one difference. Fields that are HIDDEN are passed over. */
void record_diff(const struct record_type *type, const void *before, const void *after,
		 record_diff_visit *visit, void *context);

#endif
