/* Bytes under keys. A commit is atomic by group: a crash, or an outcome that is not known, leaves whole groups from the
 * front. What is committed is never lost.
 *
 * Invariant: `index` has one entry for each record, its place plus 1 under the hash of its key. */
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "sim.h"

#define COMMIT_SLOW_MAX_MS 30000

static bool same_key(const struct change *a, const struct change *b)
{
	return a->kind == b->kind && a->key_len == b->key_len &&
	       memcmp(a->key, b->key, a->key_len) == 0;
}

static struct uuid hash_of_key(const struct change *change)
{
	uint64_t halves[2] = { HASH_START, ~HASH_START };
	struct uuid key;
	for (int i = 0; i < 2; i++) {
		halves[i] = hash_bytes(halves[i], &change->kind, sizeof(change->kind));
		halves[i] = hash_bytes(halves[i], change->key, change->key_len);
	}
	memcpy(key.bytes, halves, sizeof(key.bytes));
	return key;
}

static void set_place(struct sim_store *store, struct uuid key, size_t place)
{
	map_put(&store->index, key, (void *)(uintptr_t)(place + 1));
}

static void remove_at(struct sim_store *store, struct uuid key, size_t at)
{
	struct changes *records = &store->records;
	base_free(records->items[at].value);
	map_remove(&store->index, key);
	if (at < --records->n) {
		records->items[at] = records->items[records->n];
		set_place(store, hash_of_key(&records->items[at]), at);
	}
}

static void apply_one(struct sim_store *store, const struct change *change)
{
	struct changes *records = &store->records;
	struct uuid key = hash_of_key(change);
	size_t place = (size_t)(uintptr_t)map_get(&store->index, key);
	if (!change->value) {
		if (place)
			remove_at(store, key, place - 1);
		return;
	}
	struct change copy = *change;
	copy.value = base_memdup(change->value, change->value_len);
	if (!place) {
		changes_add(records, &copy);
		set_place(store, key, records->n - 1);
		return;
	}
	INVARIANT(same_key(&records->items[place - 1], change));
	base_free(records->items[place - 1].value);
	records->items[place - 1] = copy;
}

void sim_store_apply(struct sim_store *store, const struct changes *changes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		apply_one(store, &changes->items[i]);
}

size_t sim_store_cut(struct sim *sim, const struct changes *changes)
{
	size_t n = (size_t)sim_draw(sim, 0, (int64_t)changes->n);
	while (n < changes->n && n > 0 && !changes->items[n].starts_group)
		n--;
	return n;
}

enum err_code sim_store_commit(struct sim *sim, struct sim_store *store,
			       const struct changes *changes, int64_t *ret_takes_ms,
			       struct err *err)
{
	*ret_takes_ms = 0;
	if (changes->n == 0)
		return ERR_NONE;
	if (store->full)
		return err_set(err, ERR_STORE_FULL, "no space left on device");
	if (sim_strikes(sim, FAULT_COMMIT_FAILED))
		return err_set(err, ERR_STORE, "the commit failed");
	size_t n = changes->n;
	bool unknown = sim_strikes(sim, FAULT_COMMIT_UNKNOWN);
	if (unknown && sim_chance(sim, 500))
		n = sim_store_cut(sim, changes);
	sim_store_apply(store, changes, n);
	for (size_t i = 0; i < n; i++) {
		sim_hash(sim, changes->items[i].value, changes->items[i].value_len);
		store->n_written += changes->items[i].kind != RECORD_META;
	}
	if (unknown)
		return err_set(err, ERR_STORE, "the commit failed after it was written");
	if (sim_strikes(sim, FAULT_COMMIT_SLOW))
		*ret_takes_ms = sim_draw_wide(sim, 1, COMMIT_SLOW_MAX_MS);
	return ERR_NONE;
}

void sim_store_release(struct sim_store *store)
{
	changes_release(&store->records);
	map_release(&store->index);
}
