/* A queue that hands out its smallest item first: by key, then by id. Items are never taken out of the middle; their
 * owner recognises a stale one by its stamp when it comes to the front. */
#ifndef MANAGER_QUEUE_H
#define MANAGER_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"

struct queue_item {
	int64_t key;
	struct uuid id;
	uint64_t stamp; /* the owner's; equal keys and ids are told apart by it */
};

/* All-zero is empty. items[0] is the smallest. */
struct queue {
	struct queue_item *items;
	size_t n;
	size_t capacity;
};

void queue_push(struct queue *queue, struct queue_item item);
/* Remove the smallest; n > 0. */
void queue_pop(struct queue *queue);
void queue_release(struct queue *queue);
/* <0, 0, >0. */
int queue_compare(const struct queue_item *a, const struct queue_item *b);

#endif
