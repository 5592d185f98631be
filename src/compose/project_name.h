/* The name of a project. */
#ifndef COMPOSE_PROJECT_NAME_H
#define COMPOSE_PROJECT_NAME_H

#include "compose/at.h"

/* From -p, COMPOSE_PROJECT_NAME, the file's `name:` or the directory, in this order; checked. The caller frees.
 * `root` is the file. ERR_INVALID says where the name came from. */
enum err_code project_name_find(const struct at *root, char **ret_name,
				struct err *err) WARN_UNUSED;

#endif
