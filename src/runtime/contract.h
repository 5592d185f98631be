/* A bench for tests of runtimes: one runtime on one loop, actions that are waited for. Every wait has an end: a
 * runtime that does not answer fails the test instead of hanging it. */
#ifndef RUNTIME_CONTRACT_H
#define RUNTIME_CONTRACT_H

#include "runtime/runtime.h"

#define BENCH_WAIT_MS	  60000
#define BENCH_RESULTS_MAX 64

struct bench {
	struct event_base *base;
	const struct runtime_ops *ops;
	struct runtime *runtime;
	struct uuid cluster;
	const char *image; /* present, with a shell */
	uint64_t next_op;
	/* What was heard. */
	int ups, downs;
	uint64_t instance;
	char why_down[512];
	char version[64];
	struct container_result results[BENCH_RESULTS_MAX]; /* by op modulo */
	bool answered[BENCH_RESULTS_MAX];
	struct strings hints;
	struct strings progress;
	size_t pullings; /* pulls that asked a registry because the image was not there */
	bool waiting_is_over;
};

void bench_open(struct bench *bench, const struct runtime_ops *ops,
		const struct runtime_options *options, const char *image);
void bench_close(struct bench *bench);

/* Run the loop until `done` says so; fails the test after BENCH_WAIT_MS. */
void bench_until(struct bench *bench, bool (*done)(struct bench *bench, const void *what),
		 const void *what, const char *name);
void bench_until_up(struct bench *bench, int ups);
void bench_until_down(struct bench *bench, int downs);
/* Until a hint about the container came; forgets those heard. */
void bench_until_hint(struct bench *bench, const char *container);
/* Run the loop for so long. */
void bench_rest(struct bench *bench, int64_t duration_ms);

/* An action with everything but the verb's own filled in: a fresh op, our cluster, one minute. */
struct container_action bench_action(struct bench *bench, int verb, struct task_id task,
				     int64_t attempt);
uint64_t bench_submit(struct bench *bench, const struct container_action *action);
/* Submit and wait. The result lives until BENCH_RESULTS_MAX further actions. */
const struct container_result *bench_do(struct bench *bench, const struct container_action *action);
const struct container_result *bench_wait(struct bench *bench, uint64_t op);

struct task_id bench_task(void);

/* A new empty folder below /tmp, and its removal with all that is in it. */
void bench_folder_make(char out[64]);
void bench_folder_remove(const char *folder);

/* A specification: the bench's image running `sh -c SCRIPT`; SCRIPT NULL: `sleep 1000`. */
void bench_spec(struct bench *bench, struct job_spec *spec, const char *script);
/* Verbs in short, for the container of a task's first attempt. They return the fault. */
int bench_create(struct bench *bench, struct task_id task, const struct job_spec *spec);
int bench_start(struct bench *bench, struct task_id task);
int bench_kill(struct bench *bench, struct task_id task, const char *signal);
int bench_remove(struct bench *bench, struct task_id task);
const struct container_seen *bench_inspect(struct bench *bench, struct task_id task);
/* Inspect until it is in that state. */
const struct container_seen *bench_until_state(struct bench *bench, struct task_id task, int state);
/* Create and start a container of the script and wait for its end. */
const struct container_seen *bench_run(struct bench *bench, struct task_id task,
				       const struct job_spec *spec);

/* A whole log, read to its end; bench_log_text() of one stream. */
struct bench_log {
	struct text streams[3];
	bool ended;
	struct err err; /* code ERR_NONE: ended well */
	struct runtime_logs *logs;
};
void bench_log_open(struct bench *bench, struct bench_log *log, struct task_id task,
		    const struct runtime_logs_options *options);
void bench_log_wait(struct bench *bench, struct bench_log *log);
void bench_log_release(struct bench_log *log);

#endif
