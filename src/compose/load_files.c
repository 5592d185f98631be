/* The files of a load: parsed once, kept until the load ends, since nodes of all of them make the project. */
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

enum err_code load_add_file(struct load *load, const struct compose_file *file,
			    const char *directory, const struct pairs *environment,
			    struct tree_node **ret_root, struct err *err)
{
	enum err_code code = check_file(load, file, err);
	if (code)
		return code;
	struct load_file *added = base_calloc(1, sizeof(*added));
	struct load_file **slot = list_add(&load->files, sizeof(struct load_file *));
	*slot = added;
	added->source = (struct source){ .name = base_strdup(file->name),
					 .directory = base_strdup(directory),
					 .environment = environment };
	code = tree_parse_source(file->text, file->len, &added->source, &added->tree, err);
	if (code)
		return code;
	struct at root = { .load = load, .node = added->tree.root };
	if (!root.node || at_is_null(&root))
		return err_set_field(err, ERR_INVALID, file->name, "the file is empty");
	code = expect_map(&root, err);
	if (!code)
		*ret_root = root.node;
	return code;
}

static void load_file_free(struct load_file *file)
{
	tree_release(&file->tree);
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
	tree_release(&load->merged);
	for (size_t i = 0; i < load->origins.n; i++) {
		base_free(load->origins.items[i].record_path);
		base_free(load->origins.items[i].field);
	}
	base_free(load->origins.items);
}
