/* The embedded store: LMDB in its durable mode, one table, one transaction for as many groups as fit.
 *
 * Invariants
 * - The folder is locked, and the file was verified in a child, before it is opened.
 * - Every transaction changes the summary with the records, and the summary names the transaction.
 * - Between calls no transaction is open; so the map may be resized at the start of any call.
 * - The map is larger than bytes_max only while a commit that does not make the data larger is tried.
 * - env is NULL only after a failure; the next call opens it again.
 * - Nothing is read or written while it is in doubt whether the heads that LMDB reads are those on the disk. After a
 *   failed write of a head LMDB puts the older one back in memory. A commit on top of it may use the pages of the
 *   failed one, which must not be on the disk then. */
#include <errno.h>
#include <lmdb.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/sort.h"
#include "base/text.h"
#include "store/data_dir.h"
#include "store/groups.h"
#include "store/lmdb_format.h"
#include "store/lmdb_pages.h"
#include "store/lmdb_verify.h"
#include "store/store.h"

#define MAP_BYTES_MAX	(16LL << 30)
#define MAP_BYTES_MIN	(256LL * 1024)
#define MAP_BYTES_FIRST (64LL << 20)
#define RESERVE_BYTES	(8LL << 20)
/* A store that has less room than this is full: a probe must not succeed where the next commit fails. */
#define PROBE_BYTES (16 * 1024)
/* Each transaction writes one of the two pages at the start of the file. */
#define HEADS		2
#define HEADS_BYTES_MAX (HEADS * 64 * 1024)
#define NEW_NAME	"new"
#define NEW_DATA_NAME	NEW_NAME "/" FORMAT_DATA_NAME
/* LMDB's table of readers: 126 slots of 64 bytes and a head. */
#define LOCK_TABLE_NAME	 "lock.mdb"
#define LOCK_TABLE_BYTES (16 * 1024)
/* LMDB keeps at most 128 Ki dirty pages per transaction; a record dirties a few. */
#define RUN_RECORDS_MAX 20000
#define RUN_BYTES_MAX	(32 * 1024 * 1024)

struct lmdb_store {
	struct store store;
	struct data_dir dir;
	MDB_env *env;
	MDB_dbi dbi;
	int64_t bytes_max;
	int64_t map_bytes;
	int64_t page_bytes;
	bool heads_in_doubt;
};

static struct lmdb_store *lmdb_of(struct store *store)
{
	PRE(store->ops == &store_lmdb);
	return (struct lmdb_store *)store;
}

static enum err_code lmdb_error(struct lmdb_store *lmdb, int rc, const char *doing, struct err *err)
{
	const char *path = lmdb->dir.path;
	bool disk_full = data_dir_is_full(&lmdb->dir, rc);
	if (rc == MDB_MAP_FULL) {
		char limit[48];
		struct text text;
		text_init(&text, sizeof(limit) - 1);
		text_add_size(&text, lmdb->bytes_max);
		text_print(limit, sizeof(limit), "%s", text_string(&text));
		text_release(&text);
		return err_set(err, ERR_STORE_FULL, "the store in %s has reached its limit of %s",
			       path, limit);
	}
	if (disk_full)
		return err_set(err, ERR_STORE_FULL, "the disk that holds the store in %s is full",
			       path);
	return err_set(err, lmdb_err_code(rc, false), "cannot %s the store in %s: %s", doing, path,
		       mdb_strerror(rc));
}

static void env_close(struct lmdb_store *lmdb)
{
	if (lmdb->env != NULL)
		mdb_env_close(lmdb->env);
	lmdb->env = NULL;
}

static int set_map_bytes(struct lmdb_store *lmdb, int64_t bytes)
{
	bytes -= bytes % lmdb->page_bytes;
	int rc = mdb_env_set_mapsize(lmdb->env, (size_t)bytes);
	if (rc == 0)
		lmdb->map_bytes = bytes;
	return rc;
}

