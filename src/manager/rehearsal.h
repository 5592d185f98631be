/* Inside a rehearsal: what its files share. */
#ifndef MANAGER_REHEARSAL_H
#define MANAGER_REHEARSAL_H

#include "manager/core.h"
#include "manager/rehearse.h"

/* A slot as it was. */
struct slot_before {
	int64_t number;
	struct task_id task;
	struct node_id node; /* zero: it had none */
	bool ended;
};

struct job_before {
	char *name;
	struct job_id id;
	struct job_revision revision; /* the current one */
	struct slot_before *slots;    /* those with a task */
	size_t n_slots;
	bool found; /* among the jobs of the answer */
};

struct world_before {
	struct project project; /* name NULL: it was not there */
	struct job_before *jobs;
	size_t n_jobs;
	struct strings volumes; /* Docker's names, of those that were on some node */
};

void before_take(struct world_before *before, const struct manager *manager,
		 const char *project_name);
void before_release(struct world_before *before);
struct job_before *before_find(const struct world_before *before, const char *name);
/* NULL: it had no task. */
const struct slot_before *before_slot(const struct job_before *job, int64_t number);

/* What has become of it. `answer` is that of the request. */
void rehearsal_tell(const struct manager *manager, const struct world_before *before,
		    const struct manager_answer *answer, struct project_plan *plan);

#endif
