/* Configs and secrets of the top level. Only those that a service uses are read, so a file that is missing matters to
 * its users only; the others are checked for their keys. */
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/limits.h"
#include "compose/keys.h"
#include "compose/paths.h"
#include "compose/service.h"

static enum err_code take_bytes(const struct at *at, struct content_read *read, const char *what,
				const char *bytes, size_t len, struct err *err)
{
	const char *noun = enum_name(content_kind_names, read->kind);
	if (len == 0)
		return at_fail(at, err, ERR_INVALID, "%s is empty, and a %s is not", what, noun);
	if (len > LIMIT_CONTENT_BYTES)
		return at_fail(at, err, ERR_TOO_LARGE, "%s has %zu bytes, and a %s at most %d",
			       what, len, noun, LIMIT_CONTENT_BYTES);
	base_free(read->content.data);
	read->content.data = base64_encode(bytes, len);
	return ERR_NONE;
}

static void take_origin(struct content_read *read, int origin, const char *name)
{
	read->n_origins++;
	read->content.origin = origin;
	string_set(&read->content.origin_name, name);
}

enum err_code read_content_file(const struct at *at, void *target, struct err *err)
{
	struct content_read *read = target;
	const char *name;
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	enum err_code code = get_string(at, &name, err);
	if (!code && !*name)
		code = at_fail(at, err, ERR_INVALID, "the path is empty");
	if (!code)
		code = path_resolve(at, name, &path, err);
	if (code)
		return code;
	take_origin(read, CONTENT_FILE, path);
	if (!read->used)
		return ERR_NONE;
	code = load_read(at, "file", path, &text, &len, err);
	if (code)
		return code;
	code = take_bytes(at, read, path, text, len, err);
	explicit_bzero(text, len);
	return code;
}

enum err_code read_content_environment(const struct at *at, void *target, struct err *err)
{
	struct content_read *read = target;
	const char *name;
	enum err_code code = get_string(at, &name, err);
	if (code)
		return code;
	const char *value = pairs_get(at->node->source->environment, name);
	take_origin(read, CONTENT_ENVIRONMENT, name);
	if (!read->used)
		return ERR_NONE;
	if (!value)
		return at_fail(at, err, ERR_INVALID, "the variable %s is not set", name);
	char what[LIMIT_NAME_BYTES];
	text_print(what, sizeof(what), "the variable %s", name);
	return take_bytes(at, read, what, value, strlen(value), err);
}

enum err_code read_content_inline(const struct at *at, void *target, struct err *err)
{
	struct content_read *read = target;
	const char *text;
	enum err_code code = get_string(at, &text, err);
	if (code)
		return code;
	take_origin(read, CONTENT_INLINE, NULL);
	return take_bytes(at, read, "it", text, strlen(text), err);
}

enum err_code read_content_external(const struct at *at, void *target, struct err *err)
{
	struct content_read *read = target;
	/* Older files have a mapping with a name there. */
	bool external = at->node->kind == TREE_MAP;
	enum err_code code = external ? ERR_NONE : get_bool(at, &external, err);
	if (code || !external)
		return code;
	return at_fail(at, err, ERR_UNSUPPORTED,
		       "external: true is refused: a %s belongs to its project, which brings it "
		       "along; write file or environment, which may name what all projects share",
		       enum_name(content_kind_names, read->kind));
}

static bool is_used(const struct project_request *request, int kind, const char *key)
{
	for (size_t i = 0; i < request->jobs.n; i++) {
		const struct job_spec *spec = &request->jobs.items[i].spec;
		for (size_t j = 0; j < job_spec_n_contents(spec); j++) {
			int of;
			const struct content_use *use = job_spec_content(spec, j, &of);
			if (of == kind && strcmp(use->source, key) == 0)
				return true;
		}
	}
	return false;
}

static enum err_code read_all_of(const struct at *at, struct content_read *read, struct err *err)
{
	bool secret = read->kind == CONTENT_SECRET;
	enum err_code code = ERR_NONE;
	if (!at_is_null(at))
		code = keys_read(at, secret ? SECTION_SECRET : SECTION_CONFIG, read, err);
	if (!code && read->n_origins != 1)
		code = at_fail_key(at, err, ERR_INVALID, "a %s needs one of %s",
				   enum_name(content_kind_names, read->kind),
				   secret ? "file and environment"
					  : "file, environment and content");
	return code;
}

static enum err_code read_one(const struct at *at, struct load *load, int kind, struct err *err)
{
	bool secret = kind == CONTENT_SECRET;
	struct content_read read = { .kind = kind, .used = is_used(load->request, kind, at->name) };
	size_t index = secret ? load->request->secrets.n : load->request->configs.n;
	if (read.used) {
		enter_part(at, secret ? "secrets" : "configs", index);
		string_set(&read.content.key, at->name);
	}
	enum err_code code = read_all_of(at, &read, err);
	load->record_prefix[0] = '\0';
	if (code || !read.used) {
		record_release(&content_request_type, &read.content);
		return code;
	}
	settle_name(load, read.content.key, false, &read.content.name);
	struct content_request *content =
		secret ? list_add(&load->request->secrets, sizeof(*content))
		       : list_add(&load->request->configs, sizeof(*content));
	*content = read.content;
	return ERR_NONE;
}

static enum err_code read_config(const struct at *at, struct load *load, struct err *err)
{
	return read_one(at, load, CONTENT_CONFIG, err);
}

static enum err_code read_secret(const struct at *at, struct load *load, struct err *err)
{
	return read_one(at, load, CONTENT_SECRET, err);
}

enum err_code read_configs(const struct at *at, void *load, struct err *err)
{
	return read_each_part(at, load, read_config, err);
}

enum err_code read_secrets(const struct at *at, void *load, struct err *err)
{
	return read_each_part(at, load, read_secret, err);
}
