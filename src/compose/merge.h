/* Several Compose files made one: mappings are merged by key, lists are appended to, a scalar replaces. Where Compose
 * has another rule (ports, volumes, command, ...), the table in merge.c says so. Nodes are shared with the files, so
 * that every value still knows where it was written. */
#ifndef COMPOSE_MERGE_H
#define COMPOSE_MERGE_H

#include "compose/at.h"

/* Merge what stands at `later` over `earlier`, a value of the same place. The result belongs to the load. ERR_INVALID:
 * the two are of kinds that cannot be merged. ERR_TOO_LARGE. */
enum err_code merge_over(const struct at *later, struct tree_node *earlier,
			 struct tree_node **ret_node, struct err *err) WARN_UNUSED;

/* A mapping of the load's own, with the entries of the one at `at`; without those of one key. */
enum err_code merge_copy(const struct at *at, struct tree_node **ret_node,
			 struct err *err) WARN_UNUSED;
enum err_code merge_without(const struct at *at, const char *key, struct tree_node **ret_node,
			    struct err *err) WARN_UNUSED;

/* Put an entry into a mapping of the load's own, in place of the one of that key, which must be there. */
void merge_put(struct tree_node *map, struct tree_node *key, struct tree_node *value);

/* Take out what is still tagged !reset once all is merged. */
enum err_code merge_finish(struct load *load, struct tree_node *root, struct tree_node **ret_root,
			   struct err *err) WARN_UNUSED;

#endif
