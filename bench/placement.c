/* How many placements a second the scheduler's kernel makes, on columns alone: no tasks, no filters but the room. Each
 * is the exact best of all machines, half full at the beginning.
 *
 * array: one job of many equal tasks. singles: every task asks for something else. plain: every machine is asked for
 * its score, one after the other. of memory: the share of what this processor reads a second from as many bytes that
 * the scan of a single reads. Processor time, medians of REPEATS runs.
 *
 * usage: placement [MILLISECONDS_PER_RUN] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/parse.h"
#include "base/sort.h"
#include "base/uuid.h"
#include "cluster/internal.h"
#include "scheduler/contest.h"
#include "scheduler/internal.h"
#include "scheduler/lanes.h"

#define GB (1LL << 30)
#define MB (1LL << 20)

struct bench {
	struct node_columns columns;
	const struct scheduler_ops *policy;
	struct resources request;
	struct lanes lanes;
	struct contest contest;
	float *factors;
	int32_t *of_the_job;
	uint64_t round;
	uint64_t state;
};

static uint64_t draw(struct bench *bench)
{
	bench->state ^= bench->state << 13;
	bench->state ^= bench->state >> 7;
	bench->state ^= bench->state << 17;
	return bench->state;
}

static void make_nodes(struct bench *bench, size_t n, size_t n_classes)
{
	struct node_columns *columns = &bench->columns;
	for (size_t i = 0; i < n; i++) {
		columns_add(columns, NULL);
		columns->number[i] = (int64_t)i + 1;
		size_t class = draw(bench) % n_classes;
		columns->cpu_capacity_milli[i] = 16000 + 1000 * (int64_t) class;
		columns->memory_capacity_bytes[i] =
			(64 + 4 * (int64_t)(class * 7 % n_classes)) * GB;
		columns->disk_capacity_bytes[i] = 1000 * GB;
		columns->ready[i] = 1;
	}
	bench->of_the_job = base_calloc(n, sizeof(int32_t));
}

static void free_nodes(struct bench *bench)
{
	columns_release(&bench->columns);
	base_free(bench->of_the_job);
	base_free(bench->factors);
	lanes_release(&bench->lanes);
	contest_release(&bench->contest);
}

static void put(struct bench *bench, size_t column, const struct resources *request, int64_t sign)
{
	struct node_columns *columns = &bench->columns;
	columns->cpu_reserved_milli[column] += sign * request->cpu_milli;
	columns->cpu_expected_milli[column] += sign * request->cpu_milli;
	columns->memory_reserved_bytes[column] += sign * request->memory_bytes;
	columns->memory_expected_bytes[column] += sign * request->memory_bytes;
	columns->tasks[column] += sign;
}

static bool has_room(const struct bench *bench, size_t column)
{
	const struct node_columns *columns = &bench->columns;
	return columns->cpu_capacity_milli[column] - columns->cpu_reserved_milli[column] >=
		       bench->request.cpu_milli &&
	       columns->memory_capacity_bytes[column] - columns->memory_reserved_bytes[column] >=
		       bench->request.memory_bytes;
}

/* ---- one job of many tasks ---- */

static double score_of(const struct bench *bench, size_t column)
{
	if (!has_room(bench, column))
		return INFINITY;
	if (bench->policy == &scheduler_roundrobin)
		return 0;
	if (bench->policy == &scheduler_spread)
		return (double)bench->of_the_job[column] * 16777216.0 +
		       (double)bench->columns.tasks[column];
	return (double)score_by_terms(bench->policy->by_terms, &bench->columns, column,
				      &bench->request);
}

static uint64_t key_of(struct bench *bench, size_t column)
{
	if (!has_room(bench, column))
		return CONTEST_NO_KEY;
	if (bench->policy == &scheduler_roundrobin)
		return 0;
	if (bench->policy == &scheduler_spread)
		return contest_key_of_counts((uint64_t)bench->of_the_job[column],
					     (uint64_t)bench->columns.tasks[column]);
	return contest_key_of_score(lanes_score(&bench->lanes, bench->factors, column));
}

