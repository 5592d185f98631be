/* The first try after a session comes within the manager's window, each further one within twice as much, up to the
 * limit; every one at a random time, so that many workers do not come at once. Who is not let in waits for longer, but
 * not so long that it would count as silent when the manager has got its right data back. */
#include "worker/reconnect.h"

#include <stddef.h>

#include "base/limits.h"
#include "base/uuid.h"
#include "node/sync.h"

static bool is_refused_for_long(unsigned close_code)
{
	return close_code == SYNC_CLOSE_TWICE || close_code == SYNC_CLOSE_VERSION ||
	       close_code == SYNC_CLOSE_SHARED;
}

int64_t reconnect_wait_ms(struct reconnect *reconnect, int64_t lasted_ms, unsigned close_code,
			  bool refused, uint64_t seed)
{
	struct random random = { seed };
	if (is_refused_for_long(close_code))
		return LIMIT_RECONNECT_REFUSED_MS +
		       (int64_t)random_below(&random, LIMIT_RECONNECT_MAX_MS);
	int64_t first_ms = reconnect->window_ms > LIMIT_RECONNECT_FIRST_MS
				   ? reconnect->window_ms
				   : LIMIT_RECONNECT_FIRST_MS;
	/* A manager that takes us in only to dismiss us is not called the faster for it. */
	if (!reconnect->next_ms || lasted_ms >= LIMIT_RECONNECT_MAX_MS)
		reconnect->next_ms = first_ms;
	int64_t limit_ms = refused ? LIMIT_RECONNECT_UNKNOWN_MS : LIMIT_RECONNECT_MAX_MS;
	int64_t most_ms = reconnect->next_ms < limit_ms ? reconnect->next_ms : limit_ms;
	reconnect->next_ms = 2 * most_ms;
	int64_t least_ms = refused ? most_ms / 2 : LIMIT_RECONNECT_FIRST_MS / 2;
	return least_ms + (int64_t)random_below(&random, (uint64_t)(most_ms - least_ms) + 1);
}

const char *reconnect_advice(unsigned close_code)
{
	switch (close_code) {
	case SYNC_CLOSE_TWICE:
		return "two workers take themselves for this node: stop one of them and give it an "
		       "empty data folder, then let it join";
	case SYNC_CLOSE_SHARED:
		return "two workers of one cluster would stop each other's containers: stop one of "
		       "them, or give it a Docker of its own (--docker); it is let in once the "
		       "other node is down or removed";
	case SYNC_CLOSE_VERSION: return "manager and workers may be one release apart";
	default: return NULL;
	}
}
