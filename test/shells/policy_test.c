/* Whom a machine's policy binds: over real sockets, the owner of the manager's socket and who has joined ask for the
 * same bind mount. No machine has a policy file here, so the default holds: none is allowed. */
#include "members.h"

#include <string.h>

#include "base/alloc.h"

#define MOUNTING(image)                                                                            \
	"{\"jobs\":[{\"name\":\"web\",\"spec\":{\"image\":\"" image                                \
	"\",\"has_command\":true,\"command\":[\"sh\",\"-c\",\"trap 'exit 0' TERM; while :; do "    \
	"sleep 1; done\"],\"mounts\":[{\"kind\":\"bind\",\"source\":\"/srv\",\"target\":"          \
	"\"/there\"}]}}]}"

static void start_worker(struct rig *rig, struct member *member, const char *policy_file)
{
	struct err err = { 0 };
	struct worker_daemon_options options = rig_worker_options(rig);
	if (member) {
		options.manager = &member->endpoint;
		options.membership = &member->membership;
	}
	options.policy_file = policy_file;
	if (worker_daemon_new(rig->base, &options, &rig->worker, &err))
		fail_msg("the worker does not start: %s", err.message);
	rig_wait_ready(rig);
}

static void ask_as(struct rig *rig, struct member *member, const char *target, const char *body)
{
	struct err said = { 0 };
	int status = member ? members_call(rig, member->http, "POST", target, body, NULL, &said)
			    : rig_status(rig, "POST", target, NULL, body);
	if (status != 200)
		fail_msg("%s: %d %s", target, status, said.message);
}

/* Which tasks are to be refused. */
struct asked {
	const char *project;
	int revision;
};

/* One was, with the words that the machine's owner needs. */
static bool was_refused(struct rig *rig, const void *argument)
{
	const struct asked *asked = argument;
	char target[96];
	text_print(target, sizeof(target), "/v1/tasks?project=%s", asked->project);
	struct rig_answer answer = rig_call(rig, "GET", target, NULL, NULL);
	json_t *task;
	size_t i;
	bool refused = false;
	json_array_foreach(json_object_get(answer.body, "tasks"), i, task)
	{
		const char *reason = json_string_value(json_object_get(task, "reason"));
		const char *message = json_string_value(json_object_get(task, "message"));
		if (strcmp(reason, "refused_by_policy") != 0 ||
		    json_integer_value(json_object_get(task, "revision")) != asked->revision)
			continue;
		refused = true;
		if (!strstr(message, "mounting /srv is not allowed on this machine; its owner can "
				     "add the line \"bind_mounts: [/srv]\" to "))
			fail_msg("%s", message);
	}
	json_decref(answer.body);
	return refused;
}

static void wait_refused(struct rig *rig, const char *project, int revision)
{
	struct asked asked = { project, revision };
	rig_until(rig, "a refusal", was_refused, &asked);
}

static bool is_over_tls(struct rig *rig)
{
	struct rig_answer answer = rig_call(rig, "GET", "/v1/jobs", NULL, NULL);
	json_t *job = json_array_get(json_object_get(answer.body, "jobs"), 0);
	json_t *over_tls = json_object_get(job, "over_tls");
	assert_true(json_is_boolean(over_tls));
	bool is = json_is_true(over_tls);
	json_decref(answer.body);
	return is;
}

static void on_the_managers_machine_it_binds_what_comes_over_tls(void **state)
{
	static const char *const roles[] = { "client", "admin" };
	struct rig *rig = *state;
	members_start_manager(rig);
	start_worker(rig, NULL, NULL);
	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		struct member member;
		char target[64];
		members_make(rig, roles[i], roles[i], &member);
		text_print(target, sizeof(target), "/v1/projects/%s/apply", roles[i]);
		ask_as(rig, &member, target, MOUNTING("busybox"));
		wait_refused(rig, roles[i], 1);
		assert_int_equal(rig_containers_running(), 0);
		text_print(target, sizeof(target), "/v1/projects/%s", roles[i]);
		assert_int_equal(rig_status(rig, "DELETE", target, NULL, NULL), 200);
		members_release(&member);
	}
	rig_stop_worker(rig);
}

static void on_the_managers_machine_its_owner_may_ask_for_anything(void **state)
{
	struct rig *rig = *state;
	struct member client;
	members_start_manager(rig);
	start_worker(rig, NULL, NULL);
	members_make(rig, "client", "client", &client);
	/* What a client could not have, the owner makes his own. */
	ask_as(rig, &client, "/v1/projects/shop/apply", MOUNTING("busybox"));
	wait_refused(rig, "shop", 1);
	assert_true(is_over_tls(rig));
	ask_as(rig, NULL, "/v1/projects/shop/apply", MOUNTING("busybox"));
	assert_false(is_over_tls(rig));
	rig_wait_running(rig, 1);
	/* Then it stays his, however often a client lets it start again, and is not when one changes it. */
	ask_as(rig, &client, "/v1/projects/shop/restart", NULL);
	ask_as(rig, &client, "/v1/projects/shop/apply", MOUNTING("busybox"));
	rig_wait_running(rig, 1);
	assert_false(is_over_tls(rig));
	ask_as(rig, &client, "/v1/projects/shop/apply", MOUNTING("busybox:2"));
	wait_refused(rig, "shop", 2);
	assert_int_equal(rig_containers_running(), 0);
	assert_true(is_over_tls(rig));
	rig_stop_worker(rig);
	members_release(&client);
}

static void a_policy_that_its_owner_names_binds_all(void **state)
{
	struct rig *rig = *state;
	char file[128];
	members_start_manager(rig);
	start_worker(rig, NULL, text_print(file, sizeof(file), "%s/none.yaml", rig->folder));
	ask_as(rig, NULL, "/v1/projects/shop/apply", MOUNTING("busybox"));
	wait_refused(rig, "shop", 1);
	assert_false(is_over_tls(rig));
	rig_stop_worker(rig);
}

static void on_a_machine_that_joined_it_binds_all(void **state)
{
	struct rig *rig = *state;
	struct member member;
	members_start_manager(rig);
	members_make(rig, "alpha", "worker", &member);
	start_worker(rig, &member, NULL);
	ask_as(rig, NULL, "/v1/projects/shop/apply", MOUNTING("busybox"));
	wait_refused(rig, "shop", 1);
	rig_stop_worker(rig);
	members_release(&member);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(on_the_managers_machine_it_binds_what_comes_over_tls),
		CASE(on_the_managers_machine_its_owner_may_ask_for_anything),
		CASE(a_policy_that_its_owner_names_binds_all),
		CASE(on_a_machine_that_joined_it_binds_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
