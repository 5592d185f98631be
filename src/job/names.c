#include <string.h>

#include "base/limits.h"
#include "job/refuse.h"
#include "job/spec.h"

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* The length of a name of these letters that begins as it must; 0 when it is none. */
static size_t name_len(const char *name, bool upper)
{
	if (!is_lower_or_digit(name[0]) && !(upper && is_upper(name[0])))
		return 0;
	size_t len = 0;
	while (is_lower_or_digit(name[len]) || (upper && is_upper(name[len])) ||
	       (name[len] && strchr("_.-", name[len])))
		len++;
	return name[len] || len > LIMIT_NAME_BYTES ? 0 : len;
}

enum err_code name_check(const char *name, const char *field, struct err *err)
{
	size_t len = name ? name_len(name, false) : 0;
	if (!len || !is_lower_or_digit(name[len - 1]))
		return refuse(err, ERR_INVALID, AT(field),
			      "\"%.*s\" is not a name: lower-case letters and digits, '_', '.' "
			      "and '-' between them, at most %d bytes",
			      100, name ? name : "", LIMIT_NAME_BYTES);
	return ERR_NONE;
}

enum err_code key_check(const char *key, const char *field, struct err *err)
{
	if (!key || !name_len(key, true))
		return refuse(err, ERR_INVALID, AT(field),
			      "\"%.*s\" is not a name: letters and digits, '_', '.' and '-' after "
			      "the first, at most %d bytes",
			      100, key ? key : "", LIMIT_NAME_BYTES);
	return ERR_NONE;
}
