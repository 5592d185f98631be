/* Invariant: items are ascending by task id, without holes and without doubles, once the list is
 * handed out. Ids rise with time, so inserting is nearly always appending. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/sort.h"
#include "cluster/internal.h"

#define CAPACITY_FIRST 4
#define CAPACITY_SMALL 16

/* There are two lists for every task, of jobs of one and of a million: it begins small, and a large one grows by a
 * quarter. */
static size_t next_capacity(size_t capacity)
{
	if (capacity < CAPACITY_SMALL)
		return capacity ? 2 * capacity : CAPACITY_FIRST;
	return capacity + capacity / 4;
}

/* The first position whose task is not before `id`. */
static size_t position_of(const struct task_list *list, struct task_id id)
{
	size_t low = 0;
	size_t high = list->n;
	if (high && uuid_compare(list->items[high - 1]->desired.id.uuid, id.uuid) < 0)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (uuid_compare(list->items[middle]->desired.id.uuid, id.uuid) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool task_list_has(const struct task_list *list, const struct task *task)
{
	size_t at = position_of(list, task->desired.id);
	return at < list->n && list->items[at] == task;
}

static struct task **allocation_of(const struct task_list *list)
{
	return list->items ? list->items - list->gap : NULL;
}

/* Make room for one more: close a gap that is larger than the list, else grow. Either way the cost is paid by as many
 * removals or appends before it. */
static void make_room(struct task_list *list)
{
	if (list->gap + list->n < list->capacity)
		return;
	struct task **start = allocation_of(list);
	if (list->gap > list->n) {
		memmove(start, list->items, list->n * sizeof(struct task *));
		list->gap = 0;
	} else {
		list->capacity = next_capacity(list->capacity);
		start = base_realloc(start, list->capacity, sizeof(struct task *));
	}
	list->items = start + list->gap;
}

void task_list_append(struct task_list *list, struct task *task)
{
	make_room(list);
	list->items[list->n++] = task;
}

void task_list_insert(struct task_list *list, struct task *task)
{
	size_t at = position_of(list, task->desired.id);
	PRE(at == list->n || list->items[at] != task);
	task_list_append(list, task);
	memmove(&list->items[at + 1], &list->items[at], (list->n - 1 - at) * sizeof(struct task *));
	list->items[at] = task;
}

void task_list_remove(struct task_list *list, const struct task *task)
{
	size_t at = position_of(list, task->desired.id);
	PRE(at < list->n);
	PRE(list->items[at] == task);
	/* The shorter side moves: a large job goes from its first task on. */
	if (at < list->n / 2) {
		memmove(&list->items[1], &list->items[0], at * sizeof(struct task *));
		list->items++;
		list->gap++;
	} else {
		memmove(&list->items[at], &list->items[at + 1],
			(list->n - at - 1) * sizeof(struct task *));
	}
	list->n--;
}

static int compare_tasks(const void *a, const void *b, void *context)
{
	(void)context;
	const struct task *const *left = a;
	const struct task *const *right = b;
	return uuid_compare((*left)->desired.id.uuid, (*right)->desired.id.uuid);
}

void task_list_sort(struct task_list *list)
{
	for (size_t i = 1; i < list->n; i++) {
		if (compare_tasks(&list->items[i - 1], &list->items[i], NULL) > 0) {
			sort_stable(list->items, list->n, sizeof(struct task *), compare_tasks,
				    NULL);
			return;
		}
	}
}

void task_list_release(struct task_list *list)
{
	base_free(allocation_of(list));
	*list = (struct task_list){ 0 };
}
