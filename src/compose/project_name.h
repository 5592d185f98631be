/* The name of a project. */
#ifndef COMPOSE_PROJECT_NAME_H
#define COMPOSE_PROJECT_NAME_H

#include "compose/at.h"

/* From -p, COMPOSE_PROJECT_NAME, `name:` of the last of the files that has it, or the directory, in this order;
 * checked. The caller frees. ERR_INVALID says where the name came from. */
enum err_code project_name_find(struct load *load, struct tree_node *const *roots, size_t n_roots,
				char **ret_name, struct err *err) WARN_UNUSED;

#endif
