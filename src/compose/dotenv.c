#include "compose/dotenv.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/utf8.h"

struct file {
	const char *name;
	const char *at;
	int line;
	bool raw;
	struct interpolation lookup;
	struct pairs *variables;
	struct err *err;
};

static enum err_code fail(const struct file *file, enum err_code code, const char *message)
{
	char field[ERR_FIELD_MAX];
	text_print(field, sizeof(field), "%s:%d", file->name, file->line);
	return err_set_field(file->err, code, field, "%s", message);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(struct file *file)
{
	while (is_blank(*file->at))
		file->at++;
}

static void skip_line(struct file *file)
{
	while (*file->at && *file->at != '\n')
		file->at++;
	if (*file->at == '\n') {
		file->at++;
		file->line++;
	}
}

/* Letters of any script, digits, and what other readers of such files take; in a raw file all but blanks. */
static bool is_name_char(const struct file *file, char c)
{
	if (file->raw)
		return c && c != '=' && c != '\n' && !is_blank(c);
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (unsigned char)c >= 0x80 || (c && strchr("_.-[]", c));
}

/* Replace variables; literal text between stays. */
static enum err_code expand(const struct file *file, const char *text, struct text *value)
{
	char *expanded;
	char field[ERR_FIELD_MAX];
	text_print(field, sizeof(field), "%s:%d", file->name, file->line);
	struct interpolation lookup = file->lookup;
	lookup.place = field;
	enum err_code code = interpolate_lenient(&lookup, text, &expanded, file->err);
	if (code) {
		if (file->err)
			memcpy(file->err->field, field, sizeof(field));
		return code;
	}
	text_add(value, expanded);
	base_free(expanded);
	return ERR_NONE;
}

/* A backslash quotes the quote; anything else after it stays with it, another backslash too. */
static enum err_code read_single_quoted(struct file *file, struct text *value)
{
	int lines = 0;
	const char *at = file->at + 1;
	for (; *at && *at != '\''; at++) {
		if (*at == '\\' && at[1] == '\'')
			at++;
		else if (*at == '\\' && at[1] == '\\')
			text_add_char(value, *at++);
		text_add_char(value, *at);
		lines += *at == '\n';
	}
	if (!*at)
		return fail(file, ERR_SYNTAX, "a single quote is not closed");
	file->at = at + 1;
	file->line += lines;
	return ERR_NONE;
}

static char unescape(char c)
{
	switch (c) {
	case 'n': return '\n';
	case 'r': return '\r';
	case 't': return '\t';
	default: return c;
	}
}

/* An escaped dollar sign becomes $$, which expansion turns into one. */
static enum err_code read_double_quoted(struct file *file, struct text *value)
{
	struct text inner;
	text_init(&inner, LIMIT_STRING_BYTES);
	int lines = 0;
	const char *at = file->at + 1;
	for (; *at && *at != '"'; at++) {
		lines += *at == '\n';
		if (*at != '\\' || !at[1]) {
			text_add_char(&inner, *at);
			continue;
		}
		at++;
		if (*at == '$')
			text_add(&inner, "$$");
		else if (strchr("nrt\"\\", *at))
			text_add_char(&inner, unescape(*at));
		else
			text_addf(&inner, "\\%c", *at);
	}
	enum err_code code = *at ? expand(file, text_string(&inner), value)
				 : fail(file, ERR_SYNTAX, "a double quote is not closed");
	if (!code && inner.cut)
		code = fail(file, ERR_TOO_LARGE, "the value is too long");
	text_release(&inner);
	file->at = at + 1;
	file->line += lines;
	return code;
}

/* Up to the end of the line or a comment: # after a blank. */
static enum err_code read_unquoted(struct file *file, struct text *value)
{
	const char *start = file->at;
	const char *end = start;
	for (; *file->at && *file->at != '\n'; file->at++) {
		if (*file->at == '#' && is_blank(file->at[-1]) && !file->raw)
			break;
		if (!is_blank(*file->at) || (file->raw && *file->at != '\r'))
			end = file->at + 1;
	}
	if (file->raw) {
		text_add_bytes(value, start, (size_t)(end - start));
		return ERR_NONE;
	}
	_cleanup_free_ char *text = base_strndup(start, (size_t)(end - start));
	return expand(file, text, value);
}

static enum err_code read_value(struct file *file, struct text *value)
{
	if (file->raw)
		return read_unquoted(file, value);
	skip_blanks(file);
	if (*file->at != '\'' && *file->at != '"')
		return read_unquoted(file, value);
	enum err_code code = *file->at == '"' ? read_double_quoted(file, value)
					      : read_single_quoted(file, value);
	if (code)
		return code;
	skip_blanks(file);
	if (*file->at && *file->at != '\n' && *file->at != '#')
		return fail(file, ERR_SYNTAX, "text follows the closing quote");
	return ERR_NONE;
}

static enum err_code put(struct file *file, const char *name, const char *value)
{
	pairs_put(file->variables, name, value);
	if (file->variables->n <= LIMIT_LIST_ITEMS)
		return ERR_NONE;
	char field[ERR_FIELD_MAX];
	text_print(field, sizeof(field), "%s:%d", file->name, file->line);
	return err_set_field(file->err, ERR_TOO_LARGE, field, "there are more than %d variables",
			     LIMIT_LIST_ITEMS);
}

/* The line at file->at, which holds neither a comment nor nothing. */
static enum err_code read_line(struct file *file)
{
	if (strncmp(file->at, "export", 6) == 0 && is_blank(file->at[6])) {
		file->at += 6;
		skip_blanks(file);
	}
	size_t len = 0;
	while (is_name_char(file, file->at[len]))
		len++;
	if (len == 0)
		return fail(file, ERR_SYNTAX, "a line must be NAME=VALUE");
	_cleanup_free_ char *name = base_strndup(file->at, len);
	file->at += len;
	skip_blanks(file);
	if (*file->at == '\0' || *file->at == '\n' || *file->at == '#') {
		const char *inherited = interpolation_get(
			&(struct interpolation){ .first = file->lookup.first }, name);
		return inherited ? put(file, name, inherited) : ERR_NONE;
	}
	if (*file->at != '=' && (*file->at != ':' || file->raw))
		return fail(file, ERR_SYNTAX, "after the name comes =");
	file->at++;
	struct text value;
	text_init(&value, LIMIT_STRING_BYTES);
	enum err_code code = read_value(file, &value);
	if (!code && value.cut)
		code = fail(file, ERR_TOO_LARGE, "the value is too long");
	if (!code)
		code = put(file, name, text_string(&value));
	text_release(&value);
	return code;
}

enum err_code dotenv_parse(const char *text, size_t len, const char *file_name, bool raw,
			   const struct interpolation *environment, struct pairs *variables,
			   struct err *err)
{
	struct file file = {
		.name = file_name, .line = 1, .raw = raw, .variables = variables, .err = err
	};
	if (len > LIMIT_YAML_FILE_BYTES)
		return fail(&file, ERR_TOO_LARGE, "the file is too large");
	if (len && memchr(text, '\0', len))
		return fail(&file, ERR_SYNTAX, "the file holds a NUL character");
	if (!utf8_is_valid(text, len))
		return fail(&file, ERR_SYNTAX, "the file is not text in UTF-8");
	_cleanup_free_ char *copy = base_strndup(text, len);
	file.at = strncmp(copy, "\xef\xbb\xbf", 3) == 0 ? copy + 3 : copy;
	file.lookup = *environment;
	file.lookup.second = variables;
	while (*file.at) {
		skip_blanks(&file);
		if (*file.at && *file.at != '\n' && *file.at != '#') {
			enum err_code code = read_line(&file);
			if (code)
				return code;
		}
		skip_line(&file);
	}
	return ERR_NONE;
}
