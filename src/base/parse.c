#include "base/parse.h"

#include <string.h>

#include "base/limits.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Long texts are cut in messages. */
#define SHOWN_BYTES 64

static int shown(size_t len)
{
	return len < SHOWN_BYTES ? (int)len : SHOWN_BYTES;
}

enum err_code parse_int_n(const char *text, size_t len, int64_t min, int64_t max,
			  int64_t *ret_value, struct err *err)
{
	bool negative = len && text[0] == '-';
	size_t at = negative;
	if (at == len || (text[at] == '0' && (len > at + 1 || negative)))
		return err_set(err, ERR_INVALID, "\"%.*s\" is not a whole number", shown(len),
			       text);
	int64_t value = 0;
	bool overflow = false;
	for (; at < len; at++) {
		if (!is_digit(text[at]))
			return err_set(err, ERR_INVALID, "\"%.*s\" is not a whole number",
				       shown(len), text);
		int digit = text[at] - '0';
		overflow |= __builtin_mul_overflow(value, 10, &value) ||
			    __builtin_add_overflow(value, negative ? -digit : digit, &value);
	}
	if (overflow ? negative : value < min)
		return err_set(err, ERR_INVALID, "%.*s is less than %lld", shown(len), text,
			       (long long)min);
	if (overflow || value > max)
		return err_set(err, ERR_INVALID, "%.*s is more than %lld", shown(len), text,
			       (long long)max);
	*ret_value = value;
	return ERR_NONE;
}

enum err_code parse_int(const char *text, int64_t min, int64_t max, int64_t *ret_value,
			struct err *err)
{
	return parse_int_n(text, strlen(text), min, max, ret_value, err);
}

/* A decimal number: value = digits / 10^places. */
struct decimal {
	int64_t digits;
	int64_t scale; /* 10^places */
};

#define DECIMAL_DIGITS_MAX 15
#define DECIMAL_PLACES_MAX 6

/* Read DIGITS[.DIGITS] or .DIGITS and move *at past it; trailing zeros after the point do not count. False when there
 * is none or it has more digits than fit. */
static bool read_decimal(const char **at, struct decimal *ret_decimal)
{
	struct decimal decimal = { 0, 1 };
	const char *text = *at;
	if (!is_digit(*text) && *text != '.')
		return false;
	int n = 0;
	while (is_digit(*text)) {
		if (decimal.digits && ++n > DECIMAL_DIGITS_MAX)
			return false;
		decimal.digits = decimal.digits * 10 + (*text++ - '0');
	}
	if (*text == '.') {
		if (!is_digit(*++text))
			return false;
		const char *end = text;
		for (const char *digit = text; is_digit(*digit); digit++)
			if (*digit != '0')
				end = digit + 1;
		if (end - text > DECIMAL_PLACES_MAX || n + (end - text) > DECIMAL_DIGITS_MAX)
			return false;
		for (; is_digit(*text); text++) {
			if (text >= end)
				continue;
			decimal.digits = decimal.digits * 10 + (*text - '0');
			decimal.scale *= 10;
		}
	}
	*at = text;
	*ret_decimal = decimal;
	return true;
}

struct unit {
	const char *name;
	int64_t size;
};

/* Times count in nanoseconds here, so that "1.5us" is exact before it is judged. */
static const struct unit duration_units[] = {
	{ "us", 1000 },		{ "ms", 1000000 },	  { "s", 1000000000 },
	{ "m", 60000000000LL }, { "h", 3600000000000LL },
};

/* The unit the text starts with, taking all its letters; NULL when there is none of that name. */
static const struct unit *read_unit(const char **at)
{
	size_t len = 0;
	while (lower((*at)[len]) >= 'a' && lower((*at)[len]) <= 'z')
		len++;
	for (size_t i = 0; i < sizeof(duration_units) / sizeof(duration_units[0]); i++) {
		const char *name = duration_units[i].name;
		if (strlen(name) == len && memcmp(name, *at, len) == 0) {
			*at += len;
			return &duration_units[i];
		}
	}
	return NULL;
}

