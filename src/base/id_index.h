/* Structs by the 16-byte id that each begins with: a hash table like base/map.h that keeps no ids, which matters where
 * there are a million: 12 bytes a slot. Open addressing, linear probing, backward-shift delete; it grows by half. Ids
 * come from us, so no seed is needed. */
#ifndef BASE_ID_INDEX_H
#define BASE_ID_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"

/* Invariant: n <= 3/4 of the slots. All-zero is an empty index. Slots borrow. */
struct id_index {
	void **slots; /* NULL: empty slot */
	/* Of each slot a part of its id's hash: structs are looked at only where it fits. 0: empty slot. */
	uint32_t *tags;
	size_t n_slots;
	size_t n;
};

void id_index_release(struct id_index *index);

/* Borrowed, or NULL. */
void *id_index_get(const struct id_index *index, struct uuid id);

/* PRE: the index has none with this id. The id does not change while it is in. */
void id_index_add(struct id_index *index, void *value);

/* PRE: it is in. */
void id_index_remove(struct id_index *index, const void *value);

/* Walk in slot order: start with *position 0; returns NULL at the end. No adding or removing while walking. Slot order
 * depends on history: never let a decision depend on it. */
void *id_index_next(const struct id_index *index, size_t *position);

#endif
