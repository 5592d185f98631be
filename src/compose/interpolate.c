/* Invariants:
 * 1. Everything is parsed, also what a default does not need: a mistake is found whether the variable is set or not.
 *    Only live text is written to `out`, warns, or fails for a missing variable.
 * 2. Recursion is bounded by NESTING_MAX, output by LIMIT_STRING_BYTES. */
#include "compose/interpolate.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

#define NESTING_MAX	   16
#define VARIABLE_BYTES_MAX 255

struct reader {
	const struct interpolation *interpolation;
	const char *text;
	const char *at;
	bool lenient;
	struct err *err;
};

const char *interpolation_get(const struct interpolation *interpolation, const char *variable)
{
	const char *value = NULL;
	if (interpolation->first)
		value = pairs_get(interpolation->first, variable);
	if (!value && interpolation->second)
		value = pairs_get(interpolation->second, variable);
	return value;
}

static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name_char(char c)
{
	return is_name_start(c) || (c >= '0' && c <= '9');
}

static int column_of(const struct reader *reader, const char *at)
{
	return (int)(at - reader->text) + 1;
}

static enum err_code fail_unclosed(const struct reader *reader, const char *dollar)
{
	return err_set(reader->err, ERR_SYNTAX, "\"%.*s\" (character %d) has no closing }", 20,
		       dollar, column_of(reader, dollar));
}

static enum err_code read_until(struct reader *reader, const char *opened, bool live, int depth,
				struct text *out) WARN_UNUSED;

/* Name after "$" or "${". */
static enum err_code read_name(struct reader *reader, const char *dollar,
			       char name[VARIABLE_BYTES_MAX + 1])
{
	size_t len = 0;
	if (is_name_start(*reader->at))
		while (is_name_char(reader->at[len]))
			len++;
	if (len == 0)
		return err_set(
			reader->err, ERR_SYNTAX,
			"\"%.*s\" (character %d) is not a variable: write ${NAME}, or $$ for a "
			"dollar sign",
			10, dollar, column_of(reader, dollar));
	if (len > VARIABLE_BYTES_MAX)
		return err_set(reader->err, ERR_SYNTAX,
			       "the variable at character %d has a name of %zu bytes",
			       column_of(reader, dollar), len);
	memcpy(name, reader->at, len);
	name[len] = '\0';
	reader->at += len;
	return ERR_NONE;
}

static void put_variable(struct reader *reader, const char *name, const char *value,
			 struct text *out)
{
	if (value)
		text_add(out, value);
	else if (reader->interpolation->unset)
		reader->interpolation->unset(reader->interpolation->context,
					     reader->interpolation->place, name);
}

/* What follows ":?" or "?": the words of the error, which is raised unless the variable is there. */
static enum err_code read_required(struct reader *reader, const char *dollar, const char *name,
				   bool there, bool live, int depth)
{
	struct text words;
	text_init(&words, ERR_MESSAGE_MAX);
	enum err_code code = read_until(reader, dollar, live && !there, depth, &words);
	if (!code && live && !there)
		code = err_set(reader->err, ERR_INVALID, "the variable %s is required%s%s", name,
			       words.len ? ": " : " and is not set", text_string(&words));
	text_release(&words);
	return code;
}

/* The rest of "${NAME" with `name` already read. */
static enum err_code read_braced(struct reader *reader, const char *dollar, const char *name,
				 bool live, int depth, struct text *out)
{
	const char *value = interpolation_get(reader->interpolation, name);
	bool colon = *reader->at == ':';
	bool there = value && (!colon || *value);
	char sign = reader->at[colon];
	if (sign == '}' && !colon) {
		reader->at++;
		if (live)
			put_variable(reader, name, value, out);
		return ERR_NONE;
	}
	if (sign == '\0')
		return fail_unclosed(reader, dollar);
	if (sign != '-' && sign != '?' && sign != '+')
		return err_set(
			reader->err, ERR_SYNTAX,
			"\"%.*s\" (character %d): after the name come }, :-, -, :?, ?, :+ or +", 20,
			dollar, column_of(reader, dollar));
	reader->at += colon + 1;
	if (sign == '?') {
		enum err_code code = read_required(reader, dollar, name, there, live, depth);
		if (!code && live && there)
			text_add(out, value);
		return code;
	}
	if (sign == '-' && there && live)
		text_add(out, value);
	bool use_words = sign == '-' ? !there : there;
	return read_until(reader, dollar, live && use_words, depth, out);
}

/* A dollar sign and what it begins. */
static enum err_code read_dollar(struct reader *reader, bool live, int depth, struct text *out)
{
	const char *dollar = reader->at++;
	if (*reader->at == '$') {
		reader->at++;
		if (live)
			text_add_char(out, '$');
		return ERR_NONE;
	}
	bool braced = *reader->at == '{';
	if (reader->lenient && !braced && !is_name_start(*reader->at)) {
		if (live)
			text_add_char(out, '$');
		return ERR_NONE;
	}
	if (braced)
		reader->at++;
	char name[VARIABLE_BYTES_MAX + 1];
	enum err_code code = read_name(reader, dollar, name);
	if (code)
		return code;
	if (!braced) {
		if (live)
			put_variable(reader, name, interpolation_get(reader->interpolation, name),
				     out);
		return ERR_NONE;
	}
	if (depth == NESTING_MAX)
		return err_set(reader->err, ERR_TOO_LARGE, "variables are nested more than %d deep",
			       NESTING_MAX);
	return read_braced(reader, dollar, name, live, depth + 1, out);
}

/* Up to the end, or to the brace that closes what `opened` began (and behind it). */
static enum err_code read_until(struct reader *reader, const char *opened, bool live, int depth,
				struct text *out)
{
	while (*reader->at && !(opened && *reader->at == '}')) {
		if (*reader->at == '$') {
			enum err_code code = read_dollar(reader, live, depth, out);
			if (code)
				return code;
			continue;
		}
		if (live)
			text_add_char(out, *reader->at);
		reader->at++;
	}
	if (!opened)
		return ERR_NONE;
	if (*reader->at != '}')
		return fail_unclosed(reader, opened);
	reader->at++;
	return ERR_NONE;
}

static enum err_code run(const struct interpolation *interpolation, bool lenient, const char *text,
			 char **ret_text, struct err *err)
{
	struct reader reader = { interpolation, text, text, lenient, err };
	struct text out;
	text_init(&out, LIMIT_STRING_BYTES);
	enum err_code code = read_until(&reader, NULL, true, 0, &out);
	if (!code && out.cut)
		code = err_set(err, ERR_TOO_LARGE,
			       "the text has more than %d bytes once its variables "
			       "are replaced",
			       LIMIT_STRING_BYTES);
	if (!code)
		*ret_text = text_take(&out);
	text_release(&out);
	return code;
}

enum err_code interpolate(const struct interpolation *interpolation, const char *text,
			  char **ret_text, struct err *err)
{
	return run(interpolation, false, text, ret_text, err);
}

enum err_code interpolate_lenient(const struct interpolation *interpolation, const char *text,
				  char **ret_text, struct err *err)
{
	return run(interpolation, true, text, ret_text, err);
}
