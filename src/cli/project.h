/* The Compose file of the commands that work on a project: which file, which name, parsed. */
#ifndef CLI_PROJECT_H
#define CLI_PROJECT_H

#include "cli/command.h"

#define OPTION_FILE                                                                                \
	{                                                                                          \
		"file", 'f', OPTION_STRINGS, "FILE",                                               \
			"Compose file (default compose.yaml, docker-compose.yaml)"                 \
	}
#define OPTION_PROJECT                                                                             \
	{                                                                                          \
		"project-name", 'p', OPTION_STRING, "NAME",                                        \
			"project (default: the file's, else the folder's)"                         \
	}

/* Find, read and parse the file; warnings go to standard error. The caller releases the request. */
enum err_code project_load(const struct invocation *invocation, struct project_request *ret_request,
			   struct err *err) WARN_UNUSED;

/* The project's name alone: -p, else from the file. Caller frees. */
enum err_code project_name(const struct invocation *invocation, char **ret_name,
			   struct err *err) WARN_UNUSED;

#endif
