/* Spreading over labels: each preference keeps the candidates whose label value has the fewest
 * tasks of the job. Nodes without the label are one group, under the empty value. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/sort.h"
#include "scheduler/internal.h"

/* One value of a label, and how many tasks of the job run on the nodes that have it. */
struct group {
	const char *value; /* borrowed from a node */
	size_t n_tasks;
};

static const char *value_of(const struct question *question, const struct constraint *label,
			    size_t column)
{
	/* A preference names a label, and a label's value is never written into the buffer. */
	char buffer[UUID_TEXT_SIZE];
	const char *value = node_value(question->cluster->columns.entry[column], label, buffer);
	return value ? value : "";
}

static int compare_groups(const void *a, const void *b, void *context)
{
	(void)context;
	return strcmp(((const struct group *)a)->value, ((const struct group *)b)->value);
}

/* The groups that have tasks of the job, ascending by value, on candidates or not; `groups` has room for one per
 * placement. Returns how many there are. */
static size_t find_groups(const struct question *question, const struct constraint *label,
			  struct group *groups)
{
	size_t n = question->job->n_placements;
	for (size_t i = 0; i < n; i++) {
		const struct job_placement *placement = &question->job->placements[i];
		groups[i] = (struct group){ value_of(question, label, placement->node_index),
					    placement->n_tasks };
	}
	sort_stable(groups, n, sizeof(*groups), compare_groups, NULL);
	size_t n_groups = 0;
	for (size_t i = 0; i < n; i++) {
		if (n_groups && strcmp(groups[n_groups - 1].value, groups[i].value) == 0)
			groups[n_groups - 1].n_tasks += groups[i].n_tasks;
		else
			groups[n_groups++] = groups[i];
	}
	return n_groups;
}

static size_t tasks_in_group(const struct group *groups, size_t n_groups, const char *value)
{
	size_t low = 0;
	size_t high = n_groups;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(groups[middle].value, value);
		if (order == 0)
			return groups[middle].n_tasks;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

static size_t keep_emptiest_groups(const struct question *question, const struct constraint *label,
				   size_t *candidates, size_t n)
{
	_cleanup_free_ struct group *groups =
		base_calloc(question->job->n_placements, sizeof(*groups));
	size_t n_groups = find_groups(question, label, groups);
	_cleanup_free_ size_t *n_tasks = base_calloc(n, sizeof(*n_tasks));
	size_t fewest = SIZE_MAX;
	for (size_t i = 0; i < n; i++) {
		n_tasks[i] =
			tasks_in_group(groups, n_groups, value_of(question, label, candidates[i]));
		if (n_tasks[i] < fewest)
			fewest = n_tasks[i];
	}
	size_t n_kept = 0;
	for (size_t i = 0; i < n; i++)
		if (n_tasks[i] == fewest)
			candidates[n_kept++] = candidates[i];
	POST(n_kept > 0);
	return n_kept;
}

size_t preferences_apply(const struct question *question, size_t *candidates, size_t n)
{
	const struct strings *preferences = &question->spec->placement.preferences;
	PRE(n > 0);
	for (size_t i = 0; i < preferences->n; i++) {
		struct constraint label;
		if (preference_parse(preferences->items[i], &label, NULL) == ERR_NONE)
			n = keep_emptiest_groups(question, &label, candidates, n);
	}
	return n;
}
