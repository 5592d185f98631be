/* Text that grows up to a stated maximum: the string builder of the whole program, and the only formatter
 * the pure cores use (same output with every libc and locale). */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Invariant: bytes is NULL or holds len bytes and a NUL; len <= max. When something did not fit, `cut` is
 * set and the text keeps what did fit. */
struct text {
	char *bytes;
	size_t len;
	size_t capacity;
	size_t max;
	bool cut;
};

/* An empty text that may grow to `max` bytes. Nothing is allocated yet. */
void text_init(struct text *text, size_t max);

/* Free the contents; the struct is empty again and keeps its maximum. */
void text_release(struct text *text);

/* Empty it, keeping the memory. */
void text_clear(struct text *text);

/* Make room for `len` bytes more at once. */
void text_reserve(struct text *text, size_t len);

/* Remove the first `len` bytes. PRE: there are as many. */
void text_drop(struct text *text, size_t len);

/* Append. */
void text_add(struct text *text, const char *string);
void text_add_bytes(struct text *text, const void *bytes, size_t len);
void text_add_char(struct text *text, char c);

/* Append formatted: %s (NULL prints "(none)"), %.*s, %c, %d, %u, %ld, %lu, %lld, %llu, %zu, %x, %02x, %%.
 * Any other conversion aborts: the formatter is ours so that the cores stay pure. */
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_addv(struct text *text, const char *format, va_list arguments);

/* Append a number of bytes as people read it, exact where it is exact: "512 MB", "1.5 GB", "900 B".
 * 1024-based, as Docker does. */
void text_add_size(struct text *text, int64_t size_bytes);

/* The same for sentences that compare it with `beside_bytes`: in bytes where the two differ and would read alike. */
void text_add_size_beside(struct text *text, int64_t size_bytes, int64_t beside_bytes);

/* Append thousandths of a CPU as people read it: "2", "0.5", "0.125". */
void text_add_cpus(struct text *text, int64_t cpu_milli);
/* Append millionths as a part of the whole: "0.25". */
void text_add_ratio(struct text *text, int64_t millionths);

/* Append a duration: "10s", "1m30s", "250ms". */
void text_add_duration(struct text *text, int64_t duration_ms);

/* The text as a string, never NULL; borrowed until the next change. */
const char *text_string(const struct text *text);

/* Move the string out; the caller frees it with base_free(); the text is empty after. Never NULL. */
char *text_take(struct text *text);

/* Format into a caller's array; cut to fit. Returns `out`. */
char *text_print(char *out, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
