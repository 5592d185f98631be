/* Inside scheduler/: what its files share. Nobody else includes it. */
#ifndef SCHEDULER_INTERNAL_H
#define SCHEDULER_INTERNAL_H

#include "job/constraint.h"
#include "job/engine.h"
#include "job/platform.h"
#include "scheduler/scheduler.h"

/* ---- what a machine itself must be (match.c) ---- */

struct asked_constraint {
	const char *text;
	struct constraint constraint;
	bool valid; /* false: it no longer parses, so no node matches */
};

struct scheduler_match {
	struct asked_constraint *constraints;
	size_t n_constraints;
	bool has_platform;
	struct platform platform; /* where has_platform */
};

void match_init(struct scheduler_match *match, const struct job_spec *spec);
void match_release(struct scheduler_match *match);
/* The first constraint the node breaks; n_constraints: none. */
size_t match_broken(const struct scheduler_match *match, const struct node_entry *node);
bool match_is_other_platform(const struct scheduler_match *match, const struct node_entry *node);

/* The node's value of a constraint's key; NULL: it has none. `buffer` holds values that are not
 * text in the record. */
const char *node_value(const struct node_entry *node, const struct constraint *constraint,
		       char buffer[UUID_TEXT_SIZE]);

/* ---- the question (question.c): what the filters need of one task, worked out once ---- */

/* A volume the task uses that lives on one node. */
struct pin {
	char *volume;		 /* Docker's name */
	struct node_entry *node; /* NULL: the node is not known */
};

struct question {
	const struct cluster *cluster;
	const struct task *task;
	const struct job_entry *job;
	const struct project_entry *project;
	const struct job_spec *spec;
	struct scheduler_match match;
	const struct node_entry *only; /* the node of a global task; NULL: any */
	struct pin *pins;
	size_t n_pins;
	bool shares;		       /* a network, with another job: then home.c */
	const struct node_entry *home; /* where those that share it run; NULL: nowhere yet */
	bool *takers;	 /* home NULL: by column, the nodes that take them all; NULL: anywhere */
	bool nowhere;	 /* no node takes them all, home included */
	bool moves_home; /* home is not where most of them are, or they are nowhere */
	const struct engine_need *engine; /* the Docker that the job needs */
	int64_t protocol;   /* and the release of the worker: job_revision_protocol() */
	size_t *port_order; /* published ports in the order in which they are drawn */
	size_t n_port_order;
	struct port_grant *grants; /* room for one per published port */
	size_t n_grants;
};

void question_init(struct question *question, const struct cluster *cluster,
		   const struct task *task);
void question_release(struct question *question);
/* The same without a home. */
void question_init_alone(struct question *question, const struct cluster *cluster,
			 const struct task *task);
/* The volume of a mount, if it lives on one machine already; NULL: it does not. */
const struct volume_record *pinned_volume(const struct cluster *cluster,
					  const struct project_entry *project,
					  const struct job_spec *spec, const struct mount *mount);

/* ---- home (home.c) ---- */

/* Work out question->shares, home, takers, nowhere and moves_home. */
void home_find(struct question *question);

/* ---- ports (ports.c) ---- */

/* Work out question->port_order: fixed ports, then pools, those that end first first. */
void ports_order(struct question *question);

/* Draw a host port on the node for each published port of the question: fixed ones as they are,
 * then from each pool the lowest free one. Fills question->grants, in the order of the drawing.
 * False: *ret_index is the port that has none. */
bool ports_draw(struct question *question, const struct node_entry *node, size_t *ret_index);

/* ---- filters (filters.c) ---- */

/* In the order of the filters. Those before REFUSED_CPU say that the node is not ready. */
enum refusal_kind {
	REFUSED_OTHER_NODE = -1, /* a global task is of another; never counted */
	REFUSED_DOWN = 0,
	REFUSED_SILENT,
	REFUSED_DEGRADED,
	REFUSED_DRAINING,
	REFUSED_CPU,
	REFUSED_MEMORY,
	REFUSED_DISK,
	REFUSED_CONSTRAINT,
	REFUSED_PLATFORM,
	REFUSED_API,
	REFUSED_PROTOCOL,
	REFUSED_PORT,
	REFUSED_MAX_REPLICAS,
	REFUSED_NETWORK,
	REFUSED_VOLUME,
};

struct refusal {
	enum refusal_kind kind;
	size_t item; /* which constraint, port or pin; else 0 */
};

