/* Spreading over labels: each preference keeps the candidates whose label value has the fewest
 * tasks of the job. Nodes without the label are one group, under the empty value. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "scheduler/internal.h"

static const char *group_of(const struct node_entry *node, const struct constraint *label,
			    char buffer[UUID_TEXT_SIZE])
{
	const char *value = node_value(node, label, buffer);
	return value ? value : "";
}

/* Tasks of the job on all nodes of the group, candidates or not. */
static size_t tasks_in_group(const struct question *question, const struct constraint *label,
			     const char *group)
{
	size_t n = 0;
	for (size_t i = 0; i < question->job->n_placements; i++) {
		const struct job_placement *placement = &question->job->placements[i];
		char buffer[UUID_TEXT_SIZE];
		const struct node_entry *node =
			question->cluster->columns.entry[placement->node_index];
		if (strcmp(group_of(node, label, buffer), group) == 0)
			n += placement->n_tasks;
	}
	return n;
}

static size_t keep_emptiest_groups(const struct question *question, const struct constraint *label,
				   size_t *candidates, size_t n)
{
	_cleanup_free_ size_t *n_tasks = base_calloc(n, sizeof(*n_tasks));
	size_t fewest = SIZE_MAX;
	for (size_t i = 0; i < n; i++) {
		char buffer[UUID_TEXT_SIZE];
		const struct node_entry *node = question->cluster->columns.entry[candidates[i]];
		n_tasks[i] = tasks_in_group(question, label, group_of(node, label, buffer));
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