static size_t place_of_array(struct bench *bench)
{
	size_t column;
	uint64_t key;
	if (bench->policy == &scheduler_roundrobin) {
		size_t begin = bench->round % bench->columns.n;
		if (!contest_next(&bench->contest, begin, &column) &&
		    !contest_next(&bench->contest, 0, &column))
			return SIZE_MAX;
		bench->round = column + 1;
	} else if (!contest_best(&bench->contest, &column, &key)) {
		return SIZE_MAX;
	}
	put(bench, column, &bench->request, 1);
	bench->of_the_job[column]++;
	if (bench->policy != &scheduler_roundrobin)
		lanes_update(&bench->lanes, &bench->columns, column);
	contest_set(&bench->contest, column, key_of(bench, column));
	return column;
}

static void begin_array(struct bench *bench)
{
	if (bench->policy != &scheduler_roundrobin) {
		base_free(bench->factors);
		lanes_build(&bench->lanes, bench->policy->by_terms, &bench->columns);
		bench->factors = lanes_factors(&bench->lanes, &bench->request);
	}
	contest_release(&bench->contest);
	contest_init(&bench->contest, bench->columns.n);
	for (size_t i = 0; i < bench->columns.n; i++)
		contest_put(&bench->contest, i, key_of(bench, i));
	contest_settle(&bench->contest);
}

/* ---- every task another ---- */

static void draw_request(struct bench *bench)
{
	bench->request = (struct resources){
		.cpu_milli = 1 + (int64_t)(draw(bench) % 400),
		.memory_bytes = (int64_t)(1 + draw(bench) % 1600) * MB,
	};
}

static size_t first_in_turn(struct bench *bench)
{
	size_t n = bench->columns.n;
	for (size_t i = 0; i < n; i++) {
		size_t column = (bench->round + i) % n;
		if (!has_room(bench, column))
			continue;
		bench->round = column + 1;
		return column;
	}
	return SIZE_MAX;
}

static size_t place_single(struct bench *bench)
{
	draw_request(bench);
	size_t column;
	if (bench->policy == &scheduler_roundrobin) {
		column = first_in_turn(bench);
	} else {
		struct lane_best best = lanes_best(&bench->lanes, &bench->request, &bench->request);
		column = best.column == LANE_EMPTY ? SIZE_MAX : best.column;
	}
	if (column == SIZE_MAX)
		return column;
	put(bench, column, &bench->request, 1);
	if (bench->policy != &scheduler_roundrobin)
		lanes_update(&bench->lanes, &bench->columns, column);
	return column;
}

static size_t plain_scan(struct bench *bench)
{
	size_t best = SIZE_MAX;
	double best_key = INFINITY;
	for (size_t i = 0; i < bench->columns.n; i++) {
		double key = score_of(bench, i);
		if (key < best_key) {
			best = i;
			best_key = key;
		}
	}
	if (best != SIZE_MAX)
		put(bench, best, &bench->request, 1);
	return best;
}

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void empty(struct bench *bench)
{
	struct node_columns *columns = &bench->columns;
	memset(columns->cpu_reserved_milli, 0, columns->n * sizeof(int64_t));
	memset(columns->cpu_expected_milli, 0, columns->n * sizeof(int64_t));
	memset(columns->memory_reserved_bytes, 0, columns->n * sizeof(int64_t));
	memset(columns->memory_expected_bytes, 0, columns->n * sizeof(int64_t));
	memset(columns->tasks, 0, columns->n * sizeof(int64_t));
	memset(bench->of_the_job, 0, columns->n * sizeof(int32_t));
}

/* Half full with tasks of all sizes, so that machines differ. */
static void fill_half(struct bench *bench)
{
	empty(bench);
	for (size_t i = 0; i < bench->columns.n; i++) {
		struct resources request = { .cpu_milli = (int64_t)(draw(bench) % 12000),
					     .memory_bytes = (int64_t)(draw(bench) % 50000) * MB };
		put(bench, i, &request, 1);
	}
}

typedef size_t place_fn(struct bench *bench);

static double rate_once(struct bench *bench, place_fn *place, void (*begin)(struct bench *),
			double seconds)
{
	size_t n = 0;
	double used = 0;
	while (used < seconds) {
		fill_half(bench);
		if (begin)
			begin(bench);
		double from = now();
		for (bool full = false; !full && now() - from < seconds;)
			for (int i = 0; !full && i < 16; i++) {
				full = place(bench) == SIZE_MAX;
				n += !full;
			}
		used += now() - from;
	}
	return (double)n / used;
}

