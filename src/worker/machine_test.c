#include "worker/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/record.h"

static void assert_cpu(const char *text, int64_t busy, int64_t total)
{
	int64_t busy_ticks = -1;
	int64_t total_ticks = -1;
	assert_true(machine_parse_cpu(text, &busy_ticks, &total_ticks));
	assert_int_equal(busy_ticks, busy);
	assert_int_equal(total_ticks, total);
}

static void waiting_for_a_disk_is_not_being_busy(void **state)
{
	(void)state;
	assert_cpu("cpu  100 20 30 4000 500 6 7 8 0 0\ncpu0 1 2 3 4\n", 171, 4671);
}

static void time_of_guests_is_counted_once(void **state)
{
	(void)state;
	assert_cpu("cpu  100 0 0 100 0 0 0 0 90 10\n", 100, 200);
}

static void old_kernels_have_fewer_columns(void **state)
{
	(void)state;
	assert_cpu("cpu  100 20 30 4000\n", 150, 4150);
	assert_cpu("cpu  100 20 30 4000 500 6 7\n", 163, 4663);
}

static void what_is_not_the_first_line_of_proc_stat_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"cpu",
		"cpu ",
		"cpu  1 2 3\n",
		"cpu  0 0 0 0 0 0 0 0\n",
		"cpu0 1 2 3 4\n",
		"intr 1 2 3 4\n",
		"cpu  x\n",
		"memory",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		int64_t busy, total;
		if (machine_parse_cpu(texts[i], &busy, &total))
			fail_msg("\"%s\" was taken", texts[i]);
	}
}

static void memory_is_found_by_the_whole_name(void **state)
{
	static const char text[] = "MemTotal:        2048 kB\n"
				   "MemFree:          100 kB\n"
				   "MemAvailable:    1024 kB\n"
				   "SwapTotal:          0 kB\n";
	(void)state;
	assert_int_equal(machine_parse_memory(text, "MemTotal"), 2048 * 1024);
	assert_int_equal(machine_parse_memory(text, "MemAvailable"), 1024 * 1024);
	assert_int_equal(machine_parse_memory(text, "SwapTotal"), 0);
	assert_int_equal(machine_parse_memory(text, "Mem"), -1);
	assert_int_equal(machine_parse_memory(text, "Total"), -1);
	assert_int_equal(machine_parse_memory("", "MemTotal"), -1);
	assert_int_equal(machine_parse_memory("MemTotal", "MemTotal"), -1);
}

static void the_machine_under_the_test_has_facts(void **state)
{
	struct node_facts facts = { 0 };
	struct err err;
	char boot_id[64];
	(void)state;
	machine_facts(&facts, "/");
	machine_boot_id(boot_id);
	assert_true(strlen(facts.hostname) > 0);
	assert_string_equal(facts.platform_os, "linux");
	assert_string_equal(facts.boot_id, boot_id);
	assert_int_equal(strlen(boot_id), 36);
	assert_true(facts.capacity.cpu_milli >= 1000);
	assert_true(facts.capacity.memory_bytes > 0);
	assert_true(facts.capacity.disk_bytes > 0);
	assert_int_equal(record_check(&node_facts_type, &facts, &err), ERR_NONE);
	record_release(&node_facts_type, &facts);
}

static void a_disk_that_is_not_there_has_no_room(void **state)
{
	struct node_facts facts = { 0 };
	(void)state;
	machine_facts(&facts, "/nowhere/at/all");
	assert_int_equal(facts.capacity.disk_bytes, 0);
	record_release(&node_facts_type, &facts);
}

static void use_stays_within_the_machine(void **state)
{
	struct machine_meter meter = { 0 };
	struct node_stats stats;
	struct node_facts facts = { 0 };
	(void)state;
	machine_facts(&facts, "/");
	for (int i = 0; i < 3; i++) {
		machine_measure(&meter, "/", &stats);
		/* Nothing can be said of the processors before the second reading. */
		if (i == 0)
			assert_int_equal(stats.cpu_used_milli, 0);
		assert_in_range(stats.cpu_used_milli, 0, facts.capacity.cpu_milli);
		assert_in_range(stats.memory_used_bytes, 1, facts.capacity.memory_bytes);
		assert_in_range(stats.disk_used_bytes, 1, facts.capacity.disk_bytes);
		assert_true(stats.load_milli >= 0);
	}
	record_release(&node_facts_type, &facts);
}

/* The first reading of two is the use there is, not a share of it. */
static void the_first_use_of_the_processors_is_not_smoothed_with_nothing(void **state)
{
	struct machine_meter meter = { 0 };
	struct node_stats stats;
	(void)state;
	machine_measure(&meter, "/", &stats);
	int64_t busy = meter.cpu_busy_ticks;
	int64_t total = meter.cpu_total_ticks;
	/* As if nothing had been idle since: all but what passes right now was use. */
	meter.cpu_busy_ticks = 0;
	meter.cpu_total_ticks = total - busy;
	machine_measure(&meter, "/", &stats);
	struct node_facts facts = { 0 };
	machine_facts(&facts, "/");
	assert_true(stats.cpu_used_milli > facts.capacity.cpu_milli * 9 / 10);
	record_release(&node_facts_type, &facts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waiting_for_a_disk_is_not_being_busy),
		cmocka_unit_test(time_of_guests_is_counted_once),
		cmocka_unit_test(old_kernels_have_fewer_columns),
		cmocka_unit_test(what_is_not_the_first_line_of_proc_stat_is_refused),
		cmocka_unit_test(memory_is_found_by_the_whole_name),
		cmocka_unit_test(the_machine_under_the_test_has_facts),
		cmocka_unit_test(a_disk_that_is_not_there_has_no_room),
		cmocka_unit_test(use_stays_within_the_machine),
		cmocka_unit_test(the_first_use_of_the_processors_is_not_smoothed_with_nothing),
	};
	return cmocka_run_group_tests_name("the machine", tests, NULL, NULL);
}
