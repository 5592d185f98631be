/* Targets: path, query, percent coding (RFC 3986). */
#include <string.h>

#include "net/http.h"
#include "net/http_syntax.h"

enum err_code http_percent_decode(struct http_view view, bool plus_is_blank, char *out, size_t size,
				  struct err *err)
{
	size_t n = 0;
	for (size_t i = 0; i < view.len; i++) {
		unsigned char c = (unsigned char)view.bytes[i];
		if (c == '%') {
			int high = i + 2 < view.len
					   ? http_hex_value((unsigned char)view.bytes[i + 1])
					   : -1;
			int low = i + 2 < view.len
					  ? http_hex_value((unsigned char)view.bytes[i + 2])
					  : -1;
			if (high < 0 || low < 0)
				return err_set(err, ERR_INVALID,
					       "'%%' is not followed by two hexadecimal digits");
			c = (unsigned char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && plus_is_blank) {
			c = ' ';
		}
		if (c == '\0')
			return err_set(err, ERR_INVALID, "a zero byte in the address");
		if (n + 1 >= size)
			return err_set(err, ERR_INVALID,
				       "a part of the address is longer than %zu bytes",
				       size ? size - 1 : 0);
		out[n++] = (char)c;
	}
	if (n >= size)
		return err_set(err, ERR_INVALID, "no room for a part of the address");
	out[n] = '\0';
	return ERR_NONE;
}

void http_percent_encode(struct text *out, const char *string)
{
	static const char digits[] = "0123456789ABCDEF";
	for (; *string; string++) {
		unsigned char c = (unsigned char)*string;
		if (http_is_digit(c) || http_is_letter(c) || strchr("-._~", c)) {
			text_add_char(out, (char)c);
			continue;
		}
		char escape[3] = { '%', digits[c >> 4], digits[c & 15] };
		text_add_bytes(out, escape, sizeof(escape));
	}
}

void http_split_target(struct http_view target, struct http_view *ret_path,
		       struct http_view *ret_query)
{
	const char *mark = target.len ? memchr(target.bytes, '?', target.len) : NULL;
	size_t path = mark ? (size_t)(mark - target.bytes) : target.len;
	*ret_path = (struct http_view){ target.bytes, path };
	*ret_query = (struct http_view){ mark ? mark + 1 : target.bytes + path,
					 mark ? target.len - path - 1 : 0 };
}

bool http_query_get(struct http_view query, const char *name, struct http_view *ret_value)
{
	size_t name_len = strlen(name);
	const char *at = query.bytes;
	const char *end = query.bytes + query.len;
	while (at < end) {
		const char *stop = memchr(at, '&', (size_t)(end - at));
		if (!stop)
			stop = end;
		const char *equals = memchr(at, '=', (size_t)(stop - at));
		const char *name_end = equals ? equals : stop;
		if ((size_t)(name_end - at) == name_len && memcmp(at, name, name_len) == 0) {
			const char *value = equals ? equals + 1 : stop;
			*ret_value = (struct http_view){ value, (size_t)(stop - value) };
			return true;
		}
		at = stop == end ? end : stop + 1;
	}
	return false;
}
