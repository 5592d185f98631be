/* Mounts. Short form: [SOURCE:]TARGET[:OPTIONS]; a source that begins with . / or ~ is a path, else a volume.
 *
 * Order of the mounts in a job: `volumes` as written, then `tmpfs` without options, then `tmpfs` with options; so the
 * printed form, which can say the second only under volumes, reads back the same. */
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/parse.h"
#include "compose/keys.h"
#include "compose/paths.h"
#include "compose/service.h"

static void add_mount(const struct at *at, struct service *service, const struct mount *mount)
{
	at_origin(at, "mounts[%zu]", service->spec.mounts.n);
	struct mount *added = list_add(&service->spec.mounts, sizeof(*added));
	record_copy(&mount_type, added, mount);
}

static bool is_path(const char *source)
{
	return source[0] == '/' || source[0] == '.' || source[0] == '~';
}

static enum err_code take_source(const struct at *at, const char *source, struct mount *mount,
				 struct err *err)
{
	if (is_path(source)) {
		mount->kind = MOUNT_BIND;
		return path_resolve(at, source, &mount->source, err);
	}
	mount->kind = MOUNT_VOLUME;
	if (strchr(source, '/'))
		return at_fail(
			at, err, ERR_INVALID,
			"\"%s\" is neither a volume's name nor a path; a path begins with ./ or /",
			source);
	if (!*source)
		return at_fail(at, err, ERR_INVALID, "the source before the colon is empty");
	string_set(&mount->source, source);
	return ERR_NONE;
}

/* One word of the options behind the second colon. */
static enum err_code take_option(const struct at *at, const char *word, size_t len,
				 struct mount *mount, struct err *err)
{
	static const char *const propagations[] = { "private", "rprivate", "shared",
						    "rshared", "slave",	   "rslave" };
	char option[16];
	text_print(option, sizeof(option), "%.*s", (int)(len < 15 ? len : 15), word);
	if (strcmp(option, "ro") == 0 || strcmp(option, "rw") == 0) {
		mount->read_only = option[1] == 'o';
		return ERR_NONE;
	}
	if (strcmp(option, "nocopy") == 0) {
		mount->nocopy = true;
		return ERR_NONE;
	}
	for (size_t i = 0; i < ARRAY_LEN(propagations); i++)
		if (strcmp(option, propagations[i]) == 0) {
			string_set(&mount->propagation, option);
			return ERR_NONE;
		}
	if (strcmp(option, "z") == 0 || strcmp(option, "Z") == 0) {
		mount->selinux = option[0] == 'z' ? SELINUX_SHARED : SELINUX_PRIVATE;
		return ERR_NONE;
	}
	if (strcmp(option, "cached") == 0 || strcmp(option, "delegated") == 0 ||
	    strcmp(option, "consistent") == 0) {
		at_warn(at, "the option %s changes nothing: it is for Docker Desktop for Mac",
			option);
		return ERR_NONE;
	}
	return at_fail(
		at, err, ERR_INVALID,
		"the option \"%s\" is none of ro, rw, nocopy, z, Z, private, rprivate, shared, "
		"rshared, slave, rslave",
		option);
}

static enum err_code take_options(const struct at *at, const char *options, struct mount *mount,
				  struct err *err)
{
	enum err_code code = ERR_NONE;
	for (;;) {
		size_t len = strcspn(options, ",");
		code = take_option(at, options, len, mount, err);
		if (code || !options[len])
			return code;
		options += len + 1;
	}
}

