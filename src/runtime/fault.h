/* A runtime that stands before another and makes its calls fail as a fault script says. runtime_options.faults is the
 * script, runtime_options.inner the runtime behind (NULL: the fake one). `restart` needs the fake one behind; `half`
 * and `lost` are the same here. */
#ifndef RUNTIME_FAULT_H
#define RUNTIME_FAULT_H

#include "runtime/fault_script.h"
#include "runtime/runtime.h"

extern const struct runtime_ops runtime_fault_ops;

/* The runtime behind, to look at. */
struct runtime *runtime_fault_inner(struct runtime *runtime);

#endif
