/* Invariants:
 * 1. The request is the caller's only when everything was read and checked; until then load.request is released here.
 * 2. A key is never passed over: keys_read() is the only way into a mapping whose keys the specification names.
 * 3. Order: .env, name, assembling, then the top level by its table; variables see the name as
 *    COMPOSE_PROJECT_NAME. */
#include "compose/compose.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "compose/assemble.h"
#include "compose/dotenv.h"
#include "compose/keys.h"
#include "compose/project_name.h"
#include "compose/service.h"

#define ENVIRONMENT_FILE ".env"

static void add_environment(struct load *load, const struct pairs *environment)
{
	for (size_t i = 0; environment && i < environment->n; i++)
		if (environment->items[i].value)
			pairs_put(&load->environment, environment->items[i].key,
				  environment->items[i].value);
}

static void warn_unset(void *context, const char *place, const char *variable)
{
	load_warn(context, place, UNSET_WARNING, variable);
}

/* The deployer's environment over DIRECTORY/.env, whose values may use the former. */
static enum err_code read_environment_file(struct load *load, struct err *err)
{
	const struct compose_options *options = load->options;
	struct err read_err = { 0 };
	struct text path;
	size_t len = 0;
	if (!options->read_file)
		return ERR_NONE;
	text_init(&path, LIMIT_PATH_BYTES);
	text_addf(&path, "%s/" ENVIRONMENT_FILE, options->directory);
	_cleanup_free_ char *text =
		options->read_file(options->reader, text_string(&path), &len, &read_err);
	enum err_code code = ERR_NONE;
	if (text) {
		struct interpolation deployer = { .first = options->environment,
						  .unset = warn_unset,
						  .context = load };
		code = dotenv_parse(text, len, ENVIRONMENT_FILE, false, &deployer,
				    &load->environment, err);
	} else if (read_err.code != ERR_NOT_FOUND) {
		code = err_set_field(err, read_err.code ? read_err.code : ERR_IO,
				     text_string(&path), "the file cannot be read: %s",
				     read_err.message);
	}
	text_release(&path);
	return code;
}

static bool has_job(const struct project_request *request, const char *name)
{
	for (size_t i = 0; i < request->jobs.n; i++)
		if (strcmp(request->jobs.items[i].name, name) == 0)
			return true;
	return false;
}

/* `required: false` lets a service start without the other; its absence is still worth a word. */
static void warn_missing(struct load *load)
{
	for (size_t i = 0; i < load->request->jobs.n; i++) {
		const struct job_spec *spec = &load->request->jobs.items[i].spec;
		for (size_t j = 0; j < spec->depends_on.n; j++) {
			const char *name = spec->depends_on.items[j].job;
			char path[64];
			text_print(path, sizeof(path), "jobs[%zu].spec.depends_on[%zu]", i, j);
			if (!has_job(load->request, name))
				load_warn_origin(load, path,
						 "there is no service %s; it is not waited for",
						 name);
		}
	}
}

/* Every file's root, in order. */
static enum err_code parse_files(struct load *load, struct tree_node **roots, struct err *err)
{
	const struct compose_options *options = load->options;
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < options->n_files; i++)
		code = load_add_file(load, &options->files[i], options->directory,
				     &load->environment, &roots[i], err);
	return code;
}

static enum err_code read_root(const struct at *root, struct err *err)
{
	struct load *load = root->load;
	enum err_code code = keys_read(root, SECTION_FILE, load, err);
	if (!code && load->request->jobs.n == 0)
		code = at_fail(root, err, ERR_INVALID, "the file has no services");
	if (code)
		return code;
	add_default_network(load);
	code = project_request_check(load->request, err);
	if (code)
		load_blame_origin(load, err);
	else
		warn_missing(load);
	return code;
}

static enum err_code read_all(struct load *load, struct tree_node **roots, struct err *err)
{
	size_t n_roots = load->options->n_files;
	struct at root = { .load = load };
	enum err_code code = parse_files(load, roots, err);
	if (!code)
		code = read_environment_file(load, err);
	if (code)
		return code;
	add_environment(load, load->options->environment);
	code = project_name_find(load, roots, n_roots, &load->request->name, err);
	if (code)
		return code;
	pairs_put(&load->environment, "COMPOSE_PROJECT_NAME", load->request->name);
	code = assemble(load, roots, n_roots, &root.node, err);
	return code ? code : read_root(&root, err);
}

enum err_code compose_load(const struct compose_options *options,
			   struct project_request *ret_request, struct compose_warnings *warnings,
			   struct err *err)
{
	struct project_request request;
	struct err unread;
	struct load load = { .options = options, .warnings = warnings, .request = &request };
	PRE(options->n_files > 0);
	_cleanup_free_ struct tree_node **roots =
		base_calloc(options->n_files, sizeof(struct tree_node *));
	record_init(&project_request_type, &request);
	enum err_code code = read_all(&load, roots, err ? err : &unread);
	load_release(&load);
	if (code)
		record_release(&project_request_type, &request);
	else
		*ret_request = request;
	return code;
}
