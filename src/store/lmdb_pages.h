/* The pages of an LMDB 0.9 file, read as bytes. LMDB trusts its pages: a wrong number in one lets it read or write
 * anywhere. So the whole structure is checked before LMDB sees it. */
#ifndef STORE_LMDB_PAGES_H
#define STORE_LMDB_PAGES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Every page in use is reached once, from where it should be; keys ascend and lie between those of their parents; the
 * counters are right; the heads and the records agree which transaction is the last; free pages exist, are listed once
 * and not in use. ERR_DAMAGED says what is not so. Any bytes are a valid argument: nothing outside them is read. */
enum err_code lmdb_pages_check(const uint8_t *file, size_t file_bytes, struct err *err) WARN_UNUSED;

/* Make the older of the two heads, `heads`, the newer one's twin but for its number. What LMDB leaves of it after a
 * failed write has the older number and the newer contents, as damage would. `*ret_page_bytes`: where the second one
 * begins. Returns which is the newer: 0 or 1; -1: these are no heads. */
int lmdb_pages_align_heads(uint8_t *heads, size_t heads_bytes, size_t *ret_page_bytes);

#endif
