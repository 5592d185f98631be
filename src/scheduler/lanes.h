/* The machines in the form in which they are scanned: what a policy's score needs of each as floats and what is free as
 * 32-bit numbers, eight machines side by side, those of one capacity together. A scan finds the exact best of all
 * machines that have the room; the other filters are asked of that one afterwards (pick.c).
 *
 * Everything here follows from struct node_columns and is made anew from it at any time. */
#ifndef SCHEDULER_LANES_H
#define SCHEDULER_LANES_H

#include "scheduler/scheduler.h"

#define LANES_WIDE  8 /* scanned at once */
#define TERMS_MAX   4
#define FACTORS_MAX 8

/* What machines that hardly differ have alike, rounded up to 1/256: a fleet has few of these. Scores are reckoned with
 * it, room is not. */
struct capacity {
	int64_t cpu_milli;
	int64_t memory_bytes;
	double per_cpu_milli; /* the share that one is; 1 of 0 is all there is */
	double per_memory_byte;
};
struct capacity capacity_of(const struct node_columns *columns, size_t column);

/* A score as a function of terms, which follow from the machine, and factors, which follow from the request and are the
 * same for all machines of one capacity. */
struct lanes;
struct lane_span;
struct lane_needs;
struct lane_best;
struct score_terms {
	/* What both below need of the number of machines; NULL: nothing. */
	double (*scale)(size_t n_nodes);
	void (*terms)(const struct node_columns *columns, size_t column,
		      const struct capacity *capacity, double scale, float ret_terms[TERMS_MAX]);
	void (*factors)(const struct capacity *capacity, double scale,
			const struct resources *request, float ret_factors[FACTORS_MAX]);
	/* Of one machine. */
	float (*score)(const float terms[TERMS_MAX], const float factors[FACTORS_MAX]);
	/* Of all of a span; `best` is what was found before. */
	void (*scan)(const struct lanes *lanes, const struct lane_span *span,
		     const float factors[FACTORS_MAX], const struct lane_needs *needs,
		     struct lane_best *best);
};

/* The machines of one capacity; both ends are multiples of LANES_WIDE, what fills up the last eight has no room. */
struct lane_span {
	struct capacity capacity;
	size_t begin;
	size_t end;
};

struct lane_place {
	uint32_t lane;
	uint32_t span;
};

struct lanes {
	const struct score_terms *policy;
	float *terms[TERMS_MAX]; /* of the policy; aligned for vectors, as the next three */
	int32_t *cpu_free_milli; /* rounded so that who has the room is never left out */
	int32_t *memory_free_kib;
	uint32_t *columns; /* of each lane; LANE_EMPTY */
	struct lane_place *of_column;
	struct lane_span *spans;
	size_t n_spans;
	size_t n;
	size_t n_columns;
	double scale;
	void *memory;
};
#define LANE_EMPTY UINT32_MAX

void lanes_build(struct lanes *lanes, const struct score_terms *policy,
		 const struct node_columns *columns);
void lanes_release(struct lanes *lanes);
/* Something of this column changed, but not its capacity: then all are to be built anew. */
void lanes_update(struct lanes *lanes, const struct node_columns *columns, size_t column);

/* Until the next lanes_update() it has no room. */
void lanes_exclude(struct lanes *lanes, size_t column);

/* The least a machine must have free for a request. */
struct lane_needs {
	int32_t cpu_milli;
	int32_t memory_kib;
};
struct lane_needs lane_needs(const struct resources *request);

struct lane_best {
	float score; /* INFINITY: none */
	uint32_t column;
};
/* The score of the request on one machine, the same bits as in a scan. */
float score_by_terms(const struct score_terms *policy, const struct node_columns *columns,
		     size_t column, const struct resources *expected);
/* The factors of each span; base_free() it. */
float *lanes_factors(const struct lanes *lanes, const struct resources *expected);
/* The score on one machine with them. */
float lanes_score(const struct lanes *lanes, const float *factors, size_t column);
/* The column of the lowest score of those with the room; of equal ones the lowest. */
struct lane_best lanes_best(const struct lanes *lanes, const struct resources *request,
			    const struct resources *expected);

#endif
