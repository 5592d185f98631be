#include "cli/project.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "compose/compose.h"
#include "compose/dotenv.h"

/* A whole file, bounded. `name` is how messages call it. */
static char *read_path(int fd, const char *name, size_t *ret_len, struct err *err)
{
	struct text text;
	char chunk[16384];
	ssize_t n;
	text_init(&text, LIMIT_YAML_FILE_BYTES);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0 && !text.cut)
		text_add_bytes(&text, chunk, (size_t)n);
	if (n < 0 || text.cut) {
		if (text.cut)
			err_set_field(err, ERR_TOO_LARGE, name, "is larger than %d bytes",
				      LIMIT_YAML_FILE_BYTES);
		else
			err_set_field(err, ERR_IO, name, "cannot be read: %s", strerror(errno));
		text_release(&text);
		return NULL;
	}
	*ret_len = text.len;
	return text_take(&text);
}

static char *read_file(void *reader, const char *path, size_t *ret_len, struct err *err)
{
	(void)reader;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		err_set_field(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, path,
			      "cannot be opened: %s", strerror(errno));
		return NULL;
	}
	char *text = read_path(fd, path, ret_len, err);
	close(fd);
	return text;
}

/* Add the first of the names that is there, below the folder; that another one is there as well is told. */
static bool add_first(const char *folder, const char *const *names, size_t n, struct strings *files)
{
	_cleanup_free_ char *first = NULL;
	for (size_t i = 0; i < n; i++) {
		struct text path;
		text_init(&path, LIMIT_PATH_BYTES);
		text_addf(&path, "%s%s", folder, names[i]);
		bool there = access(text_string(&path), F_OK) == 0;
		if (there && first) {
			fprintf(stderr, "warning: %s is read, and not %s beside it\n", first,
				text_string(&path));
		} else if (there) {
			first = base_strdup(text_string(&path));
			strings_add(files, first);
		}
		text_release(&path);
	}
	return first != NULL;
}

/* The file of this folder, or of the nearest above it that has one, and what lies beside it to be merged over it. */
static void add_default_files(struct strings *files)
{
	static const char *const names[] = { "compose.yaml", "compose.yml", "docker-compose.yaml",
					     "docker-compose.yml" };
	static const char *const overrides[] = { "compose.override.yaml", "compose.override.yml",
						 "docker-compose.override.yaml",
						 "docker-compose.override.yml" };
	char resolved[PATH_MAX];
	struct text folder;
	text_init(&folder, LIMIT_PATH_BYTES);
	while (!folder.cut && realpath(folder.len ? text_string(&folder) : ".", resolved)) {
		if (add_first(text_string(&folder), names, ARRAY_LEN(names), files)) {
			add_first(text_string(&folder), overrides, ARRAY_LEN(overrides), files);
			break;
		}
		if (strcmp(resolved, "/") == 0)
			break;
		text_add(&folder, "../");
	}
	text_release(&folder);
}

/* What is set in the environment, else in `own`. */
static const char *variable(const struct pairs *own, const char *name)
{
	const char *value = getenv(name);
	return value ? value : pairs_get(own, name);
}

/* COMPOSE_FILE: several names, parted by COMPOSE_PATH_SEPARATOR. */
static void add_named_files(const struct pairs *own, struct strings *files)
{
	const char *named = variable(own, "COMPOSE_FILE");
	const char *separator = variable(own, "COMPOSE_PATH_SEPARATOR");
	if (!named)
		return;
	if (!separator || !*separator)
		separator = ":";
	while (*named) {
		const char *end = strstr(named, separator);
		size_t len = end ? (size_t)(end - named) : strlen(named);
		_cleanup_free_ char *file = base_strndup(named, len);
		if (*file)
			strings_add(files, file);
		named += len + (end ? strlen(separator) : 0);
	}
}

static void add_absolute(const char *name, struct strings *paths)
{
	char folder[PATH_MAX];
	struct text path;
	text_init(&path, LIMIT_PATH_BYTES);
	if (name[0] != '/' && getcwd(folder, sizeof(folder)))
		text_addf(&path, "%s/", folder);
	text_add(&path, name);
	strings_add(paths, text_string(&path));
	text_release(&path);
}

static void read_environment(struct pairs *environment)
{
	for (char **at = environ; *at; at++) {
		const char *equals = strchr(*at, '=');
		if (!equals)
			continue;
		_cleanup_free_ char *key = base_strndup(*at, (size_t)(equals - *at));
		pairs_add(environment, key, equals + 1);
	}
}

