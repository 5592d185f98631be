/* Inside the check of liveness, shared by its files. */
#ifndef SIM_LIVENESS_H
#define SIM_LIVENESS_H

#include "sim.h"

struct look {
	struct sim *sim;
	const struct cluster *cluster;
	bool tell;
	bool fine;
};

/* Works, and belongs to the cluster. */
bool look_works(const struct look *look, struct node_id id);
/* Would one more task of the job, of this specification, fit there now? */
bool look_fits(const struct cluster *cluster, const struct node_entry *node, struct job_id job,
	       const struct job_spec *spec);

/* check_home.c */
bool home_is_shared(const struct look *look, const struct job_entry *entry);
/* Is a volume that it is tied to, its own or that of one it shares a network with, on a machine that takes nothing? */
bool home_is_pinned_out(const struct look *look, const struct job_entry *entry,
			const struct job_spec *spec);
/* A machine that stays broken and still speaks may be the home of a network. */
bool home_may_be_broken(const struct look *look);
/* Those it shares a network with are where they may not all be, or nowhere, and there is a machine that takes them. */
bool home_could_be_elsewhere(const struct look *look, const struct job_entry *entry);
/* Runs away from the others of its network, and need not. */
bool home_is_away(const struct look *look, const struct job_entry *entry, const struct task *task);

#endif
