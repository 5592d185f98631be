/* A credential helper: a program of the user's that is asked for one registry's secret over its standard input and
 * output, without ever blocking the loop. */
#ifndef RUNTIME_DOCKER_HELPER_H
#define RUNTIME_DOCKER_HELPER_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "base/err.h"

#define DOCKER_HELPER_OUTPUT_BYTES_MAX (64 * 1024)

struct docker_helper;

/* Run `PROGRAM get` and give it `input`. `done` is called once, from the loop: with err NULL the program's output and
 * whether it ended well; else ERR_TIMEOUT, ERR_TOO_LARGE. The helper is freed after. NULL with err set when it cannot
 * be started (ERR_NOT_FOUND, ERR_IO); `done` is not called then. */
struct docker_helper *docker_helper_start(struct event_base *base, const char *program,
					  const char *input, int64_t timeout_ms,
					  void (*done)(void *owner, const struct err *err,
						       bool well, const char *output, size_t len),
					  void *owner, struct err *err);

/* Kill it; `done` is not called. */
void docker_helper_cancel(struct docker_helper *helper);

#endif
