#include "net/buckets.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

/* A level of one is MINUTE_MS, so that a rate per minute adds its number each millisecond. */
#define MINUTE_MS     60000
#define NETWORK_BYTES 8

struct bucket {
	TAILQ_ENTRY(bucket) link;
	struct uuid key;
	int64_t level;
	int64_t at_ms;
	int64_t excused_until_ms;
};

void buckets_init(struct buckets *buckets, int64_t per_minute, int64_t burst)
{
	*buckets = (struct buckets){ .per_minute = per_minute, .burst = burst };
	TAILQ_INIT(&buckets->by_use);
}

static int64_t level_at(const struct buckets *buckets, const struct bucket *bucket, int64_t now_ms)
{
	int64_t full = buckets->burst * MINUTE_MS;
	int64_t since_ms = now_ms - bucket->at_ms;
	if (since_ms >= full / buckets->per_minute)
		return full;
	int64_t level = bucket->level + since_ms * buckets->per_minute;
	return level < full ? level : full;
}

static void forget(struct buckets *buckets, struct bucket *bucket)
{
	TAILQ_REMOVE(&buckets->by_use, bucket, link);
	map_remove(&buckets->by_key, bucket->key);
	base_free(bucket);
}

/* The bucket of `key`, new and full where there was none. */
static struct bucket *use(struct buckets *buckets, struct uuid key)
{
	struct bucket *bucket = map_get(&buckets->by_key, key);
	if (bucket) {
		TAILQ_REMOVE(&buckets->by_use, bucket, link);
	} else {
		if (buckets->by_key.n >= LIMIT_BUCKETS)
			forget(buckets, TAILQ_FIRST(&buckets->by_use));
		bucket = base_calloc(1, sizeof(*bucket));
		bucket->key = key;
		bucket->level = buckets->burst * MINUTE_MS;
		map_put(&buckets->by_key, key, bucket);
	}
	TAILQ_INSERT_TAIL(&buckets->by_use, bucket, link);
	return bucket;
}

bool buckets_take(struct buckets *buckets, struct uuid key, int64_t now_ms)
{
	struct bucket *bucket = use(buckets, key);
	bucket->level = level_at(buckets, bucket, now_ms);
	bucket->at_ms = now_ms;
	if (now_ms < bucket->excused_until_ms)
		return true;
	if (bucket->level < MINUTE_MS)
		return false;
	bucket->level -= MINUTE_MS;
	return true;
}

void buckets_give_back(struct buckets *buckets, struct uuid key)
{
	struct bucket *bucket = map_get(&buckets->by_key, key);
	if (bucket)
		bucket->level += MINUTE_MS;
}

void buckets_excuse(struct buckets *buckets, struct uuid key, int64_t until_ms)
{
	use(buckets, key)->excused_until_ms = until_ms;
}

void buckets_release(struct buckets *buckets)
{
	struct bucket *bucket;
	while ((bucket = TAILQ_FIRST(&buckets->by_use)))
		forget(buckets, bucket);
	map_release(&buckets->by_key);
}

struct uuid bucket_of_address(const char *address)
{
	struct in6_addr six;
	struct uuid key = { 0 };
	if (inet_pton(AF_INET6, address, &six) != 1 || IN6_IS_ADDR_V4MAPPED(&six))
		return map_name_key(0, address, "");
	memcpy(key.bytes, six.s6_addr, NETWORK_BYTES);
	return key;
}
