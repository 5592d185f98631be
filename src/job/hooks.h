/* Commands that run in a task's container beside its own: after each start, and before the signal that stops it. What
 * few jobs have, so a specification has them behind a pointer. */
#ifndef JOB_HOOKS_H
#define JOB_HOOKS_H

#include "base/record.h"

struct hook {
	struct strings command;
	char *user; /* NULL: as the container's command; same below */
	bool privileged;
	char *working_dir;
	struct pairs environment; /* beside the container's; value NULL: unset */
};
extern const struct record_type hook_type;

struct hooks {
	LIST_OF(struct hook) post_start; /* in order; a failure is one of the start */
	LIST_OF(struct hook)
	pre_stop; /* in order, within the stop grace; not when it ends by itself */
};
extern const struct record_type hooks_type;

struct job_spec;

/* What is written, or no hooks. Borrowed. */
const struct hooks *job_spec_hooks(const struct job_spec *spec);

#endif
