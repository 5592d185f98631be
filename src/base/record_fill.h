/* Random contents for any record, driven by its table; for tests only. */
#ifndef BASE_RECORD_FILL_H
#define BASE_RECORD_FILL_H

#include "base/record.h"

/* Fill every field with something its bounds allow: zero, the ends of the range, or anything between. Strings are
 * printable ASCII and some UTF-8, lists have up to `items_max` items, keys are unique. `record` holds no pointers
 * before. */
void record_fill(const struct record_type *type, void *record, size_t items_max,
		 struct random *random);

/* Is the table itself right? Tags and names unique, every member in it exactly once, bounds the right way round,
 * initial values within them, and the same below. Returns NULL, or a sentence the caller frees. */
char *record_type_problem(const struct record_type *type);

#endif
