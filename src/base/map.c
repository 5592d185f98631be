#include "base/map.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/hash.h"

/* An empty map keeps no more. */
#define SLOTS_KEPT 64

void map_release(struct map *map)
{
	base_free(map->slots);
	*map = (struct map){ 0 };
}

/* The slot of `key`, or the empty slot where it would go. n_slots > 0. */
static size_t slot_of(const struct map *map, struct uuid key)
{
	size_t mask = map->n_slots - 1;
	size_t at = uuid_hash(key) & mask;
	while (map->slots[at].value && !uuid_equal(map->slots[at].key, key))
		at = (at + 1) & mask;
	return at;
}

void *map_get(const struct map *map, struct uuid key)
{
	return map->n_slots ? map->slots[slot_of(map, key)].value : NULL;
}

static void resize(struct map *map, size_t n_slots)
{
	struct map grown = { base_calloc(n_slots, sizeof(struct map_slot)), n_slots, map->n };
	for (size_t i = 0; i < map->n_slots; i++)
		if (map->slots[i].value)
			grown.slots[slot_of(&grown, map->slots[i].key)] = map->slots[i];
	base_free(map->slots);
	*map = grown;
}

void *map_put(struct map *map, struct uuid key, void *value)
{
	PRE(value);
	if (map->n + 1 > map->n_slots / 4 * 3)
		resize(map, map->n_slots ? map->n_slots * 2 : 16);
	size_t at = slot_of(map, key);
	void *replaced = map->slots[at].value;
	map->slots[at] = (struct map_slot){ key, value };
	if (!replaced)
		map->n++;
	return replaced;
}

void *map_remove(struct map *map, struct uuid key)
{
	if (!map->n_slots)
		return NULL;
	size_t mask = map->n_slots - 1;
	size_t hole = slot_of(map, key);
	void *removed = map->slots[hole].value;
	if (!removed)
		return NULL;
	/* Move back every follower that may not stay behind the hole, so no tombstone is needed. */
	for (size_t at = (hole + 1) & mask; map->slots[at].value; at = (at + 1) & mask) {
		size_t home = uuid_hash(map->slots[at].key) & mask;
		if (((at - home) & mask) >= ((at - hole) & mask)) {
			map->slots[hole] = map->slots[at];
			hole = at;
		}
	}
	map->slots[hole] = (struct map_slot){ 0 };
	if (--map->n == 0 && map->n_slots > SLOTS_KEPT)
		map_release(map);
	return removed;
}

void *map_next(const struct map *map, size_t *position)
{
	while (*position < map->n_slots) {
		void *value = map->slots[(*position)++].value;
		if (value)
			return value;
	}
	return NULL;
}

static uint64_t hash_names(uint64_t salt, const char *a, const char *b)
{
	/* A byte that no UTF-8 holds parts the names. */
	uint64_t hash = hash_bytes(HASH_START ^ salt, a, strlen(a));
	hash = hash_bytes(hash, "\xff", 1);
	hash = hash_bytes(hash, b, strlen(b));
	return hash ^ (hash >> 32);
}

struct uuid map_name_key(uint64_t salt, const char *a, const char *b)
{
	uint64_t halves[2] = { hash_names(salt, a, b),
			       hash_names(salt ^ 0x5851f42d4c957f2du, a, b) };
	struct uuid key;
	memcpy(key.bytes, halves, sizeof(halves));
	return key;
}
