#include "job/refuse.h"

#include <stdarg.h>

#include "base/text.h"

static void print_path(char out[ERR_FIELD_MAX], struct spot spot)
{
	struct text path;
	text_init(&path, ERR_FIELD_MAX - 1);
	if (spot.list)
		text_addf(&path, "%s[%zu]", spot.list, spot.index);
	if (spot.member)
		text_addf(&path, "%s%s", spot.list ? "." : "", spot.member);
	if (spot.key)
		text_addf(&path, ".%s", spot.key);
	text_print(out, ERR_FIELD_MAX, "%s", text_string(&path));
	text_release(&path);
}

struct spot spot_of_key(struct spot spot, const char *key)
{
	spot.key = key;
	return spot;
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
