/* Byte classes of RFC 9110, for the codec's own files. */
#ifndef NET_HTTP_SYNTAX_H
#define NET_HTTP_SYNTAX_H

#include <stdbool.h>

static inline bool http_is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static inline bool http_is_letter(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The value of a hexadecimal digit, or -1. */
static inline int http_hex_value(unsigned char c)
{
	if (http_is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* What names, methods and codings are made of. */
static inline bool http_is_token(unsigned char c)
{
	if (http_is_digit(c) || http_is_letter(c))
		return true;
	switch (c) {
	case '!':
	case '#':
	case '$':
	case '%':
	case '&':
	case '\'':
	case '*':
	case '+':
	case '-':
	case '.':
	case '^':
	case '_':
	case '`':
	case '|':
	case '~': return true;
	default: return false;
	}
}

static inline bool http_is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

/* What header values are made of: visible, blank or beyond ASCII. */
static inline bool http_is_value(unsigned char c)
{
	return c == '\t' || (c >= 0x20 && c != 0x7f);
}

static inline char http_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

#endif
