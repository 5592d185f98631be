/* Why an attempt ended, and why a start cannot succeed: reason and sentence.
 *
 * 1. Success is only exit_zero: exited 0, no signal from us, neither Docker nor the machine went
 *    down (DESIGN 2).
 * 2. What happened while Docker or the machine went down says nothing about the container:
 *    interrupted.
 * 3. A sentence has the numbers and names in it, and the runtime's own words at its end. */
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "worker/worker_int.h"

/* ---- ends ---- */

/* Numbers as on every Linux; a shell or Docker reports 128 + number. */
static const struct enum_name signal_names[] = {
	{ 1, "SIGHUP" },   { 2, "SIGINT" },   { 3, "SIGQUIT" },	 { 4, "SIGILL" },
	{ 5, "SIGTRAP" },  { 6, "SIGABRT" },  { 7, "SIGBUS" },	 { 8, "SIGFPE" },
	{ 9, "SIGKILL" },  { 10, "SIGUSR1" }, { 11, "SIGSEGV" }, { 12, "SIGUSR2" },
	{ 13, "SIGPIPE" }, { 14, "SIGALRM" }, { 15, "SIGTERM" }, { 24, "SIGXCPU" },
	{ 25, "SIGXFSZ" }, { 31, "SIGSYS" },  { 0, NULL },
};

static const char *signal_of_exit(int64_t exit_code)
{
	for (const struct enum_name *at = signal_names; at->name; at++)
		if (exit_code == 128 + at->value)
			return at->name;
	return NULL;
}

static struct verdict interrupted(const char *by)
{
	return (struct verdict){ REASON_INTERRUPTED, worker_sentence("interrupted: %s", by) };
}

static struct verdict judge_memory(const struct worker_task *task)
{
	int64_t limit = task->template ? task->template->sync.spec.limits.memory_bytes : 0;
	if (!limit)
		return (struct verdict){ REASON_OOM_KILLED,
					 worker_sentence("killed: the machine ran out of memory") };
	struct text text;
	text_init(&text, LIMIT_NAME_BYTES);
	text_add_size(&text, limit);
	struct verdict verdict = {
		REASON_OOM_KILLED,
		worker_sentence("killed: used more than its memory limit of %s",
				text_string(&text)),
	};
	text_release(&text);
	return verdict;
}

static struct verdict judge_exit(const struct worker_task *task)
{
	const struct worker_doing *doing = worker_doing(task);
	long long exit_code = doing->seen.exit_code;
	if (exit_code == 0)
		return (struct verdict){ REASON_EXIT_ZERO,
					 worker_sentence("exited with status 0") };
	if (doing->seen.oom_killed)
		return judge_memory(task);
	const char *signal = signal_of_exit(exit_code);
	if (signal)
		return (struct verdict){ REASON_SIGNALLED,
					 worker_sentence("killed by %s (exit %lld)", signal,
							 exit_code) };
	char *tail = worker_words_tail(doing->seen.error);
	struct verdict verdict = { REASON_EXIT_NONZERO,
				   worker_sentence("exited with status %lld%s", exit_code, tail) };
	base_free(tail);
	return verdict;
}

struct verdict worker_judge_end(const struct worker *worker, const struct worker_task *task)
{
	bool exited = task->container == CONTAINER_EXITED;
	uint64_t instance = exited ? worker_task_seen_instance(task) : worker->daemon_instance;
	if (task->attempt_signalled == task->observed.attempt) {
		if (task->ending_reason)
			return (struct verdict){ task->ending_reason,
						 base_strdup(worker_rare(task)->ending_message) };
		return (struct verdict){ REASON_STOPPED, worker_stop_told(task) };
	}
	if (task->machine_restarted)
		return interrupted("the machine was restarted");
	if (task->daemon_instance && (uint64_t)task->daemon_instance != instance)
		return interrupted("Docker was restarted");
	if (!exited)
		return (struct verdict){ REASON_VANISHED,
					 worker_sentence(
						 "its container was removed by somebody else") };
	return judge_exit(task);
}

/* ---- faults of a start ---- */

static const char *image_of(const struct worker_task *task)
{
	return task->template && task->template->sync.spec.image ? task->template->sync.spec.image
								 : "?";
}

/* Does the text hold this number, not as part of a longer one? */
static bool holds_number(const char *text, const char *number)
{
	size_t len = strlen(number);
	for (const char *at = strstr(text, number); at; at = strstr(at + 1, number)) {
		bool starts = at == text || at[-1] < '0' || at[-1] > '9';
		bool ends = at[len] < '0' || at[len] > '9';
		if (starts && ends)
			return true;
	}
	return false;
}

static char *tell_port(const struct worker_task *task, const char *words, const char *tail)
{
	const struct worker_rare *rare = worker_rare(task);
	struct text ports;
	text_init(&ports, LIMIT_NAME_BYTES);
	size_t n = 0;
	for (size_t i = 0; i < rare->ports.n; i++) {
		char number[24];
		text_print(number, sizeof(number), "%lld",
			   (long long)rare->ports.items[i].host_port);
		if (words && holds_number(words, number)) {
			text_release(&ports);
			/* All that the words say besides is the endpoint's id. */
			return worker_sentence("host port %s is taken on this machine", number);
		}
		text_addf(&ports, "%s%s", n++ ? ", " : "", number);
	}
	char *told =
		n == 1 ? worker_sentence("host port %s is taken on this machine%s",
					 text_string(&ports), tail)
		       : worker_sentence("one of its host ports (%s) is taken on this machine%s",
					 text_string(&ports), tail);
	text_release(&ports);
	return told;
}

