/* The Compose files of the commands that work on a project: which files, which name, parsed. */
#ifndef CLI_PROJECT_H
#define CLI_PROJECT_H

#include "cli/command.h"
#include "compose/compose.h"

/* The options of a command that reads a project. */
// clang-format off
#define OPTIONS_PROJECT OPTIONS_PROJECT_BUT('f')
/* With another letter for --file, or 0. */
#define OPTIONS_PROJECT_BUT(letter)                                                                \
	{ "file", letter, OPTION_STRINGS, "FILE",                                                  \
	  "Compose file; several are merged (default COMPOSE_FILE, else compose.yaml or "          \
	  "docker-compose.yaml, also .yml, of this folder or above, and the override beside it)" },\
	{ "project-name", 'p', OPTION_STRING, "NAME",                                              \
	  "project (default: the file's, else the folder's)" },                                    \
	{ "project-directory", 0, OPTION_STRING, "FOLDER",                                         \
	  "where relative paths start (default: the first file's folder)" },                       \
	{ "env-file", 0, OPTION_STRINGS, "FILE",                                                   \
	  "variables for the files, instead of .env; later ones win" },                            \
	{ "profile", 0, OPTION_STRINGS, "NAME",                                                    \
	  "with the services of this profile, * for all (also COMPOSE_PROFILES)" }
// clang-format on

/* The name of an option of OPTIONS_PROJECT that was given; NULL: none was. */
const char *project_option(const struct invocation *invocation);

/* Find, read and parse the files; warnings go to standard error. `services`: only these and what they depend on; NULL
 * or none: all. The caller releases the request, and what says where its parts are in the files (NULL:
 * not wanted). */
enum err_code project_load(const struct invocation *invocation, const struct strings *services,
			   struct project_request *ret_request, struct compose_origins *ret_origins,
			   struct err *err) WARN_UNUSED;

/* The same for who needs no services: none need be active, and with -p and no -f no file is read. */
enum err_code project_identify(const struct invocation *invocation,
			       struct project_request *ret_request, struct err *err) WARN_UNUSED;

#endif
