/* Moves to nodes that are better: what rebalance.c does of them, shared by the files that move tasks. */
#ifndef MANAGER_MOVING_H
#define MANAGER_MOVING_H

#include "manager/core.h"

/* Is it on another node than where it is to be? */
bool task_is_to_move(const struct task *task);
/* It stays where it is. */
void rebalance_stay(struct manager *manager, struct task *task);
/* What is to follow a task that no longer serves is not bound to the better node: it may go anywhere. */
void rebalance_unbind(struct manager *manager, const struct slot *slot);
/* Does the slot's task serve, and nothing else is going on with it or its job? */
bool rebalance_may_move(const struct manager *manager, const struct job_entry *entry,
			const struct slot *slot);
/* Begin as many of the job's moves as may go on side by side. */
void rebalance_roll(struct manager *manager, struct job_entry *entry, const struct slots *slots);
enum err_code rebalance(struct manager *manager, const struct manager_request *request,
			struct manager_answer *answer, struct err *err) WARN_UNUSED;

#endif
