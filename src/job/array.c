#include "job/array.h"

#include <string.h>

#include "base/limits.h"
#include "base/parse.h"

// clang-format off
static const struct field index_range_fields[] = {
	ROW_INT(1, struct index_range, first, INT32_MAX),
	ROW_INT(2, struct index_range, last, INT32_MAX),
	ROW_INT(3, struct index_range, step, INT32_MAX),
};
RECORD_TYPE(index_range, struct index_range, index_range_fields);

static const struct field array_fields[] = {
	ROW_STRUCTS(1, struct array, indices, index_range, LIMIT_INDEX_RANGES),
};
RECORD_TYPE(array, struct array, array_fields);
// clang-format on

static int64_t step_of(const struct index_range *range)
{
	return range->step ? range->step : 1;
}

static int64_t count(const struct index_range *range)
{
	return (range->last - range->first) / step_of(range) + 1;
}

int64_t array_size(const struct array *array)
{
	int64_t n = 0;
	for (size_t i = 0; i < array->indices.n; i++)
		n += count(&array->indices.items[i]);
	return n;
}

int64_t array_index(const struct array *array, int64_t slot)
{
	int64_t left = slot - 1;
	for (size_t i = 0; i < array->indices.n; i++) {
		const struct index_range *range = &array->indices.items[i];
		if (left < count(range))
			return range->first + left * step_of(range);
		left -= count(range);
	}
	return 0;
}

/* "N", "A-B" or "A-B:S" of `len` bytes. */
static enum err_code parse_range(const char *text, size_t len, struct index_range *range,
				 struct err *err)
{
	size_t colon = strcspn(text, ":,");
	colon = colon < len ? colon : len;
	size_t dash = strcspn(text, "-:,");
	dash = dash < colon ? dash : colon;
	enum err_code code = parse_int_n(text, dash, 0, INT32_MAX, &range->first, err);
	range->last = range->first;
	if (!code && dash < colon)
		code = parse_int_n(text + dash + 1, colon - dash - 1, range->first, INT32_MAX,
				   &range->last, err);
	if (!code && colon < len)
		code = parse_int_n(text + colon + 1, len - colon - 1, 1, INT32_MAX, &range->step,
				   err);
	if (!code && colon < len && dash == colon)
		return err_set(err, ERR_INVALID, "\"%.*s\" has a step and no range", (int)len,
			       text);
	if (range->step == 1)
		range->step = 0;
	return code;
}

enum err_code array_parse(const char *text, struct array *array, struct err *err)
{
	if (!text[strcspn(text, "-,")]) {
		int64_t n;
		enum err_code code = parse_int(text, 1, LIMIT_REPLICAS, &n, err);
		if (code)
			return code;
		struct index_range *range = list_add(&array->indices, sizeof(*range));
		range->last = n - 1;
		return ERR_NONE;
	}
	for (const char *at = text;; at++) {
		size_t len = strcspn(at, ",");
		if (array->indices.n == LIMIT_INDEX_RANGES)
			return err_set(err, ERR_LIMIT, "an array has at most %d ranges of indices",
				       LIMIT_INDEX_RANGES);
		struct index_range *range = list_add(&array->indices, sizeof(*range));
		enum err_code code = parse_range(at, len, range, err);
		if (code)
			return code;
		at += len;
		if (!*at)
			return array_check(array, err);
	}
}

void array_print(const struct array *array, struct text *out)
{
	for (size_t i = 0; i < array->indices.n; i++) {
		const struct index_range *range = &array->indices.items[i];
		text_addf(out, "%s%lld-%lld", i ? "," : "", (long long)range->first,
			  (long long)range->last);
		if (range->step)
			text_addf(out, ":%lld", (long long)range->step);
	}
}

enum err_code array_check(const struct array *array, struct err *err)
{
	int64_t n = 0;
	int64_t before = -1;
	for (size_t i = 0; i < array->indices.n; i++) {
		const struct index_range *range = &array->indices.items[i];
		if (range->last < range->first)
			return err_set(err, ERR_INVALID, "%lld-%lld goes downwards",
				       (long long)range->first, (long long)range->last);
		if (range->first <= before)
			return err_set(err, ERR_INVALID,
				       "indices are written in ascending order, each once: %lld "
				       "comes after %lld",
				       (long long)range->first, (long long)before);
		n += count(range);
		before = range->last;
	}
	if (!n)
		return err_set(err, ERR_INVALID, "an array has at least one index");
	if (n > LIMIT_REPLICAS)
		return err_set(err, ERR_LIMIT, "%lld indices, and a job has at most %d tasks",
			       (long long)n, LIMIT_REPLICAS);
	return ERR_NONE;
}
