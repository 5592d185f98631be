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
#include "compose/profiles.h"
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

/* The variables of one file, in whose values those of the deployer and of the files before it are replaced. */
static enum err_code read_variables(struct load *load, const char *path, const char *name,
				    struct err *err)
{
	const struct compose_options *options = load->options;
	struct err read_err = { 0 };
	size_t len = 0;
	_cleanup_free_ char *text = options->read_file(options->reader, path, &len, &read_err);
	struct interpolation deployer = { .first = options->environment,
					  .unset = warn_unset,
					  .context = load };
	if (!text && read_err.code == ERR_NOT_FOUND)
		return err_set_field(err, ERR_NOT_FOUND, path, "the file does not exist");
	if (!text)
		return err_set_field(err, read_err.code ? read_err.code : ERR_IO, path,
				     "the file %s", read_err.message);
	return dotenv_parse(text, len, name, false, &deployer, &load->environment, err);
}

/* Those of --env-file, else of DIRECTORY/.env where it is there. */
static enum err_code read_environment_files(struct load *load, struct err *err)
{
	const struct compose_options *options = load->options;
	const struct strings *files = options->environment_files;
	enum err_code code = ERR_NONE;
	if (!options->read_file)
		return ERR_NONE;
	for (size_t i = 0; files && !code && i < files->n; i++)
		code = read_variables(load, files->items[i], files->items[i], err);
	if (files && files->n)
		return code;
	struct text path;
	text_init(&path, LIMIT_PATH_BYTES);
	text_addf(&path, "%s/" ENVIRONMENT_FILE, options->directory);
	code = read_variables(load, text_string(&path), ENVIRONMENT_FILE, err);
	text_release(&path);
	return code == ERR_NOT_FOUND ? ERR_NONE : code;
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
			if (!spec->depends_on.items[j].project && !has_job(load->request, name) &&
			    !strings_has(&load->request->inactive, name))
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
	size_t n_entries = 0;
	for (size_t i = 0; !code && i < options->n_files; i++) {
		code = load_add_file(load, &options->files[i], options->directory,
				     &load->environment, &roots[i], err);
		n_entries += code ? 0 : roots[i]->n;
	}
	if (!code && n_entries == 0)
		code = err_set_field(err, ERR_INVALID, options->files[0].name, "the file is empty");
	return code;
}

static enum err_code read_root(const struct at *root, struct err *err)
{
	struct load *load = root->load;
	enum err_code code = keys_read(root, SECTION_FILE, load, err);
	if (!code && load->request->jobs.n == 0 && load->request->inactive.n == 0)
		code = at_fail(root, err, ERR_INVALID, "the file has no services");
	if (code)
		return code;
	add_default_network(load);
	code = profiles_check_dependencies(load, err);
	if (code)
		return code;
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
		code = read_environment_files(load, err);
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
	if (code)
		load_tell_mistakes(&load, err ? err : &unread);
	if (!code && options->origins) {
		*options->origins = load.origins;
		load.origins = (struct compose_origins){ 0 };
	}
	load_release(&load);
	if (code)
		record_release(&project_request_type, &request);
	else
		*ret_request = request;
	return code;
}
