/* What a container must be inside, what it uses, and what its log tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "net/shell.h"
#include "runtime/contract_tests.h"

/* ---- the whole specification ---- */

/* Exits with the number of the first line that is not as the specification says. */
static const char checks[] =
	"test \"$A\" = '1 2' || exit 1;"
	"test \"$(pwd)\" = /tmp || exit 2;"
	"test \"$(id -u):$(id -g)\" = 1000:1001 || exit 3;"
	"test \"$(hostname)\" = named || exit 4;"
	"touch /file 2>/dev/null && exit 5;"
	"test \"$(ulimit -n)\" = 123 || exit 6;"
	"test \"$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)\" = 99 || exit 7;"
	"grep -q '^10.0.0.9.*database' /etc/hosts || exit 8;"
	"grep -q '9.9.9.9' /etc/resolv.conf || exit 9;"
	"mount | grep -q '/scratch type tmpfs.*size=64k' || exit 10;"
	"mount | grep -q '/sized type tmpfs.*size=128k' || exit 11;"
	"mount | grep -q '/dev/shm .*size=2048k' || exit 12;"
	"grep -q 'CapBnd:.0000000000000400' /proc/self/status || exit 13;"
	"test \"$(cat /proc/1/comm)\" != sh || exit 14;"
	"test \"$(cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null)\" = 50"
	" || exit 15;"
	"test -e /bound/sub || exit 16;"
	"touch /bound/x 2>/dev/null && exit 17;"
	"exit 0";

static void fill_whole(struct job_spec *spec, const char *bind_source)
{
	pairs_add(&spec->environment, "A", "1 2");
	string_set(&spec->working_dir, "/tmp");
	string_set(&spec->user, "1000:1001");
	string_set(&spec->hostname, "named");
	spec->read_only = true;
	spec->init = YES;
	struct ulimit *ulimit = list_add(&spec->ulimits, sizeof(*ulimit));
	ulimit->name = base_strdup("nofile");
	ulimit->soft = ulimit->hard = 123;
	pairs_add(&spec->sysctls, "net.ipv4.ip_unprivileged_port_start", "99");
	strings_add(&spec->extra_hosts, "database:10.0.0.9");
	strings_add(&spec->dns, "9.9.9.9");
	strings_add(&spec->cap_drop, "ALL");
	strings_add(&spec->cap_add, "NET_BIND_SERVICE");
	spec->shm_size_bytes = 2 * 1024 * 1024;
	spec->limits.pids = 50;
	spec->limits.cpu_milli = 500;
	spec->limits.memory_bytes = 32 * 1024 * 1024;
	string_set(&spec->logging.driver, "local");
	pairs_add(&spec->labels, "team", "blue");
	struct mount *mount = list_add(&spec->mounts, sizeof(*mount));
	record_init(&mount_type, mount);
	mount->kind = MOUNT_TMPFS;
	string_set(&mount->target, "/scratch");
	string_set(&mount->tmpfs_options, "size=64k");
	mount = list_add(&spec->mounts, sizeof(*mount));
	record_init(&mount_type, mount);
	mount->kind = MOUNT_TMPFS;
	string_set(&mount->target, "/sized");
	mount->tmpfs_size_bytes = 128 * 1024;
	contract_add_bind(spec, bind_source, true);
	mount = &spec->mounts.items[spec->mounts.n - 1];
	string_set(&mount->target, "/bound");
	mount->read_only = true;
}

static void a_container_is_what_its_specification_says(void **state)
{
	struct bench *bench = *state;
	char folder[] = "/tmp/drover-contract-XXXXXX", inner[64];
	struct job_spec spec;
	/* The fakes know no files and no limits. */
	if (!contract_is_real_docker())
		skip();
	assert_non_null(mkdtemp(folder));
	text_print(inner, sizeof(inner), "%s/sub", folder);
	assert_int_equal(mkdir(inner, 0755), 0);
	assert_int_equal(chmod(folder, 0777), 0);
	bench_spec(bench, &spec, checks);
	fill_whole(&spec, folder);
	struct task_id task = bench_task();
	const struct container_seen *seen = bench_run(bench, task, &spec);
	assert_int_equal(seen->exit_code, 0);
	record_release(&job_spec_type, &spec);
	rmdir(inner);
	rmdir(folder);
}