static char *tell_command(const struct worker_task *task, const char *tail)
{
	const struct job_spec *spec = task->template ? &task->template->sync.spec : NULL;
	const char *command = NULL;
	if (spec && spec->has_entrypoint && spec->entrypoint.n)
		command = spec->entrypoint.items[0];
	else if (spec && spec->has_command && spec->command.n)
		command = spec->command.items[0];
	if (command)
		return worker_sentence("command \"%s\" not found in image %s%s", command,
				       image_of(task), tail);
	return worker_sentence("the command of image %s not found%s", image_of(task), tail);
}

static char *tell_mount(const struct worker_task *task, const struct container_result *result,
			const char *tail)
{
	if (result->verb == CONTAINER_VOLUME_ENSURE)
		return worker_sentence("volume %s cannot be used on this machine%s",
				       worker_doing(task)->resource_name, tail);
	if (result->verb == CONTAINER_FILES)
		return worker_sentence("its configs and secrets cannot be put on this machine%s",
				       tail);
	const struct job_spec *spec = task->template ? &task->template->sync.spec : NULL;
	for (size_t i = 0; spec && i < spec->mounts.n; i++) {
		const struct mount *mount = &spec->mounts.items[i];
		bool named =
			result->message && mount->source && strstr(result->message, mount->source);
		if (mount->source && mount->target && (named || spec->mounts.n == 1))
			return worker_sentence("cannot mount %s at %s%s", mount->source,
					       mount->target, tail);
	}
	return worker_sentence("a mount failed%s", tail);
}

static bool is_missing_resource(const struct container_result *result)
{
	return result->fault == FAULT_NOT_FOUND && (result->verb == CONTAINER_NETWORK_ENSURE ||
						    result->verb == CONTAINER_VOLUME_ENSURE);
}

static struct verdict judge_resource(const struct worker_task *task,
				     const struct container_result *result, const char *tail)
{
	const struct worker_doing *doing = worker_doing(task);
	if (result->verb == CONTAINER_VOLUME_ENSURE)
		return (struct verdict){ REASON_MOUNT_FAILED,
					 worker_sentence(
						 "volume %s does not exist on this machine%s",
						 doing->resource_name, tail) };
	return (struct verdict){ REASON_START_FAILED,
				 worker_sentence("network %s does not exist on this machine%s",
						 doing->resource_name, tail) };
}

static struct verdict judge_named(const struct worker_task *task,
				  const struct container_result *result, const char *tail)
{
	switch (result->fault) {
	case FAULT_IMAGE_NOT_FOUND:
		return (struct verdict){ REASON_IMAGE_NOT_FOUND,
					 worker_sentence("image %s not found%s", image_of(task),
							 tail) };
	case FAULT_PULL_FAILED:
		return (struct verdict){ REASON_PULL_FAILED,
					 worker_sentence("cannot pull image %s%s", image_of(task),
							 tail) };
	case FAULT_PORT_TAKEN:
		return (struct verdict){ REASON_PORT_TAKEN,
					 tell_port(task, result->message, tail) };
	case FAULT_COMMAND_NOT_FOUND:
		return (struct verdict){ REASON_COMMAND_NOT_FOUND, tell_command(task, tail) };
	case FAULT_MOUNT_FAILED:
		return (struct verdict){ REASON_MOUNT_FAILED, tell_mount(task, result, tail) };
	case FAULT_POLICY:
		return (struct verdict){
			REASON_POLICY, worker_sentence("refused by the machine's policy%s", tail)
		};
	case FAULT_REFUSED:
		return (struct verdict){ REASON_SPEC_REFUSED,
					 worker_sentence("Docker refuses this container%s", tail) };
	default: return (struct verdict){ REASON_NONE, NULL };
	}
}

struct verdict worker_judge_fault(const struct worker_task *task,
				  const struct container_result *result)
{
	char *tail = worker_words_tail(result->message);
	struct verdict verdict = is_missing_resource(result) ? judge_resource(task, result, tail)
							     : judge_named(task, result, tail);
	base_free(tail);
	return verdict;
}

struct verdict worker_judge_fault_last(const struct worker_task *task,
				       const struct container_result *result)
{
	char *tail = worker_words_tail(result->message);
	struct verdict verdict = { REASON_START_FAILED, NULL };
	if (result->verb == CONTAINER_PULL) {
		verdict.reason = REASON_PULL_FAILED;
		verdict.message = worker_sentence("cannot pull image %s%s", image_of(task), tail);
	} else if (result->verb == CONTAINER_VOLUME_ENSURE) {
		verdict.reason = REASON_MOUNT_FAILED;
		verdict.message = tell_mount(task, result, tail);
	} else {
		verdict.message =
			worker_sentence("could not start in %d tries%s", START_TRIES_MAX, tail);
	}
	base_free(tail);
	return verdict;
}
