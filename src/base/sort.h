/* Sorting that gives the same order everywhere: stable, so equal items keep their order whatever the libc. */
#ifndef BASE_SORT_H
#define BASE_SORT_H

#include <stddef.h>

/* Sort `n` items of `size` bytes: merge sort, O(n log n), with a scratch copy of the items. `compare` answers <0, 0, >0
 * and gets `context` as it is. */
void sort_stable(void *items, size_t n, size_t size,
		 int (*compare)(const void *a, const void *b, void *context), void *context);

#endif
