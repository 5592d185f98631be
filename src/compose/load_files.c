/* The files of a load: parsed once, kept until the load ends, since nodes of all of them make the project. */
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "compose/at.h"
#include "compose/read.h"

static enum err_code check_file(struct load *load, const struct compose_file *file, struct err *err)
{
	load->file_bytes += (int64_t)file->len;
	if (load->files.n == LIMIT_COMPOSE_FILES)
		return err_set_field(err, ERR_TOO_LARGE, file->name,
				     "more than %d Compose files take part", LIMIT_COMPOSE_FILES);
	if (load->file_bytes > LIMIT_COMPOSE_BYTES)
		return err_set_field(err, ERR_TOO_LARGE, file->name,
				     "the Compose files together have more than %d bytes",
				     LIMIT_COMPOSE_BYTES);
	return ERR_NONE;
}

/* A file in which all lines are comments says nothing, as an override of which nothing is needed at present does. */
static struct tree_node *add_empty_map(struct load_file *file)
{
	const struct tree_node start = { .line = 1, .column = 1, .source = &file->source };
	return tree_add(&file->tree, TREE_MAP, &start);
}

static enum err_code add_file(struct load *load, const struct compose_file *file, const char *path,
			      const char *directory, const struct pairs *environment,
			      struct tree_node **ret_root, struct err *err)
{
	enum err_code code = check_file(load, file, err);
	if (code)
		return code;
	struct load_file *added = base_calloc(1, sizeof(*added));
	struct load_file **slot = list_add(&load->files, sizeof(struct load_file *));
	*slot = added;
	added->path = path ? base_strdup(path) : NULL;
	added->source = (struct source){ .name = base_strdup(file->name),
					 .directory = base_strdup(directory),
					 .environment = environment };
	code = tree_parse_source(file->text, file->len, &added->source, &added->tree, err);
	if (code)
		return code;
	struct at root = { .load = load, .node = added->tree.root };
	if (!root.node || at_is_null(&root))
		added->tree.root = root.node = add_empty_map(added);
	code = expect_map(&root, err);
	if (!code)
		*ret_root = root.node;
	return code;
}

enum err_code load_add_file(struct load *load, const struct compose_file *file,
			    const char *directory, const struct pairs *environment,
			    struct tree_node **ret_root, struct err *err)
{
	return add_file(load, file, NULL, directory, environment, ret_root, err);
}

struct pairs *load_add_environment(struct load *load)
{
	struct pairs **slot = list_add(&load->environments, sizeof(struct pairs *));
	*slot = base_calloc(1, sizeof(**slot));
	return *slot;
}

enum err_code load_read(const struct at *at, const char *noun, const char *path, char **ret_text,
			size_t *ret_len, struct err *err)
{
	const struct compose_options *options = at->load->options;
	struct err read_err = { 0 };
	if (!options->read_file)
		return at_fail(at, err, ERR_UNSUPPORTED, "files cannot be read here");
	char *text = options->read_file(options->reader, path, ret_len, &read_err);
	if (!text && read_err.code == ERR_NOT_FOUND)
		return at_fail(at, err, ERR_NOT_FOUND, "the %s %s does not exist", noun, path);
	if (!text)
		return at_fail(at, err, read_err.code ? read_err.code : ERR_IO, "the %s %s %s",
			       noun, path, read_err.message);
	*ret_text = text;
	return ERR_NONE;
}

/* As messages show a path: from where the caller stands when it lies below the project directory. */
static char *shown_name(const struct load *load, const char *path)
{
	const struct compose_options *options = load->options;
	size_t len = strlen(options->directory);
	struct text name;
	if (strncmp(path, options->directory, len) != 0 || path[len] != '/')
		return base_strdup(path);
	text_init(&name, LIMIT_PATH_BYTES);
	text_addf(&name, "%s%s", options->shown_directory ? options->shown_directory : "",
		  path + len + 1);
	return text_take(&name);
}

static struct tree_node *root_read_before(const struct load *load, const char *path,
					  const struct source *like)
{
	for (size_t i = 0; i < load->files.n; i++) {
		const struct load_file *file = load->files.items[i];
		if (file->path && strcmp(file->path, path) == 0 &&
		    strcmp(file->source.directory, like->directory) == 0 &&
		    file->source.environment == like->environment)
			return file->tree.root;
	}
	return NULL;
}

enum err_code load_read_root(const struct at *at, const char *path, const struct source *like,
			     struct tree_node **ret_root, struct err *err)
{
	struct load *load = at->load;
	struct compose_file file = { 0 };
	*ret_root = root_read_before(load, path, like);
	if (*ret_root)
		return ERR_NONE;
	_cleanup_free_ char *text = NULL;
	enum err_code code = load_read(at, "file", path, &text, &file.len, err);
	if (code)
		return code;
	_cleanup_free_ char *name = shown_name(load, path);
	file.name = name;
	file.text = text;
	return add_file(load, &file, path, like->directory, like->environment, ret_root, err);
}

static void load_file_free(struct load_file *file)
{
	tree_release(&file->tree);
	base_free(file->path);
	base_free(file->source.name);
	base_free(file->source.directory);
	base_free(file);
}

void load_release(struct load *load)
{
	pairs_release(&load->environment);
	strings_release(&load->warned);
	for (size_t i = 0; i < load->files.n; i++)
		load_file_free(load->files.items[i]);
	base_free(load->files.items);
	for (size_t i = 0; i < load->environments.n; i++) {
		pairs_release(load->environments.items[i]);
		base_free(load->environments.items[i]);
	}
	base_free(load->environments.items);
	tree_release(&load->merged);
	base_free(load->mistakes.items);
	compose_origins_release(&load->origins);
}
