/* UTF-8, as the API's JSON and YAML demand it of every text. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Read one character of at most `len` bytes; returns its length, or 0 when the bytes are not UTF-8 (RFC 3629: no
 * overlong forms, no surrogates). */
size_t utf8_read(const char *bytes, size_t len, uint32_t *ret_character);

bool utf8_is_valid(const char *bytes, size_t len);

/* Make it UTF-8: each byte that belongs to no character becomes a question mark. */
void utf8_mend(char *bytes, size_t len);

#endif
