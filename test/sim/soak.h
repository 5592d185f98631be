/* Soaking: processes that run seed after seed for a time, and a report of all of them. */
#ifndef SIM_SOAK_H
#define SIM_SOAK_H

#include "run.h"

#define SOAK_JOBS_MAX 64

struct soak_options {
	int64_t first_seed;
	int64_t seconds;
	int64_t n_jobs; /* 0: one for each processor */
	struct run_options run;
};

/* EXIT_SUCCESS when no seed failed. Ends early, with the report, at SIGINT or SIGTERM. */
int soak(const struct soak_options *options);

#endif