/* Does a filter refuse the node of this column? The first that does is told. */
bool filters_refuse(struct question *question, size_t column, struct refusal *ret_refusal);
/* All but the one that asks for free resources. */
bool filters_refuse_beside_resources(struct question *question, size_t column);
/* Those that ask about the machine itself, whatever runs there and is free. */
bool machine_refuses(struct question *question, size_t column, struct refusal *ret_refusal);
/* Those whose answer stays what it is while tasks come and go. */
bool filters_refuse_for_good(struct question *question, size_t column, struct refusal *ret_refusal);
/* The first of them alone: is the node not ready to take a task? */
bool readiness_refuses(const struct question *question, size_t column, struct refusal *ret_refusal);

/* ---- jobs that share a network, as one (together.c) ---- */

/* One of them that is to run. */
struct member {
	struct task model;
	struct question question; /* of the model, without a home */
	int64_t n_wanted;	  /* tasks */
};

struct together {
	const struct cluster *cluster;
	const struct project_entry *project;
	struct strings networks; /* that they share; none: there is nobody */
	struct member *members;
	size_t n_members;
};

/* All that share a network with a job of this specification, or with one that does. Nothing it is
 * given may change before together_release(). */
void together_init(struct together *together, const struct cluster *cluster,
		   const struct project_entry *project, const struct job_spec *spec);
void together_release(struct together *together);
/* Does the job use one of the networks? */
bool together_has(const struct together *together, const struct job_entry *job);
/* What they reserve, all of them. */
struct resources together_request(const struct together *together);
/* Would the node not take them all, if none of them ran yet? Tells for which of them; n_members: for
 * all alike. */
bool together_are_refused(const struct together *together, size_t column, size_t *ret_member,
			  struct refusal *ret_refusal);
/* The same as far as it stays so while tasks come and go. */
bool together_are_refused_for_good(const struct together *together, size_t column,
				   size_t *ret_member, struct refusal *ret_refusal);

/* ---- why nothing fits (refusals.c, sentence.c) ---- */

struct refusal_count {
	struct refusal refusal;
	size_t n_nodes;
	size_t example; /* column: resources, API: the node that came nearest; else the first */
};

struct refusals {
	struct refusal_count *items;
	size_t n;
	size_t capacity;
};

void refusals_count(struct refusals *refusals, const struct question *question,
		    struct refusal refusal, size_t column);
void refusals_release(struct refusals *refusals);

/* The sentence of a task that fits no node; the caller frees. Sorts the refusals. */
char *refusals_sentence(struct refusals *refusals, const struct question *question);
/* Why no node takes all that share a network with the task; the caller frees. */
char *together_sentence(const struct question *question);
/* Why a pinned volume keeps the task waiting whatever the filters say; NULL: it does not. */
char *pin_sentence(const struct question *question);

/* ---- what is kept between picks (memory.c) ---- */

enum recall {
	RECALL_UNKNOWN = 0, /* every node is to be asked */
	RECALL_NOWHERE,	    /* no node passes the filters */
	RECALL_FOUND,
};
/* The column that asking every node would give: the best of those that pass the filters; `avoid` only when it is the
 * only one. */
enum recall memory_recall(struct scheduler_memory *memory, struct question *question,
			  const struct scheduler_ops *policy, const struct scheduler_view *view,
			  struct node_id avoid, size_t *ret_column);

/* ---- preferences (preferences.c) ---- */

/* The node's value of a preferred label, "" where it has none. */
const char *preference_value(const struct question *question, const struct constraint *label,
			     size_t column);
/* Keep of the `n` candidate columns those that the task's preferences like best. Returns how many
 * are left, at least 1. */
size_t preferences_apply(const struct question *question, size_t *candidates, size_t n);

/* ---- load (load.c) ---- */

/* What the node carries: the larger of what its tasks are expected to use and what was measured. */
int64_t load_cpu_milli(const struct node_columns *columns, size_t column);
int64_t load_memory_bytes(const struct node_columns *columns, size_t column);
/* amount / capacity; a node without known capacity counts as full. */
double load_share(int64_t amount, int64_t capacity);

/* ---- policies, one file each ---- */
extern const struct scheduler_ops scheduler_epvm;
extern const struct scheduler_ops scheduler_roundrobin;
extern const struct scheduler_ops scheduler_greedy;
extern const struct scheduler_ops scheduler_binpack;
extern const struct scheduler_ops scheduler_spread;

/* The cost a task adds to the number of tasks on a node that has `n_tasks` and is meant for
 * `n_tasks_full`. */
double epvm_tasks_cost(double base, int64_t n_tasks, int64_t n_tasks_full);
/* The base for a cluster of so many nodes. */
double epvm_base(size_t n_nodes);
/* Does epvm keep the machine for tasks that fit nowhere else? */
bool epvm_keeps(const struct node_columns *columns, size_t column);

#endif