static void a_bind_source_that_may_be_made_is_made(void **state)
{
	struct bench *bench = *state;
	char folder[] = "/tmp/drover-contract-XXXXXX", inner[64];
	struct job_spec spec;
	assert_non_null(mkdtemp(folder));
	text_print(inner, sizeof(inner), "%s/made", folder);
	bench_spec(bench, &spec, "true");
	contract_add_bind(&spec, inner, true);
	assert_int_equal(bench_run(bench, bench_task(), &spec)->exit_code, 0);
	record_release(&job_spec_type, &spec);
	rmdir(inner);
	rmdir(folder);
}

static void what_a_container_uses_is_told_from_its_second_reading(void **state)
{
	struct bench *bench = *state;
	struct task_id task = bench_task();
	struct runtime_usage usage = { 0 };
	struct job_spec spec;
	bench_spec(bench, &spec, NULL);
	assert_int_equal(bench_create(bench, task, &spec), FAULT_NONE);
	assert_int_equal(bench_start(bench, task), FAULT_NONE);
	record_release(&job_spec_type, &spec);
	_cleanup_free_ char *id = base_strdup(bench_inspect(bench, task)->id);
	assert_false(bench->ops->usage(bench->runtime, "nothing", &usage));
	/* Behind a fake server there are no files to read. */
	if (contract_is_socket())
		return;
	bench->ops->usage(bench->runtime, id, &usage);
	bench_rest(bench, 300);
	assert_true(bench->ops->usage(bench->runtime, id, &usage));
	assert_in_range(usage.cpu_milli, 0, 1000);
	assert_in_range(usage.memory_bytes, 1, 512 * 1024 * 1024);
}

/* ---- logs ---- */

static void logs_come_apart_by_stream_and_end(void **state)
{
	struct bench *bench = *state;
	struct task_id task = bench_task();
	const struct runtime_logs_options options = { .tail = -1 };
	struct bench_log log;
	struct job_spec spec;
	bench_spec(bench, &spec, "echo one; echo two >&2; echo three");
	bench_run(bench, task, &spec);
	record_release(&job_spec_type, &spec);
	bench_log_open(bench, &log, task, &options);
	bench_log_wait(bench, &log);
	assert_int_equal(log.err.code, ERR_NONE);
	assert_string_equal(text_string(&log.streams[1]), "one\nthree\n");
	assert_string_equal(text_string(&log.streams[2]), "two\n");
	bench_log_release(&log);
}

static void the_tail_of_a_log_is_its_last_lines(void **state)
{
	struct bench *bench = *state;
	struct task_id task = bench_task();
	struct runtime_logs_options options = { .tail = 1 };
	struct bench_log log;
	struct job_spec spec;
	bench_spec(bench, &spec, "echo one; echo two; echo three");
	bench_run(bench, task, &spec);
	record_release(&job_spec_type, &spec);
	bench_log_open(bench, &log, task, &options);
	bench_log_wait(bench, &log);
	assert_string_equal(text_string(&log.streams[1]), "three\n");
	bench_log_release(&log);
	options = (struct runtime_logs_options){ .tail = -1, .timestamps = true };
	bench_log_open(bench, &log, task, &options);
	bench_log_wait(bench, &log);
	assert_non_null(strstr(text_string(&log.streams[1]), "Z one\n"));
	bench_log_release(&log);
	options = (struct runtime_logs_options){ .tail = -1,
						 .since_wall_ms = shell_wall_ms() + 60000 };
	bench_log_open(bench, &log, task, &options);
	bench_log_wait(bench, &log);
	assert_string_equal(text_string(&log.streams[1]), "");
	bench_log_release(&log);
}

static bool has_first_line(struct bench *bench, const void *log)
{
	(void)bench;
	return strcmp(text_string(&((const struct bench_log *)log)->streams[1]), "first\n") == 0;
}

