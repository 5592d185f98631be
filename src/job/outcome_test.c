#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/limits.h"
#include "job/job.h"

static void what_is_not_kept_is_done(void **state)
{
	(void)state;
	struct job job = { 0 };
	assert_int_equal(job_outcome(&job, 1), OUTCOME_DONE);
	job_set_outcome(&job, 2, OUTCOME_ROLLING, 1000, NULL);
	assert_int_equal(job_outcome(&job, 2), OUTCOME_ROLLING);
	job_set_outcome(&job, 2, OUTCOME_ROLLED_BACK, 2000, "2 of 3 failed");
	assert_int_equal(job.outcomes.n, 1);
	assert_int_equal(job_outcome_of(&job, 2)->wall_ms, 2000);
	assert_string_equal(job_outcome_of(&job, 2)->message, "2 of 3 failed");
	assert_null(job_outcome_of(&job, 1));
	record_release(&job_type, &job);
}

static void they_are_in_order_and_the_oldest_gives_way(void **state)
{
	(void)state;
	struct job job = { 0 };
	job_set_outcome(&job, 9, OUTCOME_DONE, 1, NULL);
	job_set_outcome(&job, 3, OUTCOME_ROLLED_BACK, 1, "first");
	job_set_outcome(&job, 5, OUTCOME_DONE, 1, NULL);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(job.outcomes.items[i].revision, i == 0 ? 3 : i == 1 ? 5 : 9);
	for (int64_t revision = 10; revision < 10 + LIMIT_OUTCOMES_PER_JOB - 2; revision++)
		job_set_outcome(&job, revision, OUTCOME_DONE, 1, NULL);
	assert_int_equal(job.outcomes.n, LIMIT_OUTCOMES_PER_JOB);
	assert_int_equal(job.outcomes.items[0].revision, 5);
	record_release(&job_type, &job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_kept_is_done),
		cmocka_unit_test(they_are_in_order_and_the_oldest_gives_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
