/* What releases say to each other and keep on disk, as files: test/golden/N holds what the release with SYNC_PROTOCOL N
 * writes, made by golden_write and read back by golden_test in every later build.
 *
 *     TYPE.records   records of one type, a line each: the binary form in hexadecimal, and the JSON of messages
 *     NAME.store     a manager's and a worker's store, a record a line: "KIND KEY VALUE" in hexadecimal
 *     tables.txt     every field there was */
#ifndef TEST_GOLDEN_GOLDEN_H
#define TEST_GOLDEN_GOLDEN_H

#include "base/record.h"

/* All types that travel or are stored, by name. */
extern const struct record_type *const golden_types[];
extern const size_t golden_types_n;

/* Append a line for every field of the type and of those below it, unless it has: "TYPE FIELD TAG KIND MIN MAX INITIAL
 * [NAMES|TYPE]". */
void golden_describe(const struct record_type *type, struct text *out);

#endif
