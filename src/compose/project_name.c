#include "compose/project_name.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "compose/read.h"

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* [a-z0-9][a-z0-9_-]*; Compose's rule, and narrower than name_check(). */
static bool is_name(const char *name)
{
	size_t len = 0;
	while (is_name_char(name[len]))
		len++;
	if (len == 0 || name[len])
		return false;
	return name[0] != '_' && name[0] != '-' && !name_check(name, "", NULL);
}

#define NAME_RULE                                                                                  \
	"is not a project name: lower-case letters, digits, - and _, at most 63, with a letter "   \
	"or "                                                                                      \
	"digit first and last"

/* The last step of a path as a name: lower case, without what a name cannot hold. */
static char *name_of_directory(const char *directory)
{
	size_t end = strlen(directory);
	while (end > 0 && directory[end - 1] == '/')
		end--;
	size_t start = end;
	while (start > 0 && directory[start - 1] != '/')
		start--;
	struct text name;
	text_init(&name, LIMIT_NAME_BYTES);
	for (size_t i = start; i < end; i++) {
		char c = directory[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		bool edge = c == '_' || c == '-';
		if (is_name_char(c) && !(edge && name.len == 0))
			text_add_char(&name, c);
	}
	while (name.len && (name.bytes[name.len - 1] == '_' || name.bytes[name.len - 1] == '-'))
		name.bytes[--name.len] = '\0';
	return text_take(&name);
}

static enum err_code take(const char *name, const char *source, char **ret_name, struct err *err)
{
	if (!is_name(name))
		return err_set_field(err, ERR_INVALID, source, "\"%s\" " NAME_RULE, name);
	*ret_name = base_strdup(name);
	return ERR_NONE;
}

/* `name` of the last root that has it; `ret_at` is its place. */
static enum err_code written_name(struct load *load, struct tree_node *const *roots, size_t n_roots,
				  struct at *root, struct at *ret_at, const char **ret_name,
				  struct err *err)
{
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < n_roots; i++) {
		const struct tree_entry *entry = tree_entry_of(roots[i], "name");
		if (!entry)
			continue;
		*root = (struct at){ .load = load, .node = roots[i] };
		code = at_entry(root, entry, ret_at, err);
		if (!code)
			code = get_string(ret_at, ret_name, err);
	}
	return code;
}

enum err_code project_name_find(struct load *load, struct tree_node *const *roots, size_t n_roots,
				char **ret_name, struct err *err)
{
	const struct compose_options *options = load->options;
	const char *variable = pairs_get(&load->environment, "COMPOSE_PROJECT_NAME");
	struct at root, at;
	const char *written = NULL;
	enum err_code code = written_name(load, roots, n_roots, &root, &at, &written, err);
	if (code)
		return code;
	if (options->project_name)
		return take(options->project_name, "project name", ret_name, err);
	if (variable && *variable)
		return take(variable, "COMPOSE_PROJECT_NAME", ret_name, err);
	if (written && !is_name(written))
		return at_fail(&at, err, ERR_INVALID, "\"%s\" " NAME_RULE, written);
	if (written)
		return take(written, "name", ret_name, err);
	char *name = name_of_directory(options->directory);
	if (*name) {
		*ret_name = name;
		return ERR_NONE;
	}
	base_free(name);
	return err_set_field(
		err, ERR_INVALID, options->files[0].name,
		"the directory %s gives no project name; write name: in the file, or use -p",
		options->directory);
}