static void a_followed_log_goes_on_until_the_container_ends(void **state)
{
	struct bench *bench = *state;
	struct task_id task = bench_task();
	const struct runtime_logs_options options = { .follow = true, .tail = -1 };
	struct bench_log log, closed;
	struct job_spec spec;
	bench_spec(bench, &spec, "echo first; sleep 1; echo second");
	assert_int_equal(bench_create(bench, task, &spec), FAULT_NONE);
	assert_int_equal(bench_start(bench, task), FAULT_NONE);
	record_release(&job_spec_type, &spec);
	bench_log_open(bench, &log, task, &options);
	bench_log_open(bench, &closed, task, &options);
	bench_until(bench, has_first_line, &log, "the first line");
	assert_false(log.ended);
	bench->ops->logs_close(closed.logs);
	bench_log_wait(bench, &log);
	assert_int_equal(log.err.code, ERR_NONE);
	assert_string_equal(text_string(&log.streams[1]), "first\nsecond\n");
	assert_false(closed.ended);
	bench_log_release(&log);
	bench_log_release(&closed);
}

static void the_log_of_nothing_is_not_found(void **state)
{
	struct bench *bench = *state;
	const struct runtime_logs_options options = { .tail = -1 };
	struct bench_log log;
	bench_log_open(bench, &log, bench_task(), &options);
	assert_false(log.ended);
	bench_log_wait(bench, &log);
	assert_int_equal(log.err.code, ERR_NOT_FOUND);
	bench_log_release(&log);
}

/* ---- */

/* ---- beside its own command ---- */

static const struct container_result *run_hook(struct bench *bench, struct task_id task,
					       const char *script)
{
	struct hook hook = { 0 };
	strings_add(&hook.command, "sh");
	strings_add(&hook.command, "-c");
	strings_add(&hook.command, script);
	struct container_action action = bench_action(bench, CONTAINER_EXEC, task, 1);
	action.hook = &hook;
	const struct container_result *result = bench_do(bench, &action);
	record_release(&hook_type, &hook);
	return result;
}

static void a_hook_is_run_and_its_status_told(void **state)
{
	struct bench *bench = *state;
	struct task_id task = bench_task();
	struct job_spec spec;
	bench_spec(bench, &spec, NULL);
	assert_int_equal(run_hook(bench, task, "true")->fault, FAULT_NOT_FOUND);
	assert_int_equal(bench_create(bench, task, &spec), FAULT_NONE);
	assert_int_equal(run_hook(bench, task, "true")->fault, FAULT_CONFLICT);
	assert_int_equal(bench_start(bench, task), FAULT_NONE);
	assert_int_equal(run_hook(bench, task, "true")->fault, FAULT_NONE);
	const struct container_result *result = run_hook(bench, task, "echo no luck >&2; exit 3");
	assert_int_equal(result->fault, FAULT_HOOK_FAILED);
	assert_string_equal(result->message, "exited with status 3: no luck");
	struct hook frob = { 0 };
	strings_add(&frob.command, "frob");
	struct container_action action = bench_action(bench, CONTAINER_EXEC, task, 1);
	action.hook = &frob;
	result = bench_do(bench, &action);
	assert_int_equal(result->fault, FAULT_HOOK_FAILED);
	assert_non_null(strstr(result->message, "executable file not found"));
	record_release(&hook_type, &frob);
	record_release(&job_spec_type, &spec);
}

