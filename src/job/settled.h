/* Slots of a job whose tasks have ended and are not kept: what became of them, in ranges. */
#ifndef JOB_SETTLED_H
#define JOB_SETTLED_H

#include "base/record.h"

struct slot_range {
	int64_t first;
	int64_t last;
};
extern const struct record_type slot_range_type;

/* Ascending; neither overlapping nor touching. */
struct slot_ranges {
	LIST_OF(struct slot_range) ranges;
};
extern const struct record_type slot_ranges_type;

struct settled {
	int64_t roll;		/* the job's when they were settled, ... */
	int64_t restarts_asked; /* ... and this: with another one all slots are to be filled anew */
	struct slot_ranges succeeded;
	struct slot_ranges left; /* given up */
};
extern const struct record_type settled_type;

bool slot_ranges_have(const struct slot_ranges *ranges, int64_t slot);
/* Add one that is not in. False: there are too many ranges already. */
bool slot_ranges_add(struct slot_ranges *ranges, int64_t slot);
/* ... or all from one to another, none of which is in. */
bool slot_ranges_add_all(struct slot_ranges *ranges, int64_t first, int64_t last);
/* How many of the slots up to `last`. */
int64_t slot_ranges_count(const struct slot_ranges *ranges, int64_t last);
/* The first from `slot` on that is not in. */
int64_t slot_ranges_after(const struct slot_ranges *ranges, int64_t slot);
/* The first from `slot` on that is in; INT64_MAX: none is. */
int64_t slot_ranges_next(const struct slot_ranges *ranges, int64_t slot);
/* Drop those above `last`; true: there were any. */
bool slot_ranges_cut(struct slot_ranges *ranges, int64_t last);

#endif
