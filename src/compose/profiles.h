/* Which services take part: those of active profiles; where some were asked for, of them these with what they depend
 * on. */
#ifndef COMPOSE_PROFILES_H
#define COMPOSE_PROFILES_H

#include "compose/at.h"

/* `services` is the mapping at the top level. Sets `takes_part[i]` for its i-th entry; the names of the others go to
 * request->inactive. ERR_NOT_FOUND: a service that was asked for is not there. */
enum err_code profiles_select(const struct at *services, bool *takes_part,
			      struct err *err) WARN_UNUSED;

/* A dependency that must be there stands outside the active profiles: say which. ERR_INVALID. */
enum err_code profiles_check_dependencies(struct load *load, struct err *err) WARN_UNUSED;

#endif
