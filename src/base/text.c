#include "base/text.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"

/* Texts of at most so many bytes are printed without an allocation. */
#define PRINTED_MOSTLY 1024

void text_init(struct text *text, size_t max)
{
	*text = (struct text){ .max = max };
}

void text_release(struct text *text)
{
	base_free(text->bytes);
	text_init(text, text->max);
}

void text_clear(struct text *text)
{
	text->len = 0;
	text->cut = false;
	if (text->bytes)
		text->bytes[0] = '\0';
}

void text_drop(struct text *text, size_t len)
{
	PRE(len <= text->len);
	if (!len)
		return;
	text->len -= len;
	memmove(text->bytes, text->bytes + len, text->len + 1);
}

static void make_room(struct text *text, size_t len)
{
	if (len + 1 <= text->capacity)
		return;
	size_t capacity = text->capacity ? text->capacity : 64;
	while (capacity < len + 1)
		capacity *= 2;
	text->bytes = base_realloc(text->bytes, capacity, 1);
	text->capacity = capacity;
}

void text_reserve(struct text *text, size_t len)
{
	make_room(text, len < text->max - text->len ? text->len + len : text->max);
}

void text_add_bytes(struct text *text, const void *bytes, size_t len)
{
	if (len > text->max - text->len) {
		len = text->max - text->len;
		text->cut = true;
	}
	make_room(text, text->len + len);
	INVARIANT(text->bytes);
	if (len)
		memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
	text->bytes[text->len] = '\0';
}

void text_add(struct text *text, const char *string)
{
	text_add_bytes(text, string, strlen(string));
}

void text_add_char(struct text *text, char c)
{
	if (text->len == text->max || text->len + 2 > text->capacity) {
		text_add_bytes(text, &c, 1);
		return;
	}
	text->bytes[text->len++] = c;
	text->bytes[text->len] = '\0';
}

static void add_unsigned(struct text *text, uint64_t value, unsigned base, int width)
{
	static const char digits[] = "0123456789abcdef";
	char buf[24];
	size_t at = sizeof(buf);
	do {
		buf[--at] = digits[value % base];
		value /= base;
	} while (value);
	while (width > (int)(sizeof(buf) - at))
		buf[--at] = '0';
	text_add_bytes(text, buf + at, sizeof(buf) - at);
}

static void add_signed(struct text *text, int64_t value)
{
	if (value < 0)
		text_add_char(text, '-');
	add_unsigned(text, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10, 0);
}

static void add_string(struct text *text, const char *string, int precision)
{
	if (!string)
		string = "(none)";
	text_add_bytes(text, string,
		       precision >= 0 ? strnlen(string, (size_t)precision) : strlen(string));
}

enum size_class { SIZE_INT, SIZE_LONG, SIZE_LONG_LONG, SIZE_SIZE };

struct conversion {
	int width;
	int precision;
	enum size_class size;
	char kind;
};

/* Read one conversion after its '%'; *precision comes from `arguments` for "%.*s". */
static const char *read_conversion(const char *at, struct conversion *conversion)
{
	*conversion = (struct conversion){ .precision = -1 };
	if (*at == '0') {
		at++;
		while (*at >= '0' && *at <= '9')
			conversion->width = conversion->width * 10 + (*at++ - '0');
	}
	if (at[0] == '.' && at[1] == '*') {
		conversion->precision = -2;
		at += 2;
	}
	if (*at == 'z') {
		conversion->size = SIZE_SIZE;
		at++;
	} else if (at[0] == 'l') {
		conversion->size = at[1] == 'l' ? SIZE_LONG_LONG : SIZE_LONG;
		at += at[1] == 'l' ? 2 : 1;
	}
	conversion->kind = *at;
	return at + 1;
}

void text_addv(struct text *text, const char *format, va_list arguments)
{
	for (const char *at = format; *at;) {
		if (*at != '%') {
			const char *end = strchr(at, '%');
			size_t len = end ? (size_t)(end - at) : strlen(at);
			text_add_bytes(text, at, len);
			at += len;
			continue;
		}
		struct conversion c;
		at = read_conversion(at + 1, &c);
		if (c.precision == -2)
			c.precision = va_arg(arguments, int);
		switch (c.kind) {
		case 's': add_string(text, va_arg(arguments, const char *), c.precision); break;
		case 'c': text_add_char(text, (char)va_arg(arguments, int)); break;
		case '%': text_add_char(text, '%'); break;
		case 'd':
			if (c.size == SIZE_LONG_LONG)
				add_signed(text, va_arg(arguments, long long));
			else if (c.size == SIZE_LONG)
				add_signed(text, va_arg(arguments, long));
			else
				add_signed(text, va_arg(arguments, int));
			break;
		case 'u':
		case 'x': {
			uint64_t value = c.size == SIZE_LONG_LONG
						 ? va_arg(arguments, unsigned long long)
					 : c.size == SIZE_LONG ? va_arg(arguments, unsigned long)
					 : c.size == SIZE_SIZE ? va_arg(arguments, size_t)
							       : va_arg(arguments, unsigned);
			add_unsigned(text, value, c.kind == 'x' ? 16 : 10, c.width);
			break;
		}
		default: UNREACHABLE("conversion that text_addf does not know");
		}
	}
}