/* What a hook has of its own, and what happens to one that takes too long. */
static void a_hook_has_user_folder_and_variables_of_its_own(void **state)
{
	struct bench *bench = *state;
	struct task_id task = bench_task();
	struct job_spec spec;
	if (!contract_is_real_docker())
		return;
	bench_spec(bench, &spec, NULL);
	string_set(&spec.user, "1000");
	pairs_add(&spec.environment, "A", "a");
	pairs_add(&spec.environment, "B", "b");
	assert_int_equal(bench_create(bench, task, &spec), FAULT_NONE);
	assert_int_equal(bench_start(bench, task), FAULT_NONE);
	struct hook hook = { 0 };
	strings_add(&hook.command, "sh");
	strings_add(&hook.command, "-c");
	strings_add(&hook.command, "echo $(id -u) $(pwd) $A $B; exit 1");
	string_set(&hook.user, "0");
	string_set(&hook.working_dir, "/tmp");
	pairs_add(&hook.environment, "B", "c d");
	struct container_action action = bench_action(bench, CONTAINER_EXEC, task, 1);
	action.hook = &hook;
	assert_string_equal(bench_do(bench, &action)->message,
			    "exited with status 1: 0 /tmp a c d");
	string_set(&hook.command.items[2], "echo begins; sleep 100");
	action.op = ++bench->next_op;
	action.timeout_ms = 700;
	const struct container_result *result = bench_do(bench, &action);
	assert_int_equal(result->fault, FAULT_HOOK_FAILED);
	assert_string_equal(result->message, "did not end within 700ms: begins");
	record_release(&hook_type, &hook);
	record_release(&job_spec_type, &spec);
}

/* ---- from outside ---- */

static int ask(struct bench *bench, struct task_id task, const char *address, struct job_spec *spec,
	       const char *path)
{
	struct container_action action = bench_action(bench, CONTAINER_PROBE, task, 1);
	string_set(&spec->probe->path, path);
	action.spec = spec;
	action.address = address;
	action.timeout_ms = 5000;
	return bench_do(bench, &action)->fault;
}

static void a_server_is_asked_at_its_address(void **state)
{
	struct bench *bench = *state;
	struct task_id task = bench_task();
	struct job_spec spec;
	bench_spec(bench, &spec, "echo ok > /data/ready; httpd -f -p 8080 -h /data");
	struct mount *mount = list_add(&spec.mounts, sizeof(*mount));
	record_init(&mount_type, mount);
	mount->kind = MOUNT_VOLUME;
	string_set(&mount->target, "/data");
	spec.probe = base_calloc(1, sizeof(*spec.probe));
	spec.probe->kind = PROBE_HTTP;
	spec.probe->port = 8080;
	assert_int_equal(bench_create(bench, task, &spec), FAULT_NONE);
	assert_int_equal(bench_start(bench, task), FAULT_NONE);
	struct container_action inspect = bench_action(bench, CONTAINER_INSPECT, task, 1);
	inspect.resource_name = "bridge";
	_cleanup_free_ char *address = base_strdup(bench_do(bench, &inspect)->seen.address);
	assert_non_null(address);
	inspect.op = ++bench->next_op;
	inspect.resource_name = "no-such-network";
	assert_null(bench_do(bench, &inspect)->seen.address);
	/* A socket that is no Docker has no containers that could be reached. */
	for (int i = 0; !contract_is_socket() && ask(bench, task, address, &spec, "/ready"); i++) {
		assert_true(i < 200);
		bench_rest(bench, 50);
	}
	if (!contract_is_socket())
		assert_int_equal(ask(bench, task, address, &spec, "/absent"), FAULT_CHECK_FAILED);
	spec.probe->port = 8081;
	assert_int_equal(ask(bench, task, address, &spec, "/ready"), FAULT_CHECK_FAILED);
	assert_int_equal(bench_kill(bench, task, "SIGKILL"), FAULT_NONE);
	record_release(&job_spec_type, &spec);
}

const struct CMUnitTest contract_inside_tests[] = {
	cmocka_unit_test(a_container_is_what_its_specification_says),
	cmocka_unit_test(a_bind_source_that_may_be_made_is_made),
	cmocka_unit_test(what_a_container_uses_is_told_from_its_second_reading),
	cmocka_unit_test(logs_come_apart_by_stream_and_end),
	cmocka_unit_test(the_tail_of_a_log_is_its_last_lines),
	cmocka_unit_test(a_followed_log_goes_on_until_the_container_ends),
	cmocka_unit_test(the_log_of_nothing_is_not_found),
	cmocka_unit_test(a_hook_is_run_and_its_status_told),
	cmocka_unit_test(a_hook_has_user_folder_and_variables_of_its_own),
	cmocka_unit_test(a_server_is_asked_at_its_address),
};
const size_t n_contract_inside_tests = ARRAY_LEN(contract_inside_tests);
