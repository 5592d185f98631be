/* Paths that a Compose file names, made absolute. */
#ifndef COMPOSE_PATHS_H
#define COMPOSE_PATHS_H

#include "compose/at.h"

/* `path` from the directory of the file that names it, `~` from HOME, without "." and "..". Caller frees. */
enum err_code path_resolve(const struct at *at, const char *path, char **ret_path,
			   struct err *err) WARN_UNUSED;

/* The folder that a file with an absolute path lies in. Caller frees. */
char *path_folder(const char *path);

#endif
