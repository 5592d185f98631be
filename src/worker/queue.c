/* Tasks in the order they came: in an array, so that who waits for nothing holds no link. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "worker/worker_int.h"

/* An array of so many is kept while it is empty. */
#define CAPACITY_KEPT 16

bool worker_queue_is_empty(const struct task_queue *queue)
{
	return queue->first == queue->n;
}

void worker_queue_release(struct task_queue *queue)
{
	base_free(queue->items);
	*queue = (struct task_queue){ 0 };
}

void worker_queue_add(struct task_queue *queue, struct worker_task *task)
{
	if (queue->n == queue->capacity && queue->first > queue->n / 2) {
		queue->n -= queue->first;
		memmove(queue->items, queue->items + queue->first,
			queue->n * sizeof(*queue->items));
		queue->first = 0;
	}
	queue->items = base_grow(queue->items, queue->n, &queue->capacity, sizeof(*queue->items));
	queue->items[queue->n++] = task;
}

static void pass_holes(struct task_queue *queue)
{
	while (queue->first < queue->n && !queue->items[queue->first])
		queue->first++;
	if (queue->first < queue->n)
		return;
	queue->first = queue->n = 0;
	if (queue->capacity > CAPACITY_KEPT)
		worker_queue_release(queue);
}

struct worker_task *worker_queue_take(struct task_queue *queue)
{
	PRE(!worker_queue_is_empty(queue));
	struct worker_task *task = queue->items[queue->first++];
	pass_holes(queue);
	return task;
}

void worker_queue_drop(struct task_queue *queue, const struct worker_task *task)
{
	size_t at = queue->first;
	while (at < queue->n && queue->items[at] != task)
		at++;
	if (at == queue->n)
		return;
	queue->items[at] = NULL;
	pass_holes(queue);
}
