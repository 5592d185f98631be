/* Spreading over labels. The preferences make a tree: nodes with the same value of the first label
 * are a branch, within it those with the same value of the second, and so on; nodes without a label
 * are one branch. At each level the candidates are kept whose branch has the fewest tasks of the
 * job. A branch that is full has no candidates, so the others take what would be its share. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/sort.h"
#include "scheduler/internal.h"

/* No task of the job runs in it, nor in anything below it. */
#define EMPTY_BRANCH SIZE_MAX

/* A branch in which tasks of the job run. */
struct branch {
	size_t parent;	   /* its number on the level above */
	const char *value; /* borrowed from a node */
	size_t n_tasks;
};

/* One level of the tree, ascending by parent and value; a branch's number is its place. */
struct level {
	struct branch *branches;
	size_t n;
};

const char *preference_value(const struct question *question, const struct constraint *label,
			     size_t column)
{
	/* A preference names a label, and a label's value is never written into the buffer. */
	char buffer[UUID_TEXT_SIZE];
	const char *value = node_value(question->cluster->columns.entry[column], label, buffer);
	return value ? value : "";
}

static int compare_branches(const void *a, const void *b, void *context)
{
	(void)context;
	const struct branch *left = a;
	const struct branch *right = b;
	if (left->parent != right->parent)
		return left->parent < right->parent ? -1 : 1;
	return strcmp(left->value, right->value);
}

/* The branches that have tasks of the job, on candidates or not; `parents` says where each placement is on the level
 * above. The caller frees. */
static struct level make_level(const struct question *question, const struct constraint *label,
			       const size_t *parents)
{
	size_t n = question->job->n_placements;
	struct level level = { .branches = base_calloc(n ? n : 1, sizeof(struct branch)) };
	for (size_t i = 0; i < n; i++) {
		const struct job_placement *placement = &question->job->placements[i];
		level.branches[i] =
			(struct branch){ parents[i],
					 preference_value(question, label, placement->node_index),
					 placement->n_tasks };
	}
	sort_stable(level.branches, n, sizeof(struct branch), compare_branches, NULL);
	for (size_t i = 0; i < n; i++) {
		struct branch *last = level.n ? &level.branches[level.n - 1] : NULL;
		if (last && compare_branches(last, &level.branches[i], NULL) == 0)
			last->n_tasks += level.branches[i].n_tasks;
		else
			level.branches[level.n++] = level.branches[i];
	}
	return level;
}

static size_t find_branch(const struct level *level, size_t parent, const char *value)
{
	const struct branch wanted = { .parent = parent, .value = value };
	size_t low = 0;
	size_t high = level->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_branches(&level->branches[middle], &wanted, NULL);
		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return EMPTY_BRANCH;
}

static size_t tasks_in(const struct level *level, size_t branch)
{
	return branch == EMPTY_BRANCH ? 0 : level->branches[branch].n_tasks;
}

/* Where the tree has led so far: the branch of each placement of the job, and of each candidate. */
struct walk {
	size_t *placed;
	size_t *branches;
	size_t *candidates;
	size_t n;
};

static void go_down(const struct question *question, const struct constraint *label,
		    struct walk *walk)
{
	const struct job_entry *job = question->job;
	struct level level = make_level(question, label, walk->placed);
	size_t fewest = SIZE_MAX;
	for (size_t i = 0; i < walk->n; i++) {
		walk->branches[i] =
			find_branch(&level, walk->branches[i],
				    preference_value(question, label, walk->candidates[i]));
		size_t n_tasks = tasks_in(&level, walk->branches[i]);
		if (n_tasks < fewest)
			fewest = n_tasks;
	}
	size_t n_kept = 0;
	for (size_t i = 0; i < walk->n; i++) {
		if (tasks_in(&level, walk->branches[i]) != fewest)
			continue;
		walk->candidates[n_kept] = walk->candidates[i];
		walk->branches[n_kept++] = walk->branches[i];
	}
	POST(n_kept > 0);
	walk->n = n_kept;
	for (size_t i = 0; i < job->n_placements; i++)
		walk->placed[i] = find_branch(
			&level, walk->placed[i],
			preference_value(question, label, job->placements[i].node_index));
	base_free(level.branches);
}

size_t preferences_apply(const struct question *question, size_t *candidates, size_t n)
{
	const struct strings *preferences = &question->spec->placement.preferences;
	PRE(n > 0);
	if (!preferences->n)
		return n;
	size_t n_placed = question->job->n_placements;
	_cleanup_free_ size_t *placed = base_calloc(n_placed ? n_placed : 1, sizeof(*placed));
	_cleanup_free_ size_t *branches = base_calloc(n, sizeof(*branches));
	/* At the top all are in one branch, number 0. */
	struct walk walk = { placed, branches, candidates, n };
	for (size_t i = 0; i < preferences->n; i++) {
		struct constraint label;
		if (preference_parse(preferences->items[i], &label, NULL) == ERR_NONE)
			go_down(question, &label, &walk);
	}
	return walk.n;
}
