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

enum err_code project_name_find(const struct at *root, char **ret_name, struct err *err)
{
	const struct compose_options *options = root->load->options;
	const char *variable = pairs_get(&root->load->environment, "COMPOSE_PROJECT_NAME");
	const struct tree_entry *entry = tree_entry_of(root->node, "name");
	struct at at;
	const char *written = NULL;
	enum err_code code = entry ? at_entry(root, entry, &at, err) : ERR_NONE;
	if (!code && entry)
		code = get_string(&at, &written, err);
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
		err, ERR_INVALID, options->file_name,
		"the directory %s gives no project name; write name: in the file, or use -p",
		options->directory);
}
