#include "compose/nearest.h"

#include <string.h>

#define NAME_BYTES_MAX 63

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment with three rows. */
size_t edit_distance(const char *a, const char *b, size_t limit)
{
	size_t a_len = strlen(a);
	size_t b_len = strlen(b);
	if (a_len > NAME_BYTES_MAX || b_len > NAME_BYTES_MAX)
		return limit;
	size_t rows[3][NAME_BYTES_MAX + 1];
	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *now = rows[i % 3];
		const size_t *above = rows[(i + 2) % 3];
		const size_t *two_above = rows[(i + 1) % 3];
		now[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t change = above[j - 1] + (a[i - 1] != b[j - 1]);
			now[j] = smaller(change, smaller(above[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = smaller(now[j], two_above[j - 2] + 1);
		}
	}
	return rows[a_len % 3][b_len];
}
