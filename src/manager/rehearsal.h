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
	int64_t later;		      /* slots whose turn had not come, ... */
	int64_t roll, restarts_asked; /* ... of this run of it */
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

/* What a plan is told from. */
struct teller {
	const struct manager *manager;
	const struct world_before *before;
	const struct manager_answer *answer; /* of the request */
	struct project_plan *plan;
	size_t n_tasks; /* listed */
};

/* An empty plan, to be told. */
void rehearsal_tell_begin(struct teller *teller);
/* What has become of one job by now; it is not told again at the end. */
void rehearsal_tell_now(struct teller *teller, struct job_id job);
/* What has become of all. */
void rehearsal_tell(struct teller *teller);

#endif
