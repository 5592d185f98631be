/* Invariants: lane and column name each other; the lanes of a span ascend by column, so the first of equal scores in a
 * span is the lowest column; a lane whose machine may take no tasks has no room. */
#include "scheduler/lanes.h"

#include <math.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/sort.h"
#include "scheduler/internal.h"

#define ALIGNMENT 64
#define NO_ROOM	  INT32_MIN
#define NO_NEED	  (INT32_MIN + 1)

/* ---- capacity ---- */

static int64_t round_up(int64_t amount)
{
	if (amount < 512)
		return amount;
	int shift = 63 - __builtin_clzll((uint64_t)amount) - 8;
	int64_t step = (int64_t)1 << shift;
	return (amount + step - 1) & -step;
}

static double share_of_one(int64_t capacity)
{
	return capacity > 0 ? 1.0 / (double)capacity : 1.0;
}

struct capacity capacity_of(const struct node_columns *columns, size_t column)
{
	struct capacity capacity = {
		.cpu_milli = round_up(columns->cpu_capacity_milli[column]),
		.memory_bytes = round_up(columns->memory_capacity_bytes[column]),
	};
	capacity.per_cpu_milli = share_of_one(capacity.cpu_milli);
	capacity.per_memory_byte = share_of_one(capacity.memory_bytes);
	return capacity;
}

static int compare_capacities(const struct capacity *a, const struct capacity *b)
{
	if (a->cpu_milli != b->cpu_milli)
		return a->cpu_milli < b->cpu_milli ? -1 : 1;
	if (a->memory_bytes != b->memory_bytes)
		return a->memory_bytes < b->memory_bytes ? -1 : 1;
	return 0;
}

/* ---- building ---- */

struct placed {
	struct capacity capacity;
	uint32_t column;
};

static int compare_placed(const void *a, const void *b, void *context)
{
	(void)context;
	const struct placed *left = a;
	const struct placed *right = b;
	int order = compare_capacities(&left->capacity, &right->capacity);
	return order ? order : left->column < right->column ? -1 : left->column > right->column;
}

static size_t padded(size_t n)
{
	return (n + LANES_WIDE - 1) / LANES_WIDE * LANES_WIDE;
}

/* Cut the sorted columns into spans; says how many lanes there are. */
static size_t cut(struct lanes *lanes, const struct placed *placed, size_t n)
{
	size_t n_lanes = 0;
	size_t capacity = 0;
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i; end < n &&
			      compare_capacities(&placed[i].capacity, &placed[end].capacity) == 0;)
			end++;
		lanes->spans = base_grow(lanes->spans, lanes->n_spans, &capacity,
					 sizeof(struct lane_span));
		lanes->spans[lanes->n_spans++] = (struct lane_span){ placed[i].capacity, n_lanes,
								     n_lanes + padded(end - i) };
		n_lanes += padded(end - i);
	}
	return n_lanes;
}

/* One block for all arrays; each begins at a multiple of its alignment, for n_lanes is one of LANES_WIDE. */
static void make_room(struct lanes *lanes, size_t n_lanes)
{
	const size_t size = sizeof(uint32_t);
	size_t n_arrays = TERMS_MAX + 3;
	lanes->memory = base_calloc(n_arrays * n_lanes + ALIGNMENT / size, size);
	uintptr_t begin = ((uintptr_t)lanes->memory + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1);
	char *at = (char *)lanes->memory + (begin - (uintptr_t)lanes->memory);
	void **const arrays[] = {
		(void **)&lanes->terms[0],	 (void **)&lanes->terms[1],
		(void **)&lanes->terms[2],	 (void **)&lanes->terms[3],
		(void **)&lanes->cpu_free_milli, (void **)&lanes->memory_free_kib,
		(void **)&lanes->columns,
	};
	for (size_t i = 0; i < ARRAY_LEN(arrays); i++, at += n_lanes * size)
		*arrays[i] = at;
	lanes->n = n_lanes;
}

static void empty_lane(struct lanes *lanes, size_t lane)
{
	lanes->columns[lane] = LANE_EMPTY;
	lanes->cpu_free_milli[lane] = NO_ROOM;
	lanes->memory_free_kib[lane] = NO_ROOM;
}

/* ---- one lane ---- */

static int32_t saturated(int64_t amount)
{
	return amount > INT32_MAX ? INT32_MAX : amount < NO_NEED ? NO_NEED : (int32_t)amount;
}

static int64_t kib_floor(int64_t bytes)
{
	return bytes >> 10;
}

static void fill_lane(struct lanes *lanes, const struct node_columns *columns, size_t column,
		      const struct lane_span *span)
{
	size_t lane = lanes->of_column[column].lane;
	float terms[TERMS_MAX] = { 0 };
	lanes->policy->terms(columns, column, &span->capacity, lanes->scale, terms);
	for (int k = 0; k < TERMS_MAX; k++)
		lanes->terms[k][lane] = terms[k];
	bool ready = columns->ready[column];
	int64_t cpu_milli =
		columns->cpu_capacity_milli[column] - columns->cpu_reserved_milli[column];
	int64_t memory_bytes =
		columns->memory_capacity_bytes[column] - columns->memory_reserved_bytes[column];
	lanes->cpu_free_milli[lane] = ready ? saturated(cpu_milli) : NO_ROOM;
	lanes->memory_free_kib[lane] = ready ? saturated(kib_floor(memory_bytes)) : NO_ROOM;
}