/* `step_ns`: what it must be a multiple of. */
static enum err_code parse_duration(const char *text, int64_t step_ns, const char *step_name,
				    int64_t *ret_steps, struct err *err)
{
	int64_t total_ns = 0;
	bool exact = true;
	const char *at = text;
	if (strcmp(text, "0") == 0) {
		*ret_steps = 0;
		return ERR_NONE;
	}
	if (!*text)
		return err_set(err, ERR_INVALID, "an empty text is not a duration");
	while (*at) {
		struct decimal decimal;
		const struct unit *unit = read_decimal(&at, &decimal) ? read_unit(&at) : NULL;
		if (!unit)
			return err_set(err, ERR_INVALID,
				       "\"%.*s\" is not a duration like \"1m30s\" or \"500ms\"",
				       SHOWN_BYTES, text);
		/* Whole and rest apart: digits * unit may not fit where the time itself does. */
		int64_t whole_ns;
		int64_t rest_ns = decimal.digits % decimal.scale * unit->size;
		if (__builtin_mul_overflow(decimal.digits / decimal.scale, unit->size, &whole_ns) ||
		    __builtin_add_overflow(total_ns, whole_ns, &total_ns) ||
		    __builtin_add_overflow(total_ns, rest_ns / decimal.scale, &total_ns) ||
		    total_ns > LIMIT_DURATION_MS * 1000000)
			return err_set(err, ERR_INVALID, "\"%.*s\" is more than a year",
				       SHOWN_BYTES, text);
		exact = exact && rest_ns % decimal.scale == 0;
	}
	if (!exact || total_ns % step_ns)
		return err_set(err, ERR_INVALID, "\"%.*s\" is finer than a %s", SHOWN_BYTES, text,
			       step_name);
	*ret_steps = total_ns / step_ns;
	return ERR_NONE;
}

enum err_code parse_duration_ms(const char *text, int64_t *ret_duration_ms, struct err *err)
{
	return parse_duration(text, 1000000, "millisecond", ret_duration_ms, err);
}

enum err_code parse_duration_us(const char *text, int64_t *ret_duration_us, struct err *err)
{
	return parse_duration(text, 1000, "microsecond", ret_duration_us, err);
}

/* The size of the unit that ends the text: nothing, or [kmgt] and then "", "b" or "ib", or "b"; 0: another one. */
static int64_t size_unit(const char *at)
{
	static const char letters[] = "kmgt";
	int64_t size = 1;
	char letter = lower(*at);
	if (letter && strchr(letters, letter)) {
		for (const char *c = letters; *c; c++) {
			size *= 1024;
			if (*c == letter)
				break;
		}
		at++;
		if (lower(*at) == 'i' && lower(at[1]) == 'b')
			at++;
	}
	if (lower(*at) == 'b')
		at++;
	return *at ? 0 : size;
}

enum err_code parse_size_bytes(const char *text, int64_t *ret_size_bytes, struct err *err)
{
	struct decimal decimal;
	const char *at = text;
	bool is_number = read_decimal(&at, &decimal);
	if (*at == ' ')
		at++;
	int64_t unit = is_number ? size_unit(at) : 0;
	if (!unit)
		return err_set(err, ERR_INVALID, "\"%.*s\" is not a size like \"512m\" or \"1.5g\"",
			       SHOWN_BYTES, text);
	/* Whole and rest apart: digits * unit may not fit where the size itself does. */
	int64_t whole;
	int64_t rest = decimal.digits % decimal.scale;
	if (__builtin_mul_overflow(decimal.digits / decimal.scale, unit, &whole) ||
	    whole > LIMIT_SIZE_BYTES)
		return err_set(err, ERR_INVALID, "\"%.*s\" is more than 1 EB", SHOWN_BYTES, text);
	*ret_size_bytes = whole + rest * unit / decimal.scale;
	return ERR_NONE;
}

enum err_code parse_ratio_ppm(const char *text, int64_t *ret_ratio_ppm, struct err *err)
{
	struct decimal decimal;
	const char *at = text;
	if (!read_decimal(&at, &decimal) || *at || decimal.digits > decimal.scale)
		return err_set(err, ERR_INVALID, "\"%.*s\" is not a part of the whole from 0 to 1",
			       SHOWN_BYTES, text);
	*ret_ratio_ppm = decimal.digits * (1000000 / decimal.scale);
	return ERR_NONE;
}

enum err_code parse_cpu_milli(const char *text, int64_t *ret_cpu_milli, struct err *err)
{
	struct decimal decimal;
	const char *at = text;
	if (!read_decimal(&at, &decimal) || *at)
		return err_set(err, ERR_INVALID, "\"%.*s\" is not a number of CPUs like \"0.5\"",
			       SHOWN_BYTES, text);
	int64_t whole = decimal.digits / decimal.scale;
	if (whole > LIMIT_CPU_MILLI / 1000)
		return err_set(err, ERR_INVALID, "\"%.*s\" is more than %lld CPUs", SHOWN_BYTES,
			       text, (long long)LIMIT_CPU_MILLI / 1000);
	int64_t thousandths = decimal.digits * 1000;
	if (thousandths % decimal.scale)
		return err_set(err, ERR_INVALID, "\"%.*s\" is finer than a thousandth of a CPU",
			       SHOWN_BYTES, text);
	*ret_cpu_milli = thousandths / decimal.scale;
	return ERR_NONE;
}
