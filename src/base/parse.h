/* Reading numbers that people write. Strict: the whole text must be the number, nothing is cut or rounded in silence.
 * Pure and the same in every locale. ERR_INVALID messages hold the text. Used by the Compose reader and the CLI. */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Decimal digits with an optional '-', within [min, max]: no blanks, no '+', no leading zeros but "0" itself. */
enum err_code parse_int(const char *text, int64_t min, int64_t max, int64_t *ret_value,
			struct err *err) WARN_UNUSED;

/* The same of the first `len` bytes. */
enum err_code parse_int_n(const char *text, size_t len, int64_t min, int64_t max,
			  int64_t *ret_value, struct err *err) WARN_UNUSED;

/* "1m30s", "1.5h", "250ms", "0": any number of NUMBER UNIT with units us, ms, s, m, h. At most a year, to whole
 * milliseconds: finer ones and those without a unit are refused. */
enum err_code parse_duration_ms(const char *text, int64_t *ret_duration_ms,
				struct err *err) WARN_UNUSED;

/* The same to whole microseconds. */
enum err_code parse_duration_us(const char *text, int64_t *ret_duration_us,
				struct err *err) WARN_UNUSED;

/* "64m", "1.5g", "512MB", "100": bytes, 1024-based as Docker does: b, k, m, g, t, with "b" or "ib" after, either
 * case. A part of a byte is dropped. */
enum err_code parse_size_bytes(const char *text, int64_t *ret_size_bytes,
			       struct err *err) WARN_UNUSED;

/* "0.25": a part of the whole from 0 to 1, as millionths. Finer ones are refused. */
enum err_code parse_ratio_ppm(const char *text, int64_t *ret_ratio_ppm,
			      struct err *err) WARN_UNUSED;

/* "0.5", "2", "1.25": CPUs, as thousandths. Finer ones are refused. */
enum err_code parse_cpu_milli(const char *text, int64_t *ret_cpu_milli,
			      struct err *err) WARN_UNUSED;

#endif
