/* A server that speaks as much of Docker's API as drover uses, over a world of memory (runtime/fake_world.h), and lies
 * as a fault script tells it to (runtime/fault_script.h). It runs inside a test's own loop or as a program of its own.
 *
 * Faults, as a client sees them: unreachable and lost end the connection (before and after the effect), half ends it
 * within the answer, hang never answers, error answers 500, refuse 400, ghost claims success, throttled is a registry's
 * "too many requests", restart ends every connection and makes the daemon another one. */
#ifndef FAKEDOCKER_FAKEDOCKER_H
#define FAKEDOCKER_FAKEDOCKER_H

#include <stdbool.h>

#include <event2/event.h>

#include "base/err.h"

struct fakedocker;
struct fake_world;

struct fakedocker_options {
	const char *socket_path;
	const char *script; /* NULL: no faults */
	int api_minor;	    /* 0: 41 */
};

/* Listen. ERR_SYNTAX for the script, ERR_IO for the socket. */
enum err_code fakedocker_open(struct event_base *base, const struct fakedocker_options *options,
			      struct fakedocker **ret_fakedocker, struct err *err) WARN_UNUSED;
void fakedocker_close(struct fakedocker *fakedocker);

struct fake_world *fakedocker_world(struct fakedocker *fakedocker);

/* Stop listening, end every connection and kill what ran; then be there again as another run of the daemon. */
void fakedocker_stop(struct fakedocker *fakedocker);
enum err_code fakedocker_start(struct fakedocker *fakedocker, struct err *err) WARN_UNUSED;

/* Neither answer nor end anything, as a daemon that was sent SIGSTOP; and go on. */
void fakedocker_freeze(struct fakedocker *fakedocker, bool freeze);

#endif
