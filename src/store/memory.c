/* The store of tests: records in one array sorted by kind and key. Nothing outlives close().
 *
 * Invariants: items are strictly ascending; used_bytes is the sum of record_bytes() of all items. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "store/groups.h"
#include "store/store.h"

#define MEMORY_BYTES_MAX (16LL << 30)

struct memory_store {
	struct store store;
	struct change *items; /* each owns its value */
	size_t n;
	size_t capacity;
	int64_t used_bytes;
	int64_t bytes_max;
	int fail_commits;
	enum err_code fail_code;
	bool fail_applied;
};

static struct memory_store *memory_of(struct store *store)
{
	PRE(store->ops == &store_memory);
	return (struct memory_store *)store;
}

static enum err_code memory_open(const struct store_options *options, struct store **ret_store,
				 struct err *err)
{
	(void)err;
	struct memory_store *memory = base_calloc(1, sizeof(*memory));
	memory->store.ops = &store_memory;
	memory->bytes_max = options->map_bytes_max > 0 ? options->map_bytes_max : MEMORY_BYTES_MAX;
	*ret_store = &memory->store;
	return ERR_NONE;
}

static void memory_close(struct store *store)
{
	struct memory_store *memory = memory_of(store);
	for (size_t i = 0; i < memory->n; i++)
		base_free(memory->items[i].value);
	base_free(memory->items);
	base_free(memory);
}

static int record_compare(const struct change *a, const struct change *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	size_t shorter = a->key_len < b->key_len ? a->key_len : b->key_len;
	int order = memcmp(a->key, b->key, shorter);
	return order != 0 ? order : (int)a->key_len - (int)b->key_len;
}

static int64_t record_bytes(const struct change *change)
{
	return (int64_t)sizeof(struct change) + (int64_t)change->value_len;
}

/* Where the record is (true), or where it would have to be put. */
static bool memory_find(const struct memory_store *memory, const struct change *change,
			size_t *ret_at)
{
	size_t low = 0;
	size_t high = memory->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = record_compare(&memory->items[middle], change);
		if (order == 0) {
			*ret_at = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_at = low;
	return false;
}

static void memory_delete(struct memory_store *memory, size_t at)
{
	memory->used_bytes -= record_bytes(&memory->items[at]);
	base_free(memory->items[at].value);
	memory->n--;
	memmove(&memory->items[at], &memory->items[at + 1],
		(memory->n - at) * sizeof(struct change));
}

static void memory_insert(struct memory_store *memory, size_t at, const struct change *change)
{
	memory->items =
		base_grow(memory->items, memory->n, &memory->capacity, sizeof(struct change));
	memmove(&memory->items[at + 1], &memory->items[at],
		(memory->n - at) * sizeof(struct change));
	memory->n++;
	memory->items[at] = *change;
	memory->items[at].value = base_memdup(change->value, change->value_len);
	memory->used_bytes += record_bytes(change);
}

static void memory_apply(struct memory_store *memory, const struct changes *changes)
{
	for (size_t i = 0; i < changes->n; i++) {
		const struct change *change = &changes->items[i];
		size_t at;
		if (memory_find(memory, change, &at))
			memory_delete(memory, at);
		if (change->value != NULL)
			memory_insert(memory, at, change);
	}
}

static bool changed_again(const struct changes *changes, size_t i)
{
	for (size_t later = i + 1; later < changes->n; later++) {
		if (record_compare(&changes->items[i], &changes->items[later]) == 0)
			return true;
	}
	return false;
}

/* What the changes add. Quadratic, so it is asked only when there may be no room. */
static int64_t growth_bytes(const struct memory_store *memory, const struct changes *changes)
{
	int64_t growth = 0;
	for (size_t i = 0; i < changes->n; i++) {
		const struct change *change = &changes->items[i];
		size_t at;
		if (changed_again(changes, i))
			continue;
		if (change->value != NULL)
			growth += record_bytes(change);
		if (memory_find(memory, change, &at))
			growth -= record_bytes(&memory->items[at]);
	}
	return growth;
}

static bool memory_has_room(const struct memory_store *memory, const struct changes *changes)
{
	int64_t used_bytes = memory->used_bytes;
	for (size_t i = 0; i < changes->n; i++) {
		if (changes->items[i].value != NULL)
			used_bytes += record_bytes(&changes->items[i]);
	}
	if (used_bytes <= memory->bytes_max)
		return true;
	int64_t growth = growth_bytes(memory, changes);
	return growth <= 0 || memory->used_bytes + growth <= memory->bytes_max;
}

static bool memory_fails_now(struct memory_store *memory)
{
	if (memory->fail_commits == 0)
		return false;
	memory->fail_commits--;
	return true;
}

static enum err_code memory_commit(struct store *store, const struct changes *changes,
				   struct err *err)
{
	struct memory_store *memory = memory_of(store);
	enum err_code code = groups_check(changes, err);
	if (code != ERR_NONE || changes->n == 0)
		return code;
	if (memory_fails_now(memory)) {
		if (memory->fail_applied)
			memory_apply(memory, changes);
		return err_set(err, memory->fail_code,
			       "the store in memory fails as it was told to");
	}
	if (!memory_has_room(memory, changes))
		return err_set(err, ERR_STORE_FULL, "the store has reached its limit of %lld bytes",
			       (long long)memory->bytes_max);
	memory_apply(memory, changes);
	return ERR_NONE;
}

static enum err_code memory_replay(struct store *store, store_visit_fn *visit, void *visitor,
				   struct err *err)
{
	struct memory_store *memory = memory_of(store);
	for (size_t i = 0; i < memory->n; i++) {
		enum err_code code = visit(visitor, &memory->items[i], err);
		if (code != ERR_NONE)
			return code;
	}
	return ERR_NONE;
}

static enum err_code memory_probe(struct store *store, struct err *err)
{
	struct memory_store *memory = memory_of(store);
	if (memory_fails_now(memory))
		return err_set(err, memory->fail_code,
			       "the store in memory fails as it was told to");
	if (memory->used_bytes + (int64_t)sizeof(struct change) > memory->bytes_max)
		return err_set(err, ERR_STORE_FULL, "the store has reached its limit of %lld bytes",
			       (long long)memory->bytes_max);
	return ERR_NONE;
}

static void memory_size(struct store *store, int64_t *ret_used_bytes, int64_t *ret_max_bytes)
{
	struct memory_store *memory = memory_of(store);
	*ret_used_bytes = memory->used_bytes;
	*ret_max_bytes = memory->bytes_max;
}

void store_memory_fail_next(struct store *store, int n, enum err_code code, bool applied)
{
	PRE(n >= 0);
	PRE(code != ERR_NONE);
	struct memory_store *memory = memory_of(store);
	memory->fail_commits = n;
	memory->fail_code = code;
	memory->fail_applied = applied;
}

const struct store_ops store_memory = {
	.name = "memory",
	.open = memory_open,
	.replay = memory_replay,
	.commit = memory_commit,
	.probe = memory_probe,
	.size = memory_size,
	.close = memory_close,
};