static enum err_code split_short(const struct at *at, const char *text, struct mount *mount,
				 struct err *err)
{
	const char *first = strchr(text, ':');
	const char *second = first ? strchr(first + 1, ':') : NULL;
	if (second && strchr(second + 1, ':'))
		return at_fail(at, err, ERR_INVALID,
			       "expected [SOURCE:]TARGET[:OPTIONS], found \"%s\"", text);
	if (!first) {
		mount->kind = MOUNT_VOLUME;
		string_set(&mount->target, text);
		return ERR_NONE;
	}
	_cleanup_free_ char *source = base_strndup(text, (size_t)(first - text));
	size_t target_len = second ? (size_t)(second - first - 1) : strlen(first + 1);
	mount->target = base_strndup(first + 1, target_len);
	enum err_code code = take_source(at, source, mount, err);
	return code || !second ? code : take_options(at, second + 1, mount, err);
}

static enum err_code read_short(const struct at *at, struct service *service, struct err *err)
{
	const char *text;
	struct mount mount;
	enum err_code code = get_string(at, &text, err);
	if (code)
		return code;
	record_init(&mount_type, &mount);
	code = split_short(at, text, &mount, err);
	if (!code && mount.target[0] != '/')
		code = at_fail(at, err, ERR_INVALID,
			       "the path in the container must begin with /, found \"%s\"",
			       mount.target);
	if (!code)
		add_mount(at, service, &mount);
	record_release(&mount_type, &mount);
	return code;
}

enum err_code read_mount_type(const struct at *at, void *target, struct err *err)
{
	struct mount_read *read = target;
	const char *type;
	enum err_code code = get_string(at, &type, err);
	if (code)
		return code;
	read->type_written = true;
	if (enum_value(mount_kind_names, type, &read->mount.kind))
		return ERR_NONE;
	if (strcmp(type, "image") == 0)
		return at_fail(at, err, ERR_UNSUPPORTED,
			       "type image is refused: a machine pulls the image of the service "
			       "only, so this one would be missing; copy from it to a volume");
	if (strcmp(type, "npipe") == 0 || strcmp(type, "cluster") == 0)
		return at_fail(at, err, ERR_UNSUPPORTED,
			       "type %s is refused: it is for Windows and for Swarm; use volume, "
			       "bind or tmpfs",
			       type);
	return fail_type(at, "volume, bind or tmpfs", err);
}

static enum err_code read_kind(const struct at *at, struct mount_read *read, enum mount_kind kind,
			       enum section_id section, struct err *err)
{
	if (read->mount.kind != (int)kind || !read->type_written)
		return at_fail_key(at, err, ERR_INVALID, "%s is for a mount of type %s", at->name,
				   at->name);
	return keys_read(at, section, &read->mount, err);
}

enum err_code read_mount_bind(const struct at *at, void *target, struct err *err)
{
	return read_kind(at, target, MOUNT_BIND, SECTION_MOUNT_BIND, err);
}

enum err_code read_mount_volume(const struct at *at, void *target, struct err *err)
{
	return read_kind(at, target, MOUNT_VOLUME, SECTION_MOUNT_VOLUME, err);
}

enum err_code read_mount_tmpfs(const struct at *at, void *target, struct err *err)
{
	return read_kind(at, target, MOUNT_TMPFS, SECTION_MOUNT_TMPFS, err);
}

enum err_code read_recursive(const struct at *at, void *int_pointer, struct err *err)
{
	const char *word;
	enum err_code code = get_string(at, &word, err);
	if (!code && !enum_value(mount_recursive_names, word, int_pointer))
		code = fail_type(at, "enabled, disabled, writable or readonly", err);
	return code;
}

enum err_code read_selinux(const struct at *at, void *int_pointer, struct err *err)
{
	const char *word;
	enum err_code code = get_string(at, &word, err);
	if (!code && (!enum_value(mount_selinux_names, word, int_pointer) || strlen(word) > 1))
		code = fail_type(at, "z or Z", err);
	return code;
}

