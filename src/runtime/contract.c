#include "runtime/contract.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "net/shell.h"

static void on_done(void *shell, struct container_result *result)
{
	struct bench *bench = shell;
	size_t at = result->op % BENCH_RESULTS_MAX;
	struct container_result *kept = &bench->results[at];
	assert_false(bench->answered[at]); /* every action is answered once */
	container_result_release(kept);
	container_result_take(kept, result);
	bench->answered[at] = true;
}

static void on_up(void *shell, uint64_t daemon_instance, const struct runtime_facts *facts)
{
	struct bench *bench = shell;
	bench->ups++;
	bench->instance = daemon_instance;
	text_print(bench->version, sizeof(bench->version), "%s", facts->version);
}

static void on_down(void *shell, const char *why)
{
	struct bench *bench = shell;
	bench->downs++;
	text_print(bench->why_down, sizeof(bench->why_down), "%s", why);
}

static void on_hint(void *shell, const char *container_name)
{
	strings_add(&((struct bench *)shell)->hints, container_name);
}

static void on_pulling(void *shell, uint64_t op)
{
	(void)op;
	((struct bench *)shell)->pullings++;
}

static void on_progress(void *shell, uint64_t op, const char *text)
{
	(void)op;
	strings_add(&((struct bench *)shell)->progress, text);
}

static const struct runtime_events bench_events = {
	.done = on_done,
	.up = on_up,
	.down = on_down,
	.hint = on_hint,
	.pulling = on_pulling,
	.progress = on_progress,
};

void bench_open(struct bench *bench, const struct runtime_ops *ops,
		const struct runtime_options *options, const char *image)
{
	struct random random = { .state = shell_seed() };
	struct runtime_options with_cluster = *options;
	struct err err = { 0 };
	if (!bench->base)
		bench->base = event_base_new();
	bench->ops = ops;
	bench->image = image;
	bench->cluster = uuid_make(&random, shell_wall_ms());
	with_cluster.cluster = bench->cluster;
	if (ops->open(bench->base, &with_cluster, &bench_events, bench, &bench->runtime, &err))
		fail_msg("open: %s", err.message);
}

void bench_close(struct bench *bench)
{
	bench->ops->close(bench->runtime);
	for (size_t i = 0; i < BENCH_RESULTS_MAX; i++)
		container_result_release(&bench->results[i]);
	strings_release(&bench->hints);
	strings_release(&bench->progress);
	event_base_free(bench->base);
	*bench = (struct bench){ 0 };
}

static void on_tick(evutil_socket_t fd, short what, void *argument)
{
	(void)fd, (void)what, (void)argument;
}

void bench_until(struct bench *bench, bool (*done)(struct bench *bench, const void *what),
		 const void *what, const char *name)
{
	int64_t give_up_ms = shell_now_ms() + BENCH_WAIT_MS;
	struct event *tick = event_new(bench->base, -1, EV_PERSIST, on_tick, NULL);
	const struct timeval often = { 0, 50000 };
	event_add(tick, &often);
	while (!done(bench, what) && shell_now_ms() < give_up_ms)
		event_base_loop(bench->base, EVLOOP_ONCE);
	event_free(tick);
	if (!done(bench, what))
		fail_msg("waited in vain: %s", name);
}

static bool is_up(struct bench *bench, const void *ups)
{
	return bench->ups >= *(const int *)ups;
}

void bench_until_up(struct bench *bench, int ups)
{
	bench_until(bench, is_up, &ups, "the runtime is up");
}

static bool is_down(struct bench *bench, const void *downs)
{
	return bench->downs >= *(const int *)downs;
}

void bench_until_down(struct bench *bench, int downs)
{
	bench_until(bench, is_down, &downs, "the runtime is down");
}

static bool has_hint(struct bench *bench, const void *container)
{
	return strings_has(&bench->hints, container);
}

void bench_until_hint(struct bench *bench, const char *container)
{
	bench_until(bench, has_hint, container, "a hint");
	strings_release(&bench->hints);
}

static bool is_past(struct bench *bench, const void *time_ms)
{
	(void)bench;
	return shell_now_ms() >= *(const int64_t *)time_ms;
}

void bench_rest(struct bench *bench, int64_t duration_ms)
{
	int64_t time_ms = shell_now_ms() + duration_ms;
	bench_until(bench, is_past, &time_ms, "time");
}

struct task_id bench_task(void)
{
	struct random random = { .state = shell_seed() };
	return (struct task_id){ uuid_make(&random, shell_wall_ms()) };
}

void bench_folder_make(char out[64])
{
	text_print(out, 64, "/tmp/drover-test-XXXXXX");
	assert_non_null(mkdtemp(out));
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status, (void)kind, (void)place;
	return remove(path);
}

