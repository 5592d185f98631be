/* Starts that fail, as long as somebody waits. What cannot start is tried on another machine, or with another port of
 * its pool, and of those that failed only the last few are listed: so they are remembered here. */
#ifndef CLI_STARTS_H
#define CLI_STARTS_H

#include "api/views.h"
#include "base/map.h"

/* So many places where a slot could not start: who waits wants to know, though it is still tried elsewhere. */
#define STARTS_MAX 5

/* All-zero is a valid beginning. */
struct starts {
	struct map slots; /* struct failed_starts by slot_key() */
};
void starts_release(struct starts *starts);

/* Take note of it if it could not start. Tasks of a slot come in the order they were made. `before`: that was so before
 * anybody waited, who may have mended it since; the next start that fails there tells. */
void starts_look(struct starts *starts, const struct task_view *task, bool before);

/* It could not start, and nor could its slot: twice at one place (a machine, with the same ports), or at STARTS_MAX
 * places. Of a task that was looked at. */
bool starts_are_in_vain(const struct starts *starts, const struct task_view *task);

#endif
