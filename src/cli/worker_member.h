/* Whom the worker of a data folder belongs to: nobody but this machine's manager, or a cluster it has joined. */
#ifndef CLI_WORKER_MEMBER_H
#define CLI_WORKER_MEMBER_H

#include "cli/command.h"
#include "trust/membership.h"

/* Load the membership in DATA_DIR/trust; with --join, join first where that has not been done. Waits for a manager that
 * cannot be reached; SIGINT and SIGTERM end that. *ret_member says whether there is one. ERR_CONFLICT: it is of another
 * cluster than the token, or not a worker's; ERR_FORBIDDEN and others: the manager's word. */
enum err_code worker_member(const struct invocation *invocation, const char *data_dir,
			    struct membership *ret_membership, bool *ret_member,
			    struct err *err) WARN_UNUSED;

/* The store is that of `node`, which was removed from its cluster; `ended`: and nothing that it ran is left.
 * *ret_was_member: it was a member, not the worker of this machine's manager. *ret_joins: it is somebody again, or is
 * to join; then nothing is left of the old membership. */
enum err_code worker_member_removed(const struct invocation *invocation, const char *data_dir,
				    struct uuid node, bool ended, bool *ret_was_member,
				    bool *ret_joins, struct err *err) WARN_UNUSED;

#endif
