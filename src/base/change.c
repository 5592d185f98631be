#include "base/change.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/map.h"

void changes_begin_group(struct changes *changes)
{
	changes->group_open = false;
}

void changes_add(struct changes *changes, const struct change *change)
{
	PRE(change->key_len > 0);
	PRE(change->key_len <= CHANGE_KEY_BYTES_MAX);
	changes->items =
		base_grow(changes->items, changes->n, &changes->capacity, sizeof(struct change));
	struct change *added = &changes->items[changes->n++];
	*added = *change;
	added->starts_group = !changes->group_open;
	changes->group_open = true;
}

void changes_clear(struct changes *changes)
{
	for (size_t i = 0; i < changes->n; i++)
		base_free(changes->items[i].value);
	changes->n = 0;
	changes->group_open = false;
}

void changes_release(struct changes *changes)
{
	changes_clear(changes);
	base_free(changes->items);
	*changes = (struct changes){ 0 };
}

void change_key_id(struct change *change, struct uuid id)
{
	memcpy(change->key, id.bytes, UUID_BYTES);
	change->key_len = UUID_BYTES;
}

void change_key_ids(struct change *change, struct uuid a, struct uuid b)
{
	memcpy(change->key, a.bytes, UUID_BYTES);
	memcpy(change->key + UUID_BYTES, b.bytes, UUID_BYTES);
	change->key_len = 2 * UUID_BYTES;
}

void change_key_id_number(struct change *change, struct uuid id, int64_t number)
{
	memcpy(change->key, id.bytes, UUID_BYTES);
	for (int i = 0; i < 8; i++)
		change->key[UUID_BYTES + i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
	change->key_len = UUID_BYTES + 8;
}

void change_key_text(struct change *change, const char *text)
{
	size_t len = strlen(text);
	PRE(len > 0);
	if (len < CHANGE_KEY_BYTES_MAX) {
		memcpy(change->key, text, len);
		change->key_len = (uint8_t)len;
		return;
	}
	/* No short key is as long as this one, so the two forms cannot meet. */
	struct uuid low = map_name_key(0, text, "");
	struct uuid mid = map_name_key(1, text, "");
	struct uuid high = map_name_key(2, text, "");
	memcpy(change->key, low.bytes, UUID_BYTES);
	memcpy(change->key + UUID_BYTES, mid.bytes, UUID_BYTES);
	memcpy(change->key + 2 * UUID_BYTES, high.bytes, UUID_BYTES);
	change->key_len = CHANGE_KEY_BYTES_MAX;
}
