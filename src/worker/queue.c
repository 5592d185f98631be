/* Tasks in the order they came: in an array, so that who waits for nothing holds no link. Nobody is searched for: who
 * is deleted before its turn stays where it is until then. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "worker/worker_int.h"

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

struct worker_task *worker_queue_take(struct task_queue *queue)
{
	PRE(!worker_queue_is_empty(queue));
	struct worker_task *task = queue->items[queue->first++];
	if (queue->first < queue->n)
		return task;
	queue->first = queue->n = 0;
	if (queue->capacity > CAPACITY_KEPT)
		worker_queue_release(queue);
	return task;
}
