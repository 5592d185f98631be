/* Bytes under keys. A commit is atomic by group: a crash, or an outcome that is not known, leaves whole groups from the
 * front. What is committed is never lost. */
#include <string.h>

#include "sim.h"

static bool same_key(const struct change *a, const struct change *b)
{
	return a->kind == b->kind && a->key_len == b->key_len &&
	       memcmp(a->key, b->key, a->key_len) == 0;
}

static void apply_one(struct changes *records, const struct change *change)
{
	size_t at = 0;
	while (at < records->n && !same_key(&records->items[at], change))
		at++;
	if (at < records->n) {
		base_free(records->items[at].value);
		if (change->value) {
			records->items[at].value = base_memdup(change->value, change->value_len);
			records->items[at].value_len = change->value_len;
			return;
		}
		records->items[at] = records->items[--records->n];
		return;
	}
	if (!change->value)
		return;
	struct change copy = *change;
	copy.value = base_memdup(change->value, change->value_len);
	changes_add(records, &copy);
}

void sim_store_apply(struct sim_store *store, const struct changes *changes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		apply_one(&store->records, &changes->items[i]);
}

size_t sim_store_cut(struct sim *sim, const struct changes *changes)
{
	size_t n = (size_t)sim_draw(sim, 0, (int64_t)changes->n);
	while (n < changes->n && n > 0 && !changes->items[n].starts_group)
		n--;
	return n;
}

enum err_code sim_store_commit(struct sim *sim, struct sim_store *store,
			       const struct changes *changes, size_t *ret_n_applied,
			       struct err *err)
{
	*ret_n_applied = 0;
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
	for (size_t i = 0; i < n; i++)
		sim_hash(sim, changes->items[i].value, changes->items[i].value_len);
	*ret_n_applied = n;
	if (unknown)
		return err_set(err, ERR_STORE, "the commit failed after it was written");
	return ERR_NONE;
}

void sim_store_release(struct sim_store *store)
{
	changes_release(&store->records);
}
