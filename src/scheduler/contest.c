/* Invariant: the entry of a node is the lowest of its sixteen children; what fills up a level has no key. */
#include "scheduler/contest.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Four chains, none of which waits for another. */
static uint64_t lowest_of(const uint64_t *entries)
{
	uint64_t a = entries[0];
	uint64_t b = entries[1];
	uint64_t c = entries[2];
	uint64_t d = entries[3];
	for (size_t i = 4; i < CONTEST_WIDE; i += 4) {
		a = lower(a, entries[i]);
		b = lower(b, entries[i + 1]);
		c = lower(c, entries[i + 2]);
		d = lower(d, entries[i + 3]);
	}
	return lower(lower(a, b), lower(c, d));
}

static size_t filled_up(size_t n)
{
	return n ? (n + CONTEST_WIDE - 1) / CONTEST_WIDE * CONTEST_WIDE : CONTEST_WIDE;
}

void contest_init(struct contest *contest, size_t n)
{
	PRE(n < (size_t)1 << CONTEST_LEAF_BITS);
	*contest = (struct contest){ .n = n };
	for (size_t size = filled_up(n);; size = filled_up(size / CONTEST_WIDE)) {
		PRE(contest->n_levels < CONTEST_LEVELS_MAX);
		uint64_t *level = base_calloc(size, sizeof(*level));
		memset(level, 0xff, size * sizeof(*level));
		contest->sizes[contest->n_levels] = size;
		contest->levels[contest->n_levels++] = level;
		if (size == CONTEST_WIDE)
			return;
	}
}

void contest_release(struct contest *contest)
{
	for (size_t i = 0; i < contest->n_levels; i++)
		base_free(contest->levels[i]);
	*contest = (struct contest){ 0 };
}

void contest_put(struct contest *contest, size_t leaf, uint64_t key)
{
	PRE(leaf < contest->n);
	PRE(key == CONTEST_NO_KEY || key < (uint64_t)1 << CONTEST_KEY_BITS);
	contest->levels[0][leaf] = key == CONTEST_NO_KEY ? key : key << CONTEST_LEAF_BITS | leaf;
}

void contest_set(struct contest *contest, size_t leaf, uint64_t key)
{
	contest_put(contest, leaf, key);
	for (size_t level = 1; level < contest->n_levels; level++) {
		leaf /= CONTEST_WIDE;
		contest->levels[level][leaf] =
			lowest_of(&contest->levels[level - 1][leaf * CONTEST_WIDE]);
	}
}

void contest_settle(struct contest *contest)
{
	for (size_t level = 1; level < contest->n_levels; level++)
		for (size_t i = 0; i < contest->sizes[level - 1] / CONTEST_WIDE; i++)
			contest->levels[level][i] =
				lowest_of(&contest->levels[level - 1][i * CONTEST_WIDE]);
}

bool contest_best(const struct contest *contest, size_t *ret_leaf, uint64_t *ret_key)
{
	uint64_t lowest =
		contest->n ? lowest_of(contest->levels[contest->n_levels - 1]) : CONTEST_NO_KEY;
	*ret_leaf = lowest & (((uint64_t)1 << CONTEST_LEAF_BITS) - 1);
	*ret_key = lowest >> CONTEST_LEAF_BITS;
	return lowest != CONTEST_NO_KEY;
}

/* The first node of the level at or after `from` below which somebody has a key. */
static size_t next_on(const struct contest *contest, size_t level, size_t from)
{
	size_t i = from;
	while (i < contest->sizes[level] && contest->levels[level][i] == CONTEST_NO_KEY) {
		i++;
		if (i % CONTEST_WIDE == 0 && level + 1 < contest->n_levels)
			i = next_on(contest, level + 1, i / CONTEST_WIDE) * CONTEST_WIDE;
	}
	return i;
}

bool contest_next(const struct contest *contest, size_t from, size_t *ret_leaf)
{
	if (from >= contest->n)
		return false;
	*ret_leaf = next_on(contest, 0, from);
	return *ret_leaf < contest->sizes[0];
}

uint64_t contest_key_of_score(float score)
{
	uint32_t bits;
	memcpy(&bits, &score, sizeof(bits));
	/* Negative numbers descend as integers. */
	return bits & 0x80000000U ? (uint32_t)~bits : bits | 0x80000000U;
}

uint64_t contest_key_of_counts(uint64_t first, uint64_t second)
{
	const uint64_t most = ((uint64_t)1 << (CONTEST_KEY_BITS / 2)) - 1;
	first = first < most ? first : most;
	second = second < most ? second : most;
	return first << (CONTEST_KEY_BITS / 2) | second;
}
