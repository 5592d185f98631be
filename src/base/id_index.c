#include "base/id_index.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"

#define SLOTS_MIN 16

static struct uuid id_of(const void *value)
{
	struct uuid id;
	memcpy(&id, value, sizeof(id));
	return id;
}

static uint32_t tag_of(struct uuid id)
{
	uint32_t tag = (uint32_t)(uuid_hash(id) >> 32);
	return tag ? tag : 1;
}

/* Where it would lie if there were nothing else: the tag, scaled to the number of slots. */
static size_t home_of(const struct id_index *index, uint32_t tag)
{
	return (size_t)((uint64_t)tag * index->n_slots >> 32);
}

static size_t next_of(const struct id_index *index, size_t at)
{
	return at + 1 == index->n_slots ? 0 : at + 1;
}

/* The slot of `id`, or the empty slot where it would go. n_slots > 0. */
static size_t slot_of(const struct id_index *index, struct uuid id)
{
	uint32_t tag = tag_of(id);
	size_t at = home_of(index, tag);
	while (index->tags[at] &&
	       (index->tags[at] != tag || !uuid_equal(id_of(index->slots[at]), id)))
		at = next_of(index, at);
	return at;
}

void id_index_release(struct id_index *index)
{
	base_free(index->slots);
	base_free(index->tags);
	*index = (struct id_index){ 0 };
}

void *id_index_get(const struct id_index *index, struct uuid id)
{
	return index->n_slots ? index->slots[slot_of(index, id)] : NULL;
}

static void set(struct id_index *index, size_t at, void *value, uint32_t tag)
{
	index->slots[at] = value;
	index->tags[at] = tag;
}

static void resize(struct id_index *index, size_t n_slots)
{
	PRE(n_slots <= UINT32_MAX);
	struct id_index grown = { base_calloc(n_slots, sizeof(void *)),
				  base_calloc(n_slots, sizeof(uint32_t)), n_slots, index->n };
	for (size_t i = 0; i < index->n_slots; i++) {
		if (!index->tags[i])
			continue;
		size_t at = home_of(&grown, index->tags[i]);
		while (grown.tags[at])
			at = next_of(&grown, at);
		set(&grown, at, index->slots[i], index->tags[i]);
	}
	id_index_release(index);
	*index = grown;
}

void id_index_add(struct id_index *index, void *value)
{
	PRE(value);
	if (index->n + 1 > index->n_slots / 4 * 3)
		resize(index, index->n_slots ? index->n_slots / 2 * 3 : SLOTS_MIN);
	size_t at = slot_of(index, id_of(value));
	PRE(!index->slots[at]);
	set(index, at, value, tag_of(id_of(value)));
	index->n++;
}

/* How far behind its home the slot is. */
static size_t distance(const struct id_index *index, size_t home, size_t at)
{
	return at >= home ? at - home : at + index->n_slots - home;
}

void id_index_remove(struct id_index *index, const void *value)
{
	PRE(index->n > 0);
	size_t hole = slot_of(index, id_of(value));
	PRE(index->slots[hole] == value);
	/* Move back every follower that may not stay behind the hole, so no tombstone is needed. */
	for (size_t at = next_of(index, hole); index->tags[at]; at = next_of(index, at)) {
		size_t home = home_of(index, index->tags[at]);
		if (distance(index, home, at) >= distance(index, hole, at)) {
			set(index, hole, index->slots[at], index->tags[at]);
			hole = at;
		}
	}
	set(index, hole, NULL, 0);
	index->n--;
}

void *id_index_next(const struct id_index *index, size_t *position)
{
	while (*position < index->n_slots) {
		void *value = index->slots[(*position)++];
		if (value)
			return value;
	}
	return NULL;
}