/* ---- all ---- */

static double scale_of(const struct score_terms *policy, size_t n_nodes)
{
	return policy->scale ? policy->scale(n_nodes) : 1.0;
}

static void give_lanes(struct lanes *lanes, const struct node_columns *columns,
		       const struct placed *placed)
{
	size_t next = 0;
	for (size_t i = 0; i < lanes->n_spans; i++) {
		const struct lane_span *span = &lanes->spans[i];
		for (size_t lane = span->begin; lane < span->end; lane++) {
			if (next == columns->n ||
			    compare_capacities(&placed[next].capacity, &span->capacity) != 0) {
				empty_lane(lanes, lane);
				continue;
			}
			uint32_t column = placed[next++].column;
			lanes->columns[lane] = column;
			lanes->of_column[column] =
				(struct lane_place){ (uint32_t)lane, (uint32_t)i };
			fill_lane(lanes, columns, column, span);
		}
	}
	POST(next == columns->n);
}

void lanes_build(struct lanes *lanes, const struct score_terms *policy,
		 const struct node_columns *columns)
{
	lanes_release(lanes);
	lanes->policy = policy;
	lanes->n_columns = columns->n;
	lanes->scale = scale_of(policy, columns->n);
	_cleanup_free_ struct placed *placed =
		base_calloc(columns->n ? columns->n : 1, sizeof(*placed));
	for (size_t i = 0; i < columns->n; i++)
		placed[i] = (struct placed){ capacity_of(columns, i), (uint32_t)i };
	sort_stable(placed, columns->n, sizeof(*placed), compare_placed, NULL);
	make_room(lanes, cut(lanes, placed, columns->n));
	lanes->of_column = base_calloc(columns->n ? columns->n : 1, sizeof(struct lane_place));
	give_lanes(lanes, columns, placed);
}

void lanes_release(struct lanes *lanes)
{
	base_free(lanes->memory);
	base_free(lanes->of_column);
	base_free(lanes->spans);
	*lanes = (struct lanes){ 0 };
}

void lanes_update(struct lanes *lanes, const struct node_columns *columns, size_t column)
{
	PRE(column < lanes->n_columns);
	fill_lane(lanes, columns, column, &lanes->spans[lanes->of_column[column].span]);
}

void lanes_exclude(struct lanes *lanes, size_t column)
{
	lanes->cpu_free_milli[lanes->of_column[column].lane] = NO_ROOM;
}

struct lane_needs lane_needs(const struct resources *request)
{
	return (struct lane_needs){
		request->cpu_milli > 0 ? saturated(request->cpu_milli) : NO_NEED,
		request->memory_bytes > 0 ? saturated(kib_floor(request->memory_bytes)) : NO_NEED,
	};
}

float score_by_terms(const struct score_terms *policy, const struct node_columns *columns,
		     size_t column, const struct resources *expected)
{
	struct capacity capacity = capacity_of(columns, column);
	float terms[TERMS_MAX] = { 0 };
	float factors[FACTORS_MAX] = { 0 };
	double scale = scale_of(policy, columns->n);
	policy->terms(columns, column, &capacity, scale, terms);
	policy->factors(&capacity, scale, expected, factors);
	return policy->score(terms, factors);
}

struct lane_best lanes_best(const struct lanes *lanes, const struct resources *request,
			    const struct resources *expected)
{
	struct lane_best best = { INFINITY, LANE_EMPTY };
	struct lane_needs needs = lane_needs(request);
	for (size_t i = 0; i < lanes->n_spans; i++) {
		const struct lane_span *span = &lanes->spans[i];
		float factors[FACTORS_MAX] = { 0 };
		lanes->policy->factors(&span->capacity, lanes->scale, expected, factors);
		lanes->policy->scan(lanes, span, factors, &needs, &best);
	}
	return best;
}

float *lanes_factors(const struct lanes *lanes, const struct resources *expected)
{
	float *factors = base_calloc(lanes->n_spans * FACTORS_MAX + 1, sizeof(*factors));
	for (size_t i = 0; i < lanes->n_spans; i++)
		lanes->policy->factors(&lanes->spans[i].capacity, lanes->scale, expected,
				       &factors[i * FACTORS_MAX]);
	return factors;
}

float lanes_score(const struct lanes *lanes, const float *factors, size_t column)
{
	struct lane_place place = lanes->of_column[column];
	const float terms[TERMS_MAX] = {
		lanes->terms[0][place.lane],
		lanes->terms[1][place.lane],
		lanes->terms[2][place.lane],
		lanes->terms[3][place.lane],
	};
	return lanes->policy->score(terms, &factors[place.span * FACTORS_MAX]);
}