/* The file as it is needs no more than this; LMDB itself raises a map that is too small for its pages. */
static int64_t first_map_bytes(const struct lmdb_store *lmdb)
{
	int64_t file_bytes = data_dir_file_bytes(&lmdb->dir, FORMAT_DATA_NAME);
	int64_t bytes = MAP_BYTES_FIRST;
	while (bytes < lmdb->bytes_max && bytes < file_bytes)
		bytes *= 2;
	return bytes < lmdb->bytes_max ? bytes : lmdb->bytes_max;
}

static int open_table(struct lmdb_store *lmdb)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(lmdb->env, NULL, MDB_RDONLY, &txn);
	if (rc != 0)
		return rc;
	rc = mdb_dbi_open(txn, NULL, 0, &lmdb->dbi);
	MDB_stat stat = { 0 };
	if (rc == 0)
		rc = mdb_stat(txn, lmdb->dbi, &stat);
	mdb_txn_abort(txn);
	lmdb->page_bytes = stat.ms_psize > 0 ? (int64_t)stat.ms_psize : 4096;
	return rc;
}

/* Also those of another process, which may have been killed before it could. The newer one first: until it is durable,
 * the older one is what a power cut falls back to. */
static int settle_heads(struct lmdb_store *lmdb)
{
	if (!lmdb->heads_in_doubt)
		return 0;
	int64_t file_bytes = data_dir_file_bytes(&lmdb->dir, FORMAT_DATA_NAME);
	if (file_bytes <= 0)
		return MDB_CORRUPTED;
	size_t len = file_bytes < HEADS_BYTES_MAX ? (size_t)file_bytes : HEADS_BYTES_MAX;
	size_t page_bytes = 0;
	_cleanup_free_ uint8_t *heads = base_calloc(len, 1);
	int rc = data_dir_read(&lmdb->dir, FORMAT_DATA_NAME, 0, heads, len);
	if (rc != 0)
		return rc;
	int newer = lmdb_pages_align_heads(heads, len, &page_bytes);
	if (newer < 0)
		return MDB_CORRUPTED;
	for (int i = 0; rc == 0 && i < HEADS; i++) {
		size_t at = (size_t)(i == 0 ? newer : 1 - newer) * page_bytes;
		rc = data_dir_write(&lmdb->dir, FORMAT_DATA_NAME, (int64_t)at, heads + at,
				    page_bytes);
	}
	lmdb->heads_in_doubt = rc != 0;
	return rc;
}

static int env_open(struct lmdb_store *lmdb)
{
	if (lmdb->env != NULL)
		return 0;
	int rc = settle_heads(lmdb);
	if (rc != 0)
		return rc;
	rc = mdb_env_create(&lmdb->env);
	if (rc != 0) {
		lmdb->env = NULL;
		return rc;
	}
	rc = set_map_bytes(lmdb, first_map_bytes(lmdb));
	/* MDB_NOTLS: a read belongs to its transaction, not to the thread. Nothing that weakens durability. */
	if (rc == 0)
		rc = mdb_env_open(lmdb->env, lmdb->dir.path, MDB_NOTLS, 0600);
	if (rc == 0)
		rc = mdb_reader_check(lmdb->env, NULL);
	if (rc == 0)
		rc = open_table(lmdb);
	if (rc != 0)
		env_close(lmdb);
	return rc;
}

/* After a failed write of LMDB's own head every begin answers MDB_PANIC until the file is opened anew. */
static int env_open_again(struct lmdb_store *lmdb)
{
	env_close(lmdb);
	lmdb->heads_in_doubt = true;
	return env_open(lmdb);
}

static int begin_write(struct lmdb_store *lmdb, MDB_txn **ret_txn)
{
	int rc = env_open(lmdb);
	if (rc == 0)
		rc = mdb_txn_begin(lmdb->env, NULL, 0, ret_txn);
	if (rc != MDB_PANIC)
		return rc;
	rc = env_open_again(lmdb);
	return rc != 0 ? rc : mdb_txn_begin(lmdb->env, NULL, 0, ret_txn);
}

