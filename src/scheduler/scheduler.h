/* The scheduler: the manager's adviser. candidates -> score -> pick, a pure function of a const
 * world. Filters are shared by all policies and count the nodes they refused, so that `why` can
 * speak; a policy only scores. */
#ifndef SCHEDULER_SCHEDULER_H
#define SCHEDULER_SCHEDULER_H

#include "cluster/cluster.h"

enum scheduler_policy {
	SCHEDULER_EPVM =
		0, /* the default: marginal cost a^used (opportunity cost, Amir et al. 2000) */
	SCHEDULER_ROUNDROBIN,
	SCHEDULER_GREEDY, /* least loaded */
	SCHEDULER_BINPACK,
	SCHEDULER_SPREAD, /* fewest tasks of the job, then fewest tasks */
	SCHEDULER_POLICY_COUNT,
};

/* What a policy sees of one candidate. Loads are the larger of reserved and measured. */
struct scheduler_view {
	const struct cluster *cluster;
	const struct job_entry *job;
	struct resources request; /* with the nominal request where the job reserves nothing */
	uint64_t round; /* roundrobin: the column to begin at, modulo the number of nodes */
};

/* What a policy ranks nodes by, so that what was found can be kept between picks (memory.c). */
enum scheduler_rank {
	RANK_BY_TERMS =
		0, /* the score is one of the machine's terms and the request's factors (lanes.h) */
	RANK_BY_COUNTS, /* fewest tasks of the job, then fewest tasks, which the terms count */
	RANK_IN_TURN,	/* the next column from `round` on; there are no terms */
};

struct scheduler_ops {
	const char *name;
	int rank; /* enum scheduler_rank */
	/* The score of putting the request on the node of this column; the lowest wins, ties go to
	 * the lowest index. Pure; called only for columns that passed the filters. */
	double (*score)(const struct scheduler_view *view, size_t column);
	const struct score_terms *by_terms; /* NULL exactly with RANK_IN_TURN */
};

extern const struct scheduler_ops *const scheduler_registry[SCHEDULER_POLICY_COUNT];

/* By name; NULL when there is no such policy. */
const struct scheduler_ops *scheduler_find(const char *name);
/* "epvm, roundrobin, ..." for messages. */
const char *scheduler_names(void);

/* The marginal cost base^(used + request) - base^used: the pure function the golden values of the
 * cost model are checked on. `base` > 1; used and request are shares of the capacity, 0..1 and
 * beyond when overloaded. */
double scheduler_marginal_cost(double base, double used_share, double request_share);

/* What a specification asks of a machine itself, whatever runs there: constraints and platform.
 * Read once, asked of many nodes; the specification is borrowed. */
struct scheduler_match;
struct scheduler_match *scheduler_match_new(const struct job_spec *spec);
void scheduler_match_free(struct scheduler_match *match);
bool scheduler_matches(const struct scheduler_match *match, const struct node_entry *node);
/* Why a global job is wanted on no node: "no node matches node.labels.gpu==yes: 2 of 2 do not match
 * ...". The caller frees. */
char *scheduler_why_nowhere(const struct cluster *cluster, const struct job_entry *job);

struct scheduler_pick {
	struct node_entry *node; /* NULL: nothing fits now */
	double score;
	uint64_t next_round; /* the column after the picked one; `round` when nothing fits */
	LIST_OF(struct port_grant)
	ports; /* one per published port, ascending by index; owned by the caller */
	/* The job shares a network that lives there only with this task: others may follow it. */
	bool moves_home;
	int reason;    /* when node is NULL: REASON_NO_NODE_FITS or REASON_WAITS_VOLUME */
	char *message; /* the same as a sentence, owned: "no node has 512 MB of memory free: ..." */
};
void scheduler_pick_release(struct scheduler_pick *pick);

/* What the scheduler keeps between picks so that it need not ask every node again: it follows from the
 * cluster, changes no pick, and may be thrown away at any time. One for one cluster. */
struct scheduler_memory;
/* Clusters of fewer nodes are asked as they are; 0: 64. */
struct scheduler_memory *scheduler_memory_new(size_t nodes_min);
void scheduler_memory_free(struct scheduler_memory *memory);

/* Where should this task go? Looks at the task's own revision. Candidates are the nodes that pass
 * every filter; of these the placement preferences, in order, keep the nodes whose label value has
 * the fewest tasks of the job; of these the policy picks. `avoid` (may be zero) is a node to use
 * only when no other fits. `round` is for roundrobin: give `next_round` of the last pick back. A
 * task of a global job goes to the node of its slot and nowhere else, and one that has `move_to` there.
 * `memory` may be NULL. Changes nothing but that. */
void scheduler_pick(const struct cluster *cluster, struct scheduler_memory *memory,
		    const struct scheduler_ops *policy, const struct task *task,
		    struct node_id avoid, uint64_t round, struct scheduler_pick *ret_pick);

/* The node where this task, which is on `here` and weighs nothing at the moment, would be clearly better off; NULL:
 * none, or its policy is one that prefers no node to another. `task` is the model of one that is placed nowhere. */
const struct node_entry *scheduler_better(const struct cluster *cluster,
					  const struct scheduler_ops *policy,
					  const struct task *task, const struct node_entry *here);

/* The node to keep for a task that fits nowhere for want of resources: it would fit there once what
 * runs to completion or is stopping has gone, and the least has to go. NULL: it would fit on none. */
struct node_entry *scheduler_keep(const struct cluster *cluster, const struct task *task);
/* Would this request, on this node, take of the room that `kept_for` needs there? */
bool scheduler_takes_room(const struct node_entry *node, const struct node_columns *columns,
			  const struct resources *request, const struct resources *kept_for);

/* May the task run on one node only, because of a volume that lives there or a network its project
 * shares? Two of its slot cannot run on two nodes then. */
bool scheduler_ties(const struct cluster *cluster, const struct task *task);

/* The machine of the networks that the job shares with others of its project; NULL: it shares none,
 * or they live nowhere yet, or (`ret_open`) on the next machine of those that take them all on which
 * a task is placed. */
const struct node_entry *scheduler_home(const struct cluster *cluster, const struct job_entry *job,
					bool *ret_open);

/* Two tasks with equal class fit the same nodes: everything the filters read, hashed. Parked tasks
 * are grouped by it. */
uint64_t scheduler_class(const struct cluster *cluster, const struct task *task);

#endif
