/* Answers and hints: what becomes known of containers.
 *
 * 1. An answer to a number not in flight is dropped.
 * 2. Only an inspection makes a container known; other answers at most make it unknown.
 * 3. A container without our labels is not ours, whatever its name: it is not seen, and not
 *    touched (I12). */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/parse.h"
#include "base/planted.h"
#include "worker/worker_int.h"

bool worker_container_name_parse(const char *name, struct task_id *ret_task, int64_t *ret_attempt)
{
	static const char prefix[] = "drover-";
	size_t prefix_len = sizeof(prefix) - 1;
	if (strnlen(name, CONTAINER_NAME_SIZE) < prefix_len + UUID_TEXT_LEN + 2 ||
	    strncmp(name, prefix, prefix_len) != 0)
		return false;
	char id[UUID_TEXT_SIZE];
	memcpy(id, name + prefix_len, UUID_TEXT_LEN);
	id[UUID_TEXT_LEN] = '\0';
	const char *rest = name + prefix_len + UUID_TEXT_LEN;
	struct task_id task;
	int64_t attempt;
	if (*rest != '-' || uuid_parse(id, &task.uuid, NULL) ||
	    parse_int(rest + 1, 1, INT64_MAX, &attempt, NULL))
		return false;
	*ret_task = task;
	*ret_attempt = attempt;
	return true;
}

bool worker_seen_is_ours(const struct worker *worker, const struct container_seen *seen,
			 struct task_id task, int64_t attempt)
{
	if (PLANTED(PLANTED_FOREIGN_TAKEN) && seen->state == CONTAINER_CREATED)
		return true;
	return !uuid_is_zero(worker->meta.cluster) &&
	       uuid_equal(seen->cluster, worker->meta.cluster) &&
	       uuid_equal(seen->task.uuid, task.uuid) && seen->attempt == attempt;
}

/* An end that nobody can tell which run of Docker reported may be of one that was going down. */
static bool proves_nothing(const struct worker *worker, const struct container_result *result)
{
	if (result->fault != FAULT_NONE && result->fault != FAULT_NOT_FOUND)
		return true;
	bool runs = result->fault == FAULT_NONE && (result->seen.state == CONTAINER_RUNNING ||
						    result->seen.state == CONTAINER_PAUSED);
	return !runs && !result->daemon_instance && worker->daemon_instance;
}

static uint64_t instance_of(const struct worker *worker, const struct worker_task *task,
			    const struct container_result *result)
{
	if (result->daemon_instance)
		return result->daemon_instance;
	return task->daemon_instance ? (uint64_t)task->daemon_instance : worker->daemon_instance;
}

static void set_address(struct worker_task *task, const char *address)
{
	if (address || task->rare)
		string_set(&worker_make_rare(task)->address, address);
}

static void keep_seen(struct worker_task *task, const struct container_seen *seen)
{
	struct worker_doing *doing = worker_make_doing(task);
	char container_id[TASK_CONTAINER_ID_SIZE];
	const char *reported = observed_half_container_id(
		&task->observed, worker_rare(task)->observed.container_id, container_id);
	bool is_reported = reported && strcmp(reported, seen->id) == 0;
	task->seen_health = (uint8_t)seen->health;
	set_address(task, seen->address);
	worker_seen_release(&doing->seen);
	doing->seen = (struct worker_seen){
		.id = is_reported ? NULL : base_strdup(seen->id),
		.error = base_strdup(seen->error),
		.stop_signal = base_strdup(seen->stop_signal),
		.health_output = base_strdup(seen->health_output),
		.exit_code = seen->exit_code,
		.started_wall_ms = seen->started_wall_ms,
		.finished_wall_ms = seen->finished_wall_ms,
		.oom_killed = seen->oom_killed,
	};
}

static void take_seen(struct worker *worker, struct worker_task *task,
		      const struct container_result *result)
{
	struct worker_doing *doing = worker_make_doing(task);
	if (proves_nothing(worker, result)) {
		task->container = CONTAINER_UNKNOWN;
		worker_task_not_before(task, worker->now_ms + RETRY_MS);
		return;
	}
	if (result->daemon_instance)
		worker->daemon_instance = result->daemon_instance;
	bool found = result->fault == FAULT_NONE && result->seen.state != CONTAINER_ABSENT;
	bool ours =
		found && worker_seen_is_ours(worker, &result->seen, task->id, doing->op_attempt);
	task->foreign = found && !ours;
	task->container = (int8_t)(ours ? result->seen.state : CONTAINER_ABSENT);
	doing->seen_at_ms = worker->now_ms;
	doing->seen_instance = instance_of(worker, task, result);
	if (!ours)
		return;
	keep_seen(task, &result->seen);
	/* A creation that was not answered clearly did happen: no need to wait before the next
	 * step. */
	if (doing->create_asked && task->container == CONTAINER_CREATED)
		worker_task_set_restart_at(task, 0);
	doing->create_asked = false;
}

static void take_task(struct worker *worker, struct worker_task *task,
		      const struct container_result *result)
{
	bool current = worker_doing(task)->op_attempt == task->observed.attempt;
	switch (result->verb) {
	case CONTAINER_INSPECT:
		if (current)
			take_seen(worker, task, result);
		else
			worker_remove_result(worker, task, result);
		break;
	case CONTAINER_KILL:
		if (current)
			worker_stop_result(worker, task, result);
		else
			worker_remove_result(worker, task, result);
		break;
	case CONTAINER_EXEC:
		if (current)
			worker_hooks_result(worker, task, result);
		break;
	case CONTAINER_REMOVE: worker_remove_result(worker, task, result); break;
	default: worker_start_result(worker, task, result); break;
	}
	worker_task_mark_dirty(worker, task);
}

void worker_result_take(struct worker *worker, const struct container_result *result)
{
	const struct op *found = worker_op_get(worker, result->op);
	if (!found || found->verb != result->verb)
		return;
	struct op op = *found;
	worker_op_end(worker, op.op);
	switch (op.owner) {
	case OP_TASK: take_task(worker, op.task, result); break;
	case OP_PROBE: worker_health_result(worker, op.task, result); break;
	case OP_LIST:
		worker->list_op = 0;
		worker_list_result(worker, op.op, result);
		break;
	case OP_STRAY: worker_stray_result(worker, op.stray, result); break;
	case OP_NETWORK: worker_network_result(worker, result); break;
	case OP_VOLUME: worker_volume_result(worker, result); break;
	default: UNREACHABLE("an action of nobody");
	}
}

void worker_result_hint(struct worker *worker, const char *name)
{
	struct task_id id;
	int64_t attempt;
	if (!worker_container_name_parse(name, &id, &attempt))
		return;
	struct worker_task *task = worker_task_get(worker, id);
	if (!task || task->observed.attempt != attempt)
		return;
	task->look = true;
	worker_task_mark_dirty(worker, task);
}

void worker_result_expire(struct worker *worker)
{
	for (size_t i = 0; i < worker->n_ops;) {
		if (worker->now_ms < worker->ops[i].expires_ms) {
			i++;
			continue;
		}
		/* The same as an answer that leaves everything open; it takes the row out of the
		 * table. */
		struct container_result result = {
			.op = worker->ops[i].op,
			.verb = worker->ops[i].verb,
			.fault = FAULT_AMBIGUOUS,
		};
		worker_result_take(worker, &result);
	}
}
