/* Invariants: groups with the same values of the first labels are neighbours, so a branch of any level is a run of
 * groups; n_tasks of a group is the sum of what its machines were last set to. */
#include "scheduler/branches.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/sort.h"

/* ---- grouping ---- */

static void take_labels(struct branches *branches, const struct question *question)
{
	const struct strings *preferences = &question->spec->placement.preferences;
	branches->labels = base_calloc(preferences->n + 1, sizeof(struct constraint));
	branches->label_texts = base_calloc(preferences->n + 1, sizeof(char *));
	for (size_t i = 0; i < preferences->n; i++) {
		char *text = base_strdup(preferences->items[i]);
		struct constraint *label = &branches->labels[branches->n_labels];
		if (preference_parse(text, label, NULL) == ERR_NONE)
			branches->label_texts[branches->n_labels++] = text;
		else
			base_free(text);
	}
}

struct grouping {
	const struct branches *branches;
	const struct question *question;
};

static int compare_values(const struct grouping *grouping, size_t left, size_t right)
{
	for (size_t i = 0; i < grouping->branches->n_labels; i++) {
		const struct constraint *label = &grouping->branches->labels[i];
		int order = strcmp(preference_value(grouping->question, label, left),
				   preference_value(grouping->question, label, right));
		if (order)
			return order;
	}
	return 0;
}

static int compare_columns(const void *a, const void *b, void *context)
{
	uint32_t left = *(const uint32_t *)a;
	uint32_t right = *(const uint32_t *)b;
	int order = compare_values(context, left, right);
	return order ? order : left < right ? -1 : left > right;
}

static void fill_group(struct branches *branches, const struct question *question, size_t index,
		       const uint32_t *columns, size_t n)
{
	struct group *group = &branches->groups[index];
	*group = (struct group){ .n = n };
	group->columns = base_memdup(columns, n * sizeof(*columns));
	contest_init(&group->contest, n);
	for (size_t i = 0; i < n; i++)
		branches->of_column[columns[i]] =
			(struct group_place){ (uint32_t)index, (uint32_t)i, 0 };
	for (size_t i = 0; i < branches->n_labels; i++)
		branches->values[index * branches->n_labels + i] =
			base_strdup(preference_value(question, &branches->labels[i], columns[0]));
}

void branches_init(struct branches *branches, const struct question *question)
{
	size_t n = question->cluster->columns.n;
	*branches = (struct branches){ .n_columns = n };
	take_labels(branches, question);
	_cleanup_free_ uint32_t *columns = base_calloc(n + 1, sizeof(*columns));
	for (size_t i = 0; i < n; i++)
		columns[i] = (uint32_t)i;
	struct grouping grouping = { branches, question };
	sort_stable(columns, n, sizeof(*columns), compare_columns, &grouping);
	branches->of_column = base_calloc(n + 1, sizeof(struct group_place));
	branches->groups = base_calloc(n + 1, sizeof(struct group));
	branches->values = base_calloc(n * branches->n_labels + 1, sizeof(char *));
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1;
		     end < n && compare_values(&grouping, columns[i], columns[end]) == 0;)
			end++;
		fill_group(branches, question, branches->n_groups++, &columns[i], end - i);
	}
}

void branches_release(struct branches *branches)
{
	for (size_t i = 0; i < branches->n_groups; i++) {
		contest_release(&branches->groups[i].contest);
		base_free(branches->groups[i].columns);
	}
	for (size_t i = 0; i < branches->n_groups * branches->n_labels; i++)
		base_free(branches->values[i]);
	for (size_t i = 0; i < branches->n_labels; i++)
		base_free(branches->label_texts[i]);
	base_free(branches->groups);
	base_free(branches->values);
	base_free(branches->labels);
	base_free(branches->label_texts);
	base_free(branches->of_column);
	*branches = (struct branches){ 0 };
}

/* ---- keeping up ---- */

static void count(struct group *group, struct group_place *place, size_t n_tasks)
{
	group->n_tasks += (int64_t)n_tasks - (int64_t)place->n_tasks;
	place->n_tasks = (uint32_t)n_tasks;
}

