/* Invariant: after the pass of width w every run of w items is sorted; of equal items the left one is taken first. */
#include "base/sort.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"

struct sorting {
	size_t size;
	int (*compare)(const void *a, const void *b, void *context);
	void *context;
};

/* Merge the sorted runs [left, middle) and [middle, right) of `from` into `to`. */
static void merge(const struct sorting *sorting, const char *from, char *to, size_t left,
		  size_t middle, size_t right)
{
	size_t size = sorting->size;
	size_t a = left;
	size_t b = middle;
	for (size_t out = left; out < right; out++) {
		bool take_left = a < middle &&
				 (b == right || sorting->compare(from + a * size, from + b * size,
								 sorting->context) <= 0);
		size_t taken = take_left ? a++ : b++;
		memcpy(to + out * size, from + taken * size, size);
	}
}

void sort_stable(void *items, size_t n, size_t size,
		 int (*compare)(const void *a, const void *b, void *context), void *context)
{
	PRE(size > 0);
	if (n < 2)
		return;
	const struct sorting sorting = { size, compare, context };
	_cleanup_free_ char *scratch = base_calloc(n, size);
	char *from = items;
	char *to = scratch;
	for (size_t width = 1; width < n; width *= 2) {
		for (size_t left = 0; left < n; left += 2 * width) {
			size_t middle = left + width < n ? left + width : n;
			size_t right = left + 2 * width < n ? left + 2 * width : n;
			merge(&sorting, from, to, left, middle, right);
		}
		char *swap = from;
		from = to;
		to = swap;
	}
	if (from != items)
		memcpy(items, from, n * size);
}
