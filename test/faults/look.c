#include "look.h"

#include "base/hash.h"
#include "store/store.h"

/* Only to have one. */
#define RESERVE_BYTES 4096

static enum err_code collect(void *visitor, const struct change *change, struct err *err)
{
	struct contents_found *found = visitor;
	(void)err;
	uint64_t hash = hash_bytes(HASH_START, &change->kind, 1);
	hash = hash_bytes(hash, change->key, change->key_len);
	hash = hash_bytes(hash, change->value, change->value_len);
	found->hash += hash;
	text_add_bytes(&found->bytes, (const char *)change->key, change->key_len);
	text_add_bytes(&found->bytes, change->value, change->value_len);
	return ERR_NONE;
}

enum err_code look(const char *folder, struct contents_found *ret_found, struct err *err)
{
	struct store_options options = { .dir = folder, .reserve_bytes = RESERVE_BYTES };
	struct store *store;
	struct contents_found again = { 0 };
	*ret_found = (struct contents_found){ 0 };
	text_init(&ret_found->bytes, (size_t)1 << 30);
	text_init(&again.bytes, (size_t)1 << 30);
	enum err_code code = store_lmdb.open(&options, &store, err);
	if (code)
		return code;
	code = store_lmdb.replay(store, collect, ret_found, err);
	if (!code)
		code = store_lmdb.probe(store, err);
	if (!code)
		code = store_lmdb.replay(store, collect, &again, err);
	if (!code && again.hash != ret_found->hash)
		code = err_set(err, ERR_INTERNAL, "a commit changed what was there before");
	text_release(&again.bytes);
	store_lmdb.close(store);
	return code;
}
