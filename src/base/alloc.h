/* Heap memory. Sizes are bounded before they are asked for (base/limits.h), so running out means a broken
 * machine: these functions abort instead of failing, and the next start replays the store. */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stddef.h>

/* Zeroed memory for `n` items of `size` bytes; never NULL. The caller frees with base_free(). */
void *base_calloc(size_t n, size_t size);

/* Resize to `n` items of `size` bytes, moving the contents; new bytes are undefined; never NULL. */
void *base_realloc(void *memory, size_t n, size_t size);

/* Give the memory back. NULL is fine. */
void base_free(void *memory);

/* A heap copy of a string (NULL stays NULL), of `len` bytes with a NUL added, of `len` raw bytes. */
char *base_strdup(const char *string);
char *base_strndup(const char *bytes, size_t len);
void *base_memdup(const void *bytes, size_t len);

/* Make room for one more item in a growing array: `items` has `n` used of `*capacity`. Returns the array,
 * perhaps moved. Growth doubles. */
void *base_grow(void *items, size_t n, size_t *capacity, size_t size);

/* Scope cleanup for pointers from this file: `_cleanup_free_ char *name = ...;` */
void base_cleanup_free(void *pointer_to_pointer);
#define _cleanup_free_ __attribute__((cleanup(base_cleanup_free)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
