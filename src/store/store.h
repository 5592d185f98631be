/* Stores: bytes under typed keys, durable when commit returns. A store knows no noun. Implementations: memory (tests),
 * lmdb (the embedded default, durable mode only); one contract suite runs against both. Blocking: commits run on the
 * caller's thread. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/change.h"

struct store;

struct store_options {
	const char *
		dir; /* data folder; created 0700; locked against a second process; memory: unused */
	int64_t map_bytes_max; /* size limit of the store: 16 GiB where 0 */
	int64_t reserve_bytes; /* ballast file freed when the disk is full, so that deletes can commit: 8 MiB where 0 */
};

/* Given each record once, in no order that callers may rely on; `change` is borrowed for the call. Returning another
 * code than ERR_NONE ends the replay with it. It calls nothing of the store. */
typedef enum err_code store_visit_fn(void *visitor, const struct change *change, struct err *err);

struct store_ops {
	const char *name;
	/* Open or create. ERR_CONFLICT: another process holds it (the message names the folder and pid where known);
	 * ERR_DAMAGED: the file is not whole (checked in a child process first, so that damage never is a crash here);
	 * ERR_STORE_FULL, ERR_STORE. */
	enum err_code (*open)(const struct store_options *options, struct store **ret_store,
			      struct err *err);
	enum err_code (*replay)(struct store *store, store_visit_fn *visit, void *visitor,
				struct err *err);
	/* Make all groups durable, in order, in as few transactions as the store can; a group is never split. When it
	 * returns ERR_NONE everything is on disk. Otherwise the caller must throw its world away and replay: what was
	 * written is unknown. ERR_STORE_FULL when there is no room: a full store still takes commits that do not make
	 * the data larger, so that deletes can make room. ERR_DAMAGED, ERR_STORE otherwise. Refuses groups over
	 * LIMIT_GROUP_RECORDS or LIMIT_GROUP_BYTES with ERR_LIMIT, writing nothing. */
	enum err_code (*commit)(struct store *store, const struct changes *changes,
				struct err *err);
	/* Would a small commit succeed now? Writes and syncs one probe record, which replay never shows. */
	enum err_code (*probe)(struct store *store, struct err *err);
	/* Bytes in use and bytes the store may grow to. */
	void (*size)(struct store *store, int64_t *ret_used_bytes, int64_t *ret_max_bytes);
	void (*close)(struct store *store);
};

extern const struct store_ops store_memory;
extern const struct store_ops store_lmdb;

/* memory only: make the next `n` commits and probes fail with `code` (applied: whether their changes take effect
 * anyway, the "unknown outcome"); for tests. */
void store_memory_fail_next(struct store *store, int n, enum err_code code, bool applied);

#endif
