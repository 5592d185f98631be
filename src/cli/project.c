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

static const char *default_file(void)
{
	static const char *const names[] = { "compose.yaml", "compose.yml", "docker-compose.yaml",
					     "docker-compose.yml" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (access(names[i], R_OK) == 0)
			return names[i];
	return NULL;
}

static enum err_code choose_file(const struct invocation *invocation, const char **ret_file,
				 struct err *err)
{
	const struct strings *files = cli_strings(invocation, "file");
	if (files->n > 1)
		return err_set_field(err, ERR_UNSUPPORTED, "--file",
				     "several Compose files cannot be merged yet: give one");
	const char *named = getenv("COMPOSE_FILE");
	if (!files->n && named && strchr(named, ':'))
		return err_set_field(err, ERR_UNSUPPORTED, "COMPOSE_FILE",
				     "several Compose files cannot be merged yet: name one");
	*ret_file = files->n ? files->items[0] : named && *named ? named : default_file();
	if (!*ret_file)
		return err_set(err, ERR_NOT_FOUND,
			       "no compose.yaml in this folder; name the file with --file");
	return ERR_NONE;
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

static enum err_code load(const struct invocation *invocation, const char *file,
			  struct project_request *ret_request, struct compose_warnings *warnings,
			  struct err *err)
{
	size_t len = 0;
	bool from_stdin = strcmp(file, "-") == 0;
	_cleanup_free_ char *text = from_stdin
					    ? read_path(STDIN_FILENO, "standard input", &len, err)
					    : read_file(NULL, file, &len, err);
	if (!text)
		return err->code;
	struct pairs environment = { 0 };
	_cleanup_free_ char *folder = folder_of(file);
	read_environment(&environment);
	struct compose_options options = {
		.file_name = from_stdin ? "standard input" : file,
		.directory = folder,
		.project_name = cli_string(invocation, "project-name", NULL),
		.environment = &environment,
		.read_file = read_file,
	};
	enum err_code code = compose_load(text, len, &options, ret_request, warnings, err);
	pairs_release(&environment);
	return code;
}

enum err_code project_load(const struct invocation *invocation, struct project_request *ret_request,
			   struct err *err)
{
	const char *file;
	struct compose_warnings warnings = { 0 };
	enum err_code code = choose_file(invocation, &file, err);
	if (code)
		return code;
	code = load(invocation, file, ret_request, &warnings, err);
	for (size_t i = 0; i < warnings.items.n; i++)
		fprintf(stderr, "warning: %s\n", warnings.items.items[i]);
	strings_release(&warnings.items);
	return code;
}

enum err_code project_name(const struct invocation *invocation, char **ret_name, struct err *err)
{
	const char *name = cli_string(invocation, "project-name", NULL);
	struct project_request request = { 0 };
	if (name) {
		*ret_name = base_strdup(name);
		return ERR_NONE;
	}
	enum err_code code = project_load(invocation, &request, err);
	if (code)
		return code;
	*ret_name = base_strdup(request.name);
	record_release(&project_request_type, &request);
	return ERR_NONE;
}
