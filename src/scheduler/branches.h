/* The tree that placement preferences make of the machines (preferences.c), kept for one job: machines with the same
 * values of all preferred labels are a group, with a contest of their own and the number of the job's tasks on them.
 * A pick looks at groups, not at machines. */
#ifndef SCHEDULER_BRANCHES_H
#define SCHEDULER_BRANCHES_H

#include "scheduler/contest.h"
#include "scheduler/internal.h"

struct group {
	struct contest contest; /* a leaf per machine, ascending by column */
	uint32_t *columns;	/* of each leaf */
	size_t n;
	int64_t n_tasks; /* of the job */
	bool alive;	 /* while a pick goes down the tree */
};

struct group_place {
	uint32_t group;
	uint32_t leaf;
	uint32_t n_tasks; /* of the job, as counted in the group */
};

/* All-zero is none. */
struct branches {
	struct constraint *labels; /* of the preferences, in order */
	char **label_texts;	   /* what they borrow from */
	size_t n_labels;
	struct group *groups; /* ascending by their values */
	size_t n_groups;
	char **values; /* n_labels for each group */
	struct group_place *of_column;
	size_t n_columns;
};

/* Nobody has a key, no task is counted. */
void branches_init(struct branches *branches, const struct question *question);
void branches_release(struct branches *branches);
/* A key as contest_put() takes it; nothing above follows before branches_settle(). */
void branches_put(struct branches *branches, size_t column, uint64_t key, size_t n_tasks);
void branches_settle(struct branches *branches);
/* The same at once. False: the machine is in another group now, so all are to be made anew. */
bool branches_set(struct branches *branches, const struct question *question, size_t column,
		  uint64_t key, size_t n_tasks);
/* Of the branches with the fewest tasks of the job, level by level, the column of the lowest key; with `in_turn` the
 * first at or after `from`, else before it. False: nobody has a key. */
bool branches_pick(struct branches *branches, bool in_turn, size_t from, size_t *ret_column);

#endif
