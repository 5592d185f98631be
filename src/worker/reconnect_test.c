#include "base/testing.h"

#include "base/limits.h"
#include "node/sync.h"
#include "worker/reconnect.h"

static void tries_are_spread_and_grow_up_to_the_limit(void **state)
{
	(void)state;
	struct reconnect reconnect = { 0 };
	int64_t most_ms = LIMIT_RECONNECT_FIRST_MS;
	for (uint64_t i = 0; i < 20; i++) {
		int64_t wait_ms = reconnect_wait_ms(&reconnect, 0, 0, false, i);
		assert_in_range(wait_ms, LIMIT_RECONNECT_FIRST_MS / 2, most_ms);
		most_ms =
			2 * most_ms < LIMIT_RECONNECT_MAX_MS ? 2 * most_ms : LIMIT_RECONNECT_MAX_MS;
	}
}

static void the_first_try_after_a_session_comes_within_the_managers_window(void **state)
{
	(void)state;
	struct reconnect reconnect = { .window_ms = 4000 };
	int n_late = 0;
	for (uint64_t i = 0; i < 1000; i++) {
		int64_t wait_ms =
			reconnect_wait_ms(&reconnect, LIMIT_RECONNECT_MAX_MS, 0, false, i);
		assert_in_range(wait_ms, LIMIT_RECONNECT_FIRST_MS / 2, 4000);
		n_late += wait_ms > 2000;
	}
	assert_in_range(n_late, 400, 600);
}

static void a_session_that_is_ended_at_once_makes_nothing_faster(void **state)
{
	(void)state;
	struct reconnect reconnect = { 0 };
	for (uint64_t i = 0; i < 10; i++)
		reconnect_wait_ms(&reconnect, 0, 0, false, i);
	int64_t most_ms = 0;
	for (uint64_t i = 0; i < 50; i++) {
		int64_t wait_ms = reconnect_wait_ms(&reconnect, 100, 0, false, i);
		most_ms = wait_ms > most_ms ? wait_ms : most_ms;
	}
	assert_in_range(most_ms, LIMIT_RECONNECT_MAX_MS / 2, LIMIT_RECONNECT_MAX_MS);
}

static void who_is_turned_away_comes_back_at_most_once_a_minute(void **state)
{
	(void)state;
	struct reconnect reconnect = { 0 };
	for (uint64_t i = 0; i < 20; i++) {
		assert_true(reconnect_wait_ms(&reconnect, 0, SYNC_CLOSE_TWICE, false, i) >= 60000);
		assert_true(reconnect_wait_ms(&reconnect, 90000, SYNC_CLOSE_VERSION, false, i) >=
			    60000);
	}
	assert_non_null(reconnect_advice(SYNC_CLOSE_TWICE));
	assert_non_null(reconnect_advice(SYNC_CLOSE_SHARED));
	assert_null(reconnect_advice(SYNC_CLOSE_REFUSED));
}

static void who_is_not_let_in_comes_ever_later(void **state)
{
	(void)state;
	struct reconnect reconnect = { 0 };
	int64_t all_ms = 0;
	for (uint64_t i = 0; i < 20; i++) {
		int64_t wait_ms = reconnect_wait_ms(&reconnect, 0, 0, true, i);
		assert_in_range(wait_ms, LIMIT_RECONNECT_FIRST_MS / 2, LIMIT_RECONNECT_UNKNOWN_MS);
		all_ms += wait_ms;
	}
	assert_true(all_ms > 10 * LIMIT_RECONNECT_UNKNOWN_MS / 2);
	/* A manager that is then merely away is called as ever; one that starts does not judge before it could be. */
	assert_in_range(reconnect_wait_ms(&reconnect, 0, 0, false, 7), LIMIT_RECONNECT_FIRST_MS / 2,
			LIMIT_RECONNECT_MAX_MS);
	assert_true(LIMIT_RECONNECT_UNKNOWN_MS < LIMIT_START_GRACE_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tries_are_spread_and_grow_up_to_the_limit),
		TEST(the_first_try_after_a_session_comes_within_the_managers_window),
		TEST(a_session_that_is_ended_at_once_makes_nothing_faster),
		TEST(who_is_turned_away_comes_back_at_most_once_a_minute),
		TEST(who_is_not_let_in_comes_ever_later),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
