/* Schedules and zones: by the table, and against the C library's clocks. */
#include "job/cron.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/testing.h"
#include "base/text.h"

#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define HOUR_S 3600

static struct zone zone_of(const char *rule)
{
	struct zone zone;
	struct err err;
	assert_int_equal(zone_parse(rule, &zone, &err), ERR_NONE);
	return zone;
}

/* "2026-03-29 02:30" */
static int64_t at(const char *text)
{
	int year, month, day, hour, minute;
	assert_int_equal(sscanf(text, "%d-%d-%d %d:%d", &year, &month, &day, &hour, &minute), 5);
	return days_from_date(year, month, day) * 86400 + hour * HOUR_S + minute * 60;
}

static void check_next(const char *text, const char *rule, const char *after, const char *next)
{
	struct cron cron;
	struct err err;
	struct zone zone = zone_of(rule);
	assert_int_equal(cron_parse(text, &cron, &err), ERR_NONE);
	int64_t found = cron_next(&cron, &zone, at(after));
	if (found != at(next))
		print_error("%s after %s: expected %s, found %lld seconds later\n", text, after,
			    next, (long long)(found - at(next)));
	assert_int_equal(found, at(next));
}

/* All times are UTC. */
static void the_next_time_is_the_first_that_matches(void **state)
{
	static const struct {
		const char *cron, *rule, *after, *next;
	} rows[] = {
		{ "0 3 * * *", "UTC0", "2026-05-01 03:00", "2026-05-02 03:00" },
		{ "0 3 * * *", "UTC0", "2026-05-01 02:59", "2026-05-01 03:00" },
		{ "0 3 * * *", BERLIN, "2026-05-01 00:00", "2026-05-01 01:00" },
		{ "0 3 * * *", BERLIN, "2026-01-01 00:00", "2026-01-01 02:00" },
		{ "*/15 * * * *", "UTC0", "2026-05-01 03:46", "2026-05-01 04:00" },
		{ "10-20/5,50 * * * *", "UTC0", "2026-05-01 03:16", "2026-05-01 03:20" },
		{ "10-20/5,50 * * * *", "UTC0", "2026-05-01 03:20", "2026-05-01 03:50" },
		{ "0 0 29 2 *", "UTC0", "2026-05-01 00:00", "2028-02-29 00:00" },
		{ "0 12 * jan-mar MON", "UTC0", "2026-03-31 00:00", "2027-01-04 12:00" },
		{ "0 0 1 * 5", "UTC0", "2026-05-02 00:00", "2026-05-08 00:00" },
		{ "0 0 1 * 5", "UTC0", "2026-05-29 00:00", "2026-06-01 00:00" },
		{ "0 0 */2 * 5", "UTC0", "2026-05-01 00:00", "2026-05-15 00:00" },
		{ "0 0 * * 7", "UTC0", "2026-05-01 00:00", "2026-05-03 00:00" },
		{ "@weekly", "UTC0", "2026-05-01 00:00", "2026-05-03 00:00" },
		{ "@yearly", "UTC0", "2026-05-01 00:00", "2027-01-01 00:00" },
		{ "  0\t3 * * *  ", "<+0545>-5:45", "2026-05-01 00:00", "2026-05-01 21:15" },
		/* Berlin: 2026-03-29 01:00 UTC is 02:00, and then 03:00. */
		{ "30 2 * * *", BERLIN, "2026-03-28 02:00", "2026-03-29 01:00" },
		{ "30 2 * * *", BERLIN, "2026-03-29 01:00", "2026-03-30 00:30" },
		{ "*/20 2 * * *", BERLIN, "2026-03-29 00:00", "2026-03-29 01:00" },
		{ "*/20 2 * * *", BERLIN, "2026-03-29 01:00", "2026-03-30 00:00" },
		{ "0 2,3 * * *", BERLIN, "2026-03-29 01:00", "2026-03-30 00:00" },
		{ "30 * * * *", BERLIN, "2026-03-29 00:30", "2026-03-29 01:30" },
		/* 2026-10-25 01:00 UTC is 03:00, and then 02:00 again. */
		{ "30 2 * * *", BERLIN, "2026-10-25 00:00", "2026-10-25 00:30" },
		{ "30 2 * * *", BERLIN, "2026-10-25 00:30", "2026-10-26 01:30" },
		{ "30 * * * *", BERLIN, "2026-10-25 00:30", "2026-10-25 01:30" },
		{ "30 * * * *", BERLIN, "2026-10-25 01:30", "2026-10-25 02:30" },
		{ "0 3 * * *", BERLIN, "2026-10-25 00:59", "2026-10-25 02:00" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_next(rows[i].cron, rows[i].rule, rows[i].after, rows[i].next);
}

static void what_is_no_schedule_is_refused_by_its_field(void **state)
{
	static const struct {
		const char *cron, *words;
	} rows[] = {
		{ "", "has 0 fields of five" },
		{ "* * * *", "has 4 fields of five" },
		{ "* * * * * *", "has more than five fields" },
		{ "60 * * * *", "the minute \"60\" is not one of 0 to 59" },
		{ "* 24 * * *", "the hour \"24\" is not one of 0 to 23" },
		{ "* * 0 * *", "the day of the month \"0\" is not one of 1 to 31" },
		{ "* * * 13 *", "the month \"13\" is not one of 1 to 12, jan to dec" },
		{ "* * * * 8", "the day of the week \"8\" is not one of 0 to 7, sun to sat" },
		{ "* * * * monday", "\"monday\" is not one of 0 to 7, sun to sat" },
		{ "5-1 * * * *", "the minute \"5-1\" goes downwards" },
		{ "5/10 * * * *", "has a step and no range" },
		{ "*/0 * * * *", "has no step from 1 on" },
		{ "1,,2 * * * *", "the minute \"\" is not one of" },
		{ "0 0 30 2 *", "names a day that never comes" },
		{ "0 0 31 4,6,9,11 *", "names a day that never comes" },
		{ "@reboot", "is none of @hourly" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cron cron;
		struct err err = { 0 };
		assert_int_equal(cron_parse(rows[i].cron, &cron, &err), ERR_INVALID);
		if (!strstr(err.message, rows[i].words))
			print_error("%s\n", err.message);
		assert_non_null(strstr(err.message, rows[i].words));
	}
}

static void rules_that_posix_does_not_know_are_refused(void **state)
{
	static const char *const rules[] = { "",
					     "CET",
					     "CE-1",
					     "CET-25",
					     "CET-1CEST",
					     "CET-1CEST,M13.1.0,M10.5.0",
					     "CET-1CEST,M3.6.0,M10.5.0",
					     "CET-1CEST,M3.5.7,M10.5.0",
					     "CET-1CEST,M3.5.0",
					     "CET-1CEST,M3.5.0,M10.5.0x",
					     "<+03-3",
					     "CET-1:60" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		struct zone zone;
		struct err err;
		if (zone_parse(rules[i], &zone, &err) != ERR_INVALID)
			print_error("%s\n", rules[i]);
		assert_int_equal(zone_parse(rules[i], &zone, &err), ERR_INVALID);
	}
}

static void dates_and_days_are_the_same_thing(void **state)
{
	(void)state;
	int64_t last_year = 1899, last_month = 12, last_day = 31;
	for (int64_t days = days_from_date(1900, 1, 1); days < days_from_date(2110, 1, 1); days++) {
		int64_t year, month, day;
		date_from_days(days, &year, &month, &day);
		assert_int_equal(days_from_date(year, month, day), days);
		assert_true(year * 400 + month * 32 + day >
			    last_year * 400 + last_month * 32 + last_day);
		last_year = year;
		last_month = month;
		last_day = day;
	}
	assert_int_equal(days_from_date(1970, 1, 1), 0);
	assert_int_equal(last_year, 2109);
}

/* ---- against the C library, and by looking at every minute ---- */

static const char *const zones[] = {
	"Europe/Berlin",
	"Europe/London",
	"Europe/Dublin",
	"America/New_York",
	"America/St_Johns",
	"America/Sao_Paulo",
	"Asia/Kathmandu",
	"Asia/Tokyo",
	"Australia/Sydney",
	"Australia/Lord_Howe",
	"Pacific/Auckland",
	"Pacific/Chatham",
	"Pacific/Easter",
	"America/Nuuk",
	"Asia/Beirut",
	"Asia/Jerusalem",
	"Antarctica/Troll",
	"Africa/Cairo",
	"UTC",
};

/* The rule of a zone of this machine; false: it has none of its files. */
static bool read_zone(const char *name, struct zone *zone, enum err_code expected)
{
	static char bytes[1 << 16];
	char path[128], rule[128];
	struct err err;
	text_print(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
	FILE *file = fopen(path, "rb");
	if (!file)
		return false;
	size_t len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	assert_int_equal(zone_read_file(bytes, len, rule, sizeof(rule), &err), expected);
	if (!expected)
		*zone = zone_of(rule);
	/* Cut anywhere it is no file of a zone. */
	for (size_t cut = 0; cut < len; cut += 7)
		assert_int_not_equal(zone_read_file(bytes, cut, rule, sizeof(rule), &err),
				     ERR_NONE);
	return true;
}

static void offsets_are_those_of_the_c_library(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
		struct zone zone;
		if (!read_zone(zones[i], &zone, ERR_NONE))
			continue;
		setenv("TZ", zones[i], 1);
		tzset();
		for (int64_t utc_s = at("2026-01-01 00:00"); utc_s < at("2036-01-01 00:00");
		     utc_s += 1800) {
			time_t time = utc_s;
			struct tm local;
			localtime_r(&time, &local);
			if (zone_offset_s(&zone, utc_s) != local.tm_gmtoff)
				print_error("%s at %lld\n", zones[i], (long long)utc_s);
			assert_int_equal(zone_offset_s(&zone, utc_s), local.tm_gmtoff);
		}
	}
	unsetenv("TZ");
}

/* Ramadan moves: Morocco's clock follows it. */
static void a_zone_that_no_rule_describes_is_refused(void **state)
{
	(void)state;
	struct zone zone;
	read_zone("Africa/Casablanca", &zone, ERR_UNSUPPORTED);
}

/* Does the local time at `utc_s` match, or is it when the clock was set forward over one that does? */
static bool is_due(const struct cron *cron, const struct zone *zone, int64_t utc_s)
{
	int64_t offset_s = zone_offset_s(zone, utc_s);
	int64_t before_s = zone_offset_s(zone, utc_s - 60);
	for (int64_t local_s = utc_s + (before_s < offset_s ? before_s : offset_s);
	     local_s <= utc_s + offset_s; local_s += 60) {
		int64_t year, month, day;
		bool skipped = local_s < utc_s + offset_s;
		int64_t minute = local_s % 86400 / 60;
		date_from_days(local_s / 86400, &year, &month, &day);
		bool week = cron->weekdays >> (local_s / 86400 + 4) % 7 & 1;
		bool month_day = cron->days >> day & 1;
		bool matches = cron->months >> month & 1 && cron->hours >> minute / 60 & 1 &&
			       cron->minutes >> minute % 60 & 1 &&
			       (cron->any_day ? week && month_day : week || month_day);
		/* The same local time was there before. */
		bool again = false;
		for (int64_t back_s = 1800; back_s <= 2 * HOUR_S && !skipped; back_s += 1800)
			again |= utc_s - back_s + zone_offset_s(zone, utc_s - back_s) == local_s;
		if (matches && (cron->any_hour ? !skipped : !again))
			return true;
	}
	return false;
}

static void each_due_minute_comes_once_and_no_other(void **state)
{
	static const char *const crons[] = { "30 2 * * *",	 "*/7 * * * *",
					     "0,30 0-4 * * *",	 "59 23 * * 6,0",
					     "15 1-3 29-31 * 0", "0 * * * *",
					     "45 0 * 3,4,9-11 *" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
		struct zone zone;
		if (!read_zone(zones[i], &zone, ERR_NONE))
			continue;
		for (size_t j = 0; j < ARRAY_LEN(crons); j++) {
			struct cron cron;
			struct err err;
			if ((i + j) % 3)
				continue;
			assert_int_equal(cron_parse(crons[j], &cron, &err), ERR_NONE);
			/* The weeks in which clocks are set. */
			int64_t from_s = at(j % 2 ? "2027-03-10 00:00" : "2027-09-24 00:00");
			int64_t next_s = cron_next(&cron, &zone, from_s);
			for (int64_t utc_s = from_s + 60; utc_s < from_s + 46 * 86400;
			     utc_s += 60) {
				bool due = is_due(&cron, &zone, utc_s);
				if (due != (utc_s == next_s))
					print_error("%s in %s at %lld, next %lld\n", crons[j],
						    zones[i], (long long)utc_s, (long long)next_s);
				assert_int_equal(due, utc_s == next_s);
				if (utc_s == next_s)
					next_s = cron_next(&cron, &zone, utc_s);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_time_is_the_first_that_matches),
		cmocka_unit_test(what_is_no_schedule_is_refused_by_its_field),
		cmocka_unit_test(rules_that_posix_does_not_know_are_refused),
		cmocka_unit_test(dates_and_days_are_the_same_thing),
		cmocka_unit_test(offsets_are_those_of_the_c_library),
		cmocka_unit_test(a_zone_that_no_rule_describes_is_refused),
		cmocka_unit_test(each_due_minute_comes_once_and_no_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
