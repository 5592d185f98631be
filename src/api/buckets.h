/* Token buckets by key: how often somebody may do something, and no more of them remembered than a limit says. */
#ifndef API_BUCKETS_H
#define API_BUCKETS_H

#include "base/map.h"

/* All-zero but for the two numbers is empty. */
struct buckets {
	int64_t per_minute;
	int64_t burst;
	struct map by_key;
};

/* May `key` do it once more? `now_ms` is monotonic. When LIMIT_BUCKETS are known, the one that has used least is
 * forgotten for a new one. */
bool buckets_take(struct buckets *buckets, struct uuid key, int64_t now_ms);
/* It shall not count after all. */
void buckets_give_back(struct buckets *buckets, struct uuid key);
void buckets_release(struct buckets *buckets);

/* The key of a numeric address; of IPv6 the network (64 bits) counts, for who has one has all of its addresses. */
struct uuid bucket_of_address(const char *address);

#endif
