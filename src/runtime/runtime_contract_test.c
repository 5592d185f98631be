/* What every runtime must do, run against each of them:
 *
 *     runtime_contract_test fake | fault | docker | SOCKET
 *
 * `docker` is the daemon behind /var/run/docker.sock; without one, or without the image, the suite is skipped, or
 * fails when DROVER_TEST_DOCKER=1. SOCKET is any other socket that speaks Docker's API (the fake server). The image
 * must hold a shell: DROVER_TEST_IMAGE, "drover-demo/busybox:1" where nothing is said (tools/make-images makes it). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "net/shell.h"
#include "net/socket.h"
#include "runtime/contract_tests.h"

#define SKIPPED 77

static const char *target; /* the program's argument */
static struct bench shared;
static bool image_is_missing;

static const char *test_image(void)
{
	const char *image = getenv("DROVER_TEST_IMAGE");
	return image && *image ? image : "drover-demo/busybox:1";
}

static void open_target(struct bench *bench)
{
	struct runtime_options options = { .socket_path = "/var/run/docker.sock" };
	const char *name = "docker";
	if (strcmp(target, "fake") == 0 || strcmp(target, "fault") == 0)
		name = target;
	else if (target[0] == '/')
		options.socket_path = target;
	bench_open(bench, runtime_find(name), &options, test_image());
	bench_until_up(bench, 1);
}

bool contract_is_real_docker(void)
{
	return strcmp(target, "docker") == 0;
}

bool contract_is_socket(void)
{
	return target[0] == '/';
}

int contract_pull(struct bench *bench, const char *image, int policy, const char **ret_message)
{
	struct job_spec spec;
	bench_spec(bench, &spec, NULL);
	string_set(&spec.image, image);
	spec.pull_policy = policy;
	struct container_action action = bench_action(bench, CONTAINER_PULL, bench_task(), 1);
	action.spec = &spec;
	const struct container_result *result = bench_do(bench, &action);
	record_release(&job_spec_type, &spec);
	if (ret_message)
		*ret_message = result->message;
	return result->fault;
}

const struct container_result *contract_list(struct bench *bench, bool ended)
{
	struct container_action action = { .op = ++bench->next_op,
					   .verb = CONTAINER_LIST,
					   .cluster = bench->cluster,
					   .ended = ended,
					   .timeout_ms = 30000 };
	return bench_do(bench, &action);
}

void contract_add_bind(struct job_spec *spec, const char *source, bool create_host_path)
{
	struct mount *mount = list_add(&spec->mounts, sizeof(*mount));
	record_init(&mount_type, mount);
	mount->kind = MOUNT_BIND;
	mount->create_host_path = create_host_path;
	string_set(&mount->source, source);
	string_set(&mount->target, "/here");
}

static int group_setup(void **state)
{
	open_target(&shared);
	*state = &shared;
	/* Real Docker has it already; the others can pull whatever they are asked for. */
	int policy = contract_is_real_docker() ? PULL_NEVER : PULL_MISSING;
	if (contract_pull(&shared, shared.image, policy, NULL) == FAULT_NONE)
		return 0;
	print_message("there is no image %s: tools/make-images makes it\n", shared.image);
	image_is_missing = true;
	return -1;
}

/* Nothing of a run stays behind, whatever failed. */
static int group_teardown(void **state)
{
	struct bench *bench = *state;
	const struct container_result *listed = contract_list(bench, false);
	size_t n = listed->n_list;
	struct task_id *tasks = base_calloc(n + 1, sizeof(*tasks));
	int64_t *attempts = base_calloc(n + 1, sizeof(*attempts));
	for (size_t i = 0; i < n; i++) {
		tasks[i] = listed->list[i].task;
		attempts[i] = listed->list[i].attempt;
	}
	for (size_t i = 0; i < n; i++) {
		struct container_action kill =
			bench_action(bench, CONTAINER_KILL, tasks[i], attempts[i]);
		kill.signal = "SIGKILL";
		bench_do(bench, &kill);
		struct container_action remove =
			bench_action(bench, CONTAINER_REMOVE, tasks[i], attempts[i]);
		remove.with_volumes = true;
		while (bench_do(bench, &remove)->fault == FAULT_CONFLICT) {
			bench_rest(bench, 50);
			remove.op = ++bench->next_op;
		}
	}
	base_free(tasks);
	base_free(attempts);
	struct strings networks = { 0 };
	listed = contract_list(bench, false);
	for (size_t i = 0; i < listed->networks.n; i++)
		strings_add(&networks, listed->networks.items[i]);
	for (size_t i = 0; i < networks.n; i++) {
		struct container_action remove =
			bench_action(bench, CONTAINER_NETWORK_REMOVE, (struct task_id){ 0 }, 1);
		remove.resource_name = networks.items[i];
		bench_do(bench, &remove);
	}
	strings_release(&networks);
	bench_close(bench);
	return 0;
}

static bool docker_answers(void)
{
	int fd;
	if (socket_dial("/var/run/docker.sock", &fd, NULL) != ERR_NONE)
		return false;
	close(fd);
	return true;
}

static void add_tests(struct CMUnitTest *tests, size_t *n, const struct CMUnitTest *more,
		      size_t n_more)
{
	for (size_t i = 0; i < n_more; i++)
		tests[(*n)++] = more[i];
}

int main(int argc, char **argv)
{
	const char *must = getenv("DROVER_TEST_DOCKER");
	bool must_run = must && strcmp(must, "1") == 0;
	target = argc > 1 ? argv[1] : "fake";
	if (contract_is_real_docker() && !docker_answers()) {
		if (must_run) {
			print_error("DROVER_TEST_DOCKER=1 and no Docker at /var/run/docker.sock\n");
			return 1;
		}
		print_message("skipped: no Docker at /var/run/docker.sock\n");
		return SKIPPED;
	}
	struct CMUnitTest tests[100];
	size_t n = 0;
	add_tests(tests, &n, contract_life_tests, n_contract_life_tests);
	add_tests(tests, &n, contract_world_tests, n_contract_world_tests);
	add_tests(tests, &n, contract_inside_tests, n_contract_inside_tests);
	int failed = _cmocka_run_group_tests("contract", tests, n, group_setup, group_teardown);
	return image_is_missing && !must_run ? SKIPPED : failed;
}
