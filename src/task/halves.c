/* A task as the manager's world holds it, and the records it is made from and gives; its observed half is what a worker
 * holds as well.
 *
 * Invariants: a record that is taken and got again is the same (halves_test.c tries it with all that the tables allow);
 * rare is NULL or holds something that is not zero, but between task_make_rare() and task_tidy(). */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "task/task.h"

_Static_assert(offsetof(struct task, desired.id) == 0, "an index by id finds it there");
_Static_assert(REASON_COUNT <= UINT8_MAX, "a half holds a reason in one byte");

#define DOCKER_ID_BYTES sizeof(((struct observed_half *)0)->docker_id)

static const struct task_rare no_rare;

/* What workers say of the tasks that are well. */
static char usual_messages[][32] = { "", "running", "starting", "waits to be started",
				     "exited with status 0" };

const struct task_rare *task_rare(const struct task *task)
{
	return task->rare ? task->rare : &no_rare;
}

struct task_rare *task_make_rare(struct task *task)
{
	if (!task->rare)
		task->rare = base_calloc(1, sizeof(*task->rare));
	return task->rare;
}

void task_tidy(struct task *task)
{
	if (!task->rare || memcmp(task->rare, &no_rare, sizeof(no_rare)) != 0)
		return;
	base_free(task->rare);
	task->rare = NULL;
}

void task_take_ports(struct task *task, struct port_grant *items, size_t n)
{
	struct task_rare *rare = task_make_rare(task);
	base_free(rare->ports.items);
	rare->ports.items = items;
	rare->ports.n = n;
	task_tidy(task);
}

/* ---- the container's id -------------------------------------------------------------------------------- */

