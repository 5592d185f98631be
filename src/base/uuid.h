/* Identifiers: UUID version 7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then random bits, so that
 * ids made later sort later. Each noun wraps one in its own struct (`struct task_id`), so passing a node's id
 * where a task's belongs does not compile. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define UUID_BYTES     16
#define UUID_TEXT_LEN  36
#define UUID_TEXT_SIZE (UUID_TEXT_LEN + 1)

struct uuid {
	uint8_t bytes[UUID_BYTES];
};

/* A stream of pseudo-random bits from a seed the shell drew (splitmix64, Steele et al. 2014). The cores draw
 * nothing themselves: same seed, same ids. */
struct random {
	uint64_t state;
};

uint64_t random_next(struct random *random);
/* 0 .. bound-1; bound > 0. */
uint64_t random_below(struct random *random, uint64_t bound);

/* A new id. `wall_ms` is Unix time in milliseconds. */
struct uuid uuid_make(struct random *random, int64_t wall_ms);

bool uuid_is_zero(struct uuid id);
bool uuid_equal(struct uuid a, struct uuid b);
/* <0, 0, >0 by bytes. */
int uuid_compare(struct uuid a, struct uuid b);
uint64_t uuid_hash(struct uuid id);

/* Write the 36-character lower-case text form and a NUL. Returns `out`. */
char *uuid_format(struct uuid id, char out[UUID_TEXT_SIZE]);

/* Read the 36-character form, either case. ERR_INVALID when it is anything else. */
enum err_code uuid_parse(const char *text, struct uuid *ret_id, struct err *err) WARN_UNUSED;

#endif
