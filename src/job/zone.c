#include "job/zone.h"

#include <string.h>

#include "base/text.h"

#define HOUR_S 3600
#define DAY_S  86400
/* 2026-01-01: what a zone did before does not matter any more. */
#define RULES_FROM_S 1767225600

/* Howard Hinnant, "chrono-compatible low-level date algorithms": days_from_civil and civil_from_days. */
int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

void date_from_days(int64_t days, int64_t *ret_year, int64_t *ret_month, int64_t *ret_day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t day_of_era = days - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153;
	*ret_day = day_of_year - (153 * month + 2) / 5 + 1;
	*ret_month = month + (month < 10 ? 3 : -9);
	*ret_year = year_of_era + era * 400 + (*ret_month <= 2);
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* ---- the rule as text ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "CET" or "<+03>". */
static bool skip_name(const char **at)
{
	const char *start = *at;
	if (*start == '<') {
		const char *end = strchr(start, '>');
		*at = end ? end + 1 : start;
		return end != NULL;
	}
	while (is_letter(**at))
		++*at;
	return *at - start >= 3;
}

static bool read_number(const char **at, int64_t max, int64_t *ret_number)
{
	int64_t number = 0;
	if (!is_digit(**at))
		return false;
	while (is_digit(**at)) {
		number = number * 10 + (*(*at)++ - '0');
		if (number > max)
			return false;
	}
	*ret_number = number;
	return true;
}

/* "[+-]hh[:mm[:ss]]" */
static bool read_time(const char **at, int64_t hours_max, int64_t *ret_s)
{
	int64_t parts[3] = { 0 };
	bool minus = **at == '-';
	if (**at == '-' || **at == '+')
		++*at;
	if (!read_number(at, hours_max, &parts[0]))
		return false;
	for (int i = 1; i < 3 && **at == ':'; i++) {
		++*at;
		if (!read_number(at, 59, &parts[i]))
			return false;
	}
	int64_t s = parts[0] * HOUR_S + parts[1] * 60 + parts[2];
	*ret_s = minus ? -s : s;
	return true;
}

static bool read_dot(const char **at)
{
	return *(*at)++ == '.';
}

static bool read_change(const char **at, struct zone_change *change)
{
	*change = (struct zone_change){ .kind = ZONE_YEARDAY, .time_s = 2 * HOUR_S };
	if (*(*at)++ != ',')
		return false;
	bool well;
	if (**at == 'M') {
		++*at;
		change->kind = ZONE_WEEKDAY;
		well = read_number(at, 12, &change->month) && change->month && read_dot(at) &&
		       read_number(at, 5, &change->week) && change->week && read_dot(at) &&
		       read_number(at, 6, &change->day);
	} else if (**at == 'J') {
		++*at;
		change->kind = ZONE_JULIAN;
		well = read_number(at, 365, &change->day) && change->day;
	} else {
		well = read_number(at, 365, &change->day);
	}
	if (!well || **at != '/')
		return well;
	++*at;
	return read_time(at, 167, &change->time_s);
}

static bool read_rule(const char *at, struct zone *zone)
{
	if (!skip_name(&at) || !read_time(&at, 24, &zone->standard_s))
		return false;
	zone->standard_s = -zone->standard_s;
	if (!*at)
		return true;
	zone->changes = true;
	zone->summer_s = zone->standard_s + HOUR_S;
	if (!skip_name(&at))
		return false;
	if (*at != ',') {
		if (!read_time(&at, 24, &zone->summer_s))
			return false;
		zone->summer_s = -zone->summer_s;
	}
	return read_change(&at, &zone->to_summer) && read_change(&at, &zone->to_standard) && !*at;
}

enum err_code zone_parse(const char *rule, struct zone *ret_zone, struct err *err)
{
	*ret_zone = (struct zone){ 0 };
	if (read_rule(rule, ret_zone))
		return ERR_NONE;
	*ret_zone = (struct zone){ 0 };
	return err_set(err, ERR_INVALID, "\"%.*s\" is no rule of a time zone, as in TZ of POSIX",
		       100, rule);
}

/* ---- when clocks are set ---- */

static bool is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* The day of the change in days from 1970. */
static int64_t change_day(const struct zone_change *change, int64_t year)
{
	int64_t first = days_from_date(year, 1, 1);
	if (change->kind == ZONE_YEARDAY)
		return first + change->day;
	if (change->kind == ZONE_JULIAN)
		return first + change->day - 1 + (is_leap(year) && change->day >= 60);
	int64_t begin = days_from_date(year, change->month, 1);
	int64_t end = change->month == 12 ? days_from_date(year + 1, 1, 1)
					  : days_from_date(year, change->month + 1, 1);
	/* 1970-01-01 was a Thursday. */
	int64_t weekday = ((begin + 4) % 7 + 7) % 7;
	int64_t day = begin + (change->day - weekday + 7) % 7 + 7 * (change->week - 1);
	return day < end ? day : day - 7;
}

struct moment {
	int64_t at_s;
	int64_t offset_s; /* from then on */
};

/* The last change at or before a time; false: there is none. */
static struct moment last_change(const struct zone *zone, int64_t utc_s)
{
	int64_t year, month, day;
	struct moment last = { INT64_MIN, zone->standard_s };
	date_from_days(floor_div(utc_s, DAY_S), &year, &month, &day);
	for (int64_t y = year - 1; y <= year + 1; y++) {
		struct moment two[] = {
			{ change_day(&zone->to_summer, y) * DAY_S + zone->to_summer.time_s -
				  zone->standard_s,
			  zone->summer_s },
			{ change_day(&zone->to_standard, y) * DAY_S + zone->to_standard.time_s -
				  zone->summer_s,
			  zone->standard_s },
		};
		for (int i = 0; i < 2; i++)
			if (two[i].at_s <= utc_s && two[i].at_s >= last.at_s)
				last = two[i];
	}
	return last;
}

int64_t zone_offset_s(const struct zone *zone, int64_t utc_s)
{
	return zone->changes ? last_change(zone, utc_s).offset_s : zone->standard_s;
}

int zone_times_of(const struct zone *zone, int64_t local_s, int64_t ret_times_s[2])
{
	int64_t standard_s = local_s - zone->standard_s;
	int64_t summer_s = local_s - zone->summer_s;
	int n = 0;
	if (!zone->changes || zone->standard_s == zone->summer_s) {
		ret_times_s[0] = standard_s;
		return 1;
	}
	int64_t early_s = standard_s < summer_s ? standard_s : summer_s;
	int64_t late_s = standard_s < summer_s ? summer_s : standard_s;
	if (zone_offset_s(zone, early_s) == local_s - early_s)
		ret_times_s[n++] = early_s;
	if (zone_offset_s(zone, late_s) == local_s - late_s)
		ret_times_s[n++] = late_s;
	/* It was set forward between the two. */
	if (!n)
		ret_times_s[0] = last_change(zone, late_s).at_s;
	return n;
}

/* ---- a zone's file ---- */

#define HEADER_BYTES 44

struct header {
	int64_t n_utc, n_standard, n_leaps, n_times, n_types, n_chars;
};

static int64_t big_endian(const unsigned char *at, int n)
{
	uint64_t value = n == 4 && at[0] & 0x80 ? UINT64_MAX : 0;
	for (int i = 0; i < n; i++)
		value = value << 8 | at[i];
	return (int64_t)value;
}

static bool read_header(const unsigned char *bytes, size_t len, struct header *header)
{
	if (len < HEADER_BYTES || memcmp(bytes, "TZif", 4) != 0 || bytes[4] < '2')
		return false;
	int64_t *counts[] = { &header->n_utc,	&header->n_standard, &header->n_leaps,
			      &header->n_times, &header->n_types,    &header->n_chars };
	for (int i = 0; i < 6; i++) {
		*counts[i] = big_endian(bytes + 20 + 4 * i, 4);
		if (*counts[i] < 0 || *counts[i] > (1 << 20))
			return false;
	}
	return true;
}

static size_t body_bytes(const struct header *header, int time_bytes)
{
	return (size_t)(header->n_times * (time_bytes + 1) + header->n_types * 6 + header->n_chars +
			header->n_leaps * (time_bytes + 4) + header->n_standard + header->n_utc);
}

/* Does the rule say of each later time what the file says? */
static bool agrees(const struct header *header, const unsigned char *body, const struct zone *zone)
{
	const unsigned char *kinds = body + 8 * header->n_times;
	const unsigned char *types = kinds + header->n_times;
	for (int64_t i = 0; i < header->n_times; i++) {
		int64_t at_s = big_endian(body + 8 * i, 8);
		if (at_s < RULES_FROM_S || kinds[i] >= header->n_types)
			continue;
		if (zone_offset_s(zone, at_s) != big_endian(types + 6 * kinds[i], 4))
			return false;
	}
	return true;
}

enum err_code zone_read_file(const void *file, size_t len, char *ret_rule, size_t rule_size,
			     struct err *err)
{
	const unsigned char *bytes = file;
	struct header header;
	bool well = read_header(bytes, len, &header);
	size_t second = HEADER_BYTES + (well ? body_bytes(&header, 4) : 0);
	well = well && second < len && read_header(bytes + second, len - second, &header);
	size_t body = second + HEADER_BYTES;
	size_t footer = body + (well ? body_bytes(&header, 8) : 0);
	const unsigned char *end = well && footer + 1 < len
					   ? memchr(bytes + footer + 1, '\n', len - footer - 1)
					   : NULL;
	size_t rule_len = end ? (size_t)(end - bytes) - footer - 1 : 0;
	if (!end || bytes[footer] != '\n' || rule_len >= rule_size)
		return err_set(err, ERR_INVALID, "it is no file of a time zone");
	memcpy(ret_rule, bytes + footer + 1, rule_len);
	ret_rule[rule_len] = '\0';
	struct zone zone;
	enum err_code code = zone_parse(ret_rule, &zone, err);
	if (!code && !agrees(&header, bytes + body, &zone))
		code = err_set(err, ERR_UNSUPPORTED,
			       "its clock is set at other times each year, which no rule says");
	return code;
}
