/* For tests: the records of two tasks, compared. After cmocka.h. */
#ifndef TASK_TEST_RECORDS_H
#define TASK_TEST_RECORDS_H

#include "task/task.h"

static inline void assert_same_records(const struct task *a, const struct task *b)
{
	struct task_desired desired[2];
	struct task_observed observed[2];
	char ids[2][TASK_CONTAINER_ID_SIZE];
	task_get_desired(a, &desired[0]);
	task_get_desired(b, &desired[1]);
	task_get_observed(a, ids[0], &observed[0]);
	task_get_observed(b, ids[1], &observed[1]);
	assert_true(record_equal(&task_desired_type, &desired[0], &desired[1]));
	assert_true(record_equal(&task_observed_type, &observed[0], &observed[1]));
}

#endif
