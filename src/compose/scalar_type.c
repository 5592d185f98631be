#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "compose/yaml_tree.h"

static bool one_of(const char *text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(text, words[i]) == 0)
			return true;
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits of a base, with the underscores YAML 1.1 allows between them. */
static bool all_in(const char *text, const char *digits)
{
	size_t n = 0;
	for (; text[n]; n++)
		if (!strchr(digits, text[n]) && !(text[n] == '_' && n > 0))
			return false;
	return n > 0;
}

static bool is_integer(const char *text)
{
	if (*text == '-' || *text == '+')
		text++;
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return all_in(text + 2, "0123456789abcdefABCDEF");
	if (text[0] == '0' && (text[1] == 'o' || text[1] == 'O'))
		return all_in(text + 2, "01234567");
	if (text[0] == '0' && (text[1] == 'b' || text[1] == 'B'))
		return all_in(text + 2, "01");
	return is_digit(*text) && all_in(text, "0123456789");
}

static const char *skip_digits(const char *text)
{
	while (is_digit(*text))
		text++;
	return text;
}

static bool is_float(const char *text)
{
	static const char *const special[] = { ".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN" };
	if (*text == '-' || *text == '+')
		text++;
	if (one_of(text, special, ARRAY_LEN(special)))
		return true;
	const char *whole = skip_digits(text);
	const char *end = whole;
	if (*end == '.')
		end = skip_digits(end + 1);
	/* A digit must stand on one side of the point at least. */
	if (end - text <= (*whole == '.' ? 1 : 0))
		return false;
	if (*end == 'e' || *end == 'E') {
		end++;
		if (*end == '-' || *end == '+')
			end++;
		if (!is_digit(*end))
			return false;
		end = skip_digits(end);
	}
	return *end == '\0';
}

enum scalar_type tree_scalar_type(const struct tree_node *scalar)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };
	static const char *const bools[] = { "true", "True", "TRUE", "false", "False", "FALSE" };
	PRE(scalar->kind == TREE_SCALAR);
	if (scalar->is_string)
		return SCALAR_STRING;
	if (one_of(scalar->text, nulls, ARRAY_LEN(nulls)))
		return SCALAR_NULL;
	if (one_of(scalar->text, bools, ARRAY_LEN(bools)))
		return SCALAR_BOOL;
	if (is_integer(scalar->text))
		return SCALAR_INTEGER;
	return is_float(scalar->text) ? SCALAR_FLOAT : SCALAR_STRING;
}
