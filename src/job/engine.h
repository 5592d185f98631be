/* What of a job not every Docker can do: one row for each such thing, named by the keys of compose/keys.c, by what a
 * machine is refused for (scheduler/), and by what is checked before Docker is asked (runtime/).
 * Levels as of the Engine API's own version history. */
#ifndef JOB_ENGINE_H
#define JOB_ENGINE_H

#include "job/job.h"

enum engine_feature {
	ENGINE_ANY = 0, /* every Docker that drover works with */
	ENGINE_NON_RECURSIVE,
	ENGINE_ANNOTATIONS,
	ENGINE_START_INTERVAL,
	ENGINE_RECURSIVE_READ_ONLY,
	ENGINE_CDI,
	ENGINE_MAC_ADDRESSES,
	ENGINE_SUBPATH,
	ENGINE_IPV6_POOLS,
	ENGINE_GATEWAY_PRIORITY,
	ENGINE_WRITABLE_CGROUPS,
	ENGINE_INTERFACE_NAME,
	ENGINE_FEATURE_COUNT,
};

/* The Engine API must be 1.MINOR at least. */
struct engine_need {
	int64_t minor;	    /* 0: any */
	const char *docker; /* the release that brought it: "25" */
	const char *what;   /* as a sentence names it: "an annotation" */
	const char *when;   /* which values of its key ask for it; "": all */
};
extern const struct engine_need engine_needs[ENGINE_FEATURE_COUNT];

/* The feature of the greatest level that the container of a specification needs. */
enum engine_feature job_spec_engine(const struct job_spec *spec);

/* The same of making a network; of an external one nothing is asked. */
enum engine_feature network_spec_engine(const struct network_spec *network);

/* Of a job: its specification, and the networks it joins. */
enum engine_feature job_engine(const struct job_spec *spec, const struct project *project);

#endif
