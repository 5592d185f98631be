/* env_file: files of variables, beneath `environment`. */
#include <string.h>

#include "base/alloc.h"
#include "compose/dotenv.h"
#include "compose/keys.h"
#include "compose/paths.h"
#include "compose/service.h"

enum err_code read_env_format(const struct at *at, void *bool_raw, struct err *err)
{
	const char *format;
	enum err_code code = get_string(at, &format, err);
	if (code)
		return code;
	if (strcmp(format, "raw") != 0)
		return fail_type(at, "raw, or no format at all", err);
	*(bool *)bool_raw = true;
	return ERR_NONE;
}

/* Read one file into the environment. `at` is the item that names it. */
static enum err_code load_file(const struct at *at, const struct env_file_read *file,
			       struct pairs *environment, struct err *err)
{
	_cleanup_free_ char *path = NULL;
	enum err_code code = path_resolve(at, file->path, &path, err);
	if (code)
		return code;
	size_t len = 0;
	_cleanup_free_ char *text = NULL;
	code = load_read(at, "env_file", path, &text, &len, err);
	if (code)
		return code == ERR_NOT_FOUND && !file->required ? ERR_NONE : code;
	struct interpolation interpolation = load_interpolation(at);
	return dotenv_parse(text, len, path, file->raw, &interpolation, environment, err);
}

static enum err_code read_one(const struct at *at, void *environment, struct err *err)
{
	struct env_file_read file = { .required = true };
	enum err_code code;
	if (at->node->kind == TREE_MAP)
		code = keys_read(at, SECTION_ENV_FILE, &file, err);
	else if (at->node->kind == TREE_SCALAR && !at_is_null(at))
		code = read_string(at, &file.path, err);
	else
		code = fail_type(at, "a path, or a mapping with path", err);
	if (!code && (!file.path || !*file.path))
		code = at_fail(at, err, ERR_INVALID, "an env_file needs a path");
	if (!code)
		code = load_file(at, &file, environment, err);
	base_free(file.path);
	return code;
}

enum err_code read_env_file(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	if (at->node->kind == TREE_SCALAR)
		return read_one(at, &service->spec.environment, err);
	return read_each_item(at, read_one, &service->spec.environment, err);
}
