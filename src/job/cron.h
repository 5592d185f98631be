/* When something is to be done, as crontab(5) writes it: five fields, or a word like @daily. */
#ifndef JOB_CRON_H
#define JOB_CRON_H

#include "job/zone.h"

struct cron {
	uint64_t minutes; /* bits */
	uint64_t hours;
	uint64_t days;	   /* of the month, from 1 */
	uint64_t months;   /* from 1 */
	uint64_t weekdays; /* from Sunday, 0 */
	bool any_hour;	   /* the field begins with '*' */
	bool any_day; /* so does one of the two of days: then both must match, else one of them */
};

/* ERR_INVALID names the field. */
enum err_code cron_parse(const char *text, struct cron *ret_cron, struct err *err) WARN_UNUSED;

#define CRON_NEVER INT64_MAX

/* The first time after `after_s` (seconds from 1970, UTC); CRON_NEVER: there is none within 12 years.
 *
 * A local time that does not exist because the clock is set forward over it comes right after that; one that exists
 * twice comes once, the first time. Where the hours begin with '*', real time goes on: neither is the one made up nor
 * the other left out. */
int64_t cron_next(const struct cron *cron, const struct zone *zone, int64_t after_s);

#endif