static int get_summary(struct lmdb_store *lmdb, MDB_txn *txn, struct summary *ret_summary)
{
	MDB_val key = format_key_val(&format_summary_key);
	MDB_val sealed;
	MDB_val payload;
	int rc = mdb_get(txn, lmdb->dbi, &key, &sealed);
	if (rc != 0)
		return rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc;
	if (!format_unseal(key, sealed, &payload) || !summary_decode(payload, ret_summary))
		return MDB_CORRUPTED;
	return 0;
}

static int put_sealed(struct lmdb_store *lmdb, MDB_txn *txn, MDB_val key, const void *payload,
		      size_t len, MDB_val *ret_sealed)
{
	*ret_sealed = (MDB_val){ FORMAT_SEAL_BYTES + len, NULL };
	int rc = mdb_put(txn, lmdb->dbi, &key, ret_sealed, MDB_RESERVE);
	if (rc == 0)
		format_seal(key, payload, len, ret_sealed->mv_data);
	return rc;
}

static int put_summary(struct lmdb_store *lmdb, MDB_txn *txn, struct summary *summary)
{
	uint8_t payload[SUMMARY_BYTES_MAX];
	summary->transaction = mdb_txn_id(txn);
	size_t len = summary_encode(summary, payload);
	MDB_val sealed;
	return put_sealed(lmdb, txn, format_key_val(&format_summary_key), payload, len, &sealed);
}

static int apply_change(struct lmdb_store *lmdb, MDB_txn *txn, const struct change *change,
			struct summary *summary)
{
	struct format_key format = format_key(change);
	MDB_val key = format_key_val(&format);
	MDB_val sealed;
	int rc = mdb_get(txn, lmdb->dbi, &key, &sealed);
	if (rc != 0 && rc != MDB_NOTFOUND)
		return rc;
	bool exists = rc == 0;
	if (exists && sealed.mv_size < FORMAT_SEAL_BYTES)
		return MDB_CORRUPTED;
	if (exists)
		summary_remove(summary, key, sealed);
	if (change->value == NULL)
		return exists ? mdb_del(txn, lmdb->dbi, &key, NULL) : 0;
	rc = put_sealed(lmdb, txn, key, change->value, change->value_len, &sealed);
	if (rc == 0)
		summary_add(summary, key, sealed);
	return rc;
}

/* A run of whole groups, to be written in one transaction. */
struct run {
	const struct change **changes; /* in the order of keys, one of each */
	size_t n;
	bool must_not_grow; /* give up with MDB_MAP_FULL when it makes the data larger */
	bool grows;	    /* out: known when all changes were applied */
};

static int apply_run(struct lmdb_store *lmdb, MDB_txn *txn, struct run *run)
{
	struct summary summary;
	int rc = get_summary(lmdb, txn, &summary);
	uint64_t bytes_before = rc == 0 ? summary_bytes(&summary) : 0;
	for (size_t i = 0; rc == 0 && i < run->n; i++)
		rc = apply_change(lmdb, txn, run->changes[i], &summary);
	if (rc != 0)
		return rc;
	run->grows = summary_bytes(&summary) > bytes_before;
	if (run->must_not_grow && run->grows)
		return MDB_MAP_FULL;
	return put_summary(lmdb, txn, &summary);
}