void text_addf(struct text *text, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	text_addv(text, format, arguments);
	va_end(arguments);
}

/* Add '-' where there is one and return the rest, off by one for the one number that has no positive twin. */
static int64_t add_sign(struct text *text, int64_t value)
{
	if (value >= 0)
		return value;
	text_add_char(text, '-');
	return value == INT64_MIN ? INT64_MAX : -value;
}

/* `value` / `unit` with up to `places` decimals, without trailing zeros. */
static void add_fraction(struct text *text, int64_t value, int64_t unit, int places)
{
	add_signed(text, value / unit);
	int64_t rest = value % unit;
	char digits[8];
	int n = 0;
	int last = 0;
	for (; n < places && rest; n++) {
		rest *= 10;
		digits[n] = (char)('0' + rest / unit);
		rest %= unit;
		if (digits[n] != '0')
			last = n + 1;
	}
	if (last) {
		text_add_char(text, '.');
		text_add_bytes(text, digits, (size_t)last);
	}
}

void text_add_size(struct text *text, int64_t size_bytes)
{
	static const char *const units[] = { "B", "KB", "MB", "GB", "TB" };
	size_bytes = add_sign(text, size_bytes);
	size_t unit = 0;
	int64_t scale = 1;
	while (unit + 1 < ARRAY_LEN(units) && size_bytes / scale >= 1024) {
		scale *= 1024;
		unit++;
	}
	/* rest * 10 must not overflow: scale is at most 2^40. */
	add_fraction(text, size_bytes, scale, 1);
	text_add_char(text, ' ');
	text_add(text, units[unit]);
}

static void print_size(char *out, size_t size, int64_t size_bytes)
{
	struct text text;
	text_init(&text, size - 1);
	text_add_size(&text, size_bytes);
	memcpy(out, text_string(&text), text.len + 1);
	text_release(&text);
}

void text_add_size_beside(struct text *text, int64_t size_bytes, int64_t beside_bytes)
{
	char size[32];
	char beside[32];
	print_size(size, sizeof(size), size_bytes);
	print_size(beside, sizeof(beside), beside_bytes);
	if (size_bytes != beside_bytes && strcmp(size, beside) == 0)
		text_addf(text, "%lld B", (long long)size_bytes);
	else
		text_add(text, size);
}

void text_add_cpus(struct text *text, int64_t cpu_milli)
{
	cpu_milli = add_sign(text, cpu_milli);
	add_fraction(text, cpu_milli, 1000, 3);
}

void text_add_ratio(struct text *text, int64_t millionths)
{
	millionths = add_sign(text, millionths);
	add_fraction(text, millionths, 1000000, 6);
}

void text_add_duration(struct text *text, int64_t duration_ms)
{
	duration_ms = add_sign(text, duration_ms);
	if (duration_ms < 1000) {
		text_addf(text, "%lldms", (long long)duration_ms);
		return;
	}
	int64_t hours = duration_ms / 3600000;
	int64_t minutes = duration_ms / 60000 % 60;
	int64_t rest_ms = duration_ms % 60000;
	if (hours)
		text_addf(text, "%lldh", (long long)hours);
	if (minutes)
		text_addf(text, "%lldm", (long long)minutes);
	if (rest_ms) {
		add_fraction(text, rest_ms, 1000, 3);
		text_add_char(text, 's');
	}
}

const char *text_string(const struct text *text)
{
	return text->bytes ? text->bytes : "";
}

char *text_take(struct text *text)
{
	char *string = text->bytes ? text->bytes : base_strdup("");
	text_init(text, text->max);
	return string;
}

char *text_print(char *out, size_t size, const char *format, ...)
{
	/* Not into `out` itself, where what is to be formatted may lie; and nothing is allocated where all has room. */
	char room[PRINTED_MOSTLY];
	struct text text;
	text_init(&text, size - 1);
	if (size <= sizeof(room)) {
		text.bytes = room;
		text.capacity = size;
		text.bytes[0] = '\0';
	}
	va_list arguments;
	va_start(arguments, format);
	text_addv(&text, format, arguments);
	va_end(arguments);
	memcpy(out, text_string(&text), text.len + 1);
	if (text.bytes != room)
		text_release(&text);
	return out;
}
