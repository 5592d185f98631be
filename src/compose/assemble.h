/* The files of a project made one tree: variables are replaced in each, services that extend others are made whole,
 * what is included joins, and each file is merged over those before it. */
#ifndef COMPOSE_ASSEMBLE_H
#define COMPOSE_ASSEMBLE_H

#include "compose/at.h"

/* `roots` are those of the load's own files, in order. */
enum err_code assemble(struct load *load, struct tree_node *const *roots, size_t n_roots,
		       struct tree_node **ret_root, struct err *err) WARN_UNUSED;

#endif
