#include "job/refuse.h"

#include <stdarg.h>

#include "base/text.h"

static void print_path(char out[ERR_FIELD_MAX], struct spot spot)
{
	if (!spot.list)
		text_print(out, ERR_FIELD_MAX, "%s", spot.member);
	else if (!spot.member)
		text_print(out, ERR_FIELD_MAX, "%s[%zu]", spot.list, spot.index);
	else
		text_print(out, ERR_FIELD_MAX, "%s[%zu].%s", spot.list, spot.index, spot.member);
}

enum err_code refuse(struct err *err, enum err_code code, struct spot spot, const char *format, ...)
{
	char path[ERR_FIELD_MAX];
	print_path(path, spot);
	va_list arguments;
	va_start(arguments, format);
	err_set_fieldv(err, code, path, format, arguments);
	va_end(arguments);
	return code;
}

enum err_code refuse_at(struct err *err, enum err_code code, struct spot spot)
{
	if (err)
		print_path(err->field, spot);
	return code;
}