void bench_folder_remove(const char *folder)
{
	assert_int_equal(nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

struct container_action bench_action(struct bench *bench, int verb, struct task_id task,
				     int64_t attempt)
{
	struct container_action action = {
		.op = ++bench->next_op,
		.verb = verb,
		.timeout_ms = BENCH_WAIT_MS - 5000,
		.project = "contract",
		.job = "service",
		.cluster = bench->cluster,
		.task = task,
		.revision = 1,
		.slot = 1,
		.attempt = attempt,
	};
	container_name(task, attempt, action.name);
	return action;
}

uint64_t bench_submit(struct bench *bench, const struct container_action *action)
{
	bench->answered[action->op % BENCH_RESULTS_MAX] = false;
	bench->ops->submit(bench->runtime, action);
	/* Never from inside the call. */
	assert_false(bench->answered[action->op % BENCH_RESULTS_MAX]);
	return action->op;
}

static bool is_answered(struct bench *bench, const void *op)
{
	return bench->answered[*(const uint64_t *)op % BENCH_RESULTS_MAX];
}

const struct container_result *bench_wait(struct bench *bench, uint64_t op)
{
	bench_until(bench, is_answered, &op, "an answer");
	return &bench->results[op % BENCH_RESULTS_MAX];
}

const struct container_result *bench_do(struct bench *bench, const struct container_action *action)
{
	return bench_wait(bench, bench_submit(bench, action));
}

void bench_spec(struct bench *bench, struct job_spec *spec, const char *script)
{
	record_init(&job_spec_type, spec);
	string_set(&spec->image, bench->image);
	spec->pull_policy = PULL_NEVER;
	spec->has_command = true;
	strings_add(&spec->command, script ? "sh" : "sleep");
	strings_add(&spec->command, script ? "-c" : "1000");
	if (script)
		strings_add(&spec->command, script);
}

int bench_create(struct bench *bench, struct task_id task, const struct job_spec *spec)
{
	struct container_action action = bench_action(bench, CONTAINER_CREATE, task, 1);
	action.spec = spec;
	return bench_do(bench, &action)->fault;
}

int bench_start(struct bench *bench, struct task_id task)
{
	struct container_action action = bench_action(bench, CONTAINER_START, task, 1);
	return bench_do(bench, &action)->fault;
}

int bench_kill(struct bench *bench, struct task_id task, const char *signal)
{
	struct container_action action = bench_action(bench, CONTAINER_KILL, task, 1);
	action.signal = signal;
	return bench_do(bench, &action)->fault;
}

int bench_remove(struct bench *bench, struct task_id task)
{
	struct container_action action = bench_action(bench, CONTAINER_REMOVE, task, 1);
	action.with_volumes = true;
	return bench_do(bench, &action)->fault;
}

const struct container_seen *bench_inspect(struct bench *bench, struct task_id task)
{
	struct container_action action = bench_action(bench, CONTAINER_INSPECT, task, 1);
	return &bench_do(bench, &action)->seen;
}

const struct container_seen *bench_until_state(struct bench *bench, struct task_id task, int state)
{
	int64_t give_up_ms = shell_now_ms() + BENCH_WAIT_MS;
	while (shell_now_ms() < give_up_ms) {
		const struct container_seen *seen = bench_inspect(bench, task);
		if (seen->state == state)
			return seen;
		bench_rest(bench, 20);
	}
	fail_msg("the container never became %s", enum_name(container_state_names, state));
	return NULL;
}

const struct container_seen *bench_run(struct bench *bench, struct task_id task,
				       const struct job_spec *spec)
{
	assert_int_equal(bench_create(bench, task, spec), FAULT_NONE);
	assert_int_equal(bench_start(bench, task), FAULT_NONE);
	return bench_until_state(bench, task, CONTAINER_EXITED);
}

static void on_log_bytes(void *reader, int stream, const void *bytes, size_t len)
{
	struct bench_log *log = reader;
	assert_in_range(stream, 1, 2);
	text_add_bytes(&log->streams[stream], bytes, len);
}

static void on_log_end(void *reader, const struct err *err)
{
	struct bench_log *log = reader;
	assert_false(log->ended);
	log->ended = true;
	if (err)
		log->err = *err;
}

static const struct runtime_logs_events log_events = { .bytes = on_log_bytes, .end = on_log_end };

void bench_log_open(struct bench *bench, struct bench_log *log, struct task_id task,
		    const struct runtime_logs_options *options)
{
	char name[CONTAINER_NAME_SIZE];
	*log = (struct bench_log){ 0 };
	for (int i = 0; i < 3; i++)
		text_init(&log->streams[i], 1024 * 1024);
	container_name(task, 1, name);
	log->logs = bench->ops->logs_open(bench->runtime, name, options, &log_events, log);
}

static bool is_log_ended(struct bench *bench, const void *log)
{
	(void)bench;
	return ((const struct bench_log *)log)->ended;
}

void bench_log_wait(struct bench *bench, struct bench_log *log)
{
	bench_until(bench, is_log_ended, log, "the end of a log");
}

void bench_log_release(struct bench_log *log)
{
	for (int i = 0; i < 3; i++)
		text_release(&log->streams[i]);
}
