/* When the worker calls the manager again. All decisions about it, and no clock: the shell says what happened and waits
 * as long as it is told. */
#ifndef WORKER_RECONNECT_H
#define WORKER_RECONNECT_H

#include <stdbool.h>
#include <stdint.h>

struct reconnect {
	int64_t window_ms; /* what the manager said: workers spread over it; 0: nothing */
	int64_t next_ms;   /* what the next try waits at most; 0: the first one */
};

/* A session that lasted has ended, or a try has failed: how long to wait. `close_code` is the manager's, 0 when it said
 * none; `refused`: it did not let us in at all. Draws from `seed`. */
int64_t reconnect_wait_ms(struct reconnect *reconnect, int64_t lasted_ms, unsigned close_code,
			  bool refused, uint64_t seed);

/* What whoever reads the log is to do about a close code; NULL: nothing. */
const char *reconnect_advice(unsigned close_code);

#endif
