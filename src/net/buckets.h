/* Token buckets by key: how often somebody may do something, and no more of them remembered than a
 * limit says. */
#ifndef NET_BUCKETS_H
#define NET_BUCKETS_H

#include <sys/queue.h>

#include "base/map.h"

struct bucket;

/* Of the caller are the two numbers; the rest begins with buckets_init(). */
struct buckets {
	int64_t per_minute;
	int64_t burst;
	struct map by_key;
	TAILQ_HEAD(, bucket) by_use; /* the one used longest ago first */
};

void buckets_init(struct buckets *buckets, int64_t per_minute, int64_t burst);
void buckets_release(struct buckets *buckets);

/* May `key` do it once more? `now_ms` is monotonic. When LIMIT_BUCKETS are known, the one that was
 * used longest ago is forgotten for a new one: of all it is the likeliest to be full again. */
bool buckets_take(struct buckets *buckets, struct uuid key, int64_t now_ms);
/* It shall not count after all. */
void buckets_give_back(struct buckets *buckets, struct uuid key);
/* Until then `key` may do it as often as it likes, if it is remembered for so long. */
void buckets_excuse(struct buckets *buckets, struct uuid key, int64_t until_ms);

/* The key of a numeric address; of IPv6 the network (64 bits) counts, for who has one has all of
 * its addresses. */
struct uuid bucket_of_address(const char *address);

#endif
