/* Who has the lowest key of many, kept while keys change: a tree of sixteen children each, whose nodes hold the lowest
 * entry below them. An entry is a key with its leaf behind it, so equal keys go by leaf and the root says all. A key
 * that changes looks at sixteen entries on each of four levels, for 65,536 leaves, and guesses at nothing. */
#ifndef SCHEDULER_CONTEST_H
#define SCHEDULER_CONTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTEST_WIDE	   16
#define CONTEST_LEVELS_MAX 8
#define CONTEST_LEAF_BITS  24
#define CONTEST_KEY_BITS   40

#define CONTEST_NO_KEY UINT64_MAX /* not this one */

/* All-zero is a tree without leaves. */
struct contest {
	uint64_t *levels[CONTEST_LEVELS_MAX]; /* [0]: of the leaves; the last: sixteen at most */
	size_t sizes[CONTEST_LEVELS_MAX];     /* filled up to CONTEST_WIDE with CONTEST_NO_KEY */
	size_t n_levels;
	size_t n;
};

/* `n` leaves, fewer than 2^24, without a key. */
void contest_init(struct contest *contest, size_t n);
void contest_release(struct contest *contest);
/* `key` is below 2^40, or CONTEST_NO_KEY. */
void contest_set(struct contest *contest, size_t leaf, uint64_t key);
/* The same, but nothing above the leaf follows before contest_settle(). */
void contest_put(struct contest *contest, size_t leaf, uint64_t key);
void contest_settle(struct contest *contest);
/* The lowest key, and the first leaf that has it. False: none has one. */
bool contest_best(const struct contest *contest, size_t *ret_leaf, uint64_t *ret_key);
/* The first leaf at or after `from` that has a key. */
bool contest_next(const struct contest *contest, size_t from, size_t *ret_leaf);

/* Keys in the order of scores, of counts, and of one count before another. */
uint64_t contest_key_of_score(float score);
uint64_t contest_key_of_counts(uint64_t first, uint64_t second); /* 2^20 and more are alike */

#endif
