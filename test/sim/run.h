/* Running seeds: one, twice to compare, as twins; what they came to in all. */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include "sim.h"

struct run_options {
	struct sim_options sim;
	int64_t twice; /* every Nth seed is run twice (I27); 0: none */
	int64_t twins; /* every Nth seed is run with clocks that jump and clocks that stay (I22) */
};

struct run_totals {
	struct sim_counts counts;
	uint64_t n_seeds;
	uint64_t n_events;
	int64_t virtual_ms; /* of the manager */
	int64_t worker_ms;  /* the same, once for each worker */
	int64_t settled_ms_max;
};

/* False: it failed, and ret_result says how. */
bool run_seed(uint64_t seed, const struct run_options *options, struct run_totals *totals,
	      struct sim_result *ret_result);
void run_print_failure(uint64_t seed, const struct run_options *options,
		       const struct sim_result *result);
/* False: a fault never struck, or an invariant was never evaluated. */
bool run_print_coverage(const struct run_totals *totals);
void run_add(struct run_totals *totals, const struct run_totals *more);

#endif