void branches_put(struct branches *branches, size_t column, uint64_t key, size_t n_tasks)
{
	struct group_place *place = &branches->of_column[column];
	struct group *group = &branches->groups[place->group];
	count(group, place, n_tasks);
	contest_put(&group->contest, place->leaf, key);
}

void branches_settle(struct branches *branches)
{
	for (size_t i = 0; i < branches->n_groups; i++)
		contest_settle(&branches->groups[i].contest);
}

bool branches_set(struct branches *branches, const struct question *question, size_t column,
		  uint64_t key, size_t n_tasks)
{
	PRE(column < branches->n_columns);
	struct group_place *place = &branches->of_column[column];
	struct group *group = &branches->groups[place->group];
	char *const *values = &branches->values[place->group * branches->n_labels];
	for (size_t i = 0; i < branches->n_labels; i++)
		if (strcmp(preference_value(question, &branches->labels[i], column), values[i]) !=
		    0)
			return false;
	count(group, place, n_tasks);
	contest_set(&group->contest, place->leaf, key);
	return true;
}

/* ---- picking ---- */

/* The end of the run of groups that agree with the first in this label and those before it. */
static size_t branch_end(const struct branches *branches, size_t begin, size_t level)
{
	size_t end = begin + 1;
	for (; end < branches->n_groups; end++)
		for (size_t i = 0; i <= level; i++)
			if (strcmp(branches->values[begin * branches->n_labels + i],
				   branches->values[end * branches->n_labels + i]) != 0)
				return end;
	return end;
}

/* The job's tasks in the branch; INT64_MAX: nobody in it is in question. */
static int64_t tasks_in(const struct branches *branches, size_t begin, size_t end)
{
	int64_t n_tasks = 0;
	bool alive = false;
	for (size_t i = begin; i < end; i++) {
		n_tasks += branches->groups[i].n_tasks;
		alive |= branches->groups[i].alive;
	}
	return alive ? n_tasks : INT64_MAX;
}

static void go_down(struct branches *branches, size_t level)
{
	int64_t fewest = INT64_MAX;
	for (size_t i = 0, end; i < branches->n_groups; i = end) {
		end = branch_end(branches, i, level);
		int64_t n_tasks = tasks_in(branches, i, end);
		if (n_tasks < fewest)
			fewest = n_tasks;
	}
	for (size_t i = 0, end; i < branches->n_groups; i = end) {
		end = branch_end(branches, i, level);
		bool kept = tasks_in(branches, i, end) == fewest;
		for (size_t j = i; j < end; j++)
			branches->groups[j].alive &= kept;
	}
}

/* The first leaf of a column at or after `from`. */
static size_t leaf_from(const struct group *group, size_t from)
{
	size_t low = 0;
	size_t high = group->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (group->columns[middle] < from)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* How many columns after `from` the group's next one is, around the end. */
static bool distance_in(const struct branches *branches, const struct group *group, size_t from,
			size_t *ret_leaf, uint64_t *ret_distance)
{
	size_t n = branches->n_columns;
	if (!contest_next(&group->contest, leaf_from(group, from), ret_leaf) &&
	    !contest_next(&group->contest, 0, ret_leaf))
		return false;
	*ret_distance = (group->columns[*ret_leaf] + n - from) % n;
	return true;
}

bool branches_pick(struct branches *branches, bool in_turn, size_t from, size_t *ret_column)
{
	size_t leaf;
	uint64_t rank;
	for (size_t i = 0; i < branches->n_groups; i++) {
		struct group *group = &branches->groups[i];
		group->alive = contest_best(&group->contest, &leaf, &rank);
	}
	for (size_t level = 0; level < branches->n_labels; level++)
		go_down(branches, level);
	uint64_t best = UINT64_MAX;
	for (size_t i = 0; i < branches->n_groups; i++) {
		const struct group *group = &branches->groups[i];
		if (!group->alive)
			continue;
		bool found = in_turn ? distance_in(branches, group, from, &leaf, &rank)
				     : contest_best(&group->contest, &leaf, &rank);
		INVARIANT(found);
		uint32_t column = group->columns[leaf];
		if (rank < best || (rank == best && column < *ret_column)) {
			best = rank;
			*ret_column = column;
		}
	}
	return best != UINT64_MAX;
}