/* What a digit stands for, and 1; 0: it is none. */
static const uint8_t digit_values[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

static bool read_docker_id(const char *string, uint8_t bytes[DOCKER_ID_BYTES])
{
	if (!string || strnlen(string, 2 * DOCKER_ID_BYTES + 1) != 2 * DOCKER_ID_BYTES)
		return false;
	for (size_t i = 0; i < DOCKER_ID_BYTES; i++) {
		unsigned high = digit_values[(uint8_t)string[2 * i]];
		unsigned low = digit_values[(uint8_t)string[2 * i + 1]];
		if (!high || !low)
			return false;
		bytes[i] = (uint8_t)((high - 1) << 4 | (low - 1));
	}
	return true;
}

/* Each byte's two digits. */
// clang-format off
#define SIXTEEN(h) \
	h "0" h "1" h "2" h "3" h "4" h "5" h "6" h "7" h "8" h "9" h "a" h "b" h "c" h "d" h "e" h "f"
static const char bytes_as_text[] =
	SIXTEEN("0") SIXTEEN("1") SIXTEEN("2") SIXTEEN("3") SIXTEEN("4") SIXTEEN("5") SIXTEEN("6") SIXTEEN("7")
	SIXTEEN("8") SIXTEEN("9") SIXTEEN("a") SIXTEEN("b") SIXTEEN("c") SIXTEEN("d") SIXTEEN("e") SIXTEEN("f");
// clang-format on

static char *write_docker_id(const uint8_t bytes[DOCKER_ID_BYTES], char *out)
{
	for (size_t i = 0; i < DOCKER_ID_BYTES; i++)
		memcpy(out + 2 * i, bytes_as_text + 2 * bytes[i], 2);
	out[2 * DOCKER_ID_BYTES] = '\0';
	return out;
}

char *observed_half_container_id(const struct observed_half *half, char *otherwise,
				 char container_id[TASK_CONTAINER_ID_SIZE])
{
	return half->has_docker_id ? write_docker_id(half->docker_id, container_id) : otherwise;
}

char *observed_half_take_container_id(struct observed_half *half, char *container_id)
{
	half->has_docker_id = read_docker_id(container_id, half->docker_id);
	if (!half->has_docker_id)
		return container_id;
	base_free(container_id);
	return NULL;
}

/* ---- messages ------------------------------------------------------------------------------------------ */

static uint8_t usual_message(const char *message)
{
	for (size_t i = 1; message && i < ARRAY_LEN(usual_messages); i++)
		if (strcmp(usual_messages[i], message) == 0)
			return (uint8_t)i;
	return 0;
}

char *observed_half_message(const struct observed_half *half, char *otherwise)
{
	return half->usual_message ? usual_messages[half->usual_message] : otherwise;
}

char *observed_half_take_message(struct observed_half *half, char *message)
{
	half->usual_message = usual_message(message);
	if (!half->usual_message)
		return message;
	base_free(message);
	return NULL;
}

static char *observed_message(const struct task *task)
{
	return observed_half_message(&task->observed, task_rare(task)->observed_message);
}

/* ---- records from halves ------------------------------------------------------------------------------- */

void task_get_desired(const struct task *task, struct task_desired *ret_desired)
{
	const struct desired_half *half = &task->desired;
	const struct task_rare *rare = task_rare(task);
	*ret_desired = (struct task_desired){
		.id = half->id,
		.job = *half->job,
		.revision = half->revision,
		.restarts_asked = half->restarts_asked,
		.slot = half->slot,
		.node = half->node,
		.wanted = half->wanted,
		.stop_reason = half->stop_reason,
		.replaces = rare->replaces,
		.start_failures = rare->start_failures,
		.attempts_before = rare->attempts_before,
		.not_before_ms = rare->not_before_ms,
		.created_wall_ms = half->created_wall_ms,
		.scheduled_wall_ms = half->scheduled_wall_ms,
		.verdict = half->verdict,
		.verdict_reason = half->verdict_reason,
		.verdict_message = rare->verdict_message,
		.verdict_wall_ms = rare->verdict_wall_ms,
		.written_off = half->written_off,
		.trial = half->trial,
		.roll = half->roll,
		.move_to = rare->move_to,
		.stop_message = rare->stop_message,
	};
	ret_desired->ports.items = rare->ports.items;
	ret_desired->ports.n = rare->ports.n;
}

void observed_half_get(const struct observed_half *half, const struct observed_apart *apart,
		       char container_id[TASK_CONTAINER_ID_SIZE],
		       struct task_observed *ret_observed)
{
	*ret_observed = (struct task_observed){
		.version = half->version,
		.state = half->state,
		.health = half->health,
		.attempt = half->attempt,
		.attempts_used = half->attempts_used,
		.container_id = observed_half_container_id(half, apart->container_id, container_id),
		.exit_code = half->exit_code,
		.reason = half->reason,
		.message = observed_half_message(half, apart->message),
		.started_wall_ms = half->started_wall_ms,
		.finished_wall_ms = apart->finished_wall_ms,
		.gone = half->gone,
		.removed = half->removed,
	};
}

void task_get_observed(const struct task *task, char container_id[TASK_CONTAINER_ID_SIZE],
		       struct task_observed *ret_observed)
{
	const struct task_rare *rare = task_rare(task);
	struct observed_apart apart = { .container_id = rare->container_id,
					.message = rare->observed_message,
					.finished_wall_ms = rare->finished_wall_ms };
	observed_half_get(&task->observed, &apart, container_id, ret_observed);
	if (task->observed.version)
		ret_observed->task = task->desired.id;
}

bool task_can_hold_desired(const struct task_desired *desired)
{
	return desired->revision <= LIMIT_TASK_COUNT &&
	       desired->restarts_asked <= LIMIT_TASK_COUNT && desired->slot <= LIMIT_TASK_COUNT &&
	       desired->roll <= LIMIT_TASK_COUNT;
}

bool task_can_hold_observed(const struct task_observed *observed)
{
	return observed->attempt <= LIMIT_TASK_COUNT && observed->attempts_used <= LIMIT_TASK_COUNT;
}

static int32_t narrow(int64_t value)
{
	PRE(value >= INT32_MIN && value <= INT32_MAX);
	return (int32_t)value;
}

/* ---- halves from records ------------------------------------------------------------------------------- */

static void drop_rare_desired(struct task_rare *rare)
{
	base_free(rare->ports.items);
	base_free(rare->verdict_message);
	base_free(rare->stop_message);
	rare->ports.items = NULL;
	rare->ports.n = 0;
	rare->verdict_message = NULL;
	rare->stop_message = NULL;
}

static void drop_rare_observed(struct task_rare *rare)
{
	base_free(rare->container_id);
	base_free(rare->observed_message);
	rare->container_id = NULL;
	rare->observed_message = NULL;
}

static void take_rare_desired(struct task *task, struct task_desired *desired)
{
	struct task_rare *rare = task_make_rare(task);
	drop_rare_desired(rare);
	rare->ports.items = desired->ports.items;
	rare->ports.n = desired->ports.n;
	rare->replaces = desired->replaces;
	rare->move_to = desired->move_to;
	rare->start_failures = desired->start_failures;
	rare->attempts_before = desired->attempts_before;
	rare->not_before_ms = desired->not_before_ms;
	rare->verdict_message = desired->verdict_message;
	rare->verdict_wall_ms = desired->verdict_wall_ms;
	rare->stop_message = desired->stop_message;
	task_tidy(task);
}

void task_take_desired(struct task *task, struct task_desired *desired, const struct job_id *job)
{
	PRE(uuid_equal(job->uuid, desired->job.uuid));
	task->desired = (struct desired_half){
		.id = desired->id,
		.job = job,
		.node = desired->node,
		.created_wall_ms = desired->created_wall_ms,
		.scheduled_wall_ms = desired->scheduled_wall_ms,
		.revision = narrow(desired->revision),
		.restarts_asked = narrow(desired->restarts_asked),
		.slot = narrow(desired->slot),
		.roll = narrow(desired->roll),
		.wanted = (uint8_t)desired->wanted,
		.stop_reason = (uint8_t)desired->stop_reason,
		.verdict = (uint8_t)desired->verdict,
		.verdict_reason = (uint8_t)desired->verdict_reason,
		.trial = (uint8_t)desired->trial,
		.written_off = desired->written_off,
	};
	take_rare_desired(task, desired);
	*desired = (struct task_desired){ 0 };
}

void observed_half_take(struct observed_half *half, struct task_observed *observed,
			struct observed_apart *ret_apart)
{
	*half = (struct observed_half){
		.version = observed->version,
		.started_wall_ms = observed->started_wall_ms,
		.attempt = narrow(observed->attempt),
		.attempts_used = narrow(observed->attempts_used),
		.exit_code = narrow(observed->exit_code),
		.state = (uint8_t)observed->state,
		.health = (uint8_t)observed->health,
		.reason = (uint8_t)observed->reason,
		.gone = observed->gone,
		.removed = observed->removed,
	};
	*ret_apart = (struct observed_apart){
		.container_id = observed_half_take_container_id(half, observed->container_id),
		.message = observed_half_take_message(half, observed->message),
		.finished_wall_ms = observed->finished_wall_ms,
	};
	*observed = (struct task_observed){ 0 };
}

void task_take_observed(struct task *task, struct task_observed *observed)
{
	struct observed_apart apart;
	observed_half_take(&task->observed, observed, &apart);
	struct task_rare *rare = task_make_rare(task);
	drop_rare_observed(rare);
	rare->container_id = apart.container_id;
	rare->observed_message = apart.message;
	rare->finished_wall_ms = apart.finished_wall_ms;
	task_tidy(task);
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

const char *task_message(const struct task *task)
{
	const struct task_rare *rare = task_rare(task);
	if (task->desired.verdict)
		return rare->verdict_message;
	if (task->state == TASK_PENDING)
		return rare->waiting_message;
	return observed_message(task);
}

void task_release(struct task *task)
{
	if (task->rare) {
		drop_rare_desired(task->rare);
		drop_rare_observed(task->rare);
		base_free(task->rare->waiting_message);
		base_free(task->rare);
	}
	*task = (struct task){ 0 };
}
