#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *base_calloc(size_t n, size_t size)
{
	void *memory = calloc(n ? n : 1, size ? size : 1);
	if (!memory)
		abort();
	return memory;
}

void *base_realloc(void *memory, size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes))
		abort();
	memory = realloc(memory, bytes ? bytes : 1);
	if (!memory)
		abort();
	return memory;
}

void base_free(void *memory)
{
	free(memory);
}

char *base_strdup(const char *string)
{
	return string ? base_strndup(string, strlen(string)) : NULL;
}

char *base_strndup(const char *bytes, size_t len)
{
	char *copy = base_realloc(NULL, len + 1, 1);
	if (len)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	return copy;
}

void *base_memdup(const void *bytes, size_t len)
{
	void *copy = base_realloc(NULL, len, 1);
	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

void *base_grow(void *items, size_t n, size_t *capacity, size_t size)
{
	if (n < *capacity)
		return items;
	*capacity = *capacity ? *capacity * 2 : 8;
	return base_realloc(items, *capacity, size);
}

void base_cleanup_free(void *pointer_to_pointer)
{
	void *memory;
	memcpy(&memory, pointer_to_pointer, sizeof(memory));
	base_free(memory);
}
