#include "api/buckets.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

/* A level of one is MINUTE_MS, so that a rate per minute adds its number each millisecond. */
#define MINUTE_MS     60000
#define NETWORK_BYTES 8

struct bucket {
	struct uuid key;
	int64_t level;
	int64_t at_ms;
};

static int64_t level_at(const struct buckets *buckets, const struct bucket *bucket, int64_t now_ms)
{
	int64_t full = buckets->burst * MINUTE_MS;
	int64_t since_ms = now_ms - bucket->at_ms;
	if (since_ms >= full / buckets->per_minute)
		return full;
	int64_t level = bucket->level + since_ms * buckets->per_minute;
	return level < full ? level : full;
}

static void forget_fullest(struct buckets *buckets, int64_t now_ms)
{
	struct bucket *fullest = NULL;
	int64_t most = -1;
	size_t at = 0;
	for (struct bucket *bucket; (bucket = map_next(&buckets->by_key, &at));) {
		int64_t level = level_at(buckets, bucket, now_ms);
		if (level > most) {
			most = level;
			fullest = bucket;
		}
	}
	if (fullest)
		map_remove(&buckets->by_key, fullest->key);
	base_free(fullest);
}

bool buckets_take(struct buckets *buckets, struct uuid key, int64_t now_ms)
{
	struct bucket *bucket = map_get(&buckets->by_key, key);
	if (!bucket) {
		if (buckets->by_key.n >= LIMIT_BUCKETS)
			forget_fullest(buckets, now_ms);
		bucket = base_calloc(1, sizeof(*bucket));
		*bucket = (struct bucket){ key, buckets->burst * MINUTE_MS, now_ms };
		map_put(&buckets->by_key, key, bucket);
	}
	bucket->level = level_at(buckets, bucket, now_ms);
	bucket->at_ms = now_ms;
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

void buckets_release(struct buckets *buckets)
{
	size_t at = 0;
	for (struct bucket *bucket; (bucket = map_next(&buckets->by_key, &at));)
		base_free(bucket);
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
