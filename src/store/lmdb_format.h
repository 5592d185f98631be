/* What lies in the LMDB file: the form of a record and the summary that all records must add up to.
 *
 * A key is one byte of kind and the key's bytes. A value is sealed: CRC-32C (4 bytes, little-endian) of the key, the
 * version and the payload; the version (1 byte); the payload. Kind 0 is the store's own: the summary and the probe. */
#ifndef STORE_LMDB_FORMAT_H
#define STORE_LMDB_FORMAT_H

#include <lmdb.h>
#include <stdbool.h>

#include "base/change.h"

#define FORMAT_VERSION	  1
#define FORMAT_SEAL_BYTES 5
#define FORMAT_DATA_NAME  "data.mdb"

struct format_key {
	uint8_t bytes[1 + CHANGE_KEY_BYTES_MAX];
	size_t len;
};

extern const struct format_key format_summary_key;
extern const struct format_key format_probe_key;

struct format_key format_key(const struct change *change);
MDB_val format_key_val(const struct format_key *key);

/* Write the sealed form of `payload` to `out`, which has FORMAT_SEAL_BYTES + len bytes. */
void format_seal(MDB_val key, const void *payload, size_t len, uint8_t *out);

/* The payload of a sealed value, borrowed; false when it is not what was written, or of another version. */
bool format_unseal(MDB_val key, MDB_val sealed, MDB_val *ret_payload);

/* Count, bytes and digest of the records of one kind. The digest is the sum of the records' hashes, so it does not
 * depend on their order. */
struct kind_summary {
	uint64_t n;
	uint64_t bytes;
	uint64_t digest;
};

/* Of all records; kind 0 stays zero. */
struct summary {
	struct kind_summary kinds[256];
	uint64_t
		transaction; /* LMDB's number of that which wrote it; 0: written by a drover that did not say */
};

#define SUMMARY_BYTES_MAX (256 * 25)

/* Count a record in or out. `sealed` has FORMAT_SEAL_BYTES at least. */
void summary_add(struct summary *summary, MDB_val key, MDB_val sealed);
void summary_remove(struct summary *summary, MDB_val key, MDB_val sealed);

uint64_t summary_bytes(const struct summary *summary);
uint64_t summary_records(const struct summary *summary);

/* Returns the bytes written to `out` (SUMMARY_BYTES_MAX). */
size_t summary_encode(const struct summary *summary, uint8_t *out);
bool summary_decode(MDB_val payload, struct summary *ret_summary);

#endif