/* Octal only: 755 without a leading zero is decimal in YAML, which nobody means. */
enum err_code read_tmpfs_mode(const struct at *at, void *target, struct err *err)
{
	struct mount *mount = target;
	const char *text;
	enum err_code code = get_scalar(at, &text, err);
	if (code)
		return code;
	const char *digits = text + 1;
	if (*digits == 'o')
		digits++;
	size_t n = text[0] == '0' ? strspn(digits, "01234567") : 0;
	if (n == 0 || digits[n] || n > 4)
		return fail_type(at, "an octal mode with a leading zero like 01777", err);
	mount->tmpfs_mode = 0;
	for (; *digits; digits++)
		mount->tmpfs_mode = mount->tmpfs_mode * 8 + (*digits - '0');
	return ERR_NONE;
}

static enum err_code finish_long(const struct at *at, struct mount_read *read, struct err *err)
{
	struct mount *mount = &read->mount;
	if (!read->type_written)
		return at_fail(at, err, ERR_INVALID, "a mount needs a type: volume, bind or tmpfs");
	if (!mount->target)
		return at_fail(at, err, ERR_INVALID,
			       "a mount needs a target: the path in the container");
	if (mount->kind == MOUNT_TMPFS && mount->source)
		return at_fail(at, err, ERR_INVALID, "a tmpfs has no source");
	if (mount->kind != MOUNT_BIND)
		return ERR_NONE;
	if (!mount->source || !*mount->source)
		return at_fail(at, err, ERR_INVALID,
			       "a bind mount needs a source: a path on the machine");
	char *path;
	enum err_code code = path_resolve(at, mount->source, &path, err);
	if (code)
		return code;
	base_free(mount->source);
	mount->source = path;
	return ERR_NONE;
}

static enum err_code read_long(const struct at *at, struct service *service, struct err *err)
{
	struct mount_read read = { .type_written = false };
	record_init(&mount_type, &read.mount);
	enum err_code code = keys_read(at, SECTION_MOUNT, &read, err);
	if (!code)
		code = finish_long(at, &read, err);
	if (!code)
		add_mount(at, service, &read.mount);
	record_release(&mount_type, &read.mount);
	return code;
}

static enum err_code read_item(const struct at *item, void *service, struct err *err)
{
	return item->node->kind == TREE_MAP ? read_long(item, service, err)
					    : read_short(item, service, err);
}

enum err_code read_volumes(const struct at *at, void *service, struct err *err)
{
	return read_each_item(at, read_item, service, err);
}

/* `path[:options]`, when it has options as asked for. */
static enum err_code add_tmpfs(const struct at *at, struct service *service, bool with_options,
			       struct err *err)
{
	const char *text;
	enum err_code code = get_string(at, &text, err);
	if (code)
		return code;
	const char *colon = strchr(text, ':');
	if ((colon && colon[1]) != with_options)
		return ERR_NONE;
	struct mount mount;
	record_init(&mount_type, &mount);
	mount.kind = MOUNT_TMPFS;
	mount.target = base_strndup(text, colon ? (size_t)(colon - text) : strlen(text));
	string_set(&mount.tmpfs_options, with_options ? colon + 1 : NULL);
	if (mount.target[0] != '/')
		code = at_fail(at, err, ERR_INVALID,
			       "expected PATH[:OPTIONS] with a path that begins with /, "
			       "found \"%s\"",
			       text);
	else
		add_mount(at, service, &mount);
	record_release(&mount_type, &mount);
	return code;
}

enum err_code read_tmpfs(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	enum err_code code = ERR_NONE;
	bool list = at->node->kind == TREE_LIST;
	if (!list && (at->node->kind == TREE_MAP || at_is_null(at)))
		return fail_type(at, "a path or a list of paths", err);
	for (int with_options = 0; !code && with_options < 2; with_options++) {
		if (!list)
			code = add_tmpfs(at, service, with_options, err);
		for (size_t i = 0; list && !code && i < at->node->n; i++) {
			struct at item;
			code = at_item(at, i, &item, err);
			if (!code)
				code = add_tmpfs(&item, service, with_options, err);
		}
	}
	return code;
}
