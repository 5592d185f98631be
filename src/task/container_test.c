#include "base/testing.h"

#include <string.h>

#include "base/alloc.h"
#include "task/container.h"

static void names_hold_the_task_and_the_attempt(void **state)
{
	(void)state;
	struct task_id task;
	char name[CONTAINER_NAME_SIZE];
	assert_int_equal(uuid_parse("0190a000-0000-7abc-8def-00000000000f", &task.uuid, NULL),
			 ERR_NONE);
	container_name(task, 3, name);
	assert_string_equal(name, "drover-0190a000-0000-7abc-8def-00000000000f-3");
	container_name(task, INT64_MAX, name);
	assert_string_equal(name,
			    "drover-0190a000-0000-7abc-8def-00000000000f-9223372036854775807");
}

static void networks_and_volumes_are_named_by_project_unless_named(void **state)
{
	(void)state;
	struct network_spec network = { 0 };
	struct volume_spec volume = { 0 };
	string_set(&network.key, "front");
	string_set(&volume.key, "data");
	_cleanup_free_ char *network_name = container_network_name("shop", &network);
	_cleanup_free_ char *volume_name = container_volume_name("shop", &volume);
	assert_string_equal(network_name, "shop_front");
	assert_string_equal(volume_name, "shop_data");
	string_set(&network.name, "shared-net");
	string_set(&volume.name, "shared-data");
	_cleanup_free_ char *own_network = container_network_name("shop", &network);
	_cleanup_free_ char *own_volume = container_volume_name("shop", &volume);
	assert_string_equal(own_network, "shared-net");
	assert_string_equal(own_volume, "shared-data");
	record_release(&network_spec_type, &network);
	record_release(&volume_spec_type, &volume);
}

static void what_was_seen_is_copied_deep_moved_and_released(void **state)
{
	(void)state;
	struct container_seen seen = { .attempt = 2, .state = CONTAINER_EXITED };
	string_set(&seen.error, "e");
	string_set(&seen.stop_signal, "SIGINT");
	struct container_result result = { .op = 1, .n_list = 1 };
	result.list = base_calloc(1, sizeof(struct container_seen));
	container_seen_copy(&result.list[0], &seen);
	container_seen_copy(&result.seen, &seen);
	strings_add(&result.networks, "n");
	string_set(&result.message, "m");
	container_seen_release(&seen);
	struct container_result taken;
	container_result_take(&taken, &result);
	static const struct container_result zero;
	assert_memory_equal(&result, &zero, sizeof(result));
	assert_string_equal(taken.list[0].error, "e");
	assert_string_equal(taken.networks.items[0], "n");
	assert_string_equal(taken.message, "m");
	assert_int_equal(taken.op, 1);
	assert_string_equal(taken.seen.stop_signal, "SIGINT");
	assert_null(taken.seen.health_output);
	assert_int_equal(taken.seen.attempt, 2);
	container_result_release(&taken);
	assert_memory_equal(&taken, &zero, sizeof(taken));
}

static void verbs_faults_and_states_have_names(void **state)
{
	(void)state;
	for (int verb = CONTAINER_PULL; verb <= CONTAINER_VOLUME_REMOVE; verb++)
		assert_string_not_equal(enum_name(container_verb_names, verb), "?");
	for (int fault = FAULT_NONE; fault <= FAULT_FAILED; fault++)
		assert_string_not_equal(enum_name(container_fault_names, fault), "?");
	for (int s = CONTAINER_ABSENT; s <= CONTAINER_REMOVING; s++)
		assert_string_not_equal(enum_name(container_state_names, s), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_hold_the_task_and_the_attempt),
		TEST(networks_and_volumes_are_named_by_project_unless_named),
		TEST(what_was_seen_is_copied_deep_moved_and_released),
		TEST(verbs_faults_and_states_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