/* The files of variables, absolute: those of --env-file, else of COMPOSE_ENV_FILES, parted by commas. */
static void find_environment_files(const struct invocation *invocation, struct strings *paths)
{
	const struct strings *given = cli_strings(invocation, "env-file");
	const char *named = given->n ? NULL : getenv("COMPOSE_ENV_FILES");
	for (size_t i = 0; i < given->n; i++)
		add_absolute(given->items[i], paths);
	while (named && *named) {
		size_t len = strcspn(named, ",");
		_cleanup_free_ char *name = base_strndup(named, len);
		if (*name)
			add_absolute(name, paths);
		named += len;
		named += *named == ',';
	}
}

/* What the files of variables say of the choice of Compose files. Their mistakes are reported when they are read again
 * for the project. */
static void read_own_variables(const struct invocation *invocation, struct pairs *own)
{
	struct strings paths = { 0 };
	struct pairs environment = { 0 };
	struct interpolation lookup = { .first = &environment };
	find_environment_files(invocation, &paths);
	if (!paths.n) {
		struct text path;
		text_init(&path, LIMIT_PATH_BYTES);
		text_addf(&path, "%s/.env", cli_string(invocation, "project-directory", "."));
		strings_add(&paths, text_string(&path));
		text_release(&path);
	}
	read_environment(&environment);
	for (size_t i = 0; i < paths.n; i++) {
		size_t len = 0;
		struct err unread;
		_cleanup_free_ char *text = read_file(NULL, paths.items[i], &len, &unread);
		if (text && dotenv_parse(text, len, paths.items[i], false, &lookup, own, &unread))
			break;
	}
	pairs_release(&environment);
	strings_release(&paths);
}

static enum err_code choose_files(const struct invocation *invocation, struct strings *files,
				  struct err *err)
{
	const struct strings *given = cli_strings(invocation, "file");
	struct pairs own = { 0 };
	for (size_t i = 0; i < given->n; i++)
		strings_add(files, given->items[i]);
	if (!files->n) {
		read_own_variables(invocation, &own);
		add_named_files(&own, files);
		pairs_release(&own);
	}
	if (!files->n)
		add_default_files(files);
	if (!files->n)
		return err_set(
			err, ERR_NOT_FOUND,
			"no compose.yaml in this folder or above it; name the file with --file");
	return ERR_NONE;
}

/* The absolute folder of the file: where relative paths in it start. */
static char *folder_of(const char *file)
{
	char resolved[PATH_MAX];
	if (strcmp(file, "-") == 0)
		return getcwd(resolved, sizeof(resolved)) ? base_strdup(resolved)
							  : base_strdup("/");
	if (!realpath(file, resolved))
		return base_strdup("/");
	char *slash = strrchr(resolved, '/');
	return slash == resolved ? base_strdup("/")
				 : base_strndup(resolved, (size_t)(slash - resolved));
}

/* The folder that relative paths start from: --project-directory, else that of the first file. */
static enum err_code choose_folder(const struct invocation *invocation, const char *first_file,
				   char **ret_folder, struct err *err)
{
	char resolved[PATH_MAX];
	const char *named = cli_string(invocation, "project-directory", NULL);
	if (!named) {
		*ret_folder = folder_of(first_file);
		return ERR_NONE;
	}
	if (!realpath(named, resolved))
		return err_set_field(err, ERR_NOT_FOUND, "--project-directory", "%s: %s", named,
				     strerror(errno));
	*ret_folder = base_strdup(resolved);
	return ERR_NONE;
}

/* How messages begin a path below that folder. */
static char *shown_folder(const struct invocation *invocation, const char *first_file)
{
	const char *named = cli_string(invocation, "project-directory", NULL);
	const char *slash = strrchr(first_file, '/');
	struct text shown;
	if (!named)
		return base_strndup(first_file, slash ? (size_t)(slash - first_file) + 1 : 0);
	text_init(&shown, LIMIT_PATH_BYTES);
	text_addf(&shown, "%s/", named);
	return text_take(&shown);
}

/* What is asked of the files. */
struct wish {
	const struct strings *services;
	bool may_be_empty;
	struct compose_origins *origins;
};

static enum err_code parse(const struct invocation *invocation, const char *first_name,
			   struct compose_options *options, struct project_request *ret_request,
			   struct compose_warnings *warnings, struct err *err)
{
	struct pairs environment = { 0 };
	struct strings environment_files = { 0 };
	_cleanup_free_ char *folder = NULL;
	enum err_code code = choose_folder(invocation, first_name, &folder, err);
	if (code)
		return code;
	_cleanup_free_ char *shown = shown_folder(invocation, first_name);
	read_environment(&environment);
	find_environment_files(invocation, &environment_files);
	options->directory = folder;
	options->shown_directory = shown;
	options->project_name = cli_string(invocation, "project-name", NULL);
	options->environment = &environment;
	options->environment_files = &environment_files;
	options->profiles = cli_strings(invocation, "profile");
	options->read_file = read_file;
	code = compose_load(options, ret_request, warnings, err);
	pairs_release(&environment);
	strings_release(&environment_files);
	return code;
}

