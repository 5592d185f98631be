#include "compose/paths.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/utf8.h"

/* Add `path`'s steps to `out`, which holds none or steps each begun by a slash. */
static void add_steps(struct text *out, const char *path)
{
	while (*path) {
		size_t len = strcspn(path, "/");
		if (len == 2 && memcmp(path, "..", 2) == 0) {
			while (out->len && out->bytes[out->len - 1] != '/')
				out->bytes[--out->len] = '\0';
			if (out->len)
				out->bytes[--out->len] = '\0';
		} else if (len > 0 && !(len == 1 && *path == '.')) {
			text_add_char(out, '/');
			text_add_bytes(out, path, len);
		}
		path += len;
		path += *path == '/';
	}
}

enum err_code path_resolve(const struct at *at, const char *path, char **ret_path, struct err *err)
{
	const char *base = path[0] == '/' ? "" : at->node->source->directory;
	if (path[0] == '~' && path[1] != '\0' && path[1] != '/')
		return at_fail(at, err, ERR_UNSUPPORTED,
			       "~ of another user is not resolved; write the whole path");
	if (path[0] == '~') {
		base = pairs_get(at->node->source->environment, "HOME");
		path++;
		if (!base || base[0] != '/')
			return at_fail(at, err, ERR_INVALID,
				       "~ needs the variable HOME, which is not set");
	}
	struct text out;
	text_init(&out, LIMIT_PATH_BYTES);
	add_steps(&out, base);
	add_steps(&out, path);
	if (out.len == 0)
		text_add_char(&out, '/');
	bool cut = out.cut;
	char *resolved = text_take(&out);
	bool valid = utf8_is_valid(resolved, strlen(resolved));
	if (!cut && valid) {
		*ret_path = resolved;
		return ERR_NONE;
	}
	base_free(resolved);
	if (cut)
		return at_fail(at, err, ERR_TOO_LARGE, "the path has more than %d bytes",
			       LIMIT_PATH_BYTES);
	return at_fail(at, err, ERR_INVALID, "the path is not UTF-8");
}

char *path_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	return base_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}
