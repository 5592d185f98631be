#include "job/cron.h"

#include <string.h>

#include "base/parse.h"
#include "base/text.h"

#define DAY_S	   86400
#define DAYS_AHEAD (12 * 366)
/* No clock is set by more than this: local times further apart come in their order. */
#define SET_MAX_S (3 * 3600)

struct field {
	const char *name;
	int64_t first, last;
	const char *const *names; /* of the values from `first` on */
	int n_names;
};

static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may", "jun",
					   "jul", "aug", "sep", "oct", "nov", "dec" };
static const char *const weekday_names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };
static const struct field fields[] = {
	{ "minute", 0, 59, NULL, 0 },
	{ "hour", 0, 23, NULL, 0 },
	{ "day of the month", 1, 31, NULL, 0 },
	{ "month", 1, 12, month_names, 12 },
	{ "day of the week", 0, 7, weekday_names, 7 },
};

/* Is it this word, in any case? */
static bool is_word(const char *text, size_t len, const char *word)
{
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (c != word[i])
			return false;
	}
	return !word[len];
}

static enum err_code bad(const struct field *field, const char *text, size_t len, const char *why,
			 struct err *err)
{
	return err_set(err, ERR_INVALID, "the %s \"%.*s\" %s", field->name, (int)len, text, why);
}

static enum err_code read_value(const struct field *field, const char *text, size_t len,
				int64_t *ret_value, struct err *err)
{
	for (int i = 0; i < field->n_names; i++) {
		if (!is_word(text, len, field->names[i]))
			continue;
		*ret_value = field->first + i;
		return ERR_NONE;
	}
	if (parse_int_n(text, len, field->first, field->last, ret_value, NULL)) {
		char why[80];
		text_print(why, sizeof(why), "is not one of %lld to %lld%s",
			   (long long)field->first, (long long)field->last,
			   field->n_names == 12 ? ", jan to dec"
			   : field->n_names	? ", sun to sat"
						: "");
		return bad(field, text, len, why, err);
	}
	return ERR_NONE;
}

/* "*", "a", "a-b", each of the ranges with "/step". */
static enum err_code read_part(const struct field *field, const char *text, size_t len,
			       uint64_t *bits, struct err *err)
{
	const char *slash = memchr(text, '/', len);
	size_t range_len = slash ? (size_t)(slash - text) : len;
	const char *dash = memchr(text, '-', range_len);
	int64_t first = field->first;
	int64_t last = field->last;
	int64_t step = 1;
	enum err_code code = ERR_NONE;
	if (range_len != 1 || text[0] != '*') {
		size_t first_len = dash ? (size_t)(dash - text) : range_len;
		code = read_value(field, text, first_len, &first, err);
		last = first;
		if (!code && dash)
			code = read_value(field, dash + 1, range_len - first_len - 1, &last, err);
		if (!code && slash && !dash)
			return bad(field, text, len, "has a step and no range", err);
	}
	if (!code && slash && parse_int_n(slash + 1, len - range_len - 1, 1, 1000, &step, NULL))
		return bad(field, text, len, "has no step from 1 on behind its /", err);
	if (!code && last < first)
		return bad(field, text, len, "goes downwards", err);
	for (int64_t value = first; !code && value <= last; value += step)
		*bits |= 1ULL << value;
	return code;
}

static enum err_code read_field(const struct field *field, const char *text, size_t len,
				uint64_t *bits, struct err *err)
{
	*bits = 0;
	for (size_t at = 0;;) {
		const char *comma = memchr(text + at, ',', len - at);
		size_t end = comma ? (size_t)(comma - text) : len;
		enum err_code code = read_part(field, text + at, end - at, bits, err);
		if (code || !comma)
			return code;
		at = end + 1;
	}
}

