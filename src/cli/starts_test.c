#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "cli/starts.h"
#include "task/reason.h"

/* The n-th task, of slot 1, on that machine. */
static struct task_view task_of(int n, int node, int reason)
{
	return (struct task_view){ .id = { { (unsigned char)n } },
				   .job_id = { { 9 } },
				   .slot = 1,
				   .revision = 1,
				   .state = TASK_FAILED,
				   .reason = reason,
				   .node = { { (unsigned char)node } } };
}

static bool look(struct starts *starts, struct task_view task)
{
	starts_look(starts, &task, false);
	return starts_are_in_vain(starts, &task);
}

/* Of three machines in turn, though no more than the last two failures are ever listed. */
static void back_where_it_failed_before_it_is_in_vain(void **state)
{
	(void)state;
	struct starts starts = { 0 };
	for (int n = 1; n <= 3; n++) {
		assert_false(look(&starts, task_of(n, n, REASON_IMAGE_NOT_FOUND)));
		/* Looked at again, it is still the one failure. */
		assert_false(look(&starts, task_of(n, n, REASON_IMAGE_NOT_FOUND)));
	}
	assert_true(look(&starts, task_of(4, 1, REASON_IMAGE_NOT_FOUND)));
	assert_true(look(&starts, task_of(4, 1, REASON_IMAGE_NOT_FOUND)));
	assert_false(look(&starts, task_of(3, 3, REASON_IMAGE_NOT_FOUND)));
	starts_release(&starts);
}

static void of_many_machines_not_all_are_waited_for(void **state)
{
	(void)state;
	struct starts starts = { 0 };
	for (int n = 1; n < STARTS_MAX; n++)
		assert_false(look(&starts, task_of(n, n, REASON_PULL_FAILED)));
	assert_true(look(&starts, task_of(STARTS_MAX, STARTS_MAX, REASON_PULL_FAILED)));
	assert_true(look(&starts, task_of(STARTS_MAX + 1, 77, REASON_PULL_FAILED)));
	starts_release(&starts);
}

static void another_port_is_another_place(void **state)
{
	(void)state;
	struct starts starts = { 0 };
	for (int n = 1; n <= 3; n++) {
		struct task_view task = task_of(n, 1, REASON_PORT_TAKEN);
		struct port_view *port = list_add(&task.ports, sizeof(*port));
		port->host_port = n == 3 ? 8081 : 8080 + n;
		assert_int_equal(look(&starts, task), n == 3);
		base_free(task.ports.items);
	}
	starts_release(&starts);
}

static void slots_and_revisions_count_for_themselves(void **state)
{
	(void)state;
	struct starts starts = { 0 };
	assert_false(look(&starts, task_of(1, 1, REASON_PORT_TAKEN)));
	struct task_view other = task_of(2, 1, REASON_PORT_TAKEN);
	other.slot = 2;
	assert_false(look(&starts, other));
	struct task_view newer = task_of(3, 1, REASON_PORT_TAKEN);
	newer.revision = 2;
	assert_false(look(&starts, newer));
	newer.id.bytes[0] = 4;
	assert_true(look(&starts, newer));
	starts_release(&starts);
}

/* Who asks once more has freed the port perhaps. */
static void what_failed_before_anybody_waited_says_where_only(void **state)
{
	(void)state;
	struct starts starts = { 0 };
	for (int n = 1; n <= 2 * STARTS_MAX; n++) {
		struct task_view task = task_of(n, n / 2, REASON_PORT_TAKEN);
		starts_look(&starts, &task, true);
		assert_false(starts_are_in_vain(&starts, &task));
	}
	assert_false(look(&starts, task_of(2 * STARTS_MAX, STARTS_MAX, REASON_PORT_TAKEN)));
	assert_true(look(&starts, task_of(2 * STARTS_MAX + 1, 1, REASON_PORT_TAKEN)));
	starts_release(&starts);
}

static void what_ran_is_none_of_them(void **state)
{
	(void)state;
	struct starts starts = { 0 };
	for (int n = 1; n <= 2; n++)
		assert_false(look(&starts, task_of(n, 1, REASON_EXIT_NONZERO)));
	struct task_view running = task_of(3, 1, REASON_RUNNING);
	running.state = TASK_RUNNING;
	assert_false(look(&starts, running));
	starts_release(&starts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(back_where_it_failed_before_it_is_in_vain),
		cmocka_unit_test(of_many_machines_not_all_are_waited_for),
		cmocka_unit_test(another_port_is_another_place),
		cmocka_unit_test(slots_and_revisions_count_for_themselves),
		cmocka_unit_test(what_failed_before_anybody_waited_says_where_only),
		cmocka_unit_test(what_ran_is_none_of_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