static int compare_rates(const void *a, const void *b, void *context)
{
	(void)context;
	double left = *(const double *)a;
	double right = *(const double *)b;
	return left < right ? -1 : left > right;
}

#define REPEATS 5
static double rate(struct bench *bench, place_fn *place, void (*begin)(struct bench *),
		   double seconds)
{
	double rates[REPEATS];
	for (int i = 0; i < REPEATS; i++)
		rates[i] = rate_once(bench, place, begin, seconds);
	sort_stable(rates, REPEATS, sizeof(double), compare_rates, NULL);
	return rates[REPEATS / 2];
}

static void begin_lanes(struct bench *bench)
{
	if (bench->policy != &scheduler_roundrobin)
		lanes_build(&bench->lanes, bench->policy->by_terms, &bench->columns);
}

/* ---- what memory gives ---- */

typedef int64_t words __attribute__((vector_size(32), aligned(8)));

/* Bytes a second, of a buffer of as many bytes. */
#ifdef __x86_64__
__attribute__((target("avx2")))
#endif
static double
read_rate(size_t n_bytes)
{
	size_t n = n_bytes / sizeof(words) + 4;
	words *buffer = base_calloc(n, sizeof(words));
	memset(buffer, 1, n * sizeof(words));
	words sums[4] = { { 0 } };
	size_t n_read = 0;
	double from = now();
	while (now() - from < 0.05)
		for (int k = 0; k < 16; k++, n_read += n / 4 * 4)
			for (size_t i = 0; i + 4 <= n; i += 4)
				for (size_t j = 0; j < 4; j++)
					sums[j] ^= buffer[i + j];
	double used = now() - from;
	volatile int64_t kept = (sums[0] ^ sums[1] ^ sums[2] ^ sums[3])[0];
	(void)kept;
	base_free(buffer);
	return (double)(n_read * sizeof(words)) / used;
}

/* What a scan reads of each machine: the policy's terms and what is free. */
static size_t bytes_of(const struct scheduler_ops *policy)
{
	size_t n_terms = policy == &scheduler_epvm	? 3
			 : policy == &scheduler_greedy	? 2
			 : policy == &scheduler_binpack ? 4
							: 1;
	return (n_terms + 2) * sizeof(float);
}

static void run_cell(const struct scheduler_ops *policy, size_t n_nodes, size_t n_shapes,
		     double seconds)
{
	struct bench bench = { .policy = policy, .state = 88172645463325252u };
	make_nodes(&bench, n_nodes, n_shapes);
	bench.request = (struct resources){ .cpu_milli = 10, .memory_bytes = 32 * MB };
	double array = rate(&bench, place_of_array, begin_array, seconds);
	double single = rate(&bench, place_single, begin_lanes, seconds);
	bench.request = (struct resources){ .cpu_milli = 10, .memory_bytes = 32 * MB };
	double plain = rate(&bench, plain_scan, NULL, seconds);
	printf("%7zu %6zu  %-10s %12.0f %12.0f %12.0f", n_nodes, n_shapes, policy->name, array,
	       single, plain);
	size_t n_bytes = bench.lanes.n * bytes_of(policy);
	if (policy != &scheduler_roundrobin)
		printf(" %10.2f", single * (double)n_bytes / read_rate(n_bytes));
	else
		printf(" %10s", "-"); /* it reads one machine */
	printf("\n");
	fflush(stdout);
	free_nodes(&bench);
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = { 1000, 10000, 100000 };
	static const size_t shapes[] = { 1, 4, 27 };
	int64_t run_ms = 20;
	if (argc > 1 && parse_int(argv[1], 1, 60000, &run_ms, NULL) != ERR_NONE) {
		fprintf(stderr, "usage: placement [MILLISECONDS_PER_RUN]\n");
		return 2;
	}
	printf("%7s %6s  %-10s %12s %12s %12s %10s\n", "nodes", "shapes", "policy", "array/s",
	       "singles/s", "plain/s", "of memory");
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		for (size_t j = 0; j < ARRAY_LEN(shapes); j++)
			for (size_t k = 0; k < SCHEDULER_POLICY_COUNT; k++)
				run_cell(scheduler_registry[k], sizes[i], shapes[j],
					 (double)run_ms / 1000);
	return 0;
}
