/* Bytes as text: base64 of RFC 4648, with padding, without line breaks. Pure. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the text of `len` bytes, without the NUL. */
#define BASE64_LEN(len) (((len) + 2) / 3 * 4)

/* The caller frees. */
char *base64_encode(const void *bytes, size_t len);

/* False: `text` is not what an encoder writes (another alphabet, blanks, no padding, bits left over). The bytes have a
 * NUL behind them; the caller frees. */
bool base64_decode(const char *text, char **ret_bytes, size_t *ret_len);

#endif
