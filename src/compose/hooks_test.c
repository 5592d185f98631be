/* post_start and pre_stop: what is read, and what is refused where. */
#include "compose/testing.h"

static void commands_are_read_in_order(void **state)
{
	(void)state;
	struct project_request request =
		test_spec("    post_start:\n"
			  "      - {command: chown -R 1001 '/a b', user: root,\n"
			  "         privileged: true}\n"
			  "      - command: [sh, -c, \"echo $$A\"]\n"
			  "        working_dir: /srv\n"
			  "        environment: [A=b]\n"
			  "    pre_stop: [{command: [./flush]}]\n");
	const struct job_spec *spec = &request.jobs.items[0].spec;
	const struct hooks *hooks = job_spec_hooks(spec);
	assert_int_equal(hooks->post_start.n, 2);
	const struct hook *first = &hooks->post_start.items[0];
	assert_int_equal(first->command.n, 4);
	assert_string_equal(first->command.items[3], "/a b");
	assert_string_equal(first->user, "root");
	assert_true(first->privileged);
	const struct hook *second = &hooks->post_start.items[1];
	assert_string_equal(second->command.items[2], "echo $A");
	assert_string_equal(second->working_dir, "/srv");
	assert_string_equal(pairs_get(&second->environment, "A"), "b");
	assert_int_equal(hooks->pre_stop.n, 1);
	assert_int_equal(job_spec_protocol(spec), 2);
	test_request_release(&request);
	request = test_spec("    post_start: []\n");
	assert_null(request.jobs.items[0].spec.hooks);
	test_request_release(&request);
}

static void mistakes_are_told_where_they_are(void **state)
{
	(void)state;
	test_bad("    post_start: [{user: root}]\n", ERR_INVALID,
		 "compose.yaml:4:18: services.web.post_start[0]", "a command is missing");
	test_bad("    pre_stop: [{command: a}, {command: \"\"}]\n", ERR_INVALID,
		 "compose.yaml:4:30: services.web.pre_stop[1]", "a command is missing");
	test_bad("    post_start: [{command: a, working_dir: here}]\n", ERR_INVALID,
		 "compose.yaml:4:18: services.web.post_start[0]",
		 "\"here\" is not an absolute path");
	test_bad("    post_start: [{command: a, environment: {\"1 2\": b}}]\n", ERR_INVALID,
		 "compose.yaml:4:18: services.web.post_start[0]",
		 "\"1 2\" is not a variable's name");
	test_bad("    post_start: [{comand: a}]\n", ERR_INVALID,
		 "compose.yaml:4:19: services.web.post_start[0].comand",
		 "did you mean \"command\"?");
	test_bad("    post_start: {command: a}\n", ERR_INVALID,
		 "compose.yaml:4:5: services.web.post_start", "expected a list");
	test_bad("    pre_start: [{command: a}]\n", ERR_UNSUPPORTED,
		 "compose.yaml:4:5: services.web.pre_start", "a task is one container");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_are_read_in_order),
		cmocka_unit_test(mistakes_are_told_where_they_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