/* What a word stands for; NULL: it is none. */
static const char *meaning(const char *word)
{
	static const char *const words[][2] = {
		{ "@yearly", "0 0 1 1 *" },  { "@annually", "0 0 1 1 *" },
		{ "@monthly", "0 0 1 * *" }, { "@weekly", "0 0 * * 0" },
		{ "@daily", "0 0 * * *" },   { "@midnight", "0 0 * * *" },
		{ "@hourly", "0 * * * *" },
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (is_word(word, strlen(word), words[i][0]))
			return words[i][1];
	return NULL;
}

static enum err_code read_fields(const char *text, struct cron *cron, struct err *err)
{
	uint64_t *const bits[] = { &cron->minutes, &cron->hours, &cron->days, &cron->months,
				   &cron->weekdays };
	const char *at = text;
	for (int i = 0; i < 5; i++) {
		at += strspn(at, " \t");
		size_t len = strcspn(at, " \t");
		if (!len)
			return err_set(err, ERR_INVALID,
				       "\"%.*s\" has %d fields of five: minute, hour, day of the "
				       "month, month, day of the week",
				       100, text, i);
		enum err_code code = read_field(&fields[i], at, len, bits[i], err);
		if (code)
			return code;
		cron->any_hour |= i == 1 && *at == '*';
		cron->any_day |= (i == 2 || i == 4) && *at == '*';
		at += len;
	}
	if (at[strspn(at, " \t")])
		return err_set(err, ERR_INVALID, "\"%.*s\" has more than five fields", 100, text);
	/* Sunday is 7, too. */
	cron->weekdays |= cron->weekdays >> 7 & 1;
	return ERR_NONE;
}

enum err_code cron_parse(const char *text, struct cron *ret_cron, struct err *err)
{
	static const struct zone utc;
	*ret_cron = (struct cron){ 0 };
	if (*text == '@') {
		const char *found = meaning(text);
		if (!found)
			return err_set(err, ERR_INVALID,
				       "\"%.*s\" is none of @hourly, @daily, @midnight, @weekly, "
				       "@monthly, @yearly, @annually",
				       100, text);
		text = found;
	}
	enum err_code code = read_fields(text, ret_cron, err);
	if (!code && cron_next(ret_cron, &utc, 0) == CRON_NEVER)
		code = err_set(err, ERR_INVALID, "\"%.*s\" names a day that never comes", 100,
			       text);
	return code;
}

static bool has(uint64_t bits, int64_t value)
{
	return bits >> value & 1;
}

static bool day_matches(const struct cron *cron, int64_t days)
{
	int64_t year, month, day;
	date_from_days(days, &year, &month, &day);
	if (!has(cron->months, month))
		return false;
	bool of_month = has(cron->days, day);
	bool of_week = has(cron->weekdays, ((days + 4) % 7 + 7) % 7);
	return cron->any_day ? of_month && of_week : of_month || of_week;
}

/* The earliest time after `after_s` at which this local time comes. */
static int64_t comes_after(const struct cron *cron, const struct zone *zone, int64_t local_s,
			   int64_t after_s)
{
	int64_t times_s[2];
	int n = zone_times_of(zone, local_s, times_s);
	if (!n && cron->any_hour)
		return CRON_NEVER;
	if (times_s[0] > after_s)
		return times_s[0];
	return n == 2 && cron->any_hour && times_s[1] > after_s ? times_s[1] : CRON_NEVER;
}

int64_t cron_next(const struct cron *cron, const struct zone *zone, int64_t after_s)
{
	int64_t from_s = after_s + zone_offset_s(zone, after_s) - SET_MAX_S;
	int64_t first = from_s / DAY_S - (from_s % DAY_S < 0);
	int64_t best_s = CRON_NEVER;
	int64_t best_local_s = CRON_NEVER;
	for (int64_t days = first; days <= first + DAYS_AHEAD; days++) {
		if (best_s != CRON_NEVER && days * DAY_S > best_local_s + SET_MAX_S)
			return best_s;
		if (!day_matches(cron, days))
			continue;
		for (int64_t minute = 0; minute < 1440; minute++) {
			int64_t local_s = days * DAY_S + minute * 60;
			if (!has(cron->hours, minute / 60) || !has(cron->minutes, minute % 60) ||
			    local_s < from_s)
				continue;
			if (best_s != CRON_NEVER && local_s > best_local_s + SET_MAX_S)
				return best_s;
			int64_t at_s = comes_after(cron, zone, local_s, after_s);
			if (at_s < best_s) {
				best_s = at_s;
				best_local_s = local_s;
			}
		}
	}
	return best_s;
}
