/* The fake runtime: fake_world.h behind runtime_ops. For tests of whatever drives a runtime. */
#ifndef RUNTIME_FAKE_H
#define RUNTIME_FAKE_H

#include "runtime/fake_world.h"
#include "runtime/runtime.h"

extern const struct runtime_ops runtime_fake_ops;

/* Its world, to look at and to disturb. */
struct fake_world *runtime_fake_world(struct runtime *runtime);

/* Not answering: pending and new actions end as FAULT_UNREACHABLE, `down` and later `up` are told. */
void runtime_fake_set_away(struct runtime *runtime, bool away);

/* The daemon restarts: `down`, what ran is killed, `up` with another instance. */
void runtime_fake_restart(struct runtime *runtime);

#endif
