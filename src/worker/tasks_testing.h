/* A worker with tasks of which nothing is known but their ids, for tests of where they stand. */
#ifndef WORKER_TASKS_TESTING_H
#define WORKER_TASKS_TESTING_H

#include "worker/worker_int.h"

/* The caller frees the worker, and with it the tasks; at most 65,536. */
static inline struct worker *worker_with_tasks(struct worker_task **ret_tasks, size_t n)
{
	struct worker_options options;
	worker_options_default(&options);
	struct worker *worker = worker_new(&options);
	for (size_t i = 0; i < n; i++) {
		struct task_id id = { { { 0x01 } } };
		id.uuid.bytes[14] = (uint8_t)(i >> 8);
		id.uuid.bytes[15] = (uint8_t)i;
		ret_tasks[i] = worker_task_new(worker, id);
	}
	return worker;
}

#endif
