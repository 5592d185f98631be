/* The indices of an array: each slot of the job has one, and its task finds it in its environment. */
#ifndef JOB_ARRAY_H
#define JOB_ARRAY_H

#include "base/record.h"

#define ARRAY_INDEX_NAME "DROVER_ARRAY_INDEX"
#define ARRAY_SIZE_NAME	 "DROVER_ARRAY_SIZE"

/* first, first + step, ... up to last. */
struct index_range {
	int64_t first;
	int64_t last;
	int64_t step; /* 0: 1 */
};
extern const struct record_type index_range_type;

struct array {
	LIST_OF(struct index_range) indices; /* ascending, none twice */
};
extern const struct record_type array_type;

/* "100" (0 to 99), "1-100", "0-9,20-29:2,64": into an empty array. ERR_INVALID. */
enum err_code array_parse(const char *text, struct array *array, struct err *err) WARN_UNUSED;
/* The same form, in ranges. */
void array_print(const struct array *array, struct text *out);
/* Ascending, none twice, at least one, and at most LIMIT_REPLICAS. ERR_INVALID, ERR_LIMIT. */
enum err_code array_check(const struct array *array, struct err *err) WARN_UNUSED;

/* How many. */
int64_t array_size(const struct array *array);
/* That of a slot, from 1 to array_size(); 0 beyond. */
int64_t array_index(const struct array *array, int64_t slot);

#endif
