#include "store/lmdb_format.h"

#include <string.h>

#include "base/check.h"
#include "store/crc32c.h"

const struct format_key format_summary_key = { { 0, 's' }, 2 };
const struct format_key format_probe_key = { { 0, 'p' }, 2 };

struct format_key format_key(const struct change *change)
{
	PRE(change->kind != 0);
	PRE(change->key_len > 0 && change->key_len <= CHANGE_KEY_BYTES_MAX);
	struct format_key key = { .len = 1 + (size_t)change->key_len };
	key.bytes[0] = change->kind;
	memcpy(key.bytes + 1, change->key, change->key_len);
	return key;
}

MDB_val format_key_val(const struct format_key *key)
{
	return (MDB_val){ key->len, (void *)(uintptr_t)key->bytes };
}

static void put_number(uint8_t *out, uint64_t number, int bytes)
{
	for (int i = 0; i < bytes; i++)
		out[i] = (uint8_t)(number >> (8 * i));
}

static uint64_t get_number(const uint8_t *in, int bytes)
{
	uint64_t number = 0;
	for (int i = 0; i < bytes; i++)
		number |= (uint64_t)in[i] << (8 * i);
	return number;
}

static uint32_t seal_checksum(MDB_val key, uint8_t version, const void *payload, size_t len)
{
	uint32_t crc = crc32c(0, key.mv_data, key.mv_size);
	crc = crc32c(crc, &version, 1);
	return crc32c(crc, payload, len);
}

void format_seal(MDB_val key, const void *payload, size_t len, uint8_t *out)
{
	put_number(out, seal_checksum(key, FORMAT_VERSION, payload, len), 4);
	out[4] = FORMAT_VERSION;
	if (len > 0)
		memcpy(out + FORMAT_SEAL_BYTES, payload, len);
}

bool format_unseal(MDB_val key, MDB_val sealed, MDB_val *ret_payload)
{
	const uint8_t *bytes = sealed.mv_data;
	if (sealed.mv_size < FORMAT_SEAL_BYTES || bytes[4] != FORMAT_VERSION)
		return false;
	MDB_val payload = { sealed.mv_size - FORMAT_SEAL_BYTES,
			    (uint8_t *)sealed.mv_data + FORMAT_SEAL_BYTES };
	if (get_number(bytes, 4) != seal_checksum(key, bytes[4], payload.mv_data, payload.mv_size))
		return false;
	*ret_payload = payload;
	return true;
}

/* Spreads the 32 bits of two checksums over 64, so that sums of many do not cancel out (the finalizer of
 * splitmix64, Steele et al. 2014). */
static uint64_t record_digest(MDB_val key, MDB_val sealed)
{
	uint64_t bits = (uint64_t)crc32c(0, key.mv_data, key.mv_size) << 32;
	bits |= get_number(sealed.mv_data, 4);
	bits += sealed.mv_size * 0x9e3779b97f4a7c15ULL;
	bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9ULL;
	bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebULL;
	return bits ^ (bits >> 31);
}

static struct kind_summary *kind_of(struct summary *summary, MDB_val key, MDB_val sealed)
{
	PRE(key.mv_size > 1);
	PRE(sealed.mv_size >= FORMAT_SEAL_BYTES);
	uint8_t kind = *(const uint8_t *)key.mv_data;
	PRE(kind != 0);
	return &summary->kinds[kind];
}

void summary_add(struct summary *summary, MDB_val key, MDB_val sealed)
{
	struct kind_summary *kind = kind_of(summary, key, sealed);
	kind->n++;
	kind->bytes += key.mv_size + sealed.mv_size;
	kind->digest += record_digest(key, sealed);
}

void summary_remove(struct summary *summary, MDB_val key, MDB_val sealed)
{
	struct kind_summary *kind = kind_of(summary, key, sealed);
	kind->n--;
	kind->bytes -= key.mv_size + sealed.mv_size;
	kind->digest -= record_digest(key, sealed);
}

uint64_t summary_bytes(const struct summary *summary)
{
	uint64_t bytes = 0;
	for (int kind = 1; kind < 256; kind++)
		bytes += summary->kinds[kind].bytes;
	return bytes;
}

uint64_t summary_records(const struct summary *summary)
{
	uint64_t n = 0;
	for (int kind = 1; kind < 256; kind++)
		n += summary->kinds[kind].n;
	return n;
}

/* The number of the transaction stands where kind 0 would be counted. */
size_t summary_encode(const struct summary *summary, uint8_t *out)
{
	size_t len = 25;
	memset(out, 0, len);
	put_number(out + 1, summary->transaction, 8);
	for (int kind = 1; kind < 256; kind++) {
		const struct kind_summary *of_kind = &summary->kinds[kind];
		if (of_kind->n == 0)
			continue;
		out[len] = (uint8_t)kind;
		put_number(out + len + 1, of_kind->n, 8);
		put_number(out + len + 9, of_kind->bytes, 8);
		put_number(out + len + 17, of_kind->digest, 8);
		len += 25;
	}
	return len;
}

bool summary_decode(MDB_val payload, struct summary *ret_summary)
{
	const uint8_t *bytes = payload.mv_data;
	if (payload.mv_size % 25 != 0)
		return false;
	struct summary summary = { 0 };
	for (size_t at = 0; at < payload.mv_size; at += 25) {
		uint8_t kind = bytes[at];
		if (kind == 0 && at == 0) {
			summary.transaction = get_number(bytes + at + 1, 8);
			continue;
		}
		if (kind == 0 || summary.kinds[kind].n != 0)
			return false;
		summary.kinds[kind] = (struct kind_summary){
			.n = get_number(bytes + at + 1, 8),
			.bytes = get_number(bytes + at + 9, 8),
			.digest = get_number(bytes + at + 17, 8),
		};
	}
	*ret_summary = summary;
	return true;
}