static int write_run(struct lmdb_store *lmdb, struct run *run)
{
	run->grows = true;
	MDB_txn *txn;
	int rc = begin_write(lmdb, &txn);
	if (rc != 0)
		return rc;
	rc = apply_run(lmdb, txn, run);
	if (rc == 0)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

/* A run that frees room, or at least takes none, may use more map than the limit: changing a page takes a new page. */
static int write_run_over_limit(struct lmdb_store *lmdb, struct run *run)
{
	int rc = set_map_bytes(lmdb, lmdb->bytes_max + lmdb->dir.reserve_bytes);
	if (rc == 0) {
		run->must_not_grow = true;
		rc = write_run(lmdb, run);
		run->must_not_grow = false;
	}
	if (lmdb->env != NULL) {
		int back = set_map_bytes(lmdb, lmdb->bytes_max);
		rc = rc == 0 ? back : rc;
	}
	return rc;
}

static int write_run_growing_map(struct lmdb_store *lmdb, struct run *run)
{
	int rc = write_run(lmdb, run);
	while (rc == MDB_MAP_FULL &&
	       lmdb->map_bytes < lmdb->bytes_max - lmdb->bytes_max % lmdb->page_bytes) {
		int64_t doubled = lmdb->map_bytes * 2;
		rc = set_map_bytes(lmdb, doubled < lmdb->bytes_max ? doubled : lmdb->bytes_max);
		if (rc == 0)
			rc = write_run(lmdb, run);
	}
	return rc == MDB_MAP_FULL ? write_run_over_limit(lmdb, run) : rc;
}

static int write_run_with_reserve(struct lmdb_store *lmdb, struct run *run)
{
	int rc = write_run_growing_map(lmdb, run);
	if (rc == 0 || run->grows || !data_dir_is_full(&lmdb->dir, rc))
		return rc;
	return data_dir_drop_reserve(&lmdb->dir) ? write_run_growing_map(lmdb, run) : rc;
}

static int compare_keys(const struct change *a, const struct change *b)
{
	size_t len = a->key_len < b->key_len ? a->key_len : b->key_len;
	int order = a->kind != b->kind ? a->kind - b->kind : memcmp(a->key, b->key, len);
	return order ? order : a->key_len - b->key_len;
}

static int compare_changes(const void *a, const void *b, void *context)
{
	(void)context;
	return compare_keys(*(const struct change *const *)a, *(const struct change *const *)b);
}

/* What lies together is written together, and of the changes of one key only the last is. */
static void run_put_in_order(struct run *run)
{
	size_t n = 0;
	sort_stable(run->changes, run->n, sizeof(*run->changes), compare_changes, NULL);
	for (size_t i = 0; i < run->n; i++)
		if (i + 1 == run->n || compare_keys(run->changes[i], run->changes[i + 1]) != 0)
			run->changes[n++] = run->changes[i];
	run->n = n;
}

static enum err_code lmdb_commit(struct store *store, const struct changes *changes,
				 struct err *err)
{
	struct lmdb_store *lmdb = lmdb_of(store);
	enum err_code code = groups_check(changes, err);
	if (code != ERR_NONE)
		return code;
	_cleanup_free_ const struct change **ordered = base_calloc(changes->n, sizeof(*ordered));
	size_t end;
	for (size_t first = 0; first < changes->n; first = end) {
		end = groups_run_end(changes, first, RUN_RECORDS_MAX, RUN_BYTES_MAX);
		struct run run = { .changes = ordered };
		for (size_t i = first; i < end; i++)
			ordered[run.n++] = &changes->items[i];
		run_put_in_order(&run);
		int rc = write_run_with_reserve(lmdb, &run);
		if (rc != 0)
			return lmdb_error(lmdb, rc, "write to", err);
	}
	/* Taking the last room for the ballast would fail the next commit: only when there is plenty. */
	if (!lmdb->dir.has_reserve && data_dir_free_bytes(&lmdb->dir) > 4 * lmdb->dir.reserve_bytes)
		data_dir_restore_reserve(&lmdb->dir);
	return ERR_NONE;
}

static int write_probe(struct lmdb_store *lmdb)
{
	MDB_txn *txn;
	int rc = begin_write(lmdb, &txn);
	if (rc != 0)
		return rc;
	static const uint8_t payload[PROBE_BYTES];
	MDB_val sealed;
	struct summary summary;
	rc = put_sealed(lmdb, txn, format_key_val(&format_probe_key), payload, sizeof(payload),
			&sealed);
	if (rc == 0)
		rc = get_summary(lmdb, txn, &summary);
	if (rc == 0)
		rc = put_summary(lmdb, txn, &summary);
	if (rc == 0)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

static enum err_code lmdb_probe(struct store *store, struct err *err)
{
	struct lmdb_store *lmdb = lmdb_of(store);
	if (!data_dir_restore_reserve(&lmdb->dir))
		return lmdb_error(lmdb, ENOSPC, "write to", err);
	int rc = write_probe(lmdb);
	return rc == 0 ? ERR_NONE : lmdb_error(lmdb, rc, "write to", err);
}

static enum err_code visit_record(MDB_val key, MDB_val sealed, store_visit_fn *visit, void *visitor,
				  struct err *err)
{
	const uint8_t *bytes = key.mv_data;
	MDB_val payload;
	if (key.mv_size < 2 || key.mv_size > 1 + CHANGE_KEY_BYTES_MAX ||
	    !format_unseal(key, sealed, &payload))
		return err_set(err, ERR_DAMAGED, "a stored record does not match its checksum");
	if (bytes[0] == 0)
		return ERR_NONE;
	struct change change = {
		.kind = bytes[0],
		.key_len = (uint8_t)(key.mv_size - 1),
		.value = payload.mv_data,
		.value_len = payload.mv_size,
	};
	memcpy(change.key, bytes + 1, change.key_len);
	return visit(visitor, &change, err);
}

static enum err_code visit_all(struct lmdb_store *lmdb, MDB_txn *txn, store_visit_fn *visit,
			       void *visitor, struct err *err)
{
	MDB_cursor *cursor;
	int rc = mdb_cursor_open(txn, lmdb->dbi, &cursor);
	if (rc != 0)
		return lmdb_error(lmdb, rc, "read", err);
	enum err_code code = ERR_NONE;
	MDB_val key;
	MDB_val sealed;
	while (code == ERR_NONE && (rc = mdb_cursor_get(cursor, &key, &sealed, MDB_NEXT)) == 0)
		code = visit_record(key, sealed, visit, visitor, err);
	mdb_cursor_close(cursor);
	if (code == ERR_NONE && rc != MDB_NOTFOUND)
		code = lmdb_error(lmdb, rc, "read", err);
	return code;
}

static enum err_code lmdb_replay(struct store *store, store_visit_fn *visit, void *visitor,
				 struct err *err)
{
	struct lmdb_store *lmdb = lmdb_of(store);
	MDB_txn *txn;
	int rc = env_open(lmdb);
	if (rc == 0)
		rc = mdb_txn_begin(lmdb->env, NULL, MDB_RDONLY, &txn);
	if (rc == MDB_PANIC) {
		rc = env_open_again(lmdb);
		if (rc == 0)
			rc = mdb_txn_begin(lmdb->env, NULL, MDB_RDONLY, &txn);
	}
	if (rc != 0)
		return lmdb_error(lmdb, rc, "read", err);
	enum err_code code = visit_all(lmdb, txn, visit, visitor, err);
	/* At once: a reader that is forgotten keeps every page it saw from being used again. */
	mdb_txn_abort(txn);
	return code;
}

static void lmdb_size(struct store *store, int64_t *ret_used_bytes, int64_t *ret_max_bytes)
{
	struct lmdb_store *lmdb = lmdb_of(store);
	MDB_stat stat = { 0 };
	if (lmdb->env != NULL)
		mdb_env_stat(lmdb->env, &stat);
	size_t pages = stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
	int64_t file_bytes = data_dir_file_bytes(&lmdb->dir, FORMAT_DATA_NAME);
	int64_t disk_bytes = (file_bytes > 0 ? file_bytes : 0) + data_dir_free_bytes(&lmdb->dir);
	*ret_used_bytes = (int64_t)(pages * stat.ms_psize);
	*ret_max_bytes = lmdb->bytes_max < disk_bytes ? lmdb->bytes_max : disk_bytes;
}

static void lmdb_close(struct store *store)
{
	struct lmdb_store *lmdb = lmdb_of(store);
	env_close(lmdb);
	data_dir_release(&lmdb->dir);
	base_free(lmdb);
}

static int write_empty_summary(struct lmdb_store *lmdb)
{
	struct summary empty = { 0 };
	MDB_txn *txn;
	int rc = mdb_txn_begin(lmdb->env, NULL, 0, &txn);
	if (rc != 0)
		return rc;
	rc = mdb_dbi_open(txn, NULL, 0, &lmdb->dbi);
	if (rc == 0)
		rc = put_summary(lmdb, txn, &empty);
	if (rc == 0)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

/* A store gets its name when it is complete: the power may go at any time before, and LMDB does not open half a
 * file. */
static enum err_code make_file(struct lmdb_store *lmdb, struct err *err)
{
	char path[LIMIT_PATH_BYTES];
	text_print(path, sizeof(path), "%s/" NEW_NAME, lmdb->dir.path);
	enum err_code code = data_dir_make_folder(&lmdb->dir, NEW_NAME, err);
	if (code == ERR_NONE)
		code = data_dir_remove(&lmdb->dir, NEW_DATA_NAME, err);
	if (code != ERR_NONE)
		return code;
	int rc = mdb_env_create(&lmdb->env);
	if (rc != 0)
		lmdb->env = NULL;
	/* The folder is locked, and nobody else knows the name. */
	if (rc == 0)
		rc = mdb_env_open(lmdb->env, path, MDB_NOLOCK | MDB_NOTLS, 0600);
	if (rc == 0)
		rc = write_empty_summary(lmdb);
	env_close(lmdb);
	if (rc != 0)
		return lmdb_error(lmdb, rc, "write to", err);
	code = data_dir_rename(&lmdb->dir, NEW_DATA_NAME, FORMAT_DATA_NAME, err);
	return code == ERR_NONE ? data_dir_remove(&lmdb->dir, NEW_NAME, err) : code;
}

static enum err_code open_verified(struct lmdb_store *lmdb, struct err *err)
{
	bool held_records = data_dir_is_marked(&lmdb->dir);
	int64_t file_bytes = data_dir_file_bytes(&lmdb->dir, FORMAT_DATA_NAME);
	if (held_records && file_bytes <= 0)
		return err_set(err, ERR_DAMAGED,
			       "the store in %s is damaged: " FORMAT_DATA_NAME " is %s",
			       lmdb->dir.path, file_bytes < 0 ? "missing" : "empty");
	enum err_code code = file_bytes > 0 ? lmdb_verify(lmdb->dir.path, held_records, err)
					    : make_file(lmdb, err);
	if (code != ERR_NONE)
		return code;
	code = data_dir_allocate(&lmdb->dir, LOCK_TABLE_NAME, LOCK_TABLE_BYTES, err);
	if (code != ERR_NONE)
		return code;
	int rc = env_open(lmdb);
	if (rc != 0)
		return lmdb_error(lmdb, rc, "open", err);
	return data_dir_mark(&lmdb->dir, err);
}

static enum err_code lmdb_open(const struct store_options *options, struct store **ret_store,
			       struct err *err)
{
	PRE(options->dir != NULL);
	struct lmdb_store *lmdb = base_calloc(1, sizeof(*lmdb));
	lmdb->store.ops = &store_lmdb;
	lmdb->page_bytes = sysconf(_SC_PAGESIZE);
	lmdb->heads_in_doubt = true;
	lmdb->bytes_max = options->map_bytes_max > 0 ? options->map_bytes_max : MAP_BYTES_MAX;
	if (lmdb->bytes_max < MAP_BYTES_MIN)
		lmdb->bytes_max = MAP_BYTES_MIN;
	int64_t reserve_bytes = options->reserve_bytes > 0 ? options->reserve_bytes : RESERVE_BYTES;
	enum err_code code = data_dir_open(&lmdb->dir, options->dir, reserve_bytes, err);
	if (code == ERR_NONE) {
		code = open_verified(lmdb, err);
		if (code != ERR_NONE) {
			env_close(lmdb);
			data_dir_release(&lmdb->dir);
		}
	}
	if (code != ERR_NONE) {
		base_free(lmdb);
		return code;
	}
	*ret_store = &lmdb->store;
	return ERR_NONE;
}

const struct store_ops store_lmdb = {
	.name = "lmdb",
	.open = lmdb_open,
	.replay = lmdb_replay,
	.commit = lmdb_commit,
	.probe = lmdb_probe,
	.size = lmdb_size,
	.close = lmdb_close,
};
