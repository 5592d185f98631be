/* Schedules, rules and files of time zones, indices: refused with a reason, or of some use. The first line is a
 * schedule or indices, what follows is a rule or a file. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "job/array.h"
#include "job/cron.h"

#include "fuzz.h"

static void check_times(const char *text, const struct zone *zone)
{
	struct cron cron;
	struct err err = { 0 };
	int64_t at_s = 1790000000;
	if (cron_parse(text, &cron, &err)) {
		INVARIANT(err.code == ERR_INVALID && err.message[0]);
		return;
	}
	for (int i = 0; i < 3 && at_s != CRON_NEVER; i++) {
		int64_t next_s = cron_next(&cron, zone, at_s);
		INVARIANT(next_s > at_s);
		at_s = next_s;
	}
}

static void check_indices(const char *text)
{
	struct array array = { 0 };
	struct err err = { 0 };
	if (array_parse(text, &array, &err) == ERR_NONE) {
		int64_t n = array_size(&array);
		INVARIANT(n > 0 && array_index(&array, 1) <= array_index(&array, n));
		INVARIANT(array_check(&array, &err) == ERR_NONE);
	}
	record_release(&array_type, &array);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	_cleanup_free_ char *text = base_strndup((const char *)bytes, len);
	size_t first = strcspn(text, "\n");
	const char *rest = text[first] ? text + first + 1 : "UTC0";
	char rule[64];
	struct zone zone = { 0 };
	struct err err = { 0 };
	text[first] = '\0';
	if (zone_parse(rest, &zone, &err))
		INVARIANT(err.code == ERR_INVALID && err.message[0]);
	if (first < len && zone_read_file(bytes + first + 1, len - first - 1, rule, sizeof(rule),
					  &err) == ERR_NONE)
		INVARIANT(zone_parse(rule, &zone, &err) == ERR_NONE);
	check_times(text, &zone);
	check_indices(text);
	return 0;
}
