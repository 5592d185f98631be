/* What a plan was made from: how the jobs of its project and the nodes of the cluster stood. Who applies it says that
 * nothing of it has changed since (manager/basis.c). */
#ifndef JOB_BASIS_H
#define JOB_BASIS_H

#include "base/record.h"

struct basis_job {
	char *name;
	struct uuid id;
	int64_t revision;
	int64_t roll;
	int64_t restarts_asked;
	int wanted;    /* enum job_wanted */
	int64_t state; /* of the current revision as it is kept: a hash */
};
extern const struct record_type basis_job_type;

enum basis_node_state {
	BASIS_NODE_READY = 0,
	BASIS_NODE_DEGRADED, /* without Docker */
	BASIS_NODE_DOWN,
};
extern const struct enum_name basis_node_state_names[]; /* ready, degraded, down */

/* One that has not left. */
struct basis_node {
	int64_t number; /* given to it when it joined, and to no other */
	bool draining;
	int state;	 /* enum basis_node_state */
	int64_t labels;	 /* its worker's, Docker's and the manager's: a hash */
	int64_t machine; /* what else decides which tasks fit it, nothing that is measured: a hash */
};
extern const struct record_type basis_node_type;

struct plan_basis {
	struct uuid cluster;
	int64_t declared; /* the project's networks and volumes: a hash; 0: there is no project */
	LIST_OF(struct basis_job) jobs;	  /* of the project, by name */
	LIST_OF(struct basis_node) nodes; /* ascending by number */
};
extern const struct record_type plan_basis_type;

/* Hashes as JSON can carry them through programs that count in floating point. */
#define BASIS_HASH(hash) ((int64_t)((hash) & ((1ULL << 53) - 1)))

#endif
