#include "job/settled.h"

#include <string.h>

#include "base/limits.h"

// clang-format off
static const struct field slot_range_fields[] = {
	ROW_INT(1, struct slot_range, first, LIMIT_REPLICAS),
	ROW_INT(2, struct slot_range, last, LIMIT_REPLICAS),
};
RECORD_TYPE(slot_range, struct slot_range, slot_range_fields);

static const struct field slot_ranges_fields[] = {
	ROW_STRUCTS(1, struct slot_ranges, ranges, slot_range, LIMIT_SLOT_RANGES),
};
RECORD_TYPE(slot_ranges, struct slot_ranges, slot_ranges_fields);

static const struct field settled_fields[] = {
	ROW_INT(1, struct settled, roll, LIMIT_COUNT),
	ROW_INT(2, struct settled, restarts_asked, LIMIT_COUNT),
	ROW_STRUCT(3, struct settled, succeeded, slot_ranges),
	ROW_STRUCT(4, struct settled, left, slot_ranges),
};
RECORD_TYPE(settled, struct settled, settled_fields);
// clang-format on

/* The first range that ends at `slot` or behind it. */
static size_t find(const struct slot_ranges *ranges, int64_t slot)
{
	size_t low = 0;
	size_t high = ranges->ranges.n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (ranges->ranges.items[middle].last < slot)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool slot_ranges_have(const struct slot_ranges *ranges, int64_t slot)
{
	size_t at = find(ranges, slot);
	return at < ranges->ranges.n && ranges->ranges.items[at].first <= slot;
}

int64_t slot_ranges_after(const struct slot_ranges *ranges, int64_t slot)
{
	size_t at = find(ranges, slot);
	bool in = at < ranges->ranges.n && ranges->ranges.items[at].first <= slot;
	return in ? ranges->ranges.items[at].last + 1 : slot;
}

static void drop(struct slot_ranges *ranges, size_t at)
{
	memmove(ranges->ranges.items + at, ranges->ranges.items + at + 1,
		(ranges->ranges.n - at - 1) * sizeof(struct slot_range));
	ranges->ranges.n--;
}

int64_t slot_ranges_next(const struct slot_ranges *ranges, int64_t slot)
{
	size_t at = find(ranges, slot);
	if (at == ranges->ranges.n)
		return INT64_MAX;
	int64_t first = ranges->ranges.items[at].first;
	return first > slot ? first : slot;
}

bool slot_ranges_add_all(struct slot_ranges *ranges, int64_t first, int64_t last)
{
	size_t at = find(ranges, first);
	size_t n = ranges->ranges.n;
	struct slot_range *items = ranges->ranges.items;
	bool follows = at > 0 && items[at - 1].last == first - 1;
	bool precedes = at < n && items[at].first == last + 1;
	if (follows) {
		items[at - 1].last = precedes ? items[at].last : last;
		if (precedes)
			drop(ranges, at);
		return true;
	}
	if (precedes) {
		items[at].first = first;
		return true;
	}
	if (n >= LIMIT_SLOT_RANGES)
		return false;
	list_add(&ranges->ranges, sizeof(struct slot_range));
	items = ranges->ranges.items;
	memmove(items + at + 1, items + at, (n - at) * sizeof(struct slot_range));
	items[at] = (struct slot_range){ first, last };
	return true;
}

bool slot_ranges_add(struct slot_ranges *ranges, int64_t slot)
{
	return slot_ranges_add_all(ranges, slot, slot);
}

int64_t slot_ranges_count(const struct slot_ranges *ranges, int64_t last)
{
	int64_t n = 0;
	for (size_t i = 0; i < ranges->ranges.n; i++) {
		const struct slot_range *range = &ranges->ranges.items[i];
		if (range->first > last)
			break;
		n += (range->last < last ? range->last : last) - range->first + 1;
	}
	return n;
}

bool slot_ranges_cut(struct slot_ranges *ranges, int64_t last)
{
	bool any = false;
	while (ranges->ranges.n && ranges->ranges.items[ranges->ranges.n - 1].last > last) {
		struct slot_range *range = &ranges->ranges.items[ranges->ranges.n - 1];
		any = true;
		if (range->first > last)
			ranges->ranges.n--;
		else
			range->last = last;
	}
	return any;
}
