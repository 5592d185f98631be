/* Invariant: items[i] is not larger than items[2i+1] and items[2i+2]. */
#include "manager/queue.h"

#include "base/alloc.h"
#include "base/check.h"

int queue_compare(const struct queue_item *a, const struct queue_item *b)
{
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	int by_id = uuid_compare(a->id, b->id);
	if (by_id)
		return by_id;
	return a->stamp < b->stamp ? -1 : a->stamp > b->stamp;
}

static void swap(struct queue_item *a, struct queue_item *b)
{
	struct queue_item held = *a;
	*a = *b;
	*b = held;
}

void queue_push(struct queue *queue, struct queue_item item)
{
	queue->items = base_grow(queue->items, queue->n, &queue->capacity, sizeof(item));
	size_t at = queue->n++;
	queue->items[at] = item;
	while (at > 0) {
		size_t parent = (at - 1) / 2;
		if (queue_compare(&queue->items[parent], &queue->items[at]) <= 0)
			return;
		swap(&queue->items[parent], &queue->items[at]);
		at = parent;
	}
}

void queue_pop(struct queue *queue)
{
	PRE(queue->n > 0);
	queue->items[0] = queue->items[--queue->n];
	for (size_t at = 0;;) {
		size_t least = at;
		for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < queue->n; child++)
			if (queue_compare(&queue->items[child], &queue->items[least]) < 0)
				least = child;
		if (least == at)
			return;
		swap(&queue->items[least], &queue->items[at]);
		at = least;
	}
}

void queue_release(struct queue *queue)
{
	base_free(queue->items);
	*queue = (struct queue){ 0 };
}
