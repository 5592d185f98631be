/* What a request would do: it is carried out by a manager that is a copy of the real one, whose workers do at once
 * everything they are told, in a time that jumps from one thing that is due to the next. So a plan comes from the code
 * that would carry the request out, and nothing of it is written a second time.
 *
 * A rehearsal assumes that nodes stay as they are (who is silent is not judged any further), that images are there,
 * that containers start, become healthy and stop when asked, and that what runs to completion in the project succeeds.
 * Of a job whose tasks take turns those run whose turn is at once; the others have theirs only where somebody waits for
 * its completion, all together: so the plan of a long one costs what its concurrency costs.
 * What a machine's policy refuses, only the machine knows. */
#ifndef MANAGER_REHEARSE_H
#define MANAGER_REHEARSE_H

#include "manager/manager.h"

/* What becomes of the task of a slot. */
enum planned_act {
	PLANNED_START = 0, /* there is none yet, or it has ended */
	PLANNED_REPLACE,   /* another takes its place, on the same node */
	PLANNED_MOVE,	   /* ... on another node */
	PLANNED_STOP,
};
extern const struct enum_name planned_act_names[]; /* start, replace, move, stop */

/* One field of a specification or declaration; see record_diff(). */
struct planned_change {
	char *field;
	char *before; /* NULL: it was not there */
	char *after;  /* NULL: it will not be there */
};
extern const struct record_type planned_change_type;

struct planned_port {
	char *host_ip; /* NULL: all addresses */
	int64_t host_port;
	int64_t container_port;
	int protocol;
};
extern const struct record_type planned_port_type;

struct planned_task {
	char *name; /* "shop/web.2" */
	int act;
	struct uuid task; /* of act other than START: the one that is there now */
	char *from;	  /* its node */
	char *node;	  /* of the one to come; NULL: none */
	bool unplaced;	  /* it would find no place, or not start; the message says why */
	char *message;
	LIST_OF(struct planned_port) ports; /* of the one to come */
};
extern const struct record_type planned_task_type;

struct planned_job {
	char *name;
	int effect;		 /* enum job_effect */
	int64_t revision_before; /* 0: it is not there yet */
	int64_t revision;
	bool new_tasks; /* the change needs new containers */
	bool goes_on;	/* the request leaves the job alone: what its tasks do is under way, or
			 * becomes possible by what the request does elsewhere */
	LIST_OF(struct planned_change) changes;
	int64_t changes_left_out;
	/* How many tasks of each act, listed or not, and how many are not touched. */
	int64_t starts, replaces, moves, stops, stays;
	int64_t later;	 /* of the starts those whose turn comes later; they are not listed */
	int64_t at_once; /* of a job whose tasks take turns: so many at a time; else 0 */
	int64_t unplaced;
	LIST_OF(struct planned_task) tasks;
	int64_t tasks_left_out;
	int standing; /* enum job_standing: how it stands in the end */
	char *message;
};
extern const struct record_type planned_job_type;

/* A network or a volume of the project. */
enum planned_effect {
	PLANNED_KEPT = 0, /* it is there, and tasks of the plan use it */
	PLANNED_CREATED,
	PLANNED_CHANGED,
	PLANNED_FORGOTTEN, /* not declared any more; a volume's data stays */
};
extern const struct enum_name planned_effect_names[]; /* used, created, changed, forgotten */

struct planned_resource {
	char *name; /* of a volume Docker's, of a network the project's */
	int effect;
	char *node; /* where a volume lives; NULL: nowhere in particular */
	LIST_OF(struct planned_change) changes;
};
extern const struct record_type planned_resource_type;

struct project_plan {
	char *project;
	bool changes; /* the request would change something */
	LIST_OF(struct planned_job) jobs;
	LIST_OF(struct planned_resource) networks;
	LIST_OF(struct planned_resource) volumes;
	/* Sentences: what could not be placed, which update would not end. None: it would all run. */
	struct strings problems;
	int64_t lasts_ms; /* at least: the delays and trials of updates, for containers take no time here */
	struct plan_basis basis;
	/* As in struct manager_answer. */
	int64_t n_dependents;
	struct strings dependents;
};
extern const struct record_type project_plan_type;

/* Rehearse an apply. `manager` is used up: it may only be freed after. `in` has no events. The caller releases the
 * plan. An error is what the request would be answered with. */
enum err_code manager_rehearse(struct manager *manager, const struct manager_in *in,
			       const struct manager_request *request, struct project_plan *ret_plan,
			       struct err *err) WARN_UNUSED;

#endif
