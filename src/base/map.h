/* A hash table from 16-byte ids to pointers: open addressing, linear probing, backward-shift delete. Ids come from
 * us, so no seed is needed; names that users choose go through map_name_key(), which takes one. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"

struct map_slot {
	struct uuid key;
	void *value; /* NULL: empty slot */
};

/* Invariant: n <= 3/4 of the slots; n_slots is 0 or a power of two. All-zero is an empty map. */
struct map {
	struct map_slot *slots;
	size_t n_slots;
	size_t n;
};

void map_release(struct map *map);

/* The value, borrowed, or NULL. */
void *map_get(const struct map *map, struct uuid key);

/* Insert or replace; value is not NULL. The map borrows the value. Returns the replaced value or NULL. */
void *map_put(struct map *map, struct uuid key, void *value);

/* Take out; returns what was there or NULL. */
void *map_remove(struct map *map, struct uuid key);

/* Walk in slot order: start with *position 0; returns NULL at the end. No insert or remove while walking. Slot order
 * depends on history: never let a decision depend on it. */
void *map_next(const struct map *map, size_t *position);

/* A 128-bit key for a user-chosen name, salted, so that names can be looked up in a map. The caller compares
 * the name of what it finds. */
struct uuid map_name_key(uint64_t salt, const char *a, const char *b);

#endif
