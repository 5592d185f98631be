#include "base/err.h"

#include <stdarg.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"

struct err_row {
	const char *name;
	const char *text;
	int http_status;
	int exit_status;
};

static const struct err_row rows[] = {
#define ERR_ROW(code, name, http, exit, text) [code] = { name, text, http, exit },
	ERR_TABLE(ERR_ROW)
#undef ERR_ROW
};

static const struct err_row *row_of(enum err_code code)
{
	PRE((unsigned)code < ERR_CODE_COUNT);
	return &rows[code];
}

const char *err_name(enum err_code code)
{
	return row_of(code)->name;
}

const char *err_text(enum err_code code)
{
	return row_of(code)->text;
}

int err_http_status(enum err_code code)
{
	return row_of(code)->http_status;
}

int err_exit_status(enum err_code code)
{
	return row_of(code)->exit_status;
}

enum err_code err_from_name(const char *name)
{
	for (unsigned code = 0; code < ERR_CODE_COUNT; code++)
		if (strcmp(rows[code].name, name) == 0)
			return (enum err_code)code;
	return ERR_INTERNAL;
}

static void print(char *out, size_t size, const char *format, va_list arguments)
{
	struct text text;
	text_init(&text, size - 1);
	text_addv(&text, format, arguments);
	memcpy(out, text_string(&text), text.len + 1);
	text_release(&text);
}

/* What the analyzer is told instead of these, base/err.h. */
#undef err_set
#undef err_set_field

enum err_code err_set(struct err *err, enum err_code code, const char *format, ...)
{
	if (!err)
		return code;
	va_list arguments;
	va_start(arguments, format);
	err->code = code;
	err->field[0] = '\0';
	print(err->message, sizeof(err->message), format, arguments);
	va_end(arguments);
	return code;
}

enum err_code err_set_fieldv(struct err *err, enum err_code code, const char *field,
			     const char *format, va_list arguments)
{
	if (!err)
		return code;
	err->code = code;
	text_print(err->field, sizeof(err->field), "%s", field);
	print(err->message, sizeof(err->message), format, arguments);
	return code;
}

enum err_code err_set_field(struct err *err, enum err_code code, const char *field,
			    const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	err_set_fieldv(err, code, field, format, arguments);
	va_end(arguments);
	return code;
}

enum err_code err_prefix_field(struct err *err, const char *path)
{
	if (!err)
		return ERR_INTERNAL;
	char field[ERR_FIELD_MAX];
	const char *dot = err->field[0] && err->field[0] != '[' ? "." : "";
	text_print(field, sizeof(field), "%s%s%s", path, dot, err->field);
	memcpy(err->field, field, sizeof(field));
	return err->code;
}

enum err_code err_prefix(struct err *err, const char *format, ...)
{
	if (!err)
		return ERR_INTERNAL;
	struct text text;
	text_init(&text, sizeof(err->message) - 1);
	va_list arguments;
	va_start(arguments, format);
	text_addv(&text, format, arguments);
	va_end(arguments);
	text_add(&text, ": ");
	text_add(&text, err->message);
	memcpy(err->message, text_string(&text), text.len + 1);
	text_release(&text);
	return err->code;
}
