/* Contexts: the clusters this user has joined, a folder each under ~/.config/drover/contexts, and which of them
 * commands talk to. "default" is the manager's socket on this machine and has no folder. */
#ifndef CLI_CONTEXTS_H
#define CLI_CONTEXTS_H

#include "cli/command.h"
#include "net/endpoint.h"
#include "trust/membership.h"

#define CONTEXT_DEFAULT "default"

/* An open context: how to talk to its manager. */
struct context {
	struct membership membership;
	struct endpoint endpoint;
};

/* The context that commands use when nothing else is said; the caller frees. */
char *context_current(void);
/* ERR_STORE, ERR_STORE_FULL. */
enum err_code context_set_current(const char *name, struct err *err) WARN_UNUSED;

/* ERR_INVALID: a name is letters, digits, '.', '_' and '-'. */
enum err_code context_check_name(const char *name, struct err *err) WARN_UNUSED;
/* Its folder; the caller frees. */
char *context_folder(const char *name);
bool context_exists(const char *name);
/* All names but "default", sorted. The caller releases. */
void context_names(struct strings *ret_names);

/* Open one that has a folder, renewing its certificate when that is due. ERR_NOT_FOUND, ERR_DAMAGED; ERR_FORBIDDEN when
 * it has expired and cannot be renewed. */
enum err_code context_open(const char *name, struct context *ret_context,
			   struct err *err) WARN_UNUSED;
void context_close(struct context *context);

#endif
