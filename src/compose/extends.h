/* `extends`: a service made of another one of the same file or of another file, merged under it. */
#ifndef COMPOSE_EXTENDS_H
#define COMPOSE_EXTENDS_H

#include "compose/at.h"

/* The root with every service of it in full, without `extends`. Variables at `root` are replaced already; those of the
 * files that are read are replaced here. ERR_NOT_FOUND: no such file; ERR_INVALID: no such service, or a cycle, which
 * is drawn; ERR_TOO_LARGE: the chain is too long. */
enum err_code extends_apply(const struct at *root, struct tree_node **ret_root,
			    struct err *err) WARN_UNUSED;

#endif
