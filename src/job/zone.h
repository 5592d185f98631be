/* A time zone as a rule: when its clock is set forward and back, each year the same. The form is POSIX's TZ variable
 * ("CET-1CEST,M3.5.0,M10.5.0/3"), which is the footer of a zone's file as well (RFC 9636, 3.3.1 and 3.2). */
#ifndef JOB_ZONE_H
#define JOB_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum zone_day { ZONE_JULIAN, ZONE_YEARDAY, ZONE_WEEKDAY };
struct zone_change {
	int kind;      /* Jn: without 29 February; n; Mm.w.d */
	int64_t month; /* 1 to 12 */
	int64_t week;  /* 1 to 5, the last */
	int64_t day;   /* of the week from Sunday, or of the year */
	int64_t time_s; /* of the day by the clock before the change; may be negative or beyond the day */
};
struct zone {
	int64_t standard_s; /* local time minus UTC */
	int64_t summer_s;
	bool changes; /* false: standard time all year */
	struct zone_change to_summer;
	struct zone_change to_standard;
};

#define ZONE_UTC "UTC0"

/* ERR_INVALID. */
enum err_code zone_parse(const char *rule, struct zone *ret_zone, struct err *err) WARN_UNUSED;

/* Local time minus UTC at a time, which counts from 1970 in UTC. */
int64_t zone_offset_s(const struct zone *zone, int64_t utc_s);

/* The times at which clocks there show this local time (seconds from 1970 as if it were UTC): none, because the clock
 * was set forward over it, one, or two, ascending. For none, `ret_times_s[0]` is when it was set. */
int zone_times_of(const struct zone *zone, int64_t local_s, int64_t ret_times_s[2]);

/* The rule of a zone's file of version 2 or later, of at most `rule_size` bytes with its NUL. Where the file has
 * changes of its own after 2025 that the rule does not say, there is none: ERR_UNSUPPORTED. ERR_INVALID: it is no such
 * file. */
enum err_code zone_read_file(const void *bytes, size_t len, char *ret_rule, size_t rule_size,
			     struct err *err) WARN_UNUSED;

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar, and back. */
int64_t days_from_date(int64_t year, int64_t month, int64_t day);
void date_from_days(int64_t days, int64_t *ret_year, int64_t *ret_month, int64_t *ret_day);

#endif