/* "-" is standard input. */
static enum err_code read_compose_file(const char *name, struct compose_file *ret_file,
				       struct err *err)
{
	bool is_stdin = strcmp(name, "-") == 0;
	struct compose_file file = { .name = is_stdin ? "standard input" : name };
	if (is_stdin)
		file.text = read_path(STDIN_FILENO, file.name, &file.len, err);
	else
		file.text = read_file(NULL, name, &file.len, err);
	if (!file.text)
		return err->code;
	*ret_file = file;
	return ERR_NONE;
}

static enum err_code load(const struct invocation *invocation, const struct strings *names,
			  const struct wish *wish, struct project_request *ret_request,
			  struct compose_warnings *warnings, struct err *err)
{
	_cleanup_free_ struct compose_file *files = base_calloc(names->n, sizeof(*files));
	struct compose_options options = { .files = files,
					   .services = wish->services,
					   .may_be_empty = wish->may_be_empty,
					   .origins = wish->origins };
	enum err_code code = ERR_NONE;
	for (; !code && options.n_files < names->n; options.n_files++)
		code = read_compose_file(names->items[options.n_files], &files[options.n_files],
					 err);
	if (!code)
		code = parse(invocation, names->items[0], &options, ret_request, warnings, err);
	for (size_t i = 0; i < options.n_files; i++)
		base_free((char *)(uintptr_t)files[i].text);
	return code;
}

/* Each on its line; how many they are becomes the error that ends the command. */
static void tell_mistakes(const struct invocation *invocation,
			  const struct compose_warnings *warnings, struct err *err)
{
	const struct strings *others = &warnings->mistakes;
	size_t n = 1 + others->n + warnings->n_untold;
	cli_fail(invocation, err);
	for (size_t i = 0; i < others->n; i++)
		fprintf(stderr, "drover %s: %s\n", invocation->command->name, others->items[i]);
	if (warnings->n_untold)
		err_set(err, err->code, "%zu mistakes, of which these are the first", n);
	else
		err_set(err, err->code, "%zu mistakes", n);
}

static enum err_code load_wish(const struct invocation *invocation, const struct wish *wish,
			       struct project_request *ret_request, struct err *err)
{
	struct strings files = { 0 };
	struct compose_warnings warnings = { 0 };
	enum err_code code = choose_files(invocation, &files, err);
	if (!code)
		code = load(invocation, &files, wish, ret_request, &warnings, err);
	strings_release(&files);
	for (size_t i = 0; i < warnings.items.n; i++)
		fprintf(stderr, "warning: %s\n", warnings.items.items[i]);
	if (warnings.mistakes.n)
		tell_mistakes(invocation, &warnings, err);
	strings_release(&warnings.items);
	strings_release(&warnings.mistakes);
	return code;
}

const char *project_option(const struct invocation *invocation)
{
	static const char *const names[] = { "file", "project-name", "project-directory",
					     "env-file", "profile" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (cli_has(invocation, names[i]))
			return names[i];
	return NULL;
}

/* Of what was not found: is it a file, where services are named? */
static enum err_code hint_at_file(const struct invocation *invocation,
				  const struct strings *services, struct err *err)
{
	for (size_t i = 0; services && i < services->n; i++) {
		const char *name = services->items[i];
		const char *dot = strrchr(name, '.');
		if (dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0))
			return err_set(err, ERR_NOT_FOUND,
				       "\"%s\" is no service; a file is named with --file: "
				       "drover %s -f %s",
				       name, invocation->command->name, name);
	}
	return err->code;
}

enum err_code project_load(const struct invocation *invocation, const struct strings *services,
			   struct project_request *ret_request, struct compose_origins *ret_origins,
			   struct err *err)
{
	struct wish wish = { .services = services, .origins = ret_origins };
	enum err_code code = load_wish(invocation, &wish, ret_request, err);
	return code == ERR_NOT_FOUND ? hint_at_file(invocation, services, err) : code;
}

enum err_code project_identify(const struct invocation *invocation,
			       struct project_request *ret_request, struct err *err)
{
	struct wish wish = { .may_be_empty = true };
	const char *name = cli_string(invocation, "project-name", NULL);
	if (!name || cli_has(invocation, "file"))
		return load_wish(invocation, &wish, ret_request, err);
	record_init(&project_request_type, ret_request);
	string_set(&ret_request->name, name);
	return ERR_NONE;
}
